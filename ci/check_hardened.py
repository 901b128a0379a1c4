#!/usr/bin/env python3
"""Checks that what was built is hardened: position-independent, all relocations read-only, no writable code, canaries,
checked functions; and that it does not contain the path of its folder.

In: BUILD/touchstone and BUILD/libtouchstone.so (BUILD: build), 64-bit ELF; nothing is checked before they are built.
Out: a line for each property that is missing. Exit status 1 if there is one. make/harden.mk sets the flags.
"""

from __future__ import annotations

import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
ET_DYN = 3
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_STACK, PT_GNU_RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
PF_X, PF_W = 1, 2
DT_STRTAB, DT_SYMTAB, DT_RPATH, DT_TEXTREL, DT_RUNPATH, DT_FLAGS, DT_FLAGS_1 = 5, 6, 15, 22, 29, 30, 0x6FFFFFFB
# DT_HASH, DT_GNU_HASH, DT_VERSYM, DT_VERNEED: the tables that linkers put after the symbols, as DT_STRTAB is.
DT_TABLES = (DT_STRTAB, 4, 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFE)
DF_TEXTREL, DF_BIND_NOW, DF_1_NOW, DF_1_PIE = 4, 8, 1, 0x08000000


@dataclass(frozen=True)
class Segment:
    kind: int
    flags: int
    offset: int
    address: int
    size: int


@dataclass(frozen=True)
class Elf:
    """What the loader reads of a file."""

    kind: int
    segments: tuple[Segment, ...]
    dynamic: dict[int, int]
    imports: frozenset[str]


def read(data: bytes) -> Elf:
    """Reads a 64-bit ELF of this machine's byte order."""
    if data[:5] != b"\x7fELF\x02":
        raise ValueError("no 64-bit ELF")
    kind = struct.unpack_from("=H", data, 16)[0]
    at = struct.unpack_from("=Q", data, 32)[0]
    size, count = struct.unpack_from("=HH", data, 54)
    segments = []
    for i in range(count):
        type_, flags, offset, address, _, length, _, _ = struct.unpack_from("=IIQQQQQQ", data, at + i * size)
        segments.append(Segment(type_, flags, offset, address, length))
    dynamic: dict[int, int] = {}
    for segment in segments:
        if segment.kind == PT_DYNAMIC:
            for at in range(segment.offset, segment.offset + segment.size, 16):
                tag, value = struct.unpack_from("=QQ", data, at)
                dynamic.setdefault(tag, value)
    return Elf(kind, tuple(segments), dynamic, imported(data, segments, dynamic))


def imported(data: bytes, segments: list[Segment], dynamic: dict[int, int]) -> frozenset[str]:
    """The names that are looked up in other libraries. The table of symbols ends where the next one begins, whichever that is."""

    def place(address: int) -> int:
        return next(s.offset + address - s.address for s in segments if s.kind == PT_LOAD and s.address <= address < s.address + s.size)

    if DT_SYMTAB not in dynamic:
        return frozenset()
    symbols, names, found = place(dynamic[DT_SYMTAB]), place(dynamic[DT_STRTAB]), set()
    end = min(at for at in (place(dynamic[tag]) for tag in DT_TABLES if tag in dynamic) if at > symbols)
    for at in range(symbols, end - 23, 24):
        name, _, _, section = struct.unpack_from("=IBBH", data, at)
        if name and section == 0:
            found.add(data[names + name : data.index(b"\0", names + name)].decode())
    return frozenset(found)


def missing(elf: Elf, program: bool) -> list[str]:
    """The properties that a file lacks."""
    kinds = {s.kind for s in elf.segments}
    now = elf.dynamic.get(DT_FLAGS, 0) & DF_BIND_NOW or elf.dynamic.get(DT_FLAGS_1, 0) & DF_1_NOW
    stack = [s.flags for s in elf.segments if s.kind == PT_GNU_STACK]
    holds = {
        "position-independent": elf.kind == ET_DYN and (not program or PT_INTERP in kinds),
        "relocations read-only (RELRO)": PT_GNU_RELRO in kinds,
        "bound at start (BIND_NOW)": bool(now),
        "stack not executable": len(stack) == 1 and not stack[0] & PF_X,
        "no segment writable and executable": not any(s.flags & PF_W and s.flags & PF_X for s in elf.segments if s.kind == PT_LOAD),
        "no relocations in code (TEXTREL)": DT_TEXTREL not in elf.dynamic and not elf.dynamic.get(DT_FLAGS, 0) & DF_TEXTREL,
        "no search path (RPATH)": not {DT_RPATH, DT_RUNPATH} & elf.dynamic.keys(),
        "canaries (stack protector)": "__stack_chk_fail" in elf.imports,
        "checked functions (FORTIFY)": any(name.endswith("_chk") for name in elf.imports),
    }
    return [name for name, held in holds.items() if not held]


def main() -> int:
    files = [path for path in (BUILD / "touchstone", BUILD / "libtouchstone.so") if path.exists()]
    problems = []
    for path in files:
        data = path.read_bytes()
        problems += [f"{path.name}: not {name}" for name in missing(read(data), path.name == "touchstone")]
        if str(ROOT).encode() + b"/" in data:
            problems.append(f"{path.name}: it contains the path of its folder, so builds in two folders differ")
    print("\n".join(problems) if problems else f"hardened: {len(files)} files" if files else "hardened: nothing is built")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
