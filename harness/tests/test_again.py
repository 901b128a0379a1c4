"""Judging a record again without running anything: equal verdicts, what cannot be judged again, older records."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project
from test_http_peers import SERVED

from assay import record, report
from assay.cli import main
from assay.model import Verdict
from assay.record import summary
from assay.record.diff import diff

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).resolve().parents[2]
TOUCHSTONE = ROOT / "build/touchstone"


def assay(root: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(root), *args])


def verdicts(path: Path) -> dict[tuple[str, str, str], tuple[Verdict, str | None, bool]]:
    return {
        (result.case, result.runtime, unit.id): (unit.verdict, unit.value, unit.unexpected)
        for result in record.read(path).results
        for unit in result.units
    }


KINDS = ["pass", "fail", "crash", "lie-undeclared", "nothing", "unsupported", "trap", "garbage", "serve", "serve-dies"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_verdicts(project: Project, kind: str) -> None:
    project.add("p2/t/one", SERVED if kind.startswith("serve") else CASE)
    path = project.root / "reports/latest/results.jsonl"
    ran = assay(project.root, "run", "-r", "touchstone", "--program", f"touchstone={project.fake(kind)}", "-j", "1")
    before = verdicts(path)
    (project.root / "suites/p2/t/one/case.toml").unlink()  # judging needs only the record
    done = assay(project.root, "judge", str(path), "--output", str(project.root / "again"))
    assert done.exit_code == ran.exit_code, done.output
    assert "0 units are not as in the record" in done.output and "not judged again" not in done.output
    assert verdicts(project.root / "again/results.jsonl") == before
    assert record.read(path) == record.read(project.root / "again/results.jsonl")


@pytest.mark.skipif(not TOUCHSTONE.is_file(), reason="touchstone is not built")
def test_the_same_verdicts_of_touchstone(tmp_path: Path) -> None:
    cases = ["p2/http/denied", "p2/http/serve-bodyless", "p2/component", "p2/cli/stdio", "p2/filesystem/stat"]
    ran = assay(ROOT, "run", *cases, "-r", "touchstone", "-j", "2", "--output", str(tmp_path))
    path = tmp_path / "results.jsonl"
    wire = [exchange for result in record.read(path).results for exchange in result.observation.wire]
    assert any(exchange.methods for exchange in wire) and any(exchange.data for exchange in wire)
    done = assay(ROOT, "judge", str(path), "--output", str(tmp_path / "again"))
    assert done.exit_code == ran.exit_code, done.output
    assert "0 units are not as in the record" in done.output
    assert verdicts(tmp_path / "again/results.jsonl") == verdicts(path)


def test_other_definitions_and_expectations(project: Project) -> None:
    project.add("p2/t/one")
    assay(project.root, "run", "-r", "touchstone", "--program", f"touchstone={project.fake('fail')}", "-j", "1")
    path = str(project.root / "reports/latest/results.jsonl")
    assert assay(project.root, "judge", path).exit_code == 1
    known = '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.second"\nstatus = "FAIL"\nreason = "known"\n'
    (project.root / "suites/expectations/touchstone.toml").write_text(known, encoding="utf-8")
    assert assay(project.root, "judge", path).exit_code == 1  # the record has no expectations
    done = assay(project.root, "judge", path, "--expectations", str(project.root / "suites/expectations"))
    assert done.exit_code == 0, done.output
    project.add("p2/t/one", CASE.replace("hello", "goodbye"))
    assert "0 units are not as in the record" in assay(project.root, "judge", path).output
    done = assay(project.root, "judge", path, "--suites", str(project.root / "suites"))
    assert done.exit_code == 1 and "broken   touchstone p2/t/one @expect: PASS -> FAIL" in done.output


def test_what_was_cut_is_not_judged_again(project: Project) -> None:
    """A verdict that was made from more than the record keeps does not change, and is listed."""
    project.add("p2/t/one", CASE.replace("stdout = ", "stdout-matches = 'x\\Z'\n#"))
    path = project.root / "reports/latest/results.jsonl"
    assay(project.root, "run", "-r", "touchstone", "--program", f"touchstone={project.fake('long')}", "-j", "1")
    (result,) = record.read(path).results
    assert result.verdict is Verdict.PASS and result.whole == ("@expect",)
    done = assay(project.root, "judge", str(path))
    assert done.exit_code == 0, done.output
    assert "not judged again: 1 unit: its verdict was made from more than the record keeps" in done.output


# --- records of before version 3 ------------------------------------------------------------------


def test_an_old_record_is_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    shutil.copyfile(DATA / "results-2.jsonl", path)
    shutil.copyfile(DATA / "wast-1.json", tmp_path / "wast.json")
    shutil.copyfile(DATA / "testsuite-1.json", tmp_path / "testsuite.json")
    old = record.read(path)
    assert old.schema == "assay-results/2" and [item.name for item in old.runtimes if item.reference] == ["touchstone"]
    done = assay(ROOT, "report", str(path))
    assert done.exit_code == 0, done.output
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Official scripts" in page and "Programs of wasi-testsuite" in page
    shown = made.data_of(page)
    traces = [case["trace"] for case in shown["cases"] if "trace" in case]
    assert traces and {shown["texts"][runtime] for runtime, _, _ in traces} == {"touchstone"}
    assert assay(ROOT, "diff", str(path), str(path)).output.strip().endswith("0 flaky")
    # a new record can be compared with an old one
    record.write(replace(old, schema=record.SCHEMA), tmp_path / "new.jsonl")
    assert json.loads((tmp_path / "new.jsonl").read_text().splitlines()[0])["schema"] == record.SCHEMA
    assert not diff(old, record.read(tmp_path / "new.jsonl")).changes


def test_an_old_record_is_judged_again_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    shutil.copyfile(DATA / "results-2.jsonl", path)
    done = assay(ROOT, "judge", str(path), "--output", str(tmp_path / "again"))
    assert "the record has no exchanges (assay-results/2)" in done.output
    assert "p2/http/denied http.outgoing-handler.handle.denied-sends-nothing on touchstone" in done.output
    before, after = verdicts(path), verdicts(tmp_path / "again/results.jsonl")
    both = before.keys() & after.keys()  # a case may have got other checks since
    assert len(both) > 5 and all(before[key] == after[key] for key in both)
    again = tmp_path / "elsewhere"
    again.mkdir()
    (again / "suites").mkdir()
    done = assay(again, "judge", str(path), "--suites", str(again / "suites"))
    assert "there is no definition of the case" in done.output


def test_a_record_of_version_3_is_judged_again() -> None:
    old = record.read(DATA / "results-3.jsonl")
    assert old.schema == "assay-results/3" and old.machine is None and not old.partial
    done = assay(ROOT, "judge", str(DATA / "results-3.jsonl"))
    assert done.exit_code == 0 and "15 results, 0 units are not as in the record" in done.output, done.output
    new = record.parse(list(record.lines(old)))
    assert new.schema == record.SCHEMA and replace(new, schema=old.schema) == old


@pytest.mark.parametrize(("name", "command"), [("wast-1.json", "wast"), ("testsuite-1.json", "testsuite")])
def test_an_old_summary_has_no_results(name: str, command: str) -> None:
    for argv in (("judge", str(DATA / name)), ("diff", str(DATA / name), str(DATA / name))):
        done = assay(ROOT, *argv)
        assert done.exit_code == 2 and f"has counts only, no results: `assay {command}`" in done.output


def test_old_summaries() -> None:
    scripts, programs = summary.old_scripts(DATA / "wast-1.json"), summary.old_programs(DATA / "testsuite-1.json")
    assert scripts is not None and len(scripts.suites) == 3 and scripts.total.passed > 0
    assert programs is not None and programs.runtimes[0].known == 1 and programs.runtimes[0].unexpected == 1
    assert "2 of 4" in report.html(record.read(DATA / "results-2.jsonl"), scripts, programs)


# --- the example in reports/ ----------------------------------------------------------------------


def test_the_example(tmp_path: Path) -> None:
    path = tmp_path / "example.jsonl"
    shutil.copyfile(ROOT / "reports/example.jsonl", path)
    made = record.read(path)
    assert made.schema == record.SCHEMA and not made.partial and len(made.results) == 15
    assert {item.name for item in made.present} == {"touchstone", "wasmtime", "jco"}
    assert any(result.observation.wire for result in made.results)
    done = assay(ROOT, "report", str(path), "--exit-status")
    assert done.exit_code == 0, done.output
    assert "p2/http/denied" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert assay(ROOT, "diff", str(path), str(path)).exit_code == 0
    done = assay(ROOT, "judge", str(path))
    assert done.exit_code == 0, done.output
    assert "15 results, 0 units are not as in the record" in done.output
