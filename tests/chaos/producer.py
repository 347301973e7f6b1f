# SPDX-License-Identifier: MIT
"""producer.py - applications that send events and believe only a 202.

Each is a thread with a connection of its own.  It sends one event, a batch,
lines, or a binary one; what was not answered goes again, with the same ids,
until it is; now and then it sends again what was accepted already, and what
no event can be.  So an application behaves that does not want to lose
anything either.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from oracle import Event

SOURCE = "/games/chaos"
KEYS = 6                        # of one producer
MODES = ("single", "batch", "lines", "binary")


class Wish(NamedTuple):
    """What a producer makes."""
    per_second: float = 60.0
    most: int = 20              # events of a request
    bad: float = 0.01           # shares of all events
    broken: float = 0.01
    again: float = 0.02
    marks: Tuple[str, ...] = ()  # each once, at some time


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass
class Ledger:
    """What all producers know, in the order of each."""
    offered: Dict[str, Event] = field(default_factory=dict)
    accepted: Dict[str, float] = field(default_factory=dict)
    complaints: List[str] = field(default_factory=list)
    statuses: Dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, status: int) -> None:
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def complain(self, text: str) -> None:
        with self.lock:
            if len(self.complaints) < 20:
                self.complaints.append(text)


def cloud_event(event: Event, size: int = 0) -> Dict[str, Any]:
    data: Dict[str, Any] = {
        "id": event.id, "sessionId": event.key, "score": event.n,
        "profil": event.kind, "email": event.email}
    if event.mark:
        data["code"] = event.mark
    if event.is_bad:
        data["selectValue"] = "bad"
    if size:
        data["customText"] = "x" * size
    return {"specversion": "1.0", "id": event.id, "source": SOURCE,
            "type": "game.played", "workspace": event.workspace,
            "data": data}


class Producer(threading.Thread):
    """One application; stop () and join () it."""

    def __init__(self, number: int, seed: str, token: str, port: int,
                 path: Optional[str], ledger: Ledger, wish: Wish) -> None:
        super().__init__(daemon=True)
        self._number = number
        self._random = random.Random(f"{seed}/{number}")
        self._token = token
        self._where = (port, path)
        self._ledger = ledger
        self._wish = wish
        self._marks = list(wish.marks)
        self._n = 0
        self._prefix = f"{seed.replace('/', '-')}-{number}"
        self._recent: List[Dict[str, Any]] = []
        self._end = threading.Event()
        self._connection: Optional[http.client.HTTPConnection] = None

    def stop(self) -> None:
        self._end.set()

    def run(self) -> None:
        began, sent = time.monotonic(), 0
        while not self._end.is_set():
            mode = self._random.choice(MODES)
            count = 1 if mode in ("single", "binary") \
                else self._random.randint(1, self._wish.most)
            events = [self._make() for _ in range(count)]
            self._deliver(mode, events)
            sent += count
            self._end.wait(max(0.0, began + sent / self._wish.per_second
                               - time.monotonic()))
        self._disconnect()

    def _make(self) -> Event:
        pick = self._random
        self._n += 1
        mark = ""
        if self._marks and self._n > 5 and pick.random() < 0.1:
            mark = self._marks.pop()
        number = f"{self._prefix}-{self._n}"
        is_bad = not mark and pick.random() < self._wish.bad
        event = Event(
            number, self._n, f"{self._prefix}-k{pick.randrange(KEYS)}",
            pick.choice("aab"),
            "beta" if mark else pick.choice(("acme", "acme", "beta")),
            is_bad, mark,
            f"{'refuse' if is_bad else 'player'}+{number}@example.com")
        self._ledger.offered[number] = event
        return event

    def _deliver(self, mode: str, events: List[Event]) -> None:
        """Until all are accepted, or it is to end."""
        pick = self._random
        made = [cloud_event(one, pick.choice((0, 0, 0, 0, 200, 20000)))
                for one in events]
        if mode in ("batch", "lines"):
            if self._recent and pick.random() < self._wish.again:
                made.append(pick.choice(self._recent))
            if pick.random() < self._wish.broken * len(events):
                made.insert(pick.randrange(len(made) + 1),
                            {"specversion": "1.0", "id": "", "type": "x"})
        elif self._recent and pick.random() < self._wish.again:
            self._until_answered(mode, [pick.choice(self._recent)])
        if self._until_answered(mode, made):
            self._recent = (self._recent + made)[-50:]
            self._recent = [one for one in self._recent if one["id"]]

    def _until_answered(self, mode: str, made: List[Dict[str, Any]]) -> bool:
        while not self._end.is_set():
            try:
                status, text, retry = self._ask(mode, made)
            except (OSError, http.client.HTTPException):
                self._disconnect()
                self._ledger.count(0)
                self._end.wait(0.05)
                continue
            self._ledger.count(status)
            if status in (202, 400):
                self._read(status, text, made)
                return True
            if status in (429, 503):
                if not retry:
                    self._ledger.complain(f"{status} without Retry-After")
                self._end.wait(0.2)
                continue
            self._ledger.complain(f"{mode}: {status} {text[:200]}")
            return False
        return False

    def _read(self, status: int, text: str,
              made: List[Dict[str, Any]]) -> None:
        """Which were accepted.  A broken one must be the only complaint."""
        now = time.monotonic()
        broken = [k for k, one in enumerate(made) if not one["id"]]
        try:
            refused = refused_of(text)
        except (ValueError, KeyError, TypeError) as error:
            self._ledger.complain(f"the answer can't be read: {error}: "
                                  f"{text[:300]}")
            return
        if sorted(refused) != broken or (status == 202) == bool(broken):
            self._ledger.complain(f"{status}, refused {refused}, broken "
                                  f"{broken}: {text[:300]}")
        for k, one in enumerate(made):
            if k not in refused and one["id"]:
                self._ledger.accepted.setdefault(one["id"], now)

    def _ask(self, mode: str, made: List[Dict[str, Any]]
             ) -> Tuple[int, str, str]:
        if self._connection is None:
            port, path = self._where
            self._connection = UnixConnection(path, 10) if path \
                else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers, body = request_of(mode, made)
        headers["Authorization"] = f"Bearer {self._token}"
        if mode != "binary" and self._random.random() < 0.1:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        self._connection.request("POST", "/v1/events", body, headers)
        reply = self._connection.getresponse()
        text = reply.read().decode("utf-8", "replace")
        if reply.will_close:
            self._disconnect()
        return reply.status, text, reply.headers.get("Retry-After", "")

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def request_of(mode: str, made: List[Dict[str, Any]]
               ) -> Tuple[Dict[str, str], bytes]:
    """Headers and body in one of the content modes."""
    if mode == "single":
        return ({"Content-Type": "application/cloudevents+json"},
                json.dumps(made[0]).encode())
    if mode == "batch":
        return ({"Content-Type": "application/cloudevents-batch+json"},
                json.dumps(made).encode())
    if mode == "lines":
        return ({"Content-Type": "application/x-ndjson"},
                b"".join(json.dumps(one).encode() + b"\n" for one in made))
    one = made[0]
    headers = {f"ce-{name}": value for name, value in one.items()
               if name != "data"}
    headers["Content-Type"] = "application/json"
    return headers, json.dumps(one["data"]).encode()


def refused_of(text: str) -> Dict[int, str]:
    """The indexes of events that were not accepted, with the reasons."""
    read = json.loads(text)
    return {one["index"]: one["reason"] for one in read["events"]
            if one["status"] not in ("accepted", "duplicate")}
