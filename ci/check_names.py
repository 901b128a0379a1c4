#!/usr/bin/env python3
"""Checks that the harness knows the interfaces and functions of WASI 0.2: harness/assay/schemas/wasi-0.2.tsv against runtime/wasi/wit.

Usage: ci/check_names.py [--write]
The table has a line for each function and resource of each interface, with the version that brought it; what is unstable has its
feature there instead. With --write it is written anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runtime/wasi/gen"))
import witparse

TABLE = ROOT / "harness/assay/schemas/wasi-0.2.tsv"
HEAD = "# interface, function (or nothing: the interface itself), since. Written by ci/check_names.py --write"


def rows() -> list[str]:
    found: list[tuple[str, str, str]] = []
    for name, interface in witparse.read(ROOT / "runtime/wasi/wit").interfaces.items():
        found.append((name, "", interface.gate.since or interface.gate.unstable))
        for function in interface.funcs:
            found.append((name, function.full_name, function.gate.since or function.gate.unstable))
        for one in interface.types:
            if one.kind == "resource":
                found.append((name, f"[resource-drop]{one.name}", one.gate.since or one.gate.unstable))
    return ["\t".join(row) for row in sorted(found)]


def main() -> int:
    text = "\n".join([HEAD, *rows()]) + "\n"
    if "--write" in sys.argv[1:]:
        TABLE.write_text(text, encoding="utf-8")
    if not TABLE.is_file() or TABLE.read_text(encoding="utf-8") != text:
        print(f"names: {TABLE.relative_to(ROOT)} is not as runtime/wasi/wit says: ci/check_names.py --write")
        return 1
    print(f"names: {text.count(chr(10)) - 1} interfaces, functions and resources")
    return 0


if __name__ == "__main__":
    sys.exit(main())
