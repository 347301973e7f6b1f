# SPDX-License-Identifier: MIT
"""recorder.py - everything received, as files that a person can read.

requests.ndjson has one line a request, mails.ndjson one line a mail, and
mails/N.eml each mail as it came.  A line is on disk before the answer goes
out: who has the answer can read the line.
"""

from __future__ import annotations

import datetime
import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, TextIO


def now_text() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Recorder:
    """Writes what came and counts it, by service and outcome."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._counts: Dict[str, Counter] = {}
        self._mails = 0
        (directory / "mails").mkdir(parents=True, exist_ok=True)
        self._request_file = self._open("requests.ndjson")
        self._mail_file = self._open("mails.ndjson")

    def request(self, service: str, entry: Dict[str, Any]) -> None:
        self.count(service, "requests")
        self.count(service, entry["outcome"])
        self.count(service, "events", int(entry.get("events", 0)))
        self._line(self._request_file, {"time": now_text(),
                                        "service": service, **entry})

    def mail(self, service: str, message: bytes,
             entry: Dict[str, Any]) -> str:
        """Keep the mail; returns its name below the run directory."""
        self._mails += 1
        name = f"mails/{self._mails}.eml"
        (self.directory / name).write_bytes(message)
        self.count(service, "mails")
        self.count(service, "recipients", len(entry["to"]))
        self._line(self._mail_file, {"time": now_text(), "service": service,
                                     "mail": name, **entry})
        return name

    def count(self, service: str, what: str, number: int = 1) -> None:
        self._counts.setdefault(service, Counter())[what] += number

    def counts(self) -> Dict[str, Dict[str, int]]:
        return {service: dict(sorted(counter.items()))
                for service, counter in sorted(self._counts.items())}

    def clear_counts(self) -> None:
        self._counts.clear()

    def _open(self, name: str) -> TextIO:
        return open(self.directory / name, "w", encoding="utf-8")

    def _line(self, file: TextIO, entry: Dict[str, Any]) -> None:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        file.flush()
