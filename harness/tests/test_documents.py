"""What the documents say of the command: each `assay …` in them has a command and options that exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from assay.cli.commands import main
from assay.runtimes import registry

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
# CHANGELOG.md names commands that are gone.
PAGES = [name for name in LISTED if name != "CHANGELOG.md" and "assay " in (ROOT / name).read_text(encoding="utf-8")]
# A command line ends where a comment, another command, or a closing backquote begins.
LINE = re.compile(r"(?:^|[`(; ]|&& |\.venv/bin/)assay ((?:-{1,2}\w|[a-z…])[^`#;&|\n]*)", re.MULTILINE)


def lines(text: str) -> Iterator[list[str]]:
    """Yields the words of each command line in backquotes or in a block of code."""
    blocks = re.split(r"^```.*$", text, flags=re.MULTILINE)
    code = [*blocks[1::2], *re.findall(r"`[^`\n]+`", "\n".join(blocks[::2]))]
    for part in code:
        for match in LINE.finditer(re.sub(r"\\\n\s*", "", part)):
            yield match[1].split()


def problem(words: list[str]) -> str:
    """Returns what is wrong with a command line without `assay`."""
    command: click.Command = main
    options: set[str] = set()
    while words and not words[0].startswith("-") and isinstance(command, click.Group):
        if words[0] == "…":
            return ""
        if words[0] not in command.commands:
            return f"there is no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    for part in (main, command):
        options |= {name for item in part.params for name in (*item.opts, *item.secondary_opts)}
    for word in words:
        name = re.match(r"--[a-z][a-z-]*", word.strip("[]"))
        if name and name[0] not in options | {"--help", "--version"}:
            return f"assay {command.name} has no {name[0]}"
    return ""


def test_the_check_finds_what_is_wrong() -> None:
    text = "`assay run --toolchain zig` and `assay gone`\n```\nassay history lists\nassay diff a b --markdwon x  # --no\n```\n"
    found = [problem(words) for words in lines(text)]
    assert sorted(found) == ["", "assay diff has no --markdwon", "there is no command gone", "there is no command lists"]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_of_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [found for words in lines(text) if (found := problem(words))] == []


def test_every_command_has_a_row() -> None:
    table = (ROOT / "harness/README.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in table.splitlines() if line.startswith("| `"))
    assert [name for name in main.commands if f"`assay {name}" not in rows] == []


def test_the_number_of_runtimes_in_the_readme_is_right() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (said,) = re.findall(r"lists the (\d+) runtimes", text)
    assert int(said) == len(registry.known())
