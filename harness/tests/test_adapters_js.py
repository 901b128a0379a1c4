"""Adapters of the JavaScript family: what their drivers are told, and how they tell an ending."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import CASE, Project

from assay.model import Absent, Command, Ending, Inexpressible, Job, Mount, Peer, ProcessResult
from assay.runtimes import Places, ScriptAdapter, registry
from assay.runtimes.javascript import endings, refusals, transpiled
from assay.runtimes.known import jco_memory_driver

ADAPTERS: dict[str, Any] = {adapter.name: adapter for adapter in registry.known()}
TRANSPILED = ("jco-node", "jco-deno", "jco-bun")
IN_MEMORY = ("jco-chromium", "workerd")
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


def test_an_engine_runs_scripts_once() -> None:
    able = {name for name, adapter in ADAPTERS.items() if isinstance(adapter, ScriptAdapter)}
    assert able.issuperset(MODULES) and able.isdisjoint((*TRANSPILED, *IN_MEMORY))


def test_deno_keeps_what_it_compiles_of_the_driver_of_scripts(project: Project) -> None:
    for name in MODULES:
        argv = ADAPTERS[name].script(peer(project, name), Path("s.json"), Path("r"), ())
        assert argv[-2:] == ("s.json", "r") and "/engine" in argv
        assert argv[1].startswith("DENO_DIR=/") == (name == "deno-wasi")


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


@pytest.mark.parametrize("name", [*TRANSPILED, *IN_MEMORY])
def test_what_jco_refuses_is_transpiled_again_for_its_reason(project: Project, name: str) -> None:
    made = command(project, name)
    assert made.argv[:3] == ("/node", "/jco.js", "transpile") and made.outcome_file is None
    outcome = ADAPTERS[name].interpret(job(project), ended(REFUSED, 1), made)
    assert (outcome.ending, outcome.message) == (Ending.REJECTED, "unexpected end-of-file (at offset 0x35)")
    crash = ADAPTERS[name].interpret(job(project), ended(b"RuntimeError: unreachable\n", 1), made)
    assert crash.ending is Ending.CRASH


@pytest.mark.parametrize("name", [*TRANSPILED, *IN_MEMORY])
def test_what_jco_refused_before_is_said_again(project: Project, name: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert refusals.refusal(("/bin/sh", "-c", 'cat "$0" >&2; exit 1', str(said(tmp_path))), kept)
    made = command(project, name, "", str(kept))
    assert made.argv[-1].endswith("c.wasm") and "transpile" in made.argv and made.outcome_file is None
    done = subprocess.run(made.argv, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", REFUSED)
    outcome = ADAPTERS[name].interpret(job(project, "", str(kept)), ended(done.stderr, 1), made)
    assert (outcome.ending, outcome.message) == (Ending.REJECTED, "unexpected end-of-file (at offset 0x35)")


def test_the_manifest_of_what_jco_made_is_written_once(tmp_path: Path) -> None:
    """A node that starts meanwhile read an empty one, and ended."""
    manifest = tmp_path / "package.json"
    transpiled._modules(manifest)
    assert json.loads(manifest.read_text(encoding="utf-8")) == {"type": "module"}
    before = manifest.stat()
    transpiled._modules(manifest)
    assert manifest.stat() == before and list(tmp_path.iterdir()) == [manifest]


def said(folder: Path) -> Path:
    (folder / "said").write_bytes(REFUSED)
    return folder / "said"


def test_only_a_refusal_is_kept(tmp_path: Path) -> None:
    for script in ("exit 0", "exit 2", "kill -9 $$"):
        assert not refusals.refusal(("/bin/sh", "-c", script), tmp_path / "kept"), script
    assert not refusals.refusal(("/no/such/program",), tmp_path / "kept")
    assert not (tmp_path / "kept").exists() and refusals.again(tmp_path, ("jco",)) is None


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
    assert endings.kind_of(message) == kind


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


@pytest.mark.parametrize("name", IN_MEMORY)
def test_what_is_in_memory_is_given_as_a_whole(project: Project, name: str) -> None:
    made = command(project, name, 'args = ["a"]\ngrant = ["http"]', "/cache/c")
    spec = told(made)
    assert spec["program"] == "/engine" and spec["shim"].endswith("preview2-shim/dist/browser") and spec["http"]
    assert spec["dirs"] == {"/g": "/h"} and spec["port"] == 0
    for lines, words in (
        ('terminal = ["stdout"]', "as a whole"),
        ("stderr-kind = \"full\"", "as a whole"),
        ('[[run.dir]]\nguest = "/g"\n[[run.make]]\npath = "/g/p"\nkind = "fifo"', "in memory"),
    ):
        refused = ADAPTERS[name].command(peer(project, name), job(project, lines, "/cache/c"))
        assert isinstance(refused, Inexpressible) and words in refused.reason


def test_directories_are_copied_in_and_written_back(tmp_path: Path) -> None:
    for folder in ("kept", "gone"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_bytes(b"\xff\0")
    (tmp_path / "same").write_bytes(b"same")
    os.utime(tmp_path / "same", (1, 1))
    (tmp_path / "link").symlink_to("same")
    os.mkfifo(tmp_path / "pipe")
    before = jco_memory_driver.packed(tmp_path)
    assert set(before["dir"]) == {"kept", "gone", "same", "link"}
    after = json.loads(json.dumps(before))
    after["dir"]["kept"]["dir"]["new"] = {"source": base64.b64encode(b"new").decode()}
    after["dir"]["made"] = {"dir": {"file": after["dir"]["kept"]["dir"].pop("file")}}
    after["dir"]["link"] = {"symlink": "made"}
    after["dir"]["gone"] = {"source": ""}
    jco_memory_driver.write_back(tmp_path, before["dir"], after["dir"])
    assert jco_memory_driver.packed(tmp_path) == after
    assert (tmp_path / "same").stat().st_mtime == 1 and (tmp_path / "pipe").exists()


FAKE = """#!{python}
import base64, json, os, sys, time, urllib.request
page = sys.argv[-1]
job = json.loads(urllib.request.urlopen(page + "job").read())
b64 = lambda text: base64.b64encode(text.encode()).decode()
trees = job["trees"]
trees["/g"]["dir"]["out"] = {{"source": job["stdin"]}}
output = [[1, b64(" ".join(job["args"]))], [2, b64(job["env"]["K"])]]
child = os.fork()
if child == 0:
    time.sleep(60)
with open({pid!r}, "w") as file:
    file.write(str(child))
if {posts}:
    result = {{"outcome": {{"outcome": "exited", "status": 7}}, "output": output, "trees": trees}}
    urllib.request.urlopen(page + "done", json.dumps(result).encode())
time.sleep(60)
"""


def started(tmp_path: Path, *, posts: bool) -> subprocess.Popen[bytes]:
    """Starts the driver with a fake browser, which leaves a child, and writes the number of that to a file."""
    fake, host, module = tmp_path / "chromium", tmp_path / "host", tmp_path / "module"
    fake.write_text(FAKE.format(python=sys.executable, pid=str(tmp_path / "pid"), posts=posts), encoding="utf-8")
    fake.chmod(0o755)
    host.mkdir()
    module.mkdir()
    spec = {
        "engine": "chromium", "program": str(fake), "options": [], "module": str(module), "shim": str(module),
        "args": ["c.wasm", "a"], "env": {"K": "v"}, "dirs": {"/g": str(host)}, "port": 0, "http": False,
        "outcome": str(tmp_path / "outcome"),
    }  # fmt: skip
    argv = [sys.executable, "-I", jco_memory_driver.__file__, json.dumps(spec)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def child_is_gone(tmp_path: Path) -> bool:
    """Returns whether the child of the fake browser has ended, within some seconds."""
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_the_driver_writes_what_a_page_posts(tmp_path: Path) -> None:
    driver = started(tmp_path, posts=True)
    stdout, stderr = driver.communicate(b"in", timeout=60)
    assert (driver.returncode, stdout, stderr) == (7, b"c.wasm a", b"v")
    assert json.loads((tmp_path / "outcome").read_text())["status"] == 7
    assert (tmp_path / "host" / "out").read_bytes() == b"in"
    assert child_is_gone(tmp_path)


def test_the_driver_ends_the_browser_when_it_is_ended(tmp_path: Path) -> None:
    driver = started(tmp_path, posts=False)
    assert driver.stdin is not None
    driver.stdin.close()
    for _ in range(200):
        if (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.1)
    driver.send_signal(signal.SIGTERM)
    assert driver.wait(60) == 143 and child_is_gone(tmp_path)
