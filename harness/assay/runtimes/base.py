"""The interface of an adapter, and what several adapters share.

In: places to look, a job, a finished process. Out: a peer, or why it is absent; a command line; an outcome.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from ..model import Absent, Case, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from .about import About, Can
from .places import Places

BIG = 128 << 10
"""A component of this many bytes or more is compiled once, into the cache."""


class Adapter(Protocol):
    """One runtime."""

    @property
    def name(self) -> str: ...

    @property
    def reference(self) -> bool:
        """Whether this is the reference runtime. It traces host calls, runs the scripts and is judged by
        default."""
        ...

    @property
    def about(self) -> About: ...

    def find(self, places: Places) -> Peer | Absent: ...

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        """Compiles ahead of time where that saves time. Returns the file to run as the component."""
        ...

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible: ...

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome: ...


@runtime_checkable
class ScriptAdapter(Protocol):
    """An adapter of a runtime that also runs converted .wast scripts."""

    def script(self, peer: Peer, script: Path, results: Path, features: Sequence[str]) -> tuple[str, ...]:
        """Returns the command line that runs a script and writes one line for each command to `results`."""
        ...


@runtime_checkable
class WholeScriptAdapter(Protocol):
    """An adapter of a runtime that runs a .wast file itself, and tells only whether all of it passes."""

    def wast(self, peer: Peer, script: Path) -> tuple[str, ...]:
        """Returns the command line that ends with 0 if every command passes."""
        ...


@dataclass(frozen=True)
class Runtime:
    """A runtime that was found, with its adapter."""

    adapter: Adapter
    peer: Peer
    modules: bool = False
    """The runtime gets core modules of preview 1 instead of components."""

    @property
    def name(self) -> str:
        return self.peer.name

    @property
    def can(self) -> Can:
        return self.adapter.about.can

    def takes_module(self, case: Case) -> bool:
        """Returns whether the runtime gets the core module of a case instead of its component."""
        return self.modules or (case.module is not None and self.can.modules)


def probe_version(argv: list[str], timeout: float = 30.0) -> tuple[str, str]:
    """Runs `argv` (a `--version`). Returns its first line, and why there is none."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error).splitlines()[0]
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    if done.returncode != 0:
        return "", f"`{' '.join(argv)}` ended with {done.returncode}: {lines[-1] if lines else 'no output'}"
    return (lines[0] if lines else "unknown version"), ""


def peer_of(
    places: Places, adapter: Adapter, program: Sequence[str], version: Sequence[str], note: str = ""
) -> Peer | Absent:
    """Returns the peer of a program that was found, with the arguments that the user gave it. `version` is the
    command line that prints its version."""
    printed, problem = probe_version(list(version))
    if problem:
        return Absent(adapter.name, problem)
    options = places.options_of(adapter.name)
    note = "; ".join(part for part in (note, given(options)) if part)
    return Peer(adapter.name, printed, tuple(program), note, options)


def not_found(adapter: Adapter, command: str) -> Absent:
    return Absent(adapter.name, f"no `{command}`: it is not installed, and not on the search path")


def given(options: Sequence[str]) -> str:
    """Returns the note on a runtime to which the user gave arguments."""
    return f"with {shlex.join(options)}" if options else ""


def base_environment(job: Job) -> tuple[tuple[str, str], ...]:
    """Returns the almost empty environment of every runtime's process."""
    home = str(job.scratch)
    return (("HOME", home), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("TMPDIR", home), ("TZ", job.case.run.zone))


def common_ending(result: ProcessResult) -> Outcome | None:
    """Returns an ending that looks the same for every runtime, or None when the adapter has to interpret
    it."""
    if result.failure:
        return Outcome(Ending.NOT_STARTED, message=result.failure)
    if result.flooded:
        return Outcome(Ending.FLOOD, message="more output than the harness takes")
    if result.timed_out:
        return Outcome(Ending.TIMEOUT, message=f"ended by the harness after {result.wall:.1f} s")
    if result.signal is not None:
        return Outcome(Ending.CRASH, kind=f"signal {result.signal}", message=last_line(result.stderr))
    return None


def free_port() -> int:
    """Returns a free port of the loopback, for a runtime that cannot pick one itself."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def last_line(data: bytes) -> str:
    lines = [line for line in data.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else ""


def served(result: ProcessResult) -> Outcome | None:
    """Returns the ending of a server: exit 0 if it ran until its clients were done, None if it ended by
    itself."""
    if result.stopped and (result.signal in (None, 15, 9)):
        return Outcome(Ending.EXITED, 0)
    return common_ending(result)


def read_outcome(path: Path, schema: str = "touchstone-outcome/1") -> Outcome | str:
    """Reads the outcome file of touchstone's contract. A string says what is wrong with it."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return "no outcome file"
    except ValueError as error:
        return f"the outcome file is not JSON: {error}"
    if not isinstance(raw, dict) or raw.get("schema") != schema:
        return f"the outcome file is not of schema {schema}"
    words = {ending.value for ending in Ending} - {"timeout", "crash", "flood", "not-started"}
    if raw.get("outcome") not in words:
        return f"unknown outcome {raw.get('outcome')!r}"
    status, imports = raw.get("status"), raw.get("imports")
    if raw["outcome"] == "exited" and not isinstance(status, int):
        return "exited without a status"
    names = tuple(
        f"{item.get('name', '')}.{item.get('function', '')}".rstrip(".")
        + (f" ({item['reason']})" if item.get("reason") else "")
        for item in (imports if isinstance(imports, list) else [])
        if isinstance(item, dict)
    )
    message = str(raw.get("message") or (", ".join(names) if names else ""))
    kind = str(raw.get("kind") or (f"signal {raw['signal']}" if "signal" in raw else ""))
    return Outcome(Ending(raw["outcome"]), status if isinstance(status, int) else None, kind, message, names)


def from_outcome_file(result: ProcessResult, command: Command) -> Outcome:
    """Returns the ending that a driver wrote to its outcome file."""
    ending = common_ending(result)
    if ending is not None:
        return ending
    assert command.outcome_file is not None
    outcome = read_outcome(command.outcome_file)
    if isinstance(outcome, str):
        return Outcome(Ending.CRASH, result.status, outcome, last_line(result.stderr))
    return outcome


def cached(
    places: Places, tool: str, version: str, component: Path, make: list[str] | Callable[[Path], bool]
) -> Path | None:
    """Returns a file or folder that `make` made of a component, from the cache where it was made before, with what
    it made beside it.

    `{in}` and `{out}` in a command line stand for the paths; a function gets the path to make, and returns whether it
    did. The cache is keyed by checksum, version and command line, wherever its programs are."""
    sums = hashlib.sha256(component.read_bytes())
    if isinstance(make, list):
        sums.update(json.dumps([_anywhere(word) for word in make]).encode())
    digest = sums.hexdigest()
    label = "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in f"{tool}-{version}")
    folder = places.cache / label / digest / component.stem
    target = folder / component.name
    if target.exists():
        return target
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        fresh = Path(made) / "fresh" / component.name
        fresh.parent.mkdir()
        worked = _made_by(make, component, fresh) if isinstance(make, list) else make(fresh)
        if not worked or not fresh.exists():
            return None
        with contextlib.suppress(OSError):  # another process has made it
            fresh.parent.rename(folder)
    return target


def _anywhere(word: str) -> str | list[str | int]:
    """Returns a word of a command line, or what tells one file from another where the word is a path."""
    place = Path(word)
    return [place.name, place.stat().st_size] if place.is_absolute() and place.is_file() else word


def _made_by(make: list[str], component: Path, fresh: Path) -> bool:
    argv = [part.replace("{in}", str(component)).replace("{out}", str(fresh)) for part in make]
    done = subprocess.run(argv, capture_output=True, timeout=600, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0


def program_of(
    places: Places, adapter: Adapter, command: str, inside: Sequence[str] = (), candidates: Sequence[Path] = ()
) -> Path | None:
    """Returns the first program that exists of: the one that the user named for the runtime, or for the one that
    it is like; the installed one (`inside` has more patterns of paths in its folder); the candidates; the search path.
    `NAME@VERSION` is only what was named or installed for it."""
    tagged = "@" in adapter.name
    names = [adapter.name, *([adapter.about.like] if adapter.about.like and not tagged else [])]
    for name in names:
        if (named := places.named(name)) is not None:
            return named.resolve() if named.is_file() else None
    usual = (f"bin/{command}", f"node_modules/.bin/{command}", command)
    for name in names:
        for part in (*inside, *usual):
            for place in sorted(places.installed(name).glob(part)):
                if place.is_file():
                    return place.resolve()
    if tagged:
        return None
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    found = shutil.which(command)
    return Path(found) if found else None


def runnable(program: Path, folder: Path) -> tuple[Path, str]:
    """Sets the executable bit, which wheels may lack, in place, or on a copy in the folder where that is not
    allowed. Returns the program, and a note."""
    if os.access(program, os.X_OK):
        return program, ""
    try:
        program.chmod(program.stat().st_mode | 0o111)
        return program, ""
    except OSError:
        status = program.stat()
        copy = folder / f"{status.st_size:x}-{status.st_mtime_ns:x}" / program.name
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as made:
                fresh = Path(made) / program.name
                shutil.copyfile(program, fresh)
                fresh.chmod(0o755)
                fresh.replace(copy)
        return copy, "copied: the wheel lacks the run bit"
