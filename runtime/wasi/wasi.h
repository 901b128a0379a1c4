/* wasi: the WASI 0.2 host of one run: what is granted to the guest, and the limits of the host's side.
 * In: arguments, environment, directories, which of stdio. Out: a context to give to ts_linker_add_host with
 * ts_wasi_def. Nothing is granted but what is set here. The context must outlive every store that uses it; it is not
 * for several threads. Source: WASI 0.2.12 (runtime/wasi/wit) */
#ifndef TS_WASI_H
#define TS_WASI_H
#include "base/error.h"
#include "wasi_glue.h"

typedef struct ts_wasi ts_wasi;

ts_status ts_wasi_create(TS_OWN ts_wasi **out, ts_error *e) TS_MUST_USE;
void ts_wasi_destroy(ts_wasi *w); /* closes what the guest left open */

/* Strings are copied. Arguments and names must be UTF-8 (TS_USAGE). */
ts_status ts_wasi_arg(ts_wasi *w, const char *arg, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_env(ts_wasi *w, const char *name, size_t name_len, const char *value,
                      ts_error *e) TS_MUST_USE; /* the last of a name wins */
ts_status ts_wasi_cwd(ts_wasi *w, const char *guest_path, ts_error *e) TS_MUST_USE;
/* A directory of the host under a name of the guest's; TS_IO when it cannot be opened. */
ts_status ts_wasi_dir(ts_wasi *w, const char *host, const char *guest, bool read_only, ts_error *e) TS_MUST_USE;
/* The network. Nothing is granted by default; what is refused returns access-denied. */
typedef enum ts_wasi_net_use {
    TS_WASI_TCP_CONNECT,
    TS_WASI_TCP_LISTEN, /* to bind, so to listen */
    TS_WASI_UDP_PEER,   /* to send to; to bind any address with a port that the OS picks */
    TS_WASI_UDP_BIND,
} ts_wasi_net_use;
/* HOST:PORT. HOST: an IP address (IPv6 in brackets), address/bits, *, or (to connect, to send to) a name, whose
 * addresses are looked up now, and which the guest may look up; PORT: a number, from-to, or *. TS_USAGE; TS_IO: unknown
 * name. */
ts_status ts_wasi_allow(ts_wasi *w, ts_wasi_net_use use, const char *host_port, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_allow_name(ts_wasi *w, const char *name, ts_error *e) TS_MUST_USE; /* "*.example.org": below it */
void ts_wasi_allow_network(ts_wasi *w, bool all);                                    /* every address, TCP and UDP */
void ts_wasi_allow_names(ts_wasi *w, bool all);                                      /* every name */
void ts_wasi_allow_tcp(ts_wasi *w, bool any); /* false: not even a socket [true] */
void ts_wasi_allow_udp(ts_wasi *w, bool any);
/* HTTP requests. Nothing is granted by default; what is refused is HTTP-request-denied. */
/* HOST[:PORT]. HOST: a name, an IP address (IPv6 in brackets), *.NAME (those below it) or *; no PORT: every one. TS_USAGE */
ts_status ts_wasi_allow_http(ts_wasi *w, const char *host_port, ts_error *e) TS_MUST_USE;
/* ADDRESS[/BITS], or `private`: addresses inside, on the link, on this machine. No request goes there, by whatever name:
 * destination-IP-prohibited. TS_USAGE */
ts_status ts_wasi_deny_http(ts_wasi *w, const char *addresses, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_allow_http_all(ts_wasi *w, bool all, ts_error *e) TS_MUST_USE;
/* Certificates (PEM) of the authorities to trust, instead of the system's. TS_IO: it cannot be read. */
ts_status ts_wasi_http_ca(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
/* Runs that repeat. A clock of the guest's own: the wall clock starts at `start`, the monotonic one at 0; each reading
 * is one microsecond later, and a wait for nothing but time takes none. All randomness from a seed. */
void ts_wasi_clock(ts_wasi *w, uint64_t start_s, uint32_t start_ns);
void ts_wasi_seed(ts_wasi *w, uint64_t seed);
/* Write every answer of the host to a file; or take every answer from there, and nothing from the world but what shows
 * stdout and stderr. The linker is given ts_wasi_host then, and the context the component's bytes before the run, which
 * must be those of the record (TS_USAGE). The end says whether the record was written (TS_IO), or the run was not as long
 * as the recorded one (TS_TRAP). `path` must live until then. */
ts_status ts_wasi_record(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_replay_from(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_replay_component(ts_wasi *w, const void *bytes, size_t len, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_replay_end(ts_wasi *w, ts_error *e) TS_MUST_USE;
const ts_host_def *ts_wasi_host(const ts_wasi *w);
/* Which file of the host stands behind stdin (0), stdout (1), stderr (2); below 0: none: closed from the start.
 * Default: 0, 1, 2. The file stays the caller's. */
void ts_wasi_stdio(ts_wasi *w, int which, int fd);
/* Ask a blocking call to end (TS_INTERRUPTED): may be called from a signal handler; the signal itself ends the wait. */
void ts_wasi_stop(ts_wasi *w);
/* For who runs many instances with one context, one after another. The next one finds it as the first did: what the last one left is
 * closed, its clock and its randomness start anew. */
void ts_wasi_reset(ts_wasi *w);
/* Called around each wait of the OS that may take long: others may have the core. */
void ts_wasi_on_wait(ts_wasi *w, void (*fn)(void *data, bool waits), void *data);
/* When the monotonic clock of the host has reached this, a wait ends as after ts_wasi_stop; 0: never. */
void ts_wasi_until(ts_wasi *w, uint64_t ns);
/* The most host objects (streams, descriptors, pollables …) that a guest may hold [1,000,000]. */
void ts_wasi_limit_objects(ts_wasi *w, uint64_t n);
/* The most files of the host (files, directories, sockets) that are open for the guest at once [what the OS gives]; one
 * more is refused as if the OS had no more. */
void ts_wasi_limit_files(ts_wasi *w, uint64_t n);
/* The most random bytes of one call [as many as a call may return], and the most bytes of the fields of one HTTP message [131,072,
 * and never more]: beyond, a trap. */
void ts_wasi_limit_random(ts_wasi *w, uint64_t n);
void ts_wasi_limit_http_fields(ts_wasi *w, uint64_t n);
/* For tests: resolve paths by the walk by component, as where openat2 is missing. */
void ts_wasi_walk_paths(ts_wasi *w, bool on);
#endif
