# SPDX-License-Identifier: MIT
"""hubspot.py - HubSpot's CRM, the stand-in for hubspot.

Takes batch upserts of contacts, companies and custom objects, by the paths
of versions by date and of v3, and keeps the records: a second upsert is an
update.  A batch with one bad input is refused whole, as HubSpot does.

Rules (POST /_control {"service": "hubspot", "expect": ...}):

  token        the only token taken
  properties   the properties that there are
  unique       those of them that records may be matched on, beside email
  validation   {property: regular expression}: what the account's validation
               rules forbid
  limit        requests in ten seconds
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections import deque
from typing import Any, Deque, Dict, List, Optional, Tuple

from http_server import Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World
from services.custom_api import object_once

Json = Dict[str, Any]
DEMO_TOKEN = "pat-eu1-00000000-demo-of-the-sandbox"
UPSERT = re.compile(r"/crm/(?:objects/2026-(?:03|09)/([\w-]+)"
                    r"|v3/objects/([\w-]+))/batch/upsert$")
DETAILS = re.compile(r"/account-info/(?:2026-(?:03|09)|v3)/details$")
INPUT = {"id": str, "idProperty": str, "objectWriteTraceId": str,
         "properties": dict}
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$")
MOST_INPUTS = 100
WINDOW_SECONDS = 10
RULES: Json = {
    "token": DEMO_TOKEN,
    "properties": ["email", "firstname", "lastname", "city", "campaign",
                   "score", "player_id"],
    "unique": ["player_id"], "validation": {}, "limit": 100}
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="hubspot"
             provider="hubspot" enabled="true">
  <label>Contacts of the marketing team</label>
  <workspaces all="true"/>
  <settings>
    <setting name="access-token" from="file" path="hubspot.token"/>
    <setting name="base-url">https://localhost:{port}</setting>
  </settings>
  <map>
    <field name="email" source="email"/>
    <field name="firstname" source="firstName" default=""/>
    <field name="lastname" source="lastName" default=""/>
    <field name="city" source="town" default=""/>
    <field name="campaign" value="Summer 2026"/>
    <field name="score" source="score" default="0"/>
  </map>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="25" wait="100ms"/>
    <in-flight max="4"/>
  </delivery>
</integration>
"""


class Wrong(Exception):
    """What the request breaks: the answer's status, category and text."""

    def __init__(self, status: int, category: str, message: str,
                 **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status": "error", "message": message,
                     "correlationId": str(uuid.uuid4()),
                     "category": category, **more}


def invalid(message: str, **more: Any) -> Wrong:
    return Wrong(400, "VALIDATION_ERROR", message, **more)


class Hubspot(HttpService):
    """Keeps records by object and id."""

    name = "hubspot"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules = dict(RULES)
        self._records: Dict[Tuple[str, str], Json] = {}
        self._requests: Deque[float] = deque()

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        limit = {"status": "error", "errorType": "RATE_LIMIT",
                 "message": "You have reached your secondly limit.",
                 "correlationId": str(uuid.uuid4()), "policyName": "SECONDLY"}
        return Integration(
            cls.name, "hubspot", DEMO.format(port=ports["https"]),
            {"hubspot.token": DEMO_TOKEN},
            [{"service": cls.name,
              "path": "/crm/objects/2026-09/contacts/batch/upsert",
              "script": [{"status": 429, "body": limit}, {},
                         {"status": 502, "body": "<html>oops</html>"}]},
             {"service": cls.name,
              "expect": {"validation": {"email": "^refuse-"}}}], "events")

    def reset(self) -> None:
        super().reset()
        self._rules = dict(RULES)
        self._records.clear()
        self._requests.clear()

    def expect(self, where: str, rules: Json) -> None:
        unknown = sorted(set(rules) - set(RULES))
        if unknown:
            raise ValueError(f"unknown rule: {', '.join(unknown)}")
        self._rules.update(rules)

    def check(self, request: Request) -> Optional[Refusal]:
        return None             # HubSpot's errors have a form of their own

    def accept(self, request: Request) -> Verdict:
        try:
            return self._answer(request)
        except Wrong as wrong:
            return Verdict(json_reply(wrong.body, wrong.status), "refused")

    def _answer(self, request: Request) -> Verdict:
        upsert = UPSERT.match(request.path)
        if not upsert and not DETAILS.match(request.path):
            raise Wrong(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.method != ("POST" if upsert else "GET"):
            raise Wrong(405, "METHOD_NOT_ALLOWED", "another method")
        if request.headers.get("authorization") \
                != f"Bearer {self._rules['token']}":
            raise Wrong(401, "INVALID_AUTHENTICATION",
                        "Authentication credentials not found.")
        self._count()
        if not upsert:
            return Verdict(json_reply({"portalId": 62515, "timeZone": "UTC",
                                       "accountType": "STANDARD"}), "probe")
        return self._upsert(request, upsert.group(1) or upsert.group(2))

    def _count(self) -> None:
        now = time.monotonic()
        while self._requests and self._requests[0] < now - WINDOW_SECONDS:
            self._requests.popleft()
        if len(self._requests) >= self._rules["limit"]:
            raise Wrong(429, "RATE_LIMITS",
                        "You have reached your ten_secondly_rolling limit.",
                        errorType="RATE_LIMIT",
                        policyName="TEN_SECONDLY_ROLLING")
        self._requests.append(now)

    def _upsert(self, request: Request, kind: str) -> Verdict:
        inputs = read_inputs(request)
        keys = [self._check(one) for one in inputs]
        if len(set(keys)) != len(keys):
            raise invalid("Duplicate IDs found in batch input")
        traces = [one["objectWriteTraceId"] for one in inputs
                  if "objectWriteTraceId" in one]
        if len(set(traces)) != len(traces):
            raise invalid("objectWriteTraceId must be unique in a batch")
        results = [self._keep(kind, key, one)
                   for key, one in zip(keys, inputs)]
        results.reverse()       # the order of inputs is not promised
        return Verdict(json_reply({
            "status": "COMPLETE", "results": results,
            "startedAt": now_text(), "completedAt": now_text()}),
            "accepted", len(results))

    def _check(self, one: Json) -> str:
        """What the input is matched on; Wrong if HubSpot would refuse it."""
        id_property = one.get("idProperty", "hs_object_id")
        if id_property != "email" \
                and id_property not in self._rules["unique"]:
            raise invalid(f"{id_property} is not a unique property")
        for name, value in one["properties"].items():
            if name not in self._rules["properties"]:
                raise invalid("Property values were not valid", errors=[{
                    "message": f'Property "{name}" does not exist',
                    "code": "PROPERTY_DOESNT_EXIST",
                    "context": {"propertyName": [name]}}])
            if not isinstance(value, str):
                raise invalid("Invalid input JSON: property values are "
                              "strings")
            rule = self._rules["validation"].get(name)
            if rule and re.search(rule, value):
                raise invalid(f"Property values were not valid: {name} "
                              "breaks a validation rule")
        email = one["properties"].get("email")
        if email is not None and not EMAIL.match(email):
            raise invalid("Property values were not valid: email "
                          "INVALID_EMAIL")
        if id_property == "email" and email is not None \
                and email.lower() != one["id"].lower():
            raise invalid("the id is not the email of the properties")
        return f"{id_property}={one['id'].lower()}"

    def _keep(self, kind: str, key: str, one: Json) -> Json:
        is_new = (kind, key) not in self._records
        record = self._records.setdefault(
            (kind, key), {"id": str(9007199254740993 + len(self._records)),
                          "createdAt": now_text(), "properties": {}})
        record["properties"].update(one["properties"])
        made = {**record, "new": is_new, "updatedAt": now_text(),
                "archived": False}
        if "objectWriteTraceId" in one:
            made["objectWriteTraceId"] = one["objectWriteTraceId"]
        return made


def read_inputs(request: Request) -> List[Json]:
    """The body's inputs, each of the right shape."""
    media_type = request.headers.get("content-type", "").split(";")[0]
    if media_type.strip().lower() != "application/json":
        raise Wrong(415, "VALIDATION_ERROR", "Unsupported Media Type")
    try:
        body = json.loads(request.body.decode("utf-8"),
                          object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        raise invalid("Invalid input JSON") from None
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise invalid("inputs are missing")
    if len(inputs) > MOST_INPUTS:
        raise invalid(f"more than {MOST_INPUTS} inputs")
    for one in inputs:
        if not isinstance(one, dict) or not one.get("id") \
                or "properties" not in one or set(one) - set(INPUT) \
                or not all(isinstance(value, INPUT[name])
                           for name, value in one.items()):
            raise invalid("Invalid input JSON: an input has id and "
                          "properties")
    return inputs


def now_text() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
