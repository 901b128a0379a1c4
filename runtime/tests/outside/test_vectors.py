"""Vectors in registers: random functions that hold more of them than there are registers give the same in each tier."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "runtime/fuzz"))
from random_vectors import random_vectors  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


def outcome(module: Path, *options: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [TOUCHSTONE, "run", *options, "--invoke", "go(77)", module],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("seed", range(6))
def test_random_functions_on_vectors_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    text, module = tmp_path / "it.wat", tmp_path / "it.wasm"
    text.write_text(random_vectors(random.Random(seed), 40))
    subprocess.run([WASM_TOOLS, "parse", text, "-o", module], check=True, timeout=60)
    expected = outcome(module, "--engine", "interpreter")
    assert expected[0] == 0 and int(expected[1]), expected
    assert outcome(module, "--engine", "compiled-at-once") == expected
    assert outcome(module, "--engine", "compiled-mixed") == expected
    assert outcome(module, "--engine", "compiled-at-once", "--fuel", "100000000") == expected
