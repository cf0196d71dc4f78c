/* One gzip stream of deflate blocks, made in two ways; at each change between them the blocks end on a byte's border. */
#include "converter/gzip/gzip.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "converter/gzip/search.h"

struct ct_gzip {
    struct ct_deflate *told;
    struct ct_search *search;
    bool begun;                         /* the head is written */
    bool searching;                     /* the last block came from `search`, which may hold back some of it */
    uint32_t crc;
    uint32_t size;                      /* modulo 2^32 */
    uint8_t *packed;                    /* room for what CT_GZIP_FEED_MAX bytes become */
};

struct ct_gzip *ct_gzip_new(void)
{
    struct ct_gzip *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->told = ct_deflate_new();
    g->search = ct_search_new();
    g->packed = malloc(ct_deflate_room(CT_GZIP_FEED_MAX));      /* only what is used of it becomes memory */
    if (g->told && g->search && g->packed)
        return g;
    ct_gzip_free(g);
    return NULL;
}

void ct_gzip_free(struct ct_gzip *g)
{
    if (!g)
        return;
    ct_deflate_free(g->told);
    ct_search_free(g->search);
    free(g->packed);
    free(g);
}

/* The head of RFC 1952: deflate, no name, no time. */
static int begin(struct ct_gzip *g, ct_gzip_sink *sink, void *context)
{
    static const uint8_t head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3 };

    if (g->begun)
        return 0;
    g->begun = true;
    return sink(context, head, sizeof head);
}

/* What `search` holds back is written, up to a byte's border. */
static int settle(struct ct_gzip *g, ct_gzip_sink *sink, void *context)
{
    if (!g->searching)
        return 0;
    g->searching = false;
    return ct_search_feed(g->search, NULL, 0, true, sink, context);
}

int ct_gzip_feed(struct ct_gzip *g, const void *bytes, size_t size, const struct ct_repeat *repeats, size_t count,
                 ct_gzip_sink *sink, void *context)
{
    int r = begin(g, sink, context);

    if (r < 0 || size == 0)
        return r;
    g->crc = ct_search_crc(g->crc, bytes, size);
    g->size += (uint32_t)size;
    if (count == 0) {
        g->searching = true;
        return ct_search_feed(g->search, bytes, size, false, sink, context);
    }
    r = settle(g, sink, context);
    return r < 0 ? r : sink(context, g->packed, ct_deflate_block(g->told, bytes, size, repeats, count, g->packed));
}

int ct_gzip_end(struct ct_gzip *g, ct_gzip_sink *sink, void *context)
{
    uint8_t last[10] = { 3, 0 };        /* an empty block, the last one */
    uint32_t crc = htole32(g->crc), size = htole32(g->size);
    int r = begin(g, sink, context);

    if (r == 0)
        r = settle(g, sink, context);
    memcpy(last + 2, &crc, 4);
    memcpy(last + 6, &size, 4);
    return r < 0 ? r : sink(context, last, sizeof last);
}
