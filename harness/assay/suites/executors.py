"""Where the runs of a plan happen: threads of this process, or workers on other machines (executor_dask.py).

In: cases on runtimes. Out: their results as they come, in any order. The driver does not know which executor runs
them, so the record is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from threading import Lock
from typing import Protocol

from .. import record
from ..cases import nonces
from ..model import Case, CaseResult, NotRun, Observation, Verdict
from ..record.settle import settle
from ..run.runner import Settings
from ..run.stage import HarnessError
from ..runtimes import Runtime
from .suite import Suite

Work = tuple[Case, Runtime]
"""One case on one runtime."""


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
    """Runs everything on this machine, `settings.jobs` at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[tuple[str, str], None] = {}

    def results(self, suite: Suite, work: Sequence[Work], settings: Settings) -> Iterator[CaseResult]:
        with ThreadPoolExecutor(max_workers=max(1, settings.jobs)) as pool:
            futures = [pool.submit(self._one, suite, case, runtime, settings) for case, runtime in work]
            try:
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:  # interrupted: stop the running processes and start no more
                settings.stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def running(self) -> tuple[tuple[str, str], ...]:
        with self._lock:
            return tuple(self._running)

    def _one(self, suite: Suite, case: Case, runtime: Runtime, settings: Settings) -> CaseResult:
        name = case.id, runtime.name
        with self._lock:
            self._running[name] = None
        try:
            return one(suite, case, runtime, settings)
        finally:
            with self._lock:
                self._running.pop(name, None)


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
    if not tokens and _alike(result.observation, kept.observation):
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
