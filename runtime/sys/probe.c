/* probe: see probe.h. The arguments are such that a call which is let through fails with another error, or has no
 * effect. */
#define _GNU_SOURCE
#include "sys/probe.h"
#include "sys/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int answer(long r) {
    return r < 0 ? errno : 0;
}

/* --- files --- */
static int closing(int fd) {
    int e = answer(fd);
    if (fd >= 0) close(fd);
    return e;
}
static int read_passwords(void) {
    return closing(ts_sys_above_std(open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
}
static int list_root(void) {
    return closing(ts_sys_above_std(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
}
static int make_file(void) {
    static const char path[] = "/.touchstone-probe";
    int e = closing(ts_sys_above_std(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
    if (!e) unlink(path);
    return e;
}
static int read_memory(void) {
    return closing(ts_sys_above_std(open("/proc/self/mem", O_RDWR | O_CLOEXEC)));
}

/* --- processes and pages --- */
static int run_program(void) {
    char *none[] = {NULL};
    return answer(syscall(SYS_execve, "", none, none));
}
static int make_process(void) {
    long r = syscall(SYS_clone, 0, 0, 0, 0, 0); /* its end sends no signal */
    if (r == 0) _exit(0);
    return answer(r);
}
static int trace(void) {
    return answer(syscall(SYS_ptrace, 2 /* PTRACE_PEEKDATA */, 0, 0, 0));
}
static int signal_other(void) {
    return answer(syscall(SYS_kill, getppid(), 0));
}
static int map(int prot) {
    void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int e = p == MAP_FAILED ? errno : 0;
    if (!e) munmap(p, 4096);
    return e;
}
static int map_writable_code(void) {
    return map(PROT_READ | PROT_WRITE | PROT_EXEC);
}
static int map_code(void) {
    return map(PROT_READ | PROT_EXEC);
}
static int protect(int prot) {
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return errno;
    int e = answer(mprotect(p, 4096, prot));
    munmap(p, 4096);
    return e;
}
static int protect_writable_code(void) {
    return protect(PROT_READ | PROT_WRITE | PROT_EXEC);
}
static int protect_code(void) {
    return protect(PROT_READ | PROT_EXEC);
}

/* --- the system --- */
#define PROBE(name, ...)                                                                                               \
    static int name(void) {                                                                                            \
        return answer(syscall(__VA_ARGS__));                                                                           \
    }
PROBE(mount_it, SYS_mount, 0, "", 0, 0, 0)
PROBE(unmount, SYS_umount2, "", 0)
PROBE(change_root, SYS_chroot, "")
PROBE(unshare_nothing, SYS_unshare, 0)
PROBE(enter_namespace, SYS_setns, -1, 0)
PROBE(load_bpf, SYS_bpf, -1, 0, 0)
PROBE(use_keys, SYS_keyctl, -1, 0, 0, 0, 0)
PROBE(count_events, SYS_perf_event_open, 0, 0, 0, 0, 0)
PROBE(handle_faults, SYS_userfaultfd, -1)
PROBE(make_ring, 425 /* io_uring_setup */, 0, 0)
PROBE(load_kernel, SYS_kexec_load, 0, -1, 0, 0)
PROBE(load_module, SYS_init_module, 0, 0, "")
PROBE(open_by_handle, SYS_open_by_handle_at, -1, 0, 0)
PROBE(read_process, SYS_process_vm_readv, 0, 0, 0, 0, 0, -1)

/* --- sockets --- */
static int make_socket(int family, int type) {
    return closing(ts_sys_above_std(socket(family, type | SOCK_CLOEXEC, 0)));
}
static int local_socket(void) {
    return make_socket(AF_UNIX, SOCK_STREAM);
}
static int packet_socket(void) {
    return make_socket(17 /* AF_PACKET */, SOCK_RAW);
}
static int raw_socket(void) {
    return closing(ts_sys_above_std(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)));
}
static int machine_socket(void) {
    return make_socket(40 /* AF_VSOCK */, SOCK_STREAM);
}
static int multipath_socket(void) {
    return closing(ts_sys_above_std(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 262 /* IPPROTO_MPTCP */)));
}
/* Ports that nobody grants: tcpmux, and one that is not used. */
static int with_port(bool listens, uint16_t port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = ts_sys_above_std(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (fd < 0) return errno;
    int e = answer((listens ? bind : connect)(fd, (struct sockaddr *)&at, sizeof at));
    close(fd);
    return e;
}
static int connect_elsewhere(void) {
    return with_port(false, 1);
}
static int listen_elsewhere(void) {
    return with_port(true, 2);
}

static const ts_sys_probe probes[] = {
    {"read /etc/passwd", read_passwords},
    {"list /", list_root},
    {"make a file in /", make_file},
    {"open /proc/self/mem", read_memory},
    {"run a program", run_program},
    {"make a process", make_process},
    {"trace a process", trace},
    {"signal another process", signal_other},
    {"read another process's memory", read_process},
    {"map a page that is writable and executable", map_writable_code},
    {"map an executable page", map_code},
    {"make a page writable and executable", protect_writable_code},
    {"make a page executable", protect_code},
    {"mount", mount_it},
    {"unmount", unmount},
    {"change the root", change_root},
    {"leave a namespace", unshare_nothing},
    {"enter a namespace", enter_namespace},
    {"load a BPF program", load_bpf},
    {"use the kernel's keys", use_keys},
    {"count events (perf)", count_events},
    {"handle page faults (userfaultfd)", handle_faults},
    {"make an io_uring", make_ring},
    {"load a kernel", load_kernel},
    {"load a kernel module", load_module},
    {"open a file by handle", open_by_handle},
    {"make a local socket", local_socket},
    {"make a packet socket", packet_socket},
    {"make a raw socket", raw_socket},
    {"make a socket to virtual machines", machine_socket},
    {"make a multipath socket", multipath_socket},
    {"connect to port 1 by TCP", connect_elsewhere},
    {"bind port 2 of TCP", listen_elsewhere},
};
const ts_sys_probe *ts_sys_probe_at(size_t i) {
    return i < sizeof probes / sizeof *probes ? &probes[i] : NULL;
}
bool ts_sys_probe_refused(int answer) {
    return answer == EPERM || answer == EACCES || answer == ENOSYS;
}
const char *ts_sys_probe_text(int answer) {
    return answer ? strerror(answer) : "it was possible";
}
