# SPDX-License-Identifier: MIT
"""mailjet.py - Mailjet's Send API v3.1, the stand-in for mailjet.

Holds callers to the API's rules: the two keys, known members, types, 50
messages of 50 recipients, a text or a template, a subject of 255 characters.
Each message is judged by itself: with one in error the answer is 400, and the
others are sent all the same.  Message ids do not fit into a double.

Rules for POST /_control {"service": "mailjet", "expect": ...}: access,
secret, senders, templates, refuse (a regular expression of addresses).
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import uuid
from typing import Any, Dict, List

from http_server import Request, json_reply
from service import HttpService, Integration, Verdict, World
from services.custom_api import object_once

Json = Dict[str, Any]
SEND, PROFILE = "/v3.1/send", "/v3/REST/myprofile"
MOST_MESSAGES, MOST_RECIPIENTS, MOST_SUBJECT = 50, 50, 255
TRACKING = ("account_default", "disabled", "enabled")
MESSAGE = {
    "From": dict, "Sender": dict, "To": list, "Cc": list, "Bcc": list,
    "ReplyTo": dict, "Subject": str, "TextPart": str, "HTMLPart": str,
    "TemplateID": int, "TemplateLanguage": bool, "Variables": dict,
    "CustomID": str, "EventPayload": str, "CustomCampaign": str,
    "DeduplicateCampaign": bool, "TrackOpens": str, "TrackClicks": str,
    "URLTags": str, "Headers": dict, "Priority": int,
    "TemplateErrorReporting": dict, "TemplateErrorDeliver": bool,
    "Attachments": list, "InlinedAttachments": list}
ROOT = {"Messages": list, "Globals": dict, "SandboxMode": bool,
        "AdvanceErrorHandling": bool}
RESERVED = {"from", "sender", "subject", "to", "cc", "bcc", "reply-to",
            "return-path", "dkim-signature", "domainkey-signature",
            "received-spf", "authentication-results", "received",
            "x-mailer", "message-id", "content-type", "mime-version",
            "content-transfer-encoding", "date"}
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$")
DEMO_ACCESS = "0123456789abcdef-of-the-sandbox"
DEMO_SECRET = "demo-secret-of-the-sandbox"
RULES: Json = {"access": DEMO_ACCESS, "secret": DEMO_SECRET,
               "senders": ["play@acme.example"], "templates": [12],
               "refuse": ""}
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="mailjet"
             provider="mailjet" enabled="true">
  <label>Mail to the players by Mailjet</label>
  <workspaces all="true"/>
  <settings>
    <setting name="access-key">{access}</setting>
    <setting name="secret-key" from="file" path="mailjet.key"/>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="campaign">Summer 2026</setting>
  </settings>
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{firstName}}}} {{{{lastName}}}}"/>
    <subject>Well done, {{{{firstName}}}}!</subject>
    <template id="12"/>
    <parameters>
      <parameter name="firstName" source="firstName"/>
      <parameter name="score" source="score" as="number" default="0"/>
    </parameters>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="50" wait="100ms"/>
    <in-flight max="4"/>
  </delivery>
</integration>
"""


class Wrong(Exception):
    """What is wrong with the request, or with one message of it."""

    def __init__(self, code: str, status: int, message: str,
                 where: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"ErrorIdentifier": str(uuid.uuid4()),
                           "ErrorCode": code, "StatusCode": status,
                           "ErrorMessage": message}
        if where:
            self.body["ErrorRelatedTo"] = [where]


def need(condition: Any, code: str, message: str, where: str = "") -> None:
    if not condition:
        raise Wrong(code, 400, message, where)


class Mailjet(HttpService):
    """Takes mails; nothing is remembered but the number of the last."""

    name = "mailjet"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules = dict(RULES)
        self._last_id = 70650219165027410

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        return Integration(
            cls.name, "mailjet",
            DEMO.format(port=ports["https"], access=DEMO_ACCESS),
            {"mailjet.key": DEMO_SECRET},
            [{"service": cls.name, "path": SEND,
              "script": [{"status": 429, "body": ""}, {},
                         {"status": 500, "body": "<html>"}]},
             {"service": cls.name, "expect": {"refuse": "^refuse-"}}],
            "events", is_mailer=True)

    def reset(self) -> None:
        super().reset()
        self._rules = dict(RULES)

    def expect(self, where: str, rules: Json) -> None:
        unknown = sorted(set(rules) - set(RULES))
        if unknown:
            raise ValueError(f"unknown rule: {', '.join(unknown)}")
        self._rules.update(rules)

    def check(self, request: Request) -> None:
        return None             # Mailjet's errors have a form of their own

    def accept(self, request: Request) -> Verdict:
        try:
            return self._answer(request)
        except Wrong as wrong:
            return Verdict(json_reply(wrong.body, wrong.status), "refused")

    def _answer(self, request: Request) -> Verdict:
        if request.path not in (SEND, PROFILE):
            raise Wrong("mj-0009", 404, "no such resource")
        if request.method != ("POST" if request.path == SEND else "GET"):
            raise Wrong("mj-0010", 405, "another method")
        login = f"{self._rules['access']}:{self._rules['secret']}"
        wanted = "Basic " + base64.b64encode(login.encode()).decode()
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode("latin-1"), wanted.encode()):
            raise Wrong("mj-0015", 401, "API key authentication/authorization "
                        "failure. You may be unauthorized to access the API "
                        "or your API key may be expired.")
        if request.path == PROFILE:
            return Verdict(json_reply({"Count": 1, "Data": [{"ID": 1}],
                                       "Total": 1}), "probe")
        return self._send(read_body(request))

    def _send(self, body: Json) -> Verdict:
        is_sandbox = body.get("SandboxMode", False)
        results = [self._one({**body.get("Globals", {}), **message},
                             is_sandbox) for message in body["Messages"]]
        events = sum(one["Status"] == "success" for one in results)
        if events == len(results):
            return Verdict(json_reply({"Messages": results}), "accepted",
                           0 if is_sandbox else events)
        errors = [one["Errors"][0]["StatusCode"] for one in results
                  if one["Status"] == "error"]
        return Verdict(json_reply({"Messages": results}, errors[0]
                                  if not events else 400),
                       "partly" if events else "refused",
                       0 if is_sandbox else events)

    def _one(self, message: Json, is_sandbox: bool) -> Json:
        """What becomes of one message."""
        try:
            self._check(message)
        except Wrong as wrong:
            return {"Status": "error", "CustomID": message.get("CustomID", ""),
                    "Errors": [wrong.body]}
        return {"Status": "success", "CustomID": message.get("CustomID", ""),
                **{name: [self._sent(who, is_sandbox)
                          for who in message.get(name, [])]
                   for name in ("To", "Cc", "Bcc")}}

    def _sent(self, who: Json, is_sandbox: bool) -> Json:
        if is_sandbox:
            return {"Email": who["Email"], "MessageUUID": "",
                    "MessageHref": ""}
        self._last_id += 1
        return {"Email": who["Email"], "MessageUUID": str(uuid.uuid4()),
                "MessageID": self._last_id,
                "MessageHref": "https://api.mailjet.com/v3/REST/message/"
                               f"{self._last_id}"}

    def _check(self, message: Json) -> None:
        check_members(message, MESSAGE, "")
        need("From" in message, "mj-0003", "From is mandatory", "From")
        need(message.get("To"), "mj-0003", "To is mandatory", "To")
        check_person(message["From"], "From")
        if message["From"]["Email"] not in self._rules["senders"]:
            raise Wrong("send-0008", 403, f'"{message["From"]["Email"]}" is '
                        "not an authorized sender email address for your "
                        "account.", "From")
        for name in ("To", "Cc", "Bcc"):
            people = message.get(name, [])
            need(len(people) <= MOST_RECIPIENTS, "mj-0008",
                 "more than 50 recipients", name)
            for k, who in enumerate(people):
                check_person(who, f"{name}[{k}]", self._rules["refuse"])
        if "ReplyTo" in message:
            check_person(message["ReplyTo"], "ReplyTo")
        check_content(message, self._rules["templates"])
        check_headers(message.get("Headers", {}))


def read_body(request: Request) -> Json:
    """The body with its messages, each an object."""
    media_type = request.headers.get("content-type", "").split(";")[0]
    need(media_type.strip().lower() == "application/json", "mj-0002",
         "Content-Type is not application/json")
    try:
        body = json.loads(request.body.decode("utf-8"),
                          object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        raise Wrong("mj-0002", 400, "Malformed JSON, please review the syntax "
                    "and properties types.") from None
    check_members(body, ROOT, "")
    messages = body.get("Messages")
    need(messages, "mj-0003", "Messages is mandatory", "Messages")
    need(len(messages) <= MOST_MESSAGES, "mj-0008",
         "more than 50 messages", "Messages")
    need(all(isinstance(one, dict) for one in messages), "mj-0004",
         "type mismatch", "Messages")
    return body


def check_members(value: Any, members: Dict[str, type], where: str) -> None:
    need(isinstance(value, dict), "mj-0004", "type mismatch", where)
    for name, one in value.items():
        place = f"{where}.{name}" if where else name
        need(name in members, "mj-0005", "unknown property", place)
        need(isinstance(one, members[name])
             and isinstance(one, bool) == (members[name] is bool), "mj-0004",
             f"type mismatch: {members[name].__name__} expected", place)


def check_person(value: Any, where: str, refuse: str = "") -> None:
    check_members(value, {"Email": str, "Name": str}, where)
    email = value.get("Email", "")
    need(EMAIL.match(email) and not (refuse and re.search(refuse, email)),
         "mj-0013", f'"{email}" is an invalid email address.',
         f"{where}.Email")


def check_content(message: Json, templates: List[int]) -> None:
    need(len(message.get("Subject", "")) <= MOST_SUBJECT, "mj-0021",
         "the subject has more than 255 characters", "Subject")
    has_text = bool(message.get("TextPart") or message.get("HTMLPart"))
    template = message.get("TemplateID")
    need(has_text or template is not None, "send-0003",
         "At least HTMLPart, TextPart or TemplateID must be provided.",
         "TextPart")
    need(not has_text or template is None, "send-0001",
         "TemplateID and a text can't be used together", "TemplateID")
    need(template is None or template in templates, "send-0010",
         f"Template ID {template} doesn't exist for your account.",
         "TemplateID")
    is_expanded = message.get("TemplateLanguage", False)
    need(is_expanded or not message.get("Variables"), "send-0002",
         "Variables are not expanded without TemplateLanguage", "Variables")
    need(not is_expanded or template is not None, "send-0002",
         "what participants typed would be expanded", "TemplateLanguage")
    for name in ("TrackOpens", "TrackClicks"):
        need(message.get(name, "disabled") in TRACKING, "mj-0006",
             "not one of " + ", ".join(TRACKING), name)


def check_headers(headers: Json) -> None:
    for name, value in headers.items():
        need(name.lower() not in RESERVED, "send-0011",
             f"the header {name} can't be set", "Headers")
        need(isinstance(value, str) and "\n" not in value, "mj-0004",
             "type mismatch", f"Headers.{name}")
