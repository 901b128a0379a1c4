"""Cuts the Canonical ABI's text into sentences with ids: prose, and the lines of its Python code that trap.

In: CanonicalABI.md of the component model. Out: sentences as cut.py has them, of the sections that a synchronous call of a host
function can show. Source: CanonicalABI.md itself, whose code is normative.

- Prose is cut as cut.py cuts it. It belongs to the code that follows it, or to the code that ends in the line before.
- Code is cut by definition: a function, a class, a constant. Each is one sentence, `NAME.code`, without its traps. A definition
  that prose interrupts has one for each part.
- Each `trap_if(...)` and `trap()` is a sentence of its own, `NAME.trap`.
- A line of a `match` on types that is about streams, futures or error contexts is left out, and so are other blocks than Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cut import Sentence, cut_lines

FILE = "CanonicalABI.md"
# Headings, and the names that their sections have in the catalogue.
SECTIONS = {
    "Lifting and Lowering Context": "lifting-and-lowering-context",
    "Table State": "table-state",
    "Resource State": "resource-state",
    "Despecialization": "despecialization",
    "Alignment": "alignment",
    "Element Size": "element-size",
    "Loading": "loading",
    "Storing": "storing",
    "Flattening": "flattening",
    "Flat Lifting": "flat-lifting",
    "Flat Lowering": "flat-lowering",
    "Lifting and Lowering Values": "lifting-and-lowering-values",
    "`canonopt` Validation": "canonopt-validation",
    "`canon lift`": "canon-lift",
    "`canon lower`": "canon-lower",
    "`canon resource.new`": "canon-resource-new",
    "`canon resource.drop`": "canon-resource-drop",
    "`canon resource.rep`": "canon-resource-rep",
}
HEADING = re.compile(r"#{2,}\s+(.*)")
FENCE = re.compile(r"\s*```(\w*)")
DEFINITION = re.compile(r"(?:@\w+\s+)?(?P<in> {0,2})(?P<kind>def|class)\s+(?P<name>\w+)")
CONSTANT = re.compile(r"(?P<name>[A-Za-z]\w*) = ")
TRAP = re.compile(r"trap(?:_if)?\(.*\)$")
WASI_0_3 = re.compile(r"\s*case .*\b(?:StreamType|FutureType|ErrorContextType)\(")


@dataclass
class Part:
    """A piece of code: the definition's name, and its lines with their numbers."""

    name: str
    is_constant: bool
    lines: list[tuple[int, str]]


def kebab(name: str) -> str:
    """`load_list` and `LiftLowerContext` as `load-list` and `lift-lower-context`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", "-", name).strip("-").lower()


def parts(block: list[tuple[int, str]], before: str) -> list[Part]:
    """The definitions in a block of code. `before` is the definition that a block without a beginning of its own continues."""
    found: list[Part] = []
    for number, line in block:
        begins, constant = DEFINITION.match(line), CONSTANT.match(line)
        if begins:
            found.append(Part(kebab(begins["name"]), False, []))
        elif constant and not line.startswith(" "):
            found.append(Part(kebab(constant["name"]), True, []))
        elif not found:
            found.append(Part(before, False, []))
        if line.strip() and not WASI_0_3.match(line):
            found[-1].lines.append((number, line.strip()))
    return [p for p in found if p.lines and p.lines != [(p.lines[0][0], "@dataclass")]]


def of_code(section: str, found: list[Part]) -> Iterator[Sentence]:
    """A sentence for each trap, and one for the rest of each definition."""
    for part in found:
        rest = " ".join(" ".join(text for _, text in part.lines if not TRAP.match(text)).split())
        if rest and rest not in ("try:", "except UnicodeError:"):
            yield Sentence(section, f"{part.name}.code", rest, FILE, part.lines[0][0])
        for number, text in part.lines:
            if TRAP.match(text):
                yield Sentence(section, f"{part.name}.trap", text, FILE, number)


def of_section(section: str, lines: list[tuple[int, str]]) -> Iterator[Sentence]:
    prose: list[tuple[int, str]] = []
    block: list[tuple[int, str]] | None = None
    language, after, last = "", "section", "section"  # the definition that ended in the line before; the last one

    def said(item: str) -> Iterator[Sentence]:
        yield from cut_lines(prose, section, item, FILE)
        prose.clear()

    for number, line in lines:
        fence = FENCE.match(line)
        if block is not None and fence:
            found = parts(block, last) if language == "python" else []
            named = next((p.name for p in found if not p.is_constant), found[0].name if found else last)
            yield from said(named if found else last)
            yield from of_code(section, found)
            after = last = found[-1].name if found else last
            block = None
        elif block is not None:
            block.append((number, line))
        elif fence:
            block, language = [], fence[1]
        elif not line.strip() and prose and after:
            yield from said(after)  # the paragraph that began right below the code
            after = ""
        else:
            after = after if line.strip() and after else ""
            prose.append((number, line))
    yield from said(last)


def cut(path: Path) -> list[Sentence]:
    """Every sentence of the sections above, in the order of the text."""
    found: dict[str, list[tuple[int, str]]] = {}
    section = ""
    code = False
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        heading = None if code else HEADING.match(line)
        code ^= bool(FENCE.match(line))
        if heading:
            section = SECTIONS.get(heading[1].strip(), "")
        elif section:
            found.setdefault(section, []).append((number, line))
    return [s for name, lines in found.items() for s in of_section(f"canonical-abi/{name}", lines)]
