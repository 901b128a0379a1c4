"""What is known of a requirement's failures: announcements in suites/expectations, entries of suites/divergences.toml.

In: the folder suites/. Out: by check, who fails it and why.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..judge import expect
from ..judge.expect import Entry
from ..model import original

RUNTIMES = ("touchstone", "wasmtime", "jco", "wasmtime-py")
RIGHT = {
    "touchstone": "the text decides",
    "open": "the text says what touchstone does, and its authors discuss whether it shall",
    "nobody": "the text leaves it to the runtime",
}


@dataclass(frozen=True)
class Announced:
    """One entry of an expectations file that is about a check, or about a whole case."""

    runtime: str
    entry: Entry

    def covers(self, case: str, check: str) -> bool:
        return self.entry.case in (case, original(case)) and self.entry.check in (None, check)

    @property
    def words(self) -> str:
        why = self.entry.why
        statuses = "/".join(item.value for item in self.entry.statuses)
        return f"{self.runtime} {statuses}: {why.kind}: {why.reason} ({why.link or 'no thread known'})"


@dataclass(frozen=True)
class Divergence:
    """A requirement that several runtimes fail: who does what, and who is right."""

    title: str
    requirements: tuple[str, ...]
    does: tuple[tuple[str, str], ...]
    right: str
    why: str
    links: tuple[str, ...]


def announced(folder: Path) -> tuple[Announced, ...]:
    """Reads the expectations of cases in a folder, of all runtimes. Files about scripts and programs have none.

    A file that cannot be used is an ExpectationError."""
    found: list[Announced] = []
    for path in sorted(folder.glob("*.toml")):
        tables = [table for table in expect.read_tables(path) if "case" in table]
        found += [Announced(path.stem, entry) for entry in expect.parse(str(path), tables)]
    return tuple(found)


def divergences(suites: Path) -> tuple[Divergence, ...]:
    """Reads suites/divergences.toml; nothing where it is absent. ci/check_divergences.py checks the file."""
    path = suites / "divergences.toml"
    if not path.is_file():
        return ()
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Divergence(
            item["title"],
            tuple(item["requirements"]),
            tuple((name, item[name]) for name in RUNTIMES if name in item),
            RIGHT.get(item["right"], item["right"]),
            item["why"],
            tuple(item["links"]),
        )
        for item in raw.get("divergence", ())
    )


def of_check(items: Iterable[Divergence], check: str) -> Divergence | None:
    """Returns the divergence that a check belongs to."""
    return next((item for item in items if check in item.requirements), None)
