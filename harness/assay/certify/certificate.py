"""A certificate: what was claimed, what came out, and what it rests on. It is a JSON document with a schema.

In: a claim, an assessment, the records. Out: a `Certificate`, and its JSON (schemas/certificate.schema.json).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jsonschema

from ..record import Record, RuntimeInfo
from .assess import Assessment, Count, Reason
from .profile import Claim, Profile, digest_of

SCHEMA = "assay-certificate/1"


class CertificateError(Exception):
    """Bytes that are no certificate. The message says why."""


@dataclass(frozen=True)
class Suite:
    """The suite that was run: its digest (`profile.digest_of`), and the number of its cases."""

    digest: str
    cases: int


@dataclass(frozen=True)
class Certificate:
    runtime: str
    version: str
    note: str
    """Arguments that the user gave the runtime, and the like."""
    digest: str
    """SHA-256 of the runtime's program files."""
    claim: Claim
    assessment: Assessment
    suite: Suite
    harness: str
    made: str
    """ISO 8601, UTC."""
    machine: Mapping[str, Any]
    command: tuple[str, ...]
    """How to repeat it."""


def of(claimed: Claim, assessment: Assessment, runtime: str, records: Sequence[Record], command: Sequence[str],
       machine: Mapping[str, Any]) -> Certificate:  # fmt: skip
    first = records[0]
    info = next((info for info in first.runtimes if info.name == runtime), RuntimeInfo(runtime))
    return Certificate(
        runtime,
        info.version,
        info.note,
        info.digest,
        claimed,
        assessment,
        suite_of(first),
        first.harness,
        records[-1].finished,
        machine,
        tuple(command),
    )


def suite_of(record: Record) -> Suite:
    return Suite(digest_of((case.id, case.digest, case.sha256) for case in record.cases), len(record.cases))


def to_json(made: Certificate) -> str:
    """Returns the certificate as JSON text that ends with a line end."""
    claimed, result = made.claim, made.assessment
    profile = claimed.profile
    value = {
        "schema": SCHEMA,
        "runtime": {"name": made.runtime, "version": made.version, "note": made.note, "sha256": made.digest},
        "claim": {
            "profile": profile.name,
            "title": profile.title,
            "world": profile.world,
            "interfaces": list(profile.interfaces),
            "versions": list(claimed.versions),
            "extras": list(claimed.extras),
            "disputed": list(claimed.disputed),
        },
        "result": {
            "certified": result.certified,
            "reasons": [vars(reason) for reason in result.reasons],
            "interfaces": [
                {"interface": count.interface, "must": list(count.must), "should": list(count.should)}
                for count in result.counts
            ],
            "untried": list(result.untried),
            "cases": result.cases,
            "runs": result.runs,
        },
        "suite": vars(made.suite),
        "harness": made.harness,
        "made": made.made,
        "machine": dict(made.machine),
        "command": list(made.command),
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    text = resources.files("assay").joinpath("schemas/certificate.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def parse(data: bytes) -> Certificate:
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise CertificateError(f"the certificate is not JSON: {error}") from None
    if (problem := next(iter(_validator().iter_errors(raw)), None)) is not None:
        place = "/".join(str(part) for part in problem.absolute_path) or "certificate"
        raise CertificateError(f"{place}: {problem.message[:200]}")
    claimed, result, runtime = raw["claim"], raw["result"], raw["runtime"]
    low, high = claimed["versions"]
    profile = Profile(
        claimed["profile"], claimed["title"], claimed["world"], tuple(claimed["interfaces"]), (low, high),
        tuple(claimed["extras"]),
    )  # fmt: skip
    assessment = Assessment(
        tuple(Reason(item["case"], item["unit"], item["words"]) for item in result["reasons"]),
        tuple(_count(item) for item in result["interfaces"]),
        tuple(result["untried"]),
        result["cases"],
        result["runs"],
    )
    return Certificate(
        runtime["name"],
        runtime["version"],
        runtime["note"],
        runtime["sha256"],
        Claim(profile, (low, high), tuple(claimed["extras"]), tuple(claimed["disputed"])),
        assessment,
        Suite(raw["suite"]["digest"], raw["suite"]["cases"]),
        raw["harness"],
        raw["made"],
        raw["machine"],
        tuple(raw["command"]),
    )


def _count(raw: Mapping[str, Any]) -> Count:
    must, should = raw["must"], raw["should"]
    return Count(raw["interface"], (must[0], must[1]), (should[0], should[1]))
