"""Runs on workers of dask: the record is that of a local run, also where a worker is killed; what differs is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import CASE, Project

from assay.model import CaseResult, Peer, Verdict
from assay.record import Record
from assay.run.runner import Settings
from assay.runtimes import Runtime, registry
from assay.suites import executor_dask
from assay.suites.driver import Plan, drive
from assay.suites.executor_dask import DaskExecutor
from assay.suites.executors import Executor, ExecutorError
from assay.suites.site import Piece, Refused, Site, Terms, case_identity, runtime_identity

CASES = 16
WAIT = 120.0
"""Seconds: the machine may be loaded."""


class Cluster:
    """A scheduler of its own process on the loopback, and workers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []  # type: Path, list[subprocess.Popen[str]]
        file = folder / "scheduler.json"
        line = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        self._start([*line, "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)], "scheduler")
        self.address = until(lambda: json.loads(file.read_text())["address"] if file.is_file() else None)

    def _start(self, line: list[str], name: str) -> subprocess.Popen[str]:
        with (self.folder / f"{name}.log").open("w") as log:
            made = subprocess.Popen([sys.executable, "-W", "ignore", *line], stdout=log, stderr=log, text=True)
        self.processes.append(made)
        return made

    def worker(self, name: str, root: Path, program: Path) -> subprocess.Popen[str]:
        line = ["-m", "assay.cli", "--root", str(root), "worker", self.address, "-j", "1", "--name", name]
        made = self._start([*line, "-r", "touchstone", "--program", f"touchstone={program}"], name)
        until(lambda: made.poll() is not None or "runs at once" in (self.folder / f"{name}.log").read_text())
        assert made.poll() is None, (self.folder / f"{name}.log").read_text()
        return made

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(WAIT)


def until(there: Callable[[], Any]) -> Any:
    """Waits until a function returns something."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            if found := there():
                return found
        except (OSError, ValueError):  # not yet written, or partly
            pass
        time.sleep(0.1)
    raise AssertionError("it took too long")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.close()


def plan(project: Project, program: Path, number: int = CASES) -> Plan:
    for index in range(number):
        project.add(f"p2/t/case-{index}", CASE)
    suite = project.suite(programs=(("touchstone", program),))
    peer = registry.reference().find(suite.places)
    assert isinstance(peer, Peer)
    settings = Settings(jobs=1, seed=7)
    return Plan(suite, suite.discover(), (Runtime(registry.reference(), peer),), ("touchstone",), settings)


def seen(made: Record) -> list[object]:
    """Returns what two records of the same seed have in common: all of the results but times and sizes of processes."""
    measured = {"wall": 0.0, "cpu": 0.0, "peak_rss_kib": 0}
    return [replace(item, observation=replace(item.observation, **measured)) for item in made.results]


def test_a_killed_worker_changes_nothing_in_the_record(
    project: Project, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_dask, "LOOK", 0.0)
    client = executor_dask.load().Client(cluster.address, set_as_default=False)
    mine = plan(project, project.fake("pass"))
    workers = [cluster.worker(f"w{number}", project.root, project.fake("pass")) for number in range(3)]
    said: list[str] = []
    done: list[tuple[str, str]] = []

    def count(result: CaseResult) -> None:
        done.append((result.case, result.runtime))
        if len(done) == 3:
            os.kill(workers[0].pid, signal.SIGKILL)
            until(lambda: len(client.nthreads()) == 2)

    remote = drive(mine, None, executor=DaskExecutor(cluster.address, said.append), done=count)
    client.close()
    assert len(done) == len(set(done)) == CASES
    assert remote.partial == ""
    assert any("is lost" in line for line in said)
    local = drive(mine, None)
    assert {item.verdict for item in local.results} == {Verdict.PASS}
    assert seen(remote) == seen(local)


def test_an_interrupt_ends_the_run_and_the_workers_go_on(project: Project, cluster: Cluster) -> None:
    mine = plan(project, project.fake("pass"), 6)
    cluster.worker("w", project.root, project.fake("pass"))
    executor = DaskExecutor(cluster.address)
    number = 0

    def interrupt(_: CaseResult) -> None:
        nonlocal number
        number += 1
        if number == 2:
            raise KeyboardInterrupt

    path = project.root / "results.jsonl"
    made = drive(mine, path, executor=executor, done=interrupt)
    assert made.partial and len(made.results) == 2
    assert executor.running() == ()
    whole = drive(mine, path, begun=made, executor=DaskExecutor(cluster.address))
    assert not whole.partial and len(whole.results) == 6


def test_a_worker_with_something_else_is_not_used_and_the_reason_is_said(project: Project, cluster: Cluster) -> None:
    mine = plan(project, project.fake("pass"), 2)
    cluster.worker("other", project.root, project.fake("fail"))
    executor: Executor = DaskExecutor(cluster.address)
    with pytest.raises(ExecutorError, match=r"no worker at .* runs touchstone:\n  tcp://.*: its touchstone is fake fail 1.0"):
        list(executor.results(mine.suite, [(case, mine.present[0]) for case in mine.cases], mine.settings))
    said: list[str] = []
    cluster.worker("same", project.root, project.fake("pass"))
    made = drive(mine, None, executor=DaskExecutor(cluster.address, said.append))
    assert [item.verdict for item in made.results] == [Verdict.PASS] * 2
    assert any("so it does not run that runtime" in line for line in said)


def test_without_a_scheduler_the_error_says_how_to_start_one() -> None:
    with pytest.raises(ExecutorError, match="`dask scheduler` starts one"):
        list(DaskExecutor("tcp://127.0.0.1:1").results(None, [], Settings()))  # type: ignore[arg-type]


def test_a_site_compares_cases_and_runtimes(project: Project) -> None:
    mine = plan(project, project.fake("pass"), 2)
    (runtime,), (case, other) = mine.present, mine.cases
    site = Site(lambda words: mine.suite, {runtime.name: runtime})
    terms = Terms.of("run", mine.suite, mine.settings)
    cases = {item.id: case_identity(item) for item in mine.cases}
    runtimes = {runtime.name: runtime_identity(runtime)}
    assert site.survey(terms.harness, (), cases, runtimes).without == {}
    assert site.survey("assay 0", (), cases, runtimes).refused.endswith("not assay 0")
    sha, digest = cases[case.id]
    for changed, words in (
        (("0" * 64, digest), f"another component for {case.id} (c.wasm)"),
        ((sha, "0" * 64), f"another definition of {case.id}"),
    ):
        assert words in site.survey(terms.harness, (), {**cases, case.id: changed}, runtimes).refused
    assert site.survey(terms.harness, (), {"p2/t/no": (sha, digest)}, runtimes).refused == "it has no case p2/t/no"
    version, note, build = runtimes[runtime.name]
    without = site.survey(terms.harness, (), cases, {"jco": ("1", "", ""), runtime.name: (version, note, "f" * 64)}).without
    assert without == {
        "jco": "it has no jco",
        "touchstone": f"its touchstone is another build of {version} ({build[:12]}, not {'f' * 12})",
    }
    piece = Piece(other.id, cases[other.id], runtime.name, runtimes[runtime.name])
    done = site.run(terms, piece)
    assert isinstance(done, CaseResult) and done.verdict is Verdict.PASS
    assert isinstance(site.run(terms, replace(piece, runtime="jco")), Refused)
    assert isinstance(site.run(replace(terms, harness="assay 0"), piece), Refused)
