"""Calls between components that pass scalars, in every tier: each check of the canonical ABI.

The calls are hot before the one that matters, so that machine code makes it where there is some (runtime/core/native/adapter.h).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import ends, outcome

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
TRAPPED, LIMIT = 134, 124
WORD = 0xFFFFFFFF


# --- checks ------------------------------------------------------------------------------------------------
TWO = """(component
  (component $C
    (core module $m
      (memory 1) (global $calls (mut i32) (i32.const 0))
      (tag $t)
      (func (export "id") (param i32) (result i32) (i32.store (i32.const 16) (local.get 0)) (i32.load (i32.const 16)))
      (func $deep (param i32) (result i32) (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))
      (func (export "f") (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const -1)) (then unreachable))
        (if (i32.eq (local.get 0) (i32.const -2)) (then (return (call $deep (i32.const 0)))))
        (if (i32.eq (local.get 0) (i32.const -3)) (then (throw $t)))
        (if (i32.eq (local.get 0) (i32.const -4)) (then (return (i32.load (i32.const 70000)))))
        (if (i32.eq (local.get 0) (i32.const -5)) (then (loop $on (br $on))))
        (i32.add (local.get 0) (i32.const 1)))
      (func (export "many") (param i32 i32 i32 i64 i32 f32 f64 i32 i32 i32 i32 i32 i32 i64 f64 i32) (result i64)
        (i64.add (i64.add (i64.extend_i32_u (i32.add (i32.add (local.get 0) (i32.mul (local.get 1) (i32.const 3)))
            (i32.add (i32.mul (local.get 2) (i32.const 5)) (i32.mul (local.get 4) (i32.const 7))))) (local.get 3))
          (i64.add (i64.add (i64.trunc_f32_s (local.get 5)) (i64.trunc_f64_s (local.get 6)))
            (i64.add (i64.add (i64.extend_i32_u (i32.add (i32.add (local.get 7) (local.get 8)) (i32.add (local.get 9) (local.get 10))))
                (i64.extend_i32_u (i32.sub (i32.mul (local.get 11) (i32.const 9)) (local.get 12))))
              (i64.add (i64.mul (local.get 13) (i64.const 11))
                (i64.add (i64.trunc_f64_s (local.get 14)) (i64.extend_i32_u (i32.mul (local.get 15) (i32.const 13)))))))))
      (func (export "none")))
    (core instance $i (instantiate $m))
    (func (export "char") (param "a" char) (result u32) (canon lift (core func $i "id")))
    (func (export "gives-char") (param "a" u32) (result char) (canon lift (core func $i "id")))
    (type $flat-enum (enum "a" "b" "c")) (export $enum "three" (type $flat-enum))
    (func (export "enum") (param "a" $enum) (result u32) (canon lift (core func $i "id")))
    (func (export "gives-enum") (param "a" u32) (result $enum) (canon lift (core func $i "id")))
    (func (export "f") (param "a" u32) (result u32) (canon lift (core func $i "f")))
    (func (export "none") (canon lift (core func $i "none")))
    (func (export "many") (param "a" u8) (param "b" u16) (param "c" u32) (param "d" u64) (param "e" s32) (param "f" f32) (param "g" f64) (param "h" char)
      (param "i" bool) (param "j" s8) (param "k" s16) (param "l" u8) (param "m" u8) (param "n" s64) (param "o" f64) (param "p" u32) (result u64)
      (canon lift (core func $i "many"))))
  (component $D
    (import "c" (instance $c
      (type $flat-enum (enum "a" "b" "c")) (export "three" (type $enum (eq $flat-enum)))
      (export "enum" (func (param "a" $enum) (result u32))) (export "gives-enum" (func (param "a" u32) (result $enum)))
      (export "char" (func (param "a" char) (result u32))) (export "gives-char" (func (param "a" u32) (result char)))
      (export "f" (func (param "a" u32) (result u32))) (export "none" (func))
      (export "many" (func (param "a" u8) (param "b" u16) (param "c" u32) (param "d" u64) (param "e" s32) (param "f" f32) (param "g" f64) (param "h" char)
        (param "i" bool) (param "j" s8) (param "k" s16) (param "l" u8) (param "m" u8) (param "n" s64) (param "o" f64) (param "p" u32) (result u64)))))
    (core func $enum (canon lower (func $c "enum"))) (core func $gives-enum (canon lower (func $c "gives-enum")))
    (core func $char (canon lower (func $c "char"))) (core func $gives-char (canon lower (func $c "gives-char")))
    (core func $f (canon lower (func $c "f"))) (core func $none (canon lower (func $c "none"))) (core func $many (canon lower (func $c "many")))
    (core module $m
      (import "c" "enum" (func $enum (param i32) (result i32))) (import "c" "gives-enum" (func $gives-enum (param i32) (result i32)))
      (import "c" "char" (func $char (param i32) (result i32))) (import "c" "gives-char" (func $gives-char (param i32) (result i32)))
      (import "c" "f" (func $f (param i32) (result i32))) (import "c" "none" (func $none))
      (import "c" "many" (func $many (param i32 i32 i32 i64 i32 f32 f64 i32 i32 i32 i32 i32 i32 i64 f64 i32) (result i64)))
      (memory 1)
      (func (export "char") (param $last i32) (result i32) (local $n i32)
        (loop $next (drop (call $char (local.get $n)))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        (call $char (local.get $last)))
      (func (export "gives-char") (param $last i32) (result i32) (local $n i32)
        (loop $next (drop (call $gives-char (local.get $n)))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        (call $gives-char (local.get $last)))
      (func (export "enum") (param $last i32) (result i32) (local $n i32)
        (loop $next (drop (call $enum (i32.rem_u (local.get $n) (i32.const 3))))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        (call $enum (local.get $last)))
      (func (export "gives-enum") (param $last i32) (result i32) (local $n i32)
        (loop $next (drop (call $gives-enum (i32.rem_u (local.get $n) (i32.const 3))))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        (call $gives-enum (local.get $last)))
      ;; its own memory and registers survive the calls
      (func $calls (export "f") (param $last i32) (result i32) (local $n i32) (local $sum i32)
        (loop $next
          (i32.store (i32.mul (local.get $n) (i32.const 4)) (call $f (local.get $n)))
          (call $none)
          (local.set $sum (i32.add (local.get $sum) (i32.load (i32.mul (local.get $n) (i32.const 4)))))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        (i32.add (local.get $sum) (call $f (local.get $last))))
      (func (export "caught") (param $last i32) (result i32)
        (block $caught (try_table (catch_all $caught) (drop (call $calls (local.get $last)))))
        (i32.const 77))
      (func (export "many") (param $count i32) (result i64) (local $sum i64)
        (loop $next
          (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 3)) (call $many (local.get $count) (local.get $count) (local.get $count)
            (i64.extend_i32_u (local.get $count)) (i32.const -3) (f32.const 17.5) (f64.const -9) (i32.const 0x1f600) (local.get $count)
            (local.get $count) (i32.mul (local.get $count) (i32.const 999)) (i32.const 511) (i32.const 256) (i64.const -2) (f64.const 1e9) (local.get $count))))
          (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
        (local.get $sum))
      (func (export "after") (param i32) (call $none))
      (func (export "calls-after") (param $n i32) (result i32)
        (loop $next (call $none) (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.const 5)))
    (core instance $i (instantiate $m (with "c" (instance (export "char" (func $char))
      (export "enum" (func $enum)) (export "gives-enum" (func $gives-enum)) (export "gives-char" (func $gives-char))
      (export "f" (func $f)) (export "none" (func $none)) (export "many" (func $many))))))
    (func (export "char") (param "a" u32) (result u32) (canon lift (core func $i "char")))
    (func (export "enum") (param "a" u32) (result u32) (canon lift (core func $i "enum")))
    (func (export "gives-enum") (param "a" u32) (result u32) (canon lift (core func $i "gives-enum")))
    (func (export "gives-char") (param "a" u32) (result u32) (canon lift (core func $i "gives-char")))
    (func (export "f") (param "a" u32) (result u32) (canon lift (core func $i "f")))
    (func (export "caught") (param "a" u32) (result u32) (canon lift (core func $i "caught")))
    (func (export "many") (param "a" u32) (result u64) (canon lift (core func $i "many")))
    (func (export "calls-after") (param "a" u32) (result u32)
      (canon lift (core func $i "calls-after") (post-return (core func $i "after")))))
  (instance $c (instantiate $C)) (instance $d (instantiate $D (with "c" (instance $c))))
  (export "enum" (func $d "enum")) (export "gives-enum" (func $d "gives-enum"))
  (export "char" (func $d "char")) (export "gives-char" (func $d "gives-char")) (export "f" (func $d "f")) (export "caught" (func $d "caught"))
  (export "many" (func $d "many")) (export "calls-after" (func $d "calls-after")))"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("two"), TWO)


@pytest.mark.parametrize("way", ["char", "gives-char"])
@pytest.mark.parametrize("bits", [0xD7FF, 0xE000, 0x10FFFF])
def test_a_char_is_passed(way: str, bits: int, two: Path) -> None:
    assert int(ends(two, f"{way}({bits})", 0)) == bits


@pytest.mark.parametrize("way", ["enum", "gives-enum"])
def test_what_is_no_case_is_a_trap(way: str, two: Path) -> None:
    assert int(ends(two, f"{way}(2)", 0)) == 2
    for bits in (3, WORD):
        ends(two, f"{way}({bits})", TRAPPED, f"invalid variant discriminant: {bits} of 3 cases")


@pytest.mark.parametrize("way", ["char", "gives-char"])
@pytest.mark.parametrize("bits", [0xD800, 0xDFFF, 0x110000, 0x11E000, 0xFFFFFFFF])
def test_what_is_no_char_is_a_trap(way: str, bits: int, two: Path) -> None:
    ends(two, f"{way}({bits})", TRAPPED, "invalid `char`")


def test_sixteen_arguments(two: Path) -> None:
    assert int(ends(two, "many(500)", 0))


def test_the_callers_state_is_restored(two: Path) -> None:
    assert int(ends(two, "f(1000)", 0)) == sum(range(1, 401)) + 1001


@pytest.mark.parametrize(
    ("argument", "status", "said"),
    [
        (-1, TRAPPED, "unreachable"),
        (-2, TRAPPED, "call stack exhausted"),
        (-3, TRAPPED, "uncaught exception"),
        (-4, TRAPPED, "out of bounds memory access"),
    ],
)
def test_the_callee_fails(argument: int, status: int, said: str, two: Path) -> None:
    ends(two, f"f({argument & WORD})", status, said)
    ends(two, f"caught({argument & WORD})", status, said)


def test_an_instance_cannot_be_left_from_post_return(two: Path) -> None:
    ends(two, "calls-after(500)", TRAPPED, "cannot leave component instance")


@pytest.mark.parametrize("fuel", [*range(1, 12), 300, 801, 802, 803, 1200, 1202, 1203, 1204])
def test_fuel_ends_at_the_same_place(fuel: int, two: Path) -> None:
    expected = outcome(two, "f(5)", "interpreter", "--fuel", str(fuel))
    for tier in ("compiled-at-once", "compiled-mixed", "compiled"):
        assert outcome(two, "f(5)", tier, "--fuel", str(fuel)) == expected, tier


def test_a_deadline_ends_the_callee(two: Path) -> None:
    for tier in ("interpreter", "compiled-at-once"):
        status, _, said = outcome(two, f"f({-5 & WORD})", tier, "--max-time", "300ms")
        assert status == LIMIT, said


# --- floats ------------------------------------------------------------------------------------------------
def floats(bits: int) -> str:
    """`takes` and `gives` return the number's bits, which pass from one component to another one as an f32 or f64, 400 times before."""
    f, i, u = f"f{bits}", f"i{bits}", f"u{bits}"
    hot = f"""(param $last {i}) (result {i}) (local $n i32)
        (loop $next (drop CALL)
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))
        CALL)"""
    takes = hot.replace("CALL", f"(call $takes ({f}.reinterpret_{i} (local.get $last)))")
    gives = hot.replace("CALL", f"({i}.reinterpret_{f} (call $gives (local.get $last)))")
    signatures = f"""(export "takes" (func (param "a" {f}) (result {u}))) (export "gives" (func (param "a" {u}) (result {f})))"""
    return f"""(component
  (component $C
    (core module $m
      (func (export "takes") (param {f}) (result {i}) ({i}.reinterpret_{f} (local.get 0)))
      (func (export "gives") (param {i}) (result {f}) ({f}.reinterpret_{i} (local.get 0))))
    (core instance $i (instantiate $m))
    (func (export "takes") (param "a" {f}) (result {u}) (canon lift (core func $i "takes")))
    (func (export "gives") (param "a" {u}) (result {f}) (canon lift (core func $i "gives"))))
  (component $D
    (import "c" (instance $c {signatures}))
    (core func $takes (canon lower (func $c "takes"))) (core func $gives (canon lower (func $c "gives")))
    (core module $m
      (import "c" "takes" (func $takes (param {f}) (result {i}))) (import "c" "gives" (func $gives (param {i}) (result {f})))
      (func (export "takes") {takes}
      (func (export "gives") {gives})
    (core instance $i (instantiate $m (with "c" (instance (export "takes" (func $takes)) (export "gives" (func $gives))))))
    (func (export "takes") (param "a" {u}) (result {u}) (canon lift (core func $i "takes")))
    (func (export "gives") (param "a" {u}) (result {u}) (canon lift (core func $i "gives"))))
  (instance $c (instantiate $C)) (instance $d (instantiate $D (with "c" (instance $c))))
  (export "takes" (func $d "takes")) (export "gives" (func $d "gives")))"""


@pytest.fixture(scope="module", params=[32, 64])
def float_size(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    return request.param, assemble(tmp_path_factory.mktemp("floats"), floats(request.param))


@pytest.mark.parametrize("way", ["takes", "gives"])
def test_each_nan_becomes_the_canonical_one(way: str, float_size: tuple[int, Path]) -> None:
    """source: component-model, CanonicalABI.md, canonicalize_nan32 and canonicalize_nan64"""
    size, file = float_size
    infinity, fraction = (0x7F800000, 23) if size == 32 else (0x7FF0000000000000, 52)
    canonical, sign = infinity | 1 << (fraction - 1), 1 << (size - 1)
    for bits in (canonical, infinity | 1, canonical | 1, sign | canonical, 2 * sign - 1):
        assert int(ends(file, f"{way}({bits})", 0)) == canonical, hex(bits)
    for bits in (0, 1, sign, infinity, sign | infinity, infinity - 1, 0x12345678 << (size - 32)):
        assert int(ends(file, f"{way}({bits})", 0)) == bits, hex(bits)


# --- entering ----------------------------------------------------------------------------------------------
def nested(levels: int) -> str:
    """A component whose function is in `levels` components, called 400 times from beside them. Its state must be left behind."""
    inner = """(component $L0
      (core module $m (global $n (mut i32) (i32.const 0))
        (func (export "f") (param i32) (result i32)
          (global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n)))
      (core instance $i (instantiate $m))
      (func (export "f") (param "a" u32) (result u32) (canon lift (core func $i "f"))))"""
    for level in range(1, levels):
        inner = f'(component $L{level} {inner} (instance $l (instantiate $L{level - 1})) (export "f" (func $l "f")))'
    return f"""(component {inner}
      (component $D (import "f" (func $f (param "a" u32) (result u32))) (core func $f' (canon lower (func $f)))
        (core module $m (import "" "f" (func $f (param i32) (result i32)))
          (func (export "go") (param $n i32) (result i32) (local $sum i32)
            (loop $next (local.set $sum (i32.add (local.get $sum) (call $f (local.get $n))))
              (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum)))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
        (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))
      (instance $l (instantiate $L{levels - 1})) (instance $d (instantiate $D (with "f" (func $l "f")))) (export "go" (func $d "go")))"""


@pytest.mark.parametrize("levels", [1, 2, 4, 5, 8])
def test_instances_in_instances_are_entered(levels: int, tmp_path: Path) -> None:
    wasm = assemble(tmp_path, nested(levels))
    assert int(ends(wasm, "go(400)", 0)) == sum(sum(range(k, 401)) for k in range(1, 401))


def chain(length: int) -> str:
    """Components of which each calls the one before it, once for each call."""
    parts = ['(component $C0 (core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))',
             '(core instance $i (instantiate $m)) (func (export "f") (param "a" u8) (result u32) (canon lift (core func $i "f"))))',
             """(component $Next (import "f" (func $f (param "a" u8) (result u32))) (core func $f' (canon lower (func $f)))
               (core module $m (import "" "f" (func $f (param i32) (result i32)))
                 (func (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))
               (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
               (func (export "f") (param "a" u8) (result u32) (canon lift (core func $i "f"))))""",
             """(component $Loop (import "f" (func $f (param "a" u8) (result u32))) (core func $f' (canon lower (func $f)))
               (core module $m (import "" "f" (func $f (param i32) (result i32)))
                 (func (export "go") (param $n i32) (result i32) (local $sum i32)
                   (loop $next (local.set $sum (i32.add (local.get $sum) (call $f (local.get $n))))
                     (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                   (local.get $sum)))
               (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
               (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))""",
             "(instance $i0 (instantiate $C0))"]  # fmt: skip
    parts += [f'(instance $i{k} (instantiate $Next (with "f" (func $i{k - 1} "f"))))' for k in range(1, length)]
    parts.append(f'(instance $go (instantiate $Loop (with "f" (func $i{length - 1} "f")))) (export "go" (func $go "go"))')
    return f"(component {' '.join(parts)})"


def test_calls_nest_up_to_the_limit(tmp_path: Path) -> None:
    wasm = assemble(tmp_path, chain(30))
    enough = ("--max-depth", "31")
    assert int(ends(wasm, "go(300)", 0, options=enough)) == sum((k & 0xFF) + 30 for k in range(1, 301))
    ends(wasm, "go(300)", TRAPPED, "the depth limit, 30 nested calls", options=("--max-depth", "30"))


def test_the_peak_of_nested_calls_is_counted(tmp_path: Path) -> None:
    wasm = assemble(tmp_path, chain(30))
    for tier in ("interpreter", "compiled-at-once"):
        assert outcome(wasm, "go(300)", tier, "--outcome", str(tmp_path / "outcome.json"))[0] == 0
        assert json.loads((tmp_path / "outcome.json").read_text())["usage"]["depth"] == 31


def test_tail_calls_leave_the_component(tmp_path: Path) -> None:
    """Each component in the middle ends in a call of the next one, and the last one traps at last: the frames must be found."""
    text = chain(6).replace("(i32.add (i32.const 1) (call $f (local.get 0)))", "(return_call $f (local.get 0))")
    assert int(ends(assemble(tmp_path, text), "go(300)", 0)) == sum((k & 0xFF) + 1 for k in range(1, 301))
    fails = text.replace("(i32.add (local.get 0) (i32.const 1))", "(i32.div_u (i32.const 255) (local.get 0))")
    assert fails != text
    ends(assemble(tmp_path, fails, "fails"), "go(300)", TRAPPED, "integer divide by zero")


def back(inside: bool, how: str) -> str:
    """The parent calls f of its child, or of a component in its child, many times. Then it calls the child's `go`, or f with 77. That
    calls the parent back, which calls f again, or the child's `other`: a component that is entered already."""
    inner = """(core module $I (import "" "back" (func $back (result i32)))
        (func (export "f") (param i32) (result i32)
          (if (i32.eq (local.get 0) (i32.const 1077)) (then (return (call $back)))) (i32.add (local.get 0) (i32.const 1))))
      (core instance $i (instantiate $I (with "" (instance (export "back" (func $back'))))))
      (func (export "f") (param "a" u32) (result u32) (canon lift (core func $i "f")))"""
    if inside:
        inner = f"""(component $In (import "back" (func $back (result u32))) (core func $back' (canon lower (func $back))) {inner})
          (instance $in (instantiate $In (with "back" (func $back)))) (export "f" (func $in "f"))"""
    entry, again = how.split()
    return f"""(component
      (core module $Back (type $f (func (param i32) (result i32))) (table (export "t") 1 funcref)
        (func (export "back") (result i32) (call_indirect (type $f) (i32.const 5) (i32.const 0))))
      (core instance $back (instantiate $Back)) (alias core export $back "t" (core table $t)) (alias core export $back "back" (core func $core_back))
      (func $lifted_back (result u32) (canon lift (core func $core_back)))
      (component $Child (import "back" (func $back (result u32))) (core func $back' (canon lower (func $back)))
        (core module $M (import "" "back" (func $back (result i32)))
          (func (export "go") (param i32) (result i32) (if (i32.eq (local.get 0) (i32.const 1077)) (then (return (call $back)))) (local.get 0))
          (func (export "other") (param i32) (result i32) (i32.add (local.get 0) (i32.const 2))))
        (core instance $m (instantiate $M (with "" (instance (export "back" (func $back'))))))
        (func (export "go") (param "a" u32) (result u32) (canon lift (core func $m "go")))
        (func (export "other") (param "a" u32) (result u32) (canon lift (core func $m "other")))
        {inner})
      (instance $child (instantiate $Child (with "back" (func $lifted_back))))
      (core func $entry (canon lower (func $child "{entry}"))) (core func $again (canon lower (func $child "{again}")))
      (core module $Main (import "" "t" (table 1 funcref))
        (import "" "entry" (func $entry (param i32) (result i32))) (import "" "again" (func $again' (param i32) (result i32)))
        (elem (i32.const 0) func $again)
        (func $again (param i32) (result i32) (call $again' (local.get 0)))
        (func (export "run") (param $n i32) (result i32)
          (loop $next (drop (call $again (local.get $n))) (drop (call $entry (local.get $n)))
            (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (call $entry (i32.const 1077))))
      (core instance $main (instantiate $Main (with "" (instance (export "t" (table $t)) (export "entry" (func $entry)) (export "again" (func $again))))))
      (func (export "run") (param "n" u32) (result u32) (canon lift (core func $main "run"))))"""


@pytest.mark.parametrize("how", ["go f", "f f", "f other"])
@pytest.mark.parametrize("inside", [False, True])
def test_an_instance_is_not_entered_again(inside: bool, how: str, tmp_path: Path) -> None:
    ends(assemble(tmp_path, back(inside, how)), "run(400)", TRAPPED, "cannot enter component instance")


def test_the_innermost_instance_is_not_entered_again(tmp_path: Path) -> None:
    """As above, called from beside the parent, which calls f again from inside: nothing but f's own instance keeps it from that."""
    parent = back(False, "f f")
    assert parent.startswith("(component") and parent.endswith(")")
    text = f"""(component (component $P {parent[len("(component") : -1]} (export "f" (func $child "f")))
      (component $D (import "f" (func $f (param "a" u32) (result u32))) (core func $f' (canon lower (func $f)))
        (core module $m (import "" "f" (func $f (param i32) (result i32)))
          (func (export "go") (param $n i32) (result i32)
            (loop $next (drop (call $f (local.get $n))) (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (call $f (i32.const 1077))))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
        (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))
      (instance $p (instantiate $P)) (instance $d (instantiate $D (with "f" (func $p "f")))) (export "go" (func $d "go")))"""
    ends(assemble(tmp_path, text), "go(400)", TRAPPED, "cannot enter component instance")


# --- the state of a task -----------------------------------------------------------------------------------
OWN = """(component
  (core func $get (canon context.get i32 0)) (core func $set (canon context.set i32 0))
  (core func $get1 (canon context.get i32 1)) (core func $set1 (canon context.set i32 1))
  (core module $Callee
    (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
    (import "" "get1" (func $get1 (result i32))) (import "" "set1" (func $set1 (param i32)))
    ;; what the context was, which the caller must not see changed
    (func (export "f") (param i32) (result i32)
      (i32.add (call $get) (call $get1)) (call $set (i32.const 1000)) (call $set1 (i32.const 2000))))
  (core instance $callee (instantiate $Callee (with "" (instance
    (export "get" (func $get)) (export "set" (func $set)) (export "get1" (func $get1)) (export "set1" (func $set1))))))
  (func $f (param "a" u32) (result u32) (canon lift (core func $callee "f")))
  (core func $f' (canon lower (func $f)))
  (core module $Caller
    (import "" "get" (func $get (result i32))) (import "" "set" (func $set (param i32)))
    (import "" "get1" (func $get1 (result i32))) (import "" "set1" (func $set1 (param i32)))
    (import "" "f" (func $f (param i32) (result i32)))
    (import "" "return" (func $return (param i32)))
    ;; calls with one context after the other, of which each word is often 0: 100 if the callee's was 0 in all, and ours was kept
    (func $go (export "go") (param $n i32) (result i32) (local $mine i32) (local $mine1 i32) (local $sum i32)
      (loop $next
        (local.set $mine (select (i32.const 0) (local.get $n) (i32.eqz (i32.rem_u (local.get $n) (i32.const 3)))))
        (local.set $mine1 (select (i32.const 0) (local.get $n) (i32.eqz (i32.rem_u (local.get $n) (i32.const 2)))))
        (call $set (local.get $mine)) (call $set1 (local.get $mine1))
        (local.set $sum (i32.or (local.get $sum) (call $f (local.get $n))))
        (local.set $sum (i32.or (local.get $sum) (i32.xor (call $get) (local.get $mine))))
        (local.set $sum (i32.or (local.get $sum) (i32.xor (call $get1) (local.get $mine1))))
        (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (i32.add (local.get $sum) (i32.const 100)))
    ;; the same in a task that is async and has no context: it must be there still when it returns
    (func (export "go-async") (param $n i32) (result i32) (local $sum i32)
      (loop $next
        (local.set $sum (i32.or (local.get $sum) (call $f (local.get $n))))
        (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (call $return (i32.add (local.get $sum) (i32.const 100)))
      (i32.const 0))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core func $return (canon task.return (result u32)))
  (core instance $caller (instantiate $Caller (with "" (instance
    (export "get" (func $get)) (export "set" (func $set)) (export "get1" (func $get1)) (export "set1" (func $set1)) (export "f" (func $f'))
    (export "return" (func $return))))))
  (func (export "go") (param "n" u32) (result u32) (canon lift (core func $caller "go")))
  (func (export "go-async") async (param "n" u32) (result u32)
    (canon lift (core func $caller "go-async") async (callback (core func $caller "callback")))))"""


@pytest.mark.parametrize("export", ["go", "go-async"])
def test_a_task_has_a_state_of_its_own(export: str, tmp_path: Path) -> None:
    assert int(ends(assemble(tmp_path, OWN), f"{export}(400)", 0, options=("--features", "async"))) == 100
