"""The verdict on an observation: pure functions from a case and an observation to results.

In: a `Case` and an `Observation`. Out: a `CaseResult`. Rules: suites/README.md, "How a guest reports" and
"Verdicts".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..cases.text import show_bytes, text_problem
from ..model import (
    EXPECT_UNIT,
    CaseResult,
    Check,
    Ending,
    Exchange,
    Expect,
    FileExpectation,
    Kind,
    Level,
    NotRun,
    Observation,
    Outcome,
    UnitResult,
    Verdict,
    WireRule,
    worst,
)
from ..model.commands import SCRIPT_KEY, STATUSES, only_word
from ..model.wire import show

PROVES_NOTHING = "which proves nothing: a runtime that does nothing would end so too"
_REPORT = re.compile(r"check (\S+) (pass|fail|value)(?: (.*))?", re.DOTALL)


class Definition(Protocol):
    """What a verdict needs of a case. A `Case` has it, and so has `CaseInfo` of a record."""

    @property
    def id(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def checks(self) -> tuple[Check, ...]: ...

    @property
    def expect(self) -> Expect | None: ...

    def check(self, check_id: str) -> Check | None: ...


# After these endings a missing report is not a failure of the guest. The verdict names the ending instead.
_ENDING_VERDICTS = {
    Ending.TIMEOUT: Verdict.TIMEOUT,
    Ending.CRASH: Verdict.CRASH,
    Ending.INTERNAL: Verdict.CRASH,
    Ending.UNSUPPORTED: Verdict.UNSUPPORTED,
    Ending.LINK_ERROR: Verdict.UNSUPPORTED,
    Ending.NOT_STARTED: Verdict.ERROR,
    Ending.USAGE: Verdict.ERROR,
    Ending.IO_ERROR: Verdict.ERROR,
}


@dataclass(frozen=True)
class Report:
    """One well-formed check line."""

    id: str
    word: str
    text: str


@dataclass(frozen=True)
class GuestOutput:
    """The parts of stdout: the reports, the malformed check lines, and the rest byte for byte."""

    reports: tuple[Report, ...]
    malformed: tuple[str, ...]
    rest: bytes


def split_output(stdout: bytes, *, whole: bool = True) -> GuestOutput:
    """Takes the check lines out of stdout.

    Where the guest did not run to its end (`whole` is false), an incomplete last line counts as ordinary
    output."""
    reports: list[Report] = []
    malformed: list[str] = []
    rest: list[bytes] = []
    for line in _lines(stdout):
        if not line.startswith(b"check ") or not (whole or line.endswith(b"\n")):
            rest.append(line)
            continue
        text = line.rstrip(b"\n").decode("utf-8", "backslashreplace")
        match = _REPORT.fullmatch(text)
        if match is None or not line.endswith(b"\n"):
            malformed.append(text)
        else:
            reports.append(Report(match[1], match[2], match[3] or ""))
    return GuestOutput(tuple(reports), tuple(malformed), b"".join(rest))


def _lines(data: bytes) -> list[bytes]:
    """Splits at \\n only: a carriage return is content."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def judge(case: Definition, runtime: str, seen: Observation | NotRun, *, strict: bool = False) -> CaseResult:
    """Returns the verdict on one case and one runtime."""
    if isinstance(seen, NotRun):
        return skip(case, runtime, seen.reason, seen.verdict)
    if case.kind is Kind.SCRIPT:
        return judge_script(case, runtime, seen)
    output = split_output(seen.stdout, whole=seen.outcome.ending is Ending.EXITED)
    lie = _lie(case, output)
    if lie:
        units = [UnitResult(check.id, Verdict.ERROR, f"not believed: {lie}") for check in case.checks]
        units.append(UnitResult(EXPECT_UNIT, Verdict.ERROR, lie))
    else:
        units = [
            _judge_check(case, check, output, seen.outcome)
            if check.wire is None
            else _judge_wire(check, check.wire, output, seen)
            for check in case.checks
        ]
        units.append(_judge_expect(case, seen, output))
    verdict = of_units(case, units, strict=strict)
    return CaseResult(case.id, runtime, verdict, tuple(units), seen, output.rest, kind=case.kind)


def of_units(case: Definition, units: Iterable[UnitResult], *, strict: bool = False) -> Verdict:
    """Returns the verdict on a case, which is the worst of its units.

    A failing SHOULD counts only in a strict run. Skipped commands of a script do not count."""
    counted = [
        unit.verdict
        for unit in units
        if (case.kind is not Kind.SCRIPT or unit.verdict is not Verdict.SKIP)
        and (
            strict
            or (check := case.check(unit.id)) is None
            or check.level is not Level.SHOULD
            or unit.verdict not in (Verdict.FAIL, Verdict.FLAKY)
        )
    ]
    return worst(counted)


def judge_script(case: Definition, runtime: str, seen: Observation) -> CaseResult:
    """Returns the verdict on a script, with one unit for each command."""
    units = tuple(
        UnitResult(item.id, STATUSES[item.status], item.message, word=only_word(item.status)) for item in seen.commands
    )
    return CaseResult(case.id, runtime, of_units(case, units), units, seen, kind=case.kind)


def _lie(case: Definition, output: GuestOutput) -> str:
    """Returns why the guest's reports cannot be believed, or an empty string. If there is a reason, none of
    them counts."""
    declared = {check.id: check for check in case.checks}
    reported = [report.id for report in output.reports]
    if stray := sorted(set(reported) - set(declared)):
        return f"reported and not declared: {', '.join(stray)}"
    if output.malformed:
        return f"not a check line: {output.malformed[0]!r}"
    for report in output.reports:
        check = declared[report.id]
        if reported.count(report.id) > 1:
            return f"{report.id} is reported {reported.count(report.id)} times"
        if check.wire is not None:
            return f"{report.id} is reported by the guest, and it is read from the wire"
        if report.word == "value" and check.level is not Level.UNSPECIFIED:
            return f"{report.id} is a requirement and was reported as a value, not pass or fail"
    return ""


def skip(case: Definition, runtime: str, reason: str, verdict: Verdict = Verdict.SKIP) -> CaseResult:
    """Returns the result of a case that was not run."""
    last = SCRIPT_KEY if case.kind is Kind.SCRIPT else EXPECT_UNIT
    units = tuple(UnitResult(unit_id, verdict, reason) for unit_id in (*(check.id for check in case.checks), last))
    seen = Observation(Outcome(Ending.NOT_STARTED, message=reason))
    return CaseResult(case.id, runtime, verdict, units, seen, b"", reason, case.kind)


def _judge_check(case: Definition, check: Check, output: GuestOutput, outcome: Outcome) -> UnitResult:
    reports = [report for report in output.reports if report.id == check.id]
    if not reports:
        cut_short = outcome.ending is Ending.TRAP or (outcome.ending is Ending.EXITED and outcome.status != 0)
        if check.level is Level.UNSPECIFIED and _open_ending(_expect(case)) and cut_short:
            status = f" {outcome.status}" if outcome.ending is Ending.EXITED else ""
            return UnitResult(
                check.id, Verdict.PASS, "", f"not reported; the run ended: {outcome.ending.value}{status}"
            )
        verdict = _ENDING_VERDICTS.get(outcome.ending, Verdict.FAIL)
        return UnitResult(check.id, verdict, f"not reported; the run ended: {outcome}")
    report = reports[0]
    if check.level is Level.UNSPECIFIED:
        value = report.text if report.word == "value" else f"{report.word} {report.text}".strip()
        return UnitResult(check.id, Verdict.PASS, "", value)
    return UnitResult(check.id, Verdict.PASS if report.word == "pass" else Verdict.FAIL, report.text)


def _judge_wire(check: Check, rule: WireRule, output: GuestOutput, seen: Observation) -> UnitResult:
    """Judges a check on an exchange of the harness's server or client, or on what the guest printed."""
    exchanges = [exchange for exchange in seen.wire if exchange.name == rule.on]
    there = {"stdout": bool(output.rest), "ending": True}.get(rule.on, bool(exchanges))
    if not there:
        verdict = _ENDING_VERDICTS.get(seen.outcome.ending, Verdict.FAIL)
        return UnitResult(check.id, verdict, f"nothing arrived; the run ended: {seen.outcome}")
    if rule.on == "stdout":
        text = output.rest.decode("utf-8", "backslashreplace")
    elif rule.on == "ending":
        # A runtime that cannot run the case says nothing about the requirement.
        if (verdict := _ENDING_VERDICTS.get(seen.outcome.ending, Verdict.FAIL)) is not Verdict.FAIL:
            return UnitResult(check.id, verdict, f"the run ended: {seen.outcome}")
        text = ending_words(seen.outcome)
    else:
        text = _shown(rule, exchanges)
    if check.level is Level.UNSPECIFIED:
        found = re.search(rule.value, text, re.MULTILINE)
        value = "none" if found is None else next((part for part in found.groups() if part is not None), found[0])
        return UnitResult(check.id, Verdict.PASS, "", " ".join(value.split()))
    problem = _rule_problem(rule, text)
    return UnitResult(check.id, Verdict.PASS if problem is None else Verdict.FAIL, problem or "")


def _shown(rule: WireRule, exchanges: Iterable[Exchange]) -> str:
    """Returns the text of exchanges that a rule is matched with."""
    return "".join(exchange.data.decode("latin-1") if rule.raw else show(exchange) for exchange in exchanges)


def _rule_problem(rule: WireRule, text: str) -> str | None:
    for pattern in rule.matches:
        if not re.search(pattern, text, re.MULTILINE):
            return f"{rule.on} does not match {pattern!r}: {_excerpt(text, pattern)}"
    for pattern in rule.lacks:
        if re.search(pattern, text, re.MULTILINE):
            return f"{rule.on} matches {pattern!r}: {_excerpt(text, pattern)}"
    return None


def ending_words(outcome: Outcome) -> str:
    """How the run ended, as a check with on = "ending" sees it: `exited 3`, `trap`."""
    return f"{outcome.ending.value} {outcome.status}" if outcome.ending is Ending.EXITED else outcome.ending.value


def _excerpt(text: str, pattern: str) -> str:
    """Returns the line that begins as the pattern does, or else the beginning of the text."""
    word = re.match(r"\^?([\w /-]{4,})", pattern)
    line = next((line for line in text.splitlines() if word and line.startswith(word[1].strip())), None)
    return show_bytes((line or text).encode(), 300)


def _expect(case: Definition) -> Expect:
    assert case.expect is not None, f"the definition of {case.id} is not known"
    return case.expect


def _judge_expect(case: Definition, seen: Observation, output: GuestOutput) -> UnitResult:
    expect = _expect(case)
    problem = _ending_problem(expect, seen.outcome)
    if problem is not None:
        refusal_wanted = expect.refused is not None
        verdict = _ENDING_VERDICTS.get(seen.outcome.ending, Verdict.FAIL)
        if refusal_wanted and verdict is Verdict.UNSUPPORTED and seen.outcome.ending is Ending.LINK_ERROR:
            verdict = Verdict.FAIL
        return UnitResult(EXPECT_UNIT, verdict, problem)
    for name, expectation, data in (
        ("stdout", expect.stdout, output.rest),
        ("stderr", expect.stderr, seen.stderr),
    ):
        problem = text_problem(expectation, data)
        if problem is not None:
            return UnitResult(EXPECT_UNIT, Verdict.FAIL, f"{name} {problem}")
    contents = dict(seen.contents)
    for item in expect.files:
        data_after = contents.get(item.path)
        if item.absent:
            problem = None if data_after is None else "exists"
        elif data_after is None:
            problem = "does not exist"
        else:
            problem = text_problem(item.content, data_after) or _state_problem(item, contents.get(f"{item.path} state"))
        if problem is not None:
            return UnitResult(EXPECT_UNIT, Verdict.FAIL, f"file {item.path} {problem}")
    for rule in expect.wire:
        exchanges = [exchange for exchange in seen.wire if exchange.name == rule.on]
        problem = _rule_problem(rule, _shown(rule, exchanges)) if exchanges else f"{rule.on}: nothing arrived"
        if problem is not None:
            return UnitResult(EXPECT_UNIT, Verdict.FAIL, problem)
    if expect.bare:
        return UnitResult(EXPECT_UNIT, Verdict.SKIP, f"{seen.outcome}, {PROVES_NOTHING}")
    return UnitResult(EXPECT_UNIT, Verdict.PASS, str(seen.outcome))


def _state_problem(item: FileExpectation, seen: bytes | None) -> str | None:
    state = (seen or b"").decode("utf-8", "backslashreplace")
    missing = next((pattern for pattern in item.state if not re.search(pattern, state, re.MULTILINE)), None)
    return None if missing is None else f"is not in the state {missing!r}: {'; '.join(state.splitlines())}"


def _open_ending(expect: Expect) -> bool:
    """Returns whether the case leaves open how the run ends: `exit = "any"`."""
    return expect.exit is None and not expect.trap and expect.refused is None


def _ending_problem(expect: Expect, outcome: Outcome) -> str | None:
    ending = outcome.ending
    if expect.refused is not None:
        accepted = {expect.refused}
        if expect.refused in (Ending.MALFORMED, Ending.INVALID):
            accepted.add(Ending.REJECTED)
        elif expect.refused is Ending.REJECTED:
            accepted |= {Ending.MALFORMED, Ending.INVALID}
        return None if ending in accepted else f"expected to be refused as {expect.refused.value}, but: {outcome}"
    if expect.trap:
        if ending is not Ending.TRAP:
            return f"expected a trap, but: {outcome}"
        if expect.trap_kind and outcome.kind and outcome.kind != expect.trap_kind:
            return f"expected a trap of kind {expect.trap_kind}, but: {outcome}"
        return None
    if _open_ending(expect):
        return None if ending in (Ending.EXITED, Ending.TRAP) else f"expected an exit or a trap, but: {outcome}"
    if ending is Ending.EXITED and outcome.status == expect.exit:
        return None
    return f"expected exit {expect.exit}, but: {outcome}"
