"""The variants of the cases, counted by interface and by what they are against: another version of WASI, or a kernel
without openat2. Pure.

In: cases with their results, a runtime. Out: a `VersionTable`. A unit of it is a `must` check of a variant, or how
its run ended. suites/README.md ("The versions") has the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..model import EXPECT_UNIT, Level, UnitResult, Verdict
from .case import CaseView
from .count import Count, count_unit, total


@dataclass(frozen=True)
class VersionUnit:
    """A unit of a case or variant, with its result on each runtime."""

    interface: str
    column: str
    original: CaseView
    case: CaseView
    id: str
    results: tuple[UnitResult | None, ...]


@dataclass(frozen=True)
class VersionFailure:
    """A unit that does not pass, for the same reason at each of these variants."""

    interfaces: tuple[str, ...]
    original: CaseView
    id: str
    unit: UnitResult
    at: tuple[CaseView, ...]


@dataclass(frozen=True)
class VersionTable:
    """One runtime. A row has the counts of an interface in the order of `columns`."""

    columns: tuple[str, ...]
    """Versions, and `without-openat2` after them."""
    rows: tuple[tuple[str, tuple[Count, ...]], ...]
    sums: tuple[Count, ...]
    """By column, each unit once."""
    total: Count
    """Of the variants. The cases themselves are in the matrix."""
    failures: tuple[VersionFailure, ...]


def version_tables(cases: Sequence[CaseView], runtimes: int) -> tuple[VersionTable, ...]:
    """Returns the table of each runtime."""
    units = [unit for case in cases if case.variants for unit in _units(case)]
    columns = tuple(sorted({unit.column for unit in units}, key=_order))
    cells: dict[tuple[str, str], list[VersionUnit]] = {}
    for unit in units:
        cells.setdefault((unit.interface, unit.column), []).append(unit)
    interfaces = sorted({unit.interface for unit in units})
    every = {(unit.case.info.id, unit.id): unit for unit in units}.values()
    variants = [unit for unit in every if unit.case.info.variant]
    by_column = [[unit for unit in every if unit.column == column] for column in columns]

    def sums(of: Iterable[VersionUnit], index: int) -> Count:
        return total(count_unit(unit.results[index], Level.MUST) for unit in of)

    return tuple(
        VersionTable(
            columns,
            tuple(
                (name, tuple(sums(cells.get((name, column), ()), index) for column in columns)) for name in interfaces
            ),
            tuple(sums(mine, index) for mine in by_column),
            replace(sums(variants, index), unit="variants"),
            _failures(units, index),
        )
        for index in range(runtimes)
    )


def _order(column: str) -> tuple[bool, int]:
    number = column.rpartition(".")[2]
    return (not number.isdecimal(), int(number) if number.isdecimal() else 0)


def _units(original: CaseView) -> Iterator[VersionUnit]:
    """Yields the units of a case and its variants. How a run ended is one of each of the case's interfaces."""
    for case in (original, *original.variants):
        variation = case.info.variation
        if not variation:
            continue
        for name in case.info.interfaces:
            yield VersionUnit(name, variation, original, case, EXPECT_UNIT, case.expect)
        for row in case.checks:
            if row.check.level is Level.MUST:
                yield VersionUnit(row.check.interface, variation, original, case, row.check.id, row.results)


def _failures(units: Sequence[VersionUnit], index: int) -> tuple[VersionFailure, ...]:
    found: dict[tuple[str, UnitResult], list[VersionUnit]] = {}
    for unit in units:
        result = unit.results[index]
        if result is not None and result.verdict is not Verdict.PASS and result.verdict is not Verdict.SKIP:
            found.setdefault((unit.original.info.id, result), []).append(unit)
    return tuple(
        VersionFailure(
            tuple(dict.fromkeys(unit.interface for unit in mine)),
            mine[0].original,
            result.id,
            result,
            tuple({unit.case.info.id: unit.case for unit in mine}.values()),
        )
        for (_, result), mine in found.items()
    )
