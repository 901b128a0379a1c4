/* http_probe: the HTTP client by itself, driven from outside as a guest would drive it.
 * In: commands on stdin, one a line, words between blanks (%XX for other bytes). Out: lines that say what happened.
 * runtime/tests/outside/test_http_client.py is its user: servers of every kind stand there.
 *
 *   client [CA]                            a new client (the old one is freed)
 *   may all | none | not ADDRESS           which addresses may be connected to
 *   send ID METHOD SCHEME AUTHORITY PATH CONNECT FIRST BETWEEN BODY [NAME VALUE]…
 *                                          timeouts in ms, 0: none; BODY: none, empty (no content), pipe
 *   write ID BYTES; fill ID N; end ID [NAME VALUE]…; abandon ID      the request's body: abandon drops it unfinished
 *   look ID                                whether the response is there: nothing is said, and no wait
 *   have ID                                how many bytes of the response's body the pipe holds now
 *   poll                                   a wait with the deadline 0
 *   wait ID                                until the response's head, or an error
 *   read ID [N]                            the response's body: to its end, or N bytes
 *   sink ID PIECE PAUSE                    to its end, PIECE bytes at a time, PAUSE µs between (in the OS's wait)
 *   both ID N                              N bytes up and everything down at once
 *   state ID; drop ID; leave ID            a look; the exchange; the response's body
 *   run MS; sleep MS                       wait with the client; compute without it
 *   idle; rss (KiB at most); cpu (ms so far); fds; quit */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "sys/clock.h"
#include "http/client/client.h"

enum { IDS = 2048, WORDS = 256, LINE = 1 << 21 };
#define MS UINT64_C(1000000)
#define PATIENCE (60000 * MS)

typedef struct call {
    ts_http_exchange *x;
    ts_http_pipe *up, *down;
    uint64_t sum, filled; /* of the bytes read; number of bytes filled so far */
} call;
typedef struct probe {
    ts_http_client *c;
    enum { ALL, NONE, NOT } rule;
    ts_sys_addr but;
    call calls[IDS];
} probe;

static bool may(void *data, const ts_sys_addr *a) {
    const probe *p = data;
    ts_sys_addr b = *a;
    b.port = 0;
    return p->rule == ALL || (p->rule == NOT && !ts_sys_addr_same(&b, &p->but));
}

static size_t unescape(char *w) {
    char *to = w;
    for (const char *s = w; *s; s++)
        if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
            char two[3] = {s[1], s[2], 0};
            *to++ = (char)strtoul(two, NULL, 16);
            s += 2;
        } else {
            *to++ = *s;
        }
    *to = 0;
    return (size_t)(to - w);
}
static void print_escaped(const void *bytes, size_t n) {
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        if (b[i] > ' ' && b[i] < 0x7f && b[i] != '%')
            putchar(b[i]);
        else
            printf("%%%02X", b[i]);
}
static void print_error(const ts_http_error *e) {
    printf("%s", ts_http_code_name(e->code));
    printf(" %s ", e->has_number ? "" : "-");
    if (e->has_number) printf("%llu ", (unsigned long long)e->number);
    if (e->has_text)
        print_escaped(e->text, strlen(e->text));
    else
        printf("-");
    putchar('\n');
}
static void print_fields(const char *what, int id, const ts_http_fields *f) {
    for (uint32_t i = 0; i < f->len; i++) {
        printf("%s %d ", what, id);
        print_escaped(f->data[i].name, f->data[i].name_len);
        putchar(' ');
        print_escaped(f->data[i].value, f->data[i].value_len);
        putchar('\n');
    }
}

/* One wait of the OS during which the client makes progress, as in wasi:io/poll. */
static void step(probe *p, uint64_t deadline) {
    ts_sys_wait few[64], *w = few;
    size_t n = ts_http_client_waits(p->c, few, 0, &deadline);
    if (n > 64) w = malloc(n * sizeof *w);
    n = ts_http_client_waits(p->c, w, n, &deadline);
    (void)ts_sys_poll(w, n, deadline);
    if (w != few) free(w);
    ts_http_client_pump(p->c);
}
static bool patient(probe *p, uint64_t until) {
    if (ts_sys_monotonic() > until) {
        printf("stuck\n");
        return false;
    }
    step(p, until + 1);
    return true;
}
static void run(probe *p, uint64_t until) {
    while (ts_sys_monotonic() < until) step(p, until);
}

static void write_all(probe *p, int id, const char *bytes, size_t n) {
    call *c = &p->calls[id];
    uint64_t until = ts_sys_monotonic() + PATIENCE;
    while (n) {
        size_t done = ts_http_pipe_put(c->up, bytes, n);
        bytes += done;
        n -= done;
        ts_http_pipe_notify(c->up);
        if (c->up->failed || c->up->ended || (n && !ts_http_pipe_room(c->up) && !patient(p, until))) break;
        if (done) until = ts_sys_monotonic() + PATIENCE;
    }
}
static char pattern(uint64_t at) {
    return (char)(at * 31 + (at >> 12));
}
static size_t fill_some(call *c, uint64_t n) {
    static char piece[16384];
    size_t room = ts_http_pipe_room(c->up);
    if (room > sizeof piece) room = sizeof piece;
    if (room > n) room = (size_t)n;
    for (size_t i = 0; i < room; i++) piece[i] = pattern(c->filled + i);
    size_t done = ts_http_pipe_put(c->up, piece, room);
    c->filled += done;
    return done;
}
static void written(int id, const ts_http_pipe *up) {
    printf("written %d %llu ", id, (unsigned long long)up->total);
    if (up->failed)
        print_error(&up->error);
    else
        printf("ok\n");
}

static void add(call *c, const uint8_t *b, size_t n) {
    for (size_t i = 0; i < n; i++) c->sum = c->sum * 1099511628211u + b[i] + 1;
}
static void body_end(int id, const ts_http_pipe *in) {
    print_fields("trailer", id, &in->trailers);
    printf("end %d ", id);
    if (in->failed)
        print_error(&in->error);
    else
        printf(in->ended ? "ok\n" : "open\n");
}
/* Reads up to `most` bytes, and prints them or only counts them. */
static void read_body(probe *p, int id, uint64_t most, size_t piece, uint64_t pause, bool show) {
    call *c = &p->calls[id];
    static uint8_t buf[65536];
    uint64_t got = 0, until = ts_sys_monotonic() + PATIENCE;
    if (show) printf("body %d ", id);
    while (got < most) {
        size_t want = most - got < piece ? (size_t)(most - got) : piece;
        if (!c->down->len) ts_http_pipe_notify(c->down);
        size_t n = ts_http_pipe_take(c->down, buf, want);
        if (n) {
            got += n;
            add(c, buf, n);
            if (show) print_escaped(buf, n);
            ts_http_pipe_notify(c->down);
            if (pause) run(p, ts_sys_monotonic() + pause * 1000);
            until = ts_sys_monotonic() + PATIENCE;
        } else if (c->down->ended || c->down->failed || !patient(p, until)) {
            break;
        }
    }
    if (show)
        putchar('\n');
    else
        printf("sunk %d %llu %016llx\n", id, (unsigned long long)got, (unsigned long long)c->sum);
    if (most == UINT64_MAX || c->down->ended || c->down->failed) body_end(id, c->down);
}
static void both(probe *p, int id, uint64_t n) {
    call *c = &p->calls[id];
    static uint8_t buf[65536];
    uint64_t got = 0, until = ts_sys_monotonic() + PATIENCE;
    bool open = true;
    while (!(c->down->ended || c->down->failed) || c->down->len) {
        size_t up = c->filled < n ? fill_some(c, n - c->filled) : 0;
        if (open && c->filled == n) {
            ts_http_pipe_end(c->up);
            open = false;
        }
        ts_http_pipe_notify(c->up);
        size_t down = ts_http_pipe_take(c->down, buf, sizeof buf);
        add(c, buf, down);
        got += down;
        ts_http_pipe_notify(c->down);
        /* A kick may have delivered bytes, made room, or ended the body, and then nothing would wake a
         * wait. */
        bool moved = c->down->len || c->down->ended || c->down->failed || (c->filled < n && ts_http_pipe_room(c->up));
        if (up || down)
            until = ts_sys_monotonic() + PATIENCE;
        else if (!moved && !patient(p, until))
            break;
    }
    printf("sunk %d %llu %016llx\n", id, (unsigned long long)got, (unsigned long long)c->sum);
    written(id, c->up);
    body_end(id, c->down);
}

static void show_state(int id, const call *c) {
    switch (ts_http_exchange_state(c->x)) {
    case TS_HTTP_PENDING: printf("pending %d\n", id); return;
    case TS_HTTP_FAILED:
        printf("failed %d ", id);
        print_error(ts_http_exchange_error(c->x));
        return;
    case TS_HTTP_RESPONDED: print_fields("field", id, ts_http_exchange_headers(c->x));
    }
    printf("response %d %u\n", id, ts_http_exchange_status(c->x));
}

static void leave(call *c) {
    if (!c->down) return;
    c->down->guest_closed = true;
    ts_http_pipe_notify(c->down);
    ts_http_pipe_release(c->down);
    c->down = NULL;
}
static void abandon(call *c) {
    if (!c->up) return;
    c->up->guest_closed = true;
    ts_http_pipe_notify(c->up);
    ts_http_pipe_release(c->up);
    c->up = NULL;
}
static void forget(call *c) {
    ts_http_exchange_free(c->x);
    leave(c);
    abandon(c);
    *c = (call){0};
}

static bool pairs(ts_http_fields *f, char **w, size_t n) {
    for (size_t i = 0; i + 1 < n; i += 2) {
        size_t name = unescape(w[i]), value = unescape(w[i + 1]);
        if (strcmp(w[i + 1], "-") == 0) value = 0; /* an empty one */
        if (!ts_http_fields_add(f, w[i], name, w[i + 1], value)) return false;
    }
    return n % 2 == 0;
}

static void send_request(probe *p, char **w, size_t n) {
    int id = atoi(w[1]);
    call *c = &p->calls[id];
    ts_http_fields f = {0};
    forget(c);
    for (int i = 2; i < 6; i++) (void)unescape(w[i]);
    if (!pairs(&f, w + 10, n - 10)) abort();
    if (strcmp(w[9], "none") != 0) c->up = ts_http_pipe_new();
    ts_http_request r = {.method = w[2],
                         .scheme = w[3],
                         .authority = w[4],
                         .path = w[5],
                         .headers = &f,
                         .connect_timeout = strtoull(w[6], NULL, 10) * MS,
                         .first_byte_timeout = strtoull(w[7], NULL, 10) * MS,
                         .between_bytes_timeout = strtoull(w[8], NULL, 10) * MS,
                         .body = c->up,
                         .no_content = strcmp(w[9], "empty") == 0};
    c->x = ts_http_client_send(p->c, &r);
    if (!c->x) abort();
    c->down = ts_http_exchange_body(c->x);
    ts_http_pipe_hold(c->down);
    ts_http_fields_clear(&f);
}

static int open_files(void) {
    int n = -3; /* the folder itself, "." and ".." */
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

/* Performs a command that needs no exchange. Returns false if it is another one. */
static bool of_client(probe *p, char **w, size_t n) {
    if (strcmp(w[0], "client") == 0) {
        for (int i = 0; i < IDS; i++) forget(&p->calls[i]);
        ts_http_client_free(p->c);
        p->c = ts_http_client_new(n > 1 ? w[1] : NULL);
        if (!p->c) abort();
        ts_http_client_set_may_connect(p->c, may, p);
    } else if (strcmp(w[0], "may") == 0) {
        p->rule = strcmp(w[1], "all") == 0 ? ALL : strcmp(w[1], "none") == 0 ? NONE : NOT;
        if (p->rule == NOT && !ts_sys_addr_parse(w[2], strlen(w[2]), &p->but)) abort();
    } else if (strcmp(w[0], "run") == 0) {
        run(p, ts_sys_monotonic() + strtoull(w[1], NULL, 10) * MS);
    } else if (strcmp(w[0], "poll") == 0) {
        step(p, 0);
    } else if (strcmp(w[0], "sleep") == 0) {
        usleep((useconds_t)strtoul(w[1], NULL, 10) * 1000);
    } else if (strcmp(w[0], "idle") == 0) {
        printf("idle %s\n", ts_http_client_idle(p->c) ? "yes" : "no");
    } else if (strcmp(w[0], "rss") == 0) {
        struct rusage u;
        getrusage(RUSAGE_SELF, &u);
        printf("rss %ld\n", u.ru_maxrss);
    } else if (strcmp(w[0], "cpu") == 0) {
        struct rusage u;
        getrusage(RUSAGE_SELF, &u);
        printf("cpu %ld\n",
               (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000);
    } else if (strcmp(w[0], "fds") == 0) {
        printf("fds %d\n", open_files());
    } else {
        return false;
    }
    return true;
}

static bool of_exchange(probe *p, char **w, size_t n) {
    int id = n > 1 ? atoi(w[1]) : -1;
    if (id < 0 || id >= IDS) return false;
    call *c = &p->calls[id];
    uint64_t until = ts_sys_monotonic() + PATIENCE;
    if (strcmp(w[0], "send") == 0 && n >= 10) {
        send_request(p, w, n);
    } else if (!c->x && strcmp(w[0], "read") != 0 && strcmp(w[0], "leave") != 0 && strcmp(w[0], "abandon") != 0) {
        return false;
    } else if (strcmp(w[0], "write") == 0) {
        size_t len = unescape(w[2]);
        write_all(p, id, w[2], len);
        written(id, c->up);
    } else if (strcmp(w[0], "fill") == 0) {
        uint64_t end = c->filled + strtoull(w[2], NULL, 10);
        while (c->filled < end && !c->up->failed && !c->up->ended) {
            size_t some = fill_some(c, end - c->filled);
            ts_http_pipe_notify(c->up);
            if (some)
                until = ts_sys_monotonic() + PATIENCE;
            else if (!c->up->failed && !c->up->ended && !ts_http_pipe_room(c->up) && !patient(p, until))
                break;
        }
        written(id, c->up);
    } else if (strcmp(w[0], "end") == 0) {
        if (!pairs(&c->up->trailers, w + 2, n - 2)) abort();
        ts_http_pipe_end(c->up);
        ts_http_pipe_notify(c->up);
    } else if (strcmp(w[0], "abandon") == 0) {
        abandon(c);
    } else if (strcmp(w[0], "look") == 0) {
        ts_http_exchange_note_poll(c->x);
    } else if (strcmp(w[0], "have") == 0) {
        printf("have %d %llu\n", id, (unsigned long long)c->down->len);
    } else if (strcmp(w[0], "wait") == 0) {
        ts_http_exchange_note_poll(c->x);
        while (ts_http_exchange_state(c->x) == TS_HTTP_PENDING && patient(p, until)) {
        }
        show_state(id, c);
    } else if (strcmp(w[0], "read") == 0) {
        read_body(p, id, n > 2 ? strtoull(w[2], NULL, 10) : UINT64_MAX, 65536, 0, true);
    } else if (strcmp(w[0], "sink") == 0) {
        read_body(p, id, UINT64_MAX, strtoul(w[2], NULL, 10), strtoul(w[3], NULL, 10), false);
    } else if (strcmp(w[0], "both") == 0) {
        both(p, id, strtoull(w[2], NULL, 10));
    } else if (strcmp(w[0], "state") == 0) {
        show_state(id, c);
    } else if (strcmp(w[0], "drop") == 0) {
        ts_http_exchange_free(c->x);
        c->x = NULL;
    } else if (strcmp(w[0], "leave") == 0) {
        leave(c);
    } else {
        return false;
    }
    return true;
}

int main(void) {
    static probe p;
    static char line[LINE];
    p.c = ts_http_client_new(NULL);
    if (!p.c) return 1;
    ts_http_client_set_may_connect(p.c, may, &p);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "quit\n") != 0) {
        char *w[WORDS];
        size_t n = 0;
        for (char *at = strtok(line, " \n"); at && n < WORDS; at = strtok(NULL, " \n")) w[n++] = at;
        if (n && !of_client(&p, w, n) && !of_exchange(&p, w, n)) {
            printf("what? %s\n", w[0]);
            return 2;
        }
        fflush(stdout);
    }
    for (int i = 0; i < IDS; i++) forget(&p.calls[i]);
    ts_http_client_free(p.c);
    printf("bye\n");
    return 0;
}
