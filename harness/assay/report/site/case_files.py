"""The file of a case: everything that a page about it shows. Pure.

In: a `CaseView`. Out: the object of data.py with that one case, and besides:

    title, built   of the case
    links          addresses of official sentences, by their ids
    divergences    by requirement: title, who is right, why, what each runtime does, threads
    history        [unit, letters per runtime in short form], as history.py says; only where there is one

The object stays below `LIMIT`: where many runtimes print much, it has less of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...model import EXPECT_UNIT, Basis, Divergence
from ..case import CaseView
from ..data import Data
from ..html import STEPS
from ..same import VERDICTS, Same
from ..view import View
from .files import size
from .history import History

LIMIT = 280_000
"""Bytes."""


class CaseFiles:
    """Makes the objects of the cases of a view."""

    def __init__(
        self, view: View, bases: Mapping[str, Basis], divergences: Mapping[str, Divergence], history: History
    ) -> None:
        self.view, self.bases, self.divergences, self.history = view, bases, divergences, history
        self.same = Same(view)

    def value(self, case: CaseView) -> dict[str, object]:
        """Returns the object, with as much of the outputs and details as fits."""
        besides = self._besides(case)
        room = LIMIT - size(besides)
        mine = {basis: self.bases[basis] for row in case.checks if (basis := row.check.id) in self.bases}
        made: dict[str, object] = {}
        for output, detail in STEPS:
            made = self._data(case, mine, output, detail)
            if size(made) <= room:
                break
        return {**made, **besides}

    def _data(self, case: CaseView, bases: Mapping[str, Basis], output: int, detail: int) -> dict[str, object]:
        data = Data(self.view, bases, output, detail, self.same)
        shown = data.case(case)
        return {
            "case": shown,
            "verdicts": VERDICTS,
            "argv": data.beginnings(),
            **data.tables(),
        }

    def _besides(self, case: CaseView) -> dict[str, object]:
        checks = [row.check.id for row in case.checks]
        made: dict[str, object] = {"title": case.info.title}
        links = {
            name: link
            for check in checks
            if (basis := self.bases.get(check))
            for (name, _), link in zip(basis.sentences, basis.links, strict=False)
            if link
        }
        divergences = {check: self._divergence(check) for check in checks if check in self.divergences}
        history = [[unit, strips] for unit, strips in self._history(case, [*checks, EXPECT_UNIT])]
        return made | {
            key: value
            for key, value in (("links", links), ("divergences", divergences), ("history", history))
            if value
        }

    def _divergence(self, check: str) -> dict[str, object]:
        found = self.divergences[check]
        names = [runtime.name for runtime in self.view.runtimes]
        return {
            "title": found.title,
            "right": found.right,
            "why": found.why,
            "does": {name: words for name, words in found.does.items() if name in names},
            "links": list(found.links),
        }

    def _history(self, case: CaseView, units: list[str]) -> Iterator[tuple[str, list[str]]]:
        for unit in units:
            strips = [self.history.strip(case.info.id, unit, runtime.name) for runtime in self.view.runtimes]
            if any(strips):
                yield unit, strips
