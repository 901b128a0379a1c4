"""Installing runtimes: each into a folder of its own, outside of the project.

In: an adapter that declares packages. Out: its folder, filled by the package manager of that registry; or an
`InstallError` with the last lines of what that one said.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path

from .about import Install
from .base import Adapter
from .places import Places

_MINUTES = 60


class InstallError(Exception):
    """A runtime that cannot be installed."""


def packages(install: Install, version: str) -> list[str]:
    """Returns the packages of an installation. A version replaces that of the first package, and for maven, whose
    packages are parts of one project, that of each."""
    if not version:
        return list(install.packages)
    if install.kind == "maven":
        parts = [name.split(":") for name in install.packages]
        return [":".join((group, artifact, version, *more)) for group, artifact, _, *more in parts]
    first, *others = install.packages
    if install.kind == "pip":
        return [f"{first.partition('==')[0]}=={version}", *others]
    name, _, pinned = first.rpartition("@")
    return [f"{name}@{'v' if re.match(r'v[0-9]', pinned) else ''}{version}", *others]


def install(adapter: Adapter, places: Places) -> Path:
    """Installs a runtime, also `NAME@VERSION`. Returns its folder.

    What was there stays until the new installation is whole, which is made beside it."""
    how, folder = adapter.about.install, places.installed(adapter.name)
    if how is None:
        raise InstallError(f"no registry has it: {adapter.about.get or 'build it from source'}")
    fresh, old = (folder.with_name(f"{folder.name}.{word}") for word in ("new", "old"))
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        if how.needs is not None:
            _BY_KIND[how.needs.kind](list(how.needs.packages), fresh)
        _BY_KIND[how.kind](packages(how, adapter.name.partition("@")[2]), fresh)
        _name(fresh, folder)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        for left in (fresh, old):
            shutil.rmtree(left, ignore_errors=True)
    return folder


def _name(fresh: Path, folder: Path) -> None:
    """Lets the scripts of an environment name the folder where it will be: their first lines name its Python."""
    for script in (fresh / "bin").glob("*"):
        data = b"" if script.is_symlink() or not script.is_file() else script.read_bytes()
        if data.startswith(b"#!") and os.fsencode(fresh) in data:
            script.write_bytes(data.replace(os.fsencode(fresh), os.fsencode(folder)))


def _pip(names: list[str], folder: Path) -> None:
    venv.create(folder, with_pip=False, symlinks=True)
    call([sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", *names])


def _npm(names: list[str], folder: Path) -> None:
    call(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *names])


def _cargo(names: list[str], folder: Path) -> None:
    call(["cargo", "install", "--locked", "--root", str(folder), *names])


def _go(names: list[str], folder: Path) -> None:
    call(["go", "install", *names], {"GOBIN": str(folder / "bin")})


def _maven(names: list[str], folder: Path) -> None:
    """Copies packages, each `group:artifact:version` or with a type behind, and all that they need into `lib`."""
    keys = ("groupId", "artifactId", "version", "type")
    needed = "".join(f"<dependency>{_tags(zip(keys, name.split(':'), strict=False))}</dependency>" for name in names)
    own = _tags((("modelVersion", "4.0.0"), ("groupId", "assay"), ("artifactId", "runtime"), ("version", "1")))
    project = folder / "pom.xml"
    project.write_text(f"<project>{own}<dependencies>{needed}</dependencies></project>\n", encoding="utf-8")
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"]
    call(["mvn", "-q", "-f", str(project), *copy])


def _tags(values: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<{key}>{value}</{key}>" for key, value in values)


_BY_KIND = {"pip": _pip, "npm": _npm, "cargo": _cargo, "go": _go, "maven": _maven}


def call(argv: list[str], environment: dict[str, str] | None = None) -> str:
    """Calls a package manager. Returns what it prints. Raises InstallError with its last lines where it fails."""
    if shutil.which(argv[0]) is None:
        raise InstallError(f"there is no `{argv[0]}`, which installs it")
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=60 * _MINUTES, check=False, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InstallError(f"`{argv[0]}` was not done after {_MINUTES} minutes") from None
    if done.returncode != 0:
        words = "; ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise InstallError(f"`{' '.join(argv)}` ended with {done.returncode}: {words}")
    return done.stdout
