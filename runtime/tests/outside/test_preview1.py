"""Core modules of WASI preview 1: each function with what it does and how it fails. Guests are written call by call."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest
from preview1_guest import (
    ALL,
    APPEND,
    CREAT,
    DIRECTORY,
    DSYNC,
    ERRNO,
    EXCL,
    NONBLOCK,
    READ_WRITE,
    RSYNC,
    SIGNATURES,
    SYNC,
    TOUCHSTONE,
    TRUNC,
    WASM_TOOLS,
    Done,
    Guest,
    assemble,
    names,
    rights,
)  # fmt: skip

pytestmark = [
    pytest.mark.skipif(not os.access(TOUCHSTONE, os.X_OK), reason="touchstone is not built"),
    pytest.mark.skipif(not os.access(WASM_TOOLS, os.X_OK), reason="wasm-tools is absent"),
]

NO_FD = 99


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A directory to grant, with a file, a directory and links."""
    box = tmp_path / "box"
    (box / "sub").mkdir(parents=True)
    (box / "file").write_bytes(b"0123456789")
    (box / "link").symlink_to("file")
    (box / "out").symlink_to("../secret")
    (tmp_path / "secret").write_bytes(b"secret")
    return box


def granted(box: Path, mode: str = "") -> tuple[str, str]:
    return "--dir", f"{box}::/box{mode}"


# --- the process ------------------------------------------------------------------------------------


def strings(done: Done, pointers: int, n: int) -> list[bytes]:
    return [done.memory[done.u32(pointers + 4 * i) - Guest.BASE :].split(b"\0")[0] for i in range(n)]


def test_arguments_and_environment(tmp_path: Path) -> None:
    g = Guest()
    n, size, argv, text = g.room(), g.room(), g.room(64), g.room(64)
    env_n, env_size, env, env_text = g.room(), g.room(), g.room(64), g.room(64)
    g.call("args_sizes_get", n, size)
    g.call("args_get", argv, text)
    g.call("environ_sizes_get", env_n, env_size)
    g.call("environ_get", env, env_text)
    done = g.run(tmp_path, "--env", "A=1", "--env", "EMPTY=", args=("x", "ä b"))
    assert done.errors == ["success"] * 4
    assert (done.u32(n), done.u32(size)) == (3, len("it.wasm\0x\0ä b\0".encode()))
    assert strings(done, argv, 3) == [b"it.wasm", b"x", "ä b".encode()] and done.u32(argv) == text
    assert (done.u32(env_n), done.u32(env_size)) == (2, len("A=1\0EMPTY=\0"))
    assert strings(done, env, 2) == [b"A=1", b"EMPTY="]


def test_clocks(tmp_path: Path) -> None:
    g = Guest()
    res, wall, one, two, own = g.room(), g.room(), g.room(), g.room(), g.room()
    for clock in (0, 1):
        g.call("clock_res_get", clock, res)
    g.call("clock_time_get", 0, 0, wall)
    g.call("clock_time_get", 1, 0, one)
    g.call("clock_time_get", 1, 1 << 40, two)
    for clock in (2, 3, 4, 0xFFFFFFFF):  # "For unsupported clocks, return errno::inval."
        g.call("clock_res_get", clock, own)
        g.call("clock_time_get", clock, 0, own)
    done = g.run(tmp_path)
    assert done.errors == ["success"] * 5 + ["inval"] * 8
    assert done.u64(res) > 0 and abs(done.u64(wall) - time.time_ns()) < 60e9
    assert done.u64(one) <= done.u64(two) and done.u64(own) == 0
    done = g.run(tmp_path, "--clock", "2000-01-01T00:00:00Z")
    assert done.u64(wall) // 10**9 == 946684800


def test_random(tmp_path: Path) -> None:
    g = Guest()
    a, b = g.room(40), g.room(40)
    g.call("random_get", a, 32)
    g.call("random_get", b, 32)
    g.call("random_get", 0, 0)
    done = g.run(tmp_path)
    assert done.errors == ["success"] * 3
    assert done.at(a, 32) != done.at(b, 32) and done.at(a + 32, 8) == bytes(8)
    assert g.run(tmp_path, "--seed", "7").memory == g.run(tmp_path, "--seed", "7").memory != done.memory
    assert "random bytes asked for" in g.run(tmp_path, "-S", "max-random-size=31", status=134).stderr


@pytest.mark.parametrize("code", [0, 1, 33, 126, 134, 255])
def test_exit(tmp_path: Path, code: int) -> None:
    g = Guest()
    g.call("proc_exit", code)
    g.call("sched_yield")
    assert g.run(tmp_path, status=code).output == b""


@pytest.mark.parametrize("code", [256, 0xFFFFFFFF])
def test_an_exit_status_that_no_process_has_is_a_trap(tmp_path: Path, code: int) -> None:
    g = Guest()
    g.call("proc_exit", code)
    assert f"exit with status {code}: at most 255 is possible" in g.run(tmp_path, status=134).stderr


def test_signals(tmp_path: Path) -> None:
    g = Guest()
    for signal in (0, 13, 16, 17, 22, 27, 18, 19, 20, 21, 31, 1 << 31):
        g.call("proc_raise", signal)
    g.call("sched_yield")
    assert g.run(tmp_path).errors == ["success"] * 6 + ["notsup"] * 4 + ["inval"] * 2 + ["success"]
    for signal, name in ((1, "hup"), (6, "abrt"), (9, "kill"), (30, "sys")):
        g = Guest()
        g.call("proc_raise", signal)
        assert f"the guest raised the signal {name}" in g.run(tmp_path, status=134).stderr


# --- open files ---------------------------------------------------------------------------------------


def test_reading_and_positions(tmp_path: Path, box: Path) -> None:
    g = Guest()
    fd = g.open("file")
    into, many = g.iovs(3, 0, 4), g.iovs(100)
    n, m, p, at, told, end = (g.room() for _ in range(6))
    g.call("fd_read", 4, into, n)
    g.call("fd_tell", 4, told)
    g.call("fd_pread", 4, many, 8, p)
    g.call("fd_seek", 4, -5, 1, at)
    g.call("fd_read", 4, many, m)
    g.call("fd_seek", 4, 5, 2, end)
    g.call("fd_read", 4, many, g.room())
    good = len(g.steps)
    for offset, whence in ((-1, 0), (-16, 1), (-11, 2), (0, 3), (0, 255)):
        g.call("fd_seek", 4, offset, whence, at)
    g.call("fd_seek", 4, (1 << 63) - 1, 0, g.room())
    g.call("fd_seek", 4, 1, 1, at)
    g.call("fd_pread", 4, many, -1, p)
    done = g.run(tmp_path, *granted(box))
    assert done.errors[:good] == ["success"] * good
    assert done.errors[good:] == ["inval"] * 5 + ["success", "overflow", "inval"]
    assert done.u32(fd) == 4 and done.u32(n) == 7 and done.u64(told) == 7
    assert done.u32(p) == 2 and (done.u64(at), done.u32(m), done.u64(end)) == (2, 8, 15)
    assert b"0123456" in done.memory and b"23456789" in done.memory


def test_writing(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("new", CREAT)
    n, p = g.room(), g.room()
    g.call("fd_write", 4, g.iovs(b"abc", b"", b"defg"), n)
    g.call("fd_pwrite", 4, g.iovs(b"XY"), 1, p)
    g.call("fd_write", 4, g.iovs(), g.room())
    g.open("file", 0, READ_WRITE, APPEND)
    where = g.room()
    g.call("fd_write", 5, g.iovs(b"!"), g.room())
    g.call("fd_tell", 5, where)
    g.call("fd_pwrite", 4, g.iovs(b"x"), -1, p)
    done = g.run(tmp_path, *granted(box))
    assert done.errors == ["success"] * 7 + ["inval"]
    assert (done.u32(n), done.u32(p), done.u64(where)) == (7, 2, 11)
    assert (box / "new").read_bytes() == b"aXYdefg" and (box / "file").read_bytes() == b"0123456789!"


def test_attributes(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("file", 0, ALL)
    stat, by_path, link, dir_stat, again = (g.room(64) for _ in range(5))
    g.call("fd_filestat_get", 4, stat)
    g.call("path_filestat_get", 3, 1, g.path("link"), by_path)
    g.call("path_filestat_get", 3, 0, g.path("link"), link)
    g.call("fd_filestat_get", 3, dir_stat)
    g.call("fd_filestat_set_size", 4, 4)
    g.call("fd_filestat_set_times", 4, 1_000_000_007, 2_000_000_009, 1 | 4)
    g.call("fd_filestat_get", 4, again)
    g.call("path_filestat_set_times", 3, 0, g.path("sub"), 5_000_000_000, 0, 1)
    g.call("path_filestat_set_times", 3, 1, g.path("link"), 0, 7_000_000_000, 4)
    g.call("fd_allocate", 4, 4, 60)
    g.call("fd_advise", 4, 0, 10, 5)
    g.call("fd_sync", 4)
    g.call("fd_datasync", 4)
    g.call("fd_sync", 3)
    good = len(g.steps)
    for flags in (3, 12, 16, 0x10000):
        g.call("fd_filestat_set_times", 4, 0, 0, flags)
        g.call("path_filestat_set_times", 3, 0, g.path("file"), 0, 0, flags)
    g.call("fd_advise", 4, 0, 10, 6)
    g.call("fd_allocate", 4, 0, 0)
    g.call("path_filestat_get", 3, 2, g.path("file"), g.room(64))
    g.call("fd_filestat_set_size", 4, -1)
    rest = ("path_filestat_get", 3, 0, g.path("none"), g.room(64)), ("fd_filestat_set_size", 3, 0), ("fd_advise", 3, 0, 0, 0), ("fd_allocate", 3, 0, 1)
    for name, *args in rest:
        g.call(name, *args)
    done = g.run(tmp_path, *granted(box))
    assert done.errors[:good] == ["success"] * good
    assert done.errors[good:] == ["inval"] * 12 + ["noent", "isdir", "badf", "isdir"]
    have = (box / "file").stat()
    dev, ino, kind, links, size = struct.unpack("<QQB7xQQ", done.at(stat, 40))
    assert (dev, ino, kind, links, size) == (have.st_dev, have.st_ino, 4, 1, 10) and done.at(by_path, 40) == done.at(stat, 40)
    assert (done.at(link, 64)[16], done.at(dir_stat, 64)[16]) == (7, 3)
    assert struct.unpack("<QQQ", done.at(again + 32, 24)) == (4, 1_000_000_007, 2_000_000_009)
    assert (box / "sub").stat().st_atime_ns == 5_000_000_000 and have.st_mtime_ns != 7_000_000_000
    assert have.st_size == 64


def entries(data: bytes) -> list[tuple[int, int, int, bytes]]:
    """Of what fd_readdir gave: next cookie, inode, type, name."""
    found = []
    while len(data) >= 24:
        following, inode, size, kind = struct.unpack("<QQIB3x", data[:24])
        if len(data) < 24 + size:
            break
        found.append((following, inode, kind, data[24 : 24 + size]))
        data = data[24 + size :]
    return found


def test_directories(tmp_path: Path, box: Path) -> None:
    g = Guest()
    whole, n, one, k, cut, c, beyond, b = g.room(1024), g.room(), g.room(200), g.room(), g.room(80), g.room(), g.room(), g.room()
    g.call("fd_readdir", 3, whole, 1024, 0, n)
    g.call("fd_readdir", 3, one, 200, 2, k)
    g.call("fd_readdir", 3, cut, 60, 1, c)
    g.call("fd_readdir", 3, one, 0, 0, b)
    g.call("fd_readdir", 3, one, 8, 1000, beyond)
    g.open("file")
    g.call("fd_readdir", 4, whole, 8, 0, b)
    g.call("fd_readdir", NO_FD, whole, 8, 0, b)
    done = g.run(tmp_path, *granted(box))
    assert done.errors == ["success"] * 6 + ["notdir", "badf"]
    found = entries(done.at(whole, done.u32(n)))
    assert [e[0] for e in found] == list(range(1, 7)) and [e[3] for e in found[:2]] == [b".", b".."]
    assert {(e[3], e[2]) for e in found[2:]} == {(b"file", 4), (b"sub", 3), (b"link", 7), (b"out", 7)}
    assert found[0][1] == box.stat().st_ino and found[1][1] == 0 and {e[1] for e in found[2:]} == {e.inode() for e in os.scandir(box)}
    assert entries(done.at(one, done.u32(k))) == found[2:]
    assert done.u32(c) == 60 and entries(done.at(cut, 60)) == found[1:3][: len(entries(done.at(cut, 60)))]
    assert done.u32(b) == 0 == done.u32(beyond)


def test_a_directory_is_read_in_pieces(tmp_path: Path, box: Path) -> None:
    """A buffer that cuts off each last entry: the guest asks again from the cookie before."""
    for i in range(200):
        (box / f"entry-{i}").touch()
    text = (Path(__file__).parent / "data/readdir_pieces.wat").read_text(encoding="utf-8")
    done = subprocess.run([TOUCHSTONE, "run", *granted(box), assemble(tmp_path, text)], capture_output=True, timeout=60, check=True)
    assert sorted(done.stdout.decode().split()) == sorted([".", "..", *names(box)])


# --- descriptors ------------------------------------------------------------------------------------------


def test_preopens(tmp_path: Path, box: Path) -> None:
    g = Guest()
    stat, second, name, short = g.room(), g.room(), g.room(16), g.room(16)
    g.call("fd_prestat_get", 3, stat)
    g.call("fd_prestat_get", 4, second)
    g.call("fd_prestat_dir_name", 3, name, 16)
    g.call("fd_prestat_dir_name", 4, short, 1)
    g.call("fd_prestat_dir_name", 3, short, 3)
    for fd in (0, 2, 5, NO_FD, 0xFFFFFFFF):
        g.call("fd_prestat_get", fd, g.room())
        g.call("fd_prestat_dir_name", fd, short, 8)
    done = g.run(tmp_path, *granted(box), "--dir", f"{box}/sub::.")
    assert done.errors == ["success"] * 4 + ["nametoolong"] + ["badf"] * 10
    assert done.at(stat, 8) == struct.pack("<II", 0, 4) and done.at(second, 8) == struct.pack("<II", 0, 1)
    assert done.at(name, 5) == b"/box\0" and done.at(short, 2) == b".\0"


def test_closing_and_numbers(tmp_path: Path, box: Path) -> None:
    g = Guest()
    a, b = g.open("file"), g.open("file")
    g.call("fd_close", 4)
    c = g.open("sub", DIRECTORY, 0)
    g.call("fd_close", 4)
    g.call("fd_close", 4)
    g.call("fd_renumber", 5, 3)  # a preopen may be overwritten
    g.call("fd_renumber", 5, 3)
    g.call("fd_renumber", 3, 5)
    g.call("fd_renumber", 3, 3)
    g.call("fd_prestat_get", 3, g.room())
    g.call("fd_close", NO_FD)
    g.call("fd_close", 0)
    done = g.run(tmp_path, *granted(box))
    assert [done.u32(x) for x in (a, b, c)] == [4, 5, 4]
    assert done.errors == ["success"] * 5 + ["badf", "success", "badf", "badf", "success", "badf", "badf", "success"]


def test_flags_and_rights(tmp_path: Path, box: Path) -> None:
    g = Guest()
    before, after, dirs = g.room(24), g.room(24), g.room(24)
    g.call("fd_fdstat_get", 3, dirs)
    g.open("file", 0, READ_WRITE | rights("fd_fdstat_set_flags"))
    g.call("fd_fdstat_get", 4, before)
    g.call("fd_fdstat_set_flags", 4, APPEND | NONBLOCK)
    g.call("fd_fdstat_set_rights", 4, rights("fd_read", "fd_filestat_get"), 0)
    g.call("fd_fdstat_get", 4, after)
    g.call("fd_read", 4, g.iovs(4), g.room())
    lost = [
        g.call("fd_write", 4, g.iovs(b"x"), g.room()),
        g.call("fd_seek", 4, 0, 0, g.room()),
        g.call("fd_tell", 4, g.room()),
        g.call("fd_pread", 4, g.iovs(1), 0, g.room()),
        g.call("fd_fdstat_set_flags", 4, 0),
        g.call("fd_fdstat_set_rights", 4, READ_WRITE, 0),
        g.call("fd_fdstat_set_rights", 4, 0, 1),
        g.call("fd_sync", 4),
        g.call("fd_datasync", 4),
        g.call("fd_filestat_set_times", 4, 0, 0, 2),
        g.call("fd_filestat_set_size", 4, 0),
        g.call("fd_allocate", 4, 0, 1),
        g.call("fd_advise", 4, 0, 1, 0),
    ]
    g.open("file", 0, ALL, SYNC)
    wrong = [g.call("fd_fdstat_set_flags", 5, SYNC | DSYNC), g.call("fd_fdstat_set_flags", 5, 32)]
    g.call("fd_fdstat_set_flags", 5, SYNC | APPEND)
    done = g.run(tmp_path, *granted(box))
    assert [done.errors[i] for i in lost] == ["notcapable"] * len(lost)
    assert [done.errors[i] for i in wrong] == ["notsup", "inval"]
    assert [e for i, e in enumerate(done.errors) if i not in (*lost, *wrong)] == ["success"] * 9
    assert struct.unpack("<BxH4xQQ", done.at(before, 24)) == (4, 0, READ_WRITE | rights("fd_fdstat_set_flags"), 0)
    assert struct.unpack("<BxH4xQQ", done.at(after, 24)) == (4, APPEND | NONBLOCK, rights("fd_read", "fd_filestat_get"), 0)
    kind, flags, base, inheriting = struct.unpack("<BxH4xQQ", done.at(dirs, 24))
    assert (kind, flags) == (3, 0) and not base & rights("fd_read", "fd_write", "fd_seek", "fd_filestat_set_size")
    assert inheriting == ALL & ~rights("sock_shutdown", "sock_accept")


def test_rights_are_inherited_and_only_shrink(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("sub", DIRECTORY, rights("path_open", "fd_readdir"), inheriting=rights("fd_read"))
    no_right = [
        g.call("path_open", 4, 0, g.path("x"), CREAT, 0, 0, 0, g.room()),
        g.call("path_open", 4, 0, g.path("x"), TRUNC, 0, 0, 0, g.room()),
        g.call("path_open", 4, 0, g.path("x"), 0, rights("fd_write"), 0, 0, g.room()),
        g.call("path_open", 4, 0, g.path("x"), 0, 0, 0, DSYNC, g.room()),
        g.call("path_open", 4, 0, g.path("x"), 0, 0, 0, RSYNC, g.room()),
        g.call("path_open", 4, 0, g.path("."), DIRECTORY, rights("path_unlink_file"), 0, 0, g.room()),
        g.call("path_create_directory", 4, g.path("x")),
        g.call("path_remove_directory", 4, g.path("x")),
        g.call("path_unlink_file", 4, g.path("x")),
        g.call("path_filestat_get", 4, 0, g.path("x"), g.room(64)),
        g.call("path_filestat_set_times", 4, 0, g.path("x"), 0, 0, 2),
        g.call("path_readlink", 4, g.path("x"), g.room(), 8, g.room()),
        g.call("path_symlink", g.path("x"), 4, g.path("y")),
        g.call("path_link", 4, 0, g.path("x"), 3, g.path("y")),
        g.call("path_link", 3, 0, g.path("file"), 4, g.path("y")),
        g.call("path_rename", 4, g.path("x"), 3, g.path("y")),
        g.call("path_rename", 3, g.path("file"), 4, g.path("y")),
    ]
    last = g.call("path_open", 4, 0, g.path("x"), 0, rights("fd_read"), 0, 0, g.room())
    done = g.run(tmp_path, *granted(box))
    assert [done.errors[i] for i in no_right] == ["notcapable"] * len(no_right) and done.errors[last] == "noent"
    assert names(box / "sub") == []


def test_standard_streams(tmp_path: Path) -> None:
    g = Guest()
    stats = [g.room(24) for _ in range(3)]
    for fd in range(3):
        g.call("fd_fdstat_get", fd, stats[fd])
        g.call("fd_filestat_get", fd, g.room(64))
    n, into = g.room(), g.iovs(64)
    g.call("fd_read", 0, into, n)
    wrong = [
        g.call("fd_read", 1, into, g.room()),
        g.call("fd_write", 0, g.iovs(b"x"), g.room()),
        g.call("fd_seek", 0, 0, 0, g.room()),
        g.call("fd_tell", 1, g.room()),
        g.call("fd_pread", 0, into, 0, g.room()),
        g.call("fd_pwrite", 1, g.iovs(b"x"), 0, g.room()),
        g.call("fd_pwrite", 0, g.iovs(b"x"), 0, g.room()),
        g.call("fd_readdir", 0, g.room(), 8, 0, g.room()),
        g.call("fd_filestat_set_size", 1, 0),
        g.call("fd_advise", 0, 0, 0, 0),
        g.call("path_open", 0, 0, g.path("x"), 0, 0, 0, 0, g.room()),
    ]
    g.call("fd_write", 2, g.iovs(b"err"), g.room())
    g.call("fd_write", 1, g.iovs(b"out"), g.room())
    done = g.run(tmp_path, stdin=None, input=b"from outside")
    expected = ["notcapable"] * 2 + ["spipe"] * 4 + ["notcapable", "notdir", "notcapable", "spipe", "notdir"]
    assert [done.errors[i] for i in wrong] == expected
    assert done.output == b"out" and done.stderr == "err" and done.u32(n) == 12 and b"from outside" in done.memory
    assert [done.at(s, 1)[0] for s in stats] == [0, 0, 0]  # pipes have no type


def test_what_is_before_the_position_of_stdin_is_not_granted(tmp_path: Path, box: Path) -> None:
    """A regular file as stdin, of which something has been read: as a stream, it cannot be sought. The same for stdout."""
    g = Guest()
    n, stat = g.room(), g.room(24)
    g.call("fd_fdstat_get", 0, stat)
    g.call("fd_seek", 0, 0, 0, g.room())
    g.call("fd_tell", 0, g.room())
    g.call("fd_pread", 0, g.iovs(8), 0, g.room())
    g.call("fd_pwrite", 1, g.iovs(b"x"), 0, g.room())
    g.call("fd_read", 0, g.iovs(8), n)
    with (box / "file").open("rb", buffering=0) as file:
        assert file.read(4) == b"0123"
        done = g.run(tmp_path, stdin=file)
    assert done.errors == ["success", "spipe", "spipe", "spipe", "spipe", "success"]
    assert done.at(stat, 1) == b"\4" and done.u32(n) == 6 and b"456789" in done.memory and b"0123" not in done.memory


def test_a_directory_as_stdin_grants_nothing_below_it(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.call("fd_read", 0, g.iovs(8), g.room())
    no_right = [
        g.call("path_open", 0, 0, g.path("file"), 0, 0, 0, 0, g.room()),
        g.call("path_unlink_file", 0, g.path("file")),
        g.call("path_create_directory", 0, g.path("new")),
        g.call("path_filestat_get", 0, 0, g.path("file"), g.room(64)),
        g.call("fd_readdir", 0, g.room(64), 64, 0, g.room()),
        g.call("fd_filestat_set_times", 0, 0, 0, 10),
    ]
    folder = os.open(box, os.O_RDONLY)
    done = g.run(tmp_path, stdin=folder)
    os.close(folder)
    assert done.errors == ["isdir"] + ["notcapable"] * len(no_right) and names(box) == ["file", "link", "out", "sub"]


def test_only_a_terminal_looks_like_one(tmp_path: Path) -> None:
    """wasi-libc: a character device that cannot be sought is a terminal."""
    g = Guest()
    stat = g.room(24)
    g.call("fd_fdstat_get", 0, stat)
    assert g.run(tmp_path).at(stat, 1) == b"\0"  # /dev/null
    ours, theirs = os.openpty()
    assert g.run(tmp_path, stdin=theirs).at(stat, 1) == b"\2"
    os.close(ours)
    os.close(theirs)


def test_a_closed_standard_stream(tmp_path: Path) -> None:
    g = Guest()
    g.call("fd_read", 0, g.iovs(8), g.room())
    g.call("fd_fdstat_get", 0, g.room(24))
    g.call("fd_filestat_get", 0, g.room(64))
    file = tmp_path / "it.wasm"
    g.run(tmp_path)
    done = subprocess.run(["sh", "-c", '"$0" run "$1" <&-', TOUCHSTONE, file], capture_output=True, timeout=60, check=True)
    assert struct.unpack("<3I", done.stdout[:12]) == (ERRNO.index("badf"), 0, ERRNO.index("badf"))


# --- paths --------------------------------------------------------------------------------------------------


def test_paths(tmp_path: Path, box: Path) -> None:
    g = Guest()
    target, n, cut, k = g.room(16), g.room(), g.room(16), g.room()
    steps: list[tuple[str, tuple[object, ...]]] = [
        ("success", ("path_create_directory", 3, g.path("d"))),
        ("exist", ("path_create_directory", 3, g.path("d"))),
        ("success", ("path_symlink", g.path("../file"), 3, g.path("d/l"))),
        ("exist", ("path_symlink", g.path("file"), 3, g.path("d/l"))),
        ("success", ("path_readlink", 3, g.path("d/l"), target, 16, n)),
        ("success", ("path_readlink", 3, g.path("d/l"), cut, 3, k)),
        ("inval", ("path_readlink", 3, g.path("file"), cut, 3, k)),
        ("success", ("path_link", 3, 0, g.path("file"), 3, g.path("d/hard"))),
        ("exist", ("path_link", 3, 0, g.path("file"), 3, g.path("d/hard"))),
        ("success", ("path_link", 3, 1, g.path("d/l"), 3, g.path("d/followed"))),
        ("inval", ("path_link", 3, 2, g.path("file"), 3, g.path("z"))),
        ("success", ("path_rename", 3, g.path("d/hard"), 3, g.path("d/moved"))),
        ("noent", ("path_rename", 3, g.path("d/hard"), 3, g.path("d/moved"))),
        ("notempty", ("path_remove_directory", 3, g.path("d"))),
        ("isdir", ("path_unlink_file", 3, g.path("d"))),
        ("success", ("path_unlink_file", 3, g.path("d/moved"))),
        ("noent", ("path_unlink_file", 3, g.path("d/moved"))),
        ("success", ("path_unlink_file", 3, g.path("d/followed"))),
        ("success", ("path_unlink_file", 3, g.path("d/l"))),
        ("success", ("path_remove_directory", 3, g.path("d"))),
        ("noent", ("path_remove_directory", 3, g.path("d"))),
        ("notdir", ("path_remove_directory", 3, g.path("file"))),
        ("noent", ("path_create_directory", 3, g.path(""))),
        ("ilseq", ("path_create_directory", 3, g.path(b"\xff"))),
        ("inval", ("path_create_directory", 3, g.path("a\0b"))),
        ("nametoolong", ("path_create_directory", 3, g.path("x" * 256))),
        ("nametoolong", ("path_create_directory", 3, g.path("x/" * 2100))),
    ]
    for _, step in steps:
        g.call(*step)  # type: ignore[arg-type]
    done = g.run(tmp_path, *granted(box))
    assert list(zip((s[1] for s in steps), done.errors, strict=True)) == [(s[1], s[0]) for s in steps]
    assert done.at(target, done.u32(n)) == b"../file" and done.at(cut, 4) == b"../\0" and done.u32(k) == 3


def test_opening(tmp_path: Path, box: Path) -> None:
    g = Guest()
    wants = ["success", "exist", "noent", "loop", "success", "notdir", "isdir", "inval", "inval", "inval", "inval", "success", "badf", "notdir"]
    fd = g.open("new", CREAT | EXCL)
    g.open("new", CREAT | EXCL)
    g.open("none")
    g.open("link")
    g.open("link", follow=1)
    g.open("file", DIRECTORY)
    g.open("sub", DIRECTORY, READ_WRITE)
    g.open("sub", DIRECTORY | CREAT, 0)
    g.open("file", 16)
    g.open("file", 0, 0, 32)
    g.open("file", follow=2)
    g.open("file", TRUNC, rights("fd_read"))
    g.open("file", at=NO_FD)
    g.open("file", at=4)
    done = g.run(tmp_path, *granted(box))
    assert done.errors == wants and done.u32(fd) == 4 and (box / "file").read_bytes() == b""


@pytest.mark.parametrize("openat2", [True, False])
def test_nothing_leads_out(tmp_path: Path, box: Path, openat2: bool) -> None:
    """Paths, links and names that leave the directory: perm, whatever resolves them, and the trace says that it was denied."""
    (box / "up").symlink_to("..")
    (box / "absolute").symlink_to(tmp_path / "secret")
    (box / "loop").symlink_to("sub/../../box")
    for name in ("../secret", "sub/../../secret", "/etc/passwd", "out", "up/secret", "absolute", "loop/file", "..", "sub/../.."):
        g = Guest()
        g.open(name, follow=1)
        g.call("path_filestat_get", 3, 1, g.path(name), g.room(64))
        if name not in ("out", "absolute"):
            g.call("path_link", 3, 1, g.path(name), 3, g.path("stolen"))
        g.call("path_symlink", g.path("/etc/passwd"), 3, g.path("made"))
        done = g.run(tmp_path, *granted(box), "--trace", openat2=openat2)
        assert set(done.errors) == {"perm"}, (name, done.errors)
        assert done.stderr.count("-> err(perm) [denied]") == len(done.errors)
    g = Guest()
    g.call("path_readlink", 3, g.path("absolute"), g.room(64), 64, g.room())
    g.call("path_rename", 3, g.path("file"), 3, g.path("../stolen"))
    g.call("path_create_directory", 3, g.path("up/made"))
    g.call("path_unlink_file", 3, g.path("up/secret"))
    assert g.run(tmp_path, *granted(box), openat2=openat2).errors == ["perm"] * 4
    assert names(tmp_path) == ["box", "it.wasm", "it.wat", "secret"]


def test_a_read_only_directory_refuses_writes(tmp_path: Path, box: Path) -> None:
    def tree() -> list[object]:
        return [(p, p.lstat().st_mtime_ns, p.lstat().st_size) for p in sorted(box.rglob("*"))]

    before = tree()
    g = Guest()
    stat = g.room(24)
    allowed = [
        g.call("fd_fdstat_get", 3, stat),
        g.call("path_open", 3, 0, g.path("file"), 0, ALL & ~rights("fd_write"), ALL, 0, g.room()),
        g.call("fd_read", 5, g.iovs(4), g.room()),
        g.call("path_filestat_get", 3, 0, g.path("file"), g.room(64)),
        g.call("path_readlink", 3, g.path("link"), g.room(16), 16, g.room()),
        g.call("fd_readdir", 3, g.room(64), 64, 0, g.room()),
        g.call("path_open", 3, 0, g.path("sub"), DIRECTORY, ALL & ~rights("fd_read", "fd_write"), ALL, 0, g.room()),
    ]
    refused = [
        g.call("path_open", 3, 0, g.path("file"), 0, READ_WRITE, 0, 0, g.room()),
        g.call("path_open", 3, 0, g.path("new"), CREAT, 0, 0, 0, g.room()),
        g.call("path_open", 3, 0, g.path("file"), TRUNC, 0, 0, 0, g.room()),
        g.call("fd_write", 5, g.iovs(b"x"), g.room()),
        g.call("fd_pwrite", 5, g.iovs(b"x"), 0, g.room()),
        g.call("fd_filestat_set_size", 5, 0),
        g.call("fd_filestat_set_times", 5, 0, 0, 10),
        g.call("fd_filestat_set_times", 3, 0, 0, 10),
        g.call("fd_allocate", 5, 0, 100),
        g.call("path_create_directory", 3, g.path("d")),
        g.call("path_create_directory", 6, g.path("d")),
        g.call("path_remove_directory", 3, g.path("sub")),
        g.call("path_unlink_file", 3, g.path("file")),
        g.call("path_symlink", g.path("file"), 3, g.path("s")),
        g.call("path_filestat_set_times", 3, 0, g.path("file"), 0, 0, 10),
        g.call("path_link", 3, 0, g.path("file"), 4, g.path("h")),
        g.call("path_link", 4, 0, g.path("w"), 3, g.path("h")),
        g.call("path_rename", 3, g.path("file"), 4, g.path("h")),
        g.call("path_rename", 4, g.path("w"), 3, g.path("h")),
        g.call("fd_fdstat_set_rights", 3, ALL, ALL),
    ]
    other = tmp_path / "other"
    other.mkdir()
    (other / "w").touch()
    done = g.run(tmp_path, *granted(box, ":ro"), "--dir", f"{other}::/other", "--trace-all")
    assert [done.errors[i] for i in allowed] == ["success"] * len(allowed)
    assert [done.errors[i] for i in refused] == ["notcapable"] * len(refused)
    assert done.stderr.count("-> err(notcapable) [denied]") == len(refused) - 1  # asking for rights is no access
    assert tree() == before and names(other) == ["w"]
    _, _, base, inheriting = struct.unpack("<BxH4xQQ", done.at(stat, 24))
    writes = rights("fd_write", "path_create_file", "path_unlink_file", "path_rename_source", "path_link_source", "fd_filestat_set_size")
    assert not (base | inheriting) & writes and inheriting & rights("fd_read")


# --- waiting --------------------------------------------------------------------------------------------------


def clock(userdata: int, timeout: int, which: int = 1, flags: int = 0) -> bytes:
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, which, timeout, 0, flags)


def ready(userdata: int, fd: int, kind: int = 1) -> bytes:
    return struct.pack("<QB7xI28x", userdata, kind, fd)


def poll(g: Guest, *subscriptions: bytes) -> tuple[int, int]:
    """Adds a poll_oneoff. Returns the places of the events and of their number."""
    to, n = g.room(32 * len(subscriptions)), g.room()
    g.call("poll_oneoff", g.put(b"".join(subscriptions)), to, len(subscriptions), n)
    return to, n


def events(done: Done, to: int, n: int) -> list[tuple[int, str, int, int, int]]:
    """User data, error, type, bytes and flags of each event."""
    raw = [struct.unpack("<QHB5xQH6x", done.at(to + 32 * i, 32)) for i in range(done.u32(n))]
    return [(user, ERRNO[error], kind, size, flags) for user, error, kind, size, flags in raw]


def test_poll_of_clocks(tmp_path: Path) -> None:
    g = Guest()
    past, sleep, absolute, wrong = poll(g, clock(1, 0, 1, 1)), poll(g, clock(2, 30_000_000), clock(3, 1 << 62)), poll(g, clock(4, 1, 0, 1)), poll(g, clock(5, 0, 2), clock(6, 1 << 62))
    g.call("poll_oneoff", g.room(48), g.room(32), 0, g.room())
    g.call("poll_oneoff", g.room(48), g.room(32), 65537, g.room())
    bad = poll(g, struct.pack("<QB39x", 1, 3))
    begun = time.monotonic()
    done = g.run(tmp_path)
    assert time.monotonic() - begun >= 0.03
    assert done.errors == ["success"] * 4 + ["inval"] * 3 and done.u32(bad[1]) == 0
    assert events(done, *past) == [(1, "success", 0, 0, 0)] and events(done, *sleep) == [(2, "success", 0, 0, 0)]
    assert events(done, *absolute) == [(4, "success", 0, 0, 0)] and events(done, *wrong) == [(5, "inval", 0, 0, 0)]


def test_poll_of_files(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("file", 0, READ_WRITE | rights("poll_fd_readwrite"))
    g.open("file")
    g.call("fd_seek", 4, 4, 0, g.room())
    files = poll(g, ready(1, 4), ready(2, 4, 2), ready(3, NO_FD), ready(4, 5), ready(5, 3), clock(6, 1 << 60))
    stdin = poll(g, ready(7, 0), clock(8, 1 << 60))
    g.call("fd_read", 0, g.iovs(8), g.room())
    closed = poll(g, ready(9, 0), clock(10, 1 << 60))
    out = poll(g, ready(11, 1, 2), ready(12, 2, 2))
    done = g.run(tmp_path, *granted(box), stdin=None, input=b"abc")
    assert set(done.errors) == {"success"}
    assert events(done, *files) == [(1, "success", 1, 6, 0), (2, "success", 2, 1, 0), (3, "badf", 1, 0, 0), (4, "notcapable", 1, 0, 0), (5, "notcapable", 1, 0, 0)]
    assert events(done, *stdin) == [(7, "success", 1, 3, 0)] and events(done, *closed) == [(9, "success", 1, 0, 1)]
    assert [e[:3] for e in events(done, *out)] == [(11, "success", 2), (12, "success", 2)]


def test_waits_end_with_the_time(tmp_path: Path) -> None:
    """A read of a silent pipe and a poll of far times both end with --max-time."""
    reads, polls = Guest(), Guest()
    reads.call("fd_read", 0, reads.iovs(8), reads.room())
    poll(polls, *[clock(i, 1 << 62) for i in range(1000)])
    silent, keep = os.pipe()
    for g in (reads, polls):
        begun = time.monotonic()
        done = g.run(tmp_path, "--max-time", "200ms", status=124, stdin=silent)
        assert time.monotonic() - begun < 5 and "--max-time" in done.stderr
    os.close(silent)
    os.close(keep)


def test_a_wait_does_not_block_a_guest_that_asked_for_that(tmp_path: Path) -> None:
    g = Guest()
    g.call("fd_fdstat_set_flags", 0, NONBLOCK)
    g.call("fd_read", 0, g.iovs(8), g.room())
    silent, keep = os.pipe()
    assert g.run(tmp_path, stdin=silent).errors == ["success", "again"]
    os.close(silent)
    os.close(keep)


# --- sockets ------------------------------------------------------------------------------------------------


def test_no_sockets(tmp_path: Path, box: Path) -> None:
    g = Guest()
    g.open("file")
    for fd in (NO_FD, 4, 3, 0):
        g.call("sock_accept", fd, 0, g.room())
        g.call("sock_recv", fd, g.iovs(4), 0, g.room(), g.room(2))
        g.call("sock_send", fd, g.iovs(b"x"), 0, g.room())
        g.call("sock_shutdown", fd, 3)
    done = g.run(tmp_path, *granted(box))
    assert done.errors == ["success"] + ["badf"] * 4 + ["notsock"] * 12


def test_a_connection_as_stdin(tmp_path: Path) -> None:
    g = Guest()
    stat, peeked, n, m, flags, sent, both = g.room(24), g.room(), g.room(), g.room(), g.room(), g.room(), g.iovs(2, 8)
    g.call("fd_fdstat_get", 0, stat)
    g.call("sock_recv", 0, g.iovs(3), 1, peeked, flags)
    g.call("sock_recv", 0, both, 0, n, flags)
    g.call("sock_send", 0, g.iovs(b"an", b"swer"), 0, sent)
    g.call("fd_write", 0, g.iovs(b"!"), g.room())
    g.call("sock_shutdown", 0, 2)
    g.call("sock_recv", 0, g.iovs(6), 2, m, flags)
    good = len(g.steps)
    g.call("sock_recv", 0, g.iovs(3), 4, peeked, flags)
    g.call("sock_send", 0, g.iovs(b"x"), 1, sent)
    g.call("sock_shutdown", 0, 0)
    g.call("sock_shutdown", 0, 4)
    g.call("sock_accept", 0, 0, g.room())
    g.call("sock_accept", 0, APPEND, g.room())
    ours, theirs = socket.socketpair()
    ours.sendall(b"question")

    def peer() -> None:
        with ours.makefile("rb") as file:
            assert file.read() == b"answer!"
        ours.sendall(b"one")
        time.sleep(0.05)
        ours.sendall(b"two")

    thread = threading.Thread(target=peer)
    thread.start()
    done = g.run(tmp_path, stdin=theirs)
    thread.join()
    assert done.errors == ["success"] * good + ["inval"] * 6
    assert done.at(stat, 1) == b"\6" and [done.u32(x) for x in (peeked, n, sent, m, flags)] == [3, 8, 6, 6, 0]
    assert b"question"[2:] in done.memory and b"onetwo" in done.memory
    ours.close()
    theirs.close()


def test_datagrams_are_cut(tmp_path: Path) -> None:
    g = Guest()
    n, flags, stat = g.room(), g.room(), g.room(24)
    g.call("sock_recv", 0, g.iovs(2, 2), 0, n, flags)
    g.call("sock_send", 0, g.iovs(b"a", b"b"), 0, g.room())
    g.call("fd_fdstat_get", 0, stat)
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
    ours.send(b"longer")
    done = g.run(tmp_path, stdin=theirs)
    assert done.errors == ["success"] * 3 and (done.u32(n), done.u32(flags), done.at(stat, 1)) == (4, 1, b"\5") and ours.recv(9) == b"ab"
    ours.close()
    theirs.close()


def test_a_listening_socket_as_stdin(tmp_path: Path) -> None:
    """As inetd passes it: the guest accepts, reads and answers."""
    g = Guest()
    fd, n = g.room(), g.room()
    g.call("sock_accept", 0, NONBLOCK, fd)
    g.call("fd_fdstat_set_flags", 3, 0)
    g.call("fd_read", 3, g.iovs(8), n)
    g.call("sock_send", 3, g.iovs(b"pong"), 0, g.room())
    g.call("sock_accept", 3, 0, g.room())
    g.call("fd_close", 3)
    g.call("fd_read", 3, g.iovs(8), g.room())
    answers: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def client() -> None:
            with socket.create_connection(server.getsockname()) as connection:
                connection.sendall(b"ping")
                answers.append(connection.recv(8))

        thread = threading.Thread(target=client)
        thread.start()
        done = g.run(tmp_path, stdin=server)
        thread.join()
    assert done.errors == [*["success"] * 4, "notcapable", "success", "badf"]
    assert answers == [b"pong"] and done.u32(fd) == 3 and done.u32(n) == 4
    g = Guest()
    g.call("fd_fdstat_set_flags", 0, NONBLOCK)
    g.call("sock_accept", 0, 0, g.room())
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert g.run(tmp_path, stdin=server).errors == ["success", "again"]


# --- the table ------------------------------------------------------------------------------------------------


def test_every_function_is_tested_here() -> None:
    assert len(SIGNATURES) == 46
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in SIGNATURES if len(re.findall(f'"{name}"', text)) < 1] == []
