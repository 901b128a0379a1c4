"""The protocol of a suite. cases.py (case.toml), scripts.py (.wast) and programs.py (wasi-testsuite)
implement it.

In: folders of tests. Out: cases of one kind, and their results on a runtime. driver.py drives every suite in
the same way: it runs the cases in parallel, can be interrupted and resumed, compares the results with the
expectations, and writes the record.
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
    """A suite that cannot be used. The message says why."""


class Suite(ABC):
    """One suite. The driver calls the methods in the order in which they are declared."""

    @abstractmethod
    def discover(self) -> tuple[Case, ...]:
        """Returns all cases of the suite that can be run, in the order of the report."""

    @abstractmethod
    def expectations(self) -> Expectations:
        """Reads what suites/expectations/ announces."""

    @abstractmethod
    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        """Makes what the runs of these cases need, or takes it from a cache."""

    @abstractmethod
    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        """Runs one case on one runtime. Several threads call this at once."""

    def judge(self, case: Definition, runtime: str, seen: Observation | NotRun, *, strict: bool) -> CaseResult:
        """Returns the verdict on what was observed. It is pure, so that a record can be judged again."""
        return judge(case, runtime, seen, strict=strict)

    @property
    @abstractmethod
    def info(self) -> SuiteInfo:
        """What the record has about the suite as a whole."""

    @abstractmethod
    def known(self) -> Known:
        """Returns all cases that exist, including those that cannot be run, to find expectations that match
        nothing."""

    def update(self, results: Sequence[CaseResult], *, strict: bool) -> None:
        """Rewrites the expectations from these results. Existing reasons are kept."""
        raise SuiteError("the expectations of this suite are written by hand")
