"""The record of a run, and what is derived from it."""

from __future__ import annotations

from .file import BEFORE_3, REFERENCE_BEFORE_3, Log, lines, parse, read, schema_problem, unit_counts, write
from .origin import Machine, Shard, Source, digest_of, this_machine
from .record import (
    INTERRUPTED,
    SCHEMA,
    STDIN_LIMIT,
    CaseInfo,
    Group,
    Record,
    RecordError,
    RuntimeInfo,
    SuiteInfo,
    case_info,
    changes,
    harness_version,
    run_changes,
    runtime_info,
    seen,
    still_true,
    with_verdict,
)

__all__ = [
    "BEFORE_3",
    "INTERRUPTED",
    "REFERENCE_BEFORE_3",
    "SCHEMA",
    "STDIN_LIMIT",
    "CaseInfo",
    "Group",
    "Log",
    "Machine",
    "Record",
    "RecordError",
    "RuntimeInfo",
    "Shard",
    "Source",
    "SuiteInfo",
    "case_info",
    "changes",
    "digest_of",
    "harness_version",
    "lines",
    "parse",
    "read",
    "run_changes",
    "runtime_info",
    "schema_problem",
    "seen",
    "still_true",
    "this_machine",
    "unit_counts",
    "with_verdict",
    "write",
]
