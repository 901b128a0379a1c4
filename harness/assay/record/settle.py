"""Preparing a result for the record: placeholders for what no longer exists, and a limit on every text. Pure.

In: a judged `CaseResult`, paths and addresses with their placeholders, the time of the run. Out: the same
result as the record keeps it. The verdicts were made from the whole and do not change here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..model import TRACE_LIMIT, CaseResult, Cut, Outcome, UnitResult

TEXT_LIMIT = 2000
"""Characters of a detail, of a value, of a message."""
OUTPUT_LIMIT = 64 << 10
"""Bytes of an output or a file."""
IMPORTS_LIMIT = 50
LONGEST = 64
"""No text that a placeholder of a time replaces is longer."""
CONTENTS_LIMIT = 200
EXCHANGES_LIMIT = 200
WIRE_LIMIT = 1 << 20
"""Bytes of all exchanges of one run."""

NORMALISED = {
    "{run}": "the run's own folder, which was removed (assay repro makes it again)",
    "{other}": "its folder on another file system",
    "{temporary}": "a random name below {run}",
    "{port}": "the port at which the runtime served",
    "{date}": "a date and time within two days of the run",
    "{now}": "a number of seconds, milli-, micro- or nanoseconds since 1970 that is within two days of the run",
    "{SERVER}": "the address of the case's server of that name",
    "{nonce:NAME}": "a token that only this run had: the case's nonce of that name",
}
"""The placeholders in a record and what each stands for. {SERVER} is written with the server's own name, and so
is {nonce:NAME}."""

_NEAR = timedelta(days=2)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_HTTP_DATE = re.compile(rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) \d\d:\d\d:\d\d GMT")
_ISO_DATE = re.compile(rb"\b(\d{4})-(\d\d)-(\d\d)[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z\b|[+-]\d\d:?\d\d)?")
_EPOCH = re.compile(rb"(?<![\w.-])\d{10}(?:\d{3}|\d{6}|\d{9})?(?![\w.-])")


@dataclass
class Placeholders:
    """Replaces what no longer exists by placeholders, and remembers which ones it used."""

    places: Sequence[tuple[str, str]]  # text and placeholder, the longest text first
    when: datetime
    used: set[str] = field(default_factory=set)

    def fixed(self, data: bytes) -> bytes:
        """Replaces paths and addresses."""
        for text, placeholder in self.places:
            if text.encode() in data:
                data = self._mark(placeholder, data.replace(text.encode(), placeholder.encode()))
        if b"{run}/home/" in data:
            data = re.sub(
                rb"(\{run\}/home/)[A-Za-z0-9]{6}(?=/)", lambda m: self._mark("{temporary}", m[1] + b"{temporary}"), data
            )
        return data

    def times(self, data: bytes) -> bytes:
        """Replaces times of the run."""
        data = _HTTP_DATE.sub(
            self._date(lambda m: (int(m[3]), _MONTHS.index(m[2]) + 1 if m[2] in _MONTHS else 0, int(m[1]))), data
        )
        data = _ISO_DATE.sub(self._date(lambda m: (int(m[1]), int(m[2]), int(m[3]))), data)
        return _EPOCH.sub(self._number, data)

    def all(self, data: bytes) -> bytes:
        return self.times(self.fixed(data))

    def text(self, text: str, limit: int = TEXT_LIMIT) -> str:
        """Cuts a text that is longer than the limit, and adds its true size and a checksum of the whole."""
        data = self.fixed(text.encode("utf-8", "surrogatepass"))
        fixed = data.decode("utf-8", "surrogatepass")
        head = self.times(fixed[: limit + LONGEST].encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        if len(fixed) <= limit:
            return head
        return f"{head[:limit]}… ({len(data):,} bytes in all, SHA-256 {hashlib.sha256(data).hexdigest()[:16]})"

    def path(self, text: str) -> str:
        return self.fixed(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _mark(self, placeholder: str, data: bytes) -> bytes:
        self.used.add(placeholder)
        return data

    def _date(self, parts: Callable[[re.Match[bytes]], tuple[int, int, int]]) -> Callable[[re.Match[bytes]], bytes]:
        def replaced(match: re.Match[bytes]) -> bytes:
            try:
                there = datetime(*parts(match), tzinfo=self.when.tzinfo)
            except ValueError:
                return match[0]
            return self._mark("{date}", b"{date}") if abs(there - self.when) <= _NEAR else match[0]

        return replaced

    def _number(self, match: re.Match[bytes]) -> bytes:
        seconds = int(match[0][:10])
        return (
            self._mark("{now}", b"{now}") if abs(seconds - self.when.timestamp()) <= _NEAR.total_seconds() else match[0]
        )


def settle(result: CaseResult, places: Sequence[tuple[str, str]], when: datetime) -> CaseResult:
    """Returns the result as the record keeps it."""
    names = Placeholders(sorted(places, key=lambda place: -len(place[0])), when)
    seen, cuts = result.observation, list(result.observation.cut)

    def output(
        name: str, data: bytes, limit: int = OUTPUT_LIMIT, times: Callable[[bytes], bytes] = names.times
    ) -> bytes:
        fixed = names.fixed(data)
        head = times(fixed[: limit + LONGEST])
        if len(fixed) <= limit:
            return head
        cuts.append(Cut(name, len(data), hashlib.sha256(fixed).hexdigest()))
        return whole_characters(head[:limit])

    named = [(names.text(path, 300), data) for path, data in seen.contents[:CONTENTS_LIMIT]]
    contents = tuple((name, None if data is None else output(name, data)) for name, data in named)
    if len(seen.contents) > CONTENTS_LIMIT:
        cuts.append(Cut("contents", len(seen.contents), ""))
    trace = output("trace", seen.trace.encode("utf-8", "backslashreplace"), TRACE_LIMIT, bytes).decode(
        "utf-8", "replace"
    )
    wire, room = [], WIRE_LIMIT
    for exchange in seen.wire[:EXCHANGES_LIMIT]:
        name = names.path(exchange.name)
        data = output(f"wire: {name}", exchange.data, min(OUTPUT_LIMIT, room))
        wire.append(replace(exchange, name=name, data=data))
        room -= len(data)
    if len(seen.wire) > EXCHANGES_LIMIT:
        cuts.append(Cut("exchanges", len(seen.wire), ""))
    units = tuple(_unit(unit, names) for unit in result.units)
    rest = output("rest", result.rest)
    settled = replace(
        seen,
        outcome=_outcome(seen.outcome, names),
        argv=tuple(names.path(word) for word in seen.argv),
        env=tuple((key, names.path(value)) for key, value in seen.env),
        cwd=names.path(seen.cwd),
        stdout=output("stdout", seen.stdout),
        stderr=output("stderr", seen.stderr),
        trace=trace,
        contents=contents,
        tree=tuple(replace(item, path=names.path(item.path)) for item in seen.tree),
        wire=tuple(wire),
        commands=tuple(replace(item, message=names.text(item.message)) for item in seen.commands),
        places=(),
    )
    reason = names.text(result.reason)
    settled = replace(settled, cut=tuple(cuts), normalised=tuple(sorted(names.used)))
    return replace(result, units=units, rest=rest, reason=reason, observation=settled)


def bounded(text: str, limit: int) -> str:
    """Cuts a text that is longer than the limit, and adds its true size."""
    return (
        text if len(text) <= limit else f"{text[:limit]}… ({len(text.encode('utf-8', 'surrogatepass')):,} bytes in all)"
    )


def whole_characters(data: bytes) -> bytes:
    """Cuts UTF-8 at the end of a character, so that it stays valid."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:
            return data[:-back]
        if byte & 0xC0 != 0x80:
            break
    return data


def _unit(unit: UnitResult, names: Placeholders) -> UnitResult:
    value = None if unit.value is None else names.text(unit.value)
    return replace(unit, detail=names.text(unit.detail), value=value)


def _outcome(outcome: Outcome, names: Placeholders) -> Outcome:
    imports = tuple(names.text(item, 300) for item in outcome.imports[:IMPORTS_LIMIT])
    if len(outcome.imports) > IMPORTS_LIMIT:
        imports = (*imports, f"… ({len(outcome.imports)} in all)")
    return replace(outcome, kind=names.text(outcome.kind), message=names.text(outcome.message), imports=imports)
