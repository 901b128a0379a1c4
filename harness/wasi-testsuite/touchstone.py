"""touchstone for the runner of WebAssembly/wasi-testsuite: a file of its folder `adapters/`.

In: a program, its arguments, environment and directory. Out: the command line. README.md says how to use it.
The runner loads this file alone, with Python 3.11 or newer, and calls the functions without an underscore.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_BUILT = Path(__file__).resolve().parents[2] / "build" / "touchstone"
_PROPOSALS = {"http": ("-S", "http"), "sockets": ("-S", "inherit-network", "-S", "allow-ip-name-lookup")}


def _touchstone() -> list[str]:
    """Returns the program and its own options: of $TOUCHSTONE, or else the one that is built here or installed."""
    named = os.environ.get("TOUCHSTONE")
    if named:
        return shlex.split(named)
    return [str(_BUILT)] if _BUILT.is_file() else [shutil.which("touchstone") or "touchstone"]


def get_name() -> str:
    return "touchstone"


def get_version() -> str:
    """Returns the version. A program that is absent raises FileNotFoundError, which the runner expects."""
    done = subprocess.run([_touchstone()[0], "--version"], capture_output=True, encoding="utf-8", check=True)
    return done.stdout.split()[1]


def get_wasi_versions() -> list[str]:
    return ["wasm32-wasip1", "wasm32-wasip2"]


def get_wasi_worlds() -> list[str]:
    """Returns the worlds. The runner's other world is `wasi:http/service`, which is of WASI 0.3."""
    return ["wasi:cli/command"]


def compute_argv(
    test_path: str,
    args_env_root: tuple[Sequence[str], Mapping[str, str], str | Path | None],
    proposals: Sequence[str],
    wasi_world: str,
    wasi_version: str,
) -> list[str]:
    """Returns the command line for one program. Modules of preview 1 are run as they are, without an adapter module."""
    if wasi_world not in get_wasi_worlds() or wasi_version not in get_wasi_versions():
        raise ValueError(f"touchstone does not run {wasi_world} of {wasi_version}")
    args, env, root = args_env_root
    program, *options = _touchstone()
    argv = [program, "run", *options]
    for proposal in proposals:
        argv += _PROPOSALS[proposal]
    for key, value in env.items():
        argv += ["--env", f"{key}={value}"]
    if root is not None:
        argv += ["--dir", f"{root}::/:rw"]
    return [*argv, test_path, *args]
