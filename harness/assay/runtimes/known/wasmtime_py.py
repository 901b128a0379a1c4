"""wasmtime's Python bindings, in a process of their own.

`wasmtime_py_driver.py` runs the component and writes an outcome file.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from ...model import Absent, Command, Inexpressible, Job, Outcome, Peer, ProcessResult
from ..about import About, Can, Install
from ..base import BIG, base_environment, cached, from_outcome_file, given, probe_version
from ..places import Places

DRIVER = Path(__file__).with_name("wasmtime_py_driver.py")
_VERSION = "import wasmtime, importlib.metadata as m; print('wasmtime-py', m.version('wasmtime'))"


_ABOUT = About(
    "wasmtime's Python bindings",
    Can(read_only=True, grants=("http",)),
    install=Install("pip", ("wasmtime==50.0.1",)),
)


@dataclass(frozen=True)
class WasmtimePy:
    name: str = "wasmtime-py"
    about: About = _ABOUT
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        own = places.installed(self.name) / "bin" / "python"
        python = places.named(self.name) or (own if own.exists() or "@" in self.name else Path(sys.executable))
        version, problem = probe_version([str(python), "-I", "-c", _VERSION])
        if problem:
            return Absent(self.name, f"the Python package wasmtime cannot be imported ({problem.rpartition(': ')[2]})")
        options = places.options_of(self.name)
        return Peer(self.name, version, (str(python), *options, "-I", str(DRIVER)), given(options), options)

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        if component.stat().st_size < BIG:
            return component
        return (
            cached(places, self.name, peer.version, component, [*peer.program, "compile", "{in}", "{out}"]) or component
        )

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        outcome = job.scratch / "outcome.json"
        spec = json.dumps(
            {
                "component": str(job.component),
                "compiled": job.component != job.case.component,
                "argv": [job.component.name, *job.case.run.args],
                "env": job.case.run.env or [],
                "dirs": [[str(mount.host), mount.guest, mount.read_only] for mount in job.mounts],
                "http": "http" in job.case.run.grants,
                "outcome": str(outcome),
            },
            ensure_ascii=False,
        )
        return Command((*peer.program, spec), base_environment(job), outcome, startup=20.0)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        return from_outcome_file(result, command)


RUNTIMES = (WasmtimePy(),)
