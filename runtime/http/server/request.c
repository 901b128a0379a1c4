/* request: serves a request: its body goes from the connection into a pipe, and the response from a
 * pipe to the connection.
 * Both advance whenever the guest uses them (notify), and never wait. Small amounts that the guest
 * writes are held back while it continues by itself, so that a small response leaves in one piece,
 * with its length. They are sent when the body ends, when the guest waits for anything, when there
 * are many bytes, or when the monitor has seen them twice.
 * In: a head in the worker's buffer. Out: how the connection continues. Source: RFC 9112, 6 and 9;
 * RFC 9110, 6.6.1 (Date), 10.1.1 (Expect) */
#define _GNU_SOURCE
#include "http/server/connection.h"
#ifdef TS_HTTP_SERVER
#include "base/number.h"
#include "sys/clock.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NS 1000000000ull
enum {
    FLUSH_AT = 16384, /* bytes of a body that are not held back any longer */
    /* bytes of an unread request body that are discarded; if there are more, the connection ends */
    DISCARD_MAX = 262144,
    KEPT_BYTES = 32768, /* a buffer of at most this size stays with a thread that is parked */
};

/* --- bytes ------------------------------------------------------------------------------------- */
bool ts_bytes_add(ts_bytes *b, const void *p, size_t len) {
    if (len == 0) return true;
    if (b->len == 0) b->at = 0;
    if (b->at + b->len + len > b->cap) {
        if (b->at) memmove(b->data, b->data + b->at, b->len);
        b->at = 0;
        if (b->len + len > b->cap) {
            size_t cap = b->cap ? b->cap * 2 : 4096;
            while (cap < b->len + len) cap *= 2;
            uint8_t *data = realloc(b->data, cap);
            if (!data) return false;
            b->data = data;
            b->cap = cap;
        }
    }
    memcpy(b->data + b->at + b->len, p, len);
    b->len += len;
    return true;
}
void ts_bytes_drop(ts_bytes *b, size_t len) {
    b->at += len;
    b->len -= len;
}
static bool add_text(ts_bytes *b, const char *s) {
    return ts_bytes_add(b, s, strlen(s));
}

bool ts_http_call_init(ts_http_call *c, ts_http_server *s, ts_http_worker *t) {
    const ts_http_server_config *g = &s->config;
    *c = (ts_http_call){.s = s, .t = t};
    ts_wire_init(&c->wire, g->max_body_bytes,
                 g->max_head_bytes < TS_HTTP_MAX_TRAILERS ? g->max_head_bytes : TS_HTTP_MAX_TRAILERS);
    return true;
}
static void shrink(ts_bytes *b) {
    if (b->cap <= KEPT_BYTES) return;
    free(b->data);
    *b = (ts_bytes){0};
}
void ts_http_call_shrink(ts_http_call *c) {
    shrink(&c->bytes);
    shrink(&c->raw);
}
void ts_http_call_free(ts_http_call *c) {
    ts_wire_free(&c->wire);
    free(c->bytes.data);
    free(c->raw.data);
}

/* --- out: the wire ----------------------------------------------------------------------------- */
static void mark_client_gone(ts_http_call *c) {
    __atomic_store_n(&c->client_gone, true, __ATOMIC_RELAXED);
    c->keep = false;
    c->bytes.len = c->raw.len = 0;
}

/* Sends what is in `bytes`, as far as the client takes it. */
static void send_bytes(ts_http_call *c) {
    while (c->bytes.len && !c->client_gone) {
        ssize_t n = send(c->c->fd, c->bytes.data + c->bytes.at, c->bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n < 0) {
            mark_client_gone(c);
            return;
        }
        ts_bytes_drop(&c->bytes, (size_t)n);
        c->bytes_moved += (uint64_t)n;
    }
}

/* Adds the last lines of the head, once the framing of the body is known. whole: the body is
 * complete, with len bytes. */
static bool finish_head(ts_http_call *c, bool whole, uint64_t len) {
    char line[64];
    bool ok = true;
    c->head_held = false;
    if (c->framing == TS_FRAMING_OPEN) {
        if (whole) {
            c->framing = TS_FRAMING_LENGTH;
            snprintf(line, sizeof line, "content-length: %llu\r\n", (unsigned long long)len);
            ok = add_text(&c->bytes, line);
        } else if (c->wire.http10) {
            c->framing = TS_FRAMING_CLOSE;
            c->keep = false;
        } else {
            c->framing = TS_FRAMING_CHUNKED;
            ok = add_text(&c->bytes, "transfer-encoding: chunked\r\n");
        }
    }
    /* the client may still send more than we would discard */
    if (!c->in_done && (c->want_continue || (!c->wire.chunked && c->wire.left > DISCARD_MAX))) c->keep = false;
    if (ts_http_server_stopping(c->s)) c->keep = false;
    if (!c->keep && !c->wire.http10) ok = ok && add_text(&c->bytes, "connection: close\r\n");
    if (c->keep && c->wire.http10) ok = ok && add_text(&c->bytes, "connection: keep-alive\r\n");
    return ok && add_text(&c->bytes, "\r\n");
}

static bool add_field(ts_bytes *b, const ts_http_field *f) {
    const char *v = f->value;
    size_t len = f->value_len;
    ts_http_trim(&v, &len);
    return ts_bytes_add(b, f->name, f->name_len) && ts_bytes_add(b, ": ", 2) && ts_bytes_add(b, v, len) &&
           ts_bytes_add(b, "\r\n", 2);
}

/* Frames the bytes that were held back and, if p is not NULL, all bytes of the pipe, and appends them
 * to `bytes`. ended: the body is complete with them. */
static bool frame_body(ts_http_call *c, ts_http_pipe *p, bool ended) {
    size_t n = c->raw.len + (p ? p->len : 0);
    char line[32];
    bool ok = true;
    if (c->head_held) ok = finish_head(c, ended && !(p && p->trailers.len), n);
    bool chunked = c->framing == TS_FRAMING_CHUNKED && !c->no_body;
    if (n && chunked) {
        snprintf(line, sizeof line, "%zx\r\n", n);
        ok = ok && add_text(&c->bytes, line);
    }
    if (c->raw.len && !c->no_body) ok = ok && ts_bytes_add(&c->bytes, c->raw.data + c->raw.at, c->raw.len);
    c->raw.len = 0;
    while (p && p->len && ok) {
        size_t k;
        const uint8_t *from = ts_http_pipe_front(p, &k);
        if (!c->no_body) ok = ts_bytes_add(&c->bytes, from, k);
        ts_http_pipe_skip(p, k);
    }
    if (!c->no_body) c->body += n;
    if (n && chunked) ok = ok && add_text(&c->bytes, "\r\n");
    if (!ended) return ok;
    c->complete = true;
    if (!chunked) return ok;
    ok = ok && add_text(&c->bytes, "0\r\n");
    for (uint32_t i = 0; p && i < p->trailers.len && ok; i++) {
        const ts_http_field *f = &p->trailers.data[i];
        if (!ts_http_is_forbidden_trailer(f->name, f->name_len) && ts_http_is_token(f->name, f->name_len) &&
            ts_http_is_field_value(f->value, f->value_len))
            ok = add_field(&c->bytes, f);
    }
    return ok && add_text(&c->bytes, "\r\n");
}

/* Takes what the guest has written. FLUSH: hold nothing back. LAST: there will be no further call for
 * what a slow client has no room for now, so a body that has ended is taken whole. Called under
 * t->lock. */
typedef enum pump { HOLD, FLUSH, LAST } pump;
static void pump_out(ts_http_call *c, pump how) {
    ts_http_pipe *p = c->out;
    if (!c->responded || c->complete || c->broken) return;
    if (c->client_gone) {
        c->broken = true;
        if (p)
            ts_http_pipe_fail(p, c->stalled ? ts_http_error_of(TS_HTTP_CONNECTION_WRITE_TIMEOUT)
                                            : ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
        return;
    }
    if (!c->head_held) send_bytes(c);
    /* If no body is sent, a mismatch between its bytes and its length does not matter. */
    bool uncounted = p && p->failed && c->no_body && p->error.code == TS_HTTP_RESPONSE_BODY_SIZE;
    if (p && p->failed && !uncounted) { /* the guest's end has closed without an end */
        c->broken = true;
        return;
    }
    size_t n = c->raw.len + (p ? p->len : 0);
    bool ended = !p || p->ended || uncounted;
    if (c->has_length && !c->no_body && (c->body + n > c->length || (ended && c->body + n < c->length))) {
        c->broken = true;
        ts_http_error e = ts_http_error_of(TS_HTTP_RESPONSE_BODY_SIZE);
        e.has_number = true;
        e.number = c->body + n;
        if (p) ts_http_pipe_fail(p, e);
        return;
    }
    if (!c->head_held && c->bytes.len && !(how == LAST && ended))
        return; /* the client is slow: the pipe fills up and the guest waits */
    bool ok = true;
    if (ended || how == FLUSH || n >= FLUSH_AT) {
        if (n || ended || c->head_held) {
            ok = frame_body(c, p, ended);
            send_bytes(c);
        }
        c->seen_held = false;
    } else {
        while (p->len && ok) {
            size_t k;
            const uint8_t *from = ts_http_pipe_front(p, &k);
            ok = ts_bytes_add(&c->raw, from, k);
            ts_http_pipe_skip(p, k);
        }
    }
    if (!ok) {
        mark_client_gone(c);
        c->broken = true;
        if (p) ts_http_pipe_fail(p, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory"));
    }
}

static void response_notify(ts_http_pipe *p) {
    ts_http_call *c = p->wire_data;
    if (!c) return;
    c->waits_io = 0;
    ts_lock_take(&c->t->lock);
    pump_out(c, HOLD);
    ts_lock_give(&c->t->lock);
}
static bool response_wait(ts_http_pipe *p, ts_sys_wait *w) {
    ts_http_call *c = p->wire_data;
    if (!c) return false;
    c->waits_io = 2;
    ts_lock_take(&c->t->lock);
    pump_out(c, FLUSH);
    ts_lock_give(&c->t->lock);
    *w = (ts_sys_wait){.fd = c->c->fd, .out = true};
    return true;
}
static const ts_http_wire_ops response_wire_ops = {response_notify, response_wait};

/* RFC 9110, 5.6.7: IMF-fixdate */
static const char *date(ts_http_worker *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == t->date_s && t->date[0]) return t->date;
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    gmtime_r(&now.tv_sec, &tm);
    snprintf(t->date, sizeof t->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
             tm.tm_mday % 100, months + 3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
             tm.tm_sec % 100);
    t->date_s = now.tv_sec;
    return t->date;
}

static bool status_line(ts_bytes *b, unsigned status) {
    char line[96];
    snprintf(line, sizeof line, "HTTP/1.1 %u %s\r\n", status, ts_wire_reason(status));
    return add_text(b, line);
}
static bool fields_are_valid(const ts_http_fields *h) {
    for (uint32_t i = 0; h && i < h->len; i++)
        if (!ts_http_is_token(h->data[i].name, h->data[i].name_len) ||
            !ts_http_is_field_value(h->data[i].value, h->data[i].value_len))
            return false;
    return true;
}

bool ts_http_call_informational(ts_http_call *c, uint16_t status, const ts_http_fields *headers) {
    if (status < 100 || status > 199 || status == 101 || c->wire.http10 || !fields_are_valid(headers)) return false;
    ts_lock_take(&c->t->lock);
    bool ok = !c->responded && !c->client_gone && status_line(&c->bytes, status);
    for (uint32_t i = 0; headers && i < headers->len && ok; i++) {
        const ts_http_field *f = &headers->data[i];
        if (!ts_http_is_connection_field(f->name, f->name_len) &&
            !ts_http_name_is(f->name, f->name_len, "content-length", 14))
            ok = add_field(&c->bytes, f);
    }
    ok = ok && add_text(&c->bytes, "\r\n");
    if (ok) send_bytes(c);
    if (status == 100) c->want_continue = false;
    ok = ok && !c->client_gone;
    ts_lock_give(&c->t->lock);
    return ok;
}

bool ts_http_call_respond(ts_http_call *c, uint16_t status, const ts_http_fields *headers, ts_http_pipe *body) {
    static const ts_http_fields none;
    if (!headers) headers = &none;
    uint64_t length = 0;
    int has_length = ts_http_content_length(headers, &length);
    if (status < 200 || status > 999 || has_length < 0 || !fields_are_valid(headers)) return false;
    ts_lock_take(&c->t->lock);
    bool ok = !c->responded && !c->client_gone;
    if (!ok) goto out;
    /* A 2xx response to a CONNECT begins a tunnel. A guest cannot use it, so the connection closes.
     * RFC 9110, 9.3.6 */
    bool tunnel = c->wire.is_connect && status < 300;
    c->no_body = c->wire.is_head || status == 204 || status == 205 || status == 304 || tunnel;
    c->keep = c->wire.keep_alive;
    c->framing = c->no_body ? TS_FRAMING_NONE : TS_FRAMING_OPEN;
    /* For HEAD and 304 it is the length that another response would have (RFC 9110, 8.6). The others
     * must not have a length, except the 0 that ends a 205 (RFC 9110, 15.3.6). */
    if (status == 204 || status == 205 || tunnel) has_length = 0;
    c->head_start = c->bytes.len;
    ok = status_line(&c->bytes, status);
    bool dated = false, lengthy = false;
    for (uint32_t i = 0; i < headers->len && ok; i++) {
        const ts_http_field *f = &headers->data[i];
        const char *v = f->value;
        if (ts_http_name_is(f->name, f->name_len, "connection", 10)) {
            for (size_t k = 0; k + 5 <= f->value_len; k++) c->keep &= !ts_http_name_is(v + k, 5, "close", 5);
            continue;
        }
        if (ts_http_is_connection_field(f->name, f->name_len)) continue;
        if (ts_http_name_is(f->name, f->name_len, "content-length", 14)) {
            if (!has_length || lengthy) continue; /* equal lengths are sent once */
            lengthy = true;
        }
        dated |= ts_http_name_is(f->name, f->name_len, "date", 4);
        ok = add_field(&c->bytes, f);
    }
    if (ok && status == 205) ok = add_text(&c->bytes, "content-length: 0\r\n");
    if (ok && !dated)
        ok = add_text(&c->bytes, "date: ") && add_text(&c->bytes, date(c->t)) && add_text(&c->bytes, "\r\n");
    if (!ok) {
        c->bytes.len = c->head_start;
        goto out;
    }
    c->status = status;
    c->has_length = has_length == 1;
    c->length = length;
    if (c->has_length && !c->no_body) c->framing = TS_FRAMING_LENGTH;
    c->responded = c->head_held = true;
    if (body) {
        ts_http_pipe_hold(body);
        c->out = body;
        body->may_be_empty = c->no_body;
        body->wire = &response_wire_ops;
        body->wire_data = c;
    }
    pump_out(c, HOLD);
out:
    ts_lock_give(&c->t->lock);
    return ok;
}

bool ts_http_call_responded(const ts_http_call *c) {
    return c->responded;
}
bool ts_http_call_client_gone(const ts_http_call *c) {
    return __atomic_load_n(&c->client_gone, __ATOMIC_RELAXED);
}
void ts_http_call_waits(ts_http_call *c, bool waits) {
    if (waits) {
        ts_lock_take(&c->t->lock);
        pump_out(c, FLUSH);
        ts_lock_give(&c->t->lock);
    } else {
        c->waits_io = 0;
    }
    ts_http_worker_waits(c->t, waits);
}
bool ts_http_call_timed_out(const ts_http_call *c) {
    return c->timed_out;
}
bool ts_http_call_abandoned(const ts_http_call *c) {
    return c->abandoned;
}
void ts_http_call_unavailable(ts_http_call *c) {
    c->refused_503 = true;
}

/* --- supervision of waits ---
 * A guest that waits for its client, in either direction, does so within two limits: at least one
 * byte must move every `stall`, and over `grace` the bytes must reach the minimum rate. Only time
 * spent waiting counts. Whatever the guest waits for, the wait ends when the client is gone, the
 * request has taken too long, or the server ends its calls. */
static uint64_t min_u64(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}
static void credit_progress(ts_http_call *c) {
    const ts_http_server_config *g = &c->s->config;
    uint64_t n = c->bytes_moved - c->seen_moved;
    if (!n) return;
    c->seen_moved = c->bytes_moved;
    c->still_ns = 0;
    /* bytes earn waiting time, up to the grace */
    uint64_t rate = g->min_rate,
             bought = n / rate > g->rate_grace_ns / NS ? g->rate_grace_ns : n / rate * NS + n % rate * NS / rate;
    c->credit_ns = min_u64(c->credit_ns + bought, g->rate_grace_ns);
}
static uint64_t add_saturated(uint64_t from, uint64_t ns) {
    return from > UINT64_MAX - ns ? UINT64_MAX : from + ns;
}

size_t ts_http_call_watch(ts_http_call *c, ts_sys_wait *files, uint64_t *deadline) {
    const ts_http_server_config *g = &c->s->config;
    uint64_t now = ts_sys_monotonic(), until = add_saturated(c->began, g->request_timeout_ns);
    credit_progress(c);
    c->wait_from = now;
    if (c->waits_io) {
        until = min_u64(until, add_saturated(now, g->stall_timeout_ns - min_u64(c->still_ns, g->stall_timeout_ns)));
        if (!g->no_min_rate) until = min_u64(until, add_saturated(now, c->credit_ns));
    }
    if (c->half_until && !c->complete) until = min_u64(until, c->half_until);
    if (c->client_gone && !c->waits_io && !c->complete) until = now;
    *deadline = min_u64(*deadline, until);
    int fd = c->unwatched || c->client_gone ? -1 : c->c->fd;
    uint8_t watch = c->half_seen || c->complete ? TS_SYS_HUP : TS_SYS_HUP | TS_SYS_HALF_HUP;
    files[0] = (ts_sys_wait){.fd = fd, .watch = watch};
    files[1] = (ts_sys_wait){.fd = c->s->cut_fd};
    return 2;
}

/* The client has closed its sending side, or has left. The two look alike until something is sent.
 * Before the response it is sent a 100 (Continue), which any client skips (RFC 9110, 15.2); a client
 * that has left answers with a reset. An HTTP/1.0 client must not be sent it, and within a response
 * nothing but the response may be sent. Then the next bytes tell, and if there are none in time, the
 * client has left. */
static void half_closed(ts_http_call *c, uint64_t now) {
    static const char probe[] = "HTTP/1.1 100 Continue\r\n\r\n";
    c->half_seen = true;
    ts_lock_take(&c->t->lock);
    if (!c->responded && !c->wire.http10 && !c->client_gone && !c->bytes.len) {
        if (add_text(&c->bytes, probe)) send_bytes(c);
        c->want_continue = false;
    } else {
        c->half_until = add_saturated(now, c->s->config.stall_timeout_ns);
    }
    ts_lock_give(&c->t->lock);
}
/* Nothing that is sent arrives any more. A guest that waits for its client finds that out by itself;
 * any other wait is ended. */
static ts_http_watched client_left(ts_http_call *c) {
    ts_lock_take(&c->t->lock);
    mark_client_gone(c);
    ts_lock_give(&c->t->lock);
    c->unwatched = true;
    c->abandoned = !c->complete && !c->waits_io;
    /* it has got its response: what the guest does now is its own affair */
    if (c->complete) return TS_HTTP_KEEP_WAITING;
    return c->waits_io ? TS_HTTP_PROCEED : TS_HTTP_STOP;
}

ts_http_watched ts_http_call_watched(ts_http_call *c, const ts_sys_wait *files) {
    const ts_http_server_config *g = &c->s->config;
    uint64_t now = ts_sys_monotonic(), waited = now - c->wait_from;
    c->abandoned = true; /* for the returns below */
    if (files[1].ready) return TS_HTTP_STOP;
    if (files[0].seen & TS_SYS_HUP) return client_left(c);
    if (c->client_gone && !c->waits_io && !c->complete) return TS_HTTP_STOP;
    c->abandoned = false;
    if (files[0].seen & TS_SYS_HALF_HUP) {
        half_closed(c, now);
        return TS_HTTP_KEEP_WAITING;
    }
    if (now >= add_saturated(c->began, g->request_timeout_ns)) {
        c->timed_out = true;
        return TS_HTTP_STOP;
    }
    if (c->half_until && !c->complete && now >= c->half_until) {
        shutdown(c->c->fd, SHUT_RDWR);
        return client_left(c);
    }
    if (!c->waits_io || c->unwatched) return TS_HTTP_PROCEED;
    c->still_ns += waited;
    c->credit_ns -= min_u64(c->credit_ns, waited);
    if (c->still_ns < g->stall_timeout_ns && (g->no_min_rate || c->credit_ns)) return TS_HTTP_PROCEED;
    c->stalled = c->waits_io;
    c->unwatched = true;
    shutdown(c->c->fd, SHUT_RDWR); /* the guest wakes up and finds the connection closed */
    return TS_HTTP_KEEP_WAITING;
}

/* The same for handlers that are not guests. */
ts_http_watched ts_http_call_poll(ts_http_call *c, ts_sys_wait *waits, size_t n, uint64_t deadline) {
    enum { FEW = 8 };
    ts_sys_wait all[FEW + TS_HTTP_WATCHED];
    ts_http_watched what;
    if (n > FEW) return TS_HTTP_STOP;
    ts_http_call_waits(c, true);
    do {
        uint64_t until = deadline;
        if (n) memcpy(all, waits, n * sizeof *waits);
        size_t more = ts_http_call_watch(c, all + n, &until);
        (void)ts_sys_poll(all, n + more, until);
        what = ts_http_call_watched(c, all + n);
        bool any = deadline != TS_SYS_NO_DEADLINE && ts_sys_monotonic() >= deadline;
        for (size_t i = 0; i < n; i++) any |= waits[i].ready = all[i].ready;
        if (what == TS_HTTP_PROCEED && !any) what = TS_HTTP_KEEP_WAITING;
    } while (what == TS_HTTP_KEEP_WAITING);
    ts_http_call_waits(c, false);
    return what;
}

/* --- in: the body of the request --------------------------------------------------------------- */
static void say_continue(ts_http_call *c) {
    if (!c->want_continue) return;
    c->want_continue = false;
    ts_lock_take(&c->t->lock);
    if (!c->responded && !c->client_gone && add_text(&c->bytes, "HTTP/1.1 100 Continue\r\n\r\n")) send_bytes(c);
    ts_lock_give(&c->t->lock);
}

static void fail_request_body(ts_http_call *c, ts_http_error e) {
    c->in_done = true;
    ts_http_pipe_fail(c->in, e);
}

/* Makes room for more of the body. At first the body is in the worker's buffer, behind the head,
 * whose strings stay in place. A line that is longer than the rest of that buffer gets its own
 * buffer. Returns false if no line may be that long, or there is no memory. */
static bool body_room(ts_http_call *c) {
    ts_http_worker *t = c->t;
    size_t from = c->own_buf ? 0 : t->in_len, len = c->in_end - c->in_at;
    if (len == 0) {
        c->in_at = c->in_end = from; /* t->in_len is the length of the head while a call runs */
    } else if (c->in_at > from) {
        memmove(c->buf + from, c->buf + c->in_at, len);
        c->in_at = from;
        c->in_end = from + len;
    }
    if (c->in_end < c->buf_cap) return true;
    if (c->own_buf || len >= c->s->in_most) return false;
    char *more = malloc(c->s->in_most);
    if (!more) return false;
    memcpy(more, c->buf + c->in_at, len);
    c->buf = c->own_buf = more;
    c->buf_cap = c->s->in_most;
    c->in_at = 0;
    c->in_end = len;
    return true;
}

/* Decodes what has arrived into the pipe. With `read`, reads from the connection too. */
static void pump_in(ts_http_call *c, bool read) {
    while (!c->in_done) {
        size_t used;
        ts_wire_state s = ts_wire_body(&c->wire, c->buf + c->in_at, c->in_end - c->in_at, &used, c->in);
        c->in_at += used;
        if (s == TS_WIRE_REFUSED) {
            ts_http_error e = ts_http_error_of(c->wire.status == 413   ? TS_HTTP_REQUEST_BODY_SIZE
                                               : c->wire.status == 431 ? TS_HTTP_REQUEST_TRAILER_SECTION_SIZE
                                                                       : TS_HTTP_PROTOCOL_ERROR);
            if (c->wire.status == 413) e.has_number = true, e.number = c->wire.got;
            fail_request_body(c, e);
        } else if (s == TS_WIRE_END) {
            c->in_done = true;
        }
        if (s != TS_WIRE_MORE) break;
        if (!read || c->want_continue) break;
        if (!body_room(c)) {
            fail_request_body(c, ts_http_error_of(TS_HTTP_PROTOCOL_ERROR));
            break;
        }
        ssize_t n = recv(c->c->fd, c->buf + c->in_end, c->buf_cap - c->in_end, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n <= 0) {
            if (n < 0) {
                ts_lock_take(&c->t->lock);
                mark_client_gone(c);
                ts_lock_give(&c->t->lock);
            }
            fail_request_body(
                c, ts_http_error_of(c->stalled ? TS_HTTP_CONNECTION_READ_TIMEOUT : TS_HTTP_CONNECTION_TERMINATED));
            break;
        }
        c->in_end += (size_t)n;
        c->bytes_moved += (uint64_t)n;
    }
}

static void request_notify(ts_http_pipe *p) {
    ts_http_call *c = p->wire_data;
    if (!c || c->in_done) return;
    c->waits_io = 0;
    if (p->guest_closed) return; /* the rest of it is discarded when the call ends */
    say_continue(c);
    pump_in(c, p->len <= p->cap / 2);
}
static bool request_wait(ts_http_pipe *p, ts_sys_wait *w) {
    ts_http_call *c = p->wire_data;
    if (!c) return false;
    say_continue(c);
    c->waits_io = 1;
    *w = (ts_sys_wait){.fd = c->c->fd};
    return true;
}
static const ts_http_wire_ops request_wire_ops = {request_notify, request_wait};

/* Discards what has arrived of a body that is not read any more. Returns true if the connection is at
 * the next request. */
static bool discard_in(ts_http_call *c) {
    uint64_t before = c->wire.got;
    if (c->wire.at == TS_WIRE_DONE) return true;
    /* the body may come or not, and could not be told from a request */
    if (c->want_continue) return false;
    while (!c->in_done && c->wire.got - before <= DISCARD_MAX) {
        uint64_t at = c->bytes_moved + c->wire.got;
        ts_http_pipe_skip(c->in, c->in->len);
        pump_in(c, true);
        if (at == c->bytes_moved + c->wire.got) break;
    }
    return c->wire.at == TS_WIRE_DONE;
}

/* --- a request from its head to its end -------------------------------------------------------- */
static void log_line(ts_http_call *c, unsigned status) {
    const ts_http_handler *h = &c->s->handler;
    if (!h->log) return;
    char line[1200], where[64] = "-", target[900];
    ts_sys_addr a;
    if (ts_sys_remote(c->c->fd, &a) == TS_SYS_OK) ts_sys_addr_text(&a, where, sizeof where);
    size_t n = 0;
    for (const char *p = ts_http_call_shown_target(c); *p && n + 1 < sizeof target; p++)
        target[n++] = *p == '"' || *p == '\\' ? '_' : *p;
    target[n] = 0;
    double ms = c->began ? (double)(ts_sys_monotonic() - c->began) / 1e6 : 0;
    ts_snprintf(line, sizeof line, "%s \"%.40s %s HTTP/1.%c\" %u %llu %.3fms%s", where,
                c->wire.method ? c->wire.method : "-", target, c->wire.http10 ? '0' : '1', status,
                (unsigned long long)c->body, ms, c->client_gone || c->broken ? " cut" : "");
    h->log(h->data, line);
}

/* Makes and sends a complete small response of our own. */
static void answer_status(ts_http_call *c, unsigned status, bool keep) {
    char line[64];
    const char *reason = ts_wire_reason(status);
    c->keep = keep && c->wire.keep_alive && !ts_http_server_stopping(c->s);
    bool ok = status_line(&c->bytes, status) && add_text(&c->bytes, "content-type: text/plain\r\ndate: ") &&
              add_text(&c->bytes, date(c->t)) && add_text(&c->bytes, "\r\n");
    if (status == 503) ok = ok && add_text(&c->bytes, "retry-after: 1\r\n");
    snprintf(line, sizeof line, "content-length: %zu\r\n%s\r\n", strlen(reason) + 1,
             !c->keep         ? "connection: close\r\n"
             : c->wire.http10 ? "connection: keep-alive\r\n"
                              : "");
    ok = ok && add_text(&c->bytes, line);
    if (!c->wire.is_head) {
        ok = ok && add_text(&c->bytes, reason) && add_text(&c->bytes, "\n");
        c->body = strlen(reason) + 1;
    }
    c->status = (uint16_t)status;
    c->responded = c->complete = true;
    c->broken = !ok;
    if (ok) send_bytes(c);
}

/* Returns when a client that is not too slow has taken so many bytes. */
static uint64_t drained_by(const ts_http_server_config *g, size_t len) {
    if (g->no_min_rate) return UINT64_MAX;
    return add_saturated(ts_sys_monotonic(), add_saturated(g->rate_grace_ns, len / g->min_rate * NS));
}
/* Ends the call when the response is complete: what could not be sent is left to the connection.
 * next: the connection may serve another request. */
static ts_call_end end_call(ts_http_call *c, ts_http_conn *conn, bool next) {
    /* an orderly close would say that the body was complete */
    if (c->broken && c->framing == TS_FRAMING_CLOSE) {
        struct linger now = {.l_onoff = 1};
        setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    if (c->client_gone || c->broken) return TS_CALL_CLOSE;
    conn->keep = next && c->keep;
    if (!c->bytes.len) return conn->keep ? TS_CALL_NEXT : TS_CALL_LINGER;
    conn->out = malloc(c->bytes.len);
    if (!conn->out) return TS_CALL_CLOSE;
    memcpy(conn->out, c->bytes.data + c->bytes.at, c->bytes.len);
    conn->out_at = 0;
    conn->out_len = c->bytes.len;
    conn->out_until = drained_by(&c->s->config, conn->out_len);
    return TS_CALL_DRAIN;
}

static void reset_call(ts_http_call *c, ts_http_conn *conn) {
    c->c = conn;
    c->in = c->out = NULL;
    c->in_done = c->want_continue = false;
    c->responded = c->head_held = c->broken = c->complete = c->keep = c->no_body = c->has_length = c->seen_held = false;
    c->framing = TS_FRAMING_OPEN;
    c->length = c->body = 0;
    c->bytes.at = c->bytes.len = c->raw.at = c->raw.len = 0;
    c->status = 0;
    c->client_gone = false;
    c->bytes_moved = c->seen_moved = c->still_ns = 0;
    c->waits_io = c->stalled = 0;
    c->began = c->half_until = 0;
    c->credit_ns = c->s->config.rate_grace_ns;
    c->refused_503 = c->timed_out = c->abandoned = c->half_seen = c->unwatched = false;
    c->buf = c->t->in;
    c->buf_cap = c->t->in_cap;
    c->own_buf = NULL;
}

ts_call_end ts_http_call_refuse(ts_http_call *c, ts_http_conn *conn, unsigned status) {
    reset_call(c, conn);
    c->wire.is_head = c->wire.http10 = false;
    c->wire.keep_alive = false;
    c->wire.method = c->wire.target = c->wire.authority = NULL;
    answer_status(c, status, false);
    log_line(c, status);
    return end_call(c, conn, false);
}

static void count_request(ts_http_call *c, ts_http_conn *conn) {
    uint64_t most = c->s->config.max_requests;
    conn->requests++;
    if (most && conn->requests >= most) c->wire.keep_alive = false;
}

ts_call_end ts_http_call_serve(ts_http_call *c, ts_http_conn *conn, size_t head_len) {
    ts_http_worker *t = c->t;
    const ts_http_handler *h = &c->s->handler;
    reset_call(c, conn);
    int status = ts_wire_head(&c->wire, t->in, head_len);
    if (status) {
        c->wire.is_head = c->wire.keep_alive = c->wire.http10 = false;
        c->wire.method = c->wire.target = c->wire.authority = NULL; /* they may be incomplete */
        answer_status(c, (unsigned)status, false);
        log_line(c, (unsigned)status);
        return end_call(c, conn, false);
    }
    c->began = ts_sys_monotonic();
    count_request(c, conn);
    c->in_at = head_len;
    c->in_end = t->in_len;
    t->in_len = head_len; /* from here on the rest belongs to the call */
    c->want_continue = c->wire.expect_continue && c->in_at == c->in_end;
    c->in = ts_http_pipe_new();
    if (!c->in) return TS_CALL_CLOSE;
    c->in->wire = &request_wire_ops;
    c->in->wire_data = c;
    pump_in(c, false);

    ts_lock_take(&t->lock);
    c->serving = true;
    ts_lock_give(&t->lock);
    h->handle(h->data, t->data, c);

    ts_lock_take(&t->lock);
    c->serving = false;
    pump_out(c, LAST);
    bool bad = c->wire.at == TS_WIRE_BAD, sent = c->responded && !c->head_held;
    if (!c->complete && !c->client_gone) {
        if (sent) {
            c->broken = true;
        } else { /* nothing has been sent yet: a failure can still be reported */
            if (c->head_held) c->bytes.len = c->head_start;
            c->raw.len = 0;
            c->broken = c->head_held = false;
            c->body = 0;
            if (!c->responded) c->keep = c->wire.keep_alive;
            answer_status(c, bad ? (unsigned)c->wire.status : c->refused_503 ? 503 : 500, !bad);
        }
    }
    ts_lock_give(&t->lock);
    bool next = discard_in(c);
    log_line(c, c->status);
    ts_call_end end = end_call(c, conn, next);
    if (c->out) {
        c->out->wire = NULL;
        c->out->wire_data = NULL;
        ts_http_pipe_fail(c->out, ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
        ts_http_pipe_release(c->out);
    }
    c->in->wire = NULL;
    c->in->wire_data = NULL;
    ts_http_pipe_fail(c->in, ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
    ts_http_pipe_release(c->in);
    c->in = c->out = NULL;
    /* move what has arrived of the next request to the front */
    t->in_len = c->in_end - c->in_at;
    if (t->in_len > t->in_cap) { /* it was in its own buffer, which replaces the smaller one */
        free(t->in);
        t->in = c->own_buf;
        t->in_cap = c->buf_cap;
        c->own_buf = NULL;
    }
    memmove(t->in, c->buf + c->in_at, t->in_len);
    free(c->own_buf);
    c->own_buf = NULL;
    return end;
}

/* --- the monitor ------------------------------------------------------------------------------- */
void ts_http_call_cut_off(ts_http_call *c) {
    /* a thread that waits for it wakes up and finds it closed */
    if (c->serving) shutdown(c->c->fd, SHUT_RDWR);
}

void ts_http_call_flush_held(ts_http_call *c) {
    if (!c->serving) return;
    if (c->responded && !c->complete && !c->broken && !c->client_gone && (c->raw.len || c->head_held)) {
        if (c->seen_held) {
            if (c->head_held || !c->bytes.len) {
                if (!frame_body(c, NULL, false)) mark_client_gone(c);
                send_bytes(c);
            }
        }
        c->seen_held = !c->seen_held;
    }
}
bool ts_http_call_is_late(const ts_http_call *c, uint64_t now) {
    const ts_http_server_config *g = &c->s->config;
    uint64_t most = g->request_timeout_ns;
    if (g->call_timeout_ns && g->call_timeout_ns < most) most = g->call_timeout_ns;
    return now > c->began && now - c->began > most; /* the call may have begun after `now` */
}

/* --- the request, for the handler -------------------------------------------------------------- */
const char *ts_http_call_method(const ts_http_call *c) {
    return c->wire.method;
}
const char *ts_http_call_target(const ts_http_call *c) {
    return c->wire.target;
}
const char *ts_http_call_shown_target(const ts_http_call *c) {
    return c->wire.target ? c->wire.target : c->wire.authority ? c->wire.authority : "-";
}
const char *ts_http_call_scheme(const ts_http_call *c) {
    (void)c;
    return "http";
}
const char *ts_http_call_authority(const ts_http_call *c) {
    return c->wire.authority;
}
const ts_http_fields *ts_http_call_headers(const ts_http_call *c) {
    return &c->wire.headers;
}
ts_http_pipe *ts_http_call_body(ts_http_call *c) {
    return c->in;
}
#endif
