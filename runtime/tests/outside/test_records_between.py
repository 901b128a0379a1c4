"""Records of scalars that a component returns to another through memory: what of their bytes arrives, and what is a trap.

The callee fills a record with bytes that it computes, as this file does; the caller hashes the memory where it wanted the result.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import ends, outcome

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
TRAPPED = 134
ALL = (1 << 64) - 1
MULTIPLIER, INCREMENT = 6364136223846793005, 1442695040888963407
SIZE, FILL = 48, 0xAA
FIELDS = """(type $flags (flags "a" "b" "c" "d" "e" "f" "g" "h" "i" "j" "k")) (type $enum (enum "a" "b" "c"))"""
RECORD = """(record (field "a" bool) (field "b" u8) (field "c" u16) (field "d" u32) (field "e" u64) (field "f" f32) (field "g" f64)
  (field "h" char) (field "i" {}) (field "j" {}) (field "k" s8) (field "l" (option u16)))"""
# what `give` does last, by the number of the damage
CHAR, ENUM, OPTION, UNALIGNED, OUTSIDE, WANTED_UNALIGNED, WANTED_OUTSIDE = range(1, 8)

# without this, the call needs no function of C (runtime/core/run/adapter.h)
AFTER = '(post-return (core func $i "after"))'
TEXT = f"""(component
  (component $C {FIELDS}
    (core module $m (memory (export "memory") 1)
      (global $x (mut i64) (i64.const 0)) (global $after (mut i32) (i32.const 0))
      (func (export "give") (param $damage i32) (result i32) (local $i i32)
        (loop $next
          (global.set $x (i64.add (i64.mul (global.get $x) (i64.const {MULTIPLIER})) (i64.const {INCREMENT})))
          (i64.store (i32.add (i32.const 1024) (local.get $i)) (i64.rotl (global.get $x) (i64.const 23)))
          (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const {SIZE}))))
        ;; a NaN in one of eight, and what must be a value
        (if (i32.eqz (i32.and (i32.load (i32.const 1028)) (i32.const 0x700)))
          (then (i32.store (i32.const 1040) (i32.or (i32.load (i32.const 1040)) (i32.const 0x7f800000)))
            (i64.store (i32.const 1048) (i64.or (i64.load (i32.const 1048)) (i64.const 0x7ff0000000000000)))))
        (if (i32.and (i32.load (i32.const 1028)) (i32.const 0x800)) (then (i32.store8 (i32.const 1024) (i32.const 0))))
        (i32.store (i32.const 1056) (i32.add (i32.and (i32.load (i32.const 1056)) (i32.const 0x7ff))
          (select (i32.const 0xd000) (i32.const 0x10f800) (i32.and (i32.load (i32.const 1056)) (i32.const 0x800)))))
        (i32.store8 (i32.const 1062) (i32.rem_u (i32.load8_u (i32.const 1062)) (i32.const 3)))
        (i32.store8 (i32.const 1064) (i32.and (i32.load8_u (i32.const 1064)) (i32.const 1)))
        (if (i32.eq (local.get $damage) (i32.const {CHAR})) (then (i32.store (i32.const 1056) (i32.const 0xd800))))
        (if (i32.eq (local.get $damage) (i32.const {ENUM})) (then (i32.store8 (i32.const 1062) (i32.const 3))))
        (if (i32.eq (local.get $damage) (i32.const {OPTION})) (then (i32.store8 (i32.const 1064) (i32.const 2))))
        (if (i32.eq (local.get $damage) (i32.const {UNALIGNED})) (then (return (i32.const 1028))))
        (if (i32.eq (local.get $damage) (i32.const {OUTSIDE})) (then (return (i32.const {65536 - SIZE + 8}))))
        (i32.const 1024))
      (func (export "after") (param i32) (global.set $after (i32.add (global.get $after) (local.get 0))))
      (func (export "afterwards") (result i32) (global.get $after)))
    (core instance $i (instantiate $m))
    (export $x-flags "flags" (type $flags)) (export $x-enum "enum" (type $enum))
    (type $record {RECORD.format("$x-flags", "$x-enum")})
    (export $x-record "record" (type $record))
    (func (export "give") (param "damage" u8) (result $x-record)
      (canon lift (core func $i "give") (memory (core memory $i "memory")) {AFTER}))
    (func (export "afterwards") (result u32) (canon lift (core func $i "afterwards"))))
  (component $D
    (import "c" (instance $c {FIELDS}
      (export "flags" (type $x-flags (eq $flags))) (export "enum" (type $x-enum (eq $enum)))
      (type $record {RECORD.format("$x-flags", "$x-enum")}) (export "record" (type $x-record (eq $record)))
      (export "give" (func (param "damage" u8) (result $x-record))) (export "afterwards" (func (result u32)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $give (canon lower (func $c "give") (memory (core memory $libc "memory"))))
    (core func $afterwards (canon lower (func $c "afterwards")))
    (core module $m
      (import "libc" "memory" (memory 1)) (import "c" "give" (func $give (param i32 i32))) (import "c" "afterwards" (func $afterwards (result i32)))
      ;; n whole records, each where bytes were {FILL:#x}, and one that is damaged in some way
      (func (export "take") (param $n i32) (param $damage i32) (result i64) (local $sum i64) (local $i i32)
        (loop $next
          (memory.fill (i32.const 2048) (i32.const {FILL}) (i32.const {SIZE}))
          (call $give (i32.const 0) (i32.const 2048))
          (local.set $i (i32.const 0))
          (loop $bytes
            (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (i32.add (local.get $i) (i32.const 2048)))))
            (br_if $bytes (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const {SIZE}))))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (call $give (local.get $damage) (select (i32.const 2052) (select (i32.const {65536 - SIZE + 8}) (i32.const 2048)
          (i32.eq (local.get $damage) (i32.const {WANTED_OUTSIDE}))) (i32.eq (local.get $damage) (i32.const {WANTED_UNALIGNED}))))
        (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_u (call $afterwards)))))
    (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "c" (instance (export "give" (func $give)) (export "afterwards" (func $afterwards))))))
    (func (export "take") (param "n" u32) (param "damage" u32) (result u64) (canon lift (core func $i "take"))))
  (instance $c (instantiate $C)) (instance $d (instantiate $D (with "c" (instance $c)))) (export "take" (func $d "take")))"""


class Callee:
    """What `give` writes."""

    def __init__(self) -> None:
        self.x = 0

    def give(self) -> bytearray:
        at = bytearray()
        for _ in range(SIZE // 8):
            self.x = (self.x * MULTIPLIER + INCREMENT) & ALL
            at += struct.pack("<Q", (self.x << 23 | self.x >> 41) & ALL)
        if not at[5] & 7:
            at[18] |= 0x80
            at[19] |= 0x7F
            at[30] |= 0xF0
            at[31] |= 0x7F
        if at[5] & 8:
            at[0] = 0
        char = struct.unpack_from("<I", at, 32)[0]
        struct.pack_into("<I", at, 32, (char & 0x7FF) + (0xD000 if char & 0x800 else 0x10F800))
        at[38] %= 3
        at[40] &= 1
        return at


def arrives(given: bytearray) -> bytearray:
    """CanonicalABI.md, load and store: the padding is the caller's."""
    out = bytearray([FILL] * SIZE)
    out[:20], out[24:41] = given[:20], given[24:41]
    out[0] = given[0] != 0
    if struct.unpack_from("<I", given, 16)[0] & 0x7FFFFFFF > 0x7F800000:
        struct.pack_into("<I", out, 16, 0x7FC00000)
    if struct.unpack_from("<Q", given, 24)[0] & ALL >> 1 > 0x7FF << 52:
        struct.pack_into("<Q", out, 24, 0x7FF8 << 48)
    out[37] &= 7
    if given[40]:
        out[42:44] = given[42:44]
    return out


@pytest.fixture(scope="module", params=[True, False], ids=["post-return", "plain"])
def records(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bool]:
    """The component, and whether it has a post-return function."""
    return assemble(tmp_path_factory.mktemp("records"), TEXT if request.param else TEXT.replace(AFTER, "")), request.param


def test_records_arrive(records: tuple[Path, bool]) -> None:
    callee, total = Callee(), 0
    for _ in range(300):
        for word in struct.unpack(f"<{SIZE // 8}Q", arrives(callee.give())):
            total = (total * 31 + word) & ALL
    component, has_after = records
    assert int(ends(component, "take(300, 0)", 0)) == (total * 31 + (301 * 1024 if has_after else 0)) & ALL


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (CHAR, "invalid `char`"),
        (ENUM, "invalid variant discriminant: 3 of 3 cases"),
        (OPTION, "invalid variant discriminant: 2 of 2 cases"),
        (UNALIGNED, "unaligned pointer: 0x404 needs alignment 8"),
        (OUTSIDE, "pointer out of bounds of memory"),
        (WANTED_UNALIGNED, "unaligned pointer: 0x804 needs alignment 8"),
        (WANTED_OUTSIDE, "pointer out of bounds of memory"),
    ],
)
@pytest.mark.parametrize("calls_before", [1, 300])
def test_what_is_no_record_is_a_trap(calls_before: int, damage: int, said: str, records: tuple[Path, bool]) -> None:
    ends(records[0], f"take({calls_before}, {damage})", TRAPPED, said)


# --- arguments and the place of the result -----------------------------------------------------------------
def sums(n: int) -> str:
    """`go` calls 400 times a function of n numbers, each time with another place for their sum and their last one; and once more."""
    params = " ".join(f'(param "p{k}" u32)' for k in range(n))
    types = "i32 " * n
    added = "(i32.const 0)"
    for k in range(n):
        added = f"(i32.add (i32.mul {added} (i32.const 3)) (local.get {k}))"
    given = " ".join(f"(i32.add (local.get $n) (i32.const {k * k}))" for k in range(n))
    return f"""(component
  (component $C
    (core module $m (memory (export "memory") 1) (global $calls (mut i32) (i32.const 0))
      (func $deep (result i32) (i32.add (i32.const 1) (call $deep)))
      (func (export "sum") (param {types}) (result i32) (local $at i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.eq (global.get $calls) (i32.const 402)) (then (drop (call $deep))))
        (local.set $at (i32.mul (i32.and (global.get $calls) (i32.const 63)) (i32.const 8)))
        (i32.store (local.get $at) {added})
        (i32.store (i32.add (local.get $at) (i32.const 4)) (global.get $calls))
        (local.get $at)))
    (core instance $i (instantiate $m))
    (func (export "sum") {params} (result (tuple u32 u32)) (canon lift (core func $i "sum") (memory (core memory $i "memory")))))
  (component $D
    (import "c" (instance $c (export "sum" (func {params} (result (tuple u32 u32))))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (core func $sum (canon lower (func $c "sum") (memory (core memory $libc "memory"))))
    (core module $m (import "libc" "memory" (memory 1)) (import "c" "sum" (func $sum (param {types} i32)))
      (func (export "go") (param $more i32) (result i64) (local $n i32) (local $at i32) (local $total i64)
        (loop $next
          (local.set $at (i32.add (i32.const 4096) (i32.mul (local.get $n) (i32.const 8))))
          (call $sum {given} (local.get $at))
          (local.set $total (i64.add (i64.mul (local.get $total) (i64.const 31)) (i64.load (local.get $at))))
          (br_if $next (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 401))))
        (if (local.get $more) (then (call $sum {given} (local.get $at))))
        (local.get $total)))
    (core instance $i (instantiate $m (with "libc" (instance $libc)) (with "c" (instance (export "sum" (func $sum))))))
    (func (export "go") (param "more" bool) (result u64) (canon lift (core func $i "go"))))
  (instance $c (instantiate $C)) (instance $d (instantiate $D (with "c" (instance $c)))) (export "go" (func $d "go")))"""


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 16])
def test_the_result_goes_where_the_argument_behind_the_others_says(n: int, tmp_path: Path) -> None:
    total = 0
    for call in range(401):
        added = 0
        for k in range(n):
            added = (added * 3 + call + k * k) & 0xFFFFFFFF
        total = (total * 31 + (added | (call + 1) << 32)) & ALL
    component = assemble(tmp_path, sums(n))
    assert int(ends(component, "go(false)", 0)) == total
    ends(component, "go(true)", TRAPPED, "call stack exhausted")
    for fuel in (1, 5, 17, 1234):
        expected = outcome(component, "go(false)", "interpreter", "--fuel", str(fuel))
        for tier in ("compiled-at-once", "compiled-mixed", "compiled"):
            assert outcome(component, "go(false)", tier, "--fuel", str(fuel)) == expected, tier


def test_a_component_that_calls_itself_may_want_the_result_where_it_is(tmp_path: Path) -> None:
    text = """(component
      (core module $libc (memory (export "memory") 1))
      (core instance $libc (instantiate $libc))
      (core module $callee (import "" "memory" (memory 1))
        (func (export "f") (result i32)
          (i64.store (i32.const 16) (i64.const 1)) (i64.store (i32.const 24) (i64.const 2)) (i64.store (i32.const 32) (i64.const 3)) (i32.const 16)))
      (core instance $callee (instantiate $callee (with "" (instance $libc))))
      (func $f (result (tuple u64 f64 u64)) (canon lift (core func $callee "f") (memory (core memory $libc "memory"))))
      (core func $f' (canon lower (func $f) (memory (core memory $libc "memory"))))
      (core module $caller (import "" "memory" (memory 1)) (import "" "f" (func $f (param i32)))
        (func (export "go") (result i64) (call $f (i32.const 24))
          (i64.add (i64.mul (i64.load (i32.const 24)) (i64.const 100)) (i64.add (i64.mul (i64.load (i32.const 32)) (i64.const 10)) (i64.load (i32.const 40))))))
      (core instance $caller (instantiate $caller (with "" (instance (export "memory" (memory $libc "memory")) (export "f" (func $f'))))))
      (func (export "go") (result u64) (canon lift (core func $caller "go"))))"""
    assert int(ends(assemble(tmp_path, text), "go()", 0)) == 123
