"""Why a result is red, in about ten lines; and the unexpected results of a record, a line each.

In: a record, a case, a runtime; what is known of divergences. Out: rows of a label and words. Pure.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model import EXPECT_UNIT, CaseResult, Check, Kind, UnitResult, Verdict
from ..record import CaseInfo, Record
from .known import Divergence, of_check

CALLS = 3
"""How many host calls are shown."""
LONG = 300
"""The most characters of a text."""
EXPECTED = re.compile(r"^(?:(?P<before>.*?)[:,] )?expected (?P<expected>.+?), got (?P<got>.+)$", re.S)
FAILED = re.compile(r"-> (?:err\b|trap\b|\{?err)|-> .*\berr\(", re.I)


class WhyError(Exception):
    """A case or a runtime that the record does not have. The message says what there is."""


@dataclass(frozen=True)
class Row:
    """One line: what it is about, and the words. A row without a label goes on with the one before."""

    label: str
    words: str


def cut(text: str, most: int = LONG) -> str:
    """Returns a text on one line, of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def pick(made: Record, case: str, runtime: str) -> CaseResult:
    """Returns the result of a case, named by its id or a part that only one id has, on a runtime."""
    ids = [info.id for info in made.cases]
    parts = [name for name in ids if case in name and "@" not in name.removeprefix(case)]
    found = [case] if case in ids else parts
    if not found:
        near = difflib.get_close_matches(case, ids, 3)
        hint = f"; did you mean {' or '.join(near)}?" if near else " (`assay list` prints the cases)"
        raise WhyError(f"the record has no case {case}{hint}")
    if len(found) > 1:
        more = ", …" if len(found) > 5 else ""
        raise WhyError(f"{case} is a part of {len(found)} cases: {', '.join(found[:5])}{more}; write one of them in full")
    there = [item.name for item in made.present]
    if runtime not in there:
        absent = next((item.absent for item in made.runtimes if item.name == runtime and item.absent), "")
        raise WhyError(f"the record has no results of {runtime}{f' ({absent})' if absent else ''}; it has {', '.join(there)}")
    result = made.result(found[0], runtime)
    if result is None:
        raise WhyError(f"{found[0]} did not run on {runtime}: {made.partial or 'the record lacks this result'}")
    return result


def surprises(made: Record, runtimes: Sequence[str] = ()) -> tuple[tuple[CaseResult, UnitResult], ...]:
    """Returns the unexpected units, in the order of the record; only those of these runtimes, if any are named."""
    return tuple(
        (result, unit)
        for result in made.results
        if not runtimes or result.runtime in runtimes
        for unit in result.units
        if unit.unexpected
    )


def first_red(result: CaseResult) -> UnitResult | None:
    """Returns the unit to look at first: an unexpected one, or else one that did not pass."""
    unexpected = [unit for unit in result.units if unit.unexpected]
    bad = [unit for unit in result.units if unit.verdict is not Verdict.PASS]
    # a run that ended wrongly fails the [expect] block and what was not reported; the check that failed says more
    told = [unit for unit in (*unexpected, *bad) if unit.id != EXPECT_UNIT and unit.verdict in (Verdict.FAIL, Verdict.FLAKY)]
    return next(iter((*[unit for unit in told if unit in unexpected], *unexpected, *told, *bad)), None)


def why(made: Record, result: CaseResult, divergences: Sequence[Divergence] = (), name: str = "RECORD") -> tuple[Row, ...]:
    """Returns the rows about one result. `name` is how the command line names the record."""
    info = next(item for item in made.cases if item.id == result.case)
    unit = first_red(result)
    bad = [item for item in result.units if item.verdict is not Verdict.PASS]
    rows = [Row("verdict", _verdict(result, info))]
    if result.reason:
        return (*rows, Row("not run", cut(result.reason)), Row("others", _others(made, result, unit)))
    if unit is None:
        return (*rows, Row("red", "nothing"), Row("ended", _ended(result)), Row("others", _others(made, result, None)))
    check = info.check(unit.id)
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    rows.append(Row("red first", f"{unit.id} {unit.verdict.value}{more}{_demand(check)}"))
    rows += _difference(unit)
    rows += [Row("ended", _ended(result)), Row("stderr", _stderr(result))]
    rows += _calls(made, result, check)
    rows += [Row("others", _others(made, result, unit)), Row("known", _known(unit, divergences))]
    return (*rows, *_commands(made, result, check, name))


def _verdict(result: CaseResult, info: CaseInfo) -> str:
    announced = "not as announced" if result.unexpected else "as announced"
    word = "" if result.verdict is Verdict.PASS and not result.unexpected else f", {announced}"
    return f"{result.verdict.value}{word}: {result.case} on {result.runtime} ({cut(info.title, 120)})"


def _demand(check: Check | None) -> str:
    return f" [{check.level.value.upper()}] {cut(check.text, 200)}" if check is not None else ""


def _difference(unit: UnitResult) -> Iterator[Row]:
    """What was expected and what was seen, apart where the words of the check say both."""
    found = EXPECTED.match(unit.detail)
    if found is None:
        passed = unit.verdict is Verdict.PASS and unit.unexpected
        words = "it passes, and a failure is announced: the announcement is to be removed" if passed else unit.detail
        yield Row("seen", cut(words) or "the guest says only that it does not hold")
        return
    before = f"{found['before']}: " if found["before"] else ""
    yield Row("expected", cut(f"{before}{found['expected']}"))
    yield Row("got", cut(found["got"]))


def _ended(result: CaseResult) -> str:
    seen = result.observation
    return f"{cut(str(seen.outcome))} after {seen.wall:.2f} s" + (" (it left processes behind)" if seen.leftovers else "")


def _stderr(result: CaseResult) -> str:
    lines = [line for line in result.observation.stderr.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    return cut(lines[-1]) if lines else "nothing"


def _calls(made: Record, result: CaseResult, check: Check | None) -> Iterator[Row]:
    """The host calls to look at, of the reference runtime: those of the check's function, those that failed, or the
    last ones."""
    reference = next((item.name for item in made.present if item.reference), "")
    traced = made.result(result.case, reference)
    if traced is None or not traced.observation.trace:
        return
    lines = [line for line in traced.observation.trace.splitlines() if line.strip()]
    name = re.sub(r"\[[a-z-]+\]", "", check.function).rpartition("/")[2].partition(".")[2] if check is not None else ""
    whole = re.sub(r"\s+", " ", name)
    mine = [line for line in lines if whole and re.search(rf"[ .\]]{re.escape(whole)}\(", line)]
    failed = [line for line in lines if FAILED.search(line)]
    kind, chosen = ("of the function", mine) if mine else ("that failed", failed) if failed else ("at the end", lines)
    many = f" (the last {CALLS} of {len(chosen)} {kind})" if len(chosen) > CALLS else f" ({kind})"
    for number, line in enumerate(chosen[-CALLS:]):
        yield Row("calls" if number == 0 else "", f"{cut(line, 200)}{f'  {reference}{many}' if number == 0 else ''}")


def _others(made: Record, result: CaseResult, unit: UnitResult | None) -> str:
    words = []
    for runtime in made.present:
        other = made.result(result.case, runtime.name)
        if runtime.name == result.runtime or other is None:
            continue
        same = other.unit(unit.id) if unit is not None else None
        verdict = same.verdict if same is not None else other.verdict
        detail = same.detail if same is not None and verdict is not Verdict.PASS else other.reason
        words.append(f"{runtime.name} {verdict.value}{f' ({cut(detail, 80)})' if detail else ''}")
    return "; ".join(words) or "the record has this runtime only"


def _known(unit: UnitResult, divergences: Sequence[Divergence]) -> str:
    parts = []
    if unit.expected is not None:
        link = unit.expected.link or "no thread known"
        parts.append(f"announced as {unit.expected.kind or 'known'}: {cut(unit.expected.reason, 200)} ({link})")
    found = of_check(divergences, unit.id)
    if found is not None:
        links = f" ({', '.join(found.links)})" if found.links else ""
        parts.append(f"divergence “{found.title}”: {found.right}{links}")
    return "; ".join(parts) or "nothing is announced, and no thread is known"


def _commands(made: Record, result: CaseResult, check: Check | None, name: str) -> Iterator[Row]:
    case, runtime = shlex.quote(result.case), shlex.quote(result.runtime)
    if result.kind is Kind.SCRIPT:
        yield Row("repeat", f"assay wast -r {runtime} {case}")
    elif result.kind is Kind.PROGRAM:
        yield Row("repeat", f"assay testsuite -r {runtime} --only {case}")
    else:
        yield Row("repeat", f"assay repro {shlex.quote(name)} {case} {runtime}")
        if check is not None:
            yield Row("more", f"assay explain {check.id}")
