/* sys/special_addr: whether an address is globally reachable, by IANA's registries of special-purpose
 * addresses.
 * In: an address. Out: yes or no. No system call.
 * Source: RFC 6890 and its successors; IANA IPv4 and IPv6 Special-Purpose Address Registries (column
 * "Globally Reachable") */
#ifndef TS_SYS_SPECIAL_ADDR_H
#define TS_SYS_SPECIAL_ADDR_H
#include "sys/net.h"

/* Returns true for ordinary addresses and for blocks that the registries call globally reachable. Blocks with
 * "no" or "N/A" (6to4, Teredo, ORCHID, the 6to4 relays), multicast, site-local and IPv4-compatible addresses
 * are not global. An IPv4-mapped address and an address of the well-known NAT64 prefix reach the IPv4 address
 * inside them, so that address decides. The port and the zone are ignored. */
bool ts_sys_addr_is_global(const ts_sys_addr *a);

/* Extracts the IPv4 addresses, up to two, at which packets to an IPv6 address may arrive: from IPv4-mapped
 * and IPv4-compatible addresses, the well-known NAT64 prefix (RFC 6052), 6to4 (RFC 3056), and the server and
 * client of Teredo (RFC 4380). Returns their number. */
size_t ts_sys_addr_inner_v4(const ts_sys_addr *a, ts_sys_addr out[2]);
#endif
