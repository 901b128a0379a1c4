"""Components in text for what random components seldom do in the canonical ABI.

In: nothing. Out: the texts: lists of scalars between components, many handles, fixed-length lists, values of WASI 0.3, one
component for each built-in function.
"""

from __future__ import annotations

LIBC = """
  (core module $libc (memory (export "m") 1) (global $at (mut i32) (i32.const 4096))
    (data (i32.const 128) "\\40\\00\\00\\00\\03\\00\\00\\00")
    (data (i32.const 64) "\\61\\00\\00\\00\\01\\01\\00\\00\\03\\00\\00\\00\\01\\00\\00\\00\\00\\00\\c0\\7f\\00\\00\\00\\00")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $at (i32.and (i32.add (global.get $at) (i32.const 15)) (i32.const -16)))
      (global.get $at) (global.set $at (i32.add (global.get $at) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "m" (core memory $m))
  (alias core export $libc "realloc" (core func $realloc))"""

# element types of lists that are copied as they are, with or without a check
ELEMENTS = [
    "u8", "u16", "s32", "u64", "f32", "f64", "bool", "char", "(tuple u8 char)", "(tuple f32 f64 bool)", "(option u8)", "(option char)", "(option f64)",
    "(result u8 (error char))", "(tuple (option u16) (tuple f32 s8))", "string", "(list u8)", "(list char)", "(tuple u8 (list f32))", "(result)",
]  # fmt: skip


def lists(element: str, encoding: str = "utf8", other: str = "utf16") -> str:
    """A component gives a list to another one, which gives it back."""
    return f"""(component
  (component $d {LIBC}
    (core module $code (import "l" "m" (memory 1))
      (func (export "f") (param i32 i32) (result i32) (i32.store (i32.const 0) (local.get 0)) (i32.store (i32.const 4) (local.get 1)) (i32.const 0)))
    (core instance $i (instantiate $code (with "l" (instance $libc))))
    (func (export "f") (param "x" (list {element})) (result (list {element}))
      (canon lift (core func $i "f") (memory $m) (realloc $realloc) string-encoding={other})))
  (component $c (import "f" (func $f (param "x" (list {element})) (result (list {element})))) {LIBC}
    (core func $f (canon lower (func $f) (memory $m) (realloc $realloc) string-encoding={encoding}))
    (core module $code (import "l" "m" (memory 1)) (import "h" "f" (func $f (param i32 i32 i32)))
      (func (export "g") (param i32 i32) (result i32) (call $f (local.get 0) (local.get 1) (i32.const 0)) (i32.const 0))
      (func (export "own") (result i32) (call $f (i32.const 64) (i32.const 1) (i32.const 0)) (i32.const 0)))
    (core instance $i (instantiate $code (with "l" (instance $libc)) (with "h" (instance (export "f" (func $f))))))
    (func (export "g") (param "x" (list {element})) (result (list {element}))
      (canon lift (core func $i "g") (memory $m) (realloc $realloc) string-encoding={encoding}))
    (func (export "own") (result (list {element})) (canon lift (core func $i "own") (memory $m) (realloc $realloc) string-encoding={encoding})))
  (instance $d (instantiate $d))
  (instance $c (instantiate $c (with "f" (func $d "f"))))
  (export "g" (func $c "g")) (export "own" (func $c "own")) (export "f" (func $d "f")))"""


def handles(count: int, kind: str) -> str:
    """A component lends or gives `count` handles of another one's resource at once, in parameters or in a list."""
    listed = kind.startswith("list-")
    name = kind.removeprefix("list-")
    types = f'(param "x" (list ({name} $r)))' if listed else " ".join(f'(param "p{n}" ({name} $r))' for n in range(count))
    flats = "i32 i32" if listed else " ".join(["i32"] * count)
    drops = "" if listed else " ".join(f"(call $drop (local.get {n}))" for n in range(count))
    made = " ".join(f"(i32.store (i32.const {512 + 4 * n}) (call $make (i32.const {n})))" for n in range(count))
    args = f"(i32.const 512) (i32.const {count})" if listed else " ".join(f"(i32.load (i32.const {512 + 4 * n}))" for n in range(count))
    return f"""(component
  (component $o
    (core module $none (func (export "ended") (param i32)))
    (core instance $none (instantiate $none))
    (type $r' (resource (rep i32) (dtor (core func $none "ended"))))
    (export $r "r" (type $r'))
    (core func $new (canon resource.new $r'))
    (core func $rep (canon resource.rep $r'))
    (core module $code (import "h" "new" (func $new (param i32) (result i32))) (func (export "make") (param i32) (result i32) (call $new (local.get 0))))
    (core instance $i (instantiate $code (with "h" (instance (export "new" (func $new))))))
    (func (export "make") (param "rep" u32) (result (own $r)) (canon lift (core func $i "make"))))
  (instance $o (instantiate $o))
  (alias export $o "r" (type $r))
  (component $d (import "r" (type $r (sub resource))) {LIBC}
    (core func $drop (canon resource.drop $r))
    (core module $code (import "h" "drop" (func $drop (param i32))) (func (export "f") (param {flats}) {drops}))
    (core instance $i (instantiate $code (with "h" (instance (export "drop" (func $drop))))))
    (func (export "f") {types} (canon lift (core func $i "f") (memory $m) (realloc $realloc))))
  (instance $d (instantiate $d (with "r" (type $r))))
  (component $c (import "r" (type $r (sub resource)))
    (import "make" (func $make (param "rep" u32) (result (own $r)))) (import "f" (func $f {types})) {LIBC}
    (core func $make (canon lower (func $make)))
    (core func $f (canon lower (func $f) (memory $m)))
    (core module $code (import "l" "m" (memory 1)) (import "h" "make" (func $make (param i32) (result i32))) (import "h" "f" (func $f (param {flats})))
      (func (export "g") {made} (call $f {args})))
    (core instance $i (instantiate $code (with "l" (instance $libc)) (with "h" (instance (export "make" (func $make)) (export "f" (func $f))))))
    (func (export "g") (canon lift (core func $i "g"))))
  (instance $c (instantiate $c (with "r" (type $r)) (with "make" (func $o "make")) (with "f" (func $d "f"))))
  (export "g" (func $c "g")))"""


# a built-in: its canonical definition, the parameters and results of its core function, arguments
SET = "(call $set)"
BUILTINS = [
    ("task.cancel", "", "", ""), ("subtask.cancel", "i32", "i32", SET), ("subtask.drop", "i32", "", SET), ("subtask.drop", "i32", "", "(i32.const 9)"),
    ("waitable.join", "i32 i32", "", f"{SET} {SET}"), ("waitable-set.poll (memory $m)", "i32 i32", "i32", f"{SET} (i32.const 8)"),
    ("waitable-set.poll (memory $m)", "i32 i32", "i32", f"{SET} (i32.const 65534)"), ("waitable-set.poll (memory $m)", "i32 i32", "i32", f"{SET} (i32.const 65532)"),
    ("waitable-set.wait (memory $m)", "i32 i32", "i32", f"{SET} (i32.const 8)"), ("waitable-set.drop", "i32", "", SET), ("waitable-set.drop", "i32", "", "(i32.const 7)"),
    ("thread.yield", "", "i32", ""), ("thread.suspend", "", "i32", ""), ("backpressure.inc", "", "", ""), ("backpressure.dec", "", "", ""),
    ("context.get i32 0", "", "i32", ""), ("context.set i32 0", "i32", "", "(i32.const 5)"), ("thread.index", "", "i32", ""),
    ("stream.new $stream", "", "i64", ""), ("future.new $future", "", "i64", ""), ("stream.drop-readable $stream", "i32", "", SET),
    ("future.drop-writable $future", "i32", "", SET), ("error-context.drop", "i32", "", SET), ("error-context.new (memory $m)", "i32 i32", "i32", "(i32.const 0) (i32.const 4)"),
]  # fmt: skip


def builtin(text: str, params: str, result: str, args: str) -> str:
    signature = (f" (param {params})" if params else "") + (f" (result {result})" if result else "")
    call = f"(call $b {args})" if not result else f"(drop (call $b {args}))"
    return f"""(component {LIBC}
  (type $stream (stream u8)) (type $future (future u8))
  (core func $set (canon waitable-set.new))
  (core func $b (canon {text}))
  (core module $code (import "h" "set" (func $set (result i32))) (import "h" "b" (func $b{signature}))
    (func (export "once") {call})
    (func (export "often") (local $n i32)
      (loop $again {call} (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $again (i32.lt_u (local.get $n) (i32.const 20000))))))
  (core instance $i (instantiate $code (with "h" (instance (export "set" (func $set)) (export "b" (func $b))))))
  (func (export "once") (canon lift (core func $i "once")))
  (func (export "often") (canon lift (core func $i "often"))))"""


# types of a parameter that few engines have, with their flat form
FLAT = [("(list u8 3)", "i32 i32 i32"), ("(list string 2)", "i32 i32 i32 i32"), ("(list (tuple u8 f64) 2)", "i32 f64 i32 f64"), ("(stream u8)", "i32"),
        ("(future u8)", "i32"), ("error-context", "i32"), ("(tuple u8 (stream u8))", "i32 i32"), ("(option (future))", "i32 i32"),
        ("(map string u8)", "i32 i32"), ("(map u32 (list u8))", "i32 i32")]  # fmt: skip


def passes(kind: str, flat: str) -> str:
    """Takes a value from the host, and hands it to an import of the same type, whose result it returns."""
    args = " ".join(f"(local.get {n})" for n in range(len(flat.split())))
    one = len(flat.split()) == 1
    result = "i32" if one else ""
    lowered = f"(param {flat}) (result i32)" if one else f"(param {flat} i32)"
    body = f"(call $f {args})" if one else f"(call $f {args} (i32.const 1024)) (i32.const 1024)"
    return f"""(component (import "f" (func $f (param "x" {kind}) (result {kind}))) {LIBC}
  (core func $f (canon lower (func $f) (memory $m) (realloc $realloc)))
  (core module $code (import "h" "f" (func $f {lowered})) (func (export "g") (param {flat}) (result {result or "i32"}) {body}))
  (core instance $i (instantiate $code (with "h" (instance (export "f" (func $f))))))
  (func (export "g") (param "x" {kind}) (result {kind}) (canon lift (core func $i "g") (memory $m) (realloc $realloc))))"""


def texts() -> list[str]:
    found = [lists(element) for element in ELEMENTS]
    found += [lists("string", a, b) for a in ("utf8", "utf16", "latin1+utf16") for b in ("utf8", "utf16", "latin1+utf16")]
    found += [handles(n, kind) for n, kind in ((2, "borrow"), (12, "borrow"), (2, "own"), (12, "own"), (3, "list-own"), (12, "list-own"))]
    found += [builtin(*row) for row in BUILTINS]
    return found + [passes(*row) for row in FLAT]
