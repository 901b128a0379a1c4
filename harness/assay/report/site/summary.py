"""The first data that the site loads: the matrix of interfaces, and what the run was. Pure.

In: a `View`, the counts of scripts and programs, the stems of files. Out: one object:

    runtimes    of each: name, version, note, status, counts of cases and units, seconds, KiB; absent ones have a reason
    packages    [name, counts per runtime, places of its interfaces]
    interfaces  [name, stem, number of objects, counts per runtime, functions, requirements]
    total       counts per runtime
    versions    their names, in the order of the tuples of rows.py
    numbers     of what is not as announced, not run, different, silent
    renamed     the stems of cases that are not the slug of their id

A count is the numbers of `Count` in their order, without zeros at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...record.summary import ProgramSummary, ScriptSummary
from ..count import NUMBERS, Count
from ..data import cut
from ..view import InterfaceRow, Summary, View
from .history import History
from .rows import columns


def numbers(count: Count) -> list[int]:
    made = [int(getattr(count, name)) for name in NUMBERS]
    while made and not made[-1]:
        made.pop()
    return made


def summary(view: View, files: Mapping[str, tuple[str, int]], renamed: Mapping[str, str], history: History) -> Any:
    """Returns the object. `files` has, by interface, its stem and the number of its objects."""
    record = view.record
    interfaces = [row for package in view.packages for row in package.interfaces]
    place = {row.name: index for index, row in enumerate(interfaces)}
    return {
        "started": record.started,
        "harness": record.harness,
        "partial": record.partial,
        "strict": record.strict,
        "suite": record.suite.name,
        "status": {"colour": view.status.colour, "lines": [cut(line, 400) for line in view.status.lines][:100]},
        "runtimes": [_runtime(item) for item in view.summaries],
        "absent": [[item.name, cut(item.absent, 300)] for item in record.runtimes if item.absent],
        "versions": list(columns(view)),
        "total": [numbers(item.units) for item in view.summaries],
        "packages": [
            [package.name, [numbers(count) for count in package.counts], [place[row.name] for row in package.interfaces]]
            for package in view.packages
        ],
        "interfaces": [_interface(row, *files[row.name]) for row in interfaces],
        "cases": sum(not case.info.variant for case in view.cases),
        "requirements": view.requirements,
        "variants": view.variants,
        "numbers": {
            "unexpected": len(view.surprises),
            "skipped": sum(item.cases.not_run for item in view.summaries),
            "differ": sum(bool(case.differences) for case in view.cases),
            "silent": len(view.values),
        },
        "renamed": dict(renamed),
        "runs": len(history.runs),
    }


def _runtime(item: Summary) -> dict[str, object]:
    info = item.runtime
    made: dict[str, object] = {
        "name": info.name,
        "version": cut(" ".join(word for word in (info.version, info.note and f"({info.note})") if word), 200),
        "words": cut(item.status.words, 300),
        "judged": item.status.judged,
        "red": item.status.red,
        "reference": info.reference,
        "cases": numbers(item.cases),
        "variants": numbers(item.versions.total),
        "wall": round(item.wall, 1),
        "kib": item.peak_rss_kib,
    }
    return made


def _interface(row: InterfaceRow, stem: str, count: int) -> list[object]:
    requirements = sum(len(function.requirements) for function in row.functions)
    return [row.name, stem, count, [numbers(one) for one in row.counts], len(row.functions), requirements]


def versions(view: View) -> dict[str, object]:
    """Returns the counts by version: per runtime its rows [interface, counts], and the sums."""
    return {
        "tables": [
            {
                "rows": [[name, [numbers(count) for count in counts]] for name, counts in item.versions.rows],
                "sums": [numbers(count) for count in item.versions.sums],
            }
            for item in view.summaries
        ]
    }


def agreement(view: View) -> dict[str, object]:
    """Returns for each two runtimes the units that both have and those in which they part, and the order of the
    tree."""
    found = view.clusters
    if found is None:
        return {"order": [], "pairs": []}
    return {"order": list(found.order), "pairs": [[[pair.both, pair.apart] for pair in row] for row in found.pairs]}


def others(scripts: ScriptSummary | None, programs: ProgramSummary | None) -> dict[str, object]:
    """Returns the counts of the official scripts and of the programs of other suites."""
    made: dict[str, object] = {}
    if scripts:
        made["scripts"] = {
            "runtime": scripts.runtime,
            "rows": [
                [row.name, row.scripts, row.whole, row.commands, row.passed, row.known, row.unexpected, row.skipped]
                for row in (*scripts.suites, scripts.total)
            ],
        }
    if programs:
        made["programs"] = {
            "suite": programs.suite,
            "rows": [[row.runtime, row.version, row.total, row.passed, row.known, row.unexpected] for row in programs.runtimes],
        }
    return made
