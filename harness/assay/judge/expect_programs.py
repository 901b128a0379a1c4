"""Known results of built programs: suites/expectations/testsuite.toml.

In: its tables and results. Out: marked results, and entries that match nothing. Pure.
A failure is known only where its entry says why, and what the trace of the host calls must show for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from ..model import CaseResult, Verdict
from .causes import KEYS, ExpectationError, Why, why
from .expect import Expectations, Known, Table, Tables
from .verdicts import Definition


@dataclass(frozen=True)
class KnownProgram:
    """An announced failure: why it is known, patterns that the trace must match, names that the component must
    lack."""

    why: Why
    shows: tuple[str, ...]
    lacks: tuple[str, ...] = ()


class ProgramExpectations(Expectations):
    def __init__(self, tables: Tables, where: Callable[[str], str]) -> None:
        self.tables = tables
        self.programs = {name: parse(where(name), mine) for name, mine in tables.items()}

    def known(self, runtime: str, program: str) -> KnownProgram | None:
        return self.programs.get(runtime, {}).get(program)

    def mark(self, result: CaseResult, case: Definition, *, strict: bool, judged: bool) -> CaseResult:
        """A failure without an entry is unexpected on a runtime that is judged."""
        (unit,) = result.units
        known = self.known(result.runtime, result.case)
        passed = unit.verdict is Verdict.PASS
        if unit.verdict is Verdict.SKIP and case.expect is not None and case.expect.bare and not result.reason:
            return result  # it ended as expected, and that proves nothing
        if known is None:
            return replace(result, units=(replace(unit, unexpected=judged and not passed),))
        problem = "passes; announced to fail" if passed else _unshown(known, result)
        expected = known.why.expected((Verdict.FAIL if passed else unit.verdict,))
        marked = replace(unit, detail=problem or unit.detail, expected=expected, unexpected=bool(problem))
        return replace(result, units=(marked,))

    def stale(self, known: Known, judged: Collection[str]) -> tuple[str, ...]:
        names = dict.fromkeys(name for mine in self.programs.values() for name in mine)
        return tuple(f"{name}: no such program" for name in names if name not in known)


def _unshown(known: KnownProgram, result: CaseResult) -> str:
    """Returns what contradicts the reason of an entry, or an empty string."""
    trace = result.observation.trace
    for pattern in known.shows:
        if not re.search(pattern, trace, re.MULTILINE):
            return f"the trace does not show {pattern!r}"
    present = [name for name in known.lacks if name in result.observation.named]
    return f"the component names {present[0]}" if present else ""


def parse(path: str, tables: Iterable[Table]) -> dict[str, KnownProgram]:
    """Returns the known programs. `path` begins each error."""
    known: dict[str, KnownProgram] = {}
    for item in tables:
        if not {"program", "reason", "shows"} <= set(item) <= {"program", "shows", "lacks"} | KEYS:
            raise ExpectationError(
                f"{path}: an entry has program, shows, perhaps lacks, and a cause or a reason, a kind and a link: "
                f"{sorted(item)}"
            )
        name, shows = str(item["program"]), item["shows"]
        if not isinstance(shows, list) or not shows:
            raise ExpectationError(f"{path}: {name}: needs what the trace shows")
        if name in known:
            raise ExpectationError(f"{path}: {name} is listed twice")
        try:
            for pattern in shows:
                re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ExpectationError(f"{path}: {name}: {error}") from None
        known[name] = KnownProgram(why(path, name, item), tuple(shows), tuple(item.get("lacks", ())))
    return known
