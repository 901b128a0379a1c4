#!/usr/bin/env python3
"""Runs the tests that SECURITY.md names, and says promise by promise whether they hold.

Usage: ci/audit.py [--list] [PROMISE...]
In: the tables of SECURITY.md, what `make all tests` built. Out: a line for each promise; the output of what failed.
Exit status 0 only if every promise names tests, every test exists, and all pass. What is skipped on this machine is said; a test
of which everything is skipped shows nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.*?) \|$", re.MULTILINE)
PYTHON = ("runtime/tests/outside", "ci/tests", "ci")
"""Where the Python tests and checks are."""


@dataclass(frozen=True)
class Promise:
    """One promise: its number, its sentence, the names of its tests."""

    number: str
    text: str
    tests: tuple[str, ...]


def promises(text: str) -> list[Promise]:
    """The promises of a text like SECURITY.md."""
    return [Promise(number, words, tuple(re.findall(r"`([\w.]+)`", tests))) for number, words, tests in ROW.findall(text)]


def source(name: str, root: Path = ROOT) -> Path | None:
    """The file of a test. None: there is no such test."""
    if name.endswith(".py"):
        found = [root / folder / name for folder in PYTHON if (root / folder / name).exists()]
    else:
        found = sorted(root.glob(f"runtime/tests/*/{name}.c"))
    return found[0] if found else None


def command(name: str, path: Path, xml: Path) -> list[str]:
    """How a test is run. pytest leaves its counts in `xml`."""
    if path.suffix == ".c":
        return [str(BUILD / "tests" / name)]
    if path.parent.name == "ci":
        return [sys.executable, str(path)]
    return [sys.executable, "-m", "pytest", "-c", str(ROOT / "harness/pyproject.toml"), "--rootdir", str(ROOT), "-q", "-n", "2", f"--junitxml={xml}", str(path)]


@dataclass(frozen=True)
class Ran:
    """What became of a test: whether it passed, and how many of its parts were skipped. A check has no parts."""

    passed: bool
    parts: int = 0
    skipped: int = 0

    @property
    def shows(self) -> bool:
        return self.passed and not (self.parts and self.skipped == self.parts)


def parts(path: Path, output: str, xml: Path) -> tuple[int, int]:
    """The parts of a test, and how many of them were skipped, by what it left."""
    if path.suffix == ".c":
        skipped = len(re.findall(r"^\[  SKIPPED \] \w+$", output.partition("listed below")[0], re.MULTILINE))
        return len(re.findall(r"^\[ RUN      \]", output, re.MULTILINE)), skipped
    cases = list(ET.parse(xml).iter("testcase")) if xml.exists() and xml.stat().st_size else []
    return len(cases), sum(case.find("skipped") is not None for case in cases)


def run(name: str, path: Path, xml: Path) -> Ran:
    """Runs a test, and prints what it says if it fails."""
    env = {**os.environ, "TOUCHSTONE": str(BUILD / "touchstone"), "TOUCHSTONE_FIXTURES": str(ROOT / "fixtures")}
    try:
        done = subprocess.run(command(name, path, xml), cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=1800, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"audit: {name}: {error}")
        return Ran(False)
    if done.returncode != 0:
        print(f"{done.stdout[-4000:]}{done.stderr[-4000:]}", end="")
    return Ran(done.returncode == 0, *parts(path, done.stdout + done.stderr, xml))


def outcome(name: str, done: dict[str, Ran]) -> Ran:
    """What became of a test, which is run once."""
    if name not in done:
        path = source(name)
        if path is None:
            print(f"audit: there is no test {name}")
            done[name] = Ran(False)
            return done[name]
        with tempfile.TemporaryDirectory(prefix="audit-") as folder:
            done[name] = run(name, path, Path(folder) / "it.xml")
    return done[name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="only list the promises and their tests")
    parser.add_argument("promise", nargs="*", help="the numbers of some promises (G4)")
    args = parser.parse_args()
    found = promises((ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    if unknown := set(args.promise) - {p.number for p in found}:
        print(f"audit: SECURITY.md has no promise {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    chosen = [p for p in found if not args.promise or p.number in args.promise]
    done: dict[str, Ran] = {}
    broken = 0
    for p in chosen:
        if args.list:
            print(f"{p.number}: {p.text}: {', '.join(p.tests)}")
            continue
        failed = [name for name in p.tests if not outcome(name, done).shows]
        broken += bool(failed) or not p.tests
        skipped = [f"{name} {done[name].skipped} of {done[name].parts}" for name in p.tests if done[name].skipped]
        notes = (f": {', '.join(failed)}" if failed else "") + (f" (skipped: {', '.join(skipped)})" if skipped else "")
        print(f"{p.number}: {'holds' if p.tests and not failed else 'NOT SHOWN'}: {p.text}{notes}", flush=True)
    if not args.list:
        print(f"{len(chosen) - broken} of {len(chosen)} promises hold, by {len(done)} tests")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
