#!/usr/bin/env python3
"""Prints compile_commands.json. Usage: ci/compile_commands.py COMMAND FILE...   (COMMAND: the compiler with its flags)"""

import json
import os
import shlex
import sys

flags = shlex.split(sys.argv[1])
entries = [{"directory": os.getcwd(), "file": f, "arguments": [*flags, "-c", f]} for f in sys.argv[2:]]  # noqa: PTH109
print(json.dumps(entries, indent=1))
