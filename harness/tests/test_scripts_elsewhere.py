"""Scripts on other runtimes: whole files, the driver for JavaScript engines, and the table of engines."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project

from assay.model import CaseResult, Ending, Kind, NotRun, Peer, UnitResult, Verdict
from assay.model.commands import SCRIPT_KEY
from assay.record import Record, SuiteInfo, summary
from assay.run.runner import Settings
from assay.runtimes import Places, Runtime, ScriptAdapter, WholeScriptAdapter, description, registry
from assay.runtimes.known import node_wasi
from assay.suites import smoke
from assay.suites.scripts import ScriptOptions, Scripts, run_whole

EMPTY = b"\0asm\x01\0\0\0"
# (module (func (export "f") (result i32) (i32.const 7)) (func (export "t") unreachable))
SEVEN = bytes.fromhex("0061736d01000000 0108026000017f600000 0303020001 0709020166000001740001 0a0a020400 41070b0300000b")


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("pass", "pass"),
        ("import sys; sys.exit('line 7: wrong')", "fail"),
        ("import os; os.kill(os.getpid(), 11)", "crash"),
        ("import time; time.sleep(60)", "timeout"),
    ],
)
def test_a_whole_script_has_one_unit(program: str, status: str) -> None:
    seen = run_whole((sys.executable, "-c", program), 2.0)
    assert [(item.id, item.status) for item in seen.commands] == [(SCRIPT_KEY, status)]
    assert status != "fail" or seen.commands[0].message == "line 7: wrong"
    assert (seen.outcome.ending is Ending.TIMEOUT) == (status == "timeout")


def driver(folder: Path, commands: list[dict[str, object]]) -> list[tuple[str, str]]:
    node = shutil.which("node") or str(Path(sys.executable).parent / "node")
    (folder / "script.json").write_text(json.dumps({"commands": commands}), encoding="utf-8")
    program = Path(node_wasi.__file__).with_name("javascript_script_driver.mjs")
    done = subprocess.run(
        [node, str(program), str(folder / "script.json"), str(folder / "results")], capture_output=True, check=False
    )
    lines = [json.loads(line) for line in (folder / "results").read_text(encoding="utf-8").splitlines()]
    assert [line["index"] for line in lines] == list(range(len(commands)))
    assert done.returncode == any(line["status"] == "fail" for line in lines), done.stderr
    return [(line["status"], line["message"]) for line in lines]


def test_the_javascript_driver_tells_of_each_command(tmp_path: Path) -> None:
    for name, data in (("e", EMPTY), ("s", SEVEN), ("b", EMPTY + b"\xff"), ("c", b"\0asm\x0d\0\1\0")):
        (tmp_path / f"{name}.wasm").write_bytes(data)

    def module(name: str, kind: str = "module", **others: object) -> dict[str, object]:
        return {"type": kind, "filename": f"{name}.wasm", "module_type": "binary", "text": "x", **others}

    def call(kind: str, field: str, **others: object) -> dict[str, object]:
        return {"type": kind, "action": {"type": "invoke", "field": field, "args": []}, "text": "x", **others}

    seven, eight = [{"type": "i32", "value": "7"}], [{"type": "i32", "value": "8"}]
    assert driver(tmp_path, [module("s"), call("assert_return", "f", expected=seven), call("assert_trap", "t")]) == [
        ("pass", "")
    ] * 3
    told = driver(
        tmp_path,
        [
            module("s"),
            call("assert_return", "f", expected=eight),
            call("assert_trap", "f"),
            module("e", "assert_malformed"),
            module("b", "assert_malformed"),
            call("assert_return", "f", expected=[{"type": "v128", "lane_type": "i8", "value": []}]),
            module("x", module_type="text"),
            module("c"),
            {"type": "nonsense"},
        ],
    )
    assert [status for status, _ in told] == ["pass", "fail", "fail", "fail", "pass", "unsupported", "skip", "unsupported", "unsupported"]
    assert told[1][1] == "returned 7; expected i32 8" and "it succeeded" in told[2][1]


def test_the_table_of_engines_counts_whole_scripts() -> None:
    import made

    def result(case: str, runtime: str, *units: tuple[str, Verdict]) -> CaseResult:
        base = made.result(runtime)
        mine = tuple(UnitResult(key, verdict) for key, verdict in units)
        worst = Verdict.FAIL if any(verdict is Verdict.FAIL for _, verdict in units) else Verdict.PASS
        return replace(base, case=case, units=mine, verdict=worst)

    record: Record = replace(
        made.record(),
        suite=SuiteInfo("scripts", Kind.SCRIPT),
        results=(
            result("core/a.wast", "touchstone", ("1 module", Verdict.PASS)),
            result("core/b.wast", "touchstone", ("1 module", Verdict.PASS)),
            result("core/a.wast", "wasmtime", (SCRIPT_KEY, Verdict.PASS)),
            result("core/b.wast", "wasmtime", (SCRIPT_KEY, Verdict.FAIL)),
            result("core/a.wast", "jco", ("1 module", Verdict.PASS), ("2 module", Verdict.FAIL)),
        ),
    )
    counts = summary.scripts(record)
    assert counts.total.scripts == 2 and counts.total.commands == 2
    found = {engine.runtime: engine for engine in counts.engines}
    assert found["touchstone"].suites == ((2, 2),) and found["wasmtime"].suites == ((2, 1),)
    assert found["wasmtime"].commands == 0 and (found["jco"].commands, found["jco"].passed) == (2, 1)
    assert found["jco"].suites == ((1, 0),)


def test_which_runtimes_run_scripts() -> None:
    able = {a.name for a in registry.known() if isinstance(a, ScriptAdapter | WholeScriptAdapter)}
    assert {"touchstone", "wasmtime", "wasmi", "node-wasi", "bun-wasi"} <= able
    assert not {"jco", "wazero", "iwasm"} & able


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("sys.exit('i32.const 8' in open(sys.argv[-1]).read())", ""),
        ("sys.exit('Error: the wasm_threads feature is not supported on this compiler configuration')", "should pass"),
        ("pass", "should fail"),
    ],
)
def test_a_runtime_of_scripts_is_tried_with_a_right_and_a_wrong_one(
    project: Project, body: str, problem: str
) -> None:
    program = project.root / "engine"
    program.write_text(f"#!{sys.executable}\nimport sys\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    adapter = description.read({
        "name": "engine", "title": "an engine", "find": {"command": "engine"},
        "can": {"worlds": [], "directories": False, "environment": False},
        "run": {"argv": ["{program}"]}, "wast": {"argv": ["{program}", "{script}"]},
    })[0]  # fmt: skip
    runtime = Runtime(adapter, Peer("engine", "1", (str(program),)))
    places = Places(project.root, project.root / "cache")
    tried = {item.name: item.problem for item in smoke.smoke(runtime, project.root / "fixtures", places)}
    assert set(tried) == {"script"} and problem in tried["script"] and bool(tried["script"]) == bool(problem)


def test_the_cause_of_a_failed_script_is_one_line() -> None:
    text = "Error: failed to run script file 'a.wast'\n\nCaused by:\n    0: failed directive on a.wast:3\n    1: expected x\n"
    seen = run_whole((sys.executable, "-c", f"import sys; sys.exit({text + 'Stack backtrace:' + chr(10) + '  0: main'!r})"), 5.0)
    assert seen.commands[0].message == "0: failed directive on a.wast:3 1: expected x"


def test_scripts_of_components_are_not_for_runtimes_of_modules(tmp_path: Path) -> None:
    (tmp_path / "own/component-model").mkdir(parents=True)
    (tmp_path / "own/component-model/a.wast").write_text("(component)", encoding="utf-8")
    options = ScriptOptions({"own": tmp_path / "own"}, tmp_path, tmp_path / "tool", "1", tmp_path / "none.toml")
    adapter = next(item for item in registry.known() if item.name == "wasmi")
    suite = Scripts(options, "touchstone")
    seen = suite.run(suite.discover()[0], Runtime(adapter, Peer("wasmi", "1", ("/none",))), Settings(jobs=1))
    assert seen == NotRun("wasmi runs core scripts only")
