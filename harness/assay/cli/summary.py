"""The summary of a run on the terminal: a table or list of its kind, then what all kinds share.

In: a record. Out: lines on the terminal.
"""

from __future__ import annotations

import click
from rich.table import Table

from ..model import Kind
from ..record import Record, summary
from ..record.status import RunStatus, status
from ..report.view import SYMBOLS, build
from .base import CONSOLE, STYLES

LIMIT = 500
"""The most characters of a detail."""


def print_summary(made: Record, limit: int | None = None) -> None:
    """Prints the summary. `limit` is the most unexpected results of scripts that are printed; None means
    all."""
    run = status(made)
    words: tuple[str, ...]
    if made.suite.kind is Kind.SCRIPT:
        words = _scripts(summary.scripts(made), limit)
    elif made.suite.kind is Kind.PROGRAM:
        words = _programs(summary.programs(made))
    else:
        words = _cases(made)
    for entry in made.stale:
        CONSOLE.print(f"an expectation matches nothing: {entry}", markup=False)
    for line in words:
        CONSOLE.print(line, markup=False)
    if run.part:
        CONSOLE.print(f"{run.part}: `assay merge` makes the whole record", markup=False)
    _problems(run)


def _problems(run: RunStatus) -> None:
    for line in run.lines:
        CONSOLE.print(f"red: {line}", markup=False)
    for other in run.runtimes:
        if not other.judged and other.problems:
            CONSOLE.print(f"not judged: {other.name}: {'; '.join(other.problems)}", markup=False)


def _cases(made: Record) -> tuple[str, ...]:
    view = build(made)
    table = Table(box=None, pad_edge=False)
    table.add_column("MUST: passed/all")
    for runtime in view.runtimes:
        table.add_column(runtime.name, justify="right")
    for package in view.packages:
        for row in package.interfaces:
            table.add_row(row.name, *(item.short for item in row.counts))
    table.add_row("cases", *(item.cases.short for item in view.summaries), style="bold")
    CONSOLE.print(table)
    for result, unit in view.surprises:
        if result.runtime in made.gate:
            word = f"[{STYLES[unit.verdict]}]{SYMBOLS[unit.verdict]} {unit.verdict.value}[/]"
            CONSOLE.print(f"{word} unexpected: {result.case} {unit.id} on {result.runtime}: ", end="")
            CONSOLE.print(unit.detail[:LIMIT], markup=False)
    return tuple(f"{item.runtime.name}: {item.words}" for item in view.summaries)


def _scripts(counts: summary.ScriptSummary, limit: int | None) -> tuple[str, ...]:
    table = Table(box=None, pad_edge=False)
    for column in ("suite", "scripts", "whole", "commands", "passed", "known", "unexpected", "skipped"):
        table.add_column(column, justify="left" if column == "suite" else "right")
    total = counts.total
    for suite in (*counts.suites, total):
        values = (
            suite.scripts,
            suite.whole,
            suite.commands,
            suite.passed,
            suite.known,
            suite.unexpected,
            suite.skipped,
        )
        table.add_row(suite.name, *(str(value) for value in values), style="bold" if suite is total else None)
    CONSOLE.print(table)
    if counts.engines:
        CONSOLE.print(_engines(counts))
    shown = counts.surprises[:limit]
    for item in shown:
        click.echo(f"{item.script}: {item.command}: {item.status}, expected {item.expected}: {item.message}")
    if len(counts.surprises) > len(shown):
        click.echo(f"… and {len(counts.surprises) - len(shown)} more")
    failed = total.known + total.unexpected
    return (f"{total.passed} passed, {failed} failed ({total.known} known), {total.skipped} skipped",)


def _engines(counts: summary.ScriptSummary) -> Table:
    """Returns the table of suites by runtime: scripts that pass whole, of those that ran."""
    table = Table(box=None, pad_edge=False)
    table.add_column("whole scripts")
    for engine in counts.engines:
        table.add_column(engine.runtime, justify="right")
    for row, suite in enumerate(counts.suites):
        cells = [engine.suites[row] for engine in counts.engines]
        table.add_row(suite.name, *(f"{whole}/{ran}" if ran else "–" for ran, whole in cells))
    told = [f"{engine.passed}/{engine.commands}" if engine.commands else "–" for engine in counts.engines]
    table.add_row("commands", *told, style="bold")
    return table


def _programs(counts: summary.ProgramSummary) -> tuple[str, ...]:
    for item in counts.runtimes:
        click.echo(f"{item.runtime} ({item.version})")
        for bad in item.not_passed:
            word = "unexpected " if bad.unexpected else "known " if bad.reason else ""
            click.echo(f"    {word}{bad.verdict} {bad.program}: {bad.detail}{'; ' + bad.reason if bad.reason else ''}")
    for group in counts.unsupported:
        click.echo(f"unsupported: {group.programs} of {group.name}: {group.reason}")
    return tuple(
        f"{counts.suite} on {item.runtime}: {item.passed} of {item.total} pass"
        + (f", {item.bare} prove nothing (exit 0, and nothing else to see)" if item.bare else "")
        + (f", {item.known} known" if item.known else "")
        + (f", {item.unexpected} unexpected" if item.unexpected else "")
        for item in counts.runtimes
    )
