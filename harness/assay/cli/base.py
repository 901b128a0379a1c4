"""What the commands of `assay` share: the terminal, what is refused, options, and what they look for."""

from __future__ import annotations

import functools
import math
import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from .. import cases, record, report
from ..cases import selection
from ..judge import expect
from ..model import Case, Verdict, names
from ..runtimes import ADAPTERS, ALIKE, Adapter, OverrideError, Places, places
from ..runtimes.base import variable
from ..suites import programs as testsuite
from ..suites import scripts as wast

F = TypeVar("F", bound=Callable[..., Any])
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
VARIABLES = (*(variable(adapter.name) for adapter in ADAPTERS), "ASSAY_WASM_TOOLS")
EXIT_STATUSES = """
\b
Exit statuses
  0    green: everything that is judged is as announced (compare: nothing broke or vanished)
  1    red: something is not as announced, nothing passed, or a result or a judged runtime is missing
  2    wrong usage, or files that cannot be used; nothing was run
  130  interrupted (Ctrl-C, SIGTERM): the record is there, marked as partial
"""


class Unusable(click.ClickException):
    """Something given cannot be used."""

    exit_code = 2


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
    """What the commands work on."""

    root: Path

    @property
    def latest(self) -> Path:
        return self.root / "reports" / "latest"


def find_root(start: Path) -> Path:
    """The project's root: the nearest folder upwards that has suites/ and harness/."""
    for folder in (start, *start.parents):
        if (folder / "suites").is_dir() and (folder / "harness").is_dir():
            return folder
    here = Path(__file__).resolve().parents[3]
    return here if (here / "suites").is_dir() else start


def folder_type(*, exists: bool = False) -> click.Path:
    """A folder as an absolute path: the processes of a run have a working directory of their own."""
    return click.Path(file_okay=False, exists=exists, resolve_path=True, path_type=Path)


def file_type(*, exists: bool = False) -> click.Path:
    return click.Path(dir_okay=False, exists=exists, resolve_path=True, path_type=Path)


def options(*made: Callable[[F], F]) -> Callable[[F], F]:
    """Several options as one decorator, in the order that they are listed in."""

    def decorate(function: F) -> F:
        return functools.reduce(lambda done, option: option(done), reversed(made), function)

    return decorate


jobs_option = click.option(
    "--jobs", "-j", type=click.IntRange(1, 64), default=min(os.cpu_count() or 1, 4), show_default=True
)
runtime_options = options(
    click.option(
        "--program",
        "programs",
        multiple=True,
        metavar="RUNTIME=PROGRAM",
        help="Where a runtime is, and arguments of its own, as a shell splits them (jco: its package folder).",
    ),
    click.option(
        "--also",
        multiple=True,
        metavar=f"NAME={'|'.join(ALIKE)}:PROGRAM",
        help="One more runtime, that speaks the command line of a known one.",
    ),
)
only_option = click.option("--runtime", "-r", "runtimes", multiple=True, help="Only this runtime (repeatable).")
suites_options = options(
    click.option("--suites", type=folder_type(exists=True), help="Folder of cases (default: suites/)."),
    click.option("--fixtures", type=folder_type(exists=True), help="Folder of fixtures (default: fixtures/)."),
)
selection_options = options(
    click.option(
        "--interface", "interfaces", multiple=True, help="Only cases about this interface or package; * is anything."
    ),
    click.option(
        "--function", "functions", multiple=True, help="Only cases with a check of a function whose name contains this."
    ),
    click.option(
        "--requirement", "requirements", multiple=True, help="Only cases with this check; a prefix up to a dot, or *."
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


def warn_of_variables() -> None:
    """A misspelt variable would be silently without effect."""
    for name in sorted(os.environ):
        if name.startswith("ASSAY_") and name not in VARIABLES:
            near = names.near(name, VARIABLES)
            click.echo(f"{name} is no variable that assay reads{near}", err=True)


def find_adapters(also: Sequence[str]) -> tuple[tuple[Adapter, ...], tuple[str, ...]]:
    """The known runtimes and those that speak like one; the programs of the latter as `NAME=PROGRAM`."""
    found: list[Adapter] = list(ADAPTERS)
    programs = []
    for item in also:
        name, equals, rest = item.partition("=")
        like, colon, program = rest.partition(":")
        if not equals or not colon or not program or like not in ALIKE:
            raise Unusable(f"--also {item}: write NAME=LIKE:PROGRAM, LIKE one of {', '.join(ALIKE)}")
        if not re.fullmatch(r"[a-z][a-z0-9.-]*", name) or name in [adapter.name for adapter in found]:
            raise Unusable(
                f"--also {item}: {name!r} is no name for one more runtime (a-z, 0-9, - and ., not one that is known)"
            )
        found.append(ALIKE[like](name))
        programs.append(f"{name}={program}")
    return tuple(found), tuple(programs)


def find_places(root: Path, programs: Sequence[str], adapters: Sequence[Adapter] = ADAPTERS) -> Places:
    try:
        return places(root, programs, os.environ, [adapter.name for adapter in adapters])
    except OverrideError as error:
        raise Unusable(str(error)) from None


def discover(
    root: Path, suites: Path | None, fixtures: Path | None, wanted: selection.Selection, earlier: Path | None = None,
    runtimes: Sequence[str] = (),
) -> tuple[tuple[Case, ...], tuple[Case, ...]]:  # fmt: skip
    """All cases, and those wanted."""
    try:
        every = cases.discover(suites or root / "suites", fixtures or root / "fixtures")
        had: frozenset[str] = frozenset()
        if wanted.verdicts:
            old = read_record(earlier or Project(root).latest / "results.jsonl")
            had = record.with_verdict(old, wanted.verdicts, runtimes)
        found = selection.select(every, wanted, root, had)
    except (cases.CaseError, selection.SelectionError) as error:
        raise Unusable(str(error)) from None
    if not every:
        raise Unusable(f"there is no case in {suites or root / 'suites'}")
    return every, found


def load_expectations(folder: Path, adapters: Sequence[Adapter]) -> dict[str, tuple[expect.Entry, ...]]:
    try:
        found = {adapter.name: expect.load(folder / f"{adapter.name}.toml") for adapter in adapters}
    except expect.ExpectationError as error:
        raise Unusable(str(error)) from None
    for name in expect.strangers(folder, {adapter.name for adapter in (*ADAPTERS, *adapters)}):
        click.echo(f"{folder / name} is of no runtime that is known, so it announces nothing", err=True)
    return found


def read_record(path: Path) -> record.Record:
    try:
        return record.read(path)
    except record.RecordError as error:
        raise Unusable(str(error)) from None


def write_reports(made: record.Record, target: Path, results: Path, root: Path) -> None:
    """The page, JUnit and Markdown beside the summaries of the scripts and programs. The page's lines for a shell are to be used
    in the project's root."""
    command = ".venv/bin/assay" if (root / ".venv/bin/assay").is_file() else "assay"
    inside = results.relative_to(root) if results.is_relative_to(root) else results
    repro = f"{command} repro {shlex.quote(str(inside))}"
    scripts, programs = wast.read(target / "wast.json"), testsuite.read(target / "testsuite.json")
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / "index.html").write_text(report.html(made, scripts, programs, repro), encoding="utf-8")
        (target / "junit.xml").write_text(report.junit(made), encoding="utf-8")
        (target / "report.md").write_text(report.markdown(made, programs), encoding="utf-8")
    except OSError as error:
        raise Unusable(f"the reports cannot be written: {error}") from None
