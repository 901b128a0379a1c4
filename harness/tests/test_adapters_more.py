"""The adapters of further runtimes: their command lines, and how they tell an ending from recorded output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project
from test_adapters import job

from assay.model import ClientSpec, Command, Ending, Inexpressible, Job, Peer, ProcessResult
from assay.runtimes.base import base_environment
from assay.runtimes.known import wamr
from assay.runtimes.known.wamr import Wamr

WAMR = Peer("wamr", "3", ("/bin/wamr", "/bin/wamrc"), options=("-x",))


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
    assert argv_of(Wamr().command(WAMR, made)) == (
        "/bin/wamr", "run", "-x", "--map-dir", "/h::/g", "--env", "K=v w", "--allow-net", "0.0.0.0/0",
        "--allow-net", "::/0", "--precompiled-manifest", "/cache/c.wasm", file, "a", "--b",
    )  # fmt: skip
    made.case.component.write_bytes(b"\0asm\1\0\0\0")
    assert argv_of(Wamr().command(WAMR, made))[-3:] == ("/cache/c.wasm", "a", "--b")


def test_wamr_serves_without_directories(project: Project) -> None:
    made = replace(job(project), component=Path("/cache/c.wasm"))
    command = Wamr().command(WAMR, served(made))
    assert argv_of(command)[1:5] == ("serve", "--addr", "127.0.0.1:0", "-x")
    assert isinstance(command, Command) and command.listening and "--allow-net" not in command.argv
    mounted = replace(served(made), mounts=made.mounts)
    assert Wamr().command(WAMR, mounted) == Inexpressible("wamr serve gives no directories")


def test_wamr_has_no_variables_where_a_case_asks_for_none(project: Project) -> None:
    made = replace(job(project), component=Path("/cache/c.wasm"))
    for env, wanted in (((), ()), (None, base_environment(made))):
        case = replace(made.case, run=replace(made.case.run, env=env))
        command = Wamr().command(WAMR, replace(made, case=case))
        assert isinstance(command, Command) and command.env == wanted and "--env" not in command.argv


def test_wamr_tells_a_refusal_by_its_compiler(project: Project) -> None:
    made = job(project)  # nothing was compiled: it was refused
    command = Wamr().command(WAMR, made)
    assert argv_of(command)[:3] == ("/bin/wamrc", "compile-component", str(made.component))
    result = finished(1, b"Loaded component x\nerror: precompile failed: InvalidComponent\n")
    assert isinstance(command, Command)
    outcome = Wamr().interpret(made, result, command)
    assert (outcome.ending, outcome.message) == (Ending.REJECTED, "precompile failed: InvalidComponent")


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
    outcome = wamr.read_report(status, stderr)
    assert (outcome.ending, outcome.kind) == (ending, kind)
