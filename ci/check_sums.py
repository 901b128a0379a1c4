#!/usr/bin/env python3
"""Checks the programs that tests read beside their sources: a folder of runtime/tests with a CHECKSUMS holds the .wasm that it names."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    wrong = []
    rows = 0
    for sums in sorted((ROOT / "runtime/tests").glob("**/CHECKSUMS")):
        listed = {line[66:]: line[:64] for line in sums.read_text(encoding="utf-8").splitlines()}
        there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sums.parent.glob("*.wasm")}
        rows += len(listed)
        wrong += [f"{sums.parent.relative_to(ROOT)}/{name} is not what {sums.relative_to(ROOT)} says" for name in sorted(listed | there) if listed.get(name) != there.get(name)]
    print("\n".join(wrong) if wrong else f"{rows} programs of runtime/tests are as their CHECKSUMS say")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
