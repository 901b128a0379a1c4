"""`make install` into a temporary folder; programs built against it with gcc, clang and g++ run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "runtime/examples"
HELLO = ROOT / "fixtures/built/hello.wasm"
CLANG = next((name for name in ("clang-22", "clang-21", "clang-20", "clang-19", "clang") if shutil.which(name)), "clang-19")


def run(*argv: str | Path, **env: str) -> str:
    """The standard output of a command that must succeed."""
    done = subprocess.run(
        [str(a) for a in argv], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an installation with prefix /usr, from the build that the other tests use."""
    if not (ROOT / "build/libtouchstone.so").exists() or not (ROOT / "build/touchstone").exists():
        pytest.skip("the runtime is not built (make)")
    root = tmp_path_factory.mktemp("install")
    run("make", "--no-print-directory", "install", f"DESTDIR={root}", "prefix=/usr", "BUILD=build")
    return root


def flags(root: Path, *what: str) -> list[str]:
    """The output of pkg-config for the installed copy."""
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is absent")
    return run("pkg-config", *what, "touchstone", PKG_CONFIG_LIBDIR=f"{root}/usr/lib/pkgconfig", PKG_CONFIG_SYSROOT_DIR=str(root)).split()


def test_what_is_installed_and_removed_again(installed: Path, tmp_path: Path) -> None:
    header = (ROOT / "runtime/include/touchstone.h").read_text()
    version = ".".join(re.findall(r"^#define TOUCHSTONE_VERSION_[A-Z]+ (\d+)", header, re.MULTILINE))
    run("make", "--no-print-directory", "install", f"DESTDIR={tmp_path}", "prefix=/opt/t", "BUILD=build")
    made = {str(p.relative_to(tmp_path / "opt/t")) for p in tmp_path.rglob("*") if not p.is_dir() or p.is_symlink()}
    assert made >= {"bin/touchstone", "include/touchstone.h", "lib/libtouchstone.a", f"lib/libtouchstone.so.{version}",
                    "lib/libtouchstone.so.0", "lib/libtouchstone.so", "lib/pkgconfig/touchstone.pc"}  # fmt: skip
    assert run(tmp_path / "opt/t/bin/touchstone", "--version") == f"touchstone {version}\n"
    assert f"Version: {version}\n" in (tmp_path / "opt/t/lib/pkgconfig/touchstone.pc").read_text()
    run("make", "--no-print-directory", "uninstall", f"DESTDIR={tmp_path}", "prefix=/opt/t", "BUILD=build")
    assert [p for p in tmp_path.rglob("*") if not p.is_dir() or p.is_symlink()] == []


def test_the_libraries_define_no_foreign_names(installed: Path) -> None:
    listing = run("nm", "-g", "--defined-only", installed / "usr/lib/libtouchstone.a")
    names = {line.split()[2] for line in listing.splitlines() if len(line.split()) == 3}
    assert len(names) > 500
    assert sorted(name for name in names if not name.startswith("ts_")) == []
    assert "(SONAME)" in run("readelf", "-d", installed / "usr/lib/libtouchstone.so")
    assert "[libtouchstone.so.0]" in run("readelf", "-d", installed / "usr/lib/libtouchstone.so")


@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
@pytest.mark.parametrize(
    ("compiler", "example"),
    [(c, e) for c in (["gcc", "-std=c11"], [CLANG, "-std=c11"]) for e in ("embed.c", "embed_core.c", "embed_wasi.c", "embed_replay.c")]
    + [(["g++", "-std=c++17"], "embed.cpp"), ([CLANG.replace("clang", "clang++", 1), "-std=c++17"], "embed.cpp")],
    ids=lambda v: v if isinstance(v, str) else v[0],
)
def test_an_example_is_built_against_it(installed: Path, tmp_path: Path, compiler: list[str], example: str, static: bool) -> None:
    if not shutil.which(compiler[0]):
        pytest.skip(f"{compiler[0]} is absent")
    program = tmp_path / "program"
    link = flags(installed, "--libs", *(["--static"] if static else []))
    if static:  # the archive by its name, the rest from pkg-config
        link = [str(installed / "usr/lib/libtouchstone.a") if flag == "-ltouchstone" else flag for flag in link]
    run(*compiler, "-Wall", "-Wextra", "-Werror", *flags(installed, "--cflags"), EXAMPLES / example, "-o", program, *link)
    out = run(program, HELLO, **({} if static else {"LD_LIBRARY_PATH": f"{installed}/usr/lib"}))
    needed = run("readelf", "-d", program)
    assert ("libtouchstone.so.0" in needed) == (not static)
    assert out
