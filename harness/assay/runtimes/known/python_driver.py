"""Runs one core module of preview 1 with a library in Python, and writes an outcome file.

Usage: python_driver.py pywasm|wasmer --outcome FILE [--env KEY=VALUE]… [--dir HOST GUEST]… MODULE ARGUMENT…

It imports nothing of the harness, so that it also runs in an interpreter that has only the library.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

Outcome = dict[str, object]


def main() -> int:
    library, words = sys.argv[1], sys.argv[2:]
    target, env, dirs = Path(), {}, {}
    while words[0].startswith("--"):
        option = words.pop(0)
        if option == "--outcome":
            target = Path(words.pop(0))
        elif option == "--env":
            key, _, value = words.pop(0).partition("=")
            env[key] = value
        else:
            host, guest = words.pop(0), words.pop(0)
            dirs[guest] = host
    module = Path(words.pop(0))
    outcome = {"pywasm": pywasm, "wasmer": wasmer}[library](module, words, env, dirs)
    target.write_text(json.dumps({"schema": "touchstone-outcome/1", **outcome}) + "\n", encoding="utf-8")
    if outcome["outcome"] != "exited":
        print(f"{library}: {outcome['outcome']}: {outcome.get('message', '')}", file=sys.stderr)
    status = outcome.get("status", 1)
    return status if isinstance(status, int) else 1


def pywasm(module: Path, args: list[str], env: dict[str, str], dirs: dict[str, str]) -> Outcome:
    library: Any = importlib.import_module("pywasm")

    wasi = library.wasi.Preview1([module.name, *args], dirs, env)
    runtime = library.core.Runtime()
    wasi.bind(runtime)
    try:
        with module.open("rb") as file:
            made = library.core.ModuleDesc.from_reader(file)
    except Exception as error:
        return {"outcome": "rejected", "message": _words(error)}
    for needed in made.imps:
        if needed.name not in runtime.imports.get(needed.module, {}):
            return {"outcome": "link-error", "imports": [{"name": needed.module, "function": needed.name}]}
    if all(export.name != "_start" for export in made.exps):
        return {"outcome": "link-error", "message": "exports no _start"}
    try:
        instance = runtime.instance(made)
        return {"outcome": "exited", "status": wasi.main(runtime, instance)}
    except Exception as error:  # a trap is an assertion without words, or what Python itself raises
        return {"outcome": "trap", "message": _words(error)}


def _words(error: Exception) -> str:
    """Returns the class and the message of an error, or the line of the library that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {error if str(error) else frames[-1].line if frames else ''}"[:300]


def wasmer(module: Path, args: list[str], env: dict[str, str], dirs: dict[str, str]) -> Outcome:
    library: Any = importlib.import_module("wasmer_sdk")

    async def run() -> Any:
        async with library.Wasmer(cache_root="wasmer-cache") as client:
            command = library.PackageCommandDefinition(module="module")
            package = library.PackageDefinition(modules={"module": module.read_bytes()}, commands={"run": command})
            packages = [await client.packages.create(package)]
            async with await client.sandboxes.create(packages=packages, env=env) as sandbox:
                return await sandbox.command("run", args).run(stdin=sys.stdin.buffer.read(), check=False)

    try:
        output = asyncio.run(run())
    except library.WasmerError as error:
        return _refused(" ".join(str(error).split()))
    sys.stdout.buffer.write(output.stdout.bytes)
    sys.stdout.flush()
    sys.stderr.buffer.write(output.stderr.bytes)
    return {"outcome": "exited", "status": output.exit_code}


def _refused(text: str) -> Outcome:
    """Returns the ending that the text of an error of wasmer tells."""
    _, failed, trap = text.partition("command execution failed: RuntimeError: ")
    if failed:
        return {"outcome": "trap", "message": trap[:300]}
    for words in ("unknown import", "incompatible import type", "require an exported `_start`"):
        if words in text:
            return {"outcome": "link-error", "message": text[:300]}
    return {"outcome": "rejected", "message": text[:300]}


if __name__ == "__main__":
    ending = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ending)  # threads of wasmer's SDK abort the process where the interpreter ends as usual
