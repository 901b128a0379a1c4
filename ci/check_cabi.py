#!/usr/bin/env python3
"""Checks that the canonical ABI here has the functions of the specification's definitions.py, by name and in its order.

Usage: ci/check_cabi.py [--write] [DEFINITIONS.PY]
ci/cabi_functions.tsv lists each function of definitions.py (read at the commit in ci/suites.tsv): name, the file under
runtime/component where it is, or "-" and why it has none. Checked: the file names it (as a function, or in a `cabi:`
comment where it is inlined); functions that a file defines stand in the order of the list; and, where definitions.py is
present (build/suites/canonical-abi, left by `make suites`), that the list is complete. --write prints the list anew.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "ci/cabi_functions.tsv"
SOURCES = ROOT / "runtime/component"
BEGIN = "## Component Instances"


def functions(definitions: Path) -> list[str]:
    text = definitions.read_text()
    text = text[text.index(BEGIN):]
    return list(dict.fromkeys(re.findall(r"^def (\w+)\(", text, re.M)))


def rows() -> list[tuple[str, str, str]]:
    out: list[tuple[str, str, str]] = []
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            name, place, note = (line + "\t\t").split("\t")[:3]
            out.append((name, place, note))
    return out


def defined_at(source: str, name: str) -> int | None:
    """Where the C function of this name is defined (line start, a type, ts_ or ts_cabi_ allowed before the name)."""
    found = re.search(rf"^[a-z][\w \*]*?[ \*](?:ts_cabi_|ts_)?{name}\([^;]*?\{{", source, re.M)
    return found.start() if found else None


def main(argv: list[str]) -> int:
    paths = [Path(a) for a in argv if not a.startswith("-")]
    definitions = paths[0] if paths else ROOT / "build/suites/canonical-abi/definitions.py"
    if "--write" in argv:
        sources = {p.name: p.read_text() for p in sorted(SOURCES.glob("*.[ch]"))}
        for name in functions(definitions):
            place = next((f for f, s in sources.items() if defined_at(s, name) is not None), "")
            place = place or next((f for f, s in sources.items() if re.search(rf"cabi:[^\n]*\b{name}\b", s)), "-")
            print(f"{name}\t{place}")
        return 0
    problems: list[str] = []
    last: dict[str, tuple[int, str]] = {}
    listed = rows()
    for name, place, note in listed:
        if place == "-":
            if not note:
                problems.append(f"{name}: has no place and no reason")
            continue
        path = SOURCES / place
        source = path.read_text() if path.exists() else ""
        at = defined_at(source, name)
        if at is None and not re.search(rf"cabi:[^\n]*\b{name}\b", source):
            problems.append(f"{name}: {place} neither defines it nor names it in a `cabi:` comment")
        if at is not None:
            before = last.get(place)
            if before and before[0] > at:
                problems.append(f"{place}: {name} stands before {before[1]}, in definitions.py after it")
            last[place] = (at, name)
    if definitions.exists():
        names, have = functions(definitions), [r[0] for r in listed]
        problems += [f"{n}: in definitions.py, not in the list" for n in names if n not in have]
        problems += [f"{n}: in the list, not in definitions.py" for n in have if n not in names]
        if not problems and names != have:
            problems.append("the list is not in the order of definitions.py")
    else:
        print("definitions.py is absent (make suites): the list is not compared with it")
    for p in problems:
        print(p)
    here = sum(1 for r in listed if r[1] != "-")
    print(f"canonical ABI: {here} of {len(listed)} functions of definitions.py are here, {len(listed) - here} are of WASI 0.3 or need no code; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
