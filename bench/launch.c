/* launch: runs a command COUNT times and reports each run. It is so small that its own size does not hide the
 * size of what it starts. `launch COUNT COMMAND…` prints a line per run: exit status (or 128 + signal), wall
 * µs, CPU µs, peak KiB. The command's output is discarded. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = atoi(argv[1]); i > 0; i--) {
        long start = now();
        pid_t pid = vfork();
        if (pid == 0) {
            dup2(null, 0);
            dup2(null, 1);
            dup2(null, 2);
            execvp(argv[2], argv + 2);
            _exit(127);
        }
        int status;
        struct rusage u;
        if (pid < 0 || wait4(pid, &status, 0, &u) != pid) return 1;
        long wall = now() - start;
        long cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000L + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
        printf("%d %ld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall, cpu,
               u.ru_maxrss);
        fflush(stdout);
    }
    return 0;
}
