"""Profiles: the parts of WASI that a runtime can be certified for.

In: suites/profiles/NAME.toml, the cases. Out: a `Claim`, and the cases that it is tried with. The format and the
rules are in suites/CERTIFICATION.md.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..cases.versions import version_of
from ..model import Case, Check, Level
from ..model.names import COMMAND, NEWEST, PROXY, near, number, table

SHOULD, READ_ONLY, UNSTABLE = "should", "read-only-directories", "unstable:"
_KEYS = {"title", "extends", "world", "interfaces", "versions", "extras"}


class ProfileError(Exception):
    """A profile that cannot be used, or a claim that its profile does not offer."""


@dataclass(frozen=True)
class Profile:
    """A part of WASI: its world, the interfaces, and what can be claimed besides."""

    name: str
    title: str
    world: str
    interfaces: tuple[str, ...]
    versions: tuple[str, str]
    """The lowest and the highest version that can be claimed."""
    extras: tuple[str, ...] = ()

    def has(self, interface: str) -> bool:
        return any(fnmatchcase(interface, pattern) for pattern in self.interfaces)


@dataclass(frozen=True)
class Claim:
    """What a runtime claims: a profile, versions of WASI, extras."""

    profile: Profile
    versions: tuple[str, str]
    extras: tuple[str, ...] = ()
    disputed: tuple[str, ...] = ()
    """The checks that are not needed, because it is disputed what the text says."""

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces that it covers: those with functions that the highest version has."""
        high = number(self.versions[1])

        def there(since: str) -> bool:
            return since[:1].isdigit() and number(since) <= high

        found = [
            interface
            for interface, functions in table().items()
            if self.profile.has(interface) and any(name and there(since) for name, since in functions.items())
        ]
        return tuple(sorted(found))

    def tries(self, check: Check) -> bool:
        """Returns whether a runtime that claims this has to pass the check."""
        levels = (Level.MUST, Level.SHOULD) if SHOULD in self.extras else (Level.MUST,)
        return check.level in levels and check.id not in self.disputed and self.profile.has(check.interface)


def names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(folder: Path, name: str) -> Profile:
    """Reads a profile of the folder, with those that it extends."""
    if name not in names(folder):
        raise ProfileError(f"there is no profile {name}{near(name, names(folder))}: {', '.join(names(folder))}")
    return _read(folder, name, ())


def _read(folder: Path, name: str, outer: tuple[str, ...]) -> Profile:
    path = folder / f"{name}.toml"
    if name in outer:
        raise ProfileError(f"{path}: the profile extends itself")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        if unknown := sorted(set(raw) - _KEYS):
            raise ValueError(f"unknown key {', '.join(unknown)}")
        return _made(name, raw, [_read(folder, base, (*outer, name)) for base in raw.get("extends", [])])
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise ProfileError(f"{path}: {words}") from None


def _made(name: str, raw: Mapping[str, Any], bases: Sequence[Profile]) -> Profile:
    patterns = list(raw["interfaces"])
    for pattern in patterns:
        if not any(fnmatchcase(interface, pattern) for interface in table()):
            raise ValueError(f"WASI 0.2 has no interface {pattern}{near(pattern, table())}")
    inherited = [pattern for base in bases for pattern in base.interfaces]
    world = raw["world"] if "world" in raw or not bases else bases[0].world
    if world not in (COMMAND, PROXY):
        raise ValueError(f"unknown world {world}")
    low, high = raw["versions"] if "versions" in raw or not bases else bases[0].versions
    extras = tuple(raw.get("extras", []))
    for extra in extras:
        if extra not in (SHOULD, READ_ONLY) and not extra.startswith(UNSTABLE):
            raise ValueError(f"unknown extra {extra}")
    return Profile(name, raw["title"], world, (*dict.fromkeys([*inherited, *patterns]),), (low, high), extras)


def disputed(file: Path) -> tuple[str, ...]:
    """Reads the disputed checks: a line each, with the check, the date and the issue, separated by tabs."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ProfileError(f"{file}: {error.strerror}") from None
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    if bad := next((row for row in rows if len(row) != 3 or not all(row)), None):
        raise ProfileError(f"{file}: a row has a check, a date and an issue, separated by tabs: {' '.join(bad)}")
    return tuple(sorted(row[0] for row in rows))


def claim(
    profile: Profile, versions: str = "", extras: Sequence[str] = (), disputed_checks: Sequence[str] = ()
) -> Claim:
    """Returns a claim. `versions` is `LOW..HIGH`, or one version; empty: all that the profile offers."""
    low, dots, high = versions.partition("..")
    span = profile.versions if not versions else (low, high if dots else low)
    known = {f"0.2.{n}" for n in range(int(NEWEST.rpartition(".")[2]) + 1)}
    if not set(span) <= known:
        raise ProfileError(f"{versions!r} is not LOW..HIGH of 0.2.0 to {NEWEST}")
    if not number(profile.versions[0]) <= number(span[0]) <= number(span[1]) <= number(profile.versions[1]):
        raise ProfileError(f"{profile.name} is for {' to '.join(profile.versions)}, not for {' to '.join(span)}")
    for extra in extras:
        if extra not in profile.extras:
            raise ProfileError(f"{profile.name} has no extra {extra}: {', '.join(profile.extras) or 'none'}")
    return Claim(profile, span, tuple(sorted(set(extras))), tuple(disputed_checks))


def cases_of(claimed: Claim, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Returns the cases that try a claim, in their order. A disputed check that no case has is an error."""
    if strange := sorted(set(claimed.disputed) - {check.id for case in cases for check in case.checks}):
        raise ProfileError(f"no case has the disputed check {strange[0]}")
    return tuple(case for case in cases if not why_not(claimed, case))


def why_not(claimed: Claim, case: Case) -> str:
    """Returns why a case does not belong to a claim, or an empty string."""
    profile, run = claimed.profile, case.run
    if not case.id.startswith("p2/") or case.made_by:
        return "it is a program of a toolchain"
    if run.serve != (profile.world == PROXY):
        return f"its world is not {profile.world}"
    interfaces = {*case.interfaces, *(check.interface for check in case.checks)}
    if strange := sorted(interface for interface in interfaces if not profile.has(interface)):
        return f"the profile has no {', '.join(strange)}"
    if not run.openat2:
        return "it is about an old kernel"
    read_only = any(item.read_only for item in run.dirs) or any(item.read_only for item in run.make)
    if READ_ONLY not in claimed.extras and read_only:
        return f"{READ_ONLY} is not claimed"
    if lacking := [name for name in run.unstable if UNSTABLE + name not in claimed.extras]:
        return f"{UNSTABLE}{lacking[0]} is not claimed"
    low, high = (number(version) for version in claimed.versions)
    version = version_of(case.id) or case.built
    needed = version or max((check.since for check in case.checks), key=number, default="0.2.0")
    if number(needed) > high or (version_of(case.id) and number(needed) < low):
        return f"it is against WASI {needed}"
    return ""


def digest_of(cases: Iterable[tuple[str, str, str]]) -> str:
    """Returns the SHA-256 of cases, each an id, the digest of its definition, and the SHA-256 of its component."""
    lines = "".join(f"{' '.join(item)}\n" for item in sorted(cases))
    return hashlib.sha256(lines.encode()).hexdigest()
