#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ctrl-C: once, what is in flight is finished; twice, herald ends.  Either
way each event is in exactly one place."""

import unittest

from host import Case, event, lines, read_lines, wait_until
from receiver import Receiver

COUNT = 3000                    # more than a lane holds


class Stop(Case):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver(is_held=True))
        self.host.webhook("web", self.receiver.url,
                          delivery='<in-flight max="5"/>')
        self.undelivered = self.host.directory / "undelivered"
        source = self.host.write(
            "events", lines(event(i) for i in range(COUNT)))
        self.running = self.enter(self.host.start(
            "send", "--json", "--undelivered", self.undelivered, source))
        wait_until(lambda: self.receiver.in_flight == 5, "5 in flight")
        self.running.interrupt()
        self.running.wait_for("stopping: what is in flight")

    def kept(self):
        return sorted(int(one["data"]["id"])
                      for one in read_lines(self.undelivered))

    def test_once(self):
        self.receiver.release()
        result = self.running.end()
        self.assertEqual(result.status, 1, result)
        arrived = [int(one["id"]) for one in self.receiver.records()]
        self.assertEqual(len(arrived), 5)
        self.assertEqual(sorted(arrived + self.kept()), list(range(COUNT)))
        self.assertEqual(result.lane("web")["delivered"], 5)
        self.assertIs(result.report["stopped"], True)
        self.assertEqual(result.report["undeliveredEvents"], COUNT - 5)
        again = self.host.run("send", "--json", self.undelivered)
        self.assertEqual(again.status, 0, again)
        self.assertEqual(sorted(int(one["id"])
                                for one in self.receiver.records()),
                         list(range(COUNT)))

    def test_twice(self):
        self.running.interrupt()
        result = self.running.end()             # nothing was released
        self.assertEqual(result.status, 1, result)
        self.assertIn("may have arrived", result.err)
        self.assertEqual(self.kept(), list(range(COUNT)))


class Pipe(Case):
    def test_a_pipe_that_stays_open_is_not_waited_for(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        with self.host.start("send", "--json") as running:
            running.process.stdin.write(lines([event(1)]))
            running.process.stdin.flush()
            wait_until(lambda: receiver.n_events == 1, "the delivery")
            running.interrupt()
            running.process.wait(60)
            result = running.end()
        self.assertEqual(result.lane("web")["delivered"], 1)
        self.assertEqual(result.status, 1, result)


if __name__ == "__main__":
    unittest.main()
