"""The smoke test of a runtime: does its adapter do what it declares?

Each probe tries one capability with a small guest. In: a runtime that was found, the folder of built guests. Out:
for each probe whether it holds, or why not. A result is kept as long as the runtime and its adapter are the same.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

from ..model import (
    Case,
    ClientSpec,
    Directory,
    Ending,
    Expect,
    FileExpectation,
    NotRun,
    Observation,
    RunSpec,
    Step,
    TextExpectation,
)  # fmt: skip
from ..model.names import COMMAND, PROXY
from ..run.ended import ended_by_signals
from ..run.runner import Prepared, Settings, run_case
from ..runtimes import Runtime, ScriptAdapter, WholeScriptAdapter, about
from ..runtimes.base import last_line
from ..runtimes.places import Places
from .scripts import CommandInfo, Converted, Script, run_script, run_whole

SECONDS = 10.0
"""How long a probe may take, besides what the runtime needs to start."""
ENDLESS = 1.0
"""How long a runtime may start before a guest that never ends is ended: a longer time would only be spent."""


_SCRIPT = """(module (func (export "f") (result i32) (i32.const 7)))
(assert_return (invoke "f") (i32.const {}))
"""
_MODULE = bytes.fromhex("0061736d01000000 010501 6000017f 0302010007050101660000 0a06010400 41070b")
"""The module of the script."""


@dataclass(frozen=True)
class Probe:
    """One capability: the run that tries it, and a function that says what is wrong with what was observed."""

    name: str
    run: RunSpec
    wrong: Callable[[Observation], str]
    guest: str = "smoke"
    files: tuple[str, ...] = ()
    most_startup: float = math.inf


@dataclass(frozen=True)
class Tried:
    """What became of a probe: `problem` is empty where it holds. `known` is why its failure is announced."""

    name: str
    problem: str = ""
    known: str = ""

    @property
    def bad(self) -> bool:
        return bool(self.problem) and not self.known


def _ends(status: int, wanted: Callable[[Observation], str] = lambda _: "") -> Callable[[Observation], str]:
    def wrong(seen: Observation) -> str:
        outcome = seen.outcome
        if outcome.ending is not Ending.EXITED or outcome.status != status:
            return f"it should end with status {status}: {outcome}"
        return wanted(seen)

    return wrong


def _is(ending: Ending, *others: Ending) -> Callable[[Observation], str]:
    return lambda seen: (
        "" if seen.outcome.ending in (ending, *others) else f"it should be told as {ending.value}: {seen.outcome}"
    )


def _stdout(text: bytes) -> Callable[[Observation], str]:
    return lambda seen: "" if seen.stdout == text else f"stdout should be {text[:80]!r}: {seen.stdout[:80]!r}"


def _environment(seen: Observation) -> str:
    got = sorted(seen.stdout.decode("utf-8", "replace").splitlines())
    return "" if got == ["A=1", "GRÜSSE=ä = b"] else f"it should be exactly A=1 and GRÜSSE=ä = b: {got[:8]}"


def _streams(seen: Observation) -> str:
    if "to stderr" not in seen.stderr.decode("utf-8", "replace"):
        return "what the guest writes to stderr is not there"
    return _stdout(bytes(range(256)))(seen)


def _clock(seen: Observation) -> str:
    text = seen.stdout.strip()
    late = abs(int(text) - time.time()) if text.isdigit() else None
    return "" if late is not None and late < 60 else f"the wall clock should be that of the host: {text[:40]!r}"


def _copied(seen: Observation) -> str:
    content = dict(seen.contents).get("/data/copy.txt")
    return "" if content == b"seed\n" else f"the guest's file should be there with its content: {content!r}"


def _refused(seen: Observation) -> str:
    content = dict(seen.contents).get("/data/copy.txt")
    if content is not None:
        return "a file was written in a read-only directory"
    said = "/data/copy.txt" in seen.stderr.decode("utf-8", "replace")
    return "" if said and seen.outcome.ending is Ending.EXITED else f"only the writing should fail: {seen.outcome}"


def _answered(seen: Observation) -> str:
    if seen.outcome.ending is not Ending.EXITED:
        return f"it should serve until it is ended: {seen.outcome}"
    data = b"".join(exchange.data for exchange in seen.wire)
    return "" if b" 200 " in data.split(b"\r\n", 1)[0] else f"a request should be answered with 200: {data[:80]!r}"


def _run(*args: str, **others: object) -> RunSpec:
    return replace(RunSpec(args=args, timeout=SECONDS), **others)  # type: ignore[arg-type]


def _probes(runtime: Runtime, tree: Path) -> Iterator[Probe]:
    """Yields the probes of what the runtime declares."""
    can, module = runtime.can, not runtime.can.components
    if module or COMMAND in can.worlds:
        yield Probe("arguments", _run("arguments", "one", "two words", "ünï", "--flag", ""),
                    _ends(0, _stdout("[one]\n[two words]\n[ünï]\n[--flag]\n[]\n".encode())))  # fmt: skip
        if can.environment:
            yield Probe(
                "environment", _run("environment", env=(("A", "1"), ("GRÜSSE", "ä = b"))), _ends(0, _environment)
            )
        yield Probe("stdin", _run("stdin", stdin=b"first\nlast"), _ends(0, _stdout(b"first\nlast<end>\n")))
        yield Probe("stdout", _run("stdout"), _ends(0, _streams))
        for status in (0, 1, *((3, 200) if module else ())):  # a component's exit is ok or error
            yield Probe(f"exit {status}", _run("exit", str(status)), _ends(status))
        yield Probe("trap", _run("trap"), _is(Ending.TRAP))
        yield Probe("timeout", _run("timeout", timeout=0.5), _is(Ending.TIMEOUT), most_startup=ENDLESS)
        yield Probe("clock", _run("clock"), _ends(0, _clock))
        yield Probe("link error", _run(), _is(Ending.LINK_ERROR), guest="smoke-nowhere")
        yield Probe("malformed", _run(), _is(Ending.REJECTED, Ending.MALFORMED, Ending.INVALID), guest="")
        copy = ("copy", "/data/seed.txt", "/data/copy.txt")
        if can.directories:
            place = Directory("/data", tree)
            yield Probe("directory", _run(*copy, dirs=(place,)), _ends(0, _copied), files=("/data/copy.txt",))
        if can.read_only:
            place = Directory("/data", tree, read_only=True)
            yield Probe("read-only", _run(*copy, dirs=(place,)), _refused, files=("/data/copy.txt",))
    if PROXY in can.worlds:
        ask = Step(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        yield Probe("serve", _run(clients=(ClientSpec("client", (ask,)),)), _answered, guest="serve-minimal")


def there(fixtures: Path) -> bool:
    """Returns whether the guests of the smoke test are there."""
    return (fixtures / "built" / "smoke.wasm").is_file()


def smoke(
    runtime: Runtime, fixtures: Path, places: Places, jobs: int = 1, stop: Event | None = None
) -> tuple[Tried, ...]:
    """Runs the probes of a runtime, `jobs` at a time, until `stop` is set."""
    prepared, settings = Prepared(places), Settings(trace=False, jobs=1, stop=stop or Event())
    with tempfile.TemporaryDirectory(prefix="assay-smoke-") as folder, ThreadPoolExecutor(max_workers=jobs) as pool:
        tree = Path(folder).resolve() / "tree"
        tree.mkdir()
        (tree / "seed.txt").write_text("seed\n", encoding="utf-8")
        garbage = tree.parent / "garbage.wasm"
        garbage.write_bytes(b"\0asm" + (b"\x0d\0\1\0" if runtime.can.components else b"\1\0\0\0") + b"\xff\xff\xff")
        probes = list(_probes(runtime, tree))
        with ended_by_signals(settings.stop):
            tried = tuple(pool.map(lambda probe: _try(probe, runtime, fixtures, garbage, prepared, settings), probes))
        return (*tried, *_try_script(runtime, tree.parent, settings.stop))


def _try_script(runtime: Runtime, folder: Path, stop: Event) -> tuple[Tried, ...]:
    """Tries whether a runtime that runs scripts passes a right one, and fails a wrong one."""
    if not isinstance(runtime.adapter, ScriptAdapter | WholeScriptAdapter):
        return ()
    for value, wanted in ((7, "pass"), (8, "fail")):
        told = _scripted(runtime, folder, value, stop).commands[-1]
        if told.status != wanted:
            problem = f"`f` returns 7, so an assertion of {value} should {wanted}: {told.status} {told.message}"
            return (Tried("script", problem.rstrip(), dict(runtime.adapter.about.known).get("script", "")),)
    return (Tried("script"),)


def _scripted(runtime: Runtime, folder: Path, value: int, stop: Event) -> Observation:
    script = Script("script.wast", folder / "script.wast")
    script.path.write_text(_SCRIPT.format(value), encoding="utf-8")
    if not isinstance(runtime.adapter, ScriptAdapter):
        assert isinstance(runtime.adapter, WholeScriptAdapter)
        return run_whole(runtime.adapter.wast(runtime.peer, script.path), SECONDS, stop)
    (folder / "script.wasm").write_bytes(_MODULE)
    action = {"type": "invoke", "field": "f", "args": []}
    commands = (
        {"type": "module", "line": 1, "filename": "script.wasm", "module_type": "binary"},
        {"type": "assert_return", "line": 2, "action": action, "expected": [{"type": "i32", "value": str(value)}]},
    )
    (folder / "script.json").write_text(json.dumps({"source_filename": "script.wast", "commands": commands}))
    infos = tuple(
        CommandInfo(f"{item['line']} {item['type']}", int(str(item["line"])), str(item["type"]), False)
        for item in commands
    )
    return run_script(Converted(script, folder / "script.json", infos), runtime, SECONDS, stop)


def _try(
    probe: Probe, runtime: Runtime, fixtures: Path, garbage: Path, prepared: Prepared, settings: Settings
) -> Tried:
    known = dict(runtime.adapter.about.known).get(probe.name, "")
    module = not runtime.can.components and not probe.run.serve
    guest = fixtures / "built" / f"{probe.guest}{'-module' if module else ''}.wasm" if probe.guest else garbage
    files = tuple(FileExpectation(path, TextExpectation()) for path in probe.files)
    case = Case(f"smoke/{probe.name}", probe.name, guest, (), probe.run, Expect(files=files), (), garbage.parent)
    if module:
        case = replace(case, module=guest)
    seen = run_case(case, runtime, prepared, replace(settings, most_startup=probe.most_startup))
    if isinstance(seen, NotRun):
        return Tried(probe.name, seen.reason, known)
    problem = probe.wrong(seen)
    if problem and seen.outcome.ending is not Ending.EXITED and (words := last_line(seen.stderr)):
        problem += f"; on stderr: {words}"
    return Tried(probe.name, problem, known if problem else "")


# --- kept results ---------------------------------------------------------------------------------


def every(runtimes: Sequence[Runtime], fixtures: Path, places: Places, jobs: int = 2) -> Iterator[tuple[Tried, ...]]:
    """Yields what the smoke test of each runtime says, in their order. `jobs` of them are tested at once."""
    stop = Event()
    with ThreadPoolExecutor(max_workers=jobs) as pool, ended_by_signals(stop):
        yield from pool.map(lambda runtime: _kept(runtime, fixtures, places, stop), runtimes)


def _kept(runtime: Runtime, fixtures: Path, places: Places, stop: Event) -> tuple[Tried, ...]:
    """Returns what a smoke test says, from the cache where the same runtime passed with the same adapter."""
    path = places.cache / "smoke" / f"{_key(runtime, fixtures)}.json"
    if path.is_file():
        return tuple(Tried(*item) for item in json.loads(path.read_text(encoding="utf-8")))
    tried = smoke(runtime, fixtures, places, stop=stop)
    if not stop.is_set() and not any(item.bad for item in tried):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([[item.name, item.problem, item.known] for item in tried]), encoding="utf-8")
    return tried


def _key(runtime: Runtime, fixtures: Path) -> str:
    """Returns a digest of all that a smoke test depends on. Where the project is, is nothing that it depends on."""
    peer = replace(runtime.peer, program=())
    digest = hashlib.sha256(repr((peer, runtime.adapter)).encode())
    for word in runtime.peer.program:
        place = Path(word)
        digest.update(_content(place) if place.is_absolute() else place.name.encode())
    beside = Path(inspect.getfile(type(runtime.adapter))).parent  # its drivers and base classes are beside it, or ours
    sources = {*Path(about.__file__).parent.rglob("*"), *beside.glob("*"), Path(__file__)}
    ours = sorted((path.name, path) for path in sources if path.suffix in (".py", ".mjs", ".java", ".toml"))
    for path in (*sorted((fixtures / "built").glob("smoke*.wasm")), *(path for _, path in ours)):
        digest.update(path.name.encode() + _content(path))
    return digest.hexdigest()[:32]


def _content(path: Path) -> bytes:
    """Returns the digest of a file's content, or of nothing where it is no file."""
    if not path.is_file():
        return b""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _digest(path: Path, _size: int, _time: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
