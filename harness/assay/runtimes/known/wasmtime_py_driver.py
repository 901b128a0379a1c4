"""Runs one component with wasmtime's Python bindings, as the JSON object in argv[1] says, and writes an
outcome file.

With `compile IN OUT` instead of the object, it compiles ahead of time. It imports nothing of the harness, so
that it also runs in an interpreter that has only wasmtime.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import wasmtime
from wasmtime import component as wc

KINDS = {
    "wasm `unreachable` instruction executed": "unreachable",
    "out of bounds memory access": "out-of-bounds-memory",
    "integer divide by zero": "integer-divide-by-zero",
    "integer overflow": "integer-overflow",
    "invalid conversion to integer": "invalid-conversion-to-integer",
    "indirect call type mismatch": "indirect-call-type-mismatch",
    "uninitialized element": "uninitialized-element",
    "call stack exhausted": "call-stack-exhausted",
}


def main() -> int:
    if sys.argv[1] == "compile":
        ahead = wc.Component.from_file(wasmtime.Engine(), sys.argv[2])
        Path(sys.argv[3]).write_bytes(ahead.serialize())
        return 0
    job = json.loads(sys.argv[1])
    outcome = run(job)
    outcome["schema"] = "touchstone-outcome/1"
    Path(job["outcome"]).write_text(json.dumps(outcome) + "\n", encoding="utf-8")
    if outcome["outcome"] not in ("exited", "trap"):
        print(f"wasmtime-py: {outcome['outcome']}: {outcome.get('message', '')}", file=sys.stderr)
    sys.stdout.flush()
    status = outcome.get("status", 134 if outcome["outcome"] == "trap" else 1)
    return status if isinstance(status, int) else 1


def run(job: dict[str, object]) -> dict[str, object]:
    engine = wasmtime.Engine()
    read = wc.Component.deserialize_file if job["compiled"] else wc.Component.from_file
    try:
        component = read(engine, str(job["component"]))
    except wasmtime.WasmtimeError as error:
        return {"outcome": "rejected", "message": one_line(error)}
    linker = wc.Linker(engine)
    linker.add_wasip2()
    if job["http"]:
        linker.add_wasi_http()
    store = wasmtime.Store(engine)
    store.set_wasi(wasi(job))
    if job["http"]:
        store.set_wasi_http()
    exports = component.type.exports(engine)
    entry = next((name for name in exports if re.fullmatch(r"wasi:cli/run@0\.2\.\d+", name)), None)
    try:
        instance = linker.instantiate(store, component)
    except wasmtime.ExitTrap as error:
        return {"outcome": "exited", "status": error.code}
    except wasmtime.WasmtimeError as error:
        text = str(error)
        if "a matching implementation was not found" in text:
            missing = re.search(r"imports \w+ `([^`]*)`", text)
            name = missing[1] if missing else one_line(error)
            return {"outcome": "link-error", "imports": [{"name": name}], "message": one_line(error)}
        return {"outcome": "trap", "kind": kind(text), "message": last_cause(text)}
    if entry is None:
        return {"outcome": "link-error", "message": "exports no wasi:cli/run"}
    interface = instance.get_export_index(store, entry)
    index = instance.get_export_index(store, "run", interface)
    function = instance.get_func(store, index) if index is not None else None
    if function is None:
        return {"outcome": "link-error", "message": f"{entry} has no function run"}
    try:
        result = function(store)
    except wasmtime.ExitTrap as error:
        return {"outcome": "exited", "status": error.code}
    except wasmtime.WasmtimeError as error:
        print(error, file=sys.stderr)
        return {"outcome": "trap", "kind": kind(str(error)), "message": last_cause(str(error))}
    return {"outcome": "exited", "status": 1 if getattr(result, "tag", "ok") == "err" else 0}


def wasi(job: dict[str, object]) -> wasmtime.WasiConfig:
    config = wasmtime.WasiConfig()
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    config.argv = job["argv"]
    config.env = job["env"]
    for host, guest, read_only in job["dirs"]:  # type: ignore[attr-defined]
        config.preopen_dir(host, guest, not read_only)
    return config


def one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]


def last_cause(text: str) -> str:
    last = text.strip().splitlines()[-1].strip()
    return re.sub(r"^(\d+: )?(wasm trap: )?", "", last)


def kind(text: str) -> str:
    return KINDS.get(last_cause(text), "")


if __name__ == "__main__":
    sys.exit(main())
