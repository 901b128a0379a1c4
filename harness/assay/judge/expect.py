"""Known results: what suites/expectations/ announces, and which results differ from it.

In: the [[expected]] tables of a file or of a record, and results. Out: the results with `expected` and
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

from ..model import EXPECT_UNIT, Case, CaseResult, Expected, Level, UnitResult, Verdict
from .verdicts import Definition

Table = Mapping[str, Any]
"""One [[expected]] table as its file has it."""
Tables = Mapping[str, Sequence[Table]]
"""The tables by runtime. A record keeps them, so that it can be judged again."""
Known = Mapping[str, Collection[str] | None]
"""The cases that exist, each with the ids of its units, or None where these are not known."""


class ExpectationError(Exception):
    """An expectations file that cannot be used."""


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
    case: str
    check: str | None
    expected: Expected

    def __str__(self) -> str:
        return f"{self.case} {self.check or '(whole case)'}"


def read_tables(path: Path) -> list[dict[str, Any]]:
    """Returns the [[expected]] tables of one file. A missing file has none."""
    if not path.is_file():
        return []
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ExpectationError(f"{path}: {error}") from None
    if set(raw) - {"expected"}:
        raise ExpectationError(f"{path}: unknown key {', '.join(sorted(set(raw) - {'expected'}))}")
    listed = raw.get("expected", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ExpectationError(f"{path}: [[expected]] is a list of tables")
    return listed


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
    unknown = set(item) - {"case", "check", "status", "reason", "issue"}
    if unknown:
        raise ExpectationError(f"{path}: unknown key {', '.join(sorted(unknown))}")
    case, check, reason, issue = (item.get(key) for key in ("case", "check", "reason", "issue"))
    if not isinstance(case, str) or not isinstance(reason, str) or not reason.strip():
        raise ExpectationError(f"{path}: every entry needs a case and a reason: {dict(item)}")
    for key, value in (("check", check), ("issue", issue)):
        if value is not None and not isinstance(value, str):
            raise ExpectationError(f"{path}: {case}: {key} must be a string")
    status = item.get("status")
    words = status if isinstance(status, list) else [status]
    try:
        statuses = tuple(Verdict(word) for word in words)
    except ValueError:
        raise ExpectationError(f"{path}: {case}: unknown status {status!r}") from None
    if statuses in ((), (Verdict.PASS,)):
        raise ExpectationError(f"{path}: {case}: PASS needs no entry")
    if len(set(statuses)) < len(statuses) or Verdict.SKIP in statuses:
        raise ExpectationError(f"{path}: {case}: a status is listed once, and what is not run (SKIP) is not announced")
    return Entry(case, check if isinstance(check, str) else None, Expected(statuses, reason, str(issue or "")))


class CaseExpectations(Expectations):
    """The expectations of cases: one file for each runtime."""

    def __init__(self, tables: Tables, where: Callable[[str], str]) -> None:
        self.tables = tables
        self.entries = {name: parse(where(name), mine) for name, mine in tables.items()}

    def mark(self, result: CaseResult, case: Definition, *, strict: bool, judged: bool) -> CaseResult:
        return apply(result, self.entries.get(result.runtime, ()), case, strict=strict)

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
    # An entry for a case also holds for its variants against other versions.
    mine = [entry for entry in entries if entry.case in (result.case, result.case.partition("@")[0])]
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
        units.append(replace(unit, expected=announced, unexpected=surprised))
    return replace(result, units=tuple(units))


def _surprising(unit: UnitResult, case: Definition, strict: bool = False) -> bool:
    """Returns whether a unit without an announcement is unexpected. Everything must pass, except that a
    failing SHOULD is unexpected in a strict run only."""
    if unit.verdict in (Verdict.PASS, Verdict.SKIP):
        return False
    check = case.check(unit.id)
    return strict or not (unit.verdict is Verdict.FAIL and check is not None and check.level is Level.SHOULD)


def render(results: Iterable[CaseResult], old: Iterable[Entry], cases: Iterable[Case], *, strict: bool = False) -> str:
    """Returns the text of an expectations file for these results.

    Existing reasons and issues are kept, and so are the entries of cases that were not run."""
    results = [result for result in results if result.verdict is not Verdict.SKIP]
    kept = {(entry.case, entry.check): entry.expected for entry in old}
    known = {case.id: case for case in cases}
    ran: set[str] = set()
    lines = [
        "# Known results; the format is in suites/README.md. `assay run --update-expectations` rewrites this file.\n"
    ]
    for result in results:
        ran.add(result.case)
        base = result.case.partition("@")[0]
        if base != result.case and not result.unexpected:
            continue  # the entries of the case itself cover it
        units = [
            unit
            for unit in result.units
            if _surprising(unit, known[result.case], strict)
            or ((result.case, unit.id) in kept and unit.verdict not in (Verdict.PASS, Verdict.SKIP))
        ]
        whole = len(units) > 2 and all((u.verdict, u.detail) == (result.verdict, units[0].detail) for u in units)
        whole = whole and not any((result.case, unit.id) in kept for unit in units)
        for unit in units[:1] if whole else units:
            before = kept.get((result.case, unit.id)) or kept.get((result.case, None))
            flaky = before is not None and len(before.statuses) > 1 and unit.verdict in before.statuses
            statuses = before.statuses if before is not None and flaky else (unit.verdict,)
            reason = before.reason if before is not None else (unit.detail or "no detail")
            check = None if whole else unit.id
            lines.append(_render_entry(result.case, check, statuses, reason, before.issue if before else ""))
    for entry in old:
        if entry.case not in ran and entry.case in known:
            expected = entry.expected
            lines.append(_render_entry(entry.case, entry.check, expected.statuses, expected.reason, expected.issue))
    return "\n".join(lines)


def _render_entry(case: str, check: str | None, statuses: tuple[Verdict, ...], reason: str, issue: str) -> str:
    words = [f'"{status.value}"' for status in statuses]
    lines = ["[[expected]]", f"case = {quote(case)}"]
    if check is not None:
        lines.append(f"check = {quote(check)}")
    lines.append(f"status = {words[0] if len(words) == 1 else '[' + ', '.join(words) + ']'}")
    lines.append(f"reason = {quote(' '.join(reason.split())[:300])}")
    if issue:
        lines.append(f"issue = {quote(issue)}")
    return "\n".join(lines) + "\n"


def quote(text: str) -> str:
    """Returns a TOML basic string."""
    out = []
    for letter in text:
        if letter in '"\\':
            out.append("\\" + letter)
        elif ord(letter) < 0x20 or ord(letter) == 0x7F:
            out.append(f"\\u{ord(letter):04x}")
        else:
            out.append(letter)
    return '"' + "".join(out) + '"'
