"""Markdown from a record: the matrix, the surprises, the differences, in a form that fits a comment. Pure."""

from __future__ import annotations

from ..model import Verdict
from ..record import Record
from ..testsuite import SuiteReport
from .view import SYMBOLS, Count, build


def render(record: Record, programs: SuiteReport | None = None) -> str:
    view = build(record)
    names = [runtime.name for runtime in view.runtimes]
    out = ["# Conformance of WASI 0.2 runtimes", ""]
    out += [
        f"{record.harness}, {record.started}: {len(record.cases)} cases, {sum(len(c.checks) for c in record.cases)} checks.",
        "",
    ]
    for runtime in record.runtimes:
        out.append(f"- **{runtime.name}**: {'absent: ' + runtime.absent if runtime.absent else runtime.version}")
    out += ["", _row(["interface", *names]), _row(["---"] * (len(names) + 1))]
    for package in view.packages:
        out.append(_row([f"**{package.name}**", *(_cell(item) for item in package.counts)]))
        out += [_row([row.name, *(_cell(item) for item in row.counts)]) for row in package.interfaces]
    out.append(_row(["**cases**", *(_cell(summary.cases) for summary in view.summaries)]))
    if view.surprises:
        out += ["", "## Unexpected", ""]
        out += [
            f"- {unit.verdict.value} `{result.case}` `{unit.id}` on {result.runtime}: {_plain(unit.detail)}"
            for result, unit in view.surprises
        ]
    if record.stale:
        out += ["", "## Expectations that match nothing", "", *(f"- {entry}" for entry in record.stale)]
    differing = [case for case in view.cases if case.differences]
    out += ["", "## Cases in which runtimes differ", ""]
    if differing:
        out += [_row(["case", *names, "in"]), _row(["---"] * (len(names) + 2))]
    for case in differing:
        cells = [_verdict(result.verdict if result else None) for result in case.results]
        out.append(_row([f"`{case.info.id}`", *cells, ", ".join(aspect.value for aspect in case.differences)]))
    if not differing:
        out.append("None.")
    split = [row for row in view.values if len(row.value_groups) > 1]
    if split:
        out += ["", "## Where the text is silent and runtimes differ", ""]
        for row in split:
            told = "; ".join(f"{', '.join(group.runtimes)}: `{_plain(group.value)}`" for group in row.value_groups)
            out.append(f"- `{row.check.id}`: {told}")
    if programs is not None:
        out += ["", f"## Programs of {programs.suite}", ""]
        for item in programs.runtimes:
            bad = ", ".join(f"`{result.program.rpartition('/')[2]}`" for result in item.not_passed)
            out.append(f"- {item.runtime}: {item.passed} of {item.total} pass{'; not: ' + bad if bad else ''}")
    return "\n".join(out) + "\n"


def _cell(item: Count) -> str:
    return f"{item.symbol} {item.passed}/{item.total}" if item.total else "–"


def _verdict(verdict: Verdict | None) -> str:
    return f"{SYMBOLS[verdict]} {verdict.value}" if verdict else "–"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'")[:300]
