/* curl: libcurl for the HTTP client: loaded when it is needed, with its functions in a table and its
 * errors translated to those of wasi:http.
 * In: nothing, or a CURLcode and the state of the transfer. Out: the table, or a ts_http_error.
 * Source: libcurl-errors(3), RFC 9209 */
#ifndef TS_SYS_HTTP_CURL_H
#define TS_SYS_HTTP_CURL_H
#include "http/message.h"

/* Without the headers of libcurl this build has no client. The headers of 7.85 name all options that
 * are used; the library must be 7.87 or later (see curl.c). */
#if defined(__has_include)
#if __has_include(<curl/curl.h>)
#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION /* curl_multi_socket_all */
#include <curl/curl.h>
#if LIBCURL_VERSION_NUM >= 0x075500
#define TS_HTTP_CURL 1
#endif
#endif
#endif

#ifdef TS_HTTP_CURL
#define TS_CURL_FUNCTIONS(X)                                                                                           \
    X(curl_global_init)                                                                                                \
    X(curl_global_cleanup)                                                                                             \
    X(curl_version_info)                                                                                               \
    X(curl_easy_init)                                                                                                  \
    X(curl_easy_setopt)                                                                                                \
    X(curl_easy_getinfo)                                                                                               \
    X(curl_easy_pause)                                                                                                 \
    X(curl_easy_cleanup)                                                                                               \
    X(curl_easy_strerror)                                                                                              \
    X(curl_multi_init)                                                                                                 \
    X(curl_multi_setopt)                                                                                               \
    X(curl_multi_add_handle)                                                                                           \
    X(curl_multi_remove_handle)                                                                                        \
    X(curl_multi_socket_action)                                                                                        \
    X(curl_multi_socket_all)                                                                                           \
    X(curl_multi_info_read)                                                                                            \
    X(curl_multi_cleanup)                                                                                              \
    X(curl_slist_append)                                                                                               \
    X(curl_slist_free_all)

typedef struct ts_curl {
    void *library; /* NULL if it is not open */
#define TS_CURL_POINTER_(name) __typeof__(name) *name;
    TS_CURL_FUNCTIONS(TS_CURL_POINTER_)
#undef TS_CURL_POINTER_
    /* SSL_CTX_clear_options, SSL_get_shutdown and SSL_CTX_set_keylog_callback if libcurl uses OpenSSL
     * 3, otherwise NULL */
    uint64_t (*clear_options)(void *context, uint64_t options);
    int (*get_shutdown)(const void *ssl);
    void (*set_keylog)(void *context, void (*log)(void));
} ts_curl;
#define TS_CURL_IGNORE_UNEXPECTED_EOF UINT64_C(0x80) /* SSL_OP_IGNORE_UNEXPECTED_EOF */
#define TS_CURL_RECEIVED_SHUTDOWN 2                  /* SSL_RECEIVED_SHUTDOWN */

/* Returns NULL, or the reason why libcurl cannot be used. Each successful call needs a ts_curl_close. */
const char *ts_curl_open(ts_curl *l);
void ts_curl_close(ts_curl *l);

typedef struct ts_curl_failure {
    CURLcode code;
    long os_errno;    /* CURLINFO_OS_ERRNO */
    const char *text; /* CURLOPT_ERRORBUFFER, or "" */
    bool connected;   /* the connection was established and the request was being sent */
    bool begun;       /* a part of a response has arrived */
    bool responded;   /* the whole head of the response has arrived */
} ts_curl_failure;
ts_http_error ts_curl_error(const ts_curl *l, const ts_curl_failure *f);
#endif
#endif
