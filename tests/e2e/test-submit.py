#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald submit: events from files into the store, through the intake."""

import json
import signal
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from host import Case, event, lines, read_lines
from intake import BOTH, IntakeCase, SHOP, free_port


class Submit(IntakeCase):
    limits = '<limits body="200k"/>'

    def setUp(self):
        super().setUp()
        self.token = self.host.write("token", BOTH + "\n", 0o600)

    def submit(self, events, *arguments, url=None, token=True):
        where = [] if url is None else ["--url", url]
        if token:
            where += ["--token-file", self.token]
        return self.host.run("submit", "--json", *where, *arguments,
                             stdin=lines(events))

    def test_all(self):
        events = [event(i) for i in range(5000)]
        result = self.submit(events)
        self.assertEqual(result.status, 0, result)
        self.assertEqual({**result.json, "elapsedMs": 0}, {
            "accepted": 5000, "duplicate": 0, "rejected": 0, "unsent": 0,
            "stopped": False, "elapsedMs": 0})
        self.assertEqual(sorted(self.ids()),
                         sorted(one["id"] for one in events))
        again = self.submit(events, url=f"http://127.0.0.1:{self.port}/")
        self.assertEqual((again.status, again.json["duplicate"]), (0, 5000))

    def test_socket(self):
        result = self.submit([event(1)], "--socket", self.socket,
                             token=False)
        self.assertEqual((result.status, result.json["accepted"]), (0, 1),
                         result)

    def test_rejects(self):
        kept = self.host.directory / "rejects"
        events = [event(1), b"no json", event(2, "nowhere"),
                  {**event(3), "source": 7}, event(4)]
        result = self.submit(events, "--rejects", kept)
        self.assertEqual(result.status, 1, result)
        self.assertEqual((result.json["accepted"], result.json["rejected"]),
                         (2, 3))
        rows = {row["line"]: row["reason"] for row in read_lines(kept)}
        self.assertEqual(sorted(rows), [2, 3, 4])
        self.assertIn("no right to write", rows[3])
        self.assertEqual(self.ids(), ["event-1", "event-4"])

    def test_workspace(self):
        result = self.submit([event(1, None), {"email": "x@example.com"}],
                             "--workspace", "beta")
        self.assertEqual((result.status, result.json["accepted"]), (0, 2),
                         result)
        self.assertEqual([one["workspace"] for one in self.stored()],
                         ["beta", "beta"])

    def test_larger_than_the_intake_takes(self):
        """Halved until it fits; what never does is rejected."""
        wide = [event(i, filler="x" * 60000) for i in range(8)]
        wide.append(event(9, filler="x" * 250000))
        result = self.submit(wide)
        self.assertEqual((result.status, result.json["accepted"],
                          result.json["rejected"]), (1, 8, 1), result)

    def test_refused(self):
        result = self.submit([event(i) for i in range(500)], token=False)
        # It stops reading, so those behind what was read are not counted.
        self.assertEqual((result.status, result.json["stopped"],
                          result.json["accepted"]), (1, True, 0), result)
        self.assertIn(result.json["unsent"], range(1, 501))
        self.assertIn("--token-file", result.err)
        self.assertIn("and what comes after them", result.err)
        loose = self.host.write("loose", SHOP, 0o644)
        result = self.host.run("submit", "--token-file", loose)
        self.assertEqual(result.status, 3)
        self.assertIn("chmod", result.err)
        result = self.submit([event(1)], url="http://192.0.2.1/")
        self.assertEqual(result.status, 3, result)

    def test_the_intake_comes_back(self):
        """What can't be put in now is tried again."""
        self.end()
        running = self.enter(self.host.start(
            "submit", "--json", "--token-file", self.token))
        running.process.stdin.write(lines(event(i) for i in range(900)))
        running.process.stdin.close()
        running.process.stdin = None
        running.wait_for("trying again")
        intake = self.enter(self.host.start("intake"))
        self.assertEqual(running.process.wait(60), 0)
        self.assertEqual(len(self.ids()), 900)
        intake.process.send_signal(signal.SIGTERM)
        intake.process.wait(30)

    def test_gives_up(self):
        started = time.monotonic()
        result = self.submit([event(1)], "--retry-for", "1s",
                             url=f"http://127.0.0.1:{free_port()}")
        self.assertEqual((result.status, result.json["unsent"]), (1, 1),
                         result)
        self.assertLess(time.monotonic() - started, 20)

    def test_token_file(self):
        """The first word, wherever it stands; none is no token."""
        self.token = self.host.write("token", f"\n {BOTH} x\n", 0o600)
        self.assertEqual(self.submit([event(1)]).status, 0)
        for text in ("", " \n"):
            self.token = self.host.write("token", text, 0o600)
            result = self.submit([event(2)])
            self.assertEqual(result.status, 3, result)
            self.assertIn("holds no token", result.err)

    def test_long_socket(self):
        result = self.submit([event(1)], "--socket", "/" + "x" * 200)
        self.assertEqual(result.status, 3, result)
        self.assertIn("longer than the system takes", result.err)


class Answers(Case):
    """What an intake or something in its place may say."""

    def submit(self, answer, count=2, *arguments):
        """answer (handler, events, n) sends the n-th, or returns its
        status, fields and body."""
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                events = json.loads(
                    self.rfile.read(int(self.headers["Content-Length"])))
                seen.append(time.monotonic())
                said = answer(self, events, len(seen))
                if said is None:
                    return
                status, fields, body = said
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        result = self.host.run(
            "submit", "--json", "--url",
            f"http://127.0.0.1:{server.server_address[1]}", *arguments,
            stdin=lines(event(i) for i in range(count)))
        return result, seen

    @staticmethod
    def said(events, status):
        return json.dumps({"events": [
            {"index": i, "id": one["id"], "status": status}
            for i, one in enumerate(events)]}).encode()

    def test_cut_off(self):
        """An answer that breaks off says nothing: it is asked again."""
        def answer(handler, events, number):
            if number > 1:
                return 202, {}, self.said(events, "duplicate")
            handler.send_response(202)
            handler.send_header("Content-Length", "5000")
            handler.end_headers()
            handler.wfile.write(self.said(events, "accepted"))
            return None

        result, _ = self.submit(answer)
        self.assertEqual((result.status, result.json["duplicate"]), (0, 2),
                         result)

    def test_at_once(self):
        """Retry-After: 0 is no leave to ask without a rest."""
        result, seen = self.submit(
            lambda *_: (503, {"Retry-After": "0"}, b"{}"), 2, "--retry-for",
            "2s")
        self.assertEqual((result.status, result.json["unsent"]), (1, 2))
        self.assertLess(len(seen), 8)

    def test_not_understood(self):
        """Only what is said to be rejected counts as that."""
        for status in ("queued", None):
            result, _ = self.submit(
                lambda _, events, __: (202, {}, self.said(events, status)))
            self.assertEqual(
                (result.status, result.json["rejected"],
                 result.json["unsent"], result.json["stopped"]),
                (1, 0, 2, True), result)

    def test_gives_up_for_all(self):
        """Its patience is for the run, not for each request of it."""
        started = time.monotonic()
        result, seen = self.submit(
            lambda *_: (503, {"Retry-After": "1"}, b"{}"), 6000,
            "--retry-for", "500ms")
        self.assertEqual((result.status, result.json["accepted"],
                          result.json["stopped"]), (1, 0, True), result)
        self.assertLess(len(seen), 6)
        self.assertIn("and what comes after them", result.err)
        self.assertLess(time.monotonic() - started, 20)

    def test_retry_after(self):
        """429 and 503 are obeyed: not again before their time."""
        def answer(_, events, n):
            status = {1: 503, 2: 429}.get(n, 202)
            if status == 202:
                return status, {}, self.said(events, "accepted")
            return status, {"Retry-After": "1"}, b"{}"

        result, times = self.submit(answer)
        self.assertEqual((result.status, result.json["accepted"]), (0, 2),
                         result)
        self.assertEqual(len(times), 3)
        self.assertGreater(times[1] - times[0], 0.99)
        self.assertGreater(times[2] - times[1], 0.99)


if __name__ == "__main__":
    unittest.main(verbosity=0)
