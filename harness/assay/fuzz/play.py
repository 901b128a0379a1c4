"""Playing scripts on a runtime, many in one process.

In: scripts, a runtime. Out: for each script the result of each call. A call that traps, hangs or crashes ends the
process: it is the last call of its script, and the following scripts are played by another process. Runs are cases of
the harness: the same directories, servers and adapters as those of `assay run`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import Answer, Case, Directory, Ending, Expect, RunSpec, ServerSpec, Step
from .calls import Script, text
from .player import REFUSED, Player, PlayError, ended

PROBE = "fuzz-probe.wasm"
GRANTS = {"sockets": ("http", "inherit-network", "allow-ip-name-lookup")}
"""What the guest is granted, by area. The probe imports wasi:http, which some runtimes only link where it is granted."""
OLD = 1_000_000_000
"""The time of the files of the tree, in seconds."""
FILES = (("a", "hello\n"), ("b", "0123456789"), ("dir/inner", "inner\n"))
LINKS = (("link", "a"), ("dirlink", "dir"), ("dangling", "missing"), ("loop", "loop"), ("up", ".."), ("absolute", "/a"))
"""The tree, besides the directory dir/sub."""


@dataclass(kw_only=True)
class CallPlayer(Player):
    """Plays scripts of calls on one runtime."""

    fixtures: Path
    area: str

    def _batch(self, scripts: Sequence[Script]) -> list[tuple[str, ...]]:
        """Plays scripts up to the first that ends the process. Returns the results of those that were played."""
        with tempfile.TemporaryDirectory(prefix="assay-fuzz-") as folder:
            data = Path(folder)
            write(data, scripts)
            seen = self.observe(self._case(data))
        sections, whole = read(seen.stdout)
        outcome = seen.outcome
        if whole and outcome.ending is Ending.EXITED and len(sections) == len(scripts):
            return sections
        if outcome.ending in REFUSED or not sections:
            raise PlayError(f"the probe does not run: {outcome}")
        word = ended(outcome)
        last = scripts[len(sections) - 1]
        if len(sections[-1]) < len(last):
            sections[-1] = (*sections[-1], word)
        else:  # at the end of the script, where its variables are dropped
            sections[-1] = (*sections[-1], f"{word} at the end")
        return sections

    def _case(self, data: Path) -> Case:
        on_web = self.area == "requests"
        server = ServerSpec("server", "plain", (_ANSWER,)) if on_web else None
        run = RunSpec(
            args=("{server}",) if on_web else ("-",),
            env=(("A", "1"),),
            stdin=b"standard input",
            dirs=(Directory("/data", data),),
            grants=GRANTS.get(self.area, ("http",)),
            timeout=self.timeout,
            servers=(server,) if server else (),
        )
        return Case("fuzz", "fuzz", self.fixtures / "built" / PROBE, (), run, Expect(), (), data)


_RESPONSE = b"HTTP/1.1 200 OK\r\nX-B: 1\r\nx-b: 2\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
_ANSWER = Answer("/", (Step(_RESPONSE),), "all", "close")


def write(data: Path, scripts: Sequence[Script]) -> None:
    """Writes scripts to a folder: the file `scripts`, and a directory with its tree for each script, `0`, `1`, ..."""
    lines = []
    for number, script in enumerate(scripts):
        lines.append(f"script {number}\n{text(script)}")
        tree(data / str(number), bare=not needs_tree(script))
    (data / "scripts").write_text("".join(lines), encoding="utf-8")


def needs_tree(script: Script) -> bool:
    return any(word == "v0" for line in script for word in line.words)


def tree(folder: Path, *, bare: bool = False) -> None:
    """Makes the directory that a script works in; `bare`: an empty one, for a script that does not use it."""
    folder.mkdir()
    if bare:
        return
    (folder / "dir" / "sub").mkdir(parents=True)
    for name, content in FILES:
        (folder / name).write_text(content, encoding="utf-8")
        os.utime(folder / name, (OLD, OLD))
    for name, target in LINKS:
        (folder / name).symlink_to(target)


def read(stdout: bytes) -> tuple[list[tuple[str, ...]], bool]:
    """Splits what the probe printed into the results of each script. Returns also whether it came to its end."""
    lines = stdout.decode("utf-8", "backslashreplace").split("\n")
    whole = lines[-2:] == ["end", ""]
    sections: list[list[str]] = []
    for line in lines[: -2 if whole else -1]:  # the last line is empty, or was cut
        if line.startswith("script ") and line.split()[1].isdigit():
            sections.append([])
            if len(line.split()) > 2:
                raise PlayError(f"the directory of a script cannot be opened: {line}")
        elif sections:
            sections[-1].append(line)
    return [tuple(section) for section in sections], whole
