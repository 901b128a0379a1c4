"""Verdicts: pure functions from a case and an observation to results."""

from __future__ import annotations

from collections.abc import Callable

from ..model import Kind
from .attempts import agree, first_of, joined, marked
from .expect import CaseExpectations, Expectations, Tables
from .expect_programs import ProgramExpectations
from .expect_scripts import ScriptExpectations
from .verdicts import Definition, judge, of_units, skip, split_output

_EXPECTATIONS: dict[Kind, Callable[[Tables, Callable[[str], str]], Expectations]] = {
    Kind.CASE: CaseExpectations,
    Kind.SCRIPT: ScriptExpectations,
    Kind.PROGRAM: ProgramExpectations,
}


def expectations(kind: Kind, tables: Tables, where: Callable[[str], str]) -> Expectations:
    """Returns what the tables announce. `where` names the source of a runtime's tables in errors."""
    return _EXPECTATIONS[kind](tables, where)


__all__ = [
    "Definition",
    "agree",
    "expectations",
    "first_of",
    "joined",
    "judge",
    "marked",
    "of_units",
    "skip",
    "split_output",
]
