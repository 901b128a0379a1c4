"""The lines of the runtime that the corpora of the fuzz targets reach.

In: the corpora, a build with clang's counters (`make fuzz-build-coverage`), llvm-profdata and llvm-cov of the same version.
Out: for each target and for all of them, lines reached and lines that there are, by group of files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build-fuzz-coverage"
# The first group whose pattern is found in a file's path has the file.
GROUPS = {
    "decode": r"core/module/(decode|module|names)|base/reader",
    "validate": r"core/module/(validate|types|wasm_ops)",
    "compile": r"core/code/",
    "machine code": r"core/native/",
    "execute": r"core/run/",
    "DWARF": r"core/debug/",
    "cache": r"core/load/",
    "component decode": r"component/binary/",
    "ABI": r"component/abi/",
    "component names, WAVE": r"component/type/",
    "component run": r"component/run/",
    "HTTP parsers": r"http/(message|uri|server/wire|client/chunked)",
    "HTTP client": r"http/client/",
    "policy, TOML": r"wasi/policy/|base/(toml|quantity|number)|wasi/grants",
    "record, replay": r"wasi/replay",
    "preview 1": r"wasi/preview1/",
    "WASI": r"runtime/wasi/(?!confine)",
    "script runner": r"cli/wast/",
    "inspect": r"cli/(inspect|sizes)|core/tools/listing",
}
# The groups that a target is about: the column `lines` of the campaign's table.
ABOUT = {
    "fuzz_module": ["decode", "validate"], "fuzz_exec": ["compile", "execute"], "fuzz_tiers": ["machine code"], "fuzz_component": ["component decode"],
    "fuzz_call": ["ABI"], "fuzz_http": ["HTTP parsers"], "fuzz_client": ["HTTP client"], "fuzz_wave": ["component names, WAVE"],
    "fuzz_names": ["component names, WAVE"], "fuzz_policy": ["policy, TOML"], "fuzz_record": ["record, replay"], "fuzz_cache": ["cache"],
    "fuzz_cache_code": ["cache"],
    "fuzz_dwarf": ["DWARF"], "fuzz_wasi": ["WASI"], "fuzz_preview1": ["preview 1"], "fuzz_wast": ["script runner"], "fuzz_inspect": ["inspect"],
}  # fmt: skip


def tool(name: str) -> str | None:
    """llvm-NAME of the compiler's version: $LLVM_BIN, then by the version's name, then the plain name."""
    folder = os.environ.get("LLVM_BIN")
    if folder and Path(folder, f"llvm-{name}").exists():
        return str(Path(folder, f"llvm-{name}"))
    return next((found for v in ("-22", "-21", "-20", "-19", "") if (found := shutil.which(f"llvm-{name}{v}"))), None)


def group_of(path: str) -> str | None:
    return next((name for name, pattern in GROUPS.items() if re.search(pattern, path)), None)


@dataclass
class Report:
    """Lines (reached, all) by file, for each target and for `all`; why there are none."""

    files: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    missing: str = ""

    def groups(self, target: str) -> dict[str, tuple[int, int]]:
        sums = dict.fromkeys(GROUPS, (0, 0))
        for path, (reached, count) in self.files.get(target, {}).items():
            if name := group_of(path):
                sums[name] = (sums[name][0] + reached, sums[name][1] + count)
        return sums

    def lines(self, target: str) -> str:
        """The share of the lines that the target is about."""
        groups = self.groups(target)
        reached, count = (sum(groups[name][i] for name in ABOUT.get(target, [])) for i in (0, 1))
        return f"{100 * reached / count:.1f} %" if count else ""

    def text(self) -> str:
        if self.missing:
            return f"fuzz: no lines are counted: {self.missing}"
        rows = [(name, f"{r} of {n}", f"{100 * r / n:.1f} %") for name, (r, n) in self.groups("all").items() if n]
        width = max(len(name) for name, _, _ in rows)
        return "\n".join(["lines reached by all targets:", *(f"  {name.ljust(width)}  {share.rjust(7)}  {count}" for name, count, share in rows)])


def export(cov: str, programs: list[Path], profile: Path) -> dict[str, tuple[int, int]]:
    objects = [word for program in programs[1:] for word in ("-object", str(program))]
    done = subprocess.run([cov, "export", "-summary-only", f"-instr-profile={profile}", str(programs[0]), *objects], check=True, capture_output=True)
    found: dict[str, tuple[int, int]] = {}
    for file in json.loads(done.stdout)["data"][0]["files"]:
        name = file["filename"]
        found[name[max(0, name.find("runtime/")) :]] = (file["summary"]["lines"]["covered"], file["summary"]["lines"]["count"])
    return found


def of_corpora(names: list[str], corpora: Path, jobs: int) -> Report:
    """Runs every corpus once in a build with counters."""
    profdata, cov = tool("profdata"), tool("cov")
    if not profdata or not cov:
        return Report(missing="llvm-profdata and llvm-cov are not installed (Debian: llvm-19; LLVM_BIN=FOLDER)")
    command = ["make", "--no-print-directory", "-s", f"-j{jobs}", "fuzz-build-coverage", f"FUZZ_BUILD={BUILD.name}", f"FUZZ_NAMES={' '.join(names)}"]
    if subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode:
        return Report(missing="the build with counters failed")
    report, profiles = Report(), []
    for name in names:
        raw, profile, log = (BUILD / f"{name}.{kind}" for kind in ("profraw", "profdata", "log"))
        raw.unlink(missing_ok=True)
        env = {**os.environ, "LLVM_PROFILE_FILE": str(raw)}
        with log.open("wb") as out:
            done = subprocess.run([BUILD / "fuzz" / name, "-runs=0", "-timeout=100", "-rss_limit_mb=4096", corpora / name], cwd=ROOT, check=False, stdout=out,
                                  stderr=out, stdin=subprocess.DEVNULL, env=env)  # fmt: skip
        if not raw.exists():
            print(f"fuzz: {name} ended with {done.returncode} in the build with counters: {log}", file=sys.stderr)
            continue
        subprocess.run([profdata, "merge", "-sparse", raw, "-o", profile], check=True)
        raw.unlink()
        report.files[name] = export(cov, [BUILD / "fuzz" / name], profile)
        profiles.append(profile)
    if not profiles:
        return Report(missing="no target ran")
    merged = BUILD / "all.profdata"
    subprocess.run([profdata, "merge", "-sparse", *profiles, "-o", merged], check=True)
    report.files["all"] = export(cov, [BUILD / "fuzz" / profile.stem for profile in profiles], merged)
    return report
