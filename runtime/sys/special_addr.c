/* sys/special_addr: see special_addr.h */
#include "sys/special_addr.h"
#include <string.h>

typedef enum reach {
    NOT_GLOBAL,
    GLOBAL,
    AS_IPV4, /* the IPv4 address in the last four bytes decides */
} reach;

typedef struct block {
    uint8_t ip[16];
    uint8_t bits;
    reach reach;
} block;

/* The most specific block that contains an address decides; an address in no block is global. Rows that
 * repeat a larger block are kept if the registry lists them, so that the tables can be compared with it. */
static const block v4[] = {
    {{0}, 8, NOT_GLOBAL},                   /* "This network" */
    {{10}, 8, NOT_GLOBAL},                  /* private use */
    {{100, 64}, 10, NOT_GLOBAL},            /* shared address space */
    {{127}, 8, NOT_GLOBAL},                 /* loopback */
    {{169, 254}, 16, NOT_GLOBAL},           /* link local */
    {{172, 16}, 12, NOT_GLOBAL},            /* private use */
    {{192, 0, 0}, 24, NOT_GLOBAL},          /* IETF protocol assignments */
    {{192, 0, 0, 0}, 29, NOT_GLOBAL},       /* IPv4 service continuity prefix */
    {{192, 0, 0, 8}, 32, NOT_GLOBAL},       /* IPv4 dummy address */
    {{192, 0, 0, 9}, 32, GLOBAL},           /* Port Control Protocol anycast */
    {{192, 0, 0, 10}, 32, GLOBAL},          /* TURN anycast */
    {{192, 0, 0, 170}, 31, NOT_GLOBAL},     /* NAT64/DNS64 discovery */
    {{192, 0, 2}, 24, NOT_GLOBAL},          /* documentation (TEST-NET-1) */
    {{192, 31, 196}, 24, GLOBAL},           /* AS112-v4 */
    {{192, 52, 193}, 24, GLOBAL},           /* AMT */
    {{192, 88, 99}, 24, NOT_GLOBAL},        /* 6to4 relay anycast, deprecated: N/A */
    {{192, 168}, 16, NOT_GLOBAL},           /* private use */
    {{192, 175, 48}, 24, GLOBAL},           /* direct delegation AS112 service */
    {{198, 18}, 15, NOT_GLOBAL},            /* benchmarking */
    {{198, 51, 100}, 24, NOT_GLOBAL},       /* documentation (TEST-NET-2) */
    {{203, 0, 113}, 24, NOT_GLOBAL},        /* documentation (TEST-NET-3) */
    {{224}, 4, NOT_GLOBAL},                 /* multicast (RFC 5771) */
    {{240}, 4, NOT_GLOBAL},                 /* reserved */
    {{255, 255, 255, 255}, 32, NOT_GLOBAL}, /* limited broadcast */
};
static const block v6[] = {
    {{0}, 96, NOT_GLOBAL},                                  /* IPv4-compatible, deprecated (RFC 4291, 2.5.5.1) */
    {{0}, 128, NOT_GLOBAL},                                 /* unspecified */
    {{[15] = 1}, 128, NOT_GLOBAL},                          /* loopback */
    {{[10] = 0xff, [11] = 0xff}, 96, AS_IPV4},              /* IPv4-mapped */
    {{0x00, 0x64, 0xff, 0x9b}, 96, AS_IPV4},                /* IPv4-IPv6 translation (RFC 6052) */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, NOT_GLOBAL}, /* IPv4-IPv6 translation, local use */
    {{0x01, 0x00}, 64, NOT_GLOBAL},                         /* discard only */
    {{0x01, 0x00, [7] = 0x01}, 64, NOT_GLOBAL},             /* dummy prefix */
    {{0x20, 0x01}, 23, NOT_GLOBAL},                         /* IETF protocol assignments */
    {{0x20, 0x01}, 32, NOT_GLOBAL},                         /* Teredo: N/A */
    {{0x20, 0x01, 0x00, 0x01, [15] = 1}, 128, GLOBAL},      /* Port Control Protocol anycast */
    {{0x20, 0x01, 0x00, 0x01, [15] = 2}, 128, GLOBAL},      /* TURN anycast */
    {{0x20, 0x01, 0x00, 0x01, [15] = 3}, 128, GLOBAL},      /* DNS-SD SRP anycast */
    {{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48, NOT_GLOBAL}, /* benchmarking */
    {{0x20, 0x01, 0x00, 0x03}, 32, GLOBAL},                 /* AMT */
    {{0x20, 0x01, 0x00, 0x04, 0x01, 0x12}, 48, GLOBAL},     /* AS112-v6 */
    {{0x20, 0x01, 0x00, 0x10}, 28, NOT_GLOBAL},             /* ORCHID, deprecated: N/A */
    {{0x20, 0x01, 0x00, 0x20}, 28, GLOBAL},                 /* ORCHIDv2 */
    {{0x20, 0x01, 0x00, 0x30}, 28, GLOBAL},                 /* drone remote ID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, NOT_GLOBAL},             /* documentation */
    {{0x20, 0x02}, 16, NOT_GLOBAL},                         /* 6to4: N/A */
    {{0x26, 0x20, 0x00, 0x4f, 0x80, 0x00}, 48, GLOBAL},     /* direct delegation AS112 service */
    {{0x3f, 0xff}, 20, NOT_GLOBAL},                         /* documentation */
    {{0x5f, 0x00}, 16, NOT_GLOBAL},                         /* segment routing SIDs */
    {{[8] = 0xff, [9] = 0xff}, 96, NOT_GLOBAL},             /* IPv4-translated, obsolete (RFC 2765) */
    {{0xfc, 0x00}, 7, NOT_GLOBAL},                          /* unique local */
    {{0xfe, 0x80}, 10, NOT_GLOBAL},                         /* link local */
    {{0xfe, 0xc0}, 10, NOT_GLOBAL},                         /* site local, deprecated (RFC 3879) */
    {{0xff, 0x00}, 8, NOT_GLOBAL},                          /* multicast (RFC 4291, 2.7) */
};

static bool holds(const block *b, const uint8_t *ip) {
    size_t whole = b->bits / 8u;
    unsigned rest = b->bits % 8u;
    if (memcmp(b->ip, ip, whole) != 0) return false;
    return rest == 0 || ((b->ip[whole] ^ ip[whole]) >> (8 - rest)) == 0;
}

static reach reach_of(const block *blocks, size_t n, const uint8_t *ip) {
    const block *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (holds(&blocks[i], ip) && (!best || blocks[i].bits > best->bits)) best = &blocks[i];
    return best ? best->reach : GLOBAL;
}

bool ts_sys_addr_is_global(const ts_sys_addr *a) {
    const uint8_t *ip = a->ip;
    if (a->v6) {
        reach r = reach_of(v6, sizeof v6 / sizeof *v6, ip);
        if (r != AS_IPV4) return r == GLOBAL;
        ip += 12;
    }
    return reach_of(v4, sizeof v4 / sizeof *v4, ip) == GLOBAL;
}

static ts_sys_addr inner(const uint8_t *ip, uint8_t mask) {
    ts_sys_addr a = {.v6 = false};
    for (size_t i = 0; i < 4; i++) a.ip[i] = ip[i] ^ mask;
    return a;
}

size_t ts_sys_addr_inner_v4(const ts_sys_addr *a, ts_sys_addr out[2]) {
    static const block compatible = {{0}, 96, NOT_GLOBAL}, mapped = {{[10] = 0xff, [11] = 0xff}, 96, AS_IPV4},
                       nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96, AS_IPV4}, six_to_four = {{0x20, 0x02}, 16, NOT_GLOBAL},
                       teredo = {{0x20, 0x01}, 32, NOT_GLOBAL}, translated = {{[8] = 0xff, [9] = 0xff}, 96, NOT_GLOBAL};
    if (!a->v6) return 0;
    if (holds(&compatible, a->ip) || holds(&mapped, a->ip) || holds(&nat64, a->ip) || holds(&translated, a->ip)) {
        out[0] = inner(a->ip + 12, 0);
        return 1;
    }
    if (holds(&six_to_four, a->ip)) {
        out[0] = inner(a->ip + 2, 0);
        return 1;
    }
    if (!holds(&teredo, a->ip)) return 0;
    out[0] = inner(a->ip + 4, 0);
    out[1] = inner(a->ip + 12, 0xff);
    return 2;
}
