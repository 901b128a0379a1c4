"""A fake runtime with touchstone's command line that plays scripts of `assay fuzz` itself, but for one lie.

Usage: fake_probe.py KIND CALL run --outcome FILE --dir HOST::/data ... COMPONENT ...
KIND is honest, lies (the result of CALL is another one), traps, hangs or dies (at CALL), or changes (the result of CALL
differs from run to run).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

KIND, CALL, *WORDS = sys.argv[1:]
if "--version" in WORDS:
    print("fake 1")
    sys.exit(0)


def end(outcome: dict[str, object], status: int) -> None:
    Path(WORDS[WORDS.index("--outcome") + 1]).write_text(json.dumps({"schema": "touchstone-outcome/1", **outcome}))
    sys.stdout.flush()
    os._exit(status)


host = WORDS[WORDS.index("--dir") + 1].partition("::")[0]
for line in (Path(host) / "scripts").read_text().splitlines():
    words = line.split()
    if words[1:2] == ["="]:
        words = words[2:]
    if words[0] == "script":
        print(line if (Path(host) / words[1]).is_dir() else f"{line} no-entry", flush=True)
        continue
    if words[0] == CALL:
        if KIND == "traps":
            end({"outcome": "trap", "kind": "unreachable"}, 134)
        if KIND == "dies":
            os.abort()
        if KIND == "hangs":
            time.sleep(600)
        if KIND == "lies":
            print("no-entry", flush=True)
            continue
        if KIND == "changes":
            print(f"ok {time.monotonic_ns()}", flush=True)
            continue
    print(f"ok seconds={1_800_000_000 + os.getpid()}" if words[0] == "wall-now" else "ok", flush=True)
print("end")
end({"outcome": "exited", "status": 0}, 0)
