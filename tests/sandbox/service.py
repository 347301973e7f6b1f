# SPDX-License-Identifier: MIT
"""service.py - what every stand-in has in common.

A stand-in is one file in services/ with one subclass of Service, found by
services.load().  One for a web API derives from HttpService and says only
what is particular: which requests break the vendor's rules (check) and how
the vendor answers the others (accept).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional

from certificates import Certificates
from connection import Listener
from faults import BadStep, Scripts, Step, check_step, is_fault, \
    reply_from_step
from http_server import Handler, Reply, Request, http_server, problem_reply
from recorder import Recorder


@dataclass
class World:
    """What the sandbox gives to its services."""
    run_dir: Path
    certificates: Certificates
    recorder: Recorder
    ports: Dict[str, int] = field(default_factory=dict)
    control: Optional[Handler] = None

    def port(self, service: str, listener: str) -> int:
        """The port asked for; 0 lets the kernel choose."""
        return self.ports.get(f"{service}.{listener}", 0)


@dataclass
class Integration:
    """How the demo uses a provider: its descriptor and what belongs to it.

    secrets: files beside the descriptor, by name.  orders: for control.py,
    before events are sent.  counted: the count (GET /_log) that grows by one
    for every event delivered.  defaults: what herald.xml says of it.
    """
    provider: str
    name: str
    descriptor: str
    secrets: Dict[str, str]
    orders: List[Dict[str, Any]]
    counted: str
    is_mailer: bool = False
    defaults: str = ""


class Service:
    """One stand-in."""

    name = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.scripts = Scripts()

    async def start(self) -> Dict[str, int]:
        """Listen; returns the ports by listener."""
        raise NotImplementedError

    def script(self, where: str, steps: List[Step]) -> None:
        """Coming requests (to a path, at a stage) take these steps."""
        raise NotImplementedError

    def expect(self, where: str, rules: Dict[str, Any]) -> None:
        """What callers are held to from now on."""
        raise NotImplementedError

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        """The demo's integration, for a stand-in that has these ports."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget scripts and what was seen."""
        self.scripts.clear()


@dataclass
class Refusal:
    """A request that breaks the rules: the answer's status, and why."""
    status: int
    problem: str


@dataclass
class Verdict:
    """What became of a request.  outcome: accepted, duplicate, probe (no
    event in it), refused, partly."""
    reply: Reply
    outcome: str = "accepted"
    events: int = 0


class HttpService(Service):
    """A web API: TLS, plain, and TLS with certificates to be refused."""

    async def start(self) -> Dict[str, int]:
        contexts = {"https": "server", "http": None, "stranger": "stranger",
                    "elsewhere": "elsewhere"}
        ports = {}
        for listener, certificate in contexts.items():
            context = certificate and self.world.certificates.context(
                certificate)
            ports[listener] = await Listener(
                listener, http_server(self.handle), context or None).start(
                    self.world.port(self.name, listener))
        return ports

    def check(self, request: Request) -> Optional[Refusal]:
        """Why the vendor would refuse this request; None if it would not."""
        raise NotImplementedError

    def accept(self, request: Request) -> Verdict:
        """The vendor's answer to a request that keeps the rules."""
        raise NotImplementedError

    def script(self, where: str, steps: List[Step]) -> None:
        if not where.startswith("/"):
            raise ValueError("a script needs a path")
        self.scripts.put(where, [check_step(step) for step in steps])

    async def handle(self, request: Request) -> Reply:
        if request.path.startswith("/_"):
            return await self.world.control(request)
        refusal = self.check(request)
        try:
            step = self.scripts.next_for_path(request.path)
        except BadStep as error:
            return problem_reply(404, str(error))
        if step and step.get("delay_ms"):
            await asyncio.sleep(float(step["delay_ms"]) / 1000)
        if refusal:
            verdict = Verdict(problem_reply(refusal.status, refusal.problem),
                              "refused")
        elif is_fault(step):
            verdict = Verdict(reply_from_step(step), "fault")
        else:
            verdict = self.accept(request)
        self._record(request, verdict, refusal)
        return verdict.reply

    def _record(self, request: Request, verdict: Verdict,
                refusal: Optional[Refusal]) -> None:
        entry = {"outcome": verdict.outcome, "status": verdict.reply.status,
                 "events": verdict.events, "method": request.method,
                 "path": request.target, "listener": request.listener,
                 "connection": request.connection,
                 "headers": request.headers,
                 "body": request.body.decode("utf-8", "replace")}
        if refusal:
            entry["problem"] = refusal.problem
        self.world.recorder.request(self.name, entry)
