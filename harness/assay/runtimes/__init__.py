"""The runtimes: what one declares, how one is found, its command line, and how it tells an ending.

Each runtime is one file in `known/`, in another package, or in a user's folder (`registry.py`). An adapter makes
no verdict.
"""

from __future__ import annotations

from .about import About, Can
from .base import Adapter, Runtime, ScriptAdapter, WholeScriptAdapter
from .places import OverrideError, Places, places, variable

__all__ = [
    "About",
    "Adapter",
    "Can",
    "OverrideError",
    "Places",
    "Runtime",
    "ScriptAdapter",
    "WholeScriptAdapter",
    "places",
    "variable",
]
