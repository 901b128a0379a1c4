"""Judging a record again from what it keeps, without running anything.

In: a record, and the definitions and expectations to judge by (default: those in the record). Out: the record
with the new verdicts, and what cannot be judged again and why. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from .. import record
from ..judge import Definition, first_of, joined, judge, marked, of_units
from ..judge.expect import Expectations
from ..model import CaseResult, Check, UnitResult
from ..record import Record
from ..record.settle import settle


@dataclass(frozen=True)
class Kept:
    """A verdict that is kept from the record, and why."""

    case: str
    runtime: str
    unit: str
    """Empty where the whole case is kept."""
    reason: str


def judge_again(
    old: Record, definitions: Mapping[str, Definition], expectations: Expectations
) -> tuple[Record, tuple[Kept, ...]]:
    """Returns the record with new verdicts. `definitions` has the cases by id."""
    results, kept = [], []
    for result in old.results:
        definition = definitions.get(result.case)
        if definition is None:
            kept.append(Kept(result.case, result.runtime, "", "there is no definition of the case"))
            results.append(result)
            continue
        attempts = []
        for attempt in (first_of(result, definition, strict=old.strict), *result.attempts):
            again, mine = _one(old, attempt, definition)
            attempts.append(again)
            kept += mine
        results.append(mark(old, joined(attempts, definition, strict=old.strict), definition, expectations))
    return replace(old, results=tuple(results)), tuple(kept)


def mark(old: Record, result: CaseResult, definition: Definition, expectations: Expectations) -> CaseResult:
    """Returns a result with its announcements, by the settings of the record."""
    strict, judged = old.strict, result.runtime in old.gate
    return marked(
        result,
        definition,
        lambda attempt: expectations.mark(attempt, definition, strict=strict, judged=judged),
        strict=strict,
        allow_flaky=old.allow_flaky,
    )


def _one(old: Record, before: CaseResult, definition: Definition) -> tuple[CaseResult, list[Kept]]:
    again = judge(definition, before.runtime, record.seen(before), strict=old.strict)
    again = settle(again, (), datetime.fromisoformat(old.started))
    recorded = {unit.id: unit for unit in before.units}
    units, kept = [], []
    for unit in again.units:
        was = recorded.get(unit.id)
        reason = _lacking(old, before, definition.check(unit.id), unit, was)
        if was is not None and reason:
            kept.append(Kept(before.case, before.runtime, unit.id, reason))
            unit = replace(was, expected=None, unexpected=False)
        units.append(unit)
    verdict = before.verdict if before.reason else of_units(definition, units, strict=old.strict)
    return replace(before, units=tuple(units), verdict=verdict), kept


def _lacking(old: Record, before: CaseResult, check: Check | None, unit: UnitResult, was: UnitResult | None) -> str:
    """Returns what the record lacks for judging a unit, or an empty string."""
    if unit.id in before.whole:
        return "its verdict was made from more than the record keeps"
    if old.schema not in record.BEFORE_3 or before.reason:
        return ""
    if check is not None and check.wire is not None and check.wire.on not in ("stdout", "ending"):
        return f"the record has no exchanges ({old.schema})"
    same = was is not None and (was.verdict, was.value) == (unit.verdict, unit.value)
    if not same and (before.observation.cut or before.observation.normalised):
        return f"the record does not say which verdicts were made from more than it keeps ({old.schema})"
    return ""
