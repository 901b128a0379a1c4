"""Cuts the documentation of WIT files into sentences with ids.

In: folders `<package>/*.wit` as WASI publishes them. Out: sentences, each with the item that it documents and its place.
Source: component-model WIT.md ("///" documents the item that follows).

A paragraph is cut after `.`, `!` or `?` before a blank and a new beginning. An element of a list, a heading, a block of code and a
row of a table are each one sentence. The id of a sentence is `package/interface#item.n`; text.py gives the numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OPEN = re.compile(r"(interface|world|resource|record|variant|enum|flags)\s+%?([a-zA-Z][a-zA-Z0-9-]*)\s*\{")
FUNC = re.compile(r"%?([a-zA-Z][a-zA-Z0-9-]*)\s*:\s*(static\s+)?func\b")
NAMED = re.compile(r"(?:(?:type|resource|import|export|use|include)\s+)?%?([a-zA-Z](?:[a-zA-Z0-9/@.-]|:(?=\S))*)")
GATE = re.compile(r"@(since|unstable|deprecated)\s*\([^)]*\)\s*")
BEGINS = re.compile(r"^\s*(?:[-*]|\d+\.)\s+|^\s*#+\s+|^\s*\|")
# A full stop after one of these does not end a sentence.
SHORT = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Note|resp|approx|no)|\.\.)\.$", re.IGNORECASE)
END = re.compile(r"(?<=[.!?])[)\"'`*_]*\s+(?=[\"'`*_\[]*[A-Z0-9`\[])")


@dataclass(frozen=True)
class Sentence:
    interface: str  # "filesystem/types"
    item: str  # "descriptor.stat", "error-code.access"; "interface" for the interface itself
    text: str  # blanks are one space
    file: str
    line: int  # of the first line of its paragraph

    @property
    def hash(self) -> str:
        """Twelve digits of the SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


def sentences_of(paragraph: str) -> list[str]:
    """The sentences of a paragraph, blanks as one space."""
    text = " ".join(paragraph.split())
    found: list[str] = []
    start = 0
    for end in END.finditer(text):
        piece = text[start : end.end()].strip()
        if SHORT.search(piece):
            continue
        found.append(piece)
        start = end.end()
    if text[start:].strip():
        found.append(text[start:].strip())
    return found


def paragraphs(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, bool]]:
    """Paragraphs of a documentation comment: number of the first line, text, and whether it is one sentence as it is."""
    held: list[str] = []
    first, code = 0, False
    for number, line in lines:
        if line.strip().startswith("```"):
            if not code and held:
                yield first, "\n".join(held), False
                held = []
            if not held:
                first = number
            held.append(line)
            if code:
                yield first, "\n".join(held), True
                held = []
            code = not code
        elif code:
            held.append(line)
        elif not line.strip():
            if held:
                yield first, "\n".join(held), False
            held = []
        else:
            if held and BEGINS.match(line):
                yield first, "\n".join(held), False
                held = []
            if not held:
                first = number
            held.append(BEGINS.sub("", line, count=1) if not line.lstrip().startswith("|") else line)
    if held:
        yield first, "\n".join(held), code


def cut_lines(lines: list[tuple[int, str]], interface: str, item: str, file: str) -> Iterator[Sentence]:
    """The sentences of the documentation of one item. `lines` have their numbers."""
    for first, text, whole in paragraphs(lines):
        for sentence in [" ".join(text.split())] if whole else sentences_of(text):
            yield Sentence(interface, item, sentence, file, first)


def item_of(code: str, within: list[str]) -> str:
    """The name, below the interface, of the item that a line of WIT begins."""
    opened, function, named = OPEN.match(code), FUNC.match(code), NAMED.match(code)
    if opened:
        name = opened.group(2)
    elif function:
        name = function.group(1)
    elif code.startswith("constructor"):
        name = "constructor"
    else:
        name = re.sub(r"@[0-9.]+[0-9]", "", named.group(1)) if named else "?"
    if opened and opened.group(1) in ("interface", "world"):
        return "interface"
    return ".".join([*within, name])


def cut_file(package: str, path: Path) -> Iterator[Sentence]:
    comment: list[tuple[int, str]] = []
    stack: list[tuple[str, str]] = []  # kind, name
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if line.startswith("///"):
            comment.append((number, line[3:].removeprefix(" ")))
            continue
        code = GATE.sub("", line).split("//")[0].strip()
        if not code:
            continue
        opened = OPEN.match(code)
        interface = next((n for k, n in stack if k in ("interface", "world")), "")
        if opened and opened.group(1) in ("interface", "world"):
            interface = opened.group(2)
        if comment:
            item = item_of(code, [n for k, n in stack if k not in ("interface", "world")])
            where = f"{package}/{interface}" if interface else package
            if code.startswith("package "):
                where, item = package, "package"
            yield from cut_lines(comment, where, item, f"{package}/{path.name}")
            comment = []
        if opened and "}" not in code:
            stack.append((opened.group(1), opened.group(2)))
        elif not opened and code.count("{") > code.count("}"):
            stack.append(("use", ""))  # the names of a `use` on lines of their own
        elif code.startswith("}") and stack:
            stack.pop()
        elif (function := FUNC.match(code)) or code.startswith("constructor"):
            if code.count("(") > code.count(")"):
                stack.append(("func", function.group(1) if function else "constructor"))
        elif code.count(")") > code.count("(") and stack and stack[-1][0] == "func":
            stack.pop()


def files(folder: Path) -> list[tuple[str, Path]]:
    """The `.wit` files of a folder and the package of each: `PACKAGE/*.wit`, or `PACKAGE/wit/*.wit` as in WASI's repository."""
    found = [(p.parent.name, p) for p in folder.glob("*/*.wit") if p.parent.name != "wit"]
    found += [(p.parent.parent.name, p) for p in folder.glob("*/wit/*.wit")]
    return sorted(found, key=lambda f: (f[0], f[1].name))


def cut(folder: Path) -> list[Sentence]:
    """Every sentence of the packages in a folder, in the order of the text."""
    return [s for package, path in files(folder) for s in cut_file(package, path)]
