/* cache_folder: a cache folder of a test's own.
 * In: parts of names. Out: the folder, made and removed; its files, one by one. */
#ifndef TS_TESTS_CACHE_FOLDER_H
#define TS_TESTS_CACHE_FOLDER_H
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static int fresh(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/touchstone-cache-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}
/* Calls fn (NULL: nothing) with each file whose name contains `kind`, and returns their number. */
static unsigned each_entry(const char *kind, int (*fn)(const char *path)) {
    unsigned n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *x; (x = readdir(d));) {
        char path[400];
        if (x->d_name[0] == '.' || !strstr(x->d_name, kind)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, x->d_name);
        if (fn) assert_int_equal(fn(path), 0);
        n++;
    }
    closedir(d);
    return n;
}
static int gone(void **state) {
    (void)state;
    chmod(folder, 0700);
    each_entry("", remove);
    return rmdir(folder);
}
#endif
