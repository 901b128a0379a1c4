/* grants: what the guests of a run are granted, as a value that is built once and then constant.
 * In: calls of touchstone.h (ts_wasi_allow_dir, ts_wasi_allow_address …). Out: a value that contexts on any
 * threads can share. Building it opens host files, looks up names and reads certificates; nothing is
 * evaluated again later.
 * Source: wasi:cli, wasi:filesystem/preopens, wasi:sockets, wasi:http, where they leave decisions to the host
 */
#ifndef TS_WASI_GRANTS_H
#define TS_WASI_GRANTS_H
#include "base/error.h"
#include "base/vec.h"
#include "sys/fs.h"
#include "sys/net.h"

enum { TS_WASI_HTTP_FIELDS_MAX = 128 << 10 }; /* bytes of a section, plus 32 for each field as in RFC 9113 */

typedef struct ts_wasi_preopen {
    int fd;
    char *host, *guest; /* host: as given, for display */
    bool read_only;
} ts_wasi_preopen;

typedef struct ts_wasi_env_var {
    char *name, *value;
} ts_wasi_env_var;

typedef struct ts_wasi_prefix { /* all addresses that start with these bits */
    ts_sys_addr addr;
    uint32_t bits;
} ts_wasi_prefix;

/* A granted part of the network. */
typedef struct ts_wasi_net_rule {
    ts_wasi_net_use use;
    bool any; /* every address */
    ts_wasi_prefix at;
    uint16_t port_from, port_to;
    char *name; /* of a rule by name: look-ups by the guest add further addresses */
} ts_wasi_net_rule;
typedef TS_VEC(ts_wasi_net_rule) ts_wasi_net_rules;

typedef struct ts_wasi_http_rule { /* a granted destination */
    char *host;                    /* without brackets; NULL: every host */
    bool below;                    /* host is ".example.org" and means all names below it */
    uint16_t port;                 /* 0: every port */
} ts_wasi_http_rule;

typedef struct ts_wasi_file_text { /* a file's contents at the time of the grant */
    char *path;                    /* as given */
    int fd;                        /* a copy in memory; -1: none */
    char at[32];                   /* the path of the copy in this process: "/proc/self/fd/7" */
} ts_wasi_file_text;

struct ts_wasi_grants {
    uint32_t refs; /* held by contexts and callers; atomic */
    bool constant; /* set once it is shared: no further grants are possible */
    TS_VEC(char *) args;
    TS_VEC(ts_wasi_env_var) env;
    TS_VEC(ts_wasi_preopen) preopens;
    ts_wasi_net_rules net_rules;
    TS_VEC(char *) names; /* names that may be looked up */
    bool shows_processes; /* a directory of procfs is granted by itself */
    bool net_all, names_all, no_tcp, no_udp;
    TS_VEC(ts_wasi_http_rule) http_rules;
    TS_VEC(ts_wasi_prefix) http_prohibited;
    bool http_all;
    bool http_global_only; /* also prohibit addresses that are not globally reachable */
    ts_wasi_file_text ca;
    char *cwd; /* NULL: none */
    int stdio[3];
    uint64_t max_objects;
    uint64_t max_random, max_fields; /* bytes: of one random call; of the HTTP fields of a message */
    uint64_t max_disk;               /* bytes that files may grow by; UINT64_MAX: not counted */
    uint64_t max_files;              /* host files open for the guest */
    bool clock_own;                  /* the guest has its own clock instead of the host's */
    ts_sys_time clock_start;
    bool seeded; /* random bytes derive from `seed` */
    uint64_t seed;
};

ts_status ts_wasi_grants_empty(ts_wasi_grants **out, ts_error *e) TS_MUST_USE;
/* Returns the grants of a context for modification, or NULL and TS_USAGE if they are constant. */
ts_wasi_grants *ts_wasi_grants_open(ts_wasi *w, ts_error *e);
/* Parses ADDRESS[/BITS] without brackets, IPv6 or IPv4. Fails with TS_USAGE also if address bits beyond the
 * prefix are set. `spec` is for the message. */
ts_status ts_wasi_prefix_parse(const char *s, size_t len, const char *spec, ts_wasi_prefix *out,
                               ts_error *e) TS_MUST_USE;
bool ts_wasi_prefix_has(const ts_wasi_prefix *p, const ts_sys_addr *a);
/* Parses a decimal number up to `most`: only digits, no leading zeros. */
bool ts_wasi_digits(const char *s, size_t len, uint32_t most, uint32_t *out);
#endif
