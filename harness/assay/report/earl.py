"""EARL 1.0 from a record, as JSON-LD: what each runtime did with each check, for machines. Pure.

In: a record, and the addresses of the sentences that a requirement rests on. Out: JSON-LD with one context and one
graph: the assertor, the runtimes as subjects, the requirements, the cases' checks, and an assertion for each check of
each case on each runtime. It says what was seen: whether it was announced is no matter of EARL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from ..model import EXPECT_UNIT, CaseResult, Check, Level, UnitResult, Verdict
from ..record import CaseInfo, Record, RuntimeInfo

CONTEXT = {
    "earl": "http://www.w3.org/ns/earl#",
    "dct": "http://purl.org/dc/terms/",
    "doap": "http://usefulinc.com/ns/doap#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "assertedBy": {"@id": "earl:assertedBy", "@type": "@id"},
    "subject": {"@id": "earl:subject", "@type": "@id"},
    "test": {"@id": "earl:test", "@type": "@id"},
    "mode": {"@id": "earl:mode", "@type": "@id"},
    "outcome": {"@id": "earl:outcome", "@type": "@id"},
    "result": "earl:result",
    "info": "earl:info",
    "title": "dct:title",
    "description": "dct:description",
    "date": {"@id": "dct:date", "@type": "xsd:dateTime"},
    "isPartOf": {"@id": "dct:isPartOf", "@type": "@id"},
    "source": {"@id": "dct:source", "@type": "@id"},
    "version": "dct:hasVersion",
    "level": "dct:type",
}
OUTCOMES = {
    Verdict.PASS: "earl:passed",
    Verdict.FAIL: "earl:failed",
    Verdict.TIMEOUT: "earl:failed",
    Verdict.CRASH: "earl:failed",
    Verdict.FLAKY: "earl:cantTell",
    Verdict.ERROR: "earl:cantTell",
    Verdict.UNSUPPORTED: "earl:inapplicable",
    Verdict.SKIP: "earl:untested",
}
ASSERTOR = "#assay"


def render(record: Record, links: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    """Returns the document. `links` has addresses by the id of a requirement."""
    graph = [
        {"@id": ASSERTOR, "@type": ["earl:Assertor", "earl:Software"], "title": "assay", "version": record.harness},
        *(_subject(runtime) for runtime in record.runtimes),
        *_requirements(record.cases, links),
        *_tests(record.cases),
    ]
    infos = {info.id: info for info in record.cases}
    date = record.finished or record.started
    for result in record.results:
        graph += [_assertion(result, unit, infos[result.case], date) for unit in result.units]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, ensure_ascii=False, indent=1) + "\n"


def _subject(runtime: RuntimeInfo) -> dict[str, Any]:
    version = {"version": runtime.version} if runtime.version else {}
    said = f"absent: {runtime.absent}" if runtime.absent else runtime.note
    return {
        "@id": _place("runtime", runtime.name),
        "@type": ["earl:TestSubject", "earl:Software"],
        "title": runtime.name,
        **version,
        **({"description": said} if said else {}),
    }


def _requirements(cases: Sequence[CaseInfo], links: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Yields each requirement once. One that shows at two functions is one at each."""
    found = {_requirement(check): check for info in cases for check in info.checks}
    for place, check in found.items():
        addresses = list(links.get(check.id, ()))
        yield {
            "@id": place,
            "@type": "earl:TestRequirement",
            "title": f"{check.id} of {check.function}, since {check.since}",
            "description": check.text,
            "level": check.level.value,
            **({"source": addresses} if addresses else {}),
        }


def _tests(cases: Sequence[CaseInfo]) -> Iterator[dict[str, Any]]:
    for info in cases:
        for check in info.checks:
            yield {
                "@id": _test(info.id, check.id),
                "@type": "earl:TestCase",
                "title": f"{info.id} {check.id}",
                "isPartOf": _requirement(check),
            }
        yield {
            "@id": _test(info.id, EXPECT_UNIT),
            "@type": "earl:TestCase",
            "title": f"{info.id} as a whole: {info.title}",
        }


def _assertion(result: CaseResult, unit: UnitResult, info: CaseInfo, date: str) -> dict[str, Any]:
    check = info.check(unit.id)
    outcome, said = OUTCOMES[unit.verdict], unit.detail
    if check is not None and check.level is Level.UNSPECIFIED and unit.verdict is Verdict.PASS:
        # The text demands nothing here, so there is nothing to pass.
        outcome, said = "earl:inapplicable", f"the text leaves this open; observed: {unit.value}"
    known = check is not None or unit.id == EXPECT_UNIT
    what = {} if known else {"title": unit.id}  # a command of a script is no test of its own
    return {
        "@type": "earl:Assertion",
        "assertedBy": ASSERTOR,
        "subject": _place("runtime", result.runtime),
        "test": _test(result.case, unit.id if known else EXPECT_UNIT),
        "mode": "earl:automatic",
        "result": {
            "@type": "earl:TestResult",
            "outcome": outcome,
            "info": f"{unit.verdict.value}{f': {said}' if said else ''}",
            "date": date,
            **what,
        },
    }


def _requirement(check: Check) -> str:
    return _place("requirement", f"{check.id} {check.function}")


def _test(case: str, unit: str) -> str:
    return _place("test", f"{case} {unit}")


def _place(kind: str, name: str) -> str:
    """Returns the fragment that names a thing in the document. Its parts are separated by slashes."""
    return f"#{kind}/{'/'.join(quote(part, safe=':.@') for part in name.split(' '))}"
