/* test_sys_fs: paths that stay below a directory, resolved by the OS and by our own walk: both must agree.
 * In: a temporary tree with links that lead out. Out: no path of a long list of attacks reaches what is
 * outside. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys/fs.h"

typedef struct tree {
    char root[64];
    int base; /* the guest has root/base; root/secret is outside */
} tree;

static void put(int at, const char *name, const char *text) {
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}
static int set_up(void **state) {
    tree *t = calloc(1, sizeof *t);
    strcpy(t->root, "/tmp/test_sys_fs_XXXXXX");
    assert_non_null(mkdtemp(t->root));
    int root = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(root, "secret", "outside");
    mkdirat(root, "base", 0755);
    t->base = openat(root, "base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(t->base, "file", "inside");
    mkdirat(t->base, "dir", 0755);
    mkdirat(t->base, "dir/sub", 0755);
    put(t->base, "dir/deep", "inside");
    char absolute[128];
    snprintf(absolute, sizeof absolute, "%s/secret", t->root);
    const char *const links[][2] = {
        {"../secret", "up"},
        {"..", "parent"},
        {absolute, "absolute"},
        {"/", "slash"},
        {"file", "good"},
        {"dir", "gooddir"},
        {"../file", "dir/back"},
        {"../../secret", "dir/out"},
        {"loop", "loop"},
        {"two", "one"},
        {"one", "two"},
        {"nothing", "dangling"},
        {"dir/../../secret", "zig"},
        {"gooddir/../file", "zag"},
        {"/proc/self/root", "proc"},
        {"../base/file", "around"},
        {"../new", "dangleout"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        assert_int_equal(symlinkat(links[i][0], t->base, links[i][1]), 0);
    close(root);
    *state = t;
    return 0;
}
static int gone(const char *path, const struct stat *st, int kind, struct FTW *f) {
    (void)st, (void)kind, (void)f;
    return remove(path);
}
static int tear_down(void **state) {
    tree *t = *state;
    close(t->base);
    nftw(t->root, gone, 16, FTW_DEPTH | FTW_PHYS);
    free(t);
    return 0;
}
static ts_sys_path path(const char *s) {
    return (ts_sys_path){s, strlen(s)};
}

/* Reads the file that a path leads to. If text is NULL, opening it must fail. */
static ts_sys_err look(ts_sys_base b, const char *p, unsigned flags, char text[16]) {
    int fd;
    ts_sys_err e = ts_sys_open_at(b, path(p), TS_SYS_O_READ | flags, &fd);
    text[0] = 0;
    if (e) return e;
    ssize_t n = read(fd, text, 15);
    text[n > 0 ? n : 0] = 0;
    close(fd);
    return TS_SYS_OK;
}

static void attacks(void **state) {
    tree *t = *state;
    static const char *const out[] = {
        "..",
        "../",
        "../secret",
        "./../secret",
        "dir/../../secret",
        "dir/sub/../../../secret",
        "up",
        "up/",
        "./up",
        "dir/../up",
        "parent",
        "parent/secret",
        "parent/base/file",
        "parent/.",
        "parent/..",
        "absolute",
        "absolute/",
        "/",
        "//",
        "/etc/passwd",
        "//etc/passwd",
        "slash",
        "slash/etc/passwd",
        "slash/",
        "dir/out",
        "dir/./out",
        "dir//out",
        "gooddir/out",
        "gooddir/../up",
        "gooddir/../../secret",
        "zig",
        "./zig",
        "dir/../zig",
        "proc",
        "proc/etc/passwd",
        "around",
        "dir/sub/../../../base/file",
        "../base",
        "../base/file",
        "dir/../../base/file",
        "parent/base/dir/../file",
        "good/../../secret/..",
        "dangleout",
        "./..",
        "./../",
        ".//..",
        "dir/../..",
        "dir/sub/../../..",
        "gooddir/sub/../../..",
        "gooddir/../..",
        "dir/back/../../..",
        "parent/../../../../../../etc/passwd",
        "../../../../../../../etc/passwd",
        "dir/../parent/secret",
        "dir/sub/../out",
        "gooddir/./out",
    };
    for (int walk = 0; walk < 2; walk++) {
        ts_sys_base b = {.fd = t->base, .walk = walk};
        for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
            char text[16];
            ts_sys_stat st;
            ts_sys_newtime now[2] = {{.how = TS_SYS_TIME_NOW}, {.how = TS_SYS_TIME_NOW}};
            ts_sys_err e = look(b, out[i], TS_SYS_O_FOLLOW, text);
            if (e == TS_SYS_OK || (e != TS_SYS_ESCAPE && e != TS_SYS_ENOTDIR))
                fail_msg("walk %d: %s: error %d, text %s", walk, out[i], e, text);
            assert_int_not_equal(ts_sys_stat_at(b, path(out[i]), true, &st), TS_SYS_OK);
            assert_int_not_equal(ts_sys_set_times_at(b, path(out[i]), true, now), TS_SYS_OK);
            char below[128];
            snprintf(below, sizeof below, "%s/new", out[i]);
            assert_int_not_equal(ts_sys_mkdir_at(b, path(below)), TS_SYS_OK);
            assert_int_not_equal(ts_sys_unlink_at(b, path(below)), TS_SYS_OK);
            assert_int_not_equal(ts_sys_symlink_at(path("x"), b, path(below)), TS_SYS_OK);
            assert_int_not_equal(ts_sys_rename_at(b, path("file"), b, path(below)), TS_SYS_OK);
            assert_int_not_equal(ts_sys_link_at(b, path("file"), false, b, path(below)), TS_SYS_OK);
            assert_int_not_equal(ts_sys_link_at(b, path(out[i]), true, b, path("stolen")), TS_SYS_OK);
            int fd;
            assert_int_not_equal(ts_sys_open_at(b, path(out[i]),
                                                TS_SYS_O_WRITE | TS_SYS_O_CREATE | TS_SYS_O_TRUNC | TS_SYS_O_FOLLOW,
                                                &fd),
                                 TS_SYS_OK);
        }
    }
    char name[128], text[16] = {0};
    snprintf(name, sizeof name, "%s/secret", t->root);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 7);
    close(fd);
    assert_string_equal(text, "outside");
    snprintf(name, sizeof name, "%s/new", t->root);
    assert_int_not_equal(access(name, F_OK), 0);
}

static void what_is_inside(void **state) {
    tree *t = *state;
    static const struct {
        const char *path;
        unsigned flags;
        ts_sys_err e;
    } rows[] = {
        {"file", 0, 0},
        {"./file", 0, 0},
        {"dir/../file", 0, 0},
        {"dir/sub/../deep", 0, 0},
        {"good", TS_SYS_O_FOLLOW, 0},
        {"good", 0, TS_SYS_ELOOP},
        {"gooddir/deep", 0, 0},
        {"dir/back", TS_SYS_O_FOLLOW, 0},
        {"zag", TS_SYS_O_FOLLOW, 0},
        {"loop", TS_SYS_O_FOLLOW, TS_SYS_ELOOP},
        {"one", TS_SYS_O_FOLLOW, TS_SYS_ELOOP},
        {"one/x", 0, TS_SYS_ELOOP},
        {"dangling", TS_SYS_O_FOLLOW, TS_SYS_ENOENT},
        {"nothing", 0, TS_SYS_ENOENT},
        {"", 0, TS_SYS_ENOENT},
        {"file/", 0, TS_SYS_ENOTDIR},
        {"file/.", 0, TS_SYS_ENOTDIR},
        {"file/..", 0, TS_SYS_ENOTDIR},
        {"nothing/x", 0, TS_SYS_ENOENT},
        {"file", TS_SYS_O_DIRECTORY, TS_SYS_ENOTDIR},
        {"dir//deep", 0, 0},
        {"file", TS_SYS_O_CREATE | TS_SYS_O_EXCL | TS_SYS_O_WRITE, TS_SYS_EEXIST},
        {"good", TS_SYS_O_CREATE | TS_SYS_O_EXCL | TS_SYS_O_WRITE, TS_SYS_EEXIST},
        {"dir", TS_SYS_O_WRITE, TS_SYS_EISDIR},
        {"new/", TS_SYS_O_CREATE, TS_SYS_EISDIR},
    };
    for (int walk = 0; walk < 2; walk++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char text[16];
            ts_sys_err e = look((ts_sys_base){.fd = t->base, .walk = walk}, rows[i].path, rows[i].flags, text);
            if (e != rows[i].e)
                fail_msg("walk %d: \"%s\": error %d (%s), not %d", walk, rows[i].path, e, ts_sys_err_text(e),
                         rows[i].e);
            if (!e) assert_string_equal(text, "inside");
        }
}

static void last_components(void **state) {
    tree *t = *state;
    for (int walk = 0; walk < 2; walk++) {
        ts_sys_base b = {.fd = t->base, .walk = walk};
        char buf[64];
        size_t n;
        ts_sys_stat st;
        assert_int_equal(ts_sys_mkdir_at(b, path("made/")), TS_SYS_OK);
        assert_int_equal(ts_sys_mkdir_at(b, path("made")), TS_SYS_EEXIST);
        assert_int_equal(ts_sys_mkdir_at(b, path("dir/.")), TS_SYS_EEXIST);
        assert_int_equal(ts_sys_rmdir_at(b, path("dir")), TS_SYS_ENOTEMPTY);
        assert_int_equal(ts_sys_rmdir_at(b, path("made/.")), TS_SYS_EINVAL);
        assert_int_equal(ts_sys_rmdir_at(b, path("made/..")), TS_SYS_ENOTEMPTY);
        assert_int_equal(ts_sys_rmdir_at(b, path("file")), TS_SYS_ENOTDIR);
        assert_int_equal(ts_sys_unlink_at(b, path("dir")), TS_SYS_EISDIR);
        assert_int_equal(ts_sys_unlink_at(b, path("file/")), TS_SYS_ENOTDIR);
        assert_int_equal(ts_sys_unlink_at(b, path("good/")), TS_SYS_ENOTDIR);
        assert_int_equal(ts_sys_rename_at(b, path("dir/."), b, path("x")), TS_SYS_EBUSY);
        assert_int_equal(ts_sys_rename_at(b, path("made"), b, path("moved/")), TS_SYS_OK);
        assert_int_equal(ts_sys_rename_at(b, path("file/"), b, path("x")), TS_SYS_ENOTDIR);
        assert_int_equal(ts_sys_rmdir_at(b, path("moved/")), TS_SYS_OK);
        assert_int_equal(ts_sys_readlink_at(b, path("gooddir"), buf, sizeof buf, &n), TS_SYS_OK);
        assert_memory_equal(buf, "dir", n);
        assert_int_equal(ts_sys_readlink_at(b, path("gooddir/"), buf, sizeof buf, &n), TS_SYS_EINVAL);
        assert_int_equal(ts_sys_readlink_at(b, path("parent/"), buf, sizeof buf, &n), TS_SYS_ESCAPE);
        assert_int_equal(ts_sys_readlink_at(b, path("file"), buf, sizeof buf, &n), TS_SYS_EINVAL);
        assert_int_equal(ts_sys_stat_at(b, path("gooddir"), false, &st), TS_SYS_OK);
        assert_int_equal(st.type, TS_SYS_SYMLINK);
        assert_int_equal(ts_sys_stat_at(b, path("gooddir/"), false, &st), TS_SYS_OK);
        assert_int_equal(st.type, TS_SYS_DIR);
        assert_int_equal(ts_sys_link_at(b, path("dir"), false, b, path("x")), TS_SYS_EPERM);
        assert_int_equal(ts_sys_link_at(b, path("good"), true, b, path("linked")), TS_SYS_OK);
        assert_int_equal(ts_sys_stat_at(b, path("linked"), false, &st), TS_SYS_OK);
        assert_int_equal(st.links, 2);
        assert_int_equal(ts_sys_unlink_at(b, path("linked")), TS_SYS_OK);
        char longest[5000];
        memset(longest, 'a', sizeof longest);
        assert_int_equal(ts_sys_stat_at(b, (ts_sys_path){longest, sizeof longest}, false, &st), TS_SYS_ENAMETOOLONG);
        assert_int_equal(ts_sys_stat_at(b, (ts_sys_path){longest, 300}, false, &st), TS_SYS_ENAMETOOLONG);
        assert_int_equal(ts_sys_stat_at(b, (ts_sys_path){"fi\0le", 5}, false, &st), TS_SYS_EINVAL);
    }
}

/* Another thread keeps changing a name between a directory and a link that leads out. Whichever thread wins,
 * the outside stays unreachable. */
typedef struct swapper {
    int base;
    atomic_bool stop;
} swapper;
static void *swap(void *data) {
    swapper *s = data;
    while (!atomic_load(&s->stop)) {
        renameat2(s->base, "flip", s->base, "flop", RENAME_EXCHANGE);
    }
    return NULL;
}
static void races(void **state) {
    tree *t = *state;
    mkdirat(t->base, "flip", 0755);
    put(t->base, "flip/secret", "inside");
    assert_int_equal(symlinkat("..", t->base, "flop"), 0);
    for (int walk = 0; walk < 2; walk++) {
        swapper s = {.base = t->base};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
        unsigned opened = 0;
        for (int i = 0; i < 3000; i++) {
            char text[16];
            if (look((ts_sys_base){.fd = t->base, .walk = walk}, "flip/secret", TS_SYS_O_FOLLOW, text) == TS_SYS_OK) {
                assert_string_equal(text, "inside");
                opened++;
            }
        }
        atomic_store(&s.stop, true);
        pthread_join(thread, NULL);
        (void)opened;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(attacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(last_components, set_up, tear_down),
        cmocka_unit_test_setup_teardown(races, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
