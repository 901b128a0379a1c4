"""The command line and the pytest plugin, with fake runtimes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import record
from assay.cli import main


def assay(project: Project, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args])


def run(project: Project, kind: str, *args: str) -> Result:
    return assay(project, "run", "-r", "touchstone", "--program", f"touchstone={project.fake(kind)}", "-j", "1", *args)


def test_run_writes_record_and_reports(project: Project) -> None:
    project.add("p2/t/one")
    done = run(project, "pass")
    assert done.exit_code == 0, done.output
    words = "touchstone: cases 1 of 1 pass; MUST: 2 of 2 pass. 1 values recorded; as announced"
    assert words in done.output
    latest = project.root / "reports" / "latest"
    assert sorted(path.name for path in latest.iterdir()) == ["index.html", "junit.xml", "report.md", "results.jsonl"]
    assert record.read(latest / "results.jsonl").results[0].verdict.value == "PASS"
    page = (latest / "index.html").read_bytes()
    (latest / "index.html").unlink()
    assert assay(project, "report", str(latest / "results.jsonl")).exit_code == 0
    assert (latest / "index.html").read_bytes() == page


def test_durations_say_where_the_time_went(project: Project) -> None:
    for name in ("one", "two", "three"):
        project.add(f"p2/t/{name}")
    done = run(project, "pass", "--durations", "2")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert len([line for line in lines if line.endswith(" on touchstone") and " s, CPU " in line]) == 2
    for name in ("touchstone", "all"):
        (row,) = (line.split() for line in lines if line.split()[:2] == [name, "3"])
        assert len(row) == 7 and row[5] == "–"
    assert any(line.startswith("the harness itself: CPU ") for line in lines)
    done = assay(project, "report", "--durations", "0")
    assert "where the time went" in done.output and "the harness itself" not in done.output
    assert "where the time went" not in run(project, "pass").output


@pytest.mark.parametrize("kind", ["fail", "crash", "lie-undeclared", "nothing", "unsupported"])
def test_a_surprise_fails_the_run(project: Project, kind: str) -> None:
    project.add("p2/t/one")
    assert run(project, kind).exit_code == 1
    assert run(project, kind, "--gate", "jco").exit_code == 1  # jco is not run, so nothing is judged
    other = ("--also", f"other=touchstone:{project.fake('pass')}", "-r", "other", "--gate", "other")
    done = run(project, kind, *other)
    assert done.exit_code == 0, done.output
    assert "not judged: touchstone" in done.output


def test_expectations(project: Project) -> None:
    project.add("p2/t/one")
    assert run(project, "fail", "--update-expectations").exit_code == 0
    assert 'check = "t.fake.second"' in (project.root / "suites/expectations/touchstone.toml").read_text()
    assert run(project, "fail").exit_code == 0
    passing = run(project, "pass")
    assert passing.exit_code == 1 and "unexpected: p2/t/one t.fake.second" in passing.output
    project.add("p2/t/two")
    (project.root / "suites/p2/t/one/case.toml").unlink()
    stale = run(project, "pass")
    assert stale.exit_code == 1 and "matches nothing" in stale.output


def test_bad_cases_and_records_are_unusable(project: Project) -> None:
    project.add("p2/t/one", CASE + "\nsurprise = 1\n")
    done = run(project, "pass")
    assert done.exit_code == 2 and "unknown key surprise" in done.output
    (project.root / "r.jsonl").write_text('{"type":"header"', encoding="utf-8")
    done = assay(project, "report", str(project.root / "r.jsonl"))
    assert done.exit_code == 2 and "not JSON" in done.output


def test_absent_runtimes_are_one_plain_line(project: Project) -> None:
    project.add("p2/t/one")
    done = assay(project, "run", "-r", "touchstone")
    line = f"touchstone: absent: {project.root}/build/touchstone is not built (make)"
    assert done.output.splitlines().count(line) == 1
    assert done.exit_code == 1  # a run that judges nothing is not green
    assert assay(project, "run", "-r", "touchstone", "--gate", "jco").exit_code == 1
    assert "absent" in assay(project, "runtimes").output


def test_list(project: Project) -> None:
    project.add("p2/t/one")
    done = assay(project, "list", "--checks")
    assert (
        "p2/t/one" in done.output
        and "t.fake.second" in done.output
        and "1 cases, 3 checks of 3 functions" in done.output
    )
    assert assay(project, "list", "nowhere").exit_code == 2


def test_versions_of_some_runtimes(project: Project) -> None:
    """Each runtime has a result for each variant that any of them runs; one that it leaves out is not run."""
    for name in ("one", "two", "three"):
        project.add(f"p2/t/{name}", "versions = true\n" + CASE)
    other = ("--also", f"other=touchstone:{project.fake('pass')}", "-r", "other")
    done = run(project, "pass", *other, "--versions", "sample", "--versions", "touchstone=all")
    assert done.exit_code == 0, done.output
    path = project.root / "reports/latest/results.jsonl"
    made = record.read(path)
    assert made.suite.versions == ("sample", "touchstone=all") and len(made.cases) == 3 * 14
    ran = {
        name: {item.case for item in made.results if item.runtime == name and not item.reason}
        for name in ("touchstone", "other")
    }
    assert len(ran["touchstone"]) == 3 * 14
    assert "p2/t/one" in ran["other"] and len(ran["other"]) == 3 + 13
    (reason,) = {item.reason for item in made.results if item.reason}
    assert reason == "--versions sample leaves this variant out"
    # a run that goes on leaves out the same
    path.write_text("\n".join(list(record.lines(made))[:3]) + "\n", encoding="utf-8")
    again = assay(project, "run", "--program", f"touchstone={project.fake('pass')}", *other[:2], "--resume")
    assert again.exit_code == 0, again.output
    assert {(item.case, item.runtime, item.reason) for item in record.read(path).results} == {
        (item.case, item.runtime, item.reason) for item in made.results
    }


def test_variants_that_no_runtime_runs_are_no_cases(project: Project) -> None:
    project.add("p2/t/one", "versions = true\n" + CASE)
    assert run(project, "pass", "--versions", "none").exit_code == 0
    assert len(record.read(project.root / "reports/latest/results.jsonl").cases) == 1
    assert (
        "14 cases" in assay(project, "list").output and "1 cases" in assay(project, "list", "--versions", "none").output
    )
    for words, complaint in ((("some",), "neither MODE"), (("nobody=all",), "no such runtime")):
        done = run(project, "pass", *(part for word in words for part in ("--versions", word)))
        assert done.exit_code == 2 and complaint in done.output
    done = run(project, "pass", "p2/t/one@0.2.3", "--versions", "none")
    assert done.exit_code == 2 and "leaves out every case" in done.output


def test_diff(project: Project) -> None:
    project.add("p2/t/one")
    run(project, "pass", "--output", str(project.root / "a"))
    run(project, "fail", "--output", str(project.root / "b"))
    worse = assay(project, "diff", str(project.root / "a/results.jsonl"), str(project.root / "b/results.jsonl"))
    assert worse.exit_code == 1 and "broken   touchstone p2/t/one t.fake.second: PASS -> FAIL" in worse.output
    better = assay(project, "diff", str(project.root / "b/results.jsonl"), str(project.root / "a/results.jsonl"))
    assert better.exit_code == 0 and "1 fixed" in better.output


def test_plugin(project: Project) -> None:
    project.add("p2/t/one")
    project.add("p2/t/bad", CASE.replace('"hello\\n"', '"goodbye\\n"'))

    def pytest_run(kind: str) -> str:
        argv = [
            sys.executable,
            "-m",
            "pytest",
            "--assay",
            "--assay-runtime",
            "touchstone",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
        ]
        argv += ["--assay-program", f"touchstone={project.fake(kind)}", "suites/p2"]
        return subprocess.run(argv, cwd=project.root, capture_output=True, text=True, timeout=250, check=False).stdout

    passing = pytest_run("pass")
    assert "1 failed, 1 passed" in passing and "stdout is 'hello" in passing
    assert "2 failed" in pytest_run("crash")
    (project.root / "suites/expectations/touchstone.toml").write_text(
        '[[expected]]\ncase = "p2/t/bad"\ncheck = "@expect"\nstatus = "FAIL"\nreason = "known"\n', encoding="utf-8"
    )
    assert "1 passed, 1 xfailed" in pytest_run("pass")


def test_module_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assay.cli", "--version"], capture_output=True, text=True, timeout=120, check=True
    )
    assert "assay" in done.stdout
