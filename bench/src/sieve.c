/* The sieve of Eratosthenes over bytes. */
#include "bench.h"
enum { N = 400000 };
static u8 composite[N];
RUN i32 run(i32 n) {
    i32 count = 0;
    for (i32 r = 0; r < n; r++) {
        for (i32 i = 0; i < N; i++) composite[i] = (u8)(i < 2);
        for (i32 i = 2; i * i < N; i++)
            if (!composite[i])
                for (i32 j = i * i; j < N; j += i) composite[j] = 1;
        for (i32 i = 0; i < N; i++) count += !composite[i];
    }
    return count;
}
