"""Finding the version of a runtime in which the verdict on a check changed. Pure but for the probe.

In: versions in order, and a probe that runs one of them. Out: the last version before the change and the first after it,
what each version that was tried did, and what makes the answer doubtful.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

GOOD, BAD = "good", "bad"


@dataclass(frozen=True)
class Tried:
    """What a version did. `problem` is why it cannot be used; the rest is empty then."""

    version: str
    verdict: str = ""
    detail: str = ""
    problem: str = ""

    @property
    def state(self) -> str:
        return GOOD if self.verdict.partition(" ")[0] == "PASS" else BAD


@dataclass
class Found:
    """What was found. Without `before` and `after` nothing changed, or too few versions can be used."""

    tried: dict[str, Tried] = field(default_factory=dict)
    before: Tried | None = None
    after: Tried | None = None
    ends: tuple[Tried, Tried] | None = None
    between: tuple[str, ...] = ()
    """Versions between `before` and `after`, none of which can be used."""
    doubts: list[str] = field(default_factory=list)
    changes: list[tuple[Tried, Tried]] = field(default_factory=list)
    """Where every version was tried: each change."""


class Bisection:
    """One search. `probe` is called once for a version, and once more for the two that enclose the change."""

    def __init__(self, versions: Sequence[str], probe: Callable[[str], Tried]) -> None:
        self.versions, self.probe = tuple(versions), probe
        self.found = Found()

    def search(self, *, every: bool = False) -> Found:
        """Searches by halves between the first and the last version that can be used; with `every`, tries all."""
        found, last = self.found, len(self.versions) - 1
        if every:
            for index in range(last + 1):
                self._try(index)
        low = self._usable(range(last + 1))
        high = self._usable(range(last, -1, -1))
        if low is None or high is None or low == high:
            return found
        found.ends = (self._try(low), self._try(high))
        key = _key(*found.ends)
        if every:
            found.changes = self._changes(key)
        if key(found.ends[0]) == key(found.ends[1]):
            return found
        while (middle := self._usable(_outwards(low, high))) is not None:
            if key(self._try(middle)) == key(found.ends[0]):
                low = middle
            else:
                high = middle
        found.before, found.after = self._try(low), self._try(high)
        found.between = self.versions[low + 1 : high]
        self._verify(low, high, key)
        return found

    def _try(self, index: int) -> Tried:
        version = self.versions[index]
        if version not in self.found.tried:
            self.found.tried[version] = self.probe(version)
        return self.found.tried[version]

    def _usable(self, order: Sequence[int]) -> int | None:
        """Returns the first of these versions that can be used."""
        return next((index for index in order if not self._try(index).problem), None)

    def _verify(self, low: int, high: int, key: Callable[[Tried], str]) -> None:
        """Tries both versions again, and those beside them: a change that comes and goes is doubtful."""
        first, last = self.found.ends or (self._try(low), self._try(high))
        for index in (low, high):
            before, again = self._try(index), self.probe(self.versions[index])
            if again.problem or key(again) != key(before):
                words = again.problem or again.verdict
                self.found.doubts.append(f"{before.version} was {before.verdict}, and {words} when it was run again")
        for order, like in ((range(low - 1, -1, -1), first), (range(high + 1, len(self.versions)), last)):
            beside = self._usable(order)
            if beside is not None and (key(self._try(beside)) == key(first)) != (like is first):
                one = self._try(beside)
                self.found.doubts.append(
                    f"the verdicts are not monotone: {one.version} is {one.verdict}, unlike {like.version}"
                )
        turns = len(self._changes(key))
        if turns > 1 and not self.found.doubts:
            self.found.doubts.append(f"the verdicts are not monotone: they change {turns} times")

    def _changes(self, key: Callable[[Tried], str]) -> list[tuple[Tried, Tried]]:
        """Returns each change between neighbours of the versions that were tried."""
        tried = [self.found.tried[version] for version in self.versions if version in self.found.tried]
        used = [one for one in tried if not one.problem]
        return [(one, other) for one, other in itertools.pairwise(used) if key(one) != key(other)]


def _key(first: Tried, last: Tried) -> Callable[[Tried], str]:
    """Returns what is compared: good or bad; or the verdict with the value where both ends are equally good."""
    return (lambda one: one.state) if first.state != last.state else (lambda one: one.verdict)


def _outwards(low: int, high: int) -> list[int]:
    """Returns the versions between two, the middle one first."""
    middle = (low + high) // 2
    return sorted(range(low + 1, high), key=lambda index: abs(index - middle))
