"""Loops that are nested very deep: making machine code of them takes a time that grows with the code, not with its square."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from padded import leb
from preview1_guest import TOUCHSTONE
from tiers import same_in_each_tier

pytestmark = pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built")
I32, VOID = b"\x7f", b"\x40"
BLOCK, LOOP, END, BR, BR_IF, DROP = b"\x02", b"\x03", b"\x0b", b"\x0c", b"\x0d", b"\x1a"
GET, SET, CONST, EQZ, SUB, ADD = b"\x20", b"\x21", b"\x41", b"\x45", b"\x6b", b"\x6a"


def section(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + leb(len(content)) + content


def module(body: bytes) -> bytes:
    """`run` has a parameter, a result and one more local, all i32."""
    code = b"\x01\x01" + I32 + body + END
    return (
        b"\0asm\x01\0\0\0"
        + section(1, b"\x01\x60\x01" + I32 + b"\x01" + I32)
        + section(3, b"\x01\x00")
        + section(7, b"\x01\x03run\x00\x00")
        + section(10, b"\x01" + leb(len(code)) + code)
    )


def nested(depth: int) -> bytes:
    """Each loop is left at once, or at its end goes on with itself. The outermost one reads the parameter."""
    left = GET + b"\x01" + EQZ + BR_IF + b"\x01"
    begins = [BLOCK + VOID + LOOP + VOID + left] * depth
    begins[0] = BLOCK + VOID + LOOP + VOID + GET + b"\x00" + DROP + left
    count = GET + b"\x01" + CONST + b"\x01" + SUB + SET + b"\x01"
    ends = (BR + b"\x00" + END + END) * depth
    return b"".join(begins) + count + ends + GET + b"\x00" + CONST + b"\x07" + ADD


def all_from_within(depth: int) -> bytes:
    """The innermost one goes on with any of them, by a table, which is the last branch to each."""
    labels = b"".join(leb(k) for k in range(depth + 1))
    begins = BLOCK + VOID + (LOOP + VOID) * depth
    table = GET + b"\x00" + CONST + leb(depth) + ADD + b"\x0e" + leb(depth) + labels
    return begins + table + END * (depth + 1) + GET + b"\x00" + CONST + b"\x07" + ADD


@pytest.mark.parametrize("body", [nested(200_000), all_from_within(60_000)], ids=["nested", "by a table"])
def test_deep_loops(body: bytes, tmp_path: Path) -> None:
    wasm = tmp_path / "deep.wasm"
    wasm.write_bytes(module(body))
    same_in_each_tier(wasm, "run(35)")
