"""A part of runtime/fuzz/every_byte.py: damaged productions of Binary.md get the verdict of wasm-tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / os.environ.get("BUILD", "build") / "libtouchstone.so"
SCRIPT = ROOT / "runtime/fuzz/every_byte.py"
TOOLS = Path(sys.executable).with_name("wasm-tools")

pytestmark = [
    pytest.mark.skipif(not LIBRARY.exists(), reason="libtouchstone.so is not built"),
    pytest.mark.skipif(not os.access(TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


def test_every_production_is_judged_as_wasm_tools_does(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--library", LIBRARY, "--work", tmp_path, "--step", "43"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tally = dict(part.rsplit(" ", 1) for part in done.stdout.strip().splitlines()[-1].split(": ", 1)[1].split(", "))
    assert int(tally["verdicts"]) > 8000
    assert int(tally["valid"]) > 200
