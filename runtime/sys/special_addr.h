/* sys/special_addr: whether an address is globally reachable, by IANA's registries of special-purpose addresses.
 * In: an address. Out: yes or no. No system call.
 * Source: RFC 6890 and its successors; IANA IPv4 and IPv6 Special-Purpose Address Registries (column "Globally Reachable") */
#ifndef TS_SYS_SPECIAL_ADDR_H
#define TS_SYS_SPECIAL_ADDR_H
#include "sys/net.h"

/* True for ordinary addresses and for blocks that the registries call globally reachable. Blocks for which they say no or "N/A" (6to4,
 * Teredo, ORCHID, the 6to4 relays), multicast, site-local and IPv4-compatible addresses are not. An IPv4-mapped address, and one of the
 * well-known prefix of NAT64, reaches the IPv4 address inside it: that one is judged. The port and the zone do not matter. */
bool ts_sys_addr_is_global(const ts_sys_addr *a);

/* The IPv4 addresses that packets to an IPv6 address may end at, up to two: of IPv4-mapped and IPv4-compatible addresses, of the
 * well-known prefix of NAT64 (RFC 6052), of 6to4 (RFC 3056), and the server and client of Teredo (RFC 4380). Returns how many. */
size_t ts_sys_addr_inner_v4(const ts_sys_addr *a, ts_sys_addr out[2]);
#endif
