# SPDX-License-Identifier: MIT
"""services - the stand-ins, one file each.

A new one is found by being here: a module with one subclass of Service whose
name is set.  No list is kept anywhere.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Dict, Type

from service import Service


def load() -> Dict[str, Type[Service]]:
    """Every stand-in by its name."""
    found: Dict[str, Type[Service]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ \
                    and issubclass(kind, Service) and kind.name:
                found[kind.name] = kind
    return found
