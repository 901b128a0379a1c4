"""Components that jco turned into JavaScript once, with the preview2-shim for browsers, in Chromium and workerd.

`jco_memory_driver.py` starts the engine for each run, and writes an outcome file. Files and streams are in memory.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from ...model import Command, Inexpressible, Job, Peer, Stdio
from ...model.names import COMMAND, PROXY
from ..about import Can, Install
from ..base import free_port
from ..javascript.engine import driven
from ..javascript.packages import built
from ..javascript.transpiled import Transpiled, about, listening

_DRIVER = Path(__file__).with_name("jco_memory_driver.py")
# The shim waits by promises, so the guest has to be suspended meanwhile.
_JSPI: dict[str, str | int | bool] = {"asyncMode": "jspi", "asyncWasiImports": True, "asyncWasiExports": True}
_OPTIONS: dict[str, str | int | bool] = {"instantiation": "async", **_JSPI, "base64Cutoff": 0}
_WORKERD = "workerd@1.20261117.1"
_STREAMS = ("pipe", "null", "file", "socket")
_KINDS = ("file", "directory", "link")


class InMemory(Transpiled):
    """An engine that a driver in Python runs."""

    def command(self, peer: Peer, job: Job) -> Command | Inexpressible:
        run = job.case.run
        plain = Stdio(stdin=run.stdio.stdin, stdout=run.stdio.stdout)
        if run.stdio != plain or plain.stdin not in _STREAMS or plain.stdout not in _STREAMS:
            return Inexpressible(f"{self.name} gets its input as a whole, and its output is written at the end")
        if any(mount.system for mount in job.mounts) or any(made.kind not in _KINDS for made in run.make):
            return Inexpressible(f"{self.name} has its files in memory: only files, directories and links")
        return super().command(peer, job)

    def run(self, peer: Peer, job: Job, shim: Path) -> Command:
        port = free_port() if job.case.run.serve else 0
        more = {
            "engine": self.engine[0],
            "program": peer.program[0],
            "options": peer.options,
            "shim": str(built(shim, "browser")),
            "port": port,
            "http": "http" in job.case.run.grants,
        }
        return listening(driven(job, (sys.executable, "-I", "-S", str(_DRIVER)), more, startup=30.0), port)


_CAN = Can(lacks=("wasi:clocks/timezone", "wasi:sockets/*"), grants=("http", "inherit-network"))
_CHROMIUM = replace(about("jco's JavaScript in Chromium", _CAN), on_demand="each run starts a browser, for seconds")
RUNTIMES = (
    InMemory("jco-chromium", _CHROMIUM, ("chromium",), options=_OPTIONS),
    InMemory(
        "workerd",
        about("jco's JavaScript in workerd", replace(_CAN, worlds=(COMMAND, PROXY)), Install("npm", (_WORKERD,))),
        ("workerd",),
        options=_OPTIONS,
    ),
)
