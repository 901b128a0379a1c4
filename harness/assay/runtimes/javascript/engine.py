"""Engines of JavaScript: node, deno and bun, which run a driver of ours.

In: a job, a driver, and what it is told. Out: the engine, or why it is absent; a command line; an outcome.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult, locations
from ..about import About, Install
from ..base import base_environment, from_outcome_file, not_found, peer_of, program_of
from ..places import Places
from .endings import kind_of

NODE, DENO, BUN = ("node", "--no-warnings"), ("deno", "run", "--allow-all", "--quiet"), ("bun",)
DENO_INSTALL, BUN_INSTALL = Install("npm", ("deno@2.9.6",)), Install("npm", ("bun@1.4.5",))


@dataclass(frozen=True)
class Engine(ABC):
    """One engine of JavaScript: its command, and the arguments that come before a driver. Each kind of run has a
    command line of its own."""

    name: str
    about: About
    engine: tuple[str, ...]
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        command = self.engine[0]
        # one installation does for both runtimes of an engine
        others = [
            places.installed(name) / "node_modules/.bin" / command for name in (f"jco-{command}", f"{command}-wasi")
        ]
        engine = program_of(places, self, command, candidates=others)
        if engine is None:
            return not_found(self, command)
        found = peer_of(places, self, (str(engine),), (str(engine), "--version"))
        if isinstance(found, Absent):
            return found
        words = found.version.split()
        number = next((word.removeprefix("v") for word in words if word[-1].isdigit()), found.version)
        return replace(found, version=f"{command} {number}")

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return component

    def driven(self, peer: Peer, job: Job, driver: Path, more: dict[str, object]) -> Command:
        """Returns the command line of a driver on this engine."""
        command = driven(job, (peer.program[0], *self.engine[1:], *peer.options, str(driver)), more)
        return replace(command, env=(*command.env, *self.kept()))

    def kept(self) -> tuple[tuple[str, str], ...]:
        """Returns the variables of the engine's process: deno keeps in a folder what it compiles of a driver."""
        return (("DENO_DIR", str(locations.caches() / "deno")),) if self.engine == DENO else ()

    @abstractmethod
    def command(self, peer: Peer, job: Job) -> Command | Inexpressible: ...

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        outcome = from_outcome_file(result, command)
        return replace(outcome, kind=kind_of(outcome.message)) if outcome.ending is Ending.TRAP else outcome


def driven(job: Job, words: tuple[str, ...], more: dict[str, object], startup: float = 20.0) -> Command:
    """Returns the command line of a driver, which is told what to run by a JSON object."""
    outcome = job.scratch / "outcome.json"
    told = {
        "module": str(job.component),
        "args": [job.case.component.name, *job.case.run.args],
        "env": dict(job.case.run.env or ()),
        "dirs": {mount.guest: str(mount.host) for mount in job.mounts},
        "outcome": str(outcome),
        **more,
    }
    return Command((*words, json.dumps(told, ensure_ascii=False)), base_environment(job), outcome, startup=startup)
