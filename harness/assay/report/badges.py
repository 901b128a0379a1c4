"""Badges from a record: one for the run, one for each runtime, and one for each runtime and package. Pure.

In: a record. Out: files by their names: each badge as an SVG and as the JSON of an endpoint badge (shields.io). The
message counts the MUST requirements that pass, of all. A badge is green only where nothing is missing.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ..model.templates import environment
from ..record import Record
from .count import Count
from .view import View, build
from .xml import clean

COLOURS = {
    "brightgreen": "#2c7a2c",
    "yellowgreen": "#68761a",
    "yellow": "#8a6d00",
    "orange": "#b1540c",
    "red": "#b3261e",
    "lightgrey": "#666666",
}
"""The names that shields has, and our shades of them: white text on each has a contrast of at least 4.5 to 1."""
STATES = {
    "good": "brightgreen",
    "gaps": "yellowgreen",
    "recorded": "yellowgreen",
    "partial": "yellow",
    "mixed": "orange",
    "bad": "red",
    "unrun": "lightgrey",
    "none": "lightgrey",
}
PAD = 6
"""Pixels beside each text."""
NARROW, WIDE = "fijlrtI.,:;'|!()[]/ ", "mwMW%@"


@dataclass(frozen=True)
class Badge:
    label: str
    message: str
    colour: str
    """One of COLOURS."""

    @property
    def shields(self) -> str:
        """The JSON of an endpoint badge."""
        value = {"schemaVersion": 1, "label": self.label, "message": self.message, "color": self.colour}
        return json.dumps(value, ensure_ascii=False) + "\n"

    @property
    def svg(self) -> str:
        left, right = width(self.label) + 2 * PAD, width(self.message) + 2 * PAD
        shown = {"label": clean(self.label), "message": clean(self.message), "fill": COLOURS[self.colour]}
        template = environment("report/templates", html=True).get_template("badge.svg")
        return template.render(left=left, right=right, **shown) + "\n"


def render(record: Record) -> dict[str, str]:
    """Returns the files of a folder: `NAME.svg` and `NAME.json` for each badge."""
    files: dict[str, str] = {}
    for name, badge in badges(record):
        files[f"{name}.svg"] = badge.svg
        files[f"{name}.json"] = badge.shields
    return files


def badges(record: Record) -> Iterator[tuple[str, Badge]]:
    """Yields the name of the file and the badge: `status`, `RUNTIME`, `RUNTIME.PACKAGE` (`wasmtime.wasi-cli`)."""
    view = build(record)
    suite = f"conformance {record.suite.name}"
    yield "status", Badge(suite, _run_words(view), "brightgreen" if view.status.green else "red")
    for runtime in record.runtimes:
        if runtime.absent:
            yield _file(runtime.name), Badge(runtime.name, "absent", "lightgrey")
            continue
        index = view.runtimes.index(runtime)
        yield _file(runtime.name), _badge(runtime.name, view.summaries[index].units, record)
        for package in view.packages:
            label = f"{runtime.name} {package.name}"
            yield _file(f"{runtime.name}.{package.name}"), _badge(label, package.counts[index], record)


def _run_words(view: View) -> str:
    record = view.record
    if record.partial:
        return f"{view.status.colour}, partial"
    return f"{view.status.colour}, {record.suite.shard.words}" if record.suite.shard else view.status.colour


def _badge(label: str, count: Count, record: Record) -> Badge:
    words = count.main if not count.total else f"{count.main} MUST"
    flaky = f", {count.flaky} flaky" if count.flaky else ""
    colour = STATES[count.state]
    if (record.partial or record.suite.shard) and colour == "brightgreen":
        colour = "yellowgreen"
    partial = " (partial)" if record.partial or record.suite.shard else ""
    return Badge(label, f"{words or 'nothing'}{flaky}{partial}", colour)


def _file(name: str) -> str:
    """Returns a name that is one on every file system."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)


def width(text: str) -> int:
    """Returns about how wide a text is in pixels, at 11 pixels of a common sans-serif."""
    total = 0.0
    for letter in text:
        if unicodedata.east_asian_width(letter) in "WF":
            total += 11
        else:
            total += 3.9 if letter in NARROW else 9.5 if letter in WIDE else 7.6 if letter.isupper() else 6.6
    return round(total)
