"""`--trace` for people: folded calls, times, durations and a table. The machine-readable part is unchanged."""

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
HELLO = BUILT / "hello.wasm"

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

# n readings of the clock, a random number, n readings, as many drops of the same resource as there are
LOOPS = """(component
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $c (export "now" (func (result u64)))))
  (import "wasi:cli/environment@0.2.0" (instance $e (export "get-arguments" (func (result (list string))))))
  (core module $libc (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
  (core instance $libc (instantiate $libc))
  (core func $now (canon lower (func $c "now")))
  (alias core export $libc "mem" (core memory $mem))
  (core func $args (canon lower (func $e "get-arguments") (memory $mem) (realloc (core func $libc "realloc"))))
  (core module $m (import "h" "now" (func $now (result i64))) (import "h" "args" (func $args (param i32)))
    (func (export "f") (param i32) (local i32)
      (loop $l (drop (call $now)) (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
      (call $args (i32.const 64)) (call $args (i32.const 64))
      (drop (call $now))
      (call $args (i32.const 64))
      (drop (call $now)) (drop (call $now)))
    (func (export "boom") (drop (call $now)) (drop (call $now)) (drop (call $now)) unreachable))
  (core instance $i (instantiate $m (with "h" (instance (export "now" (func $now)) (export "args" (func $args))))))
  (func (export "f") (param "n" u32) (canon lift (core func $i "f")))
  (func (export "boom") (canon lift (core func $i "boom"))))"""


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loops")
    (folder / "it.wat").write_text(LOOPS)
    subprocess.run([WASM_TOOLS, "parse", folder / "it.wat", "-o", folder / "it.wasm"], check=True, timeout=60)
    return folder / "it.wasm"


def trace(file: Path, *options: str, status: int = 0) -> list[str]:
    """The lines on stderr."""
    done = subprocess.run(
        [TOUCHSTONE, "run", *options, file],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == status, said
    return said.splitlines()


def shown(lines: list[str]) -> list[str]:
    return [re.sub(r"\d{4,}", "N", line.replace("wasi:clocks/monotonic-clock@0.2.0 ", "").replace("wasi:cli/environment@0.2.0 ", "")) for line in lines]


def test_repeated_calls_are_folded(loops: Path) -> None:
    assert shown(trace(loops, "--trace", "--invoke", "f(387)")) == [
        "now() -> N",
        "… 386 more calls of now",
        'get-arguments() -> ["it.wasm"]',
        "… 1 more call of get-arguments",
        "now() -> N",
        'get-arguments() -> ["it.wasm"]',
        "now() -> N",
        "… 1 more call of now",
    ]


def test_what_was_counted_is_printed_when_the_guest_traps(loops: Path) -> None:
    lines = shown(trace(loops, "--trace", "--invoke", "boom()", status=134))
    assert lines[:2] == ["now() -> N", "… 2 more calls of now"] and lines[2].startswith("touchstone: trap")


def test_every_call_has_a_line_where_that_is_asked_for(loops: Path) -> None:
    lines = trace(loops, "--trace-all", "--invoke", "f(387)")
    assert len(lines) == 387 + 3 + 3 and not any("more call" in line for line in lines)
    assert trace(loops, "--trace", "--trace-all", "--invoke", "f(3)") != trace(loops, "--trace", "--invoke", "f(3)")


def test_what_differs_is_not_folded() -> None:
    """Bytes read, errors, and denied calls each have a line."""
    for name, options in (("io-poll.wasm", ()), ("io-output-stream.wasm", ()), ("clocks-wall.wasm", ()), ("cli-stdin-empty.wasm", ())):
        whole = trace(BUILT / name, "--trace-all", "--deterministic", *options)
        folded = trace(BUILT / name, "--trace", "--deterministic", *options)
        kept = iter(folded)
        unfolded: list[str] = []
        for line in kept:
            more = re.fullmatch(r"… (\d+) more calls? of (.*)", line)
            if not more:
                unfolded.append(line)
                continue
            for _ in range(int(more[1])):
                last = whole[len(unfolded)]
                assert last.startswith(more[2] + "(") and "err(" not in last and "[denied]" not in last, last
                unfolded.append(last)
        assert unfolded == whole


def test_times_and_durations(loops: Path) -> None:
    lines = trace(loops, "--trace-times", "--invoke", "f(5)")
    times = []
    for line in lines:
        match = re.fullmatch(r" *(\d+\.\d{6}) (.*) <(\d+\.\d{6})>", line)
        assert match, line
        times.append(float(match[1]))
    assert times == sorted(times) and "… 4 more calls of wasi:clocks/monotonic-clock@0.2.0 now <" in lines[1]


def test_the_table(loops: Path) -> None:
    lines = trace(loops, "--trace-summary", "--invoke", "f(10)")
    assert lines[0].split() == ["%", "time", "seconds", "usecs/call", "calls", "errors", "bytes", "call"]
    rows = {line[63:].strip(): line[:63].split() for line in lines[2:-2]}
    assert set(rows) == {"wasi:clocks/monotonic-clock@0.2.0 now", "wasi:cli/environment@0.2.0 get-arguments"}
    assert rows["wasi:clocks/monotonic-clock@0.2.0 now"][3:] == ["13", "0", "0"]
    assert rows["wasi:cli/environment@0.2.0 get-arguments"][3:] == ["3", "0", str(3 * len("it.wasm"))]
    total = lines[-1].split()
    assert total[0] == "100.00" and total[3:] == ["16", "0", "21", "total"]
    assert len(trace(loops, "--trace-summary", "--trace", "--invoke", "f(10)")) == len(lines) + len(trace(loops, "--trace", "--invoke", "f(10)"))


def test_the_table_counts_errors_and_bytes() -> None:
    rows = {line[63:].strip(): line[:63].split() for line in trace(HELLO, "--trace-summary")[2:-2]}
    write = rows["wasi:io/streams@0.2.0 [method]output-stream.blocking-write-and-flush"]
    assert write[3:] == ["1", "0", str(len("hello from a component\n"))]
    assert rows["wasi:io/streams [resource-drop]output-stream"][3:] == ["1", "0", "0"]
    lines = trace(BUILT / "sockets-denied.wasm", "--trace-summary")
    assert int(lines[-1].split()[4]) == sum("err(" in line for line in trace(BUILT / "sockets-denied.wasm", "--trace-all")) > 0


def test_into_a_file(loops: Path, tmp_path: Path) -> None:
    assert trace(loops, "--trace-summary", "--trace-output", str(tmp_path / "t"), "--invoke", "f(2)") == []
    assert (tmp_path / "t").read_text().splitlines()[-1].endswith(" total")
    assert trace(loops, "--trace-output", str(tmp_path / "t"), "--invoke", "f(2)") == []
    assert "now() -> " in (tmp_path / "t").read_text()
    assert trace(loops, "--trace=clocks", "--trace-summary", "--invoke", "f(2)")[-1].split()[3] == "5"


@pytest.mark.parametrize(
    ("filter", "shown"),
    [
        ("wasi:clocks", True), ("wasi:clocks/wall-clock", True), ("clocks", True), ("clocks/wall-clock", True),
        ("wall-clock", True), ("random,wall-clock", True),
        ("random", False), ("wasi:clocks/monotonic-clock", False), ("streams,wasi:io", False),
    ],
)  # fmt: skip
def test_interfaces_of_the_trace(filter: str, shown: bool) -> None:
    done = subprocess.run([TOUCHSTONE, "run", f"--trace={filter}", BUILT / "clocks-wall.wasm"], capture_output=True, text=True, timeout=60, check=False)
    assert ("wasi:clocks/wall-clock@0.2.0 now" in done.stderr) == shown, done.stderr
    assert all("wasi:" + name not in done.stderr for name in ("cli", "filesystem"))
