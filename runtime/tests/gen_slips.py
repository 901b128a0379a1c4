#!/usr/bin/env python3
"""Writes api_slips.h: for each function of touchstone.h, a call for each of its pointers with NULL there and valid arguments elsewhere.

In: the public header. Out: functions `slip_…(world *w)` and a table of them, for test_api_slips.c, which has the valid arguments (`w->…`).
A type or function that is not known here is an error: who adds one says what is valid for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# Valid arguments by type; by function and parameter where the type does not say enough.
BY_TYPE = {
    "ts_engine *": "w->engine",
    "const ts_engine *": "w->engine",
    "ts_pool *": "w->pool",
    "ts_component *": "w->component",
    "const ts_component *": "w->component",
    "ts_linker *": "w->linker",
    "ts_cstore *": "w->cstore",
    "ts_cinstance *": "w->cinstance",
    "ts_cfunc *": "w->cfunc",
    "const ts_cfunc *": "w->cfunc",
    "const ts_ctype *": "w->ctype",
    "const ts_val *": "w->args",
    "ts_val *": "&w->val",
    "ts_wasi *": "w->wasi",
    "ts_wasi_grants *": "w->grants",
    "ts_confine_mode": "TS_CONFINE_OFF",
    "ts_confine_mode *": "&w->mode",
    "const ts_confine_needs *": "&w->needs",
    "ts_confinement *": "&w->confinement",
    "ts_wasi_policy *": "w->policy",
    "const ts_wasi_policy *": "w->policy",
    "ts_core_module *": "w->module",
    "const ts_core_module *": "w->module",
    "struct ts_module *": "w->module",
    "ts_core_store *": "w->store",
    "const ts_core_store *": "w->store",
    "const ts_core_instance *": "w->instance",
    "ts_core_func *": "w->func.func",
    "ts_core_memory *": "w->memory.memory",
    "const ts_core_memory *": "w->memory.memory",
    "ts_core_table *": "w->table.table",
    "const ts_core_table *": "w->table.table",
    "ts_core_global *": "w->global.global",
    "const ts_core_global *": "w->global.global",
    "ts_core_tag *": "w->tag.tag",
    "const ts_run_limits *": "&w->limits",
    "const ts_trace *": "&w->trace",
    "const ts_core_extern *": "w->imports",
    "ts_core_extern *": "&w->extern_out",
    "ts_core_externtype *": "&w->type_out",
    "ts_core_item *": "&w->item_out",
    "const ts_core_val *": "w->core_args",
    "ts_core_val *": "w->core_results",
    "ts_host_call *": "w->call",
    "ts_core_call *": "w->core_call",
    "ts_callback": "w_callback",
    "ts_drop_callback": "w_drop",
    "ts_core_callback": "w_core_callback",
    "ts_error *": "&w->e",
    "const ts_error *": "&w->other",
    "ts_frame *": "w->frames",
    "const char *": '"x"',
    "char *": "w->text",
    "void *": "w->text",
    "const void *": "w->text",
    "uint64_t *": "&w->number",
    "ts_tier *": "&w->tier",
    "int32_t *": "&w->small",
    "const char **": "&w->text_out",
    "const ts_ctype **": "&w->ctype_out",
    "size_t": "8",
    "uint32_t": "0",
    "uint64_t": "0",
    "int32_t": "1",
    "int": "1",
    "bool": "true",
    "ts_tier": "TS_TIER_DEFAULT",
    "ts_status": "TS_OK",
    "ts_trap_kind": "TS_TRAP_HOST",
    "ts_wasi_net_use": "TS_WASI_TCP_CONNECT",
    "ts_core_type": "TS_CORE_FUNCREF",
}
# What a call returns to its caller: kept, and freed after the call.
OUT = {
    "ts_engine **": "engine_out",
    "ts_component **": "component_out",
    "ts_linker **": "linker_out",
    "ts_wasi **": "wasi_out",
    "ts_wasi_policy **": "policy_out",
    "ts_cstore **": "cstore_out",
    "ts_cinstance **": "cinstance_out",
    "ts_core_module **": "module_out",
    "ts_core_store **": "store_out",
    "ts_core_instance **": "instance_out",
    "ts_core_func **": "func_out",
    "ts_core_memory **": "memory_out",
    "ts_core_table **": "table_out",
    "ts_core_global **": "global_out",
    "ts_core_tag **": "tag_out",
}
BY_NAME = {
    "ts_error_init_frames.n": "2",
    "ts_component_load.bytes": "w->bytes",
    "ts_component_load.len": "w->len",
    "ts_component_load_with.bytes": "w->bytes",
    "ts_component_load_with.len": "w->len",
    "ts_component_load_with.features": '""',
    "ts_core_module_load.bytes": "w->core_bytes",
    "ts_core_module_load.len": "w->core_len",
    "ts_engine_set_cache.folder": '"/dev/null/x"',
    "ts_linker_define_func.type": '"func(x: u8) -> string"',
    "ts_linker_define_value.type": '"u8"',
    "ts_linker_define_value.value": '"3"',
    "ts_cinstance_func.interface": "NULL",
    "ts_cinstance_func.name": '"drop"',
    "ts_cinstance_value.interface": "NULL",
    "ts_cinstance_call_text.call": '"drop(3)"',
    "ts_handle_drop.own": "&w->own",
    "ts_val_print.v": "&w->val",
    "ts_val_print.size": "sizeof w->text",
    "ts_val_parse.text": '"3"',
    "ts_wasi_set_env.name_len": "1",
    "ts_wasi_record.path": '"/dev/null"',
    "ts_wasi_replay.path": '"/dev/null"',
    "ts_wasi_policy_load.text": '"fuel = 1"',
    "ts_wasi_policy_load_file.path": '"/dev/null"',
    "ts_wasi_allow_dir.host": '"/"',
    "ts_wasi_allow_address.host_port": '"127.0.0.1:80"',
    "ts_wasi_allow_http.host_port": '"example.org"',
    "ts_wasi_deny_http.addresses": '"private"',
    "ts_wasi_set_stdio.fd": "-1",
    "ts_core_type_name.buf": "w->text",
    "ts_core_instance_export.name": '"f"',
    "ts_core_module_instantiate.n_imports": "1",
    "ts_core_func_new.type": "&w->func_type",
    "ts_core_func_call.n_args": "1",
    "ts_core_func_call.n_results": "1",
    "ts_core_callback_throw.n_args": "1",
    "ts_core_exception_args.n_args": "1",
    "ts_core_memory_new.type": "&w->memory_type",
    "ts_core_table_new.type": "&w->table_type",
    "ts_core_table_new.init": "&w->null_func",
    "ts_core_table_set.v": "&w->null_func",
    "ts_core_table_grow.init": "&w->null_func",
    "ts_core_global_new.type": "&w->global_type",
    "ts_core_global_new.v": "w->core_args",
    "ts_core_tag_new.type": "&w->tag_type",
    "ts_core_extern_describe.x": "&w->memory",
}
# The caller owns what these functions return.
OWNED = {"ts_error_new": "ts_error_free", "ts_pool_new": "ts_pool_free", "ts_wasi_grants_new": "ts_wasi_grants_free"}
# These are tested by hand, because the objects that they free are still needed.
ENDS = re.compile(r"ts_\w+_free|ts_wasi_free")
# NULL is valid here; the header says what it means.
MAY_BE_NULL = {
    "e", "data", "limits", "drop", "t@ts_linker_set_trace", "text@ts_component_feature", "interface@ts_cinstance_func", "interface@ts_cinstance_value",
    "l@ts_component_instantiate", "name@ts_core_module_instantiate", "name@ts_core_func_new", "init", "old", "conditions", "name@ts_wasi_policy_load", "out@ts_wasi_policy_load", "out@ts_wasi_policy_load_file",
     "result@ts_cfunc_call", "low", "out@ts_wasi_confine",
}  # fmt: skip


def declarations(header: str) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(result, name, [(type, name of the parameter)]) of each function."""
    text = re.sub(r"/\*.*?\*/|^\s*#.*?$", "", header, flags=re.DOTALL | re.MULTILINE)
    found = []
    for result, name, params in re.findall(r"TS_API\s+((?:[\w*]+\s+\**)+?)\**(ts_\w+)\s*\(([^;]*?)\)[^;()]*(?:\([^;]*\))?;", text):
        of = []
        for param in re.sub(r"\s+", " ", params).split(","):
            param = re.sub(r"\bTS_OWN ", "", param.strip())
            if param in ("void", "", "..."):
                continue
            array = re.fullmatch(r"(.*?)(\w+)\[\d+\]", param)
            plain = array or re.fullmatch(r"(.*?)(\w+)", param)
            if not plain:
                raise SystemExit(f"gen_slips: {name}: {param}?")
            kind = plain[1].strip() + (" *" if array else "")
            of.append((re.sub(r"\s*(\*+)", r" \1", kind), plain[2]))
        found.append((" ".join(result.replace("TS_OWN", "").split()), name, of))
    return found


def valid(function: str, kind: str, name: str) -> str:
    if f"{function}.{name}" in BY_NAME:
        return BY_NAME[f"{function}.{name}"]
    if kind in OUT:
        return f"&w->{OUT[kind]}"
    if (kind, name) == ("const char *", "path"):  # of a file that some of them write
        return '"/dev/null"'
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    raise SystemExit(f"gen_slips: what is valid for `{kind} {name}` of {function}? Say it in gen_slips.py.")


def main() -> None:
    header, out = map(Path, sys.argv[1:])
    lines = ["/* api_slips: made by gen_slips.py of touchstone.h. */"]
    table = []
    functions = declarations(header.read_text(encoding="utf-8"))
    if len(functions) < 130:
        raise SystemExit(f"gen_slips: only {len(functions)} functions are found")
    for result, name, params in functions:
        if ENDS.fullmatch(name):
            lines.append(f"static void slip_{name}_0(world *w) {{\n    (void)w;\n    {name}(NULL);\n}}")
            table.append(f'    {{"{name}", "{params[0][1]}", slip_{name}_0, false}},')
            continue
        for k, (kind, param) in [(-1, ("", "")), *enumerate(params)]:
            if k >= 0 and "*" not in kind and not kind.endswith("callback"):
                continue
            args = [("NULL" if i == k else valid(name, *p)) for i, p in enumerate(params)]
            if name.endswith("_trap") and "callback" in name and "NULL" not in args[1:]:
                args = [args[0], '"%s"', '"x"']
            call = f"{name}({', '.join(args)})"
            status = result == "ts_status" and params and params[-1] == ("ts_error *", "e")
            needed = status and k >= 0 and param not in MAY_BE_NULL and f"{param}@{name}" not in MAY_BE_NULL
            body = f"w->status = {call};" if result == "ts_status" else f"{call};" if result == "void" else f"(void){call};"
            if name in OWNED:
                body = f"{OWNED[name]}({call});"
            lines.append(f"static void slip_{name}_{k + 1}(world *w) {{\n    (void)w;\n    {body}\n}}")
            table.append(f'    {{"{name}", "{param}", slip_{name}_{k + 1}, {"true" if needed else "false"}}},')
    lines += ["static const struct {", '    const char *function, *pointer; /* "": none is NULL */', "    void (*call)(world *w);"]
    lines += ["    bool usage; /* TS_USAGE is expected */", "} SLIPS[] = {", *table, "};"]
    text = "\n".join(lines) + "\n"
    if not out.exists() or out.read_text(encoding="utf-8") != text:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
