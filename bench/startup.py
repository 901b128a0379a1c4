"""Whole processes: start-up of a small module and of components, decoding and validation of large ones."""

from __future__ import annotations

import functools
import os
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prepare import LOGS, OUT, ROOT, find, find_binary, native, wasm
from programs import PROGRAMS

TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"


@dataclass(frozen=True)
class Row:
    """A command run several times."""

    topic: str
    engine: str
    wall_ms: float  # the smallest
    median_ms: float
    cpu_ms: float
    peak_mib: float
    runs: int
    megabytes: float = 0.0  # that were decoded and validated
    cores: int = 0

    @property
    def rate(self) -> float:
        """Megabytes per second: of CPU time on one core, of elapsed time on several."""
        ms = self.cpu_ms if self.cores == 1 else self.wall_ms
        return self.megabytes / ms * 1000 if ms else 0.0


@dataclass(frozen=True)
class Failure:
    topic: str
    engine: str
    why: str


def launch(topic: str, engine: str, command: Sequence[str | Path], runs: int, megabytes: float = 0.0, cores: int = 0, status: int = 0) -> Row | Failure:
    before = os.sched_getaffinity(0)
    if cores:
        os.sched_setaffinity(0, set(sorted(before)[:cores]))
    try:
        done = subprocess.run([OUT / "launch", str(runs), *command], capture_output=True, text=True, timeout=60 + 60 * runs)
    except subprocess.TimeoutExpired:
        return Failure(topic, engine, "it takes longer than a minute")
    finally:
        os.sched_setaffinity(0, before)
    lines = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    if len(lines) != runs:
        return Failure(topic, engine, "it could not be started")
    if bad := [line[0] for line in lines if line[0] != status]:
        return Failure(topic, engine, f"exit status {bad[0]}")
    wall, cpu, peak = ([line[k] for line in lines] for k in (1, 2, 3))
    return Row(topic, engine, min(wall) / 1e3, statistics.median(wall) / 1e3, min(cpu) / 1e3, statistics.median(peak) / 1024, runs, megabytes, cores)


def code_megabytes(path: Path) -> float:
    """Size of the code sections of a core module, or of all core modules of a component."""

    def leb(data: bytes, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, at

    def sections(data: bytes) -> int:
        if data[:4] != b"\0asm":
            return 0
        core, at, total = data[4:8] == b"\1\0\0\0", 8, 0
        while at < len(data):
            kind = data[at]
            size, at = leb(data, at + 1)
            if core and kind == 10:
                total += size
            elif not core and kind in (1, 4):  # a core module, a component
                total += sections(data[at : at + size])
            at += size
        return total

    return sections(path.read_bytes()) / 1e6


WINCH = ("-C", "compiler=winch")  # wasmtime's fastest compiler: seconds for the large components, where Cranelift takes tens


def compiled(component: Path, *flags: str) -> Path | None:
    """By wasmtime, once."""
    tool = find_binary("wasmtime")
    target = OUT / f"{component.stem}.{'winch' if flags else 'component'}.cwasm"
    if not tool:
        return None
    if not target.exists() or target.stat().st_mtime < component.stat().st_mtime:
        LOGS.mkdir(parents=True, exist_ok=True)
        with (LOGS / "wasmtime.log").open("ab") as log:
            if subprocess.run([tool, "compile", *flags, "-o", target, component], stdout=log, stderr=log).returncode != 0:
                return None
    return target


def small_module(runs: int) -> Iterator[Row | Failure]:
    topic = "start-up: a core module of 300 bytes"
    module = wasm(PROGRAMS[0])
    if native(PROGRAMS[0]).exists():
        yield launch(topic, "native", [native(PROGRAMS[0]), "0"], runs)
    yield launch(topic, "touchstone", [OUT / "drive", module, "0"], runs)
    for name in ("wasm3", "wasmi", "wazero"):
        if (OUT / name).exists():
            yield launch(topic, name, [OUT / name, module, "0"], runs)
    if tool := find_binary("wasmtime"):
        yield launch(topic, "wasmtime run", [tool, "run", "-C", "cache=n", "--invoke", "run", module, "0"], runs)
        cwasm = OUT / "fib.cranelift.cwasm"
        if cwasm.exists():
            yield launch(topic, "wasmtime precompiled", [tool, "run", "--allow-precompiled", "--invoke", "run", cwasm, "0"], runs)
    if node := find("node"):
        yield launch(topic, "node", [node, ROOT / "bench/peers/node.mjs", module, "0"], max(2, runs // 5))


def printed(command: Sequence[str | Path]) -> bytes:
    return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=300).stdout


def launch_same(said: bytes, topic: str, status: int, engine: str, command: Sequence[str | Path], runs: int) -> Row | Failure:
    """Only if it prints what our runtime prints."""
    if not said or printed(command) != said:
        return Failure(topic, engine, "it prints something else")
    return launch(topic, engine, command, runs, status=status)


def components(runs: int, full: bool) -> Iterator[Row | Failure]:
    wasmtime, jco = find_binary("wasmtime"), find("jco")
    # The programs print their arguments and end at the first file, which they are not given: with status 1, Python's with a trap.
    for path, status in (
        (ROOT / "fixtures/built/hello.wasm", 0),
        (ROOT / "fixtures/built/program-libc.wasm", 1),
        (ROOT / "build/guests/program-js.wasm", 1),
        (ROOT / "build/guests/program-python.wasm", 134),
    ):
        if not path.exists():
            continue
        large = path.stat().st_size > 1 << 20
        topic = f"start-up: component {path.name}, {path.stat().st_size / 1e3:,.0f} KB"
        said = printed([TOUCHSTONE, "run", path])
        measure = functools.partial(launch_same, said, topic, status)
        yield measure("touchstone", [TOUCHSTONE, "run", path], runs)
        if large:
            yield measure("touchstone --cache", [TOUCHSTONE, "run", "--cache", OUT / "cache", path], runs)
        if wasmtime:
            flags: tuple[str, ...] = WINCH if large else ()
            if cwasm := compiled(path, *flags):
                yield measure("wasmtime precompiled", [wasmtime, "run", *flags, "--allow-precompiled", cwasm], runs)
            if large:
                yield measure("wasmtime run, Winch", [wasmtime, "run", *WINCH, "-C", "cache=n", path], 1)
            if full or not large:
                yield measure("wasmtime run", [wasmtime, "run", "-C", "cache=n", path], 1 if large else max(3, runs // 3))
        if jco and (full or not large):
            yield measure("jco run", [jco, "run", path], 2 if full else 1)


def loading(runs: int) -> Iterator[Row | Failure]:
    tools = find_binary("wasm-tools")
    for path in (
        ROOT / "node_modules/@bytecodealliance/componentize-js/lib/starlingmonkey_embedding.wasm",
        ROOT / "build/guests/program-js.wasm",
    ):
        if not path.exists():
            continue
        megabytes = code_megabytes(path)
        topic = f"decode and validate {path.name}, {megabytes:.1f} MB of code"
        for cores in (1, 2):
            if cores > len(os.sched_getaffinity(0)):
                continue
            yield launch(topic, f"touchstone, {cores} core" + "s" * (cores > 1), [TOUCHSTONE, "validate", path], runs, megabytes, cores)
            if tools:
                yield launch(topic, f"wasm-tools, {cores} core" + "s" * (cores > 1), [tools, "validate", path], runs, megabytes, cores)
