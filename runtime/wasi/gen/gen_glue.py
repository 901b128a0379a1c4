#!/usr/bin/env python3
"""Writes the glue between WIT and the host functions: wasi_glue.h and wasi_glue.c.

Usage: gen_glue.py --out FOLDER
In:  runtime/wasi/wit/*.wit (the one source of signatures).
Out: constant tables: component-level types with what the canonical ABI derives from them, function types, resources and
     functions of the host; prototypes of the host functions and their destructors; enums for cases, fields and flags.
Names: ts_wasi_PACKAGE_INTERFACE_FUNCTION, methods and statics ts_wasi_PACKAGE_INTERFACE_RESOURCE_FUNCTION, constructors
     …_RESOURCE_new, destructors …_RESOURCE_drop; enums TS_WASI_PACKAGE_TYPE_CASE.
Sources: component-model CanonicalABI.md (alignment, element size, flattening), Explainer.md.
"""
from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import witparse
from witparse import Func, Interface, Ref, TypeDef

HERE = Path(__file__).resolve().parent
# What programs export and a host never provides: their functions are in the tables without code.
EXPORTED = ("wasi:cli/run", "wasi:http/incoming-handler")
I32, I64, F32, F64 = 0x7F, 0x7E, 0x7D, 0x7C  # spec: binary/types#number-types
FLAT_MAX = 17
# name -> kind, size, flat. cabi: alignment, elem_size, flatten_type
PRIMITIVES: dict[str, tuple[str, int, tuple[int, ...]]] = {
    "bool": ("BOOL", 1, (I32,)), "s8": ("S8", 1, (I32,)), "u8": ("U8", 1, (I32,)), "s16": ("S16", 2, (I32,)),
    "u16": ("U16", 2, (I32,)), "s32": ("S32", 4, (I32,)), "u32": ("U32", 4, (I32,)), "s64": ("S64", 8, (I64,)),
    "u64": ("U64", 8, (I64,)), "f32": ("F32", 4, (F32,)), "f64": ("F64", 8, (F64,)), "char": ("CHAR", 4, (I32,)),
    "string": ("STRING", 8, (I32, I32)),
}


def align_to(at: int, align: int) -> int:
    return (at + align - 1) // align * align


def join(a: int, b: int) -> int:
    """cabi: join"""
    if a == b:
        return a
    return I32 if {a, b} == {I32, F32} else I64


@dataclass(frozen=True)
class CType:
    """A type with its derived fields, and the C name of its table entry."""
    key: str
    symbol: str
    kind: str
    size: int
    align: int
    flat: tuple[int, ...]
    cases: tuple[tuple[str, str], ...] = ()  # name, symbol ("" none)
    elem: str = ""
    elem2: str = ""
    resource: int = 0
    payload_offset: int = 0
    disc_size: int = 0
    offsets: tuple[int, ...] = ()
    has_handle: bool = False
    has_pointer: bool = False
    has_borrow: bool = False


class Glue:
    def __init__(self, packages: witparse.Packages) -> None:
        self.packages = packages
        self.types: dict[str, CType] = {}
        self.resources: list[tuple[Interface, str]] = [
            (i, t.name) for _, i in sorted(packages.interfaces.items()) for t in i.types if t.kind == "resource"
        ]
        self.slots = {(i.full_name, name): n for n, (i, name) in enumerate(self.resources)}

    # --- names -------------------------------------------------------------------------------------------------------
    def resolve(self, iface: Interface, name: str) -> tuple[Interface, TypeDef]:
        """Where a name of an interface is defined, through `use` and `type a = b`."""
        t = iface.type(name)
        if t is None:
            sys.exit(f"gen_glue: {iface.full_name} has no type {name}")
        if t.kind == "use":
            return self.resolve(self.packages.interfaces[t.source], t.source_name)
        if t.kind == "alias" and t.target and not t.target.args and t.target.name not in PRIMITIVES:
            return self.resolve(iface, t.target.name)
        return iface, t

    # --- types -------------------------------------------------------------------------------------------------------
    def add(self, key: str, kind: str, size: int, align: int, flat: tuple[int, ...], **more: object) -> CType:
        t = CType(key, f"t{len(self.types)}", kind, size, align, flat[:FLAT_MAX], **more)  # type: ignore[arg-type]
        self.types[key] = t
        return t

    def type(self, iface: Interface, ref: Ref) -> CType:
        if ref.name in PRIMITIVES:
            kind, size, flat = PRIMITIVES[ref.name]
            return self.types.get(ref.name) or self.add(
                ref.name, kind, size, min(size, 4) if kind == "STRING" else size, flat, has_pointer=kind == "STRING")
        if ref.name in ("own", "borrow"):
            where, t = self.resolve(iface, ref.args[0].name)
            return self.handle(ref.name, where, t)
        if ref.name == "list":
            elem = self.type(iface, ref.args[0])
            key = f"list<{elem.symbol}>"
            return self.types.get(key) or self.add(key, "LIST", 8, 4, (I32, I32), elem=elem.symbol,
                                                   has_handle=elem.has_handle, has_borrow=elem.has_borrow, has_pointer=True)
        if ref.name == "option":
            elem = self.type(iface, ref.args[0])
            return self.variant(f"option<{elem.symbol}>", "OPTION", (("none", None), ("some", elem)))
        if ref.name == "result":
            args = [None if a.name == "_" else self.type(iface, a) for a in ref.args] + [None, None]
            key = "result<" + ",".join(a.symbol if a else "_" for a in args[:2]) + ">"
            return self.variant(key, "RESULT", (("ok", args[0]), ("error", args[1])))
        if ref.name == "tuple":
            elems = tuple((str(n), self.type(iface, a)) for n, a in enumerate(ref.args))
            return self.record("tuple<" + ",".join(e.symbol for _, e in elems) + ">", "TUPLE", elems)
        where, t = self.resolve(iface, ref.name)
        return self.named(where, t)

    def handle(self, kind: str, where: Interface, t: TypeDef) -> CType:
        slot = self.slots[where.full_name, t.name]
        key = f"{kind}<{slot}>"
        return self.types.get(key) or self.add(key, kind.upper(), 4, 4, (I32,), resource=slot, has_handle=True, has_borrow=kind == "borrow")

    def named(self, where: Interface, t: TypeDef) -> CType:
        if t.kind == "resource":
            return self.handle("own", where, t)
        if t.kind == "alias":
            assert t.target
            return self.type(where, t.target)
        key = f"{where.full_name}.{t.name}"
        if key in self.types:
            return self.types[key]
        if t.kind == "record":
            return self.record(key, "RECORD", tuple((c.name, self.type(where, c.type)) for c in t.cases if c.type))
        if t.kind == "flags":
            n = len(t.cases)
            size = 1 if n <= 8 else 2 if n <= 16 else 4
            assert n <= 32
            return self.add(key, "FLAGS", size, size, (I32,), cases=tuple((c.name, "") for c in t.cases))
        return self.variant(key, "ENUM" if t.kind == "enum" else "VARIANT",
                            tuple((c.name, self.type(where, c.type) if c.type else None) for c in t.cases))

    def record(self, key: str, kind: str, fields: tuple[tuple[str, CType], ...]) -> CType:
        """cabi: alignment_record, elem_size_record, flatten_record"""
        if key in self.types:
            return self.types[key]
        at, align = 0, 1
        offsets: list[int] = []
        flat: tuple[int, ...] = ()
        for _, t in fields:
            at = align_to(at, t.align)
            offsets.append(at)
            at += t.size
            align = max(align, t.align)
            flat += t.flat
        return self.add(key, kind, align_to(at, align), align, flat, offsets=tuple(offsets),
                        cases=tuple((n, t.symbol) for n, t in fields), has_handle=any(t.has_handle for _, t in fields),
                        has_pointer=any(t.has_pointer for _, t in fields))

    def variant(self, key: str, kind: str, cases: tuple[tuple[str, CType | None], ...]) -> CType:
        """cabi: alignment_variant, elem_size_variant, flatten_variant"""
        if key in self.types:
            return self.types[key]
        disc = 1 if len(cases) <= 256 else 2
        payloads = [t for _, t in cases if t]
        payload_align = max([t.align for t in payloads], default=1)
        align = max(disc, payload_align)
        payload_offset = align_to(disc, payload_align)
        size = align_to(payload_offset + max([t.size for t in payloads], default=0), align)
        flat: list[int] = []
        for t in payloads:
            for i, f in enumerate(t.flat):
                if i < len(flat):
                    flat[i] = join(flat[i], f)
                else:
                    flat.append(f)
        more: dict[str, object] = {}
        if kind == "OPTION":
            more["elem"] = cases[1][1].symbol if cases[1][1] else ""
        elif kind == "RESULT":
            more["elem"] = cases[0][1].symbol if cases[0][1] else ""
            more["elem2"] = cases[1][1].symbol if cases[1][1] else ""
        else:
            more["cases"] = tuple((n, t.symbol if t else "") for n, t in cases)
        return self.add(key, kind, size, align, (I32, *flat), payload_offset=payload_offset, disc_size=disc,
                        has_handle=any(t.has_handle for t in payloads), has_pointer=any(t.has_pointer for t in payloads),
                        **more)


def ident(*words: str) -> str:
    return "_".join(w.replace(":", "_").replace("/", "_").replace("-", "_") for w in words if w)


def prefix(iface: Interface) -> str:
    return ident("ts", iface.package, iface.name)


def func_symbol(iface: Interface, f: Func) -> str:
    return ident(prefix(iface), f.resource, "new" if f.kind == "constructor" else f.name)


def drop_symbol(iface: Interface, name: str) -> str:
    return ident(prefix(iface), name, "drop")


def macro(iface: Interface, type_name: str, case: str = "") -> str:
    return ident("ts", iface.package, type_name, case).upper()


def c_type(t: CType) -> list[str]:
    out: list[str] = []
    if t.cases:
        rows = ", ".join(f'{{{chr(34) + n + chr(34) if t.kind != "TUPLE" else "NULL"}, {"&" + s if s else "NULL"}}}' for n, s in t.cases)
        out.append(f"static const ts_ct_case {t.symbol}_c[] = {{{rows}}};")
    if t.offsets:
        out.append(f"static const uint32_t {t.symbol}_o[] = {{{', '.join(map(str, t.offsets))}}};")
    fields = [f".kind = TS_CT_{t.kind}"]
    if t.cases:
        fields += [f".n = {len(t.cases)}", f".cases = {t.symbol}_c"]
    if t.elem:
        fields.append(f".elem = &{t.elem}")
    if t.elem2:
        fields.append(f".elem2 = &{t.elem2}")
    if t.kind in ("OWN", "BORROW"):
        fields.append(f".resource = {t.resource}")
    fields += [f".size = {t.size}", f".align = {t.align}"]
    if t.disc_size:
        fields += [f".payload_offset = {t.payload_offset}", f".disc_size = {t.disc_size}"]
    if t.offsets:
        fields.append(f".offsets = {t.symbol}_o")
    fields.append(f".n_flat = {len(t.flat)}")
    if len(t.flat) <= 16:
        fields.append(".flat = {" + ", ".join(hex(f) for f in t.flat) + "}")
    if t.has_handle:
        fields.append(".has_handle = true" + (", .has_borrow = true" if t.has_borrow else ""))
    if t.has_pointer:
        fields.append(".has_pointer = true")
    out.append(f"/* {t.key} */\nstatic const ts_ctype {t.symbol} = {{{', '.join(fields)}}};")
    return out


def write(glue: Glue) -> tuple[str, str]:
    interfaces = [i for _, i in sorted(glue.packages.interfaces.items())]
    func_rows: list[str] = []
    func_types: dict[str, tuple[str, tuple[tuple[str, str], ...], str]] = {}
    type_rows: list[str] = []
    protos: list[str] = []
    enums: list[str] = []
    used: set[str] = set()
    for i in interfaces:
        for t in i.types:
            where, target = glue.resolve(i, t.name)
            c = glue.named(where, target)
            if t.kind != "resource":
                type_rows.append(f'    {{"{i.full_name}", "{t.name}", &{c.symbol}}},')
            if t.kind in ("variant", "enum", "record", "flags"):
                suffix = "_I" if t.kind == "record" else ""
                values = [macro(i, t.name, n.name) + suffix + (f" = 1u << {k}" if t.kind == "flags" else "")
                          for k, n in enumerate(t.cases)]
                if t.kind != "flags":
                    values.append(macro(i, t.name, "COUNT_") if t.kind != "record" else macro(i, t.name, "FIELDS_"))
                for v in values:
                    if v.split()[0] in used:
                        sys.exit(f"gen_glue: two enumerators {v}")
                    used.add(v.split()[0])
                enums.append(f"enum {{ /* {i.full_name}.{t.name} */\n    " + ", ".join(values) + ",\n};")
        for f in sorted(i.funcs, key=lambda f: f.full_name):
            params = tuple((p.name, glue.type(i, p.type).symbol) for p in f.params if p.type)
            result = glue.type(i, f.result).symbol if f.result else ""
            key = f"{params}->{result}"
            if key not in func_types:
                func_types[key] = (f"f{len(func_types)}", params, result)
            symbol = func_symbol(i, f)
            here = i.full_name not in EXPORTED
            if here:
                protos.append(f"ts_status {symbol}(ts_host_call *c, const ts_val *args, ts_val *result) TS_MUST_USE;")
            gate = f.gate if f.gate.since or f.gate.unstable else i.gate
            func_rows.append(
                f'    {{"{i.full_name}", "{f.full_name}", "{gate.since}", '
                f'{chr(34) + gate.unstable + chr(34) if gate.unstable else "NULL"}, &{func_types[key][0]}, {symbol if here else "NULL"}}},')
    res_rows: list[str] = []
    slots: list[str] = []
    for i, name in glue.resources:
        protos.append(f"ts_status {drop_symbol(i, name)}(ts_host_call *c, uint64_t rep) TS_MUST_USE;")
        res_rows.append(f'    {{"{i.full_name}", "{name}", {drop_symbol(i, name)}}},')
        slots.append(ident("ts_wasi_res", i.package.split(":")[1], i.name, name).upper())
    # another name of a resource (by `use` or `type`) is represented by own of its slot
    version = glue.packages.version
    head = f"""/* wasi_glue: the WASI {version} host's tables and prototypes. Generated by runtime/wasi/gen/gen_glue.py: do not edit.
 * In: runtime/wasi/wit. Out: ts_wasi_def; host functions named after their WIT. */
#ifndef TS_WASI_GLUE_H
#define TS_WASI_GLUE_H
#include "component/run/host.h"

extern const ts_host_def ts_wasi_def;

enum {{ /* resource slots */
    {", ".join(slots)}, TS_WASI_RES_COUNT,
}};
"""
    head += "\n".join(enums) + "\n\n" + "\n".join(protos) + "\n#endif\n"
    body = '/* wasi_glue: see wasi_glue.h. Generated by runtime/wasi/gen/gen_glue.py: do not edit. */\n#include "wasi_glue.h"\n\n'
    for c_t in glue.types.values():
        body += "\n".join(c_type(c_t)) + "\n"
    for name, params, result in func_types.values():
        if params:
            body += f"static const ts_ct_case {name}_p[] = {{" + ", ".join(f'{{"{n}", &{s}}}' for n, s in params) + "};\n"
        body += (f"static const ts_cfunc_type {name} = {{.n_params = {len(params)}, .params = {name + '_p' if params else 'NULL'}, "
                 f".result = {'&' + result if result else 'NULL'}}};\n")
    body += "\nstatic const ts_host_resource resources[] = {\n" + "\n".join(res_rows) + "\n};\n"
    body += "static const ts_host_func funcs[] = {\n" + "\n".join(func_rows) + "\n};\n"
    body += ("/* Value types under every name that an interface gives them; a further name of a resource has the type own<resource>. */\n"
             "static const ts_host_iface_type types[] = {\n" + "\n".join(type_rows) + "\n};\n")
    body += f"""
const ts_host_def ts_wasi_def = {{
    .version_min = "0.2.0", .version_max = "{version}",
    .n_resources = {len(res_rows)}, .n_funcs = {len(func_rows)}, .n_types = {len(type_rows)},
    .resources = resources, .funcs = funcs, .types = types,
}};
"""
    return head, body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    packages = witparse.read(HERE.parent / "wit")
    glue = Glue(packages)
    head, body = write(glue)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("wasi_glue.h", head), ("wasi_glue.c", body)):
        path = out / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
