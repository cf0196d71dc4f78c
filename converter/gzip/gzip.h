/*
 * Compresses a stream to gzip, for speed.  What comes with its repetitions told is coded as it is (deflate.h); for the
 * rest ISA-L is used when the build has it (five times zlib's speed at its ratio), else zlib.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "converter/gzip/deflate.h"

struct ct_gzip;

enum { CT_GZIP_FEED_MAX = 1 << 20 };    /* bytes that may be fed at once */

struct ct_gzip *ct_gzip_new(void);
void ct_gzip_free(struct ct_gzip *gzip);

/* Takes what was compressed; 0 or a negative errno, which ends the feeding. */
typedef int ct_gzip_sink(void *context, const void *bytes, size_t size);

/*
 * Compresses `size` (<= CT_GZIP_FEED_MAX) more bytes, of which `count` repetitions are told; none: they are searched for.
 * Returns what the sink returned.
 */
int ct_gzip_feed(struct ct_gzip *gzip, const void *bytes, size_t size, const struct ct_repeat *repeats, size_t count,
                 ct_gzip_sink *sink, void *context);

/* Ends the stream. */
int ct_gzip_end(struct ct_gzip *gzip, ct_gzip_sink *sink, void *context);
