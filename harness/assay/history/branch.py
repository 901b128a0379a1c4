"""A branch of a git repository as the folder of a history. The work tree and its index are not touched.

In: a repository and the name of a branch. Out: the files of its newest commit; one commit for each change.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from .files import Change, StoreError

T = TypeVar("T")
_TRIES = 20
_SELF = {"NAME": "assay", "EMAIL": "assay@localhost"}
"""Who commits where git does not know the user."""


class Branch:
    """A branch. It need not exist before the first change, which makes a first commit without a parent."""

    def __init__(self, repository: Path, name: str) -> None:
        self.repository, self.name = repository, name
        self.reference = f"refs/heads/{name}"
        if shutil.which("git") is None:
            raise StoreError("there is no `git` on the search path")
        self._git("rev-parse", "--git-dir")
        if self._try("check-ref-format", self.reference) is None:
            raise StoreError(f"{name!r} is no name for a branch")
        self._listed: tuple[str, dict[str, str]] = ("", {})
        self._pinned: str | None = None  # what is read is of one commit, until this process changes the branch

    @property
    def where(self) -> str:
        return f"branch {self.name} of {self.repository}"

    def read(self, path: str) -> bytes | None:
        blob = self._files().get(path)
        return None if blob is None else self._git("cat-file", "blob", blob)

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(path for path in self._files() if path.startswith(f"{folder}/")))

    def change(self, work: Callable[[Change], T], message: str) -> T:
        if f"branch {self.reference}\n" in self._git("worktree", "list", "--porcelain").decode() + "\n":
            raise StoreError(f"branch {self.name} is checked out in a work tree; a history needs a branch of its own")
        for _ in range(_TRIES):
            pending = _Pending(self, self._tip())
            done = work(pending)
            self._pinned = None
            if not pending.changed or self._commit(pending, message):
                return done
        raise StoreError(f"{self.where}: another writer was faster {_TRIES} times")

    def _commit(self, pending: _Pending, message: str) -> bool:
        """Commits what was changed. Returns False where the branch is no longer what the change began with."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            index = {"GIT_INDEX_FILE": str(folder / "index")}
            added = {path: data for path, data in pending.changed.items() if data is not None}
            for number, data in enumerate(added.values()):
                (folder / str(number)).write_bytes(data)
            listed = "".join(f"{folder / str(number)}\n" for number in range(len(added)))
            blobs = self._git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=listed).decode().split()
            if pending.tip:
                self._git("read-tree", pending.tip, environment=index)
            gone = [path for path, data in pending.changed.items() if data is None]
            lines = [f"100644 {blob}\t{path}\n" for path, blob in zip(added, blobs, strict=True)]
            lines += [f"0 {'0' * len(pending.tip)}\t{path}\n" for path in gone]
            self._git("update-index", "--index-info", stdin="".join(lines), environment=index)
            tree = self._git("write-tree", environment=index).decode().strip()
        parent = ("-p", pending.tip) if pending.tip else ()
        commit = self._git("commit-tree", tree, *parent, "-m", message, environment=self._identity()).decode().strip()
        done = self._try("update-ref", "-m", message, self.reference, commit, pending.tip)
        if done is None and self._tip() == pending.tip:
            raise StoreError(f"{self.where}: git could not move the branch")
        return done is not None

    def _identity(self) -> dict[str, str]:
        return {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            if self._try("var", f"GIT_{role}_IDENT") is None
            for part, value in _SELF.items()
        }

    def _tip(self) -> str:
        """Returns the newest commit, or an empty string where the branch does not exist."""
        done = self._try("rev-parse", "--verify", "--quiet", f"{self.reference}^{{commit}}")
        return "" if done is None else done.decode().strip()

    def _files(self) -> dict[str, str]:
        if self._pinned is None:
            self._pinned = self._tip()
        return self.files_of(self._pinned)

    def files_of(self, tip: str) -> dict[str, str]:
        """Returns the blob of each file of a commit."""
        if self._listed[0] != tip:
            lines = self._git("ls-tree", "-r", "-z", "--full-tree", tip).decode().split("\0")[:-1] if tip else []
            fields = [line.split("\t", 1) for line in lines]
            self._listed = (tip, {path: left.split()[2] for left, path in fields})
        return self._listed[1]

    def blob(self, name: str) -> bytes:
        return self._git("cat-file", "blob", name)

    def _try(self, *words: str) -> bytes | None:
        """Returns what git prints, or None where it fails."""
        done = self._run(words, "", {})
        return done.stdout if done.returncode == 0 else None

    def _git(self, *words: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> bytes:
        done = self._run(words, stdin, environment or {})
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise StoreError(f"{self.repository}: git {words[0]}: {said[-1] if said else done.returncode}")
        return done.stdout

    def _run(
        self, words: tuple[str, ...], stdin: str, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        argv = ["git", "-C", str(self.repository), *words]
        return subprocess.run(
            argv, input=stdin.encode(), capture_output=True, check=False, env={**os.environ, **environment}
        )


class _Pending:
    """A change that is not committed yet."""

    def __init__(self, branch: Branch, tip: str) -> None:
        self.branch, self.tip = branch, tip
        self.changed: dict[str, bytes | None] = {}

    def read(self, path: str) -> bytes | None:
        if path in self.changed:
            return self.changed[path]
        blob = self.branch.files_of(self.tip).get(path)
        return None if blob is None else self.branch.blob(blob)

    def names(self, folder: str) -> tuple[str, ...]:
        there = {path for path in self.branch.files_of(self.tip) if path.startswith(f"{folder}/")}
        there |= {path for path, data in self.changed.items() if data is not None and path.startswith(f"{folder}/")}
        return tuple(sorted(there - {path for path, data in self.changed.items() if data is None}))

    def put(self, path: str, data: bytes) -> None:
        self.changed[path] = data

    def drop(self, path: str) -> None:
        self.changed[path] = None
