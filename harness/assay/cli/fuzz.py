"""`assay fuzz`: differences of runtimes, found by generated sequences of calls.

In: the command line. Out: each new divergence with its shortest script and what each runtime did; with --save, a case
that replays it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import click

from ..fuzz import calls
from ..fuzz.compare import Difference, Results, first_difference, load_known
from ..fuzz.play import PROBE, Player
from ..fuzz.save import report, save
from ..run.runner import Prepared
from ..runtimes import search
from .base import (
    Asked,
    Positive,
    Unusable,
    file_type,
    find_adapters,
    folder_type,
    likes_of,
    only_option,
    options,
    runtime_options,
)
from .drive import say_absent

DEFAULT = ("touchstone", "wasmtime", "wasmtime-py", "jco", "wamr")
STATUSES = """
\b
Exit statuses
  0    no divergence that suites/fuzz/known.toml does not explain
  1    new divergences (--replay: the runtimes differ)
  2    wrong usage, or files that cannot be used; nothing was run
"""


@click.command("fuzz", epilog=STATUSES)
@options(runtime_options, only_option)
@click.option(
    "--area", "areas", multiple=True, type=click.Choice(list(calls.TABLE)), help="Only this area (repeatable)."
)
@click.option("--examples", type=click.IntRange(1), default=500, show_default=True, help="Scripts of each area.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed gives the same scripts."
)
@click.option("--seconds", type=Positive(), help="Seconds for each area, instead of --examples.")
@click.option("--save", "target", type=folder_type(), help="Write each new divergence to this folder, as a case.")
@click.option("--replay", type=file_type(exists=True), help="Only play this script, and print what each runtime does.")
@click.option("--known", "table", type=file_type(), help="Known divergences (default: suites/fuzz/known.toml).")
@click.option("--fixtures", type=folder_type(exists=True), help="Folder of fixtures (default: fixtures/).")
@click.pass_obj
def fuzz_command(
    root: Path,
    asked: Asked,
    runtimes: tuple[str, ...],
    areas: tuple[str, ...],
    examples: int,
    seed: int,
    seconds: float | None,
    target: Path | None,
    replay: Path | None,
    table: Path | None,
    fixtures: Path | None,
) -> None:
    """Play generated sequences of WASI calls on several runtimes, and report where they differ."""
    if importlib.util.find_spec("hypothesis") is None:
        raise Unusable("`assay fuzz` needs hypothesis: pip install 'touchstone-assay[fuzz]'")
    from ..fuzz.hunt import Hunt

    place = fixtures or root / "fixtures"
    if not (place / "built" / PROBE).is_file():
        raise Unusable(f"{PROBE} is not in {place / 'built'}")
    adapters, places = find_adapters(root, asked, runtimes)
    try:
        known = load_known(table or root / "suites/fuzz/known.toml", likes_of(adapters))
    except ValueError as error:
        raise Unusable(str(error)) from None
    names = runtimes or tuple(adapter.name for adapter in adapters if adapter.name in DEFAULT)
    try:
        found = search.find(places, names, adapters)
    except ValueError as error:
        raise Unusable(str(error)) from None
    say_absent(found)
    there = [item.runtime for item in found if item.runtime is not None]
    there.sort(key=lambda runtime: (not runtime.adapter.reference, names.index(runtime.name)))
    if len(there) < 2 and replay is None:
        raise Unusable("a comparison needs two runtimes")
    prepared = Prepared(places)

    def hunt(area: str) -> Hunt:
        def say(made: Difference, results: Results) -> None:
            click.echo(f"\n{made.kind}\n{report(made.script, results)}", nl=False)
            if target is not None:
                click.echo(f"saved: {save(target, area, made, results)}")

        return Hunt([Player(runtime, prepared, place, area) for runtime in there], known, area, say)

    if replay is not None:
        script = calls.parse(replay.read_text(encoding="utf-8"))
        one = hunt(areas[0] if areas else _area(script))
        results = one.play([script])[0]
        click.echo(report(script, results), nl=False)
        _say_skipped(one.skipped)
        sys.exit(1 if first_difference(script, results) else 0)
    new = 0
    for area in areas or tuple(calls.TABLE):
        one = hunt(area)
        click.echo(f"{area}:")
        one.run(examples, seed, seconds)
        new += len(one.found)
        _say_skipped(one.skipped)
        speed = ", ".join(f"{p.name} {p.played / p.wall * 60:.0f} a minute" for p in one.players if p.wall > 0)
        shaky = f"; {one.shaky} differed in one run and not in the next" if one.shaky else ""
        click.echo(f"{area}: {one.tried} scripts, {len(one.found)} new divergences{shaky} ({speed})")
    sys.exit(1 if new else 0)


def _area(script: calls.Script) -> str:
    """Returns the first area that has all calls of a script."""
    for area in calls.TABLE:
        if {line.name for line in script} <= {call.name for call in calls.signatures(area)}:
            return area
    return "sockets" if any(line.name.startswith(("tcp-", "udp-", "resolve-")) for line in script) else "requests"


def _say_skipped(skipped: dict[str, str]) -> None:
    for name, reason in skipped.items():
        click.echo(f"  {name} was not compared: {reason}")
