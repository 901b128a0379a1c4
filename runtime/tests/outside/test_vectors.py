"""Vectors in registers: random functions that hold more of them than there are registers give the same in each tier."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import same_in_each_tier

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "runtime/fuzz"))
from random_vectors import random_vectors  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


@pytest.mark.parametrize("seed", range(6))
def test_random_functions_on_vectors_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    same_in_each_tier(assemble(tmp_path, random_vectors(random.Random(seed), 40)), "go(77)")
