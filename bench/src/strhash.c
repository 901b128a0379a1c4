/* Words in a hash table: FNV-1a, open addressing, comparison of strings byte by byte. */
#include "bench.h"
enum { WORDS = 4000, SLOTS = 8192 };
static char text[WORDS * 16];
static i32 offsets[WORDS], table[SLOTS], counts[SLOTS];
static NOINLINE u32 hash(const char *s) {
    u32 h = 2166136261u;
    for (; *s; s++) h = (h ^ (u8)*s) * 16777619u;
    return h;
}
static NOINLINE int same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}
RUN i32 run(i32 n) {
    u32 seed = 42;
    i32 at = 0;
    for (i32 i = 0; i < WORDS; i++) {
        offsets[i] = at;
        i32 len = 3 + (i32)(next_random(&seed) % 11);
        for (i32 k = 0; k < len; k++) text[at++] = (char)('a' + next_random(&seed) % (k < 2 ? 26 : 4));
        text[at++] = 0;
    }
    for (i32 i = 0; i < SLOTS; i++) table[i] = -1, counts[i] = 0;
    u32 sum = 0;
    for (i32 r = 0; r < n; r++)
        for (i32 i = 0; i < WORDS; i++) {
            const char *word = text + offsets[i];
            u32 h = hash(word), slot = h % SLOTS;
            while (table[slot] >= 0 && !same(text + offsets[table[slot]], word)) slot = (slot + 1) % SLOTS;
            if (table[slot] < 0) table[slot] = i;
            sum += h ^ (u32)++counts[slot];
        }
    return (i32)sum;
}
