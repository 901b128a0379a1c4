/* test_demangle: Rust symbols become paths; other names stay as they are; hostile symbols end soon and within
 * their buffer.
 * In: symbols. Out: cmocka results. The expected texts are those of rustc-demangle's "{:#}". */
#include "base/demangle.h"
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void symbols(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"_ZN4testE", "test"},
        {"_ZN3foo17h05af221e174051e9E", "foo"},
        {"_ZN4core6option15Option$LT$T$GT$6unwrap17h0123456789abcdefE", "core::option::Option<T>::unwrap"},
        {"_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3barE",
         "<Test + 'static as foo::Bar<Test>>::bar"},
        {"_ZN3foo3barE.llvm.9D1C9369", "foo::bar"},
        {"_ZN3foo3barE.cold", "foo::bar.cold"},
        {"_ZN2a$bE", "a$"}, /* replaced below: the length is wrong, so the symbol stays */
        {"_RNvC6_123foo3bar", "123foo::bar"},
        {"_RNvCs1234_7mycrate3foo", "mycrate::foo"},
        {"_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
         "utf8_idents::\u10e1\u10d0\u10ed\u10db\u10d4\u10da\u10d0\u10d3_"
         "\u10d2\u10d4\u10db\u10e0\u10d8\u10d4\u10da\u10d8_"
         "\u10e1\u10d0\u10d3\u10d8\u10da\u10d8"},
        {"_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}"},
        {"_RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std",
         "alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>"},
        {"_RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_"
         "4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_",
         "<core::slice::Iter<u8> as "
         "core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}"},
        {"_RIC0Kc2202_E", "::<'\u2202'>"},
        {"_RIC0Kln7b_E", "::<-123>"},
        {"_RIC0Kb1_E", "::<true>"},
        {"_RIC0KRe616263_E", "::<\"abc\">"},

        {"_RMC0FG_RL0_hEu", "<for<'a> fn(&'a u8)>"},
        {"_RMC0DNtC5krate5Traitp1NKj0_EL_", "<dyn krate::Trait<N = 0>>"},
        {"_RMC0WmRm1_m9_", "<u32 is 1..=9>"},
        {"_RNvMs0_NtC1a1bNtB5_1c1d.llvm.123", "<a::b::c>::d"},

        {"_RIC1aL_E", "a::<'_>"},
        {"_RMC0Ph", "<*const u8>"},
        {"_RMC0Oh", "<*mut u8>"},
        {"_RMC0QL_h", "<&mut u8>"},
        {"_RMC0Ahj4_", "<[u8; 4]>"},
        {"_RMC0Sh", "<[u8]>"},
        {"_RMC0ThE", "<(u8,)>"},
        {"_RMC0ThtE", "<(u8, u16)>"},
        {"_RMC0FKCEu", "<extern \"C\" fn()>"},
        {"_RMC0FUK6systemEu", "<unsafe extern \"system\" fn()>"},
        {"_RMC0FK8C_unwindEm", "<extern \"C-unwind\" fn() -> u32>"},
        {"_RMC0DNtC1a1bNtC1a1cEL_", "<dyn a::b + a::c>"},
        {"_RMC0DNtC1a1bB3_EL_", "<dyn a::b + a::b>"},
        {"_RMC0FG_DNtC1a1bEL0_Eu", "<for<'a> fn(dyn a::b + 'a)>"},
        {"_RMC0WmORm0_m9_Rmb_mc_E", "<u32 is 0..=9 | 11..=12>"},
        {"_RMC0WPuN", "<*const () is !null>"},
        {"_RNvC1au4a_99", "a::punycode{a-99}"},
        {"_RIC0KpE", "::<_>"},
        {"_RIC0Kj1_KB3_E", "::<1, 1>"},
        {"_RIC0Ko10000000000000000_E", "::<0x10000000000000000>"},
        {"_RIC0Kc0_E", "::<'\\0'>"},
        {"_RIC0Kca_E", "::<'\\n'>"},
        {"_RIC0Kc27_E", "::<'\\''>"},
        {"_RIC0Kc7f_E", "::<'\\u{7f}'>"},
        {"_RIC0Kee4b8ad_E", "::<{*\"\u4e2d\"}>"},
        {"_RIC0KRj1_E", "::<{&1}>"},
        {"_RIC0KQj1_E", "::<{&mut 1}>"},
        {"_RIC0KAj1_j2_EE", "::<{[1, 2]}>"},
        {"_RIC0KTj1_EE", "::<{(1,)}>"},
        {"_RIC0KTj1_j2_EE", "::<{(1, 2)}>"},
        {"_RIC0KVNtC1a1bUE", "::<{a::b}>"},
        {"_RIC0KVNtC1a1bTj1_j2_EE", "::<{a::b(1, 2)}>"},
        {"__ZN3foo3barE", "foo::bar"}, /* of Mach-O, with one more underscore */
        {"__RNvC1a1b", "a::b"},
        {"_ZN4a..bE", "a::b"},
        {"_ZN3a.bE", "a.b"},
        {"_ZN2a.E", "a."},
        {"_ZN4_$bcE", "$bc"},
        {"_ZN7$u1f600E", "$u1f600"}, /* no $ closes it */
        {"_ZN5$u7f$E", "$u7f$"},     /* a control character */
        {"_ZN5$u1f$E", "$u1f$"},
        {"_ZN5$u9f$E", "$u9f$"},
        {"_ZN7$ud800$E", "$ud800$"},
        {"_ZN9$u110000$E", "$u110000$"},
        {"_ZN3$x$E", "$x$"},
        {"_ZN5$u4G$E", "$u4G$"},
        {"_RNvYuNtC1a1b1c", "<() as a::b>::c"},
        {"_RNSNvC1a1b0", "a::b::{shim#0}"},
        {"_RNSNvC1a1b6vtable", "a::b::{shim:vtable#0}"},
        {"_RNANvC1a1bs_1c", "a::b::{A:c#1}"},
        {"_RNvNvC1a1b0", "a::b"},
        {"_RNvC1au1A", "a::punycode{A}"},
        {"_RNvC1au9zzzzzzzzz", "a::punycode{zzzzzzzzz}"},
        {"_RIC0Kan5_E", "::<-5>"},
        {"_RIC0Kc9_E", "::<'\\t'>"},
        {"_RIC0Kcd_E", "::<'\\r'>"},
        {"_RIC0Kc5c_E", "::<'\\\\'>"},
        {"_RIC0Kc1_E", "::<'\\u{1}'>"},
        {"_RIC0Kc85_E", "::<'\\u{85}'>"},
        {"_RIC0KRec3a9_E", "::<\"\u00e9\">"},
        {"_RIC0KRef09f9880_E", "::<\"\U0001f600\">"},
        {"_RIC0KVNtC1a1bS1xj1_1yb0_EE", "::<{a::b { x: 1, y: false }}>"},
    };
    char buf[400];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is = ts_demangle_rust(rows[i][0], strlen(rows[i][0]), buf, sizeof buf);
        if (strcmp(rows[i][0], "_ZN2a$bE") == 0 || !rows[i][1]) {
            assert_false(is);
            continue;
        }
        if (!is) fail_msg("not demangled: %s", rows[i][0]);
        assert_string_equal(buf, rows[i][1]);
    }
}

static void others(void **state) {
    (void)state;
    static const char *const rows[] = {"",
                                       "main",
                                       "_start",
                                       "_ZN",
                                       "_ZNE1",
                                       "_ZN3fooEv",
                                       "_ZN9999999999999999999fooE",
                                       "_ZN3fo",
                                       "_R",
                                       "_RN",
                                       "_Rx",
                                       "_RNvC4f\xc3\xb3__3bar",
                                       "_RNvC3foo",
                                       "_RB_",
                                       "_RNvB_1a",
                                       "_RMC0RB2_",
                                       "_RC5_",
                                       "_RNvC3foo3bar baz",
                                       "_RNvC3foo3bar\x01",
                                       "_RIC0Kc110000_E",
                                       "_RIC0Kb2_E",
                                       "_RIC0Ke8_E",
                                       "_RIC0KReff_E",
                                       "_RIC1aL0_E",
                                       "_RMC0WmXE",
                                       "_RMC0FK_Eu",
                                       "_RIC0KVNtC1a1bXE",
                                       "_RIC0KRe80_E",
                                       "_RIC0KRec3_E",
                                       "_RIC0KRec328_E",
                                       "_RIC0KRe6_E",
                                       "_RIC0KjG_E",
                                       "_RIC0Kb2_E",
                                       "_RIC0Kcd800_E",
                                       "_RMC0FK1au1bEu",
                                       "_RNvC1as_",
                                       "_RN1C1a1b",
                                       "_RNvC1au0",
                                       "_RNvC1au2_a_",
                                       "_RNvCszzzzzzzzzzzzzzzzz_1a1b",
                                       "_ZNSt6vectorIiE4sizeEv"};
    char buf[100];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ts_demangle_rust(rows[i], strlen(rows[i]), buf, sizeof buf)) fail_msg("demangled: %s as %s", rows[i], buf);
}

/* With every buffer size, the output stays within the buffer, is terminated, and has whole characters. */
static void buffers(void **state) {
    (void)state;
    static const char symbol[] = "_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y";
    char whole[200];
    assert_true(ts_demangle_rust(symbol, sizeof symbol - 1, whole, sizeof whole));
    for (size_t size = 1; size < sizeof whole; size++) {
        char *buf = malloc(size); /* a sanitizer reports a byte too many */
        assert_non_null(buf);
        assert_true(ts_demangle_rust(symbol, sizeof symbol - 1, buf, size));
        size_t n = strlen(buf);
        assert_true(n < size && memcmp(buf, whole, n) == 0 && ts_utf8_valid(buf, n));
        free(buf);
    }
    assert_false(ts_demangle_rust(symbol, sizeof symbol - 1, whole, 0));
}

static char *repeated(const char *head, const char *what, size_t n, const char *tail) {
    size_t h = strlen(head), w = strlen(what);
    char *s = malloc(h + w * n + strlen(tail) + 1);
    assert_non_null(s);
    memcpy(s, head, h);
    for (size_t i = 0; i < n; i++) memcpy(s + h + i * w, what, w);
    strcpy(s + h + w * n, tail);
    return s;
}

static void hostile(void **state) {
    (void)state;
    char buf[192];
    static const struct {
        const char *head, *what, *tail;
    } rows[] = {
        {"_RMC0", "R", "h"},
        {"_RMC0", "T", ""},
        {"_R", "N", ""},
        {"_R", "Nv", "C1a"},
        {"_RIC0K", "A", "_"},
        {"_RMC0", "FG9999_", ""},
        {"_RMC0", "D", ""},
        {"_RMC0", "WO", ""},
        {"_RIC0KV", "N", ""},
        {"_RINvC1a1b", "TB5_B5_E", "E"},
        {"_RMC0FGzzzzzzzzz_", "h", "Eu"},
        {"_ZN", "1a", "E"},
        {"_ZN", "1$", "E"},
        {"_RNvC1a", "u3", "aa"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const size_t counts[] = {1, 100, 199, 200, 201, 1000, 100000};
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            char *s = repeated(rows[i].head, rows[i].what, counts[k], rows[i].tail);
            (void)ts_demangle_rust(s, strlen(s), buf, sizeof buf);
            free(s);
        }
    }
    /* Each tuple refers twice to the one before it, which would make 2^60 elements if all were printed. */
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char s[1000] = "_RINvC1a1bTuuE";
    size_t last = strlen("INvC1a1b"); /* where the last tuple starts, behind the prefix */
    for (int i = 0; i < 60; i++) {
        size_t start = strlen(s) - 2, v = last - 1;
        char ref[8] = {'B', v >= 62 ? digits[v / 62] : digits[v], v >= 62 ? digits[v % 62] : '_', v >= 62 ? '_' : 0, 0};
        strcat(s, "T");
        strcat(s, ref);
        strcat(s, ref);
        strcat(s, "E");
        last = start;
    }
    strcat(s, "E");
    assert_true(ts_demangle_rust(s, strlen(s), buf, sizeof buf));
    assert_int_equal(strlen(buf), sizeof buf - 1);
    static const char begin[] =
        "a::b::<((), ()), (((), ()), ((), ())), ((((), ()), ((), ())), (((), ()), ((), ()))), (";
    assert_memory_equal(buf, begin, sizeof begin - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(symbols), cmocka_unit_test(others), cmocka_unit_test(buffers),
                                       cmocka_unit_test(hostile)};
    return cmocka_run_group_tests_name("demangle", tests, NULL, NULL);
}
