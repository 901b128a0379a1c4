"""`assay explain` and `assay why`: what a name means, where a guest reports a check, and the ten lines about a result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Project
from made import CHECK, record, result

from assay import record as records
from assay.cases.catalogue import Requirement
from assay.cli import main
from assay.explain import known, requirement, why
from assay.explain.guests import lines_of
from assay.explain.requirement import Sources
from assay.model import Basis, CaseResult, Ending, Expected, Kind, NotRun, Outcome, UnitResult, Verdict
from assay.model import Case as AnyCase

ROOT = Path(__file__).resolve().parents[2]
GUEST = """#include "extra.h"
// t.fake.first is only named here
MAIN {
    check("t.fake.first", true, "first");
    check_of("second", false);
}
"""


@pytest.fixture
def case(project: Project) -> AnyCase:
    folder = project.root / "fixtures/src"
    (folder / "lib").mkdir(parents=True)
    (folder / "p2").mkdir()
    (folder / "p2/c.c").write_text(GUEST, encoding="utf-8")
    (folder / "lib/extra.h").write_text('#define CHOICE value("t.fake.choice", "x")\n', encoding="utf-8")
    return project.load()


def sources(project: Project, case: AnyCase) -> Sources:
    row = Requirement("t.fake.third", "should", ("wasi:io/poll.poll",), "0.2.0", "wit", "poll", "", "waits", "no clock")
    return Sources((case,), project.root / "fixtures/src", {case.id: 12}, {row.id: row})


def words(rows: tuple[why.Row, ...]) -> dict[str, str]:
    return {row.label: row.words for row in reversed(rows)}


@pytest.mark.parametrize(
    ("check", "place"), [("t.fake.first", "c.c:4"), ("t.fake.second", "c.c:5"), ("t.fake.choice", "extra.h:1")]
)
def test_the_line_of_a_guest_that_reports_a_check_is_found(
    project: Project, case: AnyCase, check: str, place: str
) -> None:
    (line,) = lines_of(project.root / "fixtures/src", case, check)
    assert f"{line.path.name}:{line.number}" == place


def test_a_check_that_no_source_reports_has_no_line(project: Project, case: AnyCase) -> None:
    assert lines_of(project.root / "fixtures/src", case, "t.fake.elsewhere") == ()


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("t.fake.second", ["t.fake.second"]),
        ("input-stream.read", ["t.fake.second"]),
        ("wasi:io/streams.[method]input-stream.read", ["t.fake.second"]),
        ("poll", ["t.fake.third"]),
        ("t.fake.", ["t.fake.third", "t.fake.first", "t.fake.second", "t.fake.choice"]),
        ("choice", ["t.fake.choice"]),
    ],
)
def test_a_name_is_an_id_a_function_or_a_part(project: Project, case: AnyCase, name: str, checks: list[str]) -> None:
    assert list(requirement.find(sources(project, case), name).checks) == checks


def test_a_misspelt_name_gets_suggestions(project: Project, case: AnyCase) -> None:
    asked = requirement.find(sources(project, case), "t.fkae.first")
    assert asked.checks == ()
    assert "t.fake.first" in asked.similar


def test_a_requirement_is_explained_from_everything_that_is_known(project: Project, case: AnyCase) -> None:
    (project.root / "suites/expectations/jco.toml").write_text(
        '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.first"\nstatus = "FAIL"\n'
        'kind = "bug"\nlink = "https://example.org/1"\nreason = "it forgets"\n',
        encoding="utf-8",
    )
    divergence = known.Divergence("Forgetting", ("t.fake.first",), (("jco", "forgets"),), "the text decides", "Why.", ())
    base = sources(project, case)
    unit = UnitResult("t.fake.first", Verdict.FAIL, "expected a, got b", unexpected=True)
    seen = [replace(result("jco", case="p2/t/one"), units=(unit,)), replace(result("jco", case="p2/t/two"), units=(unit,))]
    given = replace(
        base,
        bases={"t.fake.first": Basis("rfc9110: 5", (("io/poll#poll.1", "It waits."), ("io/poll#poll.2", "")))},
        places={"io/poll#poll.1": "poll.wit:3"},
        announced=known.announced(project.root / "suites/expectations"),
        divergences=(divergence,),
        record=replace(record(), results=tuple(seen)),
        record_name="r.jsonl",
    )
    lines = [f"{row.label} {row.words}" for row in requirement.explain(given, "t.fake.first", project.root)]
    for line in (
        "requirement t.fake.first: MUST, since 0.2.0",
        "our words The first sentence.",
        "rests on rfc9110: 5",
        "text “It waits.” io/poll#poll.1 (poll.wit:3)",
        "text (the text is not here: `make suites` brings it) io/poll#poll.2",
        "case p2/t/one: A case for fakes (and 12 variants)",
        'guest fixtures/src/p2/c.c:4: check("t.fake.first", true, "first");',
        "announced jco FAIL: bug: it forgets (https://example.org/1)",
        "divergence Forgetting: the text decides. jco forgets. Why.",
        " jco: FAIL unexpected: expected a, got b (p2/t/one and 1 more)",
    ):
        assert line in lines
    assert words(requirement.explain(given, "t.fake.third", project.root))["cases"] == "none tries it: no clock"
    (first, *_) = requirement.listing(given, ["t.fake.first"])
    assert first.words == "MUST  The first sentence.  [1 case; fails: jco]"


def test_the_project_itself_is_explained() -> None:
    done = CliRunner().invoke(main, ["--root", str(ROOT), "explain", "filesystem.open-at.truncate-empties"])
    assert done.exit_code == 0, done.output
    for part in ("MUST, since 0.2.0", "[method]descriptor.open-at", "p2/filesystem/", "fixtures/src/p2/fs-open", "types.wit:"):
        assert part in done.output


def red(**changes: object) -> CaseResult:
    unit = UnitResult(
        CHECK,
        Verdict.FAIL,
        "argument 2: expected <b>, got c",
        expected=Expected((Verdict.PASS,), "it forgets", "https://example.org/1", kind="bug"),
        unexpected=True,
    )
    base = result("jco")
    passed = UnitResult("@expect", Verdict.FAIL, "exited 1", unexpected=True)
    seen = replace(base.observation, outcome=Outcome(Ending.TRAP, kind="unreachable"), stderr=b"one\n  last words \n\n")
    return replace(base, verdict=Verdict.FAIL, units=(passed, unit), observation=seen, **changes)  # type: ignore[arg-type]


def made(item: CaseResult) -> records.Record:
    trace = "\n".join(
        [
            "wasi:io/poll@0.2.0 [method]pollable.block(#1)",
            'wasi:cli/environment@0.2.0 get-arguments() -> ["a"]',
            "wasi:cli/exit@0.2.0 exit(err)",
        ]
    )
    base = record(result("touchstone", trace=trace), result("wasmtime", verdict=Verdict.FAIL), item)
    runtimes = tuple(replace(runtime, reference=runtime.name == "touchstone") for runtime in base.runtimes)
    return replace(base, runtimes=runtimes)


def test_ten_lines_say_why_a_result_is_red() -> None:
    divergence = known.Divergence("Forgetting", (CHECK,), (), "the text decides", "", ("https://example.org/2",))
    item = red()
    rows = why.why(made(item), item, (divergence,), "r.jsonl")
    assert len(rows) <= 12
    found = words(rows)
    assert found["verdict"].startswith("FAIL, not as announced: p2/cli/arguments on jco (")
    assert found["red first"] == f"{CHECK} FAIL (and 1 more) [MUST] Get the <arguments>."
    assert (found["expected"], found["got"]) == ("argument 2: <b>", "c")
    assert found["ended"] == "trap: unreachable after 0.01 s"
    assert found["stderr"] == "last words"
    assert found["calls"] == 'wasi:cli/environment@0.2.0 get-arguments() -> ["a"]  touchstone (of the function)'
    assert found["others"] == "touchstone PASS; wasmtime FAIL (expected <b>, got c)"
    assert found["known"] == (
        "announced as bug: it forgets (https://example.org/1); "
        "divergence “Forgetting”: the text decides (https://example.org/2)"
    )
    assert found["repeat"] == "assay repro r.jsonl p2/cli/arguments jco"
    assert found["more"] == f"assay explain {CHECK}"


def test_a_pass_that_was_announced_as_a_failure_says_so() -> None:
    item = replace(red(), units=(UnitResult(CHECK, Verdict.PASS, unexpected=True),), verdict=Verdict.PASS)
    found = words(why.why(made(item), item))
    assert "the announcement is to be removed" in found["seen"]
    assert found["known"] == "nothing is announced, and no thread is known"


def test_what_passed_and_what_was_not_run_have_few_lines() -> None:
    good = result("jco")
    assert words(why.why(made(good), good))["red"] == "nothing"
    skipped = replace(good, reason=NotRun("no clock here").reason, verdict=Verdict.SKIP, units=())
    assert words(why.why(made(skipped), skipped))["not run"] == "no clock here"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Kind.SCRIPT, "assay wast -r jco p2/cli/arguments"),
        (Kind.PROGRAM, "assay testsuite -r jco --only p2/cli/arguments"),
    ],
)
def test_scripts_and_programs_are_repeated_by_their_own_command(kind: Kind, line: str) -> None:
    item = red(kind=kind)
    assert words(why.why(made(item), item))["repeat"] == line


@pytest.mark.parametrize(
    ("case", "runtime", "words"),
    [
        ("p2/cli/argumetns", "jco", "did you mean p2/cli/arguments?"),
        ("arguments", "wasmtime-py", r"no results of wasmtime-py \(not <installed>\); it has touchstone, wasmtime, jco"),
    ],
)
def test_what_the_record_lacks_is_said(case: str, runtime: str, words: str) -> None:
    with pytest.raises(why.WhyError, match=words):
        why.pick(made(red()), case, runtime)


def test_a_part_of_an_id_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    records.write(made(red()), path)
    done = CliRunner().invoke(main, ["--root", str(ROOT), "why", str(path), "arguments", "jco"])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0].startswith("verdict    FAIL, not as announced")


def test_without_a_case_the_unexpected_results_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    records.write(made(red()), path)
    done = CliRunner().invoke(main, ["--root", str(ROOT), "why", str(path)])
    assert done.exit_code == 0, done.output
    first, second, last = done.output.splitlines()
    assert first.startswith("FAIL p2/cli/arguments jco @expect: exited 1")
    assert second.startswith(f"FAIL p2/cli/arguments jco {CHECK} (announced: PASS): argument 2")
    assert last.startswith("2 unexpected results.")
    none = CliRunner().invoke(main, ["--root", str(ROOT), "why", str(path), "touchstone"])
    assert none.output == "no unexpected result on touchstone: every result is as announced\n"
    which = CliRunner().invoke(main, ["--root", str(ROOT), "why", str(path), "p2/cli/arguments"])
    assert which.exit_code == 2
    assert "which runtime?" in which.output
