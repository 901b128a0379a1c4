"""Random functions on values of all types at once: numbers, vectors and references that share locals' registers and slots of operands.

In: a random number generator. Out: the text of a module without imports, which terminates, and exports all that it has.

Functions call each other, directly, by reference, through a table and as tail calls. Each entry takes one from a global, and a function
that finds 0 there returns at once. A loop runs a few times. What traps now and then: far addresses, null, casts, divisions.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

STRUCT, ARRAY, BYTES, I31, ANY, FUNC = "(ref null $s)", "(ref null $a)", "(ref null $b)", "i31ref", "anyref", "funcref"
NUMBERS = ("i32", "i64", "f32", "f64")
REFERENCES = (STRUCT, ARRAY, BYTES, I31, ANY, FUNC)
TYPES = (*NUMBERS, "v128", *REFERENCES)
WEIGHTS = (8, 5, 4, 6, 3, 5, 2, 2, 2, 2, 1)
FIELDS = ("i32", "f64", STRUCT, "i64", "f32", "v128", ANY, ARRAY)
"""Of the struct $s. The elements of $a are f64, those of $b i8."""

BINARY = {"i": "add sub mul and or xor shl shr_s shr_u rotl rotr", "f": "add sub mul div min max copysign"}
UNARY = {
    "i32": "clz ctz popcnt extend8_s extend16_s",
    "i64": "clz ctz popcnt extend8_s extend16_s extend32_s",
    "f": "abs neg ceil floor trunc nearest sqrt",
}
COMPARE = {"i": "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", "f": "eq ne lt gt le ge"}
FROM = {
    "i32": {"i64": "wrap_i64", "f32": "trunc_sat_f32_s trunc_sat_f32_u trunc_f32_s reinterpret_f32", "f64": "trunc_sat_f64_s trunc_sat_f64_u trunc_f64_u"},
    "i64": {"i32": "extend_i32_s extend_i32_u", "f32": "trunc_sat_f32_s trunc_sat_f32_u", "f64": "trunc_sat_f64_s trunc_sat_f64_u reinterpret_f64"},
    "f32": {"i32": "convert_i32_s convert_i32_u reinterpret_i32", "i64": "convert_i64_s convert_i64_u", "f64": "demote_f64"},
    "f64": {"i32": "convert_i32_s convert_i32_u", "i64": "convert_i64_s convert_i64_u reinterpret_i64", "f32": "promote_f32"},
}
LOADS = {
    "i32": "load load8_s load8_u load16_s load16_u", "i64": "load load8_s load8_u load16_s load32_s load32_u", "f32": "load", "f64": "load",
    "v128": "load load8x8_s load16x4_u load32_splat load64_zero",
}  # fmt: skip
STORES = {"i32": "store store8 store16", "i64": "store store8 store16 store32", "f32": "store", "f64": "store", "v128": "store"}
SPLATS = {"i32": "i8x16 i16x8 i32x4", "i64": "i64x2", "f32": "f32x4", "f64": "f64x2"}
VECTORS = "i8x16.add i16x8.mul i32x4.sub i64x2.mul f32x4.add f64x2.div f32x4.min f64x2.pmax v128.xor v128.andnot i8x16.swizzle i32x4.gt_s f64x2.lt"


def kind(t: str) -> str:
    return "i" if t in ("i32", "i64") else "f"


@dataclass(frozen=True)
class Signature:
    """The parameters and results of some functions."""

    params: tuple[str, ...]
    results: tuple[str, ...]

    def text(self) -> str:
        return "".join(f" (param {t})" for t in self.params) + "".join(f" (result {t})" for t in self.results)


class Function:
    """The body of one function. depth bounds how deep expressions and statements are."""

    def __init__(self, rng: random.Random, signatures: list[Signature], of: list[int], k: int) -> None:
        self.rng, self.signatures, self.of, self.k = rng, signatures, of, k
        self.signature = signatures[of[k]]
        count = rng.randint(4, 26)  # more than there are registers, now and then
        self.locals = [*self.signature.params, *TYPES, *(self.type() for _ in range(count))]
        self.loops = 0
        self.labels: list[tuple[str, ...]] = []  # the types that each enclosing block takes from a branch, the innermost last

    def type(self) -> str:
        return self.rng.choices(TYPES, WEIGHTS)[0]

    def words(self, text: str) -> str:
        return self.rng.choice(text.split())

    def local(self, t: str) -> str:
        return f"{self.rng.choice([i for i, of in enumerate(self.locals) if of == t])}"

    # --- values ---------------------------------------------------------------------------------------------
    def const(self, t: str) -> str:
        rng = self.rng
        if t in ("i32", "i64"):
            return f"({t}.const {rng.choice((rng.getrandbits(int(t[1:])), rng.randrange(100), -rng.randrange(5000), 1 << rng.randrange(31)))})"
        if t in ("f32", "f64"):
            return f"({t}.const {rng.choice(('0', '-0', '1.5', '-7.25', '1e9', 'inf', 'nan', '3e-41', str(rng.randrange(1000))))})"
        if t == "v128":
            return f"(v128.const i64x2 {rng.getrandbits(64)} {rng.getrandbits(64)})"
        if t == FUNC:
            return f"(ref.func $f{rng.randrange(len(self.of))})"
        if t == I31:
            return f"(ref.i31 (i32.const {rng.randrange(1 << 31)}))"
        return {STRUCT: "(struct.new_default $s)", ARRAY: "(array.new_default $a (i32.const 3))", BYTES: "(array.new_default $b (i32.const 9))"}.get(
            t, "(ref.null any)"
        )

    def value(self, t: str, depth: int) -> str:
        rng = self.rng
        if depth <= 0 or rng.random() < 0.1:
            return rng.choice((self.const(t), f"(local.get {self.local(t)})", f"(local.get {self.local(t)})", f"(global.get ${TYPES.index(t)})"))
        if rng.random() < 0.25:
            return self.control(t, depth - 1)
        if t in NUMBERS:
            return self.number(t, depth - 1)
        return self.vector(depth - 1) if t == "v128" else self.reference(t, depth - 1)

    def address(self, depth: int) -> str:
        mask = self.rng.choice((0x7FF, 0x7FFF, 0x7FFF, 0x1FFFF if self.rng.random() < 0.1 else 0x3FFF))
        return f"offset={self.rng.choice((0, 1, 8, 200, 5000))} (i32.and {self.value('i32', depth)} (i32.const {mask}))"

    def number(self, t: str, depth: int) -> str:
        rng, pick = self.rng, self.rng.randrange(14)
        if pick < 5:
            return f"({t}.{self.words(BINARY[kind(t)])} {self.value(t, depth)} {self.value(t, depth)})"
        if pick == 5:
            return f"({t}.{self.words(UNARY.get(t) or UNARY['f'])} {self.value(t, depth)})"
        if pick == 6:
            source = rng.choice([*FROM[t]])
            return f"({t}.{self.words(FROM[t][source])} {self.value(source, depth)})"
        if pick == 7:
            return f"({t}.{self.words(LOADS[t])} {self.address(depth)})"
        if pick == 8 and t in ("i32", "i64"):
            return f"({t}.{rng.choice(('div_s', 'div_u', 'rem_s', 'rem_u'))} {self.value(t, depth)} ({t}.or {self.value(t, depth)} ({t}.const 1)))"
        if pick == 9:
            lanes = self.words(SPLATS[t])
            sign = rng.choice(("_s", "_u")) if lanes in ("i8x16", "i16x8") else ""
            return f"({lanes}.extract_lane{sign} {rng.randrange(int(lanes.split('x')[1]))} {self.value('v128', depth)})"
        if pick == 10 and t == "f64":
            return f"(array.get $a {self.not_null(ARRAY, depth)} (i32.and {self.value('i32', depth)} (i32.const 1)))"
        if t in FIELDS and pick < 13:
            return f"(struct.get $s {FIELDS.index(t)} {self.not_null(STRUCT, depth)})"
        return self.condition(depth) if t == "i32" else f"({t}.{self.words(BINARY[kind(t)])} {self.value(t, depth)} {self.value(t, 0)})"

    def condition(self, depth: int) -> str:
        rng = self.rng
        if rng.random() < 0.3:
            t = rng.choice(REFERENCES)
            tests = [f"(ref.is_null {self.value(t, depth)})"]
            if t == ANY:
                tests.append(f"(ref.test (ref {rng.choice(('$s', '$a', 'i31', 'eq'))}) {self.value(t, depth)})")
            if t in (STRUCT, ARRAY, BYTES):
                tests.append(f"(ref.eq {self.value(t, depth)} {self.value(rng.choice((STRUCT, ARRAY, BYTES, I31)), depth)})")
            if t in (ARRAY, BYTES):
                tests.append(f"(array.len {self.not_null(t, depth)})")
            return rng.choice(tests)
        t = rng.choice(NUMBERS)
        return f"({t}.{self.words(COMPARE[kind(t)])} {self.value(t, depth)} {self.value(t, depth)})"

    def vector(self, depth: int) -> str:
        pick = self.rng.randrange(6)
        if pick < 2:
            return f"({self.words(VECTORS)} {self.value('v128', depth)} {self.value('v128', depth)})"
        if pick == 2:
            return f"(v128.{self.words(LOADS['v128'])} {self.address(depth)})"
        if pick == 3:
            return f"(v128.bitselect {self.value('v128', depth)} {self.value('v128', depth)} {self.value('v128', depth)})"
        if pick == 4:
            return f"(struct.get $s {FIELDS.index('v128')} {self.not_null(STRUCT, depth)})"
        t = self.rng.choice(NUMBERS)
        return f"({self.words(SPLATS[t])}.splat {self.value(t, depth)})"

    def not_null(self, t: str, depth: int) -> str:
        """Mostly: null is replaced by a new object."""
        if self.rng.random() < 0.01:
            return self.value(t, depth)
        if self.rng.random() < 0.3:
            return f"(ref.as_non_null {self.const(t)})"
        return f"(block $full (result (ref {t[10:-1]})) (br_on_non_null $full {self.value(t, depth)}) (ref.as_non_null {self.const(t)}))"

    def reference(self, t: str, depth: int) -> str:
        rng = self.rng
        if t == STRUCT:
            return rng.choice((
                f"(struct.new $s {' '.join(self.value(f, depth - 2) for f in FIELDS)})",
                f"(struct.get $s {FIELDS.index(STRUCT)} {self.not_null(STRUCT, depth)})",
                f"(ref.cast (ref null $s) {rng.choice((self.value(STRUCT, depth), '(ref.null any)'))})",
            ))  # fmt: skip
        if t == ARRAY:
            return rng.choice((f"(array.new $a {self.value('f64', depth)} (i32.const {rng.randint(2, 5)}))", f"(struct.get $s 7 {self.not_null(STRUCT, depth)})"))
        if t == BYTES:
            return f"(array.new_fixed $b 3 {self.value('i32', depth)} {self.value('i32', depth)} {self.value('i32', depth)})"
        if t == I31:
            return f"(ref.i31 {self.value('i32', depth)})"
        if t == ANY:
            return rng.choice((self.value(rng.choice((STRUCT, ARRAY, BYTES, I31)), depth), f"(struct.get $s 6 {self.not_null(STRUCT, depth)})"))
        return f"(table.get $t (i32.rem_u {self.value('i32', depth)} (i32.const {len(self.of)})))"

    # --- control --------------------------------------------------------------------------------------------
    def control(self, t: str, depth: int) -> str:
        """A value that comes out of an assignment, a choice, a block or a branch."""
        pick = self.rng.randrange(6)
        if pick == 0:
            return f"(local.tee {self.local(t)} {self.value(t, depth)})"
        if pick == 1:
            typed = f"(result {t}) " if t in REFERENCES else ""
            return f"(select {typed}{self.value(t, depth)} {self.value(t, depth)} {self.condition(depth)})"
        if pick == 2:
            return f"(if (result {t}) {self.condition(depth)} (then {self.value(t, depth)}) (else {self.statements(1, depth)} {self.value(t, depth)}))"
        self.labels.append((t,))
        first = self.value(t, depth)
        if pick == 3:
            out = f"(block (result {t}) (br_if 0 {first} {self.condition(depth)}) (drop) {self.statements(1, depth)} {self.value(t, depth)})"
        elif pick == 4:  # values of other types lie below
            other = self.type()
            out = f"(block (result {t}) {self.value(other, depth)} {first} (br_if 0 {self.condition(depth)}) (drop) (drop) {self.value(t, depth)})"
        else:
            out = f"(block (result {t}) {self.value(t, depth)} (br_table 0 0 0 {self.value('i32', depth)}))"
        self.labels.pop()
        return out

    def called(self, depth: int) -> tuple[str, Signature]:
        rng, g = self.rng, self.rng.randrange(len(self.of))
        s = self.signatures[self.of[g]]
        arguments = " ".join(self.value(p, depth) for p in s.params)
        how = rng.choice((f"call $f{g}", f"call $f{g}", f"call_ref $sig{self.of[g]}", f"call_indirect $t (type $sig{self.of[g]})"))
        last = {"call": "", "call_ref": f"(ref.func $f{g})", "call_indirect": f"(i32.const {g})"}[how.split()[0]]
        return f"({how} {arguments} {last})", s

    def sets(self, types: tuple[str, ...]) -> str:
        """Takes values from the operand stack, the last one first."""
        return " ".join(self.rng.choice((f"(local.set {self.local(t)})",) * 3 + ("(drop)",)) for t in reversed(types))

    def statement(self, depth: int) -> str:
        rng, t, pick = self.rng, self.type(), self.rng.randrange(17)
        down = depth - 1
        if pick < 4 or depth <= 0:
            return f"(local.set {self.local(t)} {self.value(t, rng.randint(0, 4))})"
        if pick == 4:
            return f"(global.set ${TYPES.index(t)} {self.value(t, 2)})"
        if pick == 5:
            t = rng.choice((*NUMBERS, "v128"))
            return f"({t}.{self.words(STORES[t])} {self.address(1)} {self.value(t, 2)})"
        if pick == 6:
            k = rng.randrange(len(FIELDS))
            return f"(struct.set $s {k} {self.not_null(STRUCT, 1)} {self.value(FIELDS[k], 2)})"
        if pick == 7:
            return f"(array.set $a {self.not_null(ARRAY, 1)} (i32.and {self.value('i32', 1)} (i32.const 1)) {self.value('f64', 2)})"
        if pick == 8:
            types = tuple(self.type() for _ in range(rng.randint(2, 6)))
            return " ".join(self.value(t, 1) for t in types) + " " + self.sets(types)
        if pick == 9:
            text, s = self.called(1)
            return f"{text} {self.sets(s.results)}"
        if pick == 10:
            return f"(if {self.condition(2)} (then {self.statements(2, down)}) (else {self.statements(1, down)}))"
        if pick in (11, 12):
            return self.loop(down)
        if pick == 13:
            return self.multi_block(down)
        if pick == 14:
            return self.caught(down)
        if pick == 15:
            same = [g for g, of in enumerate(self.of) if self.signatures[of].results == self.signature.results]
            g = rng.choice(same)
            arguments = " ".join(self.value(p, 1) for p in self.signatures[self.of[g]].params)
            leave = rng.choice((f"(return_call $f{g} {arguments})", f"(return {self.results(1)})"))
            return f"(if (i32.eq {self.value('i32', 1)} (i32.const 7)) (then {leave}))"
        return f"(array.fill $b (array.new_default $b (i32.const 20)) (i32.const 3) {self.value('i32', 2)} (i32.const 9))"

    def statements(self, n: int, depth: int) -> str:
        return " ".join(self.statement(depth) for _ in range(n))

    def loop(self, depth: int) -> str:
        k, self.loops = self.loops, self.loops + 1
        types = tuple(self.type() for _ in range(self.rng.choice((0, 0, 1, 3))))
        head = " ".join(self.value(t, 1) for t in types)
        takes = "".join(f" (param {t})" for t in types) + "".join(f" (result {t})" for t in types)
        body = f"{self.sets(types)} {self.statements(self.rng.randint(1, 3), depth)} {' '.join(self.value(t, 1) for t in types)}"
        again = f"(br_if $l{k} (local.tee $n{k} (i32.sub (local.get $n{k}) (i32.const 1))))"
        return f"(local.set $n{k} (i32.const {self.rng.randint(1, 5)})) {head} (loop $l{k}{takes} {body} {again}) {self.sets(types)}"

    def multi_block(self, depth: int) -> str:
        types = tuple(self.type() for _ in range(self.rng.randint(1, 4)))
        values = [" ".join(self.value(t, 1) for t in types) for _ in range(3)]
        takes = "".join(f" (result {t})" for t in types)
        inner = f"(block{takes} {values[0]} (br_if 1 {self.condition(1)}) (br_table 0 1 0 {self.value('i32', 1)}))"
        return f"(block{takes} {inner} {self.sets(types)} {self.statements(1, depth)} {values[1]}) {self.sets(types)}"

    def caught(self, depth: int) -> str:
        thrown = f"(throw $e {self.value('i32', 1)} {self.value('f64', 1)} {self.value(STRUCT, 1)})"
        body = f"{self.statements(2, depth)} (if {self.condition(1)} (then {thrown}))"
        catch = f"(block $caught (result i32 f64 {STRUCT}) (try_table (catch $e $caught) {body}) {self.value('i32', 1)} {self.value('f64', 1)} {self.value(STRUCT, 1)})"
        return f"{catch} {self.sets(('i32', 'f64', STRUCT))}"

    def results(self, depth: int) -> str:
        return " ".join(self.value(t, depth) for t in self.signature.results)

    def text(self) -> str:
        body = "\n  ".join(self.statement(3) for _ in range(self.rng.randint(3, 9)))
        end = self.results(3)
        params = len(self.signature.params)
        locals_ = "".join(f" (local {t})" for t in self.locals[params:]) + "".join(f" (local $n{k} i32)" for k in range(self.loops))
        return f"""(func $f{self.k} (export "f{self.k}") (type $sig{self.of[self.k]}){self.signature.text()}{locals_}
  (if (i32.eqz (global.get $left)) (then (return {" ".join(self.const(t) for t in self.signature.results)})))
  (global.set $left (i32.sub (global.get $left) (i32.const 1)))
  {body}
  {end})"""


BITS = {
    "i32": "(i64.extend_i32_u {})", "i64": "{}", "f32": "(i64.extend_i32_u (i32.reinterpret_f32 {}))", "f64": "(i64.reinterpret_f64 {})",
    "v128": "(i64x2.extract_lane 1 {})",
}  # fmt: skip
"""A number as an i64. Of a reference: whether it is null."""


def called_once(f: Function) -> str:
    """A call, whose results are added to $sum."""
    text = f"(call $f{f.k} {' '.join(f.const(t) for t in f.signature.params)})"
    for t in reversed(f.signature.results):
        bits = BITS.get(t, "(i64.extend_i32_u (ref.is_null {}))").format(f"(local.get ${TYPES.index(t)})")
        text += f" (local.set ${TYPES.index(t)}) (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 7)) {bits}))"
    return text


def some_types(rng: random.Random, most: int) -> tuple[str, ...]:
    return tuple(rng.choices(TYPES, WEIGHTS, k=rng.randint(0, most)))


def random_functions(rng: random.Random) -> str:
    """The text of a module with a few functions, and with `go`, which calls each of them once."""
    signatures = [Signature(some_types(rng, 6), some_types(rng, 4)) for _ in range(3)]
    of = [rng.randrange(3) for _ in range(rng.randint(2, 6))]
    functions = [Function(rng, signatures, of, k) for k in range(len(of))]
    types = "".join(f" (type $sig{k} (func{s.text()}))" for k, s in enumerate(signatures))
    fields = " ".join(f"(field (mut {t}))" for t in FIELDS)
    first = Function(rng, signatures, of, 0)
    globals_ = "\n".join(f'(global ${k} (export "g{k}") (mut {t}) {first.const(t)})' for k, t in enumerate(TYPES))
    return f"""(module
(rec (type $s (struct {fields})) (type $a (array (mut f64))) (type $b (array (mut i8))){types})
(memory (export "memory") 1) (tag $e (param i32 f64 {STRUCT})) (global $left (export "left") (mut i32) (i32.const 200))
(table $t {len(of)} funcref) (elem $t (i32.const 0) func {" ".join(f"$f{k}" for k in range(len(of)))})
{globals_}
{chr(10).join(f.text() for f in functions)}
(func (export "go") (result i64) (local $sum i64) {" ".join(f"(local ${k} {t})" for k, t in enumerate(TYPES))}
  {" ".join(called_once(f) for f in functions)} (local.get $sum)))"""
