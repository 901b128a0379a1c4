#!/usr/bin/env python3
"""Lines and branches of runtime/ that the tests reach, by room and by file.

Usage: ci/coverage_of_runtime.py [--report] [STEP...]      (steps: build c outside wast p2 inject; --report: only the tables)
In: clang with its profile runtime, llvm-profdata and llvm-cov of the same version. Out: build-cov/ (a build of its own, with
profiles that survive a killed process), build-cov/html/index.html, tables on stdout. Exit status 1: a file that
runtime/tests/COVERAGE.md does not list is below the bounds, a function that it does not list never ran, or the whole is below
the bounds; 2: a tool is missing, or wrong usage.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-cov"
VENV = ROOT / ".venv/bin"
PAGE = ROOT / "runtime/tests/COVERAGE.md"
LINES, BRANCHES = 90.0, 80.0
"""The bounds, in percent, of the whole."""
JOBS = os.environ.get("JOBS", "2")
PROFILES = BUILD / "profiles/%c%m.profraw"
# Counters are in a file that is mapped: a process that is killed, or that may open no file any more, loses none. Its name is in the
# programs, for those that are started without an environment.
CFLAGS = f"-fprofile-instr-generate={PROFILES} -fcoverage-mapping -mllvm -runtime-counter-relocation"
WAST = ("", "--checked", "--engine compiled-at-once", "--engine compiled-at-once --checked", "--interruptible --deterministic")
LONG = ("test_soak", "test_inject", "test_install", "test_every_byte")  # they measure, or use builds of their own


@dataclass(frozen=True)
class Part:
    """Numbers of lines and branches, and how many of them ran."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    def __add__(self, other: Part) -> Part:
        return Part(self.lines + other.lines, self.lines_run + other.lines_run, self.branches + other.branches, self.branches_run + other.branches_run)

    @property
    def line_part(self) -> float:
        return 100.0 * self.lines_run / self.lines if self.lines else 100.0

    @property
    def branch_part(self) -> float:
        return 100.0 * self.branches_run / self.branches if self.branches else 100.0

    @property
    def low(self) -> bool:
        return self.line_part < LINES or self.branch_part < BRANCHES


def tool(name: str) -> str:
    """A program of LLVM, of the version of the compiler if there is one."""
    for found in (f"{name}-22", f"{name}-21", f"{name}-20", f"{name}-19", name):
        if shutil.which(found):
            return found
    sys.exit(f"coverage: there is no {name} (Debian: apt-get install llvm-19)")


def run(*argv: str | Path, env: dict[str, str] | None = None, log: str) -> int:
    """Runs a command with its output in build-cov/log. A test that fails is reported, and the run goes on."""
    (BUILD / "log").mkdir(parents=True, exist_ok=True)
    with (BUILD / f"log/{log}.log").open("a") as file:
        file.write(f"$ {' '.join(map(str, argv))}\n")
        file.flush()
        done = subprocess.run([str(a) for a in argv], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, "PATH": f"{VENV}:{os.environ.get('PATH', '')}", "BUILD": BUILD.name, **profile(), **(env or {})})  # fmt: skip
    if done.returncode != 0:
        print(f"coverage: {log}: {Path(str(argv[0])).name} ended with {done.returncode} (build-cov/log/{log}.log)", flush=True)
    return done.returncode


def profile() -> dict[str, str]:
    return {"LLVM_PROFILE_FILE": str(PROFILES), "CFLAGS": CFLAGS, "LDFLAGS": f"-fprofile-instr-generate={PROFILES}",
            "TOUCHSTONE_SERVE": str(BUILD / "touchstone")}  # fmt: skip


def build() -> None:
    shutil.rmtree(BUILD / "profiles", ignore_errors=True)
    if run("make", "--no-print-directory", f"-j{JOBS}", "all", "tests", "examples", log="build"):
        sys.exit("coverage: the build failed")


def c_tests() -> None:
    env = {"TOUCHSTONE_FIXTURES": str(ROOT / "fixtures"), "TOUCHSTONE": str(BUILD / "touchstone")}
    for program in sorted((BUILD / "tests").glob("test_*")):
        run("timeout", "300", program, env=env, log="c")
    for program in sorted((BUILD / "examples").glob("*")):
        run("timeout", "60", program, ROOT / "fixtures/built/hello.wasm", log="c")


def outside() -> None:
    left_out = [f"--ignore=runtime/tests/outside/{name}.py" for name in LONG]
    run(VENV / "python", "-m", "pytest", "-c", "harness/pyproject.toml", "--rootdir", ".", "-n", JOBS, *left_out, "runtime/tests/outside", log="outside")


def program(options: str = "") -> Path:
    """The command with more options, whatever environment it is started in."""
    made = BUILD / "touchstone-measured"
    made.write_text(f'#!/bin/sh\nLLVM_PROFILE_FILE="{profile()["LLVM_PROFILE_FILE"]}" exec "{BUILD / "touchstone"}" "$@" {options}\n')
    made.chmod(0o755)
    return made


def scripts() -> None:
    for options in WAST:
        run(VENV / "assay", "wast", "-j", JOBS, "--touchstone", program(options), "--output", BUILD / "wast", log="wast")


def cases() -> None:
    run(VENV / "assay", "run", "-j", JOBS, "-r", "touchstone", "--program", f"touchstone={program()}", "--output", BUILD / "p2", log="p2")


def injections() -> None:
    """A sample of the calls that fail, on this build instead of the sanitized one."""
    names = "run,record,replay,cache-cold,cache-warm,policy,papers,module,inspect,compiled,serve,serve-compiled"
    run(VENV / "python", "runtime/tests/inject/inject.py", "--jobs", JOBS, "--sample", "130", "--only", names,
        env={"TOUCHSTONE_INJECT": str(BUILD / "touchstone-inject")}, log="inject")  # fmt: skip


STEPS: dict[str, Callable[[], None]] = {"build": build, "c": c_tests, "outside": outside, "wast": scripts, "p2": cases, "inject": injections}


def relative(path: str) -> str:
    return re.sub(r".*?(?=runtime/)", "", path)


def never_run(functions: Iterable[dict[str, Any]]) -> dict[tuple[str, str], int]:
    """The functions of the runtime that no test reaches, by file and name, with their lines. One in a header counts once."""
    runs: Counter[tuple[str, str]] = Counter()
    lines: dict[tuple[str, str], int] = {}
    for function in functions:
        key = relative(function["filenames"][0]), function["name"].rpartition(":")[2]
        runs[key] += function["count"]
        first, _, last, *_ = function["regions"][0]
        lines[key] = last - first + 1
    return {key: lines[key] for key in sorted(lines) if runs[key] == 0 and key[0].startswith("runtime/")}


def excused_functions(page: Path = PAGE) -> list[tuple[str, str, str]]:
    """The rows of the page about functions: pattern, file, reason."""
    return re.findall(r"^\| `([^`/]+)` \| `(runtime/[^`]+)` \|(?:.*\|)? ([^|]+) \|$", page.read_text(encoding="utf-8"), re.M) if page.exists() else []


def unlisted(never: Iterable[tuple[str, str]], rows: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Those of the functions that no row is about."""
    return [(file, name) for file, name in never if not any(file == of and fnmatchcase(name, pattern) for pattern, of, _ in rows)]


def exported() -> dict[str, Any]:
    """What llvm-cov says, after the profiles have been merged."""
    profiles, data = sorted((BUILD / "profiles").glob("*.profraw")), BUILD / "all.profdata"
    if not profiles:
        sys.exit("coverage: there are no profiles: run the steps first")
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "--failure-mode=all", "-o", data, *profiles], cwd=ROOT, check=True)
    what = [str(BUILD / "libtouchstone.so"), f"-object={BUILD / 'touchstone'}", f"-instr-profile={data}", r"-ignore-filename-regex=runtime/(tests|fuzz|examples)/|build"]
    done = subprocess.run([tool("llvm-cov"), "export", *what], cwd=ROOT, capture_output=True, text=True, check=True)
    subprocess.run([tool("llvm-cov"), "show", "-format=html", "-show-branches=count", f"-output-dir={BUILD / 'html'}", *what], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)["data"][0]
    return found


def measured(files: Iterable[dict[str, Any]]) -> dict[str, Part]:
    """By file, relative to the repository."""
    found = {}
    for file in files:
        lines, branches = file["summary"]["lines"], file["summary"]["branches"]
        name = relative(file["filename"])
        if not name.startswith("runtime/") or not lines["count"]:  # sources of libraries; headers without code
            continue
        found[name] = Part(lines["count"], lines["covered"], branches["count"], branches["covered"])
    return found


def room(name: str) -> str:
    """runtime/core/run/exec.c: core/run; runtime/base/map.c: base."""
    return "/".join(name.split("/")[1:-1])


def excused(page: Path = PAGE) -> dict[str, str]:
    """The files and folders that the page lists, with the reasons."""
    rows = re.findall(r"^\| `(runtime/[^`]+)` \|(?:.*\|)? ([^|]+) \|$", page.read_text(encoding="utf-8"), re.M) if page.exists() else []
    return dict(rows)


def table(title: str, rows: Iterable[tuple[str, Part]]) -> None:
    print(f"\n{title:42} {'lines':>8} {'run':>8} {'%':>6} {'branches':>9} {'run':>8} {'%':>6}")
    for name, p in rows:
        print(f"{name:42} {p.lines:8} {p.lines_run:8} {p.line_part:6.1f} {p.branches:9} {p.branches_run:8} {p.branch_part:6.1f}")


def main() -> int:
    words = [a for a in sys.argv[1:] if a != "--report"]
    if any(w not in STEPS for w in words):
        print(__doc__)
        return 2
    tool("llvm-cov")
    if "--report" not in sys.argv[1:]:
        for name in words or STEPS:
            print(f"coverage: {name}", flush=True)
            STEPS[name]()
    said = exported()
    files, never = measured(said["files"]), never_run(said["functions"])
    rooms: dict[str, Part] = {}
    for name, part in files.items():
        rooms[room(name)] = rooms.get(room(name), Part()) + part
    total = sum(files.values(), Part())
    low = {name: part for name, part in sorted(files.items()) if part.low}
    table("room", [*sorted(rooms.items()), ("all", total)])
    table(f"below {LINES:.0f} % of lines or {BRANCHES:.0f} % of branches", low.items())
    print(f"\ncoverage: {total.line_part:.1f} % of lines, {total.branch_part:.1f} % of branches; build-cov/html/index.html")
    print(f"coverage: {len(never)} of {len({(f['filenames'][0], f['name']) for f in said['functions']})} functions never ran:")
    for (file, function), lines in never.items():
        print(f"  {file} {function} {lines}")
    known = excused()
    listed = tuple(known)
    red = [f"{name} is below the bounds, and {PAGE.relative_to(ROOT)} does not list it" for name in low if not name.startswith(listed or ("-",))]
    red += [f"{function} of {file} never ran, and {PAGE.relative_to(ROOT)} does not list it" for file, function in unlisted(never, excused_functions())]
    if total.low:
        red.append("the whole is below the bounds")
    for line in red:
        print(f"coverage: {line}")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main())
