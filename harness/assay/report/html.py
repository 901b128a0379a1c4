"""The report page: one self-contained HTML file from a record, by the template beside. Pure."""

from __future__ import annotations

import functools
import shlex

import jinja2

from ..differ import Row, ran
from ..model import CaseResult, Verdict
from ..record import Record
from ..testsuite import SuiteReport
from ..wast import WastReport
from .view import SYMBOLS, anchor, build


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
    environment.filters["quiet"] = _quiet
    environment.globals["symbol"] = lambda verdict: SYMBOLS[verdict]
    environment.globals["ran"] = ran
    environment.globals["trace_note"] = _trace_note
    return environment


def render(record: Record, wast: WastReport | None = None, programs: SuiteReport | None = None) -> str:
    page = _environment().get_template("page.html")
    return page.render(view=build(record), record=record, wast=wast, programs=programs, Verdict=Verdict)


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _quiet(rows: tuple[Row, ...], keep: int = 400) -> tuple[Row, ...]:
    """Rows for the page: very long outputs are cut."""
    return rows[:keep]


def _trace_note(results: tuple[CaseResult | None, ...]) -> str:
    """Why there is no trace, when there is none."""
    touchstone = next((result for result in results if result and result.runtime == "touchstone"), None)
    if touchstone is None:
        return "touchstone was not there for this run, so there is no trace of the host calls."
    if touchstone.verdict is Verdict.SKIP:
        return "touchstone did not run this case."
    return "touchstone left no trace for this case."
