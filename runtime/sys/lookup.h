/* sys/lookup: names of the internet to addresses, without waiting: each look-up runs on a thread of its own.
 * In: a name (UTF-8). Out: a look-up that becomes done, its addresses or why there are none.
 * Source: getaddrinfo(3); IDNA by libidn2 where it is installed (RFC 5891, UTS 46) */
#ifndef TS_SYS_LOOKUP_H
#define TS_SYS_LOOKUP_H
#include "sys/net.h"

typedef enum ts_sys_lookup_result {
    TS_SYS_LOOKUP_OK,
    TS_SYS_LOOKUP_NONE,      /* no such name, or no address of it */
    TS_SYS_LOOKUP_TEMPORARY, /* try again later; also: too many at once */
    TS_SYS_LOOKUP_PERMANENT,
    TS_SYS_LOOKUP_INVALID, /* not a name */
    TS_SYS_LOOKUP_NO_IDNA, /* not ASCII, and nothing here converts it */
    TS_SYS_LOOKUP_NOMEM,
    TS_SYS_LOOKUP_OTHER,
} ts_sys_lookup_result;

typedef struct ts_sys_lookups ts_sys_lookups; /* those of one run: bounds how many threads they have at once */
typedef struct ts_sys_lookup ts_sys_lookup;

ts_sys_lookups *ts_sys_lookups_new(uint32_t most); /* NULL: no memory */
void ts_sys_lookups_free(ts_sys_lookups *all);     /* those under way end by themselves; NULL is legal */

/* The name in the form that the DNS takes, into out (254 bytes); INVALID, NO_IDNA. */
ts_sys_lookup_result ts_sys_name_check(const char *name, size_t len, char out[254]);
/* The host that a guest names, as the URL Standard's host parser reads it (3.5; wasmtime and jco do so too): a name in the
 * form that the DNS takes, of which the resolver may think what it will, or an address in its usual text. `[::1]` and
 * `127.1` are addresses. INVALID, NO_IDNA. */
ts_sys_lookup_result ts_sys_host_parse(const char *name, size_t len, char out[254]);
/* Start: *out is to be freed. An address in text is done at once. */
ts_sys_lookup_result ts_sys_lookup_start(ts_sys_lookups *all, const char *ascii_name, ts_sys_lookup **out);
int ts_sys_lookup_fd(const ts_sys_lookup *l); /* readable when it is done */
bool ts_sys_lookup_done(ts_sys_lookup *l, ts_sys_lookup_result *how, const ts_sys_addr **addrs, size_t *n);
void ts_sys_lookup_free(ts_sys_lookup *l);
#endif
