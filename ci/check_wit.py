#!/usr/bin/env python3
"""Checks runtime/wasi/wit, the one source of signatures, against WASI's own texts.

Usage: ci/check_wit.py [SHARED]
SHARED (../shared, or $TOUCHSTONE_SHARED) holds wit/0.2.12, wit/0.2.0 and wasi-0.2.12-functions.tsv; what is not there is
skipped, with a line that says so. Checked: the same interfaces, types, functions and gates as 0.2.12; every function of
the list and no other; every function of 0.2.0 is there with the same signature, so that imports under old names link.
"""
from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "runtime/wasi/gen"))
import witparse


def signature(packages: witparse.Packages, iface: witparse.Interface, ref: witparse.Ref | None, depth: int = 0) -> str:
    """A type spelled out to primitives, so that two versions compare although names moved."""
    if ref is None:
        return "()"
    t = iface.type(ref.name)
    if t is None:
        return ref.name + "<" + ",".join(signature(packages, iface, a, depth + 1) for a in ref.args) + ">"
    if t.kind == "use":
        return signature(packages, packages.interfaces[t.source], witparse.Ref(t.source_name), depth + 1)
    if t.kind == "alias":
        return signature(packages, iface, t.target, depth + 1)
    if t.kind == "resource":
        return f"resource {iface.full_name}.{t.name}"
    return t.kind + "{" + ";".join(c.name + ":" + signature(packages, iface, c.type, depth + 1) for c in t.cases) + "}"


def functions(packages: witparse.Packages) -> dict[tuple[str, str], str]:
    return {
        (i.full_name, f.full_name): ",".join(f"{p.name}:{signature(packages, i, p.type)}" for p in f.params)
        + "->" + signature(packages, i, f.result)
        for i in packages.interfaces.values() for f in i.funcs
    }


def main() -> int:
    shared = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TOUCHSTONE_SHARED", str(ROOT.parent / "shared")))
    ours = witparse.read(ROOT / "runtime/wasi/wit")
    mine = functions(ours)
    problems: list[str] = []
    done: list[str] = []
    if (shared / "wit/0.2.12").is_dir():
        theirs = witparse.read(shared / "wit/0.2.12")
        for name in sorted({*ours.interfaces, *theirs.interfaces}):
            if ours.interfaces.get(name) != theirs.interfaces.get(name):
                problems.append(f"{name} differs from WASI 0.2.12")
        done.append(f"{len(theirs.interfaces)} interfaces of 0.2.12")
    if (shared / "wit/0.2.0").is_dir():
        old = functions(witparse.read(shared / "wit/0.2.0"))
        problems += [f"{i} {f}: not as in 0.2.0" for (i, f), s in old.items() if mine.get((i, f)) != s]
        done.append(f"{len(old)} functions of 0.2.0")
    table = shared / "wasi-0.2.12-functions.tsv"
    if table.is_file():
        rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
        listed = {(r[0], r[1]): r[3] for r in rows}
        have = {(i.full_name, f.full_name): f"unstable:{f.gate.unstable}" if f.gate.unstable else f.gate.since or i.gate.since
                for i in ours.interfaces.values() for f in i.funcs}
        problems += [f"{i} {f}: the list says {listed.get((i, f))}, we {have.get((i, f))}"
                     for i, f in sorted({*listed, *have}) if listed.get((i, f)) != have.get((i, f))]
        done.append(f"{len(listed)} functions of the list")
    for p in problems:
        print(f"check_wit: {p}")
    print(f"check_wit: {', '.join(done) or f'nothing to compare with in {shared}: skipped'}; {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
