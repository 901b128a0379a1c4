/* wasi: the WASI 0.2 host of one run, beyond what touchstone.h offers to embedders: waiting, usage, tests.
 * In: a context. Out: its host functions, waits and usage.
 * Source: WASI 0.2.12 (runtime/wasi/wit) */
#ifndef TS_WASI_H
#define TS_WASI_H
#include "base/error.h"
#include "sys/pollset.h"
#include "wasi_glue.h"

/* The host functions of a context; those of a context that records or replays are wrapped. */
const ts_host_def *ts_wasi_host(const ts_wasi *w);
/* Callbacks to the owner of the guest's thread while the guest waits for the host. */
enum { TS_WASI_WATCHED = 2 };
typedef enum ts_wasi_watched {
    TS_WASI_GO,      /* return to the guest with whatever is ready */
    TS_WASI_WAIT_ON, /* the event does not concern the guest: wait again */
    TS_WASI_STOP,    /* the run is over, as after ts_wasi_interrupt */
} ts_wasi_watched;
typedef struct ts_wasi_watch {
    /* Called around each wait that may take long: other threads may use the CPU core meanwhile. */
    void (*waits)(void *data, bool waits);
    /* Called before each OS wait: fills in up to TS_WASI_WATCHED files that also end the wait, returns their
     * number, and may move the deadline (monotonic ns) earlier. */
    size_t (*begin)(void *data, ts_sys_wait *files, uint64_t *deadline);
    ts_wasi_watched (*end)(void *data, const ts_sys_wait *files); /* called after the wait */
    void *data;
} ts_wasi_watch;
/* Sets the watch; NULL, the default, is none. With a watch, ts_wasi_interrupt and ts_cstore_interrupt do not
 * wake a wait; only the files of the watch do. */
void ts_wasi_watch_waits(ts_wasi *w, const ts_wasi_watch *watch);
/* When the host's monotonic clock reaches ns, a wait ends as after ts_wasi_interrupt; 0: never. */
void ts_wasi_until(ts_wasi *w, uint64_t ns);
/* The peak use of each limited resource by a guest, and how often the limits refused a file or bytes. */
typedef struct ts_wasi_usage {
    uint64_t objects, files, refused_files;
    bool counts_disk; /* a limit exists; without one, the following are 0 */
    uint64_t disk, refused_disk;
} ts_wasi_usage;
ts_wasi_usage ts_wasi_get_usage(const ts_wasi *w);
/* For tests: resolves paths by the walk by component, as on systems without openat2. */
void ts_wasi_walk_paths(ts_wasi *w, bool on);
#endif
