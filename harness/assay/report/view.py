"""What the reports show, worked out once from a record: counts per interface, function, package and runtime.

In: a `Record`. Out: frozen values that the templates print. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..differ import Aspect, Group, Row, align, case_differences, ending_key, groups, ran
from ..model import EXPECT_UNIT, CaseResult, Level, UnitResult, Verdict
from ..record import CaseInfo, CheckInfo, Record, RuntimeInfo

SYMBOLS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
    Verdict.TIMEOUT: "⧗",
    Verdict.CRASH: "☠",
    Verdict.UNSUPPORTED: "∅",
    Verdict.SKIP: "–",
}


@dataclass(frozen=True)
class Count:
    """Units on one runtime: what counts is what ran; skipped ones are told apart and never make a percentage better."""

    passed: int = 0
    failed: int = 0
    unsupported: int = 0
    skipped: int = 0
    should_failed: int = 0
    unexpected: int = 0
    errors: int = 0  # the case's or the harness's own fault: neither for nor against the runtime

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.unsupported + self.should_failed

    @property
    def state(self) -> str:
        if self.total == 0:
            return "mixed" if self.errors else "none"
        if self.failed or self.unexpected or self.errors:
            return "bad" if self.passed == 0 or self.failed > self.passed else "mixed"
        return "partial" if self.unsupported or self.should_failed else "good"

    @property
    def symbol(self) -> str:
        return {"none": "–", "bad": "✗", "mixed": "✗", "partial": "◐", "good": "✓"}[self.state]

    @property
    def words(self) -> str:
        parts = [f"{self.passed} of {self.total} pass"]
        for number, word in (
            (self.failed, "fail"),
            (self.should_failed, "fall short of a SHOULD"),
            (self.unsupported, "unsupported"),
            (self.skipped, "skipped"),
            (self.errors, "in error"),
            (self.unexpected, "unexpected"),
        ):
            if number:
                parts.append(f"{number} {word}")
        return ", ".join(parts) if self.total or self.skipped or self.errors else "nothing ran"


def count(units: Iterable[tuple[UnitResult, Level]]) -> Count:
    passed = failed = unsupported = skipped = should = unexpected = errors = 0
    for unit, level in units:
        unexpected += unit.unexpected
        if unit.verdict is Verdict.PASS:
            passed += 1
        elif unit.verdict is Verdict.SKIP:
            skipped += 1
        elif unit.verdict is Verdict.UNSUPPORTED:
            unsupported += 1
        elif unit.verdict is Verdict.ERROR:
            errors += 1
        elif unit.verdict is Verdict.FAIL and level is Level.SHOULD:
            should += 1
        else:
            failed += 1
    return Count(passed, failed, unsupported, skipped, should, unexpected, errors)


@dataclass(frozen=True)
class CheckRow:
    """One check of one case with its result on every runtime."""

    case: CaseInfo
    check: CheckInfo
    results: tuple[UnitResult | None, ...]
    value_groups: tuple[Group[str], ...] = ()


@dataclass(frozen=True)
class FunctionRow:
    name: str
    anchor: str
    counts: tuple[Count, ...]
    checks: tuple[CheckRow, ...]


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
class OutputColumn:
    """An output that one or several runtimes gave, aligned with the others'."""

    runtimes: tuple[str, ...]
    rows: tuple[Row, ...]
    size: int


@dataclass(frozen=True)
class OutputBlock:
    name: str
    differs: bool
    columns: tuple[OutputColumn, ...]


@dataclass(frozen=True)
class CaseView:
    info: CaseInfo
    anchor: str
    results: tuple[CaseResult | None, ...]
    checks: tuple[CheckRow, ...]
    expect: tuple[UnitResult | None, ...]
    outputs: tuple[OutputBlock, ...]
    differences: tuple[Aspect, ...]
    endings: tuple[Group[str], ...]
    worst: Verdict
    unexpected: bool

    @property
    def trace(self) -> tuple[str, str] | None:
        """The runtime that traced, and its trace."""
        return next(
            (
                (result.runtime, result.observation.trace)
                for result in self.results
                if result and result.observation.trace
            ),
            None,
        )


@dataclass(frozen=True)
class Summary:
    runtime: RuntimeInfo
    cases: Count
    units: Count
    wall: float
    peak_rss_kib: int


@dataclass(frozen=True)
class Surprises:
    """What was not as announced in one case on one runtime; `alike` when all of it has one verdict and one cause."""

    result: CaseResult
    units: tuple[UnitResult, ...]

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
    values: tuple[CheckRow, ...]
    surprises: tuple[tuple[CaseResult, UnitResult], ...]
    surprising: tuple[Surprises, ...]


def anchor(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)


def build(record: Record) -> View:
    runtimes = record.present
    cases = tuple(_case(record, info) for info in record.cases)
    interfaces = sorted(
        {name for info in record.cases for name in info.interfaces}
        | {c.interface for i in record.cases for c in i.checks}
    )
    rows = [_interface(record, cases, name) for name in interfaces]
    packages = tuple(
        PackageRows(name, tuple(_total(row.counts[i] for row in mine) for i in range(len(runtimes))), mine)
        for name in dict.fromkeys(row.package for row in rows)
        for mine in [tuple(row for row in rows if row.package == name)]
    )
    values = tuple(row for case in cases for row in case.checks if row.check.level is Level.UNSPECIFIED)
    surprises = tuple((result, unit) for result in record.results for unit in result.units if unit.unexpected)
    surprising = tuple(
        Surprises(result, units)
        for result in record.results
        for units in [tuple(unit for unit in result.units if unit.unexpected)]
        if units
    )
    return View(
        record,
        runtimes,
        tuple(_summary(record, runtime) for runtime in runtimes),
        packages,
        cases,
        values,
        surprises,
        surprising,
    )


def _total(counts: Iterable[Count]) -> Count:
    total = Count()
    for item in counts:
        total = Count(*(a + b for a, b in zip(_fields(total), _fields(item), strict=True)))
    return total


def _fields(item: Count) -> tuple[int, ...]:
    return (item.passed, item.failed, item.unsupported, item.skipped, item.should_failed, item.unexpected, item.errors)


def level_of(info: CaseInfo, unit: UnitResult) -> Level:
    check = info.check(unit.id)
    return check.level if check is not None else Level.MUST


def _summary(record: Record, runtime: RuntimeInfo) -> Summary:
    mine = [(info, result) for info in record.cases if (result := record.result(info.id, runtime.name)) is not None]
    cases = count(
        (UnitResult(result.case, result.verdict, unexpected=result.unexpected), Level.MUST) for _, result in mine
    )
    units = count((unit, level_of(info, unit)) for info, result in mine for unit in result.units)
    wall = sum(result.observation.wall for _, result in mine)
    return Summary(runtime, cases, units, wall, max((result.observation.peak_rss_kib for _, result in mine), default=0))


def _case(record: Record, info: CaseInfo) -> CaseView:
    results = tuple(record.result(info.id, runtime.name) for runtime in record.present)
    there = [result for result in results if result is not None]
    verdicts = [result.verdict for result in there]
    endings = groups({result.runtime: ending_key(result) for result in there if ran(result)})
    outputs = [_output("stdout without check lines", {result.runtime: result.rest for result in there if ran(result)})]
    outputs.append(_output("stderr", {result.runtime: result.observation.stderr for result in there if ran(result)}))
    for path in dict.fromkeys(path for result in there for path, _ in result.observation.contents):
        contents = {result.runtime: dict(result.observation.contents).get(path) for result in there if ran(result)}
        outputs.append(
            _output(
                path if path.startswith("wire: ") else f"file {path}",
                {name: data if data is not None else b"(not there)" for name, data in contents.items()},
            )
        )
    trees = {result.runtime: _tree_text(result).encode() for result in there if ran(result)}
    outputs.append(_output("files afterwards", trees))
    return CaseView(
        info,
        f"case-{anchor(info.id)}",
        results,
        tuple(_check_row(info, check, results) for check in info.checks),
        tuple(result.unit(EXPECT_UNIT) if result else None for result in results),
        tuple(block for block in outputs if block is not None),
        case_differences(record, info),
        endings,
        max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.SKIP),
        any(result.unexpected for result in there),
    )


def _tree_text(result: CaseResult) -> str:
    lines = []
    for state in result.observation.tree:
        detail = {"file": f"{state.size} bytes {state.digest[:12]}", "link": f"-> {state.digest}"}.get(
            state.kind, state.kind
        )
        lines.append(f"{state.path}  {detail}")
    return "\n".join(lines)


def _output(name: str, values: dict[str, bytes]) -> OutputBlock | None:
    """An output by groups of runtimes that gave the same; None when nobody gave any."""
    if not any(values.values()):
        return None
    found = groups(values)
    texts = [show_bytes(group.value) for group in found]
    columns = tuple(
        OutputColumn(group.runtimes, rows, len(group.value)) for group, rows in zip(found, align(texts), strict=True)
    )
    return OutputBlock(name, len(found) > 1, columns)


def show_bytes(data: bytes, limit: int = 64 << 10) -> str:
    """Bytes for people: UTF-8 where it is, the rest as \\xNN; control characters are made visible."""
    text = data[:limit].decode("utf-8", "backslashreplace")
    shown = "".join(letter if letter in "\n\t" or letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return shown + (f"\n… ({len(data)} bytes in all)" if len(data) > limit else "")


def _check_row(info: CaseInfo, check: CheckInfo, results: tuple[CaseResult | None, ...]) -> CheckRow:
    units = tuple(result.unit(check.id) if result else None for result in results)
    found: tuple[Group[str], ...] = ()
    if check.level is Level.UNSPECIFIED:
        reported = {
            result.runtime: unit.value
            for result, unit in zip(results, units, strict=True)
            if result and unit and unit.value is not None
        }
        found = groups(reported)
    return CheckRow(info, check, units, found)


def _interface(record: Record, cases: tuple[CaseView, ...], name: str) -> InterfaceRow:
    mine = [case for case in cases if name in case.info.interfaces]
    checks = [row for case in cases for row in case.checks if row.check.interface == name]
    functions = tuple(
        FunctionRow(
            function.removeprefix(name + "."),
            f"fn-{anchor(function)}",
            tuple(_column(rows, (), index) for index in range(len(record.present))),
            rows,
        )
        for function in sorted({row.check.function for row in checks})
        for rows in [tuple(row for row in checks if row.check.function == function)]
    )
    counts = tuple(_column(tuple(checks), mine, index) for index in range(len(record.present)))
    shown = {case.info.id: case.info for case in mine} | {row.case.id: row.case for row in checks}
    return InterfaceRow(name, name.partition("/")[0], f"if-{anchor(name)}", counts, functions, tuple(shown.values()))


def _column(checks: tuple[CheckRow, ...], cases: Iterable[CaseView], index: int) -> Count:
    units = [(unit, row.check.level) for row in checks if (unit := row.results[index]) is not None]
    units += [(unit, Level.MUST) for case in cases if (unit := case.expect[index]) is not None]
    return count(units)
