"""The columns of merged records: which runtimes of different records are one, and their names. Pure.

In: records. Out: a `Column` for each runtime that is not the same as another one: another version, build or machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..model import CaseResult
from ..record import Record, RuntimeInfo

Kind = tuple[str, str, str, str, str]


@dataclass
class Column:
    """One runtime of the merged record. `results` has the results of each case, in the order of the records."""

    kind: Kind
    """The name, version and note of the runtime, and the system and architecture of the machine."""
    info: RuntimeInfo
    judged: bool = False
    results: dict[str, list[CaseResult]] = field(default_factory=dict)
    tables: list[Mapping[str, Any]] | None = None
    """What the expectations announce. None where no record says so."""
    builds: set[str] = field(default_factory=set)

    def takes(self, kind: Kind, digest: str, cases: set[str]) -> bool:
        """Returns whether results of a runtime belong here.

        Two builds of one version are one runtime as long as no case has run on both: shards that were run where
        each machine had built its own."""
        return kind == self.kind and (digest in self.builds or not cases & self.results.keys())


def columns(records: Sequence[Record]) -> tuple[Column, ...]:
    """Returns the columns in the order of the first appearance of their runtimes, named so that they differ."""
    found: dict[str, list[Column]] = {}
    absent: dict[str, Column] = {}
    for record in records:
        system = (record.machine.os, record.machine.arch) if record.machine else ("", "")
        mine: dict[str, list[CaseResult]] = {}
        for result in record.results:
            mine.setdefault(result.runtime, []).append(result)
        for info in record.runtimes:
            kind = (info.name, info.version, info.note, *system)
            there = found.setdefault(info.name, [])
            judged = info.name in record.gate
            if info.absent:
                absent.setdefault(info.name, Column(kind, info)).judged |= judged
                continue
            _add(there, kind, info, judged, mine.get(info.name, []), record.expectations.get(info.name))
    made = [column for name, there in found.items() for column in (there or [absent[name]])]
    _name(made)
    return tuple(made)


def _add(
    there: list[Column],
    kind: Kind,
    info: RuntimeInfo,
    judged: bool,
    results: Sequence[CaseResult],
    tables: Sequence[Mapping[str, Any]] | None,
) -> None:
    """Adds the results of one runtime of one record to the column that takes them, or to a new one."""
    cases = {result.case for result in results}
    column = next((column for column in there if column.takes(kind, info.digest, cases)), None)
    if column is None:
        column = Column(kind, info)
        there.append(column)
    column.judged |= judged
    column.builds.add(info.digest)
    if len(column.builds) > 1:
        column.info = replace(column.info, digest="")
    for result in results:
        column.results.setdefault(result.case, []).append(result)
    if tables is not None:
        column.tables = column.tables or []
        column.tables += [table for table in tables if table not in column.tables]


def _number(version: str) -> str:
    found = re.search(r"\d[\w.+-]*", version)
    return found[0] if found else ""


SUFFIXES: tuple[Callable[[Column], str], ...] = (
    lambda column: column.kind[3],
    lambda column: column.kind[4],
    lambda column: "-".join(column.kind[3:]).strip("-"),
    lambda column: _number(column.info.version),
    lambda column: "-".join(part for part in (_number(column.info.version), *column.kind[3:]) if part),
)
"""What may distinguish the columns of a runtime: the first that does is taken, and else they are numbered."""


def _name(made: Sequence[Column]) -> None:
    """Names the columns of the same runtime by what distinguishes them."""
    names = [column.info.name for column in made]
    for name in {name for name in names if names.count(name) > 1}:
        mine = [column for column in made if column.kind[0] == name]
        for suffix in SUFFIXES:
            fresh = [f"{name}@{suffix(column)}" for column in mine]
            if len(set(fresh)) == len(mine) and all(suffix(column) for column in mine) and not set(fresh) & set(names):
                break
        else:
            fresh = [f"{name}@{number}" for number in range(1, len(mine) + 1)]
        for column, other in zip(mine, fresh, strict=True):
            column.info = replace(column.info, name=other)
