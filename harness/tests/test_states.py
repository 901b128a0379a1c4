"""What a case asks of an entry of a directory besides its content, and of how the run ended."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Project

from assay import cases
from assay.judge import judge
from assay.model import Ending, Observation, Outcome, Verdict
from assay.run.runner import entry_state

HEAD = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/exit"]\n[[run.dir]]\nguest = "/d"\n'
FILE = HEAD + '[expect]\nexit = 3\n[[expect.file]]\npath = "/d/f"\n'
CHECK = '[[check]]\nid = "t.a.b"\nlevel = "must"\nfunction = "wasi:cli/exit.exit"\nsince = "0.2.0"\ntext = "x"\n'


def seen(stdout: bytes, ending: Ending, status: int | None) -> Observation:
    return Observation(Outcome(ending, status, ""), stdout=stdout)


def test_states_of_entries(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"four")
    file.chmod(0o640)
    os.link(file, tmp_path / "second")
    os.utime(file, ns=(1_000_000_000_000_000_001, -1))
    (tmp_path / "link").symlink_to("no such")
    os.mkfifo(tmp_path / "pipe")
    state = entry_state(file).splitlines()
    assert state[:4] == ["file", "size 4", "mode 640", "links 2"]
    assert state[4:] == ["accessed 1000000000.000000001", "modified -1.999999999"]
    assert entry_state(tmp_path / "link").startswith("link to no such\n")
    assert entry_state(tmp_path / "pipe").startswith("fifo\n")
    assert entry_state(tmp_path).startswith("directory\nentries file link pipe second\n")
    assert entry_state(tmp_path / "missing") == ""


@pytest.mark.parametrize(
    ("state", "verdict"), [("file\nlinks 1\n", Verdict.PASS), ("file\nlinks 2\n", Verdict.FAIL), ("", Verdict.FAIL)]
)
def test_a_state_is_compared(project: Project, state: str, verdict: Verdict) -> None:
    case = project.load(FILE + "state = ['^file$', '^links 1$']\n")
    observation = replace(seen(b"", Ending.EXITED, 3), contents=(("/d/f", b""), ("/d/f state", state.encode())))
    assert judge(case, "r", observation).verdict is verdict


@pytest.mark.parametrize(("text", "words"), [("state = '('\n", "state"), ("state = 'x'\nabsent = true\n", "absent")])
def test_errors(project: Project, text: str, words: str) -> None:
    with pytest.raises(cases.CaseError, match=words):
        project.load(FILE + text)


def test_a_state_alone_is_no_proof(project: Project) -> None:
    with pytest.raises(cases.CaseError, match="does nothing"):
        project.load(HEAD + '[[expect.file]]\npath = "/d/f"\nstate = "file"\n')


@pytest.mark.parametrize(
    ("ending", "status", "verdict"),
    [
        (Ending.EXITED, 200, Verdict.PASS),
        (Ending.EXITED, 72, Verdict.FAIL),
        (Ending.TRAP, None, Verdict.FAIL),
        (Ending.TIMEOUT, None, Verdict.TIMEOUT),
        (Ending.LINK_ERROR, None, Verdict.UNSUPPORTED),
    ],
)
def test_a_check_of_the_ending(project: Project, ending: Ending, status: int | None, verdict: Verdict) -> None:
    case = project.load(HEAD + "[expect]\nexit = 200\n" + CHECK + "on = 'ending'\nmatches = '^exited 200$'\n")
    unit = judge(case, "r", seen(b"", ending, status)).unit("t.a.b")
    assert unit is not None and unit.verdict is verdict
