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
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..model import Basis, Divergence
from . import catalogue
from .catalogue import Requirement


@functools.cache
def requirements(suites: Path) -> Mapping[str, Requirement]:
    """By requirement id. Empty where `suites` has no catalogue. A row that breaks a rule is a CatalogueError."""
    return catalogue.requirements(suites / "text")


@functools.cache
def words(suites: Path) -> Mapping[str, str]:
    """By requirement id. Empty where `suites` has no catalogue."""
    return {item.id: item.words for item in requirements(suites).values()}


def places(suites: Path) -> Mapping[str, str]:
    """Returns the file and line of each sentence that yields a requirement, by its id (`io/streams#input-stream.1`)."""
    rows = catalogue.sentences(suites / "text")
    return {row.name: f"{row.place}{f', until {row.until}' if row.until else ''}" for row in rows}


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
