# SPDX-License-Identifier: MIT
"""served.py - how fast, how large and how fair herald serve is.

  store       end to end: events submitted, stored, delivered, beside herald
              send of the same events to the same receiver
  time        from accept to delivery at 1,000 events a second
  backlog     memory with a million events waiting for a dead endpoint, and
              the start with them
  neighbours  a healthy integration beside ten dead and slow ones, in turns
              with it alone
  crashes     the same beside a plugin that crashes

A site's receivers are threads of this process where a rate is moderate, and
nginx where it is not.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from daemon import MARK, TOKEN, Daemon, Site
from endpoints import Endpoint, Mood, Services
from receivers import Missing, Nginx
from results import Requirement, Result
from runs import FIELDS, Failed, Measure
from steady import Steady, integration, percentile

MEBIBYTE = 1024
RATE = 1000                     # of the benchmarks at a steady rate
OTHERS_EVERY = 50               # which event is for the bad ones as well
WORKERS = 'number="1" watchdog="30s" stop="10s"'
MAP = "<map>" + "".join(f'<field name="{name}" source="{name}"/>'
                        for name in FIELDS) + "</map>"


def submit(site: Site, path: Path) -> subprocess.Popen:
    """herald submit of a file, on its way."""
    return subprocess.Popen(
        site.command("submit", "--socket", str(site.socket), str(path)),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, MARK: ""})


def finish(submitted: subprocess.Popen) -> None:
    error = submitted.communicate()[1]
    if submitted.returncode != 0:
        raise Failed("herald submit: " + error.decode()[-2000:])


def wait_for(count: Callable[[], int], wanted: int, what: str,
             seconds: float = 120) -> None:
    """Until the count is that high, or it has stood still too long."""
    last, since = -1, time.monotonic()
    while True:
        now = count()
        if now >= wanted:
            return
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > seconds:
            raise Failed(f"{what}: {now} of {wanted}")
        time.sleep(0.005)


def usage(daemon: Daemon) -> Tuple[float, int]:
    """CPU seconds so far of all processes, and the largest's memory."""
    found = daemon.processes()
    return (sum(one.cpu_seconds() for one in found),
            max(one.whole_resident_kib() for one in found))


class Asked:
    """How many deliveries nginx has seen since; a question is no delivery."""

    def __init__(self, nginx: Nginx) -> None:
        self._nginx = nginx
        self._n = self._ask()

    def _ask(self) -> int:
        found = self._nginx.requests()
        if found is None:
            raise Missing("this nginx does not count (stub_status)")
        return found

    def deliveries(self) -> int:
        self._n += 1
        return self._ask() - self._n


def through_store(bench: Any, nginx: Nginx, source: Path,
                  count: int) -> Measure:
    """From the beginning of herald submit to the last delivery."""
    with Site() as site, Daemon(site) as daemon:
        site.serve_with(WORKERS)
        site.webhook("bench", nginx.url("/hook", False), MAP,
                     delivery='<in-flight max="64"/>')
        daemon.start()
        asked = Asked(nginx)
        cpu = usage(daemon)[0]
        began = time.monotonic()
        submitted = submit(site, source)
        wait_for(asked.deliveries, count, "herald serve delivered")
        took = time.monotonic() - began
        used, peak = usage(daemon)
        finish(submitted)
        if daemon.stop() != 0 or site.n_waiting() != 0:
            raise Failed("herald serve did not end well")
        return Measure(count / took, 1e6 * (used - cpu) / count, peak)


def bench_store(bench: Any) -> Result:
    result = Result("store", "events submitted, stored and delivered, 64 in "
                    "flight, beside herald send")
    count = bench.scale.api
    source = bench.events_file(count)
    with Nginx(bench.run_dir, bench.certificates.directory,
               bench.server_core) as nginx:
        bench.herald.configure_api(nginx.url("/hook", False), 64)
        bench.rounds({
            "herald serve": lambda: through_store(bench, nginx, source,
                                                  count),
            "herald send": lambda: bench.herald.send(source, count)}, result)
    served, sent = (result.measures[name]
                    for name in ("herald serve", "herald send"))
    result.requirements = [
        Requirement("rate beside herald send", served.rate / sent.rate, 0.6),
        Requirement("largest process, MiB", served.peak_kib / MEBIBYTE, 64,
                    True)]
    return result


def milliseconds(times: List[float], share: float) -> float:
    return 1000 * percentile(times, share)


def bench_time(bench: Any) -> Result:
    result = Result("time", f"from accept to delivery at {RATE:,} events a "
                    "second")
    end = Endpoint("web")
    seconds = 5 * bench.scale.rounds
    with Site() as site, Services(end), Daemon(site) as daemon:
        site.serve_with(WORKERS)
        integration(site, end)
        daemon.start()
        steady = Steady(site.port, TOKEN, [end])
        steady.run(RATE, 1)
        steady.forget()
        steady.run(RATE, seconds)
        times = steady.seconds["web"]
        daemon.stop()
    result.texts = [f"p50 {milliseconds(times, 0.5):.2f} ms, p99 "
                    f"{milliseconds(times, 0.99):.2f} ms, most "
                    f"{milliseconds(times, 1):.2f} ms"]
    result.requirements = [Requirement("delivered, of all accepted",
                                       len(times) / (RATE * seconds), 1)]
    return result


def bench_backlog(bench: Any) -> Result:
    """The endpoint is dead while they come, and well at the second start."""
    count = bench.scale.backlog
    result = Result("backlog", f"{count:,} events waiting")
    source = bench.events_file(count)
    end = Endpoint("web")
    end.set_mood(Mood("503"))
    with Site() as site, Services(end), Daemon(site) as daemon:
        site.serve_with('number="2" watchdog="30s" stop="10s"')
        integration(site, end)
        integration(site, end, name="other")
        daemon.start()
        began = time.monotonic()
        finish(submit(site, source))
        result.texts.append(
            f"accepted at {count / (time.monotonic() - began):,.0f} a second "
            "for two integrations, "
            f"{size_of(site.store) / count / 1000:.2f} kB on disk each")
        time.sleep(3)
        sizes = {f"{one.role} {one.pid}": one.whole_resident_kib() / MEBIBYTE
                 for one in daemon.processes()}
        waiting = site.n_waiting()
        began = time.monotonic()
        daemon.stop()
        result.texts.append(f"stopped after {time.monotonic() - began:.2f} s")
        end.set_mood(Mood())
        first: List[float] = []
        end.sink = lambda records: first.append(time.monotonic())
        began = time.monotonic()
        ready = daemon.start()
        while not first and time.monotonic() < began + 60:
            time.sleep(0.002)
        delivered = first[0] - began if first else 60.0
        time.sleep(3)
        busy = {f"{one.role} {one.pid}": one.whole_resident_kib() / MEBIBYTE
                for one in daemon.processes()}
        daemon.kill_all()
    result.texts += ["MiB waiting: " + shown(sizes),
                     "MiB delivering: " + shown(busy)]
    result.requirements = [
        Requirement("waiting, of all accepted", waiting / (2 * count), 0.99),
        Requirement("largest process, waiting, MiB", max(sizes.values()), 64,
                    True),
        Requirement("largest process, delivering, MiB", max(busy.values()),
                    64, True),
        Requirement("seconds until READY", ready, 1, True),
        Requirement("seconds until the first delivery", delivered, 1, True)]
    return result


def shown(sizes: Dict[str, float]) -> str:
    return ", ".join(f"{name.split()[0]} {size:.1f}"
                     for name, size in sizes.items())


def size_of(directory: Path) -> int:
    return sum(one.stat().st_size for one in directory.iterdir())


def in_turns(bench: Any, site: Site, daemon: Daemon, end: Endpoint,
             beside: Callable[[bool], None], seconds: float,
             mark_every: int = 0) -> Dict[bool, List[List[float]]]:
    """The healthy one alone and with the others, one after the other in each
    round; times of each."""
    found: Dict[bool, List[List[float]]] = {False: [], True: []}
    steady = Steady(site.port, TOKEN, [end])
    steady.run(RATE / 2, 1)
    for number in range(max(3, bench.scale.rounds)):
        # Whoever comes second profits or suffers: they swap.
        for is_beside in (False, True) if number % 2 == 0 else (True, False):
            beside(is_beside)
            daemon.reload()
            time.sleep(1)
            if is_beside and mark_every:
                first = steady.n_sent
                steady.marks = {first + k: "segv" for k in range(
                    mark_every, int(RATE / 2 * seconds), mark_every)}
            steady.forget()
            steady.run(RATE / 2, seconds)
            found[is_beside].append(list(steady.seconds[end.name]))
    if steady.accepted != steady.n_arrived[end.name]:
        raise Failed(f"{steady.n_arrived[end.name]} of {steady.accepted} "
                     "arrived")
    return found


def medians(found: Dict[bool, List[List[float]]],
            share: float) -> Tuple[float, float]:
    """Of the rounds, alone and beside; ms."""
    alone, beside = (statistics.median(
        milliseconds(times, share) for times in found[is_beside])
        for is_beside in (False, True))
    return alone, beside


def neighbours(bench: Any, extra: str,
               mark_every: int) -> Tuple[Dict[bool, List[List[float]]], int]:
    """Times alone and beside ten that are dead or slow, which get what
    extra says; and the largest process."""
    well = Endpoint("web")
    bad = [Endpoint(f"bad{k}") for k in range(10)]
    for k, one in enumerate(bad):
        one.set_mood(Mood(("hang", "slow", "reset", "503", "429")[k % 5]))
    with Site() as site, Services(well, *bad), Daemon(site) as daemon:
        site.serve_with(WORKERS)
        integration(site, well)

        def beside(is_beside: bool) -> None:
            for one in bad:
                site.webhook(one.name, one.url, enabled=is_beside,
                             extra=extra,
                             delivery='<timeouts connect="1s" total="3s"/>')

        beside(False)
        daemon.start()
        found = in_turns(bench, site, daemon, well, beside,
                         2 * bench.scale.rounds + 2, mark_every)
        peak = usage(daemon)[1]
        daemon.stop()
    return found, peak


def bench_neighbours(bench: Any) -> Result:
    result = Result("neighbours", f"a healthy integration at {RATE // 2} "
                    "events a second, alone and beside ten dead and slow "
                    "ones")
    # Where all get every event, each is stored eleven times: that is more
    # work for the store, whoever of them is well.
    found, _ = neighbours(bench, "", 0)
    alone, others = medians(found, 0.99)
    result.texts.append(f"every event for all eleven: p99 {alone:.2f} ms "
                        f"alone, {others:.2f} ms beside them")
    found, peak = neighbours(bench, '<when source="code" present="true"/>',
                             OTHERS_EVERY)
    for share in (0.5, 0.99):
        alone, others = medians(found, share)
        result.texts.append(f"p{100 * share:.0f} alone {alone:.2f} ms, "
                            f"beside them {others:.2f} ms")
    result.requirements = [
        Requirement("p99 beside them, of that alone", others / alone, 1.1,
                    True),
        Requirement("largest process, MiB", peak / MEBIBYTE, 64, True)]
    return result


def bench_crashes(bench: Any) -> Result:
    result = Result("crashes", f"a healthy integration at {RATE // 2} events "
                    "a second, alone and beside a plugin that crashes each "
                    "two seconds")
    module = Path(os.environ.get("CHAOS_MODULES", "."), "crasher.so")
    for number in (1, 2):
        well, bad = Endpoint("web"), Endpoint("bad")
        with Site(str(module)) as site, Services(well, bad), \
                Daemon(site) as daemon:
            site.serve_with(f'number="{number}" watchdog="5s" stop="10s"')
            integration(site, well)

            def beside(is_beside: bool) -> None:
                site.integration(
                    "crasher", "crasher", {"endpoint": bad.url},
                    '<map><field name="id" source="id"/>'
                    '<field name="mark" source="code"/></map>',
                    '<when source="code" present="true"/>',
                    enabled=is_beside)

            beside(False)
            daemon.start()
            found = in_turns(bench, site, daemon, well, beside, 6, RATE)
            dead = len(site.dead())
            daemon.kill_all()
        n = sum(len(times) for times in found[True])
        late = sum(one > 1 for times in found[True] for one in times)
        texts = []
        for share in (0.5, 0.99, 1):
            alone, others = medians(found, share)
            texts.append(f"p{100 * share:.0f} {alone:.1f} / {others:.1f} ms")
        result.texts.append(
            f"{number} worker{'s' if number > 1 else ''}: alone / beside "
            + ", ".join(texts) + f"; later than 1 s: {100 * late / n:.1f} % "
            f"of {n}; {dead} dead letters of the crasher")
        result.requirements.append(
            Requirement(f"dead letters with {number}", dead, 1))
    return result


BENCHMARKS = {"store": bench_store, "time": bench_time,
              "backlog": bench_backlog, "neighbours": bench_neighbours,
              "crashes": bench_crashes}
