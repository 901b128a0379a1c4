#!/usr/bin/env python3
"""Makes the picture of the report page, and the example record beside it.

Usage: ci/picture.py [RECORD [PNG]]   (default: reports/latest/results.jsonl, reports/page.png)
       ci/picture.py --example        (runs a few cases, writes reports/example.jsonl)
The page of the record is made in a temporary folder and shown by headless Chromium. Its picture is reduced to 256
colours, so that it stays below LIMIT. In the example, /project and MACHINE replace what is of this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSAY = ROOT / ".venv/bin/assay"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = "1600,1240"
LIMIT = 300_000
"""Bytes of the picture."""
CASES = ("p2/cli/exit-with-code", "p2/component/trap-unreachable", "p2/http/denied", "p2/io/write-zeroes", "p2/cli/stdio")
MACHINE = '{"os":"linux","arch":"x86_64","kernel":"6.12.0","cpus":2}'
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def screenshot(page: Path, target: Path) -> None:
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("picture: there is no chromium on the search path")
    argv = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    argv += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    argv += [f"--user-data-dir={page.parent / 'profile'}", "--force-device-scale-factor=1", f"--window-size={SIZE}"]
    subprocess.run([*argv, f"--screenshot={target}", page.as_uri()], check=True, capture_output=True, timeout=300)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def pixels(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes of a PNG of 8 bits a channel that is not interlaced. PNG, 9.2: the five filters."""
    parts = chunks(data)
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or kind not in (2, 6):
        raise SystemExit(f"picture: a PNG of depth {depth} and colour type {kind} is not expected of a screenshot")
    channels = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    stride, out, before = width * channels, bytearray(), bytearray(width * channels)
    for row in range(height):
        how, line = raw[row * (stride + 1)], bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        for i in range(stride if how else 0):
            left = line[i - channels] if i >= channels else 0
            up, corner = before[i], before[i - channels] if i >= channels else 0
            if how == 4:
                guess = left + up - corner
                order = ((abs(guess - left), left), (abs(guess - up), up), (abs(guess - corner), corner))
                value = min(order, key=lambda item: item[0])[1]
            else:
                value = (left, up, (left + up) // 2)[how - 1]
            line[i] = (line[i] + value) & 0xFF
        out += line if channels == 3 else b"".join(line[i : i + 3] for i in range(0, stride, 4))
        before = line
    return width, height, bytes(out)


def reduced(data: bytes) -> bytes:
    """The same picture with a palette of the 256 colours that it uses most."""
    width, height, rgb = pixels(data)
    colours = [rgb[i : i + 3] for i in range(0, len(rgb), 3)]
    counts = Counter(colours)
    palette = [colour for colour, _ in counts.most_common(256)]

    def nearest(colour: bytes) -> int:
        return min(range(len(palette)), key=lambda n: sum((a - b) ** 2 for a, b in zip(palette[n], colour, strict=True)))

    index = {colour: nearest(colour) for colour in counts}
    rows = b"".join(
        b"\0" + bytes(index[colour] for colour in colours[row * width : (row + 1) * width]) for row in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )


def picture(record: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="picture-") as name:
        folder = Path(name)
        for path in (record, record.with_name("wast.jsonl"), record.with_name("wast.json")):
            if path.is_file():
                shutil.copyfile(path, folder / ("results.jsonl" if path == record else path.name))
        subprocess.run([ASSAY, "report", folder / "results.jsonl"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        screenshot(folder / "index.html", folder / "page.png")
        data = reduced((folder / "page.png").read_bytes())
    if len(data) >= LIMIT:
        raise SystemExit(f"picture: {len(data):,} bytes, which is not below {LIMIT:,}")
    target.write_bytes(data)
    print(f"{target}: {len(data):,} bytes")


def example(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        runtimes = [word for name in ("touchstone", "wasmtime", "jco") for word in ("-r", name)]
        argv = [ASSAY, "run", *CASES, *runtimes, "-j", "2", "--output", folder]
        done = subprocess.run(argv, check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            raise SystemExit(f"picture: the run of the example ended with {done.returncode}")
        text = Path(folder, "results.jsonl").read_text(encoding="utf-8")
    for path in {str(ROOT), os.path.realpath(ROOT), str((ROOT / ".venv").resolve().parent)}:
        text = text.replace(path, "/project")
    text = re.sub(r'(?<="machine":)\{[^}]*\}', MACHINE, text)
    target.write_text(text, encoding="utf-8")
    print(f"{target}: {len(text):,} characters")


def main(argv: list[str]) -> int:
    if argv == ["--example"]:
        example(ROOT / "reports/example.jsonl")
        return 0
    record = Path(argv[0]) if argv else ROOT / "reports/latest/results.jsonl"
    if not record.is_file():
        raise SystemExit(f"picture: there is no record {record}: `make report` makes one")
    picture(record, Path(argv[1]) if len(argv) > 1 else ROOT / "reports/page.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
