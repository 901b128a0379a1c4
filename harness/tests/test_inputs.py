"""Wrong input is refused with a message that says where and why: options, variables, keys of cases and
expectations."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import cases
from assay.cli import main
from assay.judge import expect
from assay.model import names
from assay.runtimes import OverrideError, places
from assay.suites import scripts as wast

KNOWN = '[[expected]]\ncase = "p2/t/one"\ncheck = "t.fake.first"\nstatus = "FAIL"\nreason = "known"\n'


def assay(project: Project, *args: str, **env: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args], env=env)


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("run", "--timeout-factor", "-1"), "-1 is not a finite number above 0"),
        (("run", "--timeout-factor", "0"), "above 0"),
        (("run", "--timeout-factor", "nan"), "above 0"),
        (("run", "--timeout-factor", "inf"), "above 0"),
        (("run", "--timeout-factor", "much"), "not a number"),
        (("run", "--jobs", "0"), "--jobs"),
        (("run", "--gate", "wasmtme"), "--gate wasmtme: no such runtime; did you mean wasmtime?"),
        (("run", "-r", "wasmtme"), "--runtime wasmtme: no such runtime"),
        (("run", "-r", "zzz"), "--runtime zzz: no such runtime; known: touchstone"),
        (("run", "p2/t/oen"), "no case matches p2/t/oen; did you mean p2/t/one?"),
        (("run", "--function", "wasi:io/streams.[method]input-stream.raed"), "[method]input-stream.read?"),
        (("judge", "no.jsonl"), "no.jsonl"),
        (("run", "--program", "touchstone"), "write RUNTIME=PATH"),
        (("run", "--program", "nobody=/bin/true"), "RUNTIME one of touchstone"),
        (("run", "--program", "touchstone=/no/such"), "--program touchstone: there is no program /no/such"),
        (("run", "--program", "touchstone=no-such-program -W x"), "there is no program no-such-program"),
        (("run", "--program", "touchstone=/etc"), "/etc is not a file"),
        (("run", "--program", "touchstone=/etc/passwd"), "may not be executed"),
        (("run", "--program", "touchstone='"), "No closing quotation"),
        (("run", "--program", "jco=/bin/true"), "not the folder of a package"),
        (("run", "--program", "wasmtime=/bin/true", "--program", "wasmtime=/bin/true"), "named twice"),
        (("run", "--also", "x=y:/bin/true"), "RUNTIME one of touchstone, wasmtime"),
        (("run", "--also", "wasmtime=touchstone:/bin/true"), "not a name for one more runtime"),
        (("run", "--also", "x=touchstone:/no/such"), "there is no program /no/such"),
        (("run", "--suites", "/no/such"), "does not exist"),
        (("run", "--fixtures", "/no/such"), "does not exist"),
        (("run", "--output", "/proc/nowhere"), "cannot be written"),
        (("run", "--rerun-changed"), "belongs to --resume"),
        (("run", "--resume", "p2/t"), "name none"),
        (("run", "--resume"), "results.jsonl"),
        (("run", "--verdict", "GREAT"), "GREAT"),
        (("run", "--verdict", "FAIL", "--from", "/no/record"), "/no/record"),
        (("run", "p2/t/one", "p2/t/tow"), "no case matches p2/t/tow"),
        (("run", "--interface", "wasi:cli/enviroment"), "no case has --interface wasi:cli/enviroment"),
        (("run", "--function", "get-argumnets"), "no case has --function"),
        (("run", "--requirement", "t.fake.thrid"), "no case has --requirement"),
        (("repro", "/no/record", "p2/t/one", "touchstone"), "does not exist"),
        (("diff", "/no/record", "/no/record"), "there is no such file"),
        (("report", "/no/record"), "/no/record"),
        (("wast", "--timeout", "-3"), "above 0"),
        (("wast", "--limit", "-1"), "--limit"),
        (("wast", "--suite", "core"), "write NAME=FOLDER"),
        (("wast", "--suite", "core=/no/such"), "there is no folder /no/such"),
        (("wast", "--suite", "core=/usr/include"), "no .wast script"),
    ],
)
def test_options(project: Project, args: tuple[str, ...], words: str) -> None:
    project.add("p2/t/one")
    done = assay(project, *args)
    assert done.exit_code == 2, done.output
    assert words in " ".join(done.output.split())
    assert not done.exception or isinstance(done.exception, SystemExit)


def test_an_empty_suite_is_not_green(project: Project) -> None:
    done = assay(project, "run")
    assert done.exit_code == 2 and "there is no case in" in done.output


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ASSAY_TOUCHSTONE", "/no/such", "ASSAY_TOUCHSTONE: there is no program /no/such"),
        ("ASSAY_WASMTIME", "no-such -W x", "ASSAY_WASMTIME: there is no program no-such"),
        ("ASSAY_JCO", "/usr", "not the folder of a package"),
        ("ASSAY_WASMTIME_PY", "/etc/passwd", "may not be executed"),
    ],
)
def test_variables(project: Project, variable: str, value: str, words: str) -> None:
    project.add("p2/t/one")
    done = assay(project, "run", **{variable: value})
    assert done.exit_code == 2 and words in done.output


def test_a_variable_that_nobody_reads_is_named(project: Project) -> None:
    project.add("p2/t/one")
    done = assay(project, "list", ASSAY_WASMTIM="/bin/true")
    assert "ASSAY_WASMTIM is not a variable that assay reads; did you mean ASSAY_WASMTIME?" in done.output


def test_wasm_tools_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_WASM_TOOLS", "/no/such")
    with pytest.raises(OverrideError, match="ASSAY_WASM_TOOLS"):
        wast.find_tool(tmp_path)


def test_a_program_with_arguments(project: Project) -> None:
    """Arguments come after the subcommand and the record names them. The value may also be a path with blanks."""
    project.add("p2/t/one")
    fake = project.fake("pass")
    done = assay(project, "run", "-r", "touchstone", ASSAY_TOUCHSTONE=f"{fake} --wasm 'a b'")
    assert done.exit_code == 0, done.output
    record = (project.root / "reports/latest/results.jsonl").read_text(encoding="utf-8")
    assert '"note":"with --wasm \'a b\'"' in record
    assert '"run","--outcome","{run}/home/outcome.json","--wasm","a b","--trace"' in record
    blank = project.root / "a folder" / "fake it"
    blank.parent.mkdir()
    blank.write_bytes(fake.read_bytes())
    blank.chmod(0o755)
    assert assay(project, "run", "-r", "touchstone", "--program", f"touchstone={blank}").exit_code == 0
    quoted = f"touchstone={shlex.quote(str(blank))} --wasm x"
    assert assay(project, "run", "-r", "touchstone", "--program", quoted).exit_code == 0


def test_a_program_from_the_search_path(tmp_path: Path) -> None:
    found = places(tmp_path, ["wasmtime=true -W a=b"], {}, ["wasmtime"])
    assert found.named("wasmtime") is not None and found.options_of("wasmtime") == ("-W", "a=b")
    assert places(tmp_path, [], {"ASSAY_WASMTIME_PY": "/bin/true"}, ["wasmtime-py"]).named("wasmtime-py") == Path(
        "/bin/true"
    )


# --- paths ----------------------------------------------------------------------------------------


def test_relative_paths(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs have another working directory, so all paths are made absolute first."""
    project.add("p2/t/one", CASE.replace("[expect]", '[[run.dir]]\nfrom = "seed"\nguest = "/data"\n[expect]'))
    project.fake("pass")
    monkeypatch.chdir(project.root)
    args = ("--suites", "suites", "--fixtures", "fixtures", "--output", "out", "--program", "touchstone=./fake-pass")
    done = assay(project, "run", "-r", "touchstone", *args)
    assert done.exit_code == 0, done.output
    monkeypatch.chdir(project.root / "suites")
    done = assay(project, "run", "-r", "touchstone", "--suites", ".", "--program", "touchstone=../fake-pass")
    assert done.exit_code == 0, done.output
    case = cases.discover(Path(), Path("../fixtures"))[0]
    assert (
        case.component.is_absolute() and case.run.dirs[0].source is not None and case.run.dirs[0].source.is_absolute()
    )


def test_other_suites_have_other_expectations(project: Project) -> None:
    """The expectations of the project's cases do not apply to another folder of cases."""
    project.add("p2/t/one")
    (project.root / "suites/expectations/touchstone.toml").write_text(
        KNOWN.replace("t/one", "t/gone"), encoding="utf-8"
    )
    other = project.root / "other" / "mine"
    other.mkdir(parents=True)
    (other / "case.toml").write_text(CASE, encoding="utf-8")
    done = assay(
        project,
        "run",
        "-r",
        "touchstone",
        "--suites",
        str(other.parent),
        "--program",
        f"touchstone={project.fake('pass')}",
    )
    assert done.exit_code == 0 and "matches nothing" not in done.output


def test_expectations_of_what_is_not_judged_do_not_count(project: Project) -> None:
    project.add("p2/t/one")
    (project.root / "suites/expectations/jco.toml").write_text(KNOWN.replace("t/one", "t/gone"), encoding="utf-8")
    (project.root / "suites/expectations/wasmtme.toml").write_text(KNOWN, encoding="utf-8")
    done = assay(project, "run", "-r", "touchstone", "--program", f"touchstone={project.fake('pass')}")
    assert done.exit_code == 0 and "matches nothing" not in done.output
    assert "wasmtme.toml belongs to no known runtime" in done.output


# --- cases ----------------------------------------------------------------------------------------

SERVED = '[[run.server]]\nname = "s"\n[[run.server.on]]\npath = "/a"\nsay = {say}\n'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '"wasi:cli/stdout"',
            '"wasi:cli/stdot"',
            "WASI 0.2 has no interface wasi:cli/stdot; did you mean wasi:cli/stdout?",
        ),
        ('"wasi:cli/stdout"', '"wasi:keyvalue/store"', "WASI 0.2 has no interface wasi:keyvalue/store"),
        ('"wasi:cli/stdout"', '"wasi:cli/stdout", "wasi:cli/stdout"', "listed twice"),
        (
            "environment.get-arguments",
            "environment.get-argument",
            "has no function get-argument; did you mean get-arguments?",
        ),
        ("wasi:cli/environment.get", "wasi:cli/enviroment.get", "no interface wasi:cli/enviroment"),
        ("[method]input-stream.read", "[method]output-stream.read", "has no function [method]output-stream.read"),
        ('since = "0.2.0"\ntext = "The first', 'since = "0.2.99"\ntext = "The first', "newer than 0.2.12"),
        (
            'environment.get-arguments"\nsince = "0.2.0"',
            'exit.exit-with-code"\nsince = "0.2.0"',
            "older than wasi:cli/exit.exit-with-code, which came with 0.2.12",
        ),
        ('"c.wasm"', '"d.wasm"', "there is no component 'd.wasm'"),
        ("timeout = 5", "timeout = -1", "timeout must be a number of seconds above 0"),
        ("timeout = 5", "timeout = inf", "timeout must be"),
        ("timeout = 5", "timeout = nan", "timeout must be"),
        ("timeout = 5", "timeout = true", "timeout must be"),
        ("timeout = 5", 'args = ["a\\u0000b"]', "contains a NUL"),
        ("timeout = 5", 'env = { "A=B" = "c" }', "not the name of a variable"),
        ("timeout = 5", 'env = { A = "\\u0000" }', "contains a NUL"),
        ("timeout = 5", 'zone = "a\\u0000b"', "contains a NUL"),
        ("timeout = 5", 'grant = ["http", "http"]', "listed twice"),
        ("timeout = 5", 'unstable = ["clock-timezone"]', "unstable: 'clock-timezone' is not one of clocks-timezone"),
        ("timeout = 5", 'terminal = ["stdin", "stdin"]', "listed twice"),
        ("timeout = 5", "open-files = -1", "open-files"),
        ("timeout = 5", 'network = "none"', "network must be"),
        ("timeout = 5", 'stdin-kind = "tape"', "stdin-kind must be one of"),
        ("[expect]", SERVED.format(say="inf") + "[expect]", "say: inf"),
        ("[expect]", SERVED.format(say="-1") + "[expect]", "say: -1"),
        ("[expect]", '[[run.client]]\nname = "c"\nsay = "x"\nwithin = inf\n[expect]', "within must be"),
        (
            "[expect]",
            '[[run.dir]]\nguest = "/d"\n[[run.make]]\npath = "/d/x"\nkind = "fiffo"\n[expect]',
            "kind must be one of",
        ),
    ],
)
def test_keys_of_a_case(project: Project, old: str, new: str, words: str) -> None:
    assert old in CASE
    with pytest.raises(cases.CaseError) as caught:
        project.load(CASE.replace(old, new, 1))
    assert words in str(caught.value) and "case.toml" in str(caught.value)


def test_the_time_zone_of_the_host(project: Project) -> None:
    assert ("TZ", "UTC") in project.run("pass").observation.env
    elsewhere = project.load(CASE.replace("timeout = 5", 'timeout = 5\nzone = "NPT-5:45"'))
    assert ("TZ", "NPT-5:45") in project.run("pass", elsewhere).observation.env


def test_other_packages_are_free(project: Project) -> None:
    text = CASE.replace("wasi:cli/environment.get-arguments", "my:own/thing.do").replace(
        '"wasi:cli/stdout"', '"my:own/thing"'
    )
    assert project.load(text).checks[0].function == "my:own/thing.do"


def test_every_name_is_known() -> None:
    assert len(names.table()) == 32 and not names.function_problem("wasi:io/poll.[resource-drop]pollable")


def test_a_case_that_cannot_be_read(project: Project) -> None:
    folder = project.add("p2/t/one")
    (folder / "case.toml").write_bytes(b'title = "\xff"\n')
    done = assay(project, "list")
    assert done.exit_code == 2 and "case.toml" in done.output and "utf-8" in done.output


# --- expectations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KNOWN.replace('"t.fake.first"', "5"), "check must be a string"),
        (KNOWN + "issue = 5\n", "issue must be a string"),
        (KNOWN.replace('"FAIL"', "[]"), "needs no entry"),
        (KNOWN.replace('"FAIL"', '["FAIL", "FAIL"]'), "listed once"),
        (KNOWN.replace('"FAIL"', '"SKIP"'), "is not announced"),
        (KNOWN.replace('"FAIL"', "7"), "unknown status"),
        (KNOWN + KNOWN, "listed twice"),
        (KNOWN + "runtimes = []\n", "list of names"),
        (KNOWN + "runtimes = ''\n", "list of names"),
        (KNOWN + "runtimes = [1]\n", "list of names"),
    ],
)
def test_keys_of_expectations(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    with pytest.raises(expect.ExpectationError) as caught:
        expect.load(tmp_path / "x.toml")
    assert words in str(caught.value)


def test_expectations_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(expect.ExpectationError):
        expect.load(tmp_path / "x.toml")


# --- filters --------------------------------------------------------------------------------------


def test_filters(project: Project) -> None:
    project.add("p2/t/one")
    other = (
        CASE.replace("wasi:cli/", "wasi:random/").replace("random/stdout", "random/random").replace("t.fake", "t.other")
    )
    other = other.replace("environment.get-arguments", "random.get-random-u64").replace(
        "environment.initial-cwd", "insecure-seed.insecure-seed"
    )
    project.add("p2/t/two", other)

    def listed(*args: str) -> list[str]:
        done = assay(project, "list", *args)
        assert done.exit_code == 0, done.output
        return [line.split()[0] for line in done.output.splitlines() if line.startswith("p2/")]

    assert listed("--interface", "wasi:cli") == listed("--interface", "cli/stdout") == ["p2/t/one"]
    assert listed("--interface", "wasi:r*") == listed("--function", "get-random-u64") == ["p2/t/two"]
    assert listed("--function", "input-stream.read") == ["p2/t/one", "p2/t/two"]
    assert listed("--requirement", "t.fake") == listed("--requirement", "t.fake.second") == ["p2/t/one"]
    assert listed("--interface", "wasi:io", "--requirement", "*.second") == ["p2/t/one", "p2/t/two"]
    assert listed("one", "two", "--interface", "wasi:cli") == ["p2/t/one"]
    program = f"touchstone={project.fake('fail')}"
    assay(project, "run", "-r", "touchstone", "--program", program)
    assert listed("--verdict", "FAIL") == ["p2/t/one"]
    assert listed("--verdict", "error") == ["p2/t/two"]  # the case in which the fake reports an undeclared check
    assert listed("--verdict", "unexpected") == ["p2/t/one", "p2/t/two"]
    done = assay(
        project,
        "run",
        "-r",
        "touchstone",
        "--program",
        program,
        "--verdict",
        "ERROR",
        "--output",
        str(project.root / "b"),
    )
    assert "1/1 runs: 1 ERROR" in done.output
    assert assay(project, "list", "--verdict", "CRASH").exit_code == 2
