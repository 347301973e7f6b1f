#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_crm.py - that the stand-ins for HubSpot and Salesforce refuse what the
vendors refuse, and keep what they keep."""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent))

from running import Sandbox                             # noqa: E402
from services import hubspot, salesforce                # noqa: E402

UPSERT = "/crm/objects/2026-09/contacts/batch/upsert"
ORG = "/services/data/v68.0"
JSON = {"Content-Type": "application/json"}


class CrmTest(unittest.TestCase):
    service = ""
    headers: Dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        cls.sandbox = Sandbox(Path(cls.directory.name), [
            "--service", "hubspot", "--service", "salesforce"])
        cls.sandbox.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.sandbox.stop()
        cls.directory.cleanup()

    def setUp(self) -> None:
        self.sandbox.control({"reset": True})

    def expect(self, **rules: Any) -> None:
        self.sandbox.control({"service": self.service, "expect": rules})

    def ask(self, method: str, path: str, body: Any = None,
            **headers: str) -> Tuple[int, Any]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.sandbox.port(self.service, "http"), timeout=10)
        self.addCleanup(connection.close)
        text = body if isinstance(body, (str, type(None))) \
            else json.dumps(body)
        connection.request(method, path, text, {**self.headers, **headers})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())


class HubspotTest(CrmTest):
    service = "hubspot"
    headers = {"Authorization": f"Bearer {hubspot.DEMO_TOKEN}", **JSON}

    def upsert(self, *inputs: Dict[str, Any]) -> Tuple[int, Any]:
        return self.ask("POST", UPSERT, {"inputs": list(inputs)})

    @staticmethod
    def contact(email: str, **properties: Any) -> Dict[str, Any]:
        return {"id": email, "idProperty": "email",
                "objectWriteTraceId": f"trace of {email}",
                "properties": {"email": email, **properties}}

    def test_keeps(self) -> None:
        """Two are made; the second time one of them is updated."""
        both = [self.contact("ada@example.com"),
                self.contact("bob@example.com")]
        status, reply = self.upsert(*both)
        self.assertEqual((status, reply["status"]), (200, "COMPLETE"))
        self.assertEqual([one["new"] for one in reply["results"]],
                         [True, True])
        again = self.upsert(self.contact("ADA@example.com", city="Bath"))[1]
        self.assertFalse(again["results"][0]["new"])
        ids = {one["objectWriteTraceId"]: one["id"]
               for one in reply["results"]}
        self.assertEqual(again["results"][0]["id"],
                         ids["trace of ada@example.com"])

    def test_refuses(self) -> None:
        """One bad input is the end of the batch."""
        good = self.contact("ada@example.com")
        for bad in (self.contact("bob@example.com", score=1),
                    self.contact("bob@example.com", nickname="B"),
                    self.contact("bob@nowhere"),
                    self.contact("ADA@example.com"),
                    {**self.contact("bob@example.com"), "idProperty": "city"},
                    {**self.contact("bob@example.com"), "extra": "x"},
                    {"id": "bob@example.com", "idProperty": "email"}):
            status, reply = self.upsert(good, bad)
            self.assertEqual((status, reply["category"]),
                             (400, "VALIDATION_ERROR"), bad)
        self.assertTrue(self.upsert(good)[1]["results"][0]["new"])

    def test_limits(self) -> None:
        many = [self.contact(f"{n}@example.com") for n in range(101)]
        self.assertEqual(self.upsert(*many)[0], 400)
        self.assertEqual(self.upsert(*many[:100])[0], 200)
        self.expect(limit=2)
        status, reply = self.upsert(many[0])
        self.assertEqual((status, reply["policyName"]),
                         (429, "TEN_SECONDLY_ROLLING"))

    def test_requests(self) -> None:
        self.assertEqual(self.ask("POST", UPSERT, {}, Authorization="")[0],
                         401)
        self.assertEqual(self.ask("PUT", UPSERT, {})[0], 405)
        self.assertEqual(self.ask("POST", UPSERT.replace("09", "08"), {})[0],
                         404)
        self.assertEqual(self.ask("POST", UPSERT, "{}",
                                  **{"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.ask("POST", UPSERT, '{"inputs":[')[0], 400)
        self.assertEqual(self.ask("GET", "/account-info/v3/details")[0], 200)


class SalesforceTest(CrmTest):
    service = "salesforce"

    def setUp(self) -> None:
        super().setUp()
        status, reply = self.token()
        self.assertEqual(status, 200)
        self.headers = {"Authorization": f"Bearer {reply['access_token']}",
                        **JSON}

    def token(self, **form: str) -> Tuple[int, Any]:
        return self.ask("POST", "/services/oauth2/token", urlencode({
            "grant_type": "client_credentials",
            "client_id": salesforce.DEMO_KEY,
            "client_secret": salesforce.DEMO_SECRET, **form}),
            **{"Content-Type": "application/x-www-form-urlencoded"})

    def single(self, key: str, record: Dict[str, Any]) -> Tuple[int, Any]:
        return self.ask("PATCH", f"{ORG}/sobjects/Contact/Herald_Id__c/{key}",
                        record)

    def collection(self, *records: Dict[str, Any]) -> List[Any]:
        status, reply = self.ask(
            "PATCH", f"{ORG}/composite/sobjects/Contact/Herald_Id__c",
            {"allOrNone": False, "records": list(records)})
        return reply if status == 200 else [status, reply[0]["errorCode"]]

    @staticmethod
    def contact(key: str, **fields: Any) -> Dict[str, Any]:
        return {"attributes": {"type": "Contact"}, "Herald_Id__c": key,
                "LastName": "Lovelace", **fields}

    def test_token(self) -> None:
        for form, error in (({"grant_type": "password"},
                             "unsupported_grant_type"),
                            ({"client_id": "x"}, "invalid_client_id"),
                            ({"client_secret": "x"}, "invalid_client")):
            status, reply = self.token(**form)
            self.assertEqual((status, reply["error"]), (400, error))

    def test_session(self) -> None:
        self.expect(session=1)
        self.assertEqual(self.ask("GET", f"{ORG}/limits")[0], 200)
        status, reply = self.ask("GET", f"{ORG}/limits")
        self.assertEqual((status, reply[0]["errorCode"]),
                         (401, "INVALID_SESSION_ID"))

    def test_keeps(self) -> None:
        """By either way, whatever the case of the id; an id is decoded."""
        status, made = self.single("1%2F2", {"LastName": "Lovelace"})
        self.assertEqual((status, made["created"]), (201, True))
        again = self.collection(self.contact("1/2"), self.contact("B"))
        self.assertEqual([one["created"] for one in again], [False, True])
        self.assertEqual(again[0]["id"], made["id"])
        self.assertFalse(self.single("b", {"LastName": "Byron"})[1]["created"])

    def test_record_refused(self) -> None:
        """Alone it is a 400, in a collection its own failure."""
        for fields, code in (({"LastName": ""}, "REQUIRED_FIELD_MISSING"),
                             ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
                             ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
                             ({"Score__c": "7"}, "JSON_PARSER_ERROR"),
                             ({"Nickname": "x"}, "INVALID_FIELD")):
            status, reply = self.single("a", {"LastName": "L", **fields})
            self.assertEqual((status, reply[0]["errorCode"]), (400, code))
            good, bad = self.collection(self.contact("b"),
                                        self.contact("a", **fields))
            self.assertTrue(good["success"])
            self.assertEqual(bad["errors"][0]["statusCode"], code)

    def test_twice(self) -> None:
        failed = self.collection(self.contact("a"), self.contact("A"))
        self.assertEqual({one["errors"][0]["statusCode"] for one in failed},
                         {"DUPLICATE_VALUE"})
        self.expect(duplicates=["dup"])
        self.assertEqual(self.single("dup", {"LastName": "L"})[0], 300)

    def test_requests(self) -> None:
        self.assertEqual(
            self.collection(*[self.contact(str(n)) for n in range(201)]),
            [400, "EXCEEDED_ID_LIMIT"])
        self.assertEqual(self.single("a", {"Herald_Id__c": "a",
                                           "LastName": "L"})[0], 400)
        self.assertEqual(self.ask("PATCH", f"{ORG}/sobjects/Game/Herald_Id__c"
                                  "/a", {})[0], 404)
        self.assertEqual(self.ask("PATCH", f"{ORG}/sobjects/Contact/Id__c/a",
                                  {})[0], 404)
        self.assertEqual(self.ask("POST", f"{ORG}/limits")[0], 405)
        self.expect(calls=1)
        self.assertEqual(self.single("a", {"LastName": "L"})[1][0][
            "errorCode"], "REQUEST_LIMIT_EXCEEDED")


del CrmTest                     # it has no tests of its own

if __name__ == "__main__":
    unittest.main()
