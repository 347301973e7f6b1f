#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sandbox.py - stand-ins for the services that herald delivers to.

One process on loopback.  When everything listens, RUN_DIR/sandbox.json
appears with the pid, the ports and the CA file; what comes is recorded beside
it (recorder.py).  Stop it with SIGTERM.

  sandbox.py --run-dir DIR                     all stand-ins
  sandbox.py --run-dir DIR --service smtp      this one only
  sandbox.py --run-dir DIR --port custom-api.https=8443
  sandbox.py --run-dir DIR --expect '{"auth": "bearer", "key": "k"}'

Rules and faults: services/*.py, faults.py, smtp_server.py; while it runs:
control.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Dict, List

import services
from certificates import Certificates
from connection import Listener
from control import Control
from http_server import http_server
from recorder import Recorder
from service import Service, World


def read_options(arguments: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Stand-ins for the services that herald delivers to.")
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--service", action="append", metavar="NAME",
                        choices=sorted(services.load()), dest="names",
                        help="only this stand-in (repeatable)")
    parser.add_argument("--port", action="append", default=[],
                        metavar="SERVICE.LISTENER=PORT",
                        help="not a port of the kernel's choice")
    parser.add_argument("--expect", type=json_option, metavar="JSON|@FILE",
                        help="rules for all paths of custom-api")
    parser.add_argument("--smtp-login", metavar="LOGIN")
    parser.add_argument("--smtp-password", metavar="PASSWORD")
    return parser.parse_args(arguments)


def json_option(text: str) -> Any:
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    return json.loads(text)


def port_options(options: List[str]) -> Dict[str, int]:
    ports = {}
    for option in options:
        name, _, port = option.partition("=")
        ports[name] = int(port)
    return ports


def raise_file_limit() -> None:
    """A thousand connections need more files than some systems allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10240 if hard == resource.RLIM_INFINITY else min(hard, 10240)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def apply_expectations(options: argparse.Namespace,
                       control: Control) -> None:
    if options.expect is not None:
        control.apply({"path": "/", "expect": options.expect})
    rules = {"login": options.smtp_login, "password": options.smtp_password}
    rules = {key: value for key, value in rules.items() if value is not None}
    if rules:
        control.apply({"service": "smtp", "expect": rules})


async def start(options: argparse.Namespace) -> Dict[str, Any]:
    """Start everything; returns what sandbox.json says."""
    certificates = Certificates(options.run_dir / "certificates")
    certificates.make()
    recorder = Recorder(options.run_dir)
    world = World(options.run_dir, certificates, recorder,
                  port_options(options.port))
    kinds = services.load()
    running: List[Service] = [kinds[name](world)
                              for name in options.names or sorted(kinds)]
    control = Control(running, recorder)
    world.control = control.handle
    apply_expectations(options, control)
    listener = Listener("control", http_server(control.handle))
    ports = {"control": await listener.start(world.ports.get("control", 0))}
    described = {service.name: await service.start() for service in running}
    return {"pid": os.getpid(), "ca_file": str(certificates.ca_file),
            "control": ports["control"], "ports": described}


def write_description(path: Path, description: Dict[str, Any]) -> None:
    """Appears whole or not at all: who waits for it may read it at once."""
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(description, indent=1) + "\n")
    unfinished.rename(path)


async def run(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    description_file = options.run_dir / "sandbox.json"
    if description_file.exists():
        description_file.unlink()
    write_description(description_file, await start(options))
    await stopped.wait()
    description_file.unlink()


def main() -> int:
    options = read_options(sys.argv[1:])
    options.run_dir = options.run_dir.resolve()
    options.run_dir.mkdir(parents=True, exist_ok=True)
    raise_file_limit()
    asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
