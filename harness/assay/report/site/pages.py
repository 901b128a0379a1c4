"""The files of the site: the shell with the matrix as plain HTML, its style and scripts, and the data. Pure.

In: a `Source`. Out: paths and contents, one after the other, so that they need not all be in memory.
The same source makes the same bytes. What is shown first is `FIRST`; everything else is loaded when it is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources

from ...model import Basis, Divergence, templates
from ...record import Record
from ...record.summary import ProgramSummary, ScriptSummary
from ..data import cut
from ..view import View, build
from . import summary
from .case_files import CaseFiles
from .files import content, parts, path, slug, stems
from .history import History, names
from .rows import Rows, string_of_results

MODULES = ("dom", "load", "route", "count", "table", "matrix", "detail", "check", "pages", "main")
"""The parts of site.js in templates/, in their order."""
FIRST = ("index.html", "site.css", "query.js", "site.js", "data/summary.js")
"""The files that the first page needs."""
POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; base-uri 'none'; form-action 'none'"
"""Nothing is loaded but the files of the site: from where it is, and, in a folder, by `file:`."""


@dataclass(frozen=True)
class Source:
    """What the site is made from. `repro` begins the command line that repeats a run."""

    record: Record
    scripts: ScriptSummary | None = None
    programs: ProgramSummary | None = None
    repro: str = "assay repro results.jsonl"
    bases: Mapping[str, Basis] = field(default_factory=dict)
    divergences: Mapping[str, Divergence] = field(default_factory=dict)
    history: History = field(default_factory=History)


def render(source: Source) -> Iterator[tuple[str, bytes]]:
    """Yields the path of each file below the site's folder, and its content."""
    view = build(source.record)
    yield "index.html", _shell(view)
    yield "site.css", _template("site.css").encode()
    yield "query.js", _template("query.js").encode()
    yield "site.js", _script().encode()
    yield ".nojekyll", b""  # GitHub Pages: the files as they are
    for key, value in _data(source, view):
        yield path(key), content(key, value)


def _data(source: Source, view: View) -> Iterator[tuple[str, object]]:
    rows = Rows(view)
    interfaces = [row for package in view.packages for row in package.interfaces]
    stem = stems(row.name for row in interfaces)
    files: dict[str, tuple[str, int]] = {}
    for interface in interfaces:
        objects = rows.objects(interface)
        files[interface.name] = stem[interface.name], len(objects)
        for number, value in enumerate(objects):
            yield f"interface-{stem[interface.name]}-{number}", value
    shown = {case.info.id: case for case in view.cases}
    stem = stems(shown)
    case_files = CaseFiles(view, source.bases, source.divergences, source.history)
    for name, case in shown.items():
        yield f"case-{stem[name]}", case_files.value(case)
    listed = [
        [case.info.id, case.info.title, string_of_results(case.results), int(bool(case.differences))]
        for case in view.cases
    ]
    lists = parts(listed, 200_000) or [[]]
    for number, mine in enumerate(lists):
        yield f"cases-{number}", mine
    yield "versions", summary.versions(view)
    yield "agreement", summary.agreement(view)
    yield "others", summary.others(source.scripts, source.programs)
    runs = source.history.runs
    yield "runs", [[name, run.date, dict(run.versions), run.words] for name, run in zip(names(runs), runs, strict=True)]
    renamed = {name: stem[name] for name in shown if stem[name] != slug(name)}
    first = summary.summary(view, files, renamed, source.history)
    yield "summary", {**first, "repro": source.repro, "lists": len(lists)}


@functools.cache
def _template(name: str) -> str:
    return resources.files("assay").joinpath(f"report/site/templates/{name}").read_text(encoding="utf-8")


def _script() -> str:
    body = "\n".join(_template(f"{name}.js") for name in MODULES)
    return f'(() => {{\n"use strict";\n{body}}})();\n'


def _shell(view: View) -> bytes:
    environment = templates.environment("report/site/templates", html=True)
    environment.filters["cut"] = lambda text, most: cut(str(text), most)
    environment.filters["short"] = lambda name: name.partition("/")[2] or name
    page = environment.get_template("index.html").render(view=view, record=view.record, policy=POLICY)
    return page.encode("utf-8", "backslashreplace")
