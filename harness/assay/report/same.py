"""What stays the same however much of the outputs and details the page shows, computed once for a view. Pure.

In: a `View`. Out: by object of the view, the values that data.py makes again and again with other limits. An object is
found by its identity, so a `Same` is for one view, whose objects live as long.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar

from ..model import CaseResult, UnitResult, Verdict
from ..record import Record
from ..record.differ import ran
from .case import CheckRow, RequirementRow
from .count import Count
from .versions import VersionTable
from .view import View

T = TypeVar("T")
VERDICTS = tuple(verdict.value for verdict in Verdict)
PLACES = {verdict: place for place, verdict in enumerate(Verdict)}
WORDS = 100
"""The most words of a command line that are shown."""


class Same:
    """`begin` has, by runtime, the words with which its command lines begin; `number` the place of each case."""

    def __init__(self, view: View) -> None:
        self.begin = beginnings(view.record)
        self.number = {case.info.id: index for index, case in enumerate(view.cases)}
        self._kept: dict[tuple[Callable[..., Any], int], Any] = {}
        self._patterns: dict[tuple[Hashable, ...], tuple[Hashable, ...]] = {}

    def _once(self, make: Callable[[T], Any], of: T) -> Any:
        key = make, id(of)
        if key not in self._kept:
            self._kept[key] = make(of)
        return self._kept[key]

    def pattern(self, units: Sequence[UnitResult | None]) -> tuple[Hashable, ...]:
        """Returns what is shown of these units. Units that look alike have the same object."""
        return self._once(self._pattern, units)  # type: ignore[no-any-return]

    def _pattern(self, units: Sequence[UnitResult | None]) -> tuple[Hashable, ...]:
        plain = tuple(None if unit is None else plainly(unit) for unit in units)
        return self._patterns.setdefault(plain, plain)

    def run(self, result: CaseResult) -> tuple[int, str, tuple[int, ...]]:
        """Returns the place of the verdict, how it ended in words, and numbers."""
        return self._once(_run, result)  # type: ignore[no-any-return]

    def argv(self, result: CaseResult) -> list[str]:
        """Returns the words of the command line after those with which all of the runtime begin."""
        return self._once(self._argv, result)  # type: ignore[no-any-return]

    def _argv(self, result: CaseResult) -> list[str]:
        return quoted(result.observation.argv[len(self.begin[result.runtime]) :])

    def cells(self, table: VersionTable) -> tuple[list[list[int | list[int]]], list[int | list[int]]]:
        """Returns the cells of the rows, and of the sums."""
        return self._once(_cells, table)  # type: ignore[no-any-return]

    def places(self, row: RequirementRow) -> list[list[int]]:
        """Returns [case, which of its checks] for each check."""
        return self._once(self._places, row)  # type: ignore[no-any-return]

    def _places(self, row: RequirementRow) -> list[list[int]]:
        return [[self.number[one.case.id], place_of(one)] for one in row.rows]


def plainly(unit: UnitResult) -> tuple[Hashable, ...]:
    """Returns what is shown of a unit: not its id, and not the detail of a pass."""
    detail = "" if unit.verdict is Verdict.PASS else unit.detail
    return unit.verdict, detail, unit.value, unit.expected, unit.unexpected, unit.word, unit.verdicts


def _run(result: CaseResult) -> tuple[int, str, tuple[int, ...]]:
    seen = result.observation
    times = (round(seen.wall * 1000), round(seen.cpu * 1000)) if ran(result) else (-1, -1)
    left = [1] if seen.leftovers else []
    return PLACES[result.verdict], result.reason or str(seen.outcome), (*times, seen.peak_rss_kib, *left)


def _cells(table: VersionTable) -> tuple[list[list[int | list[int]]], list[int | list[int]]]:
    return [[cell(count) for count in counts] for _, counts in table.rows], [cell(count) for count in table.sums]


def cell(count: Count) -> int | list[int]:
    """Returns the number that passes where all do, or passed, failed, unsupported, in error, not run."""
    if count.passed == count.total:
        return count.passed
    return [count.passed, count.failed + count.flaky, count.unsupported, count.errors, count.not_run]


def quoted(argv: Sequence[str]) -> list[str]:
    """Returns the words of a command line as a shell takes them."""
    return [shlex.quote(word) for word in argv[:WORDS]]


def place_of(row: CheckRow) -> int:
    """Returns the place of a check in its case."""
    return [check.id for check in row.case.checks].index(row.check.id)


def beginnings(record: Record) -> Mapping[str, tuple[str, ...]]:
    """Returns the words with which all command lines of each runtime begin."""
    found: dict[str, tuple[str, ...]] = {}
    for result in record.results:
        if line := result.observation.argv:
            had = found.setdefault(result.runtime, line)
            if line[: len(had)] != had:
                pairs = enumerate(zip(had, line, strict=False))
                end = next((place for place, (one, other) in pairs if one != other), min(len(had), len(line)))
                found[result.runtime] = had[:end]
    return {runtime.name: found.get(runtime.name, ()) for runtime in record.present}
