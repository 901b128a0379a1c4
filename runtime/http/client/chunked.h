/* chunked: a body in chunks, as strictly as the text has it, and a field line of a head or a trailer section.
 * In: bytes of the wire. Out: the body's bytes into a pipe, its trailers. Source: RFC 9112, 5 and 7.1 */
#ifndef TS_SYS_HTTP_CHUNKED_H
#define TS_SYS_HTTP_CHUNKED_H
#include "http/message.h"

typedef struct ts_http_chunked { /* zeroed: at the start */
    uint8_t state;
    uint32_t digits, extension; /* of the line that is read */
    uint64_t left;              /* bytes of the chunk that are still to come */
    char *line;                 /* of a trailer */
    uint32_t line_len, line_cap;
} ts_http_chunked;

typedef enum ts_http_chunked_result {
    TS_HTTP_CHUNKED_MORE,
    TS_HTTP_CHUNKED_END, /* the last byte was read; what follows is not the body's */
    TS_HTTP_CHUNKED_BAD,
    TS_HTTP_CHUNKED_BIG, /* trailers beyond the limit */
    TS_HTTP_CHUNKED_NOMEM,
} ts_http_chunked_result;

/* The pipe has room for all of it; NULL: nobody wants it. Trailers are added to those of the pipe, up to max_trailers bytes. */
ts_http_chunked_result ts_http_chunked_feed(ts_http_chunked *d, const void *bytes, size_t len, ts_http_pipe *to,
                                            uint64_t max_trailers);
void ts_http_chunked_free(ts_http_chunked *d);

typedef enum ts_http_line { TS_HTTP_LINE_OK, TS_HTTP_LINE_BAD, TS_HTTP_LINE_NOMEM } ts_http_line;
/* "name: value" without its line end; blanks around the value are not part of it. */
ts_http_line ts_http_field_line(ts_http_fields *f, const char *line, size_t len);
#endif
