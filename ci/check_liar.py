#!/usr/bin/env python3
"""How much of the suite a runtime passes that runs nothing: by lying, and by silence.

Usage: ci/check_liar.py
In: the cases, and ci/liar.tsv. Out: for the blind liar and for the do-nothing runtime, how many cases and units pass. The judging
of assay decides, on observations that are made up here. Cases whose component is not built are left out.

The liar prints every declared check as passed, every value as "none", and ends with 0; it touches no file and no wire.
The do-nothing runtime prints nothing and ends with 0. Each case that the
liar passes is in ci/liar.tsv with why nothing outside can tell. Exit status 1: the liar passes one case in ten or more, or one that is
not listed; a listed one no longer passes; or the do-nothing runtime passes anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "harness"))
from assay.cases import discover, find_directory
from assay.judge.verdicts import judge
from assay.model import EXPECT_UNIT, Case, Ending, Level, Observation, Outcome, Verdict

MOST = 0.1
REASONS = ROOT / "ci/liar.tsv"


def untouched(case: Case) -> tuple[tuple[str, bytes | None], ...]:
    """The files that the case looks at, as they are before the run."""
    found = []
    for item in case.expect.files:
        where = find_directory(case.run.dirs, item.path)
        data = None
        if where is not None and where[0].source is not None:
            place = where[0].source / where[1]
            data = place.read_bytes() if place.is_file() and not item.state else None
        found.append((item.path, data))
    return tuple(found)


def passes(case: Case, stdout: str) -> tuple[bool, list[str]]:
    """Whether a case passes for a run that prints this, ends with 0 and does nothing else; and the units that pass."""
    seen = Observation(Outcome(Ending.EXITED, 0), stdout=stdout.encode(), contents=untouched(case))
    result = judge(case, "fake", seen)
    return result.verdict is Verdict.PASS, [u.id for u in result.units if u.verdict is Verdict.PASS]


def main() -> int:
    cases = [c for c in discover(ROOT / "suites", ROOT / "fixtures") if "@" not in c.id and c.component.is_file()]
    lied, silent = [], []
    for case in cases:
        of_guest = [c for c in case.checks if not c.wire]
        lines = [f"check {c.id} {'value none' if c.level is Level.UNSPECIFIED else 'pass'}" for c in of_guest]
        if passes(case, "".join(line + "\n" for line in lines))[0]:
            lied.append(case.id)
        whole, passed = passes(case, "")
        silent += [case.id] if whole else []
        silent += [f"{case.id} {u}" for u in passed if u != EXPECT_UNIT]
    rows = [line.split("\t") for line in REASONS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    known = {row[0] for row in rows if len(row) == 2 and row[1]}
    print(f"the blind liar passes {len(lied)} of {len(cases)} cases ({100 * len(lied) / len(cases):.1f} %)")
    print(f"the do-nothing runtime passes {len(silent)} cases or units besides \"ended with 0\"")
    problems = [f"{c}: a runtime that lies passes it: compare something outside, or say in {REASONS.name} why not" for c in lied if c not in known]
    problems += [f"{c}: a runtime that lies no longer passes it: take it out of {REASONS.name}" for c in sorted(known - set(lied))]
    problems += [f"{c}: a runtime that does nothing passes it" for c in silent]
    if len(lied) >= MOST * len(cases):
        problems.append(f"the liar passes more than {100 * MOST:.0f} % of the cases")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
