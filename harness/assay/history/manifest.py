"""The file of a run: what it says of the record, and which pieces the record is made of.

In: the text of a record. Out: a `Run`, and the pieces by their SHA-256 (schema: schemas/history.schema.json).
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import jsonschema

from ..record import Record, parse
from .pieces import Irregular, cut

FORMAT = "assay-history/1"


@dataclass(frozen=True)
class Run:
    """A run of a history: its name, and what its file says."""

    name: str
    about: dict[str, Any] = field(hash=False)

    @property
    def started(self) -> str:
        return str(self.about["started"])

    @property
    def partial(self) -> str:
        return str(self.about.get("partial", ""))

    @property
    def runtimes(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.about["runtimes"])

    @property
    def present(self) -> tuple[dict[str, Any], ...]:
        return tuple(runtime for runtime in self.runtimes if not runtime.get("absent"))

    def lists(self) -> tuple[str, ...]:
        """The pieces that list pieces."""
        pieces = self.about.get("pieces")
        return () if pieces is None else (pieces["cases"], *pieces["results"].values())

    def direct(self) -> tuple[str, ...]:
        """The pieces that the file of the run names."""
        pieces = self.about.get("pieces")
        if pieces is None:
            return (self.about["whole"],)
        return (pieces["header"], pieces["expectations"], pieces["numbers"], *self.lists())


def problem_of(about: dict[str, Any]) -> str:
    """Returns what is wrong with the file of a run, or an empty string."""
    if str(about.get("format", "")) != FORMAT:
        return f"has the format {about.get('format')!r}, not {FORMAT}"
    error = next(iter(_validator().iter_errors(about)), None)
    return f"is no run: {error.message[:200]}" if error else ""


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    text = resources.files("assay").joinpath("schemas/history.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


def described(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns what the file of a run says, and the pieces by their names. Equal records give equal ones.
    Raises RecordError where the text is no record."""
    made = parse(text.removesuffix("\n").split("\n") if text else [])
    header = json.loads(text.partition("\n")[0])
    about = _about(text, made, header)
    objects: dict[str, str] = {}

    def keep(piece: str) -> str:
        name = hashlib.sha256(piece.encode()).hexdigest()
        objects[name] = piece
        return name

    try:
        pieces = cut(text)
    except Irregular:
        about["whole"] = keep(text)
        about["suite"]["digest"] = hashlib.sha256(json.dumps(header["cases"]).encode()).hexdigest()
        return about, objects
    cases = keep("\n".join(keep(chunk) for chunk in pieces.cases))
    about["suite"]["digest"] = cases
    numbers = {"header": pieces.apart, "times": pieces.times, "order": pieces.order, "rest": pieces.rest}
    about["pieces"] = {
        "header": keep(pieces.header),
        "cases": cases,
        "expectations": keep(pieces.expectations),
        "results": {name: keep("\n".join(keep(chunk) for chunk in chunks)) for name, chunks in pieces.results.items()},
        "numbers": keep(json.dumps(numbers, ensure_ascii=False, separators=(",", ":"))),
    }
    return about, objects


def _about(text: str, made: Record, header: dict[str, Any]) -> dict[str, Any]:
    kept = ("name", "version", "note", "digest", "absent", "reference")
    return {
        "format": FORMAT,
        "record": {"sha256": hashlib.sha256(text.encode()).hexdigest(), "size": len(text.encode())},
        "started": made.started,
        "finished": made.finished,
        "harness": made.harness,
        **({"partial": made.partial} if made.partial else {}),
        **({"machine": header["machine"]} if "machine" in header else {}),
        "suite": {"name": made.suite.name, "kind": made.suite.kind.value, "cases": len(made.cases)},
        "results": len(made.results),
        "runtimes": [{key: item[key] for key in kept if item.get(key)} for item in header["runtimes"]],
    }
