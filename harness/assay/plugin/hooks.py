"""The pytest plugin: `pytest --assay suites/p2` makes every case on every runtime found a test. Glue only.

In: case.toml files that pytest collects. Out: test items that run a case and compare its units with the expectations.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from .. import cases
from ..judge import expect
from ..model import Absent, Case, CaseResult, Peer, Verdict
from ..run import runner
from ..runtimes import ADAPTERS, Adapter, OverrideError, Places, places, search


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("assay", "WASI cases")
    group.addoption("--assay", action="store_true", help="collect case.toml files as tests")
    group.addoption(
        "--assay-runtime", action="append", default=[], metavar="NAME", help="only this runtime (repeatable)"
    )
    group.addoption("--assay-program", action="append", default=[], metavar="NAME=PATH", help="where a runtime is")


@dataclass(frozen=True)
class Session:
    """What all items of a pytest session share; runtimes are looked for once."""

    places: Places
    runtimes: tuple[str, ...]

    @cached_property
    def peers(self) -> tuple[tuple[Adapter, Peer], ...]:
        try:
            found = search.find(self.places, self.runtimes)
        except ValueError as error:
            raise pytest.UsageError(f"--assay-runtime: {error}") from None
        for item in found:
            if isinstance(item.peer, Absent) and item.peer.name in self.runtimes:
                raise pytest.UsageError(f"--assay-runtime {item.peer.name}: absent: {item.peer.reason}")
        return tuple((item.adapter, item.peer) for item in found if isinstance(item.peer, Peer))


_SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--assay"):
        names = [adapter.name for adapter in ADAPTERS]
        try:
            found = places(_root(config), config.getoption("--assay-program"), os.environ, names)
        except OverrideError as error:
            raise pytest.UsageError(str(error).replace("--program", "--assay-program")) from None
        config.stash[_SESSION] = Session(found, tuple(config.getoption("--assay-runtime")))


def _root(config: pytest.Config) -> Path:
    for start in (config.invocation_params.dir, config.rootpath):
        for folder in (start, *start.parents):
            if (folder / "suites").is_dir():
                return folder
    return config.rootpath


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name == "case.toml" and _SESSION in parent.config.stash:
        return CaseFile.from_parent(parent, path=file_path)
    return None


class CaseFile(pytest.File):
    """One case.toml; a file that cannot be read is an error of the collection."""

    def collect(self) -> Iterator[pytest.Item]:
        session = self.config.stash[_SESSION]
        suites = next(
            (folder for folder in self.path.parents if folder.name == "suites"), session.places.root / "suites"
        )
        try:
            case = cases.load(self.path, suites, suites.parent / "fixtures")
        except cases.CaseError as error:
            raise self.CollectError(str(error)) from None
        for adapter, peer in session.peers:
            entries = expect.load(suites / "expectations" / f"{adapter.name}.toml")
            yield CaseItem.from_parent(
                self, name=f"{case.id}[{peer.name}]", case=case, adapter=adapter, peer=peer, entries=entries
            )


class CaseItem(pytest.Item):
    """One case on one runtime."""

    def __init__(
        self,
        *,
        name: str,
        parent: pytest.Collector,
        case: Case,
        adapter: Adapter,
        peer: Peer,
        entries: tuple[expect.Entry, ...],
    ) -> None:
        super().__init__(name, parent)
        self.case, self.adapter, self.peer, self.entries = case, adapter, peer, entries

    def runtest(self) -> None:
        places = self.config.stash[_SESSION].places
        result = runner.run_all([self.case], [(self.adapter, self.peer)], places, runner.Settings(jobs=1))[0]
        result = expect.apply(result, self.entries, self.case)
        if result.verdict is Verdict.SKIP:
            pytest.skip(result.reason)
        if result.unexpected:
            raise Unexpected(_story(result))
        if result.verdict is not Verdict.PASS:
            pytest.xfail(
                "; ".join(f"{unit.id}: {unit.expected.reason}" for unit in result.units if unit.expected) or "a SHOULD"
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, Unexpected):
            return str(excinfo.value)
        return str(excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class Unexpected(Exception):
    """A result that the expectations do not announce."""


def _story(result: CaseResult) -> str:
    lines = [f"{result.case} on {result.runtime}: {result.verdict.value}", f"argv: {list(result.observation.argv)}"]
    lines.append(f"ended: {result.observation.outcome}")
    for unit in result.units:
        if unit.unexpected:
            announced = f" (announced: {unit.expected.reason})" if unit.expected else ""
            lines.append(f"  {unit.verdict.value} {unit.id}: {unit.detail}{announced}")
    stderr = result.observation.stderr[-2000:].decode("utf-8", "backslashreplace").rstrip()
    return "\n".join([*lines, *(["stderr:", stderr] if stderr else [])])
