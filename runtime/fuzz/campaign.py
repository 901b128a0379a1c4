#!/usr/bin/env python3
"""Runs the fuzz targets for a number of hours of CPU time, from corpora that are kept: see ci/fuzz_campaign.sh.

In: the targets, kept corpora, seeds.py. Out: minimised corpora, inputs that failed, a table; status 1 if there are any.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import corpora
import line_coverage

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROUND = 120.0  # seconds of CPU of one target before the next one
AFTER = 300.0  # seconds after --until in which corpora are still minimised
COMPARISONS = {  # runners that compare with another engine: they have no corpus
    "diff_tiers": ["diff_tiers.py", "--runner", "run_tiers"],
    "diff_wasmtime": ["diff_wasmtime.py", "--runner", "run_exec"],
    "diff_calls": ["diff_components.py", "calls", "--runner", "run_call"],
    "diff_calls_compiled": ["diff_components.py", "calls", "--engine", "compiled-at-once", "--runner", "run_call"],
    "diff_verdicts": ["diff_components.py", "verdicts", "--runner", "run_call"],
}
PLAIN = {"fuzz_tiers", "fuzz_cache_code"}  # built without sanitizers: they would turn machine code off


@dataclass
class Target:
    """What has become of one target."""

    name: str
    executions: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    found: list[Path] = field(default_factory=list)
    files: int = 0
    size: int = 0
    reach: str = ""
    problem: str = ""


@dataclass
class Campaign:
    """Where things are, and how much of the machine is used."""

    build: Path
    plain: Path
    work: Path
    jobs: int
    timeout: int
    rss: int
    until: float

    def built(self, name: str) -> Path:
        return (self.plain if name in PLAIN else self.build) / "fuzz" / name

    def program(self, name: str) -> Path:
        """A copy of the program, so that a build in the meantime changes nothing."""
        return self.work / "running" / name

    def corpus(self, name: str) -> Path:
        return self.work / "corpora" / name


def targets() -> list[str]:
    return [*sorted(path.stem for path in HERE.glob("fuzz_*.c")), *COMPARISONS]


def run(command: list[str], log: Path, limit: float) -> tuple[int, float, float]:
    """Runs a command for at most `limit` seconds. Returns its status, CPU time and wall time, of its children too."""
    begun = time.monotonic()
    with log.open("wb") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True)
        try:
            while True:
                pid, status, usage = os.wait4(child.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > begun + limit:
                    os.killpg(child.pid, signal.SIGKILL)
                    _, status, usage = os.wait4(child.pid, 0)
                    break
                time.sleep(0.2)
        except KeyboardInterrupt:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, time.monotonic() - begun


def settings(name: str) -> list[str]:
    """The options of a target: NAME.options (as OSS-Fuzz reads it) and NAME.dict."""
    options: list[str] = []
    file = HERE / f"dictionaries/{name}.options"
    if file.exists():
        pairs = re.findall(r"^(\w+) *= *(\S+)$", file.read_text(), re.MULTILINE)
        options += [f"-{key}={value}" for key, value in pairs]
    words = HERE / f"dictionaries/{name}.dict"
    return [*options, f"-dict={words}"] if words.exists() else options


def slice_of(c: Campaign, t: Target, seconds: float) -> None:
    """Lets a target run for so many seconds of CPU, or until it finds something."""
    found, log = c.work / "found", c.work / f"{t.name}.log"
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.glob(f"{t.name}-*"))
    wall = max(5, int(seconds / c.jobs))
    command = [str(c.program(t.name)), f"-max_total_time={wall}", f"-timeout={c.timeout}", f"-rss_limit_mb={c.rss}", "-print_final_stats=1",
               f"-artifact_prefix={found}/{t.name}-", *settings(t.name)]  # fmt: skip
    if c.jobs > 1:
        command += [f"-fork={c.jobs}", "-ignore_crashes=1", "-ignore_timeouts=1", "-ignore_ooms=1"]
    status, cpu, took = run([*command, str(c.corpus(t.name))], log, wall * 3 + 300)
    text = log.read_text(errors="replace")
    t.cpu += cpu
    t.wall += took
    counts = re.findall(r"number_of_executed_units: (\d+)", text) or re.findall(r"^#(\d+)[:\t]", text, re.MULTILINE)[-1:]
    t.executions += int(counts[-1]) if counts else 0
    new = sorted(path for path in set(found.glob(f"{t.name}-*")) - before if "-slow-unit-" not in path.name)
    real = [path for path in new if "-timeout-" not in path.name or is_slow(c, t.name, path)]
    t.found += real
    if real:
        shutil.copy(log, real[0].with_name(real[0].name + ".log"))
    elif not new and status not in (0, -9):
        t.problem = f"ended with status {status}: {log}"


def is_slow(c: Campaign, name: str, path: Path) -> bool:
    """Whether an input takes too long alone, too. libFuzzer counts wall time, of which a busy machine gives a target little."""
    log = c.work / f"{name}.again.log"
    status, _, _ = run([str(c.program(name)), f"-timeout={c.timeout}", f"-rss_limit_mb={c.rss}", *settings(name), str(path)], log, c.timeout * 10 + 60)
    if status == 0:
        path.unlink()
    return status != 0


def compared(text: str) -> int:
    """How many inputs a comparison says that it tried."""
    found = re.search(r"(\d+) (?:modules|components|inputs|cases|verdicts)\b", text)
    return int(found[1]) if found else 0


def compare(c: Campaign, t: Target, seconds: float) -> None:
    """The same for a comparison with another engine, which runs one module after the other."""
    script, *rest = COMPARISONS[t.name]
    work = c.work / "found" / t.name
    words = [str(ROOT / "build/fuzz" / word) if word.startswith("run_") else word for word in rest]
    log = c.work / f"{t.name}.log"
    limit = seconds * 3 + 300
    status, cpu, took = run([sys.executable, str(HERE / script), *words, "--seconds", str(max(5, int(seconds))), "--work", str(work)], log, limit)
    text = log.read_text(errors="replace")
    t.cpu += cpu
    t.wall += took
    t.executions += compared(text)
    if status == -signal.SIGKILL and took >= limit:
        t.problem = f"did not end in {limit:.0f} s, and was killed: {log}"
    elif status:
        t.found.append(log.rename(log.with_name(f"{t.name}-{int(time.time())}.log")))


def minimise(c: Campaign, name: str) -> None:
    """Leaves the fewest files that reach the same."""
    old, new = c.corpus(name), c.corpus(name + ".new")
    limit = min(3600.0, c.until - time.monotonic() + AFTER)
    if limit < 10 or not old.exists() or not any(old.iterdir()):
        return
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    command = [str(c.program(name)), "-merge=1", f"-timeout={c.timeout}", f"-rss_limit_mb={c.rss}", *settings(name), f"-artifact_prefix={c.work}/found/{name}-"]
    status, _, _ = run([*command, str(new), str(old)], c.work / f"{name}.merge.log", limit)
    if status == 0 and any(new.iterdir()):
        shutil.rmtree(old)
        new.rename(old)
    else:
        shutil.rmtree(new)


def build(c: Campaign, wanted: list[str]) -> bool:
    sanitized = [n for n in wanted if n not in PLAIN and n not in COMPARISONS]
    plain = [n for n in wanted if n in PLAIN]
    runners = sorted({word for n in wanted if n in COMPARISONS for word in COMPARISONS[n] if word.startswith("run_")})
    steps = [("fuzz-build", c.build, sanitized), ("fuzz-build-plain", c.plain, plain)]
    if runners and subprocess.run(["make", "-s", f"-j{c.jobs}", "all", *(f"build/fuzz/{r}" for r in runners)], cwd=ROOT, check=False).returncode:
        return False
    for goal, folder, names in steps:
        if not names:
            continue
        print(f"fuzz: building {' '.join(names)}", flush=True)
        command = ["make", "--no-print-directory", "-s", f"-j{c.jobs}", goal, f"FUZZ_BUILD={folder.relative_to(ROOT)}", f"FUZZ_NAMES={' '.join(names)}"]
        if subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode:
            return False
    for name in [*sanitized, *plain]:
        c.program(name).parent.mkdir(parents=True, exist_ok=True)
        c.program(name).unlink(missing_ok=True)
        shutil.copy2(c.built(name), c.program(name))
    return True


def repeat(c: Campaign, path: Path) -> str:
    name = next((n for n in targets() if path.name.startswith(n + "-")), path.name)
    if name in COMPARISONS:
        return f"see {path} and {c.work / 'found' / name}"
    return f"{c.built(name).relative_to(ROOT)} {path}"


def table(done: list[Target]) -> str:
    rows = [("target", "executions", "a second", "CPU", "files", "KiB", "lines", "found")]
    for t in done:
        speed = f"{t.executions / t.wall:.0f}" if t.wall else "-"
        rows.append((t.name, str(t.executions), speed, str(timedelta(seconds=int(t.cpu))), str(t.files or "-"), str(t.size // 1024 or "-"), t.reach or "-", str(len(t.found))))
    rows.append(("all", str(sum(t.executions for t in done)), "", str(timedelta(seconds=int(sum(t.cpu for t in done)))), str(sum(t.files for t in done)),
                 str(sum(t.size for t in done) // 1024), "", str(sum(len(t.found) for t in done))))  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))) for row in rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzzes for some hours of CPU time, and keeps what was learnt.")
    parser.add_argument("hours", type=float, metavar="HOURS", help="of CPU time, of all targets together")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="fuzz_NAME, diff_NAME [all]")
    parser.add_argument("--corpora", default=os.environ.get("FUZZ_CORPORA", "build-fuzz/corpora"), help="a folder, an archive, or branch:NAME")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", os.cpu_count() or 1)), help="processes at a time [processors]")
    parser.add_argument("--timeout", type=int, default=20, help="seconds for one input [20]")
    parser.add_argument("--rss", type=int, default=2560, help="MiB of memory for one process [2560]")
    parser.add_argument("--until", help="HH:MM: no target starts later, and running ones end then")
    parser.add_argument("--no-coverage", action="store_true", help="do not count the lines that the corpora reach")
    parser.add_argument("--no-seeds", action="store_true", help="begin with the kept corpora alone")
    parser.add_argument("--no-merge", action="store_true", help="keep the corpora as they have grown")
    args = parser.parse_args()
    unknown = [name for name in args.targets if name not in targets()]
    if unknown:
        parser.error(f"there is no target {unknown[0]}; there are {', '.join(targets())}")
    if args.hours <= 0 or args.jobs < 1:
        parser.error("HOURS and --jobs are more than 0")
    if args.until and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", args.until):
        parser.error("--until is HH:MM")
    return args


def deadline(text: str | None) -> float:
    if not text:
        return float("inf")
    now = datetime.now()
    at = now.replace(hour=int(text[:2]), minute=int(text[3:]), second=0, microsecond=0)
    return time.monotonic() + (at - now + timedelta(days=at <= now)).total_seconds()


def fuzz(c: Campaign, done: list[Target], hours: float) -> None:
    """Every target in turn, until each has had its share."""
    share = hours * 3600 / len(done)
    while True:
        waiting = [t for t in done if t.cpu < share - 1 and not t.problem and len(t.found) < 20]
        if not waiting:
            return
        for t in waiting:
            seconds = min(ROUND, share - t.cpu, (c.until - time.monotonic()) * c.jobs)
            if seconds < 5:
                return
            (compare if t.name in COMPARISONS else slice_of)(c, t, seconds)
            print(f"fuzz: {t.name}: {t.executions} executions, {t.cpu:.0f} s of CPU, {len(t.found)} found", flush=True)


def main() -> int:
    args = arguments()
    work = ROOT / "build-fuzz"
    c = Campaign(work, ROOT / "build-fuzz-plain", work, args.jobs, args.timeout, args.rss, deadline(args.until))
    wanted = args.targets or targets()
    if not build(c, wanted):
        print("fuzz: the build failed", file=sys.stderr)
        return 2
    names = [name for name in wanted if name not in COMPARISONS]
    place = corpora.Place.of(args.corpora)
    place.load(work / "corpora")
    if not args.no_seeds:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, HERE / "seeds.py", folder], check=True)
            for name in names:
                corpora.add(Path(folder, name), c.corpus(name))
    for name in names:
        c.corpus(name).mkdir(parents=True, exist_ok=True)
    done = [Target(name) for name in wanted]
    try:
        fuzz(c, done, args.hours)
    except KeyboardInterrupt:
        place.save(work / "corpora")
        print(f"\nfuzz: interrupted; the corpora are kept in {args.corpora}, not minimised\n\n{table(done)}")
        return 130
    for t in done:
        if t.name in COMPARISONS:
            continue
        if not args.no_merge:
            minimise(c, t.name)
        files = list(c.corpus(t.name).iterdir())
        t.files, t.size = len(files), sum(f.stat().st_size for f in files)
    place.save(work / "corpora")
    if not args.no_coverage:
        report = line_coverage.of_corpora(names, work / "corpora", args.jobs)
        for t in done:
            t.reach = report.lines(t.name)
        print("\n" + report.text())
    print("\n" + table(done))
    for t in done:
        if t.problem:
            print(f"fuzz: {t.name}: {t.problem}")
        for path in t.found:
            print(f"fuzz: {t.name} found {path}; to repeat it: {repeat(c, path)}")
    return 1 if any(t.found or t.problem for t in done) else 0


if __name__ == "__main__":
    raise SystemExit(main())
