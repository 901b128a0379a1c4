"""`assay certify` and `assay verify`: a claim of a runtime, tried in several runs; and a bundle of somebody else.

In: the command line. Out: a bundle with its page and badge; what was found; the exit status.
"""

from __future__ import annotations

import secrets
import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ..certify import assess, bundle, certificate, page, profile, sign
from ..certify import verify as verification
from ..model import Case, Verdict, locations
from ..record import Record, origin
from ..run.runner import Settings
from ..runtimes import Runtime, search
from ..suites.cases import Cases
from ..suites.driver import Plan
from ..suites.suite import SuiteError
from .base import (
    Asked,
    Positive,
    Unusable,
    case_suite,
    file_type,
    find_adapters,
    folder_type,
    jobs_option,
    options,
    runtime_options,
    suites_options,
)
from .drive import driven
from .errors import absent_runtime, unknown_runtime
from .run import MOST_SEED
from .runtimes import refuse_untrue

SHOWN = 20
STATUSES = """
\b
Exit statuses
  0    certified (verify: certified, and everything that was looked at is as it should be)
  1    not certified; the bundle says why (verify: not certified, or something is not as it should be)
  2    wrong usage, or files that cannot be used; nothing was run
  130  interrupted (Ctrl-C, SIGTERM): no bundle is written
"""


@click.command("certify", epilog=STATUSES)
@click.argument("runtime")
@click.option("--profile", "name", required=True, help="What is claimed: a file of suites/profiles/ without its ending.")
@click.option("--wasi", "versions", default="", metavar="LOW..HIGH", help="Versions claimed (default: the profile's).")
@click.option("--claim", "extras", multiple=True, help="An extra of the profile that is claimed too (repeatable).")
@click.option(
    "--runs", type=click.IntRange(min=assess.RUNS), default=assess.RUNS, show_default=True, help="How often each case runs."
)
@click.option("--sign", "key", type=file_type(exists=True), help="Sign with this private key (SSH or minisign).")
@click.option("--output", type=folder_type(), help="Where it goes (default: reports/certificates/RUNTIME-PROFILE).")
@click.option("--timeout-factor", type=Positive(), default=1.0, show_default=True, help="Multiply every time limit.")
@jobs_option
@options(suites_options, runtime_options)
@click.pass_obj
def certify_command(
    root: Path,
    runtime: str,
    name: str,
    versions: str,
    extras: tuple[str, ...],
    runs: int,
    key: Path | None,
    output: Path | None,
    timeout_factor: float,
    jobs: int,
    suites: Path | None,
    fixtures: Path | None,
    asked: Asked,
) -> None:
    """Try what a runtime claims, several times, and write a bundle that others can verify.

    A runtime is certified for a profile if every MUST of its cases holds in every run. No case may be skipped, and
    the runs must be alike. The rules are in suites/CERTIFICATION.md."""
    folder = suites or root / "suites"
    claimed = _claim(folder / "profiles", name, versions, extras)
    adapters, places = find_adapters(root, asked, (runtime,))
    if runtime not in [adapter.name for adapter in adapters]:
        raise unknown_runtime(runtime, [adapter.name for adapter in adapters])
    suite = case_suite(root, suites, fixtures, places, adapters)
    try:
        cases = profile.cases_of(claimed, _discovered(suite))
    except profile.ProfileError as error:
        raise Unusable(str(error)) from None
    found = search.find(places, (runtime,), adapters)
    refuse_untrue(found, suite.fixtures, places)
    there = next((item.runtime for item in found if item.runtime is not None), None)
    if there is None:
        raise absent_runtime(runtime, next(item.reason for item in found))
    log = _Log()
    log.say(f"{claimed.profile.name}, WASI {' to '.join(claimed.versions)}: {len(cases)} cases on {there.peer.version}")

    def settings() -> Settings:
        seed = secrets.randbelow(MOST_SEED + 1)
        return Settings(jobs=jobs, timeout_factor=timeout_factor, seed=seed, when=datetime.now(UTC))

    records = _run(suite, cases, there, runs, settings, log)
    result = assess.assess(claimed, runtime, records)
    made = certificate.of(
        claimed, result, runtime, records, _command(runtime, claimed, runs, asked), origin.machine_json(records[0].machine)
    )
    _report(made, log)
    target = output or locations.workplace(root) / "reports" / "certificates" / f"{runtime}-{claimed.profile.name}"
    _write(target, bundle.files_of(made, records, log.text), key)
    sys.exit(0 if result.certified else 1)


@click.command("verify", epilog=STATUSES)
@click.argument("file", type=file_type(exists=True))
@click.option("--key", type=file_type(exists=True), help="Whom to trust: minisign's public key, or an `allowed_signers` file.")
@click.option("--identity", default="", help="Who of the `allowed_signers` must have signed.")
@options(suites_options)
@click.pass_obj
def verify_command(
    root: Path, file: Path, key: Path | None, identity: str, suites: Path | None, fixtures: Path | None
) -> None:
    """Verify a bundle of `assay certify`, without a network and without running anything."""
    if identity and key is None:
        raise Unusable("--identity belongs to --key")
    folder = suites or root / "suites"
    profiles = folder / "profiles"
    try:
        files = bundle.read(file)
        here = verification.Here(_cases_here(root, folder, fixtures), profiles if profiles.is_dir() else None)
        made, findings = verification.verify(files, here, verification.Trust(key, identity))
    except (bundle.BundleError, certificate.CertificateError) as error:
        raise Unusable(str(error)) from None
    claimed, result = made.claim, made.assessment
    click.echo(f"{made.runtime} ({made.version}) claims {claimed.profile.name}, WASI {' to '.join(claimed.versions)}")
    click.echo(f"besides: {', '.join(claimed.extras) or 'nothing'}; made {made.made} by {made.harness}")
    click.echo(f"program: SHA-256 {made.digest}")
    for finding in findings:
        click.echo(f"  {'ok ' if finding.good else '-- ' if finding.good is None else 'NO '} {finding.words}")
    bad = sum(finding.good is False for finding in findings)
    words = "certified" if result.certified else f"not certified ({len(result.reasons)} reasons)"
    click.echo(f"{words}, verified" if not bad else f"{words}, but {bad} findings are against it")
    sys.exit(0 if result.certified and not bad else 1)


def _claim(profiles: Path, name: str, versions: str, extras: Sequence[str]) -> profile.Claim:
    try:
        disputed = profile.disputed(profiles.parent / "disputed.tsv")
        return profile.claim(profile.load(profiles, name), versions, extras, disputed)
    except profile.ProfileError as error:
        raise Unusable(str(error)) from None


def _discovered(suite: Cases) -> tuple[Case, ...]:
    try:
        return suite.discover()
    except SuiteError as error:
        raise Unusable(str(error)) from None


def _cases_here(root: Path, folder: Path, fixtures: Path | None) -> tuple[Case, ...] | None:
    """Returns the cases of this installation, or None where it has none."""
    if not (folder / "p2").is_dir():
        return None
    _, places = find_adapters(root, Asked())
    return _discovered(case_suite(root, folder, fixtures, places))


class _Log:
    """What the command prints, which the bundle keeps."""

    def __init__(self) -> None:
        self.text = ""

    def say(self, words: str) -> None:
        click.echo(words)
        self.text += f"{words}\n"


def _run(
    suite: Cases, cases: tuple[Case, ...], runtime: Runtime, runs: int, settings: Callable[[], Settings], log: _Log
) -> list[Record]:
    records = []
    for number in range(1, runs + 1):
        made = driven(Plan(suite, cases, (runtime,), (runtime.name,), settings()), None)
        if made.partial:
            click.echo(f"interrupted in run {number}: no bundle is written")
            sys.exit(130)
        passed = sum(result.verdict is Verdict.PASS for result in made.results)
        log.say(f"run {number} of {runs}: {passed} of {len(made.results)} cases pass (seed {made.seed})")
        records.append(made)
    return records


def _command(runtime: str, claimed: profile.Claim, runs: int, asked: Asked) -> tuple[str, ...]:
    """Returns the command line that repeats it. Where a program was named, only its name is told."""
    words = ["assay", "certify", runtime, "--profile", claimed.profile.name, "--wasi", "..".join(claimed.versions)]
    words += [word for extra in claimed.extras for word in ("--claim", extra)]
    words += ["--runs", str(runs)] if runs != assess.RUNS else []
    for item in asked.programs:
        name, _, program = item.partition("=")
        first, *rest = shlex.split(program) or [""]
        words += ["--program", f"{name}={shlex.join([Path(first).name, *rest])}"]
    return tuple(words)


def _report(made: certificate.Certificate, log: _Log) -> None:
    result = made.assessment
    for count in result.counts:
        parts = [f"{level} {held} of {many}" for level, (held, many) in (("MUST", count.must), ("SHOULD", count.should)) if many]
        log.say(f"  {count.interface:34} {', '.join(parts)}")
    for reason in result.reasons[:SHOWN]:
        log.say(f"  {reason}")
    if len(result.reasons) > SHOWN:
        log.say(f"  and {len(result.reasons) - SHOWN} more reasons, in certificate.json")
    words = "certified" if result.certified else f"not certified, for {len(result.reasons)} reasons,"
    log.say(f"{made.runtime} is {words} for {made.claim.profile.name}, WASI {page.versions(made)}")


def _write(target: Path, files: dict[str, bytes], key: Path | None) -> None:
    try:
        if key is not None:
            name, signature = sign.sign(files[bundle.SUMS], key)
            files = {**files, name: signature}
        bundle.write(target / "bundle.zip", files)
        for name in ("certificate.html", "badge.svg"):
            (target / name).write_bytes(files[name])
    except (OSError, sign.SignatureError) as error:
        raise Unusable(f"the bundle cannot be written: {error}") from None
    click.echo(f"bundle: {target / 'bundle.zip'} (also certificate.html and badge.svg there)")
