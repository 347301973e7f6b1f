# SPDX-License-Identifier: MIT
"""mailgun.py - Mailgun's messages API, the stand-in for mailgun.

Holds callers to its rules: the key by Basic authentication, a domain that it
knows, multipart/form-data, required fields, known fields only, values, 1000
recipients, recipient variables for each of several recipients and for nobody
else, 16 KB of options.  What it would send is expanded as Mailgun does, so a
word that is left over, or one that a participant typed and that would have
been expanded, is seen.  An address that begins with refuse- is refused.

Rules for POST /_control {"service": "mailgun", "expect": ...}: key,
sending_key (may only post messages), domain, state, templates.
"""

from __future__ import annotations

import base64
import email
import email.policy
import email.utils
import hmac
import json
import re
from typing import Any, Dict, List, Optional, Tuple

from http_server import Reply, Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World

RULES = {"key": "demo-key-of-the-sandbox", "sending_key": None,
         "domain": "mg.acme.example", "state": "active",
         "templates": ["well-done"]}
MOST_RECIPIENTS = 1000
MOST_OPTIONS = 16 * 1024
MOST_BYTES = 52 * 1024 * 1024
SINGLE = {"from", "subject", "text", "html", "amp-html", "template",
          "recipient-variables", "t:version", "t:text", "t:variables"}
YES = {"yes", "no", "true", "false"}
OPTIONS = {
    "o:tag": None, "o:dkim": YES, "o:testmode": YES, "o:tracking": YES,
    "o:tracking-opens": YES, "o:tracking-clicks": YES | {"htmlonly"},
    "o:require-tls": YES, "o:skip-verification": YES, "o:deliverytime": None,
    "o:deliverytime-optimize-period": None, "o:sending-ip": None}
WORD = re.compile(r"%(recipient(?:[._][A-Za-z0-9_.]+)?|unsubscribe_(?:url|"
                  r"email)|(?:tag|mailing_list)_unsubscribe_url)%",
                  re.IGNORECASE)
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="mailgun"
             provider="mailgun" enabled="true">
  <label>Mail by way of Mailgun</label>
  <workspaces all="true"/>
  <settings>
    <setting name="api-key" from="file" path="mailgun.key"/>
    <setting name="domain">mg.acme.example</setting>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="tag">summer-2026</setting>
  </settings>
  <mail>
    <from name="Acme, Games" address="play@mg.acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{firstName}}}} {{{{lastName}}}}"/>
    <subject>Well done</subject>
    <template id="well-done"/>
    <parameters>
      <parameter name="first_name" source="firstName" default="you"/>
      <parameter name="score" source="score" as="number" default="0"/>
      <parameter name="town" source="town"/>
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

Form = Dict[str, List[str]]


class Problem(Exception):
    """Why a call is refused: status, message."""


class Mailgun(HttpService):
    """Takes the mails of a call all at once, or none."""

    name = "mailgun"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Dict[str, Any] = dict(RULES)
        self._count = 0

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        path = f"/v3/{RULES['domain']}/messages"
        busy = {"message": "Domain mg.acme.example is not allowed to send: "
                           "account-requests-per-sec limit exceeded, try "
                           "again after 1 seconds"}
        return Integration(
            cls.name, "mailgun", DEMO.format(port=ports["https"]),
            {"mailgun.key": RULES["key"]},
            [{"service": cls.name, "path": path, "script": [
                {"status": 429, "body": busy}, {},
                {"status": 503, "body": "busy"}]}],
            "events", is_mailer=True)

    def expect(self, where: str, rules: Dict[str, Any]) -> None:
        for key, value in rules.items():
            if key not in RULES:
                raise ValueError(f"unknown rule: {key}")
            self._rules[key] = value

    def check(self, request: Request) -> Optional[Refusal]:
        """All of its own refusals are answers of accept ()."""
        return None

    def accept(self, request: Request) -> Verdict:
        found = re.fullmatch(r"/v3/([^/]+)/messages|/v4/domains/([^/]+)",
                             request.path)
        if not found:
            return Verdict(Reply(200, {"Content-Type": "text/plain"},
                                 b"Mailgun Magnificent API"), "refused")
        is_send = found.group(1) is not None
        try:
            self._admit(request, found.group(1) or found.group(2), is_send)
            if not is_send:
                return Verdict(json_reply({"domain": {
                    "name": self._rules["domain"],
                    "state": self._rules["state"]}}), "probe")
            form = read_form(request)
            to = check_form(form, self._rules)
        except Problem as problem:
            return Verdict(refuse(*problem.args), "refused")
        if form.get("o:testmode") == ["yes"]:
            return Verdict(self._queued(), "probe")
        return Verdict(self._queued(), "accepted", len(to))

    def _queued(self) -> Reply:
        self._count += 1
        return json_reply({"id": f"<{self._count}@{self._rules['domain']}>",
                           "message": "Queued. Thank you."})

    def _admit(self, request: Request, domain: str, is_send: bool) -> None:
        keys = [self._rules["key"]]
        if is_send and self._rules["sending_key"]:
            keys.append(self._rules["sending_key"])
        given = request.headers.get("authorization", "")
        if not any(hmac.compare_digest(given, basic(key)) for key in keys):
            raise Problem(401, "")
        if domain != self._rules["domain"]:
            raise Problem(404, f"Domain not found: {domain}")
        if request.method != ("POST" if is_send else "GET"):
            raise Problem(405, "Method not allowed")


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"api:{key}".encode()).decode()


def refuse(status: int, message: str) -> Reply:
    """401 is a bare word."""
    if status == 401:
        return Reply(401, {"Content-Type": "text/plain"}, b"Forbidden")
    return json_reply({"message": message}, status)


def read_form(request: Request) -> Form:
    """RFC 7578."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data;"):
        raise Problem(400, "Invalid request content type. Expecting "
                           "'multipart/form-data'")
    if len(request.body) > MOST_BYTES:
        raise Problem(413, "Request Entity Too Large")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.message_from_bytes(head + request.body,
                                       policy=email.policy.HTTP)
    form: Form = {}
    if not message.is_multipart() or message.defects:
        raise Problem(400, "the form is malformed")
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_content_disposition() != "form-data" or not name:
            raise Problem(400, "a part has no name")
        raw = part.get_payload(decode=True)
        try:
            form.setdefault(name, []).append(raw.decode("utf-8"))
        except UnicodeDecodeError:
            raise Problem(400, f"{name} is not UTF-8") from None
    return form


def address(value: str, name: str) -> str:
    """The address of a mailbox as a header has it."""
    shown, found = email.utils.parseaddr(value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", found) \
            or "\r" in value or "\n" in value or (not shown
                                                  and value != found):
        raise Problem(400, f"'{name}' parameter is not a valid address. "
                           "please check documentation")
    return found


def parse_object(form: Form, name: str) -> Dict[str, Any]:
    try:
        made = json.loads(form[name][0])
    except ValueError:
        made = None
    if not isinstance(made, dict):
        raise Problem(400, f"'{name}' parameter is not a valid JSON object")
    return made


def check_names(form: Form) -> None:
    size = 0
    for name, values in form.items():
        if name in SINGLE and len(values) > 1:
            raise Problem(400, f"'{name}' parameter is there twice")
        if name in OPTIONS:
            allowed = OPTIONS[name]
            if allowed and not set(values) <= allowed:
                raise Problem(400, f"'{name}' parameter has a wrong value")
        elif not name.isascii() or not (
                name in SINGLE or name in ("to", "cc", "bcc")
                or re.match(r"[hv]:.", name)):
            raise Problem(400, f"'{name}' parameter is not known")
        if re.match(r"[ohvt]:", name):
            size += sum(len(name) + len(value.encode()) for value in values)
    if size > MOST_OPTIONS:
        raise Problem(400, "o:, h:, v: and t: are limited to 16 KB in total")


def check_form(form: Form, rules: Dict[str, Any]) -> List[str]:
    """The recipients."""
    for name in ("from", "to"):
        if name not in form:
            raise Problem(400, f"{name} parameter is missing")
    check_names(form)
    address(form["from"][0], "from")
    for name in ("cc", "bcc", "h:Reply-To"):
        for value in form.get(name, []):
            address(value, name)
    to = [address(value, "to") for value in form["to"]]
    if len(to) > MOST_RECIPIENTS:
        raise Problem(400, "Too many recipients, max is 1000")
    if len(set(to)) != len(to):
        raise Problem(400, "a recipient is there twice")
    if any(one.startswith("refuse-") for one in to):
        raise Problem(400, "'to' parameter is not a valid address. please "
                           "check documentation")
    check_content(form, rules)
    check_variables(form, to)
    return to


def check_content(form: Form, rules: Dict[str, Any]) -> None:
    if not any(form.get(name, [""])[0]
               for name in ("text", "html", "amp-html", "template")):
        raise Problem(400, "Need at least one of 'text', 'html', 'amp-html' "
                           "or 'template' parameters specified")
    if "template" not in form:
        if not form.get("subject", [""])[0]:
            raise Problem(400, "subject parameter is missing")
        return
    if form["template"][0] not in rules["templates"]:
        raise Problem(400, f"template with name '{form['template'][0]}' "
                           "not found")
    if "t:variables" in form:
        parse_object(form, "t:variables")


def check_variables(form: Form, to: List[str]) -> None:
    """Everybody has theirs, or would see all others; and each word in the
    fields is one that herald meant."""
    if "recipient-variables" not in form:
        if len(to) > 1 or "cc" in form:
            raise Problem(400, "recipients would see each other")
        own: Dict[str, Any] = {one: {} for one in to}
    else:
        own = parse_object(form, "recipient-variables")
    if set(own) != set(to) or not all(isinstance(one, dict)
                                      for one in own.values()):
        raise Problem(400, "recipient-variables are not those of the "
                           "recipients")
    for name, values in form.items():
        for word in words_of(name, values):
            key = word.partition(".")[2]
            if name != f"v:{key}" or any(key not in one
                                         for one in own.values()):
                raise Problem(400, f"{name} has %{word}%")


def words_of(name: str, values: List[str]) -> List[str]:
    """What Mailgun would expand in a field."""
    if name == "recipient-variables":
        values = [str(value) for own in json.loads(values[0]).values()
                  for value in own.values()]
    return [word for value in values for word in WORD.findall(value)]
