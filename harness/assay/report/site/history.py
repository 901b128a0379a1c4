"""What each unit came to in earlier runs, in the form that the pages show. Pure.

In: runs, oldest first. Out: a `History`, which has a letter for each run of each unit, and its short form.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
SHOWN = 6
"""How many runtimes the words of a run name."""


def letter(unit: UnitResult | None) -> str:
    """Returns the letter of a unit, in lower case where it is not as announced."""
    if unit is None:
        return ABSENT
    made = LETTERS[unit.verdict]
    return made.lower() if unit.unexpected else made


@dataclass(frozen=True)
class HistoryRun:
    """One run: where it is from, when it began (ISO 8601), the versions of its runtimes by their names, the label that
    a person gave to it, and its suite."""

    id: str
    date: str
    versions: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    suite: str = ""

    @property
    def words(self) -> str:
        """What it is of, and where it is from: `p2 on touchstone, wasmtime; one/results.jsonl`."""
        first, more = list(self.versions)[:SHOWN], len(self.versions) - SHOWN
        on = ", ".join(first) + (f" and {more} more" if more > 0 else "")
        return "; ".join(part for part in (f"{self.suite} on {on}" if first else self.suite, self.id) if part)


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


def names(runs: Sequence[HistoryRun]) -> tuple[str, ...]:
    """Returns a name for each run: its label, or else when it began. Runs that would have the same name get more of what
    tells them apart: the time, the second, and where they are from."""
    minutes, seconds = ([run.date[:length].replace("T", " ") for run in runs] for length in (16, 19))
    forms = [
        [run.label or f"run of {minute}" for run, minute in zip(runs, minutes, strict=True)],
        [f"{run.label}, {minute}" if run.label else f"run of {second}" for run, minute, second in zip(runs, minutes, seconds, strict=True)],
        [f"{run.label or 'run'}, {second}, {run.id}" for run, second in zip(runs, seconds, strict=True)],
    ]
    often = [Counter(form) for form in forms]
    return tuple(
        next((form[n] for form, count in zip(forms, often, strict=True) if count[form[n]] == 1), forms[-1][n])
        for n in range(len(runs))
    )


class Builder:
    """Makes a history of runs that are added one after the other, the oldest first."""

    def __init__(self) -> None:
        self._runs: list[HistoryRun] = []
        self._strips: dict[tuple[str, str, str], str] = {}

    def add(self, run: HistoryRun, units: Iterable[tuple[str, str, str, Verdict]]) -> None:
        """Adds a run. `units` has the case, the unit, the runtime, and what it came to."""
        renamed = plain(run.versions)
        for case, unit, runtime, verdict in units:
            key = (case, unit, renamed.get(runtime, runtime))
            self._strips[key] = self._strips.get(key, "").ljust(len(self._runs), ABSENT) + LETTERS[verdict]
        self._runs.append(replace(run, versions={renamed[name]: version for name, version in run.versions.items()}))

    def add_record(self, name: str, record: Record, label: str = "") -> None:
        """Adds the run that a record is of. `name` says where it is from."""
        versions = {item.name: item.version for item in record.present}
        run = HistoryRun(name, record.started, versions, label, record.suite.name)
        self.add(run, ((one.case, unit.id, one.runtime, unit.verdict) for one in record.results for unit in one.units))

    @property
    def made(self) -> History:
        whole = {key: letters.ljust(len(self._runs), ABSENT) for key, letters in self._strips.items()}
        return History(tuple(self._runs), whole)
