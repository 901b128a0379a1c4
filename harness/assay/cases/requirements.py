"""The words of the requirements in the catalogue, suites/text, for the checks that cite them by their id.

In: the folder suites/. Out: one sentence a requirement: who, when, and what is seen. Format: suites/text/README.md.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

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
