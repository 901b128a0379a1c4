"""Files that the command reads: pipes with and without a writer, and a mapped component that is truncated while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
BUILT = ROOT / "fixtures/built"
HELLO = BUILT / "hello.wasm"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([TOUCHSTONE, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "argv",
    [
        ("run", "--policy", "FIFO", HELLO),
        ("run", "--replay", "FIFO", HELLO),
        ("run", "--ca", "FIFO", HELLO),
        ("run", "FIFO"),
        ("validate", "FIFO"),
        ("inspect", "FIFO"),
    ],
    ids=lambda argv: "-".join(map(str, argv[:2])),
)
def test_a_pipe_that_nobody_writes_to(argv: tuple[str | Path, ...], tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = run(*(fifo if word == "FIFO" else word for word in argv))
    assert done.returncode == 125, done.stderr
    assert str(fifo) in done.stderr and "it is a pipe that no program writes to" in done.stderr


@pytest.mark.parametrize("chunks", [[b"fuel", b" = 1", b"00000000\n"], [b"fuel = 100000000\n"], [b"", b""]])
def test_a_pipe_with_a_slow_writer(chunks: list[bytes], tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def write() -> None:
        time.sleep(0.3)
        with fifo.open("wb", buffering=0) as f:
            for chunk in chunks:
                f.write(chunk)
                time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    done = run("run", "--policy", fifo, "--show-grants")
    writer.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("fuel = 100000000\n" if any(chunks) else "")


def test_a_component_comes_through_a_pipe(tmp_path: Path) -> None:
    """A pipe holds less than the component: the writer blocks until it is read."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(HELLO.read_bytes()))
    writer.start()
    done = run("run", fifo)
    writer.join()
    assert (done.returncode, done.stdout) == (run("run", HELLO).returncode, run("run", HELLO).stdout)


def test_a_component_that_is_truncated_while_it_runs(tmp_path: Path) -> None:
    program, outcome = tmp_path / "program.wasm", tmp_path / "outcome.json"
    program.write_bytes((BUILT / "cli-stdin.wasm").read_bytes())
    process = subprocess.Popen(
        [TOUCHSTONE, "run", "--trace", "--outcome", outcome, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stderr
    line = b""
    while b"get-stdin" not in line:  # it runs: the file is mapped and validated
        line = process.stderr.readline()
        assert line, "the guest does not read stdin"
    os.truncate(program, 0)
    _, said = process.communicate(b"some text\n" * 3, timeout=60)
    assert process.returncode == 125, said
    assert f"touchstone: io-error: {program} was truncated while it was in use\n".encode() in said
    assert json.loads(outcome.read_text())["outcome"] == "io-error"
