# SPDX-License-Identifier: MIT
"""steady.py - events at a steady rate, and how long each was on its way.

One loop sends them, each when its time has come whether or not the ones
before were answered, and receives what herald delivers of them.  A time is
counted from when an event should have been sent, so a queue before the
intake is seen as well.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "chaos"))

from endpoints import Endpoint                          # noqa: E402

CONNECTIONS = 16
GROUP = 0.002                   # seconds: what is due together


def percentile(values: List[float], share: float) -> float:
    """The value that so many are at most; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] \
        if ordered else 0.0


class Steady:
    """Sends to the intake at port; ends are the services that receive."""

    def __init__(self, port: int, token: str, ends: List[Endpoint],
                 prefix: str = "s", size: int = 500) -> None:
        self.port = port
        self.ends = ends
        self.accepted = 0
        self.refused: Dict[int, int] = defaultdict(int)
        self.seconds: Dict[str, List[float]] = {one.name: [] for one in ends}
        self.n_arrived: Dict[str, int] = {one.name: 0 for one in ends}
        self.n_again: Dict[str, int] = {one.name: 0 for one in ends}
        self._came: Dict[str, Set[str]] = {one.name: set() for one in ends}
        self.marks: Dict[int, str] = {}         # of the n-th event
        self._due: Dict[str, float] = {}
        self._prefix = prefix
        self._token = token
        self._fill = "x" * size
        self._idle: "asyncio.Queue[Any]" = asyncio.Queue()
        for one in ends:
            one.sink = lambda records, name=one.name: self._take(name,
                                                                 records)

    def forget(self) -> None:
        """Measure anew."""
        for one in self.seconds.values():
            one.clear()

    def run(self, rate: float, seconds: float, linger: float = 30) -> None:
        """Send, and wait until all has arrived at every service."""
        asyncio.run(self._run(rate, seconds, linger))

    def _take(self, name: str, records: List[Dict[str, Any]]) -> None:
        now = time.monotonic()
        for record in records:
            event = record.get("id", "")
            due = self._due.get(event)
            if due is None:
                continue
            if event in self._came[name]:
                self.n_again[name] += 1
                continue
            self._came[name].add(event)
            self.seconds[name].append(now - due)
            self.n_arrived[name] += 1

    async def _run(self, rate: float, seconds: float,
                   linger: float) -> None:
        began = time.monotonic() + 0.05
        tasks = set()
        n, total = 0, int(rate * seconds)
        while n < total:
            wait = began + n / rate - time.monotonic()
            if wait > 0:
                await asyncio.sleep(max(wait, GROUP))
            while n < total and began + n / rate <= time.monotonic():
                number = len(self._due)
                self._due[f"{self._prefix}-{number}"] = began + n / rate
                task = asyncio.ensure_future(self._send(number))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                n += 1
        await asyncio.gather(*tasks)
        deadline = time.monotonic() + linger
        while time.monotonic() < deadline and not self.is_all_there():
            await asyncio.sleep(0.02)
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()
        self._idle = asyncio.Queue()

    def is_all_there(self) -> bool:
        return all(one >= self.accepted for one in self.n_arrived.values())

    def body(self, number: int) -> bytes:
        name = f"{self._prefix}-{number}"
        data = {"id": name, "email": f"player{number}@example.com",
                "customText": self._fill}
        mark = self.marks.get(number)
        if mark:
            data["code"] = mark
        return json.dumps({
            "specversion": "1.0", "id": name, "source": "/games/soak",
            "type": "game.played", "workspace": "acme",
            "data": data}).encode()

    @property
    def n_sent(self) -> int:
        return len(self._due)

    async def _send(self, number: int) -> None:
        body = self.body(number)
        request = (b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\n"
                   b"Authorization: Bearer %s\r\n"
                   b"Content-Type: application/cloudevents+json\r\n"
                   b"Content-Length: %d\r\n\r\n%s"
                   % (self._token.encode(), len(body), body))
        while True:
            status = await self._ask(request)
            if status == 202:
                self.accepted += 1
                return
            self.refused[status] += 1
            if status not in (0, 429, 503) or self.refused[status] > 10000:
                return
            await asyncio.sleep(0.1)

    async def _ask(self, request: bytes) -> int:
        try:
            reader, writer = self._idle.get_nowait()
        except asyncio.QueueEmpty:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.port)
            except OSError:
                return 0
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = length_of(head)
            if length:
                await reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            return 0
        if b"connection: close" in head.lower() \
                or self._idle.qsize() >= CONNECTIONS:
            writer.close()
        else:
            self._idle.put_nowait((reader, writer))
        return int(head.split(b" ", 2)[1])


def length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def integration(site: Any, end: Endpoint, delivery: str = "",
                name: Optional[str] = None) -> None:
    """One that delivers the event's id, and little else."""
    site.webhook(name or end.name, end.url,
                 '<map><field name="id" source="id"/>'
                 '<field name="email" source="email"/>'
                 '<field name="text" source="customText"/></map>',
                 delivery=delivery or '<in-flight max="64"/>')
