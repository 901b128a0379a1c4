"""What one requirement is: its text, how it is tested, who fails it; and which requirements a name means.

In: `Sources`, the id of a check or the name of a function. Out: rows of a label and words. Pure but for reading the
guests' sources.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..cases.catalogue import Requirement
from ..model import Basis, Case, Check, WireRule
from ..model.words import plural
from ..record import Record
from .guests import lines_of, sources_of
from .known import Announced, Divergence, of_check
from .why import Row, cut

NEAR = 3
"""How many similar names are suggested."""


@dataclass(frozen=True)
class Sources:
    """Everything that an explanation is made from."""

    cases: tuple[Case, ...]
    """Without variants."""
    guests: Path
    """The folder fixtures/src."""
    variants: Mapping[str, int] = field(default_factory=dict)
    """How many variants a case has."""
    catalogue: Mapping[str, Requirement] = field(default_factory=dict)
    bases: Mapping[str, Basis] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    announced: tuple[Announced, ...] = ()
    divergences: tuple[Divergence, ...] = ()
    record: Record | None = None
    record_name: str = ""

    def trying(self, check: str) -> list[tuple[Case, Check]]:
        """Returns the cases that try a check, with what they say of it."""
        return [(case, found) for case in self.cases if (found := case.check(check)) is not None]

    @property
    def functions(self) -> Mapping[str, list[str]]:
        """The ids of the requirements by function, those of the catalogue first."""
        found: dict[str, list[str]] = {}
        rows = [(item.id, name) for item in self.catalogue.values() for name in item.functions]
        rows += [(check.id, check.function) for case in self.cases for check in case.checks]
        for check, function in rows:
            mine = found.setdefault(function, [])
            if check not in mine:
                mine.append(check)
        return found


@dataclass(frozen=True)
class Asked:
    """What a name means: requirements by id; or nothing, and similar names."""

    checks: tuple[str, ...]
    similar: tuple[str, ...] = ()


def plain(function: str) -> str:
    """`wasi:io/streams.[method]input-stream.read` -> `wasi:io/streams.input-stream.read`."""
    return re.sub(r"\[[a-z-]+\]", "", function)


def find(sources: Sources, name: str) -> Asked:
    """Returns the requirements of this id, of this function (its end is enough), or whose id begins with or contains
    the name."""
    functions = sources.functions
    known = list(dict.fromkeys(check for checks in functions.values() for check in checks))
    if name in known:
        return Asked((name,))
    asked = plain(name)
    of_function = [
        check
        for function, checks in functions.items()
        if (full := plain(function)) == asked or full.endswith((f".{asked}", f"/{asked}", f":{asked}"))
        for check in checks
    ]
    if of_function:
        return Asked(tuple(dict.fromkeys(of_function)))
    for matches in ([i for i in known if i.startswith(name)], [i for i in known if name in i]):
        if matches:
            return Asked(tuple(matches))
    names = [*known, *map(plain, functions)]
    return Asked((), tuple(difflib.get_close_matches(name, names, NEAR)))


def listing(sources: Sources, checks: Sequence[str]) -> tuple[Row, ...]:
    """Returns one row for each requirement: its id; level, words, how many cases try it and who fails it."""
    rows = []
    for check in checks:
        failing = sorted({item.runtime for item in _announcements(sources, check)})
        number = len(sources.trying(check))
        tried = plural(number, "case") if number else "no case"
        words = f"{_level(sources, check).upper()}  {_words(sources, check)}  [{tried}"
        rows.append(Row(check, words + (f"; fails: {', '.join(failing)}]" if failing else "]")))
    return tuple(rows)


def explain(sources: Sources, check: str, root: Path) -> tuple[Row, ...]:
    """Returns the rows about one requirement. Paths are shown relative to `root`."""
    row, trying = sources.catalogue.get(check), sources.trying(check)
    since = row.since if row is not None else trying[0][1].since
    functions = row.functions if row is not None else tuple(dict.fromkeys(item.function for _, item in trying))
    rows = [Row("requirement", f"{check}: {_level(sources, check).upper()}, since {since}")]
    rows += [Row("function", name) for name in functions]
    rows += [Row("our words", _words(sources, check)), *_text(sources, check)]
    rows += _tests(sources, check, root) if trying else [Row("cases", _untried(row))]
    return (*rows, *_failing(sources, check), *_recorded(sources, check))


def _level(sources: Sources, check: str) -> str:
    row = sources.catalogue.get(check)
    return row.level if row is not None else sources.trying(check)[0][1].level.value


def _words(sources: Sources, check: str) -> str:
    row = sources.catalogue.get(check)
    return row.words if row is not None else sources.trying(check)[0][1].text


def _untried(row: Requirement | None) -> str:
    return f"none tries it: {row.excuse}" if row is not None and row.excuse else "none tries it"


def _text(sources: Sources, check: str) -> list[Row]:
    """The official sentences. Their text is not part of the project, so it may be absent."""
    basis = sources.bases.get(check)
    if basis is None:
        return []
    rows = [] if basis.text == "wit" else [Row("rests on", basis.text)]
    for name, text in basis.sentences:
        place = sources.places.get(name, "")
        words = f"“{text}”" if text else "(the text is not here: `make suites` brings it)"
        rows.append(Row("text", f"{words} {name}{f' ({place})' if place else ''}"))
    return rows


def _tests(sources: Sources, check: str, root: Path) -> list[Row]:
    rows = []
    for case, item in sources.trying(check):
        number = sources.variants.get(case.id, 0)
        rows.append(Row("case", f"{case.id}: {case.title}{f' (and {number} variants)' if number else ''}"))
        if item.wire is not None:
            rows.append(Row("judged by", _rule(item.wire)))
        lines = lines_of(sources.guests, case, check)
        rows += [Row("guest", f"{_inside(line.path, root)}:{line.number}: {cut(line.text, 160)}") for line in lines]
        if not lines:
            rows += [Row("guest", str(_inside(path, root))) for path in sources_of(sources.guests, case)[:1]]
    return rows


def _inside(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _rule(rule: WireRule) -> str:
    parts = [f"matches {text!r}" for text in rule.matches] + [f"lacks {text!r}" for text in rule.lacks]
    parts += [f"records {rule.value!r}"] if rule.value else []
    return f"the harness: `{rule.on}` {', '.join(parts)}"


def _announcements(sources: Sources, check: str) -> list[Announced]:
    cases = [case.id for case, _ in sources.trying(check)]
    found = [item for item in sources.announced if any(item.covers(case, check) for case in cases)]
    return list({(item.runtime, item.entry.why, item.entry.statuses): item for item in found}.values())


def _failing(sources: Sources, check: str) -> list[Row]:
    known = _announcements(sources, check)
    rows = [Row("announced", item.words) for item in known] or [Row("announced", "no runtime is known to fail it")]
    divergence = of_check(sources.divergences, check)
    if divergence is not None:
        does = "; ".join(f"{name} {words}" for name, words in divergence.does)
        rows.append(Row("divergence", f"{divergence.title}: {divergence.right}. {does}. {divergence.why}"))
        rows += [Row("thread", link) for link in divergence.links]
    return rows


def _recorded(sources: Sources, check: str) -> list[Row]:
    """What each runtime did in the record: equal results of several cases and variants are one row."""
    if sources.record is None:
        return []
    seen: dict[tuple[str, str], list[str]] = {}
    for result in sources.record.results:
        unit = result.unit(check)
        if unit is not None:
            words = unit.value if unit.value is not None else unit.detail
            text = f"{unit.verdict.value}{' unexpected' if unit.unexpected else ''}{f': {words}' if words else ''}"
            seen.setdefault((result.runtime, text), []).append(result.case)
    if not seen:
        return [Row("record", f"{sources.record_name} has no result of it")]
    rows = [Row("record", f"{sources.record_name} of {sources.record.started}")]
    for (runtime, text), cases in seen.items():
        where = f" ({cases[0]}{f' and {len(cases) - 1} more' if len(cases) > 1 else ''})"
        rows.append(Row("", f"{runtime}: {cut(text, 300)}{where}"))
    return rows
