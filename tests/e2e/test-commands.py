#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands beside send: what they say, as text and as JSON, and how
they end."""

import json
import os
import subprocess
import unittest

import mails
from host import MAP, Case, Host, event, lines, module_sandbox, needs

SANDBOX = None
COMMANDS = ["send", "explain", "check", "list", "verify", "test", "add",
            "enable", "disable", "remove", "providers", "describe"]
KEY = "k3y-of-the-test-commands"


def setUpModule():
    needs("custom-api", "smtp")
    global SANDBOX
    SANDBOX = module_sandbox()


class Commands(Case):
    def make_host(self):
        return Host(SANDBOX.ca_file)

    def setUp(self):
        super().setUp()
        SANDBOX.control({"reset": True})
        self.path = "/" + self.id().rpartition(".")[2]
        self.url = SANDBOX.url(self.path)

    def web(self, **settings):
        return self.host.webhook("web", self.url, **settings)

    def mail(self, **settings):
        return self.host.mailer("mail", SANDBOX.port("smtp", "starttls"),
                                **settings)

    def done(self, *arguments, status=0, **options):
        result = self.host.run(*arguments, **options)
        self.assertEqual(result.status, status, result)
        return result

    def arrived(self):
        return [one for one in SANDBOX.requests() if one["path"] == self.path]


class Help(Commands):
    def test_every_command_has_help(self):
        overview = self.done("--help").out
        for command in COMMANDS:
            self.assertRegex(overview, rf"(?m)^  {command} ")
            text = self.done(command, "--help").out
            self.assertTrue(text.startswith(f"usage: herald {command}"))
            self.assertIn("-h, --help", text)
            self.assertEqual(self.done(command, "-h").out, text)
            self.assertTrue(all(len(line) <= 90
                                for line in text.splitlines()), text)

    def test_version(self):
        self.assertRegex(self.done("--version").out,
                         r"^herald \S+\nplugin ABI \d+\.\d+\n$")

    def test_bad_usage_is_2(self):
        for arguments in (["describe"], ["verify"], ["test", "a", "b"],
                          ["add", "smtp"], ["enable"], ["remove"],
                          ["list", "--category", "fax"], ["check", "--jsn"],
                          ["test", "web", "--to", "nobody"],
                          ["add", "smtp", "Bad_Name"]):
            self.done(*arguments, status=2)

    def test_directories_from_the_environment(self):
        self.web()
        done = subprocess.run(
            [os.environ["HERALD"], "list", "--json"], timeout=60,
            capture_output=True, env={
                **os.environ, "HERALD_CONFIG": str(self.host.etc),
                "HERALD_STATE": str(self.host.state)})
        self.assertEqual(json.loads(done.stdout)[0]["name"], "web")


class Looking(Commands):
    def test_check(self):
        self.web()
        self.assertIn("1 integration in order, 0 broken, 0 errors, 0 "
                      "warnings", self.done("check").out)
        self.assertEqual(self.done("check", "--json").json,
                         {"errors": 0, "problems": []})

    def test_list(self):
        self.web(auth="bearer", api_key=self.host.secret("web.key", KEY))
        self.mail(extra="<workspaces><workspace>acme</workspace>"
                  "<workspace>beta</workspace></workspaces>")
        self.host.webhook("off", self.url, enabled=False)
        self.host.webhook("sick", self.url, auth="bearer")
        rows = {row["name"]: row
                for row in self.done("list", "--json").json}
        self.assertEqual(
            {name: (row["category"], row["verified"], row["state"])
             for name, row in rows.items()},
            {"web": ("webhook", "-", "ready"),
             "mail": ("mailer", "no", "needs test"),
             "off": ("webhook", "-", "disabled"),
             "sick": ("webhook", "-", "broken")})
        self.assertEqual(rows["mail"]["workspaces"], ["acme", "beta"])
        self.assertIs(rows["web"]["allWorkspaces"], True)
        self.assertEqual(rows["web"]["label"], "Custom API Integration")
        table = self.done("list").out
        self.assertIn("acme beta", table)
        self.assertIn("NAME", table.splitlines()[0])
        for category, names in (("mailer", ["mail"]),
                                ("webhook", ["off", "sick", "web"])):
            rows = self.done("list", "--category", category, "--json").json
            self.assertEqual(sorted(row["name"] for row in rows), names)

    def test_providers(self):
        rows = {row["name"]: row
                for row in self.done("providers", "--json").json}
        self.assertEqual(rows["custom-api"]["category"], "webhook")
        self.assertEqual(rows["smtp"]["category"], "mailer")
        self.assertTrue(rows["smtp"]["summary"])
        self.assertIn("custom-api", self.done("providers").out)

    def test_describe(self):
        read = self.done("describe", "custom-api", "--json").json
        fields = {field["name"]: field for field in read["settings"]}
        self.assertEqual([fields[name]["label"] for name in (
            "endpoint", "method", "auth", "header-name", "api-key")],
            ["API Endpoint", "HTTP Method", "API Key Type",
             "Custom Header Name", "API Key"])
        self.assertIn("secret", fields["api-key"]["flags"])
        self.assertEqual([one["value"] for one in
                          fields["method"]["choices"]],
                         ["POST", "PUT", "PATCH"])
        self.assertEqual(fields["header-name"]["when"], "auth=header")
        read = self.done("describe", "smtp", "--json").json
        labels = {field["label"] for field in read["settings"]}
        self.assertLessEqual({"Host", "Port", "Login", "Password"}, labels)
        text = self.done("describe", "smtp").out
        for field in read["settings"]:
            self.assertIn(f"{field['name']} - {field['label']}", text)
        self.assertIn('did you mean "smtp"',
                      self.done("describe", "smpt", status=3).err)


class Verify(Commands):
    def verified(self, result, text, status=0):
        read = self.done("verify", "web", "--json", status=status).json
        self.assertEqual(read["result"], result, read)
        self.assertIn(text, read["text"])
        plain = self.done("verify", "web", status=status).out
        self.assertTrue(plain.startswith(f"web: {result}: "), plain)
        for one in self.arrived():
            self.assertEqual(one["events"], 0)

    def test_a_webhook(self):
        SANDBOX.expect(self.path, {"auth": "bearer", "key": KEY})
        self.web(auth="bearer", api_key=self.host.secret("web.key", KEY))
        self.verified("proven", "accepts these credentials")
        self.assertEqual(self.arrived()[0]["method"], "HEAD")
        self.web(auth="bearer",
                 api_key=self.host.secret("web.key", KEY + "-wrong"))
        self.verified("failed", "refuses these credentials", 1)

    def test_a_webhook_that_does_not_say(self):
        SANDBOX.script(self.path, [{"status": 405, "times": -1}])
        self.web()
        self.verified("unproven", "credentials not proven")

    def test_a_webhook_that_is_not_there(self):
        SANDBOX.script(self.path, [{"status": 404, "times": -1}])
        self.web()
        self.verified("failed", "there is no such endpoint", 1)

    def test_a_webhook_by_other_requests(self):
        for probe, method in (("get", "GET"), ("options", "OPTIONS"),
                              ("ping", "POST")):
            with self.subTest(probe):
                self.web(verify_with=probe)
                self.done("verify", "web")
                self.assertEqual(self.arrived()[-1]["method"], method)
        self.assertEqual(self.arrived()[-1]["headers"]["herald-verify"], "1")

    def test_nothing_listens(self):
        self.host.webhook("web", "http://127.0.0.1:1/")
        self.verified("failed", "nothing listens at 127.0.0.1:1", 1)

    def test_a_mailer(self):
        self.mail()
        read = self.done("verify", "mail", "--json").json
        self.assertEqual(read["result"], "proven")
        self.mail(password="n0t-the-one")
        read = self.done("verify", "mail", "--json", status=1).json
        self.assertEqual((read["result"], read["class"], read["status"]),
                         ("failed", "blocked", 535))
        self.host.mailer("mail", SANDBOX.port("smtp", "open"), password=None,
                         security="none")
        read = self.done("verify", "mail", "--json").json
        self.assertEqual(read["result"], "unproven")

    def test_one_that_is_not_there(self):
        self.web()
        self.assertIn("did you mean web?",
                      self.done("verify", "wbe", status=3).err)


class Test(Commands):
    def test_a_mailer_is_skipped_until_its_test(self):
        self.mail(delivery='<retry schedule="1ms"/>')
        data = [event(1, email="ann@example.com")]
        before = len(SANDBOX.mails())
        result = self.host.send(data)
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.lane("mail")["state"], "skipped")
        self.assertIn('run "herald test mail"', result.err)
        self.assertEqual(len(SANDBOX.mails()), before)
        out = self.done("test", "mail", "--to", "me@example.com").out
        self.assertIn("test e-mail to me@example.com accepted", out)
        self.assertEqual(SANDBOX.mails()[-1]["to"], ["me@example.com"])
        self.assertEqual(self.host.send(data).status, 0)
        rows = self.done("list", "--json").json
        self.assertEqual((rows[0]["verified"], rows[0]["state"]),
                         ("yes", "ready"))
        # What the test proved was these settings.
        self.mail(delivery='<retry schedule="1ms"/>', login="other",
                  password="an0ther-one")
        self.assertEqual(self.host.send(data).lane("mail")["state"],
                         "skipped")
        self.mail(delivery='<retry schedule="1ms"/>')
        self.assertEqual(self.host.send(data).status, 0)

    def test_another_password_of_the_same_file_asks_again(self):
        self.mail()
        self.host.prove("mail")
        self.host.secret("mail.password", "an0ther-one")
        self.assertEqual(self.done("list", "--json").json[0]["verified"],
                         "no")

    def test_a_test_that_fails_proves_nothing(self):
        self.mail(password="n0t-the-one")
        read = self.done("test", "mail", "--to", "me@example.com", "--json",
                         status=1).json
        self.assertEqual((read["result"], read["status"]), ("blocked", 535))
        self.assertEqual(self.done("list", "--json").json[0]["verified"],
                         "no")
        self.assertEqual([one.name for one in self.host.state.iterdir()
                          if b"n0t-the-one" in one.read_bytes()], [])

    def test_it_goes_to_the_sender_unless_told(self):
        self.mail(content=mails.CONTENT)
        self.done("test", "mail")
        self.assertEqual(SANDBOX.mails()[-1]["to"][0], "hello@acme.example")

    def test_a_state_that_cannot_be_written(self):
        self.mail()
        self.host.state = self.host.write("file", "")
        result = self.done("test", "mail", status=4)
        self.assertIn("could not be remembered", result.err)

    def test_a_webhook_gets_a_sample(self):
        self.web(content='<map><field name="first" source="firstName"/>'
                 '<field name="score" source="score"/></map>')
        self.assertIn("sample record accepted", self.done("test", "web").out)
        self.assertEqual(json.loads(self.arrived()[-1]["body"]),
                         {"first": "Test", "score": 42})

    def test_a_disabled_one_can_be_tested(self):
        self.web(enabled=False)
        self.done("test", "web")
        self.assertEqual(len(self.arrived()), 1)


class Explain(Commands):
    def explained(self, *events, status=0, arguments=()):
        result = self.done("explain", "-", *arguments, stdin=lines(events),
                           status=status)
        self.assertEqual(self.arrived(), [])
        return result.out

    def test_the_exact_request_with_secrets_masked(self):
        self.web(auth="bearer", api_key=self.host.secret("web.key", KEY),
                 content='<map><field name="name" source="firstName"/></map>',
                 header="X-Tenant: acme", method="PUT")
        text = self.explained(event(1, firstName="Zoë"))
        self.assertIn("event event-1 of workspace acme", text)
        self.assertIn("web: yes", text)
        self.assertIn('{"name":"Zoë"}', text)
        self.assertIn(f"PUT {self.url}", text)
        self.assertRegex(text, r"(?i)authorization: ")
        self.assertRegex(text, r"(?i)x-tenant: acme")
        self.assertRegex(text, r"(?i)idempotency-key: ")

    def test_what_is_shown_is_what_is_sent(self):
        self.web(content='<map><field name="id" source="id"/></map>')
        text = self.explained(event(1))
        self.host.send([event(1)])
        sent = self.arrived()[0]
        self.assertIn(sent["body"], text)
        self.assertIn(sent["headers"]["idempotency-key"], text)

    def test_a_mail(self):
        self.mail()
        text = self.explained(event(1, email="ann@example.com",
                                    firstName="Zoë"))
        self.assertIn('once its test e-mail was accepted', text)
        self.assertIn("ann@example.com", text)
        self.assertIn("Hello Zoë", text)

    def test_why_not(self):
        self.host.webhook("beta", self.url, extra="<workspaces><workspace>"
                          "beta</workspace></workspaces>")
        self.host.webhook("cond", self.url,
                          extra='<when source="score" above="10"/>')
        self.host.webhook("off", self.url, enabled=False)
        self.host.webhook("sick", self.url, auth="bearer")
        self.host.webhook("fail", self.url, '<map><field name="a" '
                          'source="email" missing="fail"/></map>')
        text = self.explained(event(1, score=3))
        for line in ("beta: no, it does not serve workspace acme",
                     "cond: no, a condition does not hold: score is above 10",
                     "off: no, it is disabled",
                     "sick: no, its configuration has errors"):
            self.assertIn(line, text)
        self.assertIn("rejected: a: the event has no email", text)
        only = self.explained(event(1, score=3),
                              arguments=("--integration", "cond"))
        self.assertNotIn("beta", only)
        self.assertIn('{"id":"1"}', only)

    def test_addressed_to_others(self):
        self.web()
        text = self.explained({**event(1), "heraldto": "crm mail"})
        self.assertIn("web: no, the event's heraldto names others only", text)

    def test_bad_lines_and_files(self):
        self.web()
        result = self.done("explain", "-", stdin=lines([b"no", event(1)]),
                           status=1)
        self.assertIn("line 1: ", result.err)
        self.assertIn("web: yes", result.out)
        self.done("explain", "missing.ndjson", status=4)
        self.assertIn("refused", self.explained(event(1,
                                                      workspace="nobody")))


class Changing(Commands):
    def test_add_then_use(self):
        out = self.done("add", "custom-api", "shop", f"endpoint={self.url}",
                        "auth=bearer", "api-key=file:shop.key").out
        self.assertIn("herald enable shop", out)
        path = self.host.conf_d / "shop.xml"
        self.assertIn('enabled="false"', path.read_text())
        self.assertEqual(path.stat().st_mode & 0o022, 0)
        self.host.secret("shop.key", KEY)
        self.done("check")
        self.done("test", "shop")
        self.done("enable", "shop")
        self.assertEqual(self.host.send([event(1)]).lane("shop")
                         ["delivered"], 1)
        self.assertIn("there is such an integration already", self.done(
            "add", "custom-api", "shop", status=4).err)
        self.done("remove", "--yes", "shop")
        self.assertFalse(path.exists())
        self.assertTrue((self.host.conf_d / "shop.key").exists())

    def test_add_without_settings_names_what_is_missing(self):
        for provider in ("custom-api", "smtp"):
            self.done("add", provider, f"my-{provider}")
        result = self.host.run("check")
        self.assertNotIn("broken XML", result.err)
        self.assertEqual(len(self.done("list", "--json").json), 2)

    def test_add_takes_no_secret_and_nothing_unknown(self):
        self.host.hide(KEY)
        result = self.done("add", "custom-api", "shop", f"api-key={KEY}",
                           status=2)
        self.assertIn("api-key=file:PATH", result.err)
        result = self.done("add", "custom-api", "shop", "metod=PUT",
                           status=2)
        self.assertIn("has no setting metod", result.err)
        self.done("add", "telegraph", "shop", status=3)
        self.assertEqual(list(self.host.conf_d.iterdir()), [])

    def test_enable_and_disable_keep_the_rest(self):
        text = ('<?xml version="1.0"?>\n<!-- mine: enabled="true" -->\n'
                '<integration\n   provider="custom-api" enabled = \'true\'\n'
                '   name="web" xmlns="urn:herald:integration:1"><!-- a -->\n'
                '\t<workspaces all="true"/>\r\n  <settings><setting '
                f'name="endpoint">{self.url}</setting></settings>\n  {MAP}\n'
                "</integration>\n<!-- end -->\n")
        path = self.host.write("etc/conf.d/web.xml", text, 0o640)
        self.done("disable", "web")
        self.assertEqual(path.read_bytes().decode(),
                         text.replace("= 'true'", "= 'false'"))
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)
        self.assertEqual(self.done("list", "--json").json[0]["state"],
                         "disabled")
        self.assertIn("disabled already", self.done("disable", "web").out)
        self.done("enable", "web")
        self.assertEqual(path.read_bytes().decode(), text)

    def test_enable_where_nothing_says_so(self):
        path = self.web()
        path.write_text(path.read_text().replace(' enabled="true"', ""))
        self.done("disable", "web")
        self.assertIn('enabled="false"', path.read_text())

    def test_remove_wants_to_be_sure(self):
        path = self.web()
        self.assertIn("--yes", self.done("remove", "web", status=2).err)
        self.assertTrue(path.exists())
        self.done("remove", "nobody", "--yes", status=3)


class Logs(Commands):
    def test_json_and_logfmt(self):
        self.web(delivery='<retry schedule="1ms"/>')
        SANDBOX.script(self.path, [{"status": 410}])
        result = self.host.send([b"bad", event(1)],
                                before=("--log", "json"))
        self.assertEqual(result.status, 1, result)
        read = [json.loads(line) for line in result.err.splitlines()]
        self.assertTrue(read)
        for one in read:
            self.assertLessEqual({"ts", "level", "msg"}, set(one))
        self.assertIn("web", [one.get("integration") for one in read])
        SANDBOX.script(self.path, [{"status": 410}])
        result = self.host.send([event(1)], before=("--log=logfmt",))
        self.assertRegex(result.err, r"ts=\S+ level=error msg=.*"
                         "integration=web")

    def test_no_participants_data_is_logged(self):
        self.web(content='<map><field name="email" source="email"/></map>',
                 delivery='<retry schedule="1ms"/>')
        SANDBOX.script(self.path, [{"status": 422, "body":
                                    {"error": "ann.b@example.com is bad"}}])
        result = self.host.send([event(1, email="ann.b@example.com")],
                                before=("-v", "-v"))
        self.assertEqual(result.status, 1, result)
        self.assertNotIn("ann.b@example.com", result.err)


if __name__ == "__main__":
    unittest.main()
