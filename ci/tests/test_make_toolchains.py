"""ci/toolchains.py without a toolchain: names and options, and what it writes of the versions."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

toolchains: Any = importlib.import_module("toolchains")  # it imports what is in fixtures/
jvm: Any = importlib.import_module("toolchains_jvm")
base: Any = importlib.import_module("toolchain_base")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A toolchain of version 2.1 that makes a component and a module, beside a wasm-tools that finds everything valid."""
    tool = tmp_path / "bin/wasm-tools"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setattr(toolchains.guests, "PATHS", [tool.parent])

    def build(here: Any) -> None:
        here.component.write_bytes(b"component")
        here.module.write_bytes(b"module")

    source = tmp_path / "program.x"
    source.write_text("")
    return toolchains.Toolchain("x", "X", source, build, lambda _: "x 2.1 (of today)", "nowhere", versions="x")


def test_the_guests_and_the_version_of_their_toolchain(tmp_path: Path, fake: Any) -> None:
    out = tmp_path / "out"
    out.mkdir()
    here = toolchains.Here(tmp_path, "x")
    assert toolchains.make(fake, here, out) == "x 2.1 (of today): 9 bytes, module 6"
    assert (out / "program-x.wasm").read_bytes() == b"component" and (out / "program-x-module.wasm").read_bytes() == b"module"
    assert json.loads((out / "toolchains.json").read_text()) == {"program-x": "x 2.1 (of today)"}
    assert toolchains.make(fake, here, out).endswith(", as before")
    newer = replace(fake, version=lambda _: "x 2.2")
    assert toolchains.make(newer, here, out) == "x 2.2: 9 bytes, module 6"


def test_another_version_than_the_one_asked_for_is_a_failure(tmp_path: Path, fake: Any) -> None:
    assert toolchains.make(fake, toolchains.Here(tmp_path, "x", "2.1"), tmp_path)
    for asked in ("2", "2.1.0", "1"):
        with pytest.raises(toolchains.Failed, match=f"asked for {asked}, got x 2.1"):
            toolchains.make(fake, toolchains.Here(tmp_path, "x", asked), tmp_path)


@pytest.mark.parametrize("words", [["nothing"], ["--nothing"], ["zig@0.16.0"], ["--out"], ["tinygo@1", "--out", "build/x"]])
def test_what_cannot_be_asked_is_refused(words: list[str]) -> None:
    assert toolchains.main(words) == 2


def test_each_absent_toolchain_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def absent(_: Any) -> str:
        raise toolchains.Absent("no command x")

    every = tuple(replace(toolchain, version=absent) for toolchain in toolchains.TOOLCHAINS)
    monkeypatch.setattr(toolchains, "TOOLCHAINS", every)
    assert toolchains.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(every) + len(toolchains.ELSEWHERE)
    assert all("; get it: " in line for line in lines[: len(every)])


def test_a_toolchain_without_a_program_is_named_with_its_version_or_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(toolchains, "TOOLCHAINS", ())
    monkeypatch.setattr(base.guests, "PATHS", [tmp_path])
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    command(tmp_path / "dotnet", "echo 10.0.100")
    monkeypatch.setattr(toolchains, "ELSEWHERE", (("csharp", "C#", "dotnet", "at A"), ("swift", "Swift", "no-such-swift", "at B")))
    assert toolchains.main(["--list"]) == 0
    first, second = (line.split(maxsplit=2)[2] for line in capsys.readouterr().out.splitlines())
    assert first == "10.0.100, but no program is written for it here"
    assert second == "absent: no command no-such-swift, and no program is written for it here; get it: at B"


def command(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A JDK, Maven and wasm-tools that write down how they are called, and make what is asked of them. Returns what they write."""
    said, bins = tmp_path / "said", tmp_path / "bin"
    say = f'echo "$(basename $0) $@" >> {said}\n'
    command(bins / "mvn", say + 'for last; do :; done; lib=${last#*=}; mkdir -p $lib; touch $lib/teavm-tooling-0.13.1.jar '
            "$lib/kotlin-compiler-embeddable-2.4.20.jar $lib/kotlin-stdlib-wasm-wasi-2.4.20.klib")  # fmt: skip
    command(bins / "javac", f'case $1 in --version) echo javac 21;; *) {say};; esac')
    made = """for last; do [ "$before" = -ir-output-dir ] && folder=$last; before=$last; done
case "$*" in *teavm.java*) echo java > $last;; *-Xinclude*) echo kotlin > $folder/program.wasm;; *) mkdir $folder;; esac"""
    command(bins / "java", say + made)
    command(bins / "wasm-tools", say + 'for last; do :; done; case $1 in component) echo component > $last;; esac')
    adapter = tmp_path / "adapter.wasm"
    adapter.touch()
    monkeypatch.setattr(base.guests, "PATHS", [bins])
    monkeypatch.setattr(base.guests, "ADAPTER", adapter)
    monkeypatch.setattr(base, "HOME", tmp_path / "home")
    monkeypatch.setenv("PATH", f"{bins}:/usr/bin:/bin")
    return said


@pytest.mark.parametrize(
    ("name", "version", "says", "called"),
    [
        ("java", "", "TeaVM 0.13.1, javac 21", ["mvn", "javac", "java", "wasm-tools"]),
        ("kotlin", "", "Kotlin 2.4.20", ["mvn", "java", "java", "wasm-tools"]),
        ("kotlin", "2.4.20", "Kotlin 2.4.20", ["mvn", "java", "java", "wasm-tools"]),
    ],
)
def test_what_runs_on_java_is_installed_once_and_makes_a_module_and_a_component(
    tmp_path: Path, java: Path, name: str, version: str, says: str, called: list[str]
) -> None:
    toolchain = next(t for t in toolchains.TOOLCHAINS if t.name == name)
    here = base.Here(tmp_path / "work", name, version)
    here.work.mkdir()
    with pytest.raises(base.Absent, match="is not installed"):
        toolchain.version(here)
    toolchains.install([(toolchain, version)])
    toolchains.install([(toolchain, version)])
    folder = tmp_path / "home" / (f"maven-{name}@{version}" if version else "maven") / name
    assert sorted(path.name for path in folder.iterdir()) == ["lib", "pom.xml"]
    assert toolchain.version(here) == says
    toolchain.build(here)
    assert here.module.read_text() == f"{name}\n" and here.component.read_text() == "component\n"
    lines = java.read_text().splitlines()
    assert [line.split()[0] for line in lines] == called
    assert all(str(folder / "lib") in line for line in lines[:-1])


def test_another_version_of_packages_of_maven_replaces_the_one_that_is_here(tmp_path: Path, java: Path) -> None:
    here = base.Here(tmp_path, "java")
    old = jvm.library(here) / "teavm-tooling-0.9.0.jar"
    old.parent.mkdir(parents=True)
    old.touch()
    ((mvn, *_),) = jvm.fetch(here, jvm.TEAVM, "0.13.1")
    assert mvn == "mvn" and not old.exists()
    project = (jvm.library(here).parent / "pom.xml").read_text()
    assert project.count("<version>0.13.1</version>") == len(jvm.TEAVM)
    assert "<type>klib</type>" in jvm.dependency(jvm.KOTLIN[1], "2.4.20")


def test_what_cannot_be_installed_says_why(
    tmp_path: Path, java: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(tmp_path / "bin/mvn", r"printf '[\033[1;31mERROR\033[m] no such artifact\n[ERROR] see the help\n\033[0m\n'; exit 1")
    toolchains.install([(next(t for t in toolchains.TOOLCHAINS if t.name == "java"), "9")])
    assert "cannot be had: [ERROR] no such artifact\n" in capsys.readouterr().out
    assert toolchains.reason("pip x\nfirst\n last \n\n") == "last" and toolchains.reason("") == "no reason given"


def test_a_library_of_kotlin_that_is_missing_is_named(tmp_path: Path, java: Path) -> None:
    here = base.Here(tmp_path, "kotlin")
    jvm.library(here).mkdir(parents=True)
    (jvm.library(here) / "kotlin-compiler-embeddable-2.4.20.jar").touch()
    with pytest.raises(base.Absent, match=r"kotlin-stdlib-wasm-wasi-2\.4\.20\.klib is not installed"):
        jvm.kotlin(here)
