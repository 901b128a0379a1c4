"""A component of exchanges, as text: a command that writes what each exchange brought.

In: exchanges. Out: the text of a component with four inside: the owner of a resource, a printer, and two that call each
other. The callee exports a function for each exchange; the caller calls them one after the other. Whoever gets the value
writes `NUMBER TEXT`; the caller writes `NUMBER .` when the call has returned. Numbers are hexadecimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import kit, types
from .exchange import Exchange
from .expected import FIRST_REP
from .memory import Core, Memory
from .types import NAMED, SIMPLE, Type
from .values import Value

_TO_SLOT = {"i32": "(i64.extend_i32_u {})", "i64": "{}", "f32": "(i64.extend_i32_u (i32.reinterpret_f32 {}))",
            "f64": "(i64.reinterpret_f64 {})"}  # fmt: skip
_NEVER_GIVEN = 0x3FFFFFF
"""An index of the table of handles that was never given out."""


def component(given: Sequence[Exchange]) -> str:
    """Returns the text of a component. Raises `memory.FullError`."""
    caller, callee = _Side(caller=True), _Side(caller=False)
    for number, exchange in enumerate(given):
        caller.add(number, exchange)
        callee.add(number, exchange)
    withs = "".join(f'\n    (with "f{number}" (func $callee "f{number}"))' for number in range(len(given)))
    withs += "".join(f'\n    (with "{name}" (type $callee "{name}"))' for name in caller.types.names)
    return f"""(component $root{kit.LIBC}{kit.KIT}{kit.OWNER}{kit.PRINTER}
  (component $callee{callee.text()})
  (instance $callee (instantiate $callee (with "o" (instance $owner)) (with "print" (func $printer "print"))))
  (component $caller{caller.text()})
  (instance $caller (instantiate $caller (with "o" (instance $owner)) (with "print" (func $printer "print")){withs}))
  (alias export $caller "run" (func $run))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run)))
"""


@dataclass
class _Types:
    """The definitions of types in a component. The callee exports those that need a name, the caller imports them."""

    exported: bool
    lines: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _known: dict[Type, str] = field(default_factory=dict)

    def ref(self, made: Type) -> str:
        if made.kind in SIMPLE and made.kind not in ("own", "borrow"):
            return made.kind
        if made not in self._known:
            text = self._define(made)
            number = len(self._known)
            self._known[made] = f"$t{number}"
            if made.kind not in NAMED:
                self.lines.append(f"(type $t{number} {text})")
            else:
                self.names.append(f"t{number}")
                self.lines.append(f"(type $d{number} {text})")
                self.lines.append(
                    f'(export $t{number} "t{number}" (type $d{number}))'
                    if self.exported
                    else f'(import "t{number}" (type $t{number} (eq $d{number})))'
                )
        return self._known[made]

    def _define(self, made: Type) -> str:
        match made.kind:
            case "own" | "borrow":
                return f"({made.kind} $r)"
            case "record":
                fields = (f'(field "f{number}" {self.ref(part)})' for number, part in enumerate(made.fields))
                return f"(record {' '.join(fields)})"
            case "variant":
                cases = (f'(case "c{number}"{self._payload(part)})' for number, part in enumerate(made.parts))
                return f"(variant {' '.join(cases)})"
            case "result":
                ok, error = made.parts
                return f"(result{self._payload(ok)}{f' (error {self.ref(error)})' if error else ''})"
            case "enum" | "flags":
                return f"({made.kind} {' '.join(f'{chr(34)}l{number}{chr(34)}' for number in range(made.count))})"
            case _:
                return f"({made.kind} {' '.join(self.ref(part) for part in made.fields)})"

    def _payload(self, part: Type | None) -> str:
        return "" if part is None else f" {self.ref(part)}"


@dataclass
class _Side:
    """One of the two components that call each other."""

    caller: bool
    memory: Memory = field(default_factory=Memory)
    outer: list[str] = field(default_factory=list)
    """Definitions of the component before its core module is instantiated, and after."""
    lifts: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    types: _Types = field(init=False)

    def __post_init__(self) -> None:
        self.types = _Types(exported=not self.caller)

    def add(self, number: int, exchange: Exchange) -> None:
        gives = (exchange.direction == "param") == self.caller
        encoding = exchange.source if gives else exchange.target
        shape = f'(param "p" {self.types.ref(exchange.type)})'
        if exchange.direction == "result":
            shape = f"(result {self.types.ref(exchange.type)})"
        options = f'string-encoding={encoding} (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))'
        if self.caller:
            self.outer.append(f'(import "f{number}" (func $f{number} {shape}))')
            self.outer.append(f"(core func $f{number} (canon lower (func $f{number}) {options}))")
            self.given.append(f'(export "f{number}" (func $f{number}))')
            self._call(number, exchange)
        else:
            self.lifts.append(
                f'(func (export "f{number}") {shape} (canon lift (core func $main "f{number}") {options}))'
            )
            self._define(number, exchange)

    def _call(self, number: int, exchange: Exchange) -> None:
        """Adds a call to the caller."""
        core, crosses_flat = types.flat(exchange.type), exchange.flat
        if exchange.direction == "param":
            arguments, before, made = self._give(exchange)
            parameters = " ".join(core) if crosses_flat else "i32"
            self.imports.append(f'(import "f" "f{number}" (func $f{number} (param {parameters})))')
            lines = [*before, f"(call $f{number} {' '.join(arguments)})", *_drops(exchange, made)]
        elif crosses_flat:
            self.imports.append(f'(import "f" "f{number}" (func $f{number} (result {core[0]})))')
            got = _TO_SLOT[core[0]].format(f"(call $f{number})")
            lines = [f"(i64.store (i32.const {kit.SLOTS}) {got})", *self._show(number, exchange)]
        else:
            self.imports.append(f'(import "f" "f{number}" (func $f{number} (param i32)))')
            address, _ = self.memory.reserve(*types.layout(exchange.type))
            lines = [f"(call $f{number} (i32.const {address}))", *self._show(number, exchange, f"(i32.const {address})")]
        lines.append(f"(call $done (i32.const {number}))")
        self.code.append(_function(f"$call{number}", [], lines))

    def _define(self, number: int, exchange: Exchange) -> None:
        """Adds a function to the callee."""
        core, crosses_flat = types.flat(exchange.type), exchange.flat
        head = [f'(export "f{number}")']
        if exchange.direction == "param":
            head.append(f"(param {' '.join(core) if crosses_flat else 'i32'})")
            lines = [f"(global.set $keep (i32.const {int(exchange.keep)}))"]
            for place, one in enumerate(core if crosses_flat else ()):
                slot = f"(i32.const {kit.SLOTS + 8 * place})"
                lines.append(f"(i64.store {slot} {_TO_SLOT[one].format(f'(local.get {place})')})")
            lines += self._show(number, exchange, "" if crosses_flat else "(local.get 0)")
        else:
            arguments, before, _ = self._give(exchange)
            head.append(f"(result {core[0] if crosses_flat else 'i32'})")
            lines = [*before, *arguments]
        self.code.append(_function("", head, lines))

    def _show(self, number: int, exchange: Exchange, address: str = "") -> list[str]:
        """Returns the code that writes a value; it lies in the slots where there is no address."""
        node = self.memory.describe(exchange.type, exchange.target)
        at, flat = address or f"(i32.const {kit.SLOTS})", int(not address)
        return [
            f"(call $begin (i32.const {number}))",
            f"(call $show (i32.const {node}) {at} (i32.const {flat}))",
            "(call $end)",
        ]

    def _give(self, exchange: Exchange) -> tuple[list[str], list[str], list[str]]:
        """Returns the core values to give, the code before that makes handles, and the words of these."""
        if exchange.flat:
            cores = self.memory.flat(exchange.type, exchange.value, exchange.source)
        else:
            cores = [Core("i32", self.memory.image(exchange.type, exchange.value, exchange.source))]
        stores, self.memory.handles = self.memory.handles, []
        words = list(dict.fromkeys([*(core.handle for core in cores if core.handle), *(word for _, word in stores)]))
        before = [f"(local ${word} i32)" for word in words]
        for word in sorted(words, key="dropped".__eq__):  # last, because the next handle has the index of a dropped one
            before += _handle(word)
        before += [f"(i32.store (i32.const {address}) (local.get ${word}))" for address, word in stores]
        return [_core(core) for core in cores], before, words

    def text(self) -> str:
        """Returns the inside of the component."""
        lines = [
            '(import "o" (instance $o (export "r" (type $r (sub resource))) (export "s" (type $s (sub resource)))',
            '  (export "new-r" (func (param "rep" u32) (result (own $r))))',
            '  (export "new-s" (func (param "rep" u32) (result (own $s))))',
            '  (export "rep" (func (param "handle" (borrow $r)) (result u32)))))',
            '(import "print" (func $print (param "text" (list u8))))',
            '(alias export $o "r" (type $r))',
            "(alias outer $root $libc (core module $libc))",
            "(alias outer $root $kit (core module $kit))",
            "(core instance $libc (instantiate $libc))",
            '(core func $print (canon lower (func $print) (memory (core memory $libc "memory"))))',
            '(core func $rep (canon lower (func $o "rep")))',
            '(core func $new-r (canon lower (func $o "new-r")))',
            '(core func $new-s (canon lower (func $o "new-s")))',
            "(core func $drop (canon resource.drop $r))",
            '(core instance $kit (instantiate $kit (with "libc" (instance $libc)) (with "host" (instance',
            '  (export "print" (func $print)) (export "rep" (func $rep)) (export "drop" (func $drop))))))',
            *self.types.lines,
            *self.outer,
            "(core module $main",
            f'  (import "libc" "memory" (memory {kit.PAGES} {kit.PAGES}))',
            '  (import "host" "new-r" (func $new-r (param i32) (result i32)))',
            '  (import "host" "new-s" (func $new-s (param i32) (result i32)))',
            '  (import "host" "drop" (func $drop (param i32)))',
            '  (import "kit" "keep" (global $keep (mut i32)))',
            '  (import "kit" "begin" (func $begin (param i32)))',
            '  (import "kit" "show" (func $show (param i32 i32 i32)))',
            '  (import "kit" "end" (func $end))',
            '  (import "kit" "done" (func $done (param i32)))',
            *self.imports,
            *(f'(data (i32.const {address}) "{_quoted(content)}")' for address, content in self.memory.data if content),
            *self.code,
            *([self._run()] if self.caller else []),
            ")",
            '(core instance $main (instantiate $main (with "libc" (instance $libc)) (with "kit" (instance $kit))',
            '  (with "host" (instance (export "new-r" (func $new-r)) (export "new-s" (func $new-s)) (export "drop" (func $drop))))',
            f'  (with "f" (instance {" ".join(self.given)}))))',
            *self.lifts,
            *(['(func (export "run") (result (result)) (canon lift (core func $main "run")))'] if self.caller else []),
        ]
        return "".join(f"\n    {line}" for line in lines)

    def _run(self) -> str:
        return _function("", ['(export "run")', "(result i32)"], [*(f"(call $call{n})" for n in range(len(self.given))), "(i32.const 0)"])  # fmt: skip


def _function(name: str, head: list[str], lines: list[str]) -> str:
    return f"(func {' '.join([*([name] if name else []), *head])}{''.join(f'{chr(10)}      {line}' for line in lines)})"


def _handle(word: str) -> list[str]:
    """Returns the code that makes the handle of a word, in its local variable."""
    match word:
        case "zero" | "none":
            return [f"(local.set ${word} (i32.const {0 if word == 'zero' else _NEVER_GIVEN}))"]
        case "other":
            return [f"(local.set ${word} (call $new-s (i32.const {FIRST_REP})))"]
        case "dropped":
            return [f"(local.set ${word} (call $new-r (i32.const {FIRST_REP})))", f"(call $drop (local.get ${word}))"]
        case _:
            return [f"(local.set ${word} (call $new-r (i32.const {FIRST_REP + int(word[1:])})))"]


def _drops(exchange: Exchange, words: list[str]) -> list[str]:
    """Returns the code that drops the handles which the caller has lent."""
    owned = {word for word, kind in _handles(exchange.type, exchange.value) if kind == "own"}
    return [f"(call $drop (local.get ${word}))" for word in words if word[1:].isdigit() and word not in owned]


def _handles(made: Type, value: Value) -> list[tuple[str, str]]:
    """Returns the words of the handles of a value, each with the kind of its type."""
    if made.kind in ("own", "borrow"):
        return [(value.word, made.kind)]
    if made.kind in ("record", "tuple"):
        return [one for part, item in zip(made.fields, value.items, strict=True) for one in _handles(part, item)]
    if made.kind == "list":
        return [one for item in value.items for one in _handles(made.fields[0], item)]
    if value.items and (payload := made.cases[value.number]) is not None:
        return _handles(payload, value.items[0])
    return []


def _core(core: Core) -> str:
    if core.handle:
        local = f"(local.get ${core.handle})"
        return local if core.type == "i32" else f"(i64.extend_i32_u {local})"
    if core.type[0] == "i":
        return f"({core.type}.const {core.bits:#x})"
    return f"({core.type}.reinterpret_i{core.type[1:]} (i{core.type[1:]}.const {core.bits:#x}))"


def _quoted(content: bytes | bytearray) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:02x}" for byte in content)
