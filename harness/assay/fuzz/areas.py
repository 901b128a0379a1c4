"""The areas: what scripts there are, and how one becomes smaller. The hunt needs no more of an area.

In: the name of an area. Out: an `Area`. Calls of WASI have an area each; `components` is exchanges of typed values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import calls
from .calls import Script
from .components import exchange, simpler
from .components import generate as generate_exchanges

COMPONENTS = "components"
NAMES = (*calls.TABLE, COMPONENTS)


@dataclass(frozen=True)
class Area:
    name: str
    examples: Callable[[int, int], list[Script]]
    """Returns so many scripts (fewer where some are alike) by a seed."""
    simpler: Callable[[Script], Iterable[Script]]
    """Returns scripts with the same lines, of which one is simpler."""
    weight: Callable[[Script], Any]
    """Returns what is to become small. Values of one area can be compared."""


def area(name: str) -> Area:
    """Returns an area by its name."""
    if name == COMPONENTS:
        return Area(name, generate_exchanges.examples, simpler.simpler, simpler.weight)
    from . import generate, shrink

    return Area(
        name,
        lambda count, seed: generate.examples(name, count, seed),
        lambda script: shrink.simpler_words(script, name),
        shrink.weight_of_calls,
    )


def area_of(script: Script) -> str:
    """Returns the name of the first area that has all lines of a script. Raises ValueError."""
    names = {line.name for line in script}
    if names <= set(exchange.NAMES):
        return COMPONENTS
    for name in calls.TABLE:
        if names <= {call.name for call in calls.signatures(name)}:
            return name
    return "sockets" if any(name.startswith(("tcp-", "udp-", "resolve-")) for name in names) else "requests"


def parts(name: str, script: Script) -> list[Script]:
    """Returns the scripts of a file that is replayed: of components, one for each line. Raises ValueError."""
    if name != COMPONENTS:
        return [script]
    return [generate_exchanges.script(one) for one in exchange.exchanges(script)]
