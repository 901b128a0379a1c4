#!/usr/bin/env python3
"""Writes the manual pages and the shell completions of both commands.

Usage: make/pages.py touchstone PROGRAM FOLDER      (from what PROGRAM --help prints)
       make/pages.py assay FOLDER                   (from the click commands; needs the packages of .venv)
In: a command. Out: below FOLDER, laid out as below share/: man/man1/*.1, bash-completion/completions/NAME,
zsh/site-functions/_NAME, fish/vendor_completions.d/NAME.fish. The date of a page is SOURCE_DATE_EPOCH, or today.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PLACES = {"bash": "bash-completion/completions/{}", "zsh": "zsh/site-functions/_{}", "fish": "fish/vendor_completions.d/{}.fish"}
FILES = re.compile(r"\b(FILE|FOLDER|HOST\[|COMPONENT|SCRIPT)")
"""Arguments that are paths, also as a part."""


@dataclass(frozen=True)
class Option:
    """One option: `--dir`, what it takes (empty: nothing), what it does."""

    name: str
    takes: str
    does: str

    @property
    def is_path(self) -> bool:
        return bool(FILES.search(self.takes))


@dataclass(frozen=True)
class Command:
    """A subcommand: its name, its usage, what it does, its options."""

    name: str
    usage: str
    does: str
    options: tuple[Option, ...]


def printed(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, env={**os.environ, "LANG": "C.UTF-8"}).stdout


def date() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))


# --- what --help prints ---------------------------------------------------------------------------


def entries(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields the term and the text of each entry of a block; a line that is indented more goes on."""
    term, texts = "", list[str]()
    for line in lines:
        found = re.fullmatch(r"  (\S.*?)(?:  +(\S.*))?", line)
        if found:
            if term:
                yield term, " ".join(texts)
            term, texts = found[1], [found[2]] if found[2] else []
        else:
            texts.append(line.strip())
    if term:
        yield term, " ".join(texts)


def blocks(text: str) -> list[list[str]]:
    return [block.splitlines() for block in text.rstrip().split("\n\n")]


def usages(text: str) -> list[tuple[str, str]]:
    """Returns each usage line of a help text, and what it does."""
    block = next(block for block in blocks(text) if block[0].startswith("  touchstone "))
    return [(term, does) for term, does in entries(block)]


def options(text: str, usage: str) -> tuple[Option, ...]:
    """Returns the options of a help text, and those in the usage line."""
    found = {name: Option(name, takes or "", "") for name, takes in re.findall(r"\[(--?[\w-]+)(?: ([A-Z]+))?\]", usage)}
    for block in blocks(text):
        for term, does in entries([line for line in block[1:] if line.startswith("  ")]):
            if match := re.match(r"(--?[\w-]+)(?:[ =]|\[=)?(.*)", term):
                found[match[1]] = Option(match[1], match[2].rstrip("]"), does)
    return tuple(found.values())


def commands(program: str) -> list[Command]:
    """Returns the subcommands, each with the options that its own help lists."""
    made = []
    for usage, does in usages(printed(program, "--help")):
        name = usage.split()[1]
        if re.fullmatch(r"[a-z]+", name):
            made.append(Command(name, usage, does, options(printed(program, name, "--help"), usage)))
    return made


# --- a manual page --------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """Returns a text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("–", "\\(en")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def page(program: str) -> str:
    """Returns the manual page of touchstone."""
    text = printed(program, "--help")
    title, *rest = blocks(text)
    name, version, what = re.fullmatch(r"(\S+) ([\d.]+): (.*)", title[0]).groups()  # type: ignore[union-attr]
    lines = [f'.TH {name.upper()} 1 {date()} "{name} {version}" "User Commands"', ".SH NAME", f"{name} \\- {escaped(what)}"]
    lines += [".SH SYNOPSIS"]
    for number, (usage, _) in enumerate(usages(text)):
        lines += [*([".PP"] if number else []), f"\\fB{escaped(usage.split()[0])}\\fR {escaped(usage.partition(' ')[2])}"]
    lines += [".SH DESCRIPTION"]
    for usage, does in usages(text):
        if does:
            lines += [".TP", f"\\fB{escaped(usage)}\\fR", f"{escaped(does[0].upper() + does[1:])}."]
    for block in rest:
        if not block[0].startswith("  touchstone "):
            lines += section(block)
    lines += [".SH SEE ALSO", ".BR assay (1)"]
    return "\n".join(lines) + "\n"


def section(block: Sequence[str]) -> list[str]:
    """Returns a block of the help as a section: entries as a list, other lines as they are."""
    head, _, more = block[0].partition(":")
    if len(block) == 1:
        return [".SH OPTIONS", escaped(block[0])]
    lines = [f".SH {escaped(head.upper())}"]
    if more.strip():
        lines.append(escaped(more.strip()))
    if not re.match(r"Exit status|Members", head):
        for term, does in entries(block[1:]):
            lines += [".TP", f"\\fB{escaped(term)}\\fR", escaped(does) or "\\&"]
        return lines
    return [*lines, *([".PP"] if more.strip() else []), ".nf", *(escaped(line.strip()) for line in block[1:]), ".fi"]


# --- completions ----------------------------------------------------------------------------------


def bash(found: Sequence[Command]) -> str:
    cases = "".join(
        f"    {command.name})\n        options='{' '.join(option.name for option in command.options)}'\n"
        f"        takes='{' '.join(option.name for option in command.options if option.takes and not option.is_path)}' ;;\n"
        for command in found
    )
    return f"""# bash completion of touchstone; written by make/pages.py
_touchstone() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= word options= takes=
    COMPREPLY=()
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in {"|".join(command.name for command in found)}) command=$word; break ;; esac
    done
    case $command in
{cases}    *)
        mapfile -t COMPREPLY < <(compgen -W "{" ".join(command.name for command in found)} --help --version" -- "$current")
        mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -X '!*.wasm' -- "$current")
        return ;;
    esac
    case " $takes " in *" $before "*) return ;; esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$current")
    else
        compopt -o filenames 2> /dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}}
complete -F _touchstone touchstone
"""


def quoted(text: str) -> str:
    """Returns a text for a word of zsh or fish between single quotes, without what their syntax reads."""
    return re.sub(r"[\[\]:\\]", " ", text.replace("'", "’")).strip()


def zsh(found: Sequence[Command]) -> str:
    listed = "\n".join(f"    '{command.name}:{quoted(command.does)}'" for command in found)
    cases = ""
    for command in found:
        specs = []
        for option in command.options:
            after = "" if not option.takes else f":{quoted(option.takes) or 'value'}:{'_files' if option.is_path else ' '}"
            specs.append(f"        '*{option.name}[{quoted(option.does)}]{after}'")
        cases += f"  {command.name})\n    _arguments \\\n" + " \\\n".join([*specs, "        '*:file:_files'"]) + " ;;\n"
    return f"""#compdef touchstone
# written by make/pages.py
local -a commands
commands=(
{listed}
)
if (( CURRENT == 2 )); then
  _describe command commands
  _files -g '*.wasm'
  return
fi
shift words
(( CURRENT-- ))
case $words[1] in
{cases}  *) _files ;;
esac
"""


def fish(found: Sequence[Command]) -> str:
    lines = ["# written by make/pages.py"]
    for command in found:
        lines.append(f"complete -c touchstone -n __fish_use_subcommand -a {command.name} -d '{quoted(command.does)}'")
    for command in found:
        for option in command.options:
            kind = "-l" if option.name.startswith("--") else "-s"
            needs = "" if not option.takes else " -r -F" if option.is_path else " -x"
            lines.append(
                f"complete -c touchstone -n '__fish_seen_subcommand_from {command.name}' {kind} {option.name.lstrip('-')}{needs} "
                f"-d '{quoted(option.does)}'"
            )
    return "\n".join(lines) + "\n"


# --- the commands ---------------------------------------------------------------------------------


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def touchstone(program: str, folder: Path) -> None:
    found = commands(program)
    write(folder, "man/man1/touchstone.1", page(program))
    for shell, made in (("bash", bash(found)), ("zsh", zsh(found)), ("fish", fish(found))):
        write(folder, PLACES[shell].format("touchstone"), made)


def assay(folder: Path) -> None:
    from assay import __version__
    from assay.cli import main
    from click.shell_completion import get_completion_class
    from click_man.core import write_man_pages

    (folder / "man/man1").mkdir(parents=True, exist_ok=True)
    write_man_pages("assay", main, version=f"assay {__version__}", date=date(), target_dir=str(folder / "man/man1"))
    for shell, place in PLACES.items():
        kind = get_completion_class(shell)
        assert kind is not None
        write(folder, place.format("assay"), kind(main, {}, "assay", "_ASSAY_COMPLETE").source())


def arguments() -> int:
    if len(sys.argv) == 4 and sys.argv[1] == "touchstone":
        touchstone(sys.argv[2], Path(sys.argv[3]))
    elif len(sys.argv) == 3 and sys.argv[1] == "assay":
        assay(Path(sys.argv[2]))
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(arguments())
