"""The cases below suites/p2 as a suite: one folder with a case.toml for each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import cases as case_files
from ..cases import toolchains
from ..cases.versions import ALL, Wanted, left_out
from ..judge import expect
from ..judge.expect import CaseExpectations, Known
from ..model import EXPECT_UNIT, Case, CaseResult, Kind, NotRun, Observation
from ..record import SuiteInfo
from ..run.runner import Prepared, Settings, run_case
from ..runtimes import Places, Runtime
from .suite import Suite, SuiteError


class Cases(Suite):
    """The suite of cases. `runtimes` names the runtimes whose expectations are read. `versions` says which
    variants are run on which runtime. A runtime in `likes` has the expectations of another one where it has none
    of its own. `guests` is a folder whose guests replace those of the same name."""

    def __init__(
        self,
        suites: Path,
        fixtures: Path,
        expectations: Path,
        places: Places,
        runtimes: Sequence[str] = (),
        versions: Wanted = ALL,
        likes: Mapping[str, str] | None = None,
        guests: Path | None = None,
    ) -> None:
        self.suites, self.fixtures, self.folder = suites, fixtures, expectations
        self.places, self.runtimes, self.versions = places, tuple(runtimes), versions
        self.likes, self.guests = dict(likes or {}), guests
        self._left_out: dict[str, frozenset[str]] = {}
        self._prepared = Prepared(places)
        self._cases: tuple[Case, ...] | None = None

    def discover(self) -> tuple[Case, ...]:
        if self._cases is None:
            try:
                self._cases = case_files.discover(self.suites, self.fixtures)
                if self.guests is not None:
                    self._cases = toolchains.with_guests(self._cases, self.guests)
            except case_files.CaseError as error:
                raise SuiteError(str(error)) from None
            if not self._cases:
                raise SuiteError(f"there is no case in {self.suites}: --suites names a folder with p2/PACKAGE/NAME/case.toml")
        return self._cases

    def expectations(self) -> CaseExpectations:
        tables = {name: tuple(expect.read_tables(self._file(name))) for name in self.runtimes}
        return CaseExpectations(tables, lambda name: str(self._file(name)))

    def _file(self, runtime: str) -> Path:
        own = self.folder / f"{runtime}.toml"
        like = self.likes.get(runtime, "")
        return own if own.is_file() or not like else self.folder / f"{like}.toml"

    def has_expectations(self, runtime: str) -> bool:
        return self._file(runtime).is_file()

    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        """Does nothing: a component is compiled ahead of time when the first run needs it."""

    def left_out(self, runtime: str) -> frozenset[str]:
        """Returns the ids of the variants that are not run on a runtime."""
        mode = self.versions.on(runtime)
        if mode not in self._left_out:
            self._left_out[mode] = left_out(self.discover(), mode)
        return self._left_out[mode]

    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        if case.id in self.left_out(runtime.name):
            return NotRun(f"--versions {self.versions.on(runtime.name)} leaves this variant out")
        return run_case(case, runtime, self._prepared, settings)

    @property
    def info(self) -> SuiteInfo:
        try:
            made = toolchains.versions(self.guests or toolchains.on_demand(self.fixtures))
        except toolchains.GuestsError as error:
            raise SuiteError(str(error)) from None
        return SuiteInfo("p2", Kind.CASE, versions=self.versions.words, toolchains=made)

    def known(self) -> Known:
        return {case.id: frozenset({check.id for check in case.checks} | {EXPECT_UNIT}) for case in self.discover()}

    def update(self, results: Sequence[CaseResult], *, strict: bool) -> None:
        entries = self.expectations().entries
        for runtime in dict.fromkeys(result.runtime for result in results):
            mine = [result for result in results if result.runtime == runtime]
            text = expect.render(mine, entries[runtime], self.discover(), strict=strict)
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{runtime}.toml").write_text(text, encoding="utf-8")
