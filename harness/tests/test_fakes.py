"""The harness against runtimes that pass, lie, hang, crash, print garbage, ignore the signal, or do nothing
at all."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest
from conftest import CASE, Project

from assay.model import EXPECT_UNIT, CaseResult, Ending, Verdict
from assay.run.runner import Settings


def verdicts(result: CaseResult) -> dict[str, Verdict]:
    return {unit.id: unit.verdict for unit in result.units}


def test_pass(project: Project) -> None:
    result = project.run("pass")
    assert result.verdict is Verdict.PASS
    assert result.rest == b"hello\n"
    choice = result.unit("t.fake.choice")
    assert choice is not None and choice.value == "forty-two"
    assert "get-arguments" in result.observation.trace
    assert result.observation.peak_rss_kib > 0
    assert result.observation.wall > 0


def test_fail_is_told_per_check(project: Project) -> None:
    result = project.run("fail")
    assert result.verdict is Verdict.FAIL
    assert verdicts(result) == {
        "t.fake.first": Verdict.PASS,
        "t.fake.second": Verdict.FAIL,
        "t.fake.choice": Verdict.PASS,
        EXPECT_UNIT: Verdict.PASS,
    }


ONLY_EXPECT = 'title = "x"\ncomponent = "c.wasm"\ninterfaces = ["wasi:cli/run"]\n'
EVERY_SHAPE = [
    CASE,
    ONLY_EXPECT + '[expect]\nstdout = "x"\n',
    ONLY_EXPECT + '[expect]\nstdout-contains = "x"\n',
    ONLY_EXPECT + '[expect]\nstderr-matches = "x+"\n',
    ONLY_EXPECT + '[expect]\nexit = "any"\nstdout = "x"\n',
    ONLY_EXPECT + "[expect]\ntrap = true\n",
    ONLY_EXPECT + "[expect]\nexit = 2\n",
    ONLY_EXPECT + '[expect]\nrefused = "malformed"\n',
    ONLY_EXPECT + '[expect]\nrefused = "rejected"\n',
    ONLY_EXPECT + '[expect]\nrefused = "link-error"\n',
    ONLY_EXPECT + '[[run.dir]]\nguest = "/d"\n[[expect.file]]\npath = "/d/f"\ntext = ""\n',
    ONLY_EXPECT + '[[run.dir]]\nfrom = "seed"\nguest = "/d"\n[[expect.file]]\npath = "/d/seed.txt"\nabsent = true\n',
]


@pytest.mark.parametrize("kind", ["nothing", "nothing-but-outcome"])
@pytest.mark.parametrize("shape", range(len(EVERY_SHAPE)))
def test_nothing_passes_no_case(project: Project, kind: str, shape: int) -> None:
    assert project.run(kind, project.load(EVERY_SHAPE[shape])).verdict is not Verdict.PASS


def test_lying_about_undeclared_checks_is_an_error(project: Project) -> None:
    result = project.run("lie-undeclared")
    assert result.verdict is Verdict.ERROR
    unit = result.unit(EXPECT_UNIT)
    assert unit is not None and "t.fake.invented" in unit.detail


def test_reporting_twice_is_an_error(project: Project) -> None:
    assert verdicts(project.run("lie-twice"))["t.fake.first"] is Verdict.ERROR


def test_status_and_outcome_that_disagree_are_a_crash(project: Project) -> None:
    assert project.run("lie-status").observation.outcome.ending is Ending.CRASH


def test_unknown_outcome_is_a_crash(project: Project) -> None:
    result = project.run("lie-outcome")
    assert result.verdict is Verdict.CRASH
    assert "splendid" in str(result.observation.outcome)


def test_garbage_is_an_error_and_recorded(project: Project) -> None:
    result = project.run("garbage")
    assert result.verdict is Verdict.ERROR
    assert bytes(range(256)) in result.rest


def test_hang_ends_in_time(project: Project) -> None:
    case = project.load(CASE.replace("timeout = 5", "timeout = 0.6"))
    started = time.monotonic()
    result = project.run("hang", case)
    assert time.monotonic() - started < 25
    assert result.verdict is Verdict.TIMEOUT
    assert verdicts(result)["t.fake.first"] is Verdict.PASS  # a report before the end counts
    assert verdicts(result)["t.fake.second"] is Verdict.TIMEOUT


def test_ignoring_sigterm_does_not_help(project: Project) -> None:
    case = project.load(CASE.replace("timeout = 5", "timeout = 0.6"))
    started = time.monotonic()
    assert project.run("deaf", case).verdict is Verdict.TIMEOUT
    assert time.monotonic() - started < 25


def test_crash(project: Project) -> None:
    result = project.run("crash")
    assert result.verdict is Verdict.CRASH
    assert result.observation.outcome.kind == "signal 11"
    assert verdicts(result)["t.fake.first"] is Verdict.PASS


def test_trap_where_none_is_expected_fails(project: Project) -> None:
    result = project.run("trap")
    assert result.verdict is Verdict.FAIL
    assert result.observation.outcome.ending is Ending.TRAP


def test_trap_kind(project: Project) -> None:
    text = (
        ONLY_EXPECT + '[expect]\ntrap = "{}"\n[[check]]\n' + CASE.partition("[[check]]\n")[2].partition("[[check]]")[0]
    )
    assert project.run("trap", project.load(text.format("unreachable"))).verdict is Verdict.PASS
    assert project.run("trap", project.load(text.format("null-reference"))).verdict is Verdict.FAIL


def test_unsupported_needs_the_runtimes_word(project: Project) -> None:
    result = project.run("unsupported")
    assert result.verdict is Verdict.UNSUPPORTED
    assert result.observation.outcome.imports == ("wasi:foo/bar@0.2.0.f (not implemented)",)
    assert project.run("fake-link-status").verdict is Verdict.FAIL  # a guest may exit with that status


def test_grandchild_is_ended(project: Project) -> None:
    result = project.run("grandchild")
    assert result.observation.leftovers
    pid = int((project.root / "note").read_text(encoding="utf-8"))
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{pid}").exists()


def test_flood_is_stopped(project: Project) -> None:
    result = project.run("flood")
    assert result.observation.outcome.ending is Ending.FLOOD
    assert result.verdict is Verdict.FAIL
    assert len(result.observation.stdout) <= 64 << 10
    assert result.observation.size("stdout", b"") == 4 << 20


def test_stdin_arrives_whole(project: Project) -> None:
    folder = project.add("p2/t/one")
    data = bytes(range(256)).replace(b"check", b"") * 256
    (folder / "in.bin").write_bytes(data)
    text = CASE.replace("timeout = 5", 'timeout = 5\nstdin-file = "in.bin"').replace(
        'stdout = "hello\\n"', 'stdout-contains = ["A"]'
    )
    result = project.run("echo", project.load(text))
    assert result.verdict is Verdict.PASS
    assert result.rest == data


def test_trees_are_fresh_and_files_are_judged(project: Project) -> None:
    text = CASE.replace(
        "[expect]",
        '[[run.dir]]\nfrom = "seed"\nguest = "/data"\n[[expect.file]]\npath = "/data/out.txt"\ntext = "written\\n"\n[expect]',
    )
    case = project.load(text)
    result = project.run("writer", case)
    assert result.verdict is Verdict.PASS, result.units
    assert [state.path for state in result.observation.tree] == ["/data/out.txt"]
    assert (project.root / "fixtures/trees/seed/seed.txt").is_file()
    assert not (project.root / "fixtures/trees/seed/out.txt").exists()
    assert project.run("pass", case).verdict is Verdict.FAIL


def test_a_component_that_is_made_on_demand_is_skipped(project: Project) -> None:
    text = CASE.replace('"c.wasm"', '"absent.wasm"\nmade-by = "make guests"')
    result = project.run("pass", project.load(text))
    assert result.verdict is Verdict.SKIP and result.reason == "the component is not built (make guests)"


def test_should_counts_only_when_strict(project: Project) -> None:
    head, marker, tail = CASE.rpartition('level = "must"')
    case = project.load(head + 'level = "should"' + tail)
    assert marker and project.run("fail", case).verdict is Verdict.PASS
    assert project.run("fail", case, Settings(strict=True, jobs=1)).verdict is Verdict.FAIL


def test_nothing_of_the_host_environment_leaks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_SECRET", "leak")
    from assay.run.process import execute

    result = execute(["/usr/bin/env"], env={"A": "1"}, cwd=project.root, timeout=5)
    assert result.stdout == b"A=1\n"
    assert os.environ["ASSAY_SECRET"] == "leak"


def test_no_core_dumps_and_the_bound_of_their_size_stays(project: Project) -> None:
    """A program may set its own limit up to the bound at any time: one with AddressSanitizer ended when it could not."""
    from assay.run.process import execute

    code = "import resource, time; time.sleep(0.3); print(*resource.getrlimit(resource.RLIMIT_CORE))"
    result = execute([sys.executable, "-c", code], env={}, cwd=project.root, timeout=10)
    assert result.stdout.decode().split() == ["0", str(resource.getrlimit(resource.RLIMIT_CORE)[1])]


def test_peak_memory_is_the_childs_own(project: Project) -> None:
    """The size of the harness does not count for a small program, and a large one is measured."""
    from assay.run.process import execute

    ballast = bytearray(b"x") * (96 << 20)
    small = execute(["/bin/sleep", "0.2"], env={}, cwd=project.root, timeout=5)
    assert 0 < small.peak_rss_kib < 20 << 10
    del ballast
    # it stays for a moment: if this process was as large once, samples count, and the last one may be too early
    code = "import time; b = bytearray(b'x') * (300 << 20); time.sleep(0.3)"
    large = execute([sys.executable, "-c", code], env={}, cwd=project.root, timeout=10)
    assert large.peak_rss_kib > 300 << 10
