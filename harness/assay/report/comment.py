"""A comment for a pull request, in Markdown, from a record: the status, the packages, and what is not as announced.
Pure.

In: a record. Out: at most LIMIT characters. The first line is a marker that a page does not show, by which a script
finds its own comment again and replaces it.
"""

from __future__ import annotations

from ..record import Record
from .markdown import plain, row
from .view import View, build

LIMIT = 65_536
"""The most characters that the usual forges take."""
ROWS = 40


def marker(record: Record) -> str:
    """Returns the first line of the comment. It is the same for every run of the suite."""
    name = "".join(letter if letter.isalnum() else "-" for letter in record.suite.name)
    return f"<!-- assay-report: {name} -->"


def render(record: Record) -> str:
    view = build(record)
    run = view.status
    names = [runtime.name for runtime in view.runtimes]
    out = [marker(record), f"### Conformance ({record.suite.name}): {run.colour}", ""]
    out += [f"- {plain(line)}" for line in run.lines] if not run.green else [f"- {plain(run.words)}"]
    out += [f"- {run.part}"] if run.part and not run.green else []
    out += ["", f"{len(view.cases)} cases, {view.requirements} requirements. Passed / all MUST:", ""]
    out += [row(["package", *names]), row(["---"] * (len(names) + 1))]
    out += [row([item.name, *(count.short for count in item.counts)]) for item in view.packages]
    out += [row(["**all**", *(item.units.short for item in view.summaries)])]
    out += _surprises(view, judged=True) + _surprises(view, judged=False)
    absent = [runtime for runtime in record.runtimes if runtime.absent]
    if absent:
        out += ["", "Absent: " + "; ".join(f"{runtime.name} ({plain(runtime.absent)})" for runtime in absent) + "."]
    versions = ", ".join(plain(f"{runtime.name}: {runtime.version}") for runtime in view.runtimes)
    out += ["", f"<sub>{plain(record.harness)}, {record.started}. {versions}</sub>"]
    return _fitting(out)


def _surprises(view: View, *, judged: bool) -> list[str]:
    """Returns what is not as announced on the runtimes that are judged, or on the others, folded in."""
    mine = [item for item in view.surprises if (item[0].runtime in view.record.gate) is judged]
    if not mine:
        return []
    title = f"{len(mine)} not as announced" + ("" if judged else ", not judged")
    lines = [
        f"- {unit.verdict.value} `{result.case}` `{unit.id}` on {result.runtime}: {plain(unit.detail)}"
        for result, unit in mine[:ROWS]
    ]
    more = [f"- … and {len(mine) - ROWS} more"] if len(mine) > ROWS else []
    return ["", f"<details{' open' if judged else ''}><summary>{title}</summary>", "", *lines, *more, "", "</details>"]


def _fitting(lines: list[str]) -> str:
    """Returns as many whole lines as fit, and how many were left out."""
    kept, size, room = 0, 0, LIMIT - 200
    while kept < len(lines) and size + len(lines[kept]) + 1 <= room:
        size += len(lines[kept]) + 1
        kept += 1
    text = "\n".join(lines[:kept]) + "\n"
    if kept == len(lines):
        return text
    closing = "\n</details>" if text.count("<details") > text.count("</details>") else ""
    return f"{text}{closing}\n{len(lines) - kept} more lines do not fit here; the report has them.\n"
