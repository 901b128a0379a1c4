"""Built programs from elsewhere as a suite: folders with a manifest.json, and JSON files with what each
program must do.

In: a folder with the layout of wasi-testsuite, the preview1 command adapter,
suites/expectations/testsuite.toml. Out: cases, and what the programs did on each runtime. wasm-tools makes
components of programs of preview 1. The JSON files are used unchanged.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..judge.expect import Known, read_tables
from ..judge.expect_programs import ProgramExpectations
from ..model import Case, Directory, Expect, Kind, NotRun, Observation, RunSpec, TextExpectation, Verdict
from ..record import Group, SuiteInfo
from ..run.runner import Prepared, Settings, run_case
from ..runtimes import Places, Runtime
from .suite import Suite

ADAPTER = Path("node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm")
TIMEOUT = 30.0
RUNS = ("wasm32-wasip1", "wasm32-wasip2")

_OLD = {"args", "root", "env", "exit_code", "stderr", "stdout", "dirs"}
_NEW = {"operations", "proposals", "world", "servers"}


@dataclass(frozen=True)
class Program:
    """A program with its name below the suite's folder (`rust/wasm32-wasip1/NAME`) and the content of its
    JSON file."""

    name: str
    path: Path
    version: str
    run: RunSpec = field(default_factory=RunSpec)
    expect: Expect = field(default_factory=Expect)
    problem: str = ""  # why it cannot be run here

    @property
    def group(self) -> str:
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class ProgramOptions:
    """The places of the programs and of what they need."""

    folder: Path
    name: str
    adapter: Path
    """The preview1 command adapter."""
    tool: Path
    """wasm-tools."""
    cache: Path
    expectations: Path


class Programs(Suite):
    """The suite of programs. `reference` is the runtime that the expectations are about."""

    def __init__(self, options: ProgramOptions, reference: str, places: Places) -> None:
        self.options, self.reference = options, reference
        self._prepared = Prepared(places)
        self._programs: dict[str, Program] = {}
        self._components: dict[str, Path | str] = {}

    def discover(self) -> tuple[Case, ...]:
        self._programs = self._programs or {item.name: item for item in find(self.options.folder)}
        return tuple(case_of(item) for item in self._programs.values() if not item.problem)

    def expectations(self) -> ProgramExpectations:
        path = self.options.expectations
        return ProgramExpectations({self.reference: tuple(read_tables(path))}, lambda _: str(path))

    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        names = [case.id for case in cases]
        adapter, tool, cache = self.options.adapter, self.options.tool, self.options.cache
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            made = pool.map(lambda name: adapt(self._programs[name], adapter, tool, cache), names)
            self._components = dict(zip(names, made, strict=True))
        self._announced = self.expectations()

    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        component = case.component if runtime.modules else self._components[case.id]
        if isinstance(component, str):
            return NotRun(component, Verdict.ERROR)
        seen = run_case(replace(case, component=component), runtime, self._prepared, settings)
        known = self._announced.known(runtime.name, case.id)
        if known is None or not known.lacks or isinstance(seen, NotRun):
            return seen
        data = component.read_bytes()
        return replace(seen, named=tuple(name for name in known.lacks if name.encode() in data))

    @property
    def info(self) -> SuiteInfo:
        adapter = self.options.adapter
        digest = hashlib.sha256(adapter.read_bytes()).hexdigest()
        return SuiteInfo(
            self.options.name,
            Kind.PROGRAM,
            f"{adapter.name}, SHA-256 {digest}",
            unsupported=unsupported(self._programs.values()),
        )

    def known(self) -> Known:
        return dict.fromkeys(self._programs)


def columns_of(runtime: Runtime, *, core: bool) -> tuple[Runtime, ...]:
    """Returns the columns of a runtime: for components, and for the core modules of preview 1."""
    modules = (module_runtime(runtime),) if core and runtime.can.modules else ()
    return (*((runtime,) if runtime.can.components else ()), *modules)


def module_runtime(runtime: Runtime) -> Runtime:
    """Returns the same runtime as another column, which runs the programs of preview 1 without an adapter
    module."""
    return Runtime(runtime.adapter, replace(runtime.peer, name=f"{runtime.name} (core modules)"), modules=True)


# --- finding --------------------------------------------------------------------------------------


def find(folder: Path) -> tuple[Program, ...]:
    """Returns every program below a folder."""
    programs = []
    for manifest in sorted(folder.rglob("manifest.json")):
        try:
            version = str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
        except (ValueError, KeyError, TypeError):
            version = manifest.parent.name
        for path in sorted(manifest.parent.glob("*.wasm")):
            parts = [part for part in path.relative_to(folder).parts[:-1] if part != "testsuite"]
            programs.append(_program("/".join([*parts, path.stem]), path, version))
    return tuple(programs)


def _program(name: str, path: Path, version: str) -> Program:
    if version not in RUNS:
        return Program(name, path, version, problem=f"programs for {version} are not run: only WASI 0.1 and 0.2 are")
    file = path.with_suffix(".json")
    try:
        raw = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        run, expect = specification(raw, path.parent)
    except (ValueError, TypeError, AttributeError) as error:
        return Program(name, path, version, problem=f"{file.name}: {error}")
    return Program(name, path, version, run, expect)


def specification(raw: Mapping[str, object], folder: Path) -> tuple[RunSpec, Expect]:
    """Reads a program's JSON file: the older form with six keys, or a list of operations on one process."""
    unknown = set(raw) - _OLD - _NEW
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    if set(raw) & _NEW:
        if set(raw) & _OLD:
            raise ValueError("two forms in one file")
        return _operations(raw, folder)
    stdout, stderr = raw.get("stdout"), raw.get("stderr")
    roots = [raw["root"]] if raw.get("root") is not None else []
    return (
        _run_spec(raw, folder, [*roots, *_strings(raw.get("dirs"), "dirs")]),
        Expect(exit=_number(raw.get("exit_code", 0)), stdout=_text(stdout), stderr=_text(stderr)),
    )


def _operations(raw: Mapping[str, object], folder: Path) -> tuple[RunSpec, Expect]:
    if raw.get("proposals") or raw.get("servers") or raw.get("world", "wasi:cli/command") != "wasi:cli/command":
        raise ValueError("needs proposals, servers or another world")
    run, status, stdin = RunSpec(timeout=TIMEOUT), 0, ""
    outputs: dict[str, str] = {}
    operations = raw.get("operations")
    for operation in operations if isinstance(operations, list) else []:
        kind = operation.get("type")
        if kind == "run":
            run = _run_spec(operation, folder, [operation["root"]] if operation.get("root") is not None else [])
        elif kind == "wait":
            status = _number(operation.get("exit_code", 0))
        elif kind == "write" and operation.get("id", "stdin") == "stdin":
            stdin += str(operation.get("payload", ""))
        elif kind == "read" and operation.get("id", "stdout") in ("stdout", "stderr"):
            name = str(operation.get("id", "stdout"))
            outputs[name] = outputs.get(name, "") + str(operation.get("payload", ""))
        else:
            raise ValueError(f"operation {kind} needs more than a process")
    made = RunSpec(run.args, run.env, stdin.encode(), run.dirs, timeout=TIMEOUT)
    return made, Expect(exit=status, stdout=_text(outputs.get("stdout")), stderr=_text(outputs.get("stderr")))


def _run_spec(raw: Mapping[str, object], folder: Path, roots: Sequence[object]) -> RunSpec:
    env = raw.get("env") or {}
    if not isinstance(env, dict):
        raise ValueError("env is no object")
    if len(roots) > 1:
        raise ValueError("more than one directory")
    dirs = []
    for root in roots:
        source = folder / str(root)
        if not source.is_dir():
            raise ValueError(f"there is no directory {root}")
        dirs.append(Directory("/", source))
    variables = tuple((str(key), str(value)) for key, value in env.items())
    return RunSpec(tuple(_strings(raw.get("args"), "args")), variables, b"", tuple(dirs), timeout=TIMEOUT)


def _strings(value: object, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{name} is no list of strings")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"exit_code is {value!r}")
    return value


def _text(value: object) -> TextExpectation:
    return TextExpectation() if value is None else TextExpectation(exact=str(value).encode())


def unsupported(programs: Iterable[Program]) -> tuple[Group, ...]:
    """Groups the programs that are not run by folder and reason."""
    counts: dict[tuple[str, str], int] = {}
    for program in programs:
        if program.problem:
            key = (program.group, program.problem)
            counts[key] = counts.get(key, 0) + 1
    return tuple(Group(group, number, reason) for (group, reason), number in counts.items())


# --- making components ----------------------------------------------------------------------------


def adapt(program: Program, adapter: Path, tool: Path, cache: Path) -> Path | str:
    """Returns the component of a program, from the cache if it was made before, or why none can be made."""
    if program.version != "wasm32-wasip1":
        return program.path
    digest = hashlib.sha256(adapter.read_bytes() + program.path.read_bytes()).hexdigest()
    target = cache / digest[:2] / digest / program.path.name
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / "out.wasm"
        argv = [str(tool), "component", "new", str(program.path), "--adapt", f"wasi_snapshot_preview1={adapter}"]
        done = subprocess.run(
            [*argv, "-o", str(fresh)], capture_output=True, timeout=120, check=False, stdin=subprocess.DEVNULL
        )
        if done.returncode != 0 or not fresh.is_file():
            words = done.stderr.decode("utf-8", "backslashreplace").strip().splitlines()
            return f"no component can be made of it: {words[0] if words else 'wasm-tools failed'}"
        fresh.replace(target)
    return target


def case_of(program: Program) -> Case:
    return Case(
        program.name, program.name, program.path, (), program.run, program.expect, (), program.path.parent,
        kind=Kind.PROGRAM,
    )  # fmt: skip
