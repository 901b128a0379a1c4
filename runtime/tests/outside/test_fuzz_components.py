"""Some seconds of runtime/fuzz/diff_components.py, and a check that it notices differences."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")
RUNNER = Path(os.environ.get("TOUCHSTONE_RUN_CALL", BUILD / "fuzz/run_call"))
SCRIPT = ROOT / "runtime/fuzz/diff_components.py"
TOOLS = Path(sys.executable).with_name("wasm-tools")

sys.path.insert(0, str(SCRIPT.parent))
try:
    from random_components import random_case, with_room
finally:
    sys.path.pop(0)

pytest.importorskip("wasmtime", reason="wasmtime is absent")
pytestmark = [
    pytest.mark.skipif(not os.access(RUNNER, os.X_OK), reason="run_call is not built (make tests)"),
    pytest.mark.skipif(not os.access(TOOLS, os.X_OK), reason="wasm-tools is absent"),
]


def compare(
    what: str, work: Path, count: int, *, runner: Path = RUNNER, engine: str = "compiled", seed: int = 1
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, what, "--runner", runner, "--engine", engine, "--work", work]
    command += ["--seed", str(seed), "--count", str(count)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def counts(output: str) -> dict[str, int]:
    words = [part.split(" ", 1) for part in output.strip().splitlines()[-1].split(": ", 1)[1].split(", ")]
    return {name: int(n) for n, name in words}


@pytest.mark.parametrize("engine", ["interpreter", "compiled-at-once"])
def test_calls_between_random_components_are_the_same_on_wasmtime(engine: str, tmp_path: Path) -> None:
    done = compare("calls", tmp_path, 25, engine=engine)
    assert done.returncode == 0, done.stdout + done.stderr
    tally = counts(done.stdout)
    assert tally["components"] == 25
    assert tally["calls"] > 150
    assert tally["ok"] > 100
    assert sum(tally.get(kind, 0) for kind in ("bounds", "alignment", "discriminant", "char", "handle", "text")) > 5


def test_a_value_that_cannot_be_lifted_and_a_failing_realloc_are_asked_for_apart(tmp_path: Path) -> None:
    done = compare("calls", tmp_path, 1, seed=29979581938)
    assert done.returncode == 0, done.stdout + done.stderr
    assert counts(done.stdout)["realloc first"] == 1


def test_damaged_components_are_refused_as_wasm_tools_does(tmp_path: Path) -> None:
    done = compare("verdicts", tmp_path, 400)
    assert done.returncode == 0, done.stdout + done.stderr
    tally = counts(done.stdout)
    assert tally["verdicts"] > 300
    assert tally["ok here"] > 20
    assert tally["invalid here"] + tally["malformed here"] > 20


@pytest.mark.parametrize(
    ("reply", "instead"),
    [
        ("trap canonical-abi ", "trap canonical-abi unreachable "),
        ("trap unreachable unreachable", "trap canonical-abi invalid utf-8"),
        ("ok [", "ok [9, "),
        ("ok (", "ok (0, "),
    ],
)
def test_an_engine_that_says_something_else_is_noticed(tmp_path: Path, reply: str, instead: str) -> None:
    lying = tmp_path / "lying"
    lying.write_text(
        f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
import subprocess, sys
ours = subprocess.Popen([{str(RUNNER)!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in sys.stdin:
    ours.stdin.write(line)
    ours.stdin.flush()
    print(ours.stdout.readline().replace({reply!r}, {instead!r}, 1), end="", flush=True)
"""
    )
    lying.chmod(0o755)
    done = compare("calls", tmp_path / "work", 25, runner=lying)
    assert done.returncode == 1
    assert counts(done.stdout)["differences"] > 0


def test_components_are_the_same_for_the_same_seed() -> None:
    assert random_case(random.Random(5)) == random_case(random.Random(5))
    assert random_case(random.Random(5)) != random_case(random.Random(6))


def test_a_realloc_with_room_is_another_one_in_both_components() -> None:
    text = random_case(random.Random(5)).text
    assert text.count("(then unreachable)") == 4
    made = with_room(text)
    assert made.count("memory.grow") == 2 and made.count("(then unreachable)") == 2
    assert with_room(made) == made
