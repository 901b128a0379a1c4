#!/usr/bin/env python3
"""Checks the include rule of the runtime: which room may include which, and that no circle of includes is large.

A room is a folder below runtime/. ROOMS lists, for each room, the rooms that its files may include besides their own.
tests/, fuzz/ and examples/ may include everything.
Headers of the operating system belong in sys/ and http/; a library's headers belong in the one room that wraps it (LIBRARIES).
The files of cli/ include the library by touchstone.h and cli/embed.h alone.
A circle of includes (a .c and its .h count as one file) has at most three files and stays within one room.
String literals keep to their room too: core/ and component/ do not speak of WASI's packages (WORDS).
"""

from __future__ import annotations

import fnmatch
import re
import sys
from pathlib import Path

RUNTIME = Path(__file__).resolve().parent.parent / "runtime"
LOW = ["base", "sys"]
CORE = ["core", "core/module", "core/code", "core/native", "core/run", "core/tools", "core/load", "core/debug"]
ABI = ["component/type", "component/binary", "component/abi", "component/run"]
WASI = ["wasi/io", "wasi/clocks", "wasi/random", "wasi/filesystem", "wasi/sockets", "wasi/http", "wasi/cli", "wasi/policy", "wasi/preview1", "wasi/confine"]
ROOMS: dict[str, list[str]] = {
    "base": [],
    "sys": ["base"],
    "http": LOW,
    "http/server": [*LOW, "http"],
    "http/client": [*LOW, "http"],
    "core/module": LOW,
    "core/code": [*LOW, "core/module"],
    "core/native": [*LOW, "core/module", "core/code"],
    "core/run": [*LOW, "core/module", "core/code", "core/native", "core/debug"],
    "core/tools": [*LOW, "core/module", "core/code", "core/native", "core/run", "core/debug"],
    "core/debug": [*LOW, "core/module"],
    "core/load": [*LOW, "core/module", "core/code", "core/run", "core/debug"],
    "core": [*LOW, *CORE],
    "component/type": [*LOW, *CORE],
    "component/binary": [*LOW, *CORE, "component/type"],
    "component/abi": [*LOW, *CORE, "component/type", "component/binary"],
    "component/run": [*LOW, *CORE, "component/type", "component/binary", "component/abi"],
    "component": [*LOW, *CORE, *ABI],
    "wasi": LOW,
    "wasi/gen": [],
    "wasi/io": [*LOW, "wasi"],
    "wasi/clocks": [*LOW, "wasi", "wasi/io"],
    "wasi/random": [*LOW, "wasi", "wasi/io"],
    "wasi/filesystem": [*LOW, "wasi", "wasi/io"],
    "wasi/sockets": [*LOW, "wasi", "wasi/io"],
    "wasi/cli": [*LOW, "wasi", "wasi/io"],
    "wasi/policy": [*LOW, "wasi"],
    "wasi/preview1": [*LOW, "wasi"],
    "wasi/confine": [*LOW, "wasi", "wasi/http", "http"],
    "wasi/http": [*LOW, "wasi", "wasi/io", "http", "http/client"],
    "cli": [*LOW, "http", "http/server", *CORE, "component", *ABI, "wasi", *WASI, "cli/wast"],
    "cli/wast": [*LOW, *CORE, "component", *ABI, "wasi", "cli"],
}
# The header by which the host gives functions: it includes type/ only. It is the one that wasi/ sees of component/.
HOST = "component/run/host.h"
# The command is a client of the public header: only one of its files includes other headers of the library.
EMBED = "cli/embed.h"
CLIENT = ["base", "sys", "cli", "cli/wast"]
# Third-party headers, each in the only room that may include it.
LIBRARIES = {"curl/": "http/client", "llhttp": "http/server"}
# What the C language itself brings.
C_HEADERS = {
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h", "locale.h", "math.h", "setjmp.h",
    "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "time.h",
    "uchar.h",
}  # fmt: skip
# Compiler intrinsics belong to the machine, not to the operating system.
INTRINSICS = re.compile(r"(imm|emm|xmm|pmm|tmm|smm|nmm|wmm)intrin\.h|arm_neon\.h|cpuid\.h")
# What only some rooms know: string literals that match are not allowed in the others.
WORDS = {"core": "wasi:", "component": "wasi:"}
COMMENT = re.compile(r"/\*.*?\*/", re.S)
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"')
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def words(path: str, text: str) -> list[str]:
    """String literals of a file that speak of what its room does not know."""
    word = WORDS.get(path.split("/")[0])
    code = COMMENT.sub(lambda m: "\n" * m[0].count("\n"), text)
    found = [m for m in LITERAL.finditer(code) if word and word in m[0]]
    return [f"runtime/{path}:{code.count(chr(10), 0, m.start()) + 1}: {m[0]}: {path.split('/')[0]}/ does not speak of {word}" for m in found]


def unit(path: str) -> str:
    """The module that a path belongs to: a .c and its .h are one."""
    return path.rsplit(".", 1)[0]


def system_problem(room: str, name: str) -> str:
    """What is wrong with an `#include <name>` in a room; "" when nothing is."""
    for library, owner in LIBRARIES.items():
        if name.startswith(library):
            return "" if room == owner else f"only {owner}/ may include this library"
    if name in C_HEADERS or INTRINSICS.fullmatch(name) or room == "sys" or room.split("/")[0] == "http":
        return ""
    return "headers of the system belong in sys/"


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components of more than one file (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(v: str) -> None:
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in sorted(edges.get(v, ())):
            if w not in index:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], index[w])
        if low[v] == index[v]:
            at = stack.index(v)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for v in sorted(edges):
        if v not in index:
            visit(v)
    return found


FUNCTION = re.compile(r"\b(ts_[a-z0-9_]+)\(")


def embedding() -> list[str]:
    """What differs between the functions that the command uses by way of EMBED and those that EMBED lists."""
    embed = (RUNTIME / EMBED).read_text(encoding="utf-8")
    headers = [m[2] for line in embed.splitlines() if (m := INCLUDE.match(line))]
    declared = {name for h in headers for name in FUNCTION.findall((RUNTIME / h).read_text(encoding="utf-8"))}
    declared -= set(FUNCTION.findall((RUNTIME / "include/touchstone.h").read_text(encoding="utf-8")))
    texts = [p.read_text(encoding="utf-8") for p in (RUNTIME / "cli").glob("*.[ch]") if p.name != "embed.h"]
    used = {name for text in texts for name in re.findall(r"\bts_[a-z0-9_]+\b", text)}
    listed = re.findall(r"\bts_[a-z0-9_]+\*?", embed)
    missing = [n for n in sorted(used & declared) if not any(fnmatch.fnmatchcase(n, pattern) for pattern in listed)]
    idle = [n for n in sorted(set(listed) & declared) if n not in used]
    return [f"it does not list {n}, which the command uses" for n in missing] + [f"it lists {n}, which the command does not use" for n in idle]


def main() -> int:
    problems: list[str] = [f"runtime/{EMBED}: {difference}" for difference in embedding()]
    edges: dict[str, set[str]] = {}
    sources = [p for pattern in ("**/*.[ch]", "**/*.def") for p in sorted(RUNTIME.glob(pattern))]
    sources = [p for p in sources if p.relative_to(RUNTIME).parts[0] not in ("tests", "fuzz", "examples", "include")]
    for source in sources:
        path = source.relative_to(RUNTIME).as_posix()
        room = path.rsplit("/", 1)[0]
        if room not in ROOMS:
            problems.append(f"runtime/{path}: {room}/ has no row in ROOMS of ci/check_includes.py")
            continue
        text = source.read_text(encoding="utf-8")
        problems += words(path, text)
        for number, line in enumerate(text.splitlines(), 1):
            if not (match := INCLUDE.match(line)):
                continue
            quote, name = match.groups()
            where = f"runtime/{path}:{number}: {name}"
            if quote == "<":
                if problem := system_problem(room, name):
                    problems.append(f"{where}: {problem}")
                continue
            if not (RUNTIME / name).exists():
                continue  # the public header, generated files
            edges.setdefault(unit(path), set()).add(unit(name))
            target = name.rsplit("/", 1)[0]
            if room == "cli" and path != EMBED and target not in CLIENT:
                problems.append(f"{where}: the command includes it by way of runtime/{EMBED}, which says why it is not public")
                continue
            if target == room or target in ROOMS[room] or (name == HOST and room.split("/")[0] in ("wasi", "component")):
                continue
            problems.append(f"{where}: {room}/ may not include {target}/")
    rounds = circles({v: {w for w in ws if w != v} for v, ws in edges.items()})
    large = [r for r in rounds if len(r) > 3 or len({v.rsplit("/", 1)[0] for v in r}) > 1]
    problems += [f"a circle of includes, of more than three files or across rooms: {' '.join(r)}" for r in large]
    print("\n".join(problems) if problems else
          f"include rule: {len(sources)} files keep it, with {len(rounds)} circles of two or three files")  # fmt: skip
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
