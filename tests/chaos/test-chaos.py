#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A minute of chaos with a fixed seed, for make check; make chaos has more."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import chaos                                            # noqa: E402

if __name__ == "__main__":
    sys.argv = ["chaos.py", "--seed", "1", "--rounds", "2", "--seconds", "7",
                "--every", "0.6", "--rate", "120"]
    sys.exit(chaos.main())
