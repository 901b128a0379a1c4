"""`assay site`: writes the report as a site of static files.

In: one or more records. Out: a folder that a browser opens, or that any web server serves.
"""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import click

from ..cases import requirements
from ..history import Run
from ..history.rows import Rows
from ..model import Kind, locations
from ..record import Record, summary
from ..report import site
from .base import (
    EXIT_STATUSES,
    Project,
    Unusable,
    file_type,
    folder_type,
    read_record,
)
from .beside import beside
from .formats import read_programs, read_scripts, repro_line
from .histories import Place, history_options, usable

MARK = '<meta name="generator" content="assay site">'
"""What the index of a site has. A folder with anything else is not written over."""

PLAIN_NAMES = frozenset(("results", "latest", "reports", ""))
"""Names of files and folders that say nothing about a run."""


@click.command("site", epilog=EXIT_STATUSES)
@click.argument("records", metavar="[RECORD]...", nargs=-1, type=file_type(exists=True))
@click.option("--output", type=folder_type(), help="The folder of the site (default: reports/site).")
@history_options
@click.pass_obj
def site_command(root: Path, records: tuple[Path, ...], output: Path | None, place: Place) -> None:
    """Write the report as a site (default: of reports/latest/results.jsonl).

    Of several records of cases, the newest is shown, and the others are its history, with the runs of the kept
    history if there is one. Records of scripts and of programs, also those beside the newest record, give their
    counts."""
    paths = records or (Project(root).latest / "results.jsonl",)
    folder = output or locations.workplace(root) / "reports" / "site"
    # The scripts beside the first record are read beside; those of another one, which may be newer, are read after it.
    with beside(partial(read_scripts, paths[0].parent)) as (scripts,):
        source = _source(root, paths, place, lambda of: scripts.result() if of == paths[0].parent else read_scripts(of))
        number, size = write(folder, site.render(source))
    click.echo(f"site: {folder / 'index.html'}: {number} files, {size:,} bytes")


def _source(
    root: Path, paths: Sequence[Path], place: Place, scripts_of: Callable[[Path], summary.ScriptSummary | None]
) -> site.Source:
    """Returns what the site is made from. `scripts_of` returns the counts of the scripts in a folder."""
    kinds: dict[Kind, list[tuple[str, Path]]] = {kind: [] for kind in Kind}
    shown: tuple[str, Path, Record] | None = None
    for path in paths:
        made = read_record(path)
        kinds[made.suite.kind].append((made.started, path))
        if made.suite.kind is Kind.CASE and (shown is None or shown[:2] < (made.started, path)):
            shown = made.started, path, made
    if shown is None:
        raise Unusable("a site needs a record of cases; those of scripts and programs only add to it")
    cases, newest = sorted(kinds[Kind.CASE]), shown[1]
    scripts, programs = _newest(kinds[Kind.SCRIPT]), _newest(kinds[Kind.PROGRAM])
    return site.Source(
        shown[2],
        summary.scripts(scripts) if scripts else scripts_of(newest.parent),
        summary.programs(programs) if programs else read_programs(newest.parent),
        repro_line(newest, root),
        requirements.bases(root / "suites"),
        requirements.divergences(root / "suites"),
        _history(root, cases, place),
    )


def _newest(found: Iterable[tuple[str, Path]]) -> Record | None:
    paths = sorted(found)
    return read_record(paths[-1][1]) if paths else None


def _history(root: Path, cases: Sequence[tuple[str, Path]], place: Place) -> site.History:
    """Returns the history: the runs that are kept, and the records that are given. One record is no history."""
    builder = site.Builder()
    runs: list[tuple[str, str, Callable[[], None]]] = [
        (started, path.name, functools.partial(_add_record, builder, path)) for started, path in cases
    ]
    with usable():
        if place.named or (locations.workplace(root) / "reports" / "history").is_dir():
            rows = Rows(place.open(root))
            given = {started for started, _ in cases}
            runs += [
                (run.started, run.name, functools.partial(_add_run, builder, rows, run))
                for run in rows.store.runs()
                if run.started not in given and run.about["suite"]["kind"] == Kind.CASE.value
            ]
        for _, _, add in sorted(runs, key=lambda run: run[:2]) if len(runs) > 1 else ():
            add()
    return builder.made


def _add_record(builder: site.Builder, path: Path) -> None:
    builder.add_record("/".join(path.absolute().parts[-2:]), read_record(path), label_of(path))


def label_of(path: Path) -> str:
    """Returns the label that the path of a record gives to its run: the name of its file, or else of its folder, unless
    that is the current one. Names that assay itself gives are no label."""
    folder = path.absolute().parent
    names = (path.stem, "" if folder == Path.cwd() else folder.name)
    return next((name for name in names if name not in PLAIN_NAMES), "")


def _add_run(builder: site.Builder, rows: Rows, run: Run) -> None:
    """Adds a run that is kept. What it shares with others is read once."""
    versions = {item["name"]: item.get("version", "") for item in run.present}
    builder.add(
        site.HistoryRun(f"history:{run.name}", run.started, versions, suite=run.about["suite"]["name"]),
        (
            (one.case, unit.id, name, unit.verdict)
            for name in versions
            for one in rows.results(run, name)
            for unit in one.units
        ),
    )


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    """Writes a site in the place of an earlier one, which stays whole until the new one is. Returns the number of
    files and their bytes."""
    index = folder / "index.html"
    if folder.exists() and any(folder.iterdir()):
        there = index.read_text(encoding="utf-8", errors="replace") if index.is_file() else ""
        if MARK not in there:
            raise Unusable(f"{folder} has other files, so it is not written over; choose an empty folder with --output")
    number = size = 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            (new / "data").mkdir(parents=True)
            for path, content in files:
                (new / path).write_bytes(content)
                number += 1
                size += len(content)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise Unusable(f"the site cannot be written: {error}") from None
    return number, size
