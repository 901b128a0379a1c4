"""jco from npm. A setup module sets directories and environment; it imports the preview2-shim nested inside jco.
`javascript/lazily.py` lets it keep what it transpiles, which is most of the time of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from ...model.names import COMMAND, PROXY
from ..about import About, Can, Install
from ..base import base_environment, cached, common_ending, free_port, last_line, served
from ..javascript import lazily
from ..javascript.endings import read_report
from ..javascript.packages import find_jco, packages, passing, serving, setup_module, shim_of
from ..javascript.refusals import again, refusal
from ..javascript.transpiler import transpiler
from ..places import Places

_KEPT = Path(__file__).with_name("jco_kept_driver.mjs")
_INSTALL = Install("npm", ("@bytecodealliance/jco@1.35.0",))
_CAN = Can(worlds=(COMMAND, PROXY))
_ABOUT = About("jco: components as JavaScript on Node.js", _CAN, install=_INSTALL, folder=True)


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
        return lazily.lazy(found, f"{_KEPT.as_uri()}?{quote(str(folder))}", places)

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        """Lets jco keep what `jco run` would transpile, or what it says where it refuses."""
        node, script, _, *kept = peer.program
        if not kept or passing(component):
            return component

        def refused(out: Path) -> bool:
            options = {"name": component.stem, "quiet": True, "noTypescript": True, "wasiShim": True}
            done = transpiler(node, script, kept[1]).transpile(component, options, runs=True)
            return not done and refusal((node, kept[0], "run", str(component)), out)

        return cached(places, "refused", peer.version, component, refused) or component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        node, script, package, *kept = peer.program
        serve, component = job.case.run.serve, job.component
        if refused := again(component, (node, script, "run", str(job.case.component))):
            if not serve:
                return Command(refused, base_environment(job))
            component = job.case.component
        if (shim := shim_of(package)) is None:
            return Inexpressible("jco's preview2-shim is not where it was expected")
        setup = job.scratch / "setup.mjs"
        setup.write_text(setup_module(shim, job), encoding="utf-8")
        port = free_port() if serve else 0  # jco does not print the port that it picks
        main = kept[0] if kept and not passing(component) else script
        after = ("--", *job.case.run.args) if job.case.run.args else ()
        how = serving(script, port) if serve else ("run",)
        words = (main, *how, *peer.options, "--jco-import", str(setup), str(component), *after)
        listening = r"^Server listening @ 127\.0\.0\.1:(\d+)" if serve else ""
        return Command((node, *words), base_environment(job), startup=30.0, listening=listening, port=port)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:
            crash = Outcome(Ending.CRASH, result.status, "the server ended by itself", last_line(result.stderr))
            return served(result) or crash
        return common_ending(result) or read_report(result.status or 0, result.stderr)


RUNTIMES = (Jco(),)
