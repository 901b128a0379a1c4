/* http/uri: see uri.h */
#include "http/uri.h"
#include <string.h>
#include "sys/net.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static bool letter(char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
}
static bool digit(char c) {
    return c >= '0' && c <= '9';
}
static bool hex(char c) {
    return digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
/* Returns whether the text consists of unreserved characters, sub-delims, %XX and the characters in
 * `also`. */
static bool all_of(const char *s, size_t len, const char *also) {
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%') {
            if (len - i < 3 || !hex(s[i + 1]) || !hex(s[i + 2])) return false;
            i += 2;
        } else if (s[i] == 0 || !(letter(s[i]) || digit(s[i]) || strchr("-._~!$&'()*+,;=", s[i]) || strchr(also, s[i])))
            return false;
    }
    return true;
}

bool ts_http_is_scheme(const char *s, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (!letter(s[i]) && (i == 0 || (!digit(s[i]) && s[i] != '+' && s[i] != '-' && s[i] != '.'))) return false;
    return len > 0;
}

bool ts_http_is_path_with_query(const char *s, size_t len) {
    const char *mark = len ? memchr(s, '?', len) : NULL;
    size_t path = mark ? (size_t)(mark - s) : len;
    return all_of(s, path, ":@/") && (!mark || all_of(mark + 1, len - path - 1, ":@/?"));
}

/* Finds the parts of an authority. Returns false if the text is not an authority. */
static bool authority_parts(const char *s, size_t len, size_t *host, size_t *host_len, size_t *port) {
    const char *at = len ? memchr(s, '@', len) : NULL;
    *host = at ? (size_t)(at - s) + 1 : 0;
    if (at && !all_of(s, *host - 1, ":")) return false;
    const char *h = s + *host;
    size_t left = len - *host;
    if (left && h[0] == '[') {
        const char *end = memchr(h, ']', left);
        ts_sys_addr a;
        if (!end) return false;
        *host_len = (size_t)(end - h) + 1;
        const char *ip = h + 1;
        size_t n = *host_len - 2;
        /* IPvFuture */
        const char *dot = n > 3 && lower(ip[0]) == 'v' && hex(ip[1]) ? memchr(ip, '.', n) : NULL;
        bool future = dot && dot + 1 < ip + n && all_of(dot + 1, (size_t)(ip + n - dot - 1), ":");
        for (const char *p = ip + 1; future && p < dot; p++) future = hex(*p);
        if (future && memchr(ip, '%', n)) future = false;
        if (!future && (!ts_sys_addr_parse(ip, n, &a) || !a.v6 || memchr(ip, '%', n))) return false;
    } else {
        const char *colon = left ? memchr(h, ':', left) : NULL;
        *host_len = colon ? (size_t)(colon - h) : left;
        if (!all_of(h, *host_len, "")) return false;
    }
    *port = *host + *host_len;
    if (*port == len) return true;
    if (s[*port] != ':') return false;
    for (size_t i = *port + 1; i < len; i++)
        if (!digit(s[i])) return false;
    return true;
}

bool ts_http_is_authority(const char *s, size_t len) {
    size_t host, host_len, port;
    return authority_parts(s, len, &host, &host_len, &port);
}

bool ts_http_host_port(const char *s, size_t len, const char **host, size_t *host_len, int32_t *port) {
    size_t at, end;
    int32_t n = 0;
    if (!authority_parts(s, len, &at, host_len, &end) || at || !*host_len) return false;
    for (size_t i = end + 1; i < len; i++)
        if ((n = n * 10 + (s[i] - '0')) > 65535) return false;
    *port = end + 1 < len ? n : -1;
    *host = s + at;
    if (s[at] == '[') {
        ++*host;
        *host_len -= 2;
    }
    return true;
}

bool ts_http_is_origin_target(const char *s, size_t len, const char *method) {
    if (len == 1 && s[0] == '*') return strcmp(method, "OPTIONS") == 0;
    return len > 0 && s[0] == '/' && ts_http_is_path_with_query(s, len);
}
