"""The views for tools: TAP, CTRF, EARL, badges, the comment of a pull request, and the form of JUnit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import made
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from test_status import records

from assay import record, report
from assay.cases import requirements
from assay.cli import main
from assay.judge import joined
from assay.model import EXPECT_UNIT, CaseResult, Expected, Level, Verdict
from assay.record import Record
from assay.record.status import status
from assay.report.badges import COLOURS
from assay.report.comment import LIMIT

ROOT = Path(__file__).resolve().parents[2]
CTRF = json.loads((Path(__file__).parent / "data/ctrf.schema.json").read_text(encoding="utf-8"))
SHIELDS = {
    "type": "object",
    "required": ["schemaVersion", "label", "message", "color"],
    "additionalProperties": False,
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string", "minLength": 1},
        "message": {"type": "string", "minLength": 1},
        "color": {"enum": list(COLOURS)},
    },
}


def flaky(allow: bool = False) -> Record:
    """A record with a check that fails at first and passes then, and one that passes."""
    info = made.case_info()
    first, second = made.result("r", verdict=Verdict.FAIL, unexpected=True), made.result("r")
    both = joined([first, second], info, strict=False)
    units = tuple(replace(unit, unexpected=unit.verdict is Verdict.FLAKY and not allow) for unit in both.units)
    return replace(made.record(replace(both, units=units), made.result("r", "p2/other")), gate=("r",), allow_flaky=allow)


# --- TAP ------------------------------------------------------------------------------------------

LINE = re.compile(r"(not )?ok (\d+) - ((?:[^#\\]|\\.)*?)(?: # (SKIP|TODO) (.*))?")


def tap(lines: list[str], indent: str = "") -> bool:
    """Reads one level of TAP 14 strictly. Returns whether nothing failed."""
    plan = re.fullmatch(r"1\.\.(\d+)", lines.pop(0).removeprefix(indent))
    assert plan
    good, number = True, 0
    while number < int(plan[1]):
        line, inner, name = lines.pop(0).removeprefix(indent), None, ""
        if line.startswith("# Subtest: "):
            name = line.removeprefix("# Subtest: ")
            inner = tap(lines, indent + "    ")
            line = lines.pop(0).removeprefix(indent)
        match = LINE.fullmatch(line)
        assert match, line
        number += 1
        assert int(match[2]) == number
        if inner is not None:
            assert match[3] == name and inner == (not match[1])
        if lines and lines[0] == f"{indent}  ---":
            diagnostics(lines, indent + "  ")
        good &= not match[1] or match[4] == "TODO"
    return good


def diagnostics(lines: list[str], indent: str) -> None:
    """Reads a block of YAML whose values are JSON."""
    assert lines.pop(0) == f"{indent}---"
    while (line := lines.pop(0)) != f"{indent}...":
        key, colon, value = line.removeprefix(indent).partition(": ")
        assert line.startswith(indent) and colon and re.fullmatch("[a-z]+", key)
        json.loads(value)


def tap_is_green(text: str) -> bool:
    assert len(text.splitlines()) == text.count("\n")  # no other line end is in it
    lines = text.splitlines()
    assert lines.pop(0) == "TAP version 14"
    good = tap(lines)
    assert not lines
    return good


def test_tap_has_each_check_with_its_diagnostics() -> None:
    drawn = replace(made.record(), gate=("touchstone", "jco"))
    text = report.tap(drawn)
    assert not tap_is_green(text)
    assert "        not ok 1 - cli.environment.get-arguments.order\n          ---\n" in text
    assert '          message: "FAIL: expected <b>, got c"\n' in text and '          level: "must"\n' in text
    assert "# SKIP absent: not <installed>" in text
    known = Expected((Verdict.FAIL,), "a #known bug")
    units = tuple(replace(unit, expected=known, unexpected=False) for unit in drawn.results[2].units[:1])
    announced = replace(drawn, results=(*drawn.results[:2], replace(drawn.results[2], units=units)))
    assert "not ok 1 - cli.environment.get-arguments.order # TODO FAIL as announced: a \\#known bug" in report.tap(announced)


@pytest.mark.skipif(shutil.which("prove") is None, reason="perl's prove is not installed")
@pytest.mark.parametrize("red", [False, True])
def test_another_reader_of_tap_agrees(tmp_path: Path, red: bool) -> None:
    """Perl's reader knows version 13, to which only the name of the version is new."""
    drawn = replace(made.record(), gate=("touchstone", "jco") if red else ("touchstone",))
    path = tmp_path / "report.tap"
    path.write_text(report.tap(drawn).replace("version 14", "version 13"), encoding="utf-8")
    done = subprocess.run(["prove", "--exec", "cat", path], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode != 0) == red, done.stdout + done.stderr


# --- CTRF -----------------------------------------------------------------------------------------


def ctrf(drawn: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.ctrf(drawn))
    jsonschema.Draft202012Validator(CTRF).validate(found)
    summary, tests = found["results"]["summary"], found["results"]["tests"]
    for word in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[word] == sum(test["status"] == word for test in tests)
    assert summary["tests"] == len(tests) and summary["stop"] >= summary["start"]
    ids = [test["testId"] for test in tests if "testId" in test]
    assert len(set(ids)) == len(ids)
    return found


def test_ctrf_has_the_attempts_of_a_flaky_test() -> None:
    found = ctrf(flaky())["results"]
    (test,) = (test for test in found["tests"] if test.get("flaky"))
    assert test["status"] == "failed" and test["rawStatus"] == "FLAKY" and found["summary"]["flaky"] == 1
    assert test["retries"] == 1 and [one["status"] for one in test["retryAttempts"]] == ["failed"]
    assert ctrf(replace(flaky(), machine=record.this_machine()))["results"]["environment"]["osPlatform"]


# --- all of them ----------------------------------------------------------------------------------


@pytest.mark.timeout(300)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_tap_and_ctrf_agree_with_the_status(drawn: Record) -> None:
    green = status(drawn).green
    assert tap_is_green(report.tap(drawn)) == green
    found = ctrf(drawn)["results"]
    assert (found["summary"]["failed"] == 0) == green == found["environment"]["healthy"]
    assert len(report.comment(drawn)) <= LIMIT
    jenkins(report.junit(drawn))
    earl(drawn)
    files = report.badges(drawn)
    assert files["status.json"].count("green" if green else "red")


def test_flaky_is_flaky_in_every_view(tmp_path: Path) -> None:
    for allow in (False, True):
        drawn = flaky(allow)
        assert status(drawn).green == allow
        assert any("1 result is flaky" in line for line in status(drawn).lines) != allow
        assert tap_is_green(report.tap(drawn)) == allow
        assert 'attempts: ["FAIL", "PASS"]' in report.tap(drawn)
        test = next(test for test in ctrf(drawn)["results"]["tests"] if test.get("flaky"))
        assert test["status"] == ("other" if allow else "failed")
        suite = ET.fromstring(report.junit(drawn)).find("testsuite[@name='r']")
        assert suite is not None and suite.find(f".//testcase[@classname='r.p2.cli.arguments']/{'skipped' if allow else 'failure'}") is not None
        assert "✗ 0/1 ≈1" in report.markdown(drawn) and "✗ 0/1 ≈1" in report.comment(drawn)
        assert "FLAKY" in report.html(drawn)
        assert "1 flaky" in report.badges(drawn)["r.json"]
        (assertion,) = (item for item in earl(drawn) if item["@type"] == "earl:Assertion" and f"arguments/{made.CHECK}" in item["test"])
        assert assertion["result"]["outcome"] == "earl:cantTell" and "FAIL, PASS" in assertion["result"]["info"]
        record.write(drawn, tmp_path / "results.jsonl")
        assert record.read(tmp_path / "results.jsonl") == drawn


# --- JUnit ----------------------------------------------------------------------------------------

SUITE = {"name": True, "tests": True, "failures": False, "errors": False, "skipped": False, "time": False, "timestamp": False}
TESTCASE = {"name": True, "classname": True, "time": False}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],
    "testcase": ["skipped", "error", "failure", "system-out", "system-err"],
}
"""The children of an element, in the order of the schemas of Jenkins and of Surefire."""


def jenkins(text: str) -> None:
    """Checks what the schemas of Jenkins and of Surefire say: attributes, children and their order, numbers."""
    root = ET.fromstring(text)
    assert root.tag == "testsuites" and set(root.keys()) <= {"name", "time", "tests", "failures", "errors", "disabled"}
    for element in root.iter():
        allowed = CHILDREN.get(element.tag, [])
        places = [allowed.index(child.tag) for child in element]
        assert places == sorted(places)
        if element.tag == "testcase":
            assert len(element) <= 1
        needed = {"testsuite": SUITE, "testcase": TESTCASE}.get(element.tag)
        if needed is not None:
            assert set(element.keys()) <= set(needed)
            assert all(element.get(name) for name, required in needed.items() if required)
            assert re.fullmatch(r"\d+\.\d{3}", element.get("time") or "0.000")
        if element.tag in ("failure", "error"):
            assert set(element.keys()) == {"type", "message"}


def test_the_form_of_junit() -> None:
    for drawn in (made.record(), flaky(), record.read(ROOT / "reports/example.jsonl")):
        jenkins(report.junit(drawn))


# --- EARL -----------------------------------------------------------------------------------------


def earl(drawn: Record) -> list[dict[str, Any]]:
    found = json.loads(report.earl(drawn))
    context, graph = found["@context"], found["@graph"]
    terms = set(context) | {"@id", "@type"}
    ids = [item["@id"] for item in graph if "@id" in item]
    assert len(set(ids)) == len(ids)
    for item in graph:
        assert set(item) <= terms
        for key in ("subject", "test", "assertedBy", "isPartOf"):
            assert item.get(key, ids[0]) in ids
        if item["@type"] == "earl:Assertion":
            assert item["mode"] == "earl:automatic" and set(item["result"]) <= terms
            assert item["result"]["outcome"].partition(":")[2] in ("passed", "failed", "cantTell", "inapplicable", "untested")
    assert sum(item["@type"] == "earl:Assertion" for item in graph) == sum(len(one.units) for one in drawn.results)
    return list(graph)


def test_earl_says_what_was_seen_and_where_it_is_demanded() -> None:
    example = record.read(ROOT / "reports/example.jsonl")
    found = json.loads(report.earl(example, requirements.links(ROOT)))["@graph"]
    demanded = [item for item in found if item["@type"] == "earl:TestRequirement"]
    assert {item["title"].partition(" ")[0] for item in demanded} == {c.id for info in example.cases for c in info.checks}
    assert any(item["source"][0].startswith("https://github.com/WebAssembly/") for item in demanded)
    outcomes = {
        (item["subject"], item["test"]): item["result"]["outcome"] for item in found if item["@type"] == "earl:Assertion"
    }
    result: CaseResult
    for result in example.results:
        for unit in result.units:
            info = next(info for info in example.cases if info.id == result.case)
            check = info.check(unit.id)
            if unit.verdict is Verdict.PASS and (check is None or check.level is not Level.UNSPECIFIED):
                place = f"#test/{result.case.replace('/', '%2F')}/{unit.id}"
                assert outcomes[f"#runtime/{result.runtime}", place] == "earl:passed"
    announced = earl(made.record(made.result("r", verdict=Verdict.UNSUPPORTED)))
    assert [item["result"]["outcome"] for item in announced if item["@type"] == "earl:Assertion"] == [
        "earl:inapplicable", "earl:inapplicable", "earl:passed",
    ]  # fmt: skip


def test_addresses_are_of_the_catalogue() -> None:
    links = requirements.links(ROOT)
    commits = [line.split("\t")[2] for line in (ROOT / "ci/suites.tsv").read_text("utf-8").splitlines()[1:]]
    assert len(links) > 300
    assert all(link.split("/")[6] in commits for mine in links.values() for link in mine)
    assert requirements.links(ROOT / "suites") == {}


# --- badges ---------------------------------------------------------------------------------------


def test_badges() -> None:
    drawn = made.record(made.result("a"), made.result('x"<&\x01', verdict=Verdict.FAIL))
    files = report.badges(drawn)
    for name, text in files.items():
        if name.endswith(".json"):
            jsonschema.validate(json.loads(text), SHIELDS)
            continue
        root = ET.fromstring(text)
        title = root.find("{*}title")
        assert root.get("role") == "img" and title is not None and title.text
        value = json.loads(files[name.removesuffix(".svg") + ".json"])
        assert [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")][1] == value["message"]
        assert title.get("id") == root.get("aria-labelledby")
    assert json.loads(files["a.json"]) == {"schemaVersion": 1, "label": "a", "message": "1/1 MUST", "color": "brightgreen"}
    assert json.loads(files["a.wasi-cli.json"])["label"] == "a wasi:cli"
    assert json.loads(files["wasmtime-py.json"])["message"] == "absent"
    assert json.loads(files["x----.json"])["color"] == "red"
    partial = report.badges(replace(drawn, partial="interrupted"))
    assert json.loads(partial["a.json"])["color"] == "yellowgreen" and "partial" in partial["status.svg"]


def contrast(colour: str) -> float:
    """The contrast with white, by WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_the_text_of_a_badge_can_be_read() -> None:
    assert all(contrast(colour) >= 4.5 for colour in COLOURS.values())


# --- the comment ----------------------------------------------------------------------------------


def test_the_comment_is_short_and_can_be_found_again() -> None:
    text = report.comment(made.record())
    assert text.startswith("<!-- assay-report: p2 -->\n### Conformance (p2): ")
    assert "| wasi:cli | ✓ 1/1 | ✓ 1/1 | ✗ 0/1 ✗1 |" in text and "1 not as announced, not judged" in text
    names = [f"runtime-{number}" for number in range(40)]
    units = tuple(
        replace(unit, detail="x" * 300, verdict=Verdict.FAIL, unexpected=True) for unit in made.result("r").units
    )
    many = [replace(made.result(name, f"p2/{name}"), units=units) for name in names]
    drawn = made.record(*many)
    long = replace(drawn, runtimes=tuple(replace(item, version="v" * 3000) for item in drawn.runtimes), gate=tuple(names))
    shown = report.comment(long)
    assert len(shown) <= LIMIT and shown.count("<details") == shown.count("</details>")


# --- the command ----------------------------------------------------------------------------------


def assay(*argv: str) -> Any:
    return CliRunner().invoke(main, ["--root", str(ROOT), *argv])


def test_formats_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    shutil.copyfile(ROOT / "reports/example.jsonl", path)
    formats = [word for name in ("tap", "ctrf", f"earl={tmp_path / 'a/b.json'}", "badges", "pr-comment") for word in ("--format", name)]
    done = assay("report", str(path), *formats)
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "index.html").exists()
    for name in ("report.tap", "ctrf.json", "a/b.json", "badges/touchstone.svg", "comment.md"):
        assert (tmp_path / name).is_file(), name
    done = assay("report", str(path), "--format", "tap=-")
    assert tap_is_green(done.output)
    assert "ctrf.json" in assay("report", "--format", "list").output
    for wrong, words in (("tapp", "is not a format"), ("tap=", "no file after"), ("badges=-", "a folder")):
        done = assay("report", str(path), "--format", wrong)
        assert done.exit_code == 2 and words in done.output
    assert assay("report", str(path)).exit_code == 0 and (tmp_path / "index.html").is_file()


def test_the_units_of_an_attempt() -> None:
    info = made.case_info()
    same = joined([made.result("r", verdict=Verdict.FAIL)] * 3, info, strict=False)
    assert same.verdict is Verdict.FAIL and len(same.attempts) == 2
    assert all(unit.verdict is not Verdict.FLAKY for unit in same.units)
    unit = flaky().results[0].unit(made.CHECK)
    assert unit is not None and unit.verdicts == (Verdict.FAIL, Verdict.PASS)
    assert flaky().results[0].verdict is Verdict.FLAKY
    assert flaky().results[0].unit(EXPECT_UNIT) == made.result("r").unit(EXPECT_UNIT)
