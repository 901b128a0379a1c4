"""`assay.toml`: what the commands of `assay` do by default in somebody's repository. The command line wins.

In: the nearest such file upwards. Out: defaults of options, or an `Unusable` that says what is wrong with the file.
Format: ci/ACTION.md. A key of the table of a command is one of its options without the dashes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from ..model import names
from .base import Unusable

FILE = "assay.toml"
ARGUMENTS = {"run": ("cases", "patterns")}
"""The key for the arguments of a command, and the name of the parameter."""
SHARED: Mapping[str, Sequence[str]] = {
    "runtimes": (),
    "history": (),
    "expectations": ("run",),
    "output": ("run", "wast", "testsuite"),
}
"""Keys at the top: options of these commands, or of every command that has it."""


def find(start: Path) -> Path | None:
    """Returns the nearest configuration file upwards, if there is one."""
    return next((folder / FILE for folder in (start, *start.parents) if (folder / FILE).is_file()), None)


def defaults(path: Path, main: click.Group) -> dict[str, Any]:
    """Returns the defaults that a configuration file gives the commands of `main`, for click's `default_map`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path}: {error}") from None
    shared = {key: value for key, value in raw.items() if key in SHARED}
    programs = raw.get("programs", {})
    known = [*SHARED, "programs", *(name for name, item in main.commands.items() if not isinstance(item, click.Group))]
    for key in raw:
        if key not in known:
            raise Unusable(f"{path}: unknown key {key}{names.near(key, known)}")
    found: dict[str, Any] = {}
    for words, command in _commands(main):
        *groups, name = words
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        own = raw.get(name, {}) if not groups and name not in SHARED else {}
        place[name] = _of_command(path, name, command, shared, programs, own)
    if "output" in raw:
        record = str(path.parent / str(raw["output"]) / "results.jsonl")
        for name, parameter in (("report", "results"), ("run", "earlier"), ("list", "earlier")):
            found[name].setdefault(parameter, record)
    return found


def _commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))
        else:
            yield (*above, name), command


def _of_command(
    path: Path, name: str, command: click.Command, shared: Mapping[str, Any], programs: Any, own: Any
) -> dict[str, Any]:
    """Returns the defaults of one command by the names of its parameters."""
    options = {
        word.removeprefix("--"): option
        for option in command.params
        if isinstance(option, click.Option)
        for word in option.opts
        if word.startswith("--")
    }
    found: dict[str, Any] = {}
    for key, value in shared.items():
        if key in options and name in (SHARED[key] or (name,)):
            found[options[key].name or ""] = _value(path, key, options[key], value)
    if "program" in options:
        found[options["program"].name or ""] = _programs(path, programs)
    if not isinstance(own, dict):
        raise Unusable(f"{path}: [{name}] is no table")
    argument, parameter = ARGUMENTS.get(name, ("", ""))
    for key, value in own.items():
        where = f"[{name}] {key}"
        if key == argument:
            found[parameter] = _texts(path, where, value)
        elif key in options:
            found[options[key].name or ""] = _value(path, where, options[key], value)
        else:
            raise Unusable(f"{path}: [{name}] unknown key {key}{names.near(key, [*options, *filter(None, [argument])])}")
    return found


def _value(path: Path, where: str, option: click.Option, value: Any) -> Any:
    """Returns a value as click wants it. A path is relative to the folder of the file."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise Unusable(f"{path}: {where} must be true or false")
        return value
    if not option.multiple:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unusable(f"{path}: {where} must be one text or number")
        return _place(path, option, str(value))
    return [_place(path, option, item) for item in _texts(path, where, value)]


def _texts(path: Path, where: str, value: Any) -> list[str]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise Unusable(f"{path}: {where} must be a text or a list of texts")
    return items


def _place(path: Path, option: click.Option, text: str) -> str:
    return str(path.parent / text) if isinstance(option.type, click.Path) else text


def _programs(path: Path, programs: Any) -> list[str]:
    """Returns the values of --program. A program with a slash is relative to the folder of the file."""
    if not isinstance(programs, dict) or not all(isinstance(value, str) and value for value in programs.values()):
        raise Unusable(f"{path}: [programs] must be a table of texts: RUNTIME = \"PROGRAM ARGUMENT…\"")
    made = []
    for name, text in programs.items():
        first, space, others = text.partition(" ")
        made.append(f"{name}={path.parent / first if '/' in first else first}{space}{others}")
    return made
