"""How much of a processor a session of processes uses.

In: the number of a session. Out: the share of each window of time, told to a function. Without /proc nothing is ever
told. A session that is kept from the processor by others counts as one that uses it: a thread of it is ready to run.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

WINDOW = 0.2
"""Seconds over which CPU time is measured."""
_FRESH = 0.1
_PROC = Path("/proc")


class Usage:
    """Watches one session. `tell` gets its share after each window: CPU time for each second, at most 1."""

    def __init__(self, session: int, tell: Callable[[float], None]) -> None:
        self.session, self.tell = session, tell
        self._since, self._used = time.monotonic(), 0.0

    def look(self) -> None:
        """Measures, if the window is over. It is called again and again."""
        passed = time.monotonic() - self._since
        if passed < WINDOW:
            return
        used, processes = SESSIONS.used(self.session)
        share = min(max(used - self._used, 0.0) / passed, 1.0)
        self._since, self._used = time.monotonic(), used
        if processes:
            self.tell(1.0 if any(map(_ready, processes)) else share)


@contextlib.contextmanager
def waiting(lock: threading.Lock, tell: Callable[[float], None] | None) -> Iterator[None]:
    """Holds a lock. Tells that nothing is used as long as another thread holds it."""
    if tell is None:
        lock.acquire()
    elif not lock.acquire(blocking=False):
        tell(0.0)
        lock.acquire()
        tell(1.0)
    try:
        yield
    finally:
        lock.release()


class Sessions:
    """The CPU time of all sessions. Several threads share what one of them has read a moment ago."""

    def __init__(self, proc: Path = _PROC) -> None:
        self.proc = proc
        self._lock = threading.Lock()
        self._read = float("-inf")
        self._used: dict[int, tuple[float, tuple[int, ...]]] = {}

    def used(self, session: int) -> tuple[float, tuple[int, ...]]:
        """Returns the seconds of CPU time of a session's processes and of those they have waited for, and the
        numbers of the processes."""
        with self._lock:
            if time.monotonic() - self._read >= _FRESH:
                self._used = self._all()
                self._read = time.monotonic()
            return self._used.get(session, (0.0, ()))

    def _all(self) -> dict[int, tuple[float, tuple[int, ...]]]:
        used: dict[int, tuple[float, tuple[int, ...]]] = {}
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.proc):
                if not entry.name.isdigit() or not (fields := _fields(Path(entry.path))):
                    continue
                ticks = sum(map(int, fields[11:15]))
                before, processes = used.get(int(fields[3]), (0.0, ()))
                used[int(fields[3])] = before + ticks / os.sysconf("SC_CLK_TCK"), (*processes, int(entry.name))
        return used


SESSIONS = Sessions()


def available(proc: Path = _PROC) -> int:
    """Returns the KiB of memory that programs can still get (proc_meminfo(5)), or 0 where it is not known."""
    with contextlib.suppress(OSError):
        _, found, rest = (proc / "meminfo").read_text(encoding="ascii").partition("\nMemAvailable:")
        return int(rest.split(None, 1)[0]) if found else 0
    return 0


def _fields(place: Path) -> list[str]:
    """Returns the fields of a process or a thread from its state on (proc_pid_stat(5)), or none if it is gone."""
    with contextlib.suppress(OSError):
        return (place / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return []


def _ready(process: int) -> bool:
    """Returns whether a thread of a process runs, is ready to, or waits for a disk."""
    with contextlib.suppress(OSError):
        threads = os.scandir(_PROC / str(process) / "task")
        return any(_fields(Path(thread.path))[:1] in (["R"], ["D"]) for thread in threads)
    return False
