"""Which versions of a runtime its registry has.

In: how a runtime is installed. Out: the released versions of its first package, as the package manager lists them.
"""

from __future__ import annotations

import json
import re
import sys

from .about import Install
from .install import InstallError, call


def available(how: Install) -> tuple[str, ...]:
    """Returns the released versions. Raises InstallError where the package manager cannot list them."""
    first = how.packages[0]
    if how.kind == "pip":
        name = first.partition("==")[0]
        return from_pip(name, call([sys.executable, "-m", "pip", "index", "versions", name]))
    if how.kind == "npm":
        name = first.rpartition("@")[0]
        return from_npm(name, call(["npm", "view", name, "versions", "--json"]))
    raise InstallError(f"{how.kind} lists no versions: name them, separated by commas")


def from_pip(name: str, text: str) -> tuple[str, ...]:
    """Reads what `pip index versions` prints. It leaves out pre-releases."""
    line = re.search(r"^Available versions: (.+)$", text, re.MULTILINE)
    if line is None:
        raise InstallError(f"pip lists no versions of {name}")
    return tuple(version.strip() for version in line[1].split(","))


def from_npm(name: str, text: str) -> tuple[str, ...]:
    """Reads what `npm view NAME versions --json` prints. Pre-releases are left out."""
    try:
        value = json.loads(text)
    except ValueError:
        raise InstallError(f"npm lists no versions of {name}") from None
    found = [value] if isinstance(value, str) else value  # npm prints a single version without its array
    return tuple(version for version in found if "-" not in version)
