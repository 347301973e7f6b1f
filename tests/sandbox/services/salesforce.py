# SPDX-License-Identifier: MIT
"""salesforce.py - a Salesforce org, the stand-in for salesforce.

Gives tokens to one app, takes upserts by an external id, single and as
collections, of contacts, leads and one object of the org's own, and keeps
the records.  Only a collection's records fail one by one.

Rules (POST /_control {"service": "salesforce", "expect": ...}):

  key, secret   the app's
  session       so many calls until the first token is refused; 0: never
  locked        an external id that is locked so many times, {id: times}
  duplicates    external ids that are on two records
  calls         so many calls a day
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl, unquote, urlsplit

from http_server import Request, json_reply
from service import HttpService, Integration, Refusal, Verdict, World
from services.custom_api import object_once

Json = Dict[str, Any]
DEMO_KEY = "3MVG9.demo.of.the.sandbox"
DEMO_SECRET = "demo-secret-of-the-sandbox"
PATH = re.compile(r"/services/data/v(\d\d)\.0/(?:(limits)|sobjects/(\w+)/(\w+)"
                  r"/([^/]+)|composite/sobjects/(\w+)/(\w+))$")
MOST_RECORDS = 200
#: Of each object: the fields with the most characters (0: a number, None: a
#: boolean), and those that a new record needs.
FIELDS: Dict[str, Dict[str, Optional[int]]] = {
    "Contact": {"LastName": 80, "FirstName": 40, "Email": 80,
                "MailingCity": 40, "LeadSource": 255, "Score__c": 0,
                "Newsletter__c": None},
    "Lead": {"LastName": 80, "FirstName": 40, "Company": 255, "Email": 80,
             "LeadSource": 255},
    "Play__c": {"Score__c": 0, "Prize__c": 255}}
REQUIRED = {"Contact": ["LastName"], "Lead": ["LastName", "Company"],
            "Play__c": []}
PREFIXES = {"Contact": "003", "Lead": "00Q", "Play__c": "a00"}
EXTERNAL_ID = "Herald_Id__c"
RULES: Json = {"key": DEMO_KEY, "secret": DEMO_SECRET, "session": 0,
               "locked": {}, "duplicates": [], "calls": 15000}
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="salesforce"
             provider="salesforce" enabled="true">
  <label>Contacts of the sales team</label>
  <workspaces all="true"/>
  <settings>
    <setting name="domain">sandbox.my.salesforce.com</setting>
    <setting name="base-url">https://localhost:{port}</setting>
    <setting name="consumer-key">{key}</setting>
    <setting name="consumer-secret" from="file" path="salesforce.secret"/>
    <setting name="external-id-field">Herald_Id__c</setting>
  </settings>
  <map>
    <field name="LastName" source="lastName" default="-"/>
    <field name="FirstName" source="firstName"/>
    <field name="Email" source="email"/>
    <field name="MailingCity" source="town"/>
    <field name="Score__c" source="score" as="number" default="0"/>
    <field name="Newsletter__c" source="optinNewsletter" as="boolean"
           default="false"/>
    <field name="LeadSource" value="Summer 2026"/>
  </map>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <batch max="40" wait="100ms"/>
    <in-flight max="4"/>
  </delivery>
</integration>
"""


class Wrong(Exception):
    """What a request or a record breaks."""

    def __init__(self, status: int, code: str, message: str,
                 fields: Tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.fields = list(fields)


class Salesforce(HttpService):
    """Keeps records by object and external id, which knows no case."""

    name = "salesforce"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._rules: Json = dict(RULES)
        self._records: Dict[Tuple[str, str], Json] = {}
        self._tokens = 0
        self._calls = 0

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        path = f"/services/data/v68.0/composite/sobjects/Contact/{EXTERNAL_ID}"
        busy = [{"errorCode": "SERVER_UNAVAILABLE", "message": "try later"}]
        return Integration(
            cls.name, "salesforce",
            DEMO.format(port=ports["https"], key=DEMO_KEY),
            {"salesforce.secret": DEMO_SECRET},
            [{"service": cls.name, "path": path,
              "script": [{}, {"status": 503, "body": busy}]},
             {"service": cls.name, "expect": {
                 "session": 3, "locked": {"player7@example.com": 1},
                 "duplicates": ["player9@example.com"]}}], "events")

    def reset(self) -> None:
        super().reset()
        self._rules = dict(RULES)
        self._records.clear()
        self._calls = 0

    def expect(self, where: str, rules: Json) -> None:
        unknown = sorted(set(rules) - set(RULES))
        if unknown:
            raise ValueError(f"unknown rule: {', '.join(unknown)}")
        self._rules.update(rules)

    def check(self, request: Request) -> Optional[Refusal]:
        return None             # Salesforce's errors have forms of their own

    def accept(self, request: Request) -> Verdict:
        if request.path == "/services/oauth2/token":
            return self._give_token(request)
        try:
            return self._answer(request)
        except Wrong as wrong:
            return Verdict(json_reply([{
                "errorCode": wrong.code, "message": wrong.message,
                "fields": wrong.fields}], wrong.status), "refused")

    def _give_token(self, request: Request) -> Verdict:
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        media_type = request.headers.get("content-type", "").split(";")[0]
        if request.method != "POST" \
                or media_type != "application/x-www-form-urlencoded":
            return no_token("unsupported_grant_type", "grant type missing")
        if form.get("grant_type") != "client_credentials":
            return no_token("unsupported_grant_type",
                            "grant type not supported")
        if form.get("client_id") != self._rules["key"]:
            return no_token("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != self._rules["secret"]:
            return no_token("invalid_client", "invalid client credentials")
        self._tokens += 1
        scheme = "http" if request.listener == "http" else "https"
        url = f"{scheme}://{request.headers['host']}"
        return Verdict(json_reply({
            "access_token": self._token(), "signature": "c2lnbmVk",
            "scope": "api", "instance_url": url, "token_type": "Bearer",
            "id": f"{url}/id/00D000000000001/005000000000001",
            "issued_at": "1767225600000", "api_instance_url": url}), "probe")

    def _token(self) -> str:
        return f"00D000000000001!sandbox.token.{self._tokens}"

    def _answer(self, request: Request) -> Verdict:
        self._check_session(request)
        path = urlsplit(request.target).path
        found = PATH.match(path)
        if not found or int(found.group(1)) < 46:
            raise Wrong(404, "NOT_FOUND",
                        "The requested resource does not exist")
        is_limits = found.group(2) is not None
        if request.method != ("GET" if is_limits else "PATCH"):
            raise Wrong(405, "METHOD_NOT_ALLOWED",
                        f"HTTP Method '{request.method}' not allowed")
        if is_limits:
            left = self._rules["calls"] - self._calls
            return Verdict(json_reply({"DailyApiRequests": {
                "Max": self._rules["calls"], "Remaining": left}}), "probe")
        check_object(found.group(3) or found.group(6),
                     found.group(4) or found.group(7))
        if found.group(3):
            return self._single(request, found.group(3),
                                unquote(found.group(5)))
        return self._collection(request, found.group(6))

    def _check_session(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self._token()}":
            raise Wrong(401, "INVALID_SESSION_ID",
                        "Session expired or invalid")
        if self._rules["session"] > 0:
            self._rules["session"] -= 1
            if self._rules["session"] == 0:
                self._tokens += 1       # which nobody has
        self._calls += 1
        if self._calls > self._rules["calls"]:
            raise Wrong(403, "REQUEST_LIMIT_EXCEEDED",
                        "TotalRequests Limit exceeded.")

    def _single(self, request: Request, kind: str, key: str) -> Verdict:
        record = read_json(request)
        if EXTERNAL_ID in record:
            raise Wrong(400, "INVALID_FIELD",
                        f"The {EXTERNAL_ID} field should not be specified in "
                        "the sobject data.", (EXTERNAL_ID,))
        if key.lower() in self._rules["duplicates"]:
            urls = [f"/services/data/v68.0/sobjects/{kind}/{number}"
                    for number in ("0030000000000DUP", "0030000000001DUP")]
            return Verdict(json_reply(urls, 300), "refused")
        result = self._keep(kind, key, record)
        return Verdict(json_reply(result, 201 if result["created"] else 200),
                       "accepted", 1)

    def _collection(self, request: Request, kind: str) -> Verdict:
        body = read_json(request)
        records = body.get("records")
        if not isinstance(records, list) or not records \
                or set(body) - {"allOrNone", "records"}:
            raise Wrong(400, "JSON_PARSER_ERROR", "records are missing")
        if len(records) > MOST_RECORDS:
            raise Wrong(400, "EXCEEDED_ID_LIMIT",
                        f"record limit reached: {len(records)}")
        keys = [str(one.get(EXTERNAL_ID, "")).lower() for one in records]
        results: List[Json] = []
        for one, key in zip(records, keys):
            try:
                if keys.count(key) > 1 or key in self._rules["duplicates"]:
                    raise Wrong(400, "DUPLICATE_VALUE", "Duplicate external "
                                f"id specified: {key}", (EXTERNAL_ID,))
                results.append(self._keep_one(kind, one))
            except Wrong as wrong:
                results.append({"success": False, "errors": [{
                    "statusCode": wrong.code, "message": wrong.message,
                    "fields": wrong.fields}]})
        events = sum(one["success"] for one in results)
        return Verdict(json_reply(results), "accepted" if events else
                       "refused", events)

    def _keep_one(self, kind: str, record: Json) -> Json:
        fields = dict(record)
        attributes = fields.pop("attributes", None)
        if not isinstance(attributes, dict) or attributes.get("type") != kind:
            raise Wrong(400, "INVALID_TYPE", "the type of the record does "
                        "not fit the request")
        return self._keep(kind, fields.pop(EXTERNAL_ID, ""), fields)

    def _keep(self, kind: str, key: str, fields: Json) -> Json:
        """Create or update; Wrong if Salesforce would not."""
        if not key or len(key) > 255:
            raise Wrong(400, "MISSING_ARGUMENT", f"{EXTERNAL_ID} not "
                        "specified", (EXTERNAL_ID,))
        where = (kind, key.lower())
        if self._rules["locked"].get(key.lower(), 0) > 0:
            self._rules["locked"][key.lower()] -= 1
            raise Wrong(400, "UNABLE_TO_LOCK_ROW",
                        "unable to obtain exclusive access to this record")
        for name, value in fields.items():
            check_field(kind, name, value)
        is_new = where not in self._records
        lacking = [name for name in REQUIRED[kind] if not fields.get(name)
                   and (is_new or name in fields)]
        if lacking:
            raise Wrong(400, "REQUIRED_FIELD_MISSING", "Required fields are "
                        f"missing: [{', '.join(lacking)}]", tuple(lacking))
        made = f"{PREFIXES[kind]}{len(self._records):015d}"
        record = self._records.setdefault(where, {"Id": made})
        record.update(fields)
        return {"id": record["Id"], "success": True, "errors": [],
                "created": is_new}


def no_token(error: str, description: str) -> Verdict:
    return Verdict(json_reply({"error": error,
                               "error_description": description}, 400),
                   "refused")


def check_object(kind: str, field: str) -> None:
    if kind not in FIELDS:
        raise Wrong(404, "NOT_FOUND", "The requested resource does not exist")
    if field != EXTERNAL_ID:
        raise Wrong(404, "NOT_FOUND", "Provided external ID field does not "
                    f"exist or is not accessible: {field}")


def check_field(kind: str, name: str, value: Any) -> None:
    if name not in FIELDS[kind]:
        raise Wrong(400, "INVALID_FIELD", f"No such column '{name}' on "
                    f"sobject of type {kind}", (name,))
    most = FIELDS[kind][name]
    wanted = bool if most is None else (int, float) if most == 0 else str
    if value is None:
        return
    if not isinstance(value, wanted):
        raise Wrong(400, "JSON_PARSER_ERROR",
                    f"{name} is of the wrong type", (name,))
    if isinstance(value, str) and len(value) > (most or 0):
        raise Wrong(400, "STRING_TOO_LONG",
                    f"{name}: data value too large", (name,))
    if name == "Email" and not re.match(r"[^@\s]+@[^@\s]+\.[^@\s]+$", value):
        raise Wrong(400, "INVALID_EMAIL_ADDRESS",
                    f"Email: invalid email address: {value}", (name,))


def read_json(request: Request) -> Json:
    media_type = request.headers.get("content-type", "").split(";")[0]
    if media_type.strip().lower() != "application/json":
        raise Wrong(415, "UNSUPPORTED_MEDIA_TYPE",
                    "the content type is not application/json")
    try:
        body = json.loads(request.body.decode("utf-8"),
                          object_pairs_hook=object_once)
    except (ValueError, RecursionError) as error:
        raise Wrong(400, "JSON_PARSER_ERROR", str(error)) from None
    if not isinstance(body, dict) \
            or not all(isinstance(one, dict)
                       for one in body.get("records") or []):
        raise Wrong(400, "JSON_PARSER_ERROR", "objects are wanted")
    return body
