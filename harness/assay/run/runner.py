"""Running one case on one runtime: fresh directories, the process, and what is left afterwards.

In: a case, a found runtime, places. Out: an `Observation`, or why there is none. This module reads and
writes all files of a run.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock

from ..cases import find_directory
from ..model import (
    TRACE_LIMIT,
    Case,
    Cut,
    Ending,
    FileState,
    Inexpressible,
    Mount,
    NotRun,
    Observation,
    Outcome,
    Peer,
)
from ..runtimes import Places, Runtime
from ..runtimes.base import last_line
from . import http_peers
from .process import execute
from .stage import Stage, notes, refusal, shell_line, stage, stdin_of
from .usage import waiting

TREE_LIMIT = 400
FILE_LIMIT = 4 << 20


@dataclass(frozen=True)
class Settings:
    trace: bool = True
    strict: bool = False
    jobs: int = 2
    timeout_factor: float = 1.0
    keep: Path | None = None
    """Where the folders of the runs are kept, as RUNTIME/CASE. None: they are removed."""
    seed: int = 0
    """Which tokens replace the nonces of the cases."""
    retry: int = 0
    """How often an unexpected result is run again at most."""
    allow_flaky: bool = False
    when: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    stop: Event = field(default_factory=Event, compare=False)
    most_startup: float = math.inf
    """The most seconds that a runtime gets for its start on top of a case's limit."""
    uses: Callable[[float], None] | None = field(default=None, compare=False)
    """Gets the share of a processor that the run uses, again and again."""


class Prepared:
    """Components compiled ahead of time, each once however many cases use it."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._lock = Lock()
        self._locks: dict[tuple[str, Path], Lock] = {}
        self._done: dict[tuple[str, Path], Path] = {}

    def get(self, runtime: Runtime, component: Path, uses: Callable[[float], None] | None = None) -> Path:
        """Returns what a runtime runs for a component. `uses` is told that a run which waits until another one has
        compiled its component uses no processor meanwhile."""
        key = (runtime.name, component)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with waiting(lock, uses):
            if key not in self._done:
                self._done[key] = runtime.adapter.prepare(runtime.peer, component, self.places)
            return self._done[key]


def run_case(case: Case, runtime: Runtime, prepared: Prepared, settings: Settings) -> Observation | NotRun:
    """Runs one case on one runtime, and returns what was observed."""
    case = as_run(case, runtime)
    if not case.component.is_file():
        return NotRun(not_built(case))
    if reason := refusal(case, runtime):
        return NotRun(reason)
    component = prepared.get(runtime, case.component, settings.uses)
    scratch = _scratch(case, runtime.peer, settings.keep)
    keep = settings.keep is not None
    try:
        with stage(case, component, runtime, scratch, trace=settings.trace, keep=keep) as made:
            if isinstance(made, Inexpressible):
                return NotRun(made.reason)
            if keep:
                leave_command(made, case, runtime.peer, scratch)
            return run_stage(made, case, runtime, settings)
    finally:
        if not keep:
            clear(scratch)


def as_run(case: Case, runtime: Runtime) -> Case:
    """Returns the case with what this runtime gets as its component: the core module, where it takes one."""
    return replace(case, component=case.module) if case.module is not None and runtime.takes_module(case) else case


def not_built(case: Case) -> str:
    return (
        f"the component is not built ({case.made_by})"
        if case.made_by
        else f"there is no component {case.component.name}"
    )


def _scratch(case: Case, peer: Peer, keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="assay-")).resolve()
    folder = keep / peer.name / case.id
    if folder.exists():
        clear(folder)
    folder.mkdir(parents=True)
    return folder.resolve()


def leave_command(made: Stage, case: Case, peer: Peer, scratch: Path) -> str:
    """Writes `command.sh` and the input to a folder that is kept. Returns the line for a shell."""
    stdin = scratch / "stdin"
    stdin.write_bytes(case.run.stdin)
    line = shell_line(made.argv, made.command.env, str(made.cwd), stdin_of(case, stdin))
    comments = "".join(f"# {text}\n" for text in (f"{case.id} on {peer.name} ({peer.version})", *notes(case)))
    script = scratch / "command.sh"
    script.write_text(f"#!/bin/sh\n{comments}{line}\n", encoding="utf-8")
    script.chmod(0o755)
    return line


def run_stage(made: Stage, case: Case, runtime: Runtime, settings: Settings) -> Observation:
    """Runs a stage, and returns what was observed."""
    command, job = made.command, made.job
    client = None
    if case.run.serve:
        client = http_peers.Client(job.case.run.clients, command.listening)
    elif case.run.dials:
        client = http_peers.Client(job.case.run.dials, http_peers.PRINTED, ends=False)
    result = execute(
        made.argv,
        env=dict(command.env),
        cwd=made.cwd,
        stdin=case.run.stdin,
        stdio=case.run.stdio,
        timeout=case.run.timeout * settings.timeout_factor + min(command.startup, settings.most_startup),
        stop=settings.stop,
        until=client.look if client is not None else None,
        uses=settings.uses,
    )
    heard = client.close() if client is not None else ()
    wire = (*heard, *(exchange for server in made.servers for exchange in server.close()))
    if made.begun is not None and not made.begun.exists() and not result.failure:
        words = last_line(result.stderr) or f"it ended with {result.status}"
        result = replace(result, failure=f"what was to run before the runtime failed: {words}")
    outcome = runtime.adapter.interpret(job, result, command)
    if result.failure:
        outcome = Outcome(Ending.NOT_STARTED, message=result.failure)
    trace, whole = _read_trace(command.trace_file)
    # Reading a file changes its access time, so the states come first.
    files = [item.path for item in case.expect.files if item.state]
    states = [(f"{path} state", entry_state(_place(path, case, job.mounts)).encode()) for path in files]
    tree, entries = _trees(job.mounts)
    port = [(f"127.0.0.1:{client.port}", "127.0.0.1:{port}")] if client is not None and client.port else []
    return Observation(
        outcome=outcome,
        argv=made.argv,
        env=command.env,
        cwd=str(made.cwd),
        stdout=result.stdout,
        stderr=result.stderr,
        trace=trace,
        wall=result.wall,
        cpu=result.cpu,
        peak_rss_kib=result.peak_rss_kib,
        contents=(*((item.path, _content(item.path, case, job.mounts)) for item in case.expect.files), *states),
        tree=tree,
        leftovers=result.leftovers,
        wire=wire,
        cut=(
            *([Cut("trace", whole, "")] if whole > len(trace.encode()) else []),
            *([Cut("tree", entries, "")] if entries > len(tree) else []),
        ),
        places=(*made.places, *port),
    )


def _place(path: str, case: Case, mounts: tuple[Mount, ...]) -> Path:
    found = find_directory(case.run.dirs, path)
    assert found is not None
    return mounts[case.run.dirs.index(found[0])].host / found[1]


def _content(path: str, case: Case, mounts: tuple[Mount, ...]) -> bytes | None:
    place = _place(path, case, mounts)
    try:
        if stat.S_ISREG(place.lstat().st_mode):
            with place.open("rb") as file:
                return file.read(FILE_LIMIT)
        return b"" if place.is_symlink() or place.exists() else None
    except OSError:
        return None


def _trees(mounts: tuple[Mount, ...]) -> tuple[tuple[FileState, ...], int]:
    """Returns the entries of the preopened directories after the run, and their number. Links are not
    followed."""
    states: list[FileState] = []
    entries = 0
    for mount in (mount for mount in mounts if not mount.system):
        for folder, folders, files in os.walk(mount.host):
            folders.sort()
            for name in sorted([*folders, *files]):
                entries += 1
                if len(states) >= TREE_LIMIT:
                    continue
                place = Path(folder, name)
                guest = f"{mount.guest.rstrip('/')}/{place.relative_to(mount.host).as_posix()}"
                with contextlib.suppress(OSError):
                    states.append(
                        _state(place, guest.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
                    )
    return tuple(states), entries


def _state(place: Path, guest: str) -> FileState:
    status = place.lstat()
    if stat.S_ISLNK(status.st_mode):
        return FileState(guest, "link", 0, os.fsencode(place.readlink()).decode("utf-8", "backslashreplace"))
    if stat.S_ISDIR(status.st_mode):
        return FileState(guest, "dir")
    if not stat.S_ISREG(status.st_mode):
        return FileState(guest, "other")
    digest = ""
    if status.st_size <= FILE_LIMIT:
        digest = hashlib.sha256(place.read_bytes()).hexdigest()
    return FileState(guest, "file", status.st_size, digest)


def entry_state(place: Path) -> str:
    """What there is to say of an entry of a directory besides its content, a line each; a link is not followed."""
    try:
        status = place.lstat()
    except OSError:
        return ""
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
    kind = kinds.get(stat.S_IFMT(status.st_mode), "other")
    lines = [
        f"link to {os.fsencode(place.readlink()).decode('utf-8', 'backslashreplace')}" if place.is_symlink() else kind
    ]
    if kind == "file":
        lines.append(f"size {status.st_size}")
    if kind == "directory":
        with contextlib.suppress(OSError):
            lines.append(f"entries {' '.join(sorted(entry.name for entry in place.iterdir()))}".rstrip())
    lines += [f"mode {stat.S_IMODE(status.st_mode):03o}", f"links {status.st_nlink}"]
    for word, time in (("accessed", status.st_atime_ns), ("modified", status.st_mtime_ns)):
        seconds, nanoseconds = divmod(time, 1_000_000_000)
        lines.append(f"{word} {seconds}.{nanoseconds:09}")
    return "\n".join(lines) + "\n"


def _read_trace(path: Path | None) -> tuple[str, int]:
    """Returns the beginning of a trace, and the size of the whole."""
    if path is None or not path.is_file():
        return "", 0
    with path.open("rb") as file:
        data = file.read(TRACE_LIMIT)
        return data.decode("utf-8", "backslashreplace"), max(len(data), os.fstat(file.fileno()).st_size)


def clear(folder: Path) -> None:
    """Removes a run's directory, whatever modes the guest left in it."""

    def unlock(_function: object, path: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            if Path(path).is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink()

    shutil.rmtree(folder, onerror=unlock)
