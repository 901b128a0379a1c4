"""The report page: one self-contained HTML file, made from a record by the template beside. Pure.

It shows every output up to a limit, which is such that the page stays below `PAGE_LIMIT`. Where many runtimes
printed much, it shows less of each, with the true size. The record has more.
"""

from __future__ import annotations

import functools
import shlex

import jinja2
from markupsafe import Markup, escape

from ..model import CaseResult, Verdict
from ..record import Record
from ..record.differ import align, ran
from ..record.settle import NORMALISED
from ..record.summary import ProgramSummary, ScriptSummary
from .view import SYMBOLS, OutputBlock, View, anchor, build

PAGE_LIMIT = 4_500_000
"""Bytes."""
LINES = 400
STEPS = (
    (65536, 2000), (32768, 1000), (16384, 600), (8192, 400), (4096, 300), (2048, 200), (1024, 120), (512, 80), (0, 60), (0, 40), (0, 0)
)  # fmt: skip
"""Characters shown of an output on all runtimes together, and of a detail or value. The first pair that fits
is used."""
NARROW = 300
"""An output with less room than this gets no column."""


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
    return environment


def render(
    record: Record,
    wast: ScriptSummary | None = None,
    programs: ProgramSummary | None = None,
    repro: str = "assay repro results.jsonl",
    limit: int = PAGE_LIMIT,
) -> str:
    view = build(record)
    outputs = [sum(len(column.text) for column in block.columns) for case in view.cases for block in case.outputs]
    traces = [len(case.trace[1]) for case in view.cases if case.trace]
    text, bare = "", 0
    for output, detail in STEPS:
        # The size without outputs is known. An output adds its text, and marks around its lines.
        if bare + 1.2 * (_sum(outputs, output) + _sum(traces, output // 2)) > limit and output:
            bare = bare or len(_page(view, record, wast, programs, repro, 0, detail).encode("utf-8", "surrogatepass"))
            continue
        text = _page(view, record, wast, programs, repro, output, detail)
        if len(text.encode("utf-8", "surrogatepass")) <= limit:
            break
    return text


def _sum(sizes: list[int], limit: int) -> int:
    return sum(min(size, limit) for size in sizes)


def _page(
    view: View,
    record: Record,
    wast: ScriptSummary | None,
    programs: ProgramSummary | None,
    repro: str,
    output: int,
    detail: int,
) -> str:
    environment = _environment().overlay()
    environment.filters = {**environment.filters, "cut": lambda text, most=2000: _cut(str(text), min(detail, most))}
    environment.filters["evidence"] = lambda text: _cut(str(text), output // 2)
    environments = {result.observation.env for result in record.results if result.observation.env}
    return environment.get_template("page.html").render(
        view=view,
        record=record,
        wast=wast,
        programs=programs,
        Verdict=Verdict,
        normalised=tuple(NORMALISED.items()),
        environment=next(iter(environments)) if len(environments) == 1 else (),
        sides=lambda block: _sides(block, output),
        repro=repro,
        detail=detail,
        trace_note=lambda results: _trace_note(record, results),
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit + 24 else f"{text[:limit]}… ({len(text)} characters)"


def _sides(block: OutputBlock, room: int) -> Markup:
    """Shows outputs side by side, as many and as much of each as there is room for, with marks on what
    differs."""
    shown = block.columns[: room // NARROW]
    limit = room // max(1, len(shown))
    texts = [column.text[:limit] for column in shown]
    aligned = align(texts, fine=len(texts) <= 4)
    parts: list[Markup] = []
    for index, (column, text, rows) in enumerate(zip(shown, texts, aligned, strict=True)):
        lines = [
            Markup('<span class="row{}{}">{}\n</span>').format(
                " differs" if row.differs else "",
                " gap" if row.gap else "",
                Markup("").join(
                    Markup("<mark>{}</mark>").format(span.text) if span.marked else escape(span.text)
                    for span in row.spans
                ),
            )
            for row in rows[:LINES]
        ]
        if column.cut or len(text) < len(column.text) or len(rows) > LINES:
            lines.append(Markup('<span class="row">… ({} bytes in all)\n</span>').format(column.size))
        names = ", ".join(column.runtimes)
        parts.append(
            Markup('<figure><figcaption><span class="letter l{}">{}</span> {} <span class="dim">{} bytes</span></figcaption>'
                   '<pre class="out">{}</pre></figure>').format(
                index % 4, "ABCDEFGHIJKLMNOP"[index % 16], names, column.size, Markup("").join(lines)
            )
        )  # fmt: skip
    sides = (
        Markup('<div class="sides" style="--k: {}">{}</div>').format(len(parts), Markup("").join(parts))
        if parts
        else Markup("")
    )
    others = "; ".join(f"{', '.join(column.runtimes)}: {column.size} bytes" for column in block.columns[len(shown) :])
    return sides + (
        Markup('<p class="dim">{}; the record has them.</p>').format(_cut(others, 300)) if others else Markup("")
    )


def _trace_note(record: Record, results: tuple[CaseResult | None, ...]) -> str:
    """Returns why there is no trace."""
    reference = next((runtime.name for runtime in record.runtimes if runtime.reference), None)
    result = next((result for result in results if result and result.runtime == reference), None)
    if result is None:
        return f"{reference or 'the reference runtime'} was not there for this run, so there is no trace of the host calls."
    if result.verdict is Verdict.SKIP:
        return f"{reference} did not run this case."
    return f"{reference} left no trace for this case."
