/* launch: runs a command COUNT times and reports each run. It is so small that its own size does not hide the
 * size of what it starts. `launch COUNT COMMAND…` prints a line per run: exit status (or 128 + signal), wall
 * µs, CPU µs, peak KiB. The command's output is discarded. With `launch --report FD COUNT COMMAND…` the command
 * has the streams of launch, which prints its lines to descriptor FD. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

/* Runs the command once. A function of its own, whose values do not change, so that vfork may be used. */
static int launch(char *const *command, const bool keep, const int null, const int report) {
    const long start = now();
    const pid_t pid = vfork();
    if (pid == 0) {
        for (int fd = 0; fd < 3 && !keep; fd++) dup2(null, fd);
        execvp(command[0], command);
        _exit(127);
    }
    int status;
    struct rusage u;
    if (pid < 0 || wait4(pid, &status, 0, &u) != pid) return 1;
    long wall = now() - start;
    long cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000L + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
    dprintf(report, "%d %ld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall, cpu,
            u.ru_maxrss);
    return 0;
}

int main(int argc, char **argv) {
    bool keep = argc > 2 && strcmp(argv[1], "--report") == 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), report = keep ? atoi(argv[2]) : 1;
    if (keep && fcntl(report, F_SETFD, FD_CLOEXEC) != 0) return 2;
    if (keep) argv += 2, argc -= 2;
    if (argc < 3) return 2;
    for (int i = atoi(argv[1]); i > 0; i--)
        if (launch(argv + 2, keep, null, report) != 0) return 1;
    return 0;
}
