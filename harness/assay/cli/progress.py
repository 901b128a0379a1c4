"""The progress of a run: a bar, what runs now and the slowest run on a terminal; elsewhere a plain line from time to time.

In: how many runs there are, each result as it comes, what an executor runs. Out: lines on the terminal.
Colours are off where NO_COLOR is set or the output is no terminal (rich does this).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from ..model import CaseResult, Verdict
from .base import CONSOLE

EVERY = 50
"""Without a terminal, a line of progress appears after this many runs …"""
SECONDS = 30.0
"""… and after this many seconds, when a run ends."""
SHOWN = 3
"""How many of the runs that are running are named."""

Running = Callable[[], tuple[tuple[str, str], ...]]
"""What runs now: case and runtime."""


class Tally:
    """What is known of a run so far. Times are in seconds."""

    def __init__(self, total: int = 0, begun: float = 0.0) -> None:
        self.total, self.begun = total, begun
        self.counts: Counter[Verdict] = Counter()
        self.unexpected = 0
        self.slowest: CaseResult | None = None

    def add(self, result: CaseResult) -> None:
        self.counts[result.verdict] += 1
        self.unexpected += result.unexpected
        if self.slowest is None or result.observation.wall > self.slowest.observation.wall:
            self.slowest = result

    @property
    def done(self) -> int:
        return self.counts.total()

    def pace(self, now: float) -> str:
        """Returns the rate since the beginning, and how long the rest takes at that rate."""
        passed = now - self.begun
        if not self.done or passed <= 0:
            return "no run has ended yet"
        rate = self.done / passed
        if self.done >= self.total:
            return f"{rate:.1f} runs/s, {duration(passed)} in all"
        return f"{rate:.1f} runs/s, about {duration((self.total - self.done) / rate)} left"

    @property
    def verdicts(self) -> str:
        ordered = sorted(self.counts.items(), key=lambda item: item[0].rank)
        words = ", ".join(f"{many} {verdict.value}" for verdict, many in ordered)
        return words + (f", {self.unexpected} unexpected" if self.unexpected else "")

    @property
    def slow(self) -> str:
        """Returns the slowest run so far, or an empty string."""
        if self.slowest is None or not self.slowest.observation.wall:
            return ""
        return f"slowest: {self.slowest.observation.wall:.1f} s {self.slowest.case} on {self.slowest.runtime}"

    def line(self, now: float) -> str:
        """Returns the plain line."""
        parts = (f"{self.done}/{self.total} runs: {self.verdicts}", self.pace(now), self.slow)
        return "; ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Returns a time in words for a person: `8 s`, `2 min 5 s`, `1 h 3 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def now_running(pairs: tuple[tuple[str, str], ...]) -> str:
    """Returns the first runs that are running, and how many more there are."""
    if not pairs:
        return ""
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return "now: " + ", ".join(f"{case} on {runtime}" for case, runtime in pairs[:SHOWN]) + more


class _Bar(Progress):
    """The bar, and two lines below it."""

    def __init__(self, tally: Tally, running: Running) -> None:
        self.tally, self.now = tally, running
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
        super().__init__(*columns, console=CONSOLE, transient=True)

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            self.tasks[task.id].fields["pace"] = self.tally.pace(time.monotonic())
        yield from super().get_renderables()
        counted = "; ".join(part for part in (self.tally.verdicts, self.tally.slow) if part)
        for words in (counted, now_running(self.now())):
            yield Text(words, style="dim", no_wrap=True, overflow="ellipsis")


class Shown:
    """What a run tells: how many runs there are, and each result."""

    def __init__(self, tally: Tally, show: Callable[[], None]) -> None:
        self.tally, self._show = tally, show

    def starts(self, total: int) -> None:
        self.tally.total, self.tally.begun = total, time.monotonic()

    def done(self, result: CaseResult) -> None:
        self.tally.add(result)
        self._show()


@contextmanager
def progress(running: Running) -> Iterator[Shown]:
    """Shows the progress of a run. `running` returns what runs now."""
    tally = Tally(0, time.monotonic())
    if not CONSOLE.is_interactive:
        yield Shown(tally, _plain(tally))
        return
    with _Bar(tally, running) as bar:
        task = bar.add_task("runs", total=None, pace="")
        yield Shown(tally, lambda: bar.update(task, total=tally.total, completed=tally.done))


def _plain(tally: Tally) -> Callable[[], None]:
    said = tally.begun

    def show() -> None:
        nonlocal said
        now = time.monotonic()
        if tally.done % EVERY == 0 or tally.done == tally.total or now - said >= SECONDS:
            said = now
            CONSOLE.print(tally.line(now), markup=False)

    return show
