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


def test_relaxed_sums_of_products_saturate(tmp_path: Path) -> None:
    """Of -128 * -128 twice: 32767, as in the deterministic profile, in each tier."""
    most = "(v128.const i64x2 0x8080808080808080 0x8080808080808080)"
    text = f"""(module (func (export "go") (param i32) (result i32)
  (i32.add (i16x8.extract_lane_s 3 (i16x8.relaxed_dot_i8x16_i7x16_s {most} {most}))
    (i32x4.extract_lane 2 (i32x4.relaxed_dot_i8x16_i7x16_add_s {most} {most} (v128.const i32x4 1 2 3 4))))))"""
    wasm = assemble(tmp_path, text)
    assert outcome(wasm, "go(0)", "interpreter") == (0, f"{32767 + 2 * 32767 + 3}\n", "")
    same_in_each_tier(wasm, "go(0)")


@pytest.mark.parametrize("seed", range(6))
def test_random_functions_on_vectors_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    same_in_each_tier(assemble(tmp_path, random_vectors(random.Random(seed), 40)), "go(77)")


@pytest.mark.parametrize("floats", (6, 14, 28))
def test_a_vector_that_is_only_stored_takes_no_register_of_a_float(floats: int, tmp_path: Path) -> None:
    n = range(floats)
    sums = " ".join(f"(local.set $f{k} (f64.add (local.get $f{k}) (local.get $f{(k + 1) % floats})))" for k in n)
    whole = "(f64.const 0)" + "".join(f" (f64.add (local.get $f{k}))" for k in n)
    text = f"""(module (memory 1)
(func $f (param $i i32) (param $v v128) {" ".join(f"(param $f{k} f64)" for k in n)} (result i64)
  (loop $l {sums} (v128.store (i32.const 0) (local.get $v)) {sums}
    (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (i64.trunc_f64_s {whole}))
(func (export "go") (param i32) (result i64)
  (call $f (local.get 0) (v128.const i64x2 0x4045000000000000 -1) {" ".join(f"(f64.const {k + 1})" for k in n)})
  (i64.add (i64.load (i32.const 8)))))"""
    same_in_each_tier(assemble(tmp_path, text), "go(5)")
