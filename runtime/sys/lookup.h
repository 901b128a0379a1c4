/* sys/lookup: resolves internet names to addresses without blocking: each look-up runs on its own thread.
 * In: a name (UTF-8). Out: a look-up that completes with addresses, or with the reason why there are none.
 * Source: getaddrinfo(3); IDNA by libidn2 where it is installed (RFC 5891, UTS 46) */
#ifndef TS_SYS_LOOKUP_H
#define TS_SYS_LOOKUP_H
#include "sys/net.h"

typedef enum ts_sys_lookup_result {
    TS_SYS_LOOKUP_OK,
    TS_SYS_LOOKUP_NONE,      /* the name does not exist */
    TS_SYS_LOOKUP_BARE,      /* it has no address */
    TS_SYS_LOOKUP_TEMPORARY, /* try again later; also if too many are running */
    TS_SYS_LOOKUP_PERMANENT,
    TS_SYS_LOOKUP_INVALID, /* not a name */
    TS_SYS_LOOKUP_NO_IDNA, /* not ASCII, and libidn2 is not installed */
    TS_SYS_LOOKUP_NOMEM,
    TS_SYS_LOOKUP_OTHER,
} ts_sys_lookup_result;

typedef struct ts_sys_lookups ts_sys_lookups; /* all look-ups of one run; limits their threads */
typedef struct ts_sys_lookup ts_sys_lookup;

ts_sys_lookups *ts_sys_lookups_new(uint32_t most); /* NULL when out of memory */
void ts_sys_lookups_free(ts_sys_lookups *all);     /* running look-ups finish by themselves; NULL is legal */

/* Loads the libraries that look-ups would load later (libidn2, the modules of nsswitch.conf(5)), so that they
 * still work when the process can load none. They stay loaded. */
void ts_sys_lookup_prepare(void);
/* Writes the name in the form that the DNS uses to out (254 bytes). Can fail with INVALID or NO_IDNA. */
ts_sys_lookup_result ts_sys_name_check(const char *name, size_t len, char out[254]);
/* Parses a host that a guest names like the host parser of the URL Standard (3.5), as wasmtime and jco do.
 * The result is a name in the form that the DNS uses, which need not exist, or an address in its usual text.
 * `[::1]` and `127.1` are addresses. Can fail with INVALID or NO_IDNA. */
ts_sys_lookup_result ts_sys_host_parse(const char *name, size_t len, char out[254]);
/* Starts a look-up; the caller frees *out. The text of an address completes at once. */
ts_sys_lookup_result ts_sys_lookup_start(ts_sys_lookups *all, const char *ascii_name, ts_sys_lookup **out);
int ts_sys_lookup_fd(const ts_sys_lookup *l); /* readable when it is done */
bool ts_sys_lookup_done(ts_sys_lookup *l, ts_sys_lookup_result *how, const ts_sys_addr **addrs, size_t *n);
void ts_sys_lookup_free(ts_sys_lookup *l);
#endif
