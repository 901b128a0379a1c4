"""gdb with `.gdbinit`: what `make debug` offers prints values by their type, types, handle tables, errors and IR."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
HELLO = ROOT / "fixtures/built/hello.wasm"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"

# The parameters exceed 16 core values, so that the core function gets one pointer.
COMPONENT = """(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "f") (param i32))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $i (instantiate $m))
  (alias core export $i "mem" (core memory $mem))
  (type $r_ (record (field "a" u8) (field "b" (tuple s16 char)) (field "c" (list string))))
  (export $r "r" (type $r_))
  (type $v_ (variant (case "none-of-it") (case "pair" (tuple u64 f64))))
  (export $v "v" (type $v_))
  (type $e_ (enum "red" "green")) (export $e "e" (type $e_))
  (type $l_ (flags "read" "write" "run")) (export $l "l" (type $l_))
  (func (export "f") (param "r" $r) (param "v" $v) (param "e" $e) (param "l" $l) (param "o" (option (option bool)))
    (param "res" (result u32 (error string))) (param "n" (list s32)) (param "t" string) (param "bytes" (list u8))
    (canon lift (core func $i "f") (memory $mem) (realloc (core func $i "realloc")))))"""
ARGUMENTS = (
    '{a: 200, b: (-3, \'é\'), c: ["x", "say \\"y\\""]}', "pair((18446744073709551615, 1.5))", "green", "{read, run}",
    "some(none)", 'err("it broke")', "[-1, 0, 2147483647]", '"text"', "[1, 2, 255]",
)  # fmt: skip
TYPES = (
    "record {a: u8, b: tuple<s16, char>, c: list<string>}", "variant {none-of-it, pair(tuple<u64, f64>)}",
    "enum {red, green}", "flags {read, write, run}", "option<option<bool>>", "result<u32, string>", "list<s32>",
    "string", "list<u8>",
)  # fmt: skip


def has_python() -> bool:
    gdb = shutil.which("gdb")
    if not gdb:
        return False
    asked = subprocess.run([gdb, "-nx", "-q", "-batch", "-ex", "python print(6 * 7)"], capture_output=True, text=True, timeout=60, check=False)
    return "42" in asked.stdout


pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not has_python(), reason="gdb with Python is absent"),
]


def debug(folder: Path, breakpoint: str, commands: list[str], *argv: str | Path) -> str:
    """What gdb prints for the commands when the program has reached the breakpoint."""
    script = folder / "script.gdb"
    lines = ["set pagination off", f"break {breakpoint}", f"run {' '.join(map(str, argv))}", *commands, "kill"]
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        ["gdb", "-nx", "-q", "-batch", "-x", ".gdbinit", "-x", script, TOUCHSTONE],
        cwd=ROOT, env={**os.environ, "DEBUGINFOD_URLS": "", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=240, check=False,
    )  # fmt: skip
    if "ptrace: Operation not permitted" in done.stderr or "Could not trace the inferior process" in done.stderr:
        pytest.skip("this machine does not permit ptrace")
    if "Couldn't write extended state status" in done.stderr:  # gdb 13 on processors with larger registers than it knows
        pytest.skip("this gdb cannot call functions of a program on this processor")
    assert "Error in sourced command file" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent")
def test_values_print_by_their_type(tmp_path: Path) -> None:
    text = tmp_path / "it.wat"
    text.write_text(COMPONENT, encoding="utf-8")
    wasm = tmp_path / "it.wasm"
    subprocess.run([WASM_TOOLS, "parse", text, "-o", wasm], check=True, timeout=60)
    call = tmp_path / "call"
    call.write_text(f"f({', '.join(ARGUMENTS)})", encoding="utf-8")
    commands = [f"ts-val args[{i}] f->type->params[{i}].type" for i in range(len(ARGUMENTS))]
    output = debug(tmp_path, "ts_canon_call", [*commands, "print *f->type->params[0].type"], "run", "--invoke", f'"$(cat {call})"', wasm)
    for value, kind in zip(ARGUMENTS, TYPES, strict=True):
        assert f"\n{value}  : {kind}\n" in output
    assert f"= {TYPES[0]}\n" in output


def test_handle_tables_print(tmp_path: Path) -> None:
    # hello.wasm has got its output stream, and writes to it
    output = debug(tmp_path, "ts_lift_borrow", ["ts-handles", "print cx->inst->handles", "ts-handles cx->inst"], "run", HELLO)
    assert output.count("1 handles in use, 2 entries") == 3
    assert output.count("     1  own output-stream of the host 0x") == 3


def test_code_prints_with_the_instruction_that_runs(tmp_path: Path) -> None:
    listed = "ts-ir from->module->code->by_form[0].sorted.data[0]"
    output = debug(tmp_path, "ts_exec_call_out if from != 0", ["backtrace 2", listed, "ts-ir"], "run", HELLO)
    first, _, rest = output.partition("function ")
    first_code, _, second = rest.partition("function ")
    for code in (first_code, second):
        assert "     0  enter " in code
        assert " call_import " in code
        assert " ret_" in code
    assert "=>" not in first_code
    if "h_call_import" in first:  # the dispatch by tail calls, where the frame of the operation has `pc`
        assert "=>   2  call_import " in second


def test_errors_print_with_their_message(tmp_path: Path) -> None:
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(HELLO.read_bytes()[:-1])
    output = debug(tmp_path, "ts_cli_status", ["print *e"], "run", broken)
    assert "= TS_MALFORMED: " in output
    output = debug(tmp_path, "ts_cli_status", ["print *e", "help touchstone"], "run", HELLO)
    assert "= no error\n" in output
    assert "ts-val, ts-handles, ts-ir" in output
