#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""smtp-server.py - aiosmtpd, as test-smtp-servers.py needs it.

    smtp-server.py CERTIFICATES DIRECTORY

Prints {"listener": port, ...} and ends when standard input does.  What each
listener is: tests/e2e/test-smtp-servers.py.
"""

import asyncio
import itertools
import json
import logging
import ssl
import sys
import warnings
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

CERTIFICATES, DIRECTORY = (Path(one) for one in sys.argv[1:])
NUMBERS = itertools.count(1)
SERVERS = []                    # held, or they would close


class Handler:
    """Keeps mails; refuse@... does not exist."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 good"

    async def handle_DATA(self, server, session, envelope):
        name = DIRECTORY / str(next(NUMBERS))
        name.with_suffix(".eml").write_bytes(envelope.content)
        new = name.with_suffix(".new")
        new.write_text(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos,
            "mechanism": getattr(session, "auth_data", "") or "",
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "connection": str(session.peer)}))
        new.rename(name.with_suffix(".json"))
        return "250 2.0.0 kept"


def authenticate(server, session, envelope, mechanism, data):
    is_right = isinstance(data, LoginPassword) \
        and (data.login, data.password) == (b"herald", b"sandbox")
    return AuthResult(success=is_right, handled=False,
                      auth_data=mechanism if is_right else None)


def context(name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATES / f"{name}.pem",
                         CERTIFICATES / f"{name}.key")
    return made


async def start(tls=None, **options):
    """Listen; the port.  tls: from the start."""
    def session():
        return SMTP(Handler(), hostname="localhost", enable_SMTPUTF8=True,
                    loop=loop, **options)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    SERVERS.append(server)
    return server.sockets[0].getsockname()[1]


async def main():
    known = {"authenticator": authenticate, "auth_required": True}
    ports = {
        "plain": await start(
            tls_context=context("server"), require_starttls=True,
            auth_exclude_mechanism=["LOGIN"], **known),
        "login": await start(
            tls_context=context("server"), require_starttls=True,
            auth_exclude_mechanism=["PLAIN"], **known),
        "tls": await start(
            tls=context("server"), auth_require_tls=False, **known),
        "stranger": await start(
            tls_context=context("stranger"), require_starttls=True, **known),
        "bare": await start(),
    }
    print(json.dumps(ports), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# Clients that break off are the point of some tests.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
asyncio.run(main())
