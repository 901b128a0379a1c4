"""Vectors in registers: random functions that hold more of them than there are registers give the same in each tier."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import outcome, same_in_each_tier

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "runtime/fuzz"))
from random_vectors import random_vectors  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


RELAXED = ["f32x4_s", "f32x4_u", "f64x2_s_zero", "f64x2_u_zero"]


def test_relaxed_truncation_saturates(tmp_path: Path) -> None:
    """As in the deterministic profile: of each value the same as the operation that is not relaxed."""
    values = ["0", "-1.5", "2.5", "3e9", "-3e9", "5e9", "inf", "-inf", "nan"]
    of = {"f32x4": "f32x4.splat (f32.const {})", "f64x2": "f64x2.splat (f64.const {})"}
    tests = [
        f"(i32x4.all_true (i32x4.eq (i32x4.relaxed_trunc_{name} ({of[name[:5]].format(v)})) (i32x4.trunc_sat_{name} ({of[name[:5]].format(v)}))))"
        for name in RELAXED
        for v in values
    ]
    sums = "\n".join(f"(local.set $n (i32.add (local.get $n) {test}))" for test in tests)
    wasm = assemble(tmp_path, f'(module (func (export "go") (param i32) (result i32) (local $n i32) {sums} (local.get $n)))')
    assert outcome(wasm, "go(0)", "interpreter") == (0, f"{len(RELAXED) * len(values)}\n", "")
    same_in_each_tier(wasm, "go(0)")


@pytest.mark.parametrize("seed", range(6))
def test_random_functions_on_vectors_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    same_in_each_tier(assemble(tmp_path, random_vectors(random.Random(seed), 40)), "go(77)")
