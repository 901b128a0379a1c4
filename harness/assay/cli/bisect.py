"""`assay bisect`: in which version of a runtime the verdict on a check changed.

In: a runtime, a range of its versions, a check. Out: the first bad or the first good version, with the verdicts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from ..history.bisect import GOOD, Bisection, Found, Tried
from ..history.trend import split_unit
from ..model import EXPECT_UNIT, Absent, Case, CaseResult, Verdict
from ..model.versions import RANGE, version_key, within
from ..run.runner import Settings
from ..runtimes import Adapter, Places, Runtime
from ..runtimes.install import InstallError, install
from ..runtimes.versions import available
from ..suites import smoke
from ..suites.cases import Cases
from ..suites.executors import one
from ..suites.suite import SuiteError
from .base import Asked, Unusable, case_suite, find_adapters, runtime_options, suites_options
from .errors import unknown_runtime

EPILOG = """
\b
Exit statuses
  0    a version in which the verdict changed was found
  1    the verdict is the same in the first and in the last version
  2    wrong usage, files that cannot be used, or fewer than two versions that can be used
"""


@dataclass(frozen=True)
class Wanted:
    """What is run in each version."""

    case: Case
    unit: str
    """Empty: the case as a whole."""

    @property
    def name(self) -> str:
        return f"{self.case.id}#{self.unit}" if self.unit else self.case.id

    def tried(self, version: str, result: CaseResult) -> Tried:
        """Returns what a version did; what says nothing about the runtime is a problem."""
        unit = result.unit(self.unit) if self.unit else None
        verdict = unit.verdict if unit is not None else result.verdict
        detail = unit.detail if unit is not None else result.reason
        if self.unit and unit is None:
            return Tried(version, problem="the case did not report the check")
        if verdict in (Verdict.SKIP, Verdict.ERROR):
            return Tried(version, problem=f"not run: {detail or result.reason or verdict.value}")
        value = unit.value if unit is not None else None
        return Tried(version, verdict.value if value is None else f"{verdict.value} {value}", detail)


@click.command("bisect", epilog=EPILOG)
@click.argument("check", metavar="CHECK")
@click.option("--runtime", "-r", "name", required=True, help="The runtime.")
@click.option(
    "--versions", required=True, metavar="FIRST..LAST|LIST", help="A range, as 44..50; or versions with commas, in order."
)
@click.option("--every", is_flag=True, help="Run every version, and print each change.")
@click.option("--install/--no-install", "installing", default=True, help="Install the versions that are absent.")
@click.option("--smoke/--no-smoke", "try_them", default=True, help="Skip a version that fails the smoke test.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON at the end.")
@suites_options
@runtime_options
@click.pass_obj
def bisect_command(
    root: Path,
    check: str,
    name: str,
    versions: str,
    every: bool,
    installing: bool,
    try_them: bool,
    as_json: bool,
    suites: Path | None,
    fixtures: Path | None,
    asked: Asked,
) -> None:
    """Find the version of a runtime in which the verdict on a check changed.

    CHECK is CASE#CHECK, CASE#@expect (how the case ended), a CASE as a whole, or a check that only one case has. Each
    version is installed beside the others, and runs only this case. A version that cannot be used is skipped."""
    listed = _versions(root, asked, name, versions)
    adapters, places = find_adapters(root, asked, [f"{name}@{version}" for version in listed])
    suite = case_suite(root, suites, fixtures, places, adapters)
    prober = Prober(suite, adapters, places, _wanted(suite, check), name, installing, try_them, as_json)
    prober.say(f"{prober.wanted.name} on {len(listed)} versions of {name}: {listed[0]} to {listed[-1]}")
    found = Bisection(listed, prober.probe).search(every=every)
    if as_json:
        click.echo(json.dumps({"check": prober.wanted.name, "runtime": name, **_data(found)}, ensure_ascii=False, indent=1))
    for line in _words(found, name):
        prober.say(line)
    if found.ends is None:
        raise Unusable(f"fewer than two of the {len(listed)} versions of {name} can be used")
    sys.exit(0 if found.before is not None else 1)


@dataclass(frozen=True)
class Prober:
    """Runs the case in a version of the runtime."""

    suite: Cases
    adapters: Sequence[Adapter]
    places: Places
    wanted: Wanted
    name: str
    installing: bool
    try_them: bool
    quiet: bool
    fit: set[str] = field(default_factory=set)
    """The versions that have passed the smoke test."""

    def say(self, line: str) -> None:
        click.echo(line, err=self.quiet)

    def probe(self, version: str) -> Tried:
        tried = self._tried(version)
        words = f"skipped: {tried.problem}" if tried.problem else tried.verdict
        detail = " ".join(tried.detail.split())
        self.say(f"  {version:12} {words}{f': {detail[:160]}' if detail and tried.state != GOOD else ''}")
        return tried

    def _tried(self, version: str) -> Tried:
        adapter = next(adapter for adapter in self.adapters if adapter.name == f"{self.name}@{version}")
        peer = adapter.find(self.places)
        if isinstance(peer, Absent) and self.installing and adapter.about.install is not None:
            try:
                install(adapter, self.places)
            except InstallError as error:
                return Tried(version, problem=f"it cannot be installed: {' '.join(str(error).split())[:300]}")
            peer = adapter.find(self.places)
        if isinstance(peer, Absent):
            return Tried(version, problem=f"absent: {peer.reason}")
        runtime = Runtime(adapter, peer)
        if self.try_them and version not in self.fit and smoke.there(self.suite.fixtures):
            bad = [item for item in smoke.smoke(runtime, self.suite.fixtures, self.places, 1) if item.bad]
            if bad:
                problem = " ".join(bad[0].problem.split())[:200]
                return Tried(version, problem=f"the smoke test fails, so the adapter does not fit it: {problem}")
        self.fit.add(version)
        return self.wanted.tried(version, one(self.suite, self.wanted.case, runtime, Settings(jobs=1)))


def _versions(root: Path, asked: Asked, name: str, text: str) -> tuple[str, ...]:
    """Returns the versions to search: of a range, those of the registry and of --program; or those of a list."""
    adapters, _ = find_adapters(root, asked)
    adapter = next((adapter for adapter in adapters if adapter.name == name), None)
    if adapter is None:
        raise unknown_runtime(name, [item.name for item in adapters], "--runtime")
    if RANGE not in text:
        listed = tuple(dict.fromkeys(version.strip() for version in text.split(",") if version.strip()))
        found = listed
    else:
        given = [item.name.partition("@")[2] for item in adapters if item.name.startswith(f"{name}@")]
        try:
            there = available(adapter.about.install) if adapter.about.install is not None else ()
            found = within({*there, *given}, text)
        except (InstallError, ValueError) as error:
            raise Unusable(f"--versions: {error}") from None
        if not found:
            last = ", ".join(sorted({*there, *given}, key=version_key)[-8:]) or "none"
            raise Unusable(f"--versions {text}: the registry has no such version of {name}; the newest: {last}")
    if len(found) < 2:
        raise Unusable(f"--versions {text}: a search needs two versions, there is {', '.join(found) or 'none'}")
    return found


def _wanted(suite: Cases, check: str) -> Wanted:
    try:
        every = suite.discover()
    except SuiteError as error:
        raise Unusable(str(error)) from None
    case_id, unit = split_unit(check)
    if not case_id:
        having = [case for case in every if any(item.id == unit for item in case.checks) and "@" not in case.id]
        if len(having) != 1:
            listed = "".join(f"\n  {case.id}#{unit}" for case in having)
            raise Unusable(f"{check}: {'no case has this check' if not having else f'write one of{listed}'}")
        return Wanted(having[0], unit)
    case = next((case for case in every if case.id == case_id), None)
    if case is None:
        raise Unusable(f"{check}: there is no case {case_id} (`assay list`)")
    if unit and unit != EXPECT_UNIT and not any(item.id == unit for item in case.checks):
        raise Unusable(f"{check}: the case has no such check: {', '.join(item.id for item in case.checks)}")
    return Wanted(case, unit)


def _words(found: Found, name: str) -> list[str]:
    if found.ends is None:
        return []
    first, last = found.ends
    lines = [f"change: {one.version} {one.verdict} -> {other.version} {other.verdict}" for one, other in found.changes]
    if found.before is None or found.after is None:
        return [*lines, f"no change: {first.verdict} in {name} {first.version}, {last.verdict} in {last.version}"]
    before, after = found.before, found.after
    what = "differing" if before.state == after.state else after.state
    lines.append(f"first {what} version: {name} {after.version} ({after.verdict}), after {before.version} ({before.verdict})")
    if found.between:
        lines.append(f"it may be one of these, which cannot be used: {', '.join(found.between)}")
    return [*lines, *(f"doubtful: {line}" for line in found.doubts)]


def _data(found: Found) -> dict[str, object]:
    def shown(one: Tried | None) -> dict[str, str] | None:
        return None if one is None else asdict(one)

    return {
        "before": shown(found.before),
        "after": shown(found.after),
        "between": list(found.between),
        "doubts": found.doubts,
        "tried": [asdict(one) for one in found.tried.values()],
    }
