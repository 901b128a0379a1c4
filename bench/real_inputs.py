"""The inputs of the real programs: each function writes the same files each time.

In: the folder that the program finds as /in. Out: files.
"""

from __future__ import annotations

import re
import shutil
import struct
import zlib
from collections.abc import Callable
from json import dumps as encode
from pathlib import Path

from prepare import BENCH

SRC = BENCH / "src"


class Numbers:
    """A small generator of numbers, the same everywhere."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, n: int) -> int:
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) % n


def copied(*names: str) -> Callable[[Path], None]:
    """Files of bench/src/real."""

    def write(to: Path) -> None:
        for name in names:
            shutil.copyfile(SRC / "real" / name, to / name)

    return write


def words(numbers: Numbers, count: int) -> list[str]:
    """Words of a language that has few and short ones, as texts have."""
    known = ["".join("etaoinshrdlu"[numbers.below(12)] for _ in range(2 + numbers.below(7))) for _ in range(700)]
    return [known[min(numbers.below(700), numbers.below(700))] for _ in range(count)]


def text(to: Path) -> None:
    """2.5 MB of text in lines."""
    parts = words(Numbers(1), 480_000)
    (to / "text").write_text("\n".join(" ".join(parts[i : i + 12]) for i in range(0, len(parts), 12)))


def markdown(to: Path) -> None:
    numbers = Numbers(2)
    parts = words(numbers, 20_000)
    lines: list[str] = []
    for i in range(500):
        some = parts[i * 40 : i * 40 + 40]
        lines += [
            f"{'#' * (1 + i % 4)} {' '.join(some[:4])}",
            f"{' '.join(some[:9])} **{some[9]} {some[10]}** and *{some[11]}*, `{some[12]}` in [{some[13]}](https://example.org/{some[14]}).",
            "",
            *(f"{'  ' * (k % 2)}- {' '.join(some[15 + 4 * k : 19 + 4 * k])}" for k in range(4)),
            "",
            f"| {some[31]} | {some[32]} |\n|---|--:|\n| {some[33]} | {i} |\n| ~~{some[34]}~~ | {i * 7} |\n",
            f"> {some[35]} {some[36]}\n\n```c\nint {some[37]} = {i};\n```\n",
        ]
    (to / "text.md").write_text("\n".join(lines))


def yaml(items: int) -> Callable[[Path], None]:
    def write(to: Path) -> None:
        numbers = Numbers(3)
        parts = words(numbers, items * 8)
        lines = ["items:"]
        for i in range(items):
            some = parts[i * 8 : i * 8 + 8]
            lines += [
                f"  - name: {some[0]}{i}",
                f"    price: {numbers.below(10000) / 100}",
                f"    tags: [{some[1]}x, {some[2]}x, {some[3]}x]",
                f"    stock: {{store: {numbers.below(50)}, way: {numbers.below(9)}}}",
                f'    note: "{some[4]}: {some[5]}\\t{some[6]}"',
                f"    text: |\n      {some[7]} {some[1]}\n      {some[2]}",
            ]
        (to / "data.yaml").write_text("\n".join(lines) + "\n")

    return write


def json(to: Path) -> None:
    """Records, and a program for jaq."""
    numbers = Numbers(7)
    parts = words(numbers, 80_000)
    records = [
        {"id": i, "name": parts[i * 4], "tags": parts[i * 4 + 1 : i * 4 + 1 + i % 4], "price": numbers.below(10000) / 100, "at": {"x": numbers.below(100), "y": i % 13}}
        for i in range(12_000)
    ]
    (to / "data.json").write_text(encode(records))
    shutil.copyfile(SRC / "real/program.jq", to / "program.jq")


def png(to: Path) -> None:
    """A picture of 320 × 240 points: rings, and noise in a corner."""
    numbers = Numbers(8)
    rows = []
    for y in range(240):
        row = bytearray([0])
        for x in range(320):
            noise = numbers.below(60) if x > 200 and y > 140 else 0
            row += bytes(((x * x + y * y) // 90 % 256, (x + y) // 3 % 256, (x ^ y) // 2 + noise & 255))
        rows.append(bytes(row))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 320, 240, 8, 2, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"".join(rows), 1)), chunk(b"IEND", b"")]
    (to / "picture.png").write_bytes(b"".join(parts))


def program(to: Path) -> None:
    """120 KB of JavaScript: what the programs in JavaScript are here, again and again under other names."""
    source = (SRC / "real/main.js").read_text()
    parts = ["function part{}() {{\n{}\n}}".format(i, re.sub(r"\bwords\b", f"words{i}", source)) for i in range(40)]
    (to / "program.js").write_text("\n".join(parts))


C_TOKENS = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b[A-Za-z_]\w*""", re.S)
C_WORDS = frozenset(
    re.findall(
        r"\w+",
        "auto break case char const continue default define do double else endif enum extern float for goto if ifdef ifndef include inline int long "
        "register return short signed sizeof static struct switch typedef undef union unsigned void volatile while",
    )
)


def c(to: Path) -> None:
    """Programs of bench/src in one translation unit, three times, each under other names."""
    head = (SRC / "bench.h").read_text().replace("#define RUN\n", "#define RUN static\n").replace("i32 run(i32 n);", "")
    shared = {*C_WORDS, *C_TOKENS.findall(head)}
    parts = [head]
    for i in range(3):
        for name in ("interp", "sha256", "marks", "nbody"):

            def renamed(found: re.Match[str], mark: str = f"_{name}{i}") -> str:
                return found[0] if found[0][0] in "/\"'" or found[0] in shared or found[0].startswith("__builtin") else found[0] + mark

            source = (SRC / f"{name}.c").read_text().replace('#include "bench.h"', "")
            parts.append(C_TOKENS.sub(renamed, source))
            parts.append(f"int exported_{name}{i}(long n) {{ return run_{name}{i}(n); }}")
    (to / "programs.c").write_text("\n".join(parts))


def svg(shapes: int) -> Callable[[Path], None]:
    """Paths, gradients, transparency, clips and a blur; and what a program reads that asks a device for random bytes."""

    def write(to: Path) -> None:
        numbers = Numbers(5)
        parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="200mm" height="150mm" viewBox="0 0 800 600">', "<defs>"]
        for i in range(12):
            stops = "".join(f'<stop offset="{k / 3}" stop-color="#{numbers.below(2**24):06x}"/>' for k in range(4))
            parts.append(f'<linearGradient id="g{i}" x1="0" y1="0" x2="{i % 3}" y2="1">{stops}</linearGradient>')
        parts += ['<filter id="f"><feGaussianBlur stdDeviation="3"/></filter>', '<clipPath id="c"><circle cx="400" cy="300" r="280"/></clipPath>', "</defs>"]
        for i in range(shapes):
            x, y = numbers.below(800), numbers.below(600)
            curve = " ".join(f"C {numbers.below(800)} {numbers.below(600)} {numbers.below(800)} {numbers.below(600)} {numbers.below(800)} {numbers.below(600)}" for _ in range(3))
            more = ' filter="url(#f)"' if i % 90 == 0 else ' clip-path="url(#c)"' if i % 5 == 0 else ""
            parts.append(f'<path d="M {x} {y} {curve} Z" fill="url(#g{i % 12})" fill-opacity="0.{1 + i % 9}" stroke="#{numbers.below(2**24):06x}" stroke-width="{1 + i % 3}"{more}/>')
            parts.append(f'<rect x="{x}" y="{y}" width="40" height="25" rx="5" transform="rotate({i % 360} {x} {y})" fill="#{numbers.below(2**24):06x}"/>')
        (to / "picture.svg").write_text("\n".join([*parts, "</svg>"]))
        (to / "dev").mkdir(exist_ok=True)
        (to / "dev/urandom").write_bytes(bytes(numbers.below(256) for _ in range(4096)))

    return write


def formula(to: Path) -> None:
    """The factors of a number."""
    lines = ["(set-logic QF_BV)", *(f"(declare-fun {name} () (_ BitVec 40))" for name in "ab")]
    lines += [f"(assert (bvult {name} (_ bv1048576 40)))" for name in "ab"]
    lines += [f"(assert (= (bvmul a b) (_ bv{65521 * 50021} 40)))", "(assert (bvult (_ bv1 40) a))", "(assert (bvule a b))", "(check-sat)", "(exit)"]
    (to / "formula.smt2").write_text("\n".join(lines) + "\n")


def circuit(to: Path) -> None:
    """A small processor without branches, beside multipliers and a filter."""
    cases = "\n".join(f"      5'd{i}: result = {form};" for i, form in enumerate(("a + b", "a - b", "a & b", "a | b", "a ^ b", "a << b[3:0]", "a >> b[3:0]", "a * b", "{16{a < b}}")))
    taps = " + ".join(f"line[{i}] * 16'd{i * 37 % 251}" for i in range(8))
    shifts = "\n".join(f"      line[{i}] <= line[{i - 1}];" for i in range(1, 8))
    (to / "circuit.v").write_text(f"""module circuit(input clk, input [4:0] op, input [15:0] in, input [3:0] x, input [3:0] y, output reg [15:0] out, output reg [15:0] sum);
  reg [15:0] file [0:15];
  reg [15:0] line [0:7];
  reg [15:0] result;
  wire [15:0] a = file[x];
  wire [15:0] b = file[y];
  always @* begin
    case (op)
{cases}
      default: result = in;
    endcase
  end
  always @(posedge clk) begin
      file[x] <= result;
      out <= result;
      line[0] <= in;
{shifts}
      sum <= {taps};
  end
endmodule
""")
