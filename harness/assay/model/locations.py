"""The folders of a run: what is read, and where it may write.

The root is a checkout of the project, or the data that a wheel brings, which nothing may be written to.
In: a root. Out: the folder of the user, that of what is made, that of the user's caches.
"""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "_data"
"""The data of an installed wheel: suites/, fixtures/, bin/touchstone. A checkout has no such folder."""


def installed(root: Path) -> bool:
    """Returns whether the root is the data of an installed wheel."""
    return root == DATA


def caches() -> Path:
    """Returns the folder of this project's caches: outside of the project, shared by all copies of it."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "touchstone"


def prepared() -> Path:
    """Returns the folder of what runtimes make of guests before they run them. All copies of the project share it:
    what is there is found by the content of a guest and the version of a runtime."""
    return Path(os.environ.get("ASSAY_CACHE") or caches() / "assay" / "cache")


def made(root: Path) -> Path:
    """Returns the folder of what is made along the way and can be made again."""
    return caches() / "assay" if installed(root) else root / "build"


def workplace(root: Path) -> Path:
    """Returns the folder that the user works in: the root of a checkout, or else the current folder."""
    return Path.cwd() if installed(root) else root


def latest(root: Path) -> Path:
    """Returns the folder that runs write their records and reports to, unless --output names another one."""
    return workplace(root) / "reports" / "latest"


def touchstone(root: Path) -> Path:
    """Returns the command that `make` builds, or that of the wheel. It need not be there."""
    return root / ("bin" if installed(root) else "build") / "touchstone"
