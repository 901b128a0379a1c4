"""The names of WASI 0.2, so that a misspelt interface or function in a case is refused and not shown as a row of its own.

In: a name. Out: what is wrong with it, or nothing. The table (schemas/wasi-0.2.tsv) is written by ci/check_names.py from the WIT.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from importlib import resources

NEWEST = "0.2.12"


@functools.cache
def table() -> Mapping[str, Mapping[str, str]]:
    """By interface, by function (the empty name is the interface itself): the version that brought it, or its feature."""
    found: dict[str, dict[str, str]] = {}
    text = resources.files("assay").joinpath("schemas/wasi-0.2.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            interface, function, since = line.split("\t")
            found.setdefault(interface, {})[function] = since
    return found


def interface_problem(name: str) -> str:
    """Only names of `wasi:` are known here; other packages are free."""
    if not name.startswith("wasi:") or name in table():
        return ""
    return f"WASI 0.2 has no interface {name}{near(name, table())}"


def function_problem(name: str) -> str:
    """What is wrong with `wasi:package/interface.function`."""
    interface, _, function = name.partition(".")
    problem = interface_problem(interface)
    if problem or not interface.startswith("wasi:") or function in table()[interface]:
        return problem
    known = [name for name in table()[interface] if name]
    return f"{interface} has no function {function}{near(function, known)}"


def since_problem(name: str, since: str) -> str:
    """A requirement on a function is no older than the function, and no newer than the newest 0.2."""
    interface, _, function = name.partition(".")
    born = table().get(interface, {}).get(function, "")
    if _number(since) > _number(NEWEST):
        return f"since {since!r} is newer than {NEWEST}, the newest that is known here"
    if born[:1].isdigit() and _number(since) < _number(born):
        return f"since {since!r} is older than {name}, which came with {born}"
    return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""
