"""TAP 14 from a record: a subtest for each runtime, in it one for each case, and in that a test for each unit. Pure.

In: a record. Out: text in the Test Anything Protocol, version 14, with diagnostics in YAML. What did not pass and does
not make the run red is a TODO with its reason, so that a test is `not ok` without a directive exactly when the run is
red.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model import CaseResult, Check, UnitResult, Verdict
from ..record import CaseInfo, Record
from ..record.status import status
from .standing import Stand, by_runtime, evidence, problems, standing

DIRECTIVES = {Stand.SKIPPED: " # SKIP ", Stand.OTHER: " # TODO "}


@dataclass(frozen=True)
class Test:
    """A test of any depth: its line without number, and what belongs to it."""

    ok: bool
    name: str
    directive: str = ""
    diagnostics: tuple[tuple[str, object], ...] = ()
    subtests: tuple[Test, ...] = ()


def render(record: Record) -> str:
    """Returns a report that fails exactly when the run's status is red."""
    run = status(record)
    infos = {info.id: info for info in record.cases}
    tests = [
        Test(False, f"@status {name}", diagnostics=(("message", "; ".join(found)),)) for name, found in problems(run)
    ]
    for name, results in by_runtime(record).items():
        mine = run.of(name)
        cases = tuple(_case(result, infos[result.case], mine is not None and mine.judged) for result in results)
        tests.append(_parent(name, cases))
    tests += [
        Test(True, runtime.name, f" # SKIP absent: {_escaped(runtime.absent)}")
        for runtime in record.runtimes
        if runtime.absent
    ]
    return "\n".join(["TAP version 14", *_lines(tests, "")]) + "\n"


def _parent(name: str, tests: tuple[Test, ...]) -> Test:
    """Returns a test that is as its subtests are. One without any is no subtest: TAP calls an empty plan a skip."""
    if not tests:
        return Test(True, name, " # SKIP no result")
    return Test(all(test.ok or test.directive for test in tests), name, subtests=tests)


def _case(result: CaseResult, info: CaseInfo, judged: bool) -> Test:
    return _parent(result.case, tuple(_unit(result, unit, info.check(unit.id), judged) for unit in result.units))


def _unit(result: CaseResult, unit: UnitResult, check: Check | None, judged: bool) -> Test:
    stands = standing(unit, judged)
    ok = stands.stand is Stand.SKIPPED or (unit.verdict is Verdict.PASS and stands.stand is not Stand.FAILED)
    directive = DIRECTIVES.get(stands.stand, "")
    said: list[tuple[str, object]] = []
    if stands.stand is Stand.PASSED:
        said += [("value", unit.value)] if unit.value is not None else []
    else:
        said += [("message", stands.why), ("verdict", unit.verdict.value)]
        if check is not None:
            said += [("level", check.level.value), ("function", check.function), ("requirement", check.text)]
        if unit.verdicts:
            said.append(("attempts", [verdict.value for verdict in unit.verdicts]))
        if unit.expected is not None and unit.expected.link:
            said.append(("link", unit.expected.link))
    if stands.stand is Stand.FAILED:
        said.append(("evidence", evidence(result)))
    words = f"{directive}{_escaped(stands.why)}" if directive else ""
    return Test(ok, unit.id, words, tuple(said))


def _lines(tests: Sequence[Test], indent: str) -> Iterator[str]:
    yield f"{indent}1..{len(tests)}"
    for number, test in enumerate(tests, 1):
        if test.subtests:
            yield f"{indent}# Subtest: {_escaped(test.name)}"
            yield from _lines(test.subtests, indent + "    ")
        yield f"{indent}{'ok' if test.ok else 'not ok'} {number} - {_escaped(test.name)}{test.directive}"
        if test.diagnostics:
            yield f"{indent}  ---"
            yield from (f"{indent}  {key}: {_scalar(value)}" for key, value in test.diagnostics)
            yield f"{indent}  ..."


def _scalar(value: object) -> str:
    """Returns JSON, which is YAML on one line. YAML allows no control characters, and its readers may split at the
    line ends of Unicode."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]", lambda match: f"\\u{ord(match[0]):04x}", text
    )


def _escaped(text: str) -> str:
    """Returns text on one line, in which no directive can begin."""
    flat = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return flat.replace("\\", "\\\\").replace("#", "\\#")
