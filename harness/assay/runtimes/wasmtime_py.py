"""wasmtime's Python bindings, in a process of their own.

`wasmtime_py_driver.py` runs the component and writes an outcome file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from .base import BIG, Places, base_environment, cached, common_ending, given, last_line, probe_version, read_outcome

DRIVER = Path(__file__).with_name("wasmtime_py_driver.py")
_VERSION = "import wasmtime, importlib.metadata as m; print('wasmtime-py', m.version('wasmtime'))"
_GRANTS = frozenset({"http"})


class WasmtimePy:
    name = "wasmtime-py"
    reference = False
    takes_modules = False

    def find(self, places: Places) -> Peer | Absent:
        python = places.named(self.name) or Path(sys.executable)
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
        if job.case.run.serve:
            return Inexpressible("the Python bindings cannot make a request for wasi:http/incoming-handler")
        lacking = [grant for grant in job.case.run.grants if grant not in _GRANTS]
        if lacking:
            return Inexpressible(f"the Python bindings cannot grant {', '.join(lacking)}")
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
        ending = common_ending(result)
        if ending is not None:
            return ending
        assert command.outcome_file is not None
        outcome = read_outcome(command.outcome_file)
        if isinstance(outcome, str):
            return Outcome(Ending.CRASH, result.status, outcome, last_line(result.stderr))
        return outcome
