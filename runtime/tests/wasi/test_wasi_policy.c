/* test_wasi_policy: policies of the public header: what they grant, what they give back, and
 * what they refuse. */
#include "tests/wasi_help.h"
#include "wasi/context.h"
#include <stdio.h>
#include <unistd.h>

typedef struct world {
    ts_wasi *w;
    ts_wasi_policy *p;
    ts_error e;
} world;

static world start(void) {
    world x = {0};
    ts_error_init(&x.e);
    assert_int_equal(ts_wasi_new(&x.w, &x.e), TS_OK);
    return x;
}
static void end(world *x) {
    ts_wasi_policy_free(x->p);
    ts_wasi_free(x->w);
}
static ts_status load(world *x, const char *text) {
    ts_error_clear(&x->e);
    ts_wasi_policy_free(x->p);
    x->p = NULL;
    return ts_wasi_policy_load(x->w, text, strlen(text), "p.toml", &x->p, &x->e);
}

static void grants_and_the_rest(void **state) {
    (void)state;
    world x = start();
    assert_int_equal(load(&x, "dir = {host = \"/\", guest = \"/root:ro\", read-only = true}\n"
                              "tcp-connect = [\"127.0.0.1:80\", \"[::1]:1-9\"]\n"
                              "inherit-stdin = false\n"
                              "max-resources = 7\n"
                              "max-disk = \"1.5k\"\n"
                              "clock = 2026-01-31T12:00:00Z\n"
                              "fuel = 1_000\n"
                              "max-memory = \"64MiB\"\n"
                              "stack = 65536\n"
                              "max-depth = 12\n"
                              "max-table = 34\n"
                              "max-gc = \"1M\"\n"
                              "max-time = 1.5\n"
                              "deterministic = true\n"
                              "features = [\"maps\", \"values\"]\n"
                              "cache = \"folder\"\n"
                              "record = \"file\"\n"
                              "unknown-imports-trap = true\n"
                              "[env]\n"
                              "A = \"b=c\"\n"),
                     TS_OK);
    const ts_wasi_grants *g = x.w->grants;
    assert_int_equal(g->preopens.len, 1);
    assert_string_equal(g->preopens.data[0].guest, "/root:ro");
    assert_true(g->preopens.data[0].read_only);
    assert_int_equal(g->net_rules.len, 2);
    assert_int_equal(g->stdio[0], -1);
    assert_int_equal(g->max_objects, 7);
    assert_int_equal(g->max_disk, 1536);
    assert_int_equal(g->clock_start.s, 1769860800);
    assert_true(g->seeded); /* deterministic gives what is not given */
    assert_int_equal(g->env.len, 1);
    assert_string_equal(g->env.data[0].value, "b=c");
    assert_int_equal(x.p->limits.fuel, 1000);
    assert_int_equal(x.p->limits.memory_bytes, 64 << 20);
    assert_int_equal(x.p->limits.stack_bytes, 65536);
    assert_int_equal(x.p->limits.depth, 12);
    assert_int_equal(x.p->limits.table_elems, 34);
    assert_int_equal(x.p->limits.gc_bytes, 1 << 20);
    assert_true(x.p->limits.deterministic);
    assert_true(x.p->limits.interruptible); /* max-time could not be kept otherwise */
    assert_int_equal(x.p->max_time_ns, 1500000000);
    assert_string_equal(x.p->cache, "folder");
    assert_string_equal(x.p->record, "file");
    assert_null(x.p->replay);
    assert_non_null(strstr(x.p->features, "maps"));
    assert_non_null(strstr(x.p->features, "values"));
    end(&x);
}

/* A policy that only grants leaves the rest as it is. */
static void nothing_else(void **state) {
    (void)state;
    world x = start();
    assert_int_equal(load(&x, "cwd = \"/\"\n"), TS_OK);
    const ts_run_limits none = {0};
    assert_memory_equal(&x.p->limits, &none, sizeof none);
    assert_int_equal(x.p->max_time_ns, 0);
    assert_null(x.p->features);
    assert_null(x.p->cache);
    assert_false(x.w->grants->clock_own);
    assert_int_equal(load(&x, ""), TS_OK);
    end(&x);
}

/* Without a place for the rest, keys that are not about the context are refused, and others are accepted. */
static void grants_only(void **state) {
    (void)state;
    static const char *const others[] = {
        "fuel = 1",
        "max-memory = 65536",
        "max-time = 1",
        "deterministic = true",
        "features = \"maps\"",
        "cache = \"f\"",
        "record = \"f\"",
        "replay = \"f\"",
        "deny = \"wasi:http\"",
        "unstable = \"clocks-timezone\"",
        "http = false",
        "unknown-imports-trap = true",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        world x = start();
        ts_status s = ts_wasi_policy_load(x.w, others[i], strlen(others[i]), "p.toml", NULL, &x.e);
        if (s != TS_USAGE || strncmp(x.e.message, "p.toml:1: ", 10) != 0 || !strstr(x.e.message, "does not concern"))
            fail_msg("%s: %s, %s", others[i], ts_status_name(s), x.e.message);
        end(&x);
    }
    world x = start();
    static const char text[] = "cwd = \"/\"\nhttp = true\nmax-files = 3\nenv = [\"A=b\"]\nhttp-deny = \"private\"\n";
    assert_int_equal(ts_wasi_policy_load(x.w, text, strlen(text), NULL, NULL, &x.e), TS_OK);
    assert_true(x.w->grants->http_all);
    end(&x);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
        ts_status status;
    } rows[] = {
        {"cwd = \"/\"\nfuell = 1\n", "p.toml:2: there is no key fuell; did you mean fuel", TS_USAGE},
        {"fuel = \"1k\"", "p.toml:1: fuel 1k: a whole number without a unit is expected", TS_USAGE},
        {"fuel = true", "p.toml:1: fuel is not true or false", TS_USAGE},
        {"max-depth = 501", "p.toml:1: max-depth 501: out of range: at most 500", TS_USAGE},
        {"tcp-connect = \"1.2.3.4:080\"", "p.toml:1: tcp-connect 1.2.3.4:080: ", TS_USAGE},
        {"cache = \"\"", "p.toml:1: cache: the value is empty", TS_USAGE},
        {"features = \"\"", "p.toml:1: features: the value is empty", TS_USAGE},
        {"features = \"map\"", "p.toml:1: features map: there is no feature `map`; did you mean maps", TS_USAGE},
        {"dir = \"/dev/null/x\"", "p.toml:1: dir /dev/null/x: cannot open", TS_IO},
        {"policy = \"p.toml\"", "p.toml:1: there is no key policy", TS_USAGE},
        {"fuel = 1\nfuel = 2", "p.toml:2:", TS_USAGE},
        {"fuel", "p.toml:1:", TS_USAGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world x = start();
        ts_status s = load(&x, rows[i].text);
        if (s != rows[i].status || strncmp(x.e.message, rows[i].words, strlen(rows[i].words)) != 0)
            fail_msg("%s: %s, %s", rows[i].text, ts_status_name(s), x.e.message);
        assert_null(x.p);
        end(&x);
    }
}

static void shared_grants_are_constant(void **state) {
    (void)state;
    world x = start();
    ts_wasi_grants *g = ts_wasi_grants_new(x.w);
    assert_int_equal(load(&x, "cwd = \"/\""), TS_USAGE);
    assert_int_equal(load(&x, "fuel = 3"), TS_OK); /* grants nothing */
    assert_int_equal(x.p->limits.fuel, 3);
    ts_wasi_grants_free(g);
    end(&x);
}

static void files(void **state) {
    (void)state;
    world x = start();
    char path[] = "/tmp/ts-policy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "fuel = 5\n", 9), 9);
    assert_int_equal(ts_wasi_policy_load_file(x.w, path, &x.p, &x.e), TS_OK);
    assert_int_equal(x.p->limits.fuel, 5);
    ts_wasi_policy_free(x.p);
    assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
    assert_int_equal(ts_wasi_policy_load_file(x.w, path, &x.p, &x.e), TS_USAGE);
    assert_null(x.p);
    close(fd);
    unlink(path);
    ts_error_clear(&x.e);
    assert_int_equal(ts_wasi_policy_load_file(x.w, path, &x.p, &x.e), TS_IO);
    end(&x);
}

/* deny, unstable and unknown-imports-trap reach a linker. */
static void linkers(void **state) {
    (void)state;
    world x = start();
    ts_linker *l = NULL;
    assert_int_equal(load(&x, "deny = \"wasi:clocks\"\nunstable = \"clocks-timezone\"\nunknown-imports-trap = true\n"),
                     TS_OK);
    assert_int_equal(ts_linker_new(&l, &x.e), TS_OK);
    assert_int_equal(ts_wasi_policy_link(x.p, l, &x.e), TS_OK);
    assert_int_equal(ts_wasi_link(x.w, l, &x.e), TS_OK);
    ts_linker_free(l);
    end(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_and_the_rest),
        cmocka_unit_test(nothing_else),
        cmocka_unit_test(grants_only),
        cmocka_unit_test(refusals),
        cmocka_unit_test(files),
        cmocka_unit_test(shared_grants_are_constant),
        cmocka_unit_test(linkers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
