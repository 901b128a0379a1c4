"""The driver of all suites: parallel runs, interruption and resumption, expectations, and the record.

In: a `Plan`. Out: the `Record` of the run, which is written to a file as it grows. The driver does not know
the kind of its suite, and it does not use the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import record
from ..judge import first_of, joined
from ..judge.expect import Expectations
from ..model import Absent, Case, CaseResult, Kind, Verdict, original
from ..record import Record, Shard
from ..run.ended import ended_by_signals
from ..run.runner import Settings
from ..runtimes import Runtime
from .again import mark as mark_result
from .executors import Executor, LocalExecutor
from .suite import Suite


class DriveError(Exception):
    """A run that cannot be started or resumed."""


@dataclass(frozen=True)
class Plan:
    """A run: the suite, the cases, the runtimes, and how to run them."""

    suite: Suite
    cases: tuple[Case, ...]
    """The cases to run, of all cases of the suite."""
    runtimes: tuple[Runtime | Absent, ...]
    """In the order of the report's columns."""
    gate: tuple[str, ...]
    """The runtimes that are judged."""
    settings: Settings
    shard: Shard | None = None
    """The part of the chosen cases that `cases` are."""

    @property
    def present(self) -> tuple[Runtime, ...]:
        return tuple(runtime for runtime in self.runtimes if isinstance(runtime, Runtime))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def begin(plan: Plan, expectations: Expectations) -> Record:
    """Returns the record before anything has run."""
    settings = plan.settings
    return Record(
        now(),
        "",
        record.harness_version(),
        settings.strict,
        plan.gate,
        tuple(_runtime_info(runtime) for runtime in plan.runtimes),
        tuple(record.case_info(case) for case in plan.cases),
        (),
        expectations.stale(plan.suite.known(), plan.gate),
        trace=settings.trace,
        timeout_factor=settings.timeout_factor,
        seed=settings.seed,
        suite=replace(plan.suite.info, shard=plan.shard),
        expectations=_applied(expectations, plan),
        machine=record.this_machine(),
        retry=settings.retry,
        allow_flaky=settings.allow_flaky,
    )


def _runtime_info(runtime: Runtime | Absent) -> record.RuntimeInfo:
    if isinstance(runtime, Absent):
        return record.runtime_info(runtime)
    return record.runtime_info(runtime.peer, runtime.adapter.reference)


def _applied(expectations: Expectations, plan: Plan) -> dict[str, tuple[dict[str, object], ...]]:
    """Returns the entries for the plan's cases on its runtimes."""
    names = {runtime.name for runtime in plan.present}
    key = {Kind.CASE: "case", Kind.SCRIPT: "script", Kind.PROGRAM: "program"}[plan.suite.info.kind]
    ids = {name for case in plan.cases for name in (case.id, original(case.id))}
    return {
        name: tuple(dict(table) for table in tables if table[key] in ids)
        for name, tables in expectations.tables.items()
        if name in names
    }


def drive(
    plan: Plan,
    path: Path | None,
    *,
    begun: Record | None = None,
    rerun_changed: bool = False,
    update: bool = False,
    executor: Executor | None = None,
    starts: Callable[[int], None] = lambda _: None,
    done: Callable[[CaseResult], None] = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> Record:
    """Runs the plan. If there is a `path`, the record is written to it as it grows.

    With `begun`, only the results that this record lacks are run. If something has changed since, the run is
    refused; with `rerun_changed`, what has changed is run again. `starts` gets the number of runs that are missing,
    `done` every new result, and `said` the messages for the user. If the run is interrupted, the record is
    partial. `update` rewrites the expectations. The `executor` runs everything; by default it is this machine.
    """
    expectations = plan.suite.expectations()
    made = begin(plan, expectations)
    if begun is not None:
        made = _continued(begun, made, rerun_changed, said)
    log = _log(made, path)
    infos = {info.id: info for info in made.cases}

    def mark(result: CaseResult, announced: Expectations) -> CaseResult:
        return mark_result(made, result, infos[result.case], announced)

    results = {(result.case, result.runtime): result for result in made.results}
    pairs = [(case, runtime) for case in plan.cases for runtime in plan.present]
    missing = [(case, runtime) for case, runtime in pairs if (case.id, runtime.name) not in results]
    starts(len(missing))
    interrupted = False
    with ended_by_signals(plan.settings.stop):
        try:
            for result in (executor or LocalExecutor()).results(plan.suite, missing, plan.settings):
                results[result.case, result.runtime] = result
                marked = mark(result, expectations)
                if log is not None:
                    log.add(marked)
                done(marked)
            _retry(plan, results, executor or LocalExecutor(), lambda result: mark(result, expectations), said)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            if log is not None:
                log.close()
    keys = ((case.id, runtime.name) for case, runtime in pairs)
    ordered = [results[key] for key in keys if key in results]
    if update and not interrupted:
        plan.suite.update(ordered, strict=plan.settings.strict)
        expectations = plan.suite.expectations()
    made = replace(
        made,
        finished=now(),
        results=tuple(mark(result, expectations) for result in ordered),
        stale=expectations.stale(plan.suite.known(), plan.gate),
        expectations=_applied(expectations, plan),
        partial=record.INTERRUPTED if interrupted else "",
    )
    if path is not None:
        record.write(made, path)
    return made


def _retry(
    plan: Plan,
    results: dict[tuple[str, str], CaseResult],
    executor: Executor,
    mark: Callable[[CaseResult], CaseResult],
    said: Callable[[str], None],
) -> None:
    """Runs each unexpected result again, as often as the settings say, until an attempt comes out differently.

    Each result in `results` is replaced by one with all its attempts."""
    work = {(case.id, runtime.name): (case, runtime) for case in plan.cases for runtime in plan.present}
    for number in range(plan.settings.retry):
        again = [
            key
            for key in work
            if key in results
            and len(results[key].attempts) <= number
            and all(unit.verdict is not Verdict.FLAKY for unit in results[key].units)
            and mark(results[key]).unexpected
        ]
        if not again:
            return
        said(f"running again, attempt {number + 2}: {len(again)} unexpected")
        for result in executor.results(plan.suite, [work[key] for key in again], plan.settings):
            key = result.case, result.runtime
            case, strict = work[key][0], plan.settings.strict
            attempts = (first_of(results[key], case, strict=strict), *results[key].attempts, result)
            results[key] = joined(attempts, case, strict=strict)


def _log(made: Record, path: Path | None) -> record.Log | None:
    try:
        return None if path is None else record.Log(made, path)
    except OSError as error:
        raise DriveError(f"the record cannot be written: {error} (--output names another folder)") from None


def _continued(begun: Record, made: Record, rerun_changed: bool, said: Callable[[str], None]) -> Record:
    """Returns the record with the results of `begun` that are still valid."""
    changes = record.changes(begun, made)
    if changes and not rerun_changed:
        listed = "".join(f"\n  {change}" for change in changes[:10]) + ("\n  …" if len(changes) > 10 else "")
        raise DriveError(f"--resume: something has changed since the record (--rerun-changed runs it again):{listed}")
    kept = record.still_true(begun, made)
    total = len(made.cases) * len(made.present)
    said(f"resuming: {len(kept)} of {total} runs are there" + (f", {len(changes)} changes" if changes else ""))
    return replace(made, started=begun.started, results=kept)
