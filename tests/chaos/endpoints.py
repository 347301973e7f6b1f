# SPDX-License-Identifier: MIT
"""endpoints.py - services that take what herald delivers, in all moods.

A thread runs one loop with any number of web APIs (Endpoint) and mail
servers (MailSink).  Each notes what came, when, and whether it was answered
with success: an answer that was cut short or never sent is none.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

OK = "ok"
#: What a web API can be like; in brackets what herald makes of it.
MOODS = ("slow",        # answers after up to 0.9 s (delivered)
         "hang",        # never answers (retry after the timeout)
         "reset",       # a TCP reset instead of an answer (retry)
         "half",        # half an answer: its status counts
         "500", "503",  # (retry)
         "429",         # with Retry-After: 1 (the lane waits)
         "401")         # (blocked until verify passes)
#: What a mail server can be like.
MAIL_MOODS = ("slow", "reset", "450", "421", "closed")
SLOW_SECONDS = 0.9


class Arrival(NamedTuple):
    """One event at one endpoint in one request."""
    at: float                   # time.monotonic () of the answer
    event: str                  # the event's id
    is_answered: bool           # with success, in full


class Mood(NamedTuple):
    name: str = OK
    share: float = 1.0          # of the requests


class Service:
    """What both have: a name, a mood, and what came."""

    def __init__(self, name: str, seed: str) -> None:
        self.name = name
        self.port = 0
        self.mood = Mood()
        self.was_moody = False
        self.has_blocked = False
        self.arrivals: List[Arrival] = []
        self.n_requests = 0
        self.overlaps: List[str] = []
        self._random = random.Random(seed + name)

    def set_mood(self, mood: Mood) -> None:
        self.was_moody = self.was_moody or mood.name != OK
        self.has_blocked = self.has_blocked or mood.name == "401"
        self.mood = mood

    def pick(self) -> str:
        mood = self.mood
        if mood.name == OK or self._random.random() >= mood.share:
            return OK
        return mood.name

    def slow_seconds(self) -> float:
        return self._random.uniform(0.02, SLOW_SECONDS)

    def note(self, events: List[str], is_answered: bool) -> None:
        now = time.monotonic()
        self.arrivals += [Arrival(now, event, is_answered)
                          for event in events]


def reset(transport: Any) -> None:
    """End a connection by a TCP reset."""
    made = transport.get_extra_info("socket")
    if made is not None:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    transport.abort()


class Endpoint(Service):
    """A web API.  A record's members: id, the event's; key, of records that
    must not be here twice at once; bad, if it is to be refused (422 alone,
    400 in an array, as an API that takes all or nothing)."""

    def __init__(self, name: str, seed: str = "",
                 latency: float = 0.0) -> None:
        super().__init__(name, seed)
        self.latency = latency
        self.with_key: Dict[str, "WebConnection"] = {}
        self.sink: Optional[Callable[[List[Dict[str, Any]]], None]] = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.name}"

    async def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.server = await loop.create_server(
            lambda: WebConnection(self), "127.0.0.1", 0, backlog=1024)
        self.port = self.server.sockets[0].getsockname()[1]

    def enter(self, records: List[Dict[str, Any]],
              connection: "WebConnection") -> None:
        for record in records:
            key = record.get("key")
            if not key:
                continue
            other = self.with_key.get(key)
            if other is not None and not other.is_gone:
                self.overlaps.append(f"{record['id']} of {key}")
            self.with_key[key] = connection

    def leave(self, records: List[Dict[str, Any]],
              connection: "WebConnection") -> None:
        for record in records:
            key = record.get("key", "")
            if self.with_key.get(key) is connection:
                del self.with_key[key]


def refusal(body: Any) -> int:
    """The status for records that are to be refused; 0: they are fine."""
    if isinstance(body, list):
        return 400 if any(one.get("bad") for one in body) else 0
    return 422 if body.get("bad") else 0


class WebConnection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, one request after the other."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._in = b""
        self._is_busy = False
        self.is_gone = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self.is_gone = True

    def eof_received(self) -> bool:
        self.is_gone = True
        return False

    def data_received(self, data: bytes) -> None:
        self._in += data
        self._next()

    def _next(self) -> None:
        if self._is_busy or self.is_gone:
            return
        end = self._in.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._in[:end].lower()
        match = re.search(rb"\r\ncontent-length: *(\d+)", head)
        length = int(match.group(1)) if match else 0
        if b"\r\nexpect: 100-continue" in head \
                and len(self._in) == end + 4 and length > 0:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if len(self._in) < end + 4 + length:
            return
        body = self._in[end + 4:end + 4 + length]
        self._in = self._in[end + 4 + length:]
        self._is_busy = True
        self._take(head.startswith(b"head "), body)

    def _take(self, is_head: bool, body: bytes) -> None:
        endpoint = self._endpoint
        mood = endpoint.pick()
        if is_head or not body:
            self._reply([], 401 if mood == "401" else 200)
            return
        read = json.loads(body)
        records = read if isinstance(read, list) else [read]
        endpoint.n_requests += 1
        endpoint.enter(records, self)
        status = refusal(read)
        wait = endpoint.slow_seconds() if mood == "slow" else endpoint.latency
        if mood == "hang":
            endpoint.note(ids_of(records), False)
        elif mood in ("reset", "half"):
            is_taken = mood == "half" and not status
            endpoint.note(ids_of(records), is_taken)
            endpoint.leave(records, self)
            self._break(mood, status or 200)
        elif mood.isdigit():
            self._reply(records, int(mood))
        elif wait > 0:
            asyncio.get_running_loop().call_later(
                wait, self._reply, records, status or 200)
        else:
            self._reply(records, status or 200)

    def _break(self, mood: str, status: int) -> None:
        if mood == "half":
            self._transport.write(b"HTTP/1.1 %d X\r\nContent-Length: 100"
                                  b"\r\n\r\n{\"id\":" % status)
            self._transport.close()
        else:
            reset(self._transport)
        self.is_gone = True

    def _reply(self, records: List[Dict[str, Any]], status: int) -> None:
        is_gone = self.is_gone or self._transport.is_closing()
        if records:
            if self._endpoint.with_key:
                self._endpoint.leave(records, self)
            if self._endpoint.sink:
                self._endpoint.sink(records)
            else:
                self._endpoint.note(ids_of(records),
                                    status == 200 and not is_gone)
        if is_gone:
            return
        more = b"Retry-After: 1\r\n" if status == 429 else b""
        self._transport.write(b"HTTP/1.1 %d X\r\n%sContent-Length: 2\r\n\r\n{}"
                              % (status, more)
                              if records else
                              b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n"
                              % status)
        self._is_busy = False
        if self._in:
            self._next()


def ids_of(records: List[Dict[str, Any]]) -> List[str]:
    return [str(record.get("id", "")) for record in records]


SUBJECT = re.compile(rb"^Subject: chaos (\S+)\r$", re.M)


class MailSink(Service):
    """A mail server: the subject is "chaos" and the event's id.  It refuses
    recipients that begin with refuse, if it is so."""

    def __init__(self, name: str, seed: str = "",
                 refuses: bool = True) -> None:
        super().__init__(name, seed)
        self._refuses = refuses

    async def start(self, _: asyncio.AbstractEventLoop) -> None:
        self.server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, backlog=1024, limit=1 << 22)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader,
                     writer: asyncio.StreamWriter) -> None:
        try:
            if self.pick() == "closed":
                return
            writer.write(b"220 sink ESMTP\r\n")
            while await self._command(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, OSError,
                asyncio.CancelledError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _command(self, reader: asyncio.StreamReader,
                       writer: asyncio.StreamWriter) -> bool:
        line = await reader.readuntil(b"\r\n")
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            return await self._message(reader, writer)
        if verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            return False
        if verb == b"EHLO":
            writer.write(b"250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
        elif verb == b"RCPT" and self._refuses and b"<refuse" in line:
            writer.write(b"550 5.1.1 no such mailbox\r\n")
        else:
            writer.write(b"250 2.0.0 fine\r\n")
        return True

    async def _message(self, reader: asyncio.StreamReader,
                       writer: asyncio.StreamWriter) -> bool:
        message = await reader.readuntil(b"\r\n.\r\n")
        found = SUBJECT.search(message)
        events = [found.group(1).decode()] if found else []
        self.n_requests += 1
        mood = self.pick()
        if mood == "slow":
            await asyncio.sleep(self.slow_seconds())
        if mood == "reset":
            self.note(events, False)
            reset(writer.transport)
            return False
        if mood in ("450", "421"):
            self.note(events, False)
            writer.write(f"{mood} 4.3.0 not now\r\n".encode())
            return mood == "450"
        is_gone = reader.at_eof() or writer.is_closing()
        self.note(events, not is_gone)
        if not is_gone:
            writer.write(b"250 2.0.0 kept\r\n")
        return not is_gone


class Services:
    """The thread that runs them; use it with `with`."""

    def __init__(self, *services: Any) -> None:
        self._services = services
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Services":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for one in self._services:
            self._loop.run_until_complete(one.start(self._loop))
        self._ready.set()
        self._loop.run_forever()
        for one in self._services:
            one.server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
