"""What a suite is. Three implement it: cases.py (case.toml), scripts.py (.wast) and programs.py (wasi-testsuite).

In: folders of tests. Out: cases of one kind, and what they came to on a runtime. driver.py drives every suite alike:
it chooses, runs in parallel, is interrupted and resumed, compares with the expectations and writes the record.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ..judge import Definition, judge
from ..judge.expect import Expectations, Known
from ..model import Case, CaseResult, NotRun, Observation
from ..record import SuiteInfo
from ..run.runner import Settings
from ..runtimes import Runtime


class SuiteError(Exception):
    """A suite that cannot be used; the message says why."""


class Suite(ABC):
    """One suite. The driver calls the methods in the order in which they stand here."""

    @abstractmethod
    def discover(self) -> tuple[Case, ...]:
        """All cases of the suite that can be run here, in the order of the report."""

    @abstractmethod
    def expectations(self) -> Expectations:
        """What suites/expectations/ announces now; read from the files at each call."""

    @abstractmethod
    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        """Makes what the runs of these cases need, from a cache where that is possible."""

    @abstractmethod
    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        """Runs one case on one runtime. Several threads call this at once."""

    def judge(self, case: Definition, runtime: str, seen: Observation | NotRun, *, strict: bool) -> CaseResult:
        """The verdict on what was observed. Pure, so that a record can be judged again."""
        return judge(case, runtime, seen, strict=strict)

    @property
    @abstractmethod
    def info(self) -> SuiteInfo:
        """What the record says of the suite as a whole."""

    @abstractmethod
    def known(self) -> Known:
        """All cases that exist, also those that are not run here, for finding expectations that match nothing."""

    def update(self, results: Sequence[CaseResult], *, strict: bool) -> None:
        """Rewrites the expectations from these results; reasons that are there are kept."""
        raise SuiteError("the expectations of this suite are written by hand")
