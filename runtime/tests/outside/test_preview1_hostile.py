"""Core modules of WASI preview 1 that pass what no libc does: pointers, lengths and numbers of every kind. And what is no such module.

witx-docs.md#pointers: a misaligned pointer is a trap, and so is one out of bounds that the function needs to dereference.
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import time
from pathlib import Path

import pytest
from preview1_guest import ALL, CREAT, PAGE, READ_WRITE, SIGNATURES, TOUCHSTONE, WASM_TOOLS, Guest, assemble, names

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

END = 2 * PAGE  # of the memory
FAR = 0xFFFFFFFF
# One list for each function: good arguments, of which a pointer is replaced. P: a pointer, N: the size of what it points to.
# Descriptor 4 is an open file, 3 a directory. The third column: the alignment of each pointer.
P = "P"
CALLS: dict[str, tuple[tuple[object, ...], tuple[int, ...]]] = {
    "args_get": ((P, P), (4, 1)),
    "args_sizes_get": ((P, P), (4, 4)),
    "environ_get": ((P, P), (4, 1)),
    "environ_sizes_get": ((P, P), (4, 4)),
    "clock_res_get": ((0, P), (8,)),
    "clock_time_get": ((1, 0, P), (8,)),
    "fd_fdstat_get": ((4, P), (8,)),
    "fd_filestat_get": ((4, P), (8,)),
    "fd_pread": ((4, P, 1, 0, P), (4, 4)),
    "fd_prestat_get": ((3, P), (4,)),
    "fd_prestat_dir_name": ((3, P, 16), (1,)),
    "fd_pwrite": ((4, P, 1, 0, P), (4, 4)),
    "fd_read": ((4, P, 1, P), (4, 4)),
    "fd_readdir": ((3, P, 8, 0, P), (1, 4)),
    "fd_seek": ((4, 0, 0, P), (8,)),
    "fd_tell": ((4, P), (8,)),
    "fd_write": ((4, P, 1, P), (4, 4)),
    "path_create_directory": ((3, P, 8), (1,)),
    "path_filestat_get": ((3, 0, P, 4, P), (1, 8)),
    "path_filestat_set_times": ((3, 0, P, 8, 0, 0, 0), (1,)),
    "path_link": ((3, 0, P, 4, 3, P, 8), (1, 1)),
    "path_open": ((3, 0, P, 4, 0, 0, 0, 0, P), (1, 4)),
    "path_readlink": ((3, P, 4, P, 8, P), (1, 1, 4)),
    "path_remove_directory": ((3, P, 8), (1,)),
    "path_rename": ((3, P, 4, 3, P, 8), (1, 1)),
    "path_symlink": ((P, 8, 3, P, 8), (1, 1)),
    "path_unlink_file": ((3, P, 8), (1,)),
    "poll_oneoff": ((P, P, 1, P), (8, 8, 4)),
    "random_get": ((P, 8), (1,)),
    "sock_accept": ((0, 0, P), (4,)),
    "sock_recv": ((0, P, 1, 0, P, P), (4, 4, 2)),
    "sock_send": ((0, P, 1, 0, P), (4, 4)),
}
SOCKETS = ("sock_accept", "sock_recv", "sock_send")
# A pointer out of bounds that they do not need: there is no socket.
UNUSED = {(name, k) for name in SOCKETS for k in range(3)}


@pytest.fixture
def box(tmp_path: Path) -> Path:
    box = tmp_path / "box"
    box.mkdir()
    (box / "file").write_bytes(b"0123456789")
    (box / "link").symlink_to("file")
    return box


def pointers() -> list[tuple[str, int]]:
    return [(name, k) for name, (_, alignments) in CALLS.items() for k in range(len(alignments))]


def guest_with(name: str, k: int, bad: int) -> Guest:
    """A guest that calls a function with good arguments, but for pointer number k."""
    g = Guest()
    g.open("file")
    at = 0
    given: list[int] = []
    arguments, _ = CALLS[name]
    for i, value in enumerate(arguments):
        if value != P:
            given.append(int(str(value)))
            continue
        iovs = name in ("fd_read", "fd_write", "fd_pread", "fd_pwrite", "sock_recv", "sock_send") and i == 1
        text = name.startswith("path_") and (name == "path_symlink" or i < len(arguments) - 1) and not (name == "path_readlink" and i == 3)
        what = g.iovs(4)[0] if iovs else g.put(b"link") if text and arguments[i + 1] == 4 and name == "path_readlink" else g.put(b"file") if text and arguments[i + 1] == 4 else g.put(b"new/name") if text else g.room(64)
        given.append(bad if at == k else what)
        at += 1
    g.call(name, *given)
    return g


@pytest.mark.parametrize(("name", "k"), pointers())
def test_a_pointer_out_of_bounds_is_a_trap(tmp_path: Path, box: Path, name: str, k: int) -> None:
    alignment = CALLS[name][1][k]
    for bad in (END, END - alignment if alignment > 1 and name not in ("path_open",) else END - 1, FAR - FAR % alignment):
        g = guest_with(name, k, bad)
        if bad < END and alignment >= 4:  # the pointee of this size fits: only larger ones lead out
            continue
        done = g.run(tmp_path, "--dir", f"{box}::preopened", "--env", "A=1", status=None)
        if (name, k) in UNUSED:
            assert done.status == 0 and done.errors[-1] == "notsock"
        else:
            assert done.status == 134 and f"{name}: out of bounds pointer: " in done.stderr, (bad, done.errors, done.stderr)
    assert names(box) == ["file", "link"]


@pytest.mark.parametrize(("name", "k"), [(n, k) for n, k in pointers() if CALLS[n][1][k] > 1])
def test_a_misaligned_pointer_is_a_trap(tmp_path: Path, box: Path, name: str, k: int) -> None:
    alignment = CALLS[name][1][k]
    for off in {1, alignment // 2, alignment - 1}:
        done = guest_with(name, k, 8192 + off).run(tmp_path, "--dir", f"{box}::preopened", status=134)
        assert f"{name}: misaligned pointer: {8192 + off} is no multiple of {alignment}" in done.stderr


def test_good_pointers_do_not_trap(tmp_path: Path, box: Path) -> None:
    """The guests of the tests above, but for the bad pointer."""
    for name in CALLS:
        done = guest_with(name, -1, 0).run(tmp_path, "--dir", f"{box}::preopened")
        assert done.errors[-1] in ("success", "notsock", "noent", "exist", "notdir"), (name, done.errors)


@pytest.mark.parametrize(
    ("iovs", "count", "want"),
    [
        ([(END - 2, 4)], 1, "trap"),
        ([(8192, 4), (END, 1)], 2, "trap"),
        ([(FAR, 1)], 1, "trap"),
        ([(FAR, FAR)], 1, "trap"),
        ([(FAR, 0)], 1, "success"),
        ([(8192, 1)], 1025, "inval"),
        ([(8192, 1)], FAR, "inval"),
        ([(8192, 1)], 0, "success"),
        ([(0, 65536)] * 1024, 1024, "success"),
        ([(0, END)] * 1024, 1024, "success"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["fd_read", "fd_write", "fd_pread", "fd_pwrite"])
def test_buffers(tmp_path: Path, box: Path, name: str, iovs: list[tuple[int, int]], count: int, want: str) -> None:
    (box / "file").write_bytes(b"")
    g = Guest()
    g.open("file")
    at = g.put(b"".join(a.to_bytes(4, "little") + n.to_bytes(4, "little") for a, n in iovs), 4)
    g.call(name, 4, at, count, *((0,) if name[3] == "p" else ()), g.room())
    done = g.run(tmp_path, "--dir", f"{box}::preopened", "--max-disk", "1MiB", status=134 if want == "trap" else 0)
    if want == "trap":
        assert "out of bounds pointer" in done.stderr
    else:
        assert done.errors[-1] == want
    assert (box / "file").stat().st_size <= 1 << 20


def test_a_sum_of_buffers_that_no_result_holds(tmp_path: Path, box: Path) -> None:
    g = Guest(memory='(memory (export "memory") 1024)')
    g.open("file")
    at = g.put((0).to_bytes(4, "little") * 0 + b"".join((0).to_bytes(4, "little") + (1024 * PAGE).to_bytes(4, "little") for _ in range(64)), 4)
    g.call("fd_write", 4, at, 64, g.room())
    g.call("fd_read", 4, at, 64, g.room())
    assert g.run(tmp_path, "--dir", f"{box}::preopened").errors == ["success", "inval", "inval"]


@pytest.mark.parametrize(("memory", "words"), [("", 'the module exports no memory named "memory"'), ('(memory (export "mem") 2)', 'no memory named "memory"'), ("(memory 2)", 'no memory named "memory"')])
def test_a_module_without_the_memory(tmp_path: Path, memory: str, words: str) -> None:
    text = f"""(module (import "wasi_snapshot_preview1" "random_get" (func $f (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))
      {memory} (func (export "_start") (drop (call $y)) (drop (call $f (i32.const 0) (i32.const 8)))))"""
    done = subprocess.run([TOUCHSTONE, "run", assemble(tmp_path, text)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 134 and words in done.stderr


def test_a_memory_that_grows_is_seen(tmp_path: Path) -> None:
    text = """(module (import "wasi_snapshot_preview1" "random_get" (func $f (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start") (drop (call $f (i32.const 0) (i32.const 8))) (drop (memory.grow (i32.const 1)))
        (if (call $f (i32.const 131064) (i32.const 8)) (then unreachable))
        (if (i64.eqz (i64.load (i32.const 131064))) (then unreachable))))"""
    subprocess.run([TOUCHSTONE, "run", assemble(tmp_path, text)], timeout=60, check=True)


def test_open_files_are_limited(tmp_path: Path, box: Path) -> None:
    g = Guest()
    for _ in range(4):
        g.open("file")
    g.call("fd_readdir", 3, g.room(64), 64, 0, g.room())
    g.call("fd_close", 4)
    g.open("file")
    done = g.run(tmp_path, "--dir", f"{box}::preopened", "-S", "max-files=3")
    assert done.errors == ["success"] * 3 + ["mfile", "mfile", "success", "success"]
    assert "was refused" not in done.stderr  # only if the run fails
    text = """(module (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1) (data (i32.const 0) "file")
      (func (export "_start") (local $e i32)
        (loop $l
          (local.set $e (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
          (br_if $l (i32.eqz (local.get $e))))
        (call $exit (local.get $e))))"""
    done2 = subprocess.run(["sh", "-c", 'ulimit -n 100; exec "$@"', "sh", TOUCHSTONE, "run", "--dir", f"{box}::/", assemble(tmp_path, text)], capture_output=True, timeout=60, check=False)
    assert done2.returncode == 33  # mfile


def test_the_disk_is_limited(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("new", CREAT, ALL)
    g.call("fd_allocate", 4, 0, 1 << 40)
    g.call("fd_allocate", 4, -1, 1)
    g.call("fd_allocate", 4, 1, (1 << 63) - 1)
    g.call("fd_filestat_set_size", 4, 1 << 40)
    g.call("fd_allocate", 4, 0, 64)
    g.call("fd_pwrite", 4, g.iovs(b"x" * 80), 0, g.room())
    g.call("fd_pwrite", 4, g.iovs(b"x" * 80), 100, g.room())
    g.call("path_open", 3, 0, g.path("new"), 8, 0, 0, 0, g.room())
    g.call("fd_pwrite", 4, g.iovs(b"x" * 100), 0, g.room())
    done = g.run(tmp_path, "--dir", f"{box}::preopened", "--max-disk", "100")
    assert done.errors == ["success", "dquot", "dquot", "dquot", "dquot", "success", "success", "dquot", "success", "success"]


def test_numbers_of_descriptors(tmp_path: Path, box: Path) -> None:
    """Every function with descriptors that are not there."""
    for fd in (5, 1 << 20, 1 << 31, FAR):
        g = Guest()
        for name, types in SIGNATURES.items():
            if not name.startswith(("fd_", "path_", "sock_")):
                continue
            args: list[int] = [0] * len(types)
            args[2 if name == "path_symlink" else 0] = fd
            g.call(name, *args)
        g.call("fd_renumber", 0, fd)
        assert set(g.run(tmp_path, "--dir", f"{box}::/").errors) == {"badf"}


def test_a_busy_guest_ends_with_the_time(tmp_path: Path, box: Path) -> None:
    """Calls that succeed at once, for ever, and one that moves much: --max-time and --fuel end both."""
    text = """(module (import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32))) (memory (export "memory") 1)
      (func (export "_start") (loop $l (drop (call $y)) (br $l))))"""
    file = assemble(tmp_path, text)
    for option, words in ((("--max-time", "100ms"), "--max-time"), (("--fuel", "1000"), "--fuel")):
        begun = time.monotonic()
        done = subprocess.run([TOUCHSTONE, "run", *option, file], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 124 and words in done.stderr and time.monotonic() - begun < 5
    text = """(module (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32))) (memory (export "memory") 4096)
      (func (export "_start") (loop $l (drop (call $r (i32.const 0) (i32.const 0x0fffffff))) (br $l))))"""
    begun = time.monotonic()
    done = subprocess.run([TOUCHSTONE, "run", "--max-time", "200ms", assemble(tmp_path, text)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 124 and time.monotonic() - begun < 10


def random_guest(seed: int) -> Guest:
    """40 calls with arguments that are mostly possible: descriptors, paths, buffers and numbers of every size."""
    r = random.Random(seed)
    g = Guest()
    paths = [g.path(text) for text in ("file", "sub", "link", "new", ".", "..", "sub/../file", "a/b", "", "/x", b"\xff")]
    iovs, room = g.iovs(10, b"abcdef", 0)[0], g.room(4096)
    subscriptions = g.put(b"".join(struct.pack("<QB7xI4xQQH6x", i, i % 3, 1, r.choice([0, 1000, 1 << 62]), 0, i % 2) for i in range(8)))
    for _ in range(40):
        name = r.choice([n for n in SIGNATURES if n not in ("proc_exit", "proc_raise")])
        places = CALLS.get(name, ((0,) * len(SIGNATURES[name]), ()))[0]
        args: list[int] = []
        while len(args) < len(places):
            i = len(args)
            if SIGNATURES[name][i] == "I":
                args.append(r.choice([0, 1, 6, ALL, ALL, -1, (1 << 63) - 1, 100]))
            elif places[i] == P and r.random() < 0.01:
                args.append(r.choice([FAR, 1 << 31, END, END - 1]))
            elif places[i] == P and name.startswith("path_") and i + 1 < len(places):
                args += r.choice(paths)
            elif places[i] == P:
                args.append(iovs if i == 1 and name.startswith(("fd_read", "fd_write", "fd_p", "sock")) and "stat" not in name else room + 8 * r.randrange(100))
            elif i == 0 and name.startswith(("fd_", "path_", "sock_")):
                args.append(r.choice([0, 2, 3, 3, 3, 3, 4, 4, 5, 6, 7, 8, 50, FAR]))
            else:
                args.append(r.choice([0, 0, 1, 2, 3, 4, 4, 5, 7, 8, 8, 16, 32, 64, 256]))
        g.call(name, *((subscriptions, room, 8, room) if name == "poll_oneoff" else args[: len(places)]))
    return g


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_any_arguments(tmp_path: Path, box: Path, first: int) -> None:
    """No call is more than an error, a trap or a wait; and nothing outside the directory changes."""
    (box / "sub").mkdir()
    (box / "sub/up").symlink_to("../..")
    for seed in range(first, first + 10):
        done = random_guest(seed).run(tmp_path, "--dir", f"{box}::/", "--max-disk", "1MiB", "--max-time", "1s", "-S", "max-files=20", "--trace", status=None)
        assert done.status in (0, 134, 124), (seed, done.stderr)
        assert names(tmp_path) == ["box", "it.wasm", "it.wat"]


# --- modules and options ----------------------------------------------------------------------------


def run(folder: Path, text: str, *options: str | Path, status: int = 0, args: tuple[str, ...] = ()) -> str:
    done = subprocess.run([TOUCHSTONE, "run", *options, assemble(folder, text), *args], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


YIELD = '(import "wasi_snapshot_preview1" "sched_yield" (func $y (result i32)))'
START = '(func (export "_start"))'


@pytest.mark.parametrize(
    ("imports", "words"),
    [
        ('(import "wasi_unstable" "fd_close" (func (param i32) (result i32)))', "import wasi_unstable fd_close: this is preview 0 of WASI, which is not supported"),
        ('(import "env" "f" (func))', "import env f: a core module gets functions of wasi_snapshot_preview1 only"),
        ('(import "env" "m" (memory 1))', "import env m: a core module gets"),
        ('(import "wasi_snapshot_preview1" "sock_open" (func))', "import wasi_snapshot_preview1 sock_open: preview 1 of WASI has no such function"),
        ('(import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))', "its type is not that of preview 1, (i32) -> (i32)"),
        ('(import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))', "its type is not that of preview 1, (i32) -> ()"),
        ('(import "wasi_snapshot_preview1" "fd_close" (global i32))', "has a function of this name, nothing else"),
    ],
)  # fmt: skip
def test_what_cannot_be_linked(tmp_path: Path, imports: str, words: str) -> None:
    said = run(tmp_path, f"(module {imports} {YIELD} {START})", "--outcome", tmp_path / "o.json", status=123)
    assert words in said and "1 import cannot be linked" in said
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert outcome["outcome"] == "link-error" and len(outcome["imports"]) == 1
    function = "(func" in imports and "global" not in imports
    assert words in run(tmp_path, f"(module {imports} {YIELD} {START})", "--unknown-imports-trap", status=0 if function else 123) or function


def test_an_unknown_import_traps_if_called(tmp_path: Path) -> None:
    text = '(module (import "env" "f" (func $f)) (func (export "_start") (call $f)))'
    said = run(tmp_path, text, "--unknown-imports-trap", "--outcome", tmp_path / "o.json", status=134)
    assert "the import `env f` was called: it is not implemented here" in said
    assert json.loads((tmp_path / "o.json").read_text())["outcome"] == "trap"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(module)", "the core module exports no _start: there is nothing to run (--invoke calls an export)"),
        ('(module (func (export "_initialize")))', "no _start: there is nothing to run (it is a reactor: --invoke calls an export)"),
        ('(module (func (export "_initialize")) (func (export "_start")))', "it cannot be both a command and a reactor"),
        ('(module (func (export "_start") (param i32)))', "the module's _start is not a function without parameters and results"),
        ('(module (global (export "_start") i32 (i32.const 1)))', "the module's _start is not a function"),
    ],
)
def test_what_cannot_be_run(tmp_path: Path, text: str, words: str) -> None:
    assert words in run(tmp_path, text, status=123)


def test_options_of_components(tmp_path: Path) -> None:
    text = f"(module {YIELD} {START})"
    assert "--deny names interfaces" in run(tmp_path, text, "--deny", "wasi:clocks", status=120)
    for option in ("--record", "--replay"):
        assert "only runs of components are recorded" in run(tmp_path, text, option, tmp_path / "r", status=120)
    assert not (tmp_path / "r").exists()


REACTOR = f"""(module {YIELD} (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1) (global $n (mut i32) (i32.const 1))
  (func (export "_initialize") (global.set $n (i32.const 40)))
  (func (export "add") (param i32) (result i32) (drop (call $y)) (i32.add (global.get $n) (local.get 0)))
  (func (export "count") (result i32) (drop (call $sizes (i32.const 0) (i32.const 4))) (i32.load (i32.const 0))))"""


def test_a_function_of_a_reactor(tmp_path: Path) -> None:
    assert run(tmp_path, REACTOR, "--invoke", "add(2)") == "42\n"
    assert run(tmp_path, REACTOR, "--invoke", "count()", args=("a", "b")) == "3\n"
    assert "the module exports no such function" in run(tmp_path, REACTOR, "--invoke", "none()", status=120)


def test_how_a_run_ended(tmp_path: Path) -> None:
    outcome = tmp_path / "o.json"
    exits = '(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (func (export "_start") (call $exit (i32.const 7))))'
    run(tmp_path, exits, "--outcome", outcome, status=7)
    told = json.loads(outcome.read_text())
    assert (told["outcome"], told["status"], told["usage"]["host_calls"]) == ("exited", 7, 1)
    said = run(tmp_path, '(module (func $inner unreachable) (func (export "_start") (call $inner)))', "--outcome", outcome, status=134)
    told = json.loads(outcome.read_text())
    assert (told["outcome"], told["kind"]) == ("trap", "unreachable") and "inner" in said
    run(tmp_path, '(module (func $s unreachable) (start $s) (func (export "_start")))', status=134)
    run(tmp_path, '(module (memory (export "memory") 100) (func (export "_start")))', "--max-memory", "1MiB", status=124)


TRACED = f"""(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) {YIELD}
  (memory (export "memory") 1) (data (i32.const 0) "file") (data (i32.const 8) "hello\\n")
  (data (i32.const 16) "\\08\\00\\00\\00\\06\\00\\00\\00") (data (i32.const 24) "\\00\\01\\00\\00\\04\\00\\00\\00\\00\\02\\00\\00\\02\\00\\00\\00")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 64)))
    (drop (call $prestat (i32.const 3) (i32.const 64))) (drop (call $prestat (i32.const 4) (i32.const 64)))
    (drop (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 6) (i64.const 0) (i32.const 4) (i32.const 64)))
    (drop (call $read (i32.const 4) (i32.const 24) (i32.const 2) (i32.const 64)))
    (drop (call $seek (i32.const 4) (i64.const -2) (i32.const 1) (i32.const 64)))
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64)))
    (drop (call $y)) (drop (call $y)) (drop (call $y))
    (drop (call $write (i32.const 1) (i32.const 65528) (i32.const 2) (i32.const 64)))
    (call $exit (i32.const 3))))"""


def test_a_trace(tmp_path: Path, box: Path) -> None:
    grant = ("--dir", f"{box}::/data:ro")
    out = tmp_path / "t"
    run(tmp_path, TRACED, *grant, "--trace", "--trace-output", out, status=134)
    lines = [line.removeprefix("wasi_snapshot_preview1 ") for line in out.read_text().splitlines()]
    assert lines == [
        'fd_write(1, "hello\\n") -> ok(6)',
        "fd_prestat_get(3) -> ok(5)",
        "fd_prestat_get(4) -> err(badf)",
        'path_open(3, {symlink-follow}, "file", {}, {fd-read, fd-seek}, {}, {nonblock}) -> ok(4)',
        'fd_read(4, [4, 2]) -> ok("012345")',
        "fd_seek(4, -2, cur) -> ok(4)",
        'path_open(3, {}, "file", {creat}, {fd-write}, {}, {}) -> err(notcapable) [denied]',
        "sched_yield() -> ok",
        "… 2 more calls of sched_yield".replace("of ", "of wasi_snapshot_preview1 "),
        "fd_write(…) -> trap: fd_write: out of bounds pointer: 16 bytes at 65528, the memory has 65536",
    ]
    said = run(tmp_path, TRACED, *grant, "--trace=wasi:io", status=134)
    assert "fd_write(1" not in said
    assert "fd_write(1" in run(tmp_path, TRACED, *grant, "--trace=wasi_snapshot_preview1", status=134)
    table = run(tmp_path, TRACED, *grant, "--trace-summary", status=134).splitlines()
    row = next(line.split() for line in table if line.endswith("wasi_snapshot_preview1 path_open"))
    assert row[3:5] == ["2", "1"]
    times = run(tmp_path, TRACED, *grant, "--trace", "--trace-times", status=134)
    assert "wasi_snapshot_preview1 sched_yield() -> ok <0." in times


def test_every_function_can_be_traced(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("file", 0, READ_WRITE)
    for name, types in SIGNATURES.items():
        if name != "proc_exit":
            g.call(name, *((8192, 16384, 1, 8192) if name == "poll_oneoff" else [8192 if t == "i" else 1 for t in types]))
    done = g.run(tmp_path, "--dir", f"{box}::/", "--trace-all", status=None, stdin=subprocess.DEVNULL)
    assert done.status == 0, done.stderr
    shown = [line.split()[1].split("(")[0] for line in done.stderr.splitlines()]
    assert shown[1:-1] == [name for name in SIGNATURES if name != "proc_exit"]


def test_inspect_and_validate(tmp_path: Path) -> None:
    file = assemble(tmp_path, f"(module {YIELD} {START})")
    said = subprocess.run([TOUCHSTONE, "inspect", file], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "  import wasi_snapshot_preview1 sched_yield: func\n" in said and "  export _start: func\n" in said
    assert subprocess.run([TOUCHSTONE, "validate", file], timeout=60, check=False).returncode == 0
    done = subprocess.run([TOUCHSTONE, "serve", "--addr", "127.0.0.1:0", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 126 and "only components can be served" in done.stderr
