"""--retry-unexpected: what comes out differently is flaky in the record, and a flaky result never passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import record
from assay.cli import main
from assay.model import Verdict


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
    made = record.read(latest(project))
    (result,) = made.results
    assert done.exit_code == int(verdict is not Verdict.PASS), done.output
    assert (1 + len(result.attempts), result.verdict, made.retry) == (attempts, verdict, retries)
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
    made = record.read(latest(project))
    assert made.allow_flaky and made.results[0].verdict is Verdict.FLAKY
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
    made = record.read(latest(project))
    assert made.retry == 1 and [len(result.attempts) for result in made.results] == [1, 1]
