/* message: what messages of HTTP are made of, between the wire (http_client, http_server) and the interface (wasi/http_*):
 * fields, errors, and the pipe that a body goes through.
 * In: bytes of one side. Out: bytes for the other, in bounded memory. Source: RFC 9110, RFC 9112; wasi:http/types (error-code) */
#ifndef TS_SYS_HTTP_H
#define TS_SYS_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/pollset.h"

/* What a message may hold, coming in and going out: what one side lets in, the other sends. RFC 9110, 5.4 and RFC 9112, 3: limits are
 * the recipient's choice. */
enum {
    TS_HTTP_MAX_METHOD = 4 << 10,
    TS_HTTP_MAX_TARGET = 64 << 10,
    TS_HTTP_MAX_FIELD = 64 << 10,    /* name and value of one field */
    TS_HTTP_MAX_FIELDS = 128 << 10,  /* all of a header section, as ts_http_fields.bytes counts */
    TS_HTTP_MAX_TRAILERS = 48 << 10, /* the same of a trailer section; libcurl takes 64 KiB */
};

/* --- fields: name and value as they were given, in order, repeats kept --- */
typedef struct ts_http_field {
    char *name;  /* NUL-terminated */
    char *value; /* any bytes; NUL-terminated beyond value_len */
    uint32_t name_len, value_len;
} ts_http_field;
typedef struct ts_http_fields {
    ts_http_field *data;
    uint32_t len, cap;
    uint64_t bytes; /* of all names and values, and 32 for each field (RFC 9113, 10.5.1) */
} ts_http_fields;
/* Copies; nothing is checked. False: no memory, and nothing is changed. */
bool ts_http_fields_add(ts_http_fields *f, const char *name, size_t name_len, const void *value, size_t value_len);
void ts_http_fields_remove(ts_http_fields *f, uint32_t i);
bool ts_http_fields_copy(ts_http_fields *to, const ts_http_fields *from);       /* `to` is empty */
void ts_http_fields_clear(ts_http_fields *f);                                   /* gives its memory back */
bool ts_http_name_is(const char *a, size_t a_len, const char *b, size_t b_len); /* without case (ASCII) */
/* The first at or after *i of that name; *i is where it is. NULL: none. */
const ts_http_field *ts_http_fields_find(const ts_http_fields *f, const char *name, uint32_t *i);
bool ts_http_is_token(const char *s, size_t len); /* RFC 9110, 5.6.2: at least one tchar, nothing else */
/* RFC 9110, 5.5: no control but tab. Blanks at the ends are let through: they are not part of a value, and ts_http_trim leaves them out
 * wherever a value is read from the wire or written to it. */
bool ts_http_is_field_value(const void *s, size_t len);
void ts_http_trim(const char **s, size_t *len);
/* The next element of a comma-separated list, without the blanks around it. Empty elements are skipped (RFC 9110, 5.6.1.2). *at moves
 * past the element. Returns false at the end. */
bool ts_http_next_element(const char **at, const char *end, const char **element, size_t *len);
/* Whether a comma-separated list has this element, without case. */
bool ts_http_list_has(const char *list, size_t len, const char *element);
/* The content-length of a message. Returns 1 and sets *out; 0 if there is none; -1 if one is not a number, or if they differ. */
int ts_http_content_length(const ts_http_fields *f, uint64_t *out);
/* The same of a received message, where a value may be a list of equal numbers: "3, 3" (RFC 9110, 8.6). The caller hands the field on
 * as a single number. */
int ts_http_received_length(const ts_http_fields *f, uint64_t *out);
/* Fields of one connection, not of the message: whoever writes the wire sets them, a guest neither sets nor sees them. */
bool ts_http_is_connection_field(const char *name, size_t len);
/* What no trailer section may hold (RFC 9110, 6.5.1): fields of the connection, and those that frame, route or describe the content.
 * They are left out of what comes in, and refused in what a guest wants to send. */
bool ts_http_is_forbidden_trailer(const char *name, size_t len);

/* --- errors: the cases of wasi:http/types.error-code, in its order (a test compares) --- */
typedef enum ts_http_code {
    TS_HTTP_DNS_TIMEOUT,
    TS_HTTP_DNS_ERROR, /* text: rcode; number: info-code */
    TS_HTTP_DESTINATION_NOT_FOUND,
    TS_HTTP_DESTINATION_UNAVAILABLE,
    TS_HTTP_DESTINATION_IP_PROHIBITED,
    TS_HTTP_DESTINATION_IP_UNROUTABLE,
    TS_HTTP_CONNECTION_REFUSED,
    TS_HTTP_CONNECTION_TERMINATED,
    TS_HTTP_CONNECTION_TIMEOUT,
    TS_HTTP_CONNECTION_READ_TIMEOUT,
    TS_HTTP_CONNECTION_WRITE_TIMEOUT,
    TS_HTTP_CONNECTION_LIMIT_REACHED,
    TS_HTTP_TLS_PROTOCOL_ERROR,
    TS_HTTP_TLS_CERTIFICATE_ERROR,
    TS_HTTP_TLS_ALERT_RECEIVED, /* number: alert-id; text: alert-message */
    TS_HTTP_REQUEST_DENIED,
    TS_HTTP_REQUEST_LENGTH_REQUIRED,
    TS_HTTP_REQUEST_BODY_SIZE, /* number */
    TS_HTTP_REQUEST_METHOD_INVALID,
    TS_HTTP_REQUEST_URI_INVALID,
    TS_HTTP_REQUEST_URI_TOO_LONG,
    TS_HTTP_REQUEST_HEADER_SECTION_SIZE,  /* number */
    TS_HTTP_REQUEST_HEADER_SIZE,          /* text: field-name; number: field-size */
    TS_HTTP_REQUEST_TRAILER_SECTION_SIZE, /* number */
    TS_HTTP_REQUEST_TRAILER_SIZE,         /* as header */
    TS_HTTP_RESPONSE_INCOMPLETE,
    TS_HTTP_RESPONSE_HEADER_SECTION_SIZE,  /* number */
    TS_HTTP_RESPONSE_HEADER_SIZE,          /* as in requests */
    TS_HTTP_RESPONSE_BODY_SIZE,            /* number */
    TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE, /* number */
    TS_HTTP_RESPONSE_TRAILER_SIZE,         /* as in requests */
    TS_HTTP_RESPONSE_TRANSFER_CODING,      /* text */
    TS_HTTP_RESPONSE_CONTENT_CODING,       /* text */
    TS_HTTP_RESPONSE_TIMEOUT,
    TS_HTTP_UPGRADE_FAILED,
    TS_HTTP_PROTOCOL_ERROR,
    TS_HTTP_LOOP_DETECTED,
    TS_HTTP_CONFIGURATION_ERROR,
    TS_HTTP_INTERNAL_ERROR, /* text */
    TS_HTTP_CODE_COUNT
} ts_http_code;
typedef struct ts_http_error {
    ts_http_code code;
    bool has_number, has_text;
    uint64_t number;
    char text[120]; /* cut to fit */
} ts_http_error;
ts_http_error ts_http_error_of(ts_http_code code); /* without payload */
ts_http_error ts_http_error_text(ts_http_code code, const char *text);
const char *ts_http_code_name(ts_http_code code); /* as in WIT: "connection-refused" */

/* --- a body on its way ---
 * One end is the guest's (streams and futures of wasi/), the other the wire's. Both hold a reference; both run on one thread. Bytes are
 * kept in a buffer of `cap`: who writes faster than the other reads waits. An end that goes before the body is whole fails the pipe. */
typedef struct ts_http_pipe ts_http_pipe;
typedef struct ts_http_wire_ops { /* the wire's side */
    /* The guest's end has read, written, finished, or gone (guest_closed): do what can be done without waiting. */
    void (*notify)(ts_http_pipe *p);
    /* What the guest waits on until the pipe goes on: true: a file, in *w; false: what the context's driver waits on. */
    bool (*wait)(ts_http_pipe *p, ts_sys_wait *w);
} ts_http_wire_ops;
struct ts_http_pipe {
    uint32_t refs;
    uint8_t *buf; /* made with the first byte */
    size_t at, len, cap;
    bool ended;  /* the writing end has finished: `trailers` are whole; what is in the buffer is still to be read */
    bool failed; /* no more comes; `error` says why, after what is in the buffer */
    bool guest_closed, wire_closed;
    ts_http_error error;
    ts_http_fields trailers;
    uint64_t total;    /* bytes written into it so far */
    bool has_length;   /* the message's content-length: a write beyond it fails the pipe, an end before it too */
    bool may_be_empty; /* … but nothing at all may be written: the length is that of another response (RFC 9110, 8.6) */
    ts_http_code wrong; /* … with this code, and the number of bytes */
    uint64_t length;
    const ts_http_wire_ops *wire; /* NULL: nobody stands at the far end yet */
    void *wire_data;
};
ts_http_pipe *ts_http_pipe_new(void); /* one reference; NULL: no memory */
void ts_http_pipe_hold(ts_http_pipe *p);
void ts_http_pipe_release(ts_http_pipe *p);      /* NULL: nothing */
size_t ts_http_pipe_room(const ts_http_pipe *p); /* bytes that a write takes now; 0 once ended or failed */
/* As much as there is room for; 0 with room: no memory, or more than its length (the pipe fails). */
size_t ts_http_pipe_put(ts_http_pipe *p, const void *bytes, size_t len);
size_t ts_http_pipe_take(ts_http_pipe *p, void *bytes, size_t len);
/* The bytes at the front without copying, and taking them. */
const uint8_t *ts_http_pipe_front(const ts_http_pipe *p, size_t *len);
void ts_http_pipe_skip(ts_http_pipe *p, size_t len);
void ts_http_pipe_end(ts_http_pipe *p);                   /* with less than its length: fails instead */
void ts_http_pipe_fail(ts_http_pipe *p, ts_http_error e); /* the first one counts; nothing after the end */
static inline void ts_http_pipe_notify(ts_http_pipe *p) {
    if (p->wire) p->wire->notify(p);
}
#endif
