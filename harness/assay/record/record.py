"""The values of a record. Every report is derived from them.

In: what ran, and the results. Out: frozen values, and what two records share. file.py reads and writes them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..model import Absent, Case, CaseResult, Check, Expect, Kind, NotRun, Observation, Peer, original
from .origin import Machine, Shard, Source

SCHEMA = "assay-results/4"
"""Versions 1 to 3 are read as well. Version 3 has no machine, no shards and no attempts. Versions 1 and 2 have no
kinds, no definitions, no expectations and no exchanges either."""
STDIN_LIMIT = 64 << 10


class RecordError(Exception):
    """A record that cannot be read."""


@dataclass(frozen=True)
class RuntimeInfo:
    name: str
    version: str = ""
    absent: str = ""
    note: str = ""
    program: tuple[str, ...] = ()
    digest: str = ""
    """SHA-256 of the program's files: two builds may have the same version."""
    reference: bool = False
    """The runtime whose trace a report shows."""

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.version, self.note, self.digest


@dataclass(frozen=True)
class CaseInfo:
    """What a record keeps of a case of any kind. Reports and `assay judge` need no case files."""

    id: str
    title: str
    notes: str
    component: str
    sha256: str
    interfaces: tuple[str, ...]
    checks: tuple[Check, ...]
    stdin: bytes = b""
    digest: str = ""
    """SHA-256 of what defines the case besides its component."""
    kind: Kind = Kind.CASE
    expect: Expect | None = None
    """None in records before version 3: they have no definitions, so judging them again needs case files."""
    built: str = ""
    """The 0.2.x that the component was built against, where the case has variants and the record says so."""

    @property
    def identity(self) -> tuple[str, str]:
        return self.sha256, self.digest

    @property
    def original(self) -> str:
        """The id of the case that this is a variant of, or its own."""
        return original(self.id) if self.kind is Kind.CASE else self.id

    @property
    def variant(self) -> bool:
        """Whether this is a case against another version of WASI than it was built for, or without openat2."""
        return self.original != self.id

    @property
    def variation(self) -> str:
        """What a variant is against, `0.2.7` or `without-openat2`; of a case what it was built against."""
        return self.id.partition("@")[2] if self.variant else self.built

    def check(self, check_id: str) -> Check | None:
        return self._checks.get(check_id)

    @functools.cached_property
    def _checks(self) -> dict[str, Check]:
        return {check.id: check for check in reversed(self.checks)}


@dataclass(frozen=True)
class Group:
    """Programs that cannot be run, and the reason."""

    name: str
    programs: int
    reason: str


@dataclass(frozen=True)
class SuiteInfo:
    """The suite of a run: its name, and which parts of it are absent or cannot be run."""

    name: str = "p2"
    kind: Kind = Kind.CASE
    adapter: str = ""
    """The adapter module that turns programs of preview 1 into components."""
    absent: tuple[str, ...] = ()
    unsupported: tuple[Group, ...] = ()
    versions: tuple[str, ...] = ()
    """The words of --versions. Empty: all variants on every runtime."""
    toolchains: Mapping[str, str] = field(default_factory=dict)
    """The version of the toolchain by the guest that it made (`program-go`), of those that are made on demand."""
    shard: Shard | None = None
    """The part of the cases that was run, of a run with --shard."""


@dataclass(frozen=True)
class Record:
    started: str
    finished: str
    harness: str
    strict: bool
    gate: tuple[str, ...]
    runtimes: tuple[RuntimeInfo, ...]
    cases: tuple[CaseInfo, ...]
    results: tuple[CaseResult, ...]
    stale: tuple[str, ...] = ()
    partial: str = ""
    """Why the record is not complete. Empty when it is."""
    trace: bool = True
    timeout_factor: float = 1.0
    seed: int = 0
    """Which tokens replaced the nonces of the cases."""
    suite: SuiteInfo = SuiteInfo()
    expectations: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """The [[expected]] tables that the results were compared with, by runtime."""
    schema: str = SCHEMA
    machine: Machine | None = None
    """What the run took place on. None in records before version 4, and where several were merged."""
    sources: tuple[Source, ...] = ()
    """The records that were merged into this one."""
    retry: int = 0
    """How often an unexpected result was run again (--retry-unexpected)."""
    allow_flaky: bool = False
    """Whether a flaky result leaves the run green."""

    @property
    def present(self) -> tuple[RuntimeInfo, ...]:
        return tuple(runtime for runtime in self.runtimes if not runtime.absent)

    def result(self, case: str, runtime: str) -> CaseResult | None:
        return self._index.get((case, runtime))

    @functools.cached_property
    def _index(self) -> dict[tuple[str, str], CaseResult]:
        return {(result.case, result.runtime): result for result in self.results}

    @property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """The pairs of case and runtime that a complete record would have and this one lacks."""
        pairs = ((case.id, runtime.name) for case in self.cases for runtime in self.present)
        return tuple(pair for pair in pairs if pair not in self._index)


def runtime_info(peer: Peer | Absent, reference: bool = False) -> RuntimeInfo:
    if isinstance(peer, Absent):
        return RuntimeInfo(peer.name, absent=peer.reason, reference=reference)
    digest = hashlib.sha256()
    for word in peer.program:
        if Path(word).is_file():
            with Path(word).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return RuntimeInfo(peer.name, peer.version, "", peer.note, peer.program, digest.hexdigest(), reference)


def case_info(case: Case) -> CaseInfo:
    digest = hashlib.sha256(case.component.read_bytes()).hexdigest() if case.component.is_file() else ""
    return CaseInfo(
        case.id, case.title, case.notes, case.component.name, digest, case.interfaces, case.checks,
        case.run.stdin[:STDIN_LIMIT], case.digest, case.kind, case.expect, case.built,
    )  # fmt: skip


def changes(old: Record, new: Record) -> tuple[str, ...]:
    """Returns why results of one record cannot be combined with those of the other. Empty when they can."""
    found = [] if old.harness == new.harness else [f"harness: {old.harness}, now {new.harness}"]
    runtimes = {item.name: item for item in new.runtimes}
    cases = {case.id: case for case in new.cases}
    for runtime in old.runtimes:
        found += _runtime_changes(runtime, runtimes.get(runtime.name))
    for case in old.cases:
        found += _case_changes(case, cases.get(case.id))
    return tuple(found)


def run_changes(old: Record, case: CaseInfo, runtime: RuntimeInfo) -> tuple[str, ...]:
    """Returns what has changed about one run since the record."""
    before = next(item for item in old.cases if item.id == case.id)
    there = next(item for item in old.runtimes if item.name == runtime.name)
    return (*_case_changes(before, case), *_runtime_changes(there, runtime))


def _runtime_changes(old: RuntimeInfo, new: RuntimeInfo | None) -> list[str]:
    if new is None or bool(old.absent) != bool(new.absent):
        return [
            f"{old.name}: {'was absent' if old.absent else old.version}, now {'there' if new and not new.absent else 'absent'}"
        ]
    if old.identity == new.identity or old.absent:
        return []
    if (old.version, old.note) == (new.version, new.note):
        return (
            []
            if not old.digest
            else [f"{old.name}: the program has changed ({old.digest[:12]}, now {new.digest[:12]})"]
        )
    words = [" ".join(part for part in (item.version, item.note) if part) for item in (old, new)]
    return [f"{old.name}: {words[0]}, now {words[1]}"]


def _case_changes(old: CaseInfo, new: CaseInfo | None) -> list[str]:
    if new is None:
        return [f"{old.id}: no longer exists"]
    if old.sha256 != new.sha256:
        return [f"{old.id}: the component {new.component} has changed"]
    return [f"{old.id}: the definition of the case has changed"] if old.digest and old.digest != new.digest else []


def still_true(old: Record, new: Record) -> tuple[CaseResult, ...]:
    """Returns the results of the old record that are valid in the new one."""
    if old.harness != new.harness:
        return ()
    runtimes = {item.name: item for item in new.present}
    cases = {case.id: case for case in new.cases}
    good_runtimes = {item.name for item in old.present if not _runtime_changes(item, runtimes.get(item.name))}
    good_cases = {case.id for case in old.cases if not _case_changes(case, cases.get(case.id))}
    return tuple(result for result in old.results if result.runtime in good_runtimes and result.case in good_cases)


def harness_version() -> str:
    return f"assay {__version__}"


def with_verdict(earlier: Record, verdicts: Sequence[str], runtimes: Sequence[str] = ()) -> frozenset[str]:
    """Returns the cases that had such a verdict, as a whole or in a unit."""
    return frozenset(
        result.case
        for result in earlier.results
        if (not runtimes or result.runtime in runtimes)
        and (
            ({result.verdict.value} | {unit.verdict.value for unit in result.units}) & set(verdicts)
            or ("unexpected" in verdicts and result.unexpected)
        )
    )


INTERRUPTED = "the run was interrupted"
"""The reason of a record that is partial because its run was interrupted."""


def seen(result: CaseResult) -> Observation | NotRun:
    """Returns what the verdicts of a result were made from."""
    return NotRun(result.reason, result.verdict) if result.reason else result.observation
