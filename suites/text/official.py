#!/usr/bin/env python3
"""The official files, and the sentences in them that each requirement rests on.

Usage: suites/text/official.py
Out: JSON, by requirement: `basis` as in the catalogue, and `sentences`, each with its id, its text and its address upstream.
The text is empty where this machine has no file with that sentence. The files of 0.2.0 and 0.2.12 are read from build/suites (`make suites`) or
../shared/wit, and CanonicalABI.md from build/suites.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

import cut
import cut_abi

TEXT = Path(__file__).resolve().parent
ROOT = TEXT.parents[1]
sys.path.insert(0, str(ROOT / "harness"))
from assay.cases import catalogue

FIRST, LAST = "0.2.0", "0.2.12"
WASI = "https://github.com/WebAssembly/WASI/blob/{commit}/proposals/{package}/wit/{file}#L{line}"
WASI_FIRST = "https://github.com/WebAssembly/WASI/blob/{commit}/preview2/{package}/{file}#L{line}"
ABI = "https://github.com/WebAssembly/component-model/blob/{commit}/design/mvp/{file}#L{line}"


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


@functools.cache
def pins() -> dict[str, str]:
    """The commits of ci/suites.tsv by the names of its rows. None where the catalogue stands alone."""
    path = ROOT / "ci/suites.tsv"
    if not path.is_file():
        return {}
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines() if line[:1] != "#"]
    return {row[0]: row[2] for row in rows}


def address(row: catalogue.Row) -> str:
    """Where a sentence stands upstream, at the pinned commit of 0.2.12, or of 0.2.0 where that version is the last one
    that has it. The commits between are not pinned: what only they have gives its file alone. Empty
    where nothing is pinned."""
    commits = pins()
    if not commits:
        return ""
    file, line = row.place.split(":")
    if row.interface.startswith("canonical-abi/"):
        return ABI.format(commit=commits["canonical-abi-text"], file=file, line=line)
    form, commit = (WASI_FIRST, "wit-0-2-0") if row.until == FIRST else (WASI, "wit-0-2-12")
    found = form.format(commit=commits[commit], package=row.interface.partition("/")[0], file=file, line=line)
    return found if row.until in ("", FIRST) else found.partition("#")[0]


def bases() -> dict[str, dict[str, object]]:
    """What each requirement rests on: the newest wording first."""
    known = texts()
    yielded: dict[str, list[catalogue.Row]] = {}
    for row in catalogue.sentences(TEXT):
        for requirement in row.yields:
            yielded.setdefault(requirement, []).append(row)
    return {
        r.id: {
            "basis": r.basis,
            "sentences": [
                [row.name, known.get((row.interface, row.item, row.hash), ""), address(row)]
                for row in sorted(yielded.get(r.id, ()), key=lambda row: bool(row.until))
            ],
        }
        for r in catalogue.requirements(TEXT).values()
    }


if __name__ == "__main__":
    json.dump(bases(), sys.stdout, ensure_ascii=False)
