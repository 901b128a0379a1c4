"""A few processes of jco that transpile many components, for adapters that run what it makes.

In: a component, the options of jco's transpileCmd. Out: whether jco made it, or None where jco itself failed. A
process begins with its first component, and ends with this one, whose end closes its stdin.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import LifoQueue
from typing import Any

_DRIVER = Path(__file__).parents[1] / "known" / "jco_transpile_driver.mjs"


class Transpiler:
    """Several threads may use it. Up to `most` processes transpile at once; one that ended is started again with the
    next component."""

    def __init__(self, node: str, script: str, *kept: str, most: int = 2) -> None:
        self._argv = (node, str(_DRIVER), str(Path(script).parent), *kept)
        self._free: LifoQueue[_Process] = LifoQueue()
        for _ in range(most):
            self._free.put(_Process(self._argv))
        self.most = most

    def transpile(self, component: Path, options: Mapping[str, Any], *, runs: bool = False) -> bool | None:
        """Transpiles a component. `runs`: with the options of `jco run`, into what `jco run` keeps."""
        process = self._free.get()
        try:
            return process.transpile([os.fspath(component), options, runs])
        finally:
            self._free.put(process)

    def close(self) -> None:
        """Ends the processes, after what they transpile."""
        processes = [self._free.get() for _ in range(self.most)]
        for process in processes:
            process.end()
            self._free.put(process)


class _Process:
    """One process. One thread at a time uses it."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._process: subprocess.Popen[str] | None = None

    def transpile(self, asked: Sequence[Any]) -> bool | None:
        if self._process is None or self._process.poll() is not None:
            pipe, null = subprocess.PIPE, subprocess.DEVNULL
            self._process = subprocess.Popen(
                self._argv, stdin=pipe, stdout=pipe, stderr=null, text=True, start_new_session=True
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            word = stdout.readline().strip()
        except OSError:
            word = ""
        if not word:
            self.end()
        return {"done": True, "refused": False}.get(word)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


transpiler = functools.cache(Transpiler)
"""Returns the transpiler of node, jco's script, and the URL of `jco_kept_driver.mjs` with its folder."""
