"""Simpler exchanges, for shrinking: one part of the type and of the value left out, or one word made plain.

In: a script of one exchange. Out: scripts that are nearer to `pass param utf8>utf8 u8 0`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..calls import Script
from . import types
from .exchange import ENCODINGS, Exchange, exchanges
from .generate import script as script_of
from .types import HANDLES, VARIANTS, Type
from .values import Value, payload_type

MOST = 60
"""The number of candidates of a round; the smallest are taken."""
Pair = tuple[Type, Value]
_U8: Pair = (Type("u8"), Value(0))


def simpler(script: Script) -> list[Script]:
    """Returns simpler scripts, with the same reason for a trap, the smallest first."""
    (exchange,) = exchanges(script)
    found: dict[Script, None] = {}
    for other in _simpler(exchange):
        made = script_of(other)
        if made[0].name == script[0].name and weight(made) < weight(script):
            found[made] = None
    return sorted(found, key=weight)[:MOST]


def weight(script: Script) -> tuple[int, int, int, str]:
    """Returns what is to become small: the parts of the type, the length of the line, and its words."""
    line = script[0]
    exchange = exchanges(script)[0]
    encodings = 3 * ENCODINGS.index(exchange.source) + ENCODINGS.index(exchange.target)
    return sum(1 for _ in exchange.type.walk()), len(str(line)), encodings, str(line)


def _simpler(exchange: Exchange) -> Iterator[Exchange]:
    for source in ENCODINGS:
        yield replace(exchange, source=source)
        yield replace(exchange, target=source)
        yield replace(exchange, source=source, target=source)
    if exchange.keep:
        yield replace(exchange, keep=False)
    if not exchange.type.has("borrow"):
        yield replace(exchange, direction="param", keep=False)
    for made, value in _parts((exchange.type, exchange.value)):
        yield replace(exchange, type=made, value=value, keep=exchange.keep and made.has("borrow"))


def _parts(pair: Pair) -> Iterator[Pair]:
    """Yields simpler types with values of them."""
    made, value = pair
    if pair != _U8:
        yield _U8
    yield from _children(pair)  # a part instead of the whole
    if made.kind in ("record", "tuple"):
        yield from _of_record(pair)
    elif made.kind == "list":
        yield from _of_list(pair)
    elif made.kind in VARIANTS:
        yield from _of_variant(pair)
    elif made.kind == "string":
        yield from ((made, other) for other in _strings(value))
    elif made.kind in HANDLES:
        yield made, Value(word="h1")
    else:
        count = made.count // 2
        if count:
            yield replace(made, count=count), value
        for number in (0, 1, value.number & 0xFF, value.number & 0xFFFFFFFF, value.number >> 1):
            yield made, Value(number)


def _children(pair: Pair) -> list[Pair]:
    made, value = pair
    if made.kind in ("record", "tuple"):
        return list(zip(made.fields, value.items, strict=True))
    if made.kind == "list":
        return [(made.fields[0], item) for item in value.items]
    payload = payload_type(made, value)
    return [] if payload is None else [(payload, value.items[0])]


def _of_record(pair: Pair) -> Iterator[Pair]:
    made, value = pair
    if made.kind == "record":
        yield Type("tuple", made.parts), value
    for number, child in enumerate(_children(pair)):
        if len(made.parts) > 1:
            rest = made.parts[:number] + made.parts[number + 1 :]
            yield replace(made, parts=rest), replace(value, items=value.items[:number] + value.items[number + 1 :])
        for part, item in _parts(child):
            parts = (*made.parts[:number], part, *made.parts[number + 1 :])
            yield replace(made, parts=parts), replace(value, items=_with(value.items, number, item))


def _of_list(pair: Pair) -> Iterator[Pair]:
    made, value = pair
    for number in range(len(value.items)):
        yield made, replace(value, items=value.items[:number] + value.items[number + 1 :])
    if value.place or value.count >= 0:
        yield made, replace(value, place="", count=-1)
    if len(value.items) > 1:
        half = len(value.items) // 2
        yield made, replace(value, items=value.items[:half])
        yield made, replace(value, items=value.items[half:])
    if not value.items:
        for element in (Type("u8"), Type("u16"), Type("u32"), Type("u64"), Type("string")):
            yield Type("list", (element,)), value
    elif len(value.items) == 1:
        for part, item in _parts((made.fields[0], value.items[0])):
            yield Type("list", (part,)), replace(value, items=(item,))
    else:
        for number, item in enumerate(value.items):
            for part, other in _parts((made.fields[0], item)):
                if part == made.fields[0]:
                    yield made, replace(value, items=_with(value.items, number, other))


def _of_variant(pair: Pair) -> Iterator[Pair]:
    made, value = pair
    payload = payload_type(made, value)
    if made.kind == "enum":
        for count in dict.fromkeys((1, 2, made.count // 2, made.count - 1)):
            if 0 < count < made.count:
                yield Type("enum", count=count), value
                yield Type("enum", count=count), Value(count)
    if made.kind == "variant":
        if made.parts[value.number : value.number + 1]:
            yield Type("variant", (payload,)), replace(value, number=0)
        for number in range(len(made.parts)):
            yield from _without_case(pair, number)
    for number, part in enumerate(made.parts):
        if part is not None and made.kind != "option" and number != value.number:
            for other in (None, *_other_types(part)):
                yield replace(made, parts=(*made.parts[:number], other, *made.parts[number + 1 :])), value
    if payload is not None:
        place = 0 if made.kind == "option" else value.number
        for part, item in _parts((payload, value.items[0])):
            parts = (*made.parts[:place], part, *made.parts[place + 1 :])
            yield replace(made, parts=parts), replace(value, items=(item,))
    elif value.number and value.number < len(made.cases) and made.cases[0] is None:
        yield made, Value(0)


def _without_case(pair: Pair, number: int) -> Iterator[Pair]:
    made, value = pair
    if len(made.parts) > 1 and number != value.number:
        less = value.number - (value.number > number)
        yield replace(made, parts=made.parts[:number] + made.parts[number + 1 :]), replace(value, number=less)


def _other_types(part: Type) -> Iterator[Type]:
    """Yields simpler types for a case that the value does not use."""
    yield from part.fields
    core = types.flat(part)
    yield from (Type(kind) for kind in ("u8", "u64", "f32", "f64", "string") if types.flat(Type(kind)) == core)


def _strings(value: Value) -> Iterator[Value]:
    if value.place or value.count >= 0:
        yield replace(value, place="", count=-1)
    if value.form == "wide":
        yield replace(value, form="")
    if value.form.endswith("raw"):
        unit = 2 if value.form == "wideraw" else 1
        for begin in range(0, len(value.text), unit):
            yield replace(value, text=value.text[:begin] + value.text[begin + unit :])
            yield replace(value, text=value.text[:begin] + b"a\0"[:unit] + value.text[begin + unit :])
        return
    text = value.text.decode()
    half = len(text) // 2
    for other in (text[:half], text[half:], text[1:], text[:-1]):
        yield replace(value, text=other.encode())
    for place, char in enumerate(text):
        if char != "a":
            yield replace(value, text=(text[:place] + "a" + text[place + 1 :]).encode())


def _with(items: tuple[Value, ...], number: int, item: Value) -> tuple[Value, ...]:
    return (*items[:number], item, *items[number + 1 :])
