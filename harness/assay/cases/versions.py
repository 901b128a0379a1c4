"""The same component, built against another 0.2.x: the versions in its names are rewritten.

In: a component's bytes, a version. Out: a component that imports and exports each `wasi:` interface with that
version. Source: component-model Binary.md (sections), Explainer.md (import and export names; "canonical
interface names" and their versions).

A name is a string with its length before it, in sections of components, and in the import and export sections
of the core modules inside. Nothing else in these sections depends on lengths but the sizes of the sections
around them, which are written anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..model import Case, names

CORE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"
NAME = re.compile(rb"wasi:[a-z-]+/[a-z0-9-]+@0\.2\.(?:0|[1-9][0-9]*)")
VERSION = re.compile(r"0\.2\.(0|[1-9][0-9]*)")
LATEST = int(names.NEWEST.rpartition(".")[2])
CUSTOM, CORE_MODULE, NESTED, IMPORTS, EXPORTS = 0, 1, 4, 10, 11  # sections of a component
CORE_IMPORTS, CORE_EXPORTS = 2, 7


MODES = ("all", "sample", "none")


class VersionError(Exception):
    """The bytes are no component, or the version is none of 0.2."""


def _leb(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        low = value & 0x7F
        value >>= 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise VersionError("a number in the component is cut off or too long")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The sections after the preamble."""
    at = 8
    while at < len(data):
        kind = data[at]
        size, begin = _number(data, at + 1)
        if begin + size > len(data):
            raise VersionError("a section of the component is cut off")
        yield kind, data[begin : begin + size]
        at = begin + size


def _places(payload: bytes) -> Iterator[tuple[int, int]]:
    """Where the names of interfaces in a section begin and end. The pattern takes as many digits as there are; the
    length before a name says how many are its own."""
    for m in NAME.finditer(payload):
        start = m.start()
        length = payload[start - 1] if start else 0
        if length < 0x80 and NAME.fullmatch(payload[start : start + length]):
            yield start, start + length


def _names(payload: bytes, version: bytes) -> bytes:
    """A section's bytes with each name of an interface, and its length, rewritten."""
    out, done = bytearray(), 0
    for start, end in _places(payload):
        new = payload[start:end].partition(b"@")[0] + b"@" + version
        out += payload[done : start - 1] + _leb(len(new)) + new
        done = end
    return bytes(out + payload[done:])


def _rewrite(data: bytes, version: bytes) -> bytes:
    out = bytearray(data[:8])
    core = data[:8] == CORE
    if not core and data[:8] != COMPONENT:
        raise VersionError("this is no component")
    for kind, payload in _sections(data):
        if core:
            new = _names(payload, version) if kind in (CORE_IMPORTS, CORE_EXPORTS) else payload
        elif kind in (CORE_MODULE, NESTED):
            new = _rewrite(payload, version)
        else:
            new = payload if kind == CUSTOM else _names(payload, version)
        out += bytes([kind]) + _leb(len(new)) + new
    return bytes(out)


def against(component: bytes, version: str) -> bytes:
    """The component as if it had been built against `version` of WASI ("0.2.0" to "0.2.12")."""
    m = VERSION.fullmatch(version)
    if not m or int(m[1]) > LATEST:
        raise VersionError(f"{version!r} is no version of WASI 0.2: 0.2.0 to 0.2.{LATEST}")
    return _rewrite(component, version.encode())


def versions_in(component: bytes) -> set[str]:
    """The versions of `wasi:` interfaces that a component names in its own import and export sections."""
    return {
        payload[start:end].partition(b"@")[2].decode()
        for kind, payload in _sections(component)
        if kind in (IMPORTS, EXPORTS)
        for start, end in _places(payload)
    }


def lowest(component: bytes) -> int:
    """The N of the lowest 0.2.N that has every function of `wasi:` that the component names."""
    least = 0
    for interface, functions in names.table().items():
        if f"{interface}@0.2.".encode() not in component:
            continue
        for function, since in functions.items():
            if VERSION.fullmatch(since) and function.encode() in component:
                least = max(least, int(since.rpartition(".")[2]))
    return least


def with_variants(case: Case, folder: Path) -> list[Case]:
    """The case, and the same with its component against each 0.2.x that has what it needs, but the one that it
    was built against.

    The components are written to `folder`; their names have the hash of the original.
    """
    if not case.component.is_file():
        return [case]
    component = case.component.read_bytes()
    built = versions_in(component)
    stem = f"{case.component.stem}-{hashlib.sha256(component).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    found = [dataclasses.replace(case, built=next(iter(built)) if len(built) == 1 else "")]
    for n in range(lowest(component), LATEST + 1):
        version = f"0.2.{n}"
        if built == {version}:
            continue
        path = folder / f"{stem}-{version}.wasm"
        if not path.exists():
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(against(component, version))
            Path(file.name).replace(path)
        title = f"{case.title} (against WASI {version})"
        found.append(dataclasses.replace(case, id=f"{case.id}@{version}", title=title, component=path, versions=False))
    return found


@dataclasses.dataclass(frozen=True)
class Wanted:
    """Which variants against other versions are run: a mode, and another mode for some runtimes."""

    mode: str = "all"
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, words: Sequence[str]) -> Wanted:
        """From `MODE` and `RUNTIME=MODE`; the last word wins."""
        mode, others = cls.mode, {}
        for word in words:
            runtime, equals, wanted = word.rpartition("=")
            if wanted not in MODES or (equals and not runtime):
                raise VersionError(f"{word!r} is neither MODE nor RUNTIME=MODE, MODE one of {', '.join(MODES)}")
            if equals:
                others[runtime] = wanted
            else:
                mode = wanted
        return cls(mode, tuple(others.items()))

    @property
    def words(self) -> tuple[str, ...]:
        """What `parse` reads. Empty for the default."""
        words = (self.mode, *(f"{runtime}={mode}" for runtime, mode in self.others))
        return () if words == (Wanted.mode,) else words

    def on(self, runtime: str) -> str:
        return dict(self.others).get(runtime, self.mode)


ALL = Wanted()


def left_out(cases: Sequence[Case], mode: str) -> frozenset[str]:
    """Returns the ids of the variants that a mode does not run."""
    if mode == "all":
        return frozenset()
    variants = {case.id for case in cases if version_of(case.id)}
    return frozenset(variants - sample(cases) if mode == "sample" else variants)


def sample(cases: Sequence[Case]) -> frozenset[str]:
    """Returns the ids of a few variants, always the same of the same cases.

    Each version occurs, and each interface that has variants occurs at its first version, at its last one, and at
    one between. What the cases themselves show, as they were built, needs no variant. Of the variants that show
    most of what is left, the first is taken, until nothing is left.
    """
    runs = [(case, n) for case in cases if (n := _against(case))]
    spans: dict[str, list[int]] = {}
    for case, n in runs:
        for interface in _interfaces(case):
            spans.setdefault(interface, []).append(int(n.rpartition(".")[2]))

    def shows(case: Case, version: str) -> set[tuple[str, str]]:
        n = int(version.rpartition(".")[2])
        places = {
            interface: "first" if n == min(spans[interface]) else "last" if n == max(spans[interface]) else "between"
            for interface in _interfaces(case)
        }
        return {("version", version), *places.items()}

    variants = {case.id: shows(case, n) for case, n in runs if version_of(case.id)}
    left = set[tuple[str, str]]().union(*variants.values())
    left = left.difference(*(shows(case, n) for case, n in runs if case.id not in variants))
    chosen = []
    while left:
        best = max(variants, key=lambda case_id: len(variants[case_id] & left))
        chosen.append(best)
        left -= variants[best]
    return frozenset(chosen)


def version_of(case_id: str) -> str:
    """Returns the 0.2.x that a variant is against, from its id. Empty for a case itself and for other variants."""
    version = case_id.partition("@")[2]
    return version if VERSION.fullmatch(version) else ""


def _against(case: Case) -> str:
    """The 0.2.x that a variant, or a case that has such variants, is against; empty for any other case."""
    return version_of(case.id) or case.built


def _interfaces(case: Case) -> set[str]:
    return {*case.interfaces, *(check.interface for check in case.checks)}
