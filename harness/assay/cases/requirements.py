"""The words of the requirements in the catalogue, suites/text, for the checks that cite them by their id, and what
they rest on.

In: the folder suites/. Out: one sentence a requirement: who, when, and what is seen; the official sentences.
Format: suites/text/README.md.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..model import Basis

SUFFIX = ".requirements.tsv"


@functools.cache
def words(suites: Path) -> Mapping[str, str]:
    """By requirement id. Empty where `suites` has no catalogue. ci/check_text.py checks the files; a row that cannot be
    read has no words here."""
    found: dict[str, str] = {}
    for path in sorted((suites / "text").glob(f"*/*{SUFFIX}")):
        lines = path.read_text(encoding="utf-8").splitlines()
        columns = lines[0].removeprefix("#").split("\t") if lines else []
        for line in lines[1:]:
            row = dict(zip(columns, line.split("\t"), strict=False))
            condition = row.get("condition", "-")
            subject = row.get("subject", "") + (f", {condition}" if condition != "-" else "")
            found[row.get("id", "")] = f"{subject}: {row.get('outcome', '')}"
    return found


def bases(suites: Path) -> Mapping[str, Basis]:
    """What each requirement rests on, as the catalogue's own script finds it. Empty where `suites` has no such
    script, or where it fails: the catalogue is checked by ci/check_text.py."""
    program = suites / "text/official.py"
    if not program.is_file():
        return {}
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}
    return {
        requirement: Basis(found["basis"], tuple((name, text) for name, text in found["sentences"]))
        for requirement, found in json.loads(done.stdout).items()
    }
