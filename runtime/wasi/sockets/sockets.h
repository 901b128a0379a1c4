/* sockets: shared by the files of wasi:sockets: addresses, error codes, grants.
 * In: values of the canonical ABI. Out: OS addresses and back; access-denied, which is marked in the trace.
 * wit: wasi:sockets/network */
#ifndef TS_WASI_SOCKETS_H
#define TS_WASI_SOCKETS_H
#include "wasi/context.h"

#define TS_NET(name) TS_WASI_SOCKETS_ERROR_CODE_##name
enum { TS_NET_OK = -1 }; /* not a case of error-code */

int ts_wasi_net_code(ts_sys_err e); /* a case of error-code, or TS_NET_OK */
ts_status ts_wasi_net_fail(ts_host_call *c, ts_val *result, int code) TS_MUST_USE;
/* Returns ok without payload, or the error. */
ts_status ts_wasi_net_done(ts_host_call *c, ts_val *result, int code) TS_MUST_USE;
/* err(access-denied), marked in the trace */
ts_status ts_wasi_net_denied(ts_host_call *c, ts_val *result) TS_MUST_USE;

ts_sys_addr ts_wasi_net_addr(const ts_val *v);                                                  /* ip-socket-address */
ts_status ts_wasi_net_addr_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) TS_MUST_USE; /* likewise */
ts_status ts_wasi_net_ip_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) TS_MUST_USE;   /* ip-address */
bool ts_wasi_net_may(const ts_wasi *w, ts_wasi_net_use use, const ts_sys_addr *a);
bool ts_wasi_net_may_look_up(const ts_wasi *w, const char *ascii_name);
/* Records an address that the guest has looked up: the rules by that name now cover it. */
ts_status ts_wasi_net_learnt(ts_wasi *w, const char *name, const ts_sys_addr *a, ts_error *e) TS_MUST_USE;

/* The socket options that TCP and UDP share. Durations are in nanoseconds. */
ts_status ts_wasi_net_get(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, ts_val *result) TS_MUST_USE;
ts_status ts_wasi_net_set(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, uint64_t value,
                          ts_val *result) TS_MUST_USE;
#endif
