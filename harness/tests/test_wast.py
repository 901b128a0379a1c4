"""Scripts: conversion with its cache, fake runtimes, expectations per command."""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay import judge, record
from assay.cli import main
from assay.judge import expect_scripts
from assay.judge.expect import ExpectationError
from assay.judge.expect_scripts import KnownCommand, ScriptExpectations
from assay.model import CaseResult, Peer
from assay.record import summary
from assay.run.runner import Settings
from assay.runtimes import Runtime, registry
from assay.suites import driver, executors
from assay.suites import scripts as wast
from assay.suites.scripts import ScriptOptions, Scripts

FAKE = Path(__file__).parent / "fakes" / "fake_wast.py"
SCRIPT = """(module (func (export "f") (result i32) i32.const 1) (func (export "t") unreachable))
(assert_return (invoke "f") (i32.const 1)) (assert_return (invoke "f") (i32.const 1))
(assert_trap (invoke "t") "unreachable")
(module quote "(func (export \\"q\\"))")
(assert_malformed (module quote "(func") "unexpected end")
(assert_invalid (module quote "(func (result i32))") "type mismatch")
(assert_malformed (module binary "\\00asm") "unexpected end")
"""
KEYS = [
    "1 module",
    "2 assert_return",
    "2 assert_return #2",
    "3 assert_trap",
    "4 module",
    "5 assert_malformed",
    "6 assert_invalid",
    "7 assert_malformed",
]


def fake(tmp_path: Path, kind: str) -> str:
    path = tmp_path / f"fake-{kind}"
    path.write_text(
        f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''\nimport os, runpy\nos.environ['FAKE_KIND'] = {kind!r}\n"
        f"runpy.run_path({str(FAKE)!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    found = wast.find_tool(tmp_path)
    if found is None:
        pytest.skip("wasm-tools is not installed")
    return found


@pytest.fixture
def converted(tmp_path: Path, tool: Path) -> wast.Converted:
    folder = tmp_path / "core"
    folder.mkdir()
    (folder / "x.wast").write_text(SCRIPT, encoding="utf-8")
    (script,) = wast.find_scripts({"core": folder})
    assert script.name == "core/x.wast" and script.suite == "core"
    return wast.convert(script, tmp_path / "cache", tool, "1")


def runtime(program: str) -> Runtime:
    return Runtime(registry.reference(), Peer("touchstone", "fake", (program,)))


def run(converted: wast.Converted, tmp_path: Path, kind: str, timeout: float = 20.0) -> dict[str, str]:
    seen = wast.run_script(converted, runtime(fake(tmp_path, kind)), timeout)
    return {item.id: item.status for item in seen.commands}


def judged(suite: Scripts, kind: str, tmp_path: Path) -> CaseResult:
    """Runs the only script of a suite as the command does."""
    (case,) = suite.discover()
    suite.prepare([case], 1)
    result = executors.one(suite, case, runtime(fake(tmp_path, kind)), Settings(jobs=1))
    return suite.expectations().mark(result, case, strict=False, judged=True)


@pytest.fixture
def suite(converted: wast.Converted, tmp_path: Path, tool: Path) -> Scripts:
    options = ScriptOptions({"core": tmp_path / "core"}, tmp_path / "cache", tool, "1", tmp_path / "wast.toml", 20.0)
    return Scripts(options, "touchstone")


def test_conversion(converted: wast.Converted, tmp_path: Path) -> None:
    assert [info.key for info in converted.commands] == KEYS
    assert [info.key for info in converted.commands if info.text] == ["5 assert_malformed"]
    assert converted.json is not None
    again = wast.convert(converted.script, tmp_path / "cache", Path("/bin/false"), "1")
    assert again == converted  # from the cache: the tool would have failed
    assert wast.convert(converted.script, tmp_path / "cache", Path("/bin/false"), "2").json is None


def test_unconvertible(tmp_path: Path, tool: Path) -> None:
    (tmp_path / "bad.wast").write_text("(nonsense", encoding="utf-8")
    item = wast.convert(wast.Script("core/bad.wast", tmp_path / "bad.wast"), tmp_path / "cache", tool, "1")
    assert item.json is None and item.problem
    seen = wast.run_script(item, runtime("/bin/false"), 5)
    assert [(item.id, item.status) for item in seen.commands] == [("0 script", "unconvertible")]


def test_pass(converted: wast.Converted, tmp_path: Path) -> None:
    statuses = run(converted, tmp_path, "pass")
    assert statuses == {**dict.fromkeys(KEYS, "pass"), "5 assert_malformed": "skip"}


def test_doing_nothing_passes_nothing(converted: wast.Converted, tmp_path: Path) -> None:
    statuses = run(converted, tmp_path, "nothing")
    assert set(statuses.values()) == {"missing", "skip"}


def test_skipping_is_no_way_out(converted: wast.Converted, tmp_path: Path) -> None:
    statuses = run(converted, tmp_path, "skips-all")
    assert [key for key, status in statuses.items() if status == "skip"] == ["5 assert_malformed"]
    assert statuses["1 module"] == "fail"


def test_failing_with_status_0_is_noticed(converted: wast.Converted, tmp_path: Path) -> None:
    assert "0 script" not in run(converted, tmp_path, "fails-return")
    assert run(converted, tmp_path, "fails-quietly")["0 script"] == "fail"


def test_what_is_unsupported_has_a_status_of_its_own(converted: wast.Converted, tmp_path: Path) -> None:
    statuses = run(converted, tmp_path, "unsupported")
    assert "unsupported" in statuses.values() and "0 script" not in statuses


def test_crash_and_hang(converted: wast.Converted, tmp_path: Path) -> None:
    statuses = run(converted, tmp_path, "crash")
    assert statuses["1 module"] == "pass" and statuses["3 assert_trap"] == "missing" and statuses["0 script"] == "crash"
    assert run(converted, tmp_path, "hang", 0.5)["0 script"] == "timeout"


def unexpected(result: CaseResult) -> dict[str, str]:
    return {unit.id: unit.verdict.value for unit in result.units if unit.unexpected}


def test_update_settles_and_keeps_reasons(suite: Scripts, tmp_path: Path) -> None:
    path = tmp_path / "wast.toml"
    first = judged(suite, "fails-return", tmp_path)
    assert unexpected(first) == {"2 assert_return": "FAIL", "2 assert_return #2": "FAIL"}
    suite.update([first], strict=False)
    second = judged(suite, "fails-return", tmp_path)
    assert not second.unexpected and sum(unit.expected is not None for unit in second.units) == 2
    path.write_text(path.read_text().replace("got N", "a good reason"), encoding="utf-8")
    suite.update([second], strict=False)
    assert "a good reason" in path.read_text()
    better = judged(suite, "pass", tmp_path)
    assert unexpected(better) == {"2 assert_return": "PASS", "2 assert_return #2": "PASS"}
    suite.update([better], strict=False)
    assert "[[expected]]" not in path.read_text()


def test_missing_is_not_fail(suite: Scripts, tmp_path: Path) -> None:
    """A command without a result is not the announced failure, although both verdicts are FAIL."""
    entry = '[[expected]]\nscript = "core/x.wast"\nstatus = "{}"\nreason = "r"\ncommands = ["3 assert_trap"]\n'
    (tmp_path / "wast.toml").write_text(entry.format("fail"), encoding="utf-8")
    assert "3 assert_trap" in unexpected(judged(suite, "crash", tmp_path))
    (tmp_path / "wast.toml").write_text(entry.format("missing"), encoding="utf-8")
    assert "3 assert_trap" not in unexpected(judged(suite, "crash", tmp_path))


def test_stale_entries(converted: wast.Converted) -> None:
    commands = {
        "core/x.wast": {"99 assert_return": KnownCommand("fail", "r"), "2 assert_return": KnownCommand("fail", "r")},
        "core/gone.wast": {"1 module": KnownCommand("fail", "r")},
    }
    assert expect_scripts.stale(commands, {"core/x.wast": {info.key for info in converted.commands}}) == [
        "core/gone.wast: no such script",
        "core/x.wast: 99 assert_return: no such command",
    ]
    assert len(expect_scripts.stale(commands, {"core/x.wast": None})) == 1  # its commands are not known


@pytest.mark.parametrize(
    "text",
    [
        '[[expected]]\nscript = "a"\nstatus = "fail"\ncommands = ["1 module"]\n',
        '[[expected]]\nscript = "a"\nstatus = "bad"\nreason = "r"\ncommands = ["1 module"]\n',
        '[[expected]]\nscript = "a"\nstatus = "fail"\nreason = "r"\ncommands = ["all"]\n',
        '[[expected]]\nscript = "a"\nstatus = "fail"\nreason = "r"\ncommands = ["1 module", "1 module"]\n',
        "[whole-file]\n",
    ],
)
def test_expectation_errors(suite: Scripts, tmp_path: Path, text: str) -> None:
    (tmp_path / "wast.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExpectationError):
        suite.expectations()


def plan(suite: Scripts, tmp_path: Path, kind: str) -> driver.Plan:
    suite.prepare(suite.discover(), 1)
    return driver.Plan(
        suite, suite.discover(), (runtime(fake(tmp_path, kind)),), ("touchstone",), Settings(jobs=1)
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["pass", "fails-return", "unsupported", "crash", "nothing"])
def test_the_record(suite: Scripts, tmp_path: Path, kind: str) -> None:
    """A round trip loses nothing, and judging the record again gives the same verdicts."""
    made = driver.drive(plan(suite, tmp_path, kind), tmp_path / "wast.jsonl")
    again = record.read(tmp_path / "wast.jsonl")
    assert list(record.lines(again)) == list(record.lines(made))
    assert [result.units for result in again.results] == [result.units for result in made.results]
    (info,), (result,) = again.cases, again.results
    assert judge.judge(info, "touchstone", record.seen(result)).units == tuple(
        replace(unit, expected=None, unexpected=False) for unit in result.units
    )


def test_counts(suite: Scripts, tmp_path: Path) -> None:
    counts = summary.scripts(driver.drive(plan(suite, tmp_path, "fails-return"), None))
    total = counts.total
    assert (total.scripts, total.whole, total.commands, total.passed) == (1, 0, 8, 5)
    assert (total.unexpected, total.skipped, total.known) == (2, 1, 0)
    assert [item.expected for item in counts.surprises] == ["pass", "pass"]


def test_expectations_of_other_suites_do_not_count() -> None:
    tables = [
        {"script": f"{name}/gone.wast", "status": "fail", "reason": "r", "commands": ["1 module"]}
        for name in ("component-model", "core")
    ]
    announced = ScriptExpectations({"touchstone": tables}, str)
    assert announced.stale({"core/x.wast": None}, ["touchstone"]) == ("core/gone.wast: no such script",)
    both: dict[str, None] = {"core/x.wast": None, "component-model/y.wast": None}
    assert len(announced.stale(both, ["touchstone"])) == 2
    assert announced.stale(both, []) == ()


def test_the_command(converted: wast.Converted, tmp_path: Path) -> None:
    """A green run of one suite exits with 0 although the expectations have others. Absent suites are one line."""
    for folder in ("suites/expectations", "suites/own", "harness"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    (tmp_path / "root/suites/own/a.wast").write_text(SCRIPT, encoding="utf-8")
    entry = '[[expected]]\nscript = "component-model/x.wast"\nstatus = "fail"\nreason = "r"\ncommands = ["1 module"]\n'
    (tmp_path / "root/suites/expectations/wast.toml").write_text(entry, encoding="utf-8")
    argv = ["--root", str(tmp_path / "root"), "wast", "--touchstone", fake(tmp_path, "pass")]
    done = CliRunner().invoke(main, [*argv, "--suite", f"core={tmp_path / 'core'}"])
    assert done.exit_code == 0, done.output
    assert "matches nothing" not in done.output
    done = CliRunner().invoke(main, argv)
    assert done.exit_code == 0, done.output
    absent = [line for line in done.output.splitlines() if "absent" in line]
    assert absent == ["absent: the official scripts of core and component-model (`make suites` fetches them)"]
    assert CliRunner().invoke(main, [*argv, "nowhere"]).exit_code == 2
    assert CliRunner().invoke(main, [*argv[:-1], fake(tmp_path, "nothing")]).exit_code == 1
