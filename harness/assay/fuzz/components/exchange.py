"""An exchange: one value that crosses from a component to another, as a line of a script.

`pass DIRECTION SOURCE>TARGET TYPE VALUE [keep]`: the value is a parameter or a result; SOURCE is the string encoding of the
component that gives it, TARGET that of the one that gets it; with `keep` the latter does not drop the borrows it got.
Where the text demands a trap, the line begins with the reason, for example `trap-char`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..calls import Line, Script
from . import types, values
from .types import MOST_FLAT_PARAMETERS, MOST_FLAT_RESULTS, Type
from .values import Value

ENCODINGS = ("utf8", "utf16", "latin1+utf16")
DIRECTIONS = ("param", "result")
REASONS = ("char", "discriminant", "utf8", "utf16", "alignment", "bounds", "handle", "kept")
"""Why the text demands a trap."""
NAMES = ("pass", *(f"trap-{reason}" for reason in REASONS))
"""The first words of lines."""


@dataclass(frozen=True)
class Exchange:
    direction: str
    source: str
    target: str
    type: Type
    value: Value
    keep: bool = False

    @property
    def flat(self) -> bool:
        """Whether the value crosses as core values, not in memory."""
        most = MOST_FLAT_PARAMETERS if self.direction == "param" else MOST_FLAT_RESULTS
        return len(types.flat(self.type)) <= most

    def line(self, name: str) -> Line:
        """Returns the exchange as a line that begins with a name of `NAMES`."""
        words = (self.direction, f"{self.source}>{self.target}", str(self.type), values.text(self.type, self.value))
        outline = f"{name} {self.direction} {self._encodings()}{self._kinds()}{' keep' if self.keep else ''}"
        return Line(name, (*words, *(["keep"] if self.keep else [])), outline=outline)

    def _encodings(self) -> str:
        return f"{self.source}>{self.target} " if self.type.has("string") else ""

    def _kinds(self) -> str:
        return ">".join(part.kind for part in self.type.walk())


def read(line: Line) -> Exchange:
    """Reads a line. Raises ValueError."""
    direction, encodings, made, value, *rest = [*line.words, *[""] * 4][: max(4, len(line.words))]
    source, _, target = encodings.partition(">")
    if direction not in DIRECTIONS or {source, target} - set(ENCODINGS) or rest not in ([], ["keep"]):
        raise ValueError(f"{line}: an exchange is DIRECTION SOURCE>TARGET TYPE VALUE [keep]")
    its = types.parse(made)
    if its.has("borrow") and direction == "result":
        raise ValueError(f"{line}: a result has no borrow")
    return Exchange(direction, source, target, its, values.parse(its, value), bool(rest))


def exchanges(script: Script) -> tuple[Exchange, ...]:
    """Reads the lines of a script. Raises ValueError."""
    return tuple(read(line) for line in script)
