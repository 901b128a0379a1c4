"""The history: records of many runs, where what similar runs share is kept once.

In: the text of a record. Out: `runs/RUN.json`, one small file for each run, and `objects/`, the pieces of the records,
each named by its SHA-256. A run is named by its start and the SHA-256 of its file, so a record is never kept twice.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .files import Change, Files, StoreError
from .manifest import Run, described, problem_of
from .pieces import Pieces, join

_LATEST = re.compile(r"latest(?:~(\d+))?")


@dataclass(frozen=True)
class Added:
    """What adding a record did. Sizes are in bytes, as they are kept."""

    run: Run
    new: bool
    objects: int = 0
    size: int = 0


@dataclass(frozen=True)
class Checked:
    """What checking a history found. An orphan is a piece of no run; a writer that was killed leaves some."""

    runs: int
    pieces: int
    problems: tuple[str, ...]
    orphans: tuple[str, ...]


class Store:
    """A history in a folder or on a branch."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._pieces: dict[str, str] = {}

    # --- reading

    def runs(self) -> tuple[Run, ...]:
        """Returns all runs, the oldest first."""
        return tuple(self._run(name, self.files.read(file_of(name))) for name in self._names())

    def find(self, name: str) -> Run:
        """Returns the run of a name, of the beginning of one, or of `latest` or `latest~1`, the one before it."""
        whole = self._resolved(name)
        return self._run(whole, self.files.read(file_of(whole)))

    def _names(self) -> list[str]:
        """The names of all runs, the oldest first: a name begins with the time of the start, in UTC."""
        return [path[len("runs/") : -len(".json")] for path in self.files.names("runs") if path.endswith(".json")]

    def _resolved(self, name: str) -> str:
        names = self._names()
        if not names:
            raise StoreError(f"{self.files.where}: there is no run in this history")
        if latest := _LATEST.fullmatch(name):
            back = int(latest[1] or 0)
            if back >= len(names):
                raise StoreError(f"{name}: the history has {len(names)} runs only")
            return names[-1 - back]
        found = [one for one in names if one == name] or [
            one for one in names if one.startswith(name) or one.rpartition("-")[2].startswith(name)
        ]
        if len(found) != 1:
            what = "no run" if not found else f"{len(found)} runs"
            raise StoreError(f"{name}: {what} of this name in {self.files.where} (`assay history list`)")
        return found[0]

    def restore(self, run: Run) -> bytes:
        """Returns the text of the record that was added, byte for byte."""
        pieces = run.about.get("pieces")
        if pieces is None:
            text = self.piece(run.about["whole"])
        else:
            numbers = self.numbers(run)
            made = Pieces(
                self.piece(pieces["header"]),
                tuple((key, value) for key, value in numbers["header"]),
                self.chunks(pieces["cases"]),
                self.piece(pieces["expectations"]),
                {name: self.chunks(listed) for name, listed in pieces["results"].items()},
                numbers["times"],
                numbers["order"],
                numbers["rest"],
            )
            text = join(made)
        data = text.encode()
        if hashlib.sha256(data).hexdigest() != run.about["record"]["sha256"]:
            raise StoreError(f"run {run.name}: its pieces do not make the record that was added")
        return data

    def numbers(self, run: Run) -> dict[str, Any]:
        """Returns what a run has of its own: values of the header, times, the order of the results, the footer."""
        made: dict[str, Any] = json.loads(self.piece(run.about["pieces"]["numbers"]))
        return made

    def chunks(self, listed: str) -> tuple[str, ...]:
        """Returns the texts of the pieces that a piece lists."""
        return tuple(self.piece(name) for name in self.piece(listed).split())

    def piece(self, name: str) -> str:
        """Returns the text of a piece, which is checked against its name."""
        if name not in self._pieces:
            self._pieces[name] = self._checked(name, self.files.read(place(name)))
        return self._pieces[name]

    def _checked(self, name: str, data: bytes | None) -> str:
        problem = fault(name, data)
        if problem or data is None:
            raise StoreError(f"{self.files.where}: {place(name)} {problem}")
        return zlib.decompress(data).decode()

    def _run(self, name: str, data: bytes | None) -> Run:
        data, path = data or b"", file_of(name)
        if hashlib.sha256(data).hexdigest()[:12] != name.rpartition("-")[2]:
            raise StoreError(f"{self.files.where}: {path} is damaged: its SHA-256 is not the one in its name")
        about = json.loads(data)
        if problem := problem_of(about):
            raise StoreError(f"{self.files.where}: {path} {problem}")
        return Run(name, about)

    # --- writing

    def add(self, text: str, said: Callable[[str], None] = lambda _: None) -> Added:
        """Adds a record. Raises RecordError where it is none."""
        made, objects = described(text)
        data = (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode()
        stamp = re.sub(r"[^0-9T]", "", made["started"].partition("+")[0])
        run = Run(f"{stamp}-{hashlib.sha256(data).hexdigest()[:12]}", made)
        path = file_of(run.name)

        def work(change: Change) -> Added:
            new = change.read(path) != data
            count = size = 0
            for name, piece in objects.items():
                there = change.read(place(name))
                if there is not None and not fault(name, there):
                    continue
                if there is not None:
                    said(f"{place(name)} was damaged; it is written again")
                packed = zlib.compress(piece.encode(), 9)
                change.put(place(name), packed)
                count, size = count + 1, size + len(packed)
            if new:
                change.put(path, data)  # last: a run that is there has all of its pieces
            return Added(run, new, count, size + len(data) * new)

        return self.files.change(work, f"assay history: add {run.name}")

    def remove(self, name: str) -> tuple[str, int]:
        """Removes a run, also a damaged one, and the pieces that no other run has. Returns the name of the run and the
        number of these pieces. While another run is damaged, all pieces stay."""
        whole = self._resolved(name)

        def work(change: Change) -> int:
            used: set[str] | None = set()
            for other in self._names():
                if other != whole and used is not None:
                    used = self._with_pieces_of(other, used, change)
            unused = () if used is None else tuple(path for path in change.names("objects") if _name(path) not in used)
            change.drop(file_of(whole))
            for path in unused:
                change.drop(path)
            return len(unused)

        return whole, self.files.change(work, f"assay history: remove {whole}")

    def _with_pieces_of(self, name: str, used: set[str], change: Change) -> set[str] | None:
        try:
            run = self._run(name, change.read(file_of(name)))
            listed = [self._checked(one, change.read(place(one))) for one in run.lists()]
        except StoreError:
            return None
        return {*used, *run.direct(), *(one for text in listed for one in text.split())}

    def verify(self) -> Checked:
        """Checks every run and every piece."""
        problems: dict[str, None] = {}
        used: set[str] = set()
        names = self._names()
        for name in names:
            try:
                run = self._run(name, self.files.read(file_of(name)))
                used |= {*run.direct()}
                for listed in run.lists():
                    used |= {*self.piece(listed).split()}
                self.restore(run)
            except StoreError as error:
                problems[str(error)] = None
        paths = self.files.names("objects")
        for path in paths:
            if problem := fault(_name(path), self.files.read(path)):
                problems[f"{self.files.where}: {path} {problem}"] = None
        orphans = () if problems else tuple(path for path in paths if _name(path) not in used)
        return Checked(len(names), len(paths), tuple(problems), orphans)


def file_of(run: str) -> str:
    """Returns the path of the file of a run."""
    return f"runs/{run}.json"


def place(name: str) -> str:
    """Returns the path of a piece."""
    return f"objects/{name[:2]}/{name[2:]}"


def _name(path: str) -> str:
    return path.removeprefix("objects/").replace("/", "")


def fault(name: str, data: bytes | None) -> str:
    """Returns what is wrong with the file of a piece, or an empty string."""
    if data is None:
        return "is missing"
    try:
        text = zlib.decompress(data)
    except zlib.error:
        return f"is damaged or cut off ({len(data)} bytes)"
    return "" if hashlib.sha256(text).hexdigest() == name else "is damaged: its SHA-256 is not its name"
