/* wire: one HTTP/1.1 request as bytes: its head checked and split, its body decoded; and the words that responses are made of.
 * llhttp parses; before it every line is held to the letter of the grammar, and after it both must have understood the same framing:
 * what two readers could take differently is refused. Knows no sockets.
 * In: bytes as they come. Out: a request, body bytes in a pipe, trailers, or the status to refuse with. Source: RFC 9112, RFC 9110 */
#ifndef TS_SYS_HTTP_WIRE_H
#define TS_SYS_HTTP_WIRE_H
#include "http/message.h"
#ifdef TS_HTTP_SERVER
#include <llhttp.h>

typedef struct ts_wire {
    uint64_t max_body;     /* 0: no limit */
    uint32_t max_trailers; /* bytes */
    /* of the head: strings in the buffer that it was read from, NUL-terminated there */
    char *method, *target,
        *authority;         /* target NULL: that of CONNECT, which is its authority; authority NULL: there is none */
    ts_http_fields headers; /* only the array is owned */
    bool http10, keep_alive, expect_continue, is_head, is_connect, has_body, chunked;
    uint64_t length; /* of a body that is not chunked */
    /* of the body */
    llhttp_t parser;
    llhttp_settings_t settings;
    enum { TS_WIRE_SIZE_LINE, TS_WIRE_DATA, TS_WIRE_DATA_END, TS_WIRE_TRAILERS, TS_WIRE_DONE, TS_WIRE_BAD } at;
    uint64_t left;             /* of a chunk, or of the body */
    uint64_t got;              /* bytes of the body so far */
    uint32_t extensions;       /* bytes of chunk extensions so far */
    int status;                /* TS_WIRE_BAD: what to answer: 400, 413 or 431 */
    bool seen_head, seen_size; /* llhttp says so */
    bool seen_end;
    ts_http_pipe *to; /* during a call of ts_wire_body */
} ts_wire;

void ts_wire_init(ts_wire *w, uint64_t max_body, uint32_t max_trailers);
void ts_wire_free(ts_wire *w);
/* How far a head that comes in pieces was looked through. All zero at first. */
typedef struct ts_wire_scan {
    size_t at;
    bool began;  /* the request line is there … */
    size_t line; /* … and ends here */
} ts_wire_scan;
/* Where the head ends: the bytes up to and with the empty line; 0: not yet; below 0: what is there is no head. Empty lines before it
 * count as part of it. */
long ts_wire_scan_head(ts_wire_scan *s, const char *b, size_t len);
/* Read a whole head, which stays in place while the request lives. 0, or the status to refuse it with. */
int ts_wire_head(ts_wire *w, char *b, size_t len);
typedef enum ts_wire_state { TS_WIRE_MORE, TS_WIRE_FULL, TS_WIRE_END, TS_WIRE_REFUSED } ts_wire_state;
/* Take body bytes into the pipe, as many as it has room for; *used of them are done with. FULL: the pipe has no room; END: the body and
 * its trailers (in the pipe) are whole: the pipe is ended; REFUSED: w->status. */
ts_wire_state ts_wire_body(ts_wire *w, const char *b, size_t len, size_t *used, ts_http_pipe *to);
enum {
    TS_WIRE_MAX_LINE = 4096
}; /* of a chunk's size; the longest run of bytes that ts_wire_body may want at once is max_trailers */

const char *ts_wire_reason(unsigned status); /* "Not Found"; "" where none is registered */
#endif
#endif
