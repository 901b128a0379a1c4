"""One run of a real program on an engine: what it printed and wrote, and what it used.

In: a Ready program, the words of a command. Out: a Run, or RunFailed with the reason.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from prepare import OUT, find_binary
from real_build import Ready
from startup import TOUCHSTONE

TIMEOUT = 900.0
"""Seconds for a run. One that takes longer hangs."""
FORMS = ("interpreter", "compiled", "compiled-at-once", "compiled-mixed")
"""The values of touchstone's --engine."""


class RunFailed(Exception):
    """Why a run has no result."""


@dataclass(frozen=True)
class Run:
    """`output` is the checksum of what the program printed and of the files that it wrote."""

    output: str
    cpu: float  # seconds
    wall: float  # seconds
    peak: float  # MiB


def measured(ready: Ready, words: list[str], engine: str) -> Run:
    """Runs a command with an empty folder for the program's files. Raises RunFailed."""
    shutil.rmtree(ready.out, ignore_errors=True)
    ready.out.mkdir(parents=True)
    printed, errors = ready.folder / f"{engine}.stdout", ready.folder / f"{engine}.stderr"
    with printed.open("wb") as out, errors.open("wb") as err:
        reads, writes = os.pipe()
        with subprocess.Popen(
            [str(OUT / "launch"), "--report", str(writes), "1", *words],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, pass_fds=[writes], start_new_session=True, env=environment(), cwd=ready.folder,
        ) as process:  # fmt: skip
            os.close(writes)
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                os.close(reads)
                raise RunFailed(f"longer than {TIMEOUT:.0f} s") from None
            finally:
                if process.poll() is None:  # with what launch has started
                    os.killpg(process.pid, signal.SIGKILL)
        with os.fdopen(reads) as report:
            numbers = [int(word) for word in report.read().split()]
    if len(numbers) != 4:
        raise RunFailed("it could not be started")
    status, wall, cpu, peak = numbers
    if status != ready.program.status:
        lines = errors.read_text(errors="replace").strip().splitlines()
        raise RunFailed(f"exit status {status}, not {ready.program.status}: {' '.join(lines[:2])[:200]}")
    if not printed.stat().st_size and not any(ready.out.iterdir()):
        raise RunFailed("it printed and wrote nothing")
    return Run(digest(printed, ready.out), cpu / 1e6, wall / 1e6, peak / 1024)


def environment() -> dict[str, str]:
    """No variable that chooses an engine or a cache."""
    return {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}


def digest(printed: Path, out: Path) -> str:
    total = hashlib.sha256(printed.read_bytes())
    for file in sorted(path for path in out.rglob("*") if path.is_file()):
        total.update(f"{file.relative_to(out)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return total.hexdigest()


def grants(ready: Ready) -> list[str]:
    """These options are touchstone's and wasmtime's."""
    words = [f"--dir={host}::{guest}" for guest, host in ready.directories()]
    return [*words, *(f"--env={text}" for text in ready.program.env), "--argv0", ready.program.name]


def touchstone(ready: Ready, form: str = "compiled", options: tuple[str, ...] = ()) -> list[str]:
    invoke = ["--invoke", f"{ready.program.invoke}()"] if ready.program.invoke else []
    return [str(TOUCHSTONE), "run", "--engine", form, *options, *invoke, *ready.program.touchstone, *grants(ready), str(ready.wasm), *ready.program.arguments]


def kept(ready: Ready) -> list[str]:
    """touchstone with the code that an earlier run has left in a cache of its own. Raises RunFailed."""
    folder, stamp = ready.folder / "cache", ready.folder / "cache.made"
    words = touchstone(ready, options=("--cache", str(folder)))
    key = hashlib.sha256(TOUCHSTONE.read_bytes() + ready.wasm.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != key:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        measured(ready, words, "touchstone-fills-its-cache")
        stamp.write_text(key)
    return words


@functools.cache
def wasmtime_command() -> str:
    return find_binary("wasmtime") or ""


def wasmtime(ready: Ready, code: Path | None = None, flags: tuple[str, ...] = ()) -> list[str]:
    """With `code` it was compiled before, by `compiled`; without, it is compiled first and nothing is remembered."""
    how = ["--allow-precompiled"] if code else ["-C", "cache=n"]
    invoke = ["--invoke", ready.program.invoke] if ready.program.invoke else []
    return [wasmtime_command(), "run", *how, *flags, *invoke, *ready.program.wasmtime, *grants(ready), str(code or ready.wasm), *ready.program.arguments]


def compiled(ready: Ready, name: str, flags: tuple[str, ...] = ()) -> Path:
    """Compiles by wasmtime, once for each module. Raises RunFailed."""
    target = ready.folder / f"{name}.cwasm"
    stamp = ready.folder / f"{name}.made"
    key = f"{wasmtime_command()} {hashlib.sha256(ready.wasm.read_bytes()).hexdigest()}"
    if target.exists() and stamp.exists() and stamp.read_text() == key:
        return target
    words = [wasmtime_command(), "compile", *flags, *ready.program.wasmtime, "-o", str(target), str(ready.wasm)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise RunFailed(f"compiling takes longer than {TIMEOUT:.0f} s") from None
    if done.returncode != 0:
        raise RunFailed("it cannot compile this: " + " ".join(done.stderr.split())[:200])
    stamp.write_text(key)
    return target
