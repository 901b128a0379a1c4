"""ci/toolchains.py without a toolchain: names and options, and what it writes of the versions."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

toolchains: Any = importlib.import_module("toolchains")  # it imports what is in fixtures/


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
    assert len(lines) == len(every) + len(toolchains.ELSEWHERE) and all("; get it: " in line for line in lines)
