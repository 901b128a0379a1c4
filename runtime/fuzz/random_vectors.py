"""Random functions on vectors: more of them at once than there are registers, in locals and as operands, around loops, branches and calls.

In: a random number generator. Out: the text of a module whose export `go` takes an i32 and returns an i64 made of all results and the memory.
"""

from __future__ import annotations

import random

BINARY = [
    "i8x16.swizzle",
    "i8x16.eq",
    "i8x16.lt_u",
    "i16x8.ge_u",
    "i32x4.gt_s",
    "i64x2.lt_s",
    "v128.and",
    "v128.or",
    "v128.xor",
    "v128.andnot",
    "i8x16.add",
    "i16x8.add",
    "i32x4.add",
    "i64x2.add",
    "i8x16.sub",
    "i16x8.sub_sat_s",
    "i16x8.mul",
    "i32x4.mul",
    "i64x2.mul",
    "i8x16.min_u",
    "i16x8.max_s",
    "i8x16.avgr_u",
    "i8x16.narrow_i16x8_u",
    "i16x8.narrow_i32x4_s",
    "i32x4.dot_i16x8_s",
    "i16x8.extmul_low_i8x16_s",
    "i32x4.extmul_high_i16x8_u",
    "i64x2.extmul_low_i32x4_u",
    "i16x8.q15mulr_sat_s",
    "f32x4.pmin",
    "f64x2.pmax",
]
UNARY = [
    "v128.not",
    "i8x16.abs",
    "i8x16.neg",
    "i32x4.neg",
    "i16x8.extend_low_i8x16_u",
    "i32x4.extend_high_i16x8_s",
    "i64x2.extend_high_i32x4_u",
    "i8x16.popcnt",
    "i16x8.extadd_pairwise_i8x16_s",
    "i64x2.abs",
    "f32x4.neg",
    "f64x2.abs",
]
SHIFTS = ["i8x16.shl", "i16x8.shl", "i32x4.shr_u", "i64x2.shr_s", "i16x8.shr_s", "i64x2.shl", "i8x16.shr_u"]
TESTS = ["v128.any_true", "i16x8.all_true", "i8x16.bitmask", "i16x8.bitmask", "i32x4.bitmask"]
SPLATS = ("i8x16.splat", "i16x8.splat", "i32x4.splat")
REPLACES = ("i8x16.replace_lane 3", "i16x8.replace_lane 7", "i32x4.replace_lane 2")


class Function:
    """Expressions and statements of one function. `depth` bounds how deep an expression is."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.vectors = rng.randint(1, 5)

    def integer(self, depth: int) -> str:
        pick = self.rng.randrange(8 if depth > 0 else 2)
        if pick == 0:
            return f"(i32.const {self.rng.randrange(64)})"
        if pick == 1:
            return f"(local.get $i{self.rng.randrange(3)})"
        down = depth - 1
        if pick == 2:
            return f"(i32.add {self.integer(down)} {self.integer(down)})"
        if pick == 3:
            return f"(i8x16.extract_lane_u {self.rng.randrange(16)} {self.vector(down)})"
        if pick == 4:
            return f"(i32x4.extract_lane {self.rng.randrange(4)} {self.vector(down)})"
        if pick == 5:
            return f"({self.rng.choice(TESTS)} {self.vector(down)})"
        if pick == 6:
            return f"(i32.load {self.address(down)})"
        return f"(i32.div_u {self.integer(down)} (i32.or {self.integer(down)} (i32.const 1)))"

    def address(self, depth: int) -> str:
        return f"(i32.and {self.integer(depth)} (i32.const 1023))"

    def vector(self, depth: int) -> str:
        rng = self.rng
        if depth <= 0:
            leaves = (
                f"(v128.const i64x2 {rng.getrandbits(64)} {rng.getrandbits(64)})",
                f"(v128.load (i32.const {rng.randrange(1000)}))",
                f"(local.get $v{rng.randrange(self.vectors)})",
            )
            return rng.choice(leaves)
        pick, down = rng.randrange(12), depth - 1
        if pick < 4:
            return f"({rng.choice(BINARY)} {self.vector(down)} {self.vector(down)})"
        if pick == 4:
            return f"({rng.choice(UNARY)} {self.vector(down)})"
        if pick == 5:
            return f"({rng.choice(SHIFTS)} {self.vector(down)} {self.integer(depth - 2)})"
        if pick == 6:
            return f"(v128.bitselect {self.vector(down)} {self.vector(down)} {self.vector(depth - 2)})"
        if pick == 7:
            lanes = " ".join(str(rng.randrange(32)) for _ in range(16))
            return f"(i8x16.shuffle {lanes} {self.vector(down)} {self.vector(down)})"
        if pick == 8:
            return f"({rng.choice(SPLATS)} {self.integer(down)})"
        if pick == 9:
            return f"({rng.choice(REPLACES)} {self.vector(down)} {self.integer(down)})"
        return self.control(depth)

    def control(self, depth: int) -> str:
        """A vector that comes out of a block, a branch, a call, an assignment or a choice."""
        rng, down = self.rng, depth - 1
        pick = rng.randrange(7)
        if pick == 0:
            return f"(local.tee $v{rng.randrange(self.vectors)} {self.vector(down)})"
        if pick == 1:
            return f"(select {self.vector(down)} {self.vector(down)} {self.integer(down)})"
        if pick == 2:
            return f"(if (result v128) {self.integer(down)} (then {self.vector(down)}) (else {self.statements(1)} {self.vector(down)}))"
        if pick == 3:
            operation = rng.choice(("i8x16.add", "v128.xor", "i32x4.sub"))
            return f"(block (result v128) {self.vector(down)} (br_if 0 {self.integer(down)}) {self.vector(depth - 2)} {operation})"
        if pick == 4:
            return f"(call $other {self.vector(down)} {self.integer(depth - 2)} {self.vector(depth - 2)})"
        if pick == 5:
            return f"(v128.load {self.address(down)})"
        three = f"{self.vector(down)} {self.statements(1)} {self.vector(down)} {self.statements(1)} {self.vector(depth - 2)}"
        return f"(block (result v128) {three} i32x4.add v128.xor)"

    def statements(self, n: int) -> str:
        rng, out = self.rng, []
        for _ in range(n):
            pick = rng.randrange(7)
            if pick < 2:
                out.append(f"(local.set $v{rng.randrange(self.vectors)} {self.vector(2)})")
            elif pick == 2:
                out.append(f"(local.set $i{rng.randrange(1, 3)} {self.integer(2)})")
            elif pick == 3:
                out.append(f"(v128.store {self.address(1)} {self.vector(2)})")
            elif pick == 4:
                out.append(f"(i32.store8 {self.address(1)} {self.integer(2)})")
            elif pick == 5:
                out.append(f"(if {self.integer(1)} (then {self.statements(1)}))")
            else:
                out.append(f"(drop {self.vector(2)})")
        return " ".join(out)

    def text(self, name: str) -> str:
        rng = self.rng
        locals_ = " ".join(f"(local $v{k} v128)" for k in range(self.vectors))
        steps = "\n".join(
            f"{self.statements(2)} (local.set $v{rng.randrange(self.vectors)} {self.vector(rng.randint(2, 5))})"
            for _ in range(rng.randint(1, 4))
        )
        every = "(v128.const i32x4 1 2 3 4)" + "".join(f" (v128.xor (local.get $v{k}))" for k in range(self.vectors))
        return f"""(func {name} (param $i0 i32) (result v128) (local $i1 i32) (local $i2 i32) (local $left i32) {locals_}
(local.set $left (i32.const 5))
(loop $l {steps} (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br_if $l (local.get $left)))
{every})"""


def random_vectors(rng: random.Random, functions: int = 1) -> str:
    """The text of a module with so many functions, which `go` calls in turn."""
    data = "".join(f"\\{rng.randrange(256):02x}" for _ in range(256))
    bodies = "\n".join(Function(rng).text(f"$f{k}") for k in range(functions))
    calls = " ".join(mixed(f"(call $f{k} (local.get 0))") for k in range(functions))
    memory = mixed("(v128.load (local.get $at))")
    return f"""(module (memory 1) (data (i32.const 0) "{data}")
(func $other (param $a v128) (param $n i32) (param $b v128) (result v128)
  (i16x8.sub (i32x4.shl (local.get $a) (local.get $n)) (local.get $b)))
{bodies}
(func (export "go") (param i32) (result i64) (local $sum v128) (local $at i32)
  {calls}
  (loop $l {memory} (local.set $at (i32.add (local.get $at) (i32.const 16))) (br_if $l (i32.lt_u (local.get $at) (i32.const 1040))))
  (i64.xor (i64x2.extract_lane 0 (local.get $sum)) (i64.rotl (i64x2.extract_lane 1 (local.get $sum)) (i64.const 7)))))"""


def mixed(vector: str) -> str:
    return f"(local.set $sum (i32x4.add (i32x4.mul (local.get $sum) (v128.const i32x4 31 33 37 41)) {vector}))"
