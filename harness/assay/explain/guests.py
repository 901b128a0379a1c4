"""Where a guest reports a requirement: lines of the sources in fixtures/src.

In: the folder of the sources, a case, the id of a check. Out: files with their lines. A guest may build an id of a prefix
that it names once and the rest, so the longest part of the id that is in its sources is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..model import Case

INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
MOST = 4
"""The most lines that are returned."""


@dataclass(frozen=True)
class Line:
    """One line of a source. `path` is absolute, `number` begins with 1."""

    path: Path
    number: int
    text: str


def lines_of(sources: Path, case: Case, check: str) -> tuple[Line, ...]:
    """Returns the lines of the guest of a case that report the check. Empty where its source is elsewhere."""
    files = list(sources_of(sources, case))
    files += [path for file in files for path in _included(sources, file)]
    parts = check.split(".")
    for start in range(len(parts)):
        tail = re.escape(".".join(parts[start:]))
        # the whole id may also stand in a text without quotes, as in WAT; a part of it is the end of a string
        wanted = re.compile(rf"(?<![\w.-]){tail}(?![\w.-])" if start == 0 else rf'[".]{tail}"|"{tail}[ \\]')
        if found := tuple(line for path in dict.fromkeys(files) for line in _matching(path, wanted)):
            return found[:MOST]
    return ()


def sources_of(sources: Path, case: Case) -> tuple[Path, ...]:
    """Returns the files that the guest of a case is made of, besides headers."""
    found = sorted(sources.rglob(f"{case.component.stem}.*"))
    return tuple(path for path in found if path.is_file() and path.suffix != ".wasm")


def _included(sources: Path, file: Path) -> Iterator[Path]:
    """The headers of the project that a source includes, and theirs."""
    if file.suffix not in (".c", ".h"):
        return
    for name in INCLUDE.findall(file.read_text(encoding="utf-8", errors="replace")):
        for folder in (file.parent, sources / "lib"):
            if (path := folder / name).is_file():
                yield path
                yield from _included(sources, path)


def _matching(path: Path, wanted: re.Pattern[str]) -> Iterator[Line]:
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if wanted.search(text) and not text.lstrip().startswith(("//", ";;", "#include")):
            yield Line(path, number, text.strip())
