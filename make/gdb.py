"""Printers and commands of gdb for Touchstone: values by their type, types, handle tables, errors, IR.

Loaded by `.gdbinit`. In: the memory of a stopped process, best of `make debug`. Out: text.
The layout of the structs comes from the debugging information; only the meaning of the fields is repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator

import gdb

PRIMITIVE = ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"]
FIELD = {"bool": "b", "char": "ch"}  # of union ts_val, where it is not called like the type
LIST_MAX = 64  # elements that are printed
BYTES_MAX = 256


def text(pointer: gdb.Value) -> str:
    """A C string; "" for NULL."""
    return pointer.string(errors="replace") if pointer else ""


def kind_of(ctype: gdb.Value) -> str:
    """The kind of a ts_ctype: "record" for TS_CT_RECORD."""
    return str(ctype["kind"]).removeprefix("TS_CT_").lower()


def cases(ctype: gdb.Value) -> Iterator[tuple[str, gdb.Value | None]]:
    """The name and the type (None: no payload) of each field, element, flag or case."""
    for i in range(int(ctype["n"])):
        case = ctype["cases"][i]
        yield text(case["name"]), case["type"].dereference() if case["type"] else None


def type_text(ctype: gdb.Value, depth: int = 0) -> str:
    """A type in the spelling of WIT."""
    kind = kind_of(ctype)
    if kind in PRIMITIVE or kind == "error_context":
        return kind.replace("_", "-")
    if depth > 6:
        return f"{kind} …"

    def part(field: str) -> str:
        return type_text(ctype[field].dereference(), depth + 1) if ctype[field] else "_"

    if kind in ("own", "borrow"):
        return f"{kind}<{int(ctype['resource'])}>"
    if kind == "fixed_list":
        return f"list<{part('elem')}, {int(ctype['n'])}>"
    if kind in ("list", "option"):
        return f"{kind}<{part('elem')}>"
    if kind in ("stream", "future"):
        return f"{kind}<{part('elem')}>" if ctype["elem"] else kind
    if kind == "map":
        return f"map<{part('elem2')}, {part('elem')}>"
    if kind == "result":
        return f"result<{part('elem')}, {part('elem2')}>" if ctype["elem"] or ctype["elem2"] else "result"
    if kind == "tuple":
        return f"tuple<{', '.join(type_text(t, depth + 1) for _, t in cases(ctype) if t is not None)}>"
    entries = [name if t is None else f"{name}: {type_text(t, depth + 1)}" if kind == "record"
               else f"{name}({type_text(t, depth + 1)})" for name, t in cases(ctype)]  # fmt: skip
    return f"{kind} {{{', '.join(entries)}}}"


def quoted(data: bytes, encoding: str) -> str:
    """A string as WAVE writes it."""
    escaped = data.decode(encoding, errors="replace")
    for plain, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(plain, escape)
    return f'"{escaped}"'


def string_text(value: gdb.Value) -> str:
    """A string value. The two top bits of its length are the encoding (component/abi/string.h)."""
    length = int(value["str"]["len"])
    tag, units = length >> 62, length & (1 << 62) - 1
    width, encoding = {0: (1, "utf-8"), 2: (1, "latin-1")}.get(tag, (2, "utf-16-le"))
    shown = min(units * width, BYTES_MAX)
    data = bytes(gdb.selected_inferior().read_memory(int(value["str"]["ptr"]), shown)) if shown else b""
    return quoted(data, encoding) + (f" … ({units} code units)" if units * width > shown else "")


def limited(parts: Iterator[str], total: int) -> str:
    """At most LIST_MAX parts, separated by commas."""
    shown = [part for part, _ in zip(parts, range(LIST_MAX), strict=False)]
    return ", ".join([*shown, f"… ({total} in all)"] if total > LIST_MAX else shown)


def list_text(elem: gdb.Value, value: gdb.Value) -> str:
    """A list; numbers lie in it packed."""
    kind = kind_of(elem)
    if kind in PRIMITIVE[1:11]:
        number = value[FIELD.get(kind, kind)].type
        packed, n = value["raw"]["ptr"].cast(number.pointer()), int(value["raw"]["len"])
        return f"[{limited((number_text(kind, packed[i]) for i in range(n)), n)}]"
    n = int(value["list"]["len"])
    return f"[{limited((value_text(elem, value['list']['ptr'][i]) for i in range(n)), n)}]"


def number_text(kind: str, number: gdb.Value) -> str:
    """An integer in decimal, a float as gdb writes it."""
    return str(number) if kind in ("f32", "f64") else str(int(number))


def value_text(ctype: gdb.Value, value: gdb.Value) -> str:
    """A component-level value in the notation of WAVE; handles and addresses as they are."""
    kind = kind_of(ctype)
    if kind == "bool":
        return "true" if value["b"] else "false"
    if kind == "char":
        point = int(value["ch"])
        return f"'{chr(point)}'" if 0x20 <= point <= 0x10FFFF else f"'\\u{{{point:x}}}'"
    if kind == "string":
        return string_text(value)
    if kind in PRIMITIVE:
        return number_text(kind, value[kind])
    if kind in ("list", "fixed_list"):
        return list_text(ctype["elem"].dereference(), value)
    if kind in ("record", "tuple"):
        parts = [(name, value_text(t, value["list"]["ptr"][i])) for i, (name, t) in enumerate(cases(ctype)) if t is not None]
        if kind == "tuple":
            return f"({', '.join(part for _, part in parts)})"
        return f"{{{', '.join(f'{name}: {part}' for name, part in parts)}}}"
    if kind == "map":
        n, entries = int(value["list"]["len"]), value["list"]["ptr"]
        key, elem = ctype["elem2"].dereference(), ctype["elem"].dereference()
        pairs = (entries[i]["list"]["ptr"] for i in range(n))
        return f"[{limited((f'({value_text(key, p[0])}, {value_text(elem, p[1])})' for p in pairs), n)}]"
    if kind in ("variant", "enum", "option", "result"):
        return case_text(kind, ctype, value)
    if kind == "flags":
        bits = int(value["flags"]["bits"])
        return f"{{{', '.join(name for i, (name, _) in enumerate(cases(ctype)) if bits >> i & 1)}}}"
    if kind in ("own", "borrow"):
        resource, rep = value["handle"]["rt"], int(value["handle"]["rep"])
        return f"{kind} {resource_text(resource)} {rep:#x}" if resource else f"{kind} {rep:#x}"
    return f"<{kind}>"


def case_text(kind: str, ctype: gdb.Value, value: gdb.Value) -> str:
    """A value with a discriminant."""
    disc = int(value["variant"]["disc"])
    if kind in ("variant", "enum"):
        if disc >= int(ctype["n"]):
            return f"<{kind} with the discriminant {disc}>"
        name, payload = list(cases(ctype))[disc]
    else:
        name = (("none", "some") if kind == "option" else ("ok", "err"))[min(disc, 1)]
        field = ("elem" if disc else None) if kind == "option" else ("elem2" if disc else "elem")
        payload = ctype[field].dereference() if field and ctype[field] else None
    return name if payload is None else f"{name}({value_text(payload, value['variant']['payload'].dereference())})"


def resource_text(resource: gdb.Value) -> str:
    """A resource type: its name, and whether a guest or the host defined it."""
    if not resource:
        return "(no resource type)"
    name = text(resource["name"])
    if not name and resource["host_def"]:
        name = text(resource["host_def"]["name"])
    return f"{name or '(no name)'} {'of a guest' if resource['impl'] else 'of the host'}"


def handle_text(handle: gdb.Value) -> str:
    """One entry of a handle table."""
    kind = ("free", "own", "borrow", "waitable-set")[int(handle["kind"]) & 3]
    if kind == "free":
        return f"free, next {int(handle['num_lends'])}"
    if kind == "waitable-set":
        return kind
    lends = int(handle["num_lends"])
    return f"{kind} {resource_text(handle['rt'])} {int(handle['rep']):#x}" + (f", lent to {lends} calls" if lends else "")


class TypePrinter:
    """ts_ctype in the spelling of WIT."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = value

    def to_string(self) -> str:
        return type_text(self.value)


class HandlePrinter(TypePrinter):
    """ts_handle in a line."""

    def to_string(self) -> str:
        return handle_text(self.value)


class HandlesPrinter(TypePrinter):
    """ts_handle_table: a line for each entry in use."""

    def to_string(self) -> str:
        table = self.value
        lines = [f"{int(table['live'])} handles in use, {int(table['len'])} entries"]
        for i in range(1, int(table["len"])):
            if int(table["array"][i]["kind"]) != 0:
                lines.append(f"{i:6}  {handle_text(table['array'][i])}")
        return "\n".join(lines)


class ErrorPrinter(TypePrinter):
    """ts_error: the status and the message."""

    def to_string(self) -> str:
        if str(self.value["status"]) == "TS_OK":
            return "no error"
        return f"{self.value['status']}: {text(self.value['message'])}"


PRINTERS = {
    "ts_ctype": TypePrinter,
    "ts_handle": HandlePrinter,
    "ts_handle_table": HandlesPrinter,
    "ts_table_of_handles": HandlesPrinter,
    "ts_error": ErrorPrinter,
}


def printer(value: gdb.Value) -> TypePrinter | None:
    """The printer of a value, by the name of its type."""
    for one in (value.type.unqualified(), value.type.strip_typedefs().unqualified()):
        name = (one.name or "").removeprefix("struct ")
        if name in PRINTERS:
            return PRINTERS[name](value)
    return None


def local(*names: str) -> gdb.Value:
    """The first of these local variables that a frame has, beginning with the selected frame."""
    frame = gdb.selected_frame()
    while frame is not None:
        for name in names:
            try:
                value = frame.read_var(name)
            except ValueError:
                continue
            if not value.is_optimized_out:
                return value
        frame = frame.older()
    raise gdb.GdbError(f"no frame has a local variable {' or '.join(names)}; name one")


def dereferenced(value: gdb.Value) -> gdb.Value:
    """What a pointer points to, or the value itself."""
    return value.dereference() if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR else value


class Touchstone(gdb.Command):
    """Touchstone's commands: ts-val, ts-handles, ts-ir. Types, handles and errors also print by `print`."""

    def __init__(self) -> None:
        super().__init__("touchstone", gdb.COMMAND_DATA)

    def invoke(self, argument: str, from_tty: bool) -> None:
        gdb.execute("help touchstone")


class ShowValue(gdb.Command):
    """Print a component-level value by its type: ts-val [VALUE [TYPE]].

    VALUE is a ts_val or a pointer to one, TYPE a ts_ctype or a pointer to one. Without them, the local variables
    `v` and `t` of the selected frame or of an older one are printed."""

    def __init__(self) -> None:
        super().__init__("ts-val", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        argv = gdb.string_to_argv(argument)
        value = dereferenced(gdb.parse_and_eval(argv[0]) if argv else local("v"))
        ctype = dereferenced(gdb.parse_and_eval(argv[1]) if len(argv) > 1 else local("t"))
        gdb.write(f"{value_text(ctype, value)}  : {type_text(ctype)}\n")


class ShowHandles(gdb.Command):
    """Print the handle table of a component instance: ts-handles [INSTANCE].

    Without INSTANCE (a ts_cinstance), the tables of all instances of the store are printed, which is found through a
    local variable (`inst`, `cx`, `s`, `store` …) of the selected frame or of an older one."""

    def __init__(self) -> None:
        super().__init__("ts-handles", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        if argument:
            gdb.write(HandlesPrinter(dereferenced(gdb.parse_and_eval(argument))["handles"]).to_string() + "\n")
            return
        instance = self.store()["instances"]
        number = 0
        while instance:
            gdb.write(f"instance {number} at {int(instance):#x}: {HandlesPrinter(instance['handles']).to_string()}\n")
            instance, number = instance["next"], number + 1

    @staticmethod
    def store() -> gdb.Value:
        """The component store that a frame works in."""
        frame = gdb.selected_frame()
        while frame is not None:
            block = frame.block() if frame.function() else None
            while block is not None and not block.is_global:
                for symbol in block:
                    if not (symbol.is_variable or symbol.is_argument):
                        continue
                    value = symbol.value(frame)
                    pointer = value.type.strip_typedefs()
                    if pointer.code != gdb.TYPE_CODE_PTR or value.is_optimized_out or not value:
                        continue
                    name = pointer.target().strip_typedefs().unqualified().name
                    if name == "ts_cstore":
                        return value
                    if name in ("ts_cinstance", "ts_cabi_cx"):
                        return value["store"]
                block = block.superblock
            frame = frame.older()
        raise gdb.GdbError("no frame has a component instance; name one")


class ShowCode(gdb.Command):
    """Print the IR of a function: ts-ir [FUNCTION].

    FUNCTION is a ts_fcode or a pointer to one, which is compiled. Without it, the function that the interpreter runs
    is printed, with an arrow at the instruction of the local variable `pc`."""

    def __init__(self) -> None:
        super().__init__("ts-ir", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument: str, from_tty: bool) -> None:
        at = 0
        if argument:
            code = dereferenced(gdb.parse_and_eval(argument))
        else:
            pc = local("pc")
            at = int(pc)
            code = self.running(at, local("inst"))
        if not code["code"]:
            raise gdb.GdbError("this function is not compiled yet")
        gdb.write(f"function {int(code['func'])}, {int(code['frame_slots'])} slots, {int(code['n_words'])} words\n")
        handlers = gdb.parse_and_eval("ts_ir_handlers()")
        names, words = gdb.parse_and_eval("ts_ir_names"), gdb.parse_and_eval("ts_ir_words")
        count = words.type.range()[1] + 1
        opcodes = {int(handlers[op]): op for op in range(count)}
        i, total = 0, int(code["n_words"])
        while i < total:
            w = code["code"][i]
            op = opcodes.get(int(w["h"]))
            if op is None:
                gdb.write(f"{i:6}  no opcode has the handler {int(w['h']):#x}\n")
                return
            name, length = names[op].string(), int(words[op])
            first = code["code"][i + 1] if length > 1 else None
            if name in ("br_table", "br_table_A") and first is not None:
                length += int(first["uw"][1]) + 1
            operands = ""
            if first is not None:
                operands = " ".join(f"{int(first['s'][k]):5}" for k in range(4)) + f"  w1={int(first['w'][1])}"
            rest = "".join(f" {int(code['code'][i + k]['u']):x}" for k in range(2, length))
            arrow = "=>" if at == int(code["code"][i].address) else "  "
            gdb.write(f"{arrow}{i:4}  {name:26} {operands}{rest}".rstrip() + "\n")
            i += length

    @staticmethod
    def running(pc: int, instance: gdb.Value) -> gdb.Value:
        """The compiled function that contains pc."""
        cache = instance["module"]["code"].dereference()
        for form in range(cache["by_form"].type.range()[1] + 1):
            compiled = cache["by_form"][form]["sorted"]
            for i in range(int(compiled["len"])):
                code = compiled["data"][i]
                begin = int(code["code"])
                if begin <= pc < begin + 8 * int(code["n_words"]):
                    return code.dereference()
        raise gdb.GdbError("no compiled function contains pc")


for command in (Touchstone, ShowValue, ShowHandles, ShowCode):
    command()
gdb.pretty_printers.append(printer)
