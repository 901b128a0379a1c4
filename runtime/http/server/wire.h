/* wire: reads an HTTP/1.1 request: checks and splits its head and decodes its body. Also the reason
 * phrases of responses.
 * llhttp is the parser. Every line is checked against the grammar before it, and both must have
 * understood the same framing: what two readers could understand differently is refused. It knows
 * nothing of sockets.
 * In: bytes as they arrive. Out: a request, the body's bytes in a pipe, trailers, or the status to
 * refuse with. Source: RFC 9112, RFC 9110 */
#ifndef TS_SYS_HTTP_WIRE_H
#define TS_SYS_HTTP_WIRE_H
#include "http/message.h"
#ifdef TS_HTTP_SERVER
#include <llhttp.h>

typedef struct ts_wire {
    uint64_t max_body;     /* 0 means no limit */
    uint32_t max_trailers; /* bytes */
    /* the head: strings in the buffer that it was read from, NUL-terminated there */
    char *method, *target,
        /* target is NULL for a CONNECT, whose target is its authority; authority is NULL if there is
         * none */
        *authority;
    ts_http_fields headers; /* only the array is owned */
    bool http10, keep_alive, expect_continue, is_head, is_connect, has_body, chunked;
    uint64_t length; /* of a body without chunks */
    /* the body */
    llhttp_t parser;
    llhttp_settings_t settings;
    enum { TS_WIRE_SIZE_LINE, TS_WIRE_DATA, TS_WIRE_DATA_END, TS_WIRE_TRAILERS, TS_WIRE_DONE, TS_WIRE_BAD } at;
    uint64_t left;             /* bytes left of the chunk or of the body */
    uint64_t got;              /* bytes of the body that were read */
    uint32_t extensions;       /* bytes of chunk extensions so far */
    int status;                /* the status to answer in TS_WIRE_BAD: 400, 413, 431 or 503 */
    bool seen_head, seen_size; /* set by llhttp's callbacks */
    bool seen_end;
    ts_http_pipe *to; /* during a call of ts_wire_body */
} ts_wire;

void ts_wire_init(ts_wire *w, uint64_t max_body, uint32_t max_trailers);
void ts_wire_free(ts_wire *w);
/* How far a head that arrives in pieces has been scanned. All zero at first. */
typedef struct ts_wire_scan {
    size_t at;
    bool began;  /* the request line has begun */
    size_t line; /* where the request line ends */
} ts_wire_scan;
/* Returns the length of the head including its empty line, 0 if it is not complete, or a negative
 * number if it is not a head. Empty lines before it count as part of it. */
long ts_wire_scan_head(ts_wire_scan *s, const char *b, size_t len);
/* Reads a complete head, which must stay in place while the request lives. Returns 0, or the status
 * to refuse it with. */
int ts_wire_head(ts_wire *w, char *b, size_t len);
typedef enum ts_wire_state { TS_WIRE_MORE, TS_WIRE_FULL, TS_WIRE_END, TS_WIRE_REFUSED } ts_wire_state;
/* Decodes bytes of the body into the pipe, as many as it has room for; *used is how many were
 * consumed. FULL: the pipe has no room. END: the body and its trailers (in the pipe) are complete and
 * the pipe has ended. REFUSED: see w->status. */
ts_wire_state ts_wire_body(ts_wire *w, const char *b, size_t len, size_t *used, ts_http_pipe *to);
enum {
    TS_WIRE_MAX_LINE = 4096
}; /* of the line of a chunk's size. The longest run of bytes that ts_wire_body may need at once is
    * max_trailers. */

const char *ts_wire_reason(unsigned status); /* "Not Found"; "" if none is registered */
#endif
#endif
