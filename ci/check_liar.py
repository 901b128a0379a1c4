#!/usr/bin/env python3
"""How much of the suite a runtime passes that runs nothing: by lying, by replaying, and by silence.

Usage: ci/check_liar.py
In: the cases, and ci/liar.tsv. Out: for each of these runtimes how many cases it passes. The judging of assay decides, on
observations that are made up here. Cases whose component is not built are left out.

The blind liar prints every declared check as passed, every value as "none", and ends with 0; it touches no file and no wire.
The replaying liar also knows the whole case but its nonces: it ends as the case asks, and prints what it asks for where that has no
nonce. So nonces, files and the wire are what it fails by. The do-nothing runtime prints nothing and ends with 0.

Each case that the blind liar passes is in ci/liar.tsv with why nothing outside can tell. Exit status 1: the blind liar passes one case
in ten or more, or one that is not listed; a listed one no longer passes; or the do-nothing runtime passes anything.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "harness"))
from assay.cases import content_before, discover, nonces
from assay.judge.verdicts import judge
from assay.model import EXPECT_UNIT, Case, Check, Ending, Level, Observation, Outcome, TextExpectation, Verdict

MOST = 0.1
REASONS = ROOT / "ci/liar.tsv"


def untouched(case: Case) -> tuple[tuple[str, bytes | None], ...]:
    """The files that the case looks at, as they are before the run."""
    return tuple((item.path, None if item.state else content_before(case.run, item.path)) for item in case.expect.files)


def passes(case: Case, stdout: str) -> tuple[bool, list[str]]:
    """Whether a case passes for a run that prints this, ends with 0 and does nothing else; and the units that pass."""
    seen = Observation(Outcome(Ending.EXITED, 0), stdout=stdout.encode(), contents=untouched(case))
    result = judge(case, "fake", seen)
    return result.verdict is Verdict.PASS, [u.id for u in result.units if u.verdict is Verdict.PASS]


def replayed(case: Case) -> Case:
    """The case without what the replaying liar has right: the ending, and output that has no nonce."""

    def text(wanted: TextExpectation) -> TextExpectation:
        return wanted if nonces.has_any(wanted) else TextExpectation()

    def check(one: Check) -> Check:
        told = one.wire is not None and one.wire.on in ("stdout", "ending") and not nonces.has_any(one.wire)
        return replace(one, wire=None) if told else one

    expect = replace(case.expect, exit=0, trap=False, refused=None, stdout=text(case.expect.stdout), stderr=text(case.expect.stderr))
    return replace(case, expect=expect, checks=tuple(check(one) for one in case.checks))


def lies(case: Case) -> bool:
    """Whether a case passes for a runtime that prints each check as passed."""
    of_guest = [c for c in case.checks if not c.wire]
    lines = [f"check {c.id} {'value none' if c.level is Level.UNSPECIFIED else 'pass'}" for c in of_guest]
    return passes(case, "".join(line + "\n" for line in lines))[0]


def main() -> int:
    cases = [c for c in discover(ROOT / "suites", ROOT / "fixtures") if "@" not in c.id and c.component.is_file()]
    lied = [case.id for case in cases if lies(case)]
    replaying = sum(lies(replayed(case)) for case in cases)
    silent = []
    for case in cases:
        whole, passed = passes(case, "")
        silent += [case.id] if whole else []
        silent += [f"{case.id} {u}" for u in passed if u != EXPECT_UNIT]
    rows = [line.split("\t") for line in REASONS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    known = {row[0] for row in rows if len(row) == 2 and row[1]}
    print(f"the blind liar passes {len(lied)} of {len(cases)} cases ({100 * len(lied) / len(cases):.1f} %)")
    print(f"the replaying liar passes {replaying} of {len(cases)} cases ({100 * replaying / len(cases):.1f} %)")
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
