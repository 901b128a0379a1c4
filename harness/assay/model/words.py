"""How numbers are written in messages and on pages.

In: a number and a noun. Out: text.
"""

from __future__ import annotations


def plural(number: int, word: str) -> str:
    """Returns a number with its noun: `1 case`, `2 cases`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
