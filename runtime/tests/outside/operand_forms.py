"""A core module that has each operation on numbers with its operands in each place.

In: nothing. Out: text. An operand is a local, what was computed just before, or a constant; a result goes on to another operation, to a
local, or to a branch. The interpreter has an operation of its own for each of these forms. `go(seed)` calls a function for each, with values
of all kinds, and returns a sum of their results, in which all NaNs are the same.
"""

from __future__ import annotations

from collections.abc import Iterator

COMPARE = {"i": "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", "f": "eq ne lt gt le ge"}
BINARY = {"i": "add sub mul and or xor shl shr_s shr_u rotl rotr", "f": "add sub mul div min max copysign"}
DIVIDE = "div_s div_u rem_s rem_u"
UNARY = {
    "i32": "i32.clz i32.ctz i32.popcnt i32.eqz:i32 i32.extend8_s i32.extend16_s i64.extend_i32_s:i64 i64.extend_i32_u:i64 "
    "f32.convert_i32_s:f32 f32.convert_i32_u:f32 f64.convert_i32_s:f64 f64.convert_i32_u:f64 f32.reinterpret_i32:f32",
    "i64": "i64.clz i64.ctz i64.popcnt i64.eqz:i32 i64.extend8_s i64.extend16_s i64.extend32_s i32.wrap_i64:i32 "
    "f32.convert_i64_s:f32 f32.convert_i64_u:f32 f64.convert_i64_s:f64 f64.convert_i64_u:f64 f64.reinterpret_i64:f64",
    "f32": "f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt f64.promote_f32:f64 i32.reinterpret_f32:i32 "
    + " ".join(f"{i}.trunc_sat_f32_{s}:{i}" for i in ("i32", "i64") for s in "su"),
    "f64": "f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt f32.demote_f64:f32 i64.reinterpret_f64:i64 "
    + " ".join(f"{i}.trunc_sat_f64_{s}:{i}" for i in ("i32", "i64") for s in "su"),
}
TRUNCATE = [f"{i}.trunc_{f}_{s}" for i in ("i32", "i64") for f in ("f32", "f64") for s in "su"]
LOADS = ["i32.load8_s", "i32.load8_u", "i32.load16_s", "i32.load16_u", "i32.load", "i64.load8_s", "i64.load8_u", "i64.load16_s", "i64.load16_u",
         "i64.load32_s", "i64.load32_u", "i64.load", "f32.load", "f64.load"]  # fmt: skip
STORES = ["i32.store8", "i32.store16", "i32.store", "i64.store8", "i64.store16", "i64.store32", "i64.store", "f32.store", "f64.store"]
VALUES = {
    "i32": ["0", "1", "-1", "7", "0x80000000", "0x7fffffff", "0x89abcdef"],
    "i64": ["0", "1", "-1", "7", "0x8000000000000000", "0x7fffffffffffffff", "0x89abcdef01234567"],
    "f32": ["0", "-0", "1.5", "-2.5", "inf", "nan", "3e9"],
    "f64": ["0", "-0", "1.5", "-2.5", "-inf", "nan", "1e19"],
}
SMALL = {"i32": ["5", "9"], "i64": ["5", "9"], "f32": ["3.75", "100.5"], "f64": ["3.75", "100.5"]}
"""For operations that trap on others."""
CONSTANTS = {"i32": "13", "i64": "13", "f32": "2.25", "f64": "2.25"}


def computed(t: str, local: str) -> str:
    """The value of a local, as the result of an operation that nobody can leave out."""
    match t:
        case "f32":
            return f"(f32.reinterpret_i32 (i32.add (i32.reinterpret_f32 (local.get {local})) (global.get $zero32)))"
        case "f64":
            return f"(f64.reinterpret_i64 (i64.add (i64.reinterpret_f64 (local.get {local})) (global.get $zero64)))"
        case _:
            return f"({t}.add (local.get {local}) (global.get $zero{t[1:]}))"


def operands(t: str, arity: int) -> Iterator[str]:
    """Each place of the operands."""
    slots, results, constant = ["(local.get $x)", "(local.get $y)"], [computed(t, "$x"), computed(t, "$y")], f"({t}.const {CONSTANTS[t]})"
    if arity == 1:
        yield from (slots[0], results[0])
        return
    yield from (f"{a} {b}" for a in (slots[0], results[0], constant) for b in (slots[1], results[1], constant) if (a, b) != (constant, constant))


def uses(t: str, expression: str) -> Iterator[str]:
    """Each place of the result, as the body of a function that returns a number of it."""
    number = {"i32": "(i64.extend_i32_u {})", "i64": "(i64.add {} (i64.const 1))"}.get(t, "(call $number_{t} {})".replace("{t}", t))
    yield number.format(expression)
    if t[0] == "f":
        yield f"(i64.extend_i32_u ({t}.lt {expression} ({t}.const 1)))"
    yield f"(local $r {t}) (local.set $r {expression}) (call $nothing) {number.format('(local.get $r)')}"


def before(body: str, local: str, code: str) -> str:
    """The body with a local, and with code before the rest."""
    locals_, _, rest = body.partition(") ") if body.startswith("(local $") else ("", "", body)
    return f"{local} {locals_}{')' if locals_ else ''} {code} {rest}"


def branches(condition: str) -> Iterator[str]:
    """Branches by a condition, as the body of a function."""
    yield f"(if (result i64) {condition} (then (i64.const 3)) (else (i64.const 5)))"
    yield f"(block $b (br_if $b {condition}) (return (i64.const 7))) (i64.const 11)"
    yield f"(block $b (br_if $b (i32.eqz {condition})) (return (i64.const 13))) (i64.const 17)"
    yield f"(select (i64.const 19) (i64.const 23) {condition})"


def conditions(condition: str) -> Iterator[str]:
    """Branches by a condition, and its opposite as a number."""
    yield from branches(condition)
    yield from uses("i32", f"(i32.eqz {condition})")
    yield from uses("i32", f"(i32.eqz (i32.eqz {condition}))")


def chosen(t: str) -> Iterator[str]:
    """Of two values one, and the value of a global."""
    for places in operands(t, 2):
        condition = f"({t}.eq (local.get $x) (local.get $y))"
        yield from uses(t, f"(select {places} {condition})")
        for body in uses(t, f"(select {places} (local.get $c))"):
            yield before(body, "(local $c i32)", f"(local.set $c {condition}) (call $nothing)")
    yield from uses(t, f"(global.get $some_{t})")


def arithmetic() -> Iterator[tuple[str, str, list[str]]]:
    """Type of the parameters, body, and values that do not trap."""
    for t in VALUES:
        yield from ((t, body, VALUES[t]) for body in chosen(t))
        for op in BINARY[t[0]].split():
            for places in operands(t, 2):
                yield from ((t, body, VALUES[t]) for body in uses(t, f"({t}.{op} {places})"))
                if op == "and" and t == "i32":
                    yield from ((t, body, VALUES[t]) for body in conditions(f"({t}.{op} {places})"))
        for op in DIVIDE.split() if t[0] == "i" else ():
            for places in operands(t, 2):
                yield from ((t, body, SMALL[t]) for body in uses(t, f"({t}.{op} {places})"))
        for op in COMPARE[t[0]].split():
            for places in operands(t, 2):
                yield from ((t, body, VALUES[t]) for body in (*uses("i32", f"({t}.{op} {places})"), *conditions(f"({t}.{op} {places})")))
        for op in UNARY[t].split():
            name, _, to = op.partition(":")
            for places in operands(t, 1):
                yield from ((t, body, VALUES[t]) for body in uses(to or t, f"({name} {places})"))
                if name.endswith("eqz"):
                    yield from ((t, body, VALUES[t]) for body in branches(f"({name} {places})"))
    for op in TRUNCATE:
        to, source = op[:3], op.split("_")[1]
        for places in operands(source, 1):
            yield from ((source, body, SMALL[source]) for body in uses(to, f"({op} {places})"))


def counted() -> Iterator[tuple[str, str, list[str]]]:
    """Loops that count in a local and end by a comparison with a constant or another local."""
    for t in ("i32", "i64"):
        for op in COMPARE["i"].split():
            for end in (f"({t}.const 9)", "(local.get $y)"):
                step = f"(local.tee $x ({t}.add (local.get $x) ({t}.const 3)))"
                count = "(local.set $n (i64.add (local.get $n) (i64.const 1)))"
                stop = "(br_if $out (i64.gt_u (local.get $n) (i64.const 6)))"
                body = f"(local $n i64) (block $out (loop $again {count} {stop} (br_if $again ({t}.{op} {step} {end})))) (local.get $n)"
                yield t, body, ["1", "5", "9"]


def addresses(memory64: bool) -> Iterator[str]:
    t = "i64" if memory64 else "i32"
    x = "(i64.extend_i32_u (local.get $x))" if memory64 else "(local.get $x)"
    yield x
    yield computed("i32", "$x") if not memory64 else f"(i64.add {x} (global.get $zero64))"
    yield f"({t}.add {x} ({t}.const 24))"
    yield f"({t}.add {f'(i64.add {x} (global.get $zero64))' if memory64 else computed('i32', '$x')} ({t}.const 24))"
    if memory64:
        yield "(local.get $a)"


def accesses(memory64: bool) -> Iterator[tuple[str, str, list[str]]]:
    """Loads and stores, also of a memory whose addresses are checked by instructions, as those of 64 bits are."""
    at = ["0", "3", "40"]
    head = "(local.set $a (i64.extend_i32_u (local.get $x)))" if memory64 else ""
    for address in addresses(memory64):
        for op in LOADS:
            for body in (*uses(op[:3], f"({op} {address})"), *uses(op[:3], f"({op} offset=8 {address})")):
                yield "i32", before(body, "(local $a i64)", head), at
        for op in STORES:
            t = op[:3]
            v = {"i32": "(local.get $y)", "i64": "(i64.extend_i32_s (local.get $y))"}.get(t, f"({t}.convert_i32_s (local.get $y))")
            for value in (v, f"({t}.const {CONSTANTS[t]})", "(local.get $v)"):
                for offset in ("", "offset=8 "):
                    body = f"(local $v {t}) (local $a i64) {head} (local.set $v {v}) (call $nothing) ({op} {offset}{address} {value}) (call $sum)"
                    yield "i32", body, at


def module(memory64: bool) -> str:
    """The text of the module. `memory64`: it has accesses alone."""
    made = list(accesses(memory64)) + ([] if memory64 else [*arithmetic(), *counted()])
    functions, calls = [], []
    for i, (t, body, values) in enumerate(made):
        functions.append(f"  (func $f{i} (param $x {t}) (param $y {t}) (result i64) {body})")
        for k, x in enumerate(values):
            y = values[(k * 3 + i) % len(values)]
            calls.append(f"    (call $add (call $f{i} ({t}.const {x}) ({t}.const {y})))")
    parts = [calls[i : i + 500] for i in range(0, len(calls), 500)]
    groups = [f"  (func $part{i}\n" + "\n".join(part) + ")" for i, part in enumerate(parts)]
    newline = "\n"
    bytes_at_0 = "".join(f"\\{(i * 37 + 129) % 256:02x}" for i in range(128))
    at, size = ("i64", "(i64.const 128)") if memory64 else ("i32", "(i32.const 128)")
    return f"""(module
  (memory {"i64 " if memory64 else ""}1)
  (data ({at}.const 0) "{bytes_at_0}")
  (global $zero32 (mut i32) (i32.const 0)) (global $zero64 (mut i64) (i64.const 0)) (global $hash (mut i64) (i64.const 0))
  {" ".join(f"(global $some_{t} (mut {t}) ({t}.const {CONSTANTS[t]}))" for t in VALUES)}
  (func $nothing)
  (func $add (param i64) (global.set $hash (i64.add (i64.mul (global.get $hash) (i64.const 31)) (local.get 0))))
  (func $number_f32 (param f32) (result i64)
    (if (result i64) (f32.eq (local.get 0) (local.get 0)) (then (i64.extend_i32_u (i32.reinterpret_f32 (local.get 0)))) (else (i64.const 1))))
  (func $number_f64 (param f64) (result i64)
    (if (result i64) (f64.eq (local.get 0) (local.get 0)) (then (i64.reinterpret_f64 (local.get 0))) (else (i64.const 1))))
  (func $sum (result i64) (local $p {at}) (local $s i64)
    (loop $again
      (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 17)) (i64.load (local.get $p))))
      (br_if $again ({at}.lt_u (local.tee $p ({at}.add (local.get $p) ({at}.const 8))) {size})))
    (local.get $s))
{newline.join(functions)}
{newline.join(groups)}
  (func (export "go") (param i32) (result i64)
    (global.set $hash (i64.extend_i32_u (local.get 0)))
    {" ".join(f"(call $part{i})" for i in range(len(groups)))}
    (global.get $hash)))
"""
