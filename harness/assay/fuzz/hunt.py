"""The hunt for differences: rounds of generated scripts on all runtimes, and what is found.

In: players (the first is the reference), the known divergences, a seed and limits. Out: new divergences, each shrunk,
confirmed by a second run, and one of each shape.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from ..run.ended import ended_by_signals
from .areas import Area
from .calls import Script
from .compare import Difference, Known, Results, first_difference, unsteady
from .player import Player, PlayError, Plays
from .shrink import cut, shrink

ROUND = 100
"""Scripts of a round."""
FEW = 6
"""Scripts that a slow runtime plays at once while a difference is shrunk."""


@dataclass
class Hunt:
    players: list[Plays]
    known: tuple[Known, ...]
    area: Area
    say: Callable[[Difference, Results], None] = lambda _found, _results: None
    """Called with each new divergence, and its results on all runtimes."""
    found: dict[str, Difference] = field(default_factory=dict)
    """The new divergences by shape."""
    tried: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    """The runtimes that cannot play the scripts of this area, and why."""
    shaky: int = 0
    """Scripts with a difference that a second run did not confirm."""

    def run(self, examples: int, seed: int, seconds: float | None = None) -> None:
        """Tries `examples` scripts, or as many as fit into `seconds`."""
        begun = time.monotonic()
        number = 0
        while (time.monotonic() - begun < seconds) if seconds is not None else self.tried < examples:
            count = ROUND if seconds is not None else min(ROUND, examples - self.tried)
            scripts = self.area.examples(count, seed * 1_000_003 + number)
            number += 1
            if not scripts or len(self.players) < 2:
                return
            self.tried += len(scripts)
            self._round(scripts)

    def _round(self, scripts: Sequence[Script]) -> None:
        kinds: dict[str, list[Difference]] = {}
        for made in self.differences(scripts, sample=True):
            if made is not None:
                kinds.setdefault(made.kind, []).append(cut(made))
        for kind, alike in kinds.items():
            if sum(item.kind == kind for item in self.found.values()) >= 3:
                continue  # three scripts of different calls show this difference already
            smallest = min(alike, key=lambda made: self.area.weight(made.script))
            if not self._steady(smallest):
                self.shaky += 1
                continue
            at_once = FEW if any(player.slow for player in self.players if player.name in smallest.odd) else ROUND
            least = shrink(smallest, self.area, partial(self.differences, like=smallest), at_once)
            if least.shape not in self.found:
                self.found[least.shape] = least
                self.say(least, self.play([least.script])[0])

    def _steady(self, made: Difference) -> bool:
        one, other = self.play([made.script]), self.play([made.script])
        if len(self.players) < 2:
            return False
        again = first_difference(made.script, other[0], self.known)
        return not unsteady(made.script, one[0], other[0]) and again is not None and again.kind == made.kind

    def differences(
        self, scripts: Sequence[Script], like: Difference | None = None, *, sample: bool = False
    ) -> list[Difference | None]:
        """Returns the first new difference of each script; of the runtimes of `like` only, where it is given. With
        `sample`, a slow runtime plays fewer."""
        only = {like.results[0][0], *like.odd} if like is not None else None
        results = self.play(scripts, only, sample=sample)
        return [
            first_difference(script, result, self.known) if len(result) > 1 else None  # None: nothing to compare with
            for script, result in zip(scripts, results, strict=True)
        ]

    def play(self, scripts: Sequence[Script], only: set[str] | None = None, *, sample: bool = False) -> list[Results]:
        """Returns the results of each script by runtime."""
        players = [player for player in self.players if only is None or player.name in only]

        def one(player: Plays) -> dict[int, tuple[str, ...]] | str:
            places = player.sample(scripts) if sample else range(len(scripts))
            try:
                return dict(zip(places, player.play([scripts[place] for place in places]), strict=True))
            except PlayError as error:
                return str(error)

        stops = [player.settings.stop for player in players if isinstance(player, Player)]
        with ThreadPoolExecutor(max_workers=2) as pool, ended_by_signals(*stops):
            played = dict(zip([player.name for player in players], pool.map(one, players), strict=True))
        for name, result in played.items():
            if isinstance(result, str):
                self.skipped[name] = result
                self.players = [player for player in self.players if player.name != name]
        usable = {name: result for name, result in played.items() if not isinstance(result, str)}
        return [{name: result[i] for name, result in usable.items() if i in result} for i in range(len(scripts))]
