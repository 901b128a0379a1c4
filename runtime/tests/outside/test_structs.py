"""Structs that machine code makes: every kind of field, in every tier, while the collector runs."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import same_in_each_tier

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

MADE = {
    "i8": "(i32.wrap_i64 (local.get $n))",
    "i16": "(i32.wrap_i64 (i64.rotr (local.get $n) (i64.const 3)))",
    "i32": "(i32.wrap_i64 (i64.rotr (local.get $n) (i64.const 5)))",
    "i64": "(i64.mul (local.get $n) (i64.const 0x9e3779b97f4a7c15))",
    "f32": "(f32.convert_i64_s (local.get $n))",
    "f64": "(f64.convert_i64_s (i64.rotr (local.get $n) (i64.const 9)))",
    "v128": "(i64x2.splat (local.get $n))",
    "(ref null $list)": "(local.get $last)",
    "(ref null i31)": "(ref.i31 (i32.wrap_i64 (local.get $n)))",
}
READ = {
    "i8": "(i64.extend_i32_s (struct.get_s {} {}))",
    "i16": "(i64.extend_i32_u (struct.get_u {} {}))",
    "i32": "(i64.extend_i32_s (struct.get {} {}))",
    "i64": "(struct.get {} {})",
    "f32": "(i64.extend_i32_s (i32.reinterpret_f32 (struct.get {} {})))",
    "f64": "(i64.reinterpret_f64 (struct.get {} {}))",
    "v128": "(i64x2.extract_lane 1 (struct.get {} {}))",
    "(ref null $list)": "(call $length (struct.get {} {}))",
    "(ref null i31)": "(i64.extend_i32_s (i31.get_s (ref.as_non_null (struct.get {} {}))))",
}


def module(rng: random.Random, types: int) -> str:
    """`go` makes objects of each type, keeps some of them in a list, and adds up what is in all of them afterwards."""
    kinds = [[rng.choice(list(MADE)) for _ in range(rng.choice((0, 1, 2, 3, 5, 9, 17, 30)))] for _ in range(types)]
    texts, makes, sums = [], [], []
    for k, fields in enumerate(kinds):
        texts.append(f"(type $t{k} (sub $any (struct {' '.join(f'(field (mut {f}))' for f in fields)})))")
        new = f"(struct.new $t{k} {' '.join(MADE[f] for f in fields)})"
        keep = f"(local.set $last (struct.new $list (local.get $n) {new} (local.get $last)))"
        makes.append(
            f"(if (i64.eqz (i64.rem_u (local.get $n) (i64.const {rng.randint(2, 40)}))) (then {keep}) (else (drop {new})))"
        )
        read = "(i64.const 1)"
        for i, f in enumerate(fields):
            one = READ[f].format(f"$t{k}", f"{i} (ref.cast (ref $t{k}) (local.get $o))")
            read = f"(i64.add (i64.mul {read} (i64.const 31)) {one})"
        sums.append(f"(if (ref.test (ref $t{k}) (local.get $o)) (then (return {read})))")
    plain = next((k for k, fields in enumerate(kinds) if "(ref null i31)" not in fields), None)
    default = (
        ""
        if plain is None
        else f"(local.set $sum (i64.add (local.get $sum) (call $of (struct.new_default $t{plain}))))"
    )
    return f"""(module
(rec (type $any (sub (struct))) (type $list (struct (field i64) (field (ref $any)) (field (ref null $list)))) {" ".join(texts)})
(func $length (param $l (ref null $list)) (result i64) (local $n i64)
  (block $end (loop $next (br_if $end (ref.is_null (local.get $l))) (local.set $n (i64.add (local.get $n) (i64.const 1)))
    (local.set $l (struct.get $list 2 (local.get $l)))
    (br_if $next (i64.lt_u (local.get $n) (i64.const 4)))))
  (local.get $n))
(func $of (param $o (ref $any)) (result i64) {" ".join(sums)} (i64.const 77))
(func (export "go") (param $count i64) (result i64) (local $n i64) (local $last (ref null $list)) (local $sum i64)
  (loop $again {" ".join(makes)} (local.set $n (i64.add (local.get $n) (i64.const 1)))
    (br_if $again (i64.lt_u (local.get $n) (local.get $count))))
  {default}
  (block $end (loop $next (br_if $end (ref.is_null (local.get $last)))
    (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 1))
      (i64.xor (struct.get $list 0 (local.get $last)) (call $of (struct.get $list 1 (local.get $last))))))
    (local.set $last (struct.get $list 2 (local.get $last)))
    (br $next)))
  (local.get $sum)))"""


@pytest.mark.parametrize("seed", range(8))
def test_random_structs_are_the_same_in_each_tier(seed: int, tmp_path: Path) -> None:
    same_in_each_tier(assemble(tmp_path, module(random.Random(seed), 12)), "go(9000)")


@pytest.mark.parametrize("floats", range(8))
def test_a_slot_that_floats_and_references_share(floats: int, tmp_path: Path) -> None:
    """The operand stack's slot of a product is that of the struct, which nothing but operations on references reads."""
    locals_ = " ".join(f"(local $f{k} f64)" for k in range(floats))
    sums = " ".join(
        f"(local.set $f{k} (f64.add (local.get $f{k}) (f64.add (local.get $x) (f64.mul (local.get $f{k}) (local.get $x)))))" for k in range(floats)
    )
    half = "(f64.sub (f64.mul (local.get $x) (f64.const {})) (f64.div (local.get $x) (f64.const {})))"
    made = "(struct.new $s (local.get $r) (local.get $i))"
    text = f"""(module (rec (type $s (struct (field (ref null $s)) (field i32))))
(func $f (param $i i32) (param $x f64) (param $r (ref null $s)) (param $k i32) (result i32) (local $n i32) {locals_}
  (loop $l {sums} (local.set $x (f64.add {half.format(1.5, 3)} {half.format(0.5, 7)})) (local.set $r {made})
    (local.set $n (i32.add (local.get $n) (struct.get $s 1 (local.get $r))))
    (if (i32.gt_u (local.get $i) (local.get $k)) (then (local.set $r (struct.get $s 0 (struct.get $s 0 {made})))))
    (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (i32.add (local.get $n) (i32.trunc_sat_f64_s (local.get $x))))
(func (export "go") (param i32) (result i32) (call $f (local.get 0) (f64.const 2) (ref.null $s) (i32.const 3))))"""
    same_in_each_tier(assemble(tmp_path, text), "go(10)")


@pytest.mark.parametrize("way", ["copied", "passed", "thrown", "returned"])
def test_a_slot_that_f32_and_references_share(way: str, tmp_path: Path) -> None:
    """A register of an f32 keeps 32 bits. What only copies and calls take is not read as a reference by any operation.

    Other locals take the registers, so that the reference goes to the frame. The handler keeps all slots alive.
    """
    made, four = "(call $four (local.get $i))", "(result f32 f32 f32 (ref null $s))"
    rest = "(local.set $r) (drop) (drop) (drop)"
    takes = {
        "copied": f"{made} {rest}",
        "passed": f"{made} (call $last) (local.set $r)",
        "thrown": f"(block $caught {four} (try_table (catch $e $caught) {made} (throw $e)) (unreachable)) {rest}",
        "returned": f"(block {four} {made} (br_if 0 (local.get $i)) (drop) (drop) (drop) (drop) {made}) {rest}",
    }[way]
    others = [f"$k{k}" for k in range(24)]
    sums = " ".join(f"(local.set {k} (i32.add (i32.mul (local.get {k}) (i32.const 3)) (i32.add (local.get {k}) (local.get $i))))" for k in others)
    deep = "(local.get $x)"
    for _ in range(3):
        deep = f"(f32.add (f32.mul {deep} (local.get $y)) (f32.sub (f32.div (local.get $y) {deep}) (f32.mul (local.get $x) (local.get $y))))"
    text = f"""(module (rec (type $s (struct (field i32) (field (ref null $s))))) (tag $e (param f32 f32 f32 (ref null $s)))
(func $four (param i32) (result f32 f32 f32 (ref null $s)) (f32.const 1) (f32.const 2) (f32.const 3) (struct.new $s (local.get 0) (ref.null $s)))
(func $last (param f32 f32 f32 (ref null $s)) (result (ref null $s)) (local.get 3))
(func $f (param $i i32) (param $x f32) (param $y f32) (result i32) (local $sum i32) (local $r (ref null $s)) (local $kept (ref null $s))
  {" ".join(f"(local {k} i32)" for k in others)}
  (block $done (try_table (catch_all $done) (call $throws (local.get $i))))
  (loop $l {sums} {sums} (local.set $x {deep}) {takes} (call $none) (local.set $kept (local.get $r)) (local.set $y (f32.add (local.get $x) (local.get $y)))
    (local.set $sum (i32.add (local.get $sum) (struct.get $s 0 (local.get $kept))))
    (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
  (i32.add (local.get $sum) (i32.add (local.get $k23) (i32.trunc_sat_f32_s (local.get $x)))))
(func $none)
(func $throws (param i32) (throw $e (f32.const 0) (f32.const 0) (f32.const 0) (ref.null $s)))
(func (export "go") (param i32) (result i32) (call $f (local.get 0) (f32.const 1.5) (f32.const 0.75))))"""
    same_in_each_tier(assemble(tmp_path, text), "go(10)")
