"""`assay diff`: kinds, exit statuses, the comment and JSON, and records from the history."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner

from assay import record
from assay.cli import main
from assay.model import Verdict
from assay.record import Record
from assay.record.diff import RUNTIME, Change, diff

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
    argv = ["diff", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl")]
    done = CliRunner().invoke(main, argv)
    assert done.exit_code == status and words in done.output, done.output
    assert CliRunner().invoke(main, [*argv, "--allow-missing"]).exit_code == allowed


def test_a_runtime_that_vanishes_is_one_change() -> None:
    changes = diff(OLD, absent(OLD, "b")).changes
    assert [(item.change, item.runtime, item.unit) for item in changes] == [
        (Change.REMOVED, "b", RUNTIME)
    ]


def test_two_records() -> None:
    old = made.record(
        made.result("touchstone", "p2/a", Verdict.FAIL),
        made.result("touchstone", "p2/b"),
        made.result("touchstone", "p2/gone"),
        made.result("touchstone", "p2/v", value="1"),
        made.result("only-old", "p2/a"),
    )
    new = made.record(
        made.result("touchstone", "p2/a"),
        made.result("touchstone", "p2/b", Verdict.CRASH),
        made.result("touchstone", "p2/new"),
        made.result("touchstone", "p2/v", value="2"),
    )
    changes = {(item.change, item.case, item.unit) for item in diff(old, new).changes}
    assert (Change.FIXED, "p2/a", made.CHECK) in changes
    assert (Change.BROKEN, "p2/b", made.CHECK) in changes
    assert (Change.CHANGED, "p2/v", made.CHOICE) in changes
    assert {change for change, case, _ in changes if case == "p2/gone"} == {Change.REMOVED}
    assert {change for change, case, _ in changes if case == "p2/new"} == {Change.ADDED}
    assert diff(old, old).changes == ()


# --- the comment and JSON -----------------------------------------------------------------------------------------


def written(tmp_path: Path, old: Record, new: Record, *argv: str) -> tuple[int, str, str]:
    """Returns the exit status, what was printed, and the comment."""
    record.write(old, tmp_path / "old.jsonl")
    record.write(new, tmp_path / "new.jsonl")
    words = ["diff", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl"), "--markdown", str(tmp_path / "c.md"), *argv]
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output, (tmp_path / "c.md").read_text(encoding="utf-8")


def test_the_comment(tmp_path: Path) -> None:
    new = made.record(
        made.result("a", "p2/x", Verdict.FAIL), made.result("a", "p2/y", value="a|b\n</details>"), made.result("b", "p2/x")
    )
    status, _, text = written(tmp_path, OLD, new)
    assert status == 1
    assert text.startswith("<!-- assay-diff -->\n### ✗ Conformance: 0 added, 1 removed, 0 fixed, 1 broken, 1 changed, 0 flaky\n")
    broken, removed, changed = (text.index(word) for word in ("**broken: 1**", "removed: 1", "changed: 1"))
    assert broken < removed < changed and text.count("<details>") == text.count("</details>") - text.count("\\</details>")
    assert f"| a | `p2/x` | `{made.CHECK}` | MUST | PASS | FAIL |" in text
    assert "PASS a\\|b \\</details>" in text
    status, _, text = written(tmp_path, OLD, OLD)
    assert status == 0 and "\n### ✓ Conformance: 0 added" in text and "details" not in text


def test_a_long_comment_is_cut(tmp_path: Path) -> None:
    names = [f"p2/{'long-' * 20}{number}" for number in range(400)]
    old = made.record(*(made.result("a", name) for name in names))
    new = made.record(*(made.result("a", name, Verdict.FAIL, value="other") for name in names))
    _, _, text = written(tmp_path, old, new)
    assert 60_000 < len(text) <= 65_536
    assert "**broken: 400**" in text and "more changes, for which a comment has no room" in text
    assert text.count("<details>") == text.count("</details>")
    shown = text.count("| a | `")
    assert f"… and {800 - shown} more changes" in text


def test_json(tmp_path: Path) -> None:
    new = made.record(*(made.result(item.runtime, item.case, Verdict.CRASH) for item in OLD.results))
    status, output, _ = written(tmp_path, OLD, new, "--json")
    shown = json.loads(output)
    assert status == 1 and shown["red"] and shown["counts"]["broken"] == 4
    assert shown["changes"][0] == {
        "change": "broken", "runtime": "a", "case": "p2/x", "unit": made.CHECK, "level": "must",
        "function": "wasi:cli/environment.get-arguments", "before": "PASS", "after": "CRASH",
    }  # fmt: skip


def test_two_columns(tmp_path: Path) -> None:
    both = made.record(made.result("a@1", "p2/x"), made.result("a@2", "p2/x", Verdict.FAIL), made.result("b", "p2/x"))
    status, output, _ = written(tmp_path, both, both, "-r", "a@1=a@2")
    assert status == 1 and "a@1 of A is compared with a@2 of B" in output and "a@2: a@1 1.0, now a@2 1.0" in output
    assert f"broken   a@2 p2/x {made.CHECK}: PASS -> FAIL" in output and "0 removed" in output
    assert written(tmp_path, both, both, "-r", "b")[0] == 0
    for words, complaint in ((("-r", "c"), "c: no such runtime"), (("-r", "b", "-r", "b"), "named twice")):
        done = CliRunner().invoke(main, ["diff", str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl"), *words])
        assert done.exit_code == 2 and complaint in done.output


def test_what_is_flaky(tmp_path: Path) -> None:
    """What passed and is flaky now is red; what failed and is flaky now is not."""
    unsteady = made.record(made.result("a", "p2/x", Verdict.FLAKY))
    steady, failing = made.record(made.result("a", "p2/x")), made.record(made.result("a", "p2/x", Verdict.FAIL))
    status, output, text = written(tmp_path, steady, unsteady)
    assert status == 1 and f"flaky    a p2/x {made.CHECK}: PASS -> FLAKY" in output and "0 broken" in output
    assert "flaky: 1" in text
    assert written(tmp_path, steady, unsteady, "--allow-flaky")[0] == 0
    assert written(tmp_path, steady, replace(unsteady, allow_flaky=True))[0] == 0
    assert written(tmp_path, failing, unsteady)[0] == 0
    assert "1 fixed" in written(tmp_path, unsteady, steady)[1]
    assert "1 changed" in written(tmp_path, unsteady, failing)[1]
