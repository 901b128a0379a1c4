"""A run in parts: which cases are in part I of N. Pure.

In: the chosen cases in the order of the suite. Out: the cases of one part, and what the record says of it. The same
cases give the same parts on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model import Case, original
from ..record import Shard, digest_of


class ShardError(ValueError):
    """A part that there is not."""


def parse(text: str) -> tuple[int, int]:
    """Returns the numbers of `I/N`."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ShardError(f"{text!r} is not I/N with I from 1 to N")
    return int(match[1]), int(match[2])


def shard(cases: Sequence[Case], index: int, of: int) -> tuple[tuple[Case, ...], Shard]:
    """Returns part `index` (from 1) of `of`. A case and its variants are in the same part.

    The largest groups are dealt first, each to the part that has the fewest cases so far."""
    groups: dict[str, list[int]] = {}
    for place, case in enumerate(cases):
        groups.setdefault(original(case.id), []).append(place)
    if of > len(groups):
        raise ShardError(f"{index}/{of}: there are only {len(groups)} cases with their variants to share out")
    parts: list[list[int]] = [[] for _ in range(of)]
    for places in sorted(groups.values(), key=lambda places: (-len(places), places)):
        min(parts, key=len).extend(places)
    mine = sorted(parts[index - 1])
    digest = digest_of([case.id for case in cases])
    return tuple(cases[place] for place in mine), Shard(index, of, len(cases), digest, tuple(mine))
