/* test_sys_attack: attacks the sandbox of wasi:filesystem. Each path of a long list goes through each
 * function that takes a path. The OS and our own walk resolve it and must agree, also while other threads
 * swap what it names.
 * In: a temporary tree whose links lead out, with marked files around it. Out: what is outside is neither
 * seen nor changed.
 * wit: wasi:filesystem/types */
#include "tests/wasi_help.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/clock.h"

#define fs(f) ts_wasi_filesystem_types_descriptor_##f
#define E(name) TS_WASI_FILESYSTEM_ERROR_CODE_##name
enum {
    READ = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_READ,
    WRITE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_WRITE,
    MUTATE = TS_WASI_FILESYSTEM_DESCRIPTOR_FLAGS_MUTATE_DIRECTORY,
    CREATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_CREATE,
    DIRECTORY = TS_WASI_FILESYSTEM_OPEN_FLAGS_DIRECTORY,
    EXCLUSIVE = TS_WASI_FILESYSTEM_OPEN_FLAGS_EXCLUSIVE,
    TRUNCATE = TS_WASI_FILESYSTEM_OPEN_FLAGS_TRUNCATE,
    FOLLOW = TS_WASI_FILESYSTEM_PATH_FLAGS_SYMLINK_FOLLOW,
    MARK = 1234567890, /* modification time of everything outside */
    MAX_FORBIDDEN = 64,
    SNAPSHOT = 1 << 14,
};

typedef struct arena_tree {
    host *h;
    char root[64]; /* root/base is granted; root/out, root/secret are not */
    int base, top;
    uint64_t dir; /* a descriptor for base */
    bool chains;  /* long chains of links are built too */
    bool changed; /* the tree has changed since it was built */
    uint64_t forbidden[MAX_FORBIDDEN][2];
    uint32_t n_forbidden;
    char before[SNAPSHOT];
} arena_tree;

static void put(int at, const char *name, const char *text) {
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}
static int gone(const char *path, const struct stat *st, int kind, struct FTW *f) {
    (void)st, (void)kind;
    return f->level == 0 ? 0 : remove(path); /* the granted directory itself stays */
}

/* --- what is outside ------------------------------------------------------------------------------------ */
static const char *const outside[] = {"secret", "out", "out/secret", "out/dir", "out/dir/deep", "file", "."};

static void text_of(int at, const char *name, char **to, const char *end) {
    struct stat st;
    assert_int_equal(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    char text[16] = {0};
    int fd = S_ISREG(st.st_mode) ? openat(at, name, O_RDONLY | O_CLOEXEC | O_NOATIME) : -1;
    if (fd >= 0) {
        assert_true(read(fd, text, sizeof text - 1) >= 0);
        close(fd);
    }
    *to += snprintf(*to, (size_t)(end - *to), "%s: %o %lu links, %ld bytes, %ld.%ld, %ld.%ld \"%s\"\n", name,
                    st.st_mode, (unsigned long)st.st_nlink, (long)st.st_size, (long)st.st_mtim.tv_sec,
                    (long)st.st_mtim.tv_nsec, (long)st.st_ctim.tv_sec, (long)st.st_ctim.tv_nsec, text);
}
static void names_of(int at, const char *name, char **to, const char *end) {
    DIR *d = fdopendir(openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    assert_non_null(d);
    uint64_t sum = 0;
    for (struct dirent *e; (e = readdir(d));)
        for (const char *c = e->d_name; *c; c++) sum += (uint64_t)*c * (e->d_ino | 1); /* in any order */
    closedir(d);
    *to += snprintf(*to, (size_t)(end - *to), "%s holds %llu\n", name, (unsigned long long)sum);
}
static void snapshot(const arena_tree *t, char *to) {
    const char *end = to + SNAPSHOT;
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) text_of(t->top, outside[i], &to, end);
    names_of(t->top, ".", &to, end);
    names_of(t->top, "out", &to, end);
    names_of(t->top, "out/dir", &to, end);
    assert_true(to < end - 1);
}
static void untouched(const arena_tree *t, const char *by) {
    char now[SNAPSHOT];
    snapshot(t, now);
    if (strcmp(t->before, now) != 0) fail_msg("%s has changed what is outside:\n%s-- was --\n%s", by, now, t->before);
}

/* The metadata hash identifies objects. The hashes of the outside objects are collected
 * through a grant of their own. */
static void forbid(arena_tree *t, uint64_t dir, const char *path) {
    host *h = t->h;
    GOOD(h, fs(metadata_hash_at), H(dir), FLAGS(0), STR(path));
    assert_true(t->n_forbidden < MAX_FORBIDDEN);
    const ts_val *v = h->result.variant.payload->list.ptr;
    t->forbidden[t->n_forbidden][0] = v[0].u64;
    t->forbidden[t->n_forbidden++][1] = v[1].u64;
}
static void no_leak(const arena_tree *t, const ts_val *hash, const char *by) {
    for (uint32_t i = 0; i < t->n_forbidden; i++)
        if (t->forbidden[i][0] == hash->list.ptr[0].u64 && t->forbidden[i][1] == hash->list.ptr[1].u64)
            fail_msg("%s has reached what is outside", by);
}

/* --- the tree ------------------------------------------------------------------------------------------- */
static void furnish(arena_tree *t) {
    char name[128];
    snprintf(name, sizeof name, "%s/base", t->root);
    assert_int_equal(nftw(name, gone, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT), 0);
    put(t->base, "file", "inside");
    put(t->base, "victim", "inside");
    assert_int_equal(mkdirat(t->base, "dir", 0755), 0);
    assert_int_equal(mkdirat(t->base, "dir/sub", 0755), 0);
    assert_int_equal(mkdirat(t->base, "empty", 0755), 0);
    put(t->base, "dir/deep", "inside");
    assert_int_equal(mkdirat(t->base, "b\xff", 0755), 0);
    assert_int_equal(mkdirat(t->base, "Dir", 0755), 0);
    assert_int_equal(linkat(t->base, "file", t->base, "hard", 0), 0);
    assert_int_equal(mkfifoat(t->base, "fifo", 0644), 0);
    char absolute[128], absolute_base[128], fd_link[64];
    snprintf(absolute, sizeof absolute, "%s/secret", t->root);
    snprintf(absolute_base, sizeof absolute_base, "%s/base/file", t->root);
    snprintf(fd_link, sizeof fd_link, "/proc/self/fd/%d", t->top);
    const char *const links[][2] = {
        {"../secret", "up"},
        {"../out", "outdir"},
        {"..", "parent"},
        {".", "self"},
        {"../base", "around"},
        {absolute, "absolute"},
        {absolute_base, "absoluteback"},
        {"/", "slash"},
        {"//", "slashes"},
        {"/etc", "etc"},
        {"/proc/self/root", "procroot"},
        {"/proc/self/cwd", "proccwd"},
        {fd_link, "procfd"},
        {"/dev/fd", "devfd"},
        {"file", "good"},
        {"file/", "goodslash"},
        {"dir", "gooddir"},
        {"dir/", "gooddirslash"},
        {"dir/../../secret", "zig"},
        {"gooddir/../file", "zag"},
        {"gooddir/../../out", "zigdir"},
        {"self/self/self/up", "winding"},
        {"loop", "loop"},
        {"loop/x", "loopx"},
        {"two", "one"},
        {"one", "two"},
        {"nothing", "dangling"},
        {"../new", "dangleout"},
        {"../out/new", "dangleout2"},
        {"../file", "dir/back"},
        {"../../secret", "dir/out"},
        {"../../out", "dir/outdir"},
        {"../up", "dir/toup"},
        {"b\xff/../../secret", "viabytes"},
        {"b\xff", "bytes"},
        {"../base/../base/../secret", "inandout"},
        {"dir/sub/../../../secret", "deepout"},
        {"./././..", "dots"},
        {"..//..", "twoup"},
    };
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlinkat(links[i][0], t->base, links[i][1]) != 0) fail_msg("the link %s", links[i][1]);
    t->changed = false;
    for (int i = 1; t->chains && i <= 42; i++) { /* chains: the last leads out, its twin stays in */
        char from[16], to[16];
        for (int in = 0; in < 2; in++) {
            snprintf(from, sizeof from, "%s%d", in ? "in" : "ex", i);
            snprintf(to, sizeof to, "%s%d", in ? "in" : "ex", i - 1);
            assert_int_equal(symlinkat(i > 1 ? to : in ? "file" : "../secret", t->base, from), 0);
        }
    }
}

static int set_up(void **state) {
    arena_tree *t = calloc(1, sizeof *t);
    void *h;
    if (host_new(&h)) return -1;
    t->h = h;
    /* many small files are created and removed, so use a file system in memory if there is one */
    sprintf(t->root, "%s/test_sys_attack_XXXXXX", access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(t->root));
    t->top = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(t->top, "secret", "outside");
    put(t->top, "file", "outside");
    assert_int_equal(mkdirat(t->top, "out", 0755), 0);
    put(t->top, "out/secret", "outside");
    assert_int_equal(mkdirat(t->top, "out/dir", 0755), 0);
    put(t->top, "out/dir/deep", "outside");
    assert_int_equal(mkdirat(t->top, "base", 0755), 0);
    assert_int_equal(mkdirat(t->top, "hold", 0755), 0); /* where the host itself puts objects for a while */
    t->base = openat(t->top, "base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct timespec mark[2] = {{.tv_sec = MARK}, {.tv_sec = MARK}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_int_equal(utimensat(t->top, outside[i], mark, 0), 0);
    char base[128];
    snprintf(base, sizeof base, "%s/base", t->root);
    assert_int_equal(ts_wasi_allow_dir(t->h->w, base, "/", false, &t->h->err), TS_OK);
    assert_int_equal(ts_wasi_allow_dir(t->h->w, t->root, "/all", true, &t->h->err), TS_OK);
    assert_int_equal(ts_wasi_allow_dir(t->h->w, "/", "/host", true, &t->h->err), TS_OK);
    assert_int_equal(ts_wasi_allow_dir(t->h->w, "/proc", "/proc", true, &t->h->err), TS_OK);
    OK(t->h, ts_wasi_filesystem_preopens_get_directories, {0});
    const ts_val *list = t->h->result.list.ptr;
    t->dir = list[0].list.ptr[0].handle.rep;
    const uint64_t all = list[1].list.ptr[0].handle.rep, rest = list[2].list.ptr[0].handle.rep;
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) forbid(t, all, outside[i]);
    static const char *const others[] = {".", "etc", "etc/passwd", "proc", "tmp", "dev"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CALL(t->h, fs(metadata_hash_at), H(rest), FLAGS(0), STR(others[i]));
        if (t->h->result.variant.disc == 0) forbid(t, rest, others[i]);
    }
    furnish(t);
    snapshot(t, t->before);
    *state = t;
    return 0;
}
static int tear_down(void **state) {
    arena_tree *t = *state;
    nftw(t->root, gone, 16, FTW_DEPTH | FTW_PHYS);
    rmdir(t->root);
    close(t->base);
    close(t->top);
    void *h = t->h;
    host_end(&h);
    free(t);
    return 0;
}

/* --- every function on one path ------------------------------------------------------------------------- */
typedef struct attack {
    arena_tree *t;
    const char *path;
    size_t len;
    uint32_t codes[64]; /* what each call returned: 0 for ok, otherwise 1 + the error code */
    uint32_t n;
    char name[160];
} attack;

static uint32_t code_of(const host *h) {
    assert_int_equal(h->status, TS_OK);
    return h->result.variant.disc ? 1 + h->result.variant.payload->variant.disc : 0;
}
static bool seen(attack *a, const char *function);
/* the same for a function that changes the tree if it succeeds */
static bool did(attack *a, const char *function) {
    bool ok = seen(a, function);
    a->t->changed |= ok;
    return ok;
}
static bool seen(attack *a, const char *function) {
    snprintf(a->name, sizeof a->name, "%s of \"%.*s\" (%zu bytes)", function, (int)(a->len < 100 ? a->len : 100),
             a->path, a->len);
    a->codes[a->n++] = code_of(a->t->h);
    return a->codes[a->n - 1] == 0;
}
static void looked_at(attack *a, uint64_t d) {
    host *h = a->t->h;
    GOOD(h, fs(metadata_hash), H(d));
    no_leak(a->t, h->result.variant.payload, a->name);
    CALL(h, fs(read), H(d), U64(16), U64(0));
    if (h->result.variant.disc == 0) {
        const ts_val *got = h->result.variant.payload->list.ptr;
        if (got[0].raw.len >= 7 && memcmp(got[0].raw.ptr, "outside", 7) == 0) fail_msg("%s has read it", a->name);
    }
    /* a directory is the root of what is reached through it */
    CALL(h, fs(stat_at), H(d), FLAGS(FOLLOW), STR("../secret"));
    assert_int_not_equal(h->result.variant.disc, 0);
    assert_int_equal(fs(drop)(&h->call, d), TS_OK);
}

#define PATH_ ((ts_val){.str = {a->path, a->len}})
static const ts_val now_ = {.variant = {.disc = TS_WASI_FILESYSTEM_NEW_TIMESTAMP_NOW}};

/* Functions that change nothing, or only the object that the path names. */
static void look(attack *a) {
    host *h = a->t->h;
    const uint64_t d = a->t->dir;
    for (uint32_t follow = 0; follow < 2; follow++) {
        CALL(h, fs(stat_at), H(d), FLAGS(follow), PATH_);
        if (seen(a, "stat-at")) {
            const ts_val *st = h->result.variant.payload->list.ptr;
            const ts_val *m = &st[TS_WASI_FILESYSTEM_DESCRIPTOR_STAT_DATA_MODIFICATION_TIMESTAMP_I];
            if (m->variant.disc && m->variant.payload->list.ptr[0].u64 == MARK)
                fail_msg("%s tells of the outside", a->name);
        }
        CALL(h, fs(metadata_hash_at), H(d), FLAGS(follow), PATH_);
        if (seen(a, "metadata-hash-at")) no_leak(a->t, h->result.variant.payload, a->name);
        static const struct {
            uint32_t open, flags;
        } how[] = {{0, READ}, {DIRECTORY, READ}, {DIRECTORY, READ | MUTATE}, {0, 0}, {0, READ | WRITE}};
        for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
            CALL(h, fs(open_at), H(d), FLAGS(follow), PATH_, FLAGS(how[i].open), FLAGS(how[i].flags));
            if (seen(a, "open-at")) looked_at(a, rep_ok(h));
        }
        CALL(h, fs(set_times_at), H(d), FLAGS(follow), PATH_, now_, now_);
        seen(a, "set-times-at");
    }
    CALL(h, fs(readlink_at), H(d), PATH_);
    seen(a, "readlink-at");
}
/* Functions that create an object at the path. */
static void make(attack *a) {
    host *h = a->t->h;
    const uint64_t d = a->t->dir;
    for (uint32_t follow = 0; follow < 2; follow++) {
        static const uint32_t how[] = {CREATE | EXCLUSIVE, CREATE, CREATE | TRUNCATE, TRUNCATE};
        for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
            CALL(h, fs(open_at), H(d), FLAGS(follow), PATH_, FLAGS(how[i]), FLAGS(READ | WRITE));
            if (!did(a, "open-at to make")) continue;
            uint64_t f = rep_ok(h);
            CALL(h, fs(write), H(f), BYTES("made", 4), U64(0));
            assert_int_equal(fs(drop)(&h->call, f), TS_OK);
        }
        CALL(h, fs(link_at), H(d), FLAGS(follow), PATH_, H(d), STR("stolen"));
        if (did(a, "link-at from")) {
            GOOD(h, fs(metadata_hash_at), H(d), FLAGS(0), STR("stolen"));
            no_leak(a->t, h->result.variant.payload, a->name);
            GOOD(h, fs(unlink_file_at), H(d), STR("stolen"));
        }
    }
    CALL(h, fs(create_directory_at), H(d), PATH_);
    did(a, "create-directory-at");
    CALL(h, fs(symlink_at), H(d), STR("file"), PATH_);
    did(a, "symlink-at");
    CALL(h, fs(link_at), H(d), FLAGS(0), STR("victim"), H(d), PATH_);
    did(a, "link-at to");
}
/* Functions that remove an object. */
static void take(attack *a) {
    host *h = a->t->h;
    const uint64_t d = a->t->dir;
    CALL(h, fs(rename_at), H(d), STR("victim"), H(d), PATH_);
    did(a, "rename-at to");
    CALL(h, fs(rename_at), H(d), STR("empty"), H(d), PATH_);
    did(a, "rename-at of a directory to");
    if (a->t->changed) furnish(a->t);
    CALL(h, fs(rename_at), H(d), PATH_, H(d), STR("taken"));
    if (did(a, "rename-at from")) {
        GOOD(h, fs(metadata_hash_at), H(d), FLAGS(0), STR("taken"));
        no_leak(a->t, h->result.variant.payload, a->name);
    }
    if (a->t->changed) furnish(a->t);
    CALL(h, fs(unlink_file_at), H(d), PATH_);
    did(a, "unlink-file-at");
    CALL(h, fs(remove_directory_at), H(d), PATH_);
    did(a, "remove-directory-at");
}

/* Paths are made of these parts: each head with each tail. */
static const char *const heads[] = {
    "",
    "/",
    "//",
    "./",
    "../",
    ".././",
    "./../",
    "dir/../",
    "dir/../../",
    "dir/sub/../../../",
    "dir/sub/../../",
    "dir//..//",
    "gooddir/../",
    "gooddir/../../",
    "gooddirslash/",
    "parent/",
    "parent/base/",
    "self/",
    "self/../",
    "self/self/self/",
    "around/",
    "outdir/",
    "outdir/dir/",
    "outdir/../base/",
    "dir/outdir/",
    "dir/outdir/../",
    "dir/outdir/../base/",
    "slash/",
    "slashes/",
    "etc/",
    "procroot/",
    "proccwd/",
    "procfd/",
    "procfd/base/",
    "devfd/",
    "zigdir/",
    "bytes/../",
    "dots/",
    "twoup/",
    "file/",
    "file/../",
    "fifo/",
    "loop/",
    "dangling/",
    "dangling/../",
    "dangleout/../",
    "nothing/",
    "nothing/../",
    "nothing/../../",
    "Dir/../",
    "DIR/../",
    "empty/../",
    "empty/../../",
};
static const char *const tails[] = {
    "secret",  "file",       "file/",  "file/.", "out",       "out/",     "out/secret", "up",   "up/",
    "new",     "new/",       ".",      "./",     "..",        "../",      "../secret",  "dir",  "dir/",
    "dir/.",   "dir/..",     "victim", "good",   "goodslash", "absolute", "",           "deep", "parent",
    "parent/", "etc/passwd", "self",   "base",   "base/file", "hard",     "fifo",
};
static const char *const singles[] = {
    "absoluteback",
    "slash",
    "slashes",
    "etc",
    "etc/",
    "procroot",
    "procroot/",
    "proccwd",
    "procfd",
    "procfd/",
    "devfd",
    "devfd/0",
    "zig",
    "zag",
    "winding",
    "loop",
    "loopx",
    "one",
    "two",
    "one/..",
    "dangling",
    "dangling/",
    "dangleout",
    "dangleout/",
    "dangleout2",
    "dangleout2/",
    "dir/back",
    "dir/out",
    "dir/out/",
    "dir/outdir",
    "dir/toup",
    "viabytes",
    "bytes",
    "bytes/",
    "inandout",
    "deepout",
    "dots",
    "dots/",
    "twoup",
    "gooddir",
    "gooddir/",
    "gooddirslash",
    "goodslash/",
    "ex1",
    "ex38",
    "ex39",
    "ex40",
    "ex41",
    "ex42",
    "in1",
    "in38",
    "in39",
    "in40",
    "in41",
    "in42",
    "ex40/",
    "in40/",
    "FILE",
    "File",
    "Dir/",
    "DIR",
    " file",
    "file ",
    "...",
    "..../",
    ".../../..",
    "..file",
    "file..",
    "..a/../..",
    "/etc/passwd",
    "//etc/passwd",
    "/proc/self/root/etc/passwd",
    "/proc/self/fd/0",
    "/dev/fd/0",
    "/dev/stdin",
    "/dev/null",
    "\\..\\secret",
    "..\\secret",
    "dir\\..\\..\\secret",
    "C:\\secret",
    "file:stream",
    "~",
    "~root",
    "$HOME",
    "%2e%2e/secret",
    "..%2fsecret",
    "\xc0\xae\xc0\xae/secret",
    "\xef\xbc\x8f",
    "..\xe2\x81\x84secret",
    "\xe2\x80\xa5/secret",
    "a\nb",
    "*",
    "?",
    "fifo",
    "hard/..",
    "empty",
    "empty/",
    "empty/.",
    "empty/..",
    "dir/sub/",
    "dir/sub/..",
    "././././file",
    "dir/./sub/../deep",
};

static void one(arena_tree *t, const char *path, size_t len) {
    attack a[2] = {{.t = t, .path = path, .len = len}, {.t = t, .path = path, .len = len}};
    bool chain = len > 2 && len < 6 && (memcmp(path, "ex", 2) == 0 || memcmp(path, "in", 2) == 0);
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(t->h->w, walk);
        t->chains = chain;
        if (chain || t->changed) furnish(t);
        look(&a[walk]);
        make(&a[walk]);
        if (t->changed) furnish(t);
        take(&a[walk]);
        untouched(t, a[walk].name);
        ts_arena_free(&t->h->arena);
        ts_arena_init(&t->h->arena);
    }
    assert_int_equal(a[0].n, a[1].n);
    /* Linux counts the links of a long chain twice if it has to retry, and then fails sooner */
    for (uint32_t i = 0; i < a[0].n; i++)
        if (a[0].codes[i] != a[1].codes[i] && !(chain && a[0].codes[i] == 1 + E(LOOP)))
            fail_msg("call %u on \"%.*s\" (%zu bytes): the OS says %d, the walk %d", i, (int)(len < 100 ? len : 100),
                     path, len, (int)a[0].codes[i] - 1, (int)a[1].codes[i] - 1);
}
static void named(void **state) {
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) one(*state, singles[i], strlen(singles[i]));
}
static void composed(void **state) {
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (size_t k = 0; k < sizeof tails / sizeof *tails; k++) {
            if (i % 4 != k % 4) continue; /* each with many */
            char path[128];
            snprintf(path, sizeof path, "%s%s", heads[i], tails[k]);
            one(*state, path, strlen(path));
        }
}
static void odd(void **state) {
    static char p[70000];
    static const struct {
        const char *path;
        size_t len;
    } bytes[] = {{"fi\0le", 5},           {"\0", 1},
                 {"file\0", 5},           {"dir/\0/../../secret", 18},
                 {"..\0/secret", 10},     {"../secret\0x", 11},
                 {"dir/deep\0/../..", 15}};
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) one(*state, bytes[i].path, bytes[i].len);
    static const size_t lengths[] = {254, 255, 256, 257, 4094, 4095, 4096, 4097, 8191, 8192, 65535, 65536, 69999};
    /* one name, many names, many that lead out, many dots */
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        memset(p, 'a', n);
        one(*state, p, n);
        for (size_t k = 0; k < n; k++) p[k] = k % 2 ? '/' : 'a';
        one(*state, p, n);
        for (size_t k = 0; k < n; k++) p[k] = "../"[k % 3];
        one(*state, p, n);
        for (size_t k = 0; k < n; k++) p[k] = "./"[k % 2];
        if (n > 4) memcpy(p + n - 4, "file", 4);
        one(*state, p, n);
        for (size_t k = 0; k < n; k++) p[k] = "dir/../"[k % 7];
        one(*state, p, n);
        memset(p, '/', n);
        memcpy(p, "dir", 3);
        one(*state, p, n);
        memset(p, '/', n);
        one(*state, p, n);
    }
}

/* What a link created by the guest contains: never a way out. */
static void targets(void **state) {
    arena_tree *t = *state;
    host *h = t->h;
    static const char *const to[] = {"../secret",     "..", "../../etc/passwd", "dir/../../secret",
                                     "outdir/secret", "up", "./../file"};
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        BAD(h, E(NOT_PERMITTED), fs(symlink_at), H(t->dir), STR("/etc/passwd"), STR("own"));
        for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
            GOOD(h, fs(symlink_at), H(t->dir), STR(to[i]), STR("own"));
            attack a = {.t = t, .path = "own", .len = 3};
            look(&a);
            a = (attack){.t = t, .path = "own/secret", .len = 10};
            look(&a);
            make(&a);
            a = (attack){.t = t, .path = "dir/../own", .len = 10};
            look(&a);
            CALL(h, fs(open_at), H(t->dir), FLAGS(FOLLOW), STR("own"), FLAGS(CREATE | TRUNCATE), FLAGS(READ | WRITE));
            assert_int_not_equal(h->result.variant.disc, 0);
            GOOD(h, fs(unlink_file_at), H(t->dir), STR("own"));
            untouched(t, to[i]);
        }
        /* a directory that is moved takes its links with it */
        GOOD(h, fs(symlink_at), H(t->dir), STR("../file"), STR("dir/sub/rel"));
        GOOD(h, fs(rename_at), H(t->dir), STR("dir/sub"), H(t->dir), STR("moved"));
        attack a = {.t = t, .path = "moved/rel", .len = 9};
        look(&a);
        GOOD(h, fs(rename_at), H(t->dir), STR("moved/rel"), H(t->dir), STR("rel")); /* now it leads out */
        CALL(h, fs(open_at), H(t->dir), FLAGS(FOLLOW), STR("rel"), FLAGS(0), FLAGS(READ));
        assert_int_equal(code_of(h), 1 + E(NOT_PERMITTED));
        furnish(t);
    }
}

/* /proc itself is granted: its magic links lead everywhere. */
static void magic(void **state) {
    arena_tree *t = *state;
    host *h = t->h;
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    t->dir = h->result.list.ptr[3].list.ptr[0].handle.rep;
    char fd[32], fd_file[32], task[64];
    snprintf(fd, sizeof fd, "self/fd/%d", t->top);
    snprintf(fd_file, sizeof fd_file, "self/fd/%d/secret", t->top);
    snprintf(task, sizeof task, "self/task/%d/root/etc/passwd", (int)getpid());
    const char *const paths[] = {"self/root",
                                 "self/root/",
                                 "self/root/etc/passwd",
                                 "self/cwd",
                                 "self/cwd/",
                                 "self/exe",
                                 fd,
                                 fd_file,
                                 "self/fd/0",
                                 "thread-self/root/etc/passwd",
                                 "thread-self/cwd",
                                 "1/root",
                                 "1/cwd",
                                 task,
                                 "self/../../etc/passwd",
                                 "../etc/passwd",
                                 "self/ns/mnt",
                                 "self/map_files/../root/etc/passwd"};
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            for (uint32_t open = 0; open < 2; open++) {
                CALL(h, fs(open_at), H(t->dir), FLAGS(FOLLOW), STR(paths[i]), FLAGS(open ? DIRECTORY : 0), FLAGS(READ));
                if (code_of(h) == 0) fail_msg("walk %d: %s was opened", walk, paths[i]);
                CALL(h, fs(metadata_hash_at), H(t->dir), FLAGS(FOLLOW), STR(paths[i]));
                if (code_of(h) == 0) fail_msg("walk %d: %s was looked at", walk, paths[i]);
                CALL(h, fs(readlink_at), H(t->dir), STR(paths[i]));
                if (code_of(h) == 0 && h->result.variant.payload->str.ptr[0] == '/') fail_msg("%s was read", paths[i]);
            }
        GOOD(h, fs(open_at), H(t->dir), FLAGS(FOLLOW), STR("self/status"), FLAGS(0),
             FLAGS(READ)); /* links that stay inside are followed */
    }
}

/* Files of /proc that show a process from inside are no guest's, though every process may open its own; and
 * nothing there is written to. A context of its own grants / alone: who grants /proc by itself shows processes. */
static void processes(void **state) {
    arena_tree *t = *state;
    void *fresh = NULL;
    assert_int_equal(host_new(&fresh), 0);
    host *h = fresh;
    assert_int_equal(ts_wasi_allow_dir(h->w, "/", "/host", false, &h->err), TS_OK);
    OK(h, ts_wasi_filesystem_preopens_get_directories, {0});
    const uint64_t root = h->result.list.ptr[0].list.ptr[0].handle.rep;
    GOOD(h, fs(open_at), H(root), FLAGS(FOLLOW), STR("proc"), FLAGS(DIRECTORY), FLAGS(READ));
    const uint64_t proc = rep_ok(h);
    OK(t->h, ts_wasi_filesystem_preopens_get_directories, {0});
    const uint64_t shown = t->h->result.list.ptr[3].list.ptr[0].handle.rep;
    char own[32], task[64];
    snprintf(own, sizeof own, "%d/mem", (int)getpid());
    snprintf(task, sizeof task, "self/task/%d/environ", (int)getpid());
    const char *const paths[] = {"self/mem",        "self/environ", "self/maps",    "self/smaps",
                                 "self/auxv",       "self/pagemap", "self/./maps",  own,
                                 "thread-self/mem", task,           "self/syscall", "self/task/../maps"};
    static const char *const settings[] = {"self/oom_score_adj", "self/comm", "self/coredump_filter",
                                           "sys/kernel/core_pattern", "sys/vm/drop_caches"};
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
            for (uint32_t flags = READ; flags <= (READ | WRITE); flags++) {
                CALL(h, fs(open_at), H(proc), FLAGS(FOLLOW), STR(paths[i]), FLAGS(0), FLAGS(flags));
                if (h->result.variant.disc == 0) fail_msg("walk %d: %s, flags %u", walk, paths[i], flags);
            }
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
            CALL(h, fs(open_at), H(proc), FLAGS(FOLLOW), STR(settings[i]), FLAGS(0), FLAGS(WRITE));
            assert_int_not_equal(h->result.variant.disc, 0);
            CALL(h, fs(open_at), H(proc), FLAGS(FOLLOW), STR(settings[i]), FLAGS(TRUNCATE), FLAGS(WRITE));
            assert_int_not_equal(h->result.variant.disc, 0);
        }
        GOOD(h, fs(open_at), H(proc), FLAGS(FOLLOW), STR("self/oom_score_adj"), FLAGS(0), FLAGS(READ));
        GOOD(h, fs(open_at), H(root), FLAGS(FOLLOW), STR("proc/version"), FLAGS(0), FLAGS(READ));
    }
    GOOD(t->h, fs(open_at), H(shown), FLAGS(FOLLOW), STR("self/maps"), FLAGS(0), FLAGS(READ));
    host_end(&fresh);
}

/* A mount below a granted directory belongs to it, and its links are confined like all others. This needs a
 * mount namespace. */
static void in_mounts(arena_tree *t) {
    host *h = t->h;
    static const char *const paths[] = {"mnt/up",
                                        "mnt/up/",
                                        "mnt/parent",
                                        "mnt/parent/file",
                                        "mnt/top",
                                        "mnt/top/secret",
                                        "mnt/../../secret",
                                        "mnt/..",
                                        "mnt/../..",
                                        "mnt/../file",
                                        "mnt/in",
                                        "mnt/new",
                                        "mnt",
                                        "mnt/"};
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
            attack a = {.t = t, .path = paths[i], .len = strlen(paths[i])};
            look(&a);
            make(&a);
            untouched(t, paths[i]);
        }
        GOOD(h, fs(open_at), H(t->dir), FLAGS(0), STR("mnt/in"), FLAGS(0), FLAGS(READ));
        BAD(h, E(CROSS_DEVICE), fs(rename_at), H(t->dir), STR("mnt/in"), H(t->dir), STR("moved"));
        BAD(h, E(CROSS_DEVICE), fs(link_at), H(t->dir), FLAGS(0), STR("mnt/in"), H(t->dir), STR("linked"));
        BAD(h, E(NOT_PERMITTED), fs(open_at), H(t->dir), FLAGS(FOLLOW), STR("mnt/up"), FLAGS(0), FLAGS(READ));
        BAD(h, E(BUSY), fs(remove_directory_at), H(t->dir), STR("mnt"));
    }
}
static bool alone; /* in a mount namespace of our own, entered before the directories are opened */
static int set_up_alone(void **state) {
    alone = unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
    return set_up(state);
}
static void mounts(void **state) {
    arena_tree *t = *state;
    char mnt[128];
    snprintf(mnt, sizeof mnt, "%s/base/mnt", t->root);
    assert_int_equal(mkdir(mnt, 0755), 0);
    if (!alone || mount("none", mnt, "tmpfs", 0, "size=64k") != 0) skip(); /* only root may do this */
    int at = open(mnt, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put(at, "in", "inside");
    assert_int_equal(symlinkat("../../secret", at, "up"), 0);
    assert_int_equal(symlinkat("..", at, "parent"), 0);
    assert_int_equal(symlinkat("../..", at, "top"), 0);
    close(at);
    in_mounts(t);
    if (umount2(mnt, MNT_DETACH) != 0) fail_msg("the mount stays");
}

/* --- races -------------------------------------------------------------------------------------------------
 * A thread keeps swapping while the guest asks; whoever wins, the outside is neither seen nor changed. */
typedef struct race {
    int base, top;
    const char *a, *b; /* exchanged in base, or (away) a is moved to b and back */
    bool away;
    atomic_bool stop;
    atomic_ulong swaps;
} race;
static void *swapping(void *data) {
    race *r = data;
    while (!atomic_load(&r->stop)) {
        if (r->away) {
            renameat(r->base, r->a, r->base, r->b);
            renameat(r->base, r->b, r->base, r->a);
        } else {
            renameat2(r->base, r->a, r->base, r->b, RENAME_EXCHANGE);
        }
        atomic_fetch_add(&r->swaps, 1);
    }
    return NULL;
}
enum { RACE_NS = 250 * 1000 * 1000 };

static void run_race(arena_tree *t, const char *a, const char *b, bool away, const char *const *paths, size_t n,
                     bool change) {
    host *h = t->h;
    for (int walk = 0; walk < 2; walk++) {
        ts_wasi_walk_paths(h->w, walk);
        race r = {.base = t->base, .top = t->top, .a = a, .b = b, .away = away};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, swapping, &r), 0);
        uint64_t end = ts_sys_monotonic() + RACE_NS;
        unsigned won = 0, rounds = 0;
        /* longer where everything is slow, for example under valgrind */
        while (ts_sys_monotonic() < end ||
               ((atomic_load(&r.swaps) < 20 || rounds < 10) && ts_sys_monotonic() < end + 40 * (uint64_t)RACE_NS))
            for (size_t i = 0; i < n; i++, rounds++) {
                attack k = {.t = t, .path = paths[i], .len = strlen(paths[i])};
                look(&k);
                won += k.codes[0] == 0;
                if (change) {
                    k.n = 0;
                    make(&k);
                    k.n = 0;
                    CALL(h, fs(rename_at), H(t->dir), STR("victim"), H(t->dir), STR(paths[i]));
                    CALL(h, fs(rename_at), H(t->dir), STR(paths[i]), H(t->dir), STR("victim"));
                    CALL(h, fs(unlink_file_at), H(t->dir), STR(paths[i]));
                    CALL(h, fs(remove_directory_at), H(t->dir), STR(paths[i]));
                    CALL(h, fs(open_at), H(t->dir), FLAGS(0), STR("victim"), FLAGS(CREATE), FLAGS(WRITE));
                    if (code_of(h) == 0) assert_int_equal(fs(drop)(&h->call, rep_ok(h)), TS_OK);
                }
                ts_arena_free(&h->arena);
                ts_arena_init(&h->arena);
            }
        atomic_store(&r.stop, true);
        pthread_join(thread, NULL);
        assert_true(atomic_load(&r.swaps) > 10 && rounds > 5);
        (void)won; /* the number depends on the machine */
        untouched(t, a);
        furnish(t);
    }
}
#define RACE(t, a, b, away, change, ...)                                                                               \
    do {                                                                                                               \
        const char *const paths_[] = {__VA_ARGS__};                                                                    \
        run_race(t, a, b, away, paths_, sizeof paths_ / sizeof *paths_, change);                                       \
    } while (0)

/* A directory and a link to the outside are swapped. */
static void race_directory(void **state) {
    RACE(*state, "dir", "outdir", false, false, "dir/secret", "dir/dir/deep", "dir/", "dir", "dir/deep",
         "dir/../secret", "dir/sub/../deep");
}
static void race_directory_changed(void **state) {
    RACE(*state, "dir", "outdir", false, true, "dir/secret", "dir/new", "dir/dir", "dir/dir/new", "dir/new/");
}
/* A file and a link to a file outside are swapped. */
static void race_file(void **state) {
    RACE(*state, "file", "up", false, false, "file", "self/file", "dir/../file", "good", "file/");
}
static void race_file_changed(void **state) {
    RACE(*state, "victim", "dangleout", false, true, "victim", "dangleout", "self/victim");
}
/* The path back through `..` becomes shorter while it is walked. */
static void race_depth(void **state) {
    RACE(*state, "dir/sub", "sub", true, false, "dir/sub/../../secret", "dir/sub/../../file",
         "dir/sub/../../out/secret", "sub/../file", "sub/../../secret", "dir/sub/../../../secret");
}
/* The path back leads out of what is granted. */
static void race_out(void **state) {
    RACE(*state, "dir/sub", "../hold/moved", true, false, "dir/sub/../../file", "dir/sub/../secret", "dir/sub/../file",
         "dir/sub/..", "dir/sub/../../secret", "dir/sub/../out/secret");
}
/* The target of a link changes. */
static void race_link(void **state) {
    RACE(*state, "gooddir", "zigdir", false, true, "gooddir/secret", "gooddir/deep", "gooddir/new", "gooddir");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {T(named),
                                       T(composed),
                                       T(odd),
                                       T(targets),
                                       T(magic),
                                       T(processes),
                                       T(race_directory),
                                       T(race_directory_changed),
                                       T(race_file),
                                       T(race_file_changed),
                                       T(race_depth),
                                       T(race_out),
                                       T(race_link),
                                       cmocka_unit_test_setup_teardown(mounts, set_up_alone, tear_down)};
    return cmocka_run_group_tests_name("sys_attack", tests, NULL, NULL);
}
