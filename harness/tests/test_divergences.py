"""ci/check_divergences.py: what it says of an entry that is missing, stale or misquoted, and of a page that is not its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ci"))
import check_divergences

SOURCE = check_divergences.SOURCE.read_text("utf-8")
PAGE = check_divergences.PAGE.read_text("utf-8")
Run = Callable[..., tuple[int, str]]
TRAP = "Otherwise, this function will trap."


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the check on changed files, without the official text. Returns its exit status and what it printed."""
    monkeypatch.setattr(check_divergences.official, "wit", lambda version: None)
    monkeypatch.setattr(check_divergences.official, "abi", lambda: None)

    def run(source: str = SOURCE, page: str = PAGE) -> tuple[int, str]:
        for name, text in (("SOURCE", source), ("PAGE", page)):
            path = tmp_path / name
            path.write_text(text, "utf-8")
            monkeypatch.setattr(check_divergences, name, path)
        return check_divergences.main([]), capsys.readouterr().out

    return run


def test_committed_files_hold_without_the_official_text(check: Run) -> None:
    assert check()[0] == 0


def test_requirement_without_an_entry(check: Run) -> None:
    status, said = check(source=SOURCE.replace('    "io.output-stream.write.without-permit",\n', ""))
    assert status == 1
    assert "io.output-stream.write.without-permit: wasmtime and jco both fail it (p2/io/write-without-permit)" in said


def test_entry_of_what_they_do_not_both_fail(check: Run) -> None:
    status, said = check(source=SOURCE.replace('"sockets.limit.accept"', '"sockets.limit.accept", "sockets.limit.tcp"'))
    assert status == 1
    assert "sockets.limit.tcp: wasmtime and jco do not both fail it" in said


def test_quotation_that_was_changed(check: Run) -> None:
    status, said = check(page=PAGE.replace(TRAP, "Otherwise, this function may trap."))
    assert status == 1
    assert "io/streams#output-stream.write.6: the quotation has not the hash" in said


def test_page_that_was_edited(check: Run) -> None:
    status, said = check(page=PAGE.replace("goes on", "traps"))
    assert status == 1
    assert "--write" in said


@pytest.fixture
def found(check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], tuple[int, str]]:
    """Runs the check with the table of `assay fuzz` changed in one place."""

    def run(old: str, new: str) -> tuple[int, str]:
        path = tmp_path / "known.toml"
        text = check_divergences.FOUND.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        monkeypatch.setattr(check_divergences, "FOUND", path)
        return check()

    return run


def test_found_divergence_that_does_not_match_its_own_script(found: Callable[[str, str], tuple[int, str]]) -> None:
    status, said = found("call = 'read-file .*'", "call = 'read-directory .*'")
    assert status == 1
    assert "no match explains the last call of the script" in said


def test_found_divergence_with_a_call_that_the_probe_does_not_have(found: Callable[[str, str], tuple[int, str]]) -> None:
    status, said = found("\nread-file v0", "\nread-all v0")
    assert status == 1
    assert "read-all: the probe has no such call" in said


def test_found_divergence_that_a_silent_text_decides(found: Callable[[str, str], tuple[int, str]]) -> None:
    status, said = found('right = "touchstone"', 'right = "silent"')
    assert status == 1
    assert "a text that decides needs sentences, and a silent one has none" in said


def test_found_divergence_without_a_key(found: Callable[[str, str], tuple[int, str]]) -> None:
    status, said = found("links = []\n", "")
    assert status == 1
    assert "needs exactly" in said
