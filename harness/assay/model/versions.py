"""Versions of packages as text: their order, and ranges of them. Pure.

In: `49.0.3`, `v1.12.0`, `49.0.3.post1`. Out: keys to sort by; the versions within `44..50`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PART = re.compile(r"\d+|[a-z]+")
RANGE = ".."


def version_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Returns a key that sorts versions: numbers by value, and before a word. A pre-release sorts after its release."""
    parts = _PART.findall(text.lower().removeprefix("v"))
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def within(versions: Iterable[str], text: str) -> tuple[str, ...]:
    """Returns the versions in a range `FIRST..LAST`, sorted; either end may be empty, and `..50` contains 50.0.1.

    Raises ValueError where the text is no range."""
    first, dots, last = text.partition(RANGE)
    low, high = version_key(first), version_key(last)
    if not dots or RANGE in last or (low and high and low[: len(high)] > high):
        raise ValueError(f"{text!r} is no range of versions (FIRST..LAST, as 44..50)")
    keys = {version: version_key(version) for version in versions}
    inside = [version for version, key in keys.items() if key >= low and (not high or key[: len(high)] <= high)]
    return tuple(sorted(inside, key=lambda version: keys[version]))
