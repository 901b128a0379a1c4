"""`assay judge`: judges a record again without running anything.

In: a record. Out: its verdicts, how they differ from before, and the exit status of the run.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from .. import cases, judge, record
from ..judge import expect
from ..judge.expect import ExpectationError, Expectations, Table
from ..model import Case, Kind
from ..record import Record
from ..record.diff import diff
from ..record.status import status
from ..suites.again import Kept, judge_again
from .base import EXIT_STATUSES, Unusable, file_type, folder_type, options, read_record, suites_options
from .formats import write_reports
from .summary import print_summary

SHOWN = 10


@click.command("judge", epilog=EXIT_STATUSES)
@click.argument("results", metavar="RECORD", type=file_type(exists=True))
@options(suites_options)
@click.option(
    "--expectations",
    type=click.Path(exists=True, resolve_path=True, path_type=Path),
    help="Other expectations: a folder with a file for each runtime, or a file for scripts and programs.",
)
@click.option("--output", type=folder_type(), help="Write the record with the new verdicts, and its reports, here.")
@click.pass_obj
def judge_command(
    root: Path,
    results: Path,
    suites: Path | None,
    fixtures: Path | None,
    expectations: Path | None,
    output: Path | None,
) -> None:
    """Judge a record again without running anything, by the definitions and the expectations that it holds.

    With --suites, it is judged by the case files in that folder. Records before version 3 hold no
    definitions, so they are judged by the project's case files and expectations."""
    old = read_record(results)
    outside = suites is not None or any(info.expect is None for info in old.cases)
    if suites is not None and old.suite.kind is not Kind.CASE:
        raise Unusable(f"--suites: {results.name} is not about cases")
    folder = suites or root / "suites"
    definitions: Mapping[str, judge.Definition] = {info.id: info for info in old.cases}
    try:
        if outside:
            definitions = {case.id: case for case in cases.discover(folder, fixtures or root / "fixtures")}
            for info in old.cases:
                _say_changed(info, definitions)
        announced = _expectations(old, results, expectations or (folder / "expectations" if outside else None))
    except (cases.CaseError, ExpectationError) as error:
        raise Unusable(str(error)) from None
    made, kept = judge_again(old, definitions, announced)
    _print_kept(kept)
    changes = diff(old, made).changes
    for change in changes:
        click.echo(f"not as in the record: {change.words}")
    if output is not None:
        record.write(made, output / results.name)
        write_reports(made, output, output / results.name, root)
    print_summary(made)
    click.echo(f"judged again: {len(made.results)} results, {len(changes)} units are not as in the record")
    sys.exit(status(made).exit_status)


def _expectations(old: Record, results: Path, place: Path | None) -> Expectations:
    """Returns the expectations of a folder or a file, or else those of the record."""
    if place is None:
        tables: Mapping[str, Sequence[Table]] = old.expectations
    elif place.is_dir():
        tables = {runtime.name: expect.read_tables(place / f"{runtime.name}.toml") for runtime in old.present}
    else:
        tables = {runtime.name: expect.read_tables(place) for runtime in old.present if runtime.reference}
    return judge.expectations(old.suite.kind, tables, lambda name: f"{place or results}: {name}")


def _say_changed(info: record.CaseInfo, definitions: Mapping[str, judge.Definition]) -> None:
    case = definitions.get(info.id)
    if isinstance(case, Case) and info.digest and info.digest != case.digest:
        click.echo(f"{info.id}: the definition of the case has changed since the run", err=True)


def _print_kept(kept: Sequence[Kept]) -> None:
    """Prints the units that were not judged again, by reason."""
    for reason, number in Counter(item.reason for item in kept).items():
        click.echo(f"not judged again: {number} {'unit' if number == 1 else 'units'}: {reason}")
        for item in [item for item in kept if item.reason == reason][:SHOWN]:
            click.echo(f"    {item.case} {item.unit or '(the whole case)'} on {item.runtime}")
        if number > SHOWN:
            click.echo(f"    … and {number - SHOWN} more")
