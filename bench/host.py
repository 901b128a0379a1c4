"""WASI: what host calls take, through the preview1 adapter and without, on this runtime and on wasmtime in turn.

In: fixtures/built/bench-libc.wasm and sockets-bench.wasm, which do a thing N times and say how often it went well. Out: a row each.
The time that passes counts, not the CPU's: some runtimes do I/O on threads of their own. What a process with N = 0 takes is taken
off; N is chosen so that the difference is long; the least of several rounds counts.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engines import RunFailed
from prepare import LOGS, OUT, ROOT, find_binary, say, stale
from startup import TOUCHSTONE

TIMEOUT = 60.0


@dataclass(frozen=True)
class Task:
    guest: str
    mode: str
    title: str
    size: int = 0  # bytes that each moves, if those are counted
    first: int = 500
    pipe: bool = False  # stdout is a pipe into which nothing is written; otherwise the null device


TASKS = (
    Task("bench-libc", "write", "write of a byte, by libc and the adapter"),
    Task("sockets-bench", "w", "blocking-write-and-flush of a byte"),
    Task("sockets-bench", "c", "check-write of a pipe", pipe=True),
    Task("sockets-bench", "g", "get-stdout, a pipe, and drop", pipe=True),
    Task("sockets-bench", "f", "check-write, write and flush of a byte"),
    Task("sockets-bench", "s", "subscribe to a pipe, ready and drop", pipe=True),
    Task("bench-libc", "clock", "clock_gettime, by libc and the adapter"),
    Task("bench-libc", "stat", "stat of a file, by libc and the adapter"),
    Task("bench-libc", "open", "open and close of a file, by libc and the adapter"),
    Task("bench-libc", "read", "read of 64 KiB of a file, by libc and the adapter", 65536, 100),
    Task("sockets-bench", "r", "ready of one pollable"),
    Task("sockets-bench", "p", "poll of 1,000 pollables", 0, 20),
    Task("sockets-bench", "b", "a byte and its answer over TCP"),
    Task("sockets-bench", "t", "64 KiB through a TCP connection", 65536, 100),
)


@dataclass
class Times:
    engines: list[str] = field(default_factory=list)
    seconds: dict[Task, dict[str, float]] = field(default_factory=dict)  # for one
    errors: dict[Task, dict[str, str]] = field(default_factory=dict)


def run(command: Sequence[str | Path], pipe: bool = False) -> tuple[int, float]:
    """The checksum (the last line of stderr) and the elapsed seconds."""
    started = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise RunFailed(f"longer than {TIMEOUT:.0f} s") from None
    took = time.perf_counter() - started
    lines = done.stderr.strip().splitlines() or [""]
    if done.returncode or not lines[-1].isdigit():
        raise RunFailed(lines[0][:120] or f"exit status {done.returncode}")
    return int(lines[-1]), took


def commands(folder: str) -> dict[str, dict[str, list[str | Path]]]:
    """Engine → guest → command, to which mode and N are added."""
    guests = {name: ROOT / f"fixtures/built/{name}.wasm" for name in ("bench-libc", "sockets-bench")}
    options = ["run", "--dir", f"{folder}::/data", "-S", "inherit-network"]
    found: dict[str, dict[str, list[str | Path]]] = {"touchstone": {name: [TOUCHSTONE, *options, file] for name, file in guests.items()}}
    if tool := find_binary("wasmtime"):
        compiled: dict[str, list[str | Path]] = {}
        for name, file in guests.items():
            target = OUT / f"{name}.cwasm"
            LOGS.mkdir(parents=True, exist_ok=True)
            with (LOGS / "wasmtime.log").open("ab") as log:
                if stale(target, file) and subprocess.run([tool, "compile", "-o", target, file], stdout=log, stderr=log).returncode:
                    say(f"WASI: wasmtime cannot compile {file.name}")
                    return found
            compiled[name] = [tool, *options, "--allow-precompiled", target]
        found["wasmtime"] = compiled
    return found


def measure(full: bool) -> Times:
    times = Times()
    rounds, wanted = (7, 0.5) if full else (3, 0.1)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").write_bytes(os.urandom(1 << 20))
        here = commands(folder)
        times.engines = list(here)
        for task in TASKS:
            plan: list[tuple[str, list[str | Path], int, float]] = []
            for engine, guests in here.items():
                command = [*guests[task.guest], task.mode]
                try:
                    idle = min(run([*command, "0"], task.pipe)[1] for _ in range(3))
                    n, net = task.first, 0.0
                    while net < wanted / 2:
                        good, took = run([*command, str(n)], task.pipe)
                        if good != n:
                            raise RunFailed(f"wrong result: {good} of {n} went well")
                        net = max(took - idle, 1e-9)
                        if net < wanted / 2:
                            n = int(n * min(16, max(2, wanted / net)))
                except (RunFailed, OSError) as why:
                    times.errors.setdefault(task, {})[engine] = str(why)
                    continue
                times.seconds.setdefault(task, {})[engine] = net / n
                plan.append((engine, command, n, idle))
            for round_ in range(rounds):
                for engine, command, n, idle in plan[round_ % len(plan) :] + plan[: round_ % len(plan)] if plan else ():
                    _, took = run([*command, str(n)], task.pipe)
                    times.seconds[task][engine] = min(times.seconds[task][engine], max(took - idle, 1e-9) / n)
    say("WASI")
    return times
