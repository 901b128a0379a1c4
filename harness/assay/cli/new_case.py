"""`assay new-case`: the files of a new case, and the commands that come next.

In: the id of a case, requirements. Out: files below fixtures/src and suites; lines on the terminal.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from ..cases import requirements
from ..cases.catalogue import CatalogueError
from ..model import locations
from ..scaffold import case as scaffold
from .base import Unusable


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
    until the guest tries them. No Rust is needed: the C bindings are part of the project. Outside of a checkout, the
    case and its guest go into suites/ of the current folder; the extra `guests` brings the compiler."""
    if (new_id is None) != (function is None) or (new_id is None and text is not None):
        raise Unusable("--new ID and --function NAME belong together; --text and --level are about that requirement")
    alone = locations.installed(root)
    place = locations.workplace(root)
    builder_of(root)
    new = []
    if new_id is not None and function is not None:
        new.append(scaffold.New(new_id, function, level, text or "recorded: the result"))
    try:
        known = requirements.requirements(root / "suites")
        made = scaffold.new_case(case_id, checks, new, known, title=title or "", wat=wat, alone=alone)
        scaffold.write(place, made)
    except (scaffold.NewCaseError, CatalogueError) as error:
        raise Unusable(str(error)) from None
    except OSError as error:
        raise Unusable(f"the files cannot be written: {error}") from None
    for name in (*made.files, *made.rows):
        click.echo(f"{'added to' if name in made.rows else 'wrote'} {name}")
    for line in (*made.todo, *_absent(root, wat)):
        click.echo(f"to do: {line}")
    click.echo("next:")
    for command in _next(root, made):
        click.echo(f"  {command}")


def builder_of(root: Path) -> Path:
    """Returns the script that builds guests. A project without it is refused."""
    builder = root / "fixtures" / "build.py"
    if not builder.is_file():
        raise Unusable(f"{root} has no fixtures/build.py, so no guest can be built there: run this in a checkout of touchstone")
    return builder


def _next(root: Path, made: scaffold.Made) -> tuple[str, ...]:
    """The commands that come next."""
    if locations.installed(root):
        first = f"assay explain {made.checks[0]}"
        return f"assay build-guest {made.case}", f"assay run --suites suites {made.case}", first
    assay = ".venv/bin/assay" if (root / ".venv/bin/assay").is_file() else "assay"
    return f"fixtures/build.py {made.guest}", f"{assay} run {made.case}", f"{assay} explain {made.checks[0]}"


def _absent(root: Path, wat: bool) -> list[str]:
    """How to get the tools that building the guest needs and that are absent, a line each."""
    argv = [sys.executable, str(root / "fixtures/tools.py"), *(["--wat"] if wat else [])]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
