#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chaos.py - herald serve under faults: nothing accepted is ever lost.

Each round starts herald serve with eight integrations, lets applications
send events, and does to it at random what happens to servers.  Then the
faults stop, everything must drain, and oracle.py compares what was accepted
with what arrived.  Prints TAP; a round that fails keeps its directory.

  chaos.py --seed 7 --rounds 200 --seconds 12
  chaos.py --seed 7/31            that round again (times differ, the plan
                                  does not)
  chaos.py --clean                only stops, reloads and slow or refusing
                                  services: nothing may arrive twice

Environment: HERALD, HERALD_PLUGINS, CHAOS_MODULES (where crasher.so and
faultfs.so are).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from daemon import TOKEN, Daemon, Site, processes_of    # noqa: E402
from disk import FaultFs, Tmpfs                         # noqa: E402
from endpoints import Endpoint, MailSink, Services      # noqa: E402
from host import NETWORK                                # noqa: E402
from mischief import CLEAN, KINDS, WATCHDOG_SECONDS, Mischief, \
    make_plan                                           # noqa: E402
from oracle import Case, DeadLetter, Event, Rule, findings  # noqa: E402
from producer import Ledger, Producer, Wish             # noqa: E402

MARKS = ("segv", "abort", "exit", "loop", "segv-reply")
MAP = ('<map><field name="id" source="id"/>'
       '<field name="key" source="sessionId"/>'
       '<field name="bad" source="selectValue"/>{more}</map>')
#: No key: many of one may be with the service at once.
PLAIN = MAP.replace('<field name="key" source="sessionId"/>', "")
RETRY = ('<retry schedule="200ms 500ms 1s 1s 2s 2s 3s 3s"/>'
         '<timeouts connect="1s" total="3s"/>')
MAIL = """\
<mail>
  <from name="Acme Games" address="play@acme.example"/>
  <to source="email"/>
  <subject>chaos {{id}}</subject>
  <text>Hello</text>
</mail>"""


class Round:
    """One daemon, its services, its producers and its end."""

    def __init__(self, seed: str, options: argparse.Namespace) -> None:
        self.seed = seed
        self.options = options
        modules = Path(os.environ.get("CHAOS_MODULES", "."))
        self.site = Site(str(modules / "crasher.so"))
        self.site.store.mkdir(mode=0o700)
        pick = random.Random(seed)
        self.tmpfs: Optional[Tmpfs] = None
        if not options.clean and pick.random() < 0.5:
            tmpfs = Tmpfs(self.site.store)
            self.tmpfs = tmpfs if tmpfs.make() else None
        self.faultfs = None if options.clean else FaultFs(
            str(modules / "faultfs.so"), self.site.store,
            self.site.directory / "faultfs")
        self.ends = {name: Endpoint(name, seed) for name in (
            "every", "some", "batched", "ordered", "pairs", "crasher")}
        self.sinks = {"mail": MailSink("mail", seed),
                      "spare": MailSink("spare", seed, refuses=False)}
        self.daemon = Daemon(self.site, self.faultfs.env
                             if self.faultfs else None)
        self.ledger = Ledger()
        self.findings: List[str] = []
        self.notes: Dict[str, Any] = {}
        self.fds: Dict[str, int] = {}

    def close(self) -> None:
        self.daemon.kill_all()
        self.daemon.__exit__()
        if self.tmpfs and self.findings:
            shutil.copytree(self.site.store, self.site.directory / "store")
        if self.tmpfs:
            self.tmpfs.close()
        if self.faultfs:
            self.faultfs.close()

    # Configuration.

    def configure(self, how: str, variant: int) -> None:
        """good: all is right.  changed: another in-flight cap, and a header.
        host: timeouts of the host's.  broken: two files that can't be read
        (what runs goes on as it was); unusable: herald.xml can't."""
        site, ends = self.site, self.ends
        even = variant % 2 == 0
        site.serve_with(
            f'number="2" watchdog="{WATCHDOG_SECONDS:g}s" stop="5s"',
            f'<timeouts connect="{1 if even else 2}s" total="5s"/>'
            if how == "host" or not even else "")
        site.webhook("every", ends["every"].url, PLAIN.format(more=""),
                     delivery=RETRY + '<in-flight max="16"/>',
                     header=f"X-Variant: {variant}")
        site.webhook("some", ends["some"].url, PLAIN.format(more=""),
                     header=f"X-Variant: {variant}",
                     extra='<workspaces><workspace>acme</workspace>'
                     '</workspaces><when source="profil" is="a"/>',
                     delivery=RETRY
                     + f'<in-flight max="{8 if even else 6}"/>')
        site.webhook("batched", ends["batched"].url, PLAIN.format(more=""),
                     delivery=RETRY + '<batch max="10" wait="50ms"/>'
                     '<in-flight max="4"/>', header=f"X-Variant: {variant}")
        site.webhook("ordered", ends["ordered"].url, MAP.format(more=""),
                     delivery=RETRY + '<in-flight max="16"/>',
                     order_key="sessionId", header=f"X-Variant: {variant}")
        site.webhook("pairs", ends["pairs"].url, MAP.format(more=""),
                     delivery=RETRY + '<batch max="5" wait="20ms"/>'
                     '<in-flight max="4"/>', order_key="sessionId",
                     header=f"X-Variant: {variant}")
        site.integration(
            "crasher", "crasher",
            {"endpoint": f"{ends['crasher'].url}/{variant}"},
            PLAIN.format(more='<field name="mark" source="code"/>'),
            '<workspaces><workspace>beta</workspace></workspaces>'
            f'<delivery>{RETRY}<batch max="5" wait="20ms"/>'
            '<in-flight max="4"/></delivery>')
        if how == "unusable":
            site.write("etc/herald.xml", "<herald")
        if how == "broken":
            site.write("etc/conf.d/some.xml", "<integration")
            site.write("etc/conf.d/zzz.xml", "<integration name='zzz'/>")
        else:
            (site.conf_d / "zzz.xml").unlink(missing_ok=True)

    def configure_mail(self) -> None:
        site = self.site
        for name, fallback in (("mail", '<fallback integration="spare"/>'),
                               ("spare", "")):
            is_spare = name == "spare"
            site.mailer(name, self.sinks[name].port, MAIL, password=None,
                        extra='<when source="profil" is="'
                        + ("nobody" if is_spare else "b") + '"/>',
                        delivery=RETRY + '<in-flight max="4"/>' + fallback,
                        security="none")
        site.prove("spare")
        site.prove("mail")

    def rules(self) -> List[Rule]:
        def moody(*names: str) -> bool:
            return any({**self.ends, **self.sinks}[name].was_moody
                       for name in names)

        return [
            Rule("every", lambda e: True, 16, may_give_up=moody("every")),
            Rule("some", lambda e: e.workspace == "acme" and e.kind == "a",
                 8, may_give_up=moody("some")),
            Rule("batched", lambda e: True, 40,
                 may_give_up=moody("batched")),
            Rule("ordered", lambda e: True, 16, True,
                 may_give_up=moody("ordered")),
            Rule("pairs", lambda e: True, 20, True,
                 may_give_up=moody("pairs")),
            Rule("mail", lambda e: e.kind == "b", 8,
                 may_give_up=moody("mail", "spare"),
                 may_pass=moody("mail")),
            Rule("crasher", lambda e: e.workspace == "beta", 20,
                 crashes=lambda e: e.mark != "",
                 may_give_up=moody("crasher"))]

    # The round.

    def run(self) -> None:
        with Services(*self.ends.values(), *self.sinks.values()):
            self.configure("good", 0)
            self.configure_mail()
            self.daemon.start()
            self.fds = {one.role: n_files(one.fds())
                        for one in self.daemon.processes()}
            self.faulty()
            self.drain()
            self.look()
        self.judge()

    def faulty(self) -> None:
        """Producers and faults at once."""
        options = self.options
        producers = self.producers()
        mischief = Mischief(
            self.daemon, [*self.ends.values(), *self.sinks.values()],
            self.configure, self.faultfs, self.tmpfs, options.clean)
        plan = make_plan(self.seed, options.seconds, options.every,
                         CLEAN if options.clean else options.only)
        for one in producers:
            one.start()
        mischief.run(plan)
        mischief.end()
        time.sleep(0.5)
        for one in producers:
            one.stop()
        for one in producers:
            one.join()
        mischief.poll()
        self.mischief = mischief

    def producers(self) -> List[Producer]:
        pick = random.Random(self.seed + "/marks")
        rate = self.options.rate / 4
        marks = () if self.options.clean else \
            tuple(pick.sample(MARKS, pick.choice((0, 1, 1, 2))))
        return [Producer(k, f"{self.seed}", TOKEN, self.site.port,
                         str(self.site.socket) if k == 3 else None,
                         self.ledger,
                         Wish(rate, marks=marks if k == 0 else ()))
                for k in range(4)]

    def drain(self) -> None:
        """Until nothing waits; what would be in flight waits, too."""
        began = time.monotonic()
        deadline = began + self.options.drain
        while True:
            self.mischief.poll()
            try:
                if self.site.n_waiting() == 0:
                    break
            except AssertionError as error:
                if time.monotonic() > deadline:
                    self.findings.append(f"herald queue: {error}")
                    break
            if time.monotonic() > deadline:
                self.findings.append(
                    f"not drained after {self.options.drain:g} s: "
                    + json.dumps(self.site.lanes()))
                break
            time.sleep(0.2)
        self.notes["drained"] = f"{time.monotonic() - began:.1f} s"

    def look(self) -> None:
        """The processes, before and after a clean stop."""
        for one in self.daemon.processes():
            n = n_files(one.fds())
            if one.role in self.fds and n > self.fds[one.role] + 6:
                self.findings.append(
                    f"{one.role} has {n} files open, and had "
                    f"{self.fds[one.role]}: {sorted(one.fds())}")
        if self.daemon.is_running:
            try:
                status = self.daemon.stop()
                if status != 0:
                    self.findings.append(f"herald serve ended with {status}")
            except AssertionError as error:
                self.findings.append(str(error))
        time.sleep(0.1)
        left = self.daemon.processes()
        if left:
            self.findings.append(f"left behind: {left}")

    def judge(self) -> None:
        self.mischief.read_log()
        self.findings += self.mischief.findings
        self.findings += self.ledger.complaints
        try:
            self.daemon.check_log()
        except AssertionError as error:
            self.findings.append(str(error)[-3000:])
        arrivals = {name: end.arrivals for name, end in self.ends.items()}
        arrivals["mail"] = (self.sinks["mail"].arrivals
                            + self.sinks["spare"].arrivals)
        arrivals = {name: [one for one in ones if one.event.startswith(
            self.seed.replace("/", "-") + "-")]
            for name, ones in arrivals.items()}
        letters = self.site.dead()
        case = Case(self.rules(), self.ledger.offered,
                    set(self.ledger.accepted), arrivals,
                    [DeadLetter(one["integration"], one["id"], one["reason"])
                     for one in letters], self.mischief.faults)
        self.findings += findings(case)
        for name in ("ordered", "pairs"):
            met = self.ends[name].overlaps
            if met:
                self.findings.append(f"in flight twice at {name}: {met[:5]}")
        self.notes.update(
            accepted=len(self.ledger.accepted),
            offered=len(self.ledger.offered),
            arrived=sum(len(ones) for ones in arrivals.values()),
            twice=dict(case.duplicates), dead=len(letters),
            disk=self.faultfs.n_failed if self.faultfs else 0,
            statuses=dict(sorted(self.ledger.statuses.items())),
            did=dict(sorted(self.mischief.counts.items())))
        if not self.ledger.accepted:
            self.findings.append("nothing was accepted")


def n_files(fds: List[str]) -> int:
    """All but sockets, which come and go with connections."""
    return sum(not one.startswith("socket:") for one in fds)


def run_round(number: int, seed: str, options: argparse.Namespace) -> bool:
    """One line of TAP, with what is to be known of it."""
    made = Round(seed, options)
    try:
        made.run()
    except (AssertionError, OSError, ValueError, KeyError) as error:
        made.findings.append(f"{type(error).__name__}: {error}")
    finally:
        made.close()
    remark = "clean" if options.clean else \
        "tmpfs" if made.tmpfs else "directory"
    is_ok = not made.findings
    print(f"{'ok' if is_ok else 'not ok'} {number} - seed {seed} ({remark})")
    print("# " + ", ".join(f"{name} {value}"
                           for name, value in made.notes.items()))
    for one in made.findings:
        print("\n".join("# " + line for line in one.splitlines()))
    if is_ok and not options.keep:
        made.site.__exit__()
    else:
        print(f"# kept: {made.site.directory} (again: --seed {seed})")
    sys.stdout.flush()
    return is_ok


def main() -> int:
    parser = argparse.ArgumentParser(description="herald under faults.")
    parser.add_argument("--seed", default="",
                        help="a number; NUMBER/ROUND: that round alone")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12,
                        help="of faults in a round")
    parser.add_argument("--every", type=float, default=0.8,
                        help="seconds between faults")
    parser.add_argument("--rate", type=float, default=200,
                        help="events a second")
    parser.add_argument("--drain", type=float, default=90,
                        help="seconds until all must have arrived")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--keep", action="store_true",
                        help="the directories of all rounds")
    parser.add_argument("--only", default="", metavar="KIND,...",
                        help="of " + ", ".join(KINDS))
    options = parser.parse_args()
    options.only = tuple(one for one in options.only.split(",") if one)
    if not options.seed:
        options.seed = str(random.SystemRandom().randrange(100000))
    seeds = [options.seed] if "/" in options.seed else \
        [f"{options.seed}/{k + 1}" for k in range(options.rounds)]
    print(f"1..{len(seeds)}\n# seed {options.seed}", flush=True)
    n_failed = sum(not run_round(k + 1, seed, options)
                   for k, seed in enumerate(seeds))
    print(f"# {len(seeds) - n_failed} of {len(seeds)} rounds passed")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
