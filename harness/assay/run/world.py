"""The host side of a run besides copies of trees: special files, other file systems, mounts, fewer
privileges.

In: a case and the directories of its run. Out: the files, and argv with the programs that have to run before
the runtime, or the reason why this machine cannot do it. Files are made in the run's own fresh directories
only.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

from ..cases import find_directory
from ..model import Case, Inexpressible, Made, Mount, System

_PLACES = {System.DEV: Path("/dev"), System.PROC: Path("/proc")}
_OTHER = Path("/dev/shm")
_ALONE = Path(__file__).with_name("alone.py")
_WITHOUT_OPENAT2 = (sys.executable, "-I", "-S", str(Path(__file__).with_name("without_openat2.py")))
# Capabilities by which root bypasses the permissions of files.
_OVER_PERMISSIONS = "-dac_override,-dac_read_search,-fowner"


@contextlib.contextmanager
def mounts(case: Case, scratch: Path, *, keep: bool = False) -> Iterator[tuple[Mount, ...] | Inexpressible]:
    """Makes the preopened directories of one run. They are removed afterwards unless `keep` is set."""
    made: list[Mount] = []
    with contextlib.ExitStack() as stack:
        for index, directory in enumerate(case.run.dirs):
            host = scratch / f"dir{index}"
            if directory.system in _PLACES:
                host = _PLACES[directory.system]
            elif directory.system is System.OTHER:
                if not _other_file_system(scratch):
                    yield Inexpressible(f"{_OTHER} is not a file system other than that of {tempfile.gettempdir()}")
                    return
                host = Path(tempfile.mkdtemp(prefix="assay-", dir=_OTHER))
                if not keep:
                    stack.callback(shutil.rmtree, host, ignore_errors=True)
            elif directory.source is None:
                host.mkdir()
            else:
                shutil.copytree(directory.source, host, symlinks=True)
            made.append(Mount(host, directory.guest, directory.read_only, directory.system in _PLACES))
        try:
            places = [(item, place_of(case, made, item.path)) for item in case.run.make]
            for item, place in places:
                _make(item, place, stack)
            for item, place in places:
                if item.mode is not None:
                    place.chmod(item.mode)
                    if not keep:
                        stack.callback(_unlock, place)  # so that it can be removed without root too
        except OSError as error:
            yield Inexpressible(f"this machine cannot make {item.path}: {error.strerror or error}")
            return
        yield tuple(made)


def place_of(case: Case, made: Sequence[Mount], path: str) -> Path:
    """Returns where a guest's path is on the host. %XX in it is a byte."""
    found = find_directory(case.run.dirs, path)
    assert found is not None
    inside = os.fsdecode(unquote_to_bytes(found[1]))
    return made[case.run.dirs.index(found[0])].host / inside


def wrap(case: Case, made: Sequence[Mount], argv: Sequence[str], begun: Path) -> tuple[str, ...] | Inexpressible:
    """Returns the command line, preceded by programs that drop privileges or mount.

    Their failure is not the runtime's: the file `begun` is made when all of them have worked."""
    mounted = [item for item in case.run.make if item.kind == "mount"]
    before: list[str] = []
    if case.run.network == "ipv6" and not _has_ipv6():
        return Inexpressible("this machine has no IPv6")
    if case.run.network == "alone":
        if not _may_be_alone():
            return Inexpressible("this machine does not allow a network namespace")
        before += _alone()
    if mounted:
        if not _may_mount():
            return Inexpressible("this machine does not allow mounts in a namespace")
        script = "".join(
            f'mount -t tmpfs -o size={item.size},mode=755{",ro" if item.read_only else ""} none "$1" || exit 97; shift; '
            for item in mounted
        )
        places = [str(place_of(case, made, item.path)) for item in mounted]
        before += [*_namespace(), "sh", "-c", script + 'exec "$@"', "sh", *places]
    if case.run.unprivileged and os.geteuid() == 0:
        if not _may_drop():
            return Inexpressible("assay runs as root, and setpriv cannot drop root's rights over files")
        before += ["setpriv", f"--bounding-set={_OVER_PERMISSIONS}", "--"]
    if case.run.open_files:
        if shutil.which("prlimit") is None:
            return Inexpressible("there is no program `prlimit` to limit open files with")
        before += ["prlimit", f"--nofile={case.run.open_files}", "--"]
    if not case.run.openat2:
        if not _may_refuse_openat2():
            return Inexpressible("this machine does not allow a filter of system calls")
        before += _WITHOUT_OPENAT2
    if before:
        before += ["sh", "-c", ': > "$0" && exec "$@"', str(begun)]
    return (*before, *argv)


def _make(item: Made, place: Path, stack: contextlib.ExitStack) -> None:
    if item.kind == "fifo":
        os.mkfifo(place)
    elif item.kind == "socket":
        # a socket's address is limited to about 100 bytes, so it is given relative to its directory
        with socket.socket(socket.AF_UNIX) as made, _inside(place.parent) as folder:
            made.bind(f"/proc/self/fd/{folder}/{place.name}")
    elif item.kind == "link":
        place.symlink_to(os.fsdecode(unquote_to_bytes(item.to)))
    elif item.kind in ("directory", "mount"):
        place.mkdir()
    elif item.kind == "file":
        place.write_bytes(item.text)
        if item.mtime is not None:
            os.utime(place, (item.mtime, item.mtime))
    elif item.kind == "running":
        _running(place, stack)


def _unlock(place: Path) -> None:
    with contextlib.suppress(OSError):
        place.chmod(0o700)


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _running(place: Path, stack: contextlib.ExitStack) -> None:
    """Starts a program that runs as long as the guest does."""
    program = shutil.which("sleep")
    if program is None:
        raise OSError("there is no program `sleep` to run")
    shutil.copyfile(os.path.realpath(program), place)
    place.chmod(0o755)
    process = _start(place)

    def end() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    stack.callback(end)


def _start(program: Path) -> subprocess.Popen[bytes]:
    """Starts a program that was just written. A child that another thread forked may still hold it open for
    writing, until that child executes its own program."""
    for _ in range(100):
        try:
            null = subprocess.DEVNULL
            return subprocess.Popen([str(program), "600"], stdin=null, stdout=null, stderr=null, start_new_session=True)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(0.02)
    raise OSError(errno.ETXTBSY, os.strerror(errno.ETXTBSY))


def _other_file_system(scratch: Path) -> bool:
    try:
        return os.access(_OTHER, os.W_OK) and _OTHER.stat().st_dev != scratch.stat().st_dev
    except OSError:
        return False


def _namespace() -> tuple[str, ...]:
    return ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "--map-root-user")


@functools.cache
def _may_mount() -> bool:
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        return _works((*_namespace(), "mount", "-t", "tmpfs", "-o", "size=4096", "none", folder))


def _alone() -> tuple[str, ...]:
    return (*_namespace(), "--net", sys.executable, str(_ALONE))


@functools.cache
def _may_be_alone() -> bool:
    return _works((*_alone(), "true"))


@functools.cache
def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as made:
            made.bind(("::1", 0))
    except OSError:
        return False
    return True


@functools.cache
def _may_drop() -> bool:
    return _works(("setpriv", f"--bounding-set={_OVER_PERMISSIONS}", "--", "true"))


@functools.cache
def _may_refuse_openat2() -> bool:
    return _works((*_WITHOUT_OPENAT2, "true"))


def _works(argv: Sequence[str]) -> bool:
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
