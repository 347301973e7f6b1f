#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an operator asks and tells the store, with and without a daemon:
status, queue, trace, dead, pause, resume, forget; and the metrics, as
another's OpenMetrics parser reads them."""

import fcntl
import importlib.util
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest
from pathlib import Path

from host import Case, SECONDS, event, is_required, wait_until

KEEPER = Path(os.environ["top_builddir"]) / "tests" / "e2e" / "store-keeper"
WAY = "http://127.0.0.1:1/"     # nothing is sent there
DELIVERED, RETRY, DEAD = 0, 1, 2


class Keeper:
    """A process that stands in for the daemon's, one command after the
    other."""

    def __init__(self, host):
        host.state.joinpath("store").mkdir(mode=0o700, exist_ok=True)
        self.process = subprocess.Popen(
            [KEEPER, host.state / "store", host.state / "run"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __call__(self, *words):
        self.process.stdin.write("\t".join(str(one) for one in words) + "\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "done\n":
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"store-keeper ended at {words}")

    def put(self, number, *lanes, **data):
        """An event; its body is what herald intake would keep."""
        one = event(number, **data)
        self("put", one["id"], ",".join(lanes), json.dumps(one))

    def settle(self, lane, end, due_ms=0, status=0, reason="", reference="",
               via=""):
        """How the next of the lane ended."""
        self("settle", lane, end, due_ms, status, reason, reference, via)


class Operating(Case):
    def setUp(self):
        super().setUp()
        self.host.webhook("crm", WAY)
        self.host.webhook("mails", WAY)

    def keeper(self):
        return self.enter(Keeper(self.host))

    def done(self, *arguments, status=0, **options):
        result = self.host.run(*arguments, **options)
        self.assertEqual(result.status, status, result)
        return result

    def lanes(self):
        return {one["integration"]: one
                for one in self.done("queue", "--json").json["lanes"]}

    def left(self, identifier):
        return {one["integration"]: one["state"] for one in
                self.done("trace", "--json", identifier).json["left"]}


class Help(Operating):
    def test_every_command_has_help(self):
        overview = self.done("--help").out
        for command in ("status", "queue", "trace", "dead", "pause",
                        "resume", "forget"):
            self.assertRegex(overview, rf"(?m)^  {command} ")
            text = self.done(command, "--help").out
            self.assertTrue(text.startswith(f"usage: herald {command} "))
            self.assertIn("--json", text)
            self.assertIn("exit codes: 0 ", text)
            self.assertTrue(all(len(line) <= 80
                                for line in text.splitlines()), text)


class Json(Operating):
    def test_the_manual_has_every_member(self):
        top = Path(os.environ["top_srcdir"])
        manual = (top / "core/man/herald.1").read_text()
        manual = manual[manual.index(".Sh JSON"):manual.index(
            ".Sh ENVIRONMENT")]
        told = {}
        for name, text in re.findall(
                r"(?s)\.It Cm (\S+)(.*?)(?=\n\.It Cm|\n\.El)", manual):
            told.setdefault(name, set()).update(re.findall(r"\w+", text))
        keeper = self.keeper()
        keeper.put(1, "crm", "mails")
        keeper.settle("crm", DEAD, reason="no")
        keeper("worker", 0, "crm", "custom-api", "open", "", 0, 0)
        self.host.webhook("bad", WAY, "<map/>")
        for name, arguments, status in (
                ("status", [], 0), ("queue", [], 0), ("list", [], 0),
                ("trace", ["event-1"], 0), ("dead", ["show"], 0),
                ("check", [], 1), ("pause", ["crm"], 0),
                ("forget", ["x@example.com"], 0)):
            shown = self.done(name, *arguments, "--json", status=status).json
            self.assertEqual(members(shown) - told[name], set(), name)


def members(value):
    """The names of all members, but for those that are data."""
    if isinstance(value, list):
        return set().union(*map(members, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(
        members(one) for name, one in value.items()
        if name not in ("refused", "retried", "rejected", "givenUp",
                        "event")))


class NoStore(Operating):
    """Before anything was accepted."""

    def test_it_is_said_and_none_is_made(self):
        for arguments in (["queue"], ["dead"], ["dead", "replay"],
                          ["dead", "show", "--integration", "crm"]):
            result = self.done(*arguments)
            self.assertIn("there is no store in", result.err)
            self.assertIn("herald serve", result.err)
        self.assertIn("there is no store", self.done(
            "trace", "event-1", status=1).err)
        self.assertIn("there is no store", self.done(
            "pause", "crm", status=4).err)
        self.assertEqual(self.done("queue", "--json").json["lanes"], [])
        self.assertEqual(self.done("dead", "--json").json,
                         {"total": 0, "letters": []})
        result = self.done("forget", "-", stdin=b"ada@example.com\n")
        self.assertIn("0 events", result.out)
        status = self.done("status")
        self.assertIn("no daemon runs here", status.out)
        self.assertIn("there is no store in", status.out)
        self.assertEqual(list(self.host.state.iterdir()), [])

    def test_status_as_json(self):
        status = self.done("status", "--json").json
        self.assertFalse(status["running"])
        self.assertFalse(status["store"]["exists"])
        self.assertEqual(
            [(one["integration"], one["provider"], one["state"])
             for one in status["integrations"]],
            [("crm", "custom-api", "no worker"),
             ("mails", "custom-api", "no worker")])


class Queue(Operating):
    def test_depths(self):
        keeper = self.keeper()
        keeper.put(1, "crm", "mails")
        keeper.put(2, "crm", "gone")
        keeper.put(3, "crm")
        keeper.settle("crm", RETRY, int(time.time() * 1000) + 60000)
        keeper.settle("gone", DEAD, reason="no such record")
        lanes = self.lanes()
        crm = lanes["crm"]
        self.assertRegex(crm.pop("oldest"), r"^20\d\d-.*Z$")
        self.assertEqual(crm, {
            "integration": "crm", "configured": True, "enabled": True,
            "paused": False, "waiting": 2, "retrying": 1, "dead": 0})
        self.assertEqual(lanes["gone"]["dead"], 1)
        self.assertFalse(lanes["gone"]["configured"])
        self.assertIsNone(lanes["gone"]["oldest"])
        text = self.done("queue").out
        self.assertRegex(text, r"(?m)^INTEGRATION +WAITING +RETRYING +DEAD")
        self.assertRegex(text, r"(?m)^crm +2 +1 +0 +\S.* -$")
        self.assertRegex(text, r"(?m)^gone +0 +0 +1 +- +no integration$")

    def test_a_store_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a file away")
        self.keeper().put(1, "crm")
        os.chown(self.host.state / "store", 1, 1)
        result = self.done("queue", status=4)
        self.assertRegex(result.err, r"it is for user \w+; run: sudo -u \w+")

    def test_a_mailer_where_the_state_is_another_users(self):
        """What root remembered there, the daemon could not read."""
        if os.geteuid() != 0:
            self.skipTest("only root can give a file away")
        self.host.mailer("mail", 1)
        os.chown(self.host.state, 1, 1)
        result = self.done("test", "mail", status=4)
        self.assertRegex(result.err, r"it is for user \w+; run: sudo -u \w+")
        self.assertEqual(list(self.host.state.iterdir()), [])
        result = self.done("list", "--json")
        states = {one["name"]: (one["verified"], one["state"])
                  for one in result.json}
        self.assertEqual(states, {"mail": ("unknown", "unchecked"),
                                  "crm": ("-", "ready"),
                                  "mails": ("-", "ready")})
        self.assertIn("is another user's", result.err)

    def test_directory_from_herald_xml(self):
        self.keeper().put(1, "crm")
        moved = self.host.directory / "elsewhere"
        (self.host.state / "store").rename(moved)
        self.host.herald_xml(f'<store directory="{moved}"/>')
        self.assertEqual(self.lanes()["crm"]["waiting"], 1)
        self.assertEqual(self.done("queue", "--json").json["store"],
                         str(moved))

    def test_no_configuration(self):
        self.host.herald_xml("<nonsense/>")
        self.assertIn("herald.xml", self.done("queue", status=3).err)

    def test_a_secret_is_not_needed(self):
        self.keeper().put(1, "crm")
        self.host.webhook("crm", WAY, api_key='from="file" path="absent"')
        self.assertTrue(self.lanes()["crm"]["configured"])


class Trace(Operating):
    def test_the_whole_story(self):
        keeper = self.keeper()
        due_ms = int(time.time() * 1000) + 3600000
        keeper.put(1, "crm", "mails", email="ada@example.com")
        self.assertEqual(self.left("event-1"),
                         {"crm": "waiting", "mails": "waiting"})
        keeper.settle("crm", RETRY, due_ms, 503, "upstream \x1b[31mis red")
        self.assertEqual(self.left("event-1"),
                         {"crm": "retrying", "mails": "waiting"})
        keeper.settle("mails", DELIVERED, 0, 202, "", "msg-77", "backup")
        trace = self.done("trace", "--json", "event-1").json
        self.assertEqual(trace["id"], "event-1")
        self.assertEqual(trace["events"], 1)
        crm, mails = trace["attempts"]
        self.assertRegex(crm.pop("time"), r"^20\d\d-.*Z$")
        self.assertEqual(crm, {
            "seq": mails["seq"], "integration": "crm", "attempt": 1,
            "end": "retry", "status": 503, "reference": "", "via": "",
            "reason": "upstream  [31mis red"})
        self.assertEqual((mails["end"], mails["reference"], mails["via"]),
                         ("delivered", "msg-77", "backup"))
        left, = trace["left"]
        self.assertEqual((left["integration"], left["state"],
                          left["attempts"]), ("crm", "retrying", 1))
        self.assertRegex(left["due"], r"^20\d\d-.*Z$")

        text = self.done("trace", "event-1").out
        self.assertRegex(text, r"(?m)^\d+ +crm +20\S+Z +1 +retry +503 +- +- ")
        self.assertRegex(text, r"(?m)^\d+ +mails .* delivered +202 +msg-77"
                               r" +backup +-$")
        self.assertRegex(text, r"(?m)^event \d+, crm: tried again in 59\.\d "
                               r"min, 20\S+Z \(no worker\)$")
        self.assertNotIn("\x1b", text)
        self.assertNotIn("ada", text + json.dumps(trace))

        keeper.settle("crm", DEAD, 0, 400, "wrong")
        text = self.done("trace", "event-1").out
        self.assertRegex(text, r"crm: a dead letter; \"herald dead show --seq"
                               r" \d+\" shows it")
        self.assertEqual(self.left("event-1"), {"crm": "dead"})

    def test_references(self):
        """A Message-ID is what the service is asked by; an address is a
        participant's."""
        keeper = self.keeper()
        for i, (reference, shown) in enumerate((
                ("<2026.1@mg.example>", "<2026.1@mg.example>"),
                ("ada@example.com", "*@example.com"),
                ("<a\x1b[31m@mg.example>", "<a [*@mg.example>"))):
            keeper.put(i, "crm")
            keeper.settle("crm", DELIVERED, 0, 250, "", reference)
            one, = self.done("trace", "--json",
                             f"event-{i}").json["attempts"]
            self.assertEqual(one["reference"], shown)
            self.assertIn(f" {shown} ", self.done("trace", f"event-{i}").out)

    def test_paused_and_unknown(self):
        self.keeper().put(1, "crm")
        self.done("pause", "crm")
        self.assertIn("crm: waits for its turn (paused)",
                      self.done("trace", "event-1").out)
        self.assertIn("no event of that id is known",
                      self.done("trace", "event-2", status=1).out)
        self.assertEqual(
            self.done("trace", "--json", "event-2", status=1).json,
            {"id": "event-2", "events": 0, "attempts": [], "left": []})


class Dead(Operating):
    def setUp(self):
        super().setUp()
        keeper = self.keeper()
        keeper.put(1, "crm", "mails", email="ada@example.com")
        keeper.put(2, "crm", email="bob@example.com")
        keeper.settle("crm", DEAD, reason="422: no such list")
        keeper.settle("crm", DEAD, reason="given up after 3 days")
        keeper.settle("mails", DEAD, reason="422: bob@example.com is blocked")

    def letters(self, *arguments):
        report = self.done("dead", "--json", *arguments).json
        self.assertEqual(report["total"], len(report["letters"]))
        return [(one["integration"], one["id"])
                for one in report["letters"]]

    def test_list_and_its_filters(self):
        crm = [("crm", "event-1"), ("crm", "event-2")]
        mails = [("mails", "event-1")]
        self.assertEqual(self.letters(), crm + mails)
        self.assertEqual(self.letters("list"), crm + mails)
        self.assertEqual(self.letters("--integration", "mails"), mails)
        self.assertEqual(self.letters("--reason", "422"), crm[:1] + mails)
        self.assertEqual(self.letters("--event", "event-2"), crm[1:])
        self.assertEqual(self.letters("--event", "event-1", "-i", "crm"),
                         crm[:1])
        self.assertEqual(self.letters("--event", "event-3"), [])
        self.assertEqual(self.letters("--older-than", "1h"), [])
        time.sleep(0.01)
        self.assertEqual(len(self.letters("--older-than", "1ms")), 3)
        one = self.done("dead", "--json").json["letters"][2]
        self.assertEqual(self.letters("--seq", one["seq"], "-i", "mails"),
                         mails)
        self.assertEqual(one["source"], "/games/quiz")
        self.assertEqual(one["attempts"], 1)
        self.assertEqual(one["reason"], "422: *@example.com is blocked")
        text = self.done("dead").out
        self.assertRegex(text, r"(?m)^\d+ +crm +event-1 +20\S+Z +1 +422: no")
        self.assertNotIn("ada@", text)

    def test_most(self):
        report = self.done("dead", "--json", "--most", "1").json
        self.assertEqual((report["total"], len(report["letters"])), (3, 1))
        self.assertIn("and 2 more", self.done("dead", "--most", "1").out)
        self.assertNotIn("more", self.done("dead", "--most", "0").out)

    def test_show_has_the_event(self):
        report = self.done("dead", "show", "--json", "-e", "event-2").json
        shown, = report["letters"]
        self.assertEqual(shown["event"], event(2, email="bob@example.com"))
        text = self.done("dead", "show", "-i", "mails").out
        self.assertRegex(text, r"^dead letter \d+ of mails, died 20\S+Z after"
                               r" 1 attempt: 422: \*@example")
        self.assertIn('"email": "ada@example.com"', text)

    def test_replay(self):
        self.assertIn("replayed 1 dead letter\n", self.done(
            "dead", "replay", "--reason", "given up").out)
        self.assertEqual(self.left("event-2"), {"crm": "waiting"})
        self.assertEqual(self.done("dead", "replay", "--json").json,
                         {"replayed": 2})
        self.assertEqual(self.letters(), [])
        self.assertIn("no dead letters", self.done("dead").out)
        self.assertEqual(self.lanes()["crm"]["waiting"], 2)

    def test_purge(self):
        self.assertIn("purged 2 dead letters", self.done(
            "dead", "purge", "-e", "event-1").out)
        self.assertIn("--yes", self.done("dead", "purge", status=2).err)
        self.assertEqual(len(self.letters()), 1)
        self.assertEqual(self.done("dead", "purge", "--yes", "--json").json,
                         {"purged": 1})
        self.assertEqual(self.letters(), [])

    def test_purge_asks_on_a_terminal(self):
        for answer, n, status in ((b"n\n", 3, 2), (b"y\n", 0, 0)):
            terminal = Terminal(self.host.command("dead", "purge"))
            terminal.wait_for("remove all 3 dead letters for good?")
            terminal.type(answer)
            self.assertEqual(terminal.end(), status)
            self.assertEqual(len(self.letters()), n)

    def test_bad_usage(self):
        for arguments in (["bury"], ["list", "show"], ["--seq", "x"],
                          ["--older-than", "soon"], ["--most", "-1"],
                          ["--reason", ""], ["purge", "--reason="],
                          ["replay", "-i", "crm", "--most", "1"],
                          ["purge", "-i", "crm", "--most", "1"]):
            self.done("dead", *arguments, status=2)
        self.assertEqual(len(self.letters()), 3)
        self.assertIn("did you mean mails?", self.done(
            "dead", "-i", "mail", status=3).err)


class Pause(Operating):
    def test_pause_and_resume(self):
        self.keeper().put(1, "crm", "gone")
        self.assertEqual(self.done("pause", "crm", "gone").out,
                         "crm is paused\ngone is paused\n")
        self.assertTrue(self.lanes()["crm"]["paused"])
        self.assertRegex(self.done("queue").out, r"(?m)^crm .* paused$")
        # What is nobody's lane yet begins paused.
        self.assertEqual(self.done("pause", "--json", "mails").json,
                         {"paused": ["mails"]})
        self.assertTrue(self.lanes()["mails"]["paused"])
        self.assertEqual(self.done("resume", "--json", "crm", "gone").json,
                         {"resumed": ["crm", "gone"]})
        self.assertFalse(self.lanes()["gone"]["paused"])

    def test_all_or_nothing(self):
        self.keeper().put(1, "crm")
        result = self.done("pause", "crm", "mail", status=3)
        self.assertIn("did you mean mails?", result.err)
        self.assertFalse(self.lanes()["crm"]["paused"])
        self.assertNotIn("mail", self.lanes())
        self.done("pause", status=2)

    def test_another_writes(self):
        self.keeper().put(1, "crm")
        with open(self.host.state / "store" / "locks", "r+b") as locks:
            fcntl.lockf(locks, fcntl.LOCK_EX, 2, 0)
            result = self.done("pause", "crm", status=4)
        self.assertEqual(result.err.count(str(self.host.state / "store")), 1,
                         result)


class Forget(Operating):
    def setUp(self):
        super().setUp()
        self.host.herald_xml('<fields><field key="contact" '
                             'label="Second E-Mail"/><field key="friend" '
                             'label="Friend"/></fields>')
        self.store = self.keeper()
        self.store.put(1, "crm", email="Ada@Example.com ")
        self.store.put(2, "crm", email="bob@example.com",
                       contact="ada@example.com")
        self.store.put(3, "crm", email="bob@example.com",
                       friend="ada@example.com")
        self.store.put(4, "crm", firstName="ada@example.com")
        self.store.put(5, "mails", email="ada@example.com")
        self.store.settle("mails", DEAD, reason="Ada is on no list")
        # Its e-mail as \u escapes.
        escaped = json.dumps(event(6, email="x")).replace(
            '"x"', '"\\u0061da\\u0040example.com"')
        self.store("put", "event-6", "crm", escaped)

    def files(self):
        return b"".join(one.read_bytes() for one in
                        sorted((self.host.state / "store").iterdir()))

    def forget(self, *arguments, address=b"ada@EXAMPLE.com\n"):
        return self.done("forget", *arguments, "-", stdin=address)

    def test_every_trace_goes(self):
        self.assertEqual(self.forget("--json", "--dry-run").json,
                         {"events": 4, "erased": False})
        self.assertIn(b"Ada is on no list", self.files())
        self.assertEqual(self.lanes()["crm"]["waiting"], 5)
        self.assertEqual(self.forget().out, "4 events erased\n")
        self.assertEqual(self.lanes()["crm"]["waiting"], 2)
        self.assertEqual(self.done("dead", "--json").json["total"], 0)
        self.assertNotIn(b"Ada is on no list", self.files())
        self.assertNotIn(b"Ada@Example.com", self.files())
        # That it came stays known, so that it does not come again.
        trace = self.done("trace", "--json", "event-5").json
        self.assertEqual((trace["events"], trace["left"]), (1, []))
        self.assertEqual([one["reason"] for one in trace["attempts"]], [""])
        self.assertEqual(self.forget("--json").json,
                         {"events": 0, "erased": True})

    def test_other_fields(self):
        self.assertEqual(
            self.forget("--json", "-n", "--field", "friend,firstName")
            .json["events"], 6)

    def test_a_domain_in_either_form(self):
        self.store.put(7, "crm", email="Eva@B\u00fccher.example")
        self.store.put(8, "crm", email="eva@XN--bcher-kva.example")
        for address in ("eva@b\u00fccher.example", "EVA@B\u00dcCHER.EXAMPLE",
                        "eva@xn--bcher-kva.example"):
            self.assertEqual(self.forget("--json", "-n", address=address
                                         .encode()).json["events"], 2)

    def test_two_addresses(self):
        result = self.done("forget", "-", status=2,
                           stdin=b"ada@example.com\nbob@example.com\n")
        self.assertIn("one address at a time", result.err)
        self.assertEqual(self.lanes()["crm"]["waiting"], 5)
        self.assertEqual(self.forget(address=b"\tada@example.com \r\n\n").out,
                         "4 events erased\n")

    def test_while_the_daemon_has_it_in_its_hands(self):
        self.store("take", "crm")
        self.assertEqual(self.forget().out, "4 events erased\n")
        self.store("deliver", "crm")
        self.assertEqual(self.left("event-1"), {})
        self.assertEqual(self.lanes()["crm"]["waiting"], 2)

    def test_the_address_is_not_seen(self):
        text = self.done("forget", "--help").out
        self.assertIn("standard input", text)
        self.assertIn("can be seen by", " ".join(text.split()))
        result = self.done("forget", "ada@example.com", before=["-v", "-v"])
        self.assertEqual(result.out, "4 events erased\n")
        self.assertNotIn("ada", result.err)
        self.assertIn("no e-mail address",
                      self.done("forget", "ada", status=2).err)
        self.done("forget", "-", status=2)

    def test_it_is_overwritten_in_argv(self):
        """While it waits for its turn to write, it can be looked at."""
        with open(self.host.state / "store" / "locks", "r+b") as locks:
            fcntl.lockf(locks, fcntl.LOCK_EX, 2, 0)
            process = subprocess.Popen(
                self.host.command("forget", "ada@example.com"),
                stdout=subprocess.PIPE, text=True)
            line = Path(f"/proc/{process.pid}/cmdline")
            wait_until(lambda: b"forget\0xxx" in line.read_bytes(), "x")
            self.assertNotIn(b"ada", line.read_bytes())
        self.assertEqual(process.communicate(timeout=SECONDS)[0],
                         "4 events erased\n")


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, command, rows=40, columns=200):
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(command[0], command)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.fd, keys)

    def read(self, seconds):
        """What comes within so long; None at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return ""
        try:
            text = os.read(self.fd, 65536).decode("utf-8", "replace")
        except OSError:
            return None
        self.text += text
        return text

    def wait_for(self, text):
        start = len(self.text)
        wait_until(lambda: self.read(0.05) is None
                   or text in self.text[start:], f'"{text}"')
        if text not in self.text[start:]:
            raise AssertionError(f"ended without {text}: {self.text}")

    def end(self):
        while self.read(SECONDS) is not None:
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Status(Operating):
    def setUp(self):
        super().setUp()
        self.store = self.keeper()
        self.store.put(1, "crm", "gone")
        self.store.put(2, "crm")
        self.store("intake", 12)
        self.store("worker", 0, "crm", "custom-api", "parked",
                   "the key was refused", 5, 3, "401: who are you")

    def rows(self):
        return {one["integration"]: one for one in
                self.done("status", "--json").json["integrations"]}

    def test_json(self):
        status = self.done("status", "--json").json
        self.assertTrue(status["running"])
        self.assertEqual(
            [(one["name"], one["up"], one["pid"], one["starts"])
             for one in status["processes"]],
            [("intake", True, self.store.process.pid, 1),
             ("worker-0", True, self.store.process.pid, 1)])
        self.assertEqual(status["intake"]["accepted"], 12)
        self.assertGreater(status["store"]["bytes"], 1000)
        rows = self.rows()
        crm = rows["crm"]
        self.assertEqual(
            (crm["state"], crm["stateReason"], crm["provider"],
             crm["waiting"], crm["inFlight"], crm["delivered"],
             crm["lastFailure"], crm["retried"]),
            ("parked", "the key was refused", "custom-api", 2, 3, 5,
             "401: who are you", {"server": 1}))
        self.assertEqual(crm["attemptTime"]["count"], 5)
        self.assertTrue(1000 <= crm["attemptTime"]["p50Us"] <= 5000)
        self.assertEqual(rows["gone"]["state"], "no integration")
        self.assertEqual(rows["mails"]["state"], "no worker")

    def test_states(self):
        self.done("pause", "crm")
        self.assertEqual(self.rows()["crm"]["state"], "paused")
        self.done("resume", "crm")
        self.store("worker", 0, "mails", "custom-api", "broken", "", 0, 0)
        self.assertEqual(self.rows()["mails"]["state"], "broken")
        # A worker that nobody has heard of for long is down.
        self.store("beat", 60000)
        status = self.done("status", "--json").json
        self.assertFalse(status["running"])
        self.assertEqual(self.rows()["crm"]["state"], "no worker")
        self.assertEqual(self.rows()["crm"]["delivered"], 5)
        self.assertIn("worker-0 DOWN, last heard of 1 min ago",
                      self.done("status").out)

    def test_what_the_worker_has_not_read_yet(self):
        """It goes on with what it has: that is what is shown."""
        self.store("worker", 0, "mails", "custom-api", "broken", "", 0, 0)
        self.done("disable", "mails")
        self.host.conf_d.joinpath("crm.xml").unlink()
        rows = self.rows()
        self.assertEqual((rows["mails"]["state"], rows["crm"]["state"]),
                         ("broken", "parked"))
        self.assertRegex(self.done("list").out,
                         r"(?m)^mails .* disabled +broken$")
        self.assertRegex(self.done("queue").out, r"(?m)^crm .* parked$")
        self.assertIn("crm: waits for its turn (parked)\n",
                      self.done("trace", "event-2").out)
        self.store("end")
        self.assertEqual(self.rows()["crm"]["state"], "no integration")
        self.assertRegex(self.done("list").out,
                         r"(?m)^mails .* disabled +-$")
        self.assertRegex(self.done("queue").out,
                         r"(?m)^crm .* no integration$")

    def test_a_broken_file_that_goes_on_as_it_was(self):
        path = self.host.conf_d / "crm.xml"
        (self.host.state / "good").mkdir(mode=0o700)
        self.host.write("state/good/crm.xml", path.read_bytes(), 0o600)
        path.write_text("<integration")
        self.assertEqual(self.rows()["crm"]["state"], "parked")
        self.store("end")
        self.assertEqual(self.rows()["crm"]["state"], "no worker")
        self.assertTrue(self.lanes()["crm"]["configured"])
        self.done("pause", "crm")

    def test_why_and_for_how_long(self):
        self.store("worker", 0, "mails", "custom-api", "broken",
                   "503: busy", 0, 0, "503: busy", 90000)
        self.assertRegex(self.done("status").out, r"(?m)^mails .* broken .*  "
                         r"nothing goes for 1\.[45] min: 503: busy$")
        # Open, but the service has asked to be left alone.
        self.store("worker", 0, "mails", "custom-api", "open", "", 0, 0,
                   "429: slowly", 90000)
        self.assertRegex(self.done("status").out, r"(?m)^mails .* open .*  "
                         r"nothing goes for 1\.[45] min: 429: slowly$")
        self.store("worker", 0, "mails", "custom-api", "open", "", 0, 0)
        self.assertRegex(self.done("status").out, r"(?m)^mails .* open .*  "
                         r"[\d.]+ m?s ago: 429: slowly$")

    def test_a_worker_that_was_killed(self):
        self.store.process.kill()
        self.store.process.wait()
        status = self.done("status", "--json").json
        self.assertEqual(status["intake"]["accepted"], 12)
        self.assertEqual(self.rows()["crm"]["delivered"], 5)

    def test_text_where_there_is_no_terminal(self):
        text = self.done("status").out
        self.assertNotIn("\x1b", text)
        self.assertRegex(text, r"(?m)^worker-0 up \(\d+\) for ")
        self.assertRegex(text, r"(?m)^accepted 12  seen before 0")
        self.assertRegex(text, r"(?m)^store \S+/state/store: [\d.]+ [KM]iB, "
                               r"commits p50 ")
        self.assertRegex(
            text, r"(?m)^crm +custom-api +parked +2 +0 +3 +0 +\S.*? +5 +- +"
                  r"[\d.]+ ms +[\d.]+ ms +the key was refused$")

    def test_list_tells_of_the_lanes(self):
        rows = {one["name"]: one for one in
                self.done("list", "--json").json}
        self.assertEqual((rows["crm"]["lane"], rows["crm"]["laneReason"]),
                         ("parked", "the key was refused"))
        self.assertEqual(rows["mails"]["lane"], "no worker")
        self.assertEqual(rows["crm"]["deadLetters"], 0)
        self.store.settle("crm", DEAD, reason="no")
        self.assertRegex(self.done("list").out,
                         r"(?m)^crm +custom-api .* ready +parked: the key was"
                         r" refused; 1 dead letter$")

    def test_live(self):
        terminal = Terminal(self.host.command("status", "--interval", "100ms"))
        terminal.wait_for("\x1b[?1049h")
        terminal.wait_for("the key was refused")
        for _ in range(5):
            self.store("worker", 0, "crm", "custom-api", "open", "", 100, 3)
        terminal.wait_for("/s")
        self.store("intake", 1000)
        terminal.wait_for("accepted 1012")
        # Cut to what fits, at the right and below.
        terminal.resize(4, 30)
        os.kill(terminal.pid, signal.SIGWINCH)
        terminal.wait_for("\x1b[4;1H")
        terminal.text = ""
        terminal.wait_for("\x1b[4;1H")
        self.assertNotIn("\x1b[5;1H", terminal.text)
        self.assertNotIn("INTEGRATION", terminal.text)
        self.assertRegex(terminal.text, r"\x1b\[4;1H\.\.\. \d+ lines more")
        for line in terminal.text.split("\x1b[K")[:-1]:
            shown = line.rpartition("H")[2] if "\x1b" in line else line
            self.assertLessEqual(len(shown), 30, line)
        terminal.type(b"q")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.text.endswith(
            "\x1b[?7h\x1b[?25h\x1b[?1049l"))

    def test_live_before_there_is_a_store(self):
        self.store.__exit__()
        shutil.rmtree(self.host.state / "store")
        shutil.rmtree(self.host.state / "run")
        terminal = Terminal(self.host.command("status", "--interval", "100ms"))
        terminal.wait_for("there is no store in")
        store = self.keeper()
        store.put(1, "crm")
        store("intake", 7)
        terminal.wait_for("accepted 7")
        terminal.wait_for("store: ")
        terminal.type(b"q")
        self.assertEqual(terminal.end(), 0)

    def test_live_ends_by_ctrl_c(self):
        terminal = Terminal(self.host.command("status"))
        terminal.wait_for("INTEGRATION")
        terminal.type(b"\x03")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("\x1b[?1049l", terminal.text)

    def test_once_on_a_terminal(self):
        terminal = Terminal(self.host.command("status", "--once"))
        self.assertEqual(terminal.end(), 0)
        self.assertNotIn("\x1b[", terminal.text)
        self.assertIn("the key was refused", terminal.text)


class Metrics(Operating):
    """As the reference parser reads them: it is stricter than a scraper."""

    def families(self, text):
        if importlib.util.find_spec("prometheus_client") is None:
            if is_required():
                self.fail("python3-prometheus-client is missing")
            self.skipTest("python3-prometheus-client is missing")
        from prometheus_client.openmetrics import parser
        return {one.name: one
                for one in parser.text_string_to_metric_families(text)}

    def test_openmetrics(self):
        store = self.keeper()
        store.put(1, "crm", "mails")
        store("intake", 12)
        store("worker", 0, "crm", "custom-api", "parked", "", 5, 3)
        store("worker", 1, 'odd"\\name', "x", "open", "", 1, 0)
        families = self.families(store("expose"))
        kinds = {"herald_build": "info", "herald_events_accepted": "counter",
                 "herald_lane_state": "stateset", "herald_lane_waiting":
                 "gauge", "herald_attempt_seconds": "histogram",
                 "herald_store_commit_seconds": "histogram"}
        for name, kind in kinds.items():
            self.assertEqual(families[name].type, kind)
            self.assertNotEqual(families[name].documentation, "")
        self.assertEqual(families["herald_store_bytes"].unit, "bytes")

        def value(family, sample, **labels):
            found = [one.value for one in families[family].samples
                     if one.name == sample and labels.items()
                     <= one.labels.items()]
            self.assertEqual(len(found), 1, (family, labels))
            return found[0]

        self.assertEqual(value("herald_events_accepted",
                               "herald_events_accepted_total"), 12)
        self.assertEqual(value("herald_lane_state", "herald_lane_state",
                               integration="crm",
                               herald_lane_state="parked"), 1)
        self.assertEqual(value("herald_lane_waiting", "herald_lane_waiting",
                               integration="mails"), 1)
        self.assertEqual(value("herald_deliveries_delivered",
                               "herald_deliveries_delivered_total",
                               integration='odd"\\name'), 1)
        self.assertEqual(value("herald_attempt_seconds",
                               "herald_attempt_seconds_bucket",
                               integration="crm", le="+Inf"), 5)
        self.assertEqual(value("herald_deliveries_retried",
                               "herald_deliveries_retried_total",
                               integration="crm", **{"class": "server"}), 1)

    def test_the_manual_knows_them_all(self):
        store = self.keeper()
        store.put(1, "crm")
        store("worker", 0, "crm", "custom-api", "open", "", 0, 0)
        manual = Path(os.environ["top_srcdir"]) / "core" / "man" / "herald.1"
        kinds = {"info": "information", "stateset": "state set"}
        self.assertEqual(
            sorted(re.findall(r"(?m)^\.It Va (herald_\S+) Pq (.*)$",
                              manual.read_text(encoding="utf-8"))),
            sorted((name, kinds.get(kind, kind)) for name, kind in re.findall(
                r"(?m)^# TYPE (\S+) (\S+)$", store("expose"))))

    def test_the_parser_is_strict(self):
        """Or the test above would say nothing."""
        for text in ("a 1\n", "# TYPE a counter\na 1\n# EOF\n",
                     "# TYPE a_x gauge\n# UNIT a_x seconds\na_x 1\n# EOF\n"):
            with self.assertRaises(ValueError):
                self.families(text)


if __name__ == "__main__":
    unittest.main()
