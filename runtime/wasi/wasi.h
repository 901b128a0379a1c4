/* wasi: the WASI 0.2 host of one run, beyond what touchstone.h tells embedders: records, waiting, tests.
 * In: a context. Out: the same, that records or replays, and tells when it waits. Source: WASI 0.2.12 (runtime/wasi/wit) */
#ifndef TS_WASI_H
#define TS_WASI_H
#include "base/error.h"
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
/* Called around each wait of the OS that may take long: others may have the core. */
void ts_wasi_on_wait(ts_wasi *w, void (*fn)(void *data, bool waits), void *data);
/* When the monotonic clock of the host has reached this, a wait ends as after ts_wasi_stop; 0: never. */
void ts_wasi_until(ts_wasi *w, uint64_t ns);
/* The most of what limits bound that a guest has held at once, and how often a file was refused. */
typedef struct ts_wasi_usage {
    uint64_t objects, files, refused_files;
} ts_wasi_usage;
ts_wasi_usage ts_wasi_get_usage(const ts_wasi *w);
/* For tests: resolve paths by the walk by component, as where openat2 is missing. */
void ts_wasi_walk_paths(ts_wasi *w, bool on);
#endif
