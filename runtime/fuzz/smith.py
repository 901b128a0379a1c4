"""Random modules of `wasm-tools smith` and of random_functions.py, and a runner that says what each does.

In: the options --seconds, --functions, --wasm-tools, --work and paths of modules. Out: paths of modules; the lines of a runner's report.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from random_functions import random_functions


def read_arguments(description: str | None, runner: str) -> tuple[argparse.Namespace, int]:
    """The options of a comparison, whose work folder is made, and the seed of its modules."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0] if description else None)
    parser.add_argument("--runner", required=True, help=runner)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--functions", type=float, default=0.5, help="how many of the modules are of random_functions.py, from 0 to 1 [0.5]")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--work", type=Path, required=True, help="where differences are left")
    parser.add_argument("--wasm-tools", default=str(Path(sys.executable).parent / "wasm-tools"))
    parser.add_argument("modules", nargs="*", type=Path)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    return args, args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "little")


def smith_command(tool: str, rng: random.Random) -> list[str]:
    flag = {True: "true", False: "false"}
    options: dict[str, str] = {
        "max-imports": "0", "export-everything": "true", "max-exports": "100", "max-memory32-bytes": "655360", "max-memory64-bytes": "655360",
        "memory-max-size-required": "true", "max-table-elements": "300", "table-max-size-required": "true", "generate-custom-sections": "false",
        "bulk-memory-enabled": "true", "multi-value-enabled": "true", "reference-types-enabled": "true", "simd-enabled": flag[rng.random() < 0.8],
        "sign-extension-ops-enabled": "true", "saturating-float-to-int-enabled": "true", "threads-enabled": "false", "compact-imports-enabled": "false",
        "custom-descriptors-enabled": "false", "shared-everything-threads-enabled": "false", "extended-const-enabled": "true", "tail-call-enabled": "true",
        "memory64-enabled": flag[rng.random() < 0.5], "gc-enabled": flag[rng.random() < 0.7], "exceptions-enabled": flag[rng.random() < 0.7],
        "wide-arithmetic-enabled": flag[rng.random() < 0.5], "custom-page-sizes-enabled": flag[rng.random() < 0.2],
        "disallow-traps": flag[rng.random() < 0.4], "max-memories": rng.choice(["1", "1", "4"]), "max-tables": "4", "min-memories": rng.choice(["0", "1"]),
        "min-funcs": "1", "max-funcs": rng.choice(["3", "10", "30"]), "max-instructions": rng.choice(["50", "200", "1000"]),
        "allow-start-export": flag[rng.random() < 0.3], "memory-offset-choices": rng.choice(["90,9,1", "50,30,20"]),
    }
    if options["gc-enabled"] == "true":
        options["simd-enabled"] = "true"
    if options["simd-enabled"] == "true":
        options["relaxed-simd-enabled"] = "true"
    else:
        options["relaxed-simd-enabled"] = "false"
    command = [tool, "smith", "--ensure-termination", "--fuel", rng.choice(["1000", "100000"])]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def smith(tool: str, rng: random.Random, path: Path) -> bool:
    """Writes a module. Returns false if none came out of this random number."""
    data = rng.randbytes(rng.choice([200, 1000, 4000, 12000]))
    done = subprocess.run([*smith_command(tool, rng), "-o", str(path)], input=data, stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 2):
        raise SystemExit(f"wasm-tools smith: {done.stderr.decode()[-500:]}")
    return done.returncode == 0


def parse(tool: str, text: str, path: Path) -> None:
    done = subprocess.run([tool, "parse", "-", "-o", str(path)], input=text.encode(), stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"wasm-tools parse: {done.stderr.decode()[-500:]}")


def modules(args: argparse.Namespace, rng: random.Random) -> Iterator[Path]:
    if args.modules:
        yield from args.modules
        return
    end = time.monotonic() + args.seconds
    path = args.work / f"current-{os.getpid()}.wasm"
    while time.monotonic() < end:
        if rng.random() < args.functions:
            parse(args.wasm_tools, random_functions(rng), path)
        elif not smith(args.wasm_tools, rng, path):
            continue
        yield path
    path.unlink(missing_ok=True)


def report_of(runner: subprocess.Popen[str], path: Path) -> list[str] | None:
    assert runner.stdin is not None and runner.stdout is not None
    runner.stdin.write(f"{path}\n")
    runner.stdin.flush()
    lines: list[str] = []
    for line in runner.stdout:
        if line == "end\n":
            return lines
        lines.append(line.rstrip("\n"))
    return None


def keep(work: Path, path: Path, text: str) -> None:
    binary = path.read_bytes()
    stem = work / f"{zlib.crc32(binary):08x}"
    stem.with_suffix(".wasm").write_bytes(binary)
    stem.with_suffix(".txt").write_text(text + "\n")
