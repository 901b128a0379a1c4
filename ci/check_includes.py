#!/usr/bin/env python3
"""The include rule of the runtime: base < sys < core < component < wasi < cli.

A file includes its own folder and folders below it; wasi/ sees component/run/host.h and never core/ (nor the rest of
component/); headers of the operating system and of third parties stand in sys/ only. tests/, fuzz/ and examples/ stand above all.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RUNTIME = Path(__file__).resolve().parent.parent / "runtime"
ORDER = ["base", "sys", "core", "component", "wasi", "cli"]
# What the C language itself brings.
C_HEADERS = {
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "limits.h", "math.h", "setjmp.h", "stdalign.h",
    "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "stdnoreturn.h", "string.h", "time.h",
    "uchar.h",
}  # fmt: skip
# Compiler intrinsics: a matter of the machine, not of the operating system.
INTRINSICS = re.compile(r"(imm|emm|xmm|pmm|tmm|smm|nmm|wmm)intrin\.h|arm_neon\.h|cpuid\.h")


def folder_of(path: str, own: str) -> str:
    """The runtime folder that an include names; "" for the public header and generated files."""
    first = path.split("/")[0] if "/" in path else own
    return first if first in ORDER else ""


def problems(source: Path) -> list[str]:
    own = source.relative_to(RUNTIME).parts[0]
    if own not in ORDER:
        return []
    found = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, name = match.groups()
        where = f"runtime/{source.relative_to(RUNTIME)}:{number}: {name}"
        if quote == "<":
            if name not in C_HEADERS and not INTRINSICS.fullmatch(name) and own != "sys":
                found.append(f"{where}: headers of the system belong in sys/")
            continue
        target = folder_of(name.removeprefix("../"), own)
        if target and ORDER.index(target) > ORDER.index(own):
            found.append(f"{where}: {own}/ is below {target}/")
        if own == "wasi" and (target == "core" or (target == "component" and name != "component/run/host.h")):
            found.append(f"{where}: wasi/ sees component/run/host.h only")
    return found


def main() -> int:
    sources = sorted(RUNTIME.glob("**/*.[ch]")) + sorted(RUNTIME.glob("**/*.def"))
    found = [problem for source in sources for problem in problems(source)]
    print("\n".join(found) if found else f"include rule: {len(sources)} files keep it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
