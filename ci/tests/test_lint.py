"""`make lint` and the hooks of pre-commit: which tool checks which file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import lint

ROOT = Path(__file__).resolve().parents[2]


def names(*files: str) -> set[str]:
    return {tool.name for tool in lint.tools(files)}


def test_each_tool_gets_the_files_that_it_checks() -> None:
    assert names("runtime/base/map.c") == {"clang-format", "clang-tidy"}
    assert names("bench/run.py") == {"ruff (scripts)"}
    assert names("harness/assay/judge/verdicts.py") == {"mypy", "ruff"}
    assert names("ci/lint.py") == {"mypy (scripts)", "ruff (scripts)"}
    assert names("README.md") == set()


def test_without_files_every_tool_checks_everything() -> None:
    assert names() == {"clang-format", "clang-tidy", "mypy", "mypy (scripts)", "ruff", "ruff (scripts)"}
    assert "runtime/core/run/exec.c" in next(tool.argv for tool in lint.tools() if tool.name == "clang-format" and tool.argv)


def test_a_violation_is_an_error() -> None:
    bad = ROOT / "ci/tests/bad_style_of_a_test.py"
    try:
        bad.write_text("import os\n", encoding="utf-8")
        done = subprocess.run([sys.executable, "ci/lint.py", "--only", "ruff", "ci/tests/bad_style_of_a_test.py"], cwd=ROOT,
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert (done.returncode, "F401" in done.stdout) == (1, True) or "is absent" in done.stdout
    finally:
        bad.unlink()


def test_every_hook_runs_a_script_of_this_repository() -> None:
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"entry: python3 (\S+)(?: --only (\S+))?", text)
    assert len(entries) == text.count("- id: ")
    for script, tool in entries:
        assert (ROOT / script).is_file()
        assert not tool or any(name.startswith(tool) for name in names())
