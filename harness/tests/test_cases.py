"""The case format: what is accepted. Everything else is an error with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import CASE, Project

from assay import cases
from assay.cases import catalogue
from assay.model import Ending, Level

SHORT = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n'


def test_a_whole_case(project: Project) -> None:
    case = project.load(CASE)
    assert case.id == "p2/t/one"
    assert [check.level for check in case.checks] == [Level.MUST, Level.MUST, Level.UNSPECIFIED]
    assert case.checks[1].interface == "wasi:io/streams" and case.checks[1].package == "wasi:io"
    assert case.run.env is None and case.run.timeout == 5.0
    assert case.expect.exit == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CASE + "\nsurprise = 1\n", "unknown key surprise"),
        (CASE.replace("timeout = 5", "timeout = 5\ntimout = 1"), "unknown key timout"),
        (CASE.replace("timeout = 5", "timeout = 0"), "timeout"),
        (CASE.replace('stdout = "hello\\n"', 'stdout = "x"\nstdot = "y"'), "unknown key stdot"),
        (CASE.replace("[expect]", "[expect]\nexit = 256"), "0 to 255"),
        (CASE.replace("[expect]", "[expect]\nexit = 1\ntrap = true"), "exclude"),
        (CASE.replace("[expect]", '[expect]\nrefused = "broken"'), "refused must be"),
        (CASE.replace("[expect]", '[expect]\nstdout-matches = "("'), "matches"),
        (CASE.replace('level = "unspecified"', 'level = "maybe"'), "level"),
        (CASE.replace("t.fake.second", "t.fake.first"), "declared twice"),
        (CASE.replace('since = "0.2.0"\ntext = "Silent."', 'since = "0.3.0"\ntext = "Silent."'), "since"),
        (CASE.replace('text = "Silent."', ""), "text is missing"),
        (CASE.replace("wasi:cli/environment.initial-cwd", "environment.initial-cwd"), "function"),
        (CASE.replace('"wasi:cli/stdout"', '"wasi:cli/stdout@0.2.0"'), "interfaces"),
        (CASE.replace('"c.wasm"', '"../c.wasm"'), "component"),
        (CASE.replace("timeout = 5", 'grant = ["everything"]'), "grant"),
        (CASE.replace("[expect]", '[[run.dir]]\nfrom = "no-such-tree"\nguest = "/d"\n[expect]'), "no tree"),
        (CASE.replace("[expect]", '[[expect.file]]\npath = "/d/x"\ntext = ""\n[expect]'), "in no"),
        ("title = [", "Invalid value"),
        (SHORT, "does nothing"),
        (SHORT + "[expect]\nexit = 0\n", "does nothing"),
        (SHORT + "[expect]\nexit = 1\n", "does nothing"),
        (SHORT + '[expect]\nexit = "any"\n[[check]]\n' + CASE.rpartition("[[check]]\n")[2], "does nothing"),
        (SHORT + '[expect]\nexit = "all"\nstdout = "x"\n', "0 to 255"),
        (SHORT + '[expect]\nstdout = ""\n', "does nothing"),
        (SHORT + '[expect]\nstdout-matches = "x*"\n', "does nothing"),
        (SHORT + '[[run.dir]]\nguest = "/d"\n[[expect.file]]\npath = "/d/f"\nabsent = true\n', "does nothing"),
        (
            SHORT
            + '[[run.dir]]\nfrom = "seed"\nguest = "/d"\n[[expect.file]]\npath = "/d/seed.txt"\ntext = "seed\\n"\n',
            "does nothing",
        ),
    ],
)
def test_errors(project: Project, text: str, words: str) -> None:
    with pytest.raises(cases.CaseError, match=r"case\.toml") as caught:
        project.load(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "trap = true",
        "exit = 2",
        'refused = "invalid"',
        'stdout = "x"',
        'stderr-contains = "x"',
        'stdout-matches = "^x"',
    ],
)
def test_positive_expectations(project: Project, line: str) -> None:
    assert not project.load(SHORT + f"[expect]\n{line}\n").checks


def test_refusal(project: Project) -> None:
    case = project.load(SHORT + '[expect]\nrefused = "link-error"\n')
    assert case.expect.refused is Ending.LINK_ERROR and case.expect.exit is None


def test_discovery_sorts_and_filters(project: Project) -> None:
    for name in ("p2/b/two", "p2/a/one", "p2/b/one"):
        project.add(name)
    found = cases.discover(project.root / "suites", project.root / "fixtures")
    assert [case.id for case in found] == ["p2/a/one", "p2/b/one", "p2/b/two"]
    assert [case.id for case in cases.discover(project.root / "suites", project.root / "fixtures", ["p2/b"])] == [
        "p2/b/one",
        "p2/b/two",
    ]


def test_find_directory_takes_the_longest(project: Project) -> None:
    text = CASE.replace("[expect]", '[[run.dir]]\nguest = "/"\n[[run.dir]]\nguest = "/data"\n[expect]')
    dirs = project.load(text).run.dirs
    found = cases.find_directory(dirs, "/data/x/y")
    assert found is not None and (found[0].guest, found[1]) == ("/data", "x/y")
    found = cases.find_directory(dirs, "/database")
    assert found is not None and (found[0].guest, found[1]) == ("/", "database")
    assert cases.find_directory(dirs, "/data/../../etc/passwd") is None


def test_a_row_of_the_catalogue_that_breaks_a_rule_is_said_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "suites/text/cli/exit.requirements.tsv"
    table.parent.mkdir(parents=True)
    (tmp_path / "suites/p2/cli/one").mkdir(parents=True)
    (tmp_path / "suites/p2/cli/one/c.wasm").write_bytes(b"")
    (tmp_path / "suites/p2/cli/one/case.toml").write_text(
        'title = "T"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/exit"]\n', encoding="utf-8"
    )
    table.write_text("#" + "\t".join(catalogue.REQUIREMENT_COLUMNS) + "\ncli.exit\tmust\n", encoding="utf-8")
    with pytest.raises(cases.CaseError, match=r"exit\.requirements\.tsv:2: 2 columns instead of 9"):
        cases.discover(tmp_path / "suites", tmp_path / "fixtures")
