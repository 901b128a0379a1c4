"""Types of the component model: notation, size, alignment and core types.

In: a type as text, for example `record<u8,option<string>>`. Out: `Type`. Source: CanonicalABI.md, "Alignment",
"Element Size" and "Flattening". Memories have addresses of 32 bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

INTEGERS = {"u8": 1, "s8": 1, "u16": 2, "s16": 2, "u32": 4, "s32": 4, "u64": 8, "s64": 8}
"""The sizes in bytes."""
HANDLES = ("own", "borrow")
SIMPLE = (*INTEGERS, "bool", "char", "f32", "f64", "string", *HANDLES)
"""The kinds without parts."""
VARIANTS = ("variant", "enum", "option", "result")
NAMED = ("record", "variant", "enum", "flags")
"""The kinds that a function can only use by a name that is exported."""
MOST_FLAT_PARAMETERS, MOST_FLAT_RESULTS = 16, 1
_TOKEN = re.compile(r"[a-z]+\d*|\d+|[<>,_]")


@dataclass(frozen=True)
class Type:
    kind: str
    parts: tuple[Type | None, ...] = ()
    """The fields, elements or cases. None: a case without a payload."""
    count: int = 0
    """The number of labels of an enum or of flags."""

    def __str__(self) -> str:
        if self.kind in SIMPLE:
            return self.kind
        inside = str(self.count) if self.count else ",".join("_" if part is None else str(part) for part in self.parts)
        return f"{self.kind}<{inside}>"

    @property
    def cases(self) -> tuple[Type | None, ...]:
        """The cases of a type that is a variant, also of one with another name."""
        if self.kind == "option":
            return (None, self.parts[0])
        return (None,) * self.count if self.kind == "enum" else self.parts

    @property
    def fields(self) -> tuple[Type, ...]:
        """The parts of a type in which each part is a type."""
        return tuple(part for part in self.parts if part is not None)

    def walk(self) -> Iterator[Type]:
        yield self
        for part in self.fields:
            yield from part.walk()

    def has(self, *kinds: str) -> bool:
        return any(part.kind in kinds for part in self.walk())


def parse(text: str) -> Type:
    """Reads a type. Raises ValueError."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise ValueError(f"{text!r} is not a type")
    made = _parse(tokens, text)
    if made is None or tokens or str(made) != text:
        raise ValueError(f"{text!r} is not a type")
    return made


def _parse(tokens: list[str], text: str) -> Type | None:
    kind = tokens.pop(0) if tokens else ""
    if kind == "_":
        return None
    if kind in SIMPLE:
        return Type(kind)
    if tokens[:1] != ["<"]:
        raise ValueError(f"{text!r}: {kind!r} is not a type")
    parts: list[Type | None] = []
    count = 0
    while tokens and tokens.pop(0) != ">":
        if kind in ("enum", "flags") and tokens and tokens[0].isdigit():
            count = int(tokens.pop(0))
        else:
            parts.append(_parse(tokens, text))
    made = Type(kind, tuple(parts), count)
    if not _well_formed(made):
        raise ValueError(f"{text!r}: {made} is not a type")
    return made


def _well_formed(made: Type) -> bool:
    whole = None not in made.parts
    match made.kind:
        case "record" | "tuple":
            return whole and len(made.parts) > 0
        case "list" | "option":
            return whole and len(made.parts) == 1
        case "variant":
            return len(made.parts) > 0
        case "result":
            return len(made.parts) == 2
        case "enum" | "flags":
            return not made.parts and 0 < made.count <= (32 if made.kind == "flags" else 1 << 16)
        case _:
            return False


def aligned(address: int, alignment: int) -> int:
    return (address + alignment - 1) // alignment * alignment


def discriminant_size(cases: int) -> int:
    """Returns the bytes of the discriminant of a variant with so many cases."""
    return 1 if cases <= 1 << 8 else 2 if cases <= 1 << 16 else 4


@cache
def layout(made: Type) -> tuple[int, int]:
    """Returns the size and the alignment in bytes."""
    if made.kind in INTEGERS:
        return INTEGERS[made.kind], INTEGERS[made.kind]
    match made.kind:
        case "bool":
            return 1, 1
        case "char" | "f32" | "own" | "borrow":
            return 4, 4
        case "f64":
            return 8, 8
        case "string" | "list":
            return 8, 4
        case "flags":
            size = 1 if made.count <= 8 else 2 if made.count <= 16 else 4
            return size, size
        case "record" | "tuple":
            alignment = max(layout(part)[1] for part in made.fields)
            last = offsets(made)[-1] + layout(made.fields[-1])[0]
            return aligned(last, alignment), alignment
    payloads = [layout(case) for case in made.cases if case is not None]
    alignment = max([discriminant_size(len(made.cases)), *(payload[1] for payload in payloads)])
    return aligned(payload_offset(made) + max([0, *(payload[0] for payload in payloads)]), alignment), alignment


@cache
def offsets(made: Type) -> tuple[int, ...]:
    """Returns where the fields of a record or tuple lie."""
    found, end = [], 0
    for part in made.fields:
        size, alignment = layout(part)
        found.append(aligned(end, alignment))
        end = found[-1] + size
    return tuple(found)


def payload_offset(made: Type) -> int:
    """Returns where the payload of a variant lies."""
    alignments = [layout(case)[1] for case in made.cases if case is not None]
    return aligned(discriminant_size(len(made.cases)), max([1, *alignments]))


@cache
def flat(made: Type) -> tuple[str, ...]:
    """Returns the core types of a value."""
    match made.kind:
        case "u64" | "s64":
            return ("i64",)
        case "f32" | "f64":
            return (made.kind,)
        case "string" | "list":
            return ("i32", "i32")
        case "record" | "tuple":
            return tuple(core for part in made.fields for core in flat(part))
        case "variant" | "enum" | "option" | "result":
            joined: list[str] = []
            for case in made.cases:
                for place, core in enumerate(flat(case) if case is not None else ()):
                    if place == len(joined):
                        joined.append(core)
                    else:
                        joined[place] = _join(joined[place], core)
            return ("i32", *joined)
        case _:
            return ("i32",)


def _join(one: str, other: str) -> str:
    if one == other:
        return one
    return "i32" if {one, other} == {"i32", "f32"} else "i64"
