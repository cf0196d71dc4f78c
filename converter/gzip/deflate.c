/*
 * Told repetitions and bytes, coded by the block's own Huffman codes (RFC 1951).
 *
 * HOT: runs over every byte of a compressed output.
 *   budget   eight instructions a byte that is not repeated, forty a repetition
 */
#include "converter/gzip/deflate.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "converter/gzip/huffman.h"

enum {
    LITERALS = 286, DISTANCES = 30, LENGTHS = 19,
    END = 256,
    CODE_MAX = 14, LENGTH_CODE_MAX = 7, /* four codes, or a repetition, are put between two flushes */
    GROUP = 4,
    MATCH_MAX = 258,
    HEAD_ROOM = 512,                    /* a block's codes, and what ends it */
    COUNT_EACH = 16,                    /* so many blocks have the codes of the first of them: they are much alike */
};

struct bits {
    uint8_t *to;
    uint64_t word;
    uint64_t count;                     /* of bits in `word`: its lowest byte, the others are of no account */
};

/* Codes are kept as `bits << 8 | size`. */
struct ct_deflate {
    unsigned blocks;
    uint32_t literal_count[LITERALS], distance_count[DISTANCES];
    uint32_t literal[LITERALS], distance[DISTANCES];
    uint32_t match[MATCH_MAX + 1];      /* of a length: the code of its symbol, and its extra bits behind it */
    uint16_t match_symbol[MATCH_MAX + 1];
    uint8_t match_bits[MATCH_MAX + 1];  /* how many extra ones */
    uint16_t match_base[MATCH_MAX + 1]; /* what they count from */
    uint8_t head[HEAD_ROOM];            /* of every block that has these codes: whole bytes, */
    struct bits head_rest;              /* and what is left of bits */
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

static inline void put(struct bits *b, uint32_t code)
{
    b->word |= (uint64_t)(code >> 8) << (b->count & 63);
    b->count += code;
}

static inline void put_bits(struct bits *b, uint64_t bits, uint64_t size)
{
    b->word |= bits << (b->count & 63);
    b->count += size;
}

/* At least 57 bits can be put after it. */
static inline void flush(struct bits *b)
{
    uint64_t word = htole64(b->word);

    memcpy(b->to, &word, sizeof word);
    b->to += (b->count & 63) / 8;
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

/*
 * What is put between two flushes is put together first: the processor does that ahead of what it has to wait for, which
 * is where in the stream it goes.
 */
static inline void put_match(const struct ct_deflate *d, struct bits *b, unsigned size, unsigned distance)
{
    unsigned bits, symbol = distance_symbol(distance, &bits);
    struct bits own = { .word = 0 };

    put(&own, d->match[size]);
    put(&own, d->distance[symbol]);
    put_bits(&own, (distance - 1) & ((1u << bits) - 1), bits);
    put_bits(b, own.word, own.count);
    flush(b);
}

/* At most GROUP bytes that are not repeated. */
static inline void put_group(const struct ct_deflate *d, struct bits *b, const uint8_t *from, size_t size)
{
    struct bits own = { .word = 0 };

    for (size_t k = 0; k < size; k++)
        put(&own, d->literal[from[k]]);
    put_bits(b, own.word, own.count);
    flush(b);
}

static inline void put_literals(const struct ct_deflate *d, struct bits *b, const uint8_t *from, size_t size)
{
    for (; size >= GROUP; size -= GROUP, from += GROUP)
        put_group(d, b, from, GROUP);
    if (size > 0)
        put_group(d, b, from, size);
}

static void put_symbols(const struct ct_deflate *d, struct bits *to, const uint8_t *bytes, size_t size,
                        const struct ct_repeat *repeats, size_t count)
{
    struct bits b = *to;
    size_t at = 0;

    flush(&b);
    for (size_t i = 0; i < count; i++) {
        unsigned left = repeats[i].size;

        put_literals(d, &b, bytes + at, repeats[i].at - at);
        at = repeats[i].at + left;
        while (__builtin_expect(left > MATCH_MAX, 0)) {
            unsigned one = match_size(left);

            put_match(d, &b, one, repeats[i].distance);
            left -= one;
        }
        put_match(d, &b, left, repeats[i].distance);
    }
    put_literals(d, &b, bytes + at, size - at);
    put(&b, d->literal[END]);
    flush(&b);
    *to = b;
}

/* --- the block's head: its codes, by their lengths --- */

static void put_lengths(const struct ct_deflate *d, struct bits *b)
{
    static const uint8_t order[LENGTHS] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
    uint32_t counts[LENGTHS] = { 0 };
    struct ct_huffman_code codes[LENGTHS];
    uint8_t lengths[LITERALS + DISTANCES];

    for (unsigned i = 0; i < LITERALS; i++)
        counts[lengths[i] = (uint8_t)d->literal[i]]++;
    for (unsigned i = 0; i < DISTANCES; i++)
        counts[lengths[LITERALS + i] = (uint8_t)d->distance[i]]++;
    ct_huffman_codes(counts, LENGTHS, LENGTH_CODE_MAX, codes);
    put_bits(b, LITERALS - 257, 5);
    put_bits(b, DISTANCES - 1, 5);
    put_bits(b, LENGTHS - 4, 4);
    for (unsigned i = 0; i < LENGTHS; i++) {
        flush(b);
        put_bits(b, codes[order[i]].size, 3);
    }
    for (unsigned i = 0; i < LITERALS + DISTANCES; i++) {
        flush(b);
        put_bits(b, codes[lengths[i]].bits, codes[lengths[i]].size);
    }
    flush(b);
}

/* Codes for `symbols` symbols that occur so often. */
static void make_codes(const uint32_t *counts, unsigned symbols, uint32_t *ret)
{
    struct ct_huffman_code codes[LITERALS];

    ct_huffman_codes(counts, symbols, CODE_MAX, codes);
    for (unsigned i = 0; i < symbols; i++)
        ret[i] = (uint32_t)codes[i].bits << 8 | codes[i].size;
}

/* The codes of this block and of those after it, and their heads. */
static void begin_codes(struct ct_deflate *d)
{
    struct bits b = { .to = d->head };

    make_codes(d->literal_count, LITERALS, d->literal);
    make_codes(d->distance_count, DISTANCES, d->distance);
    for (unsigned size = 3; size <= MATCH_MAX; size++) {
        uint32_t code = d->literal[d->match_symbol[size]];
        uint32_t extra = (uint32_t)(size - d->match_base[size]) << (code & 0xff);

        d->match[size] = (code | extra << 8) + d->match_bits[size];
    }
    put_bits(&b, 0, 1);                 /* not the last block */
    put_bits(&b, 2, 2);                 /* with codes of its own */
    put_lengths(d, &b);
    d->head_rest = b;
}

/* Early blocks are less alike than later ones. */
static bool counts_block(unsigned block)
{
    return block % COUNT_EACH == 0 || (block < COUNT_EACH && (block & (block - 1)) == 0);
}

size_t ct_deflate_block(struct ct_deflate *d, const uint8_t *bytes, size_t size, const struct ct_repeat *repeats,
                        size_t count, uint8_t *to)
{
    size_t head;
    struct bits b;

    if (counts_block(d->blocks++)) {
        count_symbols(d, bytes, size, repeats, count);
        begin_codes(d);
    }
    head = (size_t)(d->head_rest.to - d->head);
    memcpy(to, d->head, head);
    b = d->head_rest;
    b.to = to + head;
    put_symbols(d, &b, bytes, size, repeats, count);
    put_bits(&b, 0, 3);                 /* an empty stored block ends on a byte's border */
    b.count = (b.count + 7) & 56;
    flush(&b);
    memcpy(b.to, "\0\0\xff\xff", 4);
    return (size_t)(b.to + 4 - to);
}
