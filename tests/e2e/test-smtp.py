#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mails to the sandbox's server: what they look like, and what becomes of
refusals."""

import unittest

import mails
from host import MAIL, Case, Host, event, module_sandbox, read_lines

SANDBOX = None
RETRY = '<retry schedule="10ms 10ms"/>'


def setUpModule():
    global SANDBOX
    SANDBOX = module_sandbox()


class Mails(Case):
    def make_host(self):
        return Host(SANDBOX.ca_file)

    def setUp(self):
        super().setUp()
        SANDBOX.control({"reset": True})
        self.before = len(SANDBOX.mails())

    def mailer(self, listener="starttls", content=MAIL, **settings):
        """A mailer that is proven already."""
        settings.setdefault("delivery", RETRY + '<in-flight max="2"/>')
        self.host.mailer("mail", SANDBOX.port("smtp", listener), content,
                         **settings)
        self.host.prove("mail")
        self.before = len(SANDBOX.mails())

    def new_mails(self):
        return SANDBOX.mails()[self.before:]

    def raw(self, entry):
        return (SANDBOX.run_dir / entry["mail"]).read_bytes()

    def sent(self, *events, status=0):
        result = self.host.send(events)
        self.assertEqual(result.status, status, result)
        return result

    def one(self, **data):
        """The one mail that comes of this data."""
        data.setdefault("email", "ann@example.com")
        self.sent(event("x", **data))
        self.assertEqual(len(self.new_mails()), 1)
        return self.new_mails()[0]


class Content(Mails):
    def test_ten_scripts(self):
        self.mailer(content=mails.CONTENT)
        self.sent(*(event(script, **mails.event_data(script))
                    for script in mails.PEOPLE))
        arrived = {entry["to"][0].partition("@")[0]: entry
                   for entry in self.new_mails()}
        self.assertEqual(set(arrived), set(mails.PEOPLE))
        for script, entry in arrived.items():
            with self.subTest(script):
                self.assertEqual(mails.problems(self.raw(entry), script), "")
                self.assertEqual(entry["to"], [f"{script}@example.com",
                                               "audit@acme.example"])
                self.assertEqual(entry["from"], "play@acme.example")

    def test_text_alone_and_html_alone(self):
        for kind, name, other in (("text", "plain", "html"),
                                  ("html", "html", "plain")):
            self.mailer(content=MAIL.replace("<text>", f"<{kind}>")
                        .replace("</text>", f"</{kind}>"))
            mail = mails.read(self.raw(self.one(firstName="Zoë")))
            self.assertIn("Zoë", mails.body(mail, name))
            self.assertIsNone(mail.get_body((other,)))

    def test_a_long_subject_is_folded(self):
        self.mailer()
        # ASCII may stand on one line as long as a line may be.
        for name, most in (("word " * 400 + "end", 78),
                           ("слово " * 60 + "кінець", 78),
                           ("word " * 60 + "end", 998), ("x" * 3000, 78)):
            raw = self.raw(self.one(firstName=name))
            self.before += 1
            for line in mails.header_lines(raw):
                self.assertLessEqual(len(line), most)
            self.assertEqual(mails.read(raw)["subject"], f"Well done, {name}")

    def test_a_subject_has_no_line_break(self):
        self.mailer()
        raw = self.raw(self.one(firstName="A\r\nBcc: evil@example.com"))
        self.assertIsNone(mails.read(raw)["bcc"])
        self.assertFalse([line for line in mails.header_lines(raw)
                          if line.startswith(b"Bcc")])

    def test_an_internationalised_domain(self):
        self.mailer()
        entry = self.one(email="ann@Bücher.example")
        self.assertEqual(entry["to"], ["ann@xn--bcher-kva.example"])
        self.assertEqual(mails.read(self.raw(entry))["to"].addresses[0]
                         .addr_spec, "ann@xn--bcher-kva.example")

    def test_an_internationalised_mailbox(self):
        self.mailer()
        self.assertEqual(self.one(email="žofie@example.com")["to"],
                         ["žofie@example.com"])

    def test_a_very_long_line_of_text(self):
        self.mailer()
        text = "x" * 5000 + "é" * 2000
        mail = mails.read(self.raw(self.one(lastName=text)))
        self.assertIn(text, mails.body(mail, "plain"))

    def test_own_headers(self):
        self.mailer(content=MAIL.replace(
            "<subject>", '<header name="X-Campaign">été {{score}}</header>'
            "<subject>"))
        mail = mails.read(self.raw(self.one(score=5)))
        self.assertEqual(mail["x-campaign"], "été 5")


class Recipients(Mails):
    def test_bad_addresses_are_refused_one_by_one(self):
        self.mailer()
        bad = ["ann@example.com\r\nRCPT TO:<evil@example.com>",
               "ann@example.com\nBcc: evil@example.com", "no-at.example.com",
               "ann@", "a b@example.com", "<ann@example.com>",
               "ann@example.com,evil@example.com"]
        undelivered = self.host.directory / "undelivered"
        result = self.host.send(
            [event(i, email=address) for i, address in enumerate(bad)]
            + [event("good", email="ann@example.com"), event("none")],
            "--undelivered", undelivered)
        self.assertEqual(result.status, 1, result)
        lane = result.lane("mail")
        self.assertEqual((lane["delivered"], lane["rejected"]),
                         (1, len(bad) + 1), result)
        self.assertEqual([one["to"] for one in self.new_mails()],
                         [["ann@example.com"]])
        self.assertEqual(len(read_lines(undelivered)), len(bad) + 1)
        self.assertNotIn("evil", result.out + result.err)

    def test_a_refused_recipient_concerns_nobody_else(self):
        self.mailer()
        result = self.sent(event(1, email="refuse-550@example.com"),
                           event(2, email="ann@example.com"), status=1)
        lane = result.lane("mail")
        self.assertEqual((lane["delivered"], lane["rejected"]), (1, 1))
        self.assertIn("the server refuses the recipient: ",
                      result.reasons("mail"))
        self.assertIn("5.1.1", result.reasons("mail"))

    def test_a_refused_message(self):
        self.mailer()
        result = self.sent(event(1, email="message-554@example.com"),
                           status=1)
        self.assertEqual(result.lane("mail")["rejected"], 1)
        self.assertIn("the server refuses the mail: ",
                      result.reasons("mail"))

    def test_a_refused_blind_copy_is_said(self):
        content = mails.CONTENT.replace("audit@", "refuse-550@")
        self.host.mailer("mail", SANDBOX.port("smtp", "starttls"), content,
                         delivery=RETRY)
        result = self.host.run("test", "mail", "--to", "ann@example.com")
        self.assertEqual(result.status, 1, result)
        self.assertIn("BCC", result.out)


class Attempts(Mails):
    def tried(self, stage, steps, retried=1):
        """Delivered after that many more attempts, and only once."""
        self.mailer()
        SANDBOX.smtp_script(stage, steps)
        result = self.sent(event(1, email="ann@example.com"))
        self.assertEqual(result.lane("mail")["retried"], retried, result)
        self.assertEqual(len(self.new_mails()), 1)
        return result

    def test_4yz_at_any_stage(self):
        for stage in ("mail", "rcpt", "data", "message"):
            with self.subTest(stage):
                self.tried(stage, [{"reply": "451 4.3.0 later"}])

    def test_a_connection_that_breaks(self):
        for stage in ("mail", "rcpt", "message"):
            with self.subTest(stage):
                self.tried(stage, [{"drop": True}])

    def test_421(self):
        self.tried("mail", [{"reply": "421 4.3.2 closing"}])

    def test_the_message_id_is_the_same_in_every_attempt(self):
        self.mailer()
        SANDBOX.smtp_script("message", [{"reply": "451 4.3.0 later"}])
        undelivered = self.host.directory / "undelivered"
        mail = event(1, email="ann@example.com")
        # Taken by the server, and the answer lost: it comes again.
        self.sent(mail)
        first = self.new_mails()[0]["message_id"]
        self.sent(mail)
        self.assertEqual(self.new_mails()[1]["message_id"], first)
        self.assertIs(self.new_mails()[1]["duplicate"], True)
        self.sent(event(2, email="ann@example.com"))
        self.assertNotEqual(self.new_mails()[2]["message_id"], first)
        self.assertEqual(read_lines(undelivered), [])

    def test_it_gives_up_and_says_why(self):
        self.mailer()
        SANDBOX.smtp_script("rcpt", [{"reply": "452 4.2.2 full",
                                      "times": -1}])
        result = self.sent(event(1, email="ann@example.com"), status=1)
        self.assertEqual(result.lane("mail")["undelivered"], 1)
        self.assertIn("4.2.2 full", result.reasons("mail"))

    def test_a_hanging_server(self):
        self.mailer(delivery='<retry schedule="1ms"/>'
                    '<timeouts connect="1s" total="1s"/>')
        SANDBOX.smtp_script("rcpt", [{"hang": True}])
        self.sent(event(1, email="ann@example.com"))

    def test_connections_are_reused(self):
        self.mailer()
        before = SANDBOX.counts()["smtp"]["connections"]
        self.sent(*(event(i, email=f"p{i}@example.com") for i in range(40)))
        opened = SANDBOX.counts()["smtp"]["connections"] - before
        self.assertLessEqual(opened, 2)         # as many as in flight
        self.assertEqual(len(self.new_mails()), 40)


class Security(Mails):
    def trial(self, listener, **settings):
        self.host.mailer("mail", SANDBOX.port("smtp", listener), **settings)
        return self.host.run("test", "mail", "--to", "ann@example.com")

    def refused(self, text, listener, **settings):
        result = self.trial(listener, **settings)
        self.assertEqual(result.status, 1, result)
        self.assertIn(text, result.out)
        self.assertIn("blocked", result.out)
        self.assertEqual(self.new_mails(), [])

    def accepted(self, listener, **settings):
        result = self.trial(listener, **settings)
        self.assertEqual(result.status, 0, result)
        return self.new_mails()[0]

    def test_starttls(self):
        mail = self.accepted("starttls")
        self.assertEqual((mail["tls"], mail["login"]), (True, "herald"))

    def test_implicit_tls(self):
        self.assertIs(self.accepted("tls", security="tls")["tls"], True)

    def test_no_tls_and_no_login(self):
        mail = self.accepted("open", security="none", password=None)
        self.assertEqual((mail["tls"], mail["login"]), (False, ""))

    def test_starttls_that_is_not_offered(self):
        self.refused("does not offer STARTTLS", "plain")

    def test_an_unknown_ca(self):
        self.refused("is not trusted by", "stranger")

    def test_another_name(self):
        self.refused("is for another name", "elsewhere")

    def test_a_login_that_is_not_offered(self):
        self.refused("offers no login (AUTH)", "open", security="none")

    def test_a_wrong_password(self):
        self.refused("the server refuses this login", "starttls",
                     password="not the sandbox's")

    def test_a_password_beyond_ascii(self):
        SANDBOX.control({"service": "smtp",
                         "expect": {"password": "Grüße:\"\\ 密码"}})
        self.addCleanup(SANDBOX.control, {
            "service": "smtp", "expect": {"password": "sandbox"}})
        self.accepted("starttls", password="Grüße:\"\\ 密码")


if __name__ == "__main__":
    unittest.main()
