"""A player: it plays scripts on one runtime, many in one process, and counts them and their seconds.

In: scripts. Out: for each script the result of each line. A line that traps, hangs or crashes ends the process: it is the
last one of its script, and the following scripts are played by another process. Runs are cases of the harness: the same
directories, servers and adapters as those of `assay run`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..model import Case, Ending, NotRun, Observation, Outcome
from ..run.runner import Prepared, Settings, run_case
from ..runtimes import Runtime
from .calls import Script

REFUSED = (Ending.LINK_ERROR, Ending.REJECTED, Ending.UNSUPPORTED, Ending.NOT_STARTED)
"""The endings of a run that did not begin."""


class PlayError(Exception):
    """A runtime cannot play scripts at all, for example because it cannot express the grants."""


class Plays(Protocol):
    """Whatever gives results of scripts. Raises PlayError where it cannot give any."""

    @property
    def name(self) -> str: ...
    @property
    def played(self) -> int: ...
    @property
    def wall(self) -> float: ...
    @property
    def slow(self) -> bool: ...
    def play(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]: ...
    def sample(self, scripts: Sequence[Script]) -> list[int]:
        """Returns the places of those scripts of a round that it is to play."""


@dataclass(kw_only=True)
class Player(ABC):
    """Plays scripts on one runtime."""

    runtime: Runtime
    prepared: Prepared
    batch: int = 100
    """The most scripts of one process."""
    timeout: float = 20.0
    """Seconds for one process."""
    slow: bool = False
    """Whether a process takes seconds."""
    played: int = 0
    wall: float = 0.0
    processes: int = 0
    settings: Settings = field(default_factory=lambda: Settings(trace=False, jobs=1))

    @property
    def name(self) -> str:
        return self.runtime.name

    def play(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        """Returns the results of each script."""
        found: list[tuple[str, ...]] = []
        while len(found) < len(scripts):
            found += self._batch(scripts[len(found) :][: self.batch])
        self.played += len(scripts)
        return found

    def sample(self, scripts: Sequence[Script]) -> list[int]:
        """Returns the places of those scripts of a round that it is to play: all."""
        return list(range(len(scripts)))

    @abstractmethod
    def _batch(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        """Plays scripts up to the first that ends the process. Returns the results of those that were played."""

    def observe(self, case: Case) -> Observation:
        """Runs a case, and counts its seconds. Raises PlayError."""
        seen = run_case(case, self.runtime, self.prepared, self.settings)
        if isinstance(seen, NotRun):
            raise PlayError(seen.reason)
        self.wall += seen.wall
        self.processes += 1
        return seen


def ended(outcome: Outcome) -> str:
    """Returns the word for the end of a process in the middle of a script."""
    return {Ending.TIMEOUT: "hang", Ending.TRAP: "trap", Ending.EXITED: "exit"}.get(outcome.ending, "crash")
