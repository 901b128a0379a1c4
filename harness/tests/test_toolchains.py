"""Guests by toolchains: cases whose guests are made on demand, `assay run --toolchain`, and the table of the page."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import made
import pytest
from click.testing import CliRunner

from assay import record, report
from assay.cases import CaseError, load, toolchains
from assay.cli.base import Unusable
from assay.cli.commands import main
from assay.cli.toolchains import make_guests
from assay.model import Verdict
from assay.record import SuiteInfo
from assay.record.diff import diff
from assay.report.toolchains import toolchain_rows
from assay.report.view import build

CASE = """
title = "a program"
component = "program-x.wasm"
module = "program-x-module.wasm"
{made_by}
interfaces = ["preview1:wasi/process"]
[expect]
stdout = "hello"
"""
BUILDER = """
import json, pathlib, sys
print("asked", *sys.argv[1:])
names = sys.argv[sys.argv.index("--out") + 2 :]
if names == ["absent"]:
    sys.exit(1)
if names == ["unknown"]:
    print("Usage")
    print("of it")
    sys.exit(2)
folder = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
folder.mkdir(parents=True)
(folder / "program-x.wasm").write_bytes(b"another")
(folder / "toolchains.json").write_text(json.dumps({"program-x": "x 2"}))
"""


def project(tmp_path: Path, made_by: str = 'made-by = "make x"') -> Path:
    """A project with one case, whose guests are made on demand. Returns its root."""
    for name in ("suites/p1/x", "fixtures/built", "build/guests", "ci", "harness"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "suites/p1/x/case.toml").write_text(CASE.format(made_by=made_by))
    (tmp_path / "ci/toolchains.py").write_text(BUILDER)
    return tmp_path


def test_a_module_that_is_made_on_demand_may_be_absent(tmp_path: Path) -> None:
    root = project(tmp_path)
    case = load(root / "suites/p1/x/case.toml", root / "suites", root / "fixtures")
    assert case.component == root / "build/guests/program-x.wasm" and case.made_by == "make x"
    assert case.module == root / "build/guests/program-x-module.wasm" and not case.module.exists()


def test_a_module_that_nothing_makes_must_be_there(tmp_path: Path) -> None:
    root = project(tmp_path, made_by="")
    (root / "fixtures/built/program-x.wasm").write_bytes(b"")
    with pytest.raises(CaseError, match=r"there is no module 'program-x-module\.wasm'"):
        load(root / "suites/p1/x/case.toml", root / "suites", root / "fixtures")


def test_versions_are_an_object_of_strings(tmp_path: Path) -> None:
    assert toolchains.versions(tmp_path) == {}
    for text in ("[]", '{"program-x": 1}', "{"):
        (tmp_path / toolchains.VERSIONS).write_text(text)
        with pytest.raises(toolchains.GuestsError, match=r"toolchains\.json"):
            toolchains.versions(tmp_path)


def test_guests_of_a_toolchain_replace_those_of_the_same_name(tmp_path: Path) -> None:
    root = project(tmp_path)
    case = load(root / "suites/p1/x/case.toml", root / "suites", root / "fixtures")
    other = replace(case, id="p1/other", component=root / "fixtures/built/other.wasm", module=None)
    folder = make_guests(root, ["x@2"])
    assert folder == root / "build/toolchains/guests/x@2"
    cases = toolchains.with_guests((case, other), folder)
    assert cases[0].component == folder / "program-x.wasm" and cases[0].module == case.module
    assert cases[1] == other and toolchains.of_guests(cases, folder) == cases[:1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["x@"], "NAME or NAME@VERSION"),
        (["../x"], "NAME or NAME@VERSION"),
        (["x@1", "x@2"], "one version of a toolchain"),
        (["absent"], "asked --install --out"),
        (["unknown"], "no such toolchain"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, asked: list[str], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        make_guests(project(tmp_path), asked)


def test_a_run_takes_the_guests_of_the_toolchain_and_its_record_names_the_version(tmp_path: Path) -> None:
    root, fake = project(tmp_path), Path(__file__).parent / "fakes/fake.py"
    program = f"fake=touchstone:{sys.executable} {fake} pass"
    words = ["--root", str(root), "run", "--no-smoke", "--also", program, "-r", "fake", "--toolchain", "x@2"]
    done = CliRunner().invoke(main, [*words, "--output", str(root / "out")])
    assert done.exit_code in (0, 1), done.output
    written = record.read(root / "out/results.jsonl")
    assert written.suite.toolchains == {"program-x": "x 2"}
    assert [case.id for case in written.cases] == ["p1/x"]
    refused = CliRunner().invoke(main, [*words, "--resume", "--output", str(root / "out")])
    assert refused.exit_code == 2 and "--resume" in refused.output


def test_a_record_keeps_the_versions_and_a_comparison_says_which_changed(tmp_path: Path) -> None:
    old = replace(made.record(), suite=SuiteInfo(toolchains={"program-zig": "zig 0.16.0", "program-go": "go 1"}))
    new = replace(old, suite=SuiteInfo(toolchains={"program-zig": "zig 0.17.1", "program-c": "clang 19"}))
    record.write(old, tmp_path / "old.jsonl")
    assert record.read(tmp_path / "old.jsonl").suite == old.suite
    assert (
        json.loads((tmp_path / "old.jsonl").read_text().splitlines()[0])["suite"]["toolchains"] == old.suite.toolchains
    )
    assert diff(old, new).toolchains == ("toolchain of program-zig: zig 0.16.0, now zig 0.17.1",)


def test_the_page_has_a_row_for_each_toolchain_and_a_cell_for_each_runtime() -> None:
    plain = made.record()
    infos = [
        replace(made.case_info(case), component=component)
        for case, component in (
            ("p1/toolchains/zig", "program-zig.wasm"),
            ("p2/toolchains/zig", "program-zig.wasm"),
            ("p2/toolchains/go", "program-go.wasm"),
            ("p2/cli/arguments", "a.wasm"),
        )
    ]
    results = [
        made.result(
            runtime, info.id, Verdict.FAIL if (runtime, info.id) == ("jco", "p2/toolchains/go") else Verdict.PASS
        )
        for info in infos
        for runtime in ("touchstone", "jco")
        if (runtime, info.id) != ("jco", "p1/toolchains/zig")
    ]
    runtimes = tuple(runtime for runtime in plain.runtimes if runtime.name != "wasmtime")
    suite = SuiteInfo(toolchains={"program-zig": "zig <0.17.1>"})
    whole = replace(plain, cases=tuple(infos), results=tuple(results), runtimes=runtimes, suite=suite)
    rows = toolchain_rows(build(whole).cases, whole.suite.toolchains)
    assert [(row.name, row.version, row.modules) for row in rows] == [
        ("go", "", False),
        ("zig", "zig <0.17.1>", False),
        ("zig", "zig <0.17.1>", True),
    ]
    assert [[cell and cell.verdict.value for cell in row.case.results] for row in rows] == [
        ["PASS", "FAIL"], ["PASS", "PASS"], ["PASS", None]
    ]  # fmt: skip
    section = report.html(whole).partition('<section id="toolchains">')[2].partition("</section>")[0]
    assert section.count('href="#case-p2-toolchains-go"') == 3 and "zig &lt;0.17.1&gt;" in section
    assert "a.wasm" not in section and section.count("v-FAIL") == 1 and "preview 1" in section
    assert 'id="toolchains"' not in report.html(plain)
