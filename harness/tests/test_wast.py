"""Scripts: conversion with its cache, fake runtimes, expectations per command."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli import main
from assay.judge.expect import ExpectationError
from assay.suites import scripts as wast

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


def run(converted: wast.Converted, tmp_path: Path, kind: str, timeout: float = 20.0) -> dict[str, str]:
    results, _ = wast.run_script(converted, [fake(tmp_path, kind)], timeout)
    return {result.key: result.status for result in results}


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
    results, _ = wast.run_script(item, ["/bin/false"], 5)
    assert [(result.key, result.status) for result in results] == [("0 script", "unconvertible")]


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


def test_update_settles_and_keeps_reasons(converted: wast.Converted, tmp_path: Path) -> None:
    path = tmp_path / "wast.toml"
    program = [fake(tmp_path, "fails-return")]
    (first,) = wast.run_all([converted], program, {}, jobs=1, timeout=20)
    assert {surprise.command for surprise in first.surprises} == {"2 assert_return", "2 assert_return #2"}
    path.write_text(wast.render_known([first], {}, [converted.script]), encoding="utf-8")
    known = wast.load_known(path)
    (second,) = wast.run_all([converted], program, known, jobs=1, timeout=20)
    assert not second.surprises and len(second.known) == 2
    path.write_text(path.read_text().replace("got N", "a good reason"), encoding="utf-8")
    kept = wast.render_known([second], wast.load_known(path), [converted.script])
    assert "a good reason" in kept
    (better,) = wast.run_all([converted], [fake(tmp_path, "pass")], known, jobs=1, timeout=20)
    assert {(s.command, s.status) for s in better.surprises} == {
        ("2 assert_return", "pass"),
        ("2 assert_return #2", "pass"),
    }
    assert "[[expected]]" not in wast.render_known([better], known, [converted.script])


def test_stale_entries(converted: wast.Converted) -> None:
    known = {
        "core/x.wast": {"99 assert_return": wast.Known("fail", "r"), "2 assert_return": wast.Known("fail", "r")},
        "core/gone.wast": {"1 module": wast.Known("fail", "r")},
    }
    assert wast.stale(known, [converted], [converted.script]) == [
        "core/gone.wast: no such script",
        "core/x.wast: 99 assert_return: no such command",
    ]


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
def test_expectation_errors(tmp_path: Path, text: str) -> None:
    (tmp_path / "wast.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExpectationError):
        wast.load_known(tmp_path / "wast.toml")


def test_summary_file(converted: wast.Converted, tmp_path: Path) -> None:
    (item,) = wast.run_all([converted], [fake(tmp_path, "fails-return")], {}, jobs=1, timeout=20)
    summary = wast.summarize("fake", [item], ["gone"])
    total = summary.total
    assert (total.scripts, total.whole, total.commands, total.passed, total.unexpected, total.skipped) == (
        1,
        0,
        8,
        5,
        2,
        1,
    )
    wast.write(summary, tmp_path / "wast.json")
    assert wast.read(tmp_path / "wast.json") == summary
    assert wast.read(tmp_path / "absent.json") is None


def test_expectations_of_other_suites_do_not_count(converted: wast.Converted) -> None:
    known = {"component-model/gone.wast": {"1 module": wast.Known("fail", "r")}, "core/gone.wast": {}}
    every = [converted.script]
    assert wast.stale(known, [converted], every, {"core"}) == ["core/gone.wast: no such script"]
    assert len(wast.stale(known, [converted], every)) == 2


def test_the_command(converted: wast.Converted, tmp_path: Path) -> None:
    """One suite, all green: 0, although the expectations know others; what is absent is one line."""
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
