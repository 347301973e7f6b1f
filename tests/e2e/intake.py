# SPDX-License-Identifier: MIT
"""intake.py - herald intake for a test, and a client that can misbehave."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
from typing import Any, Dict, Iterable, List, Optional, Tuple, Union

from host import Case, NETWORK, Running, lines

SHOP = "shop-token-0123456789abcdef"            # of acme alone
BOTH = "both-token-0123456789abcdef"            # of acme and beta
EVERY = "every-token-0123456789abcdef"          # of all workspaces
TOKENS = (f"# who may write\nshop {SHOP} acme\n\nboth {BOTH} acme,beta\n"
          f"every {EVERY} *\n")

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Reply:
    def __init__(self, status: int, headers: Dict[str, str], body: bytes
                 ) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def statuses(self) -> List[str]:
        return [one["status"] for one in self.json["events"]]

    def __str__(self) -> str:
        return f"{self.status} {self.headers} {self.body[:400]!r}"


class Wire:
    """A connection whose bytes the test writes itself."""

    def __init__(self, where: Union[int, str], seconds: float = 30) -> None:
        if isinstance(where, int):
            self.socket = socket.create_connection(("127.0.0.1", where),
                                                   seconds)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(seconds)
            self.socket.connect(where)
        self.pending = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _more(self) -> bool:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self.pending += data
        return bool(data)

    def reply(self, method: str = "POST") -> Optional[Reply]:
        """The next, passing over 100 Continue; None: the end."""
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                return None
        head, _, self.pending = self.pending.partition(b"\r\n\r\n")
        rows = head.decode().split("\r\n")
        status = int(rows[0].split()[1])
        headers = {name.lower(): value.strip() for name, _, value in
                   (row.partition(":") for row in rows[1:])}
        if status == 100:
            return self.reply(method)
        length = 0 if method == "HEAD" or status == 204 \
            else int(headers["content-length"])
        while len(self.pending) < length:
            if not self._more():
                raise AssertionError("the answer is cut short")
        body, self.pending = self.pending[:length], self.pending[length:]
        return Reply(status, headers, body)

    def is_over(self) -> bool:
        """Closed, with nothing more said."""
        while self._more():
            pass
        return self.pending == b""


def head(method: str, path: str, fields: Iterable[Tuple[str, str]],
         version: str = "HTTP/1.1") -> bytes:
    rows = [f"{method} {path} {version}", "Host: localhost",
            *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(rows) + "\r\n\r\n").encode("latin-1")


def post(body: bytes, kind: Optional[str] = STRUCTURED,
         token: Optional[str] = SHOP, **fields: str) -> bytes:
    """The bytes of a request; content_encoding="gzip" is a field."""
    rows = [("Content-Length", str(len(body)))]
    if kind is not None:
        rows.append(("Content-Type", kind))
    if token is not None:
        rows.append(("Authorization", f"Bearer {token}"))
    rows += [(name.replace("_", "-"), value)
             for name, value in fields.items()]
    return head("POST", "/v1/events", rows) + body


class IntakeCase(Case):
    """A host with herald intake; self.port, self.socket."""

    limits = ""
    store = ""
    listen = ""

    def setUp(self) -> None:
        super().setUp()
        self.port = free_port()
        self.socket = str(self.host.directory / "in.sock")
        for token in (SHOP, BOTH, EVERY):
            self.host.hide(token)
        self.tokens(TOKENS)
        self.configure()
        # What nobody wants is not kept, so that there must be one.
        self.host.webhook("web", "https://example.com/")
        self.running = self.begin()

    def configure(self, before: str = "") -> None:
        self.host.herald_xml(
            NETWORK + f"<store {self.store}/><intake>{before}"
            f'<listen address="127.0.0.1:{self.port}"/>'
            f'<listen socket="{self.socket}" mode="0666">{self.listen}'
            f'</listen><tokens path="intake.tokens"/>{self.limits}</intake>')

    def tokens(self, text: str, mode: int = 0o600) -> None:
        self.host.write("etc/intake.tokens", text, mode)

    def begin(self) -> Running:
        running = self.enter(self.host.start("intake"))
        running.wait_for(f"listening on {self.socket}")
        return running

    def end(self) -> Any:
        self.running.process.send_signal(signal.SIGTERM)
        result = self.running.end()
        self.assertEqual(result.status, 0, result)
        return result

    def wire(self, where: Union[int, str, None] = None) -> Wire:
        return self.enter(Wire(where or self.port))

    def ask(self, request: bytes, where: Union[int, str, None] = None,
            method: str = "POST") -> Reply:
        with Wire(where or self.port) as wire:
            wire.send(request)
            reply = wire.reply(method)
        assert reply is not None, "no answer"
        return reply

    def get(self, path: str, *fields: Tuple[str, str], method: str = "GET",
            where: Union[int, str, None] = None) -> Reply:
        return self.ask(head(method, path, fields), where, method)

    def stored(self) -> List[Dict[str, Any]]:
        """The events in the store, in the order they came."""
        path = self.host.state / "store" / "store.db"
        base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            rows = base.execute("select body from events order by seq")
            return [json.loads(row[0]) for row in rows]
        finally:
            base.close()

    def ids(self) -> List[str]:
        return [one["id"] for one in self.stored()]


def array(events: Iterable[Any]) -> bytes:
    return json.dumps(list(events)).encode()


def one(event: Any) -> bytes:
    return json.dumps(event).encode()


__all__ = ["BATCH", "BOTH", "EVERY", "IntakeCase", "NDJSON", "Reply", "SHOP",
           "STRUCTURED", "TOKENS", "Wire", "array", "free_port", "head",
           "lines", "one", "post"]
