"""Markdown from a record: the matrix, unexpected results and differences, short enough for a comment.
Pure."""

from __future__ import annotations

from ..model import Verdict
from ..record import Record
from ..record.summary import ProgramSummary
from .view import SYMBOLS, build

ROWS = 60
"""The most lines of one list. The text says how many are left out. The whole fits a comment of 65,536
characters."""
LIMIT = 60_000


def render(record: Record, programs: ProgramSummary | None = None) -> str:
    view = build(record)
    run = view.status
    names = [runtime.name for runtime in view.runtimes]
    out = ["# Conformance of WASI 0.2 runtimes", "", f"**{run.colour}**"]
    out += [f"- {plain(line)}" for line in run.lines] if not run.green else [f"- {plain(run.words)}"]
    out += [f"- {run.part}"] if run.part and not run.green else []
    out += [
        "",
        f"{record.harness}, {record.started}: {len(view.cases)} cases, {view.requirements} requirements"
        f"{f', {view.variants} variants' if view.variants else ''}"
        f"{', strict' if record.strict else ''}.",
        "",
    ]
    for runtime in record.runtimes:
        there = (
            f"absent: {runtime.absent}"
            if runtime.absent
            else " ".join(part for part in (runtime.version, runtime.note) if part)
        )
        out.append(f"- **{runtime.name}**: {plain(there)}")
    for summary in view.summaries:
        out.append(f"- {summary.runtime.name}: {plain(summary.words)}")
    out += [
        "",
        "Passed / all MUST; ✗ fail, ∅ unsupported, ≈ flaky, ! in error, ◌ not run. ✓ is green: nothing is missing.",
        "",
        row(["interface", *names]),
        row(["---"] * (len(names) + 1)),
    ]
    for package in view.packages:
        out.append(row([f"**{package.name}**", *(item.short for item in package.counts)]))
        out += [row([item.name, *(count.short for count in item.counts)]) for item in package.interfaces]
    out.append(row(["**cases**", *(summary.cases.short for summary in view.summaries)]))
    if view.variants:
        numbers = view.summaries[0].versions.columns if view.summaries else ()
        out += ["", "## Variants: against other versions of WASI", ""]
        out += [row(["runtime", *numbers]), row(["---"] * (len(numbers) + 1))]
        out += [row([item.runtime.name, *(count.short for count in item.versions.sums)]) for item in view.summaries]
    if view.not_run:
        out += ["", "## Not run", ""]
        out += _listed(
            [
                f"- {', '.join(item.runtimes)}: {len(item.cases)} cases, {item.requirements} MUST: {plain(item.reason)}"
                for item in view.not_run
            ]
        )
    if view.surprises:
        out += ["", "## Not as announced", ""]
        out += _listed(
            [
                f"- {unit.verdict.value} `{result.case}` `{unit.id}` on {result.runtime}: {plain(unit.detail)}"
                for result, unit in view.surprises
            ]
        )
    if record.stale:
        out += [
            "",
            "## Expectations that match nothing",
            "",
            *_listed([f"- {plain(entry)}" for entry in record.stale]),
        ]
    differing = [case for case in view.cases if case.differences]
    out += ["", "## Cases in which runtimes differ", ""]
    if differing:
        out += [row(["case", *names, "in"]), row(["---"] * (len(names) + 2))]
    rows = []
    for case in differing:
        cells = [_verdict(result.verdict if result else None) for result in case.results]
        rows.append(row([f"`{case.info.id}`", *cells, ", ".join(aspect.value for aspect in case.differences)]))
    out += _listed(rows) if differing else ["None."]
    split = [item for item in view.values if len(item.value_groups) > 1]
    if split:
        out += ["", "## Where the text is silent and runtimes differ", ""]
        lines = []
        for item in split:
            told = "; ".join(f"{', '.join(group.runtimes)}: `{code(group.value)}`" for group in item.value_groups)
            lines.append(f"- `{item.check.id}`: {told}")
        out += _listed(lines)
    if programs is not None:
        out += ["", f"## Programs of {programs.suite}", ""]
        for ran in programs.runtimes:
            bad = ", ".join(f"`{result.program.rpartition('/')[2]}`" for result in ran.not_passed)
            out.append(f"- {ran.runtime}: {ran.passed} of {ran.total} pass{'; not: ' + bad if bad else ''}")
    return _fitting(out)


def _listed(lines: list[str]) -> list[str]:
    return lines if len(lines) <= ROWS else [*lines[:ROWS], "", f"… and {len(lines) - ROWS} more; the page has all."]


def _fitting(lines: list[str]) -> str:
    text = "\n".join(lines) + "\n"
    return (
        text if len(text) <= LIMIT else f"{text[:LIMIT]}…\n\n({len(text)} characters in all; the page has the rest.)\n"
    )


def _verdict(verdict: Verdict | None) -> str:
    return f"{SYMBOLS[verdict]} {verdict.value}" if verdict else "–"


def row(cells: list[str]) -> str:
    """Returns a line of a table."""
    return "| " + " | ".join(cells) + " |"


def plain(text: str) -> str:
    """Returns foreign text on one line, in which no table, code or HTML can begin."""
    return code(text).replace("<", "\\<")


def code(text: str) -> str:
    """Returns foreign text on one line, for a place between backquotes or in a table; a long one is cut."""
    flat = " ".join(text.split()).replace("|", "\\|").replace("`", "'")
    return flat if len(flat) <= 300 else f"{flat[:300]}… ({len(flat)} characters)"
