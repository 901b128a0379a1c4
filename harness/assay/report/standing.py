"""How a unit stands for a tool that knows only passed, failed and skipped: JUnit, TAP, CTRF. Pure.

In: a result of a unit, and whether the run judges its runtime. Out: a `Standing` with the reason in words. A unit is
FAILED exactly where it makes the run red.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from ..model import CaseResult, UnitResult, Verdict
from ..record import Record
from ..record.settle import bounded
from ..record.status import RunStatus

MESSAGE, EVIDENCE = 600, 2000


class Stand(enum.Enum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not run."""
    OTHER = "other"
    """It did not pass, and does not make the run red: it is announced, not judged, or a SHOULD."""


@dataclass(frozen=True)
class Standing:
    stand: Stand
    why: str = ""


def standing(unit: UnitResult, judged: bool) -> Standing:
    """Returns how a unit stands. `judged`: the run judges this runtime."""
    told = bounded(f"{unit.verdict.value}: {unit.detail}", MESSAGE)
    if unit.unexpected and judged:
        surprise = unit.verdict is Verdict.PASS
        return Standing(Stand.FAILED, "passes; the expectations say it does not" if surprise else told)
    if unit.unexpected:
        return Standing(Stand.OTHER, f"not as announced, and not judged: {told}")
    if unit.verdict is Verdict.PASS:
        return Standing(Stand.PASSED)
    if unit.verdict is Verdict.SKIP:
        return Standing(Stand.SKIPPED, told)
    reason = f"{unit.verdict.value} as announced: {unit.expected.reason}" if unit.expected else told
    return Standing(Stand.OTHER, bounded(reason, MESSAGE))


def problems(run: RunStatus) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields what makes the run red, by runtime, and first that of the run as a whole, under the name `run`."""
    if run.problems:
        yield "run", run.problems
    for runtime in run.runtimes:
        if runtime.red:
            yield runtime.name, runtime.problems


def by_runtime(record: Record) -> dict[str, list[CaseResult]]:
    """Returns the results of each runtime that was there, in the order of the record."""
    found: dict[str, list[CaseResult]] = {runtime.name: [] for runtime in record.present}
    for result in record.results:
        found[result.runtime].append(result)
    return found


def evidence(result: CaseResult) -> str:
    """Returns the command line, the ending, and the end of stderr."""
    seen = result.observation
    size = seen.size("stderr", seen.stderr)
    last = seen.stderr[-EVIDENCE:].decode("utf-8", "backslashreplace")
    return f"argv: {list(seen.argv)}\nended: {seen.outcome}\nstderr ({size} bytes):\n{last}"
