/* curl: see curl.h */
#define _GNU_SOURCE
#include "http/client/curl.h"
#include "base/cfi.h"

#ifdef TS_HTTP_CURL
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- the library ------------------------------------------------------------------------------- */
/* The library stays loaded once it has been opened, because a name lookup of its own may still run.
 * Closing only decrements its user count. */
TS_UNCHECKED_CALLS const char *ts_curl_open(ts_curl *l) {
    *l = (ts_curl){0};
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    /* a package that carries its own has it here; the system's one comes first, because it gets updates */
    if (!library) library = dlopen("$ORIGIN/../lib/libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return "no HTTP client: libcurl.so.4 is not installed";
    const char *why = NULL;
#define GET(name)                                                                                                      \
    *(void **)&l->name = dlsym(library, #name);                                                                        \
    if (!l->name) why = "no HTTP client: libcurl has no " #name;
    TS_CURL_FUNCTIONS(GET)
#undef GET
    if (!why) {
        const curl_version_info_data *v = l->curl_version_info(CURLVERSION_NOW);
        /* 7.84: initialisation by several threads; 7.85: protocols by name; 7.87: TLS without a
         * signal on a closed connection */
        if (v->version_num < 0x075700 || !(v->features & CURL_VERSION_THREADSAFE))
            why = "no HTTP client: libcurl 7.87 or later is needed, with thread-safe initialisation";
        else if (v->ssl_version && strncmp(v->ssl_version, "OpenSSL/", 8) == 0 && v->ssl_version[8] >= '3') {
            /* from the OpenSSL that it is linked with */
            *(void **)&l->clear_options = dlsym(library, "SSL_CTX_clear_options");
            *(void **)&l->get_shutdown = dlsym(library, "SSL_get_shutdown");
            *(void **)&l->set_keylog = dlsym(library, "SSL_CTX_set_keylog_callback");
        }
        if (!why && l->curl_global_init(CURL_GLOBAL_DEFAULT)) why = "no HTTP client: libcurl cannot be initialised";
    }
    if (why)
        dlclose(library);
    else
        l->library = library;
    return why;
}

TS_UNCHECKED_CALLS void ts_curl_close(ts_curl *l) {
    if (!l->library) return;
    l->curl_global_cleanup();
    dlclose(l->library);
    l->library = NULL;
}

/* --- errors ------------------------------------------------------------------------------------ */
/* The alerts of RFC 8446, 6.2, and of earlier versions of TLS. */
static const char *alert_name(unsigned id) {
    static const struct {
        uint8_t id;
        const char *name;
    } names[] = {
        {0, "close_notify"},
        {10, "unexpected_message"},
        {20, "bad_record_mac"},
        {21, "decryption_failed"},
        {22, "record_overflow"},
        {30, "decompression_failure"},
        {40, "handshake_failure"},
        {41, "no_certificate"},
        {42, "bad_certificate"},
        {43, "unsupported_certificate"},
        {44, "certificate_revoked"},
        {45, "certificate_expired"},
        {46, "certificate_unknown"},
        {47, "illegal_parameter"},
        {48, "unknown_ca"},
        {49, "access_denied"},
        {50, "decode_error"},
        {51, "decrypt_error"},
        {60, "export_restriction"},
        {70, "protocol_version"},
        {71, "insufficient_security"},
        {80, "internal_error"},
        {86, "inappropriate_fallback"},
        {90, "user_canceled"},
        {100, "no_renegotiation"},
        {109, "missing_extension"},
        {110, "unsupported_extension"},
        {111, "certificate_unobtainable"},
        {112, "unrecognized_name"},
        {113, "bad_certificate_status_response"},
        {115, "unknown_psk_identity"},
        {116, "certificate_required"},
        {120, "no_application_protocol"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].id == id) return names[i].name;
    return "unknown";
}

/* OpenSSL reports a received alert as reason 1000 plus its number: "error:0A000410:SSL routines::…".
 * The library number, 20, precedes it (from bit 23, or from bit 24 before OpenSSL 3). Returns -1 if
 * the text is not about an alert. */
static int received_alert(const char *text) {
    const char *at = strstr(text, "error:");
    if (!at) return -1;
    unsigned long code = strtoul(at + 6, NULL, 16), reason = code & 0xfff;
    return (code >> 23 == 20 || code >> 24 == 20) && reason >= 1000 && reason < 1256 ? (int)(reason - 1000) : -1;
}

static ts_http_error error_of_connect(const ts_curl_failure *f) {
    switch (f->os_errno) {
    case ECONNREFUSED: return ts_http_error_of(TS_HTTP_CONNECTION_REFUSED);
    case ECONNRESET: return ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    case ETIMEDOUT: return ts_http_error_of(TS_HTTP_CONNECTION_TIMEOUT);
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: return ts_http_error_of(TS_HTTP_DESTINATION_IP_UNROUTABLE);
    case EACCES:
    case EPERM: return ts_http_error_of(TS_HTTP_DESTINATION_IP_PROHIBITED);
    default: return ts_http_error_of(TS_HTTP_DESTINATION_UNAVAILABLE);
    }
}

/* The error of a connection that broke, or whose data cannot be read. */
static ts_http_error error_of_transfer(const ts_curl_failure *f) {
    /* the connection was cut without the end of TLS */
    bool ended = strstr(f->text, "unexpected eof") != NULL;
    if (f->os_errno == ECONNRESET || f->os_errno == EPIPE || f->os_errno == ECONNABORTED)
        return ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    if (f->code == CURLE_SSL_CONNECT_ERROR) /* during the handshake */
        return ts_http_error_of(ended || strstr(f->text, "SSL_ERROR_SYSCALL") ? TS_HTTP_CONNECTION_TERMINATED
                                                                              : TS_HTTP_TLS_PROTOCOL_ERROR);
    if (f->os_errno == ETIMEDOUT) return ts_http_error_of(TS_HTTP_CONNECTION_READ_TIMEOUT);
    if (ended) return ts_http_error_of(f->begun ? TS_HTTP_RESPONSE_INCOMPLETE : TS_HTTP_CONNECTION_TERMINATED);
    if (strstr(f->text, "SSL") && strstr(f->text, "error:")) return ts_http_error_of(TS_HTTP_TLS_PROTOCOL_ERROR);
    if (strstr(f->text,
               /* what libcurl rejects although chunked.c accepts it: a line of 4 KiB */
               "chunked-encoding"))
        return ts_http_error_of(TS_HTTP_RESPONSE_TRAILER_SIZE);
    /* -902: a callback of libcurl has rejected the response, because it has too many fields */
    if (strstr(f->text, "nghttp2"))
        return ts_http_error_of(!f->responded && strstr(f->text, "-902") ? TS_HTTP_RESPONSE_HEADER_SECTION_SIZE
                                                                         : TS_HTTP_PROTOCOL_ERROR);
    if (strstr(f->text, "header")) return ts_http_error_of(TS_HTTP_RESPONSE_HEADER_SECTION_SIZE);
    return ts_http_error_of(f->begun ? TS_HTTP_RESPONSE_INCOMPLETE : TS_HTTP_CONNECTION_TERMINATED);
}

TS_UNCHECKED_CALLS ts_http_error ts_curl_error(const ts_curl *l, const ts_curl_failure *f) {
    int alert = received_alert(f->text);
    if (alert >= 0) {
        ts_http_error e = ts_http_error_text(TS_HTTP_TLS_ALERT_RECEIVED, alert_name((unsigned)alert));
        e.has_number = true;
        e.number = (uint64_t)alert;
        return e;
    }
    switch (f->code) {
    case CURLE_UNSUPPORTED_PROTOCOL: /* the URL's protocol, or the server speaks an unknown one */
    case CURLE_URL_MALFORMAT:
        return ts_http_error_of(f->connected ? TS_HTTP_PROTOCOL_ERROR : TS_HTTP_REQUEST_URI_INVALID);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return ts_http_error_of(TS_HTTP_DNS_ERROR);
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return error_of_connect(f);
    case CURLE_OPERATION_TIMEDOUT:
        return ts_http_error_of(f->connected ? TS_HTTP_CONNECTION_READ_TIMEOUT : TS_HTTP_CONNECTION_TIMEOUT);
    case CURLE_NO_CONNECTION_AVAILABLE: return ts_http_error_of(TS_HTTP_CONNECTION_LIMIT_REACHED);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS: return ts_http_error_of(TS_HTTP_TLS_CERTIFICATE_ERROR);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED: return ts_http_error_of(TS_HTTP_CONFIGURATION_ERROR);
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED: return ts_http_error_of(TS_HTTP_TLS_PROTOCOL_ERROR);
    case CURLE_SSL_SHUTDOWN_FAILED: return ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    case CURLE_GOT_NOTHING: /* the connection was closed without a response, or within one */
    case CURLE_PARTIAL_FILE:
        return ts_http_error_of(f->begun ? TS_HTTP_RESPONSE_INCOMPLETE : TS_HTTP_CONNECTION_TERMINATED);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_READ_ERROR:
    case CURLE_AGAIN: return error_of_transfer(f);
    /* a kept connection was dead, and what had been sent cannot be sent again */
    case CURLE_SEND_FAIL_REWIND: return ts_http_error_of(TS_HTTP_CONNECTION_TERMINATED);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP3:
    case CURLE_HTTP_POST_ERROR:
    case CURLE_HTTP_RETURNED_ERROR:
    case CURLE_CHUNK_FAILED:
    case CURLE_UPLOAD_FAILED: /* a body of unknown length was sent to an HTTP/1.0 server */
        return ts_http_error_of(TS_HTTP_PROTOCOL_ERROR);
    case CURLE_BAD_CONTENT_ENCODING: return ts_http_error_of(TS_HTTP_RESPONSE_TRANSFER_CODING);
    case CURLE_FILESIZE_EXCEEDED: return ts_http_error_of(TS_HTTP_RESPONSE_BODY_SIZE);
    case CURLE_TOO_MANY_REDIRECTS: return ts_http_error_of(TS_HTTP_LOOP_DETECTED);
    case CURLE_OUT_OF_MEMORY: /* also reported for a line of the head that exceeds libcurl's limit */
        if (f->connected && !f->responded) return ts_http_error_of(TS_HTTP_RESPONSE_HEADER_SECTION_SIZE);
        return ts_http_error_text(TS_HTTP_INTERNAL_ERROR, "no memory");
    case CURLE_BAD_FUNCTION_ARGUMENT: /* a head that libcurl cannot parse */
        if (f->begun && !f->responded) return ts_http_error_of(TS_HTTP_PROTOCOL_ERROR);
        /* fall through */
    default: return ts_http_error_text(TS_HTTP_INTERNAL_ERROR, *f->text ? f->text : l->curl_easy_strerror(f->code));
    }
}
#else
typedef int ts_http_curl_absent; /* a translation unit must not be empty */
#endif
