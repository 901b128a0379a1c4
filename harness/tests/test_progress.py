"""The progress of a run: the plain line, and what a terminal shows. Executors say what runs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import Project
from made import result
from rich.console import Console

from assay.cli import progress
from assay.cli.progress import Tally, duration, now_running
from assay.model import CaseResult, Peer, Verdict
from assay.run.runner import Settings
from assay.runtimes import Runtime, registry
from assay.suites.executors import LocalExecutor


def took(seconds: float, verdict: Verdict = Verdict.PASS, case: str = "p2/a/b", unexpected: bool = False) -> CaseResult:
    made = result("wasmtime", case=case, verdict=verdict, unexpected=unexpected)
    return replace(made, observation=replace(made.observation, wall=seconds))


def test_the_line_has_rate_time_left_and_the_slowest_run() -> None:
    tally = Tally(10, begun=100.0)
    assert tally.pace(101.0) == "no run has ended yet"
    for item in (took(0.5), took(2.25, Verdict.FAIL, "p2/slow/one", unexpected=True), took(1.0)):
        tally.add(item)
    assert tally.line(106.0) == (
        "3/10 runs: 2 PASS, 1 FAIL, 1 unexpected; 0.5 runs/s, about 14 s left; slowest: 2.2 s p2/slow/one on wasmtime"
    )


def test_the_last_line_says_how_long_it_took() -> None:
    tally = Tally(1, begun=0.0)
    tally.add(took(0.0))
    assert tally.line(125.0) == "1/1 runs: 1 PASS; 0.0 runs/s, 2 min 5 s in all"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599.0, "59 min 59 s"), (7500.0, "2 h 5 min")]
)
def test_durations_are_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_only_some_of_many_running_cases_are_named() -> None:
    assert now_running(()) == ""
    pairs = tuple((f"p2/a/{number}", "jco") for number in range(5))
    assert now_running(pairs) == "now: p2/a/0 on jco, p2/a/1 on jco, p2/a/2 on jco and 2 more"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, force_interactive=True, width=100, highlight=False)
    monkeypatch.setattr(progress, "CONSOLE", console)
    yield out


def test_a_terminal_shows_what_runs_now(terminal: io.StringIO) -> None:
    with progress.progress(lambda: (("p2/b/c", "jco"),)) as shown:
        shown.starts(2)
        shown.done(took(3.0, Verdict.TIMEOUT))
    text = terminal.getvalue()
    for words in ("1/2", "1 TIMEOUT; slowest: 3.0 s p2/a/b on wasmtime", "now: p2/b/c on jco", "left"):
        assert words in text


def test_no_color_turns_colours_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    monkeypatch.setattr(progress, "CONSOLE", Console(file=out, force_terminal=True, force_interactive=True, width=100))
    with progress.progress(tuple) as shown:
        shown.starts(1)
        shown.done(took(1.0))
    assert "1/1" in out.getvalue()
    assert "\x1b[3" not in out.getvalue()  # the codes of colours begin with 3; 2 and 1 are dim and bold


def test_without_a_terminal_lines_appear_from_time_to_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "CONSOLE", Console(width=200))
    monkeypatch.setattr(progress, "SECONDS", 1e9)
    with progress.progress(tuple) as shown:
        shown.starts(progress.EVERY + 1)
        for _ in range(progress.EVERY + 1):
            shown.done(took(1.0))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["50/51", "51/51"]


def test_the_local_executor_says_what_runs_and_gives_every_result(project: Project) -> None:
    suite = project.suite(programs=(("touchstone", project.fake("pass")),))

    peer = registry.reference().find(suite.places)
    assert isinstance(peer, Peer)
    runtime = Runtime(registry.reference(), peer)
    work = [(project.load(case_id=f"p2/t/{name}"), runtime) for name in ("one", "two")]
    executor = LocalExecutor()
    seen = {item.case: item.verdict for item in executor.results(suite, work, Settings(jobs=2))}
    assert seen == {"p2/t/one": Verdict.PASS, "p2/t/two": Verdict.PASS}
    assert executor.running() == ()
