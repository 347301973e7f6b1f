# SPDX-License-Identifier: MIT
"""connection.py - one accepted connection: bytes in, bytes out.

Thinner than asyncio's streams, and it can do what they cannot in Python 3.9:
start TLS in the middle (SMTP's STARTTLS) and reset instead of close.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from typing import Awaitable, Callable, Optional

HIGH_WATER = 256 * 1024


class Closed(Exception):
    """The peer has closed the connection, or it was lost."""


class TooLong(Exception):
    """The peer sent more than the ceiling before the separator came."""


class Connection(asyncio.Protocol):
    """Reads with ceilings, writes with back-pressure; one reader at a time."""

    def __init__(self, serve: Callable[["Connection"], Awaitable[None]],
                 number: int, listener: str) -> None:
        self.number = number
        self.listener = listener
        self.is_tls = False
        self._serve = serve
        self._buffer = bytearray()
        self._wanted = 0
        self._is_ended = False
        self._is_lost = False
        self._is_reading_paused = False
        self._more: Optional[asyncio.Future] = None
        self._can_write: Optional[asyncio.Future] = None
        self._transport: Optional[asyncio.Transport] = None
        self._task: Optional[asyncio.Task] = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport                     # type: ignore
        self.is_tls = transport.get_extra_info("sslcontext") is not None
        self._task = asyncio.ensure_future(self._run())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > max(HIGH_WATER, self._wanted):
            if not self._is_reading_paused:
                self._is_reading_paused = True
                self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._is_ended = True
        self._wake()
        return not self.is_tls           # half-closed TLS does not exist here

    def connection_lost(self, error: Optional[Exception]) -> None:
        self._is_ended = True
        self._is_lost = True
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._can_write = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._can_write is not None and not self._can_write.done():
            self._can_write.set_result(None)
        self._can_write = None

    # What servers call.

    async def read_until(self, separator: bytes, ceiling: int) -> bytes:
        """The bytes up to and with the separator."""
        start = 0
        while True:
            at = self._buffer.find(separator, start)
            if at >= 0:
                return self._take(at + len(separator))
            if len(self._buffer) > ceiling:
                raise TooLong()
            start = max(0, len(self._buffer) - len(separator) + 1)
            await self._wait_more(0)

    async def read_exactly(self, length: int) -> bytes:
        """Exactly so many bytes."""
        while len(self._buffer) < length:
            await self._wait_more(length)
        return self._take(length)

    async def wait_end(self) -> None:
        """Wait until the peer goes away; what it still sends is dropped."""
        try:
            while True:
                self._buffer.clear()
                await self._wait_more(0)
        except Closed:
            pass

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was written; Closed if
        it never will."""
        if self._can_write is not None:
            await self._can_write
        await asyncio.sleep(0)          # the loss is told by the loop
        if self._is_lost:
            raise Closed()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Go on under TLS.  What came unencrypted and early is dropped, or
        an attacker's commands would be taken for the client's (RFC 3207)."""
        self._buffer.clear()
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(
            self._transport, self, context, server_side=True)
        self.is_tls = True

    def close(self) -> None:
        """Send what was written, then close."""
        self._transport.close()

    def reset(self) -> None:
        """Drop the connection with a TCP reset; what waits is not sent."""
        plain = self._transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self._transport.abort()

    # Inside.

    async def _run(self) -> None:
        try:
            await self._serve(self)
        except (Closed, TooLong, ConnectionError, ssl.SSLError,
                asyncio.CancelledError):
            pass
        finally:
            if not self._transport.is_closing():
                self._transport.close()

    async def _wait_more(self, wanted: int) -> None:
        if self._is_ended:
            raise Closed()
        self._wanted = wanted
        self._resume_reading()
        self._more = asyncio.get_running_loop().create_future()
        try:
            await self._more
        finally:
            self._more = None

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)


class Listener:
    """Accepts on loopback, IPv4 and (where there is one) IPv6, at one port."""

    def __init__(self, name: str,
                 serve: Callable[[Connection], Awaitable[None]],
                 context: Optional[ssl.SSLContext] = None) -> None:
        self.name = name
        self.port = 0
        self.connections = 0
        self._serve = serve
        self._context = context
        self._servers: list = []

    async def start(self, port: int) -> int:
        """Listen; port 0 is chosen by the kernel.  Returns the port."""
        await self._listen("127.0.0.1", port)
        self.port = self._servers[0].sockets[0].getsockname()[1]
        try:
            await self._listen("::1", self.port)
        except OSError:
            pass                        # no IPv6 here, or the port is taken
        return self.port

    async def _listen(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(
            self._accept, host, port, ssl=self._context, backlog=2048))

    def _accept(self) -> Connection:
        self.connections += 1
        return Connection(self._serve, self.connections, self.name)
