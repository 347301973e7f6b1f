# SPDX-License-Identifier: MIT
"""oracle.py - whether what was accepted became what was promised.

Accepted events, what arrived where, dead letters, and the faults there were:
findings () compares them and returns what must not be, as text.

The promises: every accepted event arrives at each integration that wants it,
or is a dead letter there that says why.  One that was answered arrives again
only because of a fault: something that ended or stopped a worker, or that
kept it from writing, between the two; and one fault explains, at one
integration, as many of these as can be in flight or in one commit there.  Events of one key
arrive first in the order they were accepted, where an integration asks for
that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Set

from endpoints import Arrival

#: Between an answer and the commit of what it means, on a busy machine.
SETTLE_SECONDS = 2.0
#: What may be answered while the commit before is on its way: settlements
#: are committed in groups.
UNCOMMITTED = 64
SHOWN = 5                       # of each kind of finding


@dataclass(frozen=True)
class Event:
    """What a producer made."""
    id: str
    n: int                      # ascending within its key
    key: str
    kind: str = "a"
    workspace: str = "acme"
    is_bad: bool = False        # every service refuses its record
    mark: str = ""              # of the crasher: what it does
    email: str = ""


@dataclass
class Rule:
    """What an integration is to get."""
    name: str
    wants: Callable[[Event], bool]
    in_flight: int              # deliveries: requests by those in a request
    is_ordered: bool = False
    crashes: Callable[[Event], bool] = lambda event: False
    refuses: Callable[[Event], bool] = lambda event: event.is_bad
    #: Whether its service was in such a mood that deliveries may be given
    #: up.
    may_give_up: bool = True
    #: Whether another service may have taken what this one refuses.
    may_pass: bool = False


class Fault(NamedTuple):
    """Something that may make an answered delivery go out again."""
    kind: str                   # kill, crash, stop, disk
    start: float
    end: float
    what: str = ""

    def explains(self, first: float, again: float) -> bool:
        return (self.start - SETTLE_SECONDS <= first <= self.end + 0.5
                and again >= self.start)


class DeadLetter(NamedTuple):
    integration: str
    event: str
    reason: str


@dataclass
class Case:
    """All that is known of a round."""
    rules: List[Rule]
    offered: Dict[str, Event] = field(default_factory=dict)
    accepted: Set[str] = field(default_factory=set)
    arrivals: Dict[str, List[Arrival]] = field(default_factory=dict)
    dead: List[DeadLetter] = field(default_factory=list)
    faults: List[Fault] = field(default_factory=list)
    duplicates: Counter = field(default_factory=Counter)


def findings(case: Case) -> List[str]:
    """What must not be; none: all is well."""
    found: List[str] = []
    dead: Dict[str, Dict[str, str]] = defaultdict(dict)
    for letter in case.dead:
        if letter.event in dead[letter.integration]:
            found.append(f"{letter.event} is a dead letter of "
                         f"{letter.integration} twice")
        dead[letter.integration][letter.event] = letter.reason
    known = {rule.name for rule in case.rules}
    found += [f"{name} has dead letters, and should have none"
              for name in dead if name not in known]
    for rule in case.rules:
        arrivals = case.arrivals.get(rule.name, [])
        found += of_fate(case, rule, arrivals, dead[rule.name])
        found += of_strangers(case, rule, arrivals, dead[rule.name])
        found += of_duplicates(case, rule, arrivals)
        if rule.is_ordered:
            found += of_order(case, rule, arrivals)
    return found


def some(what: str, events: Iterable[str]) -> List[str]:
    """One finding for all of a kind, with a few of them."""
    listed = sorted(events)
    if not listed:
        return []
    more = "" if len(listed) <= SHOWN else " ..."
    return [f"{len(listed)} {what}: {', '.join(listed[:SHOWN])}{more}"]


def of_fate(case: Case, rule: Rule, arrivals: List[Arrival],
            dead: Dict[str, str]) -> List[str]:
    """Lost, or dead for no good reason."""
    arrived = {one.event for one in arrivals if one.is_answered}
    lost, silent, surprising, survived, refused = [], [], [], [], []
    for name in case.accepted:
        event = case.offered[name]
        if not rule.wants(event):
            continue
        reason = dead.get(name)
        if name not in arrived and reason is None:
            lost.append(name)
        if reason is not None and not reason.strip():
            silent.append(name)
        if rule.crashes(event):
            if reason is None or "crash" not in reason:
                survived.append(name)
        elif rule.refuses(event):
            if (reason is None or name in arrived) \
                    and not (rule.may_pass and name in arrived):
                refused.append(name)
        elif reason is not None and ("crash" in reason
                                     or not rule.may_give_up):
            surprising.append(f"{name} ({reason})")
    return (some(f"lost at {rule.name}", lost)
            + some(f"dead without a reason at {rule.name}", silent)
            + some(f"dead at {rule.name} for no reason of theirs", surprising)
            + some(f"crash {rule.name} and are no dead letters that say so",
                   survived)
            + some(f"refused by {rule.name} and are no dead letters",
                   refused))


def of_strangers(case: Case, rule: Rule, arrivals: List[Arrival],
                 dead: Dict[str, str]) -> List[str]:
    """What should not be there at all."""
    here = {one.event for one in arrivals} | set(dead)
    unknown = {one for one in here if one not in case.offered}
    unwanted = {one for one in here - unknown
                if not rule.wants(case.offered[one])}
    return (some(f"at {rule.name} that nobody sent", unknown)
            + some(f"at {rule.name} that it does not want", unwanted))


def of_duplicates(case: Case, rule: Rule,
                  arrivals: List[Arrival]) -> List[str]:
    """Answered, and sent again though nothing had happened; or more of
    them than can have been on their way at all the faults."""
    last: Dict[str, float] = {}
    unexplained: List[str] = []
    again: List[str] = []
    for one in sorted(arrivals):
        if one.event in last:
            fault = explanation(case.faults, last[one.event], one.at)
            if fault is None:
                unexplained.append(f"{one.event} ({one.at - last[one.event]:.2f}"
                                   " s later)")
            else:
                case.duplicates[fault.kind] += 1
                again += [one.event] if fault.kind != "disk" else []
        if one.is_answered:
            last[one.event] = one.at
    n = sum(fault.kind != "disk" for fault in case.faults)
    found = some(f"arrived twice at {rule.name} for no fault", unexplained)
    if len(again) > n * (rule.in_flight + UNCOMMITTED):
        found += some(f"arrived again at {rule.name} after {n} faults, where "
                      f"{rule.in_flight} can be in flight", again)
    return found


def explanation(faults: List[Fault], first: float,
                again: float) -> Optional[Fault]:
    """The fault that came first after the answer, of those that may; the
    disk's before others."""
    fitting = [one for one in faults if one.explains(first, again)]
    return min(fitting, default=None,
               key=lambda one: (one.kind != "disk", one.end < first,
                                abs(one.end - first)))


def of_order(case: Case, rule: Rule, arrivals: List[Arrival]) -> List[str]:
    """First arrivals of a key must ascend."""
    highest: Dict[str, int] = {}
    seen: Set[str] = set()
    late = []
    for one in sorted(arrivals):
        event = case.offered.get(one.event)
        if event is None or not one.is_answered or one.event in seen:
            continue
        seen.add(one.event)
        if event.n < highest.get(event.key, -1):
            late.append(one.event)
        highest[event.key] = max(event.n, highest.get(event.key, -1))
    return some(f"out of order at {rule.name}", late)
