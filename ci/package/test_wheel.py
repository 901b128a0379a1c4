"""The wheel, installed where nothing else of the project is."""

from __future__ import annotations

import zipfile
from pathlib import Path

from installed import Clean


def files(folder: Path) -> set[tuple[str, int]]:
    """The files below a folder, without what Python compiles."""
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


def test_the_wheel_is_for_this_platform_and_small(clean: Clean) -> None:
    assert "-py3-none-manylinux_2_" in clean.wheel.name
    assert clean.wheel.stat().st_size < 15e6
    with zipfile.ZipFile(clean.wheel) as wheel:
        names = set(wheel.namelist())
    wanted = ("bin/touchstone", "LICENSE", "fixtures/README.md", "suites/p1/files", "suites/p2/cli", "suites/own", "suites/expectations/wasmtime.toml")
    for name in wanted:
        assert any(item.startswith(f"assay/_data/{name}") for item in names), name
    assert not any("/mutants/" in item for item in names)


def test_cases_run_with_nothing_else_there(clean: Clean, tmp_path: Path) -> None:
    before = files(clean.data)
    assert "p2/cli/defaults " in clean.run("assay", "list", "p2/cli", cwd=tmp_path)
    assert "touchstone" in clean.run("assay", "runtimes", "touchstone", cwd=tmp_path)
    said = clean.run("assay", "run", "-r", "touchstone", "p2/cli", "--versions", "none", cwd=tmp_path)
    assert "as announced" in said
    record = tmp_path / "reports/latest/results.jsonl"
    assert (record.parent / "index.html").stat().st_size > 50_000
    (record.parent / "index.html").unlink()
    assert "as announced" in clean.run("assay", "report", "--exit-status", cwd=tmp_path)
    assert (record.parent / "index.html").is_file()
    assert "0 units are not as in the record" in clean.run("assay", "judge", record, cwd=tmp_path)
    clean.run("assay", "history", "add", record, cwd=tmp_path)
    assert "broke" in clean.run("assay", "diff", record, "history:latest", cwd=tmp_path)
    assert files(clean.data) == before, "a run wrote into the installed package"
    assert {path.name for path in tmp_path.iterdir()} == {"reports"}


def test_what_the_wheel_brings_is_not_rewritten(clean: Clean, tmp_path: Path) -> None:
    said = clean.run("assay", "run", "-r", "touchstone", "--update-expectations", cwd=tmp_path, status=2)
    assert "--expectations FOLDER" in said
    said = clean.run("assay", "run", "--toolchain", "zig", cwd=tmp_path, status=2)
    assert "needs a checkout" in said


def test_the_command_touchstone_comes_along(clean: Clean, tmp_path: Path) -> None:
    hello = clean.data / "fixtures/built/hello.wasm"
    assert clean.run("touchstone", "--version", cwd=tmp_path).startswith("touchstone ")
    assert "ello" in clean.run("touchstone", "run", hello, cwd=tmp_path)
    clean.run("touchstone", "run", "no.wasm", cwd=tmp_path, status=125)
