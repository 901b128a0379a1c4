"""What the fuzz targets are made of: their guests, and scripts in JSON that once were a fault of the script runner."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUZZ = ROOT / "runtime/fuzz"
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = Path(sys.executable).with_name("wasm-tools")
needs_wasm_tools = pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent")


@needs_wasm_tools
def test_guests_are_those_of_the_text() -> None:
    done = subprocess.run([sys.executable, FUZZ / "guests/make_guests.py", "--check", WASM_TOOLS], check=False, timeout=60)
    assert done.returncode == 0


@pytest.fixture(scope="module")
def script_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("script")
    for name, guest in (("m.wasm", "script.wat"), ("c.wasm", "script_component.wat")):
        subprocess.run([WASM_TOOLS, "parse", FUZZ / "guests" / guest, "-o", folder / name], check=True, timeout=60)
    return folder


@needs_wasm_tools
@pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")
@pytest.mark.parametrize("script", sorted((FUZZ / "regressions/fuzz_wast").glob("*.json")), ids=lambda p: p.stem)
def test_scripts_that_nobody_converted(script: Path, script_folder: Path) -> None:
    path = script_folder / script.name
    shutil.copy(script, path)
    done = subprocess.run([TOUCHSTONE, "wast", path], capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode in (1, 126), done.stderr
    assert re.search(r"^\d+ passed, \d+ failed, \d+ skipped, \d+ unsupported$", done.stdout, re.MULTILINE)


def campaign(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "ci/fuzz_campaign.sh", *words], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "HOURS"),
        (("0",), "more than 0"),
        (("1", "fuzz_nothing"), "there is no target fuzz_nothing; there are fuzz_cache, "),
        (("1", "--until", "25:00"), "--until is HH:MM"),
    ],
)
def test_a_campaign_says_what_is_wrong(words: tuple[str, ...], reason: str) -> None:
    done = campaign(*words)
    assert done.returncode == 2
    assert reason in done.stderr


def test_every_target_has_seeds_and_a_row_in_the_documents(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, FUZZ / "seeds.py", tmp_path, "--wasm-tools", "absent"], capture_output=True, text=True, timeout=120, check=True)
    assert "there is no wasm-tools" in done.stderr
    targets = {path.stem for path in FUZZ.glob("fuzz_*.c")}
    # the seeds of fuzz_record are records, which need wasm-tools and the command
    assert targets - {path.name for path in tmp_path.iterdir()} <= {"fuzz_record"}
    text = (FUZZ / "README.md").read_text()
    assert [name for name in sorted(targets) if f"| `{name}` |" not in text] == []
