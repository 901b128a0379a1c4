"""Shrinking a script to the shortest one that shows the same kind of difference.

Delta debugging with many candidates in one process: a round plays the script without each of its parts and with each
word made simpler; what can go alone is then tried to go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from .calls import HANDLES, Line, Script, signatures
from .compare import Difference
from .generate import WORDS

ROUNDS = 12

Judge = Callable[[Sequence[Script]], list[Difference | None]]
"""Plays candidates, and returns the first difference of each."""


class Shrinks(Protocol):
    """What shrinking needs to know of an area."""

    @property
    def simpler(self) -> Callable[[Script], Iterable[Script]]: ...
    @property
    def weight(self) -> Callable[[Script], Any]: ...


def shrink(found: Difference, area: Shrinks, judge: Judge, at_once: int = 1000) -> Difference:
    """Returns the smallest difference of the same kind that the rounds find. `at_once`: how many candidates are judged
    before the smallest of them is taken."""

    def weight(made: Difference) -> Any:
        return area.weight(made.script)

    best = cut(found)
    for _ in range(ROUNDS):
        without = [
            best.script[:i] + best.script[i + 1 :] for i in range(len(best.script) - (best.index < len(best.script)))
        ]
        halves = [part for part in _halves(best.script) if part]
        simpler = list(area.simpler(best.script))
        candidates = list(dict.fromkeys([*without, *halves, *simpler]))
        seen: dict[Script, Difference] = {}
        for begin in range(0, len(candidates), at_once):
            some = candidates[begin : begin + at_once]
            judged = zip(some, judge(some), strict=True)
            seen |= {script: cut(made) for script, made in judged if made is not None and made.kind == best.kind}
            if seen:
                break
        can_go = [i for i, script in enumerate(without) if script in seen]
        together = tuple(line for i, line in enumerate(best.script) if i not in can_go)
        if len(can_go) > 1 and (made := judge([together])[0]) is not None and made.kind == best.kind:
            seen[together] = cut(made)
        better = min(seen.values(), key=weight, default=best)
        if weight(better) >= weight(best):
            return best
        best = better
    return best


def cut(found: Difference) -> Difference:
    """Returns the difference with the script that ends with it."""
    return replace(found, script=found.script[: found.index + 1])


def weight_of_calls(script: Script) -> tuple[int, int, str]:
    """Returns what is to become small: the calls, and then the words by their places in the lists of words."""
    places = {word: number for kind in WORDS.values() for number, word in reversed(list(enumerate(kind)))}
    return (
        len(script),
        sum(places.get(word, 0) for line in script for word in line.words),
        str(script),
    )


def _halves(script: Script) -> Iterator[Script]:
    size = len(script) // 2
    while size > 1:
        for begin in range(0, len(script) - 1, size):
            yield script[:begin] + script[min(begin + size, len(script) - 1) :]
        size //= 2


def simpler_words(script: Script, area: str) -> Iterator[Script]:
    """Yields the script with one word replaced by each of the first words of its kind, or by an earlier variable."""
    calls = {call.name: call for call in signatures(area)}
    for index, line in enumerate(script):
        call = calls.get(line.name)
        if call is None:
            continue
        kinds = _spread(call.takes, len(line.words))
        for place, (kind, word) in enumerate(zip(kinds, line.words, strict=False)):
            if kind in HANDLES:
                others: list[str] = ["v0"] if word != "v0" else []
            else:
                words = list(dict.fromkeys(WORDS.get(kind, ())))
                others = words[: words.index(word)][:4] if word in words else words[:2]
            for other in others:
                yield _with(script, index, line, place, other)


def _spread(kinds: tuple[str, ...], count: int) -> list[str]:
    """Returns the kind of each word: the last kind is repeated where it is a list."""
    found = [kind.rstrip("?*") for kind in kinds]
    if kinds and kinds[-1] == "header*":
        return found[:-1] + ["name-of-field", "value"] * count
    return found + found[-1:] * max(0, count - len(found))


def _with(script: Script, index: int, line: Line, place: int, word: str) -> Script:
    words = (*line.words[:place], word, *line.words[place + 1 :])
    return (*script[:index], replace(line, words=words), *script[index + 1 :])
