# SPDX-License-Identifier: MIT
"""runs.py - run one program and take its measures."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

INTEGRATION = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="bench"
             provider="{provider}" enabled="true">
  <workspaces all="true"/>
  <settings>
{settings}
  </settings>
{body}
  <delivery>{delivery}<in-flight max="{in_flight}"/></delivery>
</integration>
"""
HERALD_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<herald xmlns="urn:herald:config:1">
  <workspaces><workspace name="acme"/></workspaces>
  <network><allow cidr="127.0.0.0/8"/><allow-http/></network>
  <tls ca-file="{ca_file}"/>
</herald>
"""
#: In the order of events.py: the body is then the same as `data`.
FIELDS = ("email", "firstName", "lastName", "town", "countryCode", "locale",
          "id", "score", "timeTaken", "optinNewsletter", "prizeTitle",
          "customText")
MAIL = """\
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <to source="email"/>
    <subject>Well done</subject>
    <text>{{customText}}</text>
  </mail>"""
TEMPLATE_MAIL = """\
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <to source="email"/>
    <template id="d-0123456789abcdef"/>
    <parameters>
{rows}
    </parameters>
  </mail>"""
#: Above what any vendor allows: the program is measured, not the limit.
BATCH = '<rate limit="1000000" per="1s"/><batch max="{batch}" wait="200ms"/>'


class Failed(Exception):
    """The program under measure did not do its work."""


class Unmeasured(Exception):
    """A yardstick gave no figure: the others' are not worth less."""


@dataclass
class Measure:
    """One run; microseconds and memory are 0 where nobody measured."""
    rate: float
    cpu_us: float = 0.0
    peak_kib: int = 0


def median(measures: Sequence[Measure]) -> Measure:
    """The medians of the rates and of the costs; the highest peak."""
    return Measure(statistics.median(one.rate for one in measures),
                   statistics.median(one.cpu_us for one in measures),
                   max(one.peak_kib for one in measures))


class Runner:
    """Runs clients pinned to their core, in the run directory."""

    def __init__(self, run_dir: Path, bench_bin: Path,
                 core: Optional[int]) -> None:
        self.run_dir = run_dir
        self._measure = str(bench_bin / "measure")
        self._yardstick = str(bench_bin / "curl-multi")
        self._pin = ["taskset", "-c", str(core)] if core is not None else []

    def timed(self, command: List[str], count: int,
              is_partial_fine: bool = False) -> "tuple[Measure, str]":
        """Run it; the measure for so many events, and what it printed."""
        result = self.run_dir / "measure.json"
        done = subprocess.run(
            [self._measure, str(result), *self._pin, *command],
            cwd=self.run_dir, capture_output=True, text=True)
        usage = json.loads(result.read_text())
        if usage["status"] != 0 and not is_partial_fine:
            raise Failed(f"{command[0]} exited {usage['status']}:\n"
                         + (done.stdout + done.stderr)[-2000:])
        cpu = usage["user"] + usage["system"]
        return Measure(count / usage["seconds"], 1e6 * cpu / count,
                       usage["peak_kib"]), done.stdout

    def bare(self, url: str, events: Path, count: int, in_flight: int,
             ca_file: str) -> Measure:
        """curl-multi.c, the yardstick."""
        return self.timed([self._yardstick, url, str(events),
                           str(in_flight), ca_file], count)[0]

    def wrk(self, program: str, url: str, body: str, connections: int,
            seconds: int) -> Measure:
        """wrk posting one body again and again."""
        script = self.run_dir / "wrk.lua"
        script.write_text(
            'wrk.method = "POST"\n'
            'wrk.headers["Content-Type"] = "application/json"\n'
            f"wrk.body = {lua_text(body)}\n", encoding="utf-8")
        measure, printed = self.timed(
            [program, "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
             str(script), url], 1)
        errors = re.search(r"Non-2xx.*|Socket errors.*", printed)
        total = re.search(r"(\d+) requests in", printed)
        rate = re.search(r"Requests/sec:\s*([\d.]+)", printed)
        if not rate or not total or errors:
            raise Unmeasured("wrk: " + (errors.group(0) if errors
                                        else printed[-200:]))
        count = int(total.group(1))
        if count == 0:
            raise Unmeasured(f"wrk: no request ended within {seconds} s")
        return Measure(float(rate.group(1)), measure.cpu_us / count,
                       measure.peak_kib)

    def vendor(self, node: str, script: Path, arguments: List[str],
               count: int) -> Measure:
        """vendors.mjs: the vendor's own SDK."""
        return self.timed([node, str(script), *arguments], count)[0]

    def smtp_source(self, program: str, port: int, count: int, size: int,
                    sessions: int) -> Measure:
        """Postfix's sender: kept connections, a body of that size."""
        return self.timed([program, "-d", "-s", str(sessions), "-m",
                           str(count), "-l", str(size), "-f",
                           "play@acme.example", "-t", "player@example.com",
                           f"127.0.0.1:{port}"], count)[0]


def lua_text(value: str) -> str:
    return "[=[" + value + "]=]"


class Herald:
    """herald with one integration; all that depends on its command line."""

    def __init__(self, runner: Runner, program: str, plugins: str,
                 ca_file: str) -> None:
        self._runner = runner
        self._ca_file = ca_file
        self._base = [program, "--config", str(runner.run_dir / "etc"),
                      "--plugins", plugins,
                      "--state", str(runner.run_dir / "state")]

    def configure_api(self, url: str, in_flight: int) -> None:
        self._write("custom-api", {"endpoint": url, "auth": "none"},
                    f"  <map>\n{rows('field')}\n  </map>", in_flight)

    def configure_hubspot(self, url: str, batch: int, in_flight: int) -> None:
        self._write("hubspot", {"access-token": "pat-na1-of-the-bench",
                                "base-url": url},
                    f"  <map>\n{rows('field')}\n  </map>", in_flight,
                    BATCH.format(batch=batch))

    def configure_sendgrid(self, url: str, batch: int,
                           in_flight: int) -> None:
        self._write("sendgrid", {"api-key": "SG.of-the-bench",
                                 "base-url": url},
                    TEMPLATE_MAIL.format(rows=rows("parameter")), in_flight,
                    BATCH.format(batch=batch))
        self._test_mail()

    def configure_smtp(self, port: int, in_flight: int) -> None:
        self._write("smtp", {"host": "127.0.0.1", "port": str(port),
                             "security": "none"}, MAIL, in_flight)
        self._test_mail()

    def _test_mail(self) -> None:
        """No mailer sends before it has sent one."""
        self._runner.timed([*self._base, "test", "--to",
                            "operator@acme.example", "bench"], 1)

    def send(self, events: Path, count: int) -> Measure:
        """herald send; every event must have been delivered."""
        measure, printed = self._runner.timed(
            [*self._base, "send", "--json", str(events)], count,
            is_partial_fine=True)
        delivered = delivered_of(printed)
        if delivered != count:
            raise Failed(f"herald delivered {delivered} of {count}:\n"
                         + printed[-2000:])
        return measure

    def _write(self, provider: str, settings: Dict[str, str], body: str,
               in_flight: int, delivery: str = "") -> None:
        conf_d = self._runner.run_dir / "etc" / "conf.d"
        conf_d.mkdir(parents=True, exist_ok=True)
        (self._runner.run_dir / "state").mkdir(exist_ok=True)
        (conf_d.parent / "herald.xml").write_text(
            HERALD_XML.format(ca_file=self._ca_file))
        lines = "\n".join(f'    <setting name="{name}">{value}</setting>'
                          for name, value in settings.items())
        (conf_d / "bench.xml").write_text(INTEGRATION.format(
            provider=provider, settings=lines, body=body,
            in_flight=in_flight, delivery=delivery))


def rows(element: str) -> str:
    """The fields of an event, each as it is."""
    return "\n".join(f'    <{element} name="{name}" source="{name}"/>'
                     for name in FIELDS)


def delivered_of(printed: str) -> int:
    try:
        report: Dict[str, Any] = json.loads(printed)
        return sum(one["delivered"] for one in report["integrations"])
    except (ValueError, KeyError, TypeError):
        return -1


def as_json(measures: Dict[str, Measure]) -> Dict[str, Any]:
    return {name: asdict(measure) for name, measure in measures.items()}
