"""Escapes from granted directories that advisories of other sandboxes describe, tried on this one. cves.tsv has the advisories.

Guests are core modules of preview 1, whose functions are those of wasi:filesystem below. Both ways to resolve a path are tried:
by the kernel (openat2), and by component.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from preview1_guest import (
    ALL,
    CREAT,
    DIRECTORY,
    ERRNO,
    EXCL,
    PAGE,
    READ_WRITE,
    TOUCHSTONE,
    TRUNC,
    WASM_TOOLS,
    Guest,
    assemble,
    names,
    rights,
)

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]
both_ways = pytest.mark.parametrize("openat2", [True, False])
MARK = 1_234_567_890
FOLDER = rights("path_open", "fd_readdir", "path_filestat_get", "path_create_file", "path_unlink_file")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Path]:
    """A directory to grant, with files and links, and files outside, which stay as they are."""
    box, outside = tmp_path / "box", tmp_path / "outside"
    (box / "sub").mkdir(parents=True)
    (box / "file").write_bytes(b"inside")
    (outside / "dir").mkdir(parents=True)
    for file in (tmp_path / "secret", outside / "secret", outside / "dir/deep"):
        file.write_bytes(b"secret")
        os.utime(file, (MARK, MARK))
    os.utime(outside / "dir", (MARK, MARK))
    os.utime(outside, (MARK, MARK))
    yield box
    for file in (tmp_path / "secret", outside / "secret", outside / "dir/deep"):
        assert file.read_bytes() == b"secret" and file.stat().st_mtime == MARK and file.stat().st_nlink == 1, file
    assert names(outside) == ["dir", "secret"] and names(outside / "dir") == ["deep"]
    assert outside.stat().st_mtime == MARK and (outside / "dir").stat().st_mtime == MARK
    assert {"box", "outside", "secret"} <= set(names(tmp_path)) <= {"box", "outside", "secret", "other", "it.wat", "it.wasm"}


def every_call(g: Guest, name: str | bytes) -> None:
    """Each function that takes a path, on this one, in each way."""
    for follow in (0, 1):
        for oflags in (0, DIRECTORY, CREAT, CREAT | EXCL, CREAT | TRUNC, TRUNC):
            for base in (0, READ_WRITE, ALL, FOLDER):
                g.call("path_open", 3, follow, g.path(name), oflags, base, 0, 0, g.room(4))
        g.call("path_filestat_get", 3, follow, g.path(name), g.room(64))
        g.call("path_filestat_set_times", 3, follow, g.path(name), 0, 0, 2 | 8)
        g.call("path_link", 3, follow, g.path(name), 3, g.path("stolen"))
    g.call("path_link", 3, 0, g.path("file"), 3, g.path(name))
    g.call("path_symlink", g.path("file"), 3, g.path(name))
    g.call("path_create_directory", 3, g.path(name))
    g.call("path_rename", 3, g.path("file"), 3, g.path(name))
    g.call("path_rename", 3, g.path(name), 3, g.path("stolen"))
    g.call("path_unlink_file", 3, g.path(name))
    g.call("path_remove_directory", 3, g.path(name))
    g.call("path_readlink", 3, g.path(name), g.room(64), 64, g.room())


@both_ways
@pytest.mark.parametrize("path", ["out/", "out//", "out/.", "out/./", "sub/../out/", "outslash", "outslash/", "file-out/", "file-out-slash", "chain/", "up/", "dots/", "abs/"])
def test_a_slash_after_a_link_leads_nowhere(tmp_path: Path, box: Path, path: str, openat2: bool) -> None:
    for name, target in (("out", "../outside"), ("outslash", "../outside/"), ("file-out", "../secret"), ("file-out-slash", "../secret/"),
                         ("chain", "out/"), ("up", ".."), ("dots", "../outside/dir/.."), ("abs", str(tmp_path / "outside") + "/")):  # fmt: skip
        (box / name).symlink_to(target)
    g = Guest()
    every_call(g, path)
    done = g.run(tmp_path, "--dir", f"{box}::/", openat2=openat2)
    # unlink and rename may act on the link itself, where there is no slash
    assert "success" not in done.errors or not path.endswith(("/", ".")), [(i, e) for i, e in enumerate(done.errors) if e == "success"]
    inner = Guest()
    for name in ("secret", "dir/deep", "dir/new", "new"):
        every_call(inner, f"{path}/{name}")
    done = inner.run(tmp_path, "--dir", f"{box}::/", openat2=openat2)
    assert "success" not in done.errors


@both_ways
@pytest.mark.parametrize("path", ["../", "..", "..//", "./../", "sub/../../", "sub/../..", "sub/./../../.", "../box/../", "..\\", "...", "../../" * 20, "/", "//", "/..", "/../"])
def test_a_path_that_ends_in_dots_or_slashes(tmp_path: Path, box: Path, path: str, openat2: bool) -> None:
    g = Guest()
    g.call("path_open", 3, 1, g.path(path), 0, 0, 0, 0, g.room(4))
    g.call("path_open", 3, 1, g.path(path), DIRECTORY, FOLDER, FOLDER, 0, g.room(4))
    g.call("path_filestat_get", 3, 1, g.path(path), g.room(64))
    g.call("path_filestat_set_times", 3, 1, g.path(path), 0, 0, 2)
    for name in ("secret", "outside/secret"):
        g.call("path_open", 3, 1, g.path(f"{path}/{name}"), 0, 0, 0, 0, g.room(4))
    done = g.run(tmp_path, "--dir", f"{box}::/", openat2=openat2)
    assert set(done.errors) <= {"perm", "noent"}, done.errors


@both_ways
@pytest.mark.parametrize("target", ["../secret", "../new", "../outside/new", "sub/../../secret", "../box/../secret", "sub/deeper"])
def test_a_link_that_the_guest_makes_leads_nowhere(tmp_path: Path, box: Path, target: str, openat2: bool) -> None:
    """It creates a link and opens it to write, to create and to truncate; the last is a link from a directory that moves."""
    g = Guest()
    g.call("path_symlink", g.path(target), 3, g.path("own"))
    g.call("path_symlink", g.path("../../secret"), 3, g.path("sub/deeper"))
    g.call("path_rename", 3, g.path("sub"), 3, g.path("sub"))
    for path in ("own", "./own", "sub/../own"):
        for oflags in (0, CREAT, CREAT | EXCL, CREAT | TRUNC, TRUNC):
            for fdflags in (0, 1):
                g.open(path, oflags, READ_WRITE, fdflags, follow=1)
                g.call("fd_write", 4, g.iovs(b"written"), g.room())
        g.call("path_link", 3, 1, g.path(path), 3, g.path("stolen"))
        g.call("path_filestat_get", 3, 1, g.path(path), g.room(64))
    g.call("path_symlink", g.path("/etc/passwd"), 3, g.path("absolute"))
    done = g.run(tmp_path, "--dir", f"{box}::/", openat2=openat2)
    assert done.errors[:2] == ["success", "success"] and "success" not in done.errors[3:], done.errors
    assert done.errors[-1] == "perm"
    assert names(box) == ["file", "own", "sub"]


@pytest.mark.parametrize("oflags", [TRUNC, CREAT, CREAT | TRUNC, CREAT | EXCL, DIRECTORY | TRUNC])
@pytest.mark.parametrize("base", [0, 2, READ_WRITE, ALL])
def test_opening_changes_nothing_read_only(tmp_path: Path, box: Path, oflags: int, base: int) -> None:
    """A truncation writes, whatever rights are asked for; so does a creation."""
    before = (box / "file").stat().st_mtime_ns
    g = Guest()
    for follow in (0, 1):
        g.open("file", oflags, base, follow=follow)
        g.open("new", oflags, base, follow=follow)
        g.open("file", oflags, base, 1, follow=follow)
    g.open("file", 0, 2)
    g.call("fd_filestat_set_size", 4, 0)
    g.call("fd_allocate", 4, 0, 100)
    g.call("fd_write", 4, g.iovs(b"x"), g.room())
    g.call("fd_pwrite", 4, g.iovs(b"x"), 0, g.room())
    done = g.run(tmp_path, "--dir", f"{box}::/:ro")
    assert done.errors[6] == "success" and "success" not in done.errors[:6] + done.errors[7:], done.errors
    assert (box / "file").read_bytes() == b"inside" and names(box) == ["file", "sub"]
    assert (box / "file").stat().st_mtime_ns == before


def test_times_stay_in_a_read_only_directory(tmp_path: Path, box: Path) -> None:
    for path in (box / "file", box / "sub", box):
        os.utime(path, (MARK, MARK))
    g = Guest()
    g.open("file", 0, 2)
    g.open("sub", DIRECTORY, FOLDER)
    for fd in (3, 4, 5):
        for flags in (1, 2, 4, 8, 5, 10):
            g.call("fd_filestat_set_times", fd, 5, 6, flags)
    for path in ("file", "sub", "."):
        for follow in (0, 1):
            g.call("path_filestat_set_times", 3, follow, g.path(path), 5, 6, 10)
    done = g.run(tmp_path, "--dir", f"{box}::/:ro")
    assert "success" not in done.errors[2:], done.errors
    assert [path.stat().st_mtime for path in (box / "file", box / "sub", box)] == [MARK] * 3


@both_ways
@pytest.mark.parametrize("nested", [False, True], ids=["beside", "inside"])
def test_a_file_does_not_become_writable_through_another_grant(tmp_path: Path, box: Path, nested: bool, openat2: bool) -> None:
    """Hard links and renames between a read-only and a writable directory of one file system: neither from one nor into it."""
    other = box / "sub" if nested else tmp_path / "other"
    other.mkdir(exist_ok=True)
    (other / "own").write_bytes(b"own")
    g = Guest()
    for follow in (0, 1):
        g.call("path_link", 3, follow, g.path("file"), 4, g.path("stolen"))
        g.call("path_link", 4, follow, g.path("own"), 3, g.path("placed"))
        g.call("path_link", 4, follow, g.path("own"), 3, g.path("file"))
        g.call("path_link", 3, follow, g.path("sub/own"), 4, g.path("stolen"))
    g.call("path_rename", 3, g.path("file"), 4, g.path("stolen"))
    g.call("path_rename", 4, g.path("own"), 3, g.path("placed"))
    g.call("path_rename", 4, g.path("own"), 3, g.path("file"))
    g.call("path_rename", 3, g.path("file"), 3, g.path("renamed"))
    g.call("path_symlink", g.path("../file"), 4, g.path("link"))
    g.open("link", TRUNC, READ_WRITE, at=4, follow=1)
    g.open("../file", TRUNC, READ_WRITE, at=4)
    done = g.run(tmp_path, "--dir", f"{box}::/ro:ro", "--dir", f"{other}::/rw", openat2=openat2)
    assert [i for i, e in enumerate(done.errors) if e == "success"] == [12], done.errors  # the symbolic link, which leads nowhere
    assert (box / "file").read_bytes() == b"inside" and (box / "file").stat().st_nlink == 1
    assert (other / "own").read_bytes() == b"own" and (other / "own").stat().st_nlink == 1
    assert names(other) == ["link", "own"] and names(box) == ["file", "sub"]


@both_ways
def test_what_is_outside_cannot_be_probed(tmp_path: Path, box: Path, openat2: bool) -> None:
    """No function says whether a path outside exists, or what it is: the error is the same for each."""
    (box / "up").symlink_to("..")
    (box / "abs").symlink_to(tmp_path)
    for way in ("..", "sub/../..", "up", "abs", str(tmp_path)):
        g = Guest()
        for name in ("secret", "absent", "outside", "outside/secret", "outside/absent", "secret/x", "outside/dir/"):
            every_call(g, f"{way}/{name}")
        errors = g.run(tmp_path, "--dir", f"{box}::/", openat2=openat2).errors
        assert len(errors) == g.errors > 400 and set(errors) == {"perm"}, (way, errors)
    g = Guest()
    at = g.room(256)
    g.call("path_readlink", 3, g.path("abs"), at, 256, g.room())
    done = g.run(tmp_path, "--dir", f"{box}::/", openat2=openat2)
    assert done.errors == ["perm"] and done.at(at, 256) == bytes(256)


def test_nothing_is_granted_that_is_not_named(tmp_path: Path, box: Path) -> None:
    """Neither the current directory, nor what the command's own parent left open, nor the variables of the command."""
    g = Guest()
    for fd in range(3, 60):
        g.call("fd_prestat_get", fd, g.room())
        g.call("fd_fdstat_get", fd, g.room(24))
        g.call("path_open", fd, 1, g.path("file"), 0, 0, 0, 0, g.room(4))
        g.call("path_open", fd, 1, g.path("/etc/passwd"), 0, 0, 0, 0, g.room(4))
    sizes, n = g.room(4), g.room(4)
    g.call("environ_sizes_get", sizes, n)
    held = [os.open(path, os.O_RDONLY) for path in (box, "/", "/etc")]
    try:
        for fd in held:
            os.set_inheritable(fd, True)
        done = g.run(tmp_path, cwd=box, close_fds=False, env={"SECRET": "x", "PATH": "/usr/bin:/bin"})
    finally:
        for fd in held:
            os.close(fd)
    assert set(done.errors[:-1]) == {"badf"}
    assert done.u32(sizes) == 0 and done.u32(n) == 0


def test_a_star_is_a_name(tmp_path: Path, box: Path) -> None:
    (box / "ab").mkdir()
    (box / "*").mkdir()
    (box / "*/inside").touch()
    g = Guest()
    g.call("path_filestat_get", 3, 0, g.path("inside"), g.room(64))
    assert g.run(tmp_path, "--dir", f"{box}/*::/").errors == ["success"]
    refused = subprocess.run([TOUCHSTONE, "run", "--dir", f"{box}/a*::/", assemble(tmp_path, g.text())], capture_output=True, timeout=60, check=False)
    assert refused.returncode == 125 and b"a*" in refused.stderr


@pytest.mark.parametrize("follow", [0, 1])
def test_a_socket_of_a_directory_is_no_way_out(tmp_path: Path, box: Path, follow: int) -> None:
    """A Unix socket that a granted directory contains is not connected to, whatever it is opened for."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(box / "socket"))
        listener.listen()
        listener.setblocking(False)
        g = Guest()
        for oflags in (0, TRUNC, CREAT):
            for base in (0, 2, 64, READ_WRITE, ALL):
                g.open("socket", oflags, base, follow=follow)
        g.call("sock_send", 3, g.iovs(b"x"), 0, g.room())
        done = g.run(tmp_path, "--dir", f"{box}::/", "-S", "inherit-network")
        assert "success" not in done.errors
        with pytest.raises(BlockingIOError):
            listener.accept()
    (box / "socket").unlink()


@both_ways
@pytest.mark.parametrize(("grant", "before"), [("/proc", ""), ("/", "proc/")])
def test_no_process_is_seen_from_inside(tmp_path: Path, grant: str, before: str, openat2: bool) -> None:
    """A guest with all of / has neither the memory nor the variables of the runtime. With /proc itself, which shows processes, it
    writes to neither; and it changes no setting there."""
    g = Guest()
    for name in ("self/mem", "self/environ", "self/maps", "self/pagemap", "thread-self/mem", "self/root/etc/passwd", "self/fd/0", "self/exe"):
        for base in (2, 64, READ_WRITE) if grant == "/" else (64, READ_WRITE):
            g.open(before + name, 0, base, follow=1)
    for name in ("self/oom_score_adj", "self/comm", "sys/kernel/core_pattern"):
        g.open(before + name, 0, 64, follow=1)
    g.open(before + "self/status", 0, 2, follow=1)
    done = g.run(tmp_path, "--dir", f"{grant}::/", openat2=openat2)
    assert set(done.errors[:-1]) <= {"perm", "acces", "rofs"} and done.errors[-1] == "success", done.errors


@both_ways
def test_a_directory_that_is_replaced_while_it_is_read(tmp_path: Path, box: Path, openat2: bool) -> None:
    """The guest opens a directory, which becomes a link to the outside; what it lists and looks at is still what it opened."""
    (box / "sub/deep").write_bytes(b"four")
    g = Guest()
    g.open("sub", DIRECTORY, FOLDER, inheriting=FOLDER)
    g.call("fd_write", 1, g.iovs(b"!"), g.room())
    g.call("fd_read", 0, g.iovs(1), g.room())
    listed, stat, second = g.room(512), g.room(64), g.room(64)
    g.call("fd_readdir", 4, listed, 512, 0, g.room())
    g.call("path_filestat_get", 4, 1, g.path("deep"), stat)
    g.call("path_filestat_get", 4, 1, g.path("secret"), second)
    g.call("path_filestat_get", 4, 1, g.path("../secret"), second)
    g.call("path_filestat_get", 3, 1, g.path("sub/secret"), second)
    file = assemble(tmp_path, g.text())
    through = [] if openat2 else ["python3", "-I", "-S", str(Path(__file__).resolve().parents[3] / "harness/assay/run/without_openat2.py")]
    with subprocess.Popen([*through, TOUCHSTONE, "run", "--dir", f"{box}::/", file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stdout.read(1) == b"!"
        (box / "sub").rename(box / "moved")
        (box / "sub").symlink_to("../outside")
        process.stdin.write(b"x")
        process.stdin.close()
        out = process.stdout.read()
    errors = [ERRNO[code] for code in memoryview(out[: 4 * g.errors]).cast("I")]
    memory = out[4 * g.errors :]
    assert errors == ["success"] * 5 + ["noent", "perm", "perm"]
    found = memory[listed - Guest.BASE :][:512]
    assert b"deep" in found and b"secret" not in found
    assert int.from_bytes(memory[stat - Guest.BASE + 32 :][:8], "little") == 4


# --- descriptors ------------------------------------------------------------------------------------------------------------


def test_renumbering_loses_nothing(tmp_path: Path, box: Path) -> None:
    """Thousands of descriptors are opened and moved onto one another, with room for three files: none is kept open."""
    text = """(module
      (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
      (memory (export "memory") 1) (data (i32.const 0) "file")
      (func $open_to (param i32)
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (local.get 0))
          (then unreachable)))
      (func (export "_start") (local $n i32)
        (call $open_to (i32.const 100))
        (loop $l
          (call $open_to (i32.const 104))
          (if (call $renumber (i32.load (i32.const 104)) (i32.load (i32.const 100))) (then unreachable))
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5000))))))"""
    file = assemble(tmp_path, text)
    done = subprocess.run([TOUCHSTONE, "run", "--dir", f"{box}::/", "-S", "max-files=3", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_renumbering_from_and_to_anything(tmp_path: Path, box: Path) -> None:
    """Every pair of descriptors that are open, closed, preopened or never were."""
    numbers = (0, 1, 3, 4, 5, 6, 100, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    for source in numbers:
        g = Guest()
        for _ in range(2):
            g.open("file")
        g.open("file")
        g.call("fd_close", 6)
        for to in numbers:
            if to != 1:  # where the results go
                g.call("fd_renumber", source, to)
        for fd in (3, 4, 5):
            g.call("fd_fdstat_get", fd, g.room(24))
        done = g.run(tmp_path, "--dir", f"{box}::/", status=None)
        assert done.status in (0, 1) and "internal" not in done.stderr and "assert" not in done.stderr, (source, done.stderr)


def test_structures_have_nothing_of_the_host_between_their_members(tmp_path: Path, box: Path) -> None:
    """What pads a structure in the guest's memory is zero, or what the guest had there."""
    g = Guest()
    (box / "another").touch()
    g.open("file")
    listed = g.put(b"\xee" * 512)
    used = g.room(4)
    g.call("fd_readdir", 3, listed, 512, 0, used)
    stat, at, fdstat, prestat, event = (g.put(b"\xee" * 64) for _ in range(5))
    g.call("fd_filestat_get", 4, stat)
    g.call("path_filestat_get", 3, 0, g.path("file"), at)
    g.call("fd_fdstat_get", 4, fdstat)
    g.call("fd_prestat_get", 3, prestat)
    subscription = g.put(bytes(16) + b"\1" + bytes(31))
    g.call("poll_oneoff", subscription, event, 1, g.room())
    done = g.run(tmp_path, "--dir", f"{box}::/")
    assert set(done.errors) == {"success"}
    pads = [done.at(stat + 17, 7), done.at(at + 17, 7), done.at(fdstat + 1, 1), done.at(fdstat + 4, 4), done.at(prestat + 1, 3), done.at(event + 11, 5)]
    entries = 0
    at_entry = listed
    while at_entry < listed + done.u32(used):
        pads.append(done.at(at_entry + 21, 3))
        at_entry += 24 + done.u32(at_entry + 16)
        entries += 1
    assert entries == 5  # two of them are . and ..
    assert all(pad in (bytes(len(pad)), b"\xee" * len(pad)) for pad in pads), pads


@pytest.mark.parametrize("count", [0x05555556, 0x08000000, 0x08000001, 0x55555556, 0x80000000, 0xFFFFFFFF, 65537])
def test_a_wait_for_more_than_there_is(tmp_path: Path, count: int) -> None:
    """Numbers of subscriptions whose size wraps to little in 32 bits."""
    g = Guest()
    subscriptions, events = g.put(bytes(48) * 4), g.room(256)
    g.call("poll_oneoff", subscriptions, events, count, g.room())
    assert g.run(tmp_path).errors == ["inval"]


@pytest.mark.parametrize(("subscriptions", "events"), [(PAGE * 2 - 48, 4096), (4096, PAGE * 2 - 32), (PAGE * 2 - 96, PAGE * 2 - 96)])
def test_waits_at_the_end_of_the_memory(tmp_path: Path, subscriptions: int, events: int) -> None:
    g = Guest()
    g.call("poll_oneoff", subscriptions, events, 2, g.room())
    g.call("poll_oneoff", subscriptions, events, 3, g.room())
    done = g.run(tmp_path, status=134)
    assert "out of bounds pointer" in done.stderr
