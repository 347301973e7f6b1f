#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Events that are wrong, and disks that are full: nothing is lost silently,
and the next line is delivered."""

import base64
import json
import os
import resource
import signal
import subprocess
import unittest
from pathlib import Path

from host import SECONDS, Case, event, is_sanitized, lines, read_lines
from receiver import Receiver

MIB = 1 << 20


class Input(Case):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.host.webhook("web", self.receiver.url)
        self.rejects = self.host.directory / "rejects"

    def rejected(self, bad, reason):
        """The line is kept with that reason, the one after it delivered."""
        result = self.host.send([bad, event("next")], "--rejects",
                                self.rejects)
        self.assertEqual(result.status, 1, result)
        self.assertEqual([one["id"] for one in self.receiver.records()],
                         ["next"])
        kept = read_lines(self.rejects)
        self.assertEqual(len(kept), 1)
        self.assertIn(reason, kept[0]["reason"])
        self.assertEqual(kept[0]["line"], 1)
        self.assertIn(f"standard input:1: {kept[0]['reason']}", result.err)
        return kept[0]

    def test_no_workspace(self):
        self.rejected(event(1, workspace=None), "workspace is missing")

    def test_an_undeclared_workspace(self):
        self.rejected(event(1, workspace="nobody"), "nobody")

    def test_bad_utf8(self):
        bad = lines([event(1, email="X")]).strip().replace(b"X", b"\xff\xfe")
        kept = self.rejected(bad, "UTF-8")
        self.assertEqual(base64.b64decode(kept["base64"]), bad)

    def test_duplicate_keys(self):
        bad = json.dumps(event(1))[:-1] + ',"id":"event-2"}'
        self.rejected(bad.encode(), "not JSON at byte")
        self.receiver.taken.clear()
        self.rejects.unlink()
        bad = json.dumps(event(1)).replace('"data": {',
                                           '"data": {"id": "0", ')
        self.rejected(bad.encode(), "not JSON at byte")

    def test_other_lines_that_are_no_events(self):
        for bad, reason in (
                ({**event(1), "specversion": "0.3"}, "specversion is not 1.0"),
                ({**event(1), "data": "text"}, "data is not an object"),
                ({**event(1), "id": ""}, "id is empty"),
                ({**event(1), "time": "yesterday"}, "RFC 3339"),
                ({**event(1), "datacontenttype": "text/xml"}, "not JSON"),
                (b'{"a":1} {"b":2}', "not JSON"), (b'{"a":NaN}', "not JSON"),
                (b'{"a":"\\ud800"}', "not JSON"), (b'"text"', "no"),
                (b'{"a":"\x00"}', "not JSON")):
            with self.subTest(reason):
                self.receiver.taken.clear()
                if self.rejects.exists():
                    self.rejects.unlink()
                self.rejected(bad, reason)

    def test_a_megabyte_of_nesting(self):
        for bad in (b"[" * (MIB // 2) + b"]" * (MIB // 2 - 100),
                    b'{"a":' * (MIB // 6)):
            with self.subTest(bad[:5]):
                self.receiver.taken.clear()
                head = b'{"specversion":"1.0","data":'
                result = self.host.send([head + bad, event("next")],
                                        "--rejects", self.rejects)
                self.assertEqual(result.status, 1, result)
                self.assertEqual(
                    [one["id"] for one in self.receiver.records()], ["next"])

    def test_a_line_of_100_megabytes(self):
        size = 100 * MIB
        self.host.herald_xml('<network><allow cidr="127.0.0.0/8"/>'
                             "<allow-http/></network>")
        limits = {} if is_sanitized() else {
            "preexec_fn": lambda: resource.setrlimit(
                resource.RLIMIT_AS, (256 * MIB, 256 * MIB))}
        with self.host.start("send", "--json", "--rejects", self.rejects,
                             **limits) as running:
            running.process.stdin.write(b'{"specversion":"1.0","x":"')
            for _ in range(size // MIB):
                running.process.stdin.write(b"x" * MIB)
            running.process.stdin.write(b'"}\n' + lines([event("next")]))
            result = running.end()
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.lane("web")["delivered"], 1)
        self.assertEqual(result.report["badLines"], 1)
        kept = read_lines(self.rejects)
        self.assertIn("longer than 1048576 bytes", kept[0]["reason"])
        raw = base64.b64decode(kept[0]["base64"])
        self.assertEqual(len(raw), size + 28)
        self.assertTrue(raw.startswith(b'{"specversion"'))
        self.assertTrue(raw.endswith(b'x"}'))

    def test_the_limit_is_the_hosts(self):
        self.host.herald_xml('<network><allow cidr="127.0.0.0/8"/>'
                             '<allow-http/></network><limits event="2k"/>')
        self.rejected(event(1, customText="x" * 3000), "longer than 2048")


class Full(Case):
    """What could not be delivered, and can't be kept either."""

    COUNT = 100

    def setUp(self):
        super().setUp()
        self.host.webhook("web", "http://127.0.0.1:1/",
                          delivery='<retry schedule="1ms"/>')

    def said(self, result, path):
        self.assertEqual(result.status, 4, result)
        self.assertIn(f"{path} can't be written: ", result.err)
        self.assertIn("could not be kept", result.err)
        self.assertIn("event-", result.err)

    def test_dev_full(self):
        if not Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        result = self.host.send([event(i) for i in range(self.COUNT)],
                                "--undelivered", "/dev/full")
        self.said(result, "/dev/full")
        result = self.host.send([b"bad"], "--rejects", "/dev/full")
        self.assertEqual(result.status, 4, result)

    def kept_and_named(self, path, result):
        """Whole lines only, and a file that can be sent again."""
        self.said(result, path)
        kept = read_lines(path)
        self.assertTrue(0 < len(kept) < self.COUNT, len(kept))
        receiver = self.enter(Receiver())
        self.host.webhook("web", receiver.url)
        result = self.host.run("send", "--json", path)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(receiver.n_events, len(kept))

    def test_a_limit_of_the_file(self):
        path = self.host.directory / "undelivered"

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

        # Its output goes to pipes, which the limit does not concern.
        result = self.host.send([event(i) for i in range(self.COUNT)],
                                "--undelivered", path, preexec_fn=limit)
        self.kept_and_named(path, result)

    def test_a_small_file_system(self):
        target = self.host.directory / "small"
        target.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(target)],
            stderr=subprocess.DEVNULL, timeout=SECONDS) \
            if os.geteuid() == 0 else None
        if mounted is None or mounted.returncode != 0:
            self.skipTest("no file system can be mounted here")
        self.addCleanup(subprocess.run, ["umount", str(target)])
        path = target / "undelivered"
        result = self.host.send([event(i) for i in range(self.COUNT)],
                                "--undelivered", path)
        self.kept_and_named(path, result)


if __name__ == "__main__":
    unittest.main()
