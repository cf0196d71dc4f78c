/* Two libraries that do the same: one stream, level 1. */
#include "converter/gzip/search.h"

#include <stdlib.h>

enum { PACKED_SIZE = 256 << 10 };

#ifdef CT_HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

struct ct_search {
    struct isal_zstream stream;
    unsigned char packed[PACKED_SIZE];
    unsigned char level[ISAL_DEF_LVL1_DEFAULT];
};

struct ct_search *ct_search_new(void)
{
    struct ct_search *s = malloc(sizeof *s);

    if (!s)
        return NULL;
    isal_deflate_init(&s->stream);
    s->stream.level = 1;
    s->stream.level_buf = s->level;
    s->stream.level_buf_size = sizeof s->level;
    return s;
}

void ct_search_free(struct ct_search *s)
{
    free(s);
}

int ct_search_feed(struct ct_search *s, const void *bytes, size_t size, bool settle,
                   int (*sink)(void *context, const void *bytes, size_t size), void *context)
{
    s->stream.next_in = (unsigned char *)bytes;
    s->stream.avail_in = (unsigned)size;
    s->stream.flush = settle ? FULL_FLUSH : NO_FLUSH;
    do {
        int r;

        s->stream.next_out = s->packed;
        s->stream.avail_out = PACKED_SIZE;
        isal_deflate(&s->stream);
        r = sink(context, s->packed, PACKED_SIZE - s->stream.avail_out);
        if (r < 0)
            return r;
    } while (s->stream.avail_out == 0);
    return 0;
}

uint32_t ct_search_crc(uint32_t crc, const void *bytes, size_t size)
{
    return crc32_gzip_refl(crc, bytes, size);
}

#else
#include <zlib.h>

struct ct_search {
    z_stream stream;
    unsigned char packed[PACKED_SIZE];
};

struct ct_search *ct_search_new(void)
{
    struct ct_search *s = calloc(1, sizeof *s);

    if (s && deflateInit2(&s->stream, 1, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK)
        return s;
    free(s);
    return NULL;
}

void ct_search_free(struct ct_search *s)
{
    if (s)
        deflateEnd(&s->stream);
    free(s);
}

int ct_search_feed(struct ct_search *s, const void *bytes, size_t size, bool settle,
                   int (*sink)(void *context, const void *bytes, size_t size), void *context)
{
    s->stream.next_in = (unsigned char *)bytes;
    s->stream.avail_in = (unsigned)size;
    do {
        int r;

        s->stream.next_out = s->packed;
        s->stream.avail_out = PACKED_SIZE;
        deflate(&s->stream, settle ? Z_FULL_FLUSH : Z_NO_FLUSH);
        r = sink(context, s->packed, PACKED_SIZE - s->stream.avail_out);
        if (r < 0)
            return r;
    } while (s->stream.avail_out == 0);
    return 0;
}

uint32_t ct_search_crc(uint32_t crc, const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc, bytes, size);
}

#endif
