"""What a trap of either engine is about, and which differences between two traps are no difference between the engines.

In: messages of traps; the outcomes of one call on ours and on another engine. Out: a kind; whether the text explains the difference.
A call may break several rules at once, and the text says which of them traps: ours must be that one, the other engine's need not.
"""

from __future__ import annotations

from collections.abc import Callable

Outcome = tuple[str, str]
"""`ok` and a result, `trap` and a kind, or another status and its message."""

# The message of each engine for a trap, and our name of it. The first match wins.
KINDS = (
    ("unreachable", "unreachable"),
    ("invalid `char` bit pattern", "char"),
    ("invalid variant discriminant", "discriminant"),
    ("unexpected discriminant", "discriminant"),
    ("discriminant", "discriminant"),
    ("converted integer out of range for `char`", "char"),
    ("integer overflow", "char"),
    ("realloc return: beyond end of memory", "bounds"),
    ("string content out-of-bounds", "bounds"),
    ("list content out-of-bounds", "bounds"),
    ("out of bounds of memory", "bounds"),
    ("out-of-bounds", "bounds"),
    ("out of bounds", "bounds"),
    ("unaligned pointer", "alignment"),
    ("not aligned", "alignment"),
    ("byte length too large", "bounds"),
    ("byte size exceeds", "bounds"),
    ("utf-8", "text"),
    ("utf8", "text"),
    ("utf-16", "text"),
    ("utf16", "text"),
    ("surrogate", "text"),
    ("unknown handle index", "handle"),
    ("used with the wrong type", "handle"),
    ("borrow handles still remain", "borrow left"),
    ("cannot remove owned resource while borrowed", "lent"),
    ("cannot enter component instance", "poisoned"),
    ("cannot leave component instance", "leave"),
)
LIFTING = frozenset({"text", "char", "discriminant", "bounds", "alignment", "handle", "lent"})
"""What a value can be trapped for while it is lifted. Lowering makes whole values; only realloc can fail there."""
REALLOC = frozenset({"unreachable", "bounds", "alignment"})
"""What comes of a realloc that fails, or that returns a wrong address."""


def kind_of(message: str) -> str:
    """The kind of trap that a message of either engine is about."""
    low = message.lower()
    for words, kind in KINDS:
        if words in low:
            return kind
    return "other: " + message.replace("\n", " ")


def another_rule(mine: Outcome, other: Outcome) -> bool:
    """One pointer that breaks two rules: it is neither aligned nor in bounds.

    The text asks for its alignment first (cabi: load_list_from_range, load_string_from_range, lift_flat_values); wasmtime asks for
    bounds first in places.
    """
    return (mine, other) == (("trap", "alignment"), ("trap", "bounds"))


def realloc_first(mine: Outcome, other: Outcome, with_room: Callable[[], tuple[Outcome, Outcome]]) -> bool:
    """A value that cannot be lifted, and a realloc for another value of the same call that fails.

    The text lifts all values before it lowers any (cabi: canon_lift, lift_flat_values before lower_flat_values); wasmtime lowers each
    as soon as it is lifted. So ours must be the fault of the value. Whether that one is there is asked again `with_room`, which is the
    same call on both engines where no realloc fails: both must then trap for it.
    """
    if mine[0] != "trap" or mine[1] not in LIFTING or other[0] != "trap" or other[1] not in REALLOC:
        return False
    return with_room() == (mine, mine)
