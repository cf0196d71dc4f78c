/*
 * Told repetitions and bytes, coded by the block's own Huffman codes (RFC 1951).
 *
 * HOT: runs over every byte of a compressed output.
 *   budget   a table look-up and a shift a byte that is not repeated, some twenty instructions a repetition
 */
#include "converter/deflate.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "converter/huffman.h"

enum {
    LITERALS = 286, DISTANCES = 30, LENGTHS = 19,
    END = 256,
    CODE_MAX = 15, LENGTH_CODE_MAX = 7,
    MATCH_MAX = 258,
    HEAD_ROOM = 512,                    /* a block's codes, and what ends it */
    COUNT_EACH = 4,                     /* so many blocks have the codes of the first of them: they are much alike */
};

struct ct_deflate {
    unsigned blocks;
    uint32_t literal_count[LITERALS], distance_count[DISTANCES];
    struct ct_huffman_code literal[LITERALS], distance[DISTANCES];
    uint16_t match_symbol[MATCH_MAX + 1];   /* of a length: its symbol, extra bits, and what they count from */
    uint8_t match_bits[MATCH_MAX + 1];
    uint16_t match_base[MATCH_MAX + 1];
};

struct bits {
    uint8_t *to;
    uint64_t word;
    unsigned count;
};

struct ct_deflate *ct_deflate_new(void)
{
    struct ct_deflate *d = calloc(1, sizeof *d);
    unsigned size = 3;

    if (!d)
        return NULL;
    for (unsigned symbol = 257; symbol < LITERALS - 1; symbol++) {
        unsigned extra = symbol < 265 ? 0 : (symbol - 261) / 4, base = size;

        for (unsigned i = 0; i < 1u << extra && size < MATCH_MAX; i++, size++) {
            d->match_symbol[size] = (uint16_t)symbol;
            d->match_bits[size] = (uint8_t)extra;
            d->match_base[size] = (uint16_t)base;
        }
    }
    d->match_symbol[MATCH_MAX] = LITERALS - 1;
    d->match_base[MATCH_MAX] = MATCH_MAX;
    return d;
}

void ct_deflate_free(struct ct_deflate *d)
{
    free(d);
}

size_t ct_deflate_room(size_t size)
{
    return size * 2 + HEAD_ROOM;        /* no code is longer than 15 bits */
}

/* --- bits --- */

static inline void put(struct bits *b, uint64_t value, unsigned count)
{
    b->word |= value << b->count;
    b->count += count;
}

/* At least 57 bits can be put after it. */
static inline void flush(struct bits *b)
{
    uint64_t word = htole64(b->word);

    memcpy(b->to, &word, sizeof word);
    b->to += b->count / 8;
    b->word >>= b->count & 56;
    b->count &= 7;
}

/* --- repetitions --- */

/* The symbol of a distance, and how many extra bits it has. */
static inline unsigned distance_symbol(unsigned distance, unsigned *ret_bits)
{
    unsigned d = distance - 1, top;

    if (d < 4) {
        *ret_bits = 0;
        return d;
    }
    top = 31 - (unsigned)__builtin_clz(d);
    *ret_bits = top - 1;
    return 2 * top + (d >> (top - 1) & 1);
}

/* How much of `left` bytes one match takes: what remains is none, or enough for another. */
static inline unsigned match_size(unsigned left)
{
    return left <= MATCH_MAX ? left : left < MATCH_MAX + 3 ? MATCH_MAX - 3 : MATCH_MAX;
}

static void count_symbols(struct ct_deflate *d, const uint8_t *bytes, size_t size, const struct ct_repeat *repeats,
                          size_t count)
{
    size_t at = 0;

    for (unsigned i = 0; i < LITERALS; i++)
        d->literal_count[i] = 1;        /* the blocks after it may have what it has not */
    for (unsigned i = 0; i < DISTANCES; i++)
        d->distance_count[i] = 1;
    for (size_t i = 0; i <= count; i++) {
        size_t until = i < count ? repeats[i].at : size;
        unsigned bits;

        while (at < until)
            d->literal_count[bytes[at++]]++;
        if (i == count)
            break;
        for (unsigned left = repeats[i].size, one; left > 0; left -= one) {
            one = match_size(left);
            d->literal_count[d->match_symbol[one]]++;
            d->distance_count[distance_symbol(repeats[i].distance, &bits)]++;
        }
        at += repeats[i].size;
    }
}

static inline void put_repeat(const struct ct_deflate *d, struct bits *b, const struct ct_repeat *repeat)
{
    unsigned bits, symbol = distance_symbol(repeat->distance, &bits);

    for (unsigned left = repeat->size, one; left > 0; left -= one) {
        const struct ct_huffman_code *code;

        one = match_size(left);
        code = &d->literal[d->match_symbol[one]];
        flush(b);
        put(b, code->bits, code->size);
        put(b, one - d->match_base[one], d->match_bits[one]);
        put(b, d->distance[symbol].bits, d->distance[symbol].size);
        put(b, (repeat->distance - 1u) & ((1u << bits) - 1), bits);
    }
}

static void put_symbols(const struct ct_deflate *d, struct bits *b, const uint8_t *bytes, size_t size,
                        const struct ct_repeat *repeats, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i <= count; i++) {
        size_t until = i < count ? repeats[i].at : size;

        for (; at + 3 <= until; at += 3) {      /* three codes fit between two flushes */
            flush(b);
            for (unsigned k = 0; k < 3; k++)
                put(b, d->literal[bytes[at + k]].bits, d->literal[bytes[at + k]].size);
        }
        flush(b);
        for (; at < until; at++)
            put(b, d->literal[bytes[at]].bits, d->literal[bytes[at]].size);
        if (i == count)
            break;
        put_repeat(d, b, &repeats[i]);
        at += repeats[i].size;
    }
    flush(b);
    put(b, d->literal[END].bits, d->literal[END].size);
}

/* --- the block's head: its codes, by their lengths --- */

static void put_lengths(const struct ct_deflate *d, struct bits *b)
{
    static const uint8_t order[LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
    uint32_t counts[LENGTHS] = { 0 };
    struct ct_huffman_code codes[LENGTHS];
    uint8_t lengths[LITERALS + DISTANCES];

    for (unsigned i = 0; i < LITERALS; i++)
        counts[lengths[i] = d->literal[i].size]++;
    for (unsigned i = 0; i < DISTANCES; i++)
        counts[lengths[LITERALS + i] = d->distance[i].size]++;
    ct_huffman_codes(counts, LENGTHS, LENGTH_CODE_MAX, codes);
    put(b, LITERALS - 257, 5);
    put(b, DISTANCES - 1, 5);
    put(b, LENGTHS - 4, 4);
    for (unsigned i = 0; i < LENGTHS; i++) {
        flush(b);
        put(b, codes[order[i]].size, 3);
    }
    for (unsigned i = 0; i < LITERALS + DISTANCES; i++) {
        flush(b);
        put(b, codes[lengths[i]].bits, codes[lengths[i]].size);
    }
    flush(b);
}

size_t ct_deflate_block(struct ct_deflate *d, const uint8_t *bytes, size_t size, const struct ct_repeat *repeats,
                        size_t count, uint8_t *to)
{
    struct bits b = { .to = to };

    if (d->blocks++ % COUNT_EACH == 0) {
        count_symbols(d, bytes, size, repeats, count);
        ct_huffman_codes(d->literal_count, LITERALS, CODE_MAX, d->literal);
        ct_huffman_codes(d->distance_count, DISTANCES, CODE_MAX, d->distance);
    }
    put(&b, 0, 1);                      /* not the last block */
    put(&b, 2, 2);                      /* with codes of its own */
    put_lengths(d, &b);
    put_symbols(d, &b, bytes, size, repeats, count);
    flush(&b);
    put(&b, 0, 3);                      /* an empty stored block ends on a byte's border */
    b.count = (b.count + 7) & ~7u;
    flush(&b);
    memcpy(b.to, "\0\0\xff\xff", 4);
    return (size_t)(b.to + 4 - to);
}
