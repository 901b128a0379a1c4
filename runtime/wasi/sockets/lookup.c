/* sockets/lookup: wasi:sockets/ip-name-lookup.
 * In: a name. Out: a stream of its addresses, which a thread looks up. wit: wasi:sockets/ip-name-lookup */
#include "wasi/sockets/sockets.h"
#include <string.h>

typedef struct names { /* resolve-address-stream */
    ts_wasi_obj obj;
    ts_sys_lookup *lookup;
    size_t at;
    char name[254];
} names;

static int code_of(ts_sys_lookup_result r) {
    switch (r) {
    case TS_SYS_LOOKUP_OK: return TS_NET_OK;
    case TS_SYS_LOOKUP_NONE:
    case TS_SYS_LOOKUP_BARE: return TS_NET(NAME_UNRESOLVABLE);
    case TS_SYS_LOOKUP_TEMPORARY: return TS_NET(TEMPORARY_RESOLVER_FAILURE);
    case TS_SYS_LOOKUP_PERMANENT: return TS_NET(PERMANENT_RESOLVER_FAILURE);
    case TS_SYS_LOOKUP_INVALID: return TS_NET(INVALID_ARGUMENT);
    case TS_SYS_LOOKUP_NO_IDNA: return TS_NET(NOT_SUPPORTED);
    case TS_SYS_LOOKUP_NOMEM: return TS_NET(OUT_OF_MEMORY);
    case TS_SYS_LOOKUP_OTHER: break;
    }
    return TS_NET(UNKNOWN);
}

static bool names_ready(ts_wasi_obj *o, ts_sys_wait *wait) {
    names *n = (names *)o;
    ts_sys_lookup_result how;
    const ts_sys_addr *a;
    size_t count;
    if (ts_sys_lookup_done(n->lookup, &how, &a, &count)) return true;
    *wait = (ts_sys_wait){.fd = ts_sys_lookup_fd(n->lookup)};
    return false;
}
static void names_end(ts_wasi *w, ts_wasi_obj *o) {
    (void)w;
    ts_sys_lookup_free(((names *)o)->lookup);
}

ts_status ts_wasi_sockets_ip_name_lookup_resolve_addresses(ts_host_call *c, const ts_val *args, ts_val *result) {
    ts_wasi *w = ts_wasi_of(c);
    char ascii[254];
    ts_sys_addr literal;
    names *n;
    ts_val *v;
    ts_sys_lookup_result r = ts_sys_host_parse(args[1].str.ptr, args[1].str.len, ascii);
    if (r && (w->grants->names_all || w->grants->names.len)) return ts_wasi_net_fail(c, result, code_of(r));
    /* The text of an address is only parsed: this uses no resolver and needs no grant. A look-up that is not
     * granted fails as in the certified runtimes; the WIT text names no error for it. */
    if (r || (!ts_sys_addr_parse(ascii, strlen(ascii), &literal) && !ts_wasi_net_may_look_up(w, ascii))) {
        c->denied = true;
        return ts_wasi_net_fail(c, result, TS_NET(PERMANENT_RESOLVER_FAILURE));
    }
    if (!w->lookups && !(w->lookups = ts_sys_lookups_new(TS_WASI_MAX_LOOKUPS))) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    TS_TRY(ts_wasi_obj_new(c, TS_WASI_NAMES, sizeof *n, NULL, &n));
    memcpy(n->name, ascii, strlen(ascii) + 1);
    r = ts_sys_lookup_start(w->lookups, ascii, &n->lookup);
    if (r) {
        TS_TRY(ts_wasi_drop(c, ts_wasi_rep(n), "a resolve-address-stream"));
        return ts_wasi_net_fail(c, result, code_of(r));
    }
    n->obj.end = names_end;
    n->obj.ready = names_ready;
    *v = (ts_val){.handle = {.rep = ts_wasi_rep(n)}};
    return TS_OK;
}

ts_status ts_wasi_sockets_ip_name_lookup_resolve_address_stream_resolve_next_address(ts_host_call *c,
                                                                                     const ts_val *args,
                                                                                     ts_val *result) {
    names *n = ts_wasi_obj_of(c, &args[0]);
    ts_sys_lookup_result how;
    const ts_sys_addr *a;
    size_t count;
    ts_val *v;
    if (!ts_sys_lookup_done(n->lookup, &how, &a, &count)) return ts_wasi_net_fail(c, result, TS_NET(WOULD_BLOCK));
    if (how) return ts_wasi_net_fail(c, result, code_of(how));
    TS_TRY(ts_wasi_ok_val(c, result, &v));
    *v = (ts_val){.variant = {.disc = 0}};
    if (n->at == count) return TS_OK;
    ts_val *some = ts_host_vals(c, 1);
    if (!some) return ts_fail_nomem(c->err);
    TS_TRY(ts_wasi_net_learnt(ts_wasi_of(c), n->name, &a[n->at], c->err));
    TS_TRY(ts_wasi_net_ip_val(c, &a[n->at++], some));
    *v = (ts_val){.variant = {.disc = 1, .payload = some}};
    return TS_OK;
}
ts_status ts_wasi_sockets_ip_name_lookup_resolve_address_stream_subscribe(ts_host_call *c, const ts_val *args,
                                                                          ts_val *result) {
    return ts_wasi_pollable_new(c, ts_wasi_obj_of(c, &args[0]), false, 0, result);
}
ts_status ts_wasi_sockets_ip_name_lookup_resolve_address_stream_drop(ts_host_call *c, uint64_t rep) {
    return ts_wasi_drop(c, rep, "a resolve-address-stream");
}
