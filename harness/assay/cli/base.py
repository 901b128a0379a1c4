"""What the commands of `assay` share: the terminal, errors, options, and finding files and runtimes."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from rich.console import Console

from .. import record
from ..cases import selection
from ..cases.versions import ALL, VersionError, Wanted
from ..judge import expect
from ..model import Case, Verdict, locations, names
from ..record import summary
from ..runtimes import Adapter, OverrideError, Places, places, registry, variable
from ..runtimes.places import keep_cache
from ..runtimes.registry import RegistryError
from ..suites.cases import Cases
from ..suites.suite import Suite, SuiteError
from .errors import Unusable as Unusable

F = TypeVar("F", bound=Callable[..., Any])
STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.ERROR: "magenta",
    Verdict.TIMEOUT: "yellow",
    Verdict.CRASH: "red bold",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.FLAKY: "magenta bold",
    Verdict.SKIP: "dim",
}
CONSOLE = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 140)
EXIT_STATUSES = """
\b
Exit statuses
  0    green: every result that is judged is as announced (diff: nothing broke or is missing)
  1    red: a result differs from the expectations, nothing passed, or a result or a judged runtime is missing
  2    wrong usage, or files that cannot be used; nothing was run
  130  interrupted (Ctrl-C, SIGTERM): the record says that it is partial
"""


class Positive(click.types.FloatParamType):
    """A finite number above 0."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not math.isfinite(number) or number <= 0:
            self.fail(f"{value} is not a finite number above 0", param, ctx)
        return number


@dataclass(frozen=True)
class Project:
    """The project that the commands work on."""

    root: Path

    @property
    def latest(self) -> Path:
        return locations.latest(self.root)


def find_root(start: Path) -> Path:
    """Returns the project's root: the nearest checkout upwards, or else the data of the installed package."""
    for folder in (start, *start.parents):
        if (folder / "suites").is_dir() and (folder / "harness").is_dir():
            return folder
    if locations.DATA.is_dir():
        return locations.DATA
    here = Path(__file__).resolve().parents[3]
    return here if (here / "suites").is_dir() else start


def refuse_installed(root: Path, given: Path | None, option: str) -> None:
    """Refuses to rewrite the expectations that an installed package brings. `given` is where else they are."""
    if given is None and locations.installed(root):
        raise Unusable(f"the expectations of the installed package are not rewritten: give {option}")


def folder_type(*, exists: bool = False) -> click.Path:
    """Returns the type of a folder. Its path is made absolute, because runs have another working
    directory."""
    return click.Path(file_okay=False, exists=exists, resolve_path=True, path_type=Path)


def file_type(*, exists: bool = False) -> click.Path:
    return click.Path(dir_okay=False, exists=exists, resolve_path=True, path_type=Path)


def options(*made: Callable[[F], F]) -> Callable[[F], F]:
    """Combines several options into one decorator, in their order."""

    def decorate(function: F) -> F:
        return functools.reduce(lambda done, option: option(done), reversed(made), function)

    return decorate


jobs_option = click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 64),
    default=min(os.cpu_count() or 1, 4),
    show_default=True,
    help="How many runs may use the CPU at once. More go on beside those that only wait.",
)


@dataclass(frozen=True)
class Asked:
    """The runtimes that a command line describes besides the known ones, and where they are."""

    programs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()


smoke_option = click.option(
    "--smoke/--no-smoke", "try_them", default=True, help="First try what each runtime declares; refuse one that fails."
)


def runtime_options(function: F) -> F:
    """The options that describe runtimes. The command gets them as one `asked`."""

    @functools.wraps(function)
    def call(
        *args: Any, programs: tuple[str, ...], also: tuple[str, ...], folders: tuple[Path, ...], **others: Any
    ) -> Any:
        return function(*args, asked=Asked(programs, also, folders), **others)

    made = (
        click.option(
            "--program",
            "programs",
            multiple=True,
            metavar="RUNTIME[@VERSION]=PROGRAM",
            help="The program of a runtime with its arguments, split as in a shell (jco: its package folder). "
            "With @VERSION, it is one more column beside the runtime itself.",
        ),
        click.option(
            "--also",
            multiple=True,
            metavar="NAME=RUNTIME:PROGRAM",
            help="One more runtime, with the command line of a known one.",
        ),
        click.option(
            "--runtimes",
            "folders",
            multiple=True,
            type=folder_type(exists=True),
            help="A folder with more runtimes, a Python module or a TOML file each (repeatable).",
        ),
    )
    return cast("F", options(*made)(call))


resume_options = options(
    click.option("--resume", is_flag=True, help="Continue an interrupted run: only the missing results are run."),
    click.option(
        "--rerun-changed",
        is_flag=True,
        help="With --resume: run again what has changed since (otherwise it is refused).",
    ),
)
MOST_RETRIES = 20


@dataclass(frozen=True)
class Retry:
    """How often an unexpected result is run again at most, and whether what is flaky leaves the run green."""

    times: int = 0
    allow_flaky: bool = False


def retry_options(function: F) -> F:
    """The options about flaky results. The command gets them as one `retry`."""

    @functools.wraps(function)
    def call(*args: Any, times: int, allow_flaky: bool, **others: Any) -> Any:
        return function(*args, retry=Retry(times, allow_flaky), **others)

    made = (
        click.option(
            "--retry-unexpected",
            "times",
            type=click.IntRange(0, MOST_RETRIES),
            metavar="N",
            default=0,
            help="Run each unexpected result again, up to N times. What differs then is flaky, and never passes.",
        ),
        click.option("--allow-flaky", is_flag=True, help="A flaky result leaves the run green."),
    )
    return cast("F", options(*made)(call))


only_option = click.option("--runtime", "-r", "runtimes", multiple=True, help="Only this runtime (repeatable).")
suites_options = options(
    click.option("--suites", type=folder_type(exists=True), help="Folder of cases (default: suites/)."),
    click.option("--fixtures", type=folder_type(exists=True), help="Folder of fixtures (default: fixtures/)."),
)
selection_options = options(
    click.option(
        "--interface",
        "interfaces",
        multiple=True,
        help="Only cases about this interface or package; * matches anything.",
    ),
    click.option(
        "--function", "functions", multiple=True, help="Only cases with a check of a function whose name contains this."
    ),
    click.option(
        "--requirement",
        "requirements",
        multiple=True,
        help="Only cases with this check; a prefix up to a dot, or a pattern with *.",
    ),
    click.option(
        "--verdict",
        "verdicts",
        multiple=True,
        type=click.Choice(selection.VERDICTS, case_sensitive=False),
        help="Only cases that had this verdict in an earlier record.",
    ),
    click.option("--from", "earlier", type=file_type(), help="That record (default: reports/latest/results.jsonl)."),
)


versions_option = click.option(
    "--versions",
    multiple=True,
    metavar="[RUNTIME=]all|sample|none",
    help="Which variants against other versions are run: all (the default), a small sample in which each version and "
    "interface occurs, or none. RUNTIME=… is for that runtime only (repeatable).",
)


@dataclass(frozen=True)
class Choice:
    """The cases that a command line asks for, and where they are."""

    selection: selection.Selection
    earlier: Path | None
    suites: Path | None
    fixtures: Path | None
    versions: Wanted


def choice_options(function: F) -> F:
    """The argument and options that choose cases. The command gets them as one `choice`."""

    @functools.wraps(function)
    def call(
        *args: Any,
        patterns: tuple[str, ...],
        interfaces: tuple[str, ...],
        functions: tuple[str, ...],
        requirements: tuple[str, ...],
        verdicts: tuple[str, ...],
        earlier: Path | None,
        suites: Path | None,
        fixtures: Path | None,
        versions: tuple[str, ...],
        **others: Any,
    ) -> Any:
        try:
            wanted = Wanted.parse(versions)
        except VersionError as error:
            raise Unusable(f"--versions {error}") from None
        # releases of click before 8.2 take no default for arguments
        patterns = patterns or tuple(click.get_current_context().lookup_default("patterns") or ())
        selected = selection.Selection(patterns, interfaces, functions, requirements, verdicts)
        return function(*args, choice=Choice(selected, earlier, suites, fixtures, wanted), **others)

    made = (click.argument("patterns", nargs=-1), selection_options, suites_options, versions_option)
    return cast("F", options(*made)(call))


def named(**values: Sequence[str]) -> bool:
    """Returns whether the command line gives one of these parameters another value than the configuration does."""
    context = click.get_current_context()
    return any(value and tuple(value) != tuple(context.lookup_default(name) or ()) for name, value in values.items())


def warn_of_variables() -> None:
    """Warns of misspelt variables, which would silently have no effect."""
    ours = sorted(name for name in os.environ if name.startswith("ASSAY_"))
    if not ours:
        return  # the runtimes need not be known
    read = (*(variable(adapter.name) for adapter in registry.known()), "ASSAY_WASM_TOOLS", "ASSAY_RUNTIMES_HOME", "ASSAY_CACHE")
    for name in ours:
        if name not in read:
            near = names.near(name, read)
            click.echo(f"{name} is not a variable that assay reads{near}", err=True)


def find_adapters(root: Path, asked: Asked, names: Iterable[str] = ()) -> tuple[tuple[Adapter, ...], Places]:
    """Returns the adapters of all runtimes, also of each `NAME@VERSION` in `names`, and where they are."""
    try:
        adapters = registry.with_folders(asked.folders)
        programs = list(asked.programs)
        for item in asked.also:
            adapter, program = _also(item, adapters)
            adapters = (*adapters, adapter)
            programs.append(program)
        adapters = registry.tagged(adapters, (*(item.partition("=")[0] for item in programs), *names))
        folders = [adapter.name for adapter in adapters if adapter.about.folder]
        found = places(root, programs, os.environ, [adapter.name for adapter in adapters], folders)
    except (RegistryError, OverrideError) as error:
        raise Unusable(str(error)) from None
    keep_cache(found.cache)
    return adapters, found


def _also(item: str, adapters: Sequence[Adapter]) -> tuple[Adapter, str]:
    """Returns the adapter of `NAME=RUNTIME:PROGRAM`, and `NAME=PROGRAM`."""
    name, equals, rest = item.partition("=")
    like, colon, program = rest.partition(":")
    base = next((adapter for adapter in adapters if adapter.name == like), None)
    if not equals or not colon or not program or base is None:
        there = ", ".join(adapter.name for adapter in adapters)
        raise Unusable(f"--also {item}: write NAME=RUNTIME:PROGRAM, RUNTIME one of {there}")
    if not registry.NAME.fullmatch(name) or name in [adapter.name for adapter in adapters]:
        raise Unusable(
            f"--also {item}: {name!r} is not a name for one more runtime (a-z, 0-9, - and ., and not a known one)"
        )
    return registry.renamed(base, name), f"{name}={program}"


def likes_of(adapters: Iterable[Adapter]) -> dict[str, str]:
    """Returns the runtime that each one is like, where it is like another one."""
    return {adapter.name: adapter.about.like for adapter in adapters if adapter.about.like}


def case_suite(
    root: Path,
    suites: Path | None,
    fixtures: Path | None,
    places: Places,
    adapters: Sequence[Adapter] = (),
    expectations: Path | None = None,
    versions: Wanted = ALL,
    guests: Path | None = None,
) -> Cases:
    """Returns the suite of cases in the folders of the command line, or else of the project."""
    folder = suites or root / "suites"
    expected = expectations or folder / "expectations"
    names = [adapter.name for adapter in adapters]
    return Cases(folder, fixtures or root / "fixtures", expected, places, names, versions, likes_of(adapters), guests)


def chosen(
    root: Path, suite: Suite, wanted: selection.Selection, earlier: Path | None = None, runtimes: Sequence[str] = ()
) -> tuple[Case, ...]:
    """Returns the cases that the command line asks for."""
    had: frozenset[str] = frozenset()
    try:
        every = suite.discover()
        if wanted.verdicts:
            old = read_record(earlier or Project(root).latest / "results.jsonl")
            had = record.with_verdict(old, wanted.verdicts, runtimes)
        return selection.select(every, wanted, root, had)
    except (SuiteError, selection.SelectionError) as error:
        raise Unusable(str(error)) from None


def without_left_out(suite: Cases, cases: Sequence[Case], runtimes: Sequence[str]) -> tuple[Case, ...]:
    """Returns the cases without the variants that --versions leaves out on each of the runtimes."""
    nowhere = frozenset[str].intersection(*(suite.left_out(name) for name in runtimes)) if runtimes else frozenset()
    left = tuple(case for case in cases if case.id not in nowhere)
    if cases and not left:
        raise Unusable("--versions leaves out every case that is chosen; --versions all runs them")
    return left


def warn_of_strangers(folder: Path, adapters: Sequence[Adapter]) -> None:
    """Warns of files of expectations that belong to no runtime, which would silently have no effect."""
    for name in expect.strangers(folder, {adapter.name for adapter in adapters}):
        click.echo(f"{folder / name} belongs to no known runtime, so it announces nothing", err=True)


def read_record(path: Path) -> record.Record:
    try:
        return record.read(path)
    except record.RecordError as error:
        for read, command in ((summary.old_scripts, "wast"), (summary.old_programs, "testsuite")):
            if read(path) is not None:
                raise Unusable(
                    f"{path} has counts only, no results: `assay {command}` of this version writes a record"
                ) from None
        raise Unusable(str(error)) from None
