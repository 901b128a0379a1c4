"""Runtimes that a TOML file describes: how to find them, their command lines, and how they tell an ending.

In: what description.py has read of a file. Out: peers, command lines and endings.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from .about import About
from .base import (
    base_environment,
    cached,
    common_ending,
    given,
    last_line,
    not_found,
    peer_of,
    program_of,
    runnable,
    served,
)
from .places import Places

_LISTS = ("options", "flags", "compiled", "dirs", "env", "grants", "unstable", "args")


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
class Where:
    """How a program is found, and how it prints its version."""

    command: str = ""
    inside: tuple[str, ...] = ()
    module: str = ""
    """The Python package whose folder has the command."""
    version: tuple[str, ...] = ()
    version_pattern: str = ""


@dataclass(frozen=True)
class Compile:
    """How a component is compiled ahead of time: the command line, from which size on (in bytes), and the words
    that a run of the result needs."""

    argv: tuple[str, ...] = ()
    at_least: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Described:
    """An adapter whose behaviour a TOML file describes."""

    name: str
    about: About
    where: Where
    run: Line
    serve: Line | None
    rules: tuple[Rule, ...]
    kinds: tuple[tuple[str, str], ...]
    flags: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    """The command line for a .wast file."""
    compile: Compile = Compile()
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        if not self.run.argv and self.serve is None:
            return Absent(self.name, "there is no command line that runs a file with it")
        where = self.where
        program = program_of(places, self, where.command, where.inside, _beside(where))
        if program is None:
            return not_found(self, where.command)
        program, note = runnable(program, places.cache / "bin" / self.name)
        if not where.version:
            options = places.options_of(self.name)
            return Peer(self.name, "unknown version", (str(program),), given(options), options)
        found = peer_of(places, self, (str(program),), (str(program), *where.version), note)
        pattern = where.version_pattern
        if pattern and isinstance(found, Peer) and (number := re.search(pattern, found.version)):
            return replace(found, version=f"{self.about.like or self.name} {number[1]}")
        return found

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        how = self.compile
        if not how.argv or peer.options or component.stat().st_size < how.at_least:
            return component  # options of the user may have to be given at compilation too
        make = fill(how.argv, {"program": peer.program[0], "in": "{in}", "out": "{out}"}, {"flags": self.flags})
        return cached(places, self.name, peer.version, component, make) or component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        line = self.serve if job.case.run.serve and self.serve is not None else self.run
        environment = (*base_environment(job), *line.environment)
        values = {"program": peer.program[0], "component": str(job.component), "scratch": str(job.scratch)}
        lists: dict[str, list[str]] = {name: [] for name in _LISTS} | {
            "options": list(peer.options),
            "flags": list(self.flags),
            "compiled": list(self.compile.words) if job.component != job.case.component else [],
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


def _beside(where: Where) -> list[Path]:
    """Returns the command in the folder of its Python package, where that is installed."""
    spec = importlib.util.find_spec(where.module) if where.module else None
    return [Path(spec.origin).parent / where.command] if spec is not None and spec.origin else []


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
