"""Differences between the runtimes of one record. Pure.

In: values by runtime, texts, a record. Out: groups of runtimes that agree, aligned lines with marks on what
differs.
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
    return tuple(aspect for aspect, values in aspects if _differ(tuple(values.values())))


def _differ(values: Sequence[Hashable]) -> bool:
    return any(value != values[0] for value in values)


def _cut(result: CaseResult, name: str) -> tuple[int, str] | None:
    """Returns what distinguishes outputs that the record has cut: the size and checksum of the whole."""
    return next(((cut.size, cut.sha256) for cut in result.observation.cut if cut.name == name), None)
