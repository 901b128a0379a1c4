"""Messages of limits name the option and its unit; silent refusals are reported; --outcome has the usage of a run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"
BUILT = ROOT / "fixtures/built"

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

COMPONENT = """(component
  (core module $m (memory (export "mem") 2) (memory $small 1 3) (table 10 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "beyond") (param i32) (result i32) (memory.grow $small (local.get 0)))
    (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0)))
    (func (export "boom") (param i32) (result i32) (drop (memory.grow (local.get 0))) (drop (memory.grow (local.get 0))) unreachable)
    (func $r (export "deep") (param i32) (result i32) (call $r (local.get 0)))
    (func (export "loop") (param i32) (result i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) i32.const 0))
  (core instance $i (instantiate $m))
  FUNCTIONS)""".replace(
    "FUNCTIONS",
    " ".join(
        f'(func (export "{name}") (param "n" u32) (result s32) (canon lift (core func $i "{name}")))'
        for name in ("grow", "beyond", "table", "boom", "deep", "loop")
    ),
)


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("limits")
    (folder / "it.wat").write_text(COMPONENT)
    subprocess.run([WASM_TOOLS, "parse", folder / "it.wat", "-o", folder / "it.wasm"], check=True, timeout=60)
    return folder / "it.wasm"


def run(file: Path, *options: str, status: int = 0) -> str:
    done = subprocess.run(
        [TOUCHSTONE, "run", *options, file],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == status, said
    return said


def outcome(file: Path, folder: Path, *options: str, status: int = 0) -> Any:
    run(file, *options, "--outcome", str(folder / "outcome"), status=status)
    return json.loads((folder / "outcome").read_text())


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ("--max-memory 64KiB --invoke grow(1)", 124, "a memory of 128 KiB (2 pages of 64 KiB) is over the limit of 64 KiB (--max-memory)"),
        ("--max-memory 100000 --invoke grow(1)", 124, "(2 pages of 64 KiB) is over the limit of 100000 bytes (--max-memory)"),
        ("--max-table 9 --invoke grow(1)", 124, "a table of 10 elements is over the limit of 9 (--max-table)"),
        ("--stack 128KiB --invoke deep(1)", 134, "the limit of 128 KiB on the stack is reached (--stack)"),
        ("--fuel 77 --invoke loop(1000)", 124, "the fuel is used up: 77 calls and loop iterations (--fuel)"),
        ("--max-time 40ms --invoke loop(0)", 124, "the time limit of 40 ms was reached (--max-time)"),
    ],
)
def test_words(component: Path, options: str, status: int, words: str) -> None:
    assert words in run(component, *options.split(), status=status)


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        ("-S max-resources=1", "io-poll-many.wasm", "no more are allowed (-S max-resources)"),
        ("-S max-random-size=1", "random-secure.wasm", "at most 1 are given at once (-S max-random-size)"),
        ("-S max-http-fields-size=40", "http-fields.wasm", "(-S max-http-fields-size)"),
        ("--max-depth 1", "random-secure.wasm", "the depth limit, 1 nested calls through the host or between components, is reached (--max-depth)"),
    ],
)
def test_words_of_the_host(options: str, name: str, words: str) -> None:
    assert words in run(BUILT / name, *options.split(), status=134)


def test_the_outcome_names_the_option(component: Path, tmp_path: Path) -> None:
    assert outcome(component, tmp_path, "--fuel", "9", "--invoke", "loop(99)", status=124)["limit"] == "--fuel"
    assert outcome(component, tmp_path, "--stack", "64KiB", "--invoke", "deep(1)", status=134)["limit"] == "--stack"
    assert outcome(component, tmp_path, "--max-time", "30ms", "--invoke", "loop(0)", status=124)["limit"] == "--max-time"
    assert "limit" not in outcome(component, tmp_path, "--invoke", "boom(1)", status=134)


def test_refused_growth_is_told_when_the_run_fails(component: Path, tmp_path: Path) -> None:
    words = "touchstone: memory.grow was refused 2 times: a memory of 640 KiB is over the limit of 256 KiB (--max-memory)\n"
    assert words in run(component, "--max-memory", "256KiB", "--invoke", "boom(8)", status=134)
    assert "refused" not in run(component, "--max-memory", "256KiB", "--invoke", "grow(8)"), "the program went on and succeeded"
    said = run(component, "--max-memory", "256KiB", "--outcome", str(tmp_path / "o"), "--invoke", "grow(8)")
    assert "memory.grow was refused once" in said
    assert "refused" not in run(component, "--invoke", "boom(1)", status=134)


def test_refusals_are_counted(component: Path, tmp_path: Path) -> None:
    def refused(*options: str, status: int = 0) -> Any:
        return outcome(component, tmp_path, *options, status=status)["usage"]["refused"]

    assert refused("--max-memory", "256KiB", "--invoke", "boom(8)", status=134) == {"memory_grow": 2, "table_grow": 0, "files": 0}
    assert refused("--max-memory", "256KiB", "--invoke", "grow(2)") == {"memory_grow": 0, "table_grow": 0, "files": 0}
    assert refused("--max-table", "20", "--invoke", "table(11)") == {"memory_grow": 0, "table_grow": 1, "files": 0}
    # a refusal by the module's own maximum or by 32 bits is not due to the limit
    assert refused("--max-memory", "256KiB", "--invoke", "beyond(3)") == {"memory_grow": 0, "table_grow": 0, "files": 0}
    assert refused("--invoke", "grow(65535)") == {"memory_grow": 0, "table_grow": 0, "files": 0}


def test_what_a_success_has_taken(component: Path, tmp_path: Path) -> None:
    have = outcome(component, tmp_path, "--fuel", "5000", "--invoke", "loop(1000)")
    usage = have["usage"]
    assert have["outcome"] == "exited" and have["status"] == 0
    assert usage["fuel"] == 1001 and usage["depth"] == 1 and usage["seconds"] > 0 and usage["cpu_seconds"] > 0
    assert usage["memories"] == [{"module": "m", "bytes": 131072}, {"module": "m", "bytes": 65536}]
    assert usage["table_elements"] == 10 and usage["host_calls"] == 0
    grown = outcome(component, tmp_path, "--invoke", "grow(14)")["usage"]
    assert grown["memories"][0] == {"module": "m", "bytes": 1 << 20} and "fuel" not in grown
    assert outcome(component, tmp_path, "--invoke", "table(5)")["usage"]["table_elements"] == 15


def test_limits_of_what_was_used_suffice(tmp_path: Path) -> None:
    """A second run succeeds with limits of exactly what the first used, and fails with lower ones."""
    file = BUILT / "io-poll-many.wasm"
    usage = outcome(file, tmp_path, "--fuel", "1000000000")["usage"]
    assert usage["host_calls"] > 10 and usage["resources"] > 2 and usage["handles"] > 2
    memory = max(memory["bytes"] for memory in usage["memories"])
    stack = usage["stack_bytes"] + 4096
    enough = {"--max-memory": memory, "--fuel": usage["fuel"], "--max-depth": usage["depth"], "-S": f"max-resources={usage['resources']}", "--stack": stack}
    enough["--max-table"] = max(usage["table_elements"], usage["handles"])
    run(file, *(word for option, value in enough.items() for word in (option, str(value))))
    run(file, "--fuel", str(usage["fuel"] - 1), status=124)
    run(file, "-S", f"max-resources={usage['resources'] - 1}", status=134)
    run(file, "--max-memory", str(memory - 65536), status=124)


def test_names_of_a_backtrace_are_harmless(tmp_path: Path) -> None:
    text = '(module (func $"\\1b[31mred\\07\\c2\\9b" (export "f") unreachable))'
    (tmp_path / "it.wat").write_text(text)
    subprocess.run([WASM_TOOLS, "parse", tmp_path / "it.wat", "-o", tmp_path / "it.wasm"], check=True, timeout=60)
    said = run(tmp_path / "it.wasm", "--invoke", "f", status=134)
    assert "!?[31mred??" in said and "\x1b" not in said and "\x9b" not in said


def test_names_of_the_outcome_are_json(tmp_path: Path) -> None:
    """Names of any characters, and those that are too long and end in the middle of a character."""
    odd = '\\"\\\\\\1b\\7f\\n é\u4e2d\U0001f600'
    ends = ["é" * 200, "\u4e2d" * 150, "\U0001f600" * 100]
    for shift in range(4):
        for name in [odd, *("x" * shift + end for end in ends)]:
            (tmp_path / "it.wat").write_text(f'(module $"{name}" (memory 1) (func $"{name}" (export "f") unreachable))')
            subprocess.run([WASM_TOOLS, "parse", tmp_path / "it.wat", "-o", tmp_path / "it.wasm"], check=True, timeout=60)
            have = outcome(tmp_path / "it.wasm", tmp_path, "--invoke", "f", status=134)
            frame = have["backtrace"][0]
            if name is odd:
                assert frame["module"] == frame["function"] == have["usage"]["memories"][0]["module"] == '"\\\x1b\x7f\n é\u4e2d\U0001f600'
            else:
                whole = frame["function"].rstrip("\ufffd")
                assert name.startswith(whole) and len(whole) > 10 and len(frame["function"]) - len(whole) <= 3
                assert name.startswith(frame["module"].rstrip("\ufffd"))


def test_the_place_in_a_malformed_file(tmp_path: Path) -> None:
    (tmp_path / "it.wasm").write_bytes(b"\0asm\1\0\0\0\1\4\1\x60\0")
    have = outcome(tmp_path / "it.wasm", tmp_path, status=121)
    assert (have["outcome"], have["offset"], have["section"]) == ("malformed", 10, "type")
    (tmp_path / "it.wasm").write_bytes(b"\0asm\2\0\0\0")
    have = outcome(tmp_path / "it.wasm", tmp_path, status=121)
    assert have["offset"] == 4 and "section" not in have and "backtrace" not in have


@pytest.mark.parametrize("engine", ["interpreter", "compiled-at-once"])
def test_a_function_that_could_not_be_entered_has_its_first_line(engine: str, tmp_path: Path) -> None:
    (tmp_path / "it.wat").write_text("(module (func $f (local i64)\n  (drop (i32.const 1))\n  (call $f))\n  (export \"f\" (func $f)))")
    subprocess.run([WASM_TOOLS, "parse", "-g", "it.wat", "-o", "it.wasm"], cwd=tmp_path, check=True, timeout=60)
    run(tmp_path / "it.wasm", "--engine", engine, "--invoke", "f", "--outcome", str(tmp_path / "o"), status=134)
    outcome = json.loads((tmp_path / "o").read_text())
    assert outcome["kind"] == "call-stack-exhausted"
    assert [(frame["line"], frame["offset"] > 0) for frame in outcome["backtrace"][:3]] == [(2, True), (3, True), (3, True)]


@pytest.mark.parametrize("engine", ["interpreter", "compiled-at-once"])
def test_an_uncaught_exception_says_where_it_was_thrown(engine: str, tmp_path: Path) -> None:
    (tmp_path / "it.wat").write_text("""(module (tag $one) (tag $two) (tag $three (param i32))
  (func $throws (param i32)
    (if (i32.eqz (local.get 0)) (then (throw $one)))
    (throw $three (local.get 0)))
  (func $catches (export "f")
    (block $caught (try_table (catch $one $caught) (call $throws (i32.const 0))))
    (block $other (try_table (catch $two $other)
      (call $throws (i32.const 7))))))""")
    subprocess.run([WASM_TOOLS, "parse", "-g", "it.wat", "-o", "it.wasm"], cwd=tmp_path, check=True, timeout=60)
    said = run(tmp_path / "it.wasm", "--engine", engine, "--invoke", "f", "--outcome", str(tmp_path / "o"), status=134)
    assert "uncaught exception" in said and "!throws (" in said
    outcome = json.loads((tmp_path / "o").read_text())
    assert outcome["kind"] == "uncaught-exception"
    assert [(frame["function"], frame["line"]) for frame in outcome["backtrace"]] == [("throws", 4), ("catches", 8)]


@pytest.mark.parametrize(
    ("symbol", "path"),
    [
        ("_ZN4core6option15Option$LT$T$GT$6unwrap17h0123456789abcdefE", "core::option::Option<T>::unwrap"),
        ("_RNvMs0_NtC5alloc3vecNtB5_3Vec4push", "<alloc::vec::Vec>::push"),
        ("_ZNSt6vectorIiE4sizeEv", "_ZNSt6vectorIiE4sizeEv"),
    ],
)
def test_names_of_rust_are_demangled(symbol: str, path: str, tmp_path: Path) -> None:
    (tmp_path / "it.wat").write_text(f'(module (func $"{symbol}" (export "f") unreachable))')
    subprocess.run([WASM_TOOLS, "parse", tmp_path / "it.wat", "-o", tmp_path / "it.wasm"], check=True, timeout=60)
    said = run(tmp_path / "it.wasm", "--invoke", "f", "--outcome", str(tmp_path / "o"), status=134)
    assert f"!{path} at" in said or f"!{path}\n" in said, said
    assert json.loads((tmp_path / "o").read_text())["backtrace"][0]["function"] == path


def test_a_guest_that_fills_the_disk(tmp_path: Path) -> None:
    """--max-disk: files grow no further, however they are written, and the run continues with the error quota."""
    shutil.copytree(BUILT.parent / "trees/small", tmp_path / "data")
    before = sum(f.stat().st_size for f in (tmp_path / "data").rglob("*") if f.is_file())
    options = ("--dir", f"{tmp_path}/data::/data")
    said = run(BUILT / "fs-streams.wasm", *options, "--max-disk", "1", "--outcome", str(tmp_path / "o"))
    assert "touchstone: a file was refused to grow 3 times: files have grown by 1 byte (--max-disk)" in said
    usage = json.loads((tmp_path / "o").read_text())["usage"]
    assert usage["disk_bytes"] == 1 and usage["refused"]["disk"] == 3
    assert sum(f.stat().st_size for f in (tmp_path / "data").rglob("*") if f.is_file()) <= before + 1
    (tmp_path / "p.toml").write_text("max-disk = '1MiB'\n")
    assert "refused" not in run(BUILT / "fs-streams.wasm", *options, "--policy", str(tmp_path / "p.toml"))


HANDLER = """(component
  (import "wasi:http/types@0.2.0" (instance $t (export "incoming-request" (type (sub resource))) (export "response-outparam" (type (sub resource)))))
  (alias export $t "incoming-request" (type $request)) (alias export $t "response-outparam" (type $out))
  (core module $m (memory 1) (func (export "handle") (param i32 i32) (drop (memory.grow (i32.const 100))) unreachable))
  (core instance $i (instantiate $m))
  (func $h (param "request" (own $request)) (param "response-out" (own $out)) (canon lift (core func $i "handle")))
  (instance $e (export "handle" (func $h)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $e)))"""


def test_serve_tells_of_it_for_each_request(tmp_path: Path) -> None:
    (tmp_path / "it.wat").write_text(HANDLER)
    subprocess.run([WASM_TOOLS, "parse", tmp_path / "it.wat", "-o", tmp_path / "it.wasm"], check=True, timeout=60)
    argv = [TOUCHSTONE, "serve", "--addr", "127.0.0.1:0", "--max-memory", "1MiB", tmp_path / "it.wasm"]
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert server.stderr is not None
        port = int(server.stderr.readline().decode().rstrip("/\n").rpartition(":")[2])
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                while peer.recv(65536):
                    pass
        server.send_signal(signal.SIGTERM)
        said = server.stderr.read().decode()
        server.wait(60)
    finally:
        server.kill()
        server.wait()
    words = "touchstone: memory.grow was refused once: a memory of 6464 KiB is over the limit of 1 MiB (--max-memory)\n"
    assert said.count(words) == 2 and said.count("trap (unreachable)") == 2, said
