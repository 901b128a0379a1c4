/* test_sha256: known digests (FIPS 180-4's examples), and the same in every division into parts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/sha256.h"
#include <string.h>

static void digest(const void *bytes, size_t len, size_t part, char hex[65]) {
    ts_sha256 h;
    uint8_t out[32];
    ts_sha256_begin(&h);
    for (size_t at = 0; at < len; at += part)
        ts_sha256_add(&h, (const uint8_t *)bytes + at, len - at < part ? len - at : part);
    ts_sha256_end(&h, out);
    ts_sha256_hex(out, hex);
}

static void known_digests(void **state) {
    (void)state;
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char hex[65];
    digest("", 0, 1, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest("abc", 3, 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest(two, strlen(two), 64, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    static char million[1000000];
    memset(million, 'a', sizeof million);
    digest(million, sizeof million, sizeof million, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void parts(void **state) {
    (void)state;
    uint8_t bytes[300];
    char whole[65], hex[65];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
    for (size_t len = 0; len <= sizeof bytes; len += 13) {
        digest(bytes, len, sizeof bytes, whole);
        for (size_t part = 1; part < 140; part += 3) {
            digest(bytes, len, part, hex);
            assert_string_equal(hex, whole);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_digests), cmocka_unit_test(parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
