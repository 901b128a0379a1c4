/* sys/killed: see killed.h */
#define _GNU_SOURCE
#include "sys/killed.h"
#include "sys/descriptors.h"
#include "sys/input.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static struct {
    char path[4096];
    char term[256], intr[256], hup[256];
    char alarm_path[4096];
    char alarm_line[256], alarm_text[128];
    void (*stop)(void *data);
    void *data;
    int status;
    volatile sig_atomic_t stopped;
    char truncated_path[4096], truncated_line[256];
    int truncated_status;
    void (*on_stop)(void *data);
    void *on_stop_data;
} state;

bool ts_sys_leave(const char *path, const char *line) { /* async-signal-safe */
    int fd = ts_sys_above_std(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (fd < 0) return false;
    size_t len = strlen(line);
    while (len) {
        ssize_t n = write(fd, line, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        line += n;
        len -= (size_t)n;
    }
    int err = errno;
    bool closed = close(fd) == 0 || errno == EINTR; /* Linux has closed it then: close(2) */
    if (len) errno = err;
    return closed && len == 0;
}

void ts_sys_signals_quiet(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static void on_kill(int sig) {
    if (state.path[0]) ts_sys_leave(state.path, sig == SIGTERM ? state.term : sig == SIGINT ? state.intr : state.hup);
    signal(sig, SIG_DFL);
    raise(sig);
}

void ts_sys_on_kill(const char *path, const char *format) {
    if (!path) return; /* the default action already ends the process */
    if (snprintf(state.path, sizeof state.path, "%s", path) >= (int)sizeof state.path) state.path[0] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(state.term, sizeof state.term, format, "SIGTERM");
    snprintf(state.intr, sizeof state.intr, format, "SIGINT");
    snprintf(state.hup, sizeof state.hup, format, "SIGHUP");
#pragma GCC diagnostic pop
    static const int sigs[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < 3; i++) {
        struct sigaction old, now = {.sa_handler = on_kill, .sa_flags = SA_ONSTACK};
        /* signals that the parent process set to ignored stay ignored (nohup) */
        if (sigaction(sigs[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(sigs[i], &now, NULL);
    }
}

static void on_bus(int sig, siginfo_t *info, void *context) {
    (void)context;
    const char *path = ts_sys_input_of((uintptr_t)info->si_addr);
    if (!path) { /* not ours: the access faults again, and the default action ends the process */
        signal(sig, SIG_DFL);
        return;
    }
    static const char before[] = "touchstone: io-error: ", after[] = " was truncated while it was in use\n";
    char text[sizeof before + 200 + sizeof after];
    size_t n = sizeof before - 1, len = strnlen(path, 200);
    memcpy(text, before, n);
    for (size_t i = 0; i < len; i++) text[n++] = (unsigned char)path[i] < 0x20 || path[i] == 0x7f ? '?' : path[i];
    memcpy(text + n, after, sizeof after - 1);
    n += sizeof after - 1;
    if (state.truncated_path[0]) ts_sys_leave(state.truncated_path, state.truncated_line);
    (void)!write(STDERR_FILENO, text, n);
    _exit(state.truncated_status);
}
void ts_sys_on_truncated(const char *path, const char *line, int status) {
    state.truncated_status = status;
    snprintf(state.truncated_line, sizeof state.truncated_line, "%s", line);
    if (snprintf(state.truncated_path, sizeof state.truncated_path, "%s", path ? path : "") >=
        (int)sizeof state.truncated_path)
        state.truncated_path[0] = 0;
    struct sigaction now = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGBUS, &now, NULL); /* sys/fault.c, if installed later, passes on what is not a guest's */
}

static void on_stop(int sig) {
    (void)sig;
    if (state.on_stop) state.on_stop(state.on_stop_data);
}
bool ts_sys_on_stop(void (*stop)(void *data), void *data) {
    static const int sigs[] = {SIGTERM, SIGINT, SIGHUP};
    if (stop) {
        state.on_stop_data = data;
        state.on_stop = stop;
    }
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        struct sigaction old, now = {.sa_handler = stop ? on_stop : SIG_DFL, .sa_flags = SA_ONSTACK | SA_RESTART};
        ok = sigaction(sigs[i], NULL, &old) == 0 && (old.sa_handler == SIG_IGN || sigaction(sigs[i], &now, NULL) == 0);
    }
    if (!stop) state.on_stop = NULL;
    return ok;
}

static void on_alarm(int sig) {
    (void)sig;
    if (!state.stopped) {
        state.stopped = 1;
        if (state.stop) state.stop(state.data);
        struct itimerval t = {.it_value = {.tv_sec = 1}};
        setitimer(ITIMER_REAL, &t, NULL);
        return;
    }
    if (state.alarm_path[0]) ts_sys_leave(state.alarm_path, state.alarm_line);
    ssize_t n = write(STDERR_FILENO, state.alarm_text, strlen(state.alarm_text));
    (void)n;
    _exit(state.status);
}

void ts_sys_on_alarm(uint64_t ns, void (*stop)(void *data), void *data, const char *path, const char *line,
                     const char *text, int status) {
    if (!path || snprintf(state.alarm_path, sizeof state.alarm_path, "%s", path) >= (int)sizeof state.alarm_path)
        state.alarm_path[0] = 0;
    snprintf(state.alarm_line, sizeof state.alarm_line, "%s", line);
    snprintf(state.alarm_text, sizeof state.alarm_text, "%s", text);
    state.stop = stop;
    state.data = data;
    state.status = status;
    state.stopped = 0;
    struct sigaction now = {.sa_handler = on_alarm, .sa_flags = SA_ONSTACK};
    sigaction(SIGALRM, &now, NULL);
    uint64_t us = (ns + 999) / 1000;
    struct itimerval t = {.it_value = {.tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)}};
    if (us == 0) t.it_value.tv_usec = 1;
    setitimer(ITIMER_REAL, &t, NULL);
}

static void on_exit_alarm(int sig) {
    (void)sig;
    _exit(state.status);
}
void ts_sys_exit_after(uint64_t ns, int status) { /* async-signal-safe */
    struct sigaction now = {.sa_handler = on_exit_alarm, .sa_flags = SA_ONSTACK};
    int was = errno;
    state.status = status;
    sigaction(SIGALRM, &now, NULL);
    struct itimerval t = {
        .it_value = {.tv_sec = (time_t)(ns / 1000000000u), .tv_usec = (suseconds_t)(ns / 1000 % 1000000)}};
    setitimer(ITIMER_REAL, &t, NULL);
    errno = was;
}
void ts_sys_exit_now(int status, const char *text) {
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&p, 1, 0) > 0 && (p.revents & POLLOUT)) {
        ssize_t n = write(STDERR_FILENO, text, strlen(text));
        (void)n;
    }
    _exit(status);
}

void ts_sys_alarm_off(void) {
    struct itimerval t = {0};
    setitimer(ITIMER_REAL, &t, NULL);
}
