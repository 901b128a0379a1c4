"""A clean environment with the wheel that `make wheel` made, in a folder outside of the checkout.

What the wheel requires is copied from .venv, by the requirements in the wheel's own metadata: a requirement that is
missing there is an import that fails here.
"""

from __future__ import annotations

import importlib.metadata as metadata
import os
import shutil
import subprocess
import sys
import venv
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

    def ended(self, *argv: str | Path, cwd: Path, **variables: str) -> tuple[int, str]:
        """Runs a command in a folder. Returns its exit status and its output."""
        done = subprocess.run(
            [str(word) for word in argv], cwd=cwd, env={**self.variables, **variables}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def run(self, *argv: str | Path, cwd: Path, status: int | None = 0, **variables: str) -> str:
        """Runs a command in a folder. Returns its output; `status` is the exit status that it must have."""
        ended, said = self.ended(*argv, cwd=cwd, **variables)
        assert status is None or ended == status, f"{argv} ended with {ended}:\n{said}"
        return said


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


def install(home: Path, extras: str = "", packages: Path | None = None) -> Clean:
    """Makes an environment in a folder and installs the wheel there, with extras (`[guests]`) from a folder of wheels."""
    (wheel,) = WHEELS.glob(f"*_{os.uname().machine}.whl")
    venv.create(home / "venv", symlinks=True)
    made = Clean(home, wheel)
    site = made.home / f"venv/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for distribution in required(wheel):
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    pip = [sys.executable, "-m", "pip", "--python", str(made.bin / "python"), "--disable-pip-version-check", "install"]
    source = ["--find-links", str(packages)] if packages else ["--no-deps"]
    subprocess.run([*pip, "-q", "--no-index", *source, f"{wheel}{extras}"], check=True)
    return made
