"""Scalars that pass between components, in every tier: what each type makes of any bits (CanonicalABI.md, lift_flat and lower_flat).

In: bits from a sequence that the guest and this file compute. Out: sums of what arrived, which must be those of the text.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import ends

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
ALL, WORD = (1 << 64) - 1, (1 << 32) - 1


@dataclass(frozen=True)
class Scalar:
    core: str
    kept: int  # the bits that make a difference, before the type's own rule
    text: str = ""

    def converted(self, bits: int, name: str) -> int:
        """What the other component gets (CanonicalABI.md, lift_flat and lower_flat)."""
        bits &= self.kept
        if name == "bool":
            return int(bits != 0)
        if name in ("s8", "s16"):
            sign = (self.kept + 1) >> 1
            return ((bits ^ sign) - sign) & 0xFFFFFFFF
        if name == "f32" and bits & 0x7FFFFFFF > 0x7F800000:
            return 0x7FC00000
        if name == "f64" and bits & (ALL >> 1) > 0x7FF0000000000000:
            return 0x7FF8000000000000
        return bits


FLAGS = "(flags " + " ".join(f'"{chr(97 + i)}"' for i in range(11)) + ")"
FULL = "(flags " + " ".join(f'"f{i}"' for i in range(32)) + ")"
ENUM = '(enum "a" "b" "c" "d" "e")'
SCALARS = {
    "bool": Scalar("i32", WORD), "u8": Scalar("i32", 0xFF), "s8": Scalar("i32", 0xFF), "u16": Scalar("i32", 0xFFFF),
    "s16": Scalar("i32", 0xFFFF), "u32": Scalar("i32", WORD), "s32": Scalar("i32", WORD), "u64": Scalar("i64", ALL),
    "s64": Scalar("i64", ALL), "f32": Scalar("f32", WORD), "f64": Scalar("f64", ALL), "char": Scalar("i32", WORD),
    "enum5": Scalar("i32", WORD, ENUM), "flags11": Scalar("i32", 0x7FF, FLAGS), "flags32": Scalar("i32", WORD, FULL),
}  # fmt: skip
TO_BITS = {"i32": "(i64.extend_i32_u {})", "i64": "{}", "f64": "(i64.reinterpret_f64 {})",
           "f32": "(i64.extend_i32_u (i32.reinterpret_f32 {}))"}  # fmt: skip
FROM_BITS = {"i32": "(i32.wrap_i64 {})", "i64": "{}", "f64": "(f64.reinterpret_i64 {})",
             "f32": "(f32.reinterpret_i32 (i32.wrap_i64 {}))"}  # fmt: skip
# What the next number of a sequence becomes, so that there are chars on both sides of the surrogates, NaNs of all kinds, and so on
SHAPED = {
    "char": "(i64.add (i64.and {} (i64.const 0x7ff)) (select (i64.const 0xd000) (i64.const 0x10f800) (i32.wrap_i64 (i64.and {} (i64.const 0x800)))))",
    "f32": "(i64.or {} (select (i64.const 0x7f800000) (i64.const 0) (i64.eqz (i64.and {} (i64.const 0x300000000)))))",
    "f64": "(i64.or {} (select (i64.const 0x7ff0000000000000) (i64.const 0) (i64.eqz (i64.and {} (i64.const 0x300000000)))))",
    "enum5": "(i64.rem_u {} (i64.const 5))",
    "bool": "(select (i64.const 0) {} (i64.eqz (i64.and {} (i64.const 0x300000000))))",
}


def shaped(name: str, x: int) -> int:
    if name == "char":
        return (x & 0x7FF) + (0xD000 if x & 0x800 else 0x10F800)
    if name == "enum5":
        return x % 5
    rare = not x & 0x300000000
    if name in ("f32", "f64"):
        return x | (0x7F800000 if name == "f32" else 0x7FF0000000000000) * rare
    return 0 if name == "bool" and rare else x


STEP = "(local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))"


def component() -> str:
    """Exports in-T and out-T for each type T: n calls with a parameter, or a result, of type T."""
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for name, s in SCALARS.items():
        kind = f"${name}" if s.text else name
        if s.text:
            parts["types"].append(f'(type $flat-{name} {s.text}) (export {kind} "{name}" (type $flat-{name}))')
            parts["imports"].append(f'(type $flat-{name} {s.text}) (export "{name}" (type {kind} (eq $flat-{name})))')
        bits = SHAPED.get(name, "{}").replace("{}", "(local.get $x)")
        of_core = TO_BITS[s.core].format, FROM_BITS[s.core].format
        for way, signature, core, body, call in (
            ("in", f'(param "v" {kind}) (result u64)', f"(param {s.core}) (result i64)", of_core[0], f"(call $in-{name} {of_core[1](bits)})"),
            ("out", f'(param "v" u64) (result {kind})', f"(param i64) (result {s.core})", of_core[1], of_core[0](f"(call $out-{name} {bits})")),
        ):
            export = f"{way}-{name}"
            parts["callee"].append(f'(func (export "{export}") {core} {body("(local.get 0)")})')
            parts["lifts"].append(f'(func (export "{export}") {signature} (canon lift (core func $i "{export}")))')
            parts["imports"].append(f'(export "{export}" (func {signature}))')
            parts["lowers"].append(f'(core func ${export} (canon lower (func $c "{export}")))')
            parts["core imports"].append(f'(import "c" "{export}" (func ${export} {core}))')
            parts["with"].append(f'(export "{export}" (func ${export}))')
            parts["loops"].append(f"""(func (export "{export}") (param $n i32) (result i64) (local $x i64) (local $sum i64)
              (loop $next {STEP}
                (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 7)) {call}))
                (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
              (local.get $sum))""")
            lift = f'(canon lift (core func $i "{export}"))'
            parts["loop lifts"].append(f'(func (export "{export}") (param "n" u32) (result u64) {lift})')
            parts["exports"].append(f'(export "{export}" (func $d "{export}"))')
    text = {name: "\n".join(lines) for name, lines in parts.items()}
    return f"""(component
      (component $C (core module $m {text["callee"]}) (core instance $i (instantiate $m)) {text["types"]} {text["lifts"]})
      (component $D (import "c" (instance $c {text["imports"]})) {text["lowers"]}
        (core module $m {text["core imports"]} {text["loops"]})
        (core instance $i (instantiate $m (with "c" (instance {text["with"]})))) {text["loop lifts"]})
      (instance $c (instantiate $C)) (instance $d (instantiate $D (with "c" (instance $c)))) {text["exports"]})"""


def sum_of(name: str, n: int) -> int:
    x = total = 0
    for _ in range(n):
        x = (x * 6364136223846793005 + 1442695040888963407) & ALL
        total = (total << 7 | total >> 57) & ALL
        total = (total + SCALARS[name].converted(shaped(name, x), name)) & ALL
    return total


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("values"), component())


@pytest.mark.parametrize("name", SCALARS)
def test_values_are_converted(name: str, values: Path) -> None:
    for way in ("in", "out"):
        assert int(ends(values, f"{way}-{name}(700)", 0)) == sum_of(name, 700)


def test_the_values_include_those_that_change() -> None:
    assert SCALARS["f32"].converted(0xFF800001, "f32") == 0x7FC00000
    seen = [shaped("f32", x * 0x9E3779B97F4A7C15 & ALL) & 0x7FFFFFFF for x in range(700)]
    assert any(bits > 0x7F800000 for bits in seen) and any(bits < 0x7F800000 for bits in seen)
    assert SCALARS["s8"].converted(0x180, "s8") == 0xFFFFFF80 and SCALARS["bool"].converted(0x100, "bool") == 1
