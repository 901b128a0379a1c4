"""wasmer, by its SDK for Python. It runs modules in a sandbox whose files are in memory only."""

from __future__ import annotations

from ..about import About, Can, Install
from ..driven import InPython

_ABOUT = About(
    "wasmer: compiled by Cranelift, by its SDK for Python",
    Can(components=False, modules=True, worlds=(), grants=(), directories=False),
    install=Install("pip", ("wasmer-sdk==0.5.0",)),
)
_KINDS = (
    ("unreachable", "unreachable"),
    ("out of bounds memory access", "out-of-bounds-memory"),
    ("undefined element: out of bounds table access", "out-of-bounds-table"),
    ("uninitialized element", "uninitialized-element"),
    ("indirect call type mismatch", "indirect-call-type-mismatch"),
    ("integer divide by zero", "integer-divide-by-zero"),
    ("integer overflow", "integer-overflow"),
    ("invalid conversion to integer", "invalid-conversion-to-integer"),
    ("call stack exhausted", "call-stack-exhausted"),
)
RUNTIMES = (InPython("wasmer", _ABOUT, _KINDS, "wasmer-sdk", "wasmer"),)
