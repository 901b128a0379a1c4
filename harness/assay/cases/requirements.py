"""The words of the requirements in the catalogue, suites/text, for the checks that cite them by their id, and what
they rest on, and what is known of those that several peers fail.

In: the folder suites/. Out: one sentence a requirement: who, when, and what is seen; the official sentences; divergences.
Format: suites/text/README.md.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Basis, Divergence

SUFFIX = ".requirements.tsv"


@dataclass(frozen=True)
class Requirement:
    """One row of the catalogue, in our words: under `condition`, `subject` does `outcome`."""

    id: str
    level: str
    functions: tuple[str, ...]
    since: str
    basis: str
    subject: str
    condition: str
    outcome: str
    excuse: str
    """Why no case can check it. Empty when one does."""

    @property
    def words(self) -> str:
        return f"{self.subject}{f', {self.condition}' if self.condition else ''}: {self.outcome}"


@functools.cache
def catalogue(suites: Path) -> Mapping[str, Requirement]:
    """By requirement id. Empty where `suites` has no catalogue. ci/check_text.py checks the files; a row that cannot be
    read has no words here."""
    found: dict[str, Requirement] = {}
    for path in sorted((suites / "text").glob(f"*/*{SUFFIX}")):
        for row in _named(path):
            get = functools.partial(_cell, row)
            parts = (get("since"), get("basis"), get("subject"), get("condition"), get("outcome"), get("excuse"))
            found[get("id")] = Requirement(get("id"), get("level"), tuple(get("function").split()), *parts)
    return found


@functools.cache
def words(suites: Path) -> Mapping[str, str]:
    """By requirement id. Empty where `suites` has no catalogue."""
    return {item.id: item.words for item in catalogue(suites).values()}


def places(suites: Path) -> Mapping[str, str]:
    """Returns the file and line of each sentence that yields a requirement, by its id (`io/streams#input-stream.1`)."""
    found: dict[str, str] = {}
    for path in sorted((suites / "text").glob("*/*.tsv")):
        if not path.name.endswith(SUFFIX):
            for row in _named(path):
                until = _cell(row, "until")
                name = f"{path.parent.name}/{path.stem}#{_cell(row, 'id')}"
                found[name] = f"{_cell(row, 'place')}{f', until {until}' if until else ''}"
    return found


def _named(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a table by the names of its columns."""
    with path.open(encoding="utf-8") as file:
        columns = file.readline().rstrip("\n").removeprefix("#").split("\t")
    for row in _rows(path):
        yield dict(zip(columns, row, strict=False))


def _cell(row: Mapping[str, str], column: str) -> str:
    value = row.get(column, "")
    return "" if value == "-" else value


def bases(suites: Path) -> Mapping[str, Basis]:
    """What each requirement rests on, as the catalogue's own script finds it. Empty where `suites` has no such
    script, or where it fails: the catalogue is checked by ci/check_text.py."""
    program = suites / "text/official.py"
    if not program.is_file():
        return {}
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}
    return {
        requirement: Basis(
            found["basis"],
            tuple((name, text) for name, text, *_ in found["sentences"]),
            tuple((link or [""])[0] for _, _, *link in found["sentences"]),
        )
        for requirement, found in json.loads(done.stdout).items()
    }


def links(root: Path) -> Mapping[str, Sequence[str]]:
    """The addresses of the sentences that yield each requirement, by its id, each once. Empty where the project has no
    catalogue."""
    return {
        requirement: mine
        for requirement, basis in bases(root / "suites").items()
        if (mine := tuple(dict.fromkeys(link for link in basis.links if link)))
    }


NOT_A_RUNTIME = {"title", "requirements", "sentences", "links", "right", "why"}


def divergences(suites: Path) -> Mapping[str, Divergence]:
    """The entries of divergences.toml by requirement id. Empty where `suites` has no such file, or one that cannot be
    read: ci/check_divergences.py checks it."""
    try:
        entries = tomllib.loads((suites / "divergences.toml").read_text(encoding="utf-8")).get("divergence", [])
        return {
            requirement: Divergence(
                entry["title"],
                entry["right"],
                entry["why"],
                {name: words for name, words in entry.items() if name not in NOT_A_RUNTIME},
                tuple(entry["links"]),
            )
            for entry in entries
            for requirement in entry["requirements"]
        }
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError):
        return {}


def _rows(path: Path) -> list[list[str]]:
    """The rows of a table, without its heading."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
