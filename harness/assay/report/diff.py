"""Markdown and JSON from the differences of two records: a comment on a pull request, and data for other programs. Pure.

In: a `Diff`, and what the records are called. Out: text; the Markdown fits a comment of 65,536 characters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..record.diff import Change, Diff, UnitChange
from .comment import LIMIT
from .markdown import code, plain, row

MARKER = "<!-- assay-diff -->"
"""The first line, by which a script finds its own comment again."""
_RESERVE = 400
"""Characters for what closes a list that is cut, and for the last line."""
_ORDER = (Change.BROKEN, Change.FLAKY, Change.REMOVED, Change.CHANGED, Change.FIXED, Change.ADDED)


def markdown(made: Diff, old: str, new: str, notes: Sequence[str], red: bool) -> str:
    """Returns a comment: one line that sums up, what broke as a table, the rest folded. `red` is the exit status."""
    sign = "✗" if red else "✓"
    out = [MARKER, f"### {sign} Conformance: {made.words}", "", f"`{code(old)}` → `{code(new)}`", ""]
    out += [f"- {plain(line)}" for line in (*notes, *made.toolchains)]
    out += [""] if notes or made.toolchains else []
    size = sum(len(line) + 1 for line in out)
    left_out = 0
    for kind in _ORDER:
        changes = made.of(kind)
        if not changes:
            continue
        begin, end = _frame(kind, len(changes))
        size += sum(len(line) + 1 for line in (*begin, *end))
        if size > LIMIT - _RESERVE:
            left_out += len(changes)
            continue
        rows: list[str] = []
        for change in changes:
            line = _line(change)
            if size + len(line) + 1 > LIMIT - _RESERVE:
                break
            rows.append(line)
            size += len(line) + 1
        left_out += len(changes) - len(rows)
        out += [*begin, *rows, *end]
    if left_out:
        out += [f"… and {left_out} more changes, for which a comment has no room; `assay diff` prints all."]
    return "\n".join(out).rstrip("\n") + "\n"


def _frame(kind: Change, number: int) -> tuple[list[str], list[str]]:
    head = [row(["runtime", "case", "check", "level", "before", "after"]), row(["---"] * 6)]
    title = f"{kind.value}: {number}"
    if kind is Change.BROKEN:
        return [f"**{title}**", "", *head], [""]
    return ["<details>", f"<summary>{title}</summary>", "", *head], ["", "</details>", ""]


def _line(change: UnitChange) -> str:
    names = [f"`{code(word)}`" for word in (change.case, change.unit)]
    return row(
        [plain(change.runtime), *names, change.level.upper(), *(plain(word) for word in (change.before, change.after))]
    )


def data(made: Diff, old: str, new: str, notes: Sequence[str], red: bool) -> str:
    """Returns the differences as JSON."""
    keys = ("runtime", "case", "unit", "level", "function", "before", "after")
    value = {
        "old": old,
        "new": new,
        "red": red,
        "counts": {kind.value: number for kind, number in made.counts.items()},
        "notes": [*notes, *made.toolchains],
        "changes": [
            {"change": item.change.value, **{key: getattr(item, key) for key in keys}} for item in made.changes
        ],
    }
    return json.dumps(value, ensure_ascii=False, indent=1)
