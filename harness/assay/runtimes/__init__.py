"""Adapters: one file for each runtime, each about eighty lines.

An adapter finds its runtime, writes the command line of a job and interprets how a finished process ended. It
makes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable

from .base import Adapter, OverrideError, Places, Runtime, ScriptAdapter, places
from .jco import Jco
from .touchstone import Touchstone
from .wasmtime import Wasmtime
from .wasmtime_py import WasmtimePy

ADAPTERS: tuple[Adapter, ...] = (Touchstone(), Wasmtime(), WasmtimePy(), Jco())
"""In the order of the report's columns."""

ALIKE: dict[str, Callable[[str], Adapter]] = {
    "touchstone": lambda name: Touchstone(name, reference=False),
    "wasmtime": Wasmtime,
}
"""The command lines that another program may speak (`--also NAME=LIKE:PROGRAM`)."""

__all__ = ["ADAPTERS", "ALIKE", "Adapter", "OverrideError", "Places", "Runtime", "ScriptAdapter", "places"]
