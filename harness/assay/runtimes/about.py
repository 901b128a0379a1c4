"""What a runtime declares: what it is, how to get it, and what it can do.

The harness skips what a runtime declares that it cannot do, with the reason. `assay smoke` tries the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..model import GRANTS, Case
from ..model.names import COMMAND, PROXY

WORLDS = (COMMAND, PROXY)
KINDS = ("pip", "npm", "cargo", "go", "maven")


@dataclass(frozen=True)
class Can:
    """The capabilities of a runtime."""

    components: bool = True
    """It runs components. Otherwise it runs core modules of preview 1 only."""
    modules: bool = False
    """It runs core modules of preview 1 without an adapter module."""
    worlds: tuple[str, ...] = (COMMAND,)
    versions: tuple[str, str] = ("0.2.0", "0.2.12")
    """The lowest and the highest version that it links."""
    lacks: tuple[str, ...] = ()
    """Patterns of interfaces that it does not have, as `wasi:sockets/*`."""
    directories: bool = True
    read_only: bool = False
    """A directory can be given read-only."""
    environment: bool = True
    grants: tuple[str, ...] = GRANTS
    unstable: tuple[str, ...] = ()

    def cannot(self, case: Case, *, module: bool = False) -> str:
        """Returns why a case cannot be run, as a core module where `module`, or an empty string."""
        run = case.run
        if not module and not self.components:
            return "runs core modules of preview 1 only"
        if run.serve and PROXY not in self.worlds:
            return "does not serve wasi:http/incoming-handler"
        if not run.serve and not module and COMMAND not in self.worlds:
            return "does not run commands"
        if run.dirs and not self.directories:
            return "cannot give a directory under a name of its own"
        if any(directory.read_only for directory in run.dirs) and not self.read_only:
            return "has no read-only directories"
        if run.env and not self.environment:
            return "cannot set the environment"
        if lacking := [grant for grant in run.grants if grant not in self.grants]:
            return f"cannot grant {', '.join(lacking)}"
        lacking = [interface for interface in case.interfaces if not self.has(interface)]
        return f"declares that it lacks {', '.join(lacking)}" if lacking else ""

    def has(self, interface: str) -> bool:
        return not any(fnmatchcase(interface, pattern) for pattern in self.lacks)


@dataclass(frozen=True)
class Install:
    """How a runtime is installed: packages with their versions, of one kind of registry."""

    kind: str
    packages: tuple[str, ...]
    slow: bool = False
    """It is compiled from source for minutes, so it is installed only when it is named."""
    needs: Install | None = None
    """What is installed beside it, before it."""

    @property
    def how(self) -> str:
        """How a user would install it by hand, in one line."""
        words = {
            "pip": "pip install",
            "npm": "npm install",
            "cargo": "cargo install",
            "go": "go install",
            "maven": "maven",
        }
        line = f"{words[self.kind]} {' '.join(self.packages)}"
        return f"{self.needs.how}; {line}" if self.needs else line


@dataclass(frozen=True)
class About:
    """What `assay runtimes` says of a runtime, and what the harness relies on."""

    title: str
    can: Can = Can()
    get: str = ""
    """How a user gets it, where there is no `install`."""
    install: Install | None = None
    like: str = ""
    """The runtime whose expectations it has where it has none of its own."""
    folder: bool = False
    """The program that a user names for it is the folder of a package."""
    known: tuple[tuple[str, str], ...] = ()
    """Probes of the smoke test that fail because the runtime itself is wrong, each with the reason."""
    on_demand: str = ""
    """Why a run of the cases leaves it out unless `-r` names it."""
    never_run: str = ""
    """Why the adapter was never run with the runtime itself, and the version whose documentation it follows."""

    @property
    def how(self) -> str:
        """How to get it, in one line."""
        return self.get if self.install is None else self.install.how
