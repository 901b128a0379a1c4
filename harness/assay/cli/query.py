"""`assay query`: SQL over records and the history.

In: a SELECT; records, a history. Out: its rows as a table, CSV or JSON.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ..history import Memory, Store
from ..history.query import TABLES, Answer, QueryError, ask, runs_of
from ..history.rows import Rows
from .base import EXIT_STATUSES, Unusable, file_type
from .histories import Place, history_options, usable

WIDE = 10_000
"""Columns of a table that is not printed on a terminal: no line is cut."""


@click.command("query", epilog=EXIT_STATUSES)
@click.argument("sql", required=False)
@click.argument("records", nargs=-1, type=file_type(exists=True))
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--tables", is_flag=True, help="Print the tables and their columns.")
@history_options
@click.pass_obj
def query_command(
    root: Path, sql: str | None, records: tuple[Path, ...], form: str, tables: bool, place: Place
) -> None:
    """Ask records and the history in SQL (DuckDB): `assay query "SELECT …" [RECORD…]`.

    Without records, and with --history or --git, the runs of the history are asked. harness/QUERIES.md has examples."""
    if tables:
        for name, columns in TABLES.items():
            click.echo(f"{name}({columns})")
        return
    if not sql:
        raise Unusable('a query is missing: assay query "SELECT …" (--tables prints the tables)')
    stores = [place.open(root)] if place.named or not records else []
    given = Store(Memory())
    for path in records:
        try:
            text = path.read_bytes().decode("utf-8")
            with usable():
                given.add(text)
        except (OSError, UnicodeDecodeError, Unusable) as error:
            raise Unusable(f"{path}: {error}") from None
    with usable():
        sources = runs_of([Rows(store) for store in (*stores, given)])
        if not sources:
            raise Unusable(f"{stores[0].files.where}: there is no run in this history; name records, or add some")
        try:
            answer = ask(sources, sql)
        except QueryError as error:
            raise Unusable(str(error)) from None
    _print(answer, form)


def _print(answer: Answer, form: str) -> None:
    if form == "json":
        shown = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1, default=str))
    elif form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
        click.echo(text.getvalue(), nl=False)
    else:
        table = Table(*answer.columns, box=None, pad_edge=False)
        for row in answer.rows:
            table.add_row(*("" if cell is None else " ".join(str(cell).split()) for cell in row))
        width = None if sys.stdout.isatty() else WIDE
        Console(highlight=False, markup=False, width=width).print(table, crop=False)
        click.echo(f"{len(answer.rows)} rows")
