"""The counts of a record of scripts or programs, and the old summary files of such runs.

In: a `Record`, or the text of an old wast.json or testsuite.json. Out: counts per folder of scripts, per
runtime.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model import CaseResult, UnitResult, Verdict
from ..model.commands import SCRIPT_KEY, word_of
from .record import Group, Record

OLD_SCRIPTS, OLD_PROGRAMS = "assay-wast/1", "assay-testsuite/1"


@dataclass(frozen=True)
class Surprise:
    """A command that is not as announced."""

    script: str
    command: str
    status: str
    expected: str
    message: str


@dataclass(frozen=True)
class ScriptCount:
    """The scripts of one folder."""

    name: str
    scripts: int
    whole: int
    commands: int
    passed: int
    known: int
    unexpected: int
    skipped: int


@dataclass(frozen=True)
class EngineCount:
    """The scripts on one runtime, in the order of the suites: how many there are, and how many pass whole."""

    runtime: str
    suites: tuple[tuple[int, int], ...]
    """None ran where the first number is 0."""
    commands: int
    passed: int
    """Of the commands, where the runtime tells of each."""


@dataclass(frozen=True)
class ScriptSummary:
    """The scripts on the reference runtime, and those on each runtime where there are several."""

    runtime: str
    suites: tuple[ScriptCount, ...]
    surprises: tuple[Surprise, ...]
    stale: tuple[str, ...]
    made: str = ""  # when
    absent: tuple[str, ...] = ()  # official suites that were not there
    engines: tuple[EngineCount, ...] = ()

    @property
    def total(self) -> ScriptCount:
        fields = ("scripts", "whole", "commands", "passed", "known", "unexpected", "skipped")
        return ScriptCount("all", *(sum(getattr(suite, name) for suite in self.suites) for name in fields))


@dataclass(frozen=True)
class ProgramResult:
    program: str
    verdict: str
    detail: str = ""
    reason: str = ""  # of the entry that announces it
    unexpected: bool = False


@dataclass(frozen=True)
class ProgramCount:
    """The programs on one runtime."""

    runtime: str
    version: str
    total: int
    passed: int
    not_passed: tuple[ProgramResult, ...]
    """Includes programs that passed although they were announced to fail, and no run that proves nothing."""
    bare: int = 0
    """The runs that ended as expected, which proves nothing: a runtime that does nothing would end so too."""

    @property
    def known(self) -> int:
        return sum(bool(item.reason) and not item.unexpected for item in self.not_passed)

    @property
    def unexpected(self) -> int:
        return sum(item.unexpected for item in self.not_passed)


@dataclass(frozen=True)
class ProgramSummary:
    suite: str
    programs: int
    adapter: str
    unsupported: tuple[Group, ...]
    runtimes: tuple[ProgramCount, ...]
    stale: tuple[str, ...] = ()
    made: str = ""  # when


def scripts(record: Record) -> ScriptSummary:
    names = [runtime.name for runtime in record.present]
    reference = next((runtime.name for runtime in record.present if runtime.reference), names[0] if names else "")
    by_suite: dict[str, list[CaseResult]] = {}
    for result in record.results:
        if result.runtime == reference:
            by_suite.setdefault(result.case.rpartition("/")[0], []).append(result)
    surprises = tuple(
        Surprise(result.case, unit.id, word_of(unit.verdict, unit.word), _announced(unit), unit.detail)
        for result in record.results
        for unit in result.units
        if unit.unexpected and result.runtime == reference
    )
    versions = " ".join(runtime.version for runtime in record.present if runtime.name == reference)
    suites = tuple(_script_count(name, mine) for name, mine in sorted(by_suite.items()))
    engines = tuple(_engine_count(record, name, sorted(by_suite)) for name in names) if len(names) > 1 else ()
    return ScriptSummary(versions, suites, surprises, record.stale, record.finished, record.suite.absent, engines)


def _engine_count(record: Record, runtime: str, suites: Sequence[str]) -> EngineCount:
    mine = [item for item in record.results if item.runtime == runtime and item.verdict is not Verdict.SKIP]
    units = [
        unit for result in mine for unit in result.units if unit.id != SCRIPT_KEY and unit.verdict is not Verdict.SKIP
    ]
    places = [[item for item in mine if item.case.rpartition("/")[0] == suite] for suite in suites]
    counts = tuple((len(place), sum(item.verdict is Verdict.PASS for item in place)) for place in places)
    return EngineCount(runtime, counts, len(units), sum(unit.verdict is Verdict.PASS for unit in units))


def _script_count(name: str, results: Sequence[CaseResult]) -> ScriptCount:
    units = [unit for result in results for unit in result.units]
    commands = [unit for unit in units if unit.id != SCRIPT_KEY]
    bad = [unit for unit in units if unit.verdict not in (Verdict.PASS, Verdict.SKIP)]
    return ScriptCount(
        name,
        len(results),
        sum(result.verdict is Verdict.PASS for result in results),
        len(commands),
        sum(unit.verdict is Verdict.PASS for unit in commands),
        sum(unit.expected is not None and not unit.unexpected for unit in bad),
        sum(unit.unexpected for unit in units),
        sum(unit.verdict is Verdict.SKIP for unit in commands),
    )


def _announced(unit: UnitResult) -> str:
    return "pass" if unit.expected is None else word_of(unit.expected.statuses[0], unit.expected.word)


def programs(record: Record) -> ProgramSummary:
    bare = {case.id for case in record.cases if case.expect is not None and case.expect.bare}
    runtimes = tuple(
        _program_count(
            runtime.name, runtime.version, [item for item in record.results if item.runtime == runtime.name], bare
        )
        for runtime in record.present
    )
    suite = record.suite
    return ProgramSummary(
        suite.name, len(record.cases), suite.adapter, suite.unsupported, runtimes, record.stale, record.finished
    )


def _program_count(
    runtime: str, version: str, results: Sequence[CaseResult], bare: Collection[str] = ()
) -> ProgramCount:
    empty = {item.case for item in results if item.case in bare and item.verdict is Verdict.SKIP and not item.reason}
    bad = tuple(
        ProgramResult(
            result.case,
            unit.verdict.value,
            unit.detail,
            unit.expected.reason if unit.expected else "",
            unit.unexpected,
        )
        for result in results
        for unit in result.units
        if (unit.verdict is not Verdict.PASS or unit.unexpected) and result.case not in empty
    )
    passed = sum(result.verdict is Verdict.PASS for result in results)
    return ProgramCount(runtime, version, len(results), passed, bad, len(empty))


# --- before version 3 -----------------------------------------------------------------------------


def old_scripts(path: Path) -> ScriptSummary | None:
    """Reads a wast.json. Returns None when there is none that can be read."""
    try:
        raw = _old(path, OLD_SCRIPTS)
        suites = tuple(ScriptCount(**suite) for suite in raw["suites"])
        surprises = tuple(Surprise(**surprise) for surprise in raw["surprises"])
        absent = tuple(raw.get("absent", ()))
        return ScriptSummary(raw["runtime"], suites, surprises, tuple(raw["stale"]), raw.get("made", ""), absent)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def old_programs(path: Path) -> ProgramSummary | None:
    """Reads a testsuite.json. Returns None when there is none that can be read."""
    try:
        raw = _old(path, OLD_PROGRAMS)
        runtimes = tuple(
            ProgramCount(**{**item, "not_passed": tuple(ProgramResult(**bad) for bad in item["not_passed"])})
            for item in raw["runtimes"]
        )
        groups = tuple(Group(**item) for item in raw["unsupported"])
        return ProgramSummary(
            raw["suite"], raw["programs"], raw["adapter"], groups, runtimes, tuple(raw["stale"]), raw.get("made", "")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _old(path: Path, schema: str) -> Mapping[str, Any]:
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if raw.pop("schema") != schema:
        raise ValueError(f"not of schema {schema}")
    return raw
