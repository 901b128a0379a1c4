"""Playing exchanges: components of many of them on a runtime, and what the Canonical ABI says.

In: scripts of one exchange each, a runtime. Out: for each `got "TEXT"`, `trap`, `trap after "TEXT"`, or `refused`. A
component holds exchanges up to the first that is expected to trap. One that a runtime refuses is divided.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from ...model import Case, Ending, Expect, RunSpec
from ...runtimes.base import last_line
from ..calls import Script, parse
from ..compare import Known
from ..player import REFUSED, Player, PlayError, ended
from . import expected
from .exchange import exchanges
from .memory import FullError
from .text import component

KEPT = 40
"""Components that stay in the folder. More are made and removed."""
_NUMBER = re.compile(r"[0-9a-f]{1,8}")
SMALLEST = parse("pass param utf8>utf8 u8 0")
"""What every runtime that runs components can play."""


class AssembleError(Exception):
    """wasm-tools does not take the text of a component: a fault of ours."""


@dataclass
class Assembler:
    """Makes components in a folder of its own. `tool` is wasm-tools."""

    tool: Path
    folder: Path
    _made: dict[str, Path] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def make(self, scripts: Sequence[Script]) -> Path:
        """Returns the component of scripts. Raises AssembleError, memory.FullError."""
        text = component([one for script in scripts for one in exchanges(script)])
        with self._lock:
            if text not in self._made:
                self._made[text] = self._assemble(text)
            path = self._made[text] = self._made.pop(text)  # the one that was used last is the last
            for old in list(self._made)[:-KEPT]:
                self._made.pop(old).unlink()
        return path

    def _assemble(self, text: str) -> Path:
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.wasm"
        argv = [str(self.tool), "parse", "-", "-o", str(path)]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssembleError(done.stderr)
        return path


@dataclass(kw_only=True)
class ComponentPlayer(Player):
    """Plays exchanges on one runtime. The cache of `prepared` is of this player alone, and is emptied by it."""

    assembler: Assembler
    batch: int = 60
    known: Sequence[Known] = ()
    """An exchange for which they say that this runtime crashes or refuses is not played in a round."""
    traps: int = 3
    """The most scripts with a trap in a round, where the runtime is slow: each needs a process of its own."""
    _tried: bool = False
    _last: str = ""
    """The last words of the last process."""

    def sample(self, scripts: Sequence[Script]) -> list[int]:
        """Returns the places of those scripts of a round that it is to play."""
        places = [place for place, script in enumerate(scripts) if not self._known_to_fail(script)]
        ending = [place for place in places if _traps(scripts[place])]
        left_out = set(ending[self.traps :] if self.slow else ())
        return [place for place in places if place not in left_out]

    def _known_to_fail(self, script: Script) -> bool:
        results = [result for (result,) in Text().play([script])]
        return any(
            item.explains(script, 0, results[0], self.name, word) for item in self.known for word in ("crash", "refused")
        )

    def _batch(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        if not self._tried:
            self._tried = True
            if self._group([SMALLEST]) != [('got "0"',)]:
                raise PlayError(f"the smallest component does not run: {self._last}")
        return self._group(scripts[: _until_trap(scripts)])

    def _group(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        """Returns the results of the scripts that one process plays; of half of them where a component is too much."""
        try:
            path = self.assembler.make(scripts)
        except FullError:
            if len(scripts) == 1:
                raise
            return self._group(scripts[: len(scripts) // 2])
        seen = self.observe(Case("fuzz", "fuzz", path, (), RunSpec(timeout=self.timeout), Expect(), (), path.parent))
        shutil.rmtree(self.prepared.places.cache, ignore_errors=True)  # no component is played twice
        self._last = last_line(seen.stderr) or seen.outcome.message
        refused = seen.outcome.ending in REFUSED
        if len(scripts) > 1 and (refused or (seen.outcome.ending is Ending.CRASH and not seen.stdout)):
            return self._group(scripts[: len(scripts) // 2])  # one of them is the reason, perhaps not the first
        return [("refused",)] if refused else read(seen.stdout, len(scripts), ended(seen.outcome))


@dataclass
class Text:
    """What the Canonical ABI says, as one more runtime."""

    name: str = "canonical-abi"
    played: int = 0
    wall: float = 0.0
    slow: bool = False

    def sample(self, scripts: Sequence[Script]) -> list[int]:
        return list(range(len(scripts)))

    def play(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        self.played += len(scripts)
        return [tuple(expected.result(one)[0] for one in exchanges(script)) for script in scripts]


def _traps(script: Script) -> bool:
    return any(line.name != "pass" for line in script)


def _until_trap(scripts: Sequence[Script]) -> int:
    """Returns how many scripts there are up to the first that traps, with this one."""
    for number, script in enumerate(scripts):
        if _traps(script):
            return number + 1
    return len(scripts)


def read(stdout: bytes, count: int, word: str) -> list[tuple[str, ...]]:
    """Returns the results of `count` exchanges up to the first that did not end; `word`: how the process ended."""
    texts: dict[int, str] = {}
    done: set[int] = set()
    for line in stdout.decode("utf-8", "backslashreplace").splitlines():
        word_of_number, _, text = line.partition(" ")
        if not _NUMBER.fullmatch(word_of_number):
            continue  # not a line of ours
        if text == ".":
            done.add(int(word_of_number, 16))
        else:
            texts[int(word_of_number, 16)] = text
    found: list[tuple[str, ...]] = []
    for number in range(count):
        if number in done:
            found.append((f'got "{texts.get(number, "")}"',))
        else:
            return [*found, (f'{word} after "{texts[number]}"' if number in texts else word,)]
    return found
