# SPDX-License-Identifier: MIT
"""faults.py - wrong answers on demand, by path or by script.

A step says what becomes of one request.  Its keys (all optional):

  status, headers, body   this answer; body is text, or JSON as it stands
  retry_after             the value of Retry-After, as it stands ("2")
  retry_date              Retry-After as an HTTP date, so many seconds ahead
  delay_ms                wait first; alone, the answer is the usual one
  hang, reset             true: never answer; TCP reset instead of an answer
  half                    true: half of the declared body, then a reset
  huge_mb                 a body of so many megabytes
  malformed               "json": a body cut in the middle;
                          "http": no HTTP at all; "header": a broken header
  length                  a Content-Length that is wrong by so many bytes
  close                   true: Connection: close after the answer
  times                   use this step so often (default 1, -1: for ever)

A path can ask for the same: /fault/KIND/ARGUMENT, see PATH_KINDS.
"""

from __future__ import annotations

import email.utils
import json
import time
from typing import Any, Callable, Dict, List, Optional

from http_server import Reply

Step = Dict[str, Any]

#: The part of the path after /fault/ and what it asks for.
PATH_KINDS: Dict[str, Callable[[str], Step]] = {
    "slow": lambda ms: {"delay_ms": int(ms or "1000")},
    "hang": lambda _: {"hang": True},
    "reset": lambda _: {"reset": True},
    "half": lambda _: {"half": True},
    "status": lambda status: {"status": int(status or "500"),
                              "body": {"error": "as asked for"}},
    "retry-after": lambda s: {"status": 429, "retry_after": s or "1"},
    "retry-date": lambda s: {"status": 429, "retry_date": int(s or "1")},
    "redirect": lambda status: {"status": int(status or "302"),
                                "headers": {"Location": "/redirected"}},
    "huge": lambda mb: {"huge_mb": int(mb or "32")},
    "malformed-json": lambda _: {"malformed": "json"},
    "malformed-http": lambda _: {"malformed": "http"},
    "malformed-header": lambda _: {"malformed": "header"},
    "short": lambda n: {"length": int(n or "100")},
    "long": lambda n: {"length": -int(n or "5")},
    "close": lambda _: {"close": True},
}

KEYS = {"status", "headers", "body", "retry_after", "retry_date", "delay_ms",
        "hang", "reset", "half", "huge_mb", "malformed", "length", "close",
        "times"}


class BadStep(ValueError):
    """A step or a fault path that says nothing known."""


def check_step(step: Any) -> Step:
    """The step itself, or BadStep that names what is not known."""
    if not isinstance(step, dict):
        raise BadStep("a step is a JSON object")
    unknown = sorted(set(step) - KEYS)
    if unknown:
        raise BadStep(f"unknown in a step: {', '.join(unknown)}")
    return step


def step_from_path(path: str) -> Optional[Step]:
    """/fault/KIND[/ARGUMENT], or /fault/times/N/KIND[/ARGUMENT]: the first N
    requests for this path only (the caller counts them)."""
    parts = path.strip("/").split("/")
    if parts[0] != "fault" or len(parts) < 2:
        return None
    times = -1
    parts = parts[1:]
    if parts[0] == "times" and len(parts) > 2 and parts[1].isdigit():
        times = int(parts[1])
        parts = parts[2:]
    make = PATH_KINDS.get(parts[0])
    if make is None:
        raise BadStep(f"unknown fault {parts[0]}; known: "
                      + ", ".join(sorted(PATH_KINDS)))
    try:
        step = make(parts[1] if len(parts) > 1 else "")
    except ValueError:
        raise BadStep(f"{parts[0]} takes a number") from None
    return {**step, "times": times}


class Scripts:
    """The steps that wait for requests, by key (a path, an SMTP stage)."""

    def __init__(self) -> None:
        self._steps: Dict[str, List[Step]] = {}
        self._is_path_known: set = set()

    def clear(self) -> None:
        self._steps.clear()
        self._is_path_known.clear()

    def put(self, key: str, steps: List[Step]) -> None:
        self._steps[key] = [dict(step) for step in steps]

    def next(self, key: str) -> Optional[Step]:
        """The step for this request; None when nothing was asked for."""
        steps = self._steps.get(key)
        if not steps:
            return None
        step = steps[0]
        times = int(step.get("times", 1))
        if times == 1:
            steps.pop(0)
        elif times > 1:
            step["times"] = times - 1
        return step

    def next_for_path(self, path: str) -> Optional[Step]:
        """As next(), and paths below /fault/ bring their own script."""
        if path.startswith("/fault/") and path not in self._is_path_known \
                and path not in self._steps:
            self._is_path_known.add(path)
            step = step_from_path(path)
            if step is not None and step["times"] != 0:
                self.put(path, [step])
        return self.next(path)


def is_fault(step: Optional[Step]) -> bool:
    """True if the step replaces the usual answer (a delay alone does not)."""
    return step is not None and bool(set(step) - {"delay_ms", "times"})


def body_bytes(step: Step) -> bytes:
    body = step.get("body", "")
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body, ensure_ascii=False).encode()


def reply_from_step(step: Step) -> Reply:
    """The answer that the step describes."""
    reply = Reply(int(step.get("status", 200)), body=body_bytes(step))
    if reply.body and not isinstance(step.get("body"), str):
        reply.headers["Content-Type"] = "application/json"
    reply.headers.update(step.get("headers", {}))
    if "retry_after" in step:
        reply.headers["Retry-After"] = str(step["retry_after"])
    if "retry_date" in step:
        reply.headers["Retry-After"] = email.utils.formatdate(
            time.time() + float(step["retry_date"]), usegmt=True)
    if step.get("close"):
        reply.ending = "close"
    return break_reply(reply, step)


def break_reply(reply: Reply, step: Step) -> Reply:
    """Make a correct answer wrong, as the step asks."""
    if step.get("hang"):
        reply.ending = "hang"
    elif step.get("reset"):
        reply.ending = "reset"
        reply.body = b""
    elif step.get("half"):
        reply.body = reply.body or b'{"ok": true, "half of it": "'
        reply.declared_length = 2 * len(reply.body)
        reply.ending = "reset"
    elif "huge_mb" in step:
        reply.filler = int(step["huge_mb"]) * 1024 * 1024
    elif step.get("malformed") == "json":
        reply.headers["Content-Type"] = "application/json"
        reply.body = b'{"ok": tru, "list": [1, 2, {"x": "\xff\xfe'
    elif step.get("malformed") == "http":
        reply.raw = b"\x00\x01 this is not HTTP at all \xff\r\n\r\n"
        reply.ending = "close"
    elif step.get("malformed") == "header":
        reply.raw = b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n:\r\n\r\n"
        reply.ending = "close"
    elif "length" in step:
        reply.body = reply.body or b'{"ok": true}'
        reply.declared_length = max(0, len(reply.body) + int(step["length"]))
        reply.ending = "close"
    return reply
