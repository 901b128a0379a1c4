"""JUnit XML from a record: a suite a runtime, a test case a unit. Pure."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from ..model import CaseResult, UnitResult, Verdict
from ..record import Record

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(record: Record) -> str:
    root = ET.Element("testsuites", name="touchstone")
    for runtime in record.runtimes:
        mine = [result for result in record.results if result.runtime == runtime.name]
        suite = ET.SubElement(root, "testsuite", name=runtime.name, timestamp=record.started)
        if runtime.absent:
            ET.SubElement(suite, "system-out").text = _clean(f"absent: {runtime.absent}")
        counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for result in mine:
            for unit in result.units:
                counts["tests"] += 1
                _unit(suite, result, unit, counts)
        for key, value in counts.items():
            suite.set(key, str(value))
        suite.set("time", f"{sum(result.observation.wall for result in mine):.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _unit(suite: ET.Element, result: CaseResult, unit: UnitResult, counts: dict[str, int]) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{result.runtime}.{result.case.replace('/', '.')}",
        name=unit.id,
        time=f"{result.observation.wall:.3f}",
    )
    message = _clean(f"{unit.verdict.value}: {unit.detail}")
    if unit.expected is not None and not unit.unexpected and unit.verdict is not Verdict.PASS:
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=_clean(f"{unit.verdict.value} as expected: {unit.expected.reason}"))
    elif unit.unexpected and unit.verdict is Verdict.PASS:
        counts["failures"] += 1
        ET.SubElement(case, "failure", type="UNEXPECTED-PASS", message="passes; the expectations say it does not")
    elif unit.verdict in (Verdict.SKIP, Verdict.UNSUPPORTED):
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=message)
    elif unit.verdict in (Verdict.ERROR, Verdict.CRASH):
        counts["errors"] += 1
        ET.SubElement(case, "error", type=unit.verdict.value, message=message).text = _evidence(result)
    elif unit.verdict is not Verdict.PASS:
        counts["failures"] += 1
        ET.SubElement(case, "failure", type=unit.verdict.value, message=message).text = _evidence(result)


def _evidence(result: CaseResult) -> str:
    seen = result.observation
    text = f"argv: {list(seen.argv)}\nended: {seen.outcome}\nstderr:\n{seen.stderr[-2000:].decode('utf-8', 'backslashreplace')}"
    return _clean(text)


def _clean(text: str) -> str:
    """XML 1.0 has no room for most control characters: show their escapes."""
    return _FORBIDDEN.sub(lambda match: repr(match[0])[1:-1], text)
