"""The wheel, installed where nothing else of the project is."""

from __future__ import annotations

import importlib.metadata as metadata
import platform
import subprocess
import zipfile
from pathlib import Path

import packages
import pytest
from installed import ROOT, Clean
from packaging.requirements import Requirement


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


def test_the_compiler_of_the_tests_is_what_the_extra_requires(clean: Clean) -> None:
    pinned = [Requirement(line) for line in packages.PINNED.read_text().splitlines() if not line.startswith("#")]
    (described,) = metadata.Distribution.discover(path=[str(clean.wheel)])
    required = {one.name: one for line in described.requires or () if (one := Requirement(line)).marker and "guests" in str(one.marker)}
    assert {one.name for one in pinned} == {*required}
    for one in pinned:
        (version,) = one.specifier
        assert required[one.name].specifier.contains(version.version)
        if one.name == "ziglang":  # the same in all of the project
            assert f'"ziglang": "{version.version}"' in (ROOT / "ci/toolchains.py").read_text()


def test_what_the_wheel_brings_is_not_rewritten(clean: Clean, tmp_path: Path) -> None:
    said = clean.run("assay", "run", "-r", "touchstone", "--update-expectations", cwd=tmp_path, status=2)
    assert "--expectations FOLDER" in said
    said = clean.run("assay", "run", "--toolchain", "zig", cwd=tmp_path, status=2)
    assert "needs a checkout" in said
    said = clean.run("assay", "testsuite", cwd=tmp_path, status=2)
    assert "name the FOLDER of built ones" in said
    said = clean.run("assay", "query", "SELECT 1", cwd=tmp_path, status=2)
    assert "there is no run in this history" in said


def test_the_command_touchstone_comes_along(clean: Clean, tmp_path: Path) -> None:
    hello = clean.data / "fixtures/built/hello.wasm"
    assert clean.run("touchstone", "--version", cwd=tmp_path).startswith("touchstone ")
    assert "ello" in clean.run("touchstone", "run", hello, cwd=tmp_path)
    clean.run("touchstone", "run", "no.wasm", cwd=tmp_path, status=125)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only the wheel for x86-64 brings libcurl")
def test_it_brings_an_http_client_for_machines_without(clean: Clean) -> None:
    library = clean.data / "lib/libcurl.so.4"
    told = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    assert "not found" not in told
    for name in ("libnghttp2", "libssl", "libcrypto"):
        assert any(name in line and "/touchstone_assay.libs/" in line for line in told.splitlines()), f"{name} is not of the wheel: {told}"
    assert "=== libcurl4 ===" in (library.parent / "NOTICES.txt").read_text(encoding="utf-8")
