"""`assay history`: records kept over time.

In: records, or the name of a run. Out: a history in a folder or on a branch; what is in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.table import Table

from ..history import Run
from ..record.origin import machine_from
from .base import CONSOLE, EXIT_STATUSES, Unusable, file_type
from .histories import Place, history_options, usable


@click.group("history", epilog=EXIT_STATUSES)
def history_group() -> None:
    """Keep the records of runs, and show what changes over time.

    RUN is the name of a run, the beginning of one, `latest`, or `latest~1` for the one before it."""


@history_group.command("add")
@click.argument("records", nargs=-1, required=True, type=file_type(exists=True))
@history_options
@click.pass_obj
def add_command(root: Path, records: tuple[Path, ...], place: Place) -> None:
    """Add records. What the history has already is not kept twice."""
    store = place.open(root)
    for path in records:
        try:
            text = path.read_bytes().decode("utf-8")
            with usable():
                added = store.add(text, click.echo)
        except (OSError, UnicodeDecodeError, Unusable) as error:
            raise Unusable(f"{path}: {error}") from None
        what = f"{added.objects} new pieces, {added.size:,} bytes" if added.new else "already in the history"
        partial = f"; it is partial: {added.run.partial}" if added.run.partial else ""
        click.echo(f"{added.run.name}: {what} (the record: {added.run.about['record']['size']:,} bytes){partial}")


@history_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@history_options
@click.pass_obj
def list_command(root: Path, as_json: bool, place: Place) -> None:
    """List the runs, the oldest first."""
    store = place.open(root)
    with usable():
        runs = store.runs()
    if as_json:
        click.echo(json.dumps([{"run": run.name, **run.about} for run in runs], ensure_ascii=False, indent=1))
        return
    table = Table("run", "started", "suite", "cases", "runtimes", box=None, pad_edge=False)
    for run in runs:
        suite = run.about["suite"]
        names = ", ".join(runtime["name"] for runtime in run.present)
        notes = " (partial)" if run.partial else ""
        table.add_row(run.name, run.started, f"{suite['name']}{notes}", str(suite["cases"]), names)
    if runs:
        CONSOLE.print(table, markup=False)
    click.echo(f"{len(runs)} runs in {store.files.where}")


@history_group.command("show")
@click.argument("name", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="Print the file of the run.")
@history_options
@click.pass_obj
def show_command(root: Path, name: str, as_json: bool, place: Place) -> None:
    """Show what ran: the suite, the runtimes and their versions."""
    with usable():
        run = place.open(root).find(name)
    if as_json:
        click.echo(json.dumps({"run": run.name, **run.about}, ensure_ascii=False, indent=1))
        return
    for line in _about(run):
        click.echo(line)


def _about(run: Run) -> list[str]:
    suite, record = run.about["suite"], run.about["record"]
    lines = [
        f"run       {run.name}",
        f"started   {run.started}",
        f"finished  {run.about.get('finished') or 'never'}",
        f"harness   {run.about['harness']}",
        f"suite     {suite['name']}: {suite['cases']} cases, digest {suite['digest'][:12]}",
        f"results   {run.about['results']}",
        f"record    {record['size']:,} bytes, SHA-256 {record['sha256']}",
    ]
    machine = machine_from(run.about.get("machine"))
    lines += [f"machine   {machine.words}"] if machine is not None else []
    lines += [f"partial   {run.partial}"] if run.partial else []
    for runtime in run.runtimes:
        words = [str(runtime[key]) for key in ("version", "note") if runtime.get(key)]
        words += [f"SHA-256 {runtime['digest'][:12]}"] if runtime.get("digest") else []
        words += [f"absent: {runtime['absent']}"] if runtime.get("absent") else []
        lines.append(f"runtime   {runtime['name']}: {', '.join(words)}")
    return lines


@history_group.command("restore")
@click.argument("name", metavar="RUN")
@click.option("--output", "-o", type=file_type(), help="Where the record goes (default: standard output).")
@history_options
@click.pass_obj
def restore_command(root: Path, name: str, output: Path | None, place: Place) -> None:
    """Give back the record of a run, byte for byte as it was added."""
    store = place.open(root)
    with usable():
        run = store.find(name)
        data = store.restore(run)
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_bytes(data)
    except OSError as error:
        raise Unusable(f"the record cannot be written: {error}") from None
    click.echo(f"{run.name}: {output}")


@history_group.command("remove")
@click.argument("name", metavar="RUN")
@history_options
@click.pass_obj
def remove_command(root: Path, name: str, place: Place) -> None:
    """Remove a run, and the pieces that no other run has. On a branch, earlier commits still have it."""
    store = place.open(root)
    with usable():
        removed, pieces = store.remove(name)
    click.echo(f"{removed}: removed, with {pieces} pieces")


@history_group.command("verify")
@history_options
@click.pass_obj
def verify_command(root: Path, place: Place) -> None:
    """Check every run and every piece against its SHA-256. Ends with 1 where one is damaged or missing."""
    store = place.open(root)
    with usable():
        checked = store.verify()
    for problem in checked.problems:
        click.echo(problem)
    if checked.orphans:
        click.echo(f"{len(checked.orphans)} pieces belong to no run; `assay history remove` of any run removes them")
    click.echo(f"{checked.runs} runs, {checked.pieces} pieces: {len(checked.problems)} problems")
    if checked.problems:
        sys.exit(1)
