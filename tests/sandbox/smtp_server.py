# SPDX-License-Identifier: MIT
"""smtp_server.py - SMTP submission (RFC 5321, 3207, 4954) over a Connection.

Strict where a client may be careless: commands in order, CRLF everywhere,
line lengths, login before mail, no login before TLS.

Stages that a script can change: connect, ehlo, starttls, auth, mail, rcpt,
data, message (after the final dot), quit.  A step has (all optional):

  reply      this line instead of the usual one ("451 4.3.0 later")
  drop       true: the connection is reset instead
  hang       true: nothing is answered any more
  delay_ms   wait first
  times      use this step so often (default 1, -1: for ever)

Addresses can ask for the same without a script, by their local part:
refuse-550, defer-451 (RCPT; MAIL FROM too), message-554 (after the dot),
drop (after the dot, before the answer), slow-500 (a delay in ms); what
follows a + does not matter.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional

from connection import Closed, Connection, TooLong
from faults import BadStep, Scripts, Step

LINE_CEILING = 4096
MESSAGE_CEILING = 32 * 1024 * 1024
STAGES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data",
          "message", "quit")
KEYS = {"reply", "drop", "hang", "delay_ms", "times"}
PATH = re.compile(r"<([^<>\s]*)>((?: [A-Za-z0-9-]+(?:=[^ =]+)?)*)$")
ASKING = re.compile(r"(?:(refuse|defer|message|slow)-(\d+)|(drop))(?:\+.*)?$")


@dataclass
class Policy:
    """What one listener holds its clients to."""
    login: str = "herald"
    password: str = "sandbox"
    starttls: Optional[ssl.SSLContext] = None
    is_tls_required: bool = True
    is_login_required: bool = True
    max_recipients: int = 100
    only_sender: str = ""       # empty: anybody


@dataclass
class Envelope:
    """One mail's sender and recipients, and what its addresses ask for."""
    sender: str
    parameters: List[str]
    recipients: List[str] = field(default_factory=list)
    asked: Step = field(default_factory=dict)


#: Takes (session, envelope, message); returns a problem or None.
Deliver = Callable[["Session", Envelope, bytes], Optional[str]]


class Goodbye(Exception):
    """The session ends after what was written."""


def check_step(step: Any) -> Step:
    """The step itself, or BadStep that names what is not known."""
    if not isinstance(step, dict) or set(step) - KEYS:
        raise BadStep("an SMTP step has " + ", ".join(sorted(KEYS)))
    return step


def step_from_address(address: str) -> Dict[str, Any]:
    """What the local part asks for: {what: number}; empty if nothing."""
    match = ASKING.match(address.rpartition("@")[0])
    if not match:
        return {}
    if match.group(3):
        return {"drop": 1}
    return {match.group(1): int(match.group(2))}


class Session:
    """One connection's conversation."""

    def __init__(self, connection: Connection, policy: Policy,
                 scripts: Scripts, deliver: Deliver) -> None:
        self.connection = connection
        self.policy = policy
        self.helo = ""
        self.login = ""
        self.mechanism = ""
        self.envelope: Optional[Envelope] = None
        self._scripts = scripts
        self._deliver = deliver

    async def run(self) -> None:
        try:
            if await self._say("connect", "220 localhost ESMTP sandbox"):
                while True:
                    await self._one_command()
            raise Goodbye()
        except Goodbye:
            await self.connection.drain()
        except TooLong:
            self.connection.write(b"500 5.5.6 the line is too long\r\n")

    # Reading and answering.

    async def _one_command(self) -> None:
        line = await self.connection.read_until(b"\r\n", LINE_CEILING)
        try:
            text = line[:-2].decode("utf-8")
        except UnicodeDecodeError:
            self._answer("501 5.5.2 the command is not UTF-8")
            return
        if "\n" in text or "\r" in text or "\0" in text:
            self._answer("501 5.5.2 a line ends with CR LF")
            return
        verb, _, argument = text.partition(" ")
        command = getattr(self, "_on_" + verb.lower(), None) \
            if verb.isalpha() else None
        if command is None:
            self._answer("500 5.5.1 this command is not known")
            return
        await command(argument)

    def _answer(self, line: str) -> None:
        self.connection.write(line.encode() + b"\r\n")

    async def _say(self, stage: str, usual: str) -> bool:
        """Answer as the script says, else as usual; true if it was a
        success (2xx, 3xx)."""
        step = self._scripts.next(stage) or {}
        if step.get("delay_ms"):
            await asyncio.sleep(float(step["delay_ms"]) / 1000)
        await self._vanish(step)
        line = str(step.get("reply", usual))
        self._answer(line)
        if line.startswith("421"):
            raise Goodbye()
        return line[:1] in "23"

    async def _vanish(self, step: Step) -> None:
        if step.get("drop"):
            self.connection.reset()
            raise Closed()
        if step.get("hang"):
            await self.connection.wait_end()
            raise Closed()

    # Commands, one method each.

    async def _on_ehlo(self, argument: str) -> None:
        if not argument.strip():
            self._answer("501 5.5.4 EHLO needs a name")
            return
        self.envelope = None
        lines = ["localhost", "PIPELINING", "SIZE %d" % MESSAGE_CEILING,
                 "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.policy.starttls and not self.connection.is_tls:
            lines.append("STARTTLS")
        if self._may_login():
            lines.append("AUTH PLAIN LOGIN")
        usual = "\r\n".join([f"250-{line}" for line in lines[:-1]]
                            + [f"250 {lines[-1]}"])
        if await self._say("ehlo", usual):
            self.helo = argument

    async def _on_helo(self, argument: str) -> None:
        self.envelope = None
        if await self._say("ehlo", "250 localhost"):
            self.helo = argument

    async def _on_starttls(self, argument: str) -> None:
        if not self.policy.starttls or self.connection.is_tls:
            self._answer("503 5.5.1 STARTTLS is not offered")
            return
        if await self._say("starttls", "220 2.0.0 go on"):
            await self.connection.start_tls(self.policy.starttls)
            self.helo = self.login = ""
            self.envelope = None

    async def _on_auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if not self._may_login():
            self._answer("538 5.7.11 not without TLS")
        elif not self.helo or self.login or self.envelope:
            self._answer("503 5.5.1 not now")
        elif mechanism.upper() not in ("PLAIN", "LOGIN"):
            self._answer("504 5.5.4 PLAIN and LOGIN are known")
        else:
            await self._login(mechanism.upper(), initial)

    async def _login(self, mechanism: str, initial: str) -> None:
        try:
            if mechanism == "PLAIN":
                parts = (await self._secret("", initial)).split("\0")
                login, password = parts[-2:] if len(parts) == 3 else ("", "")
            else:
                login = await self._secret("Username:", initial)
                password = await self._secret("Password:", "")
        except (binascii.Error, UnicodeDecodeError):
            self._answer("501 5.5.2 this is no base64")
            return
        is_right = (login, password) == (self.policy.login,
                                         self.policy.password)
        usual = "235 2.7.0 welcome" if is_right \
            else "535 5.7.8 login or password is wrong"
        if await self._say("auth", usual):
            self.login = login
            self.mechanism = mechanism

    async def _secret(self, prompt: str, initial: str) -> str:
        if not initial:
            self._answer("334 " + base64.b64encode(prompt.encode()).decode())
            line = await self.connection.read_until(b"\r\n", LINE_CEILING)
            initial = line[:-2].decode("ascii", "replace")
        if initial == "=":
            initial = ""
        return base64.b64decode(initial, validate=True).decode("utf-8")

    async def _on_mail(self, argument: str) -> None:
        match = PATH.match(argument[5:].strip()) \
            if argument[:5].upper() == "FROM:" else None
        if match is None:
            self._answer("501 5.5.4 MAIL FROM:<address>")
        elif not self.helo or self.envelope:
            self._answer("503 5.5.1 not now")
        elif self.policy.is_tls_required and not self.connection.is_tls:
            self._answer("530 5.7.0 STARTTLS first")
        elif self.policy.is_login_required and not self.login:
            self._answer("530 5.7.0 log in first")
        else:
            await self._take_sender(match)

    async def _take_sender(self, match: "re.Match[str]") -> None:
        envelope = Envelope(match.group(1), match.group(2).upper().split())
        if not envelope.sender.isascii() \
                and "SMTPUTF8" not in envelope.parameters:
            self._answer("553 5.6.7 a non-ASCII address needs SMTPUTF8")
            return
        usual = refusal_for(envelope.sender) or "250 2.1.0 good"
        if self.policy.only_sender not in ("", envelope.sender):
            usual = "550 5.7.1 this sender is not yours"
        if await self._say("mail", usual):
            self.envelope = envelope

    async def _on_rcpt(self, argument: str) -> None:
        match = PATH.match(argument[3:].strip()) \
            if argument[:3].upper() == "TO:" else None
        if self.envelope is None:
            self._answer("503 5.5.1 MAIL first")
        elif match is None or "@" not in match.group(1):
            self._answer("501 5.1.3 RCPT TO:<address>")
        elif len(self.envelope.recipients) >= self.policy.max_recipients:
            self._answer("452 4.5.3 too many recipients")
        elif not match.group(1).isascii() \
                and "SMTPUTF8" not in self.envelope.parameters:
            self._answer("553 5.6.7 a non-ASCII address needs SMTPUTF8")
        else:
            await self._take_recipient(self.envelope, match.group(1))

    async def _take_recipient(self, envelope: Envelope,
                              address: str) -> None:
        usual = refusal_for(address) or "250 2.1.5 good"
        if await self._say("rcpt", usual):
            envelope.recipients.append(address)
            envelope.asked.update(step_from_address(address))

    async def _on_data(self, argument: str) -> None:
        envelope = self.envelope
        if envelope is None or not envelope.recipients:
            self._answer("503 5.5.1 MAIL and RCPT first")
            return
        if not await self._say("data", "354 end with a dot"):
            self.envelope = None
            return
        message = await self._read_message()
        self.envelope = None
        if "slow" in envelope.asked:
            await asyncio.sleep(envelope.asked["slow"] / 1000)
        if "drop" in envelope.asked:
            await self._vanish({"drop": True})
        await self._settle(envelope, message)

    async def _read_message(self) -> bytes:
        """The mail without the transparency dots (RFC 5321, 4.5.2)."""
        lines: List[bytes] = []
        length = 0
        while True:
            line = await self.connection.read_until(b"\r\n", MESSAGE_CEILING)
            if line == b".\r\n":
                return b"".join(lines)
            length += len(line)
            if length > MESSAGE_CEILING:
                raise TooLong()
            lines.append(line[1:] if line.startswith(b".") else line)

    async def _settle(self, envelope: Envelope, message: bytes) -> None:
        """Answer the final dot; only what is answered 250 is kept."""
        step = self._scripts.next("message") or {}
        if step.get("delay_ms"):
            await asyncio.sleep(float(step["delay_ms"]) / 1000)
        await self._vanish(step)
        line = step.get("reply")
        if line is None and "message" in envelope.asked:
            code = envelope.asked["message"]
            line = f"{code} {code // 100}.6.0 the mail is refused"
        if line is None:
            problem = message_problem(message, envelope) \
                or self._deliver(self, envelope, message)
            line = f"554 5.6.0 {problem}" if problem else "250 2.0.0 kept"
        self._answer(line)
        if line.startswith("421"):
            raise Goodbye()

    async def _on_rset(self, argument: str) -> None:
        self.envelope = None
        self._answer("250 2.0.0 forgotten")

    async def _on_noop(self, argument: str) -> None:
        self._answer("250 2.0.0 here")

    async def _on_vrfy(self, argument: str) -> None:
        self._answer("252 2.5.0 try it")

    async def _on_quit(self, argument: str) -> None:
        await self._say("quit", "221 2.0.0 goodbye")
        raise Goodbye()

    def _may_login(self) -> bool:
        return bool(self.policy.login) and (
            self.connection.is_tls or not self.policy.is_tls_required)


def refusal_for(address: str) -> Optional[str]:
    """The refusal that an address asks for, with its enhanced code."""
    asked = step_from_address(address)
    code = asked.get("refuse") or asked.get("defer")
    if not code:
        return None
    texts = {550: "5.1.1 no such mailbox", 452: "4.2.2 the mailbox is full",
             451: "4.3.0 try again later", 450: "4.2.1 the mailbox is busy",
             552: "5.2.2 the mailbox is full"}
    return f"{code} " + texts.get(code, f"{code // 100}.0.0 as asked for")


def message_problem(message: bytes, envelope: Envelope) -> Optional[str]:
    """What is wrong with the mail's form; None if nothing is."""
    if re.search(rb"(?<!\r)\n|\r(?!\n)", message):
        return "a line ends with something else than CR LF"
    if any(len(line) > 998 for line in message.split(b"\r\n")):
        return "a line is longer than 998 bytes"
    head, separator, body = message.partition(b"\r\n\r\n")
    if not separator:
        return "there is no empty line after the header"
    is_utf8 = "SMTPUTF8" in envelope.parameters
    if not is_utf8 and not head.isascii():
        return "the header is not ASCII, and SMTPUTF8 was not asked for"
    if not body.isascii() and "BODY=8BITMIME" not in envelope.parameters:
        return "the body is not ASCII, and 8BITMIME was not asked for"
    return header_problem(head)


def header_problem(head: bytes) -> Optional[str]:
    lines = re.sub(rb"\r\n[ \t]+", b" ", head).split(b"\r\n")
    names = [line.partition(b":")[0].strip().lower() for line in lines]
    for name in (b"from", b"date", b"message-id"):
        if names.count(name) != 1:
            return f"the header has {names.count(name)} {name.decode()}"
    for name in (b"to", b"subject", b"reply-to", b"mime-version"):
        if names.count(name) > 1:
            return f"the header has more than one {name.decode()}"
    if b"bcc" in names:
        return "the header shows the Bcc"
    return None
