#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""herald intake: what is accepted and kept, what is refused and how, and
that nobody can keep others out."""

import gzip
import json
import os
import signal
import socket
import time
import unittest

from host import event, wait_until
from intake import (BATCH, BOTH, EVERY, IntakeCase, NDJSON, SHOP, STRUCTURED,
                    TOKENS, Wire, array, head, lines, one, post)


class Modes(IntakeCase):
    def test_structured(self):
        reply = self.ask(post(one(event(1))))
        self.assertEqual(reply.status, 202, reply)
        self.assertEqual(reply.headers["content-type"], "application/json")
        self.assertEqual(reply.json, {
            "accepted": 1, "duplicate": 0, "rejected": 0, "events":
            [{"index": 0, "id": "event-1", "status": "accepted"}]})
        self.assertEqual(self.stored(), [event(1)])
        again = self.ask(post(one(event(1))))
        self.assertEqual((again.status, again.statuses()),
                         (202, ["duplicate"]))
        self.assertEqual(len(self.stored()), 1)

    def test_batch(self):
        bad = {**event(3), "source": ""}
        reply = self.ask(post(array([event(1), event(2), bad, event(1)]),
                              BATCH))
        self.assertEqual(reply.status, 400, reply)
        self.assertEqual(reply.headers["content-type"],
                         "application/problem+json")
        self.assertEqual(reply.statuses(), ["accepted", "accepted",
                                            "rejected", "duplicate"])
        self.assertEqual(reply.json["events"][2],
                         {"index": 2, "status": "rejected",
                          "reason": "source is empty"})
        self.assertEqual(self.ids(), ["event-1", "event-2"])
        empty = self.ask(post(b" [ ] ", BATCH))
        self.assertEqual((empty.status, empty.json["events"]), (202, []))
        self.assertEqual(self.ask(post(one(event(4)), BATCH)).status, 400)
        self.assertEqual(self.ask(post(b"[" + one(event(5)), BATCH)).status,
                         400)

    def test_lines_and_json(self):
        reply = self.ask(post(lines([event(1), b"no", event(2)]), NDJSON))
        self.assertEqual(reply.status, 400, reply)
        self.assertEqual(reply.statuses(),
                         ["accepted", "rejected", "accepted"])
        kind = "application/json; charset=UTF-8"
        self.assertEqual(self.ask(post(b"\n " + one(event(3)), kind)).status,
                         202)
        self.assertEqual(self.ask(post(array([event(4), event(5)]), kind))
                         .statuses(), ["accepted"] * 2)
        self.assertEqual(self.ask(post(b"  ", kind)).status, 400)
        self.assertEqual(self.ask(post(b"", STRUCTURED)).status, 400)

    def test_binary(self):
        fields = {"ce_specversion": "1.0", "ce_id": "b%201", "ce_type": "t",
                  "ce_source": '"/quoted \\"x\\" %E2%82%AC"',
                  "CE_Workspace": "acme", "ce_extra": "7"}
        reply = self.ask(post(b'{"a":1}', "application/json", **fields))
        self.assertEqual(reply.status, 202, reply)
        [kept] = self.stored()
        self.assertEqual(kept, {
            "specversion": "1.0", "id": "b 1", "type": "t",
            "source": '/quoted "x" \u20ac', "workspace": "acme",
            "extra": "7", "datacontenttype": "application/json",
            "data": {"a": 1}})
        # The data can't bring attributes of its own.
        sly = b'{},"workspace":"beta"'
        fields["ce_id"] = "2"
        for body in (sly, b"[1]", b"{", b'{"a":1}}'):
            reply = self.ask(post(body, "application/json", **fields))
            self.assertEqual((reply.status, reply.statuses()),
                             (400, ["rejected"]), body)
        self.assertEqual(self.ask(post(b"", None, **fields)).status, 202)
        self.assertEqual(self.ask(post(b"<a/>", "text/xml", **fields)).status,
                         415)
        for value in ("%ff", "\xe9", "%E2%82", ""):
            fields["ce_id"] = value
            self.assertEqual(self.ask(post(b"{}", "text/json", **fields))
                             .status, 400, value)
        fields["ce_id"] = "100%, %zz"
        self.assertEqual(self.ask(post(b"{}", "text/json", **fields)).status,
                         202)
        self.assertEqual(self.ids()[-1], "100%, %zz")

    def test_gzip(self):
        body = array(event(i) for i in range(50))
        packed = gzip.compress(body)
        reply = self.ask(post(packed, BATCH, content_encoding="gzip"))
        self.assertEqual((reply.status, reply.json["accepted"]), (202, 50))
        two = gzip.compress(body[:700]) + gzip.compress(body[700:])
        reply = self.ask(post(two, BATCH, content_encoding="x-gzip"))
        self.assertEqual((reply.status, reply.json["duplicate"]), (202, 50))
        for broken in (packed[:-9], b"plain", packed + b"rest"):
            reply = self.ask(post(broken, BATCH, content_encoding="gzip"))
            self.assertEqual(reply.status, 400, broken[:10])
            self.assertIn("gzip", reply.json["detail"])
        reply = self.ask(post(packed, BATCH, content_encoding="br"))
        self.assertEqual((reply.status, reply.headers["accept-encoding"]),
                         (415, "gzip"))

    def test_media(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", None,
                     "application/json; charset=latin-1",
                     "application/cloudevents+xml"):
            reply = self.ask(post(one(event(1)), kind))
            self.assertEqual(reply.status, 415, kind)
            self.assertIn(BATCH, reply.headers["accept"])
            self.assertIn(NDJSON, reply.json["detail"])
        self.assertEqual(self.ask(post(
            one(event(1)), 'APPLICATION/CloudEvents+JSON; charset="utf-8"'))
            .status, 202)


class Entry(IntakeCase):
    def test_tokens(self):
        for token in (None, "x", SHOP + "0", SHOP[:-1], TOKENS):
            fields = {} if token is None else {
                "Authorization": f"Bearer {token.splitlines()[0]}"}
            reply = self.ask(post(one(event(1)), token=None, **fields))
            self.assertEqual(reply.status, 401, token)
            self.assertTrue(reply.headers["www-authenticate"]
                            .startswith("Bearer realm="), reply)
        basic = self.ask(post(one(event(1)), token=None,
                              Authorization=f"Basic {SHOP}"))
        self.assertEqual(basic.status, 401)
        self.assertEqual(self.ids(), [])
        lower = self.ask(post(one(event(1)), token=None,
                              authorization=f"bearer {SHOP}"))
        self.assertEqual(lower.status, 202)

    def test_workspaces(self):
        reply = self.ask(post(one(event(1, "beta"))))
        self.assertEqual((reply.status, reply.statuses()),
                         (403, ["rejected"]), reply)
        self.assertIn("beta", reply.json["events"][0]["reason"])
        mixed = self.ask(post(array([event(1), event(2, "beta")]), BATCH))
        self.assertEqual((mixed.status, mixed.statuses()),
                         (400, ["accepted", "rejected"]))
        self.assertEqual(self.ask(post(one(event(2, "beta")), token=BOTH))
                         .status, 202)
        unknown = self.ask(post(one(event(3, "nowhere")), token=EVERY))
        self.assertEqual(unknown.status, 400)
        self.assertIn("does not declare", unknown.json["events"][0]["reason"])
        # A token for one workspace stands for it.
        self.assertEqual(self.ask(post(one(event(4, None)))).status, 202)
        self.assertEqual(self.ask(post(one(event(5, None)), token=BOTH))
                         .status, 400)
        self.assertEqual([(kept["id"], kept["workspace"])
                          for kept in self.stored()],
                         [("event-1", "acme"), ("event-2", "beta"),
                          ("event-4", "acme")])

    def test_local(self):
        """The Unix socket goes by who connects."""
        reply = self.ask(post(one(event(1, "beta")), token=None), self.socket)
        self.assertEqual(reply.status, 202, reply)
        self.assertEqual(self.ask(post(one(event(2))), self.socket).status,
                         202)
        # A token that is shown counts, not the user.
        self.assertEqual(self.ask(post(one(event(3, "beta"))), self.socket)
                         .status, 403)
        self.assertEqual(
            self.ask(post(one(event(4)), token="x" * 20), self.socket).status,
            401)
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o666)
        self.end()
        self.assertFalse(os.path.exists(self.socket))

    def as_user(self, uid, gid, request):
        """The status that another user's request gets."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 0
            try:
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
                status = self.ask(request, self.socket).status
            finally:
                os.write(writer, str(status).encode())
                os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        with os.fdopen(reader) as file:
            return int(file.read())

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes others")
    def test_other_users(self):
        os.chmod(self.host.directory, 0o755)
        self.listen = ('<allow user="12345" workspace="acme"/>'
                       '<allow group="23456" workspace="beta"/>')
        self.configure()
        self.running.process.send_signal(signal.SIGHUP)
        self.running.wait_for("was read again")
        acme = post(one(event(1)), token=None)
        beta = post(one(event(2, "beta")), token=None)
        self.assertEqual(self.as_user(12345, 65534, acme), 202)
        self.assertEqual(self.as_user(12345, 65534, beta), 403)
        self.assertEqual(self.as_user(12346, 23456, beta), 202)
        self.assertEqual(self.as_user(12346, 23456, acme), 403)
        self.assertEqual(self.as_user(12345, 23456, beta), 202)
        self.assertEqual(self.as_user(12346, 65534, acme), 401)
        self.assertEqual(self.as_user(12346, 65534, post(one(event(3)))), 202)

    @unittest.skipUnless(os.geteuid() == 0, "only root becomes others")
    def test_rights_of_a_socket(self):
        """They are of the <listen> with its path, wherever that stands, and
        never more than they say."""
        os.chmod(self.host.directory, 0o755)
        self.listen = '<allow user="12345" workspace="acme"/>' * 64
        other = (f'<listen socket="{self.host.directory}/x" mode="0666">'
                 '<allow user="12345" workspace="beta"/></listen>')
        acme = post(one(event(1)), token=None)
        beta = post(one(event(2, "beta")), token=None)
        for before in ("", other):
            self.configure(before)
            self.running.process.send_signal(signal.SIGHUP)
            wait_until(lambda: (self.host.directory / "err").read_text()
                       .count("was read again") == 1 + (before != ""),
                       "the reload")
            self.assertEqual(self.as_user(12345, 65534, acme), 202, before)
            self.assertEqual(self.as_user(12345, 65534, beta), 403, before)

    def test_reload(self):
        fresh = self.host.hide("fresh-token-0123456789abcdef")
        self.tokens(f"fresh {fresh} acme\n")
        self.running.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.ask(post(one(event(1)), token=fresh)).status
                   == 202, "the new token")
        self.assertEqual(self.ask(post(one(event(2)))).status, 401)
        # Files that can't be used leave it as it was, and it says so.
        for text, mode in ((f"one {fresh}\n", 0o600), (f"a {fresh} x\n",
                                                       0o644)):
            self.tokens(text, mode)
            self.running.process.send_signal(signal.SIGHUP)
            self.running.wait_for("the tokens stay as they were")
            self.assertEqual(
                self.ask(post(one(event(3)), token=fresh)).status, 202)
        self.host.write("etc/herald.xml", "<herald>")
        self.running.process.send_signal(signal.SIGHUP)
        self.running.wait_for("the configuration stays as it was")
        self.assertEqual(self.ask(post(one(event(3)), token=fresh)).status,
                         202)

    def test_bad_tokens_file(self):
        self.end()
        for text, why in ((f"shop {SHOP}\n", "NAME TOKEN WORKSPACES"),
                          ("shop short acme\n", "shorter than 16"),
                          (f"a {SHOP} x\nb {SHOP} x\n", "line 2: the token"),
                          (f"a {SHOP} x\na {BOTH} x\n", "line 2: the name"),
                          (f"a {SHOP} x,,y\n", "beside a comma")):
            self.tokens(text)
            result = self.host.run("intake")
            self.assertEqual(result.status, 4, result)
            self.assertIn(why, result.err)
        self.tokens(TOKENS, 0o644)
        result = self.host.run("intake")
        self.assertIn("chmod", result.err)


class Http(IntakeCase):
    limits = '<limits body="64k" events="20" timeout="1s" connections="40"/>'

    def test_paths_and_methods(self):
        self.assertEqual(self.get("/healthz").status, 200)
        self.assertEqual(self.get("/healthz?x=1", method="HEAD").body, b"")
        self.assertEqual(self.get("/v1/event").status, 404)
        wrong = self.get("/v1/events")
        self.assertEqual((wrong.status, wrong.headers["allow"]),
                         (405, "POST, OPTIONS"))
        self.assertEqual(self.get("/healthz", method="DELETE").status, 405)
        options = self.get("/v1/events", method="OPTIONS")
        self.assertEqual((options.status, options.headers["allow"]),
                         (204, "POST, OPTIONS"))
        self.assertEqual(self.get("*", method="OPTIONS").status, 204)
        self.assertEqual(self.get("HTTP://x:1/healthz?y").status, 200)
        self.assertEqual(self.get("http://x").status, 404)

    def test_blanks_behind_values(self):
        """They are no part of them."""
        body = one(event(1))
        reply = self.ask(post(gzip.compress(body), STRUCTURED + " ", token=None,
                              authorization=f"Bearer {SHOP} \t",
                              content_encoding="gzip "))
        self.assertEqual(reply.status, 202, reply)
        reply = self.ask(post(
            b"{}", "application/json", ce_specversion="1.0 ", ce_id="a\t ",
            ce_source='"/s" ', ce_type="t", ce_workspace="acme"))
        self.assertEqual((reply.status, reply.json["events"][0]["id"]),
                         (202, "a"), reply)
        self.assertEqual(self.stored()[1]["source"], "/s")

    def test_keep_alive(self):
        wire = self.wire()
        for number in range(3):
            wire.send(post(one(event(number))))
            self.assertEqual(wire.reply().status, 202)
        # Refused, and its body read: the connection goes on.
        wire.send(post(one(event(9)), token="x" * 20))
        self.assertEqual(wire.reply().status, 401)
        wire.send(b"".join(post(one(event(number)))
                           for number in range(10, 15)))
        for number in range(10, 15):
            reply = wire.reply()
            self.assertEqual(reply.json["events"][0]["id"],
                             f"event-{number}")
        wire.send(head("GET", "/healthz", [("Connection", "close")]))
        self.assertEqual(wire.reply().status, 200)
        self.assertTrue(wire.is_over())

    def test_chunked_and_continue(self):
        wire = self.wire()
        body = array(event(i) for i in range(5))
        fields = [("Authorization", f"Bearer {SHOP}"),
                  ("Content-Type", BATCH), ("Transfer-Encoding", "chunked"),
                  ("Expect", "100-continue")]
        wire.send(head("POST", "/v1/events", fields))
        wait_until(lambda: wire._more() and b"100 Continue" in wire.pending,
                   "100 Continue")
        for at in range(0, len(body), 7):
            piece = body[at:at + 7]
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        wire.send(b"0\r\n\r\n")
        self.assertEqual(wire.reply().json["accepted"], 5)
        # Refused at once: no body is asked for.
        refused = [("Content-Length", "60000"), ("Expect", "100-continue"),
                   ("Content-Type", BATCH)]
        wire.send(head("POST", "/v1/events", refused))
        self.assertEqual(wire.reply().status, 401)
        self.assertEqual(self.ask(post(b"{}", Expect="magic")).status, 417)

    def test_sizes(self):
        big = one({**event(1), "data": {"x": "y" * 70000}})
        self.assertEqual(self.ask(post(big)).status, 413)
        many = self.ask(post(array(event(i) for i in range(21)), BATCH))
        self.assertEqual(many.status, 413)
        self.assertIn("more than 20 events", many.json["detail"])
        self.assertEqual(self.ids(), [])
        bomb = gzip.compress(b"[" + b" " * (8 << 20) + b"]")
        self.assertLess(len(bomb), 10000)
        reply = self.ask(post(bomb, BATCH, content_encoding="gzip"))
        self.assertEqual(reply.status, 413, reply)
        # Nor is there gzip without end, of nothing.
        nothing = gzip.compress(b"") * 3500
        wire = self.wire()
        wire.send(head("POST", "/v1/events", [
            ("Authorization", f"Bearer {SHOP}"), ("Content-Type", NDJSON),
            ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])
            + b"%x\r\n%b\r\n0\r\n\r\n" % (len(nothing), nothing))
        self.assertEqual(wire.reply().status, 413)
        # Without a length it is found out on the way, and the answer
        # arrives although the client goes on sending.
        wire = self.wire()
        wire.send(head("POST", "/v1/events", [
            ("Authorization", f"Bearer {SHOP}"), ("Content-Type", NDJSON),
            ("Transfer-Encoding", "chunked")]))
        try:
            for _ in range(200):
                wire.send(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertEqual(wire.reply().status, 413)
        self.assertTrue(wire.is_over())
        fields = [("X-Filler", "y" * 3000)] * 20
        self.assertEqual(self.get("/healthz", *fields).status, 431)

    def test_ambiguous_framing(self):
        token = ("Authorization", f"Bearer {SHOP}")
        kind = ("Content-Type", STRUCTURED)
        body = one(event(1))
        size = str(len(body))
        for fields, status in (
                ([("Content-Length", size), ("Content-Length", "3")], 400),
                ([("Content-Length", size), ("Content-Length", size)], 400),
                ([("Content-Length", size),
                  ("Transfer-Encoding", "chunked")], 400),
                ([("Transfer-Encoding", "gzip, chunked")], 501),
                ([("Transfer-Encoding", "chunked"),
                  ("Transfer-Encoding", "identity")], 400),
                ([("Transfer-Encoding ", "chunked"),
                  ("Content-Length", size)], 400),
                ([("Host", "other"), ("Content-Length", size)], 400),
                ([("Content-Type", NDJSON), ("Content-Length", size)], 400),
                ([("Content-Encoding", "br"), ("Content-Encoding",
                  "identity"), ("Content-Length", size)], 400),
                # A field that goes on in the next line.
                ([("Content-Length", size),
                  ("Transfer-Encoding", "\r\n chunked")], 400),
                ([("Content-Length", size[:-1] + "\r\n\t" + size[-1])], 400),
                ([("X", "1\r\n 2\r\n 3"), ("Content-Length", size)], 400),
                ([("Content-Length", size), token], 400)):
            with Wire(self.port) as wire:
                wire.send(head("POST", "/v1/events", [token, kind, *fields])
                          + body)
                self.assertEqual(wire.reply().status, status, fields)
                self.assertTrue(wire.is_over(), fields)
        # libmicrohttpd refuses these itself, in its own words.
        for length in ("+" + size, size + ", " + size, "-1", ""):
            with Wire(self.port) as wire:
                wire.send(head("POST", "/v1/events", [
                    token, kind, ("Content-Length", length)]) + body)
                self.assertEqual(wire.reply().status, 400, length)
                wire.is_over()
                self.assertNotIn(b"HTTP/1.1 2", wire.pending)
        old = head("POST", "/v1/events", [
            token, kind, ("Transfer-Encoding", "chunked")], "HTTP/1.0")
        self.assertEqual(self.ask(old + b"0\r\n\r\n").status, 400)
        self.assertEqual(self.ids(), [])

    def test_nonsense(self):
        for text in (b"\r\n\r\n\r\n\0\0", b"GET\r\n\r\n", b"\x16\x03\x01",
                     b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/events HTTP/1.1"
                     b"\r\n\r\n", b"A" * 70000):
            with Wire(self.port, 5) as wire:
                try:
                    wire.send(text)
                    reply = wire.reply()
                    self.assertTrue(reply is None or reply.status >= 400)
                except ConnectionError:
                    pass
        self.assertEqual(self.get("/healthz").status, 200)

    def test_slow_clients(self):
        """Each step has its time; a fast client never waits for them."""
        part = post(one(event(1)))
        slow = [self.wire() for _ in range(5)]
        started = time.monotonic()
        slow[0].send(b"POST /v1/ev")                # no request line
        slow[1].send(part[:60])                     # no whole head
        slow[2].send(part[:-5])                     # no whole body
        slow[3].send(part)                          # no second request
        slow[4].send(post(b"", token=None, Content_Length="9")
                     .replace(b"Content-Length: 0\r\n", b""))
        self.assertEqual(slow[3].reply().status, 202)
        for number in range(100):
            self.assertEqual(self.ask(post(one(event(number)))).status, 202)
        self.assertEqual(slow[1].reply().status, 408)
        self.assertEqual(slow[2].reply().status, 408)
        self.assertEqual(slow[4].reply().status, 408)
        for wire in slow:
            self.assertTrue(wire.is_over())
        self.assertLess(time.monotonic() - started, 20)

    def test_trickle(self):
        """Byte after byte does not stretch the time."""
        wire = self.wire()
        started = time.monotonic()
        try:
            for byte in post(one(event(1))):
                wire.send(bytes([byte]))
                time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertLess(time.monotonic() - started, 12)
        self.assertEqual(self.ids(), [])

    def test_many_connections(self):
        """When all seats are taken, the idlest makes room."""
        wires = [Wire(self.port) for _ in range(60)]
        try:
            busy = wires[-1]
            for number in range(20):
                busy.send(post(one(event(number))))
                self.assertEqual(busy.reply().status, 202)
                self.assertEqual(self.ask(post(one(event(number)))).status,
                                 202)
            self.assertTrue(wires[0].is_over())
            # Of another user there is always room.
            self.assertEqual(self.ask(post(one(event(99)), token=None),
                                      self.socket).status, 202)
        finally:
            for wire in wires:
                wire.socket.close()


class Share(IntakeCase):
    limits = '<limits connections="16"/>'

    def test_requests_of_one_caller(self):
        """One token has at most half of the requests at a time."""
        request = post(one(event(1)))
        begun = [self.wire() for _ in range(8)]
        for wire in begun:
            wire.send(request[:-10])
        # Until all eight have been seen it may be let in.
        reply = wait_until(
            lambda: (lambda said: said if said.status == 429 else None)(
                self.ask(post(one(event(2))))), "429")
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        self.assertEqual(self.ask(post(one(event(3)), token=BOTH)).status,
                         202)
        for wire in begun:
            wire.send(request[-10:])
            self.assertEqual(wire.reply().status, 202)
        self.assertEqual(self.ask(post(one(event(4)))).status, 202)


class Life(IntakeCase):
    def test_kill(self):
        """What was answered with 202 is there after kill -9."""
        wire = self.wire()
        count = 300
        wire.send(b"".join(post(one(event(i))) for i in range(count)))
        seen = []
        while len(seen) < 100:
            reply = wire.reply()
            self.assertEqual(reply.status, 202)
            seen.append(reply.json["events"][0]["id"])
        self.running.process.kill()
        self.running.process.wait()
        kept = self.ids()
        self.assertLessEqual(set(seen), set(kept))
        self.assertEqual(len(kept), len(set(kept)))
        self.running = self.begin()     # over the stale socket as well
        again = self.ask(post(array(event(i) for i in range(count)), BATCH))
        self.assertEqual(again.json["duplicate"], len(kept))
        self.assertEqual(sorted(self.ids()),
                         sorted(f"event-{i}" for i in range(count)))

    def test_stop(self):
        """What is on its way is accepted, then the connection closed; so
        is what a new connection asks at once."""
        begun, idle, late = self.wire(), self.wire(), self.wire()
        request = post(one(event(1)))
        begun.send(request[:-10])
        late_head, late_rest = post(one(event(2)))[:20], post(one(event(2)))
        late.send(late_head)
        fresh, silent = self.wire(), self.wire()
        idle.send(head("GET", "/healthz", []))
        self.assertEqual(idle.reply().status, 200)
        wait_until(lambda: self.get("/healthz").status == 200, "a turn")
        late.send(late_rest[20:40])
        self.get("/healthz")
        self.running.process.send_signal(signal.SIGTERM)
        self.running.wait_for("stopping")
        self.assertTrue(idle.is_over())
        late.send(late_rest[40:])
        reply = late.reply()
        self.assertEqual((reply.status, reply.headers["connection"]),
                         (202, "close"))
        fresh.send(post(one(event(3))))
        reply = fresh.reply()
        self.assertEqual((reply.status, reply.headers["connection"]),
                         (202, "close"))
        with self.assertRaises(OSError):
            Wire(self.port)
        begun.send(request[-10:])
        reply = begun.reply()
        self.assertEqual((reply.status, reply.headers["connection"]),
                         (202, "close"))
        self.assertTrue(silent.is_over())
        self.assertEqual(self.running.end().status, 0)
        self.assertEqual(sorted(self.ids()),
                         ["event-1", "event-2", "event-3"])

    def test_health(self):
        ready = self.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("0 of 1 workers", ready.json["detail"])
        self.assertEqual(self.ask(post(array([event(1), {}]), BATCH)).status,
                         400)
        for where in (self.port, self.socket):
            reply = self.get("/metrics", where=where)
            self.assertEqual(reply.status, 200)
            self.assertTrue(reply.headers["content-type"].startswith(
                "application/openmetrics-text"))
            self.assertTrue(reply.body.endswith(b"# EOF\n"))
        self.assertIn(b"\nherald_events_accepted_total 1\n", reply.body)
        self.assertIn(b'_refused_total{reason="invalid"} 1\n', reply.body)

    def test_handed_in(self):
        """Sockets of the service manager are used, none is bound."""
        self.end()
        tcp = socket.create_server(("127.0.0.1", 0))
        port = tcp.getsockname()[1]

        def hand_in():
            os.dup2(tcp.fileno(), 3, inheritable=True)
            os.environ["LISTEN_PID"] = str(os.getpid())

        command = ["/bin/sh", "-c",
                   'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$SOCKET"', "sh",
                   *self.host.command("intake")]
        from host import Running
        os.set_inheritable(tcp.fileno(), True)
        running = self.enter(Running(
            self.host, command, pass_fds=[tcp.fileno()],
            env={**os.environ, "SOCKET": str(tcp.fileno())}))
        running.wait_for(f"listening on 127.0.0.1:{port}")
        self.assertEqual(self.ask(post(one(event(1))), port).status, 202)
        with self.assertRaises(OSError):
            Wire(self.port)
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.end().status, 0)
        tcp.close()


class Full(IntakeCase):
    store = 'most="64M"'

    def test_full(self):
        """503 with Retry-After, nothing kept of it; room again: 202."""
        payload = "y" * 30000
        number = 0
        while True:
            batch = [event(number + i, filler=payload) for i in range(20)]
            reply = self.ask(post(array(batch), BATCH))
            if reply.status != 202:
                break
            number += 20
            self.assertLess(number, 20000)
        self.assertEqual(reply.status, 503, reply)
        self.assertGreaterEqual(int(reply.headers["retry-after"]), 1)
        self.assertEqual(len(self.ids()), number)
        self.assertIn("full", self.get("/readyz").json["detail"])
        self.store = 'most="400M"'
        self.configure()
        self.end()
        self.running = self.begin()
        reply = self.ask(post(array(batch), BATCH))
        self.assertEqual((reply.status, reply.json["accepted"]), (202, 20))


if __name__ == "__main__":
    unittest.main(verbosity=0)
