"""Tables of programs: what programs that are built elsewhere get, and what must be true of their runs.

In: a file of suites/programs/, a folder with built programs. Out: programs; the names that the folder lacks, and
those that the table does not have. The words of a table are those of case.toml (suites/README.md).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..cases.load import CaseError, specification
from ..model import Expect, RunSpec
from .layout import TIMEOUT, Program
from .suite import SuiteError

_COMPONENT = b"\0asm\x0d\0\1\0"
_KEYS = {"programs", "variant", "cannot", "run", "expect"}


@dataclass(frozen=True)
class Listed:
    """The programs of a table in a folder."""

    programs: tuple[Program, ...]
    missing: tuple[str, ...]
    """The names in the table whose programs are not in the folder."""
    strangers: tuple[str, ...]
    """The names of programs in the folder that the table does not have."""


def load(path: Path, folder: Path, fixtures: Path) -> Listed:
    """Reads a table, and looks for its programs as NAME.component.wasm, or else NAME.wasm."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SuiteError(f"{path}: {error}") from None
    groups = raw.get("group")
    if set(raw) != {"group"} or not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise SuiteError(f"{path}: a table is a list of groups ([[group]])")
    found: dict[str, Program] = {}
    names: dict[str, Path | None] = {}
    for number, group in enumerate(groups, 1):
        where = f"[[group]] {number}"
        listed, variant, problem = group.get("programs"), group.get("variant", ""), group.get("cannot", "")
        if set(group) - _KEYS or not isinstance(listed, list) or not listed:
            raise SuiteError(f"{path}: {where}: a group has programs, and perhaps {', '.join(sorted(_KEYS))}")
        if problem and set(group) & {"run", "expect"}:
            raise SuiteError(f"{path}: {where}: what cannot be run has neither run nor expect")
        run, expect = (RunSpec(), Expect()) if problem else _specification(path, where, group, fixtures)
        digest = hashlib.sha256(repr(group).encode()).hexdigest()
        for name in listed:
            ident = f"{path.stem}/{name}" + (f":{variant}" if variant else "")
            if ident in found:
                raise SuiteError(f"{path}: {where}: {ident} is there twice")
            place = names.setdefault(name, _place(folder, name))
            said = f"{ident.partition('/')[2]} {problem}" if problem else ""
            path_there = place or folder / f"{name}.wasm"
            found[ident] = Program(ident, path_there, _version(place), run, expect, said, digest=digest)
    there = {file.name.removesuffix(".wasm").removesuffix(".component") for file in folder.glob("*.wasm")}
    return Listed(
        tuple(program for program in found.values() if program.path.is_file()),
        tuple(name for name, place in names.items() if place is None),
        tuple(sorted(there - set(names))),
    )


def _specification(path: Path, where: str, group: Mapping[str, object], fixtures: Path) -> tuple[RunSpec, Expect]:
    tables = []
    for key in ("run", "expect"):
        table = _repeated(group.get(key, {}))
        if not isinstance(table, dict):
            raise SuiteError(f"{path}: {where}: {key} is a table")
        tables.append(table)
    tables[0].setdefault("timeout", TIMEOUT)
    try:
        return specification(path, where, tables[0], tables[1], fixtures)
    except CaseError as error:
        raise SuiteError(str(error)) from None


def _repeated(value: object) -> object:
    """Returns a value in which each { text, times } is the text so many times."""
    if isinstance(value, list):
        return [_repeated(item) for item in value]
    if not isinstance(value, dict):
        return value
    text, times = value.get("text"), value.get("times")
    if set(value) == {"text", "times"} and isinstance(text, str) and isinstance(times, int):
        return text * times
    return {key: _repeated(item) for key, item in value.items()}


def _place(folder: Path, name: str) -> Path | None:
    places = (folder / f"{name}.component.wasm", folder / f"{name}.wasm")
    return next((place for place in places if place.is_file()), None)


def _version(place: Path | None) -> str:
    """Returns what a program is for, by its first bytes: a component, or a core module of preview 1."""
    if place is None:
        return ""
    with place.open("rb") as file:
        return "wasm32-wasip2" if file.read(8) == _COMPONENT else "wasm32-wasip1"
