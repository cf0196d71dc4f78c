/* Two queues make the tree: leaves in order of their counts, and inner nodes, which come into being in order. */
#include "converter/gzip/huffman.h"

#include <stdlib.h>
#include <string.h>

struct leaf {
    uint32_t count;
    uint32_t symbol;
};

static int by_count(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;

    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return x->symbol < y->symbol ? -1 : 1;
}

/* Depths of `n` >= 2 leaves in order of their counts; the largest one. */
static unsigned make_depths(const struct leaf *leaf, unsigned n, uint8_t *depth)
{
    uint64_t weight[CT_HUFFMAN_SYMBOLS_MAX];
    uint16_t parent[2 * CT_HUFFMAN_SYMBOLS_MAX];
    uint8_t inner_depth[CT_HUFFMAN_SYMBOLS_MAX];
    unsigned next_leaf = 0, next_inner = 0;

    for (unsigned made = 0; made < n - 1; made++) {
        weight[made] = 0;
        for (int child = 0; child < 2; child++) {
            if (next_leaf < n && (next_inner == made || leaf[next_leaf].count <= weight[next_inner])) {
                weight[made] += leaf[next_leaf].count;
                parent[next_leaf++] = (uint16_t)made;
            } else {
                weight[made] += weight[next_inner];
                parent[n + next_inner++] = (uint16_t)made;
            }
        }
    }
    inner_depth[n - 2] = 0;
    for (unsigned i = n - 2; i-- > 0;)
        inner_depth[i] = (uint8_t)(inner_depth[parent[n + i]] + 1);
    for (unsigned i = 0; i < n; i++)
        depth[i] = (uint8_t)(inner_depth[parent[i]] + 1);
    return depth[0];                    /* the rarest is the deepest */
}

/* Symbols of one size get numbers in a row; those of the next size follow. */
static void number(unsigned symbols, struct ct_huffman_code *codes)
{
    unsigned of_size[17] = { 0 }, next[17], code = 0;

    for (unsigned i = 0; i < symbols; i++)
        of_size[codes[i].size]++;
    of_size[0] = 0;
    for (unsigned size = 1; size <= 16; size++)
        next[size] = code = (code + of_size[size - 1]) << 1;
    for (unsigned i = 0; i < symbols; i++) {
        unsigned bits = 0;

        if (codes[i].size == 0)
            continue;
        code = next[codes[i].size]++;
        for (unsigned k = 0; k < codes[i].size; k++)
            bits |= (code >> k & 1) << (codes[i].size - 1 - k);
        codes[i].bits = (uint16_t)bits;
    }
}

void ct_huffman_codes(const uint32_t *counts, unsigned symbols, unsigned longest, struct ct_huffman_code *ret)
{
    struct leaf leaf[CT_HUFFMAN_SYMBOLS_MAX];
    uint8_t depth[CT_HUFFMAN_SYMBOLS_MAX];
    unsigned n = 0, two = 0;

    memset(ret, 0, symbols * sizeof *ret);
    for (unsigned i = 0; i < symbols; i++)
        two += counts[i] > 0;
    for (unsigned i = 0; i < symbols; i++)
        if (counts[i] > 0 || (two < 2 && ++two))
            leaf[n++] = (struct leaf){ counts[i], i };
    qsort(leaf, n, sizeof *leaf, by_count);
    while (make_depths(leaf, n, depth) > longest)
        for (unsigned i = 0; i < n; i++)
            leaf[i].count = leaf[i].count / 2 + 1;  /* flatter, in the same order */
    for (unsigned i = 0; i < n; i++)
        ret[leaf[i].symbol].size = depth[i];
    number(symbols, ret);
}
