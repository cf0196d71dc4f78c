/* Deflate blocks by a library that looks for repetitions: ISA-L when the build has it, else zlib; and its CRC. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_search;

struct ct_search *ct_search_new(void);
void ct_search_free(struct ct_search *search);

/*
 * Compresses `size` more bytes and gives what comes out to `sink`.  With `settle` all of it comes, up to a byte's border,
 * and what follows does not refer back.  Returns what the sink returned.
 */
int ct_search_feed(struct ct_search *search, const void *bytes, size_t size, bool settle,
                   int (*sink)(void *context, const void *bytes, size_t size), void *context);

/* The CRC of gzip: `crc` of what came before, 0 at first. */
uint32_t ct_search_crc(uint32_t crc, const void *bytes, size_t size);
