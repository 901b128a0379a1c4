"""Differences between runtimes, and differences between two records. Pure.

In: values by runtime, texts, records. Out: groups of runtimes that agree, aligned lines with marks on what
differs, changes by kind.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..model import CaseResult, Ending, Verdict
from .record import CaseInfo, Record

T = TypeVar("T", bound=Hashable)

LINE_LIMIT = 2000
"""Only the first so many lines of a text are aligned."""


@dataclass(frozen=True)
class Group(Generic[T]):
    """Runtimes that did the same."""

    value: T
    runtimes: tuple[str, ...]


def groups(values: Mapping[str, T]) -> tuple[Group[T], ...]:
    """Groups runtimes by their values: the largest group first, then in the order given."""
    found: dict[T, list[str]] = {}
    for runtime, value in values.items():
        found.setdefault(value, []).append(runtime)
    order = {value: index for index, value in enumerate(found)}
    return tuple(
        Group(value, tuple(names))
        for value, names in sorted(found.items(), key=lambda item: (-len(item[1]), order[item[0]]))
    )


@dataclass(frozen=True)
class Span:
    """A piece of a line, marked where it differs from the first group's."""

    text: str
    marked: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a text, or a gap where another text has a line. `differs` marks rows that are not the same
    everywhere."""

    spans: tuple[Span, ...]
    differs: bool = False
    gap: bool = False

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)


def align(texts: Sequence[str], *, fine: bool = True) -> tuple[tuple[Row, ...], ...]:
    """Returns the texts as columns with equal numbers of rows, aligned on the first text.

    What differs from the first is marked, with `fine` within lines too."""
    if not texts:
        return ()
    columns = [text.split("\n")[:LINE_LIMIT] for text in texts]
    base = columns[0]
    # For every other text: the partner (or a gap) of each line of the base,
    # and the lines before that partner.
    partners: list[list[str | None]] = []
    inserted: list[list[list[str]]] = []
    for other in columns[1:]:
        mates: list[str | None] = [None] * len(base)
        extra: list[list[str]] = [[] for _ in range(len(base) + 1)]
        matcher = difflib.SequenceMatcher(None, base, other, autojunk=False)
        for tag, low, high, other_low, other_high in matcher.get_opcodes():
            if tag == "insert":
                extra[low].extend(other[other_low:other_high])
                continue
            shared = min(high - low, other_high - other_low)
            mates[low : low + shared] = other[other_low : other_low + shared]
            extra[low + shared].extend(other[other_low + shared : other_high])
        partners.append(mates)
        inserted.append(extra)
    rows: list[list[Row]] = [[] for _ in columns]
    gap = Row((), differs=True, gap=True)
    for index in range(len(base) + 1):
        for depth in range(max((len(extra[index]) for extra in inserted), default=0)):
            rows[0].append(gap)
            for column, extra in enumerate(inserted, 1):
                present = depth < len(extra[index])
                rows[column].append(Row((Span(extra[index][depth], True),), differs=True) if present else gap)
        if index == len(base):
            break
        mates_here = [mates[index] for mates in partners]
        same = all(mate == base[index] for mate in mates_here)
        rows[0].append(Row((Span(base[index]),), differs=not same))
        for column, mate in enumerate(mates_here, 1):
            marked = () if mate is None else mark(base[index], mate) if fine else whole(base[index], mate)
            rows[column].append(gap if mate is None else Row(marked, differs=mate != base[index]))
    return tuple(tuple(column) for column in rows)


def whole(base: str, other: str) -> tuple[Span, ...]:
    """Returns `other`, marked unless it is the same."""
    return (Span(other, base != other),)


def mark(base: str, other: str) -> tuple[Span, ...]:
    """Returns `other` in pieces. Those that `base` lacks at that place are marked."""
    if base == other:
        return (Span(other),)
    if max(len(base), len(other)) > 1000:
        return (Span(other, True),)
    spans: list[Span] = []
    for tag, _, _, low, high in difflib.SequenceMatcher(None, base, other, autojunk=False).get_opcodes():
        if low == high:
            continue
        marked = tag != "equal"
        if spans and spans[-1].marked == marked:
            spans[-1] = Span(spans[-1].text + other[low:high], marked)
        else:
            spans.append(Span(other[low:high], marked))
    return tuple(spans) or (Span("", True),)


class Aspect(enum.Enum):
    ENDING = "how it ended"
    VERDICTS = "verdicts"
    VALUES = "unspecified values"
    STDOUT = "stdout"
    FILES = "files afterwards"


def ran(result: CaseResult | None) -> bool:
    """Returns whether a comparison can use the result: the case was run."""
    return (
        result is not None
        and result.verdict is not Verdict.SKIP
        and result.observation.outcome.ending is not Ending.NOT_STARTED
    )


def ending_key(result: CaseResult) -> str:
    """Returns how a run ended, in words that all runtimes share. Trap kinds are left out."""
    outcome = result.observation.outcome
    if outcome.ending in (Ending.MALFORMED, Ending.INVALID, Ending.REJECTED):
        return "rejected"
    return f"exited {outcome.status}" if outcome.ending is Ending.EXITED else outcome.ending.value


def case_differences(record: Record, case: CaseInfo) -> tuple[Aspect, ...]:
    """Returns the aspects in which the runtimes that ran a case differ."""
    results = {runtime.name: record.result(case.id, runtime.name) for runtime in record.present}
    compared = {name: result for name, result in results.items() if result is not None and ran(result)}
    if len(compared) < 2:
        return ()
    aspects: list[tuple[Aspect, Mapping[str, Hashable]]] = [
        (Aspect.ENDING, {name: ending_key(result) for name, result in compared.items()}),
        (
            Aspect.VERDICTS,
            {name: tuple((unit.id, unit.verdict) for unit in result.units) for name, result in compared.items()},
        ),
        (
            Aspect.VALUES,
            {name: tuple((unit.id, unit.value) for unit in result.units) for name, result in compared.items()},
        ),
        (Aspect.STDOUT, {name: (result.rest, _cut(result, "rest")) for name, result in compared.items()}),
        (Aspect.FILES, {name: (result.observation.tree, _cut(result, "tree")) for name, result in compared.items()}),
    ]
    return tuple(aspect for aspect, values in aspects if len(groups(values)) > 1)


def _cut(result: CaseResult, name: str) -> tuple[int, str] | None:
    """Returns what distinguishes outputs that the record has cut: the size and checksum of the whole."""
    return next(((cut.size, cut.sha256) for cut in result.observation.cut if cut.name == name), None)


class Change(enum.Enum):
    ADDED = "added"
    REMOVED = "removed"
    FIXED = "fixed"
    BROKEN = "broken"
    CHANGED = "changed"


@dataclass(frozen=True)
class UnitChange:
    """One unit of one case on one runtime that differs between two records."""

    change: Change
    runtime: str
    case: str
    unit: str
    before: str
    after: str

    @property
    def words(self) -> str:
        return f"{self.change.value:8} {self.runtime} {self.case} {self.unit}: {self.before} -> {self.after}"


RUNTIME, CASE = "(the runtime)", "(the whole case)"
"""Stand for the unit where only one record has the runtime, or the case."""


def toolchain_changes(old: Record, new: Record) -> tuple[str, ...]:
    """Returns a line for each guest that another version of its toolchain has made."""
    before, after = old.suite.toolchains, new.suite.toolchains
    return tuple(
        f"toolchain of {guest}: {before[guest]}, now {after[guest]}"
        for guest in sorted(before.keys() & after.keys())
        if before[guest] != after[guest]
    )


def compare(old: Record, new: Record) -> tuple[UnitChange, ...]:
    """Returns the changes from one record to another, by unit. A runtime or case in one record only is one
    change."""
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
    return tuple(changes)


def _change(was: tuple[Verdict, str | None] | None, now: tuple[Verdict, str | None] | None) -> Change | None:
    if was == now:
        return None
    if was is None or now is None:
        return Change.ADDED if was is None else Change.REMOVED
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
