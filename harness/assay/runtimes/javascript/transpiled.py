"""Components that jco turned into JavaScript once, run by an engine without jco.

In: a component, a job. Out: the folder of what jco made; the command line of a driver, which writes an outcome file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ..about import About, Can, Install
from ..base import base_environment, cached, common_ending, free_port, last_line, served
from ..places import Places
from .endings import not_transpiled
from .engine import Engine
from .packages import built, find_jco, packages, shim_of
from .refusals import again, refusal
from .transpiler import transpiler

_DRIVER = Path(__file__).parents[1] / "known" / "jco_transpiled_driver.mjs"
_WORDS = ("transpile", "--quiet", "--no-typescript", "--name", "m")
# What jco makes of the words, and of those that are not there.
_ON = ("quiet", "wasiShim", "nodejsCompat", "namespacedExports", "componentErrorWrapping")
_OPTIONS: dict[str, str | int | bool] = {"name": "m", "typescript": False, **dict.fromkeys(_ON, True)}
# What the shim is told to deny where none of these grants is given.
_DENY = {
    "_denyTcp": {"tcp", "inherit-network"},
    "_denyUdp": {"udp", "inherit-network"},
    "_denyDnsLookup": {"allow-ip-name-lookup"},
    "_denyHttp": {"http"},
}


@dataclass(frozen=True)
class Transpiled(Engine):
    """One engine. The peer's program is the engine's, then node, jco, and the folder of jco."""

    options: Mapping[str, str | int | bool] = field(default_factory=lambda: {"instantiation": "sync"})
    """Options of jco's transpileCmd."""

    def find(self, places: Places) -> Peer | Absent:
        engine = super().find(places)
        made = find_jco(self.name, packages(places, self.name, "jco"))
        if isinstance(engine, Absent) or isinstance(made, Absent):
            return engine if isinstance(engine, Absent) else made
        version = f"{engine.version} ({made.version.partition(' (')[0]})"
        return replace(engine, version=version, program=(*engine.program, *made.program))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        """Returns the folder of what jco made, or of its refusal. It is the component itself where jco did neither."""
        _, node, script, _ = peer.program

        def make(out: Path) -> bool:
            options = {**_OPTIONS, **self.options, "outDir": str(out)}
            made = transpiler(node, script).transpile(component, options)
            return made or refusal((node, script, *_WORDS, "-o", "out", str(component)), out)

        # `sync` and `async` are all that distinguishes the options of these runtimes
        tool = f"transpiled-{self.options['instantiation']}"
        folder = cached(places, tool, peer.version.partition("(")[2], component, make)
        _modules(places.cache / "package.json")
        return folder or component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        _, node, script, package = peer.program
        words = (node, script, *_WORDS)
        if refused := again(job.component, (*words, str(job.case.component))):
            return Command(refused, base_environment(job))
        if job.component == job.case.component:
            argv = (*words, "-o", str(job.scratch / "out"), str(job.component))
            return Command(argv, base_environment(job), startup=20.0)
        shim = shim_of(package)
        return self.run(peer, job, shim) if shim else Inexpressible("jco's preview2-shim is not where it was expected")

    def run(self, peer: Peer, job: Job, shim: Path) -> Command:
        """Returns the command line that runs what jco made."""
        deny = [name for name, grants in _DENY.items() if not grants & set(job.case.run.grants)]
        port = free_port() if job.case.run.serve else 0
        more: dict[str, object] = {"shim": str(built(shim, "nodejs")), "deny": deny, "port": port}
        return listening(self.driven(peer, job, _DRIVER, more), port)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve and command.outcome_file is not None:
            crash = Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))
            return served(result) or crash
        if command.outcome_file is None:
            return common_ending(result) or not_transpiled(result.stderr.decode("utf-8", "backslashreplace"))
        return super().interpret(job, result, command)


def _modules(manifest: Path) -> None:
    """Says to node that the files in a folder are modules. It reads the manifest at each start, so that it is whole at
    each time."""
    if not manifest.exists():
        with tempfile.NamedTemporaryFile("w", dir=manifest.parent, delete=False, encoding="utf-8") as fresh:
            fresh.write('{"type": "module"}\n')
        Path(fresh.name).replace(manifest)


def listening(command: Command, port: int) -> Command:
    return replace(command, listening=r"^Listening on 127\.0\.0\.1:(\d+)", port=port) if port else command


def about(title: str, can: Can, install: Install | None = None) -> About:
    """Returns what a runtime declares. jco itself is that of the runtime `jco`, because it is large."""
    return About(title, can, "it needs node and jco (assay runtimes --install jco)", install)
