# SPDX-License-Identifier: MIT
"""smtp.py - a mail server, the stand-in for smtp.

Listeners: starttls (the usual one), tls (implicit), plain (no STARTTLS
offered; login allowed), open (no TLS, no login), stranger (STARTTLS with a
certificate by an unknown CA), elsewhere (STARTTLS with another's name).

Rules for --smtp-login and POST /_control {"service": "smtp", "expect": ...}:
login, password, max_recipients.
"""

from __future__ import annotations

import email
import email.policy
from typing import Any, Dict, List, Optional, Set

from connection import Connection, Listener
from faults import Step
from service import Integration, Service, World
from smtp_server import Envelope, Policy, STAGES, Session, check_step

RULE_KEYS = ("login", "password", "max_recipients")
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="mail" provider="smtp"
             enabled="true">
  <label>Mail to the players</label>
  <workspaces all="true"/>
  <settings>
    <setting name="host">localhost</setting>
    <setting name="port">{port}</setting>
    <setting name="login">herald</setting>
    <setting name="password" from="file" path="mail.password"/>
    <setting name="security">starttls</setting>
  </settings>
  <mail>
    <from name="Acme Games" address="play@acme.example"/>
    <reply-to address="hello@acme.example"/>
    <to source="email"/>
    <bcc address="audit@acme.example"/>
    <subject>Well done, {{{{firstName}}}}!</subject>
    <text>Hello {{{{firstName}}}} {{{{lastName}}}},
you made {{{{score}}}} points. Greetings to {{{{town}}}}!
</text>
    <html>&lt;p&gt;Hello {{{{firstName}}}} {{{{lastName}}}},&lt;/p&gt;
&lt;p&gt;you made &lt;b&gt;{{{{score}}}}&lt;/b&gt; points.
Greetings to {{{{town}}}}!&lt;/p&gt;
</html>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <in-flight max="8"/>
  </delivery>
</integration>
"""


class Smtp(Service):
    """Keeps every mail as a file, with its envelope in mails.ndjson."""

    name = "smtp"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        certificates = world.certificates
        self._policies = {
            "starttls": Policy(starttls=certificates.context()),
            "tls": Policy(),
            "plain": Policy(is_tls_required=False),
            "open": Policy(login="", is_tls_required=False,
                           is_login_required=False),
            "stranger": Policy(starttls=certificates.context("stranger")),
            "elsewhere": Policy(starttls=certificates.context("elsewhere")),
        }
        self._seen_ids: Set[str] = set()

    async def start(self) -> Dict[str, int]:
        ports = {}
        for name in self._policies:
            context = self.world.certificates.context() if name == "tls" \
                else None
            ports[name] = await Listener(name, self._serve, context).start(
                self.world.port(self.name, name))
        return ports

    def script(self, where: str, steps: List[Step]) -> None:
        if where not in STAGES:
            raise ValueError("a stage is one of " + ", ".join(STAGES))
        self.scripts.put(where, [check_step(step) for step in steps])

    def expect(self, where: str, rules: Dict[str, Any]) -> None:
        for key, value in rules.items():
            if key not in RULE_KEYS:
                raise ValueError(f"unknown rule: {key}")
            for name, policy in self._policies.items():
                if name != "open":
                    setattr(policy, key, value)

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        return Integration(
            cls.name, "mail", DEMO.format(port=ports["starttls"]),
            {"mail.password": "sandbox"},
            [{"service": "smtp", "stage": "rcpt",
              "script": [{"times": 40},
                         {"reply": "451 4.3.0 try again later"}]}],
            "mails", is_mailer=True)

    def reset(self) -> None:
        super().reset()
        self._seen_ids.clear()

    async def _serve(self, connection: Connection) -> None:
        self.world.recorder.count(self.name, "connections")
        policy = self._policies[connection.listener]
        await Session(connection, policy, self.scripts, self._keep).run()

    def _keep(self, session: Session, envelope: Envelope,
              message: bytes) -> Optional[str]:
        """Record the mail; one whose Message-ID came before is marked."""
        head = email.message_from_bytes(message.partition(b"\r\n\r\n")[0],
                                        policy=email.policy.default)
        message_id = str(head["message-id"])
        is_duplicate = message_id in self._seen_ids
        self._seen_ids.add(message_id)
        if is_duplicate:
            self.world.recorder.count(self.name, "duplicate")
        self.world.recorder.mail(self.name, message, {
            "from": envelope.sender, "to": envelope.recipients,
            "subject": str(head["subject"]), "message_id": message_id,
            "duplicate": is_duplicate, "listener": session.connection.listener,
            "tls": session.connection.is_tls, "login": session.login,
            "mechanism": session.mechanism, "bytes": len(message),
            "connection": session.connection.number})
        return None
