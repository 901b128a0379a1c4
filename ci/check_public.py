#!/usr/bin/env python3
"""What stands in the repository speaks of the project alone: no absolute path of a machine, no address of a package registry."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile("|".join([r"(?<![\w.])/" + "work/", r"(?<![\w.])/" + "root/", "registry" + r"\.npmjs", r"pypi" + r"\.org", r"files" + r"\.pythonhosted", r"static" + r"\.crates"]))


def main() -> int:
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    found = []
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in (".wasm", ".png") or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{name}:{number}: {match[0]}")
    print("\n".join(found) if found else "no path of a machine and no registry address in the repository")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
