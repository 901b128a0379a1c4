/* sandbox: a folder of the host for targets whose guests have a file system, and the context that grants it.
 * In: nothing. Out: for each input the same small tree; an abort if a file beside it has changed: a guest escaped. */
#ifndef TS_FUZZ_SANDBOX_H
#define TS_FUZZ_SANDBOX_H
#include "input.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include "sys/clock.h"
#include "wasi/wasi.h"

enum { FZ_WAIT_NS = 5 * 1000 * 1000 }; /* the longest that the guest waits for what does not come */
static char fz_folder[64];
static int fz_null = -1;

static int fz_remove(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}
static inline void fz_sandbox_end(void) {
    (void)nftw(fz_folder, fz_remove, 16, FTW_DEPTH | FTW_PHYS);
}
static inline void fz_write(const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fz_folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) abort();
    close(fd);
}
static inline void fz_make(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fz_folder, name);
    if (mkdir(path, 0700) != 0) abort();
}

/* Makes the tree anew, and a context with it as /rw and, read-only, as /ro. */
static inline ts_wasi *fz_sandbox(void) {
    char path[128];
    ts_error e;
    ts_wasi *w;
    ts_error_init(&e);
    if (!fz_folder[0]) {
        snprintf(fz_folder, sizeof fz_folder, "/tmp/touchstone-fuzz-XXXXXX");
        if (!mkdtemp(fz_folder)) abort();
        atexit(fz_sandbox_end);
        fz_null = open("/dev/null", O_RDWR | O_CLOEXEC);
        fz_write("canary", "sings");
    } else {
        for (int i = 0; i < 2; i++) {
            snprintf(path, sizeof path, "%s/%s", fz_folder, i ? "ro" : "rw");
            (void)nftw(path, fz_remove, 16, FTW_DEPTH | FTW_PHYS);
        }
    }
    fz_make("rw");
    fz_make("rw/sub");
    fz_make("ro");
    fz_write("rw/a", "some text of a file");
    fz_write("rw/sub/b", "");
    fz_write("ro/a", "read-only");
    snprintf(path, sizeof path, "%s/rw/link", fz_folder);
    if (symlink("sub/b", path) != 0) abort();
    snprintf(path, sizeof path, "%s/ro/out", fz_folder);
    if (symlink("../canary", path) != 0) abort();
    if (ts_wasi_new(&w, &e) != TS_OK) abort();
    snprintf(path, sizeof path, "%s/rw", fz_folder);
    if (ts_wasi_allow_dir(w, path, "/rw", false, &e) != TS_OK) abort();
    snprintf(path, sizeof path, "%s/ro", fz_folder);
    if (ts_wasi_allow_dir(w, path, "/ro", true, &e) != TS_OK || ts_wasi_add_arg(w, "guest", &e) != TS_OK ||
        ts_wasi_set_env(w, "K", 1, "value", &e) != TS_OK || ts_wasi_set_cwd(w, "/rw", &e) != TS_OK ||
        ts_wasi_allow_address(w, TS_WASI_TCP_LISTEN, "127.0.0.1:0", &e) != TS_OK ||
        ts_wasi_allow_address(w, TS_WASI_UDP_BIND, "127.0.0.1:0", &e) != TS_OK)
        abort();
    for (int which = 0; which < 3; which++) ts_wasi_set_stdio(w, which, fz_null);
    ts_wasi_set_clock(w, 1000, 0);
    ts_wasi_set_seed(w, 1);
    ts_wasi_limit_disk(w, 1 << 20);
    ts_wasi_limit_files(w, 40);
    ts_wasi_limit_objects(w, 400);
    ts_wasi_limit_random(w, 1 << 16);
    ts_wasi_until(w, ts_sys_monotonic() + FZ_WAIT_NS);
    return w;
}
/* Aborts if the guest has reached what is beside its folder, or has changed what is read-only. */
static inline void fz_sandbox_check(void) {
    static const struct {
        const char *name, *text;
    } files[] = {{"canary", "sings"}, {"ro/a", "read-only"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128], text[64] = "";
        struct stat s;
        snprintf(path, sizeof path, "%s/%s", fz_folder, files[i].name);
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &s) != 0 || read(fd, text, sizeof text - 1) < 0 || s.st_nlink != 1 ||
            strcmp(text, files[i].text) != 0) {
            fprintf(stderr, "fuzz: the guest has changed %s\n", files[i].name);
            abort();
        }
        close(fd);
    }
}
#endif
