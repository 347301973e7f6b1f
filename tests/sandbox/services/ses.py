# SPDX-License-Identifier: MIT
"""ses.py - Amazon SES, API version 2, the stand-in for ses.

Holds callers to Amazon's rules: Signature Version 4 of each request, made
less than five minutes ago, with every X-Amz header signed; known members
only, and their types; ASCII in addresses and headers; a sender that is
verified; no more mails a second than the account may send.  An address that
begins with refuse- is refused.

Rules for POST /_control {"service": "ses", "expect": ...}: access, secret,
token (the keys), region, verified (a list of addresses or domains), sandbox
(recipients must be verified, too), rate (mails a second), sets
(configuration sets), actions (what the key's policy allows).
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import hmac
import json
import re
import time
import uuid
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl, quote, urlsplit

from http_server import Reply, Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World

ACCOUNT, SEND = "/v2/email/account", "/v2/email/outbound-emails"
ACTIONS = {("GET", ACCOUNT): "ses:GetAccount",
           ("POST", SEND): "ses:SendEmail"}
SKEW_SECONDS = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([a-z0-9-]+)/ses/"
    r"aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})")
WORD = re.compile(r"[A-Za-z0-9_-]{1,256}")
HEADER_NAME = re.compile(r"[!-9;-~]{1,126}")
HEADER_VALUE = re.compile(r"[ -~]{0,995}")
DEMO_SECRET = "the/Demo+Secret+Of/The+Sandbox+0123456789"
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="ses"
             provider="ses" enabled="true">
  <label>Mail by way of Amazon SES</label>
  <workspaces all="true"/>
  <settings>
    <setting name="access-key">AKIADEMOOFTHESANDBOX</setting>
    <setting name="secret-key" from="file" path="ses.secret"/>
    <setting name="region">eu-west-1</setting>
    <setting name="configuration-set">games</setting>
    <setting name="tag">campaign=summer-2026</setting>
    <setting name="base-url">https://localhost:{port}</setting>
  </settings>
  <mail>
    <from name="Acme, Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email" name="{{{{firstName}}}} {{{{lastName}}}}"/>
    <bcc address="audit@acme.example"/>
    <subject>Well done, {{{{firstName}}}}!</subject>
    <text>Hello {{{{firstName}}}} {{{{lastName}}}},
you made {{{{score}}}} points. Greetings to {{{{town}}}}!
</text>
    <html>&lt;p&gt;Hello {{{{firstName}}}}, you made {{{{score}}}}
points.&lt;/p&gt;</html>
    <header name="List-Unsubscribe">&lt;mailto:leave@acme.example&gt;</header>
    <header name="X-Town">{{{{town}}}}</header>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <in-flight max="32"/>
  </delivery>
</integration>
"""
RULES = {"access": "AKIADEMOOFTHESANDBOX", "secret": DEMO_SECRET,
         "token": None, "region": "eu-west-1", "verified": ["acme.example"],
         "sandbox": False, "rate": 200, "sets": ["games"],
         "actions": ["ses:SendEmail", "ses:GetAccount"]}


class Problem(Exception):
    """Why a call is refused: status, type, message."""


class Ses(HttpService):
    """Takes one mail at a time."""

    name = "ses"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Dict[str, Any] = dict(RULES)
        self._allowance = float(self._rules["rate"])
        self._filled = time.monotonic()

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        throttled = {"status": 429, "body": {"message": "Maximum sending "
                                             "rate exceeded."},
                     "headers": {"x-amzn-ErrorType":
                                 "TooManyRequestsException"}}
        return Integration(
            cls.name, "ses", DEMO.format(port=ports["https"]),
            {"ses.secret": DEMO_SECRET},
            [{"service": cls.name, "path": SEND, "script": [
                {"times": 20}, throttled, {"status": 503, "body": "busy"}]}],
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
        try:
            check_signature(request, self._rules)
            action = ACTIONS.get((request.method, request.path))
            if action is None:
                raise Problem(404, "UnknownOperationException", "")
            if action not in self._rules["actions"]:
                raise Problem(403, "AccessDeniedException", "User: arn:aws:"
                              "iam::123456789012:user/games is not "
                              f"authorized to perform: {action}")
            if request.path == ACCOUNT:
                return Verdict(json_reply(self._account()), "probe")
            check_mail(read_body(request), self._rules)
            self._pace()
        except Problem as problem:
            return Verdict(refuse(*problem.args), "refused")
        return Verdict(json_reply({"MessageId": f"0102{uuid.uuid4()}"}),
                       "accepted", 1)

    def _account(self) -> Dict[str, Any]:
        return {"SendQuota": {"Max24HourSend": 50000.0,
                              "MaxSendRate": float(self._rules["rate"]),
                              "SentLast24Hours": 0.0},
                "SendingEnabled": True, "EnforcementStatus": "HEALTHY",
                "ProductionAccessEnabled": not self._rules["sandbox"]}

    def _pace(self) -> None:
        """A second's mails may come at once, and then so many a second."""
        now = time.monotonic()
        rate = float(self._rules["rate"])
        self._allowance = min(rate, self._allowance
                              + (now - self._filled) * rate)
        self._filled = now
        if self._allowance < 1:
            raise Problem(429, "TooManyRequestsException",
                          "Maximum sending rate exceeded.")
        self._allowance -= 1


def refuse(status: int, kind: str, message: str) -> Reply:
    reply = json_reply({"message": message}, status)
    reply.headers["x-amzn-ErrorType"] = kind
    reply.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return reply


# -- Signature Version 4

def mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_request(request: Request, names: List[str]) -> str:
    parts = urlsplit(request.target)
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~"))
                   for name, value in parse_qsl(parts.query, True))
    return "\n".join([
        request.method, quote(parts.path, safe="/-_.~"),
        "&".join(f"{name}={value}" for name, value in query),
        *(f"{name}:{' '.join(request.headers[name].split())}"
          for name in names), "", ";".join(names),
        hashlib.sha256(request.body).hexdigest()])


def signature(request: Request, rules: Dict[str, Any], names: List[str],
              date: str) -> str:
    scope = [date[:8], rules["region"], "ses", "aws4_request"]
    text = canonical_request(request, names).encode()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope),
                         hashlib.sha256(text).hexdigest()])
    key = ("AWS4" + rules["secret"]).encode()
    for step in scope:
        key = mac(key, step)
    return mac(key, to_sign).hex()


def check_signature(request: Request, rules: Dict[str, Any]) -> None:
    headers = request.headers
    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if not found:
        raise Problem(403, "MissingAuthenticationTokenException",
                      "Missing Authentication Token")
    access, day, region, signed, given = found.groups()
    names = signed.split(";")
    date = headers.get("x-amz-date", "")
    must = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if "content-type" in headers:
        must.add("content-type")
    if access != rules["access"] \
            or headers.get("x-amz-security-token") != rules["token"]:
        raise Problem(403, "UnrecognizedClientException", "The security token "
                      "included in the request is invalid.")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date) or date[:8] != day \
            or names != sorted(set(names)) or not must <= set(names) \
            or not set(names) <= set(headers) or region != rules["region"]:
        raise Problem(403, "IncompleteSignatureException",
                      f"What is signed is {signed}, for {day} and {region}")
    when = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z")
    if abs(when.timestamp() - time.time()) > SKEW_SECONDS:
        raise Problem(403, "InvalidSignatureException",
                      f"Signature expired: {date} is out of time")
    if not hmac.compare_digest(given, signature(request, rules, names, date)):
        raise Problem(403, "InvalidSignatureException", "The request "
                      "signature we calculated does not match the signature "
                      "you provided.")


# -- SendEmail

def bad(message: str) -> Problem:
    return Problem(400, "BadRequestException", message)


def once(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member is there twice")
    return dict(pairs)


def read_body(request: Request) -> Dict[str, Any]:
    kind = request.headers.get("content-type", "")
    if kind not in ("application/json", "application/x-amz-json-1.1"):
        raise bad(f"the content type is {kind}")
    try:
        return json.loads(request.body.decode(), object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise bad(str(error)) from None


def text(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise bad(f"{where} must be a string")


def word(value: Any, where: str) -> None:
    text(value, where)
    if not WORD.fullmatch(value):
        raise bad(f"{where} has characters that are not allowed")


def address(value: Any, where: str) -> str:
    """The address of a mailbox as a header has it."""
    text(value, where)
    if not re.fullmatch(r"[ -~]+", value):
        raise bad(f"{where}: Local address contains control or whitespace, "
                  "or is not ASCII")
    name, found = email.utils.parseaddr(value)
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", found) \
            or (not name and value != found):
        raise bad(f"{where}: Illegal address")
    return found


def many(check: Callable[[Any, str], Any], most: int
         ) -> Callable[[Any, str], Any]:
    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, list) or len(value) > most:
            raise bad(f"{where} must be a list of at most {most}")
        for one in value:
            check(one, where)
    return check_all


def members(known: Dict[str, Callable[[Any, str], Any]],
            required: Tuple[str, ...] = ()) -> Callable[[Any, str], Any]:
    def check_all(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise bad(f"{where} must be an object")
        for name in required:
            if name not in value:
                raise bad(f"{where}.{name} is missing")
        for name, one in value.items():
            if name not in known:
                raise bad(f"{where}.{name} is not known")
            known[name](one, f"{where}.{name}")
    return check_all


def header(value: Any, where: str) -> None:
    members({"Name": text, "Value": text}, ("Name", "Value"))(value, where)
    if not HEADER_NAME.fullmatch(value["Name"]) \
            or not HEADER_VALUE.fullmatch(value["Value"]):
        raise bad(f"{where}: {value['Name']} is not as it must be")


PART = members({"Data": text, "Charset": text}, ("Data",))
SIMPLE = members({
    "Subject": PART, "Body": members({"Text": PART, "Html": PART}),
    "Headers": many(header, 15)}, ("Subject", "Body"))
MAIL = members({
    "FromEmailAddress": address, "ReplyToAddresses": many(address, 50),
    "Destination": members({"ToAddresses": many(address, 50),
                            "CcAddresses": many(address, 50),
                            "BccAddresses": many(address, 50)}),
    "Content": members({"Simple": SIMPLE}, ("Simple",)),
    "EmailTags": many(members({"Name": word, "Value": word},
                              ("Name", "Value")), 50),
    "ConfigurationSetName": word, "FeedbackForwardingEmailAddress": address,
    "ListManagementOptions": members({"ContactListName": text,
                                      "TopicName": text})},
    ("FromEmailAddress", "Destination", "Content"))


def is_verified(found: str, verified: List[str]) -> bool:
    return found in verified or found.rpartition("@")[2] in verified


def check_mail(body: Any, rules: Dict[str, Any]) -> None:
    MAIL(body, "")
    kinds = body["Destination"].values()
    to = [address(one, "Destination") for kind in kinds for one in kind]
    if not 1 <= len(to) <= 50:
        raise bad("Recipient count is not between 1 and 50")
    if not body["Content"]["Simple"]["Body"]:
        raise bad("Content.Simple.Body is empty")
    if body.get("ConfigurationSetName") not in (None, *rules["sets"]):
        raise Problem(404, "NotFoundException", "Configuration set "
                      f"<{body['ConfigurationSetName']}> does not exist.")
    asked = [body["FromEmailAddress"]] + (to if rules["sandbox"] else [])
    lacking = [one for one in asked
               if not is_verified(address(one, ""), rules["verified"])]
    if lacking:
        raise Problem(400, "MessageRejected", "Email address is not "
                      "verified. The following identities failed the check "
                      f"in region {rules['region'].upper()}: "
                      + ", ".join(lacking))
    if any(one.startswith("refuse-") for one in to):
        raise Problem(400, "MessageRejected", "Address is not liked")
