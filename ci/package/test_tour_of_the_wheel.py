"""The commands of harness/TOUR.md print the same from the installed wheel, where nothing else of the project is."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from installed import ROOT, Clean

sys.path.append(str(ROOT / "harness/tests"))
from tour import BLOCK, PAGE, difference, filled, shown, words_of

EXTRAS = {"query": "touchstone-assay[query]"}
"""The commands that an extra brings, and what they say without it."""


@pytest.fixture
def folder(clean: Clean, tmp_path: Path) -> Path:
    """A folder with the files that the commands name: guests and trees of the wheel, and the example record."""
    shutil.copytree(clean.data / "fixtures", tmp_path / "fixtures", ignore=shutil.ignore_patterns("src"))
    (tmp_path / "reports").mkdir()
    shutil.copyfile(ROOT / "reports/example.jsonl", tmp_path / "reports/example.jsonl")
    return tmp_path


def test_the_tour_is_that_of_a_checkout(clean: Clean, folder: Path) -> None:
    ran = []

    def run(command: str) -> str | None:
        program, *words = words_of(command)
        ran.append(program)
        status, said = clean.ended(clean.bin / program, *words, cwd=folder)
        if extra := EXTRAS.get(words[0]):
            assert status == 2 and extra in said
            return None
        return shown(said, status, folder, clean.data)

    page = PAGE.read_text(encoding="utf-8")
    found = difference(page, filled(page, run))
    assert not found, f"the installed commands do not print what {PAGE.name} has\n{found}"
    assert len(ran) == len(BLOCK.findall(page)) >= 12 and {*ran} == {"assay", "touchstone"}
