"""A fake `touchstone wast`: results as FAKE_KIND says."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

KIND = os.environ["FAKE_KIND"]


def main() -> int:
    if "--version" in sys.argv:
        print(f"fake wast {KIND}")
        return 0
    script = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    out = Path(sys.argv[sys.argv.index("--results") + 1])
    if KIND == "nothing":
        return 0
    if KIND == "hang":
        time.sleep(600)
    lines = []
    for index, command in enumerate(script["commands"]):
        text = command.get("module_type") == "text"
        if not text and "filename" in command and not (Path(sys.argv[2]).parent / command["filename"]).is_file():
            return 125
        status = "skip" if text or KIND == "skips-all" else "pass"
        if KIND in ("fails-return", "fails-quietly") and command["type"] == "assert_return":
            status = "fail"
        if KIND == "unsupported" and command["type"] == "assert_return":
            status = "unsupported"
        lines.append(
            {"index": index, "line": command["line"], "type": command["type"], "status": status, "message": "got 7"}
        )
    if KIND == "crash":
        lines = lines[:1]
    out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if KIND == "crash":
        os.kill(os.getpid(), signal.SIGABRT)
    return {"fails-return": 1, "unsupported": 126}.get(KIND, 0)


if __name__ == "__main__":
    sys.exit(main())
