"""Cutting the text of a record into pieces that similar records share, and joining them again. Pure.

In: the text of a record. Out: its pieces, such that the definitions of the cases and the results of a runtime are equal
texts in every record that has them; what differs from run to run (times, the date) is apart. Joining is exact.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

HOLE = "\0"
"""Stands for a value that was cut out. JSON has no such character."""
APART = ("cases", "expectations", "started", "seed")
"""The values of the header that are cut out: the first two are pieces of their own."""
TIMES = ("wall", "cpu", "peak_rss_kib")
"""The values of a result that differ in every run."""
CHUNK = 16
"""A piece has about this many cases, or results of a runtime."""
_DECODER = json.JSONDecoder()


class Irregular(Exception):
    """A text that is not written as assay writes a record, so it cannot be cut."""


@dataclass(frozen=True)
class Pieces:
    """A record in pieces. A chunk is some lines that belong together."""

    header: str
    """With a hole for each value of `apart`."""
    apart: tuple[tuple[str, str], ...]
    """The key and the value of each hole in the header; the values of `cases` and `expectations` are empty here."""
    cases: tuple[str, ...]
    expectations: str
    results: dict[str, tuple[str, ...]]
    """The chunks of each runtime. Each line has a hole for each of its times."""
    times: dict[str, list[list[str]]]
    """The times of each result of a runtime."""
    order: list[int]
    """Which runtime each result of the record is of, as an index in `results`."""
    rest: list[str] = field(default_factory=list)
    """The lines after the results: the footer, a line that was cut off, the empty text after the last line end."""


def cut(text: str) -> Pieces:
    """Cuts the text of a record. Raises Irregular where joining would not give the same text."""
    first, *lines = text.split("\n")
    found = {key: (start, end) for key, start, end in members(first)}
    spans = [(key, *found[key]) for key in sorted(found.keys() & set(APART), key=lambda key: found[key])]
    if "cases" not in found:
        raise Irregular("the header has no cases")
    values = {key: first[start:end] for key, start, end in spans}
    cases = list(elements(values["cases"]))
    ids = [json.loads(case)["id"] for case in cases]
    made = Pieces(
        punched(first, spans),
        tuple((key, "" if key in ("cases", "expectations") else value) for key, value in values.items()),
        tuple("\n".join(chunk) for chunk in _chunks(ids, cases)),
        values.get("expectations", ""),
        *_results(lines),
    )
    if join(made) != text:
        raise Irregular("it is not written as assay writes it")
    return made


def _results(lines: list[str]) -> tuple[dict[str, tuple[str, ...]], dict[str, list[list[str]]], list[int], list[str]]:
    templates: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    times: dict[str, list[list[str]]] = {}
    order: list[int] = []
    for line in lines:
        if not line.startswith('{"type":"result"'):
            break
        try:
            found = {key: (start, end) for key, start, end in members(line)}
        except Irregular:  # the line that was being written when the run was cut off
            break
        runtime, case = (json.loads(line[slice(*found[key])]) for key in ("runtime", "case"))
        spans = [(key, *found[key]) for key in TIMES]
        if spans != sorted(spans, key=lambda span: span[1]):
            raise Irregular("the times of a result are in another order")
        templates.setdefault(runtime, []).append(punched(line, spans))
        names.setdefault(runtime, []).append(case)
        times.setdefault(runtime, []).append([line[start:end] for _, start, end in spans])
        order.append(list(templates).index(runtime))
    chunks = {
        runtime: tuple("\n".join(chunk) for chunk in _chunks(names[runtime], mine))
        for runtime, mine in templates.items()
    }
    return chunks, times, order, lines[len(order) :]


def join(pieces: Pieces) -> str:
    """Returns the text that was cut."""
    cases = "\n".join(pieces.cases).split("\n") if pieces.cases else []
    pieced = {"cases": f"[{','.join(cases)}]", "expectations": pieces.expectations}
    header = fill(pieces.header, [pieced.get(key, value) for key, value in pieces.apart])
    mine = [
        iter(zip("\n".join(chunks).split("\n"), pieces.times[runtime], strict=True))
        for runtime, chunks in pieces.results.items()
    ]
    results = [fill(*next(mine[index])) for index in pieces.order]
    return "\n".join((header, *results, *pieces.rest))


def fill(template: str, values: Sequence[str]) -> str:
    """Returns a text with its holes filled."""
    first, *others = template.split(HOLE)
    return first + "".join(value + text for value, text in zip(values, others, strict=True))


def punched(text: str, spans: Sequence[tuple[str, int, int]]) -> str:
    """Returns a text with a hole at each of these places."""
    made, last = [], 0
    for _, start, end in spans:
        made += [text[last:start], HOLE]
        last = end
    return "".join((*made, text[last:]))


def _chunks(names: Sequence[str], lines: Sequence[str]) -> Iterator[list[str]]:
    """Yields lines in chunks. Where one begins depends on the name of its first line only, so a line that is added or
    changed changes one chunk."""
    chunk: list[str] = []
    for name, line in zip(names, lines, strict=True):
        if chunk and hashlib.sha256(name.encode()).digest()[0] % CHUNK == 0:
            yield chunk
            chunk = []
        chunk.append(line)
    if chunk:
        yield chunk


def members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yields each key of an object in JSON without blanks, and where its value begins and ends in the text."""
    place = 0
    while place < len(text) and text[place] == ("," if place else "{"):
        key, after = _value(text, place + 1)
        if not isinstance(key, str) or text[after : after + 1] != ":":
            break
        _, place_after = _value(text, after + 1)
        yield key, after + 1, place_after
        place = place_after
    if text[place:] != "}":
        raise Irregular(f"no object in JSON without blanks at column {place + 1}")


def elements(text: str) -> Iterator[str]:
    """Yields the text of each element of an array in JSON without blanks."""
    place = 0
    while text != "[]" and place < len(text) and text[place] == ("," if place else "["):
        _, after = _value(text, place + 1)
        yield text[place + 1 : after]
        place = after
    if text != "[]" and text[place:] != "]":
        raise Irregular(f"no array in JSON without blanks at column {place + 1}")


def _value(text: str, place: int) -> tuple[object, int]:
    try:
        value, after = _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        raise Irregular(f"no value in JSON at column {place + 1}") from None
    return value, after
