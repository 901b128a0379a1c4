"""`assay run` and `assay repro`: cases on runtimes.

In: the command line. Out: the record and its reports, progress and a summary on the terminal, the exit status of `status`.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .. import record
from ..cases.selection import Selection
from ..judge import expect
from ..model import Absent, Case, CaseResult, Peer, Verdict
from ..record.status import INTERRUPTED, status
from ..report.view import SYMBOLS, build
from ..run import runner
from ..runtimes import Adapter, Places, search
from ..suites import repro
from .base import (
    CONSOLE,
    EXIT_STATUSES,
    STYLES,
    Positive,
    Project,
    Unusable,
    discover,
    file_type,
    find_adapters,
    find_places,
    folder_type,
    jobs_option,
    load_expectations,
    only_option,
    options,
    read_record,
    runtime_options,
    selection_options,
    suites_options,
    write_reports,
)


@click.command("run", epilog=EXIT_STATUSES)
@click.argument("patterns", nargs=-1)
@options(selection_options, suites_options, runtime_options, only_option)
@click.option("--output", type=folder_type(), help="Where the record and the reports go (default: reports/latest).")
@click.option(
    "--expectations", type=folder_type(), help="Folder of expectations (default: expectations/ in the folder of cases)."
)
@click.option("--update-expectations", is_flag=True, help="Rewrite the expectations of the runtimes that ran.")
@click.option(
    "--gate",
    multiple=True,
    help="Judge this runtime only (repeatable; default: every one that is there, and those of -r).",
)
@jobs_option
@click.option("--strict", is_flag=True, help="A failing SHOULD fails its case and, unless it is announced, the run.")
@click.option("--trace/--no-trace", default=True, help="Let touchstone trace the host calls.")
@click.option(
    "--timeout-factor", type=Positive(), default=1.0, show_default=True, help="Multiply every case's time limit."
)
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the folder of every run, with its command line: kept/RUNTIME/CASE beside the record.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with the partial record that is there: only what is missing is run."
)
@click.option(
    "--rerun-changed",
    is_flag=True,
    help="With --resume: what has changed since is run again (otherwise it is refused).",
)
@click.pass_obj
def run_command(
    root: Path,
    patterns: tuple[str, ...],
    interfaces: tuple[str, ...],
    functions: tuple[str, ...],
    requirements: tuple[str, ...],
    verdicts: tuple[str, ...],
    earlier: Path | None,
    suites: Path | None,
    fixtures: Path | None,
    programs: tuple[str, ...],
    also: tuple[str, ...],
    runtimes: tuple[str, ...],
    output: Path | None,
    expectations: Path | None,
    update_expectations: bool,
    gate: tuple[str, ...],
    jobs: int,
    strict: bool,
    trace: bool,
    timeout_factor: float,
    keep: bool,
    resume: bool,
    rerun_changed: bool,
) -> None:
    """Run the cases on every runtime found, and write the record and its reports."""
    if rerun_changed and not resume:
        raise Unusable("--rerun-changed belongs to --resume")
    target = output or Project(root).latest
    adapters, more = find_adapters(also)
    known_names = [adapter.name for adapter in adapters]
    for option, given in (("--gate", gate), ("--runtime", runtimes)):
        for name in given:
            if name not in known_names and not (option == "--gate" and name == "all"):
                raise Unusable(f"{option} {name}: no such runtime; known: {', '.join(known_names)}")
    selection = Selection(patterns, interfaces, functions, requirements, verdicts)
    every, wanted = discover(root, suites, fixtures, selection, earlier, runtimes)
    places = find_places(root, (*programs, *more), adapters)
    folder = expectations or (suites or root / "suites") / "expectations"
    entries = load_expectations(folder, adapters)
    begun = _partial(target / "results.jsonl", selection, runtimes) if resume else None
    if begun is not None:
        runtimes = tuple(runtime.name for runtime in begun.runtimes)
        wanted = tuple(case for case in every if case.id in {info.id for info in begun.cases})
        strict, trace, timeout_factor = begun.strict, begun.trace, begun.timeout_factor
        if missing := set(runtimes) - set(known_names):
            raise Unusable(f"--resume: the record has {', '.join(sorted(missing))}, which needs --also again")
    found = search.find(places, runtimes, adapters)
    for item in found:
        if isinstance(item.peer, Absent):
            CONSOLE.print(f"{item.peer.name}: absent: {item.peer.reason}", style="dim", markup=False)
    here = [(item.adapter, item.peer) for item in found if isinstance(item.peer, Peer)]
    judged = _gate(gate, runtimes if begun is None else (), known_names, here) if begun is None or gate else begun.gate
    made = record.Record(
        now(),
        "",
        record.harness_version(),
        strict,
        judged,
        tuple(record.runtime_info(item.peer) for item in found),
        tuple(record.case_info(case) for case in wanted),
        (),
        _stale(entries, every, judged),
        trace=trace,
        timeout_factor=timeout_factor,
    )
    if begun is not None:
        made = _continued(begun, made, rerun_changed)
    kept = target / "kept" if keep else None
    settings = runner.Settings(trace, strict, jobs, timeout_factor, kept, datetime.now(UTC))
    known = {case.id: case for case in wanted}

    def mark(result: CaseResult) -> CaseResult:
        return expect.apply(result, entries[result.runtime], known[result.case], strict=strict)

    results, interrupted = _run_logged(made, wanted, here, places, settings, target, mark)
    if update_expectations and not interrupted:
        for _, peer in here:
            mine = [result for result in results if result.runtime == peer.name]
            text = expect.render(mine, entries[peer.name], every, strict=strict)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{peer.name}.toml").write_text(text, encoding="utf-8")
            entries[peer.name] = expect.load(folder / f"{peer.name}.toml")
    results = [mark(result) for result in results]
    partial = "the run was interrupted" if interrupted else ""
    made = replace(made, finished=now(), results=tuple(results), stale=_stale(entries, every, judged), partial=partial)
    record.write(made, target / "results.jsonl")
    write_reports(made, target, target / "results.jsonl", root)
    if kept is not None:
        click.echo(f"kept: {kept}/RUNTIME/CASE, each with command.sh")
    if interrupted:
        click.echo(
            f"interrupted: {len(results)} of {len(wanted) * len(here)} runs are in {target / 'results.jsonl'}; --resume goes on"
        )
        sys.exit(INTERRUPTED)
    _print_summary(made, target)
    sys.exit(status(made).exit_status)


def _gate(
    gate: Sequence[str], named: Sequence[str], known: Sequence[str], here: Sequence[tuple[Adapter, Peer]]
) -> tuple[str, ...]:
    """Who is judged: those of --gate, or whoever is there and whoever was asked for."""
    if "all" in gate:
        return tuple(known)
    there = {peer.name for _, peer in here}
    return tuple(dict.fromkeys(gate)) or tuple(name for name in known if name in there or name in named)


def _run_logged(
    made: record.Record,
    wanted: Sequence[Case],
    here: Sequence[tuple[Adapter, Peer]],
    places: Places,
    settings: runner.Settings,
    target: Path,
    mark: Callable[[CaseResult], CaseResult],
) -> tuple[list[CaseResult], bool]:
    """Run what the record lacks; all results in order, and whether that was interrupted."""
    try:
        log = record.Log(made, target / "results.jsonl")
    except OSError as error:
        raise Unusable(f"the record cannot be written: {error}") from None
    results = {(result.case, result.runtime): result for result in made.results}

    def seen(result: CaseResult) -> None:
        results[result.case, result.runtime] = result
        log.add(mark(result))

    def stop(*_: object) -> None:  # SIGINT may be ignored, as it is of a job in the background
        raise KeyboardInterrupt

    there = set(results)
    interrupted = False
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
    try:
        run_with_progress(wanted, here, places, settings, seen, there)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        log.close()
    order = [(case.id, peer.name) for case in wanted for _, peer in here]
    return [results[key] for key in order if key in results], interrupted


def _partial(path: Path, selection: Selection, runtimes: Sequence[str]) -> record.Record:
    """The record to go on with."""
    if not selection.all or runtimes:
        raise Unusable("--resume takes the cases and runtimes of the record that is there: name none")
    return read_record(path)


def _continued(begun: record.Record, now: record.Record, rerun_changed: bool) -> record.Record:
    """The record that is gone on with: what was there before, if it is still about the same; else without what has changed."""
    changes = record.changes(begun, now)
    if changes and not rerun_changed:
        listed = "".join(f"\n  {change}" for change in changes[:10]) + ("\n  …" if len(changes) > 10 else "")
        raise Unusable(f"--resume: the record is of something else (--rerun-changed runs that again):{listed}")
    kept = record.still_true(begun, now)
    total = len(now.cases) * len(now.present)
    click.echo(f"resuming: {len(kept)} of {total} runs are there" + (f", {len(changes)} changes" if changes else ""))
    return replace(now, started=begun.started, results=kept)


def _stale(
    entries: Mapping[str, tuple[expect.Entry, ...]], every: Sequence[Case], judged: Sequence[str]
) -> tuple[str, ...]:
    """Entries that match nothing, of the runtimes that this run judges."""
    return tuple(
        f"{name}.toml: {entry}"
        for name, mine in entries.items()
        if name in judged
        for entry in expect.stale(mine, every)
    )


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def run_with_progress(
    wanted: Sequence[Case],
    here: Sequence[tuple[Adapter, Peer]],
    places: Places,
    settings: runner.Settings,
    seen: Callable[[CaseResult], None],
    there: set[tuple[str, str]] | None = None,
) -> list[CaseResult]:
    there = there or set()
    total = sum((case.id, peer.name) not in there for case in wanted for _, peer in here)
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

        return runner.run_all(wanted, here, places, settings, tell, there)


def _print_summary(made: record.Record, target: Path) -> None:
    view = build(made)
    table = Table(box=None, pad_edge=False)
    table.add_column("MUST: passed/all")
    for runtime in view.runtimes:
        table.add_column(runtime.name, justify="right")
    for package in view.packages:
        for row in package.interfaces:
            table.add_row(row.name, *(item.short for item in row.counts))
    table.add_row("cases", *(summary.cases.short for summary in view.summaries), style="bold")
    CONSOLE.print(table)
    for result, unit in view.surprises:
        if result.runtime in made.gate:
            word = f"[{STYLES[unit.verdict]}]{SYMBOLS[unit.verdict]} {unit.verdict.value}[/]"
            CONSOLE.print(f"{word} unexpected: {result.case} {unit.id} on {result.runtime}: ", end="")
            CONSOLE.print(unit.detail[:500], markup=False)
    for entry in made.stale:
        CONSOLE.print(f"an expectation matches nothing: {entry}", markup=False)
    for summary in view.summaries:
        CONSOLE.print(f"{summary.runtime.name}: {summary.words}", markup=False)
    for line in view.status.lines:
        CONSOLE.print(f"red: {line}", markup=False)
    others = [item for item in view.status.runtimes if not item.judged and item.problems]
    for other in others:
        CONSOLE.print(f"not judged: {other.name}: {'; '.join(other.problems)}", markup=False)
    click.echo(f"report: {target / 'index.html'}")


@click.command("repro", epilog=EXIT_STATUSES)
@click.argument("results", metavar="RECORD", type=file_type(exists=True))
@click.argument("case_id", metavar="CASE")
@click.argument("runtime", metavar="RUNTIME")
@options(suites_options, runtime_options)
@click.option(
    "--folder", type=folder_type(), help="Where the case's world is made (default: build/repro/RUNTIME/CASE)."
)
@click.option("--no-run", is_flag=True, help="Only make the world and print the command.")
@click.option(
    "--hold",
    is_flag=True,
    help="Let the case's servers live until Ctrl-C, so that the command can be pasted elsewhere.",
)
@click.pass_obj
def repro_command(
    root: Path,
    results: Path,
    case_id: str,
    runtime: str,
    suites: Path | None,
    fixtures: Path | None,
    programs: tuple[str, ...],
    also: tuple[str, ...],
    folder: Path | None,
    no_run: bool,
    hold: bool,
) -> None:
    """Make the world of one run of a record again in a folder that stays, print its command line, and run it.

    Ends with 0 when every verdict is as in the record, with 1 when one is not.
    """
    old = read_record(results)
    info = next((item for item in old.cases if item.id == case_id), None)
    before = old.result(case_id, runtime)
    if info is None:
        raise Unusable(f"{results.name} has no case {case_id}")
    if before is None:
        there = ", ".join(item.name for item in old.present)
        raise Unusable(f"{results.name} has no result of {case_id} on {runtime}; it has {there}")
    adapters, more = find_adapters(also)
    if runtime not in [adapter.name for adapter in adapters]:
        raise Unusable(f"{runtime} is no runtime that is known here; one of --also has to be named again")
    _, (case, *_) = discover(root, suites, fixtures, Selection((case_id,)))
    if case.id != case_id:
        raise Unusable(f"there is no case {case_id} any more")
    (found,) = search.find(find_places(root, (*programs, *more), adapters), (runtime,), adapters)
    if isinstance(found.peer, Absent):
        raise Unusable(f"{runtime} is absent: {found.peer.reason}")
    for change in record.run_changes(old, record.case_info(case), record.runtime_info(found.peer)):
        click.echo(f"not as in the record: {change}", err=True)
    place = folder or root / "build" / "repro" / runtime / Path(case_id)
    settings = runner.Settings(trace=old.trace, strict=old.strict, jobs=1, timeout_factor=old.timeout_factor)
    try:
        now = repro.again(case, found.adapter, found.peer, find_places(root, (*programs, *more), adapters), place, settings,
                          run=not no_run, hold=hold, say=click.echo)  # fmt: skip
    except (repro.ReproError, OSError) as error:
        raise Unusable(str(error)) from None
    if now is None:
        return
    click.echo(f"ended: {now.observation.outcome}")
    different = repro.different(before, now)
    for unit in now.units:
        if unit.verdict is not Verdict.PASS:
            click.echo(f"  {unit.verdict.value} {unit.id}: {unit.detail}")
    click.echo(f"verdict: {now.verdict.value}; in the record: {before.verdict.value}")
    for line in different:
        click.echo(f"  not as in the record: {line}")
    sys.exit(1 if different else 0)
