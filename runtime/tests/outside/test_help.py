"""`--help`: of everything, and of each command, on lines of at most 110 columns."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def words(*argv: str) -> str:
    done = subprocess.run([TOUCHSTONE, *argv], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def options(text: str) -> set[str]:
    return set(re.findall(r"^  (--?[\w-]+)", text, re.MULTILINE))


@pytest.mark.parametrize("argv", [(), ("run",), ("serve",), ("validate",), ("wast",), ("inspect",)], ids=lambda a: a[0] if a else "all")
def test_lines_fit_a_terminal(argv: tuple[str, ...]) -> None:
    text = words(*argv, "--help")
    assert words(*argv, "-h") == text
    assert [line for line in text.splitlines() if len(line) > 110] == []
    assert "Exit status:" in text
    for command in ("run", "serve", "validate", "wast", "inspect"):
        assert (f"  touchstone {command} " in text) == (not argv or argv[0] == command)


def test_a_command_lists_its_own_options() -> None:
    everything, run, serve = options(words("--help")), options(words("run", "--help")), options(words("serve", "--help"))
    assert everything == run | serve
    assert {"--invoke", "--outcome", "--trace-summary"} == run - serve
    assert {"--addr", "--reuse", "--stop-after"} <= serve - run
    assert {"--dir", "--max-memory", "--policy", "-S", "--record"} <= run & serve
    assert options(words("validate", "--help")) == options(words("inspect", "--help")) == set()


def test_each_option_of_run_is_one(tmp_path: Path) -> None:
    """What help lists is known to the command: an option without its value is refused by its own name."""
    for name in options(words("run", "--help")):
        done = subprocess.run([TOUCHSTONE, "run", name], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert "there is no option" not in done.stderr, done.stderr
