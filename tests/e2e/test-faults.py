#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every wrong answer the sandbox can give, and what becomes of the event."""

import datetime
import unittest

from host import Case, Host, event, module_sandbox, read_lines
from receiver import Receiver

SANDBOX = None
RETRY = '<retry schedule="10ms 10ms 10ms"/>'
ALONE = RETRY + '<in-flight max="1"/>'


def setUpModule():
    global SANDBOX
    SANDBOX = module_sandbox()


def moment(request):
    """When the sandbox had it, in seconds."""
    return datetime.datetime.fromisoformat(
        request["time"].replace("Z", "+00:00")).timestamp()


class Faults(Case):
    def make_host(self):
        return Host(SANDBOX.ca_file)

    def setUp(self):
        super().setUp()
        self.path = "/" + self.id().rpartition(".")[2]
        self.url = SANDBOX.url(self.path)

    def requests(self):
        return [one for one in SANDBOX.requests() if one["path"] == self.path]

    def sent(self, count=1, status=0, **options):
        result = self.host.send((event(i) for i in range(count)), **options)
        self.assertEqual(result.status, status, result)
        return result

    def failed(self, reason, state="open", kind="undelivered"):
        """One event that does not arrive, for that reason."""
        result = self.sent(status=1)
        lane = result.lane("web")
        self.assertEqual(lane[kind], 1, result)
        self.assertEqual(lane["state"], state, result)
        self.assertIn(reason, result.reasons("web"), result)
        return result


class Repeated(Faults):
    """What passes: herald tries again, with the same id."""

    def tried(self, steps, requests=None):
        SANDBOX.script(self.path, steps)
        self.host.webhook("web", self.url, delivery=RETRY
                          + '<timeouts connect="5s" total="5s"/>')
        result = self.sent()
        taken = self.requests()
        self.assertEqual(len(taken), requests or len(steps) + 1)
        self.assertEqual(taken[-1]["outcome"], "accepted")
        self.assertEqual(
            len({one["headers"]["idempotency-key"] for one in taken}), 1)
        self.assertEqual(result.lane("web")["retried"], len(taken) - 1)

    def test_5xx(self):
        self.tried([{"status": 500}, {"status": 503, "body": "busy"},
                    {"status": 599}])

    def test_408_425_429(self):
        self.tried([{"status": 408}, {"status": 425}, {"status": 429}])

    def test_reset(self):
        self.tried([{"reset": True}])

    def test_half_an_answer_that_says_no(self):
        self.tried([{"status": 503, "body": "busy", "half": True}])

    def test_an_answer_shorter_than_it_says(self):
        self.tried([{"status": 500, "body": "no", "length": 100}])

    def test_no_http(self):
        self.tried([{"malformed": "http"}])

    def test_closed_connections(self):
        self.tried([{"close": True, "status": 503}])


class Tolerated(Faults):
    """What is odd, and still says that the event was taken."""

    def taken(self, step):
        SANDBOX.script(self.path, [step])
        self.host.webhook("web", self.url, delivery=RETRY)
        self.sent()
        self.assertEqual(len(self.requests()), 1)

    def test_slow(self):
        self.taken({"delay_ms": 300})

    def test_a_reply_that_is_no_json(self):
        self.taken({"malformed": "json"})

    def test_half_an_answer_that_says_yes(self):
        # The status came: the event was taken, so it goes not again.
        self.taken({"half": True})

    def test_a_broken_header_after_the_status(self):
        self.taken({"malformed": "header"})

    def test_a_huge_answer_that_says_yes(self):
        self.taken({"huge_mb": 64})

    def test_an_empty_reply(self):
        self.taken({"status": 204})

    def test_statuses_that_are_success_by_the_descriptor(self):
        SANDBOX.script(self.path, [{"status": 409}])
        self.host.webhook("web", self.url, success="200-204, 409")
        self.sent()

    def test_a_2xx_that_is_no_success_by_the_descriptor(self):
        SANDBOX.script(self.path, [{"status": 202}])
        self.host.webhook("web", self.url, success="200")
        self.failed("not one of Success Statuses", kind="rejected")


class Hopeless(Faults):
    """What does not pass: rejected, blocked or given up, and why."""

    def scripted(self, step, **settings):
        SANDBOX.script(self.path, [{"times": -1, **step}])
        self.host.webhook("web", self.url, delivery=ALONE
                          + '<timeouts connect="1s" total="1s"/>', **settings)

    def blocks(self, step, reason):
        """The lane stops at once and keeps everything."""
        self.scripted(step)
        undelivered = self.host.directory / "undelivered"
        result = self.host.send([event(i) for i in range(20)],
                                "--undelivered", undelivered)
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.lane("web")["state"], "blocked", result)
        self.assertIn(reason, result.reasons("web"), result)
        self.assertEqual(len(self.requests()), 1)
        self.assertEqual(len(read_lines(undelivered)), 20)

    def test_400_is_the_records_own_fault(self):
        self.scripted({"status": 400, "body": {"error": "no such field"}})
        self.failed("400", kind="rejected")
        self.assertEqual(len(self.requests()), 1)

    def test_410_blocks(self):
        self.blocks({"status": 410}, "the endpoint is gone")

    def test_401_blocks(self):
        self.blocks({"status": 401}, "401")

    def test_a_redirect_is_not_followed(self):
        SANDBOX.script("/elsewhere", [{"status": 200, "times": -1}])
        self.blocks({"status": 302, "headers": {"Location": "/elsewhere"}},
                    "which is not followed")
        self.assertFalse([one for one in SANDBOX.requests()
                          if one["path"] == "/elsewhere"])

    def test_a_hanging_server(self):
        self.scripted({"hang": True})
        self.failed("no answer from localhost")
        self.assertEqual(len(self.requests()), 4)

    def test_a_huge_answer(self):
        self.scripted({"status": 500, "huge_mb": 64})
        self.failed("every attempt failed")
        self.assertEqual(len(self.requests()), 4)

    def test_the_wrong_key(self):
        SANDBOX.expect(self.path, {"auth": "bearer", "key": "right"})
        self.host.webhook("web", self.url, auth="bearer", api_key=self.host
                          .secret("web.key", "wrong-key-of-a-test"))
        self.failed("401", state="blocked")


class Gates(Faults):
    """Retry-After holds the whole lane, not the delivery alone."""

    def gated(self, step, least):
        SANDBOX.script(self.path, [step])
        self.host.webhook("web", self.url, delivery=ALONE)
        self.sent(3)
        taken = self.requests()
        self.assertEqual(len(taken), 4)
        self.assertEqual(taken[0]["status"], step["status"])
        for one in taken[1:]:
            self.assertGreaterEqual(moment(one) - moment(taken[0]), least)

    def test_seconds(self):
        self.gated({"status": 429, "retry_after": "1"}, 0.98)

    def test_a_date(self):
        # A date has whole seconds, so up to one of the two is lost.
        self.gated({"status": 503, "retry_date": 2}, 0.9)

    def test_longer_than_anybody_waits(self):
        SANDBOX.script(self.path, [{"status": 429, "retry_after": "86400"}])
        self.host.webhook("web", self.url, delivery=ALONE)
        result = self.host.send([event(1), event(2)])
        self.assertEqual(result.status, 1, result)
        self.assertIn("longer than --retry-for", result.reasons("web"))
        self.assertEqual(len(self.requests()), 1)


class Picky(Receiver):
    """Refuses each request that holds the culprit."""

    def reply(self, records):
        return 400 if {"id": "13"} in records else 200


class Late(Receiver):
    """Refuses the first two requests."""

    refused = 0

    def reply(self, records):
        self.refused += 1
        return 503 if self.refused <= 2 else 200


class Batches(Faults):
    def test_a_batch_comes_again_as_it_was(self):
        receiver = self.enter(Late())
        self.host.webhook("web", receiver.url, delivery='<batch max="50" '
                          'wait="1s"/><retry schedule="20ms 200ms"/>')
        result = self.host.send(event(i) for i in range(30))
        self.assertEqual(result.status, 0, result)
        self.assertEqual([[int(one["id"]) for one in taken.records]
                          for taken in receiver.taken],
                         [list(range(30))] * 3)

    def test_one_bad_record_does_not_reject_a_batch(self):
        receiver = self.enter(Picky())
        self.host.webhook("web", receiver.url,
                          delivery='<batch max="32" wait="1s"/>')
        undelivered = self.host.directory / "undelivered"
        result = self.host.send([event(i) for i in range(32)],
                                "--undelivered", undelivered)
        self.assertEqual(result.status, 1, result)
        lane = result.lane("web")
        self.assertEqual((lane["delivered"], lane["rejected"]), (31, 1))
        self.assertEqual([one["id"] for one in read_lines(undelivered)],
                         ["event-13"])


if __name__ == "__main__":
    unittest.main()
