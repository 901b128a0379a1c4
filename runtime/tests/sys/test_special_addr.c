/* test_special_addr: which addresses are globally reachable, by IANA's registries of special-purpose
 * addresses.
 * In: the registries' tables, as text. Out: the answer at the first and last address of each block and at its
 * neighbours.
 * Source: https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sys/special_addr.h"

/* The column "Globally Reachable": T, F, N (N/A); I means that the IPv4 address inside
 * decides. The last rows of each table are not from the registries: multicast, site-local,
 * IPv4-compatible and IPv4-translated addresses. */
static const char *const registry[] = {
    "0.0.0.0/8 F",          "0.0.0.0/32 F",      "10.0.0.0/8 F",        "100.64.0.0/10 F",  "127.0.0.0/8 F",
    "169.254.0.0/16 F",     "172.16.0.0/12 F",   "192.0.0.0/24 F",      "192.0.0.0/29 F",   "192.0.0.8/32 F",
    "192.0.0.9/32 T",       "192.0.0.10/32 T",   "192.0.0.170/32 F",    "192.0.0.171/32 F", "192.0.2.0/24 F",
    "192.31.196.0/24 T",    "192.52.193.0/24 T", "192.88.99.0/24 N",    "192.88.99.2/32 F", "192.168.0.0/16 F",
    "192.175.48.0/24 T",    "198.18.0.0/15 F",   "198.51.100.0/24 F",   "203.0.113.0/24 F", "240.0.0.0/4 F",
    "255.255.255.255/32 F", "224.0.0.0/4 F",     "::1/128 F",           "::/128 F",         "::ffff:0:0/96 I",
    "64:ff9b::/96 I",       "64:ff9b:1::/48 F",  "100::/64 F",          "100:0:0:1::/64 F", "2001::/23 F",
    "2001::/32 N",          "2001:1::1/128 T",   "2001:1::2/128 T",     "2001:1::3/128 T",  "2001:2::/48 F",
    "2001:3::/32 T",        "2001:4:112::/48 T", "2001:10::/28 N",      "2001:20::/28 T",   "2001:30::/28 T",
    "2001:db8::/32 F",      "2002::/16 N",       "2620:4f:8000::/48 T", "3fff::/20 F",      "5f00::/16 F",
    "fc00::/7 F",           "fe80::/10 F",       "fec0::/10 F",         "ff00::/8 F",       "::/96 F",
    "::ffff:0:0:0/96 F",
};
enum { ROWS = sizeof registry / sizeof *registry };

typedef struct row {
    ts_sys_addr first, last;
    unsigned bits;
    char reach;
} row;

static ts_sys_addr parse(const char *s) {
    ts_sys_addr a;
    if (!ts_sys_addr_parse(s, strlen(s), &a)) fail_msg("%s is not an address", s);
    return a;
}
static int size(const ts_sys_addr *a) {
    return a->v6 ? 16 : 4;
}
static row read_row(const char *text) {
    char address[64];
    row r = {.bits = 0};
    assert_int_equal(sscanf(text, "%63[^/]/%u %c", address, &r.bits, &r.reach), 3);
    r.first = r.last = parse(address);
    for (unsigned i = r.bits; i < 8u * (unsigned)size(&r.last); i++) r.last.ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return r;
}
static bool within(const row *r, const ts_sys_addr *a) {
    return a->v6 == r->first.v6 && memcmp(a->ip, r->first.ip, (size_t)size(a)) >= 0 &&
           memcmp(a->ip, r->last.ip, (size_t)size(a)) <= 0;
}
/* The answer of the tables is that of the smallest block that contains the address. */
static bool expected(const row *rows, const ts_sys_addr *a) {
    const row *best = NULL;
    for (int i = 0; i < ROWS; i++)
        if (within(&rows[i], a) && (!best || rows[i].bits > best->bits)) best = &rows[i];
    if (!best || best->reach != 'I') return !best || best->reach == 'T';
    ts_sys_addr inside = {.v6 = false};
    memcpy(inside.ip, a->ip + 12, 4);
    return expected(rows, &inside);
}
/* Advances to the next address. Returns false if there is none. */
static bool step(ts_sys_addr *a, int by) {
    for (int i = size(a); i-- > 0;) {
        a->ip[i] = (uint8_t)(a->ip[i] + by);
        if (a->ip[i] != (by > 0 ? 0 : 0xff)) return true;
    }
    return false;
}
static void check(const row *rows, const ts_sys_addr *a) {
    char text[80];
    ts_sys_addr_text(a, text, sizeof text);
    if (ts_sys_addr_is_global(a) != expected(rows, a))
        fail_msg("%s: %s expected", text, expected(rows, a) ? "global" : "not global");
}

static void the_registries(void **state) {
    (void)state;
    row rows[ROWS];
    for (int i = 0; i < ROWS; i++) rows[i] = read_row(registry[i]);
    for (int i = 0; i < ROWS; i++) {
        ts_sys_addr before = rows[i].first, after = rows[i].last;
        check(rows, &rows[i].first);
        check(rows, &rows[i].last);
        if (step(&before, -1)) check(rows, &before);
        if (step(&after, 1)) check(rows, &after);
        /* the same inside the blocks that hold IPv4 addresses */
        if (rows[i].first.v6) continue;
        const ts_sys_addr edges[] = {rows[i].first, rows[i].last, before, after};
        for (size_t k = 0; k < 4; k++) {
            ts_sys_addr mapped = parse("::ffff:0:0"), nat64 = parse("64:ff9b::");
            memcpy(mapped.ip + 12, edges[k].ip, 4);
            memcpy(nat64.ip + 12, edges[k].ip, 4);
            check(rows, &mapped);
            check(rows, &nat64);
        }
    }
    uint32_t seed = 1;
    for (int i = 0; i < 200000; i++) { /* anywhere, and near the blocks */
        ts_sys_addr a = rows[((seed = seed * 1664525 + 1013904223) >> 16) % ROWS].first;
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525 + 1013904223;
            a.ip[(seed >> 8) % (uint32_t)size(&a)] ^= (uint8_t)(1u << (seed >> 24) % 8);
        }
        check(rows, &a);
    }
}

static void by_hand(void **state) {
    (void)state;
    static const char *const global[] = {
        "1.1.1.1",        "8.8.8.8",         "172.32.0.0",      "192.0.0.9",      "192.0.1.0",
        "198.20.0.0",     "223.255.255.255", "2606:4700::1111", "2a00::1",        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8", "2001:200::",      "2001:20::1",      "2620:4f:8000::1"};
    static const char *const local[] = {"127.0.0.1",
                                        "0.0.0.0",
                                        "10.1.2.3",
                                        "169.254.169.254",
                                        "100.100.100.200",
                                        "198.18.0.0",
                                        "198.19.255.255",
                                        "192.0.0.8",
                                        "192.0.2.1",
                                        "198.51.100.7",
                                        "203.0.113.9",
                                        "240.0.0.1",
                                        "255.255.255.255",
                                        "224.0.0.251",
                                        "::",
                                        "::1",
                                        "::127.0.0.1",
                                        "::8.8.8.8",
                                        "::ffff:127.0.0.1",
                                        "::ffff:169.254.169.254",
                                        "64:ff9b::10.0.0.1",
                                        "64:ff9b:1::8.8.8.8",
                                        "2002:7f00:1::1",
                                        "2001:0:7f00:1::",
                                        "100::1",
                                        "2001:db8::1",
                                        "3fff::1",
                                        "5f00::1",
                                        "fd12:3456::1",
                                        "fe80::1",
                                        "febf::1",
                                        "fec0::1",
                                        "feff::1",
                                        "ff02::1"};
    for (size_t i = 0; i < sizeof global / sizeof *global; i++) {
        ts_sys_addr a = parse(global[i]);
        if (!ts_sys_addr_is_global(&a)) fail_msg("%s is global", global[i]);
    }
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        ts_sys_addr a = parse(local[i]);
        if (ts_sys_addr_is_global(&a)) fail_msg("%s is not global", local[i]);
    }
}

static void inside(void **state) {
    (void)state;
    static const struct {
        const char *address, *inner[2];
    } all[] = {
        {"1.2.3.4", {NULL}},
        {"2606::1", {NULL}},
        {"::ffff:1.2.3.4", {"1.2.3.4"}},
        {"::1.2.3.4", {"1.2.3.4"}},
        {"64:ff9b::1.2.3.4", {"1.2.3.4"}},
        {"2002:102:304:5::6", {"1.2.3.4"}},
        {"2001:0:102:304:8000:1234:fafa:f9f8", {"1.2.3.4", "5.5.6.7"}},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ts_sys_addr a = parse(all[i].address), got[2];
        size_t n = ts_sys_addr_inner_v4(&a, got), want = (size_t)!!all[i].inner[0] + !!all[i].inner[1];
        assert_int_equal(n, want);
        for (size_t k = 0; k < n; k++) {
            ts_sys_addr b = parse(all[i].inner[k]);
            assert_true(ts_sys_addr_same(&got[k], &b));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_registries), cmocka_unit_test(by_hand),
                                       cmocka_unit_test(inside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
