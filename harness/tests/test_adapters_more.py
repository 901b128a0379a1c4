"""The adapters of further runtimes: their command lines, and how they tell an ending from recorded output."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project
from test_adapters import job

from assay.model import Absent, ClientSpec, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from assay.runtimes import Adapter, Places, description, registry
from assay.runtimes.base import base_environment, read_outcome
from assay.runtimes.described import Described
from assay.runtimes.driven import KNOWN, InPython, Library

WAMR = Peer("wamr", "3", ("/bin/wamr",), options=("-x",))


def served(made: Job) -> Job:
    """Returns the job as one of a case that serves, without directories."""
    run = replace(made.case.run, clients=(ClientSpec("client", ()),), dirs=())
    return replace(made, mounts=(), case=replace(made.case, run=run))


def finished(status: int, stderr: bytes = b"", stdout: bytes = b"") -> ProcessResult:
    return ProcessResult(status, None, False, False, stdout, stderr, 0.1, 0.1, 1)


def argv_of(command: Command | Inexpressible) -> tuple[str, ...]:
    assert isinstance(command, Command), command
    return command.argv


def test_wamr_runs_a_component_by_its_manifest(project: Project) -> None:
    made = replace(job(project), component=Path("/cache/c.wasm"))
    file = str(made.case.component)
    assert argv_of(known("wamr").command(WAMR, made)) == (
        "/bin/wamr", "run", "-x", "--map-dir", "/h::/g", "--env", "K=v w", "--allow-net", "0.0.0.0/0",
        "--allow-net", "::/0", "--precompiled-manifest", "/cache/c.wasm", file, "a", "--b",
    )  # fmt: skip
    made.case.component.write_bytes(b"\0asm\1\0\0\0")
    assert argv_of(known("wamr").command(WAMR, made))[-3:] == ("/cache/c.wasm", "a", "--b")


def test_wamr_serves_without_directories(project: Project) -> None:
    made = replace(job(project), component=Path("/cache/c.wasm"))
    command = known("wamr").command(WAMR, served(made))
    assert argv_of(command)[1:5] == ("serve", "--addr", "127.0.0.1:0", "-x")
    assert isinstance(command, Command) and command.listening and "--allow-net" not in command.argv
    mounted = replace(served(made), mounts=made.mounts)
    assert known("wamr").command(WAMR, mounted) == Inexpressible("wamr serves without directories")


def test_wamr_has_no_variables_where_a_case_asks_for_none(project: Project) -> None:
    made = replace(job(project), component=Path("/cache/c.wasm"))
    for env, wanted in (((), ()), (None, base_environment(made))):
        case = replace(made.case, run=replace(made.case.run, env=env))
        command = known("wamr").command(WAMR, replace(made, case=case))
        assert isinstance(command, Command) and command.env == wanted and "--env" not in command.argv


def test_wamr_tells_a_refusal_by_its_compiler(project: Project) -> None:
    made = job(project)  # nothing was compiled: it was refused
    command = known("wamr").command(WAMR, made)
    assert argv_of(command)[:3] == ("/bin/wamrc", "compile-component", str(made.component))
    result = finished(1, b"Loaded component x\nerror: precompile failed: InvalidComponent\n")
    assert isinstance(command, Command)
    for asked in (made, served(made)):
        outcome = known("wamr").interpret(asked, result, command)
        assert (outcome.ending, outcome.message) == (Ending.REJECTED, "precompile failed: InvalidComponent")


def test_wamr_needs_its_compiler_beside_it(tmp_path: Path) -> None:
    program = tmp_path / "wamr"
    program.write_text("#!/bin/sh\necho wamr 3\n", encoding="utf-8")
    program.chmod(0o755)
    places = Places(tmp_path, tmp_path / "cache", (("wamr", program),))
    absent = known("wamr").find(places)
    assert isinstance(absent, Absent) and absent.reason == f"there is no {tmp_path / 'wamrc'}, which it needs"
    (tmp_path / "wamrc").touch()
    assert known("wamr").find(places) == Peer("wamr", "wamr 3", (str(program),))


def test_paths_stand_in_the_words_of_each_list(project: Project) -> None:
    adapter = description.read({
        "name": "engine", "title": "an engine", "find": {"command": "engine"},
        "run": {
            "argv": ["{program}", "{dirs}", "{env}", "{grants}", "{component}"],
            "dir": ["--dir={host}@{scratch}"], "env": ["--env={key}@{scratch}"],
            "grants": {"inherit-network": ["--net={scratch}"]},
        },
    })[0]  # fmt: skip
    made, folder = job(project), str(project.root)
    argv = argv_of(adapter.command(Peer("engine", "1", ("/e",)), made))
    assert argv[1:4] == (f"--dir=/h@{folder}", f"--env=K@{folder}", f"--net={folder}")


def test_a_server_that_refuses_tells_it_by_its_status(project: Project) -> None:
    made = served(job(project))
    command = known("touchstone").command(Peer("touchstone", "1", ("/ts",)), made)
    assert isinstance(command, Command) and command.outcome_file is None
    for status, ending in ((123, Ending.LINK_ERROR), (121, Ending.MALFORMED), (1, Ending.CRASH)):
        outcome = known("touchstone").interpret(made, finished(status, b"first\nno import `a`\n"), command)
        assert (outcome.ending, outcome.message) == (ending, "no import `a`")


@pytest.mark.parametrize(
    ("status", "stderr", "ending", "kind"),
    [
        (0, b"", Ending.EXITED, ""),
        (200, b"Error: component trapped during run\n", Ending.EXITED, ""),
        (1, b"", Ending.EXITED, ""),
        (1, b"guest noise\nError: component trapped during run\n", Ending.TRAP, ""),
        (1, b"Error: component trapped during run\nguest noise\n", Ending.EXITED, ""),
        (1, b"Error: AOT execution failed: error.WasmTrap\n", Ending.TRAP, ""),
        (1, b"Error: AOT execution failed: OutOfBoundsMemoryAccess\n", Ending.TRAP, "out-of-bounds-memory"),
        (1, b"Error: component imports something other than wasi:cli/stdout + wasi:io/streams (only those are wired "
            b"in this build).\n", Ending.LINK_ERROR, ""),
        (1, b"Error: component does not export `wasi:http/incoming-handler.handle`.\n", Ending.LINK_ERROR, ""),
    ],
)  # fmt: skip
def test_endings_of_wamr(status: int, stderr: bytes, ending: Ending, kind: str) -> None:
    adapter = known("wamr")
    assert isinstance(adapter, Described)
    outcome = adapter.told(finished(status, stderr))
    assert (outcome.ending, outcome.kind) == (ending, kind)


def test_no_variables_are_given_to_a_runtime_that_has_none(project: Project) -> None:
    made, can = job(project), known("wasm3").about.can
    assert can.cannot(made.case, module=True) == "cannot set the environment"
    case = replace(made.case, run=replace(made.case.run, env=(), grants=()))
    assert can.cannot(case, module=True) == ""


def known(name: str) -> Adapter:
    return next(adapter for adapter in registry.known() if adapter.name == name)


def described(name: str) -> Described:
    adapter = known(name)
    assert isinstance(adapter, Described)
    return adapter


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wasmtime", "/p run -x --dir /h::/g --env K=v w -S inherit-network FILE a --b"),
        ("wasmtime-winch serves", "/p serve --addr 127.0.0.1:0 --no-logging-prefix -C compiler=winch -x "
         "--env K=v w -S cli -S inherit-network FILE a --b"),
        ("iwasm", "/p --stack-size=8388608 -x --map-dir=/g::/h --env=K=v w FILE a --b"),
        ("wasm3", "/p -x FILE a --b"),
        ("wizard", "/p -x --env=K=v w FILE -- a --b"),
        ("wasmedge", "/p run -x --dir /g:/h --env K=v w FILE a --b"),
        ("viceroy", "/p run -x FILE -- a --b"),
        ("spin serves", "/p up --from-file FILE --env K=v w --listen 127.0.0.1:0 --log-dir  --state-dir  --disable-cache -x"),
    ],
)
def test_command_lines_by_description(project: Project, name: str, words: str) -> None:
    name, serves, _ = name.partition(" serves")
    made = served(job(project)) if serves else job(project)
    argv = argv_of(described(name).command(Peer(name, "1", ("/p",), options=("-x",)), made))
    assert " ".join(argv).replace(str(made.component), "FILE") == words


W_TRAP = b"""guest noise
Error: failed to run main module `t.wasm`

Caused by:
    0: failed to invoke `run` function
    1: error while executing at wasm backtrace:
           0:    0x2b0 - main!deeper
    2: wasm trap: wasm `unreachable` instruction executed
"""
W_HOST = W_TRAP.replace(b"wasm trap: wasm `unreachable` instruction executed", b"invalid expected discriminant")
W_LINK = b"""Error: failed to run main module `u.wasm`

Caused by:
    0: component imports instance `wasi:nowhere/thing@0.2.0`, but a matching implementation was not found in the linker
    1: instance export `f` has the wrong type
"""
W_BAD = b"Error: failed to parse WebAssembly module\n\nCaused by:\n    malformed section id (at offset 0x8)\n"
SEEN: list[tuple[str, int, bytes, Ending, str, tuple[str, ...]]] = [
    ("wasmtime", 0, b"", Ending.EXITED, "", ()),
    ("wasmtime", 1, b"", Ending.EXITED, "", ()),
    ("wasmtime", 42, W_TRAP, Ending.EXITED, "", ()),
    ("wasmtime", 134, b"", Ending.EXITED, "", ()),
    ("wasmtime", 134, b"wasm trap: wasm `unreachable` instruction executed\n", Ending.EXITED, "", ()),
    ("wasmtime", 134, W_TRAP, Ending.TRAP, "unreachable", ()),
    ("wasmtime", 134, W_TRAP.replace(b"noise\n", b"noise"), Ending.TRAP, "unreachable", ()),
    ("wasmtime", 134, W_TRAP + b"and more\n", Ending.TRAP, "", ()),
    ("wasmtime", 1, W_HOST, Ending.TRAP, "", ()),
    ("wasmtime", 1, W_LINK, Ending.LINK_ERROR, "", ("wasi:nowhere/thing@0.2.0",)),
    ("wasmtime", 1, W_LINK.replace(b"component imports instance `wasi:nowhere/thing@0.2.0`, but a", b"no"),
     Ending.LINK_ERROR, "", ()),
    ("wasmtime", 1, W_BAD, Ending.REJECTED, "", ()),
    ("wasmtime", 1, b"Error: failed to compile component\n", Ending.REJECTED, "", ()),
    ("iwasm", 1, b"", Ending.EXITED, "", ()),
    ("iwasm", 7, b"Exception: unreachable\n", Ending.EXITED, "", ()),
    ("iwasm", 1, b"out\nException: unreachable\n", Ending.TRAP, "unreachable", ()),
    ("iwasm", 1, b"Exception: unreachable\nbut more\n", Ending.EXITED, "", ()),
    ("iwasm", 1, b"Exception: wasm operand stack overflow\n", Ending.TRAP, "call-stack-exhausted", ()),
    ("iwasm", 1, b"[04:32:07:361 - 7FBBA1F5E780]: warning: failed to link import function (nowhere, nothing)\n"
                 b"Exception: failed to call unlinked import function (nowhere, nothing)\n",
     Ending.LINK_ERROR, "", ("nowhere, nothing",)),
    ("iwasm", 255, b"WASM module load failed: unknown binary version\n", Ending.REJECTED, "", ()),
    ("iwasm", 255, b"", Ending.EXITED, "", ()),
    ("wasm3", 1, b"", Ending.EXITED, "", ()),
    ("wasm3", 1, b"outError: [trap] integer divide by zero", Ending.TRAP, "integer-divide-by-zero", ()),
    ("wasm3", 1, b"Error: function body is missing\n", Ending.LINK_ERROR, "", ()),
    ("wasm3", 1, b"Error: [Fatal] repl_load: LEB encoded value overflow\nError: LEB encoded value overflow\n",
     Ending.REJECTED, "", ()),
    ("wasm3", 1, b"Error: incorrect type on stack\n", Ending.REJECTED, "", ()),
    ("wizard", 255, b"", Ending.EXITED, "", ()),
    ("wizard", 255, b'<wasm func "_start"> +5\n  <wasm func "main"> +745\n    !trap[UNREACHABLE]\n',
     Ending.TRAP, "unreachable", ()),
    ("wizard", 255, b"!trap[STACK_OVERFLOW]\n", Ending.TRAP, "call-stack-exhausted", ()),
    ("wizard", 6, b'/t/m.wasm: m.wasm: import from unknown module "nowhere"\n\n', Ending.LINK_ERROR, "", ("nowhere",)),
    ("wizard", 6, b'm.wasm: import #0("wasi_snapshot_preview1"."no_such"): function import not found\n',
     Ending.LINK_ERROR, "", ('"wasi_snapshot_preview1"."no_such"',)),
    ("wizard", 3, b"/t/m.wasm:0x35:Code[0]: expected type i32, got i64\n", Ending.REJECTED, "", ()),
    ("wizard", 3, b"/t/m.wasm: expected magic word 0x6D736100, got 0x58586100\n", Ending.REJECTED, "", ()),
    ("wizard", 3, b"guest's own\n", Ending.EXITED, "", ()),
    ("wasmedge", 134, b"", Ending.EXITED, "", ()),
    ("wasmedge", 134, b"out[2026-11-29 13:55:28.932] [error] execution failed: unreachable, Code: 0x40a\n[2026-11-29 13:55:28"
     b".932] [error]     When executing function name: \"_start\"\n", Ending.TRAP, "unreachable", ()),
    ("wasmedge", 1, b"[2026-11-29 13:55:29.021] [error] instantiation failed: unknown import, Code: 0x302\n[2026-11-29 13:55:"
     b'29.021] [error]     When linking module: "nowhere" , function name: "nothing"\n',
     Ending.LINK_ERROR, "", ('"nowhere" , function name: "nothing"',)),
    ("wasmedge", 1, b"[2026-11-29 13:55:29.069] [error] loading failed: malformed section id, Code: 0x105\n",
     Ending.MALFORMED, "", ()),
    ("wasmedge", 1, b"[2026-11-29 13:55:50.372] [error] validation failed: type mismatch, Code: 0x202\n",
     Ending.INVALID, "", ()),
    ("viceroy", 134, b"2026-07-31T14:20:50.000000Z ERROR error while executing at wasm backtrace:\n    0: 0x1 - <unknown>!f\n",
     Ending.TRAP, "", ()),
    ("viceroy", 134, b"", Ending.EXITED, "", ()),
    ("viceroy", 1, b"2026-11-30T08:06:56.506570Z ERROR error while executing at wasm backtrace:\n    0:     0x5e - <unknown>!f\n",
     Ending.TRAP, "", ()),
    ("viceroy", 1, b"2026-11-30T08:06:57.569600Z ERROR incompatible import type for `wasi_snapshot_preview1::proc_exit`\n",
     Ending.LINK_ERROR, "", ("wasi_snapshot_preview1::proc_exit",)),
    ("viceroy", 1, b"2026-07-31T14:20:50.000000Z ERROR unknown import: `nowhere::nothing` has not been defined\n",
     Ending.LINK_ERROR, "", ("nowhere::nothing",)),
    ("viceroy", 1, b"2026-07-31T14:20:50.000000Z ERROR failed to compile: wasm[0]::function[0]\n", Ending.REJECTED, "", ()),
    ("viceroy", 2, b"error: invalid value 'm.wasm' for '[INPUT]': Expected a valid Wasm file\n", Ending.MALFORMED, "", ()),
    ("spin", 1, b"Error: x\n\nCaused by:\n   0: component imports instance `a:b/c@0.2.0`, but a matching implementation was "
     b"not found in the linker\n", Ending.LINK_ERROR, "", ("a:b/c@0.2.0",)),
    ("spin", 1, b"Error: failed to parse WebAssembly module\n", Ending.REJECTED, "", ()),
]  # fmt: skip
ON_STDOUT = ("iwasm", "wizard", "wasmedge")
"""Runtimes whose own messages are on stdout."""


@pytest.mark.parametrize(("name", "status", "said", "ending", "kind", "imports"), SEEN)
def test_endings_by_description(
    name: str, status: int, said: bytes, ending: Ending, kind: str, imports: tuple[str, ...]
) -> None:
    result = finished(status, stdout=said) if name in ON_STDOUT else finished(status, said)
    outcome = described(name).told(result, Ending.EXITED)
    assert (outcome.ending, outcome.kind, outcome.imports) == (ending, kind, imports)
    assert outcome.status == (status if ending is Ending.EXITED else None)


def test_wasmtime_compiles_large_components_once(project: Project, tmp_path: Path) -> None:
    compiler = tmp_path / "wasmtime"
    compiler.write_text('#!/bin/sh\ntest "$1" = compile && cp "$6" "$5"\n', encoding="utf-8")
    compiler.chmod(0o755)
    adapter = described("wasmtime-winch")
    peer, places = Peer("wasmtime-winch", "1", (str(compiler),)), Places(tmp_path, tmp_path / "cache")
    small, large = project.load().component, tmp_path / "large.wasm"
    large.write_bytes(bytes(128 << 10))
    assert adapter.prepare(peer, small, places) == small
    made = adapter.prepare(peer, large, places)
    assert made != large and made.read_bytes() == large.read_bytes()
    assert adapter.prepare(replace(peer, options=("-x",)), large, places) == large
    command = adapter.command(peer, replace(job(project), component=made))
    assert "--allow-precompiled" in argv_of(command)


def test_wash_serves_the_component_of_a_project(project: Project) -> None:
    made = replace(served(job(project)), mounts=job(project).mounts)
    command = known("wash").command(Peer("wash", "2", ("/p",), options=("-x",)), made)
    folder = made.scratch / "project"
    assert argv_of(command) == ("/p", "-C", str(folder), "--non-interactive", "-x", "dev")
    config = json.loads((folder / ".wash" / "config.yaml").read_text(encoding="utf-8"))
    assert isinstance(command, Command) and config == {
        "build": {"command": "true", "component_path": str(made.component)},
        "dev": {
            "address": f"127.0.0.1:{command.port}",
            "volumes": [{"host_path": "/h", "guest_path": "/g"}],
        },
        "workload": {"environment": {"config": {"K": "v w"}}, "allowedHosts": []},
    }
    line = f"INFO listening for HTTP requests address=http://127.0.0.1:{command.port}"
    found = re.search(command.listening, line)
    assert found and int(found[1]) == command.port
    missing = b"0: component imports instance `a:b/c@0.2.0`, but a matching implementation was not found\n"
    assert known("wash").interpret(made, finished(1, missing), command).imports == ("a:b/c@0.2.0",)
    assert known("wash").interpret(made, finished(1, b"Error\n"), command).ending is Ending.CRASH


@pytest.mark.parametrize("name", ["runwasi", "vscode-wasm"])
def test_what_no_command_line_runs_is_never_found(project: Project, name: str) -> None:
    places = Places(project.root, project.root / "cache", ((name, Path("/bin/true")),))
    found = known(name).find(places)
    assert isinstance(found, Absent) and found.reason == "there is no command line that runs a file with it"
    assert known(name).about.never_run and known(name).about.get


@pytest.mark.parametrize("name", ["pywasm", "wasmer", "chicory", "graalwasm"])
def test_drivers_have_one_command_line_and_one_way_to_tell_an_ending(project: Project, name: str) -> None:
    adapter, made = known(name), job(project)
    assert isinstance(adapter, Library) and adapter.about.can.modules and not adapter.about.can.components
    command = adapter.command(Peer(name, "1", ("/p", "driver")), made)
    outcome = made.scratch / "outcome.json"
    assert argv_of(command) == (
        "/p", "driver", "--outcome", str(outcome), "--env", "K=v w", "--dir", "/h", "/g", str(made.component), "a", "--b",
    )  # fmt: skip
    assert isinstance(command, Command) and command.outcome_file == outcome
    told = {"schema": "touchstone-outcome/1", "outcome": "trap", "message": "x integer divide by zero"}
    outcome.write_text(json.dumps(told), encoding="utf-8")
    kind = "" if name == "pywasm" else "integer-divide-by-zero"
    ending = adapter.interpret(made, finished(1), command)
    assert (ending.ending, ending.kind) == (Ending.TRAP, kind)
    outcome.unlink()
    assert adapter.interpret(made, finished(1, b"Error: x\n"), command).ending is Ending.CRASH


def test_a_library_is_absent_where_its_package_is(project: Project) -> None:
    places = Places(project.root, project.root / "cache", home=project.root / "installed")
    nothing = InPython("nothing", known("pywasm").about, (), "no-such-package", "nothing")
    assert nothing.find(places) == Absent("nothing", "the Python package no-such-package is not installed")
    found = known("chicory").find(places)
    assert isinstance(found, Absent) and "runtime's jar is not installed" in found.reason


def test_the_driver_in_python_tells_each_ending(tmp_path: Path) -> None:
    """The libraries are fakes with the interface that the driver uses."""
    (tmp_path / "pywasm.py").write_text(FAKE_PYWASM, encoding="utf-8")
    (tmp_path / "wasmer_sdk.py").write_text(FAKE_WASMER, encoding="utf-8")
    (tmp_path / "m.wasm").write_bytes(b"")
    env = {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    for library, asked, wanted in DRIVEN:
        argv = ["--outcome", "o.json", "--env", "K=a=b", "--dir", "/h", "/g", "m.wasm", asked, "--x"]
        program = [sys.executable, str(KNOWN / "python_driver.py"), library]
        done = subprocess.run([*program, *argv], cwd=tmp_path, env=env, check=False, capture_output=True,
                              stdin=subprocess.DEVNULL)  # fmt: skip
        outcome = read_outcome(tmp_path / "o.json")
        assert isinstance(outcome, Outcome), (library, asked, done.stderr)
        assert (outcome.ending.value, outcome.status, outcome.message) == wanted, (library, asked)
        (tmp_path / "o.json").unlink()
        if wanted[0] == "exited":
            assert (done.returncode, done.stdout) == (wanted[1], b"{'K': 'a=b'}\n")


DRIVEN = [
    ("pywasm", "7", ("exited", 7, "")),
    ("pywasm", "trap", ("trap", None, "AssertionError: assert args[0] != 'trap'")),
    ("pywasm", "link", ("link-error", None, "nowhere.nothing")),
    ("pywasm", "start", ("link-error", None, "exports no _start")),
    ("pywasm", "bad", ("rejected", None, "EOFError: too short")),
    ("wasmer", "7", ("exited", 7, "")),
    ("wasmer", "command execution failed: RuntimeError: unreachable", ("trap", None, "unreachable")),
    ("wasmer", 'Error while importing "a"."b": unknown import.',
     ("link-error", None, 'Error while importing "a"."b": unknown import.')),
    ("wasmer", "compile error: Validate", ("rejected", None, "compile error: Validate")),
]  # fmt: skip
FAKE_PYWASM = """
import types
asked = None
class Preview1:
    def __init__(self, args, dirs, envs):
        global asked
        asked, self.envs = args[1], envs
        assert args[0] == "m.wasm" and args[2:] == ["--x"] and dirs == {"/g": "/h"}
    def bind(self, runtime):
        runtime.imports = {"nowhere": {}}
    def main(self, runtime, instance):
        args = [asked]
        assert args[0] != 'trap'
        print(self.envs)
        return int(asked)
class ModuleDesc:
    @staticmethod
    def from_reader(file):
        if asked == "bad":
            raise EOFError("too short")
        made = ModuleDesc()
        made.imps = [types.SimpleNamespace(module="nowhere", name="nothing")] if asked == "link" else []
        made.exps = [types.SimpleNamespace(name="_start")] if asked != "start" else []
        return made
class Runtime:
    def instance(self, made):
        return made
wasi = types.SimpleNamespace(Preview1=Preview1)
core = types.SimpleNamespace(ModuleDesc=ModuleDesc, Runtime=Runtime)
"""
FAKE_WASMER = """
import types
class WasmerError(Exception):
    pass
class Client:
    def __init__(self, **others):
        self.packages = self.sandboxes = self
    async def __aenter__(self):
        return self
    async def __aexit__(self, *error):
        pass
    async def create(self, *package, env=None, packages=()):
        self.env = env
        return self
    def command(self, name, args):
        self.args = args
        return self
    async def run(self, stdin, check):
        if not self.args[0].isdigit():
            raise WasmerError(self.args[0])
        said = lambda data: types.SimpleNamespace(bytes=data)
        return types.SimpleNamespace(exit_code=int(self.args[0]), stdout=said(f"{self.env}\\n".encode()), stderr=said(b""))
Wasmer = Client
PackageDefinition = PackageCommandDefinition = dict
"""
