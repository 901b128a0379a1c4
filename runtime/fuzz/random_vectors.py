"""Random functions on vectors: more of them at once than there are registers, in locals and as operands, around loops, branches and calls.

In: a random number generator. Out: the text of a module whose export `go` takes an i32 and returns an i64 made of all results and the memory.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path

OPERATIONS = Path(__file__).resolve().parents[1] / "core/code/ir_simd.def"
ROW = re.compile(r"^IR_V\((\w+), (\w+), (\w+)\)$", re.MULTILINE)
FLOATS = {"CANON_F32": "f32x4", "CANON_F64": "f64x2"}
LOADS = ("8x8_s", "8x8_u", "16x4_s", "16x4_u", "32x2_s", "32x2_u", "8_splat", "16_splat", "32_splat", "64_splat", "32_zero", "64_zero")
TYPES = {"i64x2": "i64", "f32x4": "f32", "f64x2": "f64"}


@dataclass(frozen=True)
class Operation:
    """One of ir_simd.def. floats: the lanes that may be NaNs which differ from tier to tier, or empty."""

    name: str
    floats: str

    @property
    def lanes(self) -> str:
        return self.name.split(".")[0]


def operations() -> dict[str, list[Operation]]:
    """By the first word of the shape: UNARY, BINARY, TERNARY, SHIFT, TEST, SPLAT, EXTRACT, REPLACE."""
    found: dict[str, list[Operation]] = {}
    for name, shape, nan in ROW.findall(OPERATIONS.read_text()):
        found.setdefault(shape.split("_")[0], []).append(Operation(name.replace("_", ".", 1), FLOATS.get(nan, "")))
    return found


ALL = operations()
VECTORS = {"UNARY": 1, "BINARY": 2, "TERNARY": 3}


class Function:
    """Expressions and statements of one function. `depth` bounds how deep an expression is."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.vectors = rng.choice((1, 2, 3, 5, 18))

    def integer(self, depth: int) -> str:
        pick = self.rng.randrange(8 if depth > 0 else 2)
        if pick == 0:
            return f"(i32.const {self.rng.randrange(64)})"
        if pick == 1:
            return f"(local.get $i{self.rng.randrange(3)})"
        down = depth - 1
        if pick == 2:
            return f"(i32.add {self.integer(down)} {self.integer(down)})"
        if pick in (3, 4):
            return self.extracted(down)
        if pick == 5:
            return f"({self.rng.choice(ALL['TEST']).name} {self.vector(down)})"
        if pick == 6:
            return f"(i32.load {self.address(down)})"
        return f"(i32.div_u {self.integer(down)} (i32.or {self.integer(down)} (i32.const 1)))"

    def lane(self, operation: Operation) -> int:
        return self.rng.randrange(int(operation.lanes.split("x")[1]))

    def extracted(self, depth: int) -> str:
        operation = self.rng.choice(ALL["EXTRACT"])
        value = f"({operation.name} {self.lane(operation)} {self.vector(depth)})"
        wrap = {"i64": "(i32.wrap_i64 {})", "f32": "(i32.reinterpret_f32 {})", "f64": "(i32.wrap_i64 (i64.reinterpret_f64 {}))"}
        return wrap.get(TYPES.get(operation.lanes, ""), "{}").format(value)

    def scalar(self, operation: Operation, depth: int) -> str:
        """An operand of the type of the lanes."""
        of = {"i64": "(i64.extend_i32_s {})", "f32": "(f32.convert_i32_s {})", "f64": "(f64.convert_i32_u {})"}
        return of.get(TYPES.get(operation.lanes, ""), "{}").format(self.integer(depth))

    def computed(self, shape: str, depth: int) -> str:
        """The result of an operation. NaNs, whose bits may differ from tier to tier, become 0."""
        operation = self.rng.choice(ALL[shape])
        value = f"({operation.name} {' '.join(self.vector(depth - k // 2) for k in range(VECTORS[shape]))})"
        if not operation.floats:
            return value
        return f"(v128.and (local.tee $t {value}) ({operation.floats}.eq (local.get $t) (local.get $t)))"

    def address(self, depth: int) -> str:
        return f"(i32.and {self.integer(depth)} (i32.const 1023))"

    def vector(self, depth: int) -> str:
        rng = self.rng
        if depth <= 0:
            leaves = (
                f"(v128.const i64x2 {rng.getrandbits(64)} {rng.getrandbits(64)})",
                f"(v128.load (i32.const {rng.randrange(1000)}))",
                f"(local.get $v{rng.randrange(self.vectors)})",
                rng.choice(("(global.get $g)", "(local.get $v0)")),
            )
            return rng.choice(leaves)
        pick, down = rng.randrange(14), depth - 1
        if pick < 6:
            return self.computed(rng.choice(("UNARY", "BINARY", "BINARY", "BINARY", "TERNARY")), down)
        if pick == 6:
            return f"({rng.choice(ALL['SHIFT']).name} {self.vector(down)} {self.integer(depth - 2)})"
        if pick == 7:
            first, step = rng.randrange(32), rng.choice((0, 1, 2))
            lanes = rng.choice(([rng.randrange(32) for _ in range(16)], [(first + k * step) % 32 for k in range(16)]))
            return f"(i8x16.shuffle {' '.join(map(str, lanes))} {self.vector(down)} {self.vector(down)})"
        if pick == 8:
            operation = rng.choice(ALL["SPLAT"])
            return f"({operation.name} {self.scalar(operation, down)})"
        if pick == 9:
            operation = rng.choice(ALL["REPLACE"])
            return f"({operation.name} {self.lane(operation)} {self.vector(down)} {self.scalar(operation, down)})"
        if pick == 10:
            return f"(v128.load{rng.choice(LOADS)} offset={rng.randrange(40)} {self.address(down)})"
        if pick == 11:
            bits = rng.choice((8, 16, 32, 64))
            return f"(v128.load{bits}_lane offset={rng.randrange(40)} {rng.randrange(128 // bits)} {self.address(down)} {self.vector(down)})"
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
            pick = rng.randrange(9)
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
            elif pick == 6:
                out.append(f"(global.set $g {self.vector(2)})")
            elif pick == 7:
                bits = rng.choice((8, 16, 32, 64))
                out.append(f"(v128.store{bits}_lane offset={rng.randrange(40)} {rng.randrange(128 // bits)} {self.address(1)} {self.vector(2)})")
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
        return f"""(func {name} (param $i0 i32) (result v128) (local $i1 i32) (local $i2 i32) (local $left i32) (local $t v128) {locals_}
(local.set $left (i32.const 5))
(loop $l {steps} (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br_if $l (local.get $left)))
{every})"""


def random_vectors(rng: random.Random, functions: int = 1) -> str:
    """The text of a module with so many functions, which `go` calls in turn."""
    data = "".join(f"\\{rng.randrange(256):02x}" for _ in range(256))
    bodies = "\n".join(Function(rng).text(f"$f{k}") for k in range(functions))
    calls = " ".join(mixed(f"(call $f{k} (local.get 0))") for k in range(functions))
    memory = mixed("(v128.load (local.get $at))")
    return f"""(module (memory 1) (global $g (mut v128) (v128.const i64x2 5 7)) (data (i32.const 0) "{data}")
(func $other (param $a v128) (param $n i32) (param $b v128) (result v128)
  (i16x8.sub (i32x4.shl (local.get $a) (local.get $n)) (local.get $b)))
{bodies}
(func (export "go") (param i32) (result i64) (local $sum v128) (local $at i32)
  {calls}
  (loop $l {memory} (local.set $at (i32.add (local.get $at) (i32.const 16))) (br_if $l (i32.lt_u (local.get $at) (i32.const 1040))))
  (i64.xor (i64x2.extract_lane 0 (local.get $sum)) (i64.rotl (i64x2.extract_lane 1 (local.get $sum)) (i64.const 7)))))"""


def mixed(vector: str) -> str:
    return f"(local.set $sum (i32x4.add (i32x4.mul (local.get $sum) (v128.const i32x4 31 33 37 41)) {vector}))"
