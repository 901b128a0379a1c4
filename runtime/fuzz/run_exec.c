/* run_exec: what a module does, for a driver that compares it with another engine.
 * In: paths of modules, one a line on stdin. Out: on stdout for each the report of exec_module.h in the form
 * that runs without fuel, with guard pages, deterministic (--checked: explicit checks; --stress:
 * collections), then a line "end". */
#include "exec_module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    fz_how how = {.deterministic = true};
    char path[4096];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--checked") == 0) how.checked = true;
        if (strcmp(argv[i], "--stress") == 0) how.gc_stress = 1;
        if (strcmp(argv[i], "--fuel") == 0) how.fuel = 1000 * 1000;
    }
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = 0;
        FILE *f = fopen(path, "rb");
        if (!f) return 1;
        size_t cap = 1 << 24, len;
        uint8_t *bytes = malloc(cap);
        if (!bytes) return 1;
        len = fread(bytes, 1, cap, f);
        fclose(f);
        fz_report r = {0};
        fz_run(bytes, len, &how, &r);
        printf("%send\n", r.text);
        fflush(stdout);
        fz_report_free(&r);
        free(bytes);
    }
    return 0;
}
