/* sys/lookup: see lookup.h */
#define _GNU_SOURCE
#include "sys/lookup.h"
#include "base/cfi.h"
#include "sys/descriptors.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_ADDRESSES = 256 };

struct ts_sys_lookups {
    pthread_mutex_t lock;
    uint32_t refs, running, most; /* under the lock */
};

struct ts_sys_lookup {
    ts_sys_lookups *all;
    uint32_t refs; /* held by the owner and the thread; under all->lock */
    bool done;     /* under all->lock; once it is set, nothing else changes */
    int fd[2];     /* the thread closes the write end when done, which makes the read end readable */
    ts_sys_lookup_result how;
    ts_sys_addr addrs[MOST_ADDRESSES];
    size_t n;
    char name[254];
};

ts_sys_lookups *ts_sys_lookups_new(uint32_t most) {
    ts_sys_lookups *all = calloc(1, sizeof *all);
    if (!all) return NULL;
    all->refs = 1;
    all->most = most;
    if (pthread_mutex_init(&all->lock, NULL) == 0) return all;
    free(all);
    return NULL;
}
void ts_sys_lookups_free(ts_sys_lookups *all) {
    if (!all) return;
    pthread_mutex_lock(&all->lock);
    bool last = --all->refs == 0;
    pthread_mutex_unlock(&all->lock);
    if (!last) return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static void release(ts_sys_lookup *l) {
    ts_sys_lookups *all = l->all;
    pthread_mutex_lock(&all->lock);
    bool last = --l->refs == 0;
    pthread_mutex_unlock(&all->lock);
    if (!last) return;
    if (l->fd[0] >= 0) close(l->fd[0]);
    if (l->fd[1] >= 0) close(l->fd[1]);
    free(l);
    ts_sys_lookups_free(all);
}
void ts_sys_lookup_free(ts_sys_lookup *l) {
    if (l) release(l);
}

/* --- libraries --------------------------------------------------------------------------------------------------
 */
static void load_module(const char *name, size_t len) {
    char file[64];
    if (len == 0 || len > 40) return;
    snprintf(file, sizeof file, "libnss_%.*s.so.2", (int)len, name);
    (void)dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE); /* absent: the C library has it, or ignores it */
}
/* nsswitch.conf(5): "hosts: files mdns4_minimal [NOTFOUND=return] dns" */
static void load_modules(FILE *f) {
    char line[1024];
    while (fgets(line, sizeof line, f)) {
        char *at = line + strspn(line, " \t");
        if (strncmp(at, "hosts:", 6) != 0) continue;
        for (at += 6; *at && *at != '#' && *at != '\n';) {
            size_t n = *at == '[' ? strcspn(at, "]\n") + 1 : strcspn(at, " \t\n[#");
            /* these two are parts of the C library (glibc 2.34) */
            bool own = (n == 5 && memcmp(at, "files", 5) == 0) || (n == 3 && memcmp(at, "dns", 3) == 0);
            if (*at != '[' && !own) load_module(at, n);
            at += n < strlen(at) ? n : strlen(at);
            at += strspn(at, " \t");
        }
    }
}
void ts_sys_lookup_prepare(void) {
    (void)dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    FILE *f = ts_sys_fopen("/etc/nsswitch.conf", "r");
    if (!f) return;
    load_modules(f);
    fclose(f);
}

/* --- names ---------------------------------------------------------------------------------------------------------
 */
/* RFC 1035 2.3.4, RFC 1123 2.1; underscores are allowed because real names have them. */
static bool well_formed(const char *s, size_t len) {
    if (len && s[len - 1] == '.') len--;
    if (len == 0 || len > 253) return false;
    size_t label = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i == len || s[i] == '.') {
            if (label == 0 || label > 63 || s[i - 1] == '-' || s[i - label] == '-') return false;
            label = 0;
            continue;
        }
        char c = s[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
        label++;
    }
    /* a host that ends in a number is an address or invalid
     * (WHATWG URL, "ends in a number"): 1.2.3, 256.1.1.1 */
    size_t last = len;
    while (last && s[last - 1] != '.') last--;
    for (size_t i = last; i < len; i++)
        if (s[i] < '0' || s[i] > '9') return true;
    return false;
}

/* Uses libidn2 if it is installed: int idn2_to_ascii_8z(const char *, char **, int) */
static TS_UNCHECKED_CALLS ts_sys_lookup_result to_ascii(const char *name, char out[254]) {
    enum { NFC_INPUT = 1, NONTRANSITIONAL = 8 };
    void *lib = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!lib) return TS_SYS_LOOKUP_NO_IDNA;
    ts_sys_lookup_result r = TS_SYS_LOOKUP_NO_IDNA;
    int (*convert)(const char *, char **, int) = NULL;
    void (*give_back)(void *) = NULL;
    *(void **)&convert = dlsym(lib, "idn2_to_ascii_8z");
    *(void **)&give_back = dlsym(lib, "idn2_free");
    if (convert && give_back) {
        char *ascii = NULL;
        r = convert(name, &ascii, NFC_INPUT | NONTRANSITIONAL) == 0 && ascii && strlen(ascii) < 254
                ? TS_SYS_LOOKUP_OK
                : TS_SYS_LOOKUP_INVALID;
        if (r == TS_SYS_LOOKUP_OK) strcpy(out, ascii);
        give_back(ascii);
    }
    dlclose(lib);
    return r;
}

ts_sys_lookup_result ts_sys_name_check(const char *name, size_t len, char out[254]) {
    ts_sys_addr a;
    bool ascii = true;
    char copy[1024];
    if (len == 0 || len >= sizeof copy || memchr(name, 0, len)) return TS_SYS_LOOKUP_INVALID;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] >= 0x80) ascii = false;
    memcpy(copy, name, len);
    copy[len] = 0;
    if (ascii) {
        if (len > 253 && !(len == 254 && name[253] == '.')) return TS_SYS_LOOKUP_INVALID;
        if (len == 254) copy[--len] = 0;
        memcpy(out, copy, len + 1);
    } else {
        ts_sys_lookup_result r = to_ascii(copy, out);
        if (r) return r;
    }
    return ts_sys_addr_parse(out, strlen(out), &a) || well_formed(out, strlen(out)) ? TS_SYS_LOOKUP_OK
                                                                                    : TS_SYS_LOOKUP_INVALID;
}

static ts_sys_lookup_result ip_text(const ts_sys_addr *a, char out[254]) {
    return inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->ip, out, 254) ? TS_SYS_LOOKUP_OK : TS_SYS_LOOKUP_INVALID;
}
/* Parses one number of an IPv4 address: decimal, octal after 0, or hexadecimal after 0x. */
static bool ipv4_number(const char *s, size_t len, uint64_t *out) {
    unsigned base = 10;
    *out = 0;
    if (len == 0) return false;
    if (len >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2, len -= 2;
    } else if (len >= 2 && s[0] == '0') {
        base = 8;
        s++, len--;
    }
    for (size_t i = 0; i < len; i++) {
        char c = s[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit >= base) return false;
        *out = *out * base + digit;
        if (*out > UINT32_MAX) *out = (uint64_t)UINT32_MAX + 1; /* too large, whatever follows */
    }
    return true;
}
/* A host whose last part is a number is an IPv4 address or invalid. URL Standard, 3.5: "ends in a number",
 * "IPv4 parser". Returns false if the host is a name. */
static bool ipv4_host(const char *s, size_t len, ts_sys_lookup_result *r, ts_sys_addr *a) {
    if (len && s[len - 1] == '.') len--;
    size_t last = len;
    uint64_t n;
    while (last && s[last - 1] != '.') last--;
    bool digits = last < len;
    for (size_t i = last; i < len; i++) digits &= s[i] >= '0' && s[i] <= '9';
    if (!digits && !ipv4_number(s + last, len - last, &n)) return false;
    *a = (ts_sys_addr){0};
    *r = TS_SYS_LOOKUP_INVALID;
    uint64_t value = 0;
    for (unsigned parts = 0; parts < 4; parts++) {
        const char *dot = memchr(s, '.', len);
        size_t part = dot ? (size_t)(dot - s) : len;
        if (!ipv4_number(s, part, &n)) return true;
        if (!dot) { /* the last number fills the remaining bytes */
            if (n >> (8 * (4 - parts))) return true;
            value = value << (8 * (4 - parts)) | n;
            for (int i = 0; i < 4; i++) a->ip[i] = (uint8_t)(value >> (24 - 8 * i));
            *r = TS_SYS_LOOKUP_OK;
            return true;
        }
        if (n > 255) return true;
        value = value << 8 | n;
        s += part + 1, len -= part + 1;
    }
    return true;
}

ts_sys_lookup_result ts_sys_host_parse(const char *name, size_t len, char out[254]) {
    /* URL Standard, 3.1: "forbidden domain code point", except the control characters */
    static const char forbidden[] = " #/:<>?@[\\]^|%\x7f";
    char copy[1024];
    ts_sys_addr a;
    ts_sys_lookup_result r = TS_SYS_LOOKUP_OK;
    bool ascii = true;
    if (len == 0 || len >= sizeof copy) return TS_SYS_LOOKUP_INVALID;
    bool brackets = name[0] == '[' && name[len - 1] == ']';
    if (brackets) name++, len -= 2;
    if (ts_sys_addr_parse(name, len, &a) && (a.v6 || !brackets)) return ip_text(&a, out);
    if (brackets) return TS_SYS_LOOKUP_INVALID;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] < 0x20) return TS_SYS_LOOKUP_INVALID;
        if ((unsigned char)name[i] >= 0x80) ascii = false;
    }
    memcpy(copy, name, len);
    copy[len] = 0;
    if (!ascii) {
        r = to_ascii(copy, out);
        if (r) return r;
    } else {
        if (len > 253 && !(len == 254 && name[253] == '.')) return TS_SYS_LOOKUP_INVALID;
        if (len == 254) copy[--len] = 0;
        memcpy(out, copy, len + 1);
    }
    if (!out[0]) return TS_SYS_LOOKUP_INVALID; /* it had only characters that IDNA removes */
    if (out[strcspn(out, forbidden)]) return TS_SYS_LOOKUP_INVALID;
    if (!ipv4_host(out, strlen(out), &r, &a)) return TS_SYS_LOOKUP_OK;
    return r ? r : ip_text(&a, out);
}

/* --- the thread ----------------------------------------------------------------------------------------------------
 */
static ts_sys_lookup_result result_of(int r) {
    switch (r) {
    case 0: return TS_SYS_LOOKUP_OK;
#ifdef EAI_NODATA
    case EAI_NODATA: return TS_SYS_LOOKUP_BARE;
#endif
#ifdef EAI_ADDRFAMILY
    case EAI_ADDRFAMILY: return TS_SYS_LOOKUP_BARE;
#endif
    case EAI_NONAME: return TS_SYS_LOOKUP_NONE;
    case EAI_AGAIN: return TS_SYS_LOOKUP_TEMPORARY;
    case EAI_FAIL: return TS_SYS_LOOKUP_PERMANENT;
    case EAI_MEMORY: return TS_SYS_LOOKUP_NOMEM;
    case EAI_SYSTEM: return errno == EMFILE || errno == ENFILE ? TS_SYS_LOOKUP_TEMPORARY : TS_SYS_LOOKUP_OTHER;
    default: return TS_SYS_LOOKUP_OTHER;
    }
}

/* Replaces an IPv4-mapped IPv6 address by its IPv4 address.
 * wit: "never returns IPv4-mapped IPv6 addresses" */
static void unmap(ts_sys_addr *a) {
    if (!ts_sys_addr_is_mapped(a)) return;
    memmove(a->ip, a->ip + 12, 4);
    memset(a->ip + 4, 0, 12);
    a->v6 = false;
}

static void *look_up(void *data) {
    ts_sys_lookup *l = data;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    l->how = result_of(getaddrinfo(l->name, NULL, &hints, &found));
    for (struct addrinfo *i = found; i && l->n < MOST_ADDRESSES; i = i->ai_next) {
        ts_sys_addr a = {.v6 = i->ai_family == AF_INET6};
        if (i->ai_family == AF_INET)
            memcpy(a.ip, &((struct sockaddr_in *)(void *)i->ai_addr)->sin_addr, 4);
        else if (i->ai_family == AF_INET6)
            memcpy(a.ip, &((struct sockaddr_in6 *)(void *)i->ai_addr)->sin6_addr, 16);
        else
            continue;
        bool known = false;
        unmap(&a);
        for (size_t k = 0; k < l->n && !known; k++) known = ts_sys_addr_same(&a, &l->addrs[k]);
        if (!known) l->addrs[l->n++] = a;
    }
    if (found) freeaddrinfo(found);
    if (l->how == TS_SYS_LOOKUP_OK && l->n == 0) l->how = TS_SYS_LOOKUP_NONE;
    pthread_mutex_lock(&l->all->lock);
    l->all->running--;
    l->done = true;
    close(l->fd[1]);
    l->fd[1] = -1;
    pthread_mutex_unlock(&l->all->lock);
    release(l);
    return NULL;
}

ts_sys_lookup_result ts_sys_lookup_start(ts_sys_lookups *all, const char *name, ts_sys_lookup **out) {
    *out = NULL;
    ts_sys_lookup *l = calloc(1, sizeof *l);
    if (!l) return TS_SYS_LOOKUP_NOMEM;
    l->all = all;
    l->refs = 1;
    l->fd[0] = l->fd[1] = -1;
    memcpy(l->name, name, strlen(name) + 1);
    pthread_mutex_lock(&all->lock);
    all->refs++;
    pthread_mutex_unlock(&all->lock);
    if (ts_sys_addr_parse(name, strlen(name), &l->addrs[0])) {
        unmap(&l->addrs[0]);
        l->n = 1;
        l->done = true;
        *out = l;
        return TS_SYS_LOOKUP_OK;
    }
    if (!ts_sys_pipe(l->fd)) {
        release(l);
        return TS_SYS_LOOKUP_TEMPORARY;
    }
    pthread_mutex_lock(&all->lock);
    bool room = all->running < all->most;
    if (room) {
        all->running++;
        l->refs++;
    }
    pthread_mutex_unlock(&all->lock);
    pthread_t thread;
    pthread_attr_t attr;
    int r = -1;
    if (room && pthread_attr_init(&attr) == 0) {
        sigset_t every, before; /* signals are for the thread that runs the guest */
        sigfillset(&every);
        pthread_sigmask(SIG_SETMASK, &every, &before);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        r = pthread_create(&thread, &attr, look_up, l);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attr);
    }
    if (r != 0) {
        if (room) {
            pthread_mutex_lock(&all->lock);
            all->running--;
            l->refs--;
            pthread_mutex_unlock(&all->lock);
        }
        release(l);
        return TS_SYS_LOOKUP_TEMPORARY;
    }
    *out = l;
    return TS_SYS_LOOKUP_OK;
}

int ts_sys_lookup_fd(const ts_sys_lookup *l) {
    return l->fd[0];
}
bool ts_sys_lookup_done(ts_sys_lookup *l, ts_sys_lookup_result *how, const ts_sys_addr **addrs, size_t *n) {
    pthread_mutex_lock(&l->all->lock);
    bool done = l->done;
    pthread_mutex_unlock(&l->all->lock);
    if (!done) return false;
    *how = l->how;
    *addrs = l->addrs;
    *n = l->n;
    return true;
}
