/* Compresses a stream to gzip, for speed: ISA-L when the build has it (five times zlib's speed at its ratio), else zlib. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ct_gzip;

struct ct_gzip *ct_gzip_new(void);
void ct_gzip_free(struct ct_gzip *gzip);

/* Takes what was compressed; 0 or a negative errno, which ends the feeding. */
typedef int ct_gzip_sink(void *context, const void *bytes, size_t size);

/* Compresses `size` (< 2 GiB) more bytes; with `last` the stream is ended.  Returns what the sink returned. */
int ct_gzip_feed(struct ct_gzip *gzip, const void *bytes, size_t size, bool last, ct_gzip_sink *sink, void *context);
