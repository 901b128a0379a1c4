"""Built programs from elsewhere as a suite: folders with a manifest.json, and JSON files with what each
program must do.

In: programs (layout.py), the preview1 command adapter, suites/expectations/testsuite.toml. Out: cases, and what
the programs did on each runtime. wasm-tools makes components of programs of preview 1.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..judge.expect import Known, read_tables
from ..judge.expect_programs import ProgramExpectations
from ..model import Case, Kind, NotRun, Observation, Verdict
from ..record import Group, SuiteInfo
from ..run.runner import Prepared, Settings, run_case
from ..runtimes import Places, Runtime
from . import tables
from .layout import Lists, Program, find, lists
from .suite import Suite

ADAPTER = Path("node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm")


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
    table: Path | None = None
    """What the programs get and must do, where they have no JSON files: then the folder is without manifests."""
    fixtures: Path = Path()
    """The trees that a table may name."""
    own_lists: bool = True
    """Whether what the runner's own lists skip on a runtime that is not the reference is not run there."""


class Programs(Suite):
    """The suite of programs. `reference` is the runtime that the expectations are about."""

    def __init__(self, options: ProgramOptions, reference: str, places: Places) -> None:
        self.options, self.reference = options, reference
        self._prepared = Prepared(places)
        self._programs: dict[str, Program] = {}
        self._lists = Lists()
        self.listed = tables.Listed((), (), ())
        """What a table and the folder have of each other."""
        self._components: dict[str, Path | str] = {}

    def discover(self) -> tuple[Case, ...]:
        if not self._programs and self.options.table is not None:
            self.listed = tables.load(self.options.table, self.options.folder, self.options.fixtures)
            self._programs = {item.name: item for item in self.listed.programs}
        elif not self._programs:
            self._programs = {item.name: item for item in find(self.options.folder)}
            self._lists = lists(self.options.folder) if self.options.own_lists else Lists()
        return tuple(case_of(item) for item in self._programs.values() if not item.problem)

    def expectations(self) -> ProgramExpectations:
        path = self.options.expectations
        known = () if self.options.table is not None and not path.is_file() else tuple(read_tables(path))
        return ProgramExpectations({self.reference: known}, lambda _: str(path))

    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        names = [case.id for case in cases]
        adapter, tool, cache = self.options.adapter, self.options.tool, self.options.cache
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            made = pool.map(lambda name: adapt(self._programs[name], adapter, tool, cache), names)
            self._components = dict(zip(names, made, strict=True))
        self._announced = self.expectations()

    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        listed = "" if runtime.adapter.reference else self._lists.reason(runtime.adapter.name, self._programs[case.id])
        if listed:
            return NotRun(listed)
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
            absent=self.listed.missing,
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
        digest=program.digest, kind=Kind.PROGRAM,
    )  # fmt: skip
