#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Configuration that is wrong: what herald says, and that it stops nothing
else."""

import os
import re
import unittest

from host import DESCRIPTOR, MAP, NETWORK, Case, event
from receiver import Receiver


class Config(Case):
    """Beside whatever is broken there is an integration that works."""

    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.host.webhook("good", self.receiver.url)

    def says(self, path, line, *texts, errors=1):
        """check names the file, the line (0: none) and says this."""
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        where = f"{path}:{line}: " if line else f"{path}: "
        found = [one for one in result.err.splitlines() if where in one]
        self.assertTrue(found, f"nothing of {where} in {result}")
        for text in texts:
            self.assertTrue(any(text in one for one in found),
                            f"not said: {text}\n{result}")
        self.assertIn(f"{errors} error", result.out)
        read = self.host.run("check", "--json")
        self.assertEqual(read.status, 1)
        self.assertEqual(read.json["errors"], errors, read)
        for one in read.json["problems"]:
            self.assertTrue(one["file"])
        self.others_go_on()
        return result

    def others_go_on(self):
        count = self.receiver.n_events
        self.host.send([event(1)])
        self.assertEqual(self.receiver.n_events, count + 1)

    def broken(self, text, line, *texts, mode=0o644, **options):
        path = self.host.write("etc/conf.d/broken.xml", text, mode)
        return self.says(path, line, *texts, **options)

    def line_of(self, path, text):
        return 1 + path.read_text().split("\n").index(next(
            line for line in path.read_text().split("\n") if text in line))


class Whole(Config):
    """What leaves nothing to work with: exit 3."""

    def unusable(self, *texts):
        for command in (["check"], ["send"], ["list"], ["verify", "good"],
                        ["explain", "-"]):
            result = self.host.run(*command)
            self.assertEqual(result.status, 3, (command, str(result)))
            for text in texts:
                self.assertIn(text, result.err)

    def test_no_directory(self):
        self.host.etc = self.host.directory / "nowhere"
        self.unusable(str(self.host.etc / "herald.xml"), "no such file")

    def test_no_conf_d(self):
        self.host.conf_d.rename(self.host.etc / "conf.old")
        self.unusable(str(self.host.conf_d), "no such file")

    def test_herald_xml_is_broken(self):
        self.host.write("etc/herald.xml", '<herald xmlns="urn:herald:'
                        'config:1">\n<networks/>\n</herald>')
        self.unusable("herald.xml:2: ", "did you mean <network>")

    def test_herald_xml_others_may_write(self):
        (self.host.etc / "herald.xml").chmod(0o666)
        self.unusable("others may write to it; run: chmod go-w ")

    def test_conf_d_others_may_write(self):
        self.host.conf_d.chmod(0o777)
        self.unusable("others may write to it; run: chmod ")


class Daemon(Config):
    """What herald serve is told in herald.xml."""

    def unusable(self, parts, line, text):
        self.host.herald_xml(NETWORK + "\n" + parts)
        result = self.host.run("check")
        self.assertEqual(result.status, 3, result)
        path = self.host.etc / "herald.xml"
        first = self.line_of(path, "<network>")
        self.assertIn(f"herald.xml:{first + line}: ", result.err)
        self.assertIn(text, result.err)

    def warned(self, parts, text):
        self.host.herald_xml(NETWORK + "\n" + parts)
        result = self.host.run("check")
        self.assertEqual(result.status, 0, result)
        self.assertIn("warning: ", result.err)
        self.assertIn(text, result.err)
        self.others_go_on()

    def test_store(self):
        self.unusable('<store windows="1h"/>', 1, 'did you mean "window"?')
        self.unusable('<store><commit most="0"/></store>', 1,
                      'most="0" is no number between 1 and 100000')

    def test_workers(self):
        self.unusable('<workers\n number="65"/>', 2,
                      'number="65" is no number between 1 and 64')

    def test_intake(self):
        self.unusable('<intake><listen address="localhost:80"/></intake>', 1,
                      "is no address and port; write it like 127.0.0.1:8414")
        self.unusable('<intake>\n<listen socket="/a"/>\n'
                      '<listen socket="/a"/></intake>', 3,
                      "/a is listened to already, in line")
        self.unusable('<intake><listen socket="/a"><allow user="www" '
                      'workspace="nobody"/></listen></intake>', 1,
                      'workspace "nobody" is not declared')
        self.unusable("<intake>" + "".join(f'<listen socket="/{k}"/>'
                                           for k in range(65)) + "</intake>",
                      1, "there are more than 64 <listen>")

    def test_reached_by_others(self):
        self.host.write("etc/t", "shop a-token-of-20-letters acme\n", 0o600)
        self.warned('<intake><listen address="0.0.0.0:8414"/>'
                    '<tokens path="t"/></intake>',
                    "can be reached from other hosts, and tokens pass in "
                    "clear")

    def test_tokens(self):
        token = self.host.hide("a-token-of-20-letters")
        parts = '\n<intake>\n<tokens path="t"/></intake>'
        self.host.herald_xml(NETWORK + parts)
        path = self.host.etc / "herald.xml"
        line = self.line_of(path, "<tokens")
        self.says(path, line, "etc/t: there is no such file")
        self.host.write("etc/t", f"shop {token} acme\nbad line\n", 0o600)
        self.says(path, line, "etc/t: line 2: ")
        self.host.write("etc/t", f"shop {token} acme\n", 0o644)
        self.says(path, line, "etc/t: others may read it; run: chmod o-r ")
        self.host.write("etc/t", f"shop {token} nobody,acme\n", 0o600)
        self.warned(parts, 'etc/t: the token of shop is for workspace '
                    '"nobody", which is not declared')

    def test_a_user_that_is_not_there(self):
        self.warned('<intake><listen socket="/run/h">'
                    '<allow user="no-such-user" workspace="*"/>'
                    '<allow group="0" workspace="*"/></listen></intake>',
                    'there is no user "no-such-user" on this host')
        self.warned('<intake><listen socket="/run/h">'
                    '<allow group="no-such-group" workspace="*"/>'
                    '</listen></intake>',
                    'there is no group "no-such-group" on this host')


class Elsewhere(Config):
    """Secrets that only the service has are no error of whoever checks."""

    def setUp(self):
        super().setUp()
        self.host.webhook("env", self.receiver.url, auth="bearer",
                          api_key='from="env" variable="CRM_TOKEN"')
        self.host.webhook("bad", self.receiver.url, auth="bearer",
                          api_key='from="credential" credential="crm"',
                          method="GOT")

    def test_check_and_list(self):
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        # All but the secret is checked.
        self.assertIn("bad.xml", result.err)
        self.assertIn("must be one of POST", result.err)
        (self.host.etc / "conf.d" / "bad.xml").unlink()
        result = self.host.run("check")
        self.assertEqual(result.status, 0, result)
        self.assertIn("can't be checked here: only the service has the "
                      "variable CRM_TOKEN", result.err)
        self.assertIn("1 integration in order, 1 not checked in full, 0 "
                      "broken, 0 errors, 1 warning", result.out)
        states = {one["name"]: one["state"]
                  for one in self.host.run("list", "--json").json}
        self.assertEqual(states, {"good": "ready", "env": "unchecked"})
        result = self.host.run("check", env={"CRM_TOKEN": "s3cret-word"})
        self.assertIn("2 integrations in order, 0 broken", result.out)

    def test_defaults(self):
        (self.host.etc / "conf.d" / "bad.xml").unlink()
        self.host.herald_xml(
            NETWORK + '<defaults provider="custom-api"><setting name='
            '"api-key" from="credential" credential="x"/></defaults>')
        self.assertEqual(self.host.run("check").status, 0)


class Fallback(Config):
    def test_nobody(self):
        path = self.host.mailer("mails", 1, delivery='\n<fallback '
                                'integration="goods"/>')
        self.says(path, self.line_of(path, "<fallback"),
                  'there is no integration "goods" to fall back on; did you '
                  'mean "good"?')

    def test_no_mailer(self):
        path = self.host.mailer("mails", 1, delivery='\n<fallback '
                                'integration="good"/>')
        self.says(path, self.line_of(path, "<fallback"),
                  '<fallback> names "good", which sends no e-mails')

    def test_a_circle(self):
        path = self.host.mailer("one", 1, delivery='\n<fallback '
                                'integration="two"/>')
        self.host.mailer("two", 1, delivery='<fallback integration="one"/>')
        self.says(path, self.line_of(path, "<fallback"),
                  '<fallback> leads from "two" back to "one"', errors=2)

    def test_disabled(self):
        self.host.mailer("one", 1, delivery='<fallback integration="two"/>')
        self.host.mailer("two", 1, enabled=False)
        result = self.host.run("check")
        self.assertEqual(result.status, 0, result)
        self.assertIn('"two", which <fallback> names, is disabled and will '
                      'not take over; run: herald enable two', result.err)
        self.assertIn("3 integrations in order, 0 broken", result.out)


class Files(Config):
    def test_broken_xml(self):
        self.broken("<integration\n<x>", 2)

    def test_not_closed(self):
        self.broken(DESCRIPTOR.format(
            name="broken", provider="custom-api", enabled="true",
            parts="<settings>"), 4, "does not match the start tag in line 3")

    def test_empty(self):
        self.broken("", 1, "there is no XML in it")

    def test_a_foreign_root(self):
        self.broken('<?xml version="1.0"?>\n<beans/>', 2,
                    "the root element is <beans>, not <integration>")

    def test_a_foreign_namespace(self):
        self.broken('<integration name="x" provider="smtp"/>', 1,
                    'write <integration xmlns="urn:herald:integration:1"')

    def test_huge(self):
        self.broken(DESCRIPTOR.format(
            name="broken", provider="custom-api", enabled="true",
            parts="<!--" + "x" * (1 << 20) + "-->"), 0, "larger than")

    def test_a_document_type(self):
        secret = self.host.write("secret", "the secret of this host")
        self.host.hide("the secret of this host")
        self.broken('<?xml version="1.0"?>\n<!DOCTYPE integration [\n'
                    f'<!ENTITY x SYSTEM "file://{secret}">]>\n'
                    '<integration xmlns="urn:herald:integration:1" '
                    'name="broken" provider="custom-api"><label>&x;</label>'
                    "</integration>", 2, "a document type is not allowed")

    def test_a_billion_laughs(self):
        entities = '<!ENTITY a0 "ha">' + "".join(
            f'<!ENTITY a{i + 1} "' + f"&a{i};" * 10 + '">'
            for i in range(10))
        self.broken(f"<!DOCTYPE integration [{entities}]>\n<integration>&a10;"
                    "</integration>", 1, "a document type is not allowed")

    def test_not_utf8(self):
        self.broken(b'<integration>\n\xff</integration>', 2, "not UTF-8")

    def test_others_may_write(self):
        path = self.host.webhook("broken", self.receiver.url)
        path.chmod(0o666)
        self.says(path, 0, "others may write to it; run: chmod go-w ",
                  str(path))
        path.chmod(0o664)
        self.says(path, 0, "its group may write to it; run: chmod g-w ")

    def test_a_directory_a_pipe_and_a_dangling_link(self):
        (self.host.conf_d / "broken.xml").mkdir()
        self.says(self.host.conf_d / "broken.xml", 0, "no regular file")
        (self.host.conf_d / "broken.xml").rmdir()
        os.mkfifo(self.host.conf_d / "broken.xml", 0o644)
        self.says(self.host.conf_d / "broken.xml", 0, "no regular file")
        (self.host.conf_d / "broken.xml").unlink()
        (self.host.conf_d / "broken.xml").symlink_to("nowhere")
        self.says(self.host.conf_d / "broken.xml", 0, "no such file")

    def test_what_is_no_descriptor_is_not_read(self):
        for name in ("a.xml~", ".a.xml", "a.xml.dpkg-old", "README"):
            self.host.write(f"etc/conf.d/{name}", "<no")
        self.assertEqual(self.host.run("check").status, 0)

    def test_two_of_one_name(self):
        path = self.host.write(
            "etc/conf.d/later.xml",
            (self.host.conf_d / "good.xml").read_text())
        self.says(path, 2, "is defined already in",
                  f"{self.host.conf_d}/good.xml:2")


class Elements(Config):
    def test_an_unknown_provider(self):
        path = self.host.integration("x", "custom-apy", {}, MAP)
        self.says(path, 2, 'there is no provider "custom-apy"',
                  'did you mean "custom-api"')
        path = self.host.integration("x", "telegraph", {}, MAP)
        self.says(path, 2, "install the package herald-plugin-telegraph")

    def test_an_unknown_element_and_attribute(self):
        path = self.host.webhook("x", self.receiver.url,
                                 '<mapp/><map nestd="true">'
                                 '<field name="a" source="id"/></map>')
        line = self.line_of(path, "<mapp/>")
        self.says(path, line, "did you mean <map>", 'did you mean "nested"',
                  errors=2)

    def test_an_unknown_field(self):
        path = self.host.webhook(
            "x", self.receiver.url,
            '<map>\n<field name="a" source="emial"/>\n</map>')
        self.says(path, self.line_of(path, "emial"),
                  "unknown source field emial", "did you mean email")

    def test_a_condition_on_an_unknown_field(self):
        path = self.host.webhook("x", self.receiver.url,
                                 extra='<when source="scor" is="1"/>')
        self.says(path, self.line_of(path, "<when"), "did you mean score")

    def test_an_undeclared_workspace(self):
        path = self.host.webhook(
            "x", self.receiver.url,
            extra="<workspaces><workspace>acem</workspace></workspaces>")
        self.says(path, self.line_of(path, "acem"),
                  '"acem" is not declared in herald.xml; did you mean "acme"')

    def test_delivery_that_makes_no_sense(self):
        path = self.host.webhook(
            "x", self.receiver.url, delivery='<retry schedule="soon"/>'
            '<rate limit="0" per="1s"/><in-flight max="1000000"/>')
        self.says(path, self.line_of(path, "<delivery>"),
                  "write it like 5s 30s 2m", "is no number between", errors=3)

    def test_a_webhook_without_map_and_a_mailer_without_mail(self):
        path = self.host.webhook("x", self.receiver.url, "")
        self.says(path, 2, "<map>")
        path.unlink()
        path = self.host.mailer("y", 25, "")
        self.says(path, 2, "<mail>")


class Settings(Config):
    def setting(self, text, **settings):
        path = self.host.integration(
            "x", "custom-api", {"endpoint": self.receiver.url, **settings},
            MAP)
        key = list(settings)[-1]
        return self.says(path, self.line_of(path, f'"{key}"'), text)

    def test_missing(self):
        path = self.host.integration("x", "custom-api", {}, MAP)
        self.says(path, self.line_of(path, "<settings>"), "API Endpoint",
                  'is missing; add <setting name="endpoint">')

    def test_missing_because_of_another(self):
        path = self.host.webhook("x", self.receiver.url, auth="bearer")
        self.says(path, self.line_of(path, "<settings>"), "API Key",
                  'is missing, as "auth" is "bearer"')

    def test_misspelt(self):
        self.setting('there is no setting "metod"; did you mean "method"',
                     metod="POST")

    def test_none_of_the_choices(self):
        self.setting("(HTTP Method) must be one of POST, PUT, PATCH",
                     method="DELETE")

    def test_out_of_range(self):
        path = self.host.mailer("m", 70000)
        self.says(path, self.line_of(path, '"port"'), "(Port) must be a "
                  "whole number between 1 and 65535")

    def test_an_http_endpoint(self):
        path = self.host.webhook("x", "http://api.example.com/")
        self.says(path, self.line_of(path, '"endpoint"'), "API Endpoint",
                  "must start with https://")

    def test_a_password_in_the_endpoint(self):
        self.host.hide("s3cret-in-url")
        path = self.host.webhook("x", "https://me:s3cret-in-url@localhost/")
        self.says(path, self.line_of(path, '"endpoint"'),
                  "must not hold a user or password")

    def test_what_the_plugin_itself_refuses(self):
        self.setting("must list statuses between", success="200-")

    def test_a_header_that_herald_sets(self):
        self.setting("must not set Content-Length",
                     header="Content-Length: 3")

    def test_given_twice(self):
        path = self.host.integration(
            "x", "custom-api", {"endpoint": self.receiver.url,
                                "method": ["POST", "PUT"]}, MAP)
        self.says(path, self.line_of(path, ">PUT<"), "is given already")

    def test_an_ehlo_name_and_a_host(self):
        path = self.host.mailer("m", 25, host="mail.example.com:25")
        self.says(path, self.line_of(path, '"host"'),
                  'must not hold the port')


class Secrets(Config):
    def keyed(self, key):
        return self.host.webhook("x", self.receiver.url, auth="bearer",
                                 api_key=key)

    def test_a_file_that_is_not_there(self):
        path = self.keyed('from="file" path="none.key"')
        self.says(path, self.line_of(path, "none.key"), "api-key",
                  f"{self.host.conf_d}/none.key", "no such file")

    def test_a_file_others_can_read(self):
        path = self.keyed(self.host.secret("x.key", "k3y-of-this-test",
                                           mode=0o644))
        self.says(path, self.line_of(path, "x.key"),
                  "others may read it; run: chmod o-r "
                  f"{self.host.conf_d}/x.key")

    def test_an_empty_file(self):
        path = self.keyed('from="file" path="x.key"')
        self.host.write("etc/conf.d/x.key", "\n", 0o600)
        self.says(path, self.line_of(path, "x.key"), "is empty")

    def test_inline_in_a_file_others_can_read(self):
        path = self.keyed(self.host.hide("k3y-of-this-test"))
        self.says(path, self.line_of(path, "k3y"), "API Key",
                  'write <setting name="api-key" from="file"', "chmod o-r")
        path.chmod(0o640)
        self.assertEqual(self.host.run("check").status, 0)

    def test_the_environment_and_a_credential(self):
        self.host.hide("k3y-of-this-test")
        path = self.keyed('from="env" variable="HERALD_TEST_KEY"')
        result = self.host.run("verify", "x")
        self.assertEqual(result.status, 3, result)
        self.assertIn(f'{path}:{self.line_of(path, "HERALD_TEST_KEY")}: '
                      'setting "api-key": the environment variable '
                      "HERALD_TEST_KEY is not set", result.err)
        self.others_go_on()
        result = self.host.run("check", env={
            "HERALD_TEST_KEY": "k3y-of-this-test"})
        self.assertEqual(result.status, 0, result)
        self.keyed('from="credential" credential="web"')
        self.assertIn("LoadCredential=web",
                      self.host.run("verify", "x").err)
        self.host.write("web", "k3y-of-this-test", 0o400)
        result = self.host.run("check", env={
            "CREDENTIALS_DIRECTORY": str(self.host.directory)})
        self.assertEqual(result.status, 0, result)

    def test_what_is_asked_for_arrives(self):
        # Kept out of sight, and sent all the same.
        seen = self.enter(Receiver())
        self.host.webhook("x", seen.url, auth="basic", api_key=self.host
                          .secret("x.key", "user:pass-of-this-test"))
        result = self.host.send([event(1)], "--integration", "x",
                                before=("-v", "-v"))
        self.assertEqual(result.status, 0, result)

    def test_a_signing_secret_that_is_none(self):
        path = self.host.webhook(
            "x", self.receiver.url, signing_secret=self.host.secret(
                "x.key", "whsec_dG9vIHNob3J0"))
        self.says(path, self.line_of(path, "x.key"),
                  "must be whsec_ and 24 to 64 bytes")


class HeraldXml(Case):
    def test_every_mistake_is_an_error_with_its_line(self):
        for part, text in (
                ("<network><allow cidr='10.1.2.3/8'/></network>",
                 "10.0.0.0/8"),
                ("<network><proxy url='ftp://x'/></network>",
                 "must start with http://"),
                ("<tls ca-file='none.pem'/>", "no such file"),
                ("<limits event='1T'/>", "no size between"),
                ("<timeouts connect='x'/>", "write it like 10s"),
                ("<fields><field key='email'/></fields>", "exists already"),
                ("<state directory='state'/>", "must start with /"),
                ("<defaults/>", "has no provider=")):
            with self.subTest(part):
                self.host.herald_xml(part)
                result = self.host.run("check")
                self.assertEqual(result.status, 3, result)
                self.assertIn(text, result.err)
                self.assertTrue(re.search(r"herald\.xml:4: ", result.err),
                                result)

    def test_defaults_of_a_provider(self):
        receiver = self.enter(Receiver())
        self.host.herald_xml(NETWORK + '<defaults provider="custom-api">'
                             f'<setting name="endpoint">{receiver.url}'
                             "</setting></defaults>")
        self.host.integration("x", "custom-api", {}, MAP)
        self.assertEqual(self.host.send([event(1)]).status, 0)
        self.assertEqual(receiver.n_events, 1)


if __name__ == "__main__":
    unittest.main()
