"""`touchstone` from outside: its subcommands and options, and what it refuses. Cases and C tests cover grants."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"
BUILT = ROOT / "fixtures/built"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")
needs_wasm_tools = pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent")


def run(*argv: str | Path, status: int = 0, cwd: Path | None = None) -> str:
    """Runs the command, checks its exit status, and returns stdout and stderr."""
    done = subprocess.run(
        [TOUCHSTONE, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, cwd=cwd, check=False
    )
    text = done.stdout.decode(errors="replace")
    assert done.returncode == status, text
    return text


def assemble(folder: Path, text: str) -> Path:
    (folder / "it.wat").write_text(text)
    subprocess.run([WASM_TOOLS, "parse", folder / "it.wat", "-o", folder / "it.wasm"], check=True, timeout=60)
    return folder / "it.wasm"


@pytest.mark.parametrize("name", ["wasi:clocks/wall-clock", "wasi:clocks", "wasi:clocks/wall-clock@0.2.0"])
def test_denied(name: str) -> None:
    said = run("run", "--deny", name, BUILT / "clocks-wall.wasm", status=123)
    assert "import wasi:clocks/wall-clock@0.2.0 now: denied" in said
    said = run("run", "--deny", name, "--unknown-imports-trap", "--trace", BUILT / "clocks-wall.wasm", status=134)
    assert "[denied]" in said


def test_the_trace_shows_what_was_not_granted(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "hello.txt").write_text("x")
    said = run("run", "--trace", "--dir", f"{tmp_path}::/data:ro", BUILT / "fs-read-only.wasm")
    assert '"hello.txt", {}, {read, write}) -> err(read-only) [denied]' in said
    assert 'create-directory-at(#1, "made") -> err(read-only) [denied]' in said
    assert 'set-times-at(#1, {}, "hello.txt", now, now) -> err(read-only) [denied]' in said
    again = ("run", "--trace", "--replay", tmp_path / "record", BUILT / "fs-read-only.wasm")
    assert run("run", "--trace", "--record", tmp_path / "record", *("--dir", f"{tmp_path}::/data:ro"), BUILT / "fs-read-only.wasm") == run(*again) == said
    said = run("run", "--trace", "--dir", f"{tmp_path}::/data", BUILT / "fs-read-only.wasm")
    assert "[denied]" not in said
    said = run("run", "--trace", "--dir", f"{tmp_path}::/data", BUILT / "fs-outside.wasm")
    assert "err(not-permitted) [denied]" in said and "err(not-permitted)\n" not in said
    assert "err(access-denied) [denied]" in run("run", "--trace", BUILT / "sockets-denied.wasm")


@pytest.mark.parametrize("name", ["wall-clock", "wasi:clocks/wall", "wasi:clock", "@0.2.0", "wasi:clocks/wall-clock@0.3.0"])
def test_what_would_deny_nothing_is_refused(name: str, tmp_path: Path) -> None:
    assert "no such interface or package" in run("run", "--deny", name, BUILT / "clocks-wall.wasm", status=120)
    (tmp_path / "p.toml").write_text(f'deny = ["{name}"]\n')
    assert "no such interface or package" in run("run", "--policy", tmp_path / "p.toml", BUILT / "clocks-wall.wasm", status=120)


def test_unstable_features_are_known_by_name() -> None:
    assert "no such feature" in run("run", "--unstable", "clocks-timezones", BUILT / "clocks-timezone.wasm", status=120)
    for name in ("network-error-code", "cli-exit-with-code", "informational-outbound-responses", "clocks-timezone"):
        assert "hello" in run("run", "--unstable", name, BUILT / "hello.wasm")


IMPORTING = """(component
  (import "NAME" (instance (export "f" (func))))
  (core module $m (func (export "r") (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func $r (result (result)) (canon lift (core func $i "r")))
  (instance $x (export "run" (func $r)))
  (export "wasi:cli/run@0.2.0" (instance $x)))"""


@needs_wasm_tools
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wasi:keyvalue/store@0.2.0-draft", "wasi:keyvalue is not part of WASI 0.2"),
        ("wasi:nn/graph@0.2.0-rc-2024-10-28", "wasi:nn is not part of WASI 0.2"),
        ("wasi:cli/stdout@0.3.0", "it belongs to WASI 0.3, which is not implemented"),
        ("wasi:http/handler@0.3.0-rc-2026-01-06", "it belongs to WASI 0.3, which is not implemented"),
        ("wasi:cli/stdout@0.1.0", "version 0.1.0 is not compatible with 0.2.0"),
        ("wasi:io/streams@0.2.99", "the interface has no such function here"),
        ("my:pkg/x", "nothing provides it"),
    ],
)
def test_outside_of_wasi_02(name: str, reason: str, tmp_path: Path) -> None:
    said = run("run", assemble(tmp_path, IMPORTING.replace("NAME", name)), status=123)
    assert f"touchstone: import {name} f: {reason}\n" in said


@needs_wasm_tools
def test_a_function_imported_by_itself(tmp_path: Path) -> None:
    text = IMPORTING.replace('(import "NAME" (instance (export "f" (func))))', '(import "foo" (func))')
    assert "touchstone: import foo: nothing provides it\n" in run("run", assemble(tmp_path, text), status=123)


EXPORTING = """(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
    (func (export "same") (param i32) (result i32) local.get 0)
    (func (export "trap") unreachable)
    (func (export "loop") (loop br 0))
    (func $r (export "rec") (call $r))
    (func (export "grow") (result i32) (memory.grow (i32.const 100))))
  (core instance $i (instantiate $m))
  (type $e' (enum "a" "b-c"))
  (export $e "e" (type $e'))
  (type $p' (record (field "x" u32) (field "e" $e)))
  (export $p "p" (type $p'))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "pick") (param "a" $e) (result $e) (canon lift (core func $i "same")))
  (func (export "first") (param "p" $p) (result u32) (canon lift (core func $i "add")))
  (func (export "char") (param "a" char) (result char) (canon lift (core func $i "same")))
  (func (export "trap") (canon lift (core func $i "trap")))
  (func (export "loop") (canon lift (core func $i "loop")))
  (func (export "rec") (canon lift (core func $i "rec")))
  (func (export "grow") (result s32) (canon lift (core func $i "grow"))))"""


@pytest.fixture(scope="module")
def exporting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("exporting"), EXPORTING)


@needs_wasm_tools
@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("add(1, 2)", 0, "3\n"),
        (" add ( 1 , 2 ) ", 0, "3\n"),
        ("add(4294967295, 2)", 0, "1\n"),
        ("pick(b-c)", 0, "b-c\n"),
        ("first({x: 1, e: b-c})", 0, "2\n"),
        ("char('\\u{1F600}')", 0, "'😀'\n"),
        ("add(1)", 120, "1 arguments are given, the function takes 2"),
        ("add(1, 2, 3)", 120, "the function takes fewer arguments at column 8"),
        ("add(-1, 2)", 120, "integer out of range at column 2"),
        ("add(1, 2", 120, "expected"),
        ("add(1, 2) x", 120, "something follows the arguments"),
        ("pick(c)", 120, "the enum has no such case"),
        ("char('\\u{d800}')", 120, "not a Unicode scalar value"),
        ("nope()", 120, "there is no exported function `nope`"),
        ("", 120, "--invoke: the value is empty"),
        ("char('x", 120, "expected"),
        ("trap()", 134, "trap (unreachable)"),
        ("rec()", 134, "trap (call-stack-exhausted)"),
    ],
)
def test_invoke(exporting: Path, call: str, status: int, said: str) -> None:
    text = run("run", "--invoke", call, exporting, status=status)
    assert text == said if status == 0 else said in text


@needs_wasm_tools
def test_limits_have_a_status_of_their_own(exporting: Path) -> None:
    assert "limit: the fuel is used up" in run("run", "--fuel", "1000000", "--invoke", "loop()", exporting, status=124)
    assert "limit: the time limit of 50 ms was reached (--max-time)" in run("run", "--max-time", "50ms", "--invoke", "loop()", exporting, status=124)
    assert "a memory of 64 KiB (1 page of 64 KiB) is over the limit of 1 byte (--max-memory)" in run("run", "--max-memory", "1", "--invoke", "grow()", exporting, status=124)
    assert run("run", "--max-memory", "1MiB", "--invoke", "grow()", exporting) == "-1\n"
    assert run("run", "--max-memory", "8MiB", "--invoke", "grow()", exporting) == "1\n"
    assert "--max-memory abc: a number is expected" in run("run", "--max-memory", "abc", "--invoke", "grow()", exporting, status=120)


@needs_wasm_tools
def test_inspect_names_types_as_the_component_does(exporting: Path) -> None:
    said = run("inspect", exporting)
    for line in ("e: type = enum { a, b-c }", "p: type = record { x: u32, e: e }", "first: func(p: p) -> u32", "pick: func(a: e) -> e"):
        assert f"  {line}\n" in said
    assert "canonical definitions: 8 (lift 8, lower 0, built-ins 0)" in said


@needs_wasm_tools
def test_inspect_of_modules_and_components(tmp_path: Path) -> None:
    """Names of core modules may contain anything: what a terminal would obey is not printed."""
    text = """(component
  (import "m" (core module (import "a" "b" (func)) (export "\\1b[31m\\7f\\c2\\9b\\c2\\a0é" (memory 1)) (export "t" (table 1 funcref))
    (export "g" (global i32)) (export "f" (func)) (export "e" (tag))))
  (import "c" (component (import "f" (func)) (export "g" (func)) (export "h" (func))))
  (import "i" (instance))
  (import "r" (instance (export "x" (type (sub resource))) (export "y" (func (param "x" (own 0)))))))"""
    said = run("inspect", assemble(tmp_path, text))
    assert """imports: 4
  m: core module of 1 imports and 5 exports
    export ?[31m??\u00a0é: memory
    export t: table
    export g: global
    export f: func
    export e: tag
  c: component of 1 imports and 2 exports
  i: instance (empty)
  r: instance
    x: resource
    y: func(x: own<x>)
""" in said


def test_inspect_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "-").write_bytes((BUILT / "hello.wasm").read_bytes())
    for word in ("inspect", "validate"):
        assert "usage" in run(word, "--nothing", status=120)
        assert "usage" in run(word, BUILT / "hello.wasm", BUILT / "hello.wasm", status=120)


CORE = """(module (import "env" "x" (func)) (memory (export "m") 1)
  (func (export "f") (param i32 i64 f32) (result f32 i64 i32) local.get 2 local.get 1 local.get 0)
  (func (export "v") (param v128)))"""


@needs_wasm_tools
def test_core_modules(tmp_path: Path) -> None:
    said = run("inspect", assemble(tmp_path, CORE))
    assert "  import env x: func\n  export m: memory\n  export f: func\n" in said
    assert "import env x: a core module gets functions of wasi_snapshot_preview1 only" in run("run", "--invoke", "f(1, 2, 3)", tmp_path / "it.wasm", status=123)
    module = assemble(tmp_path, CORE.replace('(import "env" "x" (func))', ""))
    for call, want in (("f(1, 2, 3.5)", "3.5\n2\n1\n"), (" f ( -1, 0xff, nan ) ", "nan\n255\n-1\n"), ("f(010, -9223372036854775808, -0)", "-0\n-9223372036854775808\n10\n")):
        assert run("run", "--invoke", call, module) == want
    for call in ("f(1, 2)", "f(1, 2, 3, 4)", "f(4294967296, 2, 3)", "f(1, 99999999999999999999, 3)", "f(1, 2, x)", "f(1, 2, 3", "v(1)", "g()", "f", ""):
        assert (f"--invoke {call}: " if call else "--invoke: ") in run("run", "--invoke", call, module, status=120)


def test_inspect_of_large_types_is_whole() -> None:
    said = run("inspect", BUILT / "http-call.wasm")
    assert "internal-error(option<string>) }\n" in said
    assert "    handle: func(request: own<outgoing-request>, options: option<own<request-options>>) -> result<own<future-incoming-response>, error-code>\n" in said


def test_what_is_no_component(tmp_path: Path) -> None:
    def wrong(content: bytes, status: int, *said: str) -> None:
        (tmp_path / "x.wasm").write_bytes(content)
        for word in ("validate", "inspect"):
            text = run(word, tmp_path / "x.wasm", status=status)
            assert all(s in text for s in said), text

    wrong(b"", 121, "malformed: unexpected end", "at byte 0x0")
    wrong(b"\0asm\2\0\0\0", 121, "unknown binary version", "at byte 0x4")
    wrong(b"(component)", 121, "magic header not detected")
    wrong((BUILT / "hello.wasm").read_bytes()[:200], 121, "malformed: ", "at byte 0x")
    code = b"\x01\x05\x01\x60\x00\x01\x7f\x03\x02\x01\x00\x0a\x06\x01\x04\x00\x42\x01\x0b"
    wrong(b"\0asm\1\0\0\0" + code, 122, "invalid: type mismatch", "(in function 0)", "at byte 0x1a of the file, section code")
    for word in ("validate", "inspect", "run"):
        assert "io-error: cannot read" in run(word, tmp_path, status=125)
        assert "No such file" in run(word, tmp_path / "nope", status=125)
        assert run(word, status=120)
    assert "there is nothing to run" in run("run", BUILT.parent / "built/serve-minimal.wasm", status=123)


@pytest.mark.parametrize(
    "text",
    [
        "bogus = 1",
        'dir = [".::/d:ro"',
        'max-time = "1s"\nmax-time = "2s"',
        'invoke = "f()"',
        'policy = "p.toml"',
        'inherit-network = "yes"',
        "max-memory = true",
        '[nope]\na = "b"',
    ],
)
def test_a_policy_is_read_strictly(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(text + "\n")
    assert "p.toml:" in run("run", "--policy", tmp_path / "p.toml", BUILT / "hello.wasm", status=120)
