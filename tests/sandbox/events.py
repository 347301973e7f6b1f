#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""events.py - sample events, the same for the same seed.

Writes CloudEvents, one JSON object a line.  With --size, `data` alone (what a
webhook posts) has exactly so many bytes.  Streams: a million take seconds and
no memory.

  events.py --count 300 --seed 1 --without-email 5 --bad 4 > events.ndjson
  events.py --count 1000000 --size 500 > big.ndjson
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from typing import Iterator, List, NamedTuple, TextIO, Tuple

#: First and last names, town, country code, locale: ten scripts and more.
PEOPLE: List[Tuple[str, str, str, str, str]] = [
    ("Anna", "Schmidt", "Köln", "DE", "de-DE"),
    ("Zoë", "Lefèvre", "Orléans", "FR", "fr-FR"),
    ("Søren", "Kjærgård", "Århus", "DK", "da-DK"),
    ("José", "Muñoz", "Málaga", "ES", "es-ES"),
    ("Conor", "O'Brien", "Dún Laoghaire", "IE", "en-IE"),
    ("Łukasz", "Wiśniewski", "Łódź", "PL", "pl-PL"),
    ("Ελένη", "Παπαδοπούλου", "Θεσσαλονίκη", "GR", "el-GR"),
    ("Олена", "Шевченко", "Київ", "UA", "uk-UA"),
    ("Նարե", "Հակոբյան", "Երևան", "AM", "hy-AM"),
    ("ნინო", "ბერიძე", "თბილისი", "GE", "ka-GE"),
    ("יעל", "כהן", "חיפה", "IL", "he-IL"),
    ("ليلى", "حداد", "عمّان", "JO", "ar-JO"),
    ("अनन्या", "शर्मा", "दिल्ली", "IN", "hi-IN"),
    ("கவிதா", "முருகன்", "சென்னை", "IN", "ta-IN"),
    ("สมชาย", "ใจดี", "เชียงใหม่", "TH", "th-TH"),
    ("王", "芳", "上海", "CN", "zh-CN"),
    ("さくら", "佐藤", "京都", "JP", "ja-JP"),
    ("지민", "김", "부산", "KR", "ko-KR"),
    ("Nguyễn", "Thị Ánh", "Huế", "VN", "vi-VN"),
    ("Jo \"Ace\"", "Smith & <Sons>", "Bath", "GB", "en-GB"),
]
PRIZES = ["", "Weekend for two", "Кавоварка", "€20 voucher", "旅行券",
          "T-shirt 🎉"]
GAMES = ["summer-wheel", "memory-2026", "advent-calendar", "quiz-night"]
BAD_LINES = [
    '{"specversion":"1.0","id":"cut-in-the-middle","data":{"email":"a@',
    'not JSON at all',
    '{"specversion":"1.0","id":"no-workspace","source":"/games/x",'
    '"type":"game.played","data":{"email":"lost@example.com"}}',
    '{"specversion":"1.0","id":"stranger","source":"/games/x",'
    '"type":"game.played","workspace":"nobody",'
    '"data":{"email":"stranger@example.com"}}',
    '[1,2',
    '{"specversion":"1.0","id":"twice","id":"twice","source":"/x",'
    '"type":"game.played","workspace":"acme","data":{}}',
]


class Wish(NamedTuple):
    """What to make.  size 0: as it comes; the others are counts."""
    count: int
    size: int = 0
    seed: int = 1
    workspace: str = "acme"
    without_email: int = 0
    refused: int = 0            # addresses that the mail stand-in refuses
    bad: int = 0


def text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def person_json(person: Tuple[str, str, str, str, str]) -> str:
    """The fields of a person, made once and not for every event."""
    first, last, town, country, locale = person
    return (f'"firstName":{text(first)},"lastName":{text(last)},'
            f'"town":{text(town)},"countryCode":"{country}",'
            f'"locale":"{locale}"')


def data_json(number: int, pick: random.Random, people: List[str],
              size: int, address: str) -> str:
    """One event's data; has customText to fill it up to the size."""
    bits = pick.getrandbits(48)
    score = bits % 10000
    email = f'"email":"{address}",' if address else ""
    prize = PRIZES[(bits >> 16) % len(PRIZES)]
    made = (f'{{{email}{people[(bits >> 8) % len(people)]},'
            f'"id":"{number:08d}","score":{score},'
            f'"timeTaken":{bits % 600},'
            f'"optinNewsletter":{"true" if bits & 64 else "false"},'
            f'"prizeTitle":{text(prize)}')
    if size:
        fill = size - len(made.encode()) - len(',"customText":""}')
        if fill < 0:
            raise ValueError(f"an event's data needs {size - fill} bytes")
        made += f',"customText":"{"x" * fill}"'
    return made + "}"


def event_json(number: int, wish: Wish, pick: random.Random, data: str) -> str:
    second = number % 86400
    game = GAMES[number % len(GAMES)]
    return (f'{{"specversion":"1.0","id":"{wish.seed}-{number:08d}",'
            f'"source":"/games/{game}","type":"game.played",'
            f'"time":"2026-07-01T{second // 3600:02d}:'
            f'{second // 60 % 60:02d}:{second % 60:02d}Z",'
            f'"workspace":"{wish.workspace}",'
            f'"datacontenttype":"application/json","data":{data}}}')


def spread(count: int, total: int) -> set:
    """So many positions, evenly spread and never the first."""
    return {(i + 1) * total // (count + 1) for i in range(count)}


def events(wish: Wish) -> Iterator[str]:
    """The lines, bad ones between the good ones (they are not counted)."""
    pick = random.Random(wish.seed)
    people = [person_json(person) for person in PEOPLE]
    silent = spread(wish.without_email, wish.count)
    refused = spread(wish.refused, wish.count) - silent
    bad_at = sorted(spread(wish.bad, wish.count))
    bad = 0
    for number in range(wish.count):
        while bad < len(bad_at) and bad_at[bad] == number:
            yield BAD_LINES[bad % len(BAD_LINES)]
            bad += 1
        address = "" if number in silent else (
            f"refuse-550+{number}@example.com" if number in refused
            else f"player{number}@example.com")
        data = data_json(number, pick, people, wish.size, address)
        yield event_json(number, wish, pick, data)


def write(wish: Wish, file: TextIO) -> None:
    block: List[str] = []
    for line in events(wish):
        block.append(line)
        if len(block) == 1000:
            file.write("\n".join(block) + "\n")
            block.clear()
    if block:
        file.write("\n".join(block) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description="Make sample events.")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--size", type=int, default=0,
                        help="bytes of data, exactly")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workspace", default="acme")
    parser.add_argument("--without-email", type=int, default=0, metavar="N")
    parser.add_argument("--refused", type=int, default=0, metavar="N",
                        help="addresses that the mail stand-in refuses")
    parser.add_argument("--bad", type=int, default=0, metavar="N",
                        help="bad lines between the good ones")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")            # type: ignore
    try:
        write(Wish(**vars(options)), sys.stdout)
    except ValueError as error:
        print(f"events.py: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
