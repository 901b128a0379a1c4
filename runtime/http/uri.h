/* http/uri: the parts of a URI in a request: scheme, authority, and path with query.
 * In: text. Out: whether it is such a part.
 * Source: RFC 3986, 3 and appendix A; RFC 9110, 4.2 and 7.2; RFC 9112, 3.2
 *
 * The server and the setters of wasi:http use the same functions, so that a guest can forward every
 * request that it receives: what the server accepts is accepted by `set-path-with-query`,
 * `set-authority` and `outgoing-handler.handle`. */
#ifndef TS_HTTP_URI_H
#define TS_HTTP_URI_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ts_http_is_scheme(const char *s, size_t len);
/* [userinfo@]host[:port], where each part may be empty */
bool ts_http_is_authority(const char *s, size_t len);
bool ts_http_is_path_with_query(const char *s, size_t len);
/* The host (without its brackets) and the port of an authority that HTTP can use: it has no userinfo,
 * a host that is not empty, and a port of at most 65535, or none: *port is -1. The port may be 0,
 * which is grammatical (RFC 3986, 3.2.3: *DIGIT) but cannot be connected to. */
bool ts_http_host_port(const char *authority, size_t len, const char **host, size_t *host_len, int32_t *port);
/* Returns whether the text is a target of a request line (RFC 9112, 3.2.1 and 3.2.4): a path that
 * begins with a slash, or the asterisk of OPTIONS. */
bool ts_http_is_origin_target(const char *s, size_t len, const char *method);
#endif
