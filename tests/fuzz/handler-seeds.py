# SPDX-License-Identifier: MIT
"""handler-seeds.py - seeds for fuzz-handlers, out of the golden cases.

    handler-seeds.py PLUGINS-DIRECTORY OUTPUT-DIRECTORY

Each case's replies, as they are, in a file of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def seed(case: Path) -> str:
    """The input that gives this case the replies it has; "" for none."""
    text = case.read_text(encoding="utf-8", errors="surrogateescape")
    sections = re.split(r"(?m)^--- *(\S+).*\n", text)
    replies = [body.rstrip("\n") for name, body
               in zip(sections[1::2], sections[2::2]) if name == "reply"]
    replies = [body for body in replies if body[:1].isdigit()]
    if not replies:
        return ""
    return (f"{case.parent.parent.name}/{case.stem}\n"
            + "\n---\n".join(replies))


def main() -> None:
    plugins, output = Path(sys.argv[1]), Path(sys.argv[2])
    output.mkdir(parents=True, exist_ok=True)
    for case in sorted(plugins.glob("*/cases/*.case")):
        text = seed(case)
        if text:
            name = f"{case.parent.parent.name}-{case.stem}"
            (output / name).write_text(text, encoding="utf-8",
                                       errors="surrogateescape")


if __name__ == "__main__":
    main()
