"""make bench: the programs on every engine that is here, in turn, several rounds; then calls between components, whole processes, and HTTP served.

In: bench/src, build/libtouchstone.a, build/touchstone. Out: tables on the terminal, build/bench/results.json, build/bench/results.md.
BENCH=full: larger work, more rounds, and the large components under every runtime. A wrong result is an error, never a time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import time

import calls
import host
import prepare
import serve
import startup
import table
from engines import Engine, RunFailed, engines
from programs import FULL, Program


def measure(here: list[Engine], programs: list[Program], rounds: int, factor: int) -> table.Results:
    results = table.Results(rounds, [p.name for p in programs], [e.name for e in here], [e.name for e in here if e.kind == "interpreter"])
    expected: dict[str, int] = {}
    # the native build says what is right; without one, our engine: any difference is then an error of one of the two
    order = sorted(here, key=lambda e: (e.kind != "native", e.name != "touchstone"))
    for round_ in range(rounds):
        for program in programs:
            # every round starts with another engine, so that no engine always runs after the same one
            turn = order if round_ == 0 else order[round_ % len(order) :] + order[: round_ % len(order)]
            for engine in turn:
                if (engine.slow and factor == 1 and round_ > 0) or not engine.supports(program):
                    continue
                failures = results.errors.setdefault(engine.name, {})
                if program.name in failures:
                    continue
                try:
                    run = engine.run(program, program.n * factor)
                except (RunFailed, OSError, ValueError) as why:
                    failures[program.name] = str(why)
                    continue
                if run.result != expected.setdefault(program.name, run.result):
                    failures[program.name] = f"wrong result: {run.result}, not {expected[program.name]}"
                    continue
                results.seconds.setdefault(engine.name, {}).setdefault(program.name, {})[round_] = run.seconds
        prepare.say(f"round {round_ + 1} of {rounds}")
    return results


def as_json(results: table.Results, rates: calls.Rates, times: host.Times, loads: serve.Loads, full: bool) -> str:
    means = {e: m for e in results.engines if (m := results.mean(e))}
    return json.dumps(
        {
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": {"arch": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()},
            "full": full,
            "rounds": results.rounds,
            "seconds": {e: {p: list(v.values()) for p, v in ps.items()} for e, ps in results.seconds.items()},
            "ratio_to_wasm3": {
                e: {p: round(r, 4) for p in results.programs if (r := results.ratio(e, p)) is not None} for e in results.engines
            },
            "geometric_mean": {e: {"mean": m[0], "least": m[1], "largest": m[2], "programs": m[3]} for e, m in means.items()},
            "over_best_interpreter": {p: {"ratio": a[0], "best": a[1]} for p in results.programs if (a := results.against_best(p))},
            "errors": {e: f for e, f in results.errors.items() if f},
            "calls": [
                {"where": call.where, "export": call.export, "what": call.title, "bytes": call.size, "seconds_each": times}
                for call, times in rates.seconds.items()
            ],
            "call_errors": {f"{call.source}.{call.export}": failures for call, failures in rates.errors.items()},
            "wasi": [{"guest": t.guest, "mode": t.mode, "what": t.title, "bytes": t.size, "seconds_each": each} for t, each in times.seconds.items()],
            "processes": [dataclasses.asdict(row) for row in results.rows],
            "serving": dataclasses.asdict(loads),
        },
        indent=1,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", help="names, with commas")
    parser.add_argument("--engines", help="first words of names, with commas")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--full", action="store_true", default=os.environ.get("BENCH") == "full")
    parser.add_argument("--no-processes", action="store_true", help="throughput alone")
    parser.add_argument("--only-processes", action="store_true", help="start-up and loading alone")
    parser.add_argument("--no-calls", action="store_true", help="without calls between components and to the host")
    parser.add_argument("--only-calls", action="store_true", help="those alone")
    parser.add_argument("--no-wasi", action="store_true", help="without WASI's functions")
    parser.add_argument("--only-wasi", action="store_true", help="those alone")
    parser.add_argument("--no-serve", action="store_true", help="without HTTP served and instances")
    parser.add_argument("--only-serve", action="store_true", help="those alone")
    args = parser.parse_args()
    if not prepare.LIBRARY.exists():
        prepare.say("build/libtouchstone.a is absent: run make first")
        return 1
    prepare.OUT.mkdir(parents=True, exist_ok=True)
    if not prepare.build_drivers():
        return 1
    only = args.only_calls or args.only_wasi or args.only_serve
    if not only:
        prepare.build_peers()
    programs = [] if only else prepare.build_programs()
    here, absent = engines()
    if args.programs:
        programs = [p for p in programs if p.name in args.programs.split(",")]
    if args.engines:
        here = [e for e in here if e.name.split()[0] in args.engines.split(",") or e.name in args.engines.split(",")]
    for name in absent:
        prepare.say(f"{name} is absent")
    rounds = args.rounds or (7 if args.full else 3)
    started = time.monotonic()
    throughput = not args.only_processes and not only
    results = measure(here, programs if throughput else [], rounds if throughput else 0, FULL if args.full else 1)
    rates = calls.Rates() if args.no_calls or args.only_processes or args.only_wasi or args.only_serve else calls.measure(args.full)
    times = host.Times() if args.no_wasi or args.only_processes or args.only_calls or args.only_serve else host.measure(args.full)
    left_out = args.no_serve or args.only_processes or args.only_calls or args.only_wasi
    loads = serve.Loads() if left_out else serve.measure(args.full)
    if not args.no_processes and not only:
        runs = 40 if args.full else 10
        results.rows += list(startup.small_module(runs))
        results.rows += list(startup.loading(8 if args.full else 3))
        results.rows += list(startup.components(runs, args.full))
    lines = table.throughput(results) if throughput else []
    lines += table.calls(rates)
    lines += table.wasi(times)
    lines += table.processes(results)
    lines += table.serving(loads)
    print("\n".join(lines))
    (prepare.OUT / "results.json").write_text(as_json(results, rates, times, loads, args.full) + "\n")
    (prepare.OUT / "results.md").write_text("\n".join(lines) + "\n")
    prepare.say(f"{time.monotonic() - started:.0f} s; build/bench/results.json, build/bench/results.md")
    ours = results.errors.get("touchstone", {})
    all_errors = [*results.errors.values(), *rates.errors.values(), *times.errors.values()]
    wrong = any(why.startswith("wrong") for failures in all_errors for why in failures.values())
    ours_too = any("touchstone" in failures for failures in [*rates.errors.values(), *times.errors.values()])
    return 1 if ours or ours_too or wrong or loads.errors else 0


if __name__ == "__main__":
    sys.exit(main())
