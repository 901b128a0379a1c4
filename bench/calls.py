"""Calls: from one component to another, and from a component to the host's WASI functions; how many a second on each engine.

In: bench/src/calls/*.wat, whose exports take n, make n calls and return a checksum. Out: a row each. An engine's time is the CPU time
of a process with n calls less that of one with none, n chosen so that the difference is long; the least of several rounds counts.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engines import RunFailed, finish
from prepare import BENCH, LOGS, OUT, find_binary, run_logged, say, stale
from startup import TOUCHSTONE

BETWEEN, HOST = "between components", "to the host"
N_MAX = 1 << 31


@dataclass(frozen=True)
class Call:
    where: str
    export: str
    title: str
    size: int = 0  # bytes that a call moves, if those are counted

    @property
    def check(self) -> int:
        """As many calls as the checksum is taken of."""
        return 16 if self.size else 1000

    @property
    def source(self) -> str:
        return "between" if self.where == BETWEEN else "host"


CALLS = (
    Call(BETWEEN, "inside", "within one core module, for comparison"),
    Call(BETWEEN, "none", "no argument"),
    Call(BETWEEN, "add", "u32 → u32"),
    Call(BETWEEN, "take-string", "string of 16 bytes →"),
    Call(BETWEEN, "take-string16", "string of 16 bytes →, UTF-8 to UTF-16"),
    Call(BETWEEN, "give-string", "→ string of 16 bytes, with post-return"),
    Call(BETWEEN, "take-record", "record of 8 fields → u32"),
    Call(BETWEEN, "give-record", "u32 → record of 8 fields, through memory"),
    Call(BETWEEN, "half", "u32 → result<u32, u32>, through memory"),
    Call(BETWEEN, "method", "method of a resource"),
    Call(BETWEEN, "new-drop", "a resource, new and dropped"),
    Call(BETWEEN, "take-bytes", "list<u8> of 64 KiB →", 65536),
    Call(BETWEEN, "give-bytes", "→ list<u8> of 64 KiB, with post-return", 65536),
    Call(BETWEEN, "take-pairs", "list<tuple<u32, u32>> of 1000 →", 8000),
    Call(HOST, "now", "monotonic-clock.now"),
    Call(HOST, "wall-now", "wall-clock.now: a record"),
    Call(HOST, "insecure-u64", "get-insecure-random-u64"),
    Call(HOST, "random-bytes", "get-random-bytes(16): list<u8>"),
    Call(HOST, "arguments", "get-arguments: list<string> of one"),
    Call(HOST, "check-write", "output-stream.check-write: a method"),
    Call(HOST, "new-drop", "get-stdout and drop: a resource"),
    Call(HOST, "insecure-bytes", "get-insecure-random-bytes(64 KiB)", 65536),
)


@dataclass(frozen=True)
class Runner:
    """How an engine calls an export of one of the two components."""

    name: str
    commands: dict[str, Sequence[str]]  # source → command, to which `--invoke` and the file are added
    files: dict[str, Path]

    def run(self, call: Call, n: int) -> tuple[list[str], float]:
        return finish([*self.commands[call.source], "--invoke", f"{call.export}({n})", str(self.files[call.source])])


@dataclass
class Rates:
    """Calls per second, by call and engine, or the error instead."""

    engines: list[str] = field(default_factory=list)
    seconds: dict[Call, dict[str, float]] = field(default_factory=dict)  # for one call
    errors: dict[Call, dict[str, str]] = field(default_factory=dict)


def components() -> dict[str, Path]:
    tools = find_binary("wasm-tools")
    built: dict[str, Path] = {}
    for name in ("between", "host"):
        source, target = BENCH / f"src/calls/{name}.wat", OUT / f"calls-{name}.wasm"
        if stale(target, source):
            if not tools:
                say("calls are left out: wasm-tools is absent")
                return {}
            if not run_logged(f"calls-{name}", [tools, "parse", source, "-o", target]):
                return {}
        built[name] = target
    return built


def runners(files: dict[str, Path]) -> list[Runner]:
    here = [Runner("touchstone", dict.fromkeys(files, (str(TOUCHSTONE), "run")), files)]
    tool = find_binary("wasmtime") or ""
    for name, flags in (("Cranelift", ()), ("Pulley", ("--target", "pulley64"))) if tool else ():
        compiled: dict[str, Path] = {}
        for source, file in files.items():
            target = file.with_suffix(f".{name.lower()}.cwasm")
            LOGS.mkdir(parents=True, exist_ok=True)
            with (LOGS / "wasmtime.log").open("ab") as log:
                if stale(target, file) and subprocess.run([tool, "compile", *flags, "-o", target, file], stdout=log, stderr=log).returncode:
                    say(f"calls: {name} cannot compile {file.name}")
                    break
            compiled[source] = target
        else:
            here.append(Runner(name, dict.fromkeys(files, (tool, "run", *flags, "--allow-precompiled")), compiled))
    return here


def calibrated(runner: Runner, call: Call, idle: float, wanted: float) -> tuple[int, float]:
    """How many calls take about that many seconds, and how long they took."""
    n = call.check
    while True:
        _, used = runner.run(call, n)
        net = used - idle
        if net >= wanted * 0.5 or n == N_MAX:
            return n, max(net, 1e-9)
        # noise of the start-up hides anything below some milliseconds
        n = min(N_MAX, n * 8 if net < 0.01 else int(n * min(8, max(2, wanted * 1.2 / net))))


def measure(full: bool) -> Rates:
    files = components()
    rates = Rates()
    if not files:
        return rates
    here = runners(files)
    rates.engines = [r.name for r in here]
    rounds, wanted = (7, 0.5) if full else (2, 0.08)
    for call in CALLS:
        plan: list[tuple[Runner, int, float]] = []
        expected: list[str] | None = None
        for runner in here:
            try:
                said, _ = runner.run(call, call.check)
                if said != (expected := expected or said):
                    rates.errors.setdefault(call, {})[runner.name] = f"wrong result: {' '.join(said)}, not {' '.join(expected)}"
                    continue
                idle = min(runner.run(call, 0)[1] for _ in range(3))
                n, net = calibrated(runner, call, idle, wanted)
            except (RunFailed, OSError) as why:
                rates.errors.setdefault(call, {})[runner.name] = str(why)
                continue
            rates.seconds.setdefault(call, {})[runner.name] = net / n
            plan.append((runner, n, idle))
        for round_ in range(rounds):
            for runner, n, idle in plan[round_ % len(plan) :] + plan[: round_ % len(plan)] if plan else ():
                net = max(runner.run(call, n)[1] - idle, 1e-9)
                rates.seconds[call][runner.name] = min(rates.seconds[call][runner.name], net / n)
    say("calls")
    return rates
