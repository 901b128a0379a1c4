#!/usr/bin/env python3
"""Random valid modules, interpreted and as machine code: whatever can be observed must be the same.

In: the runner run_tiers (its header says what it compares), modules of smith.py; or modules named on the command line.
Out: a line of counts; each difference as N.wasm and N.txt in the work folder; status 1 when there are any.
"""

from __future__ import annotations

import random
import subprocess
from collections import Counter

from smith import keep, modules, read_arguments, report_of


def main() -> int:
    args, seed = read_arguments(__doc__, "run_tiers")
    counts: Counter[str] = Counter()
    runner: subprocess.Popen[str] | None = None
    for path in modules(args, random.Random(seed)):
        runner = runner or subprocess.Popen([args.runner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        report = report_of(runner, path)
        counts["modules"] += 1
        if report == ["same"]:
            continue
        if report is None:
            report = [f"the runner ended with status {runner.wait()}"]
            runner = None
        counts["differences"] += 1
        keep(args.work, path, "\n".join(report))
        print(f"{args.work}: {report[0]}", flush=True)
    if runner is not None and runner.stdin is not None:
        runner.stdin.close()
        runner.wait()
    print(f"seed {seed}: {counts['modules']} modules, {counts['differences']} differences")
    return 1 if counts["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
