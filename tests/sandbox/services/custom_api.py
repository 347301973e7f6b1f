# SPDX-License-Identifier: MIT
"""custom_api.py - somebody's own web API, the stand-in for custom-api.

Rules (for all paths with --expect, for one path and those below it with
POST /_control {"path": ..., "expect": ...}):

  auth      none, api-key (X-API-KEY), bearer, basic, header
  key       the key; for basic, "username:password"
  header    the header's name, for header
  signing   a whsec_ secret or a list of them; any one must fit
  body      object, array or any (default)
  method    the only method taken

A path can ask for a key itself: /auth/KIND/KEY/..., and
/auth/header/NAME/KEY/...  Paths below /fault/ answer wrongly (faults.py).
"""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any, Dict, List, Optional, Set, Tuple

import standard_webhooks
from http_server import Request, json_reply, Reply
from service import HttpService, Integration, Refusal, Verdict, World

Rules = Dict[str, Any]
RULE_KEYS = {"auth", "key", "header", "signing", "body", "method"}
PROBES = ("GET", "HEAD", "OPTIONS")
METHODS = ("POST", "PUT", "PATCH")
DEMO_KEY = "demo-key-of-the-sandbox"
DEMO_SECRET = "whsec_" + base64.b64encode(b"the demo run signs with this").decode()
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="web"
             provider="custom-api" enabled="true">
  <label>The web shop's API</label>
  <workspaces all="true"/>
  <settings>
    <setting name="endpoint">https://localhost:{port}/players</setting>
    <setting name="auth">bearer</setting>
    <setting name="api-key" from="file" path="web.key"/>
    <setting name="signing-secret" from="file" path="web.secret"/>
  </settings>
  <map>
    <field name="email" source="email"/>
    <field name="name" template="{{{{firstName}}}} {{{{lastName}}}}"/>
    <field name="town" source="town"/>
    <field name="country" source="countryCode"/>
    <field name="score" source="score" as="number" default="0"/>
    <field name="newsletter" source="optinNewsletter" as="boolean"
           default="false"/>
    <field name="campaign" value="Summer 2026"/>
  </map>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <in-flight max="32"/>
  </delivery>
</integration>
"""


class CustomApi(HttpService):
    """Takes JSON by POST, PUT or PATCH; answers 200."""

    name = "custom-api"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Dict[str, Rules] = {}
        self._seen_ids: Set[Tuple[str, str]] = set()

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        rules = {"auth": "bearer", "key": DEMO_KEY, "signing": DEMO_SECRET,
                 "body": "object"}
        faults = [{}, {"status": 503, "body": "busy"},
                  {"status": 429, "retry_after": "1"}]
        return Integration(
            cls.name, "web", DEMO.format(port=ports["https"]),
            {"web.key": DEMO_KEY, "web.secret": DEMO_SECRET},
            [{"path": "/players", "expect": rules},
             {"path": "/players", "script": faults}], "events")

    def reset(self) -> None:
        super().reset()
        self._seen_ids.clear()

    def expect(self, where: str, rules: Rules) -> None:
        unknown = sorted(set(rules) - RULE_KEYS)
        if unknown:
            raise ValueError(f"unknown rule: {', '.join(unknown)}")
        self._rules[where.rstrip("/")] = rules

    def rules_for(self, path: str) -> Rules:
        """The rules of the longest path that this one is, or lies below."""
        parts = path.strip("/").split("/")
        own = rules_from_path(parts)
        for length in range(len(parts), -1, -1):
            where = "".join("/" + part for part in parts[:length])
            if where in self._rules:
                return {**self._rules[where], **own}
        return own

    def check(self, request: Request) -> Optional[Refusal]:
        rules = self.rules_for(request.path)
        refusal = check_auth(request.headers, rules)
        if refusal or request.method in PROBES:
            return refusal
        if request.method not in METHODS \
                or request.method != rules.get("method", request.method):
            return Refusal(405, f"{request.method} is not taken here")
        return check_signature(request, rules) or check_body(request, rules)

    def accept(self, request: Request) -> Verdict:
        if request.method in PROBES:
            return Verdict(Reply(204, {"Allow": ", ".join(METHODS)}), "probe")
        body = json.loads(request.body)
        events = len(body) if isinstance(body, list) else 1
        webhook_id = request.headers.get("webhook-id")
        if webhook_id:
            key = (request.path, webhook_id)
            if key in self._seen_ids:
                return Verdict(json_reply({"ok": True, "duplicate": True}),
                               "duplicate")
            self._seen_ids.add(key)
        return Verdict(json_reply({"ok": True}), "accepted", events)


def rules_from_path(parts: List[str]) -> Rules:
    if len(parts) < 3 or parts[0] != "auth":
        return {}
    if parts[1] == "header" and len(parts) >= 4:
        return {"auth": "header", "header": parts[2], "key": parts[3]}
    return {"auth": parts[1], "key": parts[2]}


def check_auth(headers: Dict[str, str], rules: Rules) -> Optional[Refusal]:
    kind = rules.get("auth", "none")
    key = str(rules.get("key", ""))
    if kind == "none":
        return None
    name, wanted = {
        "api-key": ("x-api-key", key),
        "bearer": ("authorization", f"Bearer {key}"),
        "basic": ("authorization",
                  "Basic " + base64.b64encode(key.encode()).decode()),
        "header": (str(rules.get("header", "")).lower(), key),
    }.get(kind, ("", ""))
    if not name:
        return Refusal(500, f"the sandbox knows no kind of key {kind}")
    given = headers.get(name)
    if given is None:
        return Refusal(401, f"the header {name} is missing")
    if not hmac.compare_digest(given.encode("latin-1"), wanted.encode()):
        return Refusal(401, f"the header {name} has the wrong value")
    return None


def check_signature(request: Request, rules: Rules) -> Optional[Refusal]:
    secrets = rules.get("signing")
    if not secrets:
        return None
    if isinstance(secrets, str):
        secrets = [secrets]
    problem = standard_webhooks.problem(request.headers, request.body,
                                        secrets)
    return Refusal(401, problem) if problem else None


def check_body(request: Request, rules: Rules) -> Optional[Refusal]:
    media_type = request.headers.get("content-type", "").split(";")[0]
    if media_type.strip().lower() != "application/json":
        return Refusal(415, "the content type is not application/json")
    try:
        body = json.loads(request.body.decode("utf-8"),
                          object_pairs_hook=object_once)
    except (ValueError, RecursionError) as error:
        return Refusal(400, f"the body is no JSON: {error}")
    kinds = {"object": dict, "array": list}
    kind = rules.get("body", "any")
    wanted = kinds.get(kind, (dict, list))
    if not isinstance(body, wanted):
        return Refusal(422, f"the body is not the JSON {kind} asked for")
    if isinstance(body, list) \
            and not all(isinstance(one, dict) for one in body):
        return Refusal(422, "the array has something else than objects")
    return None


def object_once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """A key twice is valid JSON, and always a mistake of the sender."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has a key twice")
    return made
