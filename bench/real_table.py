"""The table of the real programs: pure functions from runs to text.

In: runs by program and column. Out: ratios, means, lines in Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from real_run import Run
from table import geometric, markdown, number

OURS, KEPT, INTERPRETED = "touchstone", "touchstone with a cache", "interpreter"
BEFORE, WINCH, NOTHING = "cranelift", "winch", "wasmtime from nothing"
"""The columns: touchstone run as it is, with the code of an earlier run, without machine code; wasmtime with code compiled before, and as it is."""
WORST, MEAN = 3.0, 2.0
"""The goal, where both had compiled before: no program above WORST times Cranelift's CPU time, the geometric mean at most MEAN."""


@dataclass
class Results:
    """runs[program][column]: one a round. A program that cannot be had is in `absent`; runs that failed are in `errors`."""

    megabytes: dict[str, float] = field(default_factory=dict)
    runs: dict[str, dict[str, list[Run]]] = field(default_factory=dict)
    errors: dict[str, dict[str, str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def best(self, program: str, column: str) -> Run | None:
        """The least CPU time, elapsed time and peak of the rounds, each by itself. None if one of the runs failed."""
        runs = self.runs.get(program, {}).get(column, [])
        if not runs or column in self.errors.get(program, {}):
            return None
        return Run(runs[0].output, min(r.cpu for r in runs), min(r.wall for r in runs), min(r.peak for r in runs))

    def ratio(self, program: str, column: str, base: str = BEFORE) -> float | None:
        """CPU time divided by that of another column."""
        ours, theirs = self.best(program, column), self.best(program, base)
        return ours.cpu / theirs.cpu if ours and theirs and theirs.cpu else None

    def ahead(self, program: str) -> float | None:
        """wasmtime's elapsed time from nothing, divided by ours."""
        ours, theirs = self.best(program, OURS), self.best(program, NOTHING)
        return theirs.wall / ours.wall if ours and theirs and ours.wall else None

    def mean(self, column: str, base: str = BEFORE) -> float | None:
        ratios = [r for program in self.megabytes if (r := self.ratio(program, column, base)) is not None]
        return geometric(ratios) if ratios else None

    def add(self, program: str, column: str, run: Run) -> None:
        """Every run must have the output of the program's first one."""
        of_program = self.runs.setdefault(program, {})
        first = next((runs[0] for runs in of_program.values() if runs), run)
        if run.output != first.output:
            self.fail(program, column, f"wrong output: it is not that of {next(c for c, runs in of_program.items() if runs)}")
            return
        of_program.setdefault(column, []).append(run)

    def fail(self, program: str, column: str, why: str) -> None:
        self.errors.setdefault(program, {})[column] = why


def cells(run: Run | None, failed: bool, *names: str) -> Iterator[str]:
    for name in names:
        value = getattr(run, name) if run else 0.0
        yield "ERROR" if failed else "–" if run is None else f"{value:.0f}" if name == "peak" else number(value)


def times(value: float | None) -> str:
    return "–" if value is None else number(value)


def table(results: Results, winch: bool) -> list[str]:
    header = ["CPU s", "MB", "touchstone", "wall", "MiB", "kept", "interpreted", "Cranelift", *(["Winch"] if winch else [])]
    header += ["from nothing", "wall", "MiB", "ours / Cranelift", "kept / Cranelift", "interpreted / Cranelift", "wall from nothing / ours"]
    body = []
    for program, size in results.megabytes.items():
        row = [program, number(size)]
        for column, names in columns(winch):
            row += cells(results.best(program, column), column in results.errors.get(program, {}), *names)
        row += map(times, (*(results.ratio(program, column) for column in (OURS, KEPT, INTERPRETED)), results.ahead(program)))
        body.append(row)
    leading = len(header) - 5
    last = [results.mean(OURS), results.mean(KEPT), results.mean(INTERPRETED), geometric(aheads) if (aheads := ahead(results)) else None]
    body.append(["geometric mean", *[""] * leading, *map(times, last)])
    return [*markdown(header, body), "", *goal(results), *problems(results)]


def columns(winch: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Each column of runs with what is shown of it."""
    whole = ("cpu", "wall", "peak")
    return [(OURS, whole), (KEPT, ("cpu",)), (INTERPRETED, ("cpu",)), (BEFORE, ("cpu",)), *([(WINCH, ("cpu",))] if winch else []), (NOTHING, whole)]


def ahead(results: Results) -> list[float]:
    return [a for program in results.megabytes if (a := results.ahead(program)) is not None]


def goal(results: Results) -> list[str]:
    lines = []
    for column, how in ((KEPT, "both compiled before"), (OURS, "we from nothing, Cranelift compiled before")):
        ratios = {p: r for p in results.megabytes if (r := results.ratio(p, column)) is not None}
        if not ratios:
            continue
        above = ", ".join(f"{program} {number(ratio)}" for program, ratio in ratios.items() if ratio > WORST)
        mean = geometric(list(ratios.values()))
        lines += [
            f"{how}: at most {WORST:.0f} times Cranelift's CPU time: {'missed by ' + above if above else f'all {len(ratios)}'}",
            f"{how}: geometric mean at most {MEAN:.0f}: {number(mean)}, {'missed' if mean > MEAN else 'met'}",
        ]
    behind = ", ".join(p for p in results.megabytes if (a := results.ahead(p)) is not None and a < 1)
    if lines:
        lines.append(f"both from nothing: ahead of wasmtime: {'missed by ' + behind if behind else f'all {len(ahead(results))}'}")
    return lines


def problems(results: Results) -> list[str]:
    lines = [f"{program}, {column}: {why}" for program, failures in results.errors.items() for column, why in failures.items()]
    return lines + [f"{program} is absent: {why}" for program, why in results.absent.items()]
