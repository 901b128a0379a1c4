"""`assay runtimes` and `assay smoke`: which runtimes there are, and whether their adapters are right.

In: the command line. Out: a line for each runtime; what is installed; a line for each probe that fails.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..model import Absent
from ..model.names import COMMAND, PROXY
from ..runtimes import Adapter, Places, Runtime, search
from ..runtimes.install import InstallError, install
from ..runtimes.search import Found
from ..suites import smoke
from .base import CONSOLE, EXIT_STATUSES, Asked, Unusable, find_adapters, jobs_option, runtime_options
from .errors import absent_runtime, unknown_runtime


@click.command("runtimes", epilog=EXIT_STATUSES)
@click.argument("names", nargs=-1)
@runtime_options
@click.option("--install", "installing", is_flag=True, help="Install those named, or all that a registry has built.")
@click.pass_obj
def runtimes_command(root: Path, names: tuple[str, ...], asked: Asked, installing: bool) -> None:
    """List the runtimes, one a line: present or absent and why, version, what it runs, how to get it.

    NAME@VERSION installs or shows another version of a runtime beside it."""
    adapters, places = find_adapters(root, asked, names)
    known = [adapter.name for adapter in adapters]
    for name in names:
        if name not in known:
            raise unknown_runtime(name, known)
    failed = _install(adapters, names, places) if installing else False
    found = search.find(places, names, adapters)
    width = max(len(item.adapter.name) for item in found)
    for item in found:
        CONSOLE.print(_line(item, width), style="" if item.runtime else "dim", markup=False)
    present = sum(item.runtime is not None for item in found)
    click.echo(f"{present} of {len(found)} runtimes are present")
    if failed:
        sys.exit(1)


def _install(adapters: Sequence[Adapter], names: Sequence[str], places: Places) -> bool:
    """Installs runtimes. Returns whether one that was named could not be installed: the others are optional."""
    failed = False
    for adapter in adapters:
        how = adapter.about.install
        wanted = adapter.name in names if names else how is not None and not how.slow
        if not wanted or not (names or isinstance(adapter.find(places), Absent)):
            continue
        try:
            click.echo(f"{adapter.name}: {install(adapter, places)}")
        except InstallError as error:
            click.echo(f"{adapter.name}: not installed: {error}", err=True)
            failed = failed or bool(names)
    return failed


def _line(found: Found, width: int) -> str:
    about = found.adapter.about
    runs = [word for world, word in ((COMMAND, "commands"), (PROXY, "http")) if world in about.can.worlds]
    runs += ["modules"] if about.can.modules else []
    what = f"{found.adapter.name:{width}}  {'present' if found.runtime else 'absent '}"
    if found.runtime is not None:
        note = f" ({found.runtime.peer.note})" if found.runtime.peer.note else ""
        return f"{what}  {found.runtime.peer.version}{note}; {', '.join(runs)}; {about.title}"
    never = f"; never run by us: {about.never_run}" if about.never_run else ""
    return f"{what}  {about.title}; {', '.join(runs)}; to get it: {about.how or 'see its documentation'}{never}"


@click.command("smoke", epilog=EXIT_STATUSES)
@click.argument("names", nargs=-1)
@runtime_options
@jobs_option
@click.pass_obj
def smoke_command(root: Path, names: tuple[str, ...], asked: Asked, jobs: int) -> None:
    """Try what runtimes declare that they can do: all that are present, or those named.

    Exit status 1: a declared capability is untrue."""
    adapters, places = find_adapters(root, asked, names)
    fixtures = root / "fixtures"
    if not smoke.there(fixtures):
        raise Unusable(
            f"the guests of the smoke test are not in {fixtures / 'built'}: `git checkout fixtures/built` brings them back"
        )
    try:
        found = search.find(places, names, adapters)
    except ValueError as error:
        raise Unusable(str(error)) from None
    bad = False
    for item in found:
        if item.runtime is None:
            if names:
                raise absent_runtime(item.adapter.name, item.reason)
            continue
        bad = _show(item.runtime, smoke.smoke(item.runtime, fixtures, places, jobs)) or bad
    if bad:
        sys.exit(1)


def _show(runtime: Runtime, tried: Sequence[smoke.Tried]) -> bool:
    """Prints the probes that fail, and the others in one line. Returns whether the adapter is refused."""
    good = [item.name for item in tried if not item.problem]
    bad = [item for item in tried if item.bad]
    style = "red" if bad else "green"
    CONSOLE.print(
        f"{runtime.name} ({runtime.peer.version}): {len(good)} of {len(tried)} hold", style=style, markup=False
    )
    for item in tried:
        if item.bad:
            CONSOLE.print(f"  untrue: {item.name}: {item.problem}", markup=False)
        elif item.problem:
            CONSOLE.print(f"  known: {item.name}: {item.problem} ({item.known})", style="dim", markup=False)
    return bool(bad)


def without_on_demand(found: Sequence[Found], named: Sequence[str]) -> tuple[Found, ...]:
    """Returns the runtimes without those that are only run when they are named, and says so of each."""
    left: list[Found] = []
    for item in found:
        if item.runtime is not None and item.adapter.about.on_demand and item.adapter.name not in named:
            CONSOLE.print(f"{item.adapter.name}: not run unless named: {item.adapter.about.on_demand}", style="dim")
        else:
            left.append(item)
    return tuple(left)


def refuse_untrue(found: Sequence[Found], fixtures: Path, places: Places) -> None:
    """Ends the command where the smoke test of a runtime fails. The reference runtime is tested by the run."""
    if not smoke.there(fixtures):
        return
    runtimes = [item.runtime for item in found if item.runtime is not None and not item.adapter.reference]
    for runtime, tried in zip(runtimes, smoke.every(runtimes, fixtures, places), strict=True):
        lines = "".join(f"\n  {item.name}: {item.problem}" for item in tried if item.bad)
        if lines:
            raise Unusable(
                f"{runtime.name} does not do what its adapter declares, so nothing was run "
                f"(`assay smoke {runtime.adapter.name}`; --no-smoke runs it all the same):{lines}"
            )
