#!/usr/bin/env python3
"""One program by every toolchain that is here: fixtures/src/toolchains -> build/guests/program-TOOLCHAIN.wasm, and where the toolchain makes
a core module of preview 1, also that one: build/guests/program-TOOLCHAIN-module.wasm. One component of three languages: fixtures/src/compose
-> build/guests/program-languages.wasm. And one that answers HTTP, in Python (those in JavaScript are made by make guests):
fixtures/src/toolchains/proxy.py -> build/guests/proxy-python.wasm. The versions are in toolchains.json beside them.

Usage: ci/toolchains.py [--install] [--run] [--list] [--out FOLDER] [NAME[@VERSION]...]
  NAME       only these (rust-wasip1, go, …); with @VERSION by that version, which needs --out
  --list     only prints each toolchain: its version, or how to get it
  --install  first get what a package registry has and this user may install: componentize-py, AssemblyScript, Zig, TeaVM,
             Kotlin, Rust's libraries
  --out      puts the guests there instead of build/guests
  --run      then run the cases p1/toolchains, p2/toolchains, p2/compose and p2/programs on every runtime that is here

A toolchain that is not here is one plain line, and its case is skipped. Exit status 1 when one that is here fails, or
with --out when one is absent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import toolchains_jvm as jvm
from toolchain_base import HOME, ROOT, SRC, Absent, Failed, Here, adapted, find, first_line, guests, installed, run

import compose

BUILD = ROOT / os.environ.get("BUILD", "build")
SHIM = Path("node_modules/@assemblyscript/wasi-shim")
C_SOURCE = ROOT / "fixtures/src/wasip1/program-libc.c"
OUT = BUILD / "guests"
WORK = BUILD / "fixtures/toolchains"
PINNED = {"componentize-py": "0.25.1", "assemblyscript": "0.28.20", "@assemblyscript/wasi-shim": "0.1.0", "ziglang": "0.17.1",
          jvm.TEAVM[0]: "0.13.1", jvm.KOTLIN[0]: "2.4.20"}  # fmt: skip
"""The versions that --install gets of what is asked for without one."""


def rust_target(name: str, version: str = "") -> list[str | Path]:
    """A rustc that has the standard library of a target: the one in use, or rustup's stable, or rustup's of a version."""
    rustc = find("rustc")
    spellings: tuple[list[str | Path], ...] = ([rustc, f"+{version}"],) if version else ([rustc], [rustc, "+stable"])
    for words in spellings:
        asked = subprocess.run([*map(str, words), "--target", name, "--print", "target-libdir"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and list(Path(asked.stdout.strip()).glob("libstd-*.rlib")):
            return words
    raise Absent(f"rustc{f' {version}' if version else ''} has no standard library for {name}")


def rust(here: Here) -> None:
    target = f"wasm32-{here.name.removeprefix('rust-')}"
    core = here.work / f"{target}.wasm"
    run(*rust_target(target, here.version), "--edition", "2021", "--target", target, "-O", "-C", "strip=debuginfo", SRC / "program.rs", "-o", core)
    if core.read_bytes()[4:8] == b"\x01\x00\x00\x00":
        core.replace(here.module)
        adapted(here)
    else:
        core.replace(here.component)


def rust_version(here: Here) -> str:
    return first_line(*rust_target(f"wasm32-{here.name.removeprefix('rust-')}", here.version), "--version")


def go_environment(here: Here) -> dict[str, str]:
    """The command `go` gets another version of itself as a module, which it does only where modules are on."""
    chosen = {"GOTOOLCHAIN": f"go{here.version}"} if here.version else {}
    return {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-trimpath", "GOCACHE": str(HOME / "go-cache"), "GO111MODULE": "on", **chosen}


def go_command() -> Path:
    return find("go", Path("/usr/local/go/bin"))


def go(here: Here) -> None:
    run(go_command(), "build", "-ldflags", "-s -w", "-o", here.module, SRC / "program.go", env=go_environment(here))
    adapted(here)


def go_version(here: Here) -> str:
    return first_line(go_command(), "version", env=go_environment(here))


def tinygo(here: Here) -> None:
    """TinyGo before 0.33 makes modules of preview 1 only."""
    words: tuple[str | Path, ...] = (find("tinygo"), "build", "-no-debug")
    run(*words, "-target=wasip1", "-o", here.module, SRC / "program.go", env={"GO111MODULE": "off"})
    run(*words, "-target=wasip2", "-o", here.component, SRC / "program.go", env={"GO111MODULE": "off"})


def tinygo_version(here: Here) -> str:
    return first_line(find("tinygo"), "version")


def componentize_py(here: Here) -> Path:
    return find("componentize-py", here.packages("venv") / "bin") if not here.version else installed(here.packages("venv") / "bin/componentize-py")


def python(here: Here) -> None:
    app = here.work / "python"
    shutil.rmtree(app, ignore_errors=True)
    guests.wit_folder(guests.DEFAULT_VERSION, app / "wit")
    shutil.copyfile(SRC / "program.py", app / "program.py")
    run(componentize_py(here), "-d", app / "wit", "-w", "guest", "componentize", "-p", app, "program", "-o", here.component)


def python_version(here: Here) -> str:
    return first_line(componentize_py(here), "--version")


def proxy_python(here: Here) -> None:
    app = here.work / "proxy-python"
    shutil.rmtree(app, ignore_errors=True)
    guests.proxy_wit(app / "wit")
    shutil.copyfile(SRC / "proxy.py", app / "proxy.py")
    run(componentize_py(here), "-d", app / "wit", "-w", "handler", "componentize", "-p", app, "proxy", "-o", here.component)


def asc(here: Here) -> Path:
    command = here.packages("npm") / "node_modules/.bin/asc"
    if not command.exists() or not (here.packages("npm") / SHIM).is_dir():
        raise Absent("npm's assemblyscript and @assemblyscript/wasi-shim are not installed")
    find("node")
    return command


def assemblyscript(here: Here) -> None:
    npm = here.packages("npm")
    command = asc(here)
    shutil.copyfile(SRC / "program.ts", npm / "program.ts")  # beside node_modules: paths in the shim's settings are relative
    run(command, "program.ts", "--config", f"./{SHIM}/asconfig.json", "-O", "-o", os.path.relpath(here.module, npm), cwd=npm)
    adapted(here)


def assemblyscript_version(here: Here) -> str:
    return "assemblyscript " + first_line(asc(here), "--version").removeprefix("Version ")


def zig_command(here: Here) -> list[str | Path]:
    """Zig of PyPI's ziglang, or the command that is here."""
    python = here.packages("venv") / "bin/python"
    if list(here.packages("venv").glob("lib/python*/site-packages/ziglang")):
        return [python, "-m", "ziglang"]
    if here.version:
        raise Absent(f"ziglang {here.version} is not installed")
    return [find("zig")]


def zig(here: Here) -> None:
    # The caches go below build, not into the home directory.
    caches: list[str | Path] = ["--cache-dir", here.work / "zig-cache", "--global-cache-dir", HOME / "zig-cache"]
    run(*zig_command(here), "build-exe", SRC / "program.zig", "-target", "wasm32-wasi", "-O", "ReleaseSmall", f"-femit-bin={here.module}", *caches)
    adapted(here)


def c_zig(here: Here) -> None:
    caches = {"ZIG_LOCAL_CACHE_DIR": str(here.work / "zig-cache"), "ZIG_GLOBAL_CACHE_DIR": str(HOME / "zig-cache")}
    run(*zig_command(here), "cc", "-target", "wasm32-wasi", "-Os", "-s", C_SOURCE, "-o", here.module, env=caches)
    adapted(here)


def zig_version(here: Here) -> str:
    return f"zig {first_line(*zig_command(here), 'version')}"


def c(here: Here) -> None:
    """The committed guest program-libc again, by the clang and wasi-libc that are here."""
    if not Path("/usr/include/wasm32-wasi/stdio.h").is_file():
        raise Absent("no wasi-libc")
    run(clang(), "--target=wasm32-wasi", "-std=gnu11", "-Os", C_SOURCE, "-o", here.module)
    adapted(here)


def clang() -> Path:
    for name in ("clang-22", "clang-21", "clang-20", "clang-19", "clang"):
        if shutil.which(name):
            return find(name)
    raise Absent("no command clang")


def c_version(here: Here) -> str:
    return first_line(clang(), "--version")


def componentize_js(here: Here) -> Path:
    if here.version:
        return installed(here.packages("npm") / "node_modules/.bin/componentize-js")
    return find("componentize-js")


def javascript(here: Here) -> None:
    wit = here.work / "javascript"
    shutil.rmtree(wit, ignore_errors=True)
    guests.wit_folder(guests.DEFAULT_VERSION, wit)
    words: list[str | Path] = ["--world-name", "guest", "--disable", "http", "fetch-event", "--out", here.component]
    run(componentize_js(here), ROOT / "fixtures/src/js/program-js.js", "--wit", wit, *words)


def javascript_version(here: Here) -> str:
    package = componentize_js(here).resolve().parent.parent / "package.json"  # of the link node_modules/.bin/componentize-js
    return f"componentize-js {json.loads(package.read_text())['version']}"


def languages(here: Here) -> None:
    """A program in JavaScript, a logger in C and what they call in Python, composed into one."""
    sources = compose.SRC
    python_command, js, wac = componentize_py(here), componentize_js(here), find("wac")
    find("wit-bindgen")
    if not any(shutil.which(f"clang-{v}") and shutil.which(f"wasm-ld-{v}") for v in range(19, 23)) and not shutil.which("clang"):
        raise Absent("no clang with wasm-ld")
    folder = here.work / "languages"
    shutil.rmtree(folder, ignore_errors=True)
    compose.wit(folder / "wit")
    compose.WORK.mkdir(parents=True, exist_ok=True)
    logger, provider, guest = compose.part(sources / "logger.c", folder / "wit"), folder / "provider.wasm", folder / "guest.wasm"
    run(python_command, "-d", folder / "wit", "-w", "provider", "componentize", "-p", sources / "provider-py", "provider", "-o", provider)
    run(js, sources / "shapes-guest.js", "--wit", folder / "wit", "--world-name", "guest", "--disable", "http", "fetch-event", "--out", guest)
    run(wac, "compose", "--dep", f"part:provider-py={provider}", "--dep", f"part:logger={logger}", "--dep", f"part:shapes-guest-js={guest}",
        sources / "languages/compose.wac", "-o", here.component)  # fmt: skip


@dataclass(frozen=True)
class Toolchain:
    name: str
    what: str
    source: Path
    build: Callable[[Here], None]
    version: Callable[[Here], str]
    get: str
    """How to get it."""
    target: str = ""
    """The guest's name, where it is not program-NAME."""
    pip: str = ""
    npm: tuple[str, ...] = ()
    """The packages of PyPI and npm that --install gets, the one whose version can be chosen first."""
    maven: tuple[str, ...] = ()
    """The packages of Maven Central, all of one version."""
    versions: str = ""
    """What NAME@VERSION is, where a version can be chosen in another way."""

    @property
    def guest(self) -> str:
        return self.target or f"program-{self.name}"


PYTHON, ASSEMBLYSCRIPT = "componentize-py", ("assemblyscript", "@assemblyscript/wasi-shim")
RUSTUP = "make toolchains, by rustup"
TOOLCHAINS = (
    Toolchain("rust-wasip1", "Rust for wasm32-wasip1, with the adapter", SRC / "program.rs", rust, rust_version, RUSTUP, versions="rustup"),
    Toolchain("rust-wasip2", "Rust for wasm32-wasip2", SRC / "program.rs", rust, rust_version, RUSTUP, versions="rustup"),
    Toolchain("c", "C by clang and wasi-libc, with the adapter", C_SOURCE, c, c_version, "Debian: clang lld wasi-libc libclang-rt-dev-wasm32", "program-libc"),
    Toolchain("c-zig", "C by zig cc, with the adapter", C_SOURCE, c_zig, zig_version, "make toolchains, from PyPI", pip="ziglang"),
    Toolchain("zig", "Zig, with the adapter", SRC / "program.zig", zig, zig_version, "make toolchains, from PyPI", pip="ziglang"),
    Toolchain("go", "Go for wasip1, with the adapter", SRC / "program.go", go, go_version, "Debian: golang 1.21 or later", versions="go"),
    Toolchain("tinygo", "TinyGo for wasip2, and for wasip1", SRC / "program.go", tinygo, tinygo_version, "tinygo.org: its own releases; no package of PyPI, npm or Debian 12"),
    Toolchain("javascript", "JavaScript by componentize-js", ROOT / "fixtures/src/js/program-js.js", javascript, javascript_version, "make deps, from npm", "program-js",
              npm=("@bytecodealliance/componentize-js",)),
    Toolchain("python", "Python by componentize-py", SRC / "program.py", python, python_version, "make toolchains, from PyPI", pip=PYTHON),
    Toolchain("proxy-python", "A server of HTTP in Python", SRC / "proxy.py", proxy_python, python_version, "make toolchains, from PyPI", "proxy-python", pip=PYTHON),
    Toolchain("assemblyscript", "AssemblyScript, with the adapter", SRC / "program.ts", assemblyscript, assemblyscript_version, "make toolchains, from npm",
              npm=ASSEMBLYSCRIPT),
    Toolchain("java", "Java by TeaVM, with the adapter", SRC / "program.java", jvm.java, jvm.java_version, "a JDK (17 or later); make toolchains, from Maven Central",
              maven=jvm.TEAVM),
    Toolchain("kotlin", "Kotlin for wasm-wasi, with the adapter", SRC / "program.kt", jvm.kotlin, jvm.kotlin_version, "Java; make toolchains, from Maven Central",
              maven=jvm.KOTLIN),
    Toolchain("languages", "JavaScript, C and Python composed by wac", compose.SRC / "shapes-guest.js", languages, python_version, "make deps fixtures-deps toolchains"),
)
ELSEWHERE = (
    ("csharp", "C# by NativeAOT-LLVM", "dotnet",
     "the .NET SDK (dot.net), then componentize-dotnet (NuGet); PyPI, npm and Maven Central have none"),
    ("swift", "Swift for wasm32-unknown-wasip1", "swift",
     "swift.org, then its SDK for Wasm (swift sdk install); PyPI, npm and Maven Central have none"),
)  # fmt: skip
"""Toolchains that no program is written for here, each with its command."""


def pinned(package: str) -> str:
    return f"{package}@{PINNED[package]}" if package in PINNED else package


def install(toolchains: list[tuple[Toolchain, str]]) -> None:
    """Installs what the registries have. A missing tool is reported when it is needed."""
    steps: list[list[str | Path]] = []
    for toolchain, version in toolchains:
        here = Here(WORK, toolchain.name, version)
        venv, npm = here.packages("venv"), here.packages("npm")
        if toolchain.pip and not list(venv.glob(f"lib/python*/site-packages/{toolchain.pip.replace('-', '_')}")):
            steps += [] if (venv / "bin/pip").exists() else [[sys.executable, "-m", "venv", venv]]
            wanted = version or PINNED[toolchain.pip]
            steps.append([venv / "bin/pip", "--quiet", "--disable-pip-version-check", "install", f"{toolchain.pip}=={wanted}"])
        in_project = toolchain.name == "javascript" and not version  # make deps has installed it
        if toolchain.npm and not in_project and not (npm / "node_modules" / toolchain.npm[0]).exists():
            first, *others = toolchain.npm
            packages = [f"{first}@{version}" if version else pinned(first), *map(pinned, others)]
            steps.append(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", npm, *packages])
        steps += jvm.fetch(here, toolchain.maven, version or PINNED[toolchain.maven[0]]) if toolchain.maven else []
        if toolchain.build is rust and shutil.which("rustup"):
            target = f"wasm32-{toolchain.name.removeprefix('rust-')}"
            try:
                rust_target(target, version)
            except Absent:
                steps += [["rustup", "toolchain", "install", "--profile", "minimal", version]] if version else []
                steps.append(["rustup", "target", "add", target, *(["--toolchain", version] if version else [])])
    done: list[list[str | Path]] = []
    for argv in steps:
        if argv in done:
            continue
        done.append(argv)
        print(f"toolchains: {' '.join(str(a).removeprefix(f'{ROOT}/') for a in argv)}", flush=True)
        if "--prefix" in argv:
            Path(argv[argv.index("--prefix") + 1]).mkdir(parents=True, exist_ok=True)
        try:
            run(*argv)
        except (Failed, OSError) as error:
            print(f"toolchains: cannot be had: {reason(str(error))}")


def reason(said: str) -> str:
    """The line of a package manager that says what is wrong: the last one, but of Maven the first error."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in said.splitlines()]
    errors = [line for line in lines if line.startswith("[ERROR]")]
    return (errors or [line for line in reversed(lines) if line] or ["no reason given"])[0]


def make(toolchain: Toolchain, here: Here, out: Path) -> str:
    """Makes the guests, where they are missing, older or by another version. Returns their sizes."""
    version = toolchain.version(here)
    if here.version and here.version not in re.findall(r"[0-9][0-9A-Za-z.+-]*", version):
        raise Failed(f"asked for {here.version}, got {version}")
    target, module = out / f"{toolchain.guest}.wasm", out / f"{toolchain.guest}-module.wasm"
    versions = read_versions(out)
    newest = max(path.stat().st_mtime for path in (toolchain.source, *Path(__file__).parent.glob("toolchain*.py")))
    as_before = target.exists() and target.stat().st_mtime > newest and versions.get(toolchain.guest) == version
    if not as_before:
        here.module.unlink(missing_ok=True)
        toolchain.build(here)
        for made, place in ((here.component, target), (here.module, module)):
            if made.exists():
                run(find("wasm-tools"), "validate", "--features", "all", made)
                made.replace(place)
        written = json.dumps({**versions, toolchain.guest: version}, indent=1, sort_keys=True)
        (out / "toolchains.json").write_text(written + "\n")
    sizes = f"{target.stat().st_size} bytes" + (f", module {module.stat().st_size}" if module.exists() else "")
    return f"{version}: {sizes}{', as before' if as_before else ''}"


def read_versions(out: Path) -> dict[str, str]:
    """The version by guest: of the toolchain that made it."""
    path = out / "toolchains.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def say(name: str, what: str, said: str) -> None:
    print(f"{name:16} {what:42} {said}", flush=True)


def show() -> None:
    for toolchain in TOOLCHAINS:
        try:
            said = toolchain.version(Here(WORK, toolchain.name))
        except (Absent, Failed) as why:
            said = f"absent: {str(why).splitlines()[0]}; get it: {toolchain.get}"
        say(toolchain.name, toolchain.what, said)
    for name, what, command, get in ELSEWHERE:
        try:
            say(name, what, f"{first_line(find(command), '--version')}, but no program is written for it here")
        except (Absent, Failed) as why:
            say(name, what, f"absent: {str(why).splitlines()[0]}, and no program is written for it here; get it: {get}")


def parse(argv: list[str]) -> tuple[set[str], Path | None, list[str]]:
    """Returns the options, the folder of --out, and the names."""
    words, out = list(argv), None
    if "--out" in words:
        at = words.index("--out")
        out = Path(words[at + 1]).resolve() if at + 1 < len(words) else None
        del words[at : at + 2]
    return {a for a in words if a.startswith("-")}, out, [a for a in words if not a.startswith("-")]


def main(argv: list[str]) -> int:
    options, folder, names = parse(argv)
    by_name = {t.name: t for t in TOOLCHAINS}
    asked = [(by_name[name.partition("@")[0]], name.partition("@")[2]) for name in names if name.partition("@")[0] in by_name]
    fixed = [t.name for t, version in asked if version and not (t.pip or t.npm or t.maven or t.versions)]
    misused = options - {"--install", "--run", "--list"} or len(asked) != len(names) or ("--out" in argv) != (folder is not None)
    if misused or (folder is None and any(version for _, version in asked)):
        print(__doc__)
        return 2
    if fixed:
        print(f"toolchains: no registry has versions of {', '.join(fixed)}")
        return 2
    if "--list" in options:
        show()
        return 0
    # Those whose result is made elsewhere as well (committed, or by make guests) are built only where they are named.
    chosen = asked or [(t, "") for t in TOOLCHAINS if t.name not in ("c", "javascript") or folder is not None]
    out = folder or OUT
    for place in (out, WORK):
        place.mkdir(parents=True, exist_ok=True)
    if "--install" in options:
        install(chosen)
    status = 0
    for toolchain, version in chosen:
        try:
            said = make(toolchain, Here(WORK, toolchain.name, version), out)
        except Absent as why:
            said, status = f"absent: {why}; get it: {toolchain.get}", 1 if folder is not None else status
        except (Failed, SystemExit) as why:  # the last line of fixtures/build.py is the error
            said, status = f"FAILED: {why}", 1
        say(toolchain.name, toolchain.what, said)
    if folder is None and not names:
        say("c, c-p2", "C by clang: wasi-libc and adapter; wit-bindgen", "fixtures/built, committed (cases p2/programs)")
        for name, what in (("program-js", "JavaScript by componentize-js"), ("proxy-js", "A server of HTTP in JavaScript, fetch event"),
                           ("proxy-js-handler", "… and by wasi:http itself")):  # fmt: skip
            js = OUT / f"{name}.wasm"
            say(name, what, f"{js.stat().st_size} bytes" if js.exists() else "absent: make guests")
    if "--run" in options:
        assay = ROOT / ".venv/bin/assay"
        if not assay.exists():
            print("toolchains: the harness is not installed (make deps), so nothing was run")
            return 1
        words = ["p1/toolchains", "p2/toolchains", "p2/compose", "p2/programs", "--gate", "touchstone"]
        status |= subprocess.run([str(assay), "run", *words], cwd=ROOT, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
