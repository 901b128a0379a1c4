/* http: what the files of wasi:http share: requests and responses as a guest sees them, and the doors for who serves.
 * In: messages of the wire (sys/http_*). Out: resources of wasi:http/types. wit: wasi:http/types, outgoing-handler, incoming-handler */
#ifndef TS_WASI_HTTP_H
#define TS_WASI_HTTP_H
#include "sys/http.h"
#include "wasi/context.h"

/* What answers an incoming request: serve's connection, or a test's. */
typedef struct ts_wasi_http_responder {
    /* The response's head and body, once. The body's far end is the responder's. NULL body: none. False: the client is gone. */
    bool (*respond)(void *data, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body);
    bool (*informational)(void *data, uint16_t status, const ts_http_fields *headers);
    void (*error)(void *data, const ts_http_error *e); /* response-outparam.set(err(…)) */
    void *data;
} ts_wasi_http_responder;

typedef struct ts_wasi_http_incoming { /* of an incoming request; everything is copied but the pipe, which is held */
    const char *method, *path_with_query, *scheme, *authority; /* the last three may be NULL */
    const ts_http_fields *headers;
    ts_http_pipe *body;
} ts_wasi_http_incoming;

/* Make the two arguments of wasi:http/incoming-handler.handle: handles' reps. The responder is copied. */
ts_status ts_wasi_http_incoming_new(ts_wasi *w, const ts_wasi_http_incoming *in, const ts_wasi_http_responder *r,
                                    uint64_t *request, uint64_t *outparam, ts_error *e) TS_MUST_USE;

/* Streams over pipes (io_streams.c): a body's. The stream holds the pipe. */
ts_status ts_wasi_stream_of_pipe(ts_host_call *c, ts_wasi_kind kind, ts_http_pipe *pipe, ts_wasi_obj *parent,
                                 ts_wasi_stream **out) TS_MUST_USE;
/* err(last-operation-failed(error)), whose http-error-code is e */
ts_status ts_wasi_err_http(ts_host_call *c, ts_val *result, const ts_http_error *e) TS_MUST_USE;
#endif
