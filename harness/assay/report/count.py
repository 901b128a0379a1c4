"""The counts of a cell: of the matrix, of a row of cards, of the versions. Pure.

In: results of units. Out: a `Count`, which can be added, and which says itself in signs and in words.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from ..model import Level, UnitResult, Verdict
from ..model.words import plural


@dataclass(frozen=True)
class Count:
    """The counts of one cell of the matrix. MUSTs, SHOULDs and recorded values are counted separately and
    never added.

    How a run ended is not a requirement, but no cell is green where a run did not end as asked."""

    passed: int = 0
    failed: int = 0
    unsupported: int = 0
    flaky: int = 0  # one verdict at one attempt, another at the next
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
        return replace(total((self, other)), unit=self.unit)

    @property
    def total(self) -> int:
        """All requirements, run or not."""
        return self.passed + self.failed + self.unsupported + self.flaky + self.errors + self.not_run

    @property
    def shoulds(self) -> int:
        return self.should_passed + self.should_failed + self.should_not_run

    @property
    def left_out(self) -> bool:
        return bool(self.not_run or self.should_not_run or self.values_not_run or self.runs_not_run)

    @property
    def ran(self) -> int:
        return (
            self.passed + self.failed + self.unsupported + self.flaky + self.errors + self.should_passed + self.should_failed
            + self.values + self.values_lost + self.runs
        )  # fmt: skip

    @property
    def state(self) -> str:
        if not self.ran:
            return "unrun" if self.left_out else "none"
        if self.failed or self.flaky or self.errors or self.unexpected:
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
            ("≈", self.flaky, "flaky"),
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
            return plural(self.values, "value")
        return f"no {self.unit}" if self.ran or self.left_out else ""

    @property
    def aside(self) -> tuple[str, ...]:
        """The marks, or why a cell is not green although every requirement in it passes."""
        marks = [f"{sign}{number}" for sign, number, _ in self.marks]
        if self.marks:
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
                return (*marks, f"{sign}{plural(number, word)}")
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


NUMBERS = tuple(item.name for item in fields(Count)[:-2])
"""The names of the numbers of a count, in their order."""
_NUMBERS_OF = operator.attrgetter(*NUMBERS)
NO_RESULT = "the record has no result"


def count_unit(unit: UnitResult | None, level: Level | None) -> Count:
    """Counts one unit. A `level` of None means how a run ended. A `unit` of None means that the record lacks
    it."""
    if unit is None:
        return count_verdict(Verdict.SKIP, level, False, NO_RESULT)
    return count_verdict(unit.verdict, level, unit.unexpected, unit.detail if unit.verdict is Verdict.SKIP else "")


@functools.lru_cache(maxsize=4096)
def count_verdict(verdict: Verdict, level: Level | None, surprise: bool, reason: str = "") -> Count:
    """Counts one unit by what is counted of it. The `reason` is that of a skipped one. The same arguments give the
    same object, of which `total` adds a multiple."""
    reasons = ((reason, 1),) if verdict is Verdict.SKIP else ()
    unexpected = int(surprise)
    skipped, passed = verdict is Verdict.SKIP, verdict is Verdict.PASS
    good, bad, none = int(passed), int(not passed and not skipped), int(skipped)
    if level is None:
        return Count(runs=good + bad, runs_failed=bad, runs_not_run=none, unexpected=unexpected, reasons=reasons)
    if level is Level.UNSPECIFIED:
        return Count(values=good, values_lost=bad, values_not_run=none, unexpected=unexpected, reasons=reasons)
    if level is Level.SHOULD:
        return Count(should_passed=good, should_failed=bad, should_not_run=none, unexpected=unexpected, reasons=reasons)
    kinds = (Verdict.UNSUPPORTED, Verdict.FLAKY, Verdict.ERROR)
    unsupported, flaky, errors = (int(verdict is kind) for kind in kinds)
    failed = bad - unsupported - flaky - errors
    return Count(good, failed, unsupported, flaky, errors, none, unexpected=unexpected, reasons=reasons)


def total(counts: Iterable[Count]) -> Count:
    """Adds counts. A cell has thousands, of which most are the same few objects, so equal objects are added at once."""
    every: dict[int, list[Any]] = {}
    for count in counts:
        mine = every.get(id(count))
        if mine is None:
            every[id(count)] = [count, 1]
        else:
            mine[1] += 1
    sums = [0] * len(NUMBERS)
    reasons: Counter[str] = Counter()
    for count, times in every.values():
        for place, number in enumerate(_NUMBERS_OF(count)):
            sums[place] += number * times
        for reason, number in count.reasons:
            reasons[reason] += number * times
    numbers: dict[str, Any] = dict(zip(NUMBERS, sums, strict=True))
    return Count(**numbers, reasons=tuple(reasons.items()))
