"""`assay history trend` and `assay history check`: what changed from run to run.

In: a history. Out: tables, or JSON: the counts of each runtime, when checks broke and were fixed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.table import Table

from ..history import trend
from ..history.rows import Rows
from ..history.trend import COUNTED, Counts, Life, Point, Seen
from .base import CONSOLE, EXIT_STATUSES, Unusable, only_option, options
from .histories import Place, history_options, usable

F = TypeVar("F", bound=Callable[..., Any])
_SIGNS = {"failed": "✗", "unsupported": "∅", "flaky": "≈", "errors": "!", "not run": "◌"}
shared = options(
    only_option,
    click.option(
        "--by",
        type=click.Choice(["time", "version"]),
        default="time",
        show_default=True,
        help="The order of the runs: their start, or the version of the runtime.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    history_options,
)


@click.command("trend", epilog=EXIT_STATUSES)
@click.option("--function", default="", help="Only functions whose name contains this.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=40, show_default=True, help="How many changes of a runtime to print."
)
@shared
@click.pass_obj
def trend_command(
    root: Path, function: str, limit: int, runtimes: tuple[str, ...], by: str, as_json: bool, place: Place
) -> None:
    """Show each runtime over time: its MUSTs run by run, and the checks that broke or were fixed.

    NAME@VERSION columns are versions of the runtime NAME."""
    rows, found = _points(place, root, runtimes, by)
    shown = []
    for base, mine in found.items():
        counted = [trend.counts(rows, point, function) for point in mine]
        changed = [life for life in trend.lives(rows, mine, function=function) if life.turns]
        if as_json:
            shown.append(
                {
                    "runtime": base,
                    "runs": [{**_point(item.point), "musts": item.musts, "cases": item.cases} for item in counted],
                    "checks": [_life(life) for life in changed],
                }
            )
            continue
        click.echo(f"{base}: {len(mine)} runs")
        CONSOLE.print(_table(counted, changed), markup=False)
        _print_turns(changed, limit)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=1))


@click.command("check", epilog=EXIT_STATUSES)
@click.argument("name", metavar="CASE#CHECK")
@shared
@click.pass_obj
def check_command(root: Path, name: str, runtimes: tuple[str, ...], by: str, as_json: bool, place: Place) -> None:
    """Show the first bad and the first good run of a check on each runtime.

    CASE#@expect is how the case ended. A CASE alone means all of its checks, a CHECK alone that check in all cases."""
    rows, found = _points(place, root, runtimes, by)
    case, unit = trend.split_unit(name)
    lives = [life for mine in found.values() for life in trend.lives(rows, mine, case=case, unit=unit)]
    if not lives:
        raise Unusable(f"{name}: no run has such a check (CASE#CHECK, as `assay list --checks` names them)")
    if as_json:
        click.echo(json.dumps([_life(life) for life in lives], ensure_ascii=False, indent=1))
        return
    for life in lives:
        click.echo(f"{life.case}#{life.unit} on {life.runtime}: {_summary(life)}")
        for word, seen in (("first bad", life.first_bad), ("first good", life.first_good)):
            click.echo(f"  {word:10}  {_words(seen)}")
        for one, other in life.turns:
            click.echo(f"  {_turn(other):10}  {_words(other)}; before: {_short(one)}")


def _points(place: Place, root: Path, runtimes: Sequence[str], by: str) -> tuple[Rows, dict[str, list[Point]]]:
    store = place.open(root)
    with usable():
        runs = store.runs()
        if not runs:
            raise Unusable(f"{store.files.where}: there is no run in this history")
        return Rows(store), trend.points(runs, runtimes, by_version=by == "version")


def _table(counted: Sequence[Counts], changed: Iterable[Life]) -> Table:
    fixed: dict[Point, int] = {}
    broken: dict[Point, int] = {}
    for life in changed:
        for _, other in life.turns:
            into = fixed if _turn(other) == "fixed" else broken
            into[other.point] = into.get(other.point, 0) + 1
    table = Table("run", "version", "suite", "MUST", "", "cases", "fixed", "broken", box=None, pad_edge=False)
    for item in counted:
        point = item.point
        marks = " ".join(f"{sign}{item.musts[word]}" for word, sign in _SIGNS.items() if item.musts[word])
        partial = " (partial)" if point.run.partial else ""
        numbers = [
            f"{sums['passed']}/{sum(sums[word] for word in COUNTED)}" if any(sums.values()) else "–"
            for sums in (item.musts, item.cases)
        ]
        changes = [str(into[point]) if point in into else "" for into in (fixed, broken)]
        suite = f"{point.run.about['suite']['name']}{partial}"
        table.add_row(point.run.name, _version(point), suite, numbers[0], marks, numbers[1], *changes)
    return table


def _print_turns(changed: Sequence[Life], limit: int) -> None:
    lines = [
        f"  {_turn(other):6} in {_version(other.point)}: {life.case}#{life.unit}: {one.words} -> {other.words}"
        for life in changed
        for one, other in life.turns
    ]
    for line in lines[:limit]:
        click.echo(line)
    if len(lines) > limit:
        click.echo(f"  … and {len(lines) - limit} more (--limit)")


def _turn(seen: Seen) -> str:
    return "fixed" if seen.verdict.value == "PASS" else "broken"


def _summary(life: Life) -> str:
    if not life.ran:
        return f"never run in {len(life.seen)} runs"
    bad = sum(item.verdict.value != "PASS" for item in life.ran)
    words = "always good" if not bad else "always bad" if bad == len(life.ran) else f"bad in {bad} runs"
    return f"{words} of {len(life.ran)}"


def _version(point: Point) -> str:
    return point.version if not point.asked or point.asked in point.version else f"{point.version} ({point.name})"


def _short(seen: Seen) -> str:
    return f"{seen.words} in {seen.point.run.name} ({_version(seen.point)})"


def _words(seen: Seen | None) -> str:
    if seen is None:
        return "never"
    detail = " ".join(seen.detail.split())
    return _short(seen) + (f": {detail[:160]}" if detail and seen.verdict.value != "PASS" else "")


def _point(point: Point) -> dict[str, Any]:
    return {"run": point.run.name, "started": point.run.started, "runtime": point.name, "version": point.version}


def _seen(seen: Seen | None) -> dict[str, Any] | None:
    return None if seen is None else {**_point(seen.point), "verdict": seen.verdict.value, "value": seen.value}


def _life(life: Life) -> dict[str, Any]:
    return {
        "case": life.case,
        "unit": life.unit,
        "runtime": life.runtime,
        "runs": len(life.ran),
        "first_bad": _seen(life.first_bad),
        "first_good": _seen(life.first_good),
        "turns": [[_seen(one), _seen(other)] for one, other in life.turns],
    }
