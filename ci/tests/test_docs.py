"""ci/check_docs.py: what counts as a path in a document, and which are found."""

from __future__ import annotations

import check_docs
import pytest

FILES = ["README.md", "runtime/base/map.c", "runtime/base/README.md", "runtime/tests/base/test_map.c", "ci/check_docs.py"]
FOLDERS = {"runtime", "runtime/base", "runtime/tests", "runtime/tests/base", "ci"}


def problems(text: str, path: str = "README.md") -> list[str]:
    return list(check_docs.problems_of(path, text, FILES, FOLDERS, {"runtime", "ci"}, {"all", "test"}))


@pytest.mark.parametrize(
    "text",
    [
        "`runtime/base/map.c`", "`runtime/base/`", "`map.c` beside it", "`runtime/base/map`", "`runtime/tests/ROOM/test_NAME.c`",
        "`ci/check_*.py`", "`runtime/base/{map,README}.*`", "`build/touchstone`", "`.venv/bin/assay`", "`a/b` or `text/plain`",
        "`make test` and `make -j2 all`, `make CC=gcc`", "`make build-asan/tests/test_NAME`", "`.c`", "`definitions.py`",
        "```console\n$ ci/check_docs.py\ngone.py: 3 lines\n```", "[x](runtime/base/README.md) [y](#part) [z](https://example.org/a.md)",
    ],
)  # fmt: skip
def test_what_exists_or_is_no_path_is_accepted(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("`runtime/base/gone.c`", "runtime/base/gone.c does not exist"),
        ("`runtime/gone/`", "runtime/gone/ does not exist"),
        ("see `gone.py`", "gone.py does not exist"),
        ("```\nci/gone.py now\n```", "ci/gone.py does not exist"),
        ("```console\n$ ci/gone.py\n```", "ci/gone.py does not exist"),
        ("`runtime/base/{map,gone}.c`", "runtime/base/gone.c does not exist"),
        ("[x](runtime/gone.md)", "the link runtime/gone.md leads nowhere"),
        ("`make gone`", "make gone: no such target"),
        ("x" * 111, "111 columns"),
    ],
)
def test_what_does_not_exist_is_reported_with_its_line(text: str, wrong: str) -> None:
    found = problems(f"\n{text}\n")
    assert len(found) == 1
    assert found[0].startswith("README.md:")
    assert found[0].endswith(wrong)


def test_paths_are_looked_for_beside_the_document_too() -> None:
    assert problems("`base/map.c`", "runtime/README.md") == []


def test_the_targets_of_the_makefiles_are_known() -> None:
    assert {"all", "test", "lint", "debug", "install", "test-changed", "compile_commands.json"} <= check_docs.targets()
