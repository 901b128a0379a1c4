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
                    "lib/libtouchstone.so.0", "lib/libtouchstone.so", "lib/pkgconfig/touchstone.pc",
                    "share/man/man1/touchstone.1", "share/zsh/site-functions/_touchstone"}  # fmt: skip
    assert run(tmp_path / "opt/t/bin/touchstone", "--version") == f"touchstone {version}\n"
    assert f"Version: {version}\n" in (tmp_path / "opt/t/lib/pkgconfig/touchstone.pc").read_text()
    run("make", "--no-print-directory", "uninstall", f"DESTDIR={tmp_path}", "prefix=/opt/t", "BUILD=build")
    assert [p for p in tmp_path.rglob("*") if not p.is_dir() or p.is_symlink()] == []


def test_the_libraries_define_no_foreign_names(installed: Path) -> None:
    listing = run("nm", "-g", "--defined-only", installed / "usr/lib/libtouchstone.a")
    names = {line.split()[2] for line in listing.splitlines() if len(line.split()) == 3}
    assert len(names) > 500
    gdb = {"__jit_debug_descriptor", "__jit_debug_register_code"}  # the names that gdb looks for
    assert sorted(name for name in names - gdb if not name.startswith("ts_")) == []
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


PAGE = "touchstone.1"


def test_the_manual_pages_can_be_read(installed: Path) -> None:
    pages = installed / "usr/share/man/man1"
    assert {PAGE, "assay.1", "assay-run.1"} <= {page.name for page in pages.iterdir()}
    text = (pages / PAGE).read_text()
    listed = set(re.findall(r"^  (--[a-z0-9-]+)", run(installed / "usr/bin/touchstone", "--help"), re.MULTILINE))
    assert len(listed) > 40
    assert [name for name in listed if name.replace("-", "\\-") not in text] == [], "options without an entry"
    if shutil.which("mandoc"):
        run("mandoc", "-T", "lint", "-W", "warning", pages / PAGE)
        for page in pages.glob("assay*.1"):
            run("mandoc", "-T", "lint", "-W", "error", page)
    if shutil.which("man"):
        shown = run("man", "--warnings", "-l", pages / PAGE, MANWIDTH="200", LC_ALL="C.UTF-8")
        assert "--max-memory SIZE" in shown and "EXIT STATUS" in shown
        assert "--update-expectations" in run("man", "-l", pages / "assay-run.1", MANWIDTH="200", LC_ALL="C.UTF-8")


def completed(installed: Path, name: str, *words: str) -> set[str]:
    """What bash offers for the last word of a command line."""
    script = installed / "usr/share/bash-completion/completions" / name
    line = (
        f"source {script}; function=$(complete -p {name} | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
        f"COMP_WORDS=({name} {' '.join(words)}); COMP_CWORD={len(words)}; $function {name}; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return set(run("bash", "-c", line, PATH=f"{ROOT}/.venv/bin:{os.environ['PATH']}").split())


def test_the_shells_complete_both_commands(installed: Path) -> None:
    assert completed(installed, "touchstone", "va") == {"validate"}
    assert completed(installed, "touchstone", "serve", "--max-h") == {"--max-head"}
    assert "--max-head" not in completed(installed, "touchstone", "run", "--max-")
    assert completed(installed, "touchstone", "validate", "--fe") == {"--features"}
    assert completed(installed, "touchstone", "run", "--max-time", "x") == set()
    assert completed(installed, "assay", "smo") == {"smoke"}
    assert "--update-expectations" in completed(installed, "assay", "run", "--upd")
    for shell, place in (("zsh", "zsh/site-functions/_{}"), ("fish", "fish/vendor_completions.d/{}.fish")):
        for name in ("touchstone", "assay"):
            path = installed / "usr/share" / place.format(name)
            assert path.stat().st_size > 300
            if shutil.which(shell):
                run(shell, "-n", path)
