"""An interrupted run leaves a partial record, which every command reads. --resume runs what is missing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project
from test_status import junit_is_red, markdown_is_red, page_is_red
from test_testsuite import add as add_program
from test_testsuite import run as run_programs
from test_wast import fake as fake_wast

from assay import record
from assay.cli import main
from assay.suites.scripts import find_tool


def assay(project: Project, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args])


def count_runs(project: Project) -> int:
    note = project.root / "note"
    return len(note.read_text(encoding="utf-8").splitlines()) if note.is_file() else 0


@pytest.fixture
def three(project: Project) -> Project:
    for number in ("one", "two", "three"):
        project.add(f"p2/t/{number}", CASE.replace("timeout = 5", "timeout = 50"))
    return project


def interrupt(project: Project, number: int) -> tuple[int, str]:
    """Runs cases of which the last hangs, and then ends the run by a signal."""
    argv = [sys.executable, "-m", "assay.cli", "--root", str(project.root), "run", "-r", "touchstone", "-j", "1"]
    argv += ["--program", f"touchstone={project.fake('third-hangs')}"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    path = project.root / "reports/latest/results.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and count_runs(project) < 3:
        time.sleep(0.05)
    while time.monotonic() < deadline and len(path.read_text(encoding="utf-8").splitlines()) < 3:
        time.sleep(0.05)
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_report_compare_resume(three: Project, number: int) -> None:
    status, output = interrupt(three, number)
    latest = three.root / "reports/latest"
    path = latest / "results.jsonl"
    assert status == 130 and "2 of 3 runs" in output and "--resume" in output
    partial = record.read(path)
    assert partial.partial == "the run was interrupted" and len(partial.results) == 2
    assert all(result.verdict.value == "PASS" for result in partial.results)
    # every report says so
    done = assay(three, "report", str(path), "--exit-status")
    assert done.exit_code == 1 and "partial, 2 of 3 runs are there: the run was interrupted" in done.output
    page, junit, text = (
        (latest / name).read_text(encoding="utf-8") for name in ("index.html", "junit.xml", "report.md")
    )
    assert (
        junit_is_red(junit) and page_is_red(page) and markdown_is_red(text) and "partial" in page and "partial" in text
    )
    whole = three.root / "whole"
    done = assay(
        three, "run", "-r", "touchstone", "--program", f"touchstone={three.fake('pass')}", "--output", str(whole)
    )
    assert done.exit_code == 0
    done = assay(three, "diff", str(whole / "results.jsonl"), str(path))
    assert done.exit_code == 1 and "is partial: the run was interrupted" in done.output and "1 removed" in done.output
    assert assay(three, "diff", str(whole / "results.jsonl"), str(path), "--allow-missing").exit_code == 0
    # --resume runs only what is missing
    before = count_runs(three)
    (three.root / "third-may-end").touch()
    done = assay(three, "run", "--resume", "--program", f"touchstone={three.root / 'fake-third-hangs'}")
    assert done.exit_code == 0, done.output
    assert "resuming: 2 of 3 runs are there" in done.output and count_runs(three) == before + 1
    made = record.read(path)
    assert not made.partial and len(made.results) == 3
    # nothing is missing in a complete record
    done = assay(three, "run", "--resume", "--program", f"touchstone={three.root / 'fake-third-hangs'}")
    assert done.exit_code == 0 and count_runs(three) == before + 1


HANGS = """#!/bin/sh
case " $* " in *" --version "*) echo hangs 1; exit 0;; esac
echo $$ >>"{note}"
exec sleep 600
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "words",
    [
        ("smoke", "touchstone"),
        ("run", "-r", "wasmtime"),  # its smoke test comes first
        ("fuzz", "-r", "touchstone", "-r", "wasmtime", "--area", "clocks"),
    ],
    ids=lambda words: words[0],
)
def test_a_command_that_is_ended_leaves_no_process(three: Project, words: tuple[str, ...], number: int) -> None:
    for name in ("smoke", "smoke-nowhere", "serve-minimal", "fuzz-probe"):
        (three.root / "fixtures/built" / f"{name}.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    note, program = three.root / "pids", three.root / "hangs"
    program.write_text(HANGS.format(note=note), encoding="utf-8")
    program.chmod(0o755)
    argv = [sys.executable, "-m", "assay.cli", "--root", str(three.root), *words]
    argv += [word for name in ("touchstone", "wasmtime") for word in ("--program", f"{name}={program}")]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and not (note.is_file() and note.read_text()):
        time.sleep(0.05)
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130 and "interrupted" in output, output
    pids = [int(line) for line in note.read_text(encoding="utf-8").split()]
    assert pids and not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_run_that_is_killed_leaves_what_it_had(three: Project) -> None:
    status, _ = interrupt(three, signal.SIGKILL)
    assert status == -signal.SIGKILL
    made = record.read(three.root / "reports/latest/results.jsonl")
    assert "no footer" in made.partial and len(made.results) == 2
    (three.root / "third-may-end").touch()
    done = assay(three, "run", "--resume", "--program", f"touchstone={three.root / 'fake-third-hangs'}")
    assert done.exit_code == 0, done.output


def cut_short(project: Project) -> Path:
    """Makes a partial record with two passes, without interrupting a process."""
    program = f"touchstone={project.fake('pass')}"
    assert assay(project, "run", "-r", "touchstone", "--program", program).exit_code == 0
    path = project.root / "reports/latest/results.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    return path


@pytest.mark.parametrize("change", ["case", "component", "runtime", "gone", "tree"])
def test_resume_refuses_what_has_changed(three: Project, change: str) -> None:
    three.add("p2/t/one", CASE.replace("[expect]", '[[run.dir]]\nfrom = "seed"\nguest = "/d"\n[expect]'))
    path = cut_short(three)
    words = {
        "case": "p2/t/three: the definition of the case has changed",
        "component": "p2/t/one: the component c.wasm has changed",
        "runtime": "touchstone: the program has changed",
        "gone": "p2/t/three: no longer exists",
        "tree": "p2/t/one: the definition of the case has changed",
    }[change]
    if change == "case":
        three.add("p2/t/three", CASE.replace("timeout = 5", "timeout = 7"))
    elif change == "component":
        (three.root / "fixtures/built/c.wasm").write_bytes(b"\0asm\x0d\0\1\0\0")
    elif change == "runtime":
        with three.fake("pass").open("a", encoding="utf-8") as file:
            file.write("# another build\n")
    elif change == "gone":
        (three.root / "suites/p2/t/three/case.toml").unlink()
    else:
        (three.root / "fixtures/trees/seed/seed.txt").write_text("other", encoding="utf-8")
    program = f"touchstone={three.root / 'fake-pass'}"
    before = path.read_text(encoding="utf-8")
    done = assay(three, "run", "--resume", "--program", program)
    assert done.exit_code == 2 and words in done.output, done.output
    assert path.read_text(encoding="utf-8") == before  # a refused --resume changes nothing
    done = assay(three, "run", "--resume", "--rerun-changed", "--program", program)
    assert done.exit_code == 0, done.output
    made = record.read(path)
    assert not made.partial and len(made.results) == (2 if change == "gone" else 3)


def test_resume_keeps_the_settings(three: Project) -> None:
    program = f"touchstone={three.fake('pass')}"
    assay(three, "run", "-r", "touchstone", "--program", program, "--strict", "--no-trace", "--timeout-factor", "2.5")
    path = three.root / "reports/latest/results.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    assay(three, "run", "--resume", "--program", program)
    header = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (header["strict"], header["trace"], header["timeout_factor"]) == (True, False, 2.5)


def without_last_result(path: Path) -> None:
    """Shortens a record to that of a run that was killed before its last result."""
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-2]), encoding="utf-8")


def test_programs_are_resumed_too(project: Project) -> None:
    for name in ("one", "two"):
        add_program(project, name)
    assert run_programs(project).exit_code == 0
    path = project.root / "reports/latest/testsuite.jsonl"
    whole = record.read(path)
    without_last_result(path)
    assert record.read(path).partial
    done = run_programs(project, "program", "--resume")
    assert done.exit_code == 0 and "resuming: 1 of 2 runs are there" in done.output, done.output
    made = record.read(path)
    assert not made.partial and [item.units for item in made.results] == [item.units for item in whole.results]
    assert run_programs(project, "program", "--rerun-changed").exit_code == 2


def test_scripts_are_resumed_too(project: Project) -> None:
    if find_tool(project.root / "tool") is None:
        pytest.skip("wasm-tools is not installed")
    folder = project.root / "suites/own"
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        (folder / f"{name}.wast").write_text(f"(module)\n;; {name}\n", encoding="utf-8")
    argv = ("wast", "--touchstone", fake_wast(project.root, "pass"))
    done = assay(project, *argv)
    assert done.exit_code == 0, done.output
    path = project.root / "reports/latest/wast.jsonl"
    without_last_result(path)
    (folder / "a.wast").write_text("(module) (module)\n", encoding="utf-8")
    done = assay(project, *argv, "--resume")
    assert done.exit_code == 2 and "own/a.wast: the component a.wast has changed" in done.output
    done = assay(project, *argv, "--resume", "--rerun-changed")
    assert done.exit_code == 0, done.output
    assert [len(result.units) for result in record.read(path).results] == [2, 1]
