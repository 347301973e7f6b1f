# SPDX-License-Identifier: MIT
"""drimify.py - the mail relay of the house, the stand-in for drimify.

It knows its clients and wants no login, but takes mail from one sender only.
Listeners: relay (STARTTLS, without which it takes nothing), open (no TLS).

Rules for POST /_control {"service": "drimify", "expect": ...}: those of smtp.
"""

from __future__ import annotations

import email
import email.policy
from typing import Dict, Optional

from service import Integration, World
from services.smtp import Smtp
from smtp_server import Envelope, Policy, Session

SENDER = "notification@digitaservice.com"
DEFAULTS = """\
  <defaults provider="drimify">
    <setting name="relay">smtp://localhost:{port}</setting>
  </defaults>
"""
DEMO = """\
<?xml version="1.0" encoding="UTF-8"?>
<integration xmlns="urn:herald:integration:1" name="house" provider="drimify"
             enabled="true">
  <label>Mail to the players by the house</label>
  <workspaces all="true"/>
  <mail>
    <from name="Acme Games"/>
    <reply-to address="hello@acme.example"/>
    <to source="email"/>
    <bcc address="audit@acme.example"/>
    <subject>Well done, {{firstName}}!</subject>
    <text>Hello {{firstName}} {{lastName}},
you made {{score}} points. Greetings to {{town}}!
</text>
  </mail>
  <delivery>
    <retry schedule="1s 2s 5s"/>
    <in-flight max="8"/>
  </delivery>
</integration>
"""


class Drimify(Smtp):
    """A mail server that takes mail from one sender."""

    name = "drimify"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        starttls = world.certificates.context()
        self._policies = {
            "relay": Policy(login="", starttls=starttls,
                            is_login_required=False, only_sender=SENDER),
            "open": Policy(login="", is_tls_required=False,
                           is_login_required=False, only_sender=SENDER),
        }

    @classmethod
    def integration(cls, ports: Dict[str, int]) -> Integration:
        return Integration(
            cls.name, "house", DEMO, {},
            [{"service": cls.name, "stage": "rcpt",
              "script": [{"times": 40},
                         {"reply": "451 4.3.0 try again later"}]}],
            "mails", is_mailer=True,
            defaults=DEFAULTS.format(port=ports["relay"]))

    def _keep(self, session: Session, envelope: Envelope,
              message: bytes) -> Optional[str]:
        head = email.message_from_bytes(message.partition(b"\r\n\r\n")[0],
                                        policy=email.policy.default)
        if [one.addr_spec for one in head["from"].addresses] != [SENDER]:
            return f"From is not {SENDER}"
        return super()._keep(session, envelope, message)
