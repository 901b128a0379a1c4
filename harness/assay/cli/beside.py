"""A second process, for what does not depend on what this one makes meanwhile.

In: functions without arguments. Out: what they return, which is small. The process is a copy of this one, with
all that is in memory, so a record need not be read or sent again. It begins when no other thread runs.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

_held: Sequence[Callable[[], Any]] = ()


@contextmanager
def beside(*functions: Callable[[], Any]) -> Iterator[tuple[Future[Any], ...]]:
    """Runs the functions one after the other in a second process, and gives what each will return. An exception in one
    of them is raised where its result is asked for. Those that have not begun at the end are left out."""
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=fork, initializer=_hold, initargs=(functions,)) as pool:
        futures = tuple(pool.submit(_call, place) for place in range(len(functions)))
        yield futures
        for future in futures:
            future.cancel()


def _hold(functions: Sequence[Callable[[], Any]]) -> None:
    """Keeps the functions, which came with the copy. An interrupt is for the first process, which ends this one."""
    global _held
    _held = functions
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _call(place: int) -> Any:
    return _held[place]()
