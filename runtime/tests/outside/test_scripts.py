"""`touchstone wast`: scripts as a user converts them, without the harness's help: values, names, statuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"
OFFICIAL = ROOT / "build/suites/component-model"

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


def run_script(folder: Path, script: Path) -> tuple[int, str]:
    json = folder / "script.json"
    subprocess.run([WASM_TOOLS, "json-from-wast", script, "-o", json, "--wasm-dir", folder], check=True, timeout=60)
    done = subprocess.run(
        [TOUCHSTONE, "wast", "-v", json],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def run_text(folder: Path, text: str) -> tuple[int, str]:
    (folder / "it.wast").write_text(text)
    return run_script(folder, folder / "it.wast")


TAKES = """(module (type $s (struct))
  (func (export "any") (param anyref) (result anyref) local.get 0) (func (export "eq") (param eqref) (result eqref) local.get 0)
  (func (export "i31") (param i31ref) (result i31ref) local.get 0) (func (export "struct") (param structref) (result structref) local.get 0)
  (func (export "array") (param arrayref) (result arrayref) local.get 0) (func (export "none") (param nullref) (result nullref) local.get 0)
  (func (export "own") (param (ref null $s)) (result (ref null $s)) local.get 0)
  (func (export "func") (param funcref) (result funcref) local.get 0) (func (export "nofunc") (param nullfuncref) (result nullfuncref) local.get 0)
  (func (export "extern") (param externref) (result externref) local.get 0) (func (export "exn") (param exnref) (result exnref) local.get 0)
  (func (export "nonnull") (param (ref any))))
"""
HIERARCHIES = [
    ("any eq i31 struct array none own", "any eq i31 struct array none"),
    ("func nofunc", "func nofunc"),
    ("extern", "extern noextern"),
    ("exn", "exn noexn"),
]


def test_a_null_of_every_heap_type_fits_its_hierarchy(tmp_path: Path) -> None:
    lines = [
        f'(assert_return (invoke "{to}" (ref.null {of})) (ref.null))'
        for params, nulls in HIERARCHIES
        for to in params.split()
        for of in nulls.split()
    ]
    status, said = run_text(tmp_path, TAKES + "\n".join(lines))
    assert status == 0 and said == f"{len(lines) + 1} passed, 0 failed, 0 skipped, 0 unsupported\n", said


def test_references_of_another_hierarchy_are_refused(tmp_path: Path) -> None:
    lines = [
        f'(invoke "{params.split()[0]}" (ref.null {other.split()[0]}))'
        for params, nulls in HIERARCHIES
        for _, other in HIERARCHIES
        if nulls != other
    ] + [
        '(invoke "nonnull" (ref.null none))',
        '(invoke "func" (ref.extern 1))',
        '(invoke "exn" (ref.host 1))',
        '(invoke "struct" (ref.host 1))',
    ]
    status, said = run_text(tmp_path, TAKES + "\n".join(lines))
    assert status == 1 and said.count("argument 0 does not fit") == len(lines), said


def test_failures_show_values_and_no_addresses(tmp_path: Path) -> None:
    text = """(module (type $s (struct)) (func $f (export "f") (result funcref) (ref.func $f)) (func (export "s") (result anyref) (struct.new $s))
      (func (export "v") (result v128 f32) (v128.const i64x2 1 2) (f32.const -0)))
      (assert_return (invoke "f") (ref.null func)) (assert_return (invoke "s") (ref.i31))
      (assert_return (invoke "v") (v128.const i64x2 1 3) (f32.const 0)) (assert_return (invoke "v") (v128.const i64x2 1 2) (f32.const 0))"""
    status, said = run_text(tmp_path, text)
    assert status == 1 and "0x" not in said
    assert (
        "got (ref null func) (ref.func), expected" in said
        and "got (ref null any) (ref.struct), expected i31ref" in said
    )
    assert "got v128 (v128.const i64x2 1 2), expected" in said and "result 1: got f32 -0, expected" in said, said


MODULE = """(module (func (export "f") (result i32) i32.const 1) (global (export "g") i32 (i32.const 2))
  (func (export "trap") unreachable) (func (export "for-ever") (loop $again (br $again))))"""
MISTAKES = [
    ({"type": "module"}, "the command names no file"),
    ({"type": "module", "filename": "none.wasm"}, "cannot read none.wasm"),
    ({"type": "action", "action": {"type": "invoke", "module": "$m", "field": "f"}}, "there is no instance $m"),
    ({"type": "action", "action": {"type": "invoke"}}, "an action without type or field"),
    ({"type": "action", "action": {"type": "invoke", "field": "h", "args": []}}, 'no export "h"'),
    ({"type": "action", "action": {"type": "get", "field": "f"}}, '"f" is no global'),
    ({"type": "action", "action": {"type": "invoke", "field": "g", "args": []}}, '"g" is no function'),
    ({"type": "action", "action": {"type": "invoke", "field": "f", "args": [{"type": "i32", "value": "1"}]}}, '"f" takes 0 arguments'),
    ({"type": "assert_trap", "text": "overflow", "action": {"type": "invoke", "field": "f", "args": []}}, "succeeded, expected trap: overflow"),
    (
        {"type": "assert_trap", "text": "integer overflow", "action": {"type": "invoke", "field": "trap", "args": []}},
        "expected: integer overflow",
    ),
    ({"type": "assert_exhaustion", "action": {"type": "invoke", "field": "trap", "args": []}}, "expected exhaustion"),
    ({"type": "assert_exception", "action": {"type": "invoke", "field": "trap", "args": []}}, "expected exception"),
    ({"type": "module_instance", "module": "$d"}, "there is no module definition $d"),
    ({"type": "register", "name": "$m", "as": "x"}, "there is no instance to register"),
]


def run_commands(folder: Path, commands: list[dict[str, object]], *options: str) -> tuple[int, str]:
    """Runs a script of a module and commands, as a converter leaves it."""
    (folder / "it.wat").write_text(MODULE)
    subprocess.run([WASM_TOOLS, "parse", folder / "it.wat", "-o", folder / "it.wasm"], check=True, timeout=60)
    whole = [{"type": "module", "line": 1, "filename": "it.wasm"}, *({**command, "line": 2} for command in commands)]
    (folder / "it.json").write_text(json.dumps({"source_filename": "it.wast", "commands": whole}))
    command = [TOUCHSTONE, "wast", "-v", *options, folder / "it.json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("command", "words"), MISTAKES)
def test_what_a_script_gets_wrong_is_said(tmp_path: Path, command: dict[str, object], words: str) -> None:
    status, said = run_commands(tmp_path, [command])
    assert status == 1 and words in said and "1 passed, 1 failed" in said, said


def test_a_module_in_text_is_read_from_the_binary_beside_it(tmp_path: Path) -> None:
    there = {"type": "module", "module_type": "text", "filename": "it.wat"}
    named = {"type": "module", "module_type": "text", "filename": "other.wat", "binary_filename": "it.wasm"}
    absent = {"type": "module", "module_type": "text", "filename": "other.wat"}
    status, said = run_commands(tmp_path, [there, named, absent])
    assert status == 0 and "3 passed, 0 failed, 1 skipped" in said, said


def test_a_script_ends_at_its_time_limit(tmp_path: Path) -> None:
    forever = {"type": "action", "action": {"type": "invoke", "field": "for-ever", "args": []}}
    after = {"type": "assert_return", "action": {"type": "invoke", "field": "f", "args": []}, "expected": [{"type": "i32", "value": "1"}]}
    status, said = run_commands(tmp_path, [forever, after], "--timeout", "0.3")
    assert status == 1 and "the time limit of 0.3 s for the script was reached" in said, said
    assert "1 passed, 1 failed, 1 skipped" in said, said


@pytest.mark.parametrize(
    "value",
    [
        {"type": "u32"},
        {"type": "s32", "value": "1"},
        {"type": "string", "value": "1"},
        {"value": "1"},
    ],
)
def test_a_value_of_another_type_than_the_component_takes_is_refused(tmp_path: Path, value: dict[str, object]) -> None:
    (tmp_path / "c.wat").write_text(
        """(component (core module $m (func (export "f") (param i32))) (core instance $i (instantiate $m))
        (func (export "f") (param "x" u32) (canon lift (core func $i "f"))))"""
    )
    subprocess.run([WASM_TOOLS, "parse", tmp_path / "c.wat", "-o", tmp_path / "c.wasm"], check=True, timeout=60)
    call = {"type": "action", "action": {"type": "invoke", "field": "f", "args": [value]}}
    status, said = run_commands(tmp_path, [{"type": "module", "filename": "c.wasm"}, call])
    assert status == 1 and "the script's value is not of type u32" in said, said


def test_the_last_component_of_a_name_holds(tmp_path: Path) -> None:
    text = """(component $a (core module $m (func (export "f") (result i32) i32.const 1)) (core instance $i (instantiate $m))
        (func (export "f") (result u32) (canon lift (core func $i "f"))))
      (component $b (core module $m (func (export "f") (result i32) i32.const 2)) (core instance $i (instantiate $m))
        (func (export "f") (result u32) (canon lift (core func $i "f"))))
      (register "x" $a)
      (component $c (import "x" (instance $x (export "f" (func (result u32))))) (export "f" (func $x "f")))
      (assert_return (invoke "f") (u32.const 1))
      (register "x" $b)
      (component $d (import "x" (instance $x (export "f" (func (result u32))))) (export "f" (func $x "f")))
      (assert_return (invoke "f") (u32.const 2))
      (assert_return (invoke $c "f") (u32.const 1))"""
    status, said = run_text(tmp_path, text)
    assert status == 0, said


def test_what_is_unsupported_has_a_status_and_a_count(tmp_path: Path) -> None:
    (tmp_path / "it.json").write_text(
        '{"source_filename":"it.wast","commands":[{"type":"thread","line":1},{"type":"wait","line":1}]}'
    )
    done = subprocess.run(
        [TOUCHSTONE, "wast", tmp_path / "it.json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert done.returncode == 126 and done.stdout == b"0 passed, 0 failed, 0 skipped, 2 unsupported\n"


SYNCHRONOUS = (
    sorted(path for path in OFFICIAL.rglob("*.wast") if "async" not in path.parts) if OFFICIAL.is_dir() else []
)


@pytest.mark.skipif(not SYNCHRONOUS, reason="the official scripts are absent")
def test_official_component_scripts_need_no_options(tmp_path: Path) -> None:
    assert len(SYNCHRONOUS) == 29
    for script in SYNCHRONOUS:
        folder = tmp_path / script.stem
        folder.mkdir()
        status, said = run_script(folder, script)
        assert status == 0, (script.name, said)


def wast_of(file: Path) -> tuple[int, str]:
    done = subprocess.run([TOUCHSTONE, "wast", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_files_that_are_no_scripts(tmp_path: Path) -> None:
    """Each message gives the reason. A file that is too large is not read."""
    sparse = tmp_path / "sparse.json"
    with sparse.open("wb") as file:
        file.truncate(1 << 40)
    assert wast_of(sparse) == (125, f"touchstone: io-error: cannot read {sparse}: File too large\n")
    assert wast_of(Path("/dev/zero")) == (
        125,
        "touchstone: io-error: cannot read /dev/zero: it is a device, which has no end\n",
    )
    assert wast_of(tmp_path) == (125, f"touchstone: io-error: cannot read {tmp_path}: Is a directory\n")
    text = tmp_path / "it.wast"
    text.write_text("\n;; a script\n(module)\n")
    status, message = wast_of(text)
    assert status == 125 and "wasm-tools json-from-wast" in message


@pytest.mark.parametrize(
    ("name", "why"), [("/dev/zero", "it is a device, which has no end"), ("none.wasm", "No such file or directory")]
)
def test_modules_that_cannot_be_read(tmp_path: Path, name: str, why: str) -> None:
    script = tmp_path / "s.json"
    link = tmp_path / "m.wasm"
    if name.startswith("/"):
        link.symlink_to(name)
    file = link.name if link.is_symlink() else name
    script.write_text(
        f'{{"source_filename": "s", "commands": [{{"type": "module", "line": 1, "filename": "{file}"}}]}}'
    )
    free = {**os.environ, "TOUCHSTONE_CONFINE": "off"}  # the device is outside the script's folder
    done = subprocess.run([TOUCHSTONE, "wast", script], capture_output=True, text=True, timeout=60, env=free, check=False)
    assert done.returncode == 1 and f"cannot read {file}: {why}" in done.stdout + done.stderr


NAN = """(component definition $nan
  (component $C
    (core module $m (func (export "bits") (param f32 f64) (result i64)
      (i64.or (i64.extend_i32_u (i32.reinterpret_f32 (local.get 0)))
        (i64.shl (i64.shr_u (i64.reinterpret_f64 (local.get 1)) (i64.const 32)) (i64.const 32)))))
    (core instance $i (instantiate $m))
    (func (export "bits") (param "a" f32) (param "b" f64) (result u64) (canon lift (core func $i "bits"))))
  (component $D
    (import "c" (instance $c (export "bits" (func (param "a" f32) (param "b" f64) (result u64)))))
    (core func $bits (canon lower (func $c "bits")))
    (core module $m (import "c" "bits" (func $bits (param f32 f64) (result i64)))
      (func (export "bits") (result i64) (call $bits (f32.const -nan:0x12345) (f64.const -nan:0x12345))))
    (core instance $i (instantiate $m (with "c" (instance (export "bits" (func $bits))))))
    (func (export "bits") (result u64) (canon lift (core func $i "bits"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (export "bits" (func $d "bits")))
(component instance $i $nan)
(assert_return (invoke "bits") (u64.const 0x7ff800007fc00000))
"""


def test_a_nan_between_components_is_canonical(tmp_path: Path) -> None:
    """The text leaves the bits open outside of the deterministic profile, which this runtime follows."""
    assert run_text(tmp_path, NAN)[0] == 0
    assert run_text(tmp_path, NAN.replace("0x7ff8", "0xfff0"))[0] == 1


ASKS = '(component (import "{}" (instance $i (export "f" (func (result u32))))) (export "f" (func $i "f")))'
GIVES = """(component ${0} (core module $m (func (export "f") (result i32) (i32.const {1}))) (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))
"""


@pytest.mark.parametrize(
    ("given", "asked", "result"),
    [
        (["x:y/a@1.0.0"], "x:y/a@1.0.0", 1), (["x:y/a@1.2.3"], "x:y/a@1.0.0", 1), (["x:y/a@1.0.0"], "x:y/a@1.2.3", 1), (["x:y/a@0.2.1"], "x:y/a@0.2.6", 1),
        (["x:y/a@1.1.0", "x:y/a@1.2.0"], "x:y/a@1.0.0", 2), (["x:y/a@1.0.0", "x:y/a@1.2.0"], "x:y/a@1.0.0", 1), (["x:y/a@1.0.0", "z"], "x:y/a@1.0.0", 1),
        (["x:y/a@2.0.0"], "x:y/a@1.0.0", None), (["x:y/a"], "x:y/a@1.0.0", None), (["x:y/a@1.0.0"], "x:y/a", None), (["x:y/b@1.0.0"], "x:y/a@1.0.0", None),
        (["x:y/a@0.0.1"], "x:y/a@0.0.2", None), (["x:y/a@1.0.0-rc"], "x:y/a@1.0.0", None),
    ],
)  # fmt: skip
def test_a_given_instance_has_a_compatible_version(given: list[str], asked: str, result: int | None, tmp_path: Path) -> None:
    """The very name comes first, and then the last of those with a compatible version."""
    lines = [GIVES.format(f"c{i}", i) + f'(register "{name}" $c{i})' for i, name in enumerate(given, 1)]
    if result:
        lines += [ASKS.format(asked), f'(assert_return (invoke "f") (u32.const {result}))']
    else:
        lines += [f'(assert_unlinkable {ASKS.format(asked)} "")']
    status, said = run_text(tmp_path, "\n".join(lines))
    assert status == 0, said


def test_constant_expressions_with_many_operands(tmp_path: Path) -> None:
    """Of vectors too, which take two slots; the collector keeps the objects among the operands."""
    numbers = " ".join(f"(i32.const {i})" for i in range(100))
    vectors = " ".join(f"(v128.const i64x2 {i} {i + 1000})" for i in range(60))
    objects = " ".join(f"(struct.new $one (i32.const {i}))" for i in range(200))
    fields = " ".join("(field i32)" for _ in range(70))
    text = f"""(module
      (type $i (array i32)) (type $v (array v128)) (type $one (struct (field i32))) (type $o (array (ref $one)))
      (type $wide (struct (field i8) (field i16) (field v128) (field f64) {fields}))
      (global $i (ref $i) (array.new_fixed $i 100 {numbers}))
      (global $v (ref $v) (array.new_fixed $v 60 {vectors}))
      (global $o (ref $o) (array.new_fixed $o 200 {objects}))
      (global $w (ref $wide) (struct.new $wide (i32.const -1) (i32.const -2) (v128.const i64x2 5 6) (f64.const 2.5) {" ".join(numbers.split(") ")[k] + ")" for k in range(70))}))
      (func (export "i") (param i32) (result i32) (array.get $i (global.get $i) (local.get 0)))
      (func (export "v") (param i32) (result v128) (array.get $v (global.get $v) (local.get 0)))
      (func (export "o") (param i32) (result i32) (struct.get $one 0 (array.get $o (global.get $o) (local.get 0))))
      (func (export "w") (result i32 i32 v128 f64 i32)
        (struct.get_s $wide 0 (global.get $w)) (struct.get_u $wide 1 (global.get $w)) (struct.get $wide 2 (global.get $w))
        (struct.get $wide 3 (global.get $w)) (struct.get $wide 73 (global.get $w))))
    """
    text += "".join(f'(assert_return (invoke "i" (i32.const {i})) (i32.const {i}))' for i in (0, 31, 32, 33, 99))
    text += "".join(f'(assert_return (invoke "v" (i32.const {i})) (v128.const i64x2 {i} {i + 1000}))' for i in (0, 15, 16, 59))
    text += "".join(f'(assert_return (invoke "o" (i32.const {i})) (i32.const {i}))' for i in (0, 32, 199))
    text += '(assert_return (invoke "w") (i32.const -1) (i32.const 65534) (v128.const i64x2 5 6) (f64.const 2.5) (i32.const 69))'
    status, said = run_text(tmp_path, text)
    assert status == 0, said
