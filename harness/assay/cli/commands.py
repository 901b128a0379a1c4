"""The command `assay`. Only this package uses the terminal.

In: the command line. Out: files below reports/latest, progress and a summary on the terminal, an exit status
(`base.EXIT_STATUSES`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..model import locations
from ..record.status import INTERRUPTED, status
from ..runtimes import Places
from . import configuration
from .base import (
    EXIT_STATUSES,
    Choice,
    Project,
    Unusable,
    case_suite,
    choice_options,
    chosen,
    file_type,
    find_root,
    folder_type,
    read_record,
    warn_of_variables,
    without_left_out,
)
from .bisect import bisect_command
from .build_guest import build_guest_command
from .certify import certify_command, verify_command
from .diff import diff_command
from .durations import durations_option, print_durations
from .executors import worker_command
from .explain import explain_command, why_command
from .formats import FormatType, Place, list_formats, write_formats, write_reports
from .fuzz import fuzz_command
from .history import history_group
from .init import init_command
from .judge import judge_command
from .merge import merge_command
from .new_case import new_case_command
from .query import query_command
from .repro import repro_command
from .run import run_command
from .runtimes import runtimes_command, smoke_command
from .schema import schema_command
from .site import site_command
from .suites import testsuite_command, wast_command
from .trend import check_command, trend_command


class Commands(click.Group):
    """A command that is interrupted, by Ctrl-C or SIGTERM, ends with the same status everywhere."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(INTERRUPTED)


HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


@click.group(cls=Commands, context_settings=HELP, epilog=EXIT_STATUSES)
@click.version_option(__version__, prog_name="assay")
@click.option("--root", type=folder_type(exists=True), help="The project's root (default: the nearest one upwards).")
@click.pass_context
def main(context: click.Context, root: Path | None) -> None:
    """Drive WASI Preview 2 components through runtimes and compare what they do."""
    warn_of_variables()
    context.obj = (root or find_root(Path.cwd())).resolve()
    path = configuration.find(Path.cwd())
    if path is not None:
        context.default_map = configuration.defaults(path, main)


@main.command("list")
@choice_options
@click.option("--checks", is_flag=True, help="Show the checks of every case.")
@click.pass_obj
def list_command(root: Path, choice: Choice, checks: bool) -> None:
    """List the cases: all, or those that the filters choose."""
    if choice.versions.others:
        raise Unusable("--versions RUNTIME=…: no runtime takes part in a list")
    places = Places(root, locations.prepared())
    suite = case_suite(root, choice.suites, choice.fixtures, places, versions=choice.versions)
    wanted = without_left_out(suite, chosen(root, suite, choice.selection, choice.earlier), ("",))
    for case in wanted:
        built = "" if case.component.is_file() else f"  (component not built: {case.made_by})"
        click.echo(f"{case.id}  {case.title}  [{len(case.checks)} checks]{built}")
        for check in case.checks if checks else ():
            click.echo(f"    {check.level.value:11} {check.id}  ({check.function}, since {check.since})")
    found = {check.function for case in wanted for check in case.checks}
    click.echo(f"{len(wanted)} cases, {sum(len(case.checks) for case in wanted)} checks of {len(found)} functions")


@main.command("report", epilog=EXIT_STATUSES)
@click.argument("results", type=file_type(), required=False)
@click.option("--output", type=folder_type(), help="Where the reports go (default: beside the record).")
@click.option(
    "--format",
    "formats",
    type=FormatType(),
    multiple=True,
    help="Write only this view, to FILE (- is the standard output) or to its usual place (repeatable; `list` shows "
    "all; default: html, junit and markdown).",
)
@click.option("--exit-status", is_flag=True, help="Exit with 1 if the record is red, as the run did.")
@durations_option
@click.pass_obj
def report_command(
    root: Path,
    results: Path | None,
    output: Path | None,
    formats: tuple[tuple[str, str], ...],
    exit_status: bool,
    durations: int | None,
) -> None:
    """Make the reports of a record again (default: reports/latest/results.jsonl)."""
    if any(name == "list" for name, _ in formats):
        list_formats()
        return
    path = results or Project(root).latest / "results.jsonl"
    made = read_record(path)
    target = output or path.parent
    came_to = status(made)
    if formats:
        write_formats(Place(made, path, target, root), formats)
    else:
        page = write_reports(made, target, path, root)
        if durations is not None:
            print_durations(made, durations, ran_now=False)
        click.echo(came_to.words)
        click.echo(f"report: {page}")
    if exit_status:
        sys.exit(came_to.exit_status)


for command in (
    init_command,
    runtimes_command,
    smoke_command,
    fuzz_command,
    run_command,
    repro_command,
    why_command,
    explain_command,
    new_case_command,
    build_guest_command,
    worker_command,
    judge_command,
    merge_command,
    bisect_command,
    diff_command,
    history_group,
    query_command,
    schema_command,
    wast_command,
    testsuite_command,
    certify_command,
    verify_command,
    site_command,
):
    main.add_command(command)

for command in (trend_command, check_command):
    history_group.add_command(command)

if __name__ == "__main__":
    main()
