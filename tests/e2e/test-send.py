#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald send from the outside: what comes in, what goes out, what it says.
"""

import contextlib
import json
import os
import subprocess
import unittest
from pathlib import Path

from host import Case, event, lines, read_lines
from receiver import Receiver


class Send(Case):
    """Each test has a host and a receiver of its own."""

    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.host.webhook("web", self.receiver.url)

    def ids(self):
        return sorted(one["id"] for one in self.receiver.records())

    def check(self, result, status, delivered):
        self.assertEqual(result.status, status, result)
        self.assertEqual(result.lane("web")["delivered"], delivered, result)


class Input(Send):
    def test_lines_from_standard_input(self):
        result = self.host.send(event(i) for i in range(50))
        self.check(result, 0, 50)
        self.assertEqual(self.ids(), sorted(str(i) for i in range(50)))
        self.assertEqual(result.report["events"], 50)

    def test_an_array(self):
        text = json.dumps([event(i) for i in range(5)], indent=2)
        result = self.host.run("send", "--json", stdin=text.encode())
        self.check(result, 0, 5)

    def test_several_files_one_of_them_an_array(self):
        first = self.host.write("1.ndjson", lines([event(1), event(2)]))
        second = self.host.write("2.json", json.dumps([event(3)]))
        result = self.host.run("send", "--json", first, second, "-",
                               stdin=lines([event(4)]))
        self.check(result, 0, 4)
        self.assertEqual(self.ids(), ["1", "2", "3", "4"])

    def test_crlf_blank_lines_a_byte_order_mark_and_no_last_line_break(self):
        text = (b"\xef\xbb\xbf" + lines([event(1)]).replace(b"\n", b"\r\n")
                + b"\r\n  \n" + lines([event(2)]).rstrip())
        result = self.host.run("send", "--json", stdin=text)
        self.check(result, 0, 2)

    def test_nothing_is_fine(self):
        self.check(self.host.send([]), 0, 0)

    def test_data_alone_needs_a_workspace(self):
        data = [{"id": "7", "email": "a@example.com"}]
        rejects = self.host.directory / "rejects"
        result = self.host.send(data, "--rejects", rejects)
        self.check(result, 1, 0)
        self.assertIn("--workspace", read_lines(rejects)[0]["reason"])
        result = self.host.send(data, "--workspace", "acme")
        self.check(result, 0, 1)
        self.assertEqual(self.ids(), ["7"])

    def test_data_alone_has_an_id_of_its_own_each(self):
        undelivered = self.host.directory / "undelivered"
        self.host.webhook("web", "http://127.0.0.1:1/",
                          delivery='<retry schedule="1ms"/>')
        self.host.send([{"id": "7"}, {"id": "7"}], "--workspace", "acme",
                       "--undelivered", undelivered)
        kept = read_lines(undelivered)
        self.assertEqual(len(kept), 2)
        self.assertNotEqual(kept[0]["id"], kept[1]["id"])
        self.assertEqual(kept[0]["workspace"], "acme")
        self.assertEqual(kept[0]["data"], {"id": "7"})


class Bad(Send):
    BAD = [b'{"specversion":"1.0"', b"no JSON", b"[]", b"17",
           json.dumps(event(9, workspace=None)).encode(),
           json.dumps(event(9, workspace="nobody")).encode()]

    def test_bad_lines_are_kept_and_stop_nothing(self):
        path = self.host.directory / "rejects"
        mixed = [event(0)]
        for i, bad in enumerate(self.BAD):
            mixed += [bad, event(i + 1)]
        source = self.host.write("mixed", lines(mixed))
        result = self.host.run("send", "--json", "--rejects", path, source)
        self.check(result, 1, len(self.BAD) + 1)
        self.assertEqual(result.report["badLines"], len(self.BAD))
        kept = read_lines(path)
        self.assertEqual([one["line"] for one in kept],
                         [2 + 2 * i for i in range(len(self.BAD))])
        self.assertEqual([one["file"] for one in kept],
                         [str(source)] * len(kept))
        for one, bad in zip(kept[:4], self.BAD):
            self.assertEqual(one["text"], bad.decode())
            self.assertTrue(one["reason"])
        self.assertIn("workspace", kept[4]["reason"])
        self.assertIn("nobody", kept[5]["reason"])
        for i in range(len(self.BAD)):
            self.assertIn(f"{source}:{2 + 2 * i}: ", result.err)

    def test_rejects_are_appended_and_private(self):
        path = self.host.directory / "rejects"
        for _ in range(2):
            self.host.send([b"bad"], "--rejects", path)
        self.assertEqual(len(read_lines(path)), 2)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)


class Codes(Send):
    def test_bad_usage_is_2(self):
        for arguments in (["send", "--no-such-option"], ["sned"], [],
                          ["send", "--retry-for", "soon"],
                          ["send", "--workspace"], ["--log", "xml", "send"]):
            result = self.host.run(*arguments)
            self.assertEqual(result.status, 2, (arguments, str(result)))
            self.assertTrue(result.err)
        self.assertIn("did you mean --undelivered",
                      self.host.run("send", "--undeliverd", "x").err)
        self.assertIn("did you mean send", self.host.run("sned").err)

    def test_an_unusable_configuration_is_3(self):
        result = self.host.send([event(1)], "--integration", "wbe")
        self.assertEqual(result.status, 3, result)
        self.assertIn("did you mean web?", result.err)
        (self.host.etc / "herald.xml").unlink()
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 3, result)
        self.assertIn("herald.xml", result.err)

    def test_a_file_that_cannot_be_read_or_written_is_4(self):
        good = self.host.write("good", lines([event(1)]))
        for arguments in ((good, "missing.ndjson"), (self.host.directory,),
                          ("--rejects", "no/such", good),
                          ("--undelivered", "no/such", good)):
            result = self.host.run("send", "--json", *arguments)
            self.assertEqual(result.status, 4, result)
        self.assertEqual(self.receiver.n_requests, 0)

    def test_what_was_not_delivered_is_1(self):
        self.host.webhook("web", "http://127.0.0.1:1/",
                          delivery='<retry schedule="1ms 1ms"/>')
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 1, result)
        lane = result.lane("web")
        self.assertEqual((lane["undelivered"], lane["retried"]), (1, 2))
        self.assertIn("nothing listens at 127.0.0.1:1",
                      result.reasons("web"))


class Reports(Send):
    def test_the_table(self):
        self.host.webhook("down", "http://127.0.0.1:1/",
                          delivery='<retry schedule="1ms"/>')
        result = self.host.run("send", stdin=lines([event(1), event(2)]))
        rows = {row.split()[0]: row.split()
                for row in result.out.splitlines() if row.strip()}
        self.assertEqual(rows["INTEGRATION"][:5], [
            "INTEGRATION", "DELIVERED", "REJECTED", "UNDELIVERED",
            "RETRIED"])
        self.assertEqual(rows["web"][1:5], ["2", "0", "0", "0"])
        self.assertEqual(rows["down"][1:5], ["0", "0", "2", "2"])
        self.assertIn("ms", rows["web"])
        self.assertRegex(result.out, r"down: 2 x .*nothing listens")
        self.assertIn("2 events in ", result.out)

    def test_json_has_latencies_and_nothing_else_on_standard_output(self):
        result = self.host.send([event(1)])
        lane = result.lane("web")
        self.assertGreater(lane["p50Us"], 0)
        self.assertGreaterEqual(lane["p95Us"], lane["p50Us"])
        self.assertEqual(lane["provider"], "custom-api")

    def test_quiet_prints_nothing(self):
        result = self.host.run("send", "--quiet", stdin=lines([event(1)]))
        self.assertEqual((result.status, result.out, result.err),
                         (0, "", ""))

    def test_progress_on_a_terminal_and_only_there(self):
        near, far = os.openpty()
        self.addCleanup(os.close, near)
        source = self.host.write("events", lines(event(i)
                                                 for i in range(500)))
        with os.fdopen(far, "wb") as terminal:
            done = subprocess.run(self.host.command("send", source),
                                  stdout=subprocess.PIPE, stderr=terminal,
                                  stdin=subprocess.DEVNULL, timeout=60)
        shown = b""
        with contextlib.suppress(OSError):      # EIO: that was all
            while piece := os.read(near, 65536):
                shown += piece
        shown = shown.decode()
        self.assertEqual(done.returncode, 0, shown)
        self.assertRegex(shown, r"\[#*\.*\] +\d+ %")
        self.assertRegex(shown, r"\d+ events +\d+/s +delivered \d+ +"
                         r"retrying 0 +failed 0")
        self.assertTrue(shown.endswith("\r\x1b[K"))     # leaves nothing
        self.assertEqual(self.host.send([event(1)]).err, "")

    def test_a_full_standard_output_is_4(self):
        if not Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        with open("/dev/full", "wb") as full:
            done = subprocess.run(self.host.command("send", "--json"),
                                  input=lines([event(1)]), stdout=full,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 4, done.stderr)


class Undelivered(Send):
    def test_sent_again_only_to_who_lacked_it(self):
        path = self.host.directory / "undelivered"
        self.host.webhook("down", "http://127.0.0.1:1/",
                          delivery='<retry schedule="1ms"/>')
        result = self.host.send([event(1, firstName="Zoë"), event(2)],
                                "--undelivered", path)
        self.check(result, 1, 2)
        self.assertEqual(result.report["undeliveredEvents"], 2)
        kept = sorted(read_lines(path), key=lambda one: one["id"])
        self.assertEqual([one["heraldto"] for one in kept], ["down"] * 2)
        self.assertEqual(kept[0]["data"], {"id": "1", "firstName": "Zoë"})
        with Receiver() as other:
            self.host.webhook("down", other.url)
            again = self.host.run("send", "--json", path)
            self.assertEqual(again.status, 0, again)
            self.assertEqual(sorted(one["id"] for one in other.records()),
                             ["1", "2"])
        self.assertEqual(self.ids(), ["1", "2"])        # not twice

    def test_a_broken_integration_is_skipped_and_its_events_are_kept(self):
        path = self.host.directory / "undelivered"
        self.host.webhook("broken", "https://localhost/", auth="bearer")
        result = self.host.send([event(1)], "--undelivered", path)
        self.check(result, 1, 1)
        self.assertEqual(result.lane("broken")["state"], "skipped")
        self.assertEqual(read_lines(path)[0]["heraldto"], "broken")

    def test_rejected_is_kept_too(self):
        self.host.webhook("web", self.receiver.url, '<map><field name="id" '
                          'source="email" missing="fail"/></map>')
        path = self.host.directory / "undelivered"
        result = self.host.send([event(1), event(2, email="a@example.com")],
                                "--undelivered", path)
        self.check(result, 1, 1)
        self.assertEqual(result.lane("web")["rejected"], 1)
        self.assertIn("email", result.reasons("web"))
        self.assertEqual([one["id"] for one in read_lines(path)],
                         ["event-1"])


if __name__ == "__main__":
    unittest.main()
