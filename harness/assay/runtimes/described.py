"""Runtimes that a TOML file describes: how to find them, their command lines, and how they tell an ending.

The keys are in harness/RUNTIMES.md. In: a file. Out: adapters: the runtime, and its variants.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..model import GRANTS, Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from .about import KINDS, WORLDS, About, Can, Install
from .base import (
    base_environment,
    common_ending,
    given,
    last_line,
    not_found,
    peer_of,
    program_of,
    served,
)
from .places import Places

_TOP = {
    "name",
    "title",
    "get",
    "install",
    "like",
    "never-run",
    "on-demand",
    "known",
    "find",
    "can",
    "run",
    "serve",
    "wast",
    "ending",
    "kinds",
    "variant",
}
_KEYS = {
    "install": {"slow", *KINDS},
    "find": {"command", "inside", "version", "version-pattern"},
    "can": {field.name.replace("_", "-") for field in fields(Can)},
    "run": {"argv", "dir", "read-only-dir", "env", "grants", "unstable", "startup", "environment"},
    "serve": {"argv", "listening", "startup"},
    "wast": {"argv"},
    "ending": {"status", "stderr", "stdout", "is", "kind"},
    "variant": {"name", "title", "flags"},
}
_LISTS = ("options", "flags", "dirs", "env", "grants", "unstable", "args")


class DescriptionError(Exception):
    """A file that describes no runtime, with the place and the reason."""


@dataclass(frozen=True)
class Rule:
    """How one kind of ending looks: an exit status and patterns, all of which must fit."""

    ending: Ending
    status: tuple[int, ...] = ()
    stderr: re.Pattern[str] | None = None
    stdout: re.Pattern[str] | None = None
    kind: str = ""


@dataclass(frozen=True)
class Line:
    """A command line: words, where {name} stands for a value, or for several words where it is a whole word."""

    argv: tuple[str, ...]
    dir: tuple[str, ...] = ()
    read_only_dir: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    grants: Mapping[str, tuple[str, ...]] | None = None
    unstable: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    startup: float = 5.0
    listening: str = ""


@dataclass(frozen=True)
class Described:
    """An adapter whose behaviour a TOML file describes."""

    name: str
    about: About
    command_name: str
    inside: tuple[str, ...]
    version: tuple[str, ...]
    version_pattern: str
    run: Line
    serve: Line | None
    rules: tuple[Rule, ...]
    kinds: tuple[tuple[str, str], ...]
    flags: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    """The command line for a .wast file."""
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        if not self.run.argv and self.serve is None:
            return Absent(self.name, "there is no command line that runs a file with it")
        program = program_of(places, self, self.command_name, self.inside)
        if program is None:
            return not_found(self, self.command_name)
        if not self.version:
            options = places.options_of(self.name)
            return Peer(self.name, "unknown version", (str(program),), given(options), options)
        found = peer_of(places, self, (str(program),), (str(program), *self.version))
        pattern = self.version_pattern
        if pattern and isinstance(found, Peer) and (number := re.search(pattern, found.version)):
            return replace(found, version=f"{self.about.like or self.name} {number[1]}")
        return found

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        line = self.serve if job.case.run.serve and self.serve is not None else self.run
        environment = (*base_environment(job), *line.environment)
        values = {"program": peer.program[0], "component": str(job.component), "scratch": str(job.scratch)}
        lists: dict[str, list[str]] = {name: [] for name in _LISTS} | {
            "options": list(peer.options),
            "flags": list(self.flags),
        }
        for mount in job.mounts:
            words = self.run.read_only_dir if mount.read_only else self.run.dir
            lists["dirs"] += fill(words, {**values, "host": str(mount.host), "guest": mount.guest})
        for key, value in job.case.run.env or ():
            lists["env"] += fill(self.run.env, {**values, "key": key, "value": value})
        for grant in job.case.run.grants:
            lists["grants"] += fill((self.run.grants or {}).get(grant, ()), values)
        for name in job.case.run.unstable:
            if name in self.about.can.unstable:
                lists["unstable"] += fill(self.run.unstable, {**values, "name": name})
        lists["args"] = list(job.case.run.args)
        argv = fill(line.argv, values, lists)
        return Command(tuple(argv), environment, startup=line.startup, listening=line.listening)

    def wast(self, peer: Peer, script: Path) -> tuple[str, ...]:
        words = {"program": peer.program[0], "script": str(script)}
        return tuple(fill(self.whole, words, {"flags": self.flags, "options": peer.options}))

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:
            return served(result) or self.told(result, Ending.CRASH, "the server ended by itself")
        return common_ending(result) or self.told(result, Ending.EXITED)

    def told(self, result: ProcessResult, otherwise: Ending, kind: str = "") -> Outcome:
        """Returns the ending of the first rule that fits."""
        stderr = result.stderr.decode("utf-8", "backslashreplace")
        stdout = result.stdout.decode("utf-8", "backslashreplace")
        for rule in self.rules:
            heard = rule.stderr.search(stderr) if rule.stderr else None
            said = rule.stdout.search(stdout) if rule.stdout else None
            if rule.status and result.status not in rule.status:
                continue
            if (rule.stderr and not heard) or (rule.stdout and not said):
                continue
            groups = {**(said.groupdict() if said else {}), **(heard.groupdict() if heard else {})}
            return self._outcome(rule, result, {name: word for name, word in groups.items() if word})
        return Outcome(otherwise, result.status, kind, last_line(result.stderr) if kind else "")

    def _outcome(self, rule: Rule, result: ProcessResult, groups: Mapping[str, str]) -> Outcome:
        message = " ".join(groups.get("message", "").split())[:300]
        if rule.ending is Ending.EXITED:
            return Outcome(Ending.EXITED, int(groups.get("status", result.status or 0)))
        kind = rule.kind or next((kind for words, kind in self.kinds if words in message), "")
        imports = (groups["import"],) if "import" in groups else ()
        status = result.status if rule.ending is Ending.CRASH else None
        return Outcome(rule.ending, status, kind if rule.ending is Ending.TRAP else rule.kind, message, imports)


def fill(
    words: Sequence[str], values: Mapping[str, str], lists: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Returns words with values in the place of {name}. A word that is `{name}` of a list becomes its words."""
    made: list[str] = []
    for word in words:
        whole = re.fullmatch(r"\{(\w+)\}", word)
        if lists is not None and whole and whole[1] in lists:
            made += lists[whole[1]]
        else:
            made.append(re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), word))
    return made


# --- reading --------------------------------------------------------------------------------------


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
    main = Described(
        raw["name"], about, find["command"], _words(find, "inside"), _words(find, "version"),
        find.get("version-pattern", ""), line, serve, tuple(_rule(item) for item in raw.get("ending", [])),
        tuple(raw.get("kinds", {}).items()), whole=_words(raw.get("wast", {}), "argv"),
    )  # fmt: skip
    variants = [
        replace(
            main,
            name=item["name"],
            about=replace(about, title=item["title"], like=raw.get("like", raw["name"])),
            flags=_words(item, "flags"),
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


def _line(raw: Mapping[str, Any]) -> Line:
    return Line(
        _words(raw, "argv"), _words(raw, "dir"), _words(raw, "read-only-dir"), _words(raw, "env"),
        {grant: _words(raw["grants"], grant) for grant in raw.get("grants", {})}, _words(raw, "unstable"),
        tuple(raw.get("environment", {}).items()), float(raw.get("startup", 5.0)), raw.get("listening", ""),
    )  # fmt: skip


def _rule(raw: Mapping[str, Any]) -> Rule:
    status = raw.get("status", [])
    stderr, stdout = (re.compile(raw[key], re.MULTILINE) if key in raw else None for key in ("stderr", "stdout"))
    if not status and stderr is None and stdout is None:
        raise ValueError("[ending] needs a status or a pattern")
    statuses = tuple(status if isinstance(status, list) else [status])
    return Rule(Ending(raw["is"]), statuses, stderr, stdout, raw.get("kind", ""))
