"""The report page: one self-contained HTML file from a record, by the template beside. Pure.

Everything that was said is on it up to a limit, and the limit is such that the page stays below `PAGE_LIMIT`: where many runtimes
said much, less is shown of each, with its true size beside it. The record has more.
"""

from __future__ import annotations

import functools
import shlex

import jinja2
from markupsafe import Markup, escape

from ..differ import ran
from ..model import CaseResult, Verdict
from ..record import Record
from ..settle import NORMALISED
from ..testsuite import SuiteReport
from ..wast import WastReport
from .view import SYMBOLS, OutputColumn, View, anchor, build

PAGE_LIMIT = 4_500_000
"""Bytes."""
LINES = 400
STEPS = ((16384, 2000), (8192, 1000), (4096, 600), (2048, 400), (1024, 300), (512, 200), (256, 120), (80, 80), (0, 40), (0, 0))
"""How much is shown of an output and of a detail or value, characters: the first that fits."""


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay", "report/templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["anchor"] = anchor
    environment.filters["shell"] = lambda argv: shlex.join(argv)
    environment.filters["seconds"] = _seconds
    environment.filters["mebibytes"] = lambda kib: f"{kib / 1024:.1f} MiB" if kib else "–"
    environment.filters["short"] = lambda name: name.partition("/")[2] or name
    environment.globals["symbol"] = lambda verdict: SYMBOLS[verdict]
    environment.globals["ran"] = ran
    environment.globals["trace_note"] = _trace_note
    return environment


def render(
    record: Record,
    wast: WastReport | None = None,
    programs: SuiteReport | None = None,
    results: str = "results.jsonl",
    limit: int = PAGE_LIMIT,
) -> str:
    view = build(record)
    text = ""
    for output, detail in STEPS:
        text = _page(view, record, wast, programs, results, output, detail)
        if len(text.encode("utf-8", "surrogatepass")) <= limit:
            break
    return text


def _page(
    view: View,
    record: Record,
    wast: WastReport | None,
    programs: SuiteReport | None,
    results: str,
    output: int,
    detail: int,
) -> str:
    environment = _environment().overlay()
    environment.filters = {**environment.filters, "cut": lambda text, most=2000: _cut(str(text), min(detail, most))}
    environment.filters["evidence"] = lambda text: _cut(str(text), output * 2)
    environments = {result.observation.env for result in record.results if result.observation.env}
    return environment.get_template("page.html").render(
        view=view,
        record=record,
        wast=wast,
        programs=programs,
        Verdict=Verdict,
        normalised=tuple(NORMALISED.items()),
        environment=next(iter(environments)) if len(environments) == 1 else (),
        rows=lambda column: _rows(column, output),
        results_name=results,
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit + 24 else f"{text[:limit]}… ({len(text)} characters)"


def _rows(column: OutputColumn, limit: int) -> Markup:
    """The lines of an output, as many as there is room for."""
    parts: list[Markup] = []
    left, shown = limit, 0
    for row in column.rows[:LINES]:
        if left <= 0:
            break
        words = Markup("")
        for span in row.spans:
            piece, left = span.text[:left], left - len(span.text)
            words += Markup("<mark>{}</mark>").format(piece) if span.marked else escape(piece)
            if left <= 0:
                break
        kind = (" differs" if row.differs else "") + (" gap" if row.gap else "")
        parts.append(Markup('<span class="row{}">{}\n</span>').format(kind, words))
        left -= 1
        shown += 1
    if shown < len(column.rows) or left < 0 or column.cut:
        parts.append(Markup('<span class="row">… ({} bytes in all)\n</span>').format(column.size))
    return Markup("").join(parts)


def _trace_note(results: tuple[CaseResult | None, ...]) -> str:
    """Why there is no trace, when there is none."""
    touchstone = next((result for result in results if result and result.runtime == "touchstone"), None)
    if touchstone is None:
        return "touchstone was not there for this run, so there is no trace of the host calls."
    if touchstone.verdict is Verdict.SKIP:
        return "touchstone did not run this case."
    return "touchstone left no trace for this case."
