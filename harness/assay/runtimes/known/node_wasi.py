"""Core modules of preview 1 by `node:wasi`, the module that node, deno and bun have.

`node_wasi_driver.mjs` runs one and writes an outcome file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...model import Command, Inexpressible, Job, Peer
from ..about import About, Can
from ..javascript.engine import BUN, BUN_INSTALL, DENO, DENO_INSTALL, NODE, Engine

_DRIVER = Path(__file__).with_name("node_wasi_driver.mjs")
_SCRIPT_DRIVER = Path(__file__).with_name("javascript_script_driver.mjs")


class NodeWasi(Engine):
    """An engine's `node:wasi`. The engine also runs scripts."""

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        return self.driven(peer, job, _DRIVER, {})

    def script(self, peer: Peer, script: Path, results: Path, features: Sequence[str]) -> tuple[str, ...]:
        variables = [f"{name}={value}" for name, value in self.kept()]
        words = (peer.program[0], *self.engine[1:], *peer.options, str(_SCRIPT_DRIVER), str(script), str(results))
        return ("/usr/bin/env", *variables, *words) if variables else words


_CAN = Can(components=False, modules=True, worlds=(), grants=())
RUNTIMES = (
    NodeWasi("node-wasi", About("node:wasi of node", _CAN, "apt-get install nodejs"), NODE),
    NodeWasi("deno-wasi", About("node:wasi of deno", _CAN, install=DENO_INSTALL), DENO),
    NodeWasi("bun-wasi", About("node:wasi of bun", _CAN, install=BUN_INSTALL), BUN),
)
