"""`assay run --toolchain`: the guests of the cases, made by a toolchain in the version that is asked for.

In: NAME or NAME@VERSION. Out: a folder of guests, which ci/toolchains.py makes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from .base import Unusable

_ASKED = re.compile(r"([a-z][a-z0-9-]*)(@[0-9A-Za-z][0-9A-Za-z.+-]*)?")


def make_guests(root: Path, asked: Sequence[str]) -> Path:
    """Makes the guests of these toolchains, which are got from registries where they are absent. Returns the folder."""
    names = []
    for item in asked:
        match = _ASKED.fullmatch(item)
        if match is None:
            raise Unusable(f"--toolchain {item}: write NAME or NAME@VERSION (ci/toolchains.py --list has the names)")
        names.append(match[1])
    for name in names:
        if names.count(name) > 1:
            raise Unusable(f"--toolchain {name}: a run has one version of a toolchain; compare two records instead")
    script = root / "ci/toolchains.py"
    if not script.is_file():
        raise Unusable("--toolchain needs a checkout of the project: the sources of the guests are not installed")
    folder = root / "build/toolchains/guests" / "+".join(asked)
    command = [sys.executable, str(script), "--install", "--out", str(folder), *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode == 2:
        raise Unusable(
            f"--toolchain {' '.join(asked)}: {lines[0] if len(lines) == 1 else 'no such toolchain (ci/toolchains.py --list)'}"
        )
    if done.returncode != 0:
        raise Unusable(f"--toolchain {' '.join(asked)}: {chr(10).join(lines[-20:])}")
    for line in lines:
        click.echo(line)
    return folder
