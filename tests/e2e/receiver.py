# SPDX-License-Identifier: MIT
"""receiver.py - a quick web API in a thread of the test itself.

It answers 200 to everything (a subclass may differ), late or not until told
to, and knows how many requests were with it at the same time.  It can do
without keeping what comes, so a hundred thousand events are no burden.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional

REPLY = ("HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n"
         "Content-Length: 2\r\n\r\n{}")


class Taken(NamedTuple):
    """One request: when it was there, when it was answered, what it said."""
    came: float
    went: float
    records: List[Any]


class Receiver:
    """Use it with `with`.  key: the member whose equals must not meet."""

    def __init__(self, latency: float = 0, is_held: bool = False,
                 keeps: bool = True, key: str = "") -> None:
        self.taken: List[Taken] = []
        self.n_requests = 0
        self.n_events = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.met: List[str] = []        # keys that were here twice at once
        self._latency = latency
        self._keeps = keeps
        self._key = key
        self._keys: Counter = Counter()
        self._is_held = is_held
        self._open: Optional[asyncio.Event] = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Receiver":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: Any) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def release(self) -> None:
        """Answer what is held, and all that comes at once."""
        self._loop.call_soon_threadsafe(self._open.set)

    def records(self) -> List[Any]:
        return [record for one in self.taken for record in one.records]

    def reply(self, records: List[Any]) -> int:
        """The status that a request is answered with."""
        return 200

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _start(self) -> None:
        self._open = asyncio.Event()
        if not self._is_held:
            self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1",
                                                  0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader,
                     writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(length_of(head))
                status = await self._take(body)
                writer.write((REPLY % status).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError,
                asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _take(self, body: bytes) -> int:
        came = time.monotonic()
        read = json.loads(body)
        records = read if isinstance(read, list) else [read]
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._enter(records)
        try:
            if self._latency:
                await asyncio.sleep(self._latency)
            await self._open.wait()
        finally:
            self.in_flight -= 1
            for record in records if self._key else ():
                self._keys[record[self._key]] -= 1
        self.n_requests += 1
        self.n_events += len(records)
        if self._keeps:
            self.taken.append(Taken(came, time.monotonic(), records))
        return self.reply(records)

    def _enter(self, records: List[Dict[str, Any]]) -> None:
        for record in records if self._key else ():
            key = record[self._key]
            self._keys[key] += 1
            if self._keys[key] > 1:
                self.met.append(key)


def length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
