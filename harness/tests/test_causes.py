"""Causes of known results: entries that share one, what an entry must say, and how a rewritten file keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Project

from assay.judge import expect, expect_programs, expect_scripts
from assay.judge.causes import NO_THREAD, ExpectationError
from assay.model import EXPECT_UNIT, CaseResult, Observation, Outcome, UnitResult, Verdict
from assay.model import Ending as E

CAUSE = '[[cause]]\nid = "both"\nkind = "bug"\nlink = "https://example.org/1"\nreason = "one root"\n'
FIRST = '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.first"\nstatus = "FAIL"\ncause = "both"\n'
SECOND = FIRST.replace("first", "second")
ALONE = (
    '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.second"\nstatus = "FAIL"\nkind = "unsupported"\n'
    f'link = "{NO_THREAD}"\nreason = "alone"\nobserved = "got 2"\n'
)


def load(tmp_path: Path, text: str) -> tuple[expect.Entry, ...]:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    return expect.load(path)


def result(*failing: str) -> CaseResult:
    ids = ("t.fake.first", "t.fake.second", EXPECT_UNIT)
    units = tuple(UnitResult(name, Verdict.FAIL if name in failing else Verdict.PASS, name) for name in ids)
    return CaseResult("p2/t/one", "r", Verdict.FAIL, units, Observation(Outcome(E.EXITED, 0)))


def test_entries_share_a_cause(tmp_path: Path) -> None:
    first, second = load(tmp_path, CAUSE + FIRST + SECOND)
    assert first.why == second.why
    assert (first.expected.kind, first.expected.link, first.expected.reason) == (
        "bug",
        "https://example.org/1",
        "one root",
    )


def test_files_of_before_there_were_kinds_are_read(tmp_path: Path) -> None:
    old = '[[expected]]\ncase = "p2/t/one"\nstatus = "FAIL"\nreason = "old"\nissue = "#1"\n'
    (entry,) = load(tmp_path, old)
    assert (entry.why.kind, entry.why.link) == ("unsorted", "#1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FIRST, "p2/t/one: there is no .*'both'"),
        (CAUSE, "no entry names the cause both"),
        (CAUSE + CAUSE + FIRST, "both is listed twice"),
        (CAUSE.replace('link = "https://example.org/1"\n', "") + FIRST, "a cause has id, kind, link and reason"),
        (CAUSE.replace('"bug"', '"oops"') + FIRST, "p2/t/one t.fake.first: the kind is bug, .* not 'oops'"),
        (CAUSE.replace("https://example.org/1", "#1") + FIRST, "p2/t/one t.fake.first: needs a link"),
        (CAUSE + FIRST + 'reason = "too"\n', "p2/t/one: the cause both says"),
        (ALONE.replace('kind = "unsupported"', 'kind = "oops"'), "p2/t/one t.fake.second: the kind is"),
        (ALONE.replace(f'link = "{NO_THREAD}"\n', ""), "p2/t/one t.fake.second: needs a link"),
        (ALONE.replace('reason = "alone"\n', ""), "p2/t/one t.fake.second: needs a reason"),
        (ALONE.replace('reason = "alone"', "reason = 1"), "reason must be a string"),
        ('cause = "x"\n', r"\[\[cause\]\] is a list of tables"),
    ],
)
def test_errors_name_the_entry(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ExpectationError, match=said) as info:
        load(tmp_path, text)
    assert "x.toml" in str(info.value)


def test_rewriting_keeps_causes_and_groups_their_entries(project: Project, tmp_path: Path) -> None:
    old = load(tmp_path, CAUSE + FIRST + ALONE)
    text = expect.render([result("t.fake.first", "t.fake.second", EXPECT_UNIT)], old, [project.load()])
    again = load(tmp_path, text)
    assert text.count("[[cause]]") == 1
    assert {entry for entry in again if entry.check != EXPECT_UNIT} == set(old)
    (new,) = [entry for entry in again if entry.check == EXPECT_UNIT]
    assert (new.why.kind, new.why.link, new.why.reason) == ("unsorted", NO_THREAD, EXPECT_UNIT)
    assert expect.render([result("t.fake.first", "t.fake.second", EXPECT_UNIT)], again, [project.load()]) == text


def test_rewriting_drops_the_cause_of_no_entry(project: Project, tmp_path: Path) -> None:
    old = load(tmp_path, CAUSE + FIRST + ALONE)
    text = expect.render([result("t.fake.second")], old, [project.load()])
    assert "[[cause]]" not in text
    assert [entry.check for entry in load(tmp_path, text)] == ["t.fake.second"]


def test_scripts_share_causes_too(tmp_path: Path) -> None:
    path = tmp_path / "wast.toml"
    entry = '[[expected]]\nscript = "s/{}.wast"\nstatus = "unsupported"\ncause = "both"\ncommands = ["1 action"]\n'
    path.write_text(CAUSE.replace('"bug"', '"unsupported"') + entry.format("a") + entry.format("b"), encoding="utf-8")
    known = expect_scripts.parse(str(path), expect.read_tables(path))
    assert {mine["1 action"].why.cause for mine in known.values()} == {"both"}
    text = expect_scripts.render([], known, {"s/a.wast", "s/b.wast"})
    assert text.count("[[cause]]") == 1
    path.write_text(text, encoding="utf-8")
    assert expect_scripts.parse(str(path), expect.read_tables(path)) == known


def test_programs_need_what_the_others_need(tmp_path: Path) -> None:
    table = {"program": "p", "reason": "r", "shows": ["x"], "kind": "bug"}
    with pytest.raises(ExpectationError, match="x: p: needs a link"):
        expect_programs.parse("x", [table])
    assert expect_programs.parse("x", [{**table, "link": NO_THREAD}])["p"].why.kind == "bug"
