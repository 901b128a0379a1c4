"""What the toolchains have in common: where a guest is made, how commands are found and run, and the preview 1 adapter.

In: a toolchain's name and version. Out: paths, commands, and what they print.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "fixtures"))
import build as guests

SRC = ROOT / "fixtures/src/toolchains"
HOME = ROOT / "build/toolchains"  # what --install leaves


@dataclass(frozen=True)
class Here:
    """Where a guest is made, and by which version of its toolchain: empty is the one that is here."""

    work: Path
    name: str
    version: str = ""

    @property
    def component(self) -> Path:
        return self.work / f"made-{self.name}.wasm"

    @property
    def module(self) -> Path:
        """The core module of preview 1, of the toolchains that make one."""
        return self.work / f"made-{self.name}-module.wasm"

    def packages(self, kind: str) -> Path:
        """The folder of installed packages (venv, npm) of this version."""
        return HOME / (f"{kind}-{self.name}@{self.version}" if self.version else kind)


class Absent(Exception):
    """The reason why a toolchain cannot be used here."""


class Failed(Exception):
    """An installed toolchain failed."""


def find(name: str, *places: Path) -> Path:
    found = shutil.which(name, path=os.pathsep.join([*map(str, places), *map(str, guests.PATHS), os.environ.get("PATH", "")]))
    if found is None:
        raise Absent(f"no command {name}")
    return Path(found)


def run(*argv: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def first_line(*argv: str | Path, env: dict[str, str] | None = None) -> str:
    return run(*argv, env=env).strip().splitlines()[0].strip()


def adapted(here: Here) -> None:
    """Makes the core module a component by the command adapter."""
    if not guests.ADAPTER.is_file():
        raise Absent("the preview 1 adapter is not here (make deps)")
    run(find("wasm-tools"), "component", "new", here.module, "--adapt", f"wasi_snapshot_preview1={guests.ADAPTER}", "-o", here.component)


def installed(command: Path) -> Path:
    if not command.exists():
        raise Absent(f"{command.name} is not installed")
    return command
