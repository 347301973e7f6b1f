#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A large file needs no more memory than a small one."""

import re
import unittest
from pathlib import Path

from host import Case, event, is_sanitized, lines, wait_until
from receiver import Receiver

MIB = 1024                      # in kB, as /proc has it


@unittest.skipIf(is_sanitized(), "sanitizers need memory of their own")
@unittest.skipUnless(Path("/proc/self/status").exists(), "there is no /proc")
class Memory(Case):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver(keeps=False))

    def peak(self, blocks, count, status=0):
        """The most memory that herald had at a time, in kB.  Read while it
        waits for more: what the kernel says at its end counts what the
        parent had before exec ()."""
        self.receiver.n_events = 0
        with self.host.start("send", "--json") as running:
            for block in blocks:
                running.process.stdin.write(block)
            running.process.stdin.flush()
            wait_until(lambda: self.receiver.n_events == count,
                       f"delivery of {count} events")
            said = Path(f"/proc/{running.process.pid}/status").read_text()
            self.assertEqual(running.end().status, status)
        return int(re.search(r"VmHWM:\s+(\d+) kB", said).group(1))

    def test_many_events(self):
        # This lane holds about a thousand: with them it is full.
        self.host.webhook("web", self.receiver.url,
                          delivery='<batch max="100" wait="10ms"/>'
                          '<in-flight max="4"/>')
        block = lines(event(i, customText="x" * 100) for i in range(1000))
        small = self.peak([block], 1000)
        large = self.peak([block] * 300, 300000)
        self.assertLess(large, small + 4 * MIB)
        self.assertLess(large, 32 * MIB)

    def test_bad_lines_do_not_add_up(self):
        self.host.webhook("web", self.receiver.url)
        bad = b'{"specversion":"1.0","id":"' + b"x" * 200 + b'"\n'
        good = lines([event(1)])
        small = self.peak([bad * 100, good], 1, status=1)
        large = self.peak([bad * 100000, good], 1, status=1)
        self.assertLess(large, small + 3 * MIB)


if __name__ == "__main__":
    unittest.main()
