"""Where runtimes are: the project, the cache, what is installed, and the programs that the user named.

In: `NAME=PROGRAM ARGUMENT…` of the command line, environment variables. Out: `Places`, or an `OverrideError`.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..model import locations

KEPT = 30 * 86400.0
"""The seconds after which what a runtime made of a guest is removed."""
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder has what assay can make again.\n"
"""Marks a folder as a cache (https://bford.info/cachedir/)."""


class OverrideError(Exception):
    """A program that the user named and that cannot be used."""


def home() -> Path:
    """Returns the folder of installed runtimes: outside of the project, shared by all copies of it."""
    return Path(os.environ.get("ASSAY_RUNTIMES_HOME") or locations.caches() / "runtimes")


@dataclass(frozen=True)
class Places:
    """Paths: the project's root, the cache, and the programs that the user named, with their arguments."""

    root: Path
    cache: Path
    programs: tuple[tuple[str, Path], ...] = field(default=())
    options: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    home: Path = field(default_factory=home)

    def named(self, runtime: str) -> Path | None:
        return dict(self.programs).get(runtime)

    def options_of(self, runtime: str) -> tuple[str, ...]:
        return dict(self.options).get(runtime, ())

    def installed(self, runtime: str) -> Path:
        """Returns the folder where `assay runtimes --install` puts a runtime. `NAME@VERSION` has its own."""
        return self.home / runtime


def keep_cache(cache: Path) -> None:
    """Makes the cache, or removes from it what was made longer than KEPT ago, and is made again where it is needed.

    A folder that has other files is left as it is."""
    tag = cache / "CACHEDIR.TAG"
    try:
        if not cache.is_dir() or next(cache.iterdir(), None) is None:
            cache.mkdir(parents=True, exist_ok=True)
            tag.write_text(TAG, encoding="utf-8")
            return
        if tag.read_text(encoding="utf-8") != TAG:
            return
    except (OSError, UnicodeDecodeError):
        return
    late = time.time() - KEPT
    for entry in cache.glob("*/*"):
        with contextlib.suppress(OSError):  # another process removes it
            if entry.lstat().st_mtime < late:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def variable(runtime: str) -> str:
    """Returns the environment variable that names a runtime's program."""
    return f"ASSAY_{runtime.upper().replace('-', '_')}"


def places(
    root: Path,
    named: Sequence[str],
    environment: Mapping[str, str],
    runtimes: Sequence[str],
    folders: Sequence[str] = (),
) -> Places:
    """Returns the places with the programs of `NAME=PROGRAM ARGUMENT…` and of the environment. The former
    win. The program of a runtime in `folders` is the folder of a package."""
    texts: dict[str, tuple[str, str]] = {}
    for runtime in runtimes:
        if value := environment.get(variable(runtime)):
            texts[runtime] = (variable(runtime), value)
    given: set[str] = set()
    for item in named:
        name, equals, value = item.partition("=")
        if not equals or not value or name not in runtimes:
            raise OverrideError(f"--program {item}: write RUNTIME=PATH, RUNTIME one of {', '.join(runtimes)}")
        if name in given:
            raise OverrideError(f"--program: {name} is named twice")
        given.add(name)
        texts[name] = (f"--program {name}", value)
    found = {name: _override(source, value, name in folders) for name, (source, value) in texts.items()}
    return Places(
        root,
        locations.prepared(),
        tuple((name, path) for name, (path, _) in found.items()),
        tuple((name, options) for name, (_, options) in found.items() if options),
    )


def _override(source: str, text: str, folder: bool) -> tuple[Path, tuple[str, ...]]:
    """Returns a program and its arguments, split as a shell does. A path that exists is not split."""
    words = [text]
    if not Path(text).exists():
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise OverrideError(f"{source}: {text!r}: {error}") from None
    path = Path(words[0]) if words else Path()
    if words and not path.exists() and "/" not in words[0]:
        path = Path(shutil.which(words[0]) or words[0])
    what = "folder of a package" if folder else "program"
    if not words or not path.exists():
        raise OverrideError(f"{source}: there is no {what} {words[0] if words else repr(text)}")
    if folder and not (path / "package.json").is_file():
        raise OverrideError(f"{source}: {path} is not the folder of a package: it has no package.json")
    if not folder and not path.is_file():
        raise OverrideError(f"{source}: {path} is not a file")
    if not folder and not os.access(path, os.X_OK):
        raise OverrideError(f"{source}: {path} may not be executed")
    return path.absolute(), tuple(words[1:])
