"""The canonical ABI against its executable specification: random types, values and hostile memories, lifted and lowered by both.

definitions.py comes with `make suites` (build/suites/canonical-abi) or from $TOUCHSTONE_DEFINITIONS; ours answers through
build/cabi_probe (runtime/tests/oracle/cabi_probe.c, which says what a request is). Without either the tests are skipped.
Compared: which half trapped, the lifted values, the core values, each call of realloc, the bytes, both handle tables.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("BUILD", "build")
DEFINITIONS = Path(os.environ.get("TOUCHSTONE_DEFINITIONS", BUILD / "suites/canonical-abi/definitions.py"))
PROBE = Path(os.environ.get("TOUCHSTONE_CABI_PROBE", BUILD / "cabi_probe"))
EXAMPLES = int(os.environ.get("CABI_EXAMPLES", "400"))
MEMORY, HEAP = 65536, 1024
ENCODINGS = ("utf8", "utf16", "latin1+utf16", "utf8/64", "utf16/64", "latin1+utf16/64")  # /64: a memory of 64-bit addresses

pytestmark = [
    pytest.mark.skipif(not DEFINITIONS.is_file(), reason="definitions.py is absent (make suites)"),
    pytest.mark.skipif(not os.access(PROBE, os.X_OK), reason="cabi_probe is not built (make tests)"),
    pytest.mark.timeout(60 + EXAMPLES),
]
common = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def load_definitions() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cabi_definitions", DEFINITIONS)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["cabi_definitions"] = module
    spec.loader.exec_module(module)
    module.DETERMINISTIC_PROFILE = True  # type: ignore[attr-defined]
    return module


D: Any = load_definitions() if DEFINITIONS.is_file() else None


@dataclass(frozen=True)
class Request:
    mode: str
    source: str
    params: tuple[Any, ...]  # types, of definitions.py
    result: Any
    encodings: tuple[str, str]
    keep: bool
    lend: bool
    handles: tuple[tuple[str, int, int], ...]  # own, borrow or hole; which resource; representation
    core: tuple[int, ...]
    values: tuple[Any, ...]
    memory: bytes
    out: int
    fault: tuple[int, int] | None


@dataclass(frozen=True)
class Answer:
    ending: str
    lifted: str
    flat: str
    steps: str = field(compare=False)
    calls: str
    memory: str
    source: str
    destination: str
    message: str = field(compare=False, default="")


class Probe:
    """Our program, which keeps running."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([PROBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line: str) -> Answer:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        assert reply, f"the probe died of {line!r}"
        return Answer(*reply.rstrip("\n").split("\t"))

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(10) == 0


@pytest.fixture(scope="module")
def probe() -> Iterator[Probe]:
    made = Probe()
    yield made
    made.close()


# --- notation -------------------------------------------------------------------------------------------------------
def wit(t: Any) -> str:
    """A type in WIT."""
    match t:
        case D.RecordType(fields):
            return "record { " + ", ".join(f"{f.label}: {wit(f.t)}" for f in fields) + " }"
        case D.VariantType(cases):
            return "variant { " + ", ".join(c.label + (f"({wit(c.t)})" if c.t else "") for c in cases) + " }"
        case D.TupleType(ts):
            return f"tuple<{', '.join(map(wit, ts))}>"
        case D.ListType(e, n):
            return f"list<{wit(e)}>" if n is None else f"list<{wit(e)}, {n}>"
        case D.MapType(k, v):
            return f"map<{wit(k)}, {wit(v)}>"
        case D.OptionType(e):
            return f"option<{wit(e)}>"
        case D.ResultType(ok, error):
            return f"result<{wit(ok) if ok else '_'}{f', {wit(error)}' if error else ''}>"
        case D.EnumType(labels):
            return "enum { " + ", ".join(labels) + " }"
        case D.FlagsType(labels):
            return "flags { " + ", ".join(labels) + " }"
        case D.OwnType(rt):
            return f"own<{rt.name}>"
        case D.BorrowType(rt):
            return f"borrow<{rt.name}>"
        case _:
            return type(t).__name__.removesuffix("Type").lower()


def words(t: Any, v: Any) -> list[str]:
    """A value of definitions.py as the probe writes it."""
    match t:
        case D.TupleType() | D.EnumType() | D.OptionType() | D.ResultType() | D.MapType():
            return words(D.despecialize(t), v)
        case D.RecordType(fields):
            return [w for f in fields for w in words(f.t, v[f.label])]
        case D.VariantType(cases):
            index, payload = D.match_case(v, cases)
            return [str(index), *(words(cases[index].t, payload) if cases[index].t else [])]
        case D.ListType(e):
            return [str(len(v)), *(w for one in v for w in words(e, one))]
        case D.FlagsType(labels):
            return [str(D.pack_flags_into_int(v, labels))]
        case D.OwnType() | D.BorrowType():
            return [f"r{v}"]
        case D.BoolType():
            return [str(int(v))]
        case D.CharType():
            return [str(ord(v))]
        case D.F32Type() | D.F64Type():
            return ["nan" if v != v else f"{bits(t, v):x}"]
        case D.StringType():
            text, encoding, tagged = v
            units = tagged & 0x7FFFFFFF  # for a length below 2^28 the tag is the only higher bit
            name = encoding
            if encoding == "latin1+utf16":
                name = "tagged" if tagged != units else "latin1"
            codec = {"utf8": "utf-8", "utf16": "utf-16-le", "latin1": "latin-1", "tagged": "utf-16-le"}[name]
            return [f"{name}/{units}/{text.encode(codec).hex()}"]
        case _:
            return [str(v)]


def bits(t: Any, v: float) -> int:
    wide = isinstance(t, D.F64Type)
    number: int = struct.unpack("<Q" if wide else "<I", struct.pack("<d" if wide else "<f", v))[0]
    return number


def func_text(r: Request) -> str:
    params = ", ".join(f"p{i}: {wit(t)}" for i, t in enumerate(r.params))
    return f"func({params})" + (f" -> {wit(r.result)}" if r.result else "")


def types_of(r: Request) -> list[Any]:
    return [r.result] if r.mode == "result" else list(r.params)


def line_of(r: Request) -> str:
    handles = " ".join("-" if kind == "-" else f"{kind}{which}:{rep}" for kind, which, rep in r.handles)
    given = [w for t, v in zip(types_of(r), r.values, strict=False) for w in words(t, v)] if r.source == "host" else [f"{c:x}" for c in r.core]
    fault = f"{r.fault[0]}:{r.fault[1]}" if r.fault else "-"
    return "\t".join([r.mode, r.source, func_text(r), *r.encodings, str(int(r.keep)), str(int(r.lend)), handles, " ".join(given),
                      r.memory.hex(), str(r.out), fault])  # fmt: skip


# --- the oracle's answer --------------------------------------------------------------------------------------------
def with_strings(t: Any, v: Any, change: Callable[[Any], Any]) -> Any:
    """The value with each of its strings changed."""
    match t:
        case D.TupleType() | D.EnumType() | D.OptionType() | D.ResultType() | D.MapType():
            return with_strings(D.despecialize(t), v, change)
        case D.RecordType(fields):
            return {f.label: with_strings(f.t, v[f.label], change) for f in fields}
        case D.VariantType(cases):
            index, payload = D.match_case(v, cases)
            return {cases[index].label: with_strings(cases[index].t, payload, change) if cases[index].t else None}
        case D.ListType(e):
            return [with_strings(e, one, change) for one in v]
        case D.StringType():
            return change(v)
        case _:
            return v


def as_utf8(s: Any) -> Any:
    """A string on its way through the host."""
    return (s[0], "utf8", len(s[0].encode()))


def retagged(s: Any, source: Any, destination: Any) -> Any:
    """definitions.py looks for a string's tag where the destination's addresses would have it."""
    text, encoding, units = s
    tag = D.utf16_tag(source.ptr_type())
    if encoding != "latin1+utf16" or not units & tag:
        return s
    return (text, encoding, units ^ tag | D.utf16_tag(destination.ptr_type()))


class Guest:
    """An instance with a memory and a realloc that never frees, as in the probe."""

    def __init__(self, encoding: str, memory: bytes = b"", fault: tuple[int, int] | None = None) -> None:
        self.bytes = bytearray(memory) + bytearray(MEMORY - len(memory))
        self.heap, self.fault = HEAP, fault
        self.calls: list[str] = []
        self.instance = D.ComponentInstance(D.Store())
        options = D.CanonicalOptions()
        options.string_encoding, _, width = encoding.partition("/")
        options.memory = D.MemInst(self.bytes, "i64" if width else "i32")
        self.cx = D.LiftLowerContext(options, self.instance)
        self.cx.reallocate = self.realloc  # the same, without a thread of the model for each call

    def realloc(self, old: int, old_size: int, align: int, size: int) -> int:
        self.calls.append(f"{old},{old_size},{align},{size}")
        if self.fault and len(self.calls) == self.fault[0]:
            return self.fault[1]
        at: int = D.align_to(self.heap, align)
        self.heap = at + size
        if self.heap > MEMORY:
            return 2**32 - 1
        n = min(old_size, size)
        self.bytes[at : at + n] = self.bytes[old : old + n]
        return at

    def table(self, second: Any) -> str:
        return " ".join(
            "-" if h is None else f"{'o' if h.own else 'b'}{int(h.rt is second)}:{h.rep}:{h.num_lends}" for h in self.instance.handles.array[1:]
        )


def resources() -> tuple[Any, Any]:
    made = (D.ResourceType(None), D.ResourceType(None))
    for i, rt in enumerate(made):
        rt.name = f"r{i}"
    return made


R: Any = resources() if D else (None, None)


def oracle(r: Request) -> Answer:
    source, destination = Guest(r.encodings[0], r.memory), Guest(r.encodings[1], fault=r.fault)
    R[0].impl, R[1].impl = source.instance, destination.instance
    filled = [None if kind == "-" else D.ResourceHandle(R[which], rep, kind == "o") for kind, which, rep in r.handles]
    for h in filled:
        source.instance.handles.add(h or D.ResourceHandle(R[0], 0, True))
    for i, h in enumerate(filled, 1):
        if h is None:
            source.instance.handles.remove(i)
    source.cx.borrow_scope = D.Subtask()
    task = object.__new__(D.Task)
    task.num_borrows = 0
    destination.cx.borrow_scope = task
    types = types_of(r)
    most = 1 if r.mode == "result" else 16
    ending, lifted, flat = "ok", "", ""
    try:
        if r.source == "host":
            values = list(r.values)
        else:
            ending = "trap-lift"
            values = D.lift_flat_values(source.cx, most, D.CoreValueIter(decoded(types, r.core, source.cx.opts, most)), types)
            if not r.keep:
                values = [with_strings(t, v, as_utf8) for t, v in zip(types, values, strict=True)]
        lifted = " ".join(w for t, v in zip(types, values, strict=True) for w in words(t, v))
        memories = source.cx.opts.memory, destination.cx.opts.memory
        values = [with_strings(t, v, lambda one: retagged(one, *memories)) for t, v in zip(types, values, strict=True)]
        ending = "trap-lower"
        out = D.CoreValueIter([r.out]) if r.mode == "result" else None
        lowered = D.lower_flat_values(destination.cx, most, values, types, out)
        core_types = D.flatten_types(types, destination.cx.opts)
        flat = " ".join(f"{encoded(t, v):x}" for t, v in zip(core_types, lowered, strict=False))
        ending = "ok"
    except D.Trap:
        pass
    return Answer(ending, lifted, flat, "", " ".join(destination.calls), bytes(destination.bytes).rstrip(b"\0").hex(),
                  source.table(R[1]), destination.table(R[1]))  # fmt: skip


def decoded(types: list[Any], core: tuple[int, ...], opts: Any, most: int) -> list[Any]:
    flat = D.flatten_types(types, opts)
    if len(flat) > most:
        return [core[0] % (2**64 if opts.memory.ptr_type() == "i64" else 2**32)]
    return [D.core_f32_reinterpret_i32(c) if t == "f32" else D.core_f64_reinterpret_i64(c) if t == "f64" else c for t, c in zip(flat, core, strict=True)]


def encoded(t: str, v: Any) -> int:
    if t == "f32":
        return bits(D.F32Type(), v)
    if t == "f64":
        return bits(D.F64Type(), v)
    return int(v)


# --- what is asked --------------------------------------------------------------------------------------------------
def labels(n: int) -> list[str]:
    return [f"n{i}" for i in range(n)]


def types(handles: bool) -> st.SearchStrategy[Any]:
    plain = [D.BoolType, D.S8Type, D.U8Type, D.S16Type, D.U16Type, D.S32Type, D.U32Type, D.S64Type, D.U64Type, D.F32Type, D.F64Type,
             D.CharType, D.StringType]  # fmt: skip
    keys = [t for t in plain if t not in (D.F32Type, D.F64Type)]
    leaves = [st.sampled_from(plain).map(lambda t: t()), st.just(D.StringType())]
    leaves += [st.integers(1, 32).map(lambda n: D.FlagsType(labels(n))), st.sampled_from((1, 2, 3, 200, 256, 255)).map(lambda n: D.EnumType(labels(n)))]
    if handles:
        leaves += [st.sampled_from(R).map(D.OwnType), st.sampled_from(R).map(D.BorrowType)]

    def more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = st.lists(inner, min_size=1, max_size=5)
        maybe = st.one_of(st.none(), inner)
        return st.one_of(
            some.map(lambda ts: D.RecordType([D.FieldType(f"n{i}", t) for i, t in enumerate(ts)])),
            some.map(D.TupleType),
            st.lists(maybe, min_size=1, max_size=5).map(lambda ts: D.VariantType([D.CaseType(f"n{i}", t) for i, t in enumerate(ts)])),
            inner.map(D.ListType),
            st.tuples(inner, st.integers(1, 4)).map(lambda p: D.ListType(*p)),
            st.tuples(st.sampled_from(keys).map(lambda t: t()), inner).map(lambda p: D.MapType(*p)),
            inner.map(D.OptionType),
            st.tuples(maybe, maybe).map(lambda p: D.ResultType(*p)),
        )

    return st.recursive(st.one_of(*leaves), more, max_leaves=8)


POINTS = st.one_of(st.characters(max_codepoint=0x7F), st.characters(max_codepoint=0xFF), st.characters(exclude_categories=["Cs"]))


def values(t: Any) -> st.SearchStrategy[Any]:
    """Values of a type as the host makes them: strings are UTF-8."""
    match t:
        case D.TupleType() | D.EnumType() | D.OptionType() | D.ResultType() | D.MapType():
            return values(D.despecialize(t))
        case D.RecordType(fields):
            return st.fixed_dictionaries({f.label: values(f.t) for f in fields})
        case D.VariantType(cases):
            return st.sampled_from(cases).flatmap(lambda c: (values(c.t) if c.t else st.none()).map(lambda v: {c.label: v}))
        case D.ListType(e, n):
            return st.lists(values(e), min_size=n or 0, max_size=n or 5)
        case D.FlagsType(names):
            return st.fixed_dictionaries({n: st.booleans() for n in names})
        case D.OwnType() | D.BorrowType():
            return st.integers(1, 99)
        case D.BoolType():
            return st.booleans()
        case D.CharType():
            return POINTS
        case D.F32Type():
            return st.floats(width=32)
        case D.F64Type():
            return st.floats()
        case D.StringType():
            return st.text(POINTS, max_size=20).map(lambda s: (s, "utf8", len(s.encode())))
        case _:
            name = wit(t)
            width = int(name[1:])
            return st.integers(0, 2**width - 1) if name[0] == "u" else st.integers(-(2 ** (width - 1)), 2 ** (width - 1) - 1)


def signatures(draw: st.DrawFn, mode: str) -> tuple[tuple[Any, ...], Any]:
    if mode == "result":
        return (), draw(types(False))
    return tuple(draw(st.lists(types(True), min_size=1, max_size=6))), None


FAULTS = st.one_of(st.none(), st.none(), st.tuples(st.integers(1, 4), st.sampled_from((0, 1, 1025, 2047, 2048, MEMORY - 8, MEMORY - 1, MEMORY, 2**32 - 1))))
OUTS = st.sampled_from((512, 512, 512, 513, 514, 516, MEMORY - 4, MEMORY - 1, MEMORY, 2**32 - 8))


@st.composite
def from_host(draw: st.DrawFn) -> Request:
    mode = draw(st.sampled_from(("params", "result")))
    params, result = signatures(draw, mode)
    given = tuple(draw(values(t)) for t in ([result] if mode == "result" else params))
    return Request(mode, "host", params, result, (draw(st.sampled_from(ENCODINGS)), draw(st.sampled_from(ENCODINGS))), False, False, (), (), given, b"",
                   draw(OUTS), draw(FAULTS))  # fmt: skip


SMALL = st.one_of(st.integers(0, 8), st.sampled_from((0x40, 0x41, 0x80, 0xC0, 0xFF, 0x100, MEMORY, MEMORY - 1, 0x7FFFFFFF, 0x80000000, 0x80000001, 0x80000003, 0xD800, 0x10FFFF, 0x110000, 2**32 - 1)), st.integers(0, 2**32 - 1))


def core_value(t: str) -> st.SearchStrategy[int]:
    if t in ("i32", "f32"):
        return st.one_of(SMALL, st.sampled_from((0x7F800001, 0xFFC00000, 0x80000000, 0x3F800000))) if t == "f32" else SMALL
    return st.one_of(SMALL, st.integers(0, 2**64 - 1), st.sampled_from((0x7FF0000000000001, 0xFFF8000000000000, 2**64 - 1, 2**63)))


@st.composite
def hostile(draw: st.DrawFn) -> Request:
    """A memory of arbitrary bytes (many of them small), arbitrary core values, an arbitrary table."""
    mode = draw(st.sampled_from(("params", "params", "result")))
    params, result = signatures(draw, mode)
    encodings = (draw(st.sampled_from(ENCODINGS)), draw(st.sampled_from(ENCODINGS)))
    flat = D.flatten_types([result] if mode == "result" else list(params), Guest(encodings[0]).cx.opts)
    if len(flat) > (1 if mode == "result" else 16):
        core: tuple[int, ...] = (draw(st.sampled_from((0, 8, 16, 16, 16, 17, MEMORY - 8, MEMORY, 2**32 - 8))),)
    else:
        core = tuple(draw(core_value(t)) for t in flat)
    chunk = st.one_of(st.integers(0, 5).map(lambda n: n.to_bytes(4, "little")), st.sampled_from((b"\0" * 8, b"\1\0\0\0\2\0\0\0", b"\x40\0\0\0\4\0\0\0", b"a\xe9", b"\xc3\xa9", b"\0\xd8\0\xdc", b"\x40\0\0\0\2\0\0\x80")), st.binary(max_size=8))
    memory = b"".join(draw(st.lists(chunk, max_size=40)))
    handle = st.tuples(st.sampled_from(("o", "o", "b", "-")), st.integers(0, 1), st.integers(1, 99))
    return Request(mode, "guest", params, result, encodings, draw(st.booleans()), draw(st.booleans()),
                   tuple(draw(st.lists(handle, max_size=5))), core, (), memory, draw(OUTS), draw(FAULTS))  # fmt: skip


def compare(probe: Probe, r: Request) -> Answer:
    line = line_of(r)
    ours, theirs = probe.ask(line), oracle(r)
    shown = f"\nrequest {line!r}\nours    {ours}\noracle  {theirs}"
    assert ours.ending == theirs.ending, shown
    if ours.ending == "trap-lift":
        return ours  # the instance is closed: the rest is not observable
    assert (ours.lifted, ours.calls) == (theirs.lifted, theirs.calls), shown
    if ours.ending == "ok":
        assert ours == theirs, shown
    if r.source == "guest" and ours.steps != "-" and ours.ending == "ok":
        assert ours.steps == ours.flat, f"the short way of scalars differs{shown}"
    return ours


@common
@given(from_host())
def test_host_values_are_lowered_alike(probe: Probe, r: Request) -> None:
    compare(probe, r)


@common
@given(st.data())
def test_values_pass_between_components_alike(probe: Probe, data: st.DataObject) -> None:
    """The memory that the oracle wrote for one component goes to another: mostly valid, in all encodings."""
    r = data.draw(from_host())
    first = oracle(Request(r.mode, "host", r.params, r.result, (r.encodings[0], r.encodings[0]), False, False, (), (), r.values, b"", 512, None))
    if first.ending != "ok":
        return
    table = tuple(("-", 0, 0) if w == "-" else (w[0], int(w[1]), int(w.split(":")[1])) for w in first.destination.split())
    core = tuple(int(w, 16) for w in first.flat.split()) or (512,)
    again = Request(r.mode, "guest", r.params, r.result, r.encodings, data.draw(st.booleans()), data.draw(st.booleans()), table, core, (),
                    bytes.fromhex(first.memory), r.out, r.fault)  # fmt: skip
    answer = compare(probe, again)
    assert answer.ending != "trap-lift" or any(isinstance(t, D.BorrowType) for t in r.params) or "borrow" in line_of(again)


@common
@given(st.data())
def test_damaged_values_end_alike(probe: Probe, data: st.DataObject) -> None:
    """The same with a few bytes and core values changed, to bits that no well-behaved guest writes."""
    r = data.draw(from_host())
    first = oracle(Request(r.mode, "host", r.params, r.result, (r.encodings[0], r.encodings[0]), False, False, (), (), r.values, b"", 512, None))
    if first.ending != "ok":
        return
    table = tuple((w[0], int(w[1]), int(w.split(":")[1])) for w in first.destination.split())
    memory = bytearray(bytes.fromhex(first.memory))
    used = [i for i in range(len(memory)) if i >= HEAP or (r.mode == "result" and i >= 512)]
    for at in data.draw(st.lists(st.sampled_from(used), max_size=4)) if used else []:
        memory[at] = data.draw(st.sampled_from((0, 1, 2, 0x80, 0xC3, 0xD8, 0xFE, 0xFF)))
    types_here = [r.result] if r.mode == "result" else list(r.params)
    flat = D.flatten_types(types_here, Guest("utf8").cx.opts)
    spilled = len(flat) > (1 if r.mode == "result" else 16)
    core = [int(w, 16) for w in first.flat.split()] or [512]
    if not spilled:
        for at in data.draw(st.lists(st.integers(0, len(core) - 1), max_size=2)):
            core[at] |= data.draw(st.sampled_from((0, 0x80, 0xFF00, 0xFFFF0000, 0x80000000)))
    compare(probe, Request(r.mode, "guest", r.params, r.result, r.encodings, data.draw(st.booleans()), data.draw(st.booleans()), table, tuple(core), (),
                           bytes(memory), 512, None))  # fmt: skip


@common
@given(hostile())
def test_hostile_memories_end_alike(probe: Probe, r: Request) -> None:
    compare(probe, r)


def test_the_comparison_notices(probe: Probe) -> None:
    """A request that asks the two for different things must fail."""
    r = Request("params", "guest", (D.StringType(),), None, ("utf8", "utf16"), True, False, (), (0, 3), (), b"abc", 512, None)
    assert compare(probe, r).ending == "ok"
    for other in (b"abd", b"ab\xff"):
        ours, theirs = probe.ask(line_of(r)), oracle(Request(**{**r.__dict__, "memory": other}))
        assert ours != theirs


def test_every_scalar_from_every_kind_of_bits(probe: Probe) -> None:
    """Cases that random damage rarely hits: each scalar, in a list and flat, from bits that no guest should write."""
    scalars = [D.FlagsType(labels(n)) for n in range(1, 33)] + [D.EnumType(labels(n)) for n in (1, 3, 255, 256)]
    scalars += [D.BoolType(), D.CharType(), D.S8Type(), D.U8Type(), D.S16Type(), D.U16Type(), D.S32Type(), D.U32Type(), D.S64Type(), D.U64Type(), D.F32Type(), D.F64Type()]
    for t in scalars:
        for byte in (0x00, 0x01, 0x02, 0x7F, 0x80, 0xFE, 0xFF):
            common = (None, ("utf8", "utf8"), False, False, ())
            compare(probe, Request("params", "guest", (D.ListType(t),), *common, (16, 1), (), bytes(16) + bytes([byte] * 8), 512, None))
            (wanted,) = D.flatten_types([t], Guest("utf8").cx.opts)
            core = int.from_bytes(bytes([byte] * (8 if wanted in ("i64", "f64") else 4)), "little")
            compare(probe, Request("params", "guest", (t,), *common, (core,), (), b"", 512, None))
