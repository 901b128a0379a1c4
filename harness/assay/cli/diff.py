"""`assay diff`: the differences of two records, for a person, a program or a comment.

In: two records, each a file or a run of the history. Out: lines, JSON or Markdown; exit status 1 when something broke
or is missing.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..record import Record
from ..record.diff import Change, diff, of_runtimes
from ..report import diff as written
from .base import EXIT_STATUSES, Unusable, file_type
from .histories import Place, history_options, record_of


@click.command("diff", epilog=EXIT_STATUSES)
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option(
    "--runtime",
    "-r",
    "runtimes",
    multiple=True,
    metavar="NAME|A_NAME=B_NAME",
    help="Only this runtime; two names compare two columns, as wasmtime@48.0.2=wasmtime@49.0.4 (repeatable).",
)
@click.option("--allow-missing", is_flag=True, help="Runtimes, cases and checks may be missing in B.")
@click.option("--allow-flaky", is_flag=True, help="What passed in A may be flaky in B (as where B's run allowed it).")
@click.option("--markdown", type=file_type(), help="Also write a comment for a pull request to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@history_options
@click.pass_obj
def diff_command(
    root: Path,
    old: str,
    new: str,
    runtimes: tuple[str, ...],
    allow_missing: bool,
    allow_flaky: bool,
    markdown: Path | None,
    as_json: bool,
    place: Place,
) -> None:
    """Show what was added, removed, fixed, broken, changed or became flaky from A to B.

    A and B are records: files, or runs of the history (history:RUN, history:latest, history:latest~1). Ends with 1
    when something broke, is missing, or passed and is flaky now."""
    store = functools.cache(lambda: place.open(root))
    named = [record_of(name, store) for name in (old, new)]
    notes = [f"{name} is partial: {made.partial}" for name, made in named if made.partial]
    before, after = _chosen(named[0][1], named[1][1], runtimes)
    notes += [f"{one} of A is compared with {other} of B" for one, other in _pairs(runtimes) if one != other]
    notes += _versions(before, after)
    made = diff(before, after)
    names = (named[0][0], named[1][0])
    red = made.red(allow_missing=allow_missing, allow_flaky=allow_flaky or after.allow_flaky)
    if markdown is not None:
        text = written.markdown(made, *names, notes, red)
        try:
            markdown.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Unusable(f"the comment cannot be written: {error}") from None
    if as_json:
        click.echo(written.data(made, *names, notes, red))
    else:
        for line in (*notes, *made.toolchains):
            click.echo(line)
        for kind in Change:
            for change in made.of(kind):
                click.echo(change.words)
        click.echo(made.words)
    if red:
        sys.exit(1)


def _pairs(runtimes: Sequence[str]) -> list[tuple[str, str]]:
    split = [item.partition("=") for item in runtimes]
    return [(one, other if equals else one) for one, equals, other in split]


def _chosen(old: Record, new: Record, runtimes: Sequence[str]) -> tuple[Record, Record]:
    if not runtimes:
        return old, new
    pairs = _pairs(runtimes)
    for side in (0, 1):
        names = [pair[side] for pair in pairs]
        if len(set(names)) != len(names):
            raise Unusable("--runtime: a runtime is named twice")
    try:
        return of_runtimes(old, new, pairs)
    except ValueError as error:
        raise Unusable(f"--runtime {error}") from None


def _versions(old: Record, new: Record) -> list[str]:
    """Returns a line for each runtime that has another version."""
    before = {runtime.name: runtime.version for runtime in old.present}
    return [
        f"{runtime.name}: {before[runtime.name]}, now {runtime.version}"
        for runtime in new.present
        if before.get(runtime.name, runtime.version) != runtime.version
    ]
