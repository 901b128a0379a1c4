"""What the clients of a soak count, in memory that all of their processes share.

In: the names of the kinds of clients, and the number of processes. Out: per kind how many requests were answered as
expected and how many were not, a histogram of times, and the first surprises as text.
"""

from __future__ import annotations

import math
import multiprocessing
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BUCKETS = 400
FIRST = 1e-5  # seconds: the upper end of the first bucket
STEP = math.log(1.04)  # each bucket is 4 % wider than the one before
KEPT = 5  # surprises that a kind keeps in each process


def bucket(seconds: float) -> int:
    return min(BUCKETS - 1, max(0, math.ceil(math.log(max(seconds, FIRST) / FIRST) / STEP)))


@dataclass(frozen=True)
class Row:
    """One kind: numbers of requests, and the time in seconds below which a part of the timed ones stayed."""

    expected: int
    unexpected: int
    times: Sequence[int]

    def at(self, part: float) -> float:
        """The percentile, 4 % too high at most; NaN if nothing was timed."""
        left = math.ceil(sum(self.times) * part)
        for i, n in enumerate(self.times):
            left -= n
            if n and left <= 0:
                return FIRST * math.exp(i * STEP)
        return math.nan


class Tally:
    """Each process writes only to its own part, which it picks by `process` after it was forked."""

    def __init__(self, kinds: Sequence[str], processes: int, folder: Path) -> None:
        self.kinds = {name: i for i, name in enumerate(kinds)}
        self.processes = processes
        self.process = 0
        self.folder = folder
        self.lock = threading.Lock()
        self.numbers = multiprocessing.RawArray("Q", processes * len(kinds) * 2)
        self.times = multiprocessing.RawArray("L", processes * len(kinds) * BUCKETS)
        self.busy = multiprocessing.RawArray("L", processes)  # rounds under way
        self.surprised: dict[str, int] = {}

    def slot(self, kind: str, process: int) -> int:
        return process * len(self.kinds) + self.kinds[kind]

    def add(self, kind: str, expected: int, unexpected: int = 0) -> None:
        at = self.slot(kind, self.process) * 2
        with self.lock:
            self.numbers[at] += expected
            self.numbers[at + 1] += unexpected

    def time(self, kind: str, seconds: float) -> None:
        at = self.slot(kind, self.process) * BUCKETS + bucket(seconds)
        with self.lock:
            self.times[at] += 1

    def surprise(self, kind: str, text: str) -> None:
        self.add(kind, 0, 1)
        with self.lock:
            n = self.surprised[kind] = self.surprised.get(kind, 0) + 1
            if n <= KEPT:
                with (self.folder / f"surprises-{self.process}").open("a") as file:
                    file.write(f"{kind}: {text[:600]}\n")

    def begin(self) -> None:
        with self.lock:
            self.busy[self.process] += 1

    def end(self) -> None:
        with self.lock:
            self.busy[self.process] -= 1

    def row(self, kind: str) -> Row:
        slots = [self.slot(kind, p) for p in range(self.processes)]
        times = [sum(self.times[s * BUCKETS + i] for s in slots) for i in range(BUCKETS)]
        return Row(sum(self.numbers[s * 2] for s in slots), sum(self.numbers[s * 2 + 1] for s in slots), times)

    def requests(self) -> int:
        return sum(self.numbers)

    def surprises(self) -> list[str]:
        return sorted(line for file in self.folder.glob("surprises-*") for line in file.read_text().splitlines())
