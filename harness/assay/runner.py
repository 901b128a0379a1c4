"""Running one case on one runtime: fresh directories, the process, what is left afterwards, the verdict.

In: a case, a found runtime, places. Out: a `CaseResult`. All reading and writing of a run's files happens here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from . import http_peers
from .adapters import Adapter, Places
from .cases import find_directory
from .judge import judge, skip
from .model import Case, CaseResult, Exchange, FileState, Inexpressible, Job, Mount, Observation, Peer, Verdict
from .process import execute
from .wire import show
from .world import mounts, wrap

TRACE_LIMIT = 256 << 10
TREE_LIMIT = 400
FILE_LIMIT = 4 << 20
WIRE_LIMIT = 16 << 10


@dataclass(frozen=True)
class Settings:
    trace: bool = True
    strict: bool = False
    jobs: int = 2
    timeout_factor: float = 1.0
    stop: Event = field(default_factory=Event, compare=False)


def run_all(
    cases: Sequence[Case],
    peers: Sequence[tuple[Adapter, Peer]],
    places: Places,
    settings: Settings,
    done: Callable[[CaseResult], None] = lambda _: None,
) -> list[CaseResult]:
    """Every case on every runtime, `settings.jobs` at a time; the results in the order of cases, then runtimes."""
    prepared = _Prepared(places)
    results: dict[tuple[int, int], CaseResult] = {}
    with ThreadPoolExecutor(max_workers=max(1, settings.jobs)) as pool:
        futures = {
            pool.submit(_guarded, case, adapter, peer, prepared, settings): (row, column)
            for row, case in enumerate(cases)
            for column, (adapter, peer) in enumerate(peers)
        }
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                done(future.result())
        except BaseException:  # interrupted: end what runs, start nothing more
            settings.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[key] for key in sorted(results)]


def _guarded(case: Case, adapter: Adapter, peer: Peer, prepared: _Prepared, settings: Settings) -> CaseResult:
    try:
        return run_case(case, adapter, peer, prepared, settings)
    except Exception as error:  # a fault of the harness is an ERROR of this case, not the end of the run
        return skip(case, peer.name, f"harness: {type(error).__name__}: {error}", Verdict.ERROR)


class _Prepared:
    """Components compiled ahead, each once however many cases use it."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._lock = Lock()
        self._locks: dict[tuple[str, Path], Lock] = {}
        self._done: dict[tuple[str, Path], Path] = {}

    def get(self, adapter: Adapter, peer: Peer, component: Path) -> Path:
        key = (peer.name, component)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._done:
                self._done[key] = adapter.prepare(peer, component, self.places)
            return self._done[key]


def run_case(case: Case, adapter: Adapter, peer: Peer, prepared: _Prepared, settings: Settings) -> CaseResult:
    """One case on one runtime."""
    if not case.component.is_file():
        return skip(case, peer.name, f"the component {case.component.name} is not built")
    component = prepared.get(adapter, peer, case.component)
    scratch = Path(tempfile.mkdtemp(prefix="assay-"))
    try:
        with mounts(case, scratch) as made:
            if isinstance(made, Inexpressible):
                return skip(case, peer.name, made.reason)
            return _run_in(scratch, made, case, component, adapter, peer, settings)
    finally:
        _remove(scratch)


def _run_in(
    scratch: Path,
    made: tuple[Mount, ...],
    case: Case,
    component: Path,
    adapter: Adapter,
    peer: Peer,
    settings: Settings,
) -> CaseResult:
    work, home = scratch / "cwd", scratch / "home"
    work.mkdir()
    home.mkdir()
    with contextlib.ExitStack() as stack:
        peopled = http_peers.start(case, stack)
        if isinstance(peopled, Inexpressible):
            return skip(case, peer.name, peopled.reason)
        filled, servers = peopled
        job = Job(filled, component, made, home, settings.trace)
        command = adapter.command(peer, job)
        if isinstance(command, Inexpressible):
            return skip(case, peer.name, command.reason)
        argv = wrap(case, made, command.argv)
        if isinstance(argv, Inexpressible):
            return skip(case, peer.name, argv.reason)
        client = http_peers.Client(case.run.clients, command.listening) if case.run.serve else None
        result = execute(
            argv,
            env=dict(command.env),
            cwd=work,
            stdin=case.run.stdin,
            stdio=case.run.stdio,
            timeout=case.run.timeout * settings.timeout_factor + command.startup,
            stop=settings.stop,
            until=client.look if client is not None else None,
        )
        heard = client.close() if client is not None else ()
        wire = (*heard, *(exchange for server in servers for exchange in server.close()))
    outcome = adapter.interpret(job, result, command)
    seen = Observation(
        outcome=outcome,
        argv=argv,
        stdout=result.stdout,
        stderr=result.stderr,
        trace=_read_trace(command.trace_file),
        wall=result.wall,
        cpu=result.cpu,
        peak_rss_kib=result.peak_rss_kib,
        contents=(
            *((item.path, _content(item.path, case, job.mounts)) for item in case.expect.files),
            *((f"wire: {name}", _wire_text(wire, name)) for name in dict.fromkeys(exchange.name for exchange in wire)),
        ),
        tree=_trees(job.mounts),
        leftovers=result.leftovers,
        wire=wire,
    )
    return judge(case, peer.name, seen, strict=settings.strict)


def _wire_text(wire: tuple[Exchange, ...], name: str) -> bytes:
    """What came by that name, for the page."""
    return "".join(show(exchange) for exchange in wire if exchange.name == name).encode()[:WIRE_LIMIT]


def _content(path: str, case: Case, mounts: tuple[Mount, ...]) -> bytes | None:
    found = find_directory(case.run.dirs, path)
    assert found is not None
    place = mounts[case.run.dirs.index(found[0])].host / found[1]
    try:
        if stat.S_ISREG(place.lstat().st_mode):
            with place.open("rb") as file:
                return file.read(FILE_LIMIT)
        return b"" if place.is_symlink() or place.exists() else None
    except OSError:
        return None


def _trees(mounts: tuple[Mount, ...]) -> tuple[FileState, ...]:
    """What is in the preopened directories after the run; links are not followed."""
    states: list[FileState] = []
    for mount in (mount for mount in mounts if not mount.system):
        for folder, folders, files in os.walk(mount.host):
            folders.sort()
            for name in sorted([*folders, *files]):
                if len(states) >= TREE_LIMIT:
                    return tuple(states)
                place = Path(folder, name)
                guest = f"{mount.guest.rstrip('/')}/{place.relative_to(mount.host).as_posix()}"
                with contextlib.suppress(OSError):
                    states.append(
                        _state(place, guest.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
                    )
    return tuple(states)


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


def _read_trace(path: Path | None) -> str:
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as file:
        data = file.read(TRACE_LIMIT + 1)
    text = data[:TRACE_LIMIT].decode("utf-8", "backslashreplace")
    return text + ("\n… (the rest of the trace is left out)\n" if len(data) > TRACE_LIMIT else "")


def _remove(folder: Path) -> None:
    """Remove a run's directory, whatever modes the guest left in it."""

    def unlock(_function: object, path: str, _error: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            if Path(path).is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink()

    shutil.rmtree(folder, onerror=unlock)
