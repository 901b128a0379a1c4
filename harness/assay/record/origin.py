"""Where a record comes from: the machine, the shard of the cases, and the records that were merged into it.

In: this machine, the ids of all chosen cases. Out: frozen values, and their JSON. No host name, user name or path of
the machine is in them.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Machine:
    """What a run took place on."""

    os: str
    """`linux`, `darwin`, `windows` …"""
    arch: str
    kernel: str
    cpus: int
    """How many processors this process may use."""

    @property
    def words(self) -> str:
        return f"{self.os} {self.arch}, kernel {self.kernel}, {self.cpus} {'CPU' if self.cpus == 1 else 'CPUs'}"


@dataclass(frozen=True)
class Shard:
    """The part `index` (from 1) of `of` parts of the chosen cases."""

    index: int
    of: int
    cases: int
    """How many cases all shards have together."""
    digest: str
    """SHA-256 of the ids of all these cases, in their order. Shards of one run have the same."""
    places: tuple[int, ...]
    """The place of each case of this shard among all of them, from 0."""

    @property
    def words(self) -> str:
        return f"shard {self.index} of {self.of}, {len(self.places)} of {self.cases} cases"


@dataclass(frozen=True)
class Source:
    """A record that was merged."""

    started: str
    finished: str
    results: int
    seed: int
    machine: Machine | None = None
    shard: tuple[int, int] = (0, 0)
    """Its index and the number of shards; zeros where it was no shard."""
    partial: str = ""


def this_machine() -> Machine:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(platform.system().lower(), platform.machine(), platform.release(), cpus)


def digest_of(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def machine_json(machine: Machine | None) -> dict[str, Any]:
    return {} if machine is None else dict(vars(machine))


def machine_from(value: Mapping[str, Any] | None) -> Machine | None:
    return Machine(**value) if value else None


def shard_json(shard: Shard | None) -> dict[str, Any]:
    return {} if shard is None else {**vars(shard), "places": list(shard.places)}


def shard_from(value: Mapping[str, Any] | None) -> Shard | None:
    return Shard(**{**value, "places": tuple(value["places"])}) if value else None


def source_json(source: Source) -> dict[str, Any]:
    optional: dict[str, Any] = {}
    if source.machine is not None:
        optional["machine"] = machine_json(source.machine)
    if source.shard != (0, 0):
        optional["shard"] = list(source.shard)
    if source.partial:
        optional["partial"] = source.partial
    return {
        "started": source.started,
        "finished": source.finished,
        "results": source.results,
        "seed": source.seed,
        **optional,
    }


def source_from(value: Mapping[str, Any]) -> Source:
    index, of = value.get("shard", (0, 0))
    return Source(
        value["started"],
        value["finished"],
        value["results"],
        value["seed"],
        machine_from(value.get("machine")),
        (index, of),
        value.get("partial", ""),
    )
