"""What advisories of other runtimes describe, in components: strings between encodings, `realloc` that lies, flags with unknown bits,
handles, built-ins that are lifted directly, callbacks of the wrong type, and values that grow on the host's side. cves.tsv has the
advisories.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble

INVALID, LIMIT, TRAP = 122, 124, 134
END = 65536

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

ENCODINGS = ("utf8", "utf16", "latin1+utf16")
TAG = 1 << 31


def invoked(file: Path, call: str, *options: str) -> tuple[int, str, str]:
    done = subprocess.run([TOUCHSTONE, "run", *options, "--invoke", call, file], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def between(source: str, target: str, realloc: str) -> str:
    """A component that passes a string to another one: `go(pointer, length)` returns what the other was given, `units * 2 + odd pointer`."""
    return f"""(component
      (component $to
        (core module $m (memory (export "mem") 1) (global $n (mut i32) (i32.const 1024)) (global $calls (mut i32) (i32.const 0))
          (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            {realloc})
          (func (export "take") (param i32 i32) (result i32)
            (i32.add (i32.mul (i32.and (local.get 1) (i32.const 0x7fffffff)) (i32.const 2)) (i32.and (local.get 0) (i32.const 1)))))
        (core instance $i (instantiate $m))
        (alias core export $i "mem" (core memory $mem))
        (func (export "take") (param "s" string) (result u32)
          (canon lift (core func $i "take") (memory $mem) (realloc (core func $i "realloc")) string-encoding={target})))
      (component $from
        (import "take" (func $take (param "s" string) (result u32)))
        (core module $mem (memory (export "mem") 1)
          (data (i32.const 64) "a\\00b\\00\\e9\\00\\ac\\20\\3d\\d8\\00\\de") (data (i32.const 128) "plain") (data (i32.const 192) "\\e2\\82\\ac\\c3\\a9")
          (data (i32.const 65526) "a\\00b\\00\\e9\\00\\ac\\20c\\00"))
        (core instance $mem (instantiate $mem))
        (alias core export $mem "mem" (core memory $m))
        (core func $lowered (canon lower (func $take) (memory $m) string-encoding={source}))
        (core module $go (import "" "take" (func $take (param i32 i32) (result i32)))
          (func (export "go") (param i32 i32) (result i32) (call $take (local.get 0) (local.get 1))))
        (core instance $g (instantiate $go (with "" (instance (export "take" (func $lowered))))))
        (func (export "go") (param "at" u32) (param "len" u32) (result u32) (canon lift (core func $g "go"))))
      (instance $t (instantiate $to))
      (instance $f (instantiate $from (with "take" (func $t "take"))))
      (export "go" (func $f "go")))"""


BUMP = "(global.get $n) (global.set $n (i32.add (global.get $n) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))"


@pytest.mark.parametrize("target", ENCODINGS)
@pytest.mark.parametrize("source", ENCODINGS)
def test_strings_between_encodings(tmp_path: Path, source: str, target: str) -> None:
    """Good strings arrive, also from the very end of a memory; misaligned ones, and those that reach beyond by a byte, trap."""
    file = assemble(tmp_path, between(source, target, BUMP))
    wide = source == "utf16"
    tag = TAG if source == "latin1+utf16" else 0
    good = {"utf8": [(128, 5, 5), (192, 5, 2), (END, 0, 0), (END - 2, 1, 1)],
            "utf16": [(64, 4, 4), (64, 6, 6), (END - 10, 5, 5), (END, 0, 0)],
            "latin1+utf16": [(128, 5, 5), (64, TAG | 4, 4), (64, TAG | 6, 6), (END - 10, TAG | 5, 5), (END - 2, 2, 2)]}[source]  # fmt: skip
    for at, length, units in good:
        status, said, errors = invoked(file, f"go({at}, {length})")
        if target == "utf8":  # its units are bytes
            assert status == 0 and int(said) >= 2 * units and int(said) % 2 == 0, (at, length, errors)
        else:
            assert (status, said) == (0, str(2 * units)), (at, length, errors)
    bad = [(END - 1, 2), (END + 1, 0), (0xFFFFFFFF, 1), (0xFFFFFFF0, 0x20), (64, 0x7FFFFFFF), (0, 0x0FFFFFFF)]
    if wide or tag:
        bad += [(65, tag | 1), (END - 1, tag | 0), (END - 8, tag | 5), (END - 9, tag | 4), (72, tag | 1), (74, tag | 1), (64, tag | 5), (2, tag | 0x7FFFFFFF),
                (0, tag | 0x40000000)]  # fmt: skip
    for at, length in bad:
        status, said, errors = invoked(file, f"go({at}, {length})")
        assert status == TRAP and "string" in errors, (at, length, status, said, errors)


LIES = {
    "the end": f"(i32.const {END})",
    "one before the end": f"(i32.const {END - 1})",
    "beyond": "(i32.const 0x7fffffff)",
    "minus one": "(i32.const -1)",
    "minus two": "(i32.const -2)",
    "what wraps": "(i32.sub (i32.const 0) (local.get $size))",
    "the end at the second call": f"(select (i32.const 1024) (i32.sub (i32.const {END}) (i32.const 1)) (i32.eq (global.get $calls) (i32.const 1)))",
    "beyond at the third call": "(select (i32.const 1024) (i32.const 0xfffffff0) (i32.lt_u (global.get $calls) (i32.const 3)))",
    "odd": "(i32.const 1025)",
    "nothing": "(unreachable)",
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("target", ENCODINGS)
@pytest.mark.parametrize("source", ENCODINGS)
def test_a_realloc_that_lies(tmp_path: Path, source: str, target: str, lie: str) -> None:
    """Whatever the pointer is, it is checked at each call: a trap, or a string that fits where it is."""
    file = assemble(tmp_path, between(source, target, LIES[lie]))
    strings = {"utf8": [(128, 5), (192, 5)], "utf16": [(64, 6), (64, 2)], "latin1+utf16": [(128, 5), (64, TAG | 6), (64, TAG | 2)]}[source]
    outcomes = {invoked(file, f"go({at}, {length})")[0] for at, length in strings}
    assert outcomes <= {0, TRAP}
    if lie in ("the end", "beyond", "minus one", "minus two", "nothing"):
        assert outcomes == {TRAP}
    if lie == "odd" and target != "utf8":
        assert outcomes == {TRAP}


# --- lifting to the host ---------------------------------------------------------------------------------------------------


def lifting(type_: str, core: str, *, memory: bool = True, params: str = "", core_params: str = "") -> str:
    return f"""(component
      (core module $m (memory (export "mem") 1) (func (export "f") {core_params} (result i32) {core}) (func (export "get") (result i32) (i32.const 0)))
      (core instance $i (instantiate $m)) (alias core export $i "mem" (core memory $mem))
      {type_}
      (func (export "f") {params} (result $t) (canon lift (core func $i "f") {"(memory $mem)" if memory else ""})))"""


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 15, 16, 17, 31, 32])
@pytest.mark.parametrize("bits", [0xFFFFFFFF, 0x80000000, 0])
def test_flags_with_unknown_bits(tmp_path: Path, count: int, bits: int) -> None:
    """Bits that have no name are ignored, in a result and in memory (Binary.md and CanonicalABI.md, unpack_flags_from_int)."""
    labels = [f"f{i}" for i in range(count)]
    flags = f"(type $fl (flags {' '.join(chr(34) + label + chr(34) for label in labels)})) (export $t' \"t\" (type $fl))"
    want = "{" + ", ".join(label for i, label in enumerate(labels) if bits >> i & 1) + "}"
    flat = lifting(flags.replace("$t'", "$t"), f"(i32.const {bits})", memory=False)
    assert invoked(assemble(tmp_path, flat), "f()")[:2] == (0, want)
    listed = lifting(flags.replace("$t'", "$e") + ' (type $t (list $e))', f"(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1)) (i64.store (i32.const 64) (i64.const {bits << 32 | bits})) (i32.const 0)")  # fmt: skip
    assert invoked(assemble(tmp_path, listed), "f()")[:2] == (0, f"[{want}]")


GROWING = {"bool": 1, "(option u8)": 2, "(result)": 1, "(tuple bool bool)": 2, "(record (field \"a\" u8))": 1, "(variant (case \"a\") (case \"b\" u8))": 2}


@pytest.mark.parametrize("element", GROWING)
def test_lists_that_grow_on_the_host(tmp_path: Path, element: str) -> None:
    """Elements of a byte are many times larger as values of the host: their number is limited by that, and the run ends with a message."""
    define = f'(type $el {element}) (export $e "e" (type $el)) (type $t (list $e))' if "(" in element else f"(type $t (list {element}))"
    core = "(drop (memory.grow (i32.const 4096))) (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (local.get 0)) (i32.const 0)"
    file = assemble(tmp_path, lifting(define, core, params='(param "n" u32)', core_params="(param i32)"))
    count = (1 << 28) // GROWING[element] - 200
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([TOUCHSTONE, "run", "--invoke", f"f({count})", file], stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    errors = (tmp_path / "said").read_text()
    assert process.returncode == LIMIT and "elements is too large" in errors, (process.returncode, errors[:500], usage.ru_maxrss)
    assert usage.ru_maxrss < 600 << 10, (usage.ru_maxrss, errors[:500])  # KiB
    assert invoked(file, "f(3)")[0] == 0


# --- built-ins and callbacks -------------------------------------------------------------------------------------------------

RESOURCE = """(component
  (core module $d (func (export "dtor") (param i32)))
  (core instance $di (instantiate $d))
  (type $r (resource (rep i32) (dtor (core func $di "dtor"))))
  (type $other (resource (rep i32)))
  (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r)) (core func $rep (canon resource.rep $r))
  (core func $new-other (canon resource.new $other)) (core func $drop-other (canon resource.drop $other))
  (func (export "new") (param "rep" u32) (result u32) (canon lift (core func $new)))
  (func (export "drop") (param "h" u32) (canon lift (core func $drop)))
  (func (export "rep") (param "h" u32) (result u32) (canon lift (core func $rep)))
  (func (export "drop-other") (param "h" u32) (canon lift (core func $drop-other)))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32))) (import "" "rep" (func $rep (param i32) (result i32)))
    (import "" "new-other" (func $new-other (param i32) (result i32))) (import "" "drop-other" (func $drop-other (param i32)))
    (func (export "twice") (local i32) (local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0)) (call $drop (local.get 0)))
    (func (export "after") (result i32) (local i32) (local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0)) (call $rep (local.get 0)))
    (func (export "other") (call $drop-other (call $new (i32.const 7))))
    (func (export "reused") (result i32) (local i32) (local.set 0 (call $new (i32.const 7))) (call $drop (local.get 0))
      (drop (call $new-other (i32.const 8))) (call $rep (local.get 0)))
    (func (export "good") (result i32) (call $rep (call $new (i32.const 0xffffffff)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep)) (export "new-other" (func $new-other)) (export "drop-other" (func $drop-other))))))
  (func (export "twice") (canon lift (core func $i "twice"))) (func (export "other") (canon lift (core func $i "other")))
  (func (export "after") (result u32) (canon lift (core func $i "after"))) (func (export "reused") (result u32) (canon lift (core func $i "reused")))
  (func (export "good") (result u32) (canon lift (core func $i "good"))))"""


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [("new(5)", 0, "1"), ("drop(0)", TRAP, ""), ("drop(1)", TRAP, ""), ("drop(4294967295)", TRAP, ""), ("rep(1)", TRAP, ""), ("rep(2147483648)", TRAP, ""),
     ("drop-other(7)", TRAP, ""), ("twice()", TRAP, ""), ("after()", TRAP, ""), ("other()", TRAP, ""), ("reused()", TRAP, ""), ("good()", 0, "4294967295")],
)  # fmt: skip
@pytest.mark.parametrize("engine", ["interpreter", "compiled-at-once"])
def test_built_ins_that_the_host_calls(tmp_path: Path, engine: str, call: str, status: int, said: str) -> None:
    """Handles that are dropped, of another type or never were, by core code and by built-ins that are lifted as they are."""
    done = invoked(assemble(tmp_path, RESOURCE), call, "--engine", engine)
    assert done[:2] == (status, said), done
    if status == TRAP:
        assert "handle" in done[2], done[2]


CALLBACKS = {
    "(param i32 i32 i32) (result i32)": True,
    "(param i32) (result i32)": False,
    "(param i32)": False,
    "(param i32 i32 i32)": False,
    "(param i32 i32 i32) (result i64)": False,
    "(param i32 i32 i32) (result i32 i32)": False,
    "(param i32 i32 i32) (result " + "i64 " * 900 + ")": False,
    "(param i32 i32 i64) (result i32)": False,
    "(result i32)": False,
    "(param i32 i32 i32 i32) (result i32)": False,
}


@pytest.mark.parametrize("type_", CALLBACKS, ids=lambda t: t[:40])
def test_callbacks_of_another_type(tmp_path: Path, type_: str) -> None:
    text = f"""(component (core module $m (func (export "f") (result i32) unreachable) (func (export "cb") {type_} unreachable))
      (core instance $i (instantiate $m))
      (func (export "f") async (canon lift (core func $i "f") async (callback (core func $i "cb")))))"""
    file = assemble(tmp_path, text)
    done = subprocess.run([TOUCHSTONE, "validate", "--features", "all", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (0 if CALLBACKS[type_] else INVALID), done.stderr
    if not CALLBACKS[type_]:
        assert "callback" in done.stderr
