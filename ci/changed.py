#!/usr/bin/env python3
"""Runs the tests that a change can have broken, nearest first, as many as fit into a minute.

Usage: ci/changed.py [--base COMMIT] [--plan] [--budget SECONDS] [FILE...]
In: the changed files: those that differ from the merge base with `main`, in commits or in the working tree, or FILE.
Out: what runs and why, the result of each step, and what is left out. Exit status 0 only if every step passed.

`plan` maps files to tests and is pure. It knows rooms (ci/check_includes.py has their arrows), the headers that C tests
include, the modules that tests of the harness import, and the WASI package that a file implements. The tables below
hold what cannot be seen from that.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import check_includes

ROOT = Path(__file__).resolve().parent.parent
BUILD = os.environ.get("BUILD", "build")
JOBS = int(os.environ.get("JOBS", "2"))
BUDGET = 55.0
"""Seconds for what runs after the build."""

# Steps are chosen by how near they are to the change.
ITSELF, NAMED, ROOM, BEYOND = range(4)
REASONS = ("changed, or about the changed file", "by the table of ci/changed.py, or of the same package", "of the same room", "of rooms that include it")

# Files of the repository, as a regular expression, and the tests in runtime/tests/outside that are about them.
OUTSIDE = (
    (r"runtime/component/(abi|type)/", "cabi_oracle fuzz_components invoke cves_components"),
    (r"runtime/component/binary/", "every_byte fuzz_components"),
    (r"runtime/tests/soak/|runtime/tests/outside/padded", "soak"),
    (r"runtime/tests/inject/", "inject"),
    (r"runtime/tests/outside/http_wire", "serve soak"),
    (r"runtime/component/run/trace", "trace inject"),
    (r"runtime/core/load/|runtime/sys/folder", "inject soak"),
    (r"runtime/(http/server|cli/serve)", "serve serve_hostile serve_grants soak cves_http"),
    (r"runtime/(http/client|http/[a-z]*\.|wasi/http)", "http_client http_outgoing http_bodyless http_whitespace http_forward"),
    (r"runtime/wasi/(http|sockets|grants)", "http_deny grants_syntax"),
    (r"runtime/(wasi/cli|wasi/io|sys/input|sys/pollset)", "std_streams"),
    (r"runtime/wasi/replay", "replay inject"),
    (r"runtime/wasi/(io|context|grants|policy)", "exhaustion"),
    (r"runtime/tests/outside/cves.tsv|SECURITY.md", "cves"),
    (r"runtime/(sys/(confine|filter|probe)|wasi/confine/|cli/confine)", "confine"),
    (r"runtime/(sys/(fs|proc_files)|wasi/(filesystem|disk))", "cves_paths"),
    (r"runtime/core/(module|run|native|code)/|suites/own/core/attack", "cves_core"),
    (r"runtime/(wasi/preview1|cli/module|tests/outside/preview1_guest)", "preview1 preview1_hostile"),
    (r"runtime/base/toml", "toml"),
    (r"runtime/sys/input|runtime/cli/program", "inputs"),
    (r"runtime/(wasi/policy|base/quantity|cli/option|cli/show_grants)", "grants_syntax command_words limits_and_usage serve_grants help"),
    (r"runtime/cli/(inspect|sizes)", "inspect_sizes"),
    (r"runtime/cli/(output|outcome)", "output command"),
    (r"runtime/cli/invoke", "invoke"),
    (r"runtime/cli/wast/", "scripts"),
    (r"runtime/cli/", "command"),
    (r"runtime/core/run/", "small_stack limits_and_usage"),
    (r"runtime/include/|runtime/examples/|make/install.mk|make/version.mk", "install"),
    (r"runtime/tests/oracle/cabi_probe", "cabi_oracle"),
    (r"runtime/tests/oracle/http_probe|runtime/tests/outside/http_servers", "http_client http_deny"),
    (r"runtime/tests/oracle/toml_probe", "toml"),
    (r"runtime/fuzz/(campaign|corpora|line_coverage|seeds|guests|dictionaries|regressions)", "fuzz_campaign fuzz_targets"),
    (r"runtime/fuzz/(run_call|diff_components|random_components|faults)", "fuzz_components fuzz_faults"),
    (r"runtime/fuzz/every_byte", "every_byte"),
    (r"make/gdb.py|\.gdbinit", "gdb"),
)
# … and the official scripts: a part of their name ("core/", "component-model/", "simd").
SCRIPTS = (
    (r"runtime/core/.*simd", "simd", NAMED),
    (r"runtime/core/.*/gc", "/struct /array /ref_cast /i31", NAMED),
    (r"runtime/core/.*/memory|runtime/sys/(pages|fault)", "/memory", NAMED),
    (r"runtime/core/.*/table", "/table", NAMED),
    (r"runtime/core/", "core/", ROOM),
    (r"runtime/component/", "component-model/", ROOM),
    (r"runtime/cli/wast/|harness/assay/suites/|suites/expectations/wast.toml", "component-model/ core/i32 core/names", NAMED),
    (r"suites/own/", "own/", ITSELF),
)
# … and the cases by package of WASI.
PACKAGES = (
    (r"runtime/wasi/(io|clocks|random|filesystem|sockets|http|cli)/", r"\1", NAMED),
    (r"runtime/wasi/wit/(io|clocks|random|filesystem|sockets|http|cli)\b", r"\1", NAMED),
    (r"runtime/sys/(fs|proc_files)", "filesystem", ROOM),
    (r"runtime/sys/(net|lookup|special_addr)", "sockets", ROOM),
    (r"runtime/sys/(clock|timer)", "clocks", ROOM),
    (r"runtime/sys/entropy", "random", ROOM),
    (r"runtime/sys/(pollset|input)", "io", ROOM),
    (r"runtime/http/", "http", ROOM),
    (r"runtime/wasi/(gen/|context|grants|wasi)", "cli io clocks random filesystem", ROOM),
    (r"runtime/(component|core|cli)/", "cli", BEYOND),
)
# Seconds on an idle machine, where no earlier run says (build/test-results). Anything else: DEFAULT of its kind.
SECONDS = {
    "outside/test_serve_real.py": 80.0, "outside/test_http_client.py": 60.0, "outside/test_grants_syntax.py": 25.0,
    "outside/test_every_byte.py": 25.0, "outside/test_soak.py": 40.0, "outside/test_inject.py": 60.0, "outside/test_serve_hostile.py": 20.0, "outside/test_fuzz_components.py": 20.0,
    "outside/test_serve.py": 15.0, "outside/test_install.py": 15.0, "outside/test_cabi_oracle.py": 20.0,
    "outside/test_toml.py": 12.0, "outside/test_cves_core.py": 40.0, "outside/test_cves_paths.py": 20.0,
    "outside/test_cves_components.py": 25.0, "outside/test_cves_http.py": 15.0, "outside/test_exhaustion.py": 8.0, "outside/test_scripts.py": 7.0,
    "test_sys_attack": 5.0, "test_dwarf": 4.0, "test_wasi_repeat": 4.0, "test_stack": 3.0, "test_http_server": 3.0,
    "core/": 20.0, "component-model/": 2.0, "simd": 4.0,
    "filesystem": 12.0, "sockets": 12.0, "http": 12.0, "io": 8.0, "clocks": 3.0, "random": 3.0, "cli": 4.0,
}  # fmt: skip
DEFAULT = {"c": 0.3, "pytest": 4.0, "wast": 1.0, "case": 1.0, "cases": 8.0, "check": 0.5}
# What `make test-changed` never runs.
NEVER = (
    "other builds (sanitizers, gcc, aarch64), the scripts in other forms of code, other runtimes, memcheck, fuzzing: make test"
)


@dataclass(frozen=True)
class Step:
    """One test that can be run by itself."""

    kind: str  # a key of DEFAULT
    name: str
    tier: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind:7} {self.name}"


@dataclass(frozen=True)
class Repository:
    """What `plan` knows of the repository."""

    c_tests: dict[str, frozenset[str]]  # runtime/tests/ROOM/test_X.c: the headers below runtime/ that it includes
    outside: frozenset[str]  # test_*.py in runtime/tests/outside
    harness: dict[str, frozenset[str]]  # harness/tests/test_X.py: the modules of assay that it imports
    tools: frozenset[str]  # ci/tests/test_*.py
    cases: dict[str, str]  # id of a case: its component
    checks: frozenset[str]  # ci/check_*.py
    seconds: dict[str, float] = field(default_factory=dict)  # of an earlier run


def cost(repository: Repository, kind: str, name: str) -> float:
    """Seconds that a step takes, as far as is known."""
    known = {**SECONDS, **repository.seconds}
    return known.get(name, known.get("/".join(name.split("/")[-2:]), DEFAULT[kind]))


def top(room: str) -> str:
    return room.split("/")[0]


def including(room: str) -> set[str]:
    """The top rooms whose files may include files of this room."""
    return {top(one) for one, may in check_includes.ROOMS.items() if room in may and top(one) != top(room)}


def c_steps(path: str, repository: Repository) -> Iterator[tuple[int, str]]:
    """C tests of a changed file below runtime/."""
    parts = path.removeprefix("runtime/").rsplit("/", 1)
    room, stem = parts[0] if len(parts) == 2 else "", re.sub(r"\.\w+$", "", path.removeprefix("runtime/"))
    nearest = including(room)
    for test, headers in repository.c_tests.items():
        of = test.split("/")[2]
        name = Path(test).stem
        if test == path or f"{stem}.h" in headers:
            yield ITSELF, name
        elif of == top(room) and not path.startswith("runtime/tests/"):
            yield ROOM, name
        elif of in nearest:
            yield BEYOND, name
    # data and headers of the tests themselves
    if path.startswith("runtime/tests/") and path.endswith((".h", ".wat")):
        yield from ((ITSELF, Path(test).stem) for test, headers in repository.c_tests.items() if f"{stem}.h" in headers)


def python_steps(path: str, repository: Repository) -> Iterator[tuple[int, str]]:
    """Tests of the command from outside, of the harness and of the tools."""
    if path.startswith("runtime/") and path.endswith((".c", ".h", ".def", ".wit", ".py")) and "/tests/" not in path:
        yield from ((BEYOND, f"runtime/tests/outside/{name}") for name in repository.outside)
    if path.startswith("runtime/cli/"):  # what the table does not name is about the command
        named = {f"test_{name}.py" for _, names in OUTSIDE for name in names.split()}
        yield from ((ROOM, f"runtime/tests/outside/{name}") for name in repository.outside - named)
    for pattern, names in OUTSIDE:
        if re.match(pattern, path):
            yield from ((NAMED, f"runtime/tests/outside/test_{name}.py") for name in names.split())
    everything = {f"runtime/tests/outside/{name}" for name in repository.outside} | set(repository.harness)
    everything |= {f"ci/tests/{name}" for name in repository.tools}
    if path in everything:
        yield ITSELF, path
    if match := re.fullmatch(r"harness/assay/(.*)\.py", path):
        module = match[1].replace("/", ".").removesuffix(".__init__")
        for test, imported in repository.harness.items():
            if module in imported or test.endswith(f"/test_{module.rpartition('.')[2]}.py"):
                yield ITSELF, test
            elif module.split(".")[0] in {name.split(".")[0] for name in imported}:
                yield NAMED, test
            else:
                yield ROOM, test
    elif path.startswith("harness/") and path not in repository.harness:  # fakes, templates, helpers of the tests
        yield from ((ROOM, test) for test in repository.harness)
    if path.startswith("ci/"):
        yield from ((ITSELF if name == f"test_{Path(path).name}" else ROOM, f"ci/tests/{name}") for name in repository.tools)


def case_steps(path: str, repository: Repository) -> Iterator[tuple[int, str, str]]:
    """Cases on touchstone: one by one where they changed, by package where the runtime did."""
    for case, component in repository.cases.items():
        built = Path(component).stem
        sources = (f"fixtures/built/{component}", *(f"fixtures/src/{d}/{built}.{x}" for d in ("p2", "http", "wat") for x in ("c", "wat")))
        if path.startswith(f"suites/{case}/") or path in sources:
            yield ITSELF, "case", case
    for pattern, packages, tier in PACKAGES:
        if match := re.match(pattern, path):
            yield from ((tier, "cases", package) for package in match.expand(packages).split())


def check_steps(path: str, repository: Repository) -> Iterator[tuple[int, str]]:
    """Checks of the structure; they are quick, so that all of them run for most changes."""
    code = path.startswith(("runtime/", "harness/", "ci/", "suites/", "fixtures/", "make/"))
    for check in repository.checks:
        if code or path == check or (check == "ci/check_docs.py" and path.endswith(".md")):
            yield ITSELF, check


def steps_of(path: str, repository: Repository) -> Iterator[tuple[int, str, str]]:
    """(tier, kind, name) of everything that a changed file concerns."""
    if path.startswith("runtime/"):
        yield from ((tier, "c", name) for tier, name in c_steps(path, repository))
    yield from ((tier, "pytest", name) for tier, name in python_steps(path, repository))
    yield from case_steps(path, repository)
    for pattern, scripts, tier in SCRIPTS:
        if re.match(pattern, path):
            yield from ((tier, "wast", script) for script in scripts.split())
    yield from ((tier, "check", name) for tier, name in check_steps(path, repository))


def plan(files: Iterable[str], repository: Repository, budget: float, jobs: int = 2) -> tuple[list[Step], list[Step]]:
    """What runs, nearest and quickest first, and what is left out because the budget is spent.

    Tests that changed themselves run whatever they take."""
    nearest: dict[tuple[str, str], int] = {}
    for path in files:
        for tier, kind, name in steps_of(path, repository):
            nearest[kind, name] = min(tier, nearest.get((kind, name), BEYOND))
    changed = set(files)
    steps = [Step(kind, name, tier, cost(repository, kind, name)) for (kind, name), tier in nearest.items()]
    run: list[Step] = []
    left: list[Step] = []
    spent = 0.0
    for step in sorted(steps, key=lambda s: (s.tier, s.seconds, s.kind, s.name)):
        spent += step.seconds / jobs
        must = step.name in changed or step.kind in ("check", "case")
        if must or spent <= budget:
            run.append(step)
        else:
            spent -= step.seconds / jobs
            left.append(step)
    return run, left


# --- the repository as it is -----------------------------------------------------------------------------------------
def tracked(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern))


def imports_of_assay(test: Path) -> frozenset[str]:
    """The modules of assay that a test imports: `judge` and `judge.expect` for `from assay.judge import expect`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "assay":
            module = (node.module or "").removeprefix("assay").removeprefix(".")
            found.update([module] if module else [])
            found.update(f"{module}.{alias.name}".removeprefix(".") for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update(alias.name.removeprefix("assay.") for alias in node.names if alias.name.startswith("assay."))
    return frozenset(found)


def earlier_seconds() -> dict[str, float]:
    """What an earlier run took: C programs and Python files, by JUnit files in build/test-results."""
    found: dict[str, float] = {}
    for file in (ROOT / BUILD / "test-results").glob("*.xml"):
        try:
            cases = list(ET.parse(file).iter("testcase"))
        except ET.ParseError:
            continue
        for case in cases:
            took = float(case.get("time") or 0)
            if file.name.startswith("test_"):
                name = re.sub(r"-[^-]*$", "", file.stem)
            else:
                name = (case.get("classname") or "").replace(".", "/") + ".py"
            found[name] = found.get(name, 0.0) + took
    return {name: max(seconds, 0.05) for name, seconds in found.items()}


def survey() -> Repository:
    """Reads what `plan` needs."""
    include = re.compile(r'#\s*include\s*"([^"]+)"')
    c_tests = {
        test.relative_to(ROOT).as_posix(): frozenset(include.findall(test.read_text(encoding="utf-8")))
        for test in tracked("runtime/tests/*/test_*.c")
    }
    component = re.compile(r'^component = "([^"]+)"', re.MULTILINE)
    cases = {}
    for file in tracked("suites/**/case.toml"):
        match = component.search(file.read_text(encoding="utf-8"))
        cases[file.parent.relative_to(ROOT / "suites").as_posix()] = match[1] if match else ""
    return Repository(
        c_tests,
        frozenset(test.name for test in tracked("runtime/tests/outside/test_*.py")),
        {test.relative_to(ROOT).as_posix(): imports_of_assay(test) for test in tracked("harness/tests/test_*.py")},
        frozenset(test.name for test in tracked("ci/tests/test_*.py")),
        cases,
        frozenset(check.relative_to(ROOT).as_posix() for check in tracked("ci/check_*.py")),
        earlier_seconds(),
    )


def git(*argv: str) -> list[str]:
    done = subprocess.run(["git", *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def changed_files(base: str) -> tuple[str, list[str]]:
    """The base, and the files that differ from it in commits, in the working tree, or by being new."""
    if not base:
        for name in ("main", "origin/main", "origin/HEAD"):
            if found := git("merge-base", "HEAD", name):
                base = found[0]
                break
    head = git("rev-parse", "HEAD")
    files = set(git("diff", "--name-only", base or "HEAD")) | set(git("ls-files", "--others", "--exclude-standard"))
    if not files and head and base in ("", head[0]):  # on main itself, with nothing at hand: the last commit
        base = "HEAD~1"
        files = set(git("diff", "--name-only", base))
    return base or "HEAD", sorted(files)


# --- running ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Command:
    """One process that runs a step, or several of one kind."""

    title: str
    argv: list[str]
    seconds: float  # as estimated; 0: it always runs
    env: dict[str, str] = field(default_factory=dict)


def commands(steps: list[Step], built: Path, files: list[str]) -> list[Command]:
    """The processes that run the steps, in their order; the scripts and the cases of one kind share one."""
    assay, python, touchstone = ".venv/bin/assay", ".venv/bin/python", str(built / "touchstone")
    pytest = [python, "-m", "pytest", "-c", "harness/pyproject.toml", "--rootdir", ".", "-q"]
    run = [assay, "run", "-r", "touchstone", "--gate", "touchstone", "-j", str(JOBS), "--program", f"touchstone={touchstone}"]
    env = {"TOUCHSTONE_FIXTURES": str(ROOT / "fixtures"), "TOUCHSTONE": touchstone}
    out: list[Command] = []
    if files:
        out.append(Command("style and types of the changed files", [sys.executable, "ci/lint.py", *files], 0))
    done: set[str] = set()
    for step in steps:
        of_kind = [s for s in steps if s.kind == step.kind]
        names = [s.name for s in of_kind]
        seconds = sum(s.seconds for s in of_kind) / JOBS
        if step.kind == "check":
            out.append(Command(step.name, [sys.executable, step.name], 0))
        elif step.kind == "c":
            out.append(Command(step.name, ["timeout", "300", str(built / "tests" / step.name)], step.seconds, env))
        elif step.kind == "pytest":
            out.append(Command(step.name, [*pytest, step.name], 0 if step.name in files else step.seconds))
        elif step.kind in done:
            continue
        elif step.kind == "wast":
            argv = [assay, "wast", "-j", str(JOBS), "--touchstone", touchstone, *names]
            out.append(Command(f"scripts: {' '.join(names)}", argv, seconds))
        elif step.kind == "case":
            out.append(Command(f"cases: {' '.join(names)}", [*run, "--output", str(built / "changed/cases"), *names], 0))
        elif step.kind == "cases":
            chosen = [word for package in names for word in ("--interface", f"wasi:{package}")]
            argv = [*run, "--output", str(built / "changed/packages"), *chosen]
            out.append(Command(f"cases of {' '.join(f'wasi:{p}' for p in names)}", argv, seconds))
        done.add(step.kind)
    return out


def run_one(command: Command, deadline: float) -> tuple[Command, int | None, float, str]:
    """The exit status, None if there is no time left for it, the time it took, and what it printed."""
    begin = time.monotonic()
    if command.seconds and begin + command.seconds > deadline:
        return command, None, 0.0, ""
    done = subprocess.run(command.argv, cwd=ROOT, env={**os.environ, **command.env}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False)  # fmt: skip
    status = 0 if "pytest" in command.argv and done.returncode == 5 else done.returncode  # 5: nothing was collected
    return command, status, time.monotonic() - begin, done.stdout


def build(steps: list[Step], files: list[str]) -> bool:
    """Builds the command and the C tests that are run."""
    makefiles = any(f == "Makefile" or f.startswith(("make/", "runtime/")) for f in files)
    if not makefiles and not any(step.kind in ("c", "pytest", "wast", "case", "cases") for step in steps):
        return True
    targets = ["all", *(f"{BUILD}/tests/{step.name}" for step in steps if step.kind == "c")]
    if any(step.name.startswith("runtime/tests/outside/") for step in steps):
        targets += [f"{BUILD}/{name}_probe" for name in ("cabi", "http", "toml")] + [f"{BUILD}/fuzz/run_call"]
    return subprocess.run(["make", "-s", "--no-print-directory", f"-j{JOBS}", f"BUILD={BUILD}", *targets], cwd=ROOT, check=False).returncode == 0


def show(run: list[Step], left: list[Step]) -> None:
    for tier, reason in enumerate(REASONS):
        names = [step for step in run if step.tier == tier]
        if names:
            print(f"{reason}:")
            for kind in DEFAULT:
                of_kind = [step.name.removeprefix("runtime/tests/") for step in names if step.kind == kind]
                if of_kind:
                    print(f"  {kind:7} {' '.join(of_kind)}")
    if left:
        print(f"left out, about {sum(step.seconds for step in left) / JOBS:.0f} s more (--budget, or BUDGET= with make):")
        for kind in DEFAULT:
            of_kind = [step.name.removeprefix("runtime/tests/") for step in left if step.kind == kind]
            if of_kind:
                print(f"  {kind:7} {' '.join(of_kind)}")
    print(f"never here: {NEVER}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="compare with this commit (default: the merge base with main)")
    parser.add_argument("--plan", action="store_true", help="only print what would run")
    parser.add_argument("--budget", type=float, default=BUDGET, help=f"seconds after the build ({BUDGET:.0f})")
    parser.add_argument("files", nargs="*", help="changed files, instead of asking git")
    wanted = parser.parse_args()
    base, files = ("the command line", wanted.files) if wanted.files else changed_files(wanted.base)
    if not files:
        print(f"test-changed: nothing differs from {base}")
        return 0
    print(f"test-changed: {len(files)} files differ from {base if wanted.files else base[:12]}")
    run, left = plan(files, survey(), wanted.budget, JOBS)
    show(run, left)
    if wanted.plan:
        return 0
    if not build(run, files):
        print("test-changed: the build failed")
        return 1
    begin = time.monotonic()
    ran = failed = 0
    late: list[str] = []
    with ThreadPoolExecutor(JOBS) as pool:
        work = commands(run, ROOT / BUILD, files)
        for command, status, seconds, output in pool.map(run_one, work, [begin + wanted.budget] * len(work)):
            if status is None:
                late.append(command.title)
                continue
            ran += 1
            print(f"  {'ok  ' if status == 0 else 'FAIL'} {seconds:6.1f} s  {command.title}", flush=True)
            if status != 0:
                failed += 1
                print("".join(f"   | {line}\n" for line in output.splitlines()[-25:]), end="")
    if late:
        print(f"left out, because this machine is slower than expected: {' '.join(late)}")
    print(f"test-changed: {ran} ran, {failed} failed, {time.monotonic() - begin:.0f} s after the build; "
          f"{len(left) + len(late)} left out")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
