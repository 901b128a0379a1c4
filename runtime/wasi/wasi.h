/* wasi: the WASI 0.2 host of one run, beyond what touchstone.h tells embedders: records, waiting, tests.
 * In: a context. Out: the same, that records or replays, and tells when it waits. Source: WASI 0.2.12 (runtime/wasi/wit) */
#ifndef TS_WASI_H
#define TS_WASI_H
#include "base/error.h"
#include "sys/pollset.h"
#include "wasi_glue.h"

/* Write every answer of the host to a file; or take every answer from there, and nothing from the world but what shows
 * stdout and stderr. The linker is given ts_wasi_host then, and the context the component's bytes before the run, which
 * must be those of the record (TS_USAGE). The end says whether the record was written (TS_IO), or the run was not as long
 * as the recorded one (TS_TRAP). `path` must live until then. */
ts_status ts_wasi_record(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_replay_from(ts_wasi *w, const char *path, ts_error *e) TS_MUST_USE;
/* conditions: text of the caller's that a record keeps, about what the run was given; *recorded: the same of the record that is replayed,
 * as long as the context, or NULL. */
ts_status ts_wasi_replay_component(ts_wasi *w, const void *bytes, size_t len, const char *conditions,
                                   const char **recorded, ts_error *e) TS_MUST_USE;
ts_status ts_wasi_replay_end(ts_wasi *w, ts_error *e) TS_MUST_USE;
const ts_host_def *ts_wasi_host(const ts_wasi *w);
/* The owner of the thread on which a guest runs, when the guest waits for the world. */
enum { TS_WASI_WATCHED = 2 };
typedef enum ts_wasi_watched {
    TS_WASI_GO,      /* back to the guest, with whatever is ready */
    TS_WASI_WAIT_ON, /* what has come does not concern the guest: wait again */
    TS_WASI_STOP,    /* the run is over, as after ts_wasi_stop */
} ts_wasi_watched;
typedef struct ts_wasi_watch {
    /* Around each wait that may take long: others may have the core. */
    void (*waits)(void *data, bool waits);
    /* Before each wait of the OS: fills up to TS_WASI_WATCHED files that end it too, returns how many, and may bring the deadline
     * (monotonic ns) forward. */
    size_t (*begin)(void *data, ts_sys_wait *files, uint64_t *deadline);
    ts_wasi_watched (*end)(void *data, const ts_sys_wait *files); /* after it */
    void *data;
} ts_wasi_watch;
/* NULL: none, as at first. With a watch, ts_wasi_stop and ts_cstore_interrupt wake no wait: what the watch waits for does. */
void ts_wasi_watch_waits(ts_wasi *w, const ts_wasi_watch *watch);
/* When the monotonic clock of the host has reached this, a wait ends as after ts_wasi_stop; 0: never. */
void ts_wasi_until(ts_wasi *w, uint64_t ns);
/* The most of what limits bound that a guest has held at once, and how often a file was refused. */
typedef struct ts_wasi_usage {
    uint64_t objects, files, refused_files;
    bool counts_disk; /* there is a limit: else the following are 0 */
    uint64_t disk, refused_disk;
} ts_wasi_usage;
ts_wasi_usage ts_wasi_get_usage(const ts_wasi *w);
/* For tests: resolve paths by the walk by component, as where openat2 is missing. */
void ts_wasi_walk_paths(ts_wasi *w, bool on);
#endif
