"""WAMR 3 from PyPI: `wamrc` compiles a component's core modules ahead of time, and `wamr` runs them.

`prepare` makes a manifest (for a core module: a compiled module). Where `wamrc` refuses the file, the run is that
of `wamrc` again, whose messages tell why. Without an `--env` a guest has the environment of the process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ...model.names import COMMAND, PROXY
from ..about import About, Can, Install
from ..base import base_environment, cached, common_ending, last_line, not_found, peer_of, program_of, served
from ..places import Places

_EVERY_ADDRESS = ("--allow-net", "0.0.0.0/0", "--allow-net", "::/0")  # any grant: it has no finer ones
_TRAP = re.compile(r"^Error: (component trapped during run|AOT execution failed: .*)\s*\Z", re.MULTILINE)
_NO_IMPORT = re.compile(r"^Error: (component imports something other than .*)\s*\Z", re.MULTILINE)
_NO_EXPORT = re.compile(r"^Error: (component does not export .*|no _start or main .*)\s*\Z", re.MULTILINE)
_KINDS = {"OutOfBoundsMemoryAccess": "out-of-bounds-memory"}

_ABOUT = About(
    "WAMR 3: components and modules, compiled ahead of time",
    Can(modules=True, worlds=(COMMAND, PROXY)),
    install=Install("pip", ("wamr-bin==3.0.0.dev5", "wamrc-bin==3.0.0.dev5")),
    known=(
        ("stdin", "the end of stdin is told as a failed operation, not as a closed stream"),
        ("trap", "a trap in a core module that another one calls lets the caller go on, and the status is 0"),
        ("serve", "outgoing-body.finish does not work, so no response is sent"),
    ),
)


@dataclass(frozen=True)
class Wamr:
    name: str = "wamr"
    about: About = _ABOUT
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        program = program_of(places, self, "wamr")
        if program is None:
            return not_found(self, "wamr")
        compiler = program.with_name("wamrc")
        if not compiler.is_file():
            return Absent(self.name, f"there is no {compiler}, which compiles for it")
        return peer_of(places, self, (str(program), str(compiler)), (str(program), "version"))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return cached(places, self.name, peer.version, component, _compile(peer, component, "{out}")) or component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        case, environment = job.case, base_environment(job)
        if job.component == case.component:  # it was refused
            return Command(tuple(_compile(peer, job.component, str(job.scratch / "out"))), environment, startup=5.0)
        serve = case.run.serve
        if serve and job.mounts:
            return Inexpressible("wamr serve gives no directories")
        argv = [peer.program[0], *(("serve", "--addr", "127.0.0.1:0") if serve else ("run",)), *peer.options]
        for mount in job.mounts:
            argv += ["--map-dir", f"{mount.host}::{mount.guest}"]
        for key, value in case.run.env or ():
            argv += ["--env", f"{key}={value}"]
        if case.run.grants and not serve:
            argv += _EVERY_ADDRESS
        if _is_component(case.component):
            argv += ["--precompiled-manifest", str(job.component), str(case.component)]
        else:
            argv.append(str(job.component))
        listening = r"^Listening on 127\.0\.0\.1:(\d+)" if serve else ""
        env = () if case.run.env == () else environment
        return Command((*argv, *case.run.args), env, startup=5.0, listening=listening)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        ending = served(result) if job.case.run.serve else common_ending(result)
        if ending is not None:
            return ending
        if job.component == job.case.component:
            return Outcome(Ending.REJECTED, message=last_line(result.stderr).partition("rror: ")[2])
        return read_report(result.status or 0, result.stderr)


def _is_component(file: Path) -> bool:
    return file.read_bytes()[4:8] != b"\1\0\0\0"


def _compile(peer: Peer, file: Path, out: str) -> list[str]:
    return [peer.program[1], "compile-component" if _is_component(file) else "compile", str(file), "-o", out]


def read_report(status: int, stderr: bytes) -> Outcome:
    """Interprets the last error on stderr."""
    text = stderr.decode("utf-8", "backslashreplace")
    if status == 1 and (trap := _TRAP.search(text)):
        return Outcome(Ending.TRAP, kind=_KINDS.get(trap[1].rpartition(" ")[2], ""), message=trap[1])
    if status == 1 and (absent := _NO_IMPORT.search(text) or _NO_EXPORT.search(text)):
        return Outcome(Ending.LINK_ERROR, message=absent[1])
    return Outcome(Ending.EXITED, status)


RUNTIMES = (Wamr(),)
