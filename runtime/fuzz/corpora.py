"""Where corpora are kept: a folder, an archive, or a branch of this repository that has nothing else.

In: a place as text, a folder of corpora (one folder a target). Out: that folder filled from the place, or the place from it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def add(source: Path, target: Path) -> None:
    """Copies the files of one corpus into another, by their contents."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()) if source.exists() else []:
        data = path.read_bytes()
        name = target / hashlib.sha1(data).hexdigest()
        if not name.exists():
            name.write_bytes(data)


def git(*words: str, cwd: Path | None = None, **more: str) -> str:
    return subprocess.run(["git", *words], cwd=cwd or ROOT, check=True, capture_output=True, text=True, env={**os.environ, **more}).stdout.strip()


@dataclass(frozen=True)
class Place:
    """One of the three kinds of places."""

    kind: str
    where: str

    @staticmethod
    def of(text: str) -> Place:
        if text.startswith("branch:"):
            return Place("branch", text.removeprefix("branch:"))
        return Place("archive" if text.endswith((".tar.xz", ".tar.gz", ".tar")) else "folder", text)

    def load(self, folder: Path) -> None:
        """Adds what is kept to the folder. A place that does not exist yet is empty."""
        with tempfile.TemporaryDirectory() as scratch:
            if self.kind == "branch":
                known = subprocess.run(["git", "rev-parse", "-q", "--verify", self.where], cwd=ROOT, check=False, capture_output=True)
                if known.returncode:
                    return
                packed = subprocess.run(["git", "archive", self.where], cwd=ROOT, check=True, capture_output=True).stdout
                subprocess.run(["tar", "-x", "-C", scratch], check=True, input=packed)
                source = Path(scratch)
            elif self.kind == "archive":
                if not Path(self.where).exists():
                    return
                with tarfile.open(self.where) as packed_file:
                    packed_file.extractall(scratch, filter="data")
                source = Path(scratch)
            else:
                source = Path(self.where)
                if not source.exists() or source.resolve() == folder.resolve():
                    return
            for corpus in sorted(path for path in source.iterdir() if path.is_dir()):
                add(corpus, folder / corpus.name)

    def save(self, folder: Path) -> None:
        """Replaces what is kept by the folder."""
        if self.kind == "branch":
            self._commit(folder)
        elif self.kind == "archive":
            fresh = Path(self.where + ".new")
            mode = "w:xz" if self.where.endswith(".xz") else "w:gz" if self.where.endswith(".gz") else "w"
            with tarfile.open(fresh, mode) as packed:  # type: ignore[call-overload]
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        packed.add(path, path.relative_to(folder))
            fresh.replace(self.where)
        elif Path(self.where).resolve() != folder.resolve():
            shutil.rmtree(self.where, ignore_errors=True)
            shutil.copytree(folder, self.where)

    def _commit(self, folder: Path) -> None:
        """A commit without a parent: old corpora need no history."""
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": f"{scratch}/index", "GIT_DIR": git("rev-parse", "--absolute-git-dir"), "GIT_WORK_TREE": str(folder)}
            git("add", "-A", "-f", ".", cwd=folder, **index)
            tree = git("write-tree", cwd=folder, **index)
            commit = git("commit-tree", tree, "-m", "Corpora of the fuzz targets")
            git("update-ref", f"refs/heads/{self.where}", commit)
