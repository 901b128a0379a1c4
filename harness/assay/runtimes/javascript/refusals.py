"""What jco says of a component that it refuses, kept in the cache: a refusal costs jco a second each time.

In: a command line of jco. Out: a folder with what it said on stderr; a command line that says it again.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

_SAID = "refused.txt"
_AGAIN = ("/bin/sh", "-c", f'cat "$0/{_SAID}" >&2; exit 1')
_SECONDS = 60.0
# Nothing of the environment changes what jco says, as in a run.
_ENVIRONMENT = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TZ": "UTC"}


def refusal(argv: Sequence[str], folder: Path) -> bool:
    """Calls jco and keeps what it says in a folder, which is made. Returns whether it refused: what ends otherwise, for
    example by a signal, is not kept."""
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True,
                timeout=_SECONDS, check=False, env={**_ENVIRONMENT, "HOME": home, "TMPDIR": home}, cwd=home,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return False
    if done.returncode != 1:
        return False
    folder.mkdir()
    (folder / _SAID).write_bytes(done.stderr)
    return True


def again(folder: Path, argv: Sequence[str]) -> tuple[str, ...] | None:
    """Returns the command line that says again what jco said, or None where jco did not refuse. `argv`, which jco was
    called with, is behind it for the reader of a record."""
    return (*_AGAIN, str(folder), *argv) if (folder / _SAID).is_file() else None
