/* Huffman codes of limited length, in the canonical form of RFC 1951. */
#pragma once

#include <stdint.h>

enum { CT_HUFFMAN_SYMBOLS_MAX = 288 };

struct ct_huffman_code {
    uint16_t bits;                      /* the first one lowest, as they stand in the stream */
    uint16_t size;                      /* 0: the symbol does not occur */
};

/*
 * Codes of at most `longest` bits for `symbols` symbols that occur `counts` times each.  Two symbols at least get codes,
 * whether they occur or not: some readers refuse less.
 */
void ct_huffman_codes(const uint32_t *counts, unsigned symbols, unsigned longest, struct ct_huffman_code *ret);
