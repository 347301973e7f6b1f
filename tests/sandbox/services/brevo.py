# SPDX-License-Identifier: MIT
"""brevo.py - Brevo's transactional mail, the stand-in for brevo.

Holds callers to the API's rules: the api-key header, required and known
members, types, names of 70 characters, no name that Brevo would drop, no
empty params, 2000 recipients a request and 99 a version, the limits of
params, a UUID as idempotency key, which is taken once.  One error refuses the
whole call.  A tag of Brevo's own ({{ }}, {% %}) in a text is refused: it
would be expanded.

Rules for POST /_control {"service": "brevo", "expect": ...}: key, senders,
templates, refuse (a regular expression of addresses).
"""

from __future__ import annotations

import hmac
import json
import re
import time
import uuid
from typing import Any, Dict, List, Set

from http_server import Request, json_reply
from service import HttpService, Integration, Verdict, World
from services.custom_api import object_once

Json = Dict[str, Any]
SEND, ACCOUNT = "/v3/smtp/email", "/v3/account"
MOST_NAME, MOST_RECIPIENTS, MOST_OF_VERSION = 70, 2000, 99
MOST_VERSIONS = 1000
MOST_PARAMS, MOST_ALL_PARAMS = 100 * 1000, 1000 * 1000
VERSION = {"to": list, "cc": list, "bcc": list, "replyTo": dict,
           "subject": str, "htmlContent": str, "textContent": str,
           "params": dict}
MEMBERS = {**VERSION, "sender": dict, "headers": dict, "tags": list,
           "templateId": int, "messageVersions": list, "scheduledAt": str,
           "batchId": str, "attachment": list}
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$")
TAG = re.compile(r"\{[{%#]")
SPECIAL = re.compile(r"[,;:@<>()\[\]\\\"]")
DEMO_KEY = "xkeysib-demo-key-of-the-sandbox"
RULES: Json = {"key": DEMO_KEY, "senders": ["play@acme.example"],
               "templates": [12], "refuse": ""}
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="brevo" provider="brevo"
             enabled="true">
  <label>Mail to the players by Brevo</label>
  <workspaces all="true"/>
  <settings>
    <setting name="api-key" from="file" path="brevo.key"/>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="tag">summer-2026</setting>
  </settings>
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{lastName}}}}, {{{{firstName}}}}"/>
    <subject>Well done, {{{{firstName}}}}!</subject>
    <text>Hello {{{{firstName}}}} {{{{lastName}}}},
you made {{{{score}}}} points. Greetings to {{{{town}}}}!
</text>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="25" wait="100ms"/>
    <in-flight max="4"/>
  </delivery>
</integration>
"""


class Wrong(Exception):
    """What the request breaks: the answer's status, code and text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = json_reply({"code": code, "message": message}, status)


def need(condition: Any, message: str,
         code: str = "invalid_parameter") -> None:
    if not condition:
        raise Wrong(400, code, message)


class Brevo(HttpService):
    """Takes mails for anybody; keeps the idempotency keys."""

    name = "brevo"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules = dict(RULES)
        self._keys: Set[str] = set()

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        limit = {"status": 429, "headers": {"x-sib-ratelimit-limit": "1000",
                                            "x-sib-ratelimit-remaining": "0",
                                            "x-sib-ratelimit-reset": "1"},
                 "body": {"code": "too_many_requests", "message": "slow down"}}
        return Integration(
            cls.name, "brevo", DEMO.format(port=ports["https"]),
            {"brevo.key": DEMO_KEY},
            [{"service": cls.name, "path": SEND,
              "script": [limit, {}, {"status": 502, "body": "<html>"}]},
             {"service": cls.name, "expect": {"refuse": "^refuse-"}}],
            "events", is_mailer=True)

    def reset(self) -> None:
        super().reset()
        self._rules = dict(RULES)
        self._keys.clear()

    def expect(self, where: str, rules: Json) -> None:
        unknown = sorted(set(rules) - set(RULES))
        if unknown:
            raise ValueError(f"unknown rule: {', '.join(unknown)}")
        self._rules.update(rules)

    def check(self, request: Request) -> None:
        return None             # Brevo's errors have a form of their own

    def accept(self, request: Request) -> Verdict:
        try:
            return self._answer(request)
        except Wrong as wrong:
            return Verdict(wrong.reply, "refused")

    def _answer(self, request: Request) -> Verdict:
        if request.path not in (SEND, ACCOUNT):
            raise Wrong(404, "document_not_found", "Invalid route")
        if request.method != ("POST" if request.path == SEND else "GET"):
            raise Wrong(405, "method_not_allowed", "another method")
        key = request.headers.get("api-key", "")
        if not key:
            raise Wrong(401, "unauthorized",
                        "authentication not found in headers")
        if not hmac.compare_digest(key.encode(), self._rules["key"].encode()):
            raise Wrong(401, "unauthorized", "Key not found")
        if request.path == ACCOUNT:
            return Verdict(json_reply({"email": "me@acme.example",
                                       "companyName": "Acme"}), "probe")
        return self._send(read_body(request))

    def _send(self, body: Json) -> Verdict:
        check_members(body, MEMBERS, "the request")
        self._check_common(body)
        versions = body.get("messageVersions")
        for one in [body] if versions is None else versions:
            self._check_mail(body, one)
        need(sum(recipients(one) for one in versions or []) <= MOST_RECIPIENTS,
             "more than 2000 recipients")
        key = body.get("headers", {}).get("idempotencyKey")
        if key in self._keys:
            raise Wrong(400, "duplicate_request", "Request already processed")
        self._keys.add(key)
        return accepted(versions)

    def _check_common(self, body: Json) -> None:
        """What holds for the request, however many mails it has."""
        check_person(body.get("sender"), "sender")
        need(body["sender"]["email"] in self._rules["senders"],
             "Sending has been rejected because the sender you used is not "
             "valid")
        if "templateId" in body:
            need(body["templateId"] in self._rules["templates"],
                 "there is no such template")
            need("htmlContent" not in body and "textContent" not in body,
                 "content is ignored with a template")
        else:
            need(body.get("subject"), "subject is missing",
                 "missing_parameter")
            need(body.get("htmlContent"), "htmlContent is missing",
                 "missing_parameter")
        check_headers(body.get("headers", {}))
        need(all(isinstance(tag, str) and tag for tag in body.get("tags", [])),
             "a tag is a text")
        versions = body.get("messageVersions")
        if versions is None:
            return
        need(0 < len(versions) <= MOST_VERSIONS, "messageVersions is invalid")
        need("to" not in body, "to is ignored with messageVersions")
        for one in versions:
            check_members(one, VERSION, "a version")
        need(sum(len(json.dumps(one.get("params", {}))) for one in versions)
             <= MOST_ALL_PARAMS, "params have more than 1000 KB")

    def _check_mail(self, body: Json, one: Json) -> None:
        need(one.get("to"), "to is missing", "missing_parameter")
        need(recipients(one) <= MOST_OF_VERSION, "more than 99 recipients")
        for name in ("to", "cc", "bcc"):
            for who in one.get(name, []):
                check_person(who, name)
                need(not self._rules["refuse"]
                     or not re.search(self._rules["refuse"], who["email"]),
                     f"email is not valid in {name}")
        if "replyTo" in one:
            check_person(one["replyTo"], "replyTo")
        if "params" in one:
            need(one["params"], "params is blank", "missing_parameter")
            need(len(json.dumps(one["params"])) <= MOST_PARAMS,
                 "params have more than 100 KB")
        need("templateId" in body or "params" not in one,
             "params without a template that has them")
        for name in ("subject", "htmlContent", "textContent"):
            need(one.get(name) != "", f"{name} is blank", "missing_parameter")
            need(not TAG.search(one.get(name, "")),
                 f"{name} has a tag that would be expanded")


def recipients(one: Json) -> int:
    return sum(len(one.get(name, [])) for name in ("to", "cc", "bcc"))


def accepted(versions: Any) -> Verdict:
    ids = [f"<{int(time.time())}.{uuid.uuid4().int % 10 ** 11}"
           "@smtp-relay.mailin.fr>" for _ in versions or [1]]
    made = json_reply({"messageIds": ids} if versions
                      else {"messageId": ids[0]}, 201)
    made.headers.update({"x-sib-ratelimit-limit": "1000",
                         "x-sib-ratelimit-remaining": "999",
                         "x-sib-ratelimit-reset": "1"})
    return Verdict(made, "accepted", len(ids))


def read_body(request: Request) -> Json:
    media_type = request.headers.get("content-type", "").split(";")[0]
    need(media_type.strip().lower() == "application/json",
         "Content-Type is not application/json", "bad_request")
    try:
        body = json.loads(request.body.decode("utf-8"),
                          object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        raise Wrong(400, "bad_request", "the body is no JSON") from None
    return body


def check_members(value: Any, members: Dict[str, type], what: str) -> None:
    need(isinstance(value, dict), f"{what} is no object")
    for name, one in value.items():
        need(name in members, f"{what} has the unknown member {name}")
        need(isinstance(one, members[name]) and not isinstance(one, bool),
             f"{name} is not valid")


def check_person(value: Any, what: str) -> None:
    check_members(value, {"email": str, "name": str}, what)
    need(EMAIL.match(value.get("email", "")), f"email is not valid in {what}")
    name = value.get("name")
    if name is None:
        return
    need(0 < len(name) <= MOST_NAME, f"name is not valid in {what}")
    need(not TAG.search(name), f"a name of {what} would be expanded")
    need(name.isascii() or not SPECIAL.search(name),
         f"this name of {what} would be dropped")


def check_headers(headers: Json) -> None:
    for name, value in headers.items():
        need(isinstance(value, str) and value.isascii() and "\n" not in value,
             f"the header {name} is not valid")
    try:
        uuid.UUID(headers.get("idempotencyKey", str(uuid.uuid4())))
    except ValueError:
        need(False, "the idempotencyKey is no UUID")
