"""The second process that makes a part of the reports: what it returns, and its errors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made import record

from assay.cli.base import Unusable
from assay.cli.beside import beside
from assay.cli.formats import write_reports
from assay.record import write


def test_functions_run_in_their_order_in_one_other_process() -> None:
    made: list[int] = [7]

    def add() -> list[int]:
        made.append(len(made))
        return made

    with beside(os.getpid, add, add) as (process, first, second):
        assert process.result() != os.getpid()
        assert (first.result(), second.result()) == ([7, 1], [7, 1, 2])
    assert made == [7]


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    def fail() -> None:
        raise Unusable("the file is broken")

    with beside(fail, lambda: 3) as (failed, fine):
        assert fine.result() == 3
        with pytest.raises(Unusable, match="the file is broken"):
            failed.result()


def test_broken_counts_of_scripts_are_refused_as_without_a_second_process(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(record(), path)
    (tmp_path / "wast.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(Unusable, match=r"wast\.jsonl"):
        write_reports(record(), tmp_path, path, tmp_path)


def test_reports_that_cannot_be_written_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    with pytest.raises(Unusable, match="the reports cannot be written"):
        write_reports(record(), tmp_path, tmp_path / "results.jsonl", tmp_path)
