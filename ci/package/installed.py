"""A clean environment with the wheel that `make wheel` made, in a folder outside of the checkout.

What the wheel requires is copied from .venv, by the requirements in the wheel's own metadata: a requirement that is
missing there is an import that fails here.
"""

from __future__ import annotations

import importlib.metadata as metadata
import subprocess
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
WHEELS = ROOT / "build/wheel"


@dataclass(frozen=True)
class Clean:
    """An environment with the wheel, an empty folder to work in, and a cache of its own."""

    home: Path
    wheel: Path

    @property
    def bin(self) -> Path:
        return self.home / "venv/bin"

    @property
    def data(self) -> Path:
        (found,) = (self.home / "venv/lib").glob("python*/site-packages/assay/_data")
        return found

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a new user: none of our variables, only the system's search path and the venv."""
        home = self.home / "home"
        home.mkdir(exist_ok=True)
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}

    def run(self, *argv: str | Path, cwd: Path, status: int | None = 0, **variables: str) -> str:
        """Runs a command in a folder. Returns its output; `status` is the exit status that it must have."""
        done = subprocess.run(
            [str(word) for word in argv], cwd=cwd, env={**self.variables, **variables}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert status is None or done.returncode == status, f"{argv} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout


def required(wheel: Path) -> list[metadata.Distribution]:
    """Returns what a wheel requires and what that requires, as it is installed here."""
    (described,) = metadata.Distribution.discover(path=[str(wheel)])
    wanted, found = list(described.requires or ()), dict[str, metadata.Distribution]()
    while wanted:
        requirement = Requirement(wanted.pop())
        if requirement.name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        there = metadata.distribution(requirement.name)
        assert requirement.specifier.contains(there.version), f"{requirement}: .venv has {there.version}"
        found[requirement.name] = there
        wanted += there.requires or ()
    return list(found.values())
