"""`assay fuzz`: differences of runtimes, found by generated sequences of calls and by generated components.

In: the command line. Out: each new divergence with its shortest script and what each runtime did; with --save, a case
that replays it.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..fuzz import areas as areas_of
from ..fuzz import calls
from ..fuzz.compare import Difference, Results, first_difference, load_known
from ..fuzz.save import report, save
from ..fuzz.teams import Teams
from ..runtimes import search
from ..suites.scripts import find_tool
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

if TYPE_CHECKING:
    from ..fuzz.hunt import Hunt

DEFAULT = ("touchstone", "wasmtime", "wasmtime-py", "jco", "wamr")
STATUSES = """
\b
Exit statuses
  0    no divergence that suites/fuzz/known.toml does not explain
  1    new divergences (--replay: the runtimes differ)
  2    wrong usage, or files that cannot be used; nothing was run
  130  interrupted (Ctrl-C, SIGTERM)
"""


@click.command("fuzz", epilog=STATUSES)
@options(runtime_options, only_option)
@click.option(
    "--area", "areas", multiple=True, type=click.Choice(list(areas_of.NAMES)), help="Only this area (repeatable)."
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
    """Play generated sequences of WASI calls, and components that hand each other generated values, on several
    runtimes, and report where they differ."""
    if importlib.util.find_spec("hypothesis") is None:
        raise Unusable("`assay fuzz` needs hypothesis: pip install 'touchstone-assay[fuzz]'")
    chosen = areas or areas_of.NAMES
    adapters, places = find_adapters(root, asked, runtimes)
    try:
        known = load_known(table or root / "suites/fuzz/known.toml", likes_of(adapters))
        names = runtimes or tuple(adapter.name for adapter in adapters if adapter.name in DEFAULT)
        found = search.find(places, names, adapters)
    except ValueError as error:
        raise Unusable(str(error)) from None
    say_absent(found)
    there = [item.runtime for item in found if item.runtime is not None]
    there.sort(key=lambda runtime: (not runtime.adapter.reference, names.index(runtime.name)))
    script = calls.parse(replay.read_text(encoding="utf-8")) if replay is not None else ()
    if replay is not None and not areas:
        chosen = (areas_of.area_of(script),)
    if len(there) < (1 if replay is not None or chosen == (areas_of.COMPONENTS,) else 2):
        raise Unusable("a comparison needs two runtimes: name another one with -r (`assay runtimes` says which are here)")
    tool = find_tool(places.cache) if areas_of.COMPONENTS in chosen else None
    with Teams(there, places, fixtures or root / "fixtures", tool, known) as teams:
        missing = {area: reason for area in chosen if (reason := teams.missing(area))}
        if missing and (areas or replay is not None or len(missing) == len(chosen)):
            raise Unusable(next(iter(missing.values())))
        hunts = _Hunts(teams, target)
        if replay is not None:
            try:
                parts = areas_of.parts(chosen[0], script)
            except ValueError as error:
                raise Unusable(f"{replay}: {error}") from None
            sys.exit(1 if hunts.replay(chosen[0], parts) else 0)
        for area, reason in missing.items():
            click.echo(f"{area}: left out: {reason}")
        new = sum(hunts.run(area, examples, seed, seconds) for area in chosen if area not in missing)
    sys.exit(1 if new else 0)


@dataclass
class _Hunts:
    """The hunts of a command. `target`: where new divergences are saved."""

    teams: Teams
    target: Path | None

    def hunt(self, area: str) -> Hunt:
        from ..fuzz.hunt import Hunt

        def say(made: Difference, results: Results) -> None:
            click.echo(f"\n{made.kind}\n{report(made.script, results)}", nl=False)
            if self.target is not None:
                click.echo(f"saved: {save(self.target, area, made, results, self.teams.component(area, made.script))}")

        return Hunt(self.teams.players(area), self.teams.known, areas_of.area(area), say)

    def replay(self, area: str, scripts: list[calls.Script]) -> bool:
        """Plays scripts, and prints the results. Returns whether they differ."""
        one = self.hunt(area)
        differ = False
        for part in scripts:
            results = one.play([part])[0]
            click.echo(report(part, results), nl=False)
            differ = first_difference(part, results) is not None or differ
        _say_skipped(one.skipped)
        return differ

    def run(self, area: str, examples: int, seed: int, seconds: float | None) -> int:
        """Hunts in an area, and prints what is found. Returns the number of new divergences."""
        one = self.hunt(area)
        click.echo(f"{area}:")
        one.run(examples, seed, seconds)
        _say_skipped(one.skipped)
        speed = ", ".join(f"{p.name} {p.played / p.wall * 60:.0f} a minute" for p in one.players if p.wall > 0)
        shaky = f"; {one.shaky} differed in one run and not in the next" if one.shaky else ""
        click.echo(f"{area}: {one.tried} scripts, {len(one.found)} new divergences{shaky} ({speed})")
        return len(one.found)


def _say_skipped(skipped: dict[str, str]) -> None:
    for name, reason in skipped.items():
        click.echo(f"  {name} was not compared: {reason}")
