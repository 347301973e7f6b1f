# SPDX-License-Identifier: MIT
"""certificates.py - a CA and server certificates for one run.

Made with the openssl command, with a configuration of our own so that it does
not matter which one the machine has.
"""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

CONFIGURATION = """\
[req]
distinguished_name = name
prompt = no
[name]
O = herald sandbox
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {alternatives}
"""
LOOPBACK = "DNS:localhost, IP:127.0.0.1, IP:::1"
ELSEWHERE = "DNS:elsewhere.example"


class Certificates:
    """ca.pem (to be trusted), server.pem (for loopback names, by that CA),
    elsewhere.pem (by that CA, for another name), stranger.pem (for loopback
    names, by a CA that nobody trusts); each .pem has its .key beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca_file = directory / "ca.pem"

    def make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make_ca("ca")
        self._make_ca("stranger-ca")
        self._make_server("server", "ca", LOOPBACK)
        self._make_server("elsewhere", "ca", ELSEWHERE)
        self._make_server("stranger", "stranger-ca", LOOPBACK)

    def context(self, name: str = "server") -> ssl.SSLContext:
        """A server's TLS context, TLS 1.2 or newer."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.directory / f"{name}.pem",
                                self.directory / f"{name}.key")
        return context

    def _make_ca(self, name: str) -> None:
        self._configure(name, LOOPBACK)
        self._openssl("req", "-x509", "-new", "-sha256", "-days", "30",
                      "-key", self._key(name), "-config", f"{name}.cnf",
                      "-extensions", "ca", "-out", f"{name}.pem")

    def _make_server(self, name: str, ca: str, alternatives: str) -> None:
        self._configure(name, alternatives)
        self._openssl("req", "-new", "-sha256", "-key", self._key(name),
                      "-config", f"{name}.cnf", "-out", f"{name}.csr")
        self._openssl("x509", "-req", "-sha256", "-days", "30",
                      "-in", f"{name}.csr", "-CA", f"{ca}.pem",
                      "-CAkey", f"{ca}.key", "-CAcreateserial",
                      "-extfile", f"{name}.cnf", "-extensions", "server",
                      "-out", f"{name}.pem")

    def _configure(self, name: str, alternatives: str) -> None:
        text = CONFIGURATION.format(name=name, alternatives=alternatives)
        (self.directory / f"{name}.cnf").write_text(text)

    def _key(self, name: str) -> str:
        key = f"{name}.key"
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout",
                      "-out", key)
        (self.directory / key).chmod(0o600)
        return key

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.directory,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")
