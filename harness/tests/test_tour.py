"""The outputs in harness/TOUR.md are those of its commands.

In: the page, the guests and records of the repository, build/touchstone. Out: with ASSAY_TOUR=write (`make tour`), the page
with new outputs. The page says how outputs are cut.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from tour import BLOCK, PAGE, ROOT, WIDTH, difference, filled, shown, words_of

from assay.cli import base, main

TOUCHSTONE = ROOT / "build/touchstone"
WRITE = os.environ.get("ASSAY_TOUR") == "write"


def ran(command: str, folder: Path) -> str:
    """Runs a command of the page in a folder. Returns what the page shows of it."""
    program, *words = words_of(command)
    if program == "touchstone":
        done = subprocess.run(
            [TOUCHSTONE, *words], cwd=folder, env={"LC_ALL": "C.UTF-8"}, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return shown(done.stdout, done.returncode, folder, ROOT)
    assert program == "assay", f"{PAGE.name}: the tour has commands of touchstone and assay only: {command}"
    result = CliRunner().invoke(main, words, prog_name="assay")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return shown(result.output, result.exit_code, folder, ROOT)


def can_run(command: str) -> bool:
    """Whether what a command needs beyond the project is installed."""
    return not command.startswith("assay query") or importlib.util.find_spec("duckdb") is not None


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the commands read, in which they may write. It is the current one."""
    for name in ("build", "reports"):
        (tmp_path / name).mkdir()
    for name in ("fixtures", "suites", "harness", "build/touchstone", "reports/example.jsonl"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in [name for name in os.environ if name.startswith("ASSAY_") and name != "ASSAY_RUNTIMES_HOME"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(base.CONSOLE, "width", 140)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(not TOUCHSTONE.is_file(), reason="touchstone is not built")
def test_the_page_has_what_the_commands_print(checkout: Path) -> None:
    before = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(before)) == before.count("```console") >= 12
    after = filled(before, lambda command: ran(command, checkout) if can_run(command) else None)
    if WRITE:
        PAGE.write_text(after, encoding="utf-8")
        return
    found = difference(before, after)
    assert not found, f"{PAGE.name} is not what the commands print; `make tour` rewrites it\n{found}"


def test_how_an_output_is_shown(tmp_path: Path) -> None:
    long = "\n".join(f"line {number}" for number in range(20))
    assert shown(long, 1, tmp_path) == "".join(f"line {number}\n" for number in range(12)) + "… 8 more lines\n[exit status 1]\n"
    assert shown("\n".join(["x"] * 16), 0, tmp_path).count("x") == 16
    assert shown(f"report: {tmp_path}/a, {ROOT}/b", 0, tmp_path, ROOT) == "report: /project/a, /project/b\n"
    assert shown("2/2 runs: 2 PASS; 29.3 runs/s, 0 s in all; slowest: 0.1 s", 0, tmp_path) == "2/2 runs: 2 PASS; …\n"
    assert shown('{"usage":{"seconds":0.1},"a":1}', 0, tmp_path) == '{"usage":{…},"a":1}\n'
    folded = shown("word " * 50 + "y" * 200, 0, tmp_path).splitlines()
    assert max(map(len, folded)) <= WIDTH and all(line.startswith("    ") for line in folded[1:])
    assert "".join(folded).replace(" ", "") == "word" * 50 + "y" * 200
