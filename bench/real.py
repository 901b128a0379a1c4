"""make bench REAL=1: programs that people use, from the package registries, on touchstone and on wasmtime.

In: build/touchstone, the programs of bench/real_programs.py. Out: a table on the terminal, build/bench/real/results.json and results.md.
Each run of a program must print and write the same. Exit status 1 if one does not, or if touchstone fails; 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from collections.abc import Callable

import prepare
import real_run
import real_table
from real_build import Program, Ready, ready
from real_fetch import REAL, Absent
from real_programs import PROGRAMS
from real_run import FORMS, Run, RunFailed, measured
from real_table import BEFORE, INTERPRETED, KEPT, NOTHING, OURS, WINCH, Results
from startup import TOUCHSTONE

WINCH_FLAGS = ("-C", "compiler=winch")


def commands(one: Ready, winch: bool) -> dict[str, Callable[[], list[str]]]:
    """The command of each column."""
    of = {
        OURS: lambda: real_run.touchstone(one),
        KEPT: lambda: real_run.kept(one),
        INTERPRETED: lambda: real_run.touchstone(one, "interpreter"),
    }
    if not real_run.wasmtime_command():
        return of
    of[BEFORE] = lambda: real_run.wasmtime(one, real_run.compiled(one, "cranelift"))
    if winch:
        of[WINCH] = lambda: real_run.wasmtime(one, real_run.compiled(one, "winch", WINCH_FLAGS), WINCH_FLAGS)
    of[NOTHING] = lambda: real_run.wasmtime(one)
    return of


def attempt(results: Results, one: Ready, column: str, words: Callable[[], list[str]]) -> None:
    """A column that failed once is not tried again."""
    name = one.program.name
    if column in results.errors.get(name, {}):
        return
    try:
        results.add(name, column, measured(one, words(), column.replace(" ", "-")))
    except RunFailed as why:
        results.fail(name, column, str(why))


def measure(results: Results, programs: list[Ready], rounds: int, winch: bool) -> None:
    """One engine after another, and every round starts with another one. What compiles for a minute is run once."""
    for round_ in range(rounds):
        for one in programs:
            order = list(commands(one, winch).items())
            at = round_ % len(order)
            for column, words in [*order[at:], *order[:at]]:
                if column != NOTHING or round_ == 0:
                    attempt(results, one, column, words)
            prepare.say(f"{one.program.name}, round {round_ + 1} of {rounds}{summary(results, one.program.name)}")


def summary(results: Results, name: str) -> str:
    cpu = ", ".join(f"{column} {run.cpu:.2f} s" for column in results.runs.get(name, {}) if (run := results.best(name, column)))
    failed = "; ".join(f"{column}: {why}" for column, why in results.errors.get(name, {}).items())
    return f": {cpu}" + (f"; {failed}" if failed else "")


def check(results: Results, programs: list[Ready]) -> None:
    """Every form of touchstone, and wasmtime, once."""
    for one in programs:
        columns = {form: (lambda form=form, one=one: real_run.touchstone(one, form)) for form in FORMS}
        if real_run.wasmtime_command():
            columns[BEFORE] = commands(one, winch=False)[BEFORE]
        for column, words in columns.items():
            attempt(results, one, column, words)
        prepare.say(f"{one.program.name}{summary(results, one.program.name)}")


def prepared(results: Results, programs: list[Program]) -> list[Ready]:
    here = []
    for program in programs:
        try:
            here.append(ready(program))
        except Absent as why:
            results.absent[program.name] = str(why)
            prepare.say(f"{program.name} is absent: {why}")
            continue
        results.megabytes[program.name] = here[-1].wasm.stat().st_size / 1e6
    return here


def as_json(results: Results, rounds: int) -> str:
    def of(run: Run | None) -> dict[str, float | str] | None:
        return dataclasses.asdict(run) if run else None

    return json.dumps(
        {
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": {"arch": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()},
            "rounds": rounds,
            "megabytes": results.megabytes,
            "runs": {p: {c: of(results.best(p, c)) for c in columns} for p, columns in results.runs.items()},
            "geometric_mean": {c: results.mean(c) for c in (OURS, KEPT, INTERPRETED, WINCH)},
            "errors": results.errors,
            "absent": results.absent,
        },
        indent=1,
    )


def chosen(text: str | None) -> list[Program]:
    if not text:
        return list(PROGRAMS)
    by_name = {program.name: program for program in PROGRAMS}
    if unknown := [name for name in text.split(",") if name not in by_name]:
        raise SystemExit(f"bench: no program {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [by_name[name] for name in text.split(",")]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", help="names, with commas")
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many counts [3]; wasmtime from nothing runs once")
    parser.add_argument("--winch", action="store_true", help="a column of wasmtime's fast compiler, compiled before")
    parser.add_argument("--check", action="store_true", help="compare outputs in all forms of touchstone, and measure nothing")
    parser.add_argument("--list", action="store_true", help="the programs and their packages")
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error(f"--rounds is {args.rounds}; there has to be one at least")
    return args


def show(programs: list[Program]) -> None:
    for program in programs:
        print(f"{program.name:12} {program.title}\n{'':12} {', '.join(map(str, program.sources))}")


def main() -> int:
    args = arguments()
    try:
        programs = chosen(args.programs)
    except SystemExit as why:
        print(why, file=sys.stderr)
        return 2
    if args.list:
        show(programs)
        return 0
    if not TOUCHSTONE.exists():
        prepare.say(f"{TOUCHSTONE} is absent: run make first")
        return 1
    REAL.mkdir(parents=True, exist_ok=True)
    if not prepare.build_drivers():
        return 1
    if not prepare.find("wasmtime"):
        prepare.install_commands()
    if not real_run.wasmtime_command():
        prepare.say("wasmtime is absent: its columns stay empty")
    results, started, interrupted = Results(), time.monotonic(), False
    try:
        run(args, results, prepared(results, programs))
    except KeyboardInterrupt:
        interrupted = True
    print("\n".join(report(args, results)))
    prepare.say(f"{time.monotonic() - started:.0f} s, {len(results.megabytes)} programs{', interrupted' * interrupted}; build/bench/real")
    return 130 if interrupted else status(results)


def run(args: argparse.Namespace, results: Results, here: list[Ready]) -> None:
    if args.check:
        check(results, here)
    else:
        measure(results, here, args.rounds, args.winch)


def report(args: argparse.Namespace, results: Results) -> list[str]:
    """What was measured, also where a run was interrupted."""
    if args.check:
        same = "DIFFERENT" if results.errors else "the same output"
        return [*real_table.problems(results), f"{len(results.runs)} programs, {', '.join(FORMS)} and wasmtime: {same}"]
    lines = real_table.table(results, args.winch)
    (REAL / "results.json").write_text(as_json(results, args.rounds) + "\n")
    (REAL / "results.md").write_text("\n".join(lines) + "\n")
    return lines


def status(results: Results) -> int:
    """1 where touchstone failed, an output is another one, or no program is here. That wasmtime cannot run one is no fault."""
    theirs = (BEFORE, WINCH, NOTHING)
    wrong = any(c not in theirs or why.startswith("wrong") for failures in results.errors.values() for c, why in failures.items())
    return 1 if wrong or not results.megabytes else 0


if __name__ == "__main__":
    sys.exit(main())
