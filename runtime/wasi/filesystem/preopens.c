/* filesystem/preopens: wasi:filesystem/preopens.
 * In: the granted directories of the context. Out: descriptors and their names. wit:
 * wasi:filesystem/preopens */
#include "wasi/context.h"
#include <string.h>

ts_status ts_wasi_filesystem_preopens_get_directories(ts_host_call *c, const ts_val *args, ts_val *result) {
    (void)args;
    const ts_wasi_grants *g = ts_wasi_of(c)->grants;
    uint32_t n = g->preopens.len;
    ts_val *v = ts_host_vals(c, (size_t)n * 3);
    if (n && !v) return ts_fail_nomem(c->err);
    for (uint32_t i = 0; i < n; i++) {
        const ts_wasi_preopen *p = &g->preopens.data[i];
        ts_val *pair = v + n + 2 * i;
        TS_TRY(ts_wasi_descriptor_preopen(c, p, &pair[0]));
        pair[1] = (ts_val){.str = {p->guest, strlen(p->guest)}};
        v[i] = (ts_val){.list = {pair, 2}};
    }
    *result = (ts_val){.list = {v, n}};
    return TS_OK;
}
