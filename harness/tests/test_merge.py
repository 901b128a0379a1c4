"""--shard and assay merge: every case is in one shard, and the merged record is that of the whole run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project
from hypothesis import given
from hypothesis import strategies as st

from assay import cases, record
from assay.cli import main
from assay.model import Case, Verdict
from assay.record import Machine, Record, RuntimeInfo, Source
from assay.record.status import status
from assay.suites import shards
from assay.suites.merge import MergeError, merge

LINUX = Machine("linux", "x86_64", "6.12.0", 4)
MAC = Machine("darwin", "arm64", "24.1.0", 8)
ROOT = Path(__file__).resolve().parents[2]


# --- shards ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def every() -> tuple[Case, ...]:
    return cases.discover(ROOT / "suites", ROOT / "fixtures")


@given(st.integers(1, 12))
def test_each_case_is_in_one_shard_with_its_variants(every: tuple[Case, ...], of: int) -> None:
    parts = [shards.shard(every, index, of) for index in range(1, of + 1)]
    ids = [case.id for part, _ in parts for case in part]
    assert sorted(ids) == sorted(case.id for case in every)
    where = {case.id: number for number, (part, _) in enumerate(parts) for case in part}
    assert all(where[case.id] == where[case.id.partition("@")[0]] for case in every)
    sizes = [len(part) for part, _ in parts]
    assert max(sizes) - min(sizes) <= max(1, max(sizes) // 50)  # balanced
    assert len({shard.digest for _, shard in parts}) == 1
    for part, shard in parts:
        assert [every[place].id for place in shard.places] == [case.id for case in part]


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", ""])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(shards.ShardError):
        shards.parse(text)


# --- a run in parts -------------------------------------------------------------------------------


def assay(project: Project, *argv: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *argv])


def run(project: Project, output: str, *argv: str, kind: str = "pass") -> Result:
    program = f"touchstone={project.fake(kind)}"
    args = ["run", "-r", "touchstone", "--program", program, "-j", "2", "--no-smoke", "--output", str(project.root / output)]
    return assay(project, *args, *argv)


@pytest.fixture
def five(project: Project) -> Project:
    for name in ("a", "b", "c", "d", "e"):
        project.add(f"p2/t/{name}", CASE)
    return project


def lasting(path: Path) -> list[str]:
    """Returns the lines of a record without what differs from run to run."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        for key in ("started", "finished", "wall", "cpu", "peak_rss_kib"):
            value.pop(key, None)
        lines.append(json.dumps(value))
    return lines


def test_two_runs_with_one_seed_leave_the_same(five: Project) -> None:
    for output in ("x", "y"):
        assert run(five, output, "--seed", "7").exit_code == 0
    first, second = (lasting(five.root / output / "results.jsonl") for output in ("x", "y"))
    assert first == second and len(first) == 7


def test_the_merged_shards_are_the_whole_run(five: Project) -> None:
    assert run(five, "whole", "--seed", "7", kind="fail").exit_code == 1
    for index in (1, 2, 3):
        done = run(five, f"s{index}", "--seed", "7", "--shard", f"{index}/3", kind="fail")
        assert done.exit_code == 1 and f"shard {index} of 3" in done.output
        part = record.read(five.root / f"s{index}/results.jsonl")
        assert part.suite.shard is not None and part.machine is not None and not part.partial
    paths = [str(five.root / f"s{index}/results.jsonl") for index in (3, 1, 2)]
    done = assay(five, "merge", *paths, "--output", str(five.root / "m"))
    assert done.exit_code == 1 and "merged: 3 records of 1 machine: 5 results of 5 cases" in done.output, done.output
    merged, whole = (record.read(five.root / name / "results.jsonl") for name in ("m", "whole"))
    assert [source.shard for source in merged.sources] == [(3, 3), (1, 3), (2, 3)]
    assert lasting(five.root / "m/results.jsonl")[1:] == lasting(five.root / "whole/results.jsonl")[1:]
    alike = replace(merged, sources=(), started=whole.started, finished=whole.finished, results=whole.results)
    assert alike == whole
    done = assay(five, "judge", str(five.root / "m/results.jsonl"))
    assert done.exit_code == 1 and "5 results, 0 units are not as in the record" in done.output
    done = assay(five, "merge", *paths[:2], "--output", str(five.root / "n"))
    assert done.exit_code == 1 and "shard 2 of 3 is missing" in done.output
    assert record.read(five.root / "n/results.jsonl").partial == "shard 2 of 3 is missing"
    done = assay(five, "merge", str(five.root / "n/results.jsonl"), paths[2], "--output", str(five.root / "o"))
    assert done.exit_code == 2 and "merge all shards at once" in done.output


def test_a_shard_is_judged_for_its_own_part(five: Project) -> None:
    assert run(five, "s", "--shard", "2/5").exit_code == 0
    assert "green: touchstone as announced (shard 2 of 5, 1 of 5 cases)" in status(record.read(five.root / "s/results.jsonl")).words
    done = run(five, "s", "--shard", "1/6")
    assert done.exit_code == 2 and "there are only 5 cases" in done.output
    done = run(five, "s", "--resume", "--shard", "2/5")
    assert done.exit_code == 2 and "--resume takes the cases" in done.output
    path = five.root / "s/results.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:1]), encoding="utf-8")
    program = f"touchstone={five.root / 'fake-pass'}"
    done = assay(five, "run", "--resume", "--program", program, "--no-smoke", "--output", str(five.root / "s"))
    assert done.exit_code == 0, done.output
    again = record.read(path)
    assert len(again.results) == 1 and again.suite.shard is not None


# --- machines -------------------------------------------------------------------------------------


def on(machine: Machine | None, *results: object, version: str = "w 1.0", digest: str = "") -> Record:
    drawn = made.record(*results)  # type: ignore[arg-type]
    runtimes = tuple(RuntimeInfo(item.name, version, digest=digest) for item in drawn.present)
    return replace(drawn, machine=machine, runtimes=runtimes, gate=tuple(item.name for item in runtimes))


def merged(*records: Record, allow_flaky: bool = False) -> Record:
    whole = merge([(f"{number}.jsonl", one) for number, one in enumerate(records)], allow_flaky=allow_flaky)
    assert record.parse(list(record.lines(whole))) == whole
    return whole


def test_the_same_runtime_on_two_systems_is_two_columns() -> None:
    whole = merged(on(LINUX, made.result("w"), made.result("j")), on(MAC, made.result("w"), made.result("x")))
    assert [item.name for item in whole.runtimes] == ["w@linux", "w@darwin", "j", "x"]
    assert whole.gate == ("w@linux", "w@darwin", "j", "x") and not whole.partial and whole.machine is None
    assert {source.machine for source in whole.sources} == {LINUX, MAC}
    assert status(whole).green
    whole = merged(on(LINUX, made.result("w")), on(LINUX, made.result("w"), version="w 2.1"))
    assert [item.name for item in whole.runtimes] == ["w@1.0", "w@2.1"]
    arm = replace(LINUX, arch="aarch64")
    assert [item.name for item in merged(on(LINUX, made.result("w")), on(arm, made.result("w"))).runtimes] == [
        "w@x86_64",
        "w@aarch64",
    ]
    both = merged(on(LINUX, made.result("w"), digest="a" * 64), on(LINUX, made.result("w"), digest="b" * 64))
    assert [item.name for item in both.runtimes] == ["w@1", "w@2"]


def test_two_builds_that_share_no_case_are_one_column() -> None:
    parts = on(LINUX, made.result("w"), digest="a" * 64), on(LINUX, made.result("w", "p2/other"), digest="b" * 64)
    whole = merged(*parts)
    assert [(item.name, item.digest) for item in whole.runtimes] == [("w", "")] and len(whole.results) == 2
    assert not whole.partial


def test_what_is_there_twice_is_counted_once_or_flaky() -> None:
    good, bad = made.result("w"), made.result("w", verdict=Verdict.FAIL, unexpected=True)
    same = merged(on(LINUX, good), on(LINUX, good))
    assert same.results == (good,) and status(same).green
    for allow in (False, True):
        differing = merged(on(LINUX, good), on(LINUX, bad), allow_flaky=allow)
        (result,) = differing.results
        unit = result.unit(made.CHECK)
        assert unit is not None and unit.verdict is Verdict.FLAKY and unit.verdicts == (Verdict.PASS, Verdict.FAIL)
        assert unit.unexpected != allow and len(result.attempts) == 1
        lines = status(differing).lines
        assert any("1 result is flaky" in line for line in lines) != allow
    again = merged(on(LINUX, good), on(LINUX, bad), on(LINUX, bad))
    assert again.results[0].unit(made.CHECK).verdicts == (Verdict.PASS, Verdict.FAIL, Verdict.FAIL)  # type: ignore[union-attr]
    skipped = replace(made.result("w", verdict=Verdict.SKIP), reason="no such device", verdict=Verdict.SKIP)
    assert merged(on(LINUX, skipped), on(LINUX, good)).results == (good,)


def test_cases_of_several_machines_keep_the_order_of_the_suite() -> None:
    first = on(LINUX, *(made.result("w", f"p2/{name}") for name in "acf"))
    second = on(LINUX, *(made.result("w", f"p2/{name}") for name in "abcdg"))
    whole = merged(first, second)
    assert [info.id[-1] for info in whole.cases] == list("abcdgf")
    assert [result.case for result in whole.results] == [info.id for info in whole.cases]


def test_what_is_missing_makes_it_partial() -> None:
    whole = merged(on(LINUX, made.result("w"), made.result("w", "p2/b")), on(MAC, made.result("w")))
    assert whole.partial == "results are missing: 1 of w@darwin" and not status(whole).green
    part = replace(on(LINUX, made.result("w")), partial="the run was interrupted")
    assert merged(part, on(LINUX, made.result("w"))).partial == ""  # the other one has all
    absent = replace(on(MAC, made.result("x")), runtimes=(RuntimeInfo("x"), RuntimeInfo("w", absent="not here")), gate=("x", "w"))
    whole = merged(absent, on(MAC, made.result("w")))
    assert [(item.name, item.absent) for item in whole.runtimes] == [("x", ""), ("w", "")] and whole.gate == ("x", "w")


BASE = on(LINUX, made.result("w"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(BASE, harness="assay 9"), "the harness is not the same: assay test in 0.jsonl, assay 9 in 1.jsonl"),
        (replace(BASE, strict=True), "--strict is not the same"),
        (replace(BASE, suite=replace(BASE.suite, name="p1")), "the suite is not the same"),
        (replace(BASE, schema="assay-results/2"), "has no definitions"),
        (replace(BASE, cases=(replace(BASE.cases[0], sha256="b" * 64),)), "p2/cli/arguments: the component in 1.jsonl"),
        (replace(BASE, cases=(replace(BASE.cases[0], digest="b" * 64),)), "the definition of the case in 1.jsonl"),
        (
            replace(BASE, partial="x", sources=(Source("", "", 1, 0, None, (1, 2)),)),
            "1.jsonl lacks shards: merge all shards at once",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(other: Record, words: str) -> None:
    with pytest.raises(MergeError, match=words.replace(".", r"\.")):
        merge([("0.jsonl", BASE), ("1.jsonl", other)])


def test_shards_of_different_runs_are_refused(five: Project) -> None:
    run(five, "a", "--shard", "1/2")
    run(five, "b", "--shard", "2/2", "p2/t/a", "p2/t/b")
    paths = [str(five.root / f"{name}/results.jsonl") for name in "ab"]
    done = assay(five, "merge", *paths, "--output", str(five.root / "m"))
    assert done.exit_code == 2 and "shards of different runs: shard 1 of 2, 3 of 5 cases" in done.output
    done = assay(five, "merge", paths[0], paths[0], "--output", str(five.root / "m"))
    assert done.exit_code == 2 and "named twice" in done.output
    done = assay(five, "merge", paths[0], "--output", str(five.root / "m"))
    assert done.exit_code == 2 and "nothing to merge" in done.output
    done = assay(five, "merge", *paths, "--output", str(five.root / "a"))
    assert done.exit_code == 2
