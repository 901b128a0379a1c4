"""`touchstone` with a small stack: deep nesting works or is refused with a message, and never crashes."""

from __future__ import annotations

import os
import resource
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
BUILT = ROOT / "fixtures/built"
PREAMBLE = b"\0asm\x0d\0\1\0"
DONE, INVALID, LIMIT, TRAP = 0, 122, 124, 134

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def leb(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def components(depth: int) -> bytes:
    inner = PREAMBLE
    for _ in range(depth):
        inner = PREAMBLE + section(4, inner)
    return inner


def types(kind: int, depth: int) -> bytes:
    return PREAMBLE + section(7, b"\1" + bytes([kind, 1, 1]) * depth + bytes([kind, 0]))


def ended(kib: int, *argv: str | Path) -> int:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (kib << 10, resource.RLIM_INFINITY))

    done = subprocess.run([TOUCHSTONE, *argv], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, preexec_fn=small)
    assert done.returncode in (DONE, INVALID, LIMIT, TRAP), (kib, argv, done)
    if done.returncode == LIMIT:
        assert b"the stack of the thread is used up" in done.stderr
    return done.returncode


@pytest.mark.parametrize("command", ["validate", "inspect"])
def test_what_is_nested_deep(tmp_path: Path, command: str) -> None:
    inputs = {
        "types": (types(0x41, 97), DONE),
        "instance-types": (types(0x42, 97), DONE),
        "too-many-types": (types(0x41, 5000), INVALID),
        "components": (components(60), DONE),
        "many-components": (components(998), LIMIT),
        "too-many-components": (components(5000), LIMIT),
    }
    for name, (content, at_256) in inputs.items():
        file = tmp_path / name
        file.write_bytes(content)
        for kib in (96, 128, 192, 320):
            ended(kib, command, file)
        assert ended(256, command, file) == at_256, name
    assert ended(8192, command, tmp_path / "many-components") == DONE


def test_guests_run() -> None:
    for kib in (96, 128, 256):
        ended(kib, "run", BUILT / "hello.wasm")
        ended(kib, "run", BUILT / "stack-exhaustion.wasm")
    assert ended(160, "run", BUILT / "hello.wasm") == DONE
    assert ended(256, "run", BUILT / "stack-exhaustion.wasm") == TRAP
