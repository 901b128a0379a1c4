"""Runtimes that a TOML file describes: how to find them, their command lines, and how they tell an ending.

In: what description.py has read of a file. Out: peers, command lines and endings.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult, locations
from .about import About
from .base import (
    base_environment,
    cached,
    common_ending,
    from_outcome_file,
    given,
    last_line,
    not_found,
    peer_of,
    program_of,
    runnable,
    served,
)
from .places import Places

_LISTS = ("options", "flags", "compiled", "dirs", "env", "grants", "unstable", "trace", "args")


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
    """A command line: words, where {name} stands for a value, or for several words where it is a whole word. `module`
    is the one for a core module, where that is another."""

    argv: tuple[str, ...]
    module: tuple[str, ...] = ()
    dir: tuple[str, ...] = ()
    read_only_dir: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    grants: Mapping[str, tuple[str, ...]] | None = None
    unstable: tuple[str, ...] = ()
    trace: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    inherits: bool = False
    """A guest that is given no variable has those of the process."""
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
    beside: str = ""
    """A program that is needed in the same folder."""


@dataclass(frozen=True)
class Compile:
    """How a component is compiled ahead of time: the command line (`module`: for a core module, where that is
    another), from which size on (in bytes), and the words that a run of the result needs."""

    argv: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    required: bool = False
    """Nothing runs that was not compiled, so the compiler's refusal is the runtime's."""
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
    scripts: tuple[str, ...] = ()
    """The command line for a script: for `RunsScripts` a converted one, for `RunsFiles` a .wast file."""
    script_flags: tuple[str, ...] = ()
    """Those of a variant for `RunsFiles`."""
    compile: Compile = Compile()
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        if not self.run.argv and self.serve is None:
            return Absent(self.name, "there is no command line that runs a file with it")
        where = self.where
        program = self._program(places)
        if isinstance(program, Absent):
            return program
        program, note = runnable(program, places.cache / "bin" / self.name)
        if not where.version:
            options = places.options_of(self.name)
            return Peer(self.name, "unknown version", (str(program),), given(options), options)
        found = peer_of(places, self, (str(program),), (str(program), *where.version), note)
        pattern = where.version_pattern
        if pattern and isinstance(found, Peer) and (number := re.search(pattern, found.version)):
            return replace(found, version=f"{self.about.like or self.name} {number[1]}")
        return found

    def _program(self, places: Places) -> Path | Absent:
        where, built = self.where, locations.touchstone(places.root)
        if self.reference and places.named(self.name) is None:
            return built if built.is_file() else Absent(self.name, f"{built} is not built (make)")
        program = program_of(places, self, where.command, where.inside, _in_package(where))
        if program is None:
            return not_found(self, where.command)
        if where.beside and not program.with_name(where.beside).is_file():
            return Absent(self.name, f"there is no {program.with_name(where.beside)}, which it needs")
        return program

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        how = self.compile
        if not how.argv or component.stat().st_size < how.at_least:
            return component
        if peer.options and not how.required:
            return component  # options of the user may have to be given at compilation too
        return cached(places, self.name, peer.version, component, self._compile(peer, component)) or component

    def _compile(self, peer: Peer, file: Path, component: str = "{in}", out: str = "{out}") -> list[str]:
        words = self.compile.module if self.compile.module and not _is_component(file) else self.compile.argv
        return fill(words, {**_programs(peer), "in": component, "out": out}, {"flags": self.flags})

    def _refused(self, job: Job) -> bool:
        """Returns whether the compiler that the runtime needs has refused the component."""
        return self.compile.required and job.component == job.case.component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        run, line = job.case.run, (self.serve or self.run) if job.case.run.serve else self.run
        environment = (*base_environment(job), *line.environment)
        if self._refused(job):  # to be told why
            argv = self._compile(peer, job.component, str(job.component), str(job.scratch / "out"))
            return Command(tuple(argv), environment, startup=line.startup)
        outcome, trace = job.scratch / "outcome.json", job.scratch / "trace.txt"
        values = {
            **_programs(peer),
            "component": str(job.component),
            "source": str(job.case.component),
            "scratch": str(job.scratch),
            "outcome": str(outcome),
        }
        lists = self._lists(peer, job, values, trace)
        if lists["dirs"] and "{dirs}" not in line.argv:
            return Inexpressible(f"{self.name} serves without directories")
        words = line.module if line.module and not _is_component(job.case.component) else line.argv
        return Command(
            tuple(fill(words, values, lists)),
            () if line.inherits and run.env == () else environment,
            outcome if "{outcome}" in line.argv else None,
            trace if lists["trace"] else None,
            line.startup,
            line.listening,
        )

    def _lists(self, peer: Peer, job: Job, values: Mapping[str, str], trace: Path) -> dict[str, list[str]]:
        """Returns the words of each list. `values` are those of the whole line."""
        lists: dict[str, list[str]] = {name: [] for name in _LISTS} | {
            "options": list(peer.options),
            "flags": list(self.flags),
            "compiled": list(self.compile.words) if job.component != job.case.component else [],
            "trace": fill(self.run.trace, {**values, "file": str(trace)}) if job.trace else [],
            "args": list(job.case.run.args),
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
        return lists

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if command.outcome_file is not None:
            return _agreed(from_outcome_file(result, command), result)
        serves = job.case.run.serve
        if (ending := served(result) if serves else common_ending(result)) is not None:
            return ending
        if self._refused(job):
            return Outcome(Ending.REJECTED, message=re.sub(r"^[Ee]rror: ", "", last_line(result.stderr)))
        return self.told(result, Ending.CRASH, "the server ended by itself") if serves else self.told(result)

    def told(self, result: ProcessResult, otherwise: Ending = Ending.EXITED, kind: str = "") -> Outcome:
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
        said = groups.get("message", "") if rule.stderr or rule.stdout else last_line(result.stderr)
        message = " ".join(said.split())[:300]
        if rule.ending is Ending.EXITED:
            return Outcome(Ending.EXITED, int(groups.get("status", result.status or 0)))
        kind = rule.kind or next((kind for words, kind in self.kinds if words in message), "")
        imports = (groups["import"],) if "import" in groups else ()
        status = result.status if rule.ending is Ending.CRASH else None
        return Outcome(rule.ending, status, kind if rule.ending is Ending.TRAP else rule.kind, message, imports)


class RunsScripts(Described):
    """One that also runs converted .wast scripts."""

    def script(self, peer: Peer, script: Path, results: Path, features: Sequence[str]) -> tuple[str, ...]:
        words = {**_programs(peer), "script": str(script), "results": str(results)}
        return tuple(fill(self.scripts, words, {"features": features, "flags": self.flags, "options": peer.options}))


class RunsFiles(Described):
    """One that also reads .wast files itself."""

    def wast(self, peer: Peer, script: Path) -> tuple[str, ...]:
        words = {**_programs(peer), "script": str(script)}
        lists = {"flags": self.flags, "options": peer.options, "wast_flags": self.script_flags}
        return tuple(fill(self.scripts, words, lists))


def _programs(peer: Peer) -> dict[str, str]:
    return {"program": peer.program[0], "folder": str(Path(peer.program[0]).parent)}


def _is_component(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(8)[4:] != b"\1\0\0\0"


def _agreed(outcome: Outcome, result: ProcessResult) -> Outcome:
    """Returns the ending of an outcome file, where the process ended with the status that it says."""
    if outcome.ending is not Ending.EXITED or outcome.status == result.status:
        return outcome
    kind = f"the outcome file says exit {outcome.status}, the process ended with {result.status}"
    return Outcome(Ending.CRASH, result.status, kind)


def _in_package(where: Where) -> list[Path]:
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
