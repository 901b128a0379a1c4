"""Finding the runtimes and their versions.

In: places to look and names. Out: for each adapter a `Peer`, or `Absent` with a plain reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..model import Absent, Peer
from . import Adapter, Places, Runtime


@dataclass(frozen=True)
class Found:
    adapter: Adapter
    peer: Peer | Absent

    @property
    def runtime(self) -> Runtime | None:
        """The runtime, or None where it is absent."""
        return Runtime(self.adapter, self.peer) if isinstance(self.peer, Peer) else None

    @property
    def column(self) -> Runtime | Absent:
        """What a plan has for it."""
        return Runtime(self.adapter, self.peer) if isinstance(self.peer, Peer) else self.peer

    @property
    def reason(self) -> str:
        """Why it is absent, or an empty string."""
        return self.peer.reason if isinstance(self.peer, Absent) else ""


def find(places: Places, names: Iterable[str], adapters: Sequence[Adapter]) -> tuple[Found, ...]:
    """Looks for all runtimes, or for those named, in the order of the report's columns.

    A version of a runtime that nobody named (`NAME@VERSION`) is not looked for."""
    wanted = tuple(names)
    unknown = sorted(set(wanted) - {adapter.name for adapter in adapters})
    if unknown:
        raise ValueError(
            f"unknown runtime {', '.join(unknown)}; known: {', '.join(adapter.name for adapter in adapters)}"
        )
    chosen = [adapter for adapter in adapters if not wanted or adapter.name in wanted]
    with ThreadPoolExecutor(max_workers=len(chosen)) as pool:
        found = list(pool.map(lambda adapter: adapter.find(places), chosen))
    return tuple(Found(adapter, peer) for adapter, peer in zip(chosen, found, strict=True))
