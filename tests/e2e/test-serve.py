#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald serve keeps its processes running, herald reload tells what became
of a new configuration, and the service manager hears of it all."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "chaos"))

from daemon import TOKEN, Daemon, Site, free_port       # noqa: E402
from host import NETWORK, event, is_sanitized, program, \
    wait_until                                          # noqa: E402
from receiver import Receiver                           # noqa: E402

CRASHER = Path(os.environ["top_builddir"]) / "tests/chaos/.libs/crasher.so"
WEB = """\
<integration xmlns="urn:herald:integration:1" name="web" \
provider="custom-api" enabled="true"><workspaces all="true"/>
<settings><setting name="endpoint">{url}</setting></settings>
<map><field name="id" source="id"/></map></integration>
"""


class Serving(Daemon):
    """With what the service manager was told, in its order."""

    def __init__(self, site, **options):
        self.notes = []
        super().__init__(site, **options)

    def drain_notes(self):
        found = super().drain_notes()
        self.notes += found
        return found

    def pids(self, role):
        return {one.pid for one in self.processes(role)}

    def text(self):
        return self.log.read_text("utf-8", "replace")


class Case(unittest.TestCase):
    modules = ()

    def setUp(self):
        self.site = Site(*self.modules)
        self.addCleanup(self.site.__exit__, None, None, None)
        self.site.__enter__()
        self.daemon = Serving(self.site)
        self.addCleanup(self.daemon.__exit__, None, None, None)
        self.receiver = Receiver()
        self.receiver.__enter__()
        self.addCleanup(self.receiver.__exit__, None, None, None)

    def web(self, name="web"):
        self.site.webhook(name, self.receiver.url)

    def post(self, number, **data):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port,
                                                timeout=30)
        try:
            connection.request(
                "POST", "/v1/events", json.dumps(event(number, **data)),
                {"Authorization": f"Bearer {TOKEN}",
                 "Content-Type": "application/cloudevents+json"})
            reply = connection.getresponse()
            reply.read()
            return reply.status
        finally:
            connection.close()

    def arrived(self):
        return [one["id"] for one in self.receiver.records()]

    def check_delivery(self, number):
        self.assertEqual(self.post(number), 202)
        wait_until(lambda: str(number) in self.arrived(),
                   f"event {number}: " + self.daemon.tail())

    def kill_one(self, role):
        """The only one; another takes its place."""
        before = self.daemon.pids(role)
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: self.daemon.pids(role)
                   and not self.daemon.pids(role) & before, f"another {role}")

    def reload(self, *arguments):
        self.daemon.drain_notes()
        result = self.site.run("reload", *arguments)
        self.daemon.drain_notes()
        return result


class Life(Case):
    def test_start_and_stop(self):
        self.site.serve_with('number="2"')
        self.web()
        self.daemon.start()
        self.assertEqual(len(self.daemon.pids("serve")), 1)
        self.assertEqual(len(self.daemon.pids("intake")), 1)
        self.assertEqual(len(self.daemon.pids("worker")), 2)
        self.check_delivery(1)
        self.assertEqual(self.daemon.stop(), 0, self.daemon.tail())
        self.assertEqual(self.daemon.processes(), [])
        self.assertFalse(self.site.socket.exists())
        self.daemon.drain_notes()
        notes = [one for one in self.daemon.notes
                 if not one.startswith("STATUS=")]
        self.assertEqual(notes, ["READY=1", "STOPPING=1"])
        self.assertIn("STATUS=3 of 3 processes up", self.daemon.notes)
        # Not a terminal: logfmt, and each line says whose it is.
        for line in self.daemon.text().splitlines():
            self.assertRegex(line, r"^ts=\S+ level=\w+ msg=\".*\""
                             r" process=(serve|intake|worker-[01])")

    def test_killed_children(self):
        self.web()
        self.daemon.start()
        for role in ("intake", "worker"):
            self.kill_one(role)
            self.assertIn("was ended by signal 9 (SIGKILL)",
                          self.daemon.text())
            self.check_delivery(role)
        self.assertEqual(self.daemon.stop(), 0)

    def test_stopped_worker(self):
        self.site.serve_with('number="1" watchdog="1s"')
        self.web()
        self.daemon.start()
        before = self.daemon.pids("worker")
        os.kill(min(before), signal.SIGSTOP)
        wait_until(lambda: self.daemon.pids("worker")
                   and not self.daemon.pids("worker") & before,
                   "another worker")
        self.assertIn("was stopped from outside", self.daemon.text())
        self.check_delivery(1)
        self.assertEqual(self.daemon.stop(), 0)

    def test_second(self):
        self.daemon.start()
        result = self.site.run("serve")
        self.assertEqual(result.status, 4, result)
        self.assertIn("herald serve runs already "
                      f"(pid {self.daemon.process.pid})", result.err)
        self.assertEqual(self.daemon.stop(), 0)

    def test_killed_supervisor(self):
        self.web()
        self.daemon.start()
        self.check_delivery(1)
        before = {one.pid for one in self.daemon.processes()}
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.daemon.start()             # at once
        after = {one.pid for one in self.daemon.processes()}
        self.assertEqual(before & after, set())
        self.assertEqual(len(after), 3)
        self.check_delivery(2)
        self.assertEqual(self.daemon.stop(), 0)

    def test_orphans_end(self):
        self.daemon.start()
        self.daemon.process.kill()
        self.daemon.process.wait()
        wait_until(lambda: not self.daemon.processes(), "the end of all")

    def test_unusable(self):
        self.site.write("etc/herald.xml", "<herald")
        result = self.site.run("serve")
        self.assertEqual(result.status, 3, result)
        self.assertIn("herald.xml", result.err)
        self.site.write_herald_xml()
        self.assertEqual(self.site.run("serve", "--workers", "0").status, 2)
        with socket.create_server(("127.0.0.1", self.site.port)):
            result = self.site.run("serve")
        self.assertEqual(result.status, 4, result)
        self.assertIn("another process does", result.err)


class Start(Case):
    """Signals that come before there is anybody to hear them: each process
    is held at its first line of log, which a full pipe does not take."""

    def held(self, role):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"\n" * 4096)
        os.set_blocking(writer, True)
        process = subprocess.Popen(
            self.site.command(role), stdin=subprocess.DEVNULL, stderr=writer,
            env=self.daemon.env, cwd=self.site.directory)
        os.close(writer)
        self.daemon.process = process           # is cleared up
        wait_until(lambda: is_held(process.pid), f"{role} at its first line")
        return process, reader

    def check(self, role):
        process, reader = self.held(role)
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        said = bytearray()
        while True:
            part = os.read(reader, 65536)
            if not part:
                break
            said += part
        self.assertEqual(process.wait(60), 0, said.decode())
        self.assertIn(b"stopping: what", said)
        self.assertEqual(self.daemon.processes(), [])

    def test_signals_wait(self):
        self.site.write("etc/conf.d/bad.xml", "<integration")
        for role in ("serve", "intake", "worker"):
            with self.subTest(role):
                self.check(role)


def is_held(pid):
    """It has come to main (), and waits for whoever reads its log."""
    for _ in range(20):
        stat = Path(f"/proc/{pid}/stat").read_text()
        if stat.split()[1] != "(herald)" \
                or stat.rpartition(")")[2].split()[0] != "S":
            return False
        time.sleep(0.005)
    return True


class Crash(Case):
    modules = (str(CRASHER),)

    def crash(self, mark, watchdog):
        self.site.serve_with(
            f'number="1" watchdog="{watchdog}"',
            '<fields><field key="mark" label="Mark"/></fields>')
        self.site.integration(
            "bad", "crasher", {"endpoint": self.receiver.url},
            '<map><field name="id" source="id"/>'
            '<field name="mark" source="mark"/></map>')
        self.daemon.start()
        self.assertEqual(self.post(1, mark=mark), 202)
        wait_until(lambda: "provider crasher for integration bad"
                   in self.daemon.text(), "the provider's name", 30)
        line = next(one for one in self.daemon.text().splitlines()
                    if "provider crasher for" in one)
        self.assertIn("process=serve", line)
        return line

    def test_provider_is_named(self):
        # A sanitizer catches the signal, and exits.
        self.assertRegex(self.crash("segv", "10s"),
                         r"worker-0 .* ended with exit code \d+: in a "
                         if is_sanitized() else
                         r"worker-0 .* was ended by signal 11 .*: in a ")
        self.assertEqual(self.daemon.stop(), 0)

    def test_others_do_not_wait_for_it(self):
        """Eight crashes in a row: with pauses that double, 25 seconds."""
        self.crash("segv", "10s")
        for number in (2, 3, 4):
            self.assertEqual(self.post(number, mark="segv"), 202)
        wait_until(lambda: len(self.site.dead()) == 4, "the dead letters",
                   18)
        self.assertEqual(self.daemon.stop(), 0)

    def test_endless_loop(self):
        self.assertRegex(self.crash("loop", "1s"),
                         r"worker-0 .* was ended by signal 6 .*: in a ")
        self.assertIn("gave no sign of life for 1 s", self.daemon.text())
        wait_until(lambda: "crashed twice" in json.dumps(self.site.dead()),
                   "the dead letter", 30)
        self.assertEqual(self.daemon.stop(), 0)


class Reload(Case):
    def test_good(self):
        self.daemon.start()
        before = {one.pid for one in self.daemon.processes()}
        self.web()
        result = self.reload()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, "changed: integration web: added\n")
        self.check_delivery(1)
        self.assertEqual({one.pid for one in self.daemon.processes()}, before)
        result = self.reload("--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.json["changed"], [])
        self.assertEqual(result.json["result"], "done")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.drain_notes()
        notes = [re.sub(r"=\d{2,}$", "=N", one) for one in self.daemon.notes
                 if not one.startswith("STATUS=")]
        self.assertEqual(notes, ["READY=1"]
                         + ["RELOADING=1", "MONOTONIC_USEC=N", "READY=1"] * 2
                         + ["STOPPING=1"])

    def test_secrets_that_only_the_service_has(self):
        """The command that asks for it has neither."""
        self.site.webhook("web", self.receiver.url, auth="bearer",
                          api_key='from="env" variable="CRM_TOKEN"')
        self.daemon.env["CRM_TOKEN"] = "s3cret-word"
        self.daemon.start()
        self.check_delivery(1)
        self.web("more")
        result = self.reload()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, "changed: integration more: added\n")
        self.check_delivery(2)

    def test_broken_integration(self):
        self.web()
        self.daemon.start()
        path = self.site.directory / "etc/conf.d/web.xml"
        good = path.read_text()
        path.write_text(good.replace("</integration>", ""))
        result = self.reload()
        self.assertEqual(result.status, 1, result)
        self.assertIn("web.xml", result.err)
        self.assertIn("kept: integration web: its file has errors, so it "
                      "goes on as it was", result.out)
        self.check_delivery(1)
        path.unlink()
        result = self.reload()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, "changed: integration web: removed\n")
        self.assertEqual(self.daemon.stop(), 0)

    def break_web(self):
        path = self.site.directory / "etc/conf.d/web.xml"
        good = path.read_text()
        path.write_text(good.replace("</integration>", ""))
        return path, good

    def test_broken_integration_and_restarts(self):
        self.web()
        self.daemon.start()
        copy = self.site.state / "good/web.xml"
        path, good = self.break_web()
        self.assertEqual(copy.read_text(), good)
        self.assertEqual(self.reload().status, 1)
        for role in ("intake", "worker"):
            self.kill_one(role)
            self.check_delivery(role)
            self.assertRegex(self.daemon.text(),
                             "web.xml: integration .*web.* goes on as it was "
                             f"when its file was last good.* process={role}")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        self.check_delivery("serve")
        # Those who look at the files say how they are.
        result = self.site.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertIn("web.xml", result.err)
        self.assertIn("kept: integration web: its file has errors, so it "
                      "goes on as it was", self.reload().out)
        self.assertEqual(copy.read_text(), good)
        path.write_text(good)
        result = self.reload("--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.json["changed"], [])
        self.check_delivery("mended")
        path.unlink()
        self.assertEqual(self.reload().status, 0)
        self.assertFalse(copy.exists())
        self.assertEqual(self.daemon.stop(), 0)

    def test_broken_integration_without_copy(self):
        self.web()
        path, good = self.break_web()
        self.daemon.start()
        self.assertEqual(self.post(1), 202)
        path.write_text(good)
        self.assertEqual(self.reload().status, 0)
        self.check_delivery(2)
        self.assertEqual(self.arrived(), ["2"])
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_stop_while_workers_end_already(self):
        """They are asked once: a second SIGTERM would cut off what is in
        flight."""
        held = Receiver(is_held=True)
        held.__enter__()
        self.addCleanup(held.__exit__, None, None, None)
        self.site.webhook("held", held.url)
        self.daemon.start()
        self.assertEqual(self.post(1), 202)
        wait_until(lambda: held.in_flight == 1, "the request")
        self.site.serve_with('number="2" stop="20s"')
        os.kill(self.daemon.process.pid, signal.SIGHUP)
        wait_until(lambda: "stopping: what is in flight is finished first"
                   in self.daemon.text(), "the end of the old worker")
        os.kill(self.daemon.process.pid, signal.SIGTERM)
        wait_until(lambda: not self.daemon.pids("intake"), "the intake's end")
        time.sleep(0.3)         # the workers' turn
        held.release()
        self.assertEqual(self.daemon.process.wait(60), 0)
        self.assertNotIn("cut off", self.daemon.text())
        self.assertEqual(held.n_events, 1)

    def test_broken_host(self):
        self.web()
        self.daemon.start()
        self.site.write("etc/herald.xml", "<herald")
        result = self.reload()
        self.assertEqual(result.status, 3, result)
        self.assertIn("nothing was reloaded", result.err)
        os.kill(self.daemon.process.pid, signal.SIGHUP)
        wait_until(lambda: "everything stays as it was" in self.daemon.text(),
                   "the refusal")
        self.check_delivery(1)
        # Nor does it harm those that have to start meanwhile.
        for role in ("intake", "worker"):
            self.kill_one(role)
            self.check_delivery(role)
            self.assertRegex(self.daemon.text(), "all goes on as it was when "
                             f"this was last good.* process={role}")
        self.assertEqual(self.reload().status, 3)
        self.site.serve_with('number="1"')
        self.assertEqual(self.reload().status, 0)
        self.check_delivery("mended")
        self.assertEqual(self.daemon.stop(), 0)
        # Who starts the service is told, and has to mend it.
        self.site.write("etc/herald.xml", "<herald")
        self.assertEqual(self.site.run("serve").status, 3)

    def test_nobody(self):
        result = self.reload()
        self.assertEqual(result.status, 4, result)
        self.assertIn("herald serve does not run", result.err)

    def test_more_workers(self):
        self.web()
        self.daemon.start()
        before = self.daemon.pids("worker")
        self.site.serve_with('number="2"')
        result = self.reload()
        self.assertEqual(result.status, 0, result)
        self.assertIn("2 workers instead of 1", result.out)
        self.assertEqual(len(self.daemon.pids("worker")), 2)
        self.assertFalse(self.daemon.pids("worker") & before)
        self.check_delivery(1)
        self.assertEqual(self.daemon.stop(), 0)

    def test_other_sockets_refuse_nobody(self):
        self.web()
        self.daemon.start()
        other, path = free_port(), self.site.directory / "etc/herald.xml"
        before, accepted, failed = self.daemon.pids("intake"), [], []
        done = threading.Event()

        def knock():
            while not done.is_set():
                number = f"k{len(accepted) + len(failed)}"
                try:
                    status = self.post(number)
                except OSError as error:
                    status = error
                except http.client.HTTPException as error:
                    status = error
                (accepted if status == 202 else failed).append(
                    number if status == 202 else status)

        thread = threading.Thread(target=knock)
        thread.start()
        wait_until(lambda: len(accepted) > 5, "some events")
        path.write_text(path.read_text().replace(
            "<intake>", f'<intake><listen address="127.0.0.1:{other}"/>'))
        result = self.reload()
        n = len(accepted)
        wait_until(lambda: len(accepted) > n + 5, "more events")
        done.set()
        thread.join()
        self.assertEqual(result.status, 0, result)
        self.assertIn("listens on other sockets", result.out)
        self.assertFalse(self.daemon.pids("intake") & before)
        self.assertEqual(failed, [])
        wait_until(lambda: set(accepted) <= set(self.arrived()),
                   "all deliveries")
        socket.create_connection(("127.0.0.1", other), 5).close()
        self.assertEqual(self.daemon.stop(), 0)


class Defaults(Case):
    """A secret of <defaults> that can't be had is missed by the provider's
    integrations, and by nobody else."""
    modules = (str(CRASHER),)

    def configure(self, *names):
        self.site.serve_with('number="1"', "".join(
            f'<defaults provider="{one}"><setting name="endpoint" '
            'from="file" path="endpoint"/></defaults>' for one in names))

    def test_start_and_restart(self):
        self.web()
        self.site.integration("other", "crasher", {},
                              '<map><field name="id" source="id"/></map>')
        self.configure("crasher", "nobody")
        self.daemon.start()
        self.assertIn("endpoint: there is no such file", self.daemon.text())
        self.check_delivery(1)
        self.assertEqual(self.arrived(), ["1"])
        result = self.site.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertIn("1 integration in order, 1 broken, 1 error",
                      result.out)
        self.kill_one("worker")
        self.check_delivery(2)
        self.site.write("etc/endpoint", self.receiver.url, 0o600)
        self.assertEqual(self.reload().status, 0)
        wait_until(lambda: sorted(self.arrived()) == ["1", "1", "2", "2"],
                   "what waited")
        self.assertEqual(self.daemon.stop(), 0)

    def test_reload(self):
        self.site.integration("other", "crasher", {},
                              '<map><field name="id" source="id"/></map>')
        self.configure("crasher")
        secret = self.site.write("etc/endpoint", self.receiver.url, 0o600)
        self.daemon.start()
        self.check_delivery(1)
        secret.unlink()
        self.web()
        self.assertEqual(self.reload().status, 1)
        self.assertEqual(self.post(2), 202)
        # The one is added, the other goes on with what it had.
        wait_until(lambda: self.arrived() == ["1", "2", "2"], "both")
        self.assertEqual(self.daemon.stop(), 0)


class Activation(Case):
    def start(self, fds):
        """As systemd would: the sockets at 3 and on, and whose they are."""
        def place():
            for k, fd in enumerate(kept):
                os.dup2(fd, 3 + k)
        kept = [os.dup(fd) for fd in fds]
        shell = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'
        with open(self.daemon.log, "ab") as log:
            self.daemon.process = subprocess.Popen(
                ["sh", "-c", shell, "sh", *self.site.command("serve")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self.daemon.env, "LISTEN_FDS": str(len(fds)),
                     "LISTEN_FDNAMES": ":".join("intake" for _ in fds)},
                close_fds=False, preexec_fn=place)
        for fd in kept:
            os.close(fd)
        self.daemon.wait_ready()

    def test_sockets_are_taken(self):
        self.web()
        tcp = socket.create_server(("127.0.0.1", self.site.port))
        stray = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(tcp.close)
        self.addCleanup(stray.close)
        self.start([tcp.fileno(), stray.fileno()])
        self.assertIn(f"127.0.0.1:{stray.getsockname()[1]}, which no "
                      "<listen>", self.daemon.text())
        self.check_delivery(1)
        self.assertTrue(self.site.socket.exists())      # bound by herald
        self.assertEqual(self.daemon.stop(), 0)
        # It is open still, and who connects now is answered by the next.
        waiting = socket.create_connection(("127.0.0.1", self.site.port), 5)
        self.addCleanup(waiting.close)
        self.start([tcp.fileno()])
        waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertIn(b" 200 ", waiting.recv(100))
        self.assertEqual(self.daemon.stop(), 0)


class Socket(Case):
    def test_mode_and_stale_file(self):
        path = self.site.directory / "in.sock"
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(path))
        stale.close()
        xml = self.site.directory / "etc/herald.xml"
        xml.write_text(xml.read_text().replace(
            f'socket="{path}"', f'socket="{path}" mode="0622"'))
        self.daemon.start()
        self.assertEqual(path.stat().st_mode & 0o777, 0o622)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse(path.exists())

    def test_other_file(self):
        path = self.site.directory / "in.sock"
        path.write_text("precious")
        result = self.site.run("serve")
        self.assertEqual(result.status, 4, result)
        self.assertIn("a file is there that is no socket", result.err)
        self.assertEqual(path.read_text(), "precious")

    def test_ipv6(self):
        if not has_ipv6():
            self.skipTest("there is no IPv6 here")
        xml = self.site.directory / "etc/herald.xml"
        xml.write_text(xml.read_text().replace(
            "<intake>", f'<intake><listen address="[::1]:{self.site.port}"/>'))
        self.daemon.start()
        socket.create_connection(("::1", self.site.port), 5).close()
        socket.create_connection(("127.0.0.1", self.site.port), 5).close()
        self.assertEqual(self.daemon.stop(), 0)


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def of_unit(name):
    """The words of a setting of the unit; several lines are several."""
    unit = (TESTS.parent / "packaging/systemd/herald.service.in").read_text()
    return " ".join(re.findall(f"^{name}=(.*)$", unit, re.M)).split()


def filter_of_unit():
    """The system calls that the unit's SystemCallFilter= lets through."""
    def members(group):
        text = subprocess.run(
            ["systemd-analyze", "--no-pager", "syscall-filter", group],
            check=True, stdout=subprocess.PIPE).stdout.decode()
        found = set()
        for line in text.splitlines()[1:]:
            name = line.strip()
            if name.startswith("@"):
                found |= members(name)
            elif name and not name.startswith("#"):
                found.add(name)
        return found

    allowed, takes_away = set(), False
    for word in of_unit("SystemCallFilter"):
        # One line that allows, then one that takes away.
        takes_away = takes_away or word.startswith("~")
        names = members(word.lstrip("~"))
        allowed = allowed - names if takes_away else allowed | names
    return allowed


class SystemCalls(Case):
    def test_filter_lets_all_through(self):
        for name in ("strace", "systemd-analyze"):
            if shutil.which(name) is None:
                self.skipTest(f"{name} is missing")
        if is_sanitized():
            self.skipTest("sanitizers have system calls of their own")
        trace = self.site.directory / "trace"
        probe = subprocess.run(["strace", "-o", str(trace), "true"],
                               stderr=subprocess.PIPE)
        if probe.returncode != 0:
            self.skipTest("strace may not trace")
        self.web()
        command = self.site.command("serve")
        self.site.command = lambda *rest: [
            "strace", "-f", "-qq", "-o", str(trace), *command]
        self.daemon.start()
        del self.site.command
        self.check_delivery(1)
        child = next(iter(self.daemon.pids("worker")))
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: self.daemon.pids("worker") - {child}, "another")
        self.site.webhook("more", self.receiver.url)
        self.assertEqual(self.reload().status, 0)
        self.check_delivery(2)
        serve = next(iter(self.daemon.pids("serve") - {
            self.daemon.process.pid}))
        os.kill(serve, signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait(60), 0)
        text = trace.read_text("utf-8", "replace")
        used = set(re.findall(r"^\d+ +(\w+)\(", text, re.M))
        self.assertGreater(len(used), 40)
        # SQLite gives its files to the owner of the store when it is root,
        # which the service is not.
        if os.geteuid() == 0:
            used.discard("fchown")
        self.assertEqual(used - filter_of_unit(), set())
        families = set(re.findall(r"\bsocket(?:pair)?\((\w+),", text))
        self.assertEqual(families - set(of_unit("RestrictAddressFamilies")),
                         set())
        # MemoryDenyWriteExecute=
        self.assertEqual([line for line in text.splitlines()
                          if re.search(r"\bmmap\(.*PROT_WRITE.*PROT_EXEC"
                                       r"|\bmprotect\(.*PROT_EXEC", line)],
                         [])


if __name__ == "__main__":
    unittest.main()
