/* validate_core: core types inside components: defined types and module types.
 * In: the bytes of core type definitions; modules. Out: canonical ids, module types.
 * spec: Binary.md#type-definitions (core:type); core binary/types, valid/types */
#include "component/binary/validate.h"
#include "core/run/store.h"
#include <string.h>

/* --- types of modules -------------------------------------------------------------------------- */
static ts_core_extern_type import_type(const ts_import *x) {
    ts_core_extern_type t = {.kind = x->kind};
    switch (x->kind) {
    case TS_EXTERN_TABLE: t.table = x->table; break;
    case TS_EXTERN_MEM: t.mem = x->mem; break;
    case TS_EXTERN_GLOBAL: t.global = x->global; break;
    default: t.type = x->type;
    }
    return t;
}

const ts_core_module_type *ts_core_module_type_of(ts_arena *arena, const ts_module *m) {
    ts_core_module_type *t = ts_arena_alloc(arena, sizeof *t);
    ts_core_import_type *imports = ts_arena_array(arena, m->n_imports, sizeof *imports);
    ts_core_export_type *exports = ts_arena_array(arena, m->n_exports, sizeof *exports);
    uint32_t dup;
    if (!t || !imports || !exports) return NULL;
    for (uint32_t i = 0; i < m->n_imports; i++) {
        const ts_import *x = &m->imports[i];
        imports[i] = (ts_core_import_type){x->module, x->name, x->module_len, x->name_len, import_type(x)};
    }
    for (uint32_t i = 0; i < m->n_exports; i++) {
        const ts_export *x = &m->exports[i];
        ts_core_extern_type e = {.kind = x->kind};
        switch (x->kind) {
        case TS_EXTERN_FUNC: e.type = m->funcs[x->index].type; break;
        case TS_EXTERN_TABLE: e.table = m->tables[x->index].type; break;
        case TS_EXTERN_MEM: e.mem = m->mems[x->index]; break;
        case TS_EXTERN_GLOBAL: e.global = m->globals[x->index].type; break;
        case TS_EXTERN_TAG: e.type = m->tags[x->index]; break;
        }
        exports[i] = (ts_core_export_type){x->name, x->name_len, e};
    }
    *t = (ts_core_module_type){.n_imports = m->n_imports,
                               .n_exports = m->n_exports,
                               .imports = imports,
                               .exports = exports,
                               .nodes = 1 + m->n_imports + m->n_exports};
    if (!ts_names_build(arena, imports, t->n_imports, ts_core_import_at, &t->import_index, &dup) ||
        !ts_names_build(arena, exports, t->n_exports, ts_core_export_at, &t->export_index, &dup))
        return NULL;
    return t;
}

ts_status ts_core_module_type_check(ts_scope *s, uint64_t off, const char *sec, ts_core_module_type *t) {
    uint32_t dup;
    if (!ts_names_build(s->d->arena, t->imports, t->n_imports, ts_core_import_at, &t->import_index, &dup))
        return ts_fail_nomem(s->d->err);
    if (dup != UINT32_MAX)
        return TS_BAD(s, off, sec, "duplicate import name `%.80s:%.80s`", t->imports[dup].module, t->imports[dup].name);
    if (!ts_names_build(s->d->arena, t->exports, t->n_exports, ts_core_export_at, &t->export_index, &dup))
        return ts_fail_nomem(s->d->err);
    if (dup != UINT32_MAX) return TS_BAD(s, off, sec, "export name `%.120s` already defined", t->exports[dup].name);
    t->nodes = 1 + t->n_imports + t->n_exports;
    return TS_OK;
}

/* --- reading core types ------------------------------------------------------------------------ */
typedef TS_VEC(ts_core_type_entry) entries;
typedef TS_VEC(uint32_t) type_ids;
typedef struct core_scope { /* the core type space of a component or of a module type */
    ts_scope *s;
    entries *types;
    type_ids *ids; /* ids of the types, for ts_types_intern */
} core_scope;

static bool push_type(core_scope *c, ts_core_type_entry e) {
    return ts_vec_push(c->types, e) && ts_vec_push(c->ids, e.id);
}

static bool abstract_heap(uint8_t b) {
    return b >= TS_HT_EXN && b <= TS_HT_NOEXN;
}

/* Reads a heap type: abstract ones as they are, indices as TS_HT_CONCRETE + index, where indices
 * beyond the space refer to the group that is being read. */
static ts_status read_heap(core_scope *c, ts_reader *r, uint32_t limit, uint32_t *out) {
    uint64_t off = ts_reader_offset(r);
    if (ts_reader_done(r)) return ts_read_eof(r);
    if (abstract_heap(*r->at)) {
        *out = *r->at++;
        return TS_OK;
    }
    int64_t i = 0;
    TS_TRY(ts_read_s33(r, &i));
    if (i < 0) return ts_reader_fail(r, "malformed heap type");
    if (i >= limit) return TS_BAD(c->s, off, r->section, "unknown type %u: type index out of bounds", (uint32_t)i);
    if (i < c->types->len && c->types->data[i].module)
        return TS_BAD(c->s, off, r->section, "core type index %u is a module type", (uint32_t)i);
    *out = TS_HT_CONCRETE + (uint32_t)i;
    return TS_OK;
}
static ts_status read_valtype(core_scope *c, ts_reader *r, uint32_t limit, bool storage, ts_valtype *out) {
    uint8_t b = 0;
    uint32_t heap = 0;
    TS_TRY(ts_read_u8(r, &b));
    if (b >= TS_VT_V128 && b <= TS_VT_I32)
        *out = b;
    else if (storage && (b == TS_VT_I8 || b == TS_VT_I16))
        *out = b;
    else if (abstract_heap(b))
        *out = ts_vt_ref(true, b);
    else if (b == TS_VT_REF || b == TS_VT_REFNULL) {
        TS_TRY(read_heap(c, r, limit, &heap));
        *out = ts_vt_ref(b == TS_VT_REFNULL, heap);
    } else
        return ts_read_leading(r, b, "core value type");
    return TS_OK;
}
ts_status ts_read_core_valtype(ts_reader *r, ts_valtype *out) {
    uint8_t b = 0;
    TS_TRY(ts_read_u8(r, &b));
    *out = b;
    if (b >= TS_VT_V128 && b <= TS_VT_I32) return TS_OK;
    if (!abstract_heap(b)) return ts_read_leading(r, b, "core value type");
    *out = ts_vt_ref(true, b);
    return TS_OK;
}

static ts_status read_field(core_scope *c, ts_reader *r, uint32_t limit, ts_field *f) {
    uint8_t mut = 0;
    TS_TRY(read_valtype(c, r, limit, true, &f->type));
    TS_TRY(ts_read_u8(r, &mut));
    if (mut > 1) return ts_reader_fail(r, "malformed mutability");
    f->mut = mut;
    return TS_OK;
}

static ts_status read_comp(core_scope *c, ts_reader *r, uint32_t limit, uint8_t b, ts_rec_member *m) {
    ts_dec *d = c->s->d;
    switch (b) {
    case TS_COMP_FUNC:
        m->kind = TS_COMP_FUNC;
        for (int k = 0; k < 2; k++) {
            uint32_t n = 0;
            TS_TRY(ts_read_count(r, &n));
            ts_valtype *v = ts_dec_alloc(d, n, sizeof *v);
            if (!v) return TS_NOMEM;
            for (uint32_t i = 0; i < n; i++) TS_TRY(read_valtype(c, r, limit, false, &v[i]));
            if (k)
                m->n_results = n, m->results = v;
            else
                m->n_params = n, m->params = v;
        }
        return TS_OK;
    case TS_COMP_STRUCT:
        m->kind = TS_COMP_STRUCT;
        TS_TRY(ts_read_count(r, &m->n_fields));
        break;
    case TS_COMP_ARRAY:
        m->kind = TS_COMP_ARRAY;
        m->n_fields = 1;
        break;
    default: return ts_read_leading(r, b, "core composite type");
    }
    if (!(m->fields = ts_dec_alloc(d, m->n_fields, sizeof *m->fields))) return TS_NOMEM;
    for (uint32_t i = 0; i < m->n_fields; i++) TS_TRY(read_field(c, r, limit, &m->fields[i]));
    return TS_OK;
}

static ts_status read_sub(core_scope *c, ts_reader *r, uint32_t limit, uint8_t b, ts_rec_member *m) {
    m->final = true;
    if (b == 0x50 || b == 0x4f) { /* sub, sub final */
        uint32_t n = 0;
        uint64_t off = ts_reader_offset(r);
        m->final = b == 0x4f;
        TS_TRY(ts_read_count(r, &n));
        if (n > 1) return TS_BAD(c->s, off, r->section, "multiple supertypes");
        m->has_super = n;
        if (n) {
            TS_TRY(ts_read_u32(r, &m->super));
            if (m->super >= limit)
                return TS_BAD(c->s, off, r->section, "unknown type %u: type index out of bounds", m->super);
            if (m->super < c->types->len && c->types->data[m->super].module)
                return TS_BAD(c->s, off, r->section, "core type index %u is a module type", m->super);
        }
        TS_TRY(ts_read_u8(r, &b));
    }
    return read_comp(c, r, limit, b, m);
}

/* spec: valid/types#sub-types: the supertype is open, and our type matches its type */
static ts_status check_super(ts_scope *s, uint64_t off, const char *sec, uint32_t id) {
    const ts_type_registry *t = s->d->types;
    const ts_deftype *d = ts_types_get(t, id);
    if (!d->has_super) return TS_OK;
    const ts_deftype *p = ts_types_get(t, d->super);
    bool ok = !p->final && p->kind == d->kind && p->n_params == d->n_params && p->n_results == d->n_results &&
              p->n_fields <= d->n_fields;
    for (uint32_t i = 0; ok && i < p->n_params; i++) ok = ts_match_val(t, p->params[i], d->params[i]);
    for (uint32_t i = 0; ok && i < p->n_results; i++) ok = ts_match_val(t, d->results[i], p->results[i]);
    for (uint32_t i = 0; ok && i < p->n_fields; i++) {
        const ts_field *a = &d->fields[i], *b = &p->fields[i];
        bool packed = a->type == TS_VT_I8 || a->type == TS_VT_I16 || b->type == TS_VT_I8 || b->type == TS_VT_I16;
        ok = a->mut == b->mut &&
             (packed ? a->type == b->type
                     : ts_match_val(t, a->type, b->type) && (!a->mut || ts_match_val(t, b->type, a->type)));
    }
    return ok ? TS_OK : TS_BAD(s, off, sec, "sub type must match super type");
}

/* Reads a rectype whose first byte is b into the type space of c. */
static ts_status read_rec(core_scope *c, ts_reader *r, uint8_t b, uint64_t off) {
    ts_dec *d = c->s->d;
    uint32_t n = 1, before = c->types->len;
    bool group = b == 0x4e;
    if (group) TS_TRY(ts_read_count(r, &n));
    ts_rec_member *m = ts_dec_alloc(d, n, sizeof *m);
    uint32_t *ids = ts_dec_alloc(d, n, sizeof *ids);
    if (!m || !ids) return TS_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        if (group) TS_TRY(ts_read_u8(r, &b));
        TS_TRY(read_sub(c, r, before + n, b, &m[i]));
        if (m[i].has_super && m[i].super >= before + i)
            return TS_BAD(c->s, off, r->section, "unknown type %u: supertypes are declared before", m[i].super);
    }
    TS_TRY(ts_types_intern(d->types, m, n, c->ids->data, before, ids, d->err));
    for (uint32_t i = 0; i < n; i++) {
        TS_TRY(check_super(c->s, off, r->section, ids[i]));
        if (!push_type(c, (ts_core_type_entry){NULL, ids[i]})) return ts_fail_nomem(d->err);
    }
    return TS_OK;
}

/* spec: binary/types#limits, valid/types#limits */
static ts_status read_limits(core_scope *c, ts_reader *r, bool memory, ts_limits *l) {
    uint8_t flags = 0;
    uint64_t off = ts_reader_offset(r);
    memset(l, 0, sizeof *l);
    TS_TRY(ts_read_u8(r, &flags));
    if (flags > 7) return ts_reader_fail(r, "malformed limits flags");
    l->has_max = flags & 1;
    l->shared = flags & 2;
    l->is64 = flags & 4;
    l->page_log2 = memory ? 16 : 0;
    uint32_t v = 0;
    if (l->is64)
        TS_TRY(ts_read_u64(r, &l->min));
    else {
        TS_TRY(ts_read_u32(r, &v));
        l->min = v;
    }
    if (l->has_max && l->is64)
        TS_TRY(ts_read_u64(r, &l->max));
    else if (l->has_max) {
        TS_TRY(ts_read_u32(r, &v));
        l->max = v;
    }
    if (l->shared && !(ts_engine_features(c->s->d->engine) & TS_F_THREADS))
        return TS_BAD(c->s, off, r->section, "threads must be enabled for shared memories");
    uint64_t range = memory ? l->is64 ? (uint64_t)1 << 48 : 65536 : l->is64 ? UINT64_MAX : UINT32_MAX;
    if (l->min > range || (l->has_max && l->max > range))
        return TS_BAD(c->s, off, r->section, "%s size must be at most %llu", memory ? "memory" : "table",
                      (unsigned long long)range);
    if (l->has_max && l->min > l->max)
        return TS_BAD(c->s, off, r->section, "size minimum must not be greater than maximum");
    if (l->shared && !l->has_max) return TS_BAD(c->s, off, r->section, "shared memory must have maximum size");
    return TS_OK;
}

/* Replaces the index of a concrete heap type by its canonical id. */
static ts_valtype canonical(core_scope *c, ts_valtype v) {
    if (!ts_vt_is_ref(v) || !ts_ht_is_concrete(ts_vt_heap(v))) return v;
    return ts_vt_ref(ts_vt_kind(v) == TS_VT_REFNULL,
                     TS_HT_CONCRETE + c->types->data[ts_vt_heap(v) - TS_HT_CONCRETE].id);
}

static ts_status read_func_index(core_scope *c, ts_reader *r, uint32_t *id) {
    uint32_t i = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u32(r, &i));
    if (i >= c->types->len) return TS_BAD(c->s, off, r->section, "unknown type %u: type index out of bounds", i);
    *id = c->types->data[i].id;
    if (c->types->data[i].module || ts_types_get(c->s->d->types, *id)->kind != TS_COMP_FUNC)
        return TS_BAD(c->s, off, r->section, "type index %u is not a function type", i);
    return TS_OK;
}

/* core:externtype */
static ts_status read_extern(core_scope *c, ts_reader *r, ts_core_extern_type *t) {
    uint8_t b = 0, x = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &b));
    memset(t, 0, sizeof *t);
    t->kind = (ts_extern_kind)b;
    switch (b) {
    case TS_EXTERN_FUNC: return read_func_index(c, r, &t->type);
    case TS_EXTERN_TABLE:
        TS_TRY(read_valtype(c, r, c->types->len, false, &t->table.elem));
        if (!ts_vt_is_ref(t->table.elem)) return ts_reader_fail(r, "malformed reference type");
        t->table.elem = canonical(c, t->table.elem);
        return read_limits(c, r, false, &t->table.limits);
    case TS_EXTERN_MEM: return read_limits(c, r, true, &t->mem);
    case TS_EXTERN_GLOBAL:
        TS_TRY(read_valtype(c, r, c->types->len, false, &t->global.type));
        t->global.type = canonical(c, t->global.type);
        TS_TRY(ts_read_u8(r, &x));
        if (x > 1) return ts_reader_fail(r, "malformed mutability");
        t->global.mut = x;
        return TS_OK;
    case TS_EXTERN_TAG:
        TS_TRY(ts_read_u8(r, &x));
        if (x != 0) return ts_reader_fail(r, "malformed tag attribute");
        TS_TRY(read_func_index(c, r, &t->type));
        if (ts_types_get(c->s->d->types, t->type)->n_results)
            return TS_BAD(c->s, off, r->section, "invalid exception type: non-empty tag result type");
        return TS_OK;
    default: return ts_read_leading(r, b, "external kind");
    }
}

typedef struct module_decls {
    TS_VEC(ts_core_import_type) imports;
    TS_VEC(ts_core_export_type) exports;
    entries types;
    type_ids ids;
} module_decls;

static ts_status read_module_decl(ts_scope *s, ts_reader *r, module_decls *m) {
    core_scope c = {s, &m->types, &m->ids};
    ts_dec *d = s->d;
    uint8_t b = 0, x = 0;
    uint64_t off = ts_reader_offset(r);
    const char *name;
    TS_TRY(ts_read_u8(r, &b));
    switch (b) {
    case 0: {
        ts_core_import_type t;
        TS_TRY(ts_read_item_name(r, &name, &t.module_len));
        if (!(t.module = ts_dec_name(d, name, t.module_len))) return TS_NOMEM;
        TS_TRY(ts_read_item_name(r, &name, &t.name_len));
        if (!(t.name = ts_dec_name(d, name, t.name_len))) return TS_NOMEM;
        TS_TRY(read_extern(&c, r, &t.type));
        return ts_vec_push(&m->imports, t) ? TS_OK : ts_fail_nomem(d->err);
    }
    case 1:
        TS_TRY(ts_read_u8(r, &b));
        if (b == 0x50)
            return TS_BAD(s, off, r->section,
                          "invalid leading byte (0x50): a module type cannot be defined within a module type");
        if (b == 0) {
            TS_TRY(ts_read_u8(r, &b));
            if (b != 0x50) return ts_read_leading(r, b, "core type");
        }
        return read_rec(&c, r, b, off);
    case 2: {
        uint32_t count = 0, i = 0;
        TS_TRY(ts_read_u8(r, &x));
        if (x != 0x10) return ts_read_leading(r, x, "outer alias kind");
        TS_TRY(ts_read_u8(r, &x));
        if (x != 0x01) return ts_read_leading(r, x, "outer alias target");
        TS_TRY(ts_read_u32(r, &count));
        TS_TRY(ts_read_u32(r, &i));
        /* the module type itself is scope 0 */
        if (count > s->depth + 1) return TS_BAD(s, off, r->section, "invalid outer alias count of %u", count);
        ts_core_type_entry e;
        if (count == 0) {
            if (i >= m->types.len) return TS_BAD(s, off, r->section, "unknown type %u: type index out of bounds", i);
            e = m->types.data[i];
        } else {
            ts_scope *o = s;
            for (uint32_t k = 1; k < count; k++) o = o->parent;
            if (i >= o->core_types.len)
                return TS_BAD(s, off, r->section, "unknown type %u: type index out of bounds", i);
            e = o->core_types.data[i];
        }
        if (e.module) return TS_BAD(s, off, r->section, "a module type cannot be aliased within a module type");
        return push_type(&c, e) ? TS_OK : ts_fail_nomem(d->err);
    }
    case 3: {
        ts_core_export_type t;
        TS_TRY(ts_read_item_name(r, &name, &t.name_len));
        if (!(t.name = ts_dec_name(d, name, t.name_len))) return TS_NOMEM;
        TS_TRY(read_extern(&c, r, &t.type));
        return ts_vec_push(&m->exports, t) ? TS_OK : ts_fail_nomem(d->err);
    }
    default: return ts_read_leading(r, b, "type definition");
    }
}

static ts_status read_module_type(ts_scope *s, ts_reader *r, uint64_t off) {
    uint32_t n = 0;
    ts_dec *d = s->d;
    TS_TRY(ts_read_count_max(r, TS_COMP_MAX_MODULE_DECLS, "the number of declarations", &n));
    module_decls m = {0};
    ts_status st = TS_OK;
    for (uint32_t i = 0; st == TS_OK && i < n; i++) st = read_module_decl(s, r, &m);
    ts_core_module_type *t = NULL;
    ts_core_import_type *imports = NULL;
    ts_core_export_type *exports = NULL;
    if (st == TS_OK) {
        t = ts_dec_alloc(d, 1, sizeof *t);
        imports = ts_dec_alloc(d, m.imports.len, sizeof *imports);
        exports = ts_dec_alloc(d, m.exports.len, sizeof *exports);
        if (!t || !imports || !exports) st = TS_NOMEM;
    }
    if (st == TS_OK) {
        if (m.imports.len) memcpy(imports, m.imports.data, m.imports.len * sizeof *imports);
        if (m.exports.len) memcpy(exports, m.exports.data, m.exports.len * sizeof *exports);
        *t = (ts_core_module_type){
            .n_imports = m.imports.len, .n_exports = m.exports.len, .imports = imports, .exports = exports};
        st = ts_core_module_type_check(s, off, r->section, t);
    }
    if (st == TS_OK) st = ts_scope_push_core_type(s, (ts_core_type_entry){t, 0});
    ts_vec_free(&m.imports);
    ts_vec_free(&m.exports);
    ts_vec_free(&m.types);
    ts_vec_free(&m.ids);
    return st;
}

/* core:deftype: 0x50 is a module type here, and 0x00 0x50 an open sub type */
ts_status ts_read_core_type(ts_scope *s, ts_reader *r) {
    uint8_t b = 0;
    uint64_t off = ts_reader_offset(r);
    TS_TRY(ts_read_u8(r, &b));
    if (b == 0x50) return read_module_type(s, r, off);
    if (b == 0) {
        TS_TRY(ts_read_u8(r, &b));
        if (b != 0x50) return ts_read_leading(r, b, "core type");
    }
    entries types = {s->core_types.data, s->core_types.len, s->core_types.cap};
    type_ids ids = {s->core_type_ids.data, s->core_type_ids.len, s->core_type_ids.cap};
    core_scope c = {s, &types, &ids};
    ts_status st = read_rec(&c, r, b, off);
    s->core_types.data = types.data;
    s->core_types.len = types.len;
    s->core_types.cap = types.cap;
    s->core_type_ids.data = ids.data;
    s->core_type_ids.len = ids.len;
    s->core_type_ids.cap = ids.cap;
    return st;
}

ts_status ts_scope_push_core_type(ts_scope *s, ts_core_type_entry e) {
    TS_TRY(TS_PUSH(s, core_types, e));
    return TS_PUSH(s, core_type_ids, e.id);
}
