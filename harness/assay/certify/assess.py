"""What the runs of a runtime say of its claim. Pure.

In: a claim, and the records of its runs. Out: an `Assessment`: certified, or every reason why not. `assay verify`
computes it again from the records of a bundle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model import EXPECT_UNIT, CaseResult, Level, Verdict
from ..record import CaseInfo, Record
from .profile import Claim

RUNS = 3
"""The fewest runs that a certificate rests on."""
LONGEST = 200
"""Characters of a reason that are kept. The records have the rest."""


@dataclass(frozen=True)
class Reason:
    """Why a runtime is not certified: the case and the unit (both empty: the runs as a whole), and words."""

    case: str
    unit: str
    words: str

    def __str__(self) -> str:
        place = " ".join(part for part in (self.case, self.unit) if part)
        return f"{place}: {self.words}" if place else self.words


@dataclass(frozen=True)
class Count:
    """The checks of one interface: those that hold in every run, of how many, by level."""

    interface: str
    must: tuple[int, int]
    should: tuple[int, int]


@dataclass(frozen=True)
class Assessment:
    reasons: tuple[Reason, ...]
    counts: tuple[Count, ...]
    untried: tuple[str, ...]
    """The interfaces of the claim of which the suite has no MUST in these cases."""
    cases: int
    runs: int

    @property
    def certified(self) -> bool:
        return not self.reasons


def assess(claimed: Claim, runtime: str, records: Sequence[Record]) -> Assessment:
    """Returns what the records, each of one run of the same cases, say of a claim."""
    reasons = [*_of_the_runs(runtime, records)]
    first = records[0] if records else None
    cases = first.cases if first is not None else ()
    for case in cases:
        results = [record.result(case.id, runtime) for record in records]
        there = [result for result in results if result is not None]
        if len(there) < len(results):
            reasons.append(Reason(case.id, "", f"{len(results) - len(there)} of {len(results)} runs have no result"))
        else:
            reasons += _of_a_case(claimed, case, there)
    counts = _counts(claimed, runtime, records)
    tried = {count.interface for count in counts if count.must[1]}
    if not tried:
        reasons.append(Reason("", "", "no MUST was tried"))
    untried = tuple(name for name in claimed.interfaces if name not in tried)
    return Assessment(tuple(reasons), counts, untried, len(cases), len(records))


def _of_the_runs(runtime: str, records: Sequence[Record]) -> Iterator[Reason]:
    if len(records) < RUNS:
        yield Reason("", "", f"a certificate needs {RUNS} runs; there are {len(records)}")
    for name, values in (
        ("the runtime", {info.identity for record in records for info in record.runtimes if info.name == runtime}),
        ("the suite", {tuple((case.id, case.identity) for case in record.cases) for record in records}),
        ("the harness", {record.harness for record in records}),
    ):
        if len(values) > 1:
            yield Reason("", "", f"{name} is not the same in every run")
    if len({record.seed for record in records}) < len(records):  # each run has nonces of its own
        yield Reason("", "", "a run occurs twice")
    for n, record in enumerate(records, 1):
        if record.partial:
            yield Reason("", "", f"run {n} is partial: {record.partial}")
        if not any(info.name == runtime for info in record.present):
            yield Reason("", "", f"run {n} lacks the runtime")


def _of_a_case(claimed: Claim, case: CaseInfo, results: Sequence[CaseResult]) -> Iterator[Reason]:
    needed = [check.id for check in case.checks if claimed.tries(check)]
    units = [*needed, *([EXPECT_UNIT] if any(check.level is Level.MUST for check in case.checks) else [])]
    skipped = {result.reason for result in results if result.reason}
    if skipped and units:
        yield Reason(case.id, "", f"not run: {'; '.join(sorted(skipped))}")
        return
    every = dict.fromkeys([*units, *(check.id for check in case.checks), EXPECT_UNIT])
    for unit in every:
        seen = [result.unit(unit) for result in results]
        verdicts = [Verdict.SKIP if item is None else item.verdict for item in seen]
        if len(set(verdicts)) > 1:
            yield Reason(case.id, unit, f"the runs differ: {', '.join(verdict.value for verdict in verdicts)}")
        elif unit in units and verdicts[0] is not Verdict.PASS:
            detail = next((item.detail for item in seen if item is not None and item.detail), "")
            words = f"{verdicts[0].value}{': ' if detail else ''}{detail}"
            yield Reason(case.id, unit, words if len(words) <= LONGEST else f"{words[:LONGEST]}…")


def _counts(claimed: Claim, runtime: str, records: Sequence[Record]) -> tuple[Count, ...]:
    """Returns the counts of each interface that has checks, in the order of their names."""
    held: dict[tuple[str, Level], list[bool]] = defaultdict(list)
    for case in records[0].cases if records else ():
        results = [record.result(case.id, runtime) for record in records]
        for check in case.checks:
            if not claimed.profile.has(check.interface):
                continue
            units = [result.unit(check.id) if result is not None else None for result in results]
            good = all(unit is not None and unit.verdict is Verdict.PASS for unit in units)
            held[check.interface, check.level].append(good)

    def count(interface: str, level: Level) -> tuple[int, int]:
        seen = held.get((interface, level), [])
        return sum(seen), len(seen)

    return tuple(
        Count(interface, count(interface, Level.MUST), count(interface, Level.SHOULD))
        for interface in sorted({interface for interface, _ in held})
    )
