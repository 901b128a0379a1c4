/* chunked: a strict decoder of chunked bodies, and a parser of field lines in heads and trailer
 * sections.
 * In: bytes from the wire. Out: the body's bytes in a pipe, and its trailers. Source: RFC 9112, 5 and
 * 7.1 */
#ifndef TS_SYS_HTTP_CHUNKED_H
#define TS_SYS_HTTP_CHUNKED_H
#include "http/message.h"

typedef struct ts_http_chunked { /* all zero at the start of a body */
    uint8_t state;
    uint32_t digits, extension; /* of the current line, in bytes */
    uint64_t left;              /* bytes of the current chunk that have not come yet */
    char *line;                 /* the current trailer line */
    uint32_t line_len, line_cap;
} ts_http_chunked;

typedef enum ts_http_chunked_result {
    TS_HTTP_CHUNKED_MORE,
    TS_HTTP_CHUNKED_END, /* the last byte has been read; what follows does not belong to the body */
    TS_HTTP_CHUNKED_BAD,
    TS_HTTP_CHUNKED_BIG, /* the trailers exceed the limit */
    TS_HTTP_CHUNKED_NOMEM,
} ts_http_chunked_result;

/* Decodes the next bytes of a body into the pipe, which must have room for all of them. If `to` is
 * NULL, the body is discarded. Trailers are added to those of the pipe, up to max_trailers bytes. */
ts_http_chunked_result ts_http_chunked_feed(ts_http_chunked *d, const void *bytes, size_t len, ts_http_pipe *to,
                                            uint64_t max_trailers);
void ts_http_chunked_free(ts_http_chunked *d);

typedef enum ts_http_line { TS_HTTP_LINE_OK, TS_HTTP_LINE_BAD, TS_HTTP_LINE_NOMEM } ts_http_line;
/* Parses "name: value", without its line end, and appends the field. Blanks around the value are not
 * part of it. */
ts_http_line ts_http_field_line(ts_http_fields *f, const char *line, size_t len);
#endif
