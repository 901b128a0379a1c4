#!/usr/bin/env python3
"""One program by every toolchain that is here: fixtures/src/toolchains -> build/guests/program-TOOLCHAIN.wasm.
One component of three languages: fixtures/src/compose -> build/guests/program-languages.wasm. And one that answers HTTP, in Python (those
in JavaScript are made by make guests): fixtures/src/toolchains/proxy.py -> build/guests/proxy-python.wasm.

Usage: ci/toolchains.py [--install] [--run] [NAME...]
  NAME       only these (rust-wasip1, go, …)
  --install  first get what a package registry has and this user may install: componentize-py, AssemblyScript, Rust's libraries
  --run      then run the cases p2/toolchains, p2/compose and p2/programs on every runtime that is here

A toolchain that is not here is one plain line, and its case is skipped. Exit status 1 when one that is here fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "fixtures"))
import build as guests
import compose

BUILD = ROOT / os.environ.get("BUILD", "build")
SRC = ROOT / "fixtures/src/toolchains"
HOME = ROOT / "build/toolchains"  # what --install leaves
OUT = BUILD / "guests"
WORK = BUILD / "fixtures/toolchains"
COMPONENTIZE_PY = "componentize-py==0.25.1"
ASSEMBLYSCRIPT = ("assemblyscript@0.28.20", "@assemblyscript/wasi-shim@0.1.0")


class Absent(Exception):
    """The reason why a toolchain cannot be used here."""


class Failed(Exception):
    """An installed toolchain failed."""


def find(name: str, *places: Path) -> Path:
    found = shutil.which(name, path=os.pathsep.join([*map(str, places), *map(str, guests.PATHS), os.environ.get("PATH", "")]))
    if found is None:
        raise Absent(f"no command {name}")
    return Path(found)


def run(*argv: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> str:
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, cwd=cwd, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def adapted(core: Path, target: Path) -> None:
    """A preview 1 core module made a component by the command adapter."""
    if not guests.ADAPTER.is_file():
        raise Absent("the preview 1 adapter is not here (make deps)")
    run(find("wasm-tools"), "component", "new", core, "--adapt", f"wasi_snapshot_preview1={guests.ADAPTER}", "-o", target)


def rust_target(name: str) -> list[str | Path]:
    """A rustc that has the standard library of a target: the one in use, or rustup's stable."""
    rustc = find("rustc")
    spellings: tuple[list[str | Path], ...] = ([rustc], [rustc, "+stable"])
    for words in spellings:
        asked = subprocess.run([*map(str, words), "--target", name, "--print", "target-libdir"], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and list(Path(asked.stdout.strip()).glob("libstd-*.rlib")):
            return words
    raise Absent(f"rustc has no standard library for {name}")


def rust(target_name: str, target: Path) -> None:
    core = WORK / f"{target_name}.wasm"
    run(*rust_target(target_name), "--edition", "2021", "--target", target_name, "-O", "-C", "strip=debuginfo", SRC / "program.rs", "-o", core)
    if core.read_bytes()[4:8] == b"\x01\x00\x00\x00":
        adapted(core, target)
    else:
        shutil.copyfile(core, target)


def rust_wasip1(target: Path) -> None:
    rust("wasm32-wasip1", target)


def rust_wasip2(target: Path) -> None:
    rust("wasm32-wasip2", target)


def go(target: Path) -> None:
    core = WORK / "go.wasm"
    env = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-trimpath", "GOCACHE": str(HOME / "go-cache"), "GO111MODULE": "off"}
    run(find("go", Path("/usr/local/go/bin")), "build", "-ldflags", "-s -w", "-o", core, SRC / "program.go", env=env)
    adapted(core, target)


def tinygo(target: Path) -> None:
    run(find("tinygo"), "build", "-target=wasip2", "-no-debug", "-o", target, SRC / "program.go", env={"GO111MODULE": "off"})


def python(target: Path) -> None:
    command = find("componentize-py", HOME / "venv/bin")
    app = WORK / "python"
    shutil.rmtree(app, ignore_errors=True)
    guests.wit_folder(guests.DEFAULT_VERSION, app / "wit")
    shutil.copyfile(SRC / "program.py", app / "program.py")
    run(command, "-d", app / "wit", "-w", "guest", "componentize", "-p", app, "program", "-o", target)


def proxy_python(target: Path) -> None:
    command = find("componentize-py", HOME / "venv/bin")
    app = WORK / "proxy-python"
    shutil.rmtree(app, ignore_errors=True)
    guests.proxy_wit(app / "wit")
    shutil.copyfile(SRC / "proxy.py", app / "proxy.py")
    run(command, "-d", app / "wit", "-w", "handler", "componentize", "-p", app, "proxy", "-o", target)


def assemblyscript(target: Path) -> None:
    npm = HOME / "npm"
    asc, shim = npm / "node_modules/.bin/asc", npm / "node_modules/@assemblyscript/wasi-shim"
    if not asc.exists() or not shim.is_dir():
        raise Absent("npm's assemblyscript and @assemblyscript/wasi-shim are not installed")
    find("node")
    shutil.copyfile(SRC / "program.ts", npm / "program.ts")  # beside node_modules: paths in the shim's settings are relative
    core = WORK / "assemblyscript.wasm"
    run(asc, "program.ts", "--config", f"./{shim.relative_to(npm)}/asconfig.json", "-O", "-o", os.path.relpath(core, npm), cwd=npm)
    adapted(core, target)


def languages(target: Path) -> None:
    """A program in JavaScript, a logger in C and what they call in Python, composed into one."""
    sources = compose.SRC
    python_command, js, wac = find("componentize-py", HOME / "venv/bin"), find("componentize-js"), find("wac")
    find("wit-bindgen")
    if not any(shutil.which(f"clang-{v}") and shutil.which(f"wasm-ld-{v}") for v in range(19, 23)) and not shutil.which("clang"):
        raise Absent("no clang with wasm-ld")
    folder = WORK / "languages"
    shutil.rmtree(folder, ignore_errors=True)
    compose.wit(folder / "wit")
    compose.WORK.mkdir(parents=True, exist_ok=True)
    logger, provider, guest = compose.part(sources / "logger.c", folder / "wit"), folder / "provider.wasm", folder / "guest.wasm"
    run(python_command, "-d", folder / "wit", "-w", "provider", "componentize", "-p", sources / "provider-py", "provider", "-o", provider)
    run(js, sources / "shapes-guest.js", "--wit", folder / "wit", "--world-name", "guest", "--disable", "http", "fetch-event", "--out", guest)
    run(wac, "compose", "--dep", f"part:provider-py={provider}", "--dep", f"part:logger={logger}", "--dep", f"part:shapes-guest-js={guest}",
        sources / "languages/compose.wac", "-o", target)  # fmt: skip


@dataclass(frozen=True)
class Toolchain:
    name: str
    what: str
    source: str
    build: Callable[[Path], None]
    prefix: str = "program-"


TOOLCHAINS = (
    Toolchain("rust-wasip1", "Rust for wasm32-wasip1, with the adapter", "program.rs", rust_wasip1),
    Toolchain("rust-wasip2", "Rust for wasm32-wasip2", "program.rs", rust_wasip2),
    Toolchain("go", "Go for wasip1, with the adapter", "program.go", go),
    Toolchain("tinygo", "TinyGo for wasip2", "program.go", tinygo),
    Toolchain("python", "Python by componentize-py", "program.py", python),
    Toolchain("proxy-python", "A server of HTTP in Python", "proxy.py", proxy_python, ""),
    Toolchain("assemblyscript", "AssemblyScript, with the adapter", "program.ts", assemblyscript),
    Toolchain("languages", "JavaScript, C and Python composed by wac", "../compose/shapes-guest.js", languages),
)


def install() -> None:
    """Installs what the registries have. A missing tool is reported when it is needed."""
    steps: list[list[str | Path]] = []
    if not (HOME / "venv/bin/componentize-py").exists():
        steps += [[sys.executable, "-m", "venv", HOME / "venv"], [HOME / "venv/bin/pip", "--quiet", "--disable-pip-version-check", "install", COMPONENTIZE_PY]]
    if not (HOME / "npm/node_modules/.bin/asc").exists():
        (HOME / "npm").mkdir(parents=True, exist_ok=True)
        steps.append(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", HOME / "npm", *ASSEMBLYSCRIPT])
    if shutil.which("rustup"):
        for target in ("wasm32-wasip1", "wasm32-wasip2"):
            try:
                rust_target(target)
            except Absent:
                steps.append(["rustup", "target", "add", target])
    for argv in steps:
        print(f"toolchains: {' '.join(str(a).removeprefix(f'{ROOT}/') for a in argv)}", flush=True)
        try:
            run(*argv)
        except (Failed, OSError) as error:
            print(f"toolchains: cannot be had: {str(error).splitlines()[-1]}")


def make(toolchain: Toolchain) -> str:
    target = OUT / f"{toolchain.prefix}{toolchain.name}.wasm"
    newest = max((SRC / toolchain.source).stat().st_mtime, Path(__file__).stat().st_mtime)
    if target.exists() and target.stat().st_mtime > newest:
        return f"{target.stat().st_size} bytes, as before"
    made = WORK / f"made-{toolchain.name}.wasm"
    toolchain.build(made)
    run(find("wasm-tools"), "validate", "--features", "all", made)
    made.replace(target)
    return f"{target.stat().st_size} bytes"


def main(argv: list[str]) -> int:
    names = [a for a in argv if not a.startswith("-")]
    options = {a for a in argv if a.startswith("-")}
    if options - {"--install", "--run"} or set(names) - {t.name for t in TOOLCHAINS}:
        print(__doc__)
        return 2
    for folder in (OUT, WORK):
        folder.mkdir(parents=True, exist_ok=True)
    if "--install" in options:
        install()
    status = 0
    for toolchain in TOOLCHAINS:
        if names and toolchain.name not in names:
            continue
        try:
            said = make(toolchain)
        except Absent as why:
            said = f"absent: {why}"
        except (Failed, SystemExit) as why:  # the last line of fixtures/build.py is the error
            said, status = f"FAILED: {why}", 1
        print(f"{toolchain.name:16} {toolchain.what:42} {said}", flush=True)
    print(f"{'c, c-p2':16} {'C by clang: wasi-libc and adapter; wit-bindgen':42} fixtures/built, committed (cases p2/programs)")
    for name, what in (("program-js", "JavaScript by componentize-js"), ("proxy-js", "A server of HTTP in JavaScript, fetch event"),
                       ("proxy-js-handler", "… and by wasi:http itself")):  # fmt: skip
        js = OUT / f"{name}.wasm"
        print(f"{name:16} {what:42} {f'{js.stat().st_size} bytes' if js.exists() else 'absent: make guests'}")
    if "--run" in options:
        assay = ROOT / ".venv/bin/assay"
        if not assay.exists():
            print("toolchains: the harness is not installed (make deps), so nothing was run")
            return 1
        status |= subprocess.run([str(assay), "run", "p2/toolchains", "p2/compose", "p2/programs", "--gate", "touchstone"], cwd=ROOT, check=False).returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
