/* A compressor of the LZ77 family with a hash of three bytes, and its decompressor. */
#include "bench.h"
enum { SIZE = 32768, HASH = 4096 };
static u8 input[SIZE], packed[SIZE + SIZE / 8 + 16], output[SIZE];
static i32 heads[HASH];
static NOINLINE i32 compress(const u8 *in, i32 size, u8 *out) {
    i32 at = 0, o = 0, flags = 0, bit = 8;
    for (i32 i = 0; i < HASH; i++) heads[i] = -1;
    while (at < size) {
        if (bit == 8) flags = o++, out[flags] = 0, bit = 0;
        i32 best = 0, from = -1;
        if (at + 3 <= size) {
            u32 h = ((u32)in[at] << 16 | (u32)in[at + 1] << 8 | in[at + 2]) * 2654435761u >> 20;
            from = heads[h];
            heads[h] = at;
            if (from >= 0 && at - from < 4096)
                while (best < 18 && at + best < size && in[from + best] == in[at + best]) best++;
        }
        if (best >= 3) {
            u32 pair = (u32)(at - from) << 4 | (u32)(best - 3);
            out[flags] |= (u8)(1 << bit);
            out[o++] = (u8)pair;
            out[o++] = (u8)(pair >> 8);
            at += best;
        } else
            out[o++] = in[at++];
        bit++;
    }
    return o;
}
static NOINLINE i32 decompress(const u8 *in, i32 size, u8 *out) {
    i32 o = 0, at = 0;
    while (at < size)
        for (u32 flags = in [at++] | 256; flags != 1 && at < size; flags >>= 1)
            if (flags & 1) {
                u32 pair = in[at] | (u32)in[at + 1] << 8;
                at += 2;
                for (i32 k = (i32)(pair & 15) + 3, from = o - (i32)(pair >> 4); k > 0; k--) out[o++] = out[from++];
            } else
                out[o++] = in[at++];
    return o;
}
RUN i32 run(i32 n) {
    u32 seed = 9, sum = 0;
    for (i32 i = 0; i < SIZE; i++)
        input[i] = (u8)(i > 600 && next_random(&seed) % 4 ? input[i - 577] : 'a' + next_random(&seed) % 16);
    for (i32 r = 0; r < n; r++) {
        input[(u32)r * 97 % SIZE] ^= 1;
        i32 size = compress(input, SIZE, packed), back = decompress(packed, size, output);
        sum = sum * 31 + (u32)size;
        for (i32 i = 0; i < SIZE; i++) sum += input[i] != output[i];
        sum += back != SIZE;
    }
    return (i32)sum;
}
