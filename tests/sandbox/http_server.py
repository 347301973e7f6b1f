# SPDX-License-Identifier: MIT
"""http_server.py - HTTP/1.1 over a Connection, with wrong answers on demand.

A handler takes a Request and returns a Reply.  A Reply can describe a broken
answer as well as a correct one: faults are data, and only send_reply() knows
how they go over the wire.
"""

from __future__ import annotations

import asyncio
import email.utils
import http
import json
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Dict, Optional
from urllib.parse import unquote, urlsplit

from connection import Connection, TooLong

HEAD_CEILING = 64 * 1024
BODY_CEILING = 256 * 1024 * 1024
CHUNK = b"x" * 65536


class BadRequest(Exception):
    """The request breaks HTTP; it is answered 400 and the connection ends."""


@dataclass
class Request:
    """One request; header names in lower case, equal ones joined by comma."""
    method: str
    target: str
    version: str
    headers: Dict[str, str]
    body: bytes = b""
    connection: int = 0
    listener: str = ""

    @property
    def path(self) -> str:
        """The path alone, percent-decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def keeps_alive(self) -> bool:
        wish = self.headers.get("connection", "").lower()
        if self.version == "HTTP/1.0":
            return "keep-alive" in wish
        return "close" not in wish


@dataclass
class Reply:
    """One answer, or what is sent instead of one.

    ending: keep (correct), close, reset (before or after the bytes), hang.
    declared_length: a Content-Length that does not fit the body.
    raw: these bytes instead of a status line, headers and body.
    filler: so many bytes more, after the body, made while sending.
    """
    status: int = 200
    headers: Dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ending: str = "keep"
    declared_length: Optional[int] = None
    raw: Optional[bytes] = None
    filler: int = 0


Handler = Callable[[Request], Awaitable[Reply]]


def json_reply(value: Any, status: int = 200) -> Reply:
    body = json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
    return Reply(status, {"Content-Type": "application/json"}, body)


def problem_reply(status: int, problem: str) -> Reply:
    """An error answer that says what was wrong, as most APIs do."""
    return json_reply({"error": problem}, status)


def http_server(handler: Handler) -> Callable[[Connection], Awaitable[None]]:
    """What a Listener needs to serve this handler."""

    async def serve(connection: Connection) -> None:
        while await serve_one(connection, handler):
            pass

    return serve


async def serve_one(connection: Connection, handler: Handler) -> bool:
    """One request and its answer; true while the connection goes on."""
    try:
        request = await read_request(connection)
    except (BadRequest, TooLong) as error:
        reply = problem_reply(400, str(error) or "the head is too long")
        reply.ending = "close"
        return await send_reply(connection, reply, None)
    reply = await handler(request)
    return await send_reply(connection, reply, request)


async def read_request(connection: Connection) -> Request:
    """The next request with its whole body."""
    head = await connection.read_until(b"\r\n\r\n", HEAD_CEILING)
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("this is no HTTP/1.x request line")
    request = Request(parts[0], parts[1], parts[2], read_headers(lines[1:-2]),
                      connection=connection.number,
                      listener=connection.listener)
    if request.version == "HTTP/1.1" and "host" not in request.headers:
        raise BadRequest("the Host header is missing")
    if request.headers.get("expect", "").lower() == "100-continue":
        connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.body = await read_body(connection, request.headers)
    return request


def read_headers(lines: list) -> Dict[str, str]:
    headers: Dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest("a header line is malformed")
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers \
            else value
    return headers


async def read_body(connection: Connection, headers: Dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked":
            raise BadRequest("only chunked is known as transfer encoding")
        if "content-length" in headers:
            raise BadRequest("both Content-Length and Transfer-Encoding")
        return await read_chunks(connection)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_CEILING:
        raise BadRequest("the Content-Length is no length, or too long")
    return await connection.read_exactly(int(length))


async def read_chunks(connection: Connection) -> bytes:
    body = bytearray()
    while True:
        line = await connection.read_until(b"\r\n", 1024)
        try:
            length = int(line.split(b";")[0], 16)
        except ValueError:
            raise BadRequest("a chunk's length is no number") from None
        if length < 0 or len(body) + length > BODY_CEILING:
            raise BadRequest("the body is too long")
        if length == 0:
            break
        body += await connection.read_exactly(length)
        await connection.read_exactly(2)
    while await connection.read_until(b"\r\n", HEAD_CEILING) != b"\r\n":
        pass
    return bytes(body)


def reply_bytes(reply: Reply, request: Optional[Request]) -> bytes:
    """The answer as it goes over the wire, without its filler."""
    if reply.raw is not None:
        return reply.raw
    try:
        phrase = http.HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Whatever"
    length = reply.declared_length
    if length is None:
        length = len(reply.body) + reply.filler
    lines = [f"HTTP/1.1 {reply.status} {phrase}",
             f"Date: {email.utils.formatdate(usegmt=True)}"]
    if reply.status not in (204, 304):
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if reply.ending == "close" or (request and not request.keeps_alive):
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if (request and request.method == "HEAD") or reply.status in (204, 304):
        return head
    return head + reply.body


async def send_reply(connection: Connection, reply: Reply,
                     request: Optional[Request]) -> bool:
    """Send it; true while the connection may be used again."""
    if reply.ending == "hang":
        await connection.wait_end()
        return False
    is_empty = reply.ending == "reset" and reply.raw is None and not reply.body
    if not is_empty:
        connection.write(reply_bytes(reply, request))
        await send_filler(connection, reply.filler)
    if reply.ending == "reset":
        if not is_empty:
            await asyncio.sleep(0.05)   # or the reset overtakes the bytes
        connection.reset()
        return False
    await connection.drain()
    return reply.ending == "keep" and (request is not None
                                       and request.keeps_alive)


async def send_filler(connection: Connection, length: int) -> None:
    while length > 0:
        connection.write(CHUNK[:length])
        await connection.drain()
        length -= len(CHUNK)
