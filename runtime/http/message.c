/* message: see message.h */
#include "http/message.h"
#include <stdlib.h>
#include <string.h>

enum { PIPE_BYTES = 65536 };

/* --- fields ------------------------------------------------------------------------------------ */
static uint64_t weight(const ts_http_field *f) {
    return (uint64_t)f->name_len + f->value_len + 32;
}

bool ts_http_fields_add(ts_http_fields *f, const char *name, size_t name_len, const void *value, size_t value_len) {
    if (name_len > UINT32_MAX / 2 || value_len > UINT32_MAX / 2) return false;
    if (f->len == f->cap) {
        uint32_t cap = f->cap ? f->cap * 2 : 8;
        ts_http_field *data = cap > f->cap ? realloc(f->data, cap * sizeof *data) : NULL;
        if (!data) return false;
        f->data = data;
        f->cap = cap;
    }
    char *both = malloc(name_len + value_len + 2);
    if (!both) return false;
    ts_http_field *n = &f->data[f->len];
    *n = (ts_http_field){both, both + name_len + 1, (uint32_t)name_len, (uint32_t)value_len};
    if (name_len) memcpy(n->name, name, name_len);
    if (value_len) memcpy(n->value, value, value_len);
    n->name[name_len] = n->value[value_len] = 0;
    f->len++;
    f->bytes += weight(n);
    return true;
}

void ts_http_fields_remove(ts_http_fields *f, uint32_t i) {
    f->bytes -= weight(&f->data[i]);
    free(f->data[i].name);
    f->len--;
    memmove(f->data + i, f->data + i + 1, (f->len - i) * sizeof *f->data);
}

bool ts_http_fields_copy(ts_http_fields *to, const ts_http_fields *from) {
    for (uint32_t i = 0; i < from->len; i++) {
        const ts_http_field *x = &from->data[i];
        if (ts_http_fields_add(to, x->name, x->name_len, x->value, x->value_len)) continue;
        ts_http_fields_clear(to);
        return false;
    }
    return true;
}

void ts_http_fields_clear(ts_http_fields *f) {
    for (uint32_t i = 0; i < f->len; i++) free(f->data[i].name);
    free(f->data);
    *f = (ts_http_fields){0};
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool ts_http_name_is(const char *a, size_t a_len, const char *b, size_t b_len) {
    if (a_len != b_len) return false;
    for (size_t i = 0; i < a_len; i++)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

const ts_http_field *ts_http_fields_find(const ts_http_fields *f, const char *name, uint32_t *i) {
    size_t len = strlen(name);
    for (; *i < f->len; ++*i)
        if (ts_http_name_is(f->data[*i].name, f->data[*i].name_len, name, len)) return &f->data[*i];
    return NULL;
}

bool ts_http_is_token(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        bool letter = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) return false;
    }
    return len > 0;
}

bool ts_http_is_field_value(const void *s, size_t len) {
    const char *v = s;
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)v[i] < 0x20 && v[i] != '\t') || v[i] == 0x7f) return false;
    return true;
}

void ts_http_trim(const char **s, size_t *len) {
    for (; *len && (**s == ' ' || **s == '\t'); --*len) ++*s;
    while (*len && ((*s)[*len - 1] == ' ' || (*s)[*len - 1] == '\t')) --*len;
}

bool ts_http_next_element(const char **at, const char *end, const char **element, size_t *len) {
    while (*at < end) {
        const char *from = *at, *comma = memchr(from, ',', (size_t)(end - from)), *to = comma ? comma : end;
        *at = comma ? comma + 1 : end;
        *element = from;
        *len = (size_t)(to - from);
        ts_http_trim(element, len);
        if (*len) return true;
    }
    return false;
}

bool ts_http_list_has(const char *list, size_t len, const char *element) {
    const char *end = list + len, *e;
    size_t n;
    while (ts_http_next_element(&list, end, &e, &n))
        if (ts_http_name_is(e, n, element, strlen(element))) return true;
    return false;
}

static bool parse_length(const char *s, size_t len, uint64_t *out) {
    uint64_t n = 0;
    for (size_t k = 0; k < len; k++) {
        if (s[k] < '0' || s[k] > '9' || n > (UINT64_MAX - 9) / 10) return false;
        n = n * 10 + (uint64_t)(s[k] - '0');
    }
    *out = n;
    return len > 0;
}
static int content_length(const ts_http_fields *f, bool lists, uint64_t *out) {
    int found = 0;
    for (uint32_t i = 0;; i++) {
        const ts_http_field *x = ts_http_fields_find(f, "content-length", &i);
        if (!x) return found;
        const char *at = x->value, *end = at + x->value_len;
        do { /* take each number of a list without empty elements, or the whole value */
            const char *comma = lists && at < end ? memchr(at, ',', (size_t)(end - at)) : NULL, *v = at;
            size_t len = (size_t)((comma ? comma : end) - at);
            uint64_t n;
            ts_http_trim(&v, &len);
            if (!parse_length(v, len, &n) || (found && n != *out)) return -1;
            *out = n;
            found = 1;
            at = comma ? comma + 1 : NULL;
        } while (at);
    }
}
int ts_http_content_length(const ts_http_fields *f, uint64_t *out) {
    return content_length(f, false, out);
}
int ts_http_received_length(const ts_http_fields *f, uint64_t *out) {
    return content_length(f, true, out);
}

static bool is_one_of(const char *name, size_t len, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (ts_http_name_is(name, len, names[i], strlen(names[i]))) return true;
    return false;
}
bool ts_http_is_connection_field(const char *name, size_t len) {
    static const char *const names[] = {"connection",       "host",    "http2-settings",   "keep-alive",
                                        "proxy-connection", "upgrade", "transfer-encoding"};
    return is_one_of(name, len, names, sizeof names / sizeof *names);
}
bool ts_http_is_forbidden_trailer(const char *name, size_t len) {
    static const char *const names[] = {
        "content-encoding", "content-length", "content-range", "content-type", "expect", "te", "trailer"};
    return ts_http_is_connection_field(name, len) || is_one_of(name, len, names, sizeof names / sizeof *names);
}

/* --- errors ------------------------------------------------------------------------------------ */
ts_http_error ts_http_error_of(ts_http_code code) {
    return (ts_http_error){.code = code};
}

ts_http_error ts_http_error_text(ts_http_code code, const char *text) {
    ts_http_error e = {.code = code, .has_text = true};
    size_t n = strlen(text);
    if (n >= sizeof e.text) n = sizeof e.text - 1;
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80) n--; /* do not cut a character in half */
    memcpy(e.text, text, n);
    return e;
}

const char *ts_http_code_name(ts_http_code code) {
    static const char *const names[] = {
        "DNS-timeout",
        "DNS-error",
        "destination-not-found",
        "destination-unavailable",
        "destination-IP-prohibited",
        "destination-IP-unroutable",
        "connection-refused",
        "connection-terminated",
        "connection-timeout",
        "connection-read-timeout",
        "connection-write-timeout",
        "connection-limit-reached",
        "TLS-protocol-error",
        "TLS-certificate-error",
        "TLS-alert-received",
        "HTTP-request-denied",
        "HTTP-request-length-required",
        "HTTP-request-body-size",
        "HTTP-request-method-invalid",
        "HTTP-request-URI-invalid",
        "HTTP-request-URI-too-long",
        "HTTP-request-header-section-size",
        "HTTP-request-header-size",
        "HTTP-request-trailer-section-size",
        "HTTP-request-trailer-size",
        "HTTP-response-incomplete",
        "HTTP-response-header-section-size",
        "HTTP-response-header-size",
        "HTTP-response-body-size",
        "HTTP-response-trailer-section-size",
        "HTTP-response-trailer-size",
        "HTTP-response-transfer-coding",
        "HTTP-response-content-coding",
        "HTTP-response-timeout",
        "HTTP-upgrade-failed",
        "HTTP-protocol-error",
        "loop-detected",
        "configuration-error",
        "internal-error",
    };
    _Static_assert(sizeof names / sizeof *names == TS_HTTP_CODE_COUNT, "one name a code");
    return (unsigned)code < TS_HTTP_CODE_COUNT ? names[code] : "?";
}

/* --- pipes ------------------------------------------------------------------------------------- */
ts_http_pipe *ts_http_pipe_new(void) {
    ts_http_pipe *p = calloc(1, sizeof *p);
    if (p) {
        p->refs = 1;
        p->cap = PIPE_BYTES;
    }
    return p;
}

void ts_http_pipe_hold(ts_http_pipe *p) {
    p->refs++;
}

void ts_http_pipe_release(ts_http_pipe *p) {
    if (!p || --p->refs) return;
    free(p->buf);
    ts_http_fields_clear(&p->trailers);
    free(p);
}

size_t ts_http_pipe_room(const ts_http_pipe *p) {
    return p->ended || p->failed ? 0 : p->cap - p->len;
}

static void wrong_length(ts_http_pipe *p, uint64_t bytes) {
    ts_http_error e = ts_http_error_of(p->wrong);
    e.has_number = true;
    e.number = bytes;
    ts_http_pipe_fail(p, e);
}

size_t ts_http_pipe_put(ts_http_pipe *p, const void *bytes, size_t len) {
    size_t room = ts_http_pipe_room(p);
    if (p->has_length && room && len > p->length - p->total) { /* none of these bytes reaches the wire */
        wrong_length(p, p->total + len);
        return 0;
    }
    if (len > room) len = room;
    if (len == 0) return 0;
    if (!p->buf && !(p->buf = malloc(p->cap))) {
        ts_http_pipe_fail(p, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory"));
        return 0;
    }
    if (p->len == 0) p->at = 0;
    size_t end = (p->at + p->len) % p->cap, first = p->cap - end < len ? p->cap - end : len;
    memcpy(p->buf + end, bytes, first);
    memcpy(p->buf, (const uint8_t *)bytes + first, len - first);
    p->len += len;
    p->total += len;
    return len;
}

const uint8_t *ts_http_pipe_front(const ts_http_pipe *p, size_t *len) {
    *len = p->cap - p->at < p->len ? p->cap - p->at : p->len;
    return p->buf ? p->buf + p->at : NULL;
}

void ts_http_pipe_skip(ts_http_pipe *p, size_t len) {
    p->at = (p->at + len) % p->cap;
    p->len -= len;
}

size_t ts_http_pipe_take(ts_http_pipe *p, void *bytes, size_t len) {
    size_t done = 0;
    while (done < len && p->len) {
        size_t n;
        const uint8_t *from = ts_http_pipe_front(p, &n);
        if (n > len - done) n = len - done;
        memcpy((uint8_t *)bytes + done, from, n);
        ts_http_pipe_skip(p, n);
        done += n;
    }
    return done;
}

void ts_http_pipe_end(ts_http_pipe *p) {
    if (p->has_length && p->total < p->length && !(p->may_be_empty && p->total == 0)) wrong_length(p, p->total);
    if (!p->failed) p->ended = true;
}

void ts_http_pipe_fail(ts_http_pipe *p, ts_http_error e) {
    if (p->ended || p->failed) return;
    p->failed = true;
    p->error = e;
}
