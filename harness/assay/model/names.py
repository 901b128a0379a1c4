"""The names of WASI 0.2. A misspelt interface or function in a case is refused, so it never becomes a row of
a report.

In: a name. Out: what is wrong with it, or nothing. ci/check_names.py writes the table (schemas/wasi-0.2.tsv)
from the WIT.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from importlib import resources

NEWEST = "0.2.12"
COMMAND, PROXY = "wasi:cli/command", "wasi:http/proxy"
"""The worlds of programs that can be run."""


@functools.cache
def table() -> Mapping[str, Mapping[str, str]]:
    """Returns, by interface and function, the version or the unstable feature that brought it.

    The empty function name stands for the interface itself."""
    found: dict[str, dict[str, str]] = {}
    text = resources.files("assay").joinpath("schemas/wasi-0.2.tsv").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            interface, function, since = line.split("\t")
            found.setdefault(interface, {})[function] = since
    return found


def interface_problem(name: str) -> str:
    """Returns what is wrong with an interface's name. Only names of `wasi:` are checked."""
    if not name.startswith("wasi:") or name in table():
        return ""
    return f"WASI 0.2 has no interface {name}{near(name, table())}"


def function_problem(name: str) -> str:
    """Returns what is wrong with `wasi:package/interface.function`."""
    interface, _, function = name.partition(".")
    problem = interface_problem(interface)
    if problem or not interface.startswith("wasi:") or function in table()[interface]:
        return problem
    known = [name for name in table()[interface] if name]
    return f"{interface} has no function {function}{near(function, known)}"


def since_problem(name: str, since: str) -> str:
    """Returns what is wrong with `since`: it is not before the function's version, nor after the newest
    0.2."""
    interface, _, function = name.partition(".")
    born = table().get(interface, {}).get(function, "")
    if number(since) > number(NEWEST):
        return f"since {since!r} is newer than {NEWEST}, the newest that is known here"
    if born[:1].isdigit() and number(since) < number(born):
        return f"since {since!r} is older than {name}, which came with {born}"
    return ""


def number(version: str) -> tuple[int, ...]:
    """Returns `0.2.12` as numbers, by which versions are sorted."""
    return tuple(int(part) for part in version.split("."))


def near(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""
