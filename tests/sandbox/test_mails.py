#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_mails.py - that the stand-ins for Amazon SES and Mailgun refuse what
the vendors refuse."""

from __future__ import annotations

import copy
import http.client
import json
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from http_server import Request                         # noqa: E402
from running import Sandbox                             # noqa: E402
from services import mailgun, ses                       # noqa: E402

MESSAGES = "/v3/mg.acme.example/messages"
MAIL = {
    "FromEmailAddress": "Acme <play@acme.example>",
    "Destination": {"ToAddresses": ["ada@example.com"]},
    "Content": {"Simple": {"Subject": {"Data": "Hello"},
                           "Body": {"Text": {"Data": "Hello"}}}},
    "EmailTags": [{"Name": "a", "Value": "b"}]}
FORM = {"from": "Acme <play@mg.acme.example>", "to": "ada@example.com",
        "subject": "Hello", "text": "Hello"}


class Mails(unittest.TestCase):
    service = ""

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        cls.sandbox = Sandbox(Path(cls.directory.name), [
            "--service", cls.service])
        cls.sandbox.__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.sandbox.stop()
        cls.directory.cleanup()

    def ask(self, method: str, path: str, body: bytes,
            headers: Dict[str, str]) -> Tuple[int, str, str]:
        """The status, the type of the error, the text."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.sandbox.port(self.service, "http"), timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return (reply.status, reply.getheader("x-amzn-ErrorType", ""),
                reply.read().decode())


class SesTest(Mails):
    service = "ses"

    def send(self, body: Any = None, *, method: str = "POST",
             path: str = ses.SEND, skew: int = 0,
             change: Optional[Dict[str, Optional[str]]] = None,
             signed: str = "content-type;host;x-amz-date",
             **keys: str) -> Tuple[int, str, str]:
        """Signed as it must be, then spoilt by change."""
        rules = {**ses.RULES, **keys}
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + skew))
        port = self.sandbox.port("ses", "http")
        headers = {"host": f"127.0.0.1:{port}", "x-amz-date": date,
                   "content-type": "application/json"}
        raw = json.dumps(MAIL if body is None else body).encode()
        request = Request(method, path, "HTTP/1.1", headers, raw)
        value = ses.signature(request, rules, signed.split(";"), date)
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={rules['access']}/{date[:8]}/"
            f"{rules['region']}/ses/aws4_request, SignedHeaders={signed}, "
            f"Signature={value}")
        for name, text in (change or {}).items():
            if text is None:
                del headers[name]
            else:
                headers[name] = text
        return self.ask(method, path, raw, headers)

    def test_takes(self) -> None:
        self.assertEqual(self.send()[0], 200)
        self.assertIn("SendQuota", self.send(method="GET",
                                             path=ses.ACCOUNT)[2])

    def test_signatures(self) -> None:
        for wanted, given in (
                ("UnrecognizedClient", {"access": "AKIASOMEBODYELSE"}),
                ("InvalidSignature", {"secret": "another-secret"}),
                ("IncompleteSignature", {"region": "eu-west-2"}),
                ("InvalidSignature", {"skew": -600}),
                ("InvalidSignature", {"skew": 600}),
                ("IncompleteSignature", {"signed": "host;x-amz-date"}),
                ("MissingAuthenticationToken",
                 {"change": {"authorization": None}}),
                ("IncompleteSignature", {"change": {"x-amz-x": "1"}}),
                ("UnrecognizedClient",
                 {"change": {"x-amz-security-token": "x"}})):
            status, kind, _ = self.send(**given)
            self.assertEqual(status, 403, given)
            self.assertTrue(kind.startswith(wanted), (kind, given))

    def test_mails(self) -> None:
        def spoilt(change: Any) -> Tuple[int, str, str]:
            body = copy.deepcopy(MAIL)
            change(body)
            return self.send(body)

        simple = ("Content", "Simple")
        for change in (
                lambda mail: mail.update(Unknown=1),
                lambda mail: mail.pop("Content"),
                lambda mail: mail.update(FromEmailAddress="Zoë <a@b.example>"),
                lambda mail: mail["Destination"].update(ToAddresses=[]),
                lambda mail: mail["Destination"].update(
                    ToAddresses=["a@b.example"] * 51),
                lambda mail: mail[simple[0]][simple[1]].update(Body={}),
                lambda mail: mail[simple[0]][simple[1]].update(
                    Headers=[{"Name": "X", "Value": "é"}]),
                lambda mail: mail["EmailTags"][0].update(Value="a b")):
            self.assertEqual(spoilt(change)[1], "BadRequestException")
        self.assertEqual(spoilt(lambda mail: mail.update(
            ConfigurationSetName="other"))[0], 404)
        self.assertIn("not verified", spoilt(lambda mail: mail.update(
            FromEmailAddress="a@other.example"))[2])


class MailgunTest(Mails):
    service = "mailgun"

    def send(self, key: str = "demo-key-of-the-sandbox",
             path: str = MESSAGES, **change: Any) -> Tuple[int, str]:
        """A form; a list repeats a field, None leaves it out."""
        form = {**FORM, **{name.replace("__", ":"): value
                           for name, value in change.items()}}
        raw = ""
        for name, values in form.items():
            if values is None:
                continue
            for value in values if isinstance(values, list) else [values]:
                raw += ("--b\r\nContent-Disposition: form-data; name=\""
                        f"{name.replace('_', '-')}\"\r\n\r\n{value}\r\n")
        status, _, text = self.ask(
            "POST", path, (raw + "--b--\r\n").encode(),
            {"Content-Type": "multipart/form-data; boundary=b",
             "Authorization": mailgun.basic(key)})
        return status, text

    def test_takes(self) -> None:
        self.assertEqual(self.send()[0], 200)
        self.assertEqual(self.send(
            to=["ada@example.com", "bob@example.com"],
            recipient_variables='{"ada@example.com":{"x":"1"},'
                                '"bob@example.com":{"x":"2"}}',
            v__x="%recipient.x%")[0], 200)

    def test_refuses(self) -> None:
        self.assertEqual(self.send("another-key"), (401, "Forbidden"))
        self.assertEqual(self.send(path="/v3/other.example/messages")[0], 404)
        self.assertIn("Magnificent", self.send(path="/")[1])
        both = ["ada@example.com", "bob@example.com"]
        for change in (
                {"from": None}, {"to": None}, {"subject": None},
                {"text": None}, {"subject": ["a", "b"]}, {"to": "nobody"},
                {"to": both}, {"unknown": "x"}, {"o__testmode": "maybe"},
                {"to": both, "recipient_variables": '{"ada@example.com":{}}'},
                {"text": "%recipient.x%"}, {"h__X": "x" * 17000},
                {"text": None, "template": "other"},
                {"to": [f"p{k}@example.com" for k in range(1001)]}):
            self.assertEqual(self.send(**change)[0], 400, change)


del Mails

if __name__ == "__main__":
    unittest.main()
