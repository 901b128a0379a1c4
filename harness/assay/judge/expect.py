"""Known results: what suites/expectations/ announces, and which results differ from it.

In: the [[cause]] and [[expected]] tables of a file or of a record, and results. Out: the results with `expected` and
`unexpected` set, the entries that match nothing, and the text of a new file. Pure but for `read_tables`. This
module has what the three suites share, and the expectations of cases. Those of scripts and programs are in
expect_scripts.py and expect_programs.py.
"""

from __future__ import annotations

import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..model import EXPECT_UNIT, Case, CaseResult, Expected, Level, UnitResult, Verdict, original
from .causes import KEYS, NO_THREAD, UNSORTED, ExpectationError, Why, grouped, quote, resolve, why, why_lines
from .verdicts import Definition

__all__ = ["CaseExpectations", "Entry", "ExpectationError", "Expectations", "quote"]

Table = Mapping[str, Any]
"""One [[expected]] table as its file has it."""
Tables = Mapping[str, Sequence[Table]]
"""The tables by runtime. A record keeps them, so that it can be judged again."""
Known = Mapping[str, Collection[str] | None]
"""The cases that exist, each with the ids of its units, or None where these are not known."""


class Expectations(ABC):
    """What is announced for the results of one suite."""

    tables: Tables

    @abstractmethod
    def mark(self, result: CaseResult, case: Definition, *, strict: bool, judged: bool) -> CaseResult:
        """Returns the result with the announcement for each unit, and whether the unit differs from it.

        `judged` is whether the run judges this runtime."""

    @abstractmethod
    def stale(self, known: Known, judged: Collection[str]) -> tuple[str, ...]:
        """Describes the entries for the judged runtimes that match nothing."""


@dataclass(frozen=True)
class Entry:
    """What is announced for one unit of a case, or for all of them that do not pass."""

    case: str
    check: str | None
    statuses: tuple[Verdict, ...]
    why: Why
    observed: str = ""
    """What the runtime did, in the words of the check."""
    runtimes: tuple[str, ...] = ()
    """The only runtimes that it holds for, of those that share the file. Empty: for all of them."""

    def holds_for(self, runtime: str) -> bool:
        return not self.runtimes or runtime in self.runtimes

    @property
    def expected(self) -> Expected:
        return self.why.expected(self.statuses)

    def __str__(self) -> str:
        return f"{self.case} {self.check or '(whole case)'}"


def read_tables(path: Path) -> list[dict[str, Any]]:
    """Returns the [[expected]] tables of one file, their causes filled in. A missing file has none."""
    if not path.is_file():
        return []
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ExpectationError(f"{path}: {error}") from None
    return resolve(str(path), raw)


def load(path: Path) -> tuple[Entry, ...]:
    """Reads one file. A missing file announces nothing."""
    return parse(str(path), read_tables(path))


def parse(path: str, tables: Iterable[Table]) -> tuple[Entry, ...]:
    """Returns the entries of one runtime. `path` begins each error."""
    entries = tuple(_entry(path, item) for item in tables)
    seen: set[tuple[str, str | None]] = set()
    for entry in entries:
        if (entry.case, entry.check) in seen:
            raise ExpectationError(f"{path}: {entry} is listed twice")
        seen.add((entry.case, entry.check))
    return entries


def strangers(folder: Path, names: Iterable[str]) -> list[str]:
    """Returns the files of expectations that belong to no runtime, for example because of a misspelt name."""
    known = {*names, "wast", "testsuite"}
    return sorted(path.name for path in folder.glob("*.toml") if path.stem not in known) if folder.is_dir() else []


def _entry(path: str, item: Mapping[str, object]) -> Entry:
    unknown = set(item) - KEYS - {"case", "check", "status", "observed", "runtimes"}
    if unknown:
        raise ExpectationError(f"{path}: unknown key {', '.join(sorted(unknown))}")
    case, check, observed = (item.get(key) for key in ("case", "check", "observed"))
    if not isinstance(case, str):
        raise ExpectationError(f"{path}: every entry needs a case: {dict(item)}")
    for key, value in (("check", check), ("observed", observed)):
        if value is not None and not isinstance(value, str):
            raise ExpectationError(f"{path}: {case}: {key} must be a string")
    runtimes = item.get("runtimes", [])
    if not isinstance(runtimes, list) or not all(isinstance(each, str) for each in runtimes) or ("runtimes" in item and not runtimes):
        raise ExpectationError(f"{path}: {case}: runtimes must be a list of names")
    name = f"{case} {check}" if check else case
    status = item.get("status")
    words = status if isinstance(status, list) else [status]
    try:
        statuses = tuple(Verdict(word) for word in words)
    except ValueError:
        raise ExpectationError(f"{path}: {case}: unknown status {status!r}") from None
    if statuses in ((), (Verdict.PASS,)):
        raise ExpectationError(f"{path}: {case}: PASS needs no entry")
    if Verdict.FLAKY in statuses:
        raise ExpectationError(f"{path}: {case}: what is flaky is announced by all its statuses, as a list")
    if len(set(statuses)) < len(statuses) or Verdict.SKIP in statuses:
        raise ExpectationError(f"{path}: {case}: a status is listed once, and what is not run (SKIP) is not announced")
    unit = check if isinstance(check, str) else None
    return Entry(case, unit, statuses, why(path, name, item), str(observed or ""), tuple(runtimes))


class CaseExpectations(Expectations):
    """The expectations of cases: one file for each runtime."""

    def __init__(self, tables: Tables, where: Callable[[str], str]) -> None:
        self.tables = tables
        self.entries = {name: parse(where(name), mine) for name, mine in tables.items()}
        self._near: dict[tuple[str, str], list[Entry]] = {}
        """By runtime and case: the entries of the case and of its variants."""
        for name, mine in self.entries.items():
            for entry in (entry for entry in mine if entry.holds_for(name)):
                self._near.setdefault((name, original(entry.case)), []).append(entry)

    def mark(self, result: CaseResult, case: Definition, *, strict: bool, judged: bool) -> CaseResult:
        near = self._near.get((result.runtime, original(result.case)), ())
        return apply(result, near, case, strict=strict)

    def stale(self, known: Known, judged: Collection[str]) -> tuple[str, ...]:
        return tuple(
            f"{name}.toml: {entry}"
            for name, mine in self.entries.items()
            if name in judged
            for entry in stale(mine, known)
        )


def stale(entries: Iterable[Entry], known: Known) -> list[Entry]:
    """Returns the entries whose case or check does not exist."""
    return [
        entry
        for entry in entries
        if entry.case not in known or (entry.check is not None and entry.check not in (known[entry.case] or ()))
    ]


def apply(result: CaseResult, entries: Iterable[Entry], case: Definition, *, strict: bool = False) -> CaseResult:
    """Marks each unit with its announcement, and with whether it differs from it.

    A unit that was not run never counts as unexpected."""
    # An entry for a case also holds for its variants.
    mine = [entry for entry in entries if entry.case in (result.case, original(result.case))]
    by_check = {entry.check: entry.expected for entry in mine if entry.check is not None}
    whole = next((entry.expected for entry in mine if entry.check is None), None)
    whole_surprised = whole is not None and result.verdict is not Verdict.SKIP and result.verdict not in whole.statuses
    units = []
    for unit in result.units:
        announced = by_check.get(unit.id)
        if announced is None and whole is not None and (unit.verdict is not Verdict.PASS or unit.id == EXPECT_UNIT):
            announced = whole
            surprised = whole_surprised if unit.verdict is Verdict.PASS else unit.verdict not in whole.statuses
        elif announced is not None:
            surprised = unit.verdict not in announced.statuses
        else:
            surprised = _surprising(unit, case, strict)
        surprised = surprised and unit.verdict is not Verdict.SKIP
        same = (unit.expected, unit.unexpected) == (announced, surprised)
        units.append(unit if same else replace(unit, expected=announced, unexpected=surprised))
    return replace(result, units=tuple(units))


def _surprising(unit: UnitResult, case: Definition, strict: bool = False) -> bool:
    """Returns whether a unit without an announcement is unexpected. Everything must pass, except that a
    failing SHOULD is unexpected in a strict run only."""
    if unit.verdict in (Verdict.PASS, Verdict.SKIP):
        return False
    check = case.check(unit.id)
    return strict or not (unit.verdict is Verdict.FAIL and check is not None and check.level is Level.SHOULD)


def render(results: Iterable[CaseResult], old: Iterable[Entry], cases: Iterable[Case], *, strict: bool = False) -> str:
    """Returns the text of an expectations file for these results, each cause before its entries.

    What existing entries say is kept, and so are those of cases that were not run and those for other runtimes. A new entry has the
    runtime's own words, and the kind that its author has yet to decide."""
    results = [result for result in results if result.verdict is not Verdict.SKIP]
    old = tuple(old)
    others = [entry for entry in old if results and not entry.holds_for(results[0].runtime)]
    kept = {(entry.case, entry.check): entry for entry in old if entry not in others}
    known = {case.id: case for case in cases}
    made = [entry for result in results for entry in _entries(result, kept, known, strict)]
    ran = {result.case for result in results}
    made += [entry for entry in old if (entry.case not in ran or entry in others) and entry.case in known]
    lines = [
        "# Known results; the format is in suites/README.md. `assay run --update-expectations` rewrites this file.",
        *grouped(((entry.why, _lines(entry)) for entry in made), (entry.why.cause for entry in old if entry.why.cause)),
    ]
    return "\n".join(lines) + "\n"


def _entries(
    result: CaseResult, kept: Mapping[tuple[str, str | None], Entry], known: Mapping[str, Case], strict: bool
) -> list[Entry]:
    """Returns the entries that announce this result."""
    if original(result.case) != result.case and not result.unexpected:
        return []  # the entries of the case itself cover it
    units = [
        unit
        for unit in result.units
        if _surprising(unit, known[result.case], strict)
        or ((result.case, unit.id) in kept and unit.verdict not in (Verdict.PASS, Verdict.SKIP))
    ]
    whole = len(units) > 2 and all((u.verdict, u.detail) == (result.verdict, units[0].detail) for u in units)
    whole = whole and not any((result.case, unit.id) in kept for unit in units)
    made = []
    for unit in units[:1] if whole else units:
        check = None if whole else unit.id
        before = kept.get((result.case, unit.id)) or kept.get((result.case, None))
        if before is None:
            kind = "unsupported" if unit.verdict is Verdict.UNSUPPORTED else UNSORTED
            mine = Why(" ".join((unit.detail or "no detail").split())[:300], kind, NO_THREAD)
            made.append(Entry(result.case, check, _statuses(unit), mine))
            continue
        flaky = len(before.statuses) > 1 and set(_statuses(unit)) <= set(before.statuses)
        made.append(replace(before, check=check, statuses=before.statuses if flaky else _statuses(unit)))
    return made


def _statuses(unit: UnitResult) -> tuple[Verdict, ...]:
    """Returns what a unit came to: of a flaky one, the verdict of each attempt, once."""
    return tuple(dict.fromkeys(verdict for verdict in unit.verdicts or (unit.verdict,) if verdict is not Verdict.SKIP))


def _lines(entry: Entry) -> list[str]:
    words = [f'"{status.value}"' for status in entry.statuses]
    return [
        "[[expected]]",
        f"case = {quote(entry.case)}",
        *([f"check = {quote(entry.check)}"] if entry.check is not None else []),
        f"status = {words[0] if len(words) == 1 else '[' + ', '.join(words) + ']'}",
        *why_lines(entry.why),
        *([f"observed = {quote(entry.observed)}"] if entry.observed else []),
        *([f"runtimes = [{', '.join(map(quote, entry.runtimes))}]"] if entry.runtimes else []),
    ]
