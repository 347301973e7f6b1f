# SPDX-License-Identifier: MIT
"""mails.py - mails to send in ten scripts and more, and how they are read
back.

Python's email package reads them: it is no work of ours.
"""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from typing import Any, Dict, List, NamedTuple


class Person(NamedTuple):
    first: str
    last: str
    text: str


#: A script: who is written to, and what.
PEOPLE: Dict[str, Person] = {
    "latin": Person("Zoë", "Łukasz-Kjærgård", "Élan, çà et là: ½ naïf œuf"),
    "greek": Person("Ελένη", "Παπαδοπούλου", "Συγχαρητήρια, κέρδισες!"),
    "cyrillic": Person("Олена", "Шевченко", "Вітаємо з перемогою, їжачку"),
    "hebrew": Person("יעל", "כהן", "מזל טוב, ניצחת (באמת)!"),
    "arabic": Person("ليلى", "حداد", "تهانينا، لقد فزت بالجائزة"),
    "devanagari": Person("अनन्या", "शर्मा", "बधाई हो, आप जीत गए"),
    "thai": Person("สมชาย", "ใจดี", "ยินดีด้วย คุณชนะแล้ว"),
    "chinese": Person("芳", "王", "恭喜你赢得了比赛，请查收奖品"),
    "japanese": Person("さくら", "佐藤", "おめでとうございます。ゲームに勝ちました"),
    "korean": Person("지민", "김", "축하합니다, 이겼습니다"),
    "emoji": Person("\U0001f389 Jo", "\U0001f469\u200d\U0001f680",
                    "\U0001f3c6 \U0001f1eb\U0001f1f7 \u2764\ufe0f"),
    "tricky": Person('Jo "Ace"', "Smith, & <Sons> =?x?=",
                     "=20 =?utf-8?q?no?= 100 % \\ {{{id}}}"),
}
#: A name, a subject and both bodies in everyone's script.
CONTENT = """\
<mail>
  <from name="Spiele für Łódź" address="play@acme.example"/>
  <reply-to name="Hilfe für Łódź" address="hello@acme.example"/>
  <to source="email" name="{{firstName}} {{lastName}}"/>
  <bcc address="audit@acme.example"/>
  <subject>{{firstName}}: {{customText}}</subject>
  <text>{{firstName}} {{lastName}}
{{customText}}
.
..
. a line of its own
End {{score}}</text>
  <html><![CDATA[<p>{{firstName}}</p><p>{{{customText}}}</p>]]></html>
</mail>"""
REST = "\n.\n..\n. a line of its own\nEnd 7"


def event_data(script: str) -> Dict[str, Any]:
    person = PEOPLE[script]
    return {"email": f"{script}@example.com", "firstName": person.first,
            "lastName": person.last, "customText": person.text, "score": 7}


def read(message: bytes) -> EmailMessage:
    return email.message_from_bytes(message,
                                    policy=email.policy.default)  # type: ignore


def problems(message: bytes, script: str) -> str:
    """What of the mail does not come out as it went in; empty if all is
    well."""
    person = PEOPLE[script]
    mail = read(message)
    found = []
    if mail.defects:
        found.append(f"defects: {mail.defects}")
    to = mail["to"].addresses[0]
    sender = mail["from"].addresses[0]
    answers = mail["reply-to"].addresses[0]
    wanted = {
        "to": ((to.display_name, to.addr_spec),
               (f"{person.first} {person.last}", f"{script}@example.com")),
        "from": ((sender.display_name, sender.addr_spec),
                 ("Spiele für Łódź", "play@acme.example")),
        "reply-to": ((answers.display_name, answers.addr_spec),
                     ("Hilfe für Łódź", "hello@acme.example")),
        "subject": (mail["subject"], f"{person.first}: {person.text}"),
        "text": (body(mail, "plain"), f"{person.first} {person.last}\n"
                 f"{person.text}{REST}"),
        "html": (body(mail, "html"), f"<p>{escaped(person.first)}</p>"
                 f"<p>{person.text}</p>"),
    }
    for what, (got, should) in wanted.items():
        if got != should:
            found.append(f"{what}: {got!r} is not {should!r}")
    if mail["bcc"] or b"audit@" in message:
        found.append("the blind copy shows")
    if mail.get_content_type() != "multipart/alternative":
        found.append(f"the type is {mail.get_content_type()}")
    long = [line for line in header_lines(message)
            if not line.isascii() or len(line) > 78]
    if long:
        found.append(f"not ASCII, or longer than 78: {long}")
    return "\n".join(found)


def header_lines(message: bytes) -> List[bytes]:
    """But for the one with the boundary, which can't be folded."""
    return [line for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n")
            if b"boundary=" not in line]


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return f"no {kind}"
    return part.get_content().replace("\r\n", "\n").rstrip("\n")


def escaped(text: str) -> str:
    for plain, made in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"),
                        ('"', "&quot;")):
        text = text.replace(plain, made)
    return text
