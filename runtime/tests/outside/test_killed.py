"""`touchstone run --outcome FILE`: what the file says if a signal ends the process, and that the signal still ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
# It writes a byte to stdout, so that one knows that it runs, and does not end.
FOR_EVER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\01\\00\\00\\00") (data (i32.const 16) "x")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) (loop $again (br $again))))"""


def started(folder: Path, *options: str, ignore: int | None = None) -> subprocess.Popen[bytes]:
    """A guest that runs for ever, and has begun to."""
    wasm = assemble(folder, FOR_EVER)

    def before() -> None:  # a job in the background has SIGINT ignored
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number == ignore else signal.SIG_DFL)

    command = [TOUCHSTONE, "run", *options, wasm]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before)
    assert process.stdout and process.stdout.read(1) == b"x", process.communicate()
    return process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_the_outcome_names_the_signal(tmp_path: Path, name: str) -> None:
    process = started(tmp_path, "--outcome", str(tmp_path / "out.json"))
    process.send_signal(getattr(signal, name))
    assert process.wait(60) == -getattr(signal, name)
    process.communicate()
    said = json.loads((tmp_path / "out.json").read_text())
    assert said == {"schema": "touchstone-outcome/1", "outcome": "killed", "signal": name}


def test_a_signal_that_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    process = started(tmp_path, "--outcome", str(tmp_path / "out.json"), ignore=signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    process.communicate()
    assert json.loads((tmp_path / "out.json").read_text())["signal"] == "SIGTERM"
