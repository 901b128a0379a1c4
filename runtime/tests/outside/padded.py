"""Components that are large enough to be cached, with an image of their memory: their main core module gets a data segment.

In: a component whose main core module defines a 32-bit memory. Out: the same component with more memory and more data.
"""

from __future__ import annotations

import random

PAGES = 16  # 64 KiB each; the cache keeps modules and images of 64 KiB and more
CORE_MODULE, MEMORY, DATA, DATA_COUNT = 1, 5, 11, 12
I32_CONST, END = b"\x41", b"\x0b"


def leb(n: int) -> bytes:
    out = bytearray()
    while True:
        byte, n = n & 0x7F, n >> 7
        out.append(byte | (0x80 if n else 0))
        if not n:
            return bytes(out)


def signed_leb(n: int) -> bytes:
    """Of a number that is not negative."""
    plain = leb(n)
    return plain if not plain[-1] & 0x40 else plain[:-1] + bytes([plain[-1] | 0x80, 0])


def read_leb(data: bytes, at: int) -> tuple[int, int]:
    """The number, and the position behind it."""
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return n, at


def sections(binary: bytes) -> list[tuple[int, bytes]]:
    """Those of a component or a core module, in order."""
    found, at = [], 8
    while at < len(binary):
        kind = binary[at]
        size, at = read_leb(binary, at + 1)
        found.append((kind, binary[at : at + size]))
        at += size
    return found


def joined(head: bytes, parts: list[tuple[int, bytes]]) -> bytes:
    return head + b"".join(bytes([kind]) + leb(len(content)) + content for kind, content in parts)


def padded_module(module: bytes, seed: int) -> bytes:
    parts, start = [], 0
    for kind, content in sections(module):
        if kind == MEMORY:  # count, limits: flags, least …
            assert content[0] == 1 and content[1] in (0, 1)
            least, behind = read_leb(content, 2)
            start = least << 16
            content = content[:2] + leb(least + PAGES) + content[behind:]
        elif kind == DATA:
            count, behind = read_leb(content, 0)
            segment = b"\0" + I32_CONST + signed_leb(start) + END + leb(PAGES << 16) + random.Random(seed).randbytes(PAGES << 16)
            content = leb(count + 1) + content[behind:] + segment
        elif kind == DATA_COUNT:
            content = leb(read_leb(content, 0)[0] + 1)
        parts.append((kind, content))
    assert start, "the module defines no memory"
    return joined(module[:8], parts)


def padded(component: bytes, seed: int = 1) -> bytes:
    """ValueError: there is no core module with data in it."""
    parts = sections(component)
    kinds = {i: {kind for kind, _ in sections(content)} for i, (kind, content) in enumerate(parts) if kind == CORE_MODULE}
    main = max((i for i in kinds if {MEMORY, DATA} <= kinds[i]), key=lambda i: len(parts[i][1]), default=None)
    if main is None:
        raise ValueError("the component has no core module with a memory and data")
    parts[main] = (CORE_MODULE, padded_module(parts[main][1], seed))
    return joined(component[:8], parts)
