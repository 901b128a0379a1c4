"""A runtime that is touchstone but for one lie about what a component printed.

Usage: lying_component_runtime.py KIND TOUCHSTONE run --outcome FILE ... COMPONENT
KIND is bytes (each byte 41 of a string is printed as 42), lenient (a trap is printed as a value that was got), refuses (a
component with a list of strings is rejected), dies (at a string that has a byte 41, before anything is printed).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

KIND, *ARGV = sys.argv[1:]
done = subprocess.run(ARGV, capture_output=True, check=False)
out, status = done.stdout, done.returncode
if "--version" not in ARGV:
    outcome = Path(ARGV[ARGV.index("--outcome") + 1])

    def say(words: dict[str, object]) -> None:
        outcome.write_text(json.dumps({"schema": "touchstone-outcome/1", **words}))

    if KIND == "bytes":
        out = b"\n".join(b"'".join(part.replace(b"41", b"42") if i % 2 else part for i, part in enumerate(line.split(b"'")))
                         for line in out.split(b"\n"))  # fmt: skip
    elif KIND == "lenient" and status:
        number = b"%x" % out.count(b".\n")
        out, status = out + number + b" 0\n" + number + b" .\n", 0
        say({"outcome": "exited", "status": 0})
    elif KIND == "refuses" and b"['" in out:
        out, status = b"", 1
        say({"outcome": "rejected", "kind": "invalid"})
    elif KIND == "dies" and b"'41" in out:
        os.abort()
sys.stdout.buffer.write(out)
sys.stdout.flush()
sys.stderr.buffer.write(done.stderr)
sys.exit(status)
