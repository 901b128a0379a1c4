"""What the reports compute once: sums of equal counts, what all command lines begin with, units that look alike.

Each is compared with what the same comes to one by one.
"""

from __future__ import annotations

import json
from dataclasses import replace

import made

from assay.model import Level, UnitResult, Verdict
from assay.record import lines
from assay.record.file import schema_problem
from assay.report.count import Count, count_unit, total
from assay.report.same import Same, beginnings
from assay.report.view import build


def test_the_same_units_are_the_same_count_and_a_sum_has_each_of_them() -> None:
    skipped = UnitResult("a", Verdict.SKIP, "no sockets")
    counts = [count_unit(skipped, Level.MUST) for _ in range(3)]
    assert counts[0] is counts[1]
    counts += [count_unit(replace(skipped, detail="no clock"), Level.MUST), count_unit(None, Level.MUST), Count(passed=2)]
    added = total(counts)
    assert (added.not_run, added.passed) == (5, 2)
    assert added.reasons == (("no sockets", 3), ("no clock", 1), ("the record has no result", 1))
    assert total(()) == Count()


def test_the_detail_of_a_unit_that_was_run_is_no_reason() -> None:
    one, other = (count_unit(UnitResult("a", Verdict.FAIL, detail), Level.MUST) for detail in ("x", "y"))
    assert one is other and one.reasons == () and one.failed == 1


def test_a_requirement_counts_once_on_each_runtime_by_the_worst_of_its_checks() -> None:
    results = [
        made.result("alpha", case, verdict)
        for case, verdict in (("p2/cli/arguments", Verdict.PASS), ("p2/cli/more", Verdict.CRASH))
    ]
    view = build(made.record(*results))
    rows = [row for row in view.packages[0].interfaces[0].functions[0].requirements if row.check.id == made.CHECK]
    assert len(rows) == 1
    failed, passed = sum(count.failed for count in rows[0].counts), sum(count.passed for count in rows[0].counts)
    assert len(rows[0].counts) == len(view.runtimes) and (failed, passed) == (1, 0)


def test_what_all_command_lines_of_a_runtime_begin_with() -> None:
    words = [("run", "--dir", "a", "x"), ("run", "--dir", "b"), (), ("run", "--dir", "a", "x", "y")]
    results = [made.result("alpha", f"p2/cli/{number}") for number in range(len(words))]
    results = [
        replace(result, observation=replace(result.observation, argv=argv))
        for result, argv in zip(results, words, strict=True)
    ]
    assert beginnings(made.record(*results))["alpha"] == ("run", "--dir")


def test_units_that_look_alike_share_a_pattern() -> None:
    same = Same(build(made.record(made.result("alpha"))))
    one, other = UnitResult("a", Verdict.PASS, "exited 0"), UnitResult("b", Verdict.PASS, "as asked")
    first, second, third = (one, None), (other, None), (replace(one, value="7"), None)
    assert same.pattern(first) is same.pattern(second)
    assert same.pattern(first) != same.pattern(third)


def test_the_compiled_schema_looks_into_attempts_and_units() -> None:
    result = replace(made.result("alpha"), attempts=(made.result("alpha", verdict=Verdict.FAIL),))
    line = json.loads(list(lines(made.record(result)))[1])
    assert schema_problem(line) == ""
    line["attempts"][0]["units"][0]["verdict"] = "GOOD"
    assert "GOOD" in schema_problem(line)
    line["attempts"] = []
    line["units"][0]["expected"] = {"statuses": ["BAD"], "reason": "none"}
    assert "BAD" in schema_problem(line)
