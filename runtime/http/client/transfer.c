/* transfer: runs an exchange in libcurl: its options, and the callbacks for the connection, the
 * bodies and the head.
 * In: a prepared exchange and addresses. Out: the state of the exchange, its response, and the bytes
 * in its pipes.
 * Source: libcurl's easy and multi interfaces; RFC 9110, 9112, 9113 */
#define _GNU_SOURCE
#include "http/client/exchange.h"
#include "base/cfi.h"
#include "sys/descriptors.h"

#ifdef TS_HTTP_CURL
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- what libcurl waits for -------------------------------------------------------------------- */
ts_http_sock *ts_http_sock_of(const ts_http_client *c, int fd) {
    for (uint32_t i = 0; i < c->n_socks; i++)
        if (c->socks[i].fd == fd) return &c->socks[i];
    return NULL;
}

bool ts_http_transfer_send_blocked(const ts_http_exchange *x) {
    for (int i = 0; i < TS_HTTP_MAX_SOCKETS; i++) {
        const ts_http_sock *s = x->fds[i] >= 0 ? ts_http_sock_of(x->c, x->fds[i]) : NULL;
        if (s && s->out) return true;
    }
    return false;
}

static void note_socket(ts_http_exchange *x, int fd, bool gone) {
    int place = -1;
    for (int i = 0; i < TS_HTTP_MAX_SOCKETS; i++) {
        if (x->fds[i] == fd) {
            if (gone) x->fds[i] = -1;
            return;
        }
        if (x->fds[i] < 0) place = i;
    }
    if (!gone && place >= 0) x->fds[place] = fd;
}

static TS_UNCHECKED_CALLS int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *sock_data) {
    (void)sock_data;
    ts_http_client *c = data;
    ts_http_exchange *x = NULL;
    (void)c->l.curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    ts_http_sock *s = ts_http_sock_of(c, fd);
    bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (x) {
        /* everything that there was has been sent */
        if (s && s->out && !out) x->quiet_since = ts_http_ticks(c);
        note_socket(x, fd, what == CURL_POLL_REMOVE);
    }
    if (what == CURL_POLL_REMOVE) {
        if (s) *s = c->socks[--c->n_socks];
        return 0;
    }
    if (!s) {
        if (c->n_socks == c->cap_socks) {
            uint32_t cap = c->cap_socks ? c->cap_socks * 2 : 8;
            ts_http_sock *more = realloc(c->socks, cap * sizeof *more);
            if (!more) {
                c->out_of_memory = true;
                /* -1 would leave the transfer in libcurl's list for the socket even after it is freed */
                return 0;
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

/* Returns whether the body ends with the connection, and TLS can tell whether it is complete. */
static bool ends_with_connection(const ts_http_exchange *x) {
    return x->https && !x->http2 && x->state == TS_HTTP_RESPONDED && !x->chunked && !x->known_length && !x->bodyless;
}

/* --- the connection ---------------------------------------------------------------------------- */
static bool addr_from_os(const struct sockaddr *o, ts_sys_addr *a) {
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
    if (ts_sys_addr_is_mapped(a)) { /* the rule applies to the address that is reached */
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
    if (!addr_from_os(&to->addr, &a)) return CURL_SOCKET_BAD;
    if (x->c->may_connect && !x->c->may_connect(x->c->may_connect_data, &a)) {
        x->prohibited = true;
        return CURL_SOCKET_BAD;
    }
    int type = to->socktype;
#ifdef SOCK_CLOEXEC
    type |= SOCK_CLOEXEC | SOCK_NONBLOCK;
#endif
    x->tried = true;
    int fd = ts_sys_above_std(socket(to->family, type, to->protocol));
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

/* A connection that ends without the end of TLS was cut, so a body that lasts until the end of the
 * connection is not complete. libcurl ignores this, by an option of OpenSSL or by itself. RFC 9112,
 * 9.8 */
static TS_UNCHECKED_CALLS CURLcode strict_tls(CURL *easy, void *context, void *data) {
    (void)easy;
    const ts_http_client *c = data;
    (void)c->l.clear_options(context, TS_CURL_IGNORE_UNEXPECTED_EOF);
    c->l.set_keylog(context, NULL); /* ignores the host's SSLKEYLOGFILE */
    return CURLE_OK;
}
/* Called while the transfer still has its connection. Afterwards the state of TLS is not accessible. */
static TS_UNCHECKED_CALLS int record_tls_end(void *data, curl_off_t in_all, curl_off_t in, curl_off_t out_all,
                                             curl_off_t out) {
    (void)in_all, (void)in, (void)out_all, (void)out;
    ts_http_exchange *x = data;
    struct curl_tlssessioninfo *tls = NULL;
    if (!ends_with_connection(x) || x->c->l.curl_easy_getinfo(x->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK)
        return 0;
    if (tls && tls->internals) x->tls_cut = !(x->c->l.get_shutdown(tls->internals) & TS_CURL_RECEIVED_SHUTDOWN);
    return 0;
}

/* The connection is established and the request is about to be sent. This happens a second time if a
 * kept connection turns out to be dead. A request may be repeated only if that makes no difference,
 * and a body that has been sent cannot be sent again. RFC 9110, 9.2.2; RFC 9112, 9.3.1 */
static int before_request(void *data, char *remote, char *local, int remote_port, int local_port) {
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    ts_http_exchange *x = data;
    if (x->connected && (!x->idempotent || x->taken || x->out_eof || x->begun)) {
        ts_http_exchange_set_error_code(x, TS_HTTP_CONNECTION_TERMINATED);
        return CURL_PREREQFUNC_ABORT;
    }
    x->connected = true;
    x->connected_at = x->quiet_since = ts_http_ticks(x->c);
    return CURL_PREREQFUNC_OK;
}

/* --- the request's body ------------------------------------------------------------------------ */
static size_t read_body(char *to, size_t size, size_t n, void *data) {
    ts_http_exchange *x = data;
    size_t room = size * n;
    if (x->has_error) return CURL_READFUNC_ABORT;
    if (x->expecting) {
        x->send_paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (x->has_length && room > x->length - x->taken) room = (size_t)(x->length - x->taken);
    size_t got = room ? ts_http_pipe_take(x->out, to, room) : 0;
    x->taken += got;
    if (got || x->out->ended) x->quiet_since = ts_http_ticks(x->c);
    if (x->has_length ? x->taken == x->length : x->out->ended && !x->out->len && !got) x->out_eof = true;
    if (got || x->out_eof) return got;
    x->send_paused = true;
    return CURL_READFUNC_PAUSE;
}

static TS_UNCHECKED_CALLS int send_trailers(struct curl_slist **list, void *data) {
    ts_http_exchange *x = data;
    const ts_http_fields *f = &x->out->trailers;
    bool room = true;
    x->trailers_sent = true;
    for (uint32_t i = 0; i < f->len && room; i++) {
        char *line;
        room = asprintf(&line, "%s: %s", f->data[i].name, f->data[i].value) >= 0;
        if (!room) break;
        struct curl_slist *longer = x->c->l.curl_slist_append(*list, line);
        free(line);
        room = longer != NULL;
        if (room) *list = longer;
    }
    if (!room) ts_http_exchange_set_error_nomem(x);
    return room ? CURL_TRAILERFUNC_OK : CURL_TRAILERFUNC_ABORT;
}
/* Returns whether the trailers could not be sent because libcurl has none in HTTP/2. Over HTTP/1.1 it is no
 * error if they were not sent: a server may answer, and close, before it has read them (RFC 9112, 9.5). */
static bool trailers_lost(const ts_http_exchange *x) {
    return x->http2 && x->out && x->out_eof && x->out->trailers.len && !x->trailers_sent;
}

/* --- the response ------------------------------------------------------------------------------ */
/* Replaces the content-lengths, which are all the same number, by a single one (RFC 9110, 8.6), or
 * removes them all. Returns false if there is no memory. */
static bool merge_lengths(ts_http_fields *f, bool remove_all) {
    uint32_t first = 0;
    const ts_http_field *x = ts_http_fields_find(f, "content-length", &first);
    if (!x) return true;
    const char *comma = memchr(x->value, ',', x->value_len);
    for (uint32_t i = f->len; i-- > (remove_all ? first : first + 1);)
        if (ts_http_name_is(f->data[i].name, f->data[i].name_len, "content-length", 14)) ts_http_fields_remove(f, i);
    if (remove_all || !comma) return true;
    ts_http_field *list = &f->data[first];
    const char *number = list->value;
    size_t len = (size_t)(comma - list->value);
    ts_http_trim(&number, &len);
    if (!ts_http_fields_add(f, list->name, list->name_len, number, len)) return false;
    ts_http_field one = f->data[f->len - 1]; /* in the place of the list */
    f->data[f->len - 1] = f->data[first];
    f->data[first] = one;
    ts_http_fields_remove(f, f->len - 1);
    return true;
}

static void complete_head(ts_http_exchange *x) {
    uint32_t i = 0;
    const ts_http_field *coding = ts_http_fields_find(&x->headers, "transfer-encoding", &i);
    int r = ts_http_received_length(&x->headers, &x->in_length);
    /* A 2xx response to a CONNECT begins a tunnel. A guest cannot use it, so it is closed. RFC 9110,
     * 9.3.6 */
    bool tunnel = x->connect && x->status < 300;
    x->bodyless = x->head || x->status == 204 || x->status == 304 || tunnel;
    if (trailers_lost(x)) {
        ts_http_exchange_set_error(x, ts_http_error_text(TS_HTTP_INTERNAL_ERROR,
                                                         "libcurl sends no trailers over HTTP/2: announce them by a "
                                                         "field Trailer, and HTTP/1.1 is used"));
        return;
    }
    /* RFC 9112, 6.3: an invalid length is an error, and a length beside a coding "ought to be handled
     * as an error", except where neither counts */
    if (!tunnel && (r < 0 || (r > 0 && coding && !x->bodyless))) {
        ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
        return;
    }
    if (r && !merge_lengths(&x->headers, tunnel)) {
        ts_http_exchange_set_error_nomem(x);
        return;
    }
    if (!x->bodyless) {
        if (coding) {
            i++;
            if (!ts_http_name_is(coding->value, coding->value_len, "chunked", 7) ||
                ts_http_fields_find(&x->headers, "transfer-encoding", &i)) {
                ts_http_exchange_set_error(x, ts_http_error_text(TS_HTTP_RESPONSE_TRANSFER_CODING, coding->value));
                return;
            }
            x->chunked = true;
        }
        x->known_length = r > 0;
    }
    x->state = TS_HTTP_RESPONDED;
    if (x->bodyless || (x->known_length && !x->in_length && !x->http2)) ts_http_pipe_end(x->in);
    /* libcurl would wait for a body after the response to a HEAD request that had a body */
    if ((x->head && x->out) || tunnel) x->finish_early = true;
}

static void status_line(ts_http_exchange *x, const char *line, size_t len) {
    ts_http_fields_clear(&x->headers);
    x->in_head = true;
    x->http2 = len > 5 && line[5] == '2';
    const char *space = memchr(line, ' ', len);
    unsigned long status = space ? strtoul(space, NULL, 10) : 0;
    /* RFC 9110, 15: three digits; the guest treats a status above 599 as a server error */
    if (status < 100 || status > 999) ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
    x->status = (uint16_t)status;
}

/* A line that begins with a blank continues the previous field. RFC 9112, 5.2 */
static bool append_folded_line(ts_http_fields *f, const char *line, size_t len) {
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
        if (!append_folded_line(f, line, len)) r = TS_HTTP_LINE_BAD;
    } else {
        r = ts_http_field_line(f, line, len);
    }
    if (r == TS_HTTP_LINE_BAD) ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
    if (r == TS_HTTP_LINE_NOMEM) ts_http_exchange_set_error_nomem(x);
    if (r) return;
    const ts_http_field *last = &f->data[f->len - 1];
    if ((uint64_t)last->name_len + last->value_len > TS_HTTP_MAX_FIELD) {
        ts_http_error e =
            ts_http_error_text(trailer ? TS_HTTP_RESPONSE_TRAILER_SIZE : TS_HTTP_RESPONSE_HEADER_SIZE, last->name);
        e.has_number = true;
        e.number = (uint64_t)last->name_len + last->value_len;
        ts_http_exchange_set_error(x, e);
    }
    if (f->bytes > (trailer ? TS_HTTP_MAX_TRAILERS : TS_HTTP_MAX_FIELDS))
        ts_http_exchange_set_error_number(
            x, trailer ? TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE : TS_HTTP_RESPONSE_HEADER_SECTION_SIZE, f->bytes);
}

/* Called with one line, including its end: a status line, a field, the end of a head, or (HTTP/2) a
 * trailer. */
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
            ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
        else
            status_line(x, line, len);
    } else if (len) {
        field_line(x, &x->headers, line, len, false);
    } else if (x->status == 101) { /* the request did not ask for it */
        ts_http_exchange_set_error_code(x, TS_HTTP_UPGRADE_FAILED);
    } else if (x->status < 200) {
        x->in_head = false;
        x->expecting &= x->status != 100;
        x->quiet_since = ts_http_ticks(x->c);
        if (++x->informational > TS_HTTP_MAX_INFORMATIONAL) ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
    } else {
        x->expecting = false;
        complete_head(x);
    }
    return x->has_error ? 0 : all;
}

static size_t read_response(char *bytes, size_t size, size_t n, void *data) {
    ts_http_exchange *x = data;
    size_t len = size * n;
    if (x->has_error || x->state != TS_HTTP_RESPONDED) return 0;
    if (x->in->ended) return len; /* beyond the body: libcurl closes the connection */
    ts_http_pipe *to = x->discard ? NULL : x->in;
    if (to && ts_http_pipe_room(to) < len) {
        x->recv_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (len) {
        x->got_byte = true;
        x->last_byte = ts_http_ticks(x->c);
    }
    if (x->chunked) {
        switch (ts_http_chunked_feed(&x->chunks, bytes, len, to, TS_HTTP_MAX_TRAILERS)) {
        case TS_HTTP_CHUNKED_MORE: break;
        case TS_HTTP_CHUNKED_END: ts_http_pipe_end(x->in); break;
        case TS_HTTP_CHUNKED_BAD: ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR); return 0;
        case TS_HTTP_CHUNKED_BIG:
            ts_http_exchange_set_error_number(x, TS_HTTP_RESPONSE_TRAILER_SECTION_SIZE,
                                              x->in->trailers.bytes > x->chunks.line_len ? x->in->trailers.bytes
                                                                                         : x->chunks.line_len);
            return 0;
        case TS_HTTP_CHUNKED_NOMEM: ts_http_exchange_set_error_nomem(x); return 0;
        }
    } else {
        x->got += len;
        if (x->known_length && x->got > x->in_length) {
            ts_http_exchange_set_error_code(x, TS_HTTP_PROTOCOL_ERROR);
            return 0;
        }
        if (to) (void)ts_http_pipe_put(to, bytes, len);
        /* nothing can follow in HTTP/1.1, but trailers can in HTTP/2 */
        if (x->known_length && x->got == x->in_length && !x->http2) ts_http_pipe_end(x->in);
    }
    if (to && to->failed) {
        ts_http_exchange_set_error(x, to->error);
        return 0;
    }
    return len;
}

/* --- a transfer -------------------------------------------------------------------------------- */
static TS_UNCHECKED_CALLS bool resolve_entry(ts_http_exchange *x, const ts_sys_addr *addrs, uint32_t n) {
    char entry[300 + TS_HTTP_MAX_ADDRESSES * (INET6_ADDRSTRLEN + 3)];
    int at = snprintf(entry, sizeof entry, "+%s:%u:", x->host, x->port);
    for (uint32_t i = 0; i < n; i++) {
        char ip[INET6_ADDRSTRLEN];
        if (!inet_ntop(addrs[i].v6 ? AF_INET6 : AF_INET, addrs[i].ip, ip, sizeof ip)) return false;
        at += snprintf(entry + at, sizeof entry - (size_t)at, addrs[i].v6 ? "%s[%s]" : "%s%s", i ? "," : "", ip);
    }
    x->addresses = x->c->l.curl_slist_append(NULL, entry);
    return x->addresses != NULL;
}

/* The addresses of `from` that the exchange may connect to, with its port. Returns how many. */
static uint32_t allowed_addresses(const ts_http_exchange *x, const ts_sys_addr *from, size_t n_from,
                                  ts_sys_addr to[TS_HTTP_MAX_ADDRESSES]) {
    const ts_http_client *c = x->c;
    uint32_t n = 0;
    for (size_t i = 0; i < n_from && n < TS_HTTP_MAX_ADDRESSES; i++) {
        to[n] = from[i];
        to[n].port = x->port;
        if (!c->may_connect || c->may_connect(c->may_connect_data, &to[n])) n++;
    }
    return n;
}

TS_UNCHECKED_CALLS void ts_http_transfer_start(ts_http_exchange *x, const ts_sys_addr *addrs, size_t n_addrs) {
    ts_http_client *c = x->c;
    ts_sys_addr allowed[TS_HTTP_MAX_ADDRESSES];
    const uint32_t n = allowed_addresses(x, addrs, n_addrs, allowed);
    if (n == 0) {
        ts_http_exchange_finish_code(x, TS_HTTP_DESTINATION_IP_PROHIBITED);
        return;
    }
    if (!ts_http_request_fields(x)) {
        ts_http_error e = x->error;
        ts_http_exchange_finish(x, &e);
        return;
    }
    x->easy = c->l.curl_easy_init();
    if (!x->easy || (!x->literal && !resolve_entry(x, allowed, n))) {
        ts_http_error e = ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
        ts_http_exchange_finish(x, &e);
        return;
    }
    CURLcode e = CURLE_OK;
#define SET(option, value)                                                                                             \
    if (e == CURLE_OK) e = c->l.curl_easy_setopt(x->easy, option, value)
    SET(CURLOPT_PRIVATE, x);
    SET(CURLOPT_ERRORBUFFER, x->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    /* the destination comes from the request alone */
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
    /* the fields of the request, with those suppressed that libcurl would add */
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
    if (x->connect) SET(CURLOPT_FORBID_REUSE, 1L);
    /* the response is not decoded; chunks are decoded here, where their end and their trailers are
     * seen at once */
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
    if (x->https && c->l.clear_options && c->l.get_shutdown && c->l.set_keylog) {
        SET(CURLOPT_SSL_CTX_FUNCTION, strict_tls);
        SET(CURLOPT_SSL_CTX_DATA, c);
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, record_tls_end);
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
    ts_http_exchange_finish(x, &error);
}

TS_UNCHECKED_CALLS void ts_http_transfer_ended(ts_http_exchange *x, CURLcode code) {
    ts_http_client *c = x->c;
    ts_http_error e;
    if (x->has_error) {
        e = x->error;
        x->has_error = false;
    } else if (code == CURLE_OK && x->state != TS_HTTP_RESPONDED) { /* closed before the head was
                                                                     * complete */
        e = ts_http_error_of(x->begun ? TS_HTTP_RESPONSE_INCOMPLETE : TS_HTTP_CONNECTION_TERMINATED);
    } else if (code == CURLE_OK) {
        bool whole =
            x->in->ended || x->discard ||
            (ends_with_connection(x) ? !x->tls_cut : !x->chunked && !(x->known_length && x->got < x->in_length));
        if (whole && !trailers_lost(x)) {
            ts_http_exchange_finish(x, NULL);
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
                             .connected = x->connected,
                             .begun = x->begun,
                             .responded = x->state == TS_HTTP_RESPONDED};
        (void)c->l.curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &f.os_errno);
        e = ts_curl_error(&c->l, &f);
    }
    ts_http_exchange_finish(x, &e);
}

/* --- the library ------------------------------------------------------------------------------- */
TS_UNCHECKED_CALLS void ts_http_transfer_open(ts_http_client *c) {
    if (c->multi || c->problem) return;
    c->problem = ts_curl_open(&c->l);
    if (c->problem) return;
    c->multi = c->l.curl_multi_init();
    c->lookups = ts_sys_lookups_new(TS_HTTP_MAX_LOOKUPS);
    bool good = c->multi && c->lookups;
#define SET(option, value) good = good && c->l.curl_multi_setopt(c->multi, option, value) == CURLM_OK
    SET(CURLMOPT_SOCKETFUNCTION, on_socket);
    SET(CURLMOPT_SOCKETDATA, c);
    SET(CURLMOPT_TIMERFUNCTION, on_timer);
    SET(CURLMOPT_TIMERDATA, c);
    /* one request at a time on a connection, so that a body that is not read blocks no other */
    SET(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    SET(CURLMOPT_MAXCONNECTS, (long)TS_HTTP_MAX_KEPT);
#undef SET
    if (good) return;
    if (c->multi) (void)c->l.curl_multi_cleanup(c->multi);
    c->multi = NULL;
    ts_sys_lookups_free(c->lookups);
    c->lookups = NULL;
    ts_curl_close(&c->l); /* no memory: the next request tries again */
}

#endif
