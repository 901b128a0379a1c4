"""Why a result is known: the reason, the kind of it and the thread of it upstream, shared by all expectations.

In: a file of [[cause]] and [[expected]] tables. Out: tables in which the cause that an entry names is filled in.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model import Expected, Verdict

KINDS = ("bug", "unsupported", "not-expressible", "text-disputed")
UNSORTED = "unsorted"
"""The kind of an entry that nobody has looked at yet. The repository's own files have none of these."""
NO_THREAD = "no thread known"
SAID = ("reason", "kind", "link")
"""What a cause says of each of its entries."""
KEYS = frozenset({*SAID, "cause", "issue"})
"""The keys that an entry of any of the three suites may have."""


class ExpectationError(Exception):
    """An expectations file that cannot be used."""


@dataclass(frozen=True)
class Why:
    """Why a result is known. `cause` is the id of the [[cause]] table that says so, or empty."""

    reason: str
    kind: str = UNSORTED
    link: str = ""
    cause: str = ""

    def expected(self, statuses: tuple[Verdict, ...], word: str = "") -> Expected:
        """Returns what is announced, as a result has it."""
        return Expected(statuses, self.reason, self.link, word, self.kind)


def resolve(path: str, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns the [[expected]] tables of a file, each with what its cause says."""
    if set(raw) - {"cause", "expected"}:
        raise ExpectationError(f"{path}: unknown key {', '.join(sorted(set(raw) - {'cause', 'expected'}))}")
    for name in ("cause", "expected"):
        listed = raw.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise ExpectationError(f"{path}: [[{name}]] is a list of tables")
    causes: dict[str, dict[str, Any]] = {}
    for item in raw.get("cause", []):
        name = item.get("id")
        if set(item) != {"id", *SAID} or not isinstance(name, str) or not name:
            raise ExpectationError(f"{path}: a cause has id, kind, link and reason: {dict(item)}")
        if name in causes:
            raise ExpectationError(f"{path}: the cause {name} is listed twice")
        causes[name] = {key: item[key] for key in SAID}
    named = {item["cause"] for item in raw.get("expected", []) if isinstance(item.get("cause"), str)}
    if set(causes) - named:
        raise ExpectationError(f"{path}: no entry names the cause {', '.join(sorted(set(causes) - named))}")
    return [_filled(path, item, causes) for item in raw.get("expected", [])]


def _filled(path: str, item: Mapping[str, Any], causes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if "cause" not in item:
        return dict(item)
    where = f"{path}: {item.get('case') or item.get('script') or item.get('program')}"
    if item["cause"] not in causes:
        raise ExpectationError(f"{where}: there is no [[cause]] with the id {item['cause']!r}")
    if set(item) & {*SAID, "issue"}:
        raise ExpectationError(f"{where}: the cause {item['cause']} says {', '.join(SAID)}; the entry does not")
    return {**item, **causes[item["cause"]]}


def why(path: str, name: str, item: Mapping[str, object]) -> Why:
    """Returns why the result of an entry is known. `path` and the entry's name begin each error."""
    for key in KEYS & set(item):
        if not isinstance(item[key], str):
            raise ExpectationError(f"{path}: {name}: {key} must be a string")
    reason, kind = str(item.get("reason", "")), str(item.get("kind", UNSORTED))
    link = str(item.get("link", item.get("issue", "")))
    if not reason.strip():
        raise ExpectationError(f"{path}: {name}: needs a reason")
    if kind not in (*KINDS, UNSORTED):
        raise ExpectationError(f"{path}: {name}: the kind is {', '.join(KINDS)} or {UNSORTED}, not {kind!r}")
    if kind != UNSORTED and link != NO_THREAD and not re.fullmatch(r"https?://\S+", link):
        raise ExpectationError(
            f'{path}: {name}: needs a link, which is the address of a thread or "{NO_THREAD}": {link!r}'
        )
    return Why(reason, kind, link, str(item.get("cause", "")))


def grouped(entries: Iterable[tuple[Why, Sequence[str]]], causes: Iterable[str]) -> list[str]:
    """Returns the lines of a file: a blank line before each table, and each [[cause]] before its entries.

    An entry is why it is known, and its lines. Causes come in the order of `causes`, then the entries without one;
    otherwise the order of the entries stays."""
    order = {cause: number for number, cause in enumerate(dict.fromkeys(causes))}
    lines: list[str] = []
    written = ""
    for mine, text in sorted(entries, key=lambda entry: order.get(entry[0].cause, len(order))):
        if mine.cause and mine.cause != written:
            written = mine.cause
            lines += ["", "[[cause]]", f"id = {quote(written)}", *_said(mine)]
        lines += ["", *text]
    return lines


def why_lines(mine: Why) -> list[str]:
    """Returns the lines in an entry that say why it is known."""
    return [f"cause = {quote(mine.cause)}"] if mine.cause else _said(mine)


def _said(mine: Why) -> list[str]:
    link = [f"link = {quote(mine.link)}"] if mine.link else []
    return [f"kind = {quote(mine.kind)}", *link, f"reason = {quote(mine.reason)}"]


def quote(text: str) -> str:
    """Returns a TOML basic string."""
    out = []
    for letter in text:
        if letter in '"\\':
            out.append("\\" + letter)
        elif ord(letter) < 0x20 or ord(letter) == 0x7F:
            out.append(f"\\u{ord(letter):04x}")
        else:
            out.append(letter)
    return '"' + "".join(out) + '"'
