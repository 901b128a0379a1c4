"""One jco that transpiles many components, for adapters that run what it makes.

In: a component, the options of jco's transpileCmd. Out: whether jco made it, or None where jco itself failed. Its
process begins with the first component, and ends with this one, whose end closes its stdin.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_DRIVER = Path(__file__).parents[1] / "known" / "jco_transpile_driver.mjs"


class Transpiler:
    """Several threads may use it. A process that ended is started again with the next component."""

    def __init__(self, node: str, script: str, *kept: str) -> None:
        self._argv = (node, str(_DRIVER), str(Path(script).parent), *kept)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def transpile(self, component: Path, options: Mapping[str, Any], *, runs: bool = False) -> bool | None:
        """Transpiles a component. `runs`: with the options of `jco run`, into what `jco run` keeps."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                pipe, null = subprocess.PIPE, subprocess.DEVNULL
                self._process = subprocess.Popen(
                    self._argv, stdin=pipe, stdout=pipe, stderr=null, text=True, start_new_session=True
                )
            stdin, stdout = self._process.stdin, self._process.stdout
            assert stdin is not None and stdout is not None
            try:
                stdin.write(json.dumps([os.fspath(component), options, runs]) + "\n")
                stdin.flush()
                word = stdout.readline().strip()
            except OSError:
                word = ""
            if not word:
                self._end()
            return {"done": True, "refused": False}.get(word)

    def close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


transpiler = functools.cache(Transpiler)
"""Returns the transpiler of node, jco's script, and the URL of `jco_kept_driver.mjs` with its folder."""
