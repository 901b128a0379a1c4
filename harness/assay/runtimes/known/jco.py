"""jco from npm. A setup module sets directories and environment; it imports the preview2-shim nested inside jco.

`jco_kept_driver.mjs` lets it keep what it transpiles, which is most of the time of a run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ...model.names import COMMAND, PROXY
from ..about import About, Can, Install
from ..base import base_environment, common_ending, free_port, last_line, served
from ..javascript.endings import read_report
from ..javascript.packages import find_jco, isolated, packages, setup_module, shim_of
from ..javascript.transpiler import transpiler
from ..places import Places

_KEPT = Path(__file__).with_name("jco_kept_driver.mjs")
_ABOUT = About(
    "jco: components as JavaScript on Node.js",
    Can(worlds=(COMMAND, PROXY)),
    install=Install("npm", ("@bytecodealliance/jco@1.35.0",)),
    folder=True,
)


@dataclass(frozen=True)
class Jco:
    name: str = "jco"
    about: About = _ABOUT
    reference: bool = False

    def find(self, places: Places) -> Peer | Absent:
        named = places.named(self.name)
        found = find_jco(self.name, (named,) if named else packages(places, self.name), places.options_of(self.name))
        if named or isinstance(found, Absent):  # what somebody works on changes, and its version does not
            return found
        folder = places.cache / found.version.partition(" (")[0].replace(" ", "-")
        return replace(found, program=(*found.program, f"{_KEPT.as_uri()}?{quote(str(folder))}"))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        """Lets jco keep what `jco run` would transpile. Where that does not work, `jco run` does it itself."""
        node, script, _, *kept = peer.program
        if kept and not _passing(component):
            options = {"name": component.stem, "quiet": True, "noTypescript": True, "wasiShim": True}
            transpiler(node, script, *kept).transpile(component, options, runs=True)
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        node, script, package, *kept = peer.program
        if _passing(job.component):
            kept = []
        shim = shim_of(package)
        if shim is None:
            return Inexpressible("jco's preview2-shim is not where it was expected")
        setup = job.scratch / "setup.mjs"
        setup.write_text(setup_module(shim, job), encoding="utf-8")
        serve = job.case.run.serve
        # jco does not print the port that it picks; with workers, which older ones lack, each request has a fresh instance
        port = free_port() if serve else 0
        how = ("serve", "--host", "127.0.0.1", "--port", str(port), *isolated(script)) if serve else ("run",)
        before = ("--import", *kept) if kept else ()
        after = ("--", *job.case.run.args) if job.case.run.args else ()
        words = (*how, *peer.options, "--jco-import", str(setup), str(job.component), *after)
        listening = r"^Server listening @ 127\.0\.0\.1:(\d+)" if serve else ""
        return Command((node, *before, script, *words), base_environment(job), startup=30.0, listening=listening, port=port)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:
            crash = Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))
            return served(result) or crash
        return common_ending(result) or read_report(result.status or 0, result.stderr)


def _passing(component: Path) -> bool:
    """Returns whether a component was made for this moment, as those of `assay fuzz`."""
    return Path(tempfile.gettempdir()) in component.parents


RUNTIMES = (Jco(),)
