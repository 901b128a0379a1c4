"""Errors that several commands have in common. Each says what to do next.

In: what was asked for, and what there is. Out: an `Unusable`.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..model import names


class Unusable(click.ClickException):
    """An argument or a file that cannot be used."""

    exit_code = 2


def unknown_runtime(name: str, known: Sequence[str], option: str = "") -> Unusable:
    """`option` is the option that names the runtime, if one does."""
    asked = f"{option} {name}" if option else name
    hint = names.near(name, known) or f"; known: {', '.join(known)}"
    return Unusable(f"{asked}: no such runtime{hint} (`assay runtimes` says which are here)")


def absent_runtime(name: str, reason: str) -> Unusable:
    how = f"`assay runtimes {name}` says how to get it; --program {name}=PATH names one"
    if "@" in name:  # a column of `assay merge` may be a system, or what ran on another machine
        base = name.partition("@")[0]
        how = (
            f"`assay runtimes --install {name}` installs it, if that is a version of {base}; a column of a merged record "
            f"is repeated on the machine that it is of, or by --program {name}=PATH with a program that is here"
        )
    return Unusable(f"{name} is absent: {reason} ({how})")
