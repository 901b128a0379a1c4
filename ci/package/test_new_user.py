"""A new user: from an empty folder to a red run, and from there to a green one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from installed import ROOT, Clean


def runtime(clean: Clean, folder: Path, *, worse: bool = False) -> None:
    """Writes the user's runtime: touchstone under another name. The worse one forgets the variables of the guest."""
    program = folder / "build/mine"
    program.parent.mkdir(exist_ok=True)
    forget = 'while [ "$2" = --env ]; do how=$1; shift 3; set -- "$how" "$@"; done\n' if worse else ""
    program.write_text(f'#!/bin/sh\n{forget}exec "{clean.data}/bin/touchstone" "$@"\n')
    program.chmod(0o755)


@pytest.mark.parametrize("language", ["--toml", "--python"])
def test_the_adapter_of_init_holds_where_the_runtime_does(clean: Clean, tmp_path: Path, language: str) -> None:
    runtime(clean, tmp_path, worse=True)
    line = "./build/mine run {env} {options} {dirs} {component} {args}"
    clean.run("assay", "init", "--name", "mine", "--command", line, language, cwd=tmp_path)
    said = clean.run("assay", "smoke", "mine", cwd=tmp_path, status=1)
    assert "untrue: environment" in said
    runtime(clean, tmp_path)
    said = clean.run("assay", "smoke", "mine", cwd=tmp_path)
    assert "mine (touchstone " in said


def test_what_fails_is_red_until_it_is_announced(clean: Clean, tmp_path: Path) -> None:
    runtime(clean, tmp_path, worse=True)
    line = "./build/mine run {env} {options} {dirs} {component} {args}"
    clean.run("assay", "init", "--name", "mine", "--command", line, cwd=tmp_path)
    words = ("assay", "run", "p2/cli/environment", "--no-smoke")
    said = clean.run(*words, cwd=tmp_path, status=1)
    assert "unexpected" in said and "mine: cases" in said and "touchstone: cases" in said
    clean.run(*words, "--update-expectations", cwd=tmp_path)
    assert "p2/cli/environment" in (tmp_path / "assay/expectations/mine.toml").read_text()
    clean.run(*words, cwd=tmp_path)


def test_a_first_case_in_an_empty_folder(clean: Clean, tmp_path: Path) -> None:
    empty = {"PATH": f"{clean.bin}"}
    said = clean.run(clean.bin / "assay", "new-case", "p2/cli/mine", cwd=tmp_path, **empty)
    assert "wrote suites/p2/cli/mine/cli-mine.c" in said and "pip install 'touchstone-assay[guests]'" in said
    said = clean.run(clean.bin / "assay", "build-guest", "p2/cli/mine", cwd=tmp_path, status=2, **empty)
    assert "none of these is installed" in said and "touchstone-assay[guests]" in said
    tools = ROOT / ".venv/bin/wasm-tools"
    if not any(shutil.which(f"clang-{version}") for version in (22, 21, 20, 19)) or not tools.exists():
        pytest.skip("clang or wasm-tools is absent")
    path = f"{clean.bin}:{tmp_path / 'tools'}:/usr/bin:/bin"
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/wasm-tools").symlink_to(tools)
    before = sorted(path for path in clean.data.rglob("*") if "__pycache__" not in path.parts)
    clean.run("assay", "build-guest", "p2/cli/mine", cwd=tmp_path, PATH=path)
    assert (tmp_path / "suites/p2/cli/mine/cli-mine.wasm").is_file()
    said = clean.run("assay", "run", "--suites", "suites", "-r", "touchstone", "p2/cli/mine", cwd=tmp_path)
    assert "cases 1 of 1 pass" in said
    assert sorted(path for path in clean.data.rglob("*") if "__pycache__" not in path.parts) == before


def test_a_first_case_where_there_is_no_compiler(with_guests: Clean, tmp_path: Path) -> None:
    """Nothing is on the search path but what `pip install 'touchstone-assay[guests]'` brings."""
    alone = {"PATH": f"{with_guests.bin}"}
    said = with_guests.run(with_guests.bin / "assay", "new-case", "p2/cli/mine", cwd=tmp_path, **alone)
    assert "to do" not in said  # all that it needs is there
    _, _, after = said.partition("next:\n")
    commands = [line.split() for line in after.splitlines()]
    assert [words[1] for words in commands] == ["build-guest", "run", "explain"]
    outputs = [with_guests.run(with_guests.bin / words[0], *words[1:], cwd=tmp_path, **alone) for words in commands]
    assert (tmp_path / "suites/p2/cli/mine/cli-mine.wasm").read_bytes()[:4] == b"\0asm"
    assert "cases 1 of 1 pass" in outputs[1] and "get-arguments" in outputs[2]
    guest = tmp_path / "suites/p2/cli/mine/cli-mine.c"
    guest.write_text(f"{guest.read_text()}\nint wrong(void) {{ return undeclared; }}\n")
    said = with_guests.run(with_guests.bin / "assay", "build-guest", "p2/cli/mine", cwd=tmp_path, status=2, **alone)
    assert "ziglang" in said and "use of undeclared identifier" in said
