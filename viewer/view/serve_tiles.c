/* /api/tiles: rows of one tile as columns in binary; docs/view-api.md has the layout. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viewer/view/ask.h"
#include "viewer/view/view.h"

enum {
    ROWS_MAX = 256,
    ROWS_SHIFTS = 10,               /* 1024 steps */
    PARTIAL = 1,
};

struct head {
    uint32_t magic;
    uint16_t version, flags;
    uint32_t level, rows;
    uint64_t number, start_ns;
};
_Static_assert(sizeof(struct head) == 32, "as documented");

struct row {
    uint32_t row, kind, count, offset, bytes, widths;
};
_Static_assert(sizeof(struct row) == 24, "as documented");

/* Numbers stand as this machine has them: little-endian on all that ctrace knows. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are written as they lie in memory");

/* The columns of a row of slices, as numbers of 32 bits that are then written as narrow as they can be. */
struct columns {
    struct ct_reply *reply;
    uint32_t widths;                /* 4 bits each, the first lowest */
    unsigned count;
    uint32_t number[CT_TILE_ENTRIES];
};

static const char zeros[8];

/*
 * Writes the first `n` numbers, 1 at least, in 1, 2 or 4 bytes each, whatever the greatest needs; in 0 when they are all the
 * same, and that one stands there.  Most tiles take a third of what they have in memory.
 */
static void put_column(struct columns *c, size_t n)
{
    const uint32_t *number = c->number;
    uint32_t all = 0, other = 0;
    unsigned width;

    for (size_t i = 0; i < n; i++) {
        all |= number[i];
        other |= number[i] ^ number[0];
    }
    width = !other ? 0 : all <= UINT8_MAX ? 1 : all <= UINT16_MAX ? 2 : 4;
    c->widths |= width << 4 * c->count++;
    if (width == 0) {
        ct_reply_bytes(c->reply, number, sizeof *number);
    } else if (width == 1) {
        uint8_t narrow[CT_TILE_ENTRIES];

        for (size_t i = 0; i < n; i++)
            narrow[i] = (uint8_t)number[i];
        ct_reply_bytes(c->reply, narrow, n);
    } else if (width == 2) {
        uint16_t narrow[CT_TILE_ENTRIES];

        for (size_t i = 0; i < n; i++)
            narrow[i] = (uint16_t)number[i];
        ct_reply_bytes(c->reply, narrow, n * sizeof *narrow);
    } else {
        ct_reply_bytes(c->reply, number, n * sizeof *number);
    }
    ct_reply_bytes(c->reply, zeros, -c->reply->size & 3);
}

#define PUT(of) \
    do { \
        for (size_t i = 0; i < n; i++) \
            c.number[i] = (of); \
        put_column(&c, n); \
    } while (0)

/* Numbers of slices and starts are written as the way from the one before, which is short.  Returns the widths. */
static uint32_t put_slices(struct ct_reply *r, const struct ct_index_tile *tile)
{
    size_t n = tile->count;
    struct columns c;

    c.reply = r;
    c.widths = c.count = 0;
    if (n == 0)
        return 0;
    PUT(tile->name[i]);
    PUT(i ? tile->slice[i] - tile->slice[i - 1] : tile->slice[i]);
    PUT(tile->entries[i]);
    PUT(i ? (uint32_t)(tile->start[i] - tile->start[i - 1]) : tile->start[i]);
    PUT(tile->len[i]);
    PUT(tile->class[i]);
    PUT(tile->busy[i]);
    return c.widths;
}

static void put_values(struct ct_reply *r, const struct ct_index_tile *tile)
{
    size_t n = tile->count;

    ct_reply_bytes(r, tile->min, n * sizeof *tile->min);
    ct_reply_bytes(r, tile->max, n * sizeof *tile->max);
    ct_reply_bytes(r, tile->last, n * sizeof *tile->last);
    ct_reply_bytes(r, tile->start, n * sizeof *tile->start);
}

static void put_row(struct ct_reply *r, size_t at, uint32_t id, const struct ct_index_tile *tile)
{
    struct row row = { .row = id, .kind = tile->kind == CT_ROW_VALUE, .count = tile->count, .offset = (uint32_t)r->size };

    if (row.kind)
        put_values(r, tile);
    else
        row.widths = put_slices(r, tile);
    row.bytes = (uint32_t)r->size - row.offset;
    ct_reply_bytes(r, zeros, -r->size & 7);
    if (!r->full)
        memcpy(r->body + at, &row, sizeof row);
}

/* The same address means the same bytes for ever only together with the key of what is served. */
static void set_cache(struct ct_exchange *x, const char *key, bool partial)
{
    const struct ct_view *view = ct_view_of(x);

    if (partial || strcmp(key, view->key) != 0)
        return;
    x->reply.cache = "private, max-age=31536000, immutable";
    snprintf(x->reply.etag, sizeof x->reply.etag, "\"%.16s\"", view->key);
}

static void answer(struct ct_exchange *x, struct head *head, const uint32_t *ids, struct ct_index_tile *tile)
{
    struct ct_reply *r = &x->reply;
    struct row empty = { 0 };

    r->type = "application/octet-stream";
    ct_reply_bytes(r, head, sizeof *head);
    for (uint32_t i = 0; i < head->rows; i++)
        ct_reply_bytes(r, &empty, sizeof empty);
    for (uint32_t i = 0; i < head->rows && !r->full; i++) {
        int status = ct_index_tile(ct_view_of(x)->index, ids[i], head->level, head->number, tile);

        if (status == -ENOENT)
            ct_reply_fault(r, 404, "There is no row %u.", ids[i]);
        if (status == -ENOENT || !ct_view_good(x, status, NULL))
            return;
        if (tile->partial)
            head->flags |= PARTIAL;
        put_row(r, sizeof *head + i * sizeof empty, ids[i], tile);
    }
    if (!r->full)
        memcpy(r->body, head, sizeof *head);
}

void ct_answer_tiles(struct ct_exchange *x)
{
    struct head head = { .version = CT_VIEW_TILES };
    struct ct_index_tile *tile;
    uint32_t ids[ROWS_MAX];
    char key[CT_ASK_TEXT];
    int64_t level, number;
    size_t count;
    bool there;

    if (!ct_ask_number(x, "l", 0, CT_TILE_LEVEL_MAX, -1, &level) ||
        !ct_ask_number(x, "i", 0, (INT64_MAX >> ROWS_SHIFTS >> level) - 1, -1, &number) ||
        !ct_ask_list(x, "rows", ids, ROWS_MAX, &count) || !ct_ask_text(x, "v", key, &there))
        return;
    if (!count) {
        ct_reply_fault(&x->reply, 400, "The parameter \"rows\" is missing: rows=1-4,9.");
        return;
    }
    if (there && strcmp(key, ct_view_of(x)->key) != 0) {
        ct_reply_fault(&x->reply, 404, "Another trace is served here by now: load the page again.");
        return;
    }
    tile = malloc(sizeof *tile);
    if (!tile) {
        ct_reply_fault(&x->reply, 503, "Out of memory.");
        return;
    }
    memcpy(&head.magic, "CTTL", 4);
    head.level = (uint32_t)level;
    head.rows = (uint32_t)count;
    head.number = (uint64_t)number;
    head.start_ns = (uint64_t)number << ROWS_SHIFTS << level;
    answer(x, &head, ids, tile);
    if (x->reply.status == 200)
        set_cache(x, key, head.flags & PARTIAL);
    free(tile);
}
