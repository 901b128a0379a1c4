"""Checks what is said of each known result of a runtime: its kind, and the thread that discusses it.

In: suites/expectations. Exit status 1 when an entry is unsorted.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "harness"))

from assay.judge.causes import UNSORTED, ExpectationError, why
from assay.judge.expect import read_tables


def unsorted() -> list[str]:
    """Returns the entries without a kind."""
    out = []
    for path in sorted((ROOT / "suites/expectations").glob("*.toml")):
        for item in read_tables(path):
            name = " ".join(str(item[key]) for key in ("case", "check", "script", "program") if key in item)
            if why(path.name, name, item).kind == UNSORTED:
                out.append(f"{path.name}: {name}: needs a kind and a link (suites/README.md)")
    return out


def main() -> int:
    try:
        problems = unsorted()
    except ExpectationError as error:
        problems = [str(error)]
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
