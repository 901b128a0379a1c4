"""`assay run`: the cases on the runtimes.

In: the command line. Out: a plan for the driver; the record and its reports.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ..cases.toolchains import of_guests
from ..cases.versions import Wanted
from ..model import Case
from ..record import Record, Shard
from ..run.runner import Settings
from ..runtimes import registry, search
from ..runtimes.search import Found
from ..suites import shards
from ..suites.cases import Cases
from ..suites.driver import Plan
from .base import (
    EXIT_STATUSES,
    Asked,
    Choice,
    Positive,
    Project,
    Retry,
    Unusable,
    case_suite,
    choice_options,
    chosen,
    find_adapters,
    folder_type,
    jobs_option,
    named,
    only_option,
    options,
    refuse_installed,
    resume_options,
    retry_options,
    runtime_options,
    smoke_option,
    warn_of_strangers,
    without_left_out,
)
from .drive import resumable, resumed, run_plan, say_absent
from .durations import durations_option
from .errors import unknown_runtime
from .executors import executor_of, executor_option
from .formats import write_reports
from .runtimes import refuse_untrue, without_on_demand
from .toolchains import make_guests

MOST_SEED = (1 << 53) - 1
"""Larger numbers are not the same in every reader of JSON."""


class ShardType(click.types.ParamType[tuple[int, int]]):
    """I/N."""

    name = "I/N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        try:
            return shards.parse(str(value))
        except shards.ShardError as error:
            self.fail(str(error), param, ctx)


@click.command("run", epilog=EXIT_STATUSES)
@choice_options
@options(runtime_options, only_option)
@click.option("--output", type=folder_type(), help="Where the record and the reports go (default: reports/latest).")
@click.option(
    "--expectations", type=folder_type(), help="Folder of expectations (default: expectations/ in the folder of cases)."
)
@click.option("--update-expectations", is_flag=True, help="Rewrite the expectations of the runtimes that ran.")
@click.option(
    "--gate",
    multiple=True,
    help="Judge only this runtime (repeatable; default: every one that is found, and those of -r).",
)
@jobs_option
@click.option("--strict", is_flag=True, help="A failing SHOULD fails its case and, unless it is announced, the run.")
@click.option("--trace/--no-trace", default=True, help="Let touchstone trace the host calls.")
@click.option(
    "--timeout-factor", type=Positive(), default=1.0, show_default=True, help="Multiply every case's time limit."
)
@click.option(
    "--seed",
    type=click.IntRange(0, MOST_SEED),
    help="Give the nonces of the cases the tokens of this seed (default: a random one, which the record has).",
)
@retry_options
@click.option(
    "--shard",
    "part",
    type=ShardType(),
    help="Run part I of N of the chosen cases, always the same ones, on any machine. `assay merge` joins the records.",
)
@executor_option
@smoke_option
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the folder of every run, with its command line: kept/RUNTIME/CASE beside the record.",
)
@click.option(
    "--toolchain",
    "toolchains",
    multiple=True,
    metavar="NAME[@VERSION]",
    help="Run only the cases of this toolchain, with guests that it makes now: the version that is here, or one that "
    "its registry has (repeatable).",
)
@options(resume_options, durations_option)
@click.pass_obj
def run_command(
    root: Path,
    choice: Choice,
    asked: Asked,
    runtimes: tuple[str, ...],
    output: Path | None,
    expectations: Path | None,
    update_expectations: bool,
    gate: tuple[str, ...],
    jobs: int,
    strict: bool,
    trace: bool,
    timeout_factor: float,
    seed: int | None,
    retry: Retry,
    part: tuple[int, int] | None,
    where: str,
    try_them: bool,
    keep: bool,
    toolchains: tuple[str, ...],
    resume: bool,
    rerun_changed: bool,
    durations: int | None,
) -> None:
    """Run the cases on every runtime found, and write the record and its reports."""
    if update_expectations:
        refuse_installed(root, expectations or choice.suites, "--expectations FOLDER")
    executor = executor_of(where)
    if where != "local" and (keep or toolchains):
        raise Unusable(f"--executor {where}: --keep and --toolchain work on this machine only; leave them out")
    target = output or Project(root).latest
    path = target / "results.jsonl"
    versions = tuple(name for name, _ in choice.versions.others)
    adapters, places = find_adapters(root, asked, (*runtimes, *gate, *versions))
    known = [adapter.name for adapter in adapters]
    for option, given in (("--gate", gate), ("--runtime", runtimes), ("--versions", versions)):
        for name in given:
            if name not in known and not (option == "--gate" and name == "all"):
                raise unknown_runtime(name, known, option)
    asked_for = named(**vars(choice.selection), versions=choice.versions.words, runtimes=runtimes)
    everything = not (asked_for or toolchains or part)
    begun = resumable(path, resume=resume, rerun_changed=rerun_changed, everything=everything)
    variants = Wanted.parse(begun.suite.versions) if begun is not None else choice.versions
    guests = make_guests(root, toolchains) if toolchains else None
    suite = case_suite(root, choice.suites, choice.fixtures, places, adapters, expectations, variants, guests)
    wanted = chosen(root, suite, choice.selection, choice.earlier, runtimes)
    if guests is not None and not (wanted := of_guests(wanted, guests)):
        raise Unusable(f"--toolchain {' '.join(toolchains)}: none of the cases that are chosen has a guest of it")
    warn_of_strangers(suite.folder, adapters)
    if begun is not None:
        runtimes = tuple(runtime.name for runtime in begun.runtimes)
        if missing := set(runtimes) - set(known):
            raise Unusable(f"--resume: the record has {', '.join(sorted(missing))}, which needs --also again")
    found = without_on_demand(search.find(places, runtimes, adapters), runtimes)
    say_absent(found)
    if try_them:
        refuse_untrue(found, suite.fixtures, places)
    kept = target / "kept" if keep else None
    wanted = without_left_out(suite, wanted, [item.runtime.name for item in found if item.runtime is not None])
    mine, shard = _part(wanted, part)
    plan = Plan(
        suite,
        mine,
        tuple(item.column for item in found),
        _gate(gate, runtimes, suite, found),
        Settings(trace, strict, jobs, timeout_factor, kept, _seed(seed), retry.times, retry.allow_flaky, datetime.now(UTC)),
        shard,
    )
    plan = resumed(plan, begun, gate)

    def reports(made: Record) -> Path:
        page = write_reports(made, target, path, root)
        if kept is not None:
            click.echo(f"kept: {kept}/RUNTIME/CASE, each with command.sh")
        return page

    run_plan(
        plan,
        path,
        begun=begun,
        rerun_changed=rerun_changed,
        update=update_expectations,
        executor=executor,
        durations=durations,
        reports=reports,
    )


def _part(cases: tuple[Case, ...], part: tuple[int, int] | None) -> tuple[tuple[Case, ...], Shard | None]:
    """Returns the cases of the part that was asked for, or all."""
    if part is None:
        return cases, None
    try:
        return shards.shard(cases, *part)
    except shards.ShardError as error:
        raise Unusable(f"--shard {error}") from None


def _seed(given: int | None) -> int:
    return secrets.randbelow(MOST_SEED + 1) if given is None else given


def _gate(gate: Sequence[str], named: Sequence[str], suite: Cases, found: Sequence[Found]) -> tuple[str, ...]:
    """Returns the runtimes that are judged: those of --gate; or else those of -r, and those that were found.

    One of the package's own is not judged unasked where nothing says what is known of it: its first results
    would all be unexpected."""
    if "all" in gate:
        return suite.runtimes
    package = {adapter.name for adapter in registry.known() if not adapter.reference}
    there = {
        item.runtime.name
        for item in found
        if item.runtime is not None and (item.adapter.name not in package or suite.has_expectations(item.adapter.name))
    }
    return tuple(dict.fromkeys(gate)) or tuple(name for name in suite.runtimes if name in there or name in named)
