"""Which runtimes agree: for each two of them, in how many units they part, and the tree of clusters. Pure.

Two runtimes are compared in the units that both have: each check of each case, and how its run ended. They agree
where the verdict and the recorded value are the same. Variants are left out, so that no difference counts twice.
The tree joins the two nearest clusters again and again; the distance of two clusters is the mean of that of their
members (average linkage: Sokal and Michener, 1958).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model import UnitResult, Verdict
from .case import CaseView


@dataclass(frozen=True)
class Pair:
    """Two runtimes: the units that both have, and those in which they part."""

    both: int = 0
    apart: int = 0

    @property
    def distance(self) -> float:
        """From 0 to 1. Two runtimes without a common unit have 1."""
        return self.apart / self.both if self.both else 1.0

    @property
    def agreement(self) -> str:
        """In percent. Only what agrees wholly has 100."""
        if not self.both:
            return "–"
        percent = 100 * (self.both - self.apart) / self.both
        return f"{min(percent, 99.9) if self.apart else 100:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Cluster:
    """A runtime (`members` has its place alone), or two clusters joined at a distance."""

    members: tuple[int, ...]
    distance: float = 0.0
    parts: tuple[Cluster, ...] = ()


@dataclass(frozen=True)
class Clusters:
    """`pairs[a][b]` by the places of the runtimes; `order` has those of the tree."""

    pairs: tuple[tuple[Pair, ...], ...]
    tree: Cluster

    @property
    def order(self) -> tuple[int, ...]:
        return self.tree.members

    def lines(self) -> tuple[tuple[float, float, float, float], ...]:
        """Returns the tree as lines (x1, y1, x2, y2): x is the distance, y the row, from 0.5 on."""
        rows = {place: row + 0.5 for row, place in enumerate(self.order)}
        lines: list[tuple[float, float, float, float]] = []

        def draw(cluster: Cluster) -> float:
            if not cluster.parts:
                return rows[cluster.members[0]]
            ends = [draw(part) for part in cluster.parts]
            lines.extend(
                (part.distance, y, cluster.distance, y) for part, y in zip(cluster.parts, ends, strict=True)
            )
            lines.append((cluster.distance, ends[0], cluster.distance, ends[-1]))
            return sum(ends) / len(ends)

        draw(self.tree)
        return tuple(lines)


def clusters(cases: Sequence[CaseView], count: int) -> Clusters | None:
    """Returns the clusters of so many runtimes, or None where there are fewer than two."""
    if count < 2:
        return None
    both = [[0] * count for _ in range(count)]
    apart = [[0] * count for _ in range(count)]
    for case in cases:
        for units in (*(row.results for row in case.checks), case.expect):
            outcomes = [(place, outcome(unit)) for place, unit in enumerate(units)]
            there = [(place, told) for place, told in outcomes if told is not None]
            for index, (a, told) in enumerate(there):
                for b, other in there[index + 1 :]:
                    both[a][b] += 1
                    apart[a][b] += told != other
    pairs = tuple(
        tuple(Pair(both[min(a, b)][max(a, b)], apart[min(a, b)][max(a, b)]) for b in range(count)) for a in range(count)
    )
    return Clusters(pairs, _tree(pairs))


def outcome(unit: UnitResult | None) -> tuple[Verdict, str | None] | None:
    """Returns what is compared of a unit, or None where it was not run."""
    return None if unit is None or unit.verdict is Verdict.SKIP else (unit.verdict, unit.value)


def _tree(pairs: Sequence[Sequence[Pair]]) -> Cluster:
    left = [Cluster((place,)) for place in range(len(pairs))]
    while len(left) > 1:
        distance, a, b = min(
            (_mean(pairs, left[a], left[b]), a, b) for a in range(len(left)) for b in range(a + 1, len(left))
        )
        first, second = left[a], left[b]
        joined = Cluster(first.members + second.members, max(distance, first.distance, second.distance), (first, second))
        left = [joined if place == a else cluster for place, cluster in enumerate(left) if place != b]
    return left[0]


def _mean(pairs: Sequence[Sequence[Pair]], a: Cluster, b: Cluster) -> float:
    distances = [pairs[x][y].distance for x in a.members for y in b.members]
    return sum(distances) / len(distances)
