"""touchstone. How a run ended is read from its outcome file only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult, locations
from ...model.names import COMMAND, PROXY
from ..about import About, Can
from ..base import base_environment, from_outcome_file, last_line, peer_of, served
from ..places import Places

_GRANTS = {
    "inherit-network": ("-S", "inherit-network"),
    "allow-ip-name-lookup": ("-S", "allow-ip-name-lookup"),
    "http": ("-S", "http"),
    "tcp": ("-S", "tcp"),
    "udp": ("-S", "udp"),
}
# The exit statuses of the command itself.
_SERVE = {
    120: Ending.USAGE,
    121: Ending.MALFORMED,
    122: Ending.INVALID,
    123: Ending.LINK_ERROR,
    125: Ending.IO_ERROR,
    126: Ending.UNSUPPORTED,
}


_ABOUT = About(
    "the reference runtime, an interpreter in C",
    Can(
        modules=True,
        worlds=(COMMAND, PROXY),
        read_only=True,
        unstable=("clocks-timezone", "informational-outbound-responses", "network-error-code"),
    ),
    get="make",
)


@dataclass(frozen=True)
class Touchstone:
    """touchstone, or another program with the same command line, such as the fakes of the tests."""

    name: str = "touchstone"
    about: About = _ABOUT
    reference: bool = True

    def find(self, places: Places) -> Peer | Absent:
        program = places.named(self.name) or locations.touchstone(places.root)
        if places.named(self.name) is None and not self.reference:
            return Absent(self.name, "no program is named for it")
        if not program.is_file():
            return Absent(self.name, f"{program} is not built (make)")
        return peer_of(places, self, (str(program.resolve()),), (str(program.resolve()), "--version"))

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        outcome, trace = job.scratch / "outcome.json", job.scratch / "trace.txt"
        if job.case.run.serve:
            argv = [*peer.program, "serve", "--addr", "127.0.0.1:0", "--grace", "500ms", *peer.options]
        else:
            argv = [*peer.program, "run", "--outcome", str(outcome), *peer.options]
        if job.trace:
            argv += ["--trace", "--trace-output", str(trace)]
        for mount in job.mounts:
            argv += ["--dir", f"{mount.host}::{mount.guest}{':ro' if mount.read_only else ''}"]
        for key, value in job.case.run.env or ():
            argv += ["--env", f"{key}={value}"]
        for grant in job.case.run.grants:
            argv += _GRANTS[grant]
        for name in job.case.run.unstable:
            argv += ["--unstable", name]
        argv += [str(job.component), *job.case.run.args]
        listening = r"^Serving HTTP on http://127\.0\.0\.1:(\d+)/" if job.case.run.serve else ""
        return Command(tuple(argv), base_environment(job), outcome, trace if job.trace else None, listening=listening)

    def script(self, peer: Peer, script: Path, results: Path, features: Sequence[str]) -> tuple[str, ...]:
        return (*peer.program, "wast", str(script), "--results", str(results), *features)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        if job.case.run.serve:  # serve writes no outcome file: it serves, or its status says why not
            return served(result) or Outcome(
                _SERVE.get(result.status or 0, Ending.CRASH), result.status, message=last_line(result.stderr)
            )
        outcome = from_outcome_file(result, command)
        if outcome.ending is Ending.EXITED and outcome.status != result.status:
            kind = f"the outcome file says exit {outcome.status}, the process ended with {result.status}"
            return Outcome(Ending.CRASH, result.status, kind)
        return outcome


RUNTIMES = (Touchstone(),)
