# SPDX-License-Identifier: MIT
"""disk.py - a store whose disk fails when it is told to.

FaultFs switches faultfs.c, which is preloaded; Tmpfs is a small file system
of its own that can be filled, where mounting is allowed.
"""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from pathlib import Path
from typing import Dict, Optional

#: As in faultfs.c.
FULL, WRITE, SYNC, SHORT = 1, 2, 4, 8


class FaultFs:
    """The switch of faultfs.c, and the environment it needs."""

    def __init__(self, module: str, under: Path, switch: Path) -> None:
        switch.write_bytes(bytes(16))
        self._file = open(switch, "r+b")
        self._memory = mmap.mmap(self._file.fileno(), 16)
        self.env: Dict[str, str] = {
            "LD_PRELOAD": module, "FAULTFS_UNDER": os.path.realpath(under),
            "FAULTFS_SWITCH": str(switch),
            # A sanitizer's own library need not come first, and a crash
            # that is meant is no finding.
            "ASAN_OPTIONS": "verify_asan_link_order=0:handle_segv=0:"
                            + os.environ.get("ASAN_OPTIONS", "")}

    def set(self, faults: int, chance: int = 1000) -> None:
        """These faults, for chance of a thousand calls; 0: none."""
        self._memory[0:8] = struct.pack("=II", faults, chance)

    @property
    def n_failed(self) -> int:
        return struct.unpack("=I", self._memory[8:12])[0]

    def close(self) -> None:
        self._memory.close()
        self._file.close()


class Tmpfs:
    """A file system of so many MiB at a directory; make () says whether that
    was allowed."""

    def __init__(self, where: Path, mebibytes: int = 48) -> None:
        self.where = where
        self._size = mebibytes
        self._is_mounted = False

    def make(self) -> bool:
        if os.geteuid() != 0:
            return False
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self._size}m,mode=700",
             "herald-chaos", str(self.where)], capture_output=True)
        self._is_mounted = done.returncode == 0
        return self._is_mounted

    def fill(self) -> None:
        """Until not a byte goes in."""
        if not self._is_mounted:
            return
        with open(self.where / "filler", "ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    def clear(self) -> None:
        try:
            (self.where / "filler").unlink()
        except OSError:
            pass

    def close(self) -> None:
        if self._is_mounted:
            self.clear()
            subprocess.run(["umount", "-l", str(self.where)],
                           capture_output=True)
            self._is_mounted = False


def preloaded(module: Optional[str]) -> bool:
    """Whether the shim was built."""
    return bool(module) and os.path.exists(str(module))
