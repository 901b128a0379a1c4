"""Toolchain × runtime: the cases whose guest is one and the same program, by the toolchain that made it. Pure.

In: cases with their results, the versions of the toolchains by guest. Out: a row for each case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .case import CaseView

GUEST = "program-"
"""The guests of these cases are named after it and their toolchain: `program-go.wasm`."""


@dataclass(frozen=True)
class ToolchainRow:
    """One case. `modules`: runtimes that take core modules run the module of preview 1, the others the component."""

    name: str
    version: str
    modules: bool
    case: CaseView


def toolchain_rows(cases: Sequence[CaseView], versions: Mapping[str, str]) -> tuple[ToolchainRow, ...]:
    """Returns the rows, by toolchain; of each the component before the module."""
    rows = [
        ToolchainRow(guest.removeprefix(GUEST), versions.get(guest, ""), case.info.id.startswith("p1/"), case)
        for case in cases
        for guest in [case.info.component.removesuffix(".wasm")]
        if guest.startswith(GUEST) and not case.info.variant
    ]
    return tuple(sorted(rows, key=lambda row: (row.name, row.modules, row.case.info.id)))
