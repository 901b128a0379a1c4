"""Verification of a bundle, offline: whether it is whole, whether its records judge again to the same result, and
whether its suite and profile are those of this installation.

In: the files of a bundle, the cases and profiles that are here. Out: findings, each good, bad or merely told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import judge, record
from ..model import Case
from ..record import Record, RecordError
from ..record.diff import diff
from ..suites.again import judge_again
from . import bundle, certificate, profile, sign
from .assess import assess
from .certificate import Certificate


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `good` is None where it could not be, or is only told."""

    good: bool | None
    words: str


@dataclass(frozen=True)
class Here:
    """What this installation has to compare a bundle with; None where it has no suite."""

    cases: Sequence[Case] | None = None
    profiles: Path | None = None


@dataclass(frozen=True)
class Trust:
    """Whose signature is trusted: a public key or an `allowed_signers` file, and an identity in it."""

    key: Path | None = None
    identity: str = ""


def verify(files: Mapping[str, bytes], here: Here, trust: Trust) -> tuple[Certificate, tuple[Finding, ...]]:
    """Raises `CertificateError` where there is no certificate to verify."""
    made = certificate.parse(files["certificate.json"])
    findings = [*_whole(files), _signature(files, trust)]
    records: list[Record] = []
    for name in sorted(name for name in files if name.startswith("run-")):
        try:
            records.append(record.parse(files[name].decode().removesuffix("\n").split("\n")))
        except (RecordError, UnicodeDecodeError) as error:
            findings.append(Finding(False, f"{name} is no record: {error}"))
    for number, item in enumerate(records, 1):
        findings += _again(number, item)
    findings += _result(made, records)
    findings += _profile(made, here)
    findings += _suite(made, records, here)
    return made, tuple(findings)


def _whole(files: Mapping[str, bytes]) -> Iterator[Finding]:
    changes = bundle.changed(files)
    yield from (Finding(False, words) for words in changes)
    if not changes:
        yield Finding(True, f"all {len(files)} files are as they were made")


def _signature(files: Mapping[str, bytes], trust: Trust) -> Finding:
    there = [name for name in (sign.SSH, sign.MINISIGN) if name in files]
    if not there:
        wanted = trust.key is not None
        return Finding(False if wanted else None, "it is not signed: anybody could have made it")
    try:
        who = sign.verify(files[bundle.SUMS], there[0], files[there[0]], trust.key, trust.identity)
    except sign.SignatureError as error:
        missing = trust.key is None and there[0] == sign.MINISIGN
        return Finding(None if missing else False, f"the signature: {error}")
    return Finding(True if trust.key is not None else None, f"the signature: {who}")


def _again(number: int, item: Record) -> Iterator[Finding]:
    """Judges a record again by the definitions that it holds."""
    if any(info.expect is None for info in item.cases):
        yield Finding(False, f"run {number} has no definitions to judge it by")
        return
    announced = judge.expectations(item.suite.kind, item.expectations, lambda name: f"run {number}: {name}")
    again, kept = judge_again(item, {info.id: info for info in item.cases}, announced)
    changes = diff(item, again).changes
    yield from (Finding(False, f"run {number} judges otherwise: {change.words}") for change in changes)
    if not changes:
        rest = f" (more than a record keeps was needed for {len(kept)} units)" if kept else ""
        yield Finding(True, f"run {number}: {len(item.results)} results judge again to the same verdicts{rest}")


def _result(made: Certificate, records: Sequence[Record]) -> Iterator[Finding]:
    result = assess(made.claim, made.runtime, records)
    same = result == made.assessment
    yield Finding(same, f"the records {'give' if same else 'do not give'} the result of the certificate")
    if not same:
        told = {str(reason) for reason in made.assessment.reasons}
        yield from (Finding(False, str(reason)) for reason in result.reasons if str(reason) not in told)
    suite = {certificate.suite_of(item) for item in records}
    if suite != {made.suite}:
        yield Finding(False, "the suite of the records is not that of the certificate")
    runtimes = {(info.version, info.note, info.digest) for item in records for info in item.present}
    if runtimes != {(made.version, made.note, made.digest)}:
        yield Finding(False, "the runtime of the records is not that of the certificate")


def _profile(made: Certificate, here: Here) -> Iterator[Finding]:
    mine = made.claim.profile
    if here.profiles is None:
        yield Finding(None, "the profile was not compared: there are no profiles here")
        return
    try:
        published = profile.load(here.profiles, mine.name)
        profile.claim(published, "..".join(made.claim.versions), made.claim.extras)
        disputed = profile.disputed(here.profiles.parent / "disputed.tsv")
    except profile.ProfileError as error:
        yield Finding(False, f"the profile is not as it is here: {error}")
        return
    same = (published.world, published.interfaces) == (mine.world, mine.interfaces)
    yield Finding(same, f"the profile {mine.name} is {'as' if same else 'not as'} it is here")
    if strange := sorted(set(made.claim.disputed) - set(disputed)):
        yield Finding(False, f"not disputed here: {', '.join(strange)}")


def _suite(made: Certificate, records: Sequence[Record], here: Here) -> Iterator[Finding]:
    if here.cases is None or not records:
        yield Finding(None, "the suite was not compared: there is none here")
        return
    wanted = {info.id: info for info in map(record.case_info, profile.cases_of(made.claim, here.cases))}
    there = {info.id: info for info in records[0].cases}
    strange = [case for case in there if case not in wanted]
    lacking = [case for case in wanted if case not in there]
    other = [case for case in there if case in wanted and there[case].identity != wanted[case].identity]
    for words, found in (
        ("not in the suite here", strange),
        ("of the suite here that it lacks", lacking),
        ("with another definition or guest than here", other),
    ):
        if found:
            listed = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
            yield Finding(False, f"cases {words} ({len(found)}): {listed}")
    if not (strange or lacking or other):
        yield Finding(True, f"the suite is the one that is here: {len(there)} cases, alike in definition and guest")
