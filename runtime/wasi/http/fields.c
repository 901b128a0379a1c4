/* http/fields: wasi:http/types: fields, and the conversion of error-code values.
 * In: names and values from the guest, fields of messages. Out: the same, checked.
 * wit: wasi:http/types (fields, error-code)
 *
 * The fields of one connection (ts_http_is_connection_field) are forbidden: the WIT text names none, and the
 * host writes these itself. Incoming messages are shown without them, so that a clone of any fields equals
 * the result of from-list for its entries, as the text requires. Too many fields trap, because header-error
 * has no case for this. */
#include "wasi/http/http.h"
#include "base/utf8.h"
#include <stdlib.h>
#include <string.h>

typedef struct fields {
    ts_wasi_obj obj;
    const ts_http_fields *of; /* the parent's fields, which are immutable; NULL: its own */
    ts_http_fields own;
} fields;

/* --- memory of the host that the guest uses --- */
ts_status ts_wasi_http_part(ts_wasi *w, ts_error *e) {
    if (!w->http && !(w->http = calloc(1, sizeof *w->http))) return ts_fail_nomem(e);
    w->http_end = ts_wasi_http_free;
    return TS_OK;
}
ts_status ts_wasi_http_charge(ts_host_call *c, uint64_t bytes) {
    ts_wasi *w = ts_wasi_of(c);
    TS_TRY(ts_wasi_http_part(w, c->err));
    if (bytes > TS_WASI_HTTP_BYTES_MAX - w->http->bytes)
        return ts_host_trap(c, "the guest's HTTP messages take %llu bytes of the host: no more are allowed",
                            (unsigned long long)w->http->bytes);
    w->http->bytes += bytes;
    return TS_OK;
}
void ts_wasi_http_release(ts_wasi *w, uint64_t bytes) {
    if (bytes) w->http->bytes -= bytes;
}

static uint64_t weight(size_t name_len, size_t value_len) {
    return (uint64_t)name_len + value_len + 32;
}
/* Adds a field and charges it. */
static ts_status add(ts_host_call *c, ts_http_fields *f, const char *name, size_t name_len, const void *value,
                     size_t value_len) {
    uint64_t n = weight(name_len, value_len);
    uint64_t most = ts_wasi_of(c)->grants->max_fields;
    if (n - 32 > TS_WASI_HTTP_FIELD_MAX || f->bytes + n > most)
        return ts_host_limit(c, TS_LIMIT_HTTP_FIELDS,
                             "fields of %llu bytes: %llu are allowed, of which a single one may take %d",
                             (unsigned long long)(f->bytes + n), (unsigned long long)most, TS_WASI_HTTP_FIELD_MAX);
    TS_TRY(ts_wasi_http_charge(c, n));
    if (ts_http_fields_add(f, name, name_len, value, value_len)) return TS_OK;
    ts_wasi_http_release(ts_wasi_of(c), n);
    return ts_fail_nomem(c->err);
}
static void remove_at(ts_wasi *w, ts_http_fields *f, uint32_t i) {
    uint64_t before = f->bytes;
    ts_http_fields_remove(f, i);
    ts_wasi_http_release(w, before - f->bytes);
}

void ts_wasi_fields_end(ts_wasi *w, ts_http_fields *f) {
    ts_wasi_http_release(w, f->bytes);
    ts_http_fields_clear(f);
}
static ts_status copy(ts_host_call *c, const ts_http_fields *from, ts_http_fields *to) {
    TS_TRY(ts_wasi_http_charge(c, from->bytes));
    if (ts_http_fields_copy(to, from)) return TS_OK;
    ts_wasi_http_release(ts_wasi_of(c), from->bytes);
    return ts_fail_nomem(c->err);
}
void ts_wasi_trailers_strip(ts_http_fields *f) {
    for (uint32_t i = f->len; i-- > 0;)
        if (ts_http_is_forbidden_trailer(f->data[i].name, f->data[i].name_len)) ts_http_fields_remove(f, i);
}
bool ts_wasi_http_fields_fit(const ts_wasi *w, const ts_http_fields *f) {
    return f->bytes <= w->grants->max_fields;
}
bool ts_wasi_http_fields_refused(const ts_wasi *w, const ts_http_fields *f, ts_http_code code, ts_http_error *e) {
    if (ts_wasi_http_fields_fit(w, f)) return false;
    *e = ts_http_error_of(code);
    e->has_number = true;
    e->number = f->bytes;
    return true;
}
ts_status ts_wasi_fields_receive(ts_host_call *c, const ts_http_fields *from, ts_http_fields *to) {
    ts_http_fields got = {0};
    bool ok = true;
    for (uint32_t i = 0; from && ok && i < from->len; i++) {
        const ts_http_field *x = &from->data[i];
        ok = ts_http_is_connection_field(x->name, x->name_len) ||
             ts_http_fields_add(&got, x->name, x->name_len, x->value, x->value_len);
    }
    ts_status s = ok ? ts_wasi_http_charge(c, got.bytes) : ts_fail_nomem(c->err);
    if (s != TS_OK)
        ts_http_fields_clear(&got);
    else
        *to = got;
    return s;
}

/* --- handles --- */
static void fields_end(ts_wasi *w, ts_wasi_obj *o) {
    ts_wasi_fields_end(w, &((fields *)o)->own);
}
static ts_status fields_new(ts_host_call *c, ts_wasi_obj *parent, fields **out) {
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_FIELDS, sizeof **out, parent, out));
    (*out)->obj.end = fields_end;
    return TS_OK;
}
static const ts_http_fields *fields_of(ts_host_call *c, const ts_val *handle) {
    const fields *f = ts_wasi_obj_of(c, handle);
    return f->of ? f->of : &f->own;
}
ts_status ts_wasi_fields_child(ts_host_call *c, const ts_http_fields *of, ts_wasi_obj *parent, ts_val *result) {
    fields *f;
    TS_TRY(fields_new(c, parent, &f));
    f->of = of;
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return TS_OK;
}
ts_status ts_wasi_fields_take(ts_host_call *c, const ts_val *handle, ts_http_fields *out) {
    fields *f = ts_wasi_obj_of(c, handle);
    *out = (ts_http_fields){0};
    if (f->of) {
        TS_TRY(copy(c, f->of, out));
    } else {
        *out = f->own;
        f->own = (ts_http_fields){0};
    }
    return ts_wasi_drop(c, handle->handle.rep, "a fields");
}

static ts_status bad(ts_host_call *c, ts_val *result, uint32_t header_error) {
    return ts_wasi_err_enum(c, result, header_error);
}
enum { FINE = -1 };
static int name_error(const ts_val *name) {
    if (!ts_http_is_token(name->str.ptr, name->str.len)) return TS_WASI_HTTP_HEADER_ERROR_INVALID_SYNTAX;
    return FINE;
}
/* Checks a name and n values before they are set. Syntax errors take precedence. */
static int set_error(const ts_val *name, const ts_val *values, size_t n) {
    if (name_error(name) != FINE) return name_error(name);
    for (size_t i = 0; i < n; i++)
        if (!ts_http_is_field_value(values[i].raw.ptr, values[i].raw.len))
            return TS_WASI_HTTP_HEADER_ERROR_INVALID_SYNTAX;
    if (ts_http_is_connection_field(name->str.ptr, name->str.len)) return TS_WASI_HTTP_HEADER_ERROR_FORBIDDEN;
    return FINE;
}
static bool named(const ts_http_field *f, const ts_val *name) {
    return ts_http_name_is(f->name, f->name_len, name->str.ptr, name->str.len);
}
static void remove_all(ts_wasi *w, ts_http_fields *f, const ts_val *name) {
    for (uint32_t i = f->len; i-- > 0;)
        if (named(&f->data[i], name)) remove_at(w, f, i);
}

ts_status ts_wasi_http_types_fields_new(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    fields *f;
    TS_TRY(fields_new(c, NULL, &f));
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return TS_OK;
}

ts_status ts_wasi_http_types_fields_from_list(ts_host_call *c, const ts_val *args, ts_val *result) {
    fields *f;
    ts_val *v;
    for (size_t i = 0; i < args[0].list.len; i++) {
        const ts_val *pair = args[0].list.ptr[i].list.ptr;
        int e = set_error(&pair[0], &pair[1], 1);
        if (e != FINE) return bad(c, result, (uint32_t)e);
    }
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(fields_new(c, NULL, &f));
    for (size_t i = 0; i < args[0].list.len; i++) {
        const ts_val *pair = args[0].list.ptr[i].list.ptr;
        TS_TRY(add(c, &f->own, pair[0].str.ptr, pair[0].str.len, pair[1].raw.ptr, pair[1].raw.len));
    }
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return TS_OK;
}

/* The result points into the fields; it is copied to the guest before anything changes them. */
ts_status ts_wasi_http_types_fields_get(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_http_fields *f = fields_of(c, &args[0]);
    size_t n = 0;
    for (uint32_t i = 0; i < f->len; i++) n += named(&f->data[i], &args[1]);
    ts_val *v = ts_host_vals(c, n);
    if (n && !v) return ts_fail_nomem(c->err);
    *result = (ts_val){.list = {v, n}};
    for (uint32_t i = 0; i < f->len; i++)
        if (named(&f->data[i], &args[1])) *v++ = (ts_val){.raw = {f->data[i].value, f->data[i].value_len}};
    return TS_OK;
}
ts_status ts_wasi_http_types_fields_has(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_http_fields *f = fields_of(c, &args[0]);
    bool has = false;
    for (uint32_t i = 0; i < f->len && !has; i++) has = named(&f->data[i], &args[1]);
    *result = (ts_val){.b = has};
    return TS_OK;
}
ts_status ts_wasi_http_types_fields_set(ts_host_call *c, const ts_val *args, ts_val *result) {
    fields *f = ts_wasi_obj_of(c, &args[0]);
    if (f->of) return bad(c, result, TS_WASI_HTTP_HEADER_ERROR_IMMUTABLE);
    int e = set_error(&args[1], args[2].list.ptr, args[2].list.len);
    if (e != FINE) return bad(c, result, (uint32_t)e);
    remove_all(ts_wasi_of(c), &f->own, &args[1]);
    for (size_t i = 0; i < args[2].list.len; i++)
        TS_TRY(add(c, &f->own, args[1].str.ptr, args[1].str.len, args[2].list.ptr[i].raw.ptr,
                   args[2].list.ptr[i].raw.len));
    return ts_wasi_ok(result);
}
/* The WIT text names two errors for delete; a forbidden name is simply absent. */
ts_status ts_wasi_http_types_fields_delete(ts_host_call *c, const ts_val *args, ts_val *result) {
    fields *f = ts_wasi_obj_of(c, &args[0]);
    if (f->of) return bad(c, result, TS_WASI_HTTP_HEADER_ERROR_IMMUTABLE);
    int e = name_error(&args[1]);
    if (e != FINE) return bad(c, result, (uint32_t)e);
    remove_all(ts_wasi_of(c), &f->own, &args[1]);
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_fields_append(ts_host_call *c, const ts_val *args, ts_val *result) {
    fields *f = ts_wasi_obj_of(c, &args[0]);
    if (f->of) return bad(c, result, TS_WASI_HTTP_HEADER_ERROR_IMMUTABLE);
    int e = set_error(&args[1], &args[2], 1);
    if (e != FINE) return bad(c, result, (uint32_t)e);
    TS_TRY(add(c, &f->own, args[1].str.ptr, args[1].str.len, args[2].raw.ptr, args[2].raw.len));
    return ts_wasi_ok(result);
}
ts_status ts_wasi_http_types_fields_entries(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_http_fields *f = fields_of(c, &args[0]);
    ts_val *v = ts_host_vals(c, (size_t)f->len * 3);
    if (f->len && !v) return ts_fail_nomem(c->err);
    for (uint32_t i = 0; i < f->len; i++) {
        ts_val *pair = &v[f->len + 2 * (size_t)i];
        pair[0] = (ts_val){.str = {f->data[i].name, f->data[i].name_len}};
        pair[1] = (ts_val){.raw = {f->data[i].value, f->data[i].value_len}};
        v[i] = (ts_val){.list = {pair, 2}};
    }
    *result = (ts_val){.list = {v, f->len}};
    return TS_OK;
}
ts_status ts_wasi_http_types_fields_clone(ts_host_call *c, const ts_val *args, ts_val *result) {
    fields *f;
    TS_TRY(fields_new(c, NULL, &f));
    TS_TRY(copy(c, fields_of(c, &args[0]), &f->own));
    *result = (ts_val){.handle = {.rep = ts_wasi_rep(f)}};
    return TS_OK;
}
ts_status ts_wasi_http_types_fields_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a fields");
}

/* --- error-code ---
 * The payloads of its cases: */
typedef enum payload {
    NOTHING,
    DNS,         /* record: option<string>, option<u16> */
    ALERT,       /* record: option<u8>, option<string> */
    BYTES64,     /* option<u64> */
    BYTES32,     /* option<u32> */
    FIELD,       /* record: option<string>, option<u32> */
    MAYBE_FIELD, /* option of that */
    TEXT,        /* option<string> */
} payload;
static payload payload_of(ts_http_code code) {
    switch (code) {
    case TS_HTTP_DNS_ERROR: return DNS;
    case TS_HTTP_TLS_ALERT_RECEIVED: return ALERT;
    case TS_HTTP_REQUEST_BODY_SIZE:
    case TS_HTTP_RESPONSE_BODY_SIZE: return BYTES64;
    case TS_HTTP_REQUEST_HEADER_SECTION_SIZE:
    case TS_HTTP_REQUEST_TRAILER_SECTION_SIZE:
    case TS_HTTP_RESPONSE_HEADER_SECTION_SIZE:
    case TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE: return BYTES32;
    case TS_HTTP_REQUEST_HEADER_SIZE: return MAYBE_FIELD;
    case TS_HTTP_REQUEST_TRAILER_SIZE:
    case TS_HTTP_RESPONSE_HEADER_SIZE:
    case TS_HTTP_RESPONSE_TRAILER_SIZE: return FIELD;
    case TS_HTTP_RESPONSE_TRANSFER_CODING:
    case TS_HTTP_RESPONSE_CONTENT_CODING:
    case TS_HTTP_INTERNAL_ERROR: return TEXT;
    default: return NOTHING;
    }
}
_Static_assert((int)TS_HTTP_CODE_COUNT == (int)TS_WASI_HTTP_ERROR_CODE_COUNT_, "ts_http_code is error-code");

static ts_val some(const ts_val *v) {
    return (ts_val){.variant = {.disc = 1, .payload = v}};
}
/* Clamps a number to the largest value of its type. */
static uint64_t most(uint64_t n, uint64_t max) {
    return n < max ? n : max;
}
ts_status ts_wasi_http_code_val(ts_host_call *c, const ts_http_error *e, ts_val *out) {
    ts_val *v = ts_host_vals(c, 6), *text = v, *number = v + 1, *pair = v + 2, *whole = v + 4;
    if (!v) return ts_fail_nomem(c->err);
    char *copy_of = e->has_text ? ts_arena_strndup(c->arena, e->text, strnlen(e->text, sizeof e->text)) : NULL;
    if (e->has_text && !copy_of) return ts_fail_nomem(c->err);
    bool has_text = e->has_text && ts_utf8_valid(copy_of, strlen(copy_of));
    if (has_text) *text = (ts_val){.str = {copy_of, strlen(copy_of)}};
    ts_val t = has_text ? some(text) : ts_wasi_none, n = e->has_number ? some(number) : ts_wasi_none;
    *out = (ts_val){.variant = {.disc = (uint32_t)e->code}};
    payload how = payload_of(e->code);
    switch (how) {
    case NOTHING: return TS_OK;
    case BYTES64: number->u64 = e->number; break;
    case DNS: number->u16 = (uint16_t)most(e->number, UINT16_MAX); break;
    case ALERT: number->u8 = (uint8_t)most(e->number, UINT8_MAX); break;
    default: number->u32 = (uint32_t)most(e->number, UINT32_MAX);
    }
    switch (how) {
    case DNS:
    case FIELD:
    case MAYBE_FIELD: pair[0] = t, pair[1] = n; break;
    case ALERT: pair[0] = n, pair[1] = t; break;
    default: break;
    }
    if (how == TEXT)
        *whole = t;
    else if (how == BYTES64 || how == BYTES32)
        *whole = n;
    else
        *whole = (ts_val){.list = {pair, 2}};
    out->variant.payload = whole;
    if (how == MAYBE_FIELD) {
        v[5] = e->has_text || e->has_number ? some(whole) : ts_wasi_none;
        out->variant.payload = &v[5];
    }
    return TS_OK;
}

static void text_of(const ts_val *option, ts_http_error *e) {
    if (!option->variant.disc) return;
    char buf[sizeof e->text + 1];
    size_t n = option->variant.payload->str.len;
    n = n < sizeof buf - 1 ? n : sizeof buf - 1;
    memcpy(buf, option->variant.payload->str.ptr, n);
    buf[n] = 0;
    ts_http_error t = ts_http_error_text(e->code, buf);
    memcpy(e->text, t.text, sizeof e->text);
    e->has_text = true;
}
ts_http_error ts_wasi_http_code_of(const ts_val *v) {
    ts_http_error e = ts_http_error_of((ts_http_code)v->variant.disc);
    const ts_val *p = v->variant.payload, *number = NULL;
    payload how = payload_of(e.code);
    if (how == MAYBE_FIELD) {
        if (!p->variant.disc) return e;
        p = p->variant.payload;
    }
    switch (how) {
    case NOTHING: return e;
    case TEXT: text_of(p, &e); return e;
    case BYTES64:
    case BYTES32: number = p; break;
    case ALERT:
        number = &p->list.ptr[0];
        text_of(&p->list.ptr[1], &e);
        break;
    default: text_of(&p->list.ptr[0], &e); number = &p->list.ptr[1];
    }
    if (number->variant.disc) {
        const ts_val *n = number->variant.payload;
        e.has_number = true;
        e.number = how == BYTES64 ? n->u64 : how == DNS ? n->u16 : how == ALERT ? n->u8 : n->u32;
    }
    return e;
}
ts_status ts_wasi_http_fail(ts_host_call *c, ts_val *result, const ts_http_error *e) {
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *result = (ts_val){.variant = {.disc = 1, .payload = v}};
    return ts_wasi_http_code_val(c, e, v);
}

ts_status ts_wasi_http_types_http_error_code(ts_host_call *c, const ts_val *args, ts_val *result) {
    const ts_wasi_error *e = ts_wasi_obj_of(c, &args[0]);
    *result = ts_wasi_none;
    if (e->domain != TS_WASI_OF_HTTP) return TS_OK;
    ts_val *v = ts_host_vals(c, 1);
    if (!v) return ts_fail_nomem(c->err);
    *result = some(v);
    return ts_wasi_http_code_val(c, &((const ts_wasi_error_of_http *)e)->http, v);
}
