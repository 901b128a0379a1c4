"""What advisories of other engines describe, in core modules: the scripts suites/own/core/attack-*.wast on each tier, modules whose
bytes are damaged in a known way, and limits that instructions went round elsewhere. cves.tsv has the advisories.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "suites/own/core").glob("attack-*.wast"))
ENGINES = ("interpreter", "compiled-at-once", "compiled-mixed")
PREAMBLE = b"\0asm\1\0\0\0"
MALFORMED, INVALID, LIMIT = 121, 122, 124

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


def no_reservations() -> None:
    """Too little address space to reserve a memory with guard pages: each access is checked."""
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


@pytest.mark.parametrize("checked", [False, True], ids=["guarded", "checked"])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_scripts(tmp_path: Path, script: Path, engine: str, checked: bool) -> None:
    json = tmp_path / "script.json"
    subprocess.run([WASM_TOOLS, "json-from-wast", script, "-o", json, "--wasm-dir", tmp_path], check=True, timeout=60)
    done = subprocess.run(
        [TOUCHSTONE, "wast", json],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "TOUCHSTONE_ENGINE": engine},
        preexec_fn=no_reservations if checked else None,
    )
    assert done.returncode == 0 and " 0 failed, 0 skipped, 0 unsupported" in done.stdout, done.stdout + done.stderr


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_the_largest_table_is_refused(tmp_path: Path, engine: str) -> None:
    """The text leaves it open: other engines do make a table of 16 GiB. Here it is over the limit, and costs nothing."""
    text = """(module (table $t 0 externref)
      (func (export "_start")
        (if (i32.ne (table.grow $t (ref.null extern) (i32.const 0xfffffffe)) (i32.const -1)) (then unreachable))
        (if (i32.ne (table.size $t) (i32.const 0)) (then unreachable))))"""
    done = subprocess.run(
        [TOUCHSTONE, "run", assemble(tmp_path, text)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "TOUCHSTONE_ENGINE": engine},
        preexec_fn=no_reservations,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- bytes ----------------------------------------------------------------------------------------------------------------


def leb(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def judged(folder: Path, content: bytes, mib: int = 512) -> tuple[int, str]:
    """The status and the words of `validate`, which may take this much address space."""
    file = folder / "it.wasm"
    file.write_bytes(content)

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20))

    done = subprocess.run([TOUCHSTONE, "validate", file], capture_output=True, text=True, timeout=60, check=False, preexec_fn=little)
    return done.returncode, done.stderr


SECTIONS = {1: b"\1\x60\0\0", 2: b"\0", 3: b"\1\0", 4: b"\0", 5: b"\1\0\1", 13: b"\0", 6: b"\0", 7: b"\0", 9: b"\0", 12: b"\1", 10: b"\1\2\0\x0b", 11: b"\1\1\0"}


@pytest.mark.parametrize("custom", [b"", section(0, b"\1a"), section(0, b"\1a") * 3], ids=["", "custom", "customs"])
def test_sections_have_one_order(tmp_path: Path, custom: bytes) -> None:
    """A section twice, or after a later one, is malformed; custom sections between them change nothing."""

    def module(*numbers: int) -> bytes:
        return PREAMBLE + custom + b"".join(section(n, SECTIONS[n]) + custom for n in numbers)

    order = list(SECTIONS)
    assert judged(tmp_path, module(*order))[0] == 0
    for at, (one, next_one) in enumerate(pairwise(order)):
        assert judged(tmp_path, module(*order[:at], next_one, one, *order[at + 2 :]))[0] == MALFORMED, (one, next_one)
        assert judged(tmp_path, module(*order[: at + 1], *order[at:]))[0] == MALFORMED, one
    assert judged(tmp_path, module(*order, 1))[0] == MALFORMED


@pytest.mark.parametrize("groups", [[0xFFFFFFFF], [0xFFFFFFFF, 1], [0x80000000, 0x80000000], [0x80000000] * 4, [50001], [50000, 1], [0x7FFFFFFF, 0x7FFFFFFF, 2]])
@pytest.mark.parametrize("kind", [0x7F, 0x7E, 0x7B, 0x6F])
def test_very_many_locals(tmp_path: Path, groups: list[int], kind: int) -> None:
    """Numbers of locals that wrap when they are added, or are only too large: refused, without memory for them."""
    body = leb(len(groups)) + b"".join(leb(n) + bytes([kind]) for n in groups) + b"\x0b"
    status, said = judged(tmp_path, PREAMBLE + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\1" + leb(len(body)) + body), 96)
    assert status in (MALFORMED, INVALID) and "locals" in said


@pytest.mark.parametrize("group", [1, 1000, 1_000_001])
def test_very_many_types(tmp_path: Path, group: int) -> None:
    """Types in recursive groups count like others: there are at most a million, however they are grouped."""
    if group == 1:
        types = leb(1_000_001) + b"\x60\0\0" * 1_000_001
    else:
        count = -(-1_000_001 // group)
        types = leb(count) + (b"\x4e" + leb(group) + b"\x60\0\0" * group) * count
    status, said = judged(tmp_path, PREAMBLE + section(1, types), 2048)
    assert status in (MALFORMED, INVALID) and "types" in said, (status, said)


COUNTED = {"types": 1, "imports": 2, "functions": 3, "tables": 4, "memories": 5, "globals": 6, "exports": 7, "elements": 9, "bodies": 10, "data": 11, "tags": 13}


@pytest.mark.parametrize("number", COUNTED.values(), ids=COUNTED)
@pytest.mark.parametrize("count", [0xFFFFFFFF, 0x80000000, 0x15555556, 0x10000001])
def test_counts_without_content(tmp_path: Path, number: int, count: int) -> None:
    """A section that announces more than it has is refused before anything is allocated for it."""
    status, _ = judged(tmp_path, PREAMBLE + section(number, leb(count)), 96)
    assert status in (MALFORMED, INVALID)


@pytest.mark.parametrize("code", [b"\x41\0\x0e\xff\xff\xff\xff\x0f\0", b"\x41\0\x0e\x80\x80\x80\x80\x08\0", b"\x1c\xff\xff\xff\xff\x0f\x7f", b"\x1f\x40\xff\xff\xff\xff\x0f\0"])
def test_immediates_that_announce_much(tmp_path: Path, code: bytes) -> None:
    """br_table, select and try_table with 2**32 - 1 entries that are not there."""
    body = b"\0" + code + b"\x0b"
    content = PREAMBLE + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\1" + leb(len(body)) + body)
    assert judged(tmp_path, content, 96)[0] in (MALFORMED, INVALID)


# --- calls ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [127, 128, 129, 255, 256, 257, 999, 1000])
def test_a_host_call_with_very_many_parameters(tmp_path: Path, engine: str, count: int) -> None:
    params = " ".join(("i64", "f64", "i32")[i % 3] for i in range(count))
    sum_ = f"(i64.add (local.get 0) (i64.extend_i32_u (local.get {(count - 1) // 3 * 3 - 1})))"
    text = f"""(module (func (export "f") (param {params}) (result i64) {sum_})
      (func (export "g") (param {params}) (result {params}) {" ".join(f"(local.get {i})" for i in range(count))}))"""
    args = [str(i) if i % 3 != 1 else f"{i}.5" for i in range(count)]
    file = assemble(tmp_path, text)
    for name, want in (("f", str((count - 1) // 3 * 3 - 1)), ("g", " ".join(args))):
        run = [TOUCHSTONE, "run", "--engine", engine, "--invoke", name, file, *args]
        done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0 and " ".join(done.stdout.split()) == want, done.stderr


LOOPS = {
    "call": "(func $f (param $n i32) (call $f (local.get 0)) (drop (i32.const 0)))",
    "call_indirect": "(table funcref (elem $f)) (func $f (param $n i32) (call_indirect (param i32) (local.get 0) (i32.const 0)) (drop (i32.const 0)))",
    "call_ref": "(elem declare func $f) (func $f (type $t) (call_ref $t (local.get 0) (ref.func $f)) (drop (i32.const 0)))",
    "return_call": "(func $f (param $n i32) (return_call $f (local.get 0)))",
    "return_call_indirect": "(table funcref (elem $f)) (func $f (param $n i32) (return_call_indirect (param i32) (local.get 0) (i32.const 0)))",
    "return_call_ref": "(elem declare func $f) (func $f (type $t) (return_call_ref $t (local.get 0) (ref.func $f)))",
    "two calls each": "(func $f (param $n i32) (if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1))) (call $f (i32.sub (local.get 0) (i32.const 1))))))",
    "two call_refs each": """(elem declare func $f) (func $f (type $t) (if (local.get 0) (then
        (call_ref $t (i32.sub (local.get 0) (i32.const 1)) (ref.func $f)) (call_ref $t (i32.sub (local.get 0) (i32.const 1)) (ref.func $f)))))""",
    "two that throw": """(tag $e) (func $f (param $n i32) (if (local.get 0) (then
        (block $h (try_table (catch $e $h) (call $f (i32.sub (local.get 0) (i32.const 1)))))
        (block $h (try_table (catch $e $h) (call $f (i32.sub (local.get 0) (i32.const 1))))))) (throw $e))""",
    "a loop": "(func $f (param $n i32) (loop $l (br $l)))",
    "a loop by br_table": "(func $f (param $n i32) (loop $l (br_table $l $l (local.get 0))))",
    "a loop by br_on_null": "(func $f (param $n i32) (loop $l (drop (br_on_null $l (ref.null func)))))",
    "a loop by catch": "(tag $e) (func $f (param $n i32) (loop $l (try_table (catch $e $l) (throw $e))))",
    "a loop by catch_all_ref": "(tag $e) (func $f (param $n i32) (local $x exnref) (local.set $x (loop $l (result exnref) (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e)) (unreachable)) (drop) (br $l))))",
}  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("how", LOOPS)
def test_no_way_round_the_limits_of_work(tmp_path: Path, engine: str, how: str) -> None:
    """However a guest repeats itself, --fuel ends it, and so does --max-time unless the stack has ended it before."""
    file = assemble(tmp_path, f'(module (type $t (func (param i32))) {LOOPS[how]} (func (export "_start") (call $f (i32.const 60))))')
    run = [TOUCHSTONE, "run", "--engine", engine, "--stack", "64MiB"]
    done = subprocess.run([*run, "--fuel", "20000", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == LIMIT and "--fuel" in done.stderr, done.stderr
    done = subprocess.run([*run, "--max-time", "100ms", file], capture_output=True, text=True, timeout=60, check=False)
    ended = done.returncode == LIMIT and "--max-time" in done.stderr
    assert ended or (how.startswith("call") and done.returncode == 134 and "--stack" in done.stderr), done.stderr


BULK: dict[str, str] = {
    "memory.fill": "(memory 16384) (func $f (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x3fffffff)))",
    "memory.copy": "(memory 16384) (func $f (memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3ffffff0)))",
    "memory.grow": "(memory 0) (func $f (drop (memory.grow (i32.const 1))))",
    "table.fill": "(table $t 9000000 funcref) (func $f (table.fill $t (i32.const 0) (ref.null func) (i32.const 9000000)))",
    "table.copy": "(table $t 9000000 funcref) (func $f (table.copy $t $t (i32.const 1) (i32.const 0) (i32.const 8999999)))",
    "table.grow": "(table $t 0 funcref) (func $f (drop (table.grow $t (ref.null func) (i32.const 1000))))",
    "array.fill": "(type $a (array (mut i64))) (global $g (ref $a) (array.new_default $a (i32.const 20000000))) (func $f (array.fill $a (global.get $g) (i32.const 0) (i64.const 1) (i32.const 20000000)))",
    "array.copy": "(type $a (array (mut i64))) (global $g (ref $a) (array.new_default $a (i32.const 20000000))) (func $f (array.copy $a $a (global.get $g) (i32.const 1) (global.get $g) (i32.const 0) (i32.const 19999999)))",
    "array.new": "(type $a (array (mut i64))) (func $f (drop (array.new $a (i64.const 1) (i32.const 1000000))))",
}  # fmt: skip


@pytest.mark.parametrize("what", BULK)
def test_bulk_operations_end_with_the_time(tmp_path: Path, what: str) -> None:
    """The longest of them, for ever, with a limit of time: the run ends with its message and nothing is half done."""
    file = assemble(tmp_path, f'(module {BULK[what]} (func (export "_start") (loop $l (call $f) (br $l))))')
    done = subprocess.run([TOUCHSTONE, "run", "--max-time", "300ms", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == LIMIT and "--max-time" in done.stderr, done.stderr


HUGE: dict[str, tuple[str, Callable[[int], bool]]] = {
    "table of 2**61 elements": ("(table i64 0x1fffffffffffffff externref)", lambda s: s == LIMIT),
    "table whose bytes wrap": ("(table i64 0x2000000000000001 externref)", lambda s: s == LIMIT),
    "table of 2**32 elements": ("(table 0xffffffff funcref)", lambda s: s == LIMIT),
    "memory of 2**64 bytes": ("(memory i64 0xffffffffffff)", lambda s: s in (LIMIT, INVALID)),
    "memory of 4 GiB": ("(memory 65536)", lambda s: s in (0, LIMIT)),
    "array in a global": ("(type $a (array i64)) (global (ref $a) (array.new_default $a (i32.const -1)))", lambda s: s in (LIMIT, 134)),
    "array with values in a global": ("(type $a (array i64)) (global (ref $a) (array.new $a (i64.const 1) (i32.const 0x20000000)))", lambda s: s in (LIMIT, 134)),
}


@pytest.mark.parametrize("what", HUGE)
def test_sizes_that_no_machine_has(tmp_path: Path, what: str) -> None:
    """An instance that wants more than there can be is refused with a message."""
    text, good = HUGE[what]
    file = assemble(tmp_path, f'(module {text} (func (export "_start")))')
    done = subprocess.run([TOUCHSTONE, "run", file], capture_output=True, text=True, timeout=60, check=False)
    assert good(done.returncode), (done.returncode, done.stderr)
