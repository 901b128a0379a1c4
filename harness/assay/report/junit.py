"""JUnit XML from a record: one suite for each runtime, one test case for each unit. Pure.

In: a record. Out: XML as Jenkins and Surefire read it: in a suite, the test cases come before what the suite printed.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ..model import CaseResult, UnitResult, Verdict
from ..record import Record
from ..record.status import status
from .standing import Stand, evidence, standing
from .xml import clean


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
        counts = _counts()
        if mine.red:
            _problems(suite, mine.name, mine.problems, counts)
        for result in results:
            found = [clean(evidence(result))]
            for unit in result.units:
                _unit(suite, result, unit, counts, mine.judged, found)
        if info is not None and info.absent:
            ET.SubElement(suite, "system-out").text = clean(f"absent: {info.absent}")
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
    ET.SubElement(case, "failure", type="RED", message=clean("; ".join(problems)))


def _unit(
    suite: ET.Element,
    result: CaseResult,
    unit: UnitResult,
    counts: dict[str, int],
    judged: bool,
    found: list[str],
) -> None:
    """Adds a test case. `found` is the evidence: once for each run, because a runtime that fails everywhere would
    repeat it thousands of times."""
    counts["tests"] += 1
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"{result.runtime}.{result.case.replace('/', '.')}",
        name=clean(unit.id),
        time=f"{result.observation.wall:.3f}",
    )
    stands = standing(unit, judged)
    if stands.stand is Stand.FAILED:
        broken = unit.verdict in (Verdict.ERROR, Verdict.CRASH)
        counts["errors" if broken else "failures"] += 1
        kind = "UNEXPECTED-PASS" if unit.verdict is Verdict.PASS else unit.verdict.value
        failure = ET.SubElement(case, "error" if broken else "failure", type=kind, message=clean(stands.why))
        failure.text = found.pop() if found else f"as the first of {result.case}"
    elif stands.stand is not Stand.PASSED:
        counts["skipped"] += 1
        ET.SubElement(case, "skipped", message=clean(stands.why))

