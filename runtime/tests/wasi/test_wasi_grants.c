/* test_wasi_grants: grants through touchstone.h: malformed specifications grant nothing, and a value of
 * grants stays constant for all its contexts.
 * In: specifications, folders that change. Out: statuses, results of host functions.
 * wit: wasi:cli, filesystem, sockets */
#include "tests/wasi_help.h"
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "wasi/sockets/sockets.h"

#define REFUSED(call)                                                                                                  \
    do {                                                                                                               \
        ts_error_init(&h->err);                                                                                        \
        if ((call) != TS_USAGE || h->err.status != TS_USAGE || !h->err.message[0])                                     \
            fail_msg("%s: accepted, or refused without words: %s", #call, h->err.message);                             \
    } while (0)
#define TAKEN(call)                                                                                                    \
    do {                                                                                                               \
        ts_error_init(&h->err);                                                                                        \
        if ((call) != TS_OK) fail_msg("%s: %s", #call, h->err.message);                                                \
    } while (0)

/* Nothing that was refused has been granted. */
static void nothing_is_granted(const host *h) {
    const ts_wasi_grants *g = h->w->grants;
    assert_int_equal(g->preopens.len + g->env.len + g->args.len + g->net_rules.len + g->names.len + g->http_rules.len +
                         g->http_prohibited.len,
                     0);
    assert_false(g->net_all || g->names_all || g->http_all || g->http_global_only || g->cwd || g->ca.path);
}

static void damaged_forms(void **state) {
    host *h = *state;
    static const char *const nets[] = {
        "",
        ":",
        "127.0.0.1",
        "127.0.0.1:",
        ":80",
        "127.0.0.1:080",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1:1-",
        "127.0.0.1:-",
        "127.0.0.1:2-1",
        "127.0.0.1:1-65536",
        "127.0.0.1:65536",
        "127.0.0.1: 1",
        " 127.0.0.1:1",
        "127.0.0.1:1 ",
        "127.0.0.1/:1",
        "127.0.0.1/33:1",
        "127.0.0.1/8:1",
        "10.0.0.0/08:1",
        "10.0.0.0/+8:1",
        "10.0.0.0/ 8:1",
        "10.0.0.0//8:1",
        "::1:80",
        "[::1]80",
        "[::1:80",
        "::1]:80",
        "[127.0.0.1]:80",
        "[::1]/129:1",
        "[::1]/0:1",
        "[::1%lo]:1",
        "[::ffff:1.2.3.4]:80",
        "[::ffff:1.2.3.0]/120:80",
        "**:80",
        "*/8:80",
        "127.0.0.*:80",
        "127.0.0.1:*-2",
        "127.0.0.1:1,2",
        "127.0.0.1:80:80",
        "a b:80",
        "*.a:80",
        "127.1:80",
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        for (int use = 0; use < 4; use++) REFUSED(ts_wasi_allow_address(h->w, (ts_wasi_net_use)use, nets[i], &h->err));
    REFUSED(ts_wasi_allow_address(h->w, TS_WASI_TCP_LISTEN, "localhost:80", &h->err));
    REFUSED(ts_wasi_allow_address(h->w, TS_WASI_UDP_BIND, "localhost:80", &h->err));
    REFUSED(ts_wasi_allow_address(h->w, (ts_wasi_net_use)4, "*:*", &h->err));
    REFUSED(ts_wasi_allow_address(h->w, (ts_wasi_net_use)-1, "*:*", &h->err));
    static const char *const names[] = {"",   "*",   "*.",      "**.a", "a.*.b",     "a..b",
                                        "-a", "a b", "1.2.3.4", "::1",  "*.1.2.3.4", "a/b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) REFUSED(ts_wasi_allow_name(h->w, names[i], &h->err));
    static const char *const denied[] = {
        "", "Private", "private ", "10.0.0.0/", "10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/08", "a", "[::1]", "*"};
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) REFUSED(ts_wasi_deny_http(h->w, denied[i], &h->err));
    REFUSED(ts_wasi_set_env(h->w, "", 0, "v", &h->err));
    REFUSED(ts_wasi_set_env(h->w, "A=B", 3, "v", &h->err));
    REFUSED(ts_wasi_set_env(h->w, "A\0B", 3, "v", &h->err));
    REFUSED(ts_wasi_set_env(h->w, "\xff", 1, "v", &h->err));
    REFUSED(ts_wasi_set_env(h->w, "A", 1, "\xff", &h->err));
    REFUSED(ts_wasi_add_arg(h->w, "\xff", &h->err));
    REFUSED(ts_wasi_set_cwd(h->w, "", &h->err));
    REFUSED(ts_wasi_set_cwd(h->w, "\xff", &h->err));
    REFUSED(ts_wasi_allow_dir(h->w, "", "/a", false, &h->err));
    REFUSED(ts_wasi_allow_dir(h->w, ".", "", false, &h->err));
    REFUSED(ts_wasi_allow_dir(h->w, ".", "\xff", false, &h->err));
    assert_int_equal(ts_wasi_allow_dir(h->w, "/dev/null", "/a", false, &h->err), TS_IO); /* not a directory */
    REFUSED(ts_wasi_set_http_ca(h->w, "/dev/null", &h->err));
    nothing_is_granted(h);
}

static void null_pointers(void **state) {
    host *h = *state;
    ts_wasi *w = NULL;
    REFUSED(ts_wasi_new(NULL, &h->err));
    REFUSED(ts_wasi_new_from(NULL, &w, &h->err));
    for (int k = 0; k < 2; k++) {
        ts_wasi *on = k ? h->w : NULL;
        const char *s = k ? NULL : "a";
        REFUSED(ts_wasi_add_arg(on, s, &h->err));
        REFUSED(ts_wasi_set_env(on, s, 1, "v", &h->err));
        REFUSED(ts_wasi_set_cwd(on, s, &h->err));
        REFUSED(ts_wasi_allow_dir(on, s, "/a", true, &h->err));
        REFUSED(ts_wasi_allow_dir(on, ".", s, true, &h->err));
        REFUSED(ts_wasi_allow_address(on, TS_WASI_TCP_CONNECT, s, &h->err));
        REFUSED(ts_wasi_allow_name(on, s, &h->err));
        REFUSED(ts_wasi_allow_http(on, s, &h->err));
        REFUSED(ts_wasi_deny_http(on, s, &h->err));
        REFUSED(ts_wasi_set_http_ca(on, s, &h->err));
    }
    REFUSED(ts_wasi_set_env(h->w, "A", 1, NULL, &h->err));
    ts_wasi_set_stdio(h->w, 3, 1);
    ts_wasi_set_stdio(h->w, -1, 1);
    ts_wasi_set_stdio(NULL, 0, 1);
    ts_wasi_allow_network(NULL, true);
    ts_wasi_set_clock(NULL, 0, 0);
    ts_wasi_set_seed(NULL, 0);
    assert_null(ts_wasi_grants_new(NULL));
    ts_wasi_grants_free(NULL);
    nothing_is_granted(h);
}

static void directories_of_one_name(void **state) {
    host *h = *state;
    TAKEN(ts_wasi_allow_dir(h->w, ".", "/a/b", true, &h->err));
    static const char *const same[] = {"/a/b", "/a/b/", "//a//b", "/a/./b", "/./a/b/."};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        REFUSED(ts_wasi_allow_dir(h->w, ".", same[i], false, &h->err));
    static const char *const others[] = {"a/b", "/a", "/a/b/c", "/a/bb", "/a/b/.."};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        TAKEN(ts_wasi_allow_dir(h->w, ".", others[i], true, &h->err));
    assert_int_equal(h->w->grants->preopens.len, 6);
}

/* --- a value that is taken ------------------------------------------------------------------------------ */
static void constant(void **state) {
    host *h = *state;
    TAKEN(ts_wasi_set_env(h->w, "A", 1, "1", &h->err));
    ts_wasi_grants *g = ts_wasi_grants_new(h->w);
    ts_wasi *other;
    TAKEN(ts_wasi_new_from(g, &other, &h->err));
    for (int k = 0; k < 2; k++) {
        ts_wasi *w = k ? other : h->w;
        REFUSED(ts_wasi_set_env(w, "B", 1, "1", &h->err));
        REFUSED(ts_wasi_add_arg(w, "b", &h->err));
        REFUSED(ts_wasi_allow_dir(w, ".", "/a", false, &h->err));
        REFUSED(ts_wasi_allow_address(w, TS_WASI_TCP_CONNECT, "*:*", &h->err));
        REFUSED(ts_wasi_allow_http_all(w, true, &h->err));
        REFUSED(ts_wasi_allow_http(w, "*", &h->err));
        REFUSED(ts_wasi_deny_http(w, "private", &h->err));
        REFUSED(ts_wasi_allow_name(w, "localhost", &h->err));
        REFUSED(ts_wasi_set_cwd(w, "/", &h->err));
        ts_wasi_allow_network(w, true);
        ts_wasi_allow_names(w, true);
        ts_wasi_set_stdio(w, 1, 77);
        ts_wasi_set_seed(w, 1);
        ts_wasi_set_clock(w, 1, 1);
        ts_wasi_limit_objects(w, 1);
    }
    const ts_wasi_grants *now = other->grants;
    assert_ptr_equal(now, h->w->grants);
    assert_int_equal(now->env.len, 1);
    assert_int_equal(now->stdio[1], 1);
    assert_false(now->net_all || now->names_all || now->seeded || now->clock_own || now->max_objects == 1);
    ts_wasi_grants_free(g);
    ts_wasi_free(other); /* h->w still has its reference */
    OK(h, ts_wasi_cli_environment_get_environment, {0});
    assert_int_equal(h->result.list.len, 1);
}

static void write_file(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}
static void *reader(void *data) {
    host h = {0};
    uint64_t *wrong = data;
    ts_error_init(&h.err);
    ts_arena_init(&h.arena);
    if (ts_wasi_new_from((ts_wasi_grants *)(uintptr_t)wrong[0], &h.w, &h.err) != TS_OK) return NULL;
    h.call = (ts_host_call){.host = h.w, .arena = &h.arena, .err = &h.err, .max_bytes = 1 << 24};
    uint64_t bad = 0;
    for (int i = 0; i < 200; i++) {
        CALL(&h, ts_wasi_filesystem_preopens_get_directories, {0});
        uint64_t dir = h.result.list.ptr[0].list.ptr[0].handle.rep;
        CALL(&h, ts_wasi_filesystem_types_descriptor_open_at, H(dir), FLAGS(0), STR("f"), FLAGS(0), FLAGS(1));
        bad += h.result.variant.disc != 0;
        if (h.result.variant.disc == 0) {
            uint64_t file = h.result.variant.payload->handle.rep;
            CALL(&h, ts_wasi_filesystem_types_descriptor_read, H(file), U64(100), U64(0));
            const ts_val *got = h.result.variant.payload->list.ptr;
            bad += got[0].raw.len != 5 || memcmp(got[0].raw.ptr, "first", 5) != 0;
        }
        ts_wasi_reset(h.w);
        ts_arena_reset(&h.arena);
    }
    ts_wasi_free(h.w);
    ts_arena_free(&h.arena);
    wrong[1] = bad + 1;
    return NULL;
}
/* Threads read a folder that is replaced meanwhile. Each sees the folder that was granted. */
static void threads(void **state) {
    host *h = *state;
    char dir[] = "/tmp/touchstone-grants-XXXXXX", a[100], b[100], path[120];
    assert_non_null(mkdtemp(dir));
    snprintf(a, sizeof a, "%s/a", dir);
    snprintf(b, sizeof b, "%s/b", dir);
    assert_int_equal(mkdir(a, 0700) + mkdir(b, 0700), 0);
    snprintf(path, sizeof path, "%s/f", a);
    write_file(path, "first");
    snprintf(path, sizeof path, "%s/f", b);
    write_file(path, "other");
    TAKEN(ts_wasi_allow_dir(h->w, a, "/d", true, &h->err));
    ts_wasi_grants *g = ts_wasi_grants_new(h->w);
    enum { N = 6 };
    uint64_t data[N][2];
    pthread_t t[N];
    for (int i = 0; i < N; i++) {
        data[i][0] = (uintptr_t)g;
        data[i][1] = 0;
        assert_int_equal(pthread_create(&t[i], NULL, reader, data[i]), 0);
        if (i == N / 2) { /* a is b from now on */
            snprintf(path, sizeof path, "%s/c", dir);
            assert_int_equal(rename(a, path), 0);
            assert_int_equal(symlink(b, a), 0);
        }
    }
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(data[i][1], 1);
    }
    ts_wasi_grants_free(g);
    char command[150];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

/* A name that one guest has looked up grants nothing to the next guest. */
static void names_are_forgotten(void **state) {
    host *h = *state;
    static const uint8_t ip[] = {192, 0, 2, 7};
    ts_sys_addr a = {.port = 80};
    memcpy(a.ip, ip, 4);
    TAKEN(ts_wasi_allow_address(h->w, TS_WASI_TCP_CONNECT, "localhost:80", &h->err));
    assert_false(ts_wasi_net_may(h->w, TS_WASI_TCP_CONNECT, &a));
    TAKEN(ts_wasi_net_learnt(h->w, "localhost", &a, &h->err));
    assert_true(ts_wasi_net_may(h->w, TS_WASI_TCP_CONNECT, &a));
    ts_wasi_reset(h->w);
    assert_false(ts_wasi_net_may(h->w, TS_WASI_TCP_CONNECT, &a));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damaged_forms, host_new, host_end),
        cmocka_unit_test_setup_teardown(null_pointers, host_new, host_end),
        cmocka_unit_test_setup_teardown(directories_of_one_name, host_new, host_end),
        cmocka_unit_test_setup_teardown(constant, host_new, host_end),
        cmocka_unit_test_setup_teardown(threads, host_new, host_end),
        cmocka_unit_test_setup_teardown(names_are_forgotten, host_new, host_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
