"""Merging records: the shards of a run, and runs on several machines. Pure.

In: complete or partial records of one suite, by the same harness and with the same cases. Out: one record. A result
that several records have is counted once where they agree, and flaky where they do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import judge
from ..judge import agree, first_of, joined
from ..judge.expect import ExpectationError
from ..model import CaseResult, Verdict
from ..record import BEFORE_3, SCHEMA, CaseInfo, Record, Source, SuiteInfo, digest_of
from .again import mark
from .columns import Column, columns


class MergeError(Exception):
    """Records that cannot be merged, and the reason."""


def merge(records: Sequence[tuple[str, Record]], *, allow_flaky: bool = False) -> Record:
    """Returns the records as one, with their names for the reasons. `allow_flaky`: a flaky result leaves it green."""
    _refuse(records)
    every = [record for _, record in records]
    first = every[0]
    infos = _cases(records)
    made = columns(every)
    machines = {record.machine for record in every}
    seeds = {record.seed for record in every}
    tables = {column.info.name: tuple(column.tables) for column in made if column.tables is not None}
    finished = [record.finished for record in every]
    merged = replace(
        first,
        started=min(record.started for record in every),
        finished=max(finished) if all(finished) else "",
        gate=_gate(every, made),
        runtimes=tuple(column.info for column in made),
        cases=infos,
        results=(),
        stale=tuple(dict.fromkeys(entry for record in every for entry in record.stale)),
        trace=all(record.trace for record in every),
        timeout_factor=max(record.timeout_factor for record in every),
        seed=first.seed if len(seeds) == 1 else 0,
        suite=_suite(every),
        expectations=tables,
        schema=SCHEMA,
        machine=first.machine if len(machines) == 1 else None,
        sources=tuple(_source(record) for record in every),
        retry=max(record.retry for record in every),
        allow_flaky=allow_flaky or all(record.allow_flaky for record in every),
    )
    merged = replace(merged, results=_results(merged, made))
    return replace(merged, partial=_partial(records, merged))


def _refuse(records: Sequence[tuple[str, Record]]) -> None:
    """Raises MergeError where records do not belong together."""
    if len(records) < 2:
        raise MergeError("there is nothing to merge: give two records or more")
    (name, first), *others = records
    for path, record in records:
        if record.schema in BEFORE_3:
            raise MergeError(f"{path}: a record of {record.schema} has no definitions, so it cannot be merged")
        if record.partial and record.sources and any(source.shard[0] for source in record.sources):
            raise MergeError(f"{path} lacks shards: merge all shards at once")
    for path, record in others:
        pairs: tuple[tuple[str, object, object], ...] = (
            ("the harness", first.harness, record.harness),
            ("the suite", (first.suite.kind.value, first.suite.name), (record.suite.kind.value, record.suite.name)),
            ("the adapter", first.suite.adapter, record.suite.adapter),
            ("--versions", first.suite.versions, record.suite.versions),
            ("--strict", first.strict, record.strict),
        )
        for what, one, another in pairs:
            if one != another:
                raise MergeError(f"{what} is not the same: {_words(one)} in {name}, {_words(another)} in {path}")
    shards = [(path, record.suite.shard) for path, record in records if record.suite.shard is not None]
    for path, shard in shards[1:]:
        begin, known = shards[0]
        if (known.of, known.cases, known.digest) != (shard.of, shard.cases, shard.digest):
            raise MergeError(
                f"{begin} and {path} are shards of different runs: {known.words} and {shard.words}; the cases that "
                "were shared out must be the same"
            )


def _words(value: object) -> str:
    return " ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value) or "none"


def _cases(records: Sequence[tuple[str, Record]]) -> tuple[CaseInfo, ...]:
    """Returns the cases of all records in the order of the suite."""
    infos: dict[str, CaseInfo] = {}
    where: dict[str, str] = {}
    for path, record in records:
        for info in record.cases:
            known = infos.setdefault(info.id, info)
            where.setdefault(info.id, path)
            if known.identity != info.identity:
                what = "the component" if known.sha256 != info.sha256 else "the definition of the case"
                raise MergeError(f"{info.id}: {what} in {path} is another one than in {where[info.id]}")
    places = {
        info.id: place
        for _, record in records
        if record.suite.shard is not None
        for info, place in zip(record.cases, record.suite.shard.places, strict=False)
    }
    order = sorted(places, key=places.__getitem__)
    for _, record in records:
        if record.suite.shard is None:
            order = _woven(order, [info.id for info in record.cases])
    return tuple(infos[name] for name in order)


def _woven(order: list[str], more: Sequence[str]) -> list[str]:
    """Returns `order` with what only `more` has, each after the one that it follows there."""
    known, place = set(order), 0
    woven = list(order)
    at = {name: index for index, name in enumerate(woven)}
    for name in more:
        if name in known:
            place = at[name] + 1
            continue
        woven.insert(place, name)
        at = {name: index for index, name in enumerate(woven)} if place < len(woven) - 1 else {**at, name: place}
        place += 1
    return woven


def _suite(every: Sequence[Record]) -> SuiteInfo:
    toolchains: dict[str, str] = {}
    for record in every:
        for guest, version in record.suite.toolchains.items():
            if toolchains.setdefault(guest, version) != version:
                raise MergeError(f"the toolchain of {guest} is not the same: {toolchains[guest]} and {version}")
    absent = tuple(dict.fromkeys(name for record in every for name in record.suite.absent))
    return replace(every[0].suite, shard=None, toolchains=toolchains, absent=absent)


def _gate(every: Sequence[Record], made: Sequence[Column]) -> tuple[str, ...]:
    """Returns the columns that are judged, and what a record was to judge and no record has."""
    names = {column.kind[0] for column in made}
    strangers = [name for record in every for name in record.gate if name not in names]
    return tuple(dict.fromkeys([*(column.info.name for column in made if column.judged), *strangers]))


def _source(record: Record) -> Source:
    shard = record.suite.shard
    place = (shard.index, shard.of) if shard is not None else (0, 0)
    return Source(
        record.started, record.finished, len(record.results), record.seed, record.machine, place, record.partial
    )


def _results(merged: Record, made: Sequence[Column]) -> tuple[CaseResult, ...]:
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = merged.expectations
    try:
        announced = judge.expectations(merged.suite.kind, tables, lambda name: f"the expectations of {name}")
    except ExpectationError as error:
        raise MergeError(f"the records do not have the same expectations: {error}") from None
    results = []
    for info in merged.cases:
        for column in made:
            found = [_renamed(result, column.info.name) for result in column.results.get(info.id, ())]
            if not found:
                continue
            one = _one(found, info, strict=merged.strict)
            results.append(one if one is found[0] else mark(merged, one, info, announced))
    return tuple(results)


def _renamed(result: CaseResult, name: str) -> CaseResult:
    attempts = tuple(replace(attempt, runtime=name) for attempt in result.attempts)
    return replace(result, runtime=name, attempts=attempts)


def _one(found: Sequence[CaseResult], info: CaseInfo, *, strict: bool) -> CaseResult:
    """Returns the results of a case on a runtime as one. One that was not run gives way to one that was."""
    ran = [result for result in found if result.verdict is not Verdict.SKIP] or list(found)
    attempts = [one for result in ran for one in (first_of(result, info, strict=strict), *result.attempts)]
    if agree(attempts):
        return ran[0]
    return joined(attempts, info, strict=strict)


def _partial(records: Sequence[tuple[str, Record]], merged: Record) -> str:
    """Returns why the merged record is not complete, or an empty string."""
    reasons = []
    shards = [record.suite.shard for _, record in records if record.suite.shard is not None]
    if shards:
        missing = sorted(set(range(1, shards[0].of + 1)) - {shard.index for shard in shards})
        if missing:
            many = len(missing) > 1
            numbers = ", ".join(map(str, missing))
            reasons.append(f"{'shards' if many else 'shard'} {numbers} of {shards[0].of} {'are' if many else 'is'} missing")
        elif not _whole(records, shards[0].digest):
            raise MergeError("the shards do not have the cases that were shared out")
    if merged.missing:
        by_runtime: dict[str, int] = {}
        for _, name in merged.missing:
            by_runtime[name] = by_runtime.get(name, 0) + 1
        reasons.append(f"results are missing: {', '.join(f'{many} of {name}' for name, many in by_runtime.items())}")
        reasons += [f"{path}: {record.partial}" for path, record in records if record.partial]
    return "; ".join(reasons)


def _whole(records: Sequence[tuple[str, Record]], digest: str) -> bool:
    """Returns whether the shards have exactly the cases that were shared out."""
    places = {
        place: info.id
        for _, record in records
        if record.suite.shard is not None
        for info, place in zip(record.cases, record.suite.shard.places, strict=False)
    }
    return digest_of([places[place] for place in sorted(places)]) == digest


def listed(record: Record) -> str:
    """Returns where a merged record comes from, in one line."""
    machines = {source.machine.words for source in record.sources if source.machine is not None}
    return f"{len(record.sources)} records of {len(machines) or 'unknown'} {'machine' if len(machines) == 1 else 'machines'}"
