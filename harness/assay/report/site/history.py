"""What each unit came to in earlier runs, in the form that the pages show. Pure.

In: runs, oldest first. Out: a `History`, which has a letter for each run of each unit, and its short form.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ...model import UnitResult, Verdict
from ...record import Record

LETTERS = {
    Verdict.PASS: "P",
    Verdict.SKIP: "S",
    Verdict.UNSUPPORTED: "U",
    Verdict.FLAKY: "Y",
    Verdict.FAIL: "F",
    Verdict.TIMEOUT: "T",
    Verdict.CRASH: "C",
    Verdict.ERROR: "E",
}
ABSENT = "."
"""The letter of a unit that a run does not have."""


def letter(unit: UnitResult | None) -> str:
    """Returns the letter of a unit, in lower case where it is not as announced."""
    if unit is None:
        return ABSENT
    made = LETTERS[unit.verdict]
    return made.lower() if unit.unexpected else made


@dataclass(frozen=True)
class HistoryRun:
    """One run: what names it, when it began (ISO 8601), and the versions of its runtimes by their names."""

    id: str
    date: str
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """The runs, oldest first. `strips` has, by case, unit and runtime, a letter for each run in the same order."""

    runs: tuple[HistoryRun, ...] = ()
    strips: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    def strip(self, case: str, unit: str, runtime: str) -> str:
        """Returns the letters in short form: `P3F` is a pass in three runs, and then a failure. A column
        `NAME@VERSION` without letters of its own has those of NAME."""
        own, base = (self.strips.get((case, unit, name), "") for name in (runtime, runtime.partition("@")[0]))
        return short(own or base)


def short(letters: str) -> str:
    """Returns runs of one letter as the letter and their number."""
    return "".join(
        f"{mark}{number if number > 1 else ''}"
        for mark, same in itertools.groupby(letters)
        for number in [len(list(same))]
    )


def plain(names: Iterable[str]) -> dict[str, str]:
    """Returns by the name of each column the runtime that it is in a history: NAME of `NAME@VERSION`, if the run has no
    other version of it."""
    bases = {name: name.partition("@")[0] for name in names}
    number = Counter(bases.values())
    return {name: base if number[base] == 1 else name for name, base in bases.items()}


class Builder:
    """Makes a history of runs that are added one after the other, the oldest first."""

    def __init__(self) -> None:
        self._runs: list[HistoryRun] = []
        self._strips: dict[tuple[str, str, str], str] = {}

    def add(self, run: HistoryRun, units: Iterable[tuple[str, str, str, Verdict]]) -> None:
        """Adds a run. `units` has the case, the unit, the runtime, and what it came to."""
        names = plain(run.versions)
        for case, unit, runtime, verdict in units:
            key = (case, unit, names.get(runtime, runtime))
            self._strips[key] = self._strips.get(key, "").ljust(len(self._runs), ABSENT) + LETTERS[verdict]
        versions = {names[name]: version for name, version in run.versions.items()}
        self._runs.append(HistoryRun(run.id, run.date, versions))

    def add_record(self, name: str, record: Record) -> None:
        """Adds the run that a record is of."""
        run = HistoryRun(name, record.started, {item.name: item.version for item in record.present})
        self.add(run, ((one.case, unit.id, one.runtime, unit.verdict) for one in record.results for unit in one.units))

    @property
    def made(self) -> History:
        whole = {key: letters.ljust(len(self._runs), ABSENT) for key, letters in self._strips.items()}
        return History(tuple(self._runs), whole)
