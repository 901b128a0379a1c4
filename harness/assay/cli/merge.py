"""`assay merge`: the shards of a run, or runs on several machines, as one record.

In: records. Out: one record and its reports, and the exit status of the whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import record
from ..model import Kind, Verdict
from ..record.status import status
from ..suites.merge import MergeError, listed, merge
from .base import EXIT_STATUSES, Unusable, file_type, folder_type, read_record
from .formats import write_reports
from .summary import print_summary

FILES = {Kind.CASE: "results.jsonl", Kind.SCRIPT: "wast.jsonl", Kind.PROGRAM: "testsuite.jsonl"}


@click.command("merge", epilog=EXIT_STATUSES)
@click.argument("results", metavar="RECORD...", type=file_type(exists=True), nargs=-1, required=True)
@click.option("--output", type=folder_type(), required=True, help="Where the merged record and its reports go.")
@click.option("--allow-flaky", is_flag=True, help="A flaky result leaves the merged record green.")
@click.pass_obj
def merge_command(root: Path, results: tuple[Path, ...], output: Path, allow_flaky: bool) -> None:
    """Merge the shards of a run, and runs on several machines, into one record.

    All must be by the same harness, of one suite, and with the same cases. A runtime of another version, or on
    another system, gets a column of its own. A result that several records have is counted once where they agree,
    and flaky where they do not."""
    try:
        made = merge([(path.name, read_record(path)) for path in _distinct(results)], allow_flaky=allow_flaky)
    except MergeError as error:
        raise Unusable(str(error)) from None
    target = output / FILES[made.suite.kind]
    if target in results:
        raise Unusable(f"{target} is one of the records that are merged: --output names another folder")
    record.write(made, target)
    page = write_reports(made, output, target, root)
    print_summary(made)
    for result in made.results:
        for unit in result.units:
            if unit.verdict is Verdict.FLAKY:
                click.echo(f"flaky: {result.case} {unit.id} on {result.runtime}: {unit.detail}")
    click.echo(f"merged: {listed(made)}: {len(made.results)} results of {len(made.cases)} cases")
    click.echo(f"report: {page}")
    sys.exit(status(made).exit_status)


def _distinct(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    if len(set(paths)) < len(paths):
        raise Unusable("a record is named twice")
    return paths
