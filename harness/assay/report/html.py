"""The report page: one self-contained HTML file, made from a record by the template beside. Pure.

The template makes what is seen at once. The script of the page makes the rest when it is opened, from the data
that data.py describes. Every output is shown up to a limit, which is such that the page stays below `PAGE_LIMIT`.
Where many runtimes printed much, it shows less of each, with the true size. The record has more.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

import jinja2
from markupsafe import Markup

from ..model import Basis, Verdict, templates
from ..record import Record
from ..record.settle import NORMALISED
from ..record.summary import ProgramSummary, ScriptSummary
from .case import anchor
from .data import SURPRISES, Data, cut, script
from .same import Same
from .view import SYMBOLS, View, build

PAGE_LIMIT = 2_400_000
"""Bytes."""
STEPS = (
    (65536, 2000), (32768, 1000), (16384, 1000), (8192, 600), (4096, 600), (2048, 400), (1024, 400), (512, 300), (0, 300), (0, 120), (0, 60), (0, 0)
)  # fmt: skip
"""Characters shown of an output on all runtimes together, and of a detail or value. The first pair that fits
is used."""
DATA = '<script id="data" type="application/json">'
"""After this, the page has its data."""


@functools.cache
def _environment() -> jinja2.Environment:
    environment = templates.environment("report/templates", html=True)
    environment.filters["anchor"] = anchor
    environment.filters["seconds"] = _seconds
    environment.filters["mebibytes"] = lambda kib: f"{kib / 1024:.1f} MiB" if kib else "–"
    environment.filters["short"] = lambda name: name.partition("/")[2] or name
    environment.globals["symbol"] = lambda verdict: SYMBOLS[verdict]
    environment.filters["cut"] = lambda text, most=2000: cut(str(text), most)
    return environment


def render(
    record: Record,
    wast: ScriptSummary | None = None,
    programs: ProgramSummary | None = None,
    repro: str = "assay repro results.jsonl",
    bases: Mapping[str, Basis] = MappingProxyType({}),
    limit: int = PAGE_LIMIT,
) -> str:
    view = build(record)
    before, mark, after = _page(view, record, wast, programs).partition(DATA)
    room = limit - _size(before + mark + after)
    same = Same(view)
    reference = next((runtime.name for runtime in record.runtimes if runtime.reference), "")

    def data(output: int, detail: int) -> str:
        return script({"repro": repro, "reference": reference, **Data(view, bases, output, detail, same).make()})

    outputs = [sum(len(column.text) for column in block.columns) for case in view.cases for block in case.outputs]
    traces = [len(case.trace[1]) for case in view.cases if case.trace]
    text, bare = "", functools.cache(lambda detail: _size(data(0, detail)))
    for output, detail in STEPS:
        # An output adds its text, and a mark to each of its lines.
        if output and bare(detail) + _sum(outputs, output) + _sum(traces, output // 2) > room:
            continue
        text = data(output, detail)
        if _size(text) <= room:
            break
    return before + mark + text + after


def _sum(sizes: list[int], limit: int) -> int:
    return sum(min(size, limit) for size in sizes)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _page(view: View, record: Record, wast: ScriptSummary | None, programs: ProgramSummary | None) -> str:
    """Returns the page without its data."""
    environments = {result.observation.env for result in record.results if result.observation.env}
    return (
        _environment()
        .get_template("page.html")
        .render(
            view=view,
            record=record,
            wast=wast,
            programs=programs,
            Verdict=Verdict,
            normalised=tuple(NORMALISED.items()),
            environment=next(iter(environments)) if len(environments) == 1 else (),
            data=Markup(DATA),
            most=SURPRISES,
        )
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
