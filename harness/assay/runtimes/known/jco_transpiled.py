"""Components that jco turned into JavaScript once, run by node, deno or bun.

`jco_transpiled_driver.mjs` runs one with jco's preview2-shim, and writes an outcome file.
"""

from __future__ import annotations

from ...model.names import COMMAND, PROXY
from ..about import Can
from ..javascript.engine import BUN, BUN_INSTALL, DENO, DENO_INSTALL, NODE
from ..javascript.transpiled import Transpiled, about

_CAN = Can(worlds=(COMMAND, PROXY), lacks=("wasi:clocks/timezone",))
RUNTIMES = (
    Transpiled("jco-node", about("jco's JavaScript on node, without jco", _CAN), NODE),
    Transpiled("jco-deno", about("jco's JavaScript on deno", _CAN, DENO_INSTALL), DENO),
    Transpiled("jco-bun", about("jco's JavaScript on bun", _CAN, BUN_INSTALL), BUN),
)
