"""`assay init`, and the configuration file `assay.toml`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Project

from assay import record
from assay.cli import main
from assay.model import Ending, ProcessResult
from assay.runtimes import registry
from assay.runtimes.described import Described
from assay.scaffold import repository

ROOT = Path(__file__).resolve().parents[2]


def assay(*args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(ROOT), *args])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_patterns_of_the_adapter_are_quick_on_a_long_line(here: Path) -> None:
    assert assay("init", "--name", "my-rt").exit_code == 0
    (adapter,) = [item for item in registry.with_folders([here / "assay/runtimes"]) if item.name == "my-rt"]
    assert isinstance(adapter, Described)
    for line, ending in ((b"import x" * 200_000, "exited"), (b"x" * 2_000_000 + b"\nwasm trap: unreachable\n", "trap")):
        result = ProcessResult(1, None, False, False, b"", line, 0.1, 0.1, 0)
        assert adapter.told(result, Ending.EXITED).ending.value == ending


@pytest.mark.parametrize("language", ["--toml", "--python"])
def test_the_adapter_that_init_writes_can_be_used(here: Path, language: str) -> None:
    done = assay("init", "--command", "./build/my-rt run {args}", language, "--env", "-e{key}={value}")
    assert done.exit_code == 0, done.output
    adapters = registry.with_folders([here / "assay/runtimes"])
    assert "my-rt" in [adapter.name for adapter in adapters]
    text = (here / "assay/runtimes" / ("my-rt.py" if language == "--python" else "my-rt.toml")).read_text()
    assert "-e{key}={value}" in text and "grants" in text
    configuration = tomllib.loads((here / "assay.toml").read_text())
    assert configuration["programs"] == {"my-rt": "./build/my-rt"} and configuration["run"]["gate"] == ["my-rt"]


def test_the_workflow_is_that_of_the_ci_that_was_named(here: Path) -> None:
    for ci, has, lacks in (("github", ".github", ".gitlab"), ("gitlab", ".gitlab", ".github"), ("none", "assay.toml", ".g")):
        folder = here / ci
        assert assay("init", str(folder), "--name", "rt", "--ci", ci).exit_code == 0
        names = written(folder)
        assert any(name.startswith(has) for name in names) and not any(name.startswith(lacks) for name in names)
    assert (here / "github/.github/actions/assay/action.yml").read_bytes() == (ROOT / "ci/action/action.yml").read_bytes()
    assert (here / "gitlab/.gitlab/assay.yml").read_bytes() == (ROOT / "ci/gitlab-template.yml").read_bytes()


def test_nothing_is_lost(here: Path) -> None:
    assert assay("init", "--name", "rt").exit_code == 0
    assert assay("init", "--name", "rt").exit_code == 0  # the same files again
    (here / "assay.toml").write_text("# mine\n")
    before = written(here)
    done = assay("init", "--name", "other")
    assert done.exit_code == 2 and "assay.toml" in done.output and "--force" in done.output
    assert written(here) == before and (here / "assay.toml").read_text() == "# mine\n"
    assert assay("init", "--name", "other", "--force").exit_code == 0
    assert "other" in (here / "assay.toml").read_text()


def test_a_known_runtime_needs_no_adapter(here: Path) -> None:
    assert assay("init", "--name", "wasmtime").exit_code == 0
    assert not (here / "assay/runtimes").exists()
    known = (ROOT / "suites/expectations/wasmtime.toml").read_bytes()
    assert (here / "assay/expectations/wasmtime.toml").read_bytes() == known
    done = assay("init", "--name", "wasmtime", "--command", "wasmtime run")
    assert done.exit_code == 2 and "my-wasmtime" in done.output


def test_the_words_of_a_command_line() -> None:
    usual = ("{options}", "{dirs}", "{env}", "{component}", "{args}")
    assert repository.command_line("rt run") == ("rt", "run", *usual)
    assert repository.command_line("rt run {args}") == ("rt", "run", *usual)
    assert repository.command_line("rt {component} -- {args}") == ("rt", *usual[:4], "--", "{args}")
    assert repository.command_line("rt --file={component} {dirs}")[:3] == ("rt", "--file={component}", "{options}")
    for bad in ("", "{args} rt", "rt --all={args}", "rt 'open"):
        with pytest.raises(repository.ScaffoldError):
            repository.command_line(bad)


@pytest.mark.parametrize("args", [("--name", "Bad Name"), ("--command", "rt x{dirs}"), ("/dev/null/x", "--name", "rt")])
def test_what_cannot_be_written_is_refused(here: Path, args: tuple[str, ...]) -> None:
    done = assay("init", *args)
    assert done.exit_code == 2, done.output
    assert not written(here)


def configured(project: Project, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project.add("p2/t/one")
    project.add("p2/t/two")
    below = project.root / "below"
    below.mkdir()
    (project.root / "assay.toml").write_text(text)
    monkeypatch.chdir(below)


def test_a_run_does_what_the_configuration_says(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.fake("fail")
    configured(project, """
        expectations = "known"
        output = "out"
        [programs]
        touchstone = "./fake-fail"
        [run]
        runtime = ["touchstone"]
        cases = "p2/t/one"
        jobs = 1
        trace = false
    """, monkeypatch)  # fmt: skip
    project.fake("pass")
    runner = CliRunner()
    done = runner.invoke(main, ["run"])
    assert done.exit_code == 1, done.output
    made = record.read(project.root / "out/results.jsonl")
    assert [result.case for result in made.results] == ["p2/t/one"] and not made.trace
    assert runner.invoke(main, ["run", "--update-expectations"]).exit_code == 0
    assert (project.root / "known/touchstone.toml").is_file()
    assert runner.invoke(main, ["run"]).exit_code == 0
    assert runner.invoke(main, ["report", "--exit-status"]).exit_code == 0
    assert runner.invoke(main, ["run", "--resume"]).exit_code == 0  # the configuration names no part of the record
    done = runner.invoke(main, ["run", "p2/t/two", "--output", str(project.root / "other")])
    assert [item.case for item in record.read(project.root / "other/results.jsonl").results] == ["p2/t/two"]
    done = runner.invoke(main, ["run", "--program", f"touchstone={project.root / 'fake-pass'}"])
    assert done.exit_code == 1 and "unexpected" in done.output  # the known failure passes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ngates = []", "unknown key gates"),
        ("runtime = 'x'", "unknown key runtime"),
        ("[run]\nstrict = 'yes'", "true or false"),
        ("[run]\ngate = [1]", "a list of texts"),
        ("[run]\njobs = []", "one text or number"),
        ("run = 1", "no table"),
        ("programs = []", "[programs]"),
        ("[run", "assay.toml"),
        ("runtimes = ['nowhere']\n", "nowhere"),
    ],
)
def test_a_wrong_configuration_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    configured(project, text, monkeypatch)
    done = CliRunner().invoke(main, ["run"])
    assert done.exit_code == 2 and words in done.output, done.output


READ = ("build/suites", "build/toolchains", "build/tools")
"""What `make` targets put there; only a checkout has them."""


def test_no_command_writes_below_the_data_of_a_wheel() -> None:
    """A folder of a checkout that is written to is named by model/locations.py, which knows where else it is."""
    found = []
    for path in sorted((ROOT / "harness/assay").rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            named = line.replace('" / "', "/")
            if path.name != "locations.py" and re.search(r'root / "(build|reports)\b', named):
                found += [] if any(f'root / "{place}' in named for place in READ) else [f"{path.name}: {line.strip()}"]
    assert found == []
