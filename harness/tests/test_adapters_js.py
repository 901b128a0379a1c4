"""Adapters of the JavaScript family: what their drivers are told, and how they tell an ending."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import CASE, Project

from assay.model import Absent, Command, Ending, Job, Mount, Peer, ProcessResult
from assay.runtimes import Places, registry
from assay.runtimes.known import jco

ADAPTERS: dict[str, Any] = {adapter.name: adapter for adapter in registry.known()}
TRANSPILED = ("jco-node", "jco-deno", "jco-bun")
MODULES = ("node-wasi", "deno-wasi", "bun-wasi")
BEFORE = {"node": ["--no-warnings"], "deno": ["run", "--allow-all", "--quiet"], "bun": []}
REFUSED = b"""ComponentError: failed to extract interface information from component

Caused by:
    unexpected end-of-file (at offset 0x35)
    at fn (file:///x/js-component-bindgen-component.js:10399:17)
"""


def job(project: Project, lines: str = "", component: str = "") -> Job:
    case = project.load(CASE.replace("timeout = 5", f"timeout = 5\n{lines}"))
    made = Path(component) if component else case.component
    return Job(case, made, (Mount(Path("/h"), "/g", False),), project.root)


def peer(project: Project, name: str) -> Peer:
    """Returns a runtime that was found, with the folder of a jco."""
    package = project.root / "jco"
    shim = package / "node_modules/@bytecodealliance/preview2-shim"
    shim.mkdir(parents=True, exist_ok=True)
    (shim / "package.json").write_text("{}", encoding="utf-8")
    program = ("/engine",) if name in MODULES else ("/engine", "/node", "/jco.js", str(package))
    return Peer(name, "engine 1 (jco 2)", program)


def command(project: Project, name: str, lines: str = "", component: str = "") -> Command:
    made = ADAPTERS[name].command(peer(project, name), job(project, lines, component))
    assert isinstance(made, Command)
    return made


def told(made: Command) -> dict[str, Any]:
    found = json.loads(made.argv[-1])
    assert isinstance(found, dict)
    return found


def ended(stderr: bytes = b"", status: int = 0) -> ProcessResult:
    return ProcessResult(status, None, False, False, b"", stderr, 0.1, 0.1, 1)


@pytest.mark.parametrize("name", [*TRANSPILED, *MODULES])
def test_a_driver_is_told_what_to_run(project: Project, name: str) -> None:
    made = command(project, name, 'args = ["a", "ü b"]\nenv = { K = "v w" }', "/cache/c")
    engine = name.replace("jco-", "").replace("-wasi", "")
    assert list(made.argv[:-2]) == ["/engine", *BEFORE[engine]]
    assert Path(made.argv[-2]).is_file() and "ü b" in made.argv[-1]
    spec = told(made)
    assert spec["module"] == "/cache/c" and spec["args"] == ["c.wasm", "a", "ü b"]
    assert spec["env"] == {"K": "v w"} and spec["dirs"] == {"/g": "/h"}
    assert made.outcome_file == Path(spec["outcome"])


def test_the_shim_denies_what_is_not_granted(project: Project) -> None:
    every = {"_denyTcp", "_denyUdp", "_denyDnsLookup", "_denyHttp"}
    for grants, allowed in (
        ("", set()),
        ('"http"', {"_denyHttp"}),
        ('"tcp"', {"_denyTcp"}),
        ('"inherit-network"', {"_denyTcp", "_denyUdp"}),
        ('"allow-ip-name-lookup", "udp"', {"_denyDnsLookup", "_denyUdp"}),
    ):
        spec = told(command(project, "jco-node", f"grant = [{grants}]", "/cache/c"))
        assert set(spec["deny"]) == every - allowed, grants
    assert spec["shim"] == str(project.root / "jco/node_modules/@bytecodealliance/preview2-shim/dist/nodejs")


@pytest.mark.parametrize("name", TRANSPILED)
def test_what_jco_refuses_is_transpiled_again_for_its_reason(project: Project, name: str) -> None:
    made = command(project, name)
    assert made.argv[:3] == ("/node", "/jco.js", "transpile") and made.outcome_file is None
    outcome = ADAPTERS[name].interpret(job(project), ended(REFUSED, 1), made)
    assert (outcome.ending, outcome.message) == (Ending.REJECTED, "unexpected end-of-file (at offset 0x35)")
    crash = ADAPTERS[name].interpret(job(project), ended(b"RuntimeError: unreachable\n", 1), made)
    assert crash.ending is Ending.CRASH


@pytest.mark.parametrize("name", ["jco-bun", "bun-wasi"])
@pytest.mark.parametrize(
    ("text", "ending", "kind"),
    [
        ('"outcome": "exited", "status": 7', Ending.EXITED, ""),
        ('"outcome": "trap", "message": "RuntimeError: unreachable"', Ending.TRAP, "unreachable"),
        ('"outcome": "trap", "message": "TypeError: invalid variant"', Ending.TRAP, ""),
        ('"outcome": "link-error", "imports": [{"name": "a:b/c"}]', Ending.LINK_ERROR, ""),
        ('"outcome": "rejected", "message": "CompileError: x"', Ending.REJECTED, ""),
        ("", Ending.CRASH, "no outcome file"),
    ],
)
def test_an_ending_is_in_the_outcome_file(project: Project, name: str, text: str, ending: Ending, kind: str) -> None:
    made = command(project, name, "", "/cache/c")
    assert made.outcome_file is not None
    if text:
        made.outcome_file.write_text(f'{{"schema": "touchstone-outcome/1", {text}}}', encoding="utf-8")
    outcome = ADAPTERS[name].interpret(job(project, "", "/cache/c"), ended(b"noise\n", 1), made)
    assert (outcome.ending, outcome.kind) == (ending, kind)
    assert outcome.imports == (("a:b/c",) if ending is Ending.LINK_ERROR else ())


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("RuntimeError: wasm trap: wasm `unreachable` instruction executed", "unreachable"),
        ("RuntimeError: remainder by zero", "integer-divide-by-zero"),
        ("RuntimeError: null function or function signature mismatch", "indirect-call-type-mismatch"),
        ("RuntimeError: null function", "uninitialized-element"),
        ("RuntimeError: Unreachable code should not be executed (evaluating 'v()')", "unreachable"),
        ("RuntimeError: Out of bounds memory access (evaluating 'v()')", "out-of-bounds-memory"),
        ("RuntimeError: Division by zero (evaluating 'v()')", "integer-divide-by-zero"),
        ("RuntimeError: Integer overflow (evaluating 'v()')", "integer-overflow"),
        ("RuntimeError: Out of bounds Trunc operation (evaluating 'v()')", "invalid-conversion-to-integer"),
        ("RuntimeError: Out of bounds call_indirect (evaluating 'v()')", "out-of-bounds-table"),
        ("RangeError: Maximum call stack size exceeded.", "call-stack-exhausted"),
        ("TypeError: invalid variant discriminant for expected", ""),
    ],
)
def test_both_families_of_engines_name_a_trap(message: str, kind: str) -> None:
    assert jco.kind_of(message) == kind


@pytest.mark.parametrize("name", TRANSPILED)
def test_an_engine_and_jco_are_looked_for(project: Project, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = name.removeprefix("jco-")
    path = project.root / "bin"
    path.mkdir()
    for program in ("node", engine):
        (path / program).write_text("#!/bin/sh\necho v1.2.3 extra\n", encoding="utf-8")
        (path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}:/usr/bin:/bin")
    places = Places(project.root, project.root / "cache", home=project.root / "home")
    absent = ADAPTERS[name].find(places)
    assert isinstance(absent, Absent) and "@bytecodealliance/jco is not installed" in absent.reason
    package = places.installed("jco") / "node_modules/@bytecodealliance/jco"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "4.5.6", "bin": {"jco": "j.js"}}', encoding="utf-8")
    found = ADAPTERS[name].find(places)
    assert isinstance(found, Peer) and found.version == f"{engine} 1.2.3 (jco 4.5.6)"
    assert found.program == (str(path / engine), str(path / "node"), str(package / "j.js"), str(package))
    (path / engine).unlink()
    if engine != "node":
        absent = ADAPTERS[name].find(places)
        assert isinstance(absent, Absent) and f"no `{engine}`" in absent.reason
