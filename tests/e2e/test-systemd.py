#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald.service and herald.socket under a real systemd.

It is started in a container that has this host's /usr, with herald's files
laid over it, and nothing else of the host; all of it is in memory and gone
at the end.  The network is the host's loopback.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from host import DESCRIPTOR, HERALD_XML, MAP, NETWORK, event, is_sanitized, \
    needs, program, wait_until
from receiver import Receiver

UNITS = Path(os.environ["top_srcdir"]) / "packaging" / "systemd"
TOKEN = "token-0123456789abcdef0123456789abcdef"
SECRET = "s3cret-of-the-service"
PLUGINS = "/usr/lib/herald-under-test"
WATCHDOG = 2                    # seconds; the unit's own is half a minute


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Asking(Receiver):
    """Keeps what it was asked with."""

    def __init__(self):
        super().__init__()
        self.heads = []

    async def _serve(self, reader, writer):
        read = reader.readuntil

        async def readuntil(separator):
            head = await read(separator)
            self.heads.append(head.decode())
            return head

        reader.readuntil = readuntil
        await super()._serve(reader, writer)


class Container:
    """A systemd that runs; boot () is False where none can."""

    def __init__(self, directory):
        self.directory = directory
        self.process = None
        self.init = None

    def boot(self, usr, binds):
        self.log = open(self.directory / "console", "wb")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", "/", "--volatile=yes", "--boot",
             "--register=no", "--keep-unit", "--settings=no",
             f"--machine=herald-{os.getpid()}", f"--overlay-ro=/usr:{usr}:/usr",
             "--bind-ro=/etc/ssl",
             *(f"--bind={one}:{two}" for one, two in binds),
             "systemd.firstboot=off", "systemd.unit=basic.target"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait_until(lambda: self.process.poll() is not None
                       or self.is_up(), "the start of systemd", 30)
        except AssertionError:
            return False
        return self.process.poll() is None

    def is_up(self):
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        if children:
            self.init = children.split()[0]
        return self.init is not None \
            and self.run("systemctl", "is-active", "basic.target") == 0

    def call(self, *command):
        return subprocess.run(
            ["nsenter", "-t", self.init, "-m", "-u", "-i", "-p", "-C", "--",
             *command], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120)

    def run(self, *command):
        return self.call(*command).returncode

    def show(self, name, unit="herald"):
        return self.call("systemctl", "show", "-P", name, unit).stdout.strip()

    def journal(self):
        return self.call("journalctl", "-u", "herald", "--no-pager").stdout

    def end(self):
        if self.process is not None:
            self.process.kill()         # and with it all that is in there
            self.process.wait()
            self.log.close()


class SystemdTest(unittest.TestCase):
    """One container for all: to start it is most of the work."""

    @classmethod
    def setUpClass(cls):
        needs("custom-api")
        for name in ("systemd-nspawn", "nsenter"):
            if shutil.which(name) is None:
                raise unittest.SkipTest(f"{name} is missing")
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root may start a container")
        if is_sanitized():
            raise unittest.SkipTest("sanitizers do what the unit forbids")
        cls.directory = Path(tempfile.mkdtemp(prefix="herald-systemd."))
        cls.addClassCleanup(shutil.rmtree, cls.directory, True)
        cls.receiver = Asking()
        cls.receiver.__enter__()
        cls.addClassCleanup(cls.receiver.__exit__, None, None, None)
        cls.port = free_port()
        cls.etc = cls.directory / "etc"
        cls.lay_out()
        cls.container = Container(cls.directory)
        cls.addClassCleanup(cls.container.end)
        if not cls.container.boot(cls.directory / "usr", [
                (cls.etc, "/etc/herald"),
                (cls.directory / "credstore", "/etc/credstore")]):
            raise unittest.SkipTest("no systemd can be started here")
        cls.container.run("systemd-sysusers")
        cls.container.run("systemctl", "daemon-reload")
        group = int(cls.container.call("id", "-g", "herald").stdout)
        os.chown(cls.etc / "intake.tokens", 0, group)

    @classmethod
    def write(cls, path, text, mode=0o644):
        path = cls.directory / path
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    @classmethod
    def lay_out(cls):
        cls.directory.chmod(0o755)
        units = "usr/lib/systemd/system"
        text = (UNITS / "herald.service.in").read_text()
        for name, value in (("bindir", "/usr/bin"),
                            ("confdir", "/etc/herald")):
            text = text.replace(f"@{name}@", value)
        cls.write(f"{units}/herald.service", text)
        cls.write(f"{units}/herald.service.d/test.conf",
                  f"[Service]\nEnvironment=HERALD_PLUGINS={PLUGINS}\n"
                  f"WatchdogSec={WATCHDOG}s\nRestartSec=100ms\n"
                  "TimeoutStartSec=30s\n")
        cls.write(f"{units}/herald.service.d/credentials.conf",
                  (UNITS / "credentials.conf").read_text())
        cls.write(f"{units}/herald.socket",
                  (UNITS / "herald.socket").read_text())
        cls.write(f"{units}/herald.socket.d/test.conf",
                  "[Socket]\nListenStream=\n"
                  f"ListenStream=127.0.0.1:{cls.port}\n")
        cls.write("usr/lib/sysusers.d/herald.conf",
                  (UNITS / "herald.conf").read_text())
        for source, path in (
                (program("HERALD"), "usr/bin/herald"),
                (Path(program("HERALD_PLUGINS")) / "custom-api.so",
                 PLUGINS[1:] + "/custom-api.so")):
            (cls.directory / path).parent.mkdir(0o755, True, True)
            shutil.copy(source, cls.directory / path)
        cls.write("credstore/crm-token", SECRET, 0o600)
        cls.write("etc/intake.tokens", f"app {TOKEN} *\n", 0o640)
        cls.write("etc/herald.xml", HERALD_XML.format(
            parts=NETWORK + f'<intake><listen address="127.0.0.1:{cls.port}"/>'
            '<tokens path="intake.tokens"/></intake>'))
        cls.write("etc/conf.d/web.xml", DESCRIPTOR.format(
            name="web", provider="custom-api", enabled="true",
            parts='<workspaces all="true"/><settings><setting name="endpoint">'
            f'{cls.receiver.url}</setting><setting name="auth">bearer'
            '</setting><setting name="api-key" from="credential" '
            f'credential="crm-token"/></settings>{MAP}'))

    def setUp(self):
        self.addCleanup(self.container.run, "systemctl", "stop",
                        "herald.socket", "herald.service")
        self.number = 0

    def start(self, *units):
        for unit in units:
            result = self.container.call("systemctl", "start", unit)
            self.assertEqual(result.returncode, 0,
                             result.stderr + self.container.journal())

    def post(self):
        """An event, and its status."""
        self.number += 1
        one = event(f"{self.id()}-{self.number}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=60)
        try:
            connection.request(
                "POST", "/v1/events", json.dumps(one),
                {"Authorization": f"Bearer {TOKEN}",
                 "Content-Type": "application/cloudevents+json"})
            return connection.getresponse().status
        finally:
            connection.close()

    def arrived(self):
        return [one["id"] for one in self.receiver.records()
                if one["id"].startswith(self.id() + "-")]

    def check_delivery(self):
        self.assertEqual(self.post(), 202)
        wait_until(lambda: f"{self.id()}-{self.number}" in self.arrived(),
                   "a delivery")

    def main_pid(self):
        """As this host counts."""
        inside = self.container.show("MainPID")
        for path in Path("/proc").glob("[0-9]*/status"):
            try:
                text = path.read_text()
            except OSError:
                continue
            found = re.search(r"^NSpid:\t(\d+)\t(?:\d+\t)*(\d+)$", text, re.M)
            if found and found[2] == inside and text.startswith(
                    "Name:\therald\n"):
                return int(found[1])
        raise AssertionError("the main process is not to be seen")

    def restarted(self, times):
        wait_until(lambda: self.container.show("NRestarts") == str(times)
                   and self.container.show("ActiveState") == "active",
                   "another start", 60)

    def test_delivers_with_a_credential(self):
        self.start("herald")
        self.check_delivery()
        self.assertIn(f"authorization: bearer {SECRET}",
                      self.receiver.heads[-1].lower())
        status = Path(f"/proc/{self.main_pid()}/status").read_text()
        for line in ("NoNewPrivs:\t1", "Seccomp:\t2",
                     "CapEff:\t0000000000000000"):
            self.assertIn(line, status)
        self.assertNotRegex(status, r"Uid:\t0\b")
        said = self.container.journal()
        self.assertNotIn(SECRET, said)
        self.assertNotIn("level=warning", said)

    def test_reload(self):
        self.start("herald")
        pid = self.main_pid()
        self.write("etc/conf.d/more.xml", (self.etc / "conf.d" / "web.xml")
                   .read_text().replace('name="web"', 'name="more"'))
        self.addCleanup((self.etc / "conf.d" / "more.xml").unlink)
        result = self.container.call("systemctl", "reload", "herald")
        self.assertEqual(result.returncode, 0, self.container.journal())
        self.assertEqual(self.post(), 202)
        wait_until(lambda: len(self.arrived()) == 2, "both deliveries")
        self.assertEqual(self.main_pid(), pid)

    def test_bad_configuration_is_not_tried_again(self):
        good = (self.etc / "herald.xml").read_text()
        self.write("etc/herald.xml", good.replace("<intake>", "<intaek>"))
        self.addCleanup(self.container.run, "systemctl", "reset-failed")
        self.addCleanup(self.write, "etc/herald.xml", good)
        self.assertNotEqual(
            self.container.run("systemctl", "start", "herald"), 0)
        self.assertEqual(self.container.show("ActiveState"), "failed")
        self.assertEqual(self.container.show("ExecMainStatus"), "3")
        self.assertIn("herald.xml:", self.container.journal())

    def test_killed_and_hung(self):
        self.start("herald")
        self.check_delivery()
        # More often than systemd bears of itself: five times in 10 seconds.
        for times in range(1, 8):
            os.kill(self.main_pid(), signal.SIGKILL)
            self.restarted(times)
        self.check_delivery()
        os.kill(self.main_pid(), signal.SIGSTOP)
        self.restarted(8)
        self.check_delivery()

    def test_nobody_is_refused_while_it_starts_again(self):
        self.start("herald.socket", "herald")
        statuses = []
        is_over = threading.Event()

        def post():
            while not is_over.is_set():
                try:
                    statuses.append(self.post())
                except OSError as error:
                    statuses.append(repr(error))

        thread = threading.Thread(target=post)
        thread.start()
        try:
            for _ in range(3):
                seen = len(statuses)
                wait_until(lambda: len(statuses) > seen + 20, "some events")
                self.container.run("systemctl", "restart", "herald")
        finally:
            is_over.set()
            thread.join()
        self.assertEqual(set(statuses), {202})
        wait_until(lambda: len(self.arrived()) >= len(statuses), "all of them")
        self.assertEqual(len(set(self.arrived())), len(self.arrived()))


if __name__ == "__main__":
    unittest.main()
