"""A folder of files that several writers may change at once.

In: paths relative to the folder, and bytes. Out: the files; each is there as a whole or not at all.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

T = TypeVar("T")
_FRESH = ".new-"


class StoreError(Exception):
    """A history that cannot be read or written."""


class Change(Protocol):
    """What a writer does while no other one writes."""

    def read(self, path: str) -> bytes | None:
        """Returns the content of a file, or None where there is none."""

    def names(self, folder: str) -> tuple[str, ...]:
        """Returns the paths of all files below a folder, sorted."""

    def put(self, path: str, data: bytes) -> None:
        """Writes a file, and replaces the one that is there."""

    def drop(self, path: str) -> None:
        """Removes a file."""


class Files(Protocol):
    """Where the files of a history are."""

    @property
    def where(self) -> str:
        """For messages."""

    def read(self, path: str) -> bytes | None: ...

    def names(self, folder: str) -> tuple[str, ...]: ...

    def change(self, work: Callable[[Change], T], message: str) -> T:
        """Calls `work` while no other writer changes the files. It may be called again where one did."""


class Folder:
    """A folder. Each file is written beside its place, then renamed; writers exclude each other by a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def where(self) -> str:
        return str(self.folder)

    def read(self, path: str) -> bytes | None:
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(str(error)) from None

    def names(self, folder: str) -> tuple[str, ...]:
        found = (path for path in (self.folder / folder).rglob("*") if path.is_file())
        return tuple(
            sorted(path.relative_to(self.folder).as_posix() for path in found if not path.name.startswith(_FRESH))
        )

    def change(self, work: Callable[[Change], T], message: str) -> T:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                return work(self)
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the system ends it with the process
            for stale in self.folder.rglob(f"{_FRESH}*"):
                stale.unlink()  # of a writer that was killed
            yield

    def put(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=_FRESH, dir=target.parent)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(number, 0o644)
            os.fsync(number)
        Path(name).replace(target)

    def drop(self, path: str) -> None:
        target = self.folder / path
        target.unlink(missing_ok=True)
        if not any(target.parent.iterdir()):
            target.parent.rmdir()


class Memory:
    """Files that last as long as the process."""

    where = "memory"

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(path for path in self._files if path.startswith(f"{folder}/")))

    def change(self, work: Callable[[Change], T], message: str) -> T:
        return work(self)

    def put(self, path: str, data: bytes) -> None:
        self._files[path] = data

    def drop(self, path: str) -> None:
        del self._files[path]
