"""Exit status, JUnit, page and Markdown agree about green or red, on every record and on fake runtimes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import made
import pytest
from click.testing import CliRunner
from conftest import CASE, Project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay import record, report
from assay.cli import main
from assay.model import EXPECT_UNIT, CaseResult, Check, Expected, Level, UnitResult, Verdict
from assay.record import CaseInfo, Record, RuntimeInfo
from assay.record.status import status
from assay.report.view import build

NAMES = ("touchstone", "wasmtime", "jco")


# --- what the views say ---------------------------------------------------------------------------


def junit_is_red(text: str) -> bool:
    """Reads JUnit as a CI server does: any failure or error, by elements and by counts."""
    root = ET.fromstring(text)
    by_counts = sum(int(suite.get(key) or 0) for suite in root for key in ("failures", "errors"))
    by_elements = len(root.findall(".//failure")) + len(root.findall(".//error"))
    assert by_counts == by_elements
    for suite in root:
        assert int(suite.get("tests") or 0) == len(suite.findall("testcase"))
        assert int(suite.get("skipped") or 0) == len(suite.findall("testcase/skipped"))
    return by_counts > 0


def page_is_red(text: str) -> bool:
    found = re.findall(r'<section id="status" class="status (\w+)" data-status="(\w+)">', text)
    assert len(found) == 1 and found[0][0] == found[0][1]
    assert f"conformance: {found[0][0]}</title>" in text
    return bool(found[0][0] == "red")


def markdown_is_red(text: str) -> bool:
    (word,) = re.findall(r"^\*\*(green|red)\*\*$", text, re.MULTILINE)
    return bool(word == "red")


# --- records made up ------------------------------------------------------------------------------

LEVELS = st.sampled_from(list(Level))
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)


@st.composite
def records(draw: st.DrawFn) -> Record:
    infos = tuple(
        CaseInfo(
            f"p2/t/{number}",
            draw(WORDS),
            "",
            "c.wasm",
            "",
            ("wasi:cli/run",),
            tuple(
                Check(f"t.{number}.c{index}", draw(LEVELS), "wasi:cli/run.run", "0.2.0", "x")
                for index in range(draw(st.integers(0, 3)))
            ),
        )
        for number in range(draw(st.integers(0, 3)))
    )
    runtimes = tuple(RuntimeInfo(name, "1", absent=draw(st.sampled_from(["", "", "not here"]))) for name in NAMES)
    # mostly passes, so that green records occur
    verdicts = st.sampled_from(draw(st.sampled_from([[Verdict.PASS], [Verdict.PASS, Verdict.SKIP], list(Verdict)])))
    results = []
    for info in infos:
        for runtime in runtimes:
            if runtime.absent or draw(st.integers(0, 19)) == 0:
                continue
            units = []
            for unit_id in (*(check.id for check in info.checks), EXPECT_UNIT):
                verdict = draw(verdicts)
                known = Expected((Verdict.FAIL,), draw(WORDS)) if draw(st.integers(0, 5)) == 0 else None
                unexpected = verdict not in (Verdict.PASS, Verdict.SKIP) and known is None and draw(st.booleans())
                value = draw(WORDS) if draw(st.booleans()) else None
                units.append(UnitResult(unit_id, verdict, draw(WORDS), value, known, unexpected))
            seen = made.result(runtime.name).observation
            results.append(CaseResult(info.id, runtime.name, draw(verdicts), tuple(units), seen, b""))
    gate = tuple(draw(st.lists(st.sampled_from([*NAMES, "stranger"]), unique=True)))
    stale = ("x.toml: y",) if draw(st.integers(0, 9)) == 0 else ()
    partial = "interrupted" if draw(st.integers(0, 9)) == 0 else ""
    return Record(
        "2026-11-21T00:00:00+00:00", "", "assay test", False, gate, runtimes, infos, tuple(results), stale, partial
    )


@pytest.mark.timeout(300)
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(records())
def test_all_views_agree(tmp_path: Path, drawn: Record) -> None:
    path = tmp_path / "results.jsonl"
    record.write(drawn, path)
    red = not status(record.read(path)).green
    done = CliRunner().invoke(main, ["report", str(path), "--exit-status"])
    assert done.exit_code == int(red), done.output
    assert junit_is_red((tmp_path / "junit.xml").read_text(encoding="utf-8")) == red
    assert page_is_red((tmp_path / "index.html").read_text(encoding="utf-8")) == red
    assert markdown_is_red((tmp_path / "report.md").read_text(encoding="utf-8")) == red


@pytest.mark.timeout(300)
@settings(max_examples=100)
@given(records())
def test_green_means_what_it_says(drawn: Record) -> None:
    """Computes from the results, without `status`, what green means."""
    if not status(drawn).green:
        return
    assert drawn.gate and not drawn.partial and not drawn.stale
    for name in drawn.gate:
        (runtime,) = (item for item in drawn.runtimes if item.name == name)
        mine = [result for result in drawn.results if result.runtime == name]
        assert not runtime.absent and len(mine) == len(drawn.cases)
        units = [unit for result in mine for unit in result.units]
        assert any(unit.verdict is Verdict.PASS for unit in units)
        assert not any(unit.unexpected for unit in units)


@pytest.mark.timeout(300)
@settings(max_examples=100)
@given(records())
def test_a_green_cell_misses_nothing(drawn: Record) -> None:
    view = build(drawn)
    for package in view.packages:
        for row in (package, *package.interfaces):
            for item in row.counts:
                if item.state == "good":
                    assert item.ran and not item.left_out
                    assert item.passed == item.total and item.should_passed == item.shoulds and not item.runs_failed
                assert item.total == item.passed + item.failed + item.unsupported + item.flaky + item.errors + item.not_run


# --- single rules ---------------------------------------------------------------------------------


def gated(*results: CaseResult, **more: object) -> Record:
    drawn = made.record(*results)
    return replace(drawn, gate=tuple(runtime.name for runtime in drawn.present), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (gated(made.result("a", verdict=Verdict.FAIL, unexpected=True)), "a: 1 result is not as announced"),
        (gated(made.result("a", verdict=Verdict.SKIP)), "a: nothing passed"),
        (gated(made.result("a", verdict=Verdict.UNSUPPORTED)), "a: nothing passed"),
        (gated(made.result("a"), partial="the run was interrupted"), "partial, 1 of 1 runs are there"),
        (gated(made.result("a"), stale=("a.toml: gone",)), "1 expectations match nothing"),
        (replace(gated(made.result("a")), gate=("a", "wasmtime-py")), "wasmtime-py: is absent"),
        (replace(gated(made.result("a")), gate=("a", "other")), "other: was to be judged and was not run"),
        (replace(gated(made.result("a")), gate=()), "nothing is judged"),
        (gated(made.result("a"), made.result("b", "p2/other")), "a: 1 of 2 cases have no result"),
    ],
)
def test_what_makes_a_run_red(drawn: Record, words: str) -> None:
    came_to = status(drawn)
    assert came_to.exit_status == 1 and any(words in line for line in came_to.lines), came_to.lines


def test_what_is_not_judged_makes_nothing_red() -> None:
    drawn = made.record(made.result("a"), made.result("b", verdict=Verdict.CRASH, unexpected=True))
    assert status(replace(drawn, gate=("a",))).green
    assert not junit_is_red(report.junit(replace(drawn, gate=("a",))))


# --- fakes in every place -------------------------------------------------------------------------

SUITE = {
    "p2/t/one": CASE,
    "p2/t/two": CASE.replace("t.fake.second", "t.fake.third"),
    "p2/t/refused": 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n[expect]\nrefused = "link-error"\n',
    "p2/t/trap": 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n[expect]\ntrap = true\n',
}
FAKES = {"nothing": "nothing", "liar": "lie-undeclared", "hostile": "hostile", "unsupported to all": "unsupported"}
PLACES = ("touchstone", "wasmtime", "a fifth")


def put(project: Project, kind: str, place: str) -> list[str]:
    """Returns options that replace a runtime by a fake, beside one that passes."""
    fake = str(project.fake(kind))
    if place == "a fifth":
        return ["--also", f"fifth=touchstone:{fake}", "-r", "fifth"]
    return ["--program", f"{place}={fake}", "-r", place]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", list(FAKES))
def test_no_fake_is_green_anywhere(project: Project, kind: str, place: str) -> None:
    for case_id, text in SUITE.items():
        project.add(case_id, text)
    out = project.root / "out"
    argv = ["--root", str(project.root), "run", "-j", "2", "--output", str(out), *put(project, FAKES[kind], place)]
    done = CliRunner().invoke(main, argv)
    page, junit, text = ((out / name).read_text(encoding="utf-8") for name in ("index.html", "junit.xml", "report.md"))
    row = (done.exit_code, junit_is_red(junit), page_is_red(page), markdown_is_red(text))
    print(
        f"{kind:20} {place:12} exit {row[0]}  JUnit {'red' if row[1] else 'GREEN'}  page {'red' if row[2] else 'GREEN'}  Markdown {'red' if row[3] else 'GREEN'}"
    )
    assert row == (1, True, True, True), done.output
    assert 'class="cell good"' not in page.replace('class="cell good"><span class="sym">✓</span> all pass', "")
    assert len(page) < 1_000_000 and len(junit) < 1_000_000 and len(text) < 65_536


def test_unsupported_to_all_stays_red_when_it_is_announced(project: Project) -> None:
    """All results may be announced, but the run stays red when nothing passed."""
    project.add("p2/t/one")
    argv = ["--root", str(project.root), "run", *put(project, "unsupported", "touchstone"), "--update-expectations"]
    done = CliRunner().invoke(main, argv)
    assert done.exit_code == 1 and "touchstone: nothing passed" in done.output
    assert junit_is_red((project.root / "reports/latest/junit.xml").read_text(encoding="utf-8"))
