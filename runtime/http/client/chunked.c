/* chunked: see chunked.h */
#include "http/client/chunked.h"
#include <stdlib.h>
#include <string.h>

enum {
    MAX_EXTENSION = 4096, /* bytes of the extensions of one chunk */
    MAX_DIGITS = 16,
};
enum state {
    SIZE,
    SIZE_BLANKS, /* between a chunk size and the semicolon of an extension (RFC 9112, 7.1.1: BWS) */
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* inside a line of the trailer section */
    TRAILER_LF,
    DONE,
};

void ts_http_chunked_free(ts_http_chunked *d) {
    free(d->line);
    d->line = NULL;
    d->line_len = d->line_cap = 0;
}

ts_http_line ts_http_field_line(ts_http_fields *f, const char *line, size_t len) {
    const char *colon = memchr(line, ':', len);
    if (!colon || !ts_http_is_token(line, (size_t)(colon - line))) return TS_HTTP_LINE_BAD;
    const char *value = colon + 1;
    size_t value_len = len - (size_t)(value - line);
    ts_http_trim(&value, &value_len);
    if (!ts_http_is_field_value(value, value_len)) return TS_HTTP_LINE_BAD;
    return ts_http_fields_add(f, line, (size_t)(colon - line), value, value_len) ? TS_HTTP_LINE_OK : TS_HTTP_LINE_NOMEM;
}

static int hex(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool line_add(ts_http_chunked *d, char c) {
    if (d->line_len == d->line_cap) {
        uint32_t cap = d->line_cap ? d->line_cap * 2 : 256;
        char *line = realloc(d->line, cap);
        if (!line) return false;
        d->line = line;
        d->line_cap = cap;
    }
    d->line[d->line_len++] = c;
    return true;
}

ts_http_chunked_result ts_http_chunked_feed(ts_http_chunked *d, const void *bytes, size_t len, ts_http_pipe *to,
                                            uint64_t max_trailers) {
    const uint8_t *b = bytes, *end = b + len;
    while (b < end && d->state != DONE) {
        uint8_t c = *b;
        if (d->state == DATA) {
            size_t n = (size_t)(end - b);
            if (n > d->left) n = (size_t)d->left;
            if (to) (void)ts_http_pipe_put(to, b, n);
            b += n;
            d->left -= n;
            if (d->left == 0) d->state = DATA_CR;
            continue;
        }
        b++;
        switch ((enum state)d->state) {
        case SIZE:
            if (hex(c) >= 0) {
                if (++d->digits > MAX_DIGITS) return TS_HTTP_CHUNKED_BAD;
                d->left = d->left << 4 | (uint64_t)hex(c);
            } else if (d->digits && (c == ';' || c == '\r')) {
                d->state = c == ';' ? EXTENSION : SIZE_LF;
            } else if (d->digits && (c == ' ' || c == '\t')) {
                d->state = SIZE_BLANKS;
            } else {
                return TS_HTTP_CHUNKED_BAD;
            }
            break;
        case SIZE_BLANKS:
            if (c == ';')
                d->state = EXTENSION;
            else if ((c != ' ' && c != '\t') || ++d->extension > MAX_EXTENSION)
                return TS_HTTP_CHUNKED_BAD;
            break;
        case EXTENSION: /* chunk-ext is ignored */
            if (c == '\r')
                d->state = SIZE_LF;
            else if (c == '\n' || c == 0 || ++d->extension > MAX_EXTENSION)
                return TS_HTTP_CHUNKED_BAD;
            break;
        case SIZE_LF:
            if (c != '\n') return TS_HTTP_CHUNKED_BAD;
            d->state = d->left ? DATA : TRAILER;
            d->digits = d->extension = 0;
            break;
        case DATA_CR:
        case DATA_LF:
            if (c != (d->state == DATA_CR ? '\r' : '\n')) return TS_HTTP_CHUNKED_BAD;
            d->state = d->state == DATA_CR ? DATA_LF : SIZE;
            break;
        case TRAILER:
            if (c == '\r') {
                d->state = TRAILER_LF;
            } else {
                if (c == '\n') return TS_HTTP_CHUNKED_BAD;
                if (d->line_len >= max_trailers) return TS_HTTP_CHUNKED_BIG;
                if (!line_add(d, (char)c)) return TS_HTTP_CHUNKED_NOMEM;
            }
            break;
        case TRAILER_LF:
            if (c != '\n') return TS_HTTP_CHUNKED_BAD;
            if (d->line_len == 0) {
                d->state = DONE;
                break;
            }
            if (to) {
                ts_http_line r = ts_http_field_line(&to->trailers, d->line, d->line_len);
                if (r) return r == TS_HTTP_LINE_BAD ? TS_HTTP_CHUNKED_BAD : TS_HTTP_CHUNKED_NOMEM;
                if (to->trailers.bytes > max_trailers) return TS_HTTP_CHUNKED_BIG;
            }
            d->line_len = 0;
            d->state = TRAILER;
            break;
        case DATA:
        case DONE: break;
        }
    }
    return d->state == DONE ? TS_HTTP_CHUNKED_END : TS_HTTP_CHUNKED_MORE;
}
