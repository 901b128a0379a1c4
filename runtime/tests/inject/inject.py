#!/usr/bin/env python3
"""Lets every call that can fail do so once: each allocation, each system call, of each scenario.

Usage: inject.py [--only SCENARIO,…] [--point NAME[:N]] [--without NAME]
                  [--every K | --sample N] [--seed N] [--for-good] [--jobs N] [--messages]
In: build-asan/touchstone-inject and build/touchstone-inject (make inject), fixtures/built. Out: a line a scenario, and a
line for each fault found, with the environment that repeats it. No crash, no hang, no report of a sanitizer, no leak; the
right result, or a message and a documented exit status. Exit status 1: there are faults; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from points import ERRORS, INVISIBLE, OTHERS
from scenarios import COMMANDS, LEAKS, Ending, Scenario
from serving import SERVING

SCENARIOS = {s.name: s for s in [*COMMANDS, *SERVING]}
DOCUMENTED = {*range(120, 128), 134}
GUEST = {1, 2}  # a guest that was told of an error, and says so
MARKS = ("Sanitizer", "runtime error:", "assertion", "Assertion", "stack smashing", "corrupted", "double free")


@dataclass(frozen=True)
class Point:
    name: str
    number: int
    err: int
    for_good: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.number}{'+' if self.for_good else ''} {self.err}"


def counted(scenario: Scenario, folder: Path) -> tuple[Scenario, dict[str, int]]:
    """Plays without a fault. Returns the scenario with its right output, and the number of calls of each function."""
    counts = folder / f"counts-{scenario.name}"
    ending = scenario.run(folder / scenario.name, {"TS_INJECT_COUNTS": str(counts)})
    whole = replace(scenario, out=ending.out if scenario.out is None else scenario.out)
    if wrong := judged(whole, ending, None):
        sys.exit(f"inject: {scenario.name} fails without a fault: {wrong}\n{ending.said[-2000:]}")
    rows = (line.split() for line in counts.read_text().splitlines())
    return whole, {name: int(n) for name, n in rows}


def judged(scenario: Scenario, ending: Ending, point: Point | None) -> str:
    """What is wrong about an ending, or ''. The `point` may be seen, unless it is one that nobody may notice."""
    marked = [line for line in ending.said.splitlines() if any(mark in line for mark in MARKS)]
    if ending.status is None:
        return "it hangs"
    if marked or ending.status == LEAKS:
        return marked[0] if marked else "a sanitizer ended it"
    if ending.status < 0:
        return f"signal {-ending.status}"
    if ending.wrong:
        return ending.wrong
    if ending.status == scenario.status:
        fits = scenario.lenient or ending.out in (scenario.out, scenario.told)
        return "" if fits else f"reports success, with the output {ending.out[:200]!r}"
    if point is None or (point.name, point.err) in INVISIBLE:
        return f"status {ending.status} though nothing has failed for good: {ending.said[-200:]!r}"
    if ending.status not in DOCUMENTED | GUEST:
        return f"status {ending.status}, which no page lists"
    least = 5 if ending.status in GUEST else 20  # characters
    return "" if len(ending.said.strip()) > least else f"status {ending.status} without a message: {ending.said!r}"


def points(counts: dict[str, int], for_good: bool) -> Iterator[Point]:
    for name, calls in sorted(counts.items()):
        for err in ERRORS.get(name, OTHERS):
            for n in range(1, calls + 1):
                yield Point(name, n, err, for_good)


def said(ending: Ending) -> str:
    """A message without what differs from run to run."""
    lines = [line for line in ending.said.splitlines() if not line.startswith("Serving HTTP")]
    return re.sub(r"/\S*/inject-\w*/\S*?(?=[:\s]|$)", "…", re.sub(r"\d+", "N", lines[0]))[:150] if lines else ""


def play(scenario: Scenario, all_points: list[Point], folder: Path, jobs: int, messages: Counter[str]) -> list[str]:
    """Returns the faults, as lines."""
    faults: list[str] = []

    def one(numbered: tuple[int, Point]) -> None:
        number, point = numbered
        ending = scenario.run(folder / f"{scenario.name}-{number}", {"TS_INJECT": str(point)})
        if wrong := judged(scenario, ending, point):
            err = errno.errorcode.get(point.err, "a short transfer")
            faults.append(f"FAULT {scenario.name} TS_INJECT='{point}' ({err}): {wrong}")
        messages[f"{scenario.name} {ending.status} {said(ending)}"] += 1

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, enumerate(all_points)))
    return sorted(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description="Lets every call that can fail do so once.")
    parser.add_argument("--only", default="", help=f"of {', '.join(SCENARIOS)}")
    parser.add_argument("--point", default="", help="only this function, for example memory or openat; or NAME:N")
    parser.add_argument("--without", default="", help="not this function, for example memory")
    parser.add_argument("--every", type=int, default=1, metavar="K", help="a sample: one of K points, by --seed")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="a sample: N points of each scenario, by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--for-good", action="store_true", help="all calls from that one on fail")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--messages", action="store_true", help="also print what was said, and how often")
    o = parser.parse_args()
    names = [name for name in o.only.split(",") if name] or list(SCENARIOS)
    if unknown := [name for name in names if name not in SCENARIOS]:
        parser.error(f"--only: there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    for program in {SCENARIOS[name].program for name in names}:
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is not built: make inject")
    chosen, red, total = random.Random(o.seed), 0, 0
    messages: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="inject-") as temporary:
        for name in names:
            begin = time.monotonic()
            scenario, counts = counted(SCENARIOS[name], Path(temporary))
            function, _, number = o.point.partition(":")
            all_points = [p for p in points(counts, o.for_good) if (not function or p.name == function) and p.name != o.without]
            all_points = [p for p in all_points if not number or p.number == int(number)]
            wanted = min(len(all_points), o.sample or (len(all_points) + o.every - 1) // o.every)
            if wanted < len(all_points):
                all_points = chosen.sample(all_points, wanted)
            faults = play(scenario, all_points, Path(temporary), o.jobs, messages)
            for fault in faults:
                print(fault)
            red, total = red + len(faults), total + len(all_points)
            print(f"{name:15} {len(counts):3} functions, {sum(counts.values()):6} calls, {len(all_points):6} points, "
                  f"{len(faults):4} faults, {time.monotonic() - begin:6.0f} s", flush=True)  # fmt: skip
    if o.messages:
        for text, n in sorted(messages.items()):
            print(f"{n:6} {text}")
    print(f"inject: {total} points, {red} faults")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
