"""Ending a command that runs processes: Ctrl-C and SIGTERM end these processes too.

In: the events that stop running processes (`Settings.stop`). Out: KeyboardInterrupt, with these events set.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event


@contextmanager
def ended_by_signals(*stops: Event) -> Iterator[None]:
    """Makes SIGTERM end what is inside as Ctrl-C does. In a background job, SIGINT may be ignored.

    Whatever ends it early sets `stops`, so that no process stays behind. Within a pool of threads it is the inner
    context: the pool waits for its threads, which end when their processes do."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, end) if in_main else None
    try:
        yield
    except BaseException:
        for stop in stops:
            stop.set()
        raise
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)
