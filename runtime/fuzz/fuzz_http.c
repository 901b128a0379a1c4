/* fuzz_http: takes any bytes as what a client sends to the HTTP server: one request after another, whole and
 * in pieces.
 * In: bytes from libFuzzer; the first one chooses how they are cut. Out: no crash, no leak, no sanitizer
 * report; the same requests, bodies and ends however the bytes are cut; nothing is accepted that the grammar
 * forbids, and bodies are framed as written.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "http/server/wire.h"
#include "http/uri.h"
#include <stdlib.h>
#include <string.h>

#ifndef TS_HTTP_SERVER
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)data;
    (void)size;
    return 0;
}
#else
enum { MAX_HEAD = 4096 };

/* A hash of what was understood: FNV-1a over everything that a handler would see. */
typedef struct sum {
    uint64_t h;
    unsigned requests;
    size_t used; /* bytes before the request that was refused or is incomplete */
    int refused;
} sum;
static void mix(sum *s, const void *p, size_t len) {
    for (size_t i = 0; i < len; i++) s->h = (s->h ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
    s->h = (s->h ^ len) * 0x100000001b3u;
}
static void mix_fields(sum *s, const ts_http_fields *f) {
    for (uint32_t i = 0; i < f->len; i++) {
        if (!ts_http_is_token(f->data[i].name, f->data[i].name_len)) abort();
        if (!ts_http_is_field_value(f->data[i].value, f->data[i].value_len)) abort();
        const char *v = f->data[i].value;
        size_t len = f->data[i].value_len;
        ts_http_trim(&v, &len);
        if (len != f->data[i].value_len) abort();
        mix(s, f->data[i].name, f->data[i].name_len);
        mix(s, f->data[i].value, f->data[i].value_len);
    }
}
static void check_head(const ts_wire *w) {
    uint32_t hosts = 0, lengths = 0, codings = 0;
    for (uint32_t i = 0; i < w->headers.len; i++) {
        const ts_http_field *f = &w->headers.data[i];
        hosts += ts_http_name_is(f->name, f->name_len, "host", 4);
        lengths += ts_http_name_is(f->name, f->name_len, "content-length", 14);
        codings += ts_http_name_is(f->name, f->name_len, "transfer-encoding", 17);
    }
    if (hosts > 1 || (!hosts && !w->http10) || lengths > 1 || (lengths && codings)) abort();
    if ((codings != 0) != w->chunked || (w->chunked && w->http10)) abort();
    if (!ts_http_is_token(w->method, strlen(w->method))) abort();
    /* a guest can forward it, by the functions that its setters and handle call */
    const char *host;
    size_t host_len;
    int32_t port = -1;
    if (w->authority && !ts_http_host_port(w->authority, strlen(w->authority), &host, &host_len, &port)) abort();
    if (w->is_connect ? w->target || port < 1 : !ts_http_is_origin_target(w->target, strlen(w->target), w->method))
        abort();
    if (w->is_connect && (w->has_body || w->keep_alive)) abort();
}

/* Reads one request of the rest. Returns false if it is incomplete. Each piece is a buffer of its own, so
 * that a sanitizer reports reads beyond it. */
static bool request(ts_wire *w, const uint8_t *data, size_t size, size_t step, sum *s) {
    ts_wire_scan scan = {0};
    long head = 0;
    for (size_t have = step < size ? step : size;; have = have + step < size ? have + step : size) {
        char *b = malloc(have);
        memcpy(b, data, have);
        head = ts_wire_scan_head(&scan, b, have);
        free(b);
        if (head || have == size) break;
    }
    if (head < 0) s->refused = 400;
    if (head <= 0) return false;
    char *b = malloc((size_t)head);
    memcpy(b, data, (size_t)head);
    int status = ts_wire_head(w, b, (size_t)head);
    bool whole = false;
    size_t at = (size_t)head;
    if (status) {
        s->refused = status;
    } else {
        check_head(w);
        mix(s, w->method, strlen(w->method));
        if (w->target) mix(s, w->target, strlen(w->target));
        if (w->authority) mix(s, w->authority, strlen(w->authority));
        mix_fields(s, &w->headers);
        ts_http_pipe *p = ts_http_pipe_new();
        ts_wire_state state = TS_WIRE_MORE;
        uint64_t got = 0;
        for (size_t have = at; !whole && state != TS_WIRE_REFUSED;) {
            have = have + step < size ? have + step : size;
            size_t used;
            char *piece = malloc(have - at + 1);
            memcpy(piece, data + at, have - at);
            state = ts_wire_body(w, piece, have - at, &used, p);
            free(piece);
            if (used > have - at) abort();
            at += used;
            uint8_t out[512];
            for (size_t n; (n = ts_http_pipe_take(p, out, sizeof out));) {
                for (size_t i = 0; i < n; i++) s->h = (s->h ^ out[i]) * 0x100000001b3u;
                got += n;
            }
            whole = state == TS_WIRE_END;
            if (state == TS_WIRE_MORE && have == size) break;
        }
        if (state == TS_WIRE_REFUSED) s->refused = w->status;
        if (whole) {
            if (!p->ended || (!w->chunked && got != w->length)) abort();
            mix(s, &got, sizeof got);
            mix_fields(s, &p->trailers);
        }
        ts_http_pipe_release(p);
    }
    free(b);
    s->used += at;
    return whole;
}

static sum read_all(const uint8_t *data, size_t size, size_t step) {
    sum s = {.h = 0xcbf29ce484222325u};
    ts_wire w;
    ts_wire_init(&w, 1 << 20, MAX_HEAD);
    size_t before;
    do {
        before = s.used;
        if (!request(&w, data + s.used, size - s.used, step, &s)) break;
        s.requests++;
    } while (s.used > before);
    ts_wire_free(&w);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    size_t step = 1 + data[0] % 64;
    sum whole = read_all(data + 1, size - 1, size), cut = read_all(data + 1, size - 1, step);
    if (whole.requests != cut.requests || whole.h != cut.h || whole.refused != cut.refused) abort();
    return 0;
}
#endif
