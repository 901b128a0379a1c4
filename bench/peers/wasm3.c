/* drives wasm3, compiled from the sources in the package pywasm3: `wasm3 MODULE N…` prints result and CPU seconds a
 * line. */
#include "wasm3.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}
static void check(M3Result r) {
    if (!r) return;
    fprintf(stderr, "wasm3: %s\n", r);
    exit(1);
}

int main(int argc, char **argv) {
    static unsigned char bytes[1 << 20];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!f) return 2;
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    IM3Environment env = m3_NewEnvironment();
    IM3Runtime runtime = m3_NewRuntime(env, 1 << 20, NULL);
    IM3Module module;
    IM3Function run;
    check(m3_ParseModule(env, &module, bytes, (uint32_t)size));
    check(m3_LoadModule(runtime, module));
    check(m3_FindFunction(&run, runtime, "run"));
    for (int i = 2; i < argc; i++) {
        int r;
        double t = cpu();
        check(m3_CallV(run, atoi(argv[i])));
        check(m3_GetResultsV(run, &r));
        printf("%d %.6f\n", r, cpu() - t);
    }
    return 0;
}
