#!/usr/bin/env python3
"""Random valid modules on this engine and on wasmtime: results, traps by kind, memories, globals and tables must agree.

In: the runner run_exec (its header describes the report), modules of smith.py, the package wasmtime; or modules named on the
command line. Out: a line of counts; each difference as N.wasm and N.txt in the work folder; status 1 when there are any.
NaN bits are canonical on both sides, relaxed SIMD deterministic.
"""

from __future__ import annotations

import ctypes
import random
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import wasmtime
from smith import keep, modules, read_arguments, report_of
from wasmtime import _bindings as ffi

# wasmtime's message for a trap, and our name of it.
TRAPS = (
    ("call stack exhausted", "stack"),
    ("out of bounds memory access", "memory"),
    ("undefined element", "table"),
    ("out of bounds table access", "table"),
    ("uninitialized element", "uninit"),
    ("indirect call type mismatch", "indirect"),
    ("integer overflow", "overflow"),
    ("integer divide by zero", "zero"),
    ("invalid conversion to integer", "conversion"),
    ("`unreachable` instruction executed", "unreachable"),
    ("null reference", "null"),
    ("out of bounds array access", "array"),
    ("allocation size too large", "limit"),
    ("cast failure", "cast"),
    ("GC heap out of memory", "limit"),
    ("failed to allocate", "limit"),
    ("thrown Wasm exception", "exception"),
    ("uncaught", "exception"),
)
OURS = {
    "trap:call-stack-exhausted": "stack",
    "trap:out-of-bounds-memory": "memory",
    "trap:out-of-bounds-table": "table",
    "trap:undefined-element": "table",
    "trap:uninitialized-element": "uninit",
    "trap:indirect-call-type-mismatch": "indirect",
    "trap:integer-overflow": "overflow",
    "trap:integer-divide-by-zero": "zero",
    "trap:invalid-conversion-to-integer": "conversion",
    "trap:unreachable": "unreachable",
    "trap:null-reference": "null",
    "trap:out-of-bounds-array": "array",
    "trap:cast-failure": "cast",
    "trap:allocation-failed": "limit",
    "trap:uncaught-exception": "exception",
    "exception": "exception",
    "limit": "limit",
    "ok": "ok",
}
LIMITS = ("limit", "stack")


class Inconclusive(Exception):
    """A limit was reached that the specification leaves to each engine."""


@dataclass
class Tally:
    counts: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)


def kind_of_ours(word: str) -> str:
    return OURS.get(word, word)


def take_message(get: Any, ptr: Any) -> str:
    vec = ffi.wasm_byte_vec_t()
    get(ptr, ctypes.byref(vec))
    text = ctypes.string_at(vec.data, vec.size).decode("utf-8", "replace")
    ffi.wasm_byte_vec_delete(ctypes.byref(vec))
    return text.rstrip("\0")


def kind_of_theirs(error: Any, trap: Any) -> str:
    if trap:
        text = take_message(ffi.wasm_trap_message, trap)
        ffi.wasm_trap_delete(trap)
    elif error:
        text = take_message(ffi.wasmtime_error_message, error)
        ffi.wasmtime_error_delete(error)
    else:
        return "ok"
    for words, kind in TRAPS:
        if words in text:
            return kind
    return "other: " + text.replace("\n", " ")


class Theirs:
    """Runs one module on wasmtime through its C interface, which has types that the Python classes lack."""

    def __init__(self, engine: wasmtime.Engine, binary: bytes) -> None:
        self.store = wasmtime.Store(engine)
        self.context = self.store._context()
        self.module = wasmtime.Module(engine, binary)
        self.instance = ffi.wasmtime_instance_t()

    def instantiate(self) -> str:
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        error = ffi.wasmtime_instance_new(self.context, self.module.ptr(), None, 0, ctypes.byref(self.instance), ctypes.byref(trap))
        return kind_of_theirs(error, trap)

    def export(self, nth: int) -> Any:
        name = ctypes.POINTER(ctypes.c_char)()
        length = ctypes.c_size_t(0)
        item = ffi.wasmtime_extern_t()
        if not ffi.wasmtime_instance_export_nth(
            self.context, ctypes.byref(self.instance), nth, ctypes.byref(name), ctypes.byref(length), ctypes.byref(item)
        ):
            raise ValueError(f"export {nth} is missing")
        return item.of

    def call(self, nth: int, params: str, results: str, args: list[str]) -> str:
        n = max(len(params), len(results), 1)
        raw = (ffi.wasmtime_val_raw_t * n)()
        for slot, letter, arg in zip(raw, params, args, strict=False):
            if letter == "i" or letter == "f":
                slot.i32 = ctypes.c_int32(int(arg, 16)).value
            elif letter == "I" or letter == "F":
                slot.i64 = ctypes.c_int64(int(arg, 16)).value
            elif letter == "V":
                ctypes.memmove(ctypes.byref(slot), int(arg, 16).to_bytes(16, "little"), 16)
            elif arg.startswith("i31:"):
                slot.anyref = int(arg[4:]) << 1 | 1
            else:
                slot.i64 = 0
        trap = ctypes.POINTER(ffi.wasm_trap_t)()
        func = self.export(nth).func
        error = ffi.wasmtime_func_call_unchecked(self.context, ctypes.byref(func), raw, n, ctypes.byref(trap))
        kind = kind_of_theirs(error, trap)
        if kind != "ok":
            return kind
        return " ".join(["ok", *(self.show_raw(letter, slot) for letter, slot in zip(results, raw, strict=False))])

    @staticmethod
    def show_raw(letter: str, slot: Any) -> str:
        if letter in "if":
            return f"{slot.i32 & 0xFFFFFFFF:08x}"
        if letter in "IF":
            return f"{slot.i64 & 0xFFFFFFFFFFFFFFFF:016x}"
        if letter == "V":
            return f"{int.from_bytes(ctypes.string_at(ctypes.byref(slot), 16), 'little'):032x}"
        if letter == "c":
            return "ref" if slot.funcref else "null"
        if slot.anyref == 0:
            return "null"
        return f"i31:{slot.anyref >> 1}" if slot.anyref & 1 and letter in "ax" else "ref"

    def show_val(self, letter: str, val: Any) -> str:
        if letter in "if":
            return f"{val.of.i32 & 0xFFFFFFFF:08x}"
        if letter in "IF":
            return f"{val.of.i64 & 0xFFFFFFFFFFFFFFFF:016x}"
        if letter == "V":
            return f"{int.from_bytes(bytes(val.of.v128), 'little'):032x}"
        try:
            if val.of.anyref.store_id == 0:
                return "null"
            number = ctypes.c_uint32(0)
            if letter == "a" and ffi.wasmtime_anyref_i31_get_u(self.context, ctypes.byref(val.of.anyref), ctypes.byref(number)):
                return f"i31:{number.value}"
            return "ref"
        finally:
            ffi.wasmtime_val_unroot(ctypes.byref(val))

    def memory(self, nth: int) -> str:
        memory = self.export(nth).memory
        size = ffi.wasmtime_memory_data_size(self.context, ctypes.byref(memory))
        data = ffi.wasmtime_memory_data(self.context, ctypes.byref(memory))
        return f"{size} {zlib.adler32(ctypes.string_at(data, size) if size else b''):08x}"

    def global_value(self, nth: int, letter: str) -> str:
        val = ffi.wasmtime_val_t()
        item = self.export(nth).global_
        ffi.wasmtime_global_get(self.context, ctypes.byref(item), ctypes.byref(val))
        return self.show_val(letter, val)

    def table(self, nth: int, ours: list[str]) -> list[str]:
        item = self.export(nth).table
        size = ffi.wasmtime_table_size(self.context, ctypes.byref(item))
        shown = [str(size)]
        for i in range(min(size, len(ours) - 1)):
            val = ffi.wasmtime_val_t()
            if not ffi.wasmtime_table_get(self.context, ctypes.byref(item), i, ctypes.byref(val)):
                raise ValueError("table element is missing")
            shown.append(self.show_val("c", val))
        return shown


def plain(word: str) -> str:
    """An i31 that was made external is an opaque reference on their side."""
    return "ref" if word.startswith("i31:") else word


def differences(engine: wasmtime.Engine, binary: bytes, report: list[str], tally: Tally) -> Iterator[str]:
    """The differences from our report."""
    theirs: Theirs | None = None
    for line in report:
        words = line.split()
        if words[0] == "module":
            try:
                theirs = Theirs(engine, binary)
                verdict = "ok"
            except wasmtime.WasmtimeError as e:
                verdict = "invalid"
                text = str(e)
                if "not supported" in text or "implementation limit" in text or "unsupported" in text.lower():
                    raise Inconclusive(text) from e
            if (words[1] == "ok") != (verdict == "ok"):
                yield f"{line}: theirs: {verdict}{'' if verdict == 'ok' else ': ' + text}"
            if words[1] != "ok" or theirs is None:
                return
            continue
        assert theirs is not None
        if words[0] == "instantiate":
            ours, kind = kind_of_ours(words[1]), theirs.instantiate()
            if ours in LIMITS or kind in LIMITS:
                raise Inconclusive(line)
            if ours != kind:
                yield f"{line}: theirs: {kind}"
            if ours != "ok":
                return
        elif words[0] == "call":
            nth, params, results = int(words[1]), words[3].replace("-", ""), words[4].replace("-", "")
            at = words.index("=")
            ours = " ".join([kind_of_ours(words[at + 1]), *words[at + 2 :]])
            if ours in LIMITS:
                raise Inconclusive(line)
            kind = theirs.call(nth, params, results, words[5:at])
            tally.calls[ours.split()[0]] += 1
            if kind in LIMITS:
                raise Inconclusive(f"{line}: theirs: {kind}")
            if ours != kind:
                yield f"{line}: theirs: {kind}"
        elif words[0] == "memory":
            if " ".join(words[2:]) != (got := theirs.memory(int(words[1]))):
                yield f"{line}: theirs: {got}"
        elif words[0] == "global":
            if (plain(words[3]) if words[2] == "x" else words[3]) != (got := theirs.global_value(int(words[1]), words[2])):
                yield f"{line}: theirs: {got}"
        elif words[0] == "table" and [plain(w) for w in words[2:]] != (shown := theirs.table(int(words[1]), words[2:])):
            yield f"{line}: theirs: {' '.join(shown)}"


def make_engine() -> wasmtime.Engine:
    c = wasmtime.Config()
    c.cranelift_nan_canonicalization = True
    c.wasm_relaxed_simd_deterministic = True
    for feature in ("relaxed_simd", "tail_call", "memory64", "multi_memory", "function_references", "gc", "exceptions", "wide_arithmetic", "custom_page_sizes"):
        setattr(c, f"wasm_{feature}", True)
    c.cranelift_opt_level = "none"
    c.parallel_compilation = False
    c.memory_reservation = 1 << 20
    c.memory_guard_size = 65536
    return wasmtime.Engine(c)


def main() -> int:
    args, seed = read_arguments(__doc__, "run_exec, with its options")
    rng, engine, tally = random.Random(seed), make_engine(), Tally()
    command = args.runner.split()
    runner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for path in modules(args, rng):
        tally.counts["modules"] += 1
        report = report_of(runner, path)
        if report is None:
            tally.counts["crashes"] += 1
            keep(args.work, path, f"the runner ended with status {runner.wait()}")
            print(f"crash: {args.work}/{zlib.crc32(path.read_bytes()):08x}.wasm", flush=True)
            runner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            continue
        try:
            found = list(differences(engine, path.read_bytes(), report, tally))
        except Inconclusive:
            tally.counts["cut at a limit"] += 1
            continue
        if found:
            tally.counts["differences"] += 1
            keep(args.work, path, "\n".join(found))
            print(f"difference: {args.work}/{zlib.crc32(path.read_bytes()):08x}.wasm: {found[0]}", flush=True)
    assert runner.stdin is not None
    runner.stdin.close()
    runner.wait()
    say = ", ".join(f"{n} {what}" for what, n in sorted(tally.counts.items()))
    print(f"seed {seed}: {say or 'no modules'}; calls: " + ", ".join(f"{n} {what}" for what, n in tally.calls.most_common()))
    return 1 if tally.counts["differences"] or tally.counts["crashes"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
