"""Where the runs of a plan happen: threads of this process, or workers on other machines (executor_dask.py).

In: cases on runtimes. Out: their results as they come, in any order. The driver does not know which executor runs
them, so the record is the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from threading import Condition
from typing import Protocol

from .. import record
from ..cases import nonces
from ..model import Case, CaseResult, NotRun, Observation, RunSpec, Stdio, Verdict
from ..record.settle import settle
from ..run.runner import Settings
from ..run.stage import HarnessError
from ..run.usage import available
from ..runtimes import Runtime
from .suite import Suite

Work = tuple[Case, Runtime]
"""One case on one runtime."""
BESIDE = 16
"""How many runs, for each job, may go on beside the jobs while these do not use their processors."""
FREE = 0.3
"""The part of a processor that the running ones must leave unused for another one to begin."""
NEW = 0.8
"""The part of a processor that a run counts as until its use has been measured: most runs soon wait."""
MEMORY = 1 << 20
"""The KiB of memory that must be available for a run beside the jobs."""


class ExecutorError(Exception):
    """Work that cannot be run where it was to be. The message says why."""


class Executor(Protocol):
    """Runs work. The driver asks for the results once, and stops asking when it is interrupted."""

    def results(self, suite: Suite, work: Sequence[Work], settings: Settings) -> Iterator[CaseResult]:
        """Yields one result for each piece of work, as it comes, in any order.

        When the iterator is closed, or an interrupt arrives in it, what is running is stopped."""
        ...

    def running(self) -> tuple[tuple[str, str], ...]:
        """Returns what runs now, the ids of cases and names of runtimes, the longest running first."""
        ...


class LocalExecutor:
    """Runs everything on this machine. All runs together use about as many processors as there are jobs: up to BESIDE
    more for each job go on beside those that wait. What may wait begins first, and then what has the longest time
    limit, so that at the end no processor is left idle by a run that waits for its limit. Where as many wait as may go
    on at once, the next one has nobody to wait for."""

    def __init__(self) -> None:
        self._board = _Board(())

    def results(self, suite: Suite, work: Sequence[Work], settings: Settings) -> Iterator[CaseResult]:
        self._board = board = _Board(longest_first(work), max(1, settings.jobs))
        with ThreadPoolExecutor(max_workers=board.most) as pool:
            try:
                for _ in range(min(board.most, len(work))):
                    pool.submit(self._work, board, suite, settings)
                for _ in work:
                    result = board.results.get()
                    if isinstance(result, BaseException):
                        raise result
                    yield result
            except BaseException:  # interrupted: stop the running processes and start no more
                settings.stop.set()
                board.close()
                raise

    def running(self) -> tuple[tuple[str, str], ...]:
        return self._board.running()

    def _work(self, board: _Board, suite: Suite, settings: Settings) -> None:
        """Runs what is next until nothing is left."""
        while (item := board.take()) is not None:
            case, runtime = item
            name = case.id, runtime.name
            try:
                board.results.put(one(suite, case, runtime, replace(settings, uses=partial(board.uses, name))))
            except BaseException as error:
                board.results.put(error)
            finally:
                board.leave(name)


class _Board:
    """What is left to run, what runs, and which share of a processor each run uses. Threads share it."""

    def __init__(self, work: Sequence[Work], jobs: int = 1) -> None:
        self.jobs, self.most = jobs, jobs * (1 + BESIDE)
        self.results: SimpleQueue[CaseResult | BaseException] = SimpleQueue()
        self._waiters = deque(item for item in work if _may_wait(item[0].run))
        self._workers = deque(item for item in work if not _may_wait(item[0].run))
        self._running: dict[tuple[str, str], float] = {}
        self._changed = Condition()

    def take(self) -> Work | None:
        """Waits until one more may run, and returns it, or None if nothing is left."""
        with self._changed:
            while self._left() and not self._room():
                self._changed.wait()
            if not self._left():
                return None
            case, runtime = self._next().popleft()
            self._running[case.id, runtime.name] = NEW
            return case, runtime

    def _left(self) -> bool:
        return bool(self._waiters or self._workers)

    def _next(self) -> deque[Work]:
        """Returns what the next run comes from: what may wait, or, where all wait that may be beside the jobs, what has
        nobody to wait for."""
        wait = sum(share < FREE for share in self._running.values())
        if not self._workers or (self._waiters and wait < self.most - self.jobs):
            return self._waiters
        return self._workers

    def _room(self) -> bool:
        if len(self._running) < self.jobs:
            return True
        return sum(self._running.values()) <= self.jobs - FREE and available() >= MEMORY

    def uses(self, name: tuple[str, str], share: float) -> None:
        with self._changed:
            self._running[name] = share
            self._changed.notify()

    def leave(self, name: tuple[str, str]) -> None:
        with self._changed:
            del self._running[name]
            self._changed.notify_all() if not self._left() else self._changed.notify()

    def close(self) -> None:
        """Lets nothing more be taken."""
        with self._changed:
            self._waiters.clear()
            self._workers.clear()
            self._changed.notify_all()

    def running(self) -> tuple[tuple[str, str], ...]:
        with self._changed:
            return tuple(self._running)


def longest_first(work: Sequence[Work]) -> list[Work]:
    """Returns the work by the time limits of its cases, and otherwise in its order."""
    return sorted(work, key=lambda item: -item[0].run.timeout)


def _may_wait(run: RunSpec) -> bool:
    peers = run.grants or run.servers or run.clients or run.dials or run.network
    return bool(peers) or run.stdio != Stdio()


def one(suite: Suite, case: Case, runtime: Runtime, settings: Settings) -> CaseResult:
    """Runs one case on one runtime, judges it, and returns the result as the record keeps it, without
    expectations."""
    filled, tokens = nonces.fill(case, settings.seed, runtime.name)
    try:
        seen = suite.run(filled, runtime, settings)
        result = suite.judge(filled, runtime.name, seen, strict=settings.strict)
    except HarnessError as error:
        return failed(suite, case, runtime.name, str(error), settings)
    except Exception as error:  # a fault of the harness is an ERROR of this case and does not end the run
        return failed(suite, case, runtime.name, f"{type(error).__name__}: {error}", settings)
    kept = settle(result, (*result.observation.places, *tokens), settings.when)
    if isinstance(seen, NotRun) or (not tokens and _alike(result.observation, kept.observation)):
        return kept
    return _with_whole(suite, case, kept, settings)


def _alike(seen: Observation, kept: Observation) -> bool:
    """Returns whether the record keeps all that was judged. What a judge never reads may have placeholders."""
    unread = replace(kept, argv=seen.argv, env=seen.env, cwd=seen.cwd, normalised=seen.normalised, places=seen.places)
    return unread == seen


def failed(suite: Suite, case: Case, runtime: str, words: str, settings: Settings) -> CaseResult:
    """Returns an ERROR: the harness failed, so the result says nothing about the runtime."""
    filled, tokens = nonces.fill(case, settings.seed, runtime)
    reason = NotRun(f"the harness failed: {words}", Verdict.ERROR)
    result = suite.judge(filled, runtime, reason, strict=settings.strict)
    return _with_whole(suite, case, settle(result, tokens, settings.when), settings)


def _with_whole(suite: Suite, case: Case, result: CaseResult, settings: Settings) -> CaseResult:
    """Returns the result with the units that cannot be judged again from what the record keeps."""
    again = suite.judge(case, result.runtime, record.seen(result), strict=settings.strict)
    again = settle(again, (), settings.when)
    verdicts = {unit.id: (unit.verdict, unit.value) for unit in again.units}
    differing = [unit.id for unit in result.units if verdicts.get(unit.id) != (unit.verdict, unit.value)]
    return replace(result, whole=tuple(differing))
