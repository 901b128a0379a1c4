"""Which cases a command is about: by id, interface, function, requirement, or the verdict that an earlier record holds. Pure.

In: all cases and a `Selection`. Out: those wanted. A part that matches nothing is an error: a misspelt filter must not make a run smaller.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Case, Verdict

UNEXPECTED = "unexpected"
VERDICTS = (*(verdict.value for verdict in Verdict), UNEXPECTED)


class SelectionError(Exception):
    """A filter that matches nothing."""


@dataclass(frozen=True)
class Selection:
    """All of these must hold for a case; of several values of one kind any."""

    patterns: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()

    @property
    def all(self) -> bool:
        return not any((self.patterns, self.interfaces, self.functions, self.requirements, self.verdicts))


def select(cases: Sequence[Case], wanted: Selection, root: Path, had: Collection[str] = ()) -> tuple[Case, ...]:
    """The wanted ones among `cases`. `had`: the ids of the cases that had one of the wanted verdicts in an earlier record."""
    kinds: list[tuple[str, Iterable[str], Callable[[str, Case], bool]]] = [
        ("case", wanted.patterns, lambda pattern, case: _case(pattern, case.id, root)),
        ("--interface", wanted.interfaces, _interface),
        ("--function", wanted.functions, lambda pattern, case: any(pattern in check.function for check in case.checks)),
        ("--requirement", wanted.requirements, _requirement),
    ]
    left = tuple(cases)
    for kind, patterns, matches in kinds:
        listed = tuple(patterns)
        for pattern in listed:
            if not any(matches(pattern, case) for case in cases):
                raise SelectionError(
                    f"no case matches {pattern}" if kind == "case" else f"no case has {kind} {pattern}"
                )
        left = tuple(case for case in left if not listed or any(matches(pattern, case) for pattern in listed))
    if wanted.verdicts:
        left = tuple(case for case in left if case.id in had)
    if not left and not wanted.all:
        raise SelectionError("no case matches all of these filters")
    return left


def _case(pattern: str, case_id: str, root: Path) -> bool:
    text = pattern.rstrip("/").removesuffix("/case.toml")
    text = text.removeprefix(str(root) + "/").removeprefix("./").removeprefix("suites/")
    return case_id == text or case_id.startswith(text + "/") or (not text.startswith("p2/") and text in case_id)


def _interface(pattern: str, case: Case) -> bool:
    names = {*case.interfaces, *(check.interface for check in case.checks)}
    wanted = pattern if ":" in pattern or "*" in pattern else f"wasi:{pattern}"
    return any(name == wanted or name.startswith(wanted + "/") or fnmatch.fnmatchcase(name, wanted) for name in names)


def _requirement(pattern: str, case: Case) -> bool:
    return any(
        check.id == pattern or check.id.startswith(pattern + ".") or fnmatch.fnmatchcase(check.id, pattern)
        for check in case.checks
    )
