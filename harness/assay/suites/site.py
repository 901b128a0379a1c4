"""The side of a worker: its own cases and runtimes, compared with those of the machine that sends the work.

In: the ids and digests of cases, the identities of runtimes, settings. Out: results, or the reason why this worker is not
the one for them. Nothing of the sending machine travels but these values: no path, no code, no component.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock

from .. import record
from ..model import Case, CaseResult
from ..run.runner import Settings
from ..runtimes import Runtime
from .executors import one
from .suite import Suite

Identity = tuple[str, ...]
"""Of a case: its component's SHA-256 and its own. Of a runtime: version, note, and the digest of its files."""


@dataclass(frozen=True)
class Terms:
    """What is the same for all work of one run."""

    run: str
    """Names the run, so that it can be stopped."""
    harness: str
    versions: tuple[str, ...]
    """The words of --versions."""
    trace: bool
    strict: bool
    timeout_factor: float
    seed: int
    when: str

    @classmethod
    def of(cls, run: str, suite: Suite, settings: Settings) -> Terms:
        return cls(
            run,
            record.harness_version(),
            suite.info.versions,
            settings.trace,
            settings.strict,
            settings.timeout_factor,
            settings.seed,
            settings.when.isoformat(),
        )


@dataclass(frozen=True)
class Piece:
    """One piece of work."""

    case: str
    case_identity: Identity
    runtime: str
    runtime_identity: Identity


@dataclass(frozen=True)
class Refused:
    """Why a worker does not run a piece of work."""

    reason: str


@dataclass(frozen=True)
class Survey:
    """What a worker is good for: nothing, with the reason; or all but some runtimes, each with its reason."""

    refused: str = ""
    without: Mapping[str, str] | None = None


def case_identity(case: Case) -> Identity:
    return record.case_info(case).identity


def runtime_identity(runtime: Runtime) -> Identity:
    return record.runtime_info(runtime.peer).identity


class Site:
    """The cases and runtimes of this machine. Several threads use it at once."""

    def __init__(self, make: Callable[[Sequence[str]], Suite], runtimes: Mapping[str, Runtime]) -> None:
        """`make` returns the suite with these words of --versions."""
        self._make, self.runtimes = make, dict(runtimes)
        self._suites: dict[tuple[str, ...], Suite] = {}
        self._by_id: dict[tuple[str, ...], Mapping[str, Case]] = {}
        self._stops: dict[str, Event] = {}
        self._lock = Lock()
        self._runtime_identity = functools.cache(lambda name: runtime_identity(self.runtimes[name]))
        self._identities: dict[str, Identity] = {}

    def suite(self, versions: Sequence[str]) -> Suite:
        with self._lock:
            key = tuple(versions)
            if key not in self._suites:
                self._suites[key] = self._make(key)
            return self._suites[key]

    def survey(
        self, harness: str, versions: Sequence[str], cases: Mapping[str, Identity], runtimes: Mapping[str, Identity]
    ) -> Survey:
        """Compares this machine with what a run is about."""
        if harness != record.harness_version():
            return Survey(f"it has {record.harness_version()}, not {harness}")
        problems = [words for name, identity in cases.items() if (words := self._case_problem(versions, name, identity))]
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            return Survey(f"{problems[0]}{more}")
        reasons = {name: self._runtime_problem(name, identity) for name, identity in runtimes.items()}
        return Survey("", {name: words for name, words in reasons.items() if words})

    def run(self, terms: Terms, piece: Piece) -> CaseResult | Refused:
        """Runs one piece of work, unless this machine has another case or runtime of that name."""
        if terms.harness != record.harness_version():
            return Refused(f"it has {record.harness_version()}, not {terms.harness}")
        words = self._case_problem(terms.versions, piece.case, piece.case_identity)
        words = words or self._runtime_problem(piece.runtime, piece.runtime_identity)
        if words:
            return Refused(words)
        settings = Settings(
            terms.trace,
            terms.strict,
            1,
            terms.timeout_factor,
            None,
            terms.seed,
            when=datetime.fromisoformat(terms.when),
            stop=self._stop_of(terms.run),
        )
        case = self._cases(terms.versions)[piece.case]
        return one(self.suite(terms.versions), case, self.runtimes[piece.runtime], settings)

    def stop(self, run: str) -> None:
        """Ends what runs of a run, and lets nothing more of it begin to run for long."""
        self._stop_of(run).set()

    def stop_all(self) -> None:
        with self._lock:
            for stop in self._stops.values():
                stop.set()

    def _stop_of(self, run: str) -> Event:
        with self._lock:
            return self._stops.setdefault(run, Event())

    def _cases(self, versions: Sequence[str]) -> Mapping[str, Case]:
        suite = self.suite(versions)
        with self._lock:
            key = tuple(versions)
            if key not in self._by_id:
                self._by_id[key] = {case.id: case for case in suite.discover()}
            return self._by_id[key]

    def _case_problem(self, versions: Sequence[str], name: str, identity: Identity) -> str:
        case = self._cases(versions).get(name)
        if case is None:
            return f"it has no case {name}"
        mine = self._identities.get(name) or self._identities.setdefault(name, case_identity(case))
        if mine[0] != identity[0]:
            has = "another component" if mine[0] else "no component"
            return f"it has {has} for {name} ({case.component.name})"
        return "" if mine == identity else f"it has another definition of {name}"

    def _runtime_problem(self, name: str, identity: Identity) -> str:
        if name not in self.runtimes:
            return f"it has no {name}"
        mine: Identity = self._runtime_identity(name)
        if mine == identity:
            return ""
        if mine[:2] == identity[:2]:
            return f"its {name} is another build of {identity[0]} ({mine[2][:12]}, not {identity[2][:12]})"
        words = [" ".join(part for part in item[:2] if part) for item in (mine, identity)]
        return f"its {name} is {words[0]}, not {words[1]}"
