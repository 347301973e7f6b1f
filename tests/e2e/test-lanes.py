#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Batches, order, rate and the cap on what is in flight, seen by who
receives."""

import time
import unittest

from host import Case, event, lines, wait_until
from receiver import Receiver

KEYED = ('<map><field name="id" source="id"/>'
         '<field name="email" source="email"/></map>')


class Lanes(Case):
    def test_in_flight_is_capped_and_reached(self):
        receiver = self.enter(Receiver(is_held=True))
        self.host.webhook("web", receiver.url,
                          delivery='<in-flight max="7"/>')
        with self.host.start("send", "--json") as running:
            running.process.stdin.write(lines(event(i) for i in range(40)))
            running.process.stdin.flush()
            wait_until(lambda: receiver.in_flight == 7, "7 in flight")
            receiver.release()
            result = running.end()
        self.assertEqual(result.lane("web")["delivered"], 40)
        self.assertEqual(receiver.most_in_flight, 7)

    def test_batches_are_filled_and_a_rest_goes_too(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url,
                          delivery='<batch max="20" wait="10m"/>')
        result = self.host.send(event(i) for i in range(50))
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sorted(len(one.records) for one in receiver.taken),
                         [10, 20, 20])
        self.assertEqual({one["id"] for one in receiver.records()},
                         {str(i) for i in range(50)})

    def test_a_batch_that_is_not_full_goes_after_its_wait(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url,
                          delivery='<batch max="20" wait="50ms"/>')
        with self.host.start("send", "--json") as running:
            running.process.stdin.write(lines([event(1), event(2)]))
            running.process.stdin.flush()
            # Standard input stays open: only the wait can send them.
            wait_until(lambda: receiver.n_events == 2, "the delivery")
            self.assertEqual(running.end().status, 0)

    def test_a_batch_of_one_is_an_array_too(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url, delivery='<batch max="9"/>')
        self.host.send([event(1)])
        self.assertEqual(receiver.taken[0].records, [{"id": "1"}])

    def order(self, delivery):
        receiver = self.enter(Receiver(latency=0.005, key="email"))
        self.host.webhook("web", receiver.url, KEYED, delivery=delivery,
                          order_key="email")
        events = [event(i, email=f"p{i % 10}@example.com")
                  for i in range(200)]
        result = self.host.send(events)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(receiver.met, [])
        for k in range(10):
            mine = [int(one["id"]) for one in receiver.records()
                    if one["email"] == f"p{k}@example.com"]
            self.assertEqual(mine, sorted(mine))
            self.assertEqual(len(mine), 20)
        return receiver

    def test_equal_order_keys_never_meet_and_stay_in_order(self):
        receiver = self.order('<in-flight max="32"/>')
        self.assertGreater(receiver.most_in_flight, 1)

    def test_equal_order_keys_never_share_a_batch(self):
        receiver = self.order('<batch max="50" wait="5ms"/>')
        self.assertTrue(any(len(one.records) > 1 for one in receiver.taken))
        for one in receiver.taken:
            keys = [record["email"] for record in one.records]
            self.assertEqual(len(keys), len(set(keys)))

    def test_rate(self):
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url,
                          delivery='<rate limit="10" per="500ms"/>')
        began = time.monotonic()
        result = self.host.send(event(i) for i in range(30))
        took = time.monotonic() - began
        self.assertEqual(result.status, 0, result)
        # At most a full bucket at once: 20 more need a second.
        self.assertGreater(took, 0.9)
        came = sorted(one.came for one in receiver.taken)
        for first, later in zip(came, came[21:]):
            self.assertGreater(later - first, 0.4)

    def test_retry_for_ends_what_the_schedule_would_go_on_with(self):
        self.host.webhook("web", "http://127.0.0.1:1/",
                          delivery='<retry schedule="10ms 7d"/>')
        began = time.monotonic()
        result = self.host.send([event(1)], "--retry-for", "1m")
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(result.status, 1, result)
        self.assertIn("not delivered in time", result.reasons("web"))
        self.assertEqual(result.lane("web")["retried"], 1)

    def test_a_slow_lane_holds_up_no_other(self):
        slow = self.enter(Receiver(is_held=True))
        quick = self.enter(Receiver())
        self.host.webhook("slow", slow.url, delivery='<in-flight max="2"/>')
        self.host.webhook("quick", quick.url)
        with self.host.start("send", "--json") as running:
            running.process.stdin.write(lines(event(i) for i in range(300)))
            running.process.stdin.flush()
            wait_until(lambda: quick.n_events == 300, "the quick lane's end")
            slow.release()
            self.assertEqual(running.end().status, 0)


if __name__ == "__main__":
    unittest.main()
