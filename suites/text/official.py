#!/usr/bin/env python3
"""The official files, and the sentences in them that each requirement rests on.

Usage: suites/text/official.py
Out: JSON, by requirement: `basis` as in the catalogue, and `sentences`, each with its id and its text. The text is empty where
this machine has no file with that sentence. The files of 0.2.0 and 0.2.12 are read from build/suites (`make suites`) or
../shared/wit, and CanonicalABI.md from build/suites.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import catalogue
import cut
import cut_abi

ROOT = Path(__file__).resolve().parents[2]
FIRST, LAST = "0.2.0", "0.2.12"


def wit(version: str) -> Path | None:
    """The folder with the official files of a version."""
    for folder in (ROOT / "build/suites" / f"wit-{version.replace('.', '-')}", ROOT.parent / "shared/wit" / version):
        if folder.is_dir() and cut.files(folder):
            return folder
    return None


def abi() -> Path | None:
    """The Canonical ABI's text at the commit of ci/suites.tsv."""
    path = ROOT / "build/suites/canonical-abi-text" / cut_abi.FILE
    return path if path.is_file() else None


def texts() -> dict[tuple[str, str, str], str]:
    """The sentences of the files that are there, by interface, item and hash."""
    found = [s for version in (FIRST, LAST) if (folder := wit(version)) for s in cut.cut(folder)]
    found += cut_abi.cut(path) if (path := abi()) else []
    return {(s.interface, s.item, s.hash): s.text for s in found}


def bases() -> dict[str, dict[str, object]]:
    """What each requirement rests on: the newest wording first."""
    known = texts()
    yielded: dict[str, list[catalogue.Row]] = {}
    for row in catalogue.sentences():
        for requirement in row.yields:
            yielded.setdefault(requirement, []).append(row)
    return {
        r.id: {
            "basis": r.basis,
            "sentences": [
                [row.name, known.get((row.interface, row.item, row.hash), "")]
                for row in sorted(yielded.get(r.id, ()), key=lambda row: bool(row.until))
            ],
        }
        for r in catalogue.requirements().values()
    }


if __name__ == "__main__":
    json.dump(bases(), sys.stdout, ensure_ascii=False)
