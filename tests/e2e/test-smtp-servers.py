#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mails to two servers that are no work of ours: aiosmtpd, and nodemailer's
smtp-server (tests/interop/install.sh fetches it).

Both have the same listeners: plain and login (STARTTLS, and this kind of
AUTH only), tls (from the start), stranger (a certificate by an unknown CA)
and bare (no STARTTLS offered, no login).
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import mails
from host import Case, Host, TESTS, event, is_required

sys.path.insert(0, str(TESTS / "sandbox"))

from certificates import Certificates                   # noqa: E402

RETRY = '<retry schedule="10ms"/><in-flight max="2"/>'
MODULES = Path(os.environ.get("top_builddir", "."), "tests", "interop",
               "node_modules")


class Servers:
    """What both have in common; the commands are the subclasses'."""

    command = []
    missing = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.missing:
            if is_required():
                raise AssertionError(cls.missing)
            raise unittest.SkipTest(cls.missing)
        holder = tempfile.TemporaryDirectory(prefix="herald-smtp.")
        cls.addClassCleanup(holder.cleanup)
        cls.directory = Path(holder.name)
        cls.certificates = Certificates(cls.directory / "certificates")
        cls.certificates.make()
        process = subprocess.Popen(
            [*cls.command, str(cls.certificates.directory),
             str(cls.directory)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        cls.addClassCleanup(process.wait, 20)
        cls.addClassCleanup(process.stdin.close)
        cls.addClassCleanup(process.stdout.close)
        cls.ports = json.loads(process.stdout.readline())

    def make_host(self):
        return Host(str(self.certificates.ca_file))

    def setUp(self):
        super().setUp()
        self.forget()

    def mailer(self, listener, **settings):
        settings.setdefault("delivery", RETRY)
        self.host.mailer("mail", self.ports[listener], mails.CONTENT,
                         **settings)

    def arrived(self):
        """(what the server knew, the message) of each mail."""
        return [(json.loads(path.read_text()),
                 path.with_suffix(".eml").read_bytes())
                for path in self.directory.glob("*.json")]

    def accepted(self, listener, **settings):
        self.mailer(listener, **settings)
        self.host.prove("mail")
        return self.arrived()[0][0]

    def refused(self, text, listener, **settings):
        self.mailer(listener, **settings)
        for command in (["verify", "mail"],
                        ["test", "mail", "--to", "ann@example.com"]):
            result = self.host.run(*command)
            self.assertEqual(result.status, 1, result)
            self.assertIn(text, result.out)
        self.assertEqual(self.arrived(), [])

    def test_starttls_and_auth_plain(self):
        known = self.accepted("plain")
        self.assertEqual((known["mechanism"], known["tls"]), ("PLAIN", True))

    def test_starttls_and_auth_login(self):
        known = self.accepted("login")
        self.assertEqual((known["mechanism"], known["tls"]), ("LOGIN", True))

    def test_implicit_tls(self):
        known = self.accepted("tls", security="tls")
        self.assertIs(known["tls"], True)
        self.assertTrue(known["mechanism"])

    def test_no_tls_where_that_is_asked_for(self):
        known = self.accepted("bare", security="none", password=None)
        self.assertEqual((known["mechanism"], known["tls"]), ("", False))

    def test_verify(self):
        self.mailer("plain")
        result = self.host.run("verify", "mail")
        self.assertEqual(result.status, 0, result)
        self.assertIn("proven", result.out)
        self.assertNotIn("unproven", result.out)
        self.assertEqual(self.arrived(), [])

    def test_a_wrong_password(self):
        self.refused("the server refuses this login", "plain",
                     password="another password")

    def test_an_unknown_ca(self):
        self.refused("is not trusted by", "stranger")

    def test_starttls_that_is_not_offered(self):
        self.refused("does not offer STARTTLS", "bare")

    def test_a_login_that_is_not_offered(self):
        self.refused("offers no login (AUTH)", "bare", security="none")

    def test_ten_scripts_over_few_connections(self):
        self.mailer("plain")
        self.host.prove("mail")
        self.forget()
        result = self.host.send(event(script, **mails.event_data(script))
                                for script in mails.PEOPLE)
        self.assertEqual(result.status, 0, result)
        arrived = self.arrived()
        self.assertEqual(len(arrived), len(mails.PEOPLE))
        for known, message in arrived:
            script = known["to"][0].partition("@")[0]
            with self.subTest(script):
                message = message.replace(b"\r\n", b"\n") \
                    .replace(b"\n", b"\r\n")
                self.assertEqual(mails.problems(message, script), "")
                self.assertEqual(known["from"], "play@acme.example")
                self.assertEqual(known["to"][1:], ["audit@acme.example"])
        self.assertLessEqual(
            len({known["connection"] for known, _ in arrived}), 2)

    def forget(self):
        for path in self.directory.glob("*.json"):
            path.unlink()

    def test_a_refused_recipient_concerns_nobody_else(self):
        self.mailer("plain")
        self.host.prove("mail")
        self.forget()
        addresses = ["ann@example.com", "refuse@example.com",
                     "bob@example.com"]
        result = self.host.send(event(i, email=address) for i, address
                                in enumerate(addresses))
        self.assertEqual(result.status, 1, result)
        lane = result.lane("mail")
        self.assertEqual((lane["delivered"], lane["rejected"]), (2, 1))
        self.assertIn("no such mailbox", result.reasons("mail"))
        self.assertEqual(sorted(known["to"][0] for known, _
                                in self.arrived()),
                         ["ann@example.com", "bob@example.com"])

    def test_an_internationalised_mailbox(self):
        self.mailer("plain")
        self.host.prove("mail")
        self.forget()
        result = self.host.send([event(1, email="žofie@bücher.example")])
        self.assertEqual(result.status, 0, result)
        # smtp-server shows domains as people read them.
        self.assertIn(self.arrived()[0][0]["to"][0],
                      ("žofie@xn--bcher-kva.example",
                       "žofie@bücher.example"))


class Aiosmtpd(Servers, Case):
    command = [sys.executable, str(TESTS / "interop" / "smtp-server.py")]
    if importlib.util.find_spec("aiosmtpd") is None:
        missing = "aiosmtpd is missing"


class Nodemailer(Servers, Case):
    command = [os.environ.get("NODE", ""),
               str(TESTS / "interop" / "smtp-server.mjs")]
    if not os.environ.get("NODE"):
        missing = "node is missing"
    elif not (MODULES / "smtp-server").exists():
        missing = "smtp-server of npm is not installed"


if __name__ == "__main__":
    unittest.main()
