# SPDX-License-Identifier: MIT
"""daemon.py - herald serve for a test: started, watched, stopped, counted.

    with Site() as site:
        site.webhook(...)
        site.serve_with(number=2)
        daemon = Daemon(site)
        daemon.start()
        ... daemon.processes(), daemon.stop()

Every process of a site carries its directory in its environment, so none is
overlooked, whoever its parent is by now.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple, \
    Union

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

from host import Host, NETWORK, Result, program         # noqa: E402

MARK = "HERALD_TEST_SITE"
TOKEN = "token-of-the-producer"
START_SECONDS = 60
CRASH = re.compile(r'^ts=(\S+) .*msg="(worker-\d+ \(pid \d+\) '
                   r'(?:was ended|ended with exit code \d+: in |'
                   r'does not end))')


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Process(NamedTuple):
    """A process of herald's: role is serve, intake or worker."""
    pid: int
    role: str

    def send(self, number: int) -> bool:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def fds(self) -> List[str]:
        """What its descriptors are; empty if it is gone."""
        found = []
        directory = f"/proc/{self.pid}/fd"
        try:
            for name in os.listdir(directory):
                try:
                    found.append(os.readlink(f"{directory}/{name}"))
                except OSError:
                    pass
        except OSError:
            pass
        return found

    def resident_kib(self) -> int:
        """Its resident memory, what it shares with files left out."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                rows = dict(line.split(":", 1) for line in file)
        except OSError:
            return 0
        return int(rows.get("RssAnon", "0 kB").split()[0])

    def whole_resident_kib(self) -> int:
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
                rows = dict(line.split(":", 1) for line in file)
        except OSError:
            return 0
        return int(rows.get("VmRSS", "0 kB").split()[0])

    def cpu_seconds(self) -> float:
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return 0.0
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Site(Host):
    """A host that serves: its own copies of the plugins, a port, a token,
    and a Unix socket."""

    def __init__(self, *modules: str) -> None:
        super().__init__()
        self.port = free_port()
        self.socket = self.directory / "in.sock"
        self.store = self.state / "store"
        self.plugins = str(self.directory / "plugins")
        os.mkdir(self.plugins, 0o755)
        for path in (*Path(program("HERALD_PLUGINS")).glob("*.so"), *modules):
            shutil.copy(path, self.plugins)
        self.hide(TOKEN)
        self.write("etc/intake.tokens", f"test {TOKEN} *\n", 0o600)
        self.workers = 'number="1" watchdog="10s" stop="5s"'
        self.more = ""
        self.store_attributes = ""
        self.write_herald_xml()

    def serve_with(self, workers: str, more: str = "",
                   store: str = "") -> None:
        """The attributes of <workers>, further elements, and attributes of
        <store>."""
        self.workers, self.more, self.store_attributes = workers, more, store
        self.write_herald_xml()

    def write(self, name: str, text: Union[str, bytes],
              mode: int = 0o644) -> Path:
        """As a careful operator does: who reads meanwhile sees either."""
        path = super().write(name + ".new", text, mode)
        return path.rename(self.directory / name)

    def write_herald_xml(self, network: str = NETWORK) -> None:
        listen = (f'<listen address="127.0.0.1:{self.port}"/>'
                  f'<listen socket="{self.socket}"/>')
        self.herald_xml(
            f'{network}{self.more}'
            f'<store directory="{self.store}" {self.store_attributes}/>'
            f'<intake>{listen}<tokens path="intake.tokens"/></intake>'
            f'<workers {self.workers}/>')

    def json(self, *arguments: str) -> Any:
        """What a command says with --json."""
        result = self.run(*arguments, "--json")
        if result.status != 0:
            raise AssertionError(f"herald {' '.join(arguments)}: {result}")
        return json.loads(result.out)

    def lanes(self) -> Dict[str, Dict[str, Any]]:
        """herald queue, by integration."""
        return {one["integration"]: one
                for one in self.json("queue")["lanes"]}

    def n_waiting(self) -> int:
        return sum(one["waiting"] + one["retrying"]
                   for one in self.lanes().values())

    def dead(self) -> List[Dict[str, Any]]:
        return self.json("dead", "list", "--most", "0")["letters"]


def processes_of(directory: Path) -> List[Process]:
    """All processes that carry that mark and run herald."""
    wanted = f"{MARK}={directory}".encode()
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            environment = Path(f"/proc/{name}/environ").read_bytes()
            if wanted not in environment.split(b"\0"):
                continue
            command = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        for role in ("serve", "intake", "worker"):
            if role.encode() in command:
                found.append(Process(int(name), role))
                break
    return sorted(found)


class Daemon:
    """herald serve at a site; its standard error goes to a file that is
    appended to."""

    def __init__(self, site: Site, env: Optional[Mapping[str, str]] = None,
                 pin: Optional[int] = None) -> None:
        self.site = site
        self.log = site.directory / "serve.log"
        self.process: Optional[subprocess.Popen] = None
        self.n_starts = 0
        self.is_ready = False
        self._pin = pin
        self._notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notes.bind(str(site.directory / "notify"))
        self._said: "queue.Queue[str]" = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.env = {**os.environ, **(env or {}),
                    MARK: str(site.directory),
                    "NOTIFY_SOCKET": str(site.directory / "notify")}

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill_all()
        with contextlib.suppress(OSError):
            self._notes.shutdown(socket.SHUT_RD)    # ends the listener
        self._notes.close()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def launch(self) -> None:
        """Start it, and do not wait."""
        self.drain_notes()
        self.is_ready = False
        self.n_starts += 1
        pin = ["taskset", "-c", str(self._pin)] if self._pin is not None \
            else []
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*pin, *self.site.command("serve")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.env,
                cwd=self.site.directory)

    def start(self, seconds: float = START_SECONDS) -> float:
        """Start it and wait until it is ready; how long that took."""
        began = time.monotonic()
        self.launch()
        self.wait_ready(seconds)
        return time.monotonic() - began

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not any("READY=1" in note for note in self.drain_notes()):
            if not self.is_running:
                raise AssertionError("herald serve ended:\n" + self.tail())
            if time.monotonic() > deadline:
                raise AssertionError("herald serve did not become ready:\n"
                                     + self.tail())
            time.sleep(0.005)

    def _listen(self) -> None:
        """A service manager always reads: who writes to it would wait."""
        while True:
            try:
                note = self._notes.recv(4096).decode()
            except OSError:
                return
            if not note:
                return
            self.is_ready = self.is_ready or "READY=1" in note
            self._said.put(note)

    def drain_notes(self) -> List[str]:
        """What it has told the service manager since the last time."""
        found: List[str] = []
        while True:
            try:
                found += self._said.get_nowait().split("\n")
            except queue.Empty:
                return found

    def processes(self, role: str = "") -> List[Process]:
        return [one for one in processes_of(self.site.directory)
                if role in ("", one.role)]

    def reload(self, seconds: float = 5) -> None:
        """Not before it has begun: a signal that comes before main () ends
        any program."""
        deadline = time.monotonic() + seconds
        while not self.is_ready and self.is_running \
                and time.monotonic() < deadline:
            time.sleep(0.01)
        if self.process is not None and self.is_ready:
            self.process.send_signal(signal.SIGHUP)

    def stop(self, seconds: float = 30) -> int:
        """A clean stop; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError("herald serve did not stop within "
                                 f"{seconds} s of SIGTERM:\n" + self.tail()) \
                from None

    def kill_all(self) -> None:
        """However it hangs: to clear up."""
        for _ in range(50):
            found = self.processes()
            for one in found:
                one.send(signal.SIGKILL)
            if self.process is not None:
                self.process.poll()
            if not found:
                return
            time.sleep(0.02)

    def ask(self, path: str, seconds: float = 5) -> "tuple[int, str]":
        """GET from the intake, with the token."""
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port,
                                                timeout=seconds)
        try:
            connection.request("GET", path, headers={
                "Authorization": f"Bearer {TOKEN}"})
            reply = connection.getresponse()
            return reply.status, reply.read().decode("utf-8", "replace")
        finally:
            connection.close()

    def tail(self, size: int = 4000) -> str:
        try:
            return self.log.read_bytes()[-size:].decode("utf-8", "replace")
        except OSError:
            return ""

    def crashes(self) -> List[Tuple[float, str]]:
        """Workers that ended otherwise than cleanly, as serve tells it, by
        time.monotonic ()."""
        found = []
        ahead = time.time() - time.monotonic()
        for line in self.log.read_text("utf-8", "replace").splitlines():
            match = CRASH.search(line)
            if match:
                at = datetime.strptime(match.group(1),
                                       "%Y-%m-%dT%H:%M:%S.%f%z")
                found.append((at.timestamp() - ahead, match.group(2)))
        return found

    def check_log(self) -> Result:
        """Its log must show neither secrets nor sanitizers' findings."""
        return self.site.checked(0, b"", self.log.read_bytes())
