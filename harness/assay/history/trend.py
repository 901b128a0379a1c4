"""What changed over time: the counts of each runtime by run, and when each check was first bad and first good.

In: the runs of a store. Out: points of a runtime, and the life of a check on it. Runs are in the order of their start,
or of the version of the runtime.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..model import EXPECT_UNIT, Level, Verdict, worst
from ..model.versions import version_key
from .files import StoreError
from .manifest import Run
from .rows import Case, Rows

COUNTED = ("passed", "failed", "unsupported", "flaky", "errors", "not run")
_WORDS = {
    Verdict.PASS: "passed",
    Verdict.SKIP: "not run",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.FLAKY: "flaky",
    Verdict.ERROR: "errors",
}


@dataclass(frozen=True)
class Point:
    """A runtime in a run."""

    run: Run
    name: str
    version: str

    @property
    def base(self) -> str:
        """The runtime without the version that was asked for: `wasmtime` of `wasmtime@48.0.2`."""
        return self.name.partition("@")[0]

    @property
    def asked(self) -> str:
        return self.name.partition("@")[2]


@dataclass(frozen=True)
class Counts:
    """The MUSTs of a runtime in a run. A requirement on a function counts once, by the worst of its cases."""

    point: Point
    musts: dict[str, int]
    """By the words of COUNTED."""
    cases: dict[str, int]
    """The cases, scripts or programs, likewise; variants are not counted."""


@dataclass(frozen=True)
class Seen:
    """What a unit was in one run."""

    point: Point
    verdict: Verdict
    value: str | None
    detail: str

    @property
    def words(self) -> str:
        return self.verdict.value if self.value is None else f"{self.verdict.value} {self.value}"


@dataclass(frozen=True)
class Life:
    """A unit on a runtime, in all runs that have a result of it."""

    case: str
    unit: str
    runtime: str
    seen: tuple[Seen, ...]

    @property
    def ran(self) -> tuple[Seen, ...]:
        return tuple(item for item in self.seen if item.verdict is not Verdict.SKIP)

    @property
    def first_bad(self) -> Seen | None:
        """The first run in which it did not pass."""
        return next((item for item in self.ran if item.verdict is not Verdict.PASS), None)

    @property
    def first_good(self) -> Seen | None:
        """The first run in which it passed."""
        return next((item for item in self.ran if item.verdict is Verdict.PASS), None)

    @property
    def turns(self) -> tuple[tuple[Seen, Seen], ...]:
        """Each pair of a run and the next one where it began to pass or ceased to."""
        pairs = itertools.pairwise(self.ran)
        return tuple(
            (one, other) for one, other in pairs if (one.verdict is Verdict.PASS) != (other.verdict is Verdict.PASS)
        )


def points(runs: Iterable[Run], runtimes: Sequence[str] = (), *, by_version: bool = False) -> dict[str, list[Point]]:
    """Returns the points of each runtime, by the name without a version. `runtimes` are names with or without one."""
    found: dict[str, list[Point]] = {}
    for run in runs:
        for item in run.present:
            point = Point(run, item["name"], item.get("version", ""))
            if not runtimes or point.name in runtimes or point.base in runtimes:
                found.setdefault(point.base, []).append(point)
    if lacking := [name for name in runtimes if not any(name in (p.base, p.name) for ps in found.values() for p in ps)]:
        raise StoreError(f"no run has the runtime {', '.join(lacking)}")
    for mine in found.values():
        # several versions of a runtime in one run are in the order of the versions
        mine.sort(
            key=lambda point: (
                version_key(point.asked or point.version) if by_version else (),
                point.run.name,
                version_key(point.asked),
            )
        )
    return found


def counts(rows: Rows, point: Point, function: str = "") -> Counts:
    """Counts the MUSTs of a runtime in a run, of the functions whose name contains `function`."""
    cases = [case for case in rows.cases(point.run) if not case.variant]
    results = {result.case: result for result in rows.results(point.run, point.name)}
    verdicts: dict[tuple[str, str], list[Verdict]] = {}
    for case in cases:
        result = results.get(case.id)
        units = {unit.id: unit.verdict for unit in result.units} if result else {}
        for check in case.checks:
            if check.level is Level.MUST and function in check.function:
                verdicts.setdefault((check.function, check.id), []).append(units.get(check.id, Verdict.SKIP))
    sums = Counter(_WORDS.get(worst(mine), "failed") for mine in verdicts.values())
    ran = Counter(
        _WORDS.get(results[case.id].verdict if case.id in results else Verdict.SKIP, "failed") for case in cases
    )
    return Counts(point, {word: sums[word] for word in COUNTED}, {word: ran[word] for word in COUNTED})


def lives(rows: Rows, mine: Sequence[Point], *, case: str = "", unit: str = "", function: str = "") -> Iterator[Life]:
    """Yields the units of a runtime over its points; only those of a case, of a name, or of functions whose name
    contains `function`."""
    seen: dict[tuple[str, str], list[Seen]] = {}
    for point in mine:
        wanted = _wanted(rows.cases(point.run), function)
        for result in rows.results(point.run, point.name):
            if case and result.case != case:
                continue
            for item in result.units:
                if (not unit or item.id == unit) and (not function or (result.case, item.id) in wanted):
                    found = Seen(point, item.verdict, item.value, item.detail)
                    seen.setdefault((result.case, item.id), []).append(found)
    for (name, unit_id), items in seen.items():
        yield Life(name, unit_id, mine[0].base, tuple(items))


def _wanted(cases: Sequence[Case], function: str) -> frozenset[tuple[str, str]]:
    if not function:
        return frozenset()
    return frozenset((case.id, check.id) for case in cases for check in case.checks if function in check.function)


def split_unit(text: str) -> tuple[str, str]:
    """Returns the case and the unit of `CASE#CHECK`, of a case alone, or of the id of a check alone."""
    case, hash_, unit = text.partition("#")
    if hash_:
        return case, unit
    return (case, "") if "/" in case else ("", EXPECT_UNIT if case == EXPECT_UNIT else case)
