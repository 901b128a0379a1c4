"""Guests of WASI preview 1 that a test writes call by call: a module in text form, its memory, and what came of the calls.

A guest stores the error code of each call, and writes them and all that the test has put into its memory to stdout as its last act.
The signatures are those of wasi_snapshot_preview1.witx: i for i32, I for i64.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TOUCHSTONE = ROOT / os.environ.get("BUILD", "build") / "touchstone"
WASM_TOOLS = ROOT / ".venv/bin/wasm-tools"

SIGNATURES = {
    "args_get": "ii", "args_sizes_get": "ii", "environ_get": "ii", "environ_sizes_get": "ii",
    "clock_res_get": "ii", "clock_time_get": "iIi",
    "fd_advise": "iIIi", "fd_allocate": "iII", "fd_close": "i", "fd_datasync": "i", "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii", "fd_fdstat_set_rights": "iII", "fd_filestat_get": "ii", "fd_filestat_set_size": "iI",
    "fd_filestat_set_times": "iIIi", "fd_pread": "iiiIi", "fd_prestat_get": "ii", "fd_prestat_dir_name": "iii",
    "fd_pwrite": "iiiIi", "fd_read": "iiii", "fd_readdir": "iiiIi", "fd_renumber": "ii", "fd_seek": "iIii",
    "fd_sync": "i", "fd_tell": "ii", "fd_write": "iiii",
    "path_create_directory": "iii", "path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiIIi",
    "path_link": "iiiiiii", "path_open": "iiiiiIIii", "path_readlink": "iiiiii", "path_remove_directory": "iii",
    "path_rename": "iiiiii", "path_symlink": "iiiii", "path_unlink_file": "iii",
    "poll_oneoff": "iiii", "proc_exit": "i", "proc_raise": "i", "sched_yield": "", "random_get": "ii",
    "sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
}  # fmt: skip
# typenames.witx: $errno
ERRNO = ["success", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again", "already", "badf", "badmsg", "busy", "canceled", "child", "connaborted", "connrefused", "connreset", "deadlk", "destaddrreq", "dom", "dquot", "exist", "fault", "fbig", "hostunreach", "idrm", "ilseq", "inprogress", "intr", "inval", "io", "isconn", "isdir", "loop", "mfile", "mlink", "msgsize", "multihop", "nametoolong", "netdown", "netreset", "netunreach", "nfile", "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem", "nomsg", "noprotoopt", "nospc", "nosys", "notconn", "notdir", "notempty", "notrecoverable", "notsock", "notsup", "notty", "nxio", "overflow", "ownerdead", "perm", "pipe", "proto", "protonosupport", "prototype", "range", "rofs", "spipe", "srch", "stale", "timedout", "txtbsy", "xdev", "notcapable"]
# typenames.witx: $rights
RIGHTS = ["fd_datasync", "fd_read", "fd_seek", "fd_fdstat_set_flags", "fd_sync", "fd_tell", "fd_write", "fd_advise", "fd_allocate", "path_create_directory", "path_create_file", "path_link_source", "path_link_target", "path_open", "fd_readdir", "path_readlink", "path_rename_source", "path_rename_target", "path_filestat_get", "path_filestat_set_size", "path_filestat_set_times", "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "path_symlink", "path_remove_directory", "path_unlink_file", "poll_fd_readwrite", "sock_shutdown", "sock_accept"]
CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = 1, 2, 4, 8, 16
ALL = (1 << len(RIGHTS)) - 1
PAGE = 65536


def rights(*names: str) -> int:
    return sum(1 << RIGHTS.index(name) for name in names)


READ_WRITE = rights("fd_read", "fd_write", "fd_seek", "fd_tell", "fd_filestat_get")


@dataclass
class Done:
    """What a guest did: the error codes by name, its memory from Guest.BASE on, and what it wrote besides."""

    errors: list[str]
    memory: bytes
    output: bytes
    stderr: str
    status: int

    def at(self, place: int, size: int) -> bytes:
        return self.memory[place - Guest.BASE :][:size]

    def u32(self, place: int) -> int:
        return int.from_bytes(self.at(place, 4), "little")

    def u64(self, place: int) -> int:
        return int.from_bytes(self.at(place, 8), "little")


@dataclass
class Guest:
    """A guest. Its memory has two pages; what the test puts there begins at BASE."""

    BASE = 4096
    memory: str = '(memory (export "memory") 2)'
    data: bytearray = field(default_factory=bytearray)
    steps: list[str] = field(default_factory=list)
    errors: int = 0

    def put(self, content: bytes, align: int = 8) -> int:
        """The address of these bytes."""
        self.data += bytes(-len(self.data) % align)
        place = self.BASE + len(self.data)
        self.data += content
        return place

    def room(self, size: int = 8, align: int = 8) -> int:
        return self.put(bytes(size), align)

    def path(self, text: str | bytes) -> tuple[int, int]:
        """Two arguments: a pointer and a length."""
        content = text.encode() if isinstance(text, str) else text
        return self.put(content, 1), len(content)

    def iovs(self, *buffers: bytes | int) -> tuple[int, int]:
        """Two arguments: an array of buffers with content, or with room for so many bytes."""
        made = [(self.put(b, 1), len(b)) if isinstance(b, bytes) else (self.room(b, 1), b) for b in buffers]
        return self.put(b"".join(struct.pack("<II", *one) for one in made), 4), len(made)

    def call(self, name: str, *args: int | tuple[int, int]) -> int:
        """Adds a call. A tuple is two arguments. Returns its place in Done.errors."""
        flat = [value for arg in args for value in (arg if isinstance(arg, tuple) else (arg,))]
        types = SIGNATURES[name]
        assert len(flat) == len(types), name
        given = " ".join(f"({'i64' if t == 'I' else 'i32'}.const {v})" for t, v in zip(types, flat, strict=True))
        call = f"(call ${name} {given})"
        self.steps.append(call if name == "proc_exit" else f"(i32.store (i32.const {4 * self.errors}) {call})")
        self.errors += 1
        return self.errors - 1

    def open(self, name: str, oflags: int = 0, base: int = READ_WRITE, fdflags: int = 0, *, at: int = 3, follow: int = 0, inheriting: int = 0) -> int:
        """Adds a path_open. Returns where it puts the descriptor."""
        to = self.room(4)
        self.call("path_open", at, follow, self.path(name), oflags, base, inheriting, fdflags, to)
        return to

    def text(self) -> str:
        used = {step.split("(call $")[1].split()[0].rstrip(")") for step in self.steps} | {"fd_write"}
        imports = []
        for name in sorted(used):
            params = " ".join("i64" if t == "I" else "i32" for t in SIGNATURES[name])
            result = "" if name == "proc_exit" else "(result i32)"
            imports.append(f'(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {params}) {result}))')
        content = "".join(f"\\{byte:02x}" for byte in self.data)
        # two buffers, the error codes and the data, at the end of the first 4096 bytes
        dump = struct.pack("<IIII", 0, 4 * self.errors, self.BASE, len(self.data))
        last = "".join(f"\\{byte:02x}" for byte in dump)
        return "\n".join([
            "(module", *imports, self.memory,
            f'(data (i32.const {self.BASE}) "{content}")', f'(data (i32.const 4064) "{last}")',
            '(func (export "_start")', *self.steps,
            "(drop (call $fd_write (i32.const 1) (i32.const 4064) (i32.const 2) (i32.const 4088)))))",
        ])  # fmt: skip

    def run(
        self, folder: Path, *options: str | Path, args: tuple[str, ...] = (), status: int | None = 0, openat2: bool = True, **more: object
    ) -> Done:
        """Runs the guest with these options. openat2 False: on a kernel that lacks it, where paths are walked by component."""
        file = assemble(folder, self.text())
        given = {"stdin": subprocess.DEVNULL, "timeout": 60, **more}
        through = [] if openat2 else [sys.executable, "-I", "-S", ROOT / "harness/assay/run/without_openat2.py"]
        done = subprocess.run([*through, TOUCHSTONE, "run", *options, file, *args], capture_output=True, check=False, **given)  # type: ignore[call-overload]
        said = done.stderr.decode("utf-8", "backslashreplace")
        assert status is None or done.returncode == status, said
        size = 4 * self.errors + len(self.data)
        if done.returncode != 0 or len(done.stdout) < size:  # it did not come to its last act, or had closed stdout
            return Done([], b"", done.stdout, said, done.returncode)
        tail = done.stdout[len(done.stdout) - size :]
        codes = struct.unpack(f"<{self.errors}I", tail[: 4 * self.errors])
        named = [ERRNO[c] if c < len(ERRNO) else f"{c} is no error code" for c in codes]
        return Done(named, tail[4 * self.errors :], done.stdout[: len(done.stdout) - size], said, 0)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assemble(folder: Path, text: str, name: str = "it") -> Path:
    (folder / f"{name}.wat").write_text(text, encoding="utf-8")
    file = folder / f"{name}.wasm"
    subprocess.run([WASM_TOOLS, "parse", folder / f"{name}.wat", "-o", file], check=True, timeout=60)
    return file
