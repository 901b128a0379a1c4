"""runtime/fuzz/faults.py: which two traps of one call are no difference between two engines, and that all others are."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "runtime/fuzz"))
try:
    from faults import LIFTING, REALLOC, Outcome, another_rule, kind_of, realloc_first
finally:
    sys.path.pop(0)


def trap(kind: str) -> Outcome:
    return "trap", kind


def never() -> tuple[Outcome, Outcome]:
    raise AssertionError("these two outcomes need no second call")


@pytest.mark.parametrize(("lifted", "failed"), [pair for pair in product(sorted(LIFTING), sorted(REALLOC)) if pair[0] != pair[1]])
def test_each_fault_of_a_value_may_be_hidden_by_each_fault_of_realloc(lifted: str, failed: str) -> None:
    assert realloc_first(trap(lifted), trap(failed), lambda: (trap(lifted), trap(lifted)))


@pytest.mark.parametrize(
    "again",
    [
        (("ok", "1"), ("ok", "1")),  # there is no fault of a value: ours made one up
        (trap("text"), ("ok", "1")),
        (("ok", "1"), trap("text")),
        (trap("text"), trap("char")),
        (trap("char"), trap("char")),
        (trap("text"), trap("unreachable")),
        (("", "component: refused"), ("", "")),
    ],
)
def test_both_must_trap_for_the_value_where_realloc_does_not_fail(again: tuple[Outcome, Outcome]) -> None:
    assert not realloc_first(trap("text"), trap("unreachable"), lambda: again)


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (("ok", "1"), ("ok", "2")),
        (("ok", "1"), trap("unreachable")),
        (trap("text"), ("ok", "1")),
        (("crash", "text"), trap("unreachable")),
        (trap("unreachable"), trap("text")),  # ours lowered before it had lifted all
        (trap("unreachable"), trap("bounds")),
        (trap("text"), trap("discriminant")),  # two values of one call, in another order
        (trap("char"), trap("handle")),
        (trap("borrow left"), trap("unreachable")),
        (trap("poisoned"), trap("unreachable")),
        (trap("other: ?"), trap("unreachable")),
        (trap("text"), trap("other: ?")),
    ],
)
def test_other_differences_count_without_a_second_call(mine: Outcome, other: Outcome) -> None:
    assert not realloc_first(mine, other, never)
    assert not another_rule(mine, other)


def test_a_pointer_that_breaks_two_rules() -> None:
    assert another_rule(trap("alignment"), trap("bounds"))
    assert not another_rule(trap("bounds"), trap("alignment"))
    assert not another_rule(trap("bounds"), trap("bounds"))
    assert not another_rule(("ok", "alignment"), ("ok", "bounds"))


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("wasm trap: wasm `unreachable` instruction executed", "unreachable"),
        ("realloc return: beyond end of memory (8 bytes at 0x10000)", "bounds"),
        ("realloc return: result not aligned (unaligned pointer 0x2941, alignment 4)", "alignment"),
        ("invalid utf-16: unpaired surrogate in a string", "text"),
        ("invalid `char` bit pattern: 0xd800 is a surrogate", "char"),
        ("handle index 3 used with the wrong type, expected r but found s", "handle"),
        ("something\nelse", "other: something else"),
    ],
)
def test_kinds(message: str, kind: str) -> None:
    assert kind_of(message) == kind
