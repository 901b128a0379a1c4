"""`ci/check_hardened.py`: it sees programs that are built without the flags of make/harden.mk."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import check_hardened
import pytest

COMPILER = shutil.which("clang-19") or shutil.which("gcc") or shutil.which("cc")
SOURCE = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    char text[64];
    strcpy(text, argv[argc - 1]);
    printf("%s", text);
    return 0;
}
"""
GOOD = ["-O2", "-fPIC", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro,-z,now,-z,noexecstack"]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")


def missing(folder: Path, *flags: str) -> list[str]:
    (folder / "it.c").write_text(SOURCE)
    subprocess.run([str(COMPILER), "-w", *GOOD, *flags, "it.c", "-o", "it"], cwd=folder, check=True, timeout=60)
    return check_hardened.missing(check_hardened.read((folder / "it").read_bytes()), program=True)


@pytest.mark.parametrize(
    ("flag", "lacks"),
    [
        ("", ""),
        ("-no-pie", "position-independent"),
        ("-Wl,-z,norelro", "relocations read-only (RELRO)"),
        ("-Wl,-z,lazy", "bound at start (BIND_NOW)"),
        ("-Wl,-z,execstack", "stack not executable"),
        ("-Wl,-rpath,/x", "no search path (RPATH)"),
        ("-fno-stack-protector", "canaries (stack protector)"),
        ("-U_FORTIFY_SOURCE", "checked functions (FORTIFY)"),
    ],
)
def test_each_property_is_seen(tmp_path: Path, flag: str, lacks: str) -> None:
    assert missing(tmp_path, *([flag] if flag else [])) == ([lacks] if lacks else [])
