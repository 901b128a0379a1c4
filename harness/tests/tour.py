"""The page harness/TOUR.md: its commands and outputs, and how an output is shown.

In: the page; what a command printed. Out: commands, and the lines that the page has. RULES has what is replaced.
"""

from __future__ import annotations

import difflib
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "harness/TOUR.md"
BLOCK = re.compile(r"^```console\n\$ (?P<command>.+?(?:\n    .+)*)\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE)
"""A block with one command. The lines that continue the command are indented, and inside of quotes."""
RULES = (
    (r"[\d.]+ runs/s, .*", "…"),
    (r'"(usage|confinement)":\{[^{}]*\}', r'"\1":{…}'),
    (r"\d+ files, [\d,]+ bytes", "… files, … bytes"),
)
"""What differs from machine to machine, and what stands for it."""
LINES, FIRST, WIDTH = 16, 12, 106


def shown(text: str, status: int, *folders: Path) -> str:
    """Returns an output as the page has it. `folders` are the checkouts, or what stands for one."""
    for folder in folders:
        text = text.replace(str(folder), "/project")
    for pattern, instead in RULES:
        text = re.sub(pattern, instead, text)
    lines = text.splitlines()
    if len(lines) > LINES:
        lines = [*lines[:FIRST], f"… {len(lines) - FIRST} more lines"]
    if status:
        lines.append(f"[exit status {status}]")
    folded = [part for line in lines for part in (fold(line) if len(line) > WIDTH else [line])]
    return "".join(f"{line.rstrip()}\n" for line in folded)


def fold(line: str) -> list[str]:
    """Returns the lines that a long line becomes; those after the first are indented by four spaces more."""
    indent = line[: len(line) - len(line.lstrip())] + "    "
    return textwrap.wrap(line, WIDTH, subsequent_indent=indent, replace_whitespace=False, break_on_hyphens=False)


def words_of(command: str) -> list[str]:
    """Returns the words of a command of the page."""
    return shlex.split(command.replace("\n   ", ""))


def filled(page: str, ran: Callable[[str], str | None]) -> str:
    """Returns the page with what `ran` returns for each command; None leaves a block as it is."""

    def block_of(block: re.Match[str]) -> str:
        output = ran(block["command"])
        return block[0] if output is None else f"```console\n$ {block['command']}\n{output}```"

    return BLOCK.sub(block_of, page)


def difference(before: str, after: str) -> str:
    """Returns how two pages differ, line by line; an empty string where they do not."""
    return "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "the page", "the commands", lineterm="", n=2))
