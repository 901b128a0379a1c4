"""Which IR operations a program executes, and which follow which: `opcount.py PROGRAM [N]`, by callgrind, free of noise.

In the build by clang each operation is a function that ends in a jump to the next one; callgrind reports such jumps as calls, so its
edges are the counts of pairs. In: build/bench/drive and a program. Out: operations and pairs by count.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from collections import Counter
from pathlib import Path

import prepare
from programs import PROGRAMS


def counts(profile: Path) -> tuple[Counter[str], Counter[str], Counter[tuple[str, str]]]:
    """Instructions and executions of each operation, and pairs."""
    names: dict[str, str] = {}
    cost: Counter[str] = Counter()
    times: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    here = there = ""

    def name(text: str) -> str:
        number, _, rest = text.partition(" ")
        if rest:
            names[number] = rest.split("'")[0]
        return names[number]

    inclusive = False
    for line in profile.read_text(errors="replace").splitlines():
        if line.startswith("fn="):
            here = name(line[3:])
        elif line.startswith("cfn="):
            there = name(line[4:])
        elif line.startswith("calls="):
            n = int(line[6:].split()[0])
            times[there] += n
            pairs[here, there] += n
            inclusive = True
        elif re.match(r"[+\-*\d]", line):
            words = line.split()
            if not inclusive and len(words) > 1:
                cost[here] += int(words[1])
            inclusive = False
    return cost, times, pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", choices=[p.name for p in PROGRAMS])
    parser.add_argument("n", type=int, nargs="?")
    parser.add_argument("--top", type=int, default=15)
    args = parser.parse_args()
    program = next(p for p in PROGRAMS if p.name == args.program)
    tool, strip = prepare.find("valgrind"), prepare.find("strip")
    if not tool or not strip:
        raise SystemExit("opcount: valgrind and strip are needed")
    # valgrind does not read every compiler's debug information
    bare, profile = prepare.OUT / "drive.bare", prepare.OUT / f"{program.name}.callgrind"
    subprocess.run([strip, "-g", "-o", bare, prepare.OUT / "drive"], check=True)
    n = str(args.n if args.n is not None else max(program.n // 20, 1))
    subprocess.run(
        [tool, "--tool=callgrind", "-q", f"--callgrind-out-file={profile}", bare, prepare.wasm(program), n],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    cost, times, pairs = counts(profile)
    ops = {op for op in times if op.startswith("h_")}  # the handlers
    if not ops:
        raise SystemExit("opcount: no handler is a function of its own in this build")
    total, all_cost = sum(times[op] for op in ops), sum(cost.values())
    print(f"{program.name}: {total:,} operations, {all_cost / max(total, 1):.1f} instructions each")
    print("  operation                      % of executed   instructions each")
    for op, k in Counter({op: times[op] for op in ops}).most_common(args.top):
        print(f"  {op[2:]:30} {100 * k / total:13.1f}   {cost[op] / k:17.1f}")
    print("  pairs                                                        % of executed")
    for (a, b), k in Counter({p: k for p, k in pairs.items() if p[0] in ops and p[1] in ops}).most_common(args.top):
        print(f"  {a[2:] + ' → ' + b[2:]:60} {100 * k / total:13.1f}")


if __name__ == "__main__":
    main()
