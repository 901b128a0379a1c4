"""What the page shows when something on it is opened, as JSON for its script: each text once. Pure.

In: a `View`, and how much of outputs and details to show. Out: one object. Its members:

    texts       all texts; a number in the place of a text is an index here
    runtimes    their names; `per runtime` below is a list in this order; units per runtime may also be the one that
                all have, or an object of those that are not 0 by the place of the runtime
    checks      [id, level, function, since, words, basis, sentences]; the last two where they are known
    sentences   [id, text + 1] of the official text
    known       [reason, kind, link] of the expectations
    units       [verdict, unexpected, known + 1, detail, value + 1], zeros at the end left out
    cases       as `_case` says, in the order of the page
    functions   a list of [check, [[case, which of its checks] …]] for each function of the page
    argv        per runtime the words with which all of its command lines begin
    values      [case, which of its checks] for each recorded value
    surprises   the units of each entry of "Not as announced"
    versions    per runtime what `_versions` says
"""

from __future__ import annotations

import functools
import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from ..model import Basis, CaseResult, UnitResult, Verdict
from ..record.differ import align
from .case import CaseView, CheckRow, OutputBlock, RequirementRow
from .same import PLACES, VERDICTS, Same, place_of, plainly, quoted
from .versions import VersionTable
from .view import SYMBOLS, View

LINES = 400
SENTENCE = 600
SURPRISES = 500
"""The most entries of "Not as announced"."""
NARROW = 300
"""An output with less room than this gets no column."""
SAME, DIFFERS, GAP, MARK = " ", "!", "-", "\x7f"
"""What a line of an output begins with, and what stands around a marked part. `show_bytes` leaves no DEL."""


class Once:
    """A list that has each value once."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._index: dict[Hashable, int] = {}

    def find(self, key: Hashable) -> int | None:
        """Returns the index of what was added with this key, if it was."""
        return self._index.get(key)

    def add(self, key: Hashable, item: object = None) -> int:
        """Returns the index of `item`, or of the key itself, after adding it where it is new."""
        place = self._index.get(key)
        if place is None:
            place = self._index[key] = len(self.items)
            self.items.append(key if item is None else item)
        return place


class Data:
    """Makes the object. `output` is the number of characters shown of an output on all runtimes together,
    `detail` that of a detail or value. `same` is of the view."""

    def __init__(
        self,
        view: View,
        bases: Mapping[str, Basis],
        output: int,
        detail: int,
        same: Same | None = None,
    ) -> None:
        self.view, self.bases, self.output, self.detail = view, bases, output, detail
        self.same = same or Same(view)
        self._per_runtime: dict[int, int | list[int] | dict[int, int]] = {}
        self.texts, self.checks, self.known, self.units, self.sentences = Once(), Once(), Once(), Once(), Once()
        self.units.add(plainly(UnitResult("", Verdict.PASS)), [])  # so that a plain pass is 0

    def make(self) -> dict[str, object]:
        view, number = self.view, self.same.number
        return {
            "runtimes": [runtime.name for runtime in view.runtimes],
            "verdicts": VERDICTS,
            "signs": {verdict.value: sign for verdict, sign in SYMBOLS.items()},
            "argv": self.beginnings(),
            "cases": [self.case(case) for case in view.cases],
            "functions": [
                [
                    [self.check(row), self.same.places(row)]
                    for row in function.requirements
                ]
                for package in view.packages
                for interface in package.interfaces
                for function in interface.functions
            ],
            "values": [[number[row.case.id], place_of(row)] for row in view.values],
            "surprises": [
                [[self.texts.add(unit.id), self.unit(unit)] for unit in (item.units[:1] if item.alike else item.units)]
                for item in view.surprising[:SURPRISES]
            ],
            "versions": [self.versions(summary.versions) for summary in view.summaries],
            **self.tables(),
        }

    def tables(self) -> dict[str, list[Any]]:
        """Returns what the members of the object have indices of."""
        return {
            "checks": self.checks.items,
            "sentences": self.sentences.items,
            "known": self.known.items,
            "units": self.units.items,
            "texts": self.texts.items,
        }

    def text(self, text: str, limit: int = 2000) -> int:
        """Adds a text, cut to what is shown of it."""
        return self.texts.add(cut(text, min(limit, self.detail)))

    def check(self, row: CheckRow | RequirementRow) -> int:
        check = row.check
        words = (check.id, check.level.value, check.function, check.since, check.text)
        if (there := self.checks.find(words)) is not None:
            return there
        made: list[object] = [self.texts.add(word) for word in words[2:]]
        if basis := self.bases.get(check.id):
            made += [self.texts.add(basis.text), [self.sentence(name, text) for name, text in basis.sentences]]
        return self.checks.add(words, [self.texts.add(check.id), check.level.value, *made])

    def sentence(self, name: str, text: str) -> int:
        """Adds an official sentence. Its beginning is enough to find it in the text."""
        return self.sentences.add(
            name, [self.texts.add(name), 1 + self.text(text, SENTENCE) if text and self.detail else 0]
        )

    def unit(self, unit: UnitResult | None) -> int:
        """Adds a unit. Its id, and the detail of a pass, are left out: what looks alike is alike. -1 is no unit."""
        if unit is None:
            return -1
        if unit.verdict is Verdict.PASS and unit.value is None and not unit.unexpected and not unit.expected:
            return 0
        plain = plainly(unit)
        if (there := self.units.find(plain)) is not None:
            return there
        known = 0
        if unit.expected:
            why = (unit.expected.reason, unit.expected.kind, unit.expected.link)
            known = 1 + self.known.add(why, [self.texts.add(word) for word in why])
        detail = self.text(unit.detail) if unit.detail and unit.verdict is not Verdict.PASS else -1
        value = self.text(unit.value) if unit.value is not None else -1
        made = [PLACES[unit.verdict], int(unit.unexpected), known, detail + 1, value + 1]
        while made and not made[-1]:
            made.pop()
        return self.units.add(plain, made)

    def per_runtime(self, units: Sequence[UnitResult | None]) -> int | list[int] | dict[int, int]:
        """Returns the one index that all runtimes share, or the shorter form of one for each."""
        pattern = id(self.same.pattern(units))
        if pattern not in self._per_runtime:
            found = [self.unit(unit) for unit in units]
            others = {index: unit for index, unit in enumerate(found) if unit}
            made = others if 2 * len(others) < len(found) else found
            self._per_runtime[pattern] = found[0] if len(set(found)) == 1 else made
        return self._per_runtime[pattern]

    def case(self, case: CaseView, original: CaseView | None = None) -> dict[str, object]:
        """A case, or a variant of `original`, of which only what differs is kept.

        runs      per runtime: [verdict, ending, wall ms, CPU ms, KiB, left a process behind], or 0
        checks    [check, units per runtime]; end: the units of the run as a whole
        built     the version of the component of a case with variants
        outputs   [name, in how many ways, [[runtimes, text, bytes] …], others]
        argv      per runtime the words of its command line after those, or 0
        trace     [runtime, calls, text]"""
        info = case.info
        made: dict[str, object] = {
            "id": self.texts.add(info.id),
            "runs": [self.run(result) for result in case.results],
            "checks": [[self.check(row), self.per_runtime(row.results)] for row in case.checks],
            "end": self.per_runtime(case.expect),
            "outputs": [self.block(block) for block in case.outputs if not original or block not in original.outputs],
            "variants": [self.case(variant, case) for variant in case.variants],
        }
        if original is None:
            made |= {
                "notes": self.texts.add(info.notes) if info.notes else None,
                "file": self.texts.add(info.component),
                "sum": info.sha256[:16],
                "built": info.built,
                "about": [self.texts.add(name) for name in info.interfaces],
                "differ": [self.texts.add(aspect.value) for aspect in case.differences],
                "stdin": len(info.stdin),
                "argv": [self.argv(result) for result in case.results] if self.detail else None,
            }
            if case.trace:
                runtime, trace = case.trace
                made["trace"] = [
                    self.texts.add(runtime),
                    trace.count("\n"),
                    self.texts.add(cut(trace, self.output // 2)),
                ]
        return {key: value for key, value in made.items() if value not in (None, [], 0, "") or key in ("id", "end")}

    def versions(self, table: VersionTable) -> dict[str, object]:
        """The table of one runtime.

        rows      [interface, cells], as same.py says
        fails     [unit, id, case, variants, rows]; a variant is its place in its case, the case itself is -1"""
        rows = {name: index for index, (name, _) in enumerate(table.rows)}
        cells, sums = self.same.cells(table)
        return {
            "at": list(table.columns),
            "rows": [[self.texts.add(name), mine] for name, mine in zip(rows, cells, strict=True)],
            "sums": sums,
            "fails": [
                [
                    self.unit(item.unit),
                    self.texts.add(item.id),
                    self.same.number[item.original.info.id],
                    [place(item.original, case) for case in item.at],
                    [rows[name] for name in item.interfaces],
                ]
                for item in table.failures
            ],
        }

    def run(self, result: CaseResult | None) -> Any:
        if result is None:
            return 0
        verdict, ended, numbers = self.same.run(result)
        return [verdict, self.text(ended), *numbers]

    def argv(self, result: CaseResult | None) -> Any:
        if result is None or not result.observation.argv:
            return 0
        return self.words(self.same.argv(result))

    def beginnings(self) -> list[list[int]]:
        return [self.words(quoted(self.same.begin[runtime.name])) for runtime in self.view.runtimes]

    def words(self, words: Sequence[str]) -> list[int]:
        """Adds words of a command line."""
        return [self.texts.add(cut(word, 300)) for word in words]

    def block(self, block: OutputBlock) -> list[object]:
        columns, others = sides(block, self.output)
        index = [runtime.name for runtime in self.view.runtimes].index
        return [
            self.texts.add(cut(block.name, 300)),
            len(block.columns),
            [[[index(name) for name in names], self.texts.add(text), size] for names, text, size in columns],
            *([self.texts.add(cut(others, 300))] if others else []),
        ]


def place(original: CaseView, case: CaseView) -> int:
    """Returns the place of a variant in its case, or -1 for the case itself."""
    ids = [variant.info.id for variant in original.variants]
    return ids.index(case.info.id) if case.info.id in ids else -1


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit + 24 else f"{text[:limit]}… ({len(text)} characters)"


@functools.lru_cache(maxsize=4096)
def sides(block: OutputBlock, room: int) -> tuple[tuple[tuple[tuple[str, ...], str, int], ...], str]:
    """Returns the columns of an output that are shown, with marks on what differs, and a note on the others."""
    shown = block.columns[: room // NARROW]
    limit = room // max(1, len(shown))
    texts = [column.text[:limit] for column in shown]
    columns = []
    for column, text, rows in zip(shown, texts, align(texts, fine=len(texts) <= 4), strict=True):
        lines = [
            (GAP if row.gap else DIFFERS if row.differs else SAME)
            + "".join(f"{MARK}{span.text}{MARK}" if span.marked else span.text for span in row.spans)
            for row in rows[:LINES]
        ]
        if column.cut or len(text) < len(column.text) or len(rows) > LINES:
            lines.append(f"{SAME}… ({column.size} bytes in all)")
        columns.append((column.runtimes, "\n".join(lines), column.size))
    rest = block.columns[len(shown) :]
    others = "; ".join(f"{', '.join(column.runtimes)}: {column.size} bytes" for column in rest)
    return tuple(columns), others


def script(value: object) -> str:
    """Returns JSON that can stand in a <script>: no tag and no comment can begin or end in it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
