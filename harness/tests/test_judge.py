"""The judge, with the rules of suites/README.md, on artificial observations."""

from __future__ import annotations

import pytest
from conftest import CASE, Project
from hypothesis import given
from hypothesis import strategies as st

from assay.cases.text import text_problem
from assay.judge import judge, split_output
from assay.model import EXPECT_UNIT, Ending, Observation, Outcome, TextExpectation, Verdict

GOOD = b"check t.fake.first pass\ncheck t.fake.second pass\ncheck t.fake.choice value x\nhello\n"
SHORT = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n[expect]\n'


def seen(stdout: bytes = GOOD, ending: Ending = Ending.EXITED, status: int | None = 0, kind: str = "") -> Observation:
    return Observation(Outcome(ending, status, kind), stdout=stdout)


def test_good(project: Project) -> None:
    assert judge(project.load(), "r", seen()).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [
        (Ending.EXITED, Verdict.FAIL),
        (Ending.TRAP, Verdict.FAIL),
        (Ending.LIMIT, Verdict.FAIL),
        (Ending.FLOOD, Verdict.FAIL),
        (Ending.TIMEOUT, Verdict.TIMEOUT),
        (Ending.CRASH, Verdict.CRASH),
        (Ending.INTERNAL, Verdict.CRASH),
        (Ending.LINK_ERROR, Verdict.UNSUPPORTED),
        (Ending.UNSUPPORTED, Verdict.UNSUPPORTED),
        (Ending.NOT_STARTED, Verdict.ERROR),
        (Ending.USAGE, Verdict.ERROR),
    ],
)
def test_not_reported_takes_the_ending(project: Project, ending: Ending, verdict: Verdict) -> None:
    result = judge(project.load(), "r", seen(b"", ending, 1))
    assert {unit.verdict for unit in result.units} == {verdict}


def test_pass_after_the_ending_was_wrong(project: Project) -> None:
    """If all checks pass and the guest then traps, the case fails and the checks keep their verdicts."""
    result = judge(project.load(), "r", seen(GOOD, Ending.TRAP, None, "unreachable"))
    assert result.verdict is Verdict.FAIL
    assert [unit.verdict for unit in result.units] == [Verdict.PASS] * 3 + [Verdict.FAIL]


def test_value_for_a_requirement_is_an_error(project: Project) -> None:
    result = judge(project.load(), "r", seen(GOOD.replace(b"first pass", b"first value 1")))
    assert result.verdict is Verdict.ERROR


def test_fail_of_an_unspecified_check_is_a_value(project: Project) -> None:
    result = judge(project.load(), "r", seen(GOOD.replace(b"choice value x", b"choice fail no idea")))
    unit = result.unit("t.fake.choice")
    assert unit is not None and unit.verdict is Verdict.PASS and unit.value == "fail no idea"
    assert result.verdict is Verdict.PASS


def test_a_check_line_that_is_cut_is_no_report(project: Project) -> None:
    result = judge(
        project.load(),
        "r",
        seen(b"check t.fake.second pass\ncheck t.fake.choice value x\nhello\ncheck t.fake.first pass"),
    )
    assert result.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("ending", "verdict"),
    [(Ending.TIMEOUT, Verdict.TIMEOUT), (Ending.CRASH, Verdict.CRASH), (Ending.FLOOD, Verdict.FAIL)],
)
def test_half_a_report_of_a_run_that_was_cut_short_is_no_lie(
    project: Project, ending: Ending, verdict: Verdict
) -> None:
    result = judge(project.load(), "r", seen(b"check t.fake.first pass\ncheck t.fake.sec", ending, None))
    assert [unit.verdict for unit in result.units] == [Verdict.PASS, verdict, verdict, verdict]


@pytest.mark.parametrize(
    "line", [b"check t.fake.invented pass\n", b"check t.fake.first pass\n", b"check t.fake.first maybe\n"]
)
def test_nothing_that_a_liar_says_counts(project: Project, line: bytes) -> None:
    result = judge(project.load(), "r", seen(line + GOOD))
    assert {unit.verdict for unit in result.units} == {Verdict.ERROR}


@pytest.mark.parametrize(
    ("wanted", "ending", "verdict"),
    [
        ("malformed", Ending.MALFORMED, Verdict.PASS),
        ("malformed", Ending.REJECTED, Verdict.PASS),
        ("malformed", Ending.INVALID, Verdict.FAIL),
        ("invalid", Ending.MALFORMED, Verdict.FAIL),
        ("rejected", Ending.INVALID, Verdict.PASS),
        ("link-error", Ending.LINK_ERROR, Verdict.PASS),
        ("link-error", Ending.TRAP, Verdict.FAIL),
        ("malformed", Ending.LINK_ERROR, Verdict.FAIL),
        ("malformed", Ending.EXITED, Verdict.FAIL),
        ("malformed", Ending.CRASH, Verdict.CRASH),
    ],
)
def test_only_an_exact_refusal_counts(project: Project, wanted: str, ending: Ending, verdict: Verdict) -> None:
    case = project.load(SHORT + f'refused = "{wanted}"\n')
    assert judge(case, "r", seen(b"", ending, None)).verdict is verdict


def test_exit_status(project: Project) -> None:
    case = project.load(SHORT + "exit = 134\n")
    assert judge(case, "r", seen(b"", Ending.EXITED, 134)).verdict is Verdict.PASS
    unit = judge(case, "r", seen(b"", Ending.TRAP, 134)).unit(EXPECT_UNIT)
    assert unit is not None and unit.verdict is Verdict.FAIL


def test_text_problem() -> None:
    assert text_problem(TextExpectation(exact=b"a"), b"a") is None
    assert "expected 'a'" in (text_problem(TextExpectation(exact=b"a"), b"b") or "")
    assert text_problem(TextExpectation(contains=("b",), matches=("^c$",)), b"ab\nc\n") is None
    assert text_problem(TextExpectation(matches=("^d",)), b"c") is not None


@given(
    st.lists(
        st.one_of(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b" ")), st.just(b"check a.b pass")), max_size=12
    )
)
def test_splitting_loses_nothing(lines: list[bytes]) -> None:
    """Lines that are not reports are kept byte for byte, in order."""
    data = b"".join(line + b"\n" for line in lines)
    output = split_output(data)
    assert output.rest == b"".join(line + b"\n" for line in lines if not line.startswith(b"check "))
    assert len(output.reports) + len(output.malformed) == sum(line.startswith(b"check ") for line in lines)


@given(st.binary(max_size=200))
def test_splitting_never_raises(data: bytes) -> None:
    split_output(data)


@pytest.mark.parametrize(
    ("ending", "status", "verdict", "value"),
    [
        (Ending.TRAP, None, Verdict.PASS, "not reported; the run ended: trap"),
        (Ending.EXITED, 1, Verdict.PASS, "not reported; the run ended: exited 1"),
        (Ending.EXITED, 0, Verdict.FAIL, None),
        (Ending.TIMEOUT, None, Verdict.TIMEOUT, None),
        (Ending.CRASH, None, Verdict.CRASH, None),
    ],
)
def test_open_ending(project: Project, ending: Ending, status: int | None, verdict: Verdict, value: str | None) -> None:
    text = SHORT + 'exit = "any"\nstdout = "before\\n"\n[[check]]\n' + CASE.rpartition("[[check]]\n")[2]
    unit = judge(project.load(text), "r", seen(b"before\n", ending, status)).unit("t.fake.choice")
    assert unit is not None and (unit.verdict, unit.value) == (verdict, value)
