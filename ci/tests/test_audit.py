"""`make audit`: SECURITY.md names tests that exist, for every promise."""

from __future__ import annotations

from pathlib import Path

import audit

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_names_tests_that_exist() -> None:
    found = audit.promises((ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(found) >= 25 and len({p.number for p in found}) == len(found)
    for promise in found:
        assert promise.tests, f"{promise.number} names no test"
        assert [name for name in promise.tests if audit.source(name) is None] == [], promise.number


def test_a_promise_is_a_row_with_a_number() -> None:
    text = "| | promise | shown by |\n|---|---|---|\n| G1 | it holds | `test_a` `test_b.py` |\n| the guest | code | nothing |\n"
    assert audit.promises(text) == [audit.Promise("G1", "it holds", ("test_a", "test_b.py"))]


def test_a_test_that_is_absent_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "runtime/tests/core").mkdir(parents=True)
    (tmp_path / "runtime/tests/core/test_x.c").touch()
    assert audit.source("test_x", tmp_path) == tmp_path / "runtime/tests/core/test_x.c"
    assert audit.source("test_y", tmp_path) is None
    assert audit.source("test_x.py", tmp_path) is None


def test_what_is_skipped_shows_nothing(tmp_path: Path) -> None:
    assert audit.Ran(True).shows and audit.Ran(True, 5, 4).shows
    assert not audit.Ran(True, 5, 5).shows and not audit.Ran(False, 5, 0).shows
    said = "[==========] g: Running 2 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  SKIPPED ] b\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] b\n"
    assert audit.parts(Path("test_x.c"), said, tmp_path / "none.xml") == (2, 1)
    xml = tmp_path / "it.xml"
    xml.write_text('<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite></testsuites>')
    assert audit.parts(Path("test_x.py"), "", xml) == (2, 1)
    assert audit.parts(Path("check_x.py"), "", tmp_path / "none.xml") == (0, 0)
