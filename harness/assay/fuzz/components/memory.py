"""What a component of an exchange has in its memory: values by the Canonical ABI, and descriptions of types.

In: types and values. Out: `Memory.data`, core values, and where handles must be put at run time. Bytes that no value uses,
and core values that no case uses, are not zero: nobody may read them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import accumulate

from . import kit, types, values
from .exchange import ENCODINGS
from .expected import encode
from .types import HANDLES, VARIANTS, Type
from .values import Value

UNUSED = 0xCC
"""The byte that fills what no value uses."""
_UNUSED_CORE = {"i32": 0xCCCCCCCC, "i64": 0xCCCCCCCC_CCCCCCCC, "f32": 0x3FCCCCCC, "f64": 0x3FCCCCCC_CCCCCCCC}
_KINDS = {"f32": kit.F32, "f64": kit.F64, "string": kit.STRING, "list": kit.LIST, "record": kit.RECORD,
          "tuple": kit.RECORD, "own": kit.OWN, "borrow": kit.BORROW}  # fmt: skip


class FullError(Exception):
    """The data of the exchanges do not fit into one component."""


@dataclass(frozen=True)
class Core:
    """A core value: its type, its bits, and the handle that they are instead, if any."""

    type: str
    bits: int
    handle: str = ""


@dataclass
class Memory:
    """The memory of one component, with strings in one encoding at a time."""

    data: list[tuple[int, bytearray]] = field(default_factory=list)
    """Addresses and contents."""
    handles: list[tuple[int, str]] = field(default_factory=list)
    """Where a handle is to be stored, and its word. Whoever makes the code of an exchange takes them."""
    _end: int = kit.DATA
    _described: dict[tuple[Type, str], int] = field(default_factory=dict)

    def reserve(self, size: int, alignment: int, shift: int = 0) -> tuple[int, bytearray]:
        """Returns the address and the bytes of a new range, `shift` bytes behind an aligned address. Raises FullError."""
        address = types.aligned(self._end, alignment) + shift
        self._end = address + size
        if self._end > kit.HEAP:
            raise FullError
        content = bytearray([UNUSED]) * size
        self.data.append((address, content))
        return address, content

    def image(self, made: Type, value: Value, encoding: str) -> int:
        """Stores a value. Returns its address."""
        size, alignment = types.layout(made)
        address, content = self.reserve(size, alignment)
        self._store(made, value, encoding, (address, content), 0)
        return address

    def _store(self, made: Type, value: Value, encoding: str, range_: tuple[int, bytearray], at: int) -> None:
        address, content = range_
        size = types.layout(made)[0]
        if made.kind in ("record", "tuple"):
            for part, item, offset in zip(made.fields, value.items, types.offsets(made), strict=True):
                self._store(part, item, encoding, range_, at + offset)
        elif made.kind in ("string", "list"):
            content[at : at + 8] = struct.pack("<II", *self._content(made, value, encoding))
        elif made.kind in HANDLES:
            self.handles.append((address + at, value.word))
        else:
            count = types.discriminant_size(len(made.cases)) if made.kind in VARIANTS else size
            content[at : at + count] = (value.number & ((1 << 8 * count) - 1)).to_bytes(count, "little")
            payload = values.payload_type(made, value)
            if payload is not None:
                self._store(payload, value.items[0], encoding, range_, at + types.payload_offset(made))

    def _content(self, made: Type, value: Value, encoding: str) -> tuple[int, int]:
        """Stores the content of a string or of a list. Returns its address and length, as the value wants them."""
        if made.kind == "string":
            given = encode(value, encoding)
            alignment, size, length = given.alignment, len(given.content), given.length
        else:
            element_size, alignment = types.layout(made.fields[0])
            size, length = element_size * len(value.items), len(value.items)
        length = value.count if value.count >= 0 else length
        if value.place in ("end", "past"):
            behind = alignment if size or value.place == "past" else 0
            return kit.END - size // alignment * alignment + behind, length
        if value.place == "far":
            return 0xFFFFFFF8, length
        address, content = self.reserve(size, alignment, shift=int(value.place == "odd"))
        if made.kind == "string":
            content[:] = given.content
        else:
            for number, item in enumerate(value.items):
                self._store(made.fields[0], item, encoding, (address, content), number * element_size)
        return address, length

    def flat(self, made: Type, value: Value, encoding: str) -> list[Core]:
        """Returns a value as core values. Stores what they point to."""
        if made.kind in ("record", "tuple"):
            parts = zip(made.fields, value.items, strict=True)
            return [core for part, item in parts for core in self.flat(part, item, encoding)]
        if made.kind in ("string", "list"):
            return [Core("i32", number) for number in self._content(made, value, encoding)]
        if made.kind in HANDLES:
            return [Core("i32", 0, value.word)]
        if made.kind not in VARIANTS:
            (core,) = types.flat(made)
            return [Core(core, value.number & ((1 << (64 if core[1:] == "64" else 32)) - 1))]
        payload = values.payload_type(made, value)
        given = self.flat(payload, value.items[0], encoding) if payload is not None else []
        wanted = types.flat(made)[1:]
        found = [Core("i32", value.number & 0xFFFFFFFF)]
        found += [_joined(core, want) for core, want in zip(given, wanted, strict=False)]
        return found + [Core(want, _UNUSED_CORE[want]) for want in wanted[len(given) :]]

    def describe(self, made: Type, encoding: str) -> int:
        """Stores the description of a type for `kit.KIT`. Returns its address."""
        if (made, encoding) in self._described:
            return self._described[made, encoding]
        size, alignment = types.layout(made)
        kind = _KINDS.get(made.kind, kit.VARIANT if made.kind in VARIANTS else kit.UINT)
        count, words = 0, []
        if made.kind == "string":
            count, words = ENCODINGS.index(encoding), [1 if encoding == "utf8" else 2]  # the alignment of its content
        elif made.kind in ("record", "tuple"):
            places = [0, *accumulate(8 * len(types.flat(part)) for part in made.fields)]
            for part, offset, place in zip(made.fields, types.offsets(made), places, strict=False):
                words += [offset, place, self.describe(part, encoding)]
            count = len(made.fields)
        elif made.kind in VARIANTS:
            count = len(made.cases)
            words = [types.discriminant_size(count), types.payload_offset(made)]
            words += [0 if case is None else self.describe(case, encoding) for case in made.cases]
        elif made.kind == "list":
            words = [self.describe(made.fields[0], encoding)]
        words = [kind, size, alignment, len(types.flat(made)), count, *words]
        address, content = self.reserve(4 * len(words), 4)
        content[:] = struct.pack(f"<{len(words)}I", *words)
        self._described[made, encoding] = address
        return address


def _joined(core: Core, wanted: str) -> Core:
    """Returns a core value of a payload as the core type that all cases share."""
    if wanted == "i64" and core.type in ("i32", "f32") and not core.handle:
        return Core("i64", core.bits | 0xCCCCCCCC << 32)  # nobody may read the upper bits
    return Core(wanted, core.bits, core.handle)
