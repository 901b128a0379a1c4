"""Expectations: an unexpected pass and an entry that matches nothing are red; rewriting keeps reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import CASE, Project
from hypothesis import given
from hypothesis import strategies as st

from assay.judge import expect
from assay.model import EXPECT_UNIT, CaseResult, Observation, Outcome, UnitResult, Verdict
from assay.model import Ending as E

OUTCOME = Observation(Outcome(E.EXITED, 0))


def make(first: Verdict, whole: Verdict = Verdict.PASS) -> CaseResult:
    units = (
        UnitResult("t.fake.first", first, "why"),
        UnitResult("t.fake.second", Verdict.PASS),
        UnitResult(EXPECT_UNIT, whole),
    )
    return CaseResult("p2/t/one", "r", first if first is not Verdict.PASS else whole, units, OUTCOME)


def entries(tmp_path: Path, text: str) -> tuple[expect.Entry, ...]:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    return expect.load(path)


KNOWN = '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.first"\nstatus = "FAIL"\nreason = "known"\nissue = "#1"\n'


def unexpected(result: CaseResult, known: tuple[expect.Entry, ...], project: Project) -> set[str]:
    return {unit.id for unit in expect.apply(result, known, project.load()).units if unit.unexpected}


def test_announced(project: Project, tmp_path: Path) -> None:
    known = entries(tmp_path, KNOWN)
    assert unexpected(make(Verdict.FAIL), known, project) == set()
    assert unexpected(make(Verdict.PASS), known, project) == {"t.fake.first"}  # an unexpected pass is red
    assert unexpected(make(Verdict.CRASH), known, project) == {"t.fake.first"}
    assert unexpected(make(Verdict.FAIL), (), project) == {"t.fake.first"}
    assert unexpected(make(Verdict.PASS), (), project) == set()


def test_flaky(project: Project, tmp_path: Path) -> None:
    known = entries(tmp_path, KNOWN.replace('"FAIL"', '["PASS", "FAIL"]'))
    assert unexpected(make(Verdict.FAIL), known, project) == set()
    assert unexpected(make(Verdict.PASS), known, project) == set()
    assert unexpected(make(Verdict.TIMEOUT), known, project) == {"t.fake.first"}


def test_whole_case(project: Project, tmp_path: Path) -> None:
    known = entries(tmp_path, '[[expected]]\ncase = "p2/t/one"\nstatus = "FAIL"\nreason = "known"\n')
    assert unexpected(make(Verdict.FAIL), known, project) == set()
    assert unexpected(make(Verdict.PASS), known, project) == {EXPECT_UNIT}
    assert unexpected(make(Verdict.CRASH), known, project) == {"t.fake.first", EXPECT_UNIT}


def test_should_and_skip_are_no_surprise(project: Project) -> None:
    case = project.load(CASE.replace('level = "must"', 'level = "should"', 1))
    assert not any(unit.unexpected for unit in expect.apply(make(Verdict.FAIL), (), case).units)
    assert unexpected(make(Verdict.SKIP), (), project) == set()


def test_stale(project: Project, tmp_path: Path) -> None:
    known = entries(tmp_path, KNOWN + KNOWN.replace("t.fake.first", "t.fake.gone") + KNOWN.replace("t/one", "t/gone"))
    case = project.load()
    assert len(expect.stale(known, {case.id: {check.id for check in case.checks} | {EXPECT_UNIT}})) == 2


@pytest.mark.parametrize(
    "text",
    [
        KNOWN + "more = 1\n",
        KNOWN.replace('"FAIL"', '"BAD"'),
        KNOWN.replace('"FAIL"', '"PASS"'),
        KNOWN.replace('reason = "known"\n', ""),
        "[other]\n",
        "[[expected]\n",
    ],
)
def test_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(expect.ExpectationError, match=r"x\.toml"):
        entries(tmp_path, text)


def test_rewriting_settles_and_keeps_reasons(project: Project, tmp_path: Path) -> None:
    case, result = project.load(), make(Verdict.FAIL, Verdict.TIMEOUT)
    first = entries(tmp_path, expect.render([result], (), [case]))
    assert not expect.apply(result, first, case).unexpected
    kept = (*entries(tmp_path, KNOWN), *(entry for entry in first if entry.check == EXPECT_UNIT))
    again = entries(tmp_path, expect.render([result], kept, [case]))
    mine = next(entry for entry in again if entry.check == "t.fake.first")
    assert (mine.expected.reason, mine.expected.link) == ("known", "#1")
    better = entries(tmp_path, expect.render([make(Verdict.PASS)], kept, [case]))
    assert better == ()


def test_rewriting_makes_one_entry_of_one_cause(project: Project, tmp_path: Path) -> None:
    result = make(Verdict.CRASH)
    result = replace(result, units=tuple(UnitResult(unit.id, Verdict.CRASH, "died") for unit in result.units))
    made = entries(tmp_path, expect.render([result], (), [project.load()]))
    assert [entry.check for entry in made] == [None]
    assert not expect.apply(result, made, project.load()).unexpected


@given(st.text(max_size=60).filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)))
def test_quote(text: str) -> None:
    import tomllib

    assert tomllib.loads(f"a = {expect.quote(text)}")["a"] == text


def test_an_entry_may_hold_for_some_of_the_runtimes_that_share_the_file(project: Project, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(KNOWN + 'runtimes = ["r-small", "r-tiny"]\n', encoding="utf-8")
    tables = expect.read_tables(tmp_path / "x.toml")
    both = expect.CaseExpectations({"r": tables, "r-small": tables}, lambda name: name)
    case, failed = project.load(), make(Verdict.FAIL)
    assert both.mark(failed, case, strict=False, judged=True).unexpected
    assert not both.mark(replace(failed, runtime="r-small"), case, strict=False, judged=True).unexpected


def test_rewriting_for_a_runtime_keeps_the_entries_for_others(project: Project, tmp_path: Path) -> None:
    case, old = project.load(), entries(tmp_path, KNOWN + 'runtimes = ["r-small"]\n')
    assert entries(tmp_path, expect.render([make(Verdict.PASS)], old, [case])) == old
    mine = replace(make(Verdict.PASS), runtime="r-small")
    assert entries(tmp_path, expect.render([mine], old, [case])) == ()
