"""A new user: from an empty folder to a red run, and from there to a green one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from installed import Clean


def runtime(clean: Clean, folder: Path, *, worse: bool = False) -> None:
    """Writes the user's runtime: touchstone under another name. The worse one forgets the variables of the guest."""
    program = folder / "build/mine"
    program.parent.mkdir(exist_ok=True)
    forget = 'while [ "$2" = --env ]; do how=$1; shift 3; set -- "$how" "$@"; done\n' if worse else ""
    program.write_text(f'#!/bin/sh\n{forget}exec "{clean.data}/bin/touchstone" "$@"\n')
    program.chmod(0o755)


@pytest.mark.parametrize("language", ["--toml", "--python"])
def test_from_an_empty_folder_to_green(clean: Clean, tmp_path: Path, language: str) -> None:
    runtime(clean, tmp_path, worse=True)
    line = "./build/mine run {env} {options} {dirs} {component} {args}"
    clean.run("assay", "init", "--name", "mine", "--command", line, language, cwd=tmp_path)
    said = clean.run("assay", "smoke", "mine", cwd=tmp_path, status=1)
    assert "untrue: environment" in said
    runtime(clean, tmp_path)
    said = clean.run("assay", "smoke", "mine", cwd=tmp_path)
    assert "mine (touchstone " in said
    # a requirement that the runtime does not meet: known from the second run on
    said = clean.run("assay", "run", "p2/cli", cwd=tmp_path)
    assert "mine: cases" in said and "touchstone: cases" in said
    runtime(clean, tmp_path, worse=True)
    said = clean.run("assay", "run", "p2/cli", "--no-smoke", cwd=tmp_path, status=1)
    assert "unexpected" in said
    clean.run("assay", "run", "p2/cli", "--no-smoke", "--update-expectations", cwd=tmp_path)
    known = (tmp_path / "assay/expectations/mine.toml").read_text()
    assert "p2/cli/" in known
    clean.run("assay", "run", "p2/cli", "--no-smoke", cwd=tmp_path)
    shutil.rmtree(tmp_path / "assay/expectations")
    clean.run("assay", "run", "p2/cli", "--no-smoke", cwd=tmp_path, status=1)
