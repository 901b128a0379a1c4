"""Several attempts of one case on one runtime: what differs between them is flaky, and never passes. Pure.

In: the result of each attempt, in their order. Out: one result, whose units are FLAKY where the attempts came to
different verdicts. It is that of the first attempt and has the others in `attempts`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..model import CaseResult, UnitResult, Verdict
from .verdicts import Definition, of_units

Mark = Callable[[CaseResult], CaseResult]
"""Adds the announcements to the result of one attempt."""


def joined(attempts: Sequence[CaseResult], case: Definition, *, strict: bool) -> CaseResult:
    """Returns the attempts as one result. A single attempt is returned as it is."""
    first, *others = attempts
    if not others:
        return first
    found = [{unit.id: unit for unit in attempt.units} for attempt in attempts]
    units = tuple(_unit([mine.get(name) for mine in found]) for name in dict.fromkeys(name for mine in found for name in mine))
    flaky = any(unit.verdict is Verdict.FLAKY for unit in units)
    verdict = of_units(case, units, strict=strict) if flaky else first.verdict
    return replace(first, units=units, verdict=verdict, attempts=tuple(others))


def agree(attempts: Sequence[CaseResult]) -> bool:
    """Returns whether all attempts came to the same verdicts."""
    verdicts = [{unit.id: unit.verdict for unit in attempt.units} for attempt in attempts]
    return all(mine == verdicts[0] for mine in verdicts)


def _unit(units: Sequence[UnitResult | None]) -> UnitResult:
    """Returns one unit of all attempts. Where an attempt has no such unit, it was not run there."""
    there = [unit for unit in units if unit is not None]
    verdicts = tuple(Verdict.SKIP if unit is None else unit.verdict for unit in units)
    if len(set(verdicts)) == 1:
        return there[0]
    worst = max(there, key=lambda unit: unit.verdict.rank)
    words = ", ".join(verdict.value for verdict in verdicts)
    detail = f"{words}{f': {worst.detail}' if worst.detail else ''}"
    return UnitResult(worst.id, Verdict.FLAKY, detail, there[0].value, verdicts=verdicts)


def first_of(result: CaseResult, case: Definition, *, strict: bool) -> CaseResult:
    """Returns the first attempt alone. The details of its flaky units are those of all attempts."""
    if not result.attempts:
        return result
    units = tuple(
        replace(unit, verdict=unit.verdicts[0], verdicts=()) if unit.verdicts else unit for unit in result.units
    )
    verdict = result.verdict if units == result.units else of_units(case, units, strict=strict)
    return replace(result, units=units, verdict=verdict, attempts=())


def marked(result: CaseResult, case: Definition, mark: Mark, *, strict: bool, allow_flaky: bool) -> CaseResult:
    """Returns the result with its announcements.

    A flaky unit is unexpected where one of its attempts is, unless flaky results are allowed."""
    if all(unit.verdict is not Verdict.FLAKY for unit in result.units):
        return mark(result)
    attempts = [mark(attempt) for attempt in (first_of(result, case, strict=strict), *result.attempts)]
    found = [{unit.id: unit for unit in attempt.units} for attempt in attempts]
    units = []
    for unit in result.units:
        mine = [units_of[unit.id] for units_of in found if unit.id in units_of]
        expected = next((one.expected for one in mine if one.expected is not None), None)
        unexpected = any(one.unexpected for one in mine)
        if unit.verdict is Verdict.FLAKY:
            units.append(replace(unit, expected=expected, unexpected=unexpected and not allow_flaky))
        else:
            units.append(replace(mine[0], expected=expected, unexpected=unexpected))
    return replace(result, units=tuple(units))
