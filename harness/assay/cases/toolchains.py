"""Guests that toolchains make on demand (ci/toolchains.py), and which version of a toolchain made each.

In: a folder of such guests, with toolchains.json. Out: versions, and cases with these guests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..model import Case, locations

VERSIONS = "toolchains.json"
"""The file of the versions, beside the guests: an object of strings by the guest's name, `program-go`."""


class GuestsError(Exception):
    """A folder of guests that cannot be used. The message begins with its path."""


def on_demand(fixtures: Path) -> Path:
    """Returns the folder of the guests that are not committed."""
    return locations.made(fixtures.parent) / "guests"


def versions(folder: Path) -> Mapping[str, str]:
    """Returns the version of the toolchain by guest, empty where nothing says so."""
    path = folder / VERSIONS
    if not path.is_file():
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GuestsError(f"{path}: {error}") from None
    if not isinstance(read, dict) or not all(isinstance(item, str) for item in read.values()):
        raise GuestsError(f"{path} is not an object of strings")
    return read


def with_guests(cases: Iterable[Case], folder: Path) -> tuple[Case, ...]:
    """Returns the cases with the guests of this folder in the place of others with the same name."""
    return tuple(
        replace(
            case,
            component=_in(folder, case.component),
            module=None if case.module is None else _in(folder, case.module),
        )
        for case in cases
    )


def of_guests(cases: Iterable[Case], folder: Path) -> tuple[Case, ...]:
    """Returns those of the cases whose component is in this folder."""
    return tuple(case for case in cases if case.component.parent == folder)


def _in(folder: Path, guest: Path) -> Path:
    made = folder / guest.name
    return made if made.is_file() else guest
