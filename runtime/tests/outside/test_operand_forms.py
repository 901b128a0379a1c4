"""Every operation on numbers with its operands in each place: the same on wasmtime, in the interpreter, and in machine code."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from operand_forms import module
from preview1_guest import TOUCHSTONE, WASM_TOOLS, assemble
from tiers import outcome, same_in_each_tier

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


FORMS = (("--checked",), ("--deterministic", "--interruptible"))
"""Other code for the same function: addresses that instructions check; canonical NaNs, and fuel."""


def script(wasm: Path, argument: int, result: int) -> Path:
    """A script that calls the function."""
    action = {"type": "invoke", "field": "go", "args": [{"type": "i32", "value": str(argument)}]}
    expected = [{"type": "i64", "value": str(result % 2**64)}]
    commands = [{"type": "module", "line": 1, "filename": wasm.name}, {"type": "assert_return", "line": 2, "action": action, "expected": expected}]
    path = wasm.with_suffix(".json")
    path.write_text(json.dumps({"source_filename": "it.wast", "commands": commands}))
    return path


@pytest.mark.parametrize("memory64", [False, True])
def test_each_place_of_an_operand_gives_what_it_gives_on_wasmtime(memory64: bool, tmp_path: Path) -> None:
    wasmtime = pytest.importorskip("wasmtime")
    wasm = assemble(tmp_path, module(memory64))
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"
    config.wasm_memory64 = True
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module(engine, wasm.read_bytes()), [])
    expected = instance.exports(store)["go"](store, 77)
    assert outcome(wasm, "go(77)", "interpreter") == (0, f"{expected}\n", "")
    same_in_each_tier(wasm, "go(77)")
    for form in FORMS:
        for engine in ("interpreter", "compiled-at-once"):
            command = [TOUCHSTONE, "wast", "--engine", engine, *form, script(wasm, 77, expected)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
            assert (done.returncode, "2 passed" in done.stdout) == (0, True), (form, engine, done.stdout, done.stderr)
