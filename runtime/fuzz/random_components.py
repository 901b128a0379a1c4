"""Random components that hand values of random types to each other, in text, with images of memory that hold such values.

In: a random number generator. Out: `Case`: a component, and what to call. It holds three: `o` owns a resource, `c` calls f of `d` with core
values from its memory, `d` writes down the core values that it gets and returns others from its memory. Both write down every call of their
realloc, and give all of their memory. Most images are what the types ask for; some are damaged where it matters: discriminants, characters,
strings' bytes, pointers, lengths, handles, what realloc returns.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

INTS = {"u8": 1, "s8": 1, "u16": 2, "s16": 2, "u32": 4, "s32": 4, "u64": 8, "s64": 8}
PRIMS = (*INTS, "f32", "f64", "bool", "char", "string")
NAMED = ("record", "variant", "enum", "flags")
ENCODINGS = ("utf8", "utf16", "latin1+utf16")
HANDLES = 6  # handles of the resource that `c` and `d` have at first: 1 … 6
# addresses in the memory of `c` and `d`
LOG_AT, HEAP_AT, MODE, FLATS, POINTER, DATA, LOG, HEAP, END = 0, 4, 8, 128, 256, 320, 8512, 10560, 61440


@dataclass(frozen=True)
class Type:
    kind: str
    parts: tuple[Type | None, ...] = ()  # fields, cases, elements
    n: int = 0  # of flags and enums

    @property
    def cases(self) -> tuple[Type | None, ...]:
        match self.kind:
            case "option":
                return (None, self.parts[0])
            case "enum":
                return (None,) * self.n
            case _:
                return self.parts

    def has(self, *kinds: str) -> bool:
        return self.kind in kinds or any(p is not None and p.has(*kinds) for p in self.parts)


U8 = Type("u8")


def is_variant(t: Type) -> bool:
    return t.kind in ("variant", "enum", "option", "result")


def disc_size(n: int) -> int:
    return 1 if n <= 256 else 2 if n <= 65536 else 4


def layout(t: Type) -> tuple[int, int]:
    """Size and alignment."""
    if t.kind in INTS:
        return INTS[t.kind], INTS[t.kind]
    match t.kind:
        case "f32" | "char" | "own" | "borrow":
            return 4, 4
        case "f64":
            return 8, 8
        case "bool":
            return 1, 1
        case "string" | "list":
            return 8, 4
        case "flags":
            size = 1 if t.n <= 8 else 2 if t.n <= 16 else 4
            return size, size
        case "record" | "tuple":
            _, size, align = fields(t)
            return size, align
        case _:
            payloads = [layout(c) for c in t.cases if c]
            size, align = max((s for s, _ in payloads), default=0), max((a for _, a in payloads), default=1)
            start = align_to(disc_size(len(t.cases)), align)
            align = max(align, disc_size(len(t.cases)))
            return align_to(start + size, align), align


def align_to(at: int, align: int) -> int:
    return (at + align - 1) // align * align


def fields(t: Type) -> tuple[list[int], int, int]:
    offsets, at, most = [], 0, 1
    for part in t.parts:
        assert part
        size, align = layout(part)
        at, most = align_to(at, align), max(most, align)
        offsets.append(at)
        at += size
    return offsets, align_to(at, most), most


def payload_at(t: Type) -> int:
    return align_to(disc_size(len(t.cases)), max((layout(c)[1] for c in t.cases if c), default=1))


def flatten(t: Type) -> list[str]:
    match t.kind:
        case "u64" | "s64":
            return ["i64"]
        case "f32" | "f64":
            return [t.kind]
        case "string" | "list":
            return ["i32", "i32"]
        case "record" | "tuple":
            return [f for p in t.parts if p for f in flatten(p)]
        case "variant" | "enum" | "option" | "result":
            joined: list[str] = []
            for case in t.cases:
                for i, f in enumerate(flatten(case) if case else ()):
                    if i == len(joined):
                        joined.append(f)
                    elif joined[i] != f:
                        joined[i] = "i32" if {joined[i], f} == {"i32", "f32"} else "i64"
            return ["i32", *joined]
        case _:
            return ["i32"]


# --- types ----------------------------------------------------------------------------------------------------------
def random_type(rng: random.Random, depth: int, handles: bool) -> Type:
    kinds = ["list", "record", "tuple", "variant", "enum", "option", "result", "flags"]
    if depth <= 0 or rng.random() < 0.35:
        return Type("own") if handles and rng.random() < 0.15 else Type(rng.choice(PRIMS))

    def sub() -> Type:
        return random_type(rng, depth - 1, handles)

    kind = rng.choice(kinds)
    match kind:
        case "list" | "option":
            return Type(kind, (sub(),))
        case "record" | "tuple":
            return Type(kind, tuple(sub() for _ in range(rng.choice([1, 2, 2, 3, 5]))))
        case "variant":
            return Type(kind, tuple(sub() if rng.random() < 0.7 else None for _ in range(rng.choice([1, 2, 3, 5]))))
        case "result":
            return Type(kind, tuple(sub() if rng.random() < 0.7 else None for _ in range(2)))
        case "enum":
            return Type(kind, n=rng.choice([1, 2, 3, 7, 256, 257]))
        case _:
            return Type(kind, n=rng.choice([1, 3, 8, 9, 16, 17, 31, 32]))


# --- images ---------------------------------------------------------------------------------------------------------
TEXTS = ("", "a", "touchstone", "grüße", "naïve ÿ", "∅ Ω", "🪨 stone", "a" * 40, "aé", "é" * 9, "abc∅", "x🪨y", "\x00\x7f\x80", "ab" * 20 + "ÿ", "ab" * 20 + "Ā")


class Full(Exception):
    """The image is too large."""


@dataclass
class Image:
    """Memory from FLATS on, as `c` or `d` has it before the call."""

    rng: random.Random
    encoding: str
    damage: float
    memory: bytearray = field(default_factory=lambda: bytearray(LOG))
    top: int = DATA
    handle: int = 0

    def room(self, size: int, align: int) -> int:
        at = align_to(self.top, align)
        if at + size > LOG:
            raise Full
        self.top = at + size
        return at

    def put(self, at: int, value: int, size: int) -> None:
        self.memory[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def hurt(self, good: int, *bad: int) -> int:
        return self.rng.choice(bad) & 0xFFFFFFFF if self.rng.random() < self.damage else good

    def text(self) -> tuple[int, int]:
        """Pointer and length of a string."""
        s = self.rng.choice(TEXTS)
        if self.encoding == "utf8":
            data, align, units = s.encode(), 1, len(s.encode())
        elif self.encoding == "utf16":
            data, align = s.encode("utf-16-le"), 2
            units = len(data) // 2
        else:
            align = 2
            if max(map(ord, s), default=0) < 256 and self.rng.random() < 0.7:
                data = s.encode("latin1")
                units = len(data)
            else:
                data = s.encode("utf-16-le")
                units = len(data) // 2 | 1 << 31
        at = self.room(len(data), align)
        self.memory[at : at + len(data)] = data
        if data and self.rng.random() < self.damage:
            self.memory[at + self.rng.randrange(len(data))] = self.rng.choice([0xC0, 0x80, 0xD8, 0xDC, 0xFF, 0xED, 0xF8, 0x41, 0])
        if not data:
            at = self.rng.choice([at, 65536, 0])
        return self.range(at, units, align)

    def range(self, at: int, n: int, align: int) -> tuple[int, int]:
        """Damages one of the two, not both: the order of two traps differs between the engines."""
        bad = self.hurt(at, at + 1, 65536, 65536 + align, 0xFFFFFFF8)
        return bad, n if bad != at else self.hurt(n, n + 1, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000)

    def items(self, t: Type) -> tuple[int, int]:
        size, align = layout(t)
        n = self.rng.choice([0, 1, 2, 3, 3, 9]) if size > 8 else self.rng.choice([0, 1, 2, 5, 17])
        at = self.room(n * size, align)
        for i in range(n):
            self.store(t, at + i * size)
        if n == 0:
            at = self.rng.choice([at, 65536, 0])
        return self.range(at, n, align)

    def scalar(self, t: Type) -> int:
        rng = self.rng
        if t.kind in INTS:
            return rng.choice([0, 1, rng.getrandbits(8 * INTS[t.kind]), (1 << 8 * INTS[t.kind]) - 1, 1 << (8 * INTS[t.kind] - 1)])
        match t.kind:
            case "bool":
                return rng.choice([0, 1, 1, self.hurt(1, 2, 255)])
            case "char":
                return self.hurt(rng.choice([0, 0x41, 0xE9, 0xD7FF, 0xE000, 0x10FFFF]), 0xD800, 0xDFFF, 0x110000, 0xFFFFFFFF)
            case "f32":
                bits = rng.choice([0, 0x80000000, 0x3FC00000, 0x7F800000, 0x7FC00000, rng.getrandbits(32)])
                return 0x7FC00000 if bits & 0x7FFFFFFF > 0x7F800000 else bits  # whether a NaN's bits survive is unspecified
            case "f64":
                bits = rng.choice([0, 1 << 63, 0x3FF8 << 48, 0x7FF8 << 48, rng.getrandbits(64)])
                return 0x7FF8 << 48 if bits & (1 << 63) - 1 > 0x7FF0 << 48 else bits
            case "flags":
                return rng.getrandbits(t.n) | (rng.getrandbits(32) & ~((1 << t.n) - 1) if rng.random() < self.damage else 0)
            case _:  # handles
                self.handle = self.handle % HANDLES + 1
                return self.hurt(self.handle, 0, 1, HANDLES + 1, 0xFFFFFFFF, 1 << 30)

    def case(self, t: Type) -> tuple[int, Type | None]:
        n = len(t.cases)
        i = self.rng.randrange(n)
        return self.hurt(i, n, n + 1, 0xFF, 0xFFFFFFFF), t.cases[i]

    def store(self, t: Type, at: int) -> None:
        if t.kind in ("record", "tuple"):
            for part, offset in zip(t.parts, fields(t)[0], strict=True):
                assert part
                self.store(part, at + offset)
        elif is_variant(t):
            disc, payload = self.case(t)
            self.put(at, disc, disc_size(len(t.cases)))
            if payload:
                self.store(payload, at + payload_at(t))
        elif t.kind in ("string", "list"):
            pointer, length = self.text() if t.kind == "string" else self.items(t.parts[0] or U8)
            self.put(at, pointer, 4)
            self.put(at + 4, length, 4)
        else:
            self.put(at, self.scalar(t), layout(t)[0])

    def flat(self, t: Type) -> list[int]:
        """Core values, as bits."""
        rng = self.rng
        if t.kind in ("record", "tuple"):
            return [v for p in t.parts if p for v in self.flat(p)]
        if is_variant(t):
            disc, payload = self.case(t)
            values = self.flat(payload) if payload else []
            rest = len(flatten(t)) - 1 - len(values)  # the bytes there are not read
            kinds = flatten(t)[1 + len(values) :]
            fill = [0x7FC00000 if k[0] == "f" else rng.choice([0, rng.getrandbits(32)]) for k in kinds[:rest]]
            return [disc, *values, *fill]
        if t.kind in ("string", "list"):
            return list(self.text() if t.kind == "string" else self.items(t.parts[0] or U8))
        v = self.scalar(t)
        if t.kind in INTS and INTS[t.kind] < 4:
            size = 8 * INTS[t.kind]
            if t.kind[0] == "s" and v >> (size - 1):
                v |= 0xFFFFFFFF << size & 0xFFFFFFFF
            if rng.random() < self.damage:
                v |= rng.getrandbits(32) << size & 0xFFFFFFFF  # upper bits that are ignored
        return [v]


# --- the text -------------------------------------------------------------------------------------------------------
class Types:
    """Definitions of types in the text format, each once; named kinds are exported, as functions that are exported need."""

    def __init__(self, exported: bool) -> None:
        self.exported = exported  # in a component; else in an instance type
        self.lines: list[str] = []
        self.known: dict[Type, str] = {}

    def ref(self, t: Type | None) -> str:
        assert t
        if t.kind in PRIMS:
            return t.kind
        if t not in self.known:
            text = self.define(t)
            n = len(self.known)
            if t.kind in NAMED:
                self.lines.append(f"(type $t{n} {text})")
                named = f"(type $t{n})" if self.exported else f"(type (eq $t{n}))"
                self.lines.append(f'(export $e{n} "t{n}" {named})' if self.exported else f'(export "t{n}" (type $e{n} (eq $t{n})))')
            else:
                self.lines.append(f"(type $e{n} {text})")
            self.known[t] = f"$e{n}"
        return self.known[t]

    def define(self, t: Type) -> str:
        match t.kind:
            case "own" | "borrow":
                return f"({t.kind} $r)"
            case "list" | "option":
                return f"({t.kind} {self.ref(t.parts[0])})"
            case "record":
                return "(record " + " ".join(f'(field "f{i}" {self.ref(p)})' for i, p in enumerate(t.parts)) + ")"
            case "tuple":
                return "(tuple " + " ".join(self.ref(p) for p in t.parts) + ")"
            case "variant":
                return "(variant " + " ".join(f'(case "c{i}"{" " + self.ref(p) if p else ""})' for i, p in enumerate(t.parts)) + ")"
            case "result":
                ok, error = t.parts
                return "(result" + (f" {self.ref(ok)}" if ok else "") + (f" (error {self.ref(error)})" if error else "") + ")"
            case _:
                return f"({t.kind} " + " ".join(f'"{t.kind[0]}{i}"' for i in range(t.n)) + ")"


def data_text(data: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\{b:02x}" for b in data)


def to_i64(value: str, kind: str) -> str:
    return {"i32": f"(i64.extend_i32_u {value})", "i64": value, "f32": f"(i64.extend_i32_u (i32.reinterpret_f32 {value}))",
            "f64": f"(i64.reinterpret_f64 {value})"}[kind]  # fmt: skip


def load(kind: str, at: int) -> str:
    return f"({kind}.load (i32.const {at}))"


# How realloc fails: as the mode says, and where the memory is full.
FAILS = f"""\
      (if (i32.eq (i32.load (i32.const {MODE})) (i32.const 1)) (then (return (i32.const {HEAP + 1}))))
      (if (i32.eq (i32.load (i32.const {MODE})) (i32.const 2)) (then (return (i32.const 65536))))
      (if (i32.eq (i32.load (i32.const {MODE})) (i32.const 3)) (then unreachable))
"""
FULL = f"""\
      (if (i32.or (i32.gt_u (local.get $size) (i32.const {END})) (i32.gt_u (i32.add (local.get $p) (local.get $size)) (i32.const {END}))) (then unreachable))
"""
# In place of the latter: the same place again, or new memory for what is larger than the heap.
ROOM = f"""\
      (if (i32.or (i32.gt_u (local.get $size) (i32.const {END})) (i32.gt_u (i32.add (local.get $p) (local.get $size)) (i32.const {END}))) (then
        (local.set $p (i32.const {HEAP}))
        (if (i32.gt_u (local.get $size) (i32.const {END - HEAP})) (then
          (local.set $p (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))
          (if (i32.eq (local.get $p) (i32.const -1)) (then unreachable))
          (local.set $p (i32.shl (local.get $p) (i32.const 16)))))))
"""
# What both have: memory, realloc that writes itself down, images to load, all of the memory to give.
# Where a string of latin1+utf16 turns out to be latin1, wasmtime asks for less memory with alignment 2, definitions.py with 1: $mask hides it.
COMMON = f"""
    (memory (export "memory") 1)
    (func $log (export "log") (param i64)
      (if (i32.lt_u (i32.load (i32.const {LOG_AT})) (i32.const {HEAP - 8})) (then
        (i64.store (i32.load (i32.const {LOG_AT})) (local.get 0))
        (i32.store (i32.const {LOG_AT}) (i32.add (i32.load (i32.const {LOG_AT})) (i32.const 8))))))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32) (local $p i32)
      (call $log (i64.or (i64.extend_i32_u (local.get $old)) (i64.shl (i64.extend_i32_u (local.get $old-size)) (i64.const 32))))
      (call $log (i64.or
        (i64.extend_i32_u (i32.or (local.get $align) (select (global.get $mask) (i32.const 0) (local.get $old))))
        (i64.shl (i64.extend_i32_u (local.get $size)) (i64.const 32))))
{FAILS}      (local.set $p (i32.and (i32.add (i32.load (i32.const {HEAP_AT})) (i32.sub (local.get $align) (i32.const 1))) (i32.sub (i32.const 0) (local.get $align))))
{FULL}      (i32.store (i32.const {HEAP_AT}) (i32.add (local.get $p) (local.get $size)))
      (memory.copy (local.get $p) (local.get $old) (select (local.get $size) (local.get $old-size) (i32.lt_u (local.get $size) (local.get $old-size))))
      ;; what lies beyond the end of a string that became shorter is nobody's
      (memory.fill (local.get $old) (i32.const 0) (local.get $old-size))
      (call $log (i64.extend_i32_u (local.get $p)))
      (local.get $p))
    (func (export "init") (param $rep i32) (local $i i32)
      (loop
        (drop (call $make (i32.add (local.get $rep) (local.get $i))))
        (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const {HANDLES})))))
    (func (export "drop") (param i32) (call $drop (local.get 0)))
    (func (export "log-of") (result i32)
      (i32.store (i32.const 64) (i32.const {LOG}))
      (i32.store (i32.const 68) (i32.sub (i32.load (i32.const {LOG_AT})) (i32.const {LOG})))
      (i32.const 64))
    (func (export "heap-of") (result i32)
      (i32.store (i32.const 64) (i32.const {HEAP}))
      (i32.store (i32.const 68) (i32.sub (i32.load (i32.const {HEAP_AT})) (i32.const {HEAP})))
      (i32.const 64))"""


def library(images: list[bytes], encoding: str, heap: int) -> str:
    """The core module with the memory; an image is what lies in it from MODE on."""
    loads = "\n".join(
        f"      (if (i32.eq (local.get 0) (i32.const {i})) (then (memory.init $image{i} (i32.const {MODE}) (i32.const 0) (i32.const {len(data)}))))"
        for i, data in enumerate(images)
    )
    datas = "\n".join(f'    (data $image{i} "{data_text(data)}")' for i, data in enumerate(images))
    return f"""(core module $l
    (import "h" "make" (func $make (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (global $mask i32 (i32.const {3 if encoding == "latin1+utf16" else 0})){COMMON}
{datas}
    (func (export "load") (param i32)
      (i32.store (i32.const {LOG_AT}) (i32.const {LOG}))
      (i32.store (i32.const {HEAP_AT}) (i32.const {heap}))
{loads}))
    (core instance $l (instantiate $l (with "h" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
    (alias core export $l "memory" (core memory $memory))
    (alias core export $l "realloc" (core func $realloc))"""


@dataclass(frozen=True)
class Case:
    text: str
    rounds: int
    typed: bool  # `d` is exported with give and echo
    result: Type


ROOT = """
  (alias export $o "ended" (func $ended))
  (export "ended" (func $ended))
  (alias export $c "call" (func $call))
  (export "call" (func $call))""" + "".join(
    f"""
  (alias export ${who} "{name}" (func ${who}-{name}))
  (export "{who}-{name}" (func ${who}-{name}))"""
    for who in "cd"
    for name in ("init", "load", "drop", "log-of", "heap-of")
)
HANDS = """
    (import "o" (instance $o (export "r" (type $r' (sub resource))) (export "make" (func (param "rep" u32) (result (own $r'))))))
    (alias export $o "r" (type $r))
    (core func $make (canon lower (func $o "make")))
    (core func $drop (canon resource.drop $r))"""
OTHERS = """
    (func (export "init") (param "rep" u32) (canon lift (core func $l "init")))
    (func (export "load") (param "i" u32) (canon lift (core func $l "load")))
    (func (export "drop") (param "i" u32) (canon lift (core func $l "drop")))
    (func (export "log-of") (result (list u8)) (canon lift (core func $l "log-of") (memory $memory)))
    (func (export "heap-of") (result (list u8)) (canon lift (core func $l "heap-of") (memory $memory)))"""


def with_room(text: str) -> str:
    """The text of a case, with a realloc that does not fail. Values that are lowered may overwrite each other, so only traps compare."""
    return text.replace(FAILS, "").replace(FULL, ROOM)


def image_bytes(image: Image, flats: list[int], pointer: int, mode: int) -> bytes:
    for i, v in enumerate(flats):
        image.put(FLATS + 8 * i, v, 8)
    image.put(POINTER, pointer, 4)
    image.put(MODE, mode, 4)
    return bytes(image.memory[MODE : image.top])


def borrowed(params: list[Type], spilled: bool) -> list[str]:
    """Returns each borrow that is a parameter by itself."""
    places, flat, offsets = [], 0, fields(Type("tuple", tuple(params)))[0]
    for t, offset in zip(params, offsets, strict=True):
        if t.kind == "borrow":
            places.append(f"(i32.load offset={offset} (local.get 0))" if spilled else f"(local.get {flat})")
        flat += len(flatten(t))
    return places


def random_case(rng: random.Random, rounds: int = 8) -> Case:
    handles = rng.random() < 0.5
    depth = rng.choice([0, 1, 1, 2, 2, 3, 4])
    params = [Type("borrow") if handles and rng.random() < 0.2 else random_type(rng, depth, handles) for _ in range(rng.choice([0, 1, 1, 1, 2, 3, 6]))]
    # one more element: the result always goes through memory when it is echoed
    result = Type("tuple", (random_type(rng, depth, handles), U8)) if rng.random() < 0.6 else random_type(rng, depth, handles)
    typed = not any(t.has("own", "borrow") for t in (*params, result))
    whole = Type("tuple", tuple(params))
    flat_params = flatten(whole)
    spilled = len(flat_params) > 16
    core_params = ["i32"] if spilled else flat_params
    flat_result = flatten(result)
    returned = flat_result[0] if len(flat_result) == 1 else "i32"
    encodings = rng.choice(ENCODINGS), rng.choice(ENCODINGS)
    forgets = rng.random() < 0.05 and not result.has("own")  # to drop the borrowed handles
    most = 0 if forgets else rng.choice([0, 0, 0.02, 0.1])
    callers: list[bytes] = []
    callees: list[bytes] = []
    while len(callers) < rounds:
        # One kind of damage at a time: which of two steps traps first is as the text says here, and not always on wasmtime (it looks at the
        # pointer for the result and at forgotten borrows before it lifts the result, and calls realloc while it still lifts).
        damage = rng.choice([most, most, most, 0])
        out, modes = HEAP, [0, 0]
        fragile = forgets or whole.has("own") or result.has("own")
        if most and not damage and not fragile and rng.random() < 0.5:
            out = rng.choice([HEAP + 1, 65536, 0xFFFFFFF8])
        elif most and not damage and not fragile:
            modes[rng.randrange(2)] = rng.choice([1, 2, 3])
        try:
            image = Image(rng, encodings[0], damage)
            if spilled:
                size, align = layout(whole)
                at = image.room(size, align)
                image.store(whole, at)
                flats = [image.hurt(at, at + 1, 65536, 0xFFFFFFF0)]
            else:
                flats = [v for t in params for v in image.flat(t)]
            callers.append(image_bytes(image, flats, out, modes[0]))
            image = Image(rng, encodings[1], damage)
            if len(flat_result) == 1:
                callees.append(image_bytes(image, image.flat(result), 0, modes[1]))
            else:
                size, align = layout(result)
                at = image.room(size, align)
                image.store(result, at)
                callees.append(image_bytes(image, [image.hurt(at, at + 1, 65536, 0xFFFFFFF0)], 0, modes[1]))
        except Full:
            callers, callees = callers[: min(len(callers), len(callees))], callees[: min(len(callers), len(callees))]
            if rng.random() < 0.3:
                return random_case(rng, rounds)
    post_return = rng.random() < 0.5
    ends = borrowed(params, spilled)
    types_d, types_c = Types(True), Types(False)

    def signature(types: Types) -> str:
        return " ".join(f'(param "p{i}" {types.ref(t)})' for i, t in enumerate(params)) + f" (result {types.ref(result)})"

    f_d, f_c = signature(types_d), signature(types_c)
    names = " ".join(f"(param {k})" for k in core_params)
    logs = "\n".join(f"      (call $log {to_i64(f'(local.get {i})', k)})" for i, k in enumerate(core_params))
    drops = "\n".join(f"      (call $drop {borrow})" for borrow in ends if not forgets)
    d_more = f"""    (func (export "f") {names} (result {returned})
{logs}
{drops}
      {load(returned, FLATS)})
    (func (export "post") (param {returned}) (call $log {to_i64("(local.get 0)", returned)}))"""
    options = f"(memory $memory) (realloc $realloc) string-encoding={encodings[1]}"
    if typed and len(flat_result) > 1:
        # parameters of more than 16 core values come through memory, as the result does: what came is given back
        d_more += f"""
    (func (export "echo") (param i32) (result i32) (local.get 0))
    (func (export "give") (result i32) {load("i32", FLATS)})"""
        pad = " ".join(f'(param "q{i}" u8)' for i in range(17))
        e = types_d.ref(result)
        typed_text = f"""
    (func (export "echo") (param "v" {e}) {pad} (result {e}) (canon lift (core func $i "echo") {options}))
    (func (export "give") (result {e}) (canon lift (core func $i "give") {options}))"""
    else:
        typed, typed_text = False, ""
    out_param = [] if len(flat_result) == 1 else ["i32"]
    lowered = " ".join(f"(param {k})" for k in [*core_params, *out_param]) + (f" (result {returned})" if not out_param else "")
    args = " ".join([*(load(k, FLATS + 8 * i) for i, k in enumerate(core_params)), *(["(i32.load (i32.const 256))"] if out_param else [])])
    call = f"(call $f {args})"
    c_more = f"""    (func (export "call")
      {f"(call $log {to_i64(call, returned)})" if not out_param else call})"""
    resource = "\n        (alias outer 1 $r (type $r))"
    newline = "\n    "
    text = f"""(component
  (component $O
    (core module $m
      (global $n (mut i32) (i32.const 0))
      (func (export "dtor") (param i32) (global.set $n (i32.add (i32.mul (global.get $n) (i32.const 31)) (local.get 0))))
      (func (export "ended") (result i32) (global.get $n)))
    (core instance $i (instantiate $m))
    (type $r (resource (rep i32) (dtor (core func $i "dtor"))))
    (export $er "r" (type $r))
    (core func $new (canon resource.new $r))
    (func (export "make") (param "rep" u32) (result (own $er)) (canon lift (core func $new)))
    (func (export "ended") (result u32) (canon lift (core func $i "ended"))))
  (component $D{HANDS}
    {library(callees, encodings[1], HEAP)}
    (core module $m
    (import "l" "memory" (memory 1))
    (import "l" "log" (func $log (param i64)))
    (import "h" "drop" (func $drop (param i32)))
{d_more})
    (core instance $i (instantiate $m (with "l" (instance $l)) (with "h" (instance (export "drop" (func $drop))))))
    {newline.join(types_d.lines)}
    (func (export "f") {f_d} (canon lift (core func $i "f") {options}{' (post-return (core func $i "post"))' if post_return else ""})){typed_text}{OTHERS})
  (component $C{HANDS}
    (import "d" (instance $d{resource}
        {(newline + "    ").join(types_c.lines)}
        (export "f" (func {f_c}))))
    {library(callers, encodings[0], HEAP + align_to(layout(result)[0], 8))}
    (core func $f (canon lower (func $d "f") (memory $memory) (realloc $realloc) string-encoding={encodings[0]}))
    (core module $m
    (import "l" "memory" (memory 1))
    (import "l" "log" (func $log (param i64)))
    (import "h" "f" (func $f {lowered}))
{c_more})
    (core instance $i (instantiate $m (with "l" (instance $l)) (with "h" (instance (export "f" (func $f))))))
    (func (export "call") (canon lift (core func $i "call"))){OTHERS})
  (instance $o (instantiate $O))
  (instance $d (instantiate $D (with "o" (instance $o))))
  (instance $c (instantiate $C (with "o" (instance $o)) (with "d" (instance $d))))
{ROOT}{'''
  (export "d" (instance $d))''' if typed else ""})
"""
    return Case(text, rounds, typed, result)
