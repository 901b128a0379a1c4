"""The views of a record: their names, and writing them. `assay report --format` and every run use this.

In: a record and where it is. Out: files, or text on the standard output.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from .. import report
from ..cases import requirements
from ..model import Kind
from ..record import Record, summary
from ..report.view import build
from .base import Unusable, read_record
from .beside import beside


@dataclass(frozen=True)
class Place:
    """A record, its file, the folder of its reports, and the project's root. `scripts` returns the counts of the
    scripts, where they are being read beside."""

    record: Record
    path: Path
    target: Path
    root: Path
    scripts: Callable[[], summary.ScriptSummary | None] | None = None


@dataclass(frozen=True)
class Format:
    """A view. `make` returns the text of a file, or the files of a folder by their names."""

    file: str
    about: str
    make: Callable[[Place], str | Mapping[str, str]]


def _html(place: Place) -> str:
    """The page of the cases also has the counts of the scripts and programs in the same folder. Its lines for a shell
    are to be used in the project's root."""
    made, root = place.record, place.root
    scripts = place.scripts() if place.scripts is not None else _scripts(place)
    bases = requirements.bases(root / "suites") if made.suite.kind is Kind.CASE else {}
    return report.html(made, scripts, _programs(place), repro_line(place.path, root), bases)


def _scripts(place: Place) -> summary.ScriptSummary | None:
    made = place.record
    return summary.scripts(made) if made.suite.kind is Kind.SCRIPT else read_scripts(place.target)


def _programs(place: Place) -> summary.ProgramSummary | None:
    made = place.record
    return summary.programs(made) if made.suite.kind is Kind.PROGRAM else read_programs(place.target)


FORMATS: dict[str, Format] = {
    "html": Format("index.html", "the page, in one file", _html),
    "junit": Format("junit.xml", "JUnit XML, for CI servers", lambda place: report.junit(place.record)),
    "markdown": Format(
        "report.md", "Markdown with all tables", lambda place: report.markdown(place.record, _programs(place))
    ),
    "pr-comment": Format(
        "comment.md",
        "short Markdown with a hidden marker, at most 65,536 characters",
        lambda place: report.comment(place.record),
    ),
    "tap": Format("report.tap", "the Test Anything Protocol, version 14", lambda place: report.tap(place.record)),
    "ctrf": Format("ctrf.json", "the Common Test Report Format", lambda place: report.ctrf(place.record)),
    "earl": Format(
        "earl.jsonld",
        "EARL 1.0 assertions, as JSON-LD",
        lambda place: report.earl(place.record, requirements.links(place.root)),
    ),
    "badges": Format(
        "badges", "a folder: SVG, and JSON for shields.io endpoints", lambda place: report.badges(place.record)
    ),
}
REPORTS = ("html", "junit", "markdown")
"""The views that every run writes."""


class FormatType(click.types.ParamType[tuple[str, str]]):
    """NAME or NAME=FILE."""

    name = "NAME[=FILE]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, file = str(value).partition("=")
        if name == "list" and not equals:
            return name, ""
        if name not in FORMATS:
            self.fail(f"{name!r} is not a format: {', '.join(FORMATS)} (`--format list` explains them)", param, ctx)
        if equals and not file:
            self.fail(f"{value!r}: there is no file after the =", param, ctx)
        if name == "badges" and file == "-":
            self.fail("badges are a folder, which the standard output cannot hold", param, ctx)
        return name, file


def list_formats() -> None:
    """Prints the formats, each with the file that it goes to by default."""
    for name, item in FORMATS.items():
        click.echo(f"{name:12}{item.file:14}{item.about}{' (written by default)' if name in REPORTS else ''}")


def write_formats(place: Place, asked: Sequence[tuple[str, str]]) -> None:
    """Writes the views that were asked for, by name and file. A file of `-` is the standard output; an empty one is
    that of the format, in the folder of the reports."""
    for name, file in asked:
        made = FORMATS[name].make(place)
        if file == "-":
            click.echo(made if isinstance(made, str) else "".join(made.values()), nl=False)
            continue
        target = Path(file).absolute() if file else place.target / _file(place.record, place.path, name)
        _write(target, made)
        click.echo(f"{name}: {target}", err=any(other == "-" for _, other in asked))


def write_reports(made: Record, target: Path, results: Path, root: Path) -> Path:
    """Writes the page, JUnit and Markdown. Returns the page. The counts of the scripts and JUnit, which share nothing
    with the others, are made beside."""
    place = Place(made, results, target, root)

    def write(name: str, place: Place = place) -> None:
        _write(target / _file(made, results, name), FORMATS[name].make(place))

    with beside(partial(_scripts, place), partial(write, "junit")) as (scripts, junit):
        build(made)  # which all but JUnit need, while the other process reads
        for name in REPORTS:
            if name != "junit":
                write(name, replace(place, scripts=scripts.result))
        junit.result()
    return target / _file(made, results, "html")


def _file(made: Record, results: Path, name: str) -> str:
    """Returns the name of a file. The reports of scripts and programs are named after their record."""
    plain = FORMATS[name].file
    if made.suite.kind is Kind.CASE:
        return plain
    return {"html": f"{results.stem}.html", "markdown": f"{results.stem}.md"}.get(name, f"{results.stem}.{plain}")


def _write(target: Path, made: str | Mapping[str, str]) -> None:
    files = {target: made} if isinstance(made, str) else {target / name: text for name, text in made.items()}
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise Unusable(f"the reports cannot be written: {error}") from None


def repro_line(results: Path, root: Path) -> str:
    """Returns the beginning of the command line that repeats a run of a record, for the project's root."""
    command = ".venv/bin/assay" if (root / ".venv/bin/assay").is_file() else "assay"
    inside = results.relative_to(root) if results.is_relative_to(root) else results
    return f"{command} repro {shlex.quote(str(inside))}"


def read_scripts(folder: Path) -> summary.ScriptSummary | None:
    """Returns the counts of the scripts in a folder, also from a file of the old format."""
    path = folder / "wast.jsonl"
    return summary.scripts(read_record(path)) if path.is_file() else summary.old_scripts(folder / "wast.json")


def read_programs(folder: Path) -> summary.ProgramSummary | None:
    """Returns the counts of the programs in a folder, also from a file of the old format."""
    path = folder / "testsuite.jsonl"
    return summary.programs(read_record(path)) if path.is_file() else summary.old_programs(folder / "testsuite.json")
