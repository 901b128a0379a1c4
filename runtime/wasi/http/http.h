/* http: shared by the files of wasi:http: requests and responses as a guest sees them, and the interface for
 * servers.
 * In: messages of http/. Out: resources of wasi:http/types.
 * wit: wasi:http/types, outgoing-handler, incoming-handler */
#ifndef TS_WASI_HTTP_H
#define TS_WASI_HTTP_H
#include "http/message.h"
#include "wasi/context.h"

/* ts_http_client_prepare, for those who may not see http/client/. */
void ts_wasi_http_prepare(const char **ca_file, const char **ca_folder);

/* --- for servers --- */
/* Receives the answer to an incoming request: a connection of `serve`, or of a test. */
typedef struct ts_wasi_http_responder {
    /* Called once, with the response's head and body. The responder owns the far end of the body; NULL: no
     * body. Returns false if the client is gone. */
    bool (*respond)(void *data, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body);
    bool (*informational)(void *data, uint16_t status, const ts_http_fields *headers); /* NULL: not supported */
    /* Called after response-outparam.set(err(…)), if it was dropped unset, or if the response cannot be sent.
     * NULL: errors are ignored. */
    void (*error)(void *data, const ts_http_error *e);
    void *data;
} ts_wasi_http_responder;

typedef struct ts_wasi_http_incoming { /* an incoming request; all is copied except the pipe, which gets a reference */
    const char *method, *path_with_query, *scheme, *authority; /* the last three may be NULL */
    const ts_http_fields *headers;                             /* the fields of the connection are left out */
    ts_http_pipe *body;                                        /* NULL: the body is empty */
} ts_wasi_http_incoming;

/* Makes the two arguments of wasi:http/incoming-handler.handle as reps of handles.
 * The responder is copied. */
ts_status ts_wasi_http_incoming_new(ts_wasi *w, const ts_wasi_http_incoming *in, const ts_wasi_http_responder *r,
                                    uint64_t *request, uint64_t *outparam, ts_error *e) TS_MUST_USE;
/* Returns whether received fields are within the limit for fields that a guest makes
 * (ts_wasi_limit_http_fields), so that it can forward them. */
bool ts_wasi_http_fields_fit(const ts_wasi *w, const ts_http_fields *f);
/* Returns true, with the error in *e, if they do not fit. */
bool ts_wasi_http_fields_refused(const ts_wasi *w, const ts_http_fields *f, ts_http_code code, ts_http_error *e);
/* Ends the call: a response-outparam that the guest has kept no longer reaches
 * the responder with this data. */
void ts_wasi_http_incoming_over(ts_wasi *w, const void *responder_data);

/* --- the context's part --- */
struct ts_wasi_http {
    struct ts_http_client *client; /* created with the first request */
    uint64_t bytes;                /* the total of all fields and bodies */
};
void ts_wasi_http_free(ts_wasi *w);
ts_status ts_wasi_http_part(ts_wasi *w, ts_error *e) TS_MUST_USE; /* creates it if necessary */
void ts_wasi_http_pump(ts_wasi *w);                               /* advances background transfers */
const char *ts_wasi_http_method(uint32_t method);                 /* "GET"; NULL: other */

/* --- between the files of wasi:http --- */
enum {
    TS_WASI_HTTP_FIELD_MAX = TS_HTTP_MAX_FIELD,
    TS_WASI_HTTP_BYTES_MAX = 256 << 20,  /* limit for all fields and bodies of a context */
    TS_WASI_HTTP_BODY_WEIGHT = 64 << 10, /* bytes that a body may buffer */
    TS_WASI_HTTP_UNSENT_WEIGHT =
        TS_WASI_HTTP_BODY_WEIGHT + TS_WASI_HTTP_FIELDS_MAX, /* the same plus its trailers, until its message is sent */
    TS_WASI_HTTP_STRING_MAX = 128 << 10,                    /* a path, an authority, a method */
    TS_WASI_HTTP_PATH_MAX = TS_HTTP_MAX_TARGET,             /* sent */
};
/* Charges memory of the host to the guest; traps beyond BYTES_MAX. */
ts_status ts_wasi_http_charge(ts_host_call *c, uint64_t bytes) TS_MUST_USE;
void ts_wasi_http_release(ts_wasi *w, uint64_t bytes);

/* Makes a child handle for fields that belong to the parent; they are immutable. */
ts_status ts_wasi_fields_child(ts_host_call *c, const ts_http_fields *of, ts_wasi_obj *parent,
                               ts_val *result) TS_MUST_USE;
/* Takes the fields out of an owned handle and ends the handle. They stay charged;
 * the caller must release them. */
ts_status ts_wasi_fields_take(ts_host_call *c, const ts_val *handle, ts_http_fields *out) TS_MUST_USE;
void ts_wasi_fields_end(ts_wasi *w, ts_http_fields *f); /* clears and releases */
/* Copies fields, except those of the connection, and charges them. */
ts_status ts_wasi_fields_receive(ts_host_call *c, const ts_http_fields *from, ts_http_fields *to) TS_MUST_USE;
void ts_wasi_trailers_strip(ts_http_fields *f); /* removes fields that are not allowed in trailers */

typedef struct ts_wasi_message { /* incoming-request, outgoing-request, incoming-response, outgoing-response */
    ts_wasi_obj obj;
    ts_http_fields headers;
    ts_http_pipe *body; /* incoming: until it is consumed; outgoing: once it was requested */
    bool body_taken;
    bool sent; /* outgoing: its body has a reader, or soon will */
    uint16_t status;
    uint32_t method, scheme;         /* cases of the variants */
    char *method_name, *scheme_name; /* of other(…) */
    bool has_scheme;
    char *path, *authority; /* NULL: none */
} ts_wasi_message;
ts_status ts_wasi_message_new(ts_host_call *c, ts_wasi_kind kind, ts_wasi_message **out) TS_MUST_USE;
/* Returns 1 if the message has a content-length, 0 if it has none, -1 if it has one that cannot be sent. */
int ts_wasi_message_length(const ts_wasi_message *m, uint64_t *length);
ts_status ts_wasi_message_consume(ts_host_call *c, ts_wasi_message *m, ts_val *result) TS_MUST_USE;
ts_status ts_wasi_message_body(ts_host_call *c, ts_wasi_message *m, ts_val *result) TS_MUST_USE;

typedef struct ts_wasi_timeout {
    bool set;
    uint64_t ns;
} ts_wasi_timeout;
typedef struct ts_wasi_request_options {
    ts_wasi_obj obj;
    ts_wasi_timeout connect, first_byte, between_bytes;
} ts_wasi_request_options;

#define ts_wasi_none ((ts_val){.variant = {.disc = 0}}) /* none; {0} would set only one byte of the union */
/* Converts an error to an error-code value, and back. */
ts_status ts_wasi_http_code_val(ts_host_call *c, const ts_http_error *e, ts_val *out) TS_MUST_USE;
ts_http_error ts_wasi_http_code_of(const ts_val *v);
/* err(error-code) */
ts_status ts_wasi_http_fail(ts_host_call *c, ts_val *result, const ts_http_error *e) TS_MUST_USE;

/* An error of a body's stream. */
typedef struct ts_wasi_error_of_http {
    ts_wasi_error error; /* its domain is TS_WASI_OF_HTTP */
    ts_http_error http;
} ts_wasi_error_of_http;
/* Makes a stream over the pipe of a body (streams.c); the stream holds a reference to the pipe. */
ts_status ts_wasi_stream_of_pipe(ts_host_call *c, ts_wasi_kind kind, ts_http_pipe *pipe, ts_wasi_obj *parent,
                                 ts_wasi_stream **out) TS_MUST_USE;
/* err(last-operation-failed(error)), whose http-error-code is e */
#endif
