#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who is believed and what may be reached: certificates, guard, plain http,
proxy."""

import json
import socket
import ssl
import threading
import time
import unittest

from host import NETWORK, Case, Host, event, module_sandbox
from proxy import Proxy

SANDBOX = None
RETRY = '<retry schedule="1ms"/>'
NO_HTTP = NETWORK.replace("<allow-http/>", "")


def setUpModule():
    global SANDBOX
    SANDBOX = module_sandbox()


class Network(Case):
    def make_host(self):
        return Host(SANDBOX.ca_file)

    def setUp(self):
        super().setUp()
        self.path = "/" + self.id().rpartition(".")[2]

    def requests(self):
        return [one for one in SANDBOX.requests() if one["path"] == self.path]

    def sent(self, url):
        self.host.webhook("web", url, delivery=RETRY)
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(self.requests()), 1)

    def refused(self, url, *texts):
        """Blocked at once, with these words, and nothing arrives."""
        self.host.webhook("web", url, delivery=RETRY)
        result = self.host.send([event(1), event(2)])
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.lane("web")["state"], "blocked", result)
        for text in texts:
            self.assertIn(text, result.reasons("web"))
            self.assertIn(text, result.err)
        self.assertEqual(self.requests(), [])


class Certificates(Network):
    def test_an_unknown_ca(self):
        self.refused(SANDBOX.url(self.path, "stranger"),
                     "the certificate of localhost is not trusted by",
                     'set <tls ca-file="..."/> in herald.xml')

    def test_another_name(self):
        self.refused(SANDBOX.url(self.path, "elsewhere"),
                     "the certificate of localhost is for another name")

    def test_the_systems_own_authorities_do_not_know_the_sandbox(self):
        self.host.herald_xml(NETWORK)
        self.refused(SANDBOX.url(self.path), "is not trusted by")

    def test_tls_where_there_is_none(self):
        port = SANDBOX.port("smtp", "open")     # which speaks first
        self.host.webhook("web", f"https://localhost:{port}{self.path}",
                          delivery=RETRY)
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 1, result)
        self.assertIn("TLS with localhost", result.reasons("web"))


class SlowReader:
    """An endpoint with TLS that takes bodies in small pieces, so that they
    are sent in many; it keeps each body's member "text"."""

    def __init__(self, certificates):
        self.texts = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates / "server.pem",
                                      certificates / "server.key")
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        try:
            while True:
                threading.Thread(target=self._serve, daemon=True,
                                 args=[self._socket.accept()[0]]).start()
        except OSError:
            pass

    def _serve(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as peer:
            while self._take(peer):
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def _take(self, peer):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = peer.recv(4096)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(body) < length:
            time.sleep(0.0005)
            body += peer.recv(4096)
        self.texts.append(json.loads(body)["text"])
        return True


class LargeBodies(Network):
    def test_what_is_sent_in_pieces_arrives_whole(self):
        reader = self.enter(SlowReader(SANDBOX.run_dir / "certificates"))
        self.host.webhook(
            "web", f"https://localhost:{reader.port}/", delivery=RETRY,
            content='<map><field name="text" source="customText"/></map>')
        texts = [chr(ord("a") + i % 26) * size for i, size in enumerate(
            [50, 15000, 16384, 17000, 70000, 600000] * 4)]
        result = self.host.send([event(i, customText=text)
                                 for i, text in enumerate(texts)])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.lane("web")["retried"], 0, result)
        self.assertEqual(sorted(reader.texts), sorted(texts))


class Guard(Network):
    def test_loopback_must_be_allowed(self):
        self.host.herald_xml("")
        for host, ranges in (("127.0.0.1", ("127.0.0.0/8",)),
                             ("[::1]", ("::1/128",)),
                             ("[::ffff:127.0.0.1]", ("127.0.0.0/8",))):
            with self.subTest(host):
                self.refused(f"https://{host}:1{self.path}",
                             "may not be reached",
                             f'<allow cidr="{ranges[0]}"/>')

    def test_private_ranges_and_the_metadata_service(self):
        for address, cidr in (("10.1.2.3", "10.0.0.0/8"),
                              ("192.168.1.1", "192.168.0.0/16"),
                              ("169.254.169.254", "169.254.0.0/16"),
                              ("100.64.0.1", "100.64.0.0/10"),
                              ("224.0.0.1", "224.0.0.0/4")):
            with self.subTest(address):
                self.refused(f"https://{address}/", "may not be reached",
                             f'<allow cidr="{cidr}"/>')

    def test_a_name_is_judged_by_its_address(self):
        self.host.herald_xml('<network><allow cidr="10.0.0.0/8"/></network>')
        self.refused(SANDBOX.url(self.path), "localhost may not be reached")

    def test_mail_servers_too(self):
        self.host.herald_xml("")
        self.host.mailer("mail", SANDBOX.port("smtp", "starttls"))
        result = self.host.run("verify", "mail")
        self.assertEqual(result.status, 1, result)
        self.assertIn("may not be reached", result.out)


class PlainHttp(Network):
    def test_allowed_to_loopback(self):
        self.sent(SANDBOX.url(self.path, "http"))

    def test_refused_by_default(self):
        self.host.herald_xml(NO_HTTP)
        path = self.host.webhook("web", SANDBOX.url(self.path, "http"))
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.err, f"{path}:[0-9]+: .*API Endpoint.*must "
                         "start with https://.*<allow-http/>")

    def test_never_beyond_loopback(self):
        self.host.webhook("web", "http://api.example.com/")
        result = self.host.run("check")
        self.assertEqual(result.status, 1, result)
        self.assertIn("plain http goes to this host", result.err)


class ByProxy(Network):
    def set_proxy(self, proxy):
        tls = f'<tls ca-file="{SANDBOX.ca_file}"/>'
        self.host.herald_xml(
            NETWORK.replace("</network>", f"{proxy.element}</network>") + tls)

    def test_a_tunnel(self):
        port = SANDBOX.port("custom-api", "https")
        proxy = self.enter(Proxy(port))
        self.set_proxy(proxy)
        self.sent(SANDBOX.url(self.path))
        self.assertEqual(proxy.asked,
                         [f"CONNECT localhost:{port} HTTP/1.1"])

    def test_the_proxy_looks_names_up(self):
        proxy = self.enter(Proxy(SANDBOX.port("custom-api", "elsewhere")))
        self.set_proxy(proxy)
        self.sent(f"https://elsewhere.example{self.path}")
        self.assertEqual(proxy.asked,
                         ["CONNECT elsewhere.example:443 HTTP/1.1"])

    def test_a_proxy_that_refuses(self):
        proxy = self.enter(Proxy(1, b"HTTP/1.1 403 No\r\n"
                                 b"Content-Length: 0\r\n\r\n"))
        self.set_proxy(proxy)
        self.host.webhook("web", SANDBOX.url(self.path), delivery=RETRY)
        result = self.host.send([event(1)])
        self.assertEqual(result.status, 1, result)
        self.assertIn("the proxy does not connect to localhost",
                      result.reasons("web"))
        self.assertIn("403", result.reasons("web"))

    def test_a_proxy_that_wants_a_login(self):
        proxy = self.enter(Proxy(1, b"HTTP/1.1 407 Login\r\n"
                                 b"Content-Length: 0\r\n\r\n"))
        self.set_proxy(proxy)
        self.refused(SANDBOX.url(self.path), "asks for a login")

    def test_the_environments_proxy_is_not_asked(self):
        proxy = self.enter(Proxy(1))
        self.host.webhook("web", SANDBOX.url(self.path), delivery=RETRY)
        url = f"http://127.0.0.1:{proxy.port}"
        result = self.host.send([event(1)], env={
            "https_proxy": url, "HTTPS_PROXY": url, "all_proxy": url,
            "ALL_PROXY": url, "no_proxy": "", "NO_PROXY": ""})
        self.assertEqual(result.status, 0, result)
        self.assertEqual(proxy.asked, [])


if __name__ == "__main__":
    unittest.main()
