"""The pytest plugin: `pytest --assay suites/p2` makes every case on every runtime a test.

In: case.toml files that pytest collects. Out: test items that run a case and compare its units with the
expectations.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from .. import cases
from ..judge.expect import ExpectationError, Expectations
from ..model import Case, CaseResult, Verdict
from ..run.runner import Settings
from ..runtimes import OverrideError, Places, Runtime, places, registry, search
from ..suites import executors
from ..suites.cases import Cases


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("assay", "WASI cases")
    group.addoption("--assay", action="store_true", help="collect case.toml files as tests")
    group.addoption(
        "--assay-runtime", action="append", default=[], metavar="NAME", help="only this runtime (repeatable)"
    )
    group.addoption("--assay-program", action="append", default=[], metavar="NAME=PATH", help="where a runtime is")


@dataclass(frozen=True)
class Session:
    """What all items of a pytest session share. Runtimes are looked for once."""

    places: Places
    runtimes: tuple[str, ...]

    @cached_property
    def found(self) -> tuple[Runtime, ...]:
        try:
            found = search.find(self.places, self.runtimes, registry.known())
        except ValueError as error:
            raise pytest.UsageError(f"--assay-runtime: {error}") from None
        for item in found:
            if item.runtime is None and item.peer.name in self.runtimes:
                raise pytest.UsageError(f"--assay-runtime {item.peer.name}: absent: {item.reason}")
        return tuple(item.runtime for item in found if item.runtime is not None)

    @cached_property
    def suites(self) -> dict[Path, Cases]:
        """The suites by their folders, so that a component is compiled once in a session."""
        return {}

    def suite(self, folder: Path) -> Cases:
        names = [runtime.name for runtime in self.found]
        made = Cases(folder, folder.parent / "fixtures", folder / "expectations", self.places, names)
        return self.suites.setdefault(folder, made)


_SESSION = pytest.StashKey[Session]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--assay"):
        names = [adapter.name for adapter in registry.known()]
        folders = [adapter.name for adapter in registry.known() if adapter.about.folder]
        try:
            found = places(_root(config), config.getoption("--assay-program"), os.environ, names, folders)
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
    """One case.toml. A file that cannot be read is an error of the collection."""

    def collect(self) -> Iterator[pytest.Item]:
        session = self.config.stash[_SESSION]
        suites = next(
            (folder for folder in self.path.parents if folder.name == "suites"), session.places.root / "suites"
        )
        suite = session.suite(suites)
        try:
            case = cases.load(self.path, suites, suite.fixtures)
            announced = suite.expectations()
        except (cases.CaseError, ExpectationError) as error:
            raise self.CollectError(str(error)) from None
        for runtime in session.found:
            yield CaseItem.from_parent(
                self,
                name=f"{case.id}[{runtime.name}]",
                case=case,
                runtime=runtime,
                suite=suite,
                announced=announced,
            )


class CaseItem(pytest.Item):
    """One case on one runtime."""

    def __init__(
        self,
        *,
        name: str,
        parent: pytest.Collector,
        case: Case,
        runtime: Runtime,
        suite: Cases,
        announced: Expectations,
    ) -> None:
        super().__init__(name, parent)
        self.case, self.runtime, self.suite, self.announced = case, runtime, suite, announced

    def runtest(self) -> None:
        result = executors.one(self.suite, self.case, self.runtime, Settings(jobs=1))
        result = self.announced.mark(result, self.case, strict=False, judged=True)
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
    """A result that differs from the expectations."""


def _story(result: CaseResult) -> str:
    lines = [f"{result.case} on {result.runtime}: {result.verdict.value}", f"argv: {list(result.observation.argv)}"]
    lines.append(f"ended: {result.observation.outcome}")
    for unit in result.units:
        if unit.unexpected:
            announced = f" (announced: {unit.expected.reason})" if unit.expected else ""
            lines.append(f"  {unit.verdict.value} {unit.id}: {unit.detail}{announced}")
    stderr = result.observation.stderr[-2000:].decode("utf-8", "backslashreplace").rstrip()
    return "\n".join([*lines, *(["stderr:", stderr] if stderr else [])])
