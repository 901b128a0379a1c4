"""What the runs of a history say, without making whole records: pieces that runs share are read once.

In: a store. Out: for each run its cases with their checks, and for each runtime the results with their units.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..model import Level, UnitResult, Verdict, original
from ..record import units_from
from .manifest import Run
from .pieces import HOLE
from .store import Store


@dataclass(frozen=True)
class Definition:
    """One check of a case."""

    case: str
    id: str
    level: Level
    function: str
    since: str
    text: str


@dataclass(frozen=True)
class Case:
    """A case as a run defines it."""

    id: str
    kind: str
    title: str
    interfaces: tuple[str, ...]
    checks: tuple[Definition, ...]

    @property
    def variant(self) -> bool:
        return self.kind == "case" and original(self.id) != self.id


@dataclass(frozen=True)
class Result:
    """The result of a case on a runtime, without its times and output."""

    case: str
    verdict: Verdict
    reason: str
    ending: str
    units: tuple[UnitResult, ...]

    def unit(self, unit_id: str) -> UnitResult | None:
        return next((unit for unit in self.units if unit.id == unit_id), None)


class Rows:
    """Reads the runs of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._cases: dict[str, tuple[Case, ...]] = {}
        self._results: dict[str, tuple[Result, ...]] = {}
        self._whole: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}

    def cases(self, run: Run) -> tuple[Case, ...]:
        """Returns the cases of a run, in their order."""
        pieces = run.about.get("pieces")
        if pieces is None:
            return tuple(_case(value) for value in self._lines(run)[0]["cases"])
        listed = pieces["cases"]
        if listed not in self._cases:
            lines = (line for chunk in self.store.chunks(listed) for line in chunk.split("\n"))
            self._cases[listed] = tuple(_case(json.loads(line)) for line in lines)
        return self._cases[listed]

    def results(self, run: Run, runtime: str) -> Iterator[Result]:
        """Yields the results of a runtime, in the order of the record."""
        pieces = run.about.get("pieces")
        if pieces is None:
            yield from (_result(value) for value in self._lines(run)[1] if value["runtime"] == runtime)
            return
        for name in self.store.piece(pieces["results"][runtime]).split() if runtime in pieces["results"] else ():
            if name not in self._results:
                lines = self.store.piece(name).split("\n")
                self._results[name] = tuple(_result(json.loads(line.replace(HOLE, "0"))) for line in lines)
            yield from self._results[name]

    def times(self, run: Run, runtime: str) -> list[list[float]]:
        """Returns the times of each result of a runtime: wall and CPU in seconds, the peak of memory in KiB."""
        if run.about.get("pieces") is None:
            mine = (value for value in self._lines(run)[1] if value["runtime"] == runtime)
            return [[value["wall"], value["cpu"], value["peak_rss_kib"]] for value in mine]
        return [[float(item) for item in row] for row in self.store.numbers(run)["times"].get(runtime, [])]

    def _lines(self, run: Run) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Returns the header and the results of a run that is kept whole."""
        if run.name not in self._whole:
            lines = self.store.restore(run).decode().split("\n")
            values = [json.loads(line) for line in lines[1:] if line.startswith("{") and line.endswith("}")]
            self._whole[run.name] = json.loads(lines[0]), [value for value in values if value["type"] == "result"]
        return self._whole[run.name]


def _case(value: dict[str, Any]) -> Case:
    checks = (
        Definition(value["id"], check["id"], Level(check["level"]), check["function"], check["since"], check["text"])
        for check in value["checks"]
    )
    return Case(value["id"], value.get("kind", "case"), value["title"], tuple(value["interfaces"]), tuple(checks))


def _result(value: dict[str, Any]) -> Result:
    return Result(
        value["case"],
        Verdict(value["verdict"]),
        value.get("reason", ""),
        value["outcome"]["ending"],
        units_from(value),
    )
