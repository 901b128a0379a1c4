"""Packages of the registries, pinned by version and checksum, for the real programs of bench/real.py.

In: a Source; the ordinary client of its registry. Out: a folder below build/bench/real/packages with the contents of the package.
A package whose checksum is another one is never unpacked. What cannot be had raises Absent, with the reason.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prepare import LOGS, OUT, ROOT

REAL = OUT / "real"
PACKAGES = REAL / "packages"
TIMEOUT = 1800.0
"""Seconds for one command of a client or a toolchain."""


class Absent(Exception):
    """The reason why a program cannot be had here."""


@dataclass(frozen=True)
class Source:
    """A package of a registry. `checksum` is `sha256:` of the file that the registry serves; of Go `h1:`, as in go.sum."""

    registry: str  # "PyPI", "npm", "crates.io", "Go"
    package: str
    version: str
    checksum: str
    platform: str = "any"
    """The tag of a wheel. Those of a processor are taken for the Python files in them, whatever this machine is."""

    def __str__(self) -> str:
        return f"{self.registry} {self.package} {self.version}"


def command(name: str, argv: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Runs a client or a toolchain, and returns what it prints. Its output is in build/bench/log/real-NAME.log too. Raises Absent."""
    LOGS.mkdir(parents=True, exist_ok=True)
    words = [str(word) for word in argv]
    log = LOGS / f"real-{name}.log"
    with log.open("a") as out:
        out.write(" ".join(words) + "\n")
        out.flush()
        try:
            done = subprocess.run(
                words, cwd=cwd, stdout=subprocess.PIPE, stderr=out, stdin=subprocess.DEVNULL, text=True, timeout=TIMEOUT, env={**os.environ, **(env or {})}
            )
        except (OSError, subprocess.TimeoutExpired) as why:
            raise Absent(str(why)) from None
        out.write(done.stdout)
    if done.returncode != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])
        raise Absent(f"{Path(words[0]).name} failed: {said.strip()[:140]} ({log.relative_to(ROOT)})")
    return done.stdout


def get(source: Source) -> Path:
    """Returns the folder of the unpacked package. What is there with this checksum is taken as it is."""
    if source.registry not in CLIENTS:
        raise ValueError(f"{source}: packages of {source.registry} are fetched by its toolchain")
    place = PACKAGES / f"{source.registry}-{source.package.replace('/', '-')}-{source.version}".replace("@", "")
    stamp = place / ".checksum"
    if stamp.exists() and stamp.read_text() == source.checksum:
        return place / "package"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        file = CLIENTS[source.registry](source, place)
    except FileNotFoundError as why:
        raise Absent(f"{source}: {why}") from None
    found = "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()
    if found != source.checksum:
        shutil.rmtree(place)
        raise Absent(f"{source}: the registry's file has the checksum {found}, not {source.checksum}")
    unpack(file, place / "package")
    stamp.write_text(source.checksum)
    return place / "package"


def one(place: Path, pattern: str, source: Source) -> Path:
    found = sorted(place.glob(pattern))
    if not found:
        raise Absent(f"{source}: its client left no file {pattern}")
    return found[-1]


def from_pypi(source: Source, place: Path) -> Path:
    """pip checks the checksum too. No package is installed, and none of its code runs."""
    wanted = place / "requirements.txt"
    wanted.write_text(f"{source.package}=={source.version} --hash={source.checksum}\n")
    tags: list[str | Path] = ["--only-binary", ":all:", "--platform", source.platform, "--python-version", "3.12", "--ignore-requires-python"]
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--require-hashes"]
    command(source.package, [*pip, *tags, "-d", place, "-r", wanted])
    return one(place, "*.whl", source)


def from_npm(source: Source, place: Path) -> Path:
    command(source.package.rpartition("/")[2], ["npm", "pack", "--silent", "--pack-destination", place, f"{source.package}@{source.version}"], place)
    return one(place, "*.tgz", source)


def from_crates(source: Source, place: Path) -> Path:
    """A package of its own that depends on this one: cargo fetches it into its cache, and checks it against the index."""
    (place / "src").mkdir()
    (place / "src/lib.rs").write_text("")
    head = '[package]\nname = "fetches"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n'
    (place / "Cargo.toml").write_text(f'{head}{source.package} = {{ version = "={source.version}", default-features = false }}\n')
    command(source.package, ["cargo", "fetch", "--quiet"], place)
    for left in ("Cargo.toml", "Cargo.lock"):  # the package below is none of its members
        (place / left).unlink()
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    return one(home, f"registry/cache/*/{source.package}-{source.version}.crate", source)


CLIENTS = {"PyPI": from_pypi, "npm": from_npm, "crates.io": from_crates}


def unpack(file: Path, to: Path) -> None:
    """Unpacks a wheel, or an archive whose files are all in one folder, without that folder."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            archive.extractall(to)
        return
    inside = to.with_name("unpacked")
    with tarfile.open(file) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(inside)
    folders = sorted(inside.iterdir())
    if len(folders) != 1:
        raise Absent(f"{file.name} has {len(folders)} folders, not one")
    folders[0].rename(to)
    inside.rmdir()
