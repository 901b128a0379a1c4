"""Reads the TOML files that describe runtimes.

The keys are in harness/RUNTIMES.md. In: a file. Out: adapters: the runtime, and its variants.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ..model import GRANTS, Ending
from .about import KINDS, WORLDS, About, Can, Install
from .described import Compile, Described, Line, Rule, RunsFiles, RunsScripts, Where

_TOP = {
    "name",
    "title",
    "get",
    "install",
    "like",
    "never-run",
    "reference",
    "on-demand",
    "known",
    "find",
    "can",
    "compile",
    "run",
    "serve",
    "wast",
    "script",
    "ending",
    "kinds",
    "variant",
}
_KEYS = {
    "install": {"slow", *KINDS},
    "find": {"command", "inside", "module", "version", "version-pattern", "beside"},
    "can": {field.name.replace("_", "-") for field in fields(Can)},
    "compile": {"argv", "module-argv", "required", "at-least", "words"},
    "run": {
        "argv",
        "module-argv",
        "dir",
        "read-only-dir",
        "env",
        "grants",
        "unstable",
        "trace",
        "startup",
        "environment",
        "inherits-environment",
    },
    "serve": {"argv", "listening", "startup"},
    "wast": {"argv"},
    "script": {"argv"},
    "ending": {"status", "stderr", "stdout", "is", "kind"},
    "variant": {"name", "title", "flags", "wast-flags"},
}

class DescriptionError(Exception):
    """A file that describes no runtime, with the place and the reason."""


def load(path: Path) -> list[Described]:
    """Reads one file. Returns the runtime, and then its variants."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return read(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, ValueError, KeyError, TypeError, re.error) as error:
        words = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise DescriptionError(f"{path}: {words}") from None


def read(raw: Mapping[str, Any]) -> list[Described]:
    """Returns the adapters that a table describes. A ValueError says what is wrong with it."""
    _only("", raw, _TOP)
    for part, keys in _KEYS.items():
        for table in raw.get(part, []) if part in ("ending", "variant") else [raw.get(part, {})]:
            _only(f"[{part}] ", table, keys)
    runs = "run" in raw or "serve" in raw
    find, can = raw["find"] if runs else {"command": ""}, _can(raw.get("can", {}))
    about = About(
        raw["title"],
        can,
        raw.get("get", ""),
        _install(raw),
        raw.get("like", ""),
        False,
        tuple(raw.get("known", {}).items()),
        raw.get("on-demand", ""),
        raw.get("never-run", ""),
    )
    serve = _line(raw["serve"]) if "serve" in raw else None
    if runs and ("wasi:http/proxy" in can.worlds) != (serve is not None):
        raise ValueError("[serve] and the world wasi:http/proxy need each other")
    line = _line(raw["run"]) if "run" in raw else Line(())
    if runs and can.directories and not line.dir:
        raise ValueError("[run] dir is missing, and [can] directories is not false")
    if runs and can.read_only != bool(line.read_only_dir):
        raise ValueError("[run] read-only-dir and [can] read-only need each other")
    if runs and can.environment and not line.env:
        raise ValueError("[run] env is missing, and [can] environment is not false")
    if "script" in raw and "wast" in raw:
        raise ValueError("[script] and [wast] exclude each other")
    kind = RunsScripts if "script" in raw else RunsFiles if "wast" in raw else Described
    main = kind(
        raw["name"], about, _where(find), line, serve, tuple(_rule(item) for item in raw.get("ending", [])),
        tuple(raw.get("kinds", {}).items()),
        scripts=_words(raw.get("script", raw.get("wast", {})), "argv"),
        compile=_compile(raw.get("compile", {})),
        reference=raw.get("reference", False),
    )  # fmt: skip
    variants = [
        replace(
            main,
            name=item["name"],
            reference=False,
            about=replace(about, title=item["title"], like=raw.get("like", raw["name"])),
            flags=_words(item, "flags"),
            script_flags=_words(item, "wast-flags"),
        )
        for item in raw.get("variant", [])
    ]
    return [main, *variants]


def _only(where: str, table: Mapping[str, Any], keys: set[str]) -> None:
    if not isinstance(table, Mapping):
        raise ValueError(f"{where.strip()} is no table")
    if unknown := sorted(set(table) - keys):
        raise ValueError(f"{where}unknown key {', '.join(unknown)}")


def _words(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{key} is no list of strings")
    return tuple(value)


def _can(raw: Mapping[str, Any]) -> Can:
    values: dict[str, Any] = {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value for key, value in raw.items()
    }
    can = Can(**values)
    for what, given_, all_ in (("worlds", can.worlds, WORLDS), ("grants", can.grants, GRANTS)):
        if unknown := sorted(set(given_) - set(all_)):
            raise ValueError(f"[can] {what}: unknown {', '.join(unknown)}")
    return can


def _install(raw: Mapping[str, Any]) -> Install | None:
    table = raw.get("install", {})
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) > 1:
        raise ValueError("[install] has packages of two kinds")
    return Install(kinds[0], _words(table, kinds[0]), bool(table.get("slow", False))) if kinds else None


def _where(raw: Mapping[str, Any]) -> Where:
    return Where(
        raw["command"], _words(raw, "inside"), raw.get("module", ""), _words(raw, "version"),
        raw.get("version-pattern", ""), raw.get("beside", ""),
    )  # fmt: skip


def _compile(raw: Mapping[str, Any]) -> Compile:
    return Compile(
        _words(raw, "argv"), _words(raw, "module-argv"), raw.get("required", False), int(raw.get("at-least", 0)),
        _words(raw, "words"),
    )  # fmt: skip


def _line(raw: Mapping[str, Any]) -> Line:
    return Line(
        _words(raw, "argv"), _words(raw, "module-argv"), _words(raw, "dir"), _words(raw, "read-only-dir"),
        _words(raw, "env"), {grant: _words(raw["grants"], grant) for grant in raw.get("grants", {})},
        _words(raw, "unstable"), _words(raw, "trace"), tuple(raw.get("environment", {}).items()),
        raw.get("inherits-environment", False), float(raw.get("startup", 5.0)), raw.get("listening", ""),
    )  # fmt: skip


def _rule(raw: Mapping[str, Any]) -> Rule:
    status = raw.get("status", [])
    stderr, stdout = (re.compile(raw[key], re.MULTILINE) if key in raw else None for key in ("stderr", "stdout"))
    if not status and stderr is None and stdout is None:
        raise ValueError("[ending] needs a status or a pattern")
    statuses = tuple(status if isinstance(status, list) else [status])
    return Rule(Ending(raw["is"]), statuses, stderr, stdout, raw.get("kind", ""))
