#!/usr/bin/env python3
"""Binary.md, byte by byte: components that hold every production, each byte of them set to all 256 values, taken out, or put in before.

In: libtouchstone.so, wasm-tools, the components below (one or more a production). Out: a line of counts; each kind of difference between our
verdict and that of wasm-tools with an example; status 1 when there are any. spec: component-model Binary.md
"""

from __future__ import annotations

import argparse
import ctypes
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from diff_components import Section, encode, explained, sections, squeezed, wasm_tools

# The same features on both sides, by the name of a set of seeds. Values (🪙) are left out: wasm-tools knows no bounds of them.
FEATURES = {
    "0.2": ("", "-all,wasm3,component-model,-threads"),
    "names": ("nested-names", "-all,wasm3,component-model,-threads,cm-nested-names"),
    "all": (
        "async,maps,implements,more-async-builtins,async-stackful,threads,fixed-length-lists,error-context,memory64",
        "-all,wasm3,component-model,-threads,cm-async,cm-map,cm-implements,cm-more-async-builtins,cm-async-stackful,cm-threading,"
        "cm-fixed-length-lists,cm-error-context,cm64",
    ),
}
LIBC = """(core module $m (memory (export "m") 1) (table (export "t") 1 funcref) (global (export "g") i32 (i32.const 0)) (tag (export "e"))
  (func (export "f")) (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)) (func (export "d") (param i32)))
  (core instance $i (instantiate $m))
  (alias core export $i "m" (core memory $mem)) (alias core export $i "r" (core func $realloc)) (alias core export $i "f" (core func $f))
  (alias core export $i "d" (core func $d)) (alias core export $i "t" (core table $t)) (alias core export $i "g" (core global $g))
  (alias core export $i "e" (core tag $e))"""
LIBC64 = (
    LIBC.replace('(memory (export "m") 1)', '(memory (export "m") i64 1)')
    .replace('(table (export "t") 1', '(table (export "t") i64 1')
    .replace("(param i32 i32 i32 i32) (result i32) (i32.const 0)", "(param i64 i64 i64 i64) (result i64) (i64.const 0)")
)
SEEDS = {
    "names": [
        """(component (import "a:b:c/d/e@1.0.0" (instance)) (import "a-b:c-d/e-f@1.2.3-rc.1+b.7" (func)) (export "x1:y2/z3" (func 0)))""",
    ],
    "0.2": [
        # core instances, inline exports of each sort
        f"""(component {LIBC} (core instance (export "m" (memory $mem)) (export "f" (func $f)) (export "t" (table $t)) (export "g" (global $g))
          (export "e" (tag $e))))""",
        f"""(component {LIBC} (core module $n (import "a" "f" (func)) (import "b" "m" (memory 1)))
          (core instance (instantiate $n (with "a" (instance $i)) (with "b" (instance (export "m" (memory $mem)))))))""",
        # core types
        """(component (core type (func (param i32) (result i64))) (core type (sub (struct (field i32)))) (core type (sub final (array (mut i8))))
          (core rec (type (struct)) (type (func))) (core type (module (type (func)) (import "a" "b" (func (type 0))) (export "f" (func (type 0)))
          (import "a" "m" (memory 1 2)) (import "a" "t" (table 1 funcref)) (import "a" "g" (global (mut i32))) (import "a" "e" (tag (type 0))))))""",
        """(component $c (core type $f (func)) (core type (module (alias outer $c $f (type)) (import "a" "f" (func (type 0))))))""",
        # instances, arguments and exports of each sort
        """(component (type $t u8) (component $c) (instance $i (instantiate $c)) (core module $m) (import "f" (func $f))
          (instance (export "f" (func $f)) (export "t" (type $t)) (export "c" (component $c)) (export "i" (instance $i)) (export "m" (core module $m)))
          (component $d (import "f" (func)) (import "t" (type (eq 0))) (import "c" (component)) (import "i" (instance)) (import "m" (core module)))
          (instance (instantiate $d (with "f" (func $f)) (with "t" (type $t)) (with "c" (component $c)) (with "i" (instance $i)) (with "m" (core module $m)))))""".replace(
            '(component $d (import "f" (func)) (import "t" (type (eq 0)))',
            '(component $d (type $u u8) (import "f" (func)) (import "t" (type (eq $u)))',
        ),
        # aliases
        """(component $o (type $t u8) (core type $ct (func)) (core module $m) (component $c) (component (alias outer $o $t (type)) (alias outer $o $ct (core type))
          (alias outer $o $m (core module)) (alias outer $o $c (component))) (alias outer $o $t (type)))""",
        """(component (import "i" (instance $i (export "f" (func)) (export "t" (type (sub resource))) (export "c" (component)) (export "i" (instance))
          (export "m" (core module)))) (alias export $i "f" (func)) (alias export $i "t" (type)) (alias export $i "c" (component)) (alias export $i "i" (instance))
          (alias export $i "m" (core module)))""",
        # value types
        """(component (type bool) (type s8) (type string) (type $r (record (field "a" u8) (field "b-c" char))) (type (variant (case "a") (case "b" $r)))
          (type $l (list $r)) (type (tuple u8 $l f32)) (type (flags "a" "b" "C")) (type (enum "a" "b")) (type (option $l)) (type (result)) (type (result u8))
          (type (result (error u16))) (type (result s64 (error f64))))""",
        f"""(component {LIBC} (type $r (resource (rep i32) (dtor (core func $d)))) (type $q (resource (rep i32))) (type (own $r)) (type (borrow $q))
          (core func (canon resource.new $r)) (core func (canon resource.drop $r)) (core func (canon resource.rep $q)))""",
        # functions, component and instance types, each declaration, each kind of extern
        """(component (type $f (func)) (type (func (param "a" u8) (param "b" string) (result u32)))
          (type (component (core type (func)) (type u8) (import "f" (func (type 1))) (export "g" (func (type 1))) (import "t" (type (eq 0))) (import "r" (type (sub resource)))
          (import "m" (core module)) (import "c" (component)) (import "i" (instance)))))""".replace("(type 1)", ""),
        """(component $o (type $f (func)) (type (instance (core type (func)) (type u8) (alias outer $o $f (type $g)) (export "g" (func (type $g))) (export "t" (type (eq 0)))
          (export "r" (type (sub resource))) (export "m" (core module)) (export "c" (component)) (export "i" (instance)))))""",
        # imports and exports, with ascription
        """(component (import "a" (func $f)) (import "a:b/c@1.0.0" (instance)) (export "x" (func $f)) (export "y" (func $f) (func)) (type $t u8) (export "t" (type $t))
          (component $c) (export "c" (component $c)) (core module $m) (export "m" (core module $m)) (instance $i) (export "i" (instance $i) (instance)))""",
        """(component (import "r" (type $r (sub resource))) (import "[constructor]r" (func (result (own $r)))) (import "[method]r.m" (func (param "self" (borrow $r))))
          (import "[static]r.s" (func)) (import "s" (type (eq $r))))""",
        # canonical definitions and their options
        f"""(component {LIBC} (import "s" (func $s (param "a" string) (result string)))
          (core func (canon lower (func $s) string-encoding=utf16 (memory $mem) (realloc (core func $realloc))))
          (core func (canon lower (func $s) string-encoding=latin1+utf16 (memory $mem) (realloc (core func $realloc))))
          (func (canon lift (core func $f))) (core module $n (func (export "s") (param i32 i32) (result i32) unreachable) (func (export "p") (param i32)))
          (core instance $k (instantiate $n)) (func (param "a" string) (result string) (canon lift (core func $k "s") string-encoding=utf8 (memory $mem)
          (realloc (core func $realloc)) (post-return (core func $k "p")))))""",
        # custom sections, and a nested component with names
        """(component (@custom "x" "abc") (component $c (export "a" (func $f)) (import "f" (func $f))) (@custom "component-name" "\\00\\02\\01a"))""".replace(
            '(export "a" (func $f)) (import "f" (func $f))', '(import "f" (func $f)) (export "a" (func $f))'
        ),
    ],
    "all": [
        """(component (type (map u8 string)) (type (list u8 4)) (type $s (stream)) (type (stream u8)) (type (future)) (type (future $s)) (type error-context)
          (type (func async (param "a" u8))))""",
        """(component (import (implements "a:b/c") "x" (instance)))""".replace(
            '(import (implements "a:b/c") "x"', '(import "x" (implements "a:b/c")'
        ),
        f"""(component {LIBC} (type $s (stream u8)) (type $u (future)) (core func (canon stream.new $s)) (core func (canon stream.read $s (memory $mem)))
          (core func (canon stream.write $s async (memory $mem))) (core func (canon stream.cancel-read $s async)) (core func (canon stream.cancel-write $s))
          (core func (canon stream.drop-readable $s)) (core func (canon stream.drop-writable $s)) (core func (canon future.new $u))
          (core func (canon future.read $u async (memory $mem))) (core func (canon future.write $u (memory $mem))) (core func (canon future.cancel-read $u))
          (core func (canon future.cancel-write $u async)) (core func (canon future.drop-readable $u)) (core func (canon future.drop-writable $u)))""",
        f"""(component {LIBC} (core func (canon backpressure.inc)) (core func (canon backpressure.dec)) (core func (canon task.return (result u8)))
          (core func (canon task.return)) (core func (canon task.cancel)) (core func (canon context.get i32 0)) (core func (canon context.set i32 1))
          (core func (canon subtask.cancel async)) (core func (canon subtask.drop)) (core func (canon error-context.new (memory $mem)))
          (core func (canon error-context.debug-message (memory $mem) (realloc (core func $realloc)))) (core func (canon error-context.drop))
          (core func (canon waitable-set.new)) (core func (canon waitable-set.wait (memory $mem))) (core func (canon waitable-set.poll (memory $mem)))
          (core func (canon waitable-set.drop)) (core func (canon waitable.join)) (core func (canon thread.yield)) (core func (canon thread.index)))""",
        f"""(component {LIBC} (core type $ft (func (param i32))) (core func (canon thread.new-indirect $ft (core table $t)))
          (core func (canon thread.suspend)) (core func (canon thread.yield)))""",
        f"""(component {LIBC} (core module $n (func (export "a") (result i32) unreachable) (func (export "c") (param i32 i32 i32) (result i32) unreachable))
          (core instance $k (instantiate $n)) (func async (canon lift (core func $k "a") async (callback (core func $k "c"))))
          (func async (canon lift (core func $f) async)) (import "f" (func $g async)) (core func (canon lower (func $g) async)))""",
        f"""(component {LIBC64} (import "s" (func $s (param "a" string) (result string)))
          (core func (canon lower (func $s) (memory $mem) (realloc (core func $realloc)))) (type $s (stream u8))
          (core func (canon stream.read $s (memory $mem))) (core func (canon stream.write $s async (memory $mem)))
          (core func (canon error-context.new (memory $mem))) (core func (canon waitable-set.wait (memory $mem)))
          (core func (canon waitable-set.poll (memory $mem))) (core func (canon task.return (result string) (memory $mem)))
          (core type $ft (func (param i64))) (core func (canon thread.new-indirect $ft (core table $t))) (core func (canon context.get i64 0))
          (core func (canon context.set i64 1)) (core module $n (func (export "d") (param i64))) (core instance $k (instantiate $n))
          (type $r (resource (rep i64) (dtor (core func $k "d")))) (core func (canon resource.new $r)) (core func (canon resource.rep $r)))""",
    ],
}


class Ours:
    """The library in this process."""

    def __init__(self, path: Path) -> None:
        lib = self.lib = ctypes.CDLL(str(path))
        lib.ts_error_new.restype = ctypes.c_void_p
        self.e = ctypes.c_void_p(lib.ts_error_new())
        self.engine = ctypes.c_void_p()
        if lib.ts_engine_new(ctypes.byref(self.engine), self.e) != 0:
            raise SystemExit("every_byte: no engine")
        lib.ts_status_name.restype = ctypes.c_char_p

    def verdict(self, data: bytes, features: str) -> tuple[str, str]:
        component = ctypes.c_void_p()
        self.lib.ts_error_clear(self.e)
        status = self.lib.ts_component_load_with(self.engine, data, ctypes.c_size_t(len(data)), features.encode(), ctypes.byref(component), self.e)
        if status == 0:
            self.lib.ts_component_free(component)
            return "ok", ""
        said = bytes(ctypes.string_at(self.e, 600))
        message = max((part.decode(errors="replace") for part in re.findall(rb"[\x20-\xff]{4,}", said)), key=len, default="")
        return self.lib.ts_status_name(status).decode(), message


def parse(tool: str, text: str) -> bytes:
    done = subprocess.run([tool, "parse", "-"], input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"every_byte: {text}\n{done.stderr.decode()}")
    return subprocess.run([tool, "strip", "-"], input=done.stdout, capture_output=True, check=True).stdout if "@custom" not in text else done.stdout


def changed(of: list[Section], whole: list[Section]) -> Iterator[bytes]:
    """`whole` with one byte of a section of its part `of` changed, outside core modules (another target)."""
    for at, (kind, content) in enumerate(of):
        if not isinstance(content, bytes):
            if content[0][1][4:8] != b"\1\0\0\0":
                yield from changed(content, whole)
            continue
        for i in range(len(content) + 1):
            variants = [content[:i] + bytes([b]) + content[i + 1 :] for b in range(256)] if i < len(content) else []
            if kind >= 0:
                variants += [content[:i] + content[i + 1 :]] + [content[:i] + bytes([b]) + content[i:] for b in (0, 1, 2, 3, 0x40, 0x7F)]
            for variant in variants:
                of[at] = (kind, variant)
                yield encode(whole)
        of[at] = (kind, content)


def theirs(tool: str, features: str, batch: list[bytes], work: Path) -> list[str]:
    """ "" for valid ones, else the reason. One script checks all, because a process for each would take hours."""
    script = work / "batch.wast"
    with script.open("w") as file:
        for data in batch:
            text = "".join(f"\\{b:02x}" for b in data)
            file.write(f'(component definition binary "{text}")\n')
    done = subprocess.run([tool, "wast", f"--features={features}", script], capture_output=True, text=True, check=False)
    found = [""] * len(batch)
    for part in done.stderr.split("failed directive on ")[1:]:
        line = int(part.split(":")[1])
        reasons = re.findall(r"^\s+(?:\d+: )?(.*)$", part.split("Caused by:")[1], re.MULTILINE)
        if any("wasm isn't valid" in reason for reason in reasons):
            found[line - 1] = next((r for r in reasons if "offset" in r), reasons[-1]) or "invalid"
    if done.returncode not in (0, 1) or (done.returncode and "failed directive" not in done.stderr):
        raise SystemExit(f"every_byte: wasm-tools wast ended with {done.returncode}: {done.stderr[-500:]}")
    return found


def sweep(args: argparse.Namespace) -> int:
    args.work.mkdir(parents=True, exist_ok=True)
    tool = args.wasm_tools or wasm_tools()
    ours = Ours(args.library)
    seen: Counter[tuple[str, str, str]] = Counter()
    tally: Counter[str] = Counter()
    for name, texts in SEEDS.items():
        mine, other = FEATURES[name]
        for number, text in enumerate(texts):
            if args.only is not None and f"{name}:{number}" != args.only:
                continue
            whole = sections(parse(tool, text))
            if ours.verdict(encode(whole), mine)[0] != "ok":
                raise SystemExit(f"every_byte: seed {name}:{number} is not valid: {ours.verdict(encode(whole), mine)}")
            variants = list(dict.fromkeys(changed(whole, whole)))[:: args.step]
            for at in range(0, len(variants), args.batch):
                batch = variants[at : at + args.batch]
                for data, reason in zip(batch, theirs(tool, other, batch, args.work), strict=True):
                    status, message = ours.verdict(data, mine)
                    tally["verdicts"] += 1
                    tally["valid"] += status == "ok"
                    if (status == "ok") == (reason == ""):
                        continue
                    if explained(status, message, reason):
                        tally["explained"] += 1
                        continue
                    tally["differences"] += 1
                    kind = (name, squeezed(message) if status != "ok" else "ok", squeezed(reason) if reason else "ok")
                    seen[kind] += 1
                    if seen[kind] == 1:
                        path = args.work / f"{name}-{number}-{len(seen)}.wasm"
                        path.write_bytes(data)
                        print(f"{path.name}: {status} {message}; theirs: {reason or 'ok'}", flush=True)
    for kind, count in seen.most_common():
        print(f"{count:7} {kind}")
    print("every byte: " + ", ".join(f"{key} {value}" for key, value in sorted(tally.items())))
    return 1 if tally["differences"] else 0


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, default=root / "build/libtouchstone.so")
    parser.add_argument("--wasm-tools", default=None)
    parser.add_argument("--work", type=Path, default=root / "build/every-byte")
    parser.add_argument("--only", default=None, help="one seed, as 0.2:3")
    parser.add_argument("--step", type=int, default=1, help="every nth change")
    parser.add_argument("--batch", type=int, default=3000)
    return sweep(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
