/* native: runs a native build of one program. `PROGRAM N…` prints result and CPU seconds, one line each. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int run(int n);

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        double t = cpu();
        int r = run(atoi(argv[i]));
        printf("%d %.6f\n", r, cpu() - t);
    }
    return 0;
}
