"""What the commands share that read a history: its options, and records named by a file or by a run of it.

In: `--history FOLDER` or `--git BRANCH`; `FILE` or `history:RUN`. Out: a `Store`; records.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from ..history import Branch, Folder, Store, StoreError
from ..model import locations
from ..record import Record, RecordError, parse
from .base import Unusable, folder_type, options, read_record

F = TypeVar("F", bound=Callable[..., Any])
PREFIX = "history:"


@dataclass(frozen=True)
class Place:
    """Where the command line says that the history is."""

    folder: Path | None = None
    branch: str | None = None

    @property
    def named(self) -> bool:
        return self.folder is not None or self.branch is not None

    def open(self, root: Path) -> Store:
        """Returns the history. It need not exist."""
        with usable():
            if self.branch is not None:
                return Store(Branch(locations.workplace(root), self.branch))
            return Store(Folder(self.folder or locations.workplace(root) / "reports" / "history"))


def history_options(function: F) -> F:
    """The options that say where the history is. The command gets them as one `place`."""

    @functools.wraps(function)
    def call(*args: Any, history: Path | None, branch: str | None, **others: Any) -> Any:
        if history is not None and branch is not None:
            raise Unusable("--history and --git: a history is in a folder or on a branch, not both")
        return function(*args, place=Place(history, branch), **others)

    made = (
        click.option("--history", type=folder_type(), help="The folder of the history (default: reports/history)."),
        click.option(
            "--git",
            "branch",
            metavar="BRANCH",
            help="The history is on this branch of the project's git repository; its work tree is not touched.",
        ),
    )
    return cast("F", options(*made)(call))


@contextmanager
def usable() -> Iterator[None]:
    """Makes an error of the history one of the command line."""
    try:
        yield
    except (StoreError, RecordError) as error:
        raise Unusable(str(error)) from None


def record_of(name: str, store: Callable[[], Store]) -> tuple[str, Record]:
    """Returns the record of a file, or of a run of the history (`history:RUN`), and what to call it."""
    if not name.startswith(PREFIX):
        path = Path(name)
        if not path.is_file():
            raise Unusable(f"{name}: there is no such file (a run of the history is {PREFIX}RUN or {PREFIX}latest)")
        return name, read_record(path.resolve())
    with usable():
        history = store()
        run = history.find(name.removeprefix(PREFIX))
        return f"{PREFIX}{run.name}", parse(history.restore(run).decode().removesuffix("\n").split("\n"))
