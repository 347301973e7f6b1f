#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald worker: what is in the store reaches who it is for, whatever
happens to the worker, its plugins, its configuration and the endpoints."""

import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest
from pathlib import Path

from host import NETWORK, SECONDS, Case, Host, event, is_sanitized, \
    module_sandbox, program, wait_until
from receiver import Receiver

BUILD = Path(os.environ["top_builddir"])
KEEPER = BUILD / "tests" / "e2e" / "store-keeper"
CRASHER = BUILD / "tests" / "chaos" / ".libs" / "crasher.so"
UNSTEADY = Path(os.environ["TEST_MODULES"]) / "unsteady.so"
MARKED = ('<map><field name="id" source="id"/>'
          '<field name="mark" source="mark"/></map>')
KEYED = ('<map><field name="id" source="id"/>'
         '<field name="email" source="email"/></map>')
SHORT = '<retry schedule="100ms 100ms 100ms 100ms 100ms"/>'
SANDBOX = None


def setUpModule():
    global SANDBOX
    SANDBOX = module_sandbox()


class Moody(Receiver):
    """Answers what it is told to."""
    status = 200

    def reply(self, records):
        return self.status


class Gate:
    """A port that leads to another, or to nowhere while it is shut."""

    def __init__(self, target):
        self._target = target
        self._pairs = []
        self.is_open = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self):
        self.is_open = False
        for pair in self._pairs:
            for one in pair:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            if not self.is_open:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(one, other),
                                 daemon=True).start()

    @staticmethod
    def _carry(one, other):
        try:
            while True:
                data = one.recv(65536)
                if not data:
                    break
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Working:
    """A herald worker; what it says is kept over its starts."""

    def __init__(self, host, *arguments):
        self.host = host
        self.path = host.directory / "worker.err"
        self._from = self.path.stat().st_size if self.path.exists() else 0
        self._err = open(self.path, "ab")
        self.process = subprocess.Popen(
            host.command("worker", *arguments), stdin=subprocess.DEVNULL,
            stderr=self._err, cwd=host.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self._err.close()

    @property
    def said(self):
        return self.path.read_bytes()[self._from:].decode()

    def wait_for(self, text, count=1):
        wait_until(lambda: self.said.count(text) >= count
                   or self.process.poll() is not None, f'"{text}"')
        if self.said.count(text) < count:
            raise AssertionError(f'it ended without "{text}":\n{self.said}')

    def reload(self, text="was read again"):
        count = self.said.count(text)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(text, count + 1)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, status=0):
        self.process.terminate()
        return self.end(status)

    def end(self, status=0):
        found = self.process.wait(SECONDS)
        self.host.checked(max(found, 0), b"", self.said.encode())
        if found != status:
            raise AssertionError(f"exit {found}, not {status}:\n{self.said}")
        return self.said


class WorkerCase(Case):
    def work(self, *arguments):
        return self.enter(Working(self.host, *arguments))

    def put(self, lanes, *events):
        """As herald intake puts them."""
        store = self.host.state / "store"
        store.mkdir(mode=0o700, exist_ok=True)
        lines = "".join(f"put\t{one['id']}\t{lanes}\t{json.dumps(one)}\n"
                        for one in events)
        subprocess.run([KEEPER, store, self.host.state / "run"],
                       input=lines.encode(), stdout=subprocess.DEVNULL,
                       check=True, timeout=SECONDS)

    def rows(self, statement):
        path = self.host.state / "store" / "store.db"
        store = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            return store.execute(statement).fetchall()
        finally:
            store.close()

    def count(self, table):
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]

    def wait_empty(self):
        wait_until(lambda: self.count("waiting") == 0
                   and self.count("retries") == 0, "an empty store")

    def ids(self, receiver):
        return sorted(int(one["id"]) for one in receiver.records())


class Delivery(WorkerCase):
    def test_all_of_it_reaches_every_lane(self):
        one, two = self.enter(Receiver()), self.enter(Receiver())
        self.host.webhook("one", one.url)
        self.host.webhook("two", two.url, delivery='<batch max="10"/>')
        self.put("one,two", *(event(i) for i in range(300)))
        self.put("two", event(300))
        with self.work() as worker:
            self.wait_empty()
            self.put("one", event(301))     # heard of at once
            wait_until(lambda: one.n_events == 301, "the last")
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.ids(one), [*range(300), 301])
        self.assertEqual(self.ids(two), [*range(301)])
        self.assertEqual(self.count("events"), 0)
        ends = self.rows("SELECT end, attempts, status FROM history")
        self.assertEqual(ends, [(0, 1, 200)] * 602)

    def test_a_killed_worker_loses_nothing(self):
        receiver = self.enter(Receiver(is_held=True))
        self.host.webhook("web", receiver.url,
                          delivery='<in-flight max="5"/>')
        self.put("web", *(event(i) for i in range(20)))
        with self.work() as worker:
            wait_until(lambda: receiver.in_flight == 5, "5 in flight")
            worker.kill()
        receiver.release()
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        self.assertEqual(sorted(set(self.ids(receiver))), [*range(20)])
        self.assertLessEqual(receiver.n_events, 25)

    def test_a_store_that_keeps_nothing_holds_all_up(self):
        """What it can't note is bounded, and so is what it sends again."""
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url,
                          delivery='<in-flight max="8"/>')
        self.put("web", *(event(i) for i in range(6000)))
        with self.work() as worker, \
                open(self.host.state / "store" / "locks", "r+b") as locks:
            wait_until(lambda: receiver.n_events > 100, "the first")
            fcntl.lockf(locks, fcntl.LOCK_EX, 1)
            noted = 6000 - self.count("waiting")
            worker.wait_for("the store can't keep")
            came = 0
            while came < receiver.n_events:
                came = receiver.n_events
                time.sleep(1)
            worker.kill()
        self.assertGreater(came, noted + 1000)
        self.assertLessEqual(came, noted + 1024 + 8)
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        self.assertEqual(sorted(set(self.ids(receiver))), [*range(6000)])
        self.assertEqual(receiver.n_events, 6000 + came - noted)

    def test_a_long_wait_for_large_groups_holds_nothing_up(self):
        """It sends nothing while 1,024 are not on disk, so they don't wait
        there for more that can't come."""
        self.host.herald_xml(
            NETWORK + '<store><commit wait="1s" most="100000"/></store>')
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url, delivery='<batch max="100"/>'
                          '<in-flight max="1"/>')
        self.put("web", *(event(i) for i in range(10000)))
        with self.work() as worker:
            wait_until(lambda: receiver.n_events > 0, "the first")
            began = time.monotonic()
            wait_until(lambda: receiver.n_events == 10000, "all")
            self.assertLess(time.monotonic() - began, 6)
            worker.stop()

    def test_a_stopped_worker_sends_nothing_twice(self):
        receiver = self.enter(Receiver(latency=0.02))
        self.host.webhook("web", receiver.url)
        self.put("web", *(event(i) for i in range(3000)))
        for part in (500, 1200):
            with self.work() as worker:
                wait_until(lambda: receiver.n_events > part, "a part")
                worker.stop()
            self.assertGreater(self.count("waiting"), 100)
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.ids(receiver), [*range(3000)])

    def test_a_stop_has_an_end(self):
        self.put("web", *(event(i) for i in range(9)))
        for arguments, signals in ((["--stop", "300ms"], 1), ([], 2)):
            receiver = self.enter(Receiver(is_held=True))
            self.host.webhook("web", receiver.url,
                              delivery='<in-flight max="3"/>')
            with self.work(*arguments) as worker:
                wait_until(lambda: receiver.in_flight == 3, "3 in flight")
                for _ in range(signals):
                    worker.process.terminate()
                    worker.wait_for("stopping: what is in flight")
                said = worker.end()
                self.assertIn("3 deliveries were cut off", said)
        # As if they had not been taken.
        self.assertEqual(self.count("waiting"), 9)
        self.assertEqual(self.count("history"), 0)

    def test_what_cannot_be_read_is_a_dead_letter(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        self.put("web", {"id": "event-7", "specversion": "0.3"}, event(1))
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.ids(receiver), [1])
        reason, = self.rows("SELECT reason FROM dead")[0]
        self.assertIn("the event can't be read any more: ", reason)

    def test_two_workers_share(self):
        receivers = [self.enter(Receiver()) for _ in range(4)]
        for i, one in enumerate(receivers):
            self.host.webhook(f"web{i}", one.url)
        self.put("web0,web1,web2,web3", *(event(i) for i in range(50)))
        first = self.work("--index", "0", "--of", "2")
        wait_until(lambda: sum(one.n_events for one in receivers) == 100,
                   "half of it")
        time.sleep(0.2)
        self.assertEqual(sorted(one.n_events for one in receivers),
                         [0, 0, 50, 50])
        second = self.work("--index", "1", "--of", "2")
        self.wait_empty()
        first.stop()
        second.stop()
        for one in receivers:
            self.assertEqual(self.ids(one), [*range(50)])

    def test_one_of_a_number(self):
        self.host.webhook("web", "http://127.0.0.1:1/")
        with self.work():
            wait_until((self.host.state / "run" / "worker-0.flight").exists,
                       "the first")
            time.sleep(0.2)
            result = self.host.run("worker")
        self.assertEqual(result.status, 4, result)


class Time(WorkerCase):
    def test_retry_times_survive(self):
        receiver = self.enter(Moody())
        receiver.status = 503
        self.host.webhook("web", receiver.url,
                          delivery='<retry schedule="3s 3s"/>')
        self.put("web", event(1))
        with self.work() as worker:
            wait_until(lambda: self.count("retries") == 1, "a retry")
            worker.kill()
        receiver.status = 200
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        first, second = receiver.taken
        self.assertGreater(second.came - first.came, 2.2)
        self.assertLess(second.came - first.came, 20)
        self.assertEqual(self.rows("SELECT end, attempts, status FROM history"
                                   " ORDER BY n"),
                         [(1, 1, 503), (0, 2, 200)])

    def test_a_schedule_at_its_end(self):
        receiver = self.enter(Moody())
        receiver.status = 503
        self.host.webhook("web", receiver.url,
                          delivery='<retry schedule="50ms 50ms"/>')
        self.put("web", event(1))
        with self.work() as worker:
            wait_until(lambda: self.count("dead") == 1, "a dead letter")
            worker.wait_for("event event-1 (1) is a dead letter: every "
                            "attempt failed")
            worker.stop()
        self.assertEqual(receiver.n_events, 3)

    def test_order_is_kept_over_a_restart(self):
        receiver = self.enter(Moody(key="email"))
        receiver.status = 503
        self.host.webhook("web", receiver.url, KEYED, order_key="email",
                          delivery='<retry schedule="2s 2s"/>')
        self.put("web", event(1, email="ann@example.com"))
        with self.work() as worker:
            wait_until(lambda: self.count("retries") == 1, "a retry")
            worker.kill()
        receiver.status = 200
        self.put("web", event(2, email="ann@example.com"),
                 event(3, email="bob@example.com"),
                 event(4, email="ann@example.com"))
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        came = [one["id"] for one in receiver.records()]
        self.assertEqual([one for one in came if one != "3"],
                         ["1", "1", "2", "4"])
        self.assertLess(came.index("3"), came.index("2"))
        self.assertEqual(receiver.met, [])


class Crashes(WorkerCase):
    def make_host(self):
        return Host(parts='<fields><field key="mark" label="Mark"/></fields>')

    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.other = self.enter(Receiver())
        plugins = self.host.directory / "plugins"
        shutil.copytree(program("HERALD_PLUGINS"), plugins)
        for module in (CRASHER, UNSTEADY):
            shutil.copy(module, plugins)
        for path in (plugins, *plugins.iterdir()):
            path.chmod(0o755)
        self.host.plugins = plugins
        self.host.webhook("other", self.other.url)

    def crasher(self):
        self.host.integration("bad", "crasher",
                              {"endpoint": self.receiver.url}, MARKED)

    def work_until(self, condition, most):
        """Started again as often as it crashes, at most so often; how
        often it did."""
        n = 0
        while True:
            with Working(self.host) as worker:
                wait_until(lambda: condition()
                           or worker.process.poll() is not None, "its end")
                if worker.process.poll() is None:
                    worker.stop()
                    return n
            n += 1
            self.assertLessEqual(n, most, worker.said)

    def crashes(self, mark):
        self.crasher()
        self.put("bad", *(event(i, mark="") for i in range(5)),
                 event(5, mark=mark), *(event(i, mark="")
                                        for i in range(6, 12)))
        self.put("other", *(event(i) for i in range(20, 50)))
        n = self.work_until(lambda: self.count("waiting") == 0, 2)
        self.assertEqual(n, 2)
        self.assertEqual(sorted(set(self.ids(self.receiver)) - {5}),
                         [*range(5), *range(6, 12)])
        self.assertEqual(sorted(set(self.ids(self.other))), [*range(20, 50)])
        self.assertEqual(self.rows("SELECT reason FROM dead"),
                         [("the provider crasher crashed twice with it",)])
        self.assertEqual(self.count("marks"), 0)
        return (self.host.directory / "worker.err").read_text()

    def test_a_fault_in_build(self):
        said = self.crashes("segv")
        self.assertNotIn(5, self.ids(self.receiver))
        if not is_sanitized():
            self.assertIn("the worker before crashed in its plugin", said)

    def test_an_abort_in_a_reply(self):
        self.crashes("abort-reply")

    def test_a_plugin_that_exits(self):
        said = self.crashes("exit")
        self.assertIn("was ended by its plugin", said)

    def test_an_endless_loop(self):
        """Nobody looks after the worker, so it ends itself."""
        xml = self.host.etc / "herald.xml"
        xml.write_text(xml.read_text().replace(
            "</herald>", '<workers watchdog="1s"/></herald>'))
        self.crasher()
        self.put("bad", event(1, mark="loop"), event(2, mark=""))
        n = self.work_until(lambda: self.count("waiting") == 0, 2)
        self.assertEqual(n, 2)
        self.assertEqual(self.count("dead"), 1)
        self.assertIn(2, self.ids(self.receiver))

    def test_a_worker_that_was_stopped_is_no_hanging_one(self):
        xml = self.host.etc / "herald.xml"
        xml.write_text(xml.read_text().replace(
            "</herald>", '<workers watchdog="1s"/></herald>'))
        with self.work() as worker:
            self.put("other", event(1))
            wait_until(lambda: self.other.n_events == 1, "the first")
            worker.process.send_signal(signal.SIGSTOP)
            time.sleep(5)
            worker.process.send_signal(signal.SIGCONT)
            self.put("other", event(2))
            wait_until(lambda: self.other.n_events == 2, "the second")
            worker.stop()

    def test_a_plugin_that_crashes_always_leaves_others_alone(self):
        self.crasher()
        self.put("bad", *(event(i, mark="segv") for i in range(14)))
        said = self.host.directory / "worker.err"
        n = self.work_until(lambda: "has crashed 11 times"
                            in said.read_text(), 11)
        self.assertEqual(n, 11)
        left = self.count("waiting")
        self.assertGreater(left, 0)
        with self.work() as worker:
            self.put("other", event(100))
            wait_until(lambda: self.other.n_events == 1, "the other's")
            wait_until(lambda: self.count("waiting") == left,
                       "the other's to be settled")
            worker.stop()

    def parked(self, where):
        unless = self.host.directory / "well"
        self.host.integration(
            "bad", "unsteady",
            {"endpoint": self.receiver.url, "where": where,
             "unless": str(unless)}, MARKED)
        self.put("bad", event(1))
        self.put("other", event(2))
        said = self.host.directory / "worker.err"
        n = self.work_until(
            lambda: self.other.n_events > 0 and said.exists()
            and "crashed twice when it was opened" in said.read_text()
            and self.count("waiting") == 1, 2)
        self.assertEqual(n, 2)
        self.assertEqual(self.count("waiting"), 1)
        # Whoever reloads has mended it.
        with self.work() as worker:
            worker.wait_for("crashed twice when it was opened")
            unless.write_text("")
            worker.reload()
            wait_until(lambda: self.receiver.n_events == 1, "its delivery")
            self.wait_empty()
            worker.stop()

    def test_a_crash_in_open(self):
        self.parked("open")

    def test_a_crash_in_token(self):
        self.parked("token")


class Parked(WorkerCase):
    def test_paused(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        self.put("web", event(1))
        with self.work() as worker:
            wait_until(lambda: receiver.n_events == 1, "the first")
            self.assertEqual(self.host.run("pause", "web").status, 0)
            worker.wait_for("paused by an operator")
            self.put("web", event(2))
            time.sleep(0.5)
            self.assertEqual(receiver.n_events, 1)
            self.assertEqual(self.host.run("resume", "web").status, 0)
            wait_until(lambda: receiver.n_events == 2, "the second")
            worker.wait_for("goes on after a pause")
            worker.stop()

    def test_paused_before_it_began(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        self.put("web", event(1))
        self.host.run("pause", "web")
        with self.work() as worker:
            worker.wait_for("paused by an operator")
            time.sleep(0.3)
            worker.stop()
        self.assertEqual(receiver.n_events, 0)
        self.assertEqual(self.count("waiting"), 1)

    def test_blocked_keeps_all_and_new_settings_resume(self):
        receiver = self.enter(Moody())
        receiver.status = 401
        self.host.webhook("web", receiver.url)
        self.put("web", *(event(i) for i in range(100)))
        with self.work() as worker:
            worker.wait_for("blocked: HTTP 401")
            time.sleep(0.3)
            self.assertEqual(self.count("waiting"), 100)
            refused = receiver.n_events
            self.assertLessEqual(refused, 32)
            receiver.status = 200
            time.sleep(0.3)
            self.assertEqual(receiver.n_events, refused)
            self.host.webhook("web", receiver.url + "?mended=1")
            worker.reload()
            self.wait_empty()
            worker.stop()
        self.assertEqual(sorted(set(self.ids(receiver))), [*range(100)])

    def test_an_operator_has_it_tried(self):
        receiver = self.enter(Moody())
        receiver.status = 401
        self.host.webhook("web", receiver.url,
                          delivery='<in-flight max="4"/>')
        self.put("web", *(event(i) for i in range(100)))
        with self.work() as worker:
            worker.wait_for("blocked: HTTP 401")
            wait_until(lambda: receiver.n_events == 4, "the refusals")
            # One goes to see; it is no better.
            self.host.run("pause", "web")
            worker.wait_for("paused by an operator")
            self.host.run("resume", "web")
            worker.wait_for("blocked: HTTP 401", 2)
            self.assertEqual(receiver.n_events, 5)
            self.host.run("resume", "web")
            worker.wait_for("blocked: HTTP 401", 3)
            self.assertEqual(receiver.n_events, 6)
            receiver.status = 200
            self.host.run("resume", "web")
            self.wait_empty()
            worker.stop()

    def test_an_operator_does_not_wait_for_the_breaker(self):
        receiver = self.enter(Moody())
        receiver.status = 500
        self.host.webhook("web", receiver.url, delivery=SHORT.replace(
            "100ms", "1h", 1) + '<in-flight max="4"/>')
        self.put("web", *(event(i) for i in range(50)))
        with self.work() as worker:
            worker.wait_for("gets nothing for a while")
            failed = receiver.n_events
            self.assertLess(failed, 50)
            receiver.status = 200
            self.host.run("resume", "web")
            wait_until(lambda: self.count("waiting") == 0, "what waits",
                       seconds=4)
            self.assertEqual(self.count("retries"), failed)
            self.assertEqual(receiver.n_events, 50)
            worker.stop()

    def test_broken_settings_park_it(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        path = self.host.webhook("bad", receiver.url, not_a_setting="x")
        self.put("bad,web", event(1))
        with self.work() as worker:
            worker.wait_for("bad.xml")
            time.sleep(0.3)
            self.assertEqual(self.count("waiting"), 1)
            path.unlink()
            self.host.webhook("bad", receiver.url)
            worker.reload()
            self.wait_empty()
            worker.stop()


class Mailers(WorkerCase):
    def make_host(self):
        return Host(SANDBOX.ca_file)

    def setUp(self):
        super().setUp()
        SANDBOX.control({"reset": True})

    def mails(self):
        return [one for one in SANDBOX.mails()
                if "tester@example.com" not in str(one)]

    def test_untested(self):
        self.host.mailer("mail", SANDBOX.port("smtp", "starttls"))
        self.put("mail", event(1, email="ann@example.com"))
        before = len(SANDBOX.mails())
        with self.work() as worker:
            worker.wait_for("its test e-mail was not accepted")
            time.sleep(0.3)
            self.assertEqual(len(SANDBOX.mails()), before)
            self.host.prove("mail")
            worker.wait_for("resumed")
            self.wait_empty()
            worker.stop()
        self.assertEqual(len(SANDBOX.mails()), before + 2)

    def test_fallback(self):
        gate = Gate(SANDBOX.port("smtp", "starttls"))
        self.host.mailer("mail", gate.port, delivery=SHORT
                         + '<in-flight max="2"/>'
                         '<fallback integration="backup"/>')
        self.host.mailer("backup", SANDBOX.port("smtp", "starttls"))
        self.host.prove("mail")
        self.host.prove("backup")
        with self.work() as worker:
            self.put("mail", event(1, email="p1@example.com"))
            self.wait_empty()
            gate.shut()
            self.put("mail", *(event(i, email=f"p{i}@example.com")
                               for i in range(10, 40)))
            worker.wait_for("the endpoint fails")
            self.wait_empty()
            via = self.rows("SELECT count(*) FROM history WHERE end = 0"
                            " AND via = 'backup'")[0][0]
            self.assertGreater(via, 20)
            gate.is_open = True
            n = 100
            while "the endpoint works again" not in worker.said:
                self.put("mail", event(n, email=f"p{n}@example.com"))
                n += 1
                time.sleep(0.3)
                self.assertLess(n, 200)
            self.put("mail", event(2, email="last@example.com"))
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.rows("SELECT via FROM history WHERE end = 0"
                                   " ORDER BY n DESC LIMIT 1"), [("",)])
        self.assertEqual(self.count("dead"), 0)


class Reload(WorkerCase):
    def test_a_bad_file_keeps_the_old(self):
        receiver = self.enter(Receiver())
        path = self.host.webhook("web", receiver.url)
        good = path.read_text()
        with self.work() as worker:
            self.put("web", event(1))
            self.wait_empty()
            path.write_text(good.replace("<map>", "<mop>"))
            worker.reload()
            self.assertIn("web.xml", worker.said)
            self.put("web", event(2))
            self.wait_empty()
            # What only the plugin finds wrong is no better.
            path.write_text(good.replace("</settings>",
                                         '<setting name="unknown">x'
                                         "</setting></settings>"))
            worker.reload()
            self.put("web", event(3))
            self.wait_empty()
            (self.host.etc / "herald.xml").write_text("<herald")
            worker.reload("the configuration stays as it was")
            self.put("web", event(4))
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.ids(receiver), [1, 2, 3, 4])

    def test_what_did_not_change_goes_on(self):
        held = self.enter(Receiver(is_held=True))
        one, two = self.enter(Receiver()), self.enter(Receiver())
        self.host.webhook("held", held.url, delivery='<in-flight max="4"/>')
        path = self.host.webhook("web", one.url)
        gone = self.host.webhook("gone", one.url)
        self.put("held", *(event(i) for i in range(10)))
        with self.work() as worker:
            wait_until(lambda: held.in_flight == 4, "4 in flight")
            self.put("web", event(101))
            wait_until(lambda: one.n_events == 1, "the first")
            self.host.webhook("web", two.url)
            gone.unlink()
            self.host.webhook("new", two.url)
            worker.reload()
            self.put("web,gone", event(102))
            self.put("new", event(103))
            wait_until(lambda: two.n_events == 2, "the second")
            self.assertEqual(held.in_flight, 4)
            held.release()
            wait_until(lambda: self.count("waiting") == 1, "all but one")
            worker.stop()
        self.assertEqual(held.n_events, 10)
        self.assertEqual(one.n_events, 1)
        self.assertTrue(path.exists())

    def test_in_flight_of_old_settings_ends(self):
        held, other = self.enter(Receiver(is_held=True)), self.enter(
            Receiver())
        self.host.webhook("web", held.url, delivery='<in-flight max="2"/>')
        self.put("web", *(event(i) for i in range(6)))
        with self.work() as worker:
            wait_until(lambda: held.in_flight == 2, "2 in flight")
            self.host.webhook("web", other.url)
            worker.reload()
            time.sleep(0.2)
            self.assertEqual(other.n_events, 0)
            held.release()
            self.wait_empty()
            worker.stop()
        self.assertEqual(held.n_events, 2)
        self.assertEqual(sorted(self.ids(held) + self.ids(other)),
                         [*range(6)])

    def test_the_hosts_part_asks_for_a_new_start(self):
        receiver = self.enter(Receiver(latency=0.01))
        self.host.webhook("web", receiver.url)
        self.put("web", *(event(i) for i in range(2000)))
        with self.work() as worker:
            wait_until(lambda: receiver.n_events > 100, "a part")
            xml = (self.host.etc / "herald.xml")
            xml.write_text(xml.read_text().replace(
                "</herald>", '<timeouts connect="7s" total="9s"/></herald>'))
            worker.process.send_signal(signal.SIGHUP)
            worker.end(0)
        with self.work() as worker:
            self.wait_empty()
            worker.stop()
        self.assertEqual(self.ids(receiver), [*range(2000)])


if __name__ == "__main__":
    unittest.main()
