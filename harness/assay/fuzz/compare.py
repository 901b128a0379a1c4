"""Normalising results, and the first call of a script that runtimes answer differently.

In: a script and its results on each runtime. Out: a `Difference`, or nothing. What is already known is described by
suites/fuzz/known.toml.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .calls import Script

Results = Mapping[str, tuple[str, ...]]
"""The results of the calls of a script, by runtime."""


@dataclass(frozen=True)
class Rule:
    """What is not compared: in the results of the calls that match `calls`, `pattern` becomes `put`."""

    calls: str
    pattern: str
    put: str
    why: str


RULES = (
    Rule("stat|stat-at", r"(accessed|modified)=[1-9]\d{8,9}:\d+", r"\1=<time>", "the time of the run, or of the harness's copy"),
    Rule("stat|stat-at", r"changed=\d+:\d+", "changed=<time>", "nobody can set the time of the last change of the status"),
    Rule("stat|stat-at", r"(directory links=\d+ size=)\d+", r"\1<size>", "the size of a directory depends on the file system"),
    Rule("metadata-hash.*", r"hash=\d+:\d+", "hash=<hash>", "a hash is the runtime's own"),
    Rule("(in)?secure-.*|random-.*|insecure-.*", r"random=\d+", "random=<random>", "it is random"),
    Rule("wall-now", r"seconds=\d+", "seconds=<now>", "the time of the run"),
    Rule(".*-resolution", r"resolution=[1-9]\d*", "resolution=<some>", "each runtime has clocks of its own"),
    Rule(".*-address", r"port=[1-9]\d{3,4}", "port=<port>", "the system picks it"),
    Rule("check-write|udp-check-send", r"permit=[1-9]\d*", "permit=<some>", "the text leaves the number to the runtime"),
    Rule("debug-string", r'".*', "<words>", "a text for people"),
    Rule("tcp-.*-buffer-size|udp-.*-buffer-size", r"ok \d+", "ok <size>", "the system rounds the sizes of buffers"),
    Rule("fields-entries", r'name="(?:date|server)" value="[^"]*"', "", "the server adds it"),
)  # fmt: skip
"""Everything that is not compared, and why."""


def normalised(call: str, result: str) -> str:
    """Returns the result of a call without what may differ."""
    for rule in RULES:
        if re.fullmatch(rule.calls, call):
            result = re.sub(rule.pattern, rule.put, result)
    return result


@dataclass(frozen=True)
class Known:
    """A divergence that is known. It explains a difference whose call matches `call`, after lines that match `after`,
    with the result `reference` on the reference runtime and `peers[NAME]` on others (regular expressions)."""

    title: str
    call: str
    after: str
    reference: str
    peers: Mapping[str, str]

    def explains(self, script: Script, index: int, reference: str, peer: str, result: str) -> bool:
        before = "\n".join(map(str, script[:index]))
        return (
            peer in self.peers
            and re.fullmatch(self.call, str(script[index]) if index < len(script) else "") is not None
            and re.fullmatch(self.reference, reference) is not None
            and re.fullmatch(self.peers[peer], result) is not None
            and re.search(self.after, before) is not None
        )


def load_known(path: Path, likes: Mapping[str, str] | None = None) -> tuple[Known, ...]:
    """Reads the table of known divergences. Raises ValueError where it is wrong. What it says of a runtime holds for
    those that are like it, in `likes`, too."""
    if not path.is_file():
        return ()
    found = []
    raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for entry in raw.get("divergence", []):
        for match in entry.get("match", []):
            others = {key: str(value) for key, value in match.items() if key not in ("call", "after", "touchstone")}
            try:
                for pattern in (match["call"], match["touchstone"], match.get("after", ""), *others.values()):
                    re.compile(pattern)
                others |= {
                    name: others[like] for name, like in (likes or {}).items() if name not in others and like in others
                }
                found.append(Known(entry["title"], match["call"], match.get("after", ""), match["touchstone"], others))
            except (KeyError, re.error) as error:
                raise ValueError(f"{path}: {entry.get('title', '?')}: {error}") from None
    return tuple(found)


@dataclass(frozen=True)
class Difference:
    """The first call of a script that runtimes answer differently and that is not known.

    `results` has the normalised result of this call on each runtime that still agreed before it."""

    script: Script
    index: int
    results: tuple[tuple[str, str], ...]
    odd: tuple[str, ...]
    """The runtimes whose result is not that of the reference, and not known."""

    @property
    def call(self) -> str:
        return self.script[self.index].name if self.index < len(self.script) else "the end"

    @property
    def kind(self) -> str:
        """What differs: the call, and the kind of the result on each runtime of the difference."""
        shown = self._kinds()
        return f"{self.call}: " + ", ".join(f"{name} {word}" for name, word in shown.items())

    @property
    def shape(self) -> str:
        """The calls of the script, and the kind of the difference. Two scripts of one shape are one divergence."""
        before = [line.outline or line.name for line in self.script[: self.index]]
        here = self.script[self.index].outline if self.index < len(self.script) else ""
        return " > ".join([*before, *([here] if here else []), self.kind])

    def _kinds(self) -> dict[str, str]:
        reference, *_ = self.results
        concerned = [reference, *(item for item in self.results if item[0] in self.odd)]
        words = {name: result.split(" ")[0] if result else "" for name, result in concerned}
        if len(set(words.values())) > 1:
            return words
        shown = {name: re.sub(r"\d+", "N", re.sub(r'"[^"]*"', '"…"', result)) for name, result in concerned}
        return {name: text if len(text) < 60 else f"{words[name]} …" for name, text in shown.items()}


def first_difference(script: Script, results: Results, known: Sequence[Known] = ()) -> Difference | None:
    """Returns the first difference of a script that is not known. `results` begins with the reference.

    A runtime that differs as is known is no longer compared, because its state may be another one from there."""
    names = list(results)
    reference = names[0]
    live = list(names)
    for index in range(len(script) + 1):
        name = script[index].name if index < len(script) else "the end"
        now = {one: normalised(name, results[one][index]) if index < len(results[one]) else "" for one in live}
        other = [one for one in live if now[one] != now[reference]]
        odd = [
            one for one in other
            if not any(item.explains(script, index, now[reference], one, now[one]) for item in known)
        ]  # fmt: skip
        if odd:
            return Difference(script, index, tuple(now.items()), tuple(odd))
        live = [one for one in live if one not in other]
    return None


def unsteady(script: Script, one: Results, other: Results) -> tuple[str, ...]:
    """Returns the runtimes that gave different results in two runs of one script."""
    return tuple(
        name for name in one
        if [normalised(line.name, result) for line, result in zip(script, one[name], strict=False)]
        != [normalised(line.name, result) for line, result in zip(script, other[name], strict=False)]
    )  # fmt: skip
