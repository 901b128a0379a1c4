"""The command `touchstone` of an installation by pip: the program that the wheel brings.

In: the command line, passed on as it is. Out: the program replaces this process. Exit status 127: it is not there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..model import locations
from .base import find_root


def main() -> None:
    """Runs touchstone: that of the wheel, or what `make` has built in the checkout around the current folder."""
    root = find_root(Path.cwd())
    program = locations.touchstone(root)
    if not program.is_file():
        print(f"touchstone: {program} is not there (in a checkout, `make` builds it)", file=sys.stderr)
        sys.exit(127)
    os.execv(program, [str(program), *sys.argv[1:]])
