"""Random exchanges. The same seed gives the same.

Most values are valid; about one in six has one thing that the text forbids. Values are drawn from plain and from awkward
ones: the ends of ranges, upper bits that nobody may read, NaNs, characters at the borders of encodings.
"""

from __future__ import annotations

import random
from dataclasses import replace

from ..calls import Script
from . import expected
from .exchange import DIRECTIONS, ENCODINGS, Exchange
from .types import HANDLES, INTEGERS, SIMPLE, VARIANTS, Type, flat
from .values import HANDLE_WORDS, Value

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x1FF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x80000000_00000000,
           0xFFFFFFFF_FFFFFFFF, 0x01234567_89ABCDEF)  # fmt: skip
SINGLES = (0, 0x80000000, 0x3F800000, 1, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001, 0x7FFFFFFF, 0x4B7FFFFF)
DOUBLES = (0, 1 << 63, 0x3FF << 52, 1, 0x7FF << 52, 0xFFF << 52, 0x7FF8 << 48, 0xFFF8 << 48, (0x7FF << 52) + 1, 0x43300000_00000001)  # fmt: skip
CHARS = (0, 0x41, 0x7F, 0x80, 0xE9, 0xFF, 0x100, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF)
BAD_CHARS = (0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, 0xFFFFFFFF)
BAD_UTF8 = ("80", "c080", "c1bf", "c3", "e28082e2", "eda080", "edbfbf", "f4908080", "f8888080", "ff", "61f09f98", "e080af", "fe")
BAD_UTF16 = ("00d8", "00dc", "610000d8", "00d86100", "00dc00d8", "00d800d800dc", "ffdb", "e900ffdf")
LENGTHS = (0x100000, 0x0FFFFFFF, 0x10000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
COUNTS = (1, 2, 3, 7, 8, 9, 16, 17, 31, 32)
DEEPEST = 4
FORBIDDEN = 0.16
"""The share of values that are to have something forbidden."""
_WEIGHTED = (*SIMPLE, *["string"] * 5, *["char"] * 2, *["own"])
_NESTING = ("record", "tuple", "variant", "variant", "option", "result", "list", "list", "flags", "enum")


def examples(count: int, seed: int) -> list[Script]:
    """Returns `count` scripts of one exchange each (fewer where some are alike)."""
    drawn = random.Random(seed)
    found: dict[Script, None] = {}
    for _ in range(count):
        found[script(_exchange(drawn))] = None
    return list(found)


def script(exchange: Exchange) -> Script:
    """Returns the script of an exchange."""
    return (exchange.line(expected.result(exchange)[1]),)


def _exchange(drawn: random.Random) -> Exchange:
    direction = drawn.choice(DIRECTIONS)
    made = _type(drawn, DEEPEST, borrows=direction == "param")
    source, target = drawn.choice(ENCODINGS), drawn.choice(ENCODINGS)
    values = _Values(drawn, source)
    value = values.value(made)
    if drawn.random() < FORBIDDEN:
        value = values.forbid(made, value)
    keep = made.has("borrow") and drawn.random() < FORBIDDEN
    return Exchange(direction, source, target, made, value, keep)


def _type(drawn: random.Random, depth: int, *, borrows: bool) -> Type:
    if depth == 0 or drawn.random() < 0.35:
        kind = drawn.choice(_WEIGHTED)
        return Type("own" if kind == "borrow" and not borrows else kind)
    kind = drawn.choice(_NESTING)

    def part() -> Type:
        return _type(drawn, depth - 1, borrows=borrows)

    def case() -> Type | None:
        return part() if drawn.random() < 0.7 else None

    match kind:
        case "flags":
            return Type(kind, count=drawn.choice(COUNTS))
        case "enum":
            return Type(kind, count=drawn.choice((1, 2, 3, 17, 255, 256, 257)))
        case "list" | "option":
            return Type(kind, (part(),))
        case "result":
            return Type(kind, (case(), case()))
        case "variant":
            return Type(kind, tuple(case() for _ in range(drawn.choice((1, 2, 2, 3, 4)))))
        case _:
            return Type(kind, tuple(part() for _ in range(drawn.choice((1, 1, 2, 2, 3, 5)))))


class _Values:
    """Draws the values of one exchange."""

    def __init__(self, drawn: random.Random, source: str) -> None:
        self.drawn, self.source = drawn, source
        self.handles = 0

    def value(self, made: Type) -> Value:
        """Returns a valid value."""
        drawn = self.drawn
        if made.kind in VARIANTS:
            case = drawn.randrange(len(made.cases))
            payload = made.cases[case]
            return Value(case, (self.value(payload),) if payload is not None else ())
        match made.kind:
            case "record" | "tuple":
                return Value(items=tuple(self.value(part) for part in made.fields))
            case "list":
                many = drawn.choice((0, 1, 2, 2, 3, 9 if len(flat(made.fields[0])) < 3 else 4))
                place = drawn.choice(("", "", "end")) if many == 0 else ""
                return Value(items=tuple(self.value(made.fields[0]) for _ in range(many)), place=place)
            case "string":
                return self.string()
            case "own":
                self.handles += 1
                return Value(word=f"h{self.handles}")
            case "borrow":
                self.handles += drawn.random() < 0.7 or not self.handles
                return Value(word=f"h{self.handles}")
            case "char":
                return Value(drawn.choice(CHARS))
            case "f32":
                return Value(drawn.choice((*SINGLES, drawn.getrandbits(32))))
            case "f64":
                return Value(drawn.choice((*DOUBLES, drawn.getrandbits(64))))
            case "bool":
                return Value(drawn.choice((0, 1, 1, 2, 0xFF, 0x100, 0x80000000)))
            case "flags":
                return Value(drawn.choice((0, 1, drawn.getrandbits(made.count), (1 << made.count) - 1, 0xFFFFFFFF)))
        number = drawn.choice((*NUMBERS, drawn.getrandbits(64)))
        return Value(number if drawn.random() < 0.5 else number & ((1 << 8 * INTEGERS[made.kind]) - 1))

    def string(self) -> Value:
        drawn = self.drawn
        length = drawn.choice((0, 1, 1, 2, 3, 5, 8, 15, 16, 17, 33, 100))
        most = drawn.choice((7, 7, 9, 9, 13, len(CHARS)))
        text = "".join(chr(drawn.choice(CHARS[1:most])) for _ in range(length))
        if length > 8 and drawn.random() < 0.5:
            text = text[0] * (length - 1) + text[-1]  # the last character alone is another one
        form = "wide" if self.source == "latin1+utf16" and drawn.random() < 0.4 else ""
        place = "end" if not text and drawn.random() < 0.3 else ""
        return Value(text=text.encode(), form=form, place=place)

    def forbid(self, made: Type, value: Value) -> Value:
        """Returns the value with something forbidden in one place, if there is a place for it."""
        places = list(_places(made, value, ()))
        if not places:
            return value
        path, kind = self.drawn.choice(places)
        return self._replace(made, value, path, kind)

    def _replace(self, made: Type, value: Value, path: tuple[int, ...], kind: Type) -> Value:
        if not path:
            return self._forbidden(kind, value)
        items = list(value.items)
        part = made.fields[0] if made.kind == "list" else made.fields[path[0]]
        if made.kind in VARIANTS:
            payload = made.cases[value.number]
            assert payload is not None
            part = payload
        items[path[0]] = self._replace(part, items[path[0]], path[1:], kind)
        return replace(value, items=tuple(items))

    def _forbidden(self, made: Type, value: Value) -> Value:
        drawn = self.drawn
        if made.kind in VARIANTS:
            many = len(made.cases)
            most = 0xFF if many <= 256 else 0xFFFF
            return Value(drawn.choice([index for index in (many, many + 1, most) if many <= index <= most] or [many]))
        match made.kind:
            case "char":
                return Value(drawn.choice(BAD_CHARS))
            case "own" | "borrow":
                return Value(word=drawn.choice((*HANDLE_WORDS, "h1")))
            case "string" if drawn.random() < 0.6:
                if self.source == "utf8":
                    return Value(text=bytes.fromhex(drawn.choice(BAD_UTF8)), form="raw")
                form = "raw" if self.source == "utf16" else "wideraw"
                return Value(text=bytes.fromhex(drawn.choice(BAD_UTF16)), form=form)
        if drawn.random() < 0.4:
            return replace(value, items=(), text=b"", place="", count=drawn.choice(LENGTHS))
        return replace(value, place=drawn.choice(("odd", "past", "far")))


def _places(made: Type, value: Value, path: tuple[int, ...]) -> list[tuple[tuple[int, ...], Type]]:
    """Returns the paths to the parts of a value which can have something forbidden, with their types."""
    found: list[tuple[tuple[int, ...], Type]] = []
    if made.kind in ("char", "string", "list", *HANDLES) or (made.kind in VARIANTS and len(made.cases) not in (256,)):
        found.append((path, made))
    for number, item in enumerate(value.items):
        part = made.fields[0] if made.kind == "list" else made.fields[number] if made.kind in ("record", "tuple") else None
        part = part or made.cases[value.number]
        if part is not None:
            found += _places(part, item, (*path, number))
    return found
