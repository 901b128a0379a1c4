"""Runs leave the processors that they do not use to others: how that is measured, and what the executor makes of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project

from assay.model import Case, NotRun, Peer, ProcessResult, Stdio
from assay.run.process import execute
from assay.run.runner import Settings
from assay.run.usage import Sessions, available, waiting
from assay.runtimes import Runtime, registry
from assay.suites import executors
from assay.suites.executors import LocalExecutor

UNTIL = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): "
PATIENCE = 60.0
LITTLE = 0.5


def ran(folder: Path, code: str, words: Sequence[str], uses: Callable[[float], None]) -> ProcessResult:
    argv = [sys.executable, "-I", "-S", "-c", code, *words]
    return execute(argv, env={}, cwd=folder, timeout=PATIENCE, uses=uses)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")
def test_a_process_that_sleeps_uses_little_until_it_goes_on(tmp_path: Path) -> None:
    told: list[float] = []

    def tell(share: float) -> None:
        told.append(share)
        if share < LITTLE:
            (tmp_path / "begun").touch()
        elif (tmp_path / "begun").exists():
            (tmp_path / "gone-on").touch()

    both = f"{UNTIL}time.sleep(0.05)\nwhile not pathlib.Path(sys.argv[2]).exists(): pass\n"
    result = ran(tmp_path, both, ("begun", "gone-on"), tell)
    assert (result.status, result.timed_out) == (0, False)
    # it ends only after a share that was little, and then one that was not; its start may be either
    assert (tmp_path / "gone-on").exists() and all(0 <= share <= 1 for share in told)


def test_a_process_that_works_uses_a_processor(tmp_path: Path) -> None:
    told: list[float] = []
    code = "import time\nwhile time.process_time() < 1.5: pass\n"
    assert ran(tmp_path, code, (), told.append).status == 0
    assert LITTLE < max(told) <= 1  # in some windows it may only have been loaded


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    assert Sessions(tmp_path / "absent").used(1) == (0.0, ())
    assert available(tmp_path) == 0


class Two:
    """Two cases on one runtime. The first one tells what it uses, and ends when the second one has begun, or after
    `patience` seconds."""

    def __init__(self, project: Project, patience: float, share: float = 0.0) -> None:
        self.suite = project.suite(programs=(("touchstone", project.fake("pass")),))
        peer = registry.reference().find(self.suite.places)
        assert isinstance(peer, Peer)
        runtime = Runtime(registry.reference(), peer)
        self.work = [(project.load(case_id=f"p2/t/{name}"), runtime) for name in ("one", "two")]
        self.patience, self.share = patience, share
        self.begun = threading.Event()
        self.met = False
        self.suite.run = self.run  # type: ignore[method-assign]

    def run(self, case: Case, runtime: Runtime, settings: Settings) -> NotRun:
        if case.id == "p2/t/two":
            self.begun.set()
        else:
            assert settings.uses is not None
            settings.uses(self.share)
            self.met = self.begun.wait(self.patience)
        return NotRun("it did not run")


def test_no_other_run_is_started_beside_one_that_uses_its_processor(project: Project) -> None:
    two = Two(project, 0.3, 0.9)
    seen = [result.case for result in LocalExecutor().results(two.suite, two.work, Settings(jobs=1))]
    assert not two.met and seen == ["p2/t/one", "p2/t/two"]


def test_the_executor_starts_another_run_beside_one_that_waits(project: Project) -> None:
    two = Two(project, PATIENCE)
    seen = [result.case for result in LocalExecutor().results(two.suite, two.work, Settings(jobs=1))]
    assert two.met and sorted(seen) == ["p2/t/one", "p2/t/two"]


def test_a_run_that_waits_for_a_lock_uses_nothing() -> None:
    told: list[float] = []
    lock, waits, held = threading.Lock(), threading.Event(), threading.Event()

    def tell(share: float) -> None:
        told.append(share)
        waits.set()

    def wait() -> None:
        with waiting(lock, tell):
            held.set()

    with waiting(lock, tell):
        assert told == []
        other = threading.Thread(target=wait)
        other.start()
        assert waits.wait(PATIENCE) and not held.is_set()
    other.join()
    assert told == [0.0, 1.0] and held.is_set() and not lock.locked()


def test_where_all_wait_that_may_those_go_on_that_wait_for_nobody(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "BESIDE", 2)
    two = Two(project, PATIENCE)
    (one, runtime), _ = two.work
    peers = [replace(one, id=f"p2/t/peer-{number}", run=replace(one.run, grants=("tcp",))) for number in range(4)]
    all_done, begun = threading.Event(), []

    def run(case: Case, runtime: Runtime, settings: Settings) -> NotRun:
        begun.append(case.id)
        assert settings.uses is not None
        if case.id == "p2/t/one":
            all_done.set()
        else:
            settings.uses(0.0)
            assert all_done.wait(PATIENCE)
        return NotRun("it did not run")

    two.suite.run = run  # type: ignore[method-assign]
    work = [(case, runtime) for case in (*peers, one)]
    seen = [result.case for result in LocalExecutor().results(two.suite, work, Settings(jobs=1))]
    assert begun[:3] == ["p2/t/peer-0", "p2/t/peer-1", "p2/t/one"] and len(seen) == 5


def test_no_other_run_is_started_where_memory_is_short(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "available", lambda: 0)
    two = Two(project, 0.3)
    seen = [result.case for result in LocalExecutor().results(two.suite, two.work, Settings(jobs=1))]
    assert not two.met and seen == ["p2/t/one", "p2/t/two"]


def test_what_may_wait_begins_first_then_what_may_take_longest(project: Project) -> None:
    two = Two(project, 0.0)
    (one, runtime), (other, _) = two.work
    long = replace(other, id="p2/t/long", run=replace(other.run, timeout=other.run.timeout + 20))
    two.suite.run = lambda *_: NotRun("it did not run")  # type: ignore[method-assign]
    peer = replace(other, id="p2/t/peer", run=replace(other.run, grants=("tcp",)))
    piped = replace(other, id="p2/t/piped", run=replace(other.run, stdio=Stdio(stdout="file")))
    work = [(case, runtime) for case in (one, other, peer, piped, long)]
    seen = [result.case for result in LocalExecutor().results(two.suite, work, Settings(jobs=1))]
    assert seen == ["p2/t/peer", "p2/t/piped", "p2/t/long", "p2/t/one", "p2/t/two"]
