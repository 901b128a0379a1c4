"""`assay repro`: repeats one run of a record.

In: a record, a case, a runtime. Out: the case's files in a folder that is kept, its command line,
differences.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import record
from ..cases.selection import Selection
from ..explain import why
from ..model import Verdict, locations
from ..run.ended import ended_by_signals
from ..run.runner import Settings
from ..runtimes import search
from ..suites import repro
from .base import (
    EXIT_STATUSES,
    Asked,
    Unusable,
    case_suite,
    chosen,
    file_type,
    find_adapters,
    folder_type,
    options,
    read_record,
    runtime_options,
    suites_options,
)
from .errors import absent_runtime


@click.command("repro", epilog=EXIT_STATUSES)
@click.argument("results", metavar="RECORD", type=file_type(exists=True))
@click.argument("case_id", metavar="CASE")
@click.argument("runtime", metavar="RUNTIME")
@options(suites_options, runtime_options)
@click.option(
    "--folder", type=folder_type(), help="The folder for the run's files (default: build/repro/RUNTIME/CASE)."
)
@click.option("--no-run", is_flag=True, help="Only make the files and print the command.")
@click.option(
    "--hold",
    is_flag=True,
    help="Keep the case's servers until Ctrl-C, so that the command can be run in another shell.",
)
@click.pass_obj
def repro_command(
    root: Path,
    results: Path,
    case_id: str,
    runtime: str,
    suites: Path | None,
    fixtures: Path | None,
    asked: Asked,
    folder: Path | None,
    no_run: bool,
    hold: bool,
) -> None:
    """Repeat one run of a record in a folder that is kept, and print its command line.

    The exit status is 0 when every verdict is as in the record, and 1 otherwise.
    """
    old = read_record(results)
    try:
        before = why.pick(old, case_id, runtime)
    except why.WhyError as error:
        raise Unusable(f"{results.name}: {error}") from None
    case_id = before.case
    adapters, places = find_adapters(root, asked, (runtime,))
    if runtime not in [adapter.name for adapter in adapters]:
        raise Unusable(f"{runtime} is not a known runtime; a runtime of --also or --runtimes must be given again")
    (case, *_) = chosen(root, case_suite(root, suites, fixtures, places), Selection((case_id,)))
    if case.id != case_id:
        raise Unusable(f"the case {case_id} no longer exists (`assay list` prints those that do)")
    (found,) = search.find(places, (runtime,), adapters)
    if found.runtime is None:
        raise absent_runtime(runtime, found.reason)
    for change in record.run_changes(old, record.case_info(case), record.runtime_info(found.peer)):
        click.echo(f"not as in the record: {change}", err=True)
    place = folder or locations.made(root) / "repro" / runtime / Path(case_id)
    settings = Settings(old.trace, old.strict, jobs=1, timeout_factor=old.timeout_factor, seed=old.seed)
    try:
        with ended_by_signals():
            now = repro.again(case, found.runtime, places, place, settings, run=not no_run, hold=hold, say=click.echo)
    except (repro.ReproError, OSError) as error:
        raise Unusable(str(error)) from None
    if now is None:
        return
    click.echo(f"ended: {now.observation.outcome}")
    different = repro.different(before, now)
    for unit in now.units:
        if unit.verdict is not Verdict.PASS:
            click.echo(f"  {unit.verdict.value} {unit.id}: {unit.detail}")
    click.echo(f"verdict: {now.verdict.value}; in the record: {before.verdict.value}")
    for line in different:
        click.echo(f"  not as in the record: {line}")
    sys.exit(1 if different else 0)
