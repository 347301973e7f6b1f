#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an operator does to herald on a bad day: files given twice, standard
files closed, pipes, large configurations, signals at the wrong time."""

import os
import signal
import subprocess
import threading
import time
import unittest

from host import Case, NETWORK, SECONDS, event, lines, read_lines, wait_until
from receiver import Receiver


class Operator(Case):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.host.webhook("web", self.receiver.url)


class SameFile(Operator):
    """A file that is read must not be written to at the same time."""

    def refused(self, result, *texts):
        self.assertEqual(result.status, 2, result)
        self.assertEqual(self.receiver.n_requests, 0)
        for text in texts:
            self.assertIn(text, result.err)

    def test_undelivered_is_an_input(self):
        path = self.host.write("e.ndjson", lines([event(1)]))
        other = self.host.write("f.ndjson", lines([event(2)]))
        self.refused(self.host.run("send", other, path, "--undelivered",
                                   "./e.ndjson"),
                     "--undelivered", "e.ndjson", "another")
        self.assertEqual(read_lines(path), [event(1)])

    def test_rejects_is_an_input_by_another_name(self):
        path = self.host.write("e.ndjson", lines([b"no event"]))
        link = self.host.directory / "link"
        link.symlink_to(path)
        self.refused(self.host.run("send", path, "--rejects", link),
                     "--rejects", "link")

    def test_undelivered_is_standard_input(self):
        path = self.host.write("e.ndjson", lines([event(1)]))
        with open(path, "rb") as stdin:
            done = subprocess.run(
                self.host.command("send", "--undelivered", path),
                stdin=stdin, capture_output=True, timeout=SECONDS)
        self.refused(self.host.checked(done.returncode, done.stdout,
                                       done.stderr), "standard input")

    def test_rejects_and_undelivered_are_one(self):
        self.refused(self.host.send([event(1)], "--undelivered", "out",
                                    "--rejects", "./out"),
                     "--rejects", "--undelivered")

    def test_a_device_is_no_file(self):
        result = self.host.send([event(1), b"bad"], "--undelivered",
                                "/dev/null", "--rejects", "/dev/null")
        self.assertEqual(result.status, 1, result)
        self.assertEqual(self.receiver.n_events, 1)

    def test_half_a_line_of_a_run_before_spoils_no_other(self):
        """kill -9 can leave one; what comes next begins a line."""
        path = self.host.write("late.ndjson", lines([event(1)])[:-20])
        self.host.webhook("web", "http://127.0.0.1:1/")
        self.host.send([event(2)], "--undelivered", path, "--retry-for",
                       "0")
        text = path.read_bytes().splitlines()
        self.assertEqual(len(text), 2, text)
        self.assertIn(b'"event-2"', text[1])
        self.assertTrue(text[1].startswith(b"{"), text)


class Standard(Operator):
    """0, 1 and 2 may be closed."""

    def closed(self, closing, *arguments):
        command = self.host.command(*arguments)
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" ' + closing, "sh", *command],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
            cwd=self.host.directory)
        return self.host.checked(done.returncode, done.stdout, done.stderr)

    def test_standard_output_is_closed(self):
        """The report must not end up in what is opened in its place."""
        self.host.write("e.ndjson", lines([event(1), b"bad"]))
        result = self.closed(">&-", "send", "e.ndjson", "--undelivered",
                             "late", "--rejects", "bad")
        self.assertEqual(self.receiver.n_events, 1)
        self.assertEqual((self.host.directory / "late").read_bytes(), b"")
        self.assertEqual(len(read_lines(self.host.directory / "bad")), 1)
        self.assertEqual(result.status, 4, result)
        self.assertIn("standard output can't be written", result.err)

    def test_standard_error_is_closed(self):
        self.host.write("e.ndjson", lines([event(1), b"bad"]))
        result = self.closed("2>&-", "send", "e.ndjson", "--undelivered",
                             "late", "--rejects", "bad", "--json")
        self.assertEqual(result.status, 1, result)
        self.assertEqual((self.host.directory / "late").read_bytes(), b"")
        self.assertEqual(len(read_lines(self.host.directory / "bad")), 1)

    def test_all_are_closed(self):
        self.host.write("e.ndjson", lines([event(1), b"bad"]))
        self.closed("<&- >&- 2>&-", "send", "e.ndjson", "--undelivered",
                    "late", "--rejects", "bad")
        self.assertEqual(self.receiver.n_events, 1)
        self.assertEqual((self.host.directory / "late").read_bytes(), b"")
        self.assertEqual(len(read_lines(self.host.directory / "bad")), 1)

    def test_standard_input_is_closed(self):
        result = self.closed("<&-", "send")
        self.assertEqual(result.status, 4, result)
        self.assertIn("standard input", result.err)

    def test_nobody_reads_the_output(self):
        result = self.closed("| true", "list")
        self.assertIn(result.status, (0, 4), result)


class Pipes(Operator):
    def fifo(self):
        path = self.host.directory / "pipe"
        os.mkfifo(path)
        return path

    def test_a_named_pipe_is_opened_once(self):
        path = self.fifo()

        def feed():
            with open(path, "wb", buffering=0) as file:
                for i in range(20):
                    file.write(lines([event(i)]))
                    time.sleep(0.01)

        thread = threading.Thread(target=feed)
        thread.start()
        try:
            result = self.host.run("send", "--json", path)
        finally:
            thread.join()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.receiver.n_events, 20)

    def test_a_pipe_nobody_writes_to_can_be_stopped(self):
        with self.host.start("send", self.fifo()) as running:
            time.sleep(0.5)
            running.interrupt()
            result = running.end()
        self.assertEqual(result.status, 1, result)
        self.assertIn("stopping", result.err)


class Signals(Operator):
    def test_stops_while_nothing_matches(self):
        """Reading alone must not make it deaf."""
        path = self.host.directory / "many"
        one = lines([event(1, workspace="beta")])
        with open(path, "wb") as file:
            for _ in range(100):
                file.write(one * 5000)
        self.host.webhook("web", self.receiver.url, extra=
                          "<workspaces><workspace>acme</workspace>"
                          "</workspaces>")
        # So often that no machine is through with it before it is told.
        with self.host.start("send", "--json", *[path] * 20) as running:
            time.sleep(0.5)
            running.interrupt()
            result = running.end()
        self.assertEqual(result.status, 1, result)
        self.assertTrue(result.report["stopped"], result)

    def test_sigterm_is_as_ctrl_c(self):
        slow = self.enter(Receiver(latency=0.3))
        self.host.webhook("web", slow.url)
        with self.host.start("send", "--json", "--undelivered", "late",
                             "-") as running:
            running.process.stdin.write(lines([event(1)]))
            running.process.stdin.flush()
            wait_until(lambda: slow.in_flight, "a request")
            running.process.send_signal(signal.SIGTERM)
            result = running.end()
        self.assertEqual(result.lane("web")["delivered"], 1, result)

    def test_enable_is_killed_at_any_moment(self):
        path = self.host.webhook("web", self.receiver.url, enabled=False)
        before = path.read_bytes()
        after = before.replace(b'enabled="false"', b'enabled="true"')
        for delay in range(0, 40, 2):
            process = subprocess.Popen(self.host.command("enable", "web"),
                                       stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(delay / 1000)
            process.kill()
            process.wait()
            self.assertIn(path.read_bytes(), (before, after))
            path.write_bytes(before)
        self.assertEqual(self.host.run("check").status, 0)


class Large(Operator):
    def test_more_errors_than_are_kept(self):
        whens = '<when source="score" abve="1"/>\n' * 1000
        path = self.host.webhook("web", self.receiver.url, extra=whens)
        result = self.host.run("check")
        self.assertEqual(result.status, 1)
        self.assertIn("2000 errors, 0 warnings", result.out)
        self.assertIn(f"{path}:4: ", result.err)
        self.assertLess(len(result.err.splitlines()), 600)

    def test_ten_thousand_conditions(self):
        whens = '<when source="score" above="1"/>' * 10000
        self.host.webhook("web", self.receiver.url, extra=whens)
        result = self.host.send([event(1, score=2), event(2, score=0)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.receiver.n_events, 1)

    def test_two_hundred_integrations(self):
        for i in range(200):
            self.host.webhook(f"web-{i}", self.receiver.url)
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.receiver.n_events, 201)

    def test_herald_xml_of_five_megabytes(self):
        self.host.herald_xml("<!-- " + "x" * 5_000_000 + " -->")
        result = self.host.run("check")
        self.assertEqual(result.status, 3, result)
        self.assertIn("herald.xml: ", result.err)
        self.assertIn("larger than", result.err)

    def test_a_megabyte_of_unknown_elements(self):
        self.host.herald_xml("".join(f"<a{i}/>" for i in range(90000)))
        start = time.monotonic()
        result = self.host.run("check")
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual(result.status, 3, result)

    def test_thousands_of_workspaces(self):
        self.host.write("etc/herald.xml", (
            '<herald xmlns="urn:herald:config:1"><workspaces>'
            + "".join(f'<workspace name="w{i}"/>' for i in range(5000))
            + "</workspaces>" + NETWORK + "</herald>"))
        start = time.monotonic()
        result = self.host.run("check")
        self.assertEqual(result.status, 0, result)
        self.assertLess(time.monotonic() - start, 20)

    def test_five_thousand_members(self):
        data = {f"extra{i}": i for i in range(5000)}
        result = self.host.send([event(i, **data) for i in range(20)])
        self.assertEqual(result.status, 0, result)

    def test_the_deepest_event_in_the_deepest_record(self):
        value = []
        for _ in range(61):
            value = [value]
        target = ".".join("abcdefghijklmnop")
        self.host.webhook(
            "web", self.receiver.url,
            f'<map nested="true"><field name="{target}" source="profil"/>'
            "</map>", delivery='<batch max="10"/>')
        result = self.host.send([event(1, profil=value)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.receiver.n_events, 1)

    def test_a_very_long_time(self):
        result = self.host.send([event(1)], "--retry-for",
                                "9000000000000000000ms")
        self.assertIn(result.status, (0, 2), result)


class Files(Operator):
    """What lies in conf.d and is no descriptor."""

    def says(self, name, *texts):
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        line = next((one for one in result.err.splitlines()
                     if f"/{name}: " in one), "")
        for text in texts:
            self.assertIn(text, line, result)
        self.assertIn("1 in order, 1 broken, 1 error",
                      result.out.replace("integration in", "in"))
        # Others go on; what this one would have got nobody knows.
        self.assertEqual(self.host.send([event(1)]).status, 1)
        self.assertEqual(self.receiver.n_events, 1)
        result = self.host.run("enable", name[:-4])
        self.assertEqual(result.status, 3, result)
        self.assertIn(f"{name} has errors", result.err)

    def test_a_pipe(self):
        os.mkfifo(self.host.conf_d / "pipe.xml", 0o644)
        self.says("pipe.xml", "is no regular file")

    def test_a_directory(self):
        (self.host.conf_d / "more.xml").mkdir()
        self.says("more.xml", "is no regular file")

    def test_a_link_to_nothing(self):
        (self.host.conf_d / "gone.xml").symlink_to("nowhere.xml")
        self.says("gone.xml", "no such file")

    def test_a_link_that_goes_in_circles(self):
        (self.host.conf_d / "loop.xml").symlink_to("loop.xml")
        self.says("loop.xml", "symbolic links")

    def test_a_link_to_a_descriptor_is_enabled_where_it_lies(self):
        path = self.host.webhook("other", self.receiver.url, enabled=False)
        real = self.host.directory / "real.xml"
        path.rename(real)
        path.symlink_to(real)
        result = self.host.run("enable", "other")
        self.assertEqual(result.status, 0, result)
        self.assertTrue(path.is_symlink())
        self.assertIn('enabled="true"', real.read_text())


class Add(Operator):
    def test_no_label_ends_its_comment(self):
        self.host.plugins = os.environ["TEST_MODULES"]
        result = self.host.run("add", "careless", "new", "key=email")
        self.assertEqual(result.status, 0, result)
        text = (self.host.conf_d / "new.xml").read_text()
        self.assertIn("<!-- Key - - of - -> -->", text)
        self.host.conf_d.joinpath("web.xml").unlink()
        result = self.host.run("check")
        self.assertEqual(result.status, 0, result)


class Terminal(Operator):
    def test_explain_shows_escapes_and_does_not_send_them(self):
        """What a participant typed must not steer the terminal."""
        self.host.mailer("mail", 25)
        name = "Eve\x1b]0;owned\x07\u009b2J\x7f"
        path = self.host.write("e.ndjson", lines(
            [event(1, email="eve@example.com", firstName=name)]))
        result = self.host.run("explain", path, "-i", "mail")
        self.assertEqual(result.status, 0, result)
        self.assertIn("Hello Eve", result.out)
        for bad in ("\x1b", "\x07", "\u009b", "\x7f"):
            self.assertNotIn(bad, result.out)


if __name__ == "__main__":
    unittest.main()
