"""`assay build-guest`: makes the components of cases from their sources.

In: ids of cases; a source beside case.toml, or in fixtures/src of a checkout. Out: a component beside its source, or in
fixtures/built.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import click

from ..model import locations
from .base import EXIT_STATUSES, Unusable, folder_type
from .new_case import builder_of


@click.command("build-guest", epilog=EXIT_STATUSES)
@click.argument("case_ids", metavar="CASE...", nargs=-1, required=True)
@click.option("--suites", type=folder_type(exists=True), help="Folder of cases (default: suites/).")
@click.pass_obj
def build_guest_command(root: Path, case_ids: tuple[str, ...], suites: Path | None) -> None:
    """Build the guests of cases, such as `assay new-case` makes them.

    A source beside case.toml becomes a component there. It needs clang, wasm-ld and wasm-tools, or what
    `pip install 'touchstone-assay[guests]'` brings."""
    folder = suites or locations.workplace(root) / "suites"
    builder = builder_of(root)
    words = [_source(root, folder, case) for case in case_ids]
    beside = [word for word in words if isinstance(word, Path)]
    names = [word for word in words if isinstance(word, str)]
    with tempfile.TemporaryDirectory(prefix="assay-guests-") as work:
        for given in (["--source", *map(str, beside)] if beside else [], names):
            if given:
                _build([str(builder), *given], Path(work))


def _source(root: Path, folder: Path, case: str) -> Path | str:
    """Returns the source of a case's guest beside its case.toml, or else the name of a guest of fixtures/src."""
    path = folder / case / "case.toml"
    try:
        component = tomllib.loads(path.read_text(encoding="utf-8")).get("component")
    except FileNotFoundError:
        raise Unusable(f"{case}: there is no {path} (`assay new-case {case}` makes a case)") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unusable(f"{path}: {error}") from None
    if not isinstance(component, str) or Path(component).name != component:
        raise Unusable(f"{path}: `component` is not the name of a file")
    name = Path(component).stem
    for suffix in (".c", ".wat"):
        if (path.parent / f"{name}{suffix}").is_file():
            return path.parent / f"{name}{suffix}"
    if not locations.installed(root) and any((root / "fixtures/src").glob(f"*/{name}.*")):
        return name
    raise Unusable(f"{case}: there is no source of its guest: neither {path.parent / name}.c nor {name}.wat beside it")


def _build(argv: list[str], work: Path) -> None:
    """Builds guests. What is made along the way goes to a folder that is removed."""
    done = subprocess.run(
        [sys.executable, *argv], env={**os.environ, "BUILD": str(work)}, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise Unusable(done.stdout.strip() or f"{argv[0]} ended with {done.returncode}")
    click.echo(done.stdout, nl=False)
