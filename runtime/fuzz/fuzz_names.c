/* fuzz_names: texts that name something: names and versions of components, symbols of Rust, addresses, URIs, numbers.
 * In: bytes from libFuzzer: two texts with a line feed between them. Out: no crash, no leak, no sanitizer report; the
 * rules that the headers of these functions state.
 * build: clang -fsanitize=fuzzer,address,undefined */
#include "input.h"
#include "base/demangle.h"
#include "base/number.h"
#include "base/quantity.h"
#include "base/utf8.h"
#include "component/run/instance.h"
#include "component/run/linker.h"
#include "http/message.h"
#include "http/uri.h"
#include "sys/lookup.h"
#include "sys/net.h"
#include "sys/special_addr.h"
#include "wasi/grants.h"

static void must(bool rule, const char *what) {
    if (rule) return;
    fprintf(stderr, "fuzz_names: %s\n", what);
    abort();
}

/* --- components --- */
static bool inside(const char *part, uint32_t part_len, const char *s, size_t len) {
    return !part || (part >= s && part_len <= len && (size_t)(part - s) <= len - part_len);
}
static void component_name(const char *s, size_t len) {
    ts_extern_name plain, nested;
    char why[120] = "";
    ts_arena arena;
    ts_arena_init(&arena);
    bool is_plain = ts_extern_name_parse(s, len, false, &plain, why, sizeof why);
    must(is_plain || (why[0] && strlen(why) < sizeof why), "a refused name has a reason");
    if (is_plain) {
        must(ts_utf8_valid((const uint8_t *)s, len), "a name is UTF-8");
        must(ts_extern_name_parse(s, len, true, &nested, why, sizeof why), "nested names include the others");
        must(plain.kind == nested.kind && inside(plain.resource, plain.resource_len, s, len), "the parts of a name");
        uint32_t key_len;
        char *key = ts_extern_name_key(&arena, s, len, &key_len);
        must(key && key_len <= len && strlen(key) <= key_len, "the key of a name");
    }
    char tiny[1];
    (void)ts_extern_name_parse(s, len, true, &nested, tiny, sizeof tiny);
    if (ts_label_valid(s, len)) {
        char *key = ts_label_key(&arena, s, len);
        must(key && strlen(key) == len && ts_label_valid(key, len), "the key of a label is a label");
        must(is_plain && plain.kind == TS_NAME_LABEL, "a label is a name");
    }
    (void)ts_semver_valid(s, len, why, sizeof why);
    (void)ts_canonversion_valid(s, len);
    ts_arena_free(&arena);
}
static void interface_names(const char *a, size_t a_len, const char *b, size_t b_len) {
    ts_iface_name x, y;
    bool is_x = ts_name_parse(a, a_len, &x), is_y = ts_name_parse(b, b_len, &y);
    if (is_x) must(inside(x.base, x.base_len, a, a_len) && inside(x.pre, x.pre_len, a, a_len), "the parts");
    if (is_x) must(ts_name_compatible(&x, &x), "a name is compatible with itself");
    if (is_x && is_y) must(ts_name_compatible(&x, &y) == ts_name_compatible(&y, &x), "compatible, in both orders");
}
static ts_status callback(ts_host_call *c, void *data, const ts_val *args, ts_val *result) {
    (void)c, (void)data, (void)args, (void)result;
    return TS_OK;
}
/* Definitions of an embedder whose names and types are any text. */
static void definitions(const char *a, const char *b) {
    ts_linker *l;
    ts_error e;
    ts_error_init(&e);
    if (ts_linker_new(&l, &e) != TS_OK) abort();
    static const char *const types[] = {"func()", "func(a: string) -> u8"};
    const char *interfaces[] = {a, b, "", "a:b/c@1.0.0"}, *names[] = {b, a, "x", "[method]r.f"};
    for (int i = 0; i < 8; i++) {
        ts_error_init(&e);
        fz_check(ts_linker_define_func(l, interfaces[i % 4], names[i / 2], types[i & 1], callback, NULL, &e), &e);
    }
    ts_error_init(&e);
    fz_check(ts_linker_define_func(l, "", "g", b, callback, NULL, &e), &e);
    ts_error_init(&e);
    fz_check(ts_linker_define_resource(l, a, b, NULL, NULL, &e), &e);
    ts_error_init(&e);
    fz_check(ts_linker_define_value(l, "", "v", a, b, &e), &e);
    ts_linker_deny(l, a);
    ts_linker_enable_unstable(l, b);
    ts_linker_free(l);
}

/* --- symbols --- */
static void symbol(const char *s, size_t len) {
    char whole[4096], cut[32];
    if (!ts_demangle_rust(s, len, whole, sizeof whole)) return;
    must(strlen(whole) < sizeof whole && ts_utf8_valid((const uint8_t *)whole, strlen(whole)), "a path is UTF-8");
    if (!ts_demangle_rust(s, len, cut, sizeof cut)) return; /* its output was cut before the symbol ended */
    must(strlen(cut) < sizeof cut && ts_utf8_valid((const uint8_t *)cut, strlen(cut)), "a cut path is UTF-8");
}

/* --- addresses and grants --- */
static void address(const char *s, size_t len) {
    ts_sys_addr a, again;
    ts_wasi_prefix p;
    ts_error e;
    char text[56], ascii[254], host[254], host_again[254];
    uint32_t number;
    ts_error_init(&e);
    if (ts_sys_addr_parse(s, len, &a)) {
        ts_sys_addr_text(&a, text, sizeof text);
        const char *from = text + (a.v6 ? 1 : 0), *to = strrchr(text, a.v6 ? ']' : ':');
        must(to && ts_sys_addr_parse(from, (size_t)(to - from), &again) && memcmp(a.ip, again.ip, 16) == 0,
             "an address prints as itself");
        (void)ts_sys_addr_is_global(&a);
        ts_sys_addr inner[2];
        must(ts_sys_addr_inner_v4(&a, inner) <= 2, "at most two inner addresses");
        must(ts_sys_addr_same(&a, &a), "an address is the same as itself");
    }
    if (ts_wasi_prefix_parse(s, len, s, &p, &e) == TS_OK)
        must(p.bits <= (p.addr.v6 ? 128 : 32) && ts_wasi_prefix_has(&p, &p.addr), "a prefix has its address");
    else
        must(e.message[0] != 0, "a refused prefix has a reason");
    if (ts_sys_name_check(s, len, ascii) == TS_SYS_LOOKUP_OK) {
        must(strlen(ascii) < sizeof ascii, "a name fits");
        must(ts_sys_name_check(ascii, strlen(ascii), host) == TS_SYS_LOOKUP_OK && strcmp(ascii, host) == 0,
             "the form that the DNS uses is its own form");
    }
    if (ts_sys_host_parse(s, len, host) == TS_SYS_LOOKUP_OK)
        must(ts_sys_host_parse(host, strlen(host), host_again) == TS_SYS_LOOKUP_OK && strcmp(host, host_again) == 0,
             "a parsed host is its own form");
    if (ts_wasi_digits(s, len, 70000, &number)) must(number <= 70000, "digits within their bound");
}
static void grants(const char *a, const char *b) {
    ts_wasi *w;
    ts_error e;
    ts_error_init(&e);
    if (ts_wasi_new(&w, &e) != TS_OK) abort();
    fz_check(ts_wasi_allow_http(w, a, &e), &e);
    ts_error_init(&e);
    fz_check(ts_wasi_deny_http(w, b, &e), &e);
    ts_error_init(&e);
    fz_check(ts_wasi_allow_name(w, a, &e), &e);
    ts_error_init(&e);
    fz_check(ts_wasi_allow_address(w, TS_WASI_TCP_LISTEN, b, &e), &e);
    ts_error_init(&e);
    fz_check(ts_wasi_set_env(w, a, strlen(a), b, &e), &e);
    ts_error_init(&e);
    fz_check(ts_wasi_set_cwd(w, b, &e), &e);
    ts_wasi_free(w);
}

/* --- HTTP --- */
static void uri(const char *s, size_t len) {
    const char *host;
    size_t host_len;
    int32_t port = -1;
    bool authority = ts_http_is_authority(s, len);
    if (ts_http_host_port(s, len, &host, &host_len, &port)) {
        must(authority && host_len > 0 && port >= -1 && port <= 65535, "host and port");
        must(host >= s && host_len <= len && (size_t)(host - s) <= len - host_len, "the host is a part");
    }
    char *z = malloc(len + 1);
    if (!z) abort();
    memcpy(z, s, len);
    z[len] = 0;
    if (ts_http_is_origin_target(s, len, "GET"))
        must(ts_http_is_path_with_query(s, len), "a target can be set as a path with query");
    (void)ts_http_is_origin_target(s, len, "OPTIONS");
    (void)ts_http_is_scheme(s, len);
    if (ts_http_is_token(s, len)) must(ts_http_is_field_value(s, len), "a token is a field value");
    (void)ts_http_list_has(s, len, "chunked");
    ts_http_fields f = {0};
    uint64_t length;
    if (ts_http_fields_add(&f, "content-length", 14, s, len)) {
        int strict = ts_http_content_length(&f, &length), lenient = ts_http_received_length(&f, &length);
        must(strict != 1 || lenient == 1, "what is sent can be received");
    }
    ts_http_fields_clear(&f);
    free(z);
}

/* --- numbers --- */
static void numbers(const char *s, size_t len) {
    ts_error e;
    uint64_t n;
    char *end;
    for (int unit = TS_QUANTITY_PLAIN; unit <= TS_QUANTITY_TIME; unit++) {
        ts_error_init(&e);
        ts_status st = ts_quantity_parse(s, (ts_quantity_unit)unit, &n, &e);
        fz_check(st, &e);
        if (st == TS_OK) must(n >= 1 && n <= INT64_MAX, "a quantity within its bounds");
    }
    (void)ts_time_parse(s, &n);
    (void)ts_strtod(s, &end);
    must(end >= s && end <= s + len, "the end of a number");
    ts_nearest near = ts_nearest_to(s, len);
    ts_nearest_see(&near, "max-memory");
    ts_nearest_see(&near, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fz_input in = fz_input_of(data, size), first = fz_until(&in, '\n');
    size_t a_len = fz_left(&first), b_len = fz_left(&in);
    /* without a NUL behind them, and as strings */
    char *a = (char *)fz_bytes(first), *b = (char *)fz_bytes(in), *a_text = fz_string(first), *b_text = fz_string(in);
    component_name(a, a_len);
    interface_names(a, a_len, b, b_len);
    definitions(a_text, b_text);
    symbol(a, a_len);
    address(a_text, strlen(a_text));
    grants(a_text, b_text);
    uri(a, a_len);
    numbers(a_text, strlen(a_text));
    free(a);
    free(b);
    free(a_text);
    free(b_text);
    return 0;
}
