/* inspect: `touchstone inspect C`: a component's world, imports, exports, nested structure and sizes, as
 * text.
 * In: a file. Out: lines on stdout. spec: Explainer.md#import-and-export-definitions; Binary.md (sections) */
#include "cli/confine.h"
#include "cli/embed.h"
#include "base/map.h"
#include "cli/inspect_code.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/run.h"
#include "cli/sizes.h"
#include "sys/input.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct named_type {
    const ts_ctype *type;
    const char *name;
} named_type;
typedef struct names { /* the first name seen for each type */
    const char **by_slot;
    uint32_t n; /* the number of resource types */
    ts_map by_type;
    named_type *types;
    uint32_t n_types;
    bool failed;
} names;

static uint32_t count_externs(const ts_named_extern *x, uint32_t count, unsigned depth) {
    uint32_t n = count;
    for (uint32_t i = 0; i < count && depth < 100; i++)
        if (x[i].type->sort == TS_SORT_INSTANCE)
            n += count_externs(x[i].type->instance->exports, x[i].type->instance->n, depth + 1);
    return n;
}
static void name_type(names *n, const ts_ctype *t, const char *name) {
    bool was;
    named_type *at = &n->types[n->n_types];
    *at = (named_type){t, name};
    if (ts_map_get(&n->by_type, (const char *)&at->type, sizeof at->type, NULL)) return;
    if (ts_map_put(&n->by_type, (const char *)&at->type, sizeof at->type, n->n_types++, &was)) return;
    n->failed = true;
}
static const char *type_name(const void *data, const ts_ctype *t) {
    const names *n = data;
    uint32_t i;
    return ts_map_get(&n->by_type, (const char *)&t, sizeof t, &i) ? n->types[i].name : NULL;
}

static void name_types(names *n, const ts_named_extern *x, uint32_t count, unsigned depth) {
    for (uint32_t i = 0; i < count; i++) {
        const ts_extern_type *t = x[i].type;
        if (t->sort == TS_SORT_TYPE && t->is_resource && t->resource < n->n && !n->by_slot[t->resource])
            n->by_slot[t->resource] = x[i].name;
        if (t->sort == TS_SORT_TYPE && t->type && !ts_ctype_primitive(t->type->kind)) name_type(n, t->type, x[i].name);
        if (t->sort == TS_SORT_INSTANCE && depth < 100) name_types(n, t->instance->exports, t->instance->n, depth + 1);
    }
}

/* The text of a type names resources by slot ("own<#3>"). Replace each slot with the resource's name. */
static void print_named(const names *n, const char *text) {
    for (const char *p = text; *p;) {
        if (p[0] == '<' && p[1] == '#') {
            char *end;
            unsigned long slot = strtoul(p + 2, &end, 10);
            if (*end == '>' && slot < n->n && n->by_slot[slot]) {
                printf("<%s>", n->by_slot[slot]);
                p = end + 1;
                continue;
            }
        }
        putchar(*p++);
    }
}

static void put_text(const char *s) {
    ts_cli_put_text(stdout, s, strlen(s));
}
static void indent(unsigned depth) {
    printf("%*s", (int)depth * 2, "");
}

static void put_attribute(const char *word, const char *text) {
    if (!text) return;
    printf(" (%s ", word);
    put_text(text);
    putchar(')');
}

static const char *const core_kinds[] = {"func", "table", "memory", "global", "tag"};

/* Returns the text of a type, of any length, in memory that the caller frees. NULL: out of memory. */
static char *type_text(const names *n, const ts_extern_type *t) {
    const ts_ct_namer namer = {type_name, n};
    for (size_t size = 2000;; size *= 2) {
        char *text = malloc(size);
        if (!text) return NULL;
        if (t->func)
            ts_cfunc_type_print(t->func, &namer, text, size);
        else
            ts_ctype_print(t->type ? t->type : t->value, &namer, text, size);
        if (strlen(text) + 1 < size) return text;
        free(text);
    }
}

static void print_extern(names *n, const ts_named_extern *x, unsigned depth) {
    const ts_extern_type *t = x->type;
    indent(depth);
    printf("%s", x->name);
    const ts_name_attributes *a = x->attributes;
    put_attribute("implements", a ? a->implements : NULL);
    put_attribute("version-suffix", a ? a->version_suffix : NULL);
    put_attribute("external-id", a ? a->external_id : NULL);
    printf(": ");
    if (t->is_resource)
        puts("resource");
    else if (t->func || t->type || t->value) {
        char *text = type_text(n, t);
        if (!text) n->failed = true;
        printf(t->sort == TS_SORT_TYPE ? "type = " : t->value && !t->func ? "value: " : "");
        print_named(n, text ? text : "?");
        putchar('\n');
        free(text);
    } else if (t->instance) {
        printf("%s%s\n", t->sort == TS_SORT_TYPE ? "type = " : "", t->instance->n ? "instance" : "instance (empty)");
        for (uint32_t i = 0; i < t->instance->n && depth < 100; i++)
            print_extern(n, &t->instance->exports[i], depth + 1);
    } else if (t->component) {
        printf("component of %u imports and %u exports\n", t->component->n_imports, t->component->n_exports);
    } else if (t->module_type) {
        printf("core module of %u imports and %u exports\n", t->module_type->n_imports, t->module_type->n_exports);
        for (uint32_t i = 0; i < t->module_type->n_exports; i++) {
            indent(depth + 1);
            printf("export ");
            put_text(t->module_type->exports[i].name);
            printf(": %s\n", core_kinds[t->module_type->exports[i].type.kind]);
        }
    } else {
        puts("?");
    }
}

static bool print_world(const ts_component *c) {
    names n = {.n = c->n_resources};
    n.by_slot = calloc(c->n_resources + (size_t)1, sizeof *n.by_slot);
    n.types =
        calloc((size_t)count_externs(c->imports, c->n_imports, 0) + count_externs(c->exports, c->n_exports, 0) + 1,
               sizeof *n.types);
    if (!n.by_slot || !n.types) {
        free(n.by_slot);
        free(n.types);
        return false;
    }
    name_types(&n, c->imports, c->n_imports, 0);
    name_types(&n, c->exports, c->n_exports, 0);
    printf("imports: %u\n", c->n_imports);
    for (uint32_t i = 0; i < c->n_imports; i++) print_extern(&n, &c->imports[i], 1);
    printf("exports: %u\n", c->n_exports);
    for (uint32_t i = 0; i < c->n_exports; i++) print_extern(&n, &c->exports[i], 1);
    free(n.by_slot);
    free(n.types);
    ts_map_free(&n.by_type);
    return !n.failed;
}

static void print_module(const ts_module *m, uint32_t index, unsigned depth) {
    char name[200];
    uint64_t data = 0;
    for (uint32_t i = 0; i < m->n_datas; i++) data += m->datas[i].len;
    indent(depth);
    printf("core module %u", index);
    if (ts_module_name(m, name, sizeof name)) {
        putchar(' ');
        put_text(name);
    }
    printf(": %zu bytes, code %zu, data %" PRIu64 ", %u functions, %u imports, %u exports\n", m->len,
           m->code_section_len, data, m->n_funcs - m->n_imp_funcs, m->n_imports, m->n_exports);
}

/* Prints a core module that is the whole file. */
static void print_core_externs(const ts_module *m) {
    for (uint32_t i = 0; i < m->n_imports; i++) {
        printf("  import ");
        put_text(m->imports[i].module);
        putchar(' ');
        put_text(m->imports[i].name);
        printf(": %s\n", core_kinds[m->imports[i].kind]);
    }
    for (uint32_t i = 0; i < m->n_exports; i++) {
        printf("  export ");
        put_text(m->exports[i].name);
        printf(": %s\n", core_kinds[m->exports[i].kind]);
    }
}

static void print_structure(const ts_component *c, unsigned depth) {
    static const char *const words[] = {[TS_DEF_CORE_MODULE] = "core modules defined",
                                        [TS_DEF_CORE_INSTANTIATE] = "core instances",
                                        [TS_DEF_CORE_INLINE] = "core instances of exports",
                                        [TS_DEF_COMPONENT] = "components defined",
                                        [TS_DEF_INSTANTIATE] = "instances",
                                        [TS_DEF_INLINE] = "instances of exports",
                                        [TS_DEF_ALIAS_EXPORT] = "aliases of exports",
                                        [TS_DEF_ALIAS_CORE_EXPORT] = "aliases of core exports",
                                        [TS_DEF_ALIAS_OUTER] = "outer aliases",
                                        [TS_DEF_TYPE] = "types",
                                        [TS_DEF_CORE_TYPE] = "core types",
                                        [TS_DEF_CANON] = "canonical definitions",
                                        [TS_DEF_IMPORT] = "imports",
                                        [TS_DEF_EXPORT] = "exports",
                                        [TS_DEF_START] = "starts",
                                        [TS_DEF_VALUE] = "values"};
    uint32_t count[sizeof words / sizeof *words] = {0}, lift = 0, lower = 0, modules = 0, components = 0;
    for (uint32_t i = 0; i < c->n_defs; i++) {
        count[c->defs[i].kind]++;
        if (c->defs[i].kind != TS_DEF_CANON) continue;
        lift += c->defs[i].canon.kind == TS_CANON_LIFT;
        lower += c->defs[i].canon.kind == TS_CANON_LOWER;
    }
    indent(depth);
    printf("component");
    if (c->name) {
        putchar(' ');
        put_text(c->name);
    }
    printf(": %zu bytes at %" PRIu64 ", %u definitions\n", c->len, c->offset, c->n_defs);
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        if (!count[k]) continue;
        indent(depth + 1);
        printf("%s: %u", words[k], count[k]);
        if (k == TS_DEF_CANON) printf(" (lift %u, lower %u, built-ins %u)", lift, lower, count[k] - lift - lower);
        putchar('\n');
    }
    for (uint32_t i = 0; i < c->n_defs;
         i++) { /* count definitions: positions in the index spaces also count imports and aliases */
        const ts_def *d = &c->defs[i];
        if (d->kind == TS_DEF_CORE_MODULE) print_module(d->module, modules, depth + 1);
        if (d->kind == TS_DEF_COMPONENT) {
            indent(depth + 1);
            printf("[%u]\n", components);
            print_structure(d->component, depth + 2);
        }
        modules += d->sort == TS_SORT_CORE_MODULE;
        components += d->sort == TS_SORT_COMPONENT;
    }
}

int ts_cli_inspect(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--confinement") == 0) return ts_cli_inspect_confinement(argc - 1, argv + 1);
    const char *code = NULL;
    if (argc >= 2 && strcmp(argv[1], "--code") == 0) {
        code = argc >= 3 ? argv[2] : NULL;
        argc -= 2;
        argv += 2;
    } else if (argc >= 2 && strncmp(argv[1], "--code=", 7) == 0) {
        code = argv[1] + 7;
        argc--;
        argv++;
    }
    if (argc != 2 || (argv[1][0] == '-' && argv[1][1])) {
        fprintf(stderr, "touchstone: usage: touchstone inspect [--code FUNCTION] COMPONENT, or inspect --confinement "
                        "[OPTION…]\n");
        return TS_CLI_USAGE;
    }
    ts_error *e = malloc(sizeof *e);
    if (!e) {
        fprintf(stderr, "touchstone: no memory\n");
        return TS_CLI_INTERNAL;
    }
    ts_error_init(e);
    ts_sys_input file = {0};
    ts_engine *engine = NULL;
    ts_component *c = NULL;
    ts_module *m = NULL;
    ts_disassembler *disassembler = NULL;
    ts_status s = ts_cli_program_open(argv[1], true, &file, e);
    if (code) disassembler = ts_disassembler_new(); /* its library is loaded before */
    if (s == TS_OK) s = ts_cli_confine_reader(NULL, code != NULL, e);
    if (s == TS_OK) s = ts_engine_new(&engine, e);
    if (s == TS_OK && ts_bytes_are_component(file.bytes, file.len)) {
        s = ts_component_new(engine, file.bytes, file.len, false,
                             TS_CF_ALL | TS_CF_NESTED_NAMES | TS_CF_CANONICAL_NAMES, &c, e);
        if (s == TS_OK && code) {
            s = ts_cli_inspect_code(code, NULL, c, e);
        } else if (s == TS_OK) {
            if (!print_world(c)) s = ts_fail_nomem(e);
            puts("structure:");
            print_structure(c, 1);
            if (!ts_cli_print_sizes(file.bytes, file.len)) s = ts_fail_nomem(e);
        }
    } else if (s == TS_OK) {
        s = ts_module_new(engine, file.bytes, file.len, false, &m, e);
        if (s == TS_OK && code) {
            s = ts_cli_inspect_code(code, m, NULL, e);
        } else if (s == TS_OK) {
            print_module(m, 0, 0);
            print_core_externs(m);
            if (!ts_cli_print_sizes(file.bytes, file.len)) s = ts_fail_nomem(e);
        }
    }
    if (s == TS_OK) s = ts_cli_flush(e);
    if (s != TS_OK && e->status == TS_OK) (void)ts_fail(e, s, "%s", ts_status_name(s));
    ts_cli_report(e);
    int status = ts_cli_status(e);
    ts_disassembler_free(disassembler);
    ts_component_free(c);
    ts_core_module_free(m);
    ts_engine_free(engine);
    ts_sys_input_close(&file);
    free(e);
    return status;
}
