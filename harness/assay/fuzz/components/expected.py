"""What the Canonical ABI says about an exchange: the text that the receiver writes, or a trap and its reason.

In: an `Exchange`. Out: the result, in the words of the guest (`kit`). Source: CanonicalABI.md, "Loading", "Storing",
"Flat Lifting", "Flat Lowering", "Lifting and Lowering Values" and `lift_own`, `lift_borrow`, `Task.exit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import kit, types, values
from .exchange import Exchange
from .types import HANDLES, INTEGERS, VARIANTS, Type
from .values import Value

FIRST_REP = 0x100
"""The representation of the resource h0."""
TAG = 1 << 31
"""Of the length of a string in the encoding latin1+utf16: it is in UTF-16."""


class Trap(Exception):
    """The text demands a trap here. The argument is the reason."""


@dataclass(frozen=True)
class Encoded:
    """A string in the memory of a component."""

    content: bytes
    length: int
    """The length as it is given: in code units, with the tag."""
    alignment: int


def encode(value: Value, encoding: str) -> Encoded:
    """Returns how a component with this encoding gives a string."""
    raw = value.form.endswith("raw")
    content = value.text
    if encoding == "utf8":
        return Encoded(content, len(content), 1)
    wide = encoding == "utf16" or value.form.startswith("wide")
    if not raw:
        text = content.decode()
        wide = wide or not _is_latin1(text)
        content = text.encode("utf-16-le" if wide else "latin-1")
    if not wide:
        return Encoded(content, len(content), 2)
    content = content[: len(content) // 2 * 2]
    return Encoded(content, len(content) // 2 | (TAG if encoding != "utf16" else 0), 2)


def claimed(length: int, encoding: str) -> int:
    """Returns the bytes that a string has by its length in this encoding."""
    if encoding == "latin1+utf16" and length & TAG:
        return 2 * (length ^ TAG)
    return 2 * length if encoding == "utf16" else length


def _is_latin1(text: str) -> bool:
    return all(ord(char) < 256 for char in text)


def decode(given: Encoded, encoding: str) -> str:
    """Reads a string. Raises Trap."""
    if encoding == "utf8":
        name = "utf-8"
    elif encoding == "utf16" or given.length & TAG:
        name = "utf-16-le"
    else:
        name = "latin-1"
    try:
        return given.content.decode(name)
    except UnicodeError:
        raise Trap("utf8" if encoding == "utf8" else "utf16") from None


def result(exchange: Exchange) -> tuple[str, str]:
    """Returns the result, and the name of the line: `pass`, or why the text demands a trap."""
    lift = _Lift(exchange)
    try:
        text = lift.show(exchange.type, exchange.value, flat=exchange.flat)
    except Trap as trap:
        return "trap", f"trap-{trap}"
    if exchange.keep and exchange.type.has("borrow") and lift.borrows:
        return f'trap after "{text}"', "trap-kept"
    return f'got "{text}"', "pass"


@dataclass
class _Lift:
    exchange: Exchange
    gone: set[str] = field(default_factory=set)
    """The handles that were given away."""
    lent: set[str] = field(default_factory=set)
    borrows: int = 0

    def show(self, made: Type, value: Value, *, flat: bool) -> str:
        if made.kind in ("record", "tuple"):
            parts = zip(made.fields, value.items, strict=True)
            return f"({','.join(self.show(part, item, flat=flat) for part, item in parts)})"
        if made.kind in VARIANTS:
            return self._case(made, value, flat=flat)
        if made.kind == "list":
            return self._list(made, value)
        if made.kind == "string":
            return self._string(value)
        if made.kind in HANDLES:
            return self._handle(made, value)
        return _scalar(made, value.number, flat=flat)

    def _case(self, made: Type, value: Value, *, flat: bool) -> str:
        if value.number >= len(made.cases):
            if not flat and value.number >= 1 << 8 * types.discriminant_size(len(made.cases)):
                raise ValueError(f"the index {value.number} does not fit into the discriminant of {made}")
            raise Trap("discriminant")
        payload = values.payload_type(made, value)
        return f"#{value.number:x}" + ("" if payload is None else f"({self.show(payload, value.items[0], flat=flat)})")

    def _list(self, made: Type, value: Value) -> str:
        (element,) = made.fields
        size, alignment = types.layout(element)
        self._place(value, size * (value.count if value.count >= 0 else len(value.items)), alignment)
        items = value.items if value.count < 0 else ()
        return f"[{','.join(self.show(element, item, flat=False) for item in items)}]"

    def _string(self, value: Value) -> str:
        given = encode(value, self.exchange.source)
        if value.count < 0:
            self._place(value, len(given.content), given.alignment)
        else:
            self._place(value, claimed(value.count, self.exchange.source), given.alignment)
            given = Encoded(b"", value.count, given.alignment)
        text = decode(given, self.exchange.source)
        target = self.exchange.target
        if target == "latin1+utf16":
            latin1 = _is_latin1(text)
            return ("l" if latin1 else "w") + f"'{text.encode('latin-1' if latin1 else 'utf-16-le').hex()}'"
        return f"'{text.encode('utf-8' if target == 'utf8' else 'utf-16-le').hex()}'"

    def _place(self, value: Value, size: int, alignment: int) -> None:
        if value.place == "odd" and alignment > 1:
            raise Trap("alignment")
        if value.place in ("past", "far") or (value.place == "end" and size):
            raise Trap("bounds")
        if value.count >= 0 and size:
            if size < kit.END:
                raise ValueError(f"the length {value.count} may end within the memory, where the content is not known")
            raise Trap("bounds")

    def _handle(self, made: Type, value: Value) -> str:
        word = value.word
        if word in values.HANDLE_WORDS or word in self.gone or (made.kind == "own" and word in self.lent):
            raise Trap("handle")
        if made.kind == "own":
            self.gone.add(word)
        else:
            self.lent.add(word)
            self.borrows += 1
        return f"h{FIRST_REP + int(word[1:]):x}"


def _scalar(made: Type, number: int, *, flat: bool) -> str:
    match made.kind:
        case "bool":
            number &= 0xFFFFFFFF if flat else 0xFF
            return str(int(number != 0))
        case "char":
            number &= 0xFFFFFFFF
            if number >= 0x110000 or 0xD800 <= number <= 0xDFFF:
                raise Trap("char")
            return f"{number:x}"
        case "flags":
            return f"{number & ((1 << made.count) - 1):x}"
        case "f32":
            number &= 0xFFFFFFFF
            return "nan" if number & 0x7FFFFFFF > 0x7F800000 else f"{number:x}"
        case "f64":
            number &= (1 << 64) - 1
            return "nan" if number & ((1 << 63) - 1) > 0x7FF << 52 else f"{number:x}"
    bits = 8 * INTEGERS[made.kind]
    number &= (1 << bits) - 1
    if flat and made.kind[0] == "s" and bits < 32 and number >> (bits - 1):
        number |= 0xFFFFFFFF << bits & 0xFFFFFFFF
    return f"{number:x}"
