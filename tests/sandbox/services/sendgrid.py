# SPDX-License-Identifier: MIT
"""sendgrid.py - SendGrid's mail/send, the stand-in for sendgrid.

Holds callers to the API's rules: the bearer key, required members, known
members only, types, no empty strings, 1000 recipients in total, no address
twice in a personalization, no comma or semicolon in names, text before html.
One error refuses the whole call.  An address that begins with refuse- is
refused.

Rules for POST /_control {"service": "sendgrid", "expect": ...}: key, from
(the only verified sender), template (the only one known), scopes.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import Any, Dict, List, Optional, Tuple

from http_server import Reply, Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World

RULE_KEYS = ("key", "from", "template", "scopes")
SEND, SCOPES = "/v3/mail/send", "/v3/scopes"
MOST_RECIPIENTS = 1000
MOST_BYTES = 30 * 1024 * 1024
MEMBERS = {
    "personalizations": list, "from": dict, "reply_to": dict,
    "reply_to_list": list, "subject": str, "content": list,
    "attachments": list, "template_id": str, "headers": dict,
    "categories": list, "send_at": int, "batch_id": str, "asm": dict,
    "ip_pool_name": str, "mail_settings": dict, "tracking_settings": dict}
PERSONAL = {
    "to": list, "cc": list, "bcc": list, "from": dict, "subject": str,
    "headers": dict, "substitutions": dict, "dynamic_template_data": dict,
    "custom_args": dict, "send_at": int}
RESERVED = {"x-sg-id", "x-sg-eid", "received", "dkim-signature",
            "content-type", "content-transfer-encoding", "to", "from",
            "subject", "reply-to", "cc", "bcc"}
DEMO_KEY = "SG.demo-key-of-the-sandbox"
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="sendgrid"
             provider="sendgrid" enabled="true">
  <label>Mail by way of SendGrid</label>
  <workspaces all="true"/>
  <settings>
    <setting name="api-key" from="file" path="sendgrid.key"/>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="category">summer-2026</setting>
  </settings>
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{firstName}}}} {{{{lastName}}}}"/>
    <bcc address="audit@acme.example"/>
    <template id="d-0123456789abcdef0123456789abcdef"/>
    <parameters>
      <parameter name="first_name" source="firstName" default="you"/>
      <parameter name="score" source="score" as="number" default="0"/>
    </parameters>
    <header name="List-Unsubscribe">&lt;mailto:leave@acme.example&gt;</header>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="100" wait="200ms"/>
    <in-flight max="8"/>
  </delivery>
</integration>
"""

Error = Tuple[str, Optional[str]]       # message, field


class Problem(Exception):
    """The first rule that a call breaks: a message and the field."""


class Sendgrid(HttpService):
    """Takes mails all at once, or none."""

    name = "sendgrid"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Dict[str, Any] = {}
        self._count = 0

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        rules = {"key": DEMO_KEY, "from": "play@acme.example",
                 "template": "d-0123456789abcdef0123456789abcdef"}
        return Integration(
            cls.name, "sendgrid", DEMO.format(port=ports["https"]),
            {"sendgrid.key": DEMO_KEY},
            [{"service": cls.name, "path": "/", "expect": rules},
             {"service": cls.name, "path": SEND, "script": [
                 {"status": 429, "retry_after": "1",
                  "body": json.dumps(errors(("too many requests", None)))},
                 {}, {"status": 503, "body": "busy"}]}],
            "events", is_mailer=True)

    def expect(self, where: str, rules: Dict[str, Any]) -> None:
        for key, value in rules.items():
            if key not in RULE_KEYS:
                raise ValueError(f"unknown rule: {key}")
            self._rules[key] = value

    def check(self, request: Request) -> Optional[Refusal]:
        """All of its own refusals are answers of accept ()."""
        if request.path not in (SEND, SCOPES):
            return Refusal(404, "there is no such resource")
        return None

    def accept(self, request: Request) -> Verdict:
        refusal = self._refusal(request)
        if refusal:
            return Verdict(refusal, "refused")
        if request.path == SCOPES:
            scopes = self._rules.get("scopes", ["alerts.read", "mail.send"])
            return Verdict(json_reply({"scopes": scopes}), "probe")
        try:
            body = read_body(request.body)
            check_body(body, self._rules)
        except Problem as problem:
            return Verdict(json_reply(errors(problem.args), 400), "refused")
        settings = body.get("mail_settings", {})
        if settings.get("sandbox_mode", {}).get("enable"):
            return Verdict(Reply(200), "probe")
        self._count += 1
        return Verdict(Reply(202, {"X-Message-Id": f"sg-{self._count}"}),
                       "accepted", len(body["personalizations"]))

    def _refusal(self, request: Request) -> Optional[Reply]:
        given = request.headers.get("authorization", "")
        wanted = "Bearer " + self._rules.get("key", given[7:])
        if not given.startswith("Bearer ") or not hmac.compare_digest(
                given.encode("latin-1"), wanted.encode()):
            return refuse(401, "The provided authorization grant is "
                               "invalid, expired, or revoked")
        if request.method != ("POST" if request.path == SEND else "GET"):
            return refuse(405, "method not allowed")
        if request.path == SCOPES:
            return None
        kind = request.headers.get("content-type", "").split(";")[0]
        if kind.strip().lower() != "application/json":
            return refuse(415, "Content-Type should be application/json.")
        if len(request.body) > MOST_BYTES:
            return refuse(413, "The JSON payload is too large.")
        return self._refusal_of_sender(request.body)

    def _refusal_of_sender(self, body: bytes) -> Optional[Reply]:
        try:
            sender = json.loads(body)["from"]["email"]
        except (ValueError, KeyError, TypeError):
            return None                 # what it is, check_body () says
        if sender == self._rules.get("from", sender):
            return None
        return refuse(403, "The from address does not match a verified "
                           "Sender Identity.", "from")


def errors(*all_of_them: Error) -> Dict[str, List[Dict[str, Any]]]:
    return {"errors": [{"message": message, "field": field, "help": None}
                       for message, field in all_of_them]}


def refuse(status: int, message: str, field: Optional[str] = None) -> Reply:
    return json_reply(errors((message, field)), status)


def need(condition: Any, message: str, field: Optional[str]) -> None:
    if not condition:
        raise Problem(message, field)


def read_body(body: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError:
        raise Problem("Bad Request", None) from None
    need(isinstance(value, dict), "Bad Request", None)
    return value


def check_members(value: Any, members: Dict[str, type], field: str) -> None:
    need(isinstance(value, dict), "it must be an object", field)
    for name, member in value.items():
        where = f"{field}.{name}".lstrip(".")
        need(name in members, "Additional property is not allowed", where)
        need(isinstance(member, members[name]), "Invalid type", where)
        need(member != "" and member != [], "it must not be empty", where)


def check_body(body: Dict[str, Any], rules: Dict[str, Any]) -> None:
    check_members(body, MEMBERS, "")
    for name in ("personalizations", "from"):
        need(name in body, f"The {name} is required", name)
    template = body.get("template_id")
    known = rules.get("template", template)
    need(template in (None, known), "The template_id is unknown",
         "template_id")
    need(template or body.get("subject"), "The subject is required",
         "subject")
    check_address(body["from"], "from", is_sender=True)
    need(body["from"]["email"].isascii(), "no Unicode in the address",
         "from.email")
    need(not ("reply_to" in body and "reply_to_list" in body),
         "reply_to and reply_to_list", "reply_to")
    if "reply_to" in body:
        check_address(body["reply_to"], "reply_to", is_sender=True)
    check_content(body, template)
    for name, value in body.get("headers", {}).items():
        need(isinstance(value, str) and name.lower() not in RESERVED,
             "a reserved header, or no text", "headers")
    categories = body.get("categories", [])
    need(len(categories) <= 10 and len(set(categories)) == len(categories)
         and all(len(one) <= 255 for one in categories),
         "at most 10 unique categories of 255", "categories")
    need(isinstance(body.get("asm", {"group_id": 1}).get("group_id"), int),
         "group_id is a number", "asm.group_id")
    check_personalizations(body["personalizations"], template)


def check_content(body: Dict[str, Any], template: Optional[str]) -> None:
    order = {"text/plain": 0, "text/html": 1}
    parts = body.get("content", [])
    need(template or parts, "The content is required", "content")
    for k, part in enumerate(parts):
        check_members(part, {"type": str, "value": str}, f"content.{k}")
        need(set(part) == {"type", "value"}, "type and value", f"content.{k}")
    ranks = [order.get(part["type"], 2) for part in parts]
    need(ranks == sorted(set(ranks)),
         "text/plain goes first, then text/html", "content")


def check_address(value: Any, field: str, is_sender: bool = False) -> None:
    check_members(value, {"email": str, "name": str}, field)
    address = value.get("email", "")
    need(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address)
         and not address.startswith("refuse-"),
         "Does not contain a valid address.", f"{field}.email")
    need(is_sender or not re.search("[;,]", value.get("name", "")),
         "; and , are not allowed", f"{field}.name")


def check_personalizations(all_of_them: List[Any],
                           template: Optional[str]) -> None:
    total = 0
    need(len(all_of_them) <= MOST_RECIPIENTS, "at most 1000",
         "personalizations")
    for k, one in enumerate(all_of_them):
        field = f"personalizations.{k}"
        check_members(one, PERSONAL, field)
        need(one.get("to"), "The to array is required", f"{field}.to")
        seen: List[str] = []
        for kind in ("to", "cc", "bcc"):
            for at, address in enumerate(one.get(kind, [])):
                check_address(address, f"{field}.{kind}.{at}")
                seen.append(address["email"].lower())
        need(len(set(seen)) == len(seen),
             "Each email address should be unique", f"{field}.to")
        total += len(seen)
        need(len(one["to"]) == 1, "recipients would see each other",
             f"{field}.to")
        need("substitutions" not in one, "they expand what people typed",
             f"{field}.substitutions")
        need(template or "dynamic_template_data" not in one,
             "it needs a template", f"{field}.dynamic_template_data")
        need(all(isinstance(value, str) for value
                 in one.get("custom_args", {}).values()), "Bad Request", None)
        need(len(json.dumps(one.get("custom_args", {}))) < 10000,
             "too many custom_args", f"{field}.custom_args")
    need(total <= MOST_RECIPIENTS, "more than 1000 recipients",
         "personalizations")
