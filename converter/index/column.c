/* Sealing from the left, holding back enough at the right that what turns out to lie within another slice can move. */
#include "converter/index/column.h"

#include "converter/index/coder.h"

#include <errno.h>
#include <stdlib.h>

void ct_chunk_free(struct ct_chunk *chunk)
{
    if (chunk)
        free(chunk->bytes);
    free(chunk);
}

void ct_column_fini(struct ct_column *c)
{
    ct_tree_fini(&c->tree);
    ct_chunk_free(c->now);
    ct_chunk_free(c->before);
    ct_chunk_free(c->spare);
}

/* --- chunks --- */

/* A chunk is filled from slice `filled` and from what is used of its bytes on. */
static void go_on(struct ct_column *c, struct ct_chunk *chunk, unsigned filled)
{
    c->now = chunk;
    c->next = chunk->raw + filled;
    c->limit = chunk->raw + CT_LEAF;
    c->bytes = chunk->bytes;
    c->used = chunk->used;
    c->room = chunk->room;
}

/* No chunk is filled any more: the one that was, which may be none. */
static struct ct_chunk *leave(struct ct_column *c)
{
    struct ct_chunk *chunk = c->now;

    if (chunk)
        chunk->used = c->used;
    c->now = NULL;
    c->next = c->limit = NULL;
    c->bytes = NULL;
    c->used = c->room = 0;
    return chunk;
}

/* Keeps an empty one, or not. */
static void put_aside(struct ct_column *c, struct ct_chunk *chunk)
{
    if (c->spare)
        ct_chunk_free(chunk);
    else
        c->spare = chunk;
}

bool ct_column_payload_grow(struct ct_column *c, size_t size)
{
    unsigned filled = ct_column_filled(c);
    struct ct_chunk *chunk = leave(c);
    size_t room = chunk->room ? chunk->room : 256;
    uint8_t *more;

    while (room < chunk->used + size)
        room *= 2;
    more = realloc(chunk->bytes, room);
    if (more) {
        chunk->bytes = more;
        chunk->room = room;
    }
    go_on(c, chunk, filled);
    return more;
}

static struct ct_chunk *new_chunk(struct ct_column *c, struct ct_heap *heap)
{
    struct ct_chunk *chunk = c->spare ? c->spare : aligned_alloc(CT_LINE, sizeof *chunk);

    if (!chunk)
        ct_heap_fail(heap, -ENOMEM);
    else if (!c->spare)
        chunk->bytes = NULL, chunk->room = 0;
    if (chunk)
        chunk->used = 0;
    c->spare = NULL;
    return chunk;
}

/* Codes the first `count` of a chunk, all that it has, or has them coded; the last of them ends at `end`. */
static bool seal(struct ct_column *c, struct ct_heap *heap, struct ct_chunk *chunk, unsigned count, int64_t end)
{
    bool good;

    c->sealed_end = end;
    if (heap->coder)
        good = ct_coder_put(heap->coder, &c->tree, &chunk, count);
    else
        good = ct_tree_add(&c->tree, heap, chunk->raw, count, chunk->bytes, chunk->used);
    put_aside(c, chunk);
    return good;
}

bool ct_column_turn(struct ct_column *c, struct ct_heap *heap)
{
    struct ct_chunk *full = c->before, *chunk;
    int64_t full_end = c->before_end;

    c->before = leave(c);
    c->before_end = c->end;
    if (full && !seal(c, heap, full, CT_LEAF, full_end))
        return false;
    chunk = new_chunk(c, heap);
    if (chunk)
        go_on(c, chunk, 0);
    return chunk;
}

bool ct_column_add_value(struct ct_column *c, struct ct_heap *heap, int64_t ns, double value)
{
    if (!ct_column_ready(c, heap))
        return false;
    *c->next++ = (struct ct_raw){ .start = ns, .value = value };
    c->end = ns;
    c->count++;
    return true;
}

/* --- the last ones --- */

int ct_column_tail(const struct ct_column *from, int64_t start)
{
    unsigned count = 0, held = ct_column_held(from);

    while (count < held && ct_column_at(from, held - 1 - count)->start >= start)
        count++;
    return count == held && count < from->count && from->sealed_end > start ? -1 : (int)count;
}

/* Takes the last `count` of `filled` away. */
static struct ct_chunk *cut(struct ct_chunk *chunk, unsigned filled, unsigned count)
{
    for (unsigned i = filled - count; i < filled; i++)
        chunk->used -= chunk->raw[i].size;
    return chunk;
}

/* Adds those of a chunk behind its first `first`, whose payloads were just cut off. */
static bool add(struct ct_column *to, struct ct_heap *heap, const struct ct_chunk *chunk, unsigned first, unsigned filled)
{
    size_t at = chunk->used;

    for (unsigned i = first; i < filled; i++) {
        const struct ct_raw *raw = &chunk->raw[i];
        int64_t start = raw->start, end = start + raw->dur, its_end = to->end;

        start = start < its_end ? its_end : start;
        end = end < start ? start : end;
        if (!ct_column_add(to, heap, start, end, raw->name, raw->size ? chunk->bytes + at : NULL, raw->size))
            return false;
        at += raw->size;
    }
    return true;
}

bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count)
{
    unsigned filled = ct_column_filled(from), of_now = count < filled ? count : filled, of_before = count - of_now, left;
    struct ct_chunk *now = leave(from);
    bool good = true;

    if (now)
        cut(now, filled, of_now);
    if (of_before)
        good = add(to, heap, cut(from->before, CT_LEAF, of_before), CT_LEAF - of_before, CT_LEAF);
    good = good && (!now || add(to, heap, now, filled - of_now, filled));
    filled -= of_now;
    if (of_before) {                    /* what was full is filled again */
        if (now)
            put_aside(from, now);
        now = from->before;
        filled = CT_LEAF - of_before;
        from->before = NULL;
    }
    if (now)
        go_on(from, now, filled);
    from->count -= count;
    left = ct_column_held(from);
    from->end = left ? ct_column_at(from, left - 1)->start + ct_column_at(from, left - 1)->dur : 0;
    return good;
}

bool ct_column_finish(struct ct_column *c, struct ct_heap *heap)
{
    unsigned filled = ct_column_filled(c);
    struct ct_chunk *before = c->before, *now = leave(c);
    bool good = !before || seal(c, heap, before, CT_LEAF, c->before_end);

    c->before = NULL;
    if (now && filled && good)
        good = seal(c, heap, now, filled, c->end);
    else
        ct_chunk_free(now);
    return good && ct_tree_finish(&c->tree, heap);
}
