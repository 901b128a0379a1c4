"""wash, wasmCloud's shell: `wash dev` serves the component that a project's .wash/config.yaml names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ...model.names import PROXY
from ..about import About, Can
from ..base import base_environment, free_port, last_line, not_found, peer_of, program_of, served
from ..places import Places

_NO_IMPORT = re.compile(r"component imports \w+ `([^`]*)`, but a matching implementation")

_ABOUT = About(
    "wash: wasmCloud's host for development, on wasmtime",
    Can(worlds=(PROXY,), grants=("http",)),
    get="https://wasmcloud.com (crates.io has the older one, which downloads its host)",
    never_run="it is in no registry; written by the source of 2.7.0 (crates/wash/src/config.rs, cli/dev.rs)",
)


@dataclass(frozen=True)
class Wash:
    name: str = "wash"
    about: About = _ABOUT
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        program = program_of(places, self, "wash")
        if program is None:
            return not_found(self, "wash")
        return peer_of(places, self, (str(program),), (str(program), "--version"))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        project, port = job.scratch / "project", free_port()
        config = {
            "build": {"command": "true", "component_path": str(job.component)},  # it is built already
            "dev": {
                "address": f"127.0.0.1:{port}",
                "volumes": [{"host_path": str(mount.host), "guest_path": mount.guest} for mount in job.mounts],
            },
            "workload": {
                "environment": {"config": dict(job.case.run.env or ())},
                **({} if "http" in job.case.run.grants else {"allowedHosts": []}),  # left out, it is every host
            },
        }
        (project / ".wash").mkdir(parents=True)
        (project / ".wash" / "config.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        argv = (peer.program[0], "-C", str(project), "--non-interactive", *peer.options, "dev")
        listening = r"listening for HTTP requests .*http://127\.0\.0\.1:(\d+)"
        return Command(argv, base_environment(job), startup=20.0, listening=listening, port=port)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if (ending := served(result)) is not None:
            return ending
        if missing := _NO_IMPORT.search(result.stderr.decode("utf-8", "backslashreplace")):
            return Outcome(Ending.LINK_ERROR, message=missing[0], imports=(missing[1],))
        return Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))


RUNTIMES = (Wash(),)
