/* sockets: what the files of wasi:sockets share: addresses, error codes, what is granted.
 * In: values of the canonical ABI. Out: addresses of the OS and back; access-denied, with a mark in the trace.
 * wit: wasi:sockets/network */
#ifndef TS_WASI_SOCKETS_H
#define TS_WASI_SOCKETS_H
#include "wasi/context.h"

#define TS_NET(name) TS_WASI_SOCKETS_ERROR_CODE_##name
enum { TS_NET_OK = -1 }; /* no case of error-code */

int ts_wasi_net_code(ts_sys_err e); /* case of error-code, or TS_NET_OK */
ts_status ts_wasi_net_fail(ts_host_call *c, ts_val *result, int code) TS_MUST_USE;
/* ok without payload, or the error */
ts_status ts_wasi_net_done(ts_host_call *c, ts_val *result, int code) TS_MUST_USE;
/* err(access-denied), marked */
ts_status ts_wasi_net_denied(ts_host_call *c, ts_val *result) TS_MUST_USE;

ts_sys_addr ts_wasi_net_addr(const ts_val *v);                                                  /* ip-socket-address */
ts_status ts_wasi_net_addr_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) TS_MUST_USE; /* likewise */
ts_status ts_wasi_net_ip_val(ts_host_call *c, const ts_sys_addr *a, ts_val *out) TS_MUST_USE;   /* ip-address */
bool ts_wasi_net_may(const ts_wasi *w, ts_wasi_net_use use, const ts_sys_addr *a);
bool ts_wasi_net_may_look_up(const ts_wasi *w, const char *ascii_name);
/* The guest has learnt addresses of a name: the rules by that name hold for them. */
ts_status ts_wasi_net_learnt(ts_wasi *w, const char *name, const ts_sys_addr *a, ts_error *e) TS_MUST_USE;

/* The socket options that TCP and UDP share. Durations in ns when `ns`. */
ts_status ts_wasi_net_get(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, ts_val *result) TS_MUST_USE;
ts_status ts_wasi_net_set(ts_host_call *c, int fd, bool v6, ts_sys_sockopt o, uint64_t value,
                          ts_val *result) TS_MUST_USE;
#endif
