/* grants: what the guests of a run are granted, as a value that is built once and constant from then on.
 * In: calls of touchstone.h (ts_wasi_dir, ts_wasi_allow …). Out: a value that any number of contexts share, on any threads.
 * Host files, names and certificates are opened, looked up and read while it is built: nothing is evaluated again later.
 * Source: wasi:cli, wasi:filesystem/preopens, wasi:sockets, wasi:http, as far as they leave it to the host */
#ifndef TS_WASI_GRANTS_H
#define TS_WASI_GRANTS_H
#include "base/error.h"
#include "base/vec.h"
#include "sys/fs.h"
#include "sys/net.h"

enum { TS_WASI_HTTP_FIELDS_MAX = 128 << 10 }; /* bytes of a section: and 32 for each field, as RFC 9113 counts */

typedef struct ts_wasi_preopen {
    int fd;
    char *host, *guest; /* host: as it was given, to show it */
    bool read_only;
} ts_wasi_preopen;

typedef struct ts_wasi_env_var {
    char *name, *value;
} ts_wasi_env_var;

typedef struct ts_wasi_prefix { /* the addresses whose first bits are these */
    ts_sys_addr addr;
    uint32_t bits;
} ts_wasi_prefix;

/* A part of the network that is granted. */
typedef struct ts_wasi_net_rule {
    ts_wasi_net_use use;
    bool any; /* every address */
    ts_wasi_prefix at;
    uint16_t port_from, port_to;
    char *name; /* a rule by name: further addresses come with the guest's look-ups of it */
} ts_wasi_net_rule;
typedef TS_VEC(ts_wasi_net_rule) ts_wasi_net_rules;

typedef struct ts_wasi_http_rule { /* a destination that is granted */
    char *host;                    /* without brackets; NULL: every one */
    bool below;                    /* host is ".example.org": the names below it */
    uint16_t port;                 /* 0: every one */
} ts_wasi_http_rule;

typedef struct ts_wasi_file_text { /* a file's contents as they were when it was granted */
    char *path;                    /* as it was given */
    int fd;                        /* a copy in memory; -1: there is none */
    char at[32];                   /* where the process finds the copy: "/proc/self/fd/7" */
} ts_wasi_file_text;

struct ts_wasi_grants {
    uint32_t refs; /* contexts and callers; atomic */
    bool constant; /* it is shared: nothing is granted any more */
    TS_VEC(char *) args;
    TS_VEC(ts_wasi_env_var) env;
    TS_VEC(ts_wasi_preopen) preopens;
    ts_wasi_net_rules net_rules;
    TS_VEC(char *) names; /* that may be looked up */
    bool net_all, names_all, no_tcp, no_udp;
    TS_VEC(ts_wasi_http_rule) http_rules;
    TS_VEC(ts_wasi_prefix) http_prohibited;
    bool http_all;
    bool http_global_only; /* prohibited is also what is not globally reachable */
    ts_wasi_file_text ca;
    char *cwd; /* NULL: none */
    int stdio[3];
    uint64_t max_objects;
    uint64_t max_random, max_fields; /* bytes: random ones of a call; HTTP fields of a message */
    uint64_t max_disk;               /* bytes that files may grow by; UINT64_MAX: not counted */
    uint64_t max_files;              /* of the host, opened for the guest */
    bool clock_own;                  /* the guest's clock is not the host's */
    ts_sys_time clock_start;
    bool seeded; /* randomness is of `seed` */
    uint64_t seed;
};

ts_status ts_wasi_grants_new(ts_wasi_grants **out, ts_error *e) TS_MUST_USE;
/* The grants of a context for a change; NULL, with TS_USAGE, when they are constant. */
ts_wasi_grants *ts_wasi_grants_open(ts_wasi *w, ts_error *e);
/* ADDRESS[/BITS], without brackets, of v6 or not; TS_USAGE: also for bits of the address beyond the prefix. `spec` is for the message. */
ts_status ts_wasi_prefix_parse(const char *s, size_t len, const char *spec, ts_wasi_prefix *out,
                               ts_error *e) TS_MUST_USE;
bool ts_wasi_prefix_has(const ts_wasi_prefix *p, const ts_sys_addr *a);
/* A decimal number of digits alone, without leading zeros, up to `most`. */
bool ts_wasi_digits(const char *s, size_t len, uint32_t most, uint32_t *out);
#endif
