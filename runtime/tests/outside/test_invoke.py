"""`--invoke` of core modules and components: printed results read back as arguments, and show no address."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

CORE = """(module
  (type $s (struct (field i32))) (type $a (array i32)) (tag $t)
  (func $f (export "mixed") (result v128 i32 f64) (v128.const i64x2 11 22) (i32.const 33) (f64.const 4.5))
  (elem declare func $f)
  (func (export "i31") (result i31ref) (ref.i31 (i32.const 42)))
  (func (export "refs") (result funcref anyref (ref $s) (ref $a) externref externref anyref funcref i31ref exnref structref exnref f32)
    (ref.func $f) (ref.i31 (i32.const -7)) (struct.new $s (i32.const 5)) (array.new_default $a (i32.const 3))
    (extern.convert_any (ref.i31 (i32.const -1))) (ref.null extern) (ref.null any) (ref.null func) (ref.null i31) (ref.null exn) (ref.null none)
    (block (result exnref) (try_table (catch_all_ref 0) (throw $t)) unreachable)
    (f32.const 2.5))
  (func (export "many") (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 v128)
    (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)
    (i32.const 11) (i32.const 12) (i32.const 13) (i32.const 14) (i32.const 15) (i32.const 16) (i32.const 17) (v128.const i64x2 18 19))
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "f32bits") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
  (func (export "bits32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func (export "bits64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
  (func (export "f64bits") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0)))
  (func (export "v128") (param v128) (result v128) local.get 0)
  (func (export "any") (param anyref) (result anyref) local.get 0)
  (func (export "extern") (param externref) (result externref) local.get 0)
  (func (export "func") (param funcref) (result funcref) local.get 0)
  (func (export "struct") (param (ref null $s)) (result (ref null $s)) local.get 0)
  (func (export "nonnull") (param (ref any)) (result (ref any)) local.get 0)
  (func (export "mix") (param v128 i32 anyref f32) (result f32 anyref i32 v128) local.get 3 local.get 2 local.get 1 local.get 0)
  (func (export "nothing") (result i32) i32.const 7))"""

COMPONENT = """(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
    (func (export "len") (param i32 i32) (result i32) local.get 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
    (func (export "nothing") (result i32) i32.const 7))
  (core instance $i (instantiate $m))
  (alias core export $i "mem" (core memory $mem))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "len") (param "s" string) (result u32) (canon lift (core func $i "len") (memory $mem) (realloc (core func $i "realloc"))))
  (func (export "nothing") (result u32) (canon lift (core func $i "nothing"))))"""


def assemble(folder: Path, text: str) -> Path:
    (folder / "it.wat").write_text(text)
    subprocess.run([WASM_TOOLS, "parse", folder / "it.wat", "-o", folder / "it.wasm"], check=True, timeout=60)
    return folder / "it.wasm"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("core"), CORE)


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("component"), COMPONENT)


def invoke(call: str, file: Path, *words: str, status: int = 0) -> str:
    done = subprocess.run(
        [TOUCHSTONE, "run", "--invoke", call, file, *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == status, done.stdout
    return done.stdout


def test_results_behind_a_vector(core: Path) -> None:
    assert invoke("mixed()", core) == "(v128.const i64x2 11 22)\n33\n4.5\n"


def test_references_have_names_and_no_addresses(core: Path) -> None:
    said = invoke("refs", core)
    assert said.splitlines() == [
        "(ref.func)", "(ref.i31 -7)", "(ref.struct)", "(ref.array)", "(extern.convert_any (ref.i31 -1))", "(ref.null noextern)", "(ref.null none)",
        "(ref.null nofunc)", "(ref.null none)", "(ref.null noexn)", "(ref.null none)", "(ref.exn)", "2.5",
    ]  # fmt: skip
    assert not re.search(r"\d{5,}|0x", said)
    assert invoke("i31", core) == "(ref.i31 42)\n"


def test_more_than_sixteen_results(core: Path) -> None:
    assert invoke("many()", core) == "".join(f"{n}\n" for n in range(1, 18)) + "(v128.const i64x2 18 19)\n"


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("i32(4294967295)", "-1"), ("i32(-2147483648)", "-2147483648"), ("i32(0xff)", "255"), ("i32((i32.const 1_000))", "1000"),
        ("i64(18446744073709551615)", "-1"), ("i64(-0x8000000000000000)", "-9223372036854775808"),
        ("f32(-0)", "-0"), ("f32(inf)", "inf"), ("f32(-nan)", "-nan"), ("f32(nan:0x1)", "nan:0x1"), ("f32(0x1p-149)", "1.4013e-45"), ("f32(0.1)", "0.1"),
        ("f32(16777217)", "16777216"), ("f32(7.038531e-26)", "7.038531e-26"),
        ("f64(0.1)", "0.1"), ("f64(-nan:0x4000000000001)", "-nan:0x4000000000001"), ("f64(1e300)", "1e+300"), ("f64(0.30000000000000004)", "0.30000000000000004"),
        ("v128((v128.const f64x2 1 -0))", f"(v128.const i64x2 {0x3FF0000000000000} {-(1 << 63)})"),
        ("v128((v128.const i8x16 0 1 2 3 4 5 6 7 -1 -1 -1 -1 -1 -1 -1 -1))", f"(v128.const i64x2 {0x0706050403020100} -1)"),
        ("any((ref.null))", "(ref.null none)"), ("any((ref.null struct))", "(ref.null none)"), ("any((ref.i31 -5))", "(ref.i31 -5)"),
        ("any((ref.host 9))", "(ref.host 9)"), ("extern((ref.extern 9))", "(ref.extern 9)"), ("extern((ref.null noextern))", "(ref.null noextern)"),
        ("func((ref.null nofunc))", "(ref.null nofunc)"), ("struct((ref.null none))", "(ref.null none)"), ("nonnull((ref.i31 3))", "(ref.i31 3)"),
        ("mix((v128.const i64x2 1 2), -3, (ref.i31 4), 0.5)", "0.5\n(ref.i31 4)\n-3\n(v128.const i64x2 1 2)"),
    ],
)  # fmt: skip
def test_values_read_and_print(core: Path, call: str, result: str) -> None:
    assert invoke(call, core) == result + "\n"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("i32(4294967296)", "4294967296 is not a value of type i32"), ("i32(-2147483649)", "not a value of type i32"), ("i32(1.5)", "not a value of type i32"),
        ("i64(18446744073709551616)", "not a value of type i64"), ("i32()", "0 arguments are given, the function takes 1"), ("i32(1, 2)", "1 arguments and `)` expected"),
        ("f32(1e39)", "not a value of type f32"), ("f64(infinity)", "not a value of type f64"), ("f32(nan:0x0)", "not a value of type f32"), ("f64(x)", "not a value of type f64"),
        ("v128(1)", "is written (v128.const i32x4 1 2 3 4)"), ("v128((v128.const i32x4 1 2 3))", "is not a lane of i32x4"), ("v128((v128.const i8x16 256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0))", "256 is not a lane"),
        ("func((ref.null any))", "not a value of type (ref null func)"), ("func((ref.host 1))", "not a value of type"), ("func(5)", "is written (ref.null)"),
        ("nonnull((ref.null any))", "null is not a value of type (ref any)"), ("struct((ref.i31 1))", "not a value of type"), ("extern((ref.i31 1))", "not a value of type"),
        ("any((ref.host 4611686018427387904))", "not a value of type"), ("any((ref.i31 1)", "`)` expected"), ("absent()", "exports no such function"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(core: Path, call: str, words: str) -> None:
    assert words in invoke(call, core, status=120)


@pytest.mark.parametrize(
    "bits", [0, 1, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001, 0x7F800001, 0x3DCCCCCD, 0x7F7FFFFF, 0x00800000, 0x4B800001, 0x15AE43FD]
)
def test_an_f32_reads_back_exactly(core: Path, bits: int) -> None:
    text = invoke(f"f32bits({bits})", core).strip()
    assert int(invoke(f"bits32({text})", core)) % (1 << 32) == bits, text


@pytest.mark.parametrize(
    "bits", [0, 1, 1 << 63, 0x7FF0000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0x3FB999999999999A, 0x7FEFFFFFFFFFFFFF, 0x0010000000000000, 0x43E0000000000001]
)
def test_an_f64_reads_back_exactly(core: Path, bits: int) -> None:
    text = invoke(f"f64bits({bits})", core).strip()
    assert int(invoke(f"bits64({text})", core)) % (1 << 64) == bits, text


def test_the_older_form(core: Path, component: Path) -> None:
    assert invoke("i32", core, "5") == "5\n"
    assert invoke("mix", core, "(v128.const i64x2 1 2)", "3", "(ref.null any)", "4") == "4\n(ref.null none)\n3\n(v128.const i64x2 1 2)\n"
    assert "takes 1" in invoke("i32", core, "5", "6", status=120)
    assert "something follows the value" in invoke("i32", core, "5 6", status=120)
    assert "argument 1: x is not a value of type i32" in invoke("i32", core, "x", status=120)
    assert invoke("nothing", core, "5") == "7\n", "words are the guest's where the function has no parameters"
    assert invoke("add", component, "1", "2") == "3\n"
    assert invoke("add(1, 2)", component, "of the guest") == "3\n"
    assert invoke("len", component, '"four"') == "4\n"
    assert "a string is written '\"text\"'" in invoke("len", component, "four", status=120)
    assert "2 arguments are given" not in invoke("nothing", component, "1", "2")
    assert "1 arguments are given after the file, the function takes 2" in invoke("add", component, "1, 2", status=120)
    assert "argument 2" in invoke("add", component, "1", "2), add(3", status=120)


INTERFACES = """(component
  (core module $m (func (export "one") (result i32) (i32.const 1)) (func (export "two") (result i32) (i32.const 2)))
  (core instance $i (instantiate $m))
  (func $one (result u32) (canon lift (core func $i "one")))
  (func $two (result u32) (canon lift (core func $i "two")))
  (instance $a (export "f" (func $one)) (export "both" (func $one)))
  (type $t (record (field "x" u32)))
  (instance $b (export "g" (func $two)) (export "both" (func $two)) (export "t" (type $t)))
  (export "x:y/a@1.2.3" (instance $a))
  (export "x:y/b" (instance $b))
  (export "x:y/z@0.1.0-rc" (instance $b))
  (export "plain" (func $one)))"""


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("f()", "1"), ("f", "1"), (" f \t( ) ", "1"), ("plain()", "1"), ("\tplain \t", "1"),
        ("x:y/a@1.2.3#f()", "1"), ("x:y/a@1.0.0#f()", "1"), ("x:y/a@1.9.0#f", "1"), ("x:y/a#f()", "1"), ("x:y/b#g()", "2"), ("x:y/z#g()", "2"), ("x:y/z@0.1.0-rc#g()", "2"),
        ("both()", None), ("g()", None), ("t()", None), ("x:y/a()", None), ("x:y/a@2.0.0#f()", None), ("x:y/a@0.2.3#f()", None), ("x:y/b@1.2.3#g()", None), ("x:y/c#f()", None),
        ("x:y/a#g()", None), ("x:y/b#t()", None), ("plain#f()", None), ("not a name#f()", None), ("x:y/z@0.1.0#g()", None), ("x:y/z@0.1.0-rd#g()", None), ("h()", None), ("#plain()", None),
    ],
)  # fmt: skip
def test_functions_of_interfaces(call: str, result: str | None, tmp_path: Path) -> None:
    """The interface may be left out if one alone has the function, and its version, or be a compatible one."""
    done = subprocess.run([TOUCHSTONE, "run", "--invoke", call, assemble(tmp_path, INTERFACES)], capture_output=True, text=True, timeout=60, check=False)
    if result:
        assert (done.stdout, done.stderr) == (result + "\n", "")
        return
    several = "both" in call or call == "g()"
    assert done.returncode == 120 and ("several exported interfaces have a function" if several else "there is no exported function") in done.stderr, done
