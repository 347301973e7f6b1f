# SPDX-License-Identifier: MIT
"""mischief.py - what can happen to a server, at random from a seed.

A Plan is a list of times and kinds; a Mischief makes them happen to a Daemon
and notes those that may make a delivery go out again.
"""

from __future__ import annotations

import random
import signal
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from daemon import Daemon
from disk import FULL, SHORT, SYNC, WRITE, FaultFs, Tmpfs
from endpoints import MAIL_MOODS, MOODS, MailSink, Mood, Service
from oracle import Fault

#: How often each kind is drawn; those of CLEAN harm nothing in flight.
KINDS = {
    "mood": 10, "kill-worker": 3, "kill-intake": 2, "kill-serve": 2,
    "stop-worker": 2, "stop-intake": 1, "stop-serve": 1, "stop-long": 1,
    "reload": 2, "reload-changed": 2, "reload-host": 1, "reload-broken": 2,
    "reload-unusable": 1, "restart": 2, "disk-full": 2, "disk-write": 1, "disk-sync": 1,
    "disk-short": 1, "disk-filled": 1,
}
CLEAN = ("mood", "reload", "reload-changed", "reload-host", "reload-broken",
         "reload-unusable", "restart")
#: Moods in which no answer is lost.
CLEAN_MOODS = ("slow", "500", "503", "429")
WATCHDOG_SECONDS = 3.0
#: How long a worker may have stood still before it was ended: the watchdog's
#: time, or that of a stop and what comes after.
STUCK_SECONDS = 14.0


class Step(NamedTuple):
    at: float                   # seconds from the beginning
    kind: str
    seconds: float              # how long, of what lasts
    share: float
    pick: float                 # which one, 0 to 1


def make_plan(seed: str, seconds: float, every: float,
              kinds: Tuple[str, ...] = ()) -> List[Step]:
    """One step each `every` seconds or so; of these kinds only, if given."""
    pick = random.Random(seed)
    names = [name for name in KINDS if not kinds or name in kinds]
    weights = [KINDS[name] for name in names]
    steps, at = [], 1.0
    while at < seconds - 0.5:
        kind = pick.choices(names, weights)[0]
        steps.append(Step(at, kind, pick.uniform(0.3, 2.0),
                          pick.choice((0.2, 0.5, 1.0)), pick.random()))
        at += pick.expovariate(1 / every)
    return steps


class Mischief:
    """Carries a plan out; poll () often, end () puts all right again."""

    def __init__(self, daemon: Daemon, services: List[Service],
                 configure: Callable[[str, int], None],
                 faultfs: Optional[FaultFs], tmpfs: Optional[Tmpfs],
                 is_clean: bool = False) -> None:
        self.faults: List[Fault] = []
        self.counts: Dict[str, int] = {}
        self.findings: List[str] = []
        self._daemon = daemon
        self._services = services
        self._configure = configure
        self._faultfs = faultfs
        self._tmpfs = tmpfs
        self._is_clean = is_clean
        self._later: List[Tuple[float, Callable[[], None]]] = []
        self._workers: Dict[int, float] = {}
        self._quiet_until = 0.0     # workers end cleanly, or were killed
        self._excused_until = 0.0   # serve may end
        self._n_variant = 0
        self._is_unusable = False

    def run(self, plan: List[Step]) -> None:
        began = time.monotonic()
        for step in plan:
            while time.monotonic() < began + step.at:
                self.poll()
                time.sleep(0.03)
            self.counts[step.kind] = self.counts.get(step.kind, 0) + 1
            self._do(step)

    def poll(self) -> None:
        """Do what is due, start serve again, and look who has died."""
        now = time.monotonic()
        due = [one for one in self._later if one[0] <= now]
        self._later = [one for one in self._later if one[0] > now]
        for _, act in due:
            act()
        if not self._daemon.is_running and not self._later_has_launch():
            self._serve_ended()
        self._look_at_workers()

    def end(self) -> None:
        """The faults are over, all at once."""
        for one in self._services:
            one.set_mood(Mood())
        # A blocked lane asks after a minute whether it may; or goes on at
        # once when its settings change.
        self._n_variant += any(one.has_blocked for one in self._services)
        for _, act in sorted(self._later, key=lambda one: one[0]):
            act()
        self._later = []
        if self._faultfs:
            self._faultfs.set(0)
        if self._tmpfs:
            self._tmpfs.clear()
        for one in self._daemon.processes():
            one.send(signal.SIGCONT)
        self._configure("good", self._n_variant)
        self._daemon.reload()

    def _do(self, step: Step) -> None:
        what, _, how = step.kind.partition("-")
        if what == "mood":
            self._set_mood(step)
        elif what == "kill":
            self._kill(how, step)
        elif what == "stop":
            self._stop(how, step)
        elif what == "reload":
            self._reload(how)
        elif what == "restart":
            self._restart()
        else:
            self._break_disk(how, step)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, act))

    def _later_has_launch(self) -> bool:
        return any(act == self._launch for _, act in self._later)

    def _launch(self) -> None:
        if self._daemon.is_running:
            return
        if self._is_unusable:   # whoever starts the service has mended it
            self._mend()
        self._daemon.launch()

    def _set_mood(self, step: Step) -> None:
        service = self._services[int(step.pick * len(self._services))]
        moods = MAIL_MOODS if isinstance(service, MailSink) else MOODS
        if self._is_clean:
            moods = tuple(one for one in moods
                          if one in CLEAN_MOODS or one == "450")
        name = moods[int(step.pick * 1000) % len(moods)]
        service.set_mood(Mood(name, step.share))
        self._after(1.5 * step.seconds, lambda: service.set_mood(Mood()))

    def _one(self, role: str, step: Step) -> Any:
        found = self._daemon.processes(role)
        return found[int(step.pick * len(found))] if found else None

    def _kill(self, role: str, step: Step) -> None:
        process = self._one(role, step)
        if process is None or not process.send(signal.SIGKILL):
            return
        now = time.monotonic()
        if role == "worker":
            self._workers.pop(process.pid, None)
            self.faults.append(Fault("kill", now, now, "kill -9"))
        elif role == "serve":
            self._quiet_until = now + 8
            self._excused_until = now + 10
            if self._daemon.process is not None:
                self._daemon.process.wait()
            self._after(step.pick, self._launch)

    def _stop(self, role: str, step: Step) -> None:
        is_long = role == "long"
        process = self._one("worker" if is_long else role, step)
        seconds = WATCHDOG_SECONDS + 2 if is_long else step.seconds
        if process is None or not process.send(signal.SIGSTOP):
            return
        now = time.monotonic()
        if process.role == "worker":
            self.faults.append(Fault("stop", now, now + seconds, "SIGSTOP"))
        elif process.role == "serve":
            # Its children may have missed nothing but its own pings.
            self._excused_until = now + seconds + 1
        self._after(seconds, lambda: process.send(signal.SIGCONT))

    def _reload(self, how: str) -> None:
        self._n_variant += how in ("changed", "host")
        if how == "host":
            self._quiet_until = time.monotonic() + 8
        self._configure(how or "good", self._n_variant)
        self._is_unusable = how == "unusable"
        self._daemon.reload()
        if how in ("broken", "unusable"):
            # Who starts meanwhile has the last good copy.
            self._after(2, self._mend)

    def _mend(self) -> None:
        self._configure("good", self._n_variant)
        self._is_unusable = False

    def _restart(self) -> None:
        if not self._daemon.is_running:
            return
        self._quiet_until = time.monotonic() + 8
        for one in self._daemon.processes():
            one.send(signal.SIGCONT)
        began = time.monotonic()
        try:
            status = self._daemon.stop()
        except AssertionError as error:
            self.findings.append(str(error))
            self._daemon.kill_all()
            status = 0
        if status != 0 and began > self._excused_until:
            self.findings.append(f"herald serve ended with {status} at "
                                 "SIGTERM")
        self._quiet_until = time.monotonic() + 1
        self._after(0.1, self._launch)

    def _break_disk(self, how: str, step: Step) -> None:
        now = time.monotonic()
        if how == "filled":
            if self._tmpfs is None:
                return
            self._tmpfs.fill()
            self._after(step.seconds, self._tmpfs.clear)
        elif self._faultfs is None:
            return
        else:
            faults = {"full": FULL, "write": WRITE, "sync": SYNC,
                      "short": SHORT}[how]
            chance = 1000 if how == "full" or step.pick < 0.3 else 300
            self._faultfs.set(faults, chance)
            self._after(step.seconds, lambda: self._faultfs.set(0))
        self._excused_until = now + step.seconds + 3
        self.faults.append(Fault("disk", now, now + step.seconds + 2,
                                 f"disk-{how}"))

    def _serve_ended(self) -> None:
        process = self._daemon.process
        assert process is not None
        if time.monotonic() > self._excused_until:
            self.findings.append(
                f"herald serve ended by itself with {process.returncode}:\n"
                + self._daemon.tail(1500))
        self._after(0.3, self._launch)

    def read_log(self) -> None:
        """Crashes that happened while others were ending cleanly; and those
        on a bad disk, where one follows the other, are the disk's."""
        for at, what in self._daemon.crashes():
            self.faults.append(Fault("crash", at - STUCK_SECONDS, at, what))
        disks = [one for one in self.faults if one.kind == "disk"]
        self.faults = [
            one._replace(kind="disk") if any(
                disk.start <= one.end <= disk.end for disk in disks) else one
            for one in self.faults]

    def _look_at_workers(self) -> None:
        """A worker that has gone and was not told to has crashed."""
        now = time.monotonic()
        found = {one.pid: now for one in self._daemon.processes("worker")}
        for pid, seen in self._workers.items():
            if pid not in found and now > self._quiet_until:
                self.faults.append(Fault("crash", seen - WATCHDOG_SECONDS,
                                         now, "a crash"))
        self._workers = found
