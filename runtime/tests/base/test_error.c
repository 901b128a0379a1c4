/* test_error: the report of a failure, its room for a backtrace, and what may be NULL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/error.h"

static void it_is_small(void **state) {
    (void)state;
    assert_in_range(sizeof(ts_error), 1, 700);
}

static void the_first_error_wins(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(&e);
    assert_int_equal(ts_fail_at(&e, TS_MALFORMED, 7, "type", "first %d", 1), TS_MALFORMED);
    assert_int_equal(ts_fail(&e, TS_INVALID, "second"), TS_INVALID);
    assert_int_equal(e.status, TS_MALFORMED);
    assert_string_equal(e.message, "first 1");
    ts_error_clear(&e);
    assert_int_equal(ts_fail_trap(&e, TS_TRAP_STACK, "deep"), TS_EXHAUSTION);
    assert_int_equal(e.status, TS_EXHAUSTION);
    assert_false(e.has_offset);
}

static void a_failure_gets_its_place_once(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(&e);
    (void)ts_fail(&e, TS_INVALID, "somewhere");
    assert_int_equal(ts_error_locate(&e, TS_INVALID, 12, "export"), TS_INVALID);
    assert_true(e.has_offset);
    assert_int_equal(e.offset, 12);
    assert_string_equal(e.section, "export");
    (void)ts_error_locate(&e, TS_INVALID, 13, "import");
    assert_int_equal(e.offset, 12);
}

static void a_copy_keeps_its_own_room(void **state) {
    (void)state;
    ts_frame two[2] = {{.func_index = 1}, {.func_index = 2}}, one[1] = {{.func_index = 9}};
    ts_error a, b, c;
    ts_error_init_frames(&a, two, 2);
    ts_error_init_frames(&b, one, 1);
    ts_error_init(&c);
    (void)ts_fail_trap(&a, TS_TRAP_UNREACHABLE, "unreachable");
    a.n_frames = 2;
    a.frames_total = 5;
    ts_error_copy(&b, &a);
    assert_int_equal(b.status, TS_TRAP);
    assert_ptr_equal(b.frames, one);
    assert_int_equal(b.max_frames, 1);
    assert_int_equal(b.n_frames, 1);
    assert_int_equal(b.frames_total, 5);
    assert_int_equal(one[0].func_index, 1);
    ts_error_copy(&c, &a);
    assert_int_equal(c.n_frames, 0);
    assert_null(c.frames);
    ts_error_copy(&a, &a);
    assert_int_equal(a.n_frames, 2);
    ts_error_clear(&a);
    assert_ptr_equal(a.frames, two);
    assert_int_equal(a.max_frames, 2);
    assert_int_equal(a.n_frames, 0);
    ts_error *heap = ts_error_new();
    assert_non_null(heap);
    assert_int_equal(heap->max_frames, TS_MAX_FRAMES);
    ts_error_copy(heap, &b);
    assert_int_equal(heap->frames[0].func_index, 1);
    ts_error_free(heap);
}

static void nothing_may_be_given(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(NULL);
    ts_error_init_frames(NULL, NULL, 3);
    ts_error_init_frames(&e, NULL, 3);
    assert_int_equal(e.max_frames, 0);
    ts_error_clear(NULL);
    ts_error_free(NULL);
    ts_error_copy(NULL, &e);
    ts_error_copy(&e, NULL);
    assert_int_equal(ts_fail(NULL, TS_IO, "x"), TS_IO);
    assert_int_equal(ts_fail_at(NULL, TS_IO, 1, NULL, "x"), TS_IO);
    assert_int_equal(ts_error_locate(NULL, TS_IO, 1, NULL), TS_IO);
    assert_string_equal(ts_status_name((ts_status)-1), "unknown");
    assert_string_equal(ts_trap_kind_name((ts_trap_kind)-1), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_small),
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(a_failure_gets_its_place_once),
        cmocka_unit_test(a_copy_keeps_its_own_room),
        cmocka_unit_test(nothing_may_be_given),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
