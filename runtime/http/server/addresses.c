/* addresses: counts the connections of each client address, and chooses the connections that are
 * closed when no more are available. See connection.h.
 * The share of an address matters only when connections are scarce. Then the connections that have
 * waited longest for a request are closed first, beginning with those of addresses that have more
 * than their share.
 * In: addresses and idle connections. Out: closed connections. */
#define _GNU_SOURCE
#include "http/server/connection.h"
#ifdef TS_HTTP_SERVER
#include "sys/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    /* the maximum number of connections closed at a time, so that one search pays for many */
    AT_ONCE = 64,
    PART = 64, /* and no more than this part of all connections */
    /* a client has this long to send its request before its connection can be closed */
    YOUNG_NS = 50000000,
    /* this part of the connections is reserved for addresses that have less than their share */
    RESERVED_PART = 32,
};

/* The key of an IPv4 address is its IPv6-mapped form. The key of an IPv6 address is its /64 network,
 * all of which one client can use. */
static uint64_t key_of(const ts_sys_addr *a) {
    const uint8_t *ip = a->ip;
    uint64_t key = 0;
    if (!a->v6 || ts_sys_addr_is_mapped(a)) {
        if (a->v6) ip += 12;
        for (int i = 0; i < 4; i++) key = key << 8 | ip[i];
        return key | UINT64_C(0xffff) << 32;
    }
    for (int i = 0; i < 8; i++) key = key << 8 | ip[i];
    return key;
}
static uint32_t *bucket_of(ts_http_server *s, uint64_t key) {
    uint64_t h = (key ^ s->seed) * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return &s->buckets[(h >> 32) % TS_ADDRESS_BUCKETS];
}

uint32_t ts_http_address_enter(ts_http_server *s, const ts_sys_addr *a) {
    uint64_t key = key_of(a);
    uint32_t *bucket = bucket_of(s, key), i = *bucket;
    while (i && s->addresses[i - 1].key != key) i = s->addresses[i - 1].next;
    if (!i) { /* there are as many entries as connections, and each used entry has a connection */
        i = s->free_address ? s->free_address : ++s->n_addresses;
        if (s->free_address) s->free_address = s->addresses[i - 1].next;
        s->addresses[i - 1].key = key;
        s->addresses[i - 1].next = *bucket;
        *bucket = i;
    }
    __atomic_fetch_add(&s->addresses[i - 1].conns, 1, __ATOMIC_RELAXED);
    return i - 1;
}
void ts_http_address_leave(ts_http_server *s, uint32_t i) {
    ts_http_address *a = &s->addresses[i];
    if (__atomic_sub_fetch(&a->conns, 1, __ATOMIC_RELAXED)) return;
    uint32_t *at = bucket_of(s, a->key);
    while (*at != i + 1) at = &s->addresses[*at - 1].next;
    *at = a->next;
    a->next = s->free_address;
    s->free_address = i + 1;
}

static bool more_than_its_share(const ts_http_server *s, uint32_t address) {
    return __atomic_load_n(&s->addresses[address].conns, __ATOMIC_RELAXED) > s->config.address_share;
}
bool ts_http_over_share(const ts_http_server *s, uint32_t address) {
    uint32_t live = __atomic_load_n(&s->live_conns, __ATOMIC_RELAXED), most = s->config.max_connections;
    return live > most - most / RESERVED_PART && more_than_its_share(s, address);
}

/* --- closing idle connections --- */
typedef struct candidate {
    uint64_t order; /* when it began to wait; the top bit is set if its address keeps within its share */
    uint64_t generation;
    uint32_t index;
} candidate;

/* A heap with the candidate on top that is closed last. */
static void sift(candidate *heap, uint32_t n, uint32_t i) {
    for (;;) {
        uint32_t top = i;
        for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < n; k++)
            if (heap[k].order > heap[top].order) top = k;
        if (top == i) return;
        candidate x = heap[i];
        heap[i] = heap[top];
        heap[top] = x;
        i = top;
    }
}

static void add_candidate(candidate *heap, uint32_t *n, candidate x) {
    if (*n < AT_ONCE) {
        heap[(*n)++] = x;
        if (*n == AT_ONCE)
            for (uint32_t k = *n / 2; k-- > 0;) sift(heap, *n, k);
    } else if (x.order < heap[0].order) {
        heap[0] = x;
        sift(heap, *n, 0);
    }
}
static int by_order(const void *a, const void *b) {
    uint64_t x = ((const candidate *)a)->order, y = ((const candidate *)b)->order;
    return x < y ? -1 : x > y;
}

/* Closes the connection if it is still idle and its client has sent no request that no thread has
 * seen. only_dead: close it only if the client has left. */
static bool close_candidate(ts_http_server *s, const candidate *x, bool dead) {
    ts_http_conn *c = ts_http_conn_at(s, x->index);
    if (!ts_http_conn_take(c, x->generation, false)) return false;
    char byte;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    bool left = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR),
         busy = n > 0 && !c->in && c->phase == TS_CONN_READ;
    if (__atomic_load_n(&c->idle_at, __ATOMIC_RELAXED) && (dead ? left : !busy)) {
        ts_http_conn_close(s, c);
        return true;
    }
    /* restore its state */
    __atomic_store_n(&c->state, x->generation << 2 | TS_CONN_ARMED, __ATOMIC_RELEASE);
    return false;
}

uint32_t ts_http_close_idle(ts_http_server *s, int64_t address) {
    candidate heap[AT_ONCE];
    uint32_t most = s->config.max_connections / PART, n = 0, closed = 0,
             all = __atomic_load_n(&s->n_conns, __ATOMIC_ACQUIRE);
    uint64_t young = ts_sys_monotonic() - YOUNG_NS;
    if (most > AT_ONCE) most = AT_ONCE;
    if (most < 1) most = 1;
    for (uint32_t i = 0; i < all; i++) {
        ts_http_conn *c = ts_http_conn_at(s, i);
        uint64_t state = __atomic_load_n(&c->state, __ATOMIC_ACQUIRE),
                 since = __atomic_load_n(&c->idle_at, __ATOMIC_RELAXED);
        if ((state & 3) != TS_CONN_ARMED || !since || since > young) continue;
        uint32_t of = __atomic_load_n(&c->address, __ATOMIC_RELAXED);
        if (address != TS_ANY_ADDRESS && of != (uint32_t)address) continue;
        uint64_t within = more_than_its_share(s, of) ? 0 : UINT64_C(1) << 63;
        add_candidate(heap, &n, (candidate){since | within, state >> 2, i});
    }
    qsort(heap, n, sizeof *heap, by_order);
    for (uint32_t i = 0; i < n; i++) closed += close_candidate(s, &heap[i], true);
    for (uint32_t i = 0; i < n && closed < most; i++) closed += close_candidate(s, &heap[i], false);
    return closed;
}
#endif
