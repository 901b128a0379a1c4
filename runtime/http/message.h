/* message: the parts of HTTP messages that the client, the server and wasi/http share: fields,
 * errors, and the pipe that carries a body.
 * In: bytes from one side. Out: bytes for the other side, in bounded memory.
 * Source: RFC 9110, RFC 9112; wasi:http/types (error-code) */
#ifndef TS_SYS_HTTP_H
#define TS_SYS_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/pollset.h"

/* Limits in bytes, the same for messages that are received and for those that are sent. A recipient
 * chooses its own limits (RFC 9110, 5.4; RFC 9112, 3). */
enum {
    TS_HTTP_MAX_METHOD = 4 << 10,
    TS_HTTP_MAX_TARGET = 64 << 10,
    TS_HTTP_MAX_FIELD = 64 << 10,    /* the name and the value of one field together */
    TS_HTTP_MAX_FIELDS = 128 << 10,  /* a whole header section, as ts_http_fields.bytes counts it */
    TS_HTTP_MAX_TRAILERS = 48 << 10, /* a whole trailer section; libcurl accepts 64 KiB */
};

/* --- fields: names and values as they were given, in order, with repeats --- */
typedef struct ts_http_field {
    char *name;  /* NUL-terminated */
    char *value; /* any bytes; a NUL follows the last one */
    uint32_t name_len, value_len;
} ts_http_field;
typedef struct ts_http_fields {
    ts_http_field *data;
    uint32_t len, cap;
    uint64_t bytes; /* all names and values, plus 32 for each field (RFC 9113, 10.5.1) */
} ts_http_fields;
/* Appends a copy of a field, which is not checked. Returns false if there is no memory; nothing is
 * changed then. */
bool ts_http_fields_add(ts_http_fields *f, const char *name, size_t name_len, const void *value, size_t value_len);
void ts_http_fields_remove(ts_http_fields *f, uint32_t i);
bool ts_http_fields_copy(ts_http_fields *to, const ts_http_fields *from); /* `to` must be empty */
void ts_http_fields_clear(ts_http_fields *f);                             /* frees the memory */
/* compares without regard to ASCII case */
bool ts_http_name_is(const char *a, size_t a_len, const char *b, size_t b_len);
/* Finds the first field with this name at position *i or later. Sets *i to its position. Returns NULL
 * if there is none. */
const ts_http_field *ts_http_fields_find(const ts_http_fields *f, const char *name, uint32_t *i);
bool ts_http_is_token(const char *s, size_t len); /* RFC 9110, 5.6.2: one or more tchar */
/* RFC 9110, 5.5: returns whether the value has no control character other than tab. Blanks at its
 * ends are allowed here: they are not part of the value, and ts_http_trim removes them wherever a
 * value is read from the wire or written to it. */
bool ts_http_is_field_value(const void *s, size_t len);
void ts_http_trim(const char **s, size_t *len);
/* The next element of a comma-separated list, without the blanks around it. Empty elements are
 * skipped (RFC 9110, 5.6.1.2). *at moves past the element. Returns false at the end. */
bool ts_http_next_element(const char **at, const char *end, const char **element, size_t *len);
/* Whether a comma-separated list has this element, without case. */
bool ts_http_list_has(const char *list, size_t len, const char *element);
/* The content-length of a message. Returns 1 and sets *out; 0 if there is none; -1 if one is not a
 * number, or if they differ. */
int ts_http_content_length(const ts_http_fields *f, uint64_t *out);
/* The same of a received message, where a value may be a list of equal numbers: "3, 3" (RFC 9110,
 * 8.6). The caller hands the field on as a single number. */
int ts_http_received_length(const ts_http_fields *f, uint64_t *out);
/* Returns whether the field belongs to one connection and not to the message. The code that writes to
 * the wire sets these fields; guests neither set nor see them. */
bool ts_http_is_connection_field(const char *name, size_t len);
/* Returns whether a trailer section must not contain the field (RFC 9110, 6.5.1): fields of the
 * connection, and those that frame, route or describe the content. They are removed from received
 * trailers and rejected when a guest wants to send them. */
bool ts_http_is_forbidden_trailer(const char *name, size_t len);

/* --- errors: the cases of wasi:http/types.error-code in the same order, which a test checks --- */
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
    char text[120]; /* truncated to fit */
} ts_http_error;
ts_http_error ts_http_error_of(ts_http_code code); /* an error without a payload */
ts_http_error ts_http_error_text(ts_http_code code, const char *text);
const char *ts_http_code_name(ts_http_code code); /* as in WIT: "connection-refused" */

/* --- a body in transit ---
 * One end of a pipe belongs to the guest (the streams and futures of wasi/), the other to the wire.
 * Both ends hold a reference and run on the same thread. The buffer holds at most `cap` bytes: a
 * writer that is faster than the reader has to wait. An end that closes before the body is complete
 * fails the pipe. */
typedef struct ts_http_pipe ts_http_pipe;
typedef struct ts_http_wire_ops { /* what the wire's end does */
    /* Called when the guest's end has read, written, finished or closed (guest_closed). Does what can
     * be done without waiting. */
    void (*notify)(ts_http_pipe *p);
    /* Reports what the guest waits on until the pipe makes progress. Returns true if that is a file,
     * which is stored in *w. Returns false if the guest waits on what the driver of its context waits
     * on. */
    bool (*wait)(ts_http_pipe *p, ts_sys_wait *w);
} ts_http_wire_ops;
struct ts_http_pipe {
    uint32_t refs;
    uint8_t *buf; /* allocated when the first byte is written */
    size_t at, len, cap;
    /* the writer has finished and `trailers` is complete; bytes in the buffer can still be read */
    bool ended;
    bool failed; /* no further bytes come; `error` says why, once the buffer has been read */
    bool guest_closed;
    ts_http_error error;
    ts_http_fields trailers;
    uint64_t total; /* bytes written so far */
    /* the message has a content-length: writing more fails the pipe, and so does ending with less */
    bool has_length;
    /* ending with no bytes at all is allowed: the length describes another response (RFC 9110, 8.6) */
    bool may_be_empty;
    ts_http_code wrong; /* the error code for a wrong number of bytes, which is reported with the code */
    uint64_t length;
    const ts_http_wire_ops *wire; /* NULL: nothing is attached to the wire's end yet */
    void *wire_data;
};
ts_http_pipe *ts_http_pipe_new(void); /* with one reference; NULL if there is no memory */
void ts_http_pipe_hold(ts_http_pipe *p);
void ts_http_pipe_release(ts_http_pipe *p); /* NULL: nothing */
/* the number of bytes that can be written now; 0 once the pipe has ended or failed */
size_t ts_http_pipe_room(const ts_http_pipe *p);
/* Writes as many bytes as there is room for and returns their number. If it returns 0 although there
 * is room, the pipe has failed: there is no memory, or the body is longer than announced. */
size_t ts_http_pipe_put(ts_http_pipe *p, const void *bytes, size_t len);
size_t ts_http_pipe_take(ts_http_pipe *p, void *bytes, size_t len);
/* Access to the bytes at the front without copying, and removal of bytes from the front. */
const uint8_t *ts_http_pipe_front(const ts_http_pipe *p, size_t *len);
void ts_http_pipe_skip(ts_http_pipe *p, size_t len);
void ts_http_pipe_end(ts_http_pipe *p); /* fails the pipe if fewer bytes than announced were written */
/* only the first error is kept; ignored after the end */
void ts_http_pipe_fail(ts_http_pipe *p, ts_http_error e);
static inline void ts_http_pipe_notify(ts_http_pipe *p) {
    if (p->wire) p->wire->notify(p);
}
#endif
