"""Differences: groups, aligned texts, two records."""

from __future__ import annotations

import made
from hypothesis import given
from hypothesis import strategies as st

from assay.record import differ


def test_groups_put_the_largest_first() -> None:
    found = differ.groups({"a": 1, "b": 2, "c": 2})
    assert [(group.value, group.runtimes) for group in found] == [(2, ("b", "c")), (1, ("a",))]
    assert differ.groups({}) == ()


def test_align_marks_what_differs() -> None:
    columns = differ.align(["a\nb\nc", "a\nB\nc\nd"])
    assert [row.text for row in columns[0]] == ["a", "b", "c", ""]
    assert [row.text for row in columns[1]] == ["a", "B", "c", "d"]
    assert [row.differs for row in columns[1]] == [False, True, False, True]
    assert columns[0][3].gap and not columns[1][3].gap
    assert columns[1][1].spans == (differ.Span("B", True),)


def test_mark_finds_the_place() -> None:
    assert differ.mark("value 17 ok", "value 18 ok") == (
        differ.Span("value 1"),
        differ.Span("8", True),
        differ.Span(" ok"),
    )


texts = st.lists(st.sampled_from(["a", "b", "c", "", "longer line"]), max_size=8).map("\n".join)


@given(st.lists(texts, min_size=1, max_size=4))
def test_align_keeps_every_line_and_squares_up(values: list[str]) -> None:
    columns = differ.align(values)
    assert len({len(column) for column in columns}) == 1
    for column, value in zip(columns, values, strict=True):
        assert "\n".join(row.text for row in column if not row.gap) == value
    for rows in zip(*columns, strict=True):
        alike = len({(row.text, row.gap) for row in rows}) == 1
        assert alike == (not any(row.differs for row in rows))


@given(st.text(max_size=30), st.text(max_size=30))
def test_mark_loses_nothing(base: str, other: str) -> None:
    spans = differ.mark(base, other)
    assert "".join(span.text for span in spans) == other
    if base == other:
        assert not any(span.marked for span in spans)


def test_case_differences() -> None:
    record = made.record()
    assert set(differ.case_differences(record, record.cases[0])) == {
        differ.Aspect.VERDICTS,
        differ.Aspect.VALUES,
        differ.Aspect.STDOUT,
    }
    alike = made.record(made.result("touchstone"), made.result("wasmtime"))
    assert differ.case_differences(alike, alike.cases[0]) == ()
