"""The data of the reports, computed once from a record: counts by interface, function, package and runtime.

In: a `Record`. Out: frozen values that the templates print. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..model import CaseResult, Level, UnitResult, Verdict
from ..record import CaseInfo, Record, RuntimeInfo
from ..record.status import RunStatus, RuntimeStatus, status
from .case import CaseView, CheckRow, RequirementRow, anchor, case_view, requirements
from .clusters import Clusters, clusters
from .count import NO_RESULT, Count, count_unit, count_verdict, total
from .toolchains import ToolchainRow, toolchain_rows
from .versions import VersionTable, version_tables

SYMBOLS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
    Verdict.TIMEOUT: "◷",
    Verdict.CRASH: "☠",
    Verdict.UNSUPPORTED: "∅",
    Verdict.FLAKY: "≈",
    Verdict.SKIP: "–",
}


@dataclass(frozen=True)
class FunctionRow:
    name: str
    anchor: str
    counts: tuple[Count, ...]
    requirements: tuple[RequirementRow, ...]


@dataclass(frozen=True)
class InterfaceRow:
    name: str
    package: str
    anchor: str
    counts: tuple[Count, ...]
    functions: tuple[FunctionRow, ...]
    cases: tuple[CaseInfo, ...]


@dataclass(frozen=True)
class PackageRows:
    name: str
    counts: tuple[Count, ...]
    interfaces: tuple[InterfaceRow, ...]


@dataclass(frozen=True)
class Summary:
    runtime: RuntimeInfo
    cases: Count
    units: Count
    versions: VersionTable
    wall: float
    peak_rss_kib: int
    status: RuntimeStatus

    @property
    def words(self) -> str:
        """One line for a terminal."""
        cases = f"cases {self.cases.passed} of {self.cases.total} pass"
        versions = (self.versions.total.words,) if self.versions.columns else ()
        return "; ".join((cases, self.units.words, *versions, self.status.words))


@dataclass(frozen=True)
class NotRun:
    """Cases that some runtimes did not run, for one reason."""

    runtimes: tuple[str, ...]
    reason: str
    cases: tuple[str, ...]
    requirements: int


@dataclass(frozen=True)
class Surprises:
    """The unexpected units of one case on one runtime. `alike`: they all have the same verdict and cause.

    `cases` has the case, and those of its variants in which exactly the same is unexpected."""

    result: CaseResult
    units: tuple[UnitResult, ...]
    cases: tuple[str, ...]

    @property
    def alike(self) -> bool:
        return len(self.units) > 1 and len({(unit.verdict, unit.detail) for unit in self.units}) == 1


@dataclass(frozen=True)
class View:
    record: Record
    runtimes: tuple[RuntimeInfo, ...]
    summaries: tuple[Summary, ...]
    packages: tuple[PackageRows, ...]
    cases: tuple[CaseView, ...]
    """Without variants, which are in their cases. A variant whose case is not in the record is here."""
    variants: int
    requirements: int
    values: tuple[CheckRow, ...]
    surprises: tuple[tuple[CaseResult, UnitResult], ...]
    surprising: tuple[Surprises, ...]
    status: RunStatus
    not_run: tuple[NotRun, ...]
    clusters: Clusters | None
    """Which runtimes agree, where there are several."""
    toolchains: tuple[ToolchainRow, ...]


_latest: View | None = None


def build(record: Record) -> View:
    """Returns the view of a record. The latest one is kept: a run prints its summary and writes two reports of it."""
    global _latest
    view = _latest
    if view is None or view.record is not record:
        view = _latest = _build(record)
    return view


def _build(record: Record) -> View:
    runtimes = record.present
    cases = _cases(record)
    counted = tuple(case for case in cases if not case.info.variant)
    interfaces = sorted(
        {name for case in counted for name in case.info.interfaces}
        | {row.check.interface for case in counted for row in case.checks}
    )
    every = requirements(row for case in counted for row in case.checks)
    about: dict[str, list[RequirementRow]] = {name: [] for name in interfaces}
    for row in every:
        about[row.check.interface].append(row)
    rows = [_interface(counted, name, len(runtimes), about[name]) for name in interfaces]
    packages = tuple(
        PackageRows(name, tuple(total(row.counts[i] for row in mine) for i in range(len(runtimes))), mine)
        for name in dict.fromkeys(row.package for row in rows)
        for mine in [tuple(row for row in rows if row.package == name)]
    )
    run = status(record)
    versions = version_tables(counted, len(runtimes))
    return View(
        record,
        runtimes,
        tuple(
            _summary(counted, every, index, runtime, run, versions[index]) for index, runtime in enumerate(runtimes)
        ),
        packages,
        cases,
        len(record.cases) - len(counted),
        len(every),
        tuple(row for case in counted for row in case.checks if row.check.level is Level.UNSPECIFIED),
        tuple((result, unit) for result in record.results for unit in result.units if unit.unexpected),
        _surprising(record),
        run,
        _not_run(record),
        clusters(counted, len(runtimes)),
        toolchain_rows(counted, record.suite.toolchains),
    )


def _cases(record: Record) -> tuple[CaseView, ...]:
    """Returns the cases, each with its variants."""
    ids = {info.id for info in record.cases}
    mine: dict[str, list[CaseInfo]] = {}
    for info in record.cases:
        if info.variant and info.original in ids:
            mine.setdefault(info.original, []).append(info)
    return tuple(
        replace(
            case_view(record, info), variants=tuple(case_view(record, variant) for variant in mine.get(info.id, ()))
        )
        for info in record.cases
        if not info.variant or info.original not in ids
    )


def _surprising(record: Record) -> tuple[Surprises, ...]:
    infos = {info.id: info for info in record.cases}
    found: dict[tuple[str, str, tuple[UnitResult, ...]], list[CaseResult]] = {}
    for result in record.results:
        if units := tuple(unit for unit in result.units if unit.unexpected):
            found.setdefault((result.runtime, infos[result.case].original, units), []).append(result)
    return tuple(
        Surprises(mine[0], units, tuple(result.case for result in mine)) for (_, _, units), mine in found.items()
    )


def _not_run(record: Record) -> tuple[NotRun, ...]:
    found: dict[tuple[str, str], list[CaseInfo]] = {}
    for runtime in record.present:
        for info in record.cases:
            result = record.result(info.id, runtime.name)
            if not info.variant and (result is None or result.verdict is Verdict.SKIP):
                reason = NO_RESULT if result is None else result.reason or "skipped"
                found.setdefault((runtime.name, reason), []).append(info)
    alike: dict[tuple[str, tuple[CaseInfo, ...]], list[str]] = {}
    for (name, reason), infos in found.items():
        alike.setdefault((reason, tuple(infos)), []).append(name)
    return tuple(
        NotRun(
            tuple(names),
            reason,
            tuple(info.id for info in infos),
            len({(check.function, check.id) for info in infos for check in info.checks if check.level is Level.MUST}),
        )
        for (reason, infos), names in alike.items()
    )


def _summary(
    cases: Sequence[CaseView],
    every: Iterable[RequirementRow],
    index: int,
    runtime: RuntimeInfo,
    run: RunStatus,
    versions: VersionTable,
) -> Summary:
    counts = total(_count_result(case.results[index]) for case in cases)
    units = total(row.counts[index] for row in every) + total(count_unit(case.expect[index], None) for case in cases)
    there = [
        result for case in cases for shown in (case, *case.variants) for result in [shown.results[index]] if result
    ]
    wall = sum(result.observation.wall for result in there)
    peak = max((result.observation.peak_rss_kib for result in there), default=0)
    mine_status = run.of(runtime.name)
    assert mine_status is not None
    return Summary(runtime, replace(counts, unit="cases"), units, versions, wall, peak, mine_status)


def _count_result(result: CaseResult | None) -> Count:
    """Counts a case as a whole, as a MUST."""
    if result is None:
        return count_unit(None, Level.MUST)
    skipped = result.verdict is Verdict.SKIP
    return count_verdict(result.verdict, Level.MUST, result.unexpected, result.reason if skipped else "")


def _interface(
    cases: tuple[CaseView, ...], name: str, runtimes: int, about: Sequence[RequirementRow]
) -> InterfaceRow:
    """Returns the requirements `about` the functions of an interface, and how the runs of its cases ended."""
    mine = [case for case in cases if name in case.info.interfaces]
    functions = tuple(
        FunctionRow(
            function.removeprefix(name + "."),
            f"fn-{anchor(function)}",
            tuple(total(row.counts[index] for row in rows) for index in range(runtimes)),
            rows,
        )
        for function in sorted({row.check.function for row in about})
        for rows in [tuple(row for row in about if row.check.function == function)]
    )
    counts = tuple(
        total(function.counts[index] for function in functions)
        + total(count_unit(case.expect[index], None) for case in mine)
        for index in range(runtimes)
    )
    cited = {one.case.id for row in about for one in row.rows}
    shown = {case.info.id: case.info for case in (*mine, *(case for case in cases if case.info.id in cited))}
    return InterfaceRow(name, name.partition("/")[0], f"if-{anchor(name)}", counts, functions, tuple(shown.values()))
