# SPDX-License-Identifier: MIT
"""results.py - what a benchmark found, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List

from runs import Measure


@dataclass
class Requirement:
    what: str
    value: float
    limit: float
    is_ceiling: bool = False
    why: str = ""                # this and not what is asked for elsewhere

    @property
    def is_met(self) -> bool:
        return self.value < self.limit if self.is_ceiling \
            else self.value >= self.limit


@dataclass
class Result:
    """What one benchmark found."""
    name: str
    title: str
    measures: Dict[str, Measure] = field(default_factory=dict)
    requirements: List[Requirement] = field(default_factory=list)
    skipped: str = ""
    notes: List[str] = field(default_factory=list)     # what is lacking
    texts: List[str] = field(default_factory=list)     # what else was seen
