"""The files of the site that hold data: their names, and their form. Pure.

A page that is opened from a folder (`file://`) may not fetch JSON, but it may load a script. So a file of data is a
script that calls `assayData` with its key and one JSON value. Names of a record never become paths as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..data import script

LONGEST = 120
"""Characters of the name of a file that come from a name in a record."""


def slug(name: str) -> str:
    """Returns the name with every character replaced that is not a plain one in a path and in a URL. route.js does
    the same."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name)[:LONGEST]


def stems(names: Iterable[str]) -> Mapping[str, str]:
    """Returns the stem of the file of each name. Those that would share a file, also on a file system that does not
    distinguish upper case, get a number."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem, number = slug(name), 1
        while stem.lower() in taken:
            number += 1
            stem = f"{slug(name)}~{number}"
        taken.add(stem.lower())
        found[name] = stem
    return found


def content(key: str, value: object) -> bytes:
    """Returns the file of a key. Half of a surrogate pair, which only a hostile record has, becomes its escape."""
    return f"assayData({script(key)},{script(value)});\n".encode("utf-8", "backslashreplace")


def path(key: str) -> str:
    """Returns where the file of a key is in the folder of the site."""
    return f"data/{key}.js"


def size(value: object) -> int:
    """Returns the bytes of a value in a file."""
    return len(script(value).encode("utf-8", "backslashreplace"))


def parts(rows: Sequence[Any], limit: int) -> list[list[Any]]:
    """Splits rows, in their order, into lists of at most `limit` bytes. A larger row is alone."""
    found: list[list[Any]] = []
    full = limit
    for row in rows:
        mine = size(row) + 1
        if not found or full + mine > limit:
            found.append([])
            full = 0
        found[-1].append(row)
        full += mine
    return found
