#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an operator asks and tells while herald intake and herald worker run:
the commands change what goes out, and what they and /metrics say is what
happened."""

import importlib.util
import os
import signal
import subprocess
import time
import unittest

from host import NETWORK, SECONDS, event, is_required, wait_until
from intake import BATCH, IntakeCase, array, post
from receiver import Receiver

KEYED = '<map><field name="id" source="id"/><field name="email" ' \
        'source="email"/></map>'


class Service(Receiver):
    status = 200

    def reply(self, records):
        return self.status


class Daemon(IntakeCase):
    def configure(self):
        self.service = self.enter(Service())
        self.host.herald_xml(
            NETWORK + "<intake>"
            f'<listen address="127.0.0.1:{self.port}"/>'
            f'<listen socket="{self.socket}"/>'
            '<tokens path="intake.tokens"/></intake>')
        self.host.webhook("crm", self.service.url, KEYED)

    def setUp(self):
        super().setUp()
        # What nobody answers, beside it: made by IntakeCase.
        self.host.run("disable", "web")
        self.running.process.send_signal(signal.SIGHUP)
        self.err = self.enter(open(self.host.directory / "worker.err", "w+b"))
        self.worker = subprocess.Popen(
            self.host.command("worker"), stderr=self.err,
            stdin=subprocess.DEVNULL, cwd=self.host.directory)
        self.addCleanup(self.stop_worker)
        wait_until(lambda: self.row().get("state") == "open", "the lane")

    def stop_worker(self):
        if self.worker.poll() is not None:
            return
        self.worker.send_signal(signal.SIGTERM)
        self.assertEqual(self.worker.wait(SECONDS), 0)
        self.err.seek(0)
        self.host.checked(0, b"", self.err.read())

    def accept(self, *events):
        reply = self.ask(post(array(events), BATCH))
        self.assertEqual(reply.status, 202, reply)

    def done(self, *arguments, status=0, **options):
        result = self.host.run(*arguments, **options)
        self.assertEqual(result.status, status, result)
        return result

    def row(self):
        rows = self.done("status", "--json").json["integrations"]
        return {one["integration"]: one for one in rows}.get("crm", {})

    def until(self, **wanted):
        wait_until(lambda: wanted.items() <= self.row().items(), str(wanted))

    def paused(self):
        """Once its worker knows: what is accepted from now on stays."""
        self.done("pause", "crm")
        wait_until(lambda: b'herald_lane_state="paused"} 1\n'
                   in self.get("/metrics").body, "the worker's pause")

    def metrics(self):
        if importlib.util.find_spec("prometheus_client") is None:
            if is_required():
                self.fail("python3-prometheus-client is missing")
            self.skipTest("python3-prometheus-client is missing")
        from prometheus_client.openmetrics import parser
        reply = self.get("/metrics")
        self.assertEqual(reply.status, 200, reply)
        return {(sample.name, tuple(sorted(sample.labels.items()))):
                sample.value for family in
                parser.text_string_to_metric_families(reply.body.decode())
                for sample in family.samples}

    def test_figures_are_what_happened(self):
        self.accept(*(event(n) for n in range(20)))
        self.until(delivered=20, waiting=0, inFlight=0)
        self.assertEqual(self.service.n_events, 20)
        row = self.row()
        self.assertEqual((row["attemptTime"]["count"] > 0,
                          row["eventAge"]["count"], row["provider"]),
                         (True, 20, "custom-api"))
        status = self.done("status", "--json").json
        self.assertEqual(
            {one["name"]: (one["up"], one["pid"])
             for one in status["processes"]},
            {"intake": (True, self.running.process.pid),
             "worker-0": (True, self.worker.pid)})
        self.assertEqual(status["intake"]["accepted"], 20)
        trace = self.done("trace", "--json", "event-7").json
        self.assertEqual([(one["integration"], one["end"], one["status"])
                          for one in trace["attempts"]],
                         [("crm", "delivered", 200)])
        self.assertEqual(trace["left"], [])
        crm = (("integration", "crm"), ("provider", "custom-api"))
        wait_until(lambda: self.metrics().get(
            ("herald_deliveries_delivered_total", crm)) == 20, "metrics")
        metrics = self.metrics()
        self.assertEqual(metrics["herald_events_accepted_total", ()], 20)
        self.assertEqual(
            metrics["herald_lane_state",
                    (("herald_lane_state", "open"), *crm)], 1)
        self.assertEqual(
            metrics["herald_process_up", (("process", "worker-0"),)], 1)
        self.assertEqual(metrics["herald_event_age_seconds_count", crm], 20)

    def test_pause_keeps_and_resume_lets_go(self):
        self.paused()
        self.accept(event(1), event(2))
        time.sleep(0.5)
        self.assertEqual(self.service.n_events, 0)
        self.assertEqual(self.row()["state"], "paused")
        self.assertEqual(self.row()["waiting"], 2)
        self.done("resume", "crm")
        self.until(state="open", delivered=2, waiting=0)

    def test_forget_while_it_runs(self):
        self.paused()
        self.accept(event(1, email="Ada@example.com"),
                    event(2, email="bob@example.com"))
        self.assertEqual(self.done("forget", "-", stdin=b"ada@example.com")
                         .out, "1 event erased\n")
        self.done("resume", "crm")
        self.until(delivered=1, waiting=0)
        self.assertEqual([one["email"] for one in self.service.records()],
                         ["bob@example.com"])

    def test_replay_of_what_was_rejected(self):
        self.service.status = 422
        self.accept(event(1))
        self.until(dead=1)
        letter, = self.done("dead", "--json").json["letters"]
        self.assertEqual((letter["id"], letter["attempts"]), ("event-1", 1))
        self.assertIn("422", letter["reason"])
        self.assertIn("422", self.row()["lastFailure"])
        self.assertEqual(self.row()["rejected"], {"client": 1})
        self.service.status = 200
        self.done("dead", "replay", "-i", "crm")
        self.until(dead=0, delivered=1)

    def test_nothing_is_lost_when_the_worker_is_killed(self):
        self.accept(event(1))
        self.until(delivered=1)
        self.worker.kill()
        self.worker.wait()
        self.accept(event(2))
        row = self.row()
        self.assertEqual((row["delivered"], row["waiting"]), (1, 1))
        self.worker = subprocess.Popen(
            self.host.command("worker"), stderr=self.err,
            stdin=subprocess.DEVNULL, cwd=self.host.directory)
        self.until(delivered=2, waiting=0, state="open")
        starts = {one["name"]: one["starts"] for one in
                  self.done("status", "--json").json["processes"]}
        self.assertEqual(starts, {"intake": 1, "worker-0": 2})


class Serve(IntakeCase):
    """The whole daemon."""

    def begin(self):
        running = self.enter(self.host.start("serve"))
        running.wait_for(f"listening on {self.socket}")
        return running

    def status(self):
        return self.host.run("status", "--json").json

    def up(self):
        return {one["name"]: one["pid"] for one in
                self.status()["processes"] if one["up"]}

    def test_reload_looks_at_the_tokens(self):
        """As herald check does; the intake keeps those it has."""
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        self.tokens("shop short acme\n")
        result = self.host.run("reload")
        self.assertEqual(result.status, 1, result)
        self.assertIn("intake.tokens", result.err)
        self.assertEqual(self.ask(post(array([event(1)]), BATCH)).status, 202)

    def test_reload_tells_what_only_a_start_changes(self):
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        path = self.host.etc / "herald.xml"
        text = path.read_text()
        for old, new, what in (("<store ", '<store most="1G"', "<store>: "),
                               ("</intake>", '<limits timeout="9s"/></intake>',
                                "<intake>: ")):
            text = text.replace(old, new)
            path.write_text(text)
            result = self.host.run("reload")
            self.assertEqual(result.status, 1, result)
            self.assertRegex(result.out, f"(?m)^kept: {what}.* until herald "
                                         "serve is started again$")

    def test_reload_with_another_secret(self):
        """The descriptors are the same, and it is taken over."""
        service = self.enter(Receiver())
        self.host.webhook("web", service.url, auth="bearer",
                          api_key=self.host.secret("key", "first-key"))
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        self.assertEqual(self.host.run("reload").status, 0)
        self.host.secret("key", "second-key")
        self.assertIn("secrets and tokens were read again",
                      self.host.run("reload").out)

    def test_a_secret_that_the_service_lacks(self):
        """herald check can't tell, so the lane does."""
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        self.host.webhook("new", "https://example.com/", auth="bearer",
                          api_key='from="env" variable="NOT_THERE"')
        self.assertEqual(self.host.run("check").status, 0)
        self.host.run("reload")
        row, = (one for one in self.status()["integrations"]
                if one["integration"] == "new")
        self.assertEqual(row["state"], "parked")
        self.assertIn("environment variable NOT_THERE is not set",
                      row["stateReason"])

    def test_a_switch_is_told_to_want_a_reload(self):
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        for command in (["disable", "web"], ["enable", "web"],
                        ["remove", "--yes", "web"]):
            self.assertIn('until "herald reload"',
                          self.host.run(*command).err)

    def test_status_tells_why_events_were_refused(self):
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        self.assertEqual(self.ask(post(b'{"id":1}')).status, 400)
        self.assertRegex(self.host.run("status").out,
                         r"(?m)^accepted 0 .* refused 1 \(invalid 1\)  ")

    def test_status_names_the_processes(self):
        wait_until(lambda: "worker-0" in self.up(), "the worker")
        status = self.status()
        self.assertEqual(status["supervisor"], self.running.process.pid)
        text = self.host.run("status").out
        self.assertRegex(text, rf"(?m)^serve up \({status['supervisor']}\)$")
        before = self.up()
        os.kill(before["worker-0"], signal.SIGKILL)
        wait_until(lambda: self.up().get("worker-0")
                   not in (None, before["worker-0"]), "another worker")
        self.assertRegex(self.host.run("status").out,
                         r"(?m)^worker-0 up \(\d+\) for .*, started 2 times$")
        self.end()
        status = self.status()
        self.assertIsNone(status["supervisor"])
        self.assertFalse(status["running"])
        self.assertIn("no daemon runs here", self.host.run("status").out)


if __name__ == "__main__":
    unittest.main()
