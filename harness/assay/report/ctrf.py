"""CTRF from a record: the Common Test Report Format, a JSON object with a test for each unit. Pure.

In: a record. Out: JSON of CTRF 0.0.x (ctrf.io). A test is `failed` exactly where it makes the run red. What did not
pass and does not is `other`; the verdict is its `rawStatus`. A flaky unit has all its attempts, and never passes.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from datetime import datetime
from typing import Any

from ..model import CaseResult, Check, UnitResult, Verdict
from ..record import CaseInfo, Record
from ..record.status import status
from .standing import Stand, by_runtime, evidence, problems, standing

SPEC = "0.0.0"
STATUSES = ("passed", "failed", "skipped", "pending", "other")
NAMESPACE = uuid.UUID("5a7a4b0e-6a3c-5f0e-9d53-0b6f3c1d9e27")
"""Of the ids of reports: the same record has the same id."""


def render(record: Record) -> str:
    """Returns the report. All times are in milliseconds; a time that the record lacks is that of its start."""
    start = _milliseconds(record.started)
    stop = _milliseconds(record.finished) if record.finished else start
    tests = _tests(record)
    counts = Counter(test["status"] for test in tests)
    report = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "reportId": str(uuid.uuid5(NAMESPACE, f"{record.started} {record.suite.name} {len(record.results)}")),
        "timestamp": record.finished or record.started,
        "generatedBy": record.harness,
        "results": {
            "tool": {"name": "assay", "version": record.harness.rpartition(" ")[2]},
            "summary": {
                "tests": len(tests),
                **{status: counts[status] for status in STATUSES},
                "flaky": sum(test.get("flaky", False) for test in tests),
                "suites": len(record.present),
                "start": start,
                "stop": stop,
                "duration": max(0, stop - start),
            },
            "tests": tests,
            "environment": _environment(record),
        },
    }
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def _tests(record: Record) -> list[dict[str, Any]]:
    run = status(record)
    infos = {info.id: info for info in record.cases}
    tests = [
        {"name": f"@status {name}", "status": "failed", "duration": 0, "suite": [name], "message": "; ".join(found)}
        for name, found in problems(run)
    ]
    for name, results in by_runtime(record).items():
        mine = run.of(name)
        judged = mine is not None and mine.judged
        for result in results:
            tests += [_test(result, unit, infos[result.case], judged) for unit in result.units]
    return tests


def _test(result: CaseResult, unit: UnitResult, info: CaseInfo, judged: bool) -> dict[str, Any]:
    stands = standing(unit, judged)
    check = info.check(unit.id)
    test: dict[str, Any] = {
        "name": f"{result.case} {unit.id}",
        "testId": f"{result.runtime} {result.case} {unit.id}",
        "status": stands.stand.value,
        "duration": round(result.observation.wall * 1000),
        "suite": [result.runtime, result.case],
        "rawStatus": unit.verdict.value,
        "labels": _labels(result, check),
    }
    if stands.why:
        test["message"] = stands.why
    if stands.stand is Stand.FAILED:
        test["trace"] = evidence(result)
    if result.attempts:
        test["retries"] = len(result.attempts)
    if unit.verdict is Verdict.FLAKY:
        test["flaky"] = True
        if attempts := _attempts(result, unit):
            test["retryAttempts"] = attempts
    return test


def _labels(result: CaseResult, check: Check | None) -> dict[str, str]:
    labels = {"runtime": result.runtime, "case": result.case}
    if check is not None:
        labels |= {"level": check.level.value, "function": check.function, "since": check.since}
    return labels


def _attempts(result: CaseResult, unit: UnitResult) -> list[dict[str, Any]]:
    """Returns all attempts at a unit but the last one, which the test itself stands for."""
    runs = (result, *result.attempts)
    return [
        {
            "attempt": number,
            "status": "passed" if verdict is Verdict.PASS else "skipped" if verdict is Verdict.SKIP else "failed",
            "duration": round(run.observation.wall * 1000),
            "message": verdict.value,
        }
        for number, (run, verdict) in enumerate(zip(runs[:-1], unit.verdicts, strict=False), 1)
    ]


def _environment(record: Record) -> dict[str, Any]:
    runtimes = {runtime.name: runtime.version or f"absent: {runtime.absent}" for runtime in record.runtimes}
    extra: dict[str, Any] = {"runtimes": runtimes, "suite": record.suite.name, "seed": record.seed}
    found: dict[str, Any] = {"healthy": status(record).green, "extra": extra}
    if (shard := record.suite.shard) is not None:
        found["shardId"] = f"{shard.index}/{shard.of}"
    if (machine := record.machine) is not None:
        extra |= {"arch": machine.arch, "cpus": machine.cpus}
        found |= {"osPlatform": machine.os, "osRelease": machine.kernel}
    return found


def _milliseconds(when: str) -> int:
    return round(datetime.fromisoformat(when).timestamp() * 1000)
