#!/usr/bin/env python3
"""Writes component_deep.h: components whose types, instances and calls are nested as deep as they may be (test_stack.c runs them).

In: nothing; `wasm-tools` is on the PATH. Out: component_deep.h beside this file.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

DEPTH = 97  # of a type: with the scalar inside it, the function and the component around it that makes the limit, 100
CHAIN = 400  # instances that call one another, more than the depth limit of calls

MEMORY = """
  (core module $libc
    (memory (export "memory") 2)
    (global $at (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $r i32)
      (local.set $r (i32.and (i32.add (global.get $at) (i32.const 7)) (i32.const -8)))
      (global.set $at (i32.add (local.get $r) (local.get 3)))
      (local.get $r)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))"""


def mixed(depth: int) -> str:
    """$mixed: a list of options of results of tuples of lists …"""
    forms = ["(list {})", "(option {})", "(result {} (error u8))", "(tuple {} u16)"]
    lines = ["  (type $m0 u8)"]
    for i in range(depth):
        t = forms[(depth - 1 - i) % 4].format(f"$m{i}")
        lines.append(f"  (type $m{i + 1} {t})")
    return "\n".join([*lines, f"  (alias outer 0 $m{depth} (type $mixed))"])


def options(depth: int) -> str:
    lines = ["  (type $o0 u32)"] + [f"  (type $o{i + 1} (option $o{i}))" for i in range(depth)]
    return "\n".join([*lines, f"  (alias outer 0 $o{depth} (type $options))"])


def values() -> str:
    """The exports hand their argument from one component to another, which returns it."""
    types = mixed(DEPTH) + "\n" + options(DEPTH)
    names = ("mixed", "options")
    outer = "\n".join(f"    (alias outer 1 ${name} (type ${name}))" for name in names)
    out = ["(component", types, "  (component $end", outer, MEMORY]
    out.append("""    (core module $m
      (import "" "memory" (memory 1))
      (func (export "mixed") (param i32 i32) (result i32)
        (i32.store (i32.const 8) (local.get 0)) (i32.store (i32.const 12) (local.get 1)) (i32.const 8))
      (func (export "options") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $m (with "" (instance $libc))))""")
    for name in names:
        out.append(f"""    (func (export "{name}") (param "x" ${name}) (result ${name})
      (canon lift (core func $m "{name}") (memory $memory) (realloc (core func $realloc))))""")
    out += ["  )", "  (component $front", outer]
    for name in names:
        out.append(f'    (import "{name}" (func $f-{name} (param "x" ${name}) (result ${name})))')
    out.append(MEMORY)
    for name in names:
        out.append(f"    (core func $f-{name}' (canon lower (func $f-{name}) (memory $memory) (realloc (core func $realloc))))")
    out.append("""    (core module $m
      (import "" "mixed" (func $mixed (param i32 i32 i32)))
      (import "" "options" (func $options (param i32 i32)))
      (func (export "mixed") (param i32 i32) (result i32)
        (call $mixed (local.get 0) (local.get 1) (i32.const 8)) (i32.const 8))
      (func (export "options") (param i32) (result i32)
        (call $options (local.get 0) (i32.const 16)) (i32.const 16)))
    (core instance $m (instantiate $m (with "" (instance (export "mixed" (func $f-mixed')) (export "options" (func $f-options'))))))""")
    for name in names:
        out.append(f"""    (func (export "{name}") (param "x" ${name}) (result ${name})
      (canon lift (core func $m "{name}") (memory $memory) (realloc (core func $realloc))))""")
    out.append("  )")
    out.append("  (instance $end (instantiate $end))")
    out.append('  (instance $front (instantiate $front (with "mixed" (func $end "mixed")) (with "options" (func $end "options"))))')
    out += [f'  (export "{name}" (func $front "{name}"))' for name in names]
    return "\n".join([*out, ")"])


def chain() -> str:
    """Each instance's function calls the one before; those of strings copy one on the way."""
    out = ["(component", '  (import "last" (func $f0 (result u32)))', '  (import "say" (func $s0 (param "x" string) (result string)))']
    out.append("  (component $link")
    out.append('    (import "f" (func $f (result u32)))')
    out.append('    (import "s" (func $s (param "x" string) (result string)))')
    out.append(MEMORY.replace("\n  ", "\n    "))
    out.append("""    (core func $f' (canon lower (func $f)))
    (core func $s' (canon lower (func $s) (memory $memory) (realloc (core func $realloc))))
    (core module $m
      (import "" "f" (func $f (result i32)))
      (import "" "s" (func $s (param i32 i32 i32)))
      (func (export "f") (result i32) (i32.add (call $f) (i32.const 1)))
      (func (export "s") (param i32 i32) (result i32) (call $s (local.get 0) (local.get 1) (i32.const 8)) (i32.const 8)))
    (core instance $m (instantiate $m (with "" (instance (export "f" (func $f')) (export "s" (func $s'))))))
    (func (export "f") (result u32) (canon lift (core func $m "f")))
    (func (export "s") (param "x" string) (result string) (canon lift (core func $m "s") (memory $memory) (realloc (core func $realloc)))))""")
    for i in range(1, CHAIN + 1):
        out.append(f'  (instance $i{i} (instantiate $link (with "f" (func $f{i - 1})) (with "s" (func $s{i - 1}))))')
        out.append(f'  (alias export $i{i} "f" (func $f{i}))')
        out.append(f'  (alias export $i{i} "s" (func $s{i}))')
    for n in (10, CHAIN):
        out.append(f'  (export "f{n}" (func $f{n}))')
        out.append(f'  (export "s{n}" (func $s{n}))')
    return "\n".join([*out, ")"])


def drops() -> str:
    """The destructor of resource n makes resource n - 1 and drops it."""
    return """(component
  (core module $table (table (export "t") 2 funcref))
  (core instance $table (instantiate $table))
  (core module $early
    (import "" "t" (table 2 funcref))
    (type $d (func (param i32)))
    (func (export "dtor") (param i32) (call_indirect (type $d) (local.get 0) (i32.const 0))))
  (core instance $early (instantiate $early (with "" (instance $table))))
  (alias core export $early "dtor" (core func $dtor))
  (type $r (resource (rep i32) (dtor (core func $dtor))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "t" "t" (table 2 funcref))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $next (param i32)
      (if (local.get 0) (then (call $drop (call $new (i32.sub (local.get 0) (i32.const 1)))))))
    (elem (table 0) (i32.const 0) func $next)
    (func (export "drop") (param i32) (call $drop (call $new (local.get 0))))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
  (core instance $m (instantiate $m (with "t" (instance $table)) (with "" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (export $r' "r" (type $r))
  (func (export "drop") (param "depth" u32) (canon lift (core func $m "drop")))
  (func $make (param "depth" u32) (result (own $r)) (canon lift (core func $m "make")))
  (export "make" (func $make) (func (param "depth" u32) (result (own $r')))))"""


def siblings(n: int, times: int) -> str:
    """Each component instantiates the one before, `times` times."""
    out = ["(component", "  (component $c0 (core module $m) (core instance (instantiate $m)))"]
    for i in range(1, n):
        made = f"(instance (instantiate $c{i - 1}))" * times
        out.append(f"  (component $c{i} (alias outer 1 $c{i - 1} (component $c{i - 1})) {made})")
    return "\n".join([*out, f"  (instance (instantiate $c{n - 1})))"])


HOST = """(component
  (import "h" (func $h (param "x" u32) (result string)))
  (core module $libc (memory (export "m") 1)
    (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "m" (core memory $m))
  (alias core export $libc "r" (core func $r))
  (core func $h' (canon lower (func $h) (memory $m) (realloc (core func $r))))
  (core module $g (import "" "h" (func $h (param i32 i32))) (func (export "go") (call $h (i32.const 1) (i32.const 8))))
  (core instance $i (instantiate $g (with "" (instance (export "h" (func $h'))))))
  (func (export "go") (canon lift (core func $i "go"))))"""
CORE = """(module
  (import "" "bounce" (func $bounce (param i32) (result i32)))
  (type $list (struct (field (ref null $list)) (field i32)))
  (global $head (mut (ref null $list)) (ref.null $list))
  (tag $e (param i32))
  (func (export "bounce") (param i32) (result i32) (call $bounce (local.get 0)))
  (func (export "list") (param i32)
    (loop $l
      (global.set $head (struct.new $list (global.get $head) (local.get 0)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $recurse (export "recurse") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call $recurse (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
      (else (unreachable))))
  (func $throw (param i32)
    (if (local.get 0) (then (call $throw (i32.sub (local.get 0) (i32.const 1)))) (else (throw $e (i32.const 5)))))
  (func (export "catch") (param i32) (result i32)
    (block $h (result i32) (try_table (catch $e $h) (call $throw (local.get 0))) (i32.const 0))))"""


def main() -> None:
    inputs = {"values": values(), "chain": chain(), "drops": drops(), "siblings": siblings(500, 1), "doubling": siblings(64, 2), "core": CORE, "host": HOST}
    lines = ["/* component_deep: components that are nested as deep as they may be. Made by: make_deep.py, then clang-format */"]
    for name, text in inputs.items():
        done = subprocess.run(["wasm-tools", "parse", "-"], input=text.encode(), capture_output=True, check=True)
        bytes_ = subprocess.run(["wasm-tools", "strip", "--all", "-"], input=done.stdout, capture_output=True, check=True).stdout
        lines.append(f"static const unsigned char component_deep_{name}[] = {{")
        lines += ["    " + ", ".join(map(str, bytes_[at : at + 32])) + "," for at in range(0, len(bytes_), 32)]
        lines.append("};")
    (Path(__file__).resolve().parent / "component_deep.h").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
