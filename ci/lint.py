#!/usr/bin/env python3
"""Checks style and types: what `make lint` and the hooks of pre-commit run.

Usage: ci/lint.py [--only TOOL] [FILE...]      (all files without FILE; TOOL: clang-format, clang-tidy, mypy, ruff)
In: sources. Out: what the tools print. Exit status 0 only if all of them pass. A tool that is absent is left out, with a line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv/bin"
CONFIG = "harness/pyproject.toml"
RUFF = "ci/ruff.toml"
SCRIPT_FOLDERS = ("bench", "ci", "fixtures", "make", "runtime")
# Scripts that mypy checks strictly, besides the harness.
TYPED = ("ci/run_tests.py", "ci/lint.py", "ci/changed.py", "ci/tidy.py", "ci/check_docs.py", "ci/tests")


@dataclass(frozen=True)
class Tool:
    name: str
    argv: tuple[str, ...]  # empty: the tool is absent


def program(*names: str) -> str:
    """The first of these programs that exists, in .venv or on the path."""
    for name in names:
        if os.access(VENV / name, os.X_OK):
            return str(VENV / name)
        if found := shutil.which(name):
            return found
    return ""


def sources(*patterns: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def typed(files: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The runs of mypy that files concern: a module is checked with all that imports it, so a run is about everything."""
    if not files or any(f.startswith("harness/assay/") for f in files):
        yield "mypy", ("--config-file", CONFIG, "harness/assay")
    if not files or any(f == t or f.startswith(f"{t}/") for f in files for t in TYPED):
        yield "mypy (scripts)", ("--strict", *(t for t in TYPED if (ROOT / t).exists()))


def tools(files: Sequence[str] = ()) -> list[Tool]:
    """What checks these files, or all of them."""
    found: list[Tool] = []
    c_files = [f for f in files if f.startswith("runtime/") and f.endswith((".c", ".h"))] if files else sources("runtime/**/*.[ch]")
    if c_files:
        clang_format = program(*(f"clang-format-{v}" for v in (22, 21, 20, 19)))
        found.append(Tool("clang-format", (clang_format, "--dry-run", "-Werror", *c_files) if clang_format else ()))
        clang_tidy = program(*(f"clang-tidy-{v}" for v in (22, 21, 20, 19)))
        found.append(Tool("clang-tidy", (sys.executable, "ci/tidy.py", *(c_files if files else ())) if clang_tidy else ()))
    mypy = program("mypy")
    found += [Tool(name, (mypy, *argv) if mypy else ()) for name, argv in typed(files)]
    ruff = program("ruff")
    harness = [f for f in files if f.startswith("harness/") and f.endswith(".py")] if files else ["harness"]
    if harness:
        found.append(Tool("ruff", (ruff, "check", *harness) if ruff else ()))
    others = [f for f in files if f.endswith(".py") and f.split("/")[0] in SCRIPT_FOLDERS] if files else list(SCRIPT_FOLDERS)
    if others:
        found.append(Tool("ruff (scripts)", (ruff, "check", "--config", RUFF, *others) if ruff else ()))
    return found


def main() -> int:
    argv = sys.argv[1:]
    only = ""
    if argv[:1] == ["--only"]:
        only, argv = argv[1], argv[2:]
    status = 0
    for tool in tools([f for f in argv if (ROOT / f).exists()] if argv else ()):
        if not tool.name.startswith(only):
            continue
        if not tool.argv:
            print(f"lint: {tool.name} is absent, so it is left out")
        elif subprocess.run(tool.argv, cwd=ROOT, check=False).returncode != 0:
            print(f"lint: {tool.name} found something")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
