"""If the command cannot write its own output, it exits with 125 and a reason. A guest's output is its own affair."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"
BUILT = ROOT / "fixtures/built"
HELLO = BUILT / "hello.wasm"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")


def run(
    *argv: str | Path, stdout: int | IO[bytes] = subprocess.PIPE, limit: int | None = None, close: tuple[int, ...] = ()
) -> tuple[int, str, str]:
    """Status, stdout and stderr. limit: the largest file; close: descriptors that are closed at the start."""

    def prepare() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        for fd in close:
            os.close(fd)

    done = subprocess.run(
        [TOUCHSTONE, *argv],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        preexec_fn=prepare,
    )
    return done.returncode, (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace")


def script(folder: Path) -> Path:
    (folder / "s.json").write_text('{"source_filename":"s.wast","commands":[{"type":"wait","line":1}]}')
    return folder / "s.json"


def core(folder: Path) -> Path:
    (folder / "m.wasm").write_bytes(
        bytes.fromhex("0061736d0100000001050160 00017f 03020100 0705010166 0000 0a06010400412a0b".replace(" ", ""))
    )
    return folder / "m.wasm"


Prints = Callable[[Path], list[str | Path]]
PRINTING: dict[str, Prints] = {
    "help": lambda _: ["--help"],
    "version": lambda _: ["--version"],
    "help of a command": lambda _: ["run", "--help"],
    "inspect a component": lambda _: ["inspect", HELLO],
    "inspect a module": lambda folder: ["inspect", core(folder)],
    "show the grants": lambda _: ["run", "--show-grants", "--env", "A=1", HELLO],
    "invoke": lambda folder: ["run", "--invoke", "f", core(folder)],
    "wast": lambda folder: ["wast", script(folder)],
}


@needs_full
@pytest.mark.parametrize("name", PRINTING)
def test_a_full_device(name: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        status, _, said = run(*PRINTING[name](tmp_path), stdout=full)
    assert (
        status == 125
        and said.count("cannot write to stdout: No space left on device") == 1
    ), said


@pytest.mark.parametrize("name", PRINTING)
def test_a_closed_stdout(name: str, tmp_path: Path) -> None:
    status, _, said = run(*PRINTING[name](tmp_path), close=(1,))
    assert (
        status == 125 and said.count("cannot write to stdout: Bad file descriptor") == 1
    ), said


@pytest.mark.parametrize("name", PRINTING)
def test_a_pipe_that_nobody_reads(name: str, tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as out:
        status, _, said = run(*PRINTING[name](tmp_path), stdout=out)
    assert status == 125 and said.count("cannot write to stdout: Broken pipe") == 1, said


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        status, _, said = run("inspect", HELLO, stdout=out, limit=100)
    assert status == 125 and "cannot write to stdout: File too large" in said


@pytest.mark.parametrize("option", ["--trace-output", "--record", "--outcome"])
@needs_full
def test_files_of_a_run_on_a_full_device(option: str) -> None:
    status, out, said = run("run", option, "/dev/full", HELLO)
    assert (
        status == 125
        and out.startswith("hello")
        and said.count("cannot write") + said.count("could not be written") >= 1
    ), said
    assert "No space left on device" in said, said


@pytest.mark.parametrize("option", ["--trace-output", "--record", "--outcome"])
def test_files_of_a_run_that_may_not_grow(option: str, tmp_path: Path) -> None:
    status, out, said = run("run", option, tmp_path / "file", HELLO, limit=20)
    assert status == 125 and out.startswith("hello") and "File too large" in said, said


@needs_full
def test_the_outcome_says_that_the_trace_was_lost(tmp_path: Path) -> None:
    status, _, _ = run("run", "--trace-output", "/dev/full", "--outcome", tmp_path / "o", HELLO)
    outcome = json.loads((tmp_path / "o").read_text())
    assert status == 125 and outcome["outcome"] == "io-error" and "trace" in outcome["message"]


@needs_full
def test_results_of_a_script(tmp_path: Path) -> None:
    status, _, said = run("wast", script(tmp_path), "--results", "/dev/full")
    assert status == 125 and "cannot write the results to /dev/full: No space left on device" in said


@needs_full
def test_a_trace_on_stderr_that_is_full() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [TOUCHSTONE, "run", "--trace", HELLO],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=60,
            check=False,
        )
    assert done.returncode == 125


def test_a_guest_whose_stdout_is_gone_sees_errors_of_wasi() -> None:
    """The command itself prints nothing then, so a failure to write concerns the guest alone."""
    _status, _, said = run("run", "--trace", HELLO, close=(1,))
    assert "cannot write to stdout" not in said and "err(closed)" in said, said


@needs_full
@pytest.mark.parametrize("option", ["--log", "--trace-output"])
def test_a_log_of_serve_on_a_full_device(option: str) -> None:
    server = subprocess.Popen(
        [TOUCHSTONE, "serve", "--addr", "127.0.0.1:0", f"{option}=/dev/full", BUILT / "serve-minimal.wasm"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert server.stderr is not None
        line = server.stderr.readline().decode()
        port = int(line.rstrip("/\n").rpartition(":")[2])
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while peer.recv(65536):
                    pass
        server.send_signal(signal.SIGTERM)
        said = server.stderr.read().decode()
        assert server.wait(60) == 125
        assert said.count("to /dev/full: No space left on device") == 1, said
    finally:
        server.kill()
        server.wait()
