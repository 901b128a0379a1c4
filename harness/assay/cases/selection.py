"""Choosing cases by id, interface, function, requirement, or by a verdict in an earlier record. Pure.

In: all cases and a `Selection`. Out: the cases that are wanted. A filter that matches nothing is an error,
because a misspelt filter must not make a run smaller.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Case, Verdict, names

UNEXPECTED = "unexpected"
VERDICTS = (*(verdict.value for verdict in Verdict), UNEXPECTED)


class SelectionError(Exception):
    """A filter that matches nothing."""


@dataclass(frozen=True)
class Selection:
    """The filters of one command. A case must pass each kind of filter; one value of several is enough."""

    patterns: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()

    @property
    def all(self) -> bool:
        return not any((self.patterns, self.interfaces, self.functions, self.requirements, self.verdicts))


@dataclass(frozen=True)
class Filter:
    """One kind of filter: its patterns, what matches them, and the complaint about a pattern that matches
    nothing."""

    patterns: tuple[str, ...]
    matches: Callable[[str, Case], bool]
    complaint: str
    known: Callable[[Sequence[Case]], Iterable[str]] = lambda cases: [case.id for case in cases]
    """What could be meant by a pattern that matches nothing."""


def narrow(cases: Sequence[Case], filters: Iterable[Filter]) -> tuple[Case, ...]:
    """Returns the cases that pass every filter. One matching pattern of a filter is enough."""
    left = tuple(cases)
    for item in filters:
        for pattern in item.patterns:
            if not any(item.matches(pattern, case) for case in cases):
                raise SelectionError(item.complaint.format(pattern) + names.near(pattern, item.known(cases)))
        if item.patterns:
            left = tuple(case for case in left if any(item.matches(pattern, case) for pattern in item.patterns))
    return left


def containing(patterns: tuple[str, ...], complaint: str) -> Filter:
    """Cases whose id contains one of the patterns."""
    return Filter(patterns, lambda pattern, case: pattern in case.id, complaint)


def select(cases: Sequence[Case], wanted: Selection, root: Path, had: Collection[str] = ()) -> tuple[Case, ...]:
    """Returns the cases that are wanted. `had` has the ids of those with a wanted verdict in an earlier
    record."""
    left = narrow(
        cases,
        (
            Filter(wanted.patterns, lambda pattern, case: _case(pattern, case.id, root), "no case matches {}"),
            Filter(
                wanted.interfaces,
                _interface,
                "no case has --interface {}",
                lambda cases: {name for case in cases for name in case.interfaces},
            ),
            Filter(
                wanted.functions,
                lambda pattern, case: any(pattern in check.function for check in case.checks),
                "no case has --function {}",
                lambda cases: {check.function for case in cases for check in case.checks},
            ),
            Filter(
                wanted.requirements,
                _requirement,
                "no case has --requirement {}",
                lambda cases: {check.id for case in cases for check in case.checks},
            ),
        ),
    )
    if wanted.verdicts:
        left = tuple(case for case in left if case.id in had)
    if not left and not wanted.all:
        raise SelectionError("no case matches all of these filters: each alone has some, so leave one of them out")
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
