"""`--executor` of `assay run`, and `assay worker`: runs on other machines.

In: the address of a dask scheduler. Out: an executor; or a worker with the cases and runtimes of this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..cases.versions import Wanted
from ..runtimes import search
from ..suites.executor_dask import DaskExecutor, serve
from ..suites.executors import Executor, ExecutorError, LocalExecutor
from ..suites.site import Site
from ..suites.suite import Suite, SuiteError
from .base import (
    CONSOLE,
    Asked,
    Unusable,
    case_suite,
    find_adapters,
    jobs_option,
    only_option,
    runtime_options,
    suites_options,
)

SCHEME = "dask://"

executor_option = click.option(
    "--executor",
    "where",
    metavar="local|dask://HOST:PORT",
    default="local",
    show_default=True,
    help="Where the cases run: on this machine, or on the workers of a dask scheduler (`assay worker`).",
)


def executor_of(where: str) -> Executor:
    """Returns the executor of the command line."""
    if where == "local":
        return LocalExecutor()
    if not where.startswith(SCHEME) or not where.removeprefix(SCHEME):
        raise Unusable(f"--executor {where}: write local or {SCHEME}HOST:PORT")
    try:
        return DaskExecutor(address_of(where), lambda text: CONSOLE.print(text, markup=False))
    except ExecutorError as error:
        raise Unusable(f"--executor {where}: {error}") from None


def address_of(text: str) -> str:
    """Returns the address as dask writes it. `tls://` and others of its own are taken as they are."""
    return f"tcp://{text.removeprefix(SCHEME)}" if text.startswith(SCHEME) or "://" not in text else text


@click.command("worker")
@click.argument("address", metavar="HOST:PORT")
@suites_options
@runtime_options
@only_option
@jobs_option
@click.option("--name", help="What the scheduler calls this worker (default: its address).")
@click.pass_obj
def worker_command(
    root: Path,
    address: str,
    suites: Path | None,
    fixtures: Path | None,
    asked: Asked,
    runtimes: tuple[str, ...],
    jobs: int,
    name: str | None,
) -> None:
    """Be a worker of a dask scheduler, with the cases of this checkout and the runtimes of this machine.

    `dask scheduler` starts a scheduler; `assay run --executor dask://HOST:PORT` sends it work. A worker refuses
    cases and runtimes that it has otherwise than the sender. Anyone who reaches the scheduler can run programs
    on its workers: keep it on a network of your own."""
    adapters, places = find_adapters(root, asked, runtimes)
    try:
        found = search.find(places, runtimes, adapters)
    except ValueError as error:
        raise Unusable(str(error)) from None
    present = {item.runtime.name: item.runtime for item in found if item.runtime is not None}
    if not present:
        raise Unusable("no runtime is installed here, so this worker could run nothing (`assay runtimes` lists them)")

    def make(words: Sequence[str]) -> Suite:
        return case_suite(root, suites, fixtures, places, adapters, versions=Wanted.parse(words))

    site = Site(make, present)
    try:
        number = len(site.suite(()).discover())
        click.echo(f"{number} cases and variants; runtimes: {', '.join(present)}")
        serve(address_of(address), site, jobs, name, click.echo)
    except (SuiteError, ExecutorError) as error:
        raise Unusable(str(error)) from None
