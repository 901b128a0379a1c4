/* sys/http_client: see http_client.h */
#define _GNU_SOURCE
#include "sys/http_client.h"
#include "sys/clock.h"
#include "sys/http_chunked.h"
#include "sys/http_curl.h"
#include "sys/lookup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TS_HTTP_CURL
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_EXCHANGES = 1024,            /* of one client at once */
    MAX_LOOKUPS = 8,                 /* threads; more names wait for one of them */
    MAX_KEPT = 32,                   /* connections that wait for a further request */
    MAX_ADDRESSES = 32,              /* of one name that are tried */
    MAX_INFORMATIONAL = 64,          /* responses of 1xx before one that counts */
    MAX_HEAD = 128 << 10,            /* a response's fields, as ts_http_fields.bytes counts */
    MAX_FIELD = 64 << 10,            /* one of them */
    MAX_TRAILERS = 48 << 10,         /* the same of trailers, in both directions; libcurl takes 64 KiB */
    MAX_REQUEST_HEAD = 512 << 10,    /* libcurl takes 1 MiB */
    MAX_TARGET = 64 << 10,           /* of a request */
    KNOWN_NAMES = 8,                 /* whose addresses are kept */
    MOST_SOCKETS_OF_AN_EXCHANGE = 4, /* several addresses are tried side by side */
    ROUNDS = 16,                     /* of one pump: then the guest has its turn */
};
#define KNOWN_NS UINT64_C(60000000000)

typedef struct sock {
    int fd;
    bool in, out;
} sock;

typedef struct known_name {
    char name[254];
    ts_sys_addr addrs[MAX_ADDRESSES];
    uint32_t n;
    uint64_t until;
} known_name;

struct ts_http_client {
    ts_curl l;
    CURLM *multi; /* NULL: not opened yet, or `problem` */
    const char *problem;
    char *ca_file;
    ts_http_may_connect may;
    void *may_data;
    ts_sys_lookups *lookups;
    ts_http_exchange *first; /* under way, the newest first */
    uint32_t n;
    sock *socks; /* what libcurl waits for */
    uint32_t n_socks, cap_socks;
    ts_sys_wait *looks; /* room to ask the OS about them */
    uint32_t cap_looks;
    bool no_room;   /* no memory for a socket of libcurl: all that is under way fails */
    uint64_t timer; /* when libcurl wants to be called (monotonic ns) */
    bool inside;    /* in a pump */
    /* The clocks of requests stand still while the guest computes: nobody could take what a server sends meanwhile. */
    bool waiting;
    uint64_t left_at, absent;
    known_name known[KNOWN_NAMES];
    uint32_t next_known;
};

struct ts_http_exchange {
    ts_http_client *c; /* NULL: over */
    ts_http_exchange *prev, *next;
    bool owned; /* by the caller */
    ts_http_progress state;
    bool has_error; /* a callback has failed the exchange; `error` says why */
    ts_http_error error;
    uint16_t status;
    ts_http_fields headers;
    ts_http_pipe *in, *out; /* bodies of the response and of the request (or NULL) */

    /* the request */
    char *method, *target, *host, *url;
    uint16_t port;
    bool literal, https, idempotent, head,
        http1; /* http1: it announces trailers, which libcurl sends in HTTP/1.1 only */
    struct curl_slist *fields, *addresses;
    bool has_length, out_eof, send_paused, trailers_sent;
    uint64_t length, taken;
    uint64_t connect_timeout, first_byte_timeout, between_bytes_timeout;

    /* the way there */
    ts_sys_lookup *lookup;
    bool prohibited; /* an address that was to be connected to may not be */
    bool no_files;   /* … or the OS has no more sockets */
    CURL *easy;
    bool sent; /* the connection stands */
    int fds[MOST_SOCKETS_OF_AN_EXCHANGE];
    char text[CURL_ERROR_SIZE];

    /* the response */
    bool in_head, begun, chunked, known_length, bodyless, got_byte, recv_paused, discard, http2, cut, tls_cut;
    uint32_t informational;
    uint64_t in_length, got;
    ts_http_chunked chunks;

    /* by the client's clock */
    uint64_t started, quiet_since, last_byte;
};

/* --- clocks ------------------------------------------------------------------------------------------------------------ */
static uint64_t ticks(const ts_http_client *c) {
    return ts_sys_monotonic() - c->absent;
}
/* Control comes back from the guest. */
static void arrive(ts_http_client *c) {
    if (!c->waiting && c->left_at) {
        uint64_t now = ts_sys_monotonic();
        if (now > c->left_at) c->absent += now - c->left_at;
    }
    c->waiting = false;
}
static void leave(ts_http_client *c) {
    c->left_at = ts_sys_monotonic();
}

/* --- ends -------------------------------------------------------------------------------------------------------------- */
static void in_kick(ts_http_pipe *p);
static void out_kick(ts_http_pipe *p);
static bool by_driver(ts_http_pipe *p, ts_sys_wait *w) {
    (void)p;
    (void)w;
    return false;
}
/* All of a body was sent, as long as it was announced, and the guest may still finish it: there is no place for more. */
static void spent_kick(ts_http_pipe *p) {
    if (!p->len) return;
    ts_http_error e = ts_http_error_of(TS_HTTP_REQUEST_BODY_SIZE);
    e.has_number = true;
    e.number = p->total;
    ts_http_pipe_fail(p, e);
}
static const ts_http_far far_in = {in_kick, by_driver}, far_out = {out_kick, by_driver},
                         far_spent = {spent_kick, by_driver};

static void attach(ts_http_pipe *p, const ts_http_far *far, ts_http_exchange *x) {
    p->far = far;
    p->far_data = x;
}
static void detach(ts_http_pipe *p) {
    p->far = NULL;
    p->far_data = NULL;
    p->far_gone = true;
}
static bool near_gone(const ts_http_pipe *p) {
    return p->near_gone || p->refs == 1;
}

static void exchange_delete(ts_http_exchange *x) {
    ts_http_fields_clear(&x->headers);
    ts_http_pipe_release(x->in);
    ts_http_pipe_release(x->out);
    ts_http_chunked_free(&x->chunks);
    free(x->method);
    free(x->target);
    free(x->host);
    free(x->url);
    free(x);
}

/* It is over: e says why, NULL: as it should. */
static void finish(ts_http_exchange *x, const ts_http_error *e) {
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
        bool spent = !e && x->out_eof;
        if (!spent) ts_http_pipe_fail(x->out, e ? *e : ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED));
        detach(x->out);
        if (spent) x->out->far = &far_spent;
    }
    if (x->prev) x->prev->next = x->next;
    if (x->next) x->next->prev = x->prev;
    if (c->first == x) c->first = x->next;
    c->n--;
    x->c = NULL;
    if (!x->owned) exchange_delete(x);
}
static void finish_code(ts_http_exchange *x, ts_http_code code) {
    ts_http_error e = ts_http_error_of(code);
    finish(x, &e);
}

/* In a callback: the first reason counts; the caller of libcurl finishes. */
static void give_up(ts_http_exchange *x, ts_http_error e) {
    if (!x->has_error) x->error = e;
    x->has_error = true;
}
static void give_up_code(ts_http_exchange *x, ts_http_code code) {
    give_up(x, ts_http_error_of(code));
}
static void give_up_number(ts_http_exchange *x, ts_http_code code, uint64_t number) {
    ts_http_error e = ts_http_error_of(code);
    e.has_number = true;
    e.number = number;
    give_up(x, e);
}
static void give_up_nomem(ts_http_exchange *x) {
    give_up(x, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory"));
}

/* --- what libcurl waits for ------------------------------------------------------------------------------------------------ */
static sock *sock_of(const ts_http_client *c, int fd) {
    for (uint32_t i = 0; i < c->n_socks; i++)
        if (c->socks[i].fd == fd) return &c->socks[i];
    return NULL;
}

/* Something of its request waits until the server takes more. */
static bool wants_out(const ts_http_exchange *x) {
    for (int i = 0; i < MOST_SOCKETS_OF_AN_EXCHANGE; i++) {
        const sock *s = x->fds[i] >= 0 ? sock_of(x->c, x->fds[i]) : NULL;
        if (s && s->out) return true;
    }
    return false;
}

static void note_socket(ts_http_exchange *x, int fd, bool gone) {
    int place = -1;
    for (int i = 0; i < MOST_SOCKETS_OF_AN_EXCHANGE; i++) {
        if (x->fds[i] == fd) {
            if (gone) x->fds[i] = -1;
            return;
        }
        if (x->fds[i] < 0) place = i;
    }
    if (!gone && place >= 0) x->fds[place] = fd;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *sock_data) {
    (void)sock_data;
    ts_http_client *c = data;
    ts_http_exchange *x = NULL;
    (void)c->l.curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    sock *s = sock_of(c, fd);
    bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (x) {
        if (s && s->out && !out) x->quiet_since = ticks(c); /* all that there was has gone */
        note_socket(x, fd, what == CURL_POLL_REMOVE);
    }
    if (what == CURL_POLL_REMOVE) {
        if (s) *s = c->socks[--c->n_socks];
        return 0;
    }
    if (!s) {
        if (c->n_socks == c->cap_socks) {
            uint32_t cap = c->cap_socks ? c->cap_socks * 2 : 8;
            sock *more = realloc(c->socks, cap * sizeof *more);
            if (!more) {
                c->no_room = true;
                return -1;
            }
            c->socks = more;
            c->cap_socks = cap;
        }
        s = &c->socks[c->n_socks++];
        s->fd = fd;
    }
    s->in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    s->out = out;
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *data) {
    (void)multi;
    ts_http_client *c = data;
    c->timer = ms < 0 ? TS_SYS_NO_DEADLINE : ts_sys_monotonic() + (uint64_t)ms * 1000000u;
    return 0;
}

/* A body whose end is that of the connection. */
static bool to_the_end(const ts_http_exchange *x) {
    return x->https && !x->http2 && x->state == TS_HTTP_RESPONDED && !x->chunked && !x->known_length && !x->bodyless;
}

/* --- the connection -------------------------------------------------------------------------------------------------------- */
static bool from_os(const struct sockaddr *o, ts_sys_addr *a) {
    *a = (ts_sys_addr){.v6 = o->sa_family == AF_INET6};
    if (o->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, o, sizeof in);
        a->port = ntohs(in.sin_port);
        memcpy(a->ip, &in.sin_addr, 4);
        return true;
    }
    if (!a->v6) return false;
    struct sockaddr_in6 in;
    memcpy(&in, o, sizeof in);
    a->port = ntohs(in.sin6_port);
    memcpy(a->ip, &in.sin6_addr, 16);
    a->scope = in.sin6_scope_id;
    if (ts_sys_addr_is_mapped(a)) { /* the rule is of what is reached */
        memmove(a->ip, a->ip + 12, 4);
        memset(a->ip + 4, 0, 12);
        a->v6 = false;
    }
    return true;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *to) {
    (void)purpose;
    ts_http_exchange *x = data;
    ts_sys_addr a;
    if (!from_os(&to->addr, &a)) return CURL_SOCKET_BAD;
    if (x->c->may && !x->c->may(x->c->may_data, &a)) {
        x->prohibited = true;
        return CURL_SOCKET_BAD;
    }
    int type = to->socktype;
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC | SOCK_NONBLOCK;
#endif
    int fd = socket(to->family, type, to->protocol);
    if (fd < 0) {
        x->no_files = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return CURL_SOCKET_BAD;
    }
#ifdef SO_NOSIGPIPE
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return fd;
}

/* A connection that ends without TLS's own end was cut: a body up to the end of the connection is not whole then. libcurl looks
 * away there, by an option of OpenSSL or by itself. RFC 9112, 9.8 */
static CURLcode strict_end(CURL *easy, void *context, void *data) {
    (void)easy;
    const ts_http_client *c = data;
    (void)c->l.clear_options(context, TS_CURL_IGNORE_UNEXPECTED_EOF);
    return CURLE_OK;
}
/* Called while the connection is still the transfer's: afterwards nobody can tell any more. */
static int watch_end(void *data, curl_off_t in_all, curl_off_t in, curl_off_t out_all, curl_off_t out) {
    (void)in_all, (void)in, (void)out_all, (void)out;
    ts_http_exchange *x = data;
    struct curl_tlssessioninfo *tls = NULL;
    if (!to_the_end(x) || x->c->l.curl_easy_getinfo(x->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK) return 0;
    if (tls && tls->internals) x->tls_cut = !(x->c->l.get_shutdown(tls->internals) & TS_CURL_RECEIVED_SHUTDOWN);
    return 0;
}

/* The connection stands, and the request is about to be sent: also a second time, when a kept connection turns out to be dead.
 * What may have been done may be done again only if that makes no difference, and a body that has gone cannot be called back.
 * RFC 9110, 9.2.2; RFC 9112, 9.3.1 */
static int before_request(void *data, char *remote, char *local, int remote_port, int local_port) {
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    ts_http_exchange *x = data;
    if (x->sent && (!x->idempotent || x->taken || x->out_eof || x->begun)) {
        give_up_code(x, TS_HTTP_CONNECTION_TERMINATED);
        return CURL_PREREQFUNC_ABORT;
    }
    x->sent = true;
    x->quiet_since = ticks(x->c);
    return CURL_PREREQFUNC_OK;
}

/* --- the request's body ------------------------------------------------------------------------------------------------------ */
static size_t read_body(char *to, size_t size, size_t n, void *data) {
    ts_http_exchange *x = data;
    size_t room = size * n;
    if (x->has_error) return CURL_READFUNC_ABORT;
    if (x->has_length && room > x->length - x->taken) room = (size_t)(x->length - x->taken);
    size_t got = room ? ts_http_pipe_take(x->out, to, room) : 0;
    x->taken += got;
    if (got || x->out->ended) x->quiet_since = ticks(x->c);
    if (x->has_length ? x->taken == x->length : x->out->ended && !x->out->len && !got) x->out_eof = true;
    if (got || x->out_eof) return got;
    x->send_paused = true;
    return CURL_READFUNC_PAUSE;
}

static int send_trailers(struct curl_slist **list, void *data) {
    ts_http_exchange *x = data;
    const ts_http_fields *f = &x->out->trailers;
    x->trailers_sent = true;
    for (uint32_t i = 0; i < f->len; i++) {
        char *line;
        if (asprintf(&line, "%s: %s", f->data[i].name, f->data[i].value) < 0) return CURL_TRAILERFUNC_ABORT;
        struct curl_slist *longer = x->c->l.curl_slist_append(*list, line);
        free(line);
        if (!longer) return CURL_TRAILERFUNC_ABORT;
        *list = longer;
    }
    return CURL_TRAILERFUNC_OK;
}
/* They had to be sent, and have not been: libcurl knows no trailers in HTTP/2, and there is no place for them after a length. */
static bool trailers_lost(const ts_http_exchange *x) {
    return x->out && x->out_eof && x->out->trailers.len && !x->trailers_sent;
}

/* --- the response ------------------------------------------------------------------------------------------------------------ */
static void whole_head(ts_http_exchange *x) {
    uint32_t i = 0;
    const ts_http_field *coding = ts_http_fields_find(&x->headers, "transfer-encoding", &i);
    int r = ts_http_content_length(&x->headers, &x->in_length);
    x->bodyless = x->head || x->status == 204 || x->status == 304;
    if (x->out && x->out_eof && x->http2 && trailers_lost(x)) {
        give_up(x,
                ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "libcurl sends no trailers over HTTP/2: announce them by a "
                                                           "field Trailer, and HTTP/1.1 is used"));
        return;
    }
    if (!x->bodyless) {
        if (r < 0 || (r > 0 && coding)) { /* RFC 9112, 6.3: "ought to be handled as an error" */
            give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
            return;
        }
        if (coding) {
            i++;
            if (!ts_http_name_is(coding->value, coding->value_len, "chunked", 7) ||
                ts_http_fields_find(&x->headers, "transfer-encoding", &i)) {
                give_up(x, ts_http_error_text(TS_HTTP_RESPONSE_TRANSFER_CODING, coding->value));
                return;
            }
            x->chunked = true;
        }
        x->known_length = r > 0;
    }
    x->state = TS_HTTP_RESPONDED;
    if (x->bodyless || (x->known_length && !x->in_length && !x->http2)) ts_http_pipe_end(x->in);
    /* libcurl would wait for a body after the answer to a HEAD that had one itself */
    if (x->head && x->out) x->cut = true;
}

static void status_line(ts_http_exchange *x, const char *line, size_t len) {
    ts_http_fields_clear(&x->headers);
    x->in_head = true;
    x->http2 = len > 5 && line[5] == '2';
    const char *space = memchr(line, ' ', len);
    x->status = space ? (uint16_t)strtoul(space, NULL, 10) : 0;
    if (x->status < 100 || x->status > 599) give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
}

/* A line that begins with a blank goes on where the last one stopped. RFC 9112, 5.2 */
static bool unfold(ts_http_fields *f, const char *line, size_t len) {
    if (f->len == 0) return false;
    while (len && (*line == ' ' || *line == '\t')) line++, len--;
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\t')) len--;
    ts_http_field last = f->data[f->len - 1];
    char *value = malloc(last.value_len + 1 + len);
    if (!value) return false;
    memcpy(value, last.value, last.value_len);
    size_t n = last.value_len;
    if (len && n) value[n++] = ' ';
    memcpy(value + n, line, len);
    n += len;
    bool good = ts_http_is_field_value(value, n) && ts_http_fields_add(f, last.name, last.name_len, value, n);
    if (good) ts_http_fields_remove(f, f->len - 2);
    free(value);
    return good;
}

static void field_line(ts_http_exchange *x, ts_http_fields *f, const char *line, size_t len, bool trailer) {
    ts_http_line r = TS_HTTP_LINE_OK;
    if (!trailer && len && (*line == ' ' || *line == '\t')) {
        if (!unfold(f, line, len)) r = TS_HTTP_LINE_BAD;
    } else {
        r = ts_http_field_line(f, line, len);
    }
    if (r == TS_HTTP_LINE_BAD) give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
    if (r == TS_HTTP_LINE_NOMEM) give_up_nomem(x);
    if (r) return;
    const ts_http_field *last = &f->data[f->len - 1];
    if ((uint64_t)last->name_len + last->value_len > MAX_FIELD) {
        ts_http_error e =
            ts_http_error_text(trailer ? TS_HTTP_RESPONSE_TRAILER_SIZE : TS_HTTP_RESPONSE_HEADER_SIZE, last->name);
        e.has_number = true;
        e.number = (uint64_t)last->name_len + last->value_len;
        give_up(x, e);
    }
    if (f->bytes > (trailer ? MAX_TRAILERS : MAX_HEAD))
        give_up_number(x, trailer ? TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE : TS_HTTP_RESPONSE_HEADER_SECTION_SIZE,
                       f->bytes);
}

/* One line, with its end: of a status, a field, the end of a head, or (HTTP/2) a trailer. */
static size_t read_head(char *line, size_t size, size_t n, void *data) {
    ts_http_exchange *x = data;
    size_t all = size * n, len = all;
    if (x->has_error) return 0;
    x->begun = true;
    if (len && line[len - 1] == '\n') len--;
    if (len && line[len - 1] == '\r') len--;
    if (x->state != TS_HTTP_PENDING) {
        if (len && !x->in->ended) field_line(x, &x->in->trailers, line, len, true);
    } else if (!x->in_head) {
        if (len < 5 || memcmp(line, "HTTP/", 5) != 0)
            give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
        else
            status_line(x, line, len);
    } else if (len) {
        field_line(x, &x->headers, line, len, false);
    } else if (x->status == 101) { /* nothing has asked for it */
        give_up_code(x, TS_HTTP_UPGRADE_FAILED);
    } else if (x->status < 200) {
        x->in_head = false;
        x->quiet_since = ticks(x->c);
        if (++x->informational > MAX_INFORMATIONAL) give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
    } else {
        whole_head(x);
    }
    return x->has_error ? 0 : all;
}

static size_t read_response(char *bytes, size_t size, size_t n, void *data) {
    ts_http_exchange *x = data;
    size_t len = size * n;
    if (x->has_error || x->state != TS_HTTP_RESPONDED) return 0;
    if (x->in->ended) return len; /* beyond what belongs to it: libcurl closes the connection */
    ts_http_pipe *to = x->discard ? NULL : x->in;
    if (to && ts_http_pipe_room(to) < len) {
        x->recv_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (len) {
        x->got_byte = true;
        x->last_byte = ticks(x->c);
    }
    if (x->chunked) {
        switch (ts_http_chunked_feed(&x->chunks, bytes, len, to, MAX_TRAILERS)) {
        case TS_HTTP_CHUNKED_MORE: break;
        case TS_HTTP_CHUNKED_END: ts_http_pipe_end(x->in); break;
        case TS_HTTP_CHUNKED_BAD: give_up_code(x, TS_HTTP_PROTOCOL_ERROR); return 0;
        case TS_HTTP_CHUNKED_BIG:
            give_up_number(x, TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE,
                           x->in->trailers.bytes > x->chunks.line_len ? x->in->trailers.bytes : x->chunks.line_len);
            return 0;
        case TS_HTTP_CHUNKED_NOMEM: give_up_nomem(x); return 0;
        }
    } else {
        x->got += len;
        if (x->known_length && x->got > x->in_length) {
            give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
            return 0;
        }
        if (to) (void)ts_http_pipe_put(to, bytes, len);
        /* nothing can follow in HTTP/1.1; HTTP/2 may send trailers */
        if (x->known_length && x->got == x->in_length && !x->http2) ts_http_pipe_end(x->in);
    }
    if (to && to->failed) {
        give_up(x, to->error);
        return 0;
    }
    return len;
}

/* --- a transfer ------------------------------------------------------------------------------------------------------------ */
static bool resolve_entry(ts_http_exchange *x, const ts_sys_addr *addrs, uint32_t n) {
    char entry[300 + MAX_ADDRESSES * (INET6_ADDRSTRLEN + 3)];
    int at = snprintf(entry, sizeof entry, "+%s:%u:", x->host, x->port);
    for (uint32_t i = 0; i < n; i++) {
        char ip[INET6_ADDRSTRLEN];
        if (!inet_ntop(addrs[i].v6 ? AF_INET6 : AF_INET, addrs[i].ip, ip, sizeof ip)) return false;
        at += snprintf(entry + at, sizeof entry - (size_t)at, addrs[i].v6 ? "%s[%s]" : "%s%s", i ? "," : "", ip);
    }
    x->addresses = x->c->l.curl_slist_append(NULL, entry);
    return x->addresses != NULL;
}

/* The addresses are known: those that may be connected to are tried. */
static void start(ts_http_exchange *x, const ts_sys_addr *addrs, size_t n_addrs) {
    ts_http_client *c = x->c;
    ts_sys_addr allowed[MAX_ADDRESSES];
    uint32_t n = 0;
    for (size_t i = 0; i < n_addrs && n < MAX_ADDRESSES; i++) {
        allowed[n] = addrs[i];
        allowed[n].port = x->port;
        if (!c->may || c->may(c->may_data, &allowed[n])) n++;
    }
    if (n == 0) {
        finish_code(x, TS_HTTP_DESTINATION_IP_PROHIBITED);
        return;
    }
    x->easy = c->l.curl_easy_init();
    if (!x->easy || (!x->literal && !resolve_entry(x, allowed, n))) {
        ts_http_error e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
        finish(x, &e);
        return;
    }
    CURLcode e = CURLE_OK;
#define SET(option, value)                                                                                             \
    if (e == CURLE_OK) e = c->l.curl_easy_setopt(x->easy, option, value)
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_ERRORBUFFER, x->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    /* where to: nothing but what the request says */
    SET(CURLOPT_URL, x->url);
    SET(CURLOPT_REQUEST_TARGET, x->target);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    if (x->addresses) SET(CURLOPT_RESOLVE, x->addresses);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
    SET(CURLOPT_PREREQFUNCTION, before_request);
    SET(CURLOPT_PREREQDATA, x);
    SET(CURLOPT_TCP_NODELAY, 1L);
    /* what: the fields of the request; those that libcurl would add are taken out there */
    SET(CURLOPT_HTTPHEADER, x->fields);
    SET(CURLOPT_HTTP_VERSION, (long)(x->https && !x->http1 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    if (x->out) {
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, x->has_length ? (curl_off_t)x->length : (curl_off_t)-1);
        SET(CURLOPT_READFUNCTION, read_body);
        SET(CURLOPT_READDATA, x);
        SET(CURLOPT_KEEP_SENDING_ON_ERROR, 1L);
        if (!x->has_length) {
            SET(CURLOPT_TRAILERFUNCTION, send_trailers);
            SET(CURLOPT_TRAILERDATA, x);
        }
    } else if (x->head) {
        SET(CURLOPT_NOBODY, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, x->method);
    /* what comes back: as it comes; chunks are read here, where their end and their trailers are seen at once */
    SET(CURLOPT_HEADERFUNCTION, read_head);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, read_response);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HTTP_TRANSFER_DECODING, 0L);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    /* TLS */
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (x->https && c->l.clear_options && c->l.get_shutdown) {
        SET(CURLOPT_SSL_CTX_FUNCTION, strict_end);
        SET(CURLOPT_SSL_CTX_DATA, c);
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, watch_end);
        SET(CURLOPT_XFERINFODATA, x);
    }
    if (c->ca_file) {
        SET(CURLOPT_CAPATH, NULL);
        SET(CURLOPT_CAINFO, c->ca_file);
    }
#undef SET
    if (e == CURLE_OK && c->l.curl_multi_add_handle(c->multi, x->easy) == CURLM_OK) return;
    ts_curl_failure f = {.code = e ? e : CURLE_OUT_OF_MEMORY, .text = x->text};
    ts_http_error error = ts_curl_error(&c->l, &f);
    c->l.curl_easy_cleanup(x->easy);
    x->easy = NULL;
    finish(x, &error);
}

/* What libcurl says at the end. */
static void ended(ts_http_exchange *x, CURLcode code) {
    ts_http_client *c = x->c;
    ts_http_error e;
    if (x->has_error) {
        e = x->error;
        x->has_error = false;
    } else if (code == CURLE_OK && x->state != TS_HTTP_RESPONDED) { /* closed before a whole head */
        e = ts_http_error_of(x->begun ? TS_HTTP_RESPONSE_INCOMPLETE : TS_HTTP_CONNECTION_TERMINATED);
    } else if (code == CURLE_OK) {
        bool whole = x->in->ended || x->discard ||
                     (to_the_end(x) ? !x->tls_cut : !x->chunked && !(x->known_length && x->got < x->in_length));
        if (whole && !trailers_lost(x)) {
            finish(x, NULL);
            return;
        }
        e = whole ? ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "libcurl sends no trailers over HTTP/2")
                  : ts_http_error_of(TS_HTTP_RESPONSE_INCOMPLETE);
    } else if (x->prohibited && code == CURLE_COULDNT_CONNECT) {
        e = ts_http_error_of(TS_HTTP_DESTINATION_IP_PROHIBITED);
    } else if (x->no_files && code == CURLE_COULDNT_CONNECT) {
        e = ts_http_error_of(TS_HTTP_CONNECTION_LIMIT_REACHED);
    } else {
        ts_curl_failure f = {.code = code,
                             .text = x->text,
                             .sent = x->sent,
                             .begun = x->begun,
                             .responded = x->state == TS_HTTP_RESPONDED};
        (void)c->l.curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &f.os_errno);
        e = ts_curl_error(&c->l, &f);
    }
    finish(x, &e);
}

/* --- names ------------------------------------------------------------------------------------------------------------------ */
static const known_name *known(const ts_http_client *c, const char *name) {
    uint64_t now = ts_sys_monotonic();
    for (uint32_t i = 0; i < KNOWN_NAMES; i++)
        if (c->known[i].n && c->known[i].until > now && strcmp(c->known[i].name, name) == 0) return &c->known[i];
    return NULL;
}

static ts_http_error of_lookup(ts_sys_lookup_result r) {
    switch (r) { /* the text is the rcode, as far as it is known */
    case TS_SYS_LOOKUP_NONE: return ts_http_error_text(TS_HTTP_DNS_ERROR, "NXDOMAIN");
    case TS_SYS_LOOKUP_TEMPORARY: return ts_http_error_text(TS_HTTP_DNS_ERROR, "temporary failure");
    case TS_SYS_LOOKUP_PERMANENT: return ts_http_error_text(TS_HTTP_DNS_ERROR, "SERVFAIL");
    case TS_SYS_LOOKUP_NOMEM: return ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
    case TS_SYS_LOOKUP_INVALID:
    case TS_SYS_LOOKUP_NO_IDNA: return ts_http_error_of(TS_HTTP_REQUEST_URI_INVALID);
    default: return ts_http_error_of(TS_HTTP_DNS_ERROR);
    }
}

/* Towards the addresses. True: something has happened. */
static bool look_up(ts_http_exchange *x) {
    ts_http_client *c = x->c;
    ts_sys_lookup_result how = TS_SYS_LOOKUP_OK;
    const ts_sys_addr *addrs;
    size_t n;
    if (!x->lookup) {
        const known_name *k = known(c, x->host);
        if (k) {
            start(x, k->addrs, k->n);
            return true;
        }
        how = ts_sys_lookup_start(c->lookups, x->host, &x->lookup);
        if (how == TS_SYS_LOOKUP_TEMPORARY) /* its turn comes when another is done */
            for (const ts_http_exchange *y = c->first; y; y = y->next)
                if (y->lookup) return false;
    }
    if (how == TS_SYS_LOOKUP_OK && !ts_sys_lookup_done(x->lookup, &how, &addrs, &n)) return false;
    if (how != TS_SYS_LOOKUP_OK) {
        ts_http_error e = of_lookup(how);
        finish(x, &e);
        return true;
    }
    if (!x->literal) {
        known_name *k = &c->known[c->next_known++ % KNOWN_NAMES];
        memcpy(k->name, x->host, strlen(x->host) + 1);
        k->n = (uint32_t)(n < MAX_ADDRESSES ? n : MAX_ADDRESSES);
        memcpy(k->addrs, addrs, k->n * sizeof *addrs);
        k->until = ts_sys_monotonic() + KNOWN_NS;
    }
    ts_sys_lookup *l = x->lookup;
    x->lookup = NULL;
    start(x, addrs, n);
    ts_sys_lookup_free(l);
    return true;
}

/* --- the pump --------------------------------------------------------------------------------------------------------------- */
/* What the guest has written, or not, against what it has announced. True: the exchange is over. */
static bool body_wrong(ts_http_exchange *x) {
    ts_http_pipe *p = x->out;
    ts_http_error e;
    if (p->failed) {
        e = p->error;
    } else if (x->has_length && (p->total > x->length || (p->ended && p->total < x->length))) {
        e = ts_http_error_of(TS_HTTP_REQUEST_BODY_SIZE);
        e.has_number = true;
        e.number = p->total;
        ts_http_pipe_fail(p, e);
    } else if (p->ended && p->trailers.bytes > MAX_TRAILERS) {
        e = ts_http_error_of(TS_HTTP_REQUEST_TRAILER_SECTION_SIZE);
        e.has_number = true;
        e.number = p->trailers.bytes;
    } else if (p->ended && p->trailers.len && x->has_length) {
        e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "trailers cannot follow a body with a content-length");
    } else if (!p->ended && near_gone(p)) {
        e = ts_http_error_of(TS_HTTP_PROTOCOL_ERROR); /* the body was not finished */
    } else {
        return false;
    }
    finish(x, &e);
    return true;
}

/* The guest's side of an exchange: what it has given, taken, or left. True: something has happened. */
static bool stir(ts_http_exchange *x) {
    ts_http_client *c = x->c;
    if (x->has_error) { /* from within an unpausing */
        ended(x, CURLE_OK);
        return true;
    }
    if (x->cut) {
        finish(x, NULL);
        return true;
    }
    if (x->out && body_wrong(x)) return true;
    if (x->state == TS_HTTP_RESPONDED && !x->discard && (x->in->near_gone || (!x->owned && x->in->refs == 1)))
        x->discard = true;
    if (x->discard && (!x->out || (x->out_eof && !wants_out(x)))) {
        finish_code(x, TS_HTTP_CONNECTION_TERMINATED);
        return true;
    }
    if (!x->easy) return look_up(x);
    bool recv = x->recv_paused && (x->discard || ts_http_pipe_room(x->in) >= CURL_MAX_WRITE_SIZE || x->in->ended);
    bool send = x->send_paused && (x->out->len || x->out->ended);
    if (!recv && !send) return false;
    if (recv) {
        x->recv_paused = false;
        x->last_byte = ticks(c);
    }
    if (send) {
        x->send_paused = false;
        x->quiet_since = ticks(c);
    }
    if (c->l.curl_easy_pause(x->easy, (x->recv_paused ? CURLPAUSE_RECV : 0) | (x->send_paused ? CURLPAUSE_SEND : 0)) ==
        CURLE_OUT_OF_MEMORY)
        give_up_nomem(x);
    return true;
}

/* What the OS has for libcurl. True: something has happened. */
static bool sockets(ts_http_client *c) {
    bool moved = false;
    int running;
    if (c->n_socks) {
        uint32_t n = 0;
        if (c->cap_looks < c->n_socks * 2) {
            ts_sys_wait *more = realloc(c->looks, c->cap_socks * 2 * sizeof *more);
            if (!more) {
                c->no_room = true;
                return false;
            }
            c->looks = more;
            c->cap_looks = c->cap_socks * 2;
        }
        for (uint32_t i = 0; i < c->n_socks; i++) {
            if (c->socks[i].in) c->looks[n++] = (ts_sys_wait){.fd = c->socks[i].fd};
            if (c->socks[i].out) c->looks[n++] = (ts_sys_wait){.fd = c->socks[i].fd, .out = true};
        }
        if (ts_sys_poll(c->looks, n, 0) != TS_SYS_OK) n = 0;
        int done = -1;
        for (uint32_t i = 0; i < n; i++) {
            int fd = c->looks[i].fd;
            if (!c->looks[i].ready || fd == done || !sock_of(c, fd)) continue;
            done = fd; /* both directions at once */
            (void)c->l.curl_multi_socket_action(c->multi, fd, 0, &running);
            moved = true;
        }
    }
    if (c->timer != TS_SYS_NO_DEADLINE && c->timer <= ts_sys_monotonic()) {
        c->timer = TS_SYS_NO_DEADLINE;
        (void)c->l.curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        moved = true;
    }
    int left;
    for (const CURLMsg *m; (m = c->l.curl_multi_info_read(c->multi, &left));) {
        ts_http_exchange *x = NULL;
        if (m->msg != CURLMSG_DONE) continue;
        CURLcode code = m->data.result;
        (void)c->l.curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
        if (x) ended(x, code);
        moved = true;
    }
    return moved;
}

/* When the clock of what it waits for runs out, by the client's time; none while it waits for the guest. */
static uint64_t deadline_of(const ts_http_exchange *x) {
    uint64_t from, after;
    if (!x->sent) {
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

static void deadlines(ts_http_client *c) {
    uint64_t now = ticks(c);
    for (ts_http_exchange *x = c->first, *next; x; x = next) {
        next = x->next;
        if (deadline_of(x) > now) continue;
        if (!x->sent)
            finish_code(x, x->easy ? TS_HTTP_CONNECTION_TIMEOUT : TS_HTTP_DNS_TIMEOUT);
        else if (!x->got_byte && x->out && !x->send_paused && wants_out(x))
            finish_code(x, TS_HTTP_CONNECTION_WRITE_TIMEOUT);
        else
            finish_code(x, TS_HTTP_CONNECTION_READ_TIMEOUT);
    }
}

void ts_http_client_pump(ts_http_client *c) {
    if (!c->multi || c->inside) return;
    c->inside = true;
    arrive(c);
    for (int round = 0; round < ROUNDS; round++) {
        bool moved = false;
        for (ts_http_exchange *x = c->first, *next; x; x = next) {
            next = x->next;
            moved |= stir(x);
        }
        moved |= sockets(c);
        if (!moved) break;
    }
    deadlines(c);
    if (c->no_room) {
        ts_http_error e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
        while (c->first) finish(c->first, &e);
        c->no_room = false;
    }
    leave(c);
    c->inside = false;
}

static void in_kick(ts_http_pipe *p) {
    ts_http_exchange *x = p->far_data;
    if (p->near_gone || p->len <= p->cap / 2) ts_http_client_pump(x->c);
}
static void out_kick(ts_http_pipe *p) {
    ts_http_exchange *x = p->far_data;
    if (x->send_paused || p->ended || p->failed || p->near_gone || p->len > p->cap / 2) ts_http_client_pump(x->c);
}

size_t ts_http_client_waits(ts_http_client *c, ts_sys_wait *w, size_t n, uint64_t *deadline) {
    size_t all = 0;
    arrive(c);
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
        if (d != TS_SYS_NO_DEADLINE && d + c->absent < *deadline) *deadline = d + c->absent;
    }
    return all;
}

bool ts_http_client_idle(const ts_http_client *c) {
    return c->first == NULL;
}

/* --- a request --------------------------------------------------------------------------------------------------------------- */
/* "host", "host:port", "[address]:port". wit: authority; RFC 3986, 3.2 without userinfo */
static bool authority(ts_http_exchange *x, const char *s) {
    char host[254];
    const char *end, *port;
    if (strpbrk(s, "@/?#\\ ")) return false;
    bool bracket = *s == '[';
    if (bracket) {
        end = strchr(++s, ']');
        if (!end) return false;
        port = end + 1;
    } else {
        end = port = s + strcspn(s, ":");
    }
    if (*port && *port != ':') return false;
    ts_sys_addr a;
    if (ts_sys_name_check(s, (size_t)(end - s), host) != TS_SYS_LOOKUP_OK) return false;
    x->literal = ts_sys_addr_parse(host, strlen(host), &a);
    if (bracket != (x->literal && a.v6)) return false;
    unsigned long n = x->https ? 443 : 80;
    if (*port && port[1]) {
        if (strspn(port + 1, "0123456789") != strlen(port + 1)) return false;
        n = strtoul(port + 1, NULL, 10);
        if (n == 0 || n > 65535) return false;
    }
    x->port = (uint16_t)n;
    x->host = strdup(host);
    return asprintf(&x->url, x->literal && a.v6 ? "%s://[%s]:%lu/" : "%s://%s:%lu/", x->https ? "https" : "http", host,
                    n) >= 0;
}

static bool target_good(const char *s, const char *method) {
    if (*s != '/' && !(strcmp(s, "*") == 0 && strcmp(method, "OPTIONS") == 0)) return false;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f || *s == '#') return false;
    return true;
}

static bool add_line(ts_http_exchange *x, const char *line) {
    struct curl_slist *longer = x->c->l.curl_slist_append(x->fields, line);
    if (!longer) return false;
    x->fields = longer;
    return true;
}

/* The guest's fields, and what takes out those that libcurl would add. False: `error` says why. */
static bool fields(ts_http_exchange *x, const ts_http_request *r) {
    static const char *const added[] = {"Host", "Accept", "Expect", "User-Agent", "Content-Type"};
    bool given[sizeof added / sizeof *added] = {0}, room = true;
    static const ts_http_fields none;
    const ts_http_fields *f = r->headers ? r->headers : &none;
    if (f->bytes > MAX_REQUEST_HEAD) {
        give_up_number(x, TS_HTTP_REQUEST_HEADER_SECTION_SIZE, f->bytes);
        return false;
    }
    for (uint32_t i = 0; i < f->len && room; i++) {
        const ts_http_field *h = &f->data[i];
        char *line;
        if (!ts_http_is_token(h->name, h->name_len) || !ts_http_is_field_value(h->value, h->value_len) ||
            ts_http_name_is(h->name, h->name_len, "transfer-encoding", 17)) {
            give_up_code(x, TS_HTTP_PROTOCOL_ERROR); /* how a body is framed is not the guest's */
            return false;
        }
        for (size_t k = 0; k < sizeof added / sizeof *added; k++) {
            if (!ts_http_name_is(h->name, h->name_len, added[k], strlen(added[k]))) continue;
            if (k == 0 && given[k]) {
                give_up_code(x, TS_HTTP_PROTOCOL_ERROR);
                return false;
            }
            given[k] = true;
        }
        x->http1 |= ts_http_name_is(h->name, h->name_len, "trailer", 7);
        /* libcurl's form of a field without a value: "name;" */
        room = asprintf(&line, h->value_len ? "%s: %s" : "%s;%s", h->name, h->value) >= 0;
        if (room) {
            room = add_line(x, line);
            free(line);
        }
    }
    for (size_t k = 0; k < sizeof added / sizeof *added && room; k++) {
        char *line;
        if (given[k]) continue;
        room = asprintf(&line, k ? "%s:" : "%s: %s", added[k], r->authority) >= 0;
        if (room) {
            room = add_line(x, line);
            free(line);
        }
    }
    if (!room) give_up_nomem(x);
    return room;
}

/* Everything that can be seen before a connection. False: `error` says why not. */
static bool prepare(ts_http_exchange *x, const ts_http_request *r) {
    ts_http_client *c = x->c;
    int length;
    if (c->n > MAX_EXCHANGES) {
        give_up_code(x, TS_HTTP_CONNECTION_LIMIT_REACHED);
        return false;
    }
    if (!c->multi) {
        give_up(x, ts_http_error_text(TS_HTTP_INTERNAL_ERROR, c->problem ? c->problem : "no memory"));
        return false;
    }
    if (!ts_http_is_token(r->method, strlen(r->method)) || strcmp(r->method, "CONNECT") == 0) {
        give_up_code(x,
                     TS_HTTP_REQUEST_METHOD_INVALID); /* CONNECT is of proxies: wasi:http has no tunnel to give back */
        return false;
    }
    if (strlen(r->path) > MAX_TARGET) {
        give_up_code(x, TS_HTTP_REQUEST_URI_TOO_LONG);
        return false;
    }
    x->https = strcmp(r->scheme, "https") == 0;
    if ((!x->https && strcmp(r->scheme, "http") != 0) || !target_good(r->path, r->method) ||
        !authority(x, r->authority)) {
        give_up_code(x, TS_HTTP_REQUEST_URI_INVALID);
        return false;
    }
    length = r->headers ? ts_http_content_length(r->headers, &x->length) : 0;
    if (length < 0 || x->length > INT64_MAX) {
        give_up_code(x, TS_HTTP_REQUEST_BODY_SIZE);
        return false;
    }
    x->has_length = length > 0;
    if (x->has_length && x->length && !x->out) {
        give_up_number(x, TS_HTTP_REQUEST_BODY_SIZE, 0);
        return false;
    }
    if (x->out && x->has_length && x->length == 0) x->out_eof = true;
    x->method = strdup(r->method);
    x->target = strdup(r->path);
    if (!x->method || !x->target || !x->host) {
        give_up_nomem(x);
        return false;
    }
    static const char *const idempotent[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof idempotent / sizeof *idempotent; i++)
        x->idempotent |= strcmp(r->method, idempotent[i]) == 0;
    x->head = strcmp(r->method, "HEAD") == 0;
    return fields(x, r);
}

static void open_library(ts_http_client *c) {
    if (c->multi || c->problem) return;
    c->problem = ts_curl_open(&c->l);
    if (c->problem) return;
    c->multi = c->l.curl_multi_init();
    c->lookups = ts_sys_lookups_new(MAX_LOOKUPS);
    bool good = c->multi && c->lookups;
#define SET(option, value) good = good && c->l.curl_multi_setopt(c->multi, option, value) == CURLM_OK
    SET(CURLMOPT_SOCKETFUNCTION, on_socket);
    SET(CURLMOPT_SOCKETDATA, c);
    SET(CURLMOPT_TIMERFUNCTION, on_timer);
    SET(CURLMOPT_TIMERDATA, c);
    /* one request at a time on a connection: one whose body nobody reads holds up no other */
    SET(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    SET(CURLMOPT_MAXCONNECTS, (long)MAX_KEPT);
#undef SET
    if (good) return;
    if (c->multi) (void)c->l.curl_multi_cleanup(c->multi);
    c->multi = NULL;
    ts_sys_lookups_free(c->lookups);
    c->lookups = NULL;
    ts_curl_close(&c->l); /* no memory: tried again with the next request */
}

ts_http_exchange *ts_http_client_send(ts_http_client *c, const ts_http_request *r) {
    ts_http_exchange *x = calloc(1, sizeof *x);
    if (!x || !(x->in = ts_http_pipe_new())) {
        free(x);
        return NULL;
    }
    arrive(c);
    open_library(c);
    x->c = c;
    x->owned = true;
    for (int i = 0; i < MOST_SOCKETS_OF_AN_EXCHANGE; i++) x->fds[i] = -1;
    x->connect_timeout = r->connect_timeout;
    x->first_byte_timeout = r->first_byte_timeout;
    x->between_bytes_timeout = r->between_bytes_timeout;
    x->started = x->quiet_since = x->last_byte = ticks(c);
    attach(x->in, &far_in, x);
    if (r->body && !r->no_content) {
        x->out = r->body;
        ts_http_pipe_hold(x->out);
        attach(x->out, &far_out, x);
    }
    x->next = c->first;
    if (c->first) c->first->prev = x;
    c->first = x;
    c->n++;
    if (!prepare(x, r)) {
        ts_http_error e = x->error;
        finish(x, &e);
    }
    leave(c);
    ts_http_client_pump(c);
    return x;
}

void ts_http_exchange_free(ts_http_exchange *x) {
    if (!x) return;
    ts_http_client *c = x->c;
    x->owned = false;
    if (!c)
        exchange_delete(x);
    else if (x->state == TS_HTTP_PENDING)
        finish_code(x, TS_HTTP_CONNECTION_TERMINATED);
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

void ts_http_client_free(ts_http_client *c) {
    if (!c) return;
    while (c->first) finish_code(c->first, TS_HTTP_CONNECTION_TERMINATED);
    if (c->multi) {
        (void)c->l.curl_multi_cleanup(c->multi);
        ts_sys_lookups_free(c->lookups);
        ts_curl_close(&c->l);
    }
    free(c->socks);
    free(c->looks);
    free(c->ca_file);
    free(c);
}

void ts_http_client_rule(ts_http_client *c, ts_http_may_connect may, void *data) {
    c->may = may;
    c->may_data = data;
}

#else /* --- a build without libcurl's headers: every request says so --------------------------------------------------------- */
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
void ts_http_client_free(ts_http_client *c) {
    free(c);
}
void ts_http_client_rule(ts_http_client *c, ts_http_may_connect may, void *data) {
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
