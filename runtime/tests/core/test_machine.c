/* test_machine: where machine code is: which pages, who shares them, what they may be used for.
 * In: core/native/machine.h, /proc/self/maps. Out: cmocka results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "base/cfi.h"
#include "base/dispatch.h"
#include "core/module/engine.h"
#include "core/native/machine.h"
#include "sys/pages.h"
#include "sys/thread.h"

enum { MANY = 300, SMALL = 100 };
static ts_engine *engine;
static ts_machine_room room;
static size_t page;

static int begin(void **state) {
    (void)state;
    ts_error e;
    ts_error_init(&e);
    page = ts_pages_size();
    return ts_engine_create(&engine, &e) != TS_OK || !ts_machine_room_init(&room, engine);
}
static int end(void **state) {
    (void)state;
    ts_machine_room_free(&room);
    ts_engine_destroy(engine);
    return 0;
}
/* The bytes of machine code that count. */
static size_t taken(void) {
    size_t n = 0;
    ts_engine_set_max_code(engine, (size_t)MANY * page);
    while (ts_engine_take_code(engine, page)) n += page;
    ts_engine_give_code(engine, n);
    return MANY * page - n;
}
/* Code that is all of one byte. It is compared, and does not run. */
static ts_native filled(uint8_t *bytes, uint32_t len, int with) {
    memset(bytes, with, len);
    return (ts_native){.code = bytes, .len = len};
}
static ts_machine_code *install(const ts_native *n) {
    ts_machine_job j = {.native = n};
    ts_machine_install(&room, &j, 1);
    return j.made;
}
static void has(const ts_machine_code *m, uint32_t len, int with) {
    assert_non_null(m);
    assert_int_equal(m->len, len);
    for (uint32_t i = 0; i < len; i++) assert_int_equal(m->code[i], with);
}
static uintptr_t page_of(const ts_machine_code *m) {
    return (uintptr_t)m->code / page;
}
/* The permissions of the pages at an address, "" if there are none. No page of the process may be written and executed. */
static const char *permissions(const void *at) {
    static char found[8], line[512], may[8];
    unsigned long first, last;
    FILE *f = fopen("/proc/self/maps", "r");
    assert_non_null(f);
    found[0] = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx %7s", &first, &last, may) != 3) continue;
        assert_false(may[1] == 'w' && may[2] == 'x');
        if ((uintptr_t)at >= first && (uintptr_t)at < last) memcpy(found, may, sizeof found);
    }
    fclose(f);
    return found;
}

static void a_batch_shares_pages(void **state) {
    (void)state;
    uint8_t bytes[3][SMALL];
    ts_native n[3];
    ts_machine_job jobs[3];
    for (int i = 0; i < 3; i++) {
        n[i] = filled(bytes[i], SMALL, 1 + i);
        jobs[i] = (ts_machine_job){.native = &n[i]};
    }
    ts_machine_install(&room, jobs, 3);
    for (int i = 0; i < 3; i++) {
        has(jobs[i].made, SMALL, 1 + i);
        assert_int_equal(page_of(jobs[i].made), page_of(jobs[0].made));
        assert_int_equal((uintptr_t)jobs[i].made->code % 64, 0);
    }
    assert_int_equal(taken(), page);
    for (int i = 0; i < 3; i++) ts_machine_free(jobs[i].made);
}
/* The pages that are replaced keep what they had. */
static void one_after_another_shares_pages(void **state) {
    (void)state;
    uint8_t bytes[SMALL];
    ts_machine_code *made[MANY];
    for (int i = 0; i < MANY; i++) {
        ts_native n = filled(bytes, SMALL, i & 255);
        made[i] = install(&n);
        assert_string_equal(permissions(made[i]->code), "r-xp");
    }
    for (int i = 0; i < MANY; i++) has(made[i], SMALL, i & 255);
    if (ts_pages_can_replace_code()) {
        assert_int_equal(taken(), ts_pages_round(MANY * 128u));
        assert_string_equal(permissions(made[0]->code + taken()), "---p"); /* nothing else has memory */
    }
    for (int i = 0; i < MANY; i++) ts_machine_free(made[i]);
}
static void larger_than_a_page_and_than_a_region(void **state) {
    (void)state;
    static uint8_t bytes[3 << 20];
    const uint32_t lens[] = {1, 5000, 10, sizeof bytes, 4096, 70000, 1};
    enum { N = sizeof lens / sizeof *lens };
    ts_machine_code *made[N];
    for (int i = 0; i < N; i++) {
        ts_native n = filled(bytes, lens[i], 10 + i);
        made[i] = install(&n);
    }
    for (int i = 0; i < N; i++) {
        has(made[i], lens[i], 10 + i);
        assert_string_equal(permissions(made[i]->code), "r-xp");
        assert_string_equal(permissions(made[i]->code + lens[i] - 1), "r-xp");
        ts_machine_free(made[i]);
    }
}
/* Of a batch, what fits is installed. */
static void the_limit_counts_pages(void **state) {
    (void)state;
    static uint8_t bytes[4][1 << 15];
    const uint32_t lens[] = {SMALL, 2 * 4096, 1 << 15, SMALL};
    ts_native n[4];
    ts_machine_job jobs[4];
    for (int i = 0; i < 4; i++) {
        n[i] = filled(bytes[i], lens[i], 20 + i);
        jobs[i] = (ts_machine_job){.native = &n[i]};
    }
    ts_engine_set_max_code(engine, page - 1);
    ts_machine_install(&room, jobs, 4);
    for (int i = 0; i < 4; i++) assert_null(jobs[i].made);
    assert_int_equal(taken(), 0);
    const size_t most = ts_pages_round(3 * 4096);
    ts_engine_set_max_code(engine, most);
    ts_machine_install(&room, jobs, 4);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            assert_null(jobs[i].made);
        else
            has(jobs[i].made, lens[i], 20 + i);
    }
    assert_int_equal(taken(), most);
    for (int i = 0; i < 4; i++) ts_machine_free(jobs[i].made);
}
static void a_room_is_given_back(void **state) {
    (void)state;
    uint8_t bytes[SMALL];
    ts_native n = filled(bytes, SMALL, 7);
    ts_machine_code *made[2] = {install(&n), install(&n)};
    const uint8_t *at = made[0]->code;
    assert_string_equal(permissions(at), "r-xp");
    assert_true(taken() > 0);
    for (int i = 0; i < 2; i++) ts_machine_free(made[i]);
    ts_machine_room_free(&room);
    assert_string_equal(permissions(at), "");
    assert_int_equal(taken(), 0);
}
static void faults_are_found(void **state) {
    (void)state;
    uint8_t bytes[SMALL];
    ts_native_entry faults[] = {{.word = 3, .code = 8}, {.word = 9, .code = 40}};
    ts_native n = filled(bytes, SMALL, 7);
    n.faults = faults;
    n.n_faults = 2;
    for (int shares = 0; shares < 2; shares++) {
        ts_machine_job j = {.native = &n, .shares_faults = shares};
        ts_machine_install(&room, &j, 1);
        const uintptr_t at = (uintptr_t)j.made->code;
        uint32_t word;
        assert_true(ts_machine_has(j.made, at + 8, &word) && word == 3);
        assert_true(ts_machine_has(j.made, at + 40, &word) && word == 9);
        assert_true(ts_machine_has(j.made, at + 41, &word) && word == UINT32_MAX);
        assert_false(ts_machine_has(j.made, at + SMALL, &word));
        assert_false(ts_machine_has(j.made, at - 1, &word));
        ts_machine_free(j.made);
    }
}

#if TS_HAS_MACHINE_CODE
/* A function that returns 7. */
#if defined(__x86_64__)
static const uint8_t seven[] = {0xb8, 7, 0, 0, 0, 0xc3};
#else
static const uint8_t seven[] = {0xe0, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6};
#endif
static TS_UNCHECKED_CALLS int run(const uint8_t *code) {
    return ((int (*)(void))(uintptr_t)code)();
}
typedef struct calling {
    const uint8_t *code;
    bool stop;
    uint64_t calls, wrong;
} calling;
static void call_until_stopped(void *data) {
    calling *c = data;
    while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
        c->wrong += run(c->code) != 7;
        __atomic_fetch_add(&c->calls, 1, __ATOMIC_RELAXED);
    }
}
/* Another thread executes code of the page while that is replaced. */
static void threads_go_on(void **state) {
    (void)state;
    ts_machine_code *made[MANY];
    ts_native n = {.code = (uint8_t *)(uintptr_t)seven, .len = sizeof seven};
    ts_machine_code *first = install(&n);
    calling c = {.code = first->code};
    ts_thread t = {0};
    assert_true(ts_thread_start(&t, call_until_stopped, &c));
    while (!__atomic_load_n(&c.calls, __ATOMIC_RELAXED)) {
    }
    for (int i = 0; i < MANY; i++) {
        made[i] = install(&n);
        assert_int_equal(run(made[i]->code), 7);
    }
    __atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
    ts_thread_join(&t);
    assert_int_equal(c.wrong, 0);
    for (int i = 0; i < MANY; i++) ts_machine_free(made[i]);
    ts_machine_free(first);
}
#endif

#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        EACH(a_batch_shares_pages),   EACH(one_after_another_shares_pages), EACH(larger_than_a_page_and_than_a_region),
        EACH(the_limit_counts_pages), EACH(a_room_is_given_back),           EACH(faults_are_found),
#if TS_HAS_MACHINE_CODE
        EACH(threads_go_on),
#endif
    };
    return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
