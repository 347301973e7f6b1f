# SPDX-License-Identifier: MIT
"""control.py - what a test asks of a running sandbox.

  POST /_control {"path": "/hook", "script": [STEP, ...]}      HTTP faults
  POST /_control {"path": "/hook", "expect": {RULES}}          what is checked
  POST /_control {"service": "smtp", "stage": "rcpt", "script": [STEP, ...]}
  POST /_control {"service": "smtp", "expect": {RULES}}
  POST /_control {"reset": true}     forget scripts, counts and seen ids
  GET  /_log                         counts by service

The service is custom-api unless named.  Steps: faults.py, smtp_server.py;
rules: each service's own.  Every HTTP port answers these, and a port for
nothing else.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

from http_server import Reply, Request, json_reply, problem_reply
from recorder import Recorder
from service import Service

PATHS = ("/_control", "/_log")


class Control:
    """Routes control requests to the services."""

    def __init__(self, services: List[Service], recorder: Recorder) -> None:
        self._services = {service.name: service for service in services}
        self._recorder = recorder

    async def handle(self, request: Request) -> Reply:
        if request.path == "/_log":
            return json_reply(self._recorder.counts())
        if request.path != "/_control":
            return problem_reply(404, "here are /_control and /_log only")
        if request.method != "POST":
            return problem_reply(405, "POST it")
        try:
            self.apply(json.loads(request.body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return problem_reply(400, str(error))
        return json_reply({"ok": True})

    def apply(self, order: Dict[str, Any]) -> None:
        """Do what the order says; raises ValueError if it says nothing."""
        if order.get("reset"):
            self._recorder.clear_counts()
            for service in self._services.values():
                service.reset()
            return
        name = order.get("service", "custom-api")
        if name not in self._services:
            raise ValueError(f"the service {name} is not running")
        service = self._services[name]
        if "script" not in order and "expect" not in order:
            raise ValueError("an order has script, expect or reset")
        where = order.get("path") or order.get("stage") or ""
        if "script" in order:
            service.script(where, order["script"])
        if "expect" in order:
            service.expect(where, order["expect"])
