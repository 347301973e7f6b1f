#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the chaos test is made of can tell right from wrong.

A dispatcher of ten lines stands in for herald: with it all is well until it
loses, repeats or reorders something on purpose, which the oracle must find.
faultfs.c is tried on SQLite itself.
"""

from __future__ import annotations

import http.client
import http.server
import json
import os
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, Callable, Dict, List

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "soak"),
                str(HERE.parent / "e2e")]

from disk import FULL, SHORT, SYNC, WRITE, FaultFs      # noqa: E402
from endpoints import MOODS, Arrival, Endpoint, MailSink, Mood, \
    Services                                            # noqa: E402
from host import wait_until                             # noqa: E402
from mischief import CLEAN, make_plan                   # noqa: E402
from oracle import UNCOMMITTED, Case, DeadLetter, Event, Fault, Rule, \
    findings                                            # noqa: E402
from producer import Ledger, Producer, Wish             # noqa: E402
from soak import Sample, judge                          # noqa: E402
from steady import Steady, percentile                   # noqa: E402

FAULTFS = Path(os.environ.get("CHAOS_MODULES", ".")) / "faultfs.so"


def post(end: Endpoint, body: Any, timeout: float = 5) -> int:
    """The status; 0 where there was no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", end.port,
                                            timeout=timeout)
    try:
        connection.request("POST", "/", json.dumps(body))
        reply = connection.getresponse()
        reply.read()
        return reply.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class OracleTest(unittest.TestCase):
    """Twenty events of two keys, all delivered in order: then one thing is
    wrong with them."""

    def setUp(self) -> None:
        self.rule = Rule("web", lambda event: event.kind == "a", 2, True,
                         crashes=lambda event: event.mark != "",
                         may_give_up=False)
        self.case = Case([self.rule])
        for n in range(20):
            self.case.offered[f"e{n}"] = Event(f"e{n}", n, f"k{n % 2}")
            self.case.accepted.add(f"e{n}")
        self.arrivals = [Arrival(100.0 + n, f"e{n}", True)
                         for n in range(20)]
        self.case.arrivals["web"] = self.arrivals

    def assert_found(self, *parts: str) -> None:
        found = findings(self.case)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])

    def test_all_is_well(self) -> None:
        self.assertEqual(findings(self.case), [])

    def test_a_loss(self) -> None:
        del self.arrivals[7]
        self.assert_found("lost at web", "e7")

    def test_what_was_not_answered_is_lost(self) -> None:
        self.arrivals[7] = Arrival(107.0, "e7", False)
        self.assert_found("lost at web", "e7")

    def test_a_dead_letter_is_no_loss(self) -> None:
        del self.arrivals[7]
        self.rule.may_give_up = True
        self.case.dead = [DeadLetter("web", "e7", "HTTP 500")]
        self.assertEqual(findings(self.case), [])

    def test_a_dead_letter_without_reason(self) -> None:
        del self.arrivals[7]
        self.rule.may_give_up = True
        self.case.dead = [DeadLetter("web", "e7", " ")]
        self.assert_found("dead without a reason", "e7")

    def test_a_dead_letter_where_the_service_was_well(self) -> None:
        del self.arrivals[7]
        self.case.dead = [DeadLetter("web", "e7", "HTTP 500")]
        self.assert_found("dead at web for no reason of theirs", "HTTP 500")

    def test_an_innocent_that_crashed(self) -> None:
        del self.arrivals[7]
        self.rule.may_give_up = True
        self.case.dead = [DeadLetter("web", "e7", "crashed twice with it")]
        self.assert_found("for no reason of theirs", "crashed twice")

    def test_a_culprit_must_say_so(self) -> None:
        self.case.offered["e7"] = Event("e7", 7, "k1", mark="segv")
        self.assert_found("crash web", "e7")
        self.case.dead = [DeadLetter("web", "e7", "crashed twice with it")]
        self.assertEqual(findings(self.case), [])

    def test_a_bad_one_must_be_dead(self) -> None:
        self.case.offered["e7"] = Event("e7", 7, "k1", is_bad=True)
        self.assert_found("refused by web", "e7")

    def test_a_repetition(self) -> None:
        self.arrivals.append(Arrival(130.0, "e7", True))
        self.assert_found("arrived twice at web", "e7")

    def test_a_repetition_after_a_lost_answer(self) -> None:
        self.arrivals.append(Arrival(106.5, "e7", False))
        self.assertEqual(findings(self.case), [])

    def test_a_fault_explains_what_was_in_flight(self) -> None:
        self.case.faults = [Fault("kill", 108.2, 108.2, "kill -9")]
        self.arrivals += [Arrival(110.0, "e7", True),
                          Arrival(110.1, "e8", True)]
        self.assertEqual(findings(self.case), [])
        self.assertEqual(self.case.duplicates["kill"], 2)

    def test_a_fault_explains_no_more_than_that(self) -> None:
        self.case.faults = [Fault("kill", 308.2, 308.2, "kill -9")]
        self.rule.is_ordered = False
        many = [f"f{n}" for n in range(2 + UNCOMMITTED + 1)]
        for n, name in enumerate(many):
            self.case.offered[name] = Event(name, n, "k3")
            self.case.accepted.add(name)
        self.arrivals += [Arrival(308.0, name, True) for name in many]
        self.arrivals += [Arrival(309.0, name, True) for name in many[1:]]
        self.assertEqual(findings(self.case), [])
        self.arrivals.append(Arrival(309.0, many[0], True))
        self.assert_found(f"{len(many)} arrived again at web after 1 fault")

    def test_a_fault_long_before_or_after_explains_nothing(self) -> None:
        self.case.faults = [Fault("kill", 103.0, 103.0, "kill -9"),
                            Fault("kill", 115.0, 115.0, "kill -9")]
        self.arrivals.append(Arrival(120.0, "e7", True))
        self.assert_found("arrived twice at web", "e7")

    def test_another_order(self) -> None:
        self.arrivals[7] = Arrival(109.5, "e7", True)
        self.assert_found("out of order at web", "e7")
        self.rule.is_ordered = False
        self.assertEqual(findings(self.case), [])

    def test_another_key_has_an_order_of_its_own(self) -> None:
        self.arrivals[7] = Arrival(108.5, "e7", True)
        self.assertEqual(findings(self.case), [])

    def test_strangers(self) -> None:
        self.arrivals.append(Arrival(130.0, "stray", True))
        self.assert_found("that nobody sent", "stray")

    def test_what_was_not_wanted(self) -> None:
        self.case.offered["b"] = Event("b", 99, "k0", kind="b")
        self.arrivals.append(Arrival(130.0, "b", True))
        self.assert_found("that it does not want", "b")

    def test_what_was_offered_and_not_accepted_may_arrive(self) -> None:
        self.case.accepted.discard("e7")
        self.assertEqual(findings(self.case), [])
        del self.arrivals[7]
        self.assertEqual(findings(self.case), [])


class EndpointTest(unittest.TestCase):
    def setUp(self) -> None:
        self.end = Endpoint("web")
        self.mail = MailSink("mail")
        services = Services(self.end, self.mail)
        services.__enter__()
        self.addCleanup(services.__exit__)

    def came(self) -> List[tuple]:
        return [(one.event, one.is_answered) for one in self.end.arrivals]

    def test_moods(self) -> None:
        wanted = {"slow": 200, "hang": 0, "reset": 0, "half": 0, "500": 500,
                  "503": 503, "429": 429, "401": 401}
        self.assertEqual(set(wanted), set(MOODS))
        for mood, status in wanted.items():
            with self.subTest(mood=mood):
                self.end.arrivals.clear()
                self.end.set_mood(Mood(mood))
                self.assertEqual(post(self.end, {"id": "1"},
                                      0.3 if mood == "hang" else 5), status)
                self.assertEqual(self.came(), [
                    ("1", status == 200 or mood == "half")])
        self.end.set_mood(Mood())
        self.assertEqual(post(self.end, {"id": "2"}), 200)
        self.assertTrue(self.end.was_moody)

    def test_refusals(self) -> None:
        self.assertEqual(post(self.end, {"id": "1", "bad": "bad"}), 422)
        self.assertEqual(post(self.end, [{"id": "1", "bad": "bad"},
                                         {"id": "2"}]), 400)
        self.assertEqual(post(self.end, [{"id": "2"}]), 200)
        self.assertEqual(self.came(), [("1", False), ("1", False),
                                       ("2", False), ("2", True)])

    def test_who_left_has_no_answer(self) -> None:
        self.end.latency = 0.3
        self.assertEqual(post(self.end, {"id": "1"}, 0.05), 0)
        wait_until(self.came, "an arrival")
        self.assertEqual(self.came(), [("1", False)])

    def test_a_key_twice_at_once(self) -> None:
        self.end.latency = 1
        threads = [threading.Thread(target=post, args=(
            self.end, {"id": str(k), "key": "k"})) for k in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(len(self.end.overlaps), 1)
        post(self.end, {"id": "3", "key": "k"})
        self.assertEqual(len(self.end.overlaps), 1)

    def test_a_key_whose_sender_died_is_free(self) -> None:
        self.end.set_mood(Mood("hang"))
        post(self.end, {"id": "1", "key": "k"}, 0.1)
        time.sleep(0.1)
        self.end.set_mood(Mood())
        self.assertEqual(post(self.end, {"id": "1", "key": "k"}), 200)
        self.assertEqual(self.end.overlaps, [])

    def test_mail(self) -> None:
        def send(to: str = "ada@example.com") -> None:
            with smtplib.SMTP("127.0.0.1", self.mail.port, timeout=5) as one:
                one.sendmail("a@b.example", [to],
                             "Subject: chaos e1\n\nhello\n")

        send()
        with self.assertRaises(smtplib.SMTPRecipientsRefused):
            send("refuse@example.com")
        for mood in ("450", "421", "reset", "closed"):
            self.mail.set_mood(Mood(mood))
            with self.assertRaises((smtplib.SMTPException, OSError)):
                send()
        self.assertEqual([(one.event, one.is_answered)
                          for one in self.mail.arrivals],
                         [("e1", True)] + 3 * [("e1", False)])


class FakeIntake(http.server.ThreadingHTTPServer):
    """Takes events, remembers ids, and delivers them one by one; trouble ()
    says of each request what goes wrong."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, end: Endpoint, skip: Callable[[int], int]) -> None:
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.seen: Dict[str, bool] = {}
        self.todo: List[Dict[str, Any]] = []
        self.n = 0
        self.lock = threading.Lock()
        self._end = end
        self._times = skip
        self._thread = threading.Thread(target=self._deliver, daemon=True)
        self.is_over = False
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self._thread.start()

    def _deliver(self) -> None:
        n = 0
        while not self.is_over or self.todo:
            if not self.todo:
                time.sleep(0.001)
                continue
            with self.lock:
                one = self.todo.pop(0)
            for _ in range(self._times(n)):
                post(self._end, {"id": one["id"],
                                 "bad": one["data"].get("selectValue")})
            n += 1

    def finish(self) -> None:
        self.is_over = True
        self._thread.join()
        self.shutdown()
        self.server_close()


class FakeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        import gzip
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["Content-Type"]
        if "ce-id" in self.headers:
            made = [{"id": self.headers["ce-id"], "data": json.loads(body)}]
        elif "ndjson" in kind:
            made = [json.loads(one) for one in body.splitlines()]
        else:
            read = json.loads(body)
            made = read if isinstance(read, list) else [read]
        self.server.n += 1                              # type: ignore
        if self.server.n % 7 == 3:                      # type: ignore
            self.answer(503, {}, {"Retry-After": "1"})
            return
        events = []
        with self.server.lock:                          # type: ignore
            for k, one in enumerate(made):
                status = "accepted"
                if not one["id"]:
                    status = "rejected"
                elif one["id"] in self.server.seen:     # type: ignore
                    status = "duplicate"
                else:
                    self.server.seen[one["id"]] = True  # type: ignore
                    self.server.todo.append(one)        # type: ignore
                events.append({"index": k, "status": status, "reason": ""})
        if self.server.n % 11 == 5:                     # type: ignore
            self.close_connection = True        # accepted; the answer is lost
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        is_bad = any(one["status"] == "rejected" for one in events)
        self.answer(400 if is_bad else 202, {"events": events}, {})

    def answer(self, status: int, body: Any, more: Dict[str, str]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class WholeTest(unittest.TestCase):
    """Producer, services and oracle around a dispatcher in this process."""

    def case(self, times: Callable[[int], int]) -> List[str]:
        end = Endpoint("web")
        ledger = Ledger()
        with Services(end):
            intake = FakeIntake(end, times)
            ones = [Producer(k, "s/1", "t", intake.server_address[1], None,
                             ledger, Wish(300, broken=0.05, again=0.2))
                    for k in range(2)]
            for one in ones:
                one.start()
            wait_until(lambda: len(ledger.accepted) > 100 and
                       all(ledger.statuses.get(k) for k in (400, 503, 0)),
                       "a hundred events and each kind of trouble")
            for one in ones:
                one.stop()
            for one in ones:
                one.join()
            intake.finish()
        self.assertEqual(ledger.complaints, [])
        rule = Rule("web", lambda event: True, 1, True, may_give_up=False,
                    refuses=lambda event: False)
        arrivals = [one._replace(is_answered=True) for one in end.arrivals]
        return findings(Case([rule], ledger.offered, set(ledger.accepted),
                             {"web": arrivals}))

    def test_a_good_dispatcher(self) -> None:
        self.assertEqual(self.case(lambda n: 1), [])

    def test_one_that_loses(self) -> None:
        found = self.case(lambda n: 0 if n == 20 else 1)
        self.assertEqual(len(found), 1)
        self.assertIn("1 lost at web", found[0])

    def test_one_that_repeats(self) -> None:
        found = self.case(lambda n: 2 if n == 20 else 1)
        self.assertEqual(len(found), 1)
        self.assertIn("1 arrived twice at web", found[0])


class SteadyTest(unittest.TestCase):
    """What make soak and make bench measure with."""

    def test_times(self) -> None:
        end = Endpoint("web", latency=0.05)
        with Services(end):
            intake = FakeIntake(end, lambda n: 1)
            steady = Steady(intake.server_address[1], "t", [end])
            steady.run(15, 1)
            steady.run(100000, 0.0001)          # ten at once
            intake.finish()
        self.assertEqual(steady.accepted, 25)
        self.assertEqual(steady.n_arrived, {"web": 25})
        self.assertEqual(len(intake.seen), 25)
        self.assertGreater(percentile(steady.seconds["web"], 0), 0.05)
        self.assertLess(percentile(steady.seconds["web"], 0.5), 1)

    def test_growth(self) -> None:
        flat = [Sample(20000 + k % 2, 20, 5 + k % 3) for k in range(100)]
        self.assertEqual(judge(flat), [])
        self.assertEqual(len(judge([
            one._replace(resident_kib=20000 + 50 * k)
            for k, one in enumerate(flat)])), 1)
        self.assertEqual(len(judge([
            one._replace(n_files=20 + k // 20)
            for k, one in enumerate(flat)])), 1)


class PlanTest(unittest.TestCase):
    def test_a_seed_gives_one_plan(self) -> None:
        plan = make_plan("7/1", 30, 0.5)
        self.assertEqual(plan, make_plan("7/1", 30, 0.5))
        self.assertNotEqual(plan, make_plan("7/2", 30, 0.5))
        self.assertGreater(len(plan), 20)
        self.assertLess(max(step.at for step in plan), 30)

    def test_a_clean_plan(self) -> None:
        kinds = {step.kind for step in make_plan("7", 60, 0.2, CLEAN)}
        self.assertEqual(kinds, set(CLEAN))


#: Writes rows one commit each; prints how each went.
SQLITE = """
import sqlite3, sys, os
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in ("journal_mode=wal", "synchronous=full"):
    db.execute("pragma " + line)
db.execute("create table if not exists t (x)")
for line in sys.stdin:
    try:
        db.execute("insert into t values (?)", (line * 100,))
        print("ok", flush=True)
    except sqlite3.Error as error:
        print(error, flush=True)
"""


class FaultFsTest(unittest.TestCase):
    """The disk fails under SQLite, and only there, and only while told."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="herald-chaos.")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.under = self.directory / "store"
        self.under.mkdir()
        self.disk = FaultFs(str(FAULTFS.resolve()), self.under,
                            self.directory / "switch")
        self.addCleanup(self.disk.close)

    def writer(self, where: Path) -> Callable[[], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SQLITE, str(where / "db")],
            env={**os.environ, **self.disk.env}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

        def end() -> None:
            process.stdin.close()                       # type: ignore
            process.wait()
            process.stdout.close()                      # type: ignore

        self.addCleanup(end)

        def write() -> str:
            process.stdin.write("row\n")                # type: ignore
            process.stdin.flush()                       # type: ignore
            return process.stdout.readline().strip()    # type: ignore

        return write

    def test_each_fault(self) -> None:
        write = self.writer(self.under)
        self.assertEqual(write(), "ok")
        self.assertEqual(self.disk.n_failed, 0)
        for faults, wanted in ((FULL, "database or disk is full"),
                               (WRITE, "disk I/O error"),
                               (SYNC, "disk I/O error"), (SHORT, "ok")):
            with self.subTest(faults=faults):
                before = self.disk.n_failed
                self.disk.set(faults)
                self.assertEqual(write(), wanted)
                self.assertGreater(self.disk.n_failed, before)
                self.disk.set(0)
                before = self.disk.n_failed
                self.assertEqual(write(), "ok")
                self.assertEqual(self.disk.n_failed, before)

    def test_by_chance(self) -> None:
        write = self.writer(self.under)
        write()
        self.disk.set(SYNC, 300)
        answers = [write() for _ in range(60)]
        self.assertIn("ok", answers)
        self.assertIn("disk I/O error", answers)

    def test_other_directories_are_well(self) -> None:
        other = self.directory / "store-of-another"
        other.mkdir()
        write = self.writer(other)
        self.disk.set(FULL | WRITE | SYNC)
        self.assertEqual([write() for _ in range(5)], 5 * ["ok"])
        self.assertEqual(self.disk.n_failed, 0)


if __name__ == "__main__":
    unittest.main()
