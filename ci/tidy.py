#!/usr/bin/env python3
"""Runs clang-tidy, several files at a time, with the checks of `.clang-tidy`.

Usage: ci/tidy.py [FILE...]      (without FILE: the library, the command and the examples)
In: sources; compile_commands.json, which it has made first. Out: what clang-tidy finds, each finding once. A header is checked
through the source file of its name. Exit status 0 only if nothing was found.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOBS = int(os.environ.get("JOBS", "2"))
# Tests include sources and start shells; guests and inputs of tests are not built here.
LEFT_OUT = ("runtime/tests/", "runtime/fuzz/")


def program() -> str:
    return next((name for v in (22, 21, 20, 19) if shutil.which(name := f"clang-tidy-{v}")), "")


def chosen(asked: Iterable[str], known: Iterable[str]) -> list[str]:
    """The sources to check: those that were asked for, or those of the headers that were."""
    sources = [f for f in known if not f.startswith(LEFT_OUT)]
    wanted = {re.sub(r"\.h$", ".c", f) for f in asked}
    return [f for f in sources if f in wanted] if wanted else sources


def check(tidy: str, file: str) -> str:
    done = subprocess.run([tidy, "-p", ".", "--quiet", file], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode != 0 else ""


def main() -> int:
    tidy = program()
    if not tidy:
        print("tidy: clang-tidy is absent (Debian: clang-tidy-19)")
        return 1
    made = subprocess.run(["make", "-s", "--no-print-directory", "compile_commands.json"], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if made.returncode != 0:
        return 1
    known = [entry["file"] for entry in json.loads((ROOT / "compile_commands.json").read_text(encoding="utf-8"))]
    files = chosen(sys.argv[1:], known)
    findings: dict[str, None] = {}
    with ThreadPoolExecutor(JOBS) as pool:
        for output in pool.map(lambda file: check(tidy, file), files):
            for finding in re.split(r"^(?=\S+:\d+:\d+: )", output, flags=re.MULTILINE):
                if ": error:" in finding or ": warning:" in finding:
                    findings[finding.replace(f"{ROOT}/", "")] = None
    print("".join(findings), end="")
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
