"""`inspect` prints where the bytes of a file are, by core module and section, and what produced it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"
BUILT = ROOT / "fixtures/built"
COMPONENTS = sorted(BUILT.rglob("*.wasm"))
INVALID = 122  # the exit status of a file that is no valid component: some guests are invalid on purpose

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")


def run_inspect(file: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([TOUCHSTONE, "inspect", file], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def lines_of(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    done.check_returncode()
    return done.stdout.decode().splitlines()


def inspect(file: Path) -> list[str]:
    return lines_of(run_inspect(file))


def table(lines: list[str]) -> dict[str, list[int]]:
    """Rows by what they are of: bytes, code, data, names, debug, custom, rest."""
    start = lines.index("sizes:")
    assert lines[start + 1].split() == ["bytes", "%", "code", "data", "names", "debug", "custom", "rest"]
    rows = {}
    for line in lines[start + 2 :]:
        match = re.fullmatch(r" +(\d+) +([\d.]+)((?: +\d+){6}) (.+)", line)
        if not match:
            break
        rows[match[4]] = [int(match[1]), *map(int, match[3].split())]
    return rows


@pytest.mark.skipif(not COMPONENTS, reason="the guests are not built")
def test_every_byte_is_in_one_place() -> None:
    some = COMPONENTS[:: max(1, len(COMPONENTS) // 50)] + sorted(BUILT.glob("compose/*.wasm"))
    shown = {file: run_inspect(file) for file in some}
    valid = {file: done for file, done in shown.items() if done.returncode != INVALID}
    assert len(valid) > len(some) // 2
    for file, done in valid.items():
        rows = table(lines_of(done))
        total = rows.pop("total")
        assert total[0] == file.stat().st_size
        assert [sum(column) for column in zip(*rows.values(), strict=True)] == total
        assert all(row[0] == sum(row[1:]) for row in rows.values())


def leb(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + leb(n >> 7)


def name(text: bytes) -> bytes:
    return leb(len(text)) + text


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def custom(title: bytes, content: bytes) -> bytes:
    return section(0, name(title) + content)


PRODUCERS = b"\x02" + name(b"language") + b"\x02" + name(b"Rust") + name(b"") + name(b"C11") + name(b"") + name(b"processed-by") + b"\x01" + name(b"rustc") + name(b"1.80")
MODULE = b"\0asm\1\0\0\0"
COMPONENT = b"\0asm\x0d\0\1\0"


def test_sections_by_their_kind(tmp_path: Path) -> None:
    names = custom(b"name", b"\0\x02\x01m" + b"\x01\x05\x01\0\x02fn")
    debug, odd, data = custom(b".debug_info", bytes(1000)), custom(b"odd\x1b[31m", bytes(300)), section(11, b"\x01\x01\x05hello")
    code = section(10, b"\x01\x02\0\x0b")
    module = MODULE + section(1, b"\x01\x60\0\0") + section(3, b"\x01\0") + code + data + names + debug + odd + custom(b"producers", PRODUCERS)
    (tmp_path / "m.wasm").write_bytes(module)
    lines = inspect(tmp_path / "m.wasm")
    row = table(lines)["core module 0 m"]
    assert row[:6] == [len(module), len(code), len(data), len(names), len(debug), len(odd) + len(custom(b"producers", PRODUCERS))]
    assert f"  core module 0 m: name {len(names)}, .debug_info {len(debug)}, odd?[31m {len(odd)}, producers {len(custom(b'producers', PRODUCERS))}" in lines
    assert lines[-2:] == ["producers:", "  core module 0 m: language Rust, C11; processed-by rustc 1.80"]

    inner = COMPONENT + section(1, module) + custom(b"producers", PRODUCERS)
    outer = COMPONENT + section(1, module) + section(4, inner) + section(4, inner) + custom(b"component-name", b"\0\x02\x01c")
    (tmp_path / "c.wasm").write_bytes(outer)
    lines = inspect(tmp_path / "c.wasm")
    rows = table(lines)
    assert list(rows) == ["component 0 c", "core module 0 m", "component 1", "core module 1 m", "component 2", "core module 2 m", "total"]
    assert all(rows[f"core module {i} m"] == row for i in range(3))
    assert rows["component 1"][0] == len(inner) - len(module) and rows["total"][0] == len(outer)
    assert sum(line.endswith("processed-by rustc 1.80") for line in lines) == 5


@pytest.mark.parametrize("content", [b"", b"\xff\xff\xff\xff\x0f", b"\x01\x01x\xff\xff\xff\xff\x0f", b"\x01\x05lang", b"\x05" + name(b"language") + b"\0"])
def test_producers_that_are_damaged(content: bytes, tmp_path: Path) -> None:
    """A custom section is never an error: the readable part is printed."""
    (tmp_path / "m.wasm").write_bytes(MODULE + custom(b"producers", content) + custom(b"name", content))
    assert f"  core module 0: producers {len(custom(b'producers', content))}, name {len(custom(b'name', content))}" in inspect(tmp_path / "m.wasm")
