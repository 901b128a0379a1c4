"""Two builds in two folders are equal, byte by byte."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHOLE = os.environ.get("CI_LONG") == "1"
"""The whole command at -O2 takes minutes. Otherwise some of the library is built, with its generated glue."""
SOME = ("obj/runtime/base/toml.o", "obj/runtime/sys/filter.o", "obj/runtime/cli/main.o", "obj/gen/wasi_glue.o")


def build(folder: Path) -> dict[str, bytes]:
    """Builds in a copy of the sources, without a cache of the compiler's."""
    for name in ("runtime", "make", "ci"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("tests", "fuzz", "__pycache__"))
    shutil.copy(ROOT / "Makefile", folder)
    names = ("touchstone", "libtouchstone.a", "libtouchstone.so") if WHOLE else SOME
    env = {**os.environ, "CCACHE_DISABLE": "1", "BUILD": "build"}
    done = subprocess.run(["make", "-j2", *(f"build/{name}" for name in names)], cwd=folder, env=env, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: (folder / "build" / name).read_bytes() for name in names}


@pytest.mark.skipif(shutil.which("make") is None, reason="make is absent")
def test_two_builds_in_two_folders_are_equal(tmp_path: Path) -> None:
    one, two = build(tmp_path / "one"), build(tmp_path / "a/longer/folder")
    assert [name for name in one if one[name] != two[name]] == []
    assert not any(str(tmp_path).encode() in data for data in one.values())
