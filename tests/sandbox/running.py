# SPDX-License-Identifier: MIT
"""running.py - start, ask and stop a sandbox from a test or the demo.

    with Sandbox(run_dir, ["--smtp-login", "x"]) as sandbox:
        sandbox.script("/hook", [{"status": 503}])
        ... sandbox.port("custom-api", "https") ...
        sandbox.requests(), sandbox.mails(), sandbox.counts()
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

HERE = Path(__file__).resolve().parent
START_SECONDS = 20


class Sandbox:
    """A sandbox process of one's own."""

    def __init__(self, run_dir: Path, arguments: Sequence[str] = ()) -> None:
        self.run_dir = Path(run_dir)
        self.description: Dict[str, Any] = {}
        self._arguments = list(arguments)

    def __enter__(self) -> "Sandbox":
        self.run_dir.mkdir(parents=True, exist_ok=True)
        description = self.run_dir / "sandbox.json"
        if description.exists():
            description.unlink()
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "sandbox.py"), "--run-dir",
             str(self.run_dir), *self._arguments])
        deadline = time.monotonic() + START_SECONDS
        while not description.exists():
            if self._process.poll() is not None \
                    or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.02)
        self.description = json.loads(description.read_text())
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def ca_file(self) -> str:
        return self.description["ca_file"]

    def port(self, service: str, listener: str) -> int:
        return self.description["ports"][service][listener]

    def url(self, path: str = "/hook", listener: str = "https") -> str:
        """An address of the custom-api stand-in."""
        scheme = "http" if listener == "http" else "https"
        port = self.port("custom-api", listener)
        return f"{scheme}://localhost:{port}{path}"

    def control(self, order: Dict[str, Any]) -> None:
        """Send an order (control.py); raises RuntimeError if refused."""
        self._ask("POST", "/_control", json.dumps(order))

    def script(self, path: str, steps: List[Dict[str, Any]]) -> None:
        self.control({"path": path, "script": steps})

    def expect(self, path: str, rules: Dict[str, Any]) -> None:
        self.control({"path": path, "expect": rules})

    def smtp_script(self, stage: str, steps: List[Dict[str, Any]]) -> None:
        self.control({"service": "smtp", "stage": stage, "script": steps})

    def counts(self) -> Dict[str, Dict[str, int]]:
        return self._ask("GET", "/_log")

    def requests(self) -> List[Dict[str, Any]]:
        return self._lines("requests.ndjson")

    def mails(self) -> List[Dict[str, Any]]:
        return self._lines("mails.ndjson")

    def _lines(self, name: str) -> List[Dict[str, Any]]:
        with open(self.run_dir / name, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def _ask(self, method: str, path: str, body: str = "") -> Any:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.description["control"], timeout=10)
        try:
            connection.request(method, path, body)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {text}")
        return json.loads(text)
