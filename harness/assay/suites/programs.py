"""Foreign suites of built programs, laid out as wasi-testsuite is: folders with a manifest.json, programs, and their expectations beside them.

In: a folder, the preview1 command adapter, suites/expectations/testsuite.toml. Out: cases for `runner`, a `SuiteReport`. Programs of
preview 1 are made components by wasm-tools; each JSON file is honoured as it stands. A failure is known only where its entry says why
and what the trace of the host calls must show for it. Files are touched by `find`, `adapt`, `load_known`, `write` and `read` only.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..judge.expect import ExpectationError, read_tables
from ..model import Case, CaseResult, Directory, Expect, RunSpec, TextExpectation, Verdict

SCHEMA = "assay-testsuite/1"
ADAPTER = Path("node_modules/@bytecodealliance/jco/lib/wasi_snapshot_preview1.command.wasm")
TIMEOUT = 30.0
RUNS = ("wasm32-wasip1", "wasm32-wasip2")
CORE = "wasmtime (core modules)"
"""The column of a runtime that takes the same programs of preview 1 as they are, without the adapter."""

_OLD = {"args", "root", "env", "exit_code", "stderr", "stdout", "dirs"}
_NEW = {"operations", "proposals", "world", "servers"}


@dataclass(frozen=True)
class Program:
    """A program, its name below the suite's folder (`rust/wasm32-wasip1/NAME`), and what its JSON file asks for."""

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
class Known:
    """An announced failure on touchstone: why, what the trace must show (each pattern), what the component must not import."""

    reason: str
    shows: tuple[str, ...]
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProgramResult:
    program: str
    verdict: str
    detail: str = ""
    reason: str = ""  # of the entry that announces it
    unexpected: bool = False


@dataclass(frozen=True)
class RuntimeReport:
    runtime: str
    version: str
    total: int
    passed: int
    not_passed: tuple[ProgramResult, ...]

    @property
    def known(self) -> int:
        return sum(bool(item.reason) and not item.unexpected for item in self.not_passed)

    @property
    def unexpected(self) -> int:
        return sum(item.unexpected for item in self.not_passed)


@dataclass(frozen=True)
class Group:
    """Programs that are not run here, and why."""

    name: str
    programs: int
    reason: str


@dataclass(frozen=True)
class SuiteReport:
    suite: str
    programs: int
    adapter: str
    unsupported: tuple[Group, ...]
    runtimes: tuple[RuntimeReport, ...]
    stale: tuple[str, ...] = ()
    made: str = ""  # when
    runs: tuple[CaseResult, ...] = field(default=(), repr=False, compare=False)


# --- finding ---------------------------------------------------------------------------------------------------------


def find(folder: Path) -> tuple[Program, ...]:
    """Every program below a folder, with its expectations."""
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
    """A program's JSON file: the older form of six keys, or a list of operations of which a process alone can do."""
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
    """The programs that are not run, by folder and reason."""
    counts: dict[tuple[str, str], int] = {}
    for program in programs:
        if program.problem:
            key = (program.group, program.problem)
            counts[key] = counts.get(key, 0) + 1
    return tuple(Group(group, number, reason) for (group, reason), number in counts.items())


# --- making components -----------------------------------------------------------------------------------------------


def adapt(program: Program, adapter: Path, tool: Path, cache: Path) -> Path | str:
    """The component of a program (itself when it is one), from the cache when it was made before; or why there is none."""
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


def case_of(program: Program, component: Path, suite: str) -> Case:
    return Case(
        f"{suite}/{program.name}", program.name, component, (), program.run, program.expect, (), program.path.parent
    )


# --- judging (pure) --------------------------------------------------------------------------------------------------


def judge(result: CaseResult, program: str, known: Known | None, component: bytes) -> ProgramResult | None:
    """What did not pass, or passed and was announced not to; None for an ordinary pass."""
    unit = result.units[0]
    if result.verdict is Verdict.PASS:
        return (
            None if known is None else ProgramResult(program, "PASS", "passes; announced to fail", known.reason, True)
        )
    if known is None:
        return ProgramResult(program, result.verdict.value, unit.detail)
    unshown = [pattern for pattern in known.shows if not re.search(pattern, result.observation.trace, re.MULTILINE)]
    if unshown:
        return ProgramResult(
            program, result.verdict.value, f"the trace does not show {unshown[0]!r}", known.reason, True
        )
    present = [name for name in known.lacks if name.encode() in component]
    if present:
        return ProgramResult(program, result.verdict.value, f"the component names {present[0]}", known.reason, True)
    return ProgramResult(program, result.verdict.value, unit.detail, known.reason)


def runtime_report(runtime: str, version: str, total: int, items: Iterable[ProgramResult | None]) -> RuntimeReport:
    bad = tuple(item for item in items if item is not None)
    return RuntimeReport(runtime, version, total, total - sum(item.verdict != "PASS" for item in bad), bad)


def gated(report: RuntimeReport) -> RuntimeReport:
    """For the runtime that is to pass: what no entry announces is unexpected."""
    items = tuple(
        ProgramResult(item.program, item.verdict, item.detail, item.reason, item.unexpected or not item.reason)
        for item in report.not_passed
    )
    return RuntimeReport(report.runtime, report.version, report.total, report.passed, items)


def load_known(path: Path) -> dict[str, Known]:
    """suites/expectations/testsuite.toml, by program."""
    known: dict[str, Known] = {}
    for item in read_tables(path):
        if not {"program", "reason", "shows"} <= set(item) <= {"program", "reason", "shows", "lacks"}:
            raise ExpectationError(f"{path}: an entry has program, reason, shows and perhaps lacks: {sorted(item)}")
        name, shows = str(item["program"]), item["shows"]
        if not str(item["reason"]).strip() or not isinstance(shows, list) or not shows:
            raise ExpectationError(f"{path}: {name}: needs a reason and what the trace shows")
        if name in known:
            raise ExpectationError(f"{path}: {name} is listed twice")
        try:
            for pattern in shows:
                re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ExpectationError(f"{path}: {name}: {error}") from None
        known[name] = Known(str(item["reason"]), tuple(shows), tuple(item.get("lacks", ())))
    return known


# --- the summary file ------------------------------------------------------------------------------------------------


def write(report: SuiteReport, path: Path) -> None:
    raw = asdict(
        SuiteReport(
            report.suite,
            report.programs,
            report.adapter,
            report.unsupported,
            report.runtimes,
            report.stale,
            report.made,
        )
    )
    raw.pop("runs")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": SCHEMA, **raw}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> SuiteReport | None:
    """The summary that `write` left; None when there is none that can be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("schema") != SCHEMA:
            return None
        runtimes = tuple(
            RuntimeReport(**{**item, "not_passed": tuple(ProgramResult(**bad) for bad in item["not_passed"])})
            for item in raw["runtimes"]
        )
        groups = tuple(Group(**item) for item in raw["unsupported"])
        return SuiteReport(
            raw["suite"], raw["programs"], raw["adapter"], groups, runtimes, tuple(raw["stale"]), raw.get("made", "")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
