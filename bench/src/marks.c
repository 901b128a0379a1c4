/* What small processors are measured with, in our own words: a linked list, a matrix of integers, a state machine, a
 * CRC. */
#include "bench.h"
typedef struct node {
    struct node *next;
    u16 key, value;
} node;
enum { NODES = 120, SIZE = 12 };
static node nodes[NODES];
static u16 A[SIZE][SIZE], B[SIZE][SIZE];
static u32 C[SIZE][SIZE];

static NOINLINE u16 crc16(u32 word, u16 crc) {
    for (int i = 0; i < 32; i++, word >>= 1) {
        u32 bit = (word ^ crc) & 1;
        crc >>= 1;
        if (bit) crc ^= 0xa001;
    }
    return crc;
}
static NOINLINE node *reverse(node *list) {
    node *done = 0;
    while (list) {
        node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}
static NOINLINE const node *find(const node *list, u16 key) {
    while (list && list->key != key) list = list->next;
    return list;
}
/* merge sort of a list, from runs of one node upwards */
static NOINLINE node *sort(node *list, int by_value) {
    for (int width = 1;; width *= 2) {
        node *p = list, *tail = 0;
        int merges = 0;
        list = 0;
        while (p) {
            node *q = p;
            int np = 0, nq = width;
            merges++;
            while (np < width && q) np++, q = q->next;
            while (np > 0 || (nq > 0 && q)) {
                node *e;
                int left = nq == 0 || !q || (np > 0 && (by_value ? p->value <= q->value : p->key <= q->key));
                if (left)
                    e = p, p = p->next, np--;
                else
                    e = q, q = q->next, nq--;
                if (tail)
                    tail->next = e;
                else
                    list = e;
                tail = e;
            }
            p = q;
        }
        tail->next = 0;
        if (merges <= 1) return list;
    }
}
static NOINLINE u32 matrix(u32 seed) {
    u32 sum = 0;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) A[i][j] = (u16)(seed + (u32)(i * j)), B[i][j] = (u16)(seed ^ (u32)(i + j));
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            u32 s = 0;
            for (int k = 0; k < SIZE; k++) s += (u32)A[i][k] * B[k][j];
            C[i][j] = s;
        }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) sum += (C[i][j] >> 2 & 15) * (C[i][j] >> 5 & 127);
    return sum;
}
enum { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, DIGITS, BAD, STATES };
static NOINLINE u32 scan(const char *p) {
    u32 ends[STATES] = {0};
    while (*p) {
        int state = START;
        for (; *p && *p != ','; p++) {
            int digit = *p >= '0' && *p <= '9';
            switch (state) {
            case START: state = digit ? INTEGER : *p == '-' || *p == '+' ? SIGN : *p == '.' ? POINT : BAD; break;
            case SIGN: state = digit ? INTEGER : *p == '.' ? POINT : BAD; break;
            case INTEGER: state = digit ? INTEGER : *p == '.' ? POINT : *p == 'e' ? EXPONENT : BAD; break;
            case POINT:
            case FRACTION: state = digit ? FRACTION : *p == 'e' ? EXPONENT : BAD; break;
            case EXPONENT: state = digit || *p == '-' ? DIGITS : BAD; break;
            case DIGITS: state = digit ? DIGITS : BAD; break;
            default: break;
            }
        }
        if (*p) p++;
        ends[state]++;
    }
    u32 sum = 0;
    for (int i = 0; i < STATES; i++) sum = sum * 7 + ends[i];
    return sum;
}
RUN i32 run(i32 n) {
    static const char numbers[] = "5012,+6.25e-3,-.875,x9,12.,1e9,-3.5e4,0.110,hello,44443,7e,2.0e-2,+900,--1,3.14159,"
                                  "8,.5e5,T0.3e-1F,-874122,+0.64400";
    u32 seed = 3;
    u16 crc = 0;
    for (i32 i = 0; i < NODES; i++)
        nodes[i] = (node){i + 1 < NODES ? &nodes[i + 1] : 0, (u16)i, (u16)next_random(&seed)};
    node *list = nodes;
    for (i32 r = 0; r < n; r++) {
        for (u16 key = 0; key < NODES; key += 7) {
            list = reverse(list);
            const node *found = find(list, key);
            crc = crc16(found ? found->value : key, crc);
        }
        list = sort(list, 1);
        crc = crc16((u32)list->value << 16 | list->key, crc);
        list = sort(list, 0);
        crc = crc16(matrix((u32)r & 63), crc);
        crc = crc16(scan(numbers), crc);
    }
    return crc;
}
