"""The record of a run and what is derived from it."""

from __future__ import annotations

from .record import (
    SCHEMA,
    STDIN_LIMIT,
    CaseInfo,
    CheckInfo,
    Log,
    Record,
    RecordError,
    RuntimeInfo,
    case_info,
    changes,
    harness_version,
    lines,
    parse,
    read,
    run_changes,
    runtime_info,
    schema_problem,
    still_true,
    with_verdict,
    write,
)

__all__ = [
    "SCHEMA",
    "STDIN_LIMIT",
    "CaseInfo",
    "CheckInfo",
    "Log",
    "Record",
    "RecordError",
    "RuntimeInfo",
    "case_info",
    "changes",
    "harness_version",
    "lines",
    "parse",
    "read",
    "run_changes",
    "runtime_info",
    "schema_problem",
    "still_true",
    "with_verdict",
    "write",
]
