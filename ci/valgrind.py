#!/usr/bin/env python3
"""Runs the C tests, and the cases of suites/p2 on touchstone, under valgrind's memcheck.

Usage: ci/valgrind.py BUILD [--jobs N] [--tests] [--cases PATTERN...]
In: BUILD, a build with DWARF 4 (`make valgrind` makes it); suites/p2, suites/expectations. Out: BUILD/valgrind/*.log, one a process that
memcheck complains of, BUILD/valgrind/{tests,cases}.xml (JUnit); the last line counts. Exit status 0 only when all is clean.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIRTY = 77
# The verdict of these tests depends on what memcheck changes. Reports of memcheck count all the same.
OF_ITS_OWN = {
    "test_http_server": "holds times",
    "test_wasi_sockets": "limits the files that are open, of which memcheck has some",
}
LEFT_OUT = {"test_faults": "it counts the allocations of threads, whose order is another under memcheck; the sanitizers see it",
            "test_wasi_confine": "what it confines includes memcheck"}
MEMCHECK = [
    "valgrind", "-q", "--trace-children=no", "--show-leak-kinds=definite", f"--error-exitcode={DIRTY}", "--leak-check=full", "--errors-for-leak-kinds=definite",
    f"--suppressions={ROOT / 'ci/valgrind.supp'}",
]  # fmt: skip


def test(program: Path, logs: Path) -> tuple[str, str]:
    """Runs one C test. Returns the problem, or ""."""
    if program.name in LEFT_OUT:
        return program.name, ""
    log = logs / f"{program.name}.log"
    env = {**os.environ, "TOUCHSTONE": str(program.parent.parent / "touchstone"), "TOUCHSTONE_FIXTURES": str(ROOT / "fixtures")}
    with log.open("wb") as out:
        try:
            done = subprocess.run([*MEMCHECK, str(program)], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  env=env, cwd=ROOT, timeout=1200, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return program.name, "more than 1200 s"
    if done.returncode == 0 or (done.returncode in range(1, DIRTY) and program.name in OF_ITS_OWN):
        return program.name, ""
    return program.name, f"memcheck complains: {log}" if done.returncode == DIRTY else f"ended with {done.returncode}: {log}"


def tests(build: Path, logs: Path, jobs: int) -> int:
    suite = ET.Element("testsuite", name="valgrind")
    bad = 0
    with ThreadPoolExecutor(jobs) as pool:
        for name, wrong in pool.map(lambda program: test(program, logs), sorted((build / "tests").glob("test_*"))):
            case = ET.SubElement(suite, "testcase", classname="valgrind", name=name)
            if name in LEFT_OUT:
                ET.SubElement(case, "skipped", message=LEFT_OUT[name])
                print(f"valgrind: {name} is left out: {LEFT_OUT[name]}", flush=True)
            elif wrong:
                bad += 1
                ET.SubElement(case, "failure", message=wrong)
                print(f"valgrind: {name}: {wrong}", flush=True)
    ET.ElementTree(suite).write(logs / "tests.xml")
    return bad


def cases(build: Path, logs: Path, jobs: int, patterns: list[str]) -> int:
    """Runs the cases with a program that runs touchstone under memcheck. An error there has its own exit status."""
    wrapper = logs / "touchstone"
    words = " ".join(f"'{word}'" for word in [*MEMCHECK, f"--log-file={logs}/case-%p.log", str(build / "touchstone")])
    wrapper.write_text(f'#!/bin/sh\nTOUCHSTONE_CONFINE=off exec {words} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    argv = [ROOT / ".venv/bin/assay", "run", "-r", "touchstone", "--program", f"touchstone={wrapper}", "-j", str(jobs),
            "--timeout-factor", "30", "--output", logs / "cases", *patterns]  # fmt: skip
    done = subprocess.run([str(word) for word in argv], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    for log in logs.glob("case-*.log"):
        if any(line.startswith(b"==") for line in log.read_bytes().splitlines()):
            print(f"valgrind: a case: memcheck complains: {log}", flush=True)
        else:  # nothing, or a system call that memcheck does not know and that fails as on an older kernel
            log.unlink()
    junit = logs / "cases" / "junit.xml"
    if junit.exists():
        shutil.copyfile(junit, logs / "cases.xml")
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tests", action="store_true", help="only the C tests")
    parser.add_argument("--cases", nargs="*", help="only the cases (that match)")
    args = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is absent")
        return 1
    build = args.build.resolve()
    logs = build / "valgrind"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    status = 0
    if args.cases is None:
        status |= tests(build, logs, args.jobs) != 0
    if not args.tests:
        status |= cases(build, logs, args.jobs, args.cases or []) != 0
    print("valgrind: clean" if status == 0 else "valgrind: not clean")
    return status


if __name__ == "__main__":
    sys.exit(main())
