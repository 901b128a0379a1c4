"""Values as they lie in the memory of the component that gives them, valid or not, as text.

A number stands for itself, whatever the type: for the bits of a float, the code point of a char, the bits of flags, the
index of an enum. `INDEX(payload)` is a case of a variant, `(a,b)` a record, `[a,b]` a list. A string is `"text"` in the
encoding of its component, `wide"text"` in the wide form of latin1+utf16, or `raw"00ff"` and `wideraw"00d8"` as bytes. A
handle is a word of `HANDLE_WORDS`, or h1, h2, ...: resources that are made for this exchange.

Behind a string or a list: `@PLACE` of `PLACES`, then `*COUNT`, the length that is given instead of the true one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from ..calls import quoted
from .types import HANDLES, VARIANTS, Type

HANDLE_WORDS = ("dropped", "other", "zero", "none")
"""A handle that was dropped, one of another resource, 0, and an index that was never given out."""
PLACES = ("odd", "end", "past", "far")
"""Where the content lies: not aligned; at the end of the memory; across or behind the end; near the end of all
addresses."""
_WORD = re.compile(r'(?P<form>wideraw|wide|raw|)"(?P<text>[^"]*)"|h\d+|[a-z]+|0x[0-9a-f]+|\d+|[()\[\],@*]')


@dataclass(frozen=True)
class Value:
    number: int = 0
    """The number, or the index of a case."""
    items: tuple[Value, ...] = ()
    """The fields, the elements, or the payload of a case."""
    text: bytes = b""
    """The content of a string: UTF-8, or of `raw` the bytes in memory."""
    form: str = ""
    word: str = ""
    """The word of a handle."""
    place: str = ""
    count: int = -1
    """The length that is given instead of the true one; -1: none."""


def text(made: Type, value: Value) -> str:
    """Returns a value as text."""
    tail = (f"@{value.place}" if value.place else "") + (f"*{_number(value.count)}" if value.count >= 0 else "")
    if made.kind == "string":
        content = f'"{value.text.hex()}"' if value.form.endswith("raw") else quoted(value.text)
        return f"{value.form}{content}{tail}"
    if made.kind == "list":
        return f"[{','.join(text(made.fields[0], item) for item in value.items)}]{tail}"
    if made.kind in ("record", "tuple"):
        return f"({','.join(text(part, item) for part, item in zip(made.fields, value.items, strict=True))})"
    if made.kind in HANDLES:
        return value.word
    payload = payload_type(made, value)
    return _number(value.number) + (f"({text(payload, value.items[0])})" if payload is not None else "")


def payload_type(made: Type, value: Value) -> Type | None:
    """Returns the type of the payload of the case that a value names, if it has one."""
    if made.kind not in VARIANTS or value.number >= len(made.cases):
        return None
    return made.cases[value.number]


def _number(number: int) -> str:
    return str(number) if number < 10 else hex(number)


def parse(made: Type, words: str) -> Value:
    """Reads a value of a type. Raises ValueError."""
    tokens = list(_WORD.finditer(words))
    if "".join(token[0] for token in tokens) != words:
        raise ValueError(f"{words!r} is not a value")
    value = _Reader(tokens, words).read(made)
    if tokens:
        raise ValueError(f"{words!r} does not end where the value of {made} ends")
    return value


@dataclass
class _Reader:
    tokens: list[re.Match[str]]
    words: str

    def read(self, made: Type) -> Value:
        if made.kind == "string":
            token = self.next()
            if not token[0].endswith('"'):
                raise self.wrong(made)
            form = token["form"]
            content = bytes.fromhex(token["text"]) if form.endswith("raw") else unquote_to_bytes(token["text"])
            return self.tail(Value(text=content, form=form))
        if made.kind == "list":
            return self.tail(Value(items=self.items("[", "]", made.fields[0], None)))
        if made.kind in ("record", "tuple"):
            return Value(items=self.items("(", ")", None, made.fields))
        if made.kind in HANDLES:
            return Value(word=self.next()[0])
        value = Value(self.number(made))
        payload = payload_type(made, value)
        return value if payload is None else replace(value, items=self.items("(", ")", None, (payload,)))

    def items(self, begin: str, end: str, element: Type | None, parts: tuple[Type, ...] | None) -> tuple[Value, ...]:
        self.expect(begin)
        found: list[Value] = []
        while not self.accept(end):
            if found:
                self.expect(",")
            if parts is not None and len(found) == len(parts):
                raise self.wrong(end)
            part = element or (parts or ())[len(found)]
            found.append(self.read(part))
        if parts is not None and len(found) != len(parts):
            raise self.wrong(f"{len(parts)} parts")
        return tuple(found)

    def tail(self, value: Value) -> Value:
        if self.accept("@"):
            value = replace(value, place=self.next()[0])
            if value.place not in PLACES:
                raise self.wrong(f"one of {', '.join(PLACES)}")
        return replace(value, count=self.number("length")) if self.accept("*") else value

    def number(self, what: object) -> int:
        try:
            return int(self.next()[0], 0)
        except ValueError:
            raise self.wrong(what) from None

    def next(self) -> re.Match[str]:
        if not self.tokens:
            raise self.wrong("more")
        return self.tokens.pop(0)

    def accept(self, word: str) -> bool:
        if self.tokens and self.tokens[0][0] == word:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.wrong(word)

    def wrong(self, wanted: object) -> ValueError:
        return ValueError(f"{self.words!r}: {wanted} was expected")
