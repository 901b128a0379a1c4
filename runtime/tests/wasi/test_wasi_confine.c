/* test_wasi_confine: a confined process refuses what its grants do not need, also to a guest that can make any
 * system call. Its host function `syscall` is a deliberate hole, which only this test has.
 * In: ts_wasi_confine, hole.wat. Out: cmocka results. Each test confines a child process. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/confine.h"
#include "sys/probe.h"
#include "sys/written.h"
#include "tests/data/hole_module.h"
#include <touchstone.h>

/* --- a child ---------------------------------------------------------------------------------------------- */
/* In a child, a failure ends the process with the line, because cmocka belongs to the parent. */
#define NEED(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);                                  \
            _exit(1);                                                                                                  \
        }                                                                                                              \
    } while (0)
static char folder[] = "/tmp/confine-XXXXXX";

static void in_child(void (*fn)(void)) {
    ts_sys_confined can;
    ts_sys_confine_ask(&can);
    if (!can.files || !can.system_calls) {
        print_message("not tested: %s\n", can.missing);
        skip();
    }
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int s = 1; s < 32; s++) signal(s, SIG_DFL); /* cmocka catches some */
        fn();
        _exit(0);
    }
    int st = 0;
    assert_int_equal(waitpid(pid, &st, 0), pid);
    if (WIFSIGNALED(st)) fail_msg("the child was ended by signal %d", WTERMSIG(st));
    assert_int_equal(WEXITSTATUS(st), 0);
}
static const char *path_of(const char *name) {
    static char path[8][128];
    static unsigned i;
    char *p = path[i++ % 8];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}

/* --- a guest that makes system calls ---------------------------------------------------------------------- */
typedef struct guest {
    ts_engine *engine;
    ts_core_module *module;
    ts_core_store *store;
    ts_core_extern call, memory;
} guest;
static ts_status hole(ts_core_call *c, void *data, const ts_core_val *args, ts_core_val *results) {
    guest *g = data;
    long a[7];
    (void)c;
    for (int i = 0; i < 7; i++) {
        a[i] = (long)args[i].i64;
        if (args[7].i32 >> i & 1) a[i] = (long)(uintptr_t)(ts_core_memory_data(g->memory.memory) + a[i]);
    }
    long r = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    results[0].i64 = r < 0 ? -errno : r;
    return TS_OK;
}
static void load(guest *g) {
    ts_error e;
    ts_core_instance *instance;
    ts_core_func *f;
    ts_core_type params[8], i64 = TS_CORE_I64;
    for (int i = 0; i < 8; i++) params[i] = i < 7 ? TS_CORE_I64 : TS_CORE_I32;
    const ts_core_externtype type = {
        .kind = TS_CORE_FUNC, .n_params = 8, .params = params, .n_results = 1, .results = &i64};
    ts_error_init(&e);
    NEED(ts_engine_new(&g->engine, &e) == TS_OK);
    NEED(ts_core_module_load(g->engine, hole_module, sizeof hole_module, &g->module, &e) == TS_OK);
    NEED(ts_core_store_new(g->engine, NULL, &g->store, &e) == TS_OK);
    NEED(ts_core_func_new(g->store, &type, hole, g, "syscall", &f, &e) == TS_OK);
    const ts_core_extern import = {.kind = TS_CORE_FUNC, .func = f};
    NEED(ts_core_module_instantiate(g->store, g->module, &import, 1, NULL, &instance, &e) == TS_OK);
    NEED(ts_core_instance_export(instance, "do", &g->call));
    NEED(ts_core_instance_export(instance, "memory", &g->memory));
}
/* Returns the result, or -errno. `pointers`: bit k is set if argument k (from 1 on) is text or a struct of the
 * guest's, which `text` is. */
static int64_t call(guest *g, long number, const void *text, size_t len, unsigned pointers, long a, long b, long c,
                    long d) {
    const long all[7] = {number, a, b, c, d, 0, 0};
    ts_core_val args[8], result = {0};
    ts_error e;
    ts_error_init(&e);
    if (text) NEED(ts_core_memory_write(g->memory.memory, 64, text, len));
    for (int i = 0; i < 7; i++) args[i] = (ts_core_val){.type = TS_CORE_I64, .i64 = pointers >> i & 1 ? 64 : all[i]};
    args[7] = (ts_core_val){.type = TS_CORE_I32, .i32 = (int32_t)pointers};
    NEED(ts_core_func_call(g->store, g->call.func, args, 8, &result, 1, &e) == TS_OK);
    return result.i64;
}
static int64_t guest_open(guest *g, const char *path, int flags) {
    return call(g, SYS_openat, path, strlen(path) + 1, 4, AT_FDCWD, 0, flags, 0600);
}
static int64_t guest_socket(guest *g, int family, int type) {
    return call(g, SYS_socket, NULL, 0, 0, family, type, 0, 0);
}
static int64_t guest_connect(guest *g, uint16_t port) {
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t fd = guest_socket(g, AF_INET, SOCK_STREAM);
    if (fd < 0) return fd;
    int64_t r = call(g, SYS_connect, &at, sizeof at, 4, fd, 0, sizeof at, 0);
    close((int)fd);
    return r;
}

/* Confine the child to the grants of w, and load the guest after that. */
static void confine(ts_wasi *w, const ts_confine_needs *needs, guest *g) {
    ts_error e;
    ts_confinement c;
    ts_error_init(&e);
    if (ts_wasi_confine(w, TS_CONFINE_REQUIRE, needs, &c, &e) != TS_OK) {
        fprintf(stderr, "%s\n", e.message);
        _exit(1);
    }
    NEED(c.no_new_privileges && c.files && c.tcp_ports && c.system_calls && c.limits && c.all_threads && !*c.missing);
    if (g) load(g);
}
static ts_wasi *context(void) {
    ts_error e;
    ts_wasi *w;
    ts_error_init(&e);
    NEED(ts_wasi_new(&w, &e) == TS_OK);
    return w;
}

/* --- files ------------------------------------------------------------------------------------------------ */
static void files(void) {
    ts_error e;
    guest g;
    ts_error_init(&e);
    ts_wasi *w = context();
    NEED(ts_wasi_allow_dir(w, path_of("ro"), "/ro", true, &e) == TS_OK);
    NEED(ts_wasi_allow_dir(w, path_of("rw"), "/rw", false, &e) == TS_OK);
    const char *const writes[] = {path_of("outcome")};
    confine(w, &(ts_confine_needs){.writes = writes, .n_writes = 1}, &g);
    /* outside, and beside */
    NEED(guest_open(&g, "/etc/passwd", O_RDONLY) == -EACCES);
    NEED(guest_open(&g, "/proc/self/mem", O_RDWR) == -EACCES);
    NEED(guest_open(&g, folder, O_RDONLY | O_DIRECTORY) == -EACCES);
    NEED(guest_open(&g, path_of("beside"), O_WRONLY | O_CREAT) == -EACCES);
    NEED(guest_open(&g, path_of("secret"), O_RDONLY) == -EACCES);
    NEED(guest_open(&g, path_of("rw/../secret"), O_RDONLY) == -EACCES);
    NEED(guest_open(&g, path_of("rw/link"), O_RDONLY) == -EACCES);
    /* what is granted */
    NEED(guest_open(&g, path_of("ro/file"), O_RDONLY) >= 0);
    NEED(guest_open(&g, path_of("ro/file"), O_WRONLY) == -EACCES);
    NEED(guest_open(&g, path_of("ro/file"), O_RDONLY | O_TRUNC) == -EACCES);
    NEED(guest_open(&g, path_of("ro/new"), O_WRONLY | O_CREAT) == -EACCES);
    NEED(unlink(path_of("ro/file")) < 0);
    NEED(guest_open(&g, path_of("rw/new"), O_RDWR | O_CREAT) >= 0);
    NEED(mkdirat(AT_FDCWD, path_of("rw/sub"), 0700) == 0);
    NEED(renameat(AT_FDCWD, path_of("rw/new"), AT_FDCWD, path_of("rw/sub/moved")) == 0);
    NEED(linkat(AT_FDCWD, path_of("rw/sub/moved"), AT_FDCWD, path_of("rw/again"), 0) == 0);
    NEED(unlinkat(AT_FDCWD, path_of("rw/again"), 0) == 0);
    NEED(renameat(AT_FDCWD, path_of("rw/sub/moved"), AT_FDCWD, path_of("ro/moved")) < 0);
    /* a file of the caller's own can be replaced, and nothing can be made beside it */
    NEED(guest_open(&g, path_of("outcome"), O_WRONLY | O_CREAT | O_TRUNC) >= 0);
    NEED(guest_open(&g, path_of("outcome"), O_RDONLY) == -EACCES);
}
static void files_are_those_of_the_grants(void **state) {
    (void)state;
    in_child(files);
}

/* --- the network ------------------------------------------------------------------------------------------ */
static uint16_t granted, other;
static int listener(uint16_t *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}
static void ports(void) {
    char rule[64];
    ts_error e;
    guest g;
    ts_error_init(&e);
    ts_wasi *w = context();
    snprintf(rule, sizeof rule, "127.0.0.1:%u", granted);
    NEED(ts_wasi_allow_address(w, TS_WASI_TCP_CONNECT, rule, &e) == TS_OK);
    confine(w, &(ts_confine_needs){0}, &g);
    NEED(guest_connect(&g, granted) == 0);
    NEED(guest_connect(&g, other) == -EACCES);
    /* past connect(2) */
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(other), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = (int)guest_socket(&g, AF_INET, SOCK_STREAM);
    NEED(fd >= 0);
    NEED(sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&at, sizeof at) < 0 && errno == EPERM);
    NEED(bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 && errno == EPERM);
    NEED(listen(fd, 1) < 0 && errno == EPERM);
    NEED(call(&g, SYS_socket, NULL, 0, 0, AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */, 0) == -EPERM);
    NEED(guest_socket(&g, AF_INET, SOCK_RAW) == -EPERM);
    NEED(guest_socket(&g, AF_UNIX, SOCK_STREAM) == -EPERM);
    NEED(guest_socket(&g, AF_NETLINK, SOCK_RAW) == -EPERM);
    NEED(guest_socket(&g, 40 /* AF_VSOCK */, SOCK_STREAM) == -EPERM);
}
static void no_ports(void) {
    guest g;
    ts_wasi *w = context();
    ts_wasi_allow_udp(w, false);
    confine(w, &(ts_confine_needs){0}, &g);
    NEED(guest_connect(&g, granted) == -EPERM);
    NEED(guest_socket(&g, AF_INET6, SOCK_STREAM) >= 0); /* WASI grants the socket, and no address */
    NEED(guest_socket(&g, AF_INET, SOCK_DGRAM) == -EPERM);
}
static void listening(void) {
    ts_error e;
    guest g;
    ts_error_init(&e);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ts_wasi *w = context();
    NEED(ts_wasi_allow_address(w, TS_WASI_TCP_LISTEN, "127.0.0.1:0", &e) == TS_OK);
    confine(w, &(ts_confine_needs){0}, &g);
    int64_t fd = guest_socket(&g, AF_INET, SOCK_STREAM);
    NEED(call(&g, SYS_bind, &at, sizeof at, 4, fd, 0, sizeof at, 0) == 0);
    NEED(call(&g, SYS_listen, NULL, 0, 0, fd, 1, 0, 0) == 0);
    at.sin_port = htons(other);
    fd = guest_socket(&g, AF_INET, SOCK_STREAM);
    NEED(call(&g, SYS_bind, &at, sizeof at, 4, fd, 0, sizeof at, 0) == -EACCES);
    NEED(guest_connect(&g, granted) == -EPERM);
}
/* Returns what connect(2) and bind(2) of a UDP socket say, to ports that nobody has. */
static void datagrams(guest *g, int64_t connects, int64_t binds) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t fd = guest_socket(g, AF_INET, SOCK_DGRAM);
    NEED(fd >= 0);
    NEED(call(g, SYS_connect, &at, sizeof at, 4, fd, 0, sizeof at, 0) == connects);
    at.sin_port = 0;
    fd = guest_socket(g, AF_INET, SOCK_DGRAM);
    NEED(fd >= 0);
    NEED(call(g, SYS_bind, &at, sizeof at, 4, fd, 0, sizeof at, 0) == binds);
}
static void no_rules(void) {
    guest g;
    confine(context(), &(ts_confine_needs){0}, &g);
    datagrams(&g, -EPERM, -EPERM);
}
static void peers(void) {
    ts_error e;
    guest g;
    ts_error_init(&e);
    ts_wasi *w = context();
    NEED(ts_wasi_allow_address(w, TS_WASI_UDP_PEER, "127.0.0.1:9", &e) == TS_OK);
    confine(w, &(ts_confine_needs){0}, &g);
    datagrams(&g, 0, 0); /* a peer may also send to us first: the socket needs an address */
    NEED(guest_connect(&g, granted) == -EACCES);
    int64_t fd = guest_socket(&g, AF_INET, SOCK_STREAM);
    NEED(call(&g, SYS_listen, NULL, 0, 0, fd, 1, 0, 0) == -EPERM);
}
static void own_addresses(void) {
    ts_error e;
    guest g;
    ts_error_init(&e);
    ts_wasi *w = context();
    NEED(ts_wasi_allow_address(w, TS_WASI_UDP_BIND, "127.0.0.1:0", &e) == TS_OK);
    confine(w, &(ts_confine_needs){0}, &g);
    datagrams(&g, -EPERM, 0);
    NEED(guest_connect(&g, granted) == -EPERM);
}
/* Rules of a protocol that is switched off grant nothing. */
static void protocols_off(void) {
    ts_error e;
    guest g;
    ts_error_init(&e);
    ts_wasi *w = context();
    NEED(ts_wasi_allow_address(w, TS_WASI_UDP_PEER, "127.0.0.1:9", &e) == TS_OK);
    NEED(ts_wasi_allow_address(w, TS_WASI_UDP_BIND, "127.0.0.1:0", &e) == TS_OK);
    NEED(ts_wasi_allow_address(w, TS_WASI_TCP_CONNECT, "127.0.0.1:*", &e) == TS_OK);
    NEED(ts_wasi_allow_address(w, TS_WASI_TCP_LISTEN, "127.0.0.1:*", &e) == TS_OK);
    ts_wasi_allow_udp(w, false);
    ts_wasi_allow_tcp(w, false);
    confine(w, &(ts_confine_needs){0}, &g);
    NEED(guest_socket(&g, AF_INET, SOCK_DGRAM) == -EPERM);
    NEED(guest_socket(&g, AF_INET6, SOCK_STREAM) == -EPERM);
}
/* Names are asked for over UDP and TCP, whatever guests get of them. Rules of TCP stay without effect. */
static void names_without_protocols(void) {
    char rule[64];
    ts_error e;
    guest g;
    struct addrinfo *found;
    ts_error_init(&e);
    ts_wasi *w = context();
    snprintf(rule, sizeof rule, "127.0.0.1:%u", granted);
    NEED(ts_wasi_allow_address(w, TS_WASI_TCP_CONNECT, rule, &e) == TS_OK);
    ts_wasi_allow_names(w, true);
    ts_wasi_allow_udp(w, false);
    ts_wasi_allow_tcp(w, false);
    confine(w, &(ts_confine_needs){0}, &g);
    NEED(getaddrinfo("localhost", NULL, NULL, &found) == 0);
    freeaddrinfo(found);
    NEED(guest_socket(&g, AF_INET, SOCK_DGRAM) >= 0);
    NEED(guest_connect(&g, granted) == -EACCES);
}
/* A server listens, although its guest has no TCP. It asks what clients have not acknowledged, and which pages were
 * written. */
static void serving(void) {
    guest g;
    ts_sys_written found;
    int left;
    ts_sys_written_open();
    const bool knows = ts_sys_written_find(NULL, 0, &found, 1) == 0;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ts_wasi *w = context();
    ts_wasi_allow_tcp(w, false);
    confine(w, &(ts_confine_needs){.listens = true}, &g);
    int64_t fd = guest_socket(&g, AF_INET, SOCK_STREAM);
    NEED(fd >= 0 && call(&g, SYS_bind, &at, sizeof at, 4, fd, 0, sizeof at, 0) == 0);
    NEED(call(&g, SYS_listen, NULL, 0, 0, fd, 1, 0, 0) == 0);
    NEED(ioctl((int)fd, SIOCOUTQ, &left) < 0 && errno == EINVAL); /* it has no client */
    NEED(!knows || ts_sys_written_find(NULL, 0, &found, 1) == 0);
}
static void names(void) {
    struct addrinfo *found;
    ts_wasi *w = context();
    ts_wasi_allow_names(w, true);
    confine(w, &(ts_confine_needs){0}, NULL);
    NEED(getaddrinfo("localhost", NULL, NULL, &found) == 0);
    freeaddrinfo(found);
}
static void the_network_is_that_of_the_grants(void **state) {
    (void)state;
    int a = listener(&granted), b = listener(&other);
    in_child(ports);
    in_child(no_ports);
    in_child(listening);
    in_child(names);
    in_child(no_rules);
    in_child(peers);
    in_child(own_addresses);
    in_child(protocols_off);
    in_child(names_without_protocols);
    in_child(serving);
    close(a);
    close(b);
}

/* --- processes, pages, threads ---------------------------------------------------------------------------- */
static void processes(void) {
    guest g;
    confine(context(), &(ts_confine_needs){0}, &g);
    NEED(call(&g, SYS_execve, "/bin/true", 10, 2, 0, 0, 0, 0) == -EPERM);
    NEED(call(&g, SYS_execveat, "/bin/true", 10, 4, AT_FDCWD, 0, 0, 0) == -EPERM);
    NEED(call(&g, SYS_clone, NULL, 0, 0, SIGCHLD, 0, 0, 0) == -EPERM);
    NEED(call(&g, SYS_ptrace, NULL, 0, 0, 0 /* PTRACE_TRACEME */, 0, 0, 0) == -EPERM);
    NEED(call(&g, SYS_kill, NULL, 0, 0, getppid(), 0, 0, 0) == -EPERM);
    NEED(call(&g, SYS_tgkill, NULL, 0, 0, getppid(), getppid(), 0, 0) == -EPERM);
    NEED(call(&g, SYS_fcntl, NULL, 0, 0, 0, F_SETOWN, getppid(), 0) == -EPERM);
    NEED(call(&g, SYS_ioctl, NULL, 0, 1 << 3, 0, 0x5412 /* TIOCSTI */, 0, 0) == -EPERM);
    NEED(call(&g, SYS_prlimit64, NULL, 0, 1 << 3, getppid(), RLIMIT_NOFILE, 0, 0) == -EPERM);
    NEED(call(&g, SYS_personality, NULL, 0, 0, 0x0400000 /* READ_IMPLIES_EXEC */, 0, 0, 0) == -EPERM);
    NEED(call(&g, 435 /* clone3 */, NULL, 0, 0, 0, 0, 0, 0) == -ENOSYS);
    NEED(call(&g, 425 /* io_uring_setup */, NULL, 0, 0, 1, 0, 0, 0) == -ENOSYS);
    NEED(call(&g, 1000000, NULL, 0, 0, 0, 0, 0, 0) == -ENOSYS);
    const ts_sys_probe *p;
    for (size_t i = 0; (p = ts_sys_probe_at(i)); i++)
        if (!ts_sys_probe_refused(p->attempt())) {
            fprintf(stderr, "not refused: %s\n", p->name);
            _exit(1);
        }
}
static int64_t guest_map(guest *g, int prot) {
    const long all[7] = {SYS_mmap, 0, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};
    ts_core_val args[8], result = {0};
    ts_error e;
    ts_error_init(&e);
    for (int i = 0; i < 7; i++) args[i] = (ts_core_val){.type = TS_CORE_I64, .i64 = all[i]};
    args[7] = (ts_core_val){.type = TS_CORE_I32};
    NEED(ts_core_func_call(g->store, g->call.func, args, 8, &result, 1, &e) == TS_OK);
    return result.i64;
}
static void pages(void) {
    guest g;
    confine(context(), &(ts_confine_needs){0}, &g);
    NEED(guest_map(&g, PROT_READ | PROT_WRITE | PROT_EXEC) == -EPERM);
    NEED(guest_map(&g, PROT_READ | PROT_EXEC) == -EPERM);
    int64_t p = guest_map(&g, PROT_READ | PROT_WRITE);
    NEED(p > 0);
    NEED(call(&g, SYS_mprotect, NULL, 0, 0, p, 4096, PROT_READ | PROT_EXEC, 0) == -EPERM);
    NEED(call(&g, SYS_mprotect, NULL, 0, 0, p, 4096, PROT_READ, 0) == 0);
}
static void pages_of_code(void) {
    guest g;
    confine(context(), &(ts_confine_needs){.makes_code = true}, &g);
    NEED(guest_map(&g, PROT_READ | PROT_WRITE | PROT_EXEC) == -EPERM);
    NEED(guest_map(&g, PROT_READ | PROT_EXEC) == -EPERM);
    int64_t p = guest_map(&g, PROT_READ | PROT_WRITE);
    NEED(p > 0);
    NEED(call(&g, SYS_mprotect, NULL, 0, 0, p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, 0) == -EPERM);
    NEED(call(&g, SYS_mprotect, NULL, 0, 0, p, 4096, PROT_READ | PROT_EXEC, 0) == 0);
}
static void processes_and_pages_are_refused(void **state) {
    (void)state;
    in_child(processes);
    in_child(pages);
    in_child(pages_of_code);
}

static void *open_passwords(void *data) {
    int fd = open("/etc/passwd", O_RDONLY);
    *(int *)data = fd < 0 ? errno : 0;
    return NULL;
}
static void later_thread(void) {
    pthread_t t;
    int answer = -1;
    confine(context(), &(ts_confine_needs){0}, NULL);
    NEED(pthread_create(&t, NULL, open_passwords, &answer) == 0);
    NEED(pthread_join(t, NULL) == 0);
    NEED(answer == EACCES);
}
static pthread_barrier_t barrier;
static void *make_local_socket(void *data) {
    pthread_barrier_wait(&barrier);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    *(int *)data = fd < 0 ? errno : 0;
    return NULL;
}
/* The filter holds for a thread that was there before. Landlock does not, which is said. */
static void earlier_thread(void) {
    pthread_t t;
    int answer = -1;
    ts_confinement c;
    ts_error e;
    ts_error_init(&e);
    NEED(pthread_barrier_init(&barrier, NULL, 2) == 0);
    NEED(pthread_create(&t, NULL, make_local_socket, &answer) == 0);
    NEED(ts_wasi_confine(context(), TS_CONFINE_TRY, &(ts_confine_needs){0}, &c, &e) == TS_OK);
    NEED(c.system_calls && c.files && !c.all_threads && strstr(c.missing, "other threads"));
    pthread_barrier_wait(&barrier);
    NEED(pthread_join(t, NULL) == 0);
    NEED(answer == EPERM);
}
static void *wait_for_end(void *data) {
    (void)data;
    pthread_barrier_wait(&barrier);
    return NULL;
}
static void required(void) {
    pthread_t t;
    ts_confinement c;
    ts_error e;
    ts_error_init(&e);
    NEED(pthread_barrier_init(&barrier, NULL, 2) == 0);
    NEED(pthread_create(&t, NULL, wait_for_end, NULL) == 0);
    NEED(ts_wasi_confine(context(), TS_CONFINE_REQUIRE, &(ts_confine_needs){0}, &c, &e) == TS_UNSUPPORTED);
    NEED(strstr(e.message, "other threads") && !c.all_threads);
}
static void threads_are_confined_too(void **state) {
    (void)state;
    in_child(later_thread);
    in_child(earlier_thread);
    in_child(required);
}

/* --- limits, and none ------------------------------------------------------------------------------------- */
static void limits(void) {
    struct rlimit l;
    ts_wasi *w = context();
    ts_wasi_limit_files(w, 20);
    confine(w, &(ts_confine_needs){.max_time_ns = 3000000000}, NULL);
    NEED(getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_max <= 1);
    NEED(getrlimit(RLIMIT_CPU, &l) == 0 && l.rlim_max >= 13 && l.rlim_max < 100000);
    NEED(getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_max == 84);
    NEED(setrlimit(RLIMIT_CPU, &l) < 0 && errno == EPERM);
}
static void off(void) {
    ts_confinement c;
    ts_error e;
    ts_error_init(&e);
    NEED(ts_wasi_confine(context(), TS_CONFINE_OFF, &(ts_confine_needs){0}, &c, &e) == TS_OK);
    NEED(c.mode == TS_CONFINE_OFF && !c.files && !c.system_calls);
    char *none[] = {NULL};
    NEED(execve("/nothing/there", none, none) < 0 && errno == ENOENT);
    NEED(open("/etc/passwd", O_RDONLY) >= 0);
}
static void limits_are_set(void **state) {
    (void)state;
    in_child(limits);
    in_child(off);
}
static void aborting(void) {
    confine(context(), &(ts_confine_needs){0}, NULL);
    abort();
}
static void a_confined_process_can_abort(void **state) {
    (void)state;
    ts_sys_confined can;
    ts_sys_confine_ask(&can);
    if (!can.system_calls) skip();
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        aborting();
    }
    int st = 0;
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_true(WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT && !WCOREDUMP(st));
}

static void put(const char *name, const char *text) {
    int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}
static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder) || mkdir(path_of("ro"), 0700) || mkdir(path_of("rw"), 0700)) return -1;
    put("ro/file", "x");
    put("secret", "x");
    return symlink("../secret", path_of("rw/link"));
}
static int tear_down(void **state) {
    (void)state;
    static const char *const made[] = {"ro/file", "secret", "rw/link", "rw/sub/moved", "outcome"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) unlink(path_of(made[i]));
    rmdir(path_of("rw/sub"));
    rmdir(path_of("rw"));
    rmdir(path_of("ro"));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_those_of_the_grants),
        cmocka_unit_test(the_network_is_that_of_the_grants),
        cmocka_unit_test(processes_and_pages_are_refused),
        cmocka_unit_test(threads_are_confined_too),
        cmocka_unit_test(limits_are_set),
        cmocka_unit_test(a_confined_process_can_abort),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
