"""Nonces: texts of a case that a guest cannot know before its run.

In: a case, the seed of a run, the name of a runtime. Out: the case with a token in the place of each
`{nonce:NAME}`, and which token has replaced what. Pure.

A token is as long as its placeholder, so a length that a case states counts the placeholder. Because of that,
a record that has the placeholders again is judged by the case as it is written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from ..model import Case

PLACEHOLDER = re.compile(r"\{nonce:[a-z0-9-]+\}")
_ANY = re.compile(r"\{nonce[^}]*\}?")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

T = TypeVar("T")
_WITHOUT: weakref.WeakValueDictionary[int, Case] = weakref.WeakValueDictionary()
"""The cases that were found to have no nonce, by identity. A case runs on many runtimes, and most have none."""


def token(placeholder: str, seed: int, case: str, runtime: str) -> str:
    """Returns lower-case letters, as many as the placeholder has characters (9 or more)."""
    digest = hashlib.shake_256(f"{seed} {runtime} {case} {placeholder}".encode()).digest(len(placeholder))
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest)


def fill(case: Case, seed: int, runtime: str) -> tuple[Case, tuple[tuple[str, str], ...]]:
    """Returns the case as it is run and judged, and pairs of a token and its placeholder."""
    if _WITHOUT.get(id(case)) is case:
        return case, ()
    tokens: dict[str, str] = {}

    def replaced(text: str) -> str:
        def one(match: re.Match[str]) -> str:
            return tokens.setdefault(match[0], token(match[0], seed, case.id, runtime))

        return PLACEHOLDER.sub(one, text)

    filled = dataclasses.replace(
        case,
        run=_each(case.run, replaced),
        expect=_each(case.expect, replaced),
        checks=_each(case.checks, replaced),
    )
    if not tokens:
        _WITHOUT[id(case)] = case
        return case, ()
    return filled, tuple((made, placeholder) for placeholder, made in tokens.items())


def problem(case: Case) -> str:
    """Returns what is wrong with the nonces of a case, or an empty string.

    A nonce that is only expected cannot be known by any guest. One that is only given proves nothing."""
    given, expected = _found(case.run), _found((case.expect, case.checks))
    for text in sorted(given | expected):
        if not PLACEHOLDER.fullmatch(text):
            return f"{text!r} is not a nonce like {{nonce:a}}, with lower-case letters, digits and dashes"
    if alone := sorted(given ^ expected):
        words = "given and not expected" if alone[0] in given else "expected and not given"
        return f"{alone[0]} is {words}: a nonce is in [run], and in [expect] or a check"
    return ""


def has_any(value: object) -> bool:
    """Returns whether a nonce is anywhere in a value of the model."""
    return bool(_found(value))


def _found(value: Any) -> set[str]:
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(_ANY.findall(text))
        return text

    _each(value, look)
    return found


def _each(value: T, change: Callable[[str], str]) -> T:
    """Returns a value of the model with every text in it changed. Bytes are texts of latin-1 characters."""
    made: Any = value
    if isinstance(value, str):
        made = change(value)
    elif isinstance(value, bytes):
        made = change(value.decode("latin-1")).encode("latin-1")
    elif isinstance(value, tuple):
        made = tuple(_each(item, change) for item in value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: _each(getattr(value, field.name), change) for field in dataclasses.fields(value)}
        made = dataclasses.replace(value, **parts)
    return made  # type: ignore[no-any-return]
