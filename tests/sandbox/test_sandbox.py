#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_sandbox.py - the stand-ins themselves, with clients we did not write:
http.client and smtplib."""

from __future__ import annotations

import base64
import http.client
import json
import smtplib
import socket
import ssl
import sys
import tempfile
import time
import unittest
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parsedate_to_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import events                                           # noqa: E402
import standard_webhooks                                # noqa: E402
from running import Sandbox                             # noqa: E402

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes....").decode()


class SandboxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.sandbox = Sandbox(Path(cls.directory.name) / "run")
        cls.sandbox.__enter__()
        cls.context = ssl.create_default_context(cafile=cls.sandbox.ca_file)

    @classmethod
    def tearDownClass(cls):
        cls.sandbox.stop()
        cls.directory.cleanup()

    def setUp(self):
        self.sandbox.control({"reset": True})
        self.sandbox.control({"service": "smtp", "expect": {
            "login": "herald", "password": "sandbox"}})

    # HTTP

    def https(self, timeout=5):
        connection = http.client.HTTPSConnection(
            "localhost", self.sandbox.port("custom-api", "https"),
            context=self.context, timeout=timeout)
        self.addCleanup(connection.close)
        return connection

    def post(self, path, body=b"{}", headers=(), connection=None):
        connection = connection or self.https()
        connection.request("POST", path, body, {
            "Content-Type": "application/json", **dict(headers)})
        reply = connection.getresponse()
        return reply, reply.read()

    def status(self, path, body=b"{}", headers=()):
        return self.post(path, body, headers)[0].status

    def test_keeps_alive_and_records(self):
        connection = self.https()
        for number in range(3):
            body = json.dumps({"n": number, "name": "Ελένη"})
            reply, _ = self.post("/keep", body.encode(),
                                 connection=connection)
            self.assertEqual(reply.status, 200)
        kept = [one for one in self.sandbox.requests()
                if one["path"] == "/keep"]
        self.assertEqual(len({one["connection"] for one in kept}), 1)
        self.assertEqual(json.loads(kept[2]["body"])["name"], "Ελένη")
        self.assertEqual(self.sandbox.counts()["custom-api"]["events"], 3)

    def test_plain_and_chunked(self):
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.sandbox.port("custom-api", "http"))
        self.addCleanup(connection.close)
        connection.request("POST", "/chunks", iter([b"[{}", b",{}]"]),
                           {"Content-Type": "application/json"})
        self.assertEqual(connection.getresponse().status, 200)
        self.assertEqual(self.sandbox.counts()["custom-api"]["events"], 2)

    def test_untrusted_certificates(self):
        for listener in ("stranger", "elsewhere"):
            connection = http.client.HTTPSConnection(
                "localhost", self.sandbox.port("custom-api", listener),
                context=self.context)
            with self.assertRaises(ssl.SSLCertVerificationError):
                connection.request("GET", "/")

    def test_keys(self):
        basic = base64.b64encode(b"u:p").decode()
        for path, headers in (
                ("/auth/api-key/k", {"X-API-KEY": "k"}),
                ("/auth/bearer/k", {"Authorization": "Bearer k"}),
                ("/auth/basic/u:p", {"Authorization": f"Basic {basic}"}),
                ("/auth/header/X-Mine/k", {"X-Mine": "k"})):
            self.assertEqual(self.status(path), 401, path)
            self.assertEqual(self.status(path, headers=headers), 200, path)

    def test_rules(self):
        self.sandbox.expect("/strict", {"body": "array", "method": "PUT"})
        self.assertEqual(self.status("/strict/below", b"[]"), 405)
        self.sandbox.expect("/strict", {"body": "array"})
        self.assertEqual(self.status("/strict", b"{}"), 422)
        self.assertEqual(self.status("/strict", b"[{}]"), 200)
        self.assertEqual(self.status("/any", b'{"a":1,"a":2}'), 400)
        self.assertEqual(self.status("/any", b"{"), 400)
        self.assertEqual(
            self.status("/any", headers={"Content-Type": "text/plain"}), 415)

    def test_signature(self):
        self.sandbox.expect("/signed", {"signing": [SECRET]})
        now = str(int(time.time()))
        for stamp, body, wanted in ((now, b"{}", 200), (now, b"{} ", 401),
                                    ("1700000000", b"{}", 401)):
            headers = {"webhook-id": "one", "webhook-timestamp": stamp,
                       "webhook-signature": "v1,eA== "
                       + standard_webhooks.sign(SECRET, "one", stamp, b"{}")}
            self.assertEqual(self.status("/signed", body, headers), wanted)
        self.assertEqual(self.status("/signed"), 401)

    def test_duplicate(self):
        for _ in range(2):
            self.assertEqual(
                self.status("/twice", headers={"webhook-id": "x"}), 200)
        counts = self.sandbox.counts()["custom-api"]
        self.assertEqual((counts["accepted"], counts["duplicate"]), (1, 1))

    def test_script(self):
        self.sandbox.script("/scripted", [
            {"status": 429, "retry_after": "1"},
            {"status": 503, "times": 2, "body": "busy"}, {"reset": True}])
        reply, _ = self.post("/scripted")
        self.assertEqual((reply.status, reply.headers["Retry-After"]),
                         (429, "1"))
        self.assertEqual(self.status("/scripted"), 503)
        self.assertEqual(self.status("/scripted"), 503)
        with self.assertRaises(OSError):
            self.post("/scripted")
        self.assertEqual(self.status("/scripted"), 200)
        with self.assertRaises(RuntimeError):
            self.sandbox.script("/scripted", [{"statsu": 1}])

    def test_fault_paths(self):
        self.assertEqual(self.status("/fault/status/410"), 410)
        self.assertEqual(self.status("/fault/times/1/status/500"), 500)
        self.assertEqual(self.status("/fault/times/1/status/500"), 200)
        reply, _ = self.post("/fault/retry-date/60")
        ahead = parsedate_to_datetime(reply.headers["Retry-After"])
        self.assertAlmostEqual(ahead.timestamp(), time.time() + 60, delta=3)
        self.assertEqual(self.status("/fault/redirect/307"), 307)
        self.assertEqual(self.status("/fault/nonsense"), 404)
        self.assertEqual(len(self.post("/fault/huge/3")[1]), 3 << 20)
        with self.assertRaises(ValueError):
            json.loads(self.post("/fault/malformed-json")[1])

    def test_broken_answers(self):
        for path in ("/fault/reset", "/fault/half", "/fault/malformed-http",
                     "/fault/short"):
            with self.assertRaises((OSError, http.client.HTTPException),
                                   msg=path):
                self.post(path)

    def test_slow_and_hang(self):
        start = time.monotonic()
        self.assertEqual(self.status("/fault/slow/300"), 200)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        with self.assertRaises(socket.timeout):
            self.post("/fault/hang", connection=self.https(timeout=0.3))

    # SMTP

    def smtp(self, listener="starttls"):
        port = self.sandbox.port("smtp", listener)
        if listener == "tls":
            client = smtplib.SMTP_SSL("localhost", port, timeout=5,
                                      context=self.context)
        else:
            client = smtplib.SMTP("localhost", port, timeout=5)
        self.addCleanup(client.close)
        return client

    def logged_in(self):
        client = self.smtp()
        client.starttls(context=self.context)
        client.login("herald", "sandbox")
        return client

    def mail(self, to="player@example.com"):
        message = EmailMessage()
        message["From"] = "Żółw <play@acme.example>"
        message["To"] = to
        message["Subject"] = "Félicitations 지민"
        message["Date"] = "Wed, 01 Jul 2026 12:00:00 +0000"
        message["Message-ID"] = f"<{time.monotonic_ns()}@acme.example>"
        message.set_content(".dot\nΕλένη\n", cte="quoted-printable")
        return message

    def test_mail(self):
        client = self.logged_in()
        before = len(self.sandbox.mails())
        client.send_message(self.mail())
        client.send_message(self.mail())
        mails = self.sandbox.mails()[before:]
        self.assertEqual(len(mails), 2)
        self.assertEqual(mails[0]["subject"], "Félicitations 지민")
        self.assertTrue(mails[0]["tls"])
        kept = (self.sandbox.run_dir / mails[0]["mail"]).read_bytes()
        self.assertIn(b"\r\n\r\n", kept)

    def test_dots(self):
        client = self.logged_in()
        head = b"From: a@b\r\nTo: c@d\r\nDate: x\r\nSubject: y\r\n" \
            b"Message-ID: <dots@b>\r\n\r\n"
        for body in (b"", b".\r\n..\r\n.x\r\n"):
            client.sendmail("a@b.example", ["c@d.example"], head + body)
            name = self.sandbox.mails()[-1]["mail"]
            self.assertEqual((self.sandbox.run_dir / name).read_bytes(),
                             head + body)
        self.assertTrue(self.sandbox.mails()[-1]["duplicate"])

    def test_login(self):
        for listener in ("tls", "plain"):
            client = self.smtp(listener)
            client.ehlo()
            client.user, client.password = "herald", "sandbox"
            client.auth("LOGIN", client.auth_login)
            client.send_message(self.mail())
            self.assertEqual(self.sandbox.mails()[-1]["mechanism"], "LOGIN")
        client = self.smtp()
        client.starttls(context=self.context)
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            client.login("herald", "wrong")

    def test_tls_before_all(self):
        client = self.smtp()
        client.ehlo()
        self.assertFalse(client.has_extn("auth"))
        self.assertEqual(client.mail("a@b.example")[0], 530)
        self.assertFalse(self.smtp("plain").has_extn("starttls"))
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.smtp("stranger").starttls(context=self.context)
        self.smtp("open").send_message(self.mail())

    def test_recipients(self):
        client = self.logged_in()
        refused = client.sendmail("play@acme.example", [
            "good@example.com", "refuse-550@example.com",
            "defer-451@example.com"], self.mail().as_bytes(policy=SMTP))
        self.assertEqual({to: code for to, (code, _) in refused.items()},
                         {"refuse-550@example.com": 550,
                          "defer-451@example.com": 451})
        with self.assertRaises(smtplib.SMTPDataError):
            client.send_message(self.mail("message-554@example.com"))
        with self.assertRaises(smtplib.SMTPServerDisconnected):
            client.send_message(self.mail("drop@example.com"))

    def test_stages(self):
        for stage, reply, error in (
                ("connect", "421 busy", smtplib.SMTPConnectError),
                ("auth", "535 5.7.8 no", smtplib.SMTPAuthenticationError),
                ("mail", "451 4.3.0 no", smtplib.SMTPSenderRefused),
                ("rcpt", "452 4.2.2 no", smtplib.SMTPRecipientsRefused),
                ("data", "554 5.3.0 no", smtplib.SMTPDataError),
                ("message", "452 4.3.1 no", smtplib.SMTPDataError)):
            times = 2 if stage == "auth" else 1     # smtplib tries both
            self.sandbox.smtp_script(stage, [{"reply": reply,
                                              "times": times}])
            with self.assertRaises(error, msg=stage):
                self.logged_in().send_message(self.mail())
        self.sandbox.smtp_script("message", [{"drop": True}])
        with self.assertRaises((OSError, smtplib.SMTPException)):
            self.logged_in().send_message(self.mail())

    def test_careless_mails(self):
        good = self.mail().as_bytes(policy=SMTP)
        client = self.logged_in()
        for bad in (b"Bcc: x@y\r\n" + good,
                    good.replace(b"Date:", b"Dote:"),
                    good + b"y" * 1200 + b"\r\n"):
            with self.assertRaises(smtplib.SMTPDataError):
                client.sendmail("a@b.example", ["c@d.example"], bad)


class EventsTest(unittest.TestCase):
    def test_same_for_the_same_seed(self):
        wish = events.Wish(50, 500, 7, bad=6, without_email=5)
        lines = list(events.events(wish))
        self.assertEqual(lines, list(events.events(wish)))
        self.assertEqual(len(lines), 56)

    def test_size_is_exact(self):
        for line in events.events(events.Wish(40, 500)):
            data = line[line.index('"data":') + len('"data":'):-1]
            self.assertEqual(len(data.encode()), 500)
            self.assertEqual(json.loads(line)["data"], json.loads(data))


if __name__ == "__main__":
    unittest.main()
