"""`assay compare`: a missing result is red, except with --allow-missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner

from assay import record
from assay.cli import main
from assay.model import Verdict
from assay.record import Record, differ

OLD = made.record(
    made.result("a", "p2/x"), made.result("a", "p2/y"), made.result("b", "p2/x"), made.result("b", "p2/y")
)


def without_unit(drawn: Record) -> Record:
    first = drawn.results[0]
    return replace(drawn, results=(replace(first, units=first.units[1:]), *drawn.results[1:]))


def absent(drawn: Record, name: str) -> Record:
    runtimes = tuple(replace(item, version="", absent="gone") if item.name == name else item for item in drawn.runtimes)
    return replace(drawn, runtimes=runtimes, results=tuple(item for item in drawn.results if item.runtime != name))


NEW = {
    "the same": (OLD, 0, 0, ""),
    "a runtime is absent": (absent(OLD, "b"), 1, 0, "removed  b * (the runtime): there -> absent"),
    "a runtime is not in it": (
        made.record(made.result("a", "p2/x"), made.result("a", "p2/y")), 1, 0, "removed  b * (the runtime): there -> absent",
    ),
    "a case is not in it": (
        made.record(made.result("a", "p2/x"), made.result("b", "p2/x")), 1, 0, "removed  a p2/y (the whole case): 3 units -> –",
    ),
    "a unit is not in it": (without_unit(OLD), 1, 0, f"removed  a p2/x {made.CHECK}: PASS -> –"),
    "it was interrupted": (replace(OLD, results=OLD.results[:3], partial="the run was interrupted"), 1, 0, "removed  b p2/y"),
    "what passed is not run": (
        replace(OLD, results=(made.result("a", "p2/x", Verdict.SKIP), *OLD.results[1:])), 1, 1, "broken   a p2/x",
    ),
    "more is in it": (made.record(*OLD.results, made.result("c", "p2/x"), made.result("c", "p2/y")), 0, 0, "added    c *"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(NEW))
def test_exit_statuses(tmp_path: Path, name: str) -> None:
    drawn, status, allowed, words = NEW[name]
    record.write(OLD, tmp_path / "old.jsonl")
    record.write(drawn, tmp_path / "new.jsonl")
    argv = ["compare", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl")]
    done = CliRunner().invoke(main, argv)
    assert done.exit_code == status and words in done.output, done.output
    assert CliRunner().invoke(main, [*argv, "--allow-missing"]).exit_code == allowed


def test_a_runtime_that_vanishes_is_one_change() -> None:
    changes = differ.compare(OLD, absent(OLD, "b"))
    assert [(item.change, item.runtime, item.unit) for item in changes] == [
        (differ.Change.REMOVED, "b", differ.RUNTIME)
    ]
