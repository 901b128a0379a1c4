"""ci/coverage_of_runtime.py: its sums and bounds, and that the page of what is below them names files that exist, with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import coverage_of_runtime as coverage
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_parts_add_up_and_know_the_bounds() -> None:
    good, bad = coverage.Part(100, 95, 50, 45), coverage.Part(100, 80, 10, 9)
    assert good + bad == coverage.Part(200, 175, 60, 54)
    assert (good.line_part, good.branch_part, good.low) == (95.0, 90.0, False)
    assert bad.low and (good + bad).low
    assert coverage.Part(10, 10, 10, 7).low  # branches alone
    assert not coverage.Part().low  # a file without code


@pytest.mark.parametrize(("name", "room"), [("runtime/core/run/exec.c", "core/run"), ("runtime/base/map.c", "base")])
def test_rooms(name: str, room: str) -> None:
    assert coverage.room(name) == room


def test_the_page_names_files_that_exist_with_reasons() -> None:
    listed = coverage.excused()
    assert listed
    for name, reason in listed.items():
        assert (ROOT / name).exists(), name
        assert len(reason) > 10, name


def test_rows_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| file | lines | branches | reason |\n|---|---|---|---|\n| `runtime/a.c` | 80 | 70 | it is for another system |\n| `b.c` | 1 | 2 | no |\n")
    assert coverage.excused(page) == {"runtime/a.c": "it is for another system"}
    assert coverage.excused(tmp_path / "none.md") == {}


def function(name: str, count: int, file: str = "/x/runtime/base/a.c", lines: tuple[int, int] = (3, 5)) -> dict[str, Any]:
    """As llvm-cov exports one."""
    return {"name": name, "count": count, "filenames": [file], "regions": [[lines[0], 1, lines[1], 2, count, 0, 0, 0]]}


def test_functions_that_never_ran() -> None:
    header = "/x/runtime/base/a.h"
    found = coverage.never_run([
        function("ran", 1),
        function("/x/runtime/base/a.c:never", 0),
        function("a.c:inlined", 0, header),
        function("b.c:inlined", 2, header),  # in another file it ran
        function("of_a_library", 0, "/usr/share/llhttp/llhttp.c"),
    ])  # fmt: skip
    assert found == {("runtime/base/a.c", "never"): 3}


def test_functions_that_the_page_lists(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("| function | file | lines | why |\n|---|---|---|---|\n| `h_tst_*` | `runtime/a.h` | 5 | nobody makes them |\n| `runtime/b.c` | 1 | 2 | a file |\n")
    rows = coverage.excused_functions(page)
    assert rows == [("h_tst_*", "runtime/a.h", "nobody makes them")]
    never = [("runtime/a.h", "h_tst_AI"), ("runtime/a.h", "h_add_AI"), ("runtime/c.h", "h_tst_AI")]
    assert coverage.unlisted(never, rows) == never[1:]
    assert coverage.excused(page) == {"runtime/b.c": "a file"}


def test_the_page_names_files_of_functions_that_exist() -> None:
    rows = coverage.excused_functions()
    assert rows
    for pattern, file, reason in rows:
        text = (ROOT / file).read_text("utf-8")
        assert len(reason) > 10, pattern
        assert "*" in pattern or pattern in text, (pattern, file)
