"""The rows of the interfaces: what the pages count and the query box searches. Pure.

In: a `View`. Out: for each interface some objects, each of bounded size and whole by itself:

    name       of the interface
    functions  their names
    cases      their ids
    strings    a letter a runtime, as history.py says
    tuples     for each version, the index of its string, or -1
    rows       [function, requirement, level, since, words, [[case, string, tuple + 1, groups] …]]

The level is 0 for MUST, 1 for SHOULD, 2 for a recorded value, 3 for how a run ended (then the requirement is
`@expect` and the function is -1). `groups` has a digit a runtime: the same digit is the same value. Zeros and empty
texts at the end of a check are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...model import EXPECT_UNIT, CaseResult, Level, UnitResult
from ..case import CaseView, CheckRow
from ..data import Once
from ..view import InterfaceRow, View
from .files import size
from .history import letter

LEVELS = {Level.MUST: 0, Level.SHOULD: 1, Level.UNSPECIFIED: 2}
RUN = 3
LIMIT = 180_000
"""Bytes of one object: the row that exceeds them is its last one."""
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Line:
    """A requirement on a function, before its texts are replaced by indices."""

    function: str
    requirement: str
    level: int
    since: str
    words: str
    checks: tuple[tuple[str, str, tuple[str, ...], str], ...]
    """Of each case: its id, its string, its string at each version, and its groups."""


@dataclass
class Object:
    """One object while it is made: the tables that its rows share, and the rows."""

    name: str
    functions: Once = field(default_factory=Once)
    cases: Once = field(default_factory=Once)
    strings: Once = field(default_factory=Once)
    tuples: Once = field(default_factory=Once)
    rows: list[Any] = field(default_factory=list)
    size: int = 0
    """Bytes."""

    @property
    def tables(self) -> dict[str, list[Any]]:
        return {
            "functions": self.functions.items,
            "cases": self.cases.items,
            "strings": self.strings.items,
            "tuples": self.tuples.items,
        }

    @property
    def value(self) -> dict[str, object]:
        return {"name": self.name, **self.tables, "rows": self.rows}

    def add(self, line: Line) -> None:
        had = {name: len(items) for name, items in self.tables.items()}
        row = self._row(line)
        self.rows.append(row)
        self.size += size(row) + sum(size(items[had[name] :]) for name, items in self.tables.items())

    def _row(self, line: Line) -> list[Any]:
        checks = []
        for case, string, versions, groups in line.checks:
            at = tuple(self.strings.add(one) if one else -1 for one in versions)
            place = 1 + self.tuples.add(at, list(at)) if any(versions) else 0
            made = [self.cases.add(case), self.strings.add(string), place, groups]
            while len(made) > 2 and not made[-1]:
                made.pop()
            checks.append(made)
        function = self.functions.add(line.function) if line.level != RUN else -1
        return [function, line.requirement, line.level, line.since, line.words, checks]


def columns(view: View) -> tuple[str, ...]:
    """Returns the versions that a case or variant is against, in their order."""
    return view.summaries[0].versions.columns if view.summaries else ()


class Rows:
    """Makes the rows of all interfaces of a view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.columns = columns(view)
        counted = [case for case in view.cases if not case.info.variant]
        self.cases = {case.info.id: case for case in counted}
        self.at = {case.info.id: self._versions(case) for case in counted}

    def _versions(self, case: CaseView) -> Mapping[tuple[str, str], str]:
        """Returns the strings of a case and its variants by unit and version."""
        if not case.variants:
            return {}
        return {
            (unit, shown.info.variation): string(results)
            for shown in (case, *case.variants)
            if shown.info.variation
            for unit, results in [(EXPECT_UNIT, shown.expect), *((row.check.id, row.results) for row in shown.checks)]
        }

    def _check(self, case: str, unit: str, results: Sequence[UnitResult | None], groups: str) -> Any:
        versions = tuple(self.at[case].get((unit, column), "") for column in self.columns)
        return case, string(results), versions, groups

    def lines(self, interface: InterfaceRow) -> Iterator[Line]:
        for function in interface.functions:
            for row in function.requirements:
                check = row.check
                yield Line(
                    function.name,
                    check.id,
                    LEVELS[check.level],
                    check.since,
                    check.text,
                    tuple(self._check(one.case.id, check.id, one.results, self._groups(one)) for one in row.rows),
                )
        for case in self.cases.values():
            if interface.name in case.info.interfaces:
                mine = self._check(case.info.id, EXPECT_UNIT, case.expect, "")
                yield Line("", EXPECT_UNIT, RUN, "", case.info.title, (mine,))

    def _groups(self, row: CheckRow) -> str:
        """Returns a digit a runtime; equal values have equal digits, and no value is a dot."""
        if len(row.value_groups) < 2:
            return ""
        digits = {name: DIGITS[min(index, 35)] for index, group in enumerate(row.value_groups) for name in group.runtimes}
        return "".join(digits.get(runtime.name, ".") for runtime in self.view.runtimes)

    def objects(self, interface: InterfaceRow) -> list[dict[str, object]]:
        """Returns the objects of an interface, at least one."""
        made = [Object(interface.name)]
        for line in self.lines(interface):
            if made[-1].size > LIMIT:
                made.append(Object(interface.name))
            made[-1].add(line)
        return [one.value for one in made]


def string(results: Iterable[UnitResult | None]) -> str:
    """Returns a letter for each result of a unit."""
    return "".join(letter(unit) for unit in results)


def string_of_results(results: Iterable[CaseResult | None]) -> str:
    """Returns a letter for each result of a case as a whole."""
    return string(
        UnitResult(result.case, result.verdict, unexpected=result.unexpected) if result else None for result in results
    )
