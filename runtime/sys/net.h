/* sys/net: TCP and UDP sockets of the OS over IPv4 and IPv6; all are non-blocking.
 * In: descriptors, addresses, options. Out: results, or a ts_sys_err (EAGAIN: not now; EINPROGRESS:
 * connecting).
 * Source: POSIX socket(2) and related functions; ip(7), ipv6(7), tcp(7), udp(7) */
#ifndef TS_SYS_NET_H
#define TS_SYS_NET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/error.h"

typedef struct ts_sys_addr {
    bool v6;
    uint16_t port;
    uint8_t ip[16];       /* network order; IPv4: the first four */
    uint32_t flow, scope; /* IPv6 */
} ts_sys_addr;

ts_sys_err ts_sys_socket(bool v6, bool udp, int *fd); /* IPv6: never dual-stack */
ts_sys_err ts_sys_bind(int fd, const ts_sys_addr *a, bool reuse);
ts_sys_err ts_sys_connect(int fd, const ts_sys_addr *a); /* UDP: NULL disconnects */
ts_sys_err ts_sys_socket_error(int fd);                  /* SO_ERROR; reading clears it */
ts_sys_err ts_sys_listen(int fd, uint32_t backlog);
ts_sys_err ts_sys_accept(int fd, int *out);
/* Sockets that the runtime did not make, which may be blocking: */
bool ts_sys_is_listening(int fd);
bool ts_sys_is_datagram(int fd);
ts_sys_err ts_sys_local(int fd, ts_sys_addr *a);
ts_sys_err ts_sys_remote(int fd, ts_sys_addr *a);
ts_sys_err ts_sys_shutdown(int fd, bool in, bool out);
/* Never raises a signal. */
ts_sys_err ts_sys_send(int fd, const void *buf, size_t len, size_t *n);
ts_sys_err ts_sys_send_now(int fd, const void *buf, size_t len, size_t *n); /* never waits: EAGAIN */
ts_sys_err ts_sys_receive(int fd, void *buf, size_t len, bool peek, size_t *n, bool *truncated); /* never waits */
ts_sys_err ts_sys_send_to(int fd, const void *buf, size_t len, const ts_sys_addr *to); /* NULL: the connected peer */
ts_sys_err ts_sys_receive_from(int fd, void *buf, size_t len, size_t *n, ts_sys_addr *from);

typedef enum ts_sys_sockopt {
    TS_SYS_KEEPALIVE,     /* 0, 1 */
    TS_SYS_KEEP_IDLE,     /* seconds */
    TS_SYS_KEEP_INTERVAL, /* seconds */
    TS_SYS_KEEP_COUNT,
    TS_SYS_HOP_LIMIT,      /* 1 to 255 */
    TS_SYS_RECEIVE_BUFFER, /* bytes as set, without the kernel's overhead */
    TS_SYS_SEND_BUFFER,
} ts_sys_sockopt;
ts_sys_err ts_sys_get_option(int fd, bool v6, ts_sys_sockopt o, uint64_t *value);
ts_sys_err ts_sys_set_option(int fd, bool v6, ts_sys_sockopt o, uint64_t value); /* clamped to the range of the OS */

bool ts_sys_addr_parse(const char *s, size_t len, ts_sys_addr *a); /* an IP address, no port */
void ts_sys_addr_text(const ts_sys_addr *a, char *buf,
                      size_t size); /* "127.0.0.1:80", "[::1]:80"; 56 bytes are enough */
bool ts_sys_addr_is_any(const ts_sys_addr *a);
bool ts_sys_addr_is_unicast(const ts_sys_addr *a); /* neither multicast nor broadcast */
bool ts_sys_addr_is_mapped(const ts_sys_addr *a);  /* ::ffff:0:0/96 */
bool ts_sys_addr_same(const ts_sys_addr *a, const ts_sys_addr *b);
#endif
