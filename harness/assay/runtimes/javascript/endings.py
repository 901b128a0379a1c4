"""How a run of jco ended, read from its messages, and the kinds of traps in engines of JavaScript.

In: an exit status and stderr. Out: an `Outcome`. `jco run` ends with 1 for a trap, for `err` and for its own failures; the
form of the error on stderr distinguishes them.
"""

from __future__ import annotations

import re

from ...model import Ending, Outcome

# An uncaught JavaScript error: `Name: message`, then stack lines, the last of which is in jco's own _run.js.
_THROWN = re.compile(
    r"^(\w*Error)(?: \[\w+\])?: ([^\n]*)\n((?:.*\n)*?    at [^\n]*/_run\.js:\d+:\d+\)?)(.*)\Z", re.MULTILINE | re.DOTALL
)
_RAISED = re.compile(r"^(\w*Error)(?: \[\w+\])?: ([^\n]*)\n    at ", re.MULTILINE)
# One without a stack (it comes from the shim's worker), which is the last thing on stderr.
_BARE = re.compile(r"^\[(\w*Error): ([^\n]*)\](?: \{\n(?:  [^\n]*\n)+\})?\s*\Z", re.MULTILINE)
_NO_TRANSPILE = re.compile(r"^(?:\(jco run\) )?Error: Unable to transpile command for execution", re.MULTILINE)
# `jco run` reports it as the cause of its own error, `jco transpile` as it is.
_CAUSE = re.compile(
    r"(?:\[cause\]: |\A(?=ComponentError))(\w*Error): ([^\n]*)(?:\s*\n\s*Caused by:\n\s*(?:\d+: )?([^\n]*))?"
)
_PANIC = re.compile(r"panicked at [^\n]*\n([^\n]*)")
_NO_IMPORT = re.compile(
    r"Received protocol '([\w-]+:)'|does not provide an export named '([^']*)'|Cannot find (?:package|module) '([^']*)'"
    r"|ERR_PACKAGE_PATH_NOT_EXPORTED\]?: Package subpath '([^']*)'|Missing (?:export|import)[^\n]*?'([^']*)'"
)
# The words of V8 and of JavaScriptCore. Older versions of V8 have one text for a null function and a mismatch.
_KINDS = (
    ("unreachable", "unreachable"),
    ("Unreachable code", "unreachable"),
    ("memory access out of bounds", "out-of-bounds-memory"),
    ("Out of bounds memory access", "out-of-bounds-memory"),
    ("table index is out of bounds", "out-of-bounds-table"),
    ("Out of bounds table access", "out-of-bounds-table"),
    ("Out of bounds call_indirect", "out-of-bounds-table"),
    ("divide by zero", "integer-divide-by-zero"),
    ("remainder by zero", "integer-divide-by-zero"),
    ("Division by zero", "integer-divide-by-zero"),
    ("divide result unrepresentable", "integer-overflow"),
    ("Integer overflow", "integer-overflow"),
    ("float unrepresentable in integer range", "invalid-conversion-to-integer"),
    ("Out of bounds Trunc operation", "invalid-conversion-to-integer"),
    ("function signature mismatch", "indirect-call-type-mismatch"),
    ("call_indirect to a signature that does not match", "indirect-call-type-mismatch"),
    ("null function", "uninitialized-element"),
    ("Maximum call stack size exceeded", "call-stack-exhausted"),
)


def kind_of(message: str) -> str:
    """Returns the kind of a trap that has this message in an engine of JavaScript."""
    return next((kind for words, kind in _KINDS if words in message), "")


def not_transpiled(text: str) -> Outcome:
    """Interprets a failed transpilation: jco rejected the component (a decoder's error), or crashed (any
    other cause)."""
    cause = _CAUSE.search(text)
    if cause is None:
        return Outcome(Ending.CRASH, 1, "jco failed to transpile the component")
    if cause[1] != "ComponentError":
        panic = _PANIC.search(text)
        return Outcome(
            Ending.CRASH, 1, "jco failed to transpile the component", panic[1] if panic else f"{cause[1]}: {cause[2]}"
        )
    return Outcome(Ending.REJECTED, message=(cause[3] or cause[2]).strip())


def read_report(status: int, stderr: bytes) -> Outcome:
    """Interprets the last error on stderr."""
    if status != 1:
        return Outcome(Ending.EXITED, status)
    text = stderr.decode("utf-8", "backslashreplace")
    if _NO_TRANSPILE.search(text):
        return not_transpiled(text)
    thrown = _THROWN.search(text)
    if thrown:
        name, message = thrown[1], thrown[2]
        if name == "ComponentError" and "(see error.payload)" in message and "payload: undefined" in thrown[4]:
            return Outcome(Ending.EXITED, 1)
        absent = _NO_IMPORT.search(message) if name == "SyntaxError" else None  # raised while the modules are linked
        if absent and absent[2]:
            return Outcome(Ending.LINK_ERROR, message=message, imports=(absent[2],))
        return Outcome(Ending.TRAP, kind=kind_of(message), message=f"{name}: {message}")
    bare = _BARE.search(text)
    if bare:
        return Outcome(Ending.TRAP, message=f"{bare[1]}: {bare[2]}")
    if re.search(r"^Node\.js v\d", text, re.MULTILINE) or "ERR_" in text:
        missing = _NO_IMPORT.search(text)
        if missing:
            name = next(part for part in missing.groups() if part)
            return Outcome(Ending.LINK_ERROR, message=missing[0], imports=(name,))
    if "Not a valid command component to execute." in text:
        return Outcome(Ending.LINK_ERROR, message="exports no wasi:cli/run")
    raised = list(_RAISED.finditer(text))
    if raised:
        message = raised[-1][2]
        return Outcome(Ending.TRAP, kind=kind_of(message), message=f"{raised[-1][1]}: {message}")
    return Outcome(Ending.EXITED, status)
