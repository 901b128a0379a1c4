"""`assay explain` and `assay why`: what a requirement is, and why a result is red.

In: the id of a check or the name of a function; a record, a case, a runtime. Out: lines on the terminal.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from ..cases import requirements
from ..explain import known, requirement, why
from ..explain.why import Row
from ..judge.expect import ExpectationError
from ..model import locations, original
from ..model.words import plural
from ..record import Record
from ..runtimes import Places
from ..suites.suite import SuiteError
from .base import CONSOLE, STYLES, Project, Unusable, case_suite, file_type, options, read_record, suites_options
from .histories import Place, history_options, record_of

MOST = 60
"""The most requirements that are listed."""


@click.command("explain")
@click.argument("name", metavar="CHECK")
@click.option("--record", "results", type=file_type(), help="Default: reports/latest/results.jsonl, if it exists.")
@options(suites_options)
@click.pass_obj
def explain_command(root: Path, name: str, results: Path | None, suites: Path | None, fixtures: Path | None) -> None:
    """Explain a requirement: its text, how it is tested, who fails it, and what a record has of it.

    CHECK is the id of a requirement, its beginning or a part of it, or a function (descriptor.open-at); where
    it means several requirements, they are listed."""
    sources = _sources(root, suites, fixtures, results)
    asked = requirement.find(sources, name)
    if not asked.checks:
        hint = f"; did you mean {' or '.join(asked.similar)}?" if asked.similar else ""
        raise Unusable(f"no requirement and no function is called {name}{hint} (`assay list --checks` prints all)")
    if len(asked.checks) == 1:
        show(requirement.explain(sources, asked.checks[0], root))
        return
    show(requirement.listing(sources, asked.checks[:MOST]))
    more = f"; the first {MOST} are shown" if len(asked.checks) > MOST else ""
    click.echo(f"{len(asked.checks)} requirements{more}. `assay explain ID` explains one.")


def _sources(root: Path, suites: Path | None, fixtures: Path | None, results: Path | None) -> requirement.Sources:
    folder = suites or root / "suites"
    suite = case_suite(root, suites, fixtures, Places(root, locations.prepared()))
    latest = Project(root).latest / "results.jsonl"
    path = results or (latest if latest.is_file() else None)
    try:
        every = suite.discover()
        announced = known.announced(folder / "expectations")
    except (SuiteError, ExpectationError) as error:
        raise Unusable(str(error)) from None
    shown = path.relative_to(root) if path is not None and path.is_relative_to(root) else path
    return requirement.Sources(
        tuple(case for case in every if original(case.id) == case.id),
        (fixtures or root / "fixtures") / "src",
        Counter(original(case.id) for case in every if original(case.id) != case.id),
        requirements.requirements(folder),
        requirements.bases(folder),
        requirements.places(folder),
        announced,
        known.divergences(folder),
        read_record(path) if path is not None else None,
        str(shown),
    )


@click.command("why")
@click.argument("name", metavar="RECORD")
@click.argument("case", required=False)
@click.argument("runtime", required=False)
@options(history_options)
@click.pass_obj
def why_command(root: Path, name: str, case: str | None, runtime: str | None, place: Place) -> None:
    """Say in about ten lines why the result of CASE on RUNTIME is red: what failed first, what was expected and
    seen, what others do, what is known, and how to repeat it.

    RECORD is a file, or a run of the history (history:latest). CASE is an id or a part that only one id has.
    Without CASE, all unexpected results, a line each; CASE may then be a runtime: only those of it."""
    _, made = record_of(name, lambda: place.open(root))
    names = [item.name for item in made.runtimes]
    if case is None or (runtime is None and case in names):
        _surprises(made, (case,) if case is not None else (), name)
        return
    if runtime is None:
        raise Unusable(f"which runtime? write `assay why {name} {case} RUNTIME`, RUNTIME one of {', '.join(names)}")
    try:
        result = why.pick(made, case, runtime)
    except why.WhyError as error:
        raise Unusable(f"{name}: {error}") from None
    show(why.why(made, result, known.divergences(root / "suites"), name))


def _surprises(made: Record, runtimes: Sequence[str], name: str) -> None:
    found = why.surprises(made, runtimes)
    for result, unit in found:
        CONSOLE.print(Text(unit.verdict.value, STYLES[unit.verdict]), end=" ")
        announced = f" (announced: {'/'.join(item.value for item in unit.expected.statuses)})" if unit.expected else ""
        words = why.cut(unit.detail, 200)
        CONSOLE.print(f"{result.case} {result.runtime} {unit.id}{announced}{f': {words}' if words else ''}", markup=False)
    if not found:
        on = f" on {', '.join(runtimes)}" if runtimes else ""
        click.echo(f"no unexpected result{on}: every result is as announced")
        return
    many = plural(len(found), "unexpected result")
    click.echo(f"{many}. `assay why {name} CASE RUNTIME` says why.")


def show(rows: Sequence[Row]) -> None:
    """Prints rows as two columns. A terminal gets lines that are folded where it ends, a pipe one line for each row."""
    width = max(len(row.label) for row in rows) + 2
    room = max(CONSOLE.width - width, 30) if CONSOLE.is_terminal else 0
    for row in rows:
        lines = textwrap.wrap(row.words, room, break_on_hyphens=False) if room else [row.words]
        for number, line in enumerate(lines or [""]):
            label = Text((row.label if number == 0 else "").ljust(width), "bold" if row.label else "")
            CONSOLE.print(Text.assemble(label, line), soft_wrap=True)
