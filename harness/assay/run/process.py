"""Running one process with limits.

In: argv, environment, directory, stdin, limits. Out: `ProcessResult`. The process leads a session of its own.
When its time is over, its process group gets SIGTERM and then SIGKILL. Processes that it leaves behind in
that group are ended too. No other process is touched.

Peak memory: the kernel's figure for a child includes the memory of the process that forked it, so it means
nothing below the harness's own size. In that case the largest sample of VmHWM counts. It is read when output
arrives and every few milliseconds. 0 means that there was no sample.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..model import ProcessResult, Stdio
from .usage import Usage

OUTPUT_LIMIT = 4 << 20
GRACE = 1.0
SAMPLE = 0.002
DRAIN = 0.5
PIPES = Stdio()
PAUSE = 0.1
END_OF_FILE = b"\x04"
"""The byte that ends the input of a terminal."""


@dataclass
class _Stream:
    """Bytes of one output, up to the limit."""

    limit: int
    data: bytearray = field(default_factory=bytearray)
    flooded: bool = False

    def take(self, chunk: bytes) -> None:
        room = self.limit - len(self.data)
        self.data += chunk[:room]
        self.flooded = self.flooded or len(chunk) > room


def execute(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: bytes = b"",
    stdio: Stdio = PIPES,
    timeout: float,
    output_limit: int = OUTPUT_LIMIT,
    grace: float = GRACE,
    stop: threading.Event | None = None,
    until: Callable[[bytearray, bytearray], bool] | None = None,
    uses: Callable[[float], None] | None = None,
) -> ProcessResult:
    """Runs `argv` until it ends, until its time is over, until `stop` is set, or until `until` returns True.

    `until` gets stdout and stderr every few milliseconds. `waits` gets True when the process begins to wait without
    using the CPU, and False when it goes on."""
    started = time.monotonic()
    ends = _Ends(stdio, stdin)
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=ends.theirs[0],
            stdout=ends.theirs[1],
            stderr=ends.theirs[2],
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
            bufsize=0,
        )
    except (OSError, ValueError) as error:  # also for arguments that no process can be given
        ends.close()
        return ProcessResult(None, None, False, False, b"", b"", 0.0, 0.0, 0, failure=str(error))
    finally:
        ends.close_theirs()
    with contextlib.suppress(OSError, ValueError, AttributeError):
        # The bound stays: a program that sets its own limit now, as those with sanitizers do, would be refused.
        _, bound = resource.prlimit(process.pid, resource.RLIMIT_CORE)
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, bound))
    watch = _Watch(process, ends, started, stdin, timeout, output_limit, grace, stop or threading.Event(), until)
    watch.usage = Usage(process.pid, uses) if uses is not None else None
    return watch.run()


class _Ends:
    """Both ends of the three standard streams. The process's ends are closed here once it has them."""

    def __init__(self, stdio: Stdio, stdin: bytes) -> None:
        self.stdio = stdio
        self.theirs: list[int] = []
        self.ours: list[int | None] = []
        for name, kind in (("stdin", stdio.stdin), ("stdout", stdio.stdout), ("stderr", stdio.stderr)):
            ours, theirs = _pair(name, "terminal" if name in stdio.terminal else kind, stdin)
            self.theirs.append(theirs)
            self.ours.append(ours)
            if ours is not None and kind != "file":
                os.set_blocking(ours, False)

    def close_theirs(self) -> None:
        while self.theirs:
            os.close(self.theirs.pop())

    def close_ours(self, number: int) -> None:
        ours, self.ours[number] = self.ours[number], None
        if ours is not None:
            os.close(ours)

    def close(self) -> None:
        for number in range(3):
            self.close_ours(number)


def _pair(name: str, kind: str, stdin: bytes) -> tuple[int | None, int]:
    """Returns our end of a stream, if there is one, and the process's end."""
    if kind == "terminal":
        try:
            ours, theirs = os.openpty()
        except OSError as error:
            why = f"no pseudo-terminal can be opened (is /dev/pts mounted?): {error.strerror}"
            raise OSError(error.errno, why) from None
        _plain(theirs)
        return ours, theirs
    if kind == "socket":
        one, other = socket.socketpair()
        return one.detach(), other.detach()
    if kind == "file":
        with tempfile.TemporaryFile(buffering=0) as file:
            if name == "stdin":
                file.write(stdin)
                file.seek(0)
                return None, os.dup(file.fileno())
            return os.dup(file.fileno()), os.dup(file.fileno())
    if kind == "directory":
        return None, os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    if kind in ("full", "null"):
        return None, os.open(f"/dev/{kind}", os.O_RDWR)
    reading, writing = os.pipe()
    if kind == "unread":
        os.close(reading)
        return None, writing
    return (writing, reading) if name == "stdin" else (reading, writing)


def _plain(terminal: int) -> None:
    """Makes a terminal pass lines unchanged: no echo, and no carriage returns added to output."""
    mode = termios.tcgetattr(terminal)
    mode[1] &= ~termios.OPOST
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, mode)


class _Watch:
    """Watches one process: it moves its input and output, enforces its limits, ends its group and measures
    it."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        ends: _Ends,
        started: float,
        stdin: bytes,
        timeout: float,
        limit: int,
        grace: float,
        stop: threading.Event,
        until: Callable[[bytearray, bytearray], bool] | None = None,
    ) -> None:
        self.process, self.ends, self.stop, self.until = process, ends, stop, until
        self.usage: Usage | None = None
        self.started, self.timeout, self.grace = started, timeout, grace
        self.out, self.err = _Stream(limit), _Stream(limit)
        self.stdin = memoryview(stdin)
        # when stdin may be written to: at once, or a moment after a text on stdout
        self.feed_at = 0.0 if not ends.stdio.stdin_when else float("inf")
        self.read_at = 0.0 if not ends.stdio.stderr_when else float("inf")
        self.selector = selectors.DefaultSelector()
        self.floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.sampled = 0
        self.ended = False
        self.timed_out = False
        self.stopped = False
        # The exit is observed without reaping, so the group's number is not reused before `wait4`.
        self.bell = _exit_bell(process.pid)
        self.status = _open_status(process.pid)

    def run(self) -> ProcessResult:
        self.selector.register(self.bell, selectors.EVENT_READ, None)
        if self.ends.stdio.stdout != "file":
            self._begin_read(1, self.out)
        if self.read_at == 0:
            self._begin_read(2, self.err)
        if self.feed_at == 0:
            self._begin_feed()
        try:
            if not self._pump(self.started + self.timeout):
                self.timed_out = not (self.out.flooded or self.err.flooded or self.stopped)
                self._signal(signal.SIGTERM)
                if not self._pump(time.monotonic() + self.grace, stop_on_flood=False):
                    self._signal(signal.SIGKILL)
                    self._pump(time.monotonic() + 10, stop_on_flood=False)
            wall = time.monotonic() - self.started
            leftovers = self._end_group()
            if self.read_at:
                self._begin_read(2, self.err)
            self._drain(time.monotonic() + DRAIN)
            if self.ends.stdio.stdout == "file":
                self._read_file()
        finally:
            self._signal(signal.SIGKILL)
            _, raw, usage = os.wait4(self.process.pid, 0)
            self.process.returncode = os.waitstatus_to_exitcode(raw)
            self._close()
        code = self.process.returncode
        return ProcessResult(
            status=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            timed_out=self.timed_out,
            flooded=self.out.flooded or self.err.flooded,
            stdout=bytes(self.out.data),
            stderr=bytes(self.err.data),
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            peak_rss_kib=usage.ru_maxrss if usage.ru_maxrss > self.floor else self.sampled,
            leftovers=leftovers,
            stopped=self.stopped,
        )

    def _pump(self, deadline: float, *, stop_on_flood: bool = True) -> bool:
        """Moves bytes until the process ends (True), or until its time or its output limit is over
        (False)."""
        while not self.ended:
            if stop_on_flood and (self.out.flooded or self.err.flooded):
                return False
            left = deadline - time.monotonic()
            if left <= 0 or (stop_on_flood and self.stop.is_set()):
                return False
            if stop_on_flood and self.until is not None and self.until(self.out.data, self.err.data):
                return self._stop()
            self._step(left)
        return True

    def _stop(self) -> bool:
        """Marks the process as done. If it has just died, it died by itself."""
        deadline = time.monotonic() + PAUSE
        while not self.ended and time.monotonic() < deadline:
            self._step(deadline - time.monotonic())
        self.stopped = not self.ended
        return self.ended

    def _drain(self, deadline: float) -> None:
        """Reads what is left in the pipes, for a limited time: a process outside the group may hold them
        open."""
        while any(isinstance(key.data, _Stream) for key in self.selector.get_map().values()):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._step(left)

    def _step(self, left: float) -> None:
        """Waits for input or output, at most until the next memory sample."""
        age = time.monotonic() - self.started
        pause = SAMPLE if age < 0.1 else 0.02 if age < 2 or self.until is not None else 0.2
        ready = self.selector.select(min(left, pause) if not self.ended else left)
        if (self.feed_at or self.read_at) and not self.ended:
            self._look_for_cues()
        if not self.ended:
            self.sampled = max(self.sampled, _high_water(self.status))
            if self.usage is not None:
                self.usage.look()
        for key, _ in ready:
            if key.fd == self.bell:
                self.ended = True
                self.selector.unregister(self.bell)
            elif isinstance(key.data, _Stream):
                try:
                    chunk = os.read(key.fd, 1 << 16)
                except BlockingIOError:
                    continue
                except OSError:  # a terminal that no process has open any more
                    chunk = b""
                if chunk:
                    key.data.take(chunk)
                else:
                    self.selector.unregister(key.fileobj)
            else:
                self._feed()

    def _look_for_cues(self) -> None:
        """Starts to feed stdin, and to read stderr, a moment after the guest has announced that it waits for
        it."""
        now = time.monotonic()
        if self.feed_at == float("inf") and self.ends.stdio.stdin_when.encode() in self.out.data:
            self.feed_at = now + PAUSE
        elif self.feed_at and now >= self.feed_at:
            self.feed_at = 0.0
            self._begin_feed()
        if self.read_at == float("inf") and self.ends.stdio.stderr_when.encode() in self.out.data:
            self.read_at = now + PAUSE
        elif self.read_at and now >= self.read_at:
            self.read_at = 0.0
            self._begin_read(2, self.err)

    def _begin_read(self, number: int, stream: _Stream) -> None:
        ours = self.ends.ours[number]
        if ours is not None:
            self.selector.register(ours, selectors.EVENT_READ, stream)

    def _read_file(self) -> None:
        """Reads the file that stands for stdout."""
        file = self.ends.ours[1]
        assert file is not None
        os.lseek(file, 0, os.SEEK_SET)
        while not self.out.flooded and (chunk := os.read(file, 1 << 16)):
            self.out.take(chunk)

    def _begin_feed(self) -> None:
        if self.ends.ours[0] is None:
            return
        if "stdin" in self.ends.stdio.terminal and not self.ends.stdio.stdin_open:
            self.stdin = memoryview(bytes(self.stdin) + END_OF_FILE)
        if self.stdin:
            self.selector.register(self.ends.ours[0], selectors.EVENT_WRITE, None)
        else:
            self._end_of_stdin()

    def _feed(self) -> None:
        assert self.ends.ours[0] is not None
        try:
            self.stdin = self.stdin[os.write(self.ends.ours[0], self.stdin[: 1 << 16]) :]
        except BlockingIOError:
            return
        except OSError:  # the process has closed its stdin, which it may
            self.stdin = self.stdin[:0]
        if not self.stdin:
            self.selector.unregister(self.ends.ours[0])
            self._end_of_stdin()

    def _end_of_stdin(self) -> None:
        # a terminal stays open: closing it would be a hang-up
        if not self.ends.stdio.stdin_open and "stdin" not in self.ends.stdio.terminal:
            self.ends.close_ours(0)

    def _signal(self, number: int) -> None:
        # This runs only before the leader is reaped, so the group's number cannot belong to another group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def _end_group(self) -> bool:
        """Ends the processes that are left in the group. Returns whether there were any."""
        left = _group_alive(self.process.pid)
        if left:
            self._signal(signal.SIGKILL)
        return left

    def _close(self) -> None:
        self.selector.close()
        os.close(self.bell)
        if self.status is not None:
            os.close(self.status)
        self.ends.close()


def _exit_bell(pid: int) -> int:
    """Returns a descriptor that can be read once the child has ended: a pidfd, or a pipe where there is none."""
    with contextlib.suppress(OSError, AttributeError):
        return os.pidfd_open(pid)
    bell, bell_in = os.pipe()
    threading.Thread(target=_ring_at_exit, args=(pid, bell_in), daemon=True).start()
    return bell


def _ring_at_exit(pid: int, bell: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    os.close(bell)


def _open_status(pid: int) -> int | None:
    """Returns a descriptor of what the kernel says of a process, or None where it is not available."""
    with contextlib.suppress(OSError):
        return os.open(f"/proc/{pid}/status", os.O_RDONLY)
    return None


def _high_water(status: int | None) -> int:
    """Returns VmHWM of a live process in KiB, or 0 where it is not available."""
    if status is None:
        return 0
    try:
        text = os.pread(status, 4096, 0)
    except OSError:
        return 0
    _, found, rest = text.partition(b"\nVmHWM:")
    return int(rest.split(None, 1)[0]) if found else 0


def _group_alive(group: int) -> bool:
    """Returns whether a process other than the dead leader is in the group. Without /proc the answer is
    no."""
    with contextlib.suppress(OSError):
        return any(_in_group(int(entry.name), group) for entry in os.scandir("/proc") if entry.name.isdigit())
    return False


def _in_group(pid: int, group: int) -> bool:
    """Returns whether a process is in the group, and not a zombie."""
    try:
        if os.getpgid(pid) != group:
            return False
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"
