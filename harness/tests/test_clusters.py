"""Which runtimes agree: pairs, the tree, and what the page has of them."""

from __future__ import annotations

from dataclasses import replace

import made

from assay import report
from assay.model import UnitResult, Verdict
from assay.report.clusters import Pair, clusters, outcome
from assay.report.view import build


def test_what_was_not_run_is_not_compared() -> None:
    assert outcome(None) is None and outcome(UnitResult("a", Verdict.SKIP)) is None
    assert outcome(UnitResult("a", Verdict.FAIL, "why")) == outcome(UnitResult("a", Verdict.FAIL, "another why"))
    assert outcome(UnitResult("a", Verdict.PASS, value="1")) != outcome(UnitResult("a", Verdict.PASS, value="2"))


def test_a_pair_says_100_only_where_all_agrees() -> None:
    assert Pair(0, 0).agreement == "–" and Pair(0, 0).distance == 1
    assert (Pair(3, 0).agreement, Pair(2, 1).agreement, Pair(100_000, 1).agreement) == ("100", "50", "99.9")


def test_the_tree_joins_the_nearest_first() -> None:
    record = made.record(
        made.result("touchstone"), made.result("wasmtime"), made.result("jco", verdict=Verdict.FAIL, value="/home")
    )
    found = build(record).clusters
    assert found is not None
    place = {runtime.name: index for index, runtime in enumerate(record.present)}
    near, far = found.pairs[place["touchstone"]][place["wasmtime"]], found.pairs[place["touchstone"]][place["jco"]]
    assert near.both == far.both > 2 and near.apart == 0 and far.apart == 2
    assert far == found.pairs[place["jco"]][place["touchstone"]]
    assert sorted(found.order) == [0, 1, 2] and set(found.order[:2]) == {place["touchstone"], place["wasmtime"]}
    assert found.tree.distance == far.distance and found.tree.parts[0].distance == 0
    assert len(found.lines()) == 6 and all(0 < y1 < 3 and 0 < y2 < 3 for _, y1, _, y2 in found.lines())


def test_the_page_has_a_cell_for_each_pair() -> None:
    page = report.html(made.record())
    count = len(made.record().present)
    assert page.count('href="#pair-') == count * (count - 1) and 'id="clusters"' in page
    alone = replace(made.record(), results=(made.result("touchstone"),), runtimes=made.record().runtimes[:1])
    assert clusters((), 1) is None and 'id="clusters"' not in report.html(alone)
