#!/usr/bin/env python3
"""Writes guests.h: the guests of the fuzz targets as bytes.

Usage: make_guests.py [--check] [WASM-TOOLS]
In: *.wat beside this script, wasm-tools. Out: guests.h; --check writes nothing, and ends with 1 if it would differ.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def array(path: Path, tool: str) -> str:
    made = subprocess.run([tool, "parse", path], check=True, capture_output=True).stdout
    made = subprocess.run([tool, "strip", "--all"], check=True, capture_output=True, input=made).stdout
    lines = [", ".join(str(b) for b in made[at : at + 24]) for at in range(0, len(made), 24)]
    return f"static const unsigned char fz_guest_{path.stem}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--check"]
    tool = words[0] if words else str(ROOT / ".venv/bin/wasm-tools")
    text = "/* guests: the guests of the fuzz targets, as bytes. Made by make_guests.py of the .wat files beside it. */\n// clang-format off\n"
    text += "#pragma GCC diagnostic ignored \"-Wunused-variable\" /* a target has one or two of them */\n"
    text += "".join(array(path, tool) for path in sorted(HERE.glob("*.wat")))
    header = HERE / "guests.h"
    if "--check" not in sys.argv:
        header.write_text(text)
        return 0
    if header.exists() and header.read_text() == text:
        return 0
    print("runtime/fuzz/guests/guests.h is not what make_guests.py makes of the .wat files", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
