/* Sealing from the left, holding back enough at the right that what turns out to lie within another slice can move. */
#include "converter/index/column.h"

#include "converter/index/coder.h"

#include <errno.h>
#include <stdlib.h>

void ct_column_fini(struct ct_column *c)
{
    ct_tree_fini(&c->tree);
    free(c->payload);
}

bool ct_column_payload_grow(struct ct_column *c, size_t size)
{
    size_t held = c->payload_used - c->payload_from, room = c->payload_room ? c->payload_room : 256;
    uint8_t *more;

    while (room < 2 * (held + size))  /* so that what is held moves once for each time it is filled */
        room *= 2;
    more = c->payload;
    if (room != c->payload_room) {
        more = malloc(room);
        if (!more)
            return false;
    }
    if (held)
        memmove(more, c->payload + c->payload_from, held);
    if (more != c->payload)
        free(c->payload);
    c->payload = more;
    c->payload_room = room;
    c->payload_from = 0;
    c->payload_used = held;
    return true;
}

/* Codes the first `count` in raw, which do not go round its end, or has them coded. */
static bool seal(struct ct_column *c, struct ct_heap *heap, unsigned count)
{
    const struct ct_raw *raw = &c->raw[c->raw_from], *last = raw + count - 1;
    const uint8_t *bytes = c->payload + c->payload_from;
    size_t payload = 0;
    bool good;

    for (unsigned i = 0; i < count; i++)
        payload += raw[i].size;
    if (heap->coder)
        good = ct_coder_put(heap->coder, &c->tree, raw, count, bytes, payload);
    else
        good = ct_tree_add(&c->tree, heap, raw, count, bytes, payload);
    c->sealed_end = last->start + last->dur;
    c->held -= count;
    c->raw_from ^= CT_LEAF;
    c->payload_from += payload;
    return good;
}

bool ct_column_seal(struct ct_column *c, struct ct_heap *heap)
{
    return seal(c, heap, CT_LEAF);
}

bool ct_column_add_value(struct ct_column *c, struct ct_heap *heap, int64_t ns, double value)
{
    unsigned at;

    if (c->held == 2 * CT_LEAF && !seal(c, heap, CT_LEAF))
        return false;
    at = ct_column_at(c, c->held);
    c->raw[at] = (struct ct_raw){ .start = ns, .value = value };
    c->end = ns;
    c->held++;
    c->count++;
    return true;
}

int ct_column_tail(const struct ct_column *from, int64_t start)
{
    unsigned count = 0;

    while (count < from->held && from->raw[ct_column_at(from, from->held - 1 - count)].start >= start)
        count++;
    return count == from->held && count < from->count && from->sealed_end > start ? -1 : (int)count;
}

bool ct_column_move(struct ct_column *from, struct ct_column *to, struct ct_heap *heap, unsigned count)
{
    unsigned first = from->held - count;
    const struct ct_raw *last;
    size_t payload = 0, at;

    for (unsigned i = first; i < from->held; i++)
        payload += from->raw[ct_column_at(from, i)].size;
    at = from->payload_used - payload;
    for (unsigned i = first; i < from->held; i++) {
        unsigned k = ct_column_at(from, i);
        int64_t start = from->raw[k].start, end = start + from->raw[k].dur, its_end = to->end;

        start = start < its_end ? its_end : start;
        end = end < start ? start : end;
        if (!ct_column_add(to, heap, start, end, from->raw[k].name, from->payload + at, from->raw[k].size))
            return false;
        at += from->raw[k].size;
    }
    from->held -= count;
    from->count -= count;
    from->payload_used -= payload;
    last = &from->raw[ct_column_at(from, from->held - 1)];
    from->end = from->held ? last->start + last->dur : 0;
    return true;
}

bool ct_column_finish(struct ct_column *c, struct ct_heap *heap)
{
    while (c->held > 0)
        if (!seal(c, heap, c->held < CT_LEAF ? c->held : CT_LEAF))
            return false;
    return ct_tree_finish(&c->tree, heap);
}
