"""instances.c by wasmtime's Python bindings: what a fresh instance of a component that exports wasi:cli/run costs, and many at once.

Usage: instances.py COMPONENT ROUNDS LIVE. The fresh ones are made and ended, not called: what they print would be everybody's.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def main() -> int:
    path, rounds, live = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    engine = Engine(Config())
    component = Component.from_file(engine, path)
    linker = Linker(engine)
    linker.add_wasip2()

    def one() -> tuple[Store, object]:
        store = Store(engine)
        store.set_wasi(WasiConfig())
        return store, linker.instantiate(store, component)

    for _ in range(100):
        one()
    start = time.monotonic()
    for _ in range(rounds):
        one()
    fresh = (time.monotonic() - start) / rounds * 1e6
    before = resident()
    start = time.monotonic()
    kept = [one() for _ in range(live)]
    each = (time.monotonic() - start) / live * 1e6
    print(f"fresh {fresh:.2f} us, one of {live} live {each:.2f} us and {(resident() - before) // live} bytes", file=sys.stderr)
    sys.stderr.flush()
    os._exit(0 if kept else 1)


if __name__ == "__main__":
    main()
