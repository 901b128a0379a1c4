"""Reads the WIT of runtime/wasi/wit (and WASI's own): packages, interfaces, types, resources, functions, gates.

In: .wit files, grouped by package. Out: frozen dataclasses in the order of the text.
Source: component-model WIT.md. What WASI 0.2 does not use (inline packages, nested worlds' functions) is refused.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(
    r"\s+|//[^\n]*|/\*.*?\*/|(?P<arrow>->)|(?P<id>%?[A-Za-z][A-Za-z0-9-]*)|(?P<num>\d+(?:\.\d+)*)|(?P<sym>[{}()<>:;,=@./*_])",
    re.DOTALL,
)


class WitError(Exception):
    pass


@dataclass(frozen=True)
class Gate:
    """@since(version = …) or @unstable(feature = …)."""
    since: str = ""
    unstable: str = ""


@dataclass(frozen=True)
class Ref:
    """A type as written: a name with arguments. `_` in result is an argument with the name "_"."""
    name: str
    args: tuple[Ref, ...] = ()

    def text(self) -> str:
        return self.name + ("<" + ", ".join(a.text() for a in self.args) + ">" if self.args else "")


@dataclass(frozen=True)
class Case:
    name: str
    type: Ref | None


@dataclass(frozen=True)
class TypeDef:
    kind: str  # record variant flags enum alias resource use
    name: str
    gate: Gate
    cases: tuple[Case, ...] = ()
    target: Ref | None = None  # alias
    source: str = ""  # use: the interface ("wasi:io/streams") …
    source_name: str = ""  # … and the name there


@dataclass(frozen=True)
class Func:
    kind: str  # freestanding method static constructor
    resource: str
    name: str
    params: tuple[Case, ...]
    result: Ref | None
    gate: Gate

    @property
    def full_name(self) -> str:
        """The name that the component model gives it. Binary.md: [method]r.f"""
        if self.kind == "freestanding":
            return self.name
        if self.kind == "constructor":
            return f"[constructor]{self.resource}"
        return f"[{self.kind}]{self.resource}.{self.name}"


@dataclass(frozen=True)
class Interface:
    package: str  # "wasi:io"
    name: str
    gate: Gate
    types: tuple[TypeDef, ...] = ()
    funcs: tuple[Func, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.package}/{self.name}"

    def type(self, name: str) -> TypeDef | None:
        return next((t for t in self.types if t.name == name), None)


@dataclass
class Packages:
    version: str = ""
    interfaces: dict[str, Interface] = field(default_factory=dict)


class Parser:
    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.tokens: list[tuple[str, int]] = []
        at = 0
        while at < len(text):
            m = TOKEN.match(text, at)
            if not m:
                raise WitError(f"{where}:{text.count(chr(10), 0, at) + 1}: unexpected {text[at]!r}")
            if m.lastgroup:
                self.tokens.append((m[m.lastgroup], text.count("\n", 0, at) + 1))
            at = m.end()
        self.at = 0

    def fail(self, what: str) -> WitError:
        word, line = self.tokens[self.at] if self.at < len(self.tokens) else ("end of file", 0)
        return WitError(f"{self.where}:{line}: {what}, found {word!r}")

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][0] if self.at + ahead < len(self.tokens) else ""

    def next(self) -> str:
        word = self.peek()
        if not word:
            raise self.fail("more expected")
        self.at += 1
        return word

    def have(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.at += 1
        return True

    def want(self, word: str) -> None:
        if not self.have(word):
            raise self.fail(f"{word!r} expected")

    def name(self) -> str:
        word = self.next()
        if not re.fullmatch(r"%?[A-Za-z][A-Za-z0-9-]*", word):
            self.at -= 1
            raise self.fail("a name expected")
        return word.lstrip("%")

    def gate(self) -> Gate:
        since = unstable = ""
        while self.have("@"):
            word = self.name()
            self.want("(")
            key = self.name()
            self.want("=")
            value = self.next()
            self.want(")")
            if (word, key) == ("since", "version"):
                since = value
            elif (word, key) == ("unstable", "feature"):
                unstable = value
            elif word != "deprecated":
                raise self.fail(f"unknown gate @{word}({key})")
        return Gate(since, unstable)

    def type(self) -> Ref:
        if self.have("_"):
            return Ref("_")
        name = self.name()
        args: list[Ref] = []
        if self.have("<"):
            while True:
                args.append(self.type())
                if not self.have(","):
                    break
            self.want(">")
        return Ref(name, tuple(args))

    def path(self) -> tuple[str, str]:
        """`name`, `ns:pkg/name@version`: package ("" when of this one) and name."""
        first = self.name()
        if not self.have(":"):
            return "", first
        package = f"{first}:{self.name()}"
        self.want("/")
        name = self.name()
        if self.have("@"):
            self.next()
        return package, name

    def params(self) -> tuple[Case, ...]:
        self.want("(")
        out: list[Case] = []
        while not self.have(")"):
            name = self.name()
            self.want(":")
            out.append(Case(name, self.type()))
            if not self.have(","):
                self.want(")")
                break
        return tuple(out)

    def func(self, kind: str, resource: str, name: str, gate: Gate) -> Func:
        params = self.params()
        result = self.type() if self.have("->") else None
        self.want(";")
        if kind == "method":
            params = (Case("self", Ref("borrow", (Ref(resource),))), *params)
        if kind == "constructor":
            result = result or Ref("own", (Ref(resource),))
        return Func(kind, resource, name, params, result, gate)

    def resource(self, gate: Gate, types: list[TypeDef], funcs: list[Func]) -> None:
        name = self.name()
        types.append(TypeDef("resource", name, gate))
        if self.have(";"):
            return
        self.want("{")
        while not self.have("}"):
            inner = self.gate()
            word = self.name()
            if word == "constructor" and self.peek() == "(":
                funcs.append(self.func("constructor", name, "", inner))
                continue
            self.want(":")
            kind = "static" if self.have("static") else "method"
            self.want("func")
            funcs.append(self.func(kind, name, word, inner))

    def cases(self, kind: str) -> tuple[Case, ...]:
        self.want("{")
        out: list[Case] = []
        while not self.have("}"):
            name = self.name()
            payload: Ref | None = None
            if kind == "record":
                self.want(":")
                payload = self.type()
            elif kind == "variant" and self.have("("):
                payload = self.type()
                self.want(")")
            out.append(Case(name, payload))
            if not self.have(","):
                self.want("}")
                break
        return tuple(out)

    def interface(self, package: str, gate: Gate) -> Interface:
        iface_name = self.name()
        types: list[TypeDef] = []
        funcs: list[Func] = []
        self.want("{")
        while not self.have("}"):
            gate_here = self.gate()
            word = self.name()
            if word == "use" and self.peek() != ":":
                source_package, source = self.path()
                self.want(".")
                self.want("{")
                while not self.have("}"):
                    there = self.name()
                    here = self.name() if self.have("as") else there
                    types.append(TypeDef("use", here, gate_here, source=f"{source_package or package}/{source}", source_name=there))
                    if not self.have(","):
                        self.want("}")
                        break
                self.want(";")
            elif word == "type" and self.peek() != ":":
                name = self.name()
                self.want("=")
                types.append(TypeDef("alias", name, gate_here, target=self.type()))
                self.want(";")
            elif word in ("record", "variant", "flags", "enum") and self.peek() != ":":
                types.append(TypeDef(word, self.name(), gate_here, self.cases(word)))
            elif word == "resource" and self.peek() != ":":
                self.resource(gate_here, types, funcs)
            else:
                self.want(":")
                self.want("func")
                funcs.append(self.func("freestanding", "", word, gate_here))
        return Interface(package, iface_name, gate, tuple(types), tuple(funcs))

    def skip_block(self) -> None:
        depth = 0
        while True:
            word = self.next()
            depth += (word == "{") - (word == "}")
            if depth == 0 and word == "}":
                return

    def file(self, package: str) -> tuple[str, str, list[Interface]]:
        """The package (name and version, or the given ones if the file has none) and its interfaces."""
        version = ""
        interfaces: list[Interface] = []
        if self.have("package"):
            package = self.name_pair()
            self.want("@")
            version = self.next()
            self.want(";")
        while self.peek():
            gate = self.gate()
            if self.have("interface"):
                interfaces.append(self.interface(package, gate))
            elif self.have("world"):
                self.name()
                self.skip_block()
            else:
                raise self.fail("interface or world expected")
        return package, version, interfaces

    def name_pair(self) -> str:
        first = self.name()
        self.want(":")
        return f"{first}:{self.name()}"


def read(folder: Path) -> Packages:
    """All .wit below a folder. A file without `package` belongs to the package of its folder's other files."""
    out = Packages()
    for path in sorted(folder.rglob("*.wit")):
        default = f"wasi:{path.parent.name}"
        package, version, interfaces = Parser(path.read_text(), str(path)).file(default)
        if version:
            if out.version and out.version != version:
                raise WitError(f"{path}: {package}@{version} beside @{out.version}")
            out.version = version
        for i in interfaces:
            if i.full_name in out.interfaces:
                raise WitError(f"{path}: {i.full_name} is there twice")
            out.interfaces[i.full_name] = i
    return out
