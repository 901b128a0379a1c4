"""What a history shows over time: counts as in the report, and when each check was first bad and first good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result

from assay import record
from assay.cli import main
from assay.history import Folder, Store, trend
from assay.history.rows import Rows
from assay.model import Verdict
from assay.record import Record
from assay.report.view import build

ROOT = Path(__file__).resolve().parents[2]


def day(number: int, version: str, verdicts: dict[str, Verdict], name: str = "a") -> Record:
    """Returns the record of a run, with the verdict on made.CHECK in each case."""
    drawn = made.record(*(made.result(name, f"p2/{case}", verdict) for case, verdict in verdicts.items()))
    runtimes = tuple(replace(item, version=version) for item in drawn.present)
    return replace(drawn, started=f"2026-11-{number:02}T00:00:00+00:00", runtimes=runtimes)


def kept(folder: Path, runs: Sequence[Record]) -> Store:
    store = Store(Folder(folder))
    for drawn in runs:
        store.add("".join(f"{line}\n" for line in record.lines(drawn)))
    return store


P, F, S = Verdict.PASS, Verdict.FAIL, Verdict.SKIP
RUNS = [
    day(1, "1.0", {"x": P, "y": F}),
    day(2, "1.1", {"x": P, "y": F}),
    day(3, "1.2", {"x": F, "y": S}),
    day(4, "1.3", {"x": F, "y": P}),
]


def trended(folder: Path, *argv: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(folder), "history", *argv, "--history", str(folder / "h")])


@pytest.mark.parametrize("path", [ROOT / "reports/example.jsonl", ROOT / "harness/tests/data/results-2.jsonl"])
@pytest.mark.parametrize("spaced", [False, True])
def test_counts_are_those_of_the_report(path: Path, spaced: bool, tmp_path: Path) -> None:
    store = Store(Folder(tmp_path))
    text = path.read_bytes().decode()
    first, rest = text.split("\n", 1)
    run = store.add(f"{json.dumps(json.loads(first))}\n{rest}" if spaced else text).run
    assert ("whole" in run.about) == spaced
    drawn = record.read(path)
    shown = {item.runtime.name: item for item in build(drawn).summaries}
    rows = Rows(store)
    for (point,) in trend.points([run]).values():
        counted, told = trend.counts(rows, point), shown[point.name]
        assert counted.musts["passed"] == told.units.passed and sum(counted.musts.values()) == told.units.total
        assert counted.musts["failed"] == told.units.failed and counted.cases["passed"] == told.cases.passed
        for result in rows.results(run, point.name):
            whole = drawn.result(result.case, point.name)
            assert whole is not None and whole.units == result.units and whole.verdict is result.verdict
        assert len(rows.times(run, point.name)) == len(list(rows.results(run, point.name)))


def test_first_bad_and_first_good(tmp_path: Path) -> None:
    store = kept(tmp_path, RUNS)
    (mine,) = trend.points(store.runs()).values()
    lives = {(life.case, life.unit): life for life in trend.lives(Rows(store), mine)}
    broken, fixed = lives["p2/x", made.CHECK], lives["p2/y", made.CHECK]
    assert broken.first_bad and broken.first_bad.point.version == "1.2"
    assert broken.first_good and broken.first_good.point.version == "1.0"
    assert [(one.point.version, other.point.version) for one, other in broken.turns] == [("1.1", "1.2")]
    assert fixed.first_good and fixed.first_good.point.version == "1.3" and len(fixed.ran) == 3  # 1.2 did not run it
    assert [(one.point.version, other.point.version) for one, other in fixed.turns] == [("1.1", "1.3")]
    assert lives["p2/x", made.CHOICE].first_bad is None


def test_runs_in_the_order_of_versions(tmp_path: Path) -> None:
    store = kept(tmp_path, [day(1, "r", {"x": P}, "a@9.0"), day(2, "r", {"x": F}, "a@10.0"), day(3, "r", {"x": P}, "a@1.0")])
    for by_version, order in ((False, ["9.0", "10.0", "1.0"]), (True, ["1.0", "9.0", "10.0"])):
        (mine,) = trend.points(store.runs(), by_version=by_version).values()
        assert [point.asked for point in mine] == order and {point.base for point in mine} == {"a"}


def test_the_command(tmp_path: Path) -> None:
    kept(tmp_path / "h", RUNS)
    done = trended(tmp_path, "trend")
    assert done.exit_code == 0 and "a: 4 runs" in done.output, done.output
    assert "broken in 1.2: p2/x#" + made.CHECK + ": PASS -> FAIL" in done.output
    assert "fixed  in 1.3: p2/y#" + made.CHECK + ": FAIL -> PASS" in done.output
    rows = [line.split() for line in done.output.splitlines() if line.startswith("2026")]
    assert [row[3] for row in rows] == ["0/1", "0/1", "0/1", "0/1"]  # the requirement, by the worst of both cases
    assert "1 more (--limit)" in trended(tmp_path, "trend", "--limit", "1").output
    assert "–" in trended(tmp_path, "trend", "--function", "nowhere").output
    (shown,) = json.loads(trended(tmp_path, "trend", "--json").output)
    assert shown["runtime"] == "a" and shown["runs"][0]["cases"]["passed"] == 1 and len(shown["checks"]) == 2
    done = trended(tmp_path, "check", f"p2/x#{made.CHECK}")
    assert "bad in 2 runs of 4" in done.output and "first bad   FAIL in 20261103" in done.output
    assert "first good  PASS in 20261101" in done.output and "broken      FAIL in 20261103" in done.output
    assert len(json.loads(trended(tmp_path, "check", made.CHECK, "--json").output)) == 2
    assert len(json.loads(trended(tmp_path, "check", "p2/x", "--json").output)) == 3


def test_wrong_use(tmp_path: Path) -> None:
    assert trended(tmp_path, "trend").exit_code == 2
    kept(tmp_path / "h", RUNS)
    for argv, words in (
        (("trend", "-r", "b"), "no run has the runtime b"),
        (("check", "p2/z"), "no run has such a check"),
    ):
        done = trended(tmp_path, *argv)
        assert done.exit_code == 2 and words in done.output, done.output
