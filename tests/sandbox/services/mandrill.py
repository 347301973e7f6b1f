# SPDX-License-Identifier: MIT
"""mandrill.py - Mandrill's API 1.0 and 1.3, the stand-in for mandrill.

Holds callers to the API's rules: the key in the body, the required members,
types, known members only, ten recipients (more would be answered before
anyone looked), each address once, merge variables and metadata for
recipients only.  An error has status 500, as there.

An address that begins with refuse- is rejected (hard-bounce), one with
invalid- is invalid, one with later- is queued.

Rules for POST /_control {"service": "mandrill", "expect": ...}: key,
subaccount (the only one known), template (the only one known).
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional

from http_server import Reply, Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World

RULE_KEYS = ("key", "subaccount", "template")
CALLS = ("messages/send", "messages/send-template", "users/ping2")
MOST_RECIPIENTS = 10
STATUSES = {"refuse": ("rejected", "hard-bounce", None),
            "invalid": ("invalid", None, None),
            "later": ("queued", None, "hourly-quota-exhausted")}
# What the members of a message may be.
TEXT, FLAG, LIST, OBJECT = str, bool, list, dict
MEMBERS = {
    "html": TEXT, "text": TEXT, "subject": TEXT, "from_email": TEXT,
    "from_name": TEXT, "to": LIST, "headers": OBJECT, "important": FLAG,
    "track_opens": FLAG, "track_clicks": FLAG, "auto_text": FLAG,
    "auto_html": FLAG, "inline_css": FLAG, "url_strip_qs": FLAG,
    "preserve_recipients": FLAG, "view_content_link": FLAG,
    "bcc_address": TEXT, "tracking_domain": TEXT, "signing_domain": TEXT,
    "return_path_domain": TEXT, "merge": FLAG, "merge_language": TEXT,
    "global_merge_vars": LIST, "merge_vars": LIST, "tags": LIST,
    "subaccount": TEXT, "google_analytics_domains": LIST,
    "google_analytics_campaign": TEXT, "metadata": OBJECT,
    "recipient_metadata": LIST, "attachments": LIST, "images": LIST}
DEMO_KEY = "md-demo-key-of-the-sandbox"
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="mandrill"
             provider="mandrill" enabled="true">
  <label>Mail by way of Mandrill</label>
  <workspaces all="true"/>
  <settings>
    <setting name="api-key" from="file" path="mandrill.key"/>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="tag">summer-2026</setting>
  </settings>
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{firstName}}}}"/>
    <subject>Well done!</subject>
    <template id="well-done"/>
    <parameters>
      <parameter name="first_name" source="firstName" default="you"/>
      <parameter name="score" source="score" as="number" default="0"/>
    </parameters>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="10" wait="200ms"/>
    <in-flight max="8"/>
  </delivery>
</integration>
"""


class Problem(Exception):
    """What the service says instead of an answer: an error's name, text."""


class Mandrill(HttpService):
    """Takes mails, and answers for each recipient."""

    name = "mandrill"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Dict[str, str] = {}
        self._count = 0

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        path = "/api/1.0/messages/send-template.json"
        problem = {"status": "error", "code": -99, "name": "GeneralError",
                   "message": "An unexpected error occurred"}
        return Integration(
            cls.name, "mandrill", DEMO.format(port=ports["https"]),
            {"mandrill.key": DEMO_KEY},
            [{"service": cls.name, "path": "/",
              "expect": {"key": DEMO_KEY, "template": "well-done"}},
             {"service": cls.name, "path": path,
              "script": [{}, {"status": 500, "body": json.dumps(problem)},
                         {"status": 502, "body": "<html>Bad Gateway"}]}],
            "events", is_mailer=True)

    def expect(self, where: str, rules: Dict[str, Any]) -> None:
        for key, value in rules.items():
            if key not in RULE_KEYS:
                raise ValueError(f"unknown rule: {key}")
            self._rules[key] = value

    def check(self, request: Request) -> Optional[Refusal]:
        """All of its own refusals are answers of accept ()."""
        if request.method != "POST" or call_of(request.path) is None:
            return Refusal(404, "there is no such call")
        kind = request.headers.get("content-type", "").split(";")[0]
        if kind.strip().lower() != "application/json":
            return Refusal(415, "the content type is not application/json")
        return None

    def accept(self, request: Request) -> Verdict:
        call = call_of(request.path)
        try:
            body = read_body(request.body)
            need(body.get("key") and body["key"] == self._rules.get(
                "key", body["key"]), "Invalid_Key", "Invalid API key")
            if call == "users/ping2":
                check_members(body, {"key": str}, "body")
                return Verdict(json_reply({"PING": "PONG!"}), "probe")
            check_call(body, call, self._rules)
        except Problem as problem:
            name, text = problem.args
            return Verdict(error_reply(name, text), "refused")
        results = [self._result(one) for one in body["message"]["to"]]
        taken = sum(result["status"] in ("sent", "queued") and
                    one.get("type", "to") == "to" for result, one
                    in zip(results, body["message"]["to"]))
        # In an order of its own, as nothing is promised.
        return Verdict(json_reply(results[::-1]),
                       "accepted" if taken else "partly", taken)

    def _result(self, one: Dict[str, str]) -> Dict[str, Optional[str]]:
        self._count += 1
        asked = one["email"].partition("-")[0].lower()
        status, reason, queued = STATUSES.get(asked, ("sent", None, None))
        return {"email": one["email"], "status": status,
                "reject_reason": reason, "queued_reason": queued,
                "_id": f"{self._count:032x}"}


def call_of(path: str) -> Optional[str]:
    """The call; the suffix belongs to the old version, and only to it."""
    match = re.fullmatch(r"/api/(1\.0/(?P<old>.+)\.json|1\.3/(?P<new>.+))",
                         path)
    call = match and (match["old"] or match["new"])
    return call if call in CALLS else None


def error_reply(name: str, text: str) -> Reply:
    return json_reply({"status": "error", "code": -1, "name": name,
                       "message": text}, 500)


def need(condition: Any, name: str, text: str) -> None:
    if not condition:
        raise Problem(name, text)


def valid(condition: Any, text: str) -> None:
    need(condition, "ValidationError", "Validation error: " + text)


def read_body(body: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise Problem("ValidationError", f"no JSON: {error}") from None
    valid(isinstance(value, dict), "the body is no object")
    return value


def check_members(value: Any, members: Dict[str, type], what: str) -> None:
    valid(isinstance(value, dict), f"{what} is no object")
    for name, member in value.items():
        valid(name in members, f"{what} has an unknown member {name}")
        valid(isinstance(member, members[name]),
              f"{name} of {what} is of the wrong type")


def check_call(body: Dict[str, Any], call: str,
               rules: Dict[str, str]) -> None:
    members = {"key": TEXT, "message": OBJECT, "async": FLAG,
               "ip_pool": TEXT, "send_at": TEXT}
    if call == "messages/send-template":
        members.update(template_name=TEXT, template_content=LIST)
        for name in ("template_name", "template_content"):
            valid(name in body, f"you must specify a {name} value")
        need(body["template_name"] == rules.get(
            "template", body["template_name"]), "Unknown_Template",
            f"No such template \"{body['template_name']}\"")
    check_members(body, members, "body")
    valid(body.get("async") is False, "async answers before it has looked")
    valid("message" in body, "you must specify a message value")
    message = body["message"]
    check_members(message, MEMBERS, "message")
    if call == "messages/send":
        valid(message.get("text") or message.get("html"),
              "the message has neither text nor html")
        valid(message.get("subject"), "the message has no subject")
    valid("@" in message.get("from_email", ""), "from_email is no address")
    addresses = check_recipients(message)
    check_variables(message, addresses, call)
    need(message.get("subaccount") in (None, rules.get(
        "subaccount", message.get("subaccount"))), "Unknown_Subaccount",
        f"No subaccount exists with the id '{message.get('subaccount')}'")
    for tag in message.get("tags", []):
        valid(isinstance(tag, str) and 0 < len(tag) <= 50 and tag[0] != "_",
              f"the tag {tag} is not allowed")
    for name, header in message.get("headers", {}).items():
        valid(isinstance(header, str) and "\n" not in header,
              f"the header {name} is no line")


def check_recipients(message: Dict[str, Any]) -> List[str]:
    """Their addresses, in lower case."""
    addresses: List[str] = []
    kinds: List[str] = []
    for one in message.get("to", []):
        check_members(one, {"email": TEXT, "name": TEXT, "type": TEXT}, "to")
        kind = one.get("type", "to")
        valid(kind in ("to", "cc", "bcc"), "an unknown type of recipient")
        valid(re.fullmatch(r"[^@\s]+@[^@\s]+", one.get("email", "")),
              "an email address is wrong")
        addresses.append(one["email"].lower())
        kinds.append(kind)
    valid("to" in kinds, "nobody is to get it")
    valid(len(addresses) <= MOST_RECIPIENTS + kinds.count("bcc"),
          "with so many recipients there is no word of each")
    valid(len(set(addresses)) == len(addresses), "an address is there twice")
    valid(kinds.count("to") == 1 or message.get("preserve_recipients")
          is False, "recipients would see each other")
    valid(kinds.count("to") == 1 or "bcc" not in kinds,
          "a BCC address gets one copy for all of these mails")
    return addresses


def check_variables(message: Dict[str, Any], addresses: List[str],
                    call: str) -> None:
    """Variables in what herald wrote would expand what people typed."""
    is_template = call == "messages/send-template"
    valid(is_template or (message.get("merge") is False
                          and "merge_vars" not in message
                          and "global_merge_vars" not in message),
          "merge tags of participants would be expanded")
    for one in message.get("merge_vars", []):
        check_members(one, {"rcpt": TEXT, "vars": LIST}, "merge_vars")
        valid(one.get("rcpt", "").lower() in addresses,
              "merge_vars for somebody else")
        for variable in one.get("vars", []):
            check_members(variable, {"name": TEXT, "content": object}, "vars")
            valid(variable.get("name") and "content" in variable,
                  "a variable without name or content")
            valid(not variable["name"].startswith("_"),
                  "a variable begins with an underscore")
    for one in message.get("recipient_metadata", []):
        check_members(one, {"rcpt": TEXT, "values": OBJECT},
                      "recipient_metadata")
        valid(one.get("rcpt", "").lower() in addresses,
              "metadata for somebody else")
        valid(all(isinstance(value, str) for value
                  in one.get("values", {}).values()), "metadata is text")
