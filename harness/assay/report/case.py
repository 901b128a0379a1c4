"""One case with its results on every runtime, and the requirements that its checks cite. Pure.

In: a record and one of its cases. Out: a `CaseView`: checks, outputs grouped by runtimes that gave the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..model import EXPECT_UNIT, CaseResult, Check, Level, UnitResult, Verdict
from ..model.wire import show
from ..record import CaseInfo, Record
from ..record.differ import Aspect, Group, case_differences, groups, ran
from .count import Count, count_unit, count_verdict, total


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

    @functools.cached_property
    def counts(self) -> tuple[Count, ...]:
        """Counts it on each runtime: once, by the worst of its checks. A recorded value has no verdict, so
        each counts."""
        return tuple(self._count(units) for units in zip(*(row.results for row in self.rows), strict=True))

    def _count(self, units: Sequence[UnitResult | None]) -> Count:
        level = self.check.level
        if len(units) == 1:
            return count_unit(units[0], level)
        if level is Level.UNSPECIFIED:
            return total(count_unit(unit, level) for unit in units)
        worst = max(units, key=lambda unit: Verdict.SKIP.rank if unit is None else unit.verdict.rank)
        unexpected = any(unit is not None and unit.unexpected for unit in units)
        if worst is None:
            return count_unit(None, level)
        skipped = worst.verdict is Verdict.SKIP
        return count_verdict(worst.verdict, level, unexpected, worst.detail if skipped else "")


def requirements(rows: Iterable[CheckRow]) -> tuple[RequirementRow, ...]:
    """Groups checks by requirement and function. A requirement that shows at two functions is one at each."""
    found: dict[tuple[str, str], list[CheckRow]] = {}
    for row in rows:
        found.setdefault((row.check.function, row.check.id), []).append(row)
    return tuple(RequirementRow(mine[0].check, tuple(mine)) for mine in found.values())


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


def anchor(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in text)


def case_view(record: Record, info: CaseInfo) -> CaseView:
    results = tuple(record.result(info.id, runtime.name) for runtime in record.present)
    units = [{unit.id: unit for unit in reversed(result.units)} if result else {} for result in results]
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
        tuple(
            _check_row(info, check, results, tuple(mine.get(check.id) for mine in units)) for check in info.checks
        ),
        tuple(mine.get(EXPECT_UNIT) for mine in units),
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
    plain = text.replace("\n", "").replace("\t", "").isprintable()
    shown = (
        text
        if plain
        else "".join(letter if letter in "\n\t" or letter.isprintable() else repr(letter)[1:-1] for letter in text)
    )
    return shown + (f"\n… ({len(data)} bytes in all)" if len(data) > limit else "")


def _check_row(
    info: CaseInfo, check: Check, results: tuple[CaseResult | None, ...], units: tuple[UnitResult | None, ...]
) -> CheckRow:
    found: tuple[Group[str], ...] = ()
    if check.level is Level.UNSPECIFIED:
        reported = {
            result.runtime: unit.value
            for result, unit in zip(results, units, strict=True)
            if result and unit and unit.value is not None
        }
        found = groups(reported)
    return CheckRow(info, check, units, found)
