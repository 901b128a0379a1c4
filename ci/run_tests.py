#!/usr/bin/env python3
"""Runs the project's suites, each as a step with its own log and count, and sums them up.

Usage: ci/run_tests.py STEP...     (see STEPS)
In: what `make` built. Out: build/log/STEP.log, build/summary.json (one object a suite: passed, failed, known, skipped), a table
on stdout whose last line is `N passed, N failed`. Exit status 0 only when every step passed and every one ran something.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import lint

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
LOG = BUILD / "log"
VENV = ROOT / ".venv/bin"
JOBS = os.environ.get("JOBS", "2")
PEERS = ("touchstone", "wasmtime", "wasmtime-py", "jco")  # of the runtimes that may be installed
CLANG = next((name for name in ("clang-22", "clang-21", "clang-20", "clang-19") if shutil.which(name)), "clang")
MUTANTS = 30  # faults of the sample


@dataclass
class Count:
    """The counts of a suite. `known`: failures announced in suites/expectations, neither passed nor failed."""

    suite: str
    passed: int = 0
    failed: int = 0
    known: int = 0
    skipped: int = 0
    seconds: float = 0.0
    problem: str = ""


def command(log: Path, *argv: str | Path, env: dict[str, str] | None = None) -> int:
    """Runs a command with its output in the log. Returns its exit status."""
    with log.open("a") as file:
        file.write(f"$ {' '.join(map(str, argv))}\n")
        file.flush()
        done = subprocess.run(
            [str(a) for a in argv],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": f"{VENV}:{os.environ.get('PATH', '')}", **(env or {})},
            check=False,
        )
        file.write(f"[exit status {done.returncode}]\n")
    return done.returncode


def from_junit(path: Path, count: Count) -> None:
    """Adds the cases of a JUnit file."""
    for case in ET.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1


def from_footer(path: Path, count: Count) -> None:
    """Adds the units of a record of the harness, which its last line counts."""
    if not path.exists():
        return
    last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    units = last.get("units", {})
    count.passed += units.get("passed", 0)
    count.failed += units.get("unexpected", 0)
    count.known += units.get("known", 0)
    count.skipped += units.get("skipped", 0)


def structure(count: Count, log: Path) -> None:
    """The checks of the structure, one test each."""
    checks = [[str(path.relative_to(ROOT))] for path in sorted(ROOT.glob("ci/check_*.py"))]
    for argv in (*checks, ["fixtures/build.py", "--check"]):
        if command(log, sys.executable, *argv) == 0:
            count.passed += 1
        else:
            count.failed += 1
            count.problem = f"{' '.join(argv)} found something"


def exports(build: Path, log: Path) -> str:
    """The shared library exports exactly what the public header declares. Returns the first violation, or ""."""
    header = (ROOT / "runtime/include/touchstone.h").read_text(encoding="utf-8")
    public = set(re.findall(r"^TS_API\b[^;(]*?\b(\w+)\(", header, re.MULTILINE))
    listing = subprocess.run(["nm", "-D", "--defined-only", build / "libtouchstone.so"], capture_output=True, text=True, check=False)
    # names that the sanitizers add begin with an underscore
    found = {line.split()[-1].split("@")[0] for line in listing.stdout.splitlines()}
    found = {name for name in found if not name.startswith("_")}
    wrong = [f"{name} is not exported" for name in sorted(public - found)]
    wrong += [f"{name} is exported and not public" for name in sorted(found - public)]
    with log.open("a") as file:
        file.write("".join(f"{line}\n" for line in wrong) + f"libtouchstone.so: {len(found)} functions, {len(public)} in touchstone.h\n")
    if listing.returncode != 0 or not public:
        return "libtouchstone.so cannot be read"
    return f"libtouchstone.so: {wrong[0]}" if wrong else ""


def c_tests(*make: str) -> Callable[[Count, Path], None]:
    """cmocka programs of one build, and the embedding examples."""

    def step(count: Count, log: Path) -> None:
        variables = dict(item.split("=", 1) for item in make)
        build = ROOT / variables.get("BUILD", BUILD.name)
        if command(log, "make", "--no-print-directory", f"-j{JOBS}", "all", "tests", "examples", *make) != 0:
            count.failed += 1
            count.problem = "the build failed"
            return
        if problem := exports(build, log):
            count.failed += 1
            count.problem = problem
        else:
            count.passed += 1
        results = build / "test-results"
        results.mkdir(exist_ok=True)
        env = {"TOUCHSTONE_FIXTURES": str(ROOT / "fixtures"), "TOUCHSTONE": str(build / "touchstone")}
        for program in sorted((build / "tests").glob("test_*")):
            xml = results / f"{program.name}.xml"
            xml.unlink(missing_ok=True)
            for stale in results.glob(f"{program.name}-*.xml"):
                stale.unlink()
            # %g: one file a group of tests
            made = {**env, "CMOCKA_MESSAGE_OUTPUT": "XML", "CMOCKA_XML_FILE": str(results / f"{program.name}-%g.xml")}
            status = command(log, "timeout", "300", program, env=made)
            before = count.failed
            files = list(results.glob(f"{program.name}-*.xml"))
            for file in files:
                from_junit(file, count)
            if status != 0 and (count.failed == before or not files):
                count.failed += 1
            if status != 0:
                count.problem = f"{program.name} failed"
        for program in sorted((build / "examples").glob("*")):
            hello = ROOT / "fixtures/built/hello.wasm"
            if command(log, "timeout", "60", program, hello, env=env) == 0:
                count.passed += 1
            else:
                count.failed += 1
                count.problem = f"the example {program.name} failed"

    return step


def c_tests_cfi(count: Count, log: Path) -> None:
    """The C tests in a build with CFI=1, which ends a call by a pointer of another type, and lets the marked ones pass."""
    c_tests("CFI=1", "BUILD=build-cfi")(count, log)
    if count.problem == "the build failed":
        return
    for word, wanted in (("right", 0), ("unchecked", 0), ("wrong", -signal.SIGILL)):
        if command(log, ROOT / "build-cfi/cfi_probe", word) == wanted:
            count.passed += 1
        else:
            count.failed += 1
            count.problem = f"cfi_probe {word} does not end with {wanted}"
    if command(log, sys.executable, "ci/check_hardened.py", env={"BUILD": "build-cfi"}) == 0:
        count.passed += 1
    else:
        count.failed += 1
        count.problem = "check_hardened.py found something"


def pytest(folder: str, name: str, *options: str, env: dict[str, str] | None = None) -> Callable[[Count, Path], None]:
    """The Python tests of a folder."""

    def step(count: Count, log: Path) -> None:
        xml = BUILD / f"test-results/{name}.xml"
        xml.parent.mkdir(parents=True, exist_ok=True)
        xml.unlink(missing_ok=True)
        status = command(log, VENV / "python", "-m", "pytest", "-c", "harness/pyproject.toml", "--rootdir", ".", "-n", JOBS,
                         f"--junitxml={xml}", *options, folder, env=env)  # fmt: skip
        if xml.exists():
            from_junit(xml, count)
        if status != 0:
            count.failed = max(count.failed, 1)
            count.problem = f"pytest ended with {status}"

    return step


def outside_cfi(count: Count, log: Path) -> None:
    """The tests of the command, the server and the client, with the build that ends a call by a pointer of another type."""
    build = ROOT / "build-cfi"
    if command(log, "make", "--no-print-directory", f"-j{JOBS}", "CFI=1", f"BUILD={build.name}", "all", "tests") != 0:
        count.failed += 1
        count.problem = "the build with CFI=1 failed"
        return
    for name in ("suites", "guests"):  # they are the same for all builds
        if not (build / name).exists():
            (build / name).symlink_to(BUILD / name)
    # Faults are injected into a build of its own, and an archive of bitcode is not one that others link.
    others = [f"--ignore=runtime/tests/outside/{name}.py" for name in ("test_inject", "test_install")]
    pytest("runtime/tests/outside", "outside-cfi", *others, env={"BUILD": build.name, "CFI": "1"})(count, log)


def package(count: Count, log: Path) -> None:
    """The wheel, what `assay init` writes, and what others run in their CI, all outside of the checkout."""
    if command(log, "make", "--no-print-directory", f"-j{JOBS}", "wheel") != 0:
        count.failed += 1
        count.problem = "the wheel cannot be made"
        return
    command(log, VENV / "python", "ci/package/packages.py")  # where they cannot be had, a test says that it is skipped
    pytest("ci/package", "package", "--dist", "loadfile")(count, log)  # the tests of a file share one installation


def wast(name: str = "", build: str = "build", before: str = "", after: str = "", *make: str, known: str = "") -> Callable[[Count, Path], None]:
    """The official scripts on one build, perhaps under an emulator (before) or with more options (after).

    known: a file of ci/ with expectations for this step, besides those of suites/."""

    def step(count: Count, log: Path) -> None:
        output = ROOT / "reports/latest" if not name else BUILD / f"wast-{name}"
        record = output / "wast.jsonl"
        record.unlink(missing_ok=True)
        if make and command(log, "make", "--no-print-directory", f"-j{JOBS}", f"{build}/touchstone", f"BUILD={build}", *make) != 0:
            count.failed += 1
            count.problem = "the build failed"
            return
        program = ROOT / build / "touchstone"
        if before or after:
            program = BUILD / f"touchstone-{name}"
            program.write_text(f'#!/bin/sh\nexec {before} "{ROOT / build / "touchstone"}" "$@" {after}\n')
            program.chmod(0o755)
        # an emulator and sanitizers take longer
        slow = ["--timeout", "600"] if name else []
        expected = ROOT / "suites/expectations/wast.toml"
        if known:
            more = BUILD / f"wast-{name}.toml"
            more.write_text(expected.read_text(encoding="utf-8") + (ROOT / "ci" / known).read_text(encoding="utf-8"), encoding="utf-8")
            expected = more
        status = command(log, VENV / "assay", "wast", "-j", JOBS, "--touchstone", program, "--output", output, "--expectations", expected, *slow)
        from_footer(record, count)
        if status != 0:
            count.failed = max(count.failed, 1)
            count.problem = "not as suites/expectations/wast.toml says"

    return step


def p2(count: Count, log: Path) -> None:
    record = ROOT / "reports/latest/results.jsonl"
    record.unlink(missing_ok=True)
    versions = ("--versions", "sample", "--versions", "touchstone=all")  # the variants of all peers take most of the time
    peers = [word for name in PEERS for word in ("-r", name)]
    status = command(log, VENV / "assay", "run", "-j", JOBS, "--gate", "touchstone", "--strict", *peers, *versions)
    recorded: set[tuple[str, str]] = set()
    if record.exists():
        for line in record.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["type"] == "header":
                recorded = {(case["id"], check["id"]) for case in row["cases"] for check in case["checks"] if check["level"] == "unspecified"}
            if row["type"] != "result" or row["runtime"] != "touchstone":
                continue
            for unit in row["units"]:
                if unit.get("unexpected"):
                    count.failed += 1
                elif unit["verdict"] == "PASS":  # a recorded value cannot fail, so it does not count as passed
                    count.passed += (row["case"], unit["id"]) not in recorded
                elif unit["verdict"] == "SKIP":
                    count.skipped += 1
                elif unit.get("expected"):
                    count.known += 1
                else:  # a report tolerates a failing `should`; for this runtime it is an error
                    count.failed += 1
                    count.problem = f"{row['case']} {unit['id']}: {unit['verdict']}, not announced"
    if status != 0:
        count.failed = max(count.failed, 1)
        count.problem = "not as suites/expectations/touchstone.toml says"
    if record.exists() and command(log, sys.executable, "ci/check_coverage.py", record) != 0:
        count.failed += 1
        count.problem = "touchstone's traces lack a function or an error code (ci/coverage.tsv)"


def testsuite(count: Count, log: Path) -> None:
    """The built programs of wasi-testsuite; what the peers do is counted by `make report`."""
    record = BUILD / "testsuite/testsuite.jsonl"
    record.unlink(missing_ok=True)
    status = command(log, VENV / "assay", "testsuite", "-j", JOBS, "-r", "touchstone", "--output", record.parent)
    from_footer(record, count)
    if record.exists():  # programs for other versions of WASI are not run
        with record.open(encoding="utf-8") as lines:
            count.skipped += sum(group["programs"] for group in json.loads(next(lines))["suite"].get("unsupported", ()))
    if status != 0:
        count.failed = max(count.failed, 1)
        count.problem = "not as suites/expectations/testsuite.toml says"


DWARF = "OPT=-O1 -gdwarf-4"  # valgrind reads nothing later
# Machine code runs with explicit checks: memcheck complains of an access to a guard page, and machine code has no name to
# leave it out by.
MEMCHECK = "valgrind -q --error-exitcode=77 --smc-check=all-non-file"
MEMCHECK_KNOWN = "valgrind-wast.toml"


def memcheck(count: Count, log: Path) -> None:
    """The C tests and the cases under valgrind."""
    build = ROOT / "build-valgrind"
    if command(log, "make", "--no-print-directory", f"-j{JOBS}", "all", "tests", f"BUILD={build.name}", DWARF) != 0:
        count.failed += 1
        count.problem = "the build failed"
        return
    status = command(log, "ci/valgrind.py", build.name, "--jobs", JOBS)
    for xml in (build / "valgrind").glob("*.xml"):
        from_junit(xml, count)
    if status != 0:
        count.failed = max(count.failed, 1)
        count.problem = "memcheck complains, or something failed under it"


def mutants(count: Count, log: Path) -> None:
    """A sample of the faults that the suites once caught, other ones for each commit (suites/mutants)."""
    number = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    status = command(log, "make", "--no-print-directory", "mutants", f"MUTANTS=--sample {MUTANTS} --seed {number or 0}")
    last = re.search(r"^mutants: (\d+) of (\d+) caught", log.read_text(errors="replace"), re.MULTILINE)
    if last:
        count.passed += int(last[1])
        count.failed += int(last[2]) - int(last[1])
    if status != 0:
        count.failed = max(count.failed, 1)
        count.problem = "a fault that the suites caught is not caught any more"


def style(count: Count, log: Path) -> None:
    """Style and types; a tool that is absent is left out, with a line in the log."""
    for tool in lint.tools():
        if not tool.argv:
            with log.open("a") as file:
                file.write(f"{tool.name} is absent, so it is left out\n")
        elif command(log, *tool.argv) == 0:
            count.passed += 1
        else:
            count.failed += 1
            count.problem = f"{tool.name} found something"


# qemu keeps books of every page that is reserved: 512 instances with guard pages would take all memory of the machine
AARCH64 = "prlimit --as=400000000000 qemu-aarch64-static"
STEPS: dict[str, Callable[[Count, Path], None]] = {
    "structure": structure,
    "lint": style,
    "tools": pytest("ci/tests", "tools"),
    "c": c_tests(),
    "c-sanitized": c_tests("SANITIZE=1", "BUILD=build-asan"),
    "c-cfi": c_tests_cfi,
    "c-gcc": c_tests("CC=gcc", "BUILD=build-gcc", "ASSERT=1"),
    "harness": pytest("harness/tests", "harness"),
    "package": package,
    "outside": pytest("runtime/tests/outside", "outside"),
    "outside-cfi": outside_cfi,
    "wast": wast(),
    "wast-checked": wast("checked", "build", "", "--checked"),
    "wast-metered": wast("metered", "build", "", "--interruptible --deterministic"),
    # all functions as machine code, and changes from one to the other
    "wast-compiled": wast("compiled", "build", "", "--engine compiled-at-once"),
    "wast-compiled-checked": wast("compiled-checked", "build", "", "--engine compiled-at-once --checked"),
    "wast-compiled-metered": wast("compiled-metered", "build", "", "--engine compiled-at-once --interruptible --deterministic"),
    "wast-mixed": wast("mixed", "build", "", "--engine compiled-mixed --deterministic"),
    # without address randomization, which sometimes collides with the sanitizer's shadow memory
    "wast-sanitized": wast("sanitized", "build-asan", "setarch -R", "", "SANITIZE=1"),
    "wast-gcc": wast("gcc", "build-gcc", "", "", "CC=gcc", "ASSERT=1"),
    "wast-cfi": wast("cfi", "build-cfi", "", "", "CFI=1"),
    "wast-cfi-compiled": wast("cfi-compiled", "build-cfi", "", "--engine compiled-at-once", "CFI=1"),
    "wast-aarch64": wast("aarch64", "build-aarch64", AARCH64, "", "CC=aarch64-linux-gnu-gcc", "LDFLAGS=-static"),
    # machine code needs clang's calling convention
    "wast-aarch64-compiled": wast(
        "aarch64-compiled",
        "build-aarch64-clang",
        AARCH64,
        "--engine compiled-at-once",
        f"CC={CLANG} --target=aarch64-linux-gnu",
        "LDFLAGS=-static",
    ),
    "p2": p2,
    "testsuite": testsuite,
    "mutants": mutants,
    "valgrind": memcheck,
    "valgrind-compiled": wast("valgrind-compiled", "build-valgrind", MEMCHECK, "--engine compiled-at-once --checked", DWARF, known=MEMCHECK_KNOWN),
    "valgrind-mixed": wast("valgrind-mixed", "build-valgrind", MEMCHECK, "--engine compiled-mixed --checked", DWARF, known=MEMCHECK_KNOWN),
}


def main() -> int:
    names = sys.argv[1:]
    if not names or any(name not in STEPS for name in names):
        print(__doc__)
        print(f"STEPS: {' '.join(STEPS)}")
        return 2
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # ignored in a background job; the tests would inherit that
        signal.signal(signal.SIGINT, signal.default_int_handler)
    LOG.mkdir(parents=True, exist_ok=True)
    counts: list[Count] = []
    for name in names:
        log = LOG / f"{name}.log"
        log.unlink(missing_ok=True)
        count = Count(name)
        print(f"-- {name} (log: {log.relative_to(ROOT)})", flush=True)
        start = time.monotonic()
        STEPS[name](count, log)
        count.seconds = round(time.monotonic() - start, 1)
        if count.passed + count.failed == 0:
            count.failed = 1
            count.problem = "ran nothing"
        if count.failed:
            print("".join(f"   | {line}\n" for line in log.read_text(errors="replace").splitlines()[-25:]), end="")
        print(f"   {name}: {count.passed} passed, {count.failed} failed, {count.known} known, {count.skipped} skipped in "
              f"{count.seconds} s{': ' + count.problem if count.problem else ''}", flush=True)  # fmt: skip
        counts.append(count)
    (BUILD / "summary.json").write_text(json.dumps([asdict(count) for count in counts], indent=1) + "\n")
    print("\nsuite          passed   failed    known  skipped  seconds")
    for c in counts:
        print(f"{c.suite:12} {c.passed:8} {c.failed:8} {c.known:8} {c.skipped:8} {c.seconds:8}")
    failed = sum(count.failed for count in counts)
    print(f"{sum(count.passed for count in counts)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
