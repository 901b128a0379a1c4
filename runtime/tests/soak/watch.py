"""What a process uses, from /proc, and whether that grows.

In: process ids, the number of requests so far. Out: samples each second in a CSV file; checkpoints, which are taken
while no client is at work; a verdict on the growth between them.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

# After the warm-up, memory may grow by this much for what is not a leak: each thread keeps buffers of the largest
# request that it has seen, and the allocator keeps pages.
NOISE_KIB = 3072
# … and beyond that by this much for each 100,000 requests.
SLOPE_KIB = 24.0


@dataclass(frozen=True)
class Sample:
    requests: int
    rss_kib: int
    files: int
    threads: int


def sample(pid: int, requests: int) -> Sample:
    """OSError: there is no such process."""
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = {name: int(n) for name, n in re.findall(r"^(VmRSS|Threads):\s+(\d+)", status, re.M)}
    if "VmRSS" not in numbers:
        raise ProcessLookupError(f"process {pid} has ended")
    return Sample(requests, numbers["VmRSS"], len(list(Path(f"/proc/{pid}/fd").iterdir())), numbers["Threads"])


class Sampler(threading.Thread):
    """A sample of each process a second."""

    def __init__(self, pids: Sequence[int], requests: Callable[[], int], to: TextIO) -> None:
        super().__init__(daemon=True)
        self.pids, self.requests, self.to = pids, requests, to
        self.ended = threading.Event()
        self.most = {pid: Sample(0, 0, 0, 0) for pid in pids}
        self.samples = 0

    def run(self) -> None:
        begin = time.monotonic()
        self.to.write("seconds,pid,requests,rss_kib,files,threads\n")
        while not self.ended.wait(1.0):
            for pid in self.pids:
                try:
                    s = sample(pid, self.requests())
                except OSError:
                    return
                m = self.most[pid]
                self.most[pid] = Sample(s.requests, max(m.rss_kib, s.rss_kib), max(m.files, s.files), max(m.threads, s.threads))
                self.samples += 1
                self.to.write(f"{time.monotonic() - begin:.0f},{pid},{s.requests},{s.rss_kib},{s.files},{s.threads}\n")
                self.to.flush()


def settled(pid: int, requests: int, files: int, threads: int, seconds: float) -> Sample:
    """Waits until the process has no more descriptors and threads than these, or for so long."""
    end = time.monotonic() + seconds
    while True:
        s = sample(pid, requests)
        if (s.files <= files and s.threads <= threads) or time.monotonic() > end:
            return s
        time.sleep(0.2)


def warmed_up(checkpoints: Sequence[Sample]) -> int:
    """The number of checkpoints that belong to the warm-up."""
    return max(1, len(checkpoints) // 3)


def slope(samples: Sequence[Sample]) -> float:
    """KiB for each 100,000 requests, by least squares."""
    n = len(samples)
    x = [s.requests / 1e5 for s in samples]
    mx, my = sum(x) / n, sum(s.rss_kib for s in samples) / n
    below = sum((a - mx) ** 2 for a in x)
    return sum((a - mx) * (s.rss_kib - my) for a, s in zip(x, samples, strict=True)) / below if below else 0.0


def growth(name: str, checkpoints: Sequence[Sample], threads: int) -> list[str]:
    """What is wrong. A third of the checkpoints is the warm-up; the last one must not exceed it. `threads`: at rest, at most."""
    warm = checkpoints[: warmed_up(checkpoints)]
    first, last = warm[-1], checkpoints[-1]
    problems = []
    allowed = NOISE_KIB + SLOPE_KIB * (last.requests - first.requests) / 1e5
    grown = last.rss_kib - max(s.rss_kib for s in warm)
    if grown > allowed:
        problems.append(f"{name}: resident memory grew by {grown} KiB, more than {allowed:.0f} KiB")
    if last.files > first.files:
        problems.append(f"{name}: descriptors grew from {first.files} to {last.files}")
    if last.threads > max(first.threads, threads):
        problems.append(f"{name}: threads grew from {first.threads} to {last.threads}")
    return problems
