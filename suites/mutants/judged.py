"""Runs the suites on a program in this process, case by case, until one is not as announced.

In: the tree, a program. Out: the id of the first case or script that is red, or that records another value.
The harness is used as a library: starting it anew for each fault costs more than most cases.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.cases.versions import version_of
from assay.cli.base import case_suite
from assay.cli.suites import script_suite
from assay.model import Case, CaseResult, Check, Peer
from assay.record import case_info
from assay.run.runner import Settings
from assay.runtimes import Runtime, places
from assay.runtimes.registry import REFERENCE, reference
from assay.suites import scripts
from assay.suites.executors import one
from assay.suites.suite import Suite

SCRIPT_SECONDS = 20.0


def _runtime(program: Path) -> Runtime:
    filled = program.with_name(f"{program.name}-filled")
    with contextlib.suppress(FileExistsError):
        filled.symlink_to(Path(__file__).with_name("filled.sh").resolve())
    return Runtime(reference(), Peer(REFERENCE, "with a fault", (str(filled),)))


class Suites:
    """The cases of a tree, with those against each 0.2.x if `versions`, and the scripts whose names contain one of `patterns`."""

    def __init__(self, root: Path, patterns: Collection[str] = (), versions: bool = True) -> None:
        known = (REFERENCE,)
        self._cases = case_suite(root, None, None, places(root, (), {}, known), (reference(),))
        self._scripts = script_suite(root, scripts.find_suites(root), timeout=SCRIPT_SECONDS)
        self._by_id = {case.id: case for case in self._cases.discover() if versions or not version_of(case.id)}
        self._wanted = [s for s in self._scripts.discover() if any(p in s.id for p in patterns)]
        self._scripts.prepare(self._wanted, 2)
        self._values: dict[str, dict[str, str]] = {}
        self._announced = {suite: suite.expectations() for suite in (self._cases, self._scripts)}

    @property
    def cases(self) -> list[str]:
        """Their ids."""
        return sorted(self._by_id)

    def try_cases(self, program: Path, cases: Iterable[str], share: float) -> tuple[str, str]:
        """Runs cases in this order until one is red. `share` is of their time limits.

        Returns the red case or "", and the first case with another recorded value than without a fault, or ""."""
        other = ""
        for c in cases:
            red, values = self._case(program, c, share)
            if red:
                return c, other
            if not other and self._changed(c, values) and self._changed(c, self._case(program, c, share)[1]):
                other = c
        return "", other

    def red_script(self, program: Path, patterns: Iterable[str]) -> str:
        """Runs the scripts whose name contains one of the patterns. Returns the first that is red, or ""."""
        wanted = tuple(patterns)
        settings, runtime = Settings(jobs=1), _runtime(program)
        mine = (s for s in self._wanted if any(p in s.id for p in wanted))
        return next((s.id for s in mine if self._marked(self._scripts, s, runtime, settings).unexpected), "")

    def learn(self, program: Path, cases: Iterable[str], share: float, jobs: int) -> str:
        """Runs the cases on a program without a fault, `jobs` at a time, and keeps the values that they record twice alike.

        Returns a case that is red, or ""."""

        def one_case(c: str) -> str:
            (red, first), (red_too, second) = (self._case(program, c, share) for _ in range(2))
            self._values[c] = {check: value for check, value in first.items() if second.get(check) == value}
            return c if red or red_too else ""

        with ThreadPoolExecutor(jobs) as pool:
            return next(filter(None, pool.map(one_case, cases)), "")

    def showing(self, function: str) -> list[str]:
        """The cases with a check of a function, those with the fewest checks first."""
        found = [c for c in self._by_id.values() if any(k.function == function for k in c.checks)]
        return [c.id for c in sorted(found, key=lambda c: (len(c.checks), c.id))]

    def about(self, interface: str) -> list[str]:
        """The cases about an interface."""
        return [c.id for c in self._by_id.values() if interface in c.interfaces]

    def red_units(self, program: Path, case: str, share: float) -> list[tuple[str, Check | None]]:
        """Runs a case. Returns what is red, or recorded otherwise than `learn` saw: ids, each with its check, or None for the ending."""
        definition = self._by_id[case]
        settings = Settings(trace=False, strict=True, jobs=1, timeout_factor=share)
        result = self._marked(self._cases, definition, _runtime(program), settings)
        learnt = self._values.get(case, {})
        changed = [u for u in result.units if u.unexpected or (u.value is not None and learnt.get(u.id, u.value) != u.value)]
        return [(unit.id, definition.check(unit.id)) for unit in changed]

    def _case(self, program: Path, case: str, share: float) -> tuple[bool, dict[str, str]]:
        """Returns whether a case is red, and the values that it records."""
        settings = Settings(trace=False, strict=True, jobs=1, timeout_factor=share)
        marked = self._marked(self._cases, self._by_id[case], _runtime(program), settings)
        return marked.unexpected, {u.id: u.value for u in marked.units if u.value is not None}

    def _changed(self, case: str, values: dict[str, str]) -> bool:
        return any(values.get(check) != value for check, value in self._values.get(case, {}).items())

    def _marked(self, suite: Suite, case: Case, runtime: Runtime, settings: Settings) -> CaseResult:
        result = one(suite, case, runtime, settings)
        return self._announced[suite].mark(result, case_info(case), strict=settings.strict, judged=True)
