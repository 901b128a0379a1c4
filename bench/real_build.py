"""Makes the real programs of bench/real.py: what a package has made already, or what a toolchain makes of its sources.

In: a Program of bench/real_programs.py. Out: a Ready program with its inputs in build/bench/real/NAME, or Absent with the reason.
The toolchains are those of ci/toolchains.py, which installs what the registries have.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prepare import BENCH, ROOT
from real_fetch import REAL, Absent, Source, command, get

sys.path[:0] = [str(ROOT / "ci"), str(ROOT / "fixtures")]
import toolchains

import build as guests

SRC = BENCH / "src/real"


@dataclass(frozen=True)
class Making:
    """What a function that makes a program is given: its folder, where program.wasm shall be, and its packages unpacked."""

    name: str
    folder: Path
    packages: tuple[Path, ...]

    @property
    def wasm(self) -> Path:
        return self.folder / "program.wasm"


@dataclass(frozen=True)
class Maker:
    """How a program is made: a function below, and what it is called with."""

    how: Callable[..., None]
    arguments: tuple[object, ...]
    options: dict[str, str]

    def __call__(self, making: Making) -> None:
        self.how(making, *self.arguments, **self.options)

    def sources(self, name: str) -> list[Path]:
        """The files of bench/src/real that it takes."""
        places = [SRC / name, SRC / "host.js", SRC / "script.h", *(SRC / word for word in self.arguments if isinstance(word, str) and "/" not in word)]
        return [file for place in places for file in ([place] if place.is_file() else sorted(place.glob("go.*")))]

    def __str__(self) -> str:
        return f"{self.how.__name__} {self.arguments} {self.options}"


def maker(how: Callable[..., None]) -> Callable[..., Maker]:
    """A function that makes a program, as one that returns a Maker."""

    @functools.wraps(how)
    def later(*arguments: object, **options: str) -> Maker:
        return Maker(how, arguments, options)

    return later


@dataclass(frozen=True)
class Program:
    name: str
    title: str
    """What it is, and what it does here."""
    sources: tuple[Source, ...]
    """The packages, the first one of which is the program's."""
    make: Maker
    arguments: tuple[str, ...] = ()
    inputs: Callable[[Path], None] | None = None
    """Writes the files that the program finds in /in: the same ones each time."""
    data: tuple[tuple[str, str], ...] = ()
    """Further directories: the guest's name, and a folder: "{0}/lib" is in the first package, "in/lib" among the inputs."""
    env: tuple[str, ...] = ()
    status: int = 0
    """The exit status that it ends with."""
    invoke: str = ""
    """The function without parameters that runs it, where it is a reactor."""
    touchstone: tuple[str, ...] = ()
    wasmtime: tuple[str, ...] = ()
    """Options that one or the other needs for it."""


@dataclass(frozen=True)
class Ready:
    program: Program
    folder: Path
    packages: tuple[Path, ...]

    @property
    def wasm(self) -> Path:
        return self.folder / "program.wasm"

    @property
    def out(self) -> Path:
        """The program's /out, empty at the start of each run."""
        return self.folder / "out"

    def directories(self) -> Iterator[tuple[str, Path]]:
        yield "/in", self.folder / "in"
        yield "/out", self.out
        for guest, host in self.program.data:
            yield guest, self.folder / host.format(*self.packages)


def ready(program: Program) -> Ready:
    """Fetches, makes, and writes the inputs, each only where it is not there as it should be. Raises Absent."""
    packages = tuple(get(source) for source in program.sources if source.registry != "Go")
    folder = REAL / program.name
    stamp, key = folder / "made", recipe(program)
    making = Making(program.name, folder, packages)
    if not making.wasm.exists() or not stamp.exists() or stamp.read_text() != key:
        folder.mkdir(parents=True, exist_ok=True)
        making.wasm.unlink(missing_ok=True)
        try:
            program.make(making)
        except (toolchains.Absent, toolchains.Failed) as why:
            raise Absent(str(why).strip().splitlines()[-1][:160]) from None
        except SystemExit as why:  # a tool that fixtures/build.py looks for
            raise Absent(str(why)) from None
        stamp.write_text(key)
    shutil.rmtree(folder / "in", ignore_errors=True)
    (folder / "in").mkdir()
    if program.inputs:
        program.inputs(folder / "in")
    return Ready(program, folder, packages)


def recipe(program: Program) -> str:
    """Changes with the packages, the sources here, and what makes the program."""
    total = hashlib.sha256(f"{program.sources}\0{program.make}".encode())
    for file in [Path(__file__), *program.make.sources(program.name)]:
        total.update(file.read_bytes())
    return total.hexdigest()


# --- how a program is made ----------------------------------------------------------------------------------------
@maker
def made_already(making: Making, pattern: str, **beside: str) -> None:
    """The package has it. `beside`: patterns of files that go into the folder lib, by their stems there."""
    found = sorted(making.packages[0].glob(pattern))
    if not found:
        raise Absent(f"the package has no file {pattern}")
    shutil.copyfile(found[0], making.wasm)
    for stem, of in beside.items():
        (making.folder / "lib").mkdir(exist_ok=True)
        source = next(making.packages[0].glob(of))
        shutil.copyfile(source, making.folder / "lib" / f"{stem}{source.suffix}")


def installed(name: str) -> toolchains.Here:
    """A toolchain of ci/toolchains.py, from its registry where it is not there yet."""
    chosen = next(toolchain for toolchain in toolchains.TOOLCHAINS if toolchain.name == name)
    here = toolchains.Here(REAL, name)
    try:
        chosen.version(here)
    except (toolchains.Absent, toolchains.Failed):
        toolchains.install([(chosen, "")])
        chosen.version(here)
    return here


@maker
def zig_cc(making: Making, main: str, sources: str, *flags: str, only: str = "") -> None:
    """`zig cc`: a main file of bench/src/real with those files of the package whose names have the pattern `only`."""
    files = [file for file in sorted(making.packages[0].glob(sources)) if re.search(only, file.name)]
    if not files:
        raise Absent(f"the package has no file {sources}")
    caches = {"ZIG_LOCAL_CACHE_DIR": str(making.folder / "zig-cache"), "ZIG_GLOBAL_CACHE_DIR": str(toolchains.HOME / "zig-cache")}
    zig = toolchains.zig_command(installed("c-zig"))
    words = ["cc", "-target", "wasm32-wasi", "-O2", "-s", "-w", "-I", files[0].parent, *flags, SRC / main, *files, "-o", making.wasm]
    command(making.name, [*zig, *words], env=caches)


@maker
def javascript(making: Making, app: str, module: str, *changes: tuple[str, str]) -> None:
    """componentize-js: a program of bench/src/real that imports a module of the package as `package.js`.

    `changes`: texts of the module that its engine does not know, such as classes of Unicode, and others for them.
    """
    place = making.folder / "app"
    shutil.rmtree(place, ignore_errors=True)
    guests.wit_folder(guests.DEFAULT_VERSION, place / "wit")
    text = (making.packages[0] / module).read_text()
    for before, after in changes:
        text = text.replace(before, after)
    (place / "package.js").write_text(text)
    shutil.copyfile(SRC / "host.js", place / "host.js")
    shutil.copyfile(SRC / app, place / "app.js")
    tool = toolchains.componentize_js(toolchains.Here(REAL, "javascript"))
    words = ["--wit", place / "wit", "--world-name", "guest", "--disable", "http", "fetch-event", "--out", making.wasm]
    command(making.name, [tool, "app.js", *words], place)


@maker
def python(making: Making, app: str) -> None:
    """componentize-py: a program of bench/src/real beside the packages."""
    place = making.folder / "app"
    shutil.rmtree(place, ignore_errors=True)
    guests.wit_folder(guests.DEFAULT_VERSION, place / "wit")
    shutil.copyfile(SRC / app, place / "app.py")
    tool = toolchains.componentize_py(installed("python"))
    paths: list[str | Path] = ["-p", place]
    for package in making.packages:
        paths += ["-p", package]
    command(making.name, [tool, "-d", place / "wit", "-w", "guest", "componentize", *paths, "app", "-o", making.wasm], place)


@maker
def go(making: Making, package: str) -> None:
    """go: bench/src/real/NAME has go.mod and go.sum, by which go checks all that it fetches."""
    place = making.folder / "app"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SRC / making.name, place)
    words = ["build", "-mod=readonly", "-ldflags", "-s -w", "-o", making.wasm, package]
    command(making.name, [toolchains.go_command(), *words], place, toolchains.go_environment(toolchains.Here(REAL, "go")))


def c_compiler(making: Making) -> dict[str, str]:
    """The variables by which crates with sources in C compile them by zig. Its name of the target is another one."""
    zig = shlex.join(str(word) for word in toolchains.zig_command(installed("c-zig")))
    cc, ar = making.folder / "cc", making.folder / "ar"
    drop = 'for a; do shift; case $a in --target=*) ;; *) set -- "$@" "$a" ;; esac; done'
    cc.write_text(f'#!/bin/sh\n{drop}\nexec {zig} cc -target wasm32-wasi "$@"\n')
    ar.write_text(f'#!/bin/sh\nexec {zig} ar "$@"\n')
    for script in (cc, ar):
        script.chmod(0o755)
    return {"CC_wasm32_wasip1": str(cc), "AR_wasm32_wasip1": str(ar), "ZIG_GLOBAL_CACHE_DIR": str(toolchains.HOME / "zig-cache")}


@maker
def rust(making: Making, binary: str, *flags: str) -> None:
    """cargo, with the Cargo.lock of the package, by which cargo checks all that it fetches."""
    installed("rust-wasip1")
    rustc = toolchains.rust_target("wasm32-wasip1")
    target = making.folder / "target"
    env = {"CARGO_TARGET_DIR": str(target), "CARGO_PROFILE_RELEASE_DEBUG": "0", **c_compiler(making)}
    if "+stable" in rustc:
        env["RUSTUP_TOOLCHAIN"] = "stable"
    words = ["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip1", "--bin", binary, *flags]
    command(making.name, ["cargo", *words], making.packages[0], env)
    shutil.copyfile(target / "wasm32-wasip1/release" / f"{binary}.wasm", making.wasm)
    os.utime(making.wasm)
