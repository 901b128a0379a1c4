#!/usr/bin/env python3
"""Builds touchstone with one fault each, runs the suites on it, and counts which faults turn them red.

Usage: run.py --cc "CC" --cflags "FLAGS" --libs "LIBS" [--jobs N] [--sample N --seed N] [--area AREA] [--key TEXT] [--output FILE]
In: the tree, `areas.toml`, `hand.toml`, `equivalent.tsv`. Out: a table, the survivors, and mutants.jsonl with a line for each fault.
Exit status: 0 when at least 95 % of the faults that are not equivalent are caught (with --sample: when none survives), else 1.

`make mutants` calls it. The faults are put into copies below build-mutants; the tree and the product have none.
1. One instrumented build tells which functions each case enters.
2. A fault is compiled (one object), linked, and the cases that run its function are run until one is red, then the scripts.
A fault that does not compile, or compiles to the same code, is no fault. One whose function nothing runs survives.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build-mutants"
sys.path.insert(0, str(HERE))
import functions  # noqa: E402
import mutate  # noqa: E402
from assay.cases.versions import version_of  # noqa: E402
from judged import Suites  # noqa: E402

ENOUGH = 0.95
SHARE = 0.5  # a run with a fault gets this share of its case's time limit


@dataclass(frozen=True)
class Area:
    name: str
    faults: int
    files: tuple[str, ...]
    scripts: tuple[str, ...]
    versions: bool  # whether the cases against each 0.2.x run too: they enter the same code, except where versions are linked
    without: dict[str, str]


@dataclass(frozen=True)
class Job:
    area: Area
    fault: mutate.Fault
    hand: str = ""  # the name of a fault made by hand

    @property
    def name(self) -> str:
        return hashlib.sha256(f"{self.hand}{self.fault.key}{self.fault.new}".encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Result:
    job: Job
    # caught; recorded: only a value that no text decides is another one; survived; uncovered: no case enters the function;
    # equivalent: it is in equivalent.tsv, and was not run;
    # invalid: it does not compile, or to the same code
    state: str
    by: str
    seconds: float


@dataclass(frozen=True)
class Tools:
    cc: list[str]
    cflags: list[str]
    libs: list[str]


def areas() -> list[Area]:
    found = []
    for name, a in tomllib.loads((HERE / "areas.toml").read_text("utf-8"))["area"].items():
        files = sorted({str(p.relative_to(ROOT)) for f in a["files"] for p in ROOT.glob(f)})
        found.append(Area(name, a["faults"], tuple(files), tuple(a.get("scripts", ())), a.get("versions", False), a.get("without", {})))
    return found


def chosen(area: Area) -> list[Job]:
    """Faults of an area: the kinds in turn, so that none is rare, at places that the key's hash picks. The same ones for the same text."""
    kinds: dict[str, list[mutate.Fault]] = defaultdict(list)
    for file in area.files:
        for fault in mutate.faults(file, (ROOT / file).read_bytes()):
            if fault.function not in area.without:
                kinds[fault.kind].append(fault)
    for of in kinds.values():
        of.sort(key=lambda f: hashlib.sha256(f.key.encode()).digest())
    turn = []
    while any(kinds.values()):
        turn += [of.pop(0) for of in kinds.values() if of]
    return [Job(area, f) for f in turn]


def by_hand(of: list[Area]) -> list[Job]:
    path = HERE / "hand.toml"
    jobs = []
    for h in tomllib.loads(path.read_text("utf-8")).get("fault", []) if path.exists() else []:
        source = (ROOT / h["file"]).read_bytes()
        old, new = h["find"].encode(), h["replace"]
        if source.count(old) != 1:
            raise SystemExit(f"{path}: {h['id']}: {h['file']} has the text {source.count(old)} times instead of once")
        start = source.index(old)
        function = next((m for m in reversed(re.findall(r"^[a-z][\w *]*?\b(\w+)\(.*(?:[^;]|\n +[^;]*)\{$", source[:start].decode(), re.M))), "?")
        line = source[:start].count(b"\n") + 1
        fault = mutate.Fault(h["file"], function, h["kind"], line, start, start + len(old), new, h["find"], 1)
        area = next((a for a in of if a.name == h["area"]), None)
        if not area:
            raise SystemExit(f"{path}: {h['id']}: no area {h['area']}")
        jobs.append(Job(area, fault, h["id"]))
    return jobs


def equivalent() -> dict[str, str]:
    """Keys of faults that change nothing that can be seen, and why."""
    return mutate.reasons(HERE / "equivalent.tsv")


def caught_before() -> dict[str, str]:
    """The names of the faults that a run with --keep-caught caught, and the case or script that was red."""
    path = HERE / "caught.txt"
    if not path.exists():
        raise SystemExit(f"{path} is absent: a run with --keep-caught writes it, and --sample draws from it")
    return dict(line.split("\t") for line in path.read_text("utf-8").splitlines())  # type: ignore[misc]


# --- building -------------------------------------------------------------------------------------------------------------
def make(name: str, opt: str, more: str = "") -> None:
    """Builds the command in a folder of build-mutants; `more` are further assignments, each up to the next ` NAME=`."""
    command = ["make", "--no-print-directory", "-C", str(ROOT), f"BUILD={WORK.name}/{name}", f"OPT={opt}", "-j2"]
    command += re.split(r" (?=[A-Z]+=)", more) if more else []
    done = subprocess.run([*command, f"{WORK.name}/{name}/touchstone"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"mutants: the build in {WORK.name}/{name} failed:\n{done.stderr[-2000:]}")


def compiled_from(file: str) -> str:
    """The .c file whose object holds a file: itself, or what includes the header."""
    return file if file.endswith(".c") else "runtime/core/run/exec.c"


def compiled(tools: Tools, source: Path, folder: Path, made: Path) -> bool:
    """Compiles a file, with headers of `folder` before those of the tree. Returns whether it compiles."""
    quiet = ["-Wno-everything", "-Werror=incompatible-pointer-types", "-Werror=int-conversion"]
    flags = [f for f in tools.cflags if not f.startswith(("-W", "-MM", "-MP", "-g"))]
    # no paths in the object, so that equal code is an equal file
    command = [*tools.cc, f"-I{folder}/runtime", *flags, *quiet, f"-ffile-prefix-map={folder}/=", f"-ffile-prefix-map={ROOT}/="]
    return subprocess.run([*command, "-c", str(source), "-o", str(made)], cwd=ROOT, capture_output=True).returncode == 0


def build(job: Job, tools: Tools, folder: Path) -> Path | None:
    """The mutant's program, or None when it does not compile, or compiles to the same code."""
    overlay = folder / job.fault.file
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_bytes(job.fault.apply((ROOT / job.fault.file).read_bytes()))
    source = compiled_from(job.fault.file)
    here = folder / source if source == job.fault.file else ROOT / source
    made = folder / "mutant.o"
    plain = WORK / "plain" / source.replace(".c", ".o")
    if not compiled(tools, here, folder, made) or (plain.exists() and made.read_bytes() == plain.read_bytes()):
        return None
    objects = WORK / "base/obj"
    replaced = objects / source.removeprefix(f"{WORK.name}/base/").replace(".c", ".o")  # generated code is below gen
    parser = objects / "http_parser.o"
    if source == "runtime/http/server/wire.c" and parser.exists():
        replaced = parser
        made_with = [made, *sorted((objects / "llhttp").glob("*.o"))]
    else:
        made_with = [made]
    rest = [o for o in sorted(objects.rglob("*.o")) if o != replaced and "llhttp" not in o.parts and not in_parser(o, parser)]
    rest = [o for o in rest if not {"tests", "fuzz", "examples"} & set(o.relative_to(objects).parts) and current(o, objects)]
    program = folder / "touchstone"
    link = [*tools.cc, *map(str, made_with), *map(str, rest), "-o", str(program), *tools.libs]
    linked = subprocess.run(link, cwd=ROOT, capture_output=True, text=True)
    if linked.returncode:
        raise SystemExit(f"mutants: {job.fault.key} compiles, but cannot be linked:\n{linked.stderr[-1500:]}")
    return program


def current(o: Path, objects: Path) -> bool:
    """Whether an object's source is still there: a build folder keeps those of files that have gone."""
    source = o.relative_to(objects).with_suffix(".c")
    return source.parts[0] != "runtime" or (ROOT / source).exists()


def in_parser(o: Path, parser: Path) -> bool:
    return parser.exists() and o.parts[-3:] == ("http", "server", "wire.o")


# --- what runs what --------------------------------------------------------------------------------------------------------
def symbols() -> dict[int, str]:
    """The functions of the instrumented build, by their distance from its start in units of 4 bytes."""
    out = subprocess.run(["nm", str(WORK / "entered/touchstone")], capture_output=True, text=True, check=True).stdout
    found: dict[int, str] = {}
    start = 0
    for line in out.splitlines():
        at, _, rest = line.strip().partition(" ")
        kind, _, name = rest.partition(" ")
        if name == "__executable_start":
            start = int(at, 16)
        elif kind in ("t", "T"):
            found[int(at, 16)] = name.split(".")[0]
    return {(at - start) // 4: name for at, name in found.items()}


def functions_of(folder: Path, names: dict[int, str]) -> set[str]:
    """The functions that the processes of a folder have entered."""
    found = set()
    for path in folder.glob("*.entered"):
        bits = path.read_bytes()
        found |= {name for at, name in names.items() if bits[at // 8 : at // 8 + 1] and bits[at // 8] >> at % 8 & 1}
    return found


def wrapper(folder: Path) -> Path:
    """A program that runs the instrumented build and keeps what it has entered in a folder."""
    path = folder / "touchstone"
    path.write_text(f'#!/bin/sh\nexport TOUCHSTONE_ENTERED="{folder}/$$.entered"\nexec "{WORK}/entered/touchstone" "$@"\n')
    path.chmod(0o755)
    return path


def runs(suites: Suites, jobs: int) -> dict[str, set[str]]:
    """For each case, the functions that it runs. Kept below build-mutants until the sources or the suites change."""
    digest = hashlib.sha256()
    for p in sorted([*(ROOT / "runtime").rglob("*.[ch]"), *(ROOT / "suites/p2").rglob("case.toml"), *(ROOT / "fixtures").glob("SHA*")]):
        digest.update(p.read_bytes())
    kept = WORK / "runs.json"
    if kept.exists() and (was := json.loads(kept.read_text()))["digest"] == digest.hexdigest() and was["runs"].keys() >= set(suites.cases):
        return {k: set(was["runs"][k]) for k in suites.cases}
    flags = "-finstrument-functions -finstrument-functions-exclude-file-list=runtime/core/run/exec"
    helper = WORK / "entered.o"
    subprocess.run(["gcc", "-O2", "-c", str(HERE / "enter.c"), "-o", str(helper)], check=True)
    make("entered", "-O1", f"CC=gcc CFLAGS={flags} LDFLAGS={helper}")
    names = symbols()

    def one(case: str) -> tuple[str, set[str]]:
        folder = WORK / "profiles" / case
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        suites.try_cases(wrapper(folder), [case], 1.0)
        entered = functions_of(folder, names)
        shutil.rmtree(folder)
        return case, entered

    with ThreadPoolExecutor(jobs) as pool:
        found = dict(pool.map(one, suites.cases))
    kept.write_text(json.dumps({"digest": digest.hexdigest(), "runs": {k: sorted(v) for k, v in found.items()}}))
    return found


# --- one fault ---------------------------------------------------------------------------------------------------------------
def entering(job: Job, seen: dict[str, set[str]]) -> list[str]:
    """The cases that run the function of a fault, those that run the fewest functions first."""
    cases = (c for c, of in seen.items() if job.fault.function in of and (job.area.versions or not version_of(c)))
    return sorted(cases, key=lambda c: len(seen[c]))


def try_fault(job: Job, tools: Tools, suites: Suites, cases: Collection[str], scripts: Collection[str]) -> Result:
    """Builds a fault, and runs the cases and then the scripts until one is red."""
    begun = time.monotonic()
    folder = WORK / "mutants" / job.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        program = build(job, tools, folder)
        if not program:
            return Result(job, "invalid", "", time.monotonic() - begun)
        inline = job.fault.file.endswith(".h")
        by, other = suites.try_cases(program, cases, SHARE)
        if by := by or suites.red_script(program, scripts):
            return Result(job, "caught", by, time.monotonic() - begun)
        if other:
            return Result(job, "recorded", other, time.monotonic() - begun)
        state = "survived" if cases or inline or scripts else "uncovered"
        return Result(job, state, f"{len(cases)} cases", time.monotonic() - begun)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(results: list[Result], same: dict[str, str], output: Path, sample: bool) -> int:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    lines = []
    for r in results:
        f = r.job.fault
        why = same.get(f.key, "") if r.state not in ("caught", "invalid") else ""
        # what was red before and now only records another value has lost its check
        lost = r.state == "uncovered" or (sample and r.state == "recorded")
        state = "equivalent" if why else "survived" if lost else r.state
        lines.append({"area": r.job.area.name, "kind": f.kind, "key": f.key, "line": f.line, "new": f.new, "hand": r.job.hand,
                      "state": state, "by": r.by, "why": why, "seconds": round(r.seconds, 2)})  # fmt: skip
        for key in ((r.job.area.name, "all"), ("all", f.kind), ("all", "all")):
            counts[key][state] += 1
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("".join(json.dumps(line) + "\n" for line in lines))
    columns = ("caught", "survived", "equivalent", "recorded")
    print(f"{'area or kind':24}{'faults':>8}" + "".join(f"{c:>12}" for c in columns) + f"{'caught %':>10}")
    for (area, kind), of in sorted(counts.items(), key=lambda c: (c[0][0] == "all", c[0][1] == "all", c[0])):
        print(f"{area if kind == 'all' else kind:24}{of.total() - of['invalid']:8}" + "".join(f"{of[c]:12}" for c in columns)
              + f"{100 * share_caught(of):10.1f}")  # fmt: skip
    for r, line in zip(results, lines, strict=True):
        if line["state"] == "survived":
            f = r.job.fault
            old, new = " ".join(f.old.split())[:90], " ".join(f.new.split())[:90]
            print(f"{r.state}: {f.file}:{f.line} {f.function}: {r.job.hand or f.kind}: {old}  ->  {new}")
    of = counts[("all", "all")]
    print(f"mutants: {of['caught']} of {of['caught'] + of['survived']} caught, {of['equivalent']} equivalent, "
          f"{of['recorded']} recorded, {of['invalid']} changed no code or did not compile")  # fmt: skip
    good = of["survived"] == 0 if sample else share_caught(of) >= ENOUGH
    return 0 if good else 1


def share_caught(of: Counter[str]) -> float:
    """The share of the faults that can be caught: those that are equivalent, or that only change what is left open, cannot."""
    return of["caught"] / (of["caught"] + of["survived"]) if of["caught"] + of["survived"] else 1.0


def main() -> int:
    p = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    p.add_argument("--cc", required=True)
    p.add_argument("--cflags", required=True)
    p.add_argument("--libs", required=True)
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    p.add_argument("--sample", type=int, default=0, help="only so many of the faults in caught.txt, picked by --seed, each with what caught it")
    p.add_argument("--keep-caught", action="store_true", help="rewrite caught.txt")
    p.add_argument("--seed", default="0")
    p.add_argument("--area", default="")
    p.add_argument("--key", default="", help="only faults whose key contains this")
    p.add_argument("--equivalent", action="store_true", help="run those of equivalent.tsv too: one that is caught is not equivalent")
    p.add_argument("--hand", action="store_true", help="only the faults made by hand")
    p.add_argument("--functions", action="store_true", help="instead: each function of WASI does nothing (functions.py); with --key, those whose name contains it")
    p.add_argument("--output", type=Path, default=WORK / "mutants.jsonl")
    a = p.parse_args()
    tools = Tools(shlex.split(a.cc), shlex.split(a.cflags), shlex.split(a.libs))
    all_areas = areas()
    if a.functions:
        make("base", "-O1")
        return functions.run(lambda f, folder: build(Job(all_areas[0], f), tools, folder), WORK / "base", ROOT, a.key, a.jobs, SHARE)
    jobs = by_hand(all_areas)
    if not a.hand:
        for area in all_areas:
            jobs += chosen(area)[: area.faults * 5 // 4 if not a.key else None]
    jobs = [j for j in jobs if a.area in ("", j.area.name) and a.key in j.fault.key]
    before = caught_before() if a.sample else {}
    if a.sample:
        jobs = [j for j in jobs if j.name in before]
        jobs = random.Random(a.seed).sample(jobs, min(a.sample, len(jobs)))
    make("base", "-O1")
    scripts = {before[j.name] for j in jobs} if a.sample else {p for j in jobs for p in j.area.scripts}
    for source in sorted({compiled_from(j.fault.file) for j in jobs}):
        plain = WORK / "plain" / source.replace(".c", ".o")
        plain.parent.mkdir(parents=True, exist_ok=True)
        compiled(tools, ROOT / source, WORK / "plain", plain)
    suites = Suites(ROOT, scripts, any(j.area.versions for j in jobs))
    needed = sorted({before[j.name] for j in jobs} & set(suites.cases)) if a.sample else suites.cases
    if by := suites.learn(WORK / "base/touchstone", needed, SHARE, a.jobs):
        print(f"mutants: {by} is red without a fault; nothing can be said")
        return 1
    seen = {} if a.sample else runs(suites, a.jobs)
    print(f"mutants: {len(jobs)} faults, {len(needed)} cases", flush=True)
    results: list[Result] = []
    same = equivalent()
    quota = {area.name: area.faults for area in all_areas}

    def one(job: Job) -> Result | None:
        if not job.hand and not a.key and sum(r.job.area == job.area and not r.job.hand and r.state != "invalid" for r in results) >= quota[job.area.name]:
            return None
        if job.fault.key in same and not a.equivalent:
            r = Result(job, "equivalent", "not run", 0.0)
        elif a.sample:
            by = before[job.name]
            is_case = by in suites.cases
            # whether a fault in waiting code shows depends on timing, so its case runs up to three times
            r = try_fault(job, tools, suites, [by] * 3 if is_case else [], [] if is_case else [by])
        else:
            r = try_fault(job, tools, suites, entering(job, seen), job.area.scripts)
        results.append(r)
        if sys.stderr.isatty() or os.environ.get("MUTANTS_VERBOSE"):
            print(f"{len(results)}/{len(jobs)} {r.state} {job.fault.key} {r.by} {r.seconds:.1f} s", file=sys.stderr, flush=True)
        return r

    with ThreadPoolExecutor(a.jobs) as pool:
        list(pool.map(one, jobs))
    results.sort(key=lambda r: r.job.fault.key)
    if a.keep_caught:
        (HERE / "caught.txt").write_text("".join(sorted(f"{r.job.name}\t{r.by}\n" for r in results if r.state == "caught")))
    return report(results, same, a.output, bool(a.sample))


if __name__ == "__main__":
    sys.exit(main())
