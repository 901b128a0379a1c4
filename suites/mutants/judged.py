"""Runs the suites on a program in this process, case by case, until one is not as announced.

In: the tree, a program. Out: the id of the first case or script that is red. The harness is used as a library: starting it anew
for each fault costs more than most cases.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from assay.model import Case, Peer
from assay.record import case_info
from assay.run.runner import Settings
from assay.runtimes import ADAPTERS, Runtime, places
from assay.runtimes.base import probe_version
from assay.suites import scripts
from assay.suites.cases import Cases
from assay.suites.driver import one
from assay.suites.scripts import ScriptOptions, Scripts
from assay.suites.suite import Suite

REFERENCE = next(adapter for adapter in ADAPTERS if adapter.reference)
SCRIPT_SECONDS = 20.0


def _runtime(program: Path) -> Runtime:
    return Runtime(REFERENCE, Peer(REFERENCE.name, "with a fault", (str(program),)))


class Suites:
    """The cases and the official scripts of a tree. `cases` and `scripts` are their ids."""

    def __init__(self, root: Path) -> None:
        suites, known = root / "suites", (REFERENCE.name,)
        self._cases = Cases(suites, root / "fixtures", suites / "expectations", places(root, (), {}, known), known)
        cache = root / "build/wast"
        tool = scripts.find_tool(cache)
        if tool is None:
            raise SystemExit("mutants: wasm-tools is absent; `make prepare` installs it")
        version, problem = probe_version([str(tool), "--version"])
        if problem:
            raise SystemExit(f"mutants: {problem}")
        announced = suites / "expectations/wast.toml"
        options = ScriptOptions(scripts.find_suites(root), cache, tool, version, announced, SCRIPT_SECONDS)
        self._scripts = Scripts(options, REFERENCE.name)
        # A case against another version runs the same code of the host; only linking differs, and the base case has it.
        self._by_id = {case.id: case for case in self._cases.discover() if "@" not in case.id}
        self._script_by_id = {script.id: script for script in self._scripts.discover()}
        self._scripts.prepare(tuple(self._script_by_id.values()), 2)
        self._announced = {suite: suite.expectations() for suite in (self._cases, self._scripts)}

    @property
    def cases(self) -> list[str]:
        return sorted(self._by_id)

    def red_case(self, program: Path, cases: Iterable[str], share: float) -> str:
        """Runs cases in this order. `share` is of their time limits. Returns the first that is red, or ""."""
        settings = Settings(trace=False, strict=True, jobs=1, timeout_factor=share)
        runtime = _runtime(program)
        return next((c for c in cases if self._red(self._cases, self._by_id[c], runtime, settings)), "")

    def red_script(self, program: Path, patterns: Iterable[str]) -> str:
        """Runs the scripts whose name contains one of the patterns. Returns the first that is red, or ""."""
        wanted = tuple(patterns)
        settings, runtime = Settings(jobs=1), _runtime(program)
        mine = [s for name, s in self._script_by_id.items() if any(p in name for p in wanted)]
        return next((s.id for s in mine if self._red(self._scripts, s, runtime, settings)), "")

    def red_without_a_fault(self, program: Path, share: float, jobs: int) -> str:
        """Runs every case. Returns one that is red, or ""."""
        with ThreadPoolExecutor(jobs) as pool:
            return next(filter(None, pool.map(lambda c: self.red_case(program, [c], share), self.cases)), "")

    def _red(self, suite: Suite, case: Case, runtime: Runtime, settings: Settings) -> bool:
        result = one(suite, case, runtime, settings)
        marked = self._announced[suite].mark(result, case_info(case), strict=settings.strict, judged=True)
        return marked.unexpected
