"""The status of a run: green or red. Exit status, page, Markdown and JUnit all use it. Pure.

In: a `Record`. Out: a `RunStatus`. A run is green when the record is complete, when every expectation matches
something, and when every runtime that it judges (`Record.gate`) was found, passed something, lacks no result
and has no result that differs from the expectations. In a shard, nothing need pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..model import EXPECT_UNIT, CaseResult, Kind, Level, UnitResult, Verdict
from .record import CaseInfo, Record

GREEN, RED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class RuntimeStatus:
    """One runtime of a run. `problems` is empty when all its results are as announced."""

    name: str
    judged: bool
    problems: tuple[str, ...]
    surprises: int = 0
    known: int = 0

    @property
    def red(self) -> bool:
        return self.judged and bool(self.problems)

    @property
    def words(self) -> str:
        if not self.problems:
            return "as announced" if self.judged else "as announced (not judged)"
        return "; ".join(self.problems) + ("" if self.judged else " (not judged)")


@dataclass(frozen=True)
class RunStatus:
    runtimes: tuple[RuntimeStatus, ...]
    problems: tuple[str, ...]
    """Problems of the run as a whole."""
    part: str = ""
    """Of a shard: which part of the run it is, and the only one that was judged."""

    @property
    def green(self) -> bool:
        return not self.problems and not any(runtime.red for runtime in self.runtimes)

    @property
    def exit_status(self) -> int:
        return GREEN if self.green else RED

    @property
    def colour(self) -> str:
        return "green" if self.green else "red"

    @property
    def lines(self) -> tuple[str, ...]:
        """Every reason why the run is red, one line each."""
        mine = (
            f"{runtime.name}: {problem}" for runtime in self.runtimes if runtime.red for problem in runtime.problems
        )
        return (*self.problems, *mine)

    @property
    def words(self) -> str:
        judged = [runtime.name for runtime in self.runtimes if runtime.judged]
        part = f" ({self.part})" if self.part else ""
        if self.green:
            return f"green: {', '.join(judged)} as announced{part}"
        return f"red: {'; '.join(self.lines)}{part}"

    def of(self, runtime: str) -> RuntimeStatus | None:
        return next((item for item in self.runtimes if item.name == runtime), None)


def status(record: Record) -> RunStatus:
    """Returns the status of a run."""
    problems = []
    if record.partial:
        total = len(record.cases) * len(record.present)
        problems.append(f"partial, {len(record.results)} of {total} runs are there: {record.partial}")
    if not record.present:
        problems.append("nothing ran: no runtime is there")
    elif not record.cases:
        problems.append("nothing ran: there is no case")
    elif not record.gate:
        problems.append("nothing is judged: no runtime is gated")
    if record.stale:
        problems.append(f"{len(record.stale)} expectations match nothing")
    cases = {case.id: case for case in record.cases}
    missing: dict[str, int] = {}
    for _, runtime in record.missing:
        missing[runtime] = missing.get(runtime, 0) + 1
    mine: dict[str, list[CaseResult]] = {}
    for result in record.results:
        mine.setdefault(result.runtime, []).append(result)
    known = {item.name for item in record.runtimes}
    runtimes = tuple(
        _runtime(record, cases, item.name, item.absent, mine.get(item.name, []), missing.get(item.name, 0))
        for item in record.runtimes
    )
    strangers = tuple(
        RuntimeStatus(name, True, ("was to be judged and was not run",)) for name in record.gate if name not in known
    )
    part = record.suite.shard.words if record.suite.shard else ""
    return RunStatus((*runtimes, *strangers), tuple(problems), part)


def _runtime(
    record: Record, cases: dict[str, CaseInfo], name: str, absent: str, results: list[CaseResult], missing: int
) -> RuntimeStatus:
    problems = []
    judged = name in record.gate
    if absent:
        # an absent runtime is a problem only if the run judges it
        return RuntimeStatus(name, judged, (f"is absent, so nothing is shown for it: {absent}",) if judged else ())
    units = [(cases[result.case], unit) for result in results for unit in result.units]
    flaky = sum(unit.unexpected and unit.verdict is Verdict.FLAKY for _, unit in units)
    surprises = sum(unit.unexpected for _, unit in units) - flaky
    if flaky:
        problems.append(f"{flaky} {'result is' if flaky == 1 else 'results are'} flaky")
    if surprises:
        problems.append(f"{surprises} {'result is' if surprises == 1 else 'results are'} not as announced")
    if missing:
        problems.append(f"{missing} of {len(record.cases)} cases have no result")
    # a shard may be so small that nothing in it passes: what it is a part of is judged
    if record.cases and record.suite.shard is None and not passed_anything(units):
        problems.append("nothing passed")
    known = sum(
        unit.expected is not None and not unit.unexpected and unit.verdict is not Verdict.SKIP for _, unit in units
    )
    return RuntimeStatus(name, judged, tuple(problems), surprises + flaky, known)


def passed_anything(units: list[tuple[CaseInfo, UnitResult]]) -> bool:
    """Returns whether a requirement, or a command of a script, passed.

    How a run ended counts only where no case has a requirement."""
    required = False
    for info, unit in units:
        if (check := info.check(unit.id)) and check.level is not Level.UNSPECIFIED:
            required = True
            if unit.verdict is Verdict.PASS:
                return True
    asked = () if required else (unit for info, unit in units if unit.id == EXPECT_UNIT or info.kind is Kind.SCRIPT)
    return any(unit.verdict is Verdict.PASS for unit in asked)
