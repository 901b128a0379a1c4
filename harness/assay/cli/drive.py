"""The terminal side of every run: progress, resuming, the summary, and the exit status.

In: a `Plan`. Out: the record, lines on the terminal, an exit status. `assay run`, `wast` and `testsuite` all
use it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ..cases.selection import SelectionError
from ..judge.expect import ExpectationError
from ..record import INTERRUPTED, Record
from ..record import status as statuses
from ..runtimes.search import Found
from ..suites.driver import DriveError, Plan, drive
from ..suites.executors import Executor, ExecutorError, LocalExecutor
from ..suites.suite import SuiteError
from .base import CONSOLE, Unusable, read_record
from .durations import print_durations
from .progress import progress
from .summary import print_summary


def say_absent(found: Sequence[Found]) -> None:
    for item in found:
        if item.runtime is None:
            CONSOLE.print(f"{item.peer.name}: absent: {item.reason}", style="dim", markup=False)


def resumable(path: Path, *, resume: bool, rerun_changed: bool, everything: bool) -> Record | None:
    """Returns the record to resume, or None. `everything`: the command line names no part of the suite."""
    if rerun_changed and not resume:
        raise Unusable("--rerun-changed belongs to --resume: write --resume --rerun-changed")
    if not resume:
        return None
    if not everything:
        raise Unusable("--resume takes the cases, variants and runtimes of the record that is there: name none of them again")
    return read_record(path)


def resumed(plan: Plan, begun: Record | None, gate: Sequence[str] = ()) -> Plan:
    """Returns the plan with the cases and settings of the record that is resumed, and its gate unless one is
    given."""
    if begun is None:
        return plan
    there = {info.id for info in begun.cases}
    settings = replace(
        plan.settings,
        strict=begun.strict,
        trace=begun.trace,
        timeout_factor=begun.timeout_factor,
        seed=begun.seed,
        retry=begun.retry,
        allow_flaky=begun.allow_flaky,
    )
    cases = tuple(case for case in plan.cases if case.id in there)
    gated = plan.gate if gate else begun.gate
    return replace(plan, cases=cases, settings=settings, gate=gated, shard=begun.suite.shard)


def run_plan(
    plan: Plan,
    path: Path | None,
    *,
    begun: Record | None = None,
    rerun_changed: bool = False,
    update: bool = False,
    limit: int | None = None,
    executor: Executor | None = None,
    durations: int | None = None,
    reports: Callable[[Record], Path | None] = lambda _: None,
) -> None:
    """Runs the plan, writes its record and reports, prints the summary, and exits with the status of the run.

    `limit` is the most unexpected results that are printed. `durations` is the number of slowest runs, where the
    user asked for what each runtime took. The `executor` runs everything; by default it is
    this machine. `reports` writes the reports and returns the page."""
    made = driven(plan, path, begun=begun, rerun_changed=rerun_changed, update=update, executor=executor)
    total = len(plan.cases) * len(plan.present)
    page = reports(made)
    if made.partial == INTERRUPTED:
        place = f"are in {path}; --resume goes on" if path is not None else "have a result; the record is not kept"
        click.echo(f"interrupted: {len(made.results)} of {total} runs {place}")
        sys.exit(statuses.INTERRUPTED)
    print_summary(made, limit)
    if durations is not None:
        print_durations(made, durations)
    if page is not None:
        click.echo(f"report: {page}")
    sys.exit(statuses.status(made).exit_status)


def driven(
    plan: Plan,
    path: Path | None,
    *,
    begun: Record | None = None,
    rerun_changed: bool = False,
    update: bool = False,
    executor: Executor | None = None,
) -> Record:
    """Runs the plan, with its progress on the terminal. Returns its record, which may be partial."""
    executor = executor or LocalExecutor()
    try:
        plan.suite.prepare(plan.cases, plan.settings.jobs)
        with progress(executor.running) as shown:
            return drive(
                plan,
                path,
                begun=begun,
                rerun_changed=rerun_changed,
                update=update,
                executor=executor,
                starts=shown.starts,
                done=shown.done,
                said=click.echo,
            )
    except (DriveError, ExecutorError, SuiteError, SelectionError, ExpectationError) as error:
        raise Unusable(str(error)) from None
