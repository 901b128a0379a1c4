/* decode: the binary format of a module.
 * In: bytes. Out: the module's index spaces. Types are given by their index in the type section. Of a
 * function body only the bounds are determined.
 * spec: binary/modules, binary/types */
#include "core/module/decode.h"
#include "base/vec.h"
#include "core/module/wasm_ops.h"
#include "sys/pages.h"
#include <string.h>

/* The parts of the module that grow while it is read. */
struct dec {
    ts_module *m;
    ts_reader r; /* over the whole module */
    ts_error *e;
    TS_VEC(ts_raw_group) groups;
    TS_VEC(ts_rec_member) members;
    TS_VEC(uint32_t) n_supers;
    uint32_t n_bodies;
};

static void *take(struct dec *d, size_t n, size_t size) {
    void *p = ts_pages_array(&d->m->arena, n ? n : 1, size);
    if (!p) ts_fail_nomem(d->e);
    return p;
}

/* Read a vector's length. Each element takes at least one byte, so what is left of the bytes bounds it. */
static ts_status read_len(ts_reader *r, uint32_t *n) {
    const uint8_t *at = r->at;
    TS_TRY(ts_read_u32(r, n));
    if (*n <= ts_reader_left(r)) return TS_OK;
    r->at = at;
    return ts_reader_fail(r, "length out of bounds: %u elements", *n);
}

static ts_status bad_byte(ts_reader *r, const char *what) {
    r->at--;
    return ts_reader_fail(r, "%s", what);
}

/* --- types --------------------------------------------------------------------------------------------- */

static ts_status read_storage(ts_reader *r, ts_valtype *out) {
    if (r->at < r->end && (*r->at == TS_VT_I8 || *r->at == TS_VT_I16)) {
        *out = *r->at++;
        return TS_OK;
    }
    return ts_read_valtype(r, out);
}

static ts_status read_mut(ts_reader *r, bool *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b > 1) return bad_byte(r, "malformed mutability");
    *out = b;
    return TS_OK;
}

static ts_status read_field(ts_reader *r, ts_field *f) {
    TS_TRY(read_storage(r, &f->type));
    f->offset = 0;
    return read_mut(r, &f->mut);
}

static ts_status read_results(struct dec *d, ts_reader *r, uint32_t *n, ts_valtype **out) {
    TS_TRY(read_len(r, n));
    if (!(*out = take(d, *n, sizeof **out))) return TS_NOMEM;
    for (uint32_t i = 0; i < *n; i++) TS_TRY(ts_read_valtype(r, &(*out)[i]));
    return TS_OK;
}

/* spec: binary/types#composite-types */
static ts_status read_comp(struct dec *d, ts_reader *r, ts_rec_member *t) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    switch (b) {
    case TS_COMP_FUNC:
        t->kind = TS_COMP_FUNC;
        TS_TRY(read_results(d, r, &t->n_params, &t->params));
        return read_results(d, r, &t->n_results, &t->results);
    case TS_COMP_STRUCT:
        t->kind = TS_COMP_STRUCT;
        TS_TRY(read_len(r, &t->n_fields));
        if (!(t->fields = take(d, t->n_fields, sizeof *t->fields))) return TS_NOMEM;
        for (uint32_t i = 0; i < t->n_fields; i++) TS_TRY(read_field(r, &t->fields[i]));
        return TS_OK;
    case TS_COMP_ARRAY:
        t->kind = TS_COMP_ARRAY;
        t->n_fields = 1;
        if (!(t->fields = take(d, 1, sizeof *t->fields))) return TS_NOMEM;
        return read_field(r, t->fields);
    default: return bad_byte(r, "malformed definition type");
    }
}

/* spec: binary/types#recursive-types: 0x50 sub, 0x4f sub final; else a final composite type without
 * supertypes */
static ts_status read_sub(struct dec *d, ts_reader *r) {
    ts_rec_member t = {.final = true};
    uint32_t n_supers = 0;
    if (r->at < r->end && (*r->at == 0x50 || *r->at == 0x4f)) {
        t.final = *r->at++ == 0x4f;
        TS_TRY(read_len(r, &n_supers));
        for (uint32_t i = 0; i < n_supers; i++) TS_TRY(ts_read_u32(r, &t.super));
        t.has_super = n_supers > 0;
    }
    TS_TRY(read_comp(d, r, &t));
    if (!ts_vec_push(&d->members, t) || !ts_vec_push(&d->n_supers, n_supers)) return ts_fail_nomem(d->e);
    return TS_OK;
}

static ts_status type_section(struct dec *d, ts_reader *r) {
    uint32_t n;
    TS_TRY(read_len(r, &n));
    for (uint32_t i = 0; i < n; i++) {
        ts_raw_group g = {.first = d->members.len, .n = 1, .offset = ts_reader_offset(r)};
        if (r->at < r->end && *r->at == 0x4e) {
            r->at++;
            TS_TRY(read_len(r, &g.n));
        }
        for (uint32_t k = 0; k < g.n; k++) TS_TRY(read_sub(d, r));
        if (!ts_vec_push(&d->groups, g)) return ts_fail_nomem(d->e);
    }
    return TS_OK;
}

static ts_status finish_types(struct dec *d) {
    ts_module *m = d->m;
    ts_raw_types *raw = take(d, 1, sizeof *raw);
    if (!raw) return TS_NOMEM;
    raw->n_groups = d->groups.len;
    raw->groups = take(d, d->groups.len, sizeof *raw->groups);
    raw->members = take(d, d->members.len, sizeof *raw->members);
    raw->n_supers = take(d, d->members.len, sizeof *raw->n_supers);
    if (!raw->groups || !raw->members || !raw->n_supers) return TS_NOMEM;
    if (d->groups.len) memcpy(raw->groups, d->groups.data, d->groups.len * sizeof *raw->groups);
    if (d->members.len) {
        memcpy(raw->members, d->members.data, d->members.len * sizeof *raw->members);
        memcpy(raw->n_supers, d->n_supers.data, d->members.len * sizeof *raw->n_supers);
    }
    m->n_types = d->members.len;
    m->raw_types = raw;
    return TS_OK;
}

/* spec: binary/types#limits. Bit 0: a maximum; 1: shared (threads); 2: 64-bit; 3: page size
 * (custom-page-sizes). */
static ts_status read_limits(struct dec *d, ts_reader *r, bool is_mem, ts_limits *l) {
    uint8_t flags = 0;
    TS_TRY(ts_read_u8(r, &flags));
    uint8_t known = 0x01;
    if (d->m->features & TS_F_MEMORY64) known |= 0x04;
    if (is_mem && d->m->features & TS_F_THREADS) known |= 0x02;
    if (is_mem && d->m->features & TS_F_CUSTOM_PAGE_SIZES) known |= 0x08;
    if (flags & ~known) return bad_byte(r, "malformed limits flags");
    *l = (ts_limits){.has_max = flags & 1, .shared = (flags & 2) != 0, .is64 = (flags & 4) != 0, .page_log2 = 16};
    TS_TRY(ts_read_u64(r, &l->min));
    l->max = 0;
    if (l->has_max) TS_TRY(ts_read_u64(r, &l->max));
    if (flags & 8) {
        uint32_t log2 = 0;
        TS_TRY(ts_read_u32(r, &log2));
        if (log2 > 64) return bad_byte(r, "invalid custom page size");
        l->page_log2 = (uint8_t)log2; /* validated: 0 or 16 */
    }
    return TS_OK;
}

static ts_status read_table_type(struct dec *d, ts_reader *r, ts_table_type *t) {
    TS_TRY(ts_read_reftype(r, &t->elem));
    return read_limits(d, r, false, &t->limits);
}
static ts_status read_global_type(ts_reader *r, ts_global_type *t) {
    TS_TRY(ts_read_valtype(r, &t->type));
    return read_mut(r, &t->mut);
}
static ts_status read_tag_type(ts_reader *r, uint32_t *type) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b != 0) return bad_byte(r, "malformed tag attribute: zero byte expected");
    return ts_read_u32(r, type);
}

/* --- expressions --------------------------------------------------------------------------------------- */

/* The blocks that are open while an expression is skimmed. All that matters of each is whether it is an `if`
 * that has had no `else` yet. */
struct nest {
    TS_VEC(uint8_t) open;
};

/* Read instructions up to the end that closes the expression. */
static ts_status skim(ts_reader *r, struct nest *nest, bool has_data_count) {
    nest->open.len = 0;
    for (;;) {
        struct ts_op op;
        if (r->at >= r->end) return ts_reader_fail(r, "unexpected end of section or function: END opcode expected");
        TS_TRY(ts_read_op(r, &op));
        switch (op.op) {
        case TS_OP_block:
        case TS_OP_loop:
        case TS_OP_try_table:
        case TS_OP_if_:
            if (!ts_vec_push(&nest->open, op.op == TS_OP_if_)) return ts_fail_nomem(r->err);
            break;
        case TS_OP_else_:
            if (nest->open.len == 0 || !nest->open.data[nest->open.len - 1]) {
                r->at = op.at;
                return ts_reader_fail(r, "misplaced ELSE opcode: END opcode expected");
            }
            nest->open.data[nest->open.len - 1] = 0;
            break;
        case TS_OP_end:
            if (nest->open.len == 0) return TS_OK;
            nest->open.len--;
            break;
        case TS_OP_memory_init:
        case TS_OP_data_drop:
        case TS_OP_array_new_data:
        case TS_OP_array_init_data:
            if (!has_data_count) {
                r->at = op.at;
                return ts_reader_fail(r, "data count section required");
            }
            break;
        default: break;
        }
    }
}

uint32_t ts_short_i32_const(const uint8_t *at, const uint8_t *end) {
    enum { OP_I32_CONST = 0x41, OP_END = 0x0b, MOST = 4 }; /* a number of five bytes may be too large */
    if (at == end || *at != OP_I32_CONST) return 0;
    for (uint32_t i = 1; i <= MOST && end - at > i + 1; i++)
        if (at[i] < 0x80) return at[i + 1] == OP_END ? i + 2 : 0;
    return 0;
}

ts_status ts_decode_expr(ts_reader *r, ts_const_expr *out) {
    struct nest nest = {0};
    out->at = r->at;
    if ((out->len = ts_short_i32_const(r->at, r->end))) {
        r->at += out->len;
        return TS_OK;
    }
    ts_status s = skim(r, &nest, true);
    out->len = (uint32_t)(r->at - out->at);
    ts_vec_free(&nest.open);
    return s;
}

ts_status ts_decode_locals(ts_reader *r, ts_status (*each)(void *data, uint32_t n, ts_valtype t, uint64_t offset),
                           void *data) {
    uint32_t runs = 0;
    TS_TRY(read_len(r, &runs));
    uint64_t total = 0;
    for (uint32_t i = 0; i < runs; i++) {
        uint32_t n = 0;
        ts_valtype t = 0;
        const uint8_t *at = r->at;
        TS_TRY(ts_read_u32(r, &n));
        total += n;
        if (total > TS_MAX_LOCALS) {
            r->at = at;
            return ts_reader_fail(r, "too many locals");
        }
        uint64_t offset = ts_reader_offset(r);
        TS_TRY(ts_read_valtype(r, &t));
        if (each) TS_TRY(each(data, n, t, offset));
    }
    return TS_OK;
}

ts_status ts_decode_check_bodies(const ts_module *m, ts_error *e) {
    struct nest nest = {0};
    ts_status s = TS_OK;
    for (uint32_t i = m->n_imp_funcs; s == TS_OK && i < m->n_funcs; i++) {
        const ts_func_def *f = &m->funcs[i];
        ts_reader r = {.at = f->body, .end = f->body + f->body_len, .base = m->bytes, .section = "code", .err = e};
        s = ts_decode_locals(&r, NULL, NULL);
        if (s == TS_OK) s = skim(&r, &nest, m->has_data_count);
        if (s == TS_OK && !ts_reader_done(&r))
            s = ts_reader_fail(&r, "section size mismatch: END opcode expected at the end of function %u", i);
    }
    ts_vec_free(&nest.open);
    return s;
}

/* --- sections ------------------------------------------------------------------------------------------ */

static ts_status read_import(struct dec *d, ts_reader *r, ts_import *im) {
    const char *s;
    uint8_t kind = 0;
    TS_TRY(ts_read_name(r, &s, &im->module_len));
    if (!(im->module = ts_arena_strndup(&d->m->arena, s, im->module_len))) return ts_fail_nomem(d->e);
    TS_TRY(ts_read_name(r, &s, &im->name_len));
    if (!(im->name = ts_arena_strndup(&d->m->arena, s, im->name_len))) return ts_fail_nomem(d->e);
    TS_TRY(ts_read_u8(r, &kind));
    im->kind = (ts_extern_kind)kind;
    switch (kind) {
    case TS_EXTERN_FUNC: d->m->n_imp_funcs++; return ts_read_u32(r, &im->type);
    case TS_EXTERN_TABLE: d->m->n_imp_tables++; return read_table_type(d, r, &im->table);
    case TS_EXTERN_MEM: d->m->n_imp_mems++; return read_limits(d, r, true, &im->mem);
    case TS_EXTERN_GLOBAL: d->m->n_imp_globals++; return read_global_type(r, &im->global);
    case TS_EXTERN_TAG: d->m->n_imp_tags++; return read_tag_type(r, &im->type);
    default: return bad_byte(r, "malformed import kind");
    }
}

static ts_status import_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    if (!(m->imports = take(d, n, sizeof *m->imports))) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) TS_TRY(read_import(d, r, &m->imports[i]));
    m->n_imports = n;
    return TS_OK;
}

/* Imports come first in each index space. A space is made when its section comes, or at the end if none
 * does. */
static ts_status func_space(struct dec *d, uint32_t n) {
    ts_module *m = d->m;
    if (!(m->funcs = take(d, (size_t)m->n_imp_funcs + n, sizeof *m->funcs))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_FUNC)
            m->funcs[m->n_funcs++] = (ts_func_def){.type = m->imports[i].type, .imported = true};
    return TS_OK;
}
static ts_status table_space(struct dec *d, uint32_t n) {
    ts_module *m = d->m;
    if (!(m->tables = take(d, (size_t)m->n_imp_tables + n, sizeof *m->tables))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_TABLE) m->tables[m->n_tables++].type = m->imports[i].table;
    return TS_OK;
}
static ts_status mem_space(struct dec *d, uint32_t n) {
    ts_module *m = d->m;
    if (!(m->mems = take(d, (size_t)m->n_imp_mems + n, sizeof *m->mems))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_MEM) m->mems[m->n_mems++] = m->imports[i].mem;
    return TS_OK;
}
static ts_status global_space(struct dec *d, uint32_t n) {
    ts_module *m = d->m;
    if (!(m->globals = take(d, (size_t)m->n_imp_globals + n, sizeof *m->globals))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_GLOBAL) m->globals[m->n_globals++].type = m->imports[i].global;
    return TS_OK;
}
static ts_status tag_space(struct dec *d, uint32_t n) {
    ts_module *m = d->m;
    if (!(m->tags = take(d, (size_t)m->n_imp_tags + n, sizeof *m->tags))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_imports; i++)
        if (m->imports[i].kind == TS_EXTERN_TAG) m->tags[m->n_tags++] = m->imports[i].type;
    return TS_OK;
}

static ts_status func_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    TS_TRY(func_space(d, n));
    for (uint32_t i = 0; i < n; i++) TS_TRY(ts_read_u32(r, &m->funcs[m->n_funcs++].type));
    return TS_OK;
}

static ts_status table_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    TS_TRY(table_space(d, n));
    for (uint32_t i = 0; i < n; i++) {
        ts_table_def *t = &m->tables[m->n_tables++];
        if (r->at < r->end && *r->at == 0x40) { /* with an initialiser */
            uint8_t zero = 0;
            r->at++;
            TS_TRY(ts_read_u8(r, &zero));
            if (zero != 0) return bad_byte(r, "zero byte expected");
            t->has_init = true;
        }
        TS_TRY(read_table_type(d, r, &t->type));
        if (t->has_init) TS_TRY(ts_decode_expr(r, &t->init));
    }
    return TS_OK;
}

static ts_status mem_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    TS_TRY(mem_space(d, n));
    for (uint32_t i = 0; i < n; i++) TS_TRY(read_limits(d, r, true, &m->mems[m->n_mems++]));
    return TS_OK;
}

static ts_status tag_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    TS_TRY(tag_space(d, n));
    for (uint32_t i = 0; i < n; i++) TS_TRY(read_tag_type(r, &m->tags[m->n_tags++]));
    return TS_OK;
}

static ts_status global_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    TS_TRY(global_space(d, n));
    for (uint32_t i = 0; i < n; i++) {
        ts_global_def *g = &m->globals[m->n_globals++];
        TS_TRY(read_global_type(r, &g->type));
        TS_TRY(ts_decode_expr(r, &g->init));
    }
    return TS_OK;
}

static ts_status export_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    if (!(m->exports = take(d, n, sizeof *m->exports))) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        ts_export *x = &m->exports[i];
        const char *s;
        uint8_t kind = 0;
        TS_TRY(ts_read_name(r, &s, &x->name_len));
        if (!(x->name = ts_arena_strndup(&m->arena, s, x->name_len))) return ts_fail_nomem(d->e);
        TS_TRY(ts_read_u8(r, &kind));
        if (kind > TS_EXTERN_TAG) return bad_byte(r, "malformed export kind");
        x->kind = (ts_extern_kind)kind;
        TS_TRY(ts_read_u32(r, &x->index));
    }
    m->n_exports = n;
    return TS_OK;
}

static ts_status start_section(struct dec *d, ts_reader *r) {
    d->m->has_start = true;
    return ts_read_u32(r, &d->m->start);
}

/* spec: binary/modules#element-section. Bit 0: passive or declarative; bit 1: a table index, or declarative;
 * bit 2: expressions. */
static ts_status read_elem(struct dec *d, ts_reader *r, ts_elem_seg *s) {
    uint32_t flags = 0;
    const uint8_t *at = r->at;
    TS_TRY(ts_read_u32(r, &flags));
    if (flags > 7) {
        r->at = at;
        return ts_reader_fail(r, "malformed elements segment kind");
    }
    s->mode = !(flags & 1) ? TS_SEG_ACTIVE : flags & 2 ? TS_SEG_DECLARATIVE : TS_SEG_PASSIVE;
    s->is_exprs = (flags & 4) != 0;
    if (s->mode == TS_SEG_ACTIVE) {
        if (flags & 2) TS_TRY(ts_read_u32(r, &s->table));
        TS_TRY(ts_decode_expr(r, &s->offset));
    }
    s->type = ts_vt_ref(s->is_exprs, TS_HT_FUNC);
    if (flags & 3) {
        if (s->is_exprs) {
            TS_TRY(ts_read_reftype(r, &s->type));
        } else {
            uint8_t kind = 0;
            TS_TRY(ts_read_u8(r, &kind));
            if (kind != 0) return bad_byte(r, "malformed element kind");
        }
    }
    TS_TRY(read_len(r, &s->n));
    if (s->is_exprs) {
        ts_const_expr *x = take(d, s->n, sizeof *x);
        if (!x) return TS_NOMEM;
        for (uint32_t i = 0; i < s->n; i++) TS_TRY(ts_decode_expr(r, &x[i]));
        s->exprs = x;
    } else {
        uint32_t *x = take(d, s->n, sizeof *x);
        if (!x) return TS_NOMEM;
        for (uint32_t i = 0; i < s->n; i++) TS_TRY(ts_read_u32(r, &x[i]));
        s->funcs = x;
    }
    return TS_OK;
}

static ts_status elem_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    if (!(m->elems = take(d, n, sizeof *m->elems))) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) TS_TRY(read_elem(d, r, &m->elems[i]));
    m->n_elems = n;
    return TS_OK;
}

static ts_status data_count_section(struct dec *d, ts_reader *r) {
    d->m->has_data_count = true;
    return ts_read_u32(r, &d->m->data_count);
}

/* Take the places of the bodies from the cache, since walking from body to body waits for memory at each one.
 * A table that does not fit the section is ignored. */
static bool known_bodies(ts_module *m, uint32_t n) {
    if (!m->bodies_known || m->n_bodies_known != n) return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = m->bodies_known[2 * i], len = m->bodies_known[2 * i + 1];
        if (at > m->code_section_len || len > m->code_section_len - at) return false;
        m->funcs[m->n_imp_funcs + i].body = m->code_section + at;
        m->funcs[m->n_imp_funcs + i].body_len = len;
    }
    return true;
}

static ts_status code_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    m->code_section = r->at;
    m->code_section_len = ts_reader_left(r);
    TS_TRY(read_len(r, &n));
    d->n_bodies = n;
    if (n != m->n_funcs - m->n_imp_funcs)
        return ts_reader_fail(r, "function and code section have inconsistent lengths");
    if (known_bodies(m, n)) {
        r->at = r->end;
        return TS_OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size = 0;
        ts_reader body;
        TS_TRY(ts_read_u32(r, &size));
        TS_TRY(ts_read_sub(r, size, &body));
        ts_func_def *f = &m->funcs[m->n_imp_funcs + i];
        f->body = body.at;
        f->body_len = size;
    }
    return TS_OK;
}

static ts_status data_section(struct dec *d, ts_reader *r) {
    ts_module *m = d->m;
    uint32_t n = 0;
    TS_TRY(read_len(r, &n));
    if (!(m->datas = take(d, n, sizeof *m->datas))) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        ts_data_seg *s = &m->datas[i];
        uint32_t flags = 0;
        const uint8_t *at = r->at;
        TS_TRY(ts_read_u32(r, &flags));
        if (flags > 2) {
            r->at = at;
            return ts_reader_fail(r, "malformed data segment kind");
        }
        s->mode = flags == 1 ? TS_SEG_PASSIVE : TS_SEG_ACTIVE;
        if (flags == 2) TS_TRY(ts_read_u32(r, &s->mem));
        if (flags != 1) TS_TRY(ts_decode_expr(r, &s->offset));
        at = r->at;
        TS_TRY(ts_read_u32(r, &s->len));
        if (s->len > ts_reader_left(r)) {
            r->at = at;
            return ts_reader_fail(r, "unexpected end: length out of bounds: a data segment of %u bytes", s->len);
        }
        TS_TRY(ts_read_bytes(r, s->len, &s->bytes));
    }
    m->n_datas = n;
    return TS_OK;
}

static ts_status custom_section(struct dec *d, ts_reader *r) {
    const char *name;
    uint32_t len = 0;
    TS_TRY(ts_read_name(r, &name, &len));
    if (len == 4 && memcmp(name, "name", 4) == 0)
        d->m->names = (ts_name_section){.at = r->at, .len = (uint32_t)ts_reader_left(r)};
    r->at = r->end;
    return TS_OK;
}

/* --- the module ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t order; /* position among the sections; 0: anywhere */
    ts_status (*read)(struct dec *d, ts_reader *r);
} sections[] = {
    {"custom", 0, custom_section},          {"type", 1, type_section},     {"import", 2, import_section},
    {"function", 3, func_section},          {"table", 4, table_section},   {"memory", 5, mem_section},
    {"global", 7, global_section},          {"export", 8, export_section}, {"start", 9, start_section},
    {"element", 10, elem_section},          {"code", 12, code_section},    {"data", 13, data_section},
    {"data count", 11, data_count_section}, {"tag", 6, tag_section},
};

/* Make the index spaces whose sections are absent. `before` is the order of the section that comes now. */
static ts_status spaces_until(struct dec *d, unsigned before) {
    ts_module *m = d->m;
    if (before > 3 && !m->funcs) TS_TRY(func_space(d, 0));
    if (before > 4 && !m->tables) TS_TRY(table_space(d, 0));
    if (before > 5 && !m->mems) TS_TRY(mem_space(d, 0));
    if (before > 6 && !m->tags) TS_TRY(tag_space(d, 0));
    if (before > 7 && !m->globals) TS_TRY(global_space(d, 0));
    return TS_OK;
}

static ts_status read_section(struct dec *d, unsigned *last) {
    ts_reader *r = &d->r;
    uint8_t id = 0;
    uint32_t size = 0;
    const uint8_t *at = r->at;
    TS_TRY(ts_read_u8(r, &id));
    if (id >= sizeof sections / sizeof *sections) return bad_byte(r, "malformed section id");
    unsigned order = sections[id].order;
    if (order != 0 && order <= *last) {
        r->at = at;
        return ts_reader_fail(r, "unexpected content after last section: section \"%s\" is out of order",
                              sections[id].name);
    }
    r->section = sections[id].name;
    TS_TRY(ts_read_u32(r, &size));
    ts_reader sub;
    TS_TRY(ts_read_sub(r, size, &sub));
    if (order != 0) {
        TS_TRY(spaces_until(d, order));
        *last = order;
    }
    TS_TRY(sections[id].read(d, &sub));
    if (!ts_reader_done(&sub)) return ts_reader_fail(&sub, "section size mismatch");
    r->section = NULL;
    return TS_OK;
}

static ts_status read_header(ts_reader *r) {
    static const uint8_t magic[4] = {0, 'a', 's', 'm'}, version[4] = {1, 0, 0, 0};
    size_t left = ts_reader_left(r);
    if (memcmp(r->at, magic, left < 4 ? left : 4) != 0) return ts_reader_fail(r, "magic header not detected");
    if (left < 4) return ts_read_eof(r);
    r->at += 4;
    left -= 4;
    if (memcmp(r->at, version, left < 4 ? left : 4) != 0) return ts_reader_fail(r, "unknown binary version");
    if (left < 4) return ts_read_eof(r);
    r->at += 4;
    return TS_OK;
}

static ts_status read_module(struct dec *d) {
    ts_module *m = d->m;
    unsigned last = 0;
    TS_TRY(read_header(&d->r));
    while (!ts_reader_done(&d->r)) TS_TRY(read_section(d, &last));
    TS_TRY(spaces_until(d, 255));
    if (d->n_bodies != m->n_funcs - m->n_imp_funcs)
        return ts_reader_fail(&d->r, "function and code section have inconsistent lengths");
    if (m->has_data_count && m->data_count != m->n_datas)
        return ts_reader_fail(&d->r, "data count and data section have inconsistent lengths");
    return finish_types(d);
}

ts_status ts_module_decode(ts_module *m, ts_error *e) {
    static const uint8_t none[1];
    const uint8_t *bytes = m->bytes ? m->bytes : none;
    struct dec d = {.m = m, .e = e, .r = {.at = bytes, .end = bytes + m->len, .base = bytes, .err = e}};
    ts_status s = read_module(&d);
    ts_vec_free(&d.groups);
    ts_vec_free(&d.members);
    ts_vec_free(&d.n_supers);
    return s;
}
