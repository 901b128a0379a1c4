"""Repeating runs: the files are kept, the line for a shell works. Faults of the harness are never failures of a
runtime."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import record
from assay.cli import main
from assay.model import CaseResult, Ending, Peer, Verdict
from assay.run import world
from assay.run.runner import Settings
from assay.run.stage import shell_line
from assay.runtimes import Runtime, registry
from assay.runtimes.described import Described
from assay.suites import executors

WITH_DIR = (
    CASE.replace('stdout = "hello\\n"', 'stdout-contains = "hello"')
    .replace("timeout = 5", 'timeout = 5\nargs = ["it\'s", "a b", "$HOME"]\nstdin = "in"')
    .replace("[expect]", '[[run.dir]]\nfrom = "seed"\nguest = "/data"\n[expect]')
)


def assay(project: Project, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args])


def recorded(project: Project, kind: str, text: str = WITH_DIR, *more: str) -> tuple[Path, str]:
    project.add("p2/t/one", text)
    program = f"touchstone={project.fake(kind)}"
    assay(project, "run", "-r", "touchstone", "--program", program, *more)
    return project.root / "reports/latest/results.jsonl", program


def test_repro(project: Project) -> None:
    path, program = recorded(project, "show")
    done = assay(project, "repro", str(path), "p2/t/one", "touchstone", "--program", program)
    assert done.exit_code == 0, done.output
    world_line = project.root / "build/repro/touchstone/p2/t/one"
    assert f"world: {world_line}" in done.output and "verdict: PASS; in the record: PASS" in done.output
    (line,) = (line for line in done.output.splitlines() if line.startswith("cd "))
    # the line works in any directory and with any environment
    again = subprocess.run(["sh", "-c", line], cwd="/", env={"SECRET": "leak", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert again.returncode == 0, again.stderr
    shown = again.stdout.splitlines()
    assert "args it's|a b|$HOME" in shown and "stdin in" in shown and "seed.txt seed" in shown
    assert f"cwd {world_line}/cwd" in shown and not any("leak" in row for row in shown)
    script = subprocess.run(
        [str(world_line / "command.sh")], cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert script.stdout == again.stdout
    assert (world_line / "stdout").read_text().replace("{run}", str(world_line)) == again.stdout
    # a second repro makes the files again
    (world_line / "dir0/seed.txt").write_text("changed")
    assay(project, "repro", str(path), "p2/t/one", "touchstone", "--program", program, "--no-run")
    assert (world_line / "dir0/seed.txt").read_text() == "seed\n"
    # the page has the beginning of the same line, and its script adds the case and the runtime
    page = (path.parent / "index.html").read_text(encoding="utf-8")
    assert made.data_of(page)["repro"] == "assay repro reports/latest/results.jsonl"


def test_repro_says_what_is_not_as_it_was(project: Project) -> None:
    path, program = recorded(project, "pass", CASE)
    other = f"touchstone={project.fake('fail')}"
    done = assay(project, "repro", str(path), "p2/t/one", "touchstone", "--program", other)
    assert done.exit_code == 1
    assert "not as in the record: touchstone: fake pass 1.0, now fake fail 1.0" in done.output
    assert "t.fake.second: PASS in the record, FAIL now" in done.output
    for args, words in (
        (("p2/t/two", "touchstone"), "has no case p2/t/two"),
        (("p2/t/one", "jco"), "the record has no results of jco; it has touchstone"),
    ):
        done = assay(project, "repro", str(path), *args, "--program", program)
        assert done.exit_code == 2 and words in done.output
    occupied = project.root / "occupied"
    occupied.mkdir()
    (occupied / "mine").touch()
    done = assay(project, "repro", str(path), "p2/t/one", "touchstone", "--program", program, "--folder", str(occupied))
    assert done.exit_code == 2 and "holds something else" in done.output and (occupied / "mine").is_file()


def test_keep(project: Project) -> None:
    path, _ = recorded(project, "show", WITH_DIR, "--keep")
    kept = path.parent / "kept/touchstone/p2/t/one"
    done = subprocess.run([str(kept / "command.sh")], cwd="/", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and f"cwd {kept}/cwd" in done.stdout
    assert record.read(path).results[0].observation.cwd == "{run}/cwd"


def test_nothing_stays_without_keep(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    recorded(project, "show")
    assert list(place.iterdir()) == []


def test_a_line_for_a_shell() -> None:
    line = shell_line(("/bin/echo", "a'b", "$x", ""), (("A", "1 2"), ("B", "`c`")), "/a b", "</dev/null ")
    assert line == "cd '/a b' && </dev/null env -i A='1 2' B='`c`' /bin/echo 'a'\"'\"'b' '$x' ''"


# --- the harness's own faults ---------------------------------------------------------------------


def run(project: Project, kind: str = "pass", text: str = WITH_DIR) -> CaseResult:
    return project.run(kind, project.load(text))


def is_the_harness(result: CaseResult, words: str) -> None:
    assert result.verdict is Verdict.ERROR and {unit.verdict for unit in result.units} == {Verdict.ERROR}
    assert words in result.units[0].detail, result.units[0].detail


def test_a_component_that_is_not_handed_over(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Described, "prepare", lambda *_: Path("relative.wasm"))
    is_the_harness(run(project), "the harness failed: the component is given by a relative path")
    monkeypatch.setattr(Described, "prepare", lambda *_: Path("/no/such.wasm"))
    is_the_harness(run(project), "the harness failed: the component does not exist: /no/such.wasm")


def test_a_tree_that_cannot_be_copied(project: Project) -> None:
    case = project.load(WITH_DIR)
    shutil.rmtree(project.root / "fixtures/trees/seed")
    is_the_harness(project.run("pass", case), "the harness failed: ")


def test_a_runtime_that_is_gone_since(project: Project) -> None:
    """A runtime that is removed after it was found has not failed."""
    fake = project.fake("pass")
    suite = project.suite(programs=(("touchstone", fake),))
    adapter = registry.reference()
    peer = adapter.find(suite.places)
    assert isinstance(peer, Peer)
    fake.unlink()
    result = executors.one(suite, project.load(), Runtime(adapter, peer), Settings(jobs=1))
    is_the_harness(result, "a file of the runtime does not exist")


def test_a_program_that_cannot_be_started(project: Project) -> None:
    fake = project.root / "no-program"
    fake.write_text("no program")
    fake.chmod(0o755)
    peer = Peer("touchstone", "1", (str(fake),))
    result = executors.one(project.suite(), project.load(), Runtime(registry.reference(), peer), Settings(jobs=1))
    is_the_harness(result, "not-started")
    assert result.observation.outcome.ending is Ending.NOT_STARTED


def test_what_runs_before_the_runtime_and_fails(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapper of the harness that fails has an exit status of its own, which is not the guest's."""
    real = world.wrap

    def broken(case: object, made: object, argv: object, begun: Path) -> object:
        wrapped = real(case, made, argv, begun)  # type: ignore[arg-type]
        assert isinstance(wrapped, tuple)
        return ("sh", "-c", "echo no mount >&2; exit 97", *wrapped)

    monkeypatch.setattr("assay.run.stage.wrap", broken)
    is_the_harness(run(project), "what was to run before the runtime failed: no mount")
    monkeypatch.setattr("assay.run.stage.wrap", real)
    assert run(project, "pass", WITH_DIR.replace("timeout = 5", "timeout = 5\nopen-files = 64")).verdict is Verdict.PASS


def test_a_server_of_the_harness_that_breaks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise KeyError("a bug")

    monkeypatch.setattr("assay.run.http_peers.Server._one", broken)
    text = CASE.replace("timeout = 5", 'timeout = 5\nargs = ["{s}"]').replace(
        "[expect]", '[[run.server]]\nname = "s"\n[expect]'
    )
    is_the_harness(run(project, "knock", text), "KeyError: 'a bug'")


def test_a_client_of_the_harness_that_breaks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise KeyError("a bug")

    monkeypatch.setattr("assay.run.http_peers.talk", broken)
    text = CASE.replace("[expect]", '[[run.client]]\nname = "c"\nsay = "GET / HTTP/1.1\\r\\n\\r\\n"\n[expect]')
    is_the_harness(run(project, "serve", text), "KeyError: 'a bug'")


def test_faults_of_the_harness_are_red_and_nobodys(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Described, "prepare", lambda *_: Path("/no/such.wasm"))
    path, _ = recorded(project, "pass")
    made = record.read(path)
    assert made.results[0].verdict is Verdict.ERROR
    done = assay(project, "report", str(path), "--exit-status")
    assert done.exit_code == 1
    page = (path.parent / "index.html").read_text(encoding="utf-8")
    assert "0 of 2 pass, 2 in error" in page


def test_a_column_of_a_merged_record_that_cannot_be_repeated_here_says_how(tmp_path: Path) -> None:
    column = "wasmtime@darwin"
    path = tmp_path / "results.jsonl"
    whole = made.record(made.result("wasmtime"))
    renamed = [dataclasses.replace(one, name=column) if one.name == "wasmtime" else one for one in whole.runtimes]
    results = [dataclasses.replace(one, runtime=column) if one.runtime == "wasmtime" else one for one in whole.results]
    record.write(dataclasses.replace(whole, runtimes=tuple(renamed), results=tuple(results), gate=("touchstone",)), path)
    done = CliRunner().invoke(main, ["repro", str(path), "p2/cli/arguments", column])
    assert done.exit_code == 2, done.output
    assert f"{column} is absent" in done.output and f"--program {column}=PATH" in done.output
    assert "a column of a merged record is repeated on the machine that it is of" in done.output
