"""Results as tables: pure functions from results to text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from calls import Call, Rates
from engines import INTERPRETED
from host import Task, Times
from serve import Loads
from startup import Failure, Row

BASE = "wasm3"


@dataclass
class Results:
    """seconds[engine][program]: one value a round that was run; wrong or failed runs stand in `errors`."""

    rounds: int
    programs: list[str]
    engines: list[str]
    interpreters: list[str]
    seconds: dict[str, dict[str, dict[int, float]]] = field(default_factory=dict)
    errors: dict[str, dict[str, str]] = field(default_factory=dict)
    unsupported: dict[str, set[str]] = field(default_factory=dict)
    rows: list[Row | Failure] = field(default_factory=list)

    def best(self, engine: str, program: str) -> float | None:
        if program in self.errors.get(engine, {}):
            return None
        values = self.seconds.get(engine, {}).get(program, {})
        return min(values.values()) if values else None

    def ratio(self, engine: str, program: str, base: str = BASE) -> float | None:
        ours, theirs = self.best(engine, program), self.best(base, program)
        return ours / theirs if ours is not None and theirs else None

    def mean(self, engine: str) -> tuple[float, float, float, int] | None:
        """Geometric mean of the ratios to wasm3, the least and the largest of the rounds', and over how many programs."""
        ratios = [r for p in self.programs if (r := self.ratio(engine, p)) is not None]
        if not ratios:
            return None
        means = []
        for round_ in range(self.rounds):
            pairs = [
                self.seconds[engine][p][round_] / self.seconds[BASE][p][round_]
                for p in self.programs
                if self.ratio(engine, p) is not None and round_ in self.seconds[engine][p] and round_ in self.seconds[BASE][p]
            ]
            if len(pairs) == len(ratios):
                means.append(geometric(pairs))
        middle = geometric(ratios)
        return middle, min(means, default=middle), max(means, default=middle), len(ratios)

    def against_best(self, program: str) -> tuple[float, str] | None:
        """Our interpreter's time divided by that of the fastest other interpreter, and its name."""
        ours = self.best(INTERPRETED, program)
        others = [(t, e) for e in self.interpreters if e != INTERPRETED and (t := self.best(e, program)) is not None]
        if ours is None or not others:
            return None
        least, who = min(others)
        return ours / least, who


def geometric(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Padded for reading on a terminal; all columns but the first are aligned to the right."""
    widths = [max(len(row[i]) for row in [header, *body]) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))) + " |"

    rule = "|" + "|".join("-" * (w + 2) if not i else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return [line(header), rule, *map(line, body)]


def throughput(results: Results) -> list[str]:
    header = ["time / wasm3's", *results.engines, "int. / best other"]
    body = []
    for program in results.programs:
        row = [program]
        for engine in results.engines:
            ratio, best = results.ratio(engine, program), results.best(engine, program)
            if program in results.errors.get(engine, {}):
                row.append("ERROR")
            elif best is None:
                row.append("–")
            elif ratio is None:  # wasm3 cannot run it: seconds
                row.append(f"{best:.3f} s")
            else:
                row.append(number(ratio))
        against = results.against_best(program)
        row.append(f"{against[0]:.2f} {against[1]}" if against else "–")
        body.append(row)
    means, spreads = ["geometric mean"], ["of the rounds"]
    for engine in results.engines:
        mean = results.mean(engine)
        means.append(number(mean[0]) if mean else "–")
        spreads.append(f"{number(mean[1])} … {number(mean[2])}" if mean and mean[1] != mean[2] else "–")
    against_all = [a[0] for p in results.programs if (a := results.against_best(p))]
    means.append(number(geometric(against_all)) if against_all else "–")
    spreads.append(f"worst {number(max(against_all))}" if against_all else "–")
    lines = markdown(header, [*body, means, spreads])
    for engine, failures in results.errors.items():
        lines += [f"{engine}, {program}: {why}" for program, why in failures.items()]
    return lines


def processes(results: Results) -> list[str]:
    lines: list[str] = []
    topics = list(dict.fromkeys(row.topic for row in results.rows))
    for topic in topics:
        rows = [row for row in results.rows if row.topic == topic]
        ours = next((r for r in rows if isinstance(r, Row) and r.engine.startswith("touchstone")), None)
        rates = any(isinstance(r, Row) and r.megabytes for r in rows)
        header = [topic, "ms", "median", "CPU ms", "peak MiB", "MB/s" if rates else "time over ours", "runs"]
        body = []
        for row in rows:
            if isinstance(row, Failure):
                body.append([row.engine, row.why, "", "", "", "", ""])
                continue
            last = f"{row.rate:.0f}" if rates else number(row.wall_ms / ours.wall_ms) if ours and ours.wall_ms else "–"
            cells = [f"{row.wall_ms:.1f}", f"{row.median_ms:.1f}", f"{row.cpu_ms:.1f}", f"{row.peak_mib:.1f}"]
            body.append([row.engine, *cells, last, str(row.runs)])
        lines += ["", *markdown(header, body)]
    return lines


def calls(rates: Rates) -> list[str]:
    """Calls a second, in millions; where bytes count, megabytes a second."""
    lines: list[str] = []
    ours, *others = rates.engines or [""]
    asked = [*dict.fromkeys([*rates.seconds, *rates.errors])]

    def cell(call: Call, engine: str) -> str:
        if engine in rates.errors.get(call, {}):
            return "ERROR"
        each = rates.seconds.get(call, {}).get(engine)
        if not each:
            return "–"
        return f"{call.size / each / 1e6:,.0f} MB/s" if call.size else f"{1e-6 / each:.1f} M/s"

    def ratio(call: Call, engine: str) -> str:
        times = rates.seconds.get(call, {})
        return number(times[engine] / times[ours]) if engine in times and ours in times else "–"

    for where in dict.fromkeys(call.where for call in asked):
        header = [f"calls {where}", *rates.engines, *(f"speed / {engine}'s" for engine in others)]
        body = [[c.title, *(cell(c, e) for e in rates.engines), *(ratio(c, e) for e in others)] for c in asked if c.where == where]
        lines += ["", *markdown(header, body)]
    return lines + [f"{engine}, {call.title}: {why}" for call, failures in rates.errors.items() for engine, why in failures.items()]


def wasi(times: Times) -> list[str]:
    """What one takes; where bytes count, megabytes a second; and how many times as fast as the others it is here."""
    asked = [*dict.fromkeys([*times.seconds, *times.errors])]
    if not asked:
        return []
    ours, *others = times.engines

    def cell(task: Task, engine: str) -> str:
        each = times.seconds.get(task, {}).get(engine)
        if engine in times.errors.get(task, {}) or not each:
            return "ERROR" if engine in times.errors.get(task, {}) else "–"
        return f"{task.size / each / 1e6:,.0f} MB/s" if task.size else f"{each * 1e9:,.0f} ns"

    def ratio(task: Task, engine: str) -> str:
        each = times.seconds.get(task, {})
        return number(each[engine] / each[ours]) if engine in each and ours in each else "–"

    header = ["WASI", *times.engines, *(f"speed / {engine}'s" for engine in others)]
    body = [[t.title, *(cell(t, e) for e in times.engines), *(ratio(t, e) for e in others)] for t in asked]
    failed = [f"{engine}, {task.title}: {why}" for task, failures in times.errors.items() for engine, why in failures.items()]
    return ["", *markdown(header, body), *failed]


def serving(loads: Loads) -> list[str]:
    """Requests per second and their latency; memory before and after many; the cost of instances."""
    lines: list[str] = []
    for what in dict.fromkeys(row.what for row in loads.loads):
        rows = [row for row in loads.loads if row.what == what]
        rates = {(row.engine, row.connections): row.rate for row in rows}
        body = []
        for row in rows:
            ours = rates.get(("touchstone", row.connections))
            cells = [f"{row.rate:,.0f}", f"{row.p50_ms:.2f}", f"{row.p99_ms:.2f}", f"{row.peak_mib:.1f}", number(ours / row.rate) if ours and row.rate else "–"]
            body.append([f"{row.engine}, {row.connections} connection" + "s" * (row.connections > 1), *cells])
        lines += ["", *markdown([f"serving: {what}", "requests/s", "p50 ms", "p99 ms", "peak MiB", "ours / its"], body)]
    if loads.steady:
        body = [[row.what, f"{row.requests:,}", f"{row.before_mib:.1f}", f"{row.after_mib:.1f}"] for row in loads.steady]
        lines += ["", *markdown(["memory of touchstone serve", "requests", "before, MiB", "after, MiB"], body)]
    if loads.instances:
        body = [[f"{row.what}: {row.engine}", f"{row.fresh_us:.1f}", f"{row.live_us:.1f}", f"{row.live:,}", f"{row.bytes:,}"] for row in loads.instances]
        lines += ["", *markdown(["a fresh instance", "one after another, µs", "kept alive, µs", "alive at once", "bytes each"], body)]
    return lines + loads.errors
