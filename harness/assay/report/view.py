"""The data of the reports, computed once from a record: counts by interface, function, package and runtime.

In: a `Record`. Out: frozen values that the templates print. Pure.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

from ..model import EXPECT_UNIT, CaseResult, Check, Level, UnitResult, Verdict
from ..model.wire import show
from ..record import CaseInfo, Record, RuntimeInfo
from ..record.differ import Aspect, Group, case_differences, groups, ran
from ..record.status import RunStatus, RuntimeStatus, status

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
    """The counts of one cell of the matrix. MUSTs, SHOULDs and recorded values are counted separately and
    never added.

    How a run ended is not a requirement, but no cell is green where a run did not end as asked."""

    passed: int = 0
    failed: int = 0
    unsupported: int = 0
    errors: int = 0  # a fault of the case or of the harness, not of the runtime
    not_run: int = 0
    should_passed: int = 0
    should_failed: int = 0
    should_not_run: int = 0
    values: int = 0
    values_lost: int = 0  # not reported
    values_not_run: int = 0
    runs: int = 0
    runs_failed: int = 0
    runs_not_run: int = 0
    unexpected: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    """The reasons why runs are missing, each with its number."""
    unit: str = "MUST"

    def __add__(self, other: Count) -> Count:
        reasons = dict(self.reasons)
        for reason, number in other.reasons:
            reasons[reason] = reasons.get(reason, 0) + number
        sums = {item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)[:-2]}
        return Count(**sums, reasons=tuple(reasons.items()), unit=self.unit)

    @property
    def total(self) -> int:
        """All requirements, run or not."""
        return self.passed + self.failed + self.unsupported + self.errors + self.not_run

    @property
    def shoulds(self) -> int:
        return self.should_passed + self.should_failed + self.should_not_run

    @property
    def left_out(self) -> bool:
        return bool(self.not_run or self.should_not_run or self.values_not_run or self.runs_not_run)

    @property
    def ran(self) -> int:
        return (
            self.passed + self.failed + self.unsupported + self.errors + self.should_passed + self.should_failed
            + self.values + self.values_lost + self.runs
        )  # fmt: skip

    @property
    def state(self) -> str:
        if not self.ran:
            return "unrun" if self.left_out else "none"
        if self.failed or self.errors or self.unexpected:
            return "mixed" if self.passed >= max(1, self.failed) else "bad"
        if self.unsupported or self.should_failed or self.runs_failed or self.values_lost:
            return "partial"
        if self.left_out:
            return "gaps"
        return "good" if self.passed or self.should_passed else "recorded"

    @property
    def symbol(self) -> str:
        return {
            "none": "–",
            "unrun": "–",
            "recorded": "·",
            "bad": "✗",
            "mixed": "✗",
            "gaps": "◌",
            "partial": "◐",
            "good": "✓",
        }[self.state]

    @property
    def marks(self) -> tuple[tuple[str, int, str], ...]:
        """What is shown beside passed/all: a sign, a number, and a word for it."""
        every = (
            ("✗", self.failed, "fail"),
            ("∅", self.unsupported, "unsupported"),
            ("!", self.errors, "in error"),
            ("◌", self.not_run, "not run"),
        )
        return tuple(mark for mark in every if mark[1])

    @property
    def main(self) -> str:
        """The number that passed of all, or the values where nothing is required."""
        if self.total:
            return f"{self.passed}/{self.total}"
        if self.values and not self.shoulds:
            return f"{self.values} value{'s' if self.values > 1 else ''}"
        return f"no {self.unit}" if self.ran or self.left_out else ""

    @property
    def aside(self) -> tuple[str, ...]:
        """The marks, or why a cell is not green although every requirement in it passes."""
        marks = [f"{sign}{number}" for sign, number, _ in self.marks]
        if self.failed or self.errors or self.unsupported or self.not_run:
            return tuple(marks)
        for sign, number, word in (
            ("✗", self.should_failed, "should"),
            ("✗", self.runs_failed, "run"),
            ("✗", self.values_lost, "value"),
            ("◌", self.should_not_run, "should"),
            ("◌", self.runs_not_run, "run"),
            ("◌", self.values_not_run, "value"),
        ):
            if number and self.unit == "MUST":
                return (*marks, f"{sign}{number} {word}{'s' if number > 1 else ''}")
        return tuple(marks)

    @property
    def short(self) -> str:
        """The cell as text, for a terminal or Markdown."""
        return " ".join([self.symbol, self.main, *self.aside]) if self.main else "–"

    @property
    def words(self) -> str:
        parts = []
        if self.total:
            parts.append(
                ", ".join(
                    [f"{self.unit}: {self.passed} of {self.total} pass", *(f"{n} {word}" for _, n, word in self.marks)]
                )
            )
        elif self.ran or self.left_out:
            parts.append(f"no {self.unit}")
        if self.shoulds:
            told = [f"SHOULD: {self.should_passed} of {self.shoulds} hold"]
            told += [f"{self.should_not_run} not run"] if self.should_not_run else []
            parts.append(", ".join(told))
        values = [f"{self.values} values recorded"] if self.values else []
        values += [f"{self.values_lost} not reported"] if self.values_lost else []
        values += [f"{self.values_not_run} values not run"] if self.values_not_run else []
        parts += [", ".join(values)] if values else []
        if self.runs_failed:
            parts.append(f"{self.runs_failed} of {self.runs} runs did not end as asked")
        if self.unexpected:
            parts.append(f"{self.unexpected} not as announced")
        if self.reasons:
            most = sorted(self.reasons, key=lambda item: -item[1])
            told = [f"{reason} ({number})" for reason, number in most[:3]] + (["…"] if len(most) > 3 else [])
            parts.append("not run: " + "; ".join(told))
        return ". ".join(parts) or "nothing is about it"


NO_RESULT = "the record has no result"


def count_unit(unit: UnitResult | None, level: Level | None) -> Count:
    """Counts one unit. A `level` of None means how a run ended. A `unit` of None means that the record lacks
    it."""
    verdict = unit.verdict if unit is not None else Verdict.SKIP
    reasons = () if verdict is not Verdict.SKIP else ((unit.detail if unit is not None else NO_RESULT, 1),)
    unexpected = int(unit is not None and unit.unexpected)
    skipped, passed = verdict is Verdict.SKIP, verdict is Verdict.PASS
    good, bad, none = int(passed), int(not passed and not skipped), int(skipped)
    if level is None:
        return Count(runs=good + bad, runs_failed=bad, runs_not_run=none, unexpected=unexpected, reasons=reasons)
    if level is Level.UNSPECIFIED:
        return Count(values=good, values_lost=bad, values_not_run=none, unexpected=unexpected, reasons=reasons)
    if level is Level.SHOULD:
        return Count(should_passed=good, should_failed=bad, should_not_run=none, unexpected=unexpected, reasons=reasons)
    unsupported, errors = int(verdict is Verdict.UNSUPPORTED), int(verdict is Verdict.ERROR)
    return Count(good, bad - unsupported - errors, unsupported, errors, none, unexpected=unexpected, reasons=reasons)


def total(counts: Iterable[Count]) -> Count:
    return functools.reduce(operator.add, counts, Count())


@dataclass(frozen=True)
class CheckRow:
    """One check of one case with its result on every runtime."""

    case: CaseInfo
    check: Check
    results: tuple[UnitResult | None, ...]
    value_groups: tuple[Group[str], ...] = ()


@dataclass(frozen=True)
class RequirementRow:
    """A requirement on a function, with the checks of all cases that cite it."""

    check: Check
    rows: tuple[CheckRow, ...]

    def count(self, index: int) -> Count:
        """Counts it on one runtime: once, by the worst of its checks. A recorded value has no verdict, so
        each counts."""
        units = [row.results[index] for row in self.rows]
        if self.check.level is Level.UNSPECIFIED:
            return total(count_unit(unit, self.check.level) for unit in units)
        worst = max(units, key=lambda unit: Verdict.SKIP.rank if unit is None else unit.verdict.rank)
        unexpected = any(unit is not None and unit.unexpected for unit in units)
        return count_unit(worst and replace(worst, unexpected=unexpected), self.check.level)


def requirements(rows: Iterable[CheckRow]) -> tuple[RequirementRow, ...]:
    """Groups checks by requirement and function. A requirement that shows at two functions is one at each."""
    found: dict[tuple[str, str], list[CheckRow]] = {}
    for row in rows:
        found.setdefault((row.check.function, row.check.id), []).append(row)
    return tuple(RequirementRow(mine[0].check, tuple(mine)) for mine in found.values())


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
class OutputColumn:
    """An output that one or several runtimes gave."""

    runtimes: tuple[str, ...]
    text: str
    size: int
    cut: bool = False


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
    unexpected: bool
    variants: tuple[CaseView, ...] = ()
    """The case against other versions, and without openat2."""

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
    status: RuntimeStatus

    @property
    def words(self) -> str:
        """One line for a terminal."""
        return f"cases {self.cases.passed} of {self.cases.total} pass; {self.units.words}; {self.status.words}"


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


def anchor(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)


def build(record: Record) -> View:
    runtimes = record.present
    cases = _cases(record)
    counted = tuple(case for case in cases if not case.info.variant)
    interfaces = sorted(
        {name for case in counted for name in case.info.interfaces}
        | {row.check.interface for case in counted for row in case.checks}
    )
    names = tuple(runtime.name for runtime in runtimes)
    rows = [_interface(counted, name, names) for name in interfaces]
    packages = tuple(
        PackageRows(name, tuple(total(row.counts[i] for row in mine) for i in range(len(runtimes))), mine)
        for name in dict.fromkeys(row.package for row in rows)
        for mine in [tuple(row for row in rows if row.package == name)]
    )
    every = requirements(row for case in counted for row in case.checks)
    run = status(record)
    return View(
        record,
        runtimes,
        tuple(_summary(counted, every, index, runtime, run) for index, runtime in enumerate(runtimes)),
        packages,
        cases,
        len(record.cases) - len(counted),
        len(every),
        tuple(row for case in counted for row in case.checks if row.check.level is Level.UNSPECIFIED),
        tuple((result, unit) for result in record.results for unit in result.units if unit.unexpected),
        _surprising(record),
        run,
        _not_run(record),
    )


def _cases(record: Record) -> tuple[CaseView, ...]:
    """Returns the cases, each with its variants."""
    ids = {info.id for info in record.cases}
    mine: dict[str, list[CaseInfo]] = {}
    for info in record.cases:
        if info.variant and info.original in ids:
            mine.setdefault(info.original, []).append(info)
    return tuple(
        replace(_case(record, info), variants=tuple(_case(record, variant) for variant in mine.get(info.id, ())))
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
    cases: Sequence[CaseView], every: Iterable[RequirementRow], index: int, runtime: RuntimeInfo, run: RunStatus
) -> Summary:
    mine = [case.results[index] for case in cases]
    counts = total(
        count_unit(
            UnitResult(result.case, result.verdict, result.reason, unexpected=result.unexpected) if result else None,
            Level.MUST,
        )
        for result in mine
    )
    units = total(row.count(index) for row in every) + total(count_unit(case.expect[index], None) for case in cases)
    there = [
        result for case in cases for shown in (case, *case.variants) for result in [shown.results[index]] if result
    ]
    wall = sum(result.observation.wall for result in there)
    peak = max((result.observation.peak_rss_kib for result in there), default=0)
    mine_status = run.of(runtime.name)
    assert mine_status is not None
    return Summary(runtime, replace(counts, unit="cases"), units, wall, peak, mine_status)


def _case(record: Record, info: CaseInfo) -> CaseView:
    results = tuple(record.result(info.id, runtime.name) for runtime in record.present)
    there = [result for result in results if result is not None]
    ran_here = [result for result in there if ran(result)]
    outputs = [
        _output("stdout without check lines", "rest", ran_here, {r.runtime: r.rest for r in ran_here}),
        _output("stderr", "stderr", ran_here, {r.runtime: r.observation.stderr for r in ran_here}),
    ]
    for name in dict.fromkeys(exchange.name for result in there for exchange in result.observation.wire):
        texts = {result.runtime: _wire_text(result, name) for result in ran_here}
        outputs.append(_output(f"wire: {name}", f"wire: {name}", ran_here, texts))
    for path in dict.fromkeys(path for result in there for path, _ in result.observation.contents):
        contents = {result.runtime: dict(result.observation.contents).get(path) for result in ran_here}
        outputs.append(
            _output(
                path if path.startswith("wire: ") else f"file {path}",
                path,
                ran_here,
                {name: data if data is not None else b"(not there)" for name, data in contents.items()},
            )
        )
    trees = {result.runtime: _tree_text(result).encode() for result in there if ran(result)}
    outputs.append(_output("files afterwards", "tree", ran_here, trees))
    return CaseView(
        info,
        f"case-{anchor(info.id)}",
        results,
        tuple(_check_row(info, check, results) for check in info.checks),
        tuple(result.unit(EXPECT_UNIT) if result else None for result in results),
        tuple(block for block in outputs if block is not None),
        case_differences(record, info),
        any(result.unexpected for result in there),
    )


def _wire_text(result: CaseResult, name: str) -> bytes:
    """Returns the text of the exchanges of a name. An exchange that the record has cut has no end to show."""
    cut = any(item.name == f"wire: {name}" for item in result.observation.cut)
    text = "".join(show(exchange) for exchange in result.observation.wire if exchange.name == name)
    return (text.rpartition("<")[0] if cut else text).encode()


def _tree_text(result: CaseResult) -> str:
    lines = []
    for state in result.observation.tree:
        detail = {"file": f"{state.size} bytes {state.digest[:12]}", "link": f"-> {state.digest}"}.get(
            state.kind, state.kind
        )
        lines.append(f"{state.path}  {detail}")
    return "\n".join(lines)


def _output(name: str, kept_as: str, results: Sequence[CaseResult], values: dict[str, bytes]) -> OutputBlock | None:
    """Groups the runtimes that gave the same output. Returns None when no runtime gave any.

    Outputs that were cut differ by the checksum of the whole."""
    if not any(values.values()):
        return None
    cuts = {result.runtime: next((c for c in result.observation.cut if c.name == kept_as), None) for result in results}
    found = groups({runtime: (data, cuts.get(runtime)) for runtime, data in values.items()})
    columns = tuple(
        OutputColumn(
            group.runtimes,
            show_bytes(group.value[0]),
            cut.size if (cut := group.value[1]) else len(group.value[0]),
            cut is not None,
        )
        for group in found
    )
    return OutputBlock(name, len(found) > 1, columns)


def show_bytes(data: bytes, limit: int = 64 << 10) -> str:
    """Returns bytes as text: UTF-8 where it is valid, other bytes as \\xNN, control characters escaped."""
    text = data[:limit].decode("utf-8", "backslashreplace")
    shown = "".join(letter if letter in "\n\t" or letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return shown + (f"\n… ({len(data)} bytes in all)" if len(data) > limit else "")


def _check_row(info: CaseInfo, check: Check, results: tuple[CaseResult | None, ...]) -> CheckRow:
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


def _interface(cases: tuple[CaseView, ...], name: str, names: tuple[str, ...]) -> InterfaceRow:
    """Returns the requirements on the functions of an interface, and how the runs of its cases ended."""
    mine = [case for case in cases if name in case.info.interfaces]
    checks = [row for case in cases for row in case.checks if row.check.interface == name]
    functions = tuple(
        FunctionRow(
            function.removeprefix(name + "."),
            f"fn-{anchor(function)}",
            tuple(total(row.count(index) for row in rows) for index in range(len(names))),
            rows,
        )
        for function in sorted({row.check.function for row in checks})
        for rows in [requirements(row for row in checks if row.check.function == function)]
    )
    counts = tuple(
        total(function.counts[index] for function in functions)
        + total(count_unit(case.expect[index], None) for case in mine)
        for index in range(len(names))
    )
    shown = {case.info.id: case.info for case in mine} | {row.case.id: row.case for row in checks}
    return InterfaceRow(name, name.partition("/")[0], f"if-{anchor(name)}", counts, functions, tuple(shown.values()))
