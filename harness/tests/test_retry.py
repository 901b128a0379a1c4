"""--retry-unexpected: what comes out differently is flaky in the record, and a flaky result never passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project
from test_testsuite import add as add_program
from test_testsuite import run as run_programs

from assay import record
from assay.cli import main
from assay.judge import expectations, joined, judge
from assay.model import CaseResult, CommandSeen, Kind, Verdict
from assay.record import SuiteInfo
from assay.suites.again import judge_again


def run(project: Project, kind: str, *argv: str) -> Result:
    program = f"touchstone={project.fake(kind)}"
    args = ["--root", str(project.root), "run", "-r", "touchstone", "--program", program, "-j", "1", "--no-smoke", *argv]
    return CliRunner().invoke(main, args)


def latest(project: Project) -> Path:
    return project.root / "reports/latest/results.jsonl"


@pytest.mark.parametrize(
    ("kind", "retries", "attempts", "verdict"),
    [
        ("fails-once", 3, 2, Verdict.FLAKY),
        ("fails-twice", 3, 3, Verdict.FLAKY),
        ("fails-twice", 1, 2, Verdict.FAIL),
        ("fail", 2, 3, Verdict.FAIL),
        ("pass", 2, 1, Verdict.PASS),
    ],
)
def test_attempts(project: Project, kind: str, retries: int, attempts: int, verdict: Verdict) -> None:
    project.add("p2/t/one")
    done = run(project, kind, "--retry-unexpected", str(retries))
    ran = record.read(latest(project))
    (result,) = ran.results
    assert done.exit_code == int(verdict is not Verdict.PASS), done.output
    assert (1 + len(result.attempts), result.verdict, ran.retry) == (attempts, verdict, retries)
    if verdict is Verdict.FLAKY:
        unit = result.unit("t.fake.second")
        assert unit is not None and unit.verdict is Verdict.FLAKY and unit.unexpected
        assert unit.verdicts == (Verdict.FAIL,) * (attempts - 1) + (Verdict.PASS,)
        assert result.attempts[-1].verdict is Verdict.PASS and "touchstone: 1 result is flaky" in done.output
    again = CliRunner().invoke(main, ["--root", str(project.root), "judge", str(latest(project))])
    assert again.exit_code == done.exit_code and "0 units are not as in the record" in again.output, again.output


def test_flaky_is_green_only_where_it_is_allowed_or_announced(project: Project) -> None:
    project.add("p2/t/one")
    flags = ("--retry-unexpected", "2")
    assert run(project, "fails-once", *flags, "--allow-flaky").exit_code == 0
    ran = record.read(latest(project))
    assert ran.allow_flaky and ran.results[0].verdict is Verdict.FLAKY
    (project.root / "note").unlink()
    assert run(project, "fails-once", *flags, "--update-expectations").exit_code == 0
    text = (project.root / "suites/expectations/touchstone.toml").read_text(encoding="utf-8")
    assert 'status = ["FAIL", "PASS"]' in text
    (project.root / "note").unlink()
    assert run(project, "fails-once", *flags).exit_code == 0
    assert not record.read(latest(project)).results[0].attempts  # FAIL is announced
    (project.root / "suites/expectations/touchstone.toml").write_text(text.replace('["FAIL", "PASS"]', '"FLAKY"'))
    done = run(project, "pass")
    assert done.exit_code == 2 and "announced by all its statuses" in done.output


def test_resume_runs_again_what_was_not(project: Project) -> None:
    project.add("p2/t/one")
    project.add("p2/t/two", CASE)
    run(project, "fail", "--retry-unexpected", "1")
    lines = latest(project).read_text(encoding="utf-8").splitlines(keepends=True)
    latest(project).write_text("".join(lines[:2]), encoding="utf-8")
    program = f"touchstone={project.root / 'fake-fail'}"
    args = ["--root", str(project.root), "run", "--resume", "--program", program, "--no-smoke"]
    CliRunner().invoke(main, args)
    ran = record.read(latest(project))
    assert ran.retry == 1 and [len(result.attempts) for result in ran.results] == [1, 1]


def test_programs_are_run_again_too(project: Project) -> None:
    add_program(project, "one")
    done = run_programs(project, "nothing", "--retry-unexpected", "2")
    ran = record.read(project.root / "reports/latest/testsuite.jsonl")
    (result,) = ran.results
    assert done.exit_code == 1 and "running again, attempt 3: 1 unexpected" in done.output, done.output
    assert ran.retry == 2 and len(result.attempts) == 2 and result.verdict is Verdict.CRASH


def test_commands_that_only_one_attempt_reached_are_flaky_too() -> None:
    """A script that crashes at one attempt, and goes on at the other."""
    info = replace(made.case_info("own/a.wast", checks=False), kind=Kind.SCRIPT)
    base = replace(made.result("r", "own/a.wast"), kind=Kind.SCRIPT)

    def attempt(*commands: tuple[str, str]) -> CaseResult:
        seen = replace(base.observation, commands=tuple(CommandSeen(name, status) for name, status in commands))
        return judge(info, "r", seen)

    both = joined(
        [attempt(("1 module", "pass"), ("0 script", "crash")), attempt(("1 module", "pass"), ("2 module", "pass"))],
        info,
        strict=False,
    )
    assert {unit.id: unit.verdicts for unit in both.units} == {
        "1 module": (),
        "0 script": (Verdict.CRASH, Verdict.SKIP),
        "2 module": (Verdict.SKIP, Verdict.PASS),
    }
    drawn = replace(made.record(both), cases=(info,))
    drawn = replace(drawn, suite=SuiteInfo("wast", Kind.SCRIPT), gate=("r",))
    assert record.parse(list(record.lines(drawn))) == drawn
    again, kept = judge_again(drawn, {info.id: info}, expectations(Kind.SCRIPT, {}, str))
    assert not kept and [unit.verdicts for unit in again.results[0].units] == [unit.verdicts for unit in both.units]
    assert [unit.unexpected for unit in again.results[0].units] == [False, True, False]
