"""The catalogue: every sentence of WASI's documentation with its class, and the requirements that it yields.

In: a folder like suites/text, with `PACKAGE/INTERFACE.tsv` (sentences) and `PACKAGE/INTERFACE.requirements.tsv`. Out: frozen
dataclasses. suites/text/README.md says what the columns mean. A row that breaks a rule is an error with its file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".requirements.tsv"
CLASSES = ("must", "should", "may", "unspecified", "explanation")
NORMATIVE = ("must", "should", "may")
LEVELS = ("must", "should", "unspecified")
BASES = re.compile(r"wit|(posix|rfc\d+|component-model|canonical-abi|whatwg|iana): .+|unspecified")
SENTENCE_COLUMNS = ["id", "class", "since", "until", "hash", "place", "yields", "why"]
REQUIREMENT_COLUMNS = ["id", "level", "function", "since", "basis", "subject", "condition", "outcome", "excuse"]
VERSION = re.compile(r"0\.2\.(\d+)")


class CatalogueError(Exception):
    """A row that breaks a rule."""


@dataclass(frozen=True)
class Row:
    """One sentence. Its text is found by `hash` in the official file."""

    interface: str  # "filesystem/types"; "http" for a package's own documentation
    id: str  # "descriptor.stat.3"
    cls: str
    since: str  # the first 0.2.x that has it
    until: str  # the last one; "" when 0.2.12 has it
    hash: str
    place: str  # file:line in the last version that has it
    yields: tuple[str, ...]
    why: str  # why a normative sentence yields nothing, or what an explanation is; ""
    at: str  # file:line of the row

    @property
    def name(self) -> str:
        return f"{self.interface}#{self.id}"

    @property
    def item(self) -> str:
        return self.id.rpartition(".")[0]

    def within(self, version: str) -> bool:
        return number(self.since) <= number(version) <= (number(self.until) if self.until else 99)


@dataclass(frozen=True)
class Requirement:
    """One requirement, in our words: under `condition`, `subject` does `outcome`."""

    id: str
    level: str
    functions: tuple[str, ...]
    since: str
    basis: str
    subject: str
    condition: str  # "" for always
    outcome: str
    excuse: str  # why no case can check it; ""
    at: str = ""  # file:line of the row

    @property
    def words(self) -> str:
        return f"{self.subject}{f', {self.condition}' if self.condition else ''}: {self.outcome}"


def number(version: str) -> int:
    return int(version.rpartition(".")[2])


def table(path: Path, columns: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a file and where each is. "-" is an empty cell."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: {error}") from None
    if not lines or lines[0] != "#" + "\t".join(columns):
        raise CatalogueError(f"{path}:1: the first line is to name the columns: {' '.join(columns)}")
    for n, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise CatalogueError(f"{path}:{n}: {len(cells)} columns instead of {len(columns)}")
        yield f"{path}:{n}", ["" if c == "-" else c for c in cells]


def sentences(folder: Path) -> list[Row]:
    """Returns all sentences, in the order of the files."""
    found: list[Row] = []
    for path in sorted(folder.glob("*/*.tsv")):
        if path.name.endswith(SUFFIX):
            continue
        interface = f"{path.parent.name}/{path.stem}"
        for at, (i, cls, since, until, digest, place, yields, why) in table(path, SENTENCE_COLUMNS):
            found.append(Row(interface, i, cls, since, until, digest, place, tuple(yields.split()), why, at))
            if not VERSION.fullmatch(since) or (until and not VERSION.fullmatch(until)):
                raise CatalogueError(f"{at}: a version is 0.2.N")
    return found


def requirements(folder: Path) -> dict[str, Requirement]:
    """Returns all requirements by their ids. None where there is no such folder."""
    found: dict[str, Requirement] = {}
    for path in sorted(folder.glob(f"*/*{SUFFIX}")):
        for at, (i, level, functions, since, basis, subject, condition, outcome, excuse) in table(path, REQUIREMENT_COLUMNS):
            if i in found:
                raise CatalogueError(f"{at}: {i} is a requirement already, at {found[i].at}")
            found[i] = Requirement(i, level, tuple(functions.split()), since, basis, subject, condition, outcome, excuse, at)
    return found
