"""JUnit XML from a record: one suite for each runtime, one test case for each unit. Pure."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from ..model import CaseResult, UnitResult, Verdict
from ..record import Record
from ..record.settle import bounded
from ..record.status import status

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


MESSAGE, EVIDENCE = 600, 2000


def render(record: Record) -> str:
    """Returns a report that has a failure or an error exactly when the run's status is red.

    Results that are not judged and failing SHOULDs are skipped, with a message. Other reasons for red have a
    test case of their own."""
    run = status(record)
    root = ET.Element("testsuites", name="touchstone")
    if run.problems:
        suite = ET.SubElement(root, "testsuite", name="run", timestamp=record.started)
        counts = _counts()
        _problems(suite, "run", run.problems, counts)
        _finish(suite, counts, 0.0)
    for mine in run.runtimes:
        info = next((item for item in record.runtimes if item.name == mine.name), None)
        results = [result for result in record.results if result.runtime == mine.name]
        suite = ET.SubElement(root, "testsuite", name=mine.name, timestamp=record.started)
        if info is not None and info.absent:
            ET.SubElement(suite, "system-out").text = _clean(f"absent: {info.absent}")
        counts = _counts()
        if mine.red:
            _problems(suite, mine.name, mine.problems, counts)
        for result in results:
            evidence = [_evidence(result)]
            for unit in result.units:
                _unit(suite, result, unit, counts, mine.judged, evidence)
        _finish(suite, counts, sum(result.observation.wall for result in results))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts() -> dict[str, int]:
    return {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}


def _finish(suite: ET.Element, counts: dict[str, int], seconds: float) -> None:
    for key, value in counts.items():
        suite.set(key, str(value))
    suite.set("time", f"{seconds:.3f}")


def _problems(suite: ET.Element, name: str, problems: tuple[str, ...], counts: dict[str, int]) -> None:
    counts["tests"] += 1
    counts["failures"] += 1
    case = ET.SubElement(suite, "testcase", classname=name, name="@status", time="0.000")
    ET.SubElement(case, "failure", type="RED", message=_clean("; ".join(problems)))


def _unit(
    suite: ET.Element,
    result: CaseResult,
    unit: UnitResult,
    counts: dict[str, int],
    judged: bool,
    evidence: list[str],
) -> None:
    counts["tests"] += 1
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{result.runtime}.{result.case.replace('/', '.')}",
        name=unit.id,
        time=f"{result.observation.wall:.3f}",
    )
    told = _clean(bounded(f"{unit.verdict.value}: {unit.detail}", MESSAGE))
    if unit.unexpected and judged:
        broken = unit.verdict in (Verdict.ERROR, Verdict.CRASH)
        counts["errors" if broken else "failures"] += 1
        kind = "UNEXPECTED-PASS" if unit.verdict is Verdict.PASS else unit.verdict.value
        message = "passes; the expectations say it does not" if unit.verdict is Verdict.PASS else told
        found = ET.SubElement(case, "error" if broken else "failure", type=kind, message=message)
        # once for each run: a runtime that fails everywhere would repeat it thousands of times
        found.text = evidence.pop() if evidence else f"as the first of {result.case}"
    elif unit.unexpected:
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=f"not as announced, and not judged: {told}")
    elif unit.verdict is not Verdict.PASS:
        counts["skipped"] += 1
        reason = f"{unit.verdict.value} as announced: {unit.expected.reason}" if unit.expected else told
        ET.SubElement(case, "skipped", message=_clean(bounded(reason, MESSAGE)))


def _evidence(result: CaseResult) -> str:
    seen = result.observation
    size = seen.size("stderr", seen.stderr)
    last = seen.stderr[-EVIDENCE:].decode("utf-8", "backslashreplace")
    return _clean(f"argv: {list(seen.argv)}\nended: {seen.outcome}\nstderr ({size} bytes):\n{last}")


def _clean(text: str) -> str:
    """Escapes the control characters that XML 1.0 does not allow."""
    return _FORBIDDEN.sub(lambda match: repr(match[0])[1:-1], text)
