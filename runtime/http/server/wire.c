/* wire: see wire.h */
#include "http/server/wire.h"
#include "http/uri.h"
#ifdef TS_HTTP_SERVER
#include <stdlib.h>
#include <string.h>

enum {
    MAX_EXTENSIONS = 16384, /* bytes of chunk extensions in one body, which no known client sends */
    MAX_FIELDS = 1000,
};

/* --- llhttp ---
 * llhttp is given whole lines. What it finds decides how the bytes after them are read. */
static int on_headers_complete(llhttp_t *p) {
    ts_wire *w = p->data;
    w->seen_head = true;
    p->upgrade = 0; /* no other protocol is supported: an Upgrade is ignored (RFC 9110, 7.8) */
    return 0;
}
static int on_chunk_header(llhttp_t *p) {
    ts_wire *w = p->data;
    w->seen_size = true;
    w->left = p->content_length;
    return 0;
}
static int on_body(llhttp_t *p, const char *at, size_t len) {
    ts_wire *w = p->data;
    return ts_http_pipe_put(w->to, at, len) == len ? 0 : -1;
}
static int on_message_complete(llhttp_t *p) {
    ts_wire *w = p->data;
    w->seen_end = true;
    return HPE_PAUSED; /* it is initialized again for the next request */
}

void ts_wire_init(ts_wire *w, uint64_t max_body, uint32_t max_trailers) {
    *w = (ts_wire){.max_body = max_body, .max_trailers = max_trailers};
    llhttp_settings_init(&w->settings);
    w->settings.on_headers_complete = on_headers_complete;
    w->settings.on_chunk_header = on_chunk_header;
    w->settings.on_body = on_body;
    w->settings.on_message_complete = on_message_complete;
}
void ts_wire_free(ts_wire *w) {
    free(w->headers.data); /* the strings belong to the buffer */
    w->headers = (ts_http_fields){0};
}

static bool feed(ts_wire *w, const char *b, size_t len) {
    llhttp_errno_t e = llhttp_execute(&w->parser, b, len);
    return e == HPE_OK || (e == HPE_PAUSED && w->seen_end);
}

/* --- the head: lines --------------------------------------------------------------------------- */
/* Returns whether a line ends with CRLF and contains no other CR and no NUL. RFC 9112, 2.2: a bare CR
 * or LF does not end a line here. */
static bool line_is_valid(const char *line, size_t len) {
    return len >= 2 && line[len - 2] == '\r' && !memchr(line, '\r', len - 2) && !memchr(line, 0, len - 2);
}

long ts_wire_scan_head(ts_wire_scan *s, const char *b, size_t len) {
    while (s->at < len) {
        const char *line = b + s->at, *lf = memchr(line, '\n', len - s->at);
        if (*line == ' ' || *line == '\t') return -1; /* a folded line */
        if (!lf) return 0;
        size_t n = (size_t)(lf - line) + 1;
        if (!line_is_valid(line, n)) return -1;
        s->at += n;
        if (n == 2 && s->began) return (long)s->at;
        if (n != 2 && !s->line) s->line = s->at;
        s->began |= n != 2; /* empty lines before the request line are skipped (RFC 9112, 2.2) */
    }
    return 0;
}

/* --- the head: what the lines say -------------------------------------------------------------- */
/* field-content: visible characters, blanks, tabs, and bytes beyond ASCII (RFC 9110, 5.5) */
static bool value_is_valid(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

/* Splits `name: value` in place, up to its CRLF. *tab is set if there is a tab among the blanks after
 * the value, which are not part of it. */
static bool split_field(char *line, size_t len, ts_http_field *out, bool *tab) {
    char *colon = memchr(line, ':', len), *end = line + len;
    /* which also excludes a blank before the colon */
    if (!colon || !ts_http_is_token(line, (size_t)(colon - line))) return false;
    char *v = colon + 1;
    while (v < end && (*v == ' ' || *v == '\t')) v++;
    while (end > v && (end[-1] == ' ' || end[-1] == '\t')) *tab |= *--end == '\t';
    if (!value_is_valid(v, (size_t)(end - v))) return false;
    *out = (ts_http_field){line, v, (uint32_t)(colon - line), (uint32_t)(end - v)};
    return true;
}

static bool push(ts_http_fields *f, const ts_http_field *x) {
    if (f->len == f->cap) {
        uint32_t cap = f->cap ? f->cap * 2 : 16;
        ts_http_field *data = realloc(f->data, cap * sizeof *data);
        if (!data) return false;
        f->data = data;
        f->cap = cap;
    }
    f->data[f->len++] = *x;
    f->bytes += (uint64_t)x->name_len + x->value_len + 32;
    return true;
}

static bool field_is(const ts_http_field *f, const char *name) {
    return ts_http_name_is(f->name, f->name_len, name, strlen(name));
}

/* What requests can be sent to (RFC 9110, 7.2): no user, no blank, nothing that ends an authority,
 * and a port that fits. */
static bool authority_is_valid(const char *s, size_t len) {
    const char *host;
    size_t host_len;
    int32_t port;
    return ts_http_host_port(s, len, &host, &host_len, &port);
}

/* The methods that llhttp sees: those that mean nothing to it beyond their name, and CONNECT, whose
 * target differs. It sees POST instead of others, since any token is a method. */
static bool plain_method(const char *m, size_t len) {
    static const char *const plain[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strlen(plain[i]) == len && memcmp(m, plain[i], len) == 0) return true;
    return false;
}

/* CONNECT's target (RFC 9112, 3.2.3) is an authority with a port; an invalid port number is refused
 * (RFC 9110, 9.3.6). */
static int read_connect_target(ts_wire *w, char *t, size_t len) {
    const char *host;
    size_t host_len;
    int32_t port;
    if (!ts_http_host_port(t, len, &host, &host_len, &port) || port < 1) return 400;
    w->authority = t;
    return 0;
}

/* Splits http://authority/path within the buffer. RFC 9112, 3.2.2 */
static int read_absolute_target(ts_wire *w, char *t, size_t len) {
    if (len < 8 || !ts_http_name_is(t, 7, "http://", 7)) return 400;
    char *a = t + 7, *end = t + len, *path = a;
    while (path < end && *path != '/' && *path != '?') path++;
    size_t n = (size_t)(path - a);
    if (!authority_is_valid(a, n)) return 400;
    if (path < end && !ts_http_is_path_with_query(path, (size_t)(end - path))) return 400;
    /* move the authority left, over the slashes, to make room for its end and for the slash of an
     * empty path */
    char *authority = a - 2, *after = authority + n;
    memmove(authority, a, n);
    w->authority = authority;
    after[0] = 0;
    w->target = path;
    if (path == end || *path == '?') {
        w->target = after + 1;
        after[1] = path == end && strcmp(w->method, "OPTIONS") == 0 ? '*' : '/';
        if (path == end) after[2] = 0;
    }
    return 0;
}

/* Reads a target in its four forms (RFC 9112, 3.2). A target that is not valid by RFC 3986 is refused
 * (RFC 9112, 3), neither repaired nor passed on: a guest could not send it, and two readers might
 * repair it differently. */
static int read_target(ts_wire *w, char *t, size_t len) {
    if (len > TS_HTTP_MAX_TARGET) return 414;
    if (strcmp(w->method, "CONNECT") == 0) return read_connect_target(w, t, len);
    if (!ts_http_is_origin_target(t, len, w->method)) return read_absolute_target(w, t, len);
    w->target = t;
    return 0;
}

/* METHOD SP target SP HTTP-version */
static int read_request_line(ts_wire *w, char *line, size_t len) {
    char *end = line + len, *sp = memchr(line, ' ', len);
    if (!sp || !ts_http_is_token(line, (size_t)(sp - line))) return 400;
    if (sp - line > TS_HTTP_MAX_METHOD) return 501; /* RFC 9112, 3 */
    char *target = sp + 1, *sp2 = memchr(target, ' ', (size_t)(end - target));
    if (!sp2) return 400;
    const char *v = sp2 + 1;
    if (end - v != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' || v[7] < '0' ||
        v[7] > '9')
        return 400;
    if (v[5] != '1') return 505;
    /* RFC 9110, 2.5: a higher minor version is served as the highest one that is known here */
    w->http10 = v[7] == '0';
    *sp = *sp2 = 0;
    w->method = line;
    w->is_head = strcmp(line, "HEAD") == 0;
    w->is_connect = strcmp(line, "CONNECT") == 0;
    return read_target(w, target, (size_t)(sp2 - target));
}

/* Determines the length of the body (RFC 9112, 6.3; strictly, where it allows a choice). */
static int read_framing(ts_wire *w) {
    uint32_t hosts = 0, lengths = 0, codings = 0;
    bool close = false, keep = false;
    for (uint32_t i = 0; i < w->headers.len; i++) {
        const ts_http_field *f = &w->headers.data[i];
        const char *at = f->value, *end = f->value + f->value_len, *e;
        size_t n;
        if (field_is(f, "host")) {
            if (++hosts > 1) return 400;
            if (f->value_len && !authority_is_valid(f->value, f->value_len)) return 400;
            if (!w->authority && f->value_len) w->authority = f->value;
        } else if (field_is(f, "content-length")) {
            if (++lengths > 1 || f->value_len == 0) return 400;
            for (w->length = 0; at < end; at++) {
                if (*at < '0' || *at > '9' || w->length > (INT64_MAX - 9) / 10) return 400;
                w->length = w->length * 10 + (uint64_t)(*at - '0');
            }
        } else if (field_is(f, "transfer-encoding")) {
            /* only `chunked` is supported: a coding before it is unknown, and a coding after it
             * leaves the length undefined. Empty elements and a second field (even an empty one) are
             * refused: some readers ignore them, others take the value for an unknown coding */
            if (w->chunked) return 400;
            while (ts_http_next_element(&at, end, &e, &n)) {
                if (w->chunked) return 400;
                codings++;
                w->chunked = ts_http_name_is(e, n, "chunked", 7);
            }
            if (!w->chunked || (codings == 1 && f->value_len != 7)) return 400;
        } else if (field_is(f, "connection")) {
            while (ts_http_next_element(&at, end, &e, &n)) {
                close |= ts_http_name_is(e, n, "close", 5);
                keep |= ts_http_name_is(e, n, "keep-alive", 10);
            }
        } else if (field_is(f, "expect")) {
            if (!ts_http_name_is(f->value, f->value_len, "100-continue", 12)) return 417;
            w->expect_continue = !w->http10;
        }
    }
    if (w->chunked && (lengths || w->http10)) return 400;
    /* a CONNECT has no content: RFC 9110, 9.3.6 */
    if (w->is_connect && (w->chunked || w->length)) return 400;
    if (codings > 1) return 501;
    if (!hosts && !w->http10) return 400;
    if (!w->chunked && w->max_body && w->length > w->max_body) return 413;
    /* what follows a CONNECT may be meant for a tunnel and must not be read as a request */
    w->keep_alive = !close && (!w->http10 || keep) && !w->is_connect;
    w->has_body = w->chunked || w->length > 0;
    if (!w->has_body) w->expect_continue = false;
    return 0;
}

/* The request line as llhttp takes it. It knows few methods, so another one is shown as POST, and no
 * minor version above 1. Returns false if the line has no method. *parsed: llhttp accepts the line. */
static bool show_request_line(ts_wire *w, const char *b, size_t len, bool *parsed) {
    const char *sp = memchr(b, ' ', len);
    if (!sp || !ts_http_is_token(b, (size_t)(sp - b))) return false;
    /* before the CRLF */
    size_t from = plain_method(b, (size_t)(sp - b)) ? 0 : (size_t)(sp - b), minor = len - 3;
    bool higher = minor > from && b[minor] > '1' && b[minor] <= '9';
    *parsed = from == 0 || feed(w, "POST", 4);
    if (higher)
        *parsed = *parsed && feed(w, b + from, minor - from) && feed(w, "1\r\n", 3);
    else
        *parsed = *parsed && feed(w, b + from, len - from);
    return true;
}

/* Shows llhttp the head as it came. It takes no tab after a content-length or a transfer-encoding,
 * where RFC 9112, 5 has optional white space, so a head with such a tab is shown without the blanks
 * around values. Returns false if the request line has no method. *parsed: llhttp accepts the head. */
static bool show_llhttp(ts_wire *w, const char *b, size_t request_line, const char *end, bool tab, bool *parsed) {
    llhttp_init(&w->parser, HTTP_REQUEST, &w->settings);
    w->parser.data = w;
    if (!show_request_line(w, b, request_line, parsed)) return false;
    if (!tab) {
        *parsed = *parsed && feed(w, b + request_line, (size_t)(end - b) - request_line);
        return true;
    }
    for (uint32_t i = 0; i < w->headers.len && *parsed; i++) {
        const ts_http_field *f = &w->headers.data[i];
        *parsed =
            feed(w, f->name, f->name_len) && feed(w, ":", 1) && feed(w, f->value, f->value_len) && feed(w, "\r\n", 2);
    }
    *parsed = *parsed && feed(w, "\r\n", 2);
    return true;
}

int ts_wire_head(ts_wire *w, char *b, size_t len) {
    bool parsed;
    w->method = w->target = w->authority = NULL;
    w->headers.len = 0;
    w->headers.bytes = 0;
    w->http10 = w->keep_alive = w->expect_continue = w->is_head = w->is_connect = w->has_body = w->chunked = false;
    w->length = w->left = w->got = 0;
    w->extensions = 0;
    w->seen_head = w->seen_size = w->seen_end = false;
    while (len >= 2 && b[0] == '\r') b += 2, len -= 2;
    char *end = b + len, *request_end = memchr(b, '\n', len);
    bool tab = false;
    for (char *line = request_end + 1, *lf;; line = lf + 1) {
        ts_http_field f;
        lf = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)(lf - line) - 1;
        if (n == 0) break;
        if (!split_field(line, n, &f, &tab)) return 400;
        if (w->headers.len == MAX_FIELDS || f.name_len + f.value_len > TS_HTTP_MAX_FIELD) return 431;
        if (!push(&w->headers, &f)) return 503;
    }
    if (w->headers.bytes > TS_HTTP_MAX_FIELDS) return 431;
    /* show it to llhttp before anything is written into the buffer */
    if (!show_llhttp(w, b, (size_t)(request_end + 1 - b), end, tab, &parsed)) return 400;
    bool of_llhttp_chunked = (w->parser.flags & F_CHUNKED) != 0;
    uint64_t of_llhttp_length = w->parser.content_length;

    int status = read_request_line(w, b, (size_t)(request_end - b) - 1);
    if (status) return status;
    /* terminate the strings last, so that no search above meets a NUL */
    for (uint32_t i = 0; i < w->headers.len; i++) {
        w->headers.data[i].name[w->headers.data[i].name_len] = 0;
        w->headers.data[i].value[w->headers.data[i].value_len] = 0;
    }
    status = read_framing(w);
    if (status) return status;
    /* llhttp must have understood the same, otherwise the request is refused */
    if (!parsed || !w->seen_head || w->seen_end != !w->has_body) return 400;
    if (w->has_body && (of_llhttp_chunked != w->chunked || (!w->chunked && of_llhttp_length != w->length))) return 400;
    w->at = !w->has_body ? TS_WIRE_DONE : w->chunked ? TS_WIRE_SIZE_LINE : TS_WIRE_DATA;
    w->left = w->chunked ? 0 : w->length;
    return 0;
}

/* --- the body ---------------------------------------------------------------------------------- */
static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static size_t skip_blanks(const char *s, size_t i, size_t len) {
    while (i < len && (s[i] == ' ' || s[i] == '\t')) i++;
    return i;
}
static size_t skip_token(const char *s, size_t i, size_t len) {
    while (i < len && ts_http_is_token(s + i, 1)) i++;
    return i;
}
/* quoted-string (RFC 9110, 5.6.4); 0 if it is not one */
static size_t skip_quoted(const char *s, size_t i, size_t len) {
    for (i++; i < len && s[i] != '"'; i++)
        if (s[i] == '\\') i++;
    return i < len ? i + 1 : 0;
}
/* *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ) (RFC 9112, 7.1.1) */
static bool extensions_are_valid(const char *s, size_t len) {
    if (!value_is_valid(s, len)) return false;
    for (size_t i = 0; i < len;) {
        i = skip_blanks(s, i, len);
        if (i == len || s[i] != ';') return false;
        size_t name = skip_blanks(s, i + 1, len), end = skip_token(s, name, len);
        if (end == name) return false;
        i = end;
        size_t eq = skip_blanks(s, i, len);
        if (eq == len || s[eq] != '=') continue;
        size_t v = skip_blanks(s, eq + 1, len);
        i = v < len && s[v] == '"' ? skip_quoted(s, v, len) : skip_token(s, v, len);
        if (i <= v) return false;
    }
    return true;
}
/* 1*HEXDIG [ extensions ] CRLF (RFC 9112, 7.1): returns the number of digits, or 0 if the line is not
 * valid */
static size_t size_line(const char *s, size_t len) {
    size_t i = 0;
    while (i < len - 2 && is_hex(s[i])) i++;
    return i && i <= 16 && extensions_are_valid(s + i, len - 2 - i) ? i : 0;
}

static ts_wire_state refuse(ts_wire *w, int status) {
    w->at = TS_WIRE_BAD;
    w->status = status;
    return TS_WIRE_REFUSED;
}

static ts_wire_state body_ended(ts_wire *w, ts_http_pipe *to) {
    w->at = TS_WIRE_DONE;
    ts_http_pipe_end(to);
    return TS_WIRE_END;
}

/* Reads a trailer. *kept: it belongs to the message. Others are hidden from llhttp too, which would
 * take a length for one that counts. */
static bool trailer(ts_wire *w, const char *line, size_t len, ts_http_pipe *to, bool *kept) {
    const char *colon = memchr(line, ':', len), *end = line + len;
    if (!colon || !ts_http_is_token(line, (size_t)(colon - line))) return false;
    const char *v = colon + 1;
    while (v < end && (*v == ' ' || *v == '\t')) v++;
    while (end > v && (end[-1] == ' ' || end[-1] == '\t')) end--;
    if (!value_is_valid(v, (size_t)(end - v)) || to->trailers.len == MAX_FIELDS) return false;
    ts_http_field f = {(char *)line, (char *)v, (uint32_t)(colon - line), (uint32_t)(end - v)};
    *kept = !ts_http_is_forbidden_trailer(f.name, f.name_len);
    if (!*kept) return true;
    if (to->trailers.bytes + f.name_len + f.value_len + 32 > w->max_trailers) return false;
    return ts_http_fields_add(&to->trailers, f.name, f.name_len, f.value, f.value_len);
}

/* Reads one line of the chunked framing. */
static ts_wire_state framing_line(ts_wire *w, const char *line, size_t n, ts_http_pipe *to) {
    size_t digits;
    bool kept = true;
    if (!line_is_valid(line, n)) return refuse(w, 400);
    switch (w->at) {
    case TS_WIRE_SIZE_LINE:
        if (!(digits = size_line(line, n))) return refuse(w, 400);
        w->extensions += (uint32_t)(n - 2 - digits);
        if (w->extensions > MAX_EXTENSIONS) return refuse(w, 400);
        w->seen_size = false;
        /* without the extensions, which are ignored */
        if (!feed(w, line, digits) || !feed(w, "\r\n", 2) || !w->seen_size) return refuse(w, 400);
        if (w->max_body && w->left > w->max_body - w->got) return refuse(w, 413);
        w->at = w->left ? TS_WIRE_DATA : TS_WIRE_TRAILERS;
        return TS_WIRE_MORE;
    case TS_WIRE_DATA_END:
        if (n != 2 || !feed(w, line, n)) return refuse(w, 400);
        w->at = TS_WIRE_SIZE_LINE;
        return TS_WIRE_MORE;
    default: /* TS_WIRE_TRAILERS */
        if (n > 2 && (line[0] == ' ' || line[0] == '\t' || !trailer(w, line, n - 2, to, &kept))) return refuse(w, 400);
        if (kept && !feed(w, line, n)) return refuse(w, 400);
        if (n > 2) return TS_WIRE_MORE;
        return w->seen_end ? body_ended(w, to) : refuse(w, 400);
    }
}

ts_wire_state ts_wire_body(ts_wire *w, const char *b, size_t len, size_t *used, ts_http_pipe *to) {
    *used = 0;
    if (w->at == TS_WIRE_DONE) return body_ended(w, to);
    if (w->at == TS_WIRE_BAD) return TS_WIRE_REFUSED;
    w->to = to;
    while (*used < len) {
        const char *p = b + *used;
        size_t n = len - *used;
        if (w->at != TS_WIRE_DATA) {
            const char *lf = memchr(p, '\n', n);
            size_t most = w->at == TS_WIRE_TRAILERS ? w->max_trailers : TS_WIRE_MAX_LINE;
            if (lf) n = (size_t)(lf - p) + 1;
            if (n > most) return refuse(w, w->at == TS_WIRE_TRAILERS ? 431 : 400);
            if (!lf) return TS_WIRE_MORE;
            *used += n;
            ts_wire_state s = framing_line(w, p, n, to);
            if (s != TS_WIRE_MORE) return s;
            continue;
        }
        size_t room = ts_http_pipe_room(to);
        if (room == 0) return TS_WIRE_FULL;
        if (n > room) n = room;
        if (n > w->left) n = (size_t)w->left;
        if (w->chunked ? !feed(w, p, n) : ts_http_pipe_put(to, p, n) != n) return refuse(w, 503);
        *used += n;
        w->left -= n;
        w->got += n;
        if (w->left) continue;
        if (!w->chunked) return body_ended(w, to);
        w->at = TS_WIRE_DATA_END;
    }
    return TS_WIRE_MORE;
}

/* --- reason phrases --- */
const char *ts_wire_reason(unsigned status) {
    static const struct {
        uint16_t status;
        const char *text;
    } reasons[] = {
        {100, "Continue"},
        {101, "Switching Protocols"},
        {102, "Processing"},
        {103, "Early Hints"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {203, "Non-Authoritative Information"},
        {204, "No Content"},
        {205, "Reset Content"},
        {206, "Partial Content"},
        {207, "Multi-Status"},
        {208, "Already Reported"},
        {226, "IM Used"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {305, "Use Proxy"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {424, "Failed Dependency"},
        {425, "Too Early"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {451, "Unavailable For Legal Reasons"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {506, "Variant Also Negotiates"},
        {507, "Insufficient Storage"},
        {508, "Loop Detected"},
        {511, "Network Authentication Required"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "";
}

#endif
