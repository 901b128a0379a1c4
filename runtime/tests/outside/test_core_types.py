"""Core types in components: what is valid and what is not, as wasm-tools says, and why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "runtime/fuzz"))
try:
    from diff_components import FEATURES
finally:
    sys.path.pop(0)

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
UNLIKE, A_MODULE, UNKNOWN = "sub type must match super type", "is a module type", "type index out of bounds"
SIZES = "size minimum must not be greater than maximum"
TYPES = [  # "": valid
    ("(core type (struct))", ""),
    ("(core type (struct (field i32) (field (mut i8)) (field (ref null any))))", ""),
    ("(core type (array (mut i16)))", ""),
    ("(core type (func (param i32 (ref extern)) (result anyref)))", ""),
    ("(core rec (type $a (struct (field (ref null $a)))))", ""),
    ("(core rec (type $a (struct (field (ref null $b)))) (type $b (array (ref $a))))", ""),
    ("(core type $s (sub (struct (field i32)))) (core type (sub final $s (struct (field i32) (field i64))))", ""),
    ("(core type $s (sub (func (param i32)))) (core type (sub $s (func (param i32))))", ""),
    ("(core type $s (sub (struct (field i32)))) (core type (sub $s (struct (field i64))))", UNLIKE),
    ("(core type $s (struct)) (core type (sub $s (struct)))", UNLIKE),
    ("(core type $s (sub (struct (field (mut i32))))) (core type (sub $s (struct (field i32))))", UNLIKE),
    ("(core type $s (sub (struct (field i8)))) (core type (sub $s (struct (field i16))))", UNLIKE),
    ("(core type $s (sub (func (param i32)))) (core type (sub $s (func (param i64))))", UNLIKE),
    ("(core type $s (sub (array i32))) (core type (sub $s (struct (field i32))))", UNLIKE),
    ("(core type $m (module)) (core type (sub $m (struct)))", A_MODULE),
    ("(core type $m (module)) (core type (struct (field (ref $m))))", A_MODULE),
    ('(core type (module (type (struct)) (type (func (param (ref 0)))) (import "a" "b" (func (type 1))) (export "m" (memory 1 2))))', ""),
    ('(core type (module (type (func (param i32))) (import "a" "t" (tag (type 0)))))', ""),
    ('(core type (module (type (func (result i32))) (import "a" "t" (tag (type 0)))))', "non-empty tag result type"),
    ('(core type (module (import "a" "m" (memory i64 1 70000))))', ""),
    ('(core type (module (import "a" "m" (memory 2 1))))', SIZES),
    ('(core type (module (import "a" "m" (memory 1 2 shared))))', "threads must be enabled for shared memories"),
    ('(core type (module (import "a" "t" (table i64 1 2 funcref))))', ""),
    ('(core type (module (import "a" "t" (table 2 1 funcref))))', SIZES),
    ('(core type (module (type (struct)) (import "a" "f" (func (type 0)))))', "type index 0 is not a function type"),
    ('(core type (module (import "a" "f" (func (type 5)))))', UNKNOWN),
    ('(core type $s (struct)) (core type (module (alias outer 1 $s (type)) (import "a" "g" (global (ref null 0)))))', ""),
    ("(core type (module (alias outer 1 7 (type))))", UNKNOWN),
]


@pytest.mark.parametrize(("text", "why"), TYPES)
def test_a_core_type_is_judged_as_wasm_tools_does(tmp_path: Path, text: str, why: str) -> None:
    file = assemble(tmp_path, f"(component {text})")
    theirs = subprocess.run([WASM_TOOLS, "validate", f"--features={FEATURES}", file], capture_output=True, timeout=60, check=False)
    ours = subprocess.run([TOUCHSTONE, "validate", file], capture_output=True, text=True, timeout=60, check=False)
    assert (ours.returncode == 0, theirs.returncode == 0) == (not why, not why), ours.stderr
    assert why in ours.stderr and ours.returncode == (122 if why else 0)
