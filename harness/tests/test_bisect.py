"""`assay bisect`: the search itself, ranges of versions, and the command with fake runtimes in several versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project
from hypothesis import given
from hypothesis import strategies as st

from assay.cli import bisect as command
from assay.cli import main
from assay.history.bisect import Bisection, Found, Tried
from assay.model.versions import version_key, within
from assay.runtimes import versions as versions_module
from assay.runtimes.about import Install
from assay.runtimes.install import InstallError
from assay.runtimes.versions import available, from_npm, from_pip

WORDS = {"g": "PASS", "b": "FAIL", "u": "UNSUPPORTED", "1": "PASS 1", "2": "PASS 2"}


def search(row: str, *, every: bool = False) -> tuple[Found, list[int]]:
    """Searches versions whose verdicts are the letters of a row; `x` cannot be used."""
    probed: list[int] = []

    def probe(version: str) -> Tried:
        probed.append(int(version))
        letter = row[int(version)]
        return Tried(version, problem="absent") if letter == "x" else Tried(version, WORDS[letter])

    return Bisection([str(index) for index in range(len(row))], probe).search(every=every), probed


def ends(found: Found) -> tuple[str, str] | None:
    return (found.before.version, found.after.version) if found.before and found.after else None


# --- the search ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from(["gb", "bg", "12", "bu"]))
def test_one_change_is_found_in_few_probes(before: int, after: int, letters: str) -> None:
    found, probed = search(letters[0] * before + letters[1] * after)
    assert ends(found) == (str(before - 1), str(before)) and not found.doubts
    assert len(probed) <= (before + after).bit_length() + 7
    assert probed.count(before - 1) == probed.count(before) == 2  # both are verified


@given(st.text(alphabet="gbx", min_size=2, max_size=30))
def test_any_row_gets_an_answer_that_is_true(row: str) -> None:
    found, _ = search(row)
    used = [index for index, letter in enumerate(row) if letter != "x"]
    if len(used) < 2:
        assert found.ends is None
        return
    assert found.ends is not None and found.ends[0].version == str(used[0]) and found.ends[1].version == str(used[-1])
    if row[used[0]] == row[used[-1]]:
        assert ends(found) is None
        return
    assert found.before is not None and found.after is not None
    low, high = int(found.before.version), int(found.after.version)
    assert row[low] == row[used[0]] and row[high] == row[used[-1]]
    assert all(row[index] == "x" for index in range(low + 1, high)) and found.between == tuple(
        str(index) for index in range(low + 1, high)
    )


def test_what_comes_and_goes_is_said() -> None:
    found, _ = search("ggggbgbbbb")
    assert found.doubts and "not monotone" in found.doubts[0]
    found, _ = search("gbgbgb", every=True)
    assert len(found.changes) == 5 and "not monotone" in found.doubts[0]
    found, probed = search("gbg", every=True)
    assert ends(found) is None and [other.version for _, other in found.changes] == ["1", "2"] and len(probed) == 3
    assert search("gbg")[1] == [0, 2]


def test_a_flaky_version_is_said() -> None:
    answers = iter(["PASS", "FAIL", "PASS", "FAIL"])
    found = Bisection(["1", "2"], lambda version: Tried(version, next(answers))).search()
    assert ends(found) == ("1", "2") and found.doubts == []
    answers = iter(["PASS", "FAIL", "FAIL", "FAIL"])
    found = Bisection(["1", "2"], lambda version: Tried(version, next(answers))).search()
    assert found.doubts == ["1 was PASS, and FAIL when it was run again"]


# --- versions -----------------------------------------------------------------------------------------------------


def test_ranges() -> None:
    there = ["50.0.1", "44.0.0", "43.0.1", "45.0.2", "49.0.3.post1", "49.0.3", "9.1.0", "49.0.10", "49.0.4", "51.0.0"]
    inside = ("44.0.0", "45.0.2", "49.0.3", "49.0.3.post1", "49.0.4", "49.0.10", "50.0.1")
    assert within(there, "44..50") == inside
    assert within(there, "..43") == ("9.1.0", "43.0.1") and within(there, "49.0.4..49") == ("49.0.4", "49.0.10")
    assert within(there, "50..") == ("50.0.1", "51.0.0") and within(there, "..")[0] == "9.1.0"
    assert within(["v1.2.0", "v1.10.0"], "1.2..v1.10") == ("v1.2.0", "v1.10.0")
    assert version_key("2026-11-17") > version_key("2026-9-30")
    for text in ("44", "50..44", "1..2..3"):
        with pytest.raises(ValueError, match="is no range"):
            within(there, text)


def test_what_registries_print(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_pip("a", "a (2.0)\nAvailable versions: 2.0, 1.1, 1.0\n  LATEST: 2.0\n") == ("2.0", "1.1", "1.0")
    assert from_npm("a", '["1.0.0", "1.1.0-rc.1", "1.1.0"]') == ("1.0.0", "1.1.0") and from_npm("a", '"1.0.0"') == ("1.0.0",)
    for read in (from_pip, from_npm):
        with pytest.raises(InstallError, match="no versions of a"):
            read("a", "oops")
    called: list[list[str]] = []

    def call(argv: list[str]) -> str:
        called.append(argv)
        return "Available versions: 1.0" if "pip" in argv else '["1.0"]'

    monkeypatch.setattr(versions_module, "call", call)
    assert available(Install("pip", ("one==1.0", "two"))) == available(Install("npm", ("@a/b@1.0",))) == ("1.0",)
    assert called[0][-2:] == ["versions", "one"] and called[1][1:3] == ["view", "@a/b"]
    with pytest.raises(InstallError, match="cargo lists no versions"):
        available(Install("cargo", ("a@1",)))


# --- the command --------------------------------------------------------------------------------------------------


def bisect(project: Project, kinds: str, check: str, *argv: str) -> Result:
    """Bisects versions 1, 2, … of touchstone; each is a fake of a kind, or absent for a minus."""
    named = [
        word
        for number, kind in enumerate(kinds.split(), 1)
        if kind != "-"
        for word in ("--program", f"touchstone@{number}={project.fake(kind)}")
    ]
    listed = ",".join(str(number) for number in range(1, len(kinds.split()) + 1))
    words = ["bisect", "-r", "touchstone", check, *named, *argv]
    words += [] if "--versions" in argv else ["--versions", listed]
    return CliRunner().invoke(main, ["--root", str(project.root), *words])


@pytest.fixture
def one(project: Project) -> Project:
    project.add("p2/t/one")
    return project


def test_first_bad_and_first_good(one: Project) -> None:
    done = bisect(one, "pass pass pass fail fail", "p2/t/one#t.fake.second")
    assert done.exit_code == 0 and "first bad version: touchstone 4 (FAIL), after 3 (PASS)\n" in done.output, done.output
    assert "doubtful" not in done.output
    done = bisect(one, "fail fail pass", "t.fake.second", "--versions", "1..3")
    assert done.exit_code == 0 and "first good version: touchstone 3 (PASS), after 2 (FAIL)" in done.output
    done = bisect(one, "pass pass crash", "p2/t/one")
    assert done.exit_code == 0 and "first bad version: touchstone 3 (CRASH), after 2 (PASS)" in done.output
    assert bisect(one, "pass fail", "p2/t/one#@expect").exit_code == 1


def test_no_change_and_unusable_versions(one: Project) -> None:
    done = bisect(one, "pass fail pass", "t.fake.second")
    assert done.exit_code == 1 and "no change: PASS in touchstone 1, PASS in 3" in done.output
    done = bisect(one, "pass fail pass", "t.fake.second", "--every")
    assert done.exit_code == 1 and "change: 1 PASS -> 2 FAIL\nchange: 2 FAIL -> 3 PASS" in done.output
    done = bisect(one, "pass - fail", "t.fake.second")
    assert done.exit_code == 0 and "2            skipped: absent" in done.output
    assert "first bad version: touchstone 3 (FAIL), after 1 (PASS)" in done.output
    assert "it may be one of these, which cannot be used: 2" in done.output
    done = bisect(one, "pass - -", "t.fake.second")
    assert done.exit_code == 2 and "fewer than two of the 3 versions of touchstone can be used" in done.output


def test_json(one: Project) -> None:
    done = bisect(one, "pass fail", "t.fake.second", "--json")
    shown = json.loads(done.stdout)
    assert shown["after"]["version"] == "2" and shown["after"]["verdict"] == "FAIL" and shown["doubts"] == []
    assert [item["version"] for item in shown["tried"]] == ["1", "2"] and "first bad version" in done.stderr


def test_a_version_is_installed_or_skipped(one: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A version that pip cannot install is skipped, and the range comes from what pip lists."""
    monkeypatch.setenv("ASSAY_RUNTIMES_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command, "available", lambda how: ("1.0.0", "1.1.0"))
    asked: list[str] = []

    def install(adapter: object, places: object) -> Path:
        asked.append(adapter.name)  # type: ignore[attr-defined]
        raise InstallError("no such package")

    monkeypatch.setattr(command, "install", install)
    argv = ["--root", str(one.root), "bisect", "-r", "wasmtime", "--versions", "1..", "t.fake.second"]
    done = CliRunner().invoke(main, argv)
    assert done.exit_code == 2 and "1.1.0        skipped: it cannot be installed: no such package" in done.output
    assert set(asked) == {"wasmtime@1.0.0", "wasmtime@1.1.0"}
    assert "absent" in CliRunner().invoke(main, [*argv, "--no-install"]).output and len(asked) == len(set(asked))


def test_wrong_use(one: Project) -> None:
    one.add("p2/t/two", CASE)
    for check, argv, words in (
        ("p2/t/three", (), "there is no case p2/t/three"),
        ("p2/t/one#x", (), "no such check: t.fake.first, t.fake.second"),
        ("x.y", (), "no case has this check"),
        ("t.fake.second", (), "write one of\n  p2/t/one#t.fake.second\n  p2/t/two#t.fake.second"),
        ("p2/t/one", ("--versions", "5..9"), "no such version of touchstone; the newest: 1, 2"),
        ("p2/t/one", ("--versions", "2..1"), "is no range"),
        ("p2/t/one", ("--versions", "1"), "a search needs two versions"),
        ("p2/t/one", ("-r", "nobody"), "nobody: no such runtime"),
    ):
        done = bisect(one, "pass pass", check, *argv)
        assert done.exit_code == 2 and words in done.output, done.output
