"""Differences between two records: what was added, removed, fixed, broken, changed, or became flaky. Pure.

In: an older and a newer record. Out: changes by unit, in the order of runtimes and cases.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..model import Verdict
from .record import Record


class Change(enum.Enum):
    ADDED = "added"
    REMOVED = "removed"
    FIXED = "fixed"
    BROKEN = "broken"
    CHANGED = "changed"
    FLAKY = "flaky"


@dataclass(frozen=True)
class UnitChange:
    """One unit of one case on one runtime that differs between two records."""

    change: Change
    runtime: str
    case: str
    unit: str
    before: str
    after: str
    level: str = ""
    """`must`, `should` or `unspecified`; empty for what is no check."""
    function: str = ""

    @property
    def words(self) -> str:
        return f"{self.change.value:8} {self.runtime} {self.case} {self.unit}: {self.before} -> {self.after}"


@dataclass(frozen=True)
class Diff:
    """All changes from one record to another."""

    changes: tuple[UnitChange, ...]
    toolchains: tuple[str, ...] = ()
    """A line for each guest that another version of its toolchain has made."""

    def of(self, kind: Change) -> tuple[UnitChange, ...]:
        return tuple(item for item in self.changes if item.change is kind)

    @property
    def counts(self) -> dict[Change, int]:
        found = Counter(item.change for item in self.changes)
        return {kind: found[kind] for kind in Change}

    @property
    def words(self) -> str:
        """The number of changes of each kind."""
        return ", ".join(f"{number} {kind.value}" for kind, number in self.counts.items())

    def red(self, *, allow_missing: bool = False, allow_flaky: bool = False) -> bool:
        """Returns whether something broke, is missing, or passed and is flaky now."""
        unsteady = any(item.before.startswith(Verdict.PASS.value) for item in self.of(Change.FLAKY))
        missing = bool(self.of(Change.REMOVED))
        return bool(self.of(Change.BROKEN)) or (missing and not allow_missing) or (unsteady and not allow_flaky)


RUNTIME, CASE = "(the runtime)", "(the whole case)"
"""Stand for the unit where only one record has the runtime, or the case."""


def _toolchain_changes(old: Record, new: Record) -> tuple[str, ...]:
    before, after = old.suite.toolchains, new.suite.toolchains
    return tuple(
        f"toolchain of {guest}: {before[guest]}, now {after[guest]}"
        for guest in sorted(before.keys() & after.keys())
        if before[guest] != after[guest]
    )


def diff(old: Record, new: Record) -> Diff:
    """Returns the changes from one record to another, by unit. A runtime or case in one record only is one
    change."""
    checks = {(case.id, check.id): check for made in (old, new) for case in made.cases for check in case.checks}
    changes = [
        item if check is None else replace(item, level=check.level.value, function=check.function)
        for item in _changes(old, new)
        for check in [checks.get((item.case, item.unit))]
    ]
    return Diff(tuple(changes), _toolchain_changes(old, new))


def of_runtimes(old: Record, new: Record, pairs: Sequence[tuple[str, str]]) -> tuple[Record, Record]:
    """Returns the records with these runtimes only. In a pair of two names, the runtime of the older record gets the
    name that it has in the newer one. Raises ValueError where a record lacks one."""
    sides = []
    for made, mine in ((old, [pair[0] for pair in pairs]), (new, [pair[1] for pair in pairs])):
        there = [runtime.name for runtime in made.runtimes]
        if lacking := [name for name in mine if name not in there]:
            raise ValueError(
                f"{', '.join(lacking)}: no such runtime in the record of {made.started}: {', '.join(there)}"
            )
        names = {name: pair[1] for name, pair in zip(mine, pairs, strict=True)}
        sides.append(
            replace(
                made,
                runtimes=tuple(replace(item, name=names[item.name]) for item in made.runtimes if item.name in names),
                results=tuple(
                    replace(item, runtime=names[item.runtime]) for item in made.results if item.runtime in names
                ),
            )
        )
    return sides[0], sides[1]


def _changes(old: Record, new: Record) -> list[UnitChange]:
    names = [runtime.name for runtime in old.present]
    later = [runtime.name for runtime in new.present]
    changes: list[UnitChange] = []
    for name in dict.fromkeys((*names, *later)):
        if name not in later:
            changes.append(UnitChange(Change.REMOVED, name, "*", RUNTIME, "there", "absent"))
        elif name not in names:
            changes.append(UnitChange(Change.ADDED, name, "*", RUNTIME, "absent", "there"))
    both = [name for name in names if name in later]
    before, after = _units(old, both), _units(new, both)
    for key in sorted({**before, **after}):
        runtime, case = key
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            change = Change.ADDED if was is None else Change.REMOVED
            number = f"{len(was or now or {})} units"
            changes.append(
                UnitChange(change, runtime, case, CASE, "–" if was is None else number, "–" if now is None else number)
            )
            continue
        for unit in dict.fromkeys((*was, *now)):
            found = _change(was.get(unit), now.get(unit))
            if found is not None:
                changes.append(UnitChange(found, runtime, case, unit, _words(was.get(unit)), _words(now.get(unit))))
    return changes


def _change(was: tuple[Verdict, str | None] | None, now: tuple[Verdict, str | None] | None) -> Change | None:
    if was == now:
        return None
    if was is None or now is None:
        return Change.ADDED if was is None else Change.REMOVED
    if now[0] is Verdict.FLAKY and was[0] is not Verdict.FLAKY:
        return Change.FLAKY
    if (was[0] is Verdict.PASS) != (now[0] is Verdict.PASS):
        return Change.FIXED if now[0] is Verdict.PASS else Change.BROKEN
    return Change.CHANGED


def _units(record: Record, runtimes: list[str]) -> dict[tuple[str, str], dict[str, tuple[Verdict, str | None]]]:
    return {
        (result.runtime, result.case): {unit.id: (unit.verdict, unit.value) for unit in result.units}
        for result in record.results
        if result.runtime in runtimes
    }


def _words(state: tuple[Verdict, str | None] | None) -> str:
    if state is None:
        return "–"
    return state[0].value if state[1] is None else f"{state[0].value} {state[1]}"
