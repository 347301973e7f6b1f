# SPDX-License-Identifier: MIT
"""accepting.py - how many events a second an intake accepts, on disk.

  intake      herald intake taken by wrk, one event a request and a hundred,
              32 and 64 keep-alive clients, beside the bare commits of as
              many events in groups of the same size (commit-bench.c)
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

from daemon import Process, Site, TOKEN
from receivers import find_tool
from results import Requirement, Result
from runs import Failed, Measure

BODY = 500                      # bytes of an event, about
SCRIPT = """
local thread_id = 0
function setup (thread)
  thread:set ("number", thread_id)
  thread_id = thread_id + 1
end
function init ()
  math.randomseed (os.time () + 7919 * number)
  start = string.format ("%%d-%%d-", number, math.random (1e9))
  count = 0
  tail = '","source":"/bench","type":"participation","workspace":"acme",' ..
    '"data":{"email":"p@example.com","pad":"' .. string.rep ("x", 370) ..
    '"}}'
  headers = { ["Content-Type"] = "%(kind)s",
              ["Authorization"] = "Bearer %(token)s" }
end
function event ()
  count = count + 1
  return '{"specversion":"1.0","id":"' .. start .. count .. tail
end
function request ()
  local body
  if %(size)d == 1 then
    body = event ()
  else
    local events = {}
    for i = 1, %(size)d do
      events[i] = event ()
    end
    body = "[" .. table.concat (events, ",") .. "]"
  end
  return wrk.format ("POST", "/v1/events", headers, body)
end
"""
KINDS = {1: "application/cloudevents+json",
         100: "application/cloudevents-batch+json"}
#: Accepted events a second, with 64 clients.
REQUIRED = {1: 10_000, 100: 60_000}


def figures(port: int) -> Tuple[int, int]:
    """Events accepted and commits made so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        text = reply.read().decode()
    found = [re.search(pattern, text, re.MULTILINE) for pattern in
             (r"^herald_events_accepted_total (\d+)$",
              r'^herald_store_commit_seconds_count\{process="intake"\} '
              r"(\d+)$")]
    if None in found:
        raise Failed("/metrics has not what is looked for")
    return tuple(int(one.group(1)) for one in found)    # type: ignore


def accept(bench: Any, size: int, clients: int) -> Tuple[Measure, float]:
    """What an intake took from wrk, and how many events a commit had."""
    wrk = find_tool("wrk", "wrk")
    script = bench.run_dir / "intake.lua"
    script.write_text(SCRIPT % {"kind": KINDS[size], "token": TOKEN,
                                "size": size}, encoding="utf-8")
    core = bench.server_core
    pin = ["taskset", "-c", str(core)] if core is not None else []
    with Site() as site:
        site.webhook("bench", "https://example.com/")
        with site.start("intake") as running:
            running.wait_for("listening on " + str(site.socket))
            process = Process(running.process.pid, "intake")
            seconds = bench.scale.wrk_seconds
            cpu, began = process.cpu_seconds(), time.monotonic()
            said = subprocess.run(
                [*pin, wrk, "-t", "1", "-c", str(clients), "-d",
                 f"{seconds}s", "-s", str(script),
                 f"http://127.0.0.1:{site.port}"],
                stdout=subprocess.PIPE, text=True, check=True).stdout
            took = time.monotonic() - began
            used = process.cpu_seconds() - cpu
            peak = process.whole_resident_kib()
            accepted, commits = figures(site.port)
            running.process.send_signal(signal.SIGTERM)
            if running.process.wait(60) != 0:
                raise Failed("herald intake did not end well")
    if "Non-2xx" in said or accepted == 0:
        raise Failed(f"not all were accepted: {said}")
    return (Measure(accepted / took, 1e6 * used / accepted, peak),
            accepted / commits)


def commit(bench: Any, count: int, group: int) -> Measure:
    """The same commits without HTTP, JSON and routes."""
    with tempfile.TemporaryDirectory(prefix="herald-commits.") as directory:
        store = Path(directory, "store")
        found = json.loads(subprocess.run(
            [str(bench.bench_bin / "commit-bench"), str(store), str(count),
             str(group), str(BODY)], stdout=subprocess.PIPE,
            check=True).stdout)
    return Measure(found["rate"], found["cpu_us"], 0)


def bench_intake(bench: Any) -> Result:
    result = Result("intake", "events accepted, on disk, beside the bare "
                    "commits")
    groups: Dict[str, float] = {}

    def taken(name: str, size: int, clients: int) -> Measure:
        measure, groups[name] = accept(bench, size, clients)
        return measure

    programs: Dict[str, Callable[[], Measure]] = {}
    for size in (1, 100):
        for clients in (32, 64):
            name = f"{size} x {clients} clients"
            programs[name] = lambda name=name, size=size, clients=clients: \
                taken(name, size, clients)
            programs[f"  bare, {name}"] = lambda name=name: commit(
                bench, 200_000, max(1, round(groups[name])))
    bench.rounds(programs, result)
    for size, rate in REQUIRED.items():
        name = f"{size} x 64 clients"
        result.requirements.append(Requirement(
            f"events a second, {size} a request, 64 clients",
            result.measures[name].rate, rate))
    result.texts = [f"{name}: {group:.0f} events a commit"
                    for name, group in groups.items()]
    return result


BENCHMARKS = {"intake": bench_intake}
