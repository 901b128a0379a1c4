"""A case on a runtime, ready to start: its directories, its servers, its command line, also as a line for a
shell.

In: a case, a found runtime, a folder. Out: a `Stage`, or the reason why this runtime or this machine cannot
run the case. What the harness must provide and cannot is a `HarnessError`, never a failure of the runtime.
"""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..model import Case, Command, Inexpressible, Job, Mount, Peer
from ..runtimes import Runtime
from . import http_peers
from .world import mounts, wrap


class HarnessError(Exception):
    """The harness cannot provide what a run needs."""


@dataclass(frozen=True)
class Stage:
    job: Job
    command: Command
    argv: tuple[str, ...]
    cwd: Path
    servers: tuple[http_peers.Server, ...]
    places: tuple[tuple[str, str], ...]
    """What no longer exists after the run, with its placeholder in a record."""
    begun: Path | None
    """A file that is made right before the runtime starts, where a wrapper of the harness runs first."""


@contextlib.contextmanager
def stage(
    case: Case, component: Path, runtime: Runtime, scratch: Path, *, trace: bool, keep: bool = False
) -> Iterator[Stage | Inexpressible]:
    """Prepares everything in `scratch`. Servers and mounts exist as long as the context lasts."""
    if reason := refusal(case, runtime):
        yield Inexpressible(reason)
        return
    work, home = scratch / "cwd", scratch / "home"
    work.mkdir()
    home.mkdir()
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(mounts(case, scratch, keep=keep))
        if isinstance(made, Inexpressible):
            yield made
            return
        peopled = http_peers.start(case, stack)
        if isinstance(peopled, Inexpressible):
            yield peopled
            return
        filled, servers = peopled
        job = Job(filled, component, made, home, trace)
        _owed(job, runtime.peer)
        command = runtime.adapter.command(runtime.peer, job)
        if isinstance(command, Inexpressible):
            yield command
            return
        begun = scratch / "begun"
        argv = wrap(case, made, command.argv, begun)
        if isinstance(argv, Inexpressible):
            yield argv
            return
        places = _places(scratch, made, servers, command)
        yield Stage(job, command, argv, work, tuple(servers), places, begun if argv != command.argv else None)


def refusal(case: Case, runtime: Runtime) -> str:
    """Returns why a runtime cannot run a case by what it declares, or an empty string. Nothing is made for that."""
    reason = runtime.can.cannot(case, module=runtime.takes_module(case))
    return f"{runtime.adapter.name} {reason}" if reason else ""


def _owed(job: Job, peer: Peer) -> None:
    """Checks the paths that the runtime gets: a missing one would look like a failure of the runtime."""
    for path, what in (
        (job.component, "the component"),
        *((mount.host, f"the directory for {mount.guest}") for mount in job.mounts),
        *((Path(word), "a file of the runtime") for word in peer.program if word.startswith("/")),
    ):
        if not path.is_absolute():
            raise HarnessError(f"{what} is given by a relative path: {path}")
        if not path.exists():
            raise HarnessError(f"{what} does not exist: {path}")


def _places(
    scratch: Path, made: tuple[Mount, ...], servers: list[http_peers.Server], command: Command
) -> tuple[tuple[str, str], ...]:
    places = [(str(scratch), "{run}")]
    places += [(str(mount.host), "{other}") for mount in made if not mount.system and scratch not in mount.host.parents]
    places += [(server.address, f"{{{server.spec.name}}}") for server in servers]
    if command.port:
        places.append((f"127.0.0.1:{command.port}", "127.0.0.1:{port}"))
    return tuple(places)


def shell_line(argv: tuple[str, ...], env: tuple[tuple[str, str], ...], cwd: str, stdin: str) -> str:
    """Returns a line for a POSIX shell, with the working directory, the exact environment and the input."""
    variables = " ".join(f"{key}={shlex.quote(value)}" for key, value in env)
    return f"cd {shlex.quote(cwd)} && {stdin}env -i {variables}{' ' if variables else ''}{shlex.join(argv)}"


def stdin_of(case: Case, file: Path) -> str:
    """Returns what a shell needs before the command for the kind of the case's stdin."""
    if case.run.stdio.stdin == "null":
        return "</dev/null "
    return f"<{shlex.quote(str(file))} " if case.run.stdio.stdin == "file" else f"cat {shlex.quote(str(file))} | "


def notes(case: Case) -> tuple[str, ...]:
    """Lists what a line for a shell cannot express of the case."""
    stdio, out = case.run.stdio, []
    if stdio.terminal:
        out.append(f"the harness gives it a terminal as {', '.join(sorted(stdio.terminal))}")
    if stdio.stdin == "socket":
        out.append("the harness gives it a socket as stdin")
    if stdio.stdin_open or stdio.stdin_when:
        out.append("the harness writes to stdin later, or leaves it open")
    if stdio.stdout != "pipe" or stdio.stderr != "pipe":
        out.append(f"the harness gives it a {stdio.stdout} as stdout, and as stderr: {stdio.stderr}")
    if case.run.servers:
        out.append(
            f"its servers ({', '.join(item.name for item in case.run.servers)}) live as long as assay repro --hold does"
        )
    if case.run.clients:
        out.append("the harness's clients talk to it and end it then")
    if any(item.kind == "running" for item in case.run.make):
        out.append("a program that the case keeps running lives as long as assay repro --hold does")
    return tuple(out)
