"""Where the time of a run went: what each runtime took, and its slowest runs (`--durations N`).

In: a record. Out: lines on the terminal. CPU is that of the runtime's processes, as the record has it.
"""

from __future__ import annotations

import resource
from collections.abc import Sequence

import click
from rich.table import Table

from ..model import CaseResult, Verdict
from ..record import Record
from .base import CONSOLE

durations_option = click.option(
    "--durations",
    type=click.IntRange(0),
    metavar="N",
    help="Print what each runtime took, and the N slowest runs.",
)


def print_durations(made: Record, number: int, *, ran_now: bool = True) -> None:
    """Prints a line for each runtime, the `number` slowest runs, and, of a run of this process (`ran_now`), the
    harness's own CPU time."""
    ran = [result for result in made.results if result.verdict is not Verdict.SKIP]
    CONSOLE.print(_by_runtime(made, ran))
    slowest = sorted(ran, key=lambda result: -result.observation.wall)[:number]
    for result in slowest:
        seen = result.observation
        words = f"{seen.wall:7.2f} s, CPU {seen.cpu:6.2f} s  {result.verdict.value:11} {result.case} on {result.runtime}"
        CONSOLE.print(words, markup=False)
    if ran_now and ran:
        own = resource.getrusage(resource.RUSAGE_SELF)
        seconds = own.ru_utime + own.ru_stime
        click.echo(f"the harness itself: CPU {seconds:.1f} s, {seconds / len(ran) * 1000:.0f} ms a run")


def _by_runtime(made: Record, ran: Sequence[CaseResult]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("where the time went", "runs", "CPU s", "ms a run", "wall s", "timeouts", "wall s in them"):
        table.add_column(column, justify="left" if column == "where the time went" else "right")
    for runtime in made.present:
        mine = [result for result in ran if result.runtime == runtime.name]
        table.add_row(runtime.name, *_row(mine))
    table.add_row("all", *_row(ran), style="bold")
    return table


def _row(results: Sequence[CaseResult]) -> tuple[str, ...]:
    cpu, wall = (sum(getattr(result.observation, key) for result in results) for key in ("cpu", "wall"))
    late = [result for result in results if result.verdict is Verdict.TIMEOUT]
    each = f"{cpu / len(results) * 1000:.0f}" if results else "–"
    waited = f"{sum(result.observation.wall for result in late):.1f}" if late else "–"
    return str(len(results)), f"{cpu:.1f}", each, f"{wall:.1f}", str(len(late) or "–"), waited
