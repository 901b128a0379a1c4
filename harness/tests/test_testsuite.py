"""Suites of built programs: a fake suite on fake runtimes, the JSON forms, known failures and their traces."""

from __future__ import annotations

import json
from pathlib import Path

import made
import pytest
from click.testing import CliRunner, Result
from conftest import Project

from assay import record, report
from assay.cli import main
from assay.judge.expect import ExpectationError, read_tables
from assay.judge.expect_programs import ProgramExpectations
from assay.record import summary
from assay.suites import layout, tables
from assay.suites import scripts as wast

COMPONENT = b"\0asm\x0d\0\1\0"


def add(project: Project, name: str, spec: object = None, version: str = "wasm32-wasip2") -> None:
    folder = project.root / "suite" / "rust" / "testsuite" / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"name": "n", "version": version}), encoding="utf-8")
    (folder / "tree.dir").mkdir(exist_ok=True)
    (folder / "tree.dir" / "seed").write_text("seed", encoding="utf-8")
    (folder / f"{name}.wasm").write_bytes(COMPONENT)
    if spec is not None:
        text = spec if isinstance(spec, str) else json.dumps(spec)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def run(project: Project, kind: str = "program", *args: str) -> Result:
    """Runs the programs as components only, unless `args` has --core."""
    (project.root / "adapter.wasm").write_bytes(COMPONENT)
    return CliRunner().invoke(
        main,
        ["--root", str(project.root), "testsuite", str(project.root / "suite"), "-r", "touchstone", "-j", "1",
         "--adapter", str(project.root / "adapter.wasm"), "--program", f"touchstone={project.fake(kind)}", "--no-core",
         *args],
    )  # fmt: skip


def counts(project: Project) -> summary.ProgramSummary:
    return summary.programs(record.read(project.root / "reports/latest/testsuite.jsonl"))


def announce(project: Project, text: str) -> None:
    (project.root / "suites/expectations/testsuite.toml").write_text(text, encoding="utf-8")


KNOWN = """
[[expected]]
program = "rust/wasm32-wasip2/exits"
reason = "status 33 becomes 1"
shows = ['\\Awasi:cli/exit@\\S+ exit\\(err\\) -> exit: 1\\n\\Z']
lacks = ["exit-with-code"]
"""


@pytest.fixture(autouse=True)
def _tool(tmp_path: Path) -> None:
    if wast.find_tool(tmp_path / "tool") is None:
        pytest.skip("wasm-tools is not installed")


def test_expectations_are_honoured(project: Project) -> None:
    add(project, "plain")
    add(project, "given", {"args": ["a b", "c"], "env": {"K": "v w"}, "root": "tree.dir", "stdout": "a b c K=v w seed"})
    add(project, "wrong", {"args": ["a"], "stdout": "b"})
    add(project, "exits", {"args": ["33"], "exit_code": 33})
    add(project, "later", version="wasm32-wasip3")
    done = run(project)
    assert done.exit_code == 1
    assert "wasi-testsuite on touchstone: 2 of 4 pass, 2 unexpected" in done.output
    assert "unexpected FAIL rust/wasm32-wasip2/wrong: stdout is 'a', expected 'b'" in done.output
    assert "unexpected FAIL rust/wasm32-wasip2/exits: expected exit 33, but: exited 1" in done.output
    assert "unsupported: 1 of rust/wasm32-wasip3" in done.output
    assert not (project.root / "suite/rust/testsuite/wasm32-wasip2/tree.dir/left.txt").exists()
    made = counts(project)
    assert made.programs == 4 and made.unsupported[0].programs == 1
    assert [item.program for item in made.runtimes[0].not_passed] == [
        "rust/wasm32-wasip2/exits",
        "rust/wasm32-wasip2/wrong",
    ]


def test_a_known_failure_is_shown_by_the_trace(project: Project) -> None:
    add(project, "exits", {"args": ["33"], "exit_code": 33})
    announce(project, KNOWN)
    done = run(project)
    assert done.exit_code == 1 and "red: touchstone: nothing passed" in done.output
    add(project, "plain")
    done = run(project)
    assert done.exit_code == 0, done.output
    assert "1 of 2 pass, 1 known" in done.output and "status 33 becomes 1" in done.output
    announce(project, KNOWN.replace("exit: 1", "exit: 33"))
    done = run(project)
    assert done.exit_code == 1 and "the trace does not show" in done.output
    announce(project, KNOWN.replace("exit-with-code", "asm"))
    done = run(project)
    assert done.exit_code == 1 and "the component names asm" in done.output


def test_as_a_module_every_program_must_pass(project: Project) -> None:
    add(project, "exits", {"args": ["33"], "exit_code": 33})
    add(project, "plain")
    announce(project, KNOWN)
    done = run(project, "program", "--core")
    assert done.exit_code == 1 and "on touchstone: 1 of 2 pass, 1 known" in done.output
    assert "red: touchstone (core modules): 1 result is not as announced" in done.output


def test_an_unexpected_pass_and_a_stale_entry_are_red(project: Project) -> None:
    add(project, "exits", {"args": ["3"]})
    announce(project, KNOWN)
    done = run(project)
    assert done.exit_code == 1 and "passes; announced to fail" in done.output
    announce(project, KNOWN.replace("exits", "gone"))
    done = run(project)
    assert done.exit_code == 1 and "matches nothing: rust/wasm32-wasip2/gone: no such program" in done.output


@pytest.mark.parametrize("kind", ["trap", "crash", "nothing", "unsupported", "lie-status"])
def test_no_other_ending_passes(project: Project, kind: str) -> None:
    add(project, "plain")
    done = run(project, kind)
    assert done.exit_code == 1 and "0 of 1 pass, 1 unexpected" in done.output


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("{", "Expecting"),
        ('{"argv": []}', "unknown key argv"),
        ('{"args": [], "operations": []}', "two forms"),
        ('{"args": "a"}', "args is no list"),
        ('{"root": "nowhere"}', "no directory nowhere"),
        ('{"exit_code": "1"}', "exit_code"),
        ('{"operations": [{"type": "connect"}]}', "operation connect: more than one process, or none"),
        ('{"operations": [{"type": "sing"}]}', "there is no operation sing"),
        ('{"operations": [{"type": "run"}]}', "a run and a wait belong together"),
        ('{"proposals": ["threads"]}', "needs the proposal threads"),
        ('{"world": "wasi:cli/imports"}', "the world wasi:cli/imports is not one of"),
        ('{"world": "wasi:http/proxy"}', "a server without a request"),
        ('{"operations": [{"type": "run"}, {"type": "kill"}, {"type": "wait"}]}', "kill: what a signal does"),
        ('{"operations": [{"type": "run"}, {"type": "connect", "protocol_type": "udp"}]}', "only tcp, not udp"),
        ('{"operations": [{"type": "run"}, {"type": "recv", "id": "x"}]}', "there is no connection x"),
        ('{"operations": [{"type": "run"}, {"type": "request"}]}', "only to a component that serves HTTP"),
        ('{"servers": [{"name": "a", "kind": "slow"}]}', "server a: there is no kind slow"),
        ('{"servers": [{"name": "a", "endpoints": [{"mode": "x"}]}]}', "endpoint /: there is no mode x"),
    ],
)
def test_what_cannot_be_run_is_said(project: Project, spec: str, words: str) -> None:
    add(project, "bad", spec)
    add(project, "plain")
    done = run(project)
    assert done.exit_code == 0 and words in done.output and "1 of 1 pass" in done.output


def test_operations(tmp_path: Path) -> None:
    operations = [
        {"type": "run", "args": ["x"], "env": {"a": "b"}},
        {"type": "write", "id": "stdin", "payload": "in"},
        {"type": "read", "payload": "one"},
        {"type": "read", "id": "stdout", "payload": " two"},
        {"type": "wait", "exit_code": 1},
    ]
    spec, expect = layout.specification({"operations": operations}, tmp_path)
    assert (spec.args, spec.env, spec.stdin) == (("x",), (("a", "b"),), b"in")
    assert expect.exit == 1 and expect.stdout.matches == (r"\Aone\ two",) and not expect.stderr.given
    talk = [*operations[:1], {"type": "read", "payload": "> "}, *operations[1:2], operations[-1]]
    spec, _ = layout.specification({"operations": talk}, tmp_path)
    assert (spec.stdin, spec.stdio.stdin_when) == (b"in", "> ")
    with pytest.raises(ValueError, match="input in several parts"):
        layout.specification({"operations": [*talk[:3], *talk[1:]]}, tmp_path)


def echoes(received: str) -> dict[str, object]:
    return {
        "proposals": ["sockets"],
        "operations": [
            {"type": "run"},
            {"type": "connect", "id": "c"},
            {"type": "send", "id": "c", "payload": "häh"},
            {"type": "recv", "id": "c", "payload": received},
            {"type": "wait"},
        ],
    }


def test_a_program_that_is_connected_to(project: Project) -> None:
    add(project, "echo", echoes("häh"))
    done = run(project, "program-echoes")
    assert done.exit_code == 0, done.output
    add(project, "wrong", echoes("hihi"))
    done = run(project, "program-echoes")
    assert done.exit_code == 1 and "1 of 2 pass, 1 unexpected" in done.output
    assert "FAIL rust/wasm32-wasip2/wrong: c does not match" in done.output
    done = run(project, "nothing-but-outcome")
    assert done.exit_code == 1 and "FAIL rust/wasm32-wasip2/echo: c: nothing arrived" in done.output


def test_a_program_with_servers(project: Project) -> None:
    def spec(endpoint: dict[str, object], said: str) -> dict[str, object]:
        return {
            "proposals": ["http"],
            "servers": [{"name": "main", "endpoints": [{"path": "/x", "method": "GET"}, endpoint]}],
            "operations": [{"type": "run"}, {"type": "read", "payload": said}, {"type": "wait"}],
        }

    given = {"method": "PUT", "path": "/x"}
    ok = "HTTP/1.1 200 OK\n"
    response = {"status": 404, "headers": {"K": "v"}, "chunks": ["a", "bc"], "trailers": {"T": "u"}}
    chunked = "HTTP/1.1 404 Not Found\nK: v\nConnection: close\nTransfer-Encoding: chunked\n\n1\na\n2\nbc\n0\nT: u\n\n"
    end = "Content-Length: {}\nConnection: close\n\n"
    add(project, "plain", spec({**given, "response": "text"}, ok + "Connection: close\nContent-Length: 4\n\ntext"))
    add(project, "chunks", spec({**given, "response": response}, chunked))
    add(project, "body", spec({**given, "mode": "echo-body"}, ok + end.format(2) + "hi"))
    head = "x-request-method: PUT\nx-request-path: /x\nx-echo-a: b\nx-echo-content-length: 2\n"
    add(project, "headers", spec({**given, "mode": "echo-headers"}, ok + head + end.format(0)))
    done = run(project, "program-asks")
    assert done.exit_code == 0 and "4 of 4 pass" in done.output, done.output


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"body": "you asked /a"}, ""),
        ({"body": "you asked"}, "request 1 does not match"),
        ({"status": 201, "body": "you asked /a"}, "request 1 does not match"),
        ({"headers": {"k": "v"}, "body": "you asked /a"}, "request 1 does not match"),
    ],
)
def test_a_program_that_serves(project: Project, wanted: dict[str, object], words: str) -> None:
    operations = [
        {"type": "run"}, {"type": "request", "path": "a", "response": wanted},
        {"type": "kill", "signal": "SIGINT"}, {"type": "wait"},
    ]  # fmt: skip
    add(project, "served", {"world": "wasi:http/proxy", "proposals": ["http"], "operations": operations})
    done = run(project, "serve-program")
    assert done.exit_code == (1 if words else 0) and words in done.output, done.output


TOML_LIST = """
version = 1
[[suite]]
name = "n"
[[suite.test]]
name = "plain"
action = "skip"
[[suite.test]]
name = "wrong"
expected = "fail"
"""


@pytest.mark.parametrize(
    ("path", "text"), [("other/linux.toml", TOML_LIST), ("other-linux.json", '{"n": {"plain": "it differs"}}')]
)
def test_the_own_lists_of_the_suite(project: Project, path: str, text: str) -> None:
    """What a list skips on a peer is not run there. The reference has no such list."""
    add(project, "plain")
    add(project, "wrong", {"args": ["a"], "stdout": "b"})
    for place in (path, path.replace("other", "touchstone")):
        file = project.root / "suite" / "expectations" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    also = ("--also", f"other=touchstone:{project.fake('program')}", "-r", "other", "--gate", "touchstone")
    done = run(project, "program", *also)
    assert (
        f"SKIP rust/wasm32-wasip2/plain: wasi-testsuite's own list for other skips it (expectations/{path})"
        in done.output
    )
    assert "on touchstone: 1 of 2 pass" in done.output and "on other: 0 of 2 pass" in done.output
    done = run(project, "program", *also, "--no-own-lists")
    assert "own list" not in done.output and "on other: 1 of 2 pass" in done.output


def test_a_list_that_cannot_be_read(project: Project) -> None:
    add(project, "plain")
    (project.root / "suite" / "expectations" / "other").mkdir(parents=True)
    (project.root / "suite" / "expectations" / "other" / "linux.toml").write_text("version = 2\n", encoding="utf-8")
    done = run(project)
    assert done.exit_code == 2 and "the version is 2, not 1" in done.output


def test_a_suite_that_is_absent_is_said(project: Project) -> None:
    (project.root / "suite").mkdir()
    done = run(project)
    assert done.exit_code == 2 and "no program in" in done.output
    add(project, "plain")
    (project.root / "adapter.wasm").write_bytes(COMPONENT)
    done = run(project, "program", "--adapter", str(project.root / "gone.wasm"))
    assert done.exit_code == 2 and "the preview1 adapter is absent" in done.output


def test_what_no_component_can_be_made_of(project: Project) -> None:
    add(project, "broken", version="wasm32-wasip1")  # a component is no module
    done = run(project)
    assert done.exit_code == 1 and "no component can be made of it" in done.output


@pytest.mark.parametrize(
    "text",
    [
        "[[expected]]\nprogram = 'a'\nreason = 'r'\n",
        "[[expected]]\nprogram = 'a'\nreason = ' '\nshows = ['x']\n",
        "[[expected]]\nprogram = 'a'\nreason = 'r'\nshows = []\n",
        "[[expected]]\nprogram = 'a'\nreason = 'r'\nshows = ['(']\n",
        "[[expected]]\nprogram = 'a'\nreason = 'r'\nshows = ['x']\nextra = 1\n",
        2 * "[[expected]]\nprogram = 'a'\nreason = 'r'\nshows = ['x']\n",
        "other = 1\n",
        "[",
    ],
)
def test_expectation_errors(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExpectationError):
        ProgramExpectations({"touchstone": read_tables(tmp_path / "x.toml")}, str)


def test_the_page_shows_the_counts(project: Project) -> None:
    add(project, "exits", {"args": ["33"], "exit_code": 33})
    run(project)
    found = counts(project)
    page, text = report.html(made.record(), None, found), report.markdown(made.record(), found)
    assert "Programs of wasi-testsuite" in page and "0 of 1" in page and "▲ 1" in page
    assert "- touchstone: 0 of 1 pass; not: `exits`" in text
    assert summary.old_programs(project.root / "nowhere.json") is None


def test_an_absent_suite_may_be_one_line(project: Project) -> None:
    done = CliRunner().invoke(main, ["--root", str(project.root), "testsuite", "--if-there"])
    assert done.exit_code == 0
    assert done.output == "absent: the programs of wasi-testsuite (`make suites` fetches them)\n"
    assert CliRunner().invoke(main, ["--root", str(project.root), "testsuite"]).exit_code == 2


def test_who_was_asked_for_is_judged(project: Project) -> None:
    """A runtime without expectations is red too when it fails, and when nothing passes."""
    add(project, "plain")
    add(project, "wrong", {"args": ["a"], "stdout": "b"})
    done = run(project, "program", "--also", f"other=touchstone:{project.fake('program')}", "-r", "other")
    assert done.exit_code == 1 and "red: other: 1 result is not as announced" in done.output
    done = run(
        project, "program", "--also", f"other=touchstone:{project.fake('nothing')}", "-r", "other", "--only", "plain"
    )
    assert done.exit_code == 1 and "red: other: nothing passed" in done.output


def test_a_runtime_of_modules_only_is_judged_by_its_column(project: Project) -> None:
    text = """
name = "only"
title = "it runs modules"
get = "write it"
[find]
command = "only"
[can]
components = false
modules = true
worlds = []
grants = []
environment = false
[run]
argv = ["{program}", "{dirs}", "{component}", "{args}"]
dir = ["{host}"]
"""
    place = project.root / "more"
    place.mkdir()
    (place / "only.toml").write_text(text, encoding="utf-8")
    program = project.root / "only"
    for status, wanted in ((0, 0), (1, 1)):
        program.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
        program.chmod(0o755)
        add(project, "one", version="wasm32-wasip1")
        (project.root / "adapter.wasm").write_bytes(COMPONENT)
        done = CliRunner().invoke(
            main,
            ["--root", str(project.root), "testsuite", str(project.root / "suite"), "-r", "only", "--core",
             "--adapter", str(project.root / "adapter.wasm"), "--runtimes", str(place), "--program", f"only={program}"],
        )  # fmt: skip
        assert done.exit_code == wanted and "was not run" not in done.output, done.output
        assert f"on only (core modules): {1 - status} of 1 pass" in done.output


# --- programs of a table --------------------------------------------------------------------------

TABLE = """
[[group]]
programs = ["bare", "fails"]

[[group]]
programs = ["says"]
[group.run]
args = [{ text = "a", times = 3 }]
env = { K = "v" }
[[group.run.dir]]
guest = "."
[[group.run.make]]
path = "./seed"
kind = "file"
[group.expect]
stdout = "aaa K=v seed"

[[group]]
programs = ["says"]
variant = "again"
[group.run]
args = ["b"]
[group.expect]
stdout = "b"

[[group]]
programs = ["clock"]
cannot = "needs a clock of the host's choice"

[[group]]
programs = ["gone"]
"""


def table(project: Project, text: str = TABLE, kind: str = "program", *args: str) -> Result:
    """Runs the programs of a table. Built are: bare and other, fails as a core module, says in two forms, clock."""
    folder = project.root / "built"
    folder.mkdir(exist_ok=True)
    for name in ("bare", "says", "says.component", "clock", "other"):
        (folder / f"{name}.wasm").write_bytes(COMPONENT)
    (project.root / "suites" / "programs").mkdir(parents=True, exist_ok=True)
    (project.root / "suites" / "programs" / "mine.toml").write_text(text, encoding="utf-8")
    (project.root / "adapter.wasm").write_bytes(COMPONENT)
    return CliRunner().invoke(
        main,
        ["--root", str(project.root), "testsuite", "--suite", "mine", "--from", str(folder), "-r", "touchstone",
         "-j", "1", "--adapter", str(project.root / "adapter.wasm"), "--program", f"touchstone={project.fake(kind)}",
         *args],
    )  # fmt: skip


def test_the_programs_of_a_table(project: Project) -> None:
    done = table(project)
    assert done.exit_code == 0, done.output
    assert "missing: 2 programs: fails, gone" in done.output
    assert "not in the table: 1 programs: other" in done.output
    assert "unsupported: 1 of mine: clock needs a clock of the host's choice" in done.output
    assert "mine on touchstone: 2 of 3 pass, 1 prove nothing (exit 0, and nothing else to see)\n" in done.output
    made = record.read(project.root / "reports/latest/mine.jsonl")
    verdicts = {item.case: item.verdict.value for item in made.results}
    assert verdicts == {"mine/bare": "SKIP", "mine/says": "PASS", "mine/says:again": "PASS"}
    again = CliRunner().invoke(main, ["judge", str(project.root / "reports/latest/mine.jsonl")])
    assert again.exit_code == 0 and "2 of 3 pass, 1 prove nothing" in again.output, again.output


def test_a_table_that_has_changed_is_not_resumed(project: Project) -> None:
    assert table(project).exit_code == 0
    assert "resuming: 3 of 3 runs" in table(project, TABLE, "program", "--resume").output
    done = table(project, TABLE.replace("times = 3", "times = 4"), "program", "--resume")
    assert done.exit_code == 2 and "something has changed" in done.output and "mine/says" in done.output


def test_what_does_nothing_passes_nothing_of_a_table(project: Project) -> None:
    done = table(project, TABLE, "nothing-but-outcome")
    assert done.exit_code == 1 and "0 of 3 pass, 1 prove nothing" in done.output and "2 unexpected" in done.output


def test_a_bare_program_can_still_fail(project: Project) -> None:
    text = "[[group]]\nprograms = ['bare']\n[group.run]\nargs = ['33']\n[[group]]\nprograms = ['says']\n[group.expect]\nexit = 1"
    done = table(project, text)
    assert done.exit_code == 1 and "unexpected FAIL mine/bare: expected exit 0, but: exited 1" in done.output
    assert "unexpected FAIL mine/says: expected exit 1, but: exited 0" in done.output


SERVED = """
[[group]]
programs = ["says"]
[[group.run.client]]
name = "one"
say = "GET /a HTTP/1.1\\r\\n\\r\\n"
[[group.expect.wire]]
on = "one"
matches = 'you asked /%s\\b'
"""
ASKS = """
[[group]]
programs = ["says"]
[group.run]
env = { HTTP_SERVER = "{web}" }
[[group.run.server]]
name = "web"
[[group.run.server.on]]
path = "*"
echo = "body"
say = "HTTP/1.1 200 OK\\r\\nasked: {method} {target}\\r\\n"
[group.expect]
stdout-contains = ["asked: PUT /x", "hi"]
[[group.expect.wire]]
on = "web connections"
matches = '^%s'
raw = true
"""


@pytest.mark.parametrize(("text", "good", "bad"), [(SERVED, "a", "b"), (ASKS, "1", "2")])
def test_the_wire_of_a_table(project: Project, text: str, good: str, bad: str) -> None:
    kind = "serve-program" if text is SERVED else "program-asks"
    done = table(project, text % good, kind)
    assert done.exit_code == 0 and "1 of 1 pass" in done.output, done.output
    done = table(project, text % bad, kind)
    assert done.exit_code == 1 and "does not match" in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "mine.toml"),
        ("programs = ['says']", "a table is a list of groups"),
        ("[[group]]\nprogram = 'says'", "a group has programs"),
        ("[[group]]\nprograms = ['says', 'says']", "mine/says is there twice"),
        ("[[group]]\nprograms = ['says']\ncannot = 'x'\n[group.run]", "has neither run nor expect"),
        ("[[group]]\nprograms = ['says']\nrun = 3", "run is a table"),
        ("[[group]]\nprograms = ['says']\n[group.run]\nargv = []", "unknown key argv"),
        ("[[group]]\nprograms = ['says']\n[[group.expect.wire]]\non = 'x'\nmatches = 'y'", "there is no 'x' among"),
        ("[[group]]\nprograms = ['nowhere']", "no program to run"),
        (ASKS.replace('"body"', '"all"') % "1", "echo must be"),
    ],
)
def test_tables_that_cannot_be_used(project: Project, text: str, words: str) -> None:
    done = table(project, text)
    assert done.exit_code == 2 and words in done.output, done.output


def test_the_options_of_a_table(project: Project) -> None:
    done = table(project, TABLE, "program", "--suite", "yours")
    assert done.exit_code == 2 and "there is no such table" in done.output and "has mine" in done.output
    done = CliRunner().invoke(main, ["--root", str(project.root), "testsuite", "--suite", "mine"])
    assert done.exit_code == 2 and "--suite and --from belong together" in done.output


def test_the_table_of_the_p2_programs(tmp_path: Path) -> None:
    """Every run is well-formed; what a runtime that does nothing would pass is counted apart."""
    root = Path(__file__).resolve().parents[2]
    path = root / "suites" / "programs" / "p2-programs.toml"
    for name in tables.load(path, tmp_path, root / "fixtures").missing:
        (tmp_path / f"{name}.wasm").write_bytes(COMPONENT)
    listed = tables.load(path, tmp_path, root / "fixtures")
    runs = [item for item in listed.programs if not item.problem]
    assert (len(listed.programs), len(runs)) == (193, 144) and not listed.missing
    assert sum(not item.expect.bare for item in runs) == 38
