"""The engines: how each runs one program, and how its time is taken."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from prepare import BENCH, LOGS, OUT, find, find_binary, native, wasm
from programs import Program

TIMEOUT = 600.0
INTERPRETED = "touchstone int."
"""Our engine without machine code."""
GC_FLAGS = ("-W", "gc=y,function-references=y")


@dataclass(frozen=True)
class Run:
    """One run: its result, and the CPU seconds of the call."""

    result: int
    seconds: float


class RunFailed(Exception):
    pass


@dataclass(frozen=True)
class Engine:
    name: str
    kind: str  # "interpreter", "compiler", "native"
    features: frozenset[str]
    command: Callable[[Program], Sequence[str] | None]  # without n; None: it cannot run this one
    reports: bool  # it prints its own CPU time after the result; otherwise the time of the process minus one with n = 0
    slow: bool = False  # one round is enough in the short form

    def supports(self, program: Program) -> bool:
        return not program.feature or program.feature in self.features

    def run(self, program: Program, n: int) -> Run:
        command = self.command(program)
        if command is None:
            raise RunFailed("it cannot compile this module")
        if self.reports:
            words, _ = finish([*command, str(n)])
            if len(words) < 2:
                raise RunFailed("no result")
            return Run(int(words[0]), float(words[1]))
        _, idle = finish([*command, "0"])
        words, all_of_it = finish([*command, str(n)])
        if not words:
            raise RunFailed("no result")
        return Run(int(words[0]), max(all_of_it - idle, 1e-6))


def finish(command: Sequence[str]) -> tuple[list[str], float]:
    """The words that a command prints, and the CPU seconds of its process."""
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=env) as process:
        # few lines: neither pipe fills up, so the process can be waited for first, with what it has used
        deadline = time.monotonic() + TIMEOUT
        pause = 0.002
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                process.kill()
                raise RunFailed(f"longer than {TIMEOUT:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stdout and process.stderr
        out, err = process.stdout.read().decode(), process.stderr.read().decode()
    if process.returncode != 0:
        lines = err.strip().splitlines()
        raise RunFailed(lines[0][:120] if lines else f"exit status {process.returncode}")
    return out.split(), used.ru_utime + used.ru_stime


def driver(path: Path, *flags: str) -> Callable[[Program], Sequence[str] | None]:
    return lambda program: [str(path), *flags, str(wasm(program))]


def wasmtime(kind: str, compile_flags: Sequence[str], run_flags: Sequence[str] = ()) -> Callable[[Program], Sequence[str] | None]:
    tool = find_binary("wasmtime") or ""

    def command(program: Program) -> Sequence[str] | None:
        gc = GC_FLAGS if program.feature == "gc" else ()
        target = OUT / f"{program.name}.{kind}.cwasm"
        if not target.exists() or target.stat().st_mtime < wasm(program).stat().st_mtime:
            LOGS.mkdir(parents=True, exist_ok=True)
            with (LOGS / "wasmtime.log").open("ab") as log:
                made = subprocess.run([tool, "compile", *compile_flags, *gc, "-o", target, wasm(program)], stdout=log, stderr=log)
            if made.returncode != 0:
                return None
        return [tool, "run", *run_flags, *gc, "--allow-precompiled", "--invoke", "run", str(target)]

    return command


def node_knows_gc(node: str) -> bool:
    """The module that holds an empty struct type, in the final encoding, is valid."""
    script = "process.exit(WebAssembly.validate(new Uint8Array([0,97,115,109,1,0,0,0,1,3,1,95,0])) ? 0 : 1)"
    return subprocess.run([node, "-e", script], capture_output=True).returncode == 0


def engines() -> tuple[list[Engine], list[str]]:
    """The engines that are installed, in the order of the table, and the names of the others."""
    none, simd, both = frozenset[str](), frozenset({"simd"}), frozenset({"simd", "gc"})
    here = [
        Engine("touchstone", "compiler", both, driver(OUT / "drive"), reports=True),
        Engine(INTERPRETED, "interpreter", both, driver(OUT / "drive", "-i"), reports=True),
    ]
    absent: list[str] = []

    def add(engine: Engine, there: bool) -> None:
        if there:
            here.append(engine)
        else:
            absent.append(engine.name)

    for name, features, slow in (("wasm3", none, False), ("wasmi", simd, False), ("wazero int.", simd, True)):
        path = OUT / name.split()[0]
        add(Engine(name, "interpreter", features, driver(path), reports=True, slow=slow), path.exists())
    tool = find_binary("wasmtime") is not None
    pulley = ("--target", "pulley64")
    winch = ("-C", "compiler=winch")
    add(Engine("Pulley", "interpreter", both, wasmtime("pulley", pulley, pulley), reports=False, slow=True), tool)
    add(Engine("Winch", "compiler", simd, wasmtime("winch", winch, winch), reports=False), tool)
    add(Engine("Cranelift", "compiler", both, wasmtime("cranelift", ()), reports=False), tool)
    node = find("node")
    features = both if node and node_knows_gc(node) else simd
    add(Engine("node V8", "compiler", features, lambda p: [node or "", str(BENCH / "peers/node.mjs"), str(wasm(p))], reports=True), node is not None)
    built = lambda p: [str(native(p))] if native(p).exists() else None  # noqa: E731
    add(Engine("gcc -O2", "native", both, built, reports=True), find("gcc", "cc") is not None)
    return here, absent
