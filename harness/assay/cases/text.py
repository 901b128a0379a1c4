"""Comparing a text with what a case asks for.

In: a `TextExpectation` and bytes. Out: what is wrong with them, in a few words. Pure.
"""

from __future__ import annotations

import re

from ..model import TextExpectation


def text_problem(expectation: TextExpectation, data: bytes) -> str | None:
    """Returns what is wrong with `data` in a few words, or None when it is as expected."""
    if expectation.exact is not None and data != expectation.exact:
        return f"is {show_bytes(data)}, expected {show_bytes(expectation.exact)}"
    for part in expectation.contains:
        if part.encode() not in data:
            return f"does not contain {part!r}: {show_bytes(data)}"
    text = data.decode("utf-8", "backslashreplace")
    for pattern in expectation.matches:
        if not re.search(pattern, text, re.MULTILINE):
            return f"does not match {pattern!r}: {show_bytes(data)}"
    return None


def show_bytes(data: bytes, limit: int = 120) -> str:
    text = data.decode("utf-8", "backslashreplace")
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}… ({len(data)} bytes)"
