#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak.py - herald serve at a steady rate for a long time.

Samples memory and files of every process.  What must hold: all that was
accepted is delivered, no process was started again, memory does not grow
from the first half (after a beginning) to the second, nor do files.

  soak.py --minutes 10 --rate 1000

The ids that count as seen are kept in memory for as long as <store window>
says; it is short here, so that what is measured is not that.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parent)]

from steady import Steady, integration, percentile      # noqa: E402
from daemon import TOKEN, Daemon, Site                  # noqa: E402
from endpoints import Endpoint, Services                # noqa: E402

BEGINNING = 0.2                 # of the samples: caches fill
GROWTH = 1.04
IN_FLIGHT = 8                   # of the integration with batches
SLACK_KIB = 512


class Sample(NamedTuple):
    resident_kib: int
    n_files: int
    n_sockets: int


class Sampler(threading.Thread):
    """Every process, each few seconds."""

    def __init__(self, daemon: Daemon, every: float) -> None:
        super().__init__(daemon=True)
        self.samples: Dict[Tuple[str, int], List[Sample]] = {}
        self._daemon = daemon
        self._every = every
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(self._every):
            for one in self._daemon.processes():
                fds = one.fds()
                sockets = sum(fd.startswith("socket:") for fd in fds)
                self.samples.setdefault((one.role, one.pid), []).append(
                    Sample(one.whole_resident_kib(), len(fds) - sockets,
                           sockets))

    def stop(self) -> None:
        self._end.set()
        self.join()


def judge(samples: List[Sample]) -> List[str]:
    """What grew."""
    rest = samples[int(len(samples) * BEGINNING):]
    first, second = rest[:len(rest) // 2], rest[len(rest) // 2:]
    found = []
    before = statistics.median(one.resident_kib for one in first)
    after = statistics.median(one.resident_kib for one in second)
    if after > before * GROWTH + SLACK_KIB:
        found.append(f"memory grew from {before:.0f} to {after:.0f} KiB")
    # A connection that is kept is used by chance: as many as fit in flight.
    for what, slack in (("n_files", 0), ("n_sockets", IN_FLIGHT)):
        most = max(getattr(one, what) for one in first)
        later = min(getattr(one, what) for one in second[-3:])
        if later > most + slack:
            found.append(f"{what[2:]} grew from {most} to {later}")
    return found


class Report:
    def __init__(self) -> None:
        self.n = 0
        self.n_failed = 0

    def check(self, is_ok: bool, what: str, more: str = "") -> None:
        self.n += 1
        self.n_failed += not is_ok
        print(f"{'ok' if is_ok else 'not ok'} {self.n} - {what}")
        for line in more.splitlines():
            print("# " + line)
        sys.stdout.flush()


def soak(options: argparse.Namespace, report: Report) -> None:
    ends = [Endpoint("single"), Endpoint("batched")]
    seconds = options.minutes * 60
    with Site() as site, Services(*ends), Daemon(site) as daemon:
        site.serve_with('number="2" watchdog="30s" stop="10s"',
                        store='window="10s" history="20s" '
                        'history-rows="100000"')
        integration(site, ends[0])
        integration(site, ends[1], '<batch max="50" wait="20ms"/>'
                    f'<in-flight max="{IN_FLIGHT}"/>')
        took = daemon.start()
        print(f"# ready after {took * 1000:.0f} ms")
        steady = Steady(site.port, TOKEN, ends)
        sampler = Sampler(daemon, max(0.5, min(5.0, seconds / 60)))
        sampler.start()
        began = time.monotonic()
        cpu = {one: one.cpu_seconds() for one in daemon.processes()}
        steady.run(options.rate, seconds)
        sampler.stop()
        took = time.monotonic() - began
        for one in daemon.processes():
            used = one.cpu_seconds() - cpu.get(one, 0.0)
            print(f"# {one.role}: {100 * used / took:.0f} % of a core")
        wanted = int(options.rate * seconds)
        report.check(steady.accepted == wanted
                     and all(n == wanted for n in steady.n_arrived.values())
                     and not any(steady.n_again.values()),
                     f"{wanted} events were accepted and arrived once",
                     f"accepted {steady.accepted}, arrived "
                     f"{steady.n_arrived}, again {steady.n_again}, refused "
                     f"{dict(steady.refused)}")
        for name, times in steady.seconds.items():
            print(f"# {name}: p50 {1000 * percentile(times, 0.5):.1f} ms, "
                  f"p99 {1000 * percentile(times, 0.99):.1f} ms, most "
                  f"{1000 * percentile(times, 1):.1f} ms")
        roles = sorted(role for role, _ in sampler.samples)
        report.check(roles == ["intake", "serve", "worker", "worker"],
                     "no process was started again", str(roles))
        for (role, pid), samples in sampler.samples.items():
            found = judge(samples) if len(samples) >= 10 \
                else ["there are too few samples"]
            shown = [samples[k] for k in sorted({
                0, len(samples) // 4, len(samples) // 2,
                3 * len(samples) // 4, len(samples) - 1})]
            report.check(not found, f"{role} {pid} is as large as before",
                         "\n".join(found + [
                             "MiB, files, sockets: " + "; ".join(
                                 f"{one.resident_kib / 1024:.1f} "
                                 f"{one.n_files} {one.n_sockets}"
                                 for one in shown)]))
        report.check(daemon.stop() == 0 and not daemon.processes(),
                     "it stops")
        report.check(site.n_waiting() == 0, "nothing waits")
        daemon.check_log()


def main() -> int:
    parser = argparse.ArgumentParser(description="herald for a long time.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1000)
    options = parser.parse_args()
    report = Report()
    try:
        soak(options, report)
    except AssertionError as error:
        report.check(False, "it runs", str(error))
    print(f"1..{report.n}")
    return 1 if report.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
