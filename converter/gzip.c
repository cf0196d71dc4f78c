/* Two ways to the same bytes on disk: one stream, level 1. */
#include "converter/gzip.h"

#include <stdlib.h>

enum { PACKED_SIZE = 256 << 10 };

#ifdef CT_HAVE_ISAL
#include <isa-l/igzip_lib.h>

struct ct_gzip {
    struct isal_zstream stream;
    unsigned char packed[PACKED_SIZE];
    unsigned char level[ISAL_DEF_LVL1_DEFAULT];
};

struct ct_gzip *ct_gzip_new(void)
{
    struct ct_gzip *g = malloc(sizeof *g);

    if (!g)
        return NULL;
    isal_deflate_init(&g->stream);
    g->stream.gzip_flag = IGZIP_GZIP;
    g->stream.level = 1;
    g->stream.level_buf = g->level;
    g->stream.level_buf_size = sizeof g->level;
    return g;
}

void ct_gzip_free(struct ct_gzip *g)
{
    free(g);
}

int ct_gzip_feed(struct ct_gzip *g, const void *bytes, size_t size, bool last, ct_gzip_sink *sink, void *context)
{
    g->stream.next_in = (unsigned char *)bytes;
    g->stream.avail_in = (unsigned)size;
    g->stream.end_of_stream = last;
    do {
        int r;

        g->stream.next_out = g->packed;
        g->stream.avail_out = PACKED_SIZE;
        isal_deflate(&g->stream);
        r = sink(context, g->packed, PACKED_SIZE - g->stream.avail_out);
        if (r < 0)
            return r;
    } while (g->stream.avail_out == 0);
    return 0;
}

#else
#include <zlib.h>

struct ct_gzip {
    z_stream stream;
    unsigned char packed[PACKED_SIZE];
};

struct ct_gzip *ct_gzip_new(void)
{
    struct ct_gzip *g = calloc(1, sizeof *g);

    if (g && deflateInit2(&g->stream, 1, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void ct_gzip_free(struct ct_gzip *g)
{
    if (g)
        deflateEnd(&g->stream);
    free(g);
}

int ct_gzip_feed(struct ct_gzip *g, const void *bytes, size_t size, bool last, ct_gzip_sink *sink, void *context)
{
    g->stream.next_in = (unsigned char *)bytes;
    g->stream.avail_in = (unsigned)size;
    do {
        int r;

        g->stream.next_out = g->packed;
        g->stream.avail_out = PACKED_SIZE;
        deflate(&g->stream, last ? Z_FINISH : Z_NO_FLUSH);
        r = sink(context, g->packed, PACKED_SIZE - g->stream.avail_out);
        if (r < 0)
            return r;
    } while (g->stream.avail_out == 0);
    return 0;
}

#endif
