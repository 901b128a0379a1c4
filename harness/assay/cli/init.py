"""`assay init`: a starting configuration in the repository of a runtime.

In: the command line; nothing is asked. Out: an adapter, expectations, a workflow, assay.toml, a README.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from .. import __version__
from ..runtimes import registry
from ..scaffold import repository
from ..scaffold.repository import Answers, ScaffoldError
from .base import EXIT_STATUSES, Unusable, folder_type


@click.command("init", epilog=EXIT_STATUSES)
@click.argument("folder", type=folder_type(), default=".")
@click.option("--name", help="The name of the runtime: a-z, 0-9, - and . (default: that of the program, or of the folder).")
@click.option(
    "--command",
    "line",
    metavar="'PROGRAM WORD…'",
    help="How it runs a component. {dirs}, {env}, {component} and {args} stand for what it is given; what is not there "
    "comes in this order (default: 'NAME run {dirs} {env} {component} {args}').",
)
@click.option(
    "--dir", "directory", default="--dir {host}::{guest}", show_default=True, help="The words for a directory; '': none."
)
@click.option(
    "--env", "variable", default="--env {key}={value}", show_default=True, help="The words for a variable; '': none."
)
@click.option("--toml/--python", "toml", default=True, help="The language of the adapter (default: TOML).")
@click.option(
    "--ci", type=click.Choice(("github", "gitlab", "none")), default="github", show_default=True, help="Whose workflow."
)
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.pass_obj
def init_command(
    root: Path,
    folder: Path,
    name: str | None,
    line: str | None,
    directory: str,
    variable: str,
    toml: bool,
    ci: str,
    force: bool,
) -> None:
    """Write a starting configuration for a runtime into its repository (default: the current folder).

    The runtime may be one that assay knows (`assay runtimes`): then no adapter is written."""
    try:
        words = repository.command_line(line) if line is not None else ()
        name = name or _name(Path(words[0]).name if words else folder.name)
        known = name in [adapter.name for adapter in registry.known()]
        _check(name, known=known, described=line is not None or not toml)
        shared = _of_project(root, repository.SHARED[ci][1]) if ci in repository.SHARED else ""
        there = root / "suites/expectations" / f"{name}.toml"
        answers = Answers(
            name, line or f"{name} run", directory, variable, ci, not toml, known,
            there.read_text(encoding="utf-8") if known and there.is_file() else "", shared,
            f"touchstone-assay=={__version__}",
        )  # fmt: skip
        made = repository.files(answers)
        repository.write(folder, made, force=force)
    except ScaffoldError as error:
        raise Unusable(str(error)) from None
    for path in made:
        click.echo(f"wrote {folder / path}")
    click.echo(f"next: `assay smoke {name}`, then `assay run`; assay/README.md has the rest")


def _name(text: str) -> str:
    """Returns the name of a runtime from that of a program or a folder."""
    name = re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")
    if not registry.NAME.fullmatch(name):
        raise ScaffoldError(f"no name for the runtime can be made of {text!r}: give --name")
    return name


def _check(name: str, *, known: bool, described: bool) -> None:
    if not registry.NAME.fullmatch(name):
        raise ScaffoldError(f"--name {name}: a name is of a-z, 0-9, - and ., and begins with a letter")
    if known and described:
        raise ScaffoldError(
            f"assay has an adapter of {name} already: leave out --command and --python to use it, "
            f"or give another name (--name my-{name})"
        )


def _of_project(root: Path, name: str) -> str:
    """Returns the text of a file of the project, which the wheel brings too."""
    try:
        return (root / name).read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{root / name}: {error.strerror}") from None
