/* client: see client.h */
#define _GNU_SOURCE
#include "http/client/exchange.h"
#include "base/cfi.h"
#include <stdlib.h>
#include <string.h>

#ifdef TS_HTTP_CURL
#define KNOWN_NS UINT64_C(60000000000) /* how long the addresses of a name are cached */
/* A guest's poll checks the response twice. A poll that returns for another reason does not send a
 * deferred request. */
enum { POLLS_BEFORE_SENDING = 2 };
#define EXPECT_NS UINT64_C(1000000000) /* how long a body waits for 100 (Continue) */

/* --- clocks ------------------------------------------------------------------------------------ */
/* Called when the guest calls the client: the clocks of requests do not count the time in which the
 * guest computed. */
static void clocks_resume(ts_http_client *c) {
    if (!c->waiting && c->paused_at) {
        uint64_t now = ts_sys_monotonic();
        if (now > c->paused_at) c->paused_ns += now - c->paused_at;
    }
    c->waiting = false;
}
static void clocks_pause(ts_http_client *c) {
    c->paused_at = ts_sys_monotonic();
}

/* --- the wire's ends of pipes --- */
static void response_notify(ts_http_pipe *p);
static void request_notify(ts_http_pipe *p);
static bool wait_by_client(ts_http_pipe *p, ts_sys_wait *w) {
    (void)p;
    (void)w;
    return false;
}
/* The whole body has been sent with the length that was announced. The guest may still finish it, but
 * anything more that it writes fails the pipe. */
static void refuse_more(ts_http_pipe *p) {
    if (!p->len) return;
    ts_http_error e = ts_http_error_of(TS_HTTP_REQUEST_BODY_SIZE);
    e.has_number = true;
    e.number = p->total;
    ts_http_pipe_fail(p, e);
}
static const ts_http_wire_ops response_wire_ops = {response_notify, wait_by_client},
                              request_wire_ops = {request_notify, wait_by_client},
                              refusing_wire_ops = {refuse_more, wait_by_client};

static void attach(ts_http_pipe *p, const ts_http_wire_ops *wire, ts_http_exchange *x) {
    p->wire = wire;
    p->wire_data = x;
}
static void detach(ts_http_pipe *p) {
    p->wire = NULL;
    p->wire_data = NULL;
}
static bool guest_is_gone(const ts_http_pipe *p) {
    return p->guest_closed || p->refs == 1;
}

static void exchange_delete(ts_http_exchange *x) {
    ts_http_fields_clear(&x->headers);
    ts_http_pipe_release(x->in);
    ts_http_pipe_release(x->out);
    ts_http_chunked_free(&x->chunks);
    ts_http_fields_clear(&x->request_fields);
    free(x->method);
    free(x->target);
    free(x->authority);
    free(x->host);
    free(x->url);
    free(x);
}

TS_UNCHECKED_CALLS void ts_http_exchange_finish(ts_http_exchange *x, const ts_http_error *e) {
    ts_http_client *c = x->c;
    if (x->state == TS_HTTP_PENDING) {
        x->state = TS_HTTP_FAILED;
        x->error = *e;
    }
    if (x->easy) {
        (void)c->l.curl_multi_remove_handle(c->multi, x->easy);
        c->l.curl_easy_cleanup(x->easy);
        x->easy = NULL;
    }
    if (x->fields) c->l.curl_slist_free_all(x->fields);
    if (x->addresses) c->l.curl_slist_free_all(x->addresses);
    x->fields = x->addresses = NULL;
    ts_sys_lookup_free(x->lookup);
    x->lookup = NULL;
    if (x->in) {
        if (e)
            ts_http_pipe_fail(x->in, *e);
        else
            ts_http_pipe_end(x->in);
        detach(x->in);
    }
    if (x->out) {
        bool all_sent = !e && x->out_eof;
        if (!all_sent) ts_http_pipe_fail(x->out, e ? *e : ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
        detach(x->out);
        if (all_sent) x->out->wire = &refusing_wire_ops;
    }
    if (x->prev) x->prev->next = x->next;
    if (x->next) x->next->prev = x->prev;
    if (c->first == x) c->first = x->next;
    c->n--;
    x->c = NULL;
    if (!x->owned) exchange_delete(x);
}
void ts_http_exchange_finish_code(ts_http_exchange *x, ts_http_code code) {
    ts_http_error e = ts_http_error_of(code);
    ts_http_exchange_finish(x, &e);
}

void ts_http_exchange_set_error(ts_http_exchange *x, ts_http_error e) {
    if (!x->has_error) x->error = e;
    x->has_error = true;
}
void ts_http_exchange_set_error_code(ts_http_exchange *x, ts_http_code code) {
    ts_http_exchange_set_error(x, ts_http_error_of(code));
}
void ts_http_exchange_set_error_number(ts_http_exchange *x, ts_http_code code, uint64_t number) {
    ts_http_error e = ts_http_error_of(code);
    e.has_number = true;
    e.number = number;
    ts_http_exchange_set_error(x, e);
}
void ts_http_exchange_set_error_nomem(ts_http_exchange *x) {
    ts_http_exchange_set_error(x, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory"));
}

/* The request has no content: anything that the guest writes fails the pipe. */
static void refuse_content(ts_http_pipe *p) {
    detach(p);
    p->wire = &refusing_wire_ops;
}
/* Decides how a deferred request is framed, as soon as that is known. Returns false if it stays
 * deferred. */
static bool release_deferred(ts_http_exchange *x) {
    ts_http_pipe *p = x->out;
    bool empty = p->ended && !p->total && !p->trailers.len;
    if (!empty && !p->total && !p->ended && !x->response_awaited) return false;
    x->deferred = false;
    x->started = ts_http_ticks(x->c);
    if (empty) {
        refuse_content(p);
        ts_http_pipe_release(p);
        x->out = NULL;
    }
    return true;
}

/* --- names ------------------------------------------------------------------------------------- */
static const ts_http_known_name *find_known_name(const ts_http_client *c, const char *name) {
    uint64_t now = ts_sys_monotonic();
    for (uint32_t i = 0; i < TS_HTTP_KNOWN_NAMES; i++)
        if (c->known[i].n && c->known[i].until > now && strcmp(c->known[i].name, name) == 0) return &c->known[i];
    return NULL;
}

static ts_http_error error_of_lookup(ts_sys_lookup_result r) {
    switch (r) { /* the text is the rcode: the resolver tells only one that stands for itself. RFC 9209, 2.3.2 */
    case TS_SYS_LOOKUP_NONE: return ts_http_error_text(TS_HTTP_DNS_ERROR, "NXDOMAIN");
    case TS_SYS_LOOKUP_NOMEM: return ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
    default: return ts_http_error_of(TS_HTTP_DNS_ERROR);
    }
}

/* Starts or continues the name lookup, and starts the transfer once the addresses are known. Returns
 * true if there was progress. */
static bool resolve_host(ts_http_exchange *x) {
    ts_http_client *c = x->c;
    ts_sys_lookup_result how = TS_SYS_LOOKUP_OK;
    const ts_sys_addr *addrs;
    size_t n;
    if (!x->lookup) {
        const ts_http_known_name *k = find_known_name(c, x->host);
        if (k) {
            ts_http_transfer_start(x, k->addrs, k->n);
            return true;
        }
        how = ts_sys_lookup_start(c->lookups, x->host, &x->lookup);
        if (how == TS_SYS_LOOKUP_TEMPORARY) /* it is started when another lookup has finished */
            for (const ts_http_exchange *y = c->first; y; y = y->next)
                if (y->lookup) return false;
    }
    if (how == TS_SYS_LOOKUP_OK && !ts_sys_lookup_done(x->lookup, &how, &addrs, &n)) return false;
    if (how != TS_SYS_LOOKUP_OK) {
        ts_http_error e = error_of_lookup(how);
        ts_http_exchange_finish(x, &e);
        return true;
    }
    if (!x->literal) {
        ts_http_known_name *k = &c->known[c->next_known++ % TS_HTTP_KNOWN_NAMES];
        memcpy(k->name, x->host, strlen(x->host) + 1);
        k->n = (uint32_t)(n < TS_HTTP_MAX_ADDRESSES ? n : TS_HTTP_MAX_ADDRESSES);
        memcpy(k->addrs, addrs, k->n * sizeof *addrs);
        k->until = ts_sys_monotonic() + KNOWN_NS;
    }
    ts_sys_lookup *l = x->lookup;
    x->lookup = NULL;
    ts_http_transfer_start(x, addrs, n);
    ts_sys_lookup_free(l);
    return true;
}

/* --- the pump ---------------------------------------------------------------------------------- */
/* Checks what the guest has written of the body against what was announced. Returns true if the
 * exchange has ended. */
static bool check_request_body(ts_http_exchange *x) {
    ts_http_pipe *p = x->out;
    ts_http_error e;
    if (p->failed) {
        e = p->error;
    } else if (x->has_length && (p->total > x->length || (p->ended && p->total < x->length))) {
        e = ts_http_error_of(TS_HTTP_REQUEST_BODY_SIZE);
        e.has_number = true;
        e.number = p->total;
        ts_http_pipe_fail(p, e);
    } else if (p->ended && p->trailers.bytes > TS_HTTP_MAX_TRAILERS) {
        e = ts_http_error_of(TS_HTTP_REQUEST_TRAILER_SECTION_SIZE);
        e.has_number = true;
        e.number = p->trailers.bytes;
    } else if (p->ended && p->trailers.len && x->has_length) {
        e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "trailers cannot follow a body with a content-length");
    } else if (!p->ended && guest_is_gone(p)) {
        /* the guest dropped the body without finishing it */
        e = ts_http_error_of(TS_HTTP_PROTOCOL_ERROR);
    } else {
        return false;
    }
    ts_http_exchange_finish(x, &e);
    return true;
}

/* Advances an exchange by what the guest has given, taken or dropped. Returns true if there was
 * progress. */
static TS_UNCHECKED_CALLS bool advance_exchange(ts_http_exchange *x) {
    ts_http_client *c = x->c;
    if (x->has_error) { /* a callback set it while libcurl was resumed */
        ts_http_transfer_ended(x, CURLE_OK);
        return true;
    }
    if (x->finish_early) {
        ts_http_exchange_finish(x, NULL);
        return true;
    }
    if (x->out && check_request_body(x)) return true;
    if (x->state == TS_HTTP_RESPONDED && !x->discard && (x->in->guest_closed || (!x->owned && x->in->refs == 1)))
        x->discard = true;
    if (x->discard && (!x->out || (x->out_eof && !ts_http_transfer_send_blocked(x)))) {
        ts_http_exchange_finish_code(x, TS_HTTP_CONNECTION_TERMINATED);
        return true;
    }
    if (x->deferred && !release_deferred(x)) return false;
    if (!x->easy) return resolve_host(x);
    bool recv = x->recv_paused && (x->discard || ts_http_pipe_room(x->in) >= CURL_MAX_WRITE_SIZE);
    if (x->expecting && x->connected && ts_http_ticks(c) >= x->connected_at + EXPECT_NS) x->expecting = false;
    bool send = x->send_paused && !x->expecting && (x->out->len || x->out->ended);
    if (!recv && !send) return false;
    if (recv) {
        x->recv_paused = false;
        x->last_byte = ts_http_ticks(c);
    }
    if (send) {
        x->send_paused = false;
        x->quiet_since = ts_http_ticks(c);
    }
    if (c->l.curl_easy_pause(x->easy, (x->recv_paused ? CURLPAUSE_RECV : 0) | (x->send_paused ? CURLPAUSE_SEND : 0)) ==
        CURLE_OUT_OF_MEMORY)
        ts_http_exchange_set_error_nomem(x);
    return true;
}

/* Returns whether an exchange has tried an address and has no socket: connect() failed at once. libcurl
 * 7.88 sets no timer for the next address then. */
static bool connect_failed_at_once(ts_http_client *c) {
    bool found = false;
    for (ts_http_exchange *x = c->first; x; x = x->next) {
        if (!x->tried) continue;
        x->tried = false;
        bool waits = !x->easy || x->connected;
        for (int i = 0; i < TS_HTTP_MAX_SOCKETS; i++) waits |= x->fds[i] >= 0;
        found |= !waits;
    }
    return found;
}

/* Runs libcurl for sockets that are ready, for its timer, and for finished transfers. Returns true if
 * there was progress. */
static TS_UNCHECKED_CALLS bool run_sockets(ts_http_client *c) {
    bool moved = false;
    int running;
    if (c->n_socks) {
        uint32_t n = 0;
        if (c->cap_poll_set < c->n_socks * 2) {
            ts_sys_wait *more = realloc(c->poll_set, c->cap_socks * 2 * sizeof *more);
            if (!more) {
                c->out_of_memory = true;
                return false;
            }
            c->poll_set = more;
            c->cap_poll_set = c->cap_socks * 2;
        }
        for (uint32_t i = 0; i < c->n_socks; i++) {
            if (c->socks[i].in) c->poll_set[n++] = (ts_sys_wait){.fd = c->socks[i].fd};
            if (c->socks[i].out) c->poll_set[n++] = (ts_sys_wait){.fd = c->socks[i].fd, .out = true};
        }
        if (ts_sys_poll(c->poll_set, n, 0) != TS_SYS_OK) n = 0;
        int done = -1;
        for (uint32_t i = 0; i < n; i++) {
            int fd = c->poll_set[i].fd;
            if (!c->poll_set[i].ready || fd == done || !ts_http_sock_of(c, fd)) continue;
            done = fd; /* one call handles both directions */
            (void)c->l.curl_multi_socket_action(c->multi, fd, 0, &running);
            moved = true;
        }
    }
    if (c->timer != TS_SYS_NO_DEADLINE && c->timer <= ts_sys_monotonic()) {
        c->timer = TS_SYS_NO_DEADLINE;
        (void)c->l.curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        moved = true;
    }
    if (connect_failed_at_once(c)) {
        (void)c->l.curl_multi_socket_all(c->multi, &running);
        moved = true;
    }
    int left;
    for (const CURLMsg *m; (m = c->l.curl_multi_info_read(c->multi, &left));) {
        ts_http_exchange *x = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result;
        (void)c->l.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
        if (x) ts_http_transfer_ended(x, code);
        moved = true;
    }
    return moved;
}

/* Returns the deadline of the current phase on the client's clock, or none while the exchange waits
 * for the guest. */
static uint64_t deadline_of(const ts_http_exchange *x) {
    uint64_t from, after;
    if (x->deferred) {
        after = 0;
    } else if (!x->connected) {
        from = x->started;
        after = x->connect_timeout;
    } else if (x->in->ended || x->recv_paused || x->discard) {
        after = 0;
    } else if (!x->got_byte) {
        from = x->quiet_since;
        after = x->first_byte_timeout;
    } else {
        from = x->last_byte;
        after = x->between_bytes_timeout;
    }
    return after == 0 || after > UINT64_MAX / 2 ? TS_SYS_NO_DEADLINE : from + after;
}

static void expire_deadlines(ts_http_client *c) {
    uint64_t now = ts_http_ticks(c);
    for (ts_http_exchange *x = c->first, *next; x; x = next) {
        next = x->next;
        if (deadline_of(x) > now) continue;
        if (!x->connected)
            ts_http_exchange_finish_code(x, x->easy ? TS_HTTP_CONNECTION_TIMEOUT : TS_HTTP_DNS_TIMEOUT);
        else if (!x->got_byte && x->out && !x->send_paused && ts_http_transfer_send_blocked(x))
            ts_http_exchange_finish_code(x, TS_HTTP_CONNECTION_WRITE_TIMEOUT);
        else
            ts_http_exchange_finish_code(x, TS_HTTP_CONNECTION_READ_TIMEOUT);
    }
}

void ts_http_client_pump(ts_http_client *c) {
    if (!c->multi || c->pumping) return;
    c->pumping = true;
    clocks_resume(c);
    for (int round = 0; round < TS_HTTP_ROUNDS; round++) {
        bool moved = false;
        for (ts_http_exchange *x = c->first, *next; x; x = next) {
            next = x->next;
            moved |= advance_exchange(x);
        }
        moved |= run_sockets(c);
        if (!moved) break;
    }
    expire_deadlines(c);
    if (c->out_of_memory) {
        ts_http_error e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
        while (c->first) ts_http_exchange_finish(c->first, &e);
        c->out_of_memory = false;
    }
    clocks_pause(c);
    c->pumping = false;
}

static void response_notify(ts_http_pipe *p) {
    ts_http_exchange *x = p->wire_data;
    if (p->guest_closed || p->len <= p->cap / 2) ts_http_client_pump(x->c);
}
static void request_notify(ts_http_pipe *p) {
    ts_http_exchange *x = p->wire_data;
    if (x->deferred || x->send_paused || p->ended || p->failed || p->guest_closed || p->len > p->cap / 2)
        ts_http_client_pump(x->c);
}

size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    size_t all = 0;
    bool released = false;
    for (ts_http_exchange *x = c->first; x; x = x->next)
        if (x->deferred && x->polls && (*deadline || x->response_awaited)) x->response_awaited = released = true;
    if (released) {
        ts_http_client_pump(c);
        *deadline = 0; /* the caller must see the outcome before it waits */
    }
    clocks_resume(c);
    c->waiting = true;
    for (uint32_t i = 0; i < c->n_socks; i++)
        for (int out = 0; out < 2; out++) {
            if (!(out ? c->socks[i].out : c->socks[i].in)) continue;
            if (all < n) w[all] = (ts_sys_wait){.fd = c->socks[i].fd, .out = out};
            all++;
        }
    if (c->timer < *deadline) *deadline = c->timer;
    for (const ts_http_exchange *x = c->first; x; x = x->next) {
        if (x->lookup) {
            if (all < n) w[all] = (ts_sys_wait){.fd = ts_sys_lookup_fd(x->lookup)};
            all++;
        }
        uint64_t d = deadline_of(x);
        if (x->expecting && x->connected && x->connected_at + EXPECT_NS < d) d = x->connected_at + EXPECT_NS;
        if (d != TS_SYS_NO_DEADLINE && d + c->paused_ns < *deadline) *deadline = d + c->paused_ns;
    }
    return all;
}

bool ts_http_client_idle(const ts_http_client *c) {
    return c->first == NULL;
}

ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r) {
    ts_http_exchange *x = calloc(1, sizeof *x);
    if (!x || !(x->in = ts_http_pipe_new())) {
        free(x);
        return NULL;
    }
    clocks_resume(c);
    ts_http_transfer_open(c);
    x->c = c;
    x->owned = true;
    for (int i = 0; i < TS_HTTP_MAX_SOCKETS; i++) x->fds[i] = -1;
    x->connect_timeout = r->connect_timeout;
    x->first_byte_timeout = r->first_byte_timeout;
    x->between_bytes_timeout = r->between_bytes_timeout;
    x->started = x->quiet_since = x->last_byte = ts_http_ticks(c);
    attach(x->in, &response_wire_ops, x);
    if (r->body && strcmp(r->method, "CONNECT") == 0) { /* a CONNECT has no content: RFC 9110, 9.3.6 */
        refuse_content(r->body);
    } else if (r->body && !r->no_content) {
        x->out = r->body;
        ts_http_pipe_hold(x->out);
        attach(x->out, &request_wire_ops, x);
    }
    x->next = c->first;
    if (c->first) c->first->prev = x;
    c->first = x;
    c->n++;
    if (!ts_http_request_prepare(x, r)) {
        ts_http_error e = x->error;
        ts_http_exchange_finish(x, &e);
    }
    x->deferred = x->out && !x->has_length;
    clocks_pause(c);
    ts_http_client_pump(c);
    return x;
}

void ts_http_exchange_note_poll(ts_http_exchange *x) {
    if (!x->deferred || !x->c) return;
    x->response_awaited |= ++x->polls > POLLS_BEFORE_SENDING;
}

void ts_http_exchange_free(ts_http_exchange *x) {
    if (!x) return;
    ts_http_client *c = x->c;
    x->owned = false;
    if (!c)
        exchange_delete(x);
    else if (x->state == TS_HTTP_PENDING)
        ts_http_exchange_finish_code(x, TS_HTTP_CONNECTION_TERMINATED);
    else
        ts_http_client_pump(c);
}

ts_http_client *ts_http_client_new(const char *ca_file) {
    ts_http_client *c = calloc(1, sizeof *c);
    if (!c || (ca_file && !(c->ca_file = strdup(ca_file)))) {
        free(c);
        return NULL;
    }
    c->timer = TS_SYS_NO_DEADLINE;
    return c;
}

TS_UNCHECKED_CALLS void ts_http_client_prepare(const char **ca_file, const char **ca_folder) {
    ts_curl l;
    *ca_file = *ca_folder = NULL;
    if (ts_curl_open(&l)) return; /* the requests report it */
    const curl_version_info_data *v = l.curl_version_info(CURLVERSION_NOW);
    if (v->age >= CURLVERSION_SEVENTH) { /* 7.70 */
        *ca_file = v->cainfo;
        *ca_folder = v->capath;
    }
    /* it stays open: some of what it has loaded is unloaded with the last user */
}

TS_UNCHECKED_CALLS void ts_http_client_free(ts_http_client *c) {
    if (!c) return;
    while (c->first) ts_http_exchange_finish_code(c->first, TS_HTTP_CONNECTION_TERMINATED);
    if (c->multi) {
        (void)c->l.curl_multi_cleanup(c->multi);
        ts_sys_lookups_free(c->lookups);
        ts_curl_close(&c->l);
    }
    free(c->socks);
    free(c->poll_set);
    free(c->ca_file);
    free(c);
}

void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data) {
    c->may_connect = may;
    c->may_connect_data = data;
}

#else /* --- without libcurl's headers: every request fails with this reason --- */
struct ts_http_client {
    int none;
};
struct ts_http_exchange {
    ts_http_error error;
    ts_http_progress state;
    ts_http_fields headers;
    ts_http_pipe *in;
    uint16_t status;
};
ts_http_client *ts_http_client_new(const char *ca_file) {
    (void)ca_file;
    return calloc(1, sizeof(ts_http_client));
}
void ts_http_client_prepare(const char **ca_file, const char **ca_folder) {
    *ca_file = *ca_folder = NULL;
}
void ts_http_client_free(ts_http_client *c) {
    free(c);
}
void ts_http_client_set_may_connect(ts_http_client *c, ts_http_may_connect may, void *data) {
    (void)c;
    (void)may;
    (void)data;
}
ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r) {
    (void)c;
    ts_http_exchange *x = calloc(1, sizeof *x);
    if (!x || !(x->in = ts_http_pipe_new())) {
        free(x);
        return NULL;
    }
    x->error = ts_http_error_text(TS_HTTP_INTERNAL_ERROR,
                                  "no HTTP client: this build was made without libcurl's headers (7.85 or later)");
    x->state = TS_HTTP_FAILED;
    ts_http_pipe_fail(x->in, x->error);
    if (r->body) ts_http_pipe_fail(r->body, x->error);
    return x;
}
void ts_http_exchange_free(ts_http_exchange *x) {
    if (x) ts_http_pipe_release(x->in);
    free(x);
}
void ts_http_exchange_note_poll(ts_http_exchange *x) {
    (void)x;
}
size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    (void)c;
    (void)w;
    (void)n;
    (void)deadline;
    return 0;
}
void ts_http_client_pump(ts_http_client *c) {
    (void)c;
}
bool ts_http_client_idle(const ts_http_client *c) {
    (void)c;
    return true;
}
#endif

ts_http_progress ts_http_exchange_state(const ts_http_exchange *x) {
    return x->state;
}
const ts_http_error *ts_http_exchange_error(const ts_http_exchange *x) {
    return &x->error;
}
uint16_t ts_http_exchange_status(const ts_http_exchange *x) {
    return x->status;
}
const ts_http_fields *ts_http_exchange_headers(const ts_http_exchange *x) {
    return &x->headers;
}
ts_http_pipe *ts_http_exchange_body(const ts_http_exchange *x) {
    return x->in;
}
